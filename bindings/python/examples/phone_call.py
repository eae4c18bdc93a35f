"""Phone calls with a language model that calls tools: an interruption, a doubt, and one appointment each."""

from __future__ import annotations

import asyncio
import contextlib
import json

import partnerbooking as pb

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
CLINIC: pb.Configuration = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T13:00:00Z", "time_zone": "America/New_York", "latency_ms": 200},
    "voice": {"time_zone": "America/New_York", "region": "US"},
}
# Both go into the session of the model, unchanged.
TOOLS = pb.voice.tools("openai_realtime", voice=CLINIC["voice"])
PROMPT = f"You answer the phone of the clinic on Main Street. {TOOLS.prompt}"
FIND, BOOK = "find_appointment_slots", "book_appointment"


async def say(words: str) -> None:
    print(f"bot: {words}")


async def answer_tool_call(conversation: pb.AsyncConversation, name: str, arguments: str) -> str:
    """Returns the tool's result for the model. Its task is cancelled when the caller interrupts."""
    try:
        answer = await conversation.call(name, arguments, on_slow=lambda: say("One moment, please."))
    except pb.Error as error:
        print(f"log: {error.code}")
        return "The calendar cannot be reached. Say so, and offer a call back."
    if answer.say:
        await say(answer.say)
    return answer.text


async def interrupt(tool_call: asyncio.Task[str]) -> None:
    """The caller speaks. A search ends. A booking that was sent goes on."""
    tool_call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await tool_call


def heard_by_the_model(text: str) -> None:
    print(f"tool result: {text}")


def booking(slot: str, *, confirmed: bool) -> str:
    """The arguments, as a model writes them."""
    return json.dumps({"slot": slot, "name": "Ann Smith", "phone": None, "caller_confirmed": confirmed})


async def interrupted_call(client: pb.AsyncClient) -> None:
    client.prefetch(BOT_ID)  # the phone rings
    async with client.conversation("call-7", BOT_ID, "+12125550123") as conversation:
        print("caller: Tomorrow after three, please.")
        heard_by_the_model(await answer_tool_call(conversation, FIND, '{"when":"tomorrow","time":"after three"}'))
        print("caller: The first one. I am Ann Smith.")
        heard_by_the_model(await answer_tool_call(conversation, BOOK, booking("the first one", confirmed=False)))
        print("caller: Yes.")
        tool_call = asyncio.create_task(answer_tool_call(conversation, BOOK, booking("the first one", confirmed=True)))
        await asyncio.sleep(0.1)
        print("caller: No, wait, the second one!")
        await interrupt(tool_call)
        # The first one was sent. This waits for its end, and does not book a second appointment.
        heard_by_the_model(await answer_tool_call(conversation, BOOK, booking("the second one", confirmed=True)))
    # The caller has hung up: the conversation is forgotten, the appointment stays.


async def call_with_a_doubt(client: pb.AsyncClient) -> None:
    """The clinic books, and its reply is lost."""
    async with client.conversation("call-8", BOT_ID, "+12125550123") as conversation:
        await answer_tool_call(conversation, FIND, '{"when":"tomorrow","time":"after three"}')
        await answer_tool_call(conversation, BOOK, booking("the first one", confirmed=False))
        heard_by_the_model(await answer_tool_call(conversation, BOOK, booking("the first one", confirmed=True)))
        await asyncio.sleep(1.2)  # the library asks the clinic again by itself
        print("caller: Did that work?")
        heard_by_the_model(await answer_tool_call(conversation, BOOK, booking("the first one", confirmed=True)))


async def main() -> None:
    async with pb.AsyncClient(**CLINIC) as client:
        await interrupted_call(client)
        print(f"appointments: {len(client.sandbox_bookings())}")

    losing: pb.configuration.Sandbox = {
        **CLINIC["sandbox"],
        "faults": [{"fault": "lose_reply", "operation": "create_booking", "calls": [1]}],
    }
    doubtful: pb.Configuration = {**CLINIC, "sandbox": losing, "retry": {"max_attempts": 1}, "timeout_ms": 800}
    async with pb.AsyncClient(**doubtful) as client:
        await call_with_a_doubt(client)
        print(f"appointments: {len(client.sandbox_bookings())}")


if __name__ == "__main__":
    asyncio.run(main())
