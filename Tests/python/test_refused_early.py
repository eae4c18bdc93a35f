"""Errors before anything is sent: for a key that may have a booking the outcome is `unknown`, for others `not_sent`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pbk
import pytest
from completions import ByCallback, ByQueue
from contract import CODES, failure, in_doubt, success
from fault_server import LIFETIME, FaultServer, Peer
from header import STATUS
from held import Held, submitted
from ledger import AT_ONCE, BOOKED, FAILED, FOUND, REFUSED, changed, resume, states
from loopback import webhook_config
from samples import CALLS_ONLY, ONCE, READS_ONLY, UNSPARED, booking_request, search_request
from waiting import PATIENT, wait_until

OUTCOMES = {
    "booked": "unknown",
    "booked, unheard": "unknown",
    "in_flight": "unknown",
    "in_doubt": "unknown",
    "refused": "not_sent",
    "refused, unheard": "not_sent",
    "free": "not_sent",
}
"""Of an error before sending, by what is known of the key."""

KEYS = {state: f"{state.replace(', ', '-')}-key" for state in OUTCOMES}


def serve(peer: Peer) -> None:
    while True:
        kind = json.loads(peer.read_request().body).get("idempotency_key", "").split("-")[0]
        if kind == "in_flight":
            peer.pause(LIFETIME)
        peer.send({"booked": BOOKED, "refused": REFUSED, "in_doubt": FAILED}.get(kind, FOUND))


@pytest.fixture
def server(start_faults) -> FaultServer:
    return start_faults(serve)


def config(server: FaultServer, **members: Any) -> dict[str, Any]:
    platform = {"account_id": "acct_1", "webhook_url": server.url, "webhook_secret": "whsec_1"}
    platforms = {"bot_1": platform, "bot_mute": {"account_id": "acct_1"}}
    calls = {"retry": ONCE, **PATIENT, **CALLS_ONLY, **READS_ONLY, **UNSPARED}
    return webhook_config(platforms, **{**calls, **members})


def bring_about(client: pbk.Client, server: FaultServer) -> list[Held]:
    """Gives each key its state, that in doubt last. Returns what the host holds."""
    success(client.book(booking_request("bot_1", KEYS["booked"])))
    failure(client.book(booking_request("bot_1", KEYS["refused"])), "SLOT_UNAVAILABLE")
    unheard = [("booked, unheard", "OK"), ("refused, unheard", "SLOT_UNAVAILABLE")]
    held = [submitted(client, booking_request("bot_1", KEYS[state]), status) for state, status in unheard]
    ByQueue().submit(client, pbk.BOOK, booking_request("bot_1", KEYS["in_flight"]))
    wait_until(lambda: any(KEYS["in_flight"].encode() in each.body for each in server.requests))
    in_doubt(client.book(booking_request("bot_1", KEYS["in_doubt"], **AT_ONCE)), 503, "http_error")
    wait_until(lambda: states(client) == {KEYS[state]: each for state, each in LISTED.items()})
    return held


@pytest.fixture
def stage(server, open_client) -> Iterator[Callable[..., pbk.Client]]:
    """Opens a client that has a key in each state."""
    held: list[Held] = []

    def stage(**members: Any) -> pbk.Client:
        client = open_client(config(server, **members))
        held.extend(bring_about(client, server))
        return client

    yield stage
    for each in held:
        each.free()


@pytest.fixture(scope="module")
def staged() -> Iterator[tuple[pbk.Client, FaultServer]]:
    """One for tests that change nothing."""
    with FaultServer(serve) as server, pbk.Client(config(server)) as client:
        held = bring_about(client, server)
        yield client, server
        for each in held:
            each.free()


LISTED = {
    "booked, unheard": "booked",
    "in_flight": "in_flight",
    "in_doubt": "in_doubt",
    "refused, unheard": "refused",
}


def whole(key: str) -> dict[str, Any]:
    return booking_request("bot_1", key)


def wrong(name: str, value: Any) -> Callable[[str], dict[str, Any]]:
    return lambda key: {**whole(key), name: value}


def instead(path: str, value: Any) -> Callable[[str], dict[str, Any]]:
    return lambda key: changed(whole(key), path, value)


def only(**members: Any) -> Callable[[str], dict[str, Any]]:
    return lambda key: {"idempotency_key": key, **members}


def twice(name: str) -> Callable[[str], str]:
    return lambda key: json.dumps({name: whole(key)[name], **whole(key)})[:-1] + f',"{name}":{{}}}}'


WRONG = {
    "tag": wrong("tag", 5),
    "long tag": wrong("tag", "t" * 257),
    "timeout_ms": wrong("timeout_ms", 0),
    "slow_after_ms": wrong("slow_after_ms", "soon"),
    "traceparent": wrong("traceparent", "00-1-2-3"),
    "detach": wrong("detach", "yes"),
    "resume": wrong("resume", 1),
    "give_up": wrong("give_up", "yes"),
    "conversation": wrong("conversation", 7),
    "long conversation": wrong("conversation", "c" * 257),
    "start_before": wrong("start_before", "2030-01-14T10:00:00Z"),
    "resume and a booking": wrong("resume", True),
    "give_up and a booking": wrong("give_up", True),
    "resume and give_up": only(resume=True, give_up=True),
    "resume and a conversation": only(resume=True, conversation="c"),
    "give_up and a bot": only(give_up=True, bot_id="bot_1"),
    "give_up and a moment": only(give_up=True, start_before="2030-01-14T10:00:00Z"),
    "no booking": instead("booking", None),
    "no bot": instead("bot_id", None),
    "empty bot": instead("bot_id", ""),
    "no customer": instead("booking.customer", None),
    "phone": instead("booking.customer.phone", "5550137"),
    "name": instead("booking.customer.name", " "),
    "no offset": instead("booking.start_at", "2030-01-14T10:00:00"),
    "minutes": instead("booking.duration_minutes", 0),
    "booking twice": twice("booking"),
    "bot twice": twice("bot_id"),
    "tag twice": lambda key: json.dumps({**whole(key), "tag": "t"})[:-1] + ',"tag":"u"}',
}
CODES_BEFORE = {name: ("INVALID_FIELD", request_of) for name, request_of in WRONG.items()} | {
    "unknown bot": ("UNKNOWN_BOT", instead("bot_id", "bot_2")),
    "mute bot": ("NO_WEBHOOK", instead("bot_id", "bot_mute")),
}


def judge(result: pbk.Result, status: str, state: str) -> None:
    """Also against the page, which `failure` looks at."""
    error = failure(result, status)
    assert (error["outcome"], error["idempotency_key"]) == (OUTCOMES[state], KEYS[state]), (state, error)
    assert (error["attempts"], error["status"]) == (0, None), (state, error)


@pytest.mark.parametrize("case", CODES_BEFORE)
def test_requests_that_are_wrong(staged, case):
    """By both ways to call."""
    client, server = staged
    before, sent = states(client), len(server.requests)
    status, request_of = CODES_BEFORE[case]
    for state, key in KEYS.items():
        judge(client.book(request_of(key)), status, state)
        submission = client.submit(pbk.BOOK, request_of(key))
        judge(pbk.Result(submission.status, submission.error), status, state)
    assert states(client) == before and len(server.requests) == sent


def test_queue_that_is_full(server, open_client):
    """The only place is taken by the booking in flight. What needs none may have its reply."""
    client = open_client(config(server, max_in_flight=1, max_queued=0))
    success(client.book(whole(KEYS["booked"])))
    failure(client.book(whole(KEYS["refused"])), "SLOT_UNAVAILABLE")
    in_doubt(client.book({**whole(KEYS["in_doubt"]), **AT_ONCE}), 503, "http_error")
    ByQueue().submit(client, pbk.BOOK, whole(KEYS["in_flight"]))
    wait_until(lambda: len(server.requests) == 4)
    for state in ("booked", "in_flight", "in_doubt", "refused", "free"):
        for request in (whole(KEYS[state]), resume(KEYS[state])):
            submission = client.submit(pbk.BOOK, request)
            if submission.status == STATUS["OK"]:
                assert state == "booked"
                success(ByQueue().next(client).result)
            else:
                judge(pbk.Result(submission.status, submission.error), "QUEUE_FULL", state)
    assert len(server.requests) == 4


def test_client_that_is_closed(stage):
    client = stage()
    assert client.close(0) == STATUS["TIMEOUT"]
    for state, key in KEYS.items():
        for request in (whole(key), resume(key)):
            submission = client.submit(pbk.BOOK, request)
            for result in (client.book(request), pbk.Result(submission.status, submission.error)):
                error = failure(result, "CLIENT_CLOSED")
                if error["idempotency_key"] is None:  # nothing is known of any key any more
                    assert error["outcome"] == "unknown"
                else:
                    judge(result, "CLIENT_CLOSED", state)


def test_circuit_that_is_open(stage, server):
    """The booking in doubt has opened it."""
    client = stage(circuit_breaker={"failures": 1, "open_ms": 600_000})
    sent = len(server.requests)
    failure(client.search(search_request("bot_1")), "CIRCUIT_OPEN")
    for state in ("in_doubt", "free", "refused", "refused, unheard"):
        judge(client.book(whole(KEYS[state])), "CIRCUIT_OPEN", state)
    judge(client.book(resume(KEYS["in_doubt"])), "CIRCUIT_OPEN", "in_doubt")
    for state in ("booked", "booked, unheard"):
        success(client.book(whole(KEYS[state])))
    assert len(server.requests) == sent


def test_call_that_would_deadlock(stage):
    """From a callback, whatever it is about."""
    client = stage()
    found: dict[str, pbk.Result] = {}

    def call_all(completion: pbk.Completion) -> None:
        found.update({state: client.book(whole(key)) for state, key in KEYS.items()})

    told = ByCallback(call_all)
    told.submit(client, pbk.SEARCH, search_request("bot_1"))
    told.next()
    assert set(found) == set(KEYS)
    for state, result in found.items():
        error = failure(result, "WOULD_DEADLOCK")
        # As the page says, an error without a key is about its call alone.
        assert (error["outcome"], error["idempotency_key"]) in [(OUTCOMES[state], KEYS[state]), ("not_sent", None)]


def test_page_says_so_in_every_row():
    """Whatever can be found before sending allows both."""
    both = {"not_sent", "unknown"}
    codes = ["invalid_field", "unknown_bot", "no_webhook", "queue_full", "client_closed", "circuit_open"]
    codes += ["would_deadlock"]
    for code in codes:
        assert both <= set(re.findall(r"`(\w+)`", CODES[code].outcomes)), CODES[code]
    assert CODES["idempotency_key_reused"].outcomes == "`unknown`"
    assert CODES["ledger_full"].outcomes == "`not_sent`"
