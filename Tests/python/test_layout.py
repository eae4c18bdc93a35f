"""How the tests are laid out: helpers stand in files of their own, and a file has one concern."""

from __future__ import annotations

import re
from pathlib import Path

from header import ROOT
from order import LONGEST_FIRST

TESTS = ROOT / "Tests"
FILES = sorted(TESTS.rglob("*.py"))
TEST_FILES = [file for file in FILES if file.name.startswith("test_")]


def imports_of_tests(text: str) -> list[str]:
    return re.findall(r"^ *(?:from|import) (test_\w+)", text, re.MULTILINE)


def suites_of(text: str) -> int:
    return len(re.findall(r"^@Suite\b", text, re.MULTILINE))


def test_no_file_imports_a_test_file():
    found = {file.name: imports_of_tests(file.read_text()) for file in FILES}
    assert {name: imported for name, imported in found.items() if imported} == {}


def test_no_test_file_is_too_long_to_read():
    lengths = {file.name: len(file.read_text().splitlines()) for file in TEST_FILES}
    assert len(lengths) > 80
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_each_swift_file_has_one_suite():
    files = sorted((TESTS / "PartnerBookingTests").rglob("*.swift"))
    counts = {str(file.relative_to(TESTS)): suites_of(file.read_text()) for file in files}
    assert sum(counts.values()) > 100
    assert {name: count for name, count in counts.items() if count > 1} == {}
    assert {name for name, count in counts.items() if count and "/Support/" in name} == set()


def test_the_longest_files_are_there():
    assert set(LONGEST_FIRST) - {file.name for file in TEST_FILES} == set()


def test_what_is_laid_out_otherwise_would_be_seen():
    assert imports_of_tests("import re\nfrom test_abi import GARBAGE\n    import test_docs\n") == [
        "test_abi",
        "test_docs",
    ]
    assert suites_of("@Suite struct ATests {\n}\n\n@Suite(.serialized) struct BTests {\n}\n") == 2
    assert Path(__file__) in TEST_FILES
