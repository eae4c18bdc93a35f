"""The way of a call over real HTTP, against the reference server: HTTP/1.1 in the clear and HTTP/2 over TLS."""

from __future__ import annotations

import http.client
import json

import pytest
from contract import failure, success
from fault_server import answer, http_reply
from header import VERSION
from reference_api import BOOKING_PATH, SEARCH_PATH
from reference_names import API_KEY
from run_reference import headers_of
from samples import CALLS_ONLY, booking_request, new_key, search_request

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

pytestmark = pytest.mark.usefixtures("no_violation")


# The reference server itself


def test_reference_server_catches_violations(reference):
    """Else the check after each test would prove nothing."""
    connection = http.client.HTTPConnection(reference.http_url.partition("//")[2], timeout=10)
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    for path, body in [
        (BOOKING_PATH, booking_request()),
        (SEARCH_PATH, {"bot_id": "bot_1"}),
        (SEARCH_PATH, search_request(5)),
    ]:
        connection.request("POST", path, json.dumps(body), headers)
        reply = connection.getresponse()
        assert (reply.status, json.loads(reply.read())["error"]["code"]) == (400, "invalid_payload")
    for headers, body in [({}, None), ({"Authorization": "Bearer any"}, None), ({}, "{}")]:
        connection.request("HEAD", "/", body, headers)
        reply = connection.getresponse()
        assert (reply.status, reply.read()) == (404, b"")
    connection.close()
    missing_key, no_query, no_bot, *heads = reference.take_violations()
    assert "Idempotency-Key" in missing_key
    assert "query" in no_query
    assert "5 is not of type 'string'" in no_bot
    assert heads == ["head /: with a key or a body"] * 2


# What is sent and what comes back


def test_search(reference, service, open_client):
    bot = reference.bot()
    result = open_client(service.config).search(search_request(bot))
    assert [slot["duration_minutes"] for slot in success(result)["availabilities"]] == [30, 30]

    (request,) = reference.requests(bot)
    assert (request["method"], request["path"]) == ("POST", SEARCH_PATH)
    assert request["http_version"] == service.http_version
    assert result.reply.decode("latin-1") == request["reply"]


def test_headers(reference, service, open_client):
    bot, key = reference.bot(), new_key()
    client = open_client(service.config)
    success(client.search(search_request(bot)))
    success(client.book(booking_request(bot, key, traceparent=TRACE)))
    search, booking = map(headers_of, reference.requests(bot))
    for headers in (search, booking):
        assert headers["user-agent"] == f"libpartnerbooking/{VERSION}"
        assert headers["accept"] == "application/json"
        assert headers["content-type"] == "application/json"
        assert headers["authorization"] == f"Bearer {API_KEY}"
        assert "expect" not in headers
    assert not {"idempotency-key", "traceparent"} & set(search)
    assert (booking["idempotency-key"], booking["traceparent"]) == (key, TRACE)


def test_members_of_bookings_are_not_ours_in_a_search(reference, http1, open_client):
    bot = reference.bot()
    request = search_request(bot, idempotency_key="k", detach="the last page")
    success(open_client(http1.config).search(request))
    (sent,) = reference.requests(bot)
    assert "idempotency-key" not in headers_of(sent)
    assert json.loads(sent["body"]) == request


def test_booking_lives(reference, service, open_client):
    """Made once, known from then on without a request, found under its key by others, and in the way of all else."""
    bot, key = reference.bot(), new_key()
    client = open_client(service.config)
    first = client.book(booking_request(bot, key))
    assert success(first)["booking"]["platform_reference"] == key
    assert client.book(booking_request(bot, key)) == first
    assert len(reference.requests(bot)) == 1
    assert open_client(service.config).book(booking_request(bot, key)) == first

    error = failure(client.book(booking_request(bot)), "SLOT_UNAVAILABLE")
    assert (error["code"], error["status"], error["source"]) == ("slot_unavailable", 409, "platform")
    assert error["message"] == "The requested time slot is no longer available"
    assert (error["outcome"], error["retryable"], error["attempts"]) == ("rejected", False, 1)

    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [201, 200, 409]
    assert first.reply.decode("latin-1") == requests[0]["reply"] == requests[1]["reply"]


@pytest.mark.parametrize(
    "removed",
    [
        '"timeout_ms":9000',
        '"slow_after_ms":8000',
        '"detach":true',
        '"detach":false',
        '"tag":"a\\"b,c"',
        f'"traceparent":"{TRACE}"',
    ],
)
def test_own_members_are_taken_off_the_body(reference, http1, open_client, removed):
    """Wherever they stand. What is left is the caller's text, to the byte."""
    customer = '"customer":{"phone":"+14155550137","name":"J"}'
    booking = f'"booking":{{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,{customer}}}'
    client = open_client(http1.config)
    for form in (
        "{{{removed},{key},{bot},{booking}}}",
        "{{{bot},{removed},{booking},{key}}}",
        "{{{bot},{key},{booking},{removed}}}",
    ):
        bot, key = f'"bot_id":"{reference.bot()}"', f'"idempotency_key":"{new_key()}"'
        success(client.book(form.format(removed=removed, key=key, bot=bot, booking=booking)))
        (request,) = reference.requests(bot)
        assert request["body"] == f"{{{bot},{booking}}}"


def test_unknown_members_travel_untouched(reference, service, open_client):
    """Numbers as written, escapes as written, order kept; and names of ours deeper down are not ours."""
    bot = reference.bot()
    text = (
        '{"zeta":1.50e+2,"big":123456789012345678901234567890,"minus":-0.0,"query":{"tag":1,"filter":{"start_at_range":'
        '{"end_at":"2030-01-15","start_at":"2030-01-14","timeout_ms":1},"x":[1E400,{"tag":"t"}]}},'
        f'"alpha":"caf\\u00e9 \\/ \\ud83d\\ude00 \u00fc","bot_id":"{bot}","empty":{{}},"none":null}}'
    )
    success(open_client(service.config).search(text))
    (request,) = reference.requests(bot)
    assert request["body"] == text.encode().decode("latin-1")


def test_paths_are_settings(start_faults, open_client):
    server = start_faults(answer(http_reply(200, b'{"availabilities":[],"booking":{"id":"bkg_1"}}')))
    paths = {"search_availability": "/a/b", "create_booking": "/c"}
    client = open_client({"api_key": API_KEY, "base_url": f"{server.url}/base", "paths": paths, **CALLS_ONLY})
    success(client.search(search_request()))
    success(client.book(booking_request()))
    assert [request.path for request in server.requests] == ["/base/a/b", "/base/c"]


def test_wrong_key(reference, service, open_client):
    bot = reference.bot()
    wrong = "sk_ptnr_wrong_0123456789"
    result = open_client(service.config, api_key=wrong).book(booking_request(bot))
    error = failure(result, "UNAUTHORIZED")
    assert (error["code"], error["message"]) == ("unauthorized", "The API key is not known")
    assert (error["status"], error["outcome"], error["source"]) == (401, "rejected", "partner_api")
    assert error["request_id"].startswith("req-")
    assert len(reference.requests(bot)) == 1


def test_gzip(reference, service, open_client):
    body = '{"availabilities":[],"n":1.50e+2}'
    bot = reference.bot({"status": 200, "body": body, "gzip": True})
    result = open_client(service.config).search(search_request(bot))
    success(result)
    assert result.reply.decode() == body
    (request,) = reference.requests(bot)
    assert "gzip" in headers_of(request)["accept-encoding"]


# Connections


def test_connection_is_kept(reference, service, open_client):
    bot = reference.bot()
    client = open_client(service.config)
    for _ in range(10):
        success(client.search(search_request(bot)))
    assert len({request["client_port"] for request in reference.requests(bot)}) == 1


def test_http2_shares_one_connection(reference, http2, open_client, threads):
    """Once there is one: on a cold client calls do not wait for each other's handshake."""
    bot = reference.bot({"delay_ms": 200})
    client = open_client(http2.config)
    success(client.search(search_request(bot)))
    calls = [threads.submit(client.search, search_request(bot)) for _ in range(16)]
    for call in calls:
        success(call.result())
    requests = reference.requests(bot)
    assert len({request["client_port"] for request in requests}) == 1
    assert requests[-1]["at"] - requests[0]["at"] < 16 * 0.2


def test_slow_call_does_not_hold_up_others(reference, service, open_client, threads):
    """Also when it is the client's first, and nothing is known of the server yet."""
    slow, quick = reference.bot({"delay_ms": 3000}), reference.bot()
    client = open_client(service.config)
    first = threads.submit(client.search, search_request(slow))
    assert reference.wait_for_requests(slow, 1)
    success(client.search(search_request(quick)))
    assert not first.done()


def test_ten_thousand_calls_each_get_their_own_reply(http1, open_client, threads):
    """Sixteen threads on one client; every twentieth call books."""
    client = open_client(http1.config, timeout_ms=30_000)

    def work(thread: int) -> int:
        right = 0
        for number in range(625):
            bot = f"bot_echo_{thread:02d}_{number:04d}"
            if number % 20:
                right += success(client.search(search_request(bot)))["bot_id"] == bot
            else:
                key = new_key()
                right += success(client.book(booking_request(bot, key)))["booking"]["platform_reference"] == key
        return right

    assert sum(threads.map(work, range(16))) == 10_000


def test_calls_over_one_http2_connection_each_get_their_own_reply(http2, open_client, threads):
    client = open_client(http2.config, timeout_ms=30_000)

    def work(thread: int) -> int:
        bots = [f"bot_echo2_{thread:02d}_{number:04d}" for number in range(100)]
        return sum(success(client.search(search_request(bot)))["bot_id"] == bot for bot in bots)

    assert sum(threads.map(work, range(16))) == 1600


def test_one_call_too_many(reference, http1, open_client, threads):
    bot = reference.bot({"delay_ms": 1000})
    client = open_client(http1.config, max_in_flight=1, max_queued=0)
    first = threads.submit(client.search, search_request(bot))
    assert reference.wait_for_requests(bot, 1)
    error = failure(client.book(booking_request(bot)), "QUEUE_FULL")
    assert (error["outcome"], error["attempts"]) == ("not_sent", 0)
    success(first.result())
    success(client.search(search_request(bot)))
