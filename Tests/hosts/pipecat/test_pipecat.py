"""The booking tools in Pipecat's own pipeline, worker and runner, with a scripted model."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import partnerbooking as pb
import pytest
from clinic import ClinicServer
from driver import PipecatHost
from phone_calls import BOOK, FIND, Call
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.services.llm_service import FunctionCallParams
from random_runs import check_random_runs
from scenarios import SCENARIOS, Scenario, check

BOT = "bot_01h2xcejqtf2nbrexx3vqjhp41"
PHONE = "+12125550123"
VOICE = {"time_zone": "America/New_York", "region": "US"}
FIRST, SECOND = "the first one", "the second one"


def find(**members: Any) -> Call:
    return Call(FIND, {"when": "tomorrow", "time": None, "service": None, "more": None, **members})


def book(slot: str, confirmed: bool | None = True) -> Call:
    members = {"slot": slot, "name": "Ann Smith", "phone": None, "email": None, "notes": None, "another": None}
    return Call(BOOK, {**members, "caller_confirmed": confirmed})


@contextlib.asynccontextmanager
async def clinic(latency_ms: int = 0, **configuration: Any) -> AsyncIterator[pb.AsyncClient]:
    sandbox = {"now": "2030-01-14T13:00:00Z", "time_zone": "America/New_York", "latency_ms": latency_ms}
    sandbox.update(configuration.pop("sandbox", {}))
    async with pb.AsyncClient(endpoint="sandbox", sandbox=sandbox, voice=VOICE, **configuration) as client:
        yield client


@contextlib.asynccontextmanager
async def phone_call(client: pb.AsyncClient, call_id: str = "call-1", **options: Any) -> AsyncIterator[PipecatHost]:
    host = PipecatHost(**options)
    await host.start(client, BOT, call_id, PHONE)
    try:
        yield host
    finally:
        await host.hang_up()


async def offered(host: PipecatHost) -> None:
    """The caller was offered slots, and heard the first one read back."""
    await host.turn(find())
    assert "Nothing is booked yet" in (await host.turn(book(FIRST, None)))[0]


def sleep(seconds: float) -> Callable[[], Awaitable[None]]:
    return lambda: asyncio.sleep(seconds)


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 50))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_scenario(scenario: Scenario, server: ClinicServer) -> None:
    check(scenario, PipecatHost, server)


def test_random_interruptions(server: ClinicServer) -> None:
    check_random_runs(PipecatHost, server)


# One appointment


def test_books_one_appointment() -> None:
    async def test() -> None:
        async with clinic() as client, phone_call(client) as host:
            await offered(host)
            assert (await host.turn(book(FIRST)))[0].startswith("Booked: ")
            assert len(client.sandbox_bookings()) == 1

    run(test())


@pytest.mark.parametrize("options", [{}, {"run_in_parallel": False}, {"group_parallel_tools": False}])
def test_a_booking_that_is_called_twice_in_one_step_is_one_appointment(options: dict[str, Any]) -> None:
    async def test() -> None:
        async with clinic(100) as client, phone_call(client, model=options) as host:
            await offered(host)
            first, second = await host.turn(book(FIRST), book(FIRST))
            assert first.startswith("Booked: ")
            assert "tomorrow, Tuesday at nine" in second and "another" in second
            assert len(client.sandbox_bookings()) == 1

    run(test())


@pytest.mark.parametrize("delay", [0, 0.02, 0.1, 0.25])
@pytest.mark.parametrize("options", [{}, {"run_in_parallel": False}, {"group_parallel_tools": False}])
def test_interrupted_then_another_time_is_one_appointment(delay: float, options: dict[str, Any]) -> None:
    """And the model reads each result once, the one that outlived the interruption among them."""

    async def test() -> None:
        async with clinic(200) as client, phone_call(client, model=options) as host:
            await offered(host)
            await host.interrupted_turn(book(FIRST), sleep(delay))
            (second,) = await host.turn(book(SECOND))
            first = await host.result(host.interrupted[0])
            assert first.startswith("Booked: tomorrow, Tuesday at nine"), first
            assert second.startswith("The caller has an appointment from this call"), second
            assert len(host.read()) == 4, host.read()
            assert len(client.sandbox_bookings()) == 1

    run(test())


@pytest.mark.parametrize("delay", [0.05, 0.15, 0.25])
def test_a_caller_who_interrupts_at_once_with_another_time_has_one_appointment(delay: float) -> None:
    async def test() -> None:
        async with clinic(200) as client, phone_call(client) as host:
            await offered(host)
            first = asyncio.create_task(host.turn(book(FIRST)))
            await asyncio.sleep(delay)
            second = asyncio.create_task(host.turn(book(SECOND)))
            await asyncio.sleep(0.05)
            third = asyncio.create_task(host.turn(book(SECOND)))
            texts = [text for turn in (first, second, third) for text in await turn]
            assert texts[0].startswith("Booked: tomorrow, Tuesday at nine"), texts
            assert all(text.startswith("The caller has an appointment") for text in texts[1:]), texts
            assert len(client.sandbox_bookings()) == 1

    run(test())


class ByHand:
    """The glue that people write: Pipecat's defaults, and a new key for each call of the model."""

    prompt = "You book appointments."

    def __init__(self, client: pb.AsyncClient, bot_id: str, **_: Any) -> None:
        keys = itertools.count()

        async def create_booking(params: FunctionCallParams) -> None:
            caller = pb.Customer(PHONE, "Ann Smith")
            request = pb.CreateBookingRequest(bot_id, params.arguments["slot"], 30, caller, f"by-hand-{next(keys)}")
            reply = await client.create_booking(request)
            await params.result_callback({"booked": reply.start_at})

        self.tools = [FunctionSchema(BOOK, "Books.", {"slot": {"type": "string"}}, ["slot"], create_booking)]


def test_by_hand_interrupted_then_another_time_is_two_appointments() -> None:
    """What the adapter is for."""

    async def test() -> None:
        async with clinic(200) as client, phone_call(client, make=ByHand) as host:
            found = await client.search_availability(
                pb.SearchAvailabilityRequest(BOT, "2030-01-15T09:00:00-05:00", "2030-01-16T17:00:00-05:00")
            )
            one, two = [item.start_at for item in found.availabilities if item.duration_minutes == 30][:2]
            await host.interrupted_turn(Call(BOOK, {"slot": one}), sleep(0.1))
            assert "booked" in (await host.turn(Call(BOOK, {"slot": two})))[0]
            assert host.results(host.interrupted[0]) == ["CANCELLED"]
            assert len(client.sandbox_bookings()) == 2

    run(test())


# Interruptions


def test_an_interruption_ends_a_search() -> None:
    async def test() -> None:
        async with clinic(1500) as client, phone_call(client) as host:
            await host.interrupted_turn(find(when="next week"), sleep(0.1))
            assert host.results(host.interrupted[0]) == ["CANCELLED"]
            assert (await host.turn(find()))[0].startswith("Offer these times")

    run(test())


def test_a_result_that_comes_while_the_caller_speaks_is_read_once() -> None:
    async def test() -> None:
        async with clinic(200) as client, phone_call(client) as host:
            await offered(host)
            booking = asyncio.create_task(host.turn(book(FIRST)))
            await asyncio.sleep(0.1)
            frames = host.utterance("Wait, I would rather have")
            await host.worker.queue_frames(frames[:2])
            await asyncio.sleep(0.4)
            assert len(client.sandbox_bookings()) == 1
            await host.worker.queue_frames(frames[2:])
            assert (await booking)[0].startswith("Booked: ")
            assert len(host.read()) == 3

    run(test())


def test_pipecat_limits_of_seconds_do_not_end_a_booking() -> None:
    async def test() -> None:
        options = {"function_call_timeout_secs": 0.3}
        async with clinic(700) as client, phone_call(client, model=options) as host:
            await offered(host)
            assert (await host.turn(book(FIRST)))[0].startswith("Booked: ")

    run(test())


# Filler


@contextlib.asynccontextmanager
async def slow_call(**options: Any) -> AsyncIterator[tuple[pb.AsyncClient, PipecatHost]]:
    """A call to a clinic that is slow from now on."""
    async with clinic(300, slow_after_ms=100) as client, phone_call(client, **options) as host:
        yield client, host


def test_the_filler_is_spoken_once_a_turn() -> None:
    async def test() -> None:
        async with slow_call() as (_, host):
            await host.turn(find(when="in two weeks"), find(when="in four weeks"))
            assert host.spoken == ["One moment, please."]
            await host.turn(find(when="in March"))
            assert host.spoken == ["One moment, please."] * 2
            assert not host.mouth.is_in_context

    run(test())


def test_no_filler_is_spoken_over_a_caller_who_has_interrupted() -> None:
    async def test() -> None:
        async with slow_call() as (_, host):
            await offered(host)
            host.spoken.clear()
            await host.interrupted_turn(book(FIRST), sleep(0.05))
            assert (await host.result(host.interrupted[0])).startswith("Booked: ")
            assert host.spoken == []

    run(test())


def test_no_filler_is_spoken_when_the_model_says_that_it_looks() -> None:
    async def test() -> None:
        async with slow_call() as (_, host):
            host.model.preface, host.mouth.seconds = "Let me see.", 0.4
            assert (await host.turn(find(when="in two weeks")))[0].startswith("Offer these times")
            assert host.spoken == []

    run(test())


@pytest.mark.parametrize(("filler", "spoken"), [("Hm.", ["Hm."]), (None, [])])
def test_the_filler_is_the_callers(filler: str | None, spoken: list[str]) -> None:
    async def test() -> None:
        async with slow_call(filler=filler) as (_, host):
            await host.turn(find(when="in two weeks"))
            assert host.spoken == spoken

    run(test())


def test_a_bot_that_speaks_its_filler_reads_the_result_after_it() -> None:
    async def test() -> None:
        async with slow_call() as (_, host):
            host.mouth.seconds = 0.5
            assert (await host.turn(find(when="in two weeks")))[0].startswith("Offer these times")
            assert host.spoken == ["One moment, please."]

    run(test())


# The end of the call


@pytest.mark.parametrize("goodbye", [PipecatHost.hang_up, PipecatHost.say_goodbye])
def test_a_booking_goes_on_after_the_caller_has_hung_up(goodbye: Callable[[PipecatHost], Awaitable[None]]) -> None:
    async def test() -> None:
        settled: asyncio.Queue[pb.Settled] = asyncio.Queue()
        async with clinic(200, on_settled=settled.put_nowait) as client:
            host = PipecatHost()
            await host.start(client, BOT, "call-1", PHONE)
            await offered(host)
            turn = asyncio.create_task(host.turn(book(FIRST)))
            await asyncio.sleep(0.1)
            await goodbye(host)
            turn.cancel()
            end = await asyncio.wait_for(settled.get(), 5)
            assert end.reply is not None and len(client.sandbox_bookings()) == 1

    run(test())


def test_the_end_of_the_pipeline_ends_the_conversation() -> None:
    async def test() -> None:
        async with clinic() as client:
            async with phone_call(client) as host:
                await offered(host)
            async with phone_call(client) as host:  # with the same ID, which no telephony gives twice
                (text,) = await host.turn(book(FIRST, None))
                assert "Nothing is booked yet" not in text, text

    run(test())


# Sloppy models


def test_arguments_that_are_no_object_are_answered() -> None:
    async def test() -> None:
        async with clinic() as client, phone_call(client) as host:
            for arguments in ("[]", '"tomorrow"', "7", "null", '{"slot": {"a": 1}, "when": ["x"]}'):
                for name in (FIND, BOOK):
                    (text,) = await host.turn(Call(name, arguments))
                    assert text.endswith((".", "?")) and "error" not in text, text
            assert (await host.turn(Call("cancel_appointment", {})))[0].endswith("not currently available.")
            assert client.sandbox_bookings() == []

    run(test())
