"""What the tests of the ledger share: requests and their twins, and a service that answers when it
is told to."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pbk
import pytest
from completions import ByCallback
from contract import failure, success
from fault_server import LIFETIME, Peer, Script, answer, answer_when, http_reply
from header import STATUS
from samples import BOOKING_REPLY, ENDLESS, SEARCH_REPLY, TAKEN_REPLY, booking_request, search_request
from services import config_for
from waiting import PATIENT

BOOKED = http_reply(201, BOOKING_REPLY)
FOUND = http_reply(200, SEARCH_REPLY)
REFUSED = http_reply(409, TAKEN_REPLY)
FAILED = http_reply(503, b"{}")
TAKEN = {"status": 409, "code": "slot_unavailable"}
SLOT = booking_request()["booking"]["start_at"]

ENDS = {"booked": (BOOKED, "OK"), "refused": (REFUSED, "SLOT_UNAVAILABLE")}
"""What a server answers and with what status the call ends, by the state that the booking has
then."""

ends = pytest.mark.parametrize("end", ENDS)

AT_ONCE = {"timeout_ms": 1000}
"""In a request: a call that is in doubt ends at once, because it would pause for a second before it
asks again."""

FIRST = {"platform_keys": "first", "platform_limit_ms": 1}
"""In a configuration: a refusal ends a doubt, a second after it began."""

REPORTED: dict[str, Any] = {"report_settled": True}

HEARD_AFTER = 1.0
"""Seconds after which what a blocking call has returned counts as heard."""

A_WHILE = HEARD_AFTER + 0.3
"""Seconds after which whatever a second brings about has come about."""


PENDING_MEMBERS = {
    "idempotency_key",
    "bot_id",
    "start_at",
    "duration_minutes",
    "recorded_at",
    "state",
    "in_flight",
    "expired",
}


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


def with_journal(config: dict[str, Any], tmp_path: Path, **members: Any) -> dict[str, Any]:
    return {**config, "journal_path": str(tmp_path / "journal"), **members}


def resume(key: str, **members: Any) -> dict[str, Any]:
    return {"idempotency_key": key, "resume": True, **members}


def give_up(key: str, **members: Any) -> dict[str, Any]:
    return {"idempotency_key": key, "give_up": True, **members}


def key_of(request: pbk.Text, call_id: pbk.Text = "call-7") -> str:
    key, error = pbk.booking_key(call_id, request)
    assert error is None and key is not None, error
    assert re.fullmatch(rb"[\x21-\x7e]{1,255}", key)
    return key.decode()


def listed(client: pbk.Client) -> list[dict[str, Any]]:
    """All bookings whose end nobody has heard yet, whether there is a journal or not."""
    return success(client.pending_bookings())["pending_bookings"]


def states(client: pbk.Client) -> dict[str, str]:
    """Of the listed bookings, by their keys."""
    bookings = listed(client)
    found = {booking["idempotency_key"]: booking["state"] for booking in bookings}
    assert len(found) == len(bookings), bookings
    return found


def unsettled(client: pbk.Client) -> list[dict[str, Any]]:
    """Those that may have been made: whatever else is listed has ended, and only waits to be
    heard."""
    return [booking for booking in listed(client) if booking["state"] in ("in_flight", "in_doubt")]


def unsettled_keys(client: pbk.Client) -> list[str]:
    return [booking["idempotency_key"] for booking in unsettled(client)]


def pending(client: pbk.Client) -> list[dict[str, Any]]:
    """The whole list of a client without a journal."""
    content = success(client.pending_bookings())
    assert set(content) == {"pending_bookings", "journal"} and content["journal"] is None
    return content["pending_bookings"]


def pending_keys(client: pbk.Client) -> list[str]:
    return [booking["idempotency_key"] for booking in pending(client)]


def statuses(reference, bot: str) -> list[int]:
    return [request["status"] for request in reference.requests(bot)]


FIRST_WORDS = {"booked": "is made", "in_flight": "is in flight", "in_doubt": "is in doubt"}
"""A refusal of another request under a known key: its words after `The idempotency_key has another
booking, which `."""


def reused(result: pbk.Result, key: str, state: str, start_at: str = SLOT, booking_id: str | None = None) -> None:
    """It must have been refused without a request, and say what the key has: nobody may believe
    that it is free."""
    error = failure(result, "IDEMPOTENCY_KEY_REUSED")
    assert (error["outcome"], error["field"], error["idempotency_key"]) == ("unknown", "idempotency_key", key)
    assert (error["attempts"], error["retryable"], error["status"]) == (0, False, None)
    words = f"The idempotency_key has another booking, which {FIRST_WORDS[state]}: resume it"
    assert error["message"].startswith(words), error
    existing = error["existing"]
    assert set(existing) - {"booking_id"} == {"state", "start_at"}, error
    assert (existing["state"], existing["start_at"]) == (state, start_at), error
    assert existing.get("booking_id") == booking_id, error


def all_of(client: pbk.Client, way: Any, tickets: list[int]) -> list[pbk.Completion]:
    """Their completions, in the order of the tickets."""
    found = {completion.ticket: completion for completion in (way.next(client) for _ in tickets)}
    return [found[ticket] for ticket in tickets]


def answer_in_turn(*replies: bytes) -> Script:
    """The n-th request meets the n-th reply, whatever connection it comes on, and later ones meet
    the last."""
    left, lock = list(replies), threading.Lock()

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            with lock:
                reply = left.pop(0) if len(left) > 1 else left[0]
            peer.send(reply)

    return script


def answer_by_key(peer: Peer) -> None:
    """What a key begins with says what its request meets: `booked`, `refused`, `in_doubt`; or
    nothing: `in_flight`."""
    while True:
        kind = (peer.read_request().idempotency_key or "").split("-")[0]
        if kind == "in_flight":
            peer.pause(LIFETIME)
        peer.send({"booked": BOOKED, "refused": REFUSED, "in_doubt": FAILED}.get(kind, FOUND))


@pytest.fixture
def one_at_a_time(reference, service, open_client) -> Callable[..., tuple[pbk.Client, Callable[[], None]]]:
    """A client whose only place is taken until it is told: what is submitted meanwhile has
    certainly not been sent."""

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
    """A server that answers the first request only when it is told to, a client of it, and the
    event to tell it by. A search is answered at once: when it is back, all that was handed in
    before it has been taken up. """

    def start() -> Any:
        told = threading.Event()
        server = start_faults(answer_when(told, BOOKED), answer(FOUND))
        return server, open_client(config_for(server)), told

    return start


# The journal

LINE = re.compile(rb"pbk[12] ([0-9a-f]{16}) (\{.*\})")


def records(path: Path) -> list[dict[str, Any]]:
    """The records of a journal, all of which must be intact but for one that is just being
    written."""
    found = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        match = LINE.fullmatch(line)
        assert match is not None and _digest(match[2]) == match[1], line
        found.append(json.loads(match[2]))
    return found


def write_records(path: Path, changed_records: list[dict[str, Any]], word: str = "pbk2") -> None:
    """In place of the file. The word names the version."""
    texts = [json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode() for record in changed_records]
    path.write_bytes(b"".join(b"%s %s %s\n" % (word.encode(), _digest(text), text) for text in texts))


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:16].encode()


def recorded(path: Path) -> dict[str, str]:
    """What a client that opens this journal has to list: the state of each booking of whose end
    nobody has heard."""
    last: dict[str, dict[str, Any]] = {}
    for record in records(path):
        key = record.get("key", "")
        if record["type"] in STATES:
            last[key] = record
        elif record["type"] == "given_up" or (record["type"] == "heard" and _is_of(last.get(key), record)):
            last.pop(key, None)
    return {key: STATES[record["type"]] for key, record in last.items()}


STATES = {"intent": "in_doubt", "booked": "booked", "void": "refused"}
"""Of a booking, by the type of its last record."""


def _is_of(end: dict[str, Any] | None, heard: dict[str, Any]) -> bool:
    return end is not None and end["type"] != "intent" and end["clock"] == heard["end"]
