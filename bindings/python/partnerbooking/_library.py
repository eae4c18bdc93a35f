"""Functions that find and load the shared library."""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path

VARIABLE = "PARTNERBOOKING_LIBRARY"
SONAME = "libpartnerbooking.so.1"


def candidates() -> list[str]:
    """Returns the file to load, in a list. If the environment variable names a file, there is no
    fallback to another library."""
    named = os.environ.get(VARIABLE)
    if named:
        return [named]
    inside = Path(__file__).with_name(SONAME)
    return [str(inside)] if inside.exists() else [SONAME]


def load() -> str:
    """Loads the library, and returns the name with which ctypes opens it again. Raises ImportError
    with advice when that fails."""
    [name] = candidates()
    try:
        ctypes.CDLL(name)
    except OSError as error:
        raise ImportError(f"{error}\n{_advice(name, str(error))}") from None
    return name


def libcurl(library: ctypes.CDLL, path: str) -> str:
    """Returns the version and origin of the library's libcurl, with the versions of the libraries
    that it uses."""
    try:
        version = library.curl_version
    except AttributeError:
        return "unknown"
    version.restype = ctypes.c_char_p
    names = version().decode(errors="replace")
    inside = Path(__file__).with_name(SONAME)
    versions = inside.with_name("bundled") / "versions.txt"
    if path != str(inside) or not versions.exists():
        return f"{names}, the system's"
    return f"{names}, from this package: {', '.join(versions.read_text().splitlines())}"


def _advice(name: str, reason: str) -> str:
    if re.search(r"undefined symbol: curl_|CURL_OPENSSL_4' not found", reason):
        return (
            "This libpartnerbooking needs the system's libcurl 7.81 or later, with Debian's symbol versions; "
            f"{_system_libcurl()}. The wheel of partnerbooking has one inside."
        )
    if "libcurl.so.4" in reason:
        return (
            "This libpartnerbooking uses the system's libcurl. Install it: libcurl4 (Debian, Ubuntu) or libcurl "
            "(Fedora). Or install the wheel of partnerbooking, which has one inside."
        )
    if "libstdc++.so.6" in reason:
        return "partnerbooking uses the system's C++ library, of GCC 11 or later: libstdc++6 (Debian, Ubuntu)."
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


def _system_libcurl() -> str:
    try:
        version = ctypes.CDLL("libcurl.so.4").curl_version
    except (OSError, AttributeError):
        return "here is another one"
    version.restype = ctypes.c_char_p
    return f"here is {version().decode(errors='replace').split(' ')[0]}"
