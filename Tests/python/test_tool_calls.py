"""Tool calls through the C ABI: what the host did wrong, how calls end, and what is left of them."""

from __future__ import annotations

import ctypes
import json
import time
from typing import Any

import pbk
import pytest
from completions import ByCallback, accepted, nothing_comes, settled
from contract import error_object
from header import OUTCOME, STATUS
from samples import BOT_ID, NAME, NOW, SANDBOX
from waiting import SOON_MS, is_readable, wait_until, wait_until_readable

ZONE = "America/New_York"
CALLER = "+12125550123"
FIND, BOOK, LOOK_UP = "find_appointment_slots", "book_appointment", "look_up_caller"
NAMED = {"call_id": "call-7", "bot_id": BOT_ID}
TOMORROW = {"when": "tomorrow", "time": "after three"}
VOICE = {"time_zone": ZONE, "region": "US"}
OK = STATUS["OK"]


def clinic(**sandbox: Any) -> dict[str, Any]:
    return {"endpoint": "sandbox", "sandbox": {"now": NOW, "time_zone": ZONE, **sandbox}, "voice": VOICE}


SLEEPING = {**clinic(latency_ms=60_000), "timeout_ms": 60_000}


def request(tool: str, arguments: Any, **members: Any) -> dict[str, Any]:
    return {"tool": tool, **NAMED, "caller_phone": CALLER, "arguments": arguments, **members}


def find(**members: Any) -> dict[str, Any]:
    return request(FIND, TOMORROW, **members)


def book(slot: str = "tue15-1500h", members: dict[str, Any] | None = None, **outer: Any) -> dict[str, Any]:
    return request(BOOK, {"slot": slot, "name": NAME, "caller_confirmed": True, **(members or {})}, **outer)


def answer(result: pbk.Result) -> dict[str, Any]:
    """The answer to a tool call, with the members that each has."""
    assert result.status == OK, result
    content: dict[str, Any] = json.loads(result.reply)
    assert {"tool", "result", "is_error", "text"} <= set(content), content
    return content


def booked(client: pbk.Client) -> list[dict[str, Any]]:
    bookings: list[dict[str, Any]] = json.loads(client.sandbox_bookings().reply)["bookings"]
    return bookings


def pending(client: pbk.Client) -> list[dict[str, Any]]:
    bookings: list[dict[str, Any]] = json.loads(client.pending_bookings().reply)["pending_bookings"]
    return bookings


def refused(given: tuple[int, bytes | None], status: str, field: str | None = None) -> dict[str, Any]:
    code, reply = given[:2]
    error = error_object(reply or b"{}")
    assert (code, error["code"], error["field"]) == (STATUS[status], status.lower(), field), given
    return error


@pytest.fixture
def client(open_client):
    return open_client(clinic())


# ---- What the host did wrong -----------------------------------------------------------------------------------------

WRONG: dict[str, tuple[Any, str, str | None]] = {
    "NULL": (None, "INVALID_ARGUMENT", None),
    "empty": ("", "INVALID_JSON", None),
    "half": ('{"tool":', "INVALID_JSON", None),
    "garbage": (b"\xff\xfe", "INVALID_JSON", None),
    "deep": ("[" * 100_000, "INVALID_JSON", None),
    "long": ("{}" + " " * 262_144, "INVALID_ARGUMENT", None),
    "half a surrogate pair": ('{"tool":"\\ud800"}', "INVALID_JSON", None),
    "no object": ("[]", "INVALID_FIELD", None),
    "no tool": ({**NAMED}, "INVALID_FIELD", "tool"),
    "tool is a number": ({**NAMED, "tool": 4}, "INVALID_FIELD", "tool"),
    "no call": ({"tool": FIND, "bot_id": BOT_ID}, "INVALID_FIELD", "call_id"),
    "empty call": ({"tool": FIND, "bot_id": BOT_ID, "call_id": ""}, "INVALID_FIELD", "call_id"),
    "no bot": ({"tool": FIND, "call_id": "call-7"}, "INVALID_FIELD", "bot_id"),
    "unknown member": (find(idempotency_key="k"), "INVALID_FIELD", "idempotency_key"),
    "caller_phone is a number": (find(caller_phone=12125550123), "INVALID_FIELD", "caller_phone"),
    "speculative is a text": (find(speculative="yes"), "INVALID_FIELD", "speculative"),
    "timeout of 0": (find(timeout_ms=0), "INVALID_FIELD", "timeout_ms"),
    "slow after too long": (find(slow_after_ms=600_001), "INVALID_FIELD", "slow_after_ms"),
    "traceparent": (find(traceparent="00"), "INVALID_FIELD", "traceparent"),
}


@pytest.mark.parametrize(("wrong", "status", "field"), WRONG.values(), ids=WRONG)
def test_wrong_request_is_refused(client, wrong, status, field):
    refused(client.call_tool(wrong), status, field)
    assert pbk.library.pbk_call_tool(client.handle, pbk.encode(wrong), None) is not None  # leaks, as ctypes sees it
    submission = client.submit(pbk.TOOL, wrong)
    assert submission.ticket == 0
    refused((submission.status, submission.error), status, field)
    assert nothing_comes(client)


def test_refusal_has_the_tag(client):
    assert refused(client.call_tool(find(timeout_ms=0, tag="t-1")), "INVALID_FIELD", "timeout_ms")["tag"] == "t-1"


@pytest.mark.parametrize("wrong", [None, "", "{", b"\xff", "[]", {"bot_id": ""}, {"bot_id": BOT_ID, "call": 1}])
def test_wrong_prefetch_and_end_are_refused(client, wrong):
    for function in (pbk.library.pbk_prefetch, pbk.library.pbk_conversation_end):
        error = ctypes.c_void_p(0xDEAD)
        status = function(client.handle, pbk.encode(wrong), ctypes.byref(error))
        assert status in {STATUS[name] for name in ("INVALID_ARGUMENT", "INVALID_JSON", "INVALID_FIELD")}
        assert pbk.library.pbk_reply_status(pbk.take(error.value)) == status
        assert function(client.handle, pbk.encode(wrong), None) == status


def test_prefetch_of_a_service_that_is_not_there_is_refused(client):
    refused(client.prefetch({"bot_id": BOT_ID, "service": "cleaning"}), "INVALID_FIELD", "service")


def test_prefetch_and_end_leave_no_error(client):
    assert client.prefetch({"bot_id": BOT_ID, "tag": "t-1", "timeout_ms": 5000}) == (OK, None)
    assert client.end_conversation(NAMED) == (OK, None)
    assert pbk.library.pbk_prefetch(client.handle, pbk.encode({"bot_id": BOT_ID}), None) == OK
    assert nothing_comes(client)


@pytest.mark.parametrize("handle", [None, 1, 0xDEADBEEF])
def test_no_client(handle):
    refused(pbk.call_tool(handle, find()), "INVALID_CLIENT")
    refused(pbk.prefetch(handle, {"bot_id": BOT_ID}), "INVALID_CLIENT")
    refused(pbk.end_conversation(handle, NAMED), "INVALID_CLIENT")
    submission = pbk.submit(handle, pbk.TOOL, find())
    refused((submission.status, submission.error), "INVALID_CLIENT")


def test_closed_client(client):
    assert client.close() == OK
    refused(client.call_tool(find()), "CLIENT_CLOSED")
    refused(client.prefetch({"bot_id": BOT_ID}), "CLIENT_CLOSED")
    refused(client.end_conversation(NAMED), "CLIENT_CLOSED")
    submission = client.submit(pbk.TOOL, find())
    refused((submission.status, submission.error), "CLIENT_CLOSED")


def test_tools_need_a_time_zone(open_client):
    client = open_client(SANDBOX)
    for given in (client.call_tool(find()), client.prefetch({"bot_id": BOT_ID})):
        assert "voice.time_zone" in refused(given, "INVALID_FIELD", "bot_id")["message"]


# ---- How calls end ---------------------------------------------------------------------------------------------------


def test_search_and_booking_by_both_ways(client, way):
    ticket = way.submit(client, pbk.TOOL, find(tag="t-1"), 7)
    found = way.next(client)
    assert (found.ticket, found.tag, found.context, found.key) == (ticket, "t-1", 7, None)
    assert [slot["slot"] for slot in answer(found.result)["slots"]][0] == "tue15-1500h"
    way.submit(client, pbk.TOOL, book(tag="t-2"))
    made = way.next(client)
    content = answer(made.result)
    assert content["result"] == "booked" and made.tag == "t-2" and made.outcome == OUTCOME["NONE"]
    assert content["booking"]["start_at"] == "2030-01-15T15:00:00-05:00"
    assert made.key == content["idempotency_key"]
    assert made.timing["attempts"] == 1
    assert pending(client) == []
    assert nothing_comes(client)


def test_completion_lies_readable_in_the_queue(client):
    """Also that of a search which the cache answers within pbk_submit."""
    answer(client.call_tool(find()))
    assert not is_readable(client.fd())
    ticket = accepted(client.submit(pbk.TOOL, find(), None, 7))
    assert wait_until_readable(client.fd())
    status, completion = client.next_completion()
    assert status == OK and completion is not None and (completion.ticket, completion.context) == (ticket, 7)
    assert not is_readable(client.fd())


@pytest.mark.parametrize("tool", [FIND, BOOK, LOOK_UP, "dance"])
def test_answer_that_needs_no_network_comes_on_the_transfer_thread(client, tool):
    """A callback may run before pbk_submit returns, but never within it."""
    way = ByCallback(lambda completion: threads.append(client.call_tool(find()).status))
    threads: list[int] = []
    way.submit(client, pbk.TOOL, request(tool, "[]"))
    assert answer(way.next().result)["result"] == "invalid"
    assert threads == [STATUS["WOULD_DEADLOCK"]]


def test_callbacks_may_do_all_that_does_not_wait(client):
    def then(completion: pbk.Completion) -> None:
        seen.append(refused(client.call_tool(book()), "WOULD_DEADLOCK")["code"])
        seen.append(client.prefetch({"bot_id": BOT_ID}))
        seen.append(client.submit(pbk.TOOL, find()).status)
        seen.append(client.end_conversation(NAMED))

    seen: list[Any] = []
    way = ByCallback(then)
    way.submit(client, pbk.TOOL, find())
    answer(way.next().result)
    assert seen == ["would_deadlock", (OK, None), OK, (OK, None)]
    status, completion = client.next_completion(SOON_MS)
    assert completion is not None and answer(completion.result)["result"] == "offered"


def test_too_many_calls_are_refused(open_client):
    client = open_client({**SLEEPING, "max_in_flight": 1, "max_queued": 0})
    ticket = accepted(client.submit(pbk.TOOL, find()))
    submission = client.submit(pbk.TOOL, request(LOOK_UP, {}, call_id="call-8"))
    error = refused((submission.status, submission.error), "QUEUE_FULL")
    assert error["retryable"] is True
    assert client.cancel(ticket) == OK
    status, completion = client.next_completion(SOON_MS)
    assert completion is not None and completion.status == STATUS["CANCELLED"]
    assert client.cancel(ticket) == OK, "also for a call that is over"


def test_slow_call_says_so_once(open_client, way):
    client = open_client(clinic(latency_ms=150))
    ticket = way.submit(client, pbk.TOOL, find(slow_after_ms=20, tag="t-1"), 7)
    slow, done = way.next(client), way.next(client)
    assert (slow.event, slow.ticket, slow.tag, slow.context) == (pbk.SLOW, ticket, "t-1", 7)
    assert done.event == pbk.DONE and answer(done.result)["result"] == "offered"


def test_cancelled_search_ends_at_once(open_client, way):
    client = open_client(SLEEPING)
    begun = time.monotonic()
    ticket = way.submit(client, pbk.TOOL, find(tag="t-1"))
    assert client.cancel(ticket) == OK
    ended = way.next(client)
    assert (ended.ticket, ended.status, ended.key) == (ticket, STATUS["CANCELLED"], None)
    assert time.monotonic() - begun < 5


def test_cancelled_booking_goes_on(open_client, way):
    client = open_client({**clinic(latency_ms=200), "report_settled": True})
    answer(client.call_tool(find()))
    ticket = way.submit(client, pbk.TOOL, book(tag="t-1"))
    time.sleep(0.08)
    assert client.cancel(ticket) == OK
    ended = way.next(client)
    assert (ended.status, ended.outcome) == (STATUS["CANCELLED"], OUTCOME["UNKNOWN"])
    report = settled(client)
    assert report.tag == "t-1" and report.key == ended.key and len(booked(client)) == 1
    other = answer(client.call_tool(book("tue15-1530e")))
    assert (other["result"], other["idempotency_key"]) == ("already", report.key)
    assert other["booking"]["id"] == booked(client)[0]["id"] and len(booked(client)) == 1


def test_detached_booking_outlives_a_cancel(open_client, way):
    """Its reply is lost, and the library goes on until it knows: the caller has hung up."""
    client = open_client(clinic(latency_ms=200, faults=[{"fault": "lose_reply", "calls": [1]}]))
    answer(client.call_tool(find()))
    ticket = way.submit(client, pbk.TOOL, book(detach=True))
    time.sleep(0.08)
    assert client.cancel(ticket) == OK and client.end_conversation(NAMED) == (OK, None)
    ended = way.next(client)
    assert answer(ended.result)["result"] == "booked" and len(booked(client)) == 1


def test_detached_call_that_settles_tells_the_end(open_client, way):
    """The booking from before is under way, and a cancel of the call that waits for it changes nothing."""
    client = open_client(clinic(latency_ms=300))
    answer(client.call_tool(find()))
    first = way.submit(client, pbk.TOOL, book(detach=True))
    time.sleep(0.05)
    second = way.submit(client, pbk.TOOL, book(detach=True))
    time.sleep(0.05)
    assert client.cancel(second) == OK
    ends = {ended.ticket: answer(ended.result)["result"] for ended in (way.next(client), way.next(client))}
    assert ends == {first: "booked", second: "already"} and len(booked(client)) == 1


def test_detached_search_ends_with_a_cancel(open_client, way):
    client = open_client(SLEEPING)
    ticket = way.submit(client, pbk.TOOL, find(detach=True))
    assert client.cancel(ticket) == OK and way.next(client).status == STATUS["CANCELLED"]


def test_interrupted_booking_takes_its_slot_out_of_the_cache(open_client, way):
    client = open_client(clinic(latency_ms=200))
    assert "tue15-1500h" in answer(client.call_tool(find()))["text"]
    ticket = way.submit(client, pbk.TOOL, book())
    time.sleep(0.08)
    assert client.cancel(ticket) == OK and way.next(client).outcome == OUTCOME["UNKNOWN"]
    offered = answer(client.call_tool(find(call_id="call-8")))
    assert offered["result"] == "offered" and "tue15-1500h" not in offered["text"]


def test_close_ends_calls(open_client, way):
    client = open_client(SLEEPING)
    tickets = {way.submit(client, pbk.TOOL, call) for call in (find(), request(LOOK_UP, {}))}
    assert client.close(0) == STATUS["TIMEOUT"]
    ended = way.rest(client)
    assert {completion.ticket for completion in ended} == tickets
    assert {completion.status for completion in ended} == {STATUS["CLIENT_CLOSED"]}


def test_deadline_is_an_answer(open_client):
    client = open_client(clinic(latency_ms=60_000))
    failed = answer(client.call_tool(find(timeout_ms=50)))
    assert (failed["result"], failed["is_error"], failed["error"]["code"]) == ("failed", True, "timeout")
    assert "Do not invent times" in failed["text"]


# ---- What is left ----------------------------------------------------------------------------------------------------


def test_booking_is_listed_until_its_completion_is_freed(client):
    answer(client.call_tool(find()))
    accepted(client.submit(pbk.TOOL, book()))
    status, completion = pbk.next_address(client.handle, SOON_MS)
    assert completion is not None
    [listed] = pending(client)
    assert (listed["state"], listed["conversation"]) == ("booked", "call-7")
    pbk.library.pbk_completion_free(completion)
    assert pending(client) == []


def test_blocking_booking_is_heard_a_second_later(client):
    answer(client.call_tool(find()))
    assert answer(client.call_tool(book()))["result"] == "booked"
    assert [listed["state"] for listed in pending(client)] == ["booked"]
    wait_until(lambda: pending(client) == [])


def test_refused_booking_is_heard_with_its_alternatives(client):
    """The answer names other slots. Nobody will ask for the key again."""
    answer(client.call_tool(find()))
    assert answer(client.call_tool(find(call_id="call-8")))["result"] == "offered"
    assert answer(client.call_tool(book(call_id="call-8")))["result"] == "booked"
    accepted(client.submit(pbk.TOOL, book()))
    status, completion = client.next_completion(SOON_MS)
    assert completion is not None
    gone = answer(completion.result)
    assert gone["result"] == "slot_gone" and "tue15-1500h" not in gone["text"] and len(gone["slots"]) == 3
    error = gone["error"]
    assert (error["code"], error["outcome"]) == ("slot_unavailable", "rejected"), "the platform's word, for the log"
    assert error["idempotency_key"]
    wait_until(lambda: pending(client) == [])


# ---- The caller ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("phone", [None, "", "anonymous", "sip:anonymous@anonymous.invalid"])
def test_caller_without_a_number_is_asked_for_it(client, phone):
    answer(client.call_tool(find()))
    asked = answer(client.call_tool(book(caller_phone=phone)))
    assert (asked["result"], asked["error"]["field"]) == ("invalid", "phone")
    made = answer(client.call_tool(book(members={"phone": "212 555 0123"}, caller_phone=phone)))
    assert made["result"] == "booked" and made["booking"]["customer"]["phone"] == CALLER
    nobody = answer(client.call_tool(request(LOOK_UP, {}, caller_phone=phone)))
    assert nobody["result"] == "not_known"


@pytest.mark.parametrize("phone", [CALLER, "(212) 555-0123", "+1 212-555-0123"])
def test_number_of_the_caller_may_be_written_in_any_way(client, phone):
    answer(client.call_tool(find()))
    made = answer(client.call_tool(book(caller_phone=phone)))
    assert made["result"] == "booked" and made["booking"]["customer"]["phone"] == CALLER
    known = answer(client.call_tool(request(LOOK_UP, {}, caller_phone=phone)))
    assert known["result"] == "known" and NAME in known["say"]


def test_unknown_tool_is_an_answer(client):
    unknown = answer(client.call_tool(request("cancel_appointment", {})))
    assert (unknown["tool"], unknown["result"], unknown["is_error"]) == ("cancel_appointment", "invalid", True)
    assert all(tool in unknown["text"] for tool in (FIND, BOOK))
    assert LOOK_UP not in unknown["text"], "the model has it on request only"
