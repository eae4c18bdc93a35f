"""The C ABI is frozen: what programs were built with yesterday is what they find tomorrow (docs/abi.md)."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from header import HEADER, ROOT, VERSION, enumerations
from pbk import LIBRARY

sys.path.insert(0, str(ROOT / "Tests" / "abi"))

import describe

VALUES = (ROOT / "Tests" / "abi" / "values.txt").read_text()
NODE = "PARTNERBOOKING_1"


# ---- Functions and types, by libabigail -----------------------------------------------------------------------------


def test_abi_is_as_committed(tmp_path):
    """When something was added: `make abi-description`, and commit what it wrote."""
    new = describe.describe(HEADER, tmp_path)
    assert describe.broken(describe.DESCRIPTION, new) == ""
    assert describe.any_change(describe.DESCRIPTION, new) == ""


def planted(tmp_path: Path, old: str, new: str) -> Path:
    """The description of a header in which one thing is another."""
    assert HEADER.count(old) == 1, old
    return describe.describe(HEADER.replace(old, new), tmp_path)


BREAKS = {
    "a function removed": ("PBK_API char *pbk_random_key(void);", ""),
    "a function renamed": ("PBK_API char *pbk_random_key(", "PBK_API char *pbk_new_key("),
    "a parameter added": ("pbk_random_key(void)", "pbk_random_key(int length)"),
    "a parameter of another size": (
        "pbk_client_close(pbk_client *client, int32_t",
        "pbk_client_close(pbk_client *client, int64_t",
    ),
    "parameters of another order": (
        "(*pbk_callback)(void *context, pbk_completion *completion)",
        "(*pbk_callback)(pbk_completion *completion, void *context)",
    ),
    "a result of another size": ("typedef uint64_t pbk_ticket;", "typedef uint32_t pbk_ticket;"),
    "a value changed": ("PBK_TIMEOUT = 40,", "PBK_TIMEOUT = 49,"),
    "a value renamed": ("PBK_CANCELLED = 7,", "PBK_CANCELED = 7,"),
    "a wider enumeration": ("PBK_OUTCOME_NONE = 0,", "PBK_OUTCOME_NONE = 0, PBK_OUTCOME_ALL = 0x100000000,"),
}
ADDITIONS = {
    "a function": ("PBK_API const char *pbk_version(", "PBK_API int pbk_new(void);\nPBK_API const char *pbk_version("),
    "a value": ("PBK_CANCELLED = 7,", "PBK_CANCELLED = 7, PBK_NEW = 18,"),
    "const": ("pbk_string_free(char *string)", "pbk_string_free(const char *string)"),
}


@pytest.mark.parametrize("change", BREAKS)
def test_break_would_be_seen(tmp_path, change):
    assert describe.broken(describe.DESCRIPTION, planted(tmp_path, *BREAKS[change]))


@pytest.mark.parametrize("change", ADDITIONS)
def test_addition_is_no_break_and_would_be_seen(tmp_path, change):
    new = planted(tmp_path, *ADDITIONS[change])
    assert not describe.broken(describe.DESCRIPTION, new)
    assert describe.any_change(describe.DESCRIPTION, new)


def test_shared_object_has_the_described_functions_under_the_version_node():
    described = re.findall(r"<elf-symbol name='(\w+)' version='(\w+)'", describe.DESCRIPTION.read_text())
    symbols = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], check=True, capture_output=True, text=True).stdout
    exported = [name for _, kind, name in (line.split() for line in symbols.splitlines()) if kind != "A"]
    assert {version for _, version in described} == {NODE}
    assert sorted(exported) == sorted(f"{name}@@{NODE}" for name, _ in described)


# ---- Values of enumerations -----------------------------------------------------------------------------------------


def complaints(header: str, values: str) -> list[str]:
    """What is wrong between the header's enumerations and the list of all values that there ever were."""
    lines = [line.split() for line in values.splitlines() if line and not line.startswith("#")]
    listed = {tuple(line) for line in lines if len(line) == 3}
    retired = {tuple(line[:3]) for line in lines if line[3:] == ["retired"]}
    found = {
        (enumeration, str(number), name)
        for enumeration, values_of in enumerations(header).items()
        for name, number in values_of.items()
    }
    said = [f"not a line of the list: {line}" for line in lines if tuple(line[:3]) not in listed | retired]
    said += [f"not in the list: {value}" for value in found - listed]
    said += [f"no longer in the header: {value}" for value in listed - found]
    numbers = Counter((enumeration, number) for enumeration, number, _ in listed | retired)
    names = Counter(name for _, _, name in listed | retired)
    return said + [f"given twice: {one}" for one, count in (numbers + names).items() if count > 1]


def test_values_are_as_listed():
    assert complaints(HEADER, VALUES) == []


REUSES = {
    "a retired number": ("PBK_CANCELLED = 7,", "PBK_HUNG_UP = 7,", "pbk_status 7 PBK_HUNG_UP\n"),
    "a retired name": ("PBK_CANCELLED = 7,", "PBK_CANCELLED = 15,", "pbk_status 15 PBK_CANCELLED\n"),
    "a new value without a line": ("PBK_CANCELLED = 7,", "PBK_NEW = 15,", ""),
    "one number twice": ("PBK_CANCELLED = 7,", "PBK_NEW = 8,", "pbk_status 8 PBK_NEW\n"),
}


@pytest.mark.parametrize("reuse", REUSES)
def test_reuse_would_be_seen(reuse):
    old, new, line = REUSES[reuse]
    values = VALUES.replace("PBK_CANCELLED\n", "PBK_CANCELLED retired\n") + line
    assert complaints(HEADER.replace(old, new), values)


def test_value_may_retire():
    header = HEADER.replace("    PBK_CANCELLED = 7,", "    /* 7 was PBK_CANCELLED */")
    assert complaints(header, VALUES)
    assert complaints(header, VALUES.replace("PBK_CANCELLED\n", "PBK_CANCELLED retired\n")) == []


# ---- Versions -------------------------------------------------------------------------------------------------------


def test_version_is_its_three_numbers():
    numbers = re.findall(r"^#define PBK_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)$", HEADER, re.MULTILINE)
    assert ".".join(numbers) == VERSION


def test_changelog_has_this_version():
    assert re.search(rf"^## {re.escape(VERSION)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


# ---- The header in every language version ---------------------------------------------------------------------------

C_STANDARDS = ["gnu89", "c99", "c11", "c17", "c2x"]
CXX_STANDARDS = ["c++11", "c++14", "c++17", "c++20", "c++2b"]
"""C23 and C++23 by the names under which older compilers know them too."""

COMPILERS = [
    (compiler, standard, source)
    for compilers, standards, source in [
        (["gcc", "clang"], C_STANDARDS, "header_only.c"),
        (["g++", "clang++"], CXX_STANDARDS, "header_only.cpp"),
    ]
    for compiler in compilers
    for standard in standards
]


@pytest.mark.parametrize(("compiler", "standard", "source"), COMPILERS)
def test_header_is_clean(compiler, standard, source):
    if shutil.which(compiler) is None:
        pytest.skip(f"no {compiler} here")
    warnings = ["-Wall", "-Wextra", "-pedantic", "-Werror"]
    command = [compiler, f"-std={standard}", *warnings, "-fsyntax-only", f"-I{ROOT / 'include'}", source]
    done = subprocess.run(command, cwd=ROOT / "Tests" / "c", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
