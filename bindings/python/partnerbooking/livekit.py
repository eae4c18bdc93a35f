"""Appointments in LiveKit Agents: tools, prompt, interruptions, filler and hang-up of a phone call.

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

    RunContext.update  # noqa: B018  (of 1.6)
except (ImportError, AttributeError) as error:
    raise ImportError(
        "partnerbooking.livekit needs LiveKit Agents 1.6.10 or later: pip install 'partnerbooking[livekit]'"
    ) from error

ToolResult: Any = getattr(llm, "ToolResult", None)
"""Newer than 1.8.0. Without it the agent speaks both results."""

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
    """The tools of one phone call, for `Agent(tools=booking.tools)`. Make one for each call.

    The caller may speak on while a tool runs. That ends a search. A booking is never cancelled: its result reaches the
    model when it comes, and the agent speaks it. Do not call `disallow_interruptions` for it: LiveKit then drops what
    the caller says meanwhile.
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
        """`filler` is said once a turn while an answer is slow. None says nothing, "" is "One moment, please." in the
        language of the bot. `on_result` gets each answer, for logs."""
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
        """With the speech of the turn, if it is a booking."""
        self.conversation = self._calls.conversation
        self.prompt: str = self._calls.prompt
        """For the instructions of the agent."""
        self.tools: list[Any] = [self._tool(tool["function"]) for tool in self._calls.definitions("openai")]
        """For the agent. The schemas are those of the library."""

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
        """Connects, waits for the caller, and takes number and call ID of the participant. The conversation ends when
        the caller leaves.

        `participant` is the caller, if not the first one to join.
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
        """Ends the conversation when the session closes. The first tool call does it, too."""
        if not any(session is known for known in self._sessions):
            self._sessions.append(session)
            session.on("conversation_item_added", self._item_added)
            session.on("close", self._closed)

    def end(self) -> None:
        """The caller has hung up: ends a search. A booking that was sent goes on, and `on_settled` gets its end."""
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
                self._calls.new_turn()  # not said: left to the call of the turn that has begun
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
            # LiveKit answers the caller only when the tool has: this answers for it, and the tool
            # goes on.
            await ctx.update(_SENT, template="{message}")
            await asyncio.wait([call])
            return self._late(call)
        finally:
            del self._running[call]
            call.cancel()

    def _late(self, call: asyncio.Task[str]) -> Any:
        """The result of a booking that went on. The agent speaks it, but not beside the answer to another booking,
        whose turn has both results."""
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
    # Others may have written it themselves: a browser would choose whose number it calls from.
    if participant.kind != rtc.ParticipantKind.PARTICIPANT_KIND_SIP:
        return None
    value = participant.attributes.get(name)
    return value if isinstance(value, str) and value else None


def _call_id(ctx: JobContext, caller: rtc.RemoteParticipant) -> str:
    """Names the phone call. Rooms may be used again under their name, but not under their ID."""
    return _attribute(caller, "sip.callID") or f"{ctx.job.room.sid or ctx.room.name}/{caller.identity}"
