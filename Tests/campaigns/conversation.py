"""Has phone calls with a model that misbehaves at platforms that do, and holds every answer against the books.

    .venv/bin/python Tests/campaigns/conversation.py

`CONVERSATIONS` says how many (default 200; by hand 10000), `CONVERSATION_INTERRUPTIONS` how many more have a booking
cut short before another time is asked for (default 40; by hand 1000), `CONVERSATION_TRIPS` how often round trips are
counted (default 5). `CONVERSATION_SEED` repeats platforms, models and callers of a run, though not what the machine
makes of them.

The model books what was not offered, garbles names of slots, calls twice, goes on after an interruption, corrects
names, and writes its arguments in many ways. Some processes with a journal are killed, and the conversation goes on in
a new one. Each violation is printed with the story of its conversation.
"""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import common
from conversation_engine import Engine, Lag, Library
from conversation_judge import LAGS, RESULTS, SLACK_MS
from conversation_rounds import Place, Round
from conversation_trips import Trips
from truth_judge import Findings

CONVERSATIONS, INTERRUPTIONS, TRIPS = 200, 40, 5
WAYS, ENDPOINTS = ("kept", "fresh", "h2"), ("partner", "webhook")
SIZE = 25
"""Conversations of a round, which share a platform."""

AT_ONCE = 8
"""Rounds."""

ZERO = [
    *["doubled", "unoffered", "unconfirmed", "untrue_booked", "untrue_already", "untrue_refusal", "other_time"],
    *["not_exactly_one", "invented_offer", "garbled_accepted", "near_refused"],
    *["not_a_result", "bad_status", "late", "died", "zoo_fault", "trips"],
]
SENTENCES = [
    *["text_iso_time", "text_key_like", "text_phone_number", "text_key", "third_party_text", "digit_said", "long_find"]
]


def main() -> int:
    conversations = common.budget("CONVERSATIONS", CONVERSATIONS)
    interruptions = common.budget("CONVERSATION_INTERRUPTIONS", INTERRUPTIONS)
    trips = common.budget("CONVERSATION_TRIPS", TRIPS)
    seed = common.budget("CONVERSATION_SEED", time.time_ns() % 1_000_000_000)
    print(
        f"conversation: CONVERSATIONS={conversations} CONVERSATION_INTERRUPTIONS={interruptions} "
        f"CONVERSATION_TRIPS={trips} CONVERSATION_SEED={seed}",
        flush=True,
    )
    findings = Findings("conversation")
    talk(findings, Library, conversations, interruptions, trips, seed)
    print_counts(findings)
    return findings.finish()


def talk(
    findings: Findings,
    open_engine: Callable[[dict[str, Any]], Engine],
    conversations: int,
    interruptions: int,
    trips: int,
    seed: int,
    has_kills: bool = True,
) -> None:
    from certificates import make_certificates
    from run_zoo import ZooServer

    with tempfile.TemporaryDirectory(prefix="conversation-") as directory:
        certificates = make_certificates(Path(directory))
        with ZooServer(certificates.good) as server, ThreadPoolExecutor(AT_ONCE) as threads:
            place = Place(server, certificates.ca_file, Path(directory), open_engine, Lag())
            if trips:
                Trips(place, findings, f"{seed}/trips").run(trips)
            rounds = [Round(place, findings, *each) for each in games(conversations, interruptions, seed, has_kills)]
            list(threads.map(Round.run, rounds))


def games(
    conversations: int, interruptions: int, seed: int, has_kills: bool
) -> Iterator[tuple[str, str, str, str, range]]:
    """The seed, the way, the endpoint, the mode and the conversations of each round."""
    ways = [(way, endpoint) for way in WAYS for endpoint in ENDPOINTS]
    random.Random(seed).shuffle(ways)
    modes = itertools.cycle(["random", "killed", "random", "random"] if has_kills else ["random"])
    number = 1
    rounds = [(next(modes), size) for size in _sizes(conversations)]
    rounds += [("interrupted", size) for size in _sizes(interruptions)]
    for (mode, size), (way, endpoint) in zip(rounds, itertools.cycle(ways), strict=False):
        yield f"{seed}/{number}", way, endpoint, mode, range(number, number + size)
        number += size


def _sizes(count: int) -> list[int]:
    return [min(SIZE, count - begin) for begin in range(0, count, SIZE)]


def print_counts(findings: Findings) -> None:
    counts, line = findings.counts, findings.line
    counts["slack_ms"], counts["slack_lags"] = SLACK_MS, LAGS
    for name in ("platforms", "met", "read"):
        line(name, sorted(each for each in counts if each.startswith(f"{name}_")))
    for tool in ("find", "book", "look"):
        line(f"told {tool}", [f"{tool}_{result}" for result in sorted(RESULTS) if counts[f"{tool}_{result}"]])
    line("done", ["cancelled", "kills", "gone_on", "more_by_another", "booked_true", "already_true", "refused_keys"])
    line("interrupted", [f"interrupted_{number}" for number in (0, 1, 2)])
    names = ["prefetched_finds", "most_prefetched_trips", "prefetched_find_us", "joined_finds", "most_joined_trips"]
    names += ["refusals", "refused_with_alternatives", "most_refusal_trips", "most_uncached_refusal_trips"]
    line("round trips", [*names, "refusals_late"])
    line("time", ["worst_over_ms", "slack_ms", "slack_lags", "lag_ms"])
    line("sentences", SENTENCES)
    line("judged", ["conversations", "calls", "answers", "requests", "searches", "appointments", *ZERO])


if __name__ == "__main__":
    sys.exit(main())
