"""Input as people and language models write it: the table of input forms over the shipped library,
and what it sends.

The oracles are Python's own reader of ISO 8601, and its Unicode database.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from datetime import datetime, timedelta, timezone
from typing import Any

import pbk
import pytest
from contract import BOOKING_MEMBERS, CONTRACT, ERROR_MEMBERS, failure, list_members, success, table_rows
from fault_server import Peer, http_reply
from forms import BASE, ROWS, Row, at
from header import FIRST_SERVICE_STATUS, STATUS
from ledger import key_of
from samples import SANDBOX, UNSPARED, spoiled
from services import config_for

REFUSED = [row for row in ROWS if row.is_refused]
TAKEN = [row for row in ROWS if not row.is_refused]


class Desk:
    """Takes every request, and keeps the bodies."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def __call__(self, peer: Peer) -> None:
        while True:
            body = peer.read_request().body
            self.bodies.append(body)
            content: dict[str, Any] = {"availabilities": []}
            if booking := json.loads(body).get("booking"):
                content = {"booking": {"id": "bkg_1", "start_at": booking["start_at"]}}
            peer.send(http_reply(201, json.dumps(content).encode()))


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def client(desk, start_faults, open_client) -> pbk.Client:
    return open_client(config_for(start_faults(desk)), **UNSPARED)


def test_table_has_every_operation():
    assert len(ROWS) >= 120
    assert {row.operation for row in TAKEN} == {row.operation for row in REFUSED} == {"book", "search", "lookup"}


@pytest.mark.parametrize("row", REFUSED, ids=str)
def test_refused_row(open_client, row):
    result = getattr(open_client(SANDBOX), row.operation)(row.request)
    error = failure(result, row.members.get("code", "invalid_field").upper())
    assert (error["kind"], error["field"]) == (row.members["refused"], row.path), error["message"]
    assert row.members["says"] in error["message"]
    more = {"offset"} if error["code"] == "invalid_json" else set()
    assert set(error) == ERROR_MEMBERS | {"kind"} | more | (BOOKING_MEMBERS if row.operation == "book" else set())


@pytest.mark.parametrize("row", [row for row in TAKEN if row.operation != "lookup"], ids=str)
def test_taken_row_is_sent_in_its_canonical_form(client, desk, row):
    success(getattr(client, row.operation)(row.request))
    assert json.loads(desk.bodies[0]) == row.sent


@pytest.mark.parametrize("row", [row for row in TAKEN if row.operation == "lookup"], ids=str)
def test_taken_lookup(open_client, row):
    assert success(open_client(SANDBOX).lookup(row.request)) == {"found": False}


@pytest.mark.parametrize("row", [row for row in TAKEN if row.operation == "book"], ids=str)
def test_canonical_form_is_the_same_wish(client, desk, row):
    """Under one key: the second request gets the reply of the first."""
    canonical = {**row.sent, "idempotency_key": "key-7"}
    assert key_of(row.request) == key_of(canonical)
    first = success(client.book(row.request))
    assert success(client.book(canonical)) == first
    assert len(desk.bodies) == 1


# ---- What no table can list ----------------------------------------------------------------------


def spelled(moment: datetime, rng: random.Random) -> str:
    """The same instant, as an ISO 8601 that Python reads."""
    date = moment.strftime(rng.choice(["%Y-%m-%d", "%Y%m%d"]))
    form = "%H:%M" if moment.second == 0 and rng.random() < 0.5 else "%H:%M:%S"
    time = moment.strftime(form if rng.random() < 0.7 else form.replace(":", ""))
    offset = moment.strftime("%z")
    if rng.random() < 0.5:
        offset = f"{offset[:3]}:{offset[3:]}"
    elif offset.endswith("00") and rng.random() < 0.5:
        offset = offset[:3]
    return f"{date}{rng.choice(['T', 't', ' '])}{time}{offset}"


@pytest.mark.parametrize("seed", range(4))
def test_instants_are_those_that_python_reads(seed):
    rng = random.Random(seed)
    for _ in range(500):
        zone = timezone(timedelta(minutes=rng.choice([-705, -600, -300, -210, 0, 60, 330, 765, 840])))
        moment = datetime(rng.randint(2000, 2100), rng.randint(1, 12), rng.randint(1, 28), tzinfo=zone)
        moment += timedelta(seconds=rng.choice([0, 30, 1]) + 60 * rng.randrange(1440))
        text = spelled(moment, rng)
        assert datetime.fromisoformat(text.replace("t", "T")) == moment
        canonical = moment.isoformat()
        keys = {key_of(spoiled(BASE["booking"], "booking.start_at", each)) for each in (text, canonical)}
        assert len(keys) == 1, text


@pytest.mark.parametrize("seed", range(4))
def test_taken_times_have_the_instant_that_python_reads(seed):
    """Texts that are nearly right: what both read is the same instant."""
    rng = random.Random(seed)
    taken = 0
    for _ in range(3000):
        text = list("2030-01-15T14:00:00-05:00")
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(text))
            text[place : place + rng.randint(0, 1)] = rng.choice([*" 019:-+ZT.", "", "60"])
        start = "".join(text)
        key, error = pbk.booking_key("call-7", spoiled(BASE["booking"], "booking.start_at", start))
        if error is not None:
            assert json.loads(error)["error"]["field"] == "booking.start_at"
            continue
        try:
            moment = datetime.fromisoformat(re.sub(r"\s+(?=[-+Z])", "", start.strip()))
        except ValueError:
            continue
        taken += 1
        assert moment.tzinfo is not None, start
        assert key.decode() == key_of(spoiled(BASE["booking"], "booking.start_at", moment.isoformat())), start
    assert taken > 50


MARKS = [" ", "-", ".", "\u00a0", "\u2011", "\u2013", "\u202f", "\u200b", ""]


@pytest.mark.parametrize("seed", range(4))
def test_phone_numbers_are_their_digits(seed):
    rng = random.Random(seed)
    zeros = [chr(code) for code in (0x30, 0x660, 0x966, 0xFF10)]
    for _ in range(500):
        digits = str(rng.randint(10, 10 ** rng.randint(2, 15) - 1))
        zero = rng.choice(zeros)
        marked = "".join(chr(ord(zero) + int(digit)) + rng.choice(MARKS) for digit in digits)
        text = rng.choice(["", " ", "tel:", "Tel: "]) + rng.choice(["+", "\uff0b"]) + rng.choice(["", " "]) + marked
        plain = "+" + "".join(str(unicodedata.digit(each)) for each in marked if each.isdigit())
        wish = {key_of(spoiled(BASE["booking"], "booking.customer.phone", each)) for each in (text, plain)}
        assert len(wish) == 1, ascii(text)


# ---- Messages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", REFUSED, ids=str)
def test_message_has_no_example_to_misuse(open_client, row):
    """An example with Z makes a model add Z, and an example address is sent as an address."""
    result = getattr(open_client(SANDBOX), row.operation)(row.request)
    message = failure(result, row.members.get("code", "invalid_field").upper())["message"]
    example = message.replace("(" + str(row.members.get("input")) + ")", "")
    assert not re.search(r"\d\dZ|@example|\+1555", example), message
    assert len(message) <= 400 and message.isprintable()


@pytest.mark.parametrize("path", ["booking.customer.phone", "booking.customer.name", "booking.notes", "bot_id"])
def test_message_does_not_repeat_a_text(open_client, path):
    secret = "Qwxyz\u0007 5550100123"
    error = failure(open_client(SANDBOX).book(spoiled(BASE["booking"], path, secret)), "INVALID_FIELD")
    assert error["field"] == path
    assert "Qwxyz" not in error["message"] and "5550100" not in error["message"]


def test_message_does_not_repeat_a_text_in_place_of_a_time(open_client):
    for text in ["Qwxyz", "5550100123", "+1 555 010 0123", "2030-01-15 Qwxyz", "1970/01/15 5550100123"]:
        error = failure(open_client(SANDBOX).book(spoiled(BASE["booking"], "booking.start_at", text)), "INVALID_FIELD")
        assert "Qwxyz" not in error["message"] and "0100" not in error["message"], error["message"]


# ---- The page ------------------------------------------------------------------------------------


def test_page_shows_the_kinds_of_the_table():
    kinds = {kind for heading in KIND_HEADINGS for kind, _ in list_members(CONTRACT, heading)}
    assert kinds == {row.members["refused"] for row in REFUSED} | {"unexpected", "in_the_past"}


def test_page_shows_the_forms_of_the_table():
    """Each row of the page is a row of the table, and each form of the table has one."""
    shown = {}
    for form, written, sent in table_rows(CONTRACT, "#### Forms that are taken"):
        shown[form] = (written.strip("`"), sent.strip("`"))
    table = {}
    for row in TAKEN:
        if row.path is not None and " as it is sent" not in str(row) and " as they are sent" not in str(row):
            table.setdefault(row.members["form"], []).append(row)
    assert set(shown) == set(table)
    for form, (written, sent) in shown.items():
        assert any((raw_of(row), taken_of(row)) == (written, sent) for row in table[form]), form


KIND_HEADINGS = [f"#### Kinds of wrong {what}" for what in ("members", "times", "phone numbers", "JSON")]


def raw_of(row: Row) -> str:
    return row.members.get("raw") or json.dumps(row.members["input"])


def taken_of(row: Row) -> str:
    return json.dumps(row.members["taken"]) if "taken" in row.members else "left out"


def test_status_of_a_refused_form_is_the_libraries_own():
    assert STATUS["INVALID_FIELD"] < FIRST_SERVICE_STATUS
    assert at(BASE["search"], "query.filter.start_at_range.start_at")
