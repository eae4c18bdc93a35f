"""The driver of a framework, and the steps of a phone call with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol, Union

import partnerbooking as pb

FIND, BOOK = "find_appointment_slots", "book_appointment"


@dataclass(frozen=True)
class Call:
    """A tool call of the model."""

    name: str
    arguments: dict[str, Any] | str


class Host(Protocol):
    """One phone call in a framework, with a scripted model. Its class is called without arguments for each call."""

    spoken: list[str]
    """What was said without the model: the filler."""

    # A host may also have:
    # - `also_read: list[str]`: tool results that the model read, but no `turn` returned.
    # - `cancelled: str`: what the framework itself writes in `also_read` as the result of an interrupted search.
    # - `speaks = False`: the framework gives it no way to speak by itself, so that nobody counts the filler.
    # - `config: dict[str, Any]`: it is set before `start`, for a host whose client is in another process. The client
    #   that `start` gets is not used then, and what that client would know is not asked for.

    async def start(self, client: pb.AsyncClient, bot_id: str, call_id: str, caller_phone: str | None) -> None: ...

    async def turn(self, *calls: Call) -> list[str]:
        """The caller speaks, and the model calls these tools in one step. Returns what the model then reads as tool
        results, in order. When the caller hangs up meanwhile it may return fewer, or be cancelled."""
        ...

    async def interrupted_turn(self, call: Call, when: Callable[[], Awaitable[None]]) -> None:
        """The model calls the tool. Once `when()` returns the caller speaks into it. Returns when the framework has
        dealt with that."""
        ...

    async def hang_up(self) -> None:
        """The caller hangs up, perhaps while a tool runs. Returns when the framework's session has ended."""
        ...


# ---- Steps -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Turn:
    """`says` names what the last text has to contain: a member of `judge.Claims`. Several are joined by `|`."""

    calls: tuple[Call, ...]
    says: str | None = None
    each: str | None = None
    """The same for each of its texts."""
    filler: int | None = None
    """How often the filler is said meanwhile."""


@dataclass(frozen=True)
class Interrupted:
    """The caller speaks as soon as the clinic has what the call asks for."""

    call: Call


@dataclass(frozen=True)
class HangUp:
    call: Call | None = None
    """A booking that the clinic has, and has not answered."""


@dataclass(frozen=True)
class Fault:
    what: str
    kind: str
    ms: float = 0
    times: int | None = None


@dataclass(frozen=True)
class Order:
    """A method of `Clinic`: `mend`, `down`, `up`, or `take_named` with a slot."""

    what: str
    slot: str | None = None


@dataclass(frozen=True)
class Settled:
    """The client reports the end of the booking to `on_settled`, since no model has heard it."""

    booked: bool = True


@dataclass(frozen=True)
class Forgotten:
    """The conversation has ended: the library does not know any more what it offered."""


Step = Union[Turn, Interrupted, HangUp, Fault, Order, Settled, Forgotten]


@dataclass(frozen=True)
class Scenario:
    name: str
    steps: tuple[Step, ...]
    appointments: int = 1
    """That the caller has in the end."""
    config: dict[str, Any] = field(default_factory=dict)
    before: tuple[Step, ...] = ()
    """What happens before the phone rings. Hosts prefetch then."""

    def __str__(self) -> str:
        return self.name
