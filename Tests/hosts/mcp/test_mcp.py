"""The MCP server of the package with the client of PyPI's `mcp`, in both eras of the protocol.

The client is that of an agent framework: it starts the server as a process, reads the list of tools, checks each
result against its schema, and cancels a call with a notification.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError, StdioServerParameters
from phone_calls import BOOK, FIND, Call
from random_runs import check_random_runs
from scenarios import SCENARIOS, check

MODERN, LEGACY = "2026-07-28", "2025-11-25"
CALL_ID, CALLER_PHONE = "partnerbooking/call_id", "partnerbooking/caller_phone"
ZONE = "America/New_York"
SANDBOX = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T08:00:00Z", "time_zone": ZONE},
    "voice": {"time_zone": ZONE, "region": "US"},
}


def server_of(config: dict[str, Any], folder: Path, *options: str, bot_id: str = "bot_1") -> StdioServerParameters:
    file = folder / "config.json"
    file.write_text(json.dumps(config))
    arguments = ["-m", "partnerbooking", "mcp", "--config", str(file), "--bot", bot_id, *options]
    return StdioServerParameters(command=sys.executable, args=arguments, env=dict(os.environ))


class Host:
    """A process of the server for a phone call."""

    mode: str
    version: str

    def __init__(self) -> None:
        self.spoken: list[str] = []
        self.config: dict[str, Any] = {}
        self._open = AsyncExitStack()
        self._client: Client

    async def start(self, client: object, bot_id: str, call_id: str, caller_phone: str | None) -> None:
        folder = Path(self._open.enter_context(tempfile.TemporaryDirectory()))
        options = ["--call", call_id, *(["--phone", caller_phone] if caller_phone else [])]
        parameters = server_of(self.config, folder, *options, bot_id=bot_id)
        self._client = await self._open.enter_async_context(Client(parameters, mode=self.mode))
        assert self._client.protocol_version == self.version
        listed = await self._client.list_tools()
        assert [tool.name for tool in listed.tools] == [FIND, BOOK]

    async def turn(self, *calls: Call) -> list[str]:
        return list(await asyncio.gather(*(self._answer(call) for call in calls)))

    async def interrupted_turn(self, call: Call, when: Callable[[], Awaitable[None]]) -> None:
        task = asyncio.ensure_future(self._answer(call))
        await when()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    async def hang_up(self) -> None:
        await self._open.aclose()

    async def _answer(self, call: Call) -> str:
        # The client takes objects only: a host that parses the model's text itself hands over what
        # it could read.
        arguments = call.arguments
        if isinstance(arguments, str):
            with suppress(ValueError):
                arguments = json.loads(arguments)
        given = arguments if isinstance(arguments, dict) else {}
        result = await self._client.call_tool(call.name, given, progress_callback=self._progress)
        [content] = result.content
        assert result.structured_content is not None and result.structured_content["text"] == content.text
        return content.text

    async def _progress(self, progress: float, total: float | None, message: str | None) -> None:
        if message is not None:
            self.spoken.append(message)


class Handshake(Host):
    mode, version = "legacy", LEGACY


class Stateless(Host):
    mode, version = "auto", MODERN


ERAS = pytest.mark.parametrize("driver", [Handshake, Stateless])


@ERAS
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_scenario(scenario, driver, server):
    check(scenario, driver, server)


@ERAS
def test_random_interruptions(driver, server):
    check_random_runs(driver, server)


@pytest.mark.parametrize("mode", ["legacy", "auto", MODERN])
def test_client_reads_what_the_server_is(mode, tmp_path):
    async def main() -> None:
        async with Client(server_of(SANDBOX, tmp_path), mode=mode) as client:
            assert client.protocol_version == (LEGACY if mode == "legacy" else MODERN)
            if mode != MODERN:  # pinned, it asks nothing before the first request
                assert client.instructions is not None and client.instructions.startswith("You book appointments")
                assert client.server_capabilities.tools is not None and client.server_capabilities.prompts is None
            find, book = (await client.list_tools()).tools
            assert find.annotations is not None and find.annotations.read_only_hint
            assert book.annotations is not None and not book.annotations.destructive_hint
            assert book.annotations.idempotent_hint and book.title == "Book an appointment"
            offered = await client.call_tool(FIND, {"when": "tomorrow"})
            assert not offered.is_error and offered.structured_content["result"] == "offered"
            assert offered.meta["partnerbooking/slots"][0]["start_at"].endswith("-05:00")
            wrong = await client.call_tool(BOOK, {"slot": "sat01-0000x"})
            assert wrong.is_error and wrong.structured_content["result"] == "not_offered"
            with pytest.raises(MCPError) as refused:
                await client.call_tool("dance", {})
            assert refused.value.code == -32602

    asyncio.run(main())


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_one_process_serves_many_calls_that_the_host_names(mode, tmp_path):
    async def main() -> None:
        config = {**SANDBOX, "sandbox": {**SANDBOX["sandbox"], "latency_ms": 20}}
        async with Client(server_of(config, tmp_path, "--many-calls"), mode=mode) as client:
            with pytest.raises(MCPError, match=CALL_ID):
                await client.call_tool(FIND, {"when": "tomorrow"})

            async def call(number: int) -> str:
                meta = {CALL_ID: f"call-{number}", CALLER_PHONE: f"+1212555{number:04}"}
                await client.call_tool(FIND, {"when": "tomorrow", "time": "at three"}, meta=meta)
                wish = {"slot": "tue15-1500h", "name": "Ann Smith", "caller_confirmed": True}
                booked = await client.call_tool(BOOK, wish, meta=meta)
                again = await client.call_tool(BOOK, wish, meta=meta)
                return f"{booked.structured_content['result']}, {again.structured_content['result']}"

            results = await asyncio.gather(*(call(number) for number in range(20)))
            assert sorted(set(results)) == ["booked, already", "slot_gone, slot_gone"], results
            assert results.count("booked, already") == 1

    asyncio.run(main())


def test_server_ends_with_its_client(tmp_path):
    """Before the client has to kill it."""

    async def main() -> None:
        async with Client(server_of(SANDBOX, tmp_path), mode="auto") as client:
            await client.call_tool(FIND, {"when": "tomorrow"})
            assert "partnerbooking mcp" in processes()
        assert str(tmp_path) not in processes()

    def processes() -> str:
        return subprocess.run(["ps", "-eww", "-o", "args"], capture_output=True, text=True, check=True).stdout

    asyncio.run(main())


def test_program_of_the_page():
    """docs/mcp.md is a folder up from the tests, wherever the package is installed."""
    page = (Path(__file__).parents[3] / "docs" / "mcp.md").read_text()
    [program] = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    # The client hands the server few variables of the environment, and these tests may need them.
    program = program.replace('"--sandbox"])', '"--sandbox"], env=dict(__import__("os").environ))')
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("You book appointments") and "Offer these times" in done.stdout
