"""Whose certificates are trusted: the system's, or those of `tls.ca_file` and no others."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from certificates import Authority, Certificates
from cryptography.hazmat.primitives.serialization import Encoding
from fault_server import answer, http_reply
from reference_names import API_KEY
from samples import CALLS_ONLY, SEARCH_REPLY, search_request

SYSTEM = "/etc/ssl/certs"

CHILD = """
import json, sys
import pbk
for config in json.loads(sys.argv[1]):
    with pbk.Client(config) as client:
        print(client.search(sys.argv[2]).status)
"""


@pytest.fixture
def system_certificates(certificates: Certificates, tmp_path: Path) -> Path:
    """A directory as Debian has it, with one authority: in the file with all of them, and under its hash."""
    directory = tmp_path / "certs"
    directory.mkdir()
    (directory / "ca-certificates.crt").write_bytes(certificates.ca_file.read_bytes())
    command = ["openssl", "x509", "-noout", "-hash", "-in", str(certificates.ca_file)]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (directory / f"{name}.0").write_bytes(certificates.ca_file.read_bytes())
    return directory


def can_mount() -> bool:
    command = ["unshare", "--mount", "true"]
    return shutil.which("unshare") is not None and subprocess.run(command, capture_output=True).returncode == 0


@pytest.mark.skipif(not can_mount(), reason="needs a mount namespace of its own, which takes root")
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to name a certificate by its hash")
@pytest.mark.skipif(not Path(SYSTEM, "ca-certificates.crt").exists(), reason=f"certificates are not in {SYSTEM}")
def test_a_ca_file_takes_the_place_of_the_systems_certificates(
    start_faults, certificates: Certificates, system_certificates: Path, tmp_path: Path
) -> None:
    """Debian's libcurl looks into a directory of certificates by default, also when it is given a file."""
    server = start_faults(answer(http_reply(200, SEARCH_REPLY)), certificate=certificates.good)
    other = tmp_path / "other.pem"
    other.write_bytes(Authority("Nobody's authority").certificate.public_bytes(Encoding.PEM))
    base = {"api_key": API_KEY, "base_url": server.url, "retry": {"max_attempts": 1}, **CALLS_ONLY}
    right, wrong = ({**base, "tls": {"ca_file": str(file)}} for file in (certificates.ca_file, other))
    configs = json.dumps([base, wrong, right])

    mounted = f'mount --bind "$0" {SYSTEM} && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", mounted, str(system_certificates)]
    command += [sys.executable, "-c", CHILD, configs, json.dumps(search_request())]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "43", "0"]
