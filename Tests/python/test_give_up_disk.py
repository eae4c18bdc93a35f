"""What a person has given up, and a disk that does not take it: the reply says so, and comes in time."""

from __future__ import annotations

import errno
import time

import pytest
from contract import failure, success
from doubts import doubt, given_up_in_journal, of_bot
from header import STATUS
from ledger import give_up, listed, resume, states
from samples import BOOKING_REPLY, BOT_ID, booking_request

REFUSALS = [f"sync errno {errno.EIO}", f"write errno {errno.ENOSPC}", "write room 1"]


@pytest.mark.parametrize("fault", REFUSALS)
@pytest.mark.parametrize("is_required", [False, True])
def test_disk_that_refuses(journaled, disk, open_client, answering, fault, is_required):
    """The reply says so. The person is not asked again while the process lives."""
    host = disk.host({**journaled, "journal_required": is_required})
    for number in range(3):
        doubt(host, f"in_doubt-{number}")
    disk.set(fault)
    assert given_up_in_journal(host.book(give_up("in_doubt-0")), is_journaled=False) == ["in_doubt-0"]
    assert set(given_up_in_journal(host.book(of_bot()), is_journaled=False)) == {"in_doubt-1", "in_doubt-2"}
    assert disk.has_failed
    assert success(host.pending_bookings())["pending_bookings"] == []
    failure(host.book(give_up("in_doubt-0")), "NOT_RECORDED")
    host.kill()
    disk.clear()
    client = open_client(journaled)
    # They may be listed again. What is listed can be given up again, and is gone then.
    again = set(states(client))
    assert again <= {f"in_doubt-{number}" for number in range(3)}
    assert set(given_up_in_journal(client.book(of_bot()))) == again
    client.close()
    assert listed(open_client(journaled)) == []
    assert len(answering.keys()) == 3


def test_disk_that_is_well_again(journaled, disk, open_client):
    """The next give-up is journaled, whatever became of the one that was refused."""
    host = disk.host(journaled)
    doubt(host, "in_doubt-1")
    doubt(host, "in_doubt-2")
    disk.set(REFUSALS[0])
    assert given_up_in_journal(host.book(give_up("in_doubt-1")), is_journaled=False) == ["in_doubt-1"]
    disk.clear()
    assert given_up_in_journal(host.book(give_up("in_doubt-2"))) == ["in_doubt-2"]
    host.kill()
    assert "in_doubt-2" not in states(open_client(journaled))


def test_disk_that_is_slow(journaled, disk):
    """The reply waits for it."""
    host = disk.host(journaled)
    doubt(host, "in_doubt-1")
    disk.set("sync slow 700")
    began = time.monotonic()
    assert given_up_in_journal(host.book(give_up("in_doubt-1"))) == ["in_doubt-1"]
    assert time.monotonic() - began > 0.6


@pytest.mark.parametrize("limit", ["journal_timeout_ms", "timeout_ms"])
def test_disk_that_hangs(journaled, disk, limit):
    """The reply does not wait for ever, and whatever it says, the booking is not listed any more."""
    host = disk.host({**journaled, "journal_timeout_ms": 300 if limit == "journal_timeout_ms" else 60_000})
    doubt(host, "in_doubt-1")
    disk.set("sync hang")
    began = time.monotonic()
    result = host.book(give_up("in_doubt-1", **({"timeout_ms": 300} if limit == "timeout_ms" else {})))
    assert 0.25 < time.monotonic() - began < 10
    assert given_up_in_journal(result, is_journaled=False) == ["in_doubt-1"]
    assert success(host.pending_bookings())["pending_bookings"] == []
    disk.clear()
    assert host.close() == STATUS["OK"]


def test_ends_are_heard_without_a_disk(journaled, disk, open_client):
    """It takes no note of what was heard: so that is told once more, and nothing else goes wrong."""
    host = disk.host(journaled)
    host.submit(booking_request(key="booked-1"))
    host.take()
    time.sleep(1.2)  # so that the booking itself is on the disk
    disk.set(f"write errno {errno.ENOSPC}", f"open errno {errno.ENOSPC}")
    host.free()
    assert success(host.pending_bookings())["pending_bookings"] == []
    time.sleep(1.5)
    host.search({"bot_id": BOT_ID})
    assert success(host.pending_bookings())["pending_bookings"] == []
    host.kill()
    disk.clear()
    client = open_client(journaled)
    assert states(client) in ({"booked-1": "booked"}, {})
    assert client.book(resume("booked-1")) == (STATUS["OK"], BOOKING_REPLY)
