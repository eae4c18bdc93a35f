"""Pure functions from a search reply to words for the caller. They need no client.

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
"""The model's API, which decides the form of the tools."""


@dataclass(frozen=True)
class Slot:
    """A slot that can be offered and booked."""

    slot: str
    """The slot's name for a language model: `tue15-0930u`. It is the same in every search."""
    start_at: str
    """RFC 3339 with the clinic's offset. Use it in the booking."""
    end_at: str
    duration_minutes: int
    local: str
    """The start on the clinic's clock: `2030-01-15T09:30`."""
    utc_offset: str
    part: str
    """`morning`, `afternoon`, `evening` or `night`."""
    item: int
    """The index of the reply's item that gave this slot, from 0."""


@dataclass(frozen=True)
class SkippedItem:
    """An item of the reply that gave no slot."""

    item: int
    """The index of the item in the reply, from 0."""
    reason: str
    """`not_an_object`, `no_start`, `unreadable_start`, `nonexistent_time`, `unreadable_length` or
    `too_short`."""


@dataclass(frozen=True)
class Slots:
    """The slots of a search reply."""

    slots: list[Slot]
    """The slots in order, at most `limit`."""
    offers: list[Slot]
    """The slots to offer to the caller. Empty without the option `offers`."""
    picked: Slot | None
    """The slot that `pick` names. None when it names no slot, or more than one slot."""
    more: bool
    """True when more slots match than `limit` allows."""
    items: int
    """The number of items in the reply."""
    skipped_count: int
    """The number of items that gave no slot."""
    skipped: list[SkippedItem]
    """The first 100 skipped items."""
    built_in_zones: str | None
    """The version of the built-in time zones. None when the system has a file for the zone."""
    json: bytes
    """The answer, byte for byte."""


@dataclass(frozen=True)
class Reading:
    """One meaning of a caller's words."""

    from_: str
    """The first local day."""
    to: str
    """The last local day, included."""
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
        """The options for the function `slots`."""
        members = {name: value for name, value in vars(self).items() if name not in ("start_at", "end_at")}
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True)
class Wish:
    """The meaning of a caller's words about a day and a time."""

    clear: bool
    """True when there is one reading. If False, ask the caller which reading is meant."""
    readings: list[Reading]
    corrected: list[str]
    """The library's corrections of the words: `weekday` or `year`."""
    assumed: list[str]
    """The library's assumptions: `morning`, `noon`, `afternoon` or `local_time`."""
    json: bytes
    """The answer, byte for byte."""


@dataclass(frozen=True)
class Phone:
    """A phone number that was understood. `repr` leaves the number out, because logs contain it."""

    phone: str
    """The number in E.164. Use it in the booking."""
    region: str | None
    """The number's region, such as `US`, or None."""
    groups: list[str]
    """Groups of digits, for a display."""
    say: str
    """The number in words, for the TTS."""
    extension: str | None
    json: bytes
    """The answer, byte for byte."""

    def __repr__(self) -> str:
        return f"Phone(region={self.region!r})"


@dataclass(frozen=True)
class Tools:
    """The tools for a language model."""

    tools: list[dict[str, Any]]
    """The tools in the form of the model's API."""
    prompt: str
    """Instructions on the tools, for the model's prompt."""
    filler: str
    """Words for the caller during a slow tool call: "One moment, please." in the language of
    `locale`."""
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
    """Returns the slots of a search reply that can be offered and booked.

    `from_` and `to` are local days, `to` included, or instants. docs/json-contract.md lists the
    `options`: `duration_minutes`, `step_minutes`, `not_before`, `offers`, `pick` and others.
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
    """Reads a caller's words about a day and a time. Raises `TimeUnclear`: its `field` names the
    text that is not understood.

    `opening` has the form `{"mon": ["09:00-17:00"]}`. It decides only about hours without am and
    pm.
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
    """Returns a start in words for the TTS. Pass a slot, or the `start_at` of a booking's reply.

    `style` is `full` (default), `day` or `time`.
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
    """Returns 1 to 24 starts in words. A shared day is said once. `joiner` is `or` (default) or
    `and`."""
    starts = [slot.start_at if isinstance(slot, Slot) else _moment(slot) for slot in slots]
    return _say(slots=starts, time_zone=time_zone, locale=locale, now=_moment(now), style=style, joiner=joiner)


def say_phone(phone: str, *, region: str | None = None, locale: str | None = None) -> str:
    """Returns a phone number in words, in groups. `region` is the caller's region: a number of that
    region is said without its country code."""
    return _say(phone=phone, region=region, locale=locale)


def phone(text: str, *, region: str | None = None, locale: str | None = None) -> Phone:
    """Reads a spoken or written phone number.

    A number without a country code needs the `region`, such as `US`. Raises `PhoneUnclear`: choose
    the next question by its `reason`.
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
    """Returns the tools with which a language model finds and books appointments, and a text for
    its prompt.

    `voice` is the member of the configuration. `bot_id` selects the bot's own values in
    `voice.bots`. `look_up_caller` adds the tool of that name.
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
