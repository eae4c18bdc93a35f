"""How long a booking is known: nothing depends on the wall clock, a doubt has no end but its own, and what is in the
journal about all that.

The journal's clock goes on by the system's boot clock. To have time pass, the tests change what the journal says of it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pbk
import pytest
from contract import failure, in_doubt, success
from fault_server import FaultServer
from header import STATUS
from held import stays, submitted
from ledger import AT_ONCE, answer_by_key, give_up, recorded, records, resume, states, with_journal, write_records
from samples import BOOKING_REPLY, READS_ONLY, booking_request
from services import config_for
from waiting import wait_until

MINUTE_MS = 60_000
DAY_MS = 24 * 60 * MINUTE_MS
ANOTHER_BOOT = "00000000-0000-4000-8000-000000000000"
ALL = {"booked-1": "booked", "refused-1": "refused", "in_doubt-1": "in_doubt"}


@pytest.fixture
def server(start_faults) -> FaultServer:
    return start_faults(answer_by_key)


@pytest.fixture
def config(server, tmp_path) -> dict[str, Any]:
    members = {"booking_retention_minutes": 1, "circuit_breaker": {"failures": 0}, **READS_ONLY}
    return with_journal(config_for(server), tmp_path, **members)


@pytest.fixture
def left_behind(config) -> dict[str, Any]:
    """The configuration of a journal with one booking of each kind, whose ends nobody has heard."""
    with pbk.Client(config) as client:
        submitted(client, booking_request(key="booked-1"), "OK")
        submitted(client, booking_request(key="refused-1"), "SLOT_UNAVAILABLE")
        in_doubt(client.book(booking_request(key="in_doubt-1", **AT_ONCE)), 503, "http_error")
        assert states(client) == ALL
        assert client.close() == STATUS["OK"]
    return config


def change(journal: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Each of the journal's records."""
    found = records(journal)
    for record in found:
        change(record)
    write_records(journal, found)


def of_openings(**members: Callable[[Any], Any]) -> Callable[[dict[str, Any]], None]:
    """Changes these members of the records of openings."""

    def change(record: dict[str, Any]) -> None:
        if record["type"] == "journal":
            record.update({name: new(record[name]) for name, new in members.items()})

    return change


# Retention


@pytest.mark.parametrize(("passed", "known"), [(MINUTE_MS - 20_000, True), (MINUTE_MS + 1000, False)])
def test_ends_expire(left_behind, journal, open_client, server, passed, known):
    """Heard or not; but a doubt never does."""
    change(journal, of_openings(up=lambda up: up - passed))
    client = open_client(left_behind)
    assert states(client) == (ALL if known else {"in_doubt-1": "in_doubt"})
    result = client.book(resume("booked-1"))
    if known:
        assert result == (STATUS["OK"], BOOKING_REPLY)
    else:
        assert failure(result, "NOT_RECORDED")["outcome"] == "unknown"
    assert server.keys().count("booked-1") == 1


def test_time_adds_up_over_openings(left_behind, journal, open_client):
    """Each lasts half as long as an end is known."""
    for _ in range(2):
        with pbk.Client(left_behind) as client:
            assert states(client) == ALL
        change(journal, of_openings(up=lambda up: up - MINUTE_MS // 2 - 1000))
    assert states(open_client(left_behind)) == {"in_doubt-1": "in_doubt"}


def test_doubt_of_years_ago(left_behind, journal, open_client):
    """A field case: it was deleted, and a repeat said `not_sent`."""
    change(journal, of_openings(up=lambda up: 0, at=lambda at: at - 9000 * DAY_MS))
    change(journal, lambda record: record.update(at=record["at"] - 9000 * DAY_MS))
    client = open_client(left_behind)
    assert states(client)["in_doubt-1"] == "in_doubt"
    wrong = {**booking_request(key="in_doubt-1"), "bot_id": ""}
    assert failure(client.book(wrong), "INVALID_FIELD")["outcome"] == "unknown"


# The wall clock


@pytest.mark.parametrize("days", [-9000, -9, 9, 9000])
@pytest.mark.parametrize("boot", ["named", "nameless"])
def test_wall_clock_decides_nothing(left_behind, journal, open_client, days, boot):
    """It was wrong when the journal was written, or it is now. Not all systems can name a boot."""
    if boot == "nameless":
        change(journal, of_openings(boot=lambda _: None))
    change(journal, lambda record: record.update(at=record["at"] + days * DAY_MS))
    client = open_client(left_behind)
    assert states(client) == ALL
    assert client.book(resume("booked-1")) == (STATUS["OK"], BOOKING_REPLY)


@pytest.mark.parametrize("days", [-90, 0, 90])
def test_machine_that_was_started_again(left_behind, journal, open_client, days):
    """What has passed since its start is all that has certainly passed: the wall clock cannot make more of it."""
    change(journal, of_openings(boot=lambda _: ANOTHER_BOOT, up=lambda up: up + 90 * DAY_MS))
    change(journal, lambda record: record.update(at=record["at"] + days * DAY_MS))
    minutes_up = time.clock_gettime(time.CLOCK_BOOTTIME) / 60
    client = open_client(left_behind, booking_retention_minutes=min(int(minutes_up) + 60, 10_080))
    assert states(client) == ALL


# Records


def test_records_of_ends(config, open_client, journal):
    """As the page on the journal has them."""
    client = open_client(config)
    request = booking_request(key="booked-1")
    made = submitted(client, request, "OK")
    submitted(client, booking_request(key="refused-1"), "SLOT_UNAVAILABLE")
    wait_until(lambda: recorded(journal) == {"booked-1": "booked", "refused-1": "refused"})
    found = {(record["type"], record.get("key")): record for record in records(journal)}
    intent, booked, void = found["intent", "booked-1"], found["booked", "booked-1"], found["void", "refused-1"]
    common = {"bot_id": request["bot_id"], "start_at": request["booking"]["start_at"], "duration_minutes": 30}
    expected = {**common, "reply": BOOKING_REPLY.decode(), "recorded_at": intent["recorded_at"]}
    assert expected.items() <= booked.items() and booked["fingerprint"] == intent["fingerprint"]
    assert 0 <= intent["at"] - intent["recorded_at"] < 20_000, "the record comes a moment after the call"
    recorded_at = found["intent", "refused-1"]["recorded_at"]
    assert {**common, "outcome": "rejected", "recorded_at": recorded_at}.items() <= void.items()
    made.free()
    assert client.close() == STATUS["OK"]
    kinds = [(record["type"], record.get("key")) for record in records(journal)]
    assert kinds.index(("booked", "booked-1")) < kinds.index(("heard", "booked-1"))
    assert ("void", "refused-1") in kinds and ("heard", "refused-1") not in kinds


def test_clock_of_records(left_behind, journal, open_client):
    """Of all of them, and it never goes back, whatever the wall clock does."""
    change(journal, lambda record: record.update(at=record["at"] + 9 * DAY_MS))
    client = open_client(left_behind)
    submitted(client, booking_request(key="booked-2"), "OK")
    success(client.book(give_up("in_doubt-1")))
    wait_until(lambda: "booked-2" in recorded(journal) and "in_doubt-1" not in recorded(journal))
    found = records(journal)
    assert all(type(record["clock"]) is int for record in found)
    clocks = [record["clock"] for record in found]
    assert clocks[0] >= 0 and clocks[-1] == max(clocks)
    for record in found:
        if record["type"] == "journal":
            assert record["version"] == 2 and type(record["up"]) is int
            assert record["boot"] is None or re.fullmatch(r"[0-9a-f-]{36}", record["boot"])


def test_heard_marks_the_end_before_it(left_behind, journal, open_client):
    """A booking that began after that end is not heard by it: here one in doubt, and one that was refused before."""
    found = records(journal)
    doubt = next(record for record in found if (record["type"], record.get("key")) == ("intent", "in_doubt-1"))
    made = next(record for record in found if (record["type"], record.get("key")) == ("booked", "booked-1"))
    void = next(record for record in found if (record["type"], record.get("key")) == ("void", "refused-1"))
    clock = found[-1]["clock"]

    def heard(end: dict[str, Any]) -> dict[str, Any]:
        return {"type": "heard", "key": end["key"], "at": end["at"], "clock": clock + 2, "end": end["clock"]}

    again = {**made, "key": "refused-1", "clock": clock + 1}
    write_records(journal, [*found, again, *map(heard, (doubt, made, void))])
    assert states(open_client(left_behind)) == {"refused-1": "booked", "in_doubt-1": "in_doubt"}


# Version 1


def test_ends_of_version_1_count_as_heard(left_behind, journal, open_client, server):
    """That version knew no other way. What it left in doubt is in doubt."""
    found = records(journal)
    for record in found:
        for name in ("clock", "up", "boot", "recorded_at", "bot_id", "start_at", "duration_minutes", "outcome"):
            record.pop(name, None)
        if record["type"] == "journal":
            record["version"] = 1
    write_records(journal, found, "pbk1")
    client = open_client(left_behind)
    assert states(client) == {"in_doubt-1": "in_doubt"}
    assert client.book(resume("booked-1")) == (STATUS["OK"], BOOKING_REPLY)
    held = submitted(client, resume("booked-1"), "OK")
    stays(client, {"in_doubt-1": "in_doubt"})
    held.free()
    assert server.keys() == ["booked-1", "refused-1", "in_doubt-1"]
