"""The client of the hostile campaign: one process, one client, one honest platform and some hostile ones.

It reads its orders as JSON from standard input, and prints what it saw as JSON. The process ends by `os._exit`: threads
that never come back cannot hold it.

With the argument `control` it has the honest platform alone. It prints the times of its searches after each line that
it reads, until its standard input ends.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import threading
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any

import common
import pbk

HONEST = "honest"
PAUSE_SECONDS = 0.002
"""Between two searches."""

GRACE_SECONDS = 1.0
"""How long after its deadline a call may end."""

CLOSE_MS = 200
SPINNING = 0.05
"""The part of a second that a thread may use after the close."""

PATIENT_MS = 10_000
TASKS = Path("/proc/self/task")
DESCRIPTORS = Path("/proc/self/fd")
LAST_NUMBER = itertools.count(1)


def search(bot_id: str, timeout_ms: int) -> dict[str, Any]:
    bounds = {"start_at": common.start_of(0), "end_at": common.start_of(16)}
    return {"bot_id": bot_id, "timeout_ms": timeout_ms, "query": {"filter": {"start_at_range": bounds}}}


class Searches(threading.Thread):
    """Searches at the honest platform, one after the other, and how long each took."""

    def __init__(self, handle: int) -> None:
        super().__init__(daemon=True)
        self._handle = handle
        self._stops = threading.Event()
        self._lock = threading.Lock()
        self._took: list[float] = []
        self._begun = 0.0
        self.failures: Counter[str] = Counter()

    def run(self) -> None:
        request = search(HONEST, PATIENT_MS)
        while not self._stops.is_set():
            with self._lock:
                self._begun = time.monotonic()
            result = pbk.search(self._handle, request)
            with self._lock:
                self._took.append(time.monotonic() - self._begun)
                self._begun = 0.0
            if result.status:
                self.failures[common.told(result).code or "malformed"] += 1
            time.sleep(PAUSE_SECONDS)

    def stop(self) -> None:
        self._stops.set()

    def take_times(self) -> list[float]:
        """The seconds of each search since the last time, with one that is still under way."""
        with self._lock:
            taken, self._took = self._took, []
            if self._begun:
                under_way = time.monotonic() - self._begun
                # A moment is no news: it counts when it is over.
                taken += [under_way] if under_way > 0.02 else []
        return taken


class Calls:
    """Calls to the hostile platforms: a number of them at once to each, for a while."""

    def __init__(self, handle: int, orders: dict[str, Any]) -> None:
        self._handle = handle
        self._orders = orders
        self._random = random.Random(orders["seed"])
        self._open: dict[int, tuple[str, int, float]] = {}
        """By ticket: the bot, the operation and the deadline."""

        self.ends: dict[str, Counter[str]] = {bot_id: Counter() for bot_id in orders["bots"]}
        self.bookings: list[tuple[str, str, str]] = []
        """The bot, the key and the outcome of each."""

        self.late = 0.0
        """The largest number of seconds by which a call missed its deadline."""

        self.most = {"threads": 0, "descriptors": 0}
        self.count = 0

    def run(self, seconds: float) -> None:
        """Returns when each call has ended, or could have."""
        until = time.monotonic() + seconds
        pause = self._orders["pause_ms"] / 1000
        due = deque((0.0, bot_id) for _ in range(self._orders["depth"]) for bot_id in self._orders["bots"])
        while (now := time.monotonic()) < until or (self._open and now < self._wait_until()):
            while now < until and due and due[0][0] <= now:
                self._submit(due.popleft()[1])
            due.extend((now + pause, bot_id) for bot_id in self._take(5))

    def take_rest(self) -> int:
        """After the close: takes what has ended by then, and returns how many calls have no end."""
        until = time.monotonic() + GRACE_SECONDS
        while self._open and time.monotonic() < until:
            self._take(20)
        return len(self._open)

    @property
    def overdue(self) -> int:
        now = time.monotonic()
        return sum(1 for _, _, deadline in self._open.values() if deadline + GRACE_SECONDS < now)

    def _wait_until(self) -> float:
        return max(deadline for _, _, deadline in self._open.values()) + GRACE_SECONDS + 0.1

    def _submit(self, bot_id: str) -> None:
        operation = self._random.choice((pbk.SEARCH, pbk.BOOK, pbk.BOOK, pbk.LOOKUP))
        timeout_ms = self._random.choice(self._orders["timeouts_ms"])
        number = next(LAST_NUMBER)
        request: dict[str, Any] = {"bot_id": bot_id, "timeout_ms": timeout_ms, "customer": {"phone": "+14155550137"}}
        if operation == pbk.SEARCH:
            request = search(bot_id, timeout_ms)
        elif operation == pbk.BOOK:
            request = common.booking(bot_id, f"{bot_id}-{number}", number, timeout_ms=timeout_ms)
        deadline = time.monotonic() + timeout_ms / 1000
        submission = pbk.submit(self._handle, operation, request)
        self.count += 1
        if submission.status:
            self.ends[bot_id][pbk.library.pbk_status_text(submission.status).decode()] += 1
            return
        self._open[submission.ticket] = (bot_id, operation, deadline)

    def _take(self, wait_ms: int) -> list[str]:
        """The bots of the calls that have ended, which it waits for."""
        ended = []
        completion = pbk.next_completion(self._handle, wait_ms)[1]
        while completion is not None:
            if completion.event == pbk.DONE and completion.ticket in self._open:
                ended.append(self._end(completion))
            completion = pbk.next_completion(self._handle)[1]
        self.most["threads"] = max(self.most["threads"], len(list(TASKS.iterdir())))
        self.most["descriptors"] = max(self.most["descriptors"], len(list(DESCRIPTORS.iterdir())))
        return ended

    def _end(self, completion: pbk.Completion) -> str:
        bot_id, operation, deadline = self._open.pop(completion.ticket)
        self.late = max(self.late, time.monotonic() - deadline)
        if completion.status == 0:
            self.ends[bot_id]["ok"] += 1
            outcome = "booked"
        else:
            error = json.loads(completion.reply or b"{}").get("error", {})
            code, outcome = error.get("code", "malformed"), error.get("outcome") or "none"
            # In doubt says little by itself.
            answer = (error.get("doubt") or {}).get("answer") or {}
            name = code if code != "in_doubt" else f"in_doubt({answer.get('code')})"
            self.ends[bot_id][name] += 1
        if operation == pbk.BOOK:
            self.bookings.append((bot_id, completion.key or "", outcome))
        return bot_id


class Meter:
    """What the process uses, beyond what it used at the start."""

    def __init__(self) -> None:
        self._own = {entry.name for entry in TASKS.iterdir()}
        # Makes the kernel forget the peak: proc(5), clear_refs.
        Path("/proc/self/clear_refs").write_text("5")
        self._start_kb = self._read_kb("VmRSS")
        self.threads, self.descriptors = len(self._own), len(list(DESCRIPTORS.iterdir()))

    @property
    def peak_mb(self) -> float:
        return (self._read_kb("VmHWM") - self._start_kb) / 1024

    def own_thread(self, thread: threading.Thread) -> None:
        self._own.add(str(thread.native_id))

    def foreign_threads(self) -> dict[str, int]:
        """The nanoseconds on a processor of each thread that is not ours."""
        used = {}
        for task in TASKS.iterdir():
            if task.name not in self._own:
                try:
                    used[task.name] = int((task / "schedstat").read_text().split()[0])
                except (FileNotFoundError, ProcessLookupError):
                    continue
        return used

    def spinning(self, seconds: float) -> tuple[int, int]:
        """How many threads use the processor, and how many there are."""
        before = self.foreign_threads()
        time.sleep(seconds)
        after = self.foreign_threads()
        return sum(used - before.get(name, used) > SPINNING * seconds * 1e9 for name, used in after.items()), len(after)

    def _read_kb(self, name: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


def run(orders: dict[str, Any]) -> dict[str, Any]:
    meter = Meter()
    handle = pbk.open_handle(orders["config"])
    searches = Searches(handle)
    searches.start()
    meter.own_thread(searches)
    # Warm-ups come first.
    time.sleep(orders["ahead_ms"] / 1000)
    searches.take_times()
    calls = Calls(handle, orders)
    calls.run(orders["load_ms"] / 1000)
    times = searches.take_times()
    searches.stop()
    overdue = calls.overdue
    began = time.monotonic()
    closing = threading.Thread(target=pbk.library.pbk_client_close, args=[handle, CLOSE_MS], daemon=True)
    closing.start()
    meter.own_thread(closing)
    closing.join(CLOSE_MS / 1000 + GRACE_SECONDS)
    closed_after = time.monotonic() - began
    unended = calls.take_rest()
    # A thread may have a last thing to do.
    time.sleep(0.03)
    spinning, left = meter.spinning(0.1)
    return {
        "times_ms": [1000 * took for took in times],
        "failures": dict(searches.failures),
        "peak_mb": meter.peak_mb,
        "threads": calls.most["threads"] - meter.threads,
        "descriptors": calls.most["descriptors"] - meter.descriptors,
        "calls": calls.count,
        "ends": {bot_id: dict(ends) for bot_id, ends in calls.ends.items()},
        "bookings": calls.bookings,
        "late_ms": 1000 * calls.late,
        "overdue": overdue,
        "close_ms": None if closing.is_alive() else 1000 * closed_after,
        "unended": unended,
        "spinning": spinning,
        "left": left,
    }


def control(config: dict[str, Any]) -> None:
    searches = Searches(pbk.open_handle(config))
    searches.start()
    for _ in sys.stdin:
        print(json.dumps([1000 * took for took in searches.take_times()]), flush=True)


if __name__ == "__main__":
    sys.setswitchinterval(0.001)
    if sys.argv[1:] == ["control"]:
        control(json.loads(sys.stdin.readline()))
    else:
        print(json.dumps(run(json.load(sys.stdin))), flush=True)
    os._exit(0)
