"""What platforms of the zoo list as free, and who else takes it. Driven without the library, by
plain sockets."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from callers import KEYS, Caller, active
from run_zoo import ZooServer
from zoo_calendar import MARKS, WALK_IN, instant, openings
from zoo_http import API_KEY

ZONE = "America/New_York"
LISTS = {"is": "lists", "zone": ZONE, "seed": 4}


def listed(caller: Caller) -> list[Any]:
    now = datetime.now(timezone.utc)
    bounds = {"start_at": f"{now:%Y-%m-%dT%H:%M:%SZ}", "end_at": f"{now + timedelta(days=10):%Y-%m-%dT%H:%M:%SZ}"}
    body = json.dumps({"bot_id": caller.name, "query": {"filter": {"start_at_range": bounds}}})
    headers = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
    caller.connection.request("POST", "/v1/availability/search", body, headers)
    return list(json.load(caller.connection.getresponse())["availabilities"])


def is_open(start_at: str, minutes: int) -> bool:
    begin = instant(start_at)
    spans = openings(begin.astimezone(ZoneInfo(ZONE)).date(), ZONE, 4)
    return any(opens <= begin and begin + timedelta(minutes=minutes) <= closes for opens, closes in spans)


@pytest.mark.parametrize("form", ["slots", "windows"])
@pytest.mark.parametrize("offset", ["Z", "zone", "other"])
def test_items_are_open_hours(call: Callable[..., Caller], form: str, offset: str) -> None:
    """Whatever the offset is, the instants are right."""
    items = listed(call(KEYS, {**LISTS, "form": form, "offset": offset}))
    assert len(items) > 3
    assert all(is_open(each["start_at"], each["duration_minutes"]) for each in items)
    assert (max(each["duration_minutes"] for each in items) > 30) == (form == "windows")


@pytest.mark.parametrize("seconds", [29 * 60 + 51, 20])
def test_item_ends_within_open_hours(call: Callable[..., Caller], seconds: int) -> None:
    """Whole minutes of what is left of a day, rounded down."""
    now = datetime.now(timezone.utc)
    days = (now.astimezone(ZoneInfo(ZONE)).date() + timedelta(days=1 + each) for each in range(9))
    closes = next(spans[-1][1] for day in days if (spans := openings(day, ZONE, 4)))
    lead = closes - timedelta(seconds=seconds) - now
    items = listed(call(KEYS, {**LISTS, "form": "windows", "lead_ms": lead.total_seconds() * 1000}))
    assert instant(items[0]["start_at"]) < closes
    assert all(is_open(each["start_at"], each["duration_minutes"]) for each in items)


def test_what_is_booked_is_not_listed(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS, LISTS)
    start = listed(caller)[0]["start_at"]
    assert [caller.book("a", start).status, caller.book("b", start).status] == [201, 409]
    assert start not in [each["start_at"] for each in listed(caller)]
    assert active(zoo, caller) == ["a"]
    assert len(zoo.books(caller.name)["searches"]) == 2
    assert caller.book("c", "2031-05-04T03:00:00Z").status == 422


def test_odd_items_and_free_text(call: Callable[..., Caller]) -> None:
    plain = listed(call(KEYS, LISTS))
    items = listed(call(KEYS, {**LISTS, "odd": True, "scribbles": True}))
    assert len(items) == len(plain) + 5 and None in items
    assert all(mark in json.dumps(items).lower() for mark in MARKS)


def test_searches_with_trouble(call: Callable[..., Caller]) -> None:
    caller = call(KEYS, {**LISTS, "trouble": 1, "stall_ms": 1})
    with pytest.raises((OSError, KeyError, ValueError)):
        for _ in range(40):
            listed(caller)


def test_walk_ins_take_the_slot(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS, LISTS, {"is": "walk_ins"})
    start = listed(caller)[0]["start_at"]
    assert caller.book("a", start).status == 409
    assert active(zoo, caller) == [WALK_IN]


def test_forgotten_key(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS, {"is": "forgets", "ms": 0})
    assert caller.book("a").status == 201
    assert active(zoo, caller) == ["a"]
    assert caller.book("a").status == 409


def test_scribbles_in_answers(call: Callable[..., Caller]) -> None:
    caller = call(KEYS, {"is": "scribbles"})
    booked, refused = caller.book("a"), caller.book("b")
    for reply in (booked, refused):
        assert all(mark in json.dumps(reply.content).lower() for mark in MARKS)
    assert (booked.status, refused.status) == (201, 409)
