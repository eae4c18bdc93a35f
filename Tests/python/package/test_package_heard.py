"""What the host has heard, and what it has not: bookings stay listed until their end has reached the host's code. And
doubts that a person gives up."""

from __future__ import annotations

import asyncio
import json
import queue
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from python_package import SHORT, _bindings, booking, doubt, doubtful, pb, run, run_program, search, slow_sandbox
from samples import BOT_ID, SANDBOX
from waiting import SOON

ENDS = pytest.mark.parametrize("is_refused", [False, True], ids=["booked", "refused"])


def states(client: pb.Client | pb.AsyncClient) -> dict[str, str]:
    return {pending.idempotency_key: pending.state for pending in client.pending_bookings()}


def wait_for(condition: Any) -> None:
    ends = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


async def hang_up(client: pb.AsyncClient, key: str, **members: object) -> None:
    """A booking that goes on, whose task is cancelled."""
    task = asyncio.ensure_future(client.create_booking(booking(key=key, detach=True, **members)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    while client._calls:
        await asyncio.sleep(0.005)


def next_process(journal: Path) -> dict[str, str]:
    """What a later client with that journal lists."""
    with pb.Client(**SANDBOX, journal_path=str(journal)) as client:
        return states(client)


# ---- Calls -----------------------------------------------------------------------------------------------------------


@ENDS
def test_an_end_is_heard_when_the_await_is_over(is_refused):
    """And not when the completion is taken, before the task runs."""

    async def main() -> None:
        async with pb.AsyncClient(**SANDBOX) as client:
            if is_refused:
                await client.create_booking(booking())
            call = asyncio.ensure_future(client.create_booking(booking(key="key-7")))
            await asyncio.sleep(0)
            loop, descriptor = asyncio.get_running_loop(), client._descriptor
            loop.remove_reader(descriptor)
            readable = asyncio.Event()
            loop.add_reader(descriptor, readable.set)
            await readable.wait()
            client._take_completions()
            assert not call.done() and client._calls == {}
            assert states(client) == {"key-7": "refused" if is_refused else "booked"}
            await asyncio.wait([call])
            assert states(client) == {}
            assert isinstance(call.exception(), pb.SlotUnavailable) if is_refused else call.result().id
            loop.add_reader(descriptor, client._take_completions)

    run(main())


@ENDS
def test_a_process_that_dies_before_it_has_heard(tmp_path, is_refused):
    """At the free of the first completion that carries the end. A completion does not wait for the
    record of the end: a process that dies before it leaves a doubt, so this one waits."""
    program = """
import asyncio, json, os, sys, time
import partnerbooking as pb
from partnerbooking import _bindings
def die(completion):
    with open(json.loads(sys.argv[1])["journal_path"]) as journal:
        records = ""
        while records.count('"key":"key-7"') < 2:
            records += journal.read()
            time.sleep(0.01)
    os._exit(7)
async def main():
    async with pb.AsyncClient(**json.loads(sys.argv[1])) as client:
        for request in json.loads(sys.argv[2]):
            if request["idempotency_key"] == "key-7":
                _bindings.pbk_completion_free = die
            await client.create_booking(request)
asyncio.run(main())
"""
    journal = tmp_path / "journal"
    requests = [booking(key="key-7", conversation="call-7").members()]
    if is_refused:
        requests.insert(0, booking(key="key-1").members())
    done = run_program(program, json.dumps({**SANDBOX, "journal_path": str(journal)}), json.dumps(requests))
    assert done.returncode == 7, done.stderr
    with pb.Client(**SANDBOX, journal_path=str(journal)) as client:
        [pending] = [one for one in client.pending_bookings() if one.idempotency_key == "key-7"]
        assert (pending.state, pending.conversation) == ("refused" if is_refused else "booked", "call-7")
        if is_refused:
            with pytest.raises(pb.NotRecorded) as refused:
                client.resume("key-7")
            assert refused.value.outcome == "rejected"
        else:
            assert client.resume("key-7").start_at == pending.start_at
    assert "key-7" not in next_process(journal)


def test_a_blocking_call_has_heard_after_a_second(tmp_path):
    journal = tmp_path / "journal"
    with pb.Client(**SANDBOX, journal_path=str(journal)) as client:
        began = time.monotonic()
        client.create_booking(booking(key="key-7"))
        if listed := states(client):
            assert listed == {"key-7": "booked"}
        else:
            assert time.monotonic() - began >= 1
        wait_for(lambda: states(client) == {})
        assert time.monotonic() - began >= 0.99
        client.create_booking(booking(key="key-8", start_at="2030-01-14T11:00:00Z"))
    assert next_process(journal) == {}


@ENDS
def test_a_cancelled_task_has_not_heard(tmp_path, is_refused):
    """Until somebody resumes the key, in this process or the next."""
    journal = tmp_path / "journal"

    async def main() -> None:
        async with pb.AsyncClient(**SANDBOX, journal_path=str(journal)) as client:
            if is_refused:
                await client.create_booking(booking())
                await client.create_booking(booking(start_at="2030-01-14T11:00:00Z"))
            await hang_up(client, "key-7")
            await hang_up(client, "key-8", start_at="2030-01-14T11:00:00Z")
            state = "refused" if is_refused else "booked"
            assert states(client) == {"key-7": state, "key-8": state} and len(client._unheard) == 2
            if is_refused:
                with pytest.raises(pb.NotRecorded) as refused:
                    await client.resume("key-7")
                assert refused.value.outcome == "rejected"
            else:
                assert (await client.resume("key-7")).id
            assert states(client) == {"key-8": state}
        assert len(client._unheard) == 0

    run(main())
    assert next_process(journal) == {"key-8": "refused" if is_refused else "booked"}


def test_a_booking_that_was_cancelled_before_it_was_sent():
    async def main() -> None:
        async with pb.AsyncClient(**slow_sandbox(100), max_in_flight=1) as client:
            first = asyncio.ensure_future(client.create_booking(booking(key="key-1")))
            second = asyncio.ensure_future(client.create_booking(booking(key="key-2")))
            await asyncio.sleep(0)
            second.cancel()
            assert (await first).id
            with pytest.raises(asyncio.CancelledError):
                await second
            assert states(client) == {"key-2": "refused"}
            with pytest.raises(pb.NotRecorded) as refused:
                await client.resume("key-2")
            assert refused.value.outcome == "not_sent" and states(client) == {}

    run(main())


def test_a_completion_that_came_as_its_task_was_cancelled():
    """Both in one turn of the loop: the task never sees it."""

    async def main() -> None:
        async with pb.AsyncClient(**SANDBOX) as client:
            end = client._end
            for call in (client.create_booking(booking(key="key-7")), client.search_availability(search())):
                task = asyncio.ensure_future(call)
                client._end = lambda *ended, task=task: (end(*ended), task.cancel())
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert states(client) == {"key-7": "booked"} and len(client._unheard) == 1

    run(main())


def test_completions_of_a_loop_that_is_gone_are_given_back(monkeypatch):
    """Of a task that never ran again after its call had ended."""
    freed: list[int] = []
    free = _bindings.pbk_completion_free
    monkeypatch.setattr(_bindings, "pbk_completion_free", lambda one: (freed.append(one), free(one)))
    # The end must not come while the loop still runs: that would end the task.
    client = pb.AsyncClient(**{**SANDBOX, "sandbox": {**SANDBOX["sandbox"], "latency_ms": 300}})
    other = asyncio.new_event_loop()
    task = other.create_task(client.create_booking(booking(key="key-7")))
    other.run_until_complete(asyncio.sleep(0))
    other.remove_reader(client._descriptor)
    wait_for(lambda: client._take_completions() or not client._calls)
    other.close()
    assert freed == [] and not task.done()
    task._log_destroy_pending = False
    task.get_coro().close()
    assert states(client) == {"key-7": "booked"} and len(client._unheard) == 1
    run(client.close())
    assert len(freed) == 1 and len(client._unheard) == 0


def test_kept_completions_are_given_back_when_their_bookings_are_heard(monkeypatch):
    """Else a client that runs for years would keep one for each caller who has hung up."""
    from partnerbooking import _unheard

    monkeypatch.setattr(_unheard, "FIRST_SWEEP", 4)

    async def main() -> None:
        sandbox = {**SANDBOX, "sandbox": {**SANDBOX["sandbox"], "capacity": 100}}
        async with pb.AsyncClient(**sandbox) as client:
            most = 0
            for number in range(24):
                await hang_up(client, f"key-{number}")
                most = max(most, len(client._unheard))
                if number != 5:
                    assert (await client.resume(f"key-{number}")).id
            assert most <= 4 and states(client) == {"key-5": "booked"}
            keys = [_bindings.pbk_completion_key(one) for one in client._unheard._kept]
            assert b"key-5" in keys
            for number in range(30, 50):  # nobody hears of these
                await hang_up(client, f"key-{number}")
            assert len(states(client)) == 21 <= len(client._unheard)

    run(main())


def test_kept_completions_take_no_room_from_calls():
    async def main() -> None:
        async with pb.AsyncClient(**SANDBOX, max_in_flight=1, max_queued=1) as client:
            for number in range(4):
                await hang_up(client, f"key-{number}", start_at=f"2030-01-14T1{number}:00:00Z")
            assert len(client._unheard) == 4 and (await client.search_availability(search())).availabilities

    run(main())


# ---- Reports ---------------------------------------------------------------------------------------------------------


def test_a_report_is_heard_when_on_settled_has_returned(tmp_path):
    journal = tmp_path / "journal"
    listed: queue.SimpleQueue[dict[str, str]] = queue.SimpleQueue()
    with pb.Client(
        **doubtful(), journal_path=str(journal), on_settled=lambda settled: listed.put(states(client))
    ) as client:
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
        assert listed.get(timeout=SOON) == {"key-7": "booked"}
        wait_for(lambda: states(client) == {})
    assert next_process(journal) == {}


def test_an_on_settled_that_raised_has_not_heard(tmp_path, monkeypatch):
    journal = tmp_path / "journal"
    complaints: queue.SimpleQueue[object] = queue.SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", complaints.put)
    with pb.Client(**doubtful(), journal_path=str(journal), on_settled=lambda settled: 1 / 0) as client:
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
        complaints.get(timeout=SOON)
        wait_for(lambda: len(client._unheard) == 1)
        assert states(client) == {"key-7": "booked"}
    assert len(client._unheard) == 0
    assert next_process(journal) == {"key-7": "booked"}


@pytest.mark.parametrize("is_coroutine", [False, True])
@pytest.mark.parametrize("way", ["returns", "raises", "is cancelled"])
def test_a_report_on_the_loop(tmp_path, is_coroutine, way):
    journal = tmp_path / "journal"

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        over = asyncio.Event()

        def report(settled: pb.Settled) -> None:
            assert states(client) == {"key-7": "booked"}
            over.set()
            if way == "raises":
                raise ZeroDivisionError
            if way == "is cancelled":
                raise asyncio.CancelledError

        async def report_later(settled: pb.Settled) -> None:
            await asyncio.sleep(0.05)
            report(settled)

        hook = report_later if is_coroutine else report
        async with pb.AsyncClient(**doubtful(), journal_path=str(journal), on_settled=hook) as client:
            with pytest.raises(pb.InDoubt):
                await client.create_booking(doubt())
            await over.wait()
            await asyncio.sleep(0.01)
            assert states(client) == ({} if way == "returns" else {"key-7": "booked"})
        assert len(client._unheard) == 0

    asyncio.run(asyncio.wait_for(main(), SOON))
    assert next_process(journal) == ({} if way == "returns" else {"key-7": "booked"})


# ---- Giving up -------------------------------------------------------------------------------------------------------


def in_doubt(*lost: int) -> dict[str, Any]:
    """A sandbox that loses the replies to these requests, and a client that asks no more by itself."""
    return {**doubtful(*lost), "settle_for_ms": 0}


def leave_in_doubt(client: pb.Client, key: str, **members: object) -> None:
    with pytest.raises(pb.InDoubt):
        client.create_booking(booking(key=key, options=SHORT, **members))


def test_a_doubt_is_given_up(tmp_path):
    journal = tmp_path / "journal"
    with pb.Client(**in_doubt(1, 2), journal_path=str(journal)) as client:
        leave_in_doubt(client, "key-1", conversation="call-1")
        leave_in_doubt(client, "key-2")
        client.create_booking(booking(key="key-3", start_at="2030-01-14T11:00:00Z"))
        reply = client.give_up("key-1")
        [given_up] = reply.given_up
        assert (given_up.idempotency_key, given_up.state, given_up.conversation) == ("key-1", "in_doubt", "call-1")
        assert (given_up.bot_id, given_up.start_at) == (BOT_ID, "2030-01-14T10:00:00Z")
        assert reply.kept == () and reply.journaled is not False and reply.raw["kept"] == []
        [kept] = client.give_up("key-3").kept
        assert (kept.idempotency_key, kept.state, client.give_up("key-3").given_up) == ("key-3", "booked", ())
        with pytest.raises(pb.NotRecorded) as unknown:
            client.give_up("key-1")
        assert unknown.value.outcome == "unknown"
        assert len(client.sandbox_bookings()) == 3  # nothing was sent
    assert next_process(journal) == {"key-2": "in_doubt"}


def test_all_doubts_of_a_bot_are_given_up():
    with pb.Client(**in_doubt(1, 2, 3)) as client:
        leave_in_doubt(client, "key-1")
        leave_in_doubt(client, "key-2", start_at="2030-01-15T10:00:00Z")
        leave_in_doubt(client, "key-3", bot_id="bot_2")
        with pytest.raises(pb.InvalidField) as wrong:
            client.give_up_before(BOT_ID, "2030-01-15")
        assert wrong.value.field == "start_before"
        reply = client.give_up_before(BOT_ID, "2030-01-15T00:00:00Z")
        assert [one.idempotency_key for one in reply.given_up] == ["key-1"] and reply.kept == ()
        assert set(states(client)) == {"key-2", "key-3"}


def test_a_doubt_is_given_up_on_the_loop():
    async def main() -> None:
        async with pb.AsyncClient(**in_doubt(1, 2, 3)) as client:
            for key in ("key-1", "key-2", "key-3"):
                with pytest.raises(pb.InDoubt):
                    await client.create_booking(booking(key=key, options=SHORT))
            [given_up] = (await client.give_up("key-1")).given_up
            assert given_up.idempotency_key == "key-1"
            with pytest.raises(pb.NotRecorded):
                await client.give_up("key-1")
            reply = await client.give_up_before(BOT_ID, "2030-01-14T10:30:00+00:00")
            assert {one.idempotency_key for one in reply.given_up} == {"key-2", "key-3"}
            assert states(client) == {}

    run(main())


def test_what_is_not_on_the_disk_says_so():
    reply = pb.values.give_up_reply(b'{"given_up":[],"kept":[],"journaled":false}')
    assert reply == pb.GiveUpReply((), (), False)
