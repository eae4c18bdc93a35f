"""The examples of docs/json-contract.md are what the library does, and the sandbox replies as the
Partner API does."""

from __future__ import annotations

import json
import re
import tempfile
from types import SimpleNamespace
from typing import Any

import pbk
import pytest
from contract import CONTRACT, SOMETIMES, TIMING_MEMBERS, blocks, check_timing, failure, in_doubt, list_members, success
from header import STATUS
from openapi_core.exceptions import OpenAPIError
from reference_api import BOOKING_PATH, OPENAPI, SEARCH_PATH, Request
from samples import BOT_ID, READS_ONLY, SANDBOX, booking_request, search_request, spoiled

DIRECTORY = tempfile.TemporaryDirectory()
"""For the journals of this module's clients."""


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
    free = {"message", "request_id", "timing", "content_type"}  # the sandbox has no headers
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
    members = list_members(CONTRACT, "**Failure** is one object, `error`:")
    documented = {name for member, _ in members for name in member.split(".")}
    for block in replies_on_the_page():
        assert set(json.loads(block).get("error", {})) <= documented


def test_example_timing_shows_every_documented_member():
    (example,) = (timing for block in replies_on_the_page() if "total_us" in (timing := json.loads(block)))
    check_timing(example)
    assert set(example) == set(TIMING_MEMBERS) - set(SOMETIMES)


def replies_on_the_page() -> list[str]:
    return re.findall(r"^```json\n(.*?)\n```$", CONTRACT, re.MULTILINE | re.DOTALL)


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
