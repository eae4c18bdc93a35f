"""The command `pending`: lists the open bookings of a fleet from its ledger. Opens no client."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping
from typing import Any

from . import _messages, _output, _table, ledgers
from ._handle import Servers
from ._ledger import described, reason

_MOST = 10_000
_SECONDS = 10.0

_SHOWN = (
    *("key", "state", "outcome", "withdrawn", "bot_id", "start_at", "duration_minutes", "conversation"),
    *("account_id", "recorded_at", "owner", "lease_ms"),
)
"""The members of a row that `--json` prints. Requests and replies are left out, because they name
the customer."""


def add(commands: Any) -> None:
    """Adds the command to a parser."""
    parser = commands.add_parser(
        "pending",
        help="lists the open bookings of a fleet, from its ledger",
        description="lists the open bookings of a fleet, from its ledger",
    )
    parser.add_argument(
        "--ledger", metavar="URL", default=os.environ.get("PARTNER_LEDGER"), help="postgres://... or redis://..."
    )
    parser.add_argument("--scope", metavar="S", help="ledger_scope of the clients; default: the service")
    parser.add_argument("--config", metavar="FILE", help="the clients' configuration, which names the service")
    parser.add_argument("--bot", metavar="ID", help="only the bookings of this bot")
    parser.add_argument("--json", action="store_true", help="print the rows")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    if not options.ledger:
        _output.err(f"partnerbooking: {_messages.NO_LEDGER}")
        return 2
    try:
        scope = options.scope or _scope(_read(options.config))
        ledger = ledgers.from_url(options.ledger, migrate=False, timeout=_SECONDS)
    except Exception as error:  # also a driver's error about the URL, which may have a password
        _output.err(f"partnerbooking: {reason(error)}")
        return 2
    asked: dict[str, Any] = {"op": "pending", "id": "1", "scope": scope, "limit": _MOST}
    if options.bot:
        asked["bot_id"] = options.bot
    try:
        [found] = ledger.execute([asked])
        if found["result"] != "rows":
            raise ValueError(found.get("message", found["result"]))
        rows = found["rows"]
        ledger.close()
    except Exception as error:
        _output.err(f"partnerbooking: {_messages.ledger_failed(described(error))}")
        return 1
    if options.json:
        shown = [{name: row[name] for name in _SHOWN if row.get(name) is not None} for row in rows]
        _output.out(json.dumps({"scope": scope, "rows": shown}, ensure_ascii=False))
    else:
        _output.out(_rows(rows, time.time() * 1000))
    if len(rows) == _MOST:
        _output.err(f"partnerbooking: {_messages.oldest_only(_MOST)}")
    return 0


def _read(file: str | None) -> dict[str, Any]:
    if file is None:
        return {}
    with open(file, encoding="utf-8") as opened:
        members = json.load(opened)
    if not isinstance(members, dict):
        raise ValueError(_messages.not_an_object(file))
    return members


def _scope(members: Any) -> str:
    """Returns the clients' scope: `ledger_scope`, or the library's default for the service."""
    if "ledger_scope" in members:
        return str(members["ledger_scope"])
    servers = Servers({**members, **({"base_url": url} if (url := os.environ.get("PARTNER_API_URL")) else {})})
    if servers.endpoint != "partner_api":
        return str(servers.endpoint)
    base = servers.base_url[:-1] if servers.base_url.endswith("/") else servers.base_url
    return f"{base}{servers.paths['create_booking']}"


def _rows(rows: list[dict[str, Any]], now: float) -> str:
    if not rows:
        return _messages.NOTHING_OPEN
    lines = [("key", "state", "bot", "start", "age", "held by")]
    for row in rows:
        bot, start = row.get("bot_id") or "", row.get("start_at") or ""
        lines.append((row["key"], _state(row), bot, start, _duration(now - row["recorded_at"]), _holder(row)))
    return _table.rows(lines)


def _state(row: Mapping[str, Any]) -> str:
    if row["state"] != "open":
        return _messages.not_heard(row["state"])
    return _messages.OPEN_WITHDRAWN if row.get("withdrawn") else "open"


def _holder(row: Mapping[str, Any]) -> str:
    lease = row.get("lease_ms")
    if row["state"] != "open" or lease is None:
        return ""
    if lease <= 0:
        return _messages.held_by_nobody(_duration(-lease), row["owner"])
    return _messages.held_by(row["owner"], _duration(lease))


def _duration(milliseconds: float) -> str:
    """Returns a text in the largest unit that fits and the next smaller unit, such as 2 h 5 min."""
    seconds = max(0, int(milliseconds / 1000))
    for unit, length, smaller, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if seconds >= length:
            rest = seconds % length // part
            return f"{seconds // length} {unit} {rest} {smaller}" if rest else f"{seconds // length} {unit}"
    return f"{seconds} s"
