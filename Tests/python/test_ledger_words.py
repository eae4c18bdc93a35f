"""What a store says of a booking, and what the library makes of it: each has its exact end, and
what the platform got is counted."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from contract import failure
from fault_server import answer
from header import STATUS
from ledger import FAILED, REFUSED, answer_in_turn
from ledger_hands import Start, booked, ended, submit
from samples import new_key
from waiting import GRACE

OTHER_REPLY = '{"booking":{"id":"bkg_other","status":"confirmed"}}'


def row_of(operation: dict[str, Any], **members: Any) -> dict[str, Any]:
    """A row of another engine for the key of a claim."""
    names = ("key", "fingerprint", "recorded_at", "bot_id", "start_at", "duration_minutes", "start_ms", "body")
    row = {name: operation.get(name) for name in names} | {"state": "open", "claim": "their claim", "owner": "they"}
    return row | {"withdrawn": False, "heard": False, "took_over": False, "lease_ms": 60_000} | members


def booked_row(operation: dict[str, Any], **members: Any) -> dict[str, Any]:
    return row_of(operation, state="booked", body=None, lease_ms=None, reply=OTHER_REPLY, **members)


def refused_row(operation: dict[str, Any], outcome: str = "rejected") -> dict[str, Any]:
    return row_of(operation, state="refused", body=None, lease_ms=None, outcome=outcome)



def test_held_for_ever(start_hands: Start) -> None:
    """Another engine has it: the call waits, sends nothing, and its end is unknown."""
    server, hands = start_hands()
    hands.rules["claim"] = lambda operation: {"result": "held", "row": row_of(operation)}
    hands.rules["wait"] = lambda operation: {"result": "open", "row": row_of(hands.named("claim")[0])}
    submit(hands, new_key(), timeout_ms=1500)
    error = failure(ended(hands), "IN_DOUBT")
    assert (error["outcome"], error["attempts"]) == ("unknown", 0)
    assert len(hands.named("wait")) > 2
    assert hands.named("void") == [] and server.requests == []


def test_held_and_then_booked(start_hands: Start) -> None:
    server, hands = start_hands()
    hands.rules["claim"] = lambda operation: {"result": "held", "row": row_of(operation)}

    def wait(operation: dict[str, Any]) -> dict[str, Any]:
        claim = hands.named("claim")[0]
        if len(hands.named("wait")) < 3:
            return {"result": "open", "row": row_of(claim)}
        return {"result": "booked", "row": booked_row(claim)}

    hands.rules["wait"] = wait
    submit(hands, new_key())
    booked(ended(hands), OTHER_REPLY)
    assert server.requests == []


def test_booked_by_another_engine(start_hands: Start) -> None:
    server, hands = start_hands()
    hands.rules["claim"] = lambda operation: {"result": "booked", "row": booked_row(operation)}
    submit(hands, new_key())
    booked(ended(hands), OTHER_REPLY)
    assert server.requests == []


def test_the_key_of_another_booking(start_hands: Start) -> None:
    server, hands = start_hands()
    hands.rules["claim"] = lambda operation: {"result": "other", "row": row_of(operation, fingerprint="0" * 64)}
    submit(hands, new_key())
    error = failure(ended(hands), "IDEMPOTENCY_KEY_REUSED")
    assert (error["outcome"], error["attempts"]) == ("unknown", 0)
    assert server.requests == []


def test_a_doubt_of_a_dead_engine_is_sent_as_the_row_has_it(start_hands: Start) -> None:
    server, hands = start_hands()

    def claim(operation: dict[str, Any]) -> dict[str, Any]:
        body = operation["body"].replace("Initial consultation", "as the row has it")
        assert body != operation["body"]
        return {"result": "in_doubt", "row": row_of(operation, lease_ms=-1000, body=body)}

    hands.rules["claim"] = claim
    key = new_key()
    submit(hands, key)
    booked(ended(hands))
    assert server.keys() == [key] and b"as the row has it" in server.requests[0].body
    assert b"Initial consultation" not in server.requests[0].body


def test_a_refusal_that_another_engine_has_overtaken(start_hands: Start) -> None:
    """The platform refuses, but the claim is lost: the end is that of the engine that has the key
    now."""
    server, hands = start_hands(answer(REFUSED))
    hands.rules["void"] = lambda operation: {"result": "lost"}
    hands.rules["wait"] = lambda operation: {"result": "booked", "row": booked_row(hands.named("claim")[0])}
    key = new_key()
    submit(hands, key)
    booked(ended(hands), OTHER_REPLY)
    assert server.keys() == [key]


def test_a_lost_lease_ends_the_sending(start_hands: Start) -> None:
    """The renewal says that another engine has the key. Nothing more is sent, and the end is the
    other's."""
    server, hands = start_hands(answer_in_turn(FAILED), platform_keys="first", platform_limit_ms=1, retry={"budget": 0})
    hands.rules["renew"] = lambda operation: {"result": "renewed", "lost": [operation["claims"][0]["key"]]}
    hands.rules["wait"] = lambda operation: {"result": "booked", "row": booked_row(hands.named("claim")[0])}
    hands.rules["claim"] = lambda operation: (
        {"result": "claimed"} if len(hands.named("claim")) == 1 else {"result": "booked", "row": booked_row(operation)}
    )
    submit(hands, new_key())
    hands.wait_for("renew")
    sent = len(server.requests)
    booked(ended(hands), OTHER_REPLY)
    assert sent >= 1 and len(server.requests) <= sent + 1


def test_a_claim_that_was_answered_after_its_lease_is_renewed_before_it_is_sent(start_hands: Start) -> None:
    server, hands = start_hands(journal_timeout_ms=20_000)
    hands.rules["claim"] = lambda operation: None
    submit(hands, new_key())
    batch, operations = hands.wait_for_kept()[0]
    # The lease of two seconds is over then.
    time.sleep(2.3)
    hands.rules["renew"] = lambda operation: None
    assert hands.answer(batch, hands.honest(operations)) == STATUS["OK"]
    hands.wait_for("renew")
    assert server.requests == []


UNREADABLE: dict[str, dict[str, Any]] = {
    "empty": {},
    "without a reply": {"key": "", "state": "booked", "claim": "their claim"},
    "in no state": {"key": "", "state": "lost", "claim": "their claim"},
    "of another key": {"key": "another", "state": "booked", "claim": "their claim", "reply": OTHER_REPLY},
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.parametrize("result", ["booked", "held"])
def test_a_row_that_cannot_be_read_is_no_answer(start_hands: Start, result: str, name: str) -> None:
    """The claim is repeated, with its token."""
    server, hands = start_hands()

    def claim(operation: dict[str, Any]) -> dict[str, Any]:
        if len(hands.named("claim")) > 1:
            return hands.memory.execute([operation])[0]
        row = UNREADABLE[name]
        return {"result": result, "row": row | ({"key": operation["key"]} if row.get("key") == "" else {})}

    hands.rules["claim"] = claim
    key = new_key()
    submit(hands, key)
    booked(ended(hands))
    first, second = hands.named("claim")
    assert first["claim"] == second["claim"] and second.get("replaces") is None
    assert server.keys() == [key] and set(hands.answers) == {STATUS["OK"]}


def test_a_key_that_was_refused_before_is_claimed_again(start_hands: Start) -> None:
    """The claim that replaces the refused row names its token."""
    server, hands = start_hands()
    hands.rules["claim"] = lambda operation: (
        {"result": "claimed"}
        if operation.get("replaces") == "their claim"
        else {"result": "refused", "row": refused_row(operation)}
    )
    key = new_key()
    submit(hands, key)
    booked(ended(hands))
    first, second = hands.named("claim")
    assert first.get("replaces") is None and second["claim"] == first["claim"]
    assert server.keys() == [key]


def test_an_orphan_is_taken_over_by_its_token(start_hands: Start) -> None:
    """Held, and its lease is over: the next claim names the token that it replaces."""
    server, hands = start_hands()

    def claim(operation: dict[str, Any]) -> dict[str, Any]:
        row = row_of(operation, lease_ms=-1)
        return {"result": "in_doubt" if operation.get("replaces") == row["claim"] else "held", "row": row}

    hands.rules["claim"] = claim
    key = new_key()
    submit(hands, key)
    booked(ended(hands))
    assert len(hands.named("claim")) == 2 and hands.named("wait") == []
    assert server.keys() == [key]


def test_a_doubt_that_a_person_gives_up_ends_who_waits_for_it(start_hands: Start) -> None:
    server, hands = start_hands()
    hands.rules["claim"] = lambda operation: {"result": "held", "row": row_of(operation)}
    hands.rules["wait"] = lambda operation: {
        "result": "refused",
        "row": refused_row(hands.named("claim")[0], "given_up"),
    }
    submit(hands, new_key())
    error = failure(ended(hands), "IN_DOUBT")
    assert (error["outcome"], error["attempts"]) == ("unknown", 0)
    assert len(hands.named("claim")) == 1 and server.requests == []


def test_a_doubt_that_was_claimed_too_late_is_left_to_its_lease(start_hands: Start) -> None:
    """The call has ended. What a dead engine may have sent is not voided."""
    server, hands = start_hands(journal_timeout_ms=300, ledger_takes_over=False)
    hands.rules["claim"] = lambda operation: None
    submit(hands, new_key())
    failure(ended(hands), "JOURNAL_UNAVAILABLE")
    kept = len(hands.wait_for_kept())
    hands.rules["claim"] = lambda operation: {"result": "in_doubt", "row": row_of(operation, lease_ms=-1)}
    for batch, operations in hands.wait_for_kept(kept):
        hands.handle_batch(batch, json.dumps({"protocol": 1, "operations": operations}))
    assert STATUS["OK"] in hands.answers
    time.sleep(GRACE)
    assert hands.named("void") == [] and hands.named("renew") == []
    assert server.requests == []
