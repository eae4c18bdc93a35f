"""Describes the C ABI in the form of libabigail, for `make test-abi` to hold against the committed description.

    python3 describe.py     writes a new partnerbooking-1.abi, unless it breaks what the committed one promises

The debug information of the shared object tells of Swift's types and not of C's. But the compiler holds every exported
function against its declaration in the header, so the header says it all: a library of empty functions is made from it,
in C, with the SONAME and the version node of the real one, and that one is described.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
HEADER = ROOT / "include" / "partnerbooking.h"
EXPORTS = ROOT / "Sources" / "PartnerBookingABI" / "exports.map"
SONAME = "libpartnerbooking.so.1"
DESCRIPTION = HERE / "partnerbooking-1.abi"


def empty_functions(header: str) -> str:
    """A definition for each function that the header declares."""
    declared = re.findall(r"^PBK_API ([^;]*?)(pbk_\w+)(\([^;]*\));", header, re.MULTILINE)
    assert len(declared) == len(re.findall(r"^PBK_API ", header, re.MULTILINE)), "a declaration of another form"
    bodies = [
        f"{result}{name}{arguments} {{ {'' if result == 'void ' else f'return ({result})0; '}}}\n"
        for result, name, arguments in declared
    ]
    return '#include "partnerbooking.h"\n' + "".join(bodies)


def describe(header: str, folder: Path) -> Path:
    """Writes the description of what a header declares into an empty folder."""
    (folder / "partnerbooking.h").write_text(header)
    (folder / "abi.c").write_text(empty_functions(header))
    library, description = folder / SONAME, folder / "partnerbooking.abi"
    form = ["-std=c99", "-w", "-g", "-O0", "-fPIC", "-shared", "-nostdlib"]
    link = [f"-Wl,-soname,{SONAME}", f"-Wl,--version-script={EXPORTS}"]
    subprocess.run([os.environ.get("CC", "cc"), *form, *link, "-o", library, "abi.c"], cwd=folder, check=True)
    machine_independent = ["--no-show-locs", "--no-corpus-path", "--no-comp-dir-path", "--no-architecture"]
    subprocess.run(["abidw", *machine_independent, "--out-file", description, library], check=True)
    return description


def difference(old: Path, new: Path, *options: str) -> str:
    """What abidiff says; nothing when there is no difference."""
    done = subprocess.run(["abidiff", *options, old, new], capture_output=True, text=True, check=False)
    assert done.returncode & 0b11 == 0, done.stdout + done.stderr
    return done.stdout if done.returncode else ""


def broken(old: Path, new: Path) -> str:
    """What programs that were built with the old ABI would find changed. New functions are no harm to them."""
    return difference(old, new, "--no-added-syms")


def any_change(old: Path, new: Path) -> str:
    """Additions as well, also those to enumerations."""
    return difference(old, new, "--harmless")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        new = describe(HEADER.read_text(), Path(folder))
        if DESCRIPTION.exists() and (harm := broken(DESCRIPTION, new)):
            print(f"Refused: this breaks programs that are built already. docs/abi.md says what may change.\n{harm}")
            return 1
        DESCRIPTION.write_text(new.read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
