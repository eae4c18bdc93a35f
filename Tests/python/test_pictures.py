"""The pictures of docs/pictures: the script draws them again, and anybody can read them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from header import ROOT
from pages import CODE_PAGES, DOCS

SCRIPT = ROOT / "scripts" / "pictures.py"
FILES = sorted((DOCS / "pictures").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


def is_current(script, *, expect: int) -> None:
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (expect, "")


def test_files_are_what_the_script_draws(tmp_path):
    is_current(SCRIPT, expect=0)
    (tmp_path / "scripts").mkdir()
    copy = shutil.copy(SCRIPT, tmp_path / "scripts")
    is_current(copy, expect=1)
    shutil.copytree(DOCS / "pictures", tmp_path / "docs" / "pictures")
    is_current(copy, expect=0)
    changed = tmp_path / "docs" / "pictures" / FILES[0].name
    changed.write_text(changed.read_text().replace("</svg>", "<g/></svg>"))
    is_current(copy, expect=1)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_picture_can_be_read(file):
    """By people on light and dark pages, by screen readers, and without a font of its own."""
    text = file.read_text()
    svg = ElementTree.fromstring(text)
    assert svg[0].tag == f"{SVG}title" and svg[0].text
    assert svg[1].tag == f"{SVG}desc" and len(svg[1].text) > 100
    sizes = [int(size) for size in re.findall(r"(\d+)px", text)]
    assert sizes and min(sizes) >= 13
    assert "@media (prefers-color-scheme: dark)" in text
    assert not re.search(r"@import|@font-face|url\(|href", text)


def test_each_picture_is_on_a_page_with_a_text_in_its_place():
    shown = dict(
        (name, words)
        for page in CODE_PAGES
        for words, name in re.findall(r"!\[([^\]]*)\]\(pictures/([\w-]+\.svg)\)", page.read_text())
    )
    assert len(FILES) > 3
    assert set(shown) == {file.name for file in FILES}
    assert min(len(words) for words in shown.values()) > 20
