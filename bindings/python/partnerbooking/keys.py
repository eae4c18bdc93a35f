"""Idempotency keys. docs/exactly-once.md tells which one when."""

from __future__ import annotations

import ctypes

from . import _bindings
from ._handle import written
from .errors import Error
from .values import JSON, CreateBookingRequest


def booking_key(call_id: str, request: CreateBookingRequest | JSON) -> str:
    """Derives the key of a booking from the phone call and what is booked: bot, start, duration and phone number.

    However often a language model repeats a booking within one phone call, the key is the same, and so there is one
    booking.

    `call_id` has 1 to 256 bytes of UTF-8. One with a NUL byte or half a surrogate pair is a `ValueError`.
    """
    error, status = ctypes.c_void_p(), ctypes.c_int()
    key = _bindings.pbk_booking_key(
        _bindings.plain("call_id", call_id), written(request), ctypes.byref(error), ctypes.byref(status)
    )
    if key is None:
        raise Error.of(status.value, _bindings.take(error.value))
    return _bindings.take(key).decode()


def random_key() -> str:
    """A key that nobody has had before. Make it once for each booking that the caller wants, and keep it for all
    repetitions."""
    return _bindings.take(_bindings.pbk_random_key()).decode()
