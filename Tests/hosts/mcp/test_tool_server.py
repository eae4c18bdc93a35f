"""The tool server of the package with a host that calls a URL for each step of the model, as Vapi does. It needs the
standard library only, and is here because it starts a process as an MCP client does.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from phone_calls import Call
from random_runs import check_random_runs
from scenarios import SCENARIOS, check

SECRET = "a-secret-of-the-tests"


class Vapi:
    """A process of the server for a phone call, and the messages that Vapi sends to it."""

    speaks = False
    """Vapi says its own words while a call is slow."""

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.config: dict[str, Any] = {}
        self._folder = ExitStack()
        self._call: dict[str, Any] = {}
        self._count = 0
        self._port = 0
        self._process: asyncio.subprocess.Process
        self._log: asyncio.Task[None]

    async def start(self, client: object, bot_id: str, call_id: str, caller_phone: str | None) -> None:
        folder = Path(self._folder.enter_context(tempfile.TemporaryDirectory()))
        (folder / "config.json").write_text(json.dumps(self.config))
        options = ["--config", str(folder / "config.json"), "--bot", bot_id, "--secret-env", "SECRET", "--port", "0"]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "partnerbooking", "serve", *options),
            env={**os.environ, "SECRET": SECRET},
            stderr=asyncio.subprocess.PIPE,
        )
        assert self._process.stderr is not None
        line = await self._process.stderr.readline()
        self._port = int(line.decode().strip().rpartition(":")[2])
        self._log = asyncio.ensure_future(self._read_log())
        self._call = {"id": call_id, "type": "inboundPhoneCall", "customer": {"number": caller_phone}}
        assert await self._post({"type": "status-update", "status": "in-progress"}) == {}

    async def turn(self, *calls: Call) -> list[str]:
        listed = []
        for call in calls:
            self._count += 1
            listed.append({"id": f"toolu_{self._count}", "name": call.name, "arguments": call.arguments})
        results = (await self._post({"type": "tool-calls", "toolCallList": listed}))["results"]
        assert [result["toolCallId"] for result in results] == [call["id"] for call in listed]
        return [result["result"] for result in results]

    async def interrupted_turn(self, call: Call, when: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(self.turn(call))
        await when()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def hang_up(self) -> None:
        await self._post({"type": "end-of-call-report", "endedReason": "customer-ended-call"})
        self._process.terminate()
        assert await self._process.wait() == 0
        await self._log
        self._folder.close()

    async def _post(self, message: dict[str, Any]) -> Any:
        body = json.dumps({"message": {**message, "call": self._call}}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            head = f"POST /vapi HTTP/1.1\r\nHost: tools.example.com\r\nAuthorization: Bearer {SECRET}\r\n"
            head += f"Content-Type: application/json\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            response = await reader.read()
        finally:
            writer.close()
        first, _, rest = response.partition(b"\r\n")
        assert first == b"HTTP/1.1 200 OK", response
        return json.loads(rest.split(b"\r\n\r\n", 1)[1])

    async def _read_log(self) -> None:
        assert self._process.stderr is not None
        async for line in self._process.stderr:
            assert b"Traceback" not in line and b"12125550123" not in line, line


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_scenario(scenario, server):
    check(scenario, Vapi, server)


def test_random_interruptions(server):
    check_random_runs(Vapi, server)
