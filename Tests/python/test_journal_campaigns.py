"""The campaigns about the journal's file, with a small budget: each is a command of its own, see `Tests/campaigns`.

And the journal's clock, by files that this test writes itself.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pbk
import pytest
from samples import booking_request

CAMPAIGNS = Path(__file__).resolve().parents[1] / "campaigns"
sys.path.insert(1, str(CAMPAIGNS))

import journal_file as jf  # noqa: E402

SECONDS = 150
"""Each takes less than 40 on two idle cores."""


def run_campaign(name: str, **budget: str) -> str:
    """What it printed. It prints what was violated, and then ends with 1."""
    command = [sys.executable, str(CAMPAIGNS / f"{name}.py")]
    environment = {**os.environ, **budget}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS - 10, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def count(output: str, what: str) -> int:
    """The number before these words."""
    found = re.search(rf"(\d+) {re.escape(what)}", output)
    assert found is not None, (what, output)
    return int(found[1])


@pytest.mark.timeout(SECONDS, method="thread")
def test_torn_and_damaged_journals():
    output = run_campaign("torn", TORN_STRIDE="211")
    least = {
        "cuts": 100,
        "flipped bits": 500,
        "damaged at random": 100,
        "stray blocks": 100,
        "told to be damaged": 200,
        "replies replayed": 1000,
        "doubts found": 2000,
        "unheard ends found": 1000,
        "refusals heard": 300,
        "free keys": 1000,
        "doubts given up": 200,
    }
    for what, number in least.items():
        assert count(output, what) >= number, output


@pytest.mark.timeout(SECONDS, method="thread")
def test_disk_faults():
    output = run_campaign("disk")
    for what, least in [("run", 80), ("faults met", 100), ("told not_sent", 50), ("told booked", 200)]:
        assert count(output, what) >= least, output


# ---- The clock ----

RETENTION_MINUTES = 1
SECOND, DAY = 1000, 24 * 3600 * 1000
"""In milliseconds."""

OTHER_BOOT = "6f3c1c0e-0000-4000-8000-000000000000"
REPLY = '{"booking":{"id":"bkg_1","status":"confirmed"}}'
ENDS = {"booked", "heard", "refused"}


def journal_line(passed: int, wall_passed: int, boot: str | None, clock: int = 0) -> bytes:
    """Of a client that opened the file so long ago by the boot clock, and so long ago by the system's clock."""
    now, up = time.time_ns() // 1_000_000, max(0, jf.up_ms() - passed)
    common = {"type": "journal", "version": 2, "service": "sandbox"}
    return jf.write_line({**common, "at": now - wall_passed, "clock": clock, "boot": boot, "up": up})


def intent(key: str, at: int, clock: int | None, version: int = 2, **booking: Any) -> bytes:
    request = booking_request(key=key)
    request["booking"] |= booking
    del request["idempotency_key"]
    body = pbk.encode(request)
    assert body is not None
    stamp = {"at": at} if clock is None else {"at": at, "clock": clock}
    fingerprint = jf.fingerprint_of_version_1(body.decode())
    text = {"type": "intent", "key": key, **stamp, "fingerprint": fingerprint, "body": body.decode()}
    return jf.write_line(text, version)


def end(kind: str, key: str, at: int, clock: int, **members: Any) -> bytes:
    request = booking_request()
    summary = {
        "bot_id": request["bot_id"],
        "start_at": request["booking"]["start_at"],
        "duration_minutes": request["booking"]["duration_minutes"],
        "recorded_at": at,
    }
    return jf.write_line(
        {"type": kind, "key": key, "at": at, "clock": clock, "fingerprint": "0" * 64, **summary, **members}
    )


def bookings(at: int, clock: int) -> bytes:
    """One in each state. Doubts are there with an appointment to come, and one that is long over."""
    return b"".join(
        [
            intent("doubt", at, clock),
            intent("old-doubt", at, clock + 1, start_at="2020-01-14T10:00:00Z"),
            end("booked", "booked", at, clock + 2, reply=REPLY),
            end("booked", "heard", at, clock + 3, reply=REPLY),
            jf.write_line({"type": "heard", "key": "heard", "at": at, "clock": clock + 4, "end": clock + 3}),
            end("void", "refused", at, clock + 5, outcome="not_sent"),
        ]
    )


def known(path: Path) -> set[str]:
    """Opens the journal and returns the keys of which something is known. Compares the list with the reader's."""
    data = path.read_bytes()
    keys = set(jf.read(data).entries)
    config = jf.sandbox_config(path, booking_retention_minutes=RETENTION_MINUTES)
    with pbk.Client(config) as client:
        listing = jf.pending(client)
        answers = {key: jf.book(client, {"idempotency_key": key, "resume": True, **jf.AT_ONCE}) for key in ENDS & keys}
        assert client.close() == jf.OK
    found = {key for key, answer in answers.items() if (answer.code, answer.outcome) != ("not_recorded", "unknown")}
    for key in found:
        reply = answers[key].reply if key != "refused" else answers[key].outcome
        assert reply == ("not_sent" if key == "refused" else REPLY.encode()), answers[key]
    listed = set(jf.states(listing))
    assert {key for key in listed if key not in ENDS} == set(jf.read(data).pending), "a doubt is lost"
    assert listed & ENDS == found - {"heard"}, listing
    return found | listed


MOMENTS = {
    "a clock that is set ahead": (10 * SECOND, 9 * DAY, "same", False),
    "a clock that is set back": (10 * SECOND, -9 * DAY, "same", False),
    "after the retention": (120 * SECOND, 120 * SECOND, "same", True),
    "after the retention, with a clock that is set back": (120 * SECOND, -9 * DAY, "same", True),
    "after a reboot": (-10 * SECOND, 9 * DAY, OTHER_BOOT, True),
    "after a reboot of a machine that was up for a shorter time": (120 * SECOND, 9 * DAY, OTHER_BOOT, True),
    "soon after a reboot": (-10 * SECOND, 10 * SECOND, OTHER_BOOT, False),
    "after a reboot, with a clock that is set back": (-10 * SECOND, -9 * DAY, OTHER_BOOT, False),
    "on a system that does not name its boots": (10 * SECOND, 9 * DAY, None, False),
    "later on a system that does not name its boots": (120 * SECOND, 9 * DAY, None, True),
}


needs_a_past = pytest.mark.skipif(jf.up_ms() < 130 * SECOND, reason="the machine was started a moment ago")


@needs_a_past
@pytest.mark.parametrize("name", MOMENTS)
def test_retention_does_not_follow_the_wall_clock(tmp_path, name):
    passed, wall_passed, boot, is_over = MOMENTS[name]
    path = tmp_path / "journal"
    first = journal_line(passed, wall_passed, jf.boot_id() if boot == "same" else boot)
    path.write_bytes(first + bookings(time.time_ns() // 1_000_000 - wall_passed, 1))
    contents = jf.read(path.read_bytes())
    assert contents.clock is not None
    clock = contents.clock.when_opened(time.time_ns() // 1_000_000, jf.boot_id(), jf.up_ms())
    assert contents.expired(RETENTION_MINUTES, clock) == (ENDS if is_over else set()), "the reader is wrong"
    doubts = {"doubt", "old-doubt"}
    assert known(path) == (doubts if is_over else doubts | ENDS)
    assert set(jf.read(path.read_bytes()).entries) == (doubts if is_over else doubts | ENDS - {"refused"})


@needs_a_past
def test_clock_goes_on_with_the_records_of_a_client(tmp_path):
    """An end that is older than the retention when its client dies, and one that is not."""
    path, now = tmp_path / "journal", time.time_ns() // 1_000_000
    early = end("booked", "booked", now - 120 * SECOND, 1, reply=REPLY)
    late = end("booked", "heard", now - SECOND, 119_000_000, reply=REPLY)
    heard = jf.write_line({"type": "heard", "key": "heard", "at": now, "clock": 119_500_000, "end": 119_000_000})
    path.write_bytes(journal_line(120 * SECOND, 120 * SECOND, jf.boot_id()) + early + late + heard)
    assert known(path) == {"heard"}


@needs_a_past
def test_entries_of_version_1_begin_to_age_at_the_opening(tmp_path):
    path, at = tmp_path / "journal", time.time_ns() // 1_000_000 - 9 * DAY
    first = jf.write_line({"type": "journal", "version": 1, "service": "sandbox"}, 1)
    request = booking_request(key="booked")
    body = pbk.encode({name: value for name, value in request.items() if name != "idempotency_key"})
    assert body is not None
    fingerprint = jf.fingerprint_of_version_1(body.decode())
    booked = {"type": "booked", "key": "booked", "at": at, "fingerprint": fingerprint, "reply": REPLY}
    doubt = intent("doubt", at, None, 1, start_at="2020-01-14T10:00:00Z")
    path.write_bytes(first + jf.write_line(booked, 1) + doubt)
    with pbk.Client(jf.sandbox_config(path, booking_retention_minutes=RETENTION_MINUTES)) as client:
        assert jf.states(jf.pending(client)) == {"doubt": "in_doubt"}
        answer = jf.book(client, request)
        assert answer.timing.get("replayed") is True and answer.reply == REPLY.encode()
        assert client.close() == jf.OK
    shift_clock(path, 120 * SECOND)
    with pbk.Client(jf.sandbox_config(path, booking_retention_minutes=RETENTION_MINUTES)) as client:
        assert jf.states(jf.pending(client)) == {"doubt": "in_doubt"}
        assert jf.book(client, {"idempotency_key": "booked", "resume": True}).code == "not_recorded"


def shift_clock(path: Path, passed: int) -> None:
    """As if the journal had been closed so much earlier."""
    lines = []
    for record in jf.records(path.read_bytes()):
        if record["type"] == "journal":
            record["up"] -= passed
        lines.append(jf.write_line(record))
    path.write_bytes(b"".join(lines))
