"""Passes the library's log to a Python logger.

The library calls back on a thread that transfers data, which must not wait for a handler. So the
callback only puts the line into a queue. A second thread passes the lines to the logger. Each
client whose log is on has such a thread.
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
"""The most lines that wait for a slow handler. Further lines are dropped and counted."""
_FLUSH_SECONDS = 2.0
"""The longest time that a close waits until the logger has the last lines."""

_OFF, _ERROR, _WARNING, _INFO, _DEBUG = range(5)
"""Values of `pbk_log_level`."""
_LEVELS = {_ERROR: logging.ERROR, _WARNING: logging.WARNING, _INFO: logging.INFO, _DEBUG: logging.DEBUG}


class _Sink:
    """A logger for the lines of one client, and the thread that passes them to it."""

    def __init__(self, handle: int, logger: logging.Logger) -> None:
        self.handle = handle
        self._logger = logger
        self._lines: queue.SimpleQueue[tuple[int, bytes] | None] = queue.SimpleQueue()
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="pbk-log", daemon=True)
        self._thread.start()

    def put(self, level: int, line: bytes) -> None:
        """Queues a line. Called on a thread of the library."""
        if self._lines.qsize() < _MOST_WAITING:
            self._lines.put((level, line))
        else:
            self._dropped += 1

    def end(self, *, flush: bool) -> None:
        """Ends the thread after the queued lines. With `flush` it waits 2 seconds at most."""
        self._lines.put(None)
        if flush and self._thread is not threading.current_thread():
            self._thread.join(_FLUSH_SECONDS)

    def _run(self) -> None:
        while (item := self._lines.get()) is not None:
            try:
                self._hand_over(*item)
            except Exception:
                # A filter or handler has failed. Python reports it as for any thread.
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
        if isinstance(at, int):  # the time of the event, not of this call
            record.relativeCreated += at - record.created * 1000
            record.created, record.msecs = at / 1000, float(at % 1000)
        self._logger.handle(record)


def sentence(members: Mapping[str, Any]) -> str:
    """Returns a line for people: operation and event, then the most important members."""
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
"""The sinks by the context that the library passes to the callback. Late calls find none."""
_numbers = itertools.count(1)
_lock = threading.RLock()  # reentrant: a finalizer may run in a thread that holds it
_is_ending = False


def _put(context: int | None, level: int, line: bytes | None) -> None:
    sink = _sinks.get(context or 0)
    if sink is not None and line is not None:
        sink.put(level, line)


_take = _bindings.LOG_CALLBACK(_put)
"""The callback of all clients. It is never freed, because the library may call it at any time."""


class Log:
    """The log of one client."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._process = os.getpid()
        self._number = 0
        """The number of its sink. 0 when it has none."""

    def set(self, logger: logging.Logger, level: int | None) -> bool:
        """Starts to pass lines of that level and above to the logger. Returns False when the client
        is closed."""
        if os.getpid() != self._process:
            return False
        least = _least(logger.getEffectiveLevel() if level is None else level)
        return self._set(logger, least, flush=True) == _bindings.OK

    def end(self, *, flush: bool = True) -> None:
        """Stops the log. Queued lines still go to the logger. With `flush` it waits for them,
        2 seconds at most."""
        if self._number and os.getpid() == self._process:
            self._set(None, _OFF, flush=flush)

    def _set(self, logger: logging.Logger | None, least: int, *, flush: bool) -> int:
        with _lock:
            old, number = self._number, 0
            if logger is not None and least != _OFF and not _is_ending:
                number = next(_numbers)
                _sinks[number] = _Sink(self._handle, logger)
            self._number = number
            # When it returns, the library no longer calls the old sink.
            status: int = _bindings.pbk_client_set_log(self._handle, least if number else _OFF, _take, number)
            before = _sinks.pop(old, None)
            failed = _sinks.pop(number, None) if number and status != _bindings.OK else None
        for sink in (before, failed):
            if sink is not None:
                sink.end(flush=flush)
        return status


def _least(level: int) -> int:
    """Returns the `pbk_log_level` for a level of Python."""
    return next((known for known, number in reversed(_LEVELS.items()) if number >= level), _OFF)


def _end_all() -> None:
    """Removes the callback from the library. A call after the interpreter has ended would crash."""
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
    """Clears the sinks in the child of a fork, where threads and clients are gone."""
    global _lock
    _sinks.clear()
    _lock = threading.RLock()


atexit.register(_end_all)
os.register_at_fork(after_in_child=_forget_all)
