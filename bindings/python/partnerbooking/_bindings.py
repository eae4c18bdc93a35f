"""The C ABI for ctypes: `argtypes` and `restype` of each function, and the conversion of strings.

`partnerbooking.h` is the reference. Completions and ledger batches are taken from the client, so
the library's threads do not enter Python. They cannot disturb an interpreter that is shutting down.
The log is the only exception: _log.py passes a function pointer to the library, and removes it
before the interpreter ends.
"""

from __future__ import annotations

import ctypes
import json
from collections.abc import Mapping
from typing import Any

from . import _library
from .values import JSON

SEARCH_AVAILABILITY, CREATE_BOOKING, LOOKUP_CUSTOMER, CALL_TOOL = 1, 2, 3, 4
"""Values of `pbk_operation`."""

DONE, SLOW, SETTLED = 1, 2, 3
"""Values of `pbk_event`."""

OUTCOME_UNKNOWN = 3
"""A value of `pbk_outcome`. The completion then does not contain the end of its booking."""

OK, CLIENT_CLOSED, WOULD_DEADLOCK, RESOURCE_UNAVAILABLE = 0, 3, 8, 21
"""The values of `pbk_status` that this package handles itself. errors.py has all of them."""

path = _library.load()
_waiting = ctypes.CDLL(path)
# A call through PyDLL keeps the GIL. Taking the GIL again costs up to 5 ms while another thread
# computes. That is a thousand times the duration of a non-blocking function, and asyncio calls
# several for each completion. The library's threads take the GIL only for the log, and hold no lock
# of the library then. So there is no deadlock.
_prompt = ctypes.PyDLL(path)

_status_out = ctypes.POINTER(ctypes.c_int)
# A string that must be freed stays a pointer. With c_char_p ctypes would lose its address.
_string = ctypes.c_void_p
_string_out = ctypes.POINTER(ctypes.c_void_p)
_handle = ctypes.c_void_p
_completion = ctypes.c_void_p
LOG_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)
"""The type `pbk_log_callback`."""


def _function(library: ctypes.CDLL, name: str, restype: Any, *argtypes: Any) -> Any:
    try:
        function = getattr(library, name)
    except AttributeError:
        raise ImportError(
            f"{path} is no libpartnerbooking, or one too old for this package: it has no {name}"
        ) from None
    function.restype, function.argtypes = restype, argtypes
    return function


def libcurl() -> str:
    """Returns a text about the libcurl that the library uses."""
    return _library.libcurl(_waiting, path)


# Functions that may block or read a file. They release the GIL, so other threads run meanwhile.
pbk_client_open = _function(_waiting, "pbk_client_open", _handle, ctypes.c_char_p, _string_out, _status_out)
pbk_client_open_with_ledger = _function(
    _waiting,
    "pbk_client_open_with_ledger",
    _handle,
    ctypes.c_char_p,
    ctypes.c_void_p,  # the callback, always NULL
    ctypes.c_void_p,
    _string_out,
    _status_out,
)
pbk_next_ledger_batch = _function(
    _waiting, "pbk_next_ledger_batch", _string, _handle, ctypes.c_int32, ctypes.POINTER(ctypes.c_uint64), _status_out
)
pbk_client_close = _function(_waiting, "pbk_client_close", ctypes.c_int, _handle, ctypes.c_int32)
pbk_search_availability = _function(_waiting, "pbk_search_availability", _string, _handle, ctypes.c_char_p, _status_out)
pbk_create_booking = _function(_waiting, "pbk_create_booking", _string, _handle, ctypes.c_char_p, _status_out)
pbk_lookup_customer = _function(_waiting, "pbk_lookup_customer", _string, _handle, ctypes.c_char_p, _status_out)
pbk_call_tool = _function(_waiting, "pbk_call_tool", _string, _handle, ctypes.c_char_p, _status_out)
wait_for_completion = _function(_waiting, "pbk_next_completion", _completion, _handle, ctypes.c_int32, _status_out)
"""`pbk_next_completion` for a thread that may block. All others use `pbk_next_completion` below."""

# It waits for a running log callback, which needs the GIL.
pbk_client_set_log = _function(
    _waiting, "pbk_client_set_log", ctypes.c_int, _handle, ctypes.c_int, LOG_CALLBACK, ctypes.c_void_p
)

# Functions that never block. They keep the GIL.
pbk_version = _function(_prompt, "pbk_version", ctypes.c_char_p)
pbk_status_text = _function(_prompt, "pbk_status_text", ctypes.c_char_p, ctypes.c_int)
pbk_pending_bookings = _function(_prompt, "pbk_pending_bookings", _string, _handle, _status_out)
pbk_sandbox_bookings = _function(_prompt, "pbk_sandbox_bookings", _string, _handle, _status_out)
pbk_booking_key = _function(
    _prompt, "pbk_booking_key", _string, ctypes.c_char_p, ctypes.c_char_p, _string_out, _status_out
)
pbk_random_key = _function(_prompt, "pbk_random_key", _string)
pbk_submit = _function(
    _prompt,
    "pbk_submit",
    ctypes.c_int,
    _handle,
    ctypes.c_int,
    ctypes.c_char_p,
    ctypes.POINTER(ctypes.c_uint64),
    _string_out,
    ctypes.c_void_p,  # the callback, always NULL
    ctypes.c_void_p,
)
pbk_cancel = _function(_prompt, "pbk_cancel", ctypes.c_int, _handle, ctypes.c_uint64)
pbk_stats = _function(_prompt, "pbk_stats", _string, _handle, _status_out)
pbk_prewarm = _function(_prompt, "pbk_prewarm", ctypes.c_int, _handle)
pbk_prefetch = _function(_prompt, "pbk_prefetch", ctypes.c_int, _handle, ctypes.c_char_p, _string_out)
pbk_conversation_end = _function(_prompt, "pbk_conversation_end", ctypes.c_int, _handle, ctypes.c_char_p, _string_out)
pbk_client_fd = _function(_prompt, "pbk_client_fd", ctypes.c_int, _handle)
# It could wait, but it is called with a timeout of 0 here.
pbk_next_completion = _function(_prompt, "pbk_next_completion", _completion, _handle, ctypes.c_int32, _status_out)
pbk_ledger_answer = _function(
    _prompt, "pbk_ledger_answer", ctypes.c_int, _handle, ctypes.c_uint64, ctypes.c_char_p, _string_out
)
pbk_completion_event = _function(_prompt, "pbk_completion_event", ctypes.c_int, _completion)
pbk_completion_operation = _function(_prompt, "pbk_completion_operation", ctypes.c_int, _completion)
pbk_completion_ticket = _function(_prompt, "pbk_completion_ticket", ctypes.c_uint64, _completion)
pbk_completion_status = _function(_prompt, "pbk_completion_status", ctypes.c_int, _completion)
pbk_completion_outcome = _function(_prompt, "pbk_completion_outcome", ctypes.c_int, _completion)
# These strings belong to the completion. ctypes copies them, and nobody frees them.
pbk_completion_reply = _function(_prompt, "pbk_completion_reply", ctypes.c_char_p, _completion)
pbk_completion_tag = _function(_prompt, "pbk_completion_tag", ctypes.c_char_p, _completion)
pbk_completion_key = _function(_prompt, "pbk_completion_key", ctypes.c_char_p, _completion)
pbk_completion_timing = _function(_prompt, "pbk_completion_timing", ctypes.c_char_p, _completion)
pbk_completion_free = _function(_prompt, "pbk_completion_free", None, _completion)
pbk_reply_status = _function(_prompt, "pbk_reply_status", ctypes.c_int, ctypes.c_char_p)
pbk_slots = _function(_prompt, "pbk_slots", _string, ctypes.c_char_p, ctypes.c_char_p, _status_out)
pbk_when = _function(_prompt, "pbk_when", _string, ctypes.c_char_p, _status_out)
pbk_say = _function(_prompt, "pbk_say", _string, ctypes.c_char_p, _status_out)
pbk_phone = _function(_prompt, "pbk_phone", _string, ctypes.c_char_p, _status_out)
pbk_tools = _function(_prompt, "pbk_tools", _string, ctypes.c_char_p, _status_out)
pbk_webhook_verify = _function(
    _prompt,
    "pbk_webhook_verify",
    ctypes.c_int,
    ctypes.POINTER(ctypes.c_char_p),
    ctypes.c_size_t,
    ctypes.c_char_p,
    ctypes.c_void_p,  # the body: bytes that may contain NUL
    ctypes.c_size_t,
    ctypes.c_int64,
    ctypes.c_int64,
)
pbk_webhook_verdict_text = _function(_prompt, "pbk_webhook_verdict_text", ctypes.c_char_p, ctypes.c_int)
pbk_webhook_sign = _function(
    _prompt, "pbk_webhook_sign", _string, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int64
)
pbk_string_free = _function(_prompt, "pbk_string_free", None, _string)


def plain(name: str, text: str | bytes) -> bytes:
    """Returns an argument that is not JSON as a C string. `name` is for the error message.

    Raises ValueError for a NUL byte, which would end the string early, and for half a surrogate
    pair, which UTF-8 cannot encode.
    """
    if not isinstance(text, (str, bytes)):
        raise TypeError(f"{name} is text, not {type(text).__name__}")
    try:
        encoded = text.encode() if isinstance(text, str) else text
    except UnicodeEncodeError as error:
        raise ValueError(f"{name} holds half a surrogate pair at {error.start}, which is no character") from None
    if b"\0" in encoded:
        raise ValueError(f"{name} holds a NUL byte")
    return encoded


def encode(text: JSON) -> bytes:
    """Returns JSON as a C string. Malformed JSON goes to the library, which refuses it with the
    place of the mistake.

    A NUL byte would end the string early. So it becomes another control character, which the
    library refuses at the same place.
    """
    # Texts first, because isinstance with Mapping is slow.
    if not isinstance(text, (str, bytes)) and isinstance(text, Mapping):
        text = _encoder.encode(text)
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    return text.replace(b"\0", b"\1") if b"\0" in text else text


def _plain(value: Any) -> Any:
    """Converts a Mapping that is no dict, which the JSON encoder does not know."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


# Kept, because json.dumps would make a new encoder for each text with these options.
_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=_plain)


def take(string: int | None) -> bytes:
    """Copies and frees a string that the library returned. Raises MemoryError for NULL."""
    if string is None:
        raise MemoryError("libpartnerbooking could not allocate its reply")
    text = ctypes.string_at(string)
    pbk_string_free(string)
    return text
