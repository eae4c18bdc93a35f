"""The zoo on the wire: HTTP/1.1 by hand, so that a connection can be dropped at any point. HTTP/2
is in `zoo_http2.py`: this file needs the standard library alone.

A booking is asked for as at the Partner API or as at a platform's webhook; the bot or the account
names the platform. Below `/_zoo` campaigns make platforms and read their books. """

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import re
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from zoo import Act, Answer, Platform, Request, Unasked, refusal
from zoo_answers import make_platform

API_KEY = "sk_ptnr_zoo_0123456789abcdef"
SECRET = "whsec_zoo_0123456789abcdef"
TOLERANCE = 300
HOOK = "/webhook"
BOOKINGS = ("/v1/bookings", f"{HOOK}/bookings")
SEARCHES = ("/v1/availability/search", f"{HOOK}/availability/search")
LOOKUPS = f"{HOOK}/customers/lookup"
WATCHED = 0.02
LAGS = 50
REASONS = {200: "OK", 201: "Created", 404: "Not Found", 409: "Conflict"}


@dataclass
class Asked:
    """A request of any kind, arrived whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    way: str
    unasked_at: float | None = None
    booking: Request | None = None
    """The entry in the books, when it is a request for a booking."""


class Zoo:
    """All platforms."""

    def __init__(self) -> None:
        self.platforms: dict[str, Platform] = {}
        self._due = time.monotonic()
        self._lags: deque[float] = deque([0.0], maxlen=LAGS)

    async def respond(self, asked: Asked) -> Act:
        if asked.method == "HEAD":
            return Act(Answer(404, None))
        path = urlsplit(asked.path)
        if path.path.startswith("/_zoo/"):
            content = json.loads(asked.body) if asked.body else {}
            query = {name: values[0] for name, values in parse_qs(path.query).items()}
            return Act(Answer(200, self._order(path.path.removeprefix("/_zoo/"), content | query)))
        return await self._serve(asked)

    async def watch_lag(self) -> None:
        """Looks how late this process comes to its work. Times in the books are late by as much, or
        some times that."""
        while True:
            self._due = time.monotonic() + WATCHED
            await asyncio.sleep(WATCHED)
            self._lags.append(time.monotonic() - self._due)

    def _lag(self) -> float:
        """The worst of the last second."""
        return max(*self._lags, time.monotonic() - self._due, 0)

    def _order(self, what: str, content: dict[str, Any]) -> Any:
        if what == "platform":
            self.platforms[content["name"]] = make_platform(content)
        elif what == "books":
            return self.platforms[content["name"]].books()
        elif what == "forget":
            del self.platforms[content["name"]]
        elif what == "work":
            # Replies that were not written yet count, too: a client may still be waiting for them.
            books = [self.platforms[name] for name in content["names"].split(",")]
            return sum(each.in_work + sum(request.ended is None for request in each.requests) for each in books)
        return {}

    async def _serve(self, asked: Asked) -> Act:
        try:
            content = json.loads(asked.body)
            is_webhook = asked.path.startswith(f"{HOOK}/")
            name = content["account_id" if is_webhook else "bot_id"]
            key = content.get("idempotency_key") if is_webhook else asked.headers.get("idempotency-key")
        except (ValueError, KeyError, TypeError):
            return Act(refusal(400, "invalid_payload"))
        if (platform := self.platforms.get(name)) is None:
            return Act(refusal(404, "bot_not_found"))
        if is_webhook and not is_signed(asked.headers.get("x-dialstack-signature", ""), asked.body):
            return Act(refusal(401, "invalid_signature"))
        bearer, bears_key, caller = asked.headers.get("authorization", "").partition(f"Bearer {API_KEY}")
        if not is_webhook and (bearer or not bears_key):
            return Act(refusal(401, "unauthorized"))
        if asked.path in SEARCHES:
            return await platform.search(content.get("query"))
        if asked.path == LOOKUPS:
            return platform.look_up(content.get("customer"))
        if asked.path not in BOOKINGS or not key:
            return Act(refusal(404, "not_found"))
        asked.booking = platform.receive(
            key, content["booking"], asked.way, lag=self._lag(), unasked_at=asked.unasked_at, caller=caller
        )
        return await platform.take(asked.booking)


def is_signed(signature: str, body: bytes) -> bool:
    timestamp = re.match(r"t=([0-9]{1,15}),v1=", signature)
    if timestamp is None or abs(time.time() - int(timestamp[1])) > TOLERANCE:
        return False
    digest = hmac.new(SECRET.encode(), f"{timestamp[1]}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"t={timestamp[1]},v1={digest}", signature)


class Connection(asyncio.Protocol):
    """What both protocols share."""

    def __init__(self, zoo: Zoo) -> None:
        self._zoo = zoo
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: asyncio.Transport
        self._ending = "gone"
        """What becomes of the requests that have no answer when the connection is lost."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _drop(self, request: Request | None, answered: str) -> None:
        """With a FIN or, by chance, with a reset."""
        self._ending = "dropped"
        if request is not None:
            request.end(answered)
            if request.rng("how").random() < 0.5:
                raw = self._transport.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()


class Http1(Connection):
    """One request at a time, as libcurl sends them."""

    def __init__(self, zoo: Zoo, is_kept: bool) -> None:
        super().__init__(zoo)
        self._is_kept = is_kept
        self._buffer = b""
        self._asked: Asked | None = None
        self._unasked_at: float | None = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._asked is None and (asked := self._parse()) is not None:
            self._asked = asked
            self._spawn(self._serve(asked))

    def connection_lost(self, error: Exception | None) -> None:
        end_of(self._asked, self._ending)

    def _parse(self) -> Asked | None:
        head, blank, rest = self._buffer.partition(b"\r\n\r\n")
        if not blank:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return None
        self._buffer = rest[length:]
        method, path, _ = first.split(" ")
        way = "kept" if self._is_kept else "fresh"
        return Asked(method, path, headers, rest[:length], way, self._unasked_at)

    async def _serve(self, asked: Asked) -> None:
        if asked.unasked_at is not None:
            # The client takes what lies on the connection for its reply. The real one would be the
            # next request's.
            asyncio.get_running_loop().call_soon(lambda: self._drop(asked.booking, "unread"))
        act = await self._zoo.respond(asked)
        if self._transport.is_closing():
            end_of(asked, self._ending)
            return
        if act.answer is None:
            self._drop(asked.booking, "dropped")
            return
        is_last = not self._is_kept or asked.headers.get("connection") == "close"
        reply = _reply(act.answer, is_last, has_body=asked.method != "HEAD")
        if act.is_cut:
            self._transport.write(reply[: len(reply) - len(act.answer.body) // 2])
            # What was written has to leave before the connection does.
            asyncio.get_running_loop().call_later(0.005, self._drop, asked.booking, "cut")
            return
        self._transport.write(reply)
        end_of(asked, act.answer.status)
        self._asked = None
        if is_last:
            self._transport.close()
        elif act.unasked is not None:
            asyncio.get_running_loop().call_later(act.unasked.seconds, self._write_unasked, act.unasked)

    def _write_unasked(self, unasked: Unasked) -> None:
        """Only to a connection without a request on it: which of two comes first is nobody's
        fault."""
        if self._asked is not None or self._buffer or self._transport.is_closing():
            return
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        if not poll.poll(0):
            self._transport.write(_reply(unasked.answer, is_last=False, has_body=True))
            self._unasked_at = time.monotonic()


def end_of(asked: Asked | None, answered: int | str) -> None:
    if asked is not None and asked.booking is not None:
        asked.booking.end(answered)


def _reply(answer: Answer, is_last: bool, has_body: bool) -> bytes:
    body = answer.body if has_body else b""
    lines = [
        f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, 'Whatever')}",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in answer.headers),
        *(["content-type: application/json"] if has_body else []),
        *(["connection: close"] if is_last else []),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body
