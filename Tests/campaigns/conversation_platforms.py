"""Random platforms for `conversation.py`, what is true of each, and how clients are set for it."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import common  # noqa: F401  # finds the zoo
from truth_platforms import LIMIT_MS, TRUE_OF
from zoo_calendar import instant, openings

ZONES = ("America/New_York", "America/Los_Angeles", "Europe/London", "Australia/Sydney", "Asia/Kolkata")
LOCALES = ("en-US", "en-US", "en-US", "en-GB", "es", "fr")
KINDS = ("check-up", "long visit")
SERVICES = [{"name": name, "duration_minutes": minutes} for name, minutes in zip(KINDS, (30, 60), strict=True)]


@dataclass(frozen=True)
class Plan:
    """A platform, and the settings of its clients. Plain values only, so that it can be handed to a process."""

    behaviours: list[dict[str, Any]]
    order: str
    setting: str | None
    """Its `platform_keys`; None is the default, which is `kept`."""
    zone: str
    locale: str
    seed: int
    """Of the calendar."""
    confirm: str
    timeouts_ms: list[int]
    """One of these is the time of each call."""
    cache_ms: int | None = None
    has_services: bool = False
    """Several kinds of appointments."""

    @property
    def keeps_keys(self) -> bool:
        return TRUE_OF.get(self.order) != "none" and not self._has("forgets")

    @property
    def may_double(self) -> bool:
        """What it keeps of keys is not what its clients are told."""
        return not self.keeps_keys and self.setting != "none"

    @property
    def replies_of_others(self) -> bool:
        return self._has("misreplies") or self._has("respells")

    def _has(self, name: str) -> bool:
        return any(each["is"] == name for each in self.behaviours)

    def is_open(self, start_at: str, minutes: int) -> bool:
        """Whether the platform has such a time at all."""
        begin = instant(start_at)
        day = begin.astimezone(ZoneInfo(self.zone)).date()
        end = begin + timedelta(minutes=minutes)
        return any(opens <= begin and end <= closes for opens, closes in openings(day, self.zone, self.seed))

    @property
    def voice(self) -> dict[str, Any]:
        members: dict[str, Any] = {"time_zone": self.zone, "locale": self.locale, "region": "US"}
        members |= {"confirm": self.confirm, "services": SERVICES if self.has_services else SERVICES[:1]}
        return members | ({} if self.cache_ms is None else {"cache_ms": self.cache_ms})

    @property
    def members(self) -> dict[str, Any]:
        """Of the configuration."""
        members: dict[str, Any] = {"voice": self.voice}
        if self.setting is not None:
            members["platform_keys"] = self.setting
        if self.setting == "first":
            members["platform_limit_ms"] = LIMIT_MS
        return members

    def content(self) -> dict[str, Any]:
        return asdict(self)


def random_plan(rng: random.Random) -> Plan:
    order = rng.choice(["keys_first"] * 5 + ["slot_first", "no_keys"])
    setting = rng.choice([None, TRUE_OF[order], TRUE_OF[order]])
    if order == "no_keys":
        # Only where the client knows that it keeps none: else it may double, which is the setting's
        # fault.
        setting = "none"
    seed, zone = rng.randrange(1 << 30), rng.choice(ZONES)
    behaviours = [
        {"is": order} | ({"in_work": rng.choice(["wait", "refuse", "look"])} if order == "keys_first" else {}),
        _calendar(rng, zone, seed),
        *_pace(rng, is_quick=setting == "first"),
        *_between(rng),
        *_answers(rng),
    ]
    if order == "keys_first" and setting is None and rng.random() < 0.1:
        behaviours.append({"is": "forgets", "ms": [0, 1500]})
        setting = "none"
    return Plan(
        behaviours,
        order,
        setting,
        zone,
        rng.choice(LOCALES),
        seed,
        rng.choice(["readback", "readback", "readback", "none"]),
        rng.choice([[5000], [2500, 5000], [400, 1500, 4000], [150, 600]]),
        rng.choice([None, None, 0, 500]),
        rng.random() < 0.4,
    )


def calm_plan(rng: random.Random, *more: dict[str, Any], cache_ms: int | None = None) -> Plan:
    """A platform that answers at once, except for `more`."""
    seed = rng.randrange(1 << 30)
    calendar = {"is": "lists", "zone": ZONES[0], "form": "windows", "seed": seed, "ms": [5, 20]}
    behaviours = [{"is": "keys_first"}, calendar, *more]
    return Plan(behaviours, "keys_first", None, ZONES[0], "en-US", seed, "none", [5000], cache_ms)


def interrupted_plan(rng: random.Random) -> Plan:
    """A platform that books what it is asked for, if slowly, and whose answers may get lost."""
    troubles = [
        {"is": "gives_up", "ms": [10, 200], "share": 0.3, "first": 1},
        {"is": "drops", "when": "done", "share": 0.3, "first": 1},
        {"is": "drops", "when": "read", "share": 0.3, "first": 1},
        {"is": "drops", "when": "lost", "share": 0.3, "first": 1},
        {"is": "fails", "when": "after", "share": 0.3, "first": 1},
        {"is": "fails", "when": "before", "share": 0.3, "first": 1},
        {"is": "cuts", "share": 0.3, "first": 1},
    ]
    is_quick = rng.random() < 0.5
    works = {"is": "works", "ms": [0, 200] if is_quick else [0, 800]}
    plan = calm_plan(rng, works, *rng.sample(troubles, rng.choice([0, 1, 2])))
    return replace(plan, setting="first") if is_quick else plan


def _calendar(rng: random.Random, zone: str, seed: int) -> dict[str, Any]:
    return {
        "is": "lists",
        "zone": zone,
        "seed": seed,
        "form": rng.choice(["slots", "windows"]),
        "offset": rng.choice(["Z", "zone", "other", "other", "wall"]),
        "ms": rng.choice([[0, 20], [0, 20], [50, 300], [0, 1500]]),
        "odd": rng.random() < 0.3,
        "scribbles": rng.random() < 0.5,
        "trouble": rng.choice([0, 0, 0.1, 0.3]),
    }


def _pace(rng: random.Random, is_quick: bool) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    if rng.random() < 0.7:
        found.append({"is": "works", "ms": [0, 5000], "scale": 0.025 if is_quick else rng.choice([0.02, 0.1, 0.4])})
    if rng.random() < 0.15:
        found.append({"is": "queues", "ms": [0, 60] if is_quick else [0, 1000], "share": 0.4})
    if rng.random() < 0.15:
        found.append({"is": "races", "statuses": rng.choice([[409], [500], [409, 500]])})
    return found


def _between(rng: random.Random) -> list[dict[str, Any]]:
    def hits() -> dict[str, Any]:
        return {"share": rng.uniform(0.1, 0.5), "first": rng.choice([1, 2, None])}

    troubles = [
        {"is": "gives_up", "ms": [10, 300], **hits()},
        {"is": "fails", "when": "after", **hits()},
        {"is": "fails", "when": "before", **hits()},
        {"is": "drops", "when": "read", "ms": rng.choice([0, [0, 100]]), **hits()},
        {"is": "drops", "when": "done", **hits()},
        {"is": "drops", "when": "lost", **hits()},
        {"is": "cuts", **hits()},
    ]
    return rng.sample(troubles, rng.choice([0, 0, 1, 1, 2]))


def _answers(rng: random.Random) -> list[dict[str, Any]]:
    answers = [
        {"is": "walk_ins", "share": rng.uniform(0.1, 0.4)},
        {"is": "walk_ins", "share": 0.3},
        {"is": "limits", "share": 0.3, "ms": [10, 300]},
        {"is": "refuses", "share": rng.choice([0.1, 0.4])},
        {"is": "books_as", "share": 0.3, "statuses": ["declined", "cancelled"], "is_booked": rng.random() < 0.5},
        {"is": "books_as", "share": 0.5, "statuses": ["pending", "accepted"]},
        {
            "is": "misreplies",
            "share": 0.4,
            "first": rng.choice([1, None]),
            "kinds": rng.choice([["other"], ["other", "empty", "error"]]),
            "is_booked": rng.random() < 0.5,
        },
        {"is": "respells"},
        {"is": "respells", "is_wrong": True},
        {"is": "scribbles"},
        {"is": "scribbles"},
    ]
    return [each for each in answers if rng.random() < 0.2]
