"""The zoo's platforms: how one takes a request for a booking, what it writes into its books, and
how it answers.

A platform is a list of behaviours (`zoo_behaviours.py`), each of which changes one step:

    guard -> carry [ queue -> decide [ look -> work -> verdict -> commit ] -> reword ]

The outer brackets hold the platform's own work. It is a task of its own, which goes on when the
client hangs up or when a gateway has answered for the platform. Chance comes from the platform's
seed, the key, and the number of the request among those with its key, so that the order in which
requests arrive changes nothing.

All times are those of the monotonic clock, which every process on a machine shares.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Coroutine
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import Protocol

    from zoo_behaviours import Behaviour, Order

    class Calendar(Protocol):
        async def search(self, query: Any, number: int) -> Act: ...

        def look_up(self, customer: Any) -> Act: ...


INACTIVE = ("declined", "cancelled", "canceled", "rejected", "no_show", "failed", "expired")
"""Statuses of a booking that is no appointment."""


@dataclass(frozen=True)
class Answer:
    """A reply as the platform means it."""

    status: int
    content: Any
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def body(self) -> bytes:
        return json.dumps(self.content).encode()


def refusal(status: int, code: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    return Answer(status, {"error": {"code": code, "message": f"The zoo says {code}"}}, headers)


@dataclass(frozen=True)
class Unasked:
    """A reply nobody asked for, written to a kept connection some time after the one that was."""

    seconds: float
    answer: Answer


@dataclass(frozen=True)
class Act:
    """What happens at the connection. Without an answer it is dropped, and not a byte is
    written."""

    answer: Answer | None
    is_cut: bool = False
    """The connection is dropped in the middle of the answer."""
    unasked: Unasked | None = None
    whole: float = 0.3
    """Over HTTP/2, the part of the broken streams that take their whole connection with them."""


@dataclass
class Request:
    """One request for a booking, and what became of it."""

    number: int
    platform: str
    key: str
    start_at: str
    duration_minutes: int
    notes: str
    """The campaign writes here which process asks."""
    way: str
    """`fresh`, `kept` or `h2`."""
    arrived: float
    nth: int
    """Counted from 1 among the requests with its key."""
    seed: int
    lag: float
    """Seconds: how late the zoo was with its work around then. `arrived` may be late by some times
    as much."""
    customer: dict[str, Any] = field(default_factory=dict)
    caller: str = ""
    """The end of the API key: a campaign gives each client another one."""
    unasked_at: float | None = None
    """When the connection it came on was last given bytes that nobody had asked for."""
    ended: float | None = None
    """When it was answered, or when its connection or stream was gone."""
    answered: int | str | None = None
    """The status, or `dropped`, `cut`, `gone` when the client left first, or `unread` when another
    reply lay on its connection."""
    met: list[str] = field(default_factory=list)
    """The behaviours that did something to it."""

    def rng(self, salt: str) -> random.Random:
        return random.Random(f"{self.seed}/{self.key}/{self.nth}/{salt}")

    def end(self, answered: int | str) -> None:
        if self.ended is None:
            self.ended, self.answered = time.monotonic(), answered


@dataclass
class Appointment:
    id: str
    key: str
    start_at: str
    duration_minutes: int
    status: str
    made: float
    request: int
    """The number of the request that made it."""
    cancelled: float | None = None

    @property
    def is_active(self) -> bool:
        return self.status not in INACTIVE

    @property
    def content(self) -> dict[str, Any]:
        """As replies show it."""
        start = datetime.strptime(self.start_at, "%Y-%m-%dT%H:%M:%S%z")
        end = start + timedelta(minutes=self.duration_minutes)
        return {
            "id": self.id,
            "status": self.status,
            "start_at": self.start_at,
            "end_at": end.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def answer(self, status: int) -> Answer:
        return Answer(status, {"booking": self.content})


class Platform:
    """One bot, one account. One event loop keeps its books, so nothing needs a lock."""

    def __init__(self, name: str, seed: int, behaviours: list[Behaviour], order: Order) -> None:
        self.name, self.seed = name, seed
        self.behaviours, self.order = behaviours, order
        self.began = time.monotonic()
        self.requests: list[Request] = []
        self.appointments: list[Appointment] = []
        self.faults: list[str] = []
        """Of the zoo's own making: exceptions in its tasks."""
        self.lag = 0.0
        """The worst of its requests."""
        self.capacity = 1
        """How many may have one slot."""
        self.calendar: Calendar | None = None
        """What it lists as free. Without one it lists nothing."""
        self.searches: list[dict[str, Any]] = []
        self.holds_slots = True
        """While it works on a booking, its slot is taken for all others."""
        self.by_key: dict[str, Appointment] = {}
        self.working: dict[str, asyncio.Future[None]] = {}
        """The keys whose booking is being made."""
        self._held: dict[str, int] = {}
        self._by_start: dict[str, list[Appointment]] = {}
        self._counts: dict[str, int] = {}
        self._tasks: set[asyncio.Future[Any]] = set()
        for behaviour in behaviours:
            behaviour.set_up(self)

    # Requests

    def receive(
        self,
        key: str,
        booking: dict[str, Any],
        way: str,
        lag: float = 0,
        unasked_at: float | None = None,
        caller: str = "",
    ) -> Request:
        """Notes that a request has arrived whole."""
        nth = self._counts[key] = self._counts.get(key, 0) + 1
        request = Request(
            number=len(self.requests),
            platform=self.name,
            key=key,
            start_at=booking["start_at"],
            duration_minutes=booking["duration_minutes"],
            notes=booking.get("notes", ""),
            way=way,
            arrived=time.monotonic(),
            nth=nth,
            seed=self.seed,
            lag=lag,
            customer=booking.get("customer", {}),
            caller=caller,
            unasked_at=unasked_at,
        )
        self.requests.append(request)
        self.lag = max(self.lag, lag)
        return request

    async def take(self, request: Request) -> Act:
        """What is to happen at the request's connection. The platform's own work may go on
        afterwards."""
        for behaviour in self.behaviours:
            if (refused := behaviour.guard(request)) is not None:
                return Act(refused)
        carrier = next((each for each in self.behaviours if each.carries(request)), None)
        act = Act(await self.start(request)) if carrier is None else await carrier.carry(request)
        for behaviour in self.behaviours:
            act = behaviour.afterwards(request, act)
        return act

    def start(self, request: Request) -> asyncio.Task[Answer]:
        """Begins the platform's work, which nothing at the connection can end."""
        return self.keep(self._book(request))

    def keep(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs something to its end that counts as work."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.faults.append(repr(task.exception()))

    async def _book(self, request: Request) -> Answer:
        for behaviour in self.behaviours:
            if seconds := behaviour.queue(request):
                await asyncio.sleep(seconds)
        answer = await self.order.decide(request, self)
        for behaviour in self.behaviours:
            answer = behaviour.reword(request, answer)
        return answer

    # Questions

    async def search(self, query: Any) -> Act:
        if self.calendar is None:
            return Act(Answer(200, {"availabilities": []}))
        search = {"number": len(self.searches), "query": query, "arrived": time.monotonic(), "ended": None}
        self.searches.append(search)
        act = await self.calendar.search(query, search["number"])
        search["ended"] = time.monotonic()
        return act

    def look_up(self, customer: Any) -> Act:
        return Act(Answer(200, {"found": False})) if self.calendar is None else self.calendar.look_up(customer)

    # What an order of looking looks at

    def known(self, request: Request) -> Answer | None:
        """The booking that the key has already, as it is now."""
        appointment = self.by_key.get(request.key)
        return None if appointment is None else appointment.answer(200)

    def taken(self, request: Request) -> Answer | None:
        """A refusal when the slot is booked, or held by a booking that is being made, or given to
        nobody."""
        for behaviour in self.behaviours:
            if (refused := behaviour.look(request)) is not None:
                return refused
        booked = sum(each.is_active for each in self._by_start.get(request.start_at, ()))
        if booked + self._held.get(request.start_at, 0) < self.capacity:
            return None
        return refusal(409, "slot_unavailable")

    async def make(self, request: Request) -> Answer:
        """Works for a while, and books then."""
        keeps_keys = self.order.keeps_keys
        if self.holds_slots:
            self._held[request.start_at] = self._held.get(request.start_at, 0) + 1
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if keeps_keys:
            self.working.setdefault(request.key, done)
        try:
            for behaviour in self.behaviours:
                if seconds := behaviour.work(request):
                    await asyncio.sleep(seconds)
        finally:
            done.set_result(None)
            if self.holds_slots:
                self._held[request.start_at] -= 1
            if self.working.get(request.key) is done:
                del self.working[request.key]
        return self._commit(request)

    def _commit(self, request: Request) -> Answer:
        """Nothing waits in here. A platform that keeps keys never has a key twice in its books."""
        if self.order.keeps_keys and request.key in self.by_key:
            return self._own_row(request)
        for behaviour in self.behaviours:
            if (refused := behaviour.verdict(request)) is not None:
                return refused
        if not self.holds_slots and (refused := self.taken(request)) is not None:
            return refused
        appointment = Appointment(
            id=f"bkg_{self.name[-6:]}_{len(self.appointments):08d}",
            key=request.key,
            start_at=request.start_at,
            duration_minutes=request.duration_minutes,
            status=next(filter(None, (each.status(request) for each in self.behaviours)), "confirmed"),
            made=time.monotonic(),
            request=request.number,
        )
        self.appointments.append(appointment)
        self._by_start.setdefault(request.start_at, []).append(appointment)
        if self.order.keeps_keys:
            self.by_key[request.key] = appointment
        for behaviour in self.behaviours:
            behaviour.committed(request, appointment)
        return appointment.answer(201)

    def add_walk_in(self, request: Request) -> None:
        """Books the slot for somebody else."""
        number = len(self.appointments)
        appointment = Appointment(
            f"bkg_walk_{number:08d}", "walk-in", request.start_at, request.duration_minutes, "confirmed",
            time.monotonic(), -1,
        )  # fmt: skip
        self.appointments.append(appointment)
        self._by_start.setdefault(request.start_at, []).append(appointment)

    def _own_row(self, request: Request) -> Answer:
        for behaviour in self.behaviours:
            if (answer := behaviour.own_row(request)) is not None:
                return answer
        return self.by_key[request.key].answer(200)

    # Books

    @property
    def in_work(self) -> int:
        """The tasks that may still write to the books."""
        return len(self._tasks)

    def books(self) -> dict[str, Any]:
        return {
            "requests": [asdict(request) for request in self.requests],
            "searches": self.searches,
            "appointments": [asdict(each) | {"is_active": each.is_active} for each in self.appointments],
            "in_work": self.in_work,
            "open": sum(request.ended is None for request in self.requests),
            "lag": self.lag,
            "faults": self.faults,
        }
