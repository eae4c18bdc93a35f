"""What every ledger has to do, rule by rule: docs/ledger-protocol.md.

A case gets a `Scope`. Its store has `execute(operations)`, which returns results in any order, and
`age(scope, milliseconds)`, which lets time pass for the rows of one scope. Adapters in other
languages plug in here. """

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from typing import Any, Protocol

Operation = dict[str, Any]
Result = dict[str, Any]

LEASE = 60_000
"""Longer than any test takes. Tests let it run out by `age`."""
DAY = 86_400_000
SENT = {"recorded_at": 1_900_000_000_000, "bot_id": "bot_1", "start_at": "2030-01-15T10:00:00Z"}
SENT |= {"duration_minutes": 30, "start_ms": 1_894_701_600_000, "conversation": "call-7"}
BODY = '{"idempotency_key":"k","booking":{"customer":{"name":"Zoë \\u0000 \\"/ 王"}}}'
REPLY = '{"id":"bkg_1","status":"confirmed"}'


class Store(Protocol):
    def execute(self, operations: list[Operation]) -> list[Result]: ...

    def age(self, scope: str, milliseconds: int) -> None: ...


class Scope:
    """Bookings of one case, which no other case sees. Each method is one operation, and returns its
    result."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.name = f"https://api.example.com/{{%}}/{uuid.uuid4().hex}"
        self._ids = map(str, itertools.count(1))

    def age(self, milliseconds: int) -> None:
        self.store.age(self.name, milliseconds)

    def operation(self, op: str, **members: Any) -> Operation:
        return {"op": op, "id": next(self._ids), "scope": self.name, **members}

    def run(self, *operations: Operation) -> list[Result]:
        """Runs one batch, and returns the results in the order of the operations."""
        results = {result["id"]: result for result in self.store.execute(list(operations))}
        assert len(results) == len(operations)
        return [results[operation["id"]] for operation in operations]

    def do(self, op: str, **members: Any) -> Result:
        return self.run(self.operation(op, **members))[0]

    def claiming(self, key: str = "k", claim: str = "c1", owner: str = "o1", **members: Any) -> Operation:
        defaults = {"fingerprint": "f1", "lease_ms": LEASE, "body": BODY, "account_id": "acct_1", **SENT}
        return self.operation("claim", **{"key": key, "claim": claim, "owner": owner, **defaults, **members})

    def claim(self, *arguments: str, **members: Any) -> Result:
        return self.run(self.claiming(*arguments, **members))[0]

    def settle(self, key: str = "k", claim: str = "c1", owner: str = "o1", **members: Any) -> Result:
        members = {"fingerprint": "f1", "reply": REPLY, **SENT, **members}
        return self.do("settle", key=key, claim=claim, owner=owner, **members)

    def void(self, key: str = "k", claim: str = "c1", owner: str = "o1", **members: Any) -> Result:
        members = {"fingerprint": "f1", "outcome": "rejected", **SENT, **members}
        return self.do("void", key=key, claim=claim, owner=owner, **members)

    def wait(self, key: str = "k") -> Result:
        return self.do("wait", key=key)

    def row(self, key: str = "k") -> dict[str, Any]:
        """The row without what the store's clock decides."""
        row = self.wait(key)["row"]
        return {name: row[name] for name in row if name not in ("lease_ms", "lease_until", "updated_at")}

    def keys(self, op: str, **members: Any) -> list[str]:
        result = self.do(op, **{"limit": 100, **({"not_before_ms": 0} if op == "orphans" else {}), **members})
        assert result["result"] == "rows"
        return [row["key"] for row in result["rows"]]


CASES: list[Callable[[Scope], None]] = []


def case(function: Callable[[Scope], None]) -> Callable[[Scope], None]:
    CASES.append(function)
    return function


def result_of(result: Result) -> str:
    """A result without its row, which must not be there."""
    assert "row" not in result
    return str(result["result"])


def with_row(result: Result) -> str:
    assert result["row"]["key"] == "k"
    return str(result["result"])


OPEN = {"key": "k", "state": "open", "fingerprint": "f1", "claim": "c1", "owner": "o1", "withdrawn": False}
OPEN |= {"heard": False, "took_over": False, "account_id": "acct_1", "body": BODY, **SENT}

# ---- claim ---------------------------------------------------------------------------------------


@case
def claim_without_a_row_inserts_it(scope: Scope) -> None:
    assert result_of(scope.claim()) == "claimed"
    assert scope.row() == OPEN
    assert LEASE - 30_000 < scope.wait()["row"]["lease_ms"] <= LEASE


@case
def claim_keeps_no_member_that_was_left_out(scope: Scope) -> None:
    scope.claim(bot_id=None, start_at=None, duration_minutes=None, start_ms=None, conversation=None, account_id=None)
    assert set(OPEN) - set(scope.row()) == set(SENT) - {"recorded_at"} | {"account_id"}


@case
def claim_keeps_numbers_of_15_digits(scope: Scope) -> None:
    scope.claim(start_ms=253_402_300_799_999, recorded_at=123_456_789_012_345)
    assert (scope.row()["start_ms"], scope.row()["recorded_at"]) == (253_402_300_799_999, 123_456_789_012_345)


@case
def claim_1_repeated_extends_the_lease(scope: Scope) -> None:
    scope.claim()
    scope.age(LEASE + 1)
    assert scope.wait()["row"]["lease_ms"] < 0
    assert result_of(scope.claim()) == "claimed"
    assert scope.wait()["row"]["lease_ms"] > 0
    assert scope.row() == OPEN


@case
def claim_1_repeated_after_a_withdrawal_leaves_it_withdrawn(scope: Scope) -> None:
    scope.claim()
    scope.do("withdraw", key="k", claim="c1", withdrawn=True)
    assert result_of(scope.claim()) == "claimed"
    assert scope.row() == {**OPEN, "withdrawn": True}


@case
def claim_1_repeated_after_it_took_over_is_in_doubt_again(scope: Scope) -> None:
    scope.claim()
    scope.age(LEASE + 1)
    assert with_row(scope.claim("k", "c2", "o2", replaces="c1")) == "in_doubt"
    again = scope.claim("k", "c2", "o2", replaces="c1")
    assert with_row(again) == "in_doubt" and again["row"]["body"] == BODY
    assert scope.row() == {**OPEN, "claim": "c2", "owner": "o2", "took_over": True}


@case
def claim_1_repeated_after_it_was_booked(scope: Scope) -> None:
    scope.claim()
    scope.settle()
    repeated = scope.claim()
    assert with_row(repeated) == "booked" and repeated["row"]["reply"] == REPLY
    assert with_row(scope.claim(fingerprint="f2")) == "booked"


@case
def claim_1_of_a_voided_claim_is_lost(scope: Scope) -> None:
    scope.claim()
    scope.void()
    assert result_of(scope.claim()) == "lost"
    assert scope.row()["state"] == "refused"


@case
def claim_3_of_a_booked_key(scope: Scope) -> None:
    scope.claim()
    scope.settle()
    before = scope.row()
    booked, other = scope.claim("k", "c2", "o2"), scope.claim("k", "c3", "o2", fingerprint="f2")
    assert (with_row(booked), with_row(other)) == ("booked", "other")
    assert booked["row"]["reply"] == REPLY and booked["row"]["claim"] == "c1" and "body" not in booked["row"]
    assert scope.row() == before


@case
def claim_2_and_4_of_an_orphan_that_has_ended_are_lost(scope: Scope) -> None:
    assert result_of(scope.claim(orphan=True)) == "lost"
    assert result_of(scope.wait()) == "absent"
    scope.claim()
    scope.void()
    assert result_of(scope.claim("k", "c2", "o2", orphan=True, replaces="c1")) == "lost"
    assert scope.row()["claim"] == "c1"


@case
def claim_4_of_a_refused_key_names_the_claim_that_it_replaces(scope: Scope) -> None:
    scope.claim()
    scope.void()
    before = scope.row()
    for members in ({}, {"replaces": "c0"}, {"fingerprint": "f2"}, {"owner": "o2"}):
        refused = scope.claim("k", "c2", **members)
        assert with_row(refused) == "refused" and refused["row"]["outcome"] == "rejected"
    assert scope.row() == before


@case
def claim_4_of_a_refused_key_begins_anew(scope: Scope) -> None:
    scope.claim("k", "c1", "o1", account_id="acct_0")
    scope.void()
    scope.do("heard", key="k", claim="c1")
    assert result_of(scope.claim("k", "c2", "o2", fingerprint="f2", bot_id=None, replaces="c1")) == "claimed"
    fresh = {**OPEN, "claim": "c2", "owner": "o2", "fingerprint": "f2"}
    del fresh["bot_id"]
    assert scope.row() == fresh
    assert with_row(scope.claim("k", "c3", "o3", fingerprint="f2", replaces="c1")) == "held"


@case
def claim_4_forgets_that_the_row_was_taken_over(scope: Scope) -> None:
    scope.claim()
    scope.claim("k", "c2", "o1", replaces="c1")
    scope.void("k", "c2")
    scope.claim("k", "c3", "o1", replaces="c2")
    assert result_of(scope.claim("k", "c3", "o1")) == "claimed"


@case
def claim_5_of_another_booking_is_other_live_or_not(scope: Scope) -> None:
    scope.claim()
    assert with_row(scope.claim("k", "c2", "o2", fingerprint="f2")) == "other"
    scope.age(LEASE + 1)
    assert with_row(scope.claim("k", "c2", "o2", fingerprint="f2", replaces="c1")) == "other"
    assert with_row(scope.claim("k", "c3", "o1", fingerprint="f2", replaces="c1")) == "other"
    assert scope.row() == OPEN


@case
def claim_5_of_a_live_row_of_another_is_held(scope: Scope) -> None:
    scope.claim()
    for members in ({}, {"replaces": "c1"}, {"replaces": "c1", "orphan": True}):
        held = scope.claim("k", "c2", "o2", **members)
        assert with_row(held) == "held" and held["row"]["owner"] == "o1" and held["row"]["lease_ms"] > 0
    assert scope.row() == OPEN


@case
def claim_5_without_the_token_of_the_row_takes_nothing_over(scope: Scope) -> None:
    scope.claim()
    assert with_row(scope.claim("k", "c2", "o1")) == "held"
    scope.age(LEASE + 1)
    for members in ({}, {"replaces": "c0"}, {"orphan": True}):
        held = scope.claim("k", "c2", "o2", **members)
        assert with_row(held) == "held" and held["row"]["lease_ms"] < 0 and held["row"]["claim"] == "c1"
    assert scope.row() == OPEN


@case
def claim_5_of_an_orphan_takes_it_over_and_keeps_the_request(scope: Scope) -> None:
    scope.claim()
    scope.age(LEASE + 1)
    different = {"body": "{}", "account_id": "acct_2", "recorded_at": 5, "conversation": "call-8"}
    taken = scope.claim("k", "c2", "o2", replaces="c1", orphan=True, **different)
    assert with_row(taken) == "in_doubt"
    before = {name: taken["row"][name] for name in ("owner", "claim", "withdrawn", "took_over", "body")}
    assert before == {"owner": "o1", "claim": "c1", "withdrawn": False, "took_over": False, "body": BODY}
    assert scope.row() == {**OPEN, "claim": "c2", "owner": "o2", "took_over": True}
    assert scope.wait()["row"]["lease_ms"] > 0
    assert with_row(scope.claim("k", "c3", "o1")) == "held"


@case
def claim_5_of_an_orphan_whose_call_was_cancelled_is_lost(scope: Scope) -> None:
    scope.claim()
    scope.do("withdraw", key="k", claim="c1", withdrawn=True)
    scope.age(LEASE + 1)
    assert result_of(scope.claim("k", "c2", "o2", replaces="c1", orphan=True)) == "lost"
    taken = scope.claim("k", "c2", "o2", replaces="c1")
    assert with_row(taken) == "in_doubt" and taken["row"]["withdrawn"]
    assert scope.row() == {**OPEN, "claim": "c2", "owner": "o2", "took_over": True}


@case
def claim_5_by_the_same_owner_does_not_wait_for_the_lease(scope: Scope) -> None:
    scope.claim()
    assert with_row(scope.claim("k", "c2", "o1", replaces="c1")) == "in_doubt"
    assert scope.row()["claim"] == "c2"


# ---- wait, settle, void --------------------------------------------------------------------------


@case
def wait_reads_each_state(scope: Scope) -> None:
    assert result_of(scope.wait()) == "absent"
    scope.claim()
    assert with_row(scope.wait()) == "open"
    scope.void()
    assert with_row(scope.wait()) == "refused" and "lease_ms" not in scope.wait()["row"]
    scope.claim("k", "c2", replaces="c1")
    scope.settle("k", "c2")
    assert with_row(scope.wait()) == "booked" and "lease_ms" not in scope.wait()["row"]


@case
def settle_1_without_a_row(scope: Scope) -> None:
    assert result_of(scope.settle()) == "done"
    booked = {**OPEN, "state": "booked", "reply": REPLY}
    del booked["body"], booked["account_id"]
    assert scope.row() == booked
    assert scope.keys("pending") == ["k"]


@case
def settle_2_of_another_booking_changes_nothing(scope: Scope) -> None:
    scope.claim()
    assert result_of(scope.settle(fingerprint="f2")) == "other"
    assert scope.row() == OPEN


@case
def settle_3_of_a_booked_one_changes_nothing(scope: Scope) -> None:
    scope.claim()
    scope.settle()
    scope.do("heard", key="k", claim="c1")
    assert result_of(scope.settle("k", "c2", reply="{}")) == "done"
    assert scope.row()["reply"] == REPLY and scope.row()["claim"] == "c1" and scope.row()["heard"] is True
    assert result_of(scope.settle("k", "c2", fingerprint="f2")) == "other"


@case
def settle_4_is_taken_from_an_engine_that_lost_its_claim(scope: Scope) -> None:
    scope.claim()
    scope.age(LEASE + 1)
    scope.claim("k", "c2", "o2", replaces="c1")
    assert result_of(scope.settle("k", "c1", "o1")) == "done"
    booked = {**OPEN, "state": "booked", "reply": REPLY, "owner": "o2", "took_over": True}
    del booked["body"]
    assert scope.row() == booked


@case
def settle_4_of_a_refused_one(scope: Scope) -> None:
    scope.claim()
    scope.void()
    scope.do("heard", key="k", claim="c1")
    assert result_of(scope.settle("k", "c2")) == "done"
    row = scope.row()
    assert (row["state"], row["claim"], row["heard"]) == ("booked", "c2", False) and "outcome" not in row


@case
def void_1_without_a_row_stops_a_late_claim(scope: Scope) -> None:
    assert result_of(scope.void(outcome="not_sent")) == "done"
    row = scope.row()
    assert (row["state"], row["outcome"], row["heard"]) == ("refused", "not_sent", True)
    assert scope.keys("pending") == []
    assert result_of(scope.claim()) == "lost"
    assert result_of(scope.claim("k", "c2", replaces="c1")) == "claimed"


@case
def void_2_of_another_claim_is_lost(scope: Scope) -> None:
    scope.claim()
    assert result_of(scope.void("k", "c2")) == "lost"
    assert scope.row() == OPEN


@case
def void_3_ends_an_open_one_and_4_may_be_repeated(scope: Scope) -> None:
    scope.claim()
    assert [result_of(scope.void()), result_of(scope.void(outcome="not_sent"))] == ["done", "done"]
    row = scope.row()
    assert (row["state"], row["outcome"], row["heard"]) == ("refused", "rejected", False) and "body" not in row
    assert scope.keys("pending") == ["k"]


@case
def void_5_of_a_booked_one_is_lost(scope: Scope) -> None:
    scope.claim()
    scope.settle()
    assert result_of(scope.void()) == "lost"
    assert scope.row()["state"] == "booked"
