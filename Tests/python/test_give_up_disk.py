"""What a person has given up, and a disk that does not take it: the reply says so, and comes in time."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pbk
import pytest
from contract import STATUS, failure, success
from doubts import doubt, given_up_in_journal, of_bot
from host import Host
from ledger import give_up, listed, resume, states
from samples import BOOKING_REPLY, BOT_ID, booking_request

FAULTS_SOURCE = pbk.ROOT / "Tests" / "c" / "disk_faults.c"


@pytest.fixture(scope="session")
def faults_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("faults") / "disk_faults.so"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    subprocess.run([*compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(FAULTS_SOURCE)], check=True)
    return library


class Disk:
    """Hosts whose disk does as it is told."""

    def __init__(self, library: Path, folder: Path, start_host: Callable[..., Host]) -> None:
        self._control, self._log = folder / "control", folder / "log"
        self._start_host = start_host
        self._environment = {
            "LD_PRELOAD": str(library),
            "DISK_FAULTS_PATH": str(folder / "journal"),
            "DISK_FAULTS_CONTROL": str(self._control),
            "DISK_FAULTS_LOG": str(self._log),
        }

    def host(self, config: dict[str, Any]) -> Host:
        return self._start_host(config, **self._environment)

    def set(self, *lines: str) -> None:
        """At once: a reader sees the old lines or the new."""
        new = self._control.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in lines))
        new.rename(self._control)

    def clear(self) -> None:
        self._control.unlink()

    @property
    def has_failed(self) -> bool:
        return self._log.exists()


@pytest.fixture
def disk(faults_library, tmp_path, start_host) -> Disk:
    return Disk(faults_library, tmp_path, start_host)


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
