"""One key, one booking: what the library remembers of an idempotency key, and what a call with it then gets."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pbk
import pytest
from completions import ByCallback
from contract import ATTEMPT_MEMBERS, BOOKING_MEMBERS, STATUS, error_object, failure, success
from fault_server import answer, answer_when, http_reply
from run_reference import headers_of
from samples import (
    BOOKING_REPLY,
    BOT_ID,
    NAME,
    ONCE,
    PHONE,
    QUICK,
    SANDBOX,
    SEARCH_REPLY,
    UNSPARED,
    booking_request,
    new_key,
    search_request,
)
from test_abi import GARBAGE, MINUTE, config_for
from test_cancel import ENDLESS, PATIENT

BOOKED = http_reply(201, BOOKING_REPLY)
FOUND = http_reply(200, SEARCH_REPLY)
TAKEN = {"status": 409, "code": "slot_unavailable"}

pytestmark = pytest.mark.usefixtures("no_violation")


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


# Twins


@pytest.mark.parametrize("count", [2, 12])
def test_twins_in_flight_are_one_request(on_the_wire, way, count):
    """Each gets the reply, under its own tag and context; and none of them is a replay."""
    server, client, told = on_the_wire()
    request = booking_request()
    tickets = [way.submit(client, pbk.BOOK, {**request, "tag": f"t{number}"}, number) for number in range(1, count + 1)]
    assert server.wait_for_requests(1)
    success(client.search(search_request()))
    assert [booking["in_flight"] for booking in pending(client)] == [True]
    told.set()
    for number, completion in enumerate(all_of(client, way, tickets), start=1):
        assert completion.result == pbk.Result(STATUS["OK"], BOOKING_REPLY)
        assert (completion.tag, completion.context) == (f"t{number}", number)
        assert completion.timing["attempts"] == 1 and "replayed" not in completion.timing
    assert [key for key in server.keys() if key] == [request["idempotency_key"]]
    assert pending(client) == []


def test_twins_that_wait_for_their_turn_are_one_request(reference, one_at_a_time, way):
    """They take one place among the calls in flight, and so none waits for the other."""
    client, leave = one_at_a_time()
    bot = reference.bot()
    request = booking_request(bot)
    tickets = [way.submit(client, pbk.BOOK, request) for _ in range(5)]
    leave()
    completions = all_of(client, way, tickets)
    (sent,) = reference.requests(bot)
    assert {completion.result for completion in completions} == {(STATUS["OK"], sent["reply"].encode("latin-1"))}


def test_blocking_twins_are_one_booking(reference, service, open_client, threads):
    """Whether they meet in flight or one comes after the other."""
    bot = reference.bot({"hold_ms": 100})
    client = open_client(service.config)
    request = booking_request(bot)
    results = list(threads.map(lambda _: client.book(request), range(16)))
    success(results[0])
    assert set(results) == {results[0]}
    assert statuses(reference, bot) == [201]


def test_twins_share_a_refusal(reference, one_at_a_time, way):
    client, leave = one_at_a_time()
    bot = reference.bot({**TAKEN})
    request = booking_request(bot)
    tickets = [way.submit(client, pbk.BOOK, request) for _ in range(3)]
    leave()
    for completion in all_of(client, way, tickets):
        error = failure(completion.result, "SLOT_UNAVAILABLE")
        assert (error["outcome"], error["attempts"]) == ("rejected", 1)
    assert statuses(reference, bot) == [409]


def test_keys_are_the_clients_own(reference, service, open_client):
    """Two clients share no memory: the second asks the service, which knows the key."""
    bot = reference.bot()
    request = booking_request(bot)
    first, second = (open_client(service.config).book(request) for _ in range(2))
    assert first == second
    assert statuses(reference, bot) == [201, 200]


@pytest.mark.parametrize("leaver", [0, 1, 2])
def test_twin_that_is_cancelled_ends_alone(on_the_wire, way, leaver):
    """Also when it is the one whose request it was. It may be booked, since the others go on."""
    server, client, told = on_the_wire()
    request = booking_request()
    tickets = [way.submit(client, pbk.BOOK, request) for _ in range(3)]
    assert server.wait_for_requests(1)
    assert client.cancel(tickets[leaver]) == STATUS["OK"]
    completion = way.next(client)
    assert completion.ticket == tickets[leaver]
    error = failure(completion.result, "CANCELLED")
    assert (error["outcome"], error["idempotency_key"]) == ("unknown", request["idempotency_key"])
    told.set()
    others = [ticket for ticket in tickets if ticket != completion.ticket]
    for other in all_of(client, way, others):
        assert other.result == (STATUS["OK"], BOOKING_REPLY)
    assert server.keys() == [request["idempotency_key"]]
    assert client.book(request) == (STATUS["OK"], BOOKING_REPLY)
    assert server.keys() == [request["idempotency_key"]]


@pytest.mark.parametrize("short", [0, 1, 2])
def test_twin_whose_time_is_up_ends_alone(on_the_wire, way, short):
    """The request goes on for the one that can wait longest, whoever came first."""
    server, client, told = on_the_wire()
    request = booking_request()
    limits = [200 if number == short else MINUTE for number in range(3)]
    tickets = [way.submit(client, pbk.BOOK, {**request, "timeout_ms": limit}) for limit in limits]
    completion = way.next(client)
    assert completion.ticket == tickets[short]
    assert failure(completion.result, "TIMEOUT")["outcome"] == "unknown"
    assert server.wait_for_requests(1)
    told.set()
    for other in all_of(client, way, [ticket for ticket in tickets if ticket != completion.ticket]):
        assert other.result == (STATUS["OK"], BOOKING_REPLY)
    assert server.keys() == [request["idempotency_key"]]


def test_twin_that_is_detached_goes_on(on_the_wire, way):
    """`detach` is the call's own, and no other request."""
    server, client, told = on_the_wire()
    request = booking_request()
    tickets = [way.submit(client, pbk.BOOK, {**request, "detach": detach}) for detach in (False, True, False)]
    assert server.wait_for_requests(1)
    for ticket in tickets:
        assert client.cancel(ticket) == STATUS["OK"]
    for _ in range(2):
        completion = way.next(client)
        assert completion.ticket != tickets[1]
        assert failure(completion.result, "CANCELLED")["outcome"] == "unknown"
    told.set()
    completion = way.next(client)
    assert (completion.ticket, completion.result) == (tickets[1], (STATUS["OK"], BOOKING_REPLY))
    assert server.keys() == [request["idempotency_key"]]


def test_request_is_given_up_when_all_twins_are_cancelled(open_client, start_faults, way):
    def read_on(peer):
        peer.read_request()
        peer.read(1)

    server = start_faults(read_on)
    client = open_client(config_for(server))
    request = booking_request()
    tickets = [way.submit(client, pbk.BOOK, request) for _ in range(3)]
    assert server.wait_for_requests(1)
    for ticket in tickets:
        assert client.cancel(ticket) == STATUS["OK"]
    for completion in all_of(client, way, tickets):
        assert failure(completion.result, "CANCELLED")["outcome"] == "unknown"
    assert server.wait_until_idle(), "the transfer goes on"
    assert [booking["in_flight"] for booking in pending(client)] == [False]


def test_twins_cancelled_before_they_were_sent(reference, one_at_a_time, way):
    """Who leaves earlier leaves others behind, who might book. The last knows that nobody did, and the key is free."""
    client, leave = one_at_a_time()
    bot = reference.bot()
    request = booking_request(bot)
    tickets = [way.submit(client, pbk.BOOK, request) for _ in range(3)]
    for ticket in tickets:
        assert client.cancel(ticket) == STATUS["OK"]
    errors = [failure(completion.result, "CANCELLED") for completion in all_of(client, way, tickets)]
    assert sorted(error["outcome"] for error in errors) == ["not_sent", "unknown", "unknown"]
    assert pending(client) == []
    leave()
    assert reference.requests(bot) == []
    success(client.book(changed(request, "booking.notes", "Another wish")))
    assert statuses(reference, bot) == [201]


def test_twins_of_a_client_that_is_closed(on_the_wire, way):
    server, client, _ = on_the_wire()
    tickets = [way.submit(client, pbk.BOOK, booking_request(key="k")) for _ in range(3)]
    assert server.wait_for_requests(1)
    assert client.close(0) == STATUS["TIMEOUT"]
    completions = way.rest(client)
    assert sorted(completion.ticket for completion in completions) == tickets
    for completion in completions:
        assert failure(completion.result, "CLIENT_CLOSED")["outcome"] == "unknown"


# Replays


def test_replay(reference, service, open_client, way):
    """To the byte, at once, and without a request."""
    bot, key = reference.bot(), new_key()
    client = open_client(service.config)
    request = booking_request(bot, key)
    way.submit(client, pbk.BOOK, request)
    first = way.next(client)
    success(first.result)
    assert "replayed" not in first.timing and first.timing["attempts"] == 1
    for number in range(3):
        ticket = way.submit(client, pbk.BOOK, {**request, "tag": f"again {number}"}, number + 1)
        again = way.next(client)
        assert (again.ticket, again.tag, again.context) == (ticket, f"again {number}", number + 1)
        assert (again.status, again.reply, again.outcome) == (STATUS["OK"], first.reply, first.outcome)
        assert (again.timing["replayed"], again.timing["attempts"]) == (True, 0)
        assert not ATTEMPT_MEMBERS & set(again.timing)
    (sent,) = reference.requests(bot)
    assert sent["reply"].encode("latin-1") == first.reply
    assert pending(client) == []


def test_replay_of_the_sandbox(open_client, way):
    client = open_client(SANDBOX)
    request = booking_request()
    first = client.book(request)
    way.submit(client, pbk.BOOK, request)
    again = way.next(client)
    assert again.result == first and again.timing["replayed"] is True
    assert len(success(client.sandbox_bookings())["bookings"]) == 1


def test_replay_waits_for_no_turn(reference, one_at_a_time):
    """Nor for the service: the only place is taken, and stays so."""
    bot = reference.bot()
    request = booking_request(bot)
    told = ByCallback()
    client, leave = one_at_a_time()
    told.submit(client, pbk.BOOK, request)
    leave()
    first = told.next().result
    endless = reference.bot(ENDLESS)
    ticket = told.submit(client, pbk.SEARCH, search_request(endless))
    assert reference.wait_for_requests(endless, 1)
    assert client.book(request) == first
    client.cancel(ticket)
    failure(told.next().result, "CANCELLED")


def test_replay_when_the_service_is_gone(open_client, start_faults):
    server = start_faults(answer(BOOKED))
    client = open_client(config_for(server), circuit_breaker={"failures": 1, "open_ms": 600_000})
    request = booking_request()
    first = client.book(request)
    server.__exit__()
    while client.search(search_request()).status != STATUS["CIRCUIT_OPEN"]:
        pass
    assert client.book(request) == first == (STATUS["OK"], BOOKING_REPLY)


def test_booking_found_by_a_retry_is_replayed_as_it_was_found(reference, http1, open_client):
    bot = reference.bot({"status": 503, "processed": True}, {})
    client = open_client(http1.config, retry=QUICK)
    request = booking_request(bot)
    first = client.book(request)
    assert success(first) and client.book(request) == first
    assert statuses(reference, bot) == [503, 200]


# The same request, and another one

FIRST = (
    '{"bot_id":"BOT","idempotency_key":"KEY","booking":{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,'
    '"customer":{"phone":"+14155550137","name":"Johanna Mustermann"},"price":1.50}}'
)
"""A request as text. BOT and KEY are put in by the tests."""

SAME = {
    "order of members": (
        '{"booking":{"price":1.50,"customer":{"name":"Johanna Mustermann","phone":"+14155550137"},'
        '"duration_minutes":30,"start_at":"2030-01-14T10:00:00Z"},"idempotency_key":"KEY","bot_id":"BOT"}'
    ),
    "white space": FIRST.replace(",", " ,\n\t").replace('":', '" : ').replace("}", "\r }") + "\n",
    "spelling of numbers": FIRST.replace("1.50", "15.0E-1"),
    "escapes": FIRST.replace("+", "\\u002b").replace("Johanna", "J\\u006fhanna").replace("start_at", "start\\u005fat"),
    "timeout_ms": FIRST[:-1] + ',"timeout_ms":29999}',
    "slow_after_ms": FIRST[:-1] + ',"slow_after_ms":29999}',
    "tag": '{"tag":"another",' + FIRST[1:],
    "traceparent": FIRST[:-1] + ',"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}',
    "detach": '{"detach":true,' + FIRST[1:],
    "resume": FIRST[:-1] + ',"resume":false}',
}

ANOTHER = {
    "start": ("booking.start_at", "2030-01-14T11:00:00Z"),
    "spelling of the start": ("booking.start_at", "2030-01-14T11:00:00+01:00"),
    "duration": ("booking.duration_minutes", 60),
    "phone": ("booking.customer.phone", "+14155550138"),
    "name": ("booking.customer.name", "Johanna Musterfrau"),
    "no e-mail": ("booking.customer.email", None),
    "notes": ("booking.notes", "Second consultation"),
    "no notes": ("booking.notes", None),
    "bot": ("bot_id", BOT_ID),
    "member more": ("booking.price", 1),
    "member more outside": ("language", "de"),
}

another = pytest.mark.parametrize(("path", "value"), ANOTHER.values(), ids=ANOTHER)


@pytest.mark.parametrize("again", SAME.values(), ids=SAME)
def test_same_request_in_other_words(reference, http1, open_client, again):
    bot, key = reference.bot(), new_key()
    client = open_client(http1.config)
    first = client.book(FIRST.replace("BOT", bot).replace("KEY", key))
    success(first)
    assert client.book(again.replace("BOT", bot).replace("KEY", key)) == first
    assert statuses(reference, bot) == [201]


def reused(result: pbk.Result, key: str) -> None:
    """It must have been refused without a request."""
    error = failure(result, "IDEMPOTENCY_KEY_REUSED")
    assert (error["outcome"], error["field"], error["idempotency_key"]) == ("rejected", "idempotency_key", key)
    assert (error["attempts"], error["retryable"], error["status"]) == (0, False, None)


@another
def test_another_request_under_the_key_of_a_booking(reference, http1, open_client, path, value):
    """It is refused, by the library; and the booking that has the key is still known."""
    bot, key = reference.bot(), new_key()
    client = open_client(http1.config)
    request = booking_request(bot, key)
    first = client.book(request)
    success(first)
    for _ in range(2):
        reused(client.book(changed(request, path, value)), key)
    assert client.book(request) == first
    assert len(reference.bookings(idempotency_key=key)["requests"]) == 1


def test_members_that_are_spelled_alike_are_not_alike(reference, http1, open_client):
    """Text, number, truth and nothing are four things, and so is a list of two what a list of one is not."""
    client = open_client(http1.config)
    values = ["1", 1, True, None, [1], [1, 1], [[1], 1], [1, [1]], {}, {"1": 1}, "", []]
    for first in values:
        bot, key = reference.bot(), new_key()
        request = booking_request(bot, key)
        request["booking"]["extra"] = first
        success(client.book(request))
        for second in values:
            if second is not first:
                reused(client.book({**request, "booking": {**request["booking"], "extra": second}}), key)
        assert statuses(reference, bot) == [201]


@another
def test_another_request_under_a_key_in_flight(on_the_wire, way, path, value):
    server, client, told = on_the_wire()
    request = booking_request()
    if path == "bot_id":
        value = "bot_another"
    first = way.submit(client, pbk.BOOK, request)
    second = way.submit(client, pbk.BOOK, changed(request, path, value))
    completion = way.next(client)
    assert completion.ticket == second
    reused(completion.result, request["idempotency_key"])
    assert server.wait_for_requests(1)
    told.set()
    completion = way.next(client)
    assert (completion.ticket, completion.result) == (first, (STATUS["OK"], BOOKING_REPLY))
    assert server.keys() == [request["idempotency_key"]]


@another
def test_another_request_under_a_key_in_doubt(reference, http1, open_client, path, value):
    """What may have been booked keeps its key. The same request may have it, and settles the doubt."""
    bot, key = reference.bot({"status": 503, "processed": True}, {}), new_key()
    client = open_client(http1.config, retry=ONCE)
    request = booking_request(bot, key)
    assert failure(client.book(request), "SERVICE_FAILED")["outcome"] == "unknown"
    reused(client.book(changed(request, path, value)), key)
    assert pending_keys(client) == [key]
    success(client.book(request))
    reused(client.book(changed(request, path, value)), key)
    assert statuses(reference, bot) == [503, 200]
    assert len(reference.bookings(idempotency_key=key)["requests"]) == 2


# What frees a key


def test_rejected_booking_frees_its_key(reference, service, open_client):
    bot, key = reference.bot({"status": 422, "code": "in_the_past"}, TAKEN, {}), new_key()
    client = open_client(service.config)
    for start, status in [(8, "REFUSED"), (9, "SLOT_UNAVAILABLE")]:
        request = changed(booking_request(bot, key), "booking.start_at", f"2030-01-14T{start:02}:00:00Z")
        assert failure(client.book(request), status)["outcome"] == "rejected"
        assert pending(client) == []
    corrected = booking_request(bot, key)
    success(client.book(corrected))
    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [422, 409, 201]
    assert {headers_of(request)["idempotency-key"] for request in requests} == {key}


def test_rejected_booking_may_be_asked_for_again(reference, http1, open_client):
    """A refusal is not remembered: the slot may be free by now."""
    bot = reference.bot(TAKEN, {})
    client = open_client(http1.config)
    request = booking_request(bot)
    failure(client.book(request), "SLOT_UNAVAILABLE")
    success(client.book(request))
    assert statuses(reference, bot) == [409, 201]


@pytest.mark.parametrize("end", ["cancelled", "overdue"])
def test_booking_that_was_not_sent_frees_its_key(reference, one_at_a_time, end):
    client, leave = one_at_a_time()
    bot, key = reference.bot(), new_key()
    told = ByCallback()
    wrong = changed(booking_request(bot, key), "booking.customer.name", "Johann Mustermann")
    if end == "cancelled":
        client.cancel(told.submit(client, pbk.BOOK, wrong))
        error = failure(told.next().result, "CANCELLED")
    else:
        error = failure(client.book({**wrong, "timeout_ms": 50}), "TIMEOUT")
    assert (error["outcome"], error["attempts"]) == ("not_sent", 0)
    assert pending(client) == []
    leave()
    success(client.book(booking_request(bot, key)))
    assert statuses(reference, bot) == [201]


def test_booking_that_met_nobody_frees_its_key(open_client, start_faults):
    """No connection, no request. And with an open circuit breaker, not even an attempt."""
    server = start_faults(answer(BOOKED))
    server.stop_listening()
    client = open_client(config_for(server), circuit_breaker={"failures": 1, "open_ms": 600_000})
    request = booking_request()
    assert failure(client.book(request), "CONNECT_FAILED")["outcome"] == "not_sent"
    for notes in ("First", "Second"):
        error = failure(client.book(changed(request, "booking.notes", notes)), "CIRCUIT_OPEN")
        assert (error["outcome"], error["attempts"]) == ("not_sent", 0)
    assert pending(client) == []


# Doubt


@pytest.mark.parametrize(
    ("second", "status"),
    [
        ({"status": 401, "code": "unauthorized"}, "UNAUTHORIZED"),
        ({"status": 429, "code": "slow_down"}, "RATE_LIMITED"),
        ({**TAKEN, "headers": {"Retry-After": "86400"}}, "SLOT_UNAVAILABLE"),
        ({"status": 500, "code": "internal"}, "SERVICE_FAILED"),
    ],
    ids=str,
)
def test_doubt_is_the_keys_and_not_the_calls(reference, http1, open_client, second, status):
    """The second call would be `rejected` on its own; but the first may have booked."""
    bot, key = reference.bot({"status": 503}, second, {}), new_key()
    client = open_client(http1.config, retry=ONCE)
    request = booking_request(bot, key)
    failure(client.book(request), "SERVICE_FAILED")
    error = failure(client.book(request), status)
    assert (error["outcome"], error["attempts"]) == ("unknown", 1)
    assert pending_keys(client) == [key]
    success(client.book(request))
    assert pending(client) == []


def test_doubt_outlives_calls_that_send_nothing(reference, http1, open_client):
    """A breaker that is open, and a cancel before the request was sent: neither knows anything of the first call."""
    bot, key = reference.bot({"status": 503}), new_key()
    breaker = {"failures": 1, "open_ms": 600_000}
    client = open_client(http1.config, retry=ONCE, circuit_breaker=breaker, max_in_flight=1, **PATIENT)
    request = booking_request(bot, key)
    endless = reference.bot(ENDLESS)
    told = ByCallback()
    failure(client.book(request), "SERVICE_FAILED")
    error = failure(client.book(request), "CIRCUIT_OPEN")
    assert (error["outcome"], error["attempts"]) == ("unknown", 0)
    sparing = open_client(http1.config, retry=ONCE, max_in_flight=1, **PATIENT)
    failure(sparing.book(request), "SERVICE_FAILED")
    search = told.submit(sparing, pbk.SEARCH, search_request(endless))
    assert reference.wait_for_requests(endless, 1)
    sparing.cancel(told.submit(sparing, pbk.BOOK, request))
    error = failure(told.next().result, "CANCELLED")
    assert (error["outcome"], error["attempts"]) == ("unknown", 0)
    sparing.cancel(search)
    told.next()
    for each in (client, sparing):
        assert pending_keys(each) == [key]
    assert statuses(reference, bot) == [503, 503]


def test_two_refusals_settle_the_doubt_of_an_earlier_call(reference, http1, open_client):
    bot, key = reference.bot({"status": 503}, TAKEN, TAKEN, {}), new_key()
    client = open_client(http1.config, retry=ONCE)
    request = booking_request(bot, key)
    failure(client.book(request), "SERVICE_FAILED")
    error = failure(client.book(request), "SLOT_UNAVAILABLE")
    assert (error["outcome"], error["attempts"]) == ("rejected", 2)
    assert pending(client) == []
    success(client.book(changed(request, "booking.start_at", "2030-01-14T11:00:00Z")))
    assert statuses(reference, bot) == [503, 409, 409, 201]


def test_doubt_of_a_call_that_was_too_slow(reference, service, open_client):
    """The service books after the caller has given up. The next call finds that booking, and no second one is made."""
    bot = reference.bot({"delay_ms": 600}, {})
    client = open_client(service.config)
    request = booking_request(bot)
    assert error_object(client.book({**request, "timeout_ms": 300}).reply)["outcome"] in ("unknown", "not_sent")
    success(client.book(request))
    assert len(reference.bookings(bot_id=bot)["bookings"]) == 1


# Resuming


def test_resume_settles_a_doubt(reference, service, open_client, way):
    """The recorded request goes out once more, to the byte and under its key; from then on it is replayed."""
    bot, key = reference.bot({"status": 503, "processed": True}, {}), new_key()
    client = open_client(service.config, retry=ONCE)
    request = booking_request(bot, key)
    failure(client.book(request), "SERVICE_FAILED")
    way.submit(client, pbk.BOOK, resume(key, tag="resumed", timeout_ms=MINUTE))
    completion = way.next(client)
    assert success(completion.result)["booking"]["platform_reference"] == key
    assert completion.tag == "resumed" and "replayed" not in completion.timing
    requests = reference.requests(bot)
    assert [sent["status"] for sent in requests] == [503, 200]
    assert requests[0]["body"] == requests[1]["body"]
    assert {headers_of(sent)["idempotency-key"] for sent in requests} == {key}
    assert pending(client) == []
    assert client.book(resume(key)) == client.book(request) == completion.result
    assert len(reference.requests(bot)) == 2


def test_resume_that_fails_may_be_repeated(reference, http1, open_client):
    bot, key = reference.bot({"status": 503}, {"status": 503}, {}), new_key()
    client = open_client(http1.config, retry=ONCE)
    failure(client.book(booking_request(bot, key)), "SERVICE_FAILED")
    error = failure(client.book(resume(key, tag="t")), "SERVICE_FAILED")
    assert (error["outcome"], error["idempotency_key"], error["tag"]) == ("unknown", key, "t")
    success(client.book(resume(key)))
    assert statuses(reference, bot) == [503, 503, 201]


def test_resume_joins_what_is_under_way(on_the_wire, way):
    server, client, told = on_the_wire()
    request = booking_request()
    tickets = [way.submit(client, pbk.BOOK, each) for each in (request, resume(request["idempotency_key"]))]
    assert server.wait_for_requests(1)
    success(client.search(search_request()))
    told.set()
    for completion in all_of(client, way, tickets):
        assert completion.result == (STATUS["OK"], BOOKING_REPLY)
        assert "replayed" not in completion.timing
    assert [key for key in server.keys() if key] == [request["idempotency_key"]]


def test_resume_of_a_key_that_is_not_known(reference, service, open_client):
    """Nothing can be sent, and nothing can be said: it may have been booked by somebody else."""
    key = new_key()
    error = failure(open_client(service.config).book(resume(key)), "NOT_RECORDED")
    assert (error["outcome"], error["field"], error["idempotency_key"]) == ("unknown", "idempotency_key", key)
    assert (error["attempts"], error["retryable"]) == (0, False)
    assert reference.bookings(idempotency_key=key)["requests"] == []


def test_resume_of_a_key_that_is_free(reference, http1, open_client):
    bot, key = reference.bot(TAKEN), new_key()
    client = open_client(http1.config)
    failure(client.book(booking_request(bot, key)), "SLOT_UNAVAILABLE")
    failure(client.book(resume(key)), "NOT_RECORDED")
    assert statuses(reference, bot) == [409]
    assert pending(client) == []


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"bot_id": BOT_ID}, "bot_id"),
        ({"booking": booking_request()["booking"]}, "booking"),
        ({"resume": "yes"}, "resume"),
        ({"resume": None}, "resume"),
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"timeout_ms": 0}, "timeout_ms"),
    ],
    ids=str,
)
def test_resume_that_is_wrong(open_client, members, field):
    error = failure(open_client(SANDBOX).book({**resume("k"), **members}), "INVALID_FIELD")
    assert (error["field"], error["outcome"]) == (field, "not_sent")


def test_resume_without_a_key(open_client):
    assert failure(open_client(SANDBOX).book({"resume": True}), "INVALID_FIELD")["field"] == "idempotency_key"


# What is not settled

PENDING_MEMBERS = {
    "idempotency_key",
    "bot_id",
    "start_at",
    "duration_minutes",
    "recorded_at",
    "in_flight",
    "expired",
}


def test_pending_booking(reference, service, open_client):
    """All that is needed to tell which it is, and nothing of the customer."""
    bot, key = reference.bot({"status": 503}), new_key()
    client = open_client(service.config, retry=ONCE)
    assert pending(client) == []
    request = booking_request(bot, key)
    failure(client.book(request), "SERVICE_FAILED")
    (booking,) = pending(client)
    assert set(booking) == PENDING_MEMBERS
    assert (booking["idempotency_key"], booking["bot_id"]) == (key, bot)
    assert (booking["start_at"], booking["duration_minutes"]) == ("2030-01-14T10:00:00Z", 30)
    assert (booking["in_flight"], booking["expired"]) == (False, False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", booking["recorded_at"])
    age = datetime.now(timezone.utc) - datetime.fromisoformat(booking["recorded_at"].replace("Z", "+00:00"))
    assert abs(age) < timedelta(minutes=30), "another unit, or another time zone"
    text = client.pending_bookings().reply.decode()
    for private in [PHONE, NAME, *request["booking"]["customer"].values(), request["booking"]["notes"], "customer"]:
        assert private not in text
    assert open_client(service.config).pending_bookings().reply == b'{"pending_bookings":[],"journal":null}'


def test_pending_bookings_are_listed_oldest_first(reference, http1, open_client):
    """Those in doubt alone: not the booked, the refused and the unsent ones."""
    client = open_client(http1.config, retry=ONCE, **UNSPARED)
    doubtful = [new_key() for _ in range(5)]
    for key in doubtful:
        failure(client.book(booking_request(reference.bot({"status": 503}), key)), "SERVICE_FAILED")
        success(client.book(booking_request(reference.bot())))
        failure(client.book(booking_request(reference.bot(TAKEN))), "SLOT_UNAVAILABLE")
        failure(client.book(booking_request(duration="?", timeout_ms=0)), "INVALID_FIELD")
        success(client.search(search_request(reference.bot())))
    bookings = pending(client)
    assert {booking["idempotency_key"] for booking in bookings} == set(doubtful)
    recorded = [booking["recorded_at"] for booking in bookings]
    assert recorded == sorted(recorded)


@pytest.mark.parametrize(
    ("start", "expired"),
    [
        ("2020-01-14T10:00:00Z", True),
        ("2020-01-14t10:00:00.250-05:00", True),
        ("2090-01-14T10:00:00+14:00", False),
    ],
)
def test_pending_booking_whose_start_has_passed(open_client, start_faults, start, expired):
    """`start_at` is the request's own text."""
    server = start_faults(answer(http_reply(503, b"{}")))
    client = open_client(config_for(server))
    failure(client.book(changed(booking_request(), "booking.start_at", start)), "SERVICE_FAILED")
    (booking,) = pending(client)
    assert (booking["start_at"], booking["expired"]) == (start, expired)


def test_pending_bookings_may_be_asked_for_in_a_callback(reference, http1, open_client):
    """And what was just settled is settled there."""
    client = open_client(http1.config)
    found = []
    told = ByCallback(lambda _: found.append(pending(client)))
    told.submit(client, pbk.BOOK, booking_request(reference.bot()))
    success(told.next().result)
    assert found == [[]]


@pytest.mark.parametrize("handle", GARBAGE.values(), ids=GARBAGE)
def test_pending_bookings_of_a_garbage_handle(handle):
    error = failure(pbk.pending_bookings(handle), "INVALID_CLIENT")
    assert not BOOKING_MEMBERS & set(error)


def test_pending_bookings_of_a_closed_client():
    client = pbk.Client(SANDBOX)
    client.close()
    failure(client.pending_bookings(), "CLIENT_CLOSED")


def test_pending_bookings_without_a_status(open_client):
    reply = pbk.take(pbk.library.pbk_pending_bookings(open_client(SANDBOX).handle, None))
    assert reply == b'{"pending_bookings":[],"journal":null}'


# Keys


def key_of(request: pbk.Text, call_id: pbk.Text = "call-7") -> str:
    key, error = pbk.booking_key(call_id, request)
    assert error is None and key is not None, error
    assert re.fullmatch(rb"[\x21-\x7e]{1,255}", key)
    return key.decode()


def wrong_key_of(request: pbk.Text, call_id: pbk.Text = "call-7") -> dict[str, Any]:
    key, error = pbk.booking_key(call_id, request)
    assert key is None and error is not None, key
    return error_object(error)


WITHOUT_KEY = changed(booking_request(BOT_ID), "idempotency_key", None)


def test_booking_key_stays_the_same_from_version_to_version():
    """Else an engine that is updated between two calls of its tool books twice."""
    assert key_of(WITHOUT_KEY) == "booking-4f22079d5aad601e18c9c6ef68495acb"


@pytest.mark.parametrize(
    "request_json",
    [
        booking_request(BOT_ID, "any"),
        dict(reversed(WITHOUT_KEY.items())),
        {**WITHOUT_KEY, "booking": dict(reversed(WITHOUT_KEY["booking"].items()))},
        json.dumps(WITHOUT_KEY, indent=3),
        json.dumps(WITHOUT_KEY).replace("+", "\\u002b").replace("bot_id", "bot\\u005fid"),
        changed(WITHOUT_KEY, "booking.start_at", "2030-01-14T11:00:00+01:00"),
        changed(WITHOUT_KEY, "booking.start_at", "2030-01-13t23:30:00-10:30"),
        changed(WITHOUT_KEY, "booking.customer.name", "Hanna Mustermann"),
        changed(WITHOUT_KEY, "booking.customer.email", None),
        changed(WITHOUT_KEY, "booking.notes", "Something else"),
        changed(WITHOUT_KEY, "booking.notes", None),
        {**WITHOUT_KEY, "timeout_ms": 1, "tag": "t", "detach": True},
        {**WITHOUT_KEY, "language": "de"},
    ],
    ids=[
        "with a key",
        "order of members",
        "order of members further down",
        "white space",
        "escapes",
        "another offset",
        "the day before elsewhere",
        "name",
        "no e-mail",
        "notes",
        "no notes",
        "own members",
        "unknown member",
    ],
)
def test_booking_key_of_the_same_wish(request_json):
    assert key_of(request_json) == key_of(WITHOUT_KEY)


def test_booking_key_of_another_wish():
    """One that differs in anything that counts has another key; all of them have."""
    keys = [key_of(WITHOUT_KEY)]
    keys += [key_of(WITHOUT_KEY, call_id) for call_id in ("call-8", "call-7 ", "CALL-7", "call-7#2", "c", "c" * 256)]
    keys += [
        key_of(changed(WITHOUT_KEY, path, value))
        for path, value in [
            ("bot_id", "bot_2"),
            ("bot_id", BOT_ID.upper()),
            ("booking.start_at", "2030-01-14T10:00:01Z"),
            ("booking.start_at", "2030-01-14T10:30:00Z"),
            ("booking.start_at", "2030-01-15T10:00:00Z"),
            ("booking.start_at", "2030-01-14T10:00:00+01:00"),
            ("booking.duration_minutes", 3),
            ("booking.duration_minutes", 31),
            ("booking.customer.phone", "+14155550138"),
            ("booking.customer.phone", "+1415555013"),
        ]
    ]
    # What ends one part is not the beginning of the next.
    keys += [key_of({**WITHOUT_KEY, "bot_id": bot}, call) for call, bot in [("a", "bc"), ("ab", "c"), ("abc", "a")]]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("bot_id", None),
        ("bot_id", ""),
        ("bot_id", 7),
        ("booking", None),
        ("booking", []),
        ("booking.start_at", None),
        ("booking.start_at", "2030-01-14"),
        ("booking.start_at", "2030-01-14T10:00:00"),
        ("booking.start_at", "tomorrow"),
        ("booking.duration_minutes", None),
        ("booking.duration_minutes", 0),
        ("booking.duration_minutes", "30"),
        ("booking.customer", None),
        ("booking.customer.phone", None),
        ("booking.customer.phone", "5550137"),
        ("booking.customer.name", None),
        ("booking.customer.name", " "),
        ("booking.customer.email", "nobody"),
        ("booking.notes", 7),
    ],
)
def test_booking_key_of_a_request_that_cannot_be_booked(path, value):
    error = wrong_key_of(changed(WITHOUT_KEY, path, value))
    assert (error["code"], error["field"], error["attempts"]) == ("invalid_field", path, 0)


@pytest.mark.parametrize("call_id", [None, "", "c" * 257, b"x" * 100_000], ids=["NULL", "empty", "257 bytes", "long"])
def test_booking_key_without_a_call(call_id):
    error = wrong_key_of(WITHOUT_KEY, call_id)
    assert error["code"] == "invalid_argument"
    assert "call_id" in error["message"]


@pytest.mark.parametrize(
    ("request_json", "code"),
    [
        (None, "invalid_argument"),
        (b" " * 262_145, "invalid_argument"),
        ("{", "invalid_json"),
        (b'{"bot_id":"\xff"}', "invalid_json"),
        ("[]", "invalid_field"),
        ('{"bot_id":"b","bot_id":"c"}', "invalid_field"),
    ],
    ids=["NULL", "too long", "cut", "not UTF-8", "list", "twice"],
)
def test_booking_key_of_something_else(request_json, code):
    assert wrong_key_of(request_json)["code"] == code


def test_booking_key_without_a_place_for_the_error():
    library = pbk.library
    assert pbk.take(library.pbk_booking_key(b"call-7", pbk.encode(WITHOUT_KEY), None)).decode() == key_of(WITHOUT_KEY)
    assert library.pbk_booking_key(b"call-7", b"{", None) is None
    assert library.pbk_booking_key(None, None, None) is None


def test_booking_key_books_once_however_often_the_model_asks(reference, service, open_client):
    """Its tool is called again, with a note more even: the key is the same, and nothing is booked twice."""
    bot = reference.bot()
    client = open_client(service.config)
    wish = booking_request(bot)
    wish["idempotency_key"] = key_of(wish)
    first = client.book(wish)
    success(first)
    assert client.book({**wish, "idempotency_key": key_of(dict(reversed(wish.items())))}) == first
    noted = changed(wish, "booking.notes", "Please ring twice")
    noted["idempotency_key"] = key_of(noted)
    reused(client.book(noted), wish["idempotency_key"])
    later = changed(wish, "booking.start_at", "2030-01-14T11:00:00Z")
    later["idempotency_key"] = key_of(later)
    success(client.book(later))
    assert [booking["start_at"] for booking in reference.bookings(bot_id=bot)["bookings"]] == [
        "2030-01-14T10:00:00Z",
        "2030-01-14T11:00:00Z",
    ]
    assert len(reference.requests(bot)) == 2


def test_random_keys(reference, http1, open_client, threads):
    """No two are alike, whoever asks; and the service takes them."""
    keys = [key for batch in threads.map(lambda _: [pbk.random_key() for _ in range(250)], range(8)) for key in batch]
    assert len(set(keys)) == 2000
    for key in keys:
        assert re.fullmatch(r"[\x21-\x7e]{16,255}", key)
    bot = reference.bot()
    success(open_client(http1.config).book(booking_request(bot, keys[0])))
    assert headers_of(reference.requests(bot)[0])["idempotency-key"] == keys[0]
