"""A call that ended `unknown` carried no end: whoever has freed it has not heard what the library finds out later."""

from __future__ import annotations

import threading
import time

import pbk
import pytest
from contract import failure, in_doubt, success
from fault_server import answer, answer_once, answer_when
from header import OUTCOME, STATUS
from held import Held, HoldByCallback, HoldByQueue, next_held, stays, submitted
from ledger import A_WHILE, AT_ONCE, BOOKED, ENDS, FAILED, FIRST, REPORTED, ends, pending, resume, states
from samples import BOOKING_REPLY, READS_ONLY, booking_request
from services import config_for
from waiting import SOON_MS, wait_until

reported = pytest.mark.parametrize("members", [{}, REPORTED], ids=["silent", "reported"])


def report(client: pbk.Client) -> Held:
    """The next completion, which must be a report."""
    held = next_held(client)
    assert held.completion.event == pbk.SETTLED, held
    return held


@pytest.fixture
def settling(start_faults, open_client):
    """A server that answers once that it failed, and then so that bookings end in this state; and a client of it."""

    def settling(end, **members):
        server = start_faults(answer_once(FAILED), answer(ENDS[end][0]))
        return server, open_client(config_for(server), **FIRST, **members)

    return settling


# The library settles


@ends
@pytest.mark.parametrize("freed", ["at once", "late"])
def test_completion_in_doubt_is_no_end(settling, holding, end, freed):
    """Without reports nobody hears the end until somebody asks for it."""
    server, client = settling(end)
    doubtful = submitted(client, booking_request(key="k", **AT_ONCE), "IN_DOUBT", holding)
    assert doubtful.completion.outcome == OUTCOME["UNKNOWN"]
    if freed == "at once":
        doubtful.free()
    wait_until(lambda: states(client) == {"k": end})
    if freed == "late":
        doubtful.free()
    stays(client, {"k": end})
    asked = submitted(client, resume("k"), "OK" if end == "booked" else "NOT_RECORDED", holding)
    assert states(client) == {"k": end}
    asked.free()
    assert pending(client) == []
    assert server.keys() == ["k", "k"]


@ends
def test_blocking_call_in_doubt_was_returned_no_end(settling, end):
    """However long ago."""
    _, client = settling(end)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 503, "http_error")
    wait_until(lambda: states(client) == {"k": end})
    stays(client, {"k": end})
    client.book(resume("k"))
    assert states(client) == {"k": end}
    wait_until(lambda: pending(client) == [], seconds=3)


@ends
def test_report_is_an_end(settling, end):
    """Listed as long as it waits in the queue, and as long as it is held."""
    _, client = settling(end, **REPORTED)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 503, "http_error")
    wait_until(lambda: states(client) == {"k": end})
    stays(client, {"k": end})
    held = report(client)
    assert held.completion.status == STATUS[ENDS[end][1]]
    stays(client, {"k": end})
    held.free()
    assert pending(client) == []


def test_report_that_was_freed_is_heard_for_good(settling):
    server, client = settling("booked", **REPORTED)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 503, "http_error")
    report(client).free()
    assert pending(client) == []
    held = submitted(client, booking_request(key="k"), "OK")
    assert pending(client) == []
    held.free()
    assert server.keys() == ["k", "k"]


@reported
def test_repeat_hears_for_the_report(settling, members):
    """Its caller was told the end. The report comes all the same, and is no news."""
    _, client = settling("booked", **READS_ONLY, **members)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 503, "http_error")
    assert states(client) == {"k": "in_doubt"}
    repeat = submitted(client, booking_request(key="k"), "OK", HoldByCallback())
    stays(client, {"k": "booked"})
    repeat.free()
    assert pending(client) == []
    if members:
        report(client).free()
    assert client.next_completion(0) == (STATUS["TIMEOUT"], None)
    assert pending(client) == []


# The answer to a call that has left


@reported
def test_answer_to_a_cancelled_call(start_faults, open_client, members):
    told = threading.Event()
    client = open_client(config_for(start_faults(answer_when(told, BOOKED))), **members)
    holding = HoldByQueue()
    ticket = holding.submit(client, booking_request(key="k", slow_after_ms=100))
    slow = holding.next(client)
    assert client.cancel(ticket) == STATUS["OK"]
    cancelled = holding.next(client)
    assert failure(cancelled.result, "CANCELLED")["outcome"] == "unknown"
    told.set()
    wait_until(lambda: states(client) == {"k": "booked"})
    slow.free()
    cancelled.free()
    stays(client, {"k": "booked"})
    end = report(client) if members else submitted(client, resume("k"), "OK")
    end.free()
    assert pending(client) == []


def test_deadline_of_a_blocking_call(start_faults, open_client):
    told = threading.Event()
    client = open_client(config_for(start_faults(answer_when(told, BOOKED))))
    assert failure(client.book(booking_request(key="k", timeout_ms=300)), "TIMEOUT")["outcome"] == "unknown"
    time.sleep(A_WHILE)
    assert states(client) == {"k": "in_flight"}
    told.set()
    wait_until(lambda: states(client) == {"k": "booked"})
    stays(client, {"k": "booked"})
    assert client.book(resume("k")) == (STATUS["OK"], BOOKING_REPLY)
    wait_until(lambda: pending(client) == [], seconds=3)


@pytest.mark.parametrize("hears", ["twin", "report"])
def test_twin_and_report_carry_one_end(start_faults, open_client, hears):
    """The first of them that is freed is the one that was heard."""
    told = threading.Event()
    server = start_faults(answer_when(told, BOOKED))
    client = open_client(config_for(server), **REPORTED)
    holding = HoldByQueue()
    tickets = [holding.submit(client, booking_request(key="k")) for _ in range(2)]
    assert server.wait_for_requests(1)
    assert client.cancel(tickets[1]) == STATUS["OK"]
    holding.next(client).free()
    told.set()
    found = {each.completion.event: each for each in (next_held(client), next_held(client))}
    first, second = (pbk.DONE, pbk.SETTLED) if hears == "twin" else (pbk.SETTLED, pbk.DONE)
    assert states(client) == {"k": "booked"}
    found[first].free()
    assert pending(client) == []
    found[second].free()
    assert pending(client) == []


# The close


def test_report_of_a_close(settling):
    """It can be taken and freed afterwards, for what that is worth without a journal."""
    _, client = settling("booked", **REPORTED)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 503, "http_error")
    assert client.close(SOON_MS) == STATUS["OK"]
    held = report(client)
    assert held.completion.reply == BOOKING_REPLY
    held.free()
    assert client.next_completion(0) == (STATUS["CLIENT_CLOSED"], None)
    failure(client.pending_bookings(), "CLIENT_CLOSED")


def test_settling_goes_on_while_ends_are_heard(start_faults, open_client):
    """Of many doubts each is settled, reported and heard; what was heard is gone, and nothing else is."""
    seen: set[str | None] = set()

    def fail_first(peer) -> None:
        while True:
            key = peer.read_request().idempotency_key
            peer.send(BOOKED if key in seen else FAILED)
            seen.add(key)

    client = open_client(config_for(start_faults(fail_first)), circuit_breaker={"failures": 0}, **REPORTED)
    keys = [f"k{number}" for number in range(50)]
    for key in keys:
        in_doubt(client.book(booking_request(key=key, **AT_ONCE)), 503, "http_error")
    left = set(keys)
    for _ in keys:
        held = report(client)
        assert states(client)[held.completion.key] == "booked"
        held.free()
        left.remove(held.completion.key)
        assert set(states(client)) == left
    success(client.book(resume(keys[0])))
    assert pending(client) == []
