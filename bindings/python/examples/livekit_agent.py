"""A phone agent in LiveKit Agents that books appointments.

    python3 livekit_agent.py            a call with a scripted model and the sandbox: no cloud, no key
    python3 livekit_agent.py dev        LiveKit's own commands, for phone calls of your LiveKit project

docs/livekit.md explains it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

import partnerbooking as pb
from livekit.agents import Agent, AgentServer, AgentSession, JobContext, cli, llm
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS
from partnerbooking.livekit import BookingTools

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
CLINIC: pb.Configuration = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T13:00:00Z", "time_zone": "America/New_York", "latency_ms": 1200},
    "voice": {"time_zone": "America/New_York", "region": "US"},
}
server = AgentServer()


class Clinic(Agent):
    def __init__(self, booking: BookingTools) -> None:
        instructions = f"You answer the phone of the clinic on Main Street. {booking.prompt}"
        super().__init__(instructions=instructions, tools=booking.tools)


async def text_message(settled: pb.Settled) -> None:
    print(f"text message to the caller: {'your appointment is booked' if settled.is_booked else 'please call again'}")


@server.rtc_session()
async def answer_the_phone(ctx: JobContext) -> None:
    client = pb.AsyncClient(on_settled=text_message, **CLINIC)

    async def close() -> None:
        await client.close(8000)  # time for a booking that the caller did not wait for

    ctx.add_shutdown_callback(close)
    booking = await BookingTools.from_job(client, BOT_ID, ctx)
    session = AgentSession[None](stt="deepgram/nova-3", llm="openai/gpt-4.1-mini", tts="cartesia/sonic-2")
    await session.start(Clinic(booking), room=ctx.room)
    session.generate_reply(instructions="Greet the caller.")


# ---- The call without cloud and key ----------------------------------------------------------------------------------

FIND, BOOK = "find_appointment_slots", "book_appointment"
BOOKING = {"slot": "the first one", "name": "Ann Smith", "phone": None, "caller_confirmed": True}
SCRIPT: dict[str, tuple[str, dict[str, Any]]] = {
    "Tomorrow after three, please.": (FIND, {"when": "tomorrow", "time": "after three"}),
    "The first one. I am Ann Smith.": (BOOK, {**BOOKING, "caller_confirmed": False}),
    "Yes.": (BOOK, BOOKING),
    "No, wait, the second one!": (BOOK, {**BOOKING, "slot": "the second one"}),
}


class ScriptedModel(llm.LLM[Any]):
    """Calls the tools of `SCRIPT`."""

    def chat(self, *, chat_ctx: llm.ChatContext, tools: Any = None, **options: Any) -> llm.LLMStream:
        return ScriptedAnswer(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=DEFAULT_API_CONNECT_OPTIONS)


class ScriptedAnswer(llm.LLMStream):
    async def _run(self) -> None:
        last = self._chat_ctx.items[-1]
        calls: list[llm.FunctionToolCall] = []
        if last.type == "message" and last.role == "user" and last.text_content in SCRIPT:
            name, arguments = SCRIPT[last.text_content]
            call_id = f"call_{len(self._chat_ctx.items)}"
            calls = [llm.FunctionToolCall(name=name, arguments=json.dumps(arguments), call_id=call_id)]
        words = None if calls else "That is what the result says."
        delta = llm.ChoiceDelta(role="assistant", content=words, tool_calls=calls)
        self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))


def show(session: AgentSession[None]) -> None:
    @session.on("conversation_item_added")
    def said(event: Any) -> None:
        if event.item.type == "message":
            print(f"{'caller' if event.item.role == 'user' else 'agent'}: {event.item.text_content}")

    @session.on("tool_execution_updated")
    def result(event: Any) -> None:
        if event.update.type != "tool_call_started" and getattr(event.update, "message", None):
            print(f"tool result: {event.update.message}")


async def rehearse() -> None:
    async with pb.AsyncClient(on_settled=text_message, **CLINIC) as client:
        booking = BookingTools(client, BOT_ID, call_id="call-7", caller_phone="+12125550123")
        session = AgentSession[None](llm=ScriptedModel(), vad=None)
        show(session)
        await session.start(Clinic(booking))
        await session.run(user_input="Tomorrow after three, please.")
        await session.run(user_input="The first one. I am Ann Smith.")
        session.generate_reply(user_input="Yes.")
        await asyncio.sleep(0.4)
        await session.interrupt()  # the caller speaks while the booking is under way
        await session.run(user_input="No, wait, the second one!")
        await session.aclose()
        print(f"appointments: {len(client.sandbox_bookings())}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        cli.run_app(server)
    else:
        logging.basicConfig(level=logging.WARNING)
        asyncio.run(rehearse())
