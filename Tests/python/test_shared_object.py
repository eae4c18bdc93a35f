"""The file that is shipped: its name, what it needs, what it exports and how it is hardened."""

from __future__ import annotations

import re

import pytest
from header import FUNCTIONS, VERSION
from pbk import LIBRARY
from programs import FILE, NEEDED_AT_MOST, output_of

SIZE_MAX = 9_000_000


@pytest.fixture(scope="module")
def dynamic_section() -> list[tuple[str, str]]:
    """Tag and value of each entry."""
    return re.findall(r"^ 0x\w+ \((\w+)\)\s+(.*)$", output_of("readelf", "-dW", FILE), re.MULTILINE)


def values(dynamic_section: list[tuple[str, str]], tag: str) -> list[str]:
    return [value for found, value in dynamic_section if found == tag]


def sections_of(file: object) -> set[str]:
    return set(re.findall(r"^ +\[ *\d+\] (\S+)", output_of("readelf", "-SW", file), re.MULTILINE))


def test_soname(dynamic_section):
    assert values(dynamic_section, "SONAME") == ["Library soname: [libpartnerbooking.so.1]"]


def test_needs_only_what_every_host_has(dynamic_section):
    needed = {re.search(r"\[(.*)\]", value)[1] for value in values(dynamic_section, "NEEDED")}
    assert "libcurl.so.4" in needed
    assert needed <= NEEDED_AT_MOST


def test_exports_the_headers_functions_and_nothing_else():
    lines = output_of("nm", "-D", "--defined-only", FILE).splitlines()
    # A linker may list the version node itself, as an absolute symbol.
    exported = {name.partition("@")[0] for _, kind, name in (line.split() for line in lines) if kind != "A"}
    assert exported == set(FUNCTIONS)


def test_names_on_disk():
    """What a linker opens leads to what a loader opens, and that to the file of this version."""
    assert LIBRARY.name == "libpartnerbooking.so"
    by_soname = LIBRARY.with_name("libpartnerbooking.so.1")
    assert LIBRARY.readlink().name == by_soname.name
    assert by_soname.readlink().name == FILE.name == f"libpartnerbooking.so.{VERSION}"


def test_flags(dynamic_section):
    flags = " ".join(values(dynamic_section, "FLAGS") + values(dynamic_section, "FLAGS_1")).split()
    assert {"BIND_NOW", "NOW", "NODELETE"} <= set(flags)
    program_headers = output_of("readelf", "-lW", FILE)
    assert re.search(r"^ +GNU_RELRO ", program_headers, re.MULTILINE)
    assert re.search(r"^ +GNU_STACK .* RW +0", program_headers, re.MULTILINE), "an executable stack"


def test_has_no_search_path_and_no_text_relocations(dynamic_section):
    for tag in ("RPATH", "RUNPATH", "TEXTREL"):
        assert values(dynamic_section, tag) == []


def test_is_stripped_and_its_debug_file_is_beside_it():
    assert ".dynsym" in sections_of(FILE)
    assert not {".symtab", ".debug_info"} & sections_of(FILE)
    assert {".symtab", ".debug_info"} <= sections_of(f"{FILE}.debug")


def test_debug_file_belongs_to_it():
    def build_id(file: object) -> str:
        return re.search(r"Build ID: (\w+)", output_of("readelf", "-nW", file))[1]

    assert build_id(FILE) == build_id(f"{FILE}.debug")


def test_size():
    assert FILE.stat().st_size <= SIZE_MAX
