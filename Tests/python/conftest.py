"""Servers and clients for the tests of ring 3: the shipped shared object against real servers on loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "servers"))

import pbk
from certificates import Certificates, make_certificates
from completions import WAYS, ByCallback, ByQueue
from doubts import answering, journaled, opened  # noqa: F401  # fixtures of several files
from fault_server import FaultServer, Script
from held import ending, holding  # noqa: F401  # fixtures of several files
from host import Host
from ledger import on_the_wire, one_at_a_time  # noqa: F401  # fixtures of several files
from reference_api import API_KEY
from reference_webhook import WEBHOOK_PATH, WEBHOOK_SECRET
from run_reference import ReferenceServer
from samples import BOT_ID, CALLS_ONLY
from test_give_up_disk import disk, faults_library  # noqa: F401  # fixtures of several files

SECONDS_PER_TEST = 60


LONGEST_FIRST = [
    "test_campaigns.py",
    "test_journal_campaigns.py",
    "test_zoo.py",
    "test_warm.py",
    "test_install.py",
    "test_examples.py",
    "test_package_install.py",
    "test_cpp.py",
    "test_http.py",
    "test_debian.py",
    "test_heard_settled.py",
    "test_clock_jumps.py",
    "test_late_records.py",
    "test_ledger_services.py",
    "test_truth.py",
    "test_heard_refusals.py",
    "test_service_answers.py",
    "test_settled.py",
]
"""Files are dealt out whole to the workers: one that takes a minute and comes last leaves all others idle for it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A call that never returns must not hang the run: C code cannot be interrupted, so the process ends."""
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))
    for item in items:
        item.add_marker(pytest.mark.timeout(SECONDS_PER_TEST, method="thread"))


UNHURRIED = {"timeout_ms": 30_000, **CALLS_ONLY}
"""A machine that is busy with other things must not fail a test by a deadline that the test is not about."""


@dataclass(frozen=True)
class Service:
    """One way to reach the reference server. Its clients connect when they call, and not ahead."""

    http_version: str
    config: dict[str, Any]


@dataclass(frozen=True)
class Relay:
    """One way to relay to the reference server as a platform. Its clients connect when they call, and not ahead."""

    http_version: str
    url: str
    members: dict[str, Any]
    """Of the configuration."""

    def platform(self, account_id: str, **members: Any) -> dict[str, Any]:
        """What a configuration says of a bot whose requests go to that account."""
        webhook = {"webhook_url": f"{self.url}{WEBHOOK_PATH}", "webhook_secret": WEBHOOK_SECRET}
        return {"account_id": account_id, **webhook, **members}

    def config(self, account_id: str, bot_id: str = BOT_ID) -> dict[str, Any]:
        """For one bot."""
        return {"endpoint": "platform_webhook", "platforms": {bot_id: self.platform(account_id)}, **self.members}


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def reference(certificates: Certificates) -> Iterator[ReferenceServer]:
    with ReferenceServer(certificates.good) as server:
        yield server


@pytest.fixture
def no_violation(reference: ReferenceServer) -> Iterator[None]:
    """Whatever a test was about: what the library sent must have been to the letter of the API document."""
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
    """Opens clients and closes them when the test is over. Keyword arguments are added to the configuration.

    It asks for `threads` only so that clients are closed first: calls that a failed test has left there then return.
    """
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
    """Runs Python in a fresh process, for what must not happen in this one. It fails the test by its exit code."""

    def run(program: str) -> None:
        command = [sys.executable, "-c", program]
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return run
