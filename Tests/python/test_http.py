"""The way of a call over real HTTP, against the reference server: HTTP/1.1 in the clear and HTTP/2 over TLS."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pbk
import pytest
from conftest import Service
from contract import STATUS, VERSION, error_object, failure, success
from fault_server import FaultServer, answer, close_at_once, http_reply
from reference_api import API_KEY, BOOKING_PATH, SEARCH_PATH
from run_reference import ReferenceServer
from samples import BOOKING_REPLY, SEARCH_REPLY, booking_request, new_key, search_request

OK = {"status": 200, "body": '{"availabilities":[]}'}
QUICK = {"base_delay_ms": 1, "max_delay_ms": 1}
ONCE = {"max_attempts": 1}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

Open = Callable[..., pbk.Client]


@pytest.fixture(autouse=True)
def no_violation(reference: ReferenceServer):
    """Whatever a test was about: what the library sent must have been to the letter of the API document."""
    yield
    assert reference.take_violations() == []


def headers_of(request: dict[str, Any]) -> dict[str, str]:
    names = [name for name, _ in request["headers"]]
    assert len(set(names)) == len(names), names
    return dict(request["headers"])


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
    connection.close()
    missing_key, no_query, no_bot = reference.take_violations()
    assert "Idempotency-Key" in missing_key
    assert "query" in no_query
    assert "5 is not of type 'string'" in no_bot


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


def test_search_sends_no_idempotency_key(reference, http1, open_client):
    bot = reference.bot()
    open_client(http1.config).search(search_request(bot, idempotency_key="k"))
    for request in reference.requests(bot):
        assert "idempotency-key" not in headers_of(request)


def test_booking_lives(reference, service, open_client):
    """Made once, found again under its key, and in the way of everybody else."""
    bot, key = reference.bot(), new_key()
    client = open_client(service.config)
    first = client.book(booking_request(bot, key))
    assert success(first)["booking"]["platform_reference"] == key
    assert client.book(booking_request(bot, key)) == first

    error = failure(client.book(booking_request(bot)), "SLOT_UNAVAILABLE")
    assert (error["code"], error["status"], error["source"]) == ("slot_unavailable", 409, "platform")
    assert error["message"] == "The requested time slot is no longer available"
    assert (error["outcome"], error["retryable"], error["attempts"]) == ("rejected", False, 1)

    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [201, 200, 409]
    assert first.reply.decode("latin-1") == requests[0]["reply"] == requests[1]["reply"]


@pytest.mark.parametrize("own", ["timeout_ms", "tag", "traceparent"])
def test_own_members_are_taken_off_the_body(reference, http1, open_client, own):
    """Wherever they stand. What is left is the caller's text, to the byte."""
    key = f'"idempotency_key":"{new_key()}"'
    removed = {"timeout_ms": '"timeout_ms":9000', "tag": '"tag":"a\\"b,c"', "traceparent": f'"traceparent":"{TRACE}"'}[
        own
    ]
    bot = f'"bot_id":"{reference.bot()}"'
    customer = '"customer":{"phone":"+14155550137","name":"J"}'
    booking = f'"booking":{{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,{customer}}}'
    client = open_client(http1.config)
    for text in (
        f"{{{removed},{key},{bot},{booking}}}",
        f"{{{bot},{removed},{booking},{key}}}",
        f"{{{bot},{key},{booking},{removed}}}",
    ):
        success(client.book(text))
    assert [request["body"] for request in reference.requests(bot)] == [f"{{{bot},{booking}}}"] * 3


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
    server = start_faults(answer(http_reply(200, b'{"availabilities":[],"booking":{}}')))
    paths = {"search_availability": "/a/b", "create_booking": "/c"}
    client = open_client({"api_key": API_KEY, "base_url": f"{server.url}/base", "paths": paths})
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
    client = open_client(http1.config, max_in_flight=1)
    first = threads.submit(client.search, search_request(bot))
    assert reference.wait_for_requests(bot, 1)
    error = failure(client.book(booking_request(bot)), "QUEUE_FULL")
    assert (error["outcome"], error["attempts"]) == ("not_sent", 0)
    success(first.result())
    success(client.search(search_request(bot)))


# Retries


def test_retry_after_a_failure(reference, service, open_client):
    bot, key = reference.bot({"status": 503}, {"status": 503}, {}), new_key()
    result = open_client(service.config, retry=QUICK).book(booking_request(bot, key))
    assert success(result)["booking"]["platform_reference"] == key
    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [503, 503, 201]
    assert {headers_of(request)["idempotency-key"] for request in requests} == {key}
    assert len({request["body"] for request in requests}) == 1


def test_booking_behind_a_failure_is_made_once(reference, http1, open_client):
    """The service books and then answers 503. The second attempt must find that booking, not make another."""
    bot = reference.bot({"status": 503, "processed": True}, {})
    success(open_client(http1.config, retry=QUICK).book(booking_request(bot)))
    assert [request["status"] for request in reference.requests(bot)] == [503, 200]


@pytest.mark.parametrize("most", [1, 2, 5])
def test_attempts_are_limited(reference, http1, open_client, most):
    bot, key = reference.bot({"status": 503, "code": "platform_down"}), new_key()
    error = failure(
        open_client(http1.config, retry={**QUICK, "max_attempts": most}).book(booking_request(bot, key)),
        "SERVICE_FAILED",
    )
    assert (error["code"], error["status"], error["outcome"]) == ("platform_down", 503, "unknown")
    requests = reference.requests(bot)
    assert error["attempts"] == len(requests) == most
    assert {headers_of(request)["idempotency-key"] for request in requests} == {key}


def test_retry_after_is_respected(reference, http1, open_client):
    bot, key = reference.bot({"status": 429, "headers": {"Retry-After": "1"}}, {}), new_key()
    success(open_client(http1.config, retry=QUICK).book(booking_request(bot, key)))
    first, second = reference.requests(bot)
    assert second["at"] - first["at"] >= 0.99
    assert headers_of(first)["idempotency-key"] == headers_of(second)["idempotency-key"] == key


def test_retry_after_comes_back(reference, http1, open_client):
    bot = reference.bot({"status": 429, "code": "slow_down", "headers": {"Retry-After": "7"}})
    error = failure(open_client(http1.config, retry=ONCE).book(booking_request(bot)), "RATE_LIMITED")
    assert (error["retry_after_ms"], error["outcome"], error["retryable"]) == (7000, "rejected", True)


def test_retry_after_beyond_the_deadline(reference, http1, open_client):
    bot = reference.bot({"status": 429, "headers": {"Retry-After": "60"}})
    error = failure(open_client(http1.config).search(search_request(bot, timeout_ms=2000)), "RATE_LIMITED")
    assert (error["retry_after_ms"], error["attempts"]) == (60_000, 1)


@pytest.mark.parametrize(
    ("last", "status"),
    [
        ({"status": 403, "code": "forbidden"}, "UNAUTHORIZED"),
        ({"status": 404, "code": "bot_not_found"}, "REFUSED"),
        ({"status": 409, "code": "slot_unavailable"}, "SLOT_UNAVAILABLE"),
        ({"status": 422, "code": "in_the_past"}, "REFUSED"),
        ({"status": 400, "code": "invalid_payload"}, "REFUSED"),
    ],
    ids=str,
)
def test_refusal_after_an_attempt_in_doubt(reference, http1, open_client, last, status):
    """A refusal settles only its own attempt: the slot may be taken by the one in doubt."""
    bot = reference.bot({"status": 503}, last)
    error = failure(open_client(http1.config, retry=QUICK).book(booking_request(bot)), status)
    assert (error["outcome"], error["attempts"]) == ("unknown", 2)


def test_refusals_are_not_tried_again(reference, http1, open_client):
    bot = reference.bot({"status": 404, "code": "bot_not_found"})
    failure(open_client(http1.config, retry=QUICK).search(search_request(bot)), "REFUSED")
    assert len(reference.requests(bot)) == 1


# What the service says


@pytest.mark.parametrize(
    ("answered", "code", "status", "retryable", "outcome"),
    [
        (400, "invalid_payload", "REFUSED", False, "rejected"),
        (401, "unauthorized", "UNAUTHORIZED", False, "rejected"),
        (403, "bot_forbidden", "UNAUTHORIZED", False, "rejected"),
        (404, "bot_not_found", "REFUSED", False, "rejected"),
        (408, "request_timeout", "REFUSED", True, "unknown"),
        (409, "slot_unavailable", "SLOT_UNAVAILABLE", False, "rejected"),
        (409, "request_in_progress", "REFUSED", True, "unknown"),
        (409, "something_else", "REFUSED", True, "unknown"),
        (418, "teapot", "REFUSED", False, "rejected"),
        (422, "in_the_past", "REFUSED", False, "rejected"),
        (425, "too_early", "REFUSED", True, "rejected"),
        (429, "slow_down", "RATE_LIMITED", True, "rejected"),
        (500, "internal", "SERVICE_FAILED", True, "unknown"),
        (501, "not_implemented", "SERVICE_FAILED", False, "unknown"),
        (502, "bad_gateway", "SERVICE_FAILED", True, "unknown"),
        (504, "gateway_timeout", "SERVICE_FAILED", True, "unknown"),
        (505, "no_such_version", "SERVICE_FAILED", False, "unknown"),
    ],
)
def test_status_of_the_service(reference, service, open_client, answered, code, status, retryable, outcome):
    bot = reference.bot({"status": answered, "code": code})
    client = open_client(service.config, retry=ONCE)
    error = failure(client.book(booking_request(bot)), status)
    assert (error["status"], error["code"], error["message"]) == (answered, code, "Ordered by the test")
    assert (error["retryable"], error["outcome"], error["attempts"]) == (retryable, outcome, 1)
    assert error["request_id"].startswith("req-")
    assert "outcome" not in failure(client.search(search_request(bot)), status)


@pytest.mark.parametrize("answered", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(reference, service, open_client, answered):
    """The key must not travel: nobody may ask for where the redirect points to."""
    elsewhere = f"/elsewhere/{new_key()}"
    bot = reference.bot({"status": answered, "headers": {"Location": elsewhere}})
    error = failure(open_client(service.config).book(booking_request(bot)), "REFUSED")
    assert (error["status"], error["outcome"], error["retryable"]) == (answered, "unknown", False)
    assert [request["path"] for request in reference.requests(bot)] == [BOOKING_PATH]
    assert reference.requests(elsewhere) == []


HTML = "<html><body>Bad gateway</body></html>"


@pytest.mark.parametrize(
    ("answered", "status", "outcome"),
    [(502, "SERVICE_FAILED", "unknown"), (404, "REFUSED", "rejected"), (403, "UNAUTHORIZED", "rejected")],
)
@pytest.mark.parametrize("body", [HTML, "", "[]", '{"error":"down"}', '{"error":{"message":"no code"}}'])
def test_error_status_without_error_object(reference, http1, open_client, answered, status, outcome, body):
    bot = reference.bot({"status": answered, "body": body, "content_type": "text/html"})
    error = failure(open_client(http1.config, retry=ONCE).book(booking_request(bot)), status)
    assert (error["code"], error["status"], error["outcome"]) == ("http_error", answered, outcome)
    assert "Bad gateway" not in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        HTML,
        "",
        "[]",
        "null",
        "{}",
        '{"availabilities":{},"booking":[]}',
        '{"availabilities":null,"booking":null}',
        '{"nested":{"availabilities":[],"booking":{}}}',
        '{"availabilities":[],"booking":{}',
        '{"availabilities":[],"booking":{}} {}',
        '{"availabilities":[NaN],"booking":{"n":NaN}}',
    ],
)
def test_success_status_with_another_body(reference, service, open_client, body):
    bot = reference.bot({"status": 200, "body": body, "content_type": "text/html; charset=utf-8"})
    client = open_client(service.config)
    for call, request in ((client.search, search_request(bot)), (client.book, booking_request(bot))):
        error = failure(call(request), "INVALID_REPLY")
        assert (error["status"], error["attempts"]) == (200, 1)
        assert (error["content_type"], error["reply_bytes"]) == ("text/html; charset=utf-8", len(body))
        assert "Bad gateway" not in error["message"]
        assert error.get("outcome") == (None if call == client.search else "unknown")


def test_reply_without_content_type(reference, http1, open_client):
    bot = reference.bot({"status": 200, "body": HTML, "content_type": None})
    assert failure(open_client(http1.config).search(search_request(bot)), "INVALID_REPLY")["content_type"] is None


@pytest.mark.parametrize("shape", [{}, {"chunked": True}, {"gzip": True}], ids=["plain", "chunked", "gzip"])
def test_limit_of_a_reply(reference, service, open_client, shape):
    """To the byte, and after decompression."""
    fitting, larger = (reference.bot({**OK, "pad_to": size, **shape}) for size in (2000, 2001))
    client = open_client(service.config, max_reply_bytes=2000)
    assert len(client.search(search_request(fitting)).reply) == 2000
    error = failure(client.search(search_request(larger)), "REPLY_TOO_LARGE")
    assert (error["status"], error["attempts"]) == (200, 1)
    success(client.search(search_request(fitting)))


@pytest.mark.parametrize(
    "step",
    [{"pad_to": 50 << 20, "gzip": True}, {"pad_to": 2 << 20}, {"pad_to": 2 << 20, "chunked": True}],
    ids=["bomb", "long", "long and chunked"],
)
def test_endless_reply(reference, service, open_client, step):
    bot = reference.bot({"status": 201, "body": '{"booking":{}}', **step})
    client = open_client(service.config)
    error = failure(client.book(booking_request(bot)), "REPLY_TOO_LARGE")
    assert (error["status"], error["outcome"], error["retryable"]) == (201, "unknown", False)
    success(client.search(search_request(reference.bot())))


def test_limit_counts_white_space_after_the_object(reference, service, open_client):
    """What is handed over is the service's reply byte for byte, or it is not handed over: never its beginning."""
    bot = reference.bot({"status": 201, "body": '{"booking":{}}' + " " * (2 << 20)})
    failure(open_client(service.config).book(booking_request(bot)), "REPLY_TOO_LARGE")


# Time


def test_timeout(reference, service, open_client):
    bot = reference.bot({"delay_ms": 4000})
    client = open_client(service.config)
    started = time.monotonic()
    error = failure(client.book(booking_request(bot, timeout_ms=300)), "TIMEOUT")
    assert 0.29 < time.monotonic() - started < 3
    assert (error["outcome"], error["attempts"]) == ("unknown", 1)
    assert "outcome" not in failure(client.search(search_request(bot, timeout_ms=50)), "TIMEOUT")
    success(client.search(search_request(reference.bot())))


def test_timeout_of_the_configuration(reference, http1, open_client):
    bot = reference.bot({"delay_ms": 4000})
    failure(open_client(http1.config, timeout_ms=100).search(search_request(bot)), "TIMEOUT")


def test_deadline_spans_all_attempts(reference, http1, open_client):
    bot = reference.bot({"status": 503, "delay_ms": 150})
    retry = {**QUICK, "max_attempts": 10}
    started = time.monotonic()
    result = open_client(http1.config, retry=retry).search(search_request(bot, timeout_ms=500))
    assert result.status in (STATUS["TIMEOUT"], STATUS["SERVICE_FAILED"])
    assert time.monotonic() - started < 1.4
    assert 1 < len(reference.requests(bot)) < 10


# What never gets through


def test_name_that_does_not_resolve(open_client):
    client = open_client({"api_key": API_KEY, "base_url": "https://nothing.invalid", "retry": ONCE})
    error = failure(client.book(booking_request()), "DNS_FAILED")
    assert (error["outcome"], error["status"], error["attempts"]) == ("not_sent", None, 1)
    assert error["curl_code"] == 6


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_connection_refused(open_client, scheme):
    base_url = f"{scheme}://127.0.0.1:{closed_port()}"
    client = open_client({"api_key": API_KEY, "base_url": base_url, "retry": {**QUICK, "max_attempts": 3}})
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
        client = open_client({"api_key": API_KEY, "base_url": server.url, "tls": tls, "retry": QUICK})
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
    client = open_client({"api_key": API_KEY, "base_url": server.url.replace("http:", "https:"), "retry": QUICK})
    assert failure(client.book(booking_request()), "TLS_FAILED")["outcome"] == "not_sent"


# Proxies


def proxied(proxy: str, **members: Any) -> dict[str, Any]:
    config = {"api_key": API_KEY, "base_url": "https://localhost:1", "proxy": proxy, "retry": ONCE}
    return {**config, **members}


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
