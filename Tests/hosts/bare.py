"""The driver without a framework: the package's own conversation. The reference for those of the frameworks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import partnerbooking as pb
from partnerbooking._agents import ToolCalls
from phone_calls import Call

FILLER = "One moment, please."


class Bare:
    """A host as docs/phone-call-in-python.md describes it. Nothing else reaches the model than `answer` returns."""

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self._tasks: set[asyncio.Task[str]] = set()
        self._is_said = False
        self._conversation: pb.AsyncConversation

    async def start(self, client: pb.AsyncClient, bot_id: str, call_id: str, caller_phone: str | None) -> None:
        client.prefetch(bot_id)
        self._conversation = client.conversation(call_id, bot_id, caller_phone)

    async def turn(self, *calls: Call) -> list[str]:
        self._begin_turn()
        tasks = [self._begin(each) for each in calls]
        # A call that was cut short has no answer.
        texts = await asyncio.gather(*tasks, return_exceptions=True)
        return [each for each in texts if isinstance(each, str)]

    async def interrupted_turn(self, call: Call, when: Callable[[], Awaitable[None]]) -> None:
        self._begin_turn()
        task = self._begin(call)
        await when()
        await self._cancel(task)

    async def hang_up(self) -> None:
        for task in list(self._tasks):
            await self._cancel(task)
        self._conversation.end()

    def _begin_turn(self) -> None:
        self._is_said = False

    def _begin(self, call: Call) -> asyncio.Task[str]:
        task = asyncio.create_task(self.answer(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _cancel(self, task: asyncio.Task[str]) -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def answer(self, call: Call) -> str:
        try:
            result = await self._conversation.call(call.name, call.arguments, on_slow=self._say_filler)
        except pb.Error:
            return "The calendar cannot be reached. Say so, and offer a call back."
        return result.text

    def _say_filler(self) -> None:
        if not self._is_said:
            self._is_said = True
            self.spoken.append(FILLER)


class ByToolCalls(Bare):
    """The same through `ToolCalls`, which all adapters of frameworks use."""

    async def start(self, client: pb.AsyncClient, bot_id: str, call_id: str, caller_phone: str | None) -> None:
        self._calls = ToolCalls(client, bot_id, call_id, caller_phone)
        self._conversation = self._calls.conversation

    async def answer(self, call: Call) -> str:
        return await self._calls.answer(call.name, call.arguments, say=self.spoken.append)

    def _begin_turn(self) -> None:
        self._calls.new_turn()
