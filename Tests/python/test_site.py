"""The site of the pages, which packaging/site.py makes: opened in Chromium, as a file and from a
web server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from browser import Browser
from header import ROOT, VERSION
from pages import CONTRIBUTORS_PAGES, DOCS, anchors

SOURCES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *CONTRIBUTORS_PAGES[:3]]
PATHS = [
    str(source.relative_to(ROOT).with_suffix(".html")).replace("README.html", "index.html") for source in SOURCES
]
pages = pytest.mark.parametrize("path", PATHS)


def make_site(folder: Path, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, root / "packaging" / "site.py", folder]
    environment = {**os.environ, "VERSION": VERSION}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=50, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = make_site(folder)
    assert done.returncode == 0, done.stderr
    return folder


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def served(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    browser.resize(1440, 900)
    yield browser
    browser.close()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Browser]:
    browser.resize(360, 640)
    yield browser
    browser.resize(1440, 900)


# ---- What is written -----------------------------------------------------------------------------


class Html(HTMLParser):
    """The IDs of a page, its links, and those of its sidebar."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.listed: list[str] = []
        self.current: list[str] = []
        self.contents: list[str] = []
        self._nav = ""
        self.feed(file.read_text())

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attributes}
        self.ids += [named["id"]] if "id" in named else []
        self._nav = named["id"] if tag == "nav" else self._nav
        link = named.get("href") or named.get("src")
        if link is None:
            return
        self.links.append(link)
        self.listed += [link] if self._nav == "Pages" else []
        self.contents += [link] if self._nav == "Contents" else []
        self.current += [link] if "aria-current" in named else []

    def handle_endtag(self, tag: str) -> None:
        self._nav = "" if tag == "nav" else self._nav


read = cache(Html)


def dead_links(folder: Path, path: str) -> list[str]:
    dead = []
    for link in read(folder / path).links:
        to, _, anchor = link.partition("#")
        target = ((folder / path).parent / to).resolve() if to else folder / path
        if re.match(r"https?:|data:", link):
            continue
        if folder not in target.parents or not target.is_file() or (anchor and anchor not in read(target).ids):
            dead.append(link)
    return dead


@pages
def test_links_and_anchors_resolve_inside_the_site(site, path):
    assert dead_links(site, path) == []


def test_dead_link_would_be_seen(site, tmp_path):
    (tmp_path / "page.html").write_text('<p id="here"><a href="#here"></a><a href="#there"></a><a href="c.md"></a>')
    assert dead_links(tmp_path, "page.html") == ["#there", "c.md"]


@pytest.mark.parametrize(("source", "path"), zip(SOURCES, PATHS))
def test_anchors_are_githubs(site, source, path):
    ids = read(site / path).ids
    assert anchors(source) <= set(ids) and len(ids) == len(set(ids))


@pages
def test_every_page_is_listed_and_its_headings_are(site, path):
    page = read(site / path)
    folder = (site / path).parent
    listed = [str((folder / link).resolve().relative_to(site)) for link in page.listed]
    assert sorted(listed) == sorted(PATHS)
    assert [str((folder / link).resolve().relative_to(site)) for link in page.current] == [path]
    text = re.sub(r"<pre>.*?</pre>", "", (site / path).read_text(), flags=re.DOTALL)
    assert page.contents == [f"#{anchor}" for anchor in re.findall(r'<h[23] id="([^"]+)"', text)]


def test_groups_are_those_of_the_index(site):
    wanted = re.findall(r"^## (.*)$", (DOCS / "README.md").read_text(), re.MULTILINE)
    nav = (site / "index.html").read_text().split('<nav id="Pages"')[1]
    assert re.findall(r"<h2>(.*?)</h2>", nav) == wanted


def test_files_of_the_repository_are_named_and_not_linked(site):
    assert "<code>examples-c/" in (site / "docs" / "c.html").read_text()


def test_reference_pages_are_linked_where_they_are(tmp_path):
    made = [tmp_path / "html/index.html", tmp_path / "PartnerBooking.doccarchive/documentation/partnerbooking"]
    assert make_site(tmp_path).returncode == 0
    assert "Reference</h2>" not in (tmp_path / "index.html").read_text()
    made[0].parent.mkdir()
    made[0].touch()
    made[1].mkdir(parents=True)
    assert make_site(tmp_path).returncode == 0
    for path in ("index.html", "docs/c.html"):
        links = Html(tmp_path / path).listed[-2:]
        assert [((tmp_path / path).parent / link).resolve() for link in links] == made


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("docs/c.md", "[x](no-such-page.md)", "docs/c.md: no-such-page.md leads to no file"),
        ("docs/c.md", "[x](errors.md#nobody)", "docs/c.md: errors.md#nobody leads to no heading"),
        ("docs/orphan.md", "# Orphan", "docs/orphan.md: docs/README.md does not link it"),
    ],
)
def test_flaw_of_a_page_is_refused(tmp_path, file, text, complaint):
    root = tmp_path / "root"
    shutil.copytree(ROOT / "docs", root / "docs")
    shutil.copytree(ROOT / "packaging", root / "packaging")
    for folder in ("Tests", "bindings", "examples-c", "include"):
        (root / folder).symlink_to(ROOT / folder)
    for page in ROOT.glob("*"):
        if page.is_file():
            shutil.copy(page, root)
    with (root / file).open("a") as page:
        page.write(f"\n\n{text}\n")
    done = make_site(tmp_path / "site", root)
    assert (done.returncode, done.stderr) == (1, f"{complaint}\n")
    assert not (tmp_path / "site").exists()


# ---- In the browser ------------------------------------------------------------------------------


@pages
def test_page_loads_without_a_complaint_and_from_nowhere_else(browser, site, served, path):
    for base in (site.as_uri(), served):
        browser.open(f"{base}/{path}")
        assert browser.complaints == []
        assert [url for url in browser.requests if not url.startswith((f"{base}/", "data:"))] == []
        assert len(browser.requests) >= 3
        assert browser.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")


def test_complaint_would_be_seen(browser, tmp_path):
    (tmp_path / "page.html").write_text('<script>console.error("x"); missing()</script><img src="none.png">')
    browser.open((tmp_path / "page.html").as_uri())
    assert len(browser.complaints) >= 3


OVERFLOW = "document.documentElement.scrollWidth"
"""The width that the page takes. What scrolls within it does not count."""


@pages
def test_nothing_overflows_on_a_phone(phone, site, path):
    phone.open(f"{site.as_uri()}/{path}")
    assert phone.evaluate("innerWidth") == 360
    assert phone.evaluate(OVERFLOW) <= 360


def test_search_has_room_on_a_phone(phone, site):
    phone.open(f"{site.as_uri()}/docs/c.html")
    assert phone.evaluate("document.querySelector('input').clientWidth") > 300
    assert look_for(phone, "journal")
    assert phone.evaluate(OVERFLOW) <= 360
    assert phone.evaluate("document.querySelector('#Results a').getBoundingClientRect().top") > phone.evaluate(
        "document.querySelector('input').getBoundingClientRect().bottom"
    )


def test_overflow_would_be_seen(phone, tmp_path):
    (tmp_path / "page.html").write_text('<meta name="viewport" content="width=device-width"><pre>' + "x" * 200)
    phone.open((tmp_path / "page.html").as_uri())
    assert phone.evaluate(OVERFLOW) > 360


CONTRAST = """(() => {
    const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
    const light = (color) => numbers(color).slice(0, 3).map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (element) => {
        if (!element) return "rgb(255, 255, 255)";
        const color = getComputedStyle(element).backgroundColor;
        return numbers(color)[3] === 0 ? behind(element.parentElement) : color;
    };
    const worst = { ratio: 21, text: "" };
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || element.getClientRects().length === 0) continue;
        const [dark, bright] = [light(getComputedStyle(element).color), light(behind(element))].sort((a, b) => a - b);
        const ratio = (bright + 0.05) / (dark + 0.05);
        if (ratio < worst.ratio) Object.assign(worst, { ratio, text: walker.currentNode.data });
    }
    return worst;
})()"""
"""The least contrast of a text with its background, by WCAG 2."""


@pages
def test_light_and_dark_are_legible(browser, site, path):
    """Every text that is shown: body, links, code in its colours."""
    browser.open(f"{site.as_uri()}/{path}")
    backgrounds = []
    for scheme in ("light", "dark"):
        browser.prefer(scheme)
        worst = browser.evaluate(CONTRAST)
        assert worst["ratio"] >= 4.5, (scheme, worst)
        backgrounds.append(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert backgrounds == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]


def test_faint_text_would_be_seen(browser, tmp_path):
    (tmp_path / "page.html").write_text('<body style="background:#000"><p>a<p style="background:#fff;color:#888">b')
    browser.prefer("light")
    browser.open((tmp_path / "page.html").as_uri())
    assert browser.evaluate(CONTRAST)["ratio"] == 1  # black on black
    browser.evaluate('document.querySelector("p").remove()')
    assert 3.5 < browser.evaluate(CONTRAST)["ratio"] < 3.6


# ---- Search --------------------------------------------------------------------------------------

LINKS = "[...document.querySelectorAll('#Results a')].map((link) => link.href)"
CHOSEN = "document.querySelector('#Results [aria-selected=true] a')?.href"
HAS_FOCUS = "document.activeElement === document.querySelector('input[type=search]')"


def look_for(browser: Browser, words: str) -> list[str]:
    """Types it, from the keyboard alone, and returns the links of what is found."""
    browser.press("/", 191, "/")
    assert browser.evaluate(HAS_FOCUS)
    browser.type(words)
    browser.wait_for("!document.getElementById('Found').hidden && document.querySelector('[role=status]').textContent")
    return browser.evaluate(LINKS)


def enter(browser: Browser) -> None:
    browser.press("Enter", 13, "\r")


TOP = "document.getElementById(decodeURIComponent(location.hash.slice(1))).getBoundingClientRect().top"


@pytest.mark.parametrize("way", ["file", "http"])
@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("codes taken", "docs/errors.html#codes-for-a-slot-that-is-taken"),
        ("security updates", "docs/install.html#security-updates"),
        ("herd outage", "docs/fleet.html#the-herd-after-an-outage"),
        ("pkg-config", "docs/install.html#with-pkg-config"),
        ("update the time zones", "CONTRIBUTING.html#update-the-time-zones"),
    ],
)
def test_search_finds_the_heading_and_goes_there(browser, site, served, way, words, found):
    base = served if way == "http" else site.as_uri()
    browser.open(f"{base}/docs/glossary.html")
    assert look_for(browser, words)[0] == browser.evaluate(CHOSEN) == f"{base}/{found}"
    browser.follow(lambda: enter(browser))
    assert browser.evaluate("location.href") == f"{base}/{found}"
    browser.wait_for(f"scrollY > 0 && {TOP} < innerHeight")
    # The header does not cover it.
    assert browser.evaluate(f"{TOP} >= document.querySelector('header').getBoundingClientRect().bottom")
    assert browser.complaints == []


def test_search_finds_nothing_where_a_word_is_missing(browser, site):
    browser.open(f"{site.as_uri()}/index.html")
    assert look_for(browser, "journal nosuchword") == []
    assert browser.evaluate("document.querySelector('[role=status]').textContent") == "No section has all these words."


def test_arrows_choose_and_escape_closes(browser, site):
    browser.open(f"{site.as_uri()}/index.html")
    links = look_for(browser, "journal")
    assert len(links) > 3
    for scheme in ("light", "dark"):
        browser.prefer(scheme)
        assert browser.evaluate(CONTRAST)["ratio"] >= 4.5
    browser.press("ArrowDown", 40)
    browser.press("ArrowDown", 40)
    browser.press("ArrowUp", 38)
    assert browser.evaluate(CHOSEN) == links[1]
    browser.press("ArrowUp", 38)
    browser.press("ArrowUp", 38)
    assert browser.evaluate(CHOSEN) == links[-1]
    browser.press("Escape", 27)
    assert browser.evaluate("document.getElementById('Found').hidden") and not browser.evaluate(HAS_FOCUS)


def test_result_on_the_same_page_scrolls_to_its_heading(browser, site):
    browser.open(f"{site.as_uri()}/docs/errors.html")
    assert look_for(browser, "codes about the booking")[0].endswith("/docs/errors.html#codes-about-the-booking")
    enter(browser)
    browser.wait_for(f"location.hash && scrollY > 0 && {TOP} < innerHeight")
    assert browser.evaluate("document.getElementById('Found').hidden")


def test_without_scripts_all_but_the_search_is_there(browser, site):
    visible = "(selector) => document.querySelector(selector).getClientRects().length > 0"
    parts = ["main h1", "#Pages a", "#Contents a", "form"]
    shown = f"{parts}.map({visible})"
    browser.open(f"{site.as_uri()}/docs/c.html")
    assert browser.evaluate(shown) == [True, True, True, True]
    browser.allow_scripts(False)
    try:
        browser.open(f"{site.as_uri()}/docs/c.html")
        assert browser.evaluate(shown) == [True, True, True, False]
    finally:
        browser.allow_scripts(True)
