"""The reference pages, which Doxygen and DocC make of the sources."""

from __future__ import annotations

import json
import os
import re
import subprocess

import pytest
from header import HEADER, ROOT, VERSION
from pages import DOCS
from programs import run


def test_reference_pages(tmp_path):
    """Doxygen and DocC have nothing to complain about, and no public name of the Swift API is
    without a word."""
    run(ROOT / "packaging" / "build-docs", tmp_path, VERSION=VERSION)
    header = (tmp_path / "html" / "partnerbooking_8h.html").read_text()
    assert "pbk_create_booking" in header and "Note" in header
    symbols = json.loads((tmp_path / "symbols" / "PartnerBooking.symbols.json").read_text())["symbols"]
    ours = [symbol for symbol in symbols if "::SYNTHESIZED::" not in symbol["identifier"]["precise"]]
    assert len(ours) > 150
    assert [".".join(symbol["pathComponents"]) for symbol in ours if "docComment" not in symbol] == []


@pytest.mark.parametrize("word", [" * @param timeout_ms ", " * @return PBK_OK when no call had to be ended,"])
def test_gap_in_the_header_would_be_seen(tmp_path, word):
    assert word in HEADER
    (tmp_path / "include").mkdir()
    (tmp_path / "include" / "partnerbooking.h").write_text(HEADER.replace(word, ""))
    done = subprocess.run(
        ["doxygen", DOCS / "Doxyfile"],
        cwd=tmp_path,
        env={**os.environ, "PBK_VERSION": VERSION, "PBK_DOCS": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0 and "documented" in done.stderr, done.stderr


def test_each_value_has_a_word_about_it():
    """Which Doxygen does not ask for in each of its versions."""
    comment = r" {4}/\*\*(?!<)(?:(?!\*/)[\s\S])*\*/\n"
    values = re.findall(rf"^((?:{comment})?) {{4}}(PBK_\w+) = \d+,?(.*)$", HEADER, re.MULTILINE)
    assert len(values) > 45
    assert [name for before, name, after in values if not before and "/**< " not in after] == []
