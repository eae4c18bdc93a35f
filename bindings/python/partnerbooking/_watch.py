"""Watches calls for `on_call` and spans. A client without watchers uses none of this."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Optional, Protocol, TypeVar

from . import _bindings
from .conversation import TOOLS
from .ended import CallEnded, OnCall, Operation
from .errors import word
from .values import parsed

_log = logging.getLogger("partnerbooking")

_OPERATIONS: dict[int, Operation] = {
    _bindings.SEARCH_AVAILABILITY: "search_availability",
    _bindings.CREATE_BOOKING: "create_booking",
    _bindings.LOOKUP_CUSTOMER: "lookup_customer",
    _bindings.CALL_TOOL: "call_tool",
}
_OUTCOMES: dict[int, Any] = {1: "not_sent", 2: "rejected", 3: "unknown"}
_MOST_OPEN = 1024
"""The most bookings to remember whose call ended `unknown`."""
_TRACEPARENT = re.compile("[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

_Value = TypeVar("_Value")

End = Callable[[CallEnded, int], object]
"""A function that gets the end of a call, and its time in nanoseconds since 1970."""


class Begun:
    """A call that begins."""

    __slots__ = ("began_ns", "members", "operation", "tool", "traceparent")

    def __init__(self, operation: Operation, members: Mapping[str, Any]) -> None:
        self.operation = operation
        self.members = members
        self.tool: str | None = None
        if operation == "call_tool":
            # The model writes the name, and may write anything.
            tool = members.get("tool")
            self.tool = tool if isinstance(tool, str) and tool in TOOLS else "other"
        self.began_ns = time.time_ns()
        self.traceparent = _text(members, "traceparent")
        """The request's `traceparent`, else a watcher's. The request's cannot be replaced."""


class Watcher(Protocol):
    def begin(self, call: Begun) -> End | None: ...

    def settled(self, ended: CallEnded) -> object: ...


class Hook:
    """A watcher that calls the host's `on_call`."""

    def __init__(self, on_call: OnCall) -> None:
        self._on_call = on_call

    def begin(self, call: Begun) -> End:
        return self._end

    def settled(self, ended: CallEnded) -> None:
        self._on_call(ended)

    def _end(self, ended: CallEnded, ended_ns: int) -> None:
        self._on_call(ended)


class Watch:
    """The watchers of one client."""

    def __init__(self, watcher: Watcher) -> None:
        self.watchers: tuple[Watcher, ...] = (watcher,)
        self._open: OrderedDict[str, tuple[str | None, str | None]] = OrderedDict()
        """Bot and trace of bookings whose call ended `unknown`, by idempotency key."""

    def begin(self, operation: int, request: bytes) -> Call:
        """Reports a new call to the watchers. Send the `request` of the returned call."""
        return Call(self, operation, request)

    def settled(self, completion: int) -> None:
        """Reports a completion with the event `SETTLED` to the watchers. Does not free it. Raises
        the same exceptions as `Call.end`."""
        ended = _guarded(self._settled, completion)
        if ended is not None:
            _tell([watcher.settled for watcher in self.watchers], ended)

    def _settled(self, completion: int) -> CallEnded:
        key = _decoded(_bindings.pbk_completion_key(completion))
        bot, trace = self._open.pop(key or "", (None, None))
        timing = _members(_bindings.pbk_completion_timing(completion))
        status = _bindings.pbk_completion_status(completion)
        reply = None if status == _bindings.OK else _bindings.pbk_completion_reply(completion)
        error = _object(_members(reply), "error")
        return CallEnded(
            operation="create_booking",
            status=word(status),
            outcome=_OUTCOMES.get(_bindings.pbk_completion_outcome(completion)),
            code=_text(error, "code"),
            http_status=_number(error, "status"),
            request_id=_text(error, "request_id"),
            tag=_decoded(_bindings.pbk_completion_tag(completion)),
            idempotency_key=key,
            bot_id=bot,
            trace_id=trace,
            duration_ms=timing.get("total_us", 0) / 1000,
            attempts=timing.get("attempts"),
            timing=timing or None,
            is_settled=True,
        )

    def remember(self, ended: CallEnded) -> None:
        """Keeps the bot and the trace of a booking in doubt until it is settled."""
        if ended.outcome == "unknown" and ended.idempotency_key is not None:
            self._open[ended.idempotency_key] = ended.bot_id, ended.trace_id
            if len(self._open) > _MOST_OPEN:
                self._open.popitem(last=False)


class Call:
    """A watched call that is in flight."""

    __slots__ = ("_begun", "_context", "_ends", "_started", "_watch", "request")

    def __init__(self, watch: Watch, operation: int, request: bytes) -> None:
        self._watch = watch
        self.request = request
        self._context: contextvars.Context | None = None
        read = _guarded(_read, request)
        members = read or {}
        name: Operation = "give_up" if members.get("give_up") is True else _OPERATIONS[operation]
        self._begun = Begun(name, members)
        self._started = time.perf_counter()
        begun = [_guarded(watcher.begin, self._begun) for watcher in watch.watchers]
        self._ends = [end for end in begun if end is not None]
        if not isinstance(self._begun.traceparent, str):  # a watcher may have set any type
            self._begun.traceparent = None
        # A request that is no object stays unchanged. The library reports what is wrong with it.
        elif read is not None and "traceparent" not in read and _TRACEPARENT.fullmatch(self._begun.traceparent):
            self.request = with_traceparent(request, self._begun.traceparent)

    def in_context(self) -> Call:
        """Makes the watchers run in the context of the task that calls this. Returns the call."""
        self._context = contextvars.copy_context()
        return self

    def end(self, status: int, reply: bytes | None, timing: bytes | None = None) -> None:
        """Reports the end to all watchers. Then raises only the exceptions that `_guarded` lets
        pass."""
        ended = _guarded(lambda _: self._ended(status, reply, timing), None)
        if ended is None:
            return
        _guarded(self._watch.remember, ended)
        ended_ns = self._begun.began_ns + int(ended.duration_ms * 1_000_000)
        ends = [functools.partial(_at, end, ended_ns) for end in self._ends]
        if self._context is None:
            _tell(ends, ended)
        else:
            self._context.run(_tell, ends, ended)

    def end_by(self, completion: int) -> None:
        """Reports its completion with the event `DONE` to the watchers. Does not free it."""
        status = _bindings.pbk_completion_status(completion)
        reply = None
        if status != _bindings.OK or self._begun.operation == "call_tool":
            reply = _bindings.pbk_completion_reply(completion)
        self.end(status, reply, _bindings.pbk_completion_timing(completion))

    def _ended(self, status: int, reply: bytes | None, timing_json: bytes | None) -> CallEnded:
        took = time.perf_counter() - self._started
        begun, request = self._begun, self._begun.members
        is_tool = begun.operation == "call_tool"
        answer = _members(reply) if status != _bindings.OK or is_tool else {}
        error = _object(answer, "error")
        timing = _members(timing_json) or _object(error, "timing")
        total_us = timing.get("total_us")
        trace = None if begun.traceparent is None else _TRACEPARENT.fullmatch(begun.traceparent)
        return CallEnded(
            operation=begun.operation,
            status=word(status),
            outcome=_text(error, "outcome"),  # type: ignore[arg-type]
            code=_text(error, "code"),
            http_status=_number(error, "status"),
            request_id=_text(error, "request_id"),
            tag=_text(request, "tag"),
            idempotency_key=_text(answer if is_tool else request, "idempotency_key"),
            bot_id=_text(request, "bot_id"),
            trace_id=None if trace is None else trace[1],
            duration_ms=took * 1000 if total_us is None else total_us / 1000,
            attempts=timing.get("attempts", _number(error, "attempts")),
            timing=timing or None,
            tool=begun.tool,
            result=_text(answer, "result") if is_tool else None,
            tool_status=_tool_status(answer) if is_tool and status == _bindings.OK else None,
        )


def _tool_status(answer: Mapping[str, Any]) -> str | None:
    """Returns the status of the error in the answer to a tool call. None without an error."""
    if not _object(answer, "error"):
        return None
    return word(_bindings.pbk_reply_status(_bindings.encode({"error": answer["error"]})))


def with_traceparent(request: bytes, traceparent: str) -> bytes:
    """Returns a JSON object with the member `traceparent` added at its end. All earlier bytes keep
    their offsets, because errors contain offsets."""
    end = request.rindex(b"}")
    comma = b"" if request[:end].rstrip().endswith(b"{") else b","
    return b"".join([request[:end], comma, b'"traceparent":"', traceparent.encode(), b'"', request[end:]])


def _at(end: End, ended_ns: int, ended: CallEnded) -> None:
    end(ended, ended_ns)


def _tell(watchers: Iterable[Callable[[CallEnded], object]], ended: CallEnded) -> None:
    """Calls all watchers in order, even if one of them raises SystemExit."""
    with contextlib.ExitStack() as stack:
        for watcher in reversed(list(watchers)):
            stack.callback(_guarded, watcher, ended)


def _guarded(function: Callable[[Any], _Value], argument: Any) -> Optional[_Value]:  # noqa: UP007
    """Calls a watcher. Logs its exceptions, and returns None then. The caller never sees them.

    SystemExit, KeyboardInterrupt and similar exceptions pass. CancelledError does not pass, because
    it would look as if the task had been cancelled.
    """
    try:
        return function(argument)
    except (Exception, asyncio.CancelledError):
        _log.exception("a function that watches calls has raised an exception")
        return None


def _members(text: bytes | None) -> dict[str, Any]:
    """Reads a JSON object. Returns an empty one for anything else, which the library reports."""
    return (None if text is None else _read(text)) or {}


def _read(text: bytes) -> dict[str, Any] | None:
    """Reads a JSON object. Returns None for anything else."""
    try:
        members = parsed(text)
    except (ValueError, RecursionError):
        return None
    return members if isinstance(members, dict) else None


def _object(members: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = members.get(name)
    return value if isinstance(value, dict) else {}


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) and value else None


def _number(members: Mapping[str, Any], name: str) -> int | None:
    value = members.get(name)
    return value if isinstance(value, int) else None


def _decoded(text: bytes | None) -> str | None:
    return None if text is None else text.decode()
