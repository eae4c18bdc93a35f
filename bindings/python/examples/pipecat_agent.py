"""A Pipecat bot on the phone, as text: a scripted model, the sandbox, and no key. The caller interrupts a booking.

The pipeline, its aggregators, worker and runner are Pipecat's own. docs/pipecat.md is its page.
"""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import Any

import partnerbooking as pb
from loguru import logger
from partnerbooking.pipecat import BookingTools
from pipecat.frames.frames import (
    EndFrame,
    Frame,
    FunctionCallFromLLM,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSSpeakFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings
from pipecat.turns.user_start import VADUserTurnStartStrategy
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
CLINIC: pb.Configuration = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T13:00:00Z", "time_zone": "America/New_York", "latency_ms": 800},
    "voice": {"time_zone": "America/New_York", "region": "US"},
    "slow_after_ms": 300,
}
CALL = {"call_id": "CA42", "from": "+12125550123"}
"""What `parse_telephony_websocket` knows of a call."""


async def answer_the_phone(client: pb.AsyncClient, call: Any) -> None:
    booking = BookingTools.from_call(client, BOT_ID, call, on_result=heard_by_the_model)
    llm = ScriptedModel(f"You answer the phone of the clinic on Main Street. {booking.prompt}")
    context = LLMContext(tools=booking.tools)
    aggregators = LLMContextAggregatorPair(context, user_params=LLMUserAggregatorParams(user_turn_strategies=TURNS))
    worker = PipelineWorker(Pipeline([aggregators.user(), llm, Voice(), aggregators.assistant()]))
    runner = WorkerRunner()
    await runner.add_workers(worker)
    await asyncio.gather(runner.run(), phone_call(worker, llm))


def heard_by_the_model(result: pb.ToolResult) -> None:
    print(f"tool result: {result.text}")


# ---- Below stand in: the caller, a model, a voice --------------------------------------------------------------------

TURNS = UserTurnStrategies(
    start=[VADUserTurnStartStrategy()], stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.01)]
)


async def phone_call(worker: PipelineWorker, llm: ScriptedModel) -> None:
    for words in ("Tomorrow after three, please.", "The first one. I am Ann Smith."):
        await speak(worker, llm, words)
        await llm.answered.wait()
        await asyncio.sleep(0.2)
    await speak(worker, llm, "Yes.")
    await asyncio.sleep(0.5)  # the booking is under way
    await speak(worker, llm, "No, wait, the second one!")
    await llm.answered.wait()
    await asyncio.sleep(0.2)
    await worker.queue_frame(EndFrame())  # the caller hangs up


async def speak(worker: PipelineWorker, llm: ScriptedModel, words: str) -> None:
    """The frames that VAD and STT make of it."""
    print(f"caller: {words}")
    llm.answered.clear()
    await worker.queue_frames(
        [
            VADUserStartedSpeakingFrame(),
            TranscriptionFrame(words, "caller", "2030-01-14T13:00:00Z", finalized=True),
            VADUserStoppedSpeakingFrame(stop_secs=0.2),
        ]
    )


class ScriptedModel(LLMService):
    """Calls the tools that a model would call on these words, and says one sentence on their results."""

    def __init__(self, system_instruction: str) -> None:
        unset = dict.fromkeys(field.name for field in fields(LLMSettings))
        super().__init__(settings=LLMSettings(**{**unset, "extra": {}, "system_instruction": system_instruction}))
        self.answered = asyncio.Event()
        """The model has spoken on the results of its tools."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        last = frame.context.get_messages()[-1]
        if last["role"] == "user":
            name, arguments = SCRIPT[last["content"]]
            call = FunctionCallFromLLM(name, f"call_{len(frame.context.get_messages())}", arguments, frame.context)
            await self.run_function_calls([call])
        else:
            await self._push_llm_text("(the model says so)")
            self.answered.set()
        await self.push_frame(LLMFullResponseEndFrame())


def booking(slot: str, *, confirmed: bool) -> tuple[str, dict[str, Any]]:
    return "book_appointment", {"slot": slot, "name": "Ann Smith", "phone": None, "caller_confirmed": confirmed}


SCRIPT: dict[str, tuple[str, dict[str, Any]]] = {
    "Tomorrow after three, please.": ("find_appointment_slots", {"when": "tomorrow", "time": "after three"}),
    "The first one. I am Ann Smith.": booking("the first one", confirmed=False),
    "Yes.": booking("the first one", confirmed=True),
    "No, wait, the second one!": booking("the second one", confirmed=True),
}


class Voice(FrameProcessor):
    """In the place of TTS and transport."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, (LLMTextFrame, TTSSpeakFrame)):
            print(f"bot: {frame.text}")
        await self.push_frame(frame, direction)


async def main() -> None:
    logger.remove()
    async with pb.AsyncClient(**CLINIC) as client:
        await answer_the_phone(client, CALL)
        print(f"appointments: {len(client.sandbox_bookings())}")


if __name__ == "__main__":
    asyncio.run(main())
