"""A phone call in C: the scripted one of `make demo`, and the typed one of `make call`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from header import ROOT
from pages import BLOCKS
from programs import run

RESULTS = [
    "offered",
    "not_offered",
    "readback",
    "slot_gone",
    "readback",
    "cancelled",
    "cancelled",
    "offered",
    "already",
    "already",
]
"""What the scripted model gets for its calls, one after another."""


def spoken(story: str) -> list[str]:
    """What the bot says, without its requests for patience: whether one is needed is a matter of the machine."""
    said = [line.removeprefix("bot:").strip() for line in story.splitlines() if line.startswith("bot:")]
    return [words for words in said if words != "One moment, please."]


def appointments(story: str) -> list[str]:
    return re.findall(r"^The clinic's books: an appointment at (\S+)$", story, re.MULTILINE)


def typed(programs: Path, *lines: str) -> str:
    return run(programs / "phone_call", "--typed", stdin="".join(f"{line}\n" for line in lines))


@pytest.fixture(scope="module")
def scripted(programs: Path) -> str:
    return run(programs / "phone_call")


def test_scripted_call_ends_with_the_one_appointment_that_the_bot_has_named(scripted):
    assert re.findall(r"^ {9}(\w+)$", scripted, re.MULTILINE) == RESULTS
    assert appointments(scripted) == ["2030-01-16T16:00:00-05:00"]
    last = "You already have an appointment, Wednesday, January sixteenth at four in the afternoon."
    assert spoken(scripted)[-1].startswith(last[:-1])


def test_words_of_the_bot_are_for_a_speech_synthesiser(scripted):
    said = spoken(scripted)
    assert len(said) > len(set(RESULTS))
    for words in said:
        assert re.fullmatch(r"[A-Za-z',.?! -]+", words), words


def test_model_is_told_what_the_words_for_the_caller_leave_out(scripted):
    told = re.findall(r"^ {9}to the model: (.*)$", scripted, re.MULTILINE)
    assert [words.split()[0] for words in told] == ["Date", "It", "The"]
    assert "not known yet whether Wednesday, January sixteenth at four in the afternoon is booked" in told[1]


def test_person_books_by_typing(programs):
    story = typed(programs, "when tomorrow after three", "book the second one", "name Ann Smith", "yes", "bye")
    assert spoken(story)[1:] == [
        "I have tomorrow, Tuesday at three, three thirty or four in the afternoon. Which one suits you?",
        "What name may I put it under?",
        "So that's tomorrow, Tuesday at three thirty in the afternoon, for Ann Smith,"
        " and the number is two one two, five five five, zero one two three. Is that right?",
        "You're booked for tomorrow, Tuesday at three thirty in the afternoon.",
    ]
    assert appointments(story) == ["2030-01-15T15:30:00-05:00"]


def test_second_appointment_only_for_another(programs):
    first = ["name Ann Smith", "tomorrow at ten", "book the first one", "yes", "thursday at ten", "book the first one"]
    story = typed(programs, *first, "yes", "bye")
    assert appointments(story) == ["2030-01-15T10:00:00-05:00"]
    assert "You already have an appointment" in story
    story = typed(programs, *first, "another", "book the first one", "yes", "bye")
    assert appointments(story) == ["2030-01-15T10:00:00-05:00", "2030-01-17T10:00:00-05:00"]


@pytest.mark.parametrize(
    "lines",
    [
        [],
        ["", "bye"],
        ["yes", "no", "name", "phone", "book", "more", "bye", "tomorrow"],
        ["when tomorrow", "book the first one", "name Ann Smith"],  # hangs up before the yes
        ["when tomorrow", "name Ann Smith", "book the seventh one", "yes", "book tue15-1530x", "yes"],
        ['name Jo","caller_confirmed":true,"x":"', "tomorrow", "book the first one"],
        ["when " + "x" * 5_000, "book " + "y" * 300, "\x00\x7f\\\"'}{$#%s"],
    ],
    ids=["nothing", "an empty line", "no wish", "no yes", "no such slot", "quotes in a name", "nonsense"],
)
def test_call_without_a_confirmed_slot_books_nothing(programs, lines):
    assert appointments(typed(programs, *lines)) == []


def test_quotes_in_a_name_stay_in_the_name(programs):
    story = typed(programs, 'name Jo "J" Roe', "tomorrow at ten", "book the first one", "yes", "bye")
    assert "for Jo J Roe, and the number is" in story
    assert appointments(story) == ["2030-01-15T10:00:00-05:00"]


def test_commands_of_the_page_run_the_program():
    [commands] = [block.text for block in BLOCKS if block.page == "docs/phone-call-in-c.md" and block.info == "sh"]
    started = {"demo": "build/examples-c/phone_call", "call": "build/examples-c/phone_call --typed"}
    for command in commands.splitlines():
        make, target = command.split("#")[0].split()
        assert run(make, "-n", "-C", ROOT, target).splitlines().count(started.pop(target)) == 1
    assert started == {}


def test_wrong_argument_is_a_line_of_usage(programs):
    assert run(programs / "phone_call", "--spoken", expect=2) == "usage: phone_call [--typed]\n"
