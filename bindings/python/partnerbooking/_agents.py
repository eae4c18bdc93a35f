"""The tool calls of one phone call, for the adapters of agent frameworks. It imports none of
them."""

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
"""A function or a coroutine function that speaks words to the caller without the model."""

OnResult = Callable[[ToolResult], object]
"""A function that gets each answer, for the host's logs and database."""

BOOK = "book_appointment"

LONGEST_CALL_ID = 256
"""The most bytes of a call ID. A longer ID is replaced by its hash."""


class ToolCalls:
    """One phone call of a bot: its tools, its prompt, and the answers to its tool calls.

    It searches ahead (`prefetch`), so make it when the phone rings.
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
        """Makes the conversation, and starts the search.

        `filler` is said once a turn while an answer is slow. With "" it is the bot's own filler.
        With None nothing is said.
        """
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
        """The prompt for the model's instructions."""
        self._filler = made.filler if filler == "" else filler
        self._filler_said = False
        self._turn = 0
        client.prefetch(bot_id)

    def definitions(self, dialect: Dialect) -> list[dict[str, Any]]:
        """Returns the tools in the form of the model's API."""
        bot_id = self.conversation.bot_id
        return self._client.tools(dialect, bot_id, look_up_caller=self._look_up_caller).tools

    async def answer(self, name: str, arguments: Arguments, *, say: Say | None = None) -> str:
        """Returns the text for the model, also after an `Error`. Cancel its task when the caller
        interrupts."""
        return (await self.respond(name, arguments, say=say))[0]

    async def respond(
        self, name: str, arguments: Arguments, *, say: Say | None = None
    ) -> tuple[str, ToolResult | None]:
        """Returns the text for the model and the whole answer. The answer is None if the library
        gave none."""
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
            # Frameworks would end the phone call, or send the model an internal error.
            _log.exception("tool call of %s failed", self.conversation)
            return _sentence(name, None), None
        try:
            if self._on_result is not None:
                self._on_result(result)
        except Exception:
            _log.exception("on_result of %s failed", self.conversation)
        return result.text, result

    def new_turn(self) -> None:
        """Starts a new turn. Call it when the caller has spoken.

        The filler may then be said again, but not for a tool call of an earlier turn.
        """
        self._turn += 1
        self._filler_said = False

    def end(self) -> None:
        """Ends the conversation. Call it when the caller has hung up. A sent booking goes on."""
        self.conversation.end()

    def _slow(self, say: Say, turn: int) -> object:
        if turn != self._turn or self._filler_said or self._filler is None:
            return None
        self._filler_said = True
        return say(self._filler)


def _sentence(name: str, error: Error | None) -> str:
    """Returns a text that the model can act on when the library gave no answer."""
    if name != BOOK:
        return "The calendar cannot be reached. Say so, and offer a call back."
    if error is not None and error.outcome in ("not_sent", "rejected"):
        return "Nothing was booked by this call: the calendar cannot be reached. Say so, and offer a call back."
    return (
        "It is not known whether this was booked. Do not say that it is booked, and do not say that it failed. "
        "Say that someone will call back to confirm it."
    )
