"""The pages of this repository, and the blocks and pieces of code on them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from header import ROOT

DOCS = ROOT / "docs"
CODE_PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), ROOT / "bindings" / "python" / "README.md"]
CONTRIBUTORS_PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "Tests" / "README.md"]
CONTRIBUTORS_PAGES += [ROOT / "packaging" / "monitoring" / "README.md"]


class Block(NamedTuple):
    page: str
    info: str
    text: str

    @property
    def first_line(self) -> str:
        return self.text.split("\n", 1)[0]

    def __str__(self) -> str:
        return f"{self.page}: {self.first_line[:40]}"


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text()
    found = re.findall(r"^```(.*)\n((?:.*\n)*?)```$", text, re.MULTILINE)
    assert 2 * len(found) == len(re.findall(r"^\s*(?:```|~~~)", text, re.MULTILINE)), f"an odd fence in {page}"
    return [Block(str(page.relative_to(ROOT)), info, block) for info, block in found]


BLOCKS = [block for page in CODE_PAGES for block in blocks_of(page)]


def links_of(page: Path) -> list[str]:
    """Where the links lead that are not in blocks of code."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = [re.sub(r"[`*]|\]\(.*?\)|\[", "", heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def code_of(page: Path) -> list[str]:
    """What stands in backquotes, and the lines of blocks of commands."""
    text = page.read_text()
    commands = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    return spans + [line.partition(" #")[0] for block in commands for line in block.splitlines()]
