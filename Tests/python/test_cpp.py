"""The C++ code in the documentation, and the examples in C++. The header itself is tested by
Tests/cpp."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from header import ROOT

EXAMPLES = ROOT / "examples-c"
PAGE = (ROOT / "docs" / "cpp.md").read_text()
DOCUMENTED = ROOT / "Tests" / "cpp" / "documented.cpp"


def run(*command: object, cwd: Path | None = None, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def sketch_in_the_header() -> str:
    header = (ROOT / "include" / "partnerbooking.hpp").read_text()
    return "".join(re.findall(r"^ \* {5}( {0,4}\S.*\n)", header.split("#ifndef", 1)[0], re.MULTILINE))


def without_indentation(code: str) -> str:
    return "\n".join(line.strip() for line in code.splitlines() if line.strip())


FIRST = blocks(PAGE, "cpp")[0]


def test_sketch_in_the_header_is_in_a_program():
    """Line by line. What the pages show is looked at by test_docs.py."""
    assert without_indentation(sketch_in_the_header()) in without_indentation(DOCUMENTED.read_text())


def test_first_appointment_by_cmake(tmp_path):
    """From the installation to the booking, in a home of its own."""
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()
    (home / "libpartnerbooking").symlink_to(ROOT)
    (folder / "book.cpp").write_text(FIRST)
    [project] = blocks(PAGE, "cmake")
    (folder / "CMakeLists.txt").write_text(project)
    _, commands = blocks(PAGE, "sh")
    assert len(commands.splitlines()) <= 5
    assert "2030-01-15T10:30:00-05:00: confirmed" in run("sh", "-e", "-c", commands, cwd=folder, HOME=str(home))


def example(name: str, folder: Path) -> Path:
    """Optimising what a JSON library or Asio is made of takes longer than all the rest."""
    run("make", "-C", EXAMPLES, f"PBK={ROOT}", f"BUILD={folder}", "CXXFLAGS=-O0", folder / f"{name}_cpp")
    return folder / f"{name}_cpp"


def test_read_reply(tmp_path):
    program, journal = example("read_reply", tmp_path), tmp_path / "bookings.journal"
    printed = run(program, journal)
    assert '"confirmed"' in printed and r'"Zoë \"Zo\" O\\Neil"' in printed
    # Its end was heard, so that the next process has nothing to catch up with.
    assert "was booked" not in run(program, journal)


def test_phone_calls_in_an_io_context_of_asio(tmp_path):
    printed = run(example("asio_engine", tmp_path))
    callers = ("Ann Smith", "Ben Weiss", "Zoë O'Neil")
    said = {name: re.findall(rf"^{name}  (.*)$", printed, re.MULTILINE) for name in callers}
    assert said["Ann Smith"][-1].startswith("bot: You're booked for tomorrow, Tuesday at"), printed
    assert "caller: No, wait. On Friday, please." in said["Ben Weiss"]
    assert said["Ben Weiss"][-1].startswith("bot: You're booked for Friday"), printed
    # That booking goes on, and the engine hears of it.
    assert said["Zoë O'Neil"][-2] == "caller: (hangs up)"
    assert said["Zoë O'Neil"][-1].startswith("after the call: You're booked for tomorrow"), printed
    assert "\n3 appointments\n" in printed
