"""The library as `conversation.py` drives it: tool calls of many conversations at once, by tickets and by waiting."""

from __future__ import annotations

import ctypes
import itertools
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

import common  # noqa: F401  # finds pbk
import pbk

WATCHED = 0.02
CANCELLED, CLIENT_CLOSED = 7, 3


@dataclass(frozen=True)
class Answer:
    status: int
    reply: bytes
    total_ms: float
    """By the library's own clock, or by ours for a call that waited."""


class Engine(Protocol):
    def call(self, request: dict[str, Any]) -> Answer: ...

    def submit(self, request: dict[str, Any]) -> tuple[Any, Future[Answer]]: ...

    def cancel(self, ticket: Any) -> None: ...

    def prefetch(self, request: dict[str, Any]) -> None: ...

    def end(self, request: dict[str, Any]) -> None: ...

    def close(self) -> None: ...


class Library:
    """One client. A thread of its own takes the completions."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._handle = pbk.open_handle(config)
        self._futures: dict[int, Future[Answer]] = {}
        self._early: dict[int, Answer] = {}
        self._lock = threading.Lock()
        self._is_closing = False
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def call(self, request: dict[str, Any]) -> Answer:
        status = ctypes.c_int(-1)
        text = pbk.encode(request)
        began = time.monotonic()
        address = pbk.library.pbk_call_tool(self._handle, text, ctypes.byref(status))
        total_ms = (time.monotonic() - began) * 1000
        return Answer(status.value, pbk.take(address), total_ms)

    def submit(self, request: dict[str, Any]) -> tuple[int, Future[Answer]]:
        future: Future[Answer] = Future()
        submission = pbk.submit(self._handle, pbk.TOOL, request)
        if submission.status != 0:
            future.set_result(Answer(submission.status, submission.error or b"", 0))
            return 0, future
        with self._lock:
            early = self._early.pop(submission.ticket, None)
            if early is None:
                self._futures[submission.ticket] = future
        if early is not None:
            future.set_result(early)
        return submission.ticket, future

    def cancel(self, ticket: int) -> None:
        if ticket:
            pbk.library.pbk_cancel(self._handle, ticket)

    def prefetch(self, request: dict[str, Any]) -> None:
        _check(pbk.prefetch(self._handle, request))

    def end(self, request: dict[str, Any]) -> None:
        _check(pbk.end_conversation(self._handle, request))

    def close(self) -> None:
        pbk.library.pbk_client_close(self._handle, 2000)
        self._is_closing = True
        self._thread.join(5)

    def _take(self) -> None:
        while True:
            status, completion = pbk.next_completion(self._handle, 200)
            if completion is None:
                if self._is_closing or status == CLIENT_CLOSED:
                    return
                continue
            if completion.event != pbk.DONE:
                continue
            answer = Answer(completion.status, completion.reply or b"", completion.timing.get("total_us", 0) / 1000)
            with self._lock:
                future = self._futures.pop(completion.ticket, None)
                if future is None:
                    self._early[completion.ticket] = answer
            if future is not None:
                future.set_result(answer)


def _check(told: tuple[int, bytes | None]) -> None:
    if told != (0, None):
        raise RuntimeError(f"{told}")


class Lag:
    """How late this process comes to its work: what a clock of ours may show too much."""

    def __init__(self) -> None:
        self._lags: deque[float] = deque([0.0], maxlen=100)
        self._due = time.monotonic()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while True:
            self._due = time.monotonic() + WATCHED
            time.sleep(WATCHED)
            self._lags.append(time.monotonic() - self._due)

    @property
    def ms(self) -> float:
        """The worst of the last two seconds."""
        return max(*list(self._lags), time.monotonic() - self._due, 0.0) * 1000


class Log:
    """What happened, as events. `write` gets each at once."""

    def __init__(self, write: Callable[[dict[str, Any]], None], lag: Lag) -> None:
        self._write, self._lag = write, lag
        self._numbers = itertools.count(time.monotonic_ns() // 1000)

    def number(self) -> int:
        return next(self._numbers)

    def note(self, conversation: str, what: str, **members: Any) -> dict[str, Any]:
        event = {"what": what, "conversation": conversation, "at": time.monotonic(), **members}
        if what == "answer":
            event["lag_ms"] = round(self._lag.ms, 1)
        self._write(event)
        return event


def parsed(reply: bytes) -> Any:
    try:
        return json.loads(reply)
    except ValueError:
        return {"unreadable": reply.decode(errors="replace")[:200]}


def pure(name: str, *arguments: Any) -> Any:
    """A pure function of the library, as JSON."""
    status = ctypes.c_int(-1)
    texts = [json.dumps(each).encode() if isinstance(each, dict) else each for each in arguments]
    return parsed(pbk.take(getattr(pbk.library, name)(*texts, ctypes.byref(status))))
