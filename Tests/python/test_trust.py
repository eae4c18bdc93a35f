"""Certificates that are trusted: those of `tls.ca_file` and no others, else those that the
environment names, else the system's, wherever its distribution keeps them."""

from __future__ import annotations

import json
import os
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


PLACES = {
    "Debian, Ubuntu, Alpine": "ssl/certs/ca-certificates.crt",
    "Fedora, Red Hat": "pki/tls/certs/ca-bundle.crt",
    "Fedora, Red Hat: extracted": "pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "SUSE": "ssl/ca-bundle.pem",
    "Alpine: OpenSSL's own": "ssl/cert.pem",
}


@pytest.fixture
def trusted(start_faults, certificates: Certificates, tmp_path: Path):
    """Returns true when a search succeeds with these files below /etc, and nothing else there."""
    server = start_faults(answer(http_reply(200, SEARCH_REPLY)), certificate=certificates.good)
    base = {"api_key": API_KEY, "base_url": server.url, "retry": {"max_attempts": 1}, **CALLS_ONLY}

    def trusted(etc: dict[str, bytes], tls: dict[str, str] | None = None, **environment: str) -> bool:
        folder = tmp_path / "etc"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in etc.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        configs = json.dumps([{**base, "tls": tls} if tls else base])
        command = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc && exec "$@"', str(folder)]
        command += [sys.executable, "-c", CHILD, configs, json.dumps(search_request())]
        clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        here = Path(__file__).parent
        done = subprocess.run(
            command, cwd=here, env=clean | environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.stdout in ("0\n", "43\n"), done.stdout + done.stderr
        return done.stdout == "0\n"

    return trusted


VARIABLES = ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")

mounts = pytest.mark.skipif(not can_mount(), reason="needs a mount namespace of its own, which takes root")


@mounts
def test_the_systems_certificates_are_found_where_they_are(trusted, certificates: Certificates) -> None:
    content = certificates.ca_file.read_bytes()
    assert [place for place in PLACES.values() if not trusted({place: content})] == []
    assert not trusted({}) and not trusted({"ssl/certs/other.pem": content})
    # A file without a certificate is passed over.
    assert trusted({PLACES["Debian, Ubuntu, Alpine"]: b"", PLACES["Fedora, Red Hat"]: content})


@mounts
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to name a certificate by its hash")
def test_a_directory_is_enough(trusted, system_certificates: Path, certificates: Certificates) -> None:
    [hashed] = system_certificates.glob("*.0")
    assert trusted({f"ssl/certs/{hashed.name}": hashed.read_bytes()})
    assert trusted({f"pki/tls/certs/{hashed.name}": hashed.read_bytes()})


@mounts
@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to name a certificate by its hash")
def test_the_environment_comes_before_the_system_and_after_the_configuration(
    trusted, system_certificates: Path, certificates: Certificates, tmp_path: Path
) -> None:
    right, wrong = str(certificates.ca_file), str(tmp_path / "other.pem")
    Path(wrong).write_bytes(Authority("Nobody's authority").certificate.public_bytes(Encoding.PEM))
    system = {PLACES["Debian, Ubuntu, Alpine"]: certificates.ca_file.read_bytes()}
    assert trusted({}, CURL_CA_BUNDLE=right) and trusted({}, SSL_CERT_FILE=right)
    assert trusted({}, SSL_CERT_DIR=str(system_certificates))
    assert trusted(system, SSL_CERT_FILE="") and trusted({}, CURL_CA_BUNDLE=right, SSL_CERT_FILE=wrong)
    assert trusted({}, SSL_CERT_FILE=wrong, SSL_CERT_DIR=str(system_certificates))
    # Nothing else is trusted then, neither in the file's place nor beside it.
    for path in (wrong, "/nowhere.pem"):
        assert not trusted(system, CURL_CA_BUNDLE=path) and not trusted(system, SSL_CERT_FILE=path)
    assert not trusted(system, SSL_CERT_DIR=str(tmp_path))
    assert trusted(system, {"ca_file": right}, SSL_CERT_FILE=wrong)
    assert not trusted(system, {"ca_file": wrong}, SSL_CERT_FILE=right)
