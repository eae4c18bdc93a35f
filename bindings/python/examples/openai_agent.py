"""An agent of the OpenAI Agents SDK answers the phone: an interruption, and one appointment.

The calendar is the sandbox, and the model follows a script: neither network nor key is needed. `answer_phone` is for a
realtime model: the program does not run it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import partnerbooking as pb
from agents import Agent, Model, ModelResponse, RunConfig, Runner, SQLiteSession, Usage, set_tracing_disabled
from agents.realtime import RealtimeAgent, RealtimeModelConfig, RealtimeRunner, RealtimeSession
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from partnerbooking.openai_agents import BookingTools

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
CLINIC: pb.Configuration = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T13:00:00Z", "time_zone": "America/New_York", "latency_ms": 200},
    "voice": {"time_zone": "America/New_York", "region": "US"},
}
INSTRUCTIONS = "You answer the phone of the clinic on Main Street."


async def say(words: str) -> None:
    print(f"bot: {words}")


def log(answer: pb.ToolResult) -> None:
    print(f"tool result: {answer.result}: {answer.text}")


class PhoneCall:
    def __init__(self, client: pb.AsyncClient, call_id: str, caller_phone: str | None, model: Model | None) -> None:
        self.booking = BookingTools(client, BOT_ID, call_id=call_id, caller_phone=caller_phone, say=say, on_result=log)
        instructions = f"{INSTRUCTIONS} {self.booking.prompt}"
        self.agent = Agent(name="Reception", instructions=instructions, tools=self.booking.tools, model=model)
        self.session = SQLiteSession(call_id)

    async def heard(self, words: str) -> None:
        """The caller has spoken. Cancel its task when the caller interrupts."""
        run = RunConfig(tool_not_found_behavior="return_error_to_model", trace_include_sensitive_data=False)
        result = await Runner.run(self.agent, words, session=self.session, run_config=run)
        await say(result.final_output)

    def hung_up(self) -> None:
        self.booking.end()


PHONE: RealtimeModelConfig = {
    "initial_model_settings": {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_ulaw"}
}


async def answer_phone(
    client: pb.AsyncClient, start: dict[str, Any], carry_audio: Callable[[RealtimeSession], Awaitable[None]]
) -> None:
    """`start` is the member of Twilio's first message. `carry_audio` is yours, and ends when the caller hangs up."""
    caller = start["customParameters"].get("caller")
    async with BookingTools(client, BOT_ID, call_id=start["callSid"], caller_phone=caller) as booking:
        instructions = f"{INSTRUCTIONS} {booking.prompt}"
        agent = RealtimeAgent(name="Reception", instructions=instructions, tools=booking.tools)
        async with await RealtimeRunner(agent).run(model_config=PHONE) as session:
            booking.attach(session)
            await carry_audio(session)


class ScriptedModel(Model):
    """Calls a tool in each turn, and then says what the script has. Without it the SDK takes OpenAI's model."""

    def __init__(self, script: list[tuple[str, dict[str, Any], str]]) -> None:
        self._script = script
        self._words = ""

    async def get_response(self, system_instructions: Any, input: Any, *others: Any, **options: Any) -> ModelResponse:
        item: ResponseFunctionToolCall | ResponseOutputMessage
        if input[-1].get("type") == "function_call_output":
            text = ResponseOutputText(type="output_text", text=self._words, annotations=[])
            item = ResponseOutputMessage(id="1", type="message", role="assistant", status="completed", content=[text])
        else:
            name, arguments, self._words = self._script.pop(0)
            item = ResponseFunctionToolCall(
                type="function_call", call_id=f"tool-{len(self._script)}", name=name, arguments=json.dumps(arguments)
            )
        return ModelResponse(output=[item], usage=Usage(), response_id=None)

    def stream_response(self, *others: Any, **options: Any) -> Any:
        raise NotImplementedError


FIND, BOOK = "find_appointment_slots", "book_appointment"
BOOKING: dict[str, Any] = {"slot": "the first one", "name": "Ann Smith", "phone": None, "caller_confirmed": None}
SCRIPT = [
    (FIND, {"when": "tomorrow", "time": "after three"}, "Tomorrow at three, three thirty or four?"),
    (BOOK, BOOKING, "Tomorrow at three, for Ann Smith. Is that right?"),
    (BOOK, {**BOOKING, "caller_confirmed": True}, "You're booked."),
    (BOOK, {**BOOKING, "slot": "the second one"}, "You have the one at three already."),
]


async def main() -> None:
    async with pb.AsyncClient(**CLINIC) as client:
        call = PhoneCall(client, "call-7", "+12125550123", ScriptedModel(SCRIPT))
        for words in ("Tomorrow after three, please.", "The first one. I am Ann Smith."):
            print(f"caller: {words}")
            await call.heard(words)
        print("caller: Yes.")
        turn = asyncio.create_task(call.heard("Yes."))
        await asyncio.sleep(0.1)
        print("caller: No, wait, the second one!")
        turn.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await turn
        # The first one was sent. This waits for its end, and books no second appointment.
        await call.heard("No, wait, the second one!")
        call.hung_up()
        print(f"appointments: {len(client.sandbox_bookings())}")


if __name__ == "__main__":
    set_tracing_disabled(True)  # traces need a key
    asyncio.run(main())
