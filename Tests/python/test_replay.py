"""A key that has its booking: the reply again, a refusal of any other request, and what frees a key for one."""

from __future__ import annotations

import pbk
import pytest
from completions import ByCallback
from contract import ATTEMPT_MEMBERS, failure, in_doubt, success
from fault_server import answer
from header import STATUS
from ledger import BOOKED, TAKEN, changed, pending, pending_keys, reused, statuses, unsettled
from run_reference import headers_of
from samples import (
    BOOKING_REPLY,
    BOT_ID,
    DOWN,
    ENDLESS,
    ONCE,
    QUICK,
    READS_ONLY,
    SANDBOX,
    booking_request,
    new_key,
    search_request,
)
from services import config_for

pytestmark = pytest.mark.usefixtures("no_violation")


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
    "conversation": '{"conversation":"call-8",' + FIRST[1:],
    "spelling of the start": FIRST.replace("10:00:00Z", "11:00:00.000+01:00"),
    "empty members": FIRST.replace('"price"', '"notes":"","place":null,"price"'),
    "resume": FIRST[:-1] + ',"resume":false}',
}

ANOTHER = {
    "start": ("booking.start_at", "2030-01-14T11:00:00Z"),
    "start in another zone": ("booking.start_at", "2030-01-14T10:00:00+01:00"),
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


@another
def test_another_request_under_the_key_of_a_booking(reference, http1, open_client, path, value):
    """It is refused, by the library; and the booking that has the key is still known."""
    bot, key = reference.bot(), new_key()
    client = open_client(http1.config)
    request = booking_request(bot, key)
    first = client.book(request)
    success(first)
    for _ in range(2):
        booking_id = success(first)["booking"]["id"]
        reused(client.book(changed(request, path, value)), key, "booked", booking_id=booking_id)
    assert client.book(request) == first
    assert len(reference.bookings(idempotency_key=key)["requests"]) == 1


def test_members_that_are_spelled_alike_are_not_alike(reference, http1, open_client):
    """Text, number, truth and nothing are four things, and so is a list of two what a list of one is not. Only nothing,
    empty text and no member at all are the same: models write now this and now that.
    """
    client = open_client(http1.config)
    values = ["1", 1, True, None, [1], [1, 1], [[1], 1], [1, [1]], {}, {"1": 1}, "", [], 0, False, " ", [None], [""]]
    for first in values:
        bot, key = reference.bot(), new_key()
        request = booking_request(bot, key)
        request["booking"]["extra"] = first
        reply = client.book(request)
        booking = success(reply)["booking"]
        for second in values:
            again = client.book({**request, "booking": {**request["booking"], "extra": second}})
            if second is first or (first in (None, "") and second in (None, "")):
                assert again == reply, (first, second)
            else:
                reused(again, key, "booked", booking_id=booking["id"])
        if first in (None, ""):
            assert client.book(changed(request, "booking.extra", None)) == reply
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
    reused(completion.result, request["idempotency_key"], "in_flight")
    assert server.wait_for_requests(1)
    told.set()
    completion = way.next(client)
    assert (completion.ticket, completion.result) == (first, (STATUS["OK"], BOOKING_REPLY))
    assert server.keys() == [request["idempotency_key"]]


@another
def test_another_request_under_a_key_in_doubt(reference, http1, open_client, path, value):
    """What may have been booked keeps its key. The same request may have it, and settles the doubt."""
    bot, key = reference.bot({**DOWN, "processed": True}, {}), new_key()
    client = open_client(http1.config, retry=ONCE, **READS_ONLY)
    request = booking_request(bot, key)
    in_doubt(client.book(request), 503, "ordered_503")
    reused(client.book(changed(request, path, value)), key, "in_doubt")
    assert pending_keys(client) == [key]
    booking = success(client.book(request))["booking"]
    reused(client.book(changed(request, path, value)), key, "booked", booking_id=booking["id"])
    assert statuses(reference, bot) == [503, 200]
    assert len(reference.bookings(idempotency_key=key)["requests"]) == 2


# What frees a key


def test_rejected_booking_frees_its_key(reference, service, open_client):
    bot, key = reference.bot({"status": 422, "code": "in_the_past"}, TAKEN, {}), new_key()
    client = open_client(service.config)
    for start, status in [(8, "REFUSED"), (9, "SLOT_UNAVAILABLE")]:
        request = changed(booking_request(bot, key), "booking.start_at", f"2030-01-14T{start:02}:00:00Z")
        assert failure(client.book(request), status)["outcome"] == "rejected"
        assert unsettled(client) == []
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
    assert unsettled(client) == []
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
    assert unsettled(client) == []
