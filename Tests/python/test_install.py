"""What others build upon: the installed tree, and programs that know nothing else of the library."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from header import FUNCTIONS, HEADER, ROOT, STATUS, VERSION
from installed import CC, SOURCES, STRICT, book, pkg_config, run
from pages import links_of
from pbk import LIBRARY

PAGE = (ROOT / "docs" / "install.md").read_text()


def make(*words: object, expect: int = 0, **environment: object) -> None:
    run("make", "--no-print-directory", "-C", ROOT, *words, expect=expect, **environment)


def files_below(folder: Path) -> set[str]:
    """With what is a link, and without what is a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the library is installed."""
    there = tmp_path_factory.mktemp("prefix") / "usr"
    make("install", f"PREFIX={there}")
    return there


# ---- Programs that others build -------------------------------------------------------------------------------------


def test_by_pkg_config(prefix, tmp_path):
    folder = prefix / "lib" / "pkgconfig"
    program = tmp_path / "consumer"
    flags = pkg_config(folder, "--cflags", "--libs")
    run(CC, *STRICT, "-o", program, SOURCES / "consumer.c", *flags)
    book(program, prefix / "lib")
    assert pkg_config(folder, "--modversion") == [VERSION]


def test_by_cmake(prefix, tmp_path):
    run("cmake", "-S", SOURCES, "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path)
    book(tmp_path / "consumer")


def test_by_plain_options(prefix, tmp_path):
    program = tmp_path / "consumer"
    paths = [f"-I{prefix / 'include'}", f"-L{prefix / 'lib'}"]
    run(CC, *STRICT, *paths, "-o", program, SOURCES / "consumer.c", "-lpartnerbooking")
    book(program, prefix / "lib")


def test_by_dlopen(prefix, tmp_path):
    program = tmp_path / "consumer"
    run(CC, *STRICT, f"-I{prefix / 'include'}", "-o", program, SOURCES / "dlopen.c", "-ldl")
    book(program, prefix / "lib")


def test_from_swift_by_the_module_map(prefix, tmp_path):
    program = tmp_path / "consumer"
    paths = [f"-I{prefix / 'include' / 'partnerbooking'}", f"-L{prefix / 'lib'}"]
    run("swiftc", "-Onone", *paths, "-lpartnerbooking", "-o", program, SOURCES / "consumer.swift", cwd=tmp_path)
    book(program, prefix / "lib")


def test_program_that_asks_for_the_soname_gets_it(prefix, tmp_path):
    """Whatever file it was linked with, a later version of the same ABI will serve."""
    program = tmp_path / "consumer"
    flags = pkg_config(prefix / "lib" / "pkgconfig", "--cflags", "--libs")
    run(CC, "-o", program, SOURCES / "consumer.c", *flags)
    assert "[libpartnerbooking.so.1]" in run("readelf", "-d", program)


def test_moved_tree_still_serves(prefix, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(prefix, moved, symlinks=True)
    run("cmake", "-S", SOURCES, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={moved}")
    assert str(moved) in run("cmake", "-LA", "-N", tmp_path / "build")
    run("cmake", "--build", tmp_path / "build")
    book(tmp_path / "build" / "consumer")
    flags = pkg_config(moved / "lib" / "pkgconfig", "--cflags", "--libs", "--define-prefix")
    assert {f"-I{moved}/include", f"-L{moved}/lib"} <= set(flags)


VERSIONS = {
    "": True,
    "0": True,
    "0.1": True,
    VERSION: True,
    f"{VERSION} EXACT": True,
    "0.0.9": True,
    "0.0.9 EXACT": False,
    f"{VERSION}.1": False,
    "0.2": False,
    "9": False,
    "0.0.1...1": True,
    f"0.0.1...<{VERSION}": False,
    f"0.0.1...{VERSION}": True,
    "2...3": False,
}


def test_cmake_finds_the_versions_that_this_one_serves(prefix, tmp_path):
    lines = ["cmake_minimum_required(VERSION 3.19)", "project(versions LANGUAGES NONE)"]
    for number, asked in enumerate(VERSIONS):
        lines.append(f"find_package(partnerbooking {asked} QUIET)")
        lines.append(f'message(STATUS "answer {number} ${{partnerbooking_FOUND}}")')
        lines.append("unset(partnerbooking_DIR CACHE)")
    (tmp_path / "CMakeLists.txt").write_text("\n".join(lines))
    output = run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    answers = re.findall(r"answer \d+ (\w+)", output)
    assert {asked: found in ("1", "TRUE") for asked, found in zip(VERSIONS, answers)} == VERSIONS


# ---- The installed tree ---------------------------------------------------------------------------------------------


def test_what_is_installed(prefix):
    found = files_below(prefix)
    wanted = {
        "lib/libpartnerbooking.so",
        "lib/libpartnerbooking.so.1",
        f"lib/libpartnerbooking.so.{VERSION}",
        "lib/pkgconfig/partnerbooking.pc",
        "lib/cmake/partnerbooking/partnerbooking-config.cmake",
        "lib/cmake/partnerbooking/partnerbooking-config-version.cmake",
        "include/partnerbooking/module.modulemap",
        "share/man/man3/partnerbooking.3",
        "share/doc/partnerbooking/examples/book_appointment.c",
        "share/doc/partnerbooking/install.md",
        "share/partnerbooking/ledgers/postgres.sql",
        "share/partnerbooking/ledgers/redis.lua",
    }
    wanted |= {str(header.relative_to(ROOT)) for header in (ROOT / "include").rglob("*.h*")}
    wanted |= {f"share/man/man3/{name}.3" for name in FUNCTIONS}
    assert wanted <= found
    assert {path.split("/")[0] for path in found} == {"lib", "include", "share"}
    assert (prefix / "lib" / "libpartnerbooking.so").read_bytes() == LIBRARY.read_bytes()


def dead_links(folder: Path) -> list[tuple[str, str]]:
    return [
        (page.name, link)
        for page in folder.glob("*.md")
        for link in links_of(page)
        if not re.match(r"https?:", link) and not (folder / link.partition("#")[0]).exists()
    ]


def test_links_of_the_installed_pages_lead_somewhere(prefix, tmp_path):
    folder = prefix / "share" / "doc" / "partnerbooking"
    assert sum(len(links_of(page)) for page in folder.glob("*.md")) > 50
    assert dead_links(folder) == []
    (tmp_path / "dead.md").write_text("[the header](../include/partnerbooking.h)")
    assert dead_links(tmp_path) == [("dead.md", "../include/partnerbooking.h")]


def test_nothing_that_is_installed_names_this_tree(prefix):
    for path in prefix.rglob("*"):
        if path.is_file() and path.parent.name != "lib":
            assert str(ROOT).encode() not in path.read_bytes(), path


def test_destdir_is_only_where_the_files_lie(tmp_path):
    """With the search path that sudo leaves, on which Swift need not be."""
    where = [f"DESTDIR={tmp_path}", "PREFIX=/opt/pbk", "LIBDIR=/opt/pbk/lib64"]
    make("install", *where, PATH="/usr/sbin:/usr/bin:/sbin:/bin")
    tree = tmp_path / "opt" / "pbk"
    assert (tree / "lib64" / "libpartnerbooking.so").resolve().name == f"libpartnerbooking.so.{VERSION}"
    flags = pkg_config(tree / "lib64" / "pkgconfig", "--cflags", "--libs")
    assert flags == ["-I/opt/pbk/include", "-L/opt/pbk/lib64", "-lpartnerbooking"]
    for name in files_below(tree):
        assert str(tmp_path).encode() not in (tree / name).read_bytes(), name
    make("uninstall", *where)
    assert list(tmp_path.iterdir()) == []


def test_uninstall_removes_what_was_installed_and_nothing_else(tmp_path):
    """What is others' stays: files, an empty folder from before, a link to a folder, a folder filled since."""
    (tmp_path / "share" / "man" / "man3").mkdir(parents=True)
    (tmp_path / "lib64").mkdir()
    (tmp_path / "lib").symlink_to("lib64")
    (tmp_path / "lib" / "libother.so").write_text("")
    make("install", f"PREFIX={tmp_path}")
    make("install", f"PREFIX={tmp_path}")
    (tmp_path / "include" / "other.h").write_text("")
    make("uninstall", f"PREFIX={tmp_path}")
    assert files_below(tmp_path) == {"include/other.h", "lib", "lib64/libother.so"}
    folders = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_dir()}
    assert {str(path) for path in folders} == {"include", "lib", "lib64", "share", "share/man", "share/man/man3"}
    make("uninstall", f"PREFIX={tmp_path}", expect=2)


def test_installing_over_an_older_version(tmp_path):
    """What only that one had goes, and a program that runs keeps the library that it has loaded."""
    make("install", f"PREFIX={tmp_path}")
    older = tmp_path / "lib" / "libpartnerbooking.so.0.0.9"
    older.write_text("")
    listed = tmp_path / "share" / "doc" / "partnerbooking" / "installed-files"
    listed.write_text(f"{older}\n{listed.read_text()}")
    with (tmp_path / "lib" / "libpartnerbooking.so").open("rb") as loaded:
        make("install", f"PREFIX={tmp_path}")
        assert os.fstat(loaded.fileno()).st_nlink == 0
        assert loaded.read() == LIBRARY.read_bytes()
    assert not older.exists()
    assert str(older) not in listed.read_text()
    make("uninstall", f"PREFIX={tmp_path}")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def failing(tmp_path, monkeypatch):
    """Has a program do something else when it comes to a certain file."""

    def instead(name: str, file: str, command: str) -> None:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        real = shutil.which(name, path=PATH)
        program.write_text(f'#!/bin/sh\ncase "$*" in *{file}*) {command} ;; esac\nexec {real} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:{PATH}")

    PATH = os.environ["PATH"]
    yield instead
    monkeypatch.setenv("PATH", PATH)


@pytest.fixture
def cp_that_fails(failing):
    """At a manual page, after the library and before all is done."""
    return lambda command: failing("cp", "man3/pbk_submit.3", command)


FULL_DISK = 'echo "cp: No space left on device" >&2; exit 1'
KILLED = "kill -9 $PPID; exit 1"


def contents(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def test_installation_that_fails_leaves_nothing(cp_that_fails, tmp_path):
    prefix = tmp_path / "usr"
    (prefix / "lib").mkdir(parents=True)
    cp_that_fails(FULL_DISK)
    make("install", f"PREFIX={prefix}", expect=2)
    assert list(prefix.rglob("*")) == [prefix / "lib"]

    cp_that_fails(KILLED)
    make("install", f"PREFIX={prefix}", expect=2)
    assert list(prefix.rglob("*.so.*-new")), "killed too early"
    make("uninstall", f"PREFIX={prefix}")
    assert list(prefix.rglob("*")) == [prefix / "lib"]


def test_upgrade_that_fails_leaves_the_older_version(cp_that_fails, tmp_path):
    prefix = tmp_path / "usr"
    make("install", f"PREFIX={prefix}")
    (prefix / "lib" / f"libpartnerbooking.so.{VERSION}").write_text("the older one")
    (prefix / "share" / "man" / "man3" / "pbk_version.3").unlink()
    before = contents(prefix)
    cp_that_fails(FULL_DISK)
    make("install", f"PREFIX={prefix}", expect=2)
    assert contents(prefix) == before

    cp_that_fails("true")
    (prefix / "share" / "man" / "man3" / "pbk_version.3").mkdir()
    make("install", f"PREFIX={prefix}", expect=2)
    (prefix / "share" / "man" / "man3" / "pbk_version.3").rmdir()
    assert contents(prefix) == before

    cp_that_fails(KILLED)
    make("install", f"PREFIX={prefix}", expect=2)
    make("uninstall", f"PREFIX={prefix}")
    assert not prefix.exists()


def test_list_that_cannot_be_written_leaves_no_half_of_it(failing, tmp_path):
    """The first one is not there, a later one is as it was."""
    prefix = tmp_path / "usr"
    failing("mv", "installed-files", FULL_DISK)
    make("install", f"PREFIX={prefix}", expect=2)
    assert not prefix.exists()

    failing("mv", "installed-files", "true")
    make("install", f"PREFIX={prefix}")
    before = contents(prefix)
    failing("mv", "installed-files", FULL_DISK)
    make("install", f"PREFIX={prefix}", expect=2)
    assert contents(prefix) == before


@pytest.mark.parametrize("name", ["PREFIX", "DESTDIR"])
def test_relative_path_is_refused(name):
    make("install", f"{name}=somewhere", expect=2)
    assert not (ROOT / "somewhere").exists()


@pytest.mark.parametrize("prefix", ["/opt/R&D", "/opt/two words", "/opt/a#b", "/opt/it's"])
def test_prefix_that_no_file_could_hold_is_refused(prefix, tmp_path):
    names = {name: prefix for name in ("PREFIX", "LIBDIR", "INCLUDEDIR", "MANDIR", "DOCDIR")}
    run(ROOT / "packaging" / "install", "install", expect=2, DESTDIR=tmp_path, VERSION="1", SONAME="s", **names)
    assert not list(tmp_path.iterdir())


def test_staging_without_a_destdir_is_refused(tmp_path):
    """It would write into the system and keep no list of what it wrote."""
    names = {name: tmp_path / "x" for name in ("PREFIX", "LIBDIR", "INCLUDEDIR", "MANDIR", "DOCDIR")}
    run(ROOT / "packaging" / "install", "stage", expect=2, DESTDIR="", VERSION="1", SONAME="s", **names)
    assert not list(tmp_path.iterdir())


def test_examples_build_where_they_are_installed(prefix, tmp_path):
    """By CMake; their Makefile is called as the page has it, below."""
    examples = prefix / "share" / "doc" / "partnerbooking" / "examples"
    run("cmake", "-S", examples, "-B", tmp_path, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path, "--target", "book_appointment", "ledger_postgres", "ledger_redis")
    assert "the same booking" in run(tmp_path / "book_appointment")
    for name in ("ledger_postgres", "ledger_redis"):
        assert run(tmp_path / name, "--batches") == "", "its script is not where it was installed"


# ---- Manual pages ---------------------------------------------------------------------------------------------------


def rendered(*pages: Path) -> subprocess.CompletedProcess[str]:
    command = ["man", "--warnings", "--local-file", *map(str, pages)]
    environment = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8", "MAN_KEEP_FORMATTING": ""}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True)


def test_manual_pages_say_what_the_header_says(prefix):
    """Without a warning, and each word of the comments and each status is there. Longer words may have been broken."""
    everything = rendered(*sorted((prefix / "share" / "man" / "man3").glob("*.3")))
    assert everything.stderr == ""
    parts = re.split(r"^(\w+)\(3\) +Partner Booking +\w+\(3\)$", everything.stdout, flags=re.MULTILINE)
    pages = {name: " ".join(text.split()) for name, text in zip(parts[1::2], parts[2::2])}
    documented = re.findall(r"/\*\*(?!<)((?:(?!\*/).)*)\*/\nPBK_API [^;(]*?(pbk_\w+)\(", HEADER, re.DOTALL)
    assert {name for _, name in documented} == set(FUNCTIONS)
    for comment, name in documented:
        words = re.sub(r"@(?:param|return|note|since)|[`*]|\(\)", " ", comment).split()
        said = re.sub(r"\(3\)|\*", " ", pages[name])
        assert [word for word in words if word not in said and len(word) < 30] == [], name
    for status, number in STATUS.items():
        assert f"PBK_{status} = {number} " in pages["pbk_status"]


def test_flaw_in_a_manual_page_would_be_seen(prefix, tmp_path):
    flawed = tmp_path / "flawed.3"
    flawed.write_text((prefix / "share" / "man" / "man3" / "partnerbooking.3").read_text() + ".nonsense\n")
    assert rendered(flawed).stderr != ""


# ---- The page that a newcomer reads ---------------------------------------------------------------------------------

SECTIONS = dict(re.findall(r"^## (.*)\n((?:(?!^## ).*\n)*)", PAGE, re.MULTILINE))
FILES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


def commands(section: str) -> list[str]:
    [block] = re.findall(r"^```sh\n(.*?)^```$", SECTIONS[section], re.MULTILINE | re.DOTALL)
    return block.splitlines()


@pytest.fixture
def newcomer(tmp_path):
    """Does what the page says: its files in a fresh folder, its commands in one shell whose home that is."""
    (tmp_path / "libpartnerbooking").symlink_to(ROOT)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)

    def follow(*sections: str) -> str:
        script = "set -e\n" + "\n".join(command for section in sections for command in commands(section))
        return run("sh", "-c", script, cwd=tmp_path, HOME=tmp_path, MANPAGER="cat")

    return follow


@pytest.mark.parametrize("section", ["With pkg-config", "With CMake", "With neither"])
def test_first_booking_as_the_page_has_it(newcomer, section):
    assert len(commands(section)) <= 5
    [shown] = re.findall(r"^Each way prints\n\n```text\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)
    assert re.search(re.escape(shown).replace("…", ".*") + "$", newcomer(section).strip())


def test_the_rest_as_the_page_has_it(newcomer, tmp_path):
    output = newcomer("With pkg-config", "From there on", "Where everything is")
    assert "Books an appointment slot" in output and "the same booking" in output
    assert not (tmp_path / "partnerbooking").exists()
