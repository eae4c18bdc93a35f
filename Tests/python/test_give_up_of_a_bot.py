"""A person gives up what is in doubt of one bot before a moment, and asks for it as the page says, or is told what is
wrong.
"""

from __future__ import annotations

import pbk
import pytest
from contract import BOOKING_MEMBERS, ERROR_MEMBERS, failure, in_doubt, success
from doubts import LATEST, doubt, given_up, of_bot
from fault_server import answer
from header import STATUS
from held import HoldByQueue, submitted
from ledger import FAILED, answer_by_key, changed, give_up, pending, resume, states
from samples import BOT_ID, SANDBOX, booking_request, new_key
from services import config_for
from waiting import MINUTE

# Which bookings


@pytest.mark.parametrize(
    ("start", "before", "is_given_up"),
    [
        ("2030-01-14T10:00:00Z", "2030-01-14T10:00:01Z", True),
        ("2030-01-14T10:00:00Z", "2030-01-14T10:00:00Z", False),
        ("2030-01-14T10:00:00Z", "2030-01-14T09:59:59Z", False),
        # Not by their text
        ("2030-01-14T10:00:00-05:00", "2030-01-14T12:00:00Z", False),
        ("2030-01-14T10:00:00-05:00", "2030-01-14T15:00:01Z", True),
        ("2030-01-14T23:30:00+14:00", "2030-01-14T10:00:00Z", True),
        ("2030-01-14T10:00:00Z", "2030-01-14T10:00:00-00:30", True),
        ("2030-01-14T10:00:00Z", "2030-01-15T00:00:00+14:00", False),
        ("2030-01-14T10:00:00Z", "2030-01-15T00:00:01+14:00", True),
        ("2030-01-14t10:00:00z", "2030-01-14T10:00:00.5Z", True),
        ("2030-01-14T10:00:00.250Z", "2030-01-14T10:00:00Z", False),
        ("2030-01-14T10:00:00.250Z", "2030-01-14T10:00:00.2Z", False),
        ("2030-01-14T10:00:00.250Z", "2030-01-14T10:00:00.30Z", True),
        ("2030-01-14T10:00:00.250Z", "2030-01-14T10:00:01Z", True),
        # The past, and what has no end
        ("2030-01-14T10:00:00Z", "1969-12-31T23:59:59Z", False),
        ("2030-01-14T10:00:00Z", "0001-01-01T00:00:00Z", False),
        ("2030-01-14T10:00:00Z", "9999-12-31T23:59:59Z", True),
        ("9999-12-31T23:59:58Z", "9999-12-31T23:59:59Z", True),
    ],
)
def test_start_before(opened, start, before, is_given_up):
    """Instants are compared."""
    server, client = opened(answer(FAILED))
    doubt(client, "k", start_at=start)
    (before_it,) = pending(client)
    expected = {"given_up": [before_it] if is_given_up else [], "kept": []}
    assert success(client.book(of_bot(start_before=before))) == expected
    assert states(client) == ({} if is_given_up else {"k": "in_doubt"})
    assert server.keys() == ["k"]


def test_which_are_given_up(opened):
    """Those in doubt, of this bot, before this moment: none of another bot, however like its name is, and no call."""
    server, client = opened()
    late = "2030-02-01T10:00:00Z"
    for key, bot, start in [
        ("in_doubt-1", BOT_ID, None),
        ("in_doubt-late", BOT_ID, late),
        ("in_doubt-other", f"{BOT_ID}x", None),
        ("in_doubt-upper", BOT_ID.upper(), None),
        ("in_doubt-2", BOT_ID, None),
    ]:
        doubt(client, key, bot, start)
    held = [submitted(client, booking_request(key="booked-1"), "OK")]
    held.append(submitted(client, booking_request(key="refused-1"), "SLOT_UNAVAILABLE"))
    under_way = booking_request(key="in_flight-1", timeout_ms=MINUTE)
    for request in (under_way, {**changed(under_way, "booking.start_at", late), "idempotency_key": "in_flight-late"}):
        HoldByQueue().submit(client, request)
    assert server.wait_for_requests(9)
    before = {booking["idempotency_key"]: booking for booking in pending(client)}
    content = success(client.book(of_bot(start_before="2030-01-15T00:00:00Z")))
    assert content["given_up"] == [before["in_doubt-1"], before["in_doubt-2"]]
    assert before["in_flight-1"] in content["kept"]
    kept = {booking["idempotency_key"] for booking in content["kept"]}
    assert kept <= {"in_flight-1", "booked-1", "refused-1"}, "what was not selected cannot be kept"
    left = before.keys() - {"in_doubt-1", "in_doubt-2"}
    assert {booking["idempotency_key"]: booking for booking in pending(client)} == {key: before[key] for key in left}
    assert given_up(client.book(of_bot(BOT_ID.upper()))) == (["in_doubt-upper"], [])
    assert len(server.keys()) == 9
    client.close(0)


def test_nothing_to_give_up(opened):
    server, client = opened()
    assert client.book(of_bot()).reply == b'{"given_up":[],"kept":[]}'
    doubt(client, "in_doubt-1")
    assert given_up(client.book(of_bot("bot_another"))) == ([], [])
    assert states(client) == {"in_doubt-1": "in_doubt"}


def test_many_are_given_up(opened):
    """All of them at once: also those that the library is settling, and for which a request may be on the wire."""
    server, client = opened(answer(FAILED), settle_for_ms=600_000)
    keys = [f"k{number}" for number in range(300)]
    for key in keys:
        doubt(client, key)
    content = success(client.book(of_bot()))
    assert pending(client) == [] == content["kept"]
    assert {booking["idempotency_key"] for booking in content["given_up"]} == set(keys)
    recorded = [booking["recorded_at"] for booking in content["given_up"]]
    assert recorded == sorted(recorded) and len(recorded) == len(keys)
    assert given_up(client.book(of_bot())) == ([], [])
    for key in keys[:3]:
        doubt(client, key)
    assert set(states(client)) == set(keys[:3])


# What is wrong with it

WRONG = {
    "booking": (give_up("k", booking=booking_request()["booking"]), "booking"),
    "resume": (give_up("k", resume=True), "resume"),
    "bot_id with a key": (give_up("k", bot_id=BOT_ID), "bot_id"),
    "start_before with a key": (give_up("k", start_before=LATEST), "start_before"),
    "all of them": (of_bot(idempotency_key="k"), "bot_id"),
    "bot_id alone": ({"give_up": True, "bot_id": BOT_ID}, "start_before"),
    "start_before alone": ({"give_up": True, "start_before": LATEST}, "bot_id"),
    "booking of a bot": (of_bot(booking=booking_request()["booking"]), "booking"),
    "resume of a bot": (of_bot(resume=True), "resume"),
    "conversation": (give_up("k", conversation="call-7"), "conversation"),
    "conversation of a bot": (of_bot(conversation="call-7"), "conversation"),
    "text": ({"idempotency_key": "k", "give_up": "yes"}, "give_up"),
    "number": ({"idempotency_key": "k", "give_up": 1}, "give_up"),
    "empty key": (give_up(""), "idempotency_key"),
    "key with a space": (give_up("two words"), "idempotency_key"),
    "key of null": ({"idempotency_key": None, "give_up": True}, "idempotency_key"),
    "empty bot_id": (of_bot(""), "bot_id"),
    "long bot_id": (of_bot("b" * 257), "bot_id"),
    "bot_id of a number": (of_bot(7), "bot_id"),  # type: ignore[arg-type]
    "date": (of_bot(start_before="2030-01-14"), "start_before"),
    "no offset": (of_bot(start_before="2030-01-14T10:00:00"), "start_before"),
    "no such day": (of_bot(start_before="2030-02-30T10:00:00Z"), "start_before"),
    "word": (of_bot(start_before="tomorrow"), "start_before"),
    "empty moment": (of_bot(start_before=""), "start_before"),
    "moment of a number": (of_bot(start_before=1894615200), "start_before"),  # type: ignore[arg-type]
    "timeout_ms": (give_up("k", timeout_ms=0), "timeout_ms"),
    "tag": (give_up("k", tag="t" * 257), "tag"),
    "start_before of a booking": (booking_request(key="k", start_before=LATEST), "start_before"),
    "start_before of a resume": (resume("k", start_before=LATEST), "start_before"),
    "start_before without": (booking_request(key="k", start_before=LATEST, give_up=False), "start_before"),
}


@pytest.mark.parametrize(("request_json", "field"), WRONG.values(), ids=WRONG)
def test_wrong_give_up(open_client, request_json, field):
    error = failure(open_client(SANDBOX).book(request_json), "INVALID_FIELD")
    assert (error["field"], error["outcome"], error["attempts"]) == (field, "not_sent", 0)
    assert set(error) - {"tag"} == ERROR_MEMBERS | BOOKING_MEMBERS | {"kind"}


def test_give_up_of_nothing(open_client):
    """One of two is missing, and either may be named."""
    error = failure(open_client(SANDBOX).book({"give_up": True}), "INVALID_FIELD")
    assert error["field"] in ("idempotency_key", "bot_id")


def test_wrong_give_up_of_a_doubt(opened):
    """It says that the booking may exist, and gives nothing up."""
    _, client = opened()
    doubt(client, "in_doubt-1")
    for wrong in (give_up("in_doubt-1", bot_id=BOT_ID), give_up("in_doubt-1", resume=True)):
        assert failure(client.book(wrong), "INVALID_FIELD")["outcome"] == "unknown"
    submission = client.submit(pbk.BOOK, give_up("in_doubt-1", booking={}))
    assert failure(pbk.Result(submission.status, submission.error), "INVALID_FIELD")["outcome"] == "unknown"
    assert states(client) == {"in_doubt-1": "in_doubt"}


@pytest.mark.parametrize("resumes", [False, True])
def test_give_up_that_is_false(open_client, start_faults, resumes):
    """As if it were not there: it is not sent either."""
    server = start_faults(answer_by_key)
    client = open_client(config_for(server))
    request = booking_request(key="booked-1", give_up=False)
    success(client.book(request))
    if resumes:
        success(client.book(resume("booked-1", give_up=False)))
    assert client.book(booking_request(key="booked-1")).status == STATUS["OK"]
    assert b"give_up" not in server.requests[0].body and server.keys() == ["booked-1"]


@pytest.mark.parametrize("operation", [pbk.search, pbk.lookup])
def test_give_up_is_nothing_to_other_calls(opened, operation):
    _, client = opened()
    doubt(client, "in_doubt-1")
    assert failure(operation(client.handle, give_up("in_doubt-1")), "INVALID_FIELD")["field"] == "bot_id"
    assert states(client) == {"in_doubt-1": "in_doubt"}


def test_give_up_and_a_new_doubt(opened):
    """Over and over: each is a booking of its own, and is listed as one."""
    server, client = opened()
    key = f"in_doubt-{new_key()}"
    for number in range(5):
        request = changed(booking_request(key=key, timeout_ms=1000), "booking.notes", f"Wish {number}")
        in_doubt(client.book(request), 503, "http_error")
        assert given_up(client.book(give_up(key))) == ([key], [])
        assert pending(client) == []
    assert server.keys() == [key] * 5
