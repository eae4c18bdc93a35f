"""The journals that torn.py spoils, as the library leaves them, and what must be in each.

`python torn_journals.py PATH HOW` makes one in a process of its own, and waits to be killed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import journal_file as jf
import pbk
from samples import BOT_ID, PHONE

TRIES = 4
"""For a journal that has to be killed at the right moment."""


class Violation(Exception):
    """A promise was not kept."""


def expect(condition: bool, *words: object) -> None:
    if not condition:
        raise Violation(" ".join(str(word) for word in words))


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


ODD_NAME = "Zoë \u202e🦷 \u2028Ωmega"
ODD_NOTES = 'tab\tline\nreturn\r"quoted" back\\slash pbk1 0123456789abcdef {} /\u00e9'
ODD_KEY = "k\"\\{}[]:,'~!\\n"
ODD_CALL = 'call \u202e🦷 "7"\n'
ESCAPED = (
    '{ "bot_id":"' + BOT_ID + '", "idempotency_key":"escaped\\u002d1",\n "booking" : {"notes":"\\u00fc\\/\\ud83e\\udd'
    'b7",'
    '"start_at":"2030-01-14T12:00:00Z","duration_minutes":30,"customer":{"name":"A\\u0042","phone":"' + PHONE + '"},'
    '"x_price":1.50E+2},"x_unknown":[null,true,{"deep":[]}]}'
)

STEPS = [
    Step(request("old-plain", "2030-01-15T09:00:00Z")),
    Step(request("old-in-doubt", "2030-01-15T09:30:00Z"), is_lost=True),
    Step(request("old-corrected", "2030-01-15T20:30:00Z")),
    Step(request("old-corrected", "2030-01-15T10:00:00Z")),
    Step(request("plain", "2030-01-14T09:00:00Z"), is_blocking=True),
    Step(request("in-doubt", "2030-01-14T09:30:00Z", "call-1"), is_lost=True),
    Step(request(ODD_KEY, "2030-01-14T10:00:00Z", ODD_CALL, name=ODD_NAME, notes=ODD_NOTES)),
    Step(request("refused", "2030-01-14T20:00:00Z")),
    Step(request("corrected", "2030-01-14T20:30:00Z")),
    Step(request("corrected", "2030-01-14T10:30:00Z", "call-2"), is_kept=True),
    Step(request("doubt-settled", "2030-01-14T11:00:00Z"), is_lost=True),
    Step(request("in-doubt-odd", "2030-01-14T11:30:00Z", name=ODD_NAME, notes=ODD_NOTES), is_lost=True),
    Step(request("doubt-settled", "2030-01-14T11:00:00Z")),
    Step(request("refused-unheard", "2030-01-14T20:00:00Z", ODD_CALL), is_kept=True),
    Step(request("not-sent-unheard", "2030-01-14T21:00:00Z"), is_kept=True),
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
    """The sandbox is closed in the evening."""
    return "T20:" in request or "T21:" in request


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
    command = [sys.executable, __file__, str(path), how]
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


if __name__ == "__main__":
    record(*sys.argv[1:])
