"""What the adapters of all agent frameworks share: `ToolCalls`."""

import asyncio

from partnerbooking._agents import ToolCalls
from python_package import pb

BOT = "bot_01h2xcejqtf2nbrexx3vqjhp41"
CLINIC = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T13:00:00Z", "time_zone": "America/New_York", "latency_ms": 300},
    "voice": {"time_zone": "America/New_York", "region": "US", "cache_ms": 0},
    "slow_after_ms": 50,
}
FIND = "find_appointment_slots"


def answered(body, **options):
    """Runs `body` with the tool calls of one phone call, and returns what was said."""
    said = []

    async def run():
        async with pb.AsyncClient(**CLINIC) as client:
            await body(ToolCalls(client, BOT, "call-1", **options), said.append)

    asyncio.run(run())
    return said


def test_filler_is_said_once_a_turn():
    async def body(calls, say):
        await asyncio.gather(*(calls.answer(FIND, {"when": day}, say=say) for day in ("tomorrow", "friday")))
        calls.new_turn()
        await calls.answer(FIND, {"when": "in three weeks"}, say=say)

    assert answered(body) == ["One moment, please."] * 2


def test_slow_call_of_an_earlier_turn_leaves_the_filler_to_the_new_one():
    async def body(calls, say):
        first = asyncio.ensure_future(calls.answer(FIND, {"when": "tomorrow"}, say=lambda words: say("late")))
        await asyncio.sleep(0)
        calls.new_turn()
        await asyncio.gather(first, calls.answer(FIND, {"when": "in three weeks"}, say=say))

    assert answered(body) == ["One moment, please."]


def test_no_filler_when_it_is_switched_off():
    async def body(calls, say):
        await calls.answer(FIND, {"when": "tomorrow"}, say=say)

    assert answered(body, filler=None) == []


def test_long_call_id_is_hashed_and_still_names_one_phone_call():
    async def body():
        async with pb.AsyncClient(**CLINIC) as client:
            long, other = (ToolCalls(client, BOT, "c" * 300 + end) for end in "ab")
            assert "Offer these times" in await long.answer(FIND, {"when": "tomorrow"})
            return long.conversation.call_id, other.conversation.call_id

    first, second = asyncio.run(body())
    assert first != second and len(first) == len(second) == 64


def test_exception_that_is_no_error_of_the_library_is_a_sentence(caplog):
    async def body(calls, say):
        def broken(**_):
            raise RuntimeError("Ann Smith")

        calls.conversation.call = broken
        say(await calls.answer(FIND, {"when": "tomorrow"}))
        say(await calls.answer("book_appointment", {}))

    found, booked = answered(body)
    assert found.startswith("The calendar cannot be reached") and booked.startswith("It is not known")


def test_on_result_that_raises_loses_no_answer():
    def broken(result):
        raise RuntimeError(result.result)

    async def body(calls, say):
        say(await calls.answer(FIND, {"when": "tomorrow"}))

    [text] = answered(body, on_result=broken)
    assert text.startswith("Offer these times")
