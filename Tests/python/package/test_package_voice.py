"""The voice functions of the Python package, and their commands."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from datetime import date, datetime, timezone

import pytest
from header import ROOT
from python_package import pb

NOW, ZONE = "2030-01-14T13:00:00Z", "America/New_York"
WINDOW = {"availabilities": [{"start_at": "2030-01-15T14:00:00Z", "duration_minutes": 480}, {"start_at": "soon"}]}


def test_slots():
    found = pb.voice.slots(WINDOW, time_zone=ZONE, now=NOW, offers=3, pick="the second one")
    assert [slot.slot for slot in found.offers] == ["tue15-0900x", "tue15-1300w", "tue15-1600b"]
    assert found.picked == found.offers[1]
    assert (len(found.slots), found.items, found.more) == (16, 2, False)
    assert found.skipped == [pb.voice.SkippedItem(1, "unreadable_start")]
    assert json.loads(found.json)["time_zone"] == ZONE


def test_bounds_may_be_dates_and_datetimes():
    def count(**bounds):
        return len(pb.voice.slots(WINDOW, time_zone=ZONE, now=NOW, **bounds).slots)

    assert count(from_=date(2030, 1, 15), to=date(2030, 1, 15)) == 16
    assert count(from_=datetime(2030, 1, 15, 20, tzinfo=timezone.utc)) == 4
    assert count(to="2030-01-14") == 0


def test_wishes():
    wish = pb.voice.when("tomorrow", "after three", time_zone=ZONE, now=NOW)
    [reading] = wish.readings
    assert wish.clear and wish.assumed == ["afternoon"] and wish.corrected == []
    assert reading.options == {"from_": "2030-01-15", "to": "2030-01-15", "not_before": "15:00"}
    found = pb.voice.slots(WINDOW, time_zone=ZONE, now=NOW, **reading.options)
    assert [slot.local[11:] for slot in found.slots] == ["15:00", "15:30", "16:00", "16:30"]
    assert len(pb.voice.when("next Tuesday", time_zone=ZONE, now=NOW).readings) == 2


def test_words():
    start = "2030-01-15T09:30:00-05:00"
    assert pb.voice.say(start, time_zone=ZONE, now=NOW) == "tomorrow, Tuesday at nine thirty in the morning"
    assert pb.voice.say(start, time_zone=ZONE, now=NOW, locale="en-GB").endswith("half past nine in the morning")
    slots = pb.voice.slots(WINDOW, time_zone=ZONE, now=NOW).slots[:2]
    assert pb.voice.say_list(slots, time_zone=ZONE, now=NOW).count("tomorrow") == 1
    assert pb.voice.say_phone("+15551234567", region="US") == "five five five, one two three, four five six seven"


def test_phones():
    phone = pb.voice.phone("oh seven four double oh, one two three, four five six", region="GB", locale="en-GB")
    assert (phone.phone, phone.region, phone.groups) == ("+447400123456", "GB", ["07400", "123", "456"])
    assert "7400" not in repr(phone), "a number ends in no log"


def test_tools():
    made = pb.voice.tools("openai", voice={"services": [{"name": "cleaning"}]}, look_up_caller=True)
    names = [tool["function"]["name"] for tool in made.tools]
    assert names == ["find_appointment_slots", "book_appointment", "look_up_caller"]
    assert b"One of: cleaning" in made.json and made.prompt.startswith("You book appointments")
    with pytest.raises(pb.InvalidField) as refused:
        pb.voice.tools("mcp", voice={"servces": []})
    assert refused.value.field == "voice.servces"


def test_errors():
    with pytest.raises(pb.PhoneUnclear) as short:
        pb.voice.phone("five five five", region="US")
    assert (short.value.reason, short.value.digits_heard, short.value.digits_wanted) == ("too_short", 3, 10)
    with pytest.raises(pb.TimeUnclear) as unclear:
        pb.voice.when("not on a Tuesday", time_zone=ZONE, now=NOW)
    assert (unclear.value.field, unclear.value.reason) == ("when", "not_understood")
    with pytest.raises(pb.UnknownTimeZone):
        pb.voice.slots(WINDOW, time_zone="Mars/Olympus")


UNCLEAR = {
    "not on a Tuesday": "not_understood",
    "February 30": "no_such_time",
    "today at 7 am": "past",
    "tomorrow morning at 3 pm": "contradictory",
}


@pytest.mark.parametrize("when", UNCLEAR)
def test_a_wish_that_is_unclear_has_its_reason(when):
    with pytest.raises(pb.TimeUnclear) as unclear:
        pb.voice.when(when, time_zone=ZONE, now=NOW)
    assert (unclear.value.field, unclear.value.reason) == ("when", UNCLEAR[when])
    code, out, error = command("when", "--time-zone", ZONE, "--now", NOW, when)
    assert (code, out) == (1, "") and error.startswith("time_unclear: ")
    answer = json.loads(command("when", "--json", "--time-zone", ZONE, "--now", NOW, when)[1])["error"]
    assert (answer["field"], answer["reason"]) == ("when", UNCLEAR[when])


def command(*arguments: str, text: str = "") -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "partnerbooking", *arguments],
        cwd=ROOT / "bindings" / "python",
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_for_tools():
    code, out, _ = command("tools", "gemini", "--look-up-caller")
    [group] = json.loads(out)
    assert code == 0 and len(group["functionDeclarations"]) == 3
    voice = json.dumps({"confirm": "none", "bots": {"b": {"locale": "es"}}})
    code, out, _ = command("tools", "mcp", "--voice", "-", "--bot", "b", "--prompt", text=voice)
    assert code == 0 and "Speak Spanish" in out and "readback" not in out
    assert "Speak French" in json.loads(command("tools", "mcp", "--locale", "fr", "--json")[1])["prompt"]
    assert command("tools", "mcp", "--voice", "-", text="[]") == (2, "", "partnerbooking: -: not a JSON object\n")
    assert command("tools", "mcp", "--voice", "-", text='{"x":1}')[2].startswith("invalid_field: ")
    assert command("tools", "claude")[0] == 2


def test_the_commands_of_the_page(tmp_path):
    (tmp_path / "voice.json").write_text('{"locale":"es","bots":{"bot_1":{"confirm":"none"}}}')
    lines = re.findall(r"^partnerbooking (tools .*)$", (ROOT / "docs" / "voice.md").read_text(), re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        arguments = shlex.split(line.replace("voice.json", str(tmp_path / "voice.json")), comments=True)
        code, out, error = command(*arguments)
        assert (code, error) == (0, "") and len(out) > 1000


def test_commands():
    zone = ["--time-zone", ZONE, "--now", NOW]
    code, out, _ = command("slots", *zone, "--pick", "tue15 1030", text=json.dumps(WINDOW))
    assert code == 0 and out.startswith("tue15-1030n  2030-01-15 10:30") and "skipped item 1" in out
    assert command("when", *zone, "tomorrow", "after three") == (
        0,
        "2030-01-15  not_before=15:00\nassumed: afternoon\n",
        "",
    )
    assert command("when", *zone, "next Tuesday")[1].startswith("not clear: ask the caller which one is meant\n2030-")
    assert command("slots", *zone, "--pick", "no such", text=json.dumps(WINDOW))[1].startswith(
        "no slot, or more than one"
    )
    assert command("say", *zone, "2030-01-15T09:30:00-05:00")[1] == "tomorrow, Tuesday at nine thirty in the morning\n"
    assert command("phone", "--region", "US", "555 123 4567")[1].splitlines()[0] == "+15551234567"
    code, out, error = command("phone", "--region", "US", "no number")
    assert (code, out) == (1, "") and error.startswith("phone_unclear: ")
    assert json.loads(command("phone", "--json", "--region", "US", "no")[1])["error"]["reason"] == "no_digits"
    assert command("slots", *zone, "/nonexistent")[0] == 2
