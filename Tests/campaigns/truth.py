"""Books at random platforms as random callers do, and holds every outcome that was told against the platforms' books.

    .venv/bin/python Tests/campaigns/truth.py

`TRUTH_BOOKINGS` says how many (default 900; by hand 100000): over HTTP/1.1 with kept connections and with fresh ones
and over TLS and HTTP/2, at the Partner API and at platforms' webhooks. `TRUTH_SEED` repeats the platforms and the
callers of a run, though not what the machine makes of them. With `TRUTH_OLD=1` clients have default settings only,
which a library from before `platform_keys` understands.

Callers cancel, run out of time, repeat, and ask twice at once. In some rounds two processes share their keys, in others
a process with a journal is killed and started again. Each platform is set as what is true of it, or not at all.

The platforms are those of `Tests/servers/zoo.py`. They drop connections, answer 504 and book all the same, look at the
slot before the key, or keep no keys. Words may be vague then, but not false: `rejected` and `not_sent` with an
appointment, and success without one, are violations, as is a second appointment where that can be avoided.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import common
from truth_judge import Findings
from truth_rounds import Round, Zoo

BOOKINGS = 900
WAYS = ("fresh", "kept", "h2")
ENDPOINTS = ("partner", "webhook")
KINDS = ("plain", "shared", "killed")
SMALLEST, LARGEST = 25, 400
"""Bookings of a round."""

AT_ONCE = 10
"""Rounds."""

FALSE = ["false_rejected", "false_not_sent", "false_success", "doubled"]
SETTINGS = ("default", "kept", "first", "none")
LATE = ["sent_after_cancel", "sent_after_close", "late"]


def main() -> int:
    from certificates import make_certificates
    from run_zoo import ZooServer

    bookings = common.budget("TRUTH_BOOKINGS", BOOKINGS)
    seed = common.budget("TRUTH_SEED", time.time_ns() % 1_000_000_000)
    is_old = os.environ.get("TRUTH_OLD") == "1"
    print(f"truth: TRUTH_BOOKINGS={bookings} TRUTH_SEED={seed} TRUTH_OLD={int(is_old)}", flush=True)
    findings = Findings("truth")
    kinds: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="truth-") as directory:
        certificates = make_certificates(Path(directory))
        with ZooServer(certificates.good) as server, ThreadPoolExecutor(AT_ONCE) as threads:
            zoo = Zoo(server, certificates.ca_file, Path(directory), is_old)
            rounds = [Round(zoo, findings, *each) for each in games(bookings, seed)]
            for found in threads.map(Round.run, rounds):
                kinds += found
    print_counts(findings, kinds)
    return findings.finish()


def games(bookings: int, seed: int) -> list[tuple[str, str, str, str, int]]:
    """The seed, the way, the endpoint, the kind and the size of each round."""
    combinations = [(way, endpoint, kind) for way in WAYS for endpoint in ENDPOINTS for kind in KINDS]
    size = max(SMALLEST, min(LARGEST, bookings // len(combinations)))
    # After one round of each kind most are plain: those make the most of a second.
    more = [(way, endpoint, "plain") for way in WAYS for endpoint in ENDPOINTS] * 3
    for some in (combinations, more):
        random.Random(seed).shuffle(some)
    cycle = itertools.cycle([*combinations, *more])
    return [
        (f"{seed}-{number}", *next(cycle), min(size, bookings - number * size))
        for number in range(-(-bookings // size))
    ]


def print_counts(findings: Findings, kinds: Counter[str]) -> None:
    counts = findings.counts
    counts["requests_in_1000_bookings"] = counts["requests"] * 1000 // max(1, counts["keys"])
    line = findings.line
    line("platforms", sorted(name for name in counts if name.startswith("platforms_")))
    line("settings", sorted(name for name in counts if name.startswith("set_")))
    line("bookings", ["keys", "calls", "requests", "requests_in_1000_bookings", "kills", "lag_ms"])
    line("told", ["booked", "booked_true", "rejected", "rejected_true", "not_sent", "not_sent_true"])
    line("in doubt", ["unknown", "unknown_booked", "slot_unavailable_unknown"])
    line("still open", [f"{what}_{name}" for name in SETTINGS for what in ("keys", "open")])
    settled = ["booked", "rejected", "not_sent", "unknown"]
    line("settled", ["settled_events", *(f"settled_{outcome}" for outcome in settled)])
    line("met", sorted(name for name in counts if name.startswith("met_")))
    undecided = ["race", "cancel", "settlement"]
    allowed = ["allowed_double", "not_sent_elsewhere", "unread_used"]
    line("allowed", [*allowed, *(f"undecided_{what}" for what in undecided)])
    line("judged", [*FALSE, *LATE, "cancelled_alone", "malformed", "died", "zoo_fault"])
    for kind, number in kinds.most_common(25):
        print(f"truth kind: {number} {kind}")


if __name__ == "__main__":
    sys.exit(main())
