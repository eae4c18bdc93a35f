"""The booking tools for LiveKit Agents, with prompt, interruptions, filler and hang-up.

    booking = await BookingTools.from_job(client, bot_id, ctx)
    agent = Agent(instructions=f"You answer the phone. {booking.prompt}", tools=booking.tools)

docs/livekit.md shows a whole agent.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from ._agents import BOOK, OnResult, ToolCalls
from .aio import AsyncClient

try:
    from livekit import rtc
    from livekit.agents import RunContext, function_tool, llm

    RunContext.update  # noqa: B018  (since 1.6)
except (ImportError, AttributeError) as error:
    raise ImportError(
        "partnerbooking.livekit needs LiveKit Agents 1.6.10 or later: pip install 'partnerbooking[livekit]'"
    ) from error

ToolResult: Any = getattr(llm, "ToolResult", None)
"""A class of LiveKit releases after 1.8.0, else None. Without it the agent speaks both results."""

if TYPE_CHECKING:
    from livekit.agents import AgentSession, JobContext, SpeechHandle
    from typing_extensions import Self

__all__ = ["BookingTools"]

_SENT = (
    f"The caller has spoken. {BOOK} goes on, and its result follows by itself. "
    "Until then do not say that it is booked, and do not say that it failed. Answer the caller."
)
_NOT_SENT = "The caller has spoken before this was sent. Nothing is booked by this call. Answer the caller."
_SEARCH_ENDED = "The caller has spoken, so {tool} was ended. Answer the caller. Call it again if that is still of use."
_HUNG_UP = "The caller has hung up."



class BookingTools:
    """The tools of one phone call, for `Agent(tools=booking.tools)`. Create an object for each
    call.

    The caller may speak while a tool runs. That ends a search. A booking goes on: its result
    reaches the model later, and the agent speaks it. Do not call `disallow_interruptions` while a
    tool runs: LiveKit then drops the caller's words.
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
    ) -> None:
        """Creates the tools and starts a first search.

        `filler` is said once a turn when an answer is slow. None is silence, and "" is "One moment,
        please." in the bot's language. `on_result` gets each `ToolResult`, for logs.
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
        self._sessions: list[AgentSession[Any]] = []
        self._running: dict[asyncio.Task[str], SpeechHandle | None] = {}
        """The tool calls under way. A booking has the speech of its turn, others have None."""
        self.conversation = self._calls.conversation
        self.prompt: str = self._calls.prompt
        """The text for the agent's instructions."""
        self.tools: list[Any] = [self._tool(tool["function"]) for tool in self._calls.definitions("openai")]
        """The tools for the agent, with the library's schemas."""

    @classmethod
    async def from_job(
        cls,
        client: AsyncClient,
        bot_id: str,
        ctx: JobContext,
        *,
        participant: rtc.RemoteParticipant | None = None,
        filler: str | None = "",
        look_up_caller: bool = False,
        on_result: OnResult | None = None,
    ) -> Self:
        """Connects, waits for the caller, and creates the tools with the caller's number and call
        ID. The conversation ends when the caller leaves.

        `participant` is the caller, by default the first participant.
        """
        caller = participant or await ctx.wait_for_participant()
        booking = cls(
            client,
            bot_id,
            call_id=_call_id(ctx, caller),
            caller_phone=_attribute(caller, "sip.phoneNumber"),
            filler=filler,
            look_up_caller=look_up_caller,
            on_result=on_result,
        )

        def left(participant: rtc.RemoteParticipant) -> None:
            if participant.identity == caller.identity:
                booking.end()

        ctx.room.on("participant_disconnected", left)
        return booking

    def attach(self, session: AgentSession[Any]) -> None:
        """Watches the session for the caller's turns and for its end. The first tool call does
        this, too."""
        if not any(session is known for known in self._sessions):
            self._sessions.append(session)
            session.on("conversation_item_added", self._item_added)
            session.on("close", self._closed)

    def end(self) -> None:
        """Ends a search, and the conversation. Call it when the caller has hung up.

        A sent booking goes on, and the client's `on_settled` gets its end.
        """
        for call in self._running:
            call.cancel()
        self._calls.end()

    def _tool(self, schema: dict[str, Any]) -> Any:
        async def tool(raw_arguments: dict[str, Any], ctx: RunContext[Any]) -> Any:
            return await self._run(schema["name"], raw_arguments, ctx)

        return function_tool(tool, raw_schema=schema)

    async def _run(self, name: str, arguments: dict[str, Any], ctx: RunContext[Any]) -> Any:
        self.attach(ctx.session)
        speech = ctx.speech_handle
        ended = _SEARCH_ENDED.format(tool=name)
        if speech.interrupted:
            return _NOT_SENT if name == BOOK else ended

        def say(words: str) -> None:
            if speech.interrupted:
                self._calls.new_turn()  # not said: the tool call of the new turn may say it
            else:
                with contextlib.suppress(RuntimeError):  # the session is closing, or has no TTS
                    ctx.session.say(words)

        call = asyncio.ensure_future(self._calls.answer(name, arguments, say=say))
        self._running[call] = speech if name == BOOK else None
        try:
            await speech.wait_if_not_interrupted([call])
            if call.done():
                return _answer(call)
            if name != BOOK:
                return ended
            # LiveKit answers the caller only after the tool's answer. This is a first answer, and
            # the tool goes on.
            await ctx.update(_SENT, template="{message}")
            await asyncio.wait([call])
            return self._late(call)
        finally:
            del self._running[call]
            call.cancel()

    def _late(self, call: asyncio.Task[str]) -> Any:
        """Returns the result of a booking that went on. The agent speaks it, unless the turn of
        another booking is still to be answered: that answer has both results."""
        others = [speech for other, speech in self._running.items() if other is not call and speech is not None]
        if ToolResult is not None and any(not speech.interrupted for speech in others):
            return ToolResult(_answer(call), reply_required=False)
        return _answer(call)

    def _item_added(self, event: Any) -> None:
        if getattr(event.item, "role", None) == "user":
            self._calls.new_turn()

    def _closed(self, _: object) -> None:
        self.end()


def _answer(call: asyncio.Task[str]) -> str:
    return _HUNG_UP if call.cancelled() else call.result()


def _attribute(participant: rtc.RemoteParticipant, name: str) -> str | None:
    # Only SIP participants count: a browser sets its own attributes, and could name any number.
    if participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
        return None
    value = participant.attributes.get(name)
    return value if isinstance(value, str) and value else None


def _call_id(ctx: JobContext, caller: rtc.RemoteParticipant) -> str:
    """Returns a name for the phone call. A room's name may be used again, but not its ID."""
    return _attribute(caller, "sip.callID") or f"{ctx.job.room.sid or ctx.room.name}/{caller.identity}"
