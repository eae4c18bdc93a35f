"""Conversations of the Python package: tool calls of a model, blocking and awaited."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from python_package import pb, run
from samples import BOT_ID, NAME, NOW

ZONE = "America/New_York"
CALLER = "+12125550123"
VOICE: dict[str, Any] = {"time_zone": ZONE, "region": "US"}
CLINIC: dict[str, Any] = {"endpoint": "sandbox", "sandbox": {"now": NOW, "time_zone": ZONE}, "voice": VOICE}
FIND, BOOK = "find_appointment_slots", "book_appointment"
TOMORROW = {"when": "tomorrow", "time": "after three"}


def clinic(**sandbox: Any) -> dict[str, Any]:
    return {**CLINIC, "sandbox": {**CLINIC["sandbox"], **sandbox}}


def wish(slot: str, **members: Any) -> dict[str, Any]:
    return {"slot": slot, "name": NAME, "phone": None, "caller_confirmed": True, **members}


@pytest.fixture
def client():
    with pb.Client(**CLINIC) as client:
        yield client


@pytest.fixture
def conversation(client):
    with client.conversation("call-7", BOT_ID, CALLER) as conversation:
        yield conversation


# ---- The answer ------------------------------------------------------------------------------------------------------


def test_slots_are_found_and_one_is_booked(client, conversation):
    found = conversation.call(FIND, TOMORROW)
    assert (found.tool, found.result, found.is_error) == (FIND, "offered", False)
    first = found.slots[0]
    assert first == pb.OfferedSlot("tue15-1500h", "2030-01-15T15:00:00-05:00", 30, first.say)
    assert first.slot in found.text and first.say.startswith("tomorrow") and "T15:00" not in found.text
    assert (found.booking, found.idempotency_key, found.error) == (None, None, None)

    asked = conversation.call(BOOK, wish("the first one", caller_confirmed=None))
    assert asked.result == "readback" and client.sandbox_bookings() == []
    held = conversation.call(BOOK, wish("the first one"), speculative=True)
    assert held.result == "held" and client.sandbox_bookings() == []
    booked = conversation.call(BOOK, wish("the first one"))
    assert booked.result == "booked" and booked.booking["start_at"] == first.start_at
    assert booked.booking["customer"] == {"phone": CALLER, "name": NAME}
    assert json.loads(booked.json)["booking"] == booked.booking
    [listed] = client.pending_bookings()
    assert (listed.idempotency_key, listed.conversation) == (booked.idempotency_key, "call-7")
    again = conversation.call(BOOK, wish("the first one", name="Jane Roe"))
    assert (again.result, again.idempotency_key) == ("already", booked.idempotency_key)
    assert len(client.sandbox_bookings()) == 1


def test_repr_names_nobody(conversation):
    found = conversation.call(FIND, TOMORROW)
    asked = conversation.call(BOOK, wish(found.slots[0].slot, caller_confirmed=None))
    booked = conversation.call(BOOK, wish(found.slots[0].slot))
    for one in (asked, booked, conversation, conversation.call(f"tell {NAME}", None)):
        assert not any(word in repr(one) for word in (NAME, NAME.split()[0], "2125550123", "two one two"))
    assert repr(booked) == "ToolResult(book_appointment: booked)"
    assert repr(found).startswith("ToolResult(find_appointment_slots: offered, slots: tue15-1500h")
    assert repr(conversation) == f"<Conversation call-7 of {BOT_ID}>"


def test_result_is_frozen_and_comparable(conversation):
    found = conversation.call(FIND, TOMORROW)
    assert copy.copy(found) == found
    with pytest.raises(AttributeError):
        found.text = ""


WRITTEN = {
    "mapping": TOMORROW,
    "text": json.dumps(TOMORROW),
    "bytes": json.dumps(TOMORROW).encode(),
    "fenced": f"```json\n{json.dumps(TOMORROW)}\n```",
    "text in text": json.dumps(json.dumps(TOMORROW)),
    "with more": {**TOMORROW, "service": "null", "mood": [1, {}], "half": "\ud83d"},
}


@pytest.mark.parametrize("arguments", WRITTEN.values(), ids=WRITTEN)
def test_arguments_come_as_the_model_wrote_them(conversation, arguments):
    found = conversation.call(FIND, arguments)
    assert (found.result, found.slots[0].slot) == ("offered", "tue15-1500h")


UNREADABLE = {
    "half": '{"when":"tom',
    "list": ["tomorrow"],
    "number": 5,
    "words": "tomorrow, please",
    "no UTF-8": b"\xff\xfe",
    "half a surrogate pair": "\udcff",
    "not a number": {"when": float("nan")},
    "deep": "[" * 5000,
    "long": json.dumps({"when": "x" * 1_000_000}),
}


@pytest.mark.parametrize("arguments", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_arguments_are_an_answer(conversation, arguments):
    """The model hears of it. Nothing is raised."""
    found = conversation.call(FIND, arguments)
    assert (found.result, found.is_error) == ("invalid", True)


def test_unknown_tool_is_an_answer(conversation):
    answer = conversation.call("cancel_everything", None)
    assert (answer.tool, answer.result) == ("cancel_everything", "invalid") and FIND in answer.text


def test_caller_phone_may_be_missing(client):
    with client.conversation("call-8", BOT_ID) as conversation:
        slot = conversation.call(FIND, TOMORROW).slots[0].slot
        asked = conversation.call(BOOK, wish(slot))
        assert asked.result == "invalid" and asked.error.field == "phone"
        unclear = conversation.call(BOOK, wish(slot, phone="five five five"))
        assert unclear.result == "invalid" and isinstance(unclear.error, pb.PhoneUnclear)
        booked = conversation.call(BOOK, wish(slot, phone="two one two five five five oh one two three"))
        assert booked.result == "booked" and booked.booking["customer"]["phone"] == CALLER


def test_why_nothing_was_booked_is_an_error_of_its_class():
    fault = {"fault": "error", "operation": "create_booking", "status": 403, "code": "bot_disabled"}
    with pb.Client(**clinic(faults=[fault])) as client, client.conversation("call-7", BOT_ID, CALLER) as conversation:
        failed = conversation.call(BOOK, wish(conversation.call(FIND, TOMORROW).slots[0].slot))
        assert (failed.result, failed.error.code, failed.error.status) == ("failed", "bot_disabled", 403)
        assert isinstance(failed.error, pb.ServiceError) and failed.error.outcome == "rejected"
        assert json.loads(failed.error.json) == {"error": json.loads(failed.json)["error"]}


def test_what_the_host_did_wrong_is_raised(client):
    with pytest.raises(pb.InvalidField) as wrong:
        client.conversation("", BOT_ID).call(FIND, TOMORROW)
    assert wrong.value.field == "call_id"
    conversation = client.conversation("call-7", BOT_ID)
    with pytest.raises(pb.InvalidField) as wrong:
        conversation.call(FIND, TOMORROW, timeout_ms=0, tag="t-1")
    assert wrong.value.field == "timeout_ms" and "t-1" in str(wrong.value.members)
    with pytest.raises(pb.InvalidField):
        client.conversation("call\n7", BOT_ID).end()
    client.close()
    with pytest.raises(pb.ClientClosed):
        conversation.call(FIND, TOMORROW)
    conversation.end()


def test_tools_need_a_time_zone():
    with pb.Client(endpoint="sandbox") as client:
        for call in (lambda: client.conversation("call-7", BOT_ID).call(FIND, None), lambda: client.prefetch(BOT_ID)):
            with pytest.raises(pb.InvalidField) as wrong:
                call()
            assert wrong.value.field == "bot_id" and "voice.time_zone" in wrong.value.message


# ---- The conversation ------------------------------------------------------------------------------------------------


def test_only_what_was_offered_can_be_booked(client, conversation):
    slot = conversation.call(FIND, TOMORROW).slots[0].slot
    assert conversation.call(BOOK, wish("wed16-0900w")).result == "not_offered"
    assert conversation.call(BOOK, wish("the ninth one")).result == "not_offered"
    assert conversation.call(BOOK, wish(slot.upper().replace("-", " "))).result == "booked"


def test_end_forgets_the_offers_but_not_the_booking(client):
    with client.conversation("call-7", BOT_ID, CALLER) as conversation:
        slots = conversation.call(FIND, TOMORROW).slots
        assert conversation.call(BOOK, wish(slots[0].slot)).result == "booked"
    assert conversation.call(BOOK, wish("the second one", another=True)).result == "not_offered"
    assert conversation.call(BOOK, wish(slots[0].slot)).result == "already"


def test_double_calls_at_once_are_one_booking(client, conversation):
    slot = conversation.call(FIND, TOMORROW).slots[0].slot
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: conversation.call(BOOK, wish(slot)), range(8)))
    assert {answer.result for answer in answers} <= {"booked", "already"}
    assert any(answer.result == "booked" for answer in answers)
    assert len({answer.idempotency_key for answer in answers}) == 1 == len(client.sandbox_bookings())


def test_prefetch_saves_the_search():
    """The clinic needs longer for an answer than the tool calls wait."""
    with pb.Client(**clinic(latency_ms=300)) as client:
        client.prefetch(BOT_ID)
        conversation = client.conversation("call-7", BOT_ID)
        assert "offered" in (conversation.call(FIND, TOMORROW, timeout_ms=50).result for _ in range(100))
        assert conversation.call(FIND, {"when": "Friday"}, timeout_ms=50).result == "offered"


def test_prefetch_names_a_service():
    services = [{"name": "checkup", "duration_minutes": 30}, {"name": "root canal", "duration_minutes": 60}]
    with pb.Client(**{**CLINIC, "voice": {**VOICE, "services": services}}) as client:
        client.prefetch(BOT_ID, "root canal")
        with pytest.raises(pb.InvalidField) as wrong:
            client.prefetch(BOT_ID, service="haircut")
        assert wrong.value.field == "service"
        client.close()
        with pytest.raises(pb.ClientClosed):
            client.prefetch(BOT_ID)


# ---- asyncio ---------------------------------------------------------------------------------------------------------

Story = Callable[[pb.AsyncClient, pb.AsyncConversation], Awaitable[Any]]


def talk(configuration: dict[str, Any], story: Story, **options: Any) -> Any:
    """Runs a phone call."""

    async def main() -> Any:
        async with pb.AsyncClient(**configuration, **options) as client:
            async with client.conversation("call-7", BOT_ID, CALLER) as conversation:
                return await story(client, conversation)

    return run(main())


async def interrupted(call: Awaitable[pb.ToolResult], after: float) -> None:
    task = asyncio.ensure_future(call)
    await asyncio.sleep(after)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def test_awaited_calls():
    async def story(client, conversation):
        slot = (await conversation.call(FIND, json.dumps(TOMORROW))).slots[0].slot
        answers = await asyncio.gather(*(conversation.call(BOOK, wish(slot)) for _ in range(8)))
        assert {answer.result for answer in answers} <= {"booked", "already"}
        assert len(client.sandbox_bookings()) == 1
        assert repr(conversation) == f"<AsyncConversation call-7 of {BOT_ID}>"

    talk(CLINIC, story)


@pytest.mark.parametrize("after", [0, 0.02, 0.08], ids=["at once", "sent", "almost over"])
def test_interrupted_booking_then_another_time_is_one_appointment(after):
    async def story(client, conversation):
        slots = (await conversation.call(FIND, TOMORROW)).slots
        await interrupted(conversation.call(BOOK, wish(slots[0].slot)), after)
        other = await conversation.call(BOOK, wish(slots[1].slot))
        [booked] = client.sandbox_bookings()
        if other.result == "already":
            assert booked["start_at"] == slots[0].start_at and slots[0].say in other.text
        else:
            assert other.result == "booked" and booked["start_at"] == slots[1].start_at

    talk(clinic(latency_ms=100), story)


def test_end_of_an_interrupted_booking_reaches_the_next_find():
    async def story(client, conversation):
        slots = (await conversation.call(FIND, TOMORROW)).slots
        await interrupted(conversation.call(BOOK, wish(slots[0].slot)), 0.05)
        while not client.sandbox_bookings() or client.pending_bookings()[0].state != "booked":
            await asyncio.sleep(0.005)
        found = await conversation.call(FIND, {"when": "Friday"})
        assert f"The booking before went through: {slots[0].say} is booked." in found.text

    talk(clinic(latency_ms=100), story)


def test_end_of_an_interrupted_booking_reaches_on_settled():
    async def story(client, conversation):
        slots = (await conversation.call(FIND, TOMORROW)).slots
        await interrupted(conversation.call(BOOK, wish(slots[0].slot), tag="t-1"), 0.05)
        settled = await asyncio.wait_for(reports.get(), 5)
        assert settled.is_booked and settled.reply.start_at == slots[0].start_at and settled.tag == "t-1"
        while client.pending_bookings():
            await asyncio.sleep(0.005)
        again = await conversation.call(BOOK, wish(slots[0].slot))
        assert (again.result, again.idempotency_key) == ("booked", settled.idempotency_key)  # new to the model
        assert len(client.sandbox_bookings()) == 1

    reports: asyncio.Queue[pb.Settled] = asyncio.Queue()
    talk(clinic(latency_ms=100), story, on_settled=reports.put_nowait)


def test_interrupted_search_ends_at_once():
    async def story(client, conversation):
        begun = asyncio.get_running_loop().time()
        await interrupted(conversation.call(FIND, TOMORROW, timeout_ms=60_000), 0.01)
        assert asyncio.get_running_loop().time() - begun < 1

    talk(clinic(latency_ms=60_000), story)


def test_slow_call_says_so_once():
    async def story(client, conversation):
        assert (await conversation.call(FIND, TOMORROW, on_slow=lambda: said.append("one moment"))).result == "offered"
        assert said == ["one moment"]

    said: list[str] = []
    talk({**clinic(latency_ms=100), "slow_after_ms": 20}, story)


async def cancelled_when_booked(client: pb.AsyncClient, call: Awaitable[pb.ToolResult]) -> None:
    """The answer is there, and its task has not read it."""
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0)
    while not client.sandbox_bookings() or client.pending_bookings()[0].state != "booked":
        time.sleep(0.001)  # the loop hears nothing meanwhile
    time.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_booking_that_ended_before_its_task_was_cancelled_stays_listed():
    """Nobody has heard its end."""

    async def story(client, conversation):
        slots = (await conversation.call(FIND, TOMORROW)).slots
        await cancelled_when_booked(client, conversation.call(BOOK, wish(slots[0].slot)))
        await asyncio.sleep(0.05)
        assert [one.state for one in client.pending_bookings()] == ["booked"]
        again = await conversation.call(BOOK, wish(slots[0].slot))
        assert again.result == "already"
        await client.resume(again.idempotency_key)
        assert client.pending_bookings() == []

    talk(CLINIC, story)


def test_booking_that_ended_before_its_task_was_cancelled_reaches_on_settled():
    async def story(client, conversation):
        slots = (await conversation.call(FIND, TOMORROW)).slots
        await cancelled_when_booked(client, conversation.call(BOOK, wish(slots[0].slot), tag="t-1"))
        settled = await asyncio.wait_for(reports.get(), 5)
        assert settled.reply.start_at == slots[0].start_at and settled.tag == "t-1"
        assert (await conversation.call(BOOK, wish(slots[0].slot))).idempotency_key == settled.idempotency_key
        assert client.pending_bookings() == [] and reports.empty()

    reports: asyncio.Queue[pb.Settled] = asyncio.Queue()
    talk(CLINIC, story, on_settled=reports.put_nowait)
