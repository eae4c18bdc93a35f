"""The scenarios of `Tests/hosts` without a framework, and a judge that sees what must not be."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
from header import ROOT
from python_package import pb  # noqa: F401  # finds the package

sys.path.append(str(ROOT / "Tests" / "hosts"))

from bare import Bare, ByToolCalls
from bugs import PLANTED
from clinic import ClinicServer
from judge import claims_of
from play import Play
from random_runs import check_random_runs
from scenarios import SCENARIOS, check


@pytest.fixture(scope="module")
def server() -> Iterator[ClinicServer]:
    with ClinicServer() as server:
        yield server


DRIVERS = pytest.mark.parametrize("driver", [Bare, ByToolCalls])


@DRIVERS
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_scenario_without_a_framework(server, scenario, driver):
    check(scenario, driver, server)


@pytest.mark.parametrize(("driver", "name", "words"), PLANTED, ids=lambda each: getattr(each, "__name__", None))
def test_judge_sees_planted_bugs(server, driver, name, words):
    (scenario,) = [each for each in SCENARIOS if each.name == name]
    faults = Play(scenario, driver(), server.clinic()).run()
    assert any(words in each for each in faults), faults


TEXTS = {
    "Booked: Monday at nine. Tell the caller. Do not book again.": "booked",
    "The appointment is requested: Monday at nine. The clinic has yet to confirm it. Do not book again.": "booked",
    "The caller has an appointment from this call: Monday at nine. Nothing else was booked.": "booked",
    "The booking before went through: Monday at nine is booked. Nothing is free then.": "booked",
    "You're booked for Monday at nine.": "booked",
    "Nothing is booked yet. Read back to the caller: Monday. If the caller says yes, call again.": "not_booked",
    "That time was just taken. Nothing is booked. Ask for another day.": "not_booked",
    "Nothing was booked by this call: the calendar cannot be reached.": "not_booked cannot",
    "The booking before was not made: Monday at nine is not booked.": "not_booked",
    "The booking of Monday is not confirmed yet. Say that it takes a moment, and call again.": "doubt",
    "It is still not known whether Monday is booked. Say neither that it is nor that it is not.": "doubt",
    "It is not known whether this was booked. Do not say that it is booked.": "doubt",
    "Offer these times, and no others: mon30-0900r (Monday at nine). Book with the name before it.": "offers",
    "The calendar cannot be reached. Do not invent times.": "cannot",
    "Which day and time would suit you?": "",
}


@pytest.mark.parametrize("text", TEXTS)
def test_judge_reads_what_a_text_says(text):
    claims = claims_of(text)
    found = [name for name in ("booked", "not_booked", "doubt", "offers", "cannot") if claims.has(name)]
    assert found == TEXTS[text].split()


@DRIVERS
def test_random_interruptions_without_a_framework(server, driver):
    check_random_runs(driver, server)


def test_frameworks_are_pinned():
    """A new version is taken when somebody has looked at it, and not in the middle of another change."""
    for file in (ROOT / "Tests" / "hosts").rglob("requirements.txt"):
        lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
        assert lines and all(re.fullmatch(r"[\w.-]+(\[[\w,-]+\])?==[\w.!]+", line) for line in lines), file
