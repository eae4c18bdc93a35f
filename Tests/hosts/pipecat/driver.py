"""A phone call in Pipecat: a real pipeline, worker, runner and context, with a scripted model and no audio."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any

from loguru import logger
from partnerbooking.pipecat import BookingTools
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
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
from pipecat.processors.aggregators import async_tool_messages
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings
from pipecat.turns.user_start import VADUserTurnStartStrategy
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

logger.remove()
logger.add(sys.stderr, level="WARNING")  # Pipecat logs every frame otherwise

WAIT = 20.0
"""Seconds after which a turn counts as stuck. A booking in doubt takes a few."""


class ScriptedModel(LLMService):
    """Calls the tools that the script names, once after each time that the caller has spoken."""

    def __init__(self, prompt: str, **options: Any) -> None:
        unset = dict.fromkeys(field.name for field in fields(LLMSettings))
        super().__init__(settings=LLMSettings(**{**unset, "extra": {}, "system_instruction": prompt}), **options)
        self.steps: deque[list[tuple[str, str, str]]] = deque()
        """ID, name and arguments of the calls of each step."""
        self.reads: list[list[dict[str, Any]]] = []
        """The messages of each inference."""
        self.instructions: str | None = None
        self._said = 0
        """As many times the caller had spoken at the last inference."""
        self.preface = ""
        """What it says before it calls a tool."""
        self.ran = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        try:
            await self._respond(frame.context)
        finally:
            await self.push_frame(LLMFullResponseEndFrame())
            self.ran.set()

    def heard(self, words: str) -> int:
        """How often the caller has said that."""
        said = [message["content"] for messages in self.reads[-1:] for message in messages if message["role"] == "user"]
        return " ".join(said).count(words)

    async def _respond(self, context: LLMContext) -> None:
        self.reads.append(json.loads(json.dumps(context.get_messages())))
        self.instructions = self._settings.system_instruction
        said = sum(message["role"] == "user" for message in self.reads[-1])
        is_asked, self._said = said > self._said, said
        if not (is_asked and self.steps):
            await self._push_llm_text("As you wish.")
            return
        if self.preface:
            await self._push_llm_text(self.preface)
        calls = []
        for call_id, name, arguments in self.steps.popleft():
            try:  # as the services of Pipecat do
                read = json.loads(arguments or "{}")
            except json.JSONDecodeError:
                continue
            calls.append(FunctionCallFromLLM(name, call_id, read, context))
        await self.run_function_calls(calls)


class Mouth(FrameProcessor):
    """Stands for the TTS and the transport: notes what is spoken, and says when the bot speaks."""

    def __init__(self) -> None:
        super().__init__()
        self.spoken: list[str] = []
        self.is_in_context = False
        """A TTS would add what it speaks to the context, as words of the model."""
        self.seconds = 0.0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)
        if isinstance(frame, TTSSpeakFrame):
            self.spoken.append(frame.text)
            self.is_in_context |= frame.append_to_context
        if isinstance(frame, (TTSSpeakFrame, LLMTextFrame)) and self.seconds:
            await self.broadcast_frame(BotStartedSpeakingFrame)
            try:
                await asyncio.sleep(self.seconds)
            finally:
                await self.broadcast_frame(BotStoppedSpeakingFrame)


class PipecatHost:
    """One phone call. `turn`, `interrupted_turn` and `hang_up` return when the framework has dealt with them."""

    cancelled = "CANCELLED"

    def __init__(
        self, make: Callable[..., Any] = BookingTools, model: dict[str, Any] | None = None, **options: Any
    ) -> None:
        """`model` has options of Pipecat's `LLMService`, and `options` those of the tools."""
        self._make, self._options, self._model_options = make, options, model or {}
        self._ids = (f"call_{number}" for number in itertools.count())
        self.mouth = Mouth()
        self.spoken = self.mouth.spoken
        self._returned: set[str] = set()
        self.interrupted: list[str] = []
        """The IDs of the calls that the caller has interrupted."""

    async def start(self, client: Any, bot_id: str, call_id: str, caller_phone: str | None) -> None:
        self.booking = self._make(client, bot_id, call_id=call_id, caller_phone=caller_phone, **self._options)
        self.model = ScriptedModel(self.booking.prompt, **self._model_options)
        self.context = context = LLMContext(tools=self.booking.tools)
        turns = UserTurnStrategies(
            start=[VADUserTurnStartStrategy()], stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.01)]
        )
        pair = LLMContextAggregatorPair(context, user_params=LLMUserAggregatorParams(user_turn_strategies=turns))
        pipeline = Pipeline([pair.user(), self.model, self.mouth, pair.assistant()])
        self.worker = PipelineWorker(pipeline, enable_rtvi=False)
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(self.worker)
        self._running = asyncio.create_task(runner.run())
        self._running.add_done_callback(lambda _: self.model.ran.set())

    async def turn(self, *calls: Any) -> list[str]:
        """The caller speaks, and the model calls these tools in one step. Returns what it read as their results."""
        ids = self._script(calls)
        self._returned.update(ids)
        await self.speak("So?")
        await self.until(lambda: all(map(self.results, ids)))
        return [text for call_id in ids for text in self.results(call_id)]

    async def interrupted_turn(self, call: Any, when: Callable[[], Awaitable[None]]) -> None:
        """The model calls a tool, and the caller speaks into it after `when()`."""
        (call_id,) = self._script([call])
        await self.speak("So?")
        await self.until(lambda: not self.model.steps)
        await when()
        self.interrupted.append(call_id)
        await self.speak("Wait!")
        await self.until(lambda: self.model.heard("Wait!") == len(self.interrupted))

    async def hang_up(self) -> None:
        await self.worker.cancel()  # what on_client_disconnected does
        await asyncio.wait_for(self._running, WAIT)

    async def say_goodbye(self) -> None:
        """The bot ends the call."""
        await self.worker.queue_frame(EndFrame())
        await asyncio.wait_for(self._running, WAIT)

    @staticmethod
    def utterance(words: str) -> list[Frame]:
        """The frames of the transport, the VAD and the STT."""
        return [
            VADUserStartedSpeakingFrame(start_secs=0.2),
            TranscriptionFrame(words, "caller", "2030-01-14T13:00:00Z", finalized=True),
            VADUserStoppedSpeakingFrame(stop_secs=0.2),
        ]

    async def speak(self, words: str) -> None:
        await self.worker.queue_frames(self.utterance(words))

    async def result(self, call_id: str) -> str:
        """What the model has read as the result of that call."""
        await self.until(lambda: self.results(call_id))
        (text,) = self.results(call_id)
        return text

    def results(self, call_id: str) -> list[str]:
        """The results of that call in the context that the model has read last."""
        return _results(self.model.reads[-1], call_id) if self.model.reads else []

    def read(self) -> list[str]:
        """Every result that the model has read, those of interrupted calls among them."""
        return [text for call_id in self._called() for text in self.results(call_id)]

    @property
    def also_read(self) -> list[str]:
        return [text for call_id in self._called() if call_id not in self._returned for text in self.results(call_id)]

    def _called(self) -> list[str]:
        return [call["id"] for message in self.model.reads[-1] for call in message.get("tool_calls", ())]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Or until the call has ended."""
        async with asyncio.timeout(WAIT):
            while not condition() and not self._running.done():
                self.model.ran.clear()
                await self.model.ran.wait()

    def _script(self, calls: Any) -> list[str]:
        texts = [call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments) for call in calls]
        step = [(next(self._ids), call.name, text) for call, text in zip(calls, texts)]
        self.model.steps.append(step)
        return [call_id for call_id, _, _ in step]


def _results(messages: list[dict[str, Any]], call_id: str) -> list[str]:
    """A call has one, in the place of the call or in a later message. None while it is under way."""
    found = []
    for message in messages:
        payload = async_tool_messages.parse_message(message)
        if payload is not None and payload.tool_call_id == call_id and payload.result is not None:
            found.append(_words(payload.result))
        elif payload is None and message.get("tool_call_id") == call_id and message["content"] != "IN_PROGRESS":
            found.append(_words(message["content"]))
    return found


def _words(content: str) -> str:
    """Pipecat writes results as JSON."""
    try:
        return str(json.loads(content))
    except json.JSONDecodeError:
        return content
