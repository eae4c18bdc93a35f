"""The library in processes that are others' as well: other users of libcurl and of OpenSSL."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from certificates import Certificates
from conftest import Service
from pbk import LIBRARY, ROOT
from run_reference import ReferenceServer
from test_shared_object import NEEDED_AT_MOST

SOURCES = ROOT / "Tests" / "beside"

pytestmark = pytest.mark.usefixtures("no_violation")


def run(
    *command: object, expect: int = 0, cwd: Path | None = None, **environment: object
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == expect, f"exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done


@pytest.fixture(scope="module")
def programs() -> Path:
    run("make", "-s", "-j", "2", "-C", SOURCES)
    return ROOT / "build" / "tests-beside"


@pytest.fixture(scope="module")
def service(http2: Service) -> str:
    """A configuration: TLS and HTTP/2."""
    return json.dumps(http2.config)


@pytest.fixture(scope="module")
def distrusted(http2: Service) -> str:
    """The same without the authority that has signed the service's certificate."""
    return json.dumps({name: value for name, value in http2.config.items() if name != "tls"})


@pytest.fixture(scope="module")
def others(reference: ReferenceServer, certificates: Certificates) -> tuple[str, Path]:
    """What others ask for over TLS, and whom they trust."""
    return f"{reference.https_url}/_test/log?about=nothing", certificates.ca_file


class Bindings:
    """Who took which name from whom, as the loader tells."""

    def __init__(self, folder: Path) -> None:
        self.environment = {"LD_DEBUG": "bindings", "LD_DEBUG_OUTPUT": folder / "bindings"}
        self._folder = folder

    def check(self) -> None:
        """The library takes names from what it was linked with, those of libcurl from its own libcurl; nobody takes
        from it what is not of its ABI.
        """
        line = r"binding file (\S+) \[0\] to (\S+) \[0\]: \w+ symbol `(\w+)'"
        told = "".join(file.read_text() for file in self._folder.glob("bindings.*"))
        taken, given = set(), set()
        for taker, giver, name in re.findall(line, told):
            names = [Path(file).name.startswith("libpartnerbooking.so") for file in (taker, giver)]
            if names == [True, False]:
                taken.add((Path(giver).name, name))
            elif names == [False, True]:
                given.add(name)
        assert {giver for giver, name in taken if name.startswith("curl_")} == {"libcurl.so.4"}
        assert {giver for giver, _ in taken} <= NEEDED_AT_MOST
        assert all(name.startswith("pbk_") for name in given), given


@pytest.fixture
def bindings(tmp_path: Path) -> Bindings:
    return Bindings(tmp_path)


# ---- Another libcurl ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("program", "first"),
    [
        ("two_curls", "theirs"),
        ("two_curls", "ours"),
        ("two_curls_theirs_first", "theirs"),
        ("two_curls_ours_first", "ours"),
    ],
)
def test_libcurl_with_gnutls(programs, service, others, bindings, program, first):
    """Opened while the program runs, or linked to it, in either order: each has its libcurl, and goes on when the other
    has cleaned up.
    """
    run(programs / program, first, LIBRARY, service, *others, **bindings.environment)
    bindings.check()


@pytest.mark.parametrize("habit", ["counted", "too-often", "own-memory"])
def test_host_that_uses_our_libcurl(programs, service, others, habit):
    """It starts and ends libcurl in the middle of our calls, and its handle outlives our clients."""
    run(programs / "same_curl", habit, LIBRARY, service, *others)


# ---- Another user of OpenSSL ----------------------------------------------------------------------------------------


def test_pythons_ssl(service, distrusted, certificates):
    files = certificates.good.chain, certificates.good.key, certificates.ca_file
    program = SOURCES / "ssl_user.py"
    done = run(sys.executable, program, service, distrusted, *files, PYTHONPATH=Path(__file__).parent)
    assert (done.stdout, done.stderr) == ("unharmed\n", "")
