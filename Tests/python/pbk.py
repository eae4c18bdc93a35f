"""The C ABI through ctypes, as thin as can be: tests must meet the library's own behaviour and nothing of ours.

The library is the shared object that `PBK_LIBRARY` names, else the one that the build leaves in `build/lib`.
"""

from __future__ import annotations

import ctypes
import json
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = Path(os.environ.get("PBK_LIBRARY", ROOT / "build" / "lib" / "libpartnerbooking.so"))

Text = Any
"""What tests hand over as JSON: a dict is written compactly, str and bytes go as they are, None is a NULL pointer."""

library = ctypes.CDLL(str(LIBRARY))

_status_pointer = ctypes.POINTER(ctypes.c_int)
for _name, _result, _arguments in [
    ("pbk_version", ctypes.c_char_p, []),
    ("pbk_status_text", ctypes.c_char_p, [ctypes.c_int]),
    ("pbk_client_open", ctypes.c_void_p, [ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)]),
    ("pbk_client_close", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32]),
    # Returned strings stay pointers: as c_char_p ctypes would copy them and lose the address that has to be freed.
    ("pbk_search_availability", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p, _status_pointer]),
    ("pbk_create_booking", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p, _status_pointer]),
    ("pbk_string_free", None, [ctypes.c_void_p]),
]:
    _function = getattr(library, _name)
    _function.restype, _function.argtypes = _result, _arguments


class Result(NamedTuple):
    """What a call gave back."""

    status: int
    reply: bytes


class OpenError(Exception):
    """`pbk_client_open` gave no client. `reply` is its error."""

    def __init__(self, reply: bytes) -> None:
        super().__init__(reply.decode())
        self.reply = reply


def take(string: int | None) -> bytes:
    """Copies a returned string and gives it back to the library."""
    assert string is not None, "the library returned NULL"
    text = ctypes.string_at(string)
    library.pbk_string_free(string)
    return text


def encode(text: Text) -> bytes | None:
    if isinstance(text, dict):
        text = json.dumps(text, separators=(",", ":"), ensure_ascii=False)
    return text.encode() if isinstance(text, str) else text


def open_handle(config: Text) -> int:
    error = ctypes.c_void_p()
    handle = library.pbk_client_open(encode(config), ctypes.byref(error))
    if handle is None:
        raise OpenError(take(error.value))
    assert error.value is None, "a client and an error"
    return handle


def search(handle: int | None, request: Text) -> Result:
    return _call(library.pbk_search_availability, handle, request)


def book(handle: int | None, request: Text) -> Result:
    return _call(library.pbk_create_booking, handle, request)


def _call(function: Any, handle: int | None, request: Text) -> Result:
    status = ctypes.c_int(-1)
    reply = take(function(handle, encode(request), ctypes.byref(status)))
    return Result(status.value, reply)


class Client(AbstractContextManager):
    """An open client. Leaving the context closes it at once."""

    def __init__(self, config: Text) -> None:
        self.handle = open_handle(config)

    def __exit__(self, *exception: object) -> None:
        self.close(0)

    def search(self, request: Text) -> Result:
        return search(self.handle, request)

    def book(self, request: Text) -> Result:
        return book(self.handle, request)

    def close(self, timeout_ms: int = 1000) -> int:
        return library.pbk_client_close(self.handle, timeout_ms)
