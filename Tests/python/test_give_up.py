"""A person gives up bookings in doubt: they are forgotten, and nothing else is. Nothing is sent for it."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import pbk
import pytest
from completions import ByCallback, ByQueue
from contract import failure, success
from doubts import doubt, given_up, of_bot
from fault_server import answer, answer_once, answer_when, http_reply
from garbage import GARBAGE
from header import OUTCOME, STATUS
from held import HoldByQueue, submitted
from ledger import A_WHILE, BOOKED, FAILED, REPORTED, answer_in_turn, changed, give_up, listed, pending, resume, states
from samples import BOOKING_REPLY, booking_request
from waiting import MINUTE, MOST_PAUSE, SOON, SOON_MS, wait_until

OTHER_REPLY = b'{"booking":{"id":"bkg_other","status":"confirmed"}}'


# By key


def test_give_up_of_a_doubt(opened):
    """The reply says what it was; its key is forgotten, and may be used again by whoever wants to."""
    server, client = opened(answer_in_turn(FAILED, BOOKED))
    request = doubt(client, "k")
    (before,) = pending(client)
    assert success(client.book(give_up("k"))) == {"given_up": [before], "kept": []}
    assert before["state"] == "in_doubt" and pending(client) == []
    assert failure(client.book(resume("k")), "NOT_RECORDED")["outcome"] == "unknown"
    failure(client.book(give_up("k")), "NOT_RECORDED")
    assert server.keys() == ["k"]
    another = changed(request, "booking.start_at", "2030-01-14T11:00:00Z")
    assert client.book(another) == (STATUS["OK"], BOOKING_REPLY)
    assert server.keys() == ["k", "k"]


def test_give_up_of_a_key_that_is_not_known(opened):
    server, client = opened()
    error = failure(client.book(give_up("k", tag="call-7")), "NOT_RECORDED")
    assert (error["field"], error["idempotency_key"], error["tag"]) == ("idempotency_key", "k", "call-7")
    assert (error["attempts"], error["retryable"]) == (0, False)
    assert server.keys() == []


def test_booking_that_is_settled_in_the_background_is_given_up(opened):
    """From then on nothing is sent for it, and nobody is told of an end."""
    server, client = opened(answer(FAILED), settle_for_ms=600_000, **REPORTED)
    doubt(client, "k")
    assert states(client) == {"k": "in_flight"}
    assert given_up(client.book(give_up("k"))) == (["k"], [])
    assert pending(client) == []
    sent = len(server.keys())
    assert client.next_completion(int(2 * MOST_PAUSE * 1000)) == (STATUS["TIMEOUT"], None)
    assert len(server.keys()) == sent and pending(client) == []
    began = time.monotonic()
    assert client.close(SOON_MS) == STATUS["OK"]
    assert time.monotonic() - began < 5, "the close waits for a booking that was given up"


@pytest.mark.parametrize("repeat", ["same", "another", "none"])
def test_booking_on_the_wire_is_given_up(opened, repeat):
    """Its caller has gone. An answer that comes later is nobody's, and no reply to the next booking with the key."""
    told = threading.Event()
    server, client = opened(answer_when(told, BOOKED), answer(http_reply(201, OTHER_REPLY)), **REPORTED)
    queue = ByQueue()
    request = booking_request(key="k")
    ticket = queue.submit(client, pbk.BOOK, request)
    assert server.wait_for_requests(1)
    assert client.cancel(ticket) == STATUS["OK"]
    assert queue.next(client).outcome == OUTCOME["UNKNOWN"]
    assert states(client) == {"k": "in_flight"}
    assert given_up(client.book(give_up("k"))) == (["k"], [])
    assert pending(client) == []
    if repeat != "none":
        again = changed(request, "booking.notes", "Another wish") if repeat == "another" else request
        made = submitted(client, again, "OK")
        assert made.result.reply == OTHER_REPLY and server.keys() == ["k", "k"]
    told.set()
    time.sleep(0.3)
    assert client.next_completion(0) == (STATUS["TIMEOUT"], None)
    if repeat == "none":
        assert pending(client) == []
    else:
        assert states(client) == {"k": "booked"}
        made.free()
        assert client.book(again) == (STATUS["OK"], OTHER_REPLY)


def test_cancelled_booking_is_given_up(opened):
    _, client = opened(answer(FAILED))
    queue = ByQueue()
    ticket = queue.submit(client, pbk.BOOK, booking_request(key="k"))
    wait_until(lambda: states(client) == {"k": "in_flight"})
    client.cancel(ticket)
    if queue.next(client).outcome == OUTCOME["UNKNOWN"]:
        wait_until(lambda: states(client) == {"k": "in_doubt"})
        assert given_up(client.book(give_up("k"))) == (["k"], [])
    assert "k" not in states(client) or states(client) == {"k": "refused"}


# What is kept


@pytest.mark.parametrize("first", ["new", "in doubt"])
def test_call_that_waits_is_not_touched(opened, first):
    """Neither a first one nor one that repeats a doubt."""
    told = threading.Event()
    scripts = [answer_once(FAILED)] if first == "in doubt" else []
    server, client = opened(*scripts, answer_when(told, BOOKED))
    request = doubt(client, "k") if scripts else booking_request(key="k")
    holding = HoldByQueue()
    holding.submit(client, {**request, "timeout_ms": MINUTE})
    assert server.wait_for_requests(1 + len(scripts))
    (before,) = pending(client)
    for _ in range(2):
        assert success(client.book(give_up("k"))) == {"given_up": [], "kept": [before]}
    assert before["state"] == "in_flight" and pending(client) == [before]
    told.set()
    held = holding.next(client)
    assert held.result == (STATUS["OK"], BOOKING_REPLY)
    held.free()


def test_ends_are_kept(opened):
    """To give one up is not to hear it either."""
    server, client = opened()
    held = [submitted(client, booking_request(key="booked-1"), "OK")]
    held.append(submitted(client, booking_request(key="refused-1"), "SLOT_UNAVAILABLE"))
    before = pending(client)
    for key, booking in zip(("booked-1", "refused-1"), before):
        assert success(client.book(give_up(key))) == {"given_up": [], "kept": [booking]}
    time.sleep(A_WHILE)
    assert pending(client) == before
    for each in held:
        each.free()
    assert given_up(client.book(give_up("booked-1"))) == ([], ["booked-1"])
    failure(client.book(give_up("refused-1")), "NOT_RECORDED")
    assert client.book(resume("booked-1")) == (STATUS["OK"], BOOKING_REPLY)
    assert server.keys() == ["booked-1", "refused-1"]


def test_twins_of_a_doubt(opened):
    """One has left, the other waits: it is under way."""
    told = threading.Event()
    server, client = opened(answer_when(told, BOOKED))
    queue = ByQueue()
    tickets = [queue.submit(client, pbk.BOOK, booking_request(key="k")) for _ in range(2)]
    assert server.wait_for_requests(1)
    client.cancel(tickets[0])
    assert queue.next(client).ticket == tickets[0]
    assert given_up(client.book(give_up("k"))) == ([], ["k"])
    client.cancel(tickets[1])
    assert queue.next(client).ticket == tickets[1]
    assert given_up(client.book(give_up("k"))) == (["k"], [])
    told.set()


# How it is asked for


def test_submitted_give_up(opened, way):
    server, client = opened()
    doubt(client, "in_doubt-1")
    doubt(client, "in_doubt-2")
    for request, key, expected in [
        (give_up("in_doubt-1"), "in_doubt-1", ["in_doubt-1"]),
        (of_bot(), None, ["in_doubt-2"]),
    ]:
        ticket = way.submit(client, pbk.BOOK, {**request, "tag": "call-7"}, 7)
        completion = way.next(client)
        assert (completion.ticket, completion.context, completion.tag) == (ticket, 7, "call-7")
        assert (completion.event, completion.outcome, completion.key) == (pbk.DONE, OUTCOME["NONE"], key)
        assert given_up(completion.result) == (expected, [])
        assert completion.timing["attempts"] == 0 and "replayed" not in completion.timing
    way.submit(client, pbk.BOOK, give_up("in_doubt-1"))
    failure(way.next(client).result, "NOT_RECORDED")
    assert server.keys() == ["in_doubt-1", "in_doubt-2"]


def test_give_up_from_a_callback(opened):
    """It may be submitted there, but nothing may be waited for."""
    server, client = opened()
    doubt(client, "in_doubt-1")
    doubt(client, "in_doubt-2")
    second, found = ByCallback(), []

    def in_callback(_: pbk.Completion) -> None:
        second.submit(client, pbk.BOOK, give_up("in_doubt-1"))
        found.append(client.book(give_up("in_doubt-2")))

    first = ByCallback(in_callback)
    first.submit(client, pbk.BOOK, booking_request(key="booked-1"))
    success(first.next().result)
    assert given_up(second.next().result) == (["in_doubt-1"], [])
    failure(found[0], "WOULD_DEADLOCK")
    assert states(client) == {"in_doubt-2": "in_doubt"}
    assert server.keys() == ["in_doubt-1", "in_doubt-2", "booked-1"]


def test_give_up_waits_for_no_turn(opened):
    """All places are taken by calls that never end, and the service is not asked."""
    server, client = opened(max_in_flight=1, max_queued=2)
    doubt(client, "in_doubt-1")
    queue = ByQueue()
    queue.submit(client, pbk.BOOK, booking_request(key="in_flight-1", timeout_ms=MINUTE))
    assert server.wait_for_requests(2)
    began = time.monotonic()
    assert given_up(client.book(give_up("in_doubt-1", timeout_ms=5000))) == (["in_doubt-1"], [])
    assert time.monotonic() - began < SOON / 4
    client.close(0)


@pytest.mark.parametrize("handle", GARBAGE.values(), ids=GARBAGE)
def test_give_up_of_a_garbage_handle(handle):
    failure(pbk.book(handle, give_up("k")), "INVALID_CLIENT")


def test_give_up_after_the_close(opened):
    _, client = opened()
    doubt(client, "in_doubt-1")
    client.close()
    failure(client.book(give_up("in_doubt-1")), "CLIENT_CLOSED")


# Everything at once


def test_give_up_meets_the_settlement(opened, threads):
    """In the moment when doubts are settled they are given up. Each has one end: of what is given up nothing is heard,
    and what is kept is booked."""
    seen: set[str | None] = set()

    def fail_first(peer: Any) -> None:
        while True:
            key = peer.read_request().idempotency_key
            peer.send(BOOKED if key in seen else FAILED)
            seen.add(key)

    server, client = opened(fail_first, settle_for_ms=600_000, **REPORTED)
    dice = random.Random(7)
    keys = [f"k{number}" for number in range(60)]
    began = {}
    for key in keys:
        doubt(client, key)
        began[key] = time.monotonic()
    pauses = {key: 1 + dice.random() * 0.2 for key in keys}

    def give_up_late(key: str) -> tuple[str, pbk.Result]:
        time.sleep(max(0, began[key] + pauses[key] - time.monotonic()))
        return key, client.book(give_up(key))

    results = dict(threads.map(give_up_late, keys))
    gone = {key for key in keys if given_up(results[key])[0] == [key]}
    assert all(given_up(result) in (([key], []), ([], [key])) for key, result in results.items())
    wait_until(lambda: "in_flight" not in states(client).values())
    assert states(client) == {key: "booked" for key in keys if key not in gone}
    reported = set()
    while (found := client.next_completion(200)[1]) is not None:
        reported.add(found.key)
    assert reported == set(keys) - gone
    assert listed(client) == []
    assert max(server.keys().count(key) for key in keys) == 2
