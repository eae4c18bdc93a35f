"""Several platforms in one client: one that is in trouble is no trouble for the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pbk
import pytest
from contract import failure, success
from fault_server import FaultServer, Peer, answer, http_reply, stall
from loopback import webhook_config
from samples import CALLS_ONLY, SEARCH_REPLY, UNSPARED, search_request
from waiting import MINUTE, SOON


def config_for(*servers: FaultServer, **members: Any) -> dict[str, Any]:
    """The n-th bot's platform is the n-th server."""
    platforms = {
        f"bot_{number}": {"account_id": f"acct_{number}", "webhook_url": server.url, "webhook_secret": "whsec_1"}
        for number, server in enumerate(servers)
    }
    return webhook_config(platforms, **{"timeout_ms": MINUTE, **members})


def serve(peer: Peer) -> None:
    """What a platform does that is well."""
    while True:
        reply_to(peer)


def reply_to(peer: Peer) -> None:
    is_made_ahead = peer.read_request().method == "HEAD"
    peer.send(http_reply(404, b"") if is_made_ahead else http_reply(200, SEARCH_REPLY))


@pytest.fixture
def hang(start_faults) -> FaultServer:
    return start_faults(stall())


def test_calls_to_a_platform_that_hangs_hold_up_no_other(start_faults, hang, open_client, threads: ThreadPoolExecutor):
    """With one connection to a server, libcurl has one row for all that wait, and wakes the first of it alone."""
    server = start_faults(serve)
    client = open_client(config_for(hang, server, max_connections=1, **CALLS_ONLY, **UNSPARED))  # which counts as 2
    stuck = [client.submit(pbk.SEARCH, search_request("bot_0")).ticket for _ in range(6)]
    assert hang.wait_for_requests(1)
    calls = [threads.submit(client.search, search_request("bot_1")) for _ in range(8)]
    for call in calls:
        success(call.result(SOON))
    assert client.next_completion()[1] is None, "the other calls still wait"
    assert hang.connections == 2
    for ticket in stuck:
        assert client.cancel(ticket) == 0


def test_waiting_for_a_connection_is_not_the_platforms_fault(start_faults, open_client, threads: ThreadPoolExecutor):
    """Each is answered well within the platform's time, and the last have waited longer than that for their turn."""

    def slow(peer: Peer) -> None:
        while True:
            peer.read_request()
            peer.pause(0.2)
            peer.send(http_reply(200, SEARCH_REPLY))

    client = open_client(
        config_for(
            start_faults(slow),
            max_connections=1,
            webhook_timeout_ms=600,
            circuit_breaker={"failures": 1},
            retry={"max_attempts": 1},
            **CALLS_ONLY,
        )
    )
    for call in [threads.submit(client.search, search_request("bot_0")) for _ in range(8)]:
        success(call.result(SOON))


def test_every_server_is_connected_to_ahead_and_stays_so(start_faults, open_client):
    """More servers than calls at once: their connections must not push each other out."""
    servers = [start_faults(serve) for _ in range(6)]
    client = open_client(config_for(*servers, max_in_flight=2, keep_warm_ms=1_000))
    for server in servers:
        assert server.wait_for_requests(2), "made ready, and used again"
    assert [server.connections for server in servers] == [1] * 6
    for number, server in enumerate(servers):
        success(client.search(search_request(f"bot_{number}")))
        assert {request.method for request in server.requests} == {"HEAD", "POST"}


def test_server_that_ends_its_connection_is_connected_to_again(start_faults, hang, open_client):
    """Also while a call to another one hangs."""

    def soon(peer: Peer) -> None:
        reply_to(peer)
        peer.pause(0.2)

    server = start_faults(soon)
    client = open_client(config_for(server, hang, keep_warm_ms=60_000))
    client.submit(pbk.SEARCH, search_request("bot_1"))
    assert server.wait_for_connections(3)


def test_platform_that_is_out_of_order_is_left_alone_and_no_other(start_faults, open_client):
    broken, server = start_faults(answer(http_reply(503, b"{}"))), start_faults(serve)
    members = {"retry": {"max_attempts": 1}, "circuit_breaker": {"failures": 3, "open_ms": 600_000}}
    client = open_client(config_for(broken, server, **members, **CALLS_ONLY))
    for _ in range(3):
        failure(client.search(search_request("bot_0")), "SERVICE_FAILED")
    failure(client.search(search_request("bot_0")), "CIRCUIT_OPEN")
    success(client.search(search_request("bot_1")))
    assert len(broken.requests) == 3
