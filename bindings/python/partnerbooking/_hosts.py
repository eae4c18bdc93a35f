"""Reads the tool calls of hosted agents, and writes the answers. docs/tool-server.md lists the
settings."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

from ._calls import Answer, phone
from ._http_head import Refused
from .conversation import Arguments

_MOST_CALLS = 16
"""The most tool calls of one request."""
_LONGEST_ID = 1000
_SIGNATURE = re.compile(r"v=([0-9]{1,15}),d=([0-9a-f]{64})")
_SIGNATURE_AGE = 300.0
"""The greatest age of a signature in seconds, also into the future."""


@dataclass(frozen=True)
class ToolCall:
    id: str
    """The host's ID of the tool call. The answer repeats it."""
    name: str
    arguments: Arguments


@dataclass(frozen=True)
class Asked:
    """The tool calls of one step of the model."""

    call_id: str
    """Empty when the host has named no phone call. Then nothing is searched or booked."""
    caller_phone: str | None
    calls: Sequence[ToolCall]


@dataclass(frozen=True)
class Rings:
    call_id: str
    caller_phone: str | None


@dataclass(frozen=True)
class Ended:
    call_id: str


Message = Union[Asked, Rings, Ended, None]
"""A message of a host. None for any other message, which needs no answer."""


def vapi(body: Any) -> Message:
    """Reads a server message of Vapi."""
    message = _object(_object(body).get("message"))
    kind = message.get("type")
    if not isinstance(kind, str):
        raise Refused(400, "bad_request", "Not a server message of Vapi: message.type is missing")
    call = _object(message.get("call"))
    call_id = _text(call.get("id")) or _text(_object(message.get("chat")).get("id"))
    customer = _object(message.get("customer")) or _object(call.get("customer"))
    caller_phone = phone(customer.get("number"))
    if kind == "tool-calls":
        return Asked(call_id, caller_phone, [_vapi_call(item) for item in _vapi_calls(message)])
    if kind == "end-of-call-report" or (kind == "status-update" and message.get("status") == "ended"):
        return Ended(call_id)
    if kind == "status-update" and message.get("status") == "in-progress":
        return Rings(call_id, caller_phone)
    return None


def _vapi_calls(message: Mapping[str, Any]) -> list[Any]:
    for name in ("toolCallList", "toolCalls", "toolWithToolCallList"):
        calls = message.get(name)
        if isinstance(calls, list) and calls:
            if len(calls) > _MOST_CALLS:
                raise Refused(400, "bad_request", f"A message has at most {_MOST_CALLS} tool calls")
            return calls
    raise Refused(400, "bad_request", "message.toolCallList is missing")


def _vapi_call(item: Any) -> ToolCall:
    """Reads a tool call in Vapi's own form, in OpenAI's form, or inside its tool."""
    outer = _object(item)
    call = _object(outer.get("toolCall")) or outer
    function = _object(call.get("function")) or call
    name = _text(function.get("name")) or _text(outer.get("name")) or _text(_object(outer.get("function")).get("name"))
    arguments = function.get("arguments", function.get("parameters"))
    return ToolCall(_text(call.get("id")), name, _arguments(arguments))


def vapi_answer(asked: Asked, answers: Sequence[Answer]) -> dict[str, Any]:
    """Returns the answer for Vapi. Each result is a text of one line: Vapi accepts no other."""
    results = [
        {"name": call.name, "toolCallId": call.id, "result": " ".join(answer.text.split())}
        for call, answer in zip(asked.calls, answers)
    ]
    return {"results": results}


def retell(body: Any) -> Message:
    """Reads a custom function of Retell, or one of its webhooks."""
    members = _object(body)
    call = _object(members.get("call")) or _object(members.get("chat"))
    call_id = _text(call.get("call_id")) or _text(call.get("chat_id"))
    # In an outbound call the number that was called counts as the caller's.
    caller_phone = phone(call.get("to_number" if call.get("direction") == "outbound" else "from_number"))
    event = members.get("event")
    if isinstance(event, str):
        if event in ("call_ended", "call_analyzed", "chat_ended"):
            return Ended(call_id)
        return Rings(call_id, caller_phone) if event == "call_started" else None
    name = members.get("name")
    if not isinstance(name, str) or not call:
        raise Refused(400, "bad_request", "Not a custom function of Retell: name, call and args (not args only)")
    return Asked(call_id, caller_phone, [ToolCall("", name, _arguments(members.get("args")))])


def retell_answer(asked: Asked, answers: Sequence[Answer]) -> dict[str, Any]:
    """Returns the answer for Retell, which gives all of it to the model."""
    members = answers[0].for_model()
    return {"result": members["result"], "text": members["text"]}


def retell_may_verify(signature: str) -> bool:
    """Returns True when the text has the form of a recent signature. Needs no body."""
    found = _SIGNATURE.fullmatch(signature)
    return found is not None and abs(time.time() - int(found[1]) / 1000) <= _SIGNATURE_AGE


def retell_verifies(signature: str, body: bytes, keys: Sequence[bytes]) -> bool:
    """Returns True when Retell has signed the body with one of the keys."""
    found = _SIGNATURE.fullmatch(signature)
    if found is None or not retell_may_verify(signature):
        return False
    fits = False
    for key in keys:
        digest = hmac.new(key, body + found[1].encode(), hashlib.sha256).hexdigest()
        fits |= hmac.compare_digest(digest, found[2])
    return fits


def at(body: Any, path: str) -> Any:
    """Returns the member at a path such as `call.from`. None when there is none."""
    for name in path.split("."):
        body = _object(body).get(name)
    return body


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _LONGEST_ID else ""


def _arguments(value: Any) -> Arguments:
    """Returns the arguments. Anything but an object or a text becomes `[]`, and the result
    is `invalid`."""
    return value if value is None or isinstance(value, (dict, str)) else "[]"
