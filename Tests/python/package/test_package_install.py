"""How the package comes to a machine: the wheel, the source, which library it loads, and what the
page tells to type."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from header import ROOT
from pbk import LIBRARY
from python_package import EXAMPLES, PACKAGE, _library, pb, run_program
from samples import search_request

PAGE = (ROOT / "docs" / "python.md").read_text()
SHOW = "import partnerbooking as pb; print(pb.library_path, pb.library_version())"


def sh(*command: object, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """Without what this process uses to find the package and the library."""
    mine = ("PYTHONPATH", "PARTNERBOOKING_LIBRARY", "VIRTUAL_ENV")
    clean = {name: value for name, value in os.environ.items() if name not in mine}
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=55,
        check=False,
    )


def output(*command: object, cwd: Path = ROOT, **environment: str) -> str:
    done = sh(*command, cwd=cwd, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel() -> Path:
    """The one that `make wheel` has left."""
    found = list((ROOT / "build" / "wheel").glob("*.whl"))
    assert len(found) == 1, "run `make wheel` first"
    return found[0]


# ---- The wheel -----------------------------------------------------------------------------------


def test_wheel_holds_the_library_libcurl_the_types_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name and not name.endswith("/")}
    files = [file for file in (PACKAGE / "partnerbooking").rglob("*") if file.is_file() and file.suffix != ".pyc"]
    sources = {str(file.relative_to(PACKAGE)) for file in files}
    licences = {f"partnerbooking/bundled/{name}.copyright" for name in ("curl", "openssl", "zlib", "nghttp2")}
    licences |= {"partnerbooking/bundled/Apache-2.0.txt", "partnerbooking/bundled/versions.txt"}
    libraries = {name for name in names if name.startswith("partnerbooking.libs/")}
    assert names - libraries == sources | licences | {"partnerbooking/libpartnerbooking.so.1"}
    # What is linked into them is not here.
    plain = sorted(re.match(r"\w+\.libs/(\w+)-\w+\.so[.\d]+$", name)[1] for name in libraries)
    assert plain == ["libcurl", "libnghttp2"]
    assert wheel.stat().st_size < 6_500_000


def test_wheel_has_the_library_that_was_tested(wheel, tmp_path):
    """But for the names of the libraries beside it, which auditwheel writes."""
    [inside] = unpacked(wheel, tmp_path).glob("partnerbooking/libpartnerbooking.so.1")
    build_ids = [re.search(r"Build ID: (\w+)", output("readelf", "-n", file))[1] for file in (inside, LIBRARY)]
    assert build_ids[0] == build_ids[1]
    assert re.search(r"NEEDED.*\[libcurl-\w+\.so\.4\]", output("readelf", "-d", inside))


def test_versions_inside_are_those_of_the_packages_here(wheel, tmp_path):
    lines = (unpacked(wheel, tmp_path) / "partnerbooking" / "bundled" / "versions.txt").read_text().splitlines()
    versions = dict(line.split(" ") for line in lines)
    assert set(versions) == {"curl", "openssl", "zlib", "nghttp2", "packages_of"}
    for name, package in {"openssl": "libssl-dev", "zlib": "zlib1g-dev", "nghttp2": "libnghttp2-dev"}.items():
        assert versions[name] == output("dpkg-query", "-W", "-f", "${Version}", package)


def unpacked(wheel: Path, folder: Path) -> Path:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_libcurl_inside_speaks_tls_and_http2_and_is_used(wheel, tmp_path, http2, reference):
    program = """
import json, sys
import partnerbooking as pb
from partnerbooking import _bindings
with pb.Client(**json.loads(sys.argv[1])) as client:
    reply = client.search_availability(json.loads(sys.argv[2]))
    print(_bindings.libcurl())
    print(len(reply.availabilities))
print(*(line.split()[-1] for line in open("/proc/self/maps") if "/libcurl" in line))
"""
    bot = reference.bot()
    environment = {"PYTHONPATH": str(unpacked(wheel, tmp_path)), "PARTNERBOOKING_LIBRARY": ""}
    done = run_program(program, json.dumps(http2.config), json.dumps(search_request(bot)), **environment)
    assert done.returncode == 0 and not done.stderr, done.stderr
    said, count, files = done.stdout.splitlines()
    assert re.match(r"libcurl/\S+ OpenSSL/\S+ zlib/\S+ nghttp2/\S+, from this package: curl \S+, openssl", said)
    assert count == "2" and [request["http_version"] for request in reference.requests(bot)] == ["2"]
    assert {Path(file).parent for file in files.split()} == {tmp_path / "partnerbooking.libs"}


def test_wheel_has_the_tag_that_the_page_says(wheel):
    """The page tells that of Debian 12 on x86-64. Elsewhere it may be another, but no newer than
    the system."""
    glibc, machine = int(platform.libc_ver()[1].split(".")[1]), platform.machine()
    found = re.fullmatch(
        rf"partnerbooking-{re.escape(pb.__version__)}-py3-none-(manylinux_2_(\d+)_(\w+))\.whl", wheel.name
    )
    assert found and int(found[2]) <= glibc and found[3] == machine, wheel.name
    if (glibc, machine) == (36, "x86_64"):
        assert found[1] == re.search(r"tagged `(\w+)`", PAGE)[1]


# ---- The source ----------------------------------------------------------------------------------


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy, so that what the tests build is not mixed with anything. It lies in no repository."""
    there = tmp_path / "bindings" / "python"
    shutil.copytree(PACKAGE, there, ignore=shutil.ignore_patterns("build", "*.egg-info", ".*", "__pycache__"))
    return there


def install(source: Path, target: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """As `pip install` does, with the setuptools that are here."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps"]
    return sh(*command, "--disable-pip-version-check", "--target", target, source, **environment)


def test_source_takes_the_library_that_was_built(source, tmp_path):
    (tmp_path / "include").symlink_to(ROOT / "include")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "lib").symlink_to(LIBRARY.parent)
    done = install(source, tmp_path / "site")
    assert done.returncode == 0, done.stderr
    [tag] = (tmp_path / "site").glob("*.dist-info/WHEEL")
    assert re.search(r"^Tag: py3-none-linux_\w+$", tag.read_text(), re.MULTILINE)
    path, _ = output(sys.executable, "-c", SHOW, cwd=tmp_path, PYTHONPATH=str(tmp_path / "site")).split()
    assert path == str(tmp_path / "site" / "partnerbooking" / "libpartnerbooking.so.1")


def test_source_takes_the_library_that_is_named_or_the_systems_or_says_what_to_do(source, tmp_path):
    """Asked for the file alone, which is what differs."""
    command = [sys.executable, "setup.py", "--quiet", "bdist_wheel", "--dist-dir", tmp_path / "dist"]
    refused = sh(*command, cwd=source)
    assert refused.returncode != 0 and "make lib" in refused.stderr and "PARTNERBOOKING_LIBRARY=" in refused.stderr
    output(*command, cwd=source, PARTNERBOOKING_LIBRARY=str(LIBRARY))
    assert [file.name.split("-")[4].split("_")[0] for file in (tmp_path / "dist").iterdir()] == ["linux"]
    shutil.rmtree(source / "build")
    output(*command, cwd=source, LD_LIBRARY_PATH=str(LIBRARY.parent))
    [pure] = (tmp_path / "dist").glob("*-py3-none-any.whl")
    assert not [name for name in zipfile.ZipFile(pure).namelist() if ".so" in name]


# ---- What is loaded ------------------------------------------------------------------------------


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A package without the library inside, as an environment."""
    shutil.copytree(PACKAGE / "partnerbooking", tmp_path / "partnerbooking")
    yield {"PYTHONPATH": str(tmp_path), "PARTNERBOOKING_LIBRARY": ""}


def test_named_before_inside_before_the_systems(plain, tmp_path):
    inside = tmp_path / "partnerbooking" / "libpartnerbooking.so.1"
    system = {"LD_LIBRARY_PATH": str(LIBRARY.parent)}
    assert run_program(SHOW, **plain, **system).stdout.split()[0] == "libpartnerbooking.so.1"
    inside.symlink_to(LIBRARY.resolve())
    assert run_program(SHOW, **plain, **system).stdout.split()[0] == str(inside)
    named = {**plain, "PARTNERBOOKING_LIBRARY": str(LIBRARY)}
    assert run_program(SHOW, **named, **system).stdout.split()[0] == str(LIBRARY)


def test_what_cannot_be_loaded_is_explained(plain, tmp_path):
    def reason(**environment: str) -> str:
        done = run_program("import partnerbooking", **{**plain, **environment})
        assert done.returncode == 1 and "ImportError" in done.stderr, done.stderr
        return done.stderr

    assert "neither in this package nor on this system" in reason()
    assert "names what should be" in reason(PARTNERBOOKING_LIBRARY="/nowhere.so")
    def older_libcurl() -> str:
        """As that of Debian 10, which has all but one of the functions."""
        needed = re.findall(r" U (curl_\w+)@", output("nm", "-D", LIBRARY))
        functions = [f"void {name}(void) {{}}\n" for name in needed if name != "curl_multi_poll"]
        functions.append('const char *curl_version(void) { return "libcurl/7.64.0 OpenSSL/1.1.1"; }\n')
        (tmp_path / "older").mkdir()
        (tmp_path / "older.c").write_text("".join(functions))
        (tmp_path / "older.map").write_text("CURL_OPENSSL_4 { global: curl_*; };")
        flags = ["-shared", f"-Wl,--version-script={tmp_path / 'older.map'}", "-Wl,-soname,libcurl.so.4"]
        output(os.environ.get("CC", "cc"), *flags, "-o", tmp_path / "older" / "libcurl.so.4", tmp_path / "older.c")
        return reason(PARTNERBOOKING_LIBRARY=str(LIBRARY), LD_LIBRARY_PATH=str(tmp_path / "older"))

    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "libcurl.so.4").touch()
    libcurl = reason(PARTNERBOOKING_LIBRARY=str(LIBRARY), LD_LIBRARY_PATH=str(broken))
    assert "libcurl4 (Debian, Ubuntu)" in libcurl
    assert re.search("curl_multi_poll.*\n.*libcurl 7.81 or later.* here is libcurl/7.64.0", older_libcurl())
    assert "too old for this package: it has no pbk_" in reason(PARTNERBOOKING_LIBRARY="libc.so.6")
    assert "libstdc++6" in _library._advice("x", "libstdc++.so.6: cannot open shared object file")
    assert "newer system" in _library._advice("x", "/lib/libm.so.6: version `GLIBC_2.99' not found")


# ---- The page ------------------------------------------------------------------------------------


# test_package_process.py looks at worker_processes.py more closely, test_package_stats.py at
# metrics_server.py, and Tests/hosts at those of agent frameworks.
ELSEWHERE = {f"{name}_agent.py" for name in ("livekit", "openai", "pipecat")}
ELSEWHERE |= {"worker_processes.py", "metrics_server.py", "fleet_engine.py"}


@pytest.mark.parametrize("name", sorted({file.name for file in EXAMPLES.glob("*.py")} - ELSEWHERE))
def test_example(name, tmp_path):
    """In development mode, with warnings as errors."""
    done = run_program(EXAMPLES / name, tmp_path / "journal", options=("-X", "dev", "-W", "error"))
    # asyncio tells of each step that took more than a tenth of a second, which on a busy machine is
    # any.
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("Executing <")]
    assert done.returncode == 0 and done.stdout and not complaints, done.stdout + done.stderr


def test_the_packages_own_readme(tmp_path):
    [block] = re.findall(r"^```python\n(.*?)^```$", (PACKAGE / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert run_program(block).stdout.strip() == re.search(r"print.*# (.*)", block)[1]


def test_commands_of_the_page_are_understood(tmp_path):
    """Those that ask the hosted service, asked of the sandbox, on the day that they speak of."""
    config = tmp_path / "clinic.json"
    config.write_text(re.search(r"`(\{\"endpoint\".*?\})` opens the", PAGE)[1])
    block = re.search(r"## Trying a key and a bot\n.*?^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
    program = "venv/bin/partnerbooking "
    commands = [line for line in block.splitlines() if line.startswith(program)]
    assert len(commands) == 3
    for command in commands:
        done = run_program(
            "import shlex, sys; from partnerbooking._cli import main; sys.exit(main(shlex.split(sys.argv[1])))",
            f"{command.removeprefix(program)} --config {config} --json",
        )
        assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
