"""A server of the Model Context Protocol with the tools of one bot.

The client writes one JSON-RPC message per line. Both kinds of clients are supported. Older clients
send `initialize`. Newer clients name the protocol version in each request. See docs/mcp.md.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Union

from ._calls import Answer, Calls, is_call_id, json_of, phone
from ._version import __version__
from .voice import Tools

LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
"""The published versions with a handshake, oldest first."""
MODERN = ("2026-07-28",)
"""The published versions without a handshake."""

CALL_ID, CALLER_PHONE = "partnerbooking/call_id", "partnerbooking/caller_phone"
"""Members of a request's `_meta`, which the client writes. A model cannot write it."""

_PROTOCOL, _CAPABILITIES, _SERVER = (
    f"io.modelcontextprotocol/{name}" for name in ("protocolVersion", "clientCapabilities", "serverInfo")
)
_NO_JSON, _NO_REQUEST, _NO_METHOD, _NO_PARAMS, _INTERNAL, _NO_VERSION = -32700, -32600, -32601, -32602, -32603, -32022

_CALLS = 64
"""Limit of tool calls under way."""
_LONGEST_ID = 1000
_FRESH_MS = 300_000
"""Milliseconds for which a client may cache the list of tools, which only the configuration
changes."""

_TITLES = {
    "find_appointment_slots": "Find appointments",
    "book_appointment": "Book an appointment",
    "look_up_caller": "Look up the caller",
}
_BOOKING = {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True}
_OUTPUT = {
    "type": "object",
    "properties": {
        "result": {"type": "string", "description": "What became of the call, in one word"},
        "text": {"type": "string", "description": "What to do now: the same as the content"},
        "say": {"type": "string", "description": "The words for the caller"},
        "slots": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "slot": {"type": "string"},
                    "say": {"type": "string"},
                    "duration_minutes": {"type": "integer"},
                },
                "required": ["slot", "say", "duration_minutes"],
            },
        },
    },
    "required": ["result", "text"],
}
_BUSY = "Too many calls at once. Nothing was done: wait for their answers, then call again."

_Id = Union[str, int]


class _Refused(Exception):
    def __init__(self, code: int, message: str, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, **({} if data is None else {"data": data})}


class Server:
    """The protocol without its transport. `receive` takes a line and does not block."""

    def __init__(
        self,
        calls: Calls,
        tools: Tools,
        send: Callable[[bytes], None],
        log: Callable[[str], None],
        *,
        call_id: str | None,
        caller_phone: str | None = None,
        progress_ms: int = 5000,
    ) -> None:
        """Creates a server. Without a `call_id` each tool call must have one in its `_meta`."""
        self._calls = calls
        self._tools = [_tool(tool) for tool in tools.tools]
        self._names = {tool["name"] for tool in self._tools}
        self._prompt = tools.prompt
        self._send_line = send
        self._log = log
        self._call_id = call_id
        self._caller_phone = caller_phone
        self._progress = progress_ms / 1000
        self._has_shaken_hands = False
        self._running: dict[tuple[type, _Id], asyncio.Task[None]] = {}

    async def idle(self) -> None:
        """Waits until all tool calls have ended."""
        while self._running:
            await asyncio.wait(self._running.values())

    def stop(self) -> None:
        """Cancels the tool calls under way, which get no answer. A sent booking goes on."""
        for task in self._running.values():
            task.cancel()

    def receive(self, line: bytes | None) -> None:
        """Takes a line. None stands for a line that is too long."""
        if line is not None and not line.strip():
            return
        try:
            message = _parsed(line)
        except (ValueError, RecursionError):
            self._refuse(None, _NO_JSON, "Not JSON, or too much of it: write one message of JSON-RPC in each line")
            return
        if isinstance(message, list):
            # Each request of the batch gets a refusal, because the client waits for each answer.
            ids = {_key(id): id for id in map(_id, message) if id is not None}
            for id in ids.values() or [None]:
                self._refuse(id, _NO_REQUEST, "Batches are not served: write each message in a line of its own")
        elif isinstance(message, dict) and "method" not in message and ("result" in message or "error" in message):
            self._log("a response was ignored: nothing was asked")
        else:
            self._take(message)

    def _take(self, message: Any) -> None:
        id = _id(message)
        method = message.get("method") if isinstance(message, dict) else None
        is_request = isinstance(message, dict) and "id" in message
        if not isinstance(method, str) or message.get("jsonrpc") != "2.0" or (is_request and id is None):
            self._refuse(id, _NO_REQUEST, "Not a request of JSON-RPC 2.0 with a method, and an id of text or a number")
            return
        params = message.get("params")
        params = {} if params is None else params
        if id is None:
            if isinstance(params, dict):
                self._note(method, params)
            return
        try:
            if _key(id) in self._running:
                raise _Refused(_NO_REQUEST, "The id is that of a request under way")
            meta = params.get("_meta") if isinstance(params, dict) else 0
            meta = {} if meta is None else meta
            if not isinstance(meta, dict):
                raise _Refused(_NO_PARAMS, "params and _meta have to be objects")
            result = self._answer(id, method, params, meta)
        except _Refused as refused:
            self._send({"id": id, "error": refused.error})
            return
        if result is not None:
            self._send({"id": id, "result": result})

    def _answer(self, id: _Id, method: str, params: dict[str, Any], meta: dict[str, Any]) -> dict[str, Any] | None:
        """Returns the result of a request, or None when the answer follows later."""
        if method == "initialize":
            return self._shake_hands(params)
        modern = _PROTOCOL in meta
        if modern:
            _check(meta)
        elif method == "ping":
            return {}
        elif not self._has_shaken_hands or method == "server/discover":
            raise _Refused(_NO_PARAMS, f"Send initialize first, or {_PROTOCOL} and {_CAPABILITIES} in params._meta")
        if method == "server/discover":
            found = {"supportedVersions": list(MODERN), "capabilities": {"tools": {}}, "instructions": self._prompt}
            return _stateless({**found, "ttlMs": _FRESH_MS, "cacheScope": "public"})
        if method == "tools/list":
            if params.get("cursor") is not None:
                raise _Refused(_NO_PARAMS, "There is no such cursor: the list has one page")
            listed = {"tools": self._tools}
            return _stateless({**listed, "ttlMs": _FRESH_MS, "cacheScope": "public"}) if modern else listed
        if method == "tools/call":
            return self._call(id, params, meta, modern)
        raise _Refused(_NO_METHOD, "There is no such method: the server has tools only")

    def _shake_hands(self, params: dict[str, Any]) -> dict[str, Any]:
        version = params.get("protocolVersion")
        if not isinstance(version, str):
            raise _Refused(_NO_PARAMS, "protocolVersion is missing")
        self._has_shaken_hands = True
        return {
            "protocolVersion": version if version in LEGACY else LEGACY[-1],
            "capabilities": {"tools": {}},
            "serverInfo": _info(),
            "instructions": self._prompt,
        }

    def _call(self, id: _Id, params: dict[str, Any], meta: dict[str, Any], modern: bool) -> dict[str, Any] | None:
        name, arguments = params.get("name"), params.get("arguments")
        if not isinstance(name, str) or name not in self._names:
            raise _Refused(_NO_PARAMS, f"There is no such tool. The tools are {', '.join(sorted(self._names))}")
        call_id = meta.get(CALL_ID, self._call_id)
        if not isinstance(call_id, str) or not is_call_id(call_id):
            raise _Refused(_NO_PARAMS, f"_meta has to name the phone call: {CALL_ID}, 1 to 256 bytes of text")
        caller_phone = phone(meta[CALLER_PHONE]) if CALLER_PHONE in meta else self._caller_phone
        if len(self._running) >= _CALLS:
            return _called(Answer(_BUSY, None), modern)
        if arguments is not None and not isinstance(arguments, (dict, str)):
            arguments = json.dumps(arguments)  # not an object: the library reports the error
        token = meta.get("progressToken")
        steps = None if _valid(token) is None else _Steps(self._send, token)

        async def answer() -> None:
            try:
                say = None if steps is None else steps.say
                asked = asyncio.ensure_future(self._calls.answer(call_id, caller_phone, name, arguments, say))
                try:
                    while not (await asyncio.wait([asked], timeout=self._progress))[0]:
                        if steps is not None:
                            steps.say(None)
                    self._send({"id": id, "result": _called(asked.result(), modern)})
                finally:
                    asked.cancel()
            except Exception as error:  # a bug in this package: the client still needs an answer
                self._log(f"a tool call failed: {type(error).__name__}: {error}")
                self._refuse(id, _INTERNAL, "The tool call failed. Nothing is known of its end: call again")

        task = self._running[_key(id)] = asyncio.ensure_future(answer())
        # Not in `answer`: its body never runs when the call is cancelled at once.
        task.add_done_callback(lambda _: self._running.pop(_key(id)))
        return None

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "notifications/cancelled":
            task = self._running.get(_key(_valid(params.get("requestId"))))
            if task is not None:
                task.cancel()
                self._log("a tool call was cancelled: a booking that was sent goes on")
        elif method == "notifications/partnerbooking/call_ended":
            meta = params.get("_meta")
            call_id = meta.get(CALL_ID, self._call_id) if isinstance(meta, dict) else self._call_id
            if isinstance(call_id, str):
                self._calls.end(call_id)

    def _refuse(self, id: _Id | None, code: int, message: str) -> None:
        self._send({"id": id, "error": {"code": code, "message": message}})

    def _send(self, message: dict[str, Any]) -> None:
        # json.dumps writes ASCII. A client's text may contain half a surrogate pair, which UTF-8
        # cannot encode.
        self._send_line(json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode() + b"\n")


class _Steps:
    """The progress reports of a slow tool call."""

    def __init__(self, send: Callable[[dict[str, Any]], None], token: Any) -> None:
        self._send = send
        self._token = token
        self._count = 0

    def say(self, words: str | None) -> None:
        self._count += 1
        params: dict[str, Any] = {"progressToken": self._token, "progress": self._count}
        if words is not None:
            params["message"] = words
        self._send({"method": "notifications/progress", "params": params})


def _parsed(line: bytes | None) -> Any:
    if line is None:
        raise ValueError
    return json_of(line)



def _id(message: Any) -> _Id | None:
    return _valid(message.get("id")) if isinstance(message, dict) else None


def _valid(id: Any) -> _Id | None:
    if isinstance(id, str):
        return id if len(id) <= _LONGEST_ID else None
    return id if isinstance(id, int) and not isinstance(id, bool) else None


def _key(id: _Id | None) -> tuple[type, Any]:
    """Returns a key that differs for 1 and "1"."""
    return type(id), id


def _check(meta: dict[str, Any]) -> None:
    version = meta[_PROTOCOL]
    if not isinstance(version, str):
        raise _Refused(_NO_PARAMS, f"{_PROTOCOL} has to be a text")
    if version not in MODERN:
        data = {"supported": list(MODERN), "requested": version[:100]}
        raise _Refused(_NO_VERSION, "Unsupported protocol version", data)
    if not isinstance(meta.get(_CAPABILITIES), dict):
        raise _Refused(_NO_PARAMS, f"{_CAPABILITIES} is missing in params._meta")


def _info() -> dict[str, Any]:
    return {"name": "partnerbooking", "title": "Appointments", "version": __version__}


def _stateless(members: dict[str, Any]) -> dict[str, Any]:
    return {**members, "resultType": "complete", "_meta": {**members.get("_meta", {}), _SERVER: _info()}}


def _called(answer: Answer, modern: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "content": [{"type": "text", "text": answer.text}],
        "structuredContent": answer.for_model(),
        "isError": answer.is_error,
        "_meta": {f"partnerbooking/{name}": value for name, value in answer.for_host().items()},
    }
    return _stateless(result) if modern else result


def _tool(tool: dict[str, Any]) -> dict[str, Any]:
    title = _TITLES.get(tool["name"])
    hints = dict(_BOOKING) if tool["name"] == "book_appointment" else {"readOnlyHint": True}
    return {
        **tool,
        **({} if title is None else {"title": title}),
        "outputSchema": _OUTPUT,
        "annotations": {**({} if title is None else {"title": title}), **hints, "openWorldHint": False},
    }
