"""The asyncio client: many calls on one loop, cancellation, and a close that loses nothing."""

from __future__ import annotations

import asyncio
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fault_server import Peer, answer, answer_when, http_reply
from python_package import booking, pb, run, search, slow_sandbox
from reference_names import API_KEY
from samples import BOT_ID, CALLS_ONLY, NAME, ONCE, PHONE, SANDBOX, SEARCH_REPLY, SLEEPING
from waiting import SOON


def threads_of_the_library() -> int:
    return len(os.listdir("/proc/self/task")) - threading.active_count()


def test_a_conversation(service, reference, no_violation):
    bot = reference.bot()

    async def main() -> None:
        async with pb.AsyncClient(**service.config) as client:
            found = await client.search_availability(search(bot))
            assert found.timing["http_version"] == service.http_version
            request = booking(bot, start_at=found.availabilities[0].start_at)
            booked = await client.create_booking(request)
            assert booked.id == reference.bookings(bot_id=bot)["bookings"][0]["id"]
            again = await client.resume(request.idempotency_key)
            assert again.json == booked.json and again.timing["replayed"] is True
            with pytest.raises(pb.SlotUnavailable) as refused:
                await client.create_booking(booking(bot, start_at=found.availabilities[0].start_at))
            assert refused.value.outcome == "rejected" and refused.value.timing["attempts"] == 1

    run(main())


def test_64_in_flight_without_a_thread_for_any(start_faults):
    """No reply comes before all have asked."""
    told = threading.Event()
    server = start_faults(answer_when(told, http_reply(200, SEARCH_REPLY)))

    async def main() -> None:
        async with pb.AsyncClient(api_key=API_KEY, base_url=server.url, timeout_ms=20_000, **CALLS_ONLY) as client:
            calls = [asyncio.ensure_future(client.search_availability(search())) for _ in range(64)]
            await asyncio.sleep(0)
            mine = threads_of_the_library()
            assert await asyncio.to_thread(server.wait_for_requests, 64)
            # The thread that watches libcurl starts with the first turn.
            assert threads_of_the_library() <= mine + 1
            assert [thread.name for thread in threading.enumerate() if thread.name.startswith("asyncio")] == [
                "asyncio_0"
            ]
            told.set()
            assert {len((await call).availabilities) for call in calls} == {1}

    run(main())


def test_64_in_flight_over_either_protocol(service, reference):
    bot = reference.bot({"delay_ms": 50})

    async def main() -> None:
        async with pb.AsyncClient(**service.config) as client:
            calls = (client.search_availability(search(bot)) for _ in range(64))
            assert {len(found.availabilities) for found in await asyncio.gather(*calls)} == {2}

    run(main())


def test_lookup_and_errors_before_a_call_is_accepted():
    async def main() -> None:
        async with pb.AsyncClient(**SANDBOX) as client:
            assert (await client.lookup_customer(pb.LookupCustomerRequest(BOT_ID, PHONE))).customer is None
            await client.create_booking(booking())
            known = await client.lookup_customer(pb.LookupCustomerRequest(BOT_ID, PHONE))
            assert known.customer.name == NAME
            with pytest.raises(pb.InvalidField) as refused:
                await client.create_booking(booking(duration_minutes=0))
            assert (refused.value.field, refused.value.outcome) == ("booking.duration_minutes", "not_sent")

    run(main())


def test_queue_full():
    async def main() -> None:
        async with pb.AsyncClient(**SLEEPING, max_in_flight=1, max_queued=1) as client:
            calls = [asyncio.ensure_future(client.search_availability(search())) for _ in range(2)]
            await asyncio.sleep(0)
            with pytest.raises(pb.QueueFull):
                await client.search_availability(search())
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)

    run(main())


# ---- Cancellation ----------------------------------------------------------------------------------------------------


def wait_for_the_end(peer: Peer) -> None:
    """Reads a request, and on until the client leaves."""
    peer.read_request()
    peer.read(1)


def test_cancelling_the_task_cancels_the_call(start_faults):
    """The server sees the connection go, long before the call's deadline."""
    server = start_faults(wait_for_the_end)

    async def main() -> None:
        config = {"api_key": API_KEY, "base_url": server.url, "timeout_ms": 600_000, **CALLS_ONLY}
        async with pb.AsyncClient(**config) as client:
            call = asyncio.ensure_future(client.search_availability(search()))
            assert await asyncio.to_thread(server.wait_for_requests, 1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert await asyncio.to_thread(server.wait_until_idle)

    run(main())


def test_a_cancelled_booking_is_pending(start_faults):
    """The library goes on to read the answer. A repeat joins that, and nothing is sent a second time."""
    told = threading.Event()
    server = start_faults(answer_when(told, http_reply(201, b'{"booking":{"id":"bkg_1"}}')))

    async def main() -> None:
        config = {"api_key": API_KEY, "base_url": server.url, "timeout_ms": 600_000, **CALLS_ONLY}
        async with pb.AsyncClient(**config) as client:
            call = asyncio.ensure_future(client.create_booking(booking(key="key-7")))
            assert await asyncio.to_thread(server.wait_for_requests, 1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            while client._calls:
                await asyncio.sleep(0.005)
            [pending] = client.pending_bookings()
            assert (pending.idempotency_key, pending.state, pending.in_flight) == ("key-7", "in_flight", True)
            repeat = asyncio.ensure_future(client.resume("key-7"))
            await asyncio.sleep(0)
            told.set()
            assert (await repeat).id == "bkg_1"
            assert len(server.requests) == 1

    run(main())


def test_a_detached_booking_outlives_its_task(http1, reference):
    bot = reference.bot({"delay_ms": 300})

    async def main() -> None:
        async with pb.AsyncClient(**http1.config) as client:
            call = asyncio.ensure_future(client.create_booking(booking(bot, "key-7", detach=True)))
            assert await asyncio.to_thread(reference.wait_for_requests, bot, 1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert client.pending_bookings()[0].in_flight
            assert (await client.resume("key-7")).timing["attempts"] <= 1
        assert len(reference.requests(bot)) == 1
        assert len(reference.bookings(bot_id=bot)["bookings"]) == 1

    run(main())


def test_a_time_limit_of_asyncio_cancels_as_well():
    async def main() -> None:
        async with pb.AsyncClient(**SLEEPING) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.search_availability(search()), 0.05)
            while client._calls:
                await asyncio.sleep(0.005)

    run(main())


def test_cancelled_before_during_and_after():
    """At every moment of a call, and none of them keeps anything or disturbs another."""

    async def main() -> None:
        async with pb.AsyncClient(**slow_sandbox(5)) as client:
            for number in range(60):
                calls = [asyncio.ensure_future(client.search_availability(search())) for _ in range(2)]
                await asyncio.sleep(number % 20 / 2000)
                calls[0].cancel()
                assert (await calls[1]).availabilities
                await asyncio.gather(calls[0], return_exceptions=True)
            while client._calls:
                await asyncio.sleep(0.005)

    run(main())


# ---- The end ---------------------------------------------------------------------------------------------------------


def test_close_lets_calls_finish():
    async def main() -> None:
        client = pb.AsyncClient(**slow_sandbox(100))
        calls = [asyncio.ensure_future(client.search_availability(search())) for _ in range(3)]
        await asyncio.sleep(0)
        assert await client.close(timeout_ms=20_000)
        assert all(call.result().availabilities for call in calls)

    run(main())


def test_close_ends_what_takes_too_long_whatever_the_number():
    async def main() -> None:
        client = pb.AsyncClient(**SLEEPING, max_queued=1000)
        calls = [asyncio.ensure_future(client.search_availability(search())) for _ in range(700)]
        await asyncio.sleep(0)
        assert not await client.close(timeout_ms=10)
        for result in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(result, pb.ClientClosed)
        with pytest.raises(pb.ClientClosed):
            await client.search_availability(search())
        assert await client.close()

    run(main())


def test_two_that_close_at_once_both_wait():
    async def main() -> None:
        client = pb.AsyncClient(**slow_sandbox(100))
        call = asyncio.ensure_future(client.search_availability(search()))
        await asyncio.sleep(0)
        assert all(await asyncio.gather(client.close(20_000), client.close(20_000)))
        assert call.result().availabilities

    run(main())


def test_a_closed_client_leaves_the_next_users_descriptor_alone():
    """The number of the closed descriptor is the first that the system gives away again."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        client = pb.AsyncClient(**SANDBOX)
        await client.search_availability(search())
        descriptor = client._descriptor
        await client.close()
        ends = [os.pipe() for _ in range(8)]
        assert descriptor in [end for pair in ends for end in pair], "the number was not given away again"
        readable = asyncio.Event()
        for reading, _ in ends:
            loop.add_reader(reading, readable.set)
        await client.close()
        for reading, writing in ends:
            readable.clear()
            os.write(writing, b"x")
            await readable.wait()
            loop.remove_reader(reading)
            os.close(reading)
            os.close(writing)

    run(main())


def test_a_client_of_another_loop_says_so():
    client = pb.AsyncClient(**SANDBOX)
    other = asyncio.new_event_loop()
    other.run_until_complete(client.search_availability(search()))

    async def main() -> None:
        with pytest.raises(RuntimeError, match="another event loop"):
            await client.search_availability(search())

    run(main())
    other.run_until_complete(client.close())
    other.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_client_whose_loop_is_gone_can_be_closed():
    client = pb.AsyncClient(**SLEEPING)
    other = asyncio.new_event_loop()
    task = other.create_task(client.search_availability(search()))
    other.run_until_complete(asyncio.sleep(0))
    other.close()
    assert run(client.close(timeout_ms=SOON * 1000)) is False
    assert not task.done()


def test_a_loop_keeps_no_client_that_was_closed():
    async def main() -> None:
        before = threads_of_the_library()
        for _ in range(20):
            async with pb.AsyncClient(**SANDBOX) as client:
                await client.search_availability(search())
        while threads_of_the_library() > before:
            await asyncio.sleep(0.005)

    run(main())


def test_a_busy_thread_does_not_hold_up_the_loop(start_faults):
    """Functions that never block keep the GIL: else each completion would wait several times for a thread that
    computes."""
    server = start_faults(answer(http_reply(200, SEARCH_REPLY)))
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1000))

    async def main() -> int:
        switches = 0
        async with pb.AsyncClient(api_key=API_KEY, base_url=server.url, retry=ONCE, **CALLS_ONLY) as client:
            for _ in range(20):
                await client.search_availability(search())
                switches += 1
        return switches

    busy = threading.Thread(target=compute)
    busy.start()
    try:
        assert run(main()) == 20
    finally:
        stop.set()
        busy.join()


def test_a_close_does_not_wait_for_the_threads_of_the_loop_and_is_never_half_done():
    """Those threads look names up for others, and may be busy with that for long."""

    async def main() -> None:
        loop, busy = asyncio.get_running_loop(), threading.Event()
        loop.set_default_executor(ThreadPoolExecutor(1))
        loop.run_in_executor(None, busy.wait, SOON)
        client = pb.AsyncClient(**slow_sandbox(60_000))
        call = asyncio.ensure_future(client.search_availability(search()))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(client.close(0))
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(pb.ClientClosed):
            await call
        with pytest.raises(pb.ClientClosed):
            await client.search_availability(search())
        busy.set()

    run(main())
