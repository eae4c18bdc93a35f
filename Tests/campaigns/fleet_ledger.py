"""Kills, stops and cuts off engines that keep their bookings in one store, and kills the store: no
booking may be made twice or get lost, all that was told must be true, and what a dead engine leaves
must be taken over.

    .venv/bin/python Tests/campaigns/fleet_ledger.py
    FLEET_STORES=redis FLEET_KILLS=1000 .venv/bin/python Tests/campaigns/fleet_ledger.py

`FLEET_KILLS` says how many engines are killed on each store, in eights (default 8; a thousand take
half an hour), `FLEET_STORES` which stores there are (default `postgres,redis`), `FLEET_SEED`
repeats the choices of a run, though not what the machine makes of them. With `FLEET_KEEP=FOLDER`
everything that was recorded stays there, also each operation on the store.

Six engines book at a platform that keeps keys and does everything else badly. Some bookings are
made by two or three engines at once, with one key, and again after kills. Engines are killed, or
stopped for longer than their lease. The store is killed and started again, with durable settings.
Connections to it are cut, delayed, or lose the answer of what the store has carried out. Then
everything is left alone, until no row is open, and a last engine asks for every key.

The judge is in `fleet_judge.py`. The rules:

- `doubled`: one key or one wish has two bookings. After `not_sent` some callers take a new key.
- `false_...`: told otherwise than the platform's books have it, by a reply, a report, a list or a
  row.
- `no_end`, `lost`, `open_row`: a call without an end, a doubt that nobody remembers, a row that
  stays open.
- `orphan`: a row whose lease has been over for 10 seconds, with the store up.
- `sent_twice`: an engine sent what another one had sent that was in no trouble.
- `unsettled`, `unheard`: rows that only a person's question ended, rows that are listed after they
  were heard.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import common
from fleet_engine import Call
from fleet_judge import DENIED, FINAL, VIOLATIONS, Judge, Record
from fleet_stage import ENGINES, LEASE, SCOPE, TIMEOUT, Process, Stage
from fleet_store import SERVERS, ask, make_ledger
from run_zoo import ZooServer
from stores import StoreServer

KILLS = 8
RATE = 20
"""Bookings a second."""

PAUSE = (0.1, 1.1)
"""Seconds between two troubles."""

TROUBLES = {"kill": 8, "stop": 2, "cut": 2, "lose_answer": 3, "delay": 2, "kill_store": 1}
"""A deck of cards, which is shuffled whenever it was used up."""

RECENT = 3.0
"""Seconds: what was asked of an engine so shortly before its death is asked again of others."""

STEP = 0.02
SETTLES = 60.0
AT_ONCE = 200
"""Calls of the last engine."""

LAST_MS = 20_000
"""Long enough for a refusal that ends a doubt of a cancelled call, which nobody has sent since."""


class Round:
    """One store."""

    def __init__(
        self, store: StoreServer, zoo: ZooServer, directory: Path, findings: common.Findings, seed: str
    ) -> None:
        self._zoo, self._findings = zoo, findings
        self._rng = random.Random(seed)
        self._ledger = make_ledger(store.url)
        self._stage = Stage(store, zoo, directory, self._rng, "FLEET_KEEP" in os.environ)
        self._calls = 0
        self._wishes = 0
        self._asked: Counter[str] = Counter()
        self._requests: dict[str, dict[str, Any]] = {}
        self._given_up: set[str] = set()
        """Keys whose wish has another key now."""

    def run(self, kills: int) -> Record:
        with self._stage as stage:
            self._book_under_force(kills)
            stage.end_troubles()
            self._settle()
            self._ask_for_all()
            rows = self._rows()
            self._zoo.wait_until_idle([stage.platform])
            requests = self._zoo.books(stage.platform)["requests"]
            watched = stage.watched()
            self._findings.count("lost_answers", stage.proxy.lost_answers)
            record = Record([*stage.events, *watched], requests, stage.books(), rows, LEASE, TIMEOUT)
        spans = [each["longest"] for each in watched if each["what"] == "open"]
        self._most("longest_orphan_ms", round(max(spans, default=0.0) * 1000))
        return record

    # Force

    def _book_under_force(self, kills: int) -> None:
        stage, rng = self._stage, self._rng
        began = last = time.monotonic()
        next_trouble = began + 1.5
        deck: list[str] = []
        while kills > 0 or deck or stage.is_store_down:
            time.sleep(STEP)
            now = time.monotonic()
            for _ in range(_whole((now - last) * RATE, rng)):
                self._wish()
            last = now
            stage.wake()
            self._hear()
            if now > next_trouble and (kills > 0 or deck):
                deck = deck or rng.sample(list(TROUBLES), sum(TROUBLES.values()), counts=list(TROUBLES.values()))
                trouble = deck.pop()
                if trouble == "lose_answer" and not self._connected():
                    deck.insert(0, trouble)
                    continue
                kills -= trouble == "kill"
                self._make(trouble)
                next_trouble = now + rng.uniform(*PAUSE)

    def _make(self, trouble: str) -> None:
        stage, rng, slot = self._stage, self._rng, self._rng.randrange(ENGINES)
        self._findings.count(trouble)
        match trouble:
            case "kill":
                dead = stage.kill(slot)
                stage.take_reports(dead)
                self._ask_again(dead, slot)
            case "stop":
                stage.stop(slot, rng.choice([rng.uniform(0.1, LEASE), LEASE + rng.uniform(0.5, 2)]))
            case "cut":
                stage.cut(slot)
            case "lose_answer":
                stage.lose_answer(rng.choice(self._connected() or [slot]))
            case "delay":
                stage.delay(slot, rng.choice([0.05, 0.3, 1.5]), rng.uniform(0.3, 3))
            case _:
                seconds = rng.choice([0, rng.uniform(0, LEASE), LEASE + rng.uniform(0, 2)])
                # The first time it is away for longer than bookings wait.
                stage.kill_store(seconds if self._findings.counts["kill_store"] > 1 else LEASE + 1)

    def _connected(self) -> list[int]:
        """Engines with a connection to the store: one that begins has none yet, and none has one
        while it is down."""
        return [each for each in range(ENGINES) if self._stage.proxy.is_connected(each)]

    # Callers

    def _wish(self) -> None:
        """One engine is asked, or as many twins at about the same time."""
        wish, self._wishes = f"wish-{self._wishes}", self._wishes + 1
        slots = self._rng.sample(range(ENGINES), self._rng.choice([1, 1, 1, 2, 3]))
        request = common.booking(self._stage.platform, f"{wish}-0", self._wishes)
        request["booking"]["notes"] = wish
        for slot in slots:
            self._ask(slot, request)

    def _ask(self, slot: int, request: dict[str, Any]) -> None:
        key = request["idempotency_key"]
        self._requests.setdefault(key, request)
        self._asked[key] += 1
        is_cancelled = self._rng.random() < 0.05
        cancel_ms = self._rng.uniform(0, 400) if is_cancelled else None
        self._order(self._stage.engines[slot], key, request, cancel_ms)

    def _order(self, process: Process, key: str, request: dict[str, Any], cancel_ms: float | None = None) -> None:
        call = Call(self._calls, key, request, cancel_ms)
        self._calls += 1
        process.orders.append((time.monotonic(), call))
        try:
            process.order("call", call)
        except BrokenPipeError:
            self._findings.violation("died", f"{process.name} ended by itself")

    def _ask_again(self, dead: Process, slot: int) -> None:
        """Some callers of a dead engine come back, to its successor or to another one, and some to
        two of them."""
        now = time.monotonic()
        recent = [call for at, call in dead.orders if now - at < RECENT and call.key not in self._given_up]
        for call in self._rng.sample(recent, len(recent) // 2):
            resumes = {"idempotency_key": call.key, "resume": True}
            request = resumes if self._rng.random() < 0.3 else self._requests[call.key]
            for other in self._rng.sample(range(ENGINES), self._rng.choice([1, 1, 2])):
                self._ask(slot if self._rng.random() < 0.3 else other, request)
                self._findings.count("asked_again")
        self._stage.engines[slot].order("list")

    def _hear(self) -> None:
        """Callers that were told that nothing was sent ask once more, with the same key or with a
        new one."""
        for each in self._stage.news():
            if each["what"] == "told" and each["told"]["outcome"] == "not_sent" and each["key"] not in self._given_up:
                self._ask_after_a_refusal(each["key"])

    def _ask_after_a_refusal(self, key: str) -> None:
        request, slot = self._requests[key], self._rng.randrange(ENGINES)
        wish, number = key.rsplit("-", 1)
        if int(number) > 2 or self._rng.random() < 0.3:
            return
        if self._asked[key] == 1 and self._rng.random() < 0.5:
            self._given_up.add(key)
            request = {**request, "idempotency_key": f"{wish}-{int(number) + 1}"}
            self._findings.count("new_keys")
        if self._asked[key] < 4:
            self._ask(slot, request)

    # The end

    def _settle(self) -> None:
        """Nobody asks any more: what is open has to end by itself, but what was withdrawn."""
        deadline = time.monotonic() + SETTLES
        time.sleep(TIMEOUT)
        calm = 0
        while calm < 10 and time.monotonic() < deadline:
            time.sleep(0.3)
            for _ in self._stage.news():
                pass
            pending = ask(self._ledger, {"op": "pending", "scope": SCOPE, "limit": 10_000})
            rows = [{"key": None, "state": "open"}] if pending is None else pending["rows"]
            left = [row["key"] for row in rows if row["state"] == "open" and not row.get("withdrawn")]
            calm = 0 if left else calm + 1
        if calm < 10:
            self._findings.violation("unsettled", f"rows are open, and nobody ends them: {left}")

    def _ask_for_all(self) -> None:
        """The living say what is pending, and end. A last engine resumes every key."""
        stage = self._stage
        for process in stage.engines.values():
            if process.child.poll() is not None:
                self._findings.violation("died", f"{process.name} ended by itself: {process.child.returncode}")
                continue
            process.order("list")
            process.order("close", timeout_ms=5000)
        deadline = time.monotonic() + 30
        while any(process.child.poll() is None for process in stage.engines.values()):
            time.sleep(STEP)
            if time.monotonic() > deadline:
                self._findings.violation("died", "an engine does not end")
                break
        for _ in stage.news():
            pass
        final = stage.start_final(FINAL)
        final.order("list")
        left = list(self._requests)
        waiting: dict[int, str] = {}
        deadline = time.monotonic() + SETTLES + len(left) / 20
        while (left or waiting) and time.monotonic() < deadline:
            while left and len(waiting) < AT_ONCE:
                key = left.pop()
                waiting[self._calls] = key
                self._order(final, key, {"idempotency_key": key, "resume": True, "timeout_ms": LAST_MS})
            time.sleep(STEP)
            for each in stage.news():
                if each["what"] == "told":
                    waiting.pop(each["call"], None)
        time.sleep(3)
        final.order("list")
        final.order("close", timeout_ms=5000)
        final.child.wait(30)
        listed = [each for each in stage.news() if each["what"] == "listed"]
        for row in listed[-1]["rows"] if listed else []:
            self._findings.violation("unheard", f"{row['key']} is listed at the end: {row['state']}")

    def _rows(self) -> dict[str, dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        for key in self._requests:
            found = ask(self._ledger, {"op": "wait", "scope": SCOPE, "key": key}, common.PATIENCE)
            assert found is not None
            rows[key] = found
        return rows

    def _most(self, name: str, number: int) -> None:
        self._findings.counts[name] = max(self._findings.counts[name], number)


def _whole(number: float, rng: random.Random) -> int:
    return int(number) + (rng.random() < number % 1)


def main() -> int:
    from certificates import make_certificates

    kills = common.budget("FLEET_KILLS", KILLS)
    seed = common.budget("FLEET_SEED", time.time_ns() % 1_000_000_000)
    kinds = os.environ.get("FLEET_STORES", "postgres,redis").split(",")
    print(f"fleet_ledger: FLEET_KILLS={kills} FLEET_SEED={seed} FLEET_STORES={','.join(kinds)}", flush=True)
    findings = common.Findings("fleet_ledger")
    with tempfile.TemporaryDirectory(prefix="fleet-") as directory:
        certificates = make_certificates(Path(directory))
        with ZooServer(certificates.good) as zoo:
            for kind in kinds:
                folder = Path(os.environ.get("FLEET_KEEP", directory)) / kind
                folder.mkdir(parents=True)
                with SERVERS[kind]() as store:
                    record = Round(store, zoo, folder, findings, f"{seed}-{kind}").run(kills)
                (folder / "record.json").write_text(json.dumps(asdict(record)))
                Judge(findings, kind).judge(record)
                findings.count(kind)
    print_counts(findings)
    return findings.finish()


def print_counts(findings: common.Findings) -> None:
    line = findings.line
    line("stores", ["postgres", "redis"])
    line("troubles", [*TROUBLES, "lost_answers"])
    line("callers", ["keys", "calls", "twins", "asked_again", "new_keys"])
    line("told", ["booked", *DENIED, "unknown", "reported", "unavailable"])
    line("platform", ["requests", "made", "sent_once", "senders_2", "senders_3"])
    line("joined", ["joined", "settled_by_others", "longest_orphan_ms"])
    line("allowed", ["not_sent_elsewhere", "not_sent_of_the_dead"])
    line("judged", [*VIOLATIONS, "unsettled", "unheard", "died"])


if __name__ == "__main__":
    sys.exit(main())
