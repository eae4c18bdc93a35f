"""Bookings whose task was cancelled: their ends reach `on_settled`."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from python_package import SHORT, booking, doubtful, pb, run, search, slow_sandbox
from samples import BOT_ID, SANDBOX, booking_request


async def hang_up(call: Any, seconds: float = 0) -> None:
    task = asyncio.ensure_future(call)
    await asyncio.sleep(seconds)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def next_process(journal: Path) -> dict[str, str]:
    """What a later client with that journal lists."""
    with pb.Client(**SANDBOX, journal_path=str(journal)) as client:
        return {one.idempotency_key: one.state for one in client.pending_bookings()}


@pytest.mark.parametrize("is_coroutine", [False, True])
@pytest.mark.parametrize("is_refused", [False, True], ids=["booked", "refused"])
def test_the_end_of_a_detached_booking_reaches_on_settled(tmp_path, is_refused, is_coroutine):
    """And then the host has heard it."""
    journal = tmp_path / "journal"

    async def main() -> None:
        reports: asyncio.Queue[pb.Settled] = asyncio.Queue()
        listed: list[str] = []

        def note(settled: pb.Settled) -> None:
            listed.extend(one.state for one in client.pending_bookings())
            reports.put_nowait(settled)

        async def note_later(settled: pb.Settled) -> None:
            await asyncio.sleep(0.01)
            note(settled)

        hook = note_later if is_coroutine else note
        async with pb.AsyncClient(**slow_sandbox(50), journal_path=str(journal), on_settled=hook) as client:
            if is_refused:
                await client.create_booking(booking())
            options = pb.CallOptions(tag="call-7")
            await hang_up(client.create_booking(booking(key="key-7", detach=True, options=options)), 0.01)
            settled = await reports.get()
            assert (settled.idempotency_key, settled.tag) == ("key-7", "call-7")
            assert settled.is_booked is not is_refused
            if is_refused:
                assert settled.reply is None and isinstance(settled.error, pb.SlotUnavailable)
                assert settled.error.outcome == "rejected"
            else:
                assert settled.error is None and settled.reply.start_at == "2030-01-14T10:00:00Z"
            assert listed == ["refused" if is_refused else "booked"]
            while client.pending_bookings():
                await asyncio.sleep(0.005)
            assert reports.empty() and len(client._unheard) == 0

    run(main())
    assert next_process(journal) == {}


def test_the_end_of_a_cancelled_booking_reaches_on_settled():
    """It was sent: the library reads the answer."""
    request = json.dumps({**booking_request(key="key-7"), "give_up": False})

    async def main() -> None:
        reports: asyncio.Queue[pb.Settled] = asyncio.Queue()
        async with pb.AsyncClient(**slow_sandbox(200), on_settled=reports.put_nowait) as client:
            await hang_up(client.create_booking(request), 0.05)
            settled = await reports.get()
            assert settled.idempotency_key == "key-7" and settled.reply.status == "confirmed"
            while client.pending_bookings():
                await asyncio.sleep(0.005)
            assert reports.empty()

    run(main())


def test_a_booking_that_was_cancelled_before_it_was_sent_is_reported_as_not_sent():
    async def main() -> None:
        reports: asyncio.Queue[pb.Settled] = asyncio.Queue()
        async with pb.AsyncClient(**slow_sandbox(100), max_in_flight=1, on_settled=reports.put_nowait) as client:
            first = asyncio.ensure_future(client.create_booking(booking(key="key-1")))
            await hang_up(client.create_booking(booking(key="key-2")))
            settled = await reports.get()
            assert settled.idempotency_key == "key-2" and not settled.is_booked
            assert isinstance(settled.error, pb.Cancelled) and settled.error.outcome == "not_sent"
            assert (await first).id

    run(main())


@pytest.mark.parametrize("detach", [False, True])
def test_a_booking_whose_task_has_gone_is_reported_once_it_is_settled(detach):
    """Its call was cancelled, or ended at its deadline, before the platform answered."""

    async def main() -> None:
        reports: asyncio.Queue[pb.Settled] = asyncio.Queue()
        sandbox = {**SANDBOX["sandbox"], "faults": [{"fault": "late", "ms": 700, "calls": [1]}]}
        config = {"endpoint": "sandbox", "sandbox": sandbox, "on_settled": reports.put_nowait}
        async with pb.AsyncClient(**config) as client:
            options = pb.CallOptions(timeout_ms=200, tag="call-7")
            await hang_up(client.create_booking(booking(key="key-7", detach=detach, options=options)), 0.02)
            settled = await reports.get()
            assert (settled.tag, settled.reply.start_at) == ("call-7", "2030-01-14T10:00:00Z")
            while client.pending_bookings():
                await asyncio.sleep(0.005)
            assert reports.empty()

    run(main())


@pytest.mark.parametrize("way", ["raises", "raises later", "no handler"])
def test_nothing_is_lost_when_nobody_hears(tmp_path, way):
    journal = tmp_path / "journal"

    def fail(settled: pb.Settled) -> None:
        raise ZeroDivisionError

    async def fail_later(settled: pb.Settled) -> None:
        raise ZeroDivisionError

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        hook = {"raises": fail, "raises later": fail_later, "no handler": None}[way]
        async with pb.AsyncClient(**SANDBOX, journal_path=str(journal), on_settled=hook) as client:
            await hang_up(client.create_booking(booking(key="key-7", detach=True)))
            while client._calls or not len(client._unheard):
                await asyncio.sleep(0.005)
            [pending] = client.pending_bookings()
            assert (pending.idempotency_key, pending.state) == ("key-7", "booked")

    asyncio.run(asyncio.wait_for(main(), 20))
    assert next_process(journal) == {"key-7": "booked"}


def test_a_completion_that_came_as_its_task_was_cancelled_is_reported():
    """Both in one turn of the loop: the task never sees it."""

    async def main() -> None:
        reports: asyncio.Queue[pb.Settled] = asyncio.Queue()
        async with pb.AsyncClient(**SANDBOX, on_settled=reports.put_nowait) as client:
            end = client._end
            task = asyncio.ensure_future(client.create_booking(booking(key="key-7")))
            client._end = lambda *ended: (end(*ended), task.cancel())
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (await reports.get()).is_booked and client.pending_bookings() == []

    run(main())


def test_only_ends_of_bookings_are_reported():
    """Neither a search nor a doubt that a person gives up is one."""

    async def main() -> None:
        reports: list[pb.Settled] = []
        async with pb.AsyncClient(**doubtful(), settle_for_ms=0, on_settled=reports.append) as client:
            await hang_up(client.search_availability(search()))
            with pytest.raises(pb.InDoubt):
                await client.create_booking(booking(key="key-7", options=SHORT))
            await hang_up(client.give_up("key-7"))
            await hang_up(client.give_up_before(BOT_ID, "2030-02-01T00:00:00Z"))
            await hang_up(client.create_booking('{"idempotency_key":"key-7", "give_up" : true}'))
            while client._calls:
                await asyncio.sleep(0.005)
            await asyncio.sleep(0)
        assert reports == []

    run(main())


def test_a_close_waits_for_reports_of_tasks_that_have_gone():
    async def main() -> None:
        reports: list[pb.Settled] = []

        async def report(settled: pb.Settled) -> None:
            await asyncio.sleep(0.05)
            reports.append(settled)

        client = pb.AsyncClient(**slow_sandbox(100), on_settled=report)
        await hang_up(client.create_booking(booking(key="key-7", detach=True)), 0.01)
        assert await client.close(15_000)
        assert [one.idempotency_key for one in reports] == ["key-7"]

    run(main())
