"""Everything that stands in more than one place, compared with the place it comes from.

- The C header is the source of statuses and of all other values: header.py reads it.
  `Tests/abi/values.txt` lists the values that there ever were, and test_frozen_abi.py compares it.
- The settings in Swift are the source of defaults. `ConfigurationDefaultsTests` in
  `Tests/PartnerBookingTests/Configuration` compares docs/json-contract.md with them; here other
  pages are compared with that page.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pbk
import pytest
from contract import CODES, CONTRACT, ERRORS, table_rows
from header import EVENT, FIRST_SERVICE_STATUS, HEADER, OPERATION, OUTCOME, ROOT, STATUS, VERDICT
from pages import CODE_PAGES
from python_package import _bindings, errors, pb

OWN_CODES = {name.lower(): value for name, value in STATUS.items() if 0 < value < FIRST_SERVICE_STATUS}
"""The library's own codes, each with the number of the status that has its name."""


def error_reply(code: str, status: int | None) -> bytes:
    error = {"code": code, "message": "", "status": status, "source": "library", "retryable": False}
    return json.dumps({"error": error}).encode()


# ---- Statuses: the library -----------------------------------------------------------------------


def test_library_gives_each_code_its_number():
    found = {code: pbk.library.pbk_reply_status(error_reply(code, None)) for code in OWN_CODES}
    assert found == OWN_CODES


def test_each_code_of_the_sources_has_a_status_or_is_a_services_own():
    """Those of services stand on a page."""
    sources = [file.read_text() for file in (ROOT / "Sources" / "PartnerBooking").rglob("*.swift")]
    codes = {code for text in sources for code in re.findall(r'static let \w+ = Code\("(\w+)"\)', text)}
    assert codes >= set(OWN_CODES)
    pages = "".join(page.read_text() for page in CODE_PAGES)
    assert {code for code in codes - set(OWN_CODES) if f"`{code}`" not in pages} == set()


# ---- Statuses: the pages -------------------------------------------------------------------------


def test_pages_and_header_number_the_codes_alike():
    documented = {code: int(row.status) for code, row in CODES.items() if row.status.isdigit()}
    assert documented == OWN_CODES


def test_page_names_every_status_of_the_service():
    of_service = {f"PBK_{name}": value for name, value in STATUS.items() if value >= FIRST_SERVICE_STATUS}
    section = ERRORS.split("\n## When the service answers\n", 1)[1].split("\n### ", 1)[0]
    documented = {name: int(value) for value, name in re.findall(r"\*\*: (\d+) `(PBK_\w+)`", section)}
    assert documented == of_service
    first, last = CODES["http_error"].status.split("–")
    assert [int(first), int(last)] == [min(of_service.values()), max(of_service.values())]


def test_numbers_in_the_text_are_those_of_the_statuses():
    """Such as **`in_doubt`** (64)."""
    named = re.findall(r"`(?:PBK_)?(\w+)`\*{0,2} \((\d+)\)", ERRORS)
    assert len(named) > 3
    assert [(name, number) for name, number in named if STATUS[name.upper()] != int(number)] == []


def test_each_status_has_an_alert_or_tells_of_no_trouble():
    alerts = (ROOT / "docs" / "operations.md").read_text().split("## What to alert on", 1)[1].split("\n## ", 1)[0]
    named = set(re.findall(r"`(\w+)`", alerts))
    no_trouble = {"ok", "client_closed", "cancelled", "slot_unavailable"}
    at_the_start = {"invalid_config"}
    of_pure_functions = {"unknown_time_zone", "time_unclear", "phone_unclear"}
    assert {name.lower() for name in STATUS} - named == no_trouble | at_the_start | of_pure_functions


NAMES_OF_OTHERS = {"PBK_LIBRARY", "PBK_STRESS_OPERATIONS", "PBK_CALLS"}
"""Variables of the tests."""


def test_names_are_those_of_the_header():
    """Also in text and comments, which no compiler reads."""
    top_pages = [ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "Tests/README.md")]
    comments = [*(ROOT / "include").rglob("*.hpp")]
    for folder, kind in [("Sources", "*.swift"), ("bindings/python", "*.py"), ("examples-c", "*.c*")]:
        comments += (ROOT / folder).rglob(kind)
    known = set(re.findall(r"\bPBK_\w+", HEADER)) | NAMES_OF_OTHERS
    files = [*CODE_PAGES, *top_pages, *comments]
    wrong = {str(file): set(re.findall(r"\bPBK_\w+", file.read_text())) - known for file in files}
    assert len(files) > 100
    assert {file: names for file, names in wrong.items() if names} == {}


# ---- Statuses: the Python package ----------------------------------------------------------------


def test_each_status_has_its_exception():
    assert {number: name for name, number in STATUS.items() if name != "OK"} == {
        number: re.sub("(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", found.__name__).upper()
        for number, found in errors.BY_STATUS.items()
    }


def test_each_documented_code_has_its_exception():
    for code, number in OWN_CODES.items():
        found = pb.Error.of(number, error_reply(code, None))
        assert (found.code, type(found)) == (code, errors.BY_STATUS[number]), code


def test_a_status_of_a_newer_library_is_an_error_of_its_range():
    reply = b'{"error":{"code":"x","message":"y","retryable":false}}'
    for number, base in [(19, pb.CallerError), (39, pb.LibraryError), (59, pb.NetworkError), (79, pb.ReplyError)]:
        assert type(pb.Error.of(number, reply)) is base
    assert type(pb.Error.of(99, reply)) is pb.ServiceError
    for number, found in errors.BY_STATUS.items():
        assert issubclass(found, next(base for first, base in errors.RANGES if number >= first))


def test_constants_are_the_headers():
    assert {name: getattr(_bindings, name) for name in EVENT} == EVENT
    for name in ("OK", "CLIENT_CLOSED", "RESOURCE_UNAVAILABLE"):
        assert getattr(_bindings, name) == STATUS[name]
    assert _bindings.OUTCOME_UNKNOWN == OUTCOME["UNKNOWN"]
    assert {name: getattr(_bindings, name) for name in OPERATION} == OPERATION
    refusals = {verdict.name: verdict.value for verdict in pb.webhook.Verdict}
    assert {"VALID": 0, "INVALID_ARGUMENT": 1, **refusals} == VERDICT


# ---- Defaults ------------------------------------------------------------------------------------

VALUE = re.compile(r'"[^"]*"|(?<!\w)\d+|\b(?:true|false)\b')


def defaults_of_the_contract() -> dict[str, set[str]]:
    """The values that stand in the column of defaults. Those of a group such as `retry` are those
    of its members."""
    found: dict[str, set[str]] = {}
    for name, _, default, *_ in table_rows(CONTRACT, "## Configuration"):
        member = name.strip("`")
        for each in {member, member.partition(".")[0]}:
            found.setdefault(each, set()).update(VALUE.findall(default))
    return found


def names_with_defaults(page: Path) -> list[tuple[str, str]]:
    """Names and defaults, of tables that have a column of defaults, and of items such as "- `name`,
    default 5: …"."""
    text = page.read_text()
    rows = re.findall(r"^- ([^,:]*), default ([^:]+):", text, re.MULTILINE)
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
        if "default" in lines[0]:
            column = lines[0].index("default")
            rows += [(cells[0], cells[column]) for cells in lines[2:]]
    return rows


def other_defaults(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The rows that name members of the configuration and have other defaults than the contract."""
    documented = defaults_of_the_contract()
    wrong = []
    for name, default in rows:
        values = [documented[member] for member in re.findall(r"`([\w.]+)`", name) if documented.get(member)]
        # A member that stands in the object of a group is a name, and no value.
        found = {value for value in VALUE.findall(re.sub(r'"\w+":', "", default))}
        if values and not found <= set().union(*values):
            wrong.append((name, default))
    return wrong


def test_defaults_on_other_pages_are_those_of_the_contract():
    pages = [page for page in CODE_PAGES if page.name != "json-contract.md"]
    found = {page.name: other_defaults(names_with_defaults(page)) for page in pages}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_another_default_would_be_seen():
    assert len(names_with_defaults(ROOT / "docs" / "operations.md")) > 10
    assert other_defaults([("`connect_timeout_ms`", "5000"), ("`keep_warm_ms`", "30000")]) == [
        ("`connect_timeout_ms`", "5000")
    ]
    assert other_defaults([("`platform_keys`", '`"first"`'), ("`retry`", "3 attempts")]) == [
        ("`platform_keys`", '`"first"`')
    ]


DEADLINES = sorted(int(milliseconds) // 1000 for milliseconds in defaults_of_the_contract()["timeout_ms"])


@pytest.mark.parametrize(
    "file",
    [
        "include/partnerbooking.h",
        "include/partnerbooking.hpp",
        "bindings/python/partnerbooking/client.py",
        "bindings/python/partnerbooking/aio.py",
    ],
)
def test_deadlines_in_comments_are_the_defaults(file: str):
    """Of a search and of a booking."""
    text = " ".join((ROOT / file).read_text().replace("\n *", " ").split())
    assert DEADLINES == [5, 35]
    assert {f"{seconds} seconds" for seconds in DEADLINES} <= set(re.findall(r"\b\d+ seconds", text))
