"""How the pages read: their length and width, the first page against what its commands print, the
glossary."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from header import ROOT
from makefile import targets
from pages import BLOCKS, CODE_PAGES, CONTRIBUTORS_PAGES, DOCS, code_of
from pbk import LIBRARY
from programs import WARNINGS, run
from sentences import MOST_WORDS, long_sentences, paragraphs_of_header, paragraphs_of_page

README = ROOT / "README.md"
CC = os.environ.get("CC", "cc")
WIDTH = 100

PAGES = sorted({*CODE_PAGES, *CONTRIBUTORS_PAGES, ROOT / "CHANGELOG.md"})


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


# ---- Length and width ----------------------------------------------------------------------------


def prose(text: str) -> list[str]:
    """The lines outside of blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL).splitlines()


def too_wide(text: str) -> list[str]:
    """A link or a piece of code alone cannot be broken. A table can: it can be a list."""
    items = re.compile(r"\s*(?:[-*>] |\d+\. )?")
    return [line for line in prose(text) if len(line) > WIDTH and " " in line[items.match(line).end() :]]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_prose_is_narrow(page):
    assert too_wide(page.read_text()) == []


def test_wide_line_would_be_seen():
    wide = "word " * 20 + "word."
    assert too_wide(f"{wide}\n| {wide} |\n- {wide}\n") == [wide, f"| {wide} |", f"- {wide}"]
    assert too_wide(f"{wide[:WIDTH]}\n```c\n{wide}\n```\n- [link](https://example.com/{'x' * WIDTH})\n") == []


HEADERS = sorted((ROOT / "include").rglob("*.h*"))
HEADER_WIDTH = 90


@pytest.mark.parametrize("header", HEADERS, ids=name)
def test_header_is_narrow(header):
    assert len(HEADERS) > 8
    assert [line for line in header.read_text().splitlines() if len(line) > HEADER_WIDTH] == []


# ---- Sentences -----------------------------------------------------------------------------------

FIRST_STEPS = [README, *(DOCS / f"{name}.md" for name in ("c", "cpp", "python", "swift", "install"))]


@pytest.mark.parametrize("page", FIRST_STEPS, ids=name)
def test_sentences_of_the_first_pages_are_short(page):
    assert long_sentences(paragraphs_of_page(page.read_text())) == []


@pytest.mark.parametrize("header", HEADERS, ids=name)
def test_sentences_of_the_headers_are_short(header):
    assert long_sentences(paragraphs_of_header(header.read_text())) == []


SHORT, LONG = (" ".join(["word"] * count) for count in (MOST_WORDS, MOST_WORDS + 1))


def test_long_sentence_of_a_page_would_be_seen():
    planted = f"{LONG}.\n\nA. {LONG}! B.\n- {LONG}\n\n| a | {LONG} |\n\n# {LONG}\n\n{LONG.replace(' ', chr(10))}\n"
    assert long_sentences(paragraphs_of_page(planted)) == [LONG] * 6
    assert long_sentences(paragraphs_of_page(f"{SHORT[:-5]}: {SHORT}.\n")) != [], "a colon ends no sentence"
    harmless = f"{SHORT}. {SHORT}\n- {SHORT}\n- {SHORT}\n\n```text\n{LONG}\n```\n`{LONG}` [it](a.md)\n"
    assert long_sentences(paragraphs_of_page(harmless)) == []


def test_long_sentence_of_a_header_would_be_seen():
    wrapped = SHORT.replace(" word", "\n * word", 1)
    for planted in (f"/* {LONG} */", f"/**\n * {wrapped}\n *   word\n */", f"/** A.\n *\n * @return {LONG}\n */"):
        assert len(long_sentences(paragraphs_of_header(planted))) == 1, planted
    code = f"/**\n * {SHORT}:\n *\n *     {LONG}\n *\n * - {SHORT}\n * - {SHORT}\n * @since 0.1\n */\n{LONG}\n"
    assert long_sentences(paragraphs_of_header(code)) == []


def test_readme_is_short():
    text = README.read_text()
    assert len(text.splitlines()) <= 150
    assert len(text.split()) <= 1000


# ---- The first page ------------------------------------------------------------------------------


def block(beginning: str) -> str:
    [found] = [block.text for block in BLOCKS if block.page == "README.md" and block.text.startswith(beginning)]
    return found


def shown_output(text: str) -> list[str]:
    """What a block of commands shows in comments."""
    return [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ")]


def test_demo_prints_what_the_readme_shows(tmp_path):
    """In this order."""
    run("make", "-C", ROOT / "examples-c", f"PBK={ROOT}", f"BUILD={tmp_path}", tmp_path / "phone_call")
    printed = run(tmp_path / "phone_call").splitlines()
    shown = shown_output(block("make demo"))
    assert len(shown) > 2
    for line in shown:
        assert line in printed
        printed = printed[printed.index(line) + 1 :]


def test_commands_of_the_readme_are_targets():
    named = {word for code in code_of(README) for word in re.findall(r"\bmake ([a-z][a-z-]*)", code)}
    assert {"demo", "test", "install"} <= named <= targets()


def c_program(folder: Path, program: str) -> str:
    """What it prints, by the command below it, beside the library's folders."""
    (folder / "build").mkdir(parents=True)
    (folder / "include").symlink_to(ROOT / "include")
    (folder / "build" / "lib").symlink_to(LIBRARY.parent)
    (folder / "program.c").write_text(program)
    command = block("cc ")
    done = subprocess.run(
        ["sh", "-e", "-c", command], cwd=folder, capture_output=True, text=True, timeout=50, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_c_program_of_the_readme(tmp_path):
    printed = c_program(tmp_path / "it", block("#include"))
    shown = "\n".join(shown_output(block("cc ")))
    assert re.fullmatch(re.escape(shown).replace("…", ".*"), printed.strip())
    run(CC, *WARNINGS, f"-I{ROOT / 'include'}", "-fsyntax-only", tmp_path / "it" / "program.c")


def python_program(program: str) -> list[str]:
    environment = {"PYTHONPATH": str(ROOT / "bindings" / "python"), "PARTNERBOOKING_LIBRARY": str(LIBRARY)}
    return run(sys.executable, "-X", "dev", "-c", program, **environment).splitlines()


def test_python_program_of_the_readme():
    program = block("import asyncio")
    assert python_program(program) == re.findall(r"print\(.*\) +# (.*)", program)


def test_programs_of_the_readme_book_out_of_a_free_day(tmp_path):
    """Some platforms list a whole free day as one item. Nobody books its 480 minutes."""
    for beginning, sandbox, windows, output in [
        ("#include", '{" CLINIC "}}', '{\\"answer\\":\\"windows\\"," CLINIC "}}', partial(c_program, tmp_path / "it")),
        ("import asyncio", "sandbox=CLINIC", 'sandbox={**CLINIC, "answer": "windows"}', python_program),
    ]:
        program = block(beginning)
        assert program.count(sandbox) == 1
        printed = str(output(program.replace(sandbox, windows)))
        assert "tomorrow, Tuesday at ten thirty in the morning" in printed
        assert "2030-01-15T10:30:00-05:00" in printed and "17:00" not in printed


FIRST_PAGES = [README, *(DOCS / f"{name}.md" for name in ("install", "c", "cpp", "python", "swift", "interruptions"))]


@pytest.mark.parametrize("page", FIRST_PAGES, ids=name)
def test_first_searches_have_date_times(page):
    """A plain date means another day on each platform. Pages say so, and their code has none."""
    code = "\n".join(block.text for block in BLOCKS if block.page == name(page))
    dates = re.findall(r"[\"'](\d{4}-\d\d-\d\d)\\?[\"']", code)
    assert dates == (DAYS if page.name == "python.md" else [])


DAYS = ["2030-01-14", "2030-01-15", "2030-01-19"]
"""Those to which a program appends the time and the offset."""


def numbers(text: str) -> set[str]:
    return {number.strip(",.") for number in re.findall(r"\d[\d.,]*", text)}


def test_figures_of_the_readme_are_those_of_the_pages():
    """Which have the command for each."""
    sections = dict(re.findall(r"^## (.*)\n((?:(?!^## ).*\n)*)", README.read_text(), re.MULTILINE))
    known = numbers((DOCS / "benchmarks.md").read_text()) | numbers((DOCS / "testing.md").read_text())
    for section in ("Why", "Performance"):
        shown = numbers(sections[section])
        assert len(shown) > 4 and shown - known == set(), section


# ---- Names ---------------------------------------------------------------------------------------


def test_names_of_the_glossary_are_there():
    folders = ("include", "Sources", "bindings/python/partnerbooking")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*")]
    sources = [file.read_text() for file in files if file.suffix in (".h", ".hpp", ".swift", ".py")]
    there = set(re.findall(r"[\w-]+", "\n".join(sources)))
    named = {part for code in code_of(DOCS / "glossary.md") for part in re.findall(r"[\w-]+", code)}
    assert len(named) > 80
    assert named - there - {"pbk_", "PBK_"} == set()


def test_order_of_folders_is_that_of_the_page():
    """The page describes each folder below those that use it, as Tests/folders.sh compiles them."""
    [order] = re.findall(r'^order="(.*)"$', (ROOT / "Tests" / "folders.sh").read_text(), re.MULTILINE)
    section = (DOCS / "architecture.md").read_text().split("\n## The pipeline of folders\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == order.split()
