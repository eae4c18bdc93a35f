"""What a sloppy model writes for `conversation.py`: wishes, tokens, names, and arguments in every disguise."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from conversation_platforms import KINDS, Plan
from zoo_calendar import instant, openings

LETTERS = "abcdefghjkmnpqrstuvwxyz"
WEIGHTS = (10, 14, 9, 17, 22, 21)
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NAMES = ["Johanna", "José", "Mary Ann", "D'Arcy", "Søren"]
TAG = "abcdefghiklmnopr"
"""Sixteen letters. A name in them says whose appointment it is."""


def tag(number: int) -> str:
    return "Q" + "".join(TAG[number >> shift & 15] for shift in (20, 16, 12, 8, 4, 0))


def owner(text: str) -> int | None:
    """The conversation that a name belongs to."""
    for word in text.split():
        letters = word[1:].lower()
        if word[:1] in "Qq" and len(letters) == 6 and all(each in TAG for each in letters):
            number = 0
            for each in letters:
                number = number << 4 | TAG.index(each)
            return number
    return None


def token(start: datetime, minutes: int, zone: str) -> str:
    """As the library names a slot that does not stand in the second of two equal hours."""
    local = start.astimezone(ZoneInfo(zone))
    digits = [int(each) for each in f"{local.day:02d}{local:%H%M}"]
    total = sum(weight * digit for weight, digit in zip(WEIGHTS, digits, strict=True))
    total += 9 * local.month + 14 * local.fold + 11 * minutes
    return f"{DAYS[local.weekday()]}{local.day:02d}-{local:%H%M}{LETTERS[total % 23]}"


def invented(rng: random.Random, plan: Plan) -> str:
    """A token with the right letter, of a time that the platform may have free."""
    for _ in range(50):
        day = datetime.now(timezone.utc).date() + timedelta(days=rng.randrange(1, 30))
        if spans := openings(day, plan.zone, plan.seed):
            begin = spans[0][0] + timedelta(minutes=30 * rng.randrange(6))
            return token(begin, rng.choice([30, 30, 60]), plan.zone)
    return "tue15-0930u"


def near(rng: random.Random, slot: dict[str, Any]) -> str:
    """Another spelling of an offered slot's name."""
    name = slot["slot"]
    start = slot["start_at"]
    forms = [
        name.upper(),
        name.capitalize(),
        f"[{name}]",
        f"({name})",
        f"slot {name}",
        f"Slot: {name}",
        f"  {name} ",
        f'"{name}"',
        f"`{name}`",
        name.replace("-", ""),
        name.replace("-", " "),
        f"{name[:8]}:{name[8:]}",
        name[:-1],
        start,
        instant(start).strftime("%Y-%m-%dT%H:%M:%SZ"),
    ]
    return rng.choice(forms)


def garbled(rng: random.Random, name: str) -> str:
    """Something like a slot's name that names no slot, unless it happens to name another one."""
    digits = [place for place, each in enumerate(name) if each.isdigit()]
    letters = list(name)
    kind = rng.randrange(6)
    if kind == 0:
        place = rng.choice(digits)
        letters[place] = rng.choice([each for each in "0123456789" if each != letters[place]])
    elif kind == 1:
        pairs = [place for place in digits if place + 1 in digits and letters[place] != letters[place + 1]]
        if pairs:
            place = rng.choice(pairs)
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
        else:
            letters[-1] = "i"
    elif kind == 2:
        letters[-1] = rng.choice([each for each in LETTERS if each != letters[-1]])
    elif kind == 3:
        letters[:3] = rng.choice([each for each in DAYS if each != name[:3]])
    elif kind == 4:
        return rng.choice(["the nice one", "slot", "yes", "tomorrow morning", "99", "mon99-9999z", "-", "🦊"])
    else:
        return name + rng.choice("xyz9")
    return "".join(letters)


def wish(rng: random.Random, plan: Plan) -> dict[str, Any]:
    """Arguments for a search, some of them nonsense."""
    day = datetime.now(ZoneInfo(plan.zone)).date() + timedelta(days=rng.randrange(-3, 25))
    wrong_day = DAYS[(day.weekday() + rng.choice([1, 1, 6, 3])) % 7]
    when = [
        *["tomorrow", "next week", "this week", "today", None, ""] * 2,
        *["Tuesday", "next Tuesday", "Friday", "in two weeks", "the 14th", "Monday", "Thursday", "Wednesday"],
        day.isoformat(),
        f"{wrong_day} {day.isoformat()}",
        f"{wrong_day}, {day:%B} {day.day}",
        *["the 31st of February", "blub", "not on Monday", "9999-99-99", "2031-05-05T11:11:00Z", 14, True],
    ]
    time = [*[None, ""] * 8, "morning", "after three", "9:30", "half past ten", "three", "25:00", "soon-ish"]
    service = [*([None] * 6 if not plan.has_services else KINDS * 6), None, "", "Check-Up", "root canal", 30]
    return {
        "when": rng.choice(when),
        "time": rng.choice(time),
        "service": rng.choice(service),
        "more": rng.choice([None, False, False, True]),
    }


def phone(rng: random.Random, number: int) -> tuple[Any, bool]:
    """And whether it can be understood."""
    line = f"{number % 10000:04d}"
    good = [None, None, "", f"+1415555{line}", f"(415) 555-{line}", f"415 555 {line}"]
    if rng.random() < 0.07:
        return rng.choice(["12", "no phone", "five five", f"415555{line}{line}99", "+"]), False
    return rng.choice(good), True


def disguised(rng: random.Random, arguments: dict[str, Any]) -> Any:
    """The same arguments as a careless model or framework hands them over."""
    written: dict[str, Any] = {}
    for name, value in arguments.items():
        if value is None:
            shape = rng.random()
            if shape < 0.3:
                continue
            written[name] = "null" if shape < 0.45 else "" if shape < 0.55 else None
        elif isinstance(value, bool) and rng.random() < 0.3:
            written[name] = "true" if value else "false"
        elif isinstance(value, int) and not isinstance(value, bool) and rng.random() < 0.3:
            written[name] = str(value)
        else:
            written[name] = value
    if rng.random() < 0.15:
        written |= {"thought": "The caller wants this", "date": "2031-05-05T11:11:00Z", "nested": {"slot": ["x"]}}
    shape = rng.random()
    if shape < 0.6:
        return written
    text = json.dumps(written, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, None, 2]))
    if shape < 0.8:
        return text
    return rng.choice([f"```json\n{text}\n```", f"```\n{text}\n```", f"  {text}\n"])


def rubbish(rng: random.Random) -> Any:
    """Arguments that say nothing."""
    return rng.choice(
        [None, "null", "", "{}", {}, [], "[]", 7, True, "{", '{"slot":', "yes please", "```json```", '"{}"', "\x00\x01"]
        + [{"slot": {"a": 1}}, {"slot": [], "name": {}}, {"when": {"x": []}}, '{"slot":"\\ud800"}', "[" * 300]
        + [{"name": "x" * 5000}, {"notes": "\n" * 900, "slot": "y" * 4000}]
    )
