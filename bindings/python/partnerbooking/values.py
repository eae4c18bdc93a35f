"""Requests and replies as dataclasses.

A reply keeps what came, byte for byte, in `json`; its members are read from that when they are asked for. Platforms
differ, so that any member may be missing, and what a platform has beyond those named here is in `raw`.

What callers told us is left out of every `repr`: those end in logs.
"""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal, Union, cast

JSON = Union[str, bytes, Mapping[str, Any]]
"""A request as JSON: written out, or a mapping that is yet to be."""

Moment = Union[str, datetime]
"""RFC 3339 with an offset, or a datetime that has one."""

Bound = Union[str, datetime, date]
"""The same, or a plain date."""

Outcome = Literal["not_sent", "rejected", "unknown"]
"""What a failed booking means."""

Source = Literal["caller", "library", "network", "partner_api", "platform"]
"""Whose fault an error is."""

State = Literal["in_flight", "in_doubt", "booked", "refused"]
"""What is known of a booking."""


# ---- Requests --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CallOptions:
    """What may be set for one call; None leaves it to the configuration."""

    timeout_ms: int | None = None
    """Deadline of the call, 1 to 600000."""
    slow_after_ms: int | None = None
    """After how long `on_slow` of an `AsyncClient` is called, 1 to 600000."""
    tag: str | None = None
    """Comes back in errors. At most 256 bytes."""
    traceparent: str | None = None
    """A W3C trace context, sent as the header `traceparent`."""

    def members(self) -> dict[str, Any]:
        return _present(vars(self))


_NO_OPTIONS = CallOptions()


@dataclass(frozen=True)
class SearchAvailabilityRequest:
    """Asks for a bot's free appointment slots."""

    bot_id: str
    start_at: Bound
    end_at: Bound
    """After `start_at`; a plain date includes its day."""
    options: CallOptions = _NO_OPTIONS

    def members(self) -> dict[str, Any]:
        """The request as docs/json-contract.md describes it."""
        bounds = {"start_at": rfc3339(self.start_at), "end_at": rfc3339(self.end_at)}
        return {"bot_id": self.bot_id, "query": {"filter": {"start_at_range": bounds}}, **self.options.members()}


@dataclass(frozen=True)
class Customer:
    """For whom a slot is booked."""

    phone: str = field(repr=False)
    """E.164: `+15551234567`."""
    name: str = field(repr=False)
    email: str | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        """Names the members that are there, without what they hold."""
        return f"Customer(<{', '.join(_present(vars(self)))}>)"


@dataclass(frozen=True)
class CreateBookingRequest:
    """Asks to book a slot."""

    bot_id: str
    start_at: Moment
    duration_minutes: int
    customer: Customer
    idempotency_key: str | None = None
    """Names the booking: the same key gives the same booking again and never makes a second one. Only `booking_key`
    takes a request without."""
    notes: str | None = field(default=None, repr=False)
    detach: bool = False
    """The booking runs on when its task is cancelled: the caller may hang up."""
    conversation: str | None = None
    """Names the phone call, in 1 to 256 bytes. It is not sent. `pending_bookings` gives it back, also in a later
    process."""
    options: CallOptions = _NO_OPTIONS

    def members(self) -> dict[str, Any]:
        """The request as docs/json-contract.md describes it."""
        booking = {
            "start_at": rfc3339(self.start_at),
            "duration_minutes": self.duration_minutes,
            "customer": _present(vars(self.customer)),
            "notes": self.notes,
        }
        request = {
            "bot_id": self.bot_id,
            "idempotency_key": self.idempotency_key,
            "booking": _present(booking),
            "conversation": self.conversation,
        }
        return {**_present(request), **({"detach": True} if self.detach else {}), **self.options.members()}


@dataclass(frozen=True)
class LookupCustomerRequest:
    """Asks who is calling."""

    bot_id: str
    phone: str = field(repr=False)
    """E.164: `+15551234567`."""
    options: CallOptions = _NO_OPTIONS

    def members(self) -> dict[str, Any]:
        """The request as docs/json-contract.md describes it."""
        return {"bot_id": self.bot_id, "customer": {"phone": self.phone}, **self.options.members()}


def rfc3339(moment: Bound) -> str:
    """Writes a moment as the library takes it. A text stays as it is."""
    return moment if isinstance(moment, str) else moment.isoformat()


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    """The library refuses `null` for a member that is optional."""
    return {name: value for name, value in members.items() if value is not None}


# ---- Replies ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Reply:
    """What the service answered."""

    json: bytes = field(repr=False)
    """The reply, byte for byte."""
    timing_json: bytes | None = field(default=None, repr=False, compare=False)

    @cached_property
    def raw(self) -> dict[str, Any]:
        """The whole reply, parsed."""
        return parsed(self.json)

    @cached_property
    def timing(self) -> dict[str, Any] | None:
        """Where the time went, member by member in docs/json-contract.md. None from a `Client`: the library tells it in
        completions and in errors, and the blocking functions give the reply alone."""
        return None if self.timing_json is None else parsed(self.timing_json)

    def __repr__(self) -> str:
        """Without what the customer told. A reply that is not as promised has a `repr`, too."""
        try:
            shown = ", ".join(f"{name}={value!r}" for name, value in self._shown().items())
        except (ValueError, LookupError, TypeError, AttributeError):
            shown = f"{len(self.json)} bytes"
        return f"{type(self).__name__}({shown})"

    def _shown(self) -> dict[str, object]:
        raise LookupError


@dataclass(frozen=True)
class Availability:
    """A free slot; from some platforms a whole free window."""

    start_at: str
    """RFC 3339, as the platform wrote it."""
    duration_minutes: int | None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The platform's own, with what else it holds."""

    # A reply has many of these, and setting members the way a frozen dataclass does takes longer than parsing them.
    def __init__(self, start_at: str, duration_minutes: int | None, raw: Mapping[str, Any] | None = None) -> None:
        members = self.__dict__
        members["start_at"] = start_at
        members["duration_minutes"] = duration_minutes
        members["raw"] = {} if raw is None else raw


@dataclass(frozen=True, repr=False)
class SearchAvailabilityReply(Reply):
    @cached_property
    def availabilities(self) -> list[Availability]:
        """The items that have a `start_at`, in the platform's order."""
        return [
            Availability(start_at, _integer(item, "duration_minutes"), item)
            for item in self.raw["availabilities"]
            if isinstance(item, dict) and isinstance(start_at := item.get("start_at"), str)
        ]

    def _shown(self) -> dict[str, object]:
        found = self.availabilities
        ends = {"first": found[0].start_at, "last": found[-1].start_at} if found else {}
        return {"availabilities": len(found), **ends}


@dataclass(frozen=True, repr=False)
class CreateBookingReply(Reply):
    @property
    def booking(self) -> dict[str, Any]:
        """The platform's booking with all that it holds."""
        return cast("dict[str, Any]", self.raw["booking"])

    @property
    def id(self) -> str | None:
        return _text(self.booking, "id")

    @property
    def status(self) -> str | None:
        """The platform's word: `confirmed`, `pending` and others."""
        return _text(self.booking, "status")

    @property
    def start_at(self) -> str | None:
        """RFC 3339, as the platform wrote it."""
        return _text(self.booking, "start_at")

    @property
    def end_at(self) -> str | None:
        return _text(self.booking, "end_at")

    def _shown(self) -> dict[str, object]:
        return {"id": self.id, "status": self.status, "start_at": self.start_at, "end_at": self.end_at}


@dataclass(frozen=True)
class Appointment:
    """What a customer has booked already."""

    start_at: str | None
    """RFC 3339, as the platform wrote it."""
    end_at: str | None
    status: str | None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The platform's own, with what else it holds."""


@dataclass(frozen=True)
class KnownCustomer:
    """What the platform knows of who is calling."""

    phone: str | None = field(repr=False)
    name: str | None = field(repr=False)
    existing_appointment: Appointment | None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The platform's own, with what else it holds."""


@dataclass(frozen=True, repr=False)
class LookupCustomerReply(Reply):
    @cached_property
    def customer(self) -> KnownCustomer | None:
        """None: the platform does not know them."""
        if self.raw["found"] is not True:
            return None
        found = _object(self.raw, "customer") or {}
        has = _object(found, "existing_appointment")
        appointment = None
        if has is not None:
            appointment = Appointment(_text(has, "start_at"), _text(has, "end_at"), _text(has, "status"), has)
        return KnownCustomer(_text(found, "phone"), _text(found, "name"), appointment, found)

    def _shown(self) -> dict[str, object]:
        customer = self.customer
        return {"found": False} if customer is None else {"found": True, "customer": customer}


@dataclass(frozen=True)
class PendingBooking:
    """A booking whose end the host has not heard."""

    idempotency_key: str
    bot_id: str
    start_at: str
    duration_minutes: int
    recorded_at: str
    """When it was asked for."""
    in_flight: bool
    """A request for it is under way."""
    expired: bool
    """Its start has passed."""
    state: State
    """What is known of it:

    - `in_flight`: a request for it is under way.
    - `in_doubt`: it may have been booked. `resume` asks again; `give_up` ends the doubt when nobody can settle it.
    - `booked`: it was booked. `resume` returns the reply.
    - `refused`: it was not booked, and its key is free. `resume` raises `NotRecorded`, with the outcome `not_sent` or
      `rejected`.

    A newer library may have other words.
    """
    conversation: str | None = None
    """The phone call that the request named. None when it named none."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def pending_bookings(json: bytes) -> list[PendingBooking]:
    """What a reply of `pbk_pending_bookings` lists."""
    return [_pending_booking(item) for item in parsed(json)["pending_bookings"]]


def _pending_booking(item: Mapping[str, Any]) -> PendingBooking:
    return PendingBooking(
        item["idempotency_key"],
        item["bot_id"],
        item["start_at"],
        item["duration_minutes"],
        item["recorded_at"],
        item["in_flight"],
        item["expired"],
        item["state"],
        _text(item, "conversation"),
        item,
    )


@dataclass(frozen=True)
class GiveUpReply:
    """What `give_up` did. Nothing was sent to the service."""

    given_up: tuple[PendingBooking, ...]
    """The library has forgotten these. Their keys are free: a repeat is a new booking."""
    kept: tuple[PendingBooking, ...]
    """These stay as they are: a call waits for them, or their end is known (`booked`, `refused`)."""
    journaled: bool | None = None
    """False: the disk did not take it, and a later process may list them again. None: the reply does not say, because
    there is no journal or nothing was given up."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def give_up_reply(json: bytes) -> GiveUpReply:
    """Reads the reply to a `give_up`."""
    members = parsed(json)
    given_up, kept = (tuple(_pending_booking(item) for item in members[name]) for name in ("given_up", "kept"))
    return GiveUpReply(given_up, kept, members.get("journaled"), members)


@dataclass(frozen=True)
class DoubtAnswer:
    """The last answer to a booking in doubt, or the failure that came in its place."""

    status: int | None
    """The HTTP status. None when no HTTP answer came."""
    code: str
    """The code of the answer or of the failure: `slot_unavailable`, `connection_lost` and others."""


@dataclass(frozen=True)
class Doubt:
    """What is open about a booking in doubt."""

    sent_ms_ago: int
    """Age of the oldest request that may have made the booking, in milliseconds."""
    answer: DoubtAnswer | None
    """The last answer. None when there was none."""


def doubt(members: Mapping[str, Any]) -> Doubt:
    """Reads the member `doubt` of an error."""
    answer = members["answer"]
    return Doubt(members["sent_ms_ago"], None if answer is None else DoubtAnswer(answer["status"], answer["code"]))


@dataclass(frozen=True)
class Existing:
    """The booking that has the key of a request that was refused."""

    state: Literal["booked", "in_flight", "in_doubt"]
    """`booked`, `in_flight` or `in_doubt`. A newer library may have other words."""
    start_at: str | None
    """Its start, as its own request had it. None when version 1 of the journal recorded it, and its reply has none."""
    booking_id: str | None
    """The platform's ID of a booked one. None for every other, and when the reply has none."""


def existing(members: Mapping[str, Any]) -> Existing:
    """Reads the member `existing` of an error."""
    return Existing(members["state"], _text(members, "start_at"), _text(members, "booking_id"))


def parsed(json: bytes) -> dict[str, Any]:
    """An object that the library has found to be JSON."""
    text = json.decode()
    try:
        return cast("dict[str, Any]", _json.loads(text))
    except ValueError:
        # JSON knows no limit to numbers. Python's integers have one, 4300 digits, and a platform must not end a call by
        # that.
        return cast("dict[str, Any]", _json.loads(text, parse_int=float))


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) else None


def _integer(members: Mapping[str, Any], name: str) -> int | None:
    value = members.get(name)
    return value if type(value) is int else None  # bool is an int, too


def _object(members: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """None also for what is no object: some say that there is none by `null`."""
    value = members.get(name)
    return value if isinstance(value, dict) else None
