"""The process that `kill.py` kills. It opens the journal, resumes what it finds there and books until it dies.

Each call is on record in the file of reports before it is made, and each reply the moment it is there: a record is one
`write` at the end of the file, which outlives the process. The orders come as one line of JSON on standard input, and
the end of standard input ends the process, so that it cannot outlive the campaign.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

import common
import pbk

THREADS = 4
TAKEN_SLOT = 0
SETTLING_ROUNDS = 3


@dataclass(frozen=True)
class Orders:
    """What this life is to do.

    `mode`: `open` (pending bookings are resumed by the opening), `ask` (by request); both go on to book until the end.
    `settle` resumes by request and closes, `verify` asks for known keys once more and closes.
    """

    mode: str
    config: dict[str, Any]
    reports: str
    lane: str
    bot_id: str
    first: int
    """The number of the first new booking."""
    known: list[int]
    """Numbers of bookings that were made."""
    denied: list[int]
    """Numbers of bookings that certainly were not."""
    lull_after_ms: int | None
    """When to stop booking, so that the journal has nothing to do but to tidy up."""


@dataclass(frozen=True)
class Booking:
    """The n-th booking of a lane, the same whoever makes it."""

    lane: str
    bot_id: str
    number: int

    @property
    def key(self) -> str:
        return f"{self.lane}-{self.number}"

    @property
    def kind(self) -> str:
        """One in twelve wants a slot that is taken, and one is in a hurry and may end before it is sent or answered."""
        return {5: "taken", 9: "hurried"}.get(self.number % 12, "plain")

    def request(self, is_first: bool = True) -> dict[str, Any]:
        slot = TAKEN_SLOT if self.kind == "taken" else self.number + 1
        request = common.booking(self.bot_id, self.key, slot)
        if is_first and self.kind == "hurried":
            request["timeout_ms"] = 1 + self.number // 12 % 4 * 8
        return request


class Child:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._reports = os.open(orders.reports, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._client = pbk.Client(orders.config)
        self._numbers = itertools.count(orders.first)
        self._known = list(orders.known)
        self._started = time.monotonic()

    def run(self) -> None:
        content = self._list()
        found = _keys(content)
        self._report("pending", keys=sorted(found), journal=content["journal"])
        if self._orders.mode == "settle":
            self._settle(found)
        elif self._orders.mode == "verify":
            self._verify()
        else:
            threading.Thread(target=self._take_reports, daemon=True).start()
            self._live(found)

    # The lives that are ended from outside

    def _live(self, found: set[str]) -> None:
        # Of what the opening resumes by itself half is asked for as well, and joins it.
        asked, how = (sorted(found), "resume") if self._orders.mode == "ask" else (sorted(found)[::2], "join")
        left = iter(asked)
        lock = threading.Lock()

        def work(worker: int) -> None:
            rng = random.Random(f"{self._orders.first}-{worker}")
            while True:
                with lock:
                    key = next(left, None)
                if key is None:
                    break
                self._resume(key, how)
            while not self._is_lull():
                self._book_something(rng)

        for worker in range(THREADS):
            threading.Thread(target=work, args=(worker,), daemon=True).start()
        if self._orders.mode == "open":
            self._watch(found)
        threading.Event().wait()

    def _is_lull(self) -> bool:
        after_ms = self._orders.lull_after_ms
        return after_ms is not None and time.monotonic() - self._started > after_ms / 1000

    def _book_something(self, rng: random.Random) -> None:
        """A new booking, which is repeated at times when it is in doubt; one in eight times a known one once more."""
        if self._known and rng.random() < 0.125:
            booking = self._booking(rng.choice(self._known))
            self._call(booking.key, booking.request(is_first=False), "again")
            return
        booking = self._booking(next(self._numbers))
        told = self._call(booking.key, booking.request(), "first")
        if told.outcome == "unknown" and rng.random() < 0.5:
            told = self._call(booking.key, booking.request(is_first=False), "repeat")
        if told.outcome == "booked":
            self._known.append(booking.number)

    def _watch(self, found: set[str]) -> None:
        """Reports the bookings that the opening has resumed, once they are settled."""
        waiting = found
        while waiting:
            time.sleep(0.005)
            still = waiting & self._pending()
            if waiting - still:
                self._report("left", keys=sorted(waiting - still))
            waiting = still

    # The lives that end by themselves

    def _settle(self, found: set[str]) -> None:
        for _ in range(SETTLING_ROUNDS):
            for key in sorted(found):
                self._resume(key, "resume")
            found = self._pending()
            if not found:
                break
        self._report("unsettled", keys=sorted(found))
        self._close()

    def _verify(self) -> None:
        for number in self._orders.denied:
            self._resume(self._booking(number).key, "verify_denied")
        for number in self._orders.known:
            booking = self._booking(number)
            self._resume(booking.key, "verify_resume")
            self._call(booking.key, booking.request(is_first=False), "verify_repeat")
        self._close()

    def _close(self) -> None:
        status = self._client.close(5000)
        assert status == 0, f"pbk_client_close gave {status}"

    # Calls and reports

    def _booking(self, number: int) -> Booking:
        return Booking(self._orders.lane, self._orders.bot_id, number)

    def _list(self) -> dict[str, Any]:
        result = self._client.pending_bookings()
        assert result.status == 0, result
        return json.loads(result.reply)

    def _pending(self) -> set[str]:
        return _keys(self._list())

    def _resume(self, key: str, how: str) -> common.Told:
        return self._call(key, {"idempotency_key": key, "resume": True}, how)

    def _call(self, key: str, request: dict[str, Any], how: str) -> common.Told:
        self._report("call", key=key, how=how)
        told = common.told(self._client.book(request))
        self._report("told", key=key, how=how, told=asdict(told))
        return told

    def _take_reports(self) -> None:
        """What came of bookings whose calls have ended in doubt."""
        while True:
            completion = self._client.next_completion(60_000)[1]
            if completion is None:
                continue
            if completion.event != pbk.SETTLED or completion.reply is None:
                print(f"not a report: {completion}", file=sys.stderr, flush=True)
                os._exit(3)
            told = common.told(pbk.Result(completion.status, completion.reply))
            self._report("told", key=completion.key, how="settled", told=asdict(told))

    def _report(self, what: str, **members: Any) -> None:
        line = json.dumps({"what": what, **members}) + "\n"
        written = os.write(self._reports, line.encode())
        assert written == len(line), "a report was not written whole"


def _keys(content: dict[str, Any]) -> set[str]:
    return {booking["idempotency_key"] for booking in content["pending_bookings"]}


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    orders = Orders(**json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_input, daemon=True).start()
    print("born", flush=True)
    Child(orders).run()


if __name__ == "__main__":
    main()
