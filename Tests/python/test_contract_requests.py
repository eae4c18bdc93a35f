"""Requests against docs/json-contract.md: what is missing, wrong or out of its range is named."""

from __future__ import annotations

import pytest
from contract import BOOKING_MEMBERS, CONTRACT, ERROR_MEMBERS, failure, list_members, success
from samples import NAME, PHONE, SANDBOX, booking_request, lookup_request, search_request, spoiled

REQUESTS = [
    ("search", "### Search availability", search_request()),
    ("book", "### Create booking", booking_request()),
    ("lookup", "### Look up a customer", lookup_request()),
]
MEMBERS = [
    pytest.param(operation, request, member, "required" in kind, id=f"{operation} {member}")
    for operation, heading, request in REQUESTS
    for member, kind in list_members(CONTRACT, heading)
]
OWN_MEMBERS = [
    pytest.param(operation, request, member, value, id=f"{operation} {member} {value!r}")
    for member, kind in list_members(CONTRACT, "### Members of the library's own, in all requests")
    for operation, _, request in REQUESTS
    if operation == "book" or "bookings only" not in kind
    for value in (-1, 0.5, "true" if kind.startswith("boolean") else True, [], {})
]


@pytest.mark.parametrize(("operation", "request_json", "member", "is_required"), MEMBERS)
def test_missing_member(open_client, operation, request_json, member, is_required):
    result = getattr(open_client(SANDBOX), operation)(
        spoiled(request_json, member, ...) if is_required else request_json
    )
    if is_required:
        error = failure(result, "INVALID_FIELD")
        assert error["field"] == member
        assert set(error) == ERROR_MEMBERS | {"kind"} | (BOOKING_MEMBERS if operation == "book" else set())
    else:
        success(result)


@pytest.mark.parametrize("value", [0.5, True, None, [], {}], ids=repr)
@pytest.mark.parametrize(("operation", "request_json", "member", "is_required"), MEMBERS)
def test_wrong_value(open_client, operation, request_json, member, is_required, value):
    result = getattr(open_client(SANDBOX), operation)(spoiled(request_json, member, value))
    if value is None and not is_required:
        success(result)
    else:
        assert failure(result, "INVALID_FIELD")["field"] == member


@pytest.mark.parametrize(("operation", "request_json", "member", "value"), OWN_MEMBERS)
def test_wrong_value_of_own_member(open_client, operation, request_json, member, value):
    result = getattr(open_client(SANDBOX), operation)({**request_json, member: value})
    assert failure(result, "INVALID_FIELD")["field"] == member


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("bot_id", ""),
        ("bot_id", "b" * 257),
        ("idempotency_key", ""),
        ("idempotency_key", "k" * 256),
        ("idempotency_key", "two words"),
        ("idempotency_key", "ключ"),
        ("idempotency_key", "key\r\nX-Injected: 1"),
        ("booking.start_at", ""),
        ("booking.start_at", "2030-01-14"),
        ("booking.start_at", "2030-01-14T10:00:00"),
        ("booking.start_at", "2030-02-30T10:00:00Z"),
        ("booking.duration_minutes", 0),
        ("booking.duration_minutes", 1441),
        ("booking.customer.phone", ""),
        ("booking.customer.phone", "555 1234"),
        ("booking.customer.phone", "+0123"),
        ("booking.customer.phone", "+1234567890123456"),
        ("booking.customer.name", ""),
        ("booking.customer.name", " \t "),
        ("booking.customer.name", "n" * 257),
        ("booking.customer.email", "nobody"),
        ("booking.notes", "n" * 16385),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nX-Injected: 1"),
        ("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
        ("tag", "t" * 257),
        ("conversation", "c" * 257),
        ("timeout_ms", 0),
        ("timeout_ms", 600_001),
        ("slow_after_ms", 0),
        ("slow_after_ms", 600_001),
    ],
    ids=lambda value: str(value)[:40],
)
def test_value_out_of_its_range(open_client, member, value):
    error = failure(open_client(SANDBOX).book(spoiled(booking_request(), member, value)), "INVALID_FIELD")
    assert error["field"] == member
    assert error["attempts"] == 0
    assert "Injected" not in error["message"]


@pytest.mark.parametrize(
    ("start_at", "end_at"), [("2030-01-15", "2030-01-14"), ("2030-01-14T10:00:00Z", "2030-01-14T10:00:00Z")]
)
def test_range_that_ends_before_it_starts(open_client, start_at, end_at):
    request = search_request()
    request["query"]["filter"]["start_at_range"] = {"start_at": start_at, "end_at": end_at}
    error = failure(open_client(SANDBOX).search(request), "INVALID_FIELD")
    assert error["field"] == "query.filter.start_at_range.end_at"


@pytest.mark.parametrize("text", ["", " ", "{", "nul", '{"a":1}x', '{"a":NaN}', '{"a":"\\ud800"}', '\ufeff{"a":1}'])
@pytest.mark.parametrize("operation", ["search", "book"])
def test_text_that_is_not_json(open_client, operation, text):
    error = failure(getattr(open_client(SANDBOX), operation)(text), "INVALID_JSON")
    members = ERROR_MEMBERS | {"offset", "kind"} | (BOOKING_MEMBERS if operation == "book" else set())
    assert set(error) == members
    assert 0 <= error["offset"] <= len(text.encode())


def test_offset_is_where_the_text_stops_being_json(open_client):
    assert failure(open_client(SANDBOX).search('{"bot_id":tru}'), "INVALID_JSON")["offset"] in range(10, 14)
    assert failure(open_client(SANDBOX).search('{"bot_id":"b"} x'), "INVALID_JSON")["offset"] == 15


def test_tag_comes_back(open_client):
    client = open_client(SANDBOX)
    success(client.book(booking_request(key="first", tag="call-6")))
    assert failure(client.book(booking_request(tag="call-7")), "SLOT_UNAVAILABLE")["tag"] == "call-7"
    assert failure(client.search({"tag": "call-8"}), "INVALID_FIELD")["tag"] == "call-8"


def test_key_comes_back(open_client):
    request = spoiled(booking_request(key="call-9"), "booking.customer.phone", PHONE[1:])
    assert failure(open_client(SANDBOX).book(request), "INVALID_FIELD")["idempotency_key"] == "call-9"


def test_message_does_not_repeat_what_the_caller_said(open_client):
    request = spoiled(booking_request(), "booking.customer.phone", f"{PHONE}x")
    request["booking"]["customer"]["name"] = NAME
    message = failure(open_client(SANDBOX).book(request), "INVALID_FIELD")["message"]
    assert PHONE not in message
