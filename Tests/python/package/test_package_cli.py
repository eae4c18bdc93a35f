"""`python -m partnerbooking`: its tables, its JSON, its exit codes, and a doctor that is right about real faults."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack
from datetime import date, timedelta

import pytest
from fault_server import answer, close_at_once, http_reply
from python_package import PACKAGE, Ended, run_program
from reference_names import API_KEY
from samples import NAME, PHONE

BOOK = ["book", "--at", "2030-01-14T10:00:00Z", "--phone", PHONE, "--name", NAME]


# ---- The sandbox -----------------------------------------------------------------------------------------------------


def next_monday() -> date:
    today = date.today()
    return today + timedelta(days=7 - today.weekday())


def test_search_prints_a_table_for_each_day(run):
    code, out, err = run("search", "--sandbox", "--from", str(next_monday()), "--to", str(next_monday() + timedelta(1)))
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == f"Monday, {next_monday()}" and lines[17].startswith("Tuesday, ") and len(lines) == 34
    assert lines[1] == f"  09:00 to 09:30  30 min  {next_monday()}T09:00:00Z"


def test_search_looks_a_week_ahead_by_itself(run):
    code, out, _ = run("search", "--sandbox")
    assert code == 0 and len(re.findall(r"^\w+day, ", out, re.MULTILINE)) >= 4
    code, out, _ = run("search", "--sandbox", "--from", str(next_monday() + timedelta(days=5)), "--json")
    found = [slot["start_at"][:10] for slot in json.loads(out)["availabilities"]]
    assert found[0] == str(next_monday() + timedelta(days=7)) and len(set(found)) == 5


def test_search_without_a_free_slot(run):
    assert run("search", "--sandbox", "--from", "2090-01-01", "--to", "2090-01-02")[:2] == (0, "no free slots\n")


def test_search_in_the_past(run):
    code, out, err = run("search", "--sandbox", "--from", "2020-01-01", "--to", "2020-01-02")
    assert (code, out) == (1, "") and "2020-01-02, which is in the past" in err and "today is " in err


def test_book_prints_what_was_booked_and_under_which_key(run):
    start = f"{next_monday()}T10:00:00Z"
    code, out, _ = run("book", "--sandbox", "--at", start, "--phone", PHONE, "--name", NAME)
    shown = dict(line.split(None, 1) for line in out.splitlines())
    assert code == 0 and re.fullmatch("bkg_[0-9a-z]{26}", shown["booked"])
    assert (shown["status"], shown["from"]) == ("confirmed", start) and shown["key"].startswith("booking-")


def test_lookup_of_somebody_unknown(run):
    assert run("lookup", "--sandbox", "--phone", PHONE)[:2] == (0, "nobody is known under this number\n")


def test_lookup_of_a_platforms_customer(run, relay1, reference, tmp_path):
    account = reference.account()
    config = tmp_path / "config.json"
    config.write_text(json.dumps(relay1.config(account)))
    bot = next(iter(relay1.config(account)["platforms"]))
    assert run(*BOOK, "--config", str(config), "--bot", bot)[0] == 0
    code, out, _ = run("lookup", "--config", str(config), "--bot", bot, "--phone", PHONE)
    assert code == 0 and NAME in out and "2030-01-14T10:00:00Z" in out


# ---- A service -------------------------------------------------------------------------------------------------------


def test_book_and_book_again(run, hosted, reference):
    bot = reference.bot()
    code, out, _ = run(
        *BOOK, "--bot", bot, "--key", "key-7", "--notes", "n", "--email", "a@b.example", "--json", **hosted
    )
    assert code == 0
    assert (
        run(*BOOK, "--key", "key-7", "--notes", "n", "--email", "a@b.example", "--json", BOT_ID=bot, **hosted)[1] == out
    )
    assert len(reference.bookings(bot_id=bot)["bookings"]) == 1
    code, out, err = run(*BOOK, "--bot", bot, **hosted)
    assert (code, out) == (1, "") and "slot_unavailable" in err and "nothing was booked" in err
    code, out, err = run(*BOOK, "--bot", bot, "--json", **hosted)
    assert (code, err) == (1, "") and json.loads(out)["error"]["outcome"] == "rejected"


def test_a_booking_in_doubt_is_repeated_with_its_key(run, start_faults):
    server = start_faults(close_at_once())
    short = ("--bot", "b", "--timeout-ms", "500")
    code, _, err = run(*BOOK, *short, API_KEY=API_KEY, API_URL=server.url)
    assert code == 1 and "last answer: connection_lost\n" in err
    server.play(answer(http_reply(500, b'{"error":{"code":"broken","message":"Broken"}}')))
    code, _, err = run(*BOOK, *short, "--key", "key-7", API_KEY=API_KEY, API_URL=server.url)
    assert code == 1 and "last answer: broken, HTTP 500\n" in err
    assert "It may have been booked: run the same command again with --key key-7" in err


def test_a_key_of_another_booking_is_explained(run, tmp_path):
    """The same command again would be refused again."""
    config = tmp_path / "config.json"
    clinic = {"endpoint": "sandbox", "sandbox": {"now": "2030-01-14T08:00:00Z"}, "journal_path": str(tmp_path / "j")}
    config.write_text(json.dumps(clinic))
    book = (*BOOK, "--bot", "b", "--config", str(config), "--key", "key-7")
    assert run(*book)[0] == 0
    code, out, err = run(*book, "--minutes", "60")
    assert (code, out) == (1, "") and "the key's booking: booked, 2030-01-14T10:00:00Z\n" in err
    assert "second appointment" in err and "run the same command" not in err


def test_json_is_the_reply_byte_for_byte(run, start_faults):
    odd = b'{ "availabilities":[] ,"x":"\xc3\xab"}'
    server = start_faults(answer(http_reply(200, odd)))
    assert run("search", "--bot", "b", "--json", API_KEY=API_KEY, API_URL=server.url)[1].encode() == odd + b"\n"


def test_what_a_platform_says_cannot_command_the_terminal(run, start_faults):
    slots = [{"start_at": "\x1b[2J2030", "duration_minutes": 30}, {"start_at": "9999-12-31T23:59:00Z"}]
    slots += [{"start_at": "9999-12-31T23:59:00+00:00", "duration_minutes": 10**12}]
    server = start_faults(answer(http_reply(200, json.dumps({"availabilities": slots}).encode())))
    code, out, _ = run("search", "--bot", "b", API_KEY=API_KEY, API_URL=server.url)
    assert code == 0 and "2030" in out and "\x1b" not in out and "23:59" in out


def test_usage(run, tmp_path):
    listed = tmp_path / "list.json"
    listed.write_text("[]")
    for arguments, said in [
        ([], "COMMAND"),
        (["search"], "PARTNER_API_KEY"),
        (["book", "--sandbox"], "--at"),
        (["search", "--sandbox", "--config", "/nowhere.json"], "/nowhere.json"),
        (["search", "--sandbox", "--config", str(listed)], "not a JSON object"),
        (["doctor"], "PARTNER_API_KEY"),
    ]:
        code, out, err = run(*arguments)
        assert (code, out) == (2, "") and said in err, (arguments, err)
    code, _, err = run("search", API_KEY=API_KEY)
    assert code == 2 and "PARTNER_BOT_ID" in err
    code, _, err = run("search", "--sandbox", "--from", "soon")
    assert code == 1 and "query.filter.start_at_range.start_at" in err
    assert "--key" not in run("search", "--help")[1], "a place for the key on the command line"


# ---- As a program ----------------------------------------------------------------------------------------------------


def test_as_a_program():
    """By -m, with its exit code."""
    done = run_program("import runpy, sys; sys.argv[0] = 'x'; runpy.run_module('partnerbooking', run_name='__main__')")
    assert done.returncode == 2 and "usage: python -m partnerbooking" in done.stderr


def on_terminal(*arguments: str, out: str | None = None, err: str | None = None, **environment: str) -> Ended:
    """Runs a command as a program of its own whose output goes to a pipe that nobody reads ("gone"), to a disk that is
    full ("full"), or nowhere since it is closed ("closed"); it is looked at otherwise."""
    command = [sys.executable, "-m", "partnerbooking", *arguments]
    closed = "".join(f" {number}>&-" for number, where in ((1, out), (2, err)) if where == "closed")
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PARTNER_")}
    with ExitStack() as open_files:
        reading, writing = os.pipe()
        os.close(reading)
        gone = open_files.enter_context(os.fdopen(writing, "wb"))
        full = open_files.enter_context(open("/dev/full", "wb"))
        places = {"gone": gone, "full": full}
        done = subprocess.run(
            ["sh", "-c", f'exec "$@"{closed}', "sh", *command],
            env={**mine, "PYTHONPATH": str(PACKAGE), **environment},
            stdout=places.get(out, subprocess.PIPE),
            stderr=places.get(err, subprocess.PIPE),
            timeout=50,
            check=False,
        )
    return done.returncode, (done.stdout or b"").decode(), (done.stderr or b"").decode()


def test_a_terminal_that_has_no_letters_but_those_of_ascii(start_faults):
    """What it has no letter for is shown as a question mark; JSON is what came, byte for byte."""
    slots = b'{"availabilities":[{"start_at":"\xc3\xbcbermorgen"}]}'
    refused = b'{"error":{"code":"refused","message":"\xc3\x9cberlastet: z\xc3\xab"}}'
    ascii = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PARTNER_API_KEY": API_KEY}
    server = start_faults(answer(http_reply(200, slots)))
    asked = {**ascii, "PARTNER_API_URL": server.url}
    code, out, err = on_terminal("search", "--bot", "b", **asked)
    assert (code, err) == (0, "") and "?bermorgen" in out and out.isascii()
    assert on_terminal("search", "--bot", "b", "--json", **asked) == (0, f"{slots.decode()}\n", "")
    server.play(answer(http_reply(403, refused)))
    code, out, err = on_terminal("doctor", "--bot", "b", **asked)
    assert (code, err) == (1, "") and "?berlastet" in out and out.isascii()
    code, out, err = on_terminal("search", "--bot", "b", **asked)
    assert (code, out) == (1, "") and "berlastet" in err and err.isascii()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["search", "--sandbox"], 0),
        (["search", "--sandbox", "--from", "soon", "--json"], 1),
        (["doctor", "--sandbox"], 0),
        (["doctor", "--sandbox", "--json"], 0),
    ],
)
def test_nobody_reads_what_is_printed(arguments, code):
    assert on_terminal(*arguments, out="gone") == (code, "", "")


@pytest.mark.parametrize(
    ("arguments", "where", "code"),
    [
        (["--nonsense"], "gone", 2),
        (["search"], "full", 2),
        (["search"], "closed", 2),
        (["search", "--sandbox", "--from", "soon"], "gone", 1),
    ],
)
def test_nobody_reads_what_is_wrong(arguments, where, code):
    assert on_terminal(*arguments, err=where) == (code, "", "")


def test_output_that_is_closed():
    assert on_terminal("search", "--sandbox", out="closed") == (0, "", "")


def test_what_cannot_be_printed_is_told():
    """Of a booking also the key, which would be lost."""
    for arguments in (["--help"], ["search", "--sandbox"], ["doctor", "--sandbox"]):
        code, _, err = on_terminal(*arguments, out="full")
        assert code == 1 and err == "partnerbooking: the answer could not be printed: No space left on device\n"
    slot = ["--at", f"{next_monday()}T10:00:00Z", "--phone", PHONE, "--name", NAME]
    code, _, err = on_terminal("book", *slot, "--sandbox", "--key", "key-7", out="full")
    assert code == 1 and "run the same command again with --key key-7" in err and len(err.splitlines()) == 2
