"""The booking tools for a Pipecat pipeline.

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
"""Seconds that Pipecat allows for a call of these tools. The library ends each call earlier, after
at most 600 seconds. At its own limit Pipecat would report to the model that a booking did not
complete, although it may be booked."""

_NUMBERS = ("from_number", "from", "From", "caller_phone")
"""Member names for the caller's number. The author of the TwiML chooses the `<Parameter>` name."""


class BookingTools:
    """The booking tools of one phone call. Create the object when the phone rings, and pass `tools`
    to the `LLMContext`.

    When the caller interrupts, a search is cancelled. A booking goes on, and its result reaches the
    model later. When an answer is slow, a `TTSSpeakFrame` says the filler, once a turn. The end of
    the pipeline ends the conversation.
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
        """Creates the tools and starts a first search.

        `call_id` is the telephony provider's ID, new for each phone call. None: a random ID.
        `filler` is None for silence, and "" for words in the bot's language. `on_result` gets each
        `ToolResult`. `strict` asks the model's service to enforce the schemas. OpenAI's own
        services accept that, and others may refuse it.
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
        """The text for the model's instructions."""
        self.tools: list[FunctionSchema] = [
            _Schema(made["function"], self._book if made["function"]["name"] == BOOK else self._ask, strict)
            for made in self._calls.definitions("openai")
        ]
        """The tools for `LLMContext(tools=...)`, which registers their handlers. You may add other
        tools."""
        self._worker: PipelineWorker | None = None
        self._running: set[asyncio.Task[Any]] = set()
        """Pipecat's tasks that wait for an answer. Older releases do not cancel them when the
        pipeline ends."""
        self._bot_speaks = False

    @classmethod
    def from_call(cls, client: AsyncClient, bot_id: str, call: Any, **options: Any) -> BookingTools:
        """Creates the tools with the call's ID and the caller's number from Pipecat. `call` is the
        runner arguments, or a `CallData`.

        Call it after `create_transport` or `parse_telephony_websocket`: before, it may raise
        ValueError. `options` are the keywords of the constructor, and override Pipecat's values.
        """
        call_id, caller_phone = _identity(call)
        return cls(client, bot_id, **{"call_id": call_id, "caller_phone": caller_phone, **options})

    @property
    def conversation(self) -> AsyncConversation:
        return self._calls.conversation

    def attach(self, worker: PipelineWorker) -> None:
        """Watches the pipeline for the caller's turns and for its end. The first tool call does
        this, too."""
        if self._worker is None:
            self._worker = worker
            worker.add_observer(_Watcher(self))
            worker.add_event_handler("on_pipeline_finished", self._finished)

    def end(self) -> None:
        """Cancels tool calls and forgets the offers. The end of the pipeline does this, too.

        The client's `on_settled` gets the end of a booking that was sent.
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
            # No filler while the bot speaks.
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
    """A tool with all members of the library's schema. `FunctionSchema` drops
    `additionalProperties` and `strict`."""

    def __init__(self, function: dict[str, Any], handler: Any, strict: bool) -> None:
        parameters = function["parameters"]
        super().__init__(
            function["name"], function["description"], parameters["properties"], parameters["required"], handler
        )
        self._function = function if strict else {name: function[name] for name in function if name != "strict"}

    def to_default_dict(self) -> dict[str, Any]:
        return dict(self._function)


class _Watcher(BaseObserver):
    """An observer of the caller's and the bot's turns."""

    def __init__(self, booking: BookingTools) -> None:
        super().__init__()
        self._booking = booking
        self._seen: deque[int] = deque(maxlen=8)
        """The IDs of the last frames. Each processor pushes the same frame once."""

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
    """Returns the call's ID and the caller's number. Ignores the body of a browser's request, which
    may name anybody."""
    data = call
    # By name: the import of these classes needs FastAPI, which a bot may not have.
    kinds = {kind.__name__ for kind in type(call).__mro__}
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
    """Returns the user part of a SIP address, or the number unchanged. The library checks it."""
    text = _text(value)
    if text is None or not text.lower().startswith(("sip:", "sips:")):
        return text
    return text.partition(":")[2].partition("@")[0].partition(";")[0]
