"""The programs a newcomer runs first: the examples, by both build systems, and the sketch in the
header."""

from __future__ import annotations

import json
import os
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from certificates import Certificates
from fault_server import Peer, http_reply
from header import ROOT
from pbk import LIBRARY
from programs import EXAMPLES, LINK, VALGRIND, WARNINGS, run
from reference_names import API_KEY
from run_reference import headers_of
from services import Service


def first_json(output: str) -> dict[str, Any]:
    return json.JSONDecoder().raw_decode(output[output.index("{") :])[0]


def test_first_booking(programs):
    said, booked = run(programs / "first_booking").splitlines()
    assert said == "I have tomorrow, Tuesday at ten thirty in the morning. Shall I book it?"
    assert booked.startswith('{"booking":{"id":"bkg_')


def test_book_appointment_tells_the_whole_story(programs):
    story = run(programs / "book_appointment")
    booked = re.findall(r"booked +(bkg_[0-9a-hjkmnp-tv-z]{26})", story)
    assert len(booked) == 2 and booked[0] == booked[1], story
    assert "the same booking" in story and "refused    slot_unavailable" in story


NOT_NOW = http_reply(400, b'{"error":{"code":"no","message":"No"}}')


def service(start_faults: Any, items: list[dict[str, Any]], booked: bytes = NOT_NOW) -> tuple[Any, str]:
    """A service that lists those items and gives that reply to bookings, and a configuration that
    reaches it."""
    found = http_reply(200, json.dumps({"availabilities": items}).encode())

    def script(peer: Peer) -> None:
        while True:
            peer.send(found if "availability" in peer.read_request().path else booked)

    server = start_faults(script)
    return server, json.dumps({"api_key": API_KEY, "base_url": server.url, "keep_warm_ms": 0})


HALF_AN_HOUR = {"start_at": "2030-01-14T10:00:00-05:00", "duration_minutes": 30}
HOSTILE = ['Jo "J" Roe', 'Jo","email":"x@y.example', "Jo\\", "Jo}]", "$# %s"]


@pytest.mark.parametrize("name", HOSTILE)
def test_name_arrives_as_the_caller_said_it(programs, start_faults, name):
    """A `"` in it neither breaks the request nor adds a member."""
    server, config = service(start_faults, [HALF_AN_HOUR])
    run(programs / "book_appointment", config, "bot_1", name, expect=1)
    booking = json.loads(server.requests[-1].body)["booking"]
    assert booking["customer"] == {"phone": "+15551234567", "name": name}
    assert set(booking) == {"start_at", "duration_minutes", "customer"}


@pytest.mark.parametrize(
    ("items", "offered"),
    [
        ([("2030-01-14T09:00:00-05:00", 480)], ["09:00:00-05:00", "09:30:00-05:00", "10:00:00-05:00"]),
        ([("2030-01-14T09:46:02-05:00", 100)], ["09:50:00-05:00", "10:20:00-05:00", "10:50:00-05:00"]),
        ([("2030-01-14T09:00:00Z", 30), ("2030-01-14T11:00:00Z", 30)], ["09:00:00Z", "11:00:00Z"]),
        ([("2030-01-14T09:00:00Z", 29), ("2030-01-14T11:00:00.5Z", 61)], ["11:05:00Z"]),
        ([("2030-01-14T23:00:00+02:00", 600)], ["23:00:00+02:00", "23:30:00+02:00"]),
        ([("2030-01-14T09:00:00Z", None)], ["09:00:00Z"]),
        ([("2030-01-14T09:00:00Z", 15), ("tomorrow", 480), ("2030-01-14T09:00:00Z", -1)], []),
    ],
)
def test_windows_are_cut_and_the_length_is_the_programs(programs, start_faults, items, offered):
    """Nobody books the 480 minutes of a free day."""
    found = [{"start_at": at, **({} if length is None else {"duration_minutes": length})} for at, length in items]
    server, config = service(start_faults, found)
    story = run(programs / "book_appointment", config, "bot_1", expect=1)
    assert f"found      {len(offered)} times to offer" in story
    if offered:
        booking = json.loads(server.requests[-1].body)["booking"]
        assert booking["start_at"] == f"2030-01-14T{offered[len(offered) // 2]}" and booking["duration_minutes"] == 30


@pytest.mark.parametrize(("status", "said"), [("confirmed", "You are booked for"), ("pending", "will confirm it")])
def test_start_and_status_of_the_reply_are_read_back(programs, start_faults, status, said):
    """Not those that were asked for."""
    booked = {"id": "bkg_1", "status": status, "start_at": "2030-01-14T16:00:00+01:00"}
    _, config = service(start_faults, [HALF_AN_HOUR], http_reply(201, json.dumps({"booking": booked}).encode()))
    story = run(programs / "book_appointment", config, "bot_1", expect=1)
    [line] = [line for line in story.splitlines() if said in line]
    assert line.startswith("bot:") and "Monday 14 January at 16:00" in line


def test_returning_caller_is_greeted_by_name(programs):
    first_call, second_call = run(programs / "returning_caller").split("\n\n")
    assert "Who is calling, please?" in first_call and "You are booked for " in first_call
    assert "Hello Jane Roe! You are coming on " in second_call


@pytest.mark.parametrize("name", ["epoll_engine", "barge_in", "callbacks"])
def test_example_without_waiting_tells_that_all_went_well(programs, name):
    assert run(programs / name)


def test_epoll_engine_books_at_a_service(programs, hosted, reference):
    """One appointment for each of its calls, under keys of their own."""
    bot = reference.bot()
    assert "6 booked, 0 handed over" in run(programs / "epoll_engine", **{**hosted, "PARTNER_BOT_ID": bot})
    booked = [request for request in reference.requests(bot) if request.get("status") == 201]
    assert len({headers_of(request)["idempotency-key"] for request in booked}) == 6


def test_handle_errors_meets_the_expected_errors(programs):
    assert "NOT AS EXPECTED" not in run(programs / "handle_errors")


@pytest.fixture
def hosted(http2: Service, certificates: Certificates) -> dict[str, str]:
    """The environment in which hosted_service finds the reference server."""
    return {
        "PARTNER_API_KEY": API_KEY,
        "PARTNER_API_URL": http2.config["base_url"],
        "PARTNER_BOT_ID": "bot_hosted_example",
        "PARTNER_CA_FILE": str(certificates.ca_file),
    }


def test_hosted_service_searches_and_books(programs, hosted):
    assert first_json(run(programs / "hosted_service", **hosted))["availabilities"]
    tomorrow = f"{datetime.now(timezone.utc) + timedelta(days=1):%Y-%m-%dT%H:00:00-05:00}"
    # Written with what JSON has to escape, so that a mistake there shows.
    name = 'Zoë "Zo" O\\Neil'
    order = [programs / "hosted_service", "--book", tomorrow, "+15551234567", name, "example-1"]
    booked = first_json(run(*order, **hosted))["booking"]
    assert booked["customer"]["name"] == name
    assert first_json(run(*order, **hosted))["booking"]["id"] == booked["id"]


def test_hosted_service_leaks_nothing(programs, hosted):
    """Over TLS and HTTP/2. The other examples are run under valgrind by Tests/c."""
    program = programs / "hosted_service"
    for _ in range(8):
        # On a busy machine its search may not be back in time under valgrind. A leak shows all the
        # same, as 9.
        output = run(*VALGRIND, program, expect=(0, 1), **hosted)
        if '"availabilities"' in output:
            return
        assert '"code":"timeout"' in output
    pytest.fail("it never finished in time")


def test_hosted_service_says_which_variable_is_missing(programs):
    assert "PARTNER_API_KEY" in run(programs / "hosted_service", expect=2)


def test_cmake_builds_the_examples(tmp_path):
    run("cmake", "-S", EXAMPLES, "-B", tmp_path, f"-DPBK_LIBRARY={LIBRARY}")
    others = ["book_appointment_cpp", "sip_engine", "ledger_postgres", "ledger_redis"]
    run("cmake", "--build", tmp_path, "--target", "all", *others, "-j2")
    for ledger in others[2:]:
        assert run(tmp_path / ledger, "--batches") == "", "its script is not where CMake has found it"
    for story in (run(tmp_path / "book_appointment"), run(tmp_path / "book_appointment_cpp")):
        booked = re.findall(r"booked +(bkg_[0-9a-hjkmnp-tv-z]{26})", story)
        assert len(booked) == 2 and booked[0] == booked[1], story
        assert "refused    slot_unavailable" in story


def test_sketch_in_the_header(tmp_path):
    """The usage sketch at the top of the header is a program once it has a main()."""
    header = (ROOT / "include" / "partnerbooking.h").read_text()
    sketch = re.search(r"\* Usage, .*:\n \*\n((?: \*(?:     .*)?\n)+?) \*\n \* C99", header)[1]
    lines = [line[2:] for line in sketch.splitlines()]
    source, binary = tmp_path / "sketch.c", tmp_path / "sketch"
    source.write_text(
        "#include <stdio.h>\n#include <partnerbooking.h>\nint main(void) {\n" + "\n".join(lines) + "\nreturn 0;\n}\n"
    )
    run(os.environ.get("CC", "cc"), *WARNINGS, f"-I{ROOT / 'include'}", "-o", binary, source, *LINK)
    run(binary)
