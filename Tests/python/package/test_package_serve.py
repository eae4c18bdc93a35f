"""`python -m partnerbooking serve`: the tools over HTTP, as hosts of agents call them."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from python_package import pb
from samples import NAME, NOW
from tool_host import BEARER, SECRET, ToolHost, request
from waiting import wait_until

ZONE, CALLER = "America/New_York", "+12125550123"
CLINIC: dict[str, Any] = {
    "endpoint": "sandbox",
    "sandbox": {"now": NOW, "time_zone": ZONE},
    "voice": {"time_zone": ZONE, "region": "US"},
}
FIND, BOOK = "find_appointment_slots", "book_appointment"
TOMORROW = {"when": "tomorrow", "time": "after three"}
WISH = {"slot": "tue15-1500h", "name": NAME, "caller_confirmed": True}
RETELL_KEY = "key_of_retell_for_tests"


def slow(milliseconds: int) -> dict[str, Any]:
    return {**CLINIC, "sandbox": {**CLINIC["sandbox"], "latency_ms": milliseconds}}


@pytest.fixture
def host(tmp_path):
    with ToolHost(CLINIC, tmp_path, "--retell-key-env", "RETELL_KEY", RETELL_KEY=RETELL_KEY) as host:
        yield host


def named(call: str, phone: str | None = CALLER) -> dict[str, str]:
    return {**BEARER, "X-Call-Id": call, **({} if phone is None else {"X-Caller-Phone": phone})}


def vapi(kind: str, call: str = "call-1", *calls: dict[str, Any], number: str | None = CALLER, **members: Any) -> Any:
    """A server message, with the rest that Vapi sends too."""
    customer = {"customer": {"number": number}} if number else {}
    message = {
        "type": kind,
        "timestamp": 1_678_901_234_567,
        "call": {"id": call, "orgId": "org-1", "type": "inboundPhoneCall", **customer},
        "assistant": {"name": "Clinic", "model": {}},
        "artifact": {"messages": []},
        **customer,
        **({"toolCallList": list(calls)} if calls else {}),
        **members,
    }
    return {"message": message}


def retell(name: str, args: object, call: str = "call-1", **members: Any) -> dict[str, Any]:
    phone_call = {"call_id": call, "call_type": "phone_call", "direction": "inbound", "from_number": CALLER, **members}
    return {"name": name, "args": args, "call": {**phone_call, "transcript": "Agent: Hello"}}


def signed(body: bytes, key: str = RETELL_KEY, at: float | None = None) -> dict[str, str]:
    stamp = int((time.time() if at is None else at) * 1000)
    digest = hmac.new(key.encode(), body + str(stamp).encode(), hashlib.sha256).hexdigest()
    return {"X-Retell-Signature": f"v={stamp},d={digest}"}


def test_a_phone_call_of_any_host(host):
    found = host.post(f"/tools/{FIND}", TOMORROW, named("call-1"))
    assert found.status == 200 and found.json["result"] == "offered" and found.json["is_error"] is False
    assert found.json["slots"][0]["slot"] == "tue15-1500h" and "2030" not in json.dumps(found.json)
    booked = host.post(f"/tools/{BOOK}", WISH, named("call-1"))
    assert booked.json["result"] == "booked" and "Booked: tomorrow" in booked.json["text"]
    assert host.post(f"/tools/{BOOK}", WISH, named("call-1")).json["result"] == "already"
    assert host.post(f"/tools/{BOOK}", WISH, named("call-2")).json["is_error"] is True
    assert host.post("/end", {}, named("call-1"))[::2] == (200, {})
    assert host.health().json == {"status": "ok", "version": pb.__version__}
    wait_until(lambda: f"{BOOK}: booked in" in host.log)
    assert NAME not in host.log and "2125550123" not in host.log


def test_the_model_names_neither_call_nor_caller(host):
    body = {**TOMORROW, "call_id": "other", "X-Call-Id": "other", "caller_phone": "+12125550199"}
    host.post(f"/tools/{FIND}", body, named("call-1", None))
    wish = {**WISH, "call_id": "other"}
    assert host.post(f"/tools/{BOOK}", wish, named("call-1", None)).json["result"] == "invalid"  # whose number?
    assert host.post(f"/tools/{BOOK}", WISH, named("call-1")).json["result"] == "booked"


@pytest.mark.parametrize("call", ["", "x" * 257, "{{call_id}}", "a\tb"])
def test_a_call_without_its_name_is_refused(host, call):
    response = host.post(f"/tools/{FIND}", TOMORROW, {**BEARER, "X-Call-Id": call})
    assert response.status == 400 and response.json["error"]["code"] == "no_call"


def test_a_host_may_name_the_call_in_its_body(tmp_path):
    fields = ("--call-field", "call.id", "--phone-field", "call.from", "--arguments-field", "args")
    with ToolHost(CLINIC, tmp_path, *fields) as host:
        body = {"call": {"id": "call-1", "from": CALLER}, "args": TOMORROW}
        assert host.post(f"/tools/{FIND}", body).json["result"] == "offered"
        assert host.post(f"/tools/{BOOK}", {**body, "args": json.dumps(WISH)}).json["result"] == "booked"
        for wrong in ({"args": {"call": {"id": "call-1"}}}, {"call": 7, "args": {}}, {"call": {"id": 7}}, [], 7):
            assert host.post(f"/tools/{FIND}", wrong, named("call-1")).status == 400


def test_vapi_calls_tools(host):
    step = vapi("tool-calls", "call-1", {"id": "t1", "name": FIND, "arguments": TOMORROW})
    [found] = host.post("/vapi", step).json["results"]
    assert (found["name"], found["toolCallId"]) == (FIND, "t1") and found["result"].startswith("Offer these times")
    # Both in one step, in the form of OpenAI and with a text for the arguments: one appointment.
    twice = [
        {"id": id, "type": "function", "function": {"name": BOOK, "arguments": json.dumps(WISH)}}
        for id in ("t2", "t3")
    ]
    results = host.post("/vapi", vapi("tool-calls", "call-1", *twice)).json["results"]
    assert [result["toolCallId"] for result in results] == ["t2", "t3"]
    assert sum("Booked" in result["result"] for result in results) <= 1
    again = vapi("tool-calls", "call-1", {"id": "t4", "name": BOOK, "parameters": WISH})
    [result] = host.post("/vapi", again, {"X-Vapi-Secret": SECRET}).json["results"]
    assert "has an appointment" in result["result"] and "\n" not in result["result"]


def test_older_forms_of_vapi_are_read(host):
    call = {"id": "t1", "type": "function", "function": {"name": FIND, "arguments": TOMORROW}}
    for members in (
        {"toolCalls": [call]},
        {"toolWithToolCallList": [{"type": "function", "name": FIND, "toolCall": {"id": "t1", "parameters": {}}}]},
        {"toolWithToolCallList": [{"type": "function", "function": {"name": FIND}, "toolCall": call}]},
    ):
        [result] = host.post("/vapi", vapi("tool-calls", **members)).json["results"]
        assert result["toolCallId"] == "t1" and result["result"].startswith("Offer these times"), members


def test_vapi_hears_a_sentence_whatever_the_model_wrote(host):
    calls = [
        {"id": "t1", "name": "dance", "arguments": {}},
        {"id": "t2", "name": BOOK, "arguments": [7]},
        {"id": "t3", "name": BOOK, "arguments": "{"},
        {"id": "t4"},
        7,
        {"id": "t6", "name": "x" * 900, "arguments": {}},
        {"id": "t7", "name": "\ud800", "arguments": {"name": "\ud800"}},
    ]
    response = host.post("/vapi", vapi("tool-calls", "call-1", *calls))
    assert response.status == 200 and len(response.json["results"]) == 7
    assert all(result["result"].endswith(".") and set(result) == {"name", "toolCallId", "result"}
               for result in response.json["results"])
    nameless = {"message": {"type": "tool-calls", "toolCallList": [{"id": "t1", "name": FIND, "arguments": {}}]}}
    [result] = host.post("/vapi", nameless).json["results"]
    assert "call back" in result["result"]
    wait_until(lambda: "named no phone call" in host.log)


@pytest.mark.parametrize("end", [vapi("end-of-call-report"), vapi("status-update", status="ended")])
def test_the_end_of_a_call_of_vapi_ends_the_conversation(host, end):
    host.post("/vapi", vapi("tool-calls", "call-1", {"id": "t1", "name": FIND, "arguments": TOMORROW}))
    assert host.post("/vapi", end).json == {}
    book = vapi("tool-calls", "call-1", {"id": "t2", "name": BOOK, "arguments": {**WISH, "slot": "the first one"}})
    [result] = host.post("/vapi", book).json["results"]
    assert "not offered" in result["result"]


@pytest.mark.parametrize("kind", ["transcript", "hang", "speech-update", "assistant-request", "of tomorrow"])
def test_other_messages_of_vapi_are_heard_and_nothing_more(host, kind):
    assert host.post("/vapi", vapi(kind))[::2] == (200, {})


def test_retell_calls_functions(host):
    found = host.post("/retell", retell(FIND, TOMORROW))
    assert found.json["result"] == "offered" and set(found.json) == {"result", "text"}
    body = json.dumps(retell(BOOK, WISH)).encode()
    booked = host.post("/retell", body, signed(body))  # by its signature, without the secret
    assert booked.json["result"] == "booked"
    assert host.post("/retell", body, signed(body)).json["result"] == "already"  # Retell sends it again after a timeout


def test_the_other_side_of_an_outbound_call_is_the_caller(host):
    """The number of the clinic is not the customer's."""
    outbound = {"direction": "outbound", "from_number": "anonymous", "to_number": CALLER}
    host.post("/retell", retell(FIND, TOMORROW, **outbound))
    assert host.post("/retell", retell(BOOK, WISH, **outbound)).json["result"] == "booked"


def test_webhooks_of_retell_begin_and_end_the_conversation(host):
    call = retell(FIND, {})["call"]
    host.post("/retell", retell(FIND, TOMORROW))
    for event in ("call_started", "transcript_updated", "call_of_tomorrow"):
        assert host.post("/retell", {"event": event, "call": call}).json == {}
    body = json.dumps({"event": "call_ended", "call": call}).encode()
    assert host.post("/retell", body, signed(body))[::2] == (200, {})
    assert host.post("/retell", retell(BOOK, {**WISH, "slot": "the first one"})).json["result"] == "not_offered"


def test_a_signature_of_retell_is_of_this_body_this_key_and_this_minute(host):
    body = json.dumps(retell(FIND, TOMORROW)).encode()
    good = signed(body)["X-Retell-Signature"]
    for wrong in (
        signed(body, key="another_key_of_retell"),
        signed(body + b" "),
        signed(body, at=time.time() - 301),
        signed(body, at=time.time() + 301),
        *({"X-Retell-Signature": text} for text in ("", "v=1,d=2", good[:-1], good.upper(), f"{good},{good}", "v=,d=")),
        {},
    ):
        assert host.post("/retell", body, wrong).status == 401
    assert host.post("/vapi", vapi("hang"), signed(body)).status == 401  # signs nothing but its own path
    assert host.post("/retell", body, {"X-Retell-Signature": good}).status == 200


def test_many_calls_at_once(tmp_path):
    """Each of 60 callers books a time of its own, at once, with replies of 200 ms."""
    config = {**slow(200), "sandbox": {**slow(200)["sandbox"], "capacity": 100}}
    with ToolHost(config, tmp_path) as host:

        def caller(number: int) -> str:
            call = named(f"call-{number}", f"+1212555{number:04}")
            host.post(f"/tools/{FIND}", TOMORROW, call)
            return host.post(f"/tools/{BOOK}", WISH, call).json["result"]

        begun = time.monotonic()
        with ThreadPoolExecutor(60) as pool:
            results = list(pool.map(caller, range(60)))
        assert set(results) <= {"booked", "slot_gone"} and "booked" in results
        assert time.monotonic() - begun < 10


def test_a_host_that_gives_up_cancels_its_call_and_loses_no_booking(tmp_path):
    with ToolHost(slow(800), tmp_path) as host:
        host.post(f"/tools/{FIND}", TOMORROW, named("call-1"))
        with host.connect() as connection:
            connection.write(request(f"/tools/{BOOK}", WISH, named("call-1")))
            time.sleep(0.3)
        other = host.post(f"/tools/{BOOK}", {**WISH, "slot": "tue15-1530e"}, named("call-1"))
        assert other.json["result"] == "already" and "three in the afternoon" in other.json["text"]
        wait_until(lambda: re.search(r"settled: the booking \S+( of call call-1)? is booked\n", host.log) is not None)


def test_a_signal_lets_calls_under_way_end(tmp_path):
    with ToolHost(slow(1000), tmp_path) as host, host.connect() as connection, host.connect() as idle:
        idle.write(request("/health", headers={}, method="GET"))
        idle.response()
        connection.write(request(f"/tools/{FIND}", TOMORROW, named("call-1")))
        time.sleep(0.3)
        code, took = host.end()
        response = connection.response()
        assert response.json["result"] == "offered" and response.headers["connection"] == "close"
        assert code == 0 and took < 5 and idle.is_closed()


def test_a_booking_that_is_open_at_the_end_is_in_the_log_and_in_the_journal(tmp_path):
    journal = tmp_path / "journal"
    with ToolHost({**slow(3000), "journal_path": str(journal)}, tmp_path, "--stop-seconds", "0.5") as host:
        host.post(f"/tools/{FIND}", TOMORROW, named("call-7"))
        with host.connect() as connection:
            connection.write(request(f"/tools/{BOOK}", WISH, named("call-7")))
            wait_until(lambda: b"call-7" in journal.read_bytes())
            code, took = host.end()
        assert code == 0 and took < 5 and "may be booked" in host.log and "of call call-7" in host.log
    with pb.Client(**{**CLINIC, "journal_path": str(journal), "resume_on_open": False}) as client:
        assert [booking.state for booking in client.pending_bookings()] == ["in_doubt"]


def test_a_platform_that_is_down_is_a_sentence(tmp_path):
    faults = [{"fault": "error", "status": 503, "percent": 100}]
    config = {**CLINIC, "sandbox": {**CLINIC["sandbox"], "faults": faults}, "timeout_ms": 1500}
    with ToolHost(config, tmp_path) as host:
        for path, body in ((FIND, TOMORROW), (BOOK, WISH)):
            response = host.post(f"/tools/{path}", body, named("call-1"))
            assert response.status == 200 and response.json["text"].endswith(".")
