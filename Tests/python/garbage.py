"""What is no handle, and what is no text."""

from __future__ import annotations

import ctypes

BUFFER = ctypes.create_string_buffer(b"\xa5" * 4096)
"""Memory of ours, whose address is no handle."""

GARBAGE = {
    "null": None,
    "one": 1,
    "page": 0x1000,
    "a real buffer": ctypes.addressof(BUFFER),
    "the last but one": (1 << 64) - 2,
    "all ones": (1 << 64) - 1,
    "the sign bit": 1 << 63,
}

BROKEN_UTF8 = {
    "a byte of no meaning": b"\xff",
    "a lone continuation": b"\x80",
    "an overlong slash": b"\xc0\xaf",
    "a surrogate": b"\xed\xa0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "a sequence cut short": b"\xe2\x82",
}
