"""What the library makes of the service's answers: statuses, replies that cannot be used, deadlines."""

from __future__ import annotations

import time

import pytest
from contract import failure, in_doubt, success
from header import STATUS
from reference_api import BOOKING_PATH
from samples import DOWN, ONCE, QUICK, READS_ONLY, booking_request, new_key, search_request

OK = {"status": 200, "body": '{"availabilities":[]}'}

AT_ONCE = {"platform_keys": "none"}
"""In a configuration: a call in doubt ends at once, whatever its deadline."""

pytestmark = pytest.mark.usefixtures("no_violation")


# What the service says


@pytest.mark.parametrize(
    ("answered", "code", "status", "retryable"),
    [
        (400, "invalid_payload", "REFUSED", False),
        (401, "unauthorized", "UNAUTHORIZED", False),
        (403, "bot_forbidden", "UNAUTHORIZED", False),
        (404, "bot_not_found", "REFUSED", False),
        (409, "slot_unavailable", "SLOT_UNAVAILABLE", False),
        (418, "teapot", "REFUSED", False),
        (422, "in_the_past", "REFUSED", False),
        (425, "too_early", "REFUSED", True),
        (429, "slow_down", "RATE_LIMITED", True),
    ],
)
def test_refusal_of_the_service(reference, service, open_client, answered, code, status, retryable):
    bot = reference.bot({"status": answered, "code": code})
    client = open_client(service.config, retry=ONCE)
    error = failure(client.book(booking_request(bot)), status)
    assert (error["status"], error["code"], error["message"]) == (answered, code, "Ordered by the test")
    assert (error["retryable"], error["outcome"], error["attempts"]) == (retryable, "rejected", 1)
    assert error["request_id"].startswith("req-")
    assert "outcome" not in failure(client.search(search_request(bot)), status)


@pytest.mark.parametrize(
    ("answered", "code", "status", "retryable"),
    [
        (408, "request_timeout", "REFUSED", True),
        (500, "internal", "SERVICE_FAILED", True),
        (501, "not_implemented", "SERVICE_FAILED", False),
        (502, "bad_gateway", "SERVICE_FAILED", True),
        (504, "gateway_timeout", "SERVICE_FAILED", True),
        (505, "no_such_version", "SERVICE_FAILED", False),
    ],
)
def test_status_that_is_no_answer(reference, service, open_client, answered, code, status, retryable):
    """The booking may be behind it. A search has failed, and says how."""
    bot = reference.bot({**DOWN, "status": answered, "code": code})
    client = open_client(service.config, retry=ONCE, **READS_ONLY)
    error = in_doubt(client.book(booking_request(bot)), answered, code)
    assert (error["status"], error["source"], error["attempts"]) == (None, "partner_api", 1)
    error = failure(client.search(search_request(bot)), status)
    assert (error["status"], error["code"], error["message"]) == (answered, code, "Ordered by the test")
    assert error["retryable"] is retryable and "outcome" not in error
    assert error["request_id"].startswith("req-")


@pytest.mark.parametrize("answered", [500, 502, 503, 504, 408])
def test_failure_is_tried_again_with_the_same_key(reference, http1, open_client, answered):
    """A plain 500 too: the platform may have booked before it failed."""
    bot, key = reference.bot({"status": answered, "processed": True}, {}), new_key()
    success(open_client(http1.config, retry=QUICK).book(booking_request(bot, key)))
    first, second = reference.requests(bot)
    assert (first["status"], second["status"]) == (answered, 200)
    assert second["at"] - first["at"] < 0.99
    assert len(reference.bookings(idempotency_key=key)["bookings"]) == 1


@pytest.mark.parametrize("answered", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(reference, service, open_client, answered):
    """The key must not travel: nobody may ask for where the redirect points to."""
    elsewhere = f"/elsewhere/{new_key()}"
    bot = reference.bot({"status": answered, "headers": {"Location": elsewhere, **DOWN["headers"]}})
    client = open_client(service.config, **READS_ONLY)
    in_doubt(client.book(booking_request(bot)), answered, f"ordered_{answered}")
    assert [request["path"] for request in reference.requests(bot)] == [BOOKING_PATH]
    error = failure(client.search(search_request(bot)), "REFUSED")
    assert (error["status"], error["retryable"]) == (answered, False)
    assert reference.requests(elsewhere) == []


HTML = "<html><body>Bad gateway</body></html>"


@pytest.mark.parametrize(("answered", "status"), [(502, "IN_DOUBT"), (404, "REFUSED"), (403, "UNAUTHORIZED")])
@pytest.mark.parametrize("body", [HTML, "", "[]", '{"error":"It is down"}', '{"error":{"message":"no code"}}'])
def test_error_status_without_a_code(reference, http1, open_client, answered, status, body):
    bot = reference.bot({**DOWN, "status": answered, "body": body, "content_type": "text/html"})
    result = open_client(http1.config, retry=ONCE, **READS_ONLY).book(booking_request(bot))
    if status == "IN_DOUBT":
        error = in_doubt(result, answered, "http_error")
    else:
        error = failure(result, status)
        assert (error["code"], error["status"], error["outcome"]) == ("http_error", answered, "rejected")
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
    client = open_client(service.config, **READS_ONLY)
    error = failure(client.search(search_request(bot)), "INVALID_REPLY")
    assert (error["status"], error["attempts"]) == (200, 1)
    assert (error["content_type"], error["reply_bytes"]) == ("text/html; charset=utf-8", len(body))
    assert "Bad gateway" not in error["message"] and "outcome" not in error
    error = in_doubt(client.book(booking_request(bot, timeout_ms=1000)), 200, "invalid_reply")
    assert error["attempts"] == 1 and "Bad gateway" not in error["message"]


@pytest.mark.parametrize(
    "booking",
    [
        "{}",
        '{"status":"confirmed"}',
        '{"id":null,"start_at":null}',
        '{"id":"bkg_1","error":{"code":"slot_unavailable"}}',
        '{"id":"bkg_1","error":false}',
    ],
)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_success_without_a_booking(reference, http1, open_client, status, booking):
    """A booking has an `id` or a `start_at`, and no `error` in it."""
    bot = reference.bot({"status": status, "body": f'{{"booking":{booking}}}'})
    client = open_client(http1.config, **READS_ONLY)
    in_doubt(client.book(booking_request(bot, timeout_ms=1000)), status, "invalid_reply")


@pytest.mark.parametrize(
    "booking", ['{"id":7}', '{"start_at":"2030-01-14T10:00:00Z"}', '{"id":"bkg_1","error":null}', '{"start_at":""}']
)
def test_success_with_little_of_a_booking(reference, http1, open_client, booking):
    body = f'{{"booking":{booking}}}'
    bot = reference.bot({"status": 200, "body": body})
    assert open_client(http1.config).book(booking_request(bot)) == (STATUS["OK"], body.encode())


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
    bot = reference.bot({"status": 201, "body": '{"booking":{"id":"bkg_1"}}', **step})
    client = open_client(service.config, **AT_ONCE)
    in_doubt(client.book(booking_request(bot)), 201, "reply_too_large")
    success(client.search(search_request(reference.bot())))


@pytest.mark.parametrize("status", [300, 401, 409, 429, 500, 503])
def test_refusal_that_is_too_long(reference, service, open_client, status):
    """It is the library that says so, whatever the HTTP status; failure() reads the status from the reply as well."""
    bot = reference.bot({"status": status, "body": '{"error":{"code":"reply_too_large"}}', "pad_to": 2001})
    client = open_client(service.config, max_reply_bytes=2000, **AT_ONCE)
    error = failure(client.search(search_request(bot)), "REPLY_TOO_LARGE")
    assert error["status"] == status and "curl_code" in error


def test_limit_counts_white_space_after_the_object(reference, service, open_client):
    """What is handed over is the service's reply byte for byte, or it is not handed over: never its beginning."""
    bot = reference.bot({"status": 201, "body": '{"booking":{"id":"bkg_1"}}' + " " * (2 << 20)})
    in_doubt(open_client(service.config, **AT_ONCE).book(booking_request(bot)), 201, "reply_too_large")


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
