"""Replies as tables for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import groupby

from .values import Availability, CreateBookingReply, LookupCustomerReply, Reply, SearchAvailabilityReply


def of(reply: Reply, key: str = "") -> str:
    if isinstance(reply, SearchAvailabilityReply):
        return _slots(reply.availabilities)
    if isinstance(reply, CreateBookingReply):
        shown = [("booked", reply.id), ("status", reply.status), ("from", reply.start_at), ("until", reply.end_at)]
        return pairs([*shown, ("key", key)])
    assert isinstance(reply, LookupCustomerReply)
    customer = reply.customer
    if customer is None:
        return "nobody is known under this number"
    shown = [("name", customer.name), ("phone", customer.phone)]
    appointment = customer.existing_appointment
    if appointment is not None:
        shown += [("from", appointment.start_at), ("until", appointment.end_at), ("status", appointment.status)]
    return pairs(shown)


def printable(text: str) -> str:
    """Replaces unprintable characters. A platform's text could move a terminal's cursor or change
    its colours."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def rows(cells: Iterable[tuple[str, ...]]) -> str:
    """Returns lines with aligned columns."""
    table = [tuple(printable(cell) for cell in row) for row in cells]
    widths = [max(map(len, column)) for column in zip(*table)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table)
    return "\n".join(lines)


def pairs(pairs: Iterable[tuple[str, str | None]]) -> str:
    return rows((name, value) for name, value in pairs if value)


def _slots(availabilities: list[Availability]) -> str:
    """Returns a table for each day, with the platform's own times and offsets. The last column is
    a value for `--at`."""
    if not availabilities:
        return "no free slots"
    lines = []
    for day, slots in groupby(availabilities, _day):
        table = rows((_clock(slot), _minutes(slot), slot.start_at) for slot in slots)
        lines.append("\n".join([printable(day), *(f"  {line}" for line in table.splitlines())]))
    return "\n".join(lines)


def _moment(text: str) -> datetime | None:
    if sys.version_info < (3, 11) and text.endswith(("Z", "z")):
        text = f"{text[:-1]}+00:00"
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _day(slot: Availability) -> str:
    start = _moment(slot.start_at)
    return start.strftime("%A, %Y-%m-%d") if start else "in another form"


def _clock(slot: Availability) -> str:
    start = _moment(slot.start_at)
    if start is None:
        return ""
    try:
        end = start + timedelta(minutes=slot.duration_minutes or 0)
    except OverflowError:
        return f"{start:%H:%M}"
    return f"{start:%H:%M} to {end:%H:%M}" if slot.duration_minutes else f"{start:%H:%M}"


def _minutes(slot: Availability) -> str:
    return "" if slot.duration_minutes is None else f"{slot.duration_minutes} min"
