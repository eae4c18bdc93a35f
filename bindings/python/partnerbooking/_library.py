"""Finds the shared object and loads it."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

VARIABLE = "PARTNERBOOKING_LIBRARY"
SONAME = "libpartnerbooking.so.1"


def candidates() -> list[str]:
    """Where to look. What the variable names is taken or nothing: another library than the one asked for would be a
    surprise."""
    named = os.environ.get(VARIABLE)
    if named:
        return [named]
    inside = Path(__file__).with_name(SONAME)
    return [str(inside)] if inside.exists() else [SONAME]


def load() -> str:
    """Loads the library and gives the name under which ctypes opens it again. ImportError says what to do when it
    cannot."""
    [name] = candidates()
    try:
        ctypes.CDLL(name)
    except OSError as error:
        raise ImportError(f"{error}\n{_advice(name, str(error))}") from None
    return name


def _advice(name: str, reason: str) -> str:
    if "libcurl.so.4" in reason:
        return "partnerbooking uses the system's libcurl. Install it: libcurl4 (Debian, Ubuntu) or libcurl (Fedora)."
    if "GLIBC_" in reason:
        return "This libpartnerbooking was built for a newer system than this one. Build it here: `make lib`."
    if os.environ.get(VARIABLE):
        return f"{VARIABLE} names what should be libpartnerbooking.so; correct it or take it away."
    if name == SONAME:
        return (
            "libpartnerbooking is neither in this package nor on this system. Install the wheel, which holds it, or "
            f"the library, or name the file in {VARIABLE}."
        )
    return "The library in this package cannot be loaded on this machine."
