"""Field cases: what a platform answers to a booking, and what of that is true in its books."""

from __future__ import annotations

import time

import pbk
import pytest
from completions import ByQueue
from contract import failure, in_doubt, success
from fault_server import Peer, answer, http_reply
from header import STATUS
from ledger import AT_ONCE, statuses, unsettled_keys
from samples import BOOKING_REPLY, QUICK, READS_ONLY, booking_request, search_request
from services import config_for
from sites import KEYS_FIRST, REPLY_LOST, SLOT, endpoints

# A success is a booking

DECLINED = ["declined", "cancelled", "canceled", "rejected", "no_show", "failed", "expired", "Declined", "NO_SHOW"]


@pytest.mark.parametrize("status", DECLINED)
@pytest.mark.parametrize("is_booked", [True, False])
def test_booking_that_is_no_appointment(visit, status, is_booked):
    """It is rejected, is handed over as the platform wrote it, and is not remembered."""
    site = visit(KEYS_FIRST, {"is": "books_as", "statuses": [status], "is_booked": is_booked, "first": 1})
    request = site.request()
    error = failure(site.client.book(request), "NOT_CONFIRMED")
    assert (error["outcome"], error["retryable"], error["attempts"]) == ("rejected", False, 1)
    assert error["status"] == 201 and error["reply"]["booking"]["status"] == status
    assert unsettled_keys(site.client) == []
    result = site.client.book(request)
    assert len(site.answered()) == 2
    if is_booked:
        assert failure(result, "NOT_CONFIRMED")["reply"]["booking"]["id"] == error["reply"]["booking"]["id"]
    else:
        success(result)


@pytest.mark.parametrize("status", ["pending", "accepted", "confirmed", "tentative", "", "declined_by_nobody"])
def test_booking_with_another_status_is_a_booking(reference, service, open_client, status):
    """Words that nobody knows too, byte for byte; and it is remembered."""
    body = f'{{ "booking" : {{"id":"b" ,"status":"{status}"}}}}\n'
    bot = reference.bot({"status": 201, "body": body})
    client = open_client(service.config)
    request = booking_request(bot)
    for _ in range(2):
        assert client.book(request) == (STATUS["OK"], body.encode())
    assert statuses(reference, bot) == [201]


def test_booking_that_was_cancelled_meanwhile(visit):
    """The platform may have looked at something else than the key. So the doubt stays, and says what the answer was."""
    site = visit(KEYS_FIRST, {"is": "cancels_later", "ms": 10}, REPLY_LOST, way="fresh", **READS_ONLY)
    request = site.request(**AT_ONCE)
    in_doubt(site.client.book(request), None, "connection_lost")
    assert site.booked() == []
    error = in_doubt(site.client.book(request), 200, "not_confirmed")
    assert error["outcome"] == "unknown"


def test_reply_about_another_start_is_asked_for_once_more(visit):
    """On a new connection: it may have been on its way to somebody else."""
    site = visit(KEYS_FIRST, {"is": "misreplies", "kinds": ["other"], "first": 1})
    success(site.client.search(search_request(site.name)))
    request = site.request()
    completions = ByQueue()
    completions.submit(site.client, pbk.BOOK, request)
    completion = completions.next(site.client)
    assert success(completion.result)["booking"]["start_at"] == SLOT
    assert (completion.timing["attempts"], completion.timing["connection_reused"]) == (2, False)
    assert site.booked() == [request["idempotency_key"]]


def test_reply_about_another_start_proves_nothing(visit):
    site = visit(KEYS_FIRST, {"is": "misreplies", "kinds": ["other"], "first": 3}, **READS_ONLY)
    request = site.request()
    error = failure(site.client.book(request), "OTHER_BOOKING")
    assert (error["outcome"], error["attempts"], error["status"]) == ("unknown", 2, 201)
    assert error["reply"]["booking"]["start_at"] == "2031-05-06T10:00:00Z"
    assert unsettled_keys(site.client) == site.booked() == [request["idempotency_key"]]
    # The third gets another once more, and the fourth the booking.
    success(site.client.book(request))
    assert unsettled_keys(site.client) == []


def test_start_in_another_spelling_is_the_same_start(visit):
    site = visit(KEYS_FIRST, {"is": "respells"})
    assert success(site.client.book(site.request()))["booking"]["start_at"] == "2031-05-05T05:00:00-05:00"


@endpoints
@pytest.mark.parametrize("checks", [True, False])
def test_start_need_not_be_looked_at(visit, endpoint, checks):
    """For platforms that write a wrong offset."""
    respells = {"is": "respells", "is_wrong": True}
    site = visit(KEYS_FIRST, respells, endpoint=endpoint, check_start_at=checks, **READS_ONLY)
    result = site.client.book(site.request())
    if checks:
        failure(result, "OTHER_BOOKING")
    else:
        assert success(result)["booking"]["start_at"] == "2031-05-05T10:00:00-05:00"


def test_other_start_is_looked_at_before_the_status(reference, http1, open_client):
    """Somebody else's declined booking says nothing of ours."""
    body = '{"booking":{"id":"b","status":"declined","start_at":"2030-01-15T10:00:00Z"}}'
    bot = reference.bot({"status": 201, "body": body})
    failure(open_client(http1.config, **READS_ONLY).book(booking_request(bot)), "OTHER_BOOKING")


# Bytes that nobody asked for


@pytest.mark.parametrize("kind", [409, 400, 201])
def test_unasked_reply_is_nobodys(visit, kind):
    """It lies on a kept connection. The next booking is sent on another one."""
    site = visit(KEYS_FIRST, {"is": "unasked", "ms": 1, "kinds": [kind]})
    requests = [site.request(f"2031-05-05T1{hour}:00:00Z") for hour in range(4)]
    for request in requests:
        success(site.client.book(request))
        time.sleep(0.05)
    assert site.booked() == [request["idempotency_key"] for request in requests]
    assert site.answered() == [201] * 4
    assert all(each["unasked_at"] is None for each in site.books()["requests"])


@pytest.mark.parametrize("junk", [b"\r\n", b"x", http_reply(409, b"{}"), http_reply(201, BOOKING_REPLY)], ids=repr)
def test_connection_with_unread_bytes_is_not_used(start_faults, open_client, junk):
    def answer_and_add(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_reply(200, b'{"availabilities":[]}'))
        peer.pause(0.02)
        peer.send(junk)
        peer.read_request()

    server = start_faults(answer_and_add, answer(http_reply(201, BOOKING_REPLY)))
    client = open_client(config_for(server))
    success(client.search(search_request()))
    time.sleep(0.1)
    assert client.book(booking_request(key="k")) == (STATUS["OK"], BOOKING_REPLY)
    assert (server.connections, server.keys()) == (2, [None, "k"])


# A plain 500


@endpoints
@pytest.mark.parametrize("when", ["before", "after"])
def test_plain_500_is_tried_again(visit, endpoint, when):
    """Whether the platform has booked before it failed or not: one appointment, at once."""
    fails = {"is": "fails", "when": when, "statuses": [500], "first": 2}
    site = visit({"is": "keys_first"}, fails, endpoint=endpoint, retry={"max_attempts": 3, **QUICK})
    request = site.request()
    success(site.client.book(request))
    assert site.booked() == [request["idempotency_key"]]
    assert site.answered() == [500, 500, 201 if when == "before" else 200]


# What a platform cannot digest is no reason to refuse others


@endpoints
def test_failures_of_one_booking_count_once_for_the_breaker(visit, endpoint):
    site = visit(
        KEYS_FIRST,
        {"is": "fails", "when": "before", "statuses": [500], "first": 20},
        endpoint=endpoint,
        circuit_breaker={"failures": 3, "open_ms": 600_000},
        retry={"max_attempts": 4, **QUICK, "budget": 0},
        **READS_ONLY,
    )
    poison = site.request(**AT_ONCE)
    for _ in range(5):
        assert in_doubt(site.client.book(poison), 500, "internal_error")["attempts"] == 4
    assert site.answered() == [500] * 20
    success(site.client.search(search_request(site.name)))
    # The search was no failure: from here on they count anew, and other bookings do.
    in_doubt(site.client.book(site.request(**AT_ONCE)), 500, "internal_error")
    in_doubt(site.client.book(site.request(**AT_ONCE)), 500, "internal_error")
    in_doubt(site.client.book(site.request(**AT_ONCE)), 500, "internal_error")
    assert failure(site.client.book(site.request()), "CIRCUIT_OPEN")["outcome"] == "not_sent"


# Conflicts in words that nobody knows

SLOT_WORDS = ["slot_unavailable", "SLOT_UNAVAILABLE", "slot_taken", "booking_conflict"]
OTHER_WORDS = ["conflict", "text"]


@endpoints
@pytest.mark.parametrize("spelling", SLOT_WORDS + OTHER_WORDS)
def test_conflict_is_a_conflict(visit, endpoint, spelling):
    """About the slot it is a refusal at once, in other words when it is said again after a second."""
    site = visit(KEYS_FIRST, {"is": "refuses", "spellings": [spelling]}, endpoint=endpoint)
    is_about_the_slot = spelling in SLOT_WORDS
    error = failure(site.client.book(site.request()), "SLOT_UNAVAILABLE" if is_about_the_slot else "REFUSED")
    assert (error["outcome"], error["attempts"]) == ("rejected", 1 if is_about_the_slot else 2)
    assert unsettled_keys(site.client) == site.booked() == []
    assert len(site.answered()) == error["attempts"]


# A platform that has not fetched its secret yet


def test_platform_that_has_just_started(visit):
    site = visit({"is": "keys_first"}, {"is": "unsigned", "requests": 1}, endpoint="webhook")
    request = site.request()
    success(site.client.book(request))
    assert site.booked() == [request["idempotency_key"]]
    first, second = site.books()["requests"]
    assert (first["answered"], second["answered"]) == (401, 201)
    assert second["arrived"] - first["arrived"] >= 0.99
