"""What a relaying client makes of a platform: its answers, its silence, and its connections."""

from __future__ import annotations

import json
import time

import pytest
from contract import failure, in_doubt, success
from fault_server import FaultServer, Peer, answer, close_at_once, http_reply
from header import STATUS, VERSION
from loopback import webhook_config
from samples import (
    BOT_ID,
    CALLS_ONLY,
    DOWN,
    ONCE,
    QUICK,
    READS_ONLY,
    SEARCH_REPLY,
    UNSPARED,
    booking_request,
    lookup_request,
    new_key,
    search_request,
)
from waiting import GRACE

OTHER_BOT = "bot_another"

REQUESTS = {"search": search_request, "book": booking_request, "lookup": lookup_request}

operations = pytest.mark.parametrize("operation", REQUESTS)

pytestmark = pytest.mark.usefixtures("no_violation")


# What the platform answers


@pytest.mark.parametrize(
    ("body", "reply", "code"),
    [
        ('{"reason":"closed","codes":[1.50,1e0]}', b'{"reason":"closed","codes":[1.50,1e0]}', "http_error"),
        ('{"error":"closed"}', b'{"error":"closed"}', "closed"),
        ('{"error":{"code":7}}', b'{"error":{"code":7}}', "7"),
        ('["closed"]', b'["closed"]', "http_error"),
        ('"closed"', b'"closed"', "http_error"),
        ("null", b"null", "http_error"),
        ("<html>closed</html>", None, "http_error"),
        ("", None, "http_error"),
        ('{"a":NaN}', None, "http_error"),
    ],
)
def test_refusal_in_the_platforms_own_words(reference, relay, open_client, body, reply, code):
    """They come along as they are, when they are JSON."""
    account = reference.account({"status": 422, "body": body})
    result = open_client(relay.config(account)).book(booking_request())
    error = json.loads(result.reply)["error"]
    assert result.status == STATUS["REFUSED"]
    assert (error["code"], error["status"], error["source"]) == (code, 422, "platform")
    assert (error["outcome"], error["retryable"], error["attempts"]) == ("rejected", False, 1)
    if reply is None:
        assert "reply" not in error
    else:
        assert b'"reply":' + reply in result.reply
    assert len(reference.requests(account)) == 1


@pytest.mark.parametrize(("size", "comes_along"), [(65_536, True), (65_537, False)])
def test_long_refusal(reference, relay1, open_client, size, comes_along):
    account = reference.account({"status": 422, "body": '{"reason":"closed"}', "pad_to": size})
    error = failure(open_client(relay1.config(account)).book(booking_request()), "REFUSED")
    assert error.get("reply") == ({"reason": "closed"} if comes_along else None)


@pytest.mark.parametrize(
    ("step", "status"),
    [
        ({"status": 400, "code": "invalid_payload"}, "REFUSED"),
        ({"status": 401, "code": "unauthorized"}, "UNAUTHORIZED"),
        ({"status": 403, "code": "forbidden"}, "UNAUTHORIZED"),
        ({"status": 404, "code": "account_not_found"}, "REFUSED"),
        ({"status": 409, "code": "slot_unavailable"}, "SLOT_UNAVAILABLE"),
        ({"status": 409, "code": "SLOT_TAKEN"}, "SLOT_UNAVAILABLE"),
        ({"status": 422, "code": "start_in_past"}, "REFUSED"),
        ({"status": 429, "code": "slow_down"}, "RATE_LIMITED"),
    ],
    ids=str,
)
def test_refusal_in_the_apis_shape(reference, relay, open_client, step, status):
    """Code and message are the platform's, whoever else uses such a code."""
    account = reference.account(step)
    error = failure(open_client(relay.config(account), retry=ONCE).book(booking_request()), status)
    assert (error["code"], error["message"]) == (step["code"], "Ordered by the test")
    assert (error["status"], error["source"]) == (step["status"], "platform")
    assert (error["outcome"], error["attempts"]) == ("rejected", 1)
    assert error["reply"] == {"error": {"code": step["code"], "message": "Ordered by the test"}}
    assert error["request_id"].startswith("req-")


def test_conflict_in_other_words_is_asked_once_more(reference, relay, open_client):
    account = reference.account({"status": 409, "code": "something_else"})
    error = failure(open_client(relay.config(account), retry=ONCE).book(booking_request()), "REFUSED")
    assert (error["code"], error["source"], error["attempts"]) == ("something_else", "platform", 2)
    first, second = reference.requests(account)
    assert second["at"] - first["at"] >= 0.99


@pytest.mark.parametrize(
    ("status", "code"), [(408, "request_timeout"), (500, "internal"), (503, "maintenance"), (504, "gateway_timeout")]
)
def test_status_that_is_no_answer(reference, relay, open_client, status, code):
    account = reference.account({**DOWN, "status": status, "code": code})
    client = open_client(relay.config(account), retry=ONCE, **READS_ONLY)
    error = in_doubt(client.book(booking_request()), status, code)
    assert (error["source"], error["attempts"]) == ("platform", 1)
    assert error["reply"] == {"error": {"code": code, "message": "Ordered by the test"}}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("search", '{"availabilities":{}}'),
        ("book", '{"booking":[]}'),
        ("book", "[]"),
        *(("lookup", body) for body in ("{}", "[]", "null", "", '{"found":1}', '{"found":"true"}', '{"found":null}')),
        ("lookup", '{"Found":true}'),
        ("lookup", '{"customer":{"found":true}}'),
        ("lookup", '{"found":true'),
    ],
)
def test_reply_of_another_shape(reference, relay1, open_client, operation, body):
    account = reference.account({"status": 200, "body": body})
    client = open_client(relay1.config(account), **READS_ONLY)
    if operation == "book":
        error = in_doubt(client.book(booking_request(timeout_ms=1000)), 200, "invalid_reply")
        assert error["source"] == "platform"
        return
    error = failure(getattr(client, operation)(REQUESTS[operation]()), "INVALID_REPLY")
    assert (error["source"], error["reply_bytes"]) == ("platform", len(body))
    assert "outcome" not in error


@pytest.mark.parametrize("body", ['{"found":true}', '{"found":false,"customer":null}', ' {"x":[],"found":\ttrue}\n'])
def test_lookup_promises_found_and_no_more(reference, relay1, open_client, body):
    account = reference.account({"status": 200, "body": body})
    result = open_client(relay1.config(account)).lookup(lookup_request())
    assert result == (STATUS["OK"], body.encode())


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(reference, relay, open_client, status):
    headers = {"Location": f"{relay.url}/elsewhere", **DOWN["headers"]}
    account = reference.account({"status": status, "headers": headers})
    client = open_client(relay.config(account), **READS_ONLY)
    assert in_doubt(client.book(booking_request()), status, f"ordered_{status}")["source"] == "platform"
    assert len(reference.requests(account)) == 1
    assert reference.requests("elsewhere") == []


# Time


@operations
def test_slow_platform(reference, relay1, open_client, operation):
    """`webhook_timeout_ms` ends an attempt and not the call: it is made again with the same key, and finds what the
    first one has left.
    """
    account = reference.account({"hold_ms": 5000}, {})
    client = open_client(relay1.config(account), webhook_timeout_ms=700, retry=QUICK)
    request = REQUESTS[operation]()
    success(getattr(client, operation)(request))
    requests = reference.requests(account)
    assert len(requests) > 1 and requests[-1]["status"] == 200
    assert len({request["body"] for request in requests}) == 1
    if operation == "book":
        assert len(reference.bookings(account_id=account)["bookings"]) == 1


def test_slow_platform_leaves_a_booking_in_doubt(reference, relay, open_client):
    account, key = reference.account({"hold_ms": 5000}, {}), new_key()
    client = open_client(relay.config(account), webhook_timeout_ms=1500, retry=ONCE, **READS_ONLY)
    error = in_doubt(client.book(booking_request(key=key, timeout_ms=2400)), None, "timeout")
    assert (error["attempts"], error["source"]) == (1, "network")
    (request,) = reference.requests(account)
    assert "status" not in request, "the platform has answered"
    again = success(client.book({"idempotency_key": key, "resume": True}))
    assert again["booking"]["platform_reference"] == key
    assert len(reference.bookings(account_id=account)["bookings"]) == 1


def test_deadline_comes_before_a_longer_webhook_timeout(reference, relay1, open_client):
    account = reference.account({"hold_ms": 20_000})
    client = open_client(relay1.config(account), webhook_timeout_ms=30_000)
    error = failure(client.book(booking_request(timeout_ms=700)), "TIMEOUT")
    assert (error["outcome"], error["attempts"]) == ("unknown", 1)
    assert len(reference.requests(account)) == 1


# One broken platform


def test_broken_platform_does_not_disturb_another(reference, relay, start_faults, open_client):
    """Its circuit opens for itself, for all bots that are behind it."""
    broken, account = start_faults(close_at_once()), reference.account()
    elsewhere = {"account_id": "acct_broken", "webhook_url": f"{broken.url}/webhook", "webhook_secret": "whsec_1"}
    platforms = {BOT_ID: relay.platform(account), OTHER_BOT: elsewhere, "bot_third": elsewhere}
    breaker = {"circuit_breaker": {"failures": 3, "open_ms": 600_000}, "retry": ONCE}
    client = open_client(relay.config(account), platforms=platforms, **breaker, **READS_ONLY)
    for _ in range(3):
        in_doubt(client.book(booking_request(OTHER_BOT, timeout_ms=1000)), None, "connection_lost")
    connections = broken.connections
    for bot in (OTHER_BOT, "bot_third"):
        error = failure(client.book(booking_request(bot)), "CIRCUIT_OPEN")
        assert (error["outcome"], error["attempts"]) == ("not_sent", 0)
    assert broken.connections == connections
    success(client.book(booking_request()))
    success(client.search(search_request()))
    failure(client.lookup(lookup_request(OTHER_BOT)), "CIRCUIT_OPEN")


def test_booking_that_a_platform_cannot_digest_stops_no_other(relay1, reference, start_faults, open_client):
    """It gets a 500 each time. In all its calls it counts once for the circuit breaker of the webhook."""

    def choke(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            peer.send(http_reply(500, b"") if b'"bad"' in request.body else http_reply(200, SEARCH_REPLY))

    webhook = {"webhook_url": start_faults(choke).url, "webhook_secret": "whsec_1"}
    platforms = {bot: {"account_id": f"acct_{bot}", **webhook} for bot in (BOT_ID, OTHER_BOT)}
    breaker = {"circuit_breaker": {"failures": 3, "open_ms": 600_000}}
    client = open_client(relay1.config(reference.account()), platforms=platforms, **breaker, **READS_ONLY)
    for _ in range(6):
        in_doubt(client.book(booking_request(key="bad", timeout_ms=400)), 500, "http_error")
    success(client.search(search_request(OTHER_BOT)))


def test_retries_of_a_broken_platform_are_its_own(reference, relay1, start_faults, open_client):
    """It may use up its budget. Another platform's call is tried again all the same."""
    broken = start_faults(answer(http_reply(503, b"")))
    account = reference.account({"status": 503}, {})
    elsewhere = {"account_id": "acct_broken", "webhook_url": broken.url, "webhook_secret": "whsec_1"}
    platforms = {BOT_ID: relay1.platform(account), OTHER_BOT: elsewhere}
    client = open_client(relay1.config(account), platforms=platforms, retry={**QUICK, "budget": 2}, **UNSPARED)
    attempts = [failure(client.search(search_request(OTHER_BOT)), "SERVICE_FAILED")["attempts"] for _ in range(3)]
    assert attempts == [3, 1, 1]
    success(client.search(search_request()))


# Connections


def test_connections_are_made_ahead(start_faults, open_client):
    """One to each host, by a request for nothing that carries nothing of anybody's; and the first call finds it."""

    def behave(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            body = b"" if request.method == "HEAD" else SEARCH_REPLY
            peer.send(http_reply(404 if request.method == "HEAD" else 200, body))

    servers: list[FaultServer] = [start_faults(behave) for _ in range(2)]
    bots = {"bot_1": f"{servers[0].url}/a", "bot_2": f"{servers[0].url}/b", "bot_3": f"{servers[1].url}/c"}
    platforms = {
        bot: {"account_id": f"acct_{bot}", "webhook_url": url, "webhook_secret": "whsec_1"} for bot, url in bots.items()
    }
    client = open_client(webhook_config(platforms))
    for server in servers:
        assert server.wait_for_requests(1)
    time.sleep(GRACE)
    for bot in bots:
        success(client.search(search_request(bot)))
    assert [server.connections for server in servers] == [1, 1]
    paths = [[(request.method, request.path) for request in server.requests] for server in servers]
    assert paths[0] == [("HEAD", "/"), ("POST", "/a/availability/search"), ("POST", "/b/availability/search")]
    assert paths[1] == [("HEAD", "/"), ("POST", "/c/availability/search")]
    for server in servers:
        headers = server.requests[0].headers
        assert headers["user-agent"] == f"libpartnerbooking/{VERSION}"
        assert set(headers) <= {"host", "user-agent", "accept", "accept-encoding"}


def test_slash_at_the_end_of_the_url(start_faults, open_client):
    server = start_faults(lambda peer: (peer.read_request(), peer.send(http_reply(200, SEARCH_REPLY))))
    platform = {"account_id": "acct_1", "webhook_url": f"{server.url}/hook/", "webhook_secret": "whsec_1"}
    config = webhook_config({BOT_ID: platform}, **CALLS_ONLY)
    success(open_client(config).search(search_request()))
    assert [request.path for request in server.requests] == ["/hook/availability/search"]
