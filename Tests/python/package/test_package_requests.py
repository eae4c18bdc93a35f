"""Requests of the Python package in every form, and what cannot be one."""

from __future__ import annotations

import dataclasses
import json
from datetime import date, datetime, timedelta, timezone

import pytest
from python_package import booking, pb, search
from samples import BOT_ID, NAME, PHONE, booking_request, lookup_request, search_request


def test_dataclasses_write_what_the_contract_has():
    options = pb.CallOptions(timeout_ms=3000, slow_after_ms=500, tag="call-7", traceparent="00-…")
    request = dataclasses.replace(booking(key="k", notes="n", detach=True), options=options)
    request = dataclasses.replace(request, conversation="call-7")
    expected = booking_request(key="k", detach=True, conversation="call-7", **vars(options))
    expected["booking"]["notes"] = "n"
    assert request.members() == expected
    assert pb.LookupCustomerRequest(BOT_ID, PHONE).members() == lookup_request()
    assert search().members() == search_request()
    assert (
        "email"
        not in pb.CreateBookingRequest(BOT_ID, "x", 30, pb.Customer(PHONE, NAME)).members()["booking"]["customer"]
    )


def test_moments_may_be_datetimes_and_dates(sandbox):
    day = pb.SearchAvailabilityRequest(BOT_ID, date(2030, 1, 14), date(2030, 1, 14))
    assert len(sandbox.search_availability(day).availabilities) == 16
    start = datetime(2030, 1, 14, 10, tzinfo=timezone.utc)
    hours = pb.SearchAvailabilityRequest(BOT_ID, start, start + timedelta(hours=2))
    assert len(sandbox.search_availability(hours).availabilities) == 4
    eastern = start.astimezone(timezone(timedelta(hours=-5)))
    assert sandbox.create_booking(booking(start_at=eastern)).start_at == "2030-01-14T10:00:00Z"
    with pytest.raises(pb.InvalidField) as refused:
        sandbox.create_booking(booking(start_at=datetime(2030, 1, 14, 12)))
    assert refused.value.field == "booking.start_at"


@pytest.mark.parametrize("request_json", ["{", b'{"bot_id":"\xff"}', '{"bot_id":"\ud800"}', {"bot_id": float("nan")}])
def test_what_is_not_json_is_refused_by_the_library(sandbox, request_json):
    with pytest.raises(pb.InvalidJSON) as refused:
        sandbox.search_availability(request_json)
    assert refused.value.members["offset"] >= 0


def test_a_nul_byte_hides_nothing(sandbox):
    whole = json.dumps(search_request())
    for text in (f"{whole}\0", f"{whole}\0garbage", whole.encode() + b"\0"):
        with pytest.raises(pb.InvalidJSON) as refused:
            sandbox.search_availability(text)
        assert refused.value.members["offset"] == len(whole)
    with pytest.raises(pb.InvalidJSON):
        pb.booking_key("call-7", f"{json.dumps(booking_request())}\0")


HALF = "\ud83d"
"""Of a surrogate pair: what is left of an emoji that somebody has cut."""


@pytest.mark.parametrize("odd", ["a\0b", "\0", f"{HALF}b"])
def test_an_argument_that_no_c_string_can_hold_is_named(odd):
    for name, call in {
        "call_id": lambda: pb.booking_key(odd, booking()),
        "secret": lambda: pb.webhook.sign(odd, b"{}"),
        "secrets": lambda: pb.webhook.verify(["whsec_1", odd], "t=1,v1=00", b"{}"),
    }.items():
        with pytest.raises(ValueError, match=f"^{name} holds ") as refused:
            call()
        assert type(refused.value) is ValueError and odd not in str(refused.value)
    with pytest.raises(TypeError, match="^call_id is text, not NoneType"):
        pb.booking_key(None, booking())
    assert pb.booking_key("call\1one", booking()) != pb.booking_key("call", booking())


def test_a_key_that_no_c_string_can_hold_is_named_by_the_library(sandbox):
    """It travels as JSON, which can hold anything."""
    for call in (lambda: sandbox.resume("a\0b"), lambda: sandbox.create_booking(booking(key="a\0b"))):
        with pytest.raises(pb.InvalidField) as refused:
            call()
        assert refused.value.field == "idempotency_key"


def test_nothing_that_a_caller_told_is_in_a_repr(sandbox):
    sandbox.create_booking(booking(notes="Initial consultation"))
    known = sandbox.lookup_customer(pb.LookupCustomerRequest(BOT_ID, PHONE))
    shown = [booking(notes="Initial consultation"), pb.LookupCustomerRequest(BOT_ID, PHONE), known, known.customer]
    for private in (PHONE, NAME, "johanna", "Initial"):
        assert private not in repr(shown)
    refusal = b'{"error":{"code":"c","message":"m","reply":"%s"}}' % NAME.encode()
    assert NAME not in repr(pb.Error.of(82, refusal)) and NAME not in str(pb.Error.of(82, refusal))


def test_a_repr_shows_what_helps(sandbox):
    reply = sandbox.create_booking(booking(key="call-7-1", notes="Initial consultation"))
    known = sandbox.lookup_customer(pb.LookupCustomerRequest(BOT_ID, PHONE))
    assert repr(reply) == (
        f"CreateBookingReply(id={reply.id!r}, status='confirmed', start_at='2030-01-14T10:00:00Z',"
        " end_at='2030-01-14T10:30:00Z')"
    )
    assert repr(sandbox.search_availability(search())) == (
        "SearchAvailabilityReply(availabilities=15, first='2030-01-14T09:00:00Z', last='2030-01-14T16:30:00Z')"
    )
    assert repr(known).startswith("LookupCustomerReply(found=True, customer=KnownCustomer(existing_appointment=Appoint")
    assert repr(pb.Customer(PHONE, NAME)) == "Customer(<phone, name>)"
    assert repr(pb.Settled("call-7-1", None, reply, None)) == (
        f"Settled(idempotency_key='call-7-1', tag=None, reply={reply!r}, error=None)"
    )


@pytest.mark.parametrize("json", [b"", b"{}", b"[]", b'{"booking":7}', b'{"availabilities":7}', b'{"found":true}'])
@pytest.mark.parametrize("kind", [pb.CreateBookingReply, pb.SearchAvailabilityReply, pb.LookupCustomerReply])
def test_every_reply_has_a_repr(kind, json):
    assert repr(kind(json)).startswith(f"{kind.__name__}(")


def test_a_clients_repr_has_neither_key_nor_secret():
    platforms = {"bot_1": {"webhook_url": "https://p.example", "webhook_secret": "whsec_1", "account_id": "acct_1"}}
    with pb.Client(endpoint="platform_webhook", platforms=platforms, keep_warm_ms=0) as client:
        assert repr(client) == "<Client platform_webhook, open>"
    assert repr(client) == "<Client platform_webhook, closed>"
    client = pb.AsyncClient(api_key="sk_ptnr_0123456789abcdef", base_url="http://127.0.0.1:1")
    assert repr(client) == "<AsyncClient partner_api, open>"
    client._close(0)
