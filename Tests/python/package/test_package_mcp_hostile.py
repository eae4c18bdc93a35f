"""`python -m partnerbooking mcp`, and clients that do as they should not."""

from __future__ import annotations

import json
import os
import time

import pytest
from mcp_peer import CALLS, META, Peer
from samples import NAME, NOW
from waiting import wait_until

CLINIC = {
    "endpoint": "sandbox",
    "sandbox": {"now": NOW, "time_zone": "America/New_York"},
    "voice": {"time_zone": "America/New_York", "region": "US"},
}
FIND, BOOK = "find_appointment_slots", "book_appointment"


@pytest.fixture
def peer(tmp_path):
    with Peer(CLINIC, tmp_path) as peer:
        yield peer


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for many mistakes. It has shaken hands."""
    with Peer(CLINIC, tmp_path_factory.mktemp("shared")) as peer:
        peer.initialize()
        yield peer


def still_works(peer):
    peer.request("ping", {}, id="still there?")
    assert peer.next() == {"jsonrpc": "2.0", "id": "still there?", "result": {}}


NO_JSON = {
    "text": b"hello",
    "half": b'{"jsonrpc":"2.0"',
    "no UTF-8": b'{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}',
    "a byte of nothing": b"\0",
    "deep": b"[" * 100_000,
    "deep in params": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
    "a number of many digits": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"n":' + b"9" * 100_000 + b"}}",
    "no number": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"n":NaN}}',
    "too long": b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * 3_000_000 + b'"}',
}


@pytest.mark.parametrize("line", NO_JSON.values(), ids=NO_JSON.keys())
def test_a_line_that_is_no_json_is_one_parse_error(shared, line):
    shared.write(line + b"\n")
    message = shared.next()
    assert message["id"] is None and message["error"]["code"] == -32700 and len(json.dumps(message)) < 400
    still_works(shared)


NO_REQUEST = [
    *(1, "ping", None, True, 1.5),
    {},
    {"jsonrpc": "2.0", "id": 1},
    {"jsonrpc": "2.0", "id": None, "method": "ping"},
    {"jsonrpc": "2.0", "id": True, "method": "ping"},
    {"jsonrpc": "2.0", "id": 1.5, "method": "ping"},
    {"jsonrpc": "2.0", "id": [1], "method": "ping"},
    {"jsonrpc": "2.0", "id": "x" * 5000, "method": "ping"},
    {"jsonrpc": "1.0", "id": 1, "method": "ping"},
    {"id": 1, "method": "ping"},
    {"jsonrpc": "2.0", "id": 1, "method": 7},
    {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]},
    {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": "all"},
    {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": 7}},
]


@pytest.mark.parametrize("message", NO_REQUEST, ids=lambda message: json.dumps(message)[:60])
def test_json_that_is_no_request_is_an_error(shared, message):
    shared.send(message)
    assert shared.next()["error"]["code"] in (-32600, -32602)
    still_works(shared)


def test_batches_are_refused_and_nobody_waits_for_their_answers(shared):
    shared.send([{"jsonrpc": "2.0", "id": n, "method": "ping"} for n in (1, "two")])
    refused = shared.answers(2)
    assert set(refused) == {1, "two"}
    assert {message["error"]["code"] for message in refused.values()} == {-32600}
    for batch in ([], [1, 2], [{"jsonrpc": "2.0", "method": "notifications/initialized"}], [[]] * 10_000):
        shared.send(batch)
        message = shared.next()
        assert message["id"] is None and message["error"]["code"] == -32600
    still_works(shared)


def test_what_needs_no_answer_has_none(shared):
    shared.write(b"\n\r\n   \n")
    for message in (
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/dance", "params": {"a": 1}},
        {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": FIND}},
        {"jsonrpc": "2.0", "id": 9, "result": {}},
        {"jsonrpc": "2.0", "id": 9, "error": {"code": 1, "message": "no"}},
        *({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": p} for p in ({}, {"requestId": [1]}, [1])),
        {"jsonrpc": "2.0", "method": "notifications/cancelled"},
        {"jsonrpc": "2.0", "method": "notifications/partnerbooking/call_ended"},
    ):
        shared.send(message)
    still_works(shared)


def test_lines_may_end_as_on_windows_and_the_last_one_not_at_all(peer):
    peer.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\r\n')
    assert peer.next()["id"] == 1
    peer.write(b'{"jsonrpc":"2.0","id":2,"method":"ping"}')
    assert peer.end() == (0, "") and peer.next()["id"] == 2


def test_a_line_may_come_in_pieces(peer):
    for byte in b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n':
        peer.write(bytes([byte]))
    assert peer.next()["id"] == 1


WRONG_CALLS = [None, {}, {"name": 7}, {"name": None}, {"name": ["find"]}, {"name": "dance"}, {"name": ""}]


@pytest.mark.parametrize("params", WRONG_CALLS, ids=str)
def test_a_call_of_no_tool_is_an_error_of_the_protocol(shared, params):
    code, message = shared.error("tools/call", params)
    assert code == -32602 and FIND in message and "dance" not in message


WRONG_ARGUMENTS = [[], [1], 7, True, "", "{", "null", '{"when":"tomorrow"}', {"when": {"a": 1}}, {"x": "y" * 200_000}]


@pytest.mark.parametrize("arguments", WRONG_ARGUMENTS, ids=lambda arguments: str(arguments)[:20])
def test_arguments_of_any_form_have_an_answer_that_the_model_can_act_on(shared, arguments):
    for tool in (FIND, BOOK):
        result = shared.ask("tools/call", {"name": tool, "arguments": arguments})["result"]
        text = result["content"][0]["text"]
        assert text.endswith(".") and "rror" not in text, text


def test_requests_before_the_handshake_are_told_what_is_missing(peer):
    still_works(peer)  # a ping is allowed
    code, message = peer.error("tools/call", {"name": FIND, "arguments": {}})
    assert code == -32602 and "initialize" in message and "io.modelcontextprotocol/protocolVersion" in message
    assert peer.error("initialize")[0] == -32602
    assert peer.error("initialize", {"protocolVersion": 7})[0] == -32602
    assert peer.error("tools/list")[0] == -32602
    peer.initialize()
    assert peer.error("sampling/createMessage")[0] == -32601
    assert peer.initialize()["protocolVersion"]  # once more


def test_an_id_that_is_in_use_is_refused_and_its_owner_is_answered(tmp_path):
    config = {**CLINIC, "sandbox": {**CLINIC["sandbox"], "latency_ms": 600}}
    with Peer(config, tmp_path) as peer:
        peer.initialize()
        call = {"name": FIND, "arguments": {"when": "next week"}}
        for id in (1, "1", 1):
            peer.request("tools/call", call, id=id)
        first, *others = (peer.next() for _ in range(3))
        assert first["id"] == 1 and first["error"]["code"] == -32600
        assert {other["id"] for other in others} == {1, "1"} and all("result" in other for other in others)


def test_a_call_that_is_cancelled_at_once_leaves_nothing_behind(peer):
    """Both messages come in one piece: the call has not even begun."""
    peer.initialize()
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": FIND, "arguments": {}}}
    end = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
    peer.write(b"".join(json.dumps(message).encode() + b"\n" for message in (call, end) * 100))
    peer.send({**call, "id": 8})
    answers = [peer.next()]
    while answers[-1]["id"] != 8:
        answers.append(peer.next())
    assert all(answer["error"]["code"] == -32600 for answer in answers[:-1])  # the id was still in use
    peer.send(call)
    assert "result" in peer.next()
    assert peer.end()[0] == 0


def test_too_many_calls_at_once_are_told_so(tmp_path):
    config = {**CLINIC, "sandbox": {**CLINIC["sandbox"], "latency_ms": 800}}
    with Peer(config, tmp_path) as peer:
        peer.initialize()
        for number in range(CALLS + 5):
            peer.request("tools/call", {"name": FIND, "arguments": {"when": "next week"}}, id=number)
        answers = peer.answers(CALLS + 5)
        busy = [n for n, answer in answers.items() if answer["result"]["isError"]]
        assert busy == list(range(CALLS, CALLS + 5))
        assert "at once" in answers[CALLS]["result"]["content"][0]["text"]
        still_works(peer)


def test_a_client_that_does_not_read_costs_no_memory(peer):
    """It sends until the pipe is full, which it gets: then the server does not read either."""
    peer.initialize()
    assert peer.process.stdin is not None
    os.set_blocking(peer.process.stdin.fileno(), False)
    ask = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n'  # has a long answer
    sent = waits = 0
    while waits < 20 and sent < 20_000_000:
        try:
            sent += os.write(peer.process.stdin.fileno(), ask * 64)
            waits = 0
        except BlockingIOError:
            waits += 1
            time.sleep(0.05)
    assert waits == 20, f"{sent} bytes"
    status = open(f"/proc/{peer.process.pid}/status").read()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    assert peak < 150, f"{peak} MiB"


def test_a_client_that_does_not_read_the_log_is_answered_all_the_same(peer):
    """Many clients never do. The pipe takes 64 KiB."""
    for _ in range(3000):
        peer.send({"jsonrpc": "2.0", "id": 9, "result": {}})
    still_works(peer)
    code, log = peer.end()
    assert code == 0 and 10_000 < len(log) < 100_000


def test_a_client_that_closes_its_end_is_no_crash(peer):
    assert peer.process.stdout is not None
    peer.request("ping", {})
    assert peer.next()["result"] == {}
    peer.process.stdout.close()
    peer.request("ping", {})
    code, log = peer.end()
    assert code == 0 and "Broken" not in log


def test_nothing_but_the_protocol_is_on_standard_output(tmp_path):
    """Neither what libraries print, nor what Python does."""
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, os, threading, time\n"
        "def stray():\n"
        f"    while not os.path.exists('{tmp_path}/go'): time.sleep(0.01)\n"
        f"    print('stray'), os.system('echo stray; touch {tmp_path}/done')\n"
        "threading.Thread(target=stray, daemon=True).start()\n"
        "atexit.register(lambda: print('stray'))\n"
    )
    from python_package import PACKAGE

    with Peer(CLINIC, tmp_path, PYTHONPATH=f"{PACKAGE}:{tmp_path}") as peer:
        peer.initialize()
        (tmp_path / "go").touch()
        wait_until((tmp_path / "done").exists)
        still_works(peer)
        code, log = peer.end()
        assert code == 0 and log.count("stray") == 3 and peer.line() is None


def test_the_log_names_no_caller(tmp_path):
    with Peer(CLINIC, tmp_path) as peer:
        peer.call(FIND, {"when": "tomorrow", "time": "after three"})
        peer.call(BOOK, {"slot": "tue15-1500h", "name": NAME, "phone": "+12125550123", "caller_confirmed": True})
        peer.ask("tools/call", {"name": NAME, "arguments": {"name": NAME}, "_meta": META})
        peer.write(NAME.encode() + b"\n")
        peer.next()
        code, log = peer.end()
        assert code == 0 and NAME not in log and "2125550123" not in log
