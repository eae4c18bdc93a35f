"""The campaign of phone calls with its short budget, and the bugs that its judge has to see."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

CAMPAIGNS = Path(__file__).resolve().parents[1] / "campaigns"
SECONDS = 150

BUGS = ["books_twice", "takes_any_token", "says_booked_in_doubt", "is_late", "leaks_times"]


def run(name: str, *arguments: str) -> dict[str, int]:
    """Gives the counts that it printed."""
    command = [sys.executable, str(CAMPAIGNS / f"{name}.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS - 10, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    return {word: int(number) for word, number in re.findall(r"(\w+)=(\d+)", done.stdout)}


@pytest.mark.timeout(SECONDS, method="thread")
def test_sloppy_model_books_one_true_appointment() -> None:
    counts = run("conversation")
    assert counts["violations"] == 0
    assert counts["conversations"] == counts["CONVERSATIONS"] + counts["CONVERSATION_INTERRUPTIONS"]
    for what in ("doubled", "unoffered", "unconfirmed", "untrue_booked", "untrue_already", "late", "third_party_text"):
        assert counts[what] == 0, what
    # Each of the things that may go wrong was tried.
    for result in ("booked", "already", "readback", "held", "not_offered", "invalid"):
        assert counts[f"book_{result}"] > 0, result
    assert counts.get("book_slot_gone", 0) + counts.get("book_in_doubt", 0) > 0
    for what in ("near", "garbled", "invented"):
        assert counts[f"read_{what}"] > 5, what
    for what in ("cancelled", "kills", "gone_on", "refused_keys"):
        assert counts[what] > 0, what
    assert counts["interrupted_1"] == counts["CONVERSATION_INTERRUPTIONS"] > 0
    # Round trips, as the server counts them.
    assert counts["most_prefetched_trips"] == 0 < counts["prefetched_finds"]
    assert counts["most_joined_trips"] == 1
    assert (counts["most_refusal_trips"], counts["most_uncached_refusal_trips"]) == (1, 2)
    assert counts["refused_with_alternatives"] == counts["refusals"] > 0


@pytest.mark.timeout(SECONDS, method="thread")
def test_judge_sees_planted_bugs() -> None:
    counts = run("conversation_rules", *BUGS)
    assert counts["missed"] == 0
