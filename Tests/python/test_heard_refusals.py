"""The end of a booking that was not made: it is listed like any other, and its key is free all the while."""

from __future__ import annotations

import time
from typing import Any

import pbk
import pytest
from contract import failure, success
from fault_server import answer, http_reply
from header import OUTCOME, STATUS
from held import Held, HoldByQueue, stays, submitted
from ledger import (
    AT_ONCE,
    BOOKED,
    FAILED,
    REFUSED,
    answer_by_key,
    answer_in_turn,
    changed,
    listed,
    pending,
    resume,
    states,
    unsettled,
)
from samples import BOOKING_REPLY, ONCE, READS_ONLY, booking_request
from services import config_for
from waiting import wait_until

# Which ends there are


@pytest.mark.parametrize(
    ("status", "body", "end"),
    [
        (422, b'{"error":{"code":"in_the_past","message":"No"}}', "REFUSED"),
        (401, b'{"error":{"code":"unauthorized","message":"No"}}', "UNAUTHORIZED"),
        (201, b'{"booking":{"id":"b","status":"declined"}}', "NOT_CONFIRMED"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_refusals_of_all_kinds(start_faults, open_client, status, body, end):
    client = open_client(config_for(start_faults(answer(http_reply(status, body)))))
    held = submitted(client, booking_request(key="k"), end)
    assert held.completion.outcome == OUTCOME["REJECTED"]
    stays(client, {"k": "refused"})
    held.free()
    assert pending(client) == []


@pytest.mark.parametrize("how", ["cancelled", "overdue"])
def test_booking_that_was_never_sent(one_at_a_time, how):
    client, leave = one_at_a_time()
    holding = HoldByQueue()
    ticket = holding.submit(client, booking_request(key="k", **({"timeout_ms": 50} if how == "overdue" else {})))
    if how == "cancelled":
        assert client.cancel(ticket) == STATUS["OK"]
    held = holding.next(client)
    assert held.completion.outcome == OUTCOME["NOT_SENT"]
    stays(client, {"k": "refused"})
    held.free()
    assert pending(client) == []
    leave()


def test_twins_that_were_never_sent(one_at_a_time):
    """The first to leave cannot know. Only the last one's completion carries the end."""
    client, leave = one_at_a_time()
    holding = HoldByQueue()
    tickets = [holding.submit(client, booking_request(key="k")) for _ in range(2)]
    for ticket in tickets:
        assert client.cancel(ticket) == STATUS["OK"]
    held = {each.completion.outcome: each for each in (holding.next(client) for _ in range(2))}
    held[OUTCOME["UNKNOWN"]].free()
    stays(client, {"k": "refused"})
    held[OUTCOME["NOT_SENT"]].free()
    assert pending(client) == []
    leave()


def test_booking_that_met_an_open_breaker(start_faults, open_client):
    """Whether its end is listed is not promised; but it is not in doubt, and does not stay when it was heard."""
    server = start_faults(answer(BOOKED))
    server.stop_listening()
    client = open_client(config_for(server), circuit_breaker={"failures": 1, "open_ms": 600_000})
    submitted(client, booking_request(), "CONNECT_FAILED").free()
    held = submitted(client, booking_request(key="k"), "CIRCUIT_OPEN")
    assert held.completion.outcome == OUTCOME["NOT_SENT"]
    assert states(client) in ({}, {"k": "refused"})
    held.free()
    assert pending(client) == []


# The key is free


def test_refused_key_is_booked_anew(start_faults, open_client, holding):
    """The old end is dropped: whoever frees it, or was returned it, has not heard the new one."""
    client = open_client(config_for(start_faults(answer_in_turn(REFUSED, REFUSED, BOOKED))))
    old = submitted(client, booking_request(key="submitted"), "SLOT_UNAVAILABLE", holding)
    failure(client.book(booking_request(key="blocking")), "SLOT_UNAVAILABLE")
    assert states(client) == {"submitted": "refused", "blocking": "refused"}
    new = [submitted(client, booking_request(key=key), "OK", holding) for key in ("submitted", "blocking")]
    old.free()
    stays(client, {"submitted": "booked", "blocking": "booked"})
    for each in new:
        each.free()
    assert pending(client) == []


def test_refused_key_may_be_refused_again(ending, holding):
    _, client = ending("refused")
    old, new = (submitted(client, booking_request(key="k"), "SLOT_UNAVAILABLE", holding) for _ in range(2))
    old.free()
    stays(client, {"k": "refused"})
    new.free()
    assert pending(client) == []


def test_refused_key_is_in_flight_again(start_faults, open_client):
    """To free the old end hears of nothing that is to come, however that ends."""
    client = open_client(config_for(start_faults(answer_in_turn(REFUSED, FAILED, BOOKED))), **READS_ONLY)
    old = submitted(client, booking_request(key="k"), "SLOT_UNAVAILABLE")
    doubtful = submitted(client, booking_request(key="k", **AT_ONCE), "IN_DOUBT")
    assert states(client) == {"k": "in_doubt"}
    old.free()
    doubtful.free()
    stays(client, {"k": "in_doubt"})
    made = submitted(client, resume("k"), "OK")
    stays(client, {"k": "booked"})
    made.free()
    assert pending(client) == []


def test_refused_key_is_free_for_another_wish(ending):
    """Nothing is known of it: what is said of another call under it is that it was not sent."""
    server, client = ending("refused")
    held = submitted(client, booking_request(key="k"), "SLOT_UNAVAILABLE")
    wrong = changed(booking_request(key="k"), "booking.duration_minutes", 0)
    assert failure(client.book(wrong), "INVALID_FIELD")["outcome"] == "not_sent"
    assert states(client) == {"k": "refused"}
    another = changed(booking_request(key="k"), "booking.notes", "Another wish")
    failure(client.book(another), "SLOT_UNAVAILABLE")
    held.free()
    assert server.keys() == ["k", "k"]


# Resuming


def not_sent(open_client: Any, start_faults: Any) -> tuple[pbk.Client, Held]:
    server = start_faults(answer(BOOKED))
    server.stop_listening()
    client = open_client(config_for(server), retry=ONCE)
    return client, submitted(client, booking_request(key="k"), "CONNECT_FAILED")


def rejected(open_client: Any, start_faults: Any) -> tuple[pbk.Client, Held]:
    client = open_client(config_for(start_faults(answer_in_turn(REFUSED, BOOKED))))
    return client, submitted(client, booking_request(key="k"), "SLOT_UNAVAILABLE")


refusals = pytest.mark.parametrize("refuse", [not_sent, rejected])


@refusals
def test_refused_booking_is_resumed(open_client, start_faults, refuse):
    """Nothing is sent, nothing is booked, and what is said is the booking's end: it is heard like any other."""
    client, first = refuse(open_client, start_faults)
    for _ in range(2):
        again = submitted(client, resume("k"), "NOT_RECORDED")
        error = failure(again.result, "NOT_RECORDED")
        assert (error["outcome"], error["idempotency_key"], error["attempts"]) == (refuse.__name__, "k", 0)
        assert "not made" in error["message"] and "free" in error["message"], error
    stays(client, {"k": "refused"})
    again.free()
    assert pending(client) == []
    assert failure(client.book(resume("k")), "NOT_RECORDED")["outcome"] == "unknown"
    first.free()


@refusals
def test_refused_booking_is_resumed_by_a_blocking_call(open_client, start_faults, refuse):
    client, first = refuse(open_client, start_faults)
    assert failure(client.book(resume("k")), "NOT_RECORDED")["outcome"] == refuse.__name__
    assert states(client) == {"k": "refused"}
    wait_until(lambda: pending(client) == [], seconds=3)
    assert failure(client.book(resume("k")), "NOT_RECORDED")["outcome"] == "unknown"
    first.free()


def test_refusal_that_was_resumed_is_booked_anew(open_client, start_faults):
    """The resume carries the old end. Freed late, it has not heard the new one."""
    client, first = rejected(open_client, start_faults)
    resumed = submitted(client, resume("k"), "NOT_RECORDED")
    made = submitted(client, booking_request(key="k"), "OK")
    first.free()
    resumed.free()
    stays(client, {"k": "booked"})
    made.free()
    assert pending(client) == []


# All at once


def test_list_has_every_state(start_faults, open_client, holding):
    """Oldest first, whatever became of them."""
    client = open_client(config_for(start_faults(answer_by_key)), **READS_ONLY)
    kinds = ["booked", "in_flight", "refused", "in_doubt"] * 2
    keys = [f"{kind}-{number}" for number, kind in enumerate(kinds)]
    for key, kind in zip(keys, kinds):
        holding.submit(client, booking_request(key=key, **(AT_ONCE if kind == "in_doubt" else {})))
        if kind != "in_flight":
            holding.next(client)
        time.sleep(0.002)  # so that each has a time of its own
    assert list(states(client).items()) == list(zip(keys, kinds))
    assert [booking["in_flight"] for booking in listed(client)] == [kind == "in_flight" for kind in kinds]
    assert {booking["state"] for booking in unsettled(client)} == {"in_flight", "in_doubt"}
    client.close(0)


def test_ends_of_one_key_after_another(start_faults, open_client):
    """Refused, refused, made; each completion is held, and only the last one is heard of."""
    client = open_client(config_for(start_faults(answer_in_turn(REFUSED, REFUSED, BOOKED))))
    held = []
    for status in ("SLOT_UNAVAILABLE", "SLOT_UNAVAILABLE", "OK", "OK"):
        held.append(submitted(client, booking_request(key="k"), status))
    assert [each.completion.outcome for each in held[:2]] == [OUTCOME["REJECTED"]] * 2
    assert held[2].result == held[3].result == (STATUS["OK"], BOOKING_REPLY)
    for each in held[:2]:
        each.free()
        assert states(client) == {"k": "booked"}
    for each in held[2:]:
        each.free()
        assert pending(client) == []
    success(client.book(resume("k")))
    assert pending(client) == []
    assert client.next_completion(0) == (STATUS["TIMEOUT"], None)
