"""Makes 64 calls at the same moment: with one key they must be one request and one booking, and with 64 keys for one
slot they must be one booking and 63 clean refusals. In a third game all 64 callers with one key are interrupted, and
ask again while the service is still at work: that must be one request and one booking, too.

    .venv/bin/python Tests/campaigns/twin.py

`TWIN_ROUNDS` says how often each game is played: at the Partner API and relayed to a platform, both over HTTP/1.1 and
over TLS and HTTP/2, and on the sandbox.
"""

from __future__ import annotations

import json
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import common
import pbk

CALLS = 64
TAKES_MS = 200
"""How long a booking takes, so that all calls are there before the first has ended."""

UNHURRIED = {"keep_warm_ms": 0, "timeout_ms": 30_000}
SANDBOX = {"endpoint": "sandbox", "sandbox": {"now": "2030-01-01T00:00:00Z", "latency_ms": TAKES_MS}, **UNHURRIED}
ONE_KEY_SLOT, ONE_SLOT, LEFT_SLOT = 20, 21, 22
"""From ten o'clock on, on a Tuesday: the sandbox is open."""

SOON_MS = 20_000


@dataclass(frozen=True)
class Call:
    """What one thread saw."""

    told: common.Told
    started: float
    ended: float


class Site(AbstractContextManager):
    """A client and whom it books at, with the list of bookings that is the judge."""

    def __init__(self, name: str, config: dict[str, Any], bot_id: str) -> None:
        self.name = name
        self.bot_id = bot_id
        self._config = config

    def __enter__(self) -> Site:
        self.client = pbk.Client(self._config)
        return self

    def __exit__(self, *exception: object) -> None:
        self.client.__exit__(*exception)

    def bookings(self) -> list[dict[str, Any]]:
        raise NotImplementedError

    def requests(self) -> list[dict[str, Any]] | None:
        """None where nothing is sent."""
        return None


class Service(Site):
    def __init__(self, service: common.Service) -> None:
        bot_id = service.bot({"delay_ms": TAKES_MS})
        super().__init__(service.name, {**service.config(), **UNHURRIED}, bot_id)
        self._server, self._only = service.server, service.listed(bot_id)

    def bookings(self) -> list[dict[str, Any]]:
        return common.settled(self._server, **self._only)["bookings"]

    def requests(self) -> list[dict[str, Any]]:
        return self._server.bookings(**self._only)["requests"]


class Sandbox(Site):
    def __init__(self) -> None:
        super().__init__("sandbox", SANDBOX, f"bot_{uuid.uuid4().hex}")

    def bookings(self) -> list[dict[str, Any]]:
        result = self.client.sandbox_bookings()
        assert result.status == 0, result
        return json.loads(result.reply)["bookings"]


class Campaign:
    """The three games."""

    def __init__(self, findings: common.Findings) -> None:
        self._findings = findings

    def play_one_key(self, site: Site) -> None:
        key = f"twin-{uuid.uuid4()}"
        calls = self._call_at_once(site, [common.booking(site.bot_id, key, ONE_KEY_SLOT)] * CALLS)
        made = _of_slot(site.bookings(), ONE_KEY_SLOT)
        requests = site.requests()
        replies = Counter(call.told.reply for call in calls)
        where = f"{site.name}, {CALLS} calls with the key {key}"

        count = self._findings.count
        count("one_key_calls", CALLS)
        count("one_key_together", _together(calls))
        count("one_key_bookings", len(made))
        count("different_replies", len(replies) - 1)
        if requests is not None:
            count("one_key_requests", len(requests))
            if len(requests) != 1:
                self._findings.violation("not_one_request", f"{where}: the server saw {len(requests)}: {requests[:3]}")
        if len(made) != 1 or made[0]["idempotency_key"] != key:
            self._findings.violation("not_one_booking", f"{where}: {made}")
        if len(replies) != 1:
            self._findings.violation("not_one_reply", f"{where}: {replies.most_common(3)}")
        wrong = [call.told for call in calls if not made or call.told.booking_id != made[0]["id"]]
        if wrong:
            self._findings.violation("untrue", f"{where}: {len(wrong)} were told {wrong[0]}; there is {made}")

    def play_one_slot(self, site: Site) -> None:
        keys = [f"twin-{uuid.uuid4()}" for _ in range(CALLS)]
        calls = self._call_at_once(site, [common.booking(site.bot_id, key, ONE_SLOT) for key in keys])
        made = _of_slot(site.bookings(), ONE_SLOT)
        winners = [(key, call.told) for key, call in zip(keys, calls, strict=True) if call.told.outcome == "booked"]
        refused = [call.told for call in calls if _is_clean_refusal(call.told)]
        where = f"{site.name}, {CALLS} keys for one slot"

        count = self._findings.count
        count("one_slot_calls", CALLS)
        count("one_slot_together", _together(calls))
        count("one_slot_bookings", len(made))
        count("one_slot_refusals", len(refused))
        if len(made) != 1:
            self._findings.violation("not_one_booking", f"{where}: {made}")
        if [(key, told.booking_id) for key, told in winners] != [(one["idempotency_key"], one["id"]) for one in made]:
            self._findings.violation("untrue", f"{where}: success was told to {winners}; there is {made}")
        if len(refused) != CALLS - 1:
            others = [call.told for call in calls if not _is_clean_refusal(call.told) and call.told.outcome != "booked"]
            self._findings.violation("not_refused", f"{where}: {len(refused)} clean refusals; also told: {others[:3]}")

    def play_leavers(self, site: Site) -> None:
        """Everybody leaves, half of them at their deadline, and comes back."""
        key = f"twin-{uuid.uuid4()}"
        request = common.booking(site.bot_id, key, LEFT_SLOT)
        hurried = {**request, "timeout_ms": TAKES_MS // 3}
        tickets = [self._submit(site, request if number % 2 else hurried) for number in range(CALLS)]
        _wait_until(lambda: _of_key(site.requests(), key) != [])
        time.sleep(TAKES_MS / 10_000)  # for the sandbox, which has no list of requests
        for ticket in tickets[1::2]:
            site.client.cancel(ticket)
        left = [self._next(site) for _ in tickets]
        for _ in tickets:
            self._submit(site, request)
        again = [self._next(site) for _ in tickets]
        made = _of_slot(site.bookings(), LEFT_SLOT)
        requests = _of_key(site.requests(), key)
        where = f"{site.name}, {CALLS} calls with the key {key} that left and came back"

        count = self._findings.count
        count("left_calls", CALLS)
        count("left_early", sum(told.outcome == "unknown" for told in left))
        count("left_bookings", len(made))
        if requests is not None:
            count("left_requests", len(requests))
            if len(requests) != 1:
                self._findings.violation("not_one_request", f"{where}: the server saw {len(requests)}: {requests[:3]}")
        if len(made) != 1 or made[0]["idempotency_key"] != key:
            self._findings.violation("not_one_booking", f"{where}: {made}")
        wrong = [told for told in again if not made or told.booking_id != made[0]["id"]]
        wrong += [told for told in left if told.outcome not in ("unknown", "booked")]
        if wrong:
            self._findings.violation("untrue", f"{where}: {len(wrong)} were told {wrong[0]}; there is {made}")

    def _submit(self, site: Site, request: dict[str, Any]) -> int:
        submission = site.client.submit(pbk.BOOK, request)
        assert submission.status == 0, submission
        return submission.ticket

    def _next(self, site: Site) -> common.Told:
        completion = site.client.next_completion(SOON_MS)[1]
        assert completion is not None, "a call that was accepted has no end"
        return common.told(completion.result)

    def _call_at_once(self, site: Site, requests: list[dict[str, Any]]) -> list[Call]:
        barrier = threading.Barrier(len(requests))

        def call(request: dict[str, Any]) -> Call:
            barrier.wait()
            started = time.monotonic()
            told = common.told(site.client.book(request))
            return Call(told, started, time.monotonic())

        with ThreadPoolExecutor(len(requests)) as threads:
            return list(threads.map(call, requests))


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + common.PATIENCE
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _of_key(requests: list[dict[str, Any]] | None, key: str) -> list[dict[str, Any]] | None:
    return None if requests is None else [request for request in requests if request["idempotency_key"] == key]


def _of_slot(bookings: list[dict[str, Any]], slot: int) -> list[dict[str, Any]]:
    start_at = common.start_of(slot)
    return [booking for booking in bookings if booking["start_at"] == start_at]


def _is_clean_refusal(told: common.Told) -> bool:
    return (told.code, told.outcome) == ("slot_unavailable", "rejected")


def _together(calls: list[Call]) -> int:
    """How many had begun before the first ended."""
    first_end = min(call.ended for call in calls)
    return sum(call.started < first_end for call in calls)


def main() -> int:
    rounds = common.budget("TWIN_ROUNDS", 2)
    print(f"twin: TWIN_ROUNDS={rounds}", flush=True)
    findings = common.Findings("twin")
    campaign = Campaign(findings)
    with common.reference_server() as (server, services, _):
        for _ in range(rounds):
            for site in [*map(Service, services), Sandbox()]:
                with site:
                    campaign.play_one_key(site)
                    campaign.play_one_slot(site)
                    campaign.play_leavers(site)
                    findings.count(site.name)
        for fault in server.take_violations():
            findings.violation("broken_request", fault)
    findings.line("rounds", [*(service.name for service in services), "sandbox"])
    one_key = ["calls", "together", "requests", "bookings"]
    findings.line("one key", [*(f"one_key_{what}" for what in one_key), "different_replies"])
    findings.line("one slot", [f"one_slot_{what}" for what in ("calls", "together", "bookings", "refusals")])
    findings.line("left", [f"left_{what}" for what in ("calls", "early", "requests", "bookings")])
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
