"""What platforms of the zoo answer: refusals in many spellings, bookings that are none, and replies about something
else. One small class for each, as in `zoo_behaviours.py`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import zoo_calendar  # noqa: F401  # its behaviours
from zoo import Act, Answer, Appointment, Platform, Request, Unasked, refusal
from zoo_behaviours import Behaviour, Milliseconds, Order, seconds_of

# Refusals


class Unsigned(Behaviour):
    """Refuses the first requests, or those of its first time, because it has not fetched its secret yet."""

    name = "unsigned"

    def __init__(self, requests: int = 0, ms: float = 0, **options: Any) -> None:
        super().__init__(**options)
        self._requests, self._seconds = requests, ms / 1000

    def guard(self, request: Request) -> Answer | None:
        is_early = request.arrived - self.platform.began < self._seconds
        if (request.number < self._requests or is_early) and self.hits(request):
            return refusal(401, "invalid_signature")
        return None


class Limits(Behaviour):
    """Refuses with 429 and a time to wait."""

    name = "limits"

    def __init__(self, ms: Milliseconds = 50, **options: Any) -> None:
        super().__init__(**options)
        self._ms = ms

    def guard(self, request: Request) -> Answer | None:
        if not self.hits(request):
            return None
        wait = round(seconds_of(self._ms, request.rng("limits")) * 1000)
        return refusal(429, "rate_limited", (("retry-after-ms", str(wait)),))


TAKEN: dict[str, Answer] = {
    "word": Answer(409, {"error": "slot_taken"}),
    "words": Answer(409, {"error": "Slot not available"}),
    "beside": Answer(409, {"statusCode": 409, "message": "Taken", "error": "Conflict", "code": "SlotTaken"}),
    "detail": Answer(409, {"detail": {"code": "slot-taken", "message": "Taken"}}),
    "list": Answer(409, {"errors": [{"status": "409", "code": "SLOT_TAKEN", "detail": "Taken"}]}),
    "grpc": Answer(409, {"error": {"code": 409, "message": "Taken", "status": "SLOT_UNAVAILABLE"}}),
}
"""A slot that is taken, in shapes other than the API's."""

REFUSALS: dict[str, Answer] = {
    **TAKEN,
    **{
        name: refusal(409, name)
        for name in ("slot_unavailable", "SLOT_UNAVAILABLE", "slot_taken", "booking_conflict", "conflict")
    },
    "text": Answer(409, {"error": "That time was just taken"}),
    "message": Answer(409, {"statusCode": 409, "message": "That time was just taken", "error": "Conflict"}),
    "problem": Answer(409, {"type": "about:blank", "title": "Conflict", "detail": "That time was just taken"}),
    "400": refusal(400, "invalid_payload"),
    "404": refusal(404, "provider_not_found"),
    "410": refusal(410, "slot_gone"),
    "422": refusal(422, "outside_opening_hours"),
}


class Refuses(Behaviour):
    """Never gives some slots, in one spelling for each of them. `share` is of slots. The platform finds out at the end
    of its work, and remembers it."""

    name = "refuses"

    def __init__(self, spellings: Sequence[str] = tuple(REFUSALS), **options: Any) -> None:
        super().__init__(**options)
        self._spellings = spellings
        self._refused: set[str] = set()

    def look(self, request: Request) -> Answer | None:
        return self.verdict(request) if request.start_at in self._refused else None

    def verdict(self, request: Request) -> Answer | None:
        rng = random.Random(f"{request.seed}/{request.start_at}")
        if rng.random() >= self.share:
            return None
        self._refused.add(request.start_at)
        request.met.append(self.name)
        return REFUSALS[rng.choice(self._spellings)]


# Bookings that are none, and replies that are not about them


class BooksAs(Behaviour):
    """Answers with this status. One of a booking that is none is in the books, or it `is_booked` not at all."""

    name = "books_as"

    def __init__(self, statuses: Sequence[str], is_booked: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self._statuses, self._is_booked = statuses, is_booked

    def verdict(self, request: Request) -> Answer | None:
        if self._is_booked or not self.hits(request):
            return None
        return Appointment(
            id=f"bkg_none_{request.number:08d}",
            key=request.key,
            start_at=request.start_at,
            duration_minutes=request.duration_minutes,
            status=self._pick(request),
            made=0,
            request=request.number,
        ).answer(201)

    def status(self, request: Request) -> str | None:
        return self._pick(request) if self.hits(request) else None

    def _pick(self, request: Request) -> str:
        return request.rng("books_as").choice(self._statuses)


class CancelsLater(Behaviour):
    """Somebody at the clinic cancels the appointment. Its key gives it with its new status."""

    name = "cancels_later"

    def __init__(self, ms: Milliseconds, **options: Any) -> None:
        super().__init__(**options)
        self._ms = ms

    def committed(self, request: Request, appointment: Appointment) -> None:
        if appointment.is_active and self.hits(request):
            self.platform.keep(self._cancel(appointment, seconds_of(self._ms, request.rng("cancels"))))

    async def _cancel(self, appointment: Appointment, seconds: float) -> None:
        await asyncio.sleep(seconds)
        appointment.status, appointment.cancelled = "cancelled", time.monotonic()


class Misreplies(Behaviour):
    """A success that is not about the booking: of `other` bookings, `empty`, or with an `error` in it. The platform has
    booked, or it `is_booked` not."""

    name = "misreplies"

    def __init__(
        self, kinds: Sequence[str] = ("other", "empty", "error"), is_booked: bool = True, **options: Any
    ) -> None:
        super().__init__(**options)
        self._kinds, self._is_booked = kinds, is_booked

    def verdict(self, request: Request) -> Answer | None:
        return self._reply(request) if not self._is_booked and self.hits(request) else None

    def reword(self, request: Request, answer: Answer) -> Answer:
        is_ours = self._is_booked and answer.status in (200, 201)
        return self._reply(request) if is_ours and self.hits(request) else answer

    def _reply(self, request: Request) -> Answer:
        contents = {
            "other": _other(request).content,
            "empty": {"booking": {}},
            "error": {"booking": {"error": {"code": "slot_unavailable", "message": "That slot is gone"}}},
        }
        return Answer(201, contents[request.rng("misreplies").choice(self._kinds)])


class Respells(Behaviour):
    """Writes the start with another offset: the same instant, or with `is_wrong` the same digits."""

    name = "respells"

    def __init__(self, is_wrong: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._is_wrong = is_wrong

    def reword(self, request: Request, answer: Answer) -> Answer:
        booking = answer.content.get("booking", {}) if answer.status in (200, 201) else {}
        if "start_at" not in booking or not self.hits(request):
            return answer
        start = datetime.strptime(booking["start_at"], "%Y-%m-%dT%H:%M:%S%z")
        if not self._is_wrong:
            start -= timedelta(hours=5)
        return Answer(answer.status, {"booking": booking | {"start_at": start.strftime("%Y-%m-%dT%H:%M:%S-05:00")}})


def _other(request: Request) -> Answer:
    """Somebody else's booking, a day later."""
    start = datetime.strptime(request.start_at, "%Y-%m-%dT%H:%M:%S%z") + timedelta(days=1)
    return Appointment(
        id=f"bkg_other_{request.number:08d}",
        key="somebody-else",
        start_at=start.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration_minutes=30,
        status="confirmed",
        made=0,
        request=request.number,
    ).answer(201)


class Unasks(Behaviour):
    """Writes one reply more than was asked for, some time after it, where the connection is kept and idle."""

    name = "unasked"
    KINDS = (409, 400, 201)

    def __init__(self, ms: Milliseconds = 5, kinds: Sequence[int] = KINDS, **options: Any) -> None:
        super().__init__(**options)
        self._ms, self._kinds = ms, kinds

    def afterwards(self, request: Request, act: Act) -> Act:
        if request.way != "kept" or act.answer is None or act.is_cut or not self.hits(request):
            return act
        rng = request.rng("unasked")
        answers = {409: refusal(409, "slot_unavailable"), 400: refusal(400, "invalid_payload"), 201: _other(request)}
        return Act(act.answer, unasked=Unasked(seconds_of(self._ms, rng), answers[rng.choice(self._kinds)]))


def _all(kind: type[Behaviour]) -> list[type[Behaviour]]:
    return [each for child in kind.__subclasses__() for each in (child, *_all(child))]


BEHAVIOURS: dict[str, type[Behaviour]] = {each.name: each for each in _all(Behaviour) if hasattr(each, "name")}


def make_platform(spec: dict[str, Any]) -> Platform:
    """From `{"name": ..., "seed": ..., "behaviours": [{"is": "keys_first"}, ...]}`."""
    made = [
        BEHAVIOURS[each["is"]](**{name: value for name, value in each.items() if name != "is"})
        for each in spec["behaviours"]
    ]
    (order,) = [each for each in made if isinstance(each, Order)]
    return Platform(spec["name"], spec.get("seed", 0), made, order)
