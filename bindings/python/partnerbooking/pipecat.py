"""The booking tools in a Pipecat pipeline.

    booking = BookingTools.from_call(client, bot_id, runner_args)
    context = LLMContext(tools=booking.tools)

docs/pipecat.md shows a whole bot.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ._agents import BOOK, OnResult, ToolCalls
from .aio import AsyncClient
from .conversation import AsyncConversation

try:
    from pipecat.frames.frames import (
        BotStartedSpeakingFrame,
        BotStoppedSpeakingFrame,
        InterruptionFrame,
        TTSSpeakFrame,
        UserStartedSpeakingFrame,
    )
    from pipecat.observers.base_observer import BaseObserver, FramePushed

    try:
        from pipecat.adapters.llm.schemas.direct_function import tool_options
        from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
    except ModuleNotFoundError:  # before 1.14
        from pipecat.adapters.schemas.direct_function import tool_options
        from pipecat.adapters.schemas.function_schema import FunctionSchema
except ImportError as error:
    raise ImportError(f"{error}. Install Pipecat: pip install 'partnerbooking[pipecat]'") from None

if TYPE_CHECKING:
    from pipecat.pipeline.worker import PipelineWorker
    from pipecat.services.llm_service import FunctionCallParams

__all__ = ["BookingTools"]

_LIMIT_SECS = 660.0
"""Pipecat's own limit for a call of these tools. The library ends each call before that, after 600 seconds at most.
Pipecat would tell the model that a booking did not complete, which nobody knows then."""

_NUMBERS = ("from_number", "from", "From", "caller_phone")
"""The names under which the caller's number comes. A TwiML `<Parameter>` has the one that its author chose."""


class BookingTools:
    """The booking tools of one phone call. Make it when the phone rings, and hand `tools` to the `LLMContext`.

    The caller may interrupt: a search is cancelled, a booking is not, and its result reaches the model later. A filler
    is spoken once a turn, as a `TTSSpeakFrame`, when an answer is slow. The end of the pipeline ends the conversation.
    """

    def __init__(
        self,
        client: AsyncClient,
        bot_id: str,
        *,
        call_id: str | None = None,
        caller_phone: str | None = None,
        filler: str | None = "",
        look_up_caller: bool = False,
        on_result: OnResult | None = None,
        strict: bool = False,
    ) -> None:
        """`call_id` is the telephony's, and new for each phone call. None makes one up.

        `filler` is None for silence, and "" for words in the bot's language. `on_result` gets each `ToolResult`.
        `strict` asks the model's service to enforce the schemas. OpenAI's own services take that, and others may
        refuse it.
        """
        self._calls = ToolCalls(
            client,
            bot_id,
            call_id,
            caller_phone,
            filler=filler,
            look_up_caller=look_up_caller,
            on_result=on_result,
        )
        self.prompt: str = self._calls.prompt
        """For the instructions of the model."""
        self.tools: list[FunctionSchema] = [
            _Schema(made["function"], self._book if made["function"]["name"] == BOOK else self._ask, strict)
            for made in self._calls.definitions("openai")
        ]
        """For `LLMContext(tools=...)`, which registers their handlers. Other tools may stand beside them."""
        self._worker: PipelineWorker | None = None
        self._running: set[asyncio.Task[Any]] = set()
        """The tasks of Pipecat that wait for an answer. Older releases leave them alone when the pipeline ends."""
        self._bot_speaks = False

    @classmethod
    def from_call(cls, client: AsyncClient, bot_id: str, call: Any, **options: Any) -> BookingTools:
        """Takes the call's ID and the caller's number from Pipecat's runner arguments, or from its `CallData`.

        Call it after `create_transport` or `parse_telephony_websocket`. `options` are those of the constructor.
        """
        call_id, caller_phone = _identity(call)
        return cls(client, bot_id, **{"call_id": call_id, "caller_phone": caller_phone, **options})

    @property
    def conversation(self) -> AsyncConversation:
        return self._calls.conversation

    def attach(self, worker: PipelineWorker) -> None:
        """Watches the pipeline for the caller's turns and for its end. The first tool call does it by itself."""
        if self._worker is None:
            self._worker = worker
            worker.add_observer(_Watcher(self))
            worker.add_event_handler("on_pipeline_finished", self._finished)

    def end(self) -> None:
        """Cancels tool calls and forgets what the caller was offered. The end of the pipeline does it by itself.

        `on_settled` of the client gets the end of a booking that was sent.
        """
        for task in self._running:
            task.cancel()
        self._calls.end()

    async def _finished(self, worker: PipelineWorker, frame: object) -> None:
        self.end()

    @tool_options(cancel_on_interruption=False, timeout_secs=_LIMIT_SECS)
    async def _book(self, params: FunctionCallParams) -> None:
        await self._answer(params)

    @tool_options(cancel_on_interruption=True, timeout_secs=_LIMIT_SECS)
    async def _ask(self, params: FunctionCallParams) -> None:
        await self._answer(params)

    async def _answer(self, params: FunctionCallParams) -> None:
        self.attach(params.pipeline_worker)
        async def say(words: str) -> None:
            # A bot that speaks is not silent.
            if not self._bot_speaks:
                await params.llm.push_frame(TTSSpeakFrame(words, append_to_context=False))

        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            text = await self._calls.answer(params.function_name, params.arguments, say=say)
        finally:
            self._running.discard(task)
        await params.result_callback(text)

    def _caller_speaks(self) -> None:
        self._calls.new_turn()


class _Schema(FunctionSchema):
    """A tool of the library, member by member. `FunctionSchema` knows no `additionalProperties` and no `strict`."""

    def __init__(self, function: dict[str, Any], handler: Any, strict: bool) -> None:
        parameters = function["parameters"]
        super().__init__(
            function["name"], function["description"], parameters["properties"], parameters["required"], handler
        )
        self._function = function if strict else {name: function[name] for name in function if name != "strict"}

    def to_default_dict(self) -> dict[str, Any]:
        return dict(self._function)


class _Watcher(BaseObserver):
    """Sees who speaks."""

    def __init__(self, booking: BookingTools) -> None:
        super().__init__()
        self._booking = booking
        self._seen: deque[int] = deque(maxlen=8)
        """A frame is pushed once by each processor."""

    async def on_push_frame(self, data: FramePushed) -> None:
        frame = data.frame
        if isinstance(frame, (InterruptionFrame, UserStartedSpeakingFrame)):
            if frame.id not in self._seen:
                self._seen.append(frame.id)
                self._booking._caller_speaks()
        elif isinstance(frame, BotStartedSpeakingFrame):
            self._booking._bot_speaks = True
        elif isinstance(frame, BotStoppedSpeakingFrame):
            self._booking._bot_speaks = False


def _identity(call: Any) -> tuple[str | None, str | None]:
    """The call's ID and the caller's number. The body of a browser's request is no source: it may name anybody."""
    data = call
    kinds = {kind.__name__ for kind in type(call).__mro__}  # importing these needs FastAPI, which a bot may not have
    if "RunnerArguments" in kinds:
        data = getattr(call, "call_data", None)
        if "DailyRunnerArguments" in kinds:
            data = _member(call.body, "dialin_settings")
        elif data is None and "WebSocketRunnerArguments" in kinds and call.transport_type != "websocket":
            raise ValueError("the call is not known yet: call create_transport(runner_args, ...) before BookingTools")
    numbers = [_member(source, name) for source in (data, _member(data, "body")) for name in _NUMBERS]
    return (
        _text(_member(data, "call_id")) or _text(_member(call, "session_id")),
        next((number for number in map(_number, numbers) if number), None),
    )


def _member(source: Any, name: str) -> Any:
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> str | None:
    """The user of a SIP address, or the number as it came. The library judges it."""
    text = _text(value)
    if text is None or not text.lower().startswith(("sip:", "sips:")):
        return text
    return text.partition(":")[2].partition("@")[0].partition(";")[0]
