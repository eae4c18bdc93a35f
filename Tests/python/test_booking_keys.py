"""Keys that the library makes: one derived from the phone call and what is booked, and random ones."""

from __future__ import annotations

import json
import re
from typing import Any

import pbk
import pytest
from contract import error_object, success
from ledger import changed, key_of, reused
from run_reference import headers_of
from samples import BOT_ID, booking_request

pytestmark = pytest.mark.usefixtures("no_violation")


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
    key = library.pbk_booking_key(b"call-7", pbk.encode(WITHOUT_KEY), None, None)
    assert pbk.take(key).decode() == key_of(WITHOUT_KEY)
    assert library.pbk_booking_key(b"call-7", b"{", None, None) is None
    assert library.pbk_booking_key(None, None, None, None) is None


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
    reused(client.book(noted), wish["idempotency_key"], "booked", booking_id=success(first)["booking"]["id"])
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
