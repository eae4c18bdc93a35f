"""What a host has heard outlives it, and what it has not heard does so too: across a kill, a close and a fork."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pbk
import pytest
from contract import failure, in_doubt, success
from fault_server import answer, swallow_request
from header import STATUS
from held import next_held, stays, submitted
from ledger import (
    AT_ONCE,
    BOOKED,
    ENDS,
    FIRST,
    HEARD_AFTER,
    REFUSED,
    REPORTED,
    answer_in_turn,
    ends,
    listed,
    recorded,
    resume,
    states,
    with_journal,
)
from programs import run_program
from samples import BOOKING_REPLY, ONCE, READS_ONLY, SANDBOX, booking_request, search_request
from services import config_for
from waiting import SOON_MS, wait_until


def is_heard(journal: Path) -> bool:
    return recorded(journal) == {}


# A kill


@ends
def test_killed_before_the_completion_is_freed(start_faults, start_host, open_client, tmp_path, journal, end):
    """The next one finds the end, and gets it by resuming its key. Nothing is sent for that."""
    server = start_faults(answer(ENDS[end][0]))
    host = start_host(with_journal(config_for(server), tmp_path))
    host.submit(booking_request(key="k"))
    event, result = host.take()
    assert (event, result.status) == (pbk.DONE, STATUS[ENDS[end][1]])
    (before,) = success(host.pending_bookings())["pending_bookings"]
    wait_until(lambda: recorded(journal) == {"k": end})
    host.kill()

    client = open_client(with_journal(config_for(server), tmp_path, resume_on_open=True, **REPORTED))
    assert listed(client) == [before] and before["state"] == end
    for _ in range(2):
        again = submitted(client, resume("k"), "OK" if end == "booked" else "NOT_RECORDED")
        if end == "booked":
            assert again.result == result
        else:
            assert failure(again.result, "NOT_RECORDED")["outcome"] == "rejected"
        stays(client, {"k": end})
    again.free()
    assert listed(client) == []
    assert server.keys() == ["k"] and client.next_completion(0) == (STATUS["TIMEOUT"], None)
    assert client.close() == STATUS["OK"]
    assert listed(open_client(with_journal(config_for(server), tmp_path))) == []


@ends
@pytest.mark.parametrize("how", ["freed", "returned"])
def test_killed_after_it_was_heard(start_faults, start_host, open_client, tmp_path, journal, end, how):
    """A second later, and as soon as there is something to do, that is in the journal."""
    server = start_faults(answer_in_turn(ENDS[end][0], b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"))
    host = start_host(with_journal(config_for(server), tmp_path))
    if how == "freed":
        host.submit(booking_request(key="k"))
        host.take()
        host.free()
    else:
        host.book(booking_request(key="k"))
    time.sleep(HEARD_AFTER + 0.2)
    host.search(search_request())
    wait_until(lambda: is_heard(journal), seconds=2)
    host.kill()
    client = open_client(with_journal(config_for(server), tmp_path))
    assert listed(client) == []
    expected = (STATUS["OK"], BOOKING_REPLY) if end == "booked" else None
    result = client.book(resume("k"))
    assert result == expected or failure(result, "NOT_RECORDED")["outcome"] == "unknown"


@pytest.mark.parametrize("how", ["freed", "returned"])
def test_killed_while_there_is_nothing_to_do(start_faults, start_host, open_client, tmp_path, how):
    """One booking, and then silence for a while: nobody calls, and nobody is asked."""
    config = with_journal(config_for(start_faults(answer(BOOKED))), tmp_path)
    host = start_host(config)
    if how == "freed":
        host.submit(booking_request(key="k"))
        host.take()
        host.free()
    else:
        host.book(booking_request(key="k"))
    time.sleep(2 * HEARD_AFTER + 0.5)
    host.kill()
    assert listed(open_client(config)) == []


def test_journal_does_not_hear_too_early(start_faults, open_client, tmp_path, journal):
    """What is held is not heard at all, and what is freed not before a second has passed."""
    client = open_client(with_journal(config_for(start_faults(answer(BOOKED))), tmp_path))
    held, freed = (submitted(client, booking_request(key=key), "OK") for key in ("held", "k"))
    stays(client, {"held": "booked", "k": "booked"})
    wait_until(lambda: recorded(journal) == {"held": "booked", "k": "booked"})
    freed.free()
    began = time.monotonic()
    assert states(client) == {"held": "booked"}
    while time.monotonic() - began < HEARD_AFTER + 0.3:
        assert "k" in recorded(journal) or time.monotonic() - began > HEARD_AFTER - 0.05
        time.sleep(0.02)
    submitted(client, booking_request(key="other"), "OK").free()
    wait_until(lambda: "k" not in recorded(journal), seconds=3)
    assert recorded(journal)["held"] == "booked"
    held.free()


# A close


@ends
@pytest.mark.parametrize("how", ["freed", "returned", "held", "freed after the close", "not taken"])
def test_close_writes_what_was_heard(start_faults, open_client, tmp_path, end, how):
    """At once, and nothing else."""
    config = with_journal(config_for(start_faults(answer(ENDS[end][0]))), tmp_path)
    with pbk.Client(config) as first:
        if how == "returned":
            first.book(booking_request(key="k"))
        elif how == "not taken":
            first.submit(pbk.BOOK, booking_request(key="k"))
            wait_until(lambda: states(first) == {"k": end})
        else:
            held = submitted(first, booking_request(key="k"), ENDS[end][1])
        if how == "freed":
            held.free()
        began = time.monotonic()
        assert first.close() == STATUS["OK"]
        assert time.monotonic() - began < HEARD_AFTER
        if how == "freed after the close":
            held.free()
    second = open_client(config)
    assert states(second) == ({} if how in ("freed", "returned") else {"k": end})


def test_completions_are_freed_while_the_client_closes(start_faults, open_client, tmp_path, threads):
    """Each is heard or is listed again, and what nobody has freed is listed."""
    config = with_journal(config_for(start_faults(answer(BOOKED))), tmp_path)
    with pbk.Client(config) as first:
        keys = [f"k{number}" for number in range(100)]
        held = {key: submitted(first, booking_request(key=key), "OK") for key in keys}
        early, late, kept = keys[:20], keys[20:60], set(keys[60:])
        for key in early:
            held[key].free()
        closing = threads.submit(first.close, SOON_MS)
        list(threads.map(lambda key: held[key].free(), late))
        assert closing.result() == STATUS["OK"]
        for key in kept:
            held[key].free()
    found = states(open_client(config))
    assert kept <= found.keys() and not set(early) & found.keys()
    assert found == dict.fromkeys(found, "booked")


def test_unheard_ends_go_from_client_to_client(start_faults, open_client, tmp_path):
    """As often as one is opened and closed, with all that is listed of them."""
    server = start_faults(answer_in_turn(BOOKED, REFUSED))
    config = with_journal(config_for(server), tmp_path)
    with pbk.Client(config) as first:
        submitted(first, booking_request(key="made"), "OK")
        submitted(first, booking_request(key="refused"), "SLOT_UNAVAILABLE")
        before = listed(first)
        assert [booking["state"] for booking in before] == ["booked", "refused"]
        first.close()
    for _ in range(4):
        with pbk.Client(config) as client:
            assert listed(client) == before
            client.close()
    last = open_client(config)
    submitted(last, resume("made"), "OK").free()
    assert listed(last) == before[1:]
    last.close()
    assert listed(open_client(config)) == before[1:]
    assert server.keys() == ["made", "refused"]


def test_refused_key_is_booked_anew_after_a_restart(start_faults, open_client, tmp_path):
    """The old end is dropped, in the journal too."""
    server = start_faults(answer_in_turn(REFUSED, BOOKED))
    config = with_journal(config_for(server), tmp_path)
    with pbk.Client(config) as first:
        submitted(first, booking_request(key="k"), "SLOT_UNAVAILABLE")
        first.close()
    with pbk.Client(config) as second:
        submitted(second, booking_request(key="k"), "OK")
        second.close()
    third = open_client(config)
    assert states(third) == {"k": "booked"}
    assert third.book(resume("k")) == (STATUS["OK"], BOOKING_REPLY)
    assert server.keys() == ["k", "k"]


def test_booking_that_was_never_sent_is_found(open_client, start_faults, tmp_path):
    server = start_faults(answer(BOOKED))
    server.stop_listening()
    config = with_journal(config_for(server), tmp_path, retry=ONCE)
    with pbk.Client(config) as first:
        submitted(first, booking_request(key="k"), "CONNECT_FAILED")
        first.close()
    second = open_client(config)
    assert states(second) == {"k": "refused"}
    resumed = submitted(second, resume("k"), "NOT_RECORDED")
    assert failure(resumed.result, "NOT_RECORDED")["outcome"] == "not_sent"
    resumed.free()
    assert listed(second) == []


# What the library settles


@ends
@pytest.mark.parametrize("members", [{}, REPORTED], ids=["silent", "reported"])
def test_what_the_opening_settles_is_unheard(start_faults, open_client, tmp_path, end, members):
    """A field case: it was settled, and `[]` was listed, though nobody was told."""
    server = start_faults(swallow_request(), answer(ENDS[end][0]))
    config = with_journal(config_for(server), tmp_path, **FIRST)
    with pbk.Client({**config, **READS_ONLY}) as first:
        in_doubt(first.book(booking_request(key="k", **AT_ONCE)), None, "connection_lost")
    second = open_client({**config, "resume_on_open": True, **members})
    wait_until(lambda: states(second) == {"k": end})
    stays(second, {"k": end})
    if members:
        held = next_held(second)
        assert (held.completion.event, held.completion.status) == (pbk.SETTLED, STATUS[ENDS[end][1]])
        held.free()
        assert listed(second) == []
    assert second.close(SOON_MS) == STATUS["OK"]
    sent = len(server.keys())
    assert states(open_client(config)) == ({} if members else {"k": end})
    assert set(server.keys()) == {"k"} and len(server.keys()) == sent


def test_report_that_nobody_took_is_listed_after_a_kill(start_faults, start_host, open_client, tmp_path, journal):
    config = with_journal(config_for(start_faults(swallow_request(), answer(BOOKED))), tmp_path)
    host = start_host({**config, **REPORTED})
    in_doubt(host.book(booking_request(key="k", **AT_ONCE)), None, "connection_lost")
    event, result = host.take()
    assert (event, result) == (pbk.SETTLED, (STATUS["OK"], BOOKING_REPLY))
    wait_until(lambda: recorded(journal) == {"k": "booked"})
    host.kill()
    client = open_client({**config, "resume_on_open": True, **REPORTED})
    assert states(client) == {"k": "booked"}
    assert client.next_completion(200) == (STATUS["TIMEOUT"], None)


# A fork


def test_child_frees_what_it_has_inherited(tmp_path):
    """It does not hang, does not crash, and hears nothing: the parent holds the same completion."""
    program = """
import os, signal, sys, time
import pbk
from held import next_held, submitted
from ledger import recorded, states
from pathlib import Path
from samples import booking_request
config, journal = sys.argv[1:]
client = pbk.Client(config)
held = submitted(client, booking_request(key="k"), "OK")
for number in range(20):
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # a child that hangs dies of it
        held.free()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status == 0, status
    assert states(client) == {"k": "booked"}
time.sleep(1.3)
submitted(client, booking_request(key="other"), "SLOT_UNAVAILABLE").free()
time.sleep(0.3)
assert recorded(Path(journal))["k"] == "booked" and states(client) == {"k": "booked"}
held.free()
assert states(client) == {}
assert client.close() == 0
assert recorded(Path(journal)) == {}
"""
    config = with_journal(SANDBOX, tmp_path)
    done = run_program(program, json.dumps(config), tmp_path / "journal")
    assert done.returncode == 0, done.stderr


def test_child_ends_with_what_it_has_inherited(tmp_path):
    """Python frees and exits in its own way, and the parent's journal is none of the child's business."""
    program = """
import os, signal, sys
import pbk
from held import submitted
from ledger import recorded, states
from pathlib import Path
from samples import booking_request
client = pbk.Client(sys.argv[1])
held = submitted(client, booking_request(key="k"), "OK")
child = os.fork()
signal.alarm(20)
if child == 0:
    held.free()
    assert client.close() == 3
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert states(client) == {"k": "booked"}
assert client.close() == 0
assert recorded(Path(sys.argv[2])) == {"k": "booked"}
"""
    config = with_journal(SANDBOX, tmp_path)
    done = run_program(program, json.dumps(config), tmp_path / "journal")
    assert done.returncode == 0, done.stderr
