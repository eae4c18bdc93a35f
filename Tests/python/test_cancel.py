"""Barge-in: calls that are ended early, what their completions then say, and what becomes of the connection."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import pbk
import pytest
from completions import ByCallback
from contract import failure, success
from fault_server import LIFETIME, answer, http_reply, stall
from h2_fault_server import H2FaultServer, Stream
from header import STATUS
from reference_names import API_KEY
from samples import (
    BOOKING_REPLY,
    CALLS_ONLY,
    ENDLESS,
    ONCE,
    QUICK,
    SANDBOX,
    SLEEPING,
    booking_request,
    new_key,
    search_request,
)
from services import config_for
from waiting import MINUTE, MOST_PAUSE, PATIENT, wait_until


def pending(client: pbk.Client) -> list[dict[str, Any]]:
    return success(client.pending_bookings())["pending_bookings"]


# The ticket


@pytest.mark.parametrize("ticket", [0, 2, 3, 1 << 32, (1 << 64) - 1])
def test_ticket_that_was_never_given(open_client, ticket):
    client, other = open_client(SLEEPING), open_client(SANDBOX)
    told = ByCallback()
    for _ in range(5):
        told.submit(other, pbk.SEARCH, search_request())
    given = told.submit(client, pbk.SEARCH, search_request())
    assert given != ticket
    assert client.cancel(ticket) == STATUS["INVALID_ARGUMENT"]
    for _ in range(5):
        success(told.next().result)
    assert client.cancel(given) == STATUS["OK"]
    failure(told.next().result, "CANCELLED")


def test_cancel_after_the_end(open_client, way):
    client = open_client(SANDBOX)
    ticket = way.submit(client, pbk.SEARCH, search_request())
    success(way.next(client).result)
    assert [client.cancel(ticket) for _ in range(3)] == [STATUS["OK"]] * 3
    client.close()
    assert way.rest(client) == []


def test_cancel_twice(open_client, way):
    client = open_client(SLEEPING)
    ticket = way.submit(client, pbk.SEARCH, search_request(tag="call-7"), 7)
    assert [client.cancel(ticket) for _ in range(3)] == [STATUS["OK"]] * 3
    completion = way.next(client)
    assert (completion.ticket, completion.tag, completion.context) == (ticket, "call-7", 7)
    error = failure(completion.result, "CANCELLED")
    assert error["retryable"] is True
    assert [client.cancel(ticket) for _ in range(3)] == [STATUS["OK"]] * 3
    client.close()
    assert way.rest(client) == []


# What the completion says


def test_cancel_before_it_was_sent(reference, service, open_client, way):
    """It waits for its turn: the server has never heard of it."""
    bot, other = reference.bot(ENDLESS), reference.bot()
    client = open_client(service.config, max_in_flight=1, **PATIENT)
    first = way.submit(client, pbk.SEARCH, search_request(bot))
    second = way.submit(client, pbk.BOOK, booking_request(other, "never-sent"))
    assert reference.wait_for_requests(bot, 1)
    assert client.cancel(second) == STATUS["OK"]
    completion = way.next(client)
    error = failure(completion.result, "CANCELLED")
    assert (completion.ticket, error["outcome"], error["attempts"]) == (second, "not_sent", 0)
    assert error["idempotency_key"] == "never-sent"
    assert reference.requests(other) == []
    client.cancel(first)
    assert way.next(client).ticket == first


def test_cancel_of_a_booking_the_server_has(on_the_wire, way):
    """The call ends at once. The request is not hung up on: its answer is read, and a repeat finds it."""
    server, client, told = on_the_wire()
    request = booking_request(key="call-7-1")
    ticket = way.submit(client, pbk.BOOK, request)
    assert server.wait_for_requests(1)
    assert client.cancel(ticket) == STATUS["OK"]
    error = failure(way.next(client).result, "CANCELLED")
    assert (error["outcome"], error["idempotency_key"], error["attempts"]) == ("unknown", "call-7-1", 1)
    assert [booking["state"] for booking in pending(client)] == ["in_flight"]
    told.set()
    wait_until(lambda: [booking["state"] for booking in pending(client)] == ["booked"])
    assert client.book(request) == (STATUS["OK"], BOOKING_REPLY)
    assert server.keys() == ["call-7-1"]


def test_repeat_after_a_cancel_joins_the_request(on_the_wire, way):
    """The caller has changed their mind twice: one request, one booking."""
    server, client, told = on_the_wire()
    request = booking_request(key="call-7-1")
    ticket = way.submit(client, pbk.BOOK, request)
    assert server.wait_for_requests(1)
    assert client.cancel(ticket) == STATUS["OK"]
    failure(way.next(client).result, "CANCELLED")
    again = way.submit(client, pbk.BOOK, request)
    success(client.search(search_request()))
    told.set()
    completion = way.next(client)
    assert (completion.ticket, completion.result) == (again, (STATUS["OK"], BOOKING_REPLY))
    assert [key for key in server.keys() if key] == ["call-7-1"]


def test_nothing_is_sent_after_a_cancel(open_client, start_faults, way):
    """The caller may have withdrawn the wish, and the API cannot cancel an appointment: only a repeat asks again."""
    leave = threading.Event()

    def read_and_leave(peer):
        peer.read_request()
        assert leave.wait(LIFETIME)
        peer.close()

    server = start_faults(read_and_leave, answer(http_reply(201, BOOKING_REPLY)))
    client = open_client(config_for(server), retry={"max_attempts": 5, **QUICK})
    request = booking_request()
    ticket = way.submit(client, pbk.BOOK, request)
    assert server.wait_for_requests(1)
    assert client.cancel(ticket) == STATUS["OK"]
    assert failure(way.next(client).result, "CANCELLED")["outcome"] == "unknown"
    leave.set()
    wait_until(lambda: [booking["state"] for booking in pending(client)] == ["in_doubt"])
    time.sleep(MOST_PAUSE)
    assert len(server.keys()) == 1
    success(client.book(request))
    assert len(server.keys()) == 2


def test_cancel_while_a_refused_booking_waits_for_its_next_attempt(reference, http1, open_client, way):
    """The one attempt it made was refused: that is known, and said."""
    bot = reference.bot({"status": 429, "headers": {"Retry-After": "30"}})
    client = open_client(http1.config, max_connections=1, **PATIENT)
    ticket = way.submit(client, pbk.BOOK, booking_request(bot))
    assert reference.wait_for_requests(bot, 1)
    # It gets the only connection, so the other's attempt has ended.
    success(client.search(search_request(reference.bot())))
    assert client.cancel(ticket) == STATUS["OK"]
    error = failure(way.next(client).result, "CANCELLED")
    assert (error["outcome"], error["attempts"]) == ("rejected", 1)
    client.close()
    assert len(reference.requests(bot)) == 1


def test_cancel_while_a_doubtful_booking_waits_for_its_next_attempt(reference, http1, open_client, way):
    """That attempt is not made any more."""
    bot = reference.bot({"status": 503})
    client = open_client(http1.config, max_connections=1, retry=ONCE, **PATIENT)
    ticket = way.submit(client, pbk.BOOK, booking_request(bot))
    assert reference.wait_for_requests(bot, 1)
    success(client.search(search_request(reference.bot())))
    assert client.cancel(ticket) == STATUS["OK"]
    assert failure(way.next(client).result, "CANCELLED")["outcome"] == "unknown"
    assert [booking["state"] for booking in pending(client)] == ["in_doubt"]
    time.sleep(MOST_PAUSE)
    assert len(reference.requests(bot)) == 1


def test_booking_can_be_settled_after_a_cancel(reference, service, open_client, way):
    """The answer to `unknown`: the same key again. It gives the booking that was made, and no second request."""
    bot, key = reference.bot({"delay_ms": 100}), new_key()
    client = open_client(service.config)
    ticket = way.submit(client, pbk.BOOK, booking_request(bot, key))
    assert reference.wait_for_requests(bot, 1)
    assert client.cancel(ticket) == STATUS["OK"]
    result = way.next(client).result
    if result.status != STATUS["OK"]:  # the reply may have been faster
        assert failure(result, "CANCELLED")["outcome"] == "unknown"
    assert success(client.book(booking_request(bot, key)))["booking"]["platform_reference"] == key
    assert len(reference.requests(bot)) == 1


# What becomes of the connection


def test_cancelled_search_keeps_its_http2_connection(reference, http2, open_client, way):
    bot = reference.bot(ENDLESS, {})
    client = open_client(http2.config)
    ticket = way.submit(client, pbk.SEARCH, search_request(bot))
    assert reference.wait_for_requests(bot, 1)
    assert client.cancel(ticket) == STATUS["OK"]
    failure(way.next(client).result, "CANCELLED")
    way.submit(client, pbk.SEARCH, search_request(bot))
    completion = way.next(client)
    success(completion.result)
    assert completion.timing["connection_reused"] is True
    assert len({request["client_port"] for request in reference.requests(bot)}) == 1


def test_server_is_told_of_a_cancelled_stream(certificates, open_client, way):
    """At the latest with the next request, as libcurl 7.88 has it. Other calls on the connection never notice."""
    silent = (lambda stream: None,) * 2

    def answer_all_but_the_first(_: Stream) -> None:
        for stream in server.streams[1:]:
            stream.answer(201, BOOKING_REPLY)

    with H2FaultServer(certificates.good, *silent, answer_all_but_the_first) as server:
        tls = {"ca_file": str(certificates.ca_file)}
        client = open_client({"api_key": API_KEY, "base_url": server.url, "tls": tls, **PATIENT, **CALLS_ONLY})
        doomed = way.submit(client, pbk.SEARCH, search_request())
        assert server.wait_for_requests(1)
        way.submit(client, pbk.BOOK, booking_request())
        assert server.wait_for_requests(2)
        assert client.cancel(doomed) == STATUS["OK"]
        assert way.next(client).ticket == doomed
        way.submit(client, pbk.BOOK, booking_request())
        for _ in range(2):
            success(way.next(client).result)
        assert server.resets == [server.streams[0].number]
        assert server.connections == 1


# Detached bookings


def test_detached_booking_runs_on(reference, service, open_client, way):
    bot, key = reference.bot({"delay_ms": 300}), new_key()
    client = open_client(service.config)
    ticket = way.submit(client, pbk.BOOK, booking_request(bot, key, detach=True))
    assert reference.wait_for_requests(bot, 1)
    assert [client.cancel(ticket) for _ in range(2)] == [STATUS["OK"]] * 2
    assert success(way.next(client).result)["booking"]["platform_reference"] == key
    assert [request["status"] for request in reference.requests(bot)] == [201]
    client.close()
    assert way.rest(client) == []


def test_detached_booking_that_waits_for_its_turn_is_still_made(reference, http1, open_client, way):
    bot, other = reference.bot({"delay_ms": 200}), reference.bot()
    client = open_client(http1.config, max_in_flight=1)
    way.submit(client, pbk.SEARCH, search_request(bot))
    detached = way.submit(client, pbk.BOOK, booking_request(other, detach=True))
    assert client.cancel(detached) == STATUS["OK"]
    success(way.next(client).result)
    assert success(way.next(client).result)["booking"]
    assert len(reference.requests(other)) == 1


def test_detached_booking_is_ended_by_a_close(open_client, start_faults, way):
    server = start_faults(stall())
    client = open_client(config_for(server))
    ticket = way.submit(client, pbk.BOOK, booking_request(key="k", detach=True))
    assert server.wait_for_requests(1)
    assert client.cancel(ticket) == STATUS["OK"]
    assert client.close(0) == STATUS["TIMEOUT"]
    (completion,) = way.rest(client)
    error = failure(completion.result, "CLIENT_CLOSED")
    assert (completion.ticket, error["outcome"], error["idempotency_key"]) == (ticket, "unknown", "k")


def test_detached_booking_keeps_its_deadline(open_client, way):
    client = open_client(SLEEPING)
    ticket = way.submit(client, pbk.BOOK, booking_request(detach=True, timeout_ms=100))
    assert client.cancel(ticket) == STATUS["OK"]
    assert failure(way.next(client).result, "TIMEOUT")["outcome"] == "unknown"


@pytest.mark.parametrize(
    ("operation", "request_json"),
    [(pbk.BOOK, booking_request(detach=False)), (pbk.SEARCH, search_request(detach=True))],
    ids=["booking with false", "search"],
)
def test_other_calls_are_not_detached(open_client, way, operation, request_json):
    client = open_client(SLEEPING)
    ticket = way.submit(client, operation, request_json)
    assert client.cancel(ticket) == STATUS["OK"]
    failure(way.next(client).result, "CANCELLED")


# Exactly one


def test_storm_of_cancels(reference, service, open_client, way, threads):
    """From eight threads, calls are submitted and some cancelled, at any moment of their lives, by anybody."""
    bots = [reference.bot(), reference.bot({"delay_ms": 5})]
    client = open_client(service.config, **PATIENT)

    def submit_and_cancel(seed: int) -> list[int]:
        dice = random.Random(seed)
        tickets = []
        for _ in range(20):
            tickets.append(way.submit(client, pbk.SEARCH, search_request(dice.choice(bots))))
            if dice.random() < 0.6:
                assert client.cancel(dice.choice(tickets)) == STATUS["OK"]
            if dice.random() < 0.2:
                assert client.cancel(dice.randrange(1, tickets[-1])) == STATUS["OK"]
        return tickets

    tickets = [ticket for some in threads.map(submit_and_cancel, range(1, 9)) for ticket in some]
    assert client.close(MINUTE) == STATUS["OK"]
    found = way.rest(client)
    assert sorted(completion.ticket for completion in found) == sorted(tickets)
    assert {completion.event for completion in found} == {pbk.DONE}
    for completion in found:
        if completion.status != STATUS["OK"]:
            failure(completion.result, "CANCELLED")
