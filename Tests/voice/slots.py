#!/usr/bin/env python3
"""Compares the library's slots with slot_rules.py: slots.py PROGRAM [CASES] [SEED].

PROGRAM is build/voice/slots. Each case is a few random windows and slots around a change of the clocks of one of 21 odd
zones, with random lengths, steps, filters and offers. Prints counts. Exits with 1 if a slot, a token, an offset or
a choice differs.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import slot_rules as rules

ZONES = """America/New_York Europe/London Europe/Dublin Australia/Lord_Howe Asia/Beirut Africa/Cairo America/Santiago
Asia/Gaza Pacific/Chatham America/St_Johns Asia/Kathmandu Africa/Casablanca Antarctica/Troll America/Havana Asia/Tehran
Pacific/Apia America/Scoresbysund Atlantic/Azores Australia/Adelaide Pacific/Easter Asia/Jerusalem""".split()
FIRST, LAST = 1_704_067_200, 2_208_988_800  # 2024 to 2039
BATCH = 2_000
PARTS = {
    "morning": range(6, 12),
    "lunchtime": range(12, 14),
    "afternoon": range(12, 18),
    "evening": range(18, 24),
    "night": [*range(21, 24), *range(6)],
}
"""The parts of the day that a caller may ask for, as hours."""


def changes(zone: ZoneInfo) -> list[int]:
    """The instants at which the clocks of a zone are set, to the second."""
    found = []
    step = 86_400
    for start in range(FIRST, LAST, step):
        low, high = start, start + step
        if offset(zone, low) == offset(zone, high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(zone, middle) == offset(zone, low) else (low, middle)
        found.append(high)
    return found or [FIRST]


def offset(zone: ZoneInfo, seconds: int) -> timedelta | None:
    return rules.instant(seconds).astimezone(zone).utcoffset()


def spelling(time: datetime, generator: random.Random, zone: ZoneInfo) -> str | int:
    """One instant as platforms write it: with Z, with any offset, as Unix time, or as wall time where that is clear."""
    kind = generator.randrange(6)
    if kind == 0:
        return f"{time:%Y-%m-%dT%H:%M:%SZ}"
    if kind == 1:
        return int(time.timestamp())
    if kind == 2:
        local = time.astimezone(zone).replace(tzinfo=None, fold=0)
        if local.replace(tzinfo=zone).astimezone(timezone.utc) == time:
            return local.isoformat(sep=generator.choice("T "))
    other = timezone(timedelta(minutes=generator.choice([-300, 60, 0, 345, -210, 765])))
    return time.astimezone(other).isoformat()


def case(generator: random.Random, name: str, change: int) -> tuple[dict, dict, dict]:
    """Options, a search reply, and the answer that the rules give."""
    zone = ZoneInfo(name)
    minutes = generator.choice([10, 15, 20, 30, 30, 45, 60, 90])
    step = generator.choice([5, 10, 15, 20, 30, 30, 60, 25])
    now = change - generator.randrange(5 * 86_400)
    items, starts = [], {}
    for index in range(generator.randrange(1, 4)):
        start = change + generator.randrange(-36 * 60, 36 * 60) * 60
        if generator.random() < 0.2:
            start += generator.randrange(60)
        length = generator.choice([minutes, minutes, 45, 60, 180, 210, 480, generator.randrange(minutes, 600)])
        begin = rules.instant(start)
        item = {"start_at": spelling(begin, generator, zone)}
        if length < minutes:
            continue
        item["duration_minutes"] = generator.choice([length, str(length), float(length)])
        items.append(item)
        for slot in rules.cut(begin, begin + timedelta(minutes=length), minutes, step, zone):
            starts.setdefault(slot.replace(second=0), slot)
            starts[slot.replace(second=0)] = min(slot, starts[slot.replace(second=0)])
    options = {
        "time_zone": name,
        "duration_minutes": minutes,
        "step_minutes": step,
        "now": f"{rules.instant(now):%Y-%m-%dT%H:%M:%SZ}",
    }
    slots = [slot for slot in sorted(starts.values()) if slot.timestamp() >= now]
    if generator.random() < 0.3:
        options["min_notice_minutes"] = notice = generator.randrange(0, 3_000)
        slots = [slot for slot in slots if slot.timestamp() >= now + notice * 60]
    if generator.random() < 0.3:
        options["parts"] = parts = generator.sample(sorted(PARTS), 2)
        slots = [slot for slot in slots if any(slot.astimezone(zone).hour in PARTS[part] for part in parts)]
    if generator.random() < 0.3:
        low, high = sorted(generator.sample(range(0, 1_440), 2))
        options["not_before"], options["before"] = (f"{time // 60:02d}:{time % 60:02d}" for time in (low, high))
        slots = [slot for slot in slots if low <= minute_of_day(slot, zone) < high]
    if generator.random() < 0.3:
        options["weekdays"] = days = generator.sample(rules.WEEKDAYS, 4)
        slots = [slot for slot in slots if rules.WEEKDAYS[slot.astimezone(zone).weekday()] in days]
    if generator.random() < 0.3:
        day = rules.instant(change).astimezone(zone).date()
        options["from"], options["to"] = day.isoformat(), (day + timedelta(days=1)).isoformat()
        slots = [slot for slot in slots if 0 <= (slot.astimezone(zone).date() - day).days <= 1]
    if generator.random() < 0.3:
        options["max_days_ahead"] = days = generator.randrange(0, 8)
        today = rules.instant(now).astimezone(zone).date()
        slots = [slot for slot in slots if (slot.astimezone(zone).date() - today).days <= days]
    options["offers"] = count = generator.randrange(1, 6)
    offers = rules.spread(slots, zone, count)
    if slots and generator.random() < 0.4:
        target = generator.choice(slots) + timedelta(minutes=generator.choice([0, 0, 10, 60, -45]))
        options["around"] = target.isoformat()
        offers = rules.around(slots, zone, count, target)
    expected = {
        "slots": [(rules.token(slot, minutes, zone), slot.astimezone(zone).isoformat()) for slot in slots],
        "ends": [(slot + timedelta(minutes=minutes)).astimezone(zone).isoformat() for slot in slots],
        "offers": [rules.token(slot, minutes, zone) for slot in offers],
    }
    return options, {"availabilities": items}, expected


def minute_of_day(slot: datetime, zone: ZoneInfo) -> int:
    local = slot.astimezone(zone)
    return local.hour * 60 + local.minute


def run(program: str, cases: list[tuple[dict, dict, dict]]) -> int:
    lines = "".join(f"{json.dumps(options)}\t{json.dumps(reply)}\n" for options, reply, _ in cases)
    output = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout
    answers = [json.loads(line) for line in output.splitlines()]
    assert len(answers) == len(cases)
    differences = 0
    for (options, reply, expected), answer in zip(cases, answers):
        slots = answer.get("slots", [])
        found = {
            "slots": [(slot["slot"], slot["start_at"]) for slot in slots],
            "ends": [slot["end_at"] for slot in slots],
            "offers": [slot["slot"] for slot in answer.get("offers", [])],
        }
        if found != expected:
            differences += 1
            if differences == 1:
                print(json.dumps(options), json.dumps(reply), expected, answer, sep="\n", file=sys.stderr)
    return differences


def main() -> int:
    program = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    generator = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 18)
    places = [(name, change) for name in ZONES for change in changes(ZoneInfo(name))]
    differences = slots = 0
    for done in range(0, count, BATCH):
        cases = [case(generator, *generator.choice(places)) for _ in range(min(BATCH, count - done))]
        slots += sum(len(expected["slots"]) for _, _, expected in cases)
        differences += run(program, cases)
    around = f"around {len(places)} changes of {len(ZONES)} zones"
    print(f"slots: {count} cases {around}, {slots} slots, {differences} differ")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
