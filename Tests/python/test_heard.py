"""The end of a booking is listed until its host has heard it: until a completion that carries it is freed, or a second
after a blocking call has returned it.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pbk
import pytest
from completions import ByQueue
from contract import failure, success
from fault_server import answer_when
from header import OUTCOME, STATUS
from held import Held, HoldByQueue, next_held, stays, submitted
from ledger import BOOKED, ENDS, HEARD_AFTER, PENDING_MEMBERS, all_of, changed, ends, pending, resume, states
from samples import BOOKING_REPLY, SANDBOX, booking_request, just_begun, search_request
from services import config_for
from waiting import SOON_MS, wait_until

# Completions


@ends
def test_end_is_listed_until_its_completion_is_freed(ending, holding, end):
    server, client = ending(end)
    held = submitted(client, booking_request(key="k"), ENDS[end][1], holding)
    stays(client, {"k": end})
    held.free()
    assert pending(client) == []
    assert server.keys() == ["k"]


@ends
def test_end_that_nobody_takes_is_listed(ending, end):
    """To wait in the queue is not to be heard, and to be taken from there is not either."""
    _, client = ending(end)
    ByQueue().submit(client, pbk.BOOK, booking_request(key="k"))
    wait_until(lambda: states(client) == {"k": end})
    stays(client, {"k": end})
    held = next_held(client)
    assert states(client) == {"k": end}
    held.free()
    assert pending(client) == []


@ends
def test_what_is_listed_of_an_end(on_the_wire, ending, end):
    """The same as while it was in flight, but for the state."""
    server, client, told = on_the_wire()
    request = changed(booking_request(key="k"), "booking.start_at", just_begun())
    HoldByQueue().submit(client, request)
    assert server.wait_for_requests(1)
    (before,) = pending(client)
    assert set(before) == PENDING_MEMBERS
    told.set()
    wait_until(lambda: states(client) == {"k": "booked"})
    assert pending(client) == [{**before, "state": "booked", "in_flight": False}]
    _, other = ending(end)
    submitted(other, request, ENDS[end][1])
    (booking,) = pending(other)
    expected = {**before, "state": end, "in_flight": False, "recorded_at": booking["recorded_at"]}
    assert booking == expected and booking["expired"] is True


def test_callback_that_frees_its_completion(open_client):
    """It has heard the end as soon as it has freed it, and not before."""
    client, seen = open_client(SANDBOX), []
    done = threading.Event()

    def take(context: int | None, address: int) -> None:
        seen.append(states(client))
        pbk.library.pbk_completion_free(address)
        seen.append(states(client))
        done.set()

    callback = pbk.Callback(take)
    assert client.submit(pbk.BOOK, booking_request(key="k"), callback).error is None
    assert done.wait(10)
    client.close()
    assert seen == [{"k": "booked"}, {}]


def test_completions_are_freed_by_many_threads(ending, holding):
    """Each end is heard by the free of its own completion, and of no other."""
    _, client = ending("booked", max_in_flight=16, max_queued=1000)
    keys = [f"k{number}" for number in range(200)]
    for key in keys:
        holding.submit(client, booking_request(key=key))
    held = [holding.next(client) for _ in keys]
    assert states(client) == dict.fromkeys(keys, "booked")
    for some, others in [(held[::2], held[1::2]), (held[1::2], [])]:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(Held.free, some))
        assert set(states(client)) == {each.completion.key for each in others}


def test_completion_is_freed_after_the_close(ending, holding):
    _, client = ending("booked")
    held = submitted(client, booking_request(), "OK", holding)
    assert client.close() == STATUS["OK"]
    held.free()
    failure(client.pending_bookings(), "CLIENT_CLOSED")


def test_other_calls_hear_of_no_booking(open_client):
    """Though they name its key: that is nothing to them."""
    client, queue = open_client(SANDBOX), ByQueue()
    held = submitted(client, booking_request(key="k"), "OK")
    for operation in (pbk.SEARCH, pbk.LOOKUP):
        queue.submit(client, operation, search_request(idempotency_key="k", customer={"phone": "+14155550137"}))
        success(queue.next(client).result)
    assert states(client) == {"k": "booked"}
    held.free()
    assert pending(client) == []


def test_many_ends(ending, way):
    """A thousand, each heard by its own completion: nothing is left, and nothing was sent twice."""
    server, client = ending("booked", max_queued=2000)
    keys = [f"k{number}" for number in range(1000)]
    tickets = [way.submit(client, pbk.BOOK, booking_request(key=key)) for key in keys]
    for completion in all_of(client, way, tickets):
        assert completion.result == (STATUS["OK"], BOOKING_REPLY)
    assert pending(client) == []
    assert sorted(server.keys()) == sorted(keys)
    assert client.close(SOON_MS) == STATUS["OK"]


# Blocking calls


@ends
def test_end_of_a_blocking_call_is_listed_for_a_second(ending, end):
    """In which its thread may still die."""
    _, client = ending(end)
    assert client.book(booking_request(key="k")).status == STATUS[ENDS[end][1]]
    returned = time.monotonic()
    assert states(client) == {"k": end}
    wait_until(lambda: pending(client) == [], seconds=3)
    assert time.monotonic() - returned > HEARD_AFTER - 0.05


def test_blocking_call_has_heard_for_its_twins(on_the_wire, threads):
    """Whoever submitted the same booking may hold its completion for good."""
    server, client, told = on_the_wire()
    request, holding = booking_request(key="k"), HoldByQueue()
    holding.submit(client, request)
    assert server.wait_for_requests(1)
    blocking = threads.submit(client.book, request)
    time.sleep(0.2)
    told.set()
    assert blocking.result() == (STATUS["OK"], BOOKING_REPLY)
    held = holding.next(client)
    assert states(client) == {"k": "booked"}
    wait_until(lambda: pending(client) == [], seconds=3)
    held.free()
    assert pending(client) == []


# Twins


@pytest.mark.parametrize("which", [0, 1, 2])
def test_any_twin_will_do(on_the_wire, which):
    server, client, told = on_the_wire()
    holding = HoldByQueue()
    for number in range(3):
        holding.submit(client, booking_request(key="k", tag=f"t{number}"))
    assert server.wait_for_requests(1)
    told.set()
    held = [holding.next(client) for _ in range(3)]
    stays(client, {"k": "booked"})
    held.pop(which).free()
    assert pending(client) == []
    for each in held:
        each.free()
        assert pending(client) == []


def test_twin_that_has_left_has_heard_nothing(on_the_wire, holding):
    """It was told `unknown`: what it frees is no end."""
    server, client, told = on_the_wire()
    tickets = [holding.submit(client, booking_request(key="k")) for _ in range(2)]
    assert server.wait_for_requests(1)
    assert client.cancel(tickets[1]) == STATUS["OK"]
    left = holding.next(client)
    assert left.completion.outcome == OUTCOME["UNKNOWN"]
    told.set()
    stayed = holding.next(client)
    assert stayed.completion.ticket == tickets[0]
    left.free()
    stays(client, {"k": "booked"})
    stayed.free()
    assert pending(client) == []


# What is no end


def test_slow_completion_is_no_end(open_client, start_faults, holding):
    """Neither when it is freed before the end nor after it."""
    told = threading.Event()
    server = start_faults(answer_when(told, BOOKED))
    client = open_client(config_for(server))
    for key in ("before", "after"):
        holding.submit(client, booking_request(key=key, slow_after_ms=50))
    assert server.wait_for_requests(2)
    slow = [holding.next(client) for _ in range(2)]
    assert [each.completion.event for each in slow] == [pbk.SLOW] * 2
    slow[0].free()
    told.set()
    done = [holding.next(client) for _ in range(2)]
    assert [each.completion.event for each in done] == [pbk.DONE] * 2
    slow[1].free()
    stays(client, {"before": "booked", "after": "booked"})
    for each in done:
        each.free()
    assert pending(client) == []


def test_refused_call_hears_of_nothing(ending):
    """It says of the key what is true, but it is no end of the booking that has it."""
    _, client = ending("booked")
    held = submitted(client, booking_request(key="k"), "OK")
    another = changed(booking_request(key="k"), "booking.notes", "Another wish")
    failure(client.book(another), "IDEMPOTENCY_KEY_REUSED")
    wrong = changed(booking_request(key="k"), "booking.duration_minutes", 0)
    assert failure(client.book(wrong), "INVALID_FIELD")["outcome"] == "unknown"
    submission = client.submit(pbk.BOOK, another)
    if submission.error is None:
        reuse = next_held(client)
        failure(reuse.result, "IDEMPOTENCY_KEY_REUSED")
        reuse.free()
    stays(client, {"k": "booked"})
    held.free()
    assert pending(client) == []


# Replays


def test_replay_is_heard_like_the_first_reply(ending):
    server, client = ending("booked")
    request = booking_request(key="k")
    held = [submitted(client, each, "OK") for each in (request, request, resume("k"))]
    assert ["replayed" in each.completion.timing for each in held] == [False, True, True]
    stays(client, {"k": "booked"})
    held.pop().free()
    assert pending(client) == []
    for each in held:
        each.free()
    assert server.keys() == ["k"]


def test_blocking_replay_is_heard_after_a_second(ending):
    _, client = ending("booked")
    held = submitted(client, booking_request(key="k"), "OK")
    success(client.book(resume("k")))
    assert states(client) == {"k": "booked"}
    wait_until(lambda: pending(client) == [], seconds=3)
    held.free()


def test_what_was_heard_stays_heard(ending, holding):
    """A replay is no news, whether anybody hears of it or not."""
    server, client = ending("booked")
    request = booking_request(key="k")
    submitted(client, request, "OK", holding).free()
    again = submitted(client, request, "OK", holding)
    assert pending(client) == []
    again.free()
    assert server.keys() == ["k"] and pending(client) == []
