"""The functions for hosts without a JSON library: `pbk_json_get` and `pbk_json_quote` against Python's own json module,
and the status that a reply stands for against the status that its call gave."""

from __future__ import annotations

import json
import random
from typing import Any

import pbk
import pytest
from contract import CODES
from garbage import BROKEN_UTF8
from header import OUTCOME, STATUS
from samples import SANDBOX, booking_request, lookup_request, search_request

ABSENT = object()


# ---- The oracle -----------------------------------------------------------------------------------------------------


def first_wins(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of several members with one name the first counts; json.loads alone takes the last."""
    return dict(reversed(members))


def resolve(value: Any, pointer: str) -> Any:
    """RFC 6901, section 4, in Python."""
    if pointer and not pointer.startswith("/"):
        return ABSENT
    for part in pointer.split("/")[1:]:
        if "~" in part.replace("~0", "").replace("~1", ""):
            return ABSENT
        if isinstance(value, list):
            if not (part.isascii() and part.isdigit() and (part == "0" or part[0] != "0") and int(part) < len(value)):
                return ABSENT
            value = value[int(part)]
        elif isinstance(value, dict):
            value = value.get(part.replace("~1", "/").replace("~0", "~"), ABSENT)
            if value is ABSENT:
                return ABSENT
        else:
            return ABSENT
    return value


def as_c_string(text: str) -> str:
    """What does not fit into one becomes U+FFFD."""
    return "".join("\ufffd" if char == "\0" or "\ud800" <= char <= "\udfff" else char for char in text)


def agrees(text: str, pointer: str) -> None:
    got = pbk.json_get(text, pointer)
    expected = resolve(json.loads(text, object_pairs_hook=first_wins), pointer)
    if expected is ABSENT:
        assert got is None, (text, pointer, got)
    elif isinstance(expected, str):
        assert got is not None and got.decode() == as_c_string(expected), (text, pointer, got)
    else:
        assert got is not None and json.loads(got, object_pairs_hook=first_wins) == expected, (text, pointer, got)
        assert got.decode() in text, "as it is written"


# ---- pbk_json_get ---------------------------------------------------------------------------------------------------

RFC_6901 = r"""{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4,
    "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}"""
RFC_VALUES = {
    "": json.loads(RFC_6901),
    "/foo": ["bar", "baz"],
    "/foo/0": "bar",
    "/": 0,
    "/a~1b": 1,
    "/c%d": 2,
    "/e^f": 3,
    "/g|h": 4,
    "/i\\j": 5,
    '/k"l': 6,
    "/ ": 7,
    "/m~0n": 8,
}
"""Section 5 of the RFC."""


@pytest.mark.parametrize("pointer", RFC_VALUES)
def test_pointer_of_the_rfc(pointer):
    got = pbk.json_get(RFC_6901, pointer)
    expected = RFC_VALUES[pointer]
    assert got is not None and (got.decode() if isinstance(expected, str) else json.loads(got)) == expected
    agrees(RFC_6901, pointer)


@pytest.mark.parametrize(
    "pointer", ["/foo/-", "/foo/2", "/foo/00", "/foo/+1", "foo", "/m~n", "/~", "/foo/", "//", "#/foo"]
)
def test_pointer_to_nothing(pointer):
    assert pbk.json_get(RFC_6901, pointer) is None
    agrees(RFC_6901, pointer)


KEYS = [
    "a",
    "b",
    "",
    "0",
    "1",
    "01",
    "-",
    "a/b",
    "m~n",
    "~1",
    "é",
    "e\u0301",
    "\u212a",
    "K",
    '"',
    "\\",
    " ",
    "\n",
    "😀",
]
STRINGS = [*KEYS, "null", "true", "x\0y", "\ud800", "\udc00\ud800", "😀", "a\tb\x7f", "{}"]


def some_value(rng: random.Random, depth: int) -> str:
    """JSON text of every kind, with white space, escapes and members that come twice."""
    space = rng.choice(["", "", " ", "\n\t"])
    kind = rng.randrange(8 if depth else 5)
    if kind == 0:
        return json.dumps(rng.choice(STRINGS), ensure_ascii=True)
    if kind == 1:
        text = rng.choice(STRINGS)
        return json.dumps(text, ensure_ascii=any("\ud800" <= char <= "\udfff" for char in text))
    if kind == 2:
        return rng.choice(["0", "-0", "30", "-1.5e3", "1E+2", "12345678901234567890", "0.1"])
    if kind < 5:
        return rng.choice(["true", "false", "null"])
    items = [some_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    if kind == 5:
        return "[" + space + f"{space},{space}".join(items) + space + "]"
    members = [json.dumps(rng.choice(KEYS), ensure_ascii=rng.random() < 0.5) + space + ":" + item for item in items]
    return "{" + space + f"{space},".join(members) + space + "}"


def some_pointer(rng: random.Random, value: Any) -> str:
    """Mostly to something that is there."""
    pointer = ""
    while isinstance(value, (dict, list)) and value and rng.random() < 0.9:
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        pointer += "/" + str(key).replace("~", "~0").replace("/", "~1")
        value = value[key]
    if rng.random() < 0.3:
        pointer += rng.choice(["/", "/-", "/0", "/00", "/a", "~", "~2", "/~01", "x", "/99999999999999999999"])
    return pointer


def test_random_texts_agree_with_pythons_json():
    rng = random.Random(6901)
    for _ in range(20_000):
        text = some_value(rng, 4)
        agrees(text, some_pointer(rng, json.loads(text, object_pairs_hook=first_wins)))


@pytest.mark.parametrize("text", ["", " ", "{", "{}{}", "nonsense", '{"a":1,}', "[1", "NaN", "\ufeff{}", "[" * 200_000])
def test_text_that_is_not_json(text):
    assert pbk.json_get(text, "") is None
    assert pbk.json_get(text, "/a") is None


@pytest.mark.parametrize("broken", BROKEN_UTF8.values(), ids=BROKEN_UTF8)
def test_text_that_is_not_utf8(broken):
    assert pbk.json_get(b'{"a":"' + broken + b'"}', "/a") is None
    assert pbk.json_get(b'{"a":1}', b"/" + broken) is None


def test_null_pointers():
    assert pbk.json_get(None, "") is None and pbk.json_get("{}", None) is None and pbk.json_quote(None) is None


def test_replies_of_the_library(open_client):
    client = open_client(SANDBOX)
    for result in (client.search(search_request()), client.book(booking_request()), client.search({})):
        reply = json.loads(result.reply)
        slots = reply.get("availabilities", [])
        expected = slots[0]["start_at"] if slots else None
        got = pbk.json_get(result.reply, "/availabilities/0/start_at")
        assert (got and got.decode()) == expected
        assert pbk.json_get(result.reply, "") == result.reply


# ---- pbk_json_quote -------------------------------------------------------------------------------------------------


def test_quoted_text_is_read_back_by_python():
    rng = random.Random(8259)
    for _ in range(5_000):
        ranges = [rng.choice([(1, 0x80), (1, 0xD800), (0xE000, 0x110000)]) for _ in range(rng.randrange(12))]
        text = "".join(chr(rng.randrange(*some)) for some in ranges)
        quoted = pbk.json_quote(text)
        assert quoted is not None and json.loads(quoted) == text
        back = pbk.json_get(quoted, "")
        assert back is not None and back.decode() == text


def test_invalid_utf8_is_repaired_as_python_repairs_it():
    rng = random.Random(3629)
    texts = [*BROKEN_UTF8.values(), *(rng.randbytes(8).replace(b"\0", b"a") for _ in range(5_000))]
    for text in texts:
        quoted = pbk.json_quote(text)
        assert quoted is not None and json.loads(quoted) == text.decode(errors="replace"), text


def test_what_a_caller_says_adds_no_member():
    said = 'Jo","email":"x@y.example'
    quoted = pbk.json_quote(said)
    assert quoted is not None
    assert json.loads(b'{"name":' + quoted + b"}") == {"name": said}


# ---- What a reply stands for ----------------------------------------------------------------------------------------


def stands_for(result: pbk.Result) -> None:
    """The accessors against the status of the call, and against the text as Python reads it."""
    library, reply = pbk.library, json.loads(result.reply)
    error = reply.get("error", {})
    assert library.pbk_reply_status(result.reply) == result.status, result
    assert library.pbk_reply_outcome(result.reply) == OUTCOME[error.get("outcome", "none").upper()], result
    assert bool(library.pbk_reply_retryable(result.reply)) is error.get("retryable", False), result
    assert library.pbk_reply_retry_after_ms(result.reply) == error.get("retry_after_ms", -1), result


def sandbox_that_answers(status: int, code: str) -> dict[str, Any]:
    fault = {"fault": "error", "status": status, "code": code}
    return {"endpoint": "sandbox", "retry": {"max_attempts": 1}, "sandbox": {**SANDBOX["sandbox"], "faults": [fault]}}


@pytest.mark.parametrize("code", [*CODES, "slot_unavailable", "SLOT-TAKEN", "some_code"])
def test_service_with_any_code(open_client, code):
    """Also one of the library's own. A booking is in doubt after most of these."""
    seen = set()
    for status in (300, 400, 401, 403, 404, 408, 409, 429, 500, 503, 504):
        with pbk.Client(sandbox_that_answers(status, code)) as client:
            result = client.book(booking_request(timeout_ms=50))
        stands_for(result)
        seen.add(result.status)
    assert {STATUS[name] for name in ("UNAUTHORIZED", "REFUSED", "RATE_LIMITED")} <= seen


def test_success_and_refusals_of_the_library(open_client):
    client = open_client(SANDBOX)
    for result in (
        client.search(search_request()),
        client.book(booking_request()),
        client.lookup(lookup_request()),
        client.pending_bookings(),
        client.sandbox_bookings(),
        client.search({}),
        client.book("nonsense"),
        client.lookup(None),
        pbk.search(None, search_request()),
        pbk.book(7, booking_request()),
    ):
        stands_for(result)
    client.close(0)
    for result in (client.search(search_request()), client.book(booking_request())):
        stands_for(result)


@pytest.mark.parametrize(
    "config", [None, "", "{}", '{"endpoint":7}', '{"endpoint":"sandbox","journal_path":"/no/such/x"}']
)
def test_opening_has_a_status(config):
    with pytest.raises(pbk.OpenError) as raised:
        pbk.open_handle(config)
    error = json.loads(raised.value.reply)["error"]
    assert raised.value.status == STATUS[error["code"].upper()]
    assert pbk.library.pbk_reply_status(raised.value.reply) == raised.value.status


NO_REPLIES = [None, b"", b"{", b"[]", b"7", b"\xff", b'{"error":{}}', b'{"error":{"code":"timeout"}}']


@pytest.mark.parametrize("text", NO_REPLIES)
def test_what_is_no_reply(text):
    library = pbk.library
    expected = STATUS["INVALID_ARGUMENT" if text is None else "INVALID_JSON"]
    assert library.pbk_reply_status(text) == expected
    assert library.pbk_reply_outcome(text) == OUTCOME["UNKNOWN"]
    assert library.pbk_reply_retryable(text) == 0 and library.pbk_reply_retry_after_ms(text) == -1
