"""The configuration of platforms, and the addresses that their webhooks may have: no engine is to be led to a private
network by a URL that somebody else has written, nor by a name that turns into one.

Nothing outside of this machine is ever contacted here.
"""

from __future__ import annotations

import ipaddress
import json
import re
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pbk
import pytest
from certificates import Authority, ServerCertificate
from contract import error_object, failure, success
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from fault_server import FaultServer, answer, http_reply
from reference_names import API_KEY
from samples import (
    BOOKING_REPLY,
    BOT_ID,
    CALLS_ONLY,
    ONCE,
    QUICK,
    SEARCH_REPLY,
    booking_request,
    lookup_request,
    search_request,
)

SECRET = "whsec_0123"
PLATFORM = {"account_id": "acct_1", "webhook_url": "https://clinic.example/dialstack", "webhook_secret": SECRET}


def config(*, platform: Any = PLATFORM, **members: Any) -> dict[str, Any]:
    """For one bot. Its clients contact nobody until they are called."""
    return {"endpoint": "platform_webhook", "platforms": {BOT_ID: platform}, **CALLS_ONLY, **members}


def with_member(name: str, value: Any) -> dict[str, Any]:
    """One member of the platform changed, or taken away when it is Ellipsis."""
    platform = {**PLATFORM, name: value}
    return config(platform={name: value for name, value in platform.items() if value is not ...})


def with_url(url: str, **members: Any) -> dict[str, Any]:
    return config(platform={**PLATFORM, "webhook_url": url}, **members)


def opens(config: pbk.Text) -> None:
    pbk.Client(config).close(0)


def refused(config: pbk.Text) -> dict[str, Any]:
    """The error, when it is about the configuration and tells no secret."""
    with pytest.raises(pbk.OpenError) as raised:
        opens(config)
    error = error_object(raised.value.reply)
    assert error["code"] == "invalid_config", error
    return error


# Members


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("account_id", "a"),
        ("account_id", "".join(map(chr, range(0x21, 0x7F)))),
        ("webhook_secret", "s"),
        ("webhook_secret", "\u00fc spaces \t"),
        ("webhook_secret", ["whsec_1"]),
        ("webhook_secret", ["whsec_1", "whsec_2"]),
        ("webhook_url", "https://clinic.example"),
        ("webhook_url", "https://clinic.example:8443/a/b/"),
        ("webhook_url", "https://93.184.216.34/webhook"),
        ("webhook_url", "https://[2606:2800:220:1:248:1893:25c8:1946]/webhook"),
    ],
    ids=str,
)
def test_platform_that_is_right(name, value):
    opens(with_member(name, value))


def test_platform_without_a_webhook():
    opens(config(platform={"account_id": "acct_1"}))
    opens(config(platform={"account_id": "acct_1", "webhook_secret": SECRET}))


def test_thousand_bots():
    platforms = {f"bot_{number}": {**PLATFORM, "account_id": f"acct_{number}"} for number in range(1000)}
    opens(config(platforms=platforms))


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("account_id", ..., "account_id"),
        *(("account_id", value, "account_id") for value in ("", None, 5, "two words", "a\r\nX-Injected: 1", "\u00fc")),
        ("webhook_secret", ..., "webhook_secret"),
        *(("webhook_secret", value, "webhook_secret") for value in ("", None, 5, {}, [], [""], ["s", ""], [5])),
        ("webhook_secret", ["whsec_1", "whsec_2", "whsec_3"], "webhook_secret"),
        ("webhook_secret", "whsec_\u0000", "webhook_secret"),
        *(("webhook_url", value, "webhook_url") for value in ("", None, 5, [], "a.example", "//a.example", "/")),
        ("webhook_url", "http://clinic.example/webhook", "webhook_url"),
        ("webhook_url", "http://localhost.clinic.example/webhook", "webhook_url"),
        ("webhook_url", "http://127.0.0.1.clinic.example/webhook", "webhook_url"),
        ("webhook_url", "ftp://localhost/webhook", "webhook_url"),
        ("webhook_url", "file:///etc/passwd", "webhook_url"),
        ("webhook_url", "https://user@clinic.example/webhook", "webhook_url"),
        ("webhook_url", "https://user:secret@clinic.example/webhook", "webhook_url"),
        ("webhook_url", "https://:secret@clinic.example/webhook", "webhook_url"),
        ("webhook_url", "https://@clinic.example/webhook", "webhook_url"),
        ("webhook_url", "http://localhost@clinic.example/webhook", "webhook_url"),
        ("webhook_url", "http://localhost\\@clinic.example/webhook", "webhook_url"),
        ("webhook_url", "http://localhost#@clinic.example/webhook", "webhook_url"),
        ("webhook_url", "https://clinic.example/webhook?", "webhook_url"),
        ("webhook_url", "https://clinic.example/webhook?a=1", "webhook_url"),
        ("webhook_url", "https://clinic.example/webhook#", "webhook_url"),
        ("webhook_url", "https://clinic.example/webhook#a", "webhook_url"),
        ("webhook_url", "https://clinic.example/web hook", "webhook_url"),
        ("webhook_url", "https://clinic.example/\r\nX-Injected: 1", "webhook_url"),
        ("webhook_url", "https://clinic.example:99999/webhook", "webhook_url"),
        ("colour", "blue", "colour"),
    ],
    ids=str,
)
def test_platform_that_is_wrong(name, value, field):
    error = refused(with_member(name, value))
    assert error["field"] == f"platforms.{BOT_ID}.{field}"
    assert "Injected" not in error["message"] and "secret@" not in error["message"]


@pytest.mark.parametrize("platforms", [..., None, {}, [], "bot", {BOT_ID: None}, {BOT_ID: "acct_1"}, {"": PLATFORM}])
def test_platforms_that_are_wrong(platforms):
    members = config(platforms=platforms)
    if platforms is ...:
        del members["platforms"]
    assert refused(members)["field"] in ("platforms", f"platforms.{BOT_ID}")


def test_bot_that_stands_twice():
    text = json.dumps(config())
    platform = json.dumps({BOT_ID: PLATFORM})[1:-1]
    assert refused(text.replace(platform, f"{platform}, {platform}"))["field"].startswith("platforms")


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("api_key", API_KEY),
        ("base_url", "https://appointments.dialstack.ai"),
        ("paths", {"search_availability": "/a"}),
        ("sandbox", {}),
        ("webhook_timeout_ms", 0),
        ("webhook_timeout_ms", 30_001),
        ("webhook_timeout_ms", "1"),
        *(("private_hosts", value) for value in (None, "a.internal", {}, [5], [""], ["a b"], ["http://a"], ["a/b"])),
    ],
    ids=str,
)
def test_member_that_is_wrong_here(member, value):
    assert refused(config(**{member: value}))["field"].partition(".")[0] == member


@pytest.mark.parametrize("timeout_ms", [1, 30_000])
def test_bounds_of_the_webhook_timeout(timeout_ms):
    opens(config(webhook_timeout_ms=timeout_ms))


@pytest.mark.parametrize("other", [{"api_key": API_KEY}, {"endpoint": "sandbox"}], ids=str)
@pytest.mark.parametrize(
    ("member", "value"), [("platforms", {}), ("private_hosts", []), ("webhook_timeout_ms", 1000)], ids=str
)
def test_members_of_platforms_are_wrong_elsewhere(other, member, value):
    assert refused({**other, member: value})["field"] == member


# Addresses that are written down

PRIVATE = [
    *("10.0.0.1", "10.255.255.254", "172.16.0.1", "172.31.255.254", "192.168.1.1", "169.254.169.254", "100.64.0.1"),
    *("0.0.0.0", "192.0.0.8", "198.18.0.1", "224.0.0.1", "255.255.255.255"),
    *("[fe80::1]", "[fe80::1%25eth0]", "[febf::1]", "[fd00::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "[::]"),
    *("[::ffff:10.0.0.1]", "[::ffff:a00:1]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::10.0.0.1]"),
    *("[64:ff9b::10.0.0.1]", "[64:ff9b::7f00:1]", "[2002:a00:1::1]", "[2002:c0a8:101::]"),
]

SPELLINGS = {
    "10.0.0.1": ["167772161", "0xa000001", "0x0A000001", "01200000001", "10.1", "10.0.1", "012.0.0.1", "0xa.0.0.1"],
    "192.168.1.1": ["3232235777", "0xc0a80101", "0300.0250.1.1", "192.168.257", "192.11010305"],
    "169.254.169.254": ["2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "0251.254.0xa9.254", "169.16689662"],
}
"""Other ways to write an address of IPv4 that resolvers take."""


@pytest.mark.parametrize("host", PRIVATE + [spelling for spellings in SPELLINGS.values() for spelling in spellings])
def test_private_address(host):
    for url in (f"https://{host}/webhook", f"https://{host}:8443", f"HTTPS://{host}"):
        error = refused(with_url(url))
        assert error["field"] == f"platforms.{BOT_ID}.webhook_url", url
        refused(with_url(url, private_hosts=["clinic.internal", "10.0.0.2", "fd00::2"]))
    refused(with_url(f"http://{host}/webhook"))


@pytest.mark.parametrize(
    ("named", "host"),
    [
        ("10.0.0.1", "10.0.0.1"),
        *(("10.0.0.1", spelling) for spelling in SPELLINGS["10.0.0.1"]),
        ("169.254.169.254", "2852039166"),
        ("fd00::1", "[fd00::1]"),
        ("[fd00::1]", "[fd00::1]"),
        ("fd00::1", "[fd00:0:0::1]"),
        ("::ffff:10.0.0.1", "[::ffff:10.0.0.1]"),
        ("FD00::A", "[fd00::a]"),
    ],
)
def test_private_address_that_is_named(named, host):
    opens(with_url(f"https://{host}/webhook", private_hosts=["clinic.internal", named]))
    assert refused(with_url(f"http://{host}/webhook", private_hosts=[named]))["field"].endswith("webhook_url")


# This machine

THIS_MACHINE = [
    *(("127.0.0.1", "127.0.0.1"), ("127.9.9.9", "127.9.9.9"), ("[::1]", "::1"), ("localhost", "localhost")),
    *(("LOCALHOST", "localhost"), ("127.1", "127.0.0.1"), ("2130706433", "127.0.0.1"), ("0x7f000001", "127.0.0.1")),
]
"""Hosts as a URL has them, and as `private_hosts` names them."""


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(("host", "named"), THIS_MACHINE)
def test_this_machine(scheme, host, named):
    """A URL that somebody else has written leads to no server of the engine's own, unless the configuration says so."""
    url = f"{scheme}://{host}:8080/webhook"
    for hosts in ([], ["clinic.internal", "127.0.0.2", "10.0.0.1"]):
        error = refused(with_url(url, private_hosts=hosts))
        assert error["field"] == f"platforms.{BOT_ID}.webhook_url"
        assert "leads to this machine" in error["message"] and "private_hosts" in error["message"]
    opens(with_url(url, private_hosts=["clinic.internal", named]))


def test_server_on_this_machine(open_client, start_faults):
    """The refusal says which host to name. With that the server is reached."""
    server = start_faults(answer(http_reply(200, SEARCH_REPLY)))
    url = f"{server.url}/webhook"
    message = refused(with_url(url))["message"]
    (host,) = re.findall(r'"([^"]+)"', message)
    success(open_client(with_url(url, private_hosts=[host], retry=ONCE)).search(search_request()))
    assert server.connections == 1


# Names that turn into addresses


def name_of_this_machine() -> str | None:
    """One that leads to a private address without a question to anybody: from the file of hosts."""
    for line in Path("/etc/hosts").read_text().splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        for name in names:
            if name.startswith("localhost") or name.endswith("localhost"):
                continue
            try:
                found = {entry[4][0] for entry in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)}
                with socket.create_server((address, 0), family=family_of(address)):
                    pass
            except OSError:
                continue
            if address in found and not any(ipaddress.ip_address(one).is_global for one in found):
                return name
    return None


def family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


@pytest.fixture(scope="module")
def name() -> str:
    found = name_of_this_machine()
    if found is None:
        pytest.skip("the file of hosts has no name but localhost for this machine")
    return found


@pytest.fixture
def named_server(name: str, tmp_path: Path, start_faults: Callable[..., FaultServer]) -> tuple[FaultServer, str, Path]:
    """A platform at that name, with a certificate for it; its URL; and the authority to trust."""
    authority = Authority("Private clinic authority")
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    later = datetime.now().astimezone() + timedelta(days=1)
    certificate: ServerCertificate = authority.issue(tmp_path / "server", [x509.DNSName(name)], later)
    address = socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)[0][4][0]
    replies = json.loads(SEARCH_REPLY) | json.loads(BOOKING_REPLY) | {"found": False}
    reply = http_reply(200, json.dumps(replies).encode())
    server = start_faults(answer(reply), certificate=certificate, host=address)
    return server, f"https://{name}:{server.port}/webhook", ca_file


def test_name_of_a_private_address(named_server, open_client):
    """It is found out when a connection is to be made, for every operation and every time, and not a byte is sent."""
    server, url, ca_file = named_server
    client = open_client(with_url(url, tls={"ca_file": str(ca_file)}, retry=QUICK))
    for _ in range(2):
        error = failure(client.book(booking_request()), "ADDRESS_REFUSED")
        assert (error["source"], error["outcome"], error["retryable"]) == ("network", "not_sent", False)
        assert (error["attempts"], error["status"]) == (1, None)
        failure(client.search(search_request()), "ADDRESS_REFUSED")
        failure(client.lookup(lookup_request()), "ADDRESS_REFUSED")
    assert server.connections == 0


def test_connections_made_ahead_are_refused_too(named_server, open_client):
    server, url, ca_file = named_server
    client = open_client(with_url(url, tls={"ca_file": str(ca_file)}, retry=ONCE, keep_warm_ms=1000))
    client.prewarm()
    failure(client.search(search_request()), "ADDRESS_REFUSED")
    assert server.connections == 0


def test_naming_another_host_does_not_help(named_server, open_client, name):
    server, url, ca_file = named_server
    hosts = ["127.0.0.1", "::1", "localhost", f"{name}.example", f"x{name}"]
    client = open_client(with_url(url, tls={"ca_file": str(ca_file)}, retry=ONCE, private_hosts=hosts))
    failure(client.search(search_request()), "ADDRESS_REFUSED")
    assert server.connections == 0


@pytest.mark.parametrize("spelling", [str.lower, str.upper], ids=["lower case", "upper case"])
def test_private_host_that_is_named(named_server, open_client, name, spelling):
    server, url, ca_file = named_server
    hosts = ["clinic.internal", spelling(name)]
    client = open_client(with_url(url, tls={"ca_file": str(ca_file)}, retry=ONCE, private_hosts=hosts))
    success(client.search(search_request()))
    success(client.book(booking_request()))
    success(client.lookup(lookup_request()))
    assert server.connections == 1


def test_private_host_in_upper_case_in_the_url(named_server, open_client, name):
    _, url, ca_file = named_server
    client = open_client(
        with_url(url.replace(name, name.upper()), tls={"ca_file": str(ca_file)}, retry=ONCE, private_hosts=[name])
    )
    success(client.search(search_request()))


def test_one_host_is_named_and_another_is_not(named_server, open_client, relay2, reference):
    """In one client each host is judged for itself, whoever has connected before."""
    server, url, ca_file = named_server
    account = reference.account()
    platforms = {BOT_ID: relay2.platform(account), "bot_private": {**PLATFORM, "webhook_url": url}}
    client = open_client(relay2.config(account), platforms=platforms, retry=ONCE)
    for _ in range(2):
        success(client.search(search_request()))
        failure(client.search(search_request("bot_private")), "ADDRESS_REFUSED")
    assert server.connections == 0


def test_proxy_looks_names_up(start_faults, open_client):
    """It may stand in a private network, and is told the host alone: what is signed goes through it unseen."""
    proxy = start_faults(answer(http_reply(403, b"")))
    client = open_client(config(proxy=f"http://127.0.0.1:{proxy.port}", retry=ONCE))
    error = failure(client.book(booking_request()), "PROXY_FAILED")
    assert error["outcome"] == "not_sent"
    (request,) = proxy.requests
    assert (request.method, request.path) == ("CONNECT", "clinic.example:443")
    assert not [name for name in request.headers if name.startswith("x-dialstack")]


def test_proxy_takes_nothing_in_the_clear():
    members = {"proxy": "http://127.0.0.1:3128", "private_hosts": ["127.0.0.1"]}
    assert refused(with_url("http://127.0.0.1:8080/webhook", **members))["field"] == "proxy"


def test_loopback_with_a_full_stop_is_a_name(open_client, start_faults):
    """Whatever a resolver makes of it, nothing is sent."""
    server = start_faults(answer(http_reply(200, SEARCH_REPLY)))
    for host in ("127.0.0.1.", "localhost."):
        url = f"https://{host}:{server.port}/webhook"
        try:
            client = open_client(with_url(url, retry=ONCE))
        except pbk.OpenError as error:
            assert error_object(error.reply)["field"].endswith("webhook_url")
            continue
        error = error_object(client.search(search_request()).reply)
        assert error["code"] in ("address_refused", "dns_failed"), error
    assert server.connections == 0
