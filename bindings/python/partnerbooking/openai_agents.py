"""Booking tools for agents of the OpenAI Agents SDK, with its `Runner` or its `RealtimeRunner`.

    tools = BookingTools(client, bot_id, call_id=call_id, caller_phone=number, say=speak)
    async with tools as booking:
        instructions = f"You answer the phone. {booking.prompt}"
        agent = Agent(name="Reception", instructions=instructions, tools=booking.tools)
        await Runner.run(agent, "Tomorrow after three, please.")

docs/openai-agents.md shows whole phone calls.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from ._agents import OnResult, Say, ToolCalls

try:
    from agents import FunctionTool, Tool
    from agents.realtime import RealtimeModelSendRawMessage
except ImportError as error:
    raise ImportError(
        "partnerbooking.openai_agents needs the OpenAI Agents SDK: pip install 'partnerbooking[openai-agents]'. "
        f"Its module is `agents`, so do not name a module of yours like that. ({error})"
    ) from error

if TYPE_CHECKING:
    from agents.realtime import RealtimeSession
    from agents.tool_context import ToolContext
    from typing_extensions import Self

    from .aio import AsyncClient
    from .conversation import AsyncConversation

__all__ = ["BookingTools"]


class BookingTools:
    """The tools of one phone call, for an agent that serves only this call. Leaving its
    `async with` block ends the conversation.

    `call_id` is the telephony's name of the phone call. `caller_phone` is the number that the
    caller calls from.

    While a tool is slow, `filler` is said once a turn. `say` says it, or else the model of the
    session that `attach` got. With None nothing is said. Each run of the `Runner` is a turn.
    """

    def __init__(
        self,
        client: AsyncClient,
        bot_id: str,
        *,
        call_id: str | None = None,
        caller_phone: str | None = None,
        say: Say | None = None,
        filler: str | None = "",
        look_up_caller: bool = False,
        on_result: OnResult | None = None,
    ) -> None:
        self._calls = ToolCalls(
            client,
            bot_id,
            call_id,
            caller_phone,
            filler=filler,
            look_up_caller=look_up_caller,
            on_result=on_result,
        )
        self._say = say
        self._run: object = None
        """The context of a run. All tool calls of the run share it, and no other run has it."""
        self._session: RealtimeSession | None = None
        self._turns = _Turns(self._calls)
        self._tools: list[Tool] = [self._tool(**made) for made in self._calls.definitions("openai_responses")]

    @property
    def tools(self) -> list[Tool]:
        """The tools for `Agent(tools=...)` or `RealtimeAgent(tools=...)`, with strict schemas."""
        return list(self._tools)

    @property
    def prompt(self) -> str:
        """The prompt. Append it to your own instructions for the agent."""
        return self._calls.prompt

    @property
    def conversation(self) -> AsyncConversation:
        """The library's conversation, which answers the tool calls."""
        return self._calls.conversation

    def attach(self, session: RealtimeSession) -> None:
        """Listens for the caller's turns in a realtime session. Without `say` its model says the
        filler."""
        self._detach()
        model: Any = session.model
        model.add_listener(self._turns)
        self._session = session

    def new_turn(self) -> None:
        """Starts a new turn. Call it when the caller has spoken.

        Not needed with `attach`, or when each turn is a run of the `Runner`.
        """
        self._calls.new_turn()

    def end(self) -> None:
        """Ends the conversation. Call it when the caller has hung up.

        Sends nothing, and does not wait. A sent booking goes on.
        """
        self._detach()
        self._calls.end()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def _detach(self) -> None:
        if self._session is not None:
            model: Any = self._session.model
            model.remove_listener(self._turns)
            self._session = None

    def _tool(self, name: str, description: str, parameters: dict[str, Any], strict: bool, **_: Any) -> FunctionTool:
        async def answer(context: ToolContext[Any], arguments: str) -> str:
            return await self._answer(name, arguments, context.usage)

        return FunctionTool(
            name=name,
            description=description,
            params_json_schema=parameters,
            on_invoke_tool=answer,
            strict_json_schema=strict,
        )

    async def _answer(self, name: str, arguments: str, run: object) -> str:
        # A session is one long run: `_Turns` detects its turns.
        if self._session is None and run is not self._run:
            self._run = run
            self._calls.new_turn()
        say = self._say
        if say is None and self._session is not None:
            say = self._say_by_model
        return await self._calls.answer(name, arguments, say=say)

    async def _say_by_model(self, words: str) -> None:
        if self._session is None:  # the caller has hung up
            return
        # The SDK sends it when the model is silent. Afterwards the model speaks about the tool's
        # result.
        response = {"instructions": f"Say these words and nothing else: {words}", "tools": [], "tool_choice": "none"}
        await self._session.model.send_event(
            RealtimeModelSendRawMessage({"type": "response.create", "other_data": {"response": response}})
        )


class _Turns:
    """A listener that detects the caller's turns in the events of a realtime model."""

    def __init__(self, calls: ToolCalls) -> None:
        self._calls = calls
        self._heard: set[str] = set()
        """IDs of the items that the caller has spoken."""

    async def on_event(self, event: Any) -> None:
        if event.type == "raw_server_event":
            spoke = isinstance(event.data, dict) and event.data.get("type") == "input_audio_buffer.speech_started"
        elif event.type == "item_updated" and getattr(event.item, "role", None) == "user":
            # The same item comes again with its transcript. The model may then be calling a tool
            # already.
            spoke = event.item.item_id not in self._heard
            self._heard.add(event.item.item_id)
        else:
            spoke = event.type == "audio_interrupted"
        if spoke:
            self._calls.new_turn()
