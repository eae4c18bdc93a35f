"""The library's log as records of a logger.

The library calls back on a thread that transfers data, which must not wait for a handler. So the
callback only puts the line into a queue, and a thread hands it to the logger: one for each client
whose log is on.
"""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import queue
import sys
import threading
from collections.abc import Mapping
from typing import Any

from . import _bindings
from .values import parsed

_MOST_WAITING = 10_000
"""As many lines wait for a slow handler. More are dropped and counted."""
_FLUSH_SECONDS = 2.0
"""So long a close waits for the last lines to be handed over."""

_OFF, _ERROR, _WARNING, _INFO, _DEBUG = range(5)
"""`pbk_log_level`."""
_LEVELS = {_ERROR: logging.ERROR, _WARNING: logging.WARNING, _INFO: logging.INFO, _DEBUG: logging.DEBUG}


class _Sink:
    """A logger that gets the lines of one client, and the thread that hands them over."""

    def __init__(self, handle: int, logger: logging.Logger) -> None:
        self.handle = handle
        self._logger = logger
        self._lines: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="pbk-log", daemon=True)
        self._thread.start()

    def put(self, level: int, line: bytes) -> None:
        """Takes a line, on a thread of the library's."""
        if self._lines.qsize() < _MOST_WAITING:
            self._lines.put((level, line))
        else:
            self._dropped += 1

    def end(self, *, flush: bool) -> None:
        """Ends the thread when it has handed over what is there. With `flush` it waits for that,
        for a moment."""
        self._lines.put(None)
        if flush and self._thread is not threading.current_thread():
            self._thread.join(_FLUSH_SECONDS)

    def _run(self) -> None:
        while (item := self._lines.get()) is not None:
            try:
                self._hand_over(*item)
            except Exception:
                # A mistake of a filter or a handler. Python reports it as it does for any thread.
                threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))

    def _hand_over(self, level: int, line: bytes) -> None:
        number, name = _LEVELS.get(level, logging.ERROR), self._logger.name
        if not self._logger.isEnabledFor(number):
            return
        members = parsed(line)
        dropped, self._dropped = self._dropped, 0
        if dropped:
            members["lost"] = members.get("lost", 0) + dropped
        extra = {"partnerbooking": members}
        record = self._logger.makeRecord(
            name, number, "libpartnerbooking", 0, "%s", (sentence(members),), None, None, extra
        )
        at = members.get("at")
        if isinstance(at, int):  # when it happened, not when it is handed over
            record.relativeCreated += at - record.created * 1000
            record.created, record.msecs = at / 1000, float(at % 1000)
        self._logger.handle(record)


def sentence(members: Mapping[str, Any]) -> str:
    """Writes a line for people: the operation and the event, and then what is most telling about
    it."""
    event, operation = str(members.get("event", "log")), members.get("operation")
    subject, _, verb = event.partition("_")
    text = event.replace("_", " ")
    if operation is not None:
        text = f"{operation} {verb}" if subject == "call" else f"{operation}: {text}"
    parts = [str(members[name]) for name in ("tool", "status", "result", "outcome", "http_status") if name in members]
    if "total_ms" in members:
        parts.append(f"after {members['total_ms']} ms")
    if "after_ms" in members:
        parts.append(f"in {members['after_ms']} ms")
    if "attempts" in members:
        parts.append(f"{members['attempts']} attempt{'' if members['attempts'] == 1 else 's'}")
    if "attempt" in members:
        parts.append(f"attempt {members['attempt']}")
    if "message" in members:
        parts.append(str(members["message"]))
    if "lost" in members:
        parts.append(f"{members['lost']} lines lost before")
    if parts:
        text += f": {', '.join(parts)}"
    return text if "tag" not in members else f"{text} (tag {members['tag']})"


_sinks: dict[int, _Sink] = {}
"""By the context that the library hands back. Late calls find none."""
_numbers = itertools.count(1)
_lock = threading.RLock()  # a finalizer may need it in a thread that has it
_is_ending = False


def _put(context: int | None, level: int, line: bytes | None) -> None:
    sink = _sinks.get(context or 0)
    if sink is not None and line is not None:
        sink.put(level, line)


_take = _bindings.LOG_CALLBACK(_put)
"""For all clients, and for good: it can be called at any time."""


class Log:
    """The log of one client."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._process = os.getpid()
        self._number = 0
        """That of its sink. 0: it has none."""

    def set(self, logger: logging.Logger, level: int | None) -> bool:
        """Hands lines of that level and above to the logger. Returns false when the client is
        closed."""
        if os.getpid() != self._process:
            return False
        least = _least(logger.getEffectiveLevel() if level is None else level)
        return self._set(logger, least, flush=True) == _bindings.OK

    def end(self, *, flush: bool = True) -> None:
        """Hands over what has come, and no more."""
        if self._number and os.getpid() == self._process:
            self._set(None, _OFF, flush=flush)

    def _set(self, logger: logging.Logger | None, least: int, *, flush: bool) -> int:
        with _lock:
            old, number = self._number, 0
            if logger is not None and least != _OFF and not _is_ending:
                number = next(_numbers)
                _sinks[number] = _Sink(self._handle, logger)
            self._number = number
            # When it returns, the library has handed the lines of before to the sink of before.
            status: int = _bindings.pbk_client_set_log(self._handle, least if number else _OFF, _take, number)
            before = _sinks.pop(old, None)
            failed = _sinks.pop(number, None) if number and status != _bindings.OK else None
        for sink in (before, failed):
            if sink is not None:
                sink.end(flush=flush)
        return status


def _least(level: int) -> int:
    """The `pbk_log_level` of a level of Python."""
    return next((known for known, number in reversed(_LEVELS.items()) if number >= level), _OFF)


def _end_all() -> None:
    """Takes the callback back. A thread that called it when the interpreter is gone would crash."""
    global _is_ending
    with _lock:
        _is_ending = True
        sinks = list(_sinks.values())
    for sink in sinks:
        _bindings.pbk_client_set_log(sink.handle, _OFF, _take, 0)
    _sinks.clear()
    for sink in sinks:
        sink.end(flush=True)


def _forget_all() -> None:
    """In the child of a fork, where the threads and the clients are gone."""
    global _lock
    _sinks.clear()
    _lock = threading.RLock()


atexit.register(_end_all)
os.register_at_fork(after_in_child=_forget_all)
