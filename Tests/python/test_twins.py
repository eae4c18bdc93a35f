"""Bookings with one key at the same time: one request, and what each of its twins gets."""

from __future__ import annotations

import pbk
import pytest
from contract import failure, success
from header import STATUS
from ledger import TAKEN, all_of, changed, pending, statuses, unsettled
from samples import BOOKING_REPLY, booking_request, search_request
from waiting import MINUTE

pytestmark = pytest.mark.usefixtures("no_violation")


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


def test_request_goes_on_when_all_twins_are_cancelled(on_the_wire, way):
    """A booking that was sent is not hung up on. A repeat joins it or finds its reply, and sends nothing."""
    server, client, told = on_the_wire()
    request = booking_request()
    tickets = [way.submit(client, pbk.BOOK, request) for _ in range(3)]
    assert server.wait_for_requests(1)
    for ticket in tickets:
        assert client.cancel(ticket) == STATUS["OK"]
    for completion in all_of(client, way, tickets):
        assert failure(completion.result, "CANCELLED")["outcome"] == "unknown"
    assert [(booking["in_flight"], booking["state"]) for booking in pending(client)] == [(True, "in_flight")]
    told.set()
    assert client.book(request) == (STATUS["OK"], BOOKING_REPLY)
    assert unsettled(client) == []
    assert server.keys() == [request["idempotency_key"]]


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
