"""The campaigns with their short budgets. By hand, with larger ones, they run as long as one likes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SERVICES = ["http1", "http2", "relay1", "relay2"]
"""At the Partner API and relayed to a platform, both over HTTP/1.1 and over TLS and HTTP/2."""

CAMPAIGNS = Path(__file__).resolve().parents[1] / "campaigns"
SECONDS = 150
"""Each takes less than 40 on two idle cores."""


def run_campaign(name: str) -> dict[str, int]:
    """Gives the counts that it printed."""
    command = [sys.executable, str(CAMPAIGNS / f"{name}.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS - 10, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    counts = {word: int(number) for word, number in re.findall(r"(\w+)=(\d+)", done.stdout)}
    assert counts["violations"] == 0
    return counts


@pytest.mark.timeout(SECONDS, method="thread")
def test_kills_lose_and_double_nothing() -> None:
    counts = run_campaign("kill")
    assert counts["kills"] == counts["KILLS"] == sum(counts[service] for service in SERVICES)
    assert min(counts[service] for service in SERVICES) > 10
    assert counts["doubled"] == counts["lost"] == counts["untrue"] == 0
    assert counts["made"] > 2 * counts["kills"]
    # Most kills hit bookings in flight, and both ways to resume what they left had something to do.
    assert counts["in_flight"] > counts["kills"]
    assert counts["unheard_in_doubt"] + counts["unheard_in_flight"] > counts["kills"]
    assert counts["resumed_by_opening"] > 0 and counts["resumed_by_asking"] > 0
    # No end was settled unheard, and there were ends that the next life had to be told.
    assert counts["orphans"] == counts["forgotten"] == counts["stale"] == 0
    assert counts["held"] > 0 and counts["heard_again"] > 0 and counts["heard_once"] > 0
    assert counts["unheard_booked"] > 0 and counts["unheard_refused"] > 0
    assert counts["rejected"] > 0
    # Bookings in doubt were settled by the library itself.
    assert counts["reported"] > 0


@pytest.mark.timeout(SECONDS, method="thread")
def test_processes_that_come_and_go_share_a_directory() -> None:
    counts = run_campaign("journal_dir")
    assert counts["kills"] == counts["JOURNAL_DIR_KILLS"] == 24
    assert counts["doubled"] == counts["lost"] == counts["untrue"] == counts["pending"] == counts["damaged"] == 0
    assert counts["most_files"] <= counts["processes"] == 8 and counts["left"] == 1
    # There was something to adopt and to settle, and some died as they opened their client.
    assert counts["adopted"] >= 7 and counts["settled"] > 10 and counts["in_flight"] > 10
    assert counts["listed_in_doubt"] + counts["listed_in_flight"] > 10 and counts["listed_booked"] > 0
    assert counts["made"] > 100 and counts["rejected"] > 0 and counts["killed_while_opening"] > 0


@pytest.mark.timeout(SECONDS, method="thread")
def test_cuts_make_no_untrue_outcome() -> None:
    counts = run_campaign("cut")
    assert counts["false_booked"] == counts["false_not_sent"] == counts["false_rejected"] == 0
    assert counts["not_exactly_one"] == 0
    for service in SERVICES:
        for cut in ("up_fin", "up_rst", "down_fin", "down_rst"):
            assert counts[f"{service}_{cut}"] > 20
    # Each outcome was told, and in doubt were also bookings that the server had made.
    assert min(counts[outcome] for outcome in ("booked", "not_sent", "unknown")) > 10
    assert counts["rejected"] > 3
    assert counts["unknown_though_booked"] > 10
    assert counts["still_in_doubt"] > 0
    assert counts["kept"] > 50


@pytest.mark.timeout(SECONDS, method="thread")
def test_twins_are_one_request_and_one_booking() -> None:
    counts = run_campaign("twin")
    remote = sum(counts[service] for service in SERVICES)
    rounds = remote + counts["sandbox"]
    assert rounds == 5 * counts["TWIN_ROUNDS"]
    assert counts["one_key_calls"] == counts["one_slot_calls"] == 64 * rounds
    assert counts["one_key_bookings"] == counts["one_slot_bookings"] == rounds
    assert counts["one_key_requests"] == remote
    assert counts["different_replies"] == 0
    assert counts["one_slot_refusals"] == 63 * rounds
    assert counts["left_calls"] == 64 * rounds
    assert counts["left_bookings"] == rounds and counts["left_requests"] == remote
    assert counts["left_early"] > 60 * rounds
    # They would be nothing special if each had come after the end of the one before.
    assert counts["one_key_together"] > 60 * rounds


@pytest.mark.timeout(SECONDS, method="thread")
def test_nothing_untrue_is_said_of_platforms_as_they_are() -> None:
    counts = run_campaign("truth")
    assert counts["keys"] == counts["TRUTH_BOOKINGS"]
    assert counts["unread_used"] == counts["slot_unavailable_unknown"] == 0
    for what in ("booked", "rejected", "unknown_booked", "settled_events", "cancelled_alone", "kills"):
        assert counts[what] > 0, what


@pytest.mark.timeout(SECONDS, method="thread")
def test_doubts_are_settled_by_the_library_itself() -> None:
    counts = run_campaign("settle")
    assert counts["unsettled"] == 0
    assert counts["settled_events"] > 0


@pytest.mark.timeout(SECONDS, method="thread")
def test_time_zones_are_those_of_zoneinfo() -> None:
    counts = run_campaign("zones")
    assert counts["differences"] == 0
    assert counts["conversions"] >= counts["ZONES_CONVERSIONS"]
    assert min(counts[what] for what in ("ones", "twos", "gaps")) > 1_000
    assert counts["compared_zones"] > 100
    # The package that the table was made from is installed with the others that the tests need.
    assert counts["table_zones"] > 590


@pytest.mark.timeout(SECONDS, method="thread")
def test_hostile_platforms_harm_nobody_else() -> None:
    counts = run_campaign("hostile")
    assert counts["behaviours"] > 100
    assert counts["calls"] > 500 and counts["searches"] > 1_000
    assert counts["worst_memory_mb"] <= 64 and counts["latest_ms"] <= 1_000
