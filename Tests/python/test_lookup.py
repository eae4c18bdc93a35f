"""Looking a customer up by phone: the request, the sandbox that knows, and the Partner API that does not."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pbk
import pytest
from completions import ByCallback
from contract import failure, success
from fault_server import answer, http_reply
from garbage import BROKEN_UTF8, GARBAGE
from header import STATUS
from ledger import states, unsettled
from openapi_core.exceptions import OpenAPIError
from reference_http import Request
from reference_webhook import LOOKUP_PATH, OPENAPI
from samples import BOT_ID, NAME, PHONE, SANDBOX, SLEEPING, booking_request, lookup_request, search_request
from services import config_for


def booked(client: pbk.Client, hour: int, phone: str = PHONE, name: str = NAME, bot: str = BOT_ID) -> dict[str, str]:
    """Makes a booking, and gives what a look-up tells of it."""
    request = booking_request(bot)
    request["booking"]["start_at"] = f"2030-01-14T{hour:02}:00:00Z"
    request["booking"]["customer"] = {"phone": phone, "name": name}
    booking = success(client.book(request))["booking"]
    return {name: booking[name] for name in ("start_at", "end_at", "status")}


# The sandbox


def test_nobody_is_known_at_first(open_client):
    assert open_client(SANDBOX).lookup(lookup_request()) == (STATUS["OK"], b'{"found":false}')


def test_customer_with_an_appointment(open_client):
    client = open_client(SANDBOX)
    appointment = booked(client, 10)
    customer = {"name": NAME, "phone": PHONE, "existing_appointment": appointment}
    assert success(client.lookup(lookup_request())) == {"found": True, "customer": customer}
    assert appointment["status"] == "confirmed"


def test_next_of_several_appointments(open_client):
    """The first to come, in whatever order they were made."""
    client = open_client(SANDBOX)
    appointments = {hour: booked(client, hour) for hour in (14, 9, 11)}
    assert success(client.lookup(lookup_request()))["customer"]["existing_appointment"] == appointments[9]


@pytest.mark.parametrize("other", ["+14155550138", "+1415555013", "+141555501370", "+24155550137"])
def test_another_number_is_another_customer(open_client, other):
    client = open_client(SANDBOX)
    booked(client, 10)
    assert success(client.lookup(lookup_request(phone=other))) == {"found": False}
    booked(client, 11, other, "Somebody Else")
    assert success(client.lookup(lookup_request(phone=other)))["customer"]["name"] == "Somebody Else"
    assert success(client.lookup(lookup_request()))["customer"]["name"] == NAME


def test_customers_are_the_bots_own(open_client):
    client = open_client({"endpoint": "sandbox", "sandbox": {**SANDBOX["sandbox"], "capacity": 2}})
    booked(client, 10)
    assert success(client.lookup(lookup_request("bot_another"))) == {"found": False}
    booked(client, 11, bot="bot_another")
    found = success(client.lookup(lookup_request("bot_another")))
    assert found["customer"]["existing_appointment"]["start_at"] == "2030-01-14T11:00:00Z"


def test_booking_that_was_refused_makes_no_customer(open_client):
    client = open_client(SANDBOX)
    booked(client, 10)
    request = booking_request()
    request["booking"]["customer"]["phone"] = "+14155550138"
    failure(client.book(request), "SLOT_UNAVAILABLE")
    assert success(client.lookup(lookup_request(phone="+14155550138"))) == {"found": False}


def test_name_of_every_kind(open_client):
    client = open_client(SANDBOX)
    name = 'Zo\u00eb "Z" \\ \u5c71\u7530 \U0001f600\u2028\x7f'
    booked(client, 10, name=name)
    assert success(client.lookup(lookup_request()))["customer"]["name"] == name


def test_replies_are_the_webhooks(open_client):
    """As a platform has to give them: checked against the protocol's own document."""

    def hold_against_openapi(body: bytes) -> None:
        request = Request("post", LOOKUP_PATH, (("content-type", "application/json"),), b"{}")
        response = SimpleNamespace(status_code=200, data=body, content_type="application/json", headers={})
        OPENAPI.validate_response(request, response)

    client = open_client(SANDBOX)
    hold_against_openapi(client.lookup(lookup_request()).reply)
    booked(client, 10)
    hold_against_openapi(client.lookup(lookup_request()).reply)
    with pytest.raises(OpenAPIError):
        hold_against_openapi(b'{"found":true,"customer":{"name":"J","phone":"555"}}')


def test_bot_that_the_sandbox_does_not_know(open_client):
    client = open_client({"endpoint": "sandbox", "sandbox": {"bots": [BOT_ID]}})
    error = failure(client.lookup(lookup_request("bot_unknown")), "REFUSED")
    assert (error["status"], error["code"]) == (404, "bot_not_found")
    assert "outcome" not in error


def test_deadline(open_client):
    error = failure(open_client(SLEEPING).lookup(lookup_request(timeout_ms=50, tag="call-7")), "TIMEOUT")
    assert (error["tag"], error["retryable"]) == ("call-7", True)
    assert "outcome" not in error and "idempotency_key" not in error


def test_submitted(open_client, way):
    client = open_client(SANDBOX)
    ticket = way.submit(client, pbk.LOOKUP, lookup_request(tag="call-7"), 7)
    completion = way.next(client)
    assert (completion.ticket, completion.tag, completion.context) == (ticket, "call-7", 7)
    assert completion.result == client.lookup(lookup_request())


def test_look_ups_are_not_remembered(open_client):
    """An `idempotency_key` is nothing to a look-up: what it tells may change from one call to the next."""
    client = open_client(SANDBOX)
    request = lookup_request(idempotency_key="k", detach="no")
    assert success(client.lookup(request)) == {"found": False}
    booked(client, 10)
    assert success(client.lookup(request))["found"] is True
    assert "k" not in states(client) and unsettled(client) == []


# The request


@pytest.mark.parametrize(
    ("request_json", "field"),
    [
        ({}, "bot_id"),
        ({"bot_id": BOT_ID}, "customer"),
        (lookup_request(""), "bot_id"),
        (lookup_request("b" * 257), "bot_id"),
        (lookup_request(None), "bot_id"),
        (lookup_request(phone=None), "customer.phone"),
        ({"bot_id": BOT_ID, "customer": {}}, "customer.phone"),
        *(({"bot_id": BOT_ID, "customer": customer}, "customer") for customer in (None, [], "c", True)),
        *((lookup_request(phone=phone), "customer.phone") for phone in ("", "555 1234", "+0123", "+1", "+1415555013a")),
        (lookup_request(phone="+1234567890123456"), "customer.phone"),
        (lookup_request(phone=14155550137), "customer.phone"),
        (lookup_request(timeout_ms=0), "timeout_ms"),
        (lookup_request(tag=7), "tag"),
        (lookup_request(traceparent="00-1"), "traceparent"),
        (search_request(), "customer"),
        ('{"bot_id":"b","bot_id":"b","customer":{"phone":"+14155550137"}}', "bot_id"),
        ('{"bot_id":"b","customer":{"phone":"+14155550137","phone":"+14155550138"}}', "customer.phone"),
    ],
    ids=lambda value: pbk.encode(value).decode()[:60],
)
def test_wrong_request(open_client, request_json, field):
    client = open_client(SANDBOX)
    error = failure(client.lookup(request_json), "INVALID_FIELD")
    assert (error["field"], error["attempts"]) == (field, 0)
    assert "outcome" not in error and "idempotency_key" not in error
    submission = client.submit(pbk.LOOKUP, request_json)
    assert (submission.status, submission.ticket) == (STATUS["INVALID_FIELD"], 0)
    assert json.loads(submission.error)["error"]["field"] == field


def test_message_does_not_repeat_the_number(open_client):
    error = failure(open_client(SANDBOX).lookup(lookup_request(phone=f"{PHONE}x")), "INVALID_FIELD")
    assert PHONE not in error["message"]


@pytest.mark.parametrize("text", ["", "{", "nul", '{"a":1}x', *BROKEN_UTF8.values()], ids=ascii)
def test_text_that_is_not_json(open_client, text):
    failure(open_client(SANDBOX).lookup(text), "INVALID_JSON")


def test_null_and_longest_request(open_client):
    client = open_client(SANDBOX)
    failure(client.lookup(None), "INVALID_ARGUMENT")
    room = 262_144 - len(pbk.encode(lookup_request(padding="")))
    success(client.lookup(lookup_request(padding="x" * room)))
    failure(client.lookup(lookup_request(padding="x" * (room + 1))), "INVALID_ARGUMENT")


def test_status_may_be_null(open_client):
    for handle in (open_client(SANDBOX).handle, None):
        for text in (None, b"{}", b"\xff"):
            assert b'"error"' in pbk.take(pbk.library.pbk_lookup_customer(handle, text, None))


# Handles and threads


@pytest.mark.parametrize("handle", GARBAGE.values(), ids=GARBAGE)
def test_garbage_handle(handle):
    assert failure(pbk.lookup(handle, lookup_request()), "INVALID_CLIENT")["attempts"] == 0


def test_closed_handle(open_client):
    client = open_client(SANDBOX)
    assert client.close() == STATUS["OK"]
    failure(client.lookup(lookup_request()), "CLIENT_CLOSED")


def test_from_a_callback(open_client):
    """It waits, so it must not be called there."""
    client = open_client(SANDBOX)
    found = []
    told = ByCallback(lambda _: found.append(client.lookup(lookup_request())))
    told.submit(client, pbk.LOOKUP, lookup_request())
    success(told.next().result)
    failure(found[0], "WOULD_DEADLOCK")


# The Partner API


def test_partner_api_looks_nobody_up(start_faults, open_client):
    server = start_faults(answer(http_reply(200, b'{"found":false}')))
    client = open_client(config_for(server))
    error = failure(client.lookup(lookup_request(tag="call-7")), "UNSUPPORTED_OPERATION")
    assert (error["source"], error["attempts"], error["retryable"]) == ("caller", 0, False)
    assert error["tag"] == "call-7"
    submission = client.submit(pbk.LOOKUP, lookup_request())
    assert (submission.status, submission.ticket) == (STATUS["UNSUPPORTED_OPERATION"], 0)
    assert server.connections == 0
