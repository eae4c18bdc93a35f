"""What a callback is told while a call goes on, and what it may do."""

from __future__ import annotations

import os
import threading
import time

import pbk
import pytest
from completions import ByCallback, ByQueue
from contract import failure, success
from fault_server import answer_when, http_reply
from header import STATUS
from samples import NOW, SANDBOX, SEARCH_REPLY, SLEEPING, booking_request, search_request
from services import config_for
from waiting import MINUTE, SOON, SOON_MS

# Slow calls


@pytest.mark.parametrize("where", ["request", "configuration"])
def test_slow_call_is_told_once_and_goes_on(start_faults, open_client, way, where):
    was_slow = threading.Event()
    server = start_faults(answer_when(was_slow, http_reply(200, SEARCH_REPLY)))
    slow = {"slow_after_ms": 60}
    client = open_client(config_for(server), **slow if where == "configuration" else {})
    request = search_request(tag="call-7", **slow if where == "request" else {})
    ticket = way.submit(client, pbk.SEARCH, request, 7)
    told = way.next(client)
    # While another call becomes slow this one has the time to be told of again.
    way.submit(client, pbk.SEARCH, search_request(tag="other", slow_after_ms=100))
    assert (other := way.next(client)).tag == "other" and other.event == pbk.SLOW
    was_slow.set()
    done, other = sorted([way.next(client), way.next(client)])
    assert (told.event, done.event, other.event) == (pbk.SLOW, pbk.DONE, pbk.DONE)
    for completion in (told, done):
        assert (completion.ticket, completion.tag, completion.context) == (ticket, "call-7", 7)
    assert 60_000 <= told.timing["total_us"] <= done.timing["total_us"]
    success(done.result)
    client.close()
    assert way.rest(client) == []


def test_slow_booking(reference, service, open_client, way):
    bot = reference.bot({"delay_ms": MINUTE})
    client = open_client(service.config)
    ticket = way.submit(client, pbk.BOOK, booking_request(bot, slow_after_ms=50))
    told = way.next(client)
    assert (told.ticket, told.event, told.timing["attempts"]) == (ticket, pbk.SLOW, 1)
    assert client.cancel(ticket) == STATUS["OK"]
    failure(way.next(client).result, "CANCELLED")


def test_call_that_waits_for_its_turn_is_slow_too(open_client, way):
    client = open_client(SLEEPING, max_in_flight=1)
    way.submit(client, pbk.SEARCH, search_request())
    second = way.submit(client, pbk.SEARCH, search_request(slow_after_ms=20))
    told = way.next(client)
    assert (told.ticket, told.event, told.timing["attempts"]) == (second, pbk.SLOW, 0)


def test_fast_calls_are_not_told_to_be_slow(reference, service, open_client, way):
    """The request's own limit goes before the configuration's."""
    bot = reference.bot()
    client = open_client(service.config, slow_after_ms=1)
    for _ in range(20):
        way.submit(client, pbk.SEARCH, search_request(bot, slow_after_ms=SOON_MS))
    assert {way.next(client).event for _ in range(20)} == {pbk.DONE}
    client.close()
    assert way.rest(client) == []


def test_slow_after_ms_means_nothing_to_a_blocking_call():
    sandbox = {"now": NOW, "latency_ms": 100}
    with pbk.Client({"endpoint": "sandbox", "sandbox": sandbox, "slow_after_ms": 1}) as client:
        success(client.search(search_request(slow_after_ms=2)))
        client.close()
        assert ByQueue().rest(client) == []


# What a callback may do, and what not


def test_callback_submits_the_next_call(reference, service, open_client):
    bot = reference.bot()
    client = open_client(service.config, max_in_flight=1, max_queued=0)
    left = iter(range(30))
    told = ByCallback(
        lambda _: next(left, None) is not None and told.submit(client, pbk.SEARCH, search_request(bot)),
    )
    told.submit(client, pbk.SEARCH, search_request(bot))
    for _ in range(31):
        success(told.next().result)
    assert len(reference.requests(bot)) == 31


def test_callback_cancels_and_prewarms(open_client, start_faults, reference, http1):
    client = open_client(http1.config)
    endless, quick = reference.bot({"delay_ms": MINUTE}), reference.bot()
    statuses = []
    doomed = ByCallback()
    ticket = doomed.submit(client, pbk.SEARCH, search_request(endless, timeout_ms=MINUTE))
    told = ByCallback(lambda _: statuses.extend([client.cancel(ticket), client.prewarm()]))
    told.submit(client, pbk.SEARCH, search_request(quick))
    success(told.next().result)
    assert statuses == [STATUS["OK"]] * 2
    failure(doomed.next().result, "CANCELLED")


def test_callback_of_a_slow_call_cancels_it(open_client):
    """Barge-in at its plainest: the caller is told "one moment", and hangs up."""
    client = open_client(SLEEPING)
    statuses = []
    told = ByCallback(lambda completion: statuses.append(client.cancel(completion.ticket)))
    told.submit(client, pbk.SEARCH, search_request(slow_after_ms=10))
    assert told.next().event == pbk.SLOW
    failure(told.next().result, "CANCELLED")
    assert statuses == [STATUS["OK"]] * 2


def test_callback_must_not_wait(open_client):
    """What would wait for the thread it runs on says so at once, for other clients too; and the client stays usable."""
    client, other = open_client(SANDBOX), open_client(SANDBOX)
    found = []

    def wait(_: pbk.Completion) -> None:
        started = time.monotonic()
        for each in (client, other):
            failure(each.search(search_request()), "WOULD_DEADLOCK")
            assert failure(each.book(booking_request()), "WOULD_DEADLOCK")["outcome"] == "not_sent"
            assert each.close(MINUTE) == STATUS["WOULD_DEADLOCK"]
            found.append(each.next_completion(MINUTE))
        assert time.monotonic() - started < SOON

    told = ByCallback(wait)
    told.submit(client, pbk.SEARCH, search_request())
    told.next()
    assert found == [(STATUS["TIMEOUT"], None)] * 2
    for each in (client, other):
        success(each.search(search_request()))
        after = ByCallback()
        after.submit(each, pbk.BOOK, booking_request())
        success(after.next().result)
        assert each.close() == STATUS["OK"]


def test_callback_takes_what_waits_in_the_queue(open_client):
    client = open_client(SANDBOX)
    ticket = ByQueue().submit(client, pbk.SEARCH, search_request())
    success(client.search(search_request()))
    found = []
    told = ByCallback(lambda _: found.append(client.next_completion(MINUTE)))
    told.submit(client, pbk.SEARCH, search_request())
    told.next()
    ((status, completion),) = found
    assert (status, completion.ticket) == (STATUS["OK"], ticket)


def test_callback_opens_a_client(open_client):
    opened = []
    told = ByCallback(lambda _: opened.append(pbk.Client(SANDBOX)))
    told.submit(open_client(SANDBOX), pbk.SEARCH, search_request())
    told.next()
    with opened[0] as client:
        success(client.search(search_request()))


def test_submissions_from_many_threads(reference, service, open_client, threads):
    """Each completion is the right one: its reply names the bot that its context stands for."""
    client = open_client(service.config, timeout_ms=MINUTE)
    told = ByCallback()

    def submit(thread: int) -> None:
        for number in range(thread * 15, thread * 15 + 15):
            told.submit(client, pbk.SEARCH, search_request(f"bot_async_{number}"), number + 1)

    list(threads.map(submit, range(8)))
    found = [told.next() for _ in range(120)]
    assert sorted(completion.context for completion in found) == list(range(1, 121))
    for completion in found:
        assert success(completion.result)["bot_id"] == f"bot_async_{completion.context - 1}"


def test_opening_submitting_and_closing_leaks_neither_threads_nor_descriptors(way):
    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))

    def round_of_calls() -> None:
        with pbk.Client(SANDBOX) as client:
            assert client.fd() >= 0
            way.submit(client, pbk.SEARCH, search_request())
            way.next(client)
            way.submit(client, pbk.SEARCH, search_request())
            client.close()
            assert len(way.rest(client)) == 1

    round_of_calls()
    before = held()
    for _ in range(50):
        round_of_calls()
    deadline = time.monotonic() + SOON
    while any(now > then for now, then in zip(held(), before)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert all(now <= then for now, then in zip(held(), before)), (before, held())
