"""The Makefile on a machine where something is missing: which targets install packages, and what the others say.

Each test runs in a copy of the Makefile, on a PATH of its own. There `apt-get`, `swift` and `python3` only write down
how they were called, and the compiler sees no headers but those that the fake `apt-get` has installed.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from makefile import ROOT, targets

INTERNAL = {"all", "check-build", "check-test", "build-swift-tests"}
"""Targets that `make help` does not list."""

TOOLS = ["env", "find", "grep", "ln", "make", "mkdir", "sed", "sh", "touch"]

FAKES = {
    "apt-get": 'case "$*" in *" libcurl4-openssl-dev"*) mkdir -p "$HEADERS/curl"; : >"$HEADERS/curl/curl.h" ;; esac',
    "id": "echo 0",
    "python3": 'case "$*" in "-m venv "*) mkdir -p "$3/bin"; ln -s "$(command -v python3)" "$3/bin/pip" ;; esac',
    "swift": "exit 1",
    "swiftc": "echo {}",
    "objcopy": ":",
    "cc": f'exec {shutil.which("cc")} -nostdinc -isystem "$HEADERS" "$@"',
}
"""What these commands do, apart from writing down how they were called."""


@dataclass
class Machine:
    """A machine with Swift and a compiler, but without libcurl's header."""

    tree: Path
    commands: Path

    def run(self, *command: object) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": str(self.commands),
            "HEADERS": str(self.tree.parent / "headers"),
            "CALLS": str(self.tree.parent / "calls"),
        }
        return subprocess.run(
            [str(word) for word in command],
            cwd=self.tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=50,
            check=False,
        )

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("make", "--no-print-directory", *words)

    def lacks(self, command: str) -> None:
        (self.commands / command).unlink()

    @property
    def calls(self) -> list[str]:
        """The commands that change something, in the order in which they were called."""
        file = self.tree.parent / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line.split()[0] in ("apt-get", "sudo", "swift", "python3", "pip")]

    @property
    def installed(self) -> set[str]:
        """The Debian packages."""
        calls = [call for call in self.calls if call.startswith("apt-get install ")]
        return {word for call in calls for word in call.split()[2:] if not word.startswith("-")}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    tree, commands = tmp_path / "tree", tmp_path / "commands"
    for folder in (tree / "Sources", tree / "packaging", tree / "Tests" / "python", commands):
        folder.mkdir(parents=True)
    for name in ("Makefile", "Package.swift", "packaging/package.mk", "Tests/python/requirements.txt"):
        shutil.copy(ROOT / name, tree / name)
    for name in ("include", "scripts"):
        shutil.copytree(ROOT / name, tree / name)
    for tool in TOOLS:
        (commands / tool).symlink_to(shutil.which(tool) or tool)
    for name, does in FAKES.items():
        file = commands / name
        file.write_text(f'#!/bin/sh\necho "${{0##*/}} $*" >>"$CALLS"\n{does}\n')
        file.chmod(0o755)
    return Machine(tree, commands)


# ---- make help ------------------------------------------------------------------------------------------------------


def listed(page: str) -> set[str]:
    lines = re.findall(r"^  make ([a-z-]+(?:, [a-z-]+)*) +\S", page, re.MULTILINE)
    return {name for line in lines for name in line.split(", ")} | set(re.findall(r"\btest-\w+", page))


def test_help_lists_every_target(machine):
    done = machine.make("help")
    assert (done.returncode, done.stderr) == (0, "")
    assert listed(done.stdout) == targets() - INTERNAL
    assert done.stdout.startswith("First steps\n") and max(map(len, done.stdout.splitlines())) <= 100
    assert machine.calls == []


def test_help_is_printed_when_asked_for_only(machine):
    assert "First steps" not in machine.make().stdout
    assert "First steps" not in machine.make("lib").stdout


# ---- Targets that install nothing -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lacking", "named"),
    [
        ([], "libcurl4-openssl-dev"),
        (["swift"], "swift libcurl4-openssl-dev"),
        (["cc", "objcopy"], "gcc libcurl4-openssl-dev binutils"),
    ],
)
def test_lib_names_what_is_missing_in_one_line(machine, lacking, named):
    for command in lacking:
        machine.lacks(command)
    done = machine.make("lib")
    assert (done.returncode, done.stdout) == (2, "")
    one_line = rf"Makefile:\d+: \*\*\* Missing: {named}\. Run `make deps`\.  Stop\.\n"
    assert re.fullmatch(one_line, done.stderr), done.stderr
    assert machine.calls == [] and not (machine.tree / "build").exists()


@pytest.mark.parametrize(
    "target",
    ["examples", "wheel", "demo-call", "demo-relay", "bench", "fleet", "fuzz", "asan", "build-swift-tests", "test-c"]
    + ["test-python", "install", "deb", "docs", "test-hosts", "test-package", "abi-description"],
)
def test_other_targets_install_nothing(machine, target):
    done = machine.make(target)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "Run `make deps`" in done.stderr
    assert machine.calls == []


def test_header_that_is_there_is_found(machine):
    header = machine.tree.parent / "headers" / "curl" / "curl.h"
    header.parent.mkdir(parents=True)
    header.touch()
    done = machine.make("lib")
    assert done.returncode == 2 and "Missing" not in done.stderr
    assert machine.calls[0].startswith("swift build -c release --product partnerbooking ")


# ---- Targets that install -------------------------------------------------------------------------------------------


def test_deps_installs_for_build_and_tests(machine):
    done = machine.make("deps")
    assert done.returncode == 0, done.stderr
    assert {"libcurl4-openssl-dev", "g++", "valgrind", "doxygen"} <= machine.installed
    assert "gcc" not in machine.installed
    installs = [call for call in machine.calls if call.startswith("apt-get")]
    assert installs[0] == "apt-get update -qq" and len(installs) == 2
    assert (machine.tree / ".venv" / "installed").exists()
    assert not [call for call in machine.calls if call.startswith("swift")]


def test_deps_says_where_swift_is(machine):
    machine.lacks("swift")
    done = machine.make("deps")
    assert done.returncode == 2 and "https://www.swift.org/install" in done.stderr
    assert "libcurl4-openssl-dev" in machine.installed


def test_demo_installs_what_the_build_needs(machine):
    done = machine.make("demo")
    assert done.returncode == 2  # the fake Swift builds nothing
    assert machine.installed == {"libcurl4-openssl-dev"}
    assert [call.split()[0] for call in machine.calls] == ["apt-get", "apt-get", "swift"]


def test_tests_install_all_that_they_need(machine):
    done = machine.make("test")
    assert done.returncode == 2
    assert {"libcurl4-openssl-dev", "valgrind"} <= machine.installed
    assert (machine.tree / ".venv" / "installed").exists()
    assert machine.calls[-1].startswith("swift format lint")


def test_ci_runs_the_tests(machine):
    (machine.tree / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", machine.tree / ".ci")
    for tool in ("bash", "dirname"):
        (machine.commands / tool).symlink_to(shutil.which(tool) or tool)
    assert machine.run(".ci/run").returncode == 2
    assert machine.calls[-1].startswith("swift format lint")


def test_ci_runs_the_tests_in_agent_frameworks_as_well():
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert [line for line in lines if re.match(r"(exec )?make\b", line)] == ["make test", "exec make test-hosts"]


# ---- scripts/install-packages ---------------------------------------------------------------------------------------


def install(machine: Machine, *words: str) -> subprocess.CompletedProcess[str]:
    return machine.run("scripts/install-packages", *words)


def test_nothing_is_installed_when_nothing_is_missing(machine):
    done = install(machine, "sh=dash", "import:json=python3-json")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [call for call in machine.calls if "apt-get" in call] == []


PROBES = ["no-such-command=a", "no/such.h=b", "no/such.hpp=c", "libnosuch.so.1=d"]


def test_probes_of_each_kind(machine):
    done = install(machine, "--missing", *PROBES, "sh=dash")
    assert (done.returncode, done.stdout) == (0, "a b c d\n")
    machine.lacks("python3")
    assert install(machine, "--missing", "import:ensurepip=python3-venv").stdout == "python3-venv\n"
    assert install(machine, "--missing", "sh=dash").stdout == "\n"


def test_without_root_it_names_the_packages(machine):
    machine.lacks("id")
    (machine.commands / "id").symlink_to(shutil.which("echo") or "echo")
    done = install(machine, *PROBES)
    assert (done.returncode, done.stderr) == (1, "Missing packages. Run:  sudo apt-get install a b c d\n")
    assert machine.installed == set()


def test_daemon_is_unpacked_and_not_installed(machine):
    """An installed one would start."""
    for name, does in {"apt-get": "touch daemon.deb", "dpkg-deb": "mkdir -p usr/bin && : >usr/bin/daemon"}.items():
        (machine.commands / name).write_text(f'#!/bin/sh\necho "${{0##*/}} $*" >>"$CALLS"\n{does}\n')
        (machine.commands / name).chmod(0o755)
    (machine.commands / "rm").symlink_to(shutil.which("rm") or "rm")
    folder = machine.tree / "build" / "debian"
    done = install(machine, "--unpack", "build/debian", "daemon=package", "sh=dash")
    assert (done.returncode, done.stdout) == (0, "Unpacking: package\n"), done.stderr
    assert [call.split()[:2] for call in machine.calls] == [["apt-get", "download"]]
    assert machine.calls[0].endswith(" package")
    assert sorted(file.name for file in folder.rglob("*") if file.is_file()) == ["daemon"]
    (folder / "usr" / "bin" / "daemon").chmod(0o755)
    done = install(machine, "--unpack", "build/debian", "daemon=package", "sh=dash")
    assert (done.returncode, done.stdout, len(machine.calls)) == (0, "", 1)


def test_without_apt_it_names_the_packages(machine):
    machine.lacks("apt-get")
    done = install(machine, *PROBES)
    assert (done.returncode, done.stderr) == (
        1,
        "Missing. Install what your system calls these Debian packages: a b c d\n",
    )
