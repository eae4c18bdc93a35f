"""HTTP as the reference server handles it: requests that an API document can be held against, and replies."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from werkzeug.datastructures import Headers


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


def scripted_reply(step: dict[str, Any]) -> Reply:
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


def violation(document: OpenAPI, request: Request) -> str | None:
    """What an API document has against a request, or None."""
    try:
        document.validate_request(request)
    except OpenAPIError as error:
        details = getattr(error.__cause__, "schema_errors", None) or [error.__cause__ or ""]
        return f"{request.method} {request.path}: {error} {'; '.join(str(detail) for detail in details)}"
    return None


async def read_body(receive: Any) -> bytes | None:
    """None when the client left in the middle of its request: it has not asked for anything then."""
    parts = []
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        parts.append(event.get("body", b""))
        if not event.get("more_body", False):
            return b"".join(parts)


async def send_reply(reply: Reply, send: Any) -> None:
    headers = list(reply.headers)
    if reply.content_type is not None:
        headers.append(("content-type", reply.content_type))
    if not reply.chunked:
        headers.append(("content-length", str(len(reply.body))))
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})
    await send({"type": "http.response.body", "body": reply.body})
