"""The rest of the cases of ledger_conformance.py: operations on rows that are there, lists of rows,
and batches."""

from __future__ import annotations

from typing import Any

from ledger_conformance import BODY, DAY, LEASE, OPEN, Scope, case, result_of, with_row


def withdraw(scope: Scope, claim: str = "c1", withdrawn: bool = True, key: str = "k") -> str:
    return result_of(scope.do("withdraw", key=key, claim=claim, withdrawn=withdrawn))


@case
def withdraw_marks_an_open_one_of_this_claim(scope: Scope) -> None:
    assert withdraw(scope) == "lost"
    scope.claim()
    assert [withdraw(scope), withdraw(scope)] == ["done", "done"]
    assert scope.row() == {**OPEN, "withdrawn": True}
    assert withdraw(scope, "c2", False) == "lost" and scope.row()["withdrawn"] is True
    assert withdraw(scope, "c1", False) == "done" and scope.row() == OPEN
    scope.settle()
    assert withdraw(scope) == "lost"


def give_up(scope: Scope, owner: str = "o1", claim: str = "c1") -> dict[str, Any]:
    return scope.do("give_up", key="k", owner=owner, claim=claim)


GIVEN_UP = {**OPEN, "state": "refused", "outcome": "given_up", "heard": True}
del GIVEN_UP["body"]


@case
def give_up_of_what_is_not_there(scope: Scope) -> None:
    assert result_of(give_up(scope)) == "absent"


@case
def give_up_of_an_own_one_refuses_it(scope: Scope) -> None:
    scope.claim()
    given_up = give_up(scope)
    assert with_row(given_up) == "given_up"
    assert given_up["row"]["state"] == "open" and given_up["row"]["body"] == BODY
    assert scope.row() == GIVEN_UP and scope.keys("pending") == []
    again = give_up(scope, "o2")
    assert with_row(again) == "given_up" and again["row"]["state"] == "refused"
    assert with_row(give_up(scope, claim="c2")) == "kept"
    assert scope.row() == GIVEN_UP


@case
def give_up_of_an_orphan_refuses_it(scope: Scope) -> None:
    scope.claim()
    scope.age(LEASE + 1)
    assert with_row(give_up(scope, "o2")) == "given_up"
    assert scope.row() == GIVEN_UP and scope.keys("orphans") == []


@case
def give_up_of_a_live_one_of_another_is_held(scope: Scope) -> None:
    scope.claim()
    assert with_row(give_up(scope, "o2")) == "held"
    assert scope.row() == OPEN


@case
def give_up_of_another_claim_is_held(scope: Scope) -> None:
    scope.claim()
    assert with_row(give_up(scope, claim="c2")) == "held"
    scope.age(LEASE + 1)
    assert with_row(give_up(scope, claim="c2")) == "held"
    assert scope.row() == OPEN


@case
def give_up_of_an_ended_one_keeps_it(scope: Scope) -> None:
    scope.claim()
    scope.void()
    assert with_row(give_up(scope)) == "kept"
    scope.claim("k", "c2", replaces="c1")
    scope.settle("k", "c2")
    assert with_row(give_up(scope, claim="c2")) == "kept"
    assert scope.row()["state"] == "booked"


@case
def one_that_was_given_up_may_still_be_booked(scope: Scope) -> None:
    scope.claim()
    give_up(scope)
    assert result_of(scope.claim()) == "lost"
    assert result_of(scope.void()) == "done" and scope.row() == GIVEN_UP
    assert with_row(scope.claim("k", "c2")) == "refused"
    assert result_of(scope.settle()) == "done"
    row = scope.row()
    assert (row["state"], row["heard"]) == ("booked", False) and "outcome" not in row


@case
def one_that_was_given_up_may_be_claimed_anew(scope: Scope) -> None:
    scope.claim()
    give_up(scope)
    assert result_of(scope.claim("k", "c2", replaces="c1")) == "claimed"
    assert scope.row() == {**OPEN, "claim": "c2"}
    assert with_row(give_up(scope)) == "held"


@case
def heard_marks_an_ended_one_of_this_claim(scope: Scope) -> None:
    assert result_of(scope.do("heard", key="k", claim="c1")) == "lost"
    scope.claim()
    assert result_of(scope.do("heard", key="k", claim="c1")) == "lost"
    scope.settle()
    assert result_of(scope.do("heard", key="k", claim="c2")) == "lost" and scope.row()["heard"] is False
    assert [result_of(scope.do("heard", key="k", claim="c1")) for _ in range(2)] == ["done", "done"]
    assert scope.row()["heard"] is True and scope.keys("pending") == []


@case
def renew_extends_what_the_owner_still_has(scope: Scope) -> None:
    for key in ("live", "over", "taken", "booked", "replaced"):
        scope.claim(key, f"{key}-1", "o1")
    scope.claim("replaced", "replaced-2", "o1", replaces="replaced-1")
    scope.settle("booked", "booked-1")
    scope.age(LEASE + 1)
    scope.claim("live", "live-1")
    scope.claim("taken", "taken-2", "o2", replaces="taken-1")
    names = ("live", "over", "taken", "booked", "replaced", "absent")
    claims = [{"key": key, "claim": f"{key}-1"} for key in names] + [{"key": "over", "claim": "another"}]
    for _ in range(2):
        renewed = scope.do("renew", owner="o1", lease_ms=3 * LEASE, claims=claims)
        assert renewed["result"] == "renewed"
        assert sorted(renewed["lost"]) == ["absent", "booked", "over", "replaced", "taken"]
        assert 2 * LEASE < scope.wait("over")["row"]["lease_ms"] <= 3 * LEASE
        assert scope.wait("taken")["row"]["lease_ms"] <= LEASE
    assert scope.keys("orphans") == ["replaced"]


@case
def renew_of_another_owner_is_lost(scope: Scope) -> None:
    scope.claim()
    renewed = scope.do("renew", owner="o2", lease_ms=3 * LEASE, claims=[{"key": "k", "claim": "c1"}])
    assert renewed["lost"] == ["k"] and scope.wait()["row"]["lease_ms"] <= LEASE


@case
def renew_of_nothing(scope: Scope) -> None:
    assert scope.do("renew", owner="o1", lease_ms=LEASE, claims=[])["lost"] == []


@case
def orphans_are_open_over_and_not_withdrawn_oldest_first(scope: Scope) -> None:
    for key, lease in (("b", 3), ("a", 2), ("c", 1), ("live", 9), ("withdrawn", 1), ("booked", 1)):
        scope.claim(key, lease_ms=lease * LEASE)
    withdraw(scope, key="withdrawn")
    scope.settle("booked")
    assert scope.keys("orphans") == []
    scope.age(4 * LEASE)
    assert scope.keys("orphans") == ["c", "a", "b"]
    assert scope.keys("orphans", limit=2) == ["c", "a"]
    [row] = scope.do("orphans", limit=1, not_before_ms=0)["rows"]
    assert row["body"] == BODY and row["lease_ms"] < 0 and row["claim"] == "c1"
    scope.do("renew", owner="o1", lease_ms=LEASE, claims=[{"key": "c", "claim": "c1"}])
    assert scope.keys("orphans") == ["a", "b"]


@case
def orphans_have_not_begun_or_have_no_known_begin(scope: Scope) -> None:
    for key, start_ms in (("past", 999), ("now", 1000), ("later", 1001), ("unknown", None)):
        scope.claim(key, start_ms=start_ms)
    scope.age(LEASE + 1)
    assert sorted(scope.keys("orphans", not_before_ms=1000)) == ["later", "unknown"]


@case
def pending_are_open_or_unheard_oldest_first(scope: Scope) -> None:
    for key, recorded_at in (("b", 2), ("a", 3), ("c", 1), ("booked", 4), ("heard", 0)):
        scope.claim(key, recorded_at=recorded_at, bot_id="bot_2" if key in "ab" else "bot_1")
    scope.settle("booked")
    scope.void("heard")
    assert scope.keys("pending") == ["heard", "c", "b", "a", "booked"]
    scope.do("heard", key="heard", claim="c1")
    assert scope.keys("pending") == ["c", "b", "a", "booked"]
    assert scope.keys("pending", limit=1) == ["c"]
    assert scope.keys("pending", bot_id="bot_2") == ["b", "a"]
    assert scope.keys("pending", bot_id="bot_2", limit=1) == ["b"]
    assert scope.keys("pending", bot_id="bot_3") == []


@case
def lists_have_the_rows_of_one_scope(scope: Scope) -> None:
    scope.claim()
    other = Scope(scope.store)
    assert other.keys("pending") == [] and result_of(other.wait()) == "absent"
    assert result_of(other.claim("k", "c9", fingerprint="f9")) == "claimed"
    assert scope.row() == OPEN


@case
def batch_runs_in_order_where_it_names_the_same_key(scope: Scope) -> None:
    ended = {"key": "k", "owner": "o1", "fingerprint": "f1", "recorded_at": 1}
    results = scope.run(
        scope.claiming("k", "c1"),
        scope.claiming("z", "c1"),
        scope.operation("void", claim="c1", outcome="not_sent", **ended),
        scope.claiming("a", "c1"),
        scope.operation("wait", key="k"),
        scope.claiming("k", "c2", replaces="c1"),
        scope.operation("renew", owner="o1", lease_ms=LEASE, claims=[{"key": "k", "claim": "c2"}]),
        scope.operation("settle", claim="c2", reply="{}", **ended),
        scope.operation("wait", key="k"),
    )
    assert [result["result"] for result in results] == [
        *("claimed", "claimed", "done", "claimed", "refused", "claimed", "renewed", "done", "booked")
    ]
    assert results[6]["lost"] == []


@case
def batch_of_256(scope: Scope) -> None:
    results = scope.run(*(scope.claiming(f"key-{number}") for number in range(256)))
    assert {result["result"] for result in results} == {"claimed"}
    assert len(scope.keys("pending", limit=10_000)) == 256


@case
def operation_that_cannot_be_done_fails_alone(scope: Scope) -> None:
    lame = scope.claiming("lame")
    del lame["fingerprint"]
    results = scope.run(
        scope.claiming("a"),
        scope.operation("explode", key="a"),
        lame,
        scope.claiming("soon", lease_ms="soon"),
        scope.operation("renew", owner="o1", lease_ms=LEASE, claims=[{"key": "a"}]),
        scope.operation("pending", limit=0),
        scope.claiming("b", surprise={"deep": [None]}, withdrawn=None),
    )
    assert [result["result"] for result in results] == ["claimed", *["failed"] * 5, "claimed"]
    assert all(result["message"] for result in results[1:-1])
    assert scope.keys("pending") == ["a", "b"]


@case
def ended_rows_go_after_the_retention_and_open_ones_stay(scope: Scope) -> None:
    for key in ("open", "booked", "refused"):
        scope.claim(key)
    scope.settle("booked")
    scope.void("refused")
    scope.void("tombstone")
    scope.age(DAY - 60_000)
    assert [scope.wait(key)["result"] for key in ("booked", "refused", "tombstone")] == ["booked", "refused", "refused"]
    scope.age(120_000)
    scope.wait("open")  # a store may clean up after the batch that finds the row
    assert [scope.wait(key)["result"] for key in ("booked", "refused", "tombstone")] == ["absent"] * 3
    assert scope.keys("pending") == ["open"] and scope.wait("open")["result"] == "open"
    assert result_of(scope.claim("booked", "c2", fingerprint="f2")) == "claimed"
    assert sorted(scope.keys("pending")) == ["booked", "open"]
