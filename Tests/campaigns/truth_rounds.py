"""The rounds of `truth.py`: some platforms, one way to them, and hosts that book there."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import common
from loopback import webhook_config
from run_zoo import ZooServer
from truth_host import FINAL, Booking, Call, Host, Orders
from truth_judge import Findings, Judge, Life
from truth_platforms import LEAD_SECONDS, Plan, random_plan
from zoo_http import API_KEY, HOOK, SECRET

TIMEOUTS_MS = (1500, 3000, 4500)
SETTLE_SECONDS = 4.0
LIVES = 4
BOOKINGS_OF_A_LIFE = 40
STARTING = 1.0
"""Seconds until a process of its own can book."""

RATE = 25
"""Bookings a second and round."""


@dataclass(frozen=True)
class Zoo:
    server: ZooServer
    ca_file: Path
    directory: Path
    is_old: bool
    """The library has default settings only."""


class Round:
    """`kind` is `plain`, `shared` (two processes with the same keys) or `killed` (a process with a journal)."""

    def __init__(
        self, zoo: Zoo, findings: Findings, seed: str, way: str, endpoint: str, kind: str, size: int
    ) -> None:
        self._zoo, self._findings = zoo, findings
        self._way, self._endpoint, self._kind, self._size = way, endpoint, kind, size
        self._rng = random.Random(seed)
        self._name = f"{way}-{endpoint}-{kind}-{uuid.uuid4().hex[:8]}"
        self._span_ms = max(1500.0, size / RATE * 1000)
        # One setting for all, at the top of the configuration, or one for each.
        self._setting = self._rng.choice(["any", "any", "any", None, "first"])
        if zoo.is_old:
            self._setting = None
        self._plans: dict[str, Plan] = {}
        self._platform_of: dict[str, str] = {}

    def run(self) -> Counter[str]:
        """Gives the kinds of false words."""
        server = self._zoo.server
        for _ in range(max(3, min(16, self._size // 10))):
            plan = random_plan(self._rng, self._way, self._setting, self._zoo.is_old)
            name = server.platform(*plan.behaviours, seed=self._rng.randrange(1 << 30))
            self._plans[name] = plan
            self._findings.count(f"platforms_{plan.order}")
            self._findings.count(f"set_{plan.setting or 'default'}")
        lives = {"plain": self._live, "shared": self._share, "killed": self._die}[self._kind]()
        server.wait_until_idle(list(self._plans))
        judge = Judge(self._findings, self._way, self._endpoint, self._kind, self._kind == "shared")
        for name, plan in self._plans.items():
            books = server.books(name)
            keys = {key for key, platform in self._platform_of.items() if platform == name}
            self._findings.most("lag_ms", round(books["lag"] * 1000))
            judge.judge(plan, books, lives, keys)
            server.forget(name)
        return judge.kinds

    # Lives

    def _live(self) -> list[Life]:
        """One client, on a thread of this process."""
        reports: list[dict[str, Any]] = []
        orders = self._orders(self._config(), list(self._bookings("one")), time.monotonic() + 0.05)
        Host(orders, reports.append).run()
        return [Life("one", reports)]

    def _share(self) -> list[Life]:
        """Two processes, of which each has the same bookings to make at about the same time."""
        epoch = time.monotonic() + STARTING
        config = self._config() | ({} if self._zoo.is_old else {"keys_shared": True})
        first = list(self._bookings("one"))
        second = [self._twin(booking) for booking in first]
        started = [
            (name, *self._start(name, self._orders(config, bookings, epoch)))
            for name, bookings in (("one", first), ("two", second))
        ]
        return [self._end(child, name, path) for name, child, path in started]

    def _twin(self, booking: Booking) -> Booking:
        wanted = {**booking.request["booking"], "notes": "two"}
        start_ms = booking.start_ms + self._rng.choice([0, self._rng.uniform(-50, 200)])
        request = {**booking.request, "booking": wanted}
        return Booking(booking.key, request, max(0, start_ms), self._calls())

    def _die(self) -> list[Life]:
        """One process after the other, on one journal. All but the last are killed."""
        left = list(self._bookings("one"))
        lives: list[Life] = []
        config = self._config() | {"journal_path": str(self._zoo.directory / f"{self._name}.journal")}
        count = max(LIVES, self._size // BOOKINGS_OF_A_LIFE)
        for number in range(count):
            is_last = number == count - 1
            share = -(-len(left) // (count - number))
            mine, left = left[:share], left[share:]
            again = list(self._again(lives, is_last))
            # Each life has its bookings in the time that it has.
            span = self._rng.uniform(0.2, 1.2)
            begin = min((each.start_ms for each in mine), default=0)
            mine = [replace(each, start_ms=(each.start_ms - begin) % (span * 1000)) for each in mine]
            resumes = {"resume_on_open": self._rng.random() < 0.5}
            orders = self._orders(config | resumes, mine + again, time.monotonic() + STARTING)
            child, path = self._start(f"life-{number}", orders)
            if is_last:
                lives.append(self._end(child, "one", path))
                break
            time.sleep(max(0.0, orders.epoch + span - time.monotonic()))
            killed_at = time.monotonic()
            child.send_signal(signal.SIGKILL)
            child.communicate()
            self._findings.count("kills")
            if (reports := _read(path)) and reports[0]["what"] == "opened":
                lives.append(Life("one", reports, killed_at))
        return lives

    def _again(self, lives: list[Life], is_last: bool) -> Iterator[Booking]:
        """Some of what earlier lives have left without an end, by the whole request or by the key alone."""
        last: dict[str, str | None] = {}
        for life in lives:
            for each in life.reports:
                if each["what"] == "call":
                    last[each["key"]] = None
                elif each["what"] in ("told", "settled"):
                    last[each["key"]] = each["told"]["outcome"]
        for key, outcome in last.items():
            if outcome not in FINAL and self._rng.random() < (0.8 if is_last else 0.5):
                request = self._requests[key]
                # A key that never reached the journal is not known to it, so that only the whole request books.
                calls = [Call(5000, is_resume=self._rng.random() < 0.3), Call(5000)]
                yield Booking(key, request, self._rng.uniform(0, 300), calls)

    def _start(self, name: str, orders: Orders) -> tuple[subprocess.Popen[str], Path]:
        path = self._zoo.directory / f"{self._name}-{name}.reports"
        command = [sys.executable, str(Path(__file__).with_name("truth_host.py")), str(path)]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert child.stdin is not None
        child.stdin.write(orders.write() + "\n")
        child.stdin.flush()
        return child, path

    def _end(self, child: subprocess.Popen[str], process: str, path: Path) -> Life:
        """Waits for a process that ends by itself."""
        try:
            code = child.wait(300)
        finally:
            child.kill()
            child.communicate()
        if code != 0:
            self._findings.violation("died", f"{self._name}, process {process}: exit code {code}")
        return Life(process, _read(path))

    # Bookings

    def _bookings(self, process: str) -> Iterator[Booking]:
        self._requests: dict[str, dict[str, Any]] = {}
        slots: Counter[str] = Counter()
        for number in range(self._size):
            name = self._rng.choice(list(self._plans))
            start_ms = self._rng.uniform(0, self._span_ms)
            slots[name] += 1
            # Some want a slot that another one wants as well.
            slot = self._rng.randrange(slots[name]) if self._rng.random() < 0.15 else slots[name]
            start_at = common.start_of(slot)
            if self._plans[name].order == "time_first":
                ahead = LEAD_SECONDS + STARTING + start_ms / 1000 + self._rng.uniform(1, 5)
                start_at = (datetime.now(timezone.utc) + timedelta(seconds=ahead)).strftime("%Y-%m-%dT%H:%M:%SZ")
            key = f"{self._name}-{number}"
            wanted = {
                "start_at": start_at,
                "duration_minutes": 30,
                "customer": {"phone": "+14155550137", "name": "Johanna Mustermann"},
                "notes": process,
            }
            request = {"bot_id": name, "idempotency_key": key, "booking": wanted}
            self._platform_of[key], self._requests[key] = name, request
            yield Booking(key, request, start_ms, self._calls())

    def _calls(self) -> list[Call]:
        """What callers on a telephone do to a booking."""
        rng = self._rng
        timeout_ms = rng.choice(TIMEOUTS_MS)
        patient = Call(timeout_ms, after_ms=rng.choice([0, rng.uniform(0, 1000)]))
        match rng.choices(["book", "persist", "cancel", "hurry", "twice"], [30, 10, 25, 20, 15])[0]:
            case "book":
                return [Call(timeout_ms)]
            case "persist":
                return [Call(1500), patient, patient]
            case "cancel":
                cancelled = Call(timeout_ms, cancel_ms=rng.choice([rng.uniform(0, 30), rng.uniform(0, 800)]))
                return [cancelled, *([patient] if rng.random() < 0.5 else [])]
            case "hurry":
                hurried = Call(rng.choice([rng.randint(1, 30), rng.randint(20, 800)]))
                return [hurried, *([patient] if rng.random() < 0.6 else [])]
            case _:
                first = Call(
                    rng.choice([timeout_ms, rng.randint(20, 800)]),
                    cancel_ms=rng.choice([None, rng.uniform(0, 500)]),
                )
                return [first, replace(patient, is_beside=True, after_ms=rng.choice([0, rng.uniform(0, 300)]))]

    # Configuration

    def _orders(self, config: dict[str, Any], bookings: list[Booking], epoch: float) -> Orders:
        return Orders(config, epoch, bookings, 0 if self._zoo.is_old else SETTLE_SECONDS)

    def _config(self) -> dict[str, Any]:
        rng, url = self._rng, self._zoo.server.urls[self._way]
        config: dict[str, Any] = {"keep_warm_ms": rng.choice([0, 30_000]), "retry": {"budget": 0, "base_delay_ms": 50}}
        if rng.random() < 0.8:
            config["circuit_breaker"] = {"failures": 0}
        if self._way == "h2":
            config["tls"] = {"ca_file": str(self._zoo.ca_file)}
        members = {name: plan.members for name, plan in self._plans.items()}
        if not self._zoo.is_old:
            config |= {"report_settled": True, "settle_for_ms": rng.choice([0, 2000, 6000])}
            if self._setting != "any":
                top = next(iter(self._plans.values())).members
                config |= {name: value for name, value in top.items() if name.startswith("platform_")}
                members = {
                    name: {each: value for each, value in own.items() if each not in config}
                    for name, own in members.items()
                }
        if self._endpoint == "webhook":
            hook = {"webhook_url": f"{url}{HOOK}", "webhook_secret": SECRET}
            platforms = {name: {"account_id": name, **hook, **own} for name, own in members.items()}
            return config | webhook_config(platforms)
        config |= {"api_key": API_KEY, "base_url": url}
        bots = {name: own for name, own in members.items() if own}
        return config | ({"bots": bots} if bots else {})


def _read(path: Path) -> list[dict[str, Any]]:
    text = path.read_bytes() if path.exists() else b""
    # A kill may cut a write where a page ends: such a line was not finished before the deed that it announces.
    return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]
