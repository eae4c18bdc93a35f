"""Six engines and one store, with a small budget: see `Tests/campaigns/fleet_ledger.py`. And its
judge, whom lies are told."""

from __future__ import annotations

import copy
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CAMPAIGNS = Path(__file__).resolve().parents[1] / "campaigns"
sys.path.insert(1, str(CAMPAIGNS))

import common  # noqa: E402
from fleet_judge import FINAL, VIOLATIONS, Judge, Record  # noqa: E402

SECONDS = 150
"""A store takes less than 40 on two idle cores."""


@pytest.mark.timeout(SECONDS, method="thread")
@pytest.mark.parametrize("store", ["postgres", "redis"])
def test_a_fleet_under_force_doubles_loses_and_orphans_nothing(store: str) -> None:
    command = [sys.executable, str(CAMPAIGNS / "fleet_ledger.py")]
    environment = {**os.environ, "FLEET_STORES": store}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS - 10, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {word: int(number) for word, number in re.findall(r"(\w+)=(\d+)", done.stdout)}
    assert counts["violations"] == 0 and counts[store] == 1
    assert [counts[each] for each in VIOLATIONS] == [0] * len(VIOLATIONS)
    assert counts["kill"] == counts["FLEET_KILLS"] == 8
    assert min(counts[each] for each in ("stop", "cut", "lose_answer", "delay", "kill_store", "lost_answers")) > 0
    # There was something to judge, and twins waited for each other.
    assert counts["made"] > 50 and counts["twins"] > 30 and counts["asked_again"] > 0
    assert counts["joined"] > 20 and counts["rejected"] > 0 and counts["unavailable"] > 0
    # Dead and stopped engines have left something to take over.
    assert counts["senders_2"] + counts["settled_by_others"] > 0


# ---- The judge ----

BOOKED = {"outcome": "booked", "id": "bkg_1", "start_at": "2030-01-01T00:00:00Z"}
REJECTED = {"outcome": "rejected", "code": "slot_unavailable"}
UNAVAILABLE = {"outcome": "not_sent", "code": "journal_unavailable"}
IN_DOUBT = {"outcome": "unknown", "code": "timeout"}
NOT_RECORDED = {"outcome": "unknown", "code": "not_recorded"}


def call(number: int, life: str, at: float, key: str = "a", resumes: bool = False) -> dict[str, Any]:
    return {"what": "call", "call": number, "life": life, "at": at, "key": key, "resumes": resumes}


def told(number: int | None, life: str, at: float, told: dict[str, Any], key: str = "a") -> dict[str, Any]:
    what = "settled" if number is None else "told"
    return {"what": what, "call": number, "life": life, "at": at, "key": key, "told": told}


def request(number: int, life: str, arrived: float, key: str = "a") -> dict[str, Any]:
    return {
        "number": number, "key": key, "caller": life, "arrived": arrived, "ended": arrived + 0.1, "answered": 201,
        "met": [], "notes": "wish",
    }  # fmt: skip


def made(number: int, identifier: str, key: str = "a", wish: str = "wish") -> dict[str, Any]:
    start_at = BOOKED["start_at"]
    return {"key": key, "wish": wish, "id": identifier, "start_at": start_at, "request": number, "made": 1.0}


def killed(life: str, at: float) -> dict[str, Any]:
    return {"what": "killed", "life": life, "at": at}


def listed(life: str, at: float, state: str) -> dict[str, Any]:
    return {"what": "listed", "life": life, "at": at, "since": at, "rows": [{"key": "a", "state": state}]}


def history() -> Record:
    """Two twins. One is sent, the other one joins it. Both are told the truth, and at the end it is
    asked for."""
    events = [
        call(0, "e0", 1.0),
        call(1, "e1", 1.1),
        told(0, "e0", 1.5, BOOKED),
        told(1, "e1", 1.6, BOOKED),
        call(2, FINAL, 90.0, resumes=True),
        told(2, FINAL, 90.1, BOOKED),
    ]
    rows = {"a": {"result": "booked"}}
    return Record(events, [request(0, "e0", 1.2)], [made(0, "bkg_1")], rows, lease=2.0, timeout=4.0)


def judged(record: Record) -> common.Findings:
    findings = common.Findings("fleet_ledger")
    Judge(findings, "store").judge(record)
    return findings


def replace(record: Record, at: int, *events: dict[str, Any]) -> None:
    record.events[at : at + 1] = events


def unmade(record: Record, final: dict[str, Any] = REJECTED) -> None:
    """It was refused."""
    record.appointments.clear()
    record.rows["a"] = {"result": "refused"}
    for each in record.events:
        if "told" in each:
            each["told"] = REJECTED
    record.events[-1]["told"] = final


def test_the_truth_is_no_violation() -> None:
    findings = judged(history())
    assert findings.violations == []
    assert findings.counts["twins"] == findings.counts["joined"] == findings.counts["sent_once"] == 1
    refused = history()
    unmade(refused)
    assert judged(refused).violations == []


LIES: dict[str, tuple[str, Callable[[Record], Any]]] = {
    "a key with two bookings": ("doubled", lambda record: record.appointments.append(made(0, "bkg_2"))),
    "a wish with two bookings": (
        "doubled",
        lambda record: (
            record.requests.append(request(1, "e0", 2.0, "b")),
            record.appointments.append(made(1, "bkg_2", "b")),
        ),
    ),
    "booked, and not in the books": ("false_booked", lambda record: record.appointments.clear()),
    "another reply than the books have": (
        "false_booked",
        lambda record: record.events[2].update(told={**BOOKED, "id": "bkg_9"}),
    ),
    "another start than the books have": (
        "false_booked",
        lambda record: record.events[3].update(told={**BOOKED, "start_at": "2030-01-01T00:30:00Z"}),
    ),
    "listed as booked, and not in the books": (
        "false_booked",
        lambda record: (unmade(record), record.events.append(listed("e2", 50.0, "booked"))),
    ),
    "rejected, and in the books": ("false_rejected", lambda record: record.events[3].update(told=REJECTED)),
    "a report of a refusal, and in the books": (
        "false_rejected",
        lambda record: replace(record, 2, told(0, "e0", 1.5, IN_DOUBT), told(None, "e0", 3.0, REJECTED)),
    ),
    "listed as refused, and in the books": (
        "false_rejected",
        lambda record: record.events.append(listed("e2", 50.0, "refused")),
    ),
    "not sent, and its own request is in the books": (
        "false_not_sent",
        lambda record: record.events[2].update(told=UNAVAILABLE),
    ),
    "not sent, and sent by itself later": (
        "false_not_sent",
        lambda record: (record.events[2].update(told=UNAVAILABLE), record.requests[0].update(arrived=5.0)),
    ),
    "not sent, and sent by nobody who was asked": (
        "false_not_sent",
        lambda record: (
            replace(record, 3),
            replace(record, 1),
            record.events[1].update(told=UNAVAILABLE),
            record.requests[0].update(caller="e3"),
        ),
    ),
    "a row that is booked, and not in the books": (
        "false_row",
        lambda record: (unmade(record), record.rows.update(a={"result": "booked"})),
    ),
    "a row that is refused, and in the books": (
        "false_row",
        lambda record: record.rows.update(a={"result": "refused"}),
    ),
    "a call without an end": ("no_end", lambda record: (replace(record, 3), record.events.append(killed("e1", 80.0)))),
    "a key that the last engine is told nothing about": ("no_end", lambda record: replace(record, 5)),
    "a booking that the store does not know": ("lost", lambda record: record.events[-1].update(told=NOT_RECORDED)),
    "a doubt at the end": ("lost", lambda record: record.events[-1].update(told=IN_DOUBT)),
    "a doubt that the store does not know": (
        "lost",
        lambda record: (
            unmade(record, NOT_RECORDED),
            record.rows.clear(),
            record.events[2].update(told=IN_DOUBT),
            record.events[3].update(told=IN_DOUBT),
        ),
    ),
    "a row that is open at the end": ("open_row", lambda record: record.rows.update(a={"result": "open"})),
    "an orphan": (
        "orphan",
        lambda record: record.events.append({"what": "orphan", "at": 20.0, "key": "a", "seconds": 10.4}),
    ),
    "a twin that sent as well": ("sent_twice", lambda record: record.requests.append(request(1, "e1", 1.4))),
    "a twin that sent before the refusal": (
        "sent_twice",
        lambda record: (unmade(record), record.requests.append(request(1, "e1", 1.25))),
    ),
    "a reply of another shape": ("malformed", lambda record: record.events[3].update(told={"outcome": "malformed"})),
}


@pytest.mark.parametrize("name", LIES)
def test_the_judge_sees_a_lie(name: str) -> None:
    kind, plant = LIES[name]
    record = copy.deepcopy(history())
    plant(record)
    findings = judged(record)
    assert findings.counts[kind] > 0, (name, findings.violations)
    assert findings.finish() == 1


def test_every_kind_of_violation_is_planted() -> None:
    assert {kind for kind, _ in LIES.values()} == set(VIOLATIONS)


TRUTHS: dict[str, Callable[[Record], Any]] = {
    "not sent by the one, booked by its twin": lambda record: record.events[3].update(told=UNAVAILABLE),
    "not sent, then asked for again": lambda record: (
        record.events[2].update(told=UNAVAILABLE),
        record.requests[0].update(arrived=2.2),
        record.events.append(call(3, "e0", 2.1)),
        record.events.append(told(3, "e0", 2.5, BOOKED)),
    ),
    "an end that a kill prevented": lambda record: replace(record, 3, killed("e1", 1.3)),
    "a call of a killed engine that nobody knows": lambda record: (
        unmade(record, NOT_RECORDED),
        record.rows.update(a={"result": "absent"}),
        replace(record, 3, killed("e1", 1.3)),
    ),
    "a second sending after a kill": lambda record: (
        record.requests.append(request(1, "e1", 1.45)),
        replace(record, 2, killed("e0", 1.4)),
    ),
    "a second sending after a stop": lambda record: (
        record.requests.append(request(1, "e1", 5.0)),
        record.events.append({"what": "disturbed", "life": "e0", "at": 1.3, "until": 4.9, "why": "stopped"}),
    ),
    "a second sending after a refusal": lambda record: (
        unmade(record),
        record.requests.append(request(1, "e1", 1.55)),
    ),
    "a second sending after a refusal whose record was slow": lambda record: (
        unmade(record),
        record.requests.append(request(1, "e1", 1.35)),
    ),
}


@pytest.mark.parametrize("name", TRUTHS)
def test_the_judge_sees_no_lie_in_what_is_true(name: str) -> None:
    record = copy.deepcopy(history())
    TRUTHS[name](record)
    assert judged(record).violations == []
