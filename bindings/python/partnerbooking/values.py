"""Dataclasses for requests and replies.

`json` of a reply contains the service's bytes unchanged. The other members are read from it on
access. Platforms differ, so any member may be missing. `raw` contains all members, also those that
have no property here.

No `repr` contains a phone number, a name, an email address or a note, because logs contain `repr`s.
"""

from __future__ import annotations

import json as _json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal, Union, cast

JSON = Union[str, bytes, Mapping[str, Any]]
"""A request as JSON text, or as a mapping that the package encodes."""

Moment = Union[str, datetime]
"""A date-time with an offset: RFC 3339 text, or a `datetime` with a time zone."""

Bound = Union[str, datetime, date]
"""A `Moment`, or a plain date."""

Outcome = Literal["not_sent", "rejected", "unknown"]
"""The meaning of a failed booking."""

Source = Literal["caller", "library", "network", "partner_api", "platform"]
"""The side at fault for an error."""

State = Literal["in_flight", "in_doubt", "booked", "refused"]
"""The state of a pending booking."""


# ---- Requests ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class CallOptions:
    """The options of one call. None: the configuration's value applies, if there is one."""

    timeout_ms: int | None = None
    """Deadline of the call in milliseconds, 1 to 600000."""
    slow_after_ms: int | None = None
    """Milliseconds until an `AsyncClient` calls `on_slow`, 1 to 600000."""
    tag: str | None = None
    """Your text for this call, at most 256 bytes. Errors and reports contain it."""
    traceparent: str | None = None
    """A W3C trace context. It is sent as the header `traceparent`."""

    def members(self) -> dict[str, Any]:
        return _present(vars(self))


_NO_OPTIONS = CallOptions()


@dataclass(frozen=True)
class SearchAvailabilityRequest:
    """A search for a bot's free appointment slots."""

    bot_id: str
    start_at: Bound
    end_at: Bound
    """Later than `start_at`. A plain date includes that day."""
    options: CallOptions = _NO_OPTIONS

    def members(self) -> dict[str, Any]:
        """Returns the request as docs/json-contract.md describes it."""
        bounds = {"start_at": rfc3339(self.start_at), "end_at": rfc3339(self.end_at)}
        return {"bot_id": self.bot_id, "query": {"filter": {"start_at_range": bounds}}, **self.options.members()}


@dataclass(frozen=True)
class Customer:
    """The customer of a booking."""

    phone: str = field(repr=False)
    """E.164: `+15551234567`."""
    name: str = field(repr=False)
    email: str | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        """Returns the names of the members that are set, without their values."""
        return f"Customer(<{', '.join(_present(vars(self)))}>)"


@dataclass(frozen=True)
class CreateBookingRequest:
    """A request to book a slot."""

    bot_id: str
    start_at: Moment
    duration_minutes: int
    customer: Customer
    idempotency_key: str | None = None
    """The same key returns the same booking, and never makes a second one. Required, except for
    `booking_key`."""
    notes: str | None = field(default=None, repr=False)
    detach: bool = False
    """True when the booking goes on after its task is cancelled, so that the caller may hang up."""
    conversation: str | None = None
    """The name of the phone call, 1 to 256 bytes. It is not sent. `pending_bookings` returns it,
    also in a later process."""
    options: CallOptions = _NO_OPTIONS

    def members(self) -> dict[str, Any]:
        """Returns the request as docs/json-contract.md describes it."""
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
    """A look-up of a customer by phone number."""

    bot_id: str
    phone: str = field(repr=False)
    """E.164: `+15551234567`."""
    options: CallOptions = _NO_OPTIONS

    def members(self) -> dict[str, Any]:
        """Returns the request as docs/json-contract.md describes it."""
        return {"bot_id": self.bot_id, "customer": {"phone": self.phone}, **self.options.members()}


def rfc3339(moment: Bound) -> str:
    """Returns a moment as RFC 3339 text. Text stays as it is."""
    return moment if isinstance(moment, str) else moment.isoformat()


def _present(members: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the members that are not None."""
    return {name: value for name, value in members.items() if value is not None}


# ---- Replies -----------------------------------------------------------------------------------


@dataclass(frozen=True, repr=False)
class Reply:
    """A reply of the service."""

    json: bytes = field(repr=False)
    """The reply, byte for byte."""
    timing_json: bytes | None = field(default=None, repr=False, compare=False)

    @cached_property
    def raw(self) -> dict[str, Any]:
        """The whole reply, parsed."""
        return parsed(self.json)

    @cached_property
    def timing(self) -> dict[str, Any] | None:
        """The parts of the call's time. docs/json-contract.md describes them.

        None in replies of a `Client`: the library's blocking functions return the reply alone.
        Completions and errors have it.
        """
        return None if self.timing_json is None else parsed(self.timing_json)

    def __repr__(self) -> str:
        """Returns a text without personal data, also for a malformed reply."""
        try:
            shown = ", ".join(f"{name}={value!r}" for name, value in self._shown().items())
        except (ValueError, LookupError, TypeError, AttributeError):
            shown = f"{len(self.json)} bytes"
        return f"{type(self).__name__}({shown})"

    def _shown(self) -> dict[str, object]:
        raise LookupError


@dataclass(frozen=True)
class Availability:
    """A free slot. Some platforms list a whole free window instead."""

    start_at: str
    """RFC 3339, as the platform wrote it."""
    duration_minutes: int | None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The platform's item with all its members."""

    # A reply has many items. The `__init__` of a frozen dataclass takes longer than parsing them.
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
        """The platform's booking with all its members."""
        return cast("dict[str, Any]", self.raw["booking"])

    @property
    def id(self) -> str | None:
        return _text(self.booking, "id")

    @property
    def status(self) -> str | None:
        """The platform's own word: `confirmed`, `pending` and others."""
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
    """An appointment that a customer already has."""

    start_at: str | None
    """RFC 3339, as the platform wrote it."""
    end_at: str | None
    status: str | None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The platform's appointment with all its members."""


@dataclass(frozen=True)
class KnownCustomer:
    """A customer that the platform knows."""

    phone: str | None = field(repr=False)
    name: str | None = field(repr=False)
    existing_appointment: Appointment | None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The platform's customer with all its members."""


@dataclass(frozen=True, repr=False)
class LookupCustomerReply(Reply):
    @cached_property
    def customer(self) -> KnownCustomer | None:
        """The customer. None when the platform does not know the number."""
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
    """The time of the request."""
    in_flight: bool
    """True when a request for the booking is under way."""
    expired: bool
    """True when the start has passed."""
    state: State
    """The state of the booking:

    - `in_flight`: a request is under way. `resume` joins it.
    - `in_doubt`: it may be booked. `resume` asks again. `give_up` ends a doubt that nobody can
      settle.
    - `booked`: it was booked. `resume` returns the reply.
    - `refused`: it was not booked, and its key is free. `resume` raises `NotRecorded` with the
      outcome `not_sent` or `rejected`.

    A newer library may have further states.
    """
    conversation: str | None = None
    """The name of the phone call. None when the request had none."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def pending_bookings(json: bytes) -> list[PendingBooking]:
    """Reads a reply of `pbk_pending_bookings`."""
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
    """The result of `give_up`. Nothing was sent to the service."""

    given_up: tuple[PendingBooking, ...]
    """Bookings that the library has forgotten. Their keys are free: a repeat is a new booking."""
    kept: tuple[PendingBooking, ...]
    """Bookings that stay as they are. A call waits for them, or their end is known (`booked`,
    `refused`)."""
    journaled: bool | None = None
    """False when the journal did not record this in time: a later process may list the bookings
    again. Otherwise None."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def give_up_reply(json: bytes) -> GiveUpReply:
    """Reads the reply to a `give_up`."""
    members = parsed(json)
    given_up, kept = (tuple(_pending_booking(item) for item in members[name]) for name in ("given_up", "kept"))
    return GiveUpReply(given_up, kept, members.get("journaled"), members)


@dataclass(frozen=True)
class DoubtAnswer:
    """The last answer to a booking in doubt, or the failure of the last request."""

    status: int | None
    """The HTTP status. None when no HTTP answer came."""
    code: str
    """The code of the answer or the failure: `slot_unavailable`, `connection_lost` and others."""


@dataclass(frozen=True)
class Doubt:
    """The facts about a booking in doubt."""

    sent_ms_ago: int
    """Age in milliseconds of the oldest request that may have made the booking."""
    answer: DoubtAnswer | None
    """The last answer. None when there was none."""


def doubt(members: Mapping[str, Any]) -> Doubt:
    """Reads the member `doubt` of an error."""
    answer = members["answer"]
    return Doubt(members["sent_ms_ago"], None if answer is None else DoubtAnswer(answer["status"], answer["code"]))


@dataclass(frozen=True)
class Existing:
    """The booking that already has the key of a refused request."""

    state: Literal["booked", "in_flight", "in_doubt"]
    """`booked`, `in_flight` or `in_doubt`. A newer library may have further states."""
    start_at: str | None
    """Its start, as its own request wrote it. None when a journal of version 1 recorded the booking
    and the reply has no start."""
    booking_id: str | None
    """The platform's ID of a `booked` booking. None in other states, or if the reply has no ID."""


def existing(members: Mapping[str, Any]) -> Existing:
    """Reads the member `existing` of an error."""
    return Existing(members["state"], _text(members, "start_at"), _text(members, "booking_id"))


def parsed(json: bytes) -> dict[str, Any]:
    """Returns the object in a JSON text that the library has checked."""
    text = json.decode()
    try:
        return cast("dict[str, Any]", _json.loads(text))
    except ValueError:
        # Python converts at most 4300 digits to an int, and JSON has no limit. A platform's long
        # number must not make a call fail.
        return cast("dict[str, Any]", _json.loads(text, parse_int=float))


def _text(members: Mapping[str, Any], name: str) -> str | None:
    value = members.get(name)
    return value if isinstance(value, str) else None


def _integer(members: Mapping[str, Any], name: str) -> int | None:
    value = members.get(name)
    return value if type(value) is int else None  # not isinstance: bool is a subclass of int


def _object(members: Mapping[str, Any], name: str) -> dict[str, Any] | None:
    """Returns the member, or None when it is no object. Some platforms write `null` for none."""
    value = members.get(name)
    return value if isinstance(value, dict) else None
