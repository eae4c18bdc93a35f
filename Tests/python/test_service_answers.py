"""What the library makes of the service's answers: retries, statuses, replies that cannot be used, deadlines."""

from __future__ import annotations

import time

import pytest
from contract import STATUS, failure, success
from reference_api import BOOKING_PATH
from run_reference import headers_of
from samples import ONCE, QUICK, booking_request, new_key, search_request

OK = {"status": 200, "body": '{"availabilities":[]}'}

pytestmark = pytest.mark.usefixtures("no_violation")


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
