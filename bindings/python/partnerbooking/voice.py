"""From a reply on the wire to what is said on the phone: pure functions, without a client.

    found = client.search_availability(request)
    slots = voice.slots(found, time_zone="America/New_York", offers=3)
    for slot in slots.offers:
        print(slot.slot, slot.start_at)

docs/voice.md describes the rules.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Union

from . import _bindings
from .errors import Error
from .values import JSON, Reply, parsed, rfc3339

__all__ = [
    "Dialect",
    "Phone",
    "Reading",
    "SkippedItem",
    "Slot",
    "Slots",
    "Tools",
    "Wish",
    "phone",
    "say",
    "say_list",
    "say_phone",
    "slots",
    "tools",
    "when",
]


Dialect = Literal["openai", "openai_responses", "openai_realtime", "anthropic", "gemini", "mcp"]
"""The form in which a model's API takes tools."""


@dataclass(frozen=True)
class Slot:
    """A slot that can be offered and booked."""

    slot: str
    """Its name for a language model: `tue15-0930u`. The same slot has the same name in every search."""
    start_at: str
    """RFC 3339 with the clinic's offset, as a booking takes it."""
    end_at: str
    duration_minutes: int
    local: str
    """The start on the clinic's clock: `2030-01-15T09:30`."""
    utc_offset: str
    part: str
    """`morning`, `afternoon`, `evening` or `night`."""
    item: int
    """The place of the reply's item that it was made of, from 0."""


@dataclass(frozen=True)
class SkippedItem:
    """An item of the reply that gave no slot."""

    item: int
    reason: str
    """`not_an_object`, `no_start`, `unreadable_start`, `nonexistent_time`, `unreadable_length` or `too_short`."""


@dataclass(frozen=True)
class Slots:
    """The slots of a search reply."""

    slots: list[Slot]
    """In order, at most `limit`."""
    offers: list[Slot]
    """The choice to offer. Empty without `offers`."""
    picked: Slot | None
    """The slot that `pick` names. None if it names none, or more than one."""
    more: bool
    """More slots match than `limit` allows."""
    items: int
    """The number of items in the reply."""
    skipped_count: int
    skipped: list[SkippedItem]
    """The first 100 of them."""
    built_in_zones: str | None
    """The version of the built-in time zones, if the system has no file for the zone."""
    json: bytes
    """The answer, byte for byte."""


@dataclass(frozen=True)
class Reading:
    """One meaning of a caller's words."""

    from_: str
    """The first local day."""
    to: str
    """The last one, included."""
    start_at: str
    """The first instant of `from_`, for a search."""
    end_at: str
    """The first instant after `to`."""
    weekdays: list[str] | None = None
    not_before: str | None = None
    before: str | None = None
    parts: list[str] | None = None
    around: str | None = None
    earliest: bool | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The options for `slots`."""
        members = {name: value for name, value in vars(self).items() if name not in ("start_at", "end_at")}
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True)
class Wish:
    """What a caller said about a day and a time."""

    clear: bool
    """There is one reading. If not, ask the caller which is meant."""
    readings: list[Reading]
    corrected: list[str]
    """`weekday` or `year`: what was said otherwise, and changed."""
    assumed: list[str]
    """`morning`, `noon`, `afternoon` or `local_time`: what was not said."""
    json: bytes
    """The answer, byte for byte."""


@dataclass(frozen=True)
class Phone:
    """A phone number that was understood. Its text is left out of `repr`: that ends in logs."""

    phone: str
    """E.164, as a booking takes it."""
    region: str | None
    groups: list[str]
    """For a display."""
    say: str
    """In words, for the TTS."""
    extension: str | None
    json: bytes
    """The answer, byte for byte."""

    def __repr__(self) -> str:
        return f"Phone(region={self.region!r})"


@dataclass(frozen=True)
class Tools:
    """The tools for a language model."""

    tools: list[dict[str, Any]]
    """As the model's API takes them."""
    prompt: str
    """How the model uses them on the phone, for its prompt."""
    filler: str
    """Words for the caller while a tool takes long: "One moment, please." in the language of `locale`."""
    json: bytes
    """The answer, byte for byte."""


def slots(
    reply: Reply | JSON,
    *,
    time_zone: str,
    from_: str | date | datetime | None = None,
    to: str | date | datetime | None = None,
    now: str | datetime | None = None,
    **options: Any,
) -> Slots:
    """Makes slots that can be offered and booked of the reply of a search.

    `from_` and `to` are local days, the last one included, or instants. `options` are those of docs/json-contract.md:
    `duration_minutes`, `step_minutes`, `not_before`, `offers`, `pick` and others.
    """
    bounds = {"from": _moment(from_), "to": _moment(to), "now": _moment(now)}
    given = {name: value for name, value in {**options, **bounds}.items() if value is not None}
    text = reply.json if isinstance(reply, Reply) else reply
    json = _answer(_bindings.pbk_slots, _bindings.encode(text), _bindings.encode({"time_zone": time_zone, **given}))
    members = parsed(json)
    picked = members.get("picked")
    return Slots(
        slots=_slots(members["slots"]),
        offers=_slots(members.get("offers", [])),
        picked=None if picked is None else Slot(**picked),
        more=members["more"],
        items=members["items"],
        skipped_count=members["skipped_count"],
        skipped=[SkippedItem(**item) for item in members["skipped"]],
        built_in_zones=members.get("built_in_zones"),
        json=json,
    )


def when(
    when: str | None = None,
    time: str | None = None,
    *,
    time_zone: str,
    locale: str | None = None,
    now: str | datetime | None = None,
    opening: Mapping[str, Sequence[str]] | None = None,
    max_days_ahead: int | None = None,
) -> Wish:
    """Reads what a caller said about a day and a time. `TimeUnclear` names the text that is not understood.

    `opening` is as `{"mon": ["09:00-17:00"]}`. It only decides about hours without am and pm.
    """
    members = {
        "when": when,
        "time": time,
        "time_zone": time_zone,
        "locale": locale,
        "now": _moment(now),
        "opening": opening,
        "max_days_ahead": max_days_ahead,
    }
    request = {name: value for name, value in members.items() if value is not None}
    json = _answer(_bindings.pbk_when, _bindings.encode(request))
    found = parsed(json)
    readings = [Reading(from_=reading.pop("from"), **reading) for reading in found["readings"]]
    return Wish(found["clear"], readings, found["corrected"], found["assumed"], json)


def say(
    slot: Slot | str | datetime,
    *,
    time_zone: str,
    locale: str | None = None,
    now: str | datetime | None = None,
    style: str | None = None,
) -> str:
    """Puts a start into words for the TTS: a slot, or the `start_at` of a booking's own reply.

    `style` is `full` (else), `day` or `time`.
    """
    start = slot.start_at if isinstance(slot, Slot) else _moment(slot)
    return _say(start_at=start, time_zone=time_zone, locale=locale, now=_moment(now), style=style)


def say_list(
    slots: Sequence[Slot | str | datetime],
    *,
    time_zone: str,
    locale: str | None = None,
    now: str | datetime | None = None,
    style: str | None = None,
    joiner: str | None = None,
) -> str:
    """Puts 1 to 24 starts into words. A day that they share is said once. `joiner` is `or` (else) or `and`."""
    starts = [slot.start_at if isinstance(slot, Slot) else _moment(slot) for slot in slots]
    return _say(slots=starts, time_zone=time_zone, locale=locale, now=_moment(now), style=style, joiner=joiner)


def say_phone(phone: str, *, region: str | None = None, locale: str | None = None) -> str:
    """Puts a phone number into words, in groups. `region` is the caller's: numbers of it have no country code."""
    return _say(phone=phone, region=region, locale=locale)


def phone(text: str, *, region: str | None = None, locale: str | None = None) -> Phone:
    """Reads a phone number as it is spoken or written.

    Without a country code it needs the `region`, such as `US`. `PhoneUnclear` says in its `reason` what to ask for.
    """
    given = {"region": region, "locale": locale}
    request = {"text": text, **{name: value for name, value in given.items() if value is not None}}
    json = _answer(_bindings.pbk_phone, _bindings.encode(request))
    return Phone(**{"extension": None, **parsed(json), "json": json})


def tools(
    dialect: Dialect,
    *,
    voice: Mapping[str, Any] | None = None,
    bot_id: str | None = None,
    look_up_caller: bool = False,
) -> Tools:
    """Returns the tools with which a language model finds and books appointments, and a text for its prompt.

    `voice` is the configuration's member, and `bot_id` a bot with its own part of it. `look_up_caller` adds that tool.
    """
    members = {"dialect": dialect, "voice": voice, "bot_id": bot_id, "look_up_caller": look_up_caller}
    options = {name: value for name, value in members.items() if value is not None}
    json = _answer(_bindings.pbk_tools, _bindings.encode(options))
    return Tools(**parsed(json), json=json)


def _say(**members: Any) -> str:
    request = {name: value for name, value in members.items() if value is not None}
    return str(parsed(_answer(_bindings.pbk_say, _bindings.encode(request)))["say"])


def _moment(value: str | date | datetime | None) -> str | None:
    return None if value is None else rfc3339(value)


def _slots(items: Sequence[Mapping[str, Any]]) -> list[Slot]:
    return [Slot(**item) for item in items]


def _answer(function: Any, *arguments: Union[bytes, None]) -> bytes:
    status = ctypes.c_int()
    json = _bindings.take(function(*arguments, ctypes.byref(status)))
    if status.value != _bindings.OK:
        raise Error.of(status.value, json)
    return json
