"""Records that reach the disk late, or not at all, or in great number: what is known of their bookings stays true."""

from __future__ import annotations

import errno
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pbk
import pytest
from contract import failure, in_doubt, success
from doubts import doubt
from fault_server import LIFETIME, Peer, Script, answer, answer_when, stall, swallow_request
from flood import HALF
from header import STATUS
from held import submitted
from host import Host
from ledger import (
    A_WHILE,
    AT_ONCE,
    BOOKED,
    REFUSED,
    REPORTED,
    listed,
    recorded,
    records,
    resume,
    states,
    with_journal,
    write_records,
)
from programs import run_program
from samples import BOOKING_REPLY, SANDBOX, booking_request
from waiting import SOON_MS, wait_until

FULL = f"write errno {errno.ENOSPC}"
BROKEN = f"sync errno {errno.EIO}"


def types(journal: Path) -> list[str]:
    return [record["type"] for record in records(journal)]


def states_of(host: Host) -> dict[str, str]:
    return {each["idempotency_key"]: each["state"] for each in success(host.pending_bookings())["pending_bookings"]}


def refuse_when(told: threading.Event) -> Script:
    """Refuses one request when it is told to."""

    def script(peer: Peer) -> None:
        peer.read_request()
        assert told.wait(LIFETIME)
        peer.send(REFUSED)

    return script


@pytest.fixture
def refused(answering, journaled, disk) -> Callable[..., Host]:
    """Has bookings refused while the disk has a fault, so that their calls end in doubt. Then the server plays on."""

    def refused(fault: str, *scripts: Script, keys: tuple[str, ...] = ("k",), **members: Any) -> Host:
        told = threading.Event()
        answering.play(*[refuse_when(told)] * len(keys), *scripts)
        host = disk.host({**journaled, **members})
        if members.get("journal_required") is False:  # their intents meet the fault, too
            disk.set(fault)
        for key in keys:
            host.submit(booking_request(key=key))
        assert answering.wait_for_requests(len(keys))
        disk.set(fault)
        told.set()
        for _ in keys:
            in_doubt(host.take()[1], 409, "slot_unavailable")
        return host

    return refused


# A request behind the record that nothing was booked


@pytest.mark.parametrize("ends", [True, False], ids=["in doubt", "in flight"])
@pytest.mark.parametrize("fault", ["sync hang", f"{BROKEN}\ntruncate errno {errno.EIO}"], ids=["hangs", "stays"])
def test_booking_is_repeated_before_its_void_counts(refused, answering, journaled, disk, open_client, ends, fault):
    """The second request may have booked: the record of the first one's refusal does not free the key, however late."""
    host = refused(fault, swallow_request() if ends else stall())
    disk.set("sync hang")
    host.submit(booking_request(key="k", **AT_ONCE))
    time.sleep(0.1)
    disk.clear()
    assert answering.wait_for_requests(2)
    if ends:
        failure(host.take()[1], "IN_DOUBT")
    time.sleep(0.2)  # in which the disk takes what it has not taken yet
    assert states_of(host) == {"k": "in_doubt" if ends else "in_flight"}
    host.kill()
    assert states(open_client(journaled)) == {"k": "in_doubt"}
    assert answering.keys() == ["k", "k"]


def test_intent_is_reported_while_the_void_behind_it_hangs(refused, answering, journaled, disk, open_client, journal):
    """It does not cover the request that is sent behind that void."""
    host = refused("sync hang", swallow_request(), journal_required=False, journal_timeout_ms=300)
    disk.set("write hang")
    time.sleep(0.1)
    assert types(journal) == ["journal", "intent"]
    host.submit(booking_request(key="k", **AT_ONCE))
    time.sleep(0.1)
    disk.clear()
    assert answering.wait_for_requests(2)
    failure(host.take()[1], "IN_DOUBT")
    time.sleep(0.2)
    assert states_of(host) == {"k": "in_doubt"}
    host.kill()
    assert states(open_client(journaled)) == {"k": "in_doubt"}


def test_intent_that_fails_says_nothing_of_an_earlier_one(refused, answering, disk, journal):
    """The void was not written, so the first intent stands, whatever becomes of the second."""
    host = refused(BROKEN, answer(BOOKED), journal_timeout_ms=200)
    disk.set("sync hang")
    failure(host.book(booking_request(key="k")), "JOURNAL_UNAVAILABLE")
    disk.set(BROKEN)
    time.sleep(0.3)
    assert states_of(host) == recorded(journal) == {"k": "in_doubt"}
    disk.clear()
    success(host.book(resume("k")))
    assert answering.keys() == ["k", "k"]


# The disk says in the end that nothing was booked


@pytest.mark.parametrize("members", [{}, REPORTED], ids=["silent", "reported"])
def test_refusals_on_a_slow_disk(refused, answering, journaled, open_client, members):
    """Each call ends before its void is on the disk, and no doubt outlives that."""
    keys = tuple(f"k{number}" for number in range(20))
    host = refused("sync slow 700", keys=keys, **members)
    expected = dict.fromkeys(keys, "refused")
    wait_until(lambda: states_of(host) == expected)
    if members:
        taken = [host.take() for _ in keys]
        assert {event for event, _ in taken} == {pbk.SETTLED}
        errors = [failure(result, "NOT_RECORDED") for _, result in taken]
        assert {error["idempotency_key"]: error["outcome"] for error in errors} == dict.fromkeys(keys, "rejected")
        host.free()
        assert states_of(host) == {}
    else:
        host.kill()
        assert states(open_client(journaled)) == expected
    assert sorted(answering.keys()) == sorted(keys)


def test_repeat_that_sends_nothing_keeps_no_doubt(refused, answering, disk):
    """The platform has no keys: there is only the void that can end it."""
    host = refused("sync hang", stall(), platform_keys="none")
    failure(host.book(booking_request(key="k")), "IN_DOUBT")
    disk.clear()
    wait_until(lambda: states_of(host) == {"k": "refused"})
    assert failure(host.book(resume("k")), "NOT_RECORDED")["outcome"] == "rejected"
    assert answering.keys() == ["k"]


@pytest.mark.parametrize("fault", [BROKEN, FULL])
def test_intent_that_fails_late(answering, journaled, disk, journal, fault):
    """Nothing was sent, and nothing of it is in the file. It may stay in doubt until it is repeated."""
    answering.play(answer(BOOKED))
    host = disk.host({**journaled, "journal_timeout_ms": 200})
    disk.set(f"{fault.split()[0]} hang")
    assert failure(host.book(booking_request(key="k")), "JOURNAL_UNAVAILABLE")["outcome"] == "unknown"
    assert states_of(host) == {"k": "in_doubt"}
    disk.set(fault)
    wait_until(lambda: recorded(journal) == {})
    assert states_of(host) in ({"k": "in_doubt"}, {"k": "refused"})
    disk.clear()
    success(host.book(booking_request(key="k")))
    assert answering.keys() == ["k"]


def test_refusals_fill_no_service(refused, journaled, disk, journal):
    """They count as doubts until they are on the disk, and not any longer."""
    with pbk.Client(journaled) as client:
        doubt(client, "in_doubt")
    mark, intent = records(journal)
    doubts = [{**intent, "key": f"d{n}", "clock": intent["clock"] + n} for n in range(HALF - 2)]
    write_records(journal, [mark, *doubts])
    host = refused("sync hang", answer(REFUSED), keys=("k1", "k2"))
    failure(host.book(booking_request(key="k3")), "LEDGER_FULL")
    disk.clear()
    wait_until(lambda: host.book(booking_request(key="k3")).status != STATUS["LEDGER_FULL"])
    for key in ("k1", "k2", "k3"):
        failure(host.book(booking_request(key=key)), "SLOT_UNAVAILABLE")


# Great numbers


def filled(journal: Path, settings: dict[str, Any], count: int, **members: Any) -> list[str]:
    """Fills a journal with ends like the one of a booking that is made for this. Returns their keys."""
    with pbk.Client(settings) as client:
        submitted(client, booking_request(key="booked"), "OK")
        client.close()
    mark, booked = records(journal)
    ends = [{**booked, **members, "key": f"k{n}", "clock": booked["clock"] + n} for n in range(count)]
    write_records(journal, [mark, *ends])
    return [end["key"] for end in ends]


def test_what_was_heard_does_not_push_out_what_was_booked(answering, journaled, disk, journal):
    """Thousands of ends are heard while the disk is full."""
    keys, told = filled(journal, journaled, 2_000), threading.Event()
    answering.play(answer_when(told, BOOKED))
    host = disk.host(journaled)
    for key in keys:
        success(host.book(resume(key)))
    host.submit(booking_request(key="late"))
    assert answering.wait_for_requests(1)
    disk.set(FULL)
    told.set()
    success(host.take()[1])
    time.sleep(2 * A_WHILE)
    assert recorded(journal)["late"] == "in_doubt"
    disk.clear()
    success(host.book(booking_request(key="next")))
    host.kill()
    assert recorded(journal)["late"] == "booked"


def test_kept_completion_keeps_nothing_of_a_closed_client(tmp_path, journal):
    """But what it tells: a host may keep completions for as long as it likes."""
    settings = with_journal(SANDBOX, tmp_path)
    filled(journal, settings, 500, reply=json.dumps({"booking": {"id": "x" * 4_000}}))
    program = """
import resource, sys, pbk
from held import submitted
from ledger import resume
def resident():
    with open("/proc/self/statm") as pages:
        return int(pages.read().split()[1]) * resource.getpagesize()
def open_and_close():
    client = pbk.Client(sys.argv[1])
    held = submitted(client, resume("k0"), "OK")
    assert client.close() == 0
    return held
for _ in range(3):
    open_and_close().free()
before = resident()
kept = [open_and_close() for _ in range(8)]
print(resident() - before)
for held in kept:
    held.free()
"""
    done = run_program(program, json.dumps(settings))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 3 * journal.stat().st_size


@pytest.mark.parametrize("freed", ["at once", "after the compaction", "long before the close"])
def test_closed_journal_holds_nothing_of_a_refusal_that_was_heard(answering, journaled, journal, freed):
    """It names a wish and a conversation."""
    answering.play(answer(REFUSED))
    with pbk.Client(journaled) as client:
        held = submitted(client, booking_request(key="k", conversation="call-7"), "SLOT_UNAVAILABLE")
        if freed != "at once":
            time.sleep(A_WHILE)
        assert recorded(journal) == {"k": "refused"}
        held.free()
        if freed == "long before the close":
            wait_until(lambda: recorded(journal) == {})
        assert client.close(SOON_MS) == STATUS["OK"]
    assert set(types(journal)) == {"journal"}


def test_marks_of_one_booking(journaled, journal):
    """Twice as many take about twice as long to read, and have no other effect than one."""
    filled(journal, journaled, 1)
    mark, booked = records(journal)
    heard = {"type": "heard", **{name: booked[name] for name in ("key", "at", "clock")}, "end": booked["clock"]}

    def seconds(count: int) -> float:
        """Of the processor, which others use too. The client replaces the file."""
        write_records(journal, [mark, booked, *[heard] * count])
        content, taken = journal.read_bytes(), []
        for _ in range(3):
            journal.write_bytes(content)
            began = time.thread_time()
            with pbk.Client(journaled) as client:
                taken.append(time.thread_time() - began)
                assert listed(client) == []
                assert client.book(resume("k0")) == (STATUS["OK"], BOOKING_REPLY)
        return min(taken)

    assert seconds(80_000) < 3 * seconds(40_000)
