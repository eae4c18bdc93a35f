"""The Debian packages: what is in them, what they depend on, and a program that is built with
them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from header import FUNCTIONS, ROOT, VERSION
from installed import CC, SOURCES, STRICT, book, pkg_config, run
from pbk import LIBRARY

RUN, DEV, DEBUG = "libpartnerbooking1", "libpartnerbooking-dev", "libpartnerbooking1-dbgsym"


@pytest.fixture(scope="module")
def debs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """As `make deb` builds them, without lintian and little compressed, which take most of its
    time."""
    folder = tmp_path_factory.mktemp("debs")
    options = {"VERSION": VERSION, "SONAME": "libpartnerbooking.so.1", "DEB_COMPRESSION": "-Zgzip -z1"}
    run(ROOT / "packaging" / "build-debs", folder, **options)
    return {file.name.split("_")[0]: file for file in folder.iterdir()}


@pytest.fixture(scope="module")
def debian(debs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root that has all of them unpacked."""
    root = tmp_path_factory.mktemp("debian")
    for file in debs.values():
        run("dpkg-deb", "--extract", file, root)
    return root


def control(file: Path, name: str) -> str:
    return run("dpkg-deb", "--field", file, name).strip()


def test_packages_and_what_they_depend_on(debs):
    assert set(debs) == {RUN, DEV, DEBUG}
    assert {control(file, "Version") for file in debs.values()} == {f"{VERSION}-1"}
    depends = dict(re.findall(r"([\w.+-]+) \(>= ([\w.]+)\)", control(debs[RUN], "Depends")))
    assert set(depends) == {"libc6", "libcurl4", "libgcc-s1", "libstdc++6"}
    assert depends["libcurl4"] == "7.81"
    assert f"glibc {depends['libc6']}+" in (ROOT / "README.md").read_text()
    for package in (DEV, DEBUG):
        assert control(debs[package], "Depends") == f"{RUN} (= {VERSION}-1)"


def test_runtime_package_holds_the_library_as_it_was_tested(debs, debian):
    names = re.findall(r" \./(usr/lib/\S+)", run("dpkg-deb", "--contents", debs[RUN]))
    libraries = {Path(name).name for name in names if not name.endswith("/")}
    assert libraries == {"libpartnerbooking.so.1", f"libpartnerbooking.so.{VERSION}"}
    [library] = debian.rglob(f"libpartnerbooking.so.{VERSION}")
    assert library.read_bytes() == LIBRARY.read_bytes()


def test_symbols_file_says_since_when(debs, tmp_path):
    run("dpkg-deb", "--control", debs[RUN], tmp_path)
    symbols = (tmp_path / "symbols").read_text()
    assert set(re.findall(r"^ (pbk_\w+)@PARTNERBOOKING_1 [\d.]+$", symbols, re.MULTILINE)) == set(FUNCTIONS)
    assert (tmp_path / "triggers").read_text() == "activate-noawait ldconfig\n"


def test_debug_symbols_are_where_a_debugger_looks(debian):
    [library] = debian.rglob(f"libpartnerbooking.so.{VERSION}")
    build_id = re.search(r"Build ID: (\w+)", run("readelf", "-n", library))[1]
    assert (debian / "usr/lib/debug/.build-id" / build_id[:2] / f"{build_id[2:]}.debug").is_file()


def test_program_builds_with_the_packages(debian, tmp_path):
    [folder] = debian.rglob("pkgconfig")
    flags = pkg_config(folder, "--cflags", "--libs", PKG_CONFIG_SYSROOT_DIR=debian)
    program = tmp_path / "consumer"
    run(CC, *STRICT, f"-I{debian}/usr/include", f"-L{folder.parent}", "-o", program, SOURCES / "consumer.c", *flags)
    book(program, folder.parent)
    run("cmake", "-S", SOURCES, "-B", tmp_path / "cmake", f"-DCMAKE_PREFIX_PATH={debian / 'usr'}")
    run("cmake", "--build", tmp_path / "cmake")
    book(tmp_path / "cmake" / "consumer")
