"""Requests to book as trees, in many spellings, and an oracle that says which of them ask for the same booking.

A tree is an `Object`, a list, a text, a `Number`, True, False or None. The oracle knows the contract only: it uses
Python's dates and fractions, and shares nothing with the library.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from fractions import Fraction
from typing import Any, NamedTuple

Tree = Any


class Number(NamedTuple):
    """A number as it is written."""

    text: str


class Object(NamedTuple):
    """Members as they stand, of which two may have one name."""

    members: tuple[tuple[str, Tree], ...]

    def get(self, name: str) -> Tree:
        return dict(self.members)[name]

    def put(self, name: str, value: Tree) -> Object:
        """In its place, or at the end."""
        if name not in dict(self.members):
            return Object((*self.members, (name, value)))
        return Object(tuple((each, value if each == name else old) for each, old in self.members))

    def without(self, name: str) -> Object:
        return Object(tuple(member for member in self.members if member[0] != name))


def tree(value: Any) -> Tree:
    if isinstance(value, dict):
        return Object(tuple((name, tree(each)) for name, each in value.items()))
    if isinstance(value, list):
        return [tree(each) for each in value]
    return Number(str(value)) if type(value) in (int, float) else value


def parsed(text: str) -> Tree:
    numbers = {"parse_int": Number, "parse_float": Number}
    return json.loads(text, object_pairs_hook=lambda members: Object(tuple(members)), **numbers)


def text_of(value: Tree, rng: random.Random | None = None) -> str:
    """As JSON. With a generator, white space and escapes are by chance."""
    space = (lambda: rng.choice(["", "", "", " ", "\n", "\t \r"])) if rng else lambda: ""
    if isinstance(value, Object):
        members = ((_string(name, rng), text_of(each, rng)) for name, each in value.members)
        return "{" + ",".join(f"{space()}{name}{space()}:{space()}{each}" for name, each in members) + space() + "}"
    if isinstance(value, list):
        return "[" + ",".join(f"{space()}{text_of(each, rng)}{space()}" for each in value) + "]"
    if isinstance(value, Number):
        return value.text
    return _string(value, rng) if isinstance(value, str) else json.dumps(value)


def _string(text: str, rng: random.Random | None) -> str:
    plain = json.dumps(text, ensure_ascii=False)
    if rng is None or rng.random() < 0.7:
        return plain
    return '"' + re.sub("....", r"\\u\g<0>", text.encode("utf-16-be").hex()) + '"'


# The oracle

OWN = {"idempotency_key", "timeout_ms", "slow_after_ms", "tag", "traceparent", "detach", "resume", "conversation"}
"""Members of the library's own: they are the call's, and not the booking's."""

DATE_TIME = re.compile(r"(.{16}(?::\d\d)?)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))")


def instant(text: str) -> Fraction:
    """Seconds since 1970 of an RFC 3339 date-time."""
    local, fraction, sign, hours, minutes = DATE_TIME.fullmatch(text).groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    moment = datetime.fromisoformat(local.upper()).replace(tzinfo=timezone(offset))
    whole = (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(seconds=1)
    return whole + Fraction(int(fraction or 0), 10 ** len(fraction or ""))


NAME, EMAIL = ("booking", "customer", "name"), ("booking", "customer", "email")


def is_nothing(value: Tree, path: tuple[str, ...]) -> bool:
    """A member without a value. Notes and an email address of blanks are none, either."""
    if isinstance(value, str) and path in (EMAIL, ("booking", "notes")):
        return not value.strip()
    return value is None or value == ""


def meaning(value: Tree, path: tuple[str, ...] = ()) -> Any:
    """Two requests ask for the same booking when this is equal."""
    if isinstance(value, Object):
        named = [(name, each) for name, each in value.members if not is_nothing(each, (*path, name))]
        found = [(name, meaning(each, (*path, name))) for name, each in named if path or name not in OWN]
        return "object", sorted(found, key=lambda member: member[0])
    if isinstance(value, list):
        return "list", [meaning(each, (*path, "")) for each in value]
    if isinstance(value, Number):
        return "number", Fraction(value.text)
    if isinstance(value, str) and path == ("booking", "start_at"):
        return "instant", instant(value)
    if path == ("booking", "customer", "phone"):
        return "str", re.sub("[ ().-]", "", value)
    if path in (NAME, EMAIL):
        return "str", value.strip()
    return type(value).__name__, value


# The rule of version 1 of the journal


def fingerprint_of_version_1(value: Tree) -> str:
    return hashlib.sha256(_fed(value)).hexdigest()


def _fed(value: Tree) -> bytes:
    if isinstance(value, Object):
        members = sorted(value.members, key=lambda member: member[0].encode())
        return b"o%d:" % len(members) + b"".join(_fed(name) + _fed(each) for name, each in members)
    if isinstance(value, list):
        return b"a%d:" % len(value) + b"".join(map(_fed, value))
    if isinstance(value, Number):
        return f"n{_decimal(Fraction(value.text))}:".encode()
    if isinstance(value, str):
        return b"s%d:" % len(value.encode()) + value.encode()
    return {True: b"t", False: b"f", None: b"z"}[value]


def _decimal(number: Fraction) -> str:
    if number == 0:
        return "0"
    shift = 0
    while number.denominator != 1:
        number, shift = number * 10, shift - 1
    while number % 10 == 0:
        number, shift = number / 10, shift + 1
    return f"{number}e{shift}"


# Requests by chance

NAMES = ["Johanna Mustermann", "Johanna Mustermann ", "johanna mustermann"]
NAMES += ["Zoë Ünal", "Zoe\u0308 U\u0308nal", "A \U0001f600", 'O"N\\l']
PHONES = ["+14155550137", "+14155550138", "+4915112345678"]
NOTES = ["Initial consultation", "Initial consultation ", " ", "Zahn 36, rechts unten\nbitte anrufen", "null", "0"]
EMAILS = ["johanna@example.com", "Johanna@example.com", "j@example.org"]
NUMBERS = [
    ["1", "1.0", "1e0", "10E-1", "0.1e+1"],
    ["1.5", "1.50", "15.0E-1", "0.0015e3"],
    ["0", "-0", "0.000", "0e99", "-0.0e-5"],
    ["-30", "-3e1", "-30.00"],
    ["9007199254740993", "9007199254740993.0", "9.007199254740993e15"],
    ["9007199254740992", "9007199254740992.0"],
    ["0.1", "1e-1"],
    ["0.1000000000000000055511151231257827", "1000000000000000055511151231257827e-34"],
    ["1e30", "1000000000000000000000000000000"],
]
NOTHING = [None, ""]
WORDS = ["extra", "price", "Extra", "", "start_at", "notes", "é", "e\u0301"]


def anything(rng: random.Random, depth: int = 0) -> Tree:
    """The value of a member that the library does not know."""
    kind = rng.randrange(8 if depth < 3 else 6)
    if kind < 2:
        return Number(rng.choice(rng.choice(NUMBERS)))
    if kind < 6:
        return rng.choice(["a", "A", "1", "true", "", "2030-01-14T10:00:00Z", True, False, None, [], Object(())])
    if kind == 6:
        return [anything(rng, depth + 1) for _ in range(rng.randrange(3))]
    return Object(tuple((rng.choice(WORDS), anything(rng, depth + 1)) for _ in range(rng.randrange(4))))


def start(rng: random.Random, moment: Fraction) -> str:
    """A spelling of it."""
    hours, minutes = rng.randrange(24), rng.choice([0, 0, 30, 45, 59])
    sign, digits = rng.choice("+-"), rng.randrange(4) if moment.denominator == 1 else 9
    offset = timedelta(hours=hours, minutes=minutes) * (1 if sign == "+" else -1)
    local = datetime(1970, 1, 1) + timedelta(seconds=moment.numerator // moment.denominator) + offset
    fraction = f"{int(moment % 1 * 10**9):09}"[:digits].rstrip("0" * rng.randrange(2))
    zone = rng.choice("Zz") if offset == timedelta(0) and rng.random() < 0.7 else f"{sign}{hours:02}:{minutes:02}"
    return f"{local:%Y-%m-%d}{rng.choice('TTt')}{local:%H:%M:%S}{'.' + fraction if fraction else ''}{zone}"


def booking(rng: random.Random, bot_id: str) -> Object:
    """A request without its key."""
    moment = 1_894_615_200 + 1800 * rng.randrange(-60, 60) + Fraction(rng.choice([0, 0, 0, 1, 250_000_000]), 10**9)
    customer = {"phone": rng.choice(PHONES), "name": rng.choice(NAMES)}
    if rng.random() < 0.5:
        customer["email"] = rng.choice(EMAILS)
    members = {"start_at": start(rng, moment), "duration_minutes": 30, "customer": customer}
    if rng.random() < 0.5:
        members["notes"] = rng.choice(NOTES)
    request = tree({"bot_id": bot_id, "booking": members})
    for _ in range(rng.randrange(3)):
        request = _at_some_object(rng, request, lambda each: each.put(rng.choice(UNKNOWN), anything(rng)))
    return request


UNKNOWN = ["extra", "price", "Notes", "preferences"]


def _at_some_object(rng: random.Random, request: Object, change: Callable[[Object], Object]) -> Object:
    """Changes the request, its booking or its customer."""
    depth, taken = rng.randrange(3), request.get("booking")
    if depth == 0:
        return change(request)
    if depth == 1:
        return request.put("booking", change(taken))
    return request.put("booking", taken.put("customer", change(taken.get("customer"))))


def respelled(rng: random.Random, value: Tree, path: tuple[str, ...] = ()) -> Tree:
    """The same in other words, as the oracle must find it."""
    if isinstance(value, Object):
        members = [(name, respelled(rng, each, (*path, name))) for name, each in value.members]
        names = [name for name, _ in members]
        if len(set(names)) == len(names):
            members = [each for each in members if each[1] not in NOTHING or rng.random() < 0.5]
            members += [("absent", rng.choice(NOTHING))] * (rng.random() < 0.2)
            rng.shuffle(members)
        if path == ("booking",) and "notes" not in names and rng.random() < 0.3:
            members.append(("notes", rng.choice(NOTHING)))
        if path == ("booking", "customer") and "email" not in names and rng.random() < 0.3:
            members.append(("email", rng.choice(NOTHING)))
        return Object(tuple(members))
    if isinstance(value, list):
        return [respelled(rng, each, (*path, "")) for each in value]
    if isinstance(value, Number) and path != ("booking", "duration_minutes"):
        return Number(rng.choice([row for row in NUMBERS if Fraction(value.text) == Fraction(row[0])][0]))
    return start(rng, instant(value)) if path == ("booking", "start_at") else value


def altered(rng: random.Random, request: Object) -> Object:
    """One thing is another, or so it seems: the oracle decides."""
    wanted = request.get("booking")
    customer = wanted.get("customer")
    moment = instant(wanted.get("start_at"))
    later = moment + rng.choice([1, -1, 60, 3600, -86400, Fraction(1, 10**9)])
    changes = [
        lambda: request.put("booking", wanted.put("start_at", start(rng, later))),
        lambda: request.put("booking", wanted.put("duration_minutes", Number(rng.choice(["29", "31", "300"])))),
        lambda: request.put("booking", wanted.put("notes", rng.choice(NOTES))),
        lambda: request.put("booking", wanted.without("notes")),
        lambda: request.put("booking", wanted.put("customer", customer.put("name", rng.choice(NAMES)))),
        lambda: request.put("booking", wanted.put("customer", customer.put("phone", rng.choice(PHONES)))),
        lambda: request.put("booking", wanted.put("customer", customer.put("email", rng.choice(EMAILS)))),
        lambda: request.put("booking", wanted.put("customer", customer.without("email"))),
        lambda: _at_some_object(rng, request, lambda each: each.put(rng.choice(UNKNOWN), anything(rng))),
        lambda: _at_some_object(rng, request, lambda each: each.without(rng.choice(UNKNOWN))),
    ]
    return respelled(rng, rng.choice(changes)())
