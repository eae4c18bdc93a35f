"""The campaigns about the journal's file, with a small budget: each is a command of its own, see `Tests/campaigns`."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGNS = Path(__file__).resolve().parents[1] / "campaigns"

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
    for what, least in [("cuts", 100), ("flipped bits", 500), ("told to be damaged", 200), ("replies replayed", 1000)]:
        assert count(output, what) >= least, output


@pytest.mark.timeout(SECONDS, method="thread")
def test_disk_faults():
    output = run_campaign("disk")
    for what, least in [("run", 80), ("faults met", 100), ("told not_sent", 50), ("told booked", 200)]:
        assert count(output, what) >= least, output
