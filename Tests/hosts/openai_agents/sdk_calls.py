"""Phone calls in the OpenAI Agents SDK: by its `Runner` with a scripted model, and by its realtime session."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from agents import Agent, Model, ModelResponse, RunConfig, Runner, SQLiteSession, Usage
from agents.realtime import RealtimeAgent, RealtimeRunner, RealtimeSession
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from partnerbooking import AsyncClient
from partnerbooking.openai_agents import BookingTools
from realtime_server import RealtimeServer

QUIET = RunConfig(tracing_disabled=True)


def text(arguments: Mapping[str, Any] | str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


class ScriptedModel(Model):
    """Calls the tools that a test wants, and has a word for the caller when it has read their results."""

    def __init__(self) -> None:
        self.results: dict[str, str] = {}
        """What it read last as results, by the IDs of the calls."""
        self._wanted: list[Any] = []
        self._numbers = itertools.count(1)

    def want(self, *calls: Any) -> list[str]:
        """Has it call these tools in its next response. Returns the IDs of the calls."""
        names = [f"tool-{next(self._numbers)}" for _ in calls]
        self._wanted = [
            ResponseFunctionToolCall(type="function_call", call_id=name, name=call.name, arguments=text(call.arguments))
            for name, call in zip(names, calls)
        ]
        return names

    async def get_response(self, system_instructions: Any, input: Any, *others: Any, **options: Any) -> ModelResponse:
        self.results = {item["call_id"]: item["output"] for item in input if item.get("type") == "function_call_output"}
        output, self._wanted = self._wanted, []
        if not output:
            words = ResponseOutputText(type="output_text", text="Well.", annotations=[])
            output = [
                ResponseOutputMessage(id="1", type="message", role="assistant", status="completed", content=[words])
            ]
        return ModelResponse(output=output, usage=Usage(), response_id=None)

    def stream_response(self, *others: Any, **options: Any) -> Any:
        raise NotImplementedError


class TextCall:
    """Each turn is a run. Who interrupts cancels its task."""

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.model = ScriptedModel()
        self._turn: asyncio.Task[Any] | None = None

    async def start(
        self, client: AsyncClient, bot_id: str, call_id: str, caller_phone: str | None, **options: Any
    ) -> None:
        options = {"say": self.spoken.append, **options}
        self.booking = BookingTools(client, bot_id, call_id=call_id, caller_phone=caller_phone, **options)
        self.session = SQLiteSession(call_id)
        self.agent = Agent(
            name="Reception", instructions=self.booking.prompt, tools=self.booking.tools, model=self.model
        )

    async def turn(self, *calls: Any, run_config: RunConfig = QUIET) -> list[str]:
        names = self.model.want(*calls)
        self._turn = asyncio.create_task(self._run(run_config))
        await self._turn
        return [self.model.results[name] for name in names]

    async def interrupted_turn(self, call: Any, when: Callable[[], Awaitable[None]]) -> None:
        self.model.want(call)
        self._turn = asyncio.create_task(self._run(QUIET))
        await when()
        self._turn.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._turn

    async def hang_up(self) -> None:
        if self._turn is not None:
            self._turn.cancel()
            await asyncio.wait([self._turn])
        self.booking.end()

    async def _run(self, run_config: RunConfig) -> None:
        await Runner.run(self.agent, "The caller's words.", session=self.session, run_config=run_config)


class RealtimeCall:
    """The SDK runs tools beside the conversation. A caller who speaks does not end them."""

    def __init__(self) -> None:
        self.server = RealtimeServer()
        self.events: list[Any] = []
        self._returned: set[str] = set()

    @property
    def spoken(self) -> list[str]:
        return self.server.said

    @property
    def also_read(self) -> list[str]:
        """The results of calls that the caller spoke into: the model reads them after the caller's words."""
        return [result for call, result in self.server.results.items() if call not in self._returned]

    async def start(
        self, client: AsyncClient, bot_id: str, call_id: str, caller_phone: str | None, **options: Any
    ) -> None:
        url = await self.server.open()
        self.booking = BookingTools(client, bot_id, call_id=call_id, caller_phone=caller_phone, **options)
        agent = RealtimeAgent(name="Reception", instructions=self.booking.prompt, tools=self.booking.tools)
        runner = RealtimeRunner(agent, config={"tracing_disabled": True})
        self.session: RealtimeSession = await runner.run(model_config={"url": url, "api_key": "none"})
        await self.session.enter()
        self.booking.attach(self.session)
        self._listening = asyncio.create_task(self._listen())

    async def turn(self, *calls: Any) -> list[str]:
        await self.server.hear()
        made = await self.server.call_tools(*((call.name, text(call.arguments)) for call in calls))
        self._returned.update(made)
        return await self.server.results_of(made)

    async def interrupted_turn(self, call: Any, when: Callable[[], Awaitable[None]]) -> None:
        await self.server.hear()
        await self.server.call_tools((call.name, text(call.arguments)))
        await when()
        await self.server.hear()

    async def hang_up(self) -> None:
        await self.session.close()
        await self._listening
        self.booking.end()
        await self.server.close()

    async def _listen(self) -> None:
        async for event in self.session:
            self.events.append(event)
