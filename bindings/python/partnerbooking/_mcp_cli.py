"""The command `mcp`: a server of the Model Context Protocol over standard input and output."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from typing import Any

from . import _messages, _output
from ._calls import Calls, is_call_id, tell_open, tell_settled
from ._mcp import Server
from ._stdio import Lines
from .aio import AsyncClient
from .keys import random_key

_LONGEST_LINE = 1_048_576
_MOST_UNREAD = 1_048_576
"""The most bytes of answers that a client may leave unread. With more the server stops reading."""
_GRACE = 1.0
"""Seconds for calls in flight after a signal. Clients kill a server two seconds after it."""
_CLOSING_MS = 500
_LAST_ANSWERS = 45.0
"""Seconds for calls in flight at the end of input. A booking takes at most 35."""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options to the command's parser."""
    call = parser.add_mutually_exclusive_group()
    call.add_argument("--call", metavar="ID", type=_call, help="the phone call of this process; default: a new one")
    call.add_argument("--many-calls", action="store_true", help="each request names its call in _meta")
    parser.add_argument("--phone", metavar="NUMBER", help="the number that the caller calls from: +12125550123")
    parser.add_argument("--look-up-caller", action="store_true", help="with the tool look_up_caller")
    parser.add_argument("--progress-ms", metavar="MS", type=int, default=5000, help="between reports; default: 5000")


def _call(text: str) -> str:
    if not is_call_id(text):
        raise argparse.ArgumentTypeError(_messages.CALL_ID)
    return text


async def run(members: dict[str, Any], bot: str, options: argparse.Namespace) -> int:
    """Serves until the end of input or a signal. Returns the exit code."""
    _output.take_logs()
    client: AsyncClient = AsyncClient(on_settled=lambda settled: tell_settled(client, settled), **members)
    async with client:
        client.prefetch(bot)  # raises when the configuration is wrong
        tools = client.tools("mcp", bot, look_up_caller=options.look_up_caller)
        try:
            lines = Lines(*_own_descriptors(), _LONGEST_LINE)
        except OSError as error:
            _log(_messages.streams_closed(error.strerror))
            return 2
        server = Server(
            Calls(client, bot, look_up_caller=options.look_up_caller),
            tools,
            lines.write,
            _log,
            call_id=None if options.many_calls else options.call or random_key(),
            caller_phone=options.phone,
            progress_ms=max(options.progress_ms, 100),
        )
        await _serve(server, lines)
        tell_open(client)
        await client.close(_CLOSING_MS)
    return 0


async def _serve(server: Server, lines: Lines) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stopped.set)

    async def talk() -> None:
        async for line in lines.read():
            server.receive(line)
            await lines.written(but=_MOST_UNREAD)
            if lines.is_broken:
                return
        await asyncio.wait([asyncio.ensure_future(server.idle())], timeout=_LAST_ANSWERS)

    talking, stopping = asyncio.ensure_future(talk()), asyncio.ensure_future(stopped.wait())
    await asyncio.wait([talking, stopping], return_when=asyncio.FIRST_COMPLETED)
    for task in (talking, stopping):
        task.cancel()
    await asyncio.wait([asyncio.ensure_future(server.idle())], timeout=_GRACE)
    server.stop()
    if talking.done() and not talking.cancelled() and (error := talking.exception()):
        _output.log(f"partnerbooking mcp: {_messages.server_failed(type(error).__name__)}")
    await asyncio.wait([asyncio.ensure_future(lines.written())], timeout=_CLOSING_MS / 1000)


def _own_descriptors() -> tuple[int, int]:
    """Returns copies of standard input and output, for the protocol alone. All other output of the
    process goes to the log."""
    own = os.dup(0), os.dup(1)
    for descriptor in own:
        os.set_blocking(descriptor, True)  # threads of this server block on them
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return own


def _log(text: str) -> None:
    _output.log(f"partnerbooking mcp: {text}")
