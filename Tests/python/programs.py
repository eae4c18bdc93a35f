"""Programs that tests build and run: in C, in Swift, and in Python in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from header import ROOT
from pbk import LIBRARY

HERE = Path(__file__).resolve().parent
SERVERS = HERE.parent / "servers"

EXAMPLES = ROOT / "examples-c"

WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]
VALGRIND = ["valgrind", "-q", "--leak-check=full", "--error-exitcode=9"]
VALGRIND += [f"--suppressions={ROOT / 'Tests' / 'c' / 'valgrind.supp'}"]
LINK = [f"-L{LIBRARY.parent}", "-lpartnerbooking", f"-Wl,-rpath,{LIBRARY.parent}"]

FILE = LIBRARY.resolve()
"""The shared object itself, and not a link to it."""

NEEDED_AT_MOST = {
    "libc.so.6",
    "libm.so.6",
    "libstdc++.so.6",
    "libgcc_s.so.1",
    "libcurl.so.4",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
}
"""What every host has. The shared object needs nothing else."""


def run(*command: object, expect: int | tuple[int, ...] = 0, stdin: str = "", **environment: str) -> str:
    """Runs a program without the examples' variables of this environment, and gives its output."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PARTNER_", "WEBHOOK_"))}
    done = subprocess.run(
        [str(word) for word in command],
        env={**clean, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode in (expect if isinstance(expect, tuple) else (expect,)), done.stdout + done.stderr
    return done.stdout + done.stderr


def run_program(program: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs Python in a fresh process that finds the modules of this folder and the servers."""
    return subprocess.run(
        [sys.executable, "-c", program, *(str(word) for word in arguments)],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(SERVERS), **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


BUILT = ROOT / ".build" / "debug"
"""Where `swift build` has left the package. To build it once more for a consumer takes longer than
all of this."""


def swiftc(program: Path, *sources: Path) -> None:
    modules = [BUILT / name for name in ("PartnerBooking.build", "CCurl.build", "CSystem.build")]
    assert all(module.is_dir() for module in modules), "run `make build-swift-tests` first"
    objects = [file for module in modules for file in module.glob("*.o")]
    maps = [word for module in modules[1:] for word in ("-Xcc", f"-fmodule-map-file={module / 'module.modulemap'}")]
    strict = ["-swift-version", "6", "-warnings-as-errors", "-parse-as-library", "-module-name", program.name]
    run("swiftc", *strict, "-I", BUILT / "Modules", *maps, *sources, *objects, "-lcurl", "-o", program)


def output_of(*command: object) -> str:
    """The output of a command that has to succeed."""
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
