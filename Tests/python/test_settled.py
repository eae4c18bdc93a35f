"""What goes on after a call has ended `unknown`: the library settles the doubt, reports its end, and a close waits."""

from __future__ import annotations

import json
import threading
import time

import pbk
import pytest
from completions import ByCallback, ByQueue, check, nothing_comes, settled
from contract import error_object, failure, in_doubt, success
from fault_server import LIFETIME, Peer, answer, answer_once, answer_when, http_reply, stall
from header import STATUS
from held import HoldByCallback, submitted
from ledger import AT_ONCE, BOOKED, ENDS, FAILED, FIRST, REFUSED, REPORTED, ends, pending, pending_keys, resume, states
from samples import (
    BOOKING_REPLY,
    DOWN,
    ONCE,
    READS_ONLY,
    SANDBOX,
    SEARCH_REPLY,
    UNSPARED,
    booking_request,
    new_key,
    search_request,
)
from services import config_for
from waiting import MOST_PAUSE, SOON_MS, wait_until, wait_until_readable

# Reports


def test_booking_is_reported_when_it_is_settled(start_faults, open_client):
    """The library asks again after the call has ended, and says what came of it: once, with tag and key."""
    server = start_faults(answer_once(FAILED), answer(BOOKED))
    client = open_client(config_for(server), **REPORTED)
    request = booking_request(key="call-7-1", tag="call-7")
    in_doubt(client.book({**request, **AT_ONCE}), 503, "http_error")
    assert [(booking["state"], booking["in_flight"]) for booking in pending(client)] == [("in_flight", True)]
    report = settled(client)
    assert (report.ticket, report.context, report.tag, report.key) == (0, None, "call-7", "call-7-1")
    assert (report.status, report.reply) == (STATUS["OK"], BOOKING_REPLY)
    assert report.timing["attempts"] == 2
    assert pending(client) == []
    assert client.book(request) == (STATUS["OK"], BOOKING_REPLY)
    assert server.keys() == ["call-7-1"] * 2
    assert nothing_comes(client)


def test_refusal_is_reported_too(start_faults, open_client):
    server = start_faults(answer_once(FAILED), answer(REFUSED))
    client = open_client(config_for(server), **REPORTED, **FIRST)
    in_doubt(client.book(booking_request(key="call-7-1", tag="call-7", **AT_ONCE)), 503, "http_error")
    report = settled(client)
    error = failure(pbk.Result(report.status, report.reply), "SLOT_UNAVAILABLE")
    assert (error["outcome"], error["idempotency_key"], error["tag"]) == ("rejected", "call-7-1", "call-7")
    assert (report.tag, report.key) == ("call-7", "call-7-1")
    assert pending(client) == []


def test_report_makes_the_descriptor_readable(start_faults, open_client):
    client = open_client(config_for(start_faults(answer_once(FAILED), answer(BOOKED))), **REPORTED)
    descriptor = client.fd()
    in_doubt(client.book(booking_request(**AT_ONCE)), 503, "http_error")
    assert wait_until_readable(descriptor)
    settled(client)
    assert not wait_until_readable(descriptor, 0)


@pytest.mark.parametrize("members", [{}, {"report_settled": False}], ids=str)
def test_nothing_is_reported_unless_it_is_asked_for(start_faults, open_client, members):
    client = open_client(config_for(start_faults(answer_once(FAILED), answer(BOOKED))), **members)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 503, "http_error")
    wait_until(lambda: states(client) == {"k": "booked"})
    assert nothing_comes(client, 0.1)
    assert states(client) == {"k": "booked"}


def test_report_never_comes_by_a_callback(start_faults, open_client):
    """What its context points to may be gone."""
    client = open_client(config_for(start_faults(answer_once(FAILED), answer(BOOKED))), **REPORTED)
    told = ByCallback()
    ticket = told.submit(client, pbk.BOOK, booking_request(key="k", **AT_ONCE), 7)
    completion = told.next()
    assert (completion.ticket, completion.context, completion.status) == (ticket, 7, STATUS["IN_DOUBT"])
    assert settled(client).key == "k"
    assert told.rest() == []


def test_report_takes_no_place_of_calls(start_faults, open_client):
    """Nor does the booking while it is being settled."""
    server = start_faults(answer_once(FAILED), answer(BOOKED))
    client = open_client(config_for(server), max_in_flight=1, max_queued=0, **REPORTED)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 503, "http_error")
    queue = ByQueue()
    for _ in range(2):
        ticket = queue.submit(client, pbk.BOOK, booking_request())
        assert queue.next(client).ticket == ticket
    assert settled(client).key == "k"
    ticket = queue.submit(client, pbk.BOOK, booking_request())
    assert queue.next(client).ticket == ticket


def test_repeat_that_settles_a_doubt_is_reported_once(start_faults, open_client):
    """The caller has the reply, and who waits for the report gets it too."""
    server = start_faults(answer_once(FAILED), answer(BOOKED))
    client = open_client(config_for(server), **REPORTED, **READS_ONLY)
    request = booking_request(key="k", tag="first")
    in_doubt(client.book({**request, **AT_ONCE}), 503, "http_error")
    assert nothing_comes(client)
    assert client.book({**request, "tag": "second"}) == (STATUS["OK"], BOOKING_REPLY)
    report = settled(client)
    assert (report.key, report.tag, report.reply) == ("k", "first", BOOKING_REPLY)
    assert client.book(request) == (STATUS["OK"], BOOKING_REPLY)
    assert nothing_comes(client)


def test_booking_that_was_never_in_doubt_is_not_reported(start_faults, open_client):
    client = open_client(config_for(start_faults(answer(BOOKED))), **REPORTED)
    success(client.book(booking_request()))
    refused = open_client(config_for(start_faults(answer(REFUSED))), **REPORTED)
    failure(refused.book(booking_request()), "SLOT_UNAVAILABLE")
    assert nothing_comes(client) and nothing_comes(refused)


@pytest.mark.parametrize("how", ["cancel", "deadline"])
def test_answer_to_a_call_that_has_left_is_reported(start_faults, open_client, how):
    told = threading.Event()
    server = start_faults(answer_when(told, BOOKED))
    client = open_client(config_for(server), **REPORTED)
    queue = ByQueue()
    limit = {"timeout_ms": 500} if how == "deadline" else {}
    ticket = queue.submit(client, pbk.BOOK, booking_request(key="k", **limit))
    assert server.wait_for_requests(1)
    if how == "cancel":
        assert client.cancel(ticket) == STATUS["OK"]
    error = failure(queue.next(client).result, {"cancel": "CANCELLED", "deadline": "TIMEOUT"}[how])
    assert error["outcome"] == "unknown"
    told.set()
    report = settled(client)
    assert (report.key, report.reply, report.timing["attempts"]) == ("k", BOOKING_REPLY, 1)
    assert server.keys() == ["k"]


def test_twin_that_has_left_is_told_by_a_report(start_faults, open_client):
    """It was told `unknown`; the other has the reply."""
    told = threading.Event()
    server = start_faults(answer_when(told, BOOKED))
    client = open_client(config_for(server), **REPORTED)
    queue = ByQueue()
    request = booking_request(key="k")
    tickets = [queue.submit(client, pbk.BOOK, {**request, "tag": tag}) for tag in ("stays", "leaves")]
    assert server.wait_for_requests(1)
    assert client.cancel(tickets[1]) == STATUS["OK"]
    assert queue.next(client).ticket == tickets[1]
    told.set()
    found = {completion.event: completion for completion in (queue.next(client), queue.next(client))}
    assert (found[pbk.DONE].ticket, found[pbk.DONE].reply) == (tickets[0], BOOKING_REPLY)
    assert (found[pbk.SETTLED].tag, found[pbk.SETTLED].reply) == ("leaves", BOOKING_REPLY)
    assert nothing_comes(client)


def test_sandbox_settles_its_doubts(open_client):
    sandbox = SANDBOX["sandbox"] | {"faults": [{"fault": "lose_reply", "calls": [1]}]}
    client = open_client(SANDBOX | {"sandbox": sandbox}, retry=ONCE, **REPORTED)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), None, "connection_lost")
    assert json.loads(settled(client).reply)["booking"]["status"] == "confirmed"
    (booking,) = success(client.sandbox_bookings())["bookings"]
    assert booking["idempotency_key"] == "k"


# How long it goes on


def test_settling_ends_with_its_time(reference, http1, open_client):
    """Then the booking stays in doubt, and nothing more is sent for it unasked."""
    bot = reference.bot({"status": 503})
    client = open_client(http1.config, retry=ONCE, settle_for_ms=1500, **REPORTED)
    in_doubt(client.book(booking_request(bot, **AT_ONCE)), 503, "ordered_503")
    wait_until(lambda: [booking["state"] for booking in pending(client)] == ["in_doubt"])
    assert len(reference.requests(bot)) == 2
    assert nothing_comes(client)


def test_settling_does_not_wait_for_what_comes_too_late(reference, http1, open_client):
    """The service wants to be left alone for longer than that: there is nothing to wait for."""
    bot = reference.bot(DOWN)
    client = open_client(http1.config, retry=ONCE, settle_for_ms=1500)
    in_doubt(client.book(booking_request(bot)), 503, "ordered_503")
    wait_until(lambda: [booking["state"] for booking in pending(client)] == ["in_doubt"], seconds=5)
    started = time.monotonic()
    assert client.close(SOON_MS) == STATUS["OK"]
    assert time.monotonic() - started < 5


def test_reading_only(start_faults, open_client):
    """`"settle_for_ms":0`: what is outstanding is read, and nothing more is sent."""
    leave = threading.Event()

    def read_and_leave(peer: Peer) -> None:
        peer.read_request()
        assert leave.wait(LIFETIME)
        peer.close()

    server = start_faults(read_and_leave, answer(BOOKED))
    client = open_client(config_for(server), **REPORTED, **READS_ONLY)
    request = booking_request()
    assert failure(client.book({**request, "timeout_ms": 300}), "TIMEOUT")["outcome"] == "unknown"
    leave.set()
    wait_until(lambda: [booking["state"] for booking in pending(client)] == ["in_doubt"])
    assert nothing_comes(client, MOST_PAUSE)
    assert len(server.keys()) == 1
    assert client.book(request) == (STATUS["OK"], BOOKING_REPLY)
    assert settled(client).reply == BOOKING_REPLY


def test_breaker_that_is_open_is_respected(start_faults, open_client):
    """Nobody waits for the booking, so it can wait for the service to be well."""
    server = start_faults(answer(FAILED))
    breaker = {"failures": 1, "open_ms": 600_000}
    client = open_client(config_for(server), circuit_breaker=breaker, **REPORTED)
    in_doubt(client.book(booking_request(**AT_ONCE)), 503, "http_error")
    assert nothing_comes(client, MOST_PAUSE)
    assert len(server.keys()) == 1


# Limits


def test_background_leaves_connections_for_calls(start_faults, open_client):
    """Half of them. The oldest request is given up for that, and its booking stays in doubt."""
    server = start_faults(stall(), stall(), stall(), answer(http_reply(200, SEARCH_REPLY)))
    client = open_client(config_for(server), max_in_flight=4)
    queue = ByQueue()
    for number in range(3):
        ticket = queue.submit(client, pbk.BOOK, booking_request(key=f"k{number}"))
        assert server.wait_for_requests(number + 1)
        assert client.cancel(ticket) == STATUS["OK"]
        assert failure(queue.next(client).result, "CANCELLED")["outcome"] == "unknown"
    expected = {"k0": "in_doubt", "k1": "in_flight", "k2": "in_flight"}
    wait_until(lambda: {one["idempotency_key"]: one["state"] for one in pending(client)} == expected)
    success(client.search(search_request(timeout_ms=5000)))


MOST_REPORTS = 1000


@ends
def test_reports_that_nobody_takes(start_faults, open_client, end):
    """Beyond a thousand a booking stays listed until somebody asks for it: its end is never lost."""
    reply, status = ENDS[end]
    doubtful = FAILED.replace(b"Content-Length", b"Retry-After: 3600\r\nContent-Length")
    seen = set()

    def doubt_first(peer: Peer) -> None:
        while True:
            key = peer.read_request().idempotency_key
            peer.send(reply if key in seen else doubtful)
            seen.add(key)

    server = start_faults(doubt_first)
    client = open_client(config_for(server), **REPORTED, **FIRST, **UNSPARED, **READS_ONLY)
    keys = [f"k{number}" for number in range(MOST_REPORTS + 1)]
    for key in keys:
        in_doubt(client.book(booking_request(key=key)), 503, "http_error")
    time.sleep(1.1)  # so that a refusal counts
    holding = HoldByCallback()  # so that only a report can make the end heard
    for key in keys:
        submitted(client, booking_request(key=key), status, holding)
    assert states(client) == dict.fromkeys(keys, end)
    # The transfer thread answers this behind the last report, which finds no room as long as none
    # is taken.
    assert client.book(resume("nobody")).status == STATUS["NOT_RECORDED"]
    for key in keys[:-1]:
        report = settled(client)
        assert (report.key, report.status) == (key, STATUS[status])
    assert states(client) == {keys[-1]: end} and nothing_comes(client)
    assert client.book(resume(keys[-1])).status == STATUS["OK" if end == "booked" else "NOT_RECORDED"]
    wait_until(lambda: pending(client) == [], seconds=3)
    assert len(server.keys()) == 2 * len(keys)


# Everything at once


def test_many_doubts_are_settled(reference, http1, open_client):
    """Each once, each with what the server has."""
    bots = [reference.bot({"status": 503, "processed": True}, {}) for _ in range(40)]
    client = open_client(http1.config, retry=ONCE, **REPORTED, **UNSPARED)
    keys = [new_key() for _ in bots]
    queue = ByQueue()
    for bot, key in zip(bots, keys):
        queue.submit(client, pbk.BOOK, {**booking_request(bot, key), **AT_ONCE})
    found = [check(client.next_completion(SOON_MS)[1]) for _ in range(2 * len(bots))]
    ended = [completion for completion in found if completion.event == pbk.DONE]
    reports = {completion.key: completion for completion in found if completion.event == pbk.SETTLED}
    assert {error_object(completion.reply)["outcome"] for completion in ended} == {"unknown"}
    assert sorted(reports) == sorted(keys)
    for bot, key in zip(bots, keys):
        (booking,) = reference.bookings(bot_id=bot)["bookings"]
        assert json.loads(reports[key].reply)["booking"]["id"] == booking["id"]
        assert len(reference.requests(bot)) == 2
    assert pending_keys(client) == [] and nothing_comes(client)


def test_search_is_still_hung_up_on(start_faults, open_client):
    """Only bookings go on."""

    def read_on(peer: Peer) -> None:
        peer.read_request()
        peer.read(1)

    server = start_faults(read_on, answer(http_reply(200, SEARCH_REPLY)))
    client = open_client(config_for(server))
    failure(client.search(search_request(timeout_ms=200)), "TIMEOUT")
    assert server.wait_until_idle(), "the transfer goes on"
    success(client.search(search_request()))
