"""A reference Partner API: an ASGI application that holds every request against `partner_api.openapi.yaml`.

It authenticates, books, keeps idempotency keys and refuses taken slots as the service does. Below `/webhook` it is a
platform instead (`reference_webhook.py`), which obeys the same scripts and writes to the same books. Below `/_test`
tests read what it has seen and order trouble for one bot or account (see `run_reference.py`, which wraps that side
channel in Python).
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from openapi_core import OpenAPI
from reference_books import Books, Owner
from reference_http import Reply, Request, api_error, read_body, scripted_reply, send_reply, violation
from reference_names import API_KEY, WEBHOOK_PATH
from reference_webhook import Webhook

SEARCH_PATH = "/v1/availability/search"
BOOKING_PATH = "/v1/bookings"
LOGGED_REPLY_MAX = 65536

OPENAPI = OpenAPI.from_file_path(str(Path(__file__).with_name("partner_api.openapi.yaml")))


@functools.lru_cache(maxsize=64)
def known_violation(request: Request) -> str | None:
    """A check takes 2 ms, so the last verdicts are kept."""
    return violation(OPENAPI, request)


class HostedService:
    """The Partner API."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def fault(self, request: Request) -> str | None:
        """What the API document has against a request. Ten thousand requests that differ in their bot alone are one
        request, and checked once.
        """
        bot_id = re.search(rb'"bot_id"\s*:\s*"(bot_\w+)"', request.body)
        if bot_id is None:
            return known_violation(request)
        return known_violation(replace(request, body=request.body.replace(bot_id[1], b"bot_x")))

    def refusal(self, request: Request) -> Reply | None:
        """What becomes of a request without the right key."""
        if request.header("authorization") == f"Bearer {API_KEY}":
            return None
        return api_error(401, "unauthorized", "The API key is not known")

    def owner(self, content: dict[str, Any]) -> Owner:
        return Owner("bot_id", content["bot_id"])

    def wanted(self, request: Request, content: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """The key and the booking, when it is a request for one."""
        if request.path != BOOKING_PATH:
            return None
        return request.header("idempotency-key") or "", content["booking"]

    def process(self, request: Request, content: dict[str, Any]) -> Reply:
        wanted = self.wanted(request, content)
        return _search(content) if wanted is None else self._books.book(self.owner(content), *wanted)


class PartnerApi:
    """The application and everything it remembers. One event loop serves it, so nothing needs a lock."""

    def __init__(self) -> None:
        self.log: list[dict[str, Any]] = []
        self.violations: list[str] = []
        self.scripts: dict[str, list[dict[str, Any]]] = {}
        self.books = Books()
        self.hosted, self.webhook = HostedService(self.books), Webhook(self.books)
        self.in_flight: list[str | None] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        body = await read_body(receive)
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
            key = request.header("idempotency-key") or _key_in_body(request)
            self.in_flight.append(key)
            try:
                reply = await self._serve(request, scope)
            finally:
                self.in_flight.remove(key)
        await send_reply(reply, send)

    async def _lifespan(self, receive: Any, send: Any) -> None:
        while True:
            event = await receive()
            await send({"type": f"{event['type']}.complete"})
            if event["type"] == "lifespan.shutdown":
                return

    # The two sides

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
        side = self.webhook if request.path.startswith(f"{WEBHOOK_PATH}/") else self.hosted
        fault = side.fault(request)
        if fault is not None:
            self.violations.append(fault)
            return api_error(400, "invalid_payload", fault)
        refusal = side.refusal(request)
        if refusal is not None:
            return refusal

        content = json.loads(request.body)
        steps = self.scripts.get(side.owner(content).name, [])
        step = steps.pop(0) if len(steps) > 1 else (steps[0] if steps else {})
        wanted = side.wanted(request, content)
        if wanted is not None:
            self.books.ask(side.owner(content), *wanted)
        await asyncio.sleep(step.get("delay_ms", 0) / 1000)
        if "status" not in step:
            reply = side.process(request, content)
        else:
            if step.get("processed"):
                side.process(request, content)
            reply = scripted_reply(step)
        await asyncio.sleep(step.get("hold_ms", 0) / 1000)
        return reply

    def _connect_ahead(self, request: Request) -> Reply:
        """A client gets its connection ready with a request for nothing. It must not carry anything of anybody's."""
        names = {name for name, _ in request.headers}
        if "authorization" in names or any(name.startswith("x-dialstack") for name in names) or request.body:
            self.violations.append("head /: with a key or a body")
        return Reply(404, b"")

    # The side channel of the tests

    def _side_channel(self, request: Request, query: str) -> Reply:
        if request.path == "/_test/script":
            order = json.loads(request.body)
            if "account_id" in order:
                self.webhook.announce(order["account_id"], order)
            self.scripts[order.get("account_id") or order["bot_id"]] = order["steps"]
            return Reply(200, b"{}")
        if request.path == "/_test/log":
            about = parse_qs(query)["about"][0]
            found = [entry for entry in self.log if about in entry["path"] or about in entry["body"]]
            return Reply(200, json.dumps(found).encode())
        if request.path == "/_test/bookings":
            only = {name: values[0] for name, values in parse_qs(query).items()}
            lists = {"requests": self.books.asked, "bookings": self.books.made}
            found = {name: [entry for entry in lists[name] if only.items() <= entry.items()] for name in lists}
            key = only.get("idempotency_key")
            in_flight = len(self.in_flight) if key is None else self.in_flight.count(key)
            return Reply(200, json.dumps({"in_flight": in_flight, **found}).encode())
        if request.path == "/_test/violations":
            found, self.violations = self.violations, []
            return Reply(200, json.dumps(found).encode())
        return api_error(404, "not_found")


def _key_in_body(request: Request) -> str | None:
    """The key of a relayed booking, whatever else may be wrong with the request."""
    key = re.match(rb'\{"account_id":"[^"]*","idempotency_key":"([^"]*)"', request.body)
    return None if key is None else key[1].decode("latin-1")


def _search(content: dict[str, Any]) -> Reply:
    """Two slots in a spelling no encoder of ours would choose, so that a library which re-encodes is found out."""
    day = content["query"]["filter"]["start_at_range"]["start_at"][:10]
    slots = ", ".join(
        f'{{"duration_minutes":30 , "start_at":"{day}T{hour}:00:00-05:00","price":1.50e+2}}' for hour in (10, 14)
    )
    bot_id = json.dumps(content["bot_id"])
    text = f'{{ "bot_id":{bot_id},\n\t"availabilities":[{slots}],"place":"Z\\u00fcrich\\/\u20ac"}}\n'
    return Reply(200, text.encode())
