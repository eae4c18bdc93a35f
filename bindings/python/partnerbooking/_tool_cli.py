"""The command `tool`: shows the answers that a language model would get to its tool calls."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from . import _output, _table
from .aio import AsyncClient
from .conversation import ToolResult
from .keys import random_key

BOOK = "book_appointment"
ZONE = "America/New_York"
"""The zone of the sandbox when no configuration has one."""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options to the command's parser."""
    parser.add_argument("--call", metavar="ID", help="the phone call; default: a new one")
    parser.add_argument("--phone", metavar="NUMBER", help="the number that the caller calls from: +12125550123")
    parser.add_argument("--speculative", action="store_true", help="hold bookings back")
    parser.add_argument(
        "calls",
        metavar="NAME ARGUMENTS",
        nargs="+",
        help="the tool's name and its arguments as JSON; more of them are the next calls of the same conversation",
    )


def books(options: argparse.Namespace) -> bool:
    """Returns True when a tool of the command may book."""
    return options.command == "tool" and BOOK in options.calls[::2]


def with_voice(members: dict[str, Any]) -> dict[str, Any]:
    """Returns the configuration. Adds a time zone in the sandbox, because tools need it."""
    if members.get("endpoint") != "sandbox" or "voice" in members:
        return members
    sandbox = {"time_zone": ZONE, **members.get("sandbox", {})}
    zone = sandbox["time_zone"] if "/" in str(sandbox["time_zone"]) else ZONE
    return {**members, "sandbox": sandbox, "voice": {"time_zone": zone, "region": "US"}}


async def run(members: dict[str, Any], bot: str, options: argparse.Namespace) -> int:
    """Makes the calls one after another. Returns 1 when the last answer has `is_error`."""
    code = 0
    async with AsyncClient(**members) as client:
        conversation = client.conversation(options.call or random_key(), bot, options.phone)
        for number, (tool, arguments) in enumerate(zip(options.calls[::2], options.calls[1::2])):
            answer = await conversation.call(tool, arguments, speculative=options.speculative)
            if number and not options.json:
                _output.out("")
            _output.out(answer.json if options.json else _shown(answer))
            code = 1 if answer.is_error else 0
    return code


def _shown(answer: ToolResult) -> str:
    pairs = [("result", answer.result), ("text", answer.text), ("say", answer.say), ("key", answer.idempotency_key)]
    if answer.error is not None:
        pairs.append(("error", f"{answer.error.code}: {answer.error.message}"))
    return _table.pairs(pairs)


def is_paired(calls: Sequence[str]) -> bool:
    return len(calls) % 2 == 0
