"""A realtime model on loopback, for the SDK's own WebSocket client. It calls the tools that a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

SAY = "Say these words and nothing else: "

RESPONSE_SECONDS = 0.05
"""How long the model speaks."""


class RealtimeServer:
    """Has one session. Like the real one it makes one response at a time, and refuses a second one."""

    def __init__(self) -> None:
        self.tools: list[dict[str, Any]] = []
        """The tools of the session."""
        self.log: list[str] = []
        """The tool results that came, and what the responses were about, one after another."""
        self.refused: list[str] = []
        """Responses that were asked for while there was one."""
        self.results: dict[str, str] = {}
        """Of the tool calls, by their IDs."""
        self._came = asyncio.Event()
        self._ready = asyncio.Event()
        self._has_ended = False
        self._server: Server | None = None
        self._connection: ServerConnection | None = None
        self._response: str | None = None
        self._speaking: asyncio.Task[None] | None = None
        self._number = 0

    async def open(self) -> str:
        """Returns the URL."""
        self._server = await serve(self._serve, "127.0.0.1", 0)
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"

    async def close(self) -> None:
        assert self._server is not None
        self._has_ended = True
        self._came.set()
        self._server.close()
        await self._server.wait_closed()

    async def call_tools(self, *calls: tuple[str, str]) -> list[str]:
        """Makes a response that calls tools. Returns the IDs of the calls."""
        await self._quiet()
        await self._begin()
        made = []
        for name, arguments in calls:
            made.append(self._next("call"))
            item = {"id": self._next("item"), "type": "function_call", "status": "completed", "call_id": made[-1]}
            item.update(name=name, arguments=arguments)
            await self._send("response.output_item.done", response_id=self._response, output_index=0, item=item)
        await self._end()
        return made

    async def hear(self) -> str:
        """The caller speaks. Returns the ID of what was said."""
        item_id = self._next("item")
        await self._send("input_audio_buffer.speech_started", audio_start_ms=0, item_id=item_id)
        await self._send("conversation.item.created", previous_item_id="", item=_words(item_id, None))
        return item_id

    async def understand(self, item_id: str) -> None:
        """The words of what the caller said come later."""
        await self._send("conversation.item.retrieved", item=_words(item_id, "Hello"))

    async def results_of(self, calls: list[str]) -> list[str]:
        """Waits for the results of tool calls. Fewer come when the session ends."""
        while any(call not in self.results for call in calls) and not self._has_ended:
            self._came.clear()
            await self._came.wait()
        return [self.results[call] for call in calls if call in self.results]

    async def _serve(self, connection: ServerConnection) -> None:
        self._connection = connection
        async for message in connection:
            event = json.loads(message)
            if event["type"] == "session.update":
                self.tools = event["session"].get("tools", self.tools)
                self._ready.set()
            elif event["type"] == "response.create":
                self._asked(event.get("response", {}))
            elif event["type"] == "conversation.item.create" and event["item"]["type"] == "function_call_output":
                self.results[event["item"]["call_id"]] = event["item"]["output"]
                self.log.append(f"result: {event['item']['output']}")
                self._came.set()

    @property
    def said(self) -> list[str]:
        """The words that the model was asked to say."""
        return [line.partition(SAY)[2] for line in self.log if SAY in line]

    def _asked(self, response: dict[str, Any]) -> None:
        about = response.get("instructions", "the conversation")
        if self._speaking is not None and not self._speaking.done():
            self.refused.append(about)
            return
        self.log.append(f"response: {about}")
        self._speaking = asyncio.create_task(self._speak())

    async def _speak(self) -> None:
        await self._begin()
        await asyncio.sleep(RESPONSE_SECONDS)
        await self._end()

    async def _quiet(self) -> None:
        if self._speaking is not None:
            await self._speaking

    async def _begin(self) -> None:
        self._response = self._next("response")
        await self._send("response.created", response={"id": self._response, "object": "realtime.response"})

    async def _end(self) -> None:
        done = {"id": self._response, "object": "realtime.response", "status": "completed"}
        await self._send("response.done", response=done)

    async def _send(self, kind: str, **members: Any) -> None:
        await self._ready.wait()
        assert self._connection is not None
        with contextlib.suppress(ConnectionClosed):  # the caller has hung up
            await self._connection.send(json.dumps({"type": kind, "event_id": self._next("event"), **members}))

    def _next(self, kind: str) -> str:
        self._number += 1
        return f"{kind}-{self._number}"


def _words(item_id: str, transcript: str | None) -> dict[str, Any]:
    content = [{"type": "input_audio", "transcript": transcript}]
    return {"id": item_id, "type": "message", "role": "user", "status": "completed", "content": content}
