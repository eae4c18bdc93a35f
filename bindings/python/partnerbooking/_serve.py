"""The tool server: checks and answers requests. docs/tool-server.md describes it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import _hosts, _output
from ._calls import Answer, Calls, is_call_id, json_of, phone
from ._hosts import Asked, Ended, Message, Rings, ToolCall
from ._http_head import Head, Refused, Reply
from ._version import __version__

_FORWARDED = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""Headers that show that a request came through a proxy, perhaps from another machine."""

_SHAPES: dict[str, tuple[Callable[[Any], Message], Callable[[Asked, Sequence[Answer]], dict[str, Any]]]] = {
    "/vapi": (_hosts.vapi, _hosts.vapi_answer),
    "/retell": (_hosts.retell, _hosts.retell_answer),
}


@dataclass(frozen=True)
class Secrets:
    """The secrets of the permitted clients. Each of several is valid, so they can be changed one
    by one."""

    shared: Sequence[bytes] = field(default=(), repr=False)
    retell: Sequence[bytes] = field(default=(), repr=False)

    def fit(self, head: Head) -> bool:
        """Returns True when the request has a shared secret. A wrong secret takes the same time."""
        scheme, _, token = head.headers.get("authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else head.headers.get("x-vapi-secret", "")
        digest = hashlib.sha256(given.encode("latin-1")).digest()
        fits = False
        for secret in self.shared:
            fits |= hmac.compare_digest(digest, hashlib.sha256(secret).digest())
        return fits


@dataclass(frozen=True)
class Names:
    """The headers or members of the body that contain call ID, caller's number and arguments.

    They apply to requests to `/tools/NAME` and `/end`.
    """

    call_header: str = "x-call-id"
    phone_header: str = "x-caller-phone"
    call_field: str | None = None
    phone_field: str | None = None
    arguments_field: str | None = None


class ToolServer:
    """The tool server, which has `admit` and `handle` for an `HTTPServer`."""

    def __init__(self, calls: Calls, tools: Sequence[str], secrets: Secrets, names: Names = Names()) -> None:
        self._calls = calls
        self._tools = {f"/tools/{name}": name for name in tools}
        self._secrets = secrets
        self._names = names
        self.is_stopping = False

    def admit(self, head: Head) -> None:
        """Refuses a request before its body is read."""
        is_health = head.path == "/health"
        if not is_health and head.path not in _SHAPES and head.path != "/end" and head.path not in self._tools:
            raise Refused(404, "not_found", "There are POST /vapi, /retell, /tools/NAME and /end, and GET /health")
        method = "GET" if is_health else "POST"
        if head.method != method:
            raise Refused(405, "wrong_method", f"Use {method}", Allow=method)
        if is_health:
            return
        if not self._may_ask(head):
            raise Refused(401, "unauthorized", "The secret is missing or wrong", WWW_Authenticate="Bearer")
        media, _, _ = head.headers.get("content-type", "").partition(";")
        if media.strip().lower() != "application/json":  # a form of a web page cannot send this type
            raise Refused(415, "not_json", "Content-Type has to be application/json")

    def _may_ask(self, head: Head) -> bool:
        if self._secrets.shared and self._secrets.fit(head):
            return True
        if head.path == "/retell" and self._secrets.retell:
            return _hosts.retell_may_verify(head.headers.get("x-retell-signature", ""))
        if self._secrets.shared or self._secrets.retell:
            return False
        if not is_loopback(_host(head)) or any(name in head.headers for name in _FORWARDED):
            raise Refused(403, "no_secret", "The server has no secret, and answers this machine only")
        return True

    async def handle(self, head: Head, body: bytes) -> Reply:
        """Answers a request that `admit` has accepted."""
        if head.path == "/health":
            state = "stopping" if self.is_stopping else "ok"
            return Reply(503 if self.is_stopping else 200, {"status": state, "version": __version__})
        if head.path == "/retell" and self._secrets.retell and not self._secrets.fit(head):
            signature = head.headers.get("x-retell-signature", "")
            if not _hosts.retell_verifies(signature, body, self._secrets.retell):
                raise Refused(401, "unauthorized", "The signature is wrong", WWW_Authenticate="Bearer")
        members = _json(body)
        if head.path in _SHAPES:
            read, written = _SHAPES[head.path]
            return await self._host(read(members), written)
        call_id, caller_phone = self._named(head, members)
        if head.path == "/end":
            self._calls.end(call_id)
            return Reply(200, {})
        path = self._names.arguments_field
        arguments = members if path is None else _hosts.at(members, path)
        if arguments is not None and not isinstance(arguments, (dict, str)):
            arguments = "[]"
        asked = Asked(call_id, caller_phone, [ToolCall("", self._tools[head.path], arguments)])
        [answer] = await self._answers(asked)
        return Reply(200, {**answer.for_model(), "is_error": answer.is_error})

    async def _host(self, message: Message, written: Callable[[Asked, Sequence[Answer]], dict[str, Any]]) -> Reply:
        if isinstance(message, Asked):
            return Reply(200, written(message, await self._answers(message)))
        if isinstance(message, Rings) and is_call_id(message.call_id):
            self._calls.begin(message.call_id, message.caller_phone)
        elif isinstance(message, Ended):
            self._calls.end(message.call_id)
        return Reply(200, {})

    async def _answers(self, asked: Asked) -> list[Answer]:
        call_id = asked.call_id if is_call_id(asked.call_id) else ""
        if not call_id:
            _output.log("partnerbooking serve: the host has named no phone call: nothing is found or booked")

        async def answer(call: ToolCall) -> Answer:
            begun = time.monotonic()
            answer = await self._calls.answer(call_id, asked.caller_phone, call.name, call.arguments)
            took = int((time.monotonic() - begun) * 1000)
            tool = call.name if f"/tools/{call.name}" in self._tools else "another tool"
            key = "" if answer.result is None else answer.result.idempotency_key or ""
            became = f"{answer.for_model()['result']} in {took} ms, call {call_id}"
            _output.log(f"partnerbooking serve: {tool}: {became}{', booking ' if key else ''}{key}")
            return answer

        return list(await asyncio.gather(*(answer(call) for call in asked.calls)))

    def _named(self, head: Head, members: Any) -> tuple[str, str | None]:
        names = self._names
        if names.call_field is None:
            place, call_id = f"the header {names.call_header}", head.headers.get(names.call_header)
        else:
            place, call_id = f"the member {names.call_field}", _hosts.at(members, names.call_field)
        if not isinstance(call_id, str) or not is_call_id(call_id):
            raise Refused(400, "no_call", f"Name the phone call in {place}: 1 to 256 bytes of text")
        if names.phone_field is None:
            return call_id, phone(head.headers.get(names.phone_header))
        return call_id, phone(_hosts.at(members, names.phone_field))


def is_loopback(host: str) -> bool:
    """Returns True when only this machine reaches the address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(head: Head) -> str:
    """Returns the header `Host` without its port. A web page cannot choose this header."""
    host = head.headers.get("host", "")
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _json(body: bytes) -> Any:
    try:
        return json_of(body)
    except (ValueError, RecursionError):
        raise Refused(400, "not_json", "The body is not JSON") from None
