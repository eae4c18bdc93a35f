"""Random platforms of the zoo for `truth.py`, and what is true of each."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

LIMIT_MS = 400
"""The `platform_limit_ms` that clients are given with a platform that is set as `first`: it always ends within it."""

LEAD_SECONDS = 3600
"""How far ahead a start must be for a platform that looks at the time first."""

TRUE_OF = {"keys_first": "first", "slot_first": "kept", "time_first": "kept", "no_keys": "none"}


@dataclass(frozen=True)
class Plan:
    """A platform, and how clients are set for it."""

    behaviours: list[dict[str, Any]]
    order: str
    setting: str | None
    """Its `platform_keys`; None is the default, which is `kept`."""
    are_starts_compared: bool

    @property
    def keeps_keys(self) -> bool:
        return self.order != "no_keys"

    @property
    def writes_wrong_offsets(self) -> bool:
        return any(each["is"] == "respells" and each.get("is_wrong") for each in self.behaviours)

    @property
    def members(self) -> dict[str, Any]:
        """Of the configuration."""
        members: dict[str, Any] = {}
        if self.setting is not None:
            members["platform_keys"] = self.setting
        if self.setting == "first":
            members["platform_limit_ms"] = LIMIT_MS
        if not self.are_starts_compared:
            members["check_start_at"] = False
        return members


def random_plan(rng: random.Random, way: str, setting: str | None = "any", is_old: bool = False) -> Plan:
    """With this setting, or with one that is true of it or the default."""
    orders = ["keys_first"] * 5 + ["slot_first"] * 2 + ["time_first", "no_keys", "no_keys"]
    order = rng.choice([each for each in orders if setting in ("any", None, TRUE_OF[each])])
    if setting == "any":
        setting = rng.choice([None, TRUE_OF[order], TRUE_OF[order]])
    if is_old:
        setting = None
    behaviours = [
        _order(rng, order),
        *_pace(rng, is_quick=setting == "first"),
        *_between(rng),
        *_answers(rng),
    ]
    if way == "kept" and rng.random() < 0.3:
        behaviours.append({"is": "unasked", "share": 0.3, "ms": [1, 30]})
    are_starts_compared = True
    if rng.random() < 0.2:
        is_wrong = rng.random() < 0.3
        behaviours.append({"is": "respells", "is_wrong": is_wrong})
        are_starts_compared = is_old or not is_wrong or rng.random() < 0.3
    if not are_starts_compared:
        # Who does not compare starts takes another booking for its own.
        behaviours = [each for each in behaviours if each["is"] != "misreplies"]
    return Plan(behaviours, order, setting, are_starts_compared)


def _order(rng: random.Random, order: str) -> dict[str, Any]:
    if order == "time_first":
        return {"is": order, "lead_ms": LEAD_SECONDS * 1000}
    return {"is": order} | ({"in_work": rng.choice(["wait", "refuse", "look"])} if order == "keys_first" else {})


def _pace(rng: random.Random, is_quick: bool) -> list[dict[str, Any]]:
    """What is set as `first` has to end within its limit, also when it works for one twin after the other."""
    found: list[dict[str, Any]] = []
    if rng.random() < 0.8:
        # Real platforms work for up to five seconds.
        found.append({"is": "works", "ms": [0, 5000], "scale": 0.025 if is_quick else rng.choice([0.05, 0.2, 0.4])})
    if rng.random() < 0.15:
        found.append({"is": "queues", "ms": [0, 60] if is_quick else [0, 1000], "share": 0.4})
    if rng.random() < 0.2:
        found.append({"is": "races", "statuses": rng.choice([[409], [500], [409, 500]])})
    if rng.random() < 0.25:
        found.append({"is": "overbooks"})
    return found


def _between(rng: random.Random) -> list[dict[str, Any]]:
    def hits() -> dict[str, Any]:
        return {"share": rng.uniform(0.1, 0.6), "first": rng.choice([1, 2, None])}

    troubles = [
        {"is": "gives_up", "ms": [10, 300], **hits()},
        {"is": "fails", "when": "after", **hits()},
        {"is": "fails", "when": "before", **hits()},
        {"is": "drops", "when": "read", "ms": rng.choice([0, [0, 100]]), **hits()},
        {"is": "drops", "when": "read", **hits()},
        {"is": "drops", "when": "done", **hits()},
        {"is": "drops", "when": "lost", **hits()},
        {"is": "cuts", **hits()},
    ]
    return rng.sample(troubles, rng.choice([0, 1, 1, 2, 3]))


def _answers(rng: random.Random) -> list[dict[str, Any]]:
    answers = [
        {"is": "unsigned", "ms": rng.uniform(100, 1500)},
        {"is": "limits", "share": 0.3, "ms": [10, 300]},
        {"is": "refuses", "share": rng.choice([0.2, 0.5])},
        {"is": "books_as", "share": 0.3, "statuses": ["declined", "cancelled"], "is_booked": rng.random() < 0.5},
        {"is": "books_as", "share": 0.5, "statuses": ["pending", "accepted"]},
        {"is": "cancels_later", "share": 0.3, "ms": [0, 1500]},
        {
            "is": "misreplies",
            "share": 0.4,
            "first": rng.choice([1, None]),
            "kinds": rng.choice([["other"], ["other", "empty", "error"]]),
            "is_booked": rng.random() < 0.5,
        },
    ]
    return [each for each in answers if rng.random() < 0.15]
