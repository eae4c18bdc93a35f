#!/usr/bin/env python3
"""A journal that was cut or damaged anywhere opens, keeps every intact entry and invents none.

    python Tests/campaigns/torn.py

The library makes journals that contain every type of record:

- killed: its process was killed. It begins with the bookings whose key begins with `old-`, as version 1 wrote them
- compacted: the library has written it again, and was killed
- reopened: closed, opened and used again, and killed
- version 1: the journal of the first kind, as version 1 would have left it
- upgraded: that one, opened and closed by the library

Each is cut at every offset, has every bit flipped and every block of 512 bytes zeroed, as a lost page would leave it,
is damaged at several places at random, and gets a block of its own written over another. Each such file is opened.
`journal_file.py`, which shares no code with the library, finds what must be there. For each file:

- it opens; only one that does not begin as a journal does, and has no intact line, may be refused, and stays as it is
- `pbk_pending_bookings` lists exactly the intents without an intact end or `given_up` after them, and the ends that
  nobody has heard, each with its state, its summary and its conversation
- the reply of every intact booking comes again, byte for byte, and nothing is sent for it
- a key without an entry is free. An unheard refusal is returned once with its outcome, and then the key is free
- the bytes that are torn off or damaged are counted, and the copy of a damaged file is the file that was found
- nothing is sent unasked when there is damage, not even with `resume_on_open`
- when it is opened again there is no damage, it contains what it contained before and what was heard since, and every
  booking in doubt is resumed, when asked for or by `resume_on_open`: with its own body, once. One that was cancelled is
  resumed only when asked for. One that is refused stays in doubt, because its first request may have been more lucky
- a doubt that is given up is gone, and no other

Prints counts and ends with 1 when anything was violated; the files of the first violations stay in `build/torn`.
Read from the environment:

    TORN_STRIDE      of offsets and bits: 1 tries all; the ends of lines are always tried (default 101)
    TORN_WORKERS     processes at once (default 2)
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import journal_file as jf
import pbk
from samples import BOT_ID, PHONE

STRIDE = int(os.environ.get("TORN_STRIDE", "101"))
WORKERS = int(os.environ.get("TORN_WORKERS", "2"))
KEPT = jf.ROOT / "build" / "torn"
SHOWN = 10
PATIENCE = 10.0
BLOCK = 512
TRIES = 4
"""For a journal that has to be killed at the right moment."""


# ---- The journals to spoil ----


@dataclass(frozen=True)
class Step:
    """One booking of the journal: its request as text, and what becomes of it.

    `is_lost`: the sandbox loses the reply. After that `then` may be `withdrawn` (its call is cancelled) or `given up`.
    `is_kept`: its completion is never freed, so that nobody has heard the end. `is_blocking`: by a blocking call.
    """

    request: str
    is_lost: bool = False
    then: str = ""
    is_kept: bool = False
    is_blocking: bool = False

    @property
    def key(self) -> str:
        return json.loads(self.request)["idempotency_key"]


def request(key: str, start_at: str, conversation: str | None = None, **members: Any) -> str:
    customer = {"phone": PHONE, "name": members.pop("name", "Johanna Mustermann")}
    booking = {"start_at": start_at, "duration_minutes": 30, "customer": customer, **members}
    named = {} if conversation is None else {"conversation": conversation}
    return json.dumps({"bot_id": BOT_ID, "idempotency_key": key, "booking": booking, **named}, ensure_ascii=False)


ODD_NAME = "Zoë \u202e🦷 \u2028Ωmega\u007f"
ODD_NOTES = 'tab\tline\nreturn\r"quoted" back\\slash pbk1 0123456789abcdef {} \x01\x1f/\u00e9'
ODD_KEY = "k\"\\{}[]:,'~!\\n"
ODD_CALL = 'call \u202e🦷 "7"\n'
ESCAPED = (
    '{ "bot_id":"' + BOT_ID + '", "idempotency_key":"escaped\\u002d1",\n "booking" : {"notes":"\\u00fc\\/\\ud83e\\udd'
    'b7",'
    '"start_at":"2030-01-14T12:00:00Z","duration_minutes":30,"customer":{"name":"A\\tB","phone":"' + PHONE + '"},'
    '"x_price":1.50E+2},"x_unknown":[null,true,{"deep":[]}]}'
)

STEPS = [
    Step(request("old-plain", "2030-01-15T09:00:00Z")),
    Step(request("old-in-doubt", "2030-01-15T09:30:00Z"), is_lost=True),
    Step(request("old-corrected", "2030-01-15T03:30:00Z")),
    Step(request("old-corrected", "2030-01-15T10:00:00Z")),
    Step(request("plain", "2030-01-14T09:00:00Z"), is_blocking=True),
    Step(request("in-doubt", "2030-01-14T09:30:00Z", "call-1"), is_lost=True),
    Step(request(ODD_KEY, "2030-01-14T10:00:00Z", ODD_CALL, name=ODD_NAME, notes=ODD_NOTES)),
    Step(request("refused", "2030-01-14T03:00:00Z")),
    Step(request("corrected", "2030-01-14T03:30:00Z")),
    Step(request("corrected", "2030-01-14T10:30:00Z", "call-2"), is_kept=True),
    Step(request("doubt-settled", "2030-01-14T11:00:00Z"), is_lost=True),
    Step(request("in-doubt-odd", "2030-01-14T11:30:00Z", name=ODD_NAME, notes=ODD_NOTES), is_lost=True),
    Step(request("doubt-settled", "2030-01-14T11:00:00Z")),
    Step(request("refused-unheard", "2030-01-14T03:00:00Z", ODD_CALL), is_kept=True),
    Step(request("not-sent-unheard", "2030-01-14T04:00:00Z"), is_kept=True),
    Step(request("given-up", "2030-01-14T14:00:00Z", "call-3"), is_lost=True, then="given up"),
    Step(request("given-up-once", "2030-01-14T14:30:00Z"), is_lost=True, then="given up"),
    Step(request("given-up-once", "2030-01-14T14:30:00Z")),
    Step(request("withdrawn", "2030-01-14T13:30:00Z"), is_lost=True, then="withdrawn"),
    Step(ESCAPED, is_lost=True),
    Step(request("booked-unheard", "2030-01-14T15:00:00Z", "x" * 256), is_kept=True),
    Step(request("long", "2030-01-14T12:30:00Z", notes="Ünïcode " * 60), is_kept=True),
    Step(request("in-doubt-last", "2030-01-14T13:00:00Z"), is_lost=True),
    Step(request("last", "2030-01-14T15:30:00Z"), is_blocking=True),
]
PAUSE = 0.15
"""After each step: what was heard is recorded with the records that come a second later. A journal that is idle for a
second is compacted, so that they must not come later than that."""

LATE = [
    Step(request("late", "2030-01-16T09:00:00Z"), is_kept=True),
    Step(request("late-in-doubt", "2030-01-16T09:30:00Z"), is_lost=True),
]
"""After the journal was opened again."""

REQUESTS = {step.key: step.request for step in STEPS + LATE}
"""The last request of each key, which is the one that counts."""

KEPT_ENDS = {step.key for step in STEPS if step.is_kept}
REFUSED = {"refused-unheard": "rejected", "not-sent-unheard": "rejected"}
IN_DOUBT = {"old-in-doubt", "in-doubt", "in-doubt-odd", "escaped-1", "in-doubt-last", "withdrawn"}
HEARD_EARLY = {"plain", ODD_KEY, "doubt-settled"}
"""So early that the `heard` is in the file of a process that was killed. That of `last` is there only after a close."""

TYPES = {"journal", "intent", "booked", "void", "withdrawn", "heard", "given_up"}


def is_refused(request: str) -> bool:
    """The sandbox is closed before nine."""
    return "T03:" in request or "T04:" in request


def record(path: str, how: str) -> None:
    """In a process of its own: makes the journal in one of the ways, or opens and closes it, and waits to be killed."""
    if how == "upgraded":
        pbk.Client(jf.sandbox_config(Path(path))).close()
        told: dict[str, Any] = {"replies": {}}
    else:
        client, replies = play(path, STEPS, PAUSE)
        told = {"replies": replies, "listed": jf.states(jf.pending(client))}
        if how == "compacted":
            wait_for_compaction(path)
        if how == "reopened":
            client.close()
            client, replies = play(path, LATE, 0)
            told["replies"] |= replies
            told["listed"] = jf.states(jf.pending(client))
    print(json.dumps(told), flush=True)
    signal.pause()


def play(path: str, steps: list[Step], pause: float) -> tuple[pbk.Client, dict[str, str]]:
    lost = [number for number, step in enumerate(steps, 1) if step.is_lost]
    client = pbk.Client(jf.sandbox_config(Path(path), lose=lost, **jf.AT_ONCE))
    replies = {}
    for step in steps:
        answer = take(client, step)
        expected = "unknown" if step.is_lost else "rejected" if is_refused(step.request) else None
        assert answer.outcome == expected, (step, answer)
        replies[step.key] = answer.reply.decode()
        if step.then == "given up":
            give_up(client, {"idempotency_key": step.key}, {step.key})
        time.sleep(pause)
    return client, replies


def take(client: pbk.Client, step: Step) -> jf.Answer:
    if step.is_kept:
        jf.submitted(client, pbk.BOOK, step.request)
        return jf.next_unheard(client)
    if step.is_blocking:
        result = client.book(step.request)
        return jf.Answer(result.status, result.reply, {}, {})
    return cancel(client, step.request) if step.then == "withdrawn" else jf.book(client, step.request)


def cancel(client: pbk.Client, request: str) -> jf.Answer:
    """Ends the call while it waits to ask again."""
    ticket = jf.submitted(client, pbk.BOOK, request[:-1] + ',"timeout_ms":30000}')
    time.sleep(0.3)
    assert client.cancel(ticket) == jf.OK
    return jf.answer_of(jf.next_done(client))


def give_up(client: pbk.Client, which: dict[str, Any], keys: set[str]) -> list[dict[str, Any]]:
    """Gives up bookings in doubt, which must be those with these keys. Returns those that are kept."""
    result = client.book({**which, "give_up": True})
    expect(result.status == jf.OK, "giving up", which, "gave", result)
    reply = json.loads(result.reply)
    given_up = {entry["idempotency_key"]: entry["state"] for entry in reply["given_up"]}
    expect(given_up == dict.fromkeys(keys, jf.IN_DOUBT), "given up were", given_up, "instead of", sorted(keys))
    expect(reply.get("journaled", True) is True, "giving up was not recorded:", reply)
    return reply["kept"]


def wait_for_compaction(path: str) -> None:
    before = os.stat(path).st_size
    deadline = time.monotonic() + 20
    while os.stat(path).st_size >= before:
        assert time.monotonic() < deadline, "the journal was not compacted"
        time.sleep(0.02)


@dataclass(frozen=True)
class Source:
    """A journal as the library left it."""

    name: str
    data: bytes
    replies: dict[str, bytes]
    listed: dict[str, str] | None = None
    """What the library listed before it was killed; None: nobody asked."""


def make_source(how: str, folder: Path) -> Source:
    path = folder / f"{how}.journal"
    command = [sys.executable, __file__, "--record", str(path), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.kill()
    if not line:
        sys.exit(f"no journal to spoil: the library did not make one ({how})")
    told = json.loads(line)
    replies = {key: reply.encode() for key, reply in told["replies"].items()}
    return Source(how, path.read_bytes(), replies, told.get("listed"))


def make_sources(folder: Path) -> list[Source]:
    with ThreadPoolExecutor() as pool:
        names = ("killed", "compacted", "reopened")
        killed, compacted, reopened = pool.map(lambda how: make_source(how, folder), names)
    for _ in range(TRIES - 1):
        # A machine that is busy lets the process sleep for so long that the journal is compacted.
        if types_of(killed.data) == TYPES:
            break
        (folder / "killed.journal").unlink()
        killed = make_source("killed", folder)
    old = of_version_1(killed)
    (folder / "upgraded.journal").write_bytes(old.data)
    upgraded = replace(make_source("upgraded", folder), replies=old.replies)
    return [begun_by_version_1(killed), compacted, reopened, old, upgraded]


def types_of(data: bytes) -> set[str]:
    return {record["type"] for record in jf.records(data)}


def of_version_1(source: Source, prefix: str = "") -> Source:
    """The keys with this prefix as version 1 would have left them: it recorded bookings and refusals, and no more."""
    bodies: dict[str, str] = {}
    lines = []
    for record in jf.records(source.data):
        common = {"type": record["type"], "key": record.get("key"), "at": record["at"]}
        match record["type"]:
            case "journal" if not lines:
                lines.append(jf.write_line({"type": "journal", "version": 1, "service": record["service"]}, 1))
            case "intent" | "booked" | "void" if record["key"].startswith(prefix):
                bodies[record["key"]] = record.get("body", bodies.get(record["key"]))
                if record["type"] != "void":
                    common["fingerprint"] = jf.fingerprint_of_version_1(bodies[record["key"]])
                more = {name: record[name] for name in ("body", "reply") if name in record}
                lines.append(jf.write_line({**common, **more}, 1))
    return Source("version 1", b"".join(lines), source.replies)


def begun_by_version_1(source: Source) -> Source:
    """The keys that begin with `old-` as version 1 left them, and behind them the others.

    One refusal gets the other outcome that a refusal can have, which the sandbox does not bring about.
    """
    lines = [of_version_1(source, "old-").data]
    for record in jf.records(source.data):
        if record["type"] == "void" and record["key"] == "not-sent-unheard":
            lines.append(jf.write_line({**record, "outcome": "not_sent"}))
        elif not record.get("key", "").startswith("old-"):
            lines.append(jf.write_line(record))
    return Source(source.name, b"".join(lines), source.replies, source.listed)


def faults_of_source(source: Source) -> list[str]:
    """What the reading from the format has against a journal nobody has spoiled."""
    contents = jf.read(source.data)
    is_old = source.name in ("version 1", "upgraded")
    late = {"late", "late-in-doubt"} if source.name == "reopened" else set()
    in_doubt = IN_DOUBT | late - {"late"} | ({"given-up"} if is_old else set())
    expected: dict[str, Any] = {
        "whole": True,
        "in doubt": in_doubt,
        "withdrawn": set() if is_old else {"withdrawn"},
        "settled": {key: source.replies[key] for key in REQUESTS if is_made(key) and key in source.replies},
        "refused": set() if is_old else set(REFUSED),
        "heard too early or too late": [],
        "without a clock": [],
        "ends with one clock": [],
    }
    heard = {key for key, entry in contents.of(jf.BOOKED).items() if entry.is_heard}
    kept = set() if is_old else {key for key in KEPT_ENDS | late if is_made(key)}
    surely_heard = set(contents.settled) if is_old else HEARD_EARLY | ({"last"} if late else set())
    new_records = [record for record in jf.records(source.data) if record["pbk"] == 2]
    ends = Counter(record.get("clock") for record in new_records if record["type"] in ("booked", "void"))
    found = {
        "whole": contents.is_whole,
        "in doubt": set(contents.pending),
        "withdrawn": contents.withdrawn,
        "settled": contents.settled,
        "refused": contents.refused,
        "heard too early or too late": sorted(kept & heard | surely_heard - heard),
        "without a clock": [record for record in new_records if not isinstance(record.get("clock"), int)],
        "ends with one clock": [] if is_old else [clock for clock, count in ends.items() if count > 1],
    }
    faults = [
        f"{source.name}: {what}: {found[what]} instead of {expected[what]}"
        for what in expected
        if found[what] != expected[what]
    ]
    if source.name == "killed" and types_of(source.data) != TYPES:
        faults.append(f"killed: no record of the types {sorted(TYPES - types_of(source.data))}")
    return faults + faults_of_listing(source, contents)


def is_made(key: str) -> bool:
    return key not in IN_DOUBT | {"late-in-doubt", "given-up"} and not is_refused(REQUESTS[key])


def faults_of_listing(source: Source, contents: jf.Contents) -> list[str]:
    """What the library listed is in the file. An end that was heard in its last second may be in the file as well, and
    the last end may have been heard since."""
    if source.listed is None:
        return []
    listed = contents.listed
    is_there = {pair for pair in source.listed.items() if pair[0] != "last"} <= listed.items()
    more = {state for key, state in listed.items() if key not in source.listed} - {jf.BOOKED, jf.REFUSED}
    return [] if is_there and not more else [f"{source.name}: listed was {source.listed}, the file has {listed}"]


# ---- Spoiling ----


@dataclass(frozen=True)
class Case:
    """One way to spoil a journal. `at` is an offset for a cut, a bit for a flip, a block for a lost page, and where the
    random numbers begin for the rest."""

    source: int
    kind: str
    at: int

    def apply(self, data: bytes) -> bytes:
        if self.kind == "cut":
            return data[: self.at]
        if self.kind == "tail":
            return data[: self.at] + bytes(len(data) - self.at)
        spoiled = bytearray(data)
        chance = Random(self.at)
        if self.kind == "flip":
            spoiled[self.at // 8] ^= 1 << (self.at % 8)
        elif self.kind == "scatter":
            # No byte is one that a line may have in its place.
            for _ in range(chance.randint(2, 8)):
                spoiled[chance.randrange(len(data))] = chance.randrange(8)
        elif self.kind == "stray":
            size = min(chance.choice((BLOCK // 2, BLOCK, 4 * BLOCK)), len(data))
            source, target = (chance.randint(0, len(data) - size) for _ in range(2))
            spoiled[target : target + size] = data[source : source + size]
        else:
            end = min(len(data), (self.at + 1) * BLOCK)
            spoiled[self.at * BLOCK : end] = bytes(end - self.at * BLOCK)
        return bytes(spoiled)


def cases_of(number: int, data: bytes) -> Iterator[Case]:
    """By stride, and in any case where one line meets the next and in the first bytes."""
    ends = [offset for offset, byte in enumerate(data) if byte == 0x0A]
    cuts = {*range(0, len(data) + 1, STRIDE), *range(6), len(data)}
    cuts |= {end + near for end in ends for near in (-1, 0, 1, 2) if end + near <= len(data)}
    bits = {*range(0, 8 * len(data), STRIDE), *range(0, 48, 5)}
    bits |= {8 * end + bit for end in ends for bit in (0, 3, 6)}
    yield from (Case(number, "cut", at) for at in sorted(cuts))
    yield from (Case(number, "flip", at) for at in sorted(bits))
    yield from (Case(number, "page", at) for at in range((len(data) + BLOCK - 1) // BLOCK))
    yield from (Case(number, "tail", at) for at in sorted(cuts) if at < len(data))
    yield from (Case(number, kind, at) for kind in ("scatter", "stray") for at in range(0, len(data), STRIDE))


# ---- Judging ----


@dataclass
class Verdict:
    """What came of some cases."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, other: Verdict) -> None:
        self.counts += other.counts
        self.violations += other.violations


class Violation(Exception):
    """A promise was not kept."""


def expect(condition: bool, *words: object) -> None:
    if not condition:
        raise Violation(" ".join(str(word) for word in words))


class Trial:
    """One spoiled journal, opened, used, and opened again."""

    def __init__(self, folder: Path, data: bytes, replies: dict[str, bytes], counts: Counter[str]) -> None:
        self.path = folder / "journal"
        self.data, self.replies, self.counts = data, replies, counts
        self.readings = [jf.read(data), jf.read(data, lenient=True)]
        for old in folder.iterdir():
            old.unlink()
        self.path.write_bytes(data)
        self.path.chmod(0o600)

    def run(self, case: Case) -> None:
        is_damaged = all(reading.damaged_bytes > 0 for reading in self.readings)
        try:
            client = pbk.Client(jf.sandbox_config(self.path, resume_on_open=is_damaged))
        except pbk.OpenError as error:
            self.refused(json.loads(error.reply)["error"])
            return
        with client:
            contents = self.first_look(client)
            if case.at % 5 != 4:
                self.replay(client, contents, by_key=case.at % 2 == 0)
            self.hear_refusals(client, contents, case.at % 3)
            self.ask_for_free_keys(client, contents)
            self.close(client)
        self.second_look(contents, case)

    def refused(self, error: dict[str, Any]) -> None:
        """Only a file that does not begin as a journal does, and it stays as it is."""
        magics = [b"pbk1 ", b"pbk2 "]
        is_begun = any(self.data.startswith(magic[: len(self.data)]) for magic in magics)
        expect(not is_begun, "refused, though it begins as a journal:", error)
        expect(self.readings[0].intact_lines == 0, "refused, though there are intact lines:", error)
        expect((error["code"], error["field"]) == ("invalid_config", "journal_path"), "refused with", error)
        expect(self.path.read_bytes() == self.data, "a file that was refused has been changed")
        self.counts["refused, as it does not begin as a journal"] += 1

    # The first opening

    def first_look(self, client: pbk.Client) -> jf.Contents:
        listing = jf.pending(client)
        report = listing["journal"]
        expect(report is not None and report["path"] == str(self.path), "journal is", report)
        fitting = [reading for reading in self.readings if reading.listed == jf.states(listing)]
        expected: list[Any] = [reading.listed for reading in self.readings]
        expect(fitting != [], "listed are", jf.states(listing), "instead of", expected)
        lost = (report["torn_bytes"], report["damaged_bytes"])
        expected = [(reading.torn_bytes, reading.damaged_bytes) for reading in fitting]
        fitting = [reading for reading, bytes_lost in zip(fitting, expected) if bytes_lost == lost]
        expect(fitting != [], "torn and damaged are", lost, "instead of", expected)
        compare_listing(listing, fitting[0])
        self.check_copy(report)
        self.counts["told to be torn"] += report["torn_bytes"] > 0
        self.counts["told to be damaged"] += report["damaged_bytes"] > 0
        self.counts["doubts found"] += len(fitting[0].pending)
        self.counts["unheard ends found"] += len(fitting[0].listed) - len(fitting[0].pending)
        return fitting[0]

    def check_copy(self, report: dict[str, Any]) -> None:
        copy = report["damaged_copy"]
        if copy is None:
            expect(report["damaged_bytes"] == 0, "damage without a copy:", report)
            return
        expect(Path(copy).read_bytes() == self.data, "the copy is not the file that was found")
        expect(stat.S_IMODE(os.stat(copy).st_mode) == 0o600, "the copy can be read by others")
        self.counts["copies, each the file that was found"] += 1

    def replay(self, client: pbk.Client, contents: jf.Contents, *, by_key: bool) -> None:
        """The sandbox of this client is empty: what comes with a booking in it came from the journal."""
        for key, entry in contents.of(jf.BOOKED).items():
            answer = jf.book(client, {"idempotency_key": key, "resume": True} if by_key else REQUESTS[key])
            expect(answer.status == jf.OK and answer.timing.get("replayed") is True, key, "is not replayed:", answer)
            expect(answer.reply == entry.reply == self.replies[key], key, "is replayed as", answer.reply)
            entry.is_heard = True
            self.counts["replies replayed"] += 1
        sent = jf.sandbox_bookings(client)
        expect(sent == [], "sent though it is settled:", sent)

    def hear_refusals(self, client: pbk.Client, contents: jf.Contents, how: int) -> None:
        """Leaves refusals unheard, resumes their keys, or books anew, which the sandbox refuses again."""
        if how == 0:
            return
        for key, entry in contents.of(jf.REFUSED).items():
            if how == 1:
                answer = jf.book(client, {"idempotency_key": key, "resume": True})
                expect(answer.code == "not_recorded" and answer.outcome == entry.outcome, key, "is resumed as", answer)
            else:
                answer = jf.book(client, request(key, "2030-01-14T03:00:00Z"))
                expect(answer.outcome == "rejected" and answer.code != "not_recorded", key, "is not sent anew:", answer)
            del contents.entries[key]
            self.counts["refusals heard"] += 1
        expect(jf.states(jf.pending(client)) == contents.listed, "listed after all is heard:", jf.pending(client))

    def ask_for_free_keys(self, client: pbk.Client, contents: jf.Contents) -> None:
        for key in sorted(REQUESTS.keys() - contents.entries.keys()):
            answer = jf.book(client, {"idempotency_key": key, "resume": True})
            told = (answer.status, answer.code, answer.outcome)
            expect(told == (jf.NOT_RECORDED, "not_recorded", "unknown"), key, "is free, and is resumed as", answer)
            self.counts["free keys"] += 1

    def close(self, client: pbk.Client) -> None:
        status = client.close()
        expect(status == jf.OK, "closing gave", status)

    # The second one

    def second_look(self, before: jf.Contents, case: Case) -> None:
        """The journal after it was mended, by its format and by the library, which then resumes what is in doubt."""
        resumes_on_open = case.at % 2 == 1
        mended = jf.read(self.path.read_bytes())
        expect(mended.is_whole, "the mended file is not whole:", mended)
        expect_same(mended, before)
        refused = {key for key, body in before.pending.items() if is_refused(body["booking"]["start_at"])}
        resumed = set(before.pending) - before.withdrawn if resumes_on_open else set()
        left = {**mended.listed, **dict.fromkeys(resumed - refused, jf.BOOKED)}
        config = jf.sandbox_config(self.path, resume_on_open=resumes_on_open, **jf.AT_ONCE)
        with pbk.Client(config) as client:
            listing = jf.pending(client)
            report = listing["journal"]
            expect(report["torn_bytes"] == report["damaged_bytes"] == 0, "damage when opened again:", report)
            if resumes_on_open:
                self.wait_for_resumption(client, left)
                sent = {entry["idempotency_key"] for entry in jf.sandbox_bookings(client)}
                expect(sent == resumed - refused, "sent by the opening:", sorted(sent))
                self.counts["withdrawn bookings left alone"] += len(before.withdrawn)
            else:
                expect(jf.states(listing) == left, "listed when opened again:", jf.states(listing))
                compare_listing(listing, mended)
            given_up = set() if resumes_on_open else self.give_up(client, mended, case.at // 2 % 4)
            doubts = {key: body for key, body in before.pending.items() if key not in given_up}
            booked = [key for key, body in doubts.items() if self.resume(client, key, body, key in resumed)]
            listed = {entry["idempotency_key"]: entry["start_at"] for entry in jf.sandbox_bookings(client)}
            starts = {key: before.pending[key]["booking"]["start_at"] for key in booked}
            expect(listed == starts, "resumed were", starts, "and booked", listed)
            left = {key: state for key, state in left.items() if key not in {*booked, *given_up}}
            states = jf.states(jf.pending(client))
            expect(states == left, "still listed after all were resumed:", states, "instead of", left)
            self.close(client)
        ended = jf.read(self.path.read_bytes())
        expect(ended.is_whole and ended.listed == left, "after all were resumed the file lists", ended.listed)
        expect(ended.withdrawn == set(), "withdrawn after all were asked for:", sorted(ended.withdrawn))
        expect(set(ended.settled) == {*before.settled, *booked}, "settled in the end:", sorted(ended.settled))

    def wait_for_resumption(self, client: pbk.Client, left: dict[str, str]) -> None:
        """Ends of bookings that nobody waits for are unheard."""
        deadline = time.monotonic() + PATIENCE
        while (states := jf.states(jf.pending(client))) != left:
            expect(time.monotonic() < deadline, "not resumed on opening:", states, "instead of", left)
            time.sleep(0.001)

    def give_up(self, client: pbk.Client, mended: jf.Contents, how: int) -> set[str]:
        """Gives up the first doubt by its key, or those before noon, or none. Returns their keys."""
        if how == 0 and mended.pending:
            keys = {next(iter(mended.pending))}
            kept = give_up(client, {"idempotency_key": min(keys)}, keys)
            expect(kept == [], "kept although it is in doubt:", kept)
        elif how == 1:
            noon = "2030-01-14T13:00:00+01:00"
            starts = {key: body["booking"]["start_at"] for key, body in mended.pending.items()}
            keys = {key for key, start_at in starts.items() if start_at < "2030-01-14T12"}
            kept = give_up(client, {"bot_id": BOT_ID, "start_before": noon}, keys)
            states = {entry["state"] for entry in kept}
            expect(states <= {jf.BOOKED, jf.REFUSED}, "kept although it is in doubt:", kept)
        else:
            return set()
        for key in keys:
            answer = jf.book(client, {"idempotency_key": key, "resume": True})
            expect(answer.code == "not_recorded" and answer.outcome == "unknown", key, "is given up, and", answer)
        self.counts["doubts given up"] += len(keys)
        return keys

    def resume(self, client: pbk.Client, key: str, body: dict[str, Any], is_over: bool) -> bool:
        """Whether it was booked. What is outside of the opening hours is in doubt only where the end of it was lost: it
        is refused, and stays in doubt. `is_over` when it was resumed on opening."""
        answer = jf.book(client, {"idempotency_key": key, "resume": True})
        self.counts["bookings resumed on opening" if is_over else "bookings resumed"] += 1
        if is_refused(body["booking"]["start_at"]):
            expect((answer.code, answer.outcome) == ("in_doubt", "unknown"), key, "resumed:", answer)
            status = answer.error["doubt"]["answer"]["status"]
            expect(status in (400, 409, 422), key, "resumed:", answer)
            return False
        expect(answer.status == jf.OK, key, "resumed:", answer)
        expect(answer.timing.get("replayed", False) is is_over, key, "resumed:", answer.timing)
        return True


def compare_listing(listing: dict[str, Any], reading: jf.Contents) -> None:
    """Every entry of the list, member by member, oldest first."""
    bookings = listing["pending_bookings"]
    expect(len(bookings) == len(reading.listed), "a key is listed twice", listing)
    times = [booking["recorded_at"] for booking in bookings]
    expect(times == sorted(times), "the list is not in the order of the times", times)
    for told in bookings:
        entry = reading.entries[told["idempotency_key"]]
        named = {} if entry.conversation is None else {"conversation": entry.conversation}
        assert entry.summary is not None
        expected = {"state": entry.state, "in_flight": False, "expired": False, **entry.summary._asdict(), **named}
        found = {name: value for name, value in told.items() if name not in ("idempotency_key", "recorded_at")}
        expect(found == expected, "listed is", told, "and recorded was", entry)
        at = datetime.fromisoformat(told["recorded_at"].replace("Z", "+00:00")).timestamp()
        expect(round(at * 1000) == entry.recorded_at, "listed is", told, "and recorded was at", entry.recorded_at)


def expect_same(mended: jf.Contents, before: jf.Contents) -> None:
    """The file has what it had. Entries of version 1 get a place on the journal's clock, and no others another one."""
    keys = list(mended.entries), list(before.entries)
    expect(keys[0] == keys[1], "the mended file has", keys[0], "instead of", keys[1])
    for key, entry in before.entries.items():
        is_old = entry.clock is None
        expected = replace(entry, clock=mended.entries[key].clock) if is_old else entry
        expect(mended.entries[key] == expected, "the mended file has", mended.entries[key], "instead of", entry)
        expect(mended.entries[key].clock is not None, "the mended file has an entry of version 1:", mended.entries[key])


# ---- The campaign ----


def try_cases(sources: list[Source], cases: list[Case]) -> Verdict:
    """In a worker: a process of its own, so that a crash of the library ends the worker and not the campaign."""
    verdict = Verdict()
    with tempfile.TemporaryDirectory(prefix="pbk-torn-", dir=jf.memory_folder()) as name:
        for case in cases:
            source = sources[case.source]
            data = case.apply(source.data)
            verdict.counts[case.kind] += 1
            try:
                Trial(Path(name), data, source.replies, verdict.counts).run(case)
            except (Violation, AssertionError, KeyError, TypeError, ValueError, OSError) as error:
                label = f"{source.name}-{case.kind}-{case.at}"
                verdict.violations.append(f"{label}: {type(error).__name__}: {error}")
                keep(label, data)
            if len(verdict.violations) == SHOWN:
                break
    return verdict


def keep(label: str, data: bytes) -> None:
    KEPT.mkdir(parents=True, exist_ok=True)
    if len(list(KEPT.iterdir())) < 2 * SHOWN:
        (KEPT / label).write_bytes(data)


def try_all(sources: list[Source]) -> Verdict:
    cases = [case for number, source in enumerate(sources) for case in cases_of(number, source.data)]
    size = max(1, min(200, len(cases) // (4 * WORKERS)))
    chunks = [cases[start : start + size] for start in range(0, len(cases), size)]
    total = Verdict()
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        pending = [(chunk, pool.submit(try_cases, sources, chunk)) for chunk in chunks]
        for chunk, result in pending:
            try:
                total.add(result.result())
            except BrokenProcessPool:
                total.violations.append(f"a worker died in {chunk[0]} ... {chunk[-1]} or beside it")
                break
            if len(total.violations) >= SHOWN:
                total.violations.append("the rest was left out")
                pool.shutdown(cancel_futures=True)
                break
    return total


def main() -> int:
    begun = time.monotonic()
    shutil.rmtree(KEPT, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="pbk-torn-") as name:
        sources = make_sources(Path(name))
    verdict = Verdict(violations=[fault for source in sources for fault in faults_of_source(source)])
    verdict.add(try_all(sources))
    counts, kinds = verdict.counts, ("cut", "flip", "page", "tail", "scatter", "stray")
    print("journals  " + ", ".join(f"{source.name} {len(source.data)} bytes" for source in sources))
    print(
        f"spoiled   {counts['cut']} cuts, {counts['flip']} flipped bits, {counts['page']} lost pages, "
        f"{counts['tail']} tails of zeros, {counts['scatter']} damaged at random, {counts['stray']} stray blocks "
        f"(stride {STRIDE})"
    )
    print("found     " + ", ".join(f"{count} {what}" for what, count in counts.items() if what not in kinds))
    print(f"violated  {len(verdict.violations)} in {time.monotonic() - begun:.0f} s")
    for violation in verdict.violations[:SHOWN]:
        print(f"  {violation}")
    return 1 if verdict.violations else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        record(sys.argv[2], sys.argv[3])
    else:
        sys.exit(main())
