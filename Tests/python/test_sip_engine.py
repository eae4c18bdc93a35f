"""Real phone calls to sip_engine over loopback: what the caller hears, and what becomes of the
booking."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from header import ROOT
from pages import BLOCKS
from programs import EXAMPLES, output_of, run
from sip_caller import Call, Engine, clips_in_order, play

CLINIC = {
    "endpoint": "sandbox",
    "report_settled": True,
    "sandbox": {
        "answer": "windows",
        "latency_ms": 1000,
        "time_zone": "America/New_York",
        "now": "2030-01-14T08:00:00-05:00",
    },
    "voice": {"time_zone": "America/New_York", "region": "US", "cache_ms": 60000},
}
NOON = "2030-01-15T12:00:00-05:00"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sip")
    run("make", "-C", EXAMPLES, f"PBK={ROOT}", f"BUILD={folder}", "sip")
    return folder / "sip_engine"


@pytest.fixture(scope="module", autouse=True)
def demo(program: Path) -> Iterator[subprocess.Popen[str]]:
    """Plays while the tests do: it takes as long as a person needs to listen."""
    command = [sys.executable, str(EXAMPLES / "sip_caller.py"), str(program.parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as demo:
        yield demo
        demo.kill()


def started(program: Path, *faults: dict[str, Any], **members: Any) -> Engine:
    config = {**CLINIC, "sandbox": {**CLINIC["sandbox"], "faults": list(faults)}, **members}
    return Engine([program, "127.0.0.1:0"], PARTNER_CONFIG=json.dumps(config))


def books(engine: Engine) -> list[str]:
    """The starts of the appointments that the clinic has, from the engine's last words."""
    [line] = [line for line in engine.lines if line.startswith("the clinic's books: ")]
    return [booking["start_at"] for booking in json.loads(line.split(": ", 1)[1])["bookings"]]


class Machine(threading.Thread):
    """Measures how late this machine lets a thread be that wakes every 20 ms: no engine can do
    better."""

    def __init__(self):
        super().__init__(daemon=True)
        self.worst_ms = 0.0
        self.is_over = False

    def run(self) -> None:
        while not self.is_over:
            begin = time.monotonic()
            time.sleep(0.02)
            self.worst_ms = max(self.worst_ms, (time.monotonic() - begin) * 1000)

    def __enter__(self) -> Machine:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        self.join()


class Caller:
    """Chooses the second time and confirms it, as soon as the engine takes keys or when all was
    said."""

    def __init__(self, engine: Engine, number: int = 1, by_info: bool = False, listens: bool = False):
        self.engine = engine
        self.number = number
        self.by_info = by_info
        self.listens = listens

    def said(self, text: str) -> bool:
        return any(line.startswith(f"call {self.number}  bot: {text}") for line in list(self.engine.lines))

    def presses(self, call: Call, key: str) -> None:
        (call.press_by_info if self.by_info else call.press)(key)

    def script(self, call: Call) -> Iterator[Any]:
        yield lambda: self.said("For Wednesday" if self.listens else "For ") and (not self.listens or call.is_quiet())
        self.presses(call, "2")
        yield lambda: self.said("So that's") and (not self.listens or self.said("Press one") and call.is_quiet())
        self.presses(call, "1")

    def hangs_up(self, call: Call) -> Iterator[Any]:
        yield from self.script(call)
        engine, number = self.engine, self.number
        yield lambda: sum(line == f"call {number}  caller presses: 1" for line in list(engine.lines)) == 1
        call.hang_up()


def test_caller_hears_each_clip_byte_for_byte_and_has_the_appointment(program):
    with started(program) as engine, Machine() as machine:
        call = Call(engine.port)
        play([call], Caller(engine, listens=True).script, 55)
        texts = clips_in_order(engine, call)
        assert engine.end() == 0
    assert texts[0].startswith("Hello") and texts[-2:] == [
        "You're booked for tomorrow, Tuesday at noon.",
        "Thank you for calling. Goodbye.",
    ]
    assert books(engine) == [NOON]
    assert call.statuses[0] < 200 and call.statuses[-1] == 200
    numbers = [number for _, number, _ in call.frames]
    assert [(later - earlier) % 65536 for earlier, later in zip(numbers, numbers[1:])] == [1] * (len(numbers) - 1)
    assert max(call.gaps_ms) < max(100, 5 * machine.worst_ms)


def test_packets_of_a_key_that_change_places_are_one_key(program):
    """The readback follows at once, and a second key would confirm it."""
    with started(program) as engine:
        call = Call(engine.port)
        caller = Caller(engine)

        def script(call: Call) -> Iterator[Any]:
            yield lambda: caller.said("For ")
            call.press("2")
            times, packets = map(list, zip(*call.to_send[-8:]))
            packets[4], packets[5] = packets[5], packets[4]  # the first end overtakes
            call.to_send[-8:] = zip(times, packets)
            yield lambda: caller.said("So that's")
            over = time.monotonic() + 0.5
            yield lambda: time.monotonic() > over
            call.hang_up()

        play([call], script)
        assert engine.end() == 0
    assert [line for line in engine.lines if "caller presses" in line] == ["call 1  caller presses: 2"]
    assert books(engine) == []


def test_calls_at_once_are_served_by_one_loop(program):
    """Five callers, with both kinds of keys, want the same time. One of them gets it."""
    with started(program) as engine, Machine() as machine:
        calls = [Call(engine.port) for _ in range(5)]  # they ring in this order
        callers = {call: Caller(engine, number, by_info=number % 2 == 0) for number, call in enumerate(calls, 1)}

        def script(call: Call) -> Iterator[Any]:
            yield from callers[call].script(call)
            yield lambda: callers[call].said("You're booked") or callers[call].said("I'm sorry")
            call.hang_up()

        play(calls, script, 50)
        assert engine.end() == 0
    assert books(engine) == [NOON]
    assert sum("bot: You're booked" in line for line in engine.lines) == 1
    assert max(max(call.gaps_ms) for call in calls) < max(100, 5 * machine.worst_ms)


def test_booking_goes_on_when_the_caller_hangs_up(program):
    # Slow, so that the hang-up comes before the reply on a busy machine, too.
    with started(program, sandbox={**CLINIC["sandbox"], "latency_ms": 2500}) as engine:
        call = Call(engine.port)
        play([call], Caller(engine).hangs_up)
        assert engine.end() == 0  # at once: the booking is still under way
    assert "call 1  caller hangs up: the booking goes on" in engine.lines
    assert "call 1  booked: You're booked for tomorrow, Tuesday at noon." in engine.lines
    assert "left open: nothing" in engine.lines
    assert books(engine) == [NOON]


def test_lost_reply_after_the_hang_up_is_found_out(program):
    """The clinic books, and the connection breaks: the engine asks again, and there is one
    appointment."""
    with started(program, {"fault": "lose_reply", "calls": [1]}) as engine:
        call = Call(engine.port)
        play([call], Caller(engine).hangs_up)
        assert engine.end() == 0
    assert "call 1  booked: You're booked for tomorrow, Tuesday at noon." in engine.lines
    assert books(engine) == [NOON]


def test_booking_that_no_one_answers_is_left_open_and_named(program):
    with started(program, {"fault": "drops", "ms": 60000}) as engine:
        call = Call(engine.port)
        play([call], Caller(engine).hangs_up)
        assert engine.end() == 1
    [line] = [line for line in engine.lines if line.startswith("left open: ")]
    [pending] = json.loads(line.removeprefix("left open: "))["pending_bookings"]
    # The name is the engine's own: callers choose theirs, and may repeat it.
    assert pending["start_at"] == NOON and re.fullmatch(r"[0-9A-Za-z]{32}", pending["conversation"])
    assert pending["state"] in ("in_flight", "in_doubt")


def test_slot_that_is_gone_is_followed_by_others(program):
    with started(program, {"fault": "error", "status": 409, "code": "slot_unavailable", "calls": [1]}) as engine:
        call = Call(engine.port)

        def script(call: Call) -> Iterator[Any]:
            yield from Caller(engine).script(call)
            yield lambda: any("gone" in line or "taken" in line for line in list(engine.lines))
            call.hang_up()

        play([call], script)
        assert engine.end() == 0
    assert books(engine) == []


def test_search_ends_with_the_phone_call(program):
    with started(program, {"fault": "late", "operation": "search_availability", "ms": 20000}) as engine:
        call = Call(engine.port)

        def script(call: Call) -> Iterator[Any]:
            yield lambda: engine.said("bot: Hello")()
            call.hang_up()

        play([call], script)
        assert engine.end() == 0
    assert "call 1  cancelled: after the caller hung up" in engine.lines


def test_shutdown_hangs_up(program):
    with started(program) as engine:
        call = Call(engine.port)

        def script(call: Call) -> Iterator[Any]:
            yield lambda: engine.said("bot: Hello")()
            engine.process.terminate()

        play([call], script)
        assert call.is_over and engine.process.wait(10) == 0
        refused = Call(engine.port)
    assert books(engine) == [] and not refused.frames


SIPP = """<?xml version="1.0" encoding="ISO-8859-1" ?>
<scenario name="caller">
  <send retrans="500"><![CDATA[
INVITE sip:clinic@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Bob Miller" <sip:+12125550199@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:clinic@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 96
a=rtpmap:0 PCMU/8000
a=rtpmap:96 telephone-event/8000
]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="200" rtd="true"/>
  <send><![CDATA[
ACK sip:clinic@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: "Bob Miller" <sip:+12125550199@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:clinic@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: 1 ACK
Contact: <sip:sipp@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Length: 0

]]></send>
  <pause milliseconds="5000"/>
  <nop><action><exec play_dtmf="2"/></action></nop>
  <pause milliseconds="4000"/>
  <nop><action><exec play_dtmf="1"/></action></nop>
  <recv request="BYE" timeout="30000"/>
  <send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="sipp sends keys through a raw socket, as root")
def test_caller_made_by_others_books_with_its_keys(program, tmp_path):
    """sipp is another SIP stack, and sends keys by RFC 4733 in its own way."""
    assert shutil.which("sipp"), "missing: sip-tester"
    (tmp_path / "caller.xml").write_text(SIPP)
    with started(program) as engine:
        sipp = ["sipp", f"127.0.0.1:{engine.port}", "-i", "127.0.0.1", "-mi", "127.0.0.1", "-m", 1, "-nostdin"]
        output_of(*sipp, "-sf", tmp_path / "caller.xml", "-timeout", "50s", "-timeout_error")
        assert engine.end() == 0
    assert "call 1  rings: +12125550199" in engine.lines
    assert [line for line in engine.lines if "caller presses" in line] == [
        "call 1  caller presses: 2",
        "call 1  caller presses: 1",
    ]
    assert books(engine) == [NOON]


def test_demo_prints_what_the_page_shows(demo):
    output, _ = demo.communicate(timeout=50)
    assert demo.returncode == 0 and " clips byte for byte, " in output
    [shown] = [block.text for block in BLOCKS if block.page == "docs/sip-engine.md" and "rings" in block.first_line]
    wait = "call 1  bot: One moment, please."
    said = [line for line in output.splitlines() if line.startswith("call 1") and line != wait]
    assert said == [line for line in shown.splitlines() if line != wait]
