"""Idempotency keys. docs/exactly-once.md describes when to use which function."""

from __future__ import annotations

import ctypes

from . import _bindings
from ._handle import written
from .errors import Error
from .values import JSON, CreateBookingRequest


def booking_key(call_id: str, request: CreateBookingRequest | JSON) -> str:
    """Derives the idempotency key of a booking from the phone call and the request. Bot, start,
    duration and phone number of the request count.

    A language model that repeats a booking within one phone call gets the same key, so there is one
    booking.

    `call_id` has 1 to 256 bytes of UTF-8. Raises ValueError when it contains a NUL byte or half a
    surrogate pair.
    """
    error, status = ctypes.c_void_p(), ctypes.c_int()
    key = _bindings.pbk_booking_key(
        _bindings.plain("call_id", call_id), written(request), ctypes.byref(error), ctypes.byref(status)
    )
    if key is None:
        raise Error.of(status.value, _bindings.take(error.value))
    return _bindings.take(key).decode()


def random_key() -> str:
    """Returns a new idempotency key. Make one for each booking that the caller wants, and use it
    for all repeats."""
    return _bindings.take(_bindings.pbk_random_key()).decode()
