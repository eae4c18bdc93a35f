"""Clocks that jump under a process: no booking is forgotten by one, and none that has its reply is booked twice.

The wall clock is what people set. The boot clock runs on while the machine sleeps, and the monotonic one does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clocks import Desk, build_clocks, run_under
from services import config_for

DAY = 24 * 3600
JUMPS = {
    "9 days ahead": "9 * DAY",
    "400 days ahead": "400 * DAY",
    "200 years ahead": "200 * 366 * DAY",
    "an hour back": "-3600",
    "9 days back": "-9 * DAY",
    "in 1970": "10 - time.time()",
}
"""What is added to the wall clock, as an expression. The appointments are in seven days."""

jumps = pytest.mark.parametrize("wall", JUMPS.values(), ids=JUMPS)

SHORT = {"booking_retention_minutes": 1}


@pytest.fixture(scope="module")
def clocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_clocks(tmp_path_factory.mktemp("clocks"))


@pytest.fixture
def run_child(clocks, start_faults, tmp_path) -> Callable[..., Counter[str]]:
    """Runs a program in a process with clocks of its own. Returns the number of requests by their keys."""

    def run_child(program: str, *, days: int = 7, **members: Any) -> Counter[str]:
        desk = Desk()
        config = {**config_for(start_faults(desk)), "timeout_ms": 1000, **members}
        run_under(clocks, program, tmp_path, config, days)
        return desk.seen

    return run_child


def test_clocks_jump(run_child):
    """The library sees it, and its waits do not: what a wait ends by is the kernel's clock."""
    program = """
real, up = time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)
jump(wall=400 * DAY, up=100, monotonic=50)
assert 399 * DAY < time.time() - real < 401 * DAY
assert 99 < time.clock_gettime(time.CLOCK_BOOTTIME) - up < 110
with pbk.Client(config) as client:
    stays_in_doubt(client, "doubt")
    assert client.next_completion(20) == (STATUS["TIMEOUT"], None)
    assert listed(client)[0]["recorded_at"].startswith(time.strftime("%Y-%m-%d", time.gmtime(real + 400 * DAY)))
    success(client.book(whole("booked")))
    wait_until(lambda: states(client) == {"doubt": "in_doubt"})
"""
    assert run_child(program) == {"doubt": 2, "booked": 1}


# The wall clock


@jumps
def test_opening(run_child, wall):
    """And the next opening, when it is right again. What is settled is kept too, also for as short as can be."""
    program = f"""
with pbk.Client(config) as client:
    stays_in_doubt(client, "doubt")
    in_doubt(client.book(whole("once")), 503, "http_error")
    success(client.book(whole("heard")))
    submitted(client, whole("unheard"), "OK")
assert in_the_file("heard") == {{"heard"}}
for seconds in ({wall}, 0):
    jump(wall=seconds)
    with pbk.Client(config) as client:
        assert states(client) == {{"doubt": "in_doubt", "once": "in_doubt", "unheard": "booked"}}
        stays_in_doubt(client, "doubt")
        has_booking(client, "heard")
    assert in_the_file("booked") == {{"heard", "unheard"}} and in_the_file("intent") >= {{"doubt", "once"}}
    assert recorded(journal) == {{"doubt": "in_doubt", "once": "in_doubt", "unheard": "booked"}}
with pbk.Client(config) as client:
    has_booking(client, "unheard")
    success(client.book(resume("once")))
    assert recorded(journal).get("unheard") != "in_doubt"
"""
    assert run_child(program, **SHORT) == {"doubt": 6, "once": 2, "heard": 1, "unheard": 1}


@pytest.mark.parametrize("members", [{}, SHORT], ids=str)
def test_running_client(run_child, members):
    """There and back, and each time it has bookings to make and so looks for some to forget."""
    program = """
with pbk.Client(config) as client:
    ticket = ByQueue().submit(client, pbk.BOOK, {**whole("held"), "timeout_ms": 60_000})
    stays_in_doubt(client, "doubt")
    success(client.book(whole("first")))
    submitted(client, whole("unheard"), "OK")
    expected = {"held": "in_flight", "doubt": "in_doubt", "unheard": "booked"}
    for number, days in enumerate([3, 0, -3, 0, 9, 400, -400, 40_000, 0]):
        jump(wall=days * DAY)
        time.sleep(0.05)
        submitted(client, whole(f"unheard-{number}"), "OK")
        stays_in_doubt(client, f"doubt-{number}")
        expected |= {f"unheard-{number}": "booked", f"doubt-{number}": "in_doubt"}
        found = states(client)
        assert {key: found.get(key) for key in expected} == expected, (days, found)
        has_booking(client, "first")
        stays_in_doubt(client, "doubt")
    success(client.book(whole("release")))
    assert ByQueue().next(client).ticket == ticket
    has_booking(client, "held")
    expected.pop("held")
with pbk.Client(config) as client:
    assert states(client) == expected
    for key in expected:
        has_booking(client, key) if expected[key] == "booked" else stays_in_doubt(client, key)
    for key in ("first", "held"):
        has_booking(client, key)
"""
    seen = run_child(program, **members)
    assert {key for key, count in seen.items() if count > 1} == {"doubt", *(f"doubt-{number}" for number in range(9))}


@pytest.mark.parametrize("seed", range(3))
def test_many_openings(run_child, seed):
    """Some with a clock that jumps while they last, and each leaves something behind."""
    program = f"""
rng, expected, heard = random.Random({seed}), {{}}, []
def anywhen():
    jump(wall=rng.choice([0, 0, rng.uniform(-9, 9), rng.uniform(-15_000, 30_000)]) * DAY)
for number in range(12):
    anywhen()
    with pbk.Client(config) as client:
        assert states(client) == expected, (number, states(client), expected)
        for key, state in expected.items():
            if state == "in_doubt" and rng.random() < 0.3:
                stays_in_doubt(client, key)
        for key in heard:
            has_booking(client, key)
        anywhen()
        stays_in_doubt(client, f"doubt-{{number}}")
        submitted(client, whole(f"unheard-{{number}}"), "OK")
        success(client.book(whole(f"heard-{{number}}")))
        if rng.random() < 0.5:
            anywhen()
        expected |= {{f"doubt-{{number}}": "in_doubt", f"unheard-{{number}}": "booked"}}
        heard.append(f"heard-{{number}}")
    assert recorded(journal) == expected
    assert in_the_file("booked") == {{*heard, *(key for key in expected if key.startswith("unheard"))}}
"""
    seen = run_child(program, **SHORT)
    assert not [key for key, count in seen.items() if count > 1 and not key.startswith("doubt")]


def test_opening_that_resumes(run_child):
    """An appointment that seems to be over is left alone. It is asked for when the clock is right again."""
    program = """
with pbk.Client(config) as client:
    in_doubt(client.book(whole("once")), 503, "http_error")
jump(wall=9 * DAY)
with pbk.Client({**config, "resume_on_open": True}) as client:
    time.sleep(0.3)
    assert [(each["state"], each["expired"]) for each in listed(client)] == [("in_doubt", True)]
jump(wall=0)
with pbk.Client({**config, "resume_on_open": True}) as client:
    wait_until(lambda: states(client) == {"once": "booked"})
"""
    assert run_child(program) == {"once": 2}


@pytest.mark.parametrize("when", ["at the opening", "while it runs"])
def test_platform_has_not_had_its_time(run_child, when):
    """A refusal ends a doubt a minute after it began, and not after nine days that never passed."""
    program = f"""
is_opened = {when == "at the opening"}
with pbk.Client(config) as client:
    in_doubt(client.book(whole("taken")), 503, "http_error")
    jump(wall=9 * DAY)
    if not is_opened:
        in_doubt(client.book(whole("taken")), 409, "slot_unavailable")
with pbk.Client(config) as client:
    error = in_doubt(client.book(whole("taken")), 409, "slot_unavailable")
    assert error["doubt"]["sent_ms_ago"] < 60_000
    assert states(client) == {{"taken": "in_doubt"}}
"""
    run_child(program, platform_keys="first", platform_limit_ms=60_000)


# The boot clock


@pytest.mark.parametrize("monotonic", [0, 1], ids=["asleep", "awake"])
@pytest.mark.parametrize("wall", ["0", "-9 * DAY"])
def test_settled_keys_expire_while_the_client_runs(run_child, monotonic, wall):
    """By the clock that also counts while the machine sleeps. Doubts do not, be the appointment long over."""
    program = f"""
jump(-40 * DAY)
with pbk.Client(config) as client:
    stays_in_doubt(client, "doubt")
    success(client.book(whole("heard")))
    submitted(client, whole("unheard"), "OK")
    jump({wall}, 50, 50 * {monotonic})
    has_booking(client, "heard")
    assert states(client) == {{"doubt": "in_doubt", "unheard": "booked"}}
    jump({wall}, 120, 120 * {monotonic})
    for key in ("heard", "unheard"):
        forgotten(client, key)
    wait_until(lambda: states(client) == {{"doubt": "in_doubt"}})
    assert failure(client.book(whole("heard")), "INVALID_FIELD")["outcome"] == "not_sent"  # the appointment is over
    del starts["heard"]
    for how in (whole, resume):
        success(client.book(how("heard")))
    jump({wall}, 1000 * DAY, 1000 * DAY * {monotonic})
    assert states(client) == {{"doubt": "in_doubt"}}
    stays_in_doubt(client, "doubt", 1001 * DAY)
"""
    assert run_child(program, days=-30, **SHORT) == {"doubt": 4, "heard": 2, "unheard": 1}


def test_settled_keys_expire_between_two_clients(run_child):
    """And one that comes back to an earlier boot clock, as nothing should, loses nothing."""
    program = """
with pbk.Client(config) as client:
    stays_in_doubt(client, "doubt")
    success(client.book(whole("heard")))
    submitted(client, whole("unheard"), "OK")
jump(up=50)
with pbk.Client(config) as client:
    assert states(client) == {"doubt": "in_doubt", "unheard": "booked"}
    has_booking(client, "heard")
jump(up=120)
with pbk.Client(config) as client:
    assert states(client) == {"doubt": "in_doubt"}
    for key in ("heard", "unheard"):
        forgotten(client, key)
    success(client.book(whole("later")))
assert in_the_file("booked") == {"later"}
jump(up=0)
with pbk.Client(config) as client:
    has_booking(client, "later")
    assert states(client) == {"doubt": "in_doubt"}
jump(up=1000 * DAY, wall=1000 * DAY)
with pbk.Client(config) as client:
    assert [(each["idempotency_key"], each["expired"]) for each in listed(client)] == [("doubt", True)]
    stays_in_doubt(client, "doubt")
    forgotten(client, "later")
"""
    assert run_child(program, **SHORT) == {"doubt": 4, "heard": 1, "unheard": 1, "later": 1}


@pytest.mark.parametrize("boot", ["11111111-2222-3333-4444-555555555555", None])
@pytest.mark.parametrize(
    ("wall", "up", "is_kept"),
    [("9 * DAY", 30, True), ("0", 150, True), ("-9 * DAY", 150, True), ("9 * DAY", 150, False)],
)
def test_reboot(run_child, boot, wall, up, is_kept):
    """The wall clock alone makes nothing older than the time that the machine has been up."""
    program = f"""
with pbk.Client(config) as client:
    stays_in_doubt(client, "doubt")
    success(client.book(whole("heard")))
    submitted(client, whole("unheard"), "OK")
write_records(journal, [{{**each, **({{"boot": {boot!r}}} if "boot" in each else {{}})}} for each in records(journal)])
jump({wall}, {up} - time.clock_gettime(time.CLOCK_BOOTTIME))
with pbk.Client(config) as client:
    expected = {{"doubt": "in_doubt"}} | ({{"unheard": "booked"}} if {is_kept} else {{}})
    assert states(client) == expected
    has_booking(client, "heard") if {is_kept} else forgotten(client, "heard")
    stays_in_doubt(client, "doubt")
"""
    run_child(program, **SHORT)
