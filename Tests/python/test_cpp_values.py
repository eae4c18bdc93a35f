"""The values of C++ hold what the values of Python hold, for the same replies."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fault_server import Peer, http_reply
from header import ROOT
from pbk import LIBRARY
from reference_names import API_KEY

os.environ.setdefault("PARTNERBOOKING_LIBRARY", str(LIBRARY))
sys.path.insert(0, str(ROOT / "bindings" / "python"))

from partnerbooking import values  # noqa: E402
from partnerbooking.conversation import tool_result  # noqa: E402

SOURCES = ROOT / "Tests" / "cpp"
SAMPLES = 400
"""Replies of each kind."""


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("oracle")
    command = ["make", "-s", "-C", SOURCES, f"PBK={ROOT}", f"BUILD={folder}", folder / "value_oracle"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "value_oracle"


class Replies:
    """Writes odd replies: members that are missing, null or of another kind, and others beside
    them."""

    WORDS = ["", "2030-01-14T10:00:00Z", 'a "b" \\ / \b\f\n\r\t', "Zoë 😀 \u2028\x7f", "confirmed", "null", "{}", "\0x"]
    OTHERS = [None, True, False, 0, -1, 1.5, 1e300, [], {}, [{}], {"start_at": "x"}, "word", 2**100]

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def word(self) -> str:
        return self.random.choice(self.WORDS)

    def odd(self, *right: Any) -> Any:
        return self.random.choice([*right] * 4 + self.OTHERS)

    def number(self) -> Any:
        numbers = [30, 0, -5, 2**63 - 1, -(2**63), 2**63, 2**80, 30.0, 3e1, "30"]
        return self.random.choice(numbers)

    def members(self, **members: Any) -> dict[str, Any]:
        """Some of them, in any order, with others between."""
        given = [(name, value) for name, value in members.items() if self.random.random() < 0.8]
        given += [(f"x{number}", self.odd(self.word())) for number in range(self.random.randrange(3))]
        self.random.shuffle(given)
        return dict(given)

    def pending(self) -> dict[str, Any]:
        texts = {name: self.word() for name in ("idempotency_key", "bot_id", "start_at", "recorded_at", "state")}
        flags = {name: self.random.random() < 0.5 for name in ("in_flight", "expired")}
        return {**texts, **flags, "duration_minutes": 30, **self.members(conversation=self.odd(self.word()))}

    def search(self) -> dict[str, Any]:
        items = [
            self.odd(self.members(start_at=self.odd(self.word()), duration_minutes=self.odd(self.number())))
            for _ in range(self.random.randrange(5))
        ]
        return {**self.members(), "availabilities": items}

    def booking(self) -> dict[str, Any]:
        names = ("id", "status", "start_at", "end_at")
        return {**self.members(), "booking": self.members(**{name: self.odd(self.word()) for name in names})}

    def lookup(self) -> dict[str, Any]:
        has = self.members(**{name: self.odd(self.word()) for name in ("start_at", "end_at", "status")})
        texts = {name: self.odd(self.word()) for name in ("phone", "name")}
        customer = self.members(**texts, existing_appointment=self.odd(has))
        return {**self.members(customer=self.odd(customer)), "found": self.random.random() < 0.8}

    def give_up(self) -> dict[str, Any]:
        lists = {name: [self.pending() for _ in range(self.random.randrange(3))] for name in ("given_up", "kept")}
        return {**lists, **self.members(journaled=self.random.random() < 0.5)}

    def tool(self) -> dict[str, Any]:
        slot = {"slot": self.word(), "start_at": self.word(), "duration_minutes": 30, "say": self.word()}
        error = {
            **{"code": "timeout", "message": self.word(), "status": None, "source": "network", "retryable": True},
            **{"attempts": 1, "field": None, "request_id": None},
        }
        optional = self.members(
            say=self.word(), slots=[slot] * self.random.randrange(3), booking={"id": self.word()},
            idempotency_key=self.word(), error=error,
        )  # fmt: skip
        return {"tool": self.word(), "result": self.word(), "is_error": False, "text": self.word(), **optional}

    def written(self, kind: str) -> bytes:
        """In one line, with or without escapes and blanks."""
        separators = self.random.choice([(",", ":"), (", ", ": "), (" ,\t", " :  ")])
        ascii_only = self.random.random() < 0.5
        return json.dumps(getattr(self, kind)(), ensure_ascii=ascii_only, separators=separators).encode()


def small(number: int | None) -> int | None:
    """Python has integers of any size."""
    return number if number is not None and -(2**63) <= number < 2**63 else None


def pending(booking: values.PendingBooking) -> list[Any]:
    return [
        *(booking.idempotency_key, booking.bot_id, booking.start_at, booking.duration_minutes, booking.recorded_at),
        *(booking.in_flight, booking.expired, booking.state, booking.conversation),
    ]


def expected(kind: str, reply: bytes) -> Any:
    if kind == "search":
        items = values.SearchAvailabilityReply(reply).availabilities
        return [[item.start_at, small(item.duration_minutes), item.raw] for item in items]
    if kind == "booking":
        booked = values.CreateBookingReply(reply)
        return [booked.id, booked.status, booked.start_at, booked.end_at, booked.booking]
    if kind == "lookup":
        customer = values.LookupCustomerReply(reply).customer
        has = None if customer is None else customer.existing_appointment
        appointment = None if has is None else [has.start_at, has.end_at, has.status]
        return None if customer is None else [customer.phone, customer.name, appointment]
    if kind == "give_up":
        given = values.give_up_reply(reply)
        return [[pending(one) for one in given.given_up], [pending(one) for one in given.kept], given.journaled]
    answer = tool_result(reply)
    error = None if answer.error is None else [answer.error.code, answer.error.message]
    slots = [[slot.slot, slot.start_at, slot.duration_minutes, slot.say] for slot in answer.slots]
    said = [answer.tool, answer.result, answer.is_error, answer.text, answer.say, slots]
    return [*said, answer.booking, answer.idempotency_key, error]


def answers_of(command: list[Any], lines: bytes = b"") -> list[Any]:
    environment = {**os.environ, "LD_LIBRARY_PATH": str(LIBRARY.parent)}
    done = subprocess.run(command, input=lines, capture_output=True, timeout=60, check=False, env=environment)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stdout.decode().rstrip("\n").split("\n")]


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("kind", ["search", "booking", "lookup", "give_up", "tool"])
def test_values_are_those_of_python(oracle: Path, kind: str):
    written = Replies(len(kind))
    replies = [written.written(kind) for _ in range(SAMPLES)]
    lines = b"".join(kind.encode() + b" " + reply + b"\n" for reply in replies)
    answers = answers_of([oracle], lines)
    assert len(answers) == SAMPLES
    for reply, answer in zip(replies, answers):
        assert answer == as_json(expected(kind, reply)), reply


def test_odd_replies_of_a_service_are_read_by_the_client(oracle: Path, start_faults: Any):
    written = Replies(7)
    replies = [written.written("search") for _ in range(40)]

    def script(peer: Peer) -> None:
        for reply in replies:
            peer.read_request()
            peer.send(http_reply(200, reply))

    config = {"api_key": API_KEY, "base_url": start_faults(script).url, "keep_warm_ms": 0}
    answers = answers_of([oracle, json.dumps(config), str(len(replies))])
    assert answers == as_json([expected("search", reply) for reply in replies])
