"""Connections that are there before they are needed: made ahead, kept in use, replaced when they died."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pbk
import pytest
from contract import success
from delay_proxy import DelayProxy
from fault_server import FaultServer, Gone, Peer
from header import STATUS
from reference_names import API_KEY
from samples import SEARCH_REPLY, search_request
from services import Service
from waiting import GRACE

PATIENCE = 20.0

KEPT_WARM = {"keep_warm_ms": 30_000}
LEAST_GAP = 1.0
"""Seconds between two warm-ups at least."""

HEAD_REPLY = b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n"
SEARCH_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(SEARCH_REPLY), SEARCH_REPLY)


def comes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture
def proxy_for() -> Iterator[Callable[..., DelayProxy]]:
    """Puts proxies without delay before servers, to see and to break connections."""
    with ExitStack() as proxies:

        def make(url: str, **options: Any) -> DelayProxy:
            return proxies.enter_context(DelayProxy(url, **options))

        yield make


@pytest.fixture
def proxy(service: Service, proxy_for) -> DelayProxy:
    return proxy_for(service.config["base_url"])


@pytest.fixture
def open_warm(reference, service: Service, proxy: DelayProxy, open_client) -> Callable[..., pbk.Client]:
    """Opens a client behind the proxy, and waits until its connection is ready, and nothing was asked but for that."""

    def open_warm(**members: Any) -> pbk.Client:
        seen = len(reference.requests("/"))
        client = open_client(service.config, **{"base_url": proxy.url, **KEPT_WARM, **members})
        assert comes_true(lambda: "status" in (reference.requests("/")[seen:] or [{}])[0])
        assert {request["method"] for request in reference.requests("/")[seen:]} == {"HEAD"}
        time.sleep(GRACE)
        return client

    return open_warm


def behave(peer: Peer) -> None:
    """A server that answers warm-ups and searches."""
    while True:
        peer.send(HEAD_REPLY if peer.read_request().method == "HEAD" else SEARCH_ANSWER)


def answer_a_warm_up(peer: Peer) -> None:
    """A server that ends every connection after the first reply."""
    peer.read_request()
    peer.send(HEAD_REPLY)
    peer.close()


def config(url: str, **members: Any) -> dict[str, Any]:
    return {"api_key": API_KEY, "base_url": url, **members}


def prewarm(client: pbk.Client) -> int:
    return pbk.library.pbk_prewarm(ctypes.c_void_p(client.handle))


def test_first_search_uses_the_connection_made_at_opening(reference, service, proxy, open_warm, no_violation):
    client = open_warm()
    assert proxy.accepted == 1
    bot = reference.bot()
    success(client.search(search_request(bot)))
    assert proxy.accepted == 1
    assert reference.requests(bot)[0]["http_version"] == service.http_version


def test_nothing_is_sent_ahead_unless_asked_for(start_faults, proxy_for, open_client):
    server = start_faults(behave)
    proxy = proxy_for(server.url)
    client = open_client(config(proxy.url, keep_warm_ms=0))
    time.sleep(GRACE)
    assert proxy.accepted == 0
    assert prewarm(client) == STATUS["OK"]
    assert server.wait_for_requests(1)
    time.sleep(GRACE)
    success(client.search(search_request()))
    assert [request.method for request in server.requests] == ["HEAD", "POST"]
    assert proxy.accepted == 1


def test_without_warm_connections_a_call_makes_its_own(start_faults, proxy_for, open_client):
    server = start_faults(behave)
    proxy = proxy_for(server.url)
    success(open_client(config(proxy.url, keep_warm_ms=0)).search(search_request()))
    assert [request.method for request in server.requests] == ["POST"]
    assert proxy.accepted == 1


def test_prewarm_of_a_client_that_is_closed_or_none(start_faults, open_client):
    client = open_client(config(start_faults(behave).url))
    client.close()
    assert prewarm(client) == STATUS["CLIENT_CLOSED"]
    assert pbk.library.pbk_prewarm(None) == STATUS["INVALID_CLIENT"]


def test_warm_up_carries_nothing_of_anybodys(start_faults, open_client):
    server = start_faults(behave)
    open_client(config(server.url + "/partner", **KEPT_WARM))
    assert server.wait_for_requests(1)
    (request,) = server.requests
    assert (request.method, request.path, request.body) == ("HEAD", "/partner/", b"")
    assert "authorization" not in request.headers
    assert API_KEY not in str(request)


def test_connection_dropped_while_idle_is_replaced(reference, proxy, open_warm, no_violation):
    client = open_warm()
    proxy.drop()
    assert comes_true(lambda: proxy.accepted == 2)
    time.sleep(GRACE)
    success(client.search(search_request(reference.bot())))
    assert (proxy.accepted, proxy.open) == (2, 1)


def test_connection_that_falls_silent_while_idle_is_replaced(reference, proxy, open_warm, no_violation):
    client = open_warm(keep_warm_ms=300)
    proxy.silence()
    assert comes_true(lambda: proxy.accepted == 2)
    time.sleep(GRACE)
    success(client.search(search_request(reference.bot())))
    assert proxy.accepted == 2


def test_calls_that_wait_for_a_slow_handshake_do_not_each_make_their_own(reference, http2, proxy_for, open_client):
    """One connection serves them all, so more are made only little by little, in case it is that one which hangs."""
    proxy = proxy_for(http2.config["base_url"], delay=0.3)
    client = open_client(http2.config, base_url=proxy.url)
    request = search_request(reference.bot())
    success(client.search(request))
    made, calls = proxy.accepted, 60
    proxy.drop()
    with ThreadPoolExecutor(calls) as threads:
        for reply in threads.map(client.search, [request] * calls):
            success(reply)
    assert 1 <= proxy.accepted - made < calls / 2


def test_service_that_is_down_at_opening_is_connected_to_when_it_comes(start_faults, proxy_for, open_client):
    server = start_faults(behave)
    proxy = proxy_for(server.url, listening=False)
    client = open_client(config(proxy.url, **KEPT_WARM))
    time.sleep(GRACE)
    proxy.listen()
    assert server.wait_for_requests(1)
    time.sleep(GRACE)
    success(client.search(search_request()))
    assert [request.method for request in server.requests] == ["HEAD", "POST"]
    assert proxy.accepted == 1


def behave_well(proxy: DelayProxy, server: FaultServer) -> None:
    pass


def close_at_once(proxy: DelayProxy, server: FaultServer) -> None:
    proxy.closes_at_once = True


def close_after_each_reply(proxy: DelayProxy, server: FaultServer) -> None:
    server.play(answer_a_warm_up)


def never_answer(proxy: DelayProxy, server: FaultServer) -> None:
    def swallow(peer: Peer) -> None:
        with pytest.raises(Gone):
            peer.read(1 << 30)

    server.play(swallow)


@pytest.mark.parametrize("misbehave", [behave_well, close_at_once, close_after_each_reply, never_answer])
def test_warm_ups_are_at_most_one_a_second(start_faults, proxy_for, open_client, misbehave):
    server = start_faults(behave)
    proxy = proxy_for(server.url)
    misbehave(proxy, server)
    begun = time.monotonic()
    open_client(config(proxy.url, keep_warm_ms=1))
    time.sleep(2.2 * LEAST_GAP)
    at_most = 1 + (time.monotonic() - begun) / LEAST_GAP
    assert 1 <= proxy.accepted <= at_most
    assert len(server.requests) <= at_most
