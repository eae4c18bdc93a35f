"""A ledger callback that hangs, answers later or from inside, or calls functions of the library."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from typing import Any

import pbk
import pbk_ledger
import pytest
from completions import accepted
from contract import failure, success
from header import STATUS
from ledger import answer_by_key
from ledger_hands import Start, ended, submit
from samples import booking_request, new_key, search_request
from waiting import SOON, wait_until

SHORT = {"journal_timeout_ms": 300}
TOOL_CALL = {"tool": "find_appointment_slots", "bot_id": "bot_1", "call_id": "call-7", "arguments": {}}


@pytest.fixture
def start(start_hands: Start) -> Start:
    """With batches that come to a callback, and a platform that answers by the key."""
    return functools.partial(start_hands, answer_by_key, is_called=True)


class Hanging:
    """A rule that does not return before it is told to."""

    def __init__(self, result: dict[str, Any] | None = None) -> None:
        self.is_there, self.may_go, self.result = threading.Event(), threading.Event(), result

    def __call__(self, operation: dict[str, Any]) -> dict[str, Any] | None:
        self.is_there.set()
        assert self.may_go.wait(SOON)
        return self.result


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    """Goes on at the latest when the test has ended."""
    rule = Hanging({"result": "claimed"})
    yield rule
    rule.may_go.set()


def key_of_one() -> str:
    """Of a booking that the platform makes."""
    return f"booked-{new_key()}"


def test_answers_from_inside_the_callback(start: Start) -> None:
    server, hands = start()
    keys = [key_of_one() for _ in range(20)]
    for key in keys:
        submit(hands, key)
    for _ in keys:
        success(ended(hands))
    assert sorted(server.keys()) == sorted(keys)
    assert set(hands.answers) == {STATUS["OK"]}


def test_answers_after_the_callback_has_returned(start: Start) -> None:
    """From another thread, in the reverse order: the batches are open at the same time."""
    server, hands = start(rules={"claim": lambda operation: None})
    keys = [key_of_one() for _ in range(3)]
    for number, key in enumerate(keys):
        submit(hands, key)
        hands.wait_for_kept(number + 1)
    for batch, operations in reversed(hands.kept):
        assert hands.answer(batch, hands.honest(operations)) == STATUS["OK"]
    for _ in keys:
        success(ended(hands))
    assert sorted(server.keys()) == sorted(keys)


def test_a_hanging_callback_holds_up_no_other_call(start: Start, hanging: Hanging) -> None:
    """Bookings end by `journal_timeout_ms`. Searches go on, handing over does not wait, and the
    list is there."""
    server, hands = start(rules={"claim": hanging}, **SHORT)
    submit(hands, key_of_one())
    assert hanging.is_there.wait(SOON)
    assert success(hands.client.search(search_request()))["availabilities"]
    key = key_of_one()
    submit(hands, key)
    for _ in range(2):
        error = failure(ended(hands), "JOURNAL_UNAVAILABLE")
        assert error["attempts"] == 0
    assert server.keys() == [None]
    assert not hanging.may_go.is_set()
    # It goes on: what was not told in time is voided, and then bookings are made.
    hands.rules.clear()
    hanging.may_go.set()
    hands.wait_for("void")
    assert server.keys() == [None]
    last = key_of_one()
    submit(hands, last)
    success(ended(hands))
    assert server.keys() == [None, last]


def test_a_hanging_callback_does_not_hold_up_the_close_for_ever(start: Start, hanging: Hanging) -> None:
    server, hands = start(rules={"claim": hanging}, journal_timeout_ms=60_000)
    submit(hands, key_of_one())
    assert hanging.is_there.wait(SOON)
    status: list[int] = []
    closing = threading.Thread(target=lambda: status.append(hands.client.close(100)))
    closing.start()
    closing.join(SOON)
    assert not closing.is_alive() and not hanging.may_go.is_set()
    failure(ended(hands), "CLIENT_CLOSED")
    assert server.requests == []
    hanging.may_go.set()
    # The client's ledger thread takes answers as long as it lives.
    wait_until(lambda: hands.answer(1, "{}") == STATUS["CLIENT_CLOSED"])
    assert set(hands.answers) <= {STATUS["OK"], STATUS["CLIENT_CLOSED"]}
    assert server.requests == []


def test_functions_that_are_called_from_the_callback(start: Start) -> None:
    """Those that wait say so. The others do what they always do."""
    server, hands = start(timeout_ms=5000)
    found: dict[str, Any] = {}
    second = key_of_one()

    def claim(operation: dict[str, Any]) -> dict[str, Any]:
        if "close" not in found:
            handle = hands.handle
            found["close"] = pbk.library.pbk_client_close(handle, 0)
            found["search"] = pbk.search(handle, search_request()).status
            found["book"] = pbk.book(handle, booking_request()).status
            found["submit"] = pbk.submit(handle, pbk.BOOK, booking_request(key=second)).status
            found["batch"] = pbk_ledger.next_batch(handle, 0)[0]
            found["tool"] = pbk.call_tool(handle, TOOL_CALL).status
            found["completion"] = pbk.next_completion(handle, 600_000)[0]
        return hands.memory.execute([operation])[0]

    hands.rules["claim"] = claim
    first = key_of_one()
    submit(hands, first)
    for _ in range(2):
        success(ended(hands))
    assert found == {
        "close": STATUS["WOULD_DEADLOCK"],
        "search": STATUS["WOULD_DEADLOCK"],
        "book": STATUS["WOULD_DEADLOCK"],
        "tool": STATUS["WOULD_DEADLOCK"],
        "submit": STATUS["OK"],
        "batch": STATUS["INVALID_ARGUMENT"],
        "completion": STATUS["TIMEOUT"],
    }
    assert sorted(server.keys()) == sorted([first, second])


def test_a_client_with_a_callback_gives_no_batches(start: Start) -> None:
    _, hands = start()
    assert hands.client.next_batch(0) == (STATUS["INVALID_ARGUMENT"], 0, None)


def test_completions_of_callbacks_may_submit(start: Start) -> None:
    """The end of one booking hands over the next one, on the transfer thread."""
    server, hands = start()
    keys = [key_of_one() for _ in range(5)]
    left, done = iter(keys[1:]), threading.Event()
    told: list[int] = []

    def on_completion(context: int | None, completion: int) -> None:
        told.append(pbk.take_completion(completion).status)
        if (key := next(left, None)) is None:
            done.set()
        else:
            hands.client.submit(pbk.BOOK, booking_request(key=key), callback)

    callback = pbk.Callback(on_completion)
    accepted(hands.client.submit(pbk.BOOK, booking_request(key=keys[0]), callback))
    assert done.wait(SOON)
    assert told == [STATUS["OK"]] * 5
    assert server.keys() == keys
