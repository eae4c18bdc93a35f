"""The pages in docs/ against the library: examples work, tables are true, header and pages agree."""

from __future__ import annotations

import copy
import json
import re
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pbk
import pytest
from contract import (
    BOOKING_MEMBERS,
    CODES,
    CONTRACT,
    ERROR_MEMBERS,
    ERRORS,
    FIRST_SERVICE_STATUS,
    SOMETIMES,
    STATUS,
    TIMING_MEMBERS,
    blocks,
    check_timing,
    error_object,
    failure,
    in_doubt,
    success,
    table_rows,
)
from openapi_core.exceptions import OpenAPIError
from reference_api import API_KEY, BOOKING_PATH, OPENAPI, SEARCH_PATH, Request
from samples import BOT_ID, NAME, PHONE, READS_ONLY, SANDBOX, booking_request, lookup_request, search_request

DIRECTORY = tempfile.TemporaryDirectory()
"""For the journals of this module's clients."""

PLATFORM = {"account_id": "acct_1", "webhook_url": "https://clinic.example", "webhook_secret": "whsec_1"}
PLATFORM_WEBHOOK = {"endpoint": "platform_webhook", "platforms": {BOT_ID: PLATFORM}, "keep_warm_ms": 0}

SWITCHES = {
    *("journal_required", "resume_on_open", "keys_shared", "report_settled", "check_start_at"),
    f"platforms.{BOT_ID}.check_start_at",
}
"""Options that are true or false."""

# Examples


@pytest.mark.parametrize("example", blocks("config"))
def test_example_configuration_opens(example):
    with pbk.Client(example):
        pass


@pytest.mark.parametrize("example", blocks("search"))
def test_example_search_finds_slots(open_client, example):
    assert success(open_client(SANDBOX).search(example))["availabilities"]


@pytest.mark.parametrize("example", blocks("booking"))
def test_example_booking_is_made(open_client, example):
    booking = success(open_client(SANDBOX).book(example))["booking"]
    wanted = json.loads(example)["booking"]
    assert booking["customer"]["phone"] == wanted["customer"]["phone"]


@pytest.mark.parametrize("example", blocks("lookup"))
def test_example_lookup_finds_who_has_booked(open_client, example):
    client = open_client(SANDBOX)
    assert client.lookup(example).reply == b'{"found":false}'
    for booking in blocks("booking"):
        success(client.book(booking))
    found = success(client.lookup(example))
    assert found == next(json.loads(block) for block in replies_on_the_page() if '"found"' in block)


@pytest.mark.parametrize("example", blocks("resume"))
def test_example_resumes_a_booking(open_client, example):
    once = {"max_attempts": 1}
    sandbox = SANDBOX["sandbox"] | {"faults": [{"fault": "lose_reply", "calls": [1]}]}
    client = open_client(SANDBOX | {"retry": once, "sandbox": sandbox, **READS_ONLY})
    failure(client.book(example), "NOT_RECORDED")
    request = booking_request(key=json.loads(example)["idempotency_key"])
    in_doubt(client.book({**request, "timeout_ms": 1000}), None, "connection_lost")
    assert success(client.book(example))["booking"]["status"] == "confirmed"


@pytest.mark.parametrize("example", blocks("give_up"))
def test_example_gives_up_a_booking(open_client, example):
    documented = next(json.loads(block) for block in replies_on_the_page() if '"given_up"' in block)
    client = open_client(SANDBOX | {"journal_path": f"{DIRECTORY.name}/given_up"}, **in_doubt_at_once())
    assert client.book(example).status in (STATUS["OK"], STATUS["NOT_RECORDED"])
    key = documented["given_up"][0]["idempotency_key"]
    in_doubt(client.book(booking_request(key=key, timeout_ms=1000, conversation="call-7")), None, "connection_lost")
    given = success(client.book(example))
    assert set(given) == set(documented)
    [item], [shown] = given["given_up"], documented["given_up"]
    assert set(item) == set(shown)
    free = {"recorded_at", "expired"}
    assert {k: item[k] for k in item if k not in free} == {k: shown[k] for k in shown if k not in free}
    assert given["kept"] == documented["kept"] == []
    failure(client.book({"idempotency_key": key, "resume": True}), "NOT_RECORDED")


def test_booked_one_is_kept_by_its_key_alone(open_client):
    client = open_client(SANDBOX)
    success(client.book(booking_request(key="call-7-booking-1")))
    by_key, by_bot = (success(client.book(example)) for example in blocks("give_up"))
    assert [item["state"] for item in by_key["kept"]] == ["booked"] and by_bot["kept"] == []
    for reply in (by_key, by_bot):
        assert set(reply) == {"given_up", "kept"} and reply["given_up"] == []


def in_doubt_at_once() -> dict[str, Any]:
    sandbox = SANDBOX["sandbox"] | {"faults": [{"fault": "lose_reply", "calls": [1]}]}
    return {"retry": {"max_attempts": 1}, "sandbox": sandbox, **READS_ONLY}


@pytest.mark.parametrize(
    ("request_json", "member"),
    [
        ({"idempotency_key": "k", "bot_id": BOT_ID}, "bot_id"),
        ({"idempotency_key": "k", "start_before": "2030-01-15T00:00:00Z"}, "start_before"),
        ({"bot_id": BOT_ID}, "start_before"),
        ({"start_before": "2030-01-15T00:00:00Z"}, "bot_id"),
        ({"bot_id": BOT_ID, "start_before": "2030-01-15"}, "start_before"),
        ({"bot_id": BOT_ID, "start_before": "2030-01-15T00:00:00"}, "start_before"),
        ({"idempotency_key": "k", "booking": {}}, "booking"),
        ({"idempotency_key": "k", "conversation": "call-7"}, "conversation"),
        ({"idempotency_key": "k", "resume": True}, "resume"),
    ],
    ids=str,
)
def test_give_up_with_a_member_that_does_not_fit(open_client, request_json, member):
    error = failure(open_client(SANDBOX).book({"give_up": True, **request_json}), "INVALID_FIELD")
    assert (error["field"], error["outcome"]) == (member, "not_sent")


def test_start_before_is_for_those_who_give_up(open_client):
    request = booking_request(start_before="2030-01-15T00:00:00Z")
    assert failure(open_client(SANDBOX).book(request), "INVALID_FIELD")["field"] == "start_before"


def test_there_are_examples_of_each_kind():
    assert all(blocks(kind) for kind in ("config", "search", "booking", "resume", "give_up", "lookup"))


def test_example_error_is_what_a_taken_slot_gives(open_client):
    client = open_client(SANDBOX)
    success(client.book(booking_request(key="first")))
    given = failure(client.book(booking_request(key="call-7-booking-1")), "SLOT_UNAVAILABLE")
    documented = next(json.loads(block) for block in replies_on_the_page() if '"error"' in block)["error"]
    assert set(given) - {"timing"} == set(documented), "timing has an example of its own"
    free = {"message", "request_id", "timing"}
    assert {k: given[k] for k in given if k not in free} == {k: documented[k] for k in documented if k not in free}


def test_example_error_is_what_a_key_of_another_booking_gives(open_client):
    [documented] = (json.loads(block)["error"] for block in replies_on_the_page() if '"existing"' in block)
    client = open_client(SANDBOX)
    booked = success(client.book(booking_request(key="call-7-booking-1")))["booking"]
    another = spoiled(booking_request(key="call-7-booking-1"), "booking.duration_minutes", 60)
    given = failure(client.book(another), "IDEMPOTENCY_KEY_REUSED")
    assert given.pop("timing")["attempts"] == 0
    assert given["existing"].pop("booking_id") == booked["id"]
    assert documented["existing"].pop("booking_id").startswith("bkg_")
    assert given == documented


def test_examples_of_errors_show_documented_members_only():
    members = {
        cell.strip("` ") for row in table_rows(CONTRACT, "**Failure** is one object, `error`:") for cell in row[:1]
    }
    documented = {name for cell in members for name in re.findall(r"\w+", cell)}
    for block in replies_on_the_page():
        assert set(json.loads(block).get("error", {})) <= documented


def test_example_timing_shows_every_documented_member():
    (example,) = (timing for block in replies_on_the_page() if "total_us" in (timing := json.loads(block)))
    check_timing(example)
    assert set(example) == set(TIMING_MEMBERS) - set(SOMETIMES)


def replies_on_the_page() -> list[str]:
    return re.findall(r"^```json\n(.*?)\n```$", CONTRACT, re.MULTILINE | re.DOTALL)


# Codes and statuses


def test_pages_and_header_number_the_codes_alike():
    ours = {name.lower(): value for name, value in STATUS.items() if 0 < value < FIRST_SERVICE_STATUS}
    documented = {code: int(row.status) for code, row in CODES.items() if row.status.isdigit()}
    assert documented == ours


def test_page_names_every_status_of_the_service():
    of_service = {f"PBK_{name}": value for name, value in STATUS.items() if value >= FIRST_SERVICE_STATUS}
    rows = table_rows(ERRORS, "## When the service answers")
    documented = {name: int(value) for row in rows for value, name in re.findall(r"(\d+) `(\w+)`", row[1])}
    assert documented == of_service
    first, last = CODES["http_error"].status.split("–")
    assert [int(first), int(last)] == [min(of_service.values()), max(of_service.values())]


# Errors of the caller


def spoiled(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one member changed, or taken away when `value` is Ellipsis."""
    changed = copy.deepcopy(request)
    *way, last = path.split(".")
    parent = changed
    for name in way:
        parent = parent.setdefault(name, {})
    if value is ...:
        del parent[last]
    else:
        parent[last] = value
    return changed


REQUESTS = [
    ("search", "### Search availability", search_request()),
    ("book", "### Create booking", booking_request()),
    ("lookup", "### Look up a customer", lookup_request()),
]
MEMBERS = [
    pytest.param(operation, request, row[0].strip("`"), row[2] == "required", id=f"{operation} {row[0].strip('`')}")
    for operation, heading, request in REQUESTS
    for row in table_rows(CONTRACT, heading)
]
OWN_MEMBERS = [
    pytest.param(operation, request, row[0].strip("`"), value, id=f"{operation} {row[0].strip('`')} {value!r}")
    for row in table_rows(CONTRACT, "### Members of the library's own, in all requests")
    for operation, _, request in REQUESTS
    if operation == "book" or "bookings only" not in row[1]
    for value in (-1, 0.5, "true" if row[1].startswith("boolean") else True, None, [], {})
]


@pytest.mark.parametrize(("operation", "request_json", "member", "is_required"), MEMBERS)
def test_missing_member(open_client, operation, request_json, member, is_required):
    result = getattr(open_client(SANDBOX), operation)(
        spoiled(request_json, member, ...) if is_required else request_json
    )
    if is_required:
        error = failure(result, "INVALID_FIELD")
        assert error["field"] == member
        assert set(error) == ERROR_MEMBERS | (BOOKING_MEMBERS if operation == "book" else set())
    else:
        success(result)


@pytest.mark.parametrize("value", [0.5, True, None, [], {}], ids=repr)
@pytest.mark.parametrize(("operation", "request_json", "member", "is_required"), MEMBERS)
def test_wrong_value(open_client, operation, request_json, member, is_required, value):
    result = getattr(open_client(SANDBOX), operation)(spoiled(request_json, member, value))
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
        ("booking.customer.email", ""),
        ("booking.customer.email", "nobody"),
        ("booking.notes", "n" * 16385),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\nX-Injected: 1"),
        ("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
        ("tag", "t" * 257),
        ("conversation", ""),
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
    members = ERROR_MEMBERS | {"offset"} | (BOOKING_MEMBERS if operation == "book" else set())
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


# Configuration


def refused(config: Any) -> dict[str, Any]:
    with pytest.raises(pbk.OpenError) as raised:
        pbk.Client(config).close(0)
    return error_object(raised.value.reply)


OPTIONS = [
    (prefix, row)
    for prefix, heading in [
        ("", "## Configuration"),
        ("sandbox.", "### The sandbox"),
        (f"platforms.{BOT_ID}.", "### Platforms"),
    ]
    for row in table_rows(CONTRACT, heading)
]
OPTION_NAMES = [prefix + row[0].strip("`") for prefix, row in OPTIONS]
RANGES = [
    (prefix + row[0].strip("`"), *map(int, bounds[0]))
    for prefix, row in OPTIONS
    if (bounds := re.findall(r"^(\d+)…(\d+)$", row[1]))
]


def config_with(option: str, value: Any) -> dict[str, Any]:
    base = SANDBOX if option.startswith("sandbox") else {"api_key": API_KEY}
    if option.startswith(("platforms", "private_hosts", "webhook")):
        base = PLATFORM_WEBHOOK
    if option in ("journal_required", "resume_on_open", "journal_timeout_ms"):
        base = base | {"journal_path": f"{DIRECTORY.name}/journal"}
    return spoiled(base, option, value)


@pytest.mark.parametrize("option", OPTION_NAMES)
@pytest.mark.parametrize("value", [0.5, True, None, "", "\u0000"], ids=repr)
def test_wrong_option(option, value):
    if value is True and option in SWITCHES:
        pbk.Client(config_with(option, value)).close(0)
        return
    error = refused(config_with(option, value))
    assert (error["code"], error["field"]) == ("invalid_config", option)
    assert set(error) == ERROR_MEMBERS


@pytest.mark.parametrize(("option", "least", "most"), RANGES)
def test_bounds_of_option(option, least, most):
    for value in (least, most):
        pbk.Client(config_with(option, value)).close(0)
    for value in (least - 1, most + 1):
        error = refused(config_with(option, value))
        assert (error["code"], error["field"]) == ("invalid_config", option)


def test_the_page_gives_bounds():
    assert {"timeout_ms", "retry.max_attempts", "sandbox.capacity"} <= {option for option, *_ in RANGES}


@pytest.mark.parametrize("option", ["colour", "retry.max_attemps", "tls.verify", "paths.cancel", "sandbox.open"])
def test_unknown_option(option):
    error = refused(config_with(option, 1))
    assert (error["code"], error["field"]) == ("invalid_config", option)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("api_key", "sk_live_0123"),
        ("api_key", "sk_ptnr_" + "x" * 505),
        ("api_key", "sk_ptnr_0123\r\nX-Injected: 1"),
        ("base_url", "http://appointments.dialstack.ai"),
        ("base_url", "https://user:secret@appointments.dialstack.ai"),
        ("base_url", "https://appointments.dialstack.ai/?a=1"),
        ("base_url", "https://appointments.dialstack.ai/#a"),
        ("base_url", "ftp://localhost"),
        ("paths.create_booking", "v1/bookings"),
        ("proxy", "gopher://localhost:70"),
        ("tls.ca_file", "/nonexistent/ca.pem"),
        ("sandbox.utc_offset", "+25:00"),
        ("sandbox.now", "yesterday"),
        ("sandbox.opening_hours", {"monday": ["17:00-09:00"]}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_option_out_of_its_range(option, value):
    error = refused(config_with(option, value))
    assert error["code"] == "invalid_config"
    assert error["field"].startswith(option)
    assert "Injected" not in error["message"] and "secret" not in error["message"]


def test_partner_api_needs_a_key():
    error = refused({})
    assert (error["code"], error["field"]) == ("invalid_config", "api_key")


def test_sandbox_options_need_the_sandbox():
    error = refused({"api_key": API_KEY, "sandbox": {}})
    assert (error["code"], error["field"]) == ("invalid_config", "sandbox")


def test_file_of_certificates_that_holds_none():
    error = refused({"api_key": API_KEY, "tls": {"ca_file": str(Path(__file__))}})
    assert (error["code"], error["field"]) == ("invalid_config", "tls.ca_file")


# The sandbox speaks the Partner API


def hold_against_openapi(path: str, status: int, body: bytes) -> None:
    request = Request("post", path, (("content-type", "application/json"),), b"{}")
    response = SimpleNamespace(status_code=status, data=body, content_type="application/json", headers={})
    OPENAPI.validate_response(request, response)


def test_replies_of_the_sandbox_are_the_partner_apis(open_client):
    client = open_client(SANDBOX)
    hold_against_openapi(SEARCH_PATH, 200, client.search(search_request()).reply)
    first = client.book(booking_request(key="k"))
    hold_against_openapi(BOOKING_PATH, 201, first.reply)
    assert client.book(booking_request(key="k")) == first


def test_openapi_check_finds_a_wrong_reply():
    with pytest.raises(OpenAPIError):
        hold_against_openapi(SEARCH_PATH, 200, b'{"availabilities":[{"start_at":"tomorrow","duration_minutes":30}]}')


def test_sandbox_with_a_list_of_bots(open_client):
    client = open_client({"endpoint": "sandbox", "sandbox": {"bots": [BOT_ID]}})
    error = failure(client.search(search_request("bot_unknown")), "REFUSED")
    assert (error["status"], error["code"]) == (404, "bot_not_found")
