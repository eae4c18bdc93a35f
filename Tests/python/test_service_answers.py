"""What the library makes of the service's answers: retries, statuses, replies that cannot be used, deadlines."""

from __future__ import annotations

import time

import pytest
from contract import STATUS, error_object, failure, success
from reference_api import BOOKING_PATH
from run_reference import headers_of
from samples import ONCE, QUICK, UNSPARED, booking_request, new_key, search_request

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


ABOUT_THE_BOOKING = [
    ({"status": 400, "code": "invalid_payload"}, "REFUSED"),
    ({"status": 404, "code": "bot_not_found"}, "REFUSED"),
    ({"status": 409, "code": "slot_unavailable"}, "SLOT_UNAVAILABLE"),
    ({"status": 410, "code": "slot_gone"}, "REFUSED"),
    ({"status": 422, "code": "in_the_past"}, "REFUSED"),
]
ABOUT_SOMETHING_ELSE = [
    ({"status": 401, "code": "unauthorized"}, "UNAUTHORIZED"),
    ({"status": 403, "code": "forbidden"}, "UNAUTHORIZED"),
    ({"status": 418, "code": "teapot"}, "REFUSED"),
    ({"status": 404, "body": "<html>No such page</html>"}, "REFUSED"),
    ({"status": 422, "body": "{}"}, "REFUSED"),
]
"""Of the caller or of the way: they would be said of a booking that was made, too."""


@pytest.mark.parametrize(("last", "status"), ABOUT_THE_BOOKING, ids=str)
def test_refusal_after_an_attempt_in_doubt(reference, http1, open_client, last, status):
    """One refusal settles only its own attempt: the slot may be taken by the one in doubt. A second, once that one has
    had time to finish, settles them all, although it is an attempt more than the call has.
    """
    bot, key = reference.bot({"status": 503}, last), new_key()
    client = open_client(http1.config, retry={**QUICK, "max_attempts": 2})
    error = failure(client.book(booking_request(bot, key)), status)
    assert (error["outcome"], error["attempts"]) == ("rejected", 3)
    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [503, last["status"], last["status"]]
    assert {headers_of(request)["idempotency-key"] for request in requests} == {key}
    assert requests[2]["at"] - requests[1]["at"] >= 0.99


@pytest.mark.parametrize(("last", "status"), ABOUT_THE_BOOKING, ids=str)
def test_refusal_that_cannot_be_confirmed_before_the_deadline(reference, http1, open_client, last, status):
    """The call ends at once, and in doubt: nobody is helped by waiting for what comes too late."""
    bot = reference.bot({"status": 503}, {**last, "headers": {"Retry-After": "86400"}})
    error = failure(open_client(http1.config, retry=QUICK).book(booking_request(bot)), status)
    assert (error["outcome"], error["attempts"]) == ("unknown", 2)
    assert len(reference.requests(bot)) == 2


def test_refusal_just_before_the_deadline(reference, http1, open_client):
    """Shorter than the pause before the confirmation: there is never one, however busy the machine is."""
    bot = reference.bot({"status": 503}, {"status": 409, "code": "slot_unavailable"})
    result = open_client(http1.config, retry=QUICK).book(booking_request(bot, timeout_ms=1000))
    assert result.status in (STATUS["SLOT_UNAVAILABLE"], STATUS["TIMEOUT"])
    assert error_object(result.reply)["outcome"] == "unknown"
    assert len(reference.requests(bot)) <= 2


@pytest.mark.parametrize(("last", "status"), ABOUT_SOMETHING_ELSE, ids=str)
def test_refusal_of_the_caller_settles_no_doubt(reference, http1, open_client, last, status):
    bot = reference.bot({"status": 503}, last)
    error = failure(open_client(http1.config, retry=QUICK).book(booking_request(bot)), status)
    assert (error["outcome"], error["attempts"]) == ("unknown", 2)
    assert len(reference.requests(bot)) == 2


def test_refusal_is_confirmed_and_turns_out_to_be_a_booking(reference, http1, open_client):
    """The attempt in doubt had the slot before it had its booking. What the caller hears is the booking."""
    taken = {"status": 409, "code": "slot_unavailable"}
    bot, key = reference.bot({"status": 503, "processed": True}, taken, {}), new_key()
    result = open_client(http1.config, retry=QUICK).book(booking_request(bot, key))
    assert success(result)["booking"]["platform_reference"] == key
    assert [request["status"] for request in reference.requests(bot)] == [503, 409, 200]


@pytest.mark.parametrize("between", [{"status": 502}, {"status": 403, "code": "forbidden"}], ids=str)
def test_refusals_settle_a_doubt_only_in_a_row(reference, http1, open_client, between):
    """With another failure between them they are two first refusals."""
    taken = {"status": 409, "code": "slot_unavailable"}
    bot = reference.bot({"status": 503}, taken, between, {**taken, "headers": {"Retry-After": "86400"}})
    result = open_client(http1.config, retry={**QUICK, "max_attempts": 4}).book(booking_request(bot))
    assert error_object(result.reply)["outcome"] == "unknown"


@pytest.mark.parametrize(
    "step",
    [
        {"status": 409, "code": "request_in_progress"},
        {"status": 409, "code": "idempotency_key_in_use"},
        {"status": 409, "code": "still_processing"},
        {"status": 409, "code": "conflict", "headers": {"Retry-After": "0"}},
        {"status": 409, "body": "", "headers": {"Retry-After": "0"}},
    ],
    ids=str,
)
def test_key_in_progress_is_waited_for(reference, http1, open_client, step):
    """Beyond the attempts of the call, and on no budget: the service is at work on this very booking."""
    bot, key = reference.bot(*[step] * 6, {}), new_key()
    client = open_client(http1.config, retry={**QUICK, **ONCE, "budget": 1})
    assert success(client.book(booking_request(bot, key)))["booking"]["platform_reference"] == key
    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [409] * 6 + [201]
    assert {headers_of(request)["idempotency-key"] for request in requests} == {key}


def test_key_in_progress_is_waited_for_until_the_deadline(reference, service, open_client):
    step = {"status": 409, "code": "request_in_progress"}
    bot = reference.bot(step, step, {**step, "headers": {"Retry-After": "86400"}})
    error = failure(open_client(service.config, retry={**QUICK, **ONCE}).book(booking_request(bot)), "REFUSED")
    assert (error["status"], error["code"], error["message"]) == (409, "request_in_progress", "Ordered by the test")
    assert (error["retryable"], error["outcome"], error["attempts"]) == (True, "unknown", 3)
    assert error["retry_after_ms"] == 86_400_000
    assert len(reference.requests(bot)) == 3


def test_conflict_of_another_kind_is_not_waited_for(reference, http1, open_client):
    bot = reference.bot({"status": 409, "code": "something_else"})
    error = failure(open_client(http1.config, retry={**QUICK, "max_attempts": 2}).book(booking_request(bot)), "REFUSED")
    assert (error["outcome"], error["attempts"]) == ("unknown", 2)


def test_retries_of_all_calls_together_are_limited(reference, http1, open_client):
    """Nobody waits ten seconds for three tokens here, so at most one more has come back."""
    bot = reference.bot({"status": 503})
    client = open_client(http1.config, retry={**QUICK, "max_attempts": 2, "budget": 3}, **UNSPARED)
    attempts = [failure(client.search(search_request(bot)), "SERVICE_FAILED")["attempts"] for _ in range(12)]
    assert attempts[:3] == [2, 2, 2]
    assert 1 in attempts[3:]
    assert sum(attempts) == len(reference.requests(bot)) < 24


@pytest.mark.parametrize("most", [1, 4])
def test_service_that_keeps_failing_is_left_alone(reference, http1, open_client, most):
    """Failures in a row count, and a success between them starts the count anew."""
    broken, sound = reference.bot({"status": 503}), reference.bot()
    breaker = {"failures": most, "open_ms": 600_000}
    client = open_client(http1.config, retry=ONCE, circuit_breaker=breaker)
    for _ in range(2):
        for _ in range(most - 1):
            failure(client.search(search_request(broken)), "SERVICE_FAILED")
        success(client.search(search_request(sound)))
    for _ in range(most):
        assert failure(client.book(booking_request(broken)), "SERVICE_FAILED")["outcome"] == "unknown"
    sent = len(reference.requests(broken)), len(reference.requests(sound))
    for _ in range(3):
        error = failure(client.book(booking_request(sound)), "CIRCUIT_OPEN")
        assert (error["outcome"], error["attempts"], error["retryable"]) == ("not_sent", 0, True)
        assert 0 < error["retry_after_ms"] <= 600_000
    assert (len(reference.requests(broken)), len(reference.requests(sound))) == sent


def test_service_that_was_left_alone_is_tried_again(reference, http1, open_client):
    broken, sound = reference.bot({"status": 503}), reference.bot()
    client = open_client(http1.config, retry=ONCE, circuit_breaker={"failures": 1, "open_ms": 100})
    failure(client.search(search_request(broken)), "SERVICE_FAILED")
    deadline = time.monotonic() + 20
    while client.search(search_request(sound)).status == STATUS["CIRCUIT_OPEN"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for _ in range(3):
        success(client.search(search_request(sound)))


def test_breaker_can_be_turned_off(reference, http1, open_client):
    broken = reference.bot({"status": 503})
    client = open_client(http1.config, retry=ONCE, **UNSPARED)
    for _ in range(25):
        failure(client.search(search_request(broken)), "SERVICE_FAILED")
    assert len(reference.requests(broken)) == 25


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
