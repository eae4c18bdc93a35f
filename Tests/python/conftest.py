"""Servers and clients for the tests of ring 3: the shipped shared object against real servers on
loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from header import ROOT
from order import LONGEST_FIRST
from programs import EXAMPLES, run

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "servers"))
sys.path.insert(0, str(Path(__file__).resolve().parent / "package"))
sys.path.insert(0, str(EXAMPLES))

import pbk
from callers import call  # noqa: F401  # fixtures of several files
from certificates import Certificates, make_certificates
from completions import WAYS, ByCallback, ByQueue
from disks import disk, faults_library  # noqa: F401  # fixtures of several files
from doubts import answering, journaled, opened  # noqa: F401  # fixtures of several files
from fault_server import FaultServer, Script
from held import ending, holding  # noqa: F401  # fixtures of several files
from host import Host
from ledger import on_the_wire, one_at_a_time  # noqa: F401  # fixtures of several files
from ledger_hands import start_hands  # noqa: F401  # a fixture of several files
from programs import run_program
from reference_names import API_KEY
from run_reference import ReferenceServer
from services import UNHURRIED, Relay, Service
from sites import visit, zoo  # noqa: F401  # fixtures of several files

SECONDS_PER_TEST = 60


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A call that never returns must not hang the run: C code cannot be interrupted, so the process
    ends."""
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))
    for item in items:
        item.add_marker(pytest.mark.timeout(SECONDS_PER_TEST, method="thread"))


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def reference(certificates: Certificates) -> Iterator[ReferenceServer]:
    with ReferenceServer(certificates.good) as server:
        yield server


@pytest.fixture
def no_violation(reference: ReferenceServer) -> Iterator[None]:
    """Whatever a test was about: what the library sent must have been to the letter of the API
    document."""
    yield
    assert reference.take_violations() == []


@pytest.fixture(scope="session")
def http1(reference: ReferenceServer) -> Service:
    return Service("1.1", {"api_key": API_KEY, "base_url": reference.http_url, **UNHURRIED})


@pytest.fixture(scope="session")
def http2(reference: ReferenceServer, certificates: Certificates) -> Service:
    tls = {"ca_file": str(certificates.ca_file)}
    return Service("2", {"api_key": API_KEY, "base_url": reference.https_url, "tls": tls, **UNHURRIED})


@pytest.fixture(params=["http1", "http2"])
def service(request: pytest.FixtureRequest) -> Service:
    """Both ways, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def relay1(reference: ReferenceServer) -> Relay:
    return Relay("1.1", reference.http_url, UNHURRIED)


@pytest.fixture(scope="session")
def relay2(reference: ReferenceServer, certificates: Certificates) -> Relay:
    return Relay("2", reference.https_url, {"tls": {"ca_file": str(certificates.ca_file)}, **UNHURRIED})


@pytest.fixture(params=["relay1", "relay2"])
def relay(request: pytest.FixtureRequest) -> Relay:
    """Both ways, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads to make blocking calls on."""
    with ThreadPoolExecutor(16) as executor:
        yield executor


@pytest.fixture
def open_client(threads: ThreadPoolExecutor) -> Iterator[Callable[..., pbk.Client]]:
    """Opens clients and closes them when the test is over. Keyword arguments are added to the
    configuration.

    It asks for `threads` only so that clients are closed first: calls that a failed test has left
    there then return. """
    with ExitStack() as clients:

        def open_client(config: dict[str, Any], **members: Any) -> pbk.Client:
            return clients.enter_context(pbk.Client({**config, **members}))

        yield open_client


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> ByCallback | ByQueue:
    """Both ways to be told of a submitted call, one after the other."""
    return WAYS[request.param]()


@pytest.fixture
def start_faults() -> Iterator[Callable[..., FaultServer]]:
    """Starts fault servers and stops them when the test is over."""
    with ExitStack() as servers:

        def start(*scripts: Script, **options: Any) -> FaultServer:
            return servers.enter_context(FaultServer(*scripts, **options))

        yield start


@pytest.fixture
def start_host() -> Iterator[Callable[..., Host]]:
    """Starts hosts in processes of their own, and kills them when the test is over."""
    with ExitStack() as hosts:

        def start(config: dict[str, Any], **environment: str) -> Host:
            return hosts.enter_context(Host(config, **environment))

        yield start


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where `with_journal` puts it."""
    return tmp_path / "journal"


@pytest.fixture
def run_python() -> Callable[[str], None]:
    """Runs Python in a fresh process, for what must not happen in this one. It fails the test by
    its exit code."""

    def run(program: str) -> None:
        done = run_program(program)
        assert done.returncode == 0, done.stdout + done.stderr

    return run


@pytest.fixture(scope="session")
def strace() -> str:
    strace = shutil.which("strace")
    assert strace is not None, "strace is needed; Debian's package has the same name"
    tried = subprocess.run([strace, "-o", os.devnull, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0 and "PTRACE" in tried.stderr.upper():
        pytest.skip(f"ptrace is not permitted here: {tried.stderr.strip()}")
    assert tried.returncode == 0, tried.stderr
    return strace


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The examples, built by their plain Makefile."""
    folder = tmp_path_factory.mktemp("examples")
    run("make", "-C", EXAMPLES, f"PBK={ROOT}", f"BUILD={folder}")
    return folder
