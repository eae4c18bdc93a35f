"""Reads the journal's format without the library, and makes bookings for the campaigns.

The reader is written from docs/journal.md alone. It shares no code with the library, and so none of its mistakes.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests" / "python"), str(ROOT / "Tests" / "servers")]

import pbk  # noqa: E402
from header import STATUS  # noqa: E402
from samples import NOW  # noqa: E402

OK, NOT_RECORDED, JOURNAL_UNAVAILABLE = (STATUS[name] for name in ("OK", "NOT_RECORDED", "JOURNAL_UNAVAILABLE"))

AT_ONCE = {"timeout_ms": 1000}
"""In a request: a call in doubt ends at once, because it would pause for a second before it asks again."""

MAGIC = b"pbk2 "
STRICT = re.compile(rb"pbk([12]) ([0-9a-f]{16}) (.*)", re.DOTALL)
LENIENT = re.compile(rb"pbk([12]) ([0-9a-fA-F]{16}) (.*)", re.DOTALL)

IN_DOUBT, BOOKED, REFUSED = "in_doubt", "booked", "refused"
"""The states of a key in a file, as `pbk_pending_bookings` names them."""


# ---- Lines ----


def read_line(line: bytes, form: re.Pattern[bytes] = STRICT) -> dict[str, Any] | None:
    """Returns the record of a line without its newline, or None when the line is damaged.

    Adds a member `pbk`: the version of the line, 1 or 2.
    """
    match = form.fullmatch(line)
    if match is None or checksum(match[3]) != match[2].lower():
        return None
    record = json.loads(match[3])
    return {**record, "pbk": int(match[1])} if isinstance(record, dict) else None


def write_line(record: dict[str, Any], version: int = 2) -> bytes:
    """Returns the line of a record, with its newline. Leaves out the member `pbk` of `read_line`."""
    members = {name: value for name, value in record.items() if name != "pbk"}
    text = json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()
    return b"pbk%d %s %s\n" % (version, checksum(text), text)


def checksum(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:16].encode()


# ---- Files ----


class Summary(NamedTuple):
    """What the list of pending bookings shows of a request."""

    bot_id: str
    start_at: str
    duration_minutes: int


@dataclass
class Entry:
    """What a file contains under one key."""

    state: str
    recorded_at: int
    """The `at` of the intent, in milliseconds since 1970."""
    clock: int | None
    """On the journal's clock, in microseconds: the intent, or the end. None: the line is of version 1."""
    summary: Summary | None
    """None: an end of version 1."""
    conversation: str | None = None
    body: dict[str, Any] | None = None
    """The request, while the booking is in doubt."""
    reply: bytes | None = None
    """Of a booking that was made."""
    outcome: str | None = None
    """Of a booking that was not made: `not_sent` or `rejected`."""
    is_heard: bool = False
    """The host knows of the end."""
    is_withdrawn: bool = False
    """It is in doubt, and `resume_on_open` leaves it alone."""

    @property
    def is_listed(self) -> bool:
        """Whether `pbk_pending_bookings` lists it when the file is opened."""
        return self.state == IN_DOUBT or not self.is_heard


@dataclass
class Contents:
    """A file's entries, and its useless bytes: torn ones at the end, and damaged ones before intact lines."""

    entries: dict[str, Entry] = field(default_factory=dict)
    """By key. A key that is not here is free, and nothing is known of it."""
    torn_bytes: int = 0
    damaged_bytes: int = 0
    intact_lines: int = 0
    clock: JournalClock | None = None
    """The last known state of the journal's clock; None without an intact `journal` line of version 2."""

    @property
    def is_whole(self) -> bool:
        return self.torn_bytes + self.damaged_bytes == 0

    def of(self, state: str) -> dict[str, Entry]:
        return {key: entry for key, entry in self.entries.items() if entry.state == state}

    @property
    def pending(self) -> dict[str, dict[str, Any]]:
        """The bodies of the bookings in doubt."""
        return {key: entry.body or {} for key, entry in self.of(IN_DOUBT).items()}

    @property
    def settled(self) -> dict[str, bytes]:
        """The replies that are replayed."""
        return {key: entry.reply or b"" for key, entry in self.of(BOOKED).items()}

    @property
    def refused(self) -> set[str]:
        """The keys that are free, with an end that nobody has heard."""
        return set(self.of(REFUSED))

    @property
    def withdrawn(self) -> set[str]:
        """The bookings in doubt that are not sent again unasked."""
        return {key for key, entry in self.entries.items() if entry.is_withdrawn}

    @property
    def listed(self) -> dict[str, str]:
        """What `pbk_pending_bookings` must list after the opening: the state of each key."""
        return {key: entry.state for key, entry in self.entries.items() if entry.is_listed}

    def expired(self, retention_minutes: int, clock: int) -> set[str]:
        """Returns the keys that are forgotten when the journal's clock shows `clock`. A doubt is never forgotten."""
        limit = clock - retention_minutes * 60_000_000
        ends = {key: entry for key, entry in self.entries.items() if entry.state != IN_DOUBT}
        return {key for key, entry in ends.items() if entry.clock is not None and entry.clock <= limit}


def read(data: bytes, *, lenient: bool = False) -> Contents:
    """Returns what is in a file.

    `lenient` also accepts a last line without its newline, and a checksum in capitals. One flipped bit can make one
    such line at most, so one of the two readings is right.
    """
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


def records(data: bytes) -> Iterator[dict[str, Any]]:
    """Yields the records of the intact lines."""
    for line in data.split(b"\n")[:-1]:
        record = read_line(line)
        if record is not None:
            yield record


def _apply(contents: Contents, record: dict[str, Any]) -> None:
    key = record.get("key", "")
    entry = contents.entries.get(key)
    if contents.clock is not None and "clock" in record:
        contents.clock = contents.clock.advanced(record)
    match record["type"]:
        case "journal" if record["pbk"] == 2:
            contents.clock = JournalClock(record["clock"], record["at"], record["boot"], record["up"])
        case "intent":
            _put(contents, key, _intent(record))
        case "booked":
            _put(contents, key, _end(record, BOOKED))
        case "void":
            _put(contents, key, _end(record, REFUSED))
        case "given_up":
            contents.entries.pop(key, None)
        case "withdrawn" if entry is not None and entry.state == IN_DOUBT:
            entry.is_withdrawn = True
        case "heard" if entry is not None and entry.state != IN_DOUBT and entry.clock == record["end"]:
            entry.is_heard = True
            if entry.state == REFUSED:
                del contents.entries[key]


def _put(contents: Contents, key: str, entry: Entry) -> None:
    """Entries stand in the order of their last intent or end. A refusal that was heard leaves nothing."""
    contents.entries.pop(key, None)
    if entry.state != REFUSED or not entry.is_heard:
        contents.entries[key] = entry


def _intent(record: dict[str, Any]) -> Entry:
    body = json.loads(record["body"])
    booking = body["booking"]
    summary = Summary(body["bot_id"], booking["start_at"], booking["duration_minutes"])
    conversation = record.get("conversation")
    recorded_at = record.get("recorded_at", record["at"])
    return Entry(IN_DOUBT, recorded_at, record.get("clock"), summary, conversation, body=body)


def _end(record: dict[str, Any], state: str) -> Entry:
    """An end of version 1 counts as heard. Written again in version 2, it still has no summary."""
    summary = Summary(*(record[name] for name in Summary._fields)) if "bot_id" in record else None
    return Entry(
        state,
        record.get("recorded_at", record["at"]),
        record.get("clock"),
        summary,
        record.get("conversation"),
        reply=record["reply"].encode() if state == BOOKED else None,
        outcome=record.get("outcome"),
        is_heard=summary is None,
    )


# ---- The journal's clock ----


class JournalClock(NamedTuple):
    """The journal's clock, and the system's clocks at the same moment."""

    clock: int
    """In microseconds."""
    at: int
    """In milliseconds since 1970."""
    boot: str | None
    """Names the boot of the machine."""
    up: int
    """In milliseconds since that boot."""

    def advanced(self, record: dict[str, Any]) -> JournalClock:
        """Returns the state at a record of the same client. After a rewriting, older records follow the first line."""
        passed = record["clock"] - self.clock
        return self if passed < 0 else JournalClock(record["clock"], record["at"], self.boot, self.up + passed // 1000)

    def when_opened(self, at: int, boot: str | None, up: int) -> int:
        """Returns what the clock shows when a client opens the file at that moment."""
        passed = up - self.up
        if boot is None or boot != self.boot:
            passed = min(at - self.at, passed if passed >= 0 else up)
        return self.clock + 1000 * max(0, passed)


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def up_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


# ---- Fingerprints of version 1 ----


def fingerprint_of_version_1(body: str) -> str:
    """Returns the fingerprint that version 1 wrote for a request: a hash that spelling does not change."""
    text = json.loads(body, parse_int=Decimal, parse_float=Decimal, object_pairs_hook=lambda pairs: _Members(pairs))
    return hashlib.sha256("".join(_fed(text)).encode()).hexdigest()


class _Members(list):
    """The members of a JSON object, to tell it from an array."""


def _fed(value: Any) -> Iterator[str]:
    """Yields what is hashed: each value begins with its kind, and each text with its length in bytes."""
    match value:
        case _Members():
            yield f"o{len(value)}:"
            for name, member in sorted(value, key=lambda pair: pair[0].encode()):
                yield from _fed(name)
                yield from _fed(member)
        case list():
            yield f"a{len(value)}:"
            for element in value:
                yield from _fed(element)
        case str():
            yield f"s{len(value.encode())}:{value}"
        case Decimal():
            yield f"n{_number(value)}:"
        case None:
            yield "z"
        case _:
            yield "t" if value else "f"


def _number(value: Decimal) -> str:
    """Returns the one spelling of a number: 30, 30.0 and 3e1 are the same."""
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    all_digits = "".join(map(str, digits)).lstrip("0")
    significant = all_digits.rstrip("0")
    if not significant:
        return "0"
    return f"{'-' * sign}{significant}e{exponent + len(all_digits) - len(significant)}"


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
    """Takes and frees the next completion: the host has heard the end that it carries."""
    _, completion = client.next_completion(timeout_ms)
    assert completion is not None, "a call that was accepted has no end"
    return completion


def next_unheard(client: pbk.Client, timeout_ms: int = 30_000) -> Answer:
    """Takes the next completion and never frees it: the host is not known to have heard the end that it carries."""
    status = ctypes.c_int(-1)
    completion = pbk.library.pbk_next_completion(client.handle, timeout_ms, ctypes.byref(status))
    assert completion is not None, "a call that was accepted has no end"
    reply = pbk.library.pbk_completion_reply(completion)
    timing = json.loads(pbk.library.pbk_completion_timing(completion))
    code = pbk.library.pbk_completion_status(completion)
    return Answer(code, reply, timing, {} if code == OK else json.loads(reply)["error"])


def answer_of(done: pbk.Completion) -> Answer:
    assert done.reply is not None
    error = {} if done.status == OK else json.loads(done.reply)["error"]
    return Answer(done.status, done.reply, done.timing, error)


def pending(client: pbk.Client) -> dict[str, Any]:
    """All of `pbk_pending_bookings`."""
    return _content(client.pending_bookings())


def states(listing: dict[str, Any]) -> dict[str, str]:
    """The state of each key in what `pending` returns."""
    return {entry["idempotency_key"]: entry["state"] for entry in listing["pending_bookings"]}


def doubts(listing: dict[str, Any]) -> set[str]:
    """The keys in what `pending` returns whose booking may have been made."""
    return {key for key, state in states(listing).items() if state in (IN_DOUBT, "in_flight")}


def sandbox_bookings(client: pbk.Client) -> list[dict[str, Any]]:
    return _content(client.sandbox_bookings())["bookings"]


def _content(result: pbk.Result) -> dict[str, Any]:
    assert result.status == OK, result
    return json.loads(result.reply)


def memory_folder() -> str | None:
    """Where files need no disk, or None: thousands of journals are opened, and each would wait for its writes."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
