"""The pages: each block on them is compiled and run, sent, or run as a command, each link leads somewhere, and the
reference pages can be made from what is written in the sources."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import pbk
import pytest
from contract import CONTRACT, ERRORS, HEADER, STATUS, VERSION, success
from makefile import targets
from pbk import ROOT
from samples import READS_ONLY, SANDBOX, booking_request
from test_examples import run

DOCS = ROOT / "docs"
CODE_PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), ROOT / "bindings" / "python" / "README.md"]

COMPILED = [
    *(ROOT / "examples-c").glob("*.c*"),  # test_examples.py, test_cpp.py
    ROOT / "Tests" / "c" / "documented.c",
    ROOT / "Tests" / "cpp" / "documented.cpp",
    *(ROOT / "bindings" / "python" / "examples").glob("*.py"),  # package/test_package_install.py
    ROOT / "Tests" / "package" / "documented.swift",  # below
    *(ROOT / "Tests" / "package" / "swift").rglob("*.swift"),
]
"""What is compiled and run, and so may be shown."""

RUN_FROM_THE_PAGE = {
    ("README.md", "make demo"): ("test_pages.py", "test_demo_prints_what_the_readme_shows"),
    ("README.md", "#include <partnerbooking.h>"): ("test_pages.py", "test_c_program_of_the_readme"),
    ("README.md", "cc -Iinclude program.c"): ("test_pages.py", "test_c_program_of_the_readme"),
    ("README.md", "import asyncio"): ("test_pages.py", "test_python_program_of_the_readme"),
    ("docs/cpp.md", "#include <partnerbooking.hpp>"): ("test_cpp.py", "test_first_appointment"),
    ("docs/cpp.md", "c++ -std=c++17 book.cpp -lpartnerbooking -o book"): ("test_cpp.py", "test_first_appointment"),
    ("docs/cpp.md", "cmake_minimum_required(VERSION 3.16)"): ("test_cpp.py", "test_first_appointment_by_cmake"),
    ("docs/cpp.md", "make -C ~/libpartnerbooking install PREFIX=$HOME/.local"): (
        "test_cpp.py",
        "test_first_appointment_by_cmake",
    ),
    ("docs/embedding.md", "access arch_prctl"): ("test_embedding.py", "test_system_calls_are_those_of_the_page"),
    ("docs/install.md", "cmake_minimum_required(VERSION 3.16)"): (
        "test_install.py",
        "test_first_booking_as_the_page_has_it",
    ),
    ("docs/install.md", "make -C libpartnerbooking install PREFIX=$HOME/partnerbooking"): (
        "test_install.py",
        "test_first_booking_as_the_page_has_it",
    ),
    ("docs/install.md", "man -M $HOME/partnerbooking/share/man pbk_create_booking"): (
        "test_install.py",
        "test_the_rest_as_the_page_has_it",
    ),
    ("docs/install.md", "make -C libpartnerbooking uninstall PREFIX=$HOME/partnerbooking"): (
        "test_install.py",
        "test_the_rest_as_the_page_has_it",
    ),
    ("docs/journal.md", "pbk2"): ("test_docs.py", "test_line_of_the_journal"),
    ("docs/python.md", "make wheel"): ("package/test_package_install.py", "test_newcomers_path"),
    ("docs/python.md", "export PARTNER_API_KEY=sk_ptnr_..."): (
        "package/test_package_install.py",
        "test_commands_of_the_page_are_understood",
    ),
    ("docs/python.md", "library"): ("package/test_package_cli.py", "test_doctor_says_what_the_page_shows"),
    ("docs/swift.md", "bkg_"): ("test_docs.py", "test_swift_program_of_the_page"),
    ("bindings/python/README.md", "import partnerbooking as pb"): (
        "package/test_package_install.py",
        "test_the_packages_own_readme",
    ),
}
"""Blocks that a test takes from the page and runs: the page, how the block begins, and that test."""

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


def entry(table: dict[tuple[str, str], Any], block: Block) -> Any:
    for (page, beginning), value in table.items():
        if block.page == page and block.text.startswith(beginning):
            return value
    return None


def stands_in(lines: list[str], file: Path) -> bool:
    """Line after line, as a whole further in or out, and with its own indentation."""
    wanted = [line.rstrip() for line in textwrap.dedent("\n".join(lines)).splitlines()]
    there = [line.rstrip() for line in file.read_text().splitlines()]
    for start in range(len(there) - len(wanted) + 1):
        if there[start].strip() == wanted[0].strip():
            part = textwrap.dedent("\n".join(there[start : start + len(wanted)])).splitlines()
            if part == wanted:
                return True
    return False


def is_accounted_for(block: Block) -> bool:
    kind = block.info.split()[0] if block.info else ""
    if kind == "json" and block.page == "docs/json-contract.md":
        return True  # test_contract.py has all of them
    if kind == "json":
        return block.info == "json config" or json.loads(block.text) in EXAMPLES_OF_THE_CONTRACT
    if entry(RUN_FROM_THE_PAGE, block):
        return True
    return any(stands_in(block.text.splitlines(), file) for file in COMPILED)


EXAMPLES_OF_THE_CONTRACT = [
    json.loads(text) for text in re.findall(r"^```json[^\n]*\n(.*?)\n```$", CONTRACT, re.MULTILINE | re.DOTALL)
]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_block_is_accounted_for(block):
    assert is_accounted_for(block), block.text


def test_what_is_not_accounted_for_is_seen():
    shown = next(block for block in BLOCKS if block.info == "c" and not entry(RUN_FROM_THE_PAGE, block))
    renamed, moved = shown.text.replace("pbk_", "pbx_", 1), shown.text.replace("    ", "  ")
    for text in (f"{shown.text}x();\n", renamed, moved, "x();\n"):
        assert not is_accounted_for(shown._replace(text=text))
    assert not is_accounted_for(Block("README.md", "json", '{"found":7}'))
    assert not is_accounted_for(Block("README.md", "sh", "rm -rf /\n"))


def test_tables_name_blocks_and_tests_that_are_there():
    for page, beginning in RUN_FROM_THE_PAGE:
        assert any(block.page == page and block.text.startswith(beginning) for block in BLOCKS), (page, beginning)
    for file, name in RUN_FROM_THE_PAGE.values():
        assert f"\ndef {name}(" in (Path(__file__).parent / file).read_text(), (file, name)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.info == "json config"], ids=str)
def test_configuration_opens(block):
    """Those of docs/json-contract.md are test_contract.py's, too."""
    pbk.Client(block.text).close()


# ---- Blocks that are run from the page ------------------------------------------------------------------------------


def test_line_of_the_journal():
    [block] = blocks_of(DOCS / "journal.md")
    word, digest, record = block.text.strip().split(" ", 2)
    assert word == "pbk2" and digest == hashlib.sha256(record.encode()).hexdigest()[:16]


# ---- Swift ----------------------------------------------------------------------------------------------------------

BUILT = ROOT / ".build" / "debug"
"""Where `swift build` has left the package. To build it once more for a consumer takes longer than all of this."""


def swiftc(program: Path, *sources: Path) -> None:
    modules = [BUILT / name for name in ("PartnerBooking.build", "CCurl.build", "CSystem.build")]
    assert all(module.is_dir() for module in modules), "run `make build-swift-tests` first"
    objects = [file for module in modules for file in module.glob("*.o")]
    maps = [word for module in modules[1:] for word in ("-Xcc", f"-fmodule-map-file={module / 'module.modulemap'}")]
    strict = ["-swift-version", "6", "-warnings-as-errors", "-parse-as-library", "-module-name", program.name]
    run("swiftc", *strict, "-I", BUILT / "Modules", *maps, *sources, *objects, "-lcurl", "-o", program)


def test_swift_program_of_the_page(tmp_path):
    """Its sources, compiled as a package of somebody else's would be: what is not public is not there."""
    swiftc(tmp_path / "book", *(ROOT / "Tests" / "package" / "swift" / "Sources" / "book").glob("*.swift"))
    [shown] = [block.text for block in BLOCKS if block.page == "docs/swift.md" and block.text.startswith("bkg_")]

    def without_chance(output: str) -> str:
        return re.sub(r"[\d.e-]+ seconds", "0 seconds", re.sub(r"bkg_\w+", "bkg_x", output))

    assert without_chance(run(tmp_path / "book")) == without_chance(shown)


def test_swift_package_of_the_page(tmp_path):
    """The library is found beside it, and has the product that is asked for."""
    (tmp_path / "libpartnerbooking").symlink_to(ROOT)
    manifest = (ROOT / "Tests" / "package" / "swift" / "Package.swift").read_text()
    for name, product in [("book", "PartnerBooking"), ("wrong", "NoSuchProduct")]:
        (tmp_path / name / "Sources" / "book").mkdir(parents=True)
        (tmp_path / name / "Sources" / "book" / "Book.swift").touch()
        (tmp_path / name / "Package.swift").write_text(manifest.replace('"PartnerBooking"', f'"{product}"'))
    assert "libpartnerbooking" in run("swift", "package", "--package-path", tmp_path / "book", "show-dependencies")
    refusal = run("swift", "package", "--package-path", tmp_path / "wrong", "show-dependencies", expect=1)
    assert "'NoSuchProduct'" in refusal


def test_swift_is_typed_outside_the_section_on_json():
    before, rest = (DOCS / "swift.md").read_text().split("\n## JSON", 1)
    typed = before + rest.split("\n## ", 1)[1]
    assert '{"' not in typed and ".rawValue" not in typed


def test_swift_pieces_of_the_page(tmp_path):
    swiftc(tmp_path / "documented", ROOT / "Tests" / "package" / "documented.swift")
    assert "WRONG" not in run(tmp_path / "documented", tmp_path / "journal")


# ---- The JSON contract: what test_contract.py does not look at -------------------------------------------------------


def shape(value: Any) -> Any:
    """Names and types."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return "text or null" if value is None or isinstance(value, str) else type(value).__name__


def test_example_of_pending_bookings_is_what_a_doubt_gives(open_client, tmp_path):
    documented = next(example for example in EXAMPLES_OF_THE_CONTRACT if "pending_bookings" in example)
    sandbox = SANDBOX["sandbox"] | {"faults": [{"fault": "lose_reply"}]}
    members = {"retry": {"max_attempts": 1}, "journal_path": str(tmp_path / "journal")}
    client = open_client(SANDBOX | {"sandbox": sandbox}, **members, **READS_ONLY)
    client.book(booking_request(timeout_ms=1000, conversation="call-7"))
    assert shape(success(client.pending_bookings())) == shape(documented)


def test_example_of_the_sandboxs_bookings_is_what_a_booking_gives(open_client):
    documented = next(example for example in EXAMPLES_OF_THE_CONTRACT if "bookings" in example)
    client = open_client(SANDBOX)
    success(client.book(booking_request()))
    assert shape(success(client.sandbox_bookings())) == shape(documented)


def names_between(text: str, start: str, end: str) -> set[str]:
    """What stands in quotes there."""
    return set(re.findall(r'"(\w+)"', text.split(start, 1)[1].split(end, 1)[0]))


def members_of_the_configuration() -> set[str]:
    """Those that the JSON reader knows, of the sandbox and its faults as well."""
    sources = ROOT / "Sources" / "PartnerBooking"
    read = set()
    for file in (sources / "Configuration").glob("*.swift"):
        lists = re.findall(r"(?:refuseMembers\(\s*except: |let members = )\[(.*?)\]", file.read_text(), re.DOTALL)
        read |= {name for members in lists for name in re.findall(r'"(\w+)"', members)}
    return read


def test_typed_configuration_has_every_member():
    """What the reader knows, the typed configuration of Swift writes, and nothing else."""
    folder = ROOT / "Sources" / "PartnerBooking" / "TypedAPI"
    text = (folder / "ClientConfiguration+JSON.swift").read_text()
    written = set(re.findall(r'\b(?:member|object|array)\("(\w+)"', text))
    assert written == members_of_the_configuration()


def test_contract_names_every_member_that_the_sources_read_and_write():
    """One that is added has to be on the page as well. That those on the page are there is test_contract.py's."""
    sources = ROOT / "Sources" / "PartnerBooking"
    documented = set()
    for line in CONTRACT.splitlines():
        if line.startswith("| `"):
            documented |= {name for cell in re.findall(r"`([\w.]+)`", line.split("|")[1]) for name in cell.split(".")}
    request = (sources / "Request" / "Request.swift").read_text()
    read = members_of_the_configuration() | names_between(request, "private static func ownMembers", "\n    }\n")
    written = set()
    for file, start in [
        ("Contract/PartnerBookingError+JSON.swift", 'reply.object("error")'),
        ("Contract/CallTiming.swift", "func write("),
        ("Ledger/PendingBooking+JSON.swift", "func write("),
    ]:
        text = (sources / file).read_text().split(start, 1)[1]
        written |= set(re.findall(r'\b(?:member|object|array)\("(\w+)"', text))
    assert len(read) > 40 and len(written) > 30
    assert (read | written) - documented == set()


# ---- Links ----------------------------------------------------------------------------------------------------------

CONTRIBUTORS_PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "Tests" / "README.md"]
LINKED_PAGES = [*CODE_PAGES, *CONTRIBUTORS_PAGES, ROOT / "CHANGELOG.md"]


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = [re.sub(r"[`*]|\]\(.*?\)|\[", "", heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links_of(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"\]\(([^)\s]+)\)", text)


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


# ---- Pages for contributors -----------------------------------------------------------------------------------------

PAGES_ABOUT_THE_TREE = [
    *CONTRIBUTORS_PAGES,
    DOCS / "architecture.md",
    DOCS / "benchmarks.md",
    DOCS / "testing.md",
]


def code_of(page: Path) -> list[str]:
    """What stands in backquotes, and the lines of blocks of commands."""
    text = page.read_text()
    commands = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    return spans + [line.partition(" #")[0] for block in commands for line in block.splitlines()]


def missing_paths(page: Path) -> set[str]:
    """Paths may begin at the top of the repository or at the page. What a build makes is not looked for."""
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


# ---- The reference pages --------------------------------------------------------------------------------------------


def test_reference_pages(tmp_path):
    """Doxygen and DocC have nothing to complain about, and no public name of the Swift API is without a word."""
    run(ROOT / "packaging" / "build-docs", tmp_path, VERSION=VERSION)
    header = (tmp_path / "html" / "partnerbooking_8h.html").read_text()
    assert "pbk_create_booking" in header and "Remarks" in header
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


@pytest.mark.parametrize("name", ["embedding.md", "operations.md"])
def test_guides_name_nothing_that_is_not_there(name):
    """Members, codes and functions, by the pages and the header that define them."""
    defined = CONTRACT + ERRORS + HEADER
    text = re.sub(r"^```.*?^```$", "", (DOCS / name).read_text(), flags=re.MULTILINE | re.DOTALL)
    named = {word for code in re.findall(r"`([^`]+)`", text) for word in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", code)}
    of_others = {"curl_global_init", "clock_nanosleep", "epoll_wait", "boot_id"}
    statuses = {name.lower() for name in STATUS}
    tests = {file.stem for file in (ROOT / "Tests").rglob("*.*")}
    missing = {word for word in named - of_others - statuses - tests if not re.search(rf"\b{word}\b", defined)}
    assert len(named) > 15 and missing == set()


def test_each_status_has_an_alert_or_tells_of_no_trouble():
    alerts = (DOCS / "operations.md").read_text().split("## What to alert on", 1)[1].split("\n## ", 1)[0]
    named = set(re.findall(r"`(\w+)`", alerts))
    no_trouble = {"ok", "client_closed", "cancelled", "slot_unavailable"}
    at_the_start = {"invalid_config"}
    assert {name.lower() for name in STATUS} - named == no_trouble | at_the_start
