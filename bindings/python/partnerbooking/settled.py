"""Reports about bookings whose end no call returned."""

from __future__ import annotations

import json
from dataclasses import dataclass

from . import _bindings
from .errors import Error
from .values import CreateBookingReply, parsed


@dataclass(frozen=True)
class Settled:
    """The end of a booking that no call returned: it is booked, or certainly not booked. Either
    `reply` or `error` is None."""

    idempotency_key: str
    """The booking's key."""
    tag: str | None
    """The tag of its call. None when it had none."""
    reply: CreateBookingReply | None
    """The platform's booking. None when nothing was booked."""
    error: Error | None
    """The reason why nothing was booked. Check `outcome`, as for any other error. None when it was
    booked."""

    @property
    def is_booked(self) -> bool:
        """True when there is an appointment. Then read `reply.start_at` and `reply.status` to the
        customer."""
        return self.reply is not None


def take(completion: int) -> Settled:
    """Reads a completion with the event `SETTLED`. The caller frees it."""
    key: bytes | None = _bindings.pbk_completion_key(completion)
    tag: bytes | None = _bindings.pbk_completion_tag(completion)
    status: int = _bindings.pbk_completion_status(completion)
    reply: bytes | None = _bindings.pbk_completion_reply(completion)
    named = (key or b"").decode(), None if tag is None else tag.decode()
    if reply is None:
        return Settled(*named, None, Error.of(_bindings.RESOURCE_UNAVAILABLE, _out_of_memory(named[0])))
    if status != _bindings.OK:
        return Settled(*named, None, Error.of(status, reply))
    return Settled(*named, CreateBookingReply(reply), None)


def settled_by_call(completion: int) -> Settled | None:
    """Reads the end of a booking from the completion of its call. None when it is still open."""
    is_open = _bindings.pbk_completion_outcome(completion) == _bindings.OUTCOME_UNKNOWN
    return None if is_open else take(completion)


def booked_by_tool(completion: int) -> Settled | None:
    """Reads the booking that a tool call has made. Returns None when it has made none."""
    if _bindings.pbk_completion_status(completion) != _bindings.OK:
        return None
    reply: bytes | None = _bindings.pbk_completion_reply(completion)
    members = {} if reply is None else parsed(reply)
    if members.get("result") != "booked" or not members.get("booking"):
        return None
    tag: bytes | None = _bindings.pbk_completion_tag(completion)
    booking = json.dumps({"booking": members["booking"]}, ensure_ascii=False).encode()
    return Settled(members["idempotency_key"], None if tag is None else tag.decode(), CreateBookingReply(booking), None)


def _out_of_memory(key: str) -> bytes:
    """Returns the error for a report that the library had no memory for. A repeat with the same
    key returns the reply."""
    members = {
        "code": "resource_unavailable",
        "message": "There was no memory for the report: repeat the booking with the same idempotency_key",
        "status": None,
        "source": "library",
        "retryable": True,
        "attempts": 0,
        "field": None,
        "request_id": None,
        "outcome": "unknown",
        "idempotency_key": key,
    }
    return json.dumps({"error": members}).encode()
