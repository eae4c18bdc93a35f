"""`journal_dir`: a process dies at each step of adopting the journals of others, one run for each."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pbk
import pytest
from contract import in_doubt
from fault_server import answer, swallow_request
from header import ROOT, STATUS
from ledger import AT_ONCE, BOOKED
from programs import run_program
from samples import READS_ONLY, booking_request
from services import config_for

SOURCE = ROOT / "Tests" / "c" / "dies_at.c"
MOST_STEPS = 200
BOOKED_KEY = "made"
DOUBTS = ("k1", "k2", "k3", "k4")

OPENS = """
import json, os, sys
import pbk
pbk.Client(json.loads(sys.argv[1]))
os._exit(0)
"""


@pytest.fixture(scope="module")
def dies_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("dies") / "dies_at.so"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    subprocess.run([*compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(SOURCE)], check=True)
    return library


def listed(client: pbk.Client) -> dict[str, str]:
    reply = json.loads(client.pending_bookings().reply)
    assert reply["journal"]["left"] == []
    return {booking["idempotency_key"]: booking["state"] for booking in reply["pending_bookings"]}


def leave(config: dict[str, Any]) -> None:
    """Four dead processes: each leaves a booking in doubt, and one also a booking that nobody has heard of."""
    clients = [pbk.Client(config) for _ in DOUBTS]
    for client, key in zip(clients, DOUBTS):
        in_doubt(client.book(booking_request(key=key, **AT_ONCE)), None, "connection_lost")
    assert clients[2].submit(pbk.BOOK, booking_request(key=BOOKED_KEY)).status == STATUS["OK"]
    assert pbk.next_address(clients[2].handle, 10_000)[1] is not None
    for client in clients:
        client.close(100)


def test_a_crash_at_any_step_loses_and_doubles_nothing(start_faults, dies_at, tmp_path):
    server = start_faults(*[swallow_request()] * len(DOUBTS), answer(BOOKED))
    members = {**config_for(server), **READS_ONLY}
    leave({**members, "journal_dir": str(tmp_path / "left")})
    expected = {key: "in_doubt" for key in DOUBTS} | {BOOKED_KEY: "booked"}
    for step in itertools.count(1):
        directory = tmp_path / f"journals-{step}"
        shutil.copytree(tmp_path / "left", directory)
        config = {**members, "journal_dir": str(directory)}
        died = run_program(OPENS, json.dumps(config), LD_PRELOAD=str(dies_at), DIES_AT=str(step)).returncode
        assert died in (0, -signal.SIGKILL), step
        check(config, directory, expected, step)
        shutil.rmtree(directory)
        if died == 0:
            break
    assert 10 < step < MOST_STEPS


def check(config: dict[str, Any], directory: Path, expected: dict[str, str], step: int) -> None:
    """Of those who start after the crash, each booking has exactly one."""
    clients = [pbk.Client(config) for _ in range(2)]
    found = [listed(client) for client in clients]
    keys = sorted(key for each in found for key in each)
    assert keys == sorted(expected), f"before step {step}: {found}"
    assert len(list(directory.iterdir())) == len(clients), f"before step {step}"
    for client in clients:
        client.close(0)
    with pbk.Client(config) as last:
        assert listed(last) == expected, f"before step {step}"
        assert len(list(directory.iterdir())) == 1, f"before step {step}"


def test_nobody_takes_a_journal_whose_bookings_another_one_has(start_faults, dies_at, tmp_path):
    """After a crash many processes start together: each takes a journal before any of them goes on to adopt."""
    server = start_faults(*[swallow_request()] * len(DOUBTS), answer(BOOKED))
    members = {**config_for(server), **READS_ONLY}
    leave({**members, "journal_dir": str(tmp_path / "left")})
    shared = 0
    for step in itertools.count(1):
        directory = tmp_path / f"journals-{step}"
        shutil.copytree(tmp_path / "left", directory)
        config = {**members, "journal_dir": str(directory)}
        died = run_program(OPENS, json.dumps(config), LD_PRELOAD=str(dies_at), DIES_AT=str(step)).returncode
        free = sorted(path for path in directory.iterdir() if ".into-" not in path.name and path.suffix == ".journal")
        with contextlib.ExitStack() as held:
            for path in free[1:]:
                fcntl.flock(held.enter_context(path.open()), fcntl.LOCK_EX)
            first = pbk.Client(config)
        second = pbk.Client(config)
        found = sorted([*listed(first), *listed(second)])
        assert found == sorted([*DOUBTS, BOOKED_KEY]), f"before step {step}: {found}"
        shared += len(free) > 1 and len(list(directory.iterdir())) > 1
        first.close(0)
        second.close(0)
        if died == 0:
            break
    assert shared > 5 and step < MOST_STEPS
