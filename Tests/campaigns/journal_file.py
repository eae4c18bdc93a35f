"""The journal's format read without the library, and bookings made with it: what the campaigns judge and work with.

The reading here is written from the format alone and shares nothing with the library, or a mistake in it would pass.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests" / "python"), str(ROOT / "Tests" / "servers")]

import pbk  # noqa: E402
from samples import NOW  # noqa: E402

OK, JOURNAL_UNAVAILABLE = 0, 22

AT_ONCE = {"timeout_ms": 1000}
"""In a request: a call in doubt ends at once, because it would pause for a second before it asks again."""

MAGIC = b"pbk2 "
STRICT = re.compile(rb"pbk[12] ([0-9a-f]{16}) (.*)", re.DOTALL)
LENIENT = re.compile(rb"pbk[12] ([0-9a-fA-F]{16}) (.*)", re.DOTALL)


# ---- The format ----


@dataclass
class Contents:
    """The bodies of unsettled bookings, the replies of settled ones, and the bytes of no use: torn at the end, damaged
    with something intact after them."""

    pending: dict[str, dict[str, Any]] = field(default_factory=dict)
    settled: dict[str, bytes] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    """Of the pending ones, those that are not sent again unasked."""
    torn_bytes: int = 0
    damaged_bytes: int = 0
    intact_lines: int = 0

    @property
    def is_whole(self) -> bool:
        return self.torn_bytes + self.damaged_bytes == 0


def read_line(line: bytes, form: re.Pattern[bytes] = STRICT) -> dict[str, Any] | None:
    """The record of a line without its newline; None when the line is not what was once written."""
    match = form.fullmatch(line)
    if match is None or hashlib.sha256(match[2]).hexdigest()[:16].encode() != match[1].lower():
        return None
    record = json.loads(match[2])
    return record if isinstance(record, dict) else None


def read(data: bytes, *, lenient: bool = False) -> Contents:
    """What is in a file. `lenient` also takes for intact what may be taken so: all of a last line but its newline, and
    a checksum in capitals. One flipped bit can make no more than one such line, so one of both readings is right."""
    contents = Contents()
    form = LENIENT if lenient else STRICT
    *lines, tail = data.split(b"\n")
    if lenient and read_line(tail, form) is not None:
        lines, tail = [*lines, tail], b""
    for line in lines:
        record = read_line(line, form)
        if record is None:
            contents.torn_bytes += len(line) + 1
        else:
            contents.damaged_bytes += contents.torn_bytes
            contents.torn_bytes = 0
            contents.intact_lines += 1
            _apply(contents, record)
    contents.torn_bytes += len(tail)
    return contents


def _apply(contents: Contents, record: dict[str, Any]) -> None:
    key = record.get("key", "")
    if record["type"] in ("intent", "booked", "void"):
        contents.withdrawn.discard(key)
    match record["type"]:
        case "intent":
            contents.settled.pop(key, None)
            contents.pending[key] = json.loads(record["body"])
        case "booked":
            contents.pending.pop(key, None)
            contents.settled[key] = record["reply"].encode()
        case "void":
            contents.pending.pop(key, None)
            contents.settled.pop(key, None)
        case "withdrawn" if key in contents.pending:
            contents.withdrawn.add(key)


# ---- Bookings ----


class Answer(NamedTuple):
    """How a booking ended. `error` is empty when it was made."""

    status: int
    reply: bytes
    timing: dict[str, Any]
    error: dict[str, Any]

    @property
    def code(self) -> str | None:
        return self.error.get("code")

    @property
    def outcome(self) -> str | None:
        return self.error.get("outcome")


def sandbox_config(journal: Path | None, **members: Any) -> dict[str, Any]:
    """A client that tries once, whose sandbox loses the replies to the n-th booking attempts in `lose`, and which sends
    nothing more for a booking whose call has ended in doubt.
    """
    sandbox: dict[str, Any] = {"now": NOW}
    if lose := members.pop("lose", None):
        sandbox["faults"] = [{"fault": "lose_reply", "calls": lose}]
    if latency := members.pop("latency_ms", None):
        sandbox["latency_ms"] = latency
    return {
        "endpoint": "sandbox",
        "sandbox": sandbox,
        "keep_warm_ms": 0,
        "settle_for_ms": 0,
        "retry": {"max_attempts": 1, "budget": 0},
        "circuit_breaker": {"failures": 0},
        **({} if journal is None else {"journal_path": str(journal)}),
        **members,
    }


def book(client: pbk.Client, request: pbk.Text) -> Answer:
    """By way of the queue, because only a completion tells the timing of a success. One booking at a time."""
    return book_all(client, [request])[0]


def book_all(client: pbk.Client, requests: list[pbk.Text]) -> list[Answer]:
    """So many bookings at once. Their ends in the order of the requests."""
    tickets = [submitted(client, pbk.BOOK, request) for request in requests]
    ended = {done.ticket: done for done in (next_done(client) for _ in tickets)}
    return [answer_of(ended[ticket]) for ticket in tickets]


def submitted(client: pbk.Client, operation: int, request: pbk.Text) -> int:
    submission = client.submit(operation, request)
    assert submission.status == OK, submission
    return submission.ticket


def next_done(client: pbk.Client, timeout_ms: int = 30_000) -> pbk.Completion:
    _, completion = client.next_completion(timeout_ms)
    assert completion is not None, "a call that was accepted has no end"
    return completion


def answer_of(done: pbk.Completion) -> Answer:
    assert done.reply is not None
    error = {} if done.status == OK else json.loads(done.reply)["error"]
    return Answer(done.status, done.reply, done.timing, error)


def pending(client: pbk.Client) -> dict[str, Any]:
    """All of `pbk_pending_bookings`."""
    return _content(client.pending_bookings())


def sandbox_bookings(client: pbk.Client) -> list[dict[str, Any]]:
    return _content(client.sandbox_bookings())["bookings"]


def _content(result: pbk.Result) -> dict[str, Any]:
    assert result.status == OK, result
    return json.loads(result.reply)


def memory_folder() -> str | None:
    """Where files need no disk, or None: thousands of journals are opened, and each would wait for its writes."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
