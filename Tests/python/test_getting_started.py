"""From an installed library to a booking: the first commands of each language's page, at most five,
literally, in an empty folder. Each test may take 60 seconds, a fifth of the five minutes that a
newcomer has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from header import ROOT, VERSION
from installed import run
from pages import DOCS, blocks_of
from programs import swiftc

LANGUAGES = ["c", "cpp", "python", "swift"]


def script(language: str) -> str:
    """The first block of commands of the page."""
    return next(block.text for block in blocks_of(DOCS / f"{language}.md") if block.info == "sh")


def commands(language: str) -> list[str]:
    lines = re.sub(r"\\\n\s*", "", script(language)).splitlines()
    return [line for line in lines if not line.startswith("#")]


def shown(language: str) -> str:
    """What the page says that they print: comments below them, or the next block of text."""
    comments = re.findall(r"^# (.*)$", script(language), re.MULTILINE)
    texts = [block.text for block in blocks_of(DOCS / f"{language}.md") if block.info == "text"]
    return "\n".join(comments) if comments else texts[0]


def without_chance(printed: str) -> str:
    return re.sub(r"[\d.e-]+ seconds", "0 seconds", re.sub(r"bkg_\w+", "bkg_x", printed)).strip()


def booked(language: str, printed: str) -> bool:
    assert "ten thirty in the morning" in shown(language)
    return without_chance(printed).endswith(without_chance(shown(language)))


def follow(folder: Path, lines: list[str]) -> str:
    """Types the commands in a shell whose home is the folder, and which finds only what they have
    installed."""
    return run("sh", "-e", "-c", "\n".join(lines), cwd=folder, HOME=folder, PARTNERBOOKING_LIBRARY="", PYTHONPATH="")


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """An empty folder beside the sources."""
    (tmp_path / "libpartnerbooking").symlink_to(ROOT)
    return tmp_path


@pytest.mark.parametrize("language", LANGUAGES)
def test_at_most_five_commands_near_the_top(language):
    assert 2 <= len(commands(language)) <= 5
    page = (DOCS / f"{language}.md").read_text()
    assert len(re.findall("^## ", page.split(script(language))[0], re.MULTILINE)) == 1


def test_c(beside):
    assert booked("c", follow(beside, commands("c")))


def test_cpp(beside):
    [program, *_] = [block.text for block in blocks_of(DOCS / "cpp.md") if block.info == "cpp"]
    (beside / "book.cpp").write_text(program)
    assert booked("cpp", follow(beside, commands("cpp")))


def test_python(tmp_path):
    """The first command has been run by the Makefile, whose wheel this takes. All others are
    run."""
    assert commands("python")[0] == "make wheel"
    assert len(list((ROOT / "build" / "wheel").glob("*.whl"))) == 1, "run `make wheel` first"
    for name in ("build", "bindings"):
        (tmp_path / name).symlink_to(ROOT / name)
    printed = follow(tmp_path, commands("python")[1:])
    assert booked("python", printed) and "30 min" in printed
    show = "import partnerbooking as pb; print(pb.library_path, pb.library_version())"
    path, version = follow(tmp_path, [f"venv/bin/python -c '{show}'"]).split()
    assert path.startswith(str(tmp_path / "venv")) and version == VERSION


def test_swift(beside):
    """`swift run` builds the library's module, which takes longer than all of this, and runs the
    program. Here the program is compiled with the module that `make build-swift-tests` has left.
    All else is as typed. """
    *others, last = commands("swift")
    assert last == "swift run --package-path book"
    follow(beside, others)
    assert "libpartnerbooking" in run("swift", "package", "--package-path", beside / "book", "show-dependencies")
    swiftc(beside / "program", *(beside / "book" / "Sources" / "book").glob("*.swift"))
    assert booked("swift", run(beside / "program"))


def test_other_output_would_be_seen():
    assert booked("c", f"make: done\n{shown('c')}\n")
    assert not booked("c", shown("c").replace("booked", "sorry")) and not booked("c", "")
