#!/usr/bin/env python3
"""Makes a web site of the pages, which needs no server. `make docs` calls it:

    packaging/site.py FOLDER

README.md becomes FOLDER/index.html, docs/c.md becomes FOLDER/docs/c.html, and so on: links and
pictures keep their relative paths. The site has the pages of docs/ and those that docs/README.md
links, in the groups of that page. If packaging/build-docs has left its pages in FOLDER, each page
links them. A link to a page or heading that is missing is an error. Variable: VERSION. """

from __future__ import annotations

import html
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

ROOT = Path(__file__).resolve().parent.parent
ASSETS = Path(__file__).resolve().parent / "site"
NAME = "libpartnerbooking"
FRONT = "README.md"
INDEX = "docs/README.md"
REFERENCES = {
    "C ABI": "html/index.html",
    "Swift API (from a web server)": "PartnerBooking.doccarchive/documentation/partnerbooking/",
}
"""The pages of packaging/build-docs. Those of DocC fetch their text, which a file may not."""


@dataclass
class Section:
    """A heading, and what stands below it up to the next one."""

    level: int
    anchor: str
    heading: str
    text: list[str] = field(default_factory=list)


@dataclass
class Page:
    source: str
    tokens: list[Token]
    sections: list[Section]

    @property
    def path(self) -> str:
        """Where it is in the site."""
        path = PurePosixPath(self.source)
        return str(path.with_name("index.html") if path.name == "README.md" else path.with_suffix(".html"))

    @property
    def title(self) -> str:
        return self.sections[0].heading

    @property
    def root(self) -> str:
        """The way from this page to the top of the site."""
        return "../" * (len(PurePosixPath(self.path).parts) - 1)


# ---- Reading -------------------------------------------------------------------------------------


def highlighted(code: str, language: str, _: str) -> str:
    try:
        inner = highlight(code, get_lexer_by_name(language), HtmlFormatter(nowrap=True))
    except ClassNotFound:
        inner = html.escape(code)
    return f"<pre><code>{inner}</code></pre>\n"


MARKDOWN = MarkdownIt("commonmark", {"html": False, "highlight": highlighted}).enable("table")
# On a phone a table scrolls, and not the page.
MARKDOWN.add_render_rule("table_open", lambda *_: '<div class="table"><table>\n')
MARKDOWN.add_render_rule("table_close", lambda *_: "</table></div>\n")


def plain(inline: Token) -> str:
    """Returns the text without its form."""
    breaks = ("softbreak", "hardbreak")
    return "".join(" " if child.type in breaks else child.content for child in inline.children or [])


def anchor_of(heading: str, taken: set[str]) -> str:
    """Returns the anchor that GitHub gives a heading, since the pages link to that."""
    first = anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    count = 0
    while anchor in taken:
        count += 1
        anchor = f"{first}-{count}"
    taken.add(anchor)
    return anchor


def read(source: str) -> Page:
    tokens = MARKDOWN.parse((ROOT / source).read_text())
    sections: list[Section] = []
    taken: set[str] = set()
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = plain(tokens[number + 1])
            sections.append(Section(int(token.tag[1]), anchor_of(heading, taken), heading))
            token.attrSet("id", sections[-1].anchor)
        elif token.type == "inline" and tokens[number - 1].type != "heading_open":
            sections[-1].text.append(plain(token))
        elif token.type == "fence":
            sections[-1].text.append(token.content)
    return Page(source, tokens, sections)


def target_of(page: Page, link: str) -> str:
    """Returns the path in the repository that a relative link of a page leads to."""
    return os.path.normpath(PurePosixPath(page.source).parent / link) if link else page.source


def groups_of(index: Page) -> dict[str, list[str]]:
    """Returns the pages that the index links, by its headings."""
    groups: dict[str, list[str]] = {"": [FRONT, INDEX]}
    group = ""
    for number, token in enumerate(index.tokens):
        if token.type == "heading_open" and token.tag == "h2":
            group = plain(index.tokens[number + 1])
            groups[group] = []
        for child in token.children or []:
            link = str(child.attrGet("href") or "").partition("#")[0]
            target = target_of(index, link)
            if link.endswith(".md") and not any(target in sources for sources in groups.values()):
                groups[group].append(target)
    return groups


# ---- Links ---------------------------------------------------------------------------------------


def link_tokens(inline: Token) -> Iterator[tuple[int, int]]:
    """Yields the beginning and the end of each link, from the last one to the first."""
    children = inline.children or []
    begins = [number for number, child in enumerate(children) if child.type == "link_open"]
    ends = [number for number, child in enumerate(children) if child.type == "link_close"]
    yield from reversed(list(zip(begins, ends)))


def named(path: str, inner: list[Token]) -> list[Token]:
    """Returns the words of a link to a file that is not in the site, with the file's path in place
    of the link."""
    shown = [Token("code_inline", "code", 0, content=path)]
    if "".join(token.content for token in inner) in (path, PurePosixPath(path).name):
        return shown
    return [*inner, Token("text", "", 0, content=" ("), *shown, Token("text", "", 0, content=")")]


def follow_links(page: Page, pages: dict[str, Page]) -> list[str]:
    """Makes links to pages lead into the site, and returns those that lead nowhere."""
    dead = []
    for token in page.tokens:
        for begin, end in link_tokens(token):
            children = token.children or []
            link = str(children[begin].attrGet("href"))
            path, _, anchor = link.partition("#")
            target = target_of(page, path)
            if re.match(r"[a-z]+:", link):
                continue
            if target in pages:
                other = pages[target]
                there = "" if other is page else os.path.relpath(other.path, PurePosixPath(page.path).parent)
                children[begin].attrSet("href", there + (f"#{anchor}" if anchor else ""))
                if anchor and anchor not in {section.anchor for section in other.sections}:
                    dead.append(f"{page.source}: {link} leads to no heading")
            elif (ROOT / target).exists():
                children[begin : end + 1] = named(target, children[begin + 1 : end])
            else:
                dead.append(f"{page.source}: {link} leads to no file")
    return dead


def pictures_of(page: Page) -> set[str]:
    images = [child for token in page.tokens for child in token.children or [] if child.type == "image"]
    return {target_of(page, str(image.attrGet("src"))) for image in images}


# ---- Writing -------------------------------------------------------------------------------------


def links(entries: list[tuple[str, str, str]]) -> str:
    """Returns a list of links: the target, the text, other attributes."""
    items = [f'<li><a href="{html.escape(to)}"{more}>{html.escape(text)}</a></li>' for to, text, more in entries]
    return "<ul>\n" + "\n".join(items) + "\n</ul>\n"


def sidebar(page: Page, pages: dict[str, Page], groups: dict[str, list[str]], folder: Path) -> str:
    parts = []
    for group, sources in groups.items():
        entries = []
        for source in sources:
            current = ' aria-current="page"' if source == page.source else ""
            entries.append((page.root + pages[source].path, pages[source].title, current))
        parts.append((f"<h2>{html.escape(group)}</h2>\n" if group else "") + links(entries))
    made = [(page.root + path, name, "") for name, path in REFERENCES.items() if (folder / path).exists()]
    return "".join(parts) + (f"<h2>Reference</h2>\n{links(made)}" if made else "")


def contents(page: Page) -> str:
    entries = [
        (f"#{section.anchor}", section.heading, f' class="level-{section.level}"')
        for section in page.sections
        if section.level in (2, 3)
    ]
    return f"<details open>\n<summary>On this page</summary>\n{links(entries)}</details>\n" if entries else ""


def document(page: Page, pages: dict[str, Page], groups: dict[str, list[str]], folder: Path) -> str:
    """Returns the whole page. The frame's own IDs are upper case: those of headings never are."""
    values = {
        "root": page.root,
        "title": html.escape(page.title if page.source == FRONT else f"{page.title} · {NAME}"),
        "name": NAME,
        "version": html.escape(os.environ.get("VERSION", "")),
        "contents": contents(page),
        "text": MARKDOWN.renderer.render(page.tokens, MARKDOWN.options, {}),
        "pages": sidebar(page, pages, groups, folder),
    }
    frame = (ASSETS / "page.html").read_text()
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], frame)


def search_index(pages: dict[str, Page]) -> str:
    """Returns a script, and not JSON: a page that was opened as a file may not fetch."""
    rows = [
        [page.path, section.anchor, page.title, section.heading, " ".join(" ".join(section.text).split())]
        for page in pages.values()
        for section in page.sections
    ]
    return f"window.searchIndex = {json.dumps(rows, ensure_ascii=False, separators=(',', ':'))};\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def main(folder: Path) -> None:
    groups = groups_of(read(INDEX))
    pages = {source: read(source) for sources in groups.values() for source in sources}
    complaints = [
        f"docs/{file.name}: {INDEX} does not link it"
        for file in sorted((ROOT / "docs").glob("*.md"))
        if f"docs/{file.name}" not in pages
    ]
    for page in pages.values():
        complaints += follow_links(page, pages)
    if complaints:
        sys.exit("\n".join(complaints))

    for page in pages.values():
        write(folder / page.path, document(page, pages, groups, folder))
    for picture in {picture for page in pages.values() for picture in pictures_of(page)}:
        (folder / picture).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / picture, folder / picture)
    for name in ("site.css", "site.js"):
        shutil.copy(ASSETS / name, folder / name)
    write(folder / "search-index.js", search_index(pages))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
