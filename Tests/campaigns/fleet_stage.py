"""What `fleet_ledger.py` does to a fleet: six engines, a store behind a proxy, and a platform of
the zoo."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import common
from fleet_engine import Call, Life, write_order
from fleet_store import kill, url_by
from run_zoo import ZooServer
from store_proxy import StoreProxy
from stores import StoreServer
from zoo_answers import REFUSALS
from zoo_http import API_KEY

ENGINES = 6
SCOPE = "fleet"
LEASE, TIMEOUT = 2.0, 4.0
LIMIT_MS = 2500
"""The platform is done with each request long before."""

RECONNECT = 2.0
"""Seconds after a trouble of the store within which an engine may still be in trouble."""

PLATFORM: list[dict[str, Any]] = [
    {"is": "keys_first"},
    {"is": "overbooks", "capacity": 1_000_000},
    {"is": "works", "ms": [5, 200]},
    {"is": "queues", "ms": [0, 400], "share": 0.2},
    {"is": "gives_up", "ms": [10, 100], "share": 0.1, "first": 2},
    {"is": "fails", "when": "after", "share": 0.06, "first": 1},
    {"is": "fails", "when": "before", "share": 0.06, "first": 1},
    {"is": "drops", "when": "read", "ms": [0, 50], "share": 0.05, "first": 2},
    {"is": "drops", "when": "done", "share": 0.05, "first": 1},
    {"is": "drops", "when": "lost", "share": 0.05, "first": 1},
    {"is": "cuts", "share": 0.05, "first": 1},
    {"is": "refuses", "share": 0.08, "spellings": [each for each in REFUSALS if each != "404"]},
]
"""It deduplicates by key, as documented, and does everything else badly. Its refusals are about the
booking, so that they end doubts."""


@dataclass
class Process:
    """One life of an engine."""

    name: str
    child: subprocess.Popen[bytes]
    reports: Path
    orders: list[tuple[float, Call]] = field(default_factory=list)
    read: int = 0
    """Bytes of its reports."""
    wakes_at: float | None = None
    stopped_at: float = 0.0

    def order(self, what: str, order: Any = None, **members: Any) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(write_order(what, order, **members).encode())
        self.child.stdin.flush()

    def news(self) -> list[dict[str, Any]]:
        """What it has written since the last time. A kill may cut the last line, which then
        announces nothing."""
        with self.reports.open("rb") as file:
            file.seek(self.read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self.read += len(whole)
        return [json.loads(line) for line in whole.splitlines()]


class Stage(AbstractContextManager):
    """Starts everything, and notes what happens. A context manager: leaving it ends all
    processes."""

    def __init__(
        self, store: StoreServer, zoo: ZooServer, directory: Path, rng: random.Random, is_traced: bool
    ) -> None:
        self._store, self._zoo, self._directory, self._is_traced = store, zoo, directory, is_traced
        self.platform = zoo.platform(
            *PLATFORM, {"is": "writes", "path": str(directory / "books")}, seed=rng.randrange(1 << 30)
        )
        self._stack = ExitStack()
        self.proxy = self._stack.enter_context(StoreProxy(store.port, ENGINES))
        self.engines: dict[int, Process] = {}
        self._lives = 0
        self._lock = threading.Lock()
        self.events: list[dict[str, Any]] = []
        self._store_ended_at = 0.0
        self._store_starts_at: float | None = None

    def __enter__(self) -> Stage:
        self.watch = self._start_watch()
        for slot in range(ENGINES):
            self.start(slot)
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self.engines.values():
            _end(process.child)
        _end(self.watch)
        self._stack.close()

    # Engines

    def start(self, slot: int) -> None:
        """A new engine in a slot. Its client takes batches by callback, or on one or two
        threads."""
        self.engines[slot] = self._start_engine(f"e{self._lives}", self.proxy.ports[slot], self._lives % 3)
        self._lives += 1

    def start_final(self, name: str) -> Process:
        """An engine without a proxy."""
        process = self._start_engine(name, self._store.port, 2)
        self.engines[ENGINES] = process
        return process

    def _start_engine(self, name: str, port: int, threads: int) -> Process:
        reports = self._directory / f"{name}.reports"
        life = Life(name, self._config(name), str(reports), url_by(self._store, port), threads, self._is_traced)
        child = _start("fleet_engine.py", stdin=subprocess.PIPE)
        assert child.stdin is not None
        child.stdin.write((json.dumps(asdict(life)) + "\n").encode())
        child.stdin.flush()
        reports.touch()
        return Process(name, child, reports)

    def _config(self, name: str) -> dict[str, Any]:
        return {
            **common.PLAIN_FAILURES,
            "retry": {"budget": 0, "base_delay_ms": 30, "max_delay_ms": 300},
            "timeout_ms": round(TIMEOUT * 1000),
            "api_key": API_KEY + name,
            "base_url": self._zoo.urls["kept"],
            "platform_keys": "first",
            "platform_limit_ms": LIMIT_MS,
            "report_settled": True,
            "ledger_scope": SCOPE,
            "ledger_lease_ms": round(LEASE * 1000),
        }

    def _start_watch(self) -> subprocess.Popen[bytes]:
        child = _start("fleet_watch.py", str(self._directory / "watch"), stdin=subprocess.PIPE)
        assert child.stdin is not None
        orders = {"store": self._store.url, "scope": SCOPE}
        child.stdin.write((json.dumps(orders) + "\n").encode())
        child.stdin.flush()
        return child

    # Troubles

    def kill(self, slot: int) -> Process:
        """Gives the life that ended."""
        process = self.engines[slot]
        process.child.send_signal(signal.SIGKILL)
        process.child.wait()
        self._close_pipe(process)
        self._note("killed", life=process.name)
        self.start(slot)
        return process

    def stop(self, slot: int, seconds: float) -> None:
        process = self.engines[slot]
        if process.wakes_at is None:
            process.stopped_at, process.wakes_at = time.monotonic(), time.monotonic() + seconds
            process.child.send_signal(signal.SIGSTOP)

    def wake(self, all_of_them: bool = False) -> None:
        """Engines and the store, when their time has come."""
        now = time.monotonic()
        if self._store_starts_at is not None and (all_of_them or self._store_starts_at <= now):
            self._store.start()
            self._store_starts_at = None
            self._disturb("the store is down", self._store_ended_at, time.monotonic() + RECONNECT)
        for process in self.engines.values():
            if process.wakes_at is not None and (all_of_them or process.wakes_at <= now):
                process.child.send_signal(signal.SIGCONT)
                self._disturb("stopped", process.stopped_at, now, process.name)
                process.wakes_at = None

    def cut(self, slot: int) -> None:
        now = time.monotonic()
        self._disturb("cut from the store", now, now + RECONNECT, self.engines[slot].name)
        self.proxy.cut(slot)

    def lose_answer(self, slot: int) -> None:
        now = time.monotonic()
        self._disturb("loses an answer of the store", now, now + RECONNECT, self.engines[slot].name)
        self.proxy.lose_next_answer(slot)

    def delay(self, slot: int, seconds: float, span: float) -> None:
        now = time.monotonic()
        self._disturb("far from the store", now, now + span + 2 * seconds + RECONNECT, self.engines[slot].name)
        self.proxy.delay(slot, seconds)
        timer = threading.Timer(span, self.proxy.delay, (slot, 0.0))
        timer.daemon = True
        timer.start()

    @property
    def is_store_down(self) -> bool:
        return self._store_starts_at is not None

    def kill_store(self, seconds: float) -> None:
        """`wake` starts it again after so many seconds: the thread that starts it has to live as
        long as it does."""
        if self._store_starts_at is None:
            self._store_ended_at = time.monotonic()
            kill(self._store)  # takes a second, and calls are made only after it
            self._store_starts_at = time.monotonic() + seconds

    def end_troubles(self) -> None:
        for slot in range(ENGINES):
            self.proxy.delay(slot, 0.0)
        self.wake(all_of_them=True)

    # Notes

    def news(self) -> Iterator[dict[str, Any]]:
        """What living engines have written since the last time, which is noted as well."""
        for process in list(self.engines.values()):
            for each in process.news():
                self._add(each)
                yield each

    def take_reports(self, process: Process) -> None:
        """The rest of what a dead one has left."""
        for each in process.news():
            self._add(each)

    def watched(self) -> list[dict[str, Any]]:
        path = self._directory / "watch"
        text = path.read_bytes() if path.exists() else b""
        return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]

    def books(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self._directory / "books").read_text().splitlines()]

    def _note(self, what: str, **members: Any) -> None:
        self._add({"what": what, "at": time.monotonic(), **members})

    def _disturb(self, why: str, at: float, until: float, life: str | None = None) -> None:
        named = {} if life is None else {"life": life}
        self._add({"what": "disturbed", "at": at, "until": until, "why": why, **named})

    def _add(self, event: dict[str, Any]) -> None:
        with self._lock:
            self.events.append(event)

    def _close_pipe(self, process: Process) -> None:
        assert process.child.stdin is not None
        try:
            process.child.stdin.close()
        except BrokenPipeError:
            pass


def _start(program: str, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(Path(__file__).with_name(program)), *arguments]
    return subprocess.Popen(command, **options)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGCONT)
    child.kill()
    child.wait()
    if child.stdin is not None:
        try:
            child.stdin.close()
        except BrokenPipeError:
            pass


