"""The tool calls of one phone call, for the adapters of agent frameworks. It knows none of them."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Union

from .aio import AsyncClient
from .conversation import Arguments, ToolResult
from .errors import Error
from .voice import Dialect

_log = logging.getLogger("partnerbooking")

Say = Union[Callable[[str], Awaitable[object]], Callable[[str], object]]
"""Speaks words to the caller without the model: a function, or a coroutine function."""

OnResult = Callable[[ToolResult], object]
"""Gets each answer, for the host's logs and its database."""

BOOK = "book_appointment"

LONGEST_CALL_ID = 256
"""Bytes that the library takes. Of a longer one the hash is taken."""


class ToolCalls:
    """One phone call of a bot: its tools, its prompt, and the answers to its tool calls.

    It prefetches, so make it when the phone rings.
    """

    def __init__(
        self,
        client: AsyncClient,
        bot_id: str,
        call_id: str | None = None,
        caller_phone: str | None = None,
        *,
        filler: str | None = "",
        look_up_caller: bool = False,
        on_result: OnResult | None = None,
    ) -> None:
        """`filler` is said once a turn while an answer is slow. "" stands for the bot's own words, None for nothing."""
        if call_id is None:
            call_id = f"call-{secrets.token_hex(8)}"
        elif len(call_id.encode()) > LONGEST_CALL_ID:
            call_id = hashlib.sha256(call_id.encode()).hexdigest()
        self.conversation = client.conversation(call_id, bot_id, caller_phone or None)
        self._client = client
        self._look_up_caller = look_up_caller
        self._on_result = on_result
        made = client.tools("openai", bot_id, look_up_caller=look_up_caller)
        self.prompt = made.prompt
        """For the instructions of the model."""
        self._filler = made.filler if filler == "" else filler
        self._filler_said = False
        self._turn = 0
        client.prefetch(bot_id)

    def definitions(self, dialect: Dialect) -> list[dict[str, Any]]:
        """The tools, as the API of the model takes them."""
        bot_id = self.conversation.bot_id
        return self._client.tools(dialect, bot_id, look_up_caller=self._look_up_caller).tools

    async def answer(self, name: str, arguments: Arguments, *, say: Say | None = None) -> str:
        """Returns the text for the model. An `Error` is one, too. Cancel its task when the caller interrupts."""
        return (await self.respond(name, arguments, say=say))[0]

    async def respond(
        self, name: str, arguments: Arguments, *, say: Say | None = None
    ) -> tuple[str, ToolResult | None]:
        """The same with the whole answer. None: the library had none."""
        turn = self._turn
        try:
            result = await self.conversation.call(
                name,
                arguments,
                tag=self.conversation.call_id,
                on_slow=None if say is None or self._filler is None else lambda: self._slow(say, turn),
            )
        except Error as error:
            _log.error("tool call of %s failed: %s", self.conversation, error)
            return _sentence(name, error), None
        except Exception:
            # Frameworks end the phone call on it, or tell the model of an internal error.
            _log.exception("tool call of %s failed", self.conversation)
            return _sentence(name, None), None
        try:
            if self._on_result is not None:
                self._on_result(result)
        except Exception:
            _log.exception("on_result of %s failed", self.conversation)
        return result.text, result

    def new_turn(self) -> None:
        """The caller has spoken: the filler may be said again, but not for a call of an earlier turn."""
        self._turn += 1
        self._filler_said = False

    def end(self) -> None:
        """The caller has hung up. A booking that was sent goes on."""
        self.conversation.end()

    def _slow(self, say: Say, turn: int) -> object:
        if turn != self._turn or self._filler_said or self._filler is None:
            return None
        self._filler_said = True
        return say(self._filler)


def _sentence(name: str, error: Error | None) -> str:
    """Returns words that the model can act on when the library has no answer."""
    if name != BOOK:
        return "The calendar cannot be reached. Say so, and offer a call back."
    if error is not None and error.outcome in ("not_sent", "rejected"):
        return "Nothing was booked by this call: the calendar cannot be reached. Say so, and offer a call back."
    return (
        "It is not known whether this was booked. Do not say that it is booked, and do not say that it failed. "
        "Say that someone will call back to confirm it."
    )
