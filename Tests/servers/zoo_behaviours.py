"""What platforms do, one small class for each: the order of looking, time and locks, and what
stands in front of a platform. What they answer is in `zoo_answers.py`. A platform combines any of
them with one order of looking.

In JSON a behaviour is an object: `is` names it, the other members are the arguments of its class.
Every one has `share` and `first`: it does something to that part of the requests, and only to the
first so many with each key. Times are in milliseconds, and a list of two is a range. """

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, ClassVar

from zoo import Act, Answer, Appointment, Platform, Request, refusal

Milliseconds = float | Sequence[float]


def seconds_of(duration: Milliseconds, rng: random.Random) -> float:
    if isinstance(duration, (int, float)):
        return duration / 1000
    return rng.uniform(*duration) / 1000


class Behaviour:
    """Does nothing. Each method is a step of `Platform`, in which a subclass may do something."""

    name: ClassVar[str]

    def __init__(self, share: float = 1.0, first: int | None = None) -> None:
        self.share, self.first = share, first
        self.platform: Platform

    def set_up(self, platform: Platform) -> None:
        self.platform = platform

    def hits(self, request: Request) -> bool:
        """Whether it does something to this request. It notes that it does."""
        if self.first is not None and request.nth > self.first:
            return False
        if self.share < 1 and request.rng(f"{self.name} hits").random() >= self.share:
            return False
        if self.name not in request.met:
            request.met.append(self.name)
        return True

    def guard(self, request: Request) -> Answer | None:
        """A refusal before anything is looked at."""

    def carries(self, request: Request) -> bool:
        """Whether it stands between the connection and the platform. The first one that does is the
        only one."""
        return False

    async def carry(self, request: Request) -> Act:
        raise NotImplementedError

    def queue(self, request: Request) -> float:
        """Seconds before the platform looks at the request."""
        return 0

    def look(self, request: Request) -> Answer | None:
        """A refusal when the platform looks at the slot."""

    def work(self, request: Request) -> float:
        """Seconds between looking and booking."""
        return 0

    def verdict(self, request: Request) -> Answer | None:
        """A refusal instead of a booking, at the moment of booking."""

    def status(self, request: Request) -> str | None:
        """What the booking is booked as."""

    def committed(self, request: Request, appointment: Appointment) -> None:
        pass

    def own_row(self, request: Request) -> Answer | None:
        """The answer to a request that finds at the end that its key has a booking."""

    def reword(self, request: Request, answer: Answer) -> Answer:
        return answer

    def afterwards(self, request: Request, act: Act) -> Act:
        return act


# The order of looking


class Order(Behaviour):
    """One of these stands in every platform."""

    keeps_keys = True

    async def decide(self, request: Request, platform: Platform) -> Answer:
        raise NotImplementedError


class KeysFirst(Order):
    """A known key gives its booking, whatever became of slot and time. `in_work` says what a key in
    work gives: `wait` for the other request's end, `refuse` with a 409 that says so, or `look` at
    the slot, which that request holds."""

    name = "keys_first"

    def __init__(self, in_work: str = "wait", **options: Any) -> None:
        super().__init__(**options)
        self.in_work = in_work

    async def decide(self, request: Request, platform: Platform) -> Answer:
        while request.key in platform.working and self.in_work == "wait":
            await platform.working[request.key]
        if (known := platform.known(request)) is not None:
            return known
        if request.key in platform.working and self.in_work == "refuse":
            request.met.append("in_progress")
            return refusal(409, "idempotency_key_in_progress")
        return platform.taken(request) or await platform.make(request)


class SlotFirst(Order):
    """A repeat of a key finds its own slot taken."""

    name = "slot_first"

    async def decide(self, request: Request, platform: Platform) -> Answer:
        return platform.taken(request) or platform.known(request) or await platform.make(request)


class TimeFirst(Order):
    """A start less than `lead_ms` ahead is refused before the key is looked at."""

    name = "time_first"

    def __init__(self, lead_ms: float = 0, **options: Any) -> None:
        super().__init__(**options)
        self._lead = timedelta(milliseconds=lead_ms)

    async def decide(self, request: Request, platform: Platform) -> Answer:
        start = datetime.strptime(request.start_at, "%Y-%m-%dT%H:%M:%S%z")
        if start < datetime.now(timezone.utc) + self._lead:
            request.met.append("too_late")
            return refusal(422, "start_in_past")
        return platform.known(request) or platform.taken(request) or await platform.make(request)


class NoKeys(Order):
    """Each request is another wish."""

    name = "no_keys"
    keeps_keys = False

    async def decide(self, request: Request, platform: Platform) -> Answer:
        return platform.taken(request) or await platform.make(request)


# Time and locks


class Queues(Behaviour):
    """Something in front of the platform keeps the request for a while before the platform sees
    it."""

    name = "queues"

    def __init__(self, ms: Milliseconds, **options: Any) -> None:
        super().__init__(**options)
        self._ms = ms

    def queue(self, request: Request) -> float:
        return seconds_of(self._ms, request.rng("queues")) if self.hits(request) else 0


class Works(Behaviour):
    """Takes its time over a booking, and goes on when the client has hung up. `scale` multiplies
    the time."""

    name = "works"

    def __init__(self, ms: Milliseconds, scale: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self._ms, self._scale = ms, scale

    def work(self, request: Request) -> float:
        return seconds_of(self._ms, request.rng("works")) * self._scale if self.hits(request) else 0


class Races(Behaviour):
    """Looks at the key, then at the slot, then inserts, without a lock. The second of two twins
    meets its key's own row: a 409 `slot_unavailable` or a 500."""

    name = "races"

    def __init__(self, statuses: Sequence[int] = (409, 500), **options: Any) -> None:
        super().__init__(**options)
        self._statuses = statuses

    def set_up(self, platform: Platform) -> None:
        super().set_up(platform)
        platform.holds_slots = False

    def own_row(self, request: Request) -> Answer | None:
        if not self.hits(request):
            return None
        status = request.rng("races").choice(self._statuses)
        return refusal(status, "slot_unavailable" if status == 409 else "internal_error")


class Overbooks(Behaviour):
    """Several providers: a slot can be booked so often."""

    name = "overbooks"

    def __init__(self, capacity: int = 1000, **options: Any) -> None:
        super().__init__(**options)
        self._capacity = capacity

    def set_up(self, platform: Platform) -> None:
        super().set_up(platform)
        platform.capacity = self._capacity


class Writes(Behaviour):
    """Appends each booking to a file, and tells nobody about it before."""

    name = "writes"

    def __init__(self, path: str, **options: Any) -> None:
        super().__init__(**options)
        self._file = open(path, "a", buffering=1, encoding="utf-8")

    def committed(self, request: Request, appointment: Appointment) -> None:
        line = {"key": request.key, "wish": request.notes, "id": appointment.id, "start_at": appointment.start_at}
        self._file.write(json.dumps(line | {"request": request.number, "made": appointment.made}) + "\n")


# Between the connection and the platform


class GivesUp(Behaviour):
    """A gateway that answers by itself after a while, as the platform goes on."""

    name = "gives_up"

    def __init__(self, ms: Milliseconds, statuses: Sequence[int] = (502, 503, 504), **options: Any) -> None:
        super().__init__(**options)
        self._ms, self._statuses = ms, statuses

    def carries(self, request: Request) -> bool:
        return self.hits(request)

    async def carry(self, request: Request) -> Act:
        rng = request.rng("gives_up")
        task = self.platform.start(request)
        await asyncio.wait({task}, timeout=seconds_of(self._ms, rng))
        if task.done():
            return Act(task.result())
        request.met.append("given_up")
        return Act(refusal(rng.choice(self._statuses), "gateway_gave_up"))


class Fails(Behaviour):
    """Answers a 5xx `after` it has booked, or `before`, and then it books nothing."""

    name = "fails"

    def __init__(self, when: str = "after", statuses: Sequence[int] = (500, 502, 503, 504), **options: Any) -> None:
        super().__init__(**options)
        self._when, self._statuses = when, statuses

    def carries(self, request: Request) -> bool:
        return self.hits(request)

    async def carry(self, request: Request) -> Act:
        if self._when == "after":
            await self.platform.start(request)
        return Act(refusal(request.rng("fails").choice(self._statuses), "internal_error"))


class Drops(Behaviour):
    """Drops the connection without a byte: as soon as the request was `read`, when its work is
    `done`, or `lost`, when it was read and nobody works on it. On a kept HTTP/1.1 connection
    libcurl then sends the request again itself."""

    name = "drops"

    def __init__(self, when: str = "read", ms: Milliseconds = 0, whole: float = 0.3, **options: Any) -> None:
        super().__init__(**options)
        self._when, self._ms, self._whole = when, ms, whole

    def carries(self, request: Request) -> bool:
        return self.hits(request)

    async def carry(self, request: Request) -> Act:
        task = None if self._when == "lost" else self.platform.start(request)
        if task is not None and self._when == "done":
            await task
        if delay := seconds_of(self._ms, request.rng("drops")):
            await asyncio.sleep(delay)
        return Act(None, whole=self._whole)


class Cuts(Behaviour):
    """Drops the connection in the middle of the reply."""

    name = "cuts"

    def carries(self, request: Request) -> bool:
        return self.hits(request)

    async def carry(self, request: Request) -> Act:
        return Act(await self.platform.start(request), is_cut=True)
