"""Conversations: they answer the tool calls of a language model during a phone call.

    with client.conversation(call_id, bot_id, caller_phone="+12125550123") as conversation:
        wish = {"when": "tomorrow", "time": "after three"}
        answer = conversation.call("find_appointment_slots", wish)
        model.send(answer.text)

docs/phone-call-in-python.md shows a whole call.
"""

from __future__ import annotations

import contextlib
import ctypes
import json as _json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Union

from . import _bindings
from .errors import ClientClosed, Error
from .values import parsed

if TYPE_CHECKING:
    from typing_extensions import Self

    from .aio import AsyncClient, OnSlow
    from .client import Client

__all__ = ["Arguments", "AsyncConversation", "Conversation", "OfferedSlot", "ToolOutcome", "ToolResult"]

Arguments = Union[Mapping[str, Any], str, bytes, None]
"""The model's arguments as received: an object, or a text that contains an object."""

ToolOutcome = Literal[
    "offered",
    "none",
    "unclear",
    "invalid",
    "not_offered",
    "readback",
    "held",
    "booked",
    "already",
    "slot_gone",
    "in_doubt",
    "failed",
    "known",
    "not_known",
]
"""The result of a tool call. docs/json-contract.md describes each."""

_LONGEST = 32_768
"""The most characters of arguments. Models write hundreds. The library would refuse a longer
request completely."""

TOOLS = {"find_appointment_slots", "book_appointment", "look_up_caller"}


@dataclass(frozen=True)
class OfferedSlot:
    """A slot that was offered, and that the conversation may book."""

    slot: str
    """The name of the slot for the model, such as `tue15-0930u`."""
    start_at: str
    """Its start in RFC 3339, with the clinic's offset."""
    duration_minutes: int
    say: str
    """Its start in words, for the TTS."""


@dataclass(frozen=True, repr=False)
class ToolResult:
    """The answer to a tool call. `repr` omits texts and booking: they may name the caller."""

    tool: str
    """The tool's name as the model wrote it."""
    result: ToolOutcome
    """The result. A newer library may have other values."""
    is_error: bool
    """True when the model must change its request or do something else."""
    text: str
    """The text for the model, as the content of the tool's result."""
    say: str | None
    """The words for the TTS when the bot speaks by itself. None when there is nothing to say."""
    slots: tuple[OfferedSlot, ...]
    """The slots that `text` lists."""
    booking: dict[str, Any] | None
    """The platform's booking with all its members. Set with `booked`, and with `already` if the
    library still keeps the reply."""
    idempotency_key: str | None
    """The booking's key, for logs and for `resume`."""
    error: Error | None
    """The reason why nothing was found or booked, for logs and metrics. It is not raised, because
    the model can act on `text`."""
    json: bytes = field(compare=False)
    """The answer, byte for byte."""

    def __repr__(self) -> str:
        # The model writes the name, and may write anything.
        tool = self.tool if self.tool in TOOLS else "another tool"
        slots = ", ".join(slot.slot for slot in self.slots)
        return f"ToolResult({tool}: {self.result}{f', slots: {slots}' if slots else ''})"


def tool_result(json: bytes) -> ToolResult:
    """Reads the answer to a tool call."""
    members = parsed(json)
    error = members.get("error")
    return ToolResult(
        tool=members["tool"],
        result=members["result"],
        is_error=members["is_error"],
        text=members["text"],
        say=members.get("say"),
        slots=tuple(
            OfferedSlot(slot["slot"], slot["start_at"], slot["duration_minutes"], slot["say"])
            for slot in members.get("slots", [])
        ),
        booking=members.get("booking"),
        idempotency_key=members.get("idempotency_key"),
        error=None if error is None else _error(error),
        json=json,
    )


def _error(members: Mapping[str, Any]) -> Error:
    json = _json.dumps({"error": members}, ensure_ascii=False).encode()
    return Error.of(_bindings.pbk_reply_status(json), json)


class _Conversation:
    """The common part of the blocking and the asyncio conversation."""

    def __init__(self, handle: int, call_id: str, bot_id: str, caller_phone: str | None) -> None:
        self._handle = handle
        self._name = {"call_id": call_id, "bot_id": bot_id}
        self._caller_phone = caller_phone

    @property
    def call_id(self) -> str:
        return self._name["call_id"]

    @property
    def bot_id(self) -> str:
        return self._name["bot_id"]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.call_id} of {self.bot_id}>"

    def end(self) -> None:
        """Forgets the offered slots. Call it when the caller has hung up. Sends nothing, and does
        not wait.

        Its bookings stay, and a sent booking goes on. Without this call the library forgets a
        conversation after an hour.
        """
        # A closed client has forgotten the conversation already.
        with contextlib.suppress(ClientClosed):
            hand_over(_bindings.pbk_conversation_end, self._handle, self._name)

    def _request(
        self, tool: str, arguments: Arguments, speculative: bool, timeout_ms: int | None, tag: str | None
    ) -> bytes:
        members = {
            "tool": tool,
            **self._name,
            "arguments": _text(arguments),
            "caller_phone": self._caller_phone,
            "speculative": True if speculative else None,
            "timeout_ms": timeout_ms,
            "tag": tag,
        }
        return _bindings.encode({name: value for name, value in members.items() if value is not None})


class Conversation(_Conversation):
    """A phone call, for threads that may wait. `Client.conversation` makes it. Leaving its `with`
    block ends it."""

    def __init__(self, client: Client, call_id: str, bot_id: str, caller_phone: str | None) -> None:
        super().__init__(client._handle, call_id, bot_id, caller_phone)
        self._client = client

    def call(
        self,
        tool: str,
        arguments: Arguments,
        *,
        speculative: bool = False,
        timeout_ms: int | None = None,
        tag: str | None = None,
    ) -> ToolResult:
        """Answers a tool call of the model. Pass its arguments as received, parsed or not.

        Waits at most `timeout_ms`. The default is 35 seconds to book and 5 for the other tools,
        unless the configuration sets another. `speculative` holds a booking back. Set it when the
        model was asked before the caller had finished.

        Raises an `Error` only when the host must act, such as `ClientClosed` or `QueueFull`.
        Returns a `ToolResult` for everything that the model can act on.
        """
        request = self._request(tool, arguments, speculative, timeout_ms, tag)
        return tool_result(self._client._call(_bindings.CALL_TOOL, request))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


class AsyncConversation(_Conversation):
    """A phone call, for asyncio. `AsyncClient.conversation` makes it. Leaving its `async with`
    block ends it."""

    def __init__(self, client: AsyncClient, call_id: str, bot_id: str, caller_phone: str | None) -> None:
        super().__init__(client._handle, call_id, bot_id, caller_phone)
        self._client = client

    async def call(
        self,
        tool: str,
        arguments: Arguments,
        *,
        speculative: bool = False,
        timeout_ms: int | None = None,
        tag: str | None = None,
        on_slow: OnSlow | None = None,
    ) -> ToolResult:
        """Answers a tool call of the model. Pass its arguments as received, parsed or not.

        Takes at most `timeout_ms`. The default is 35 seconds to book and 5 for the other tools,
        unless the configuration sets another. `speculative` holds a booking back. Set it when the
        model was asked before the caller had finished.

        Cancel its task when the caller interrupts. That ends a search. A sent booking goes on. The
        next call of the conversation learns its end before it sends another booking.

        Raises an `Error` only when the host must act, such as `ClientClosed` or `QueueFull`.
        Returns a `ToolResult` for everything that the model can act on.
        """
        request = self._request(tool, arguments, speculative, timeout_ms, tag)
        answer, _ = await self._client._call(_bindings.CALL_TOOL, request, on_slow)
        return tool_result(answer)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()


def hand_over(function: Callable[..., int], handle: int, members: Mapping[str, Any]) -> None:
    """Calls a library function that does not block and has no reply. Raises an `Error`."""
    error = ctypes.c_void_p()
    request = _bindings.encode({name: value for name, value in members.items() if value is not None})
    status = function(handle, request, ctypes.byref(error))
    if status != _bindings.OK:
        raise Error.of(status, _bindings.take(error.value))


def _text(arguments: Arguments) -> str | None:
    """Returns the arguments as one text, so that they cannot make the request unreadable."""
    if arguments is None:
        return None
    if isinstance(arguments, bytes):
        arguments = arguments.decode("utf-8", "replace")
    text = arguments if isinstance(arguments, str) else _json.dumps(arguments, ensure_ascii=False, default=dict)
    if len(text) > _LONGEST:
        return "[]"  # not an object, so the result is `invalid`
    # UTF-8 cannot encode half a surrogate pair.
    return text.encode("utf-8", "replace").decode()
