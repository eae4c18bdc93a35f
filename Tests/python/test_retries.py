"""What is tried again, how often and when; and a service that fails too often is left alone."""

from __future__ import annotations

import time

import pytest
from contract import failure, in_doubt, success
from header import STATUS
from run_reference import headers_of
from samples import DOWN, ONCE, QUICK, READS_ONLY, UNSPARED, booking_request, new_key, search_request

pytestmark = pytest.mark.usefixtures("no_violation")


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
    bot = reference.bot({"status": 503, "code": "platform_down"})
    client = open_client(http1.config, retry={**QUICK, "max_attempts": most})
    error = failure(client.search(search_request(bot)), "SERVICE_FAILED")
    assert (error["code"], error["status"]) == ("platform_down", 503)
    assert error["attempts"] == len(reference.requests(bot)) == most


@pytest.mark.parametrize("most", [1, 2])
def test_booking_in_doubt_is_asked_for_beyond_the_attempts(reference, http1, open_client, most):
    """After the quick retries with a pause: the key may give the booking at any moment."""
    bot, key = reference.bot(*[{"status": 503}] * most, {}), new_key()
    client = open_client(http1.config, retry={**QUICK, "max_attempts": most})
    assert success(client.book(booking_request(bot, key)))["booking"]["platform_reference"] == key
    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [503] * most + [201]
    assert {headers_of(request)["idempotency-key"] for request in requests} == {key}
    pauses = [later["at"] - earlier["at"] for earlier, later in zip(requests, requests[1:])]
    assert pauses[-1] >= 0.99 and max([0.0, *pauses[:-1]]) < 0.99


def test_booking_that_cannot_be_asked_for_before_the_deadline(reference, http1, open_client):
    """Its call ends at once, while the bot can still say something."""
    bot = reference.bot({"status": 503})
    client = open_client(http1.config, retry=ONCE, **READS_ONLY)
    started = time.monotonic()
    error = in_doubt(client.book(booking_request(bot, timeout_ms=1000)), 503, "ordered_503")
    assert time.monotonic() - started < 0.9
    assert (error["attempts"], error["source"], error["retryable"]) == (1, "partner_api", True)
    assert error["doubt"]["sent_ms_ago"] < 1000


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
    broken, sound = reference.bot(DOWN), reference.bot()
    breaker = {"failures": most, "open_ms": 600_000}
    client = open_client(http1.config, retry=ONCE, circuit_breaker=breaker, **READS_ONLY)
    for _ in range(2):
        for _ in range(most - 1):
            failure(client.search(search_request(broken)), "SERVICE_FAILED")
        success(client.search(search_request(sound)))
    for _ in range(most):
        in_doubt(client.book(booking_request(broken)), 503, "ordered_503")
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
