"""Reads the two pages about requests and replies, and compares every reply with them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pbk
import samples
from header import FIRST_SERVICE_STATUS, ROOT, STATUS
from pbk import Result

CONTRACT = (ROOT / "docs" / "json-contract.md").read_text()
ERRORS = (ROOT / "docs" / "errors.md").read_text()

OUTCOMES = {"not_sent", "rejected", "unknown"}
REJECTED_BEFORE = {
    *("timeout", "dns_failed", "connect_failed", "tls_failed", "connection_lost", "proxy_failed", "address_refused"),
    "resource_unavailable",
}
"""Codes of a failed attempt. With one of them a booking is `rejected` only because of an earlier
attempt."""
OUTCOME_OF = {
    "IDEMPOTENCY_KEY_REUSED": "unknown",
    "LEDGER_FULL": "not_sent",
    "IN_DOUBT": "unknown",
    "OTHER_BOOKING": "unknown",
    "NOT_CONFIRMED": "rejected",
    "SLOT_UNAVAILABLE": "rejected",
}
"""By status, where it is always the same: a booking in doubt is told so, whatever the last answer
was."""
SOURCES = {"caller", "library", "network", "partner_api", "platform"}
ERROR_MEMBERS = {"code", "message", "status", "source", "retryable", "attempts", "field", "request_id"}
BOOKING_MEMBERS = {"outcome", "idempotency_key"}
NEVER_ACCEPTED = {
    "invalid_argument",
    "invalid_client",
    "invalid_config",
    "invalid_json",
    "invalid_field",
    "would_deadlock",
    "queue_full",
}
"""Codes of ours that refuse a call. `client_closed` and `resource_unavailable` may do so too."""


@dataclass(frozen=True)
class DocumentedCode:
    """One item of the lists of our own codes in docs/errors.md: `code` (status, retryable: outcomes
    of a booking)."""

    status: str
    source: str
    retryable: str
    outcomes: str


def table_rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its first two lines. No cell may hold a
    bar."""
    section = page.split(f"{heading}\n", 1)[1]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


MEMBERS_OF_AN_ITEM = re.compile(r"- (`[\w.]+`(?:, `[\w.]+`)*)(?: \(([^)]*)\))?(?::|$)")
"""Names, then type and range in parentheses: - `name` (type): meaning."""


def list_members(page: str, heading: str) -> list[tuple[str, str]]:
    """The members in the first list below a heading, each with its type and range. Every item has
    to name some."""
    section = page.split(f"{heading}\n", 1)[1]
    whole_list = re.search(r"(?:^- .*\n(?:  .*\n)*)+", section, re.MULTILINE)[0]
    found = []
    for item in re.split(r"\n(?=- )", whole_list.rstrip()):
        names, kind = MEMBERS_OF_AN_ITEM.match(" ".join(item.split())).groups()
        found += [(name, kind or "") for name in re.findall(r"[\w.]+", names)]
    return found


def blocks(kind: str) -> list[str]:
    """The examples in docs/json-contract.md that are marked as json of this kind."""
    return re.findall(rf"^```json {kind}\n(.*?)\n```$", CONTRACT, re.MULTILINE | re.DOTALL)


CODE_OF_AN_ITEM = re.compile(r"`(\w+)` \((\d+(?:–\d+)?)(?:, (.*?))?(?:: (.*?))?\)")


def documented_codes() -> dict[str, DocumentedCode]:
    """Those of the sections below "The library's codes". Each section begins with the source of its
    codes."""
    chapter = ERRORS.split("\n## The library's codes\n", 1)[1].split("\n## ", 1)[0]
    found = {}
    for section in chapter.split("\n### ")[1:]:
        source = re.search(r"^Source: (.*?)\.", section, re.MULTILINE)[1]
        for code, status, more, outcomes in CODE_OF_AN_ITEM.findall(" ".join(section.split())):
            retryable, _, other_sources = more.partition(", source also ")
            outcomes = "`not_sent` `unknown` `rejected`" if outcomes == "any" else outcomes
            retryable = {"": "no", "retryable": "yes"}.get(retryable, retryable)
            found[code] = DocumentedCode(status, f"{source} {other_sources}", retryable, outcomes)
    return found


CODES = documented_codes()


TIMING_MEMBERS = dict(list_members(CONTRACT, "### Timing"))
"""Name and documented type. The members of an attempt are those from `dns_us` on."""

SOMETIMES = {
    name: found[1] == "true"
    for name, documented in TIMING_MEMBERS.items()
    if (found := re.fullmatch(r"`(true|false)`, else left out", documented))
}
"""Members that are there only when they have one value, and that value."""

ATTEMPT_MEMBERS = set(list(TIMING_MEMBERS)[list(TIMING_MEMBERS).index("dns_us") :]) - set(SOMETIMES)


def success(result: Result) -> dict[str, Any]:
    """The reply of a call that must have succeeded."""
    assert result.status == STATUS["OK"], result
    assert pbk.library.pbk_reply_status(result.reply) == STATUS["OK"], result
    return json.loads(result.reply)


def failure(result: Result, expected: str) -> dict[str, Any]:
    """The error of a call that must have failed with the status `expected`, when it says all that
    the pages promise."""
    error = error_object(result.reply)
    assert result.status == STATUS[expected], (expected, result)
    assert pbk.library.pbk_reply_status(result.reply) == result.status, result
    if result.status < FIRST_SERVICE_STATUS:
        assert error["code"] == expected.lower(), error
    if "outcome" in error and expected in OUTCOME_OF:
        assert error["outcome"] == OUTCOME_OF[expected], error
    return error


def in_doubt(result: Result, status: int | None, code: str | None) -> dict[str, Any]:
    """The error of a booking that must be in doubt, when this is what the last answer was. `status`
    is None where a failure came in its place, and both are where nothing was sent since the doubt
    began. """
    error = failure(result, "IN_DOUBT")
    answer = None if code is None else {"status": status, "code": code}
    assert error["doubt"]["answer"] == answer, error
    return error


def error_object(reply: bytes) -> dict[str, Any]:
    """The error in a reply, when its members and their types are as documented and nothing private
    is in it."""
    content = json.loads(reply)
    assert list(content) == ["error"], reply
    error = content["error"]
    assert set(error) >= ERROR_MEMBERS, reply
    assert isinstance(error["message"], str) and error["message"], reply
    assert "\n" not in error["message"], reply
    assert error["status"] is None or 100 <= error["status"] <= 599, reply
    assert error["source"] in SOURCES, reply
    assert isinstance(error["retryable"], bool), reply
    assert isinstance(error["attempts"], int) and error["attempts"] >= 0, reply
    assert error["field"] is None or isinstance(error["field"], str), reply
    assert error["request_id"] is None or isinstance(error["request_id"], str), reply
    assert not re.search(rb"sk_ptnr_\w", reply), "an API key in an error"
    assert not re.search(rb"whsec_\w", reply), "a webhook's secret in an error"
    assert samples.PHONE.encode() not in reply and samples.NAME.encode() not in reply, reply
    if "outcome" in error:
        assert error["outcome"] in OUTCOMES, reply
        assert "idempotency_key" in error, reply
    _check_doubt(error)
    _check_existing(error)
    _check_refusal(error)
    if error["code"] in NEVER_ACCEPTED and error["status"] is None:
        assert "timing" not in error, reply
    elif error["attempts"] > 0:
        assert "timing" in error, reply
    if "timing" in error:
        check_timing(error["timing"])
        assert error["timing"]["attempts"] == error["attempts"], reply
    if error["code"] in CODES:
        _hold_against_documented_code(error)
    return error


def _check_doubt(error: dict[str, Any]) -> None:
    """A booking in doubt says what is open, and no other error does."""
    assert ("doubt" in error) is (error["code"] == "in_doubt" and error["status"] is None), error
    if "doubt" in error:
        doubt = error["doubt"]
        assert set(doubt) == {"sent_ms_ago", "answer"} and error["outcome"] == "unknown", error
        assert type(doubt["sent_ms_ago"]) is int and doubt["sent_ms_ago"] >= 0, error
        if doubt["answer"] is not None:
            assert set(doubt["answer"]) == {"status", "code"}, error
            status, code = doubt["answer"]["status"], doubt["answer"]["code"]
            assert status is None or 100 <= status <= 599, error
            assert isinstance(code, str) and code, error


def _check_refusal(error: dict[str, Any]) -> None:
    """A refusal describes the service's reply, and only one with the service's own code says so."""
    is_success = error["status"] is not None and 200 <= error["status"] <= 299
    if "from_service" in error:
        assert error["from_service"] is True and error["status"] is not None and not is_success, error
    if "from_service" in error or error["code"] == "http_error":
        assert {"content_type", "reply_bytes"} <= set(error), error
    if "reply_bytes" in error:
        assert type(error["reply_bytes"]) is int and error["reply_bytes"] >= 0, error
        assert error["content_type"] is None or isinstance(error["content_type"], str), error


def _check_existing(error: dict[str, Any]) -> None:
    """A refused key says what it belongs to, and no other error does."""
    assert ("existing" in error) is (error["code"] == "idempotency_key_reused" and error["status"] is None), error
    if "existing" in error:
        existing = error["existing"]
        assert set(existing) - {"booking_id"} == {"state", "start_at"} and error["outcome"] == "unknown", error
        assert existing["state"] in {"booked", "in_flight", "in_doubt"}, error
        assert existing["start_at"] is None or isinstance(existing["start_at"], str), error
        assert "booking_id" not in existing or existing["state"] == "booked", error


def check_timing(timing: dict[str, Any]) -> None:
    """That its members and their types are as documented, and that they fit together."""
    always = set(TIMING_MEMBERS) - set(SOMETIMES)
    assert set(timing) - set(SOMETIMES) in (always, always - ATTEMPT_MEMBERS), timing
    for name, value in timing.items():
        if name in SOMETIMES:
            assert value is SOMETIMES[name], timing
        elif TIMING_MEMBERS[name] == "boolean":
            assert isinstance(value, bool), timing
        elif TIMING_MEMBERS[name] == "integer":
            assert type(value) is int and value >= 0, timing
        else:
            assert value in ("1.0", "1.1", "2", None), timing
    assert timing["queue_us"] <= timing["total_us"], timing
    if "replayed" in timing:
        assert timing["attempts"] == 0 and not set(timing) & ATTEMPT_MEMBERS, timing
    if timing.get("connection_reused"):
        assert timing["dns_us"] == timing["connect_us"] == timing["tls_us"] == 0, timing


def _hold_against_documented_code(error: dict[str, Any]) -> None:
    documented = CODES[error["code"]]
    assert error["source"] in re.findall(r"\w+", documented.source), error
    if documented.retryable in ("yes", "no"):
        assert error["retryable"] is (documented.retryable == "yes"), error
    named = set(re.findall(r"`(\w+)`", documented.outcomes))
    if error["attempts"] <= 1 and error["code"] in REJECTED_BEFORE:
        named.discard("rejected")
    if named and "outcome" in error:
        assert error["outcome"] in named, error
