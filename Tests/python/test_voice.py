"""The voice functions over the shared object: their contract, and what a careless caller hands over."""

from __future__ import annotations

import ctypes
import json
import shlex
import sys
from typing import Any

import pbk
import pytest
from header import ROOT, STATUS
from pages import DOCS, blocks_of
from pbk import LIBRARY
from programs import run

NOW = "2030-01-14T13:00:00Z"
ZONE = {"time_zone": "America/New_York", "now": NOW}
WINDOW = {"availabilities": [{"start_at": "2030-01-15T14:00:00Z", "duration_minutes": 480}]}


def call(name: str, *arguments: Any) -> tuple[int, Any]:
    """The status and the parsed answer. A dict is written as JSON, and None is NULL."""
    status = ctypes.c_int()
    texts = [
        None if argument is None else (json.dumps(argument) if isinstance(argument, dict) else argument).encode()
        for argument in arguments
    ]
    address = getattr(pbk.library, name)(*texts, ctypes.byref(status))
    answer = ctypes.string_at(address)
    pbk.library.pbk_string_free(address)
    return status.value, json.loads(answer)


def test_a_window_becomes_slots():
    status, reply = call("pbk_slots", WINDOW, {**ZONE, "offers": 3, "pick": "tue15 0930"})
    assert status == STATUS["OK"]
    assert [slot["slot"] for slot in reply["offers"]] == ["tue15-0900x", "tue15-1300w", "tue15-1600b"]
    assert reply["picked"]["start_at"] == "2030-01-15T09:30:00-05:00"
    assert len(reply["slots"]) == 16 and reply["more"] is False


def test_a_reply_of_a_client_becomes_slots_and_one_is_booked(open_client):
    client = open_client(
        {"endpoint": "sandbox", "sandbox": {"now": NOW, "time_zone": "America/New_York", "answer": "windows"}}
    )
    status, wish = call("pbk_when", {"when": "tomorrow", "time": "ten thirty", **ZONE})
    assert status == STATUS["OK"] and wish["clear"] is True
    [reading] = wish["readings"]
    bounds = {"start_at": reading["start_at"], "end_at": reading["end_at"]}
    found = client.search({"bot_id": "bot_1", "query": {"filter": {"start_at_range": bounds}}})
    _, slots = call("pbk_slots", found.reply.decode(), {**ZONE, "offers": 3, "reading": reading})
    [offer] = slots["offers"]
    assert offer["local"] == "2030-01-15T10:30"
    customer = {
        "phone": call("pbk_phone", {"text": "five five five one two three four five six seven", "region": "US"})[1][
            "phone"
        ]
    }
    booking = {"start_at": offer["start_at"], "duration_minutes": offer["duration_minutes"]}
    request = {"bot_id": "bot_1", "idempotency_key": "k", "booking": {**booking, "customer": {**customer, "name": "A"}}}
    made = json.loads(client.book(request).reply)["booking"]
    said = call("pbk_say", {"slot": made, **ZONE})[1]["say"]
    assert said == "tomorrow, Tuesday at ten thirty in the morning"


@pytest.mark.parametrize(
    ("name", "arguments", "code", "field"),
    [
        ("pbk_slots", (WINDOW, {}), "invalid_field", "time_zone"),
        ("pbk_slots", (WINDOW, {"time_zone": "Mars/Olympus"}), "unknown_time_zone", "time_zone"),
        ("pbk_slots", ({"error": {}}, ZONE), "invalid_field", "availabilities"),
        ("pbk_slots", ("[", ZONE), "invalid_json", None),
        ("pbk_slots", (WINDOW, "{"), "invalid_json", None),
        ("pbk_slots", (None, ZONE), "invalid_argument", None),
        ("pbk_slots", (WINDOW, None), "invalid_argument", None),
        ("pbk_slots", (WINDOW, {**ZONE, "reading": {"when": "x"}}), "invalid_field", "reading.when"),
        ("pbk_when", ({"when": "whenever the moon is blue", **ZONE},), "time_unclear", "when"),
        ("pbk_when", ({"when": "tomorrow"},), "invalid_field", "time_zone"),
        ("pbk_when", (None,), "invalid_argument", None),
        ("pbk_say", ({},), "invalid_field", None),
        ("pbk_say", ({"start_at": NOW, "time_zone": "Nowhere"},), "unknown_time_zone", "time_zone"),
        ("pbk_say", (None,), "invalid_argument", None),
        ("pbk_phone", ({"text": "no number", "region": "US"},), "phone_unclear", "text"),
        ("pbk_phone", ({"text": "5", "locale": "xx"},), "invalid_field", "locale"),
        ("pbk_phone", (None,), "invalid_argument", None),
    ],
)
def test_refusals(name, arguments, code, field):
    status, answer = call(name, *arguments)
    assert answer["error"]["code"] == code
    assert status == STATUS[code.upper()]
    if field is not None:
        assert answer["error"]["field"] == field


@pytest.mark.parametrize(
    ("when", "time", "field", "reason"),
    [
        ("not on a Tuesday", "", "when", "not_understood"),
        ("tomorrow", "not at three", "time", "not_understood"),
        ("February 30", "", "when", "no_such_time"),
        ("today at 7 am", "", "when", "past"),
        ("tomorrow morning", "3 pm", "when", "contradictory"),
    ],
)
def test_a_wish_that_is_unclear_has_its_field_and_reason(when, time, field, reason):
    status, answer = call("pbk_when", {"when": when, "time": time, **ZONE})
    assert status == STATUS["TIME_UNCLEAR"]
    error = answer["error"]
    assert (error["code"], error["field"], error["reason"]) == ("time_unclear", field, reason)


@pytest.mark.parametrize("name", ["pbk_when", "pbk_say", "pbk_phone"])
@pytest.mark.parametrize(
    "text", ["", "null", "[]", '"x"', "7", '{"text":"\\u0000"}', "\ud83d".encode("utf-8", "replace").decode()]
)
def test_any_text_gets_an_answer(name, text):
    status, answer = call(name, text)
    assert status != STATUS["OK"] and "error" in answer


def test_plain_dates_are_days_of_the_clinic(open_client):
    """The sandbox of this test reads dates in UTC. With a zone the library sends instants."""
    sandbox = {"now": NOW, "time_zone": "Asia/Tokyo", "dates": "utc"}
    client = open_client({"endpoint": "sandbox", "sandbox": sandbox, "voice": {"time_zone": "Asia/Tokyo"}})
    bounds = {"start_at": "2030-01-18", "end_at": "2030-01-18"}
    found = json.loads(client.search({"bot_id": "b", "query": {"filter": {"start_at_range": bounds}}}).reply)
    assert len(found["availabilities"]) == 16


PYTHON = [sys.executable, ROOT / "bindings" / "python" / "examples" / "ten_thirty.py"]
PACKAGE = {"PYTHONPATH": str(ROOT / "bindings" / "python"), "PARTNERBOOKING_LIBRARY": str(LIBRARY)}
MORNING = "at ten thirty in the morning"
BOTH_DAYS = f"tomorrow, Tuesday {MORNING}, or Tuesday, January twenty-second {MORNING}"


@pytest.fixture(params=["c", "python"])
def bot(request, programs):
    """What the example says in each language, without the `say: ` of one."""

    def converse(*said: str, expect: Any = (0, 1)) -> list[str]:
        program = [programs / "ten_thirty"] if request.param == "c" else PYTHON
        lines = run(*program, *said, expect=expect, **PACKAGE).splitlines()
        return [line.removeprefix("say: ") for line in lines if not line.startswith("{")]

    return converse


def test_the_example_books_what_the_caller_said(bot):
    words = "tomorrow, Tuesday at ten thirty in the morning"
    assert bot(expect=0) == [f"I have {words}.", f"You are booked for {words}."]
    assert bot("Thursday after three", expect=0)[-1] == (
        "You are booked for Thursday, January seventeenth at three in the afternoon."
    )


def test_the_example_asks_which_reading_is_meant(bot):
    wish = "next Tuesday at ten thirty"
    assert bot(wish)[0] == f"Do you mean {BOTH_DAYS}?"
    assert not [line for line in bot(wish) if "booked" in line]
    for answer, day in [("the first", "tomorrow, Tuesday"), ("the second one", "Tuesday, January twenty-second")]:
        assert bot(wish, answer, expect=0)[-1] == f"You are booked for {day} at ten thirty in the morning."
    assert bot("next Tuesday")[0] == "Do you mean tomorrow, Tuesday, or Tuesday, January twenty-second?"


def test_the_example_asks_again_when_nothing_fits(bot):
    assert bot("when the moon is blue") == ["For which day and time, please?"]
    assert bot("Saturday") == ["Nothing is free then. Which other day suits you?"]


def shown(beginning: str) -> tuple[list[str], list[str]]:
    """The commands of a block of the page, and what they print."""
    [block] = [block.text for block in blocks_of(DOCS / "voice.md") if block.text.startswith(beginning)]
    lines = block.splitlines()
    return [line for line in lines if not line.startswith("# ")], [line[2:] for line in lines if line.startswith("# ")]


def test_example_says_what_the_page_shows(programs):
    (_, command), output = shown("make examples")
    assert run(programs / "ten_thirty", *shlex.split(command)[1:]).splitlines() == output
    [block] = [block.text for block in blocks_of(DOCS / "c.md") if block.text.startswith("say: ")]
    assert run(programs / "ten_thirty") == block


def test_commands_say_what_the_page_shows(tmp_path):
    commands, output = shown("echo '{")
    script = f'cd {tmp_path}\npartnerbooking() {{ {sys.executable} -m partnerbooking "$@"; }}\n' + "\n".join(commands)
    assert run("bash", "-e", "-c", script, **PACKAGE).splitlines() == output
