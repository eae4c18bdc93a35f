"""The head of an HTTP/1.1 request, and the limits of a server. Nothing here blocks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) (/[!-~]*) HTTP/([0-9])\.([0-9])")
_HEADER = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^\x00-\x08\x0a-\x1f\x7f]*)")
"""Its repeats match different characters, so the time grows only with the line's length."""
_LENGTH = re.compile(r"[0-9]{1,12}")
_LISTS = {"accept", "accept-encoding", "accept-language", "baggage", "cache-control", "cookie", "forwarded", "te"}
_LISTS |= {"trailer", "tracestate", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
"""Headers that may occur twice. All others may not: a second header for the client's identity or
the end of the body would be ambiguous."""


@dataclass(frozen=True)
class Limits:
    """The limits that protect the server from its clients. docs/tool-server.md lists them."""

    connections: int = 256
    head_bytes: int = 16_384
    headers: int = 100
    body_bytes: int = 4_194_304
    bodies_bytes: int = 67_108_864
    """The sum of all bodies that are being read or answered."""
    head_seconds: float = 10.0
    body_seconds: float = 20.0
    idle_seconds: float = 75.0
    """The time between two requests of a connection."""
    write_seconds: float = 10.0


@dataclass(frozen=True)
class Head:
    """A request without its body."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    """The values by lower-case name."""
    version: int
    """The minor version: 1 for HTTP/1.1."""


@dataclass(frozen=True)
class Reply:
    status: int
    members: Mapping[str, Any]
    """The body, which is sent as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """An error that ends a request. Its `reply` is JSON."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.reply = Reply(status, {"error": {"code": code, "message": message}}, named)


def head_of(data: bytes, limits: Limits) -> Head:
    """Parses a head that ends with its blank line. Raises `Refused`."""
    first, *lines = data[:-4].decode("latin-1").split("\r\n")
    found = _REQUEST_LINE.fullmatch(first)
    if found is None:
        raise Refused(400, "bad_request", "Not a request of HTTP/1.1")
    method, target, major, minor = found.groups()
    if major != "1":
        raise Refused(505, "bad_request", "HTTP/1.1 is spoken here")
    if len(lines) > limits.headers:
        raise Refused(431, "too_large", f"A request has at most {limits.headers} headers")
    headers: dict[str, str] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        name = "" if header is None else header[1].lower()
        if header is None or (name in headers and name not in _LISTS):
            raise Refused(400, "bad_request", "A header is malformed, or there twice")
        value = header[2].strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if minor != "0" and "host" not in headers:
        raise Refused(400, "bad_request", "The header Host is missing")
    path, _, query = target.partition("?")
    return Head(method, path, query, headers, int(minor))


def length_of(head: Head) -> int | None:
    """Returns the length of the body. None for a chunked body. Raises `Refused`."""
    length, coding = head.headers.get("content-length"), head.headers.get("transfer-encoding")
    if coding is not None:
        if length is not None or head.version == 0:
            raise Refused(400, "bad_request", "The body has two lengths")
        if coding.lower() != "chunked":
            raise Refused(501, "not_implemented", "Transfer-Encoding may be chunked only")
        return None
    if length is None:
        if head.method == "POST":
            raise Refused(411, "no_length", "The header Content-Length is missing")
        return 0
    if not _LENGTH.fullmatch(length):
        raise Refused(400, "bad_request", "Content-Length has to be a number")
    return int(length)


def keeps_alive(head: Head) -> bool:
    """Returns True when the client wants to send another request on the connection."""
    wishes = {word.strip().lower() for word in head.headers.get("connection", "").split(",")}
    return "close" not in wishes and (head.version > 0 or "keep-alive" in wishes)
