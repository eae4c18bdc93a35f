"""The phone calls of one bot, by the host's names. Servers that answer tool calls use them."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Any

from . import _output
from ._agents import Say, ToolCalls
from .aio import AsyncClient
from .conversation import Arguments, ToolResult
from .errors import Error
from .settled import Settled
from .values import PendingBooking

LONGEST_NAME = 256
"""Limit of a call's name in bytes, like `call_id` in docs/json-contract.md."""

_LONGEST_TOOL = 60
_MOST = 10_000
"""Limit of phone calls, like the library's limit of conversations."""
_IDLE = 3600.0
"""Seconds without a tool call until a phone call is forgotten. The library's limit is the same."""

_BUSY = "The calendar cannot be reached. Say so, and offer a call back."


@dataclass(frozen=True)
class Answer:
    """The answer to a tool call."""

    text: str
    """The text for the model. It is always set."""
    result: ToolResult | None
    """The library's answer. None without an answer: `text` then contains the next step."""

    @property
    def is_error(self) -> bool:
        return self.result is None or self.result.is_error

    def for_model(self) -> dict[str, Any]:
        """Returns the members that a model may read: no keys, and no times for machines."""
        members: dict[str, Any] = {"result": "failed" if self.result is None else self.result.result, "text": self.text}
        if self.result is not None:
            if self.result.say is not None:
                members["say"] = self.result.say
            members["slots"] = [
                {"slot": slot.slot, "say": slot.say, "duration_minutes": slot.duration_minutes}
                for slot in self.result.slots
            ]
        return members

    def for_host(self) -> dict[str, Any]:
        """Returns the members for logs and a database, as the library wrote them."""
        members = {} if self.result is None else json.loads(self.result.json)
        return {name: members[name] for name in ("slots", "booking", "idempotency_key", "error") if name in members}


class Calls:
    """The phone calls of one bot. `answer` finds a call by its name, and answers its tool call."""

    def __init__(self, client: AsyncClient, bot_id: str, *, look_up_caller: bool = False) -> None:
        self._client = client
        self._bot_id = bot_id
        self._look_up_caller = look_up_caller
        self._running: Counter[str] = Counter()
        """The number of tool calls under way, by phone call."""
        self._calls: OrderedDict[tuple[str, str | None], tuple[ToolCalls, float]] = OrderedDict()

    async def answer(
        self, call_id: str, caller_phone: str | None, name: str, arguments: Arguments, say: Say | None = None
    ) -> Answer:
        """Answers a tool call. A failure that the model can act on is an answer, not an
        exception."""
        if not is_call_id(call_id):  # without a name each tool call would be its own phone call
            return Answer(_BUSY, None)
        try:
            call = self._of(call_id, caller_phone)
        except Error as error:
            _output.log(f"partnerbooking: no call can be answered: {error}")
            return Answer(_BUSY, None)
        # The server does not hear the caller. It takes a tool call without others under way as the
        # first of a turn.
        if not self._running[call_id]:
            call.new_turn()
        self._running[call_id] += 1
        try:
            return Answer(*await call.respond(_clean(name), arguments, say=say))
        finally:
            self._running[call_id] -= 1
            if not self._running[call_id]:
                del self._running[call_id]

    def begin(self, call_id: str, caller_phone: str | None) -> None:
        """Searches free slots ahead. Call it when the phone rings."""
        with contextlib.suppress(Error):
            self._of(call_id, caller_phone)

    def end(self, call_id: str) -> None:
        """Forgets the offers of a phone call. Call it when the caller has hung up."""
        for key in [key for key in self._calls if key[0] == call_id]:
            self._calls.pop(key)[0].end()

    def _of(self, call_id: str, caller_phone: str | None) -> ToolCalls:
        now = time.monotonic()
        while self._calls and (len(self._calls) > _MOST or next(iter(self._calls.values()))[1] < now - _IDLE):
            self._calls.popitem(last=False)
        key = call_id, caller_phone
        found = self._calls.pop(key, None)
        if found is None:
            made = ToolCalls(
                self._client, self._bot_id, call_id, caller_phone, look_up_caller=self._look_up_caller
            )
            found = made, now
        self._calls[key] = found[0], now
        return found[0]


def json_of(text: bytes) -> Any:
    """Parses untrusted JSON. Raises `ValueError`, or `RecursionError` for too deep nesting."""
    return json.loads(text.decode(), parse_int=_integer, parse_constant=_no_number)


def _integer(text: str) -> int:
    if len(text) > 100:  # the time to convert grows with the square of the digits
        raise ValueError
    return int(text)


def _no_number(text: str) -> float:
    raise ValueError(text)


def is_call_id(text: object) -> bool:
    """Returns True when the text can be the name of a phone call."""
    # An unfilled template, such as {{call_id}}, would be one phone call for all callers.
    if not isinstance(text, str) or not text.isprintable() or "{{" in text:
        return False
    try:
        return 0 < len(text.encode()) <= LONGEST_NAME
    except UnicodeEncodeError:  # half a surrogate pair
        return False


def _clean(name: str) -> str:
    """Returns a tool's name in a form that the library accepts. For an unknown tool the library
    then has an answer for the model."""
    return name.encode("utf-8", "replace").decode()[:_LONGEST_TOOL]


def phone(text: object) -> str | None:
    """Returns the caller's number as the host wrote it. None when it is withheld or unusable."""
    if not isinstance(text, str) or len(text) > 64 or not text.isprintable():
        return None
    return text if any(letter.isdigit() for letter in text) else None


def tell_settled(client: AsyncClient, settled: Settled) -> None:
    """Logs the end of a booking that no tool call returned, with its phone call and key. The log
    line does not name the caller."""
    state = "is booked" if settled.is_booked else f"was not made: {settled.error.code if settled.error else 'unknown'}"
    key = settled.idempotency_key
    call = settled.tag or {booking.idempotency_key: booking.conversation for booking in _pending(client)}.get(key)
    _output.log(f"partnerbooking: settled: {_named(key, call)} {state}")


def tell_open(client: AsyncClient) -> None:
    """Logs the bookings that are open when a server ends. With a journal the next process settles
    them."""
    for booking in _pending(client):
        if booking.state not in ("booked", "refused"):
            _output.log(f"partnerbooking: may be booked: {_named(booking.idempotency_key, booking.conversation)}")


def _pending(client: AsyncClient) -> list[PendingBooking]:
    try:
        return client.pending_bookings()
    except Error:
        return []


def _named(key: str, call: str | None) -> str:
    return f"the booking {key}" if call is None else f"the booking {key} of call {call}"
