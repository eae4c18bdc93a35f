"""A reference Partner API: an ASGI application that holds every request against `partner_api.openapi.yaml`.

It authenticates, books, keeps idempotency keys and refuses taken slots as the service does. Below `/_test` tests read
what it has seen and order trouble for one bot (see `run_reference.py`, which wraps that side channel in Python).
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import json
import re
import time
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers

API_KEY = "sk_ptnr_ring3_0123456789abcdef"
SEARCH_PATH = "/v1/availability/search"
BOOKING_PATH = "/v1/bookings"
LOGGED_REPLY_MAX = 65536

OPENAPI = OpenAPI.from_file_path(str(Path(__file__).with_name("partner_api.openapi.yaml")))


@dataclass(frozen=True)
class Request:
    """One HTTP request, in the shape that openapi-core asks for."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    host_url: str = "http://127.0.0.1"

    @property
    def content_type(self) -> str:
        return self.header("content-type") or ""

    @property
    def parameters(self) -> RequestParameters:
        return RequestParameters(header=Headers(self.headers))

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known == name), None)


@functools.lru_cache(maxsize=64)
def violation(request: Request) -> str | None:
    """What the API document has against a request, or None. A check takes 2 ms, so the last verdicts are kept."""
    try:
        OPENAPI.validate_request(request)
    except OpenAPIError as error:
        details = getattr(error.__cause__, "schema_errors", None) or [error.__cause__ or ""]
        return f"{request.method} {request.path}: {error} {'; '.join(str(detail) for detail in details)}"
    return None


def violation_whoever_asks(request: Request) -> str | None:
    """As `violation`, but ten thousand requests that differ in their bot alone are one request, and checked once."""
    bot_id = re.search(rb'"bot_id"\s*:\s*"(bot_\w+)"', request.body)
    if bot_id is None:
        return violation(request)
    return violation(replace(request, body=request.body.replace(bot_id[1], b"bot_x")))


@dataclass
class Reply:
    """One HTTP reply, and how to send it."""

    status: int
    body: bytes
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str | None = "application/json"
    chunked: bool = False


def api_error(status: int, code: str, message: str = "Ordered by the test") -> Reply:
    return Reply(status, json.dumps({"error": {"code": code, "message": message}}).encode())


class PartnerApi:
    """The application and everything it remembers. One event loop serves it, so nothing needs a lock."""

    def __init__(self) -> None:
        self.log: list[dict[str, Any]] = []
        self.violations: list[str] = []
        self.scripts: dict[str, list[dict[str, Any]]] = {}
        self.bookings: dict[str, bytes] = {}
        self.taken: set[tuple[str, str]] = set()
        self.made: list[dict[str, str]] = []
        self.asked: list[dict[str, str]] = []
        self.in_flight: list[str | None] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        body = await _read_body(receive)
        if body is None:
            return
        request = Request(
            method=scope["method"].lower(),
            path=scope["path"],
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]),
            body=body,
        )
        if request.path.startswith("/_test/"):
            reply = self._side_channel(request, scope["query_string"].decode("latin-1"))
        else:
            key = request.header("idempotency-key")
            self.in_flight.append(key)
            try:
                reply = await self._serve(request, scope)
            finally:
                self.in_flight.remove(key)
        await _send(reply, send)

    async def _lifespan(self, receive: Any, send: Any) -> None:
        while True:
            event = await receive()
            await send({"type": f"{event['type']}.complete"})
            if event["type"] == "lifespan.shutdown":
                return

    # The Partner API

    async def _serve(self, request: Request, scope: dict[str, Any]) -> Reply:
        """Logs the request, answers it, and logs the answer."""
        entry: dict[str, Any] = {
            "at": time.monotonic(),
            "method": request.method.upper(),
            "path": request.path,
            "headers": request.headers,
            "body": request.body.decode("latin-1"),
            "http_version": scope["http_version"],
            "client_port": scope["client"][1],
        }
        self.log.append(entry)
        reply = await self._answer(request)
        reply.headers.append(("x-request-id", f"req-{len(self.log)}"))
        entry["status"] = reply.status
        entry["reply"] = reply.body[:LOGGED_REPLY_MAX].decode("latin-1")
        return reply

    async def _answer(self, request: Request) -> Reply:
        if (request.method, request.path) == ("head", "/"):
            return self._connect_ahead(request)
        fault = violation_whoever_asks(request)
        if fault is not None:
            self.violations.append(fault)
            return api_error(400, "invalid_payload", fault)
        if request.header("authorization") != f"Bearer {API_KEY}":
            return api_error(401, "unauthorized", "The API key is not known")

        content = json.loads(request.body)
        steps = self.scripts.get(content["bot_id"], [])
        step = steps.pop(0) if len(steps) > 1 else (steps[0] if steps else {})
        if request.path == BOOKING_PATH:
            self.asked.append(_names(request.header("idempotency-key") or "", content))
        await asyncio.sleep(step.get("delay_ms", 0) / 1000)
        if "status" not in step:
            reply = self._process(request, content)
        else:
            if step.get("processed"):
                self._process(request, content)
            reply = _scripted(step)
        await asyncio.sleep(step.get("hold_ms", 0) / 1000)
        return reply

    def _connect_ahead(self, request: Request) -> Reply:
        """A client gets its connection ready with a request for nothing. It must not carry anything of anybody's."""
        if request.header("authorization") is not None or request.body:
            self.violations.append("head /: with a key or a body")
        return Reply(404, b"")

    def _process(self, request: Request, content: dict[str, Any]) -> Reply:
        if request.path == SEARCH_PATH:
            return _search(content)
        return self._book(request.header("idempotency-key") or "", content)

    def _book(self, key: str, content: dict[str, Any]) -> Reply:
        if key in self.bookings:
            return Reply(200, self.bookings[key])
        wanted = content["booking"]
        slot = (content["bot_id"], wanted["start_at"])
        if slot in self.taken:
            return api_error(409, "slot_unavailable", "The requested time slot is no longer available")
        self.taken.add(slot)
        start = datetime.strptime(wanted["start_at"], "%Y-%m-%dT%H:%M:%S%z")
        end = start + timedelta(minutes=wanted["duration_minutes"])
        booking = {
            "id": f"bkg_{len(self.bookings) + 1:026d}",
            "status": "confirmed",
            "start_at": wanted["start_at"],
            "end_at": end.isoformat(),
            "customer": {"phone": wanted["customer"]["phone"], "name": wanted["customer"]["name"]},
            "platform_reference": key,
        }
        self.bookings[key] = json.dumps({"booking": booking}, indent=1).encode()
        self.made.append({**_names(key, content), "id": booking["id"]})
        return Reply(201, self.bookings[key])

    # The side channel of the tests

    def _side_channel(self, request: Request, query: str) -> Reply:
        if request.path == "/_test/script":
            order = json.loads(request.body)
            self.scripts[order["bot_id"]] = order["steps"]
            return Reply(200, b"{}")
        if request.path == "/_test/log":
            about = parse_qs(query)["about"][0]
            found = [entry for entry in self.log if about in entry["path"] or about in entry["body"]]
            return Reply(200, json.dumps(found).encode())
        if request.path == "/_test/bookings":
            only = {name: values[0] for name, values in parse_qs(query).items()}
            lists = {"requests": self.asked, "bookings": self.made}
            found = {name: [entry for entry in lists[name] if only.items() <= entry.items()] for name in lists}
            key = only.get("idempotency_key")
            in_flight = len(self.in_flight) if key is None else self.in_flight.count(key)
            return Reply(200, json.dumps({"in_flight": in_flight, **found}).encode())
        if request.path == "/_test/violations":
            found, self.violations = self.violations, []
            return Reply(200, json.dumps(found).encode())
        return api_error(404, "not_found")


def _names(key: str, content: dict[str, Any]) -> dict[str, str]:
    """What a booking is found by."""
    return {"idempotency_key": key, "bot_id": content["bot_id"], "start_at": content["booking"]["start_at"]}


def _search(content: dict[str, Any]) -> Reply:
    """Two slots in a spelling no encoder of ours would choose, so that a library which re-encodes is found out."""
    day = content["query"]["filter"]["start_at_range"]["start_at"][:10]
    slots = ", ".join(
        f'{{"duration_minutes":30 , "start_at":"{day}T{hour}:00:00-05:00","price":1.50e+2}}' for hour in (10, 14)
    )
    bot_id = json.dumps(content["bot_id"])
    text = f'{{ "bot_id":{bot_id},\n\t"availabilities":[{slots}],"place":"Z\\u00fcrich\\/\u20ac"}}\n'
    return Reply(200, text.encode())


def _scripted(step: dict[str, Any]) -> Reply:
    """The reply that a test has ordered: an error object unless the step has a body of its own."""
    reply = api_error(step["status"], step.get("code", f"ordered_{step['status']}"))
    reply.headers = [(name, value) for name, value in step.get("headers", {}).items()]
    reply.content_type = step.get("content_type", "application/json")
    reply.chunked = step.get("chunked", False)
    if "body" in step:
        reply.body = step["body"].encode()
    if "pad_to" in step:
        reply.body = reply.body[:1].ljust(step["pad_to"] - len(reply.body) + 1) + reply.body[1:]
    if step.get("gzip"):
        reply.body = gzip.compress(reply.body)
        reply.headers.append(("content-encoding", "gzip"))
    return reply


async def _read_body(receive: Any) -> bytes | None:
    """None when the client left in the middle of its request: it has not asked for anything then."""
    parts = []
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        parts.append(event.get("body", b""))
        if not event.get("more_body", False):
            return b"".join(parts)


async def _send(reply: Reply, send: Any) -> None:
    headers = list(reply.headers)
    if reply.content_type is not None:
        headers.append(("content-type", reply.content_type))
    if not reply.chunked:
        headers.append(("content-length", str(len(reply.body))))
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": reply.body})
