"""Links on the pages lead somewhere, and what the pages name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from contract import CONTRACT, ERRORS
from header import HEADER, ROOT, STATUS
from makefile import targets
from pages import CODE_PAGES, CONTRIBUTORS_PAGES, DOCS, anchors, code_of, links_of

# ---- Links ---------------------------------------------------------------------------------------

LINKED_PAGES = [*CODE_PAGES, *CONTRIBUTORS_PAGES, ROOT / "CHANGELOG.md"]


def leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    return target.exists() and ROOT in target.parents and (not anchor or anchor in anchors(target))


@pytest.mark.parametrize("page", LINKED_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = [link for link in links_of(page) if not re.match(r"https?:", link)]
    assert [link for link in links if not leads_somewhere(page, link)] == []


def test_link_that_leads_nowhere_would_be_seen():
    page = DOCS / "errors.md"
    assert leads_somewhere(page, "errors.md#when-the-service-answers")
    assert not leads_somewhere(page, "errors.md#when-nobody-answers")
    assert not leads_somewhere(page, "no-such-page.md")


def test_index_has_every_page():
    assert {page.name for page in DOCS.glob("*.md")} - {"README.md"} <= set(links_of(DOCS / "README.md"))


def missing_members(page: str, source: str) -> list[str]:
    """The `Type.member` of a page whose type is in the Swift source, and whose member is not."""
    named = set(re.findall(r"`([A-Z]\w+)\.(?!swift)(\w+)", page))
    types = set(re.findall(r"\b(?:struct|class|enum|protocol|actor|extension) (\w+)", source))
    members = set(re.findall(r"\b(?:func|var|let|case|struct|class|enum|init|typealias) (\w+)", source))
    members |= {name for line in re.findall(r"\bcase ([\w, ]+)", source) for name in re.split(r",\s*", line)}
    return sorted(f"{kind}.{member}" for kind, member in named if kind in types and member not in members | types)


def test_swift_members_that_pages_name_are_there():
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "Sources").rglob("*.swift"))
    for page in CODE_PAGES:
        assert (page.name, missing_members(page.read_text(encoding="utf-8"), source)) == (page.name, [])
    page = "`CurlSockets.use`, `CurlSockets.noSuchMember()`, `Nobody.knows` and `PartnerBookingError.Code`"
    assert missing_members(page, source) == ["CurlSockets.noSuchMember"]


def test_pages_that_sources_name_are_there():
    folders = ("include", "Sources", "bindings/python", "examples-c")
    sources = [file for folder in folders for file in (ROOT / folder).rglob("*")]
    named = {
        (str(file.relative_to(ROOT)), name)
        for file in sources
        if file.suffix in (".h", ".hpp", ".swift", ".py", ".c", ".cpp")
        for name in re.findall(r"\bdocs/([\w-]+\.md)", file.read_text())
    }
    assert len(named) > 10
    assert {(file, name) for file, name in named if not (DOCS / name).exists()} == set()


# ---- Pages for contributors ----------------------------------------------------------------------

PAGES_ABOUT_THE_TREE = [
    *CONTRIBUTORS_PAGES,
    DOCS / "architecture.md",
    DOCS / "benchmarks.md",
    DOCS / "testing.md",
]


def missing_paths(page: Path) -> set[str]:
    """Paths may begin at the top of the repository or at the page. What a build makes is not looked
    for."""
    paths = {word for code in code_of(page) for word in code.split() if re.fullmatch(r"[\w.-]+/[\w./-]*", word)}
    made = {path for path in paths if path.startswith(("build/", ".venv/", "../../build/"))}
    return {path for path in paths - made if not ((ROOT / path).exists() or (page.parent / path).exists())}


def missing_targets(page: Path) -> set[str]:
    named = {name for code in code_of(page) for name in re.findall(r"^make ([a-z][a-z-]*)", code)}
    return named - targets()


def missing_types(page: Path) -> set[str]:
    sources = [file.read_text() for top in ("Sources", "Tests") for file in (ROOT / top).rglob("*.swift")]
    declared = set(re.findall(r"\b(?:struct|class|enum|protocol|typealias) (\w+)", "\n".join(sources)))
    text = page.read_text()
    named = {name for name in re.findall(r"`([A-Z][a-z]\w*[a-z])(?:\.\w+)?`", text)}
    targets_and_folders = {file.name for file in (ROOT / "Sources").rglob("*") if file.is_dir()}
    return named - declared - targets_and_folders


@pytest.mark.parametrize("page", PAGES_ABOUT_THE_TREE, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_about_the_tree_names_what_is_there(page):
    assert (missing_paths(page), missing_targets(page)) == (set(), set())
    assert max(map(len, page.read_text().splitlines())) <= 100


def test_types_of_the_architecture_are_there():
    assert missing_types(DOCS / "architecture.md") == set()


def test_wrong_name_would_be_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("`Tests/nowhere/`, `make nothing`, `NoSuchType.go` and `Exchange`\n```sh\nmake none  # x\n```\n")
    assert (missing_paths(page), missing_targets(page)) == ({"Tests/nowhere/"}, {"nothing", "none"})
    assert missing_types(page) == {"NoSuchType"}


# ---- Guides --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["embedding.md", "operations.md"])
def test_guides_name_nothing_that_is_not_there(name):
    """Members, codes and functions, by the pages and the header that define them."""
    defined = CONTRACT + ERRORS + HEADER
    text = re.sub(r"^```.*?^```$", "", (DOCS / name).read_text(), flags=re.MULTILINE | re.DOTALL)
    named = {word for code in re.findall(r"`([^`]+)`", text) for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", code)}
    of_others = {
        "boot_id",
        "clock_gettime",
        "clock_nanosleep",
        "curl_global_init",
        "epoll_wait",
        "rt_sigtimedwait",
    }
    statuses = {name.lower() for name in STATUS}
    tests = {file.stem for file in (ROOT / "Tests").rglob("*.*")}
    missing = {word for word in named - of_others - statuses - tests if not re.search(rf"\b{word}\b", defined)}
    assert len(named) > 15 and missing == set()
