"""Engines that claim the same keys at the same time: one gets each of them."""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ledger_conformance import LEASE, Operation, Result, Scope
from ledger_stores import AGED, ASYNC_LEDGERS, LEDGERS, SERVERS

ENGINES = 8
KEYS = [f"key-{number}" for number in range(40)]
TURNS = 15


@pytest.fixture(scope="module", params=["postgres", "redis"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    with SERVERS[request.param]() as server:
        yield request.param, server.url


class Engine:
    """Claims all keys in an order of its own."""

    def __init__(self, number: int, scope: Scope) -> None:
        self.name = f"engine-{number}"
        self.scope = scope
        self.random = random.Random(number)

    def batch(self, turn: int, **members: Any) -> list[Operation]:
        keys = self.random.sample(KEYS, len(KEYS))
        return [self.scope.claiming(key, f"{turn}-{self.name}", self.name, **members) for key in keys]


def winners(batches: list[list[Operation]], results: list[list[Result]]) -> dict[str, Counter[str]]:
    """How often each key got each result."""
    counts = {key: Counter() for key in KEYS}
    for batch, answers in zip(batches, results):
        by_id = {answer["id"]: answer["result"] for answer in answers}
        for operation in batch:
            counts[operation["key"]][by_id[operation["id"]]] += 1
    return counts


def race(ledgers: list[Any], batches: list[list[Operation]]) -> list[list[Result]]:
    barrier = threading.Barrier(ENGINES)

    def run(ledger: Any, batch: list[Operation]) -> list[Result]:
        barrier.wait()
        return ledger.execute(batch)

    with ThreadPoolExecutor(ENGINES) as threads:
        return list(threads.map(run, ledgers, batches))


@pytest.mark.parametrize("shared", [False, True], ids=["a ledger each", "one ledger"])
def test_one_of_eight_threads_gets_a_free_key(place, shared):
    kind, url = place
    ledgers = [LEDGERS[kind](url) for _ in range(1 if shared else ENGINES)]
    for _ in range(TURNS):
        scope = Scope(ledgers[0])
        batches = [Engine(number, scope).batch(0) for number in range(ENGINES)]
        counts = winners(batches, race(ledgers * (ENGINES if shared else 1), batches))
        assert {(count["claimed"], count["held"]) for count in counts.values()} == {(1, ENGINES - 1)}
    for ledger in ledgers:
        ledger.close()


def test_one_of_eight_threads_takes_over_an_orphan_and_replaces_a_refused_one(place):
    kind, url = place
    ledgers = [LEDGERS[kind](url) for _ in range(ENGINES)]
    scope = Scope(AGED[kind](ledgers[0], url))
    engines = [Engine(number, scope) for number in range(ENGINES)]
    scope.run(*(scope.claiming(key, "first", "dead") for key in KEYS))
    scope.age(LEASE + 1)
    batches = [engine.batch(1, replaces="first") for engine in engines]
    counts = winners(batches, race(ledgers, batches))
    assert {(count["in_doubt"], count["held"]) for count in counts.values()} == {(1, ENGINES - 1)}

    ended = {"fingerprint": "f1", "recorded_at": 1, "outcome": "rejected", "owner": "dead"}
    scope = Scope(ledgers[0])
    scope.run(*(scope.operation("void", key=key, claim="first", **ended) for key in KEYS))
    engines = [Engine(number, scope) for number in range(ENGINES)]
    batches = [engine.batch(2, replaces="first") for engine in engines]
    counts = winners(batches, race(ledgers, batches))
    assert {(count["claimed"], count["held"]) for count in counts.values()} == {(1, ENGINES - 1)}
    for ledger in ledgers:
        ledger.close()


def test_one_of_eight_tasks_gets_a_free_key(place):
    kind, url = place

    async def main() -> None:
        ledgers = [ASYNC_LEDGERS[kind](url) for _ in range(2)]
        for _ in range(TURNS):
            scope = Scope(None)
            batches = [Engine(number, scope).batch(0) for number in range(ENGINES)]
            runs = [ledgers[number % 2].execute(batch) for number, batch in enumerate(batches)]
            counts = winners(batches, await asyncio.gather(*runs))
            assert {(count["claimed"], count["held"]) for count in counts.values()} == {(1, ENGINES - 1)}
        for ledger in ledgers:
            await ledger.aclose()

    asyncio.run(main())


def test_batches_with_renewals_and_lists_do_not_lock_each_other_up(place):
    """Batches of many keys in different orders, with renewals of all keys between."""
    kind, url = place
    ledgers = [LEDGERS[kind](url) for _ in range(ENGINES)]
    scope = Scope(ledgers[0])
    every = [{"key": key, "claim": "first"} for key in KEYS]
    scope.run(*(scope.claiming(key, "first", "engine-0") for key in KEYS))

    def mixed(engine: Engine, turn: int) -> list[Operation]:
        batch = engine.batch(turn, replaces="first")
        claims = engine.random.sample(every, len(every))
        batch.insert(20, scope.operation("renew", owner="engine-0", lease_ms=LEASE, claims=claims))
        return [*batch, scope.operation("pending", limit=100)]

    engines = [Engine(number, scope) for number in range(1, ENGINES + 1)]
    for turn in range(TURNS):
        batches = [mixed(engine, turn) for engine in engines]
        for batch, answers in zip(batches, race(ledgers, batches)):
            assert {answer["result"] for answer in answers} == {"held", "renewed", "rows"}
            assert [answer["lost"] for answer in answers if "lost" in answer] == [[]]
    for ledger in ledgers:
        ledger.close()
