"""The sandbox plays the platforms of the field cases, too."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pbk
import pytest
from contract import failure, in_doubt, success
from ledger import AT_ONCE, unsettled_keys
from samples import ONCE, READS_ONLY, SANDBOX, booking_request


@pytest.fixture
def sandbox(open_client) -> Callable[..., pbk.Client]:
    """A client with a sandbox that has these faults and settings."""

    def sandbox(*faults: dict[str, Any], keys: str = "first", **members: Any) -> pbk.Client:
        settings = {**SANDBOX["sandbox"], "keys": keys, "faults": list(faults)}
        return open_client({**SANDBOX, "sandbox": settings}, **{"retry": ONCE, **members})

    return sandbox


def kept_by(client: pbk.Client) -> list[str]:
    """The keys of what the sandbox has booked."""
    return [booking["idempotency_key"] for booking in success(client.sandbox_bookings())["bookings"]]


def test_sandbox_that_books_behind_its_gateway(sandbox):
    """It works with the slot held, and has it booked when the call asks again."""
    client = sandbox({"fault": "works", "ms": 400, "status": 504, "calls": [1]})
    success(client.book(booking_request(key="k")))
    assert kept_by(client) == ["k"]


def test_sandbox_that_works_for_a_while(sandbox):
    client = sandbox({"fault": "works", "ms": 200, "calls": [1]})
    started = time.monotonic()
    success(client.book(booking_request(key="k")))
    assert time.monotonic() - started >= 0.2
    assert kept_by(client) == ["k"]


def test_sandbox_that_looks_at_the_slot_first(sandbox):
    client = sandbox({"fault": "lose_reply", "calls": [1]}, keys="kept", **READS_ONLY)
    request = booking_request(key="k", **AT_ONCE)
    in_doubt(client.book(request), None, "connection_lost")
    in_doubt(client.book(request), 409, "slot_unavailable")
    assert kept_by(client) == unsettled_keys(client) == ["k"]


def test_sandbox_without_keys(sandbox):
    """To be asked once is what it takes."""
    lose = {"fault": "lose_reply", "calls": [1]}
    settings = {"keys": "none", "platform_keys": "none"}
    client = sandbox(lose, **settings)
    in_doubt(client.book(booking_request(key="k")), None, "connection_lost")
    in_doubt(client.book(booking_request(key="k")), None, None)
    assert kept_by(client) == ["k"]


def test_sandbox_that_answers_for_its_own_row(sandbox):
    client = sandbox({"fault": "own_conflict", "calls": [1]}, keys_shared=True, **READS_ONLY)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 409, "slot_unavailable")
    success(client.book(booking_request(key="k")))
    assert kept_by(client) == ["k"]


def test_sandbox_that_declines(sandbox):
    client = sandbox({"fault": "declined", "calls": [1]})
    error = failure(client.book(booking_request(key="k")), "NOT_CONFIRMED")
    assert error["reply"]["booking"]["status"] == "declined"
    assert kept_by(client) == []


def test_sandbox_with_another_booking(sandbox):
    client = sandbox({"fault": "other_booking", "calls": [1, 2]}, **READS_ONLY)
    error = failure(client.book(booking_request(key="k")), "OTHER_BOOKING")
    assert error["reply"]["booking"]["start_at"] != "2030-01-14T10:00:00Z" and error["attempts"] == 2
    success(client.book(booking_request(key="k")))
    assert kept_by(client) == ["k"]


def test_sandbox_with_an_empty_booking(sandbox):
    client = sandbox({"fault": "empty_booking", "calls": [1]}, **READS_ONLY)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 201, "invalid_reply")
    assert kept_by(client) == ["k"]
