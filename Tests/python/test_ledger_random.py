"""Thousands of random operations on few keys: the stores answer as the reference does, also to
repetitions."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from ledger_conformance import Operation, Result, Scope
from ledger_reference import ReferenceLedger
from ledger_stores import AGED, LEDGERS, SERVERS

ROUNDS, BATCHES = 25, 60
STEP = 60_000
"""Leases end half a step away from where time goes by steps: that a round takes seconds changes
nothing."""
SLACK = 20_000
KEYS, OWNERS, PRINTS = ["a", "b", "ä/%{}"], ["o1", "o2", "o3"], ["f1", "f1", "f1", "f2"]
OPERATIONS = ["claim"] * 8 + ["void", "give_up", "heard"] * 2 + ["settle", "withdraw", "wait", "renew"]


@pytest.fixture(scope="module", params=["postgres", "redis"])
def store(request: pytest.FixtureRequest) -> Iterator[Any]:
    with SERVERS[request.param]() as server:
        ledger = LEDGERS[request.param](server.url)
        ledger.ensure_schema()
        yield AGED[request.param](ledger, server.url)
        ledger.close()


class Author:
    """Writes operations: mostly with tokens that are in the store, or were."""

    def __init__(self, seed: int, scope: Scope) -> None:
        self.random = random.Random(seed)
        self.scope = scope
        self.written: list[Operation] = []
        self.tokens: dict[str, list[str]] = {key: ["never"] for key in KEYS}
        self.moment = 0

    def token(self, key: str) -> str:
        return self.random.choice(self.tokens[key][-3:])

    def operation(self) -> Operation:
        if self.written and self.random.random() < 0.2:
            return self.again(self.random.choice(self.written[-12:]))
        pick = self.random.choice
        self.moment += 1
        key, op = pick(KEYS), pick(OPERATIONS)
        if op == "renew":
            claims = [{"key": key, "claim": self.token(key)} for key in self.random.sample(KEYS, 2)]
            members: dict[str, Any] = {"claims": claims, "owner": pick(OWNERS), "lease_ms": self.lease()}
        else:
            members = {"key": key, "claim": self.token(key), "owner": pick(OWNERS)}
        if op in ("claim", "settle", "void"):
            members |= {"fingerprint": pick(PRINTS), "recorded_at": self.moment, "conversation": pick([None, "call-1"])}
            members |= {"bot_id": pick(["bot_1", "bot_2"]), "start_ms": pick([None, 500, 1000, 1500])}
        if op == "claim":
            members |= {"replaces": pick([None, self.token(key), self.tokens[key][-1]])}
            members |= {"orphan": pick([None, False, True])}
            members |= {"claim": f"c{self.moment}", "body": f"body {self.moment}", "lease_ms": self.lease()}
            self.tokens[key].append(members["claim"])
        own = {"settle": {"reply": f"reply {self.moment}"}, "void": {"outcome": pick(["not_sent", "rejected"])}}
        own |= {"withdraw": {"withdrawn": pick([True, False])}}
        members |= own.get(op, {})
        self.written.append(self.scope.operation(op, **members))
        return self.written[-1]

    def again(self, operation: Operation) -> Operation:
        return {**operation, "id": self.scope.operation("wait")["id"]}

    def lease(self) -> int:
        return self.random.randrange(4) * STEP + STEP // 2

    def lists(self) -> list[Operation]:
        bot = self.random.choice([None, "bot_1"])
        orphans = self.scope.operation("orphans", limit=self.random.choice([1, 2, 9]), not_before_ms=1000)
        return [orphans, self.scope.operation("pending", limit=self.random.choice([1, 2, 9]), bot_id=bot)]


def assert_same_row(expected: dict[str, Any], found: dict[str, Any]) -> None:
    timed = {"lease_ms", "lease_until", "updated_at"}
    assert {name: found[name] for name in found if name not in timed} == {
        name: expected[name] for name in expected if name not in timed
    }
    assert ("lease_ms" in found) == ("lease_ms" in expected)
    assert abs(found.get("lease_ms", 0) - expected.get("lease_ms", 0)) < SLACK


def assert_same(operation: Operation, expected: Result, found: Result) -> None:
    assert found["result"] == expected["result"]
    assert sorted(found.get("lost", [])) == sorted(expected.get("lost", []))
    assert ("row" in found) == ("row" in expected)
    if "row" in expected:
        assert_same_row(expected["row"], found["row"])
    rows = {row["key"]: row for row in expected.get("rows", [])}
    assert len(found.get("rows", [])) == min(len(rows), operation.get("limit", 0))
    for row in found.get("rows", []):
        assert_same_row(rows[row["key"]], row)
    if operation["op"] == "orphans":
        leases = [row["lease_ms"] for row in found["rows"]]
        assert leases == sorted(leases)
        left = [rows[key]["lease_ms"] for key in rows.keys() - {row["key"] for row in found["rows"]}]
        assert all(leases[-1] < lease + SLACK for lease in left)
    elif operation["op"] == "pending":
        assert [row["key"] for row in found["rows"]] == list(rows)[: operation["limit"]]


def test_random_operations(store):
    seen: set[tuple[str, str]] = set()
    for seed in range(ROUNDS):
        reference, scope = ReferenceLedger(), Scope(store)
        author = Author(seed, scope)
        for _ in range(BATCHES):
            if author.random.random() < 0.3:
                by = author.random.randrange(1, 4) * STEP
                scope.age(by)
                reference.age(scope.name, by)
            batch = [author.operation() for _ in range(author.random.randrange(1, 8))] + author.lists()
            # The reference lists all rows: of equally old ones the store may choose.
            wanted = [{**op, "limit": 10_000} if "limit" in op else op for op in batch]
            for operation, expected, found in zip(batch, reference.execute(wanted), scope.run(*batch)):
                try:
                    assert_same(operation, expected, found)
                except AssertionError as error:
                    raise AssertionError(f"seed {seed}: {operation}\nexpected {expected}\nfound {found}") from error
                seen.add((operation["op"], found["result"]))
    results = {"claim": "claimed in_doubt booked lost other refused held", "settle": "done other", "void": "done lost"}
    results |= {"wait": "absent open booked refused", "withdraw": "done lost", "heard": "done lost", "renew": "renewed"}
    results |= {"give_up": "absent given_up kept held", "orphans": "rows", "pending": "rows"}
    assert seen == {(op, result) for op, words in results.items() for result in words.split()}
