"""The examples for platforms: verify_webhook, platform_server and demo_relay."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pbk import LIBRARY
from programs import EXAMPLES, VALGRIND, run

SECRET, NEXT_SECRET = "whsec_first", "whsec_second"
SECRETS = {"WEBHOOK_SECRET": f"{SECRET},{NEXT_SECRET}"}
ACCOUNT_ID = "acct_01h2xcejqtf2nbrexx3vqjhp41"
CUSTOMER = {"phone": "+14155550137", "name": "Zoë Mustermann"}


def signature(body: bytes, secret: str = SECRET, timestamp: int | None = None) -> str:
    """As the protocol has it, and computed without the library."""
    timestamp = int(time.time()) if timestamp is None else timestamp
    digest = hmac.new(secret.encode(), b"%d.%s" % (timestamp, body), hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def test_verify_webhook_signs_as_the_protocol_has_it(programs):
    body = '{"name":"Zoë"}\n'
    expected = signature(body.encode(), timestamp=1705312800)
    signed = run(programs / "verify_webhook", "--sign", "1705312800", stdin=body, **SECRETS)
    assert signed == f"{expected}\n"


@pytest.mark.parametrize("secret", [SECRET, NEXT_SECRET])
def test_verify_webhook_takes_what_either_secret_signed(programs, secret):
    run(programs / "verify_webhook", signature(b"{}", secret), stdin="{}", **SECRETS)


def test_verify_webhook_takes_its_own_signature(programs):
    signed = run(programs / "verify_webhook", "--sign", stdin="{}", WEBHOOK_SECRET=SECRET).strip()
    run(programs / "verify_webhook", signed, stdin="{}", WEBHOOK_SECRET=SECRET)


def test_verify_webhook_says_why_it_refuses(programs):
    """In each run one thing differs from the one that is valid, and so what is said is due to that."""
    valid = {"header": signature(b"{}", timestamp=1705312800), "now": "1705312800", "body": "{}", "secret": SECRET}

    def verify(expect: int = 1, **different: str) -> str:
        header, now, body, secret = {**valid, **different}.values()
        return run(programs / "verify_webhook", header, now, stdin=body, expect=expect, WEBHOOK_SECRET=secret)

    verify(expect=0)
    assert verify(body="{} ") == verify(secret="whsec_another")
    verdicts = {verify(header=""), verify(header="v1=00"), verify(body="{} ")}
    verdicts |= {verify(now="1705313101"), verify(now="1705312499")}
    assert len(verdicts) == 5, verdicts


def test_verify_webhook_leaks_nothing(programs):
    header = signature(b"{}")
    run(*VALGRIND, programs / "verify_webhook", "--sign", stdin="{}", **SECRETS)
    run(*VALGRIND, programs / "verify_webhook", header, stdin="{}", **SECRETS)
    run(*VALGRIND, programs / "verify_webhook", header, stdin="{} ", expect=1, **SECRETS)


@pytest.mark.parametrize("environment", [{}, {"WEBHOOK_SECRET": ""}, {"WEBHOOK_SECRET": "one,two,three"}])
def test_verify_webhook_needs_a_secret(programs, environment):
    assert "WEBHOOK_SECRET" in run(programs / "verify_webhook", "--sign", expect=2, **environment)


@pytest.mark.parametrize("arguments", [[], ["--sign", "today"], ["--sign", "1", "2"]])
def test_verify_webhook_tells_its_usage(programs, arguments):
    assert "usage" in run(programs / "verify_webhook", *arguments, expect=2, **SECRETS)


class Platform(AbstractContextManager):
    """platform_server.py as an engine sees it. Leaving it ends the process."""

    def __init__(self, log: Path) -> None:
        self.log = log
        with log.open("w") as stderr:
            self.process = subprocess.Popen(
                [sys.executable, str(EXAMPLES / "platform_server.py")],
                env={**os.environ, **SECRETS, "PBK_LIBRARY": str(LIBRARY)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, log.read_text()
        self.port = json.loads(line)["port"]

    def __exit__(self, *exception: object) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            assert self.process.wait(10) == 0, self.log.read_text()
        finally:
            self.process.kill()
            self.process.stdout.close()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(self, path: str, body: dict[str, Any] | bytes, **headers: str) -> tuple[int, dict[str, Any]]:
        """Signed, and on a connection of its own."""
        connection = self.connect()
        try:
            return ask(connection, path, body, **headers)
        finally:
            connection.close()

    def free_slots(self) -> list[str]:
        """Of the coming week."""
        days = [(datetime.now(timezone.utc) + timedelta(days=ahead)).date().isoformat() for ahead in (1, 8)]
        query = {"filter": {"start_at_range": {"start_at": days[0], "end_at": days[1]}}}
        status, reply = self.ask("/availability/search", {"account_id": ACCOUNT_ID, "query": query})
        assert status == 200, reply
        return [slot["start_at"] for slot in reply["availabilities"]]


def ask(
    connection: http.client.HTTPConnection, path: str, body: dict[str, Any] | bytes, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Keyword arguments replace headers, "" leaves one out."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    usual = {"Account-Id": ACCOUNT_ID, "Signature": signature(raw)}
    given = {f"X-DialStack-{name}": value for name, value in {**usual, **headers}.items() if value}
    connection.request("POST", path, raw, {"Content-Type": "application/json", **given})
    response = connection.getresponse()
    assert response.headers["Content-Type"] == "application/json"
    return response.status, json.loads(response.read())


def booking(start_at: str, key: str, customer: dict[str, str] = CUSTOMER) -> dict[str, Any]:
    wanted = {"start_at": start_at, "duration_minutes": 30, "customer": customer}
    return {"account_id": ACCOUNT_ID, "idempotency_key": key, "booking": wanted}


def lookup(phone: str, account_id: str = ACCOUNT_ID) -> dict[str, Any]:
    return {"account_id": account_id, "customer": {"phone": phone}}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with Platform(tmp_path_factory.mktemp("platform") / "log.txt") as server:
        yield server


def test_platform_serves_its_schedule(platform):
    """From the search to the customer who is known; nobody but the account of the booking knows them."""
    slot = platform.free_slots()[0]
    assert platform.ask("/customers/lookup", lookup(CUSTOMER["phone"])) == (200, {"found": False})
    status, made = platform.ask("/bookings", booking(slot, "call-1"))
    assert status == 201 and made["booking"]["start_at"] == slot
    assert platform.ask("/bookings", booking(slot, "call-1")) == (200, made)
    status, taken = platform.ask("/bookings", booking(slot, "call-2"))
    assert (status, taken["error"]["code"]) == (409, "slot_unavailable")
    assert slot not in platform.free_slots()

    status, known = platform.ask("/customers/lookup", lookup(CUSTOMER["phone"]))
    appointment = known["customer"].pop("existing_appointment")
    assert (status, known) == (200, {"found": True, "customer": CUSTOMER})
    assert appointment == {"start_at": slot, "end_at": made["booking"]["end_at"], "status": "confirmed"}
    other = {"Account-Id": "acct_other"}
    elsewhere = platform.ask("/customers/lookup", lookup(CUSTOMER["phone"], "acct_other"), **other)
    assert elsewhere == (200, {"found": False})


def test_platform_takes_the_second_secret_as_well(platform):
    body = json.dumps(lookup("+14155550100")).encode()
    assert platform.ask("/customers/lookup", body, Signature=signature(body, NEXT_SECRET)) == (200, {"found": False})


NOT_JSON = b'{"account_id":'
UNTRUSTED = {
    "no signature": "",
    "another secret": signature(NOT_JSON, "whsec_another"),
    "another body": signature(NOT_JSON + b" "),
    "no signature's form": "v1=00",
    "stale": signature(NOT_JSON, timestamp=int(time.time()) - 3600),
    "ahead of time": signature(NOT_JSON, timestamp=int(time.time()) + 3600),
}


@pytest.mark.parametrize("reason", UNTRUSTED)
def test_platform_refuses_before_it_parses(platform, reason):
    """The body is not JSON and the path is not one of its own, and it does not get so far as to say that."""
    status, reply = platform.ask("/anything", NOT_JSON, Signature=UNTRUSTED[reason])
    assert (status, reply["error"]["code"]) == (401, "invalid_signature")


def test_platform_tells_why_it_does_not_trust(platform):
    replies = [platform.ask("/bookings", NOT_JSON, Signature=header)[1] for header in UNTRUSTED.values()]
    assert len({reply["error"]["message"] for reply in replies}) == 5  # a secret and a body look alike


WRONG = {
    "not JSON": NOT_JSON,
    "not UTF-8": b'{"account_id":"\xff"}',
    "JSON in UTF-16": json.dumps(lookup("+14155550100")).encode("utf-16"),
    "too deep": b"[" * 100_000,
    "no object": b"[]",
    "no account": {"customer": {"phone": "+14155550100"}},
    "an account that is no text": {**lookup("+14155550100"), "account_id": 7},
    "another account than the header's": lookup("+14155550100", "acct_other"),
    "no phone number": lookup("five"),
    "no customer": {"account_id": ACCOUNT_ID},
    "infinity": b'{"account_id":"%s","customer":{"phone":"+14155550100","age":1e999}}' % ACCOUNT_ID.encode(),
}


@pytest.mark.parametrize("reason", WRONG)
def test_platform_refuses_what_is_wrong(platform, reason):
    status, reply = platform.ask("/customers/lookup", WRONG[reason])
    assert status == 400 and reply["error"]["code"].startswith("invalid_"), reply


def test_platform_refuses_an_account_that_only_the_header_has(platform):
    status, reply = platform.ask("/customers/lookup", lookup("+14155550100"), **{"Account-Id": ""})
    assert (status, reply["error"]["code"]) == (400, "invalid_payload")


def test_platform_takes_no_members_of_the_library_from_whoever_asks(platform):
    """`bot_id` would ask in the name of another account."""
    customer = {"phone": "+14155550155", "name": "Zoë"}
    assert platform.ask("/bookings", booking(platform.free_slots()[0], "call-3", customer=customer))[0] == 201
    question = lookup(customer["phone"], "acct_other")
    for member in ({"bot_id": ACCOUNT_ID}, {"timeout_ms": 0}):
        answer = platform.ask("/customers/lookup", {**question, **member}, **{"Account-Id": "acct_other"})
        assert answer == (200, {"found": False}), member


def test_platform_knows_no_other_path(platform):
    status, reply = platform.ask("/bookings/", lookup("+14155550100"))
    assert (status, reply["error"]["code"]) == (404, "not_found")


def test_platform_serves_two_requests_on_one_connection(platform):
    """The first of them refused: where it ends is known all the same."""
    connection = platform.connect()
    assert ask(connection, "/customers/lookup", NOT_JSON, Signature="")[0] == 401
    first = connection.sock
    assert first is not None
    assert ask(connection, "/customers/lookup", lookup("+14155550100"))[0] == 200
    assert connection.sock is first
    connection.close()


def test_platform_has_nothing_to_see(platform):
    """And the connection that an engine makes ahead with it stays open."""
    connection = platform.connect()
    connection.request("HEAD", "/")
    response = connection.getresponse()
    assert (response.status, response.read()) == (404, b"")
    first = connection.sock
    assert ask(connection, "/customers/lookup", lookup("+14155550100"))[0] == 200
    assert first is not None and connection.sock is first
    connection.close()


def raw_answer(platform: Platform, head: str) -> tuple[int, dict[str, Any]]:
    """What it answers to a head without a body. Everything up to the end is read: it has to end the connection."""
    with socket.create_connection(("127.0.0.1", platform.port), timeout=20) as connection:
        connection.sendall(f"{head}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return int(answer.split()[1]), json.loads(answer.split(b"\r\n\r\n", 1)[1])


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /bookings HTTP/1.1\r\nContent-Length: 524289", 413),
        ("POST /bookings HTTP/1.1\r\nContent-Length: 99999999999999999999", 413),
        ("POST /bookings HTTP/1.1", 411),
        ("POST /bookings HTTP/1.1\r\nContent-Length: -1", 411),
        ("POST /bookings HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 0", 411),
        ("POST /bookings HTTP/1.1\r\nContent-Length: 0\r\nTransfer-Encoding: chunked", 411),
        ("GET /bookings HTTP/1.1", 501),
    ],
)
def test_platform_ends_a_connection_that_it_cannot_follow(platform, head, status):
    answered, reply = raw_answer(platform, head)
    assert answered == status and set(reply["error"]) == {"code", "message"}


def test_platform_logs_a_line_for_each_request_and_nothing_of_the_customer(tmp_path):
    with Platform(tmp_path / "log.txt") as platform:
        slot = platform.free_slots()[0]
        platform.ask("/bookings", booking(slot, "call-1"))
        platform.ask("/bookings", booking(slot, "call-2", customer={"phone": "five", "name": "Zoë"}))
        platform.ask("/customers/lookup?phone=%2B14155550137", lookup(CUSTOMER["phone"]))
        platform.ask("/customers/lookup", NOT_JSON, Signature="")
    assert platform.log.read_text().splitlines() == [
        "POST /availability/search 200",
        "POST /bookings 201",
        "POST /bookings 400 invalid_field",
        "POST (another path) 404 not_found",
        "POST /customers/lookup 401 invalid_signature",
    ]


def test_platform_ends_on_sigterm(tmp_path):
    with Platform(tmp_path / "log.txt") as platform:
        platform.process.send_signal(signal.SIGTERM)
        assert platform.process.wait(10) == 0


def test_platform_needs_a_secret():
    output = run(
        sys.executable, EXAMPLES / "platform_server.py", expect=1, WEBHOOK_SECRET=",", PBK_LIBRARY=str(LIBRARY)
    )
    assert "WEBHOOK_SECRET" in output


def test_demo_relay_shows_both_ends(programs):
    output = run(sys.executable, EXAMPLES / "demo_relay.py", programs, PBK_LIBRARY=str(LIBRARY))
    said = {who: re.findall(rf"^{who} +\| (.*)$", output, re.MULTILINE) for who in ("platform", "engine")}
    assert all(line.startswith(("platform | ", "engine   |")) for line in output.splitlines()), output
    assert any(line.startswith("bot:     Hello Jane Roe! You are coming on ") for line in said["engine"])
    assert any("the same booking" in line for line in said["engine"])
    # The repetition is answered from memory, and never gets here.
    bookings = [line for line in said["platform"] if line.startswith("POST /bookings")]
    assert bookings == ["POST /bookings 201", "POST /bookings 201", "POST /bookings 409 slot_unavailable"]
    assert said["platform"].count("POST /customers/lookup 200") == 2


def test_demo_relay_fails_with_its_engine(tmp_path):
    for name, code in [("returning_caller", 3), ("book_appointment", 0)]:
        (tmp_path / name).write_text(f"#!/bin/sh\nexit {code}\n")
        (tmp_path / name).chmod(0o755)
    run(sys.executable, EXAMPLES / "demo_relay.py", tmp_path, expect=3, PBK_LIBRARY=str(LIBRARY))
