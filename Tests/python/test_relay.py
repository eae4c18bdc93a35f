"""Relayed straight to a platform's webhook, over real HTTP: what is sent and signed, and what is made of the answers.

The reference server verifies every signature over the bytes that came, and holds each request to the letter of the
protocol.
"""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

import pbk
import pytest
from contract import failure, success
from header import VERSION
from reference_names import WEBHOOK_SECRET
from reference_webhook import BOOKING_PATH, LOOKUP_PATH, SEARCH_PATH, signature_of
from relays import PARTS, PATHS, REQUESTS, TRACE, body_of, check_signature, operations, time_of
from run_reference import headers_of
from samples import BOOKING_REPLY, BOT_ID, NAME, PHONE, booking_request, lookup_request, new_key, search_request

pytestmark = pytest.mark.usefixtures("no_violation")


# The reference platform itself


def test_reference_platform_catches_violations(reference):
    """Else the check after each test would prove nothing."""
    account = reference.account()
    connection = http.client.HTTPConnection(reference.http_url.partition("//")[2], timeout=10)

    def post(path: str, content: Any, *, secret: str = WEBHOOK_SECRET, age: int = 0, **more: str) -> tuple[int, str]:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        headers = {
            "Content-Type": "application/json",
            "X-DialStack-Account-Id": account,
            "X-DialStack-Signature": signature_of(secret, int(time.time()) - age, body),
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        connection.request("POST", path, body, headers)
        reply = connection.getresponse()
        content = json.loads(reply.read())
        return reply.status, content.get("error", {}).get("code")

    booking = {"account_id": account, "idempotency_key": new_key(), "booking": booking_request()["booking"]}
    assert post(BOOKING_PATH, booking) == (201, None)
    assert post(BOOKING_PATH, booking, age=290) == (200, None)
    unsigned = (401, "invalid_signature")
    assert post(BOOKING_PATH, booking, secret="whsec_another") == unsigned
    assert post(BOOKING_PATH, booking, age=301) == post(BOOKING_PATH, booking, age=-310) == unsigned
    signature = signature_of(WEBHOOK_SECRET, int(time.time()), json.dumps(booking).encode() + b" ")
    assert post(BOOKING_PATH, booking, X_DialStack_Signature=signature) == unsigned
    assert reference.take_violations() == []

    search = {"account_id": account, **search_request()}
    del search["bot_id"]
    assert post(SEARCH_PATH, search) == (200, None)
    for path, content, more in [
        (BOOKING_PATH, {**booking, "bot_id": BOT_ID}, {}),
        (BOOKING_PATH, {**booking, "timeout_ms": 1}, {}),
        (BOOKING_PATH, {name: booking[name] for name in ("account_id", "booking", "idempotency_key")}, {}),
        (BOOKING_PATH, {name: booking[name] for name in ("account_id", "booking")}, {}),
        (BOOKING_PATH, json.dumps(booking).replace("{", '{"account_id":"a",', 1).encode(), {}),
        (BOOKING_PATH, {**booking, "account_id": "acct_another"}, {}),
        (BOOKING_PATH, booking, {"Authorization": "Bearer any"}),
        (BOOKING_PATH, booking, {"Idempotency_Key": booking["idempotency_key"]}),
        (BOOKING_PATH, booking, {"X_DialStack_Signature": "t=1,v1=abc"}),
        (BOOKING_PATH, booking, {"X_DialStack_Account_Id": ""}),
        (BOOKING_PATH, booking, {"Content_Type": "text/plain"}),
        (SEARCH_PATH, {"query": search["query"], "account_id": account}, {}),
        (SEARCH_PATH, {"account_id": account, "query": {}}, {}),
        (LOOKUP_PATH, {"account_id": account, "customer": {"phone": "5550137"}}, {}),
        ("/webhook/customers", search, {}),
        ("/webhook/availability/search/", search, {}),
    ]:
        assert post(path, content, **more) == (400, "invalid_payload"), (path, content, more)
        assert len(reference.take_violations()) == 1
    connection.close()


# What is sent and what comes back


@operations
def test_request_and_reply(reference, relay, open_client, operation):
    """The account goes in; the bot comes out, and all that is the library's own. The reply is the platform's."""
    account = reference.account()
    client = open_client(relay.config(account))
    request = REQUESTS[operation](tag="call-7", timeout_ms=30_000, slow_after_ms=20_000, traceparent=TRACE)
    result = getattr(client, operation)(request)
    success(result)

    (sent,) = reference.requests(account)
    assert (sent["method"], sent["path"], sent["http_version"]) == ("POST", PATHS[operation], relay.http_version)
    expected = {"account_id": account}
    if operation == "book":
        expected["idempotency_key"] = request["idempotency_key"]
    expected[PARTS[operation]] = request[PARTS[operation]]
    assert body_of(sent) == json.dumps(expected, separators=(",", ":")).encode()
    assert result.reply.decode("latin-1") == sent["reply"]

    headers = headers_of(sent)
    assert headers["user-agent"] == f"libpartnerbooking/{VERSION}"
    assert headers["accept"] == headers["content-type"] == "application/json"
    assert headers["x-dialstack-account-id"] == account
    assert headers["traceparent"] == TRACE
    assert not {"authorization", "idempotency-key", "expect"} & set(headers)
    check_signature(sent)


def test_members_may_stand_in_any_order(reference, relay1, open_client):
    """What is taken off leaves no trace, an account of the caller's included; what is left keeps its order."""
    customer = '"customer":{"name":"J","phone":"+14155550137"}'
    booking = f'"booking":{{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,{customer}}}'
    account = reference.account({"status": 201, "body": BOOKING_REPLY.decode()}, more_members=["x", "y"])
    client = open_client(relay1.config(account))
    keys = []
    for form in (
        '{{"x":1,"bot_id":"{bot}",{booking},"y":[],"idempotency_key":"{key}"}}',
        '{{"idempotency_key":"{key}","x":1,{booking},"account_id":"acct_callers","y":[],"bot_id":"{bot}"}}',
        '{{"timeout_ms":9000,"x":1,"account_id":null,{booking},"idempotency_key":"{key}","bot_id":"{bot}","y":[]}}',
    ):
        keys.append(new_key())
        success(client.book(form.format(bot=BOT_ID, booking=booking, key=keys[-1])))
    assert [request["body"] for request in reference.requests(account)] == [
        f'{{"account_id":"{account}","idempotency_key":"{key}","x":1,{booking},"y":[]}}' for key in keys
    ]


def test_names_are_the_same_however_they_are_spelled(reference, relay1, open_client):
    """Else a caller's account would stand behind ours, and which of them counts would be the platform's choice."""
    account = reference.account({"status": 201, "body": BOOKING_REPLY.decode()}, more_members=["Account_id", "bot_id "])
    client = open_client(relay1.config(account))
    rest = f'"booking":{json.dumps(booking_request()["booking"])},"Account_id":1,"bot_id ":2'
    expected = []
    for form in (
        '{{"bot\\u005fid":"{bot}","idempotency\\u005fkey":"{key}",{rest},"\\u0061ccount_id":"acct_callers"}}',
        '{{"account\\u005Fid":{{"a":[1]}},"bot_id":"{bot}",{rest},"idempotency_key":"{key}","t\\u0061g":"x"}}',
    ):
        key = new_key()
        success(client.book(form.format(bot=BOT_ID, rest=rest, key=key)))
        expected.append(f'{{"account_id":"{account}","idempotency_key":"{key}",{rest}}}')
    assert [request["body"] for request in reference.requests(account)] == expected


def test_key_with_every_character(reference, relay1, open_client):
    """All that a key may hold is text in the body: what JSON has to escape is."""
    account = reference.account()
    key = "".join(map(chr, range(0x21, 0x7F)))
    success(open_client(relay1.config(account)).book(booking_request(key=key)))
    (request,) = reference.requests(account)
    assert json.loads(request["body"])["idempotency_key"] == key
    assert len(reference.bookings(idempotency_key=key, account_id=account)["bookings"]) == 1


def test_members_of_bookings_are_not_ours_in_a_search(reference, relay1, open_client):
    account = reference.account(more_members=["idempotency_key", "detach"])
    success(open_client(relay1.config(account)).search(search_request(idempotency_key="k", detach="the last page")))
    (request,) = reference.requests(account)
    assert list(json.loads(request["body"])) == ["account_id", "query", "idempotency_key", "detach"]


def test_booking_lives(reference, relay, open_client):
    """Made once, known from then on without a request, found under its key by others, and in the way of all else."""
    account, key = reference.account(), new_key()
    client = open_client(relay.config(account))
    first = client.book(booking_request(key=key))
    assert success(first)["booking"]["platform_reference"] == key
    assert client.book(booking_request(key=key)) == first
    assert len(reference.requests(account)) == 1
    assert open_client(relay.config(account)).book(booking_request(key=key)) == first

    error = failure(client.book(booking_request()), "SLOT_UNAVAILABLE")
    assert (error["code"], error["status"], error["source"]) == ("slot_unavailable", 409, "platform")
    assert (error["outcome"], error["retryable"], error["attempts"]) == ("rejected", False, 1)

    requests = reference.requests(account)
    assert [request["status"] for request in requests] == [201, 200, 409]
    assert first.reply.decode("latin-1") == requests[0]["reply"] == requests[1]["reply"]
    assert json.loads(requests[2]["reply"]) == error["reply"]


def test_customer_is_found(reference, relay, open_client):
    account = reference.account()
    client = open_client(relay.config(account))
    assert success(client.lookup(lookup_request())) == {"found": False}
    booking = success(client.book(booking_request()))["booking"]
    appointment = {name: booking[name] for name in ("start_at", "end_at", "status")}
    result = client.lookup(lookup_request())
    customer = success(result)["customer"]
    assert (customer["name"], customer["phone"], customer["existing_appointment"]) == (NAME, PHONE, appointment)
    assert result.reply.decode("latin-1") == reference.requests(account)[-1]["reply"]
    assert success(client.lookup(lookup_request(phone="+14155550138"))) == {"found": False}


def test_gzip(reference, relay1, open_client):
    body = '{"found":false,"n":1.50e+2}'
    account = reference.account({"status": 200, "body": body, "gzip": True})
    assert open_client(relay1.config(account)).lookup(lookup_request()).reply.decode() == body


# What is signed is what is sent

SPACES = ["", " ", "\t\r\n", "\n \t\r " * 60]

VALUES = [
    *("1", "1.0", "1e0", "1E+2", "1e-7", "-0", "-0.0", "-0e-0", "0.1", "1.50", "1E400", "-1e-400"),
    *("123456789012345678901234567890", "0.1000000000000000055511151231257827021181583404541015625"),
    '"caf\u00e9"',
    '"caf\\u00e9"',
    '"cafe\u0301"',
    '"\U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467"',
    '"\\ud83d\\ude00"',
    '"\\uD83D\\uDE00"',
    '"\u0634\u0644\u0648\u0645 \u202e\u05e9\u05dc\u05d5\u05dd\u202c"',
    '"\\u202e"',
    '"/ \\/ \\u002f"',
    '"\\b\\f\\n\\r\\t\\"\\\\"',
    '"\\u0001\\u001f"',
    '"\x7f\u0080\u2028\u2029\ufeff\ufffe\uffff\U0010ffff"',
    '"\u1100\u1161\u11a8 \uac01 \u212b \ufb01"',
    '{"a\\u0062":1,"ab":2,"":{"b":[ ],"a":{\t}}}',
    "[1 ,\t2,\r\n3\n,[ [ ]],{ } ]",
    "true",
    "null",
]


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_what_is_signed_is_what_is_sent(reference, relay, open_client, value):
    """The server recomputes the signature of every body before it answers. And they are the caller's own bytes, down to
    the white space inside a member, at the top and deeper down.
    """
    body = '{"availabilities":[],"booking":{"id":"bkg_1"},"found":false}'
    account = reference.account({"status": 200, "body": body})
    client = open_client(relay.config(account))
    expected = []
    for operation, part in PARTS.items():
        for space in SPACES:
            request = REQUESTS[operation]()
            inner = json.dumps(request[part])[1:].replace(", ", f"{space},{space}")
            member = f'"{part}"{space}:{space}{{"x"{space}:{space}{value}{space},{inner}'
            key = f'"idempotency_key":"{request["idempotency_key"]}",' if operation == "book" else ""
            text = f'{space}{{{space}"bot_id":"{BOT_ID}"{space},{space}{key}{member}{space}}}{space}'
            success(getattr(client, operation)(text))
            expected.append(f'{{"account_id":"{account}",{key}{member}}}'.encode())
    sent = reference.requests(account)
    assert [body_of(request) for request in sent] == expected
    for request in sent:
        assert request["status"] == 200
        check_signature(request)


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_unknown_members_at_the_top_are_signed_too(reference, relay1, open_client, value):
    account = reference.account(more_members=["x", "\u00fc"])
    client = open_client(relay1.config(account))
    for space in SPACES:
        text = pbk.encode(search_request()).decode()[:-1]
        more = f'"x"{space}:{space}{value}', f'"\u00fc":{space}{value}'
        success(client.search(f"{text},{space}{more[0]}{space},{more[1]}{space}}}"))
        sent = reference.requests(account)[-1]
        assert body_of(sent).endswith(f",{more[0]},{more[1]}}}".encode())
        check_signature(sent)


def test_longest_request(reference, relay, open_client):
    account = reference.account()
    request = search_request()
    request["query"]["padding"] = ""
    request["query"]["padding"] = "\u20ac" * ((262_144 - len(pbk.encode(request))) // 3)
    success(open_client(relay.config(account)).search(request))
    check_signature(reference.requests(account)[0])


def test_each_attempt_is_signed_anew(reference, relay, open_client):
    """A retry that carried the first signature would be refused when it comes late, or taken for somebody's replay."""
    account = reference.account({"status": 503, "headers": {"Retry-After-Ms": "1100"}}, {})
    success(open_client(relay.config(account)).book(booking_request()))
    first, second = reference.requests(account)
    assert (first["status"], second["status"]) == (503, 201)
    assert time_of(second) > time_of(first)
    assert body_of(first) == body_of(second)
    for request in (first, second):
        check_signature(request)


def test_time_is_the_systems(reference, relay1, open_client):
    account = reference.account()
    before = int(time.time())
    success(open_client(relay1.config(account)).search(search_request()))
    assert before <= time_of(reference.requests(account)[0]) <= int(time.time())
