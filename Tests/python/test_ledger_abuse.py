"""A host's ledger that answers wrongly, late, twice or never. Each has its exact end, and what the
platform got is counted."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from typing import Any

import pbk
import pbk_ledger
import pytest
from contract import failure
from fault_server import answer
from header import STATUS
from ledger import BOOKED, answer_by_key
from ledger_hands import Start, booked, ended, submit
from samples import new_key, search_request
from services import config_for
from waiting import SOON_MS, wait_until

SHORT = {"journal_timeout_ms": 300}
MANY = 300

# ---- Answers ----


def results(*each: dict[str, Any]) -> str:
    return json.dumps({"results": list(each)})


GARBAGE: dict[str, Callable[[str], Any]] = {
    "NULL": lambda operation: None,
    "nothing": lambda operation: "",
    "no JSON": lambda operation: "claimed",
    "half of it": lambda operation: results({"id": operation, "result": "claimed"})[:-2],
    "more than it": lambda operation: results({"id": operation, "result": "claimed"}) + "]",
    "a list": lambda operation: "[]",
    "an empty object": lambda operation: "{}",
    "results that are an object": lambda operation: '{"results":{}}',
    "no results": lambda operation: '{"results":[]}',
    "another id": lambda operation: results({"id": f"{operation}1", "result": "claimed"}),
    "an id that is a number": lambda operation: f'{{"results":[{{"id":{operation},"result":"claimed"}}]}}',
    "no id": lambda operation: results({"result": "claimed"}),
    "no result": lambda operation: results({"id": operation}),
    "a result of no name": lambda operation: results({"id": operation, "result": "granted"}),
    "a result of another operation": lambda operation: results({"id": operation, "result": "renewed", "lost": []}),
    "a result twice": lambda operation: results(*[{"id": operation, "result": "claimed"}] * 2),
    "no row": lambda operation: results({"id": operation, "result": "held"}),
    "a row that is none": lambda operation: results({"id": operation, "result": "held", "row": 7}),
    "a deep one": lambda operation: '{"results":' + "[" * 100_000,
    "a deep one that ends": lambda operation: '{"results":' + "[" * 5_000 + "]" * 5_000 + "}",
    "a huge number": lambda operation: '{"results":1e999999}',
    "invalid UTF-8": lambda operation: b'{"results":[{"id":"' + operation.encode() + b'","result":"cl\xffaimed"}]}',
    "a NUL": lambda operation: b'{"results":[{"id":"' + operation.encode() + b'","result":"claimed\0"}]}',
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_refused_and_the_batch_stays_open(start_hands: Start, name: str) -> None:
    server, hands = start_hands(rules={"claim": lambda operation: None})
    submit(hands, new_key())
    [(batch, operations)] = hands.wait_for_kept()
    status, error = hands.client.answer(batch, GARBAGE[name](operations[0]["id"]))
    assert status in (STATUS["INVALID_ARGUMENT"], STATUS["INVALID_JSON"]), (status, error)
    assert error is not None and pbk.library.pbk_reply_status(error) == status
    assert json.loads(error)["error"]["message"], error
    assert server.requests == []
    assert hands.answer(batch, hands.honest(operations)) == STATUS["OK"]
    booked(ended(hands))
    assert len(server.requests) == 1


def test_a_second_answer_and_wrong_numbers_are_refused(start_hands: Start) -> None:
    server, hands = start_hands(rules={"claim": lambda operation: None})
    submit(hands, new_key())
    [(batch, operations)] = hands.wait_for_kept()
    honest = hands.honest(operations)
    for number in (0, batch + 1000, 2**63, 2**64 - 1):
        assert hands.answer(number, honest) == STATUS["INVALID_ARGUMENT"]
    assert hands.answer(batch, honest) == STATUS["OK"]
    assert hands.answer(batch, honest) == STATUS["INVALID_ARGUMENT"]
    assert hands.answer(batch, results({"id": operations[0]["id"], "result": "lost"})) == STATUS["INVALID_ARGUMENT"]
    booked(ended(hands))
    assert len(server.requests) == 1


def test_answers_of_other_threads_count_once(start_hands: Start) -> None:
    """Sixteen threads answer the same batch."""
    server, hands = start_hands(rules={"claim": lambda operation: None})
    submit(hands, new_key())
    [(batch, operations)] = hands.wait_for_kept()
    honest = hands.honest(operations)
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(hands.answer(batch, honest))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [STATUS["OK"]] + [STATUS["INVALID_ARGUMENT"]] * 15
    booked(ended(hands))
    assert len(server.requests) == 1


def test_answers_after_the_close_are_refused(start_hands: Start) -> None:
    server, hands = start_hands(rules={"claim": lambda operation: None})
    key = new_key()
    submit(hands, key)
    [(batch, operations)] = hands.wait_for_kept()
    hands.client.close(0)
    assert hands.answer(batch, hands.honest(operations)) == STATUS["CLIENT_CLOSED"]
    assert hands.client.next_batch(SOON_MS)[0] == STATUS["CLIENT_CLOSED"]
    failure(ended(hands), "CLIENT_CLOSED")
    assert server.requests == []


def test_functions_refuse_clients_that_are_none() -> None:
    for handle in (None, 1, 0xDEADBEEF):
        assert pbk_ledger.answer(handle, 1, results())[0] == STATUS["INVALID_CLIENT"]
        assert pbk_ledger.next_batch(handle, 0) == (STATUS["INVALID_CLIENT"], 0, None)


def test_a_client_without_a_ledger_has_no_batches(start_faults: Any, open_client: Any) -> None:
    client = open_client(config_for(start_faults(answer(BOOKED))))
    assert pbk_ledger.next_batch(client.handle, 0)[0] == STATUS["INVALID_ARGUMENT"]
    assert pbk_ledger.answer(client.handle, 1, results())[0] == STATUS["INVALID_ARGUMENT"]


def test_fuzzed_answers_do_no_harm(start_hands: Start) -> None:
    """Honest answers with some bytes changed. What is refused is answered again, honestly."""
    server, hands = start_hands()
    rng = random.Random(23)
    refused = 0

    def reply(batch: int, text: str) -> None:
        nonlocal refused
        spoiled = bytearray(text.encode())
        for _ in range(rng.choice([1, 1, 2, 8])):
            at = rng.randrange(len(spoiled))
            spoiled[at : at + rng.randrange(2)] = bytes([rng.randrange(1, 256)] * rng.randrange(3))
        status = hands.answer(batch, bytes(spoiled))
        assert status in (STATUS["OK"], STATUS["INVALID_ARGUMENT"], STATUS["INVALID_JSON"])
        if status != STATUS["OK"]:
            refused += 1
            assert hands.answer(batch, text) == STATUS["OK"]

    hands.reply = reply
    keys = [new_key() for _ in range(MANY)]
    for key in keys:
        submit(hands, key)
    told = [ended(hands) for _ in keys]
    sent = server.keys()
    assert sorted(sent) == sorted(keys)
    assert refused > 10
    assert all(result.status == STATUS["OK"] for result in told)


# ---- No answer ----


def test_a_claim_without_an_answer_ends_unsent_and_is_voided_when_it_comes(start_hands: Start) -> None:
    server, hands = start_hands(rules={"claim": lambda operation: None}, **SHORT)
    key = new_key()
    submit(hands, key)
    error = failure(ended(hands), "JOURNAL_UNAVAILABLE")
    assert (error["outcome"], error["attempts"]) == ("unknown", 0)
    # Late: the batch was asked for again meanwhile, with the same token.
    batch, operations = hands.wait_for_kept()[0]
    hands.rules.clear()
    assert hands.answer(batch, hands.honest(operations)) == STATUS["OK"]
    [void] = hands.wait_for("void")
    claims = [each for each in hands.named("claim") if each["key"] == key]
    assert {each["claim"] for each in claims} == {void["claim"]} and void["outcome"] == "not_sent"
    assert server.requests == []
    wait_until(lambda: hands.memory.rows["abuse", key]["state"] == "refused")


@pytest.mark.parametrize("text", ['{"error":{"message":"connection refused"}}', None])
def test_a_store_that_is_down(start_hands: Start, text: str | None) -> None:
    """By an error for the whole batch, or for each operation."""
    server, hands = start_hands(answer_by_key, **SHORT)
    hands.rules["claim"] = lambda operation: {"result": "failed", "message": "no space left"}
    if text is not None:
        hands.reply = lambda batch, _: hands.answer(batch, text)
    submit(hands, new_key())
    error = failure(ended(hands), "JOURNAL_UNAVAILABLE")
    assert (error["outcome"], error["attempts"]) == ("unknown", 0)
    assert server.requests == []
    assert len(hands.named("claim")) > 1
    # Searches need no store.
    assert hands.client.search(search_request()).status == STATUS["OK"]
    assert server.keys() == [None]


def test_a_store_that_comes_back_in_time(start_hands: Start) -> None:
    server, hands = start_hands(journal_timeout_ms=20_000)
    answered = hands.reply

    def reply(batch: int, text: str) -> None:
        if len(hands.named("claim")) < 4:
            assert hands.answer(batch, '{"error":{"message":"connection refused"}}') == STATUS["OK"]
        else:
            answered(batch, text)

    hands.reply = reply
    key = new_key()
    submit(hands, key)
    booked(ended(hands))
    claims = hands.named("claim")
    assert len(claims) == 4 and len({each["claim"] for each in claims}) == 1
    assert server.keys() == [key]


def test_without_a_required_store_it_is_sent_unprotected(start_hands: Start) -> None:
    server, hands = start_hands(journal_required=False, **SHORT)
    hands.reply = lambda batch, _: hands.answer(batch, '{"error":{"message":"connection refused"}}')
    key = new_key()
    submit(hands, key)
    status, completion = hands.client.next_completion(SOON_MS)
    assert completion is not None and completion.timing["journaled"] is False
    booked(completion.result)
    assert server.keys() == [key]
