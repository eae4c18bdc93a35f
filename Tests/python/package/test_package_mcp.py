"""`python -m partnerbooking mcp`: the server, and clients of both eras that do as they should."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import Any

import pytest
from mcp_peer import CAPABILITIES, LEGACY, META, MODERN, PROTOCOL, SERVER, Peer
from pages import BLOCKS
from python_package import PACKAGE, pb
from samples import NAME, NOW
from waiting import wait_until

ZONE, CALLER = "America/New_York", "+12125550123"
CLINIC: dict[str, Any] = {
    "endpoint": "sandbox",
    "sandbox": {"now": NOW, "time_zone": ZONE},
    "voice": {"time_zone": ZONE, "region": "US"},
}
FIND, BOOK = "find_appointment_slots", "book_appointment"
TOMORROW = {"when": "tomorrow", "time": "after three"}
WISH = {"slot": "tue15-1500h", "name": NAME, "phone": CALLER, "caller_confirmed": True}
CALL_ID, CALLER_PHONE = "partnerbooking/call_id", "partnerbooking/caller_phone"


def slow(milliseconds: int) -> dict[str, Any]:
    return {**CLINIC, "sandbox": {**CLINIC["sandbox"], "latency_ms": milliseconds}}


@pytest.fixture
def peer(tmp_path):
    with Peer(CLINIC, tmp_path) as peer:
        yield peer


@pytest.mark.parametrize("version", LEGACY)
def test_each_published_version_with_a_handshake_is_spoken(peer, version):
    hello = peer.initialize(version)
    assert hello["protocolVersion"] == version and hello["capabilities"] == {"tools": {}}
    assert hello["serverInfo"] == {"name": "partnerbooking", "title": "Appointments", "version": pb.__version__}
    assert hello["instructions"].startswith("You book appointments")
    assert peer.ask("ping")["result"] == {}
    result = peer.ask("tools/call", {"name": FIND, "arguments": TOMORROW})["result"]
    assert result["isError"] is False and "resultType" not in result
    assert peer.end() == (0, "")


@pytest.mark.parametrize("version", ["2099-01-01", "1999-01-01", MODERN, ""])
def test_a_handshake_with_another_version_is_answered_with_the_newest(peer, version):
    assert peer.initialize(version)["protocolVersion"] == LEGACY[-1]


def test_the_stateless_era_needs_no_handshake(peer):
    found = peer.ask("server/discover", {"_meta": META})["result"]
    assert found["supportedVersions"] == [MODERN] and found["capabilities"] == {"tools": {}}
    assert found["resultType"] == "complete" and found["ttlMs"] > 0 and found["cacheScope"] == "public"
    assert found["_meta"][SERVER]["version"] == pb.__version__ and "instructions" in found
    listed = peer.ask("tools/list", {"_meta": META})["result"]
    assert listed["resultType"] == "complete" and listed["ttlMs"] > 0 and SERVER in listed["_meta"]
    result = peer.call(FIND, TOMORROW)
    assert result["resultType"] == "complete" and result["structuredContent"]["result"] == "offered"
    # Of no other request: the next one has to say its version again.
    assert peer.error("tools/list")[0] == -32602


def test_the_stateless_era_refuses_other_versions_and_half_an_envelope(peer):
    error = peer.ask("tools/list", {"_meta": {**META, PROTOCOL: "2099-01-01"}})["error"]
    assert (error["code"], error["data"]) == (-32022, {"supported": [MODERN], "requested": "2099-01-01"})
    assert peer.error("server/discover", {"_meta": {**META, PROTOCOL: LEGACY[-1]}})[0] == -32022
    code, message = peer.error("tools/list", {"_meta": {PROTOCOL: MODERN}})
    assert code == -32602 and CAPABILITIES in message
    assert peer.error("server/discover")[0] == -32602
    assert peer.error("ping", {"_meta": META})[0] == -32601  # was taken out of this version
    assert peer.error("resources/list", {"_meta": META})[0] == -32601


def test_both_eras_are_served_side_by_side(peer):
    peer.initialize()
    assert "resultType" in peer.call(FIND, TOMORROW)
    assert "resultType" not in peer.ask("tools/call", {"name": BOOK, "arguments": WISH})["result"]


def test_tools_are_those_of_the_library_with_annotations(peer):
    tools = peer.ask("tools/list", {"_meta": META})["result"]["tools"]
    own = {tool["name"]: tool for tool in pb.voice.tools("mcp", voice=CLINIC["voice"]).tools}
    assert [tool["name"] for tool in tools] == list(own) == [FIND, BOOK]
    for tool in tools:
        assert tool["inputSchema"] == own[tool["name"]]["inputSchema"]
        assert tool["description"] == own[tool["name"]]["description"]
        assert set(tool["outputSchema"]["required"]) == {"result", "text"}
    find, book = (tool["annotations"] for tool in tools)
    assert find == {"title": "Find appointments", "readOnlyHint": True, "openWorldHint": False}
    assert book == {
        "title": "Book an appointment",
        "readOnlyHint": False,
        "destructiveHint": False,
        "idempotentHint": True,
        "openWorldHint": False,
    }
    assert peer.ask("tools/list", {"_meta": META, "cursor": None})["result"]["tools"] == tools
    assert peer.error("tools/list", {"_meta": META, "cursor": "2"})[0] == -32602


def test_look_up_caller_is_a_tool_when_asked_for(tmp_path):
    with Peer(CLINIC, tmp_path, "--look-up-caller") as peer:
        names = [tool["name"] for tool in peer.ask("tools/list", {"_meta": META})["result"]["tools"]]
        assert names == [FIND, BOOK, "look_up_caller"]
        assert peer.call("look_up_caller", {})["structuredContent"]["result"] == "not_known"


def test_a_result_has_a_sentence_for_the_model_and_the_rest_for_the_host(peer):
    """What models may read has neither keys nor times for machines: those are in `_meta`, which
    they do not get."""
    found, booked = peer.call(FIND, TOMORROW), peer.call(BOOK, WISH)
    for result in (found, booked):
        [content] = result["content"]
        assert content == {"type": "text", "text": result["structuredContent"]["text"]} and not result["isError"]
        read = json.dumps([result["content"], result["structuredContent"]])
        assert "2030" not in read and "call-" not in read
    assert found["structuredContent"]["slots"][0] == {
        "slot": "tue15-1500h",
        "say": "tomorrow, Tuesday at three in the afternoon",
        "duration_minutes": 30,
    }
    assert found["_meta"]["partnerbooking/slots"][0]["start_at"] == "2030-01-15T15:00:00-05:00"
    assert booked["structuredContent"]["result"] == "booked"
    assert booked["_meta"]["partnerbooking/idempotency_key"].startswith("call-")
    assert booked["_meta"]["partnerbooking/booking"]["customer"]["name"] == NAME


def test_a_wrong_call_is_an_error_that_the_model_can_act_on(peer):
    result = peer.call(BOOK, {**WISH, "slot": "fri18-0900x"})
    assert result["isError"] is True and result["structuredContent"]["result"] == "not_offered"
    assert "Nothing is booked" in result["content"][0]["text"]


def test_a_slow_call_reports_progress_only_to_who_asked(tmp_path):
    with Peer({**slow(2500), "slow_after_ms": 200}, tmp_path, "--progress-ms", "500") as peer:
        peer.call(FIND, {"when": "next week"}, {"progressToken": "t-1"})
        steps = [note["params"] for note in peer.notifications]
        assert {note["method"] for note in peer.notifications} == {"notifications/progress"} and len(steps) >= 3
        assert {step["progressToken"] for step in steps} == {"t-1"}
        numbers = [step["progress"] for step in steps]
        assert numbers == sorted(set(numbers))
        assert steps[0]["message"] and not any("message" in step for step in steps[1:])
        count = len(steps)
        peer.call(FIND, {"when": "the week after next"})
        peer.call(FIND, {"when": "in three weeks"}, {"progressToken": {"no": "token"}})
        assert len(peer.notifications) == count


def test_a_cancelled_call_has_no_answer_and_its_booking_goes_on(tmp_path):
    with Peer(slow(700), tmp_path) as peer:
        peer.call(FIND, TOMORROW)
        peer.request("tools/call", {"name": BOOK, "arguments": WISH, "_meta": META}, id="booking")
        time.sleep(0.3)
        peer.notify("notifications/cancelled", {"requestId": "booking", "reason": "the caller interrupts"})
        other = peer.call(BOOK, {**WISH, "slot": "tue15-1530e"})  # the next answer is its own
        assert other["structuredContent"]["result"] == "already"
        code, log = peer.end()
        assert code == 0 and "cancelled" in log and "the caller interrupts" not in log


def test_a_process_is_one_call_and_the_model_cannot_name_another(tmp_path):
    with Peer(CLINIC, tmp_path) as peer:
        peer.call(FIND, {**TOMORROW, "call_id": "one"})
        assert peer.call(BOOK, {**WISH, "call_id": "two"})["structuredContent"]["result"] == "booked"
        other = {**WISH, "slot": "tue15-1530e", "call_id": "three", "_meta": {CALL_ID: "four"}}
        assert peer.call(BOOK, other)["structuredContent"]["result"] == "already"


def test_a_call_named_on_the_command_line_survives_its_process(tmp_path):
    config = {**CLINIC, "journal_path": str(tmp_path / "journal")}
    for result in ("booked", "already"):
        with Peer(config, tmp_path, "--call", "call-7", "--phone", CALLER) as peer:
            peer.call(FIND, TOMORROW)
            assert peer.call(BOOK, {**WISH, "phone": None})["structuredContent"]["result"] == result
            assert peer.end()[0] == 0


def test_the_host_names_calls_in_meta(tmp_path):
    with Peer(CLINIC, tmp_path, "--many-calls") as peer:
        assert peer.ask("tools/list", {"_meta": META})["result"]["tools"]
        code, message = peer.error("tools/call", {"name": FIND, "arguments": TOMORROW, "_meta": META})
        assert code == -32602 and CALL_ID in message
        one, two = ({CALL_ID: name, CALLER_PHONE: CALLER} for name in ("one", "two"))
        for call in (one, two):
            assert peer.call(FIND, TOMORROW, call)["structuredContent"]["result"] == "offered"
        assert peer.call(BOOK, {**WISH, "phone": None}, one)["structuredContent"]["result"] == "booked"
        assert peer.call(BOOK, WISH, one)["structuredContent"]["result"] == "already"
        assert peer.call(BOOK, WISH, two)["structuredContent"]["result"] == "slot_gone"
        # After its end the call knows no offer.
        peer.notify("notifications/partnerbooking/call_ended", {"_meta": two})
        gone = peer.call(BOOK, {"slot": "the first one", "name": NAME, "caller_confirmed": True}, two)
        assert gone["structuredContent"]["result"] == "not_offered"


@pytest.mark.parametrize("wrong", ["", "x" * 257, 7, None, "a\nb", ["one"]])
def test_a_call_id_that_is_none_is_refused(tmp_path, wrong):
    with Peer(CLINIC, tmp_path) as peer:
        params = {"name": FIND, "arguments": TOMORROW, "_meta": {**META, CALL_ID: wrong}}
        code, message = peer.error("tools/call", params)
        assert code == -32602 and CALL_ID in message


def test_requests_before_the_end_of_input_are_answered(tmp_path):
    with Peer(slow(1500), tmp_path) as peer:
        peer.request("tools/call", {"name": FIND, "arguments": TOMORROW, "_meta": META}, id="last")
        assert peer.end()[0] == 0
        assert peer.next()["result"]["structuredContent"]["result"] == "offered" and peer.next() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_before_the_reply_and_loses_no_booking(tmp_path, number):
    journal = tmp_path / "journal"
    config = {**slow(3000), "journal_path": str(journal)}
    with Peer(config, tmp_path, "--call", "call-7", "--phone", CALLER) as peer:
        peer.call(FIND, TOMORROW)
        peer.request("tools/call", {"name": BOOK, "arguments": {**WISH, "phone": None}, "_meta": META})
        wait_until(lambda: b"call-7" in journal.read_bytes())
        code, log = peer.end(signal_=number)
        assert code == 0
        shown = next(block.text for block in BLOCKS if block.text.startswith("partnerbooking: may be booked"))
        assert re.sub(r"call-[0-9a-f]{32}", "call-3b…", log.splitlines(True)[-1]) == shown
    with pb.Client(**{**CLINIC, "journal_path": str(journal), "resume_on_open": False}) as client:
        assert [booking.state for booking in client.pending_bookings()] == ["in_doubt"]


def test_what_is_wrong_is_said_before_the_first_message(run, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**CLINIC, "voice": {"region": "US"}}))
    code, out, err = run("mcp", "--config", str(config), "--bot", "bot_1")
    assert (code, out) == (1, "") and "time_zone" in err
    code, out, err = run("mcp", "--config", str(config))
    assert (code, out) == (2, "") and "no bot: name it by --bot" in err
    code, out, err = run("mcp", "--sandbox", "--call", "x" * 300)
    assert (code, out) == (2, "") and "--call" in err


PAGE = [block.text for block in BLOCKS if block.page == "docs/mcp.md"]


def shell(command: str, folder: object, text: str = "") -> str:
    """Runs it where `python3` has the package, and the clinic of the page is this one."""
    (folder / "clinic.json").write_text(json.dumps(CLINIC))
    command = command.replace("python3 ", f"{sys.executable} ").replace("/etc/clinic.json", "clinic.json")
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, input=text, capture_output=True, text=True, timeout=20
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_commands_of_the_page(tmp_path):
    commands = [line for text in PAGE if text.startswith(("python3", "echo")) for line in text.splitlines()]
    assert len(commands) == 3
    for command in commands:
        said = json.loads(shell(command, tmp_path, '{"jsonrpc":"2.0","id":1,"method":"ping"}\n'))
        assert "result" in said and (said["result"] == {} or "Offer these times" in str(said["result"]))


def test_settings_of_the_page_start_the_server(tmp_path):
    settings = json.loads(next(text for text in PAGE if "mcpServers" in text))
    [server] = settings["mcpServers"].values()
    command = " ".join([server["command"], *server["args"]])
    assert json.loads(shell(command, tmp_path, '{"jsonrpc":"2.0","id":1,"method":"ping"}'))["result"] == {}
