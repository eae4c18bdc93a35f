"""The completion queue and its descriptor: readable exactly while something waits, and each completion to one taker."""

from __future__ import annotations

import asyncio
import fcntl
import os
import select
import threading
import time

import pbk
import pytest
from completions import ByCallback, ByQueue, check
from contract import success
from garbage import GARBAGE
from header import STATUS
from samples import NOW, SANDBOX, SLEEPING, search_request
from waiting import MINUTE, SOON, SOON_MS, is_readable, wait_until_readable

IN_ORDER = {"endpoint": "sandbox", "sandbox": {"now": NOW, "latency_ms": 1}}
"""Calls of this client end in the order in which they were submitted."""


def what_is_open_as(descriptor: int) -> str:
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except FileNotFoundError:
        return "nothing"


def submit_and_let_end(client: pbk.Client, count: int) -> list[int]:
    """Tickets of so many calls whose completions wait in the queue."""
    tickets = [ByQueue().submit(client, pbk.SEARCH, search_request()) for _ in range(count)]
    success(client.search(search_request()))
    return tickets


def drain(client: pbk.Client) -> list[pbk.Completion]:
    """What a loop does when the descriptor is readable."""
    taken = []
    while (found := client.next_completion(0))[1] is not None:
        taken.append(check(found[1]))
    assert found[0] == STATUS["TIMEOUT"]
    return taken


# The descriptor


def test_descriptor_is_one_for_life(open_client, threads):
    client = open_client(SANDBOX)
    first = client.fd()
    assert first >= 0
    submit_and_let_end(client, 3)
    assert client.fd() == first
    drain(client)
    assert set(threads.map(lambda _: client.fd(), range(50))) == {first}
    assert open_client(SANDBOX).fd() != first


def test_descriptor_is_not_for_programs_that_the_host_starts(open_client):
    assert fcntl.fcntl(open_client(SANDBOX).fd(), fcntl.F_GETFD) & fcntl.FD_CLOEXEC


@pytest.mark.parametrize("handle", GARBAGE.values(), ids=GARBAGE)
def test_garbage_has_no_descriptor(handle):
    assert pbk.library.pbk_client_fd(handle) == -1


def test_closed_client_has_no_descriptor():
    client = pbk.Client(SANDBOX)
    assert client.fd() >= 0
    client.close()
    assert client.fd() == -1


def test_readable_exactly_while_a_completion_waits(open_client):
    client = open_client(IN_ORDER)
    descriptor = client.fd()
    assert not is_readable(descriptor)
    for _ in range(3):
        tickets = submit_and_let_end(client, 5)
        for ticket in tickets:
            # Level-triggered: to ask changes nothing.
            assert is_readable(descriptor) and is_readable(descriptor)
            assert client.next_completion()[1].ticket == ticket
        assert not is_readable(descriptor)
        assert client.next_completion() == (STATUS["TIMEOUT"], None)
        assert not is_readable(descriptor)


def test_asked_for_only_when_completions_wait(open_client):
    client = open_client(IN_ORDER)
    submit_and_let_end(client, 2)
    descriptor = client.fd()
    for _ in range(2):
        assert is_readable(descriptor)
        assert client.next_completion()[0] == STATUS["OK"]
    assert not is_readable(descriptor)


def test_completions_of_callbacks_make_nothing_readable(open_client):
    client = open_client(IN_ORDER)
    descriptor = client.fd()
    told = ByCallback()
    told.submit(client, pbk.SEARCH, search_request())
    told.next()
    assert not is_readable(descriptor)
    assert client.next_completion() == (STATUS["TIMEOUT"], None)


def test_slow_completions_make_it_readable(open_client):
    client = open_client(SLEEPING)
    descriptor = client.fd()
    ticket = ByQueue().submit(client, pbk.SEARCH, search_request(slow_after_ms=20))
    for event in (pbk.SLOW, pbk.DONE):
        assert wait_until_readable(descriptor)
        assert client.next_completion()[1].event == event
        assert not is_readable(descriptor)
        assert client.cancel(ticket) == STATUS["OK"]


def test_loop_with_epoll(reference, service, open_client):
    """Waits for the descriptor and takes until there is none: no completion is missed, and none is left."""
    client = open_client(service.config)
    descriptor = client.fd()
    bots = [reference.bot() for _ in range(4)]
    waiting = {ByQueue().submit(client, pbk.SEARCH, search_request(bot)) for bot in bots * 15}
    with select.epoll() as epoll:
        epoll.register(descriptor, select.EPOLLIN)
        while waiting:
            assert epoll.poll(SOON) == [(descriptor, select.EPOLLIN)]
            for completion in drain(client):
                success(completion.result)
                waiting.remove(completion.ticket)
        assert epoll.poll(0) == []


def test_loop_of_asyncio(reference, service, open_client):
    client = open_client(service.config)
    bots = [reference.bot() for _ in range(30)]

    async def run() -> None:
        loop = asyncio.get_running_loop()
        futures: dict[int, asyncio.Future[pbk.Completion]] = {}

        def on_readable() -> None:
            for completion in drain(client):
                futures.pop(completion.ticket).set_result(completion)

        async def search(bot: str) -> bytes:
            ticket = ByQueue().submit(client, pbk.SEARCH, search_request(bot))
            futures[ticket] = loop.create_future()
            return success((await futures[ticket]).result)["bot_id"]

        loop.add_reader(client.fd(), on_readable)
        try:
            found = await asyncio.wait_for(asyncio.gather(*[search(bot) for bot in bots]), SOON)
        finally:
            loop.remove_reader(client.fd())
        assert found == bots
        assert futures == {}

    asyncio.run(run())
    assert not is_readable(client.fd())


# Taking


@pytest.mark.parametrize("timeout_ms", [0, -1, -(1 << 31)])
def test_taking_without_waiting(open_client, timeout_ms):
    client = open_client(SANDBOX)
    started = time.monotonic()
    assert client.next_completion(timeout_ms) == (STATUS["TIMEOUT"], None)
    assert time.monotonic() - started < SOON


def test_taking_waits_so_long_and_not_shorter(open_client):
    client = open_client(SANDBOX)
    started = time.monotonic()
    assert client.next_completion(100) == (STATUS["TIMEOUT"], None)
    assert 0.1 <= time.monotonic() - started < SOON


@pytest.mark.parametrize("timeout_ms", [0, 1, 600_001, (1 << 31) - 1, -1])
def test_taking_what_is_there_never_waits(open_client, timeout_ms):
    client = open_client(IN_ORDER)
    (ticket,) = submit_and_let_end(client, 1)
    status, completion = client.next_completion(timeout_ms)
    assert (status, completion.ticket) == (STATUS["OK"], ticket)


def test_taking_ends_when_a_completion_comes(open_client):
    client = open_client({"endpoint": "sandbox", "sandbox": {"now": NOW, "latency_ms": 50}})
    ticket = ByQueue().submit(client, pbk.SEARCH, search_request())
    started = time.monotonic()
    assert client.next_completion(MINUTE)[1].ticket == ticket
    assert time.monotonic() - started < SOON


def test_status_may_be_null_when_taking(open_client):
    client = open_client(IN_ORDER)
    assert pbk.library.pbk_next_completion(client.handle, 0, None) is None
    assert pbk.library.pbk_next_completion(None, 0, None) is None
    (ticket,) = submit_and_let_end(client, 1)
    assert pbk.take_completion(pbk.library.pbk_next_completion(client.handle, 0, None)).ticket == ticket


def test_oldest_first(open_client):
    client = open_client(IN_ORDER)
    tickets = submit_and_let_end(client, 200)
    assert [completion.ticket for completion in drain(client)] == tickets


def test_each_completion_goes_to_one_of_many_takers(reference, service, threads):
    """Until the client is closed and the last one is taken."""
    bots = [reference.bot() for _ in range(4)]
    with pbk.Client(service.config) as client:

        def take_all() -> list[int]:
            taken = []
            while (found := client.next_completion(MINUTE))[1] is not None:
                taken.append(check(found[1]).ticket)
            assert found[0] == STATUS["CLIENT_CLOSED"], found
            return taken

        takers = [threads.submit(take_all) for _ in range(6)]
        tickets = [ByQueue().submit(client, pbk.SEARCH, search_request(bot)) for bot in bots * 25]
        assert client.close(MINUTE) == STATUS["OK"]
        assert sorted(ticket for taker in takers for ticket in taker.result(SOON)) == tickets


def test_closing_wakes_those_who_wait(threads):
    client = pbk.Client(SANDBOX)
    ready = threading.Barrier(5)

    def take() -> tuple[int, pbk.Completion | None]:
        ready.wait()
        return client.next_completion(MINUTE)

    takers = [threads.submit(take) for _ in range(4)]
    ready.wait()
    started = time.monotonic()
    assert client.close(1000) == STATUS["OK"]
    assert [taker.result(SOON) for taker in takers] == [(STATUS["CLIENT_CLOSED"], None)] * 4
    assert time.monotonic() - started < SOON


def test_completions_can_be_taken_after_the_close():
    """The descriptor goes with the close all the same."""
    client = pbk.Client(IN_ORDER)
    tickets = submit_and_let_end(client, 5)
    descriptor = client.fd()
    assert "eventfd" in what_is_open_as(descriptor)
    before = client.next_completion()[1].ticket
    assert client.close() == STATUS["OK"]
    assert client.fd() == -1
    assert "eventfd" not in what_is_open_as(descriptor)
    after = [client.next_completion(SOON_MS) for _ in tickets[1:]]
    assert {status for status, _ in after} == {STATUS["OK"]}
    assert [before, *(success(completion.result) and completion.ticket for _, completion in after)] == tickets
    for timeout_ms in (0, MINUTE):
        assert client.next_completion(timeout_ms) == (STATUS["CLIENT_CLOSED"], None)
    assert client.close() == STATUS["CLIENT_CLOSED"]
