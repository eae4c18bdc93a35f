"""Cuts the connection of a booking after every number of bytes, in each direction, by FIN and by RST, and then asks
both sides: whatever the library said about the booking must be true on the server.

    .venv/bin/python Tests/campaigns/cut.py

`CUT_STRIDE` is the step from one offset to the next (1: every byte; the default takes about half a minute), `CUT_SEED`
repeats a run.

Each cut has a booking of its own, on a connection that is opened for it (the handshake is part of the bytes) or on one
that has served a search before. Some want a slot that is taken, so that refusals are cut as well, and some meet a slow
server. After the cut the same booking is made again with the same key and without a cut, by the same client or by a new
one, and there must then be exactly one of it.

The server looks at keys first. Over HTTP/1.1 the client is told so, and a refusal settles its doubt after the server's
time. Over HTTP/2 it is not, and a booking that is refused stays in doubt.
"""

from __future__ import annotations

import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import common
import pbk
from cut_proxy import DOWN, UP, Cut, CutProxy

STRIDE = 37
SAMPLES = 3
"""Measurements of one booking: signatures in a handshake differ in length by a few bytes."""

TAKEN_SLOT = 0
LIMIT_MS = 150
"""The server is done with each request long before."""

SOON_MS = 1000
"""How long a call may take: one in doubt ends at once, because it would pause for a second before it asks again."""

OUTCOMES = ["booked", "rejected", "not_sent", "unknown"]

Sizes = dict[tuple[bool, str], list[int]]
"""For connections that are new or not, and for each direction: where the chunks of one booking ended."""


@dataclass(frozen=True)
class Try:
    """One cut, and the circumstances of it."""

    number: int
    is_new: bool
    direction: str
    after: int
    reset: bool
    wants_taken_slot: bool
    is_slow: bool
    repeats_on_new_client: bool

    def __str__(self) -> str:
        return (
            f"{'RST' if self.reset else 'FIN'} after {self.after} bytes {self.direction}"
            f" on a {'new' if self.is_new else 'kept'} connection"
            f"{', taken slot' if self.wants_taken_slot else ''}{', slow server' if self.is_slow else ''}"
            f"{', repeated by a new client' if self.repeats_on_new_client else ''}"
        )


class Campaign:
    """All cuts on one way to the server, one after the other."""

    def __init__(self, service: common.Service, findings: common.Findings) -> None:
        self._service, self._findings = service, findings
        self._knows_keys = service.name.endswith("1")
        self._bots = {False: service.bot({}), True: service.bot({"delay_ms": 15})}
        self._repeats: list[tuple[Try, dict[str, Any], common.Told, common.Told]] = []
        self._slots = iter(range(TAKEN_SLOT + 1, sys.maxsize))
        with pbk.Client(self._config(service.url)) as client:
            for bot_id in self._bots.values():
                assert client.book(common.booking(bot_id, f"first-{bot_id}", TAKEN_SLOT)).status == 0

    def run(self, stride: int, rng: random.Random) -> None:
        with CutProxy(self._service.url) as proxy:
            sizes = self._measure(proxy)
            for (is_new, direction), ends in sizes.items():
                self._findings.count(f"{self._service.name}_{'new' if is_new else 'kept'}_{direction}", ends[-1])
            for attempt in _tries(sizes, stride, rng):
                self._attempt(proxy, attempt)
        self._judge_repeats()

    def _config(self, url: str) -> dict[str, Any]:
        once = {"max_attempts": 1, **common.PLAIN_FAILURES["retry"]}
        keys = {"platform_keys": "first", "platform_limit_ms": LIMIT_MS} if self._knows_keys else {}
        times = {"timeout_ms": SOON_MS, "settle_for_ms": 0}
        return {**self._service.config(url), **common.PLAIN_FAILURES, "retry": once, **times, **keys}

    def _booking(self, attempt: Try) -> dict[str, Any]:
        slot = TAKEN_SLOT if attempt.wants_taken_slot else next(self._slots)
        key = f"{self._service.name}-{attempt.number}"
        return common.booking(self._bots[attempt.is_slow], key, slot)

    def _search(self, client: pbk.Client) -> None:
        """Leaves an open connection behind."""
        bounds = {"start_at": "2030-01-14T09:00:00Z", "end_at": "2030-01-14T17:00:00Z"}
        query = {"filter": {"start_at_range": bounds}}
        result = client.search({"bot_id": self._bots[False], "query": query})
        assert result.status == 0, result

    def _measure(self, proxy: CutProxy) -> Sizes:
        """The longest of some bookings, on new and on kept connections."""
        sizes: Sizes = {}
        for sample in range(SAMPLES):
            for is_new in (True, False):
                with pbk.Client(self._config(proxy.url)) as client:
                    before = {UP: [0], DOWN: [0]}
                    if not is_new:
                        self._search(client)
                        before = proxy.passed()
                    key = f"{self._service.name}-sample-{sample}-{is_new}"
                    assert client.book(common.booking(self._bots[False], key, next(self._slots))).status == 0
                    for direction, ends in proxy.passed().items():
                        start = before[direction][-1]
                        found = [end - start for end in ends if end >= start]
                        known = sizes.setdefault((is_new, direction), found)
                        if found[-1] > known[-1]:
                            sizes[is_new, direction] = found
        return sizes

    def _attempt(self, proxy: CutProxy, attempt: Try) -> None:
        request = self._booking(attempt)
        cut = Cut(attempt.direction, attempt.after, attempt.reset)
        with ExitStack() as clients:
            client = clients.enter_context(pbk.Client(self._config(proxy.url)))
            if attempt.is_new:
                proxy.cut_next(cut)
            else:
                self._search(client)
                proxy.cut_open(cut)
            first = common.told(client.book(request))
            proxy.stop_cutting()
            self._judge(attempt, first, request, cut.happened.is_set())
            if attempt.repeats_on_new_client:
                client = clients.enter_context(pbk.Client(self._config(proxy.url)))
            self._repeats.append((attempt, request, first, self._repeat(client, attempt, request)))

    def _repeat(self, client: pbk.Client, attempt: Try, request: dict[str, Any]) -> common.Told:
        """Until the answer is definite: a cut behind a whole reply is met by the next call on that connection. A
        refusal that counts needs more time than the cut call had.
        """
        for _ in range(3):
            again = common.told(client.book({**request, "timeout_ms": 3 * SOON_MS}))
            self._findings.count("repeats")
            if again.outcome in ("booked", "rejected"):
                break
            if attempt.wants_taken_slot and not self._knows_keys:
                break
        return again

    def _judge(self, attempt: Try, first: common.Told, request: dict[str, Any], was_cut: bool) -> None:
        """What was told right after the cut, held against what the server has then."""
        seen = common.settled(self._service.server, idempotency_key=request["idempotency_key"])
        ids = [made["id"] for made in seen["bookings"]]
        count = self._findings.count
        if was_cut:
            count(f"{self._service.name}_{attempt.direction}_{'rst' if attempt.reset else 'fin'}")
            count("kept", not attempt.is_new)
            count("refusals", attempt.wants_taken_slot)
        else:
            count("uncut")
        count(first.outcome)
        count("unknown_though_booked", first.outcome == "unknown" and bool(ids))

        wrong = {
            "booked": ids != [first.booking_id],
            "rejected": bool(ids),
            "not_sent": bool(ids) or bool(seen["requests"]),
            "unknown": False,
        }
        if wrong.get(first.outcome, True):
            self._violation(f"false_{first.outcome}", attempt, first, request, seen)

    def _judge_repeats(self) -> None:
        """After a repeat without trouble there is one booking, and none of a slot that was taken. Only refusals are in
        doubt then, where the client has sent the first request and does not know that the server looks at keys first.
        """
        made: defaultdict[str, list[str]] = defaultdict(list)
        for bot_id in self._bots.values():
            for booking in self._service.server.bookings(**self._service.listed(bot_id))["bookings"]:
                made[booking["idempotency_key"]].append(booking["id"])
        for attempt, request, first, again in self._repeats:
            ids = made[request["idempotency_key"]]
            if attempt.wants_taken_slot:
                can_stay = not self._knows_keys and not attempt.repeats_on_new_client
                expected = []
                if not (can_stay and first.outcome == "unknown"):
                    expected.append(("slot_unavailable", "rejected"))
                if can_stay:
                    # Behind a whole reply it is the repeat that meets the end of the connection.
                    expected.append(("in_doubt", "unknown"))
                is_right = not ids and (again.code, again.outcome) in expected
                self._findings.count("still_in_doubt", again.outcome == "unknown")
            else:
                is_right = again.outcome == "booked" and ids == [again.booking_id]
            if not is_right:
                self._violation("not_exactly_one", attempt, again, request, ids, f"; first it was {first}")

    def _violation(
        self, kind: str, attempt: Try, told: common.Told, request: dict[str, Any], seen: Any, more: str = ""
    ) -> None:
        where = f"{self._service.name}, {attempt}, key {request['idempotency_key']}"
        self._findings.violation(kind, f"{where}: told {told}{more}; the server has {seen}")


def _tries(sizes: Sizes, stride: int, rng: random.Random) -> Iterator[Try]:
    """Every offset by the stride, and around the end of each chunk. FIN and RST fall between each other's offsets."""
    number = 0
    for (is_new, direction), ends in sizes.items():
        edges = {edge for end in ends for edge in (end - 1, end, end + 1) if 0 <= edge <= ends[-1]}
        for reset in (False, True):
            start = stride // 2 if reset else 0
            for after in sorted(edges | set(range(start, ends[-1] + 1, stride))):
                number += 1
                yield Try(
                    number=number,
                    is_new=is_new,
                    direction=direction,
                    after=after,
                    reset=reset,
                    # A refusal settles a doubt a second after the server's time: each of these may take so long.
                    wants_taken_slot=rng.random() < (0.15 if direction == DOWN else 0.05),
                    is_slow=rng.random() < 0.15,
                    repeats_on_new_client=rng.random() < 0.33,
                )


def main() -> int:
    stride = common.budget("CUT_STRIDE", STRIDE)
    seed = common.budget("CUT_SEED", time.time_ns() % 1_000_000_000)
    print(f"cut: CUT_STRIDE={stride} CUT_SEED={seed}", flush=True)
    findings = common.Findings("cut")
    with common.reference_server() as (server, services, _):
        with ThreadPoolExecutor() as threads:
            campaigns = [Campaign(service, findings) for service in services]
            list(threads.map(lambda campaign: campaign.run(stride, random.Random(seed)), campaigns))
        for fault in server.take_violations():
            findings.violation("broken_request", fault)
    for name in [service.name for service in services]:
        findings.line("bytes of a booking", [f"{name}_{age}_{way}" for age in ("new", "kept") for way in (UP, DOWN)])
    for name in [service.name for service in services]:
        findings.line("cuts", [f"{name}_{way}_{end}" for way in (UP, DOWN) for end in ("fin", "rst")])
    findings.line("circumstances", ["kept", "refusals", "uncut"])
    findings.line("told", [*OUTCOMES, "unknown_though_booked", "still_in_doubt"])
    findings.line("judged", ["repeats", "false_booked", "false_not_sent", "false_rejected", "not_exactly_one"])
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
