"""The process that `kill.py` kills. It opens the journal, resumes what is listed there and books until it dies.

Each call is on record in the file of reports before it is made. A record is one `write` at the end of the file, which
outlives the process. The orders come as one line of JSON on standard input, and the end of standard input ends the
process, so that it cannot outlive the campaign.

A reply is on record as `told` only when its end is heard: after its completion was freed, or after the blocking call
returned. Half of the calls are blocking. The process is a slow host:

- It writes down some replies of blocking calls late, but well within the second that the library grants.
- It frees some completions late, and others never. What those contain is on record as `held`: nobody has heard it.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import random
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

import common
import pbk
from header import STATUS

THREADS = 4
TAKEN_SLOT = 0
SETTLING_ROUNDS = 3

LATE, NEVER = 0.25, 0.15
"""The shares of completions that are freed late, and never. Of replies of blocking calls only `NEVER` is late."""

LONGEST_HOLD = 0.04
LONGEST_PAUSE = 0.3
"""Seconds until a completion is freed, and between the return of a blocking call and its record."""

IN_DOUBT = ("in_doubt", "in_flight")
HOW_OF = {"booked": "replay", "refused": "acknowledge"}
"""How a listed booking is asked for by its state, when it has an end."""


@dataclass(frozen=True)
class Orders:
    """What this life is to do.

    `mode`: `open` (bookings in doubt are resumed by the opening), `ask` (by request); both go on to book until the end.
    `settle` resumes by request and closes, `verify` asks for known keys once more and closes. Ends that the opening
    lists are asked for in each mode but `verify`.
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
        self._is_host = orders.mode in ("open", "ask")
        """Is slow, as hosts are. The lives that end by themselves hear all."""
        self._contexts = itertools.count(1)
        self._ends: dict[int, queue.SimpleQueue[int]] = {}
        """Where the completions of submitted calls go, by their contexts."""

    def run(self) -> None:
        content = self._list()
        found = _states(content)
        self._report("pending", bookings=content["pending_bookings"], journal=content["journal"])
        threading.Thread(target=self._take_completions, daemon=True).start()
        if self._orders.mode == "settle":
            self._settle(found)
        elif self._orders.mode == "verify":
            self._verify()
        else:
            self._live(found)

    # The lives that are ended from outside

    def _live(self, found: dict[str, str]) -> None:
        asked = list(found.items())
        random.Random(self._orders.first).shuffle(asked)
        if self._orders.mode == "open":
            # Of what the opening resumes by itself half is asked for as well, and joins it.
            doubts = [key for key, state in asked if state in IN_DOUBT]
            alone = set(doubts[::2])
            asked = [(key, state) for key, state in asked if key not in alone]
        left = iter(asked)
        lock = threading.Lock()

        def work(worker: int) -> None:
            rng = random.Random(f"{self._orders.first}-{worker}")
            is_done = False
            while not (is_done and self._is_lull()):
                # Old ends are many, and are not to keep new bookings from being killed.
                if not is_done and (self._is_lull() or rng.random() < 0.8):
                    with lock:
                        key, state = next(left, ("", ""))
                    is_done = not key
                    if key:
                        how = "join" if self._orders.mode == "open" and state in IN_DOUBT else "resume"
                        self._resume(key, HOW_OF.get(state, how), rng)
                else:
                    self._book_something(rng)

        for worker in range(THREADS):
            threading.Thread(target=work, args=(worker,), daemon=True).start()
        if self._orders.mode == "open":
            self._watch({key for key, state in found.items() if state in IN_DOUBT})
        threading.Event().wait()

    def _is_lull(self) -> bool:
        after_ms = self._orders.lull_after_ms
        return after_ms is not None and time.monotonic() - self._started > after_ms / 1000

    def _book_something(self, rng: random.Random) -> None:
        """A new booking, which is repeated at times when it is in doubt; one in eight times a known one once more."""
        if self._known and rng.random() < 0.125:
            booking = self._booking(rng.choice(self._known))
            self._call(booking.key, booking.request(is_first=False), "again", rng)
            return
        booking = self._booking(next(self._numbers))
        told = self._call(booking.key, booking.request(), "first", rng)
        if told.outcome == "unknown" and rng.random() < 0.5:
            told = self._call(booking.key, booking.request(is_first=False), "repeat", rng)
        if told.outcome == "booked":
            self._known.append(booking.number)

    def _watch(self, found: set[str]) -> None:
        """Reports the bookings that the opening has resumed, once they are settled."""
        waiting = found
        while waiting:
            time.sleep(0.01)
            still = waiting & self._doubts()
            if waiting - still:
                self._report("left", keys=sorted(waiting - still))
            waiting = still

    # The lives that end by themselves

    def _settle(self, found: dict[str, str]) -> None:
        rng = random.Random(self._orders.first)
        for key, state in found.items():
            self._resume(key, HOW_OF.get(state, "resume"), rng)
        for _ in range(SETTLING_ROUNDS - 1):
            for key in sorted(self._doubts()):
                self._resume(key, "resume", rng)
        self._report("unsettled", keys=sorted(self._doubts()))
        self._close()

    def _verify(self) -> None:
        rng = random.Random(self._orders.first)
        for number in self._orders.denied:
            self._resume(self._booking(number).key, "verify_denied", rng)
        for number in self._orders.known:
            booking = self._booking(number)
            self._resume(booking.key, "verify_resume", rng)
            self._call(booking.key, booking.request(is_first=False), "verify_repeat", rng)
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

    def _doubts(self) -> set[str]:
        return {key for key, state in _states(self._list()).items() if state in IN_DOUBT}

    def _resume(self, key: str, how: str, rng: random.Random) -> common.Told:
        return self._call(key, {"idempotency_key": key, "resume": True}, how, rng)

    def _call(self, key: str, request: dict[str, Any], how: str, rng: random.Random) -> common.Told:
        self._report("call", key=key, how=how)
        if rng.random() < 0.5:
            result = self._client.book(request)
            if self._is_host and rng.random() < NEVER:
                time.sleep(rng.uniform(0, LONGEST_PAUSE))
            return self._hear(key, how, common.told(result))
        context = next(self._contexts)
        ends = self._ends[context] = queue.SimpleQueue()
        submission = self._client.submit(pbk.BOOK, request, context=context)
        if submission.status != 0:
            assert submission.error is not None
            return self._hear(key, how, common.told(pbk.Result(submission.status, submission.error)))
        return self._take(ends.get(), key, how, rng)

    def _take(self, completion: int, key: str, how: str, rng: random.Random) -> common.Told:
        """Hears what is in a completion, at once or later. Or reads it and never frees it."""
        chance = rng.random() if self._is_host else 1
        if chance < NEVER:
            told = _told(pbk.read_completion(completion))
            self._report("held", key=key, how=how, told=asdict(told))
            return told
        if chance < NEVER + LATE:
            time.sleep(rng.uniform(0, LONGEST_HOLD))
        return self._hear(key, how, _told(pbk.take_completion(completion)))

    def _hear(self, key: str, how: str, told: common.Told) -> common.Told:
        self._report("told", key=key, how=how, told=asdict(told))
        return told

    def _take_completions(self) -> None:
        """The ends of submitted calls, and what came of bookings whose calls have ended in doubt."""
        rng = random.Random(f"{self._orders.first}-settled")
        while True:
            status, completion = pbk.next_address(self._client.handle, 60_000)
            if completion is None:
                if status == STATUS["TIMEOUT"]:
                    continue
                return
            event = pbk.library.pbk_completion_event(completion)
            if event == pbk.DONE:
                self._ends.pop(pbk.library.pbk_completion_context(completion)).put(completion)
            elif event == pbk.SETTLED:
                self._take(completion, pbk.library.pbk_completion_key(completion).decode(), "settled", rng)
            else:
                print(f"neither an end nor a report: event {event}", file=sys.stderr, flush=True)
                os._exit(3)

    def _report(self, what: str, **members: Any) -> None:
        line = json.dumps({"what": what, **members}) + "\n"
        written = os.write(self._reports, line.encode())
        assert written == len(line), "a report was not written whole"


def _states(content: dict[str, Any]) -> dict[str, str]:
    return {booking["idempotency_key"]: booking["state"] for booking in content["pending_bookings"]}


def _told(completion: pbk.Completion) -> common.Told:
    assert completion.reply is not None, completion
    return common.told(pbk.Result(completion.status, completion.reply))


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
