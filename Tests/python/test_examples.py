"""The programs a newcomer runs first: the examples, by both build systems, and the sketch in the header."""

from __future__ import annotations

import json
import os
import re
from typing import Any

import pytest
from certificates import Certificates
from header import ROOT
from pbk import LIBRARY
from programs import EXAMPLES, LINK, VALGRIND, WARNINGS, run
from reference_names import API_KEY
from run_reference import headers_of
from services import Service


def first_json(output: str) -> dict[str, Any]:
    return json.JSONDecoder().raw_decode(output[output.index("{") :])[0]


def test_first_booking(programs):
    assert run(programs / "first_booking").startswith('ok: {"booking":{"id":"bkg_')


def test_book_appointment_tells_the_whole_story(programs):
    story = run(programs / "book_appointment")
    booked = re.findall(r"booked +(bkg_[0-9a-hjkmnp-tv-z]{26})", story)
    assert len(booked) == 2 and booked[0] == booked[1], story
    assert "the same booking" in story and "refused    slot_unavailable" in story


def test_returning_caller_is_greeted_by_name(programs):
    first_call, second_call = run(programs / "returning_caller").split("\n\n")
    assert "Who is calling, please?" in first_call and "You are booked." in first_call
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
    slots = first_json(run(programs / "hosted_service", **hosted))["availabilities"]
    # Written with what JSON has to escape, so that a mistake there shows.
    name = 'Zoë "Zo" O\\Neil'
    order = [programs / "hosted_service", "--book", slots[0]["start_at"], "+15551234567", name, "example-1"]
    booked = first_json(run(*order, **hosted))["booking"]
    assert booked["customer"]["name"] == name
    assert first_json(run(*order, **hosted))["booking"]["id"] == booked["id"]


def test_hosted_service_leaks_nothing(programs, hosted):
    """Over TLS and HTTP/2. The other examples are run under valgrind by Tests/c."""
    program = programs / "hosted_service"
    for _ in range(8):
        # On a busy machine its search may not be back in time under valgrind. A leak shows all the same, as 9.
        output = run(*VALGRIND, program, expect=(0, 1), **hosted)
        if '"availabilities"' in output:
            return
        assert '"code":"timeout"' in output
    pytest.fail("it never finished in time")


def test_hosted_service_says_which_variable_is_missing(programs):
    assert "PARTNER_API_KEY" in run(programs / "hosted_service", expect=2)


def test_cmake_builds_the_examples(tmp_path):
    run("cmake", "-S", EXAMPLES, "-B", tmp_path, f"-DPBK_LIBRARY={LIBRARY}")
    run("cmake", "--build", tmp_path, "--target", "all", "book_appointment_cpp", "-j2")
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
