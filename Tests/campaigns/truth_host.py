"""A host for `truth.py`: one client, and calls as they are ordered. It reports what it does and what it is told.

It runs on a thread of the campaign, or as a process of its own that may be killed. As a process it takes its orders as
one line of JSON on standard input, writes its reports to a file, and ends at the latest with its standard input.
"""

from __future__ import annotations

import ctypes
import heapq
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import child
import common  # noqa: F401  # finds pbk
import pbk

FINAL = ("booked", "rejected", "not_sent")
PATIENCE = 10.0
"""Seconds that a call may be late before nobody waits for it any more."""

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Call:
    timeout_ms: int
    cancel_ms: float | None = None
    """When to cancel it, counted from its submission."""
    after_ms: float = 0
    """When to make it: after the end of the call before, or with `is_beside` after its submission."""
    is_beside: bool = False
    is_resume: bool = False
    """By the key alone."""


@dataclass(frozen=True)
class Booking:
    """One key, and the calls that are made for it as long as its end is unknown."""

    key: str
    request: dict[str, Any]
    start_ms: float
    calls: list[Call]


@dataclass(frozen=True)
class Orders:
    config: dict[str, Any]
    epoch: float
    """The monotonic time at which bookings start."""
    bookings: list[Booking]
    settle_seconds: float
    """How long to wait at the end for bookings in doubt."""
    close_ms: int = 300

    @staticmethod
    def read(text: str) -> Orders:
        content = json.loads(text)
        bookings = [
            Booking(**{**each, "calls": [Call(**call) for call in each["calls"]]}) for each in content["bookings"]
        ]
        return Orders(**{**content, "bookings": bookings})

    def write(self) -> str:
        return json.dumps(asdict(self))


class Taken(NamedTuple):
    """A completion, read before it was freed."""

    event: int
    ticket: int
    status: int
    reply: bytes | None
    total_ms: float
    key: str | None


@dataclass
class Progress:
    """How far a booking has come."""

    booking: Booking
    next: int = 0
    is_over: bool = False
    outcome: str | None = None


@dataclass
class Outstanding:
    number: int
    progress: Progress
    submitted: float
    deadline: float


@dataclass(order=True)
class Action:
    at: float
    number: int
    act: Callable[[], None] = field(compare=False)


class Host:
    def __init__(self, orders: Orders, report: Report) -> None:
        self._orders, self._report = orders, report
        self._actions: list[Action] = []
        self._numbers = itertools.count()
        self._calls: dict[int, Outstanding] = {}
        self._progress = {booking.key: Progress(booking) for booking in orders.bookings}
        self._client = pbk.Client(orders.config)
        self._report({"what": "opened", "at": time.monotonic()})

    def run(self) -> None:
        for progress in self._progress.values():
            self._at(self._orders.epoch + progress.booking.start_ms / 1000, self._next_call, progress)
        while self._actions or self._calls:
            self._step()
        until = time.monotonic() + self._orders.settle_seconds
        while time.monotonic() < until and any(each.outcome == "unknown" for each in self._progress.values()):
            self._step()
        self._close()

    # The loop

    def _at(self, when: float, act: Callable[..., None], *arguments: Any) -> None:
        heapq.heappush(self._actions, Action(when, next(self._numbers), lambda: act(*arguments)))

    def _step(self) -> None:
        """Takes what has come, then does what is due."""
        wait_ms = 0 if not self._actions else max(0, round((self._actions[0].at - time.monotonic()) * 1000))
        self._take(min(20, wait_ms) if self._actions else 20)
        while self._actions and self._actions[0].at <= time.monotonic():
            heapq.heappop(self._actions).act()
            # What was told before a call is known before it.
            self._take(0)
        self._look_for_late_calls()

    def _take(self, wait_ms: int) -> None:
        while (taken := next_completion(self._client.handle, wait_ms)) is not None:
            wait_ms = 0
            if taken.event == pbk.DONE:
                self._told(taken)
            elif taken.event == pbk.SETTLED:
                self._settled(taken)

    def _look_for_late_calls(self) -> None:
        now = time.monotonic()
        for ticket, call in list(self._calls.items()):
            if now > call.deadline + PATIENCE:
                self._report({"what": "lost", "id": call.number, "key": call.progress.booking.key, "at": now})
                del self._calls[ticket]

    # Calls

    def _next_call(self, progress: Progress) -> None:
        booking = progress.booking
        if progress.is_over or progress.next >= len(booking.calls):
            return
        call = booking.calls[progress.next]
        progress.next += 1
        request = {"idempotency_key": booking.key, "resume": True} if call.is_resume else booking.request
        number = next(self._numbers)
        submitted = time.monotonic()
        self._report(
            {"what": "call", "id": number, "key": booking.key, "at": submitted, "timeout_ms": call.timeout_ms}
        )
        submission = self._client.submit(pbk.BOOK, {**request, "timeout_ms": call.timeout_ms})
        if submission.status != 0:
            self._end(progress, number, time.monotonic(), 0, submission.status, submission.error or b"")
            return
        deadline = submitted + call.timeout_ms / 1000
        self._calls[submission.ticket] = Outstanding(number, progress, submitted, deadline)
        if call.cancel_ms is not None:
            self._at(submitted + call.cancel_ms / 1000, self._cancel, submission.ticket)
        if progress.next < len(booking.calls) and booking.calls[progress.next].is_beside:
            self._at(submitted + booking.calls[progress.next].after_ms / 1000, self._next_call, progress)

    def _cancel(self, ticket: int) -> None:
        if (call := self._calls.get(ticket)) is not None:
            key = call.progress.booking.key
            self._report({"what": "cancel", "id": call.number, "key": key, "at": time.monotonic()})
            self._client.cancel(ticket)

    def _told(self, taken: Taken) -> None:
        now = time.monotonic()
        if (call := self._calls.pop(taken.ticket, None)) is not None:
            self._end(call.progress, call.number, now, taken.total_ms, taken.status, taken.reply or b"")

    def _end(self, progress: Progress, number: int, now: float, total_ms: float, status: int, reply: bytes) -> None:
        booking = progress.booking
        told = told_of(status, reply)
        self._report(
            {"what": "told", "id": number, "key": booking.key, "at": now, "total_ms": total_ms, "told": told}
        )
        progress.outcome = told["outcome"]
        progress.is_over = progress.is_over or told["outcome"] in FINAL
        if progress.next < len(booking.calls) and not booking.calls[progress.next].is_beside:
            self._at(now + booking.calls[progress.next].after_ms / 1000, self._next_call, progress)

    def _settled(self, taken: Taken) -> None:
        told = told_of(taken.status, taken.reply or b"")
        key = taken.key or ""
        self._report({"what": "settled", "key": key, "at": time.monotonic(), "told": told})
        if (progress := self._progress.get(key)) is not None:
            progress.outcome, progress.is_over = told["outcome"], True

    def _close(self) -> None:
        pending = pbk.pending_bookings(self._client.handle)
        keys = [each["idempotency_key"] for each in json.loads(pending.reply).get("pending_bookings", [])]
        self._report({"what": "pending", "keys": keys, "at": time.monotonic()})
        self._client.close(self._orders.close_ms)
        self._take(0)
        self._report({"what": "closed", "at": time.monotonic()})


def told_of(status: int, reply: bytes) -> dict[str, Any]:
    """What a reply says about a booking. A success has the outcome `booked`, another shape `malformed`."""
    try:
        content = json.loads(reply)
        if status == 0:
            booking = content["booking"]
            return {"status": 0, "outcome": "booked", "id": booking.get("id"), "start_at": booking.get("start_at")}
        error = content["error"]
        told = {"status": status, "outcome": error["outcome"], "code": error["code"], "http": error.get("status")}
        return told | {"attempts": error.get("attempts"), "has_doubt": "doubt" in error}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"status": status, "outcome": "malformed", "reply": reply.decode(errors="replace")[:200]}


def has_settlements() -> bool:
    """Whether the library reports the end of a doubt."""
    return hasattr(pbk.library, "pbk_completion_key")


if has_settlements():
    pbk.library.pbk_completion_key.restype = ctypes.c_char_p
    pbk.library.pbk_completion_key.argtypes = [ctypes.c_void_p]


def next_completion(handle: int, timeout_ms: int) -> Taken | None:
    library = pbk.library
    completion = library.pbk_next_completion(handle, timeout_ms, None)
    if completion is None:
        return None
    key = library.pbk_completion_key(completion) if has_settlements() else None
    timing = json.loads(library.pbk_completion_timing(completion) or b"{}")
    taken = Taken(
        library.pbk_completion_event(completion),
        library.pbk_completion_ticket(completion),
        library.pbk_completion_status(completion),
        library.pbk_completion_reply(completion),
        timing.get("total_us", 0) / 1000,
        None if key is None else key.decode(),
    )
    library.pbk_completion_free(completion)
    return taken


def main() -> None:
    child.run(lambda line, write: Host(Orders.read(line), write).run())


if __name__ == "__main__":
    main()
