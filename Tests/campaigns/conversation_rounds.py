"""The rounds of `conversation.py`: one platform, one way to it, and many conversations at once."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conversation_engine import Engine, Lag
from conversation_host import Orders, converse
from conversation_judge import Judge, Talk, talks_of
from conversation_model import Order
from conversation_platforms import Plan, interrupted_plan, random_plan
from loopback import webhook_config
from run_zoo import ZooServer
from truth_judge import Findings
from zoo_http import API_KEY, HOOK, SECRET

STARTING = 30.0
"""Seconds after which a process of its own has begun to talk."""

LIVES = 3
GOING_ON = 0.8
"""The share of conversations that were not over and go on after a kill."""


@dataclass(frozen=True)
class Place:
    """Where rounds take place."""

    server: ZooServer
    ca_file: Path
    directory: Path
    open_engine: Callable[[dict[str, Any]], Engine]
    lag: Lag

    def config(self, plan: Plan, bots: list[str], way: str, endpoint: str) -> dict[str, Any]:
        url = self.server.urls[way]
        members: dict[str, Any] = {
            "keep_warm_ms": 0,
            "circuit_breaker": {"failures": 0},
            "retry": {"budget": 0},
            **plan.members,
        }
        if way == "h2":
            members["tls"] = {"ca_file": str(self.ca_file)}
        if endpoint == "partner":
            return {"api_key": API_KEY, "base_url": url, **members}
        hook = {"webhook_url": f"{url}{HOOK}", "webhook_secret": SECRET}
        return webhook_config({name: {"account_id": name, **hook} for name in bots}, **members)


class Round:
    """`mode` is `random`, `killed` (a process with a journal dies and another one goes on) or `interrupted`."""

    def __init__(
        self, place: Place, findings: Findings, seed: str, way: str, endpoint: str, mode: str, numbers: range
    ) -> None:
        self._place, self._findings, self._seed = place, findings, seed
        self._way, self._endpoint, self._mode, self._numbers = way, endpoint, mode, numbers
        self._rng = random.Random(seed)

    def run(self) -> None:
        server, findings = self._place.server, self._findings
        plan = interrupted_plan(self._rng) if self._mode == "interrupted" else random_plan(self._rng)
        findings.count(f"platforms_{plan.order}")
        run = uuid.uuid4().hex[:8]
        bots = self._bots(plan)
        orders = [
            self._order(f"call {run}/{number}", number, bots[number % len(bots)]) for number in self._numbers
        ]
        config = self._place.config(plan, bots, self._way, self._endpoint)
        events = (self._die if self._mode == "killed" else self._live)(plan, config, orders)
        server.wait_until_idle(bots)
        for bot in bots:
            self._judge(plan, bot, [each for each in orders if each.bot == bot], events)

    def _bots(self, plan: Plan) -> list[str]:
        """One, for which conversations compete; or one for each that is to have an appointment in any case."""
        count = len(self._numbers) if self._mode == "interrupted" else 1
        server = self._place.server
        return [server.platform(*plan.behaviours, seed=self._rng.randrange(1 << 30)) for _ in range(count)]

    def _judge(self, plan: Plan, bot: str, orders: list[Order], events: list[dict[str, Any]]) -> None:
        server, findings = self._place.server, self._findings
        books = server.books(bot)
        for fault in books["faults"]:
            findings.violation("zoo_fault", fault)
        findings.most("lag_ms", round(books["lag"] * 1000))
        findings.count("searches", len(books["searches"]))
        talks = [
            Talk(each.name, each.number, self._mode, plan, [event for event in events if _is_of(event, each)])
            for each in orders
        ]
        talks_of(plan, books, talks)
        judge = Judge(findings, max(books["lag"] * 1000, 20))
        for talk in talks:
            judge.judge(talk)
        for request in books["requests"]:
            for name in request["met"]:
                findings.count(f"met_{name}")
        server.forget(bot)

    def _order(self, name: str, number: int, bot: str) -> Order:
        steps = self._rng.randrange(2, 9)
        mode = "interrupted" if self._mode == "interrupted" else "random"
        begins_ms = self._rng.uniform(0, 800 if self._mode == "killed" else 400)
        return Order(name, number, bot, f"{self._seed}/{number}", steps, mode, begins_ms=begins_ms)

    def _live(self, plan: Plan, config: dict[str, Any], orders: list[Order]) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        engine = self._place.open_engine(config)
        converse(Orders(config, plan, orders), engine, events.append, self._place.lag)
        return events

    def _die(self, plan: Plan, config: dict[str, Any], orders: list[Order]) -> list[dict[str, Any]]:
        """One process after the other, on one journal. All but the last are killed."""
        name = uuid.uuid4().hex[:8]
        config = config | {"journal_path": str(self._place.directory / f"{name}.journal")}
        events: list[dict[str, Any]] = []
        left = list(orders)
        for life in range(LIVES):
            is_last = life == LIVES - 1
            share = len(left) if is_last else len(orders) // LIVES
            mine, left = left[:share], left[share:]
            again = [self._gone_on(each, events) for each in orders if self._is_open(each, events)]
            path = self._place.directory / f"{name}-{life}.events"
            child = _start(path, Orders(config, plan, mine + again))
            if is_last:
                code = child.wait(300)
                if code != 0:
                    self._findings.violation("died", f"exit code {code}")
                events += _read(path)
                break
            deadline = time.monotonic() + STARTING
            while not (path.exists() and path.stat().st_size) and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(self._rng.uniform(0.05, 1.2))
            child.send_signal(signal.SIGKILL)
            child.communicate()
            self._findings.count("kills")
            events += _read(path)
            for each in orders:
                if any(_is_of(event, each) for event in events):
                    events.append({"what": "killed", "conversation": each.name, "at": time.monotonic()})
        return events

    def _is_open(self, order: Order, events: list[dict[str, Any]]) -> bool:
        mine = [event["what"] for event in events if _is_of(event, order)]
        return bool(mine) and "end" not in mine and self._rng.random() < GOING_ON

    def _gone_on(self, order: Order, events: list[dict[str, Any]]) -> Order:
        self._findings.count("gone_on")
        past = [event for event in events if _is_of(event, order)]
        return replace(order, past=past, steps=self._rng.randrange(2, 6), begins_ms=self._rng.uniform(0, 200))


def _is_of(event: dict[str, Any], order: Order) -> bool:
    return bool(event["conversation"] == order.name)


def _start(path: Path, orders: Orders) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).with_name("conversation_host.py")), str(path)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    assert child.stdin is not None
    child.stdin.write(orders.write() + "\n")
    child.stdin.flush()
    return child


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
