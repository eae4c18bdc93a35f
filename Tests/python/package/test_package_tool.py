"""`python -m partnerbooking tool`, and the example of a phone call."""

from __future__ import annotations

import json
import shlex
from typing import Any

from header import ROOT
from python_package import EXAMPLES, run_program
from samples import BOT_ID, NAME, NOW

ZONE = "America/New_York"
CALLER = "+12125550123"
CLINIC: dict[str, Any] = {
    "endpoint": "sandbox",
    "sandbox": {"now": NOW, "time_zone": ZONE},
    "voice": {"time_zone": ZONE, "region": "US"},
}
FIND, BOOK = "find_appointment_slots", "book_appointment"
TOMORROW = {"when": "tomorrow", "time": "after three"}
WISH = {"slot": "tue15-1500h", "name": NAME, "phone": None, "caller_confirmed": True}


def test_command_answers_the_calls_of_one_conversation(run, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps({**CLINIC, "journal_path": str(tmp_path / "journal")}))
    where = ("tool", "--config", str(config), "--bot", BOT_ID, "--phone", CALLER, "--call", "call-7")
    code, out, err = run(*where, FIND, json.dumps(TOMORROW), BOOK, json.dumps(WISH))
    first, second = (dict(line.split(None, 1) for line in part.splitlines()) for part in out.split("\n\n"))
    assert (code, err, first["result"], second["result"]) == (0, "", "offered", "booked")
    assert "tue15-1500h" in first["text"] and second["key"].startswith("call-") and (tmp_path / "journal").exists()


def test_command_needs_nothing_but_the_sandbox(run):
    calls = (FIND, "{}", BOOK, '{"slot":"the first one"}', "look_up_caller", "")
    code, out, _ = run("tool", "--sandbox", "--json", *calls)
    results = [json.loads(line)["result"] for line in out.splitlines()]
    assert (code, results) == (0, ["offered", "invalid", "not_known"])
    assert run("tool", "--sandbox", "dance", "{}")[0] == 1


def test_command_says_what_is_missing(run, tmp_path):
    code, out, err = run("tool", "--sandbox", FIND)
    assert (code, out) == (2, "") and "needs its arguments" in err
    config = tmp_path / "config.json"
    config.write_text('{"voice":{"time_zone":"Mars/Olympus"},"endpoint":"sandbox"}')
    code, out, err = run("tool", "--config", str(config), "--bot", BOT_ID, FIND, "{}")
    assert (code, out) == (1, "") and "voice.time_zone" in err
    assert run("tool", FIND, "{}", API_KEY="sk_ptnr_1")[::2] == (
        2,
        "partnerbooking: no bot: name it by --bot or in PARTNER_BOT_ID\n",
    )


def test_commands_of_the_page(run):
    page = (ROOT / "docs" / "phone-call-in-python.md").read_text()
    commands = [shlex.split(line)[1:] for line in page.splitlines() if line.startswith("partnerbooking tool ")]
    assert len(commands) == 2
    for command in commands:
        code, out, _ = run(*command)
        assert code == 0 and "result  offered" in out
    assert "result  readback" in out


def test_example_is_a_whole_phone_call():
    """With one appointment after the interruption, and one after the doubt."""
    done = run_program(EXAMPLES / "phone_call.py")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines.count("appointments: 1") == 2 and lines.count("caller: No, wait, the second one!") == 1
    [said] = [line for line in lines if "not booked another one" in line]
    assert said.startswith("bot: You already have an appointment, tomorrow")
    assert sum("is not confirmed yet" in line for line in lines) == 1
