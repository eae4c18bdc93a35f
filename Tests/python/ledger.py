"""What the tests of the ledger share: requests and their twins, and a service that answers when it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pbk
import pytest
from completions import ByCallback
from contract import STATUS, failure, success
from fault_server import answer, answer_when, http_reply
from samples import BOOKING_REPLY, SEARCH_REPLY, search_request
from test_abi import config_for
from test_cancel import ENDLESS, PATIENT

BOOKED = http_reply(201, BOOKING_REPLY)
FOUND = http_reply(200, SEARCH_REPLY)
TAKEN = {"status": 409, "code": "slot_unavailable"}


def changed(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another member at a path such as `booking.customer.name`; None takes it away."""
    copy = json.loads(json.dumps(request))
    *parents, name = path.split(".")
    holder = copy
    for parent in parents:
        holder = holder[parent]
    if value is None:
        del holder[name]
    else:
        holder[name] = value
    return copy


def resume(key: str, **members: Any) -> dict[str, Any]:
    return {"idempotency_key": key, "resume": True, **members}


def pending(client: pbk.Client) -> list[dict[str, Any]]:
    content = success(client.pending_bookings())
    assert set(content) == {"pending_bookings", "journal"} and content["journal"] is None
    return content["pending_bookings"]


def pending_keys(client: pbk.Client) -> list[str]:
    return [booking["idempotency_key"] for booking in pending(client)]


def statuses(reference, bot: str) -> list[int]:
    return [request["status"] for request in reference.requests(bot)]


def reused(result: pbk.Result, key: str) -> None:
    """It must have been refused without a request."""
    error = failure(result, "IDEMPOTENCY_KEY_REUSED")
    assert (error["outcome"], error["field"], error["idempotency_key"]) == ("rejected", "idempotency_key", key)
    assert (error["attempts"], error["retryable"], error["status"]) == (0, False, None)


def all_of(client: pbk.Client, way: Any, tickets: list[int]) -> list[pbk.Completion]:
    """Their completions, in the order of the tickets."""
    found = {completion.ticket: completion for completion in (way.next(client) for _ in tickets)}
    return [found[ticket] for ticket in tickets]


@pytest.fixture
def one_at_a_time(reference, service, open_client) -> Callable[..., tuple[pbk.Client, Callable[[], None]]]:
    """A client whose only place is taken until it is told: what is submitted meanwhile has certainly not been sent."""

    def occupy(**members: Any) -> tuple[pbk.Client, Callable[[], None]]:
        client = open_client(service.config, max_in_flight=1, **{**PATIENT, **members})
        told, bot = ByCallback(), reference.bot(ENDLESS)
        ticket = told.submit(client, pbk.SEARCH, search_request(bot))
        assert reference.wait_for_requests(bot, 1)

        def leave() -> None:
            assert client.cancel(ticket) == STATUS["OK"]
            failure(told.next().result, "CANCELLED")

        return client, leave

    return occupy


@pytest.fixture
def on_the_wire(start_faults, open_client) -> Callable[..., Any]:
    """A server that answers the first request only when it is told to, a client of it, and the event to tell it by. A
    search is answered at once: when it is back, all that was handed in before it has been taken up.
    """

    def start() -> Any:
        told = threading.Event()
        server = start_faults(answer_when(told, BOOKED), answer(FOUND))
        return server, open_client(config_for(server)), told

    return start
