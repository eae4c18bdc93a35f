"""Reports of bookings that are settled after their calls have ended: `on_settled` of both clients."""

from __future__ import annotations

import asyncio
import gc
import queue
import threading
from typing import Any

import pytest
from fault_server import answer, close_at_once, http_reply
from python_package import doubt, doubtful, is_closed, pb, run
from reference_names import API_KEY
from samples import CALLS_ONLY, ONCE, SANDBOX, TAKEN_REPLY
from waiting import SOON, wait_until


def refusing_later(start_faults: Any) -> dict[str, Any]:
    """A service that drops the first request and refuses every later one. It looks at the key first."""
    server = start_faults(close_at_once(), answer(http_reply(409, TAKEN_REPLY)))
    known = {"platform_keys": "first", "platform_limit_ms": 1}
    return {"api_key": API_KEY, "base_url": server.url, "retry": ONCE, **known, **CALLS_ONLY}


def check_booked(settled: pb.Settled, key: str = "key-7", tag: str | None = "call-7") -> None:
    assert (settled.idempotency_key, settled.tag, settled.error) == (key, tag, None)
    assert settled.reply.start_at == "2030-01-14T10:00:00Z"


def check_refused(settled: pb.Settled) -> None:
    assert (settled.idempotency_key, settled.tag, settled.reply) == ("key-7", "call-7", None)
    assert type(settled.error) is pb.SlotUnavailable
    assert (settled.error.outcome, settled.error.idempotency_key) == ("rejected", "key-7")


# ---- Threads ---------------------------------------------------------------------------------------------------------


def test_a_booking_is_reported_on_a_thread_of_the_clients_own():
    reports: queue.SimpleQueue[tuple[pb.Settled, str]] = queue.SimpleQueue()
    with pb.Client(**doubtful(), on_settled=lambda one: reports.put((one, threading.current_thread().name))) as client:
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
        settled, thread = reports.get(timeout=SOON)
        check_booked(settled)
        assert thread == "pbk-settled"
        assert client.create_booking(doubt()).json == settled.reply.json
    assert reports.empty() and thread not in {one.name for one in threading.enumerate()}


def test_a_refusal_is_reported(start_faults):
    reports: queue.SimpleQueue[pb.Settled] = queue.SimpleQueue()
    with pb.Client(**refusing_later(start_faults), on_settled=reports.put) as client:
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
        check_refused(reports.get(timeout=SOON))


def test_close_waits_for_the_doubt_and_for_the_report():
    reports: list[pb.Settled] = []
    client = pb.Client(**doubtful(), on_settled=reports.append)
    with pytest.raises(pb.InDoubt):
        client.create_booking(doubt())
    assert client.close(20_000)
    check_booked(*reports)


def test_an_on_settled_that_raises_ends_no_report(monkeypatch):
    complaints: queue.SimpleQueue[threading.ExceptHookArgs] = queue.SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", complaints.put)
    with pb.Client(**doubtful(1, 2), on_settled=lambda settled: 1 / 0) as client:
        for key in ("key-1", "key-2"):
            with pytest.raises(pb.InDoubt):
                client.create_booking(doubt(key))
        for _ in range(2):
            complaint = complaints.get(timeout=SOON)
            assert complaint.exc_type is ZeroDivisionError and complaint.thread.name == "pbk-settled"


def test_on_settled_may_use_and_close_its_client():
    """It has not heard the end before it returns."""
    pending: queue.SimpleQueue[list[pb.PendingBooking]] = queue.SimpleQueue()

    def report(settled: pb.Settled) -> None:
        pending.put(client.pending_bookings())
        assert client.close()

    client = pb.Client(**doubtful(), on_settled=report)
    with pytest.raises(pb.InDoubt):
        client.create_booking(doubt())
    assert [one.state for one in pending.get(timeout=SOON)] == ["booked"]
    client._reporter.join(SOON)
    assert not client._reporter.is_alive()


def test_a_close_does_not_wait_for_ever_for_on_settled():
    begun, over = threading.Event(), threading.Event()

    def report(settled: pb.Settled) -> None:
        begun.set()
        over.wait(SOON)

    client = pb.Client(**doubtful(), on_settled=report)
    with pytest.raises(pb.InDoubt):
        client.create_booking(doubt())
    assert begun.wait(SOON)
    client.close(10)
    assert client._reporter.is_alive()
    over.set()
    client._reporter.join(SOON)


def test_a_forgotten_client_with_on_settled_is_closed_with_a_warning():
    with pytest.warns(ResourceWarning, match="a Client was not closed"):
        client = pb.Client(**SANDBOX, on_settled=print)
        handle, reporter = client._handle, client._reporter
        del client
        gc.collect()
    assert is_closed(handle)
    reporter.join(SOON)
    assert not reporter.is_alive()


@pytest.mark.parametrize("kind", [pb.Client, pb.AsyncClient])
def test_the_configuration_goes_before(kind):
    """What it says of `report_settled` stays, also when it is wrong."""
    with pytest.raises(pb.InvalidConfig) as refused:
        kind(**SANDBOX, report_settled="yes", on_settled=print)
    assert refused.value.field == "report_settled"


def test_reports_may_be_switched_off_all_the_same():
    reports: list[pb.Settled] = []
    client = pb.Client(**doubtful(), report_settled=False, on_settled=reports.append)
    with pytest.raises(pb.InDoubt):
        client.create_booking(doubt())
    assert client.close(20_000) and reports == []


def test_a_coroutine_function_gets_reports_of_threads(monkeypatch):
    """In a loop of its own. When it raises, the host has not heard, and the next report comes all the same."""
    reports: queue.SimpleQueue[str] = queue.SimpleQueue()
    complaints: queue.SimpleQueue[threading.ExceptHookArgs] = queue.SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", complaints.put)

    async def report(settled: pb.Settled) -> None:
        await asyncio.sleep(0)
        if settled.idempotency_key == "key-1":
            raise ZeroDivisionError
        if settled.idempotency_key == "key-2":
            raise asyncio.CancelledError
        reports.put(settled.idempotency_key)

    with pb.Client(**doubtful(1, 2, 3), on_settled=report) as client:
        for key in ("key-1", "key-2", "key-7"):
            with pytest.raises(pb.InDoubt):
                client.create_booking(doubt(key))
        assert reports.get(timeout=SOON) == "key-7"
        kinds = {complaints.get(timeout=SOON).exc_type for _ in range(2)}
        assert kinds == {ZeroDivisionError, asyncio.CancelledError}
        wait_until(lambda: {one.idempotency_key for one in client.pending_bookings()} == {"key-1", "key-2"})


# ---- asyncio ---------------------------------------------------------------------------------------------------------


def test_a_booking_is_reported_on_the_loop():
    async def main() -> None:
        reports: asyncio.Queue[pb.Settled] = asyncio.Queue()
        async with pb.AsyncClient(**doubtful(), on_settled=reports.put_nowait) as client:
            with pytest.raises(pb.InDoubt) as lost:
                await client.create_booking(doubt())
            assert lost.value.doubt.answer == pb.DoubtAnswer(None, "connection_lost")
            settled = await reports.get()
            check_booked(settled)
            assert (await client.create_booking(doubt())).json == settled.reply.json
        assert reports.empty()

    run(main())


def test_a_coroutine_function_gets_reports(start_faults):
    async def main() -> None:
        reports: asyncio.Queue[pb.Settled] = asyncio.Queue()

        async def report(settled: pb.Settled) -> None:
            await asyncio.sleep(0)
            await reports.put(settled)

        async with pb.AsyncClient(**refusing_later(start_faults), on_settled=report) as client:
            with pytest.raises(pb.InDoubt):
                await client.create_booking(doubt())
            check_refused(await reports.get())
            while client._reports:
                await asyncio.sleep(0.005)

    run(main())


def test_an_async_close_waits_for_the_doubt_and_for_the_coroutine():
    async def main() -> None:
        reports: list[pb.Settled] = []

        async def report(settled: pb.Settled) -> None:
            await asyncio.sleep(0.05)
            reports.append(settled)

        client = pb.AsyncClient(**doubtful(), on_settled=report)
        with pytest.raises(pb.InDoubt):
            await client.create_booking(doubt())
        assert await client.close(15_000)
        check_booked(*reports)

    run(main())


def test_a_coroutine_may_close_its_client():
    async def main() -> None:
        closed = asyncio.Event()

        async def report(settled: pb.Settled) -> None:
            assert await client.close(15_000)
            closed.set()

        client = pb.AsyncClient(**doubtful(), on_settled=report)
        with pytest.raises(pb.InDoubt):
            await client.create_booking(doubt())
        await closed.wait()

    run(main())


@pytest.mark.parametrize("is_coroutine", [False, True])
def test_an_on_settled_that_raises_disturbs_nothing(is_coroutine):
    def fail(settled: pb.Settled) -> None:
        raise ZeroDivisionError

    async def fail_later(settled: pb.Settled) -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    async def main() -> None:
        complaints: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.put_nowait(context))
        async with pb.AsyncClient(**doubtful(1, 2), on_settled=fail_later if is_coroutine else fail) as client:
            lost = await asyncio.gather(
                *(client.create_booking(doubt(key)) for key in ("key-1", "key-2")), return_exceptions=True
            )
            assert [type(error) for error in lost] == [pb.InDoubt] * 2
            for _ in range(2):
                assert type((await complaints.get())["exception"]) is ZeroDivisionError
            assert (await client.resume("key-1")).id

    asyncio.run(asyncio.wait_for(main(), SOON))


def test_reports_that_nobody_asked_for_are_passed_over():
    """With `report_settled` alone. Calls end as always, and nobody has heard what was settled."""

    async def main() -> None:
        async with pb.AsyncClient(**doubtful(), report_settled=True) as client:
            with pytest.raises(pb.InDoubt):
                await client.create_booking(doubt())
            while client.pending_bookings()[0].state != "booked":
                await asyncio.sleep(0.005)
            assert (await client.create_booking(doubt())).id
            assert client.pending_bookings() == []
            assert not client._calls

    run(main())


def test_what_an_earlier_process_left_is_reported_before_any_call(tmp_path):
    config = {**SANDBOX, "journal_path": str(tmp_path / "journal")}
    with pb.Client(**{**doubtful(*range(1, 9)), **config, "sandbox": doubtful(1)["sandbox"]}, settle_for_ms=0) as first:
        with pytest.raises(pb.InDoubt):
            first.create_booking(doubt())

    async def main() -> None:
        reports: asyncio.Queue[pb.Settled] = asyncio.Queue()
        async with pb.AsyncClient(**config, resume_on_open=True, on_settled=reports.put_nowait):
            check_booked(await reports.get(), tag=None)

    run(main())
