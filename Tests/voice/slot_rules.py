"""The rules of slots, tokens and choices, written down slowly: an oracle for the library. Standard library only."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
LETTERS = "abcdefghjkmnpqrstuvwxyz"
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def cut(start: datetime, end: datetime, minutes: int, step: int, zone: ZoneInfo) -> list[datetime]:
    """The starts in a window: multiples of the step on the wall clock, or its own start if none of them fits."""
    length = timedelta(minutes=minutes)
    starts = []
    time = start.replace(second=0, microsecond=0)
    if time < start:
        time += MINUTE
    while time + length <= end:
        local = time.astimezone(zone)
        if (local.hour * 60 + local.minute) % step == 0:
            starts.append(time)
        time += MINUTE
    return starts or ([start] if start + length <= end else [])


def token(time: datetime, minutes: int, zone: ZoneInfo) -> str:
    local = time.astimezone(zone)
    digits = [int(digit) for digit in f"{local.day:02d}{local:%H%M}"]
    number = sum(weight * digit for weight, digit in zip((10, 14, 9, 17, 22, 21), digits))
    number += 9 * local.month + 14 * local.fold + 11 * minutes
    return f"{WEEKDAYS[local.weekday()]}{local.day:02d}-{local:%H%M}{LETTERS[number % 23]}"


def part(local: datetime) -> str:
    if 6 <= local.hour < 12:
        return "morning"
    if 12 <= local.hour < 18:
        return "afternoon"
    return "evening" if 18 <= local.hour < 21 else "night"


def spread(slots: list[datetime], zone: ZoneInfo, count: int) -> list[datetime]:
    """A choice over days and parts of the day."""
    slots = sorted(slots)
    if len(slots) <= count:
        return slots
    picked = [slots[0]]
    while len(picked) < count:
        picked.append(min((slot for slot in slots if slot not in picked), key=lambda slot: _rank(slot, picked, zone)))
    return sorted(picked)


def _rank(slot: datetime, picked: list[datetime], zone: ZoneInfo) -> tuple[int, int, int, int, datetime]:
    local = slot.astimezone(zone)
    others = [other.astimezone(zone) for other in picked]
    gap = min(abs((slot - other).total_seconds()) for other in picked)
    roundness = {0: 0, 30: 1, 15: 2, 45: 2}.get(local.minute, 3)
    same_day = sum(other.date() == local.date() for other in others)
    same_part = sum(part(other) == part(local) for other in others)
    return same_day, same_part, -min(4, int(gap // 3600)), roundness, slot


def around(slots: list[datetime], zone: ZoneInfo, count: int, target: datetime) -> list[datetime]:
    """The slot of a time that was asked for, or its neighbours and the same time of other days."""
    slots = sorted(slots)
    if len(slots) <= count:
        return slots
    if target in slots:
        return [target]
    wanted = target.astimezone(zone)
    same = [slot for slot in slots if slot.astimezone(zone).date() == wanted.date()]
    chosen = [slot for slot in same if slot < target][-1:] + [slot for slot in same if slot > target][:1]

    def distance(slot: datetime) -> tuple[int, float, datetime]:
        local = slot.astimezone(zone)
        minutes = abs(local.hour * 60 + local.minute - wanted.hour * 60 - wanted.minute)
        return minutes, abs((slot - target).total_seconds()), slot

    chosen += sorted((slot for slot in slots if slot.astimezone(zone).date() != wanted.date()), key=distance)
    return sorted(chosen[:count])


def instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)
