"""The wheel on systems that have Python and nothing else: trees made by debootstrap, without
libcurl. Trees of Debian have to do for other distributions as well: their places for certificates
are what differs.

It takes root, for chroot, and a mirror of Debian: the one of the system, or DEBIAN_MIRROR.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "Tests" / "servers"))

from certificates import Certificates, make_certificates  # noqa: E402
from fault_server import FaultServer, answer, http_reply  # noqa: E402

TREES = ROOT / "build" / "hosts" / "trees"
SUITES = {"bookworm": "Debian 12", "trixie": "Debian 13"}
BUNDLE = "etc/ssl/certs/ca-certificates.crt"
OTHER_PLACES = ["etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/ca-bundle.pem", "etc/ssl/cert.pem"]
"""Fedora and Red Hat, SUSE, Alpine."""

pytestmark = pytest.mark.timeout(600, method="thread")

SEARCH = """
import json, sys
import partnerbooking as pb
request = pb.SearchAvailabilityRequest("bot_1", "2030-01-14T09:00:00Z", "2030-01-14T17:00:00Z")
with pb.Client(**json.loads(sys.argv[1])) as client:
    try:
        print(len(client.search_availability(request).availabilities))
    except pb.Error as error:
        print(error.code)
"""
REPLY = b'{"availabilities":[{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30}]}'


def run(*command: object, timeout: float = 300, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", **environment}
    return subprocess.run(words, env=env, capture_output=True, text=True, timeout=timeout, check=False)


def bootstrap(suite: str) -> Path:
    """Makes the tree, once."""
    tree = TREES / suite
    if tree.exists():
        return tree
    TREES.mkdir(parents=True, exist_ok=True)
    half = TREES / f"{suite}.half"
    shutil.rmtree(half, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", "--include=python3,python3-venv", suite, half]
    mirror = os.environ.get("DEBIAN_MIRROR")
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    done = run(*command, *([mirror] if mirror else []), **proxies)
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines()
        pytest.fail(f"debootstrap cannot make a tree of {suite}; DEBIAN_MIRROR names another mirror: {lines[-3:]}")
    half.rename(tree)
    return tree


class Machine:
    """A copy of a tree with the wheel in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def sh(self, *command: object, **environment: str) -> str:
        done = run("chroot", self.root, *command, timeout=120, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        assert not done.stderr, done.stderr
        return done.stdout

    def search(self, config: dict[str, object], **environment: str) -> str:
        """The number of free times, or the error's code."""
        return self.sh("/venv/bin/python", "-c", SEARCH, json.dumps(config), **environment).strip()

    def trust(self, place: str | None, certificates: Certificates) -> None:
        """Puts the system's certificates, with the test's authority among them, there and nowhere
        else."""
        whole = (TREES / self.root.name / BUNDLE).read_bytes() + certificates.ca_file.read_bytes()
        shutil.rmtree(self.root / "etc/ssl/certs", ignore_errors=True)
        for each in OTHER_PLACES:
            (self.root / each).unlink(missing_ok=True)
        if place:
            (self.root / place).parent.mkdir(parents=True, exist_ok=True)
            (self.root / place).write_bytes(whole)


@pytest.fixture(scope="module", params=SUITES, ids=SUITES.get)
def machine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if os.geteuid() != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("these tests need root, for debootstrap and chroot")
    if shutil.which("debootstrap", path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
        pytest.fail("these tests need debootstrap: run `make deps`")
    tree = bootstrap(request.param)
    root = tmp_path_factory.mktemp("slim") / request.param
    copied = run("cp", "-a", "--reflink=auto", tree, root)
    assert copied.returncode == 0, copied.stderr
    [wheel] = (ROOT / "build" / "wheel").glob("*.whl")
    shutil.copy(wheel, root / "tmp")
    machine = Machine(root)
    machine.sh("python3", "-m", "venv", "/venv")
    machine.sh("/venv/bin/pip", "install", "--quiet", "--no-index", "--disable-pip-version-check", f"/tmp/{wheel.name}")
    yield machine
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def config(certificates: Certificates) -> Iterator[dict[str, object]]:
    """A service over TLS, whose authority no system knows."""
    with FaultServer(answer(http_reply(200, REPLY)), certificate=certificates.good) as server:
        yield {"api_key": "sk_ptnr_slim", "base_url": server.url, "keep_warm_ms": 0, "retry": {"max_attempts": 1}}


def test_the_system_has_no_libcurl(machine: Machine) -> None:
    assert not list(machine.root.glob("usr/lib/*/libcurl*"))


def test_search_in_the_sandbox(machine: Machine) -> None:
    assert "30 min" in machine.sh("/venv/bin/partnerbooking", "search", "--sandbox", "--bot", "bot_1")


def test_doctor_shows_what_is_inside(machine: Machine) -> None:
    said = machine.sh("/venv/bin/partnerbooking", "doctor", "--sandbox")
    assert "libcurl/" in said and "OpenSSL/" in said and "from this package" in said


def test_tls_with_a_private_authority(machine: Machine, certificates: Certificates, config: dict[str, object]) -> None:
    (machine.root / "tmp" / "private.pem").write_bytes(certificates.ca_file.read_bytes())
    assert machine.search({**config, "tls": {"ca_file": "/tmp/private.pem"}}) == "1"
    assert machine.search(config) == "tls_failed"
    assert machine.search(config, SSL_CERT_FILE="/tmp/private.pem") == "1"


@pytest.mark.parametrize("place", [BUNDLE, *OTHER_PLACES])
def test_tls_with_the_systems_certificates(
    machine: Machine, certificates: Certificates, config: dict[str, object], place: str
) -> None:
    machine.trust(place, certificates)
    assert machine.search(config) == "1"


def test_without_certificates_the_doctor_says_what_to_install(
    machine: Machine, certificates: Certificates, config: dict[str, object]
) -> None:
    machine.trust(None, certificates)
    assert machine.search(config) == "tls_failed"
    environment = {"PARTNER_API_KEY": str(config["api_key"]), "PARTNER_API_URL": str(config["base_url"])}
    done = run("chroot", machine.root, "/venv/bin/partnerbooking", "doctor", **environment)
    assert done.returncode == 1 and "ca-certificates" in done.stdout, done.stdout + done.stderr
