"""`python -m partnerbooking`: its tables, its JSON, its exit codes, and a doctor that is right about real faults."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import date, timedelta

import pytest
from fault_server import Peer, answer, close_at_once, http_reply, stall
from pbk import ROOT
from python_package import PACKAGE, _cli, run_program
from reference_api import API_KEY
from samples import NAME, PHONE, TAKEN_REPLY

Ended = tuple[int, str, str]
"""An exit code and what was printed."""
Run = Callable[..., Ended]
BOOK = ["book", "--at", "2030-01-14T10:00:00Z", "--phone", PHONE, "--name", NAME]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs a command, and gives its exit code and what it printed. Keyword arguments are the environment's, those in
    capitals without PARTNER_."""

    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        for name in list(os.environ):
            if name.startswith("PARTNER_") or name.lower() == "https_proxy":
                monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(f"PARTNER_{name}" if name.isupper() else name, value)
        try:
            code = _cli.main(arguments)
        except SystemExit as exit:
            code = exit.code
        out, err = (text.decode() for text in capsysbinary.readouterr())
        for private in (value for name, value in environment.items() if name == "API_KEY"):
            assert private not in out + err, "the key in the output"
        return code, out, err

    return run


@pytest.fixture
def hosted(http2, certificates) -> dict[str, str]:
    return {"API_KEY": API_KEY, "API_URL": http2.config["base_url"], "CA_FILE": str(certificates.ca_file)}


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
    assert run("search", "--sandbox", "--from", "2020-01-01", "--to", "2020-01-02")[:2] == (0, "no free slots\n")


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


# ---- The doctor ------------------------------------------------------------------------------------------------------


def examine(run: Run, *arguments: str, **environment: str) -> tuple[int, dict[str, tuple[str, str]]]:
    """Its exit code and its findings, each step told once."""
    code, out, err = run("doctor", "--json", *arguments, **environment)
    assert err == "", err
    checks = json.loads(out)["checks"]
    found = {check["name"]: (check["result"], check["text"]) for check in checks}
    assert len(found) == len(checks), checks
    shown = run("doctor", *arguments, **environment)
    assert shown[0] == code and [line.split()[0] for line in shown[1].splitlines()] == list(found)
    return code, found


def failure(run: Run, *arguments: str, **environment: str) -> tuple[str, str]:
    """The one step that failed, and what was said. Nothing is said of steps after it."""
    code, found = examine(run, *arguments, **environment)
    [failed] = [name for name, (result, _) in found.items() if result == "FAILED"]
    assert code == 1 and failed == [name for name, (result, _) in found.items() if result != "note"][-1], found
    return failed, found[failed][1]


def test_doctor_finds_nothing_wrong(run, hosted, reference):
    code, found = examine(run, "--bot", reference.bot(), **hosted)
    assert code == 0 and list(found) == ["library", "key", "DNS", "connect", "TLS", "service", "latency"], found
    assert "certificate is trusted" in found["TLS"][1] and "2 free" in found["service"][1]
    assert re.search(r"[\d.]+ ms for a search", found["latency"][1])


def test_doctor_needs_no_bot_to_try_a_key(run, start_faults):
    unknown = http_reply(404, b'{"error":{"code":"bot_not_found","message":"No such bot"}}')
    server = start_faults(answer(unknown))
    code, found = examine(run, API_KEY=API_KEY, API_URL=server.url)
    assert code == 0 and "Name a bot" in found["service"][1] and found["latency"][0] == "ok"
    assert failure(run, "--bot", "b", API_KEY=API_KEY, API_URL=server.url)[0] == "service"
    server.play(answer(http_reply(404, b"<html>")))
    assert "`paths` are wrong" in failure(run, API_KEY=API_KEY, API_URL=server.url)[1]


def test_only_book_opens_the_journal(run, tmp_path):
    """An engine may have it open, and a doctor must not send again what is in it."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"journal_path": str(tmp_path / "journal"), "resume_on_open": True}))
    for command in (["search"], ["doctor"], ["lookup", "--phone", PHONE]):
        assert run(*command, "--sandbox", "--config", str(config))[0] == 0
        assert not (tmp_path / "journal").exists()
    run(*BOOK, "--sandbox", "--config", str(config))
    assert (tmp_path / "journal").exists()


def test_doctor_in_the_sandbox(run):
    assert examine(run, "--sandbox")[0] == 0


def test_doctor_no_such_name(run):
    step, text = failure(run, "--bot", "b", API_KEY=API_KEY, API_URL="https://partner.invalid")
    assert step == "DNS" and "partner.invalid has no address" in text and "dns_failed" in text


def test_doctor_connection_refused(run, start_faults):
    server = start_faults(stall())
    server.stop_listening()
    step, text = failure(run, "--bot", "b", API_KEY=API_KEY, API_URL=server.url)
    assert step == "connect" and "Nobody answers at 127.0.0.1" in text


def test_doctor_tells_of_a_proxy_that_is_not_used(run):
    environment = {"API_KEY": API_KEY, "API_URL": "http://127.0.0.1:1", "https_proxy": "http://proxy.example:3128"}
    _, found = examine(run, "--bot", "b", **environment)
    assert found["proxy"][0] == "note"


@pytest.mark.parametrize(
    ("certificate", "said"),
    [("expired", "clock is right"), ("wrong_host", "must name the same host"), ("unknown_ca", "private authority")],
)
def test_doctor_bad_certificate(run, start_faults, certificates, certificate, said):
    server = start_faults(stall(), certificate=getattr(certificates, certificate))
    trusted = {"API_KEY": API_KEY, "API_URL": server.url, "CA_FILE": str(certificates.ca_file)}
    step, text = failure(run, "--bot", "b", **trusted)
    assert step == "TLS" and said in text


def test_doctor_says_what_the_page_shows(run, start_faults, certificates):
    page = (ROOT / "docs" / "python.md").read_text()
    shown = [
        line.split(None, 2)
        for line in re.search(r"^```\n(library .*?)^```", page, re.MULTILINE | re.DOTALL)[1].splitlines()
    ]
    server = start_faults(stall(), certificate=certificates.expired)
    environment = {"API_KEY": API_KEY, "API_URL": server.url, "CA_FILE": str(certificates.ca_file)}
    said = [line.split(None, 2) for line in run("doctor", "--bot", "b", **environment)[1].splitlines()]
    assert [line[:2] for line in said] == [line[:2] for line in shown]
    assert said[1] == shown[1] and said[3][2].startswith(shown[3][2].removesuffix("..."))


def test_doctor_no_tls_at_all(run, start_faults):
    def answer_in_the_clear(peer: Peer) -> None:
        peer.read(5)
        peer.send(http_reply(400, b""))
        peer.finish_sending()

    plain = start_faults(answer_in_the_clear)
    step, text = failure(run, "--bot", "b", API_KEY=API_KEY, API_URL=plain.url.replace("http:", "https:"))
    assert step == "TLS" and "speak TLS" in text


def test_doctor_wrong_key(run, hosted):
    step, text = failure(run, "--bot", "b", **{**hosted, "API_KEY": "sk_ptnr_of_somebody_else"})
    assert step == "service" and "does not accept the key" in text and "HTTP 401" in text


@pytest.mark.parametrize(
    ("key", "said"),
    [("sk_live_0123456789", "start with sk_ptnr_"), (f"{API_KEY}\n", "white space"), ("sk_ptnr_ë", "no key has")],
)
def test_doctor_malformed_key(run, key, said):
    step, text = failure(run, "--bot", "b", API_KEY=key, API_URL="http://127.0.0.1:1")
    assert step == "key" and said in text


@pytest.mark.parametrize(
    ("script", "step", "said"),
    [
        (answer(http_reply(200, b"<html>")), "service", "is not the Partner API"),
        (answer(http_reply(301, b"")), "service", "The service has moved"),
        (answer(http_reply(404, b"")), "service", "`paths` are wrong"),
        (answer(http_reply(500, b"")), "service", "The service is in trouble"),
        (answer(http_reply(429, b"")), "service", "asked too often"),
        (answer(http_reply(409, TAKEN_REPLY)), "service", "does not like"),
        (close_at_once(), "service", "dropped it"),
        (stall(), "latency", "no answer came in time"),
    ],
)
def test_doctor_a_service_that_misbehaves(run, start_faults, script, step, said):
    server = start_faults(script)
    found = failure(run, "--bot", "b", "--timeout-ms", "700", API_KEY=API_KEY, API_URL=server.url)
    assert found[0] == step and said in found[1], found


def test_doctor_wrong_configuration(run, tmp_path):
    config = tmp_path / "config.json"
    step, text = failure(run, "--bot", "b", API_KEY=API_KEY, API_URL="https://[::1")
    assert step == "config" and "base_url" in text
    config.write_text('{"time_out":5}')
    step, text = failure(run, "--bot", "b", "--config", str(config), API_KEY=API_KEY)
    assert step == "config" and "time_out" in text
    config.write_text('{"endpoint":"platform_webhook","platforms":{}}')
    assert failure(run, "--bot", "b", "--config", str(config))[0] == "config"


def test_doctor_of_a_platform(run, relay2, reference, tmp_path):
    config = tmp_path / "config.json"
    members = relay2.config(reference.account())
    config.write_text(json.dumps(members))
    bot = next(iter(members["platforms"]))
    code, found = examine(run, "--config", str(config), "--bot", bot)
    assert code == 0 and found["TLS"][0] == "ok" and "it answers" in found["service"][1]
