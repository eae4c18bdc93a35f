"""The phone calls that every agent framework must bring to a good end, as data.

A framework's test has a driver, the class of a `Host`, and no more than this:

    @pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
    def test_scenario(scenario, server):
        check(scenario, Driver, server)

`server` is a fixture of `conftest.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from clinic import ZONE, ClinicServer
from phone_calls import BOOK, FIND, Call, Fault, Forgotten, HangUp, Host, Interrupted, Order, Scenario, Settled, Turn
from play import Play

__all__ = ["BOOK", "FIND", "SCENARIOS", "Call", "Host", "Scenario", "check"]


def check(scenario: Scenario, driver: Callable[[], Host], server: ClinicServer) -> None:
    """Plays a scenario. Fails with the faults, and with what was said."""
    play = Play(scenario, driver(), server.clinic())
    faults = play.run()
    assert not faults, "\n".join([*faults, "", *play.story])


def find(when: str = "next week", **members: Any) -> Call:
    return Call(FIND, {"when": when, "time": None, "service": None, "more": None, **members})


def book(slot: str = "$0", **members: Any) -> Call:
    """`$0` is the first slot of the list that the model read last, `$1` the second. `$0~` is one that was garbled."""
    nothing = dict.fromkeys(("phone", "email", "notes", "another"))
    return Call(BOOK, {"slot": slot, "name": "Ann Smith", **nothing, "caller_confirmed": True, **members})


FOUND = Turn((find(),), says="offers")
IMPATIENT = {"timeout_ms": 2000}
"""Without it a booking in doubt takes 35 seconds."""
UNCACHED = {"voice": {"time_zone": ZONE, "region": "US", "cache_ms": 0}}

SCENARIOS = [
    Scenario(
        "booked", (FOUND, Turn((book(caller_confirmed=False),), says="not_booked"), Turn((book(),), says="booked"))
    ),
    Scenario("called_twice_in_one_step", (FOUND, Turn((book(), book()), each="booked"))),
    Scenario("called_twice_in_two_turns", (FOUND, Turn((book(),), says="booked"), Turn((book(),), says="booked"))),
    Scenario("two_times_in_one_step", (FOUND, Turn((book("$0"), book("$1")), each="booked"))),
    Scenario(
        "interrupted_then_another_time",
        (FOUND, Fault("booking", "slow", ms=800), Interrupted(book("$0")), Turn((book("$1"),), says="booked")),
    ),
    Scenario(
        "interrupted_then_another_search",
        (
            FOUND,
            Fault("booking", "slow", ms=800),
            Interrupted(book("$0")),
            Turn((find("the week after next"),), says="offers"),
            Turn((book("$0"),), says="booked"),
        ),
    ),
    Scenario(
        "interrupted_search",
        (
            FOUND,
            Fault("search", "slow", ms=1500),
            Interrupted(find("the week after next")),
            Order("mend"),
            Turn((find("the week after next", time="in the afternoon"),), says="offers"),
            Turn((book(),), says="booked"),
        ),
        config=UNCACHED,
    ),
    Scenario(
        "slot_gone",
        (FOUND, Order("take_named", "$0"), Turn((book("$0"),), says="not_booked"), Turn((book("$0"),), says="booked")),
    ),
    Scenario(
        "slot_gone_for_good", (FOUND, Fault("booking", "taken"), Turn((book(),), says="not_booked")), appointments=0
    ),
    Scenario(
        "slow_platform",
        (
            Turn((find(), find("the week after next")), says="offers", filler=1),
            Turn((book(),), says="booked", filler=1),
            Order("mend"),
            Turn((book(),), says="booked", filler=0),
        ),
        config=UNCACHED,
        before=(Fault("search", "slow", ms=900), Fault("booking", "slow", ms=900)),
    ),
    Scenario(
        "garbled_slot",
        (FOUND, Turn((book("$0~"),), says="not_booked"), Turn((book("$0"),), says="booked")),
    ),
    Scenario(
        "corrected_phone_after_booking",
        (FOUND, Turn((book(),), says="booked"), Turn((book(phone="212 555 0188"),), says="booked")),
    ),
    Scenario(
        "hang_up_while_booking",
        (FOUND, Fault("booking", "slow", ms=1200), HangUp(book()), Settled(), Forgotten()),
    ),
    Scenario("hang_up", (FOUND, HangUp(), Forgotten()), appointments=0),
    Scenario(
        "platform_down",
        (
            Turn((find(),), says="cannot"),
            Order("up"),
            FOUND,
            Order("down"),
            Turn((book(),), says="not_booked|doubt"),
            Order("up"),
            Turn((book(),), says="booked"),
        ),
        config=IMPATIENT,
        before=(Order("down"),),
    ),
    Scenario(
        "platform_stays_down",
        (Turn((find(),), says="cannot"), Turn((find(),), says="cannot"), HangUp()),
        appointments=0,
        before=(Order("down"),),
    ),
    Scenario(
        "doubt",
        (
            FOUND,
            Fault("booking", "lost"),
            Turn((book(),), says="doubt"),
            Order("mend"),
            Turn((book(),), says="booked"),
        ),
        config=IMPATIENT,
    ),
]
