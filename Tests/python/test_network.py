"""Calls that never get through to a service: names, ports, certificates, proxies."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pbk
import pytest
from contract import error_object, failure, success
from fault_server import FaultServer, answer, close_at_once, http_reply
from reference_names import API_KEY
from samples import BOOKING_REPLY, CALLS_ONLY, ONCE, QUICK, booking_request, search_request
from services import Service

Open = Callable[..., pbk.Client]

COLD = {"api_key": API_KEY, **CALLS_ONLY}


def test_name_that_does_not_resolve(open_client):
    client = open_client({"base_url": "https://nothing.invalid", "retry": ONCE, **COLD})
    error = failure(client.book(booking_request()), "DNS_FAILED")
    assert (error["outcome"], error["status"], error["attempts"]) == ("not_sent", None, 1)
    assert error["curl_code"] == 6


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connection_refused(open_client, scheme):
    base_url = f"{scheme}://127.0.0.1:{closed_port()}"
    client = open_client({"base_url": base_url, "retry": {**QUICK, "max_attempts": 3}, **COLD})
    error = failure(client.book(booking_request()), "CONNECT_FAILED")
    assert (error["outcome"], error["status"], error["attempts"], error["curl_code"]) == ("not_sent", None, 3, 7)


@pytest.fixture
def try_tls(
    open_client: Open, start_faults: Callable[..., FaultServer], certificates
) -> Callable[[str], dict[str, Any]]:
    """Books at a TLS server that has the named certificate. Nothing of the booking may reach it."""

    def attempt(name: str) -> dict[str, Any]:
        server = start_faults(answer(http_reply(201, BOOKING_REPLY)), certificate=getattr(certificates, name))
        tls = {"ca_file": str(certificates.ca_file)}
        client = open_client({"base_url": server.url, "tls": tls, "retry": QUICK, **COLD})
        error = failure(client.book(booking_request()), "TLS_FAILED")
        assert (error["outcome"], error["status"], error["attempts"]) == ("not_sent", None, 1)
        assert server.bytes_received == 0
        return error

    return attempt


def test_certificates_that_are_not_to_be_trusted(try_tls):
    messages = {name: try_tls(name)["message"] for name in ("expired", "wrong_host", "unknown_ca")}
    assert len(set(messages.values())) == 3, messages
    assert "expired" in messages["expired"]
    assert "host" in messages["wrong_host"]
    assert "authority" in messages["unknown_ca"]


def test_good_certificate_by_name_and_address(reference, http2, open_client):
    for host in ("127.0.0.1", "localhost"):
        base_url = http2.config["base_url"].replace("127.0.0.1", host)
        success(open_client(http2.config, base_url=base_url).search(search_request(reference.bot())))


def test_authority_is_not_trusted_unless_named(http2, open_client):
    config = {name: value for name, value in http2.config.items() if name != "tls"}
    error = failure(open_client(config).book(booking_request()), "TLS_FAILED")
    assert error["outcome"] == "not_sent"


def test_server_that_does_not_speak_tls(open_client, start_faults):
    server = start_faults(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    client = open_client({"base_url": server.url.replace("http:", "https:"), "retry": QUICK, **COLD})
    assert failure(client.book(booking_request()), "TLS_FAILED")["outcome"] == "not_sent"


# Proxies


def proxied(proxy: str, **members: Any) -> dict[str, Any]:
    return {"base_url": "https://localhost:1", "proxy": proxy, "retry": ONCE, **COLD, **members}


def test_proxy_over_tls_is_trusted_by_the_same_certificates(open_client, start_faults, certificates):
    """A proxy that is trusted hears the request, and refuses it."""

    def refuse(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        peer.close()

    proxy = start_faults(refuse, certificate=certificates.good).url
    trusting = open_client(proxied(proxy, tls={"ca_file": str(certificates.ca_file)}))
    assert failure(trusting.book(booking_request()), "PROXY_FAILED")["outcome"] == "not_sent"
    client = open_client(proxied(proxy))
    assert failure(client.book(booking_request()), "TLS_FAILED")["outcome"] == "not_sent"


def test_proxy_that_refuses(open_client, start_faults):
    def refuse(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        peer.close()

    client = open_client(proxied(start_faults(refuse).url))
    assert failure(client.book(booking_request()), "PROXY_FAILED")["outcome"] == "not_sent"


def test_proxy_that_does_not_resolve(open_client):
    client = open_client(proxied("http://nothing.invalid:3128"))
    assert failure(client.book(booking_request()), "PROXY_FAILED")["outcome"] == "not_sent"


def test_proxy_is_asked_for_a_tunnel_and_sees_no_key(open_client, start_faults):
    heads = []

    def note(peer):
        heads.append(peer.read_head())
        peer.close()

    failure(open_client(proxied(start_faults(note).url)).search(search_request()), "CONNECTION_LOST")
    assert (heads[0].method, heads[0].path) == ("CONNECT", "localhost:1")
    assert "authorization" not in heads[0].headers


def test_proxy_and_cleartext_do_not_go_together(open_client):
    """It would see the API key."""
    with pytest.raises(pbk.OpenError) as caught:
        open_client(proxied("http://127.0.0.1:3128", base_url="http://localhost:1"))
    assert error_object(caught.value.reply)["field"] == "proxy"


def test_proxies_of_the_environment_are_not_used(reference, service: Service, open_client, start_faults, monkeypatch):
    trap = start_faults(close_at_once())
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, trap.url)
    success(open_client(service.config, retry=ONCE).search(search_request(reference.bot())))
    assert trap.connections == 0
