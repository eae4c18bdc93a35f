"""Bookings that may have been made: the doubt is the key's, is listed as pending, and is settled by the same key."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone

import pbk
import pytest
from completions import ByCallback
from contract import BOOKING_MEMBERS, failure, in_doubt, success
from fault_server import answer, http_reply
from garbage import GARBAGE
from header import STATUS
from ledger import (
    PENDING_MEMBERS,
    TAKEN,
    all_of,
    changed,
    pending,
    pending_keys,
    resume,
    reused,
    states,
    statuses,
    unsettled,
)
from run_reference import headers_of
from samples import (
    BOOKING_REPLY,
    BOT_ID,
    DOWN,
    ENDLESS,
    NAME,
    ONCE,
    PHONE,
    READS_ONLY,
    SANDBOX,
    UNSPARED,
    booking_request,
    just_begun,
    new_key,
    search_request,
)
from services import config_for
from waiting import MINUTE, PATIENT, wait_until

pytestmark = pytest.mark.usefixtures("no_violation")


# Doubt


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "unauthorized"), (429, "slow_down"), (409, "slot_unavailable"), (422, "in_the_past"), (500, "internal")],
)
def test_doubt_is_the_keys_and_not_the_calls(reference, http1, open_client, status, code):
    """The second call would be `rejected` on its own; but the first may have booked."""
    second = {**DOWN, "status": status, "code": code}
    bot, key = reference.bot(DOWN, second, {}), new_key()
    client = open_client(http1.config, retry=ONCE, **READS_ONLY)
    request = booking_request(bot, key)
    first = in_doubt(client.book(request), 503, "ordered_503")
    error = in_doubt(client.book(request), status, code)
    assert error["attempts"] == 1 and error["retryable"] is True
    assert error["doubt"]["sent_ms_ago"] >= first["doubt"]["sent_ms_ago"]
    assert pending_keys(client) == [key]
    success(client.book(request))
    assert unsettled(client) == []


def test_doubt_outlives_calls_that_send_nothing(reference, http1, open_client):
    """A breaker that is open, and a cancel before the request was sent: neither knows anything of the first call."""
    bot, key = reference.bot(DOWN), new_key()
    breaker = {"failures": 1, "open_ms": 600_000}
    members = {"retry": ONCE, "max_in_flight": 1, **READS_ONLY, **PATIENT}
    client = open_client(http1.config, circuit_breaker=breaker, **members)
    request = booking_request(bot, key)
    endless = reference.bot(ENDLESS)
    told = ByCallback()
    in_doubt(client.book(request), 503, "ordered_503")
    error = failure(client.book(request), "CIRCUIT_OPEN")
    assert (error["outcome"], error["attempts"]) == ("unknown", 0)
    sparing = open_client(http1.config, **members)
    in_doubt(sparing.book(request), 503, "ordered_503")
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


def test_refusals_settle_no_doubt(reference, http1, open_client):
    """However many there are: the platform may look at the slot before it looks at the key."""
    bot, key = reference.bot(DOWN, *[{**DOWN, **TAKEN}] * 3, {}), new_key()
    client = open_client(http1.config, retry=ONCE, **READS_ONLY)
    request = booking_request(bot, key)
    in_doubt(client.book(request), 503, "ordered_503")
    for _ in range(3):
        in_doubt(client.book(request), 409, "slot_unavailable")
    reused(client.book(changed(request, "booking.start_at", "2030-01-14T11:00:00Z")), key, "in_doubt")
    success(client.book(request))
    assert statuses(reference, bot) == [503, 409, 409, 409, 201]


def test_refusal_settles_a_doubt_where_keys_are_looked_at_first(reference, http1, open_client):
    """And no earlier than its own time after the end of the unanswered request: the one before that proves nothing."""
    bot, key = reference.bot(DOWN, {**DOWN, **TAKEN}, TAKEN, {}), new_key()
    client = open_client(http1.config, retry=ONCE, platform_keys="first", platform_limit_ms=100, **READS_ONLY)
    request = booking_request(bot, key)
    in_doubt(client.book(request), 503, "ordered_503")
    in_doubt(client.book(request), 409, "slot_unavailable")
    time.sleep(1.2)
    error = failure(client.book(request), "SLOT_UNAVAILABLE")
    assert (error["outcome"], error["attempts"]) == ("rejected", 1)
    assert unsettled(client) == []
    success(client.book(changed(request, "booking.start_at", "2030-01-14T11:00:00Z")))
    assert statuses(reference, bot) == [503, 409, 409, 201]


def test_call_that_was_too_slow_is_joined(reference, service, open_client):
    """The request of a booking that was sent goes on: the repeat gets its reply, and no second request is made."""
    bot = reference.bot({"delay_ms": 600})
    client = open_client(service.config)
    request = booking_request(bot)
    error = failure(client.book({**request, "timeout_ms": 300}), "TIMEOUT")
    under_way = [booking["state"] for booking in pending(client)]
    assert (error["outcome"], under_way) in [("unknown", ["in_flight"]), ("not_sent", ["refused"])]
    success(client.book(request))
    assert statuses(reference, bot) == [201]


# Resuming


def test_resume_settles_a_doubt(reference, service, open_client, way):
    """The recorded request goes out once more, to the byte and under its key; from then on it is replayed."""
    bot, key = reference.bot({**DOWN, "processed": True}, {}), new_key()
    client = open_client(service.config, retry=ONCE, **READS_ONLY)
    request = booking_request(bot, key)
    in_doubt(client.book(request), 503, "ordered_503")
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
    bot, key = reference.bot(DOWN, DOWN, {}), new_key()
    client = open_client(http1.config, retry=ONCE, **READS_ONLY)
    in_doubt(client.book(booking_request(bot, key)), 503, "ordered_503")
    error = in_doubt(client.book(resume(key, tag="t")), 503, "ordered_503")
    assert (error["idempotency_key"], error["tag"]) == (key, "t")
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
    """It ends as the booking did, for as long as nobody has heard of that. From then on nothing is known of the key."""
    bot, key = reference.bot(TAKEN), new_key()
    client = open_client(http1.config)
    failure(client.book(booking_request(bot, key)), "SLOT_UNAVAILABLE")
    error = failure(client.book(resume(key)), "NOT_RECORDED")
    assert (error["outcome"], error["field"], error["attempts"]) == ("rejected", "idempotency_key", 0)
    wait_until(lambda: pending(client) == [], seconds=3)
    assert failure(client.book(resume(key)), "NOT_RECORDED")["outcome"] == "unknown"
    assert statuses(reference, bot) == [409]


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"bot_id": BOT_ID}, "bot_id"),
        ({"booking": booking_request()["booking"]}, "booking"),
        ({"resume": "yes"}, "resume"),
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


# What is not settled, or not heard


def test_pending_booking(reference, service, open_client):
    """All that is needed to tell which it is, and nothing of the customer."""
    bot, key = reference.bot(DOWN), new_key()
    client = open_client(service.config, retry=ONCE, **READS_ONLY)
    assert pending(client) == []
    request = booking_request(bot, key)
    in_doubt(client.book(request), 503, "ordered_503")
    (booking,) = pending(client)
    assert set(booking) == PENDING_MEMBERS
    assert (booking["idempotency_key"], booking["bot_id"]) == (key, bot)
    assert (booking["start_at"], booking["duration_minutes"]) == ("2030-01-14T10:00:00Z", 30)
    assert (booking["state"], booking["in_flight"], booking["expired"]) == ("in_doubt", False, False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", booking["recorded_at"])
    age = datetime.now(timezone.utc) - datetime.fromisoformat(booking["recorded_at"].replace("Z", "+00:00"))
    assert abs(age) < timedelta(minutes=30), "another unit, or another time zone"
    text = client.pending_bookings().reply.decode()
    for private in [PHONE, NAME, *request["booking"]["customer"].values(), request["booking"]["notes"], "customer"]:
        assert private not in text
    assert open_client(service.config).pending_bookings().reply == b'{"pending_bookings":[],"journal":null}'


def test_pending_bookings_are_listed_oldest_first(reference, http1, open_client):
    """Those in doubt, and the others until they are heard: not the unsent ones, and no search."""
    client = open_client(http1.config, retry=ONCE, **UNSPARED, **READS_ONLY)
    expected = {}
    for _ in range(5):
        doubtful, made, refused = new_key(), new_key(), new_key()
        in_doubt(client.book(booking_request(reference.bot(DOWN), doubtful)), 503, "ordered_503")
        success(client.book(booking_request(reference.bot(), made)))
        failure(client.book(booking_request(reference.bot(TAKEN), refused)), "SLOT_UNAVAILABLE")
        failure(client.book(booking_request(duration="?", timeout_ms=0)), "INVALID_FIELD")
        success(client.search(search_request(reference.bot())))
        expected |= {doubtful: "in_doubt", made: "booked", refused: "refused"}
        listed = states(client)
        assert listed.items() <= expected.items() and {doubtful, made, refused} <= listed.keys()
    recorded = [booking["recorded_at"] for booking in pending(client)]
    assert recorded == sorted(recorded)
    doubts = [key for key, state in expected.items() if state == "in_doubt"]
    wait_until(lambda: len(pending(client)) <= len(doubts), seconds=3)
    assert pending_keys(client) == doubts


@pytest.mark.parametrize(
    ("start_of", "expired"),
    [(just_begun, True), (lambda: "2090-01-14T10:00:00+14:00", False)],
    ids=["begun", "to come"],
)
def test_pending_booking_whose_start_has_passed(open_client, start_faults, start_of, expired):
    """`start_at` is the text that was sent."""
    start = start_of()  # now: the library refuses what began minutes ago
    server = start_faults(answer(http_reply(503, b"{}")))
    client = open_client(config_for(server), timeout_ms=900, **READS_ONLY)
    in_doubt(client.book(changed(booking_request(), "booking.start_at", start)), 503, "http_error")
    (booking,) = pending(client)
    assert (booking["start_at"], booking["expired"]) == (start, expired)


def test_pending_bookings_may_be_asked_for_in_a_callback(reference, http1, open_client):
    """And what was just freed is heard there."""
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
