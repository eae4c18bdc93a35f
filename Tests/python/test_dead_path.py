"""A network path that dies without a word, as behind a NAT that has forgotten the connection.

Packets are dropped by the kernel, in a network namespace of the test's own; that takes root and Debian's iproute2.
Elsewhere the test is skipped: a proxy in user space cannot do it, as the kernel acknowledges what the proxy swallows.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pbk
import pytest
from certificates import Authority
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from header import ROOT
from samples import CALLS_ONLY, search_request

NAMESPACE = f"pbk{os.getpid()}"
OURS, THEIRS = "10.231.7.1", "10.231.7.2"


def ip(*arguments: str, inside: bool = False) -> None:
    where = ["-n", NAMESPACE] if inside else []
    subprocess.run(["ip", *where, *arguments], check=True, capture_output=True, text=True)


@pytest.fixture
def network() -> Iterator[None]:
    """This host and another one, joined by a cable."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("needs root and iproute2")
    try:
        ip("netns", "add", NAMESPACE)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespaces here: {error.stderr.strip()}")
    try:
        ip("link", "add", NAMESPACE, "type", "veth", "peer", "name", "cable", "netns", NAMESPACE)
        ip("addr", "add", f"{OURS}/24", "dev", NAMESPACE)
        ip("link", "set", NAMESPACE, "up")
        ip("addr", "add", f"{THEIRS}/24", "dev", "cable", inside=True)
        ip("link", "set", "cable", "up", inside=True)
        yield
    finally:
        ip("netns", "del", NAMESPACE)


def test_call_over_a_dead_path_is_sent_again(network: None, tmp_path: Path, open_client: Callable[..., pbk.Client]):
    authority = Authority("Dead path authority")
    (tmp_path / "ca.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    name = x509.IPAddress(ipaddress.ip_address(THEIRS))
    certificate = authority.issue(tmp_path / "server", [name], datetime.now().astimezone() + timedelta(days=1))

    command = ["ip", "netns", "exec", NAMESPACE, sys.executable, str(ROOT / "Tests" / "servers" / "quiet_server.py")]
    with subprocess.Popen(
        [*command, THEIRS, str(certificate.chain), str(certificate.key)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        port = server.stdout.readline().strip()
        tls = {"ca_file": str(tmp_path / "ca.pem")}
        config = {"api_key": "sk_ptnr_dead_path", "base_url": f"https://{THEIRS}:{port}", "tls": tls}
        client = open_client(config, **CALLS_ONLY)
        assert client.search(search_request("bot_1")).status == 0

        # From now on nothing reaches that connection any more. New ones are well.
        dead = server.stdout.readline().strip()
        ip("rule", "add", "ipproto", "tcp", "dport", dead, "blackhole", inside=True)
        result = client.search({**search_request("bot_1"), "timeout_ms": 15_000})
        assert result.status == 0, result
        assert json.loads(result.reply) == {"availabilities": []}
        assert server.stdout.readline().strip() != dead
        server.stdin.close()
