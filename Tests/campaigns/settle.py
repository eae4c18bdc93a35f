"""Brings one booking after the other in doubt, and measures how the library ends the doubts by itself.

    .venv/bin/python Tests/campaigns/settle.py
    SETTLE_DOUBTS=120 SETTLE_LIMIT_MS=30000 .venv/bin/python Tests/campaigns/settle.py

`SETTLE_DOUBTS` says how many there are, `SETTLE_PER_SECOND` how many begin in a second. Each begins with a 504 of a
gateway or with a dropped connection. The platform works on for up to 28 seconds, and then books or refuses. It looks at
keys first, and is set so. `SETTLE_LIMIT_MS` shortens the platform's limit and its work in proportion; 30000 is the
library's default and the real time.

A doubt is settled when its key has a success or a refusal, by the call or by a PBK_EVENT_SETTLED. Of all, 99 in a
hundred must be settled five seconds after the limit (35 seconds after they began), none wrongly, and with at most 8
requests for one. It also prints how much memory the process has at the start, in the middle and at the end.
"""

from __future__ import annotations

import itertools
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import common
from loopback import webhook_config
from run_zoo import ZooServer
from truth_host import FINAL, Booking, Call, Host, Orders
from zoo_http import API_KEY, HOOK, SECRET

DOUBTS, LIMIT_MS, PER_SECOND = 18, 1000, 6
REAL_LIMIT_MS = 30_000
WORKS = 28 / 30
"""The longest work, as a part of the limit."""

CALLS = 1 / 12
"""How long calls wait, as a part of the limit: most doubts are settled after the call has ended."""

MARGIN_SECONDS = 5.0
SHARE = 0.99
MOST_REQUESTS = 8
WAYS = ("fresh", "kept", "h2")
ENDPOINTS = ("partner", "webhook")


@dataclass
class Lane:
    """One client and its platforms. It keeps the first end of each key and nothing else."""

    name: str
    platforms: list[str]
    config: dict[str, Any]
    bookings: list[Booking] = field(default_factory=list)
    ends: dict[str, tuple[float, str]] = field(default_factory=dict)
    events: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    def report(self, report: dict[str, Any]) -> None:
        if report["what"] not in ("told", "settled"):
            return
        outcome = report["told"]["outcome"]
        self.events += report["what"] == "settled"
        self.codes[str(report["told"].get("code"))] += 1
        if outcome in FINAL:
            self.ends.setdefault(report["key"], (report["at"], outcome))


def main() -> int:
    from certificates import make_certificates

    doubts = common.budget("SETTLE_DOUBTS", DOUBTS)
    limit_ms = common.budget("SETTLE_LIMIT_MS", LIMIT_MS)
    rate = common.budget("SETTLE_PER_SECOND", 1 if limit_ms == REAL_LIMIT_MS else PER_SECOND)
    is_old = os.environ.get("TRUTH_OLD") == "1"
    print(f"settle: SETTLE_DOUBTS={doubts} SETTLE_LIMIT_MS={limit_ms} SETTLE_PER_SECOND={rate}", flush=True)
    findings = common.Findings("settle")
    rng = random.Random(0)
    with tempfile.TemporaryDirectory(prefix="settle-") as directory:
        certificates = make_certificates(Path(directory))
        with ZooServer(certificates.good) as server:
            lanes = [
                _lane(server, str(certificates.ca_file), way, endpoint, limit_ms, is_old)
                for way in WAYS
                for endpoint in ENDPOINTS
            ]
            for number in range(doubts):
                lane = lanes[number % len(lanes)]
                bot_id = rng.choice(lane.platforms)
                request = common.booking(bot_id, f"{lane.name}-{number}", number)
                lane.bookings.append(
                    Booking(request["idempotency_key"], request, number * 1000 / rate, [Call(round(limit_ms * CALLS))])
                )
            _run(lanes, doubts / rate, limit_ms, findings)
            for lane in lanes:
                server.wait_until_idle(lane.platforms)
                _judge(lane, [server.books(name) for name in lane.platforms], limit_ms, findings)
    _conclude(findings)
    return findings.finish()


def _lane(server: ZooServer, ca_file: str, way: str, endpoint: str, limit_ms: int, is_old: bool) -> Lane:
    works = {"is": "works", "ms": [0, limit_ms * WORKS]}
    first = [
        {"is": "gives_up", "ms": [limit_ms / 150, limit_ms / 15], "statuses": [504], "first": 1},
        # A whole connection over HTTP/2 would bring the other doubts on it back to their beginning.
        {"is": "drops", "when": "read", "first": 1, "whole": 0},
    ]
    refuses = {"is": "refuses", "share": 0.3, "spellings": ["slot_unavailable", "422"]}
    platforms = [
        server.platform({"is": "keys_first", "in_work": in_work}, works, trouble, refuses, seed=number)
        for number, (in_work, trouble) in enumerate(itertools.product(("wait", "refuse", "look"), first))
    ]
    config: dict[str, Any] = {"circuit_breaker": {"failures": 0}, "retry": {"budget": 0}}
    if not is_old:
        config |= {"platform_keys": "first", "report_settled": True}
    if not is_old and limit_ms != REAL_LIMIT_MS:
        config["platform_limit_ms"] = limit_ms
    url = server.urls[way]
    if way == "h2":
        config["tls"] = {"ca_file": ca_file}
    if endpoint == "webhook":
        hook = {"webhook_url": f"{url}{HOOK}", "webhook_secret": SECRET}
        config |= webhook_config({name: {"account_id": name, **hook} for name in platforms})
    else:
        config |= {"api_key": API_KEY, "base_url": url}
    return Lane(f"{way}-{endpoint}", platforms, config)


def _run(lanes: list[Lane], seconds: float, limit_ms: int, findings: common.Findings) -> None:
    """Lets all clients book, and looks at the memory meanwhile."""
    epoch = time.monotonic() + 0.5
    patience = limit_ms / 1000 + 2 * MARGIN_SECONDS
    hosts = [Host(Orders(lane.config, epoch, lane.bookings, patience), lane.report) for lane in lanes]
    threads = [threading.Thread(target=host.run) for host in hosts]
    findings.count("rss_start_kb", _rss_kb())
    for thread in threads:
        thread.start()
    time.sleep(0.5 + seconds / 2)
    findings.count("rss_middle_kb", _rss_kb())
    for thread in threads:
        thread.join()
    findings.count("rss_end_kb", _rss_kb())


def _judge(lane: Lane, books: list[dict[str, Any]], limit_ms: int, findings: common.Findings) -> None:
    requests: dict[str, list[dict[str, Any]]] = {}
    for request in (each for book in books for each in book["requests"]):
        requests.setdefault(request["key"], []).append(request)
    booked = {each["key"] for book in books for each in book["appointments"] if each["is_active"]}
    for code, number in lane.codes.items():
        findings.count(f"code_{code}", number)
    findings.count("settled_events", lane.events)
    for booking in lane.bookings:
        asked = requests.get(booking.key, [])
        doubted = [each for each in asked if "given_up" in each["met"] or each["answered"] == "dropped"]
        if not doubted:
            # The platform was quicker than its gateway.
            findings.count("never_in_doubt")
            continue
        findings.count("doubts")
        findings.count(lane.name.replace("-", "_"))
        findings.counts["most_requests"] = max(findings.counts["most_requests"], len(asked))
        findings.count("all_requests", len(asked))
        if len(asked) > MOST_REQUESTS:
            findings.violation("too_many_requests", f"{booking.key}: {len(asked)}: {_story(asked)}")
        if booking.key not in lane.ends:
            findings.count("unsettled")
            print(f"settle unsettled: {booking.key}: {_story(asked)}")
            continue
        at, outcome = lane.ends[booking.key]
        took = at - doubted[0]["ended"]
        findings.counts["longest_ms"] = max(findings.counts["longest_ms"], round(took * 1000))
        findings.count("settled_in_time", took <= limit_ms / 1000 + MARGIN_SECONDS)
        if took > limit_ms / 1000 + MARGIN_SECONDS:
            print(f"settle slow: {booking.key} took {took:.1f} s to {outcome}: {_story(asked)}")
        findings.count(f"settled_{outcome}")
        if (outcome == "booked") != (booking.key in booked):
            findings.violation("untrue", f"{booking.key}: told {outcome}, not so: {_story(asked)}")


def _story(requests: list[dict[str, Any]]) -> str:
    """When each came and was answered, in seconds after the first."""
    began = requests[0]["arrived"]
    return "; ".join(
        f"{each['arrived'] - began:.1f}-{(each['ended'] or began) - began:.1f} {each['answered']} {each['met']}"
        for each in requests
    )


def _conclude(findings: common.Findings) -> None:
    counts = findings.counts
    if counts["settled_in_time"] < SHARE * counts["doubts"]:
        findings.violation("unsettled_in_time", f"{counts['settled_in_time']} of {counts['doubts']}")
    counts["settled_in_time_per_mille"] = counts["settled_in_time"] * 1000 // max(1, counts["doubts"])
    counts["requests_in_100_doubts"] = counts["all_requests"] * 100 // max(1, counts["doubts"])
    findings.line("ways", [f"{way}_{endpoint}" for way in WAYS for endpoint in ENDPOINTS])
    findings.line("doubts", ["doubts", "never_in_doubt", "settled_in_time", "settled_in_time_per_mille", "longest_ms"])
    findings.line("ends", ["settled_booked", "settled_rejected", "settled_not_sent", "unsettled", "settled_events"])
    findings.line("codes", sorted(name for name in counts if name.startswith("code_")))
    findings.line("requests", ["requests_in_100_doubts", "most_requests"])
    findings.line("memory", ["rss_start_kb", "rss_middle_kb", "rss_end_kb"])
    findings.line("judged", ["untrue", "too_many_requests", "unsettled_in_time"])


def _rss_kb() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


if __name__ == "__main__":
    sys.exit(main())
