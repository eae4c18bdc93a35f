#!/usr/bin/env python3
"""A journal that was cut or damaged anywhere opens, keeps every intact entry and invents none.

    python Tests/campaigns/torn.py

Three journals made by the library (its process killed, closed, and compacted), and one as version 1 wrote it, are cut
at every offset, have every bit flipped and every block of 512 bytes zeroed, as a lost page would leave it, and are
opened. What must be found is told by `journal_file.py`, which shares no code with the library. For each file:

- it opens; only one that does not begin as a journal does, and has no intact line, may be refused, and stays as it is
- exactly the intents that are intact, and have no intact end after them, are pending
- the reply of every intact settled booking comes again, byte for byte, and nothing is sent for it
- the bytes that are torn off or damaged are told, and the copy of a damaged file is the file that was found
- nothing is sent unasked when there is damage, not even with `resume_on_open`
- when it is opened again there is no damage, all of it is of version 2, and every pending booking is resumed, when
  asked for or by `resume_on_open`: with its own body, once. One that was cancelled is resumed only when asked for. One
  that is refused stays in doubt, because its first request may have been more lucky

Prints counts and ends with 1 when anything was violated; the files of the first violations stay in `build/torn`.
Read from the environment:

    TORN_STRIDE      of offsets and bits: 1 tries all; the ends of lines are always tried (default 101)
    TORN_WORKERS     processes at once (default 2)
"""

from __future__ import annotations

import hashlib
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
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
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


# ---- The journals to spoil ----


@dataclass(frozen=True)
class Step:
    """One booking of the journal: its request as text, and whether the sandbox loses the reply. One that is withdrawn
    is cancelled after that.
    """

    request: str
    is_lost: bool = False
    is_withdrawn: bool = False

    @property
    def key(self) -> str:
        return json.loads(self.request)["idempotency_key"]


def request(key: str, start_at: str, **members: Any) -> str:
    customer = {"phone": PHONE, "name": members.pop("name", "Johanna Mustermann")}
    booking = {"start_at": start_at, "duration_minutes": 30, "customer": customer, **members}
    return json.dumps({"bot_id": BOT_ID, "idempotency_key": key, "booking": booking}, ensure_ascii=False)


ODD_NAME = "Zoë \u202e🦷 \u2028Ωmega\u007f"
ODD_NOTES = 'tab\tline\nreturn\r"quoted" back\\slash pbk1 0123456789abcdef {} \x01\x1f/\u00e9'
ODD_KEY = "k\"\\{}[]:,'~!\\n"
ESCAPED = (
    '{ "bot_id":"' + BOT_ID + '", "idempotency_key":"escaped\\u002d1",\n "booking" : {"notes":"\\u00fc\\/\\ud83e\\udd'
    'b7",'
    '"start_at":"2030-01-14T12:00:00Z","duration_minutes":30,"customer":{"name":"A\\tB","phone":"' + PHONE + '"},'
    '"x_price":1.50E+2},"x_unknown":[null,true,{"deep":[]}]}'
)

STEPS = [
    Step(request("plain", "2030-01-14T09:00:00Z")),
    Step(request("in-doubt", "2030-01-14T09:30:00Z"), is_lost=True),
    Step(request(ODD_KEY, "2030-01-14T10:00:00Z", name=ODD_NAME, notes=ODD_NOTES)),
    Step(request("refused", "2030-01-14T03:00:00Z")),
    Step(request("corrected", "2030-01-14T03:30:00Z")),
    Step(request("corrected", "2030-01-14T10:30:00Z")),
    Step(request("doubt-settled", "2030-01-14T11:00:00Z"), is_lost=True),
    Step(request("in-doubt-odd", "2030-01-14T11:30:00Z", name=ODD_NAME, notes=ODD_NOTES), is_lost=True),
    Step(request("doubt-settled", "2030-01-14T11:00:00Z")),
    Step(request("withdrawn", "2030-01-14T13:30:00Z"), is_lost=True, is_withdrawn=True),
    Step(ESCAPED, is_lost=True),
    Step(request("long", "2030-01-14T12:30:00Z", notes="Ünïcode " * 90)),
    Step(request("in-doubt-last", "2030-01-14T13:00:00Z"), is_lost=True),
]
REQUESTS = {step.key: step.request for step in STEPS}
"""The last request of each key, which is the one that counts."""

WITHDRAWN = {"withdrawn"}
IN_DOUBT = {"in-doubt", "in-doubt-odd", "escaped-1", "in-doubt-last", *WITHDRAWN}
SETTLED = {"plain", ODD_KEY, "corrected", "doubt-settled", "long"}


def record(path: str, how: str) -> None:
    """In a process of its own: makes the journal, then closes it, waits for its compaction or just is killed."""
    lost = [number for number, step in enumerate(STEPS, 1) if step.is_lost]
    client = pbk.Client(jf.sandbox_config(Path(path), lose=lost, **jf.AT_ONCE))
    replies = {}
    for step in STEPS:
        answer = cancel(client, step.request) if step.is_withdrawn else jf.book(client, step.request)
        expected = "unknown" if step.is_lost else "rejected" if "T03:" in step.request else None
        assert answer.outcome == expected, (step, answer)
        replies[step.key] = answer.reply.decode()
    if how == "closed":
        client.close()
    if how == "compacted":
        before = os.stat(path).st_size
        deadline = time.monotonic() + 20
        while os.stat(path).st_size >= before:
            assert time.monotonic() < deadline, "the journal was not compacted"
            time.sleep(0.02)
        client.close()
    print(json.dumps(replies), flush=True)
    signal.pause()


def cancel(client: pbk.Client, request: str) -> jf.Answer:
    """Ends the call while it waits to ask again."""
    ticket = jf.submitted(client, pbk.BOOK, request[:-1] + ',"timeout_ms":30000}')
    time.sleep(0.5)
    assert client.cancel(ticket) == jf.OK
    return jf.answer_of(jf.next_done(client))


@dataclass(frozen=True)
class Source:
    """A journal as the library left it."""

    name: str
    data: bytes
    replies: dict[str, bytes]


def make_source(how: str, folder: Path) -> Source:
    path = folder / f"{how}.journal"
    command = [sys.executable, __file__, "--record", str(path), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.kill()
    if not line:
        sys.exit(f"no journal to spoil: the library did not make one ({how})")
    replies = {key: reply.encode() for key, reply in json.loads(line).items()}
    return Source(how, path.read_bytes(), replies)


def of_version_1(source: Source) -> Source:
    """The same as an earlier version of the library would have left it, which noted no cancel."""
    lines = []
    for line in source.data.split(b"\n")[:-1]:
        record = jf.read_line(line)
        assert record is not None
        if record["type"] == "withdrawn":
            continue
        if record["type"] == "journal":
            record["version"] = 1
            text = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
        else:
            text = line.split(b" ", 2)[2]
        lines.append(b"pbk1 " + hashlib.sha256(text).hexdigest()[:16].encode() + b" " + text + b"\n")
    return Source("version 1", b"".join(lines), source.replies)


def faults_of_source(source: Source) -> list[str]:
    """What the reading from the format has against a journal nobody has spoiled."""
    contents = jf.read(source.data)
    expected = {key: source.replies[key] for key in SETTLED}
    found = []
    if not contents.is_whole:
        found.append(f"{source.name}: not whole as the library wrote it: {contents}")
    if set(contents.pending) != IN_DOUBT:
        found.append(f"{source.name}: unsettled are {sorted(contents.pending)}")
    if contents.withdrawn != (set() if source.name == "version 1" else WITHDRAWN):
        found.append(f"{source.name}: withdrawn are {sorted(contents.withdrawn)}")
    if contents.settled != expected:
        found.append(f"{source.name}: settled are {contents.settled}, told was {expected}")
    return found


# ---- Spoiling ----


@dataclass(frozen=True)
class Case:
    """One way to spoil a journal. `at` is an offset for a cut, a bit for a flip, a block for a lost page."""

    source: int
    kind: str
    at: int

    def apply(self, data: bytes) -> bytes:
        if self.kind == "cut":
            return data[: self.at]
        if self.kind == "tail":
            return data[: self.at] + bytes(len(data) - self.at)
        spoiled = bytearray(data)
        if self.kind == "flip":
            spoiled[self.at // 8] ^= 1 << (self.at % 8)
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
            self.replay(client, contents)
            self.settle(client)
        self.second_look(contents, resumes_on_open=case.at % 2 == 1)

    def refused(self, error: dict[str, Any]) -> None:
        """Only a file that does not begin as a journal does, and it stays as it is."""
        start = jf.MAGIC[: len(self.data)]
        expect(not self.data.startswith(start), "refused, though it begins as a journal:", error)
        expect(self.readings[0].intact_lines == 0, "refused, though there are intact lines:", error)
        expect((error["code"], error["field"]) == ("invalid_config", "journal_path"), "refused with", error)
        expect(self.path.read_bytes() == self.data, "a file that was refused has been changed")
        self.counts["refused, as it does not begin as a journal"] += 1

    def first_look(self, client: pbk.Client) -> jf.Contents:
        listing = jf.pending(client)
        report = listing["journal"]
        expect(report is not None and report["path"] == str(self.path), "journal is", report)
        found = {entry["idempotency_key"]: entry for entry in listing["pending_bookings"]}
        expect(len(found) == len(listing["pending_bookings"]), "a key is listed twice", listing)
        fitting = [reading for reading in self.readings if set(reading.pending) == set(found)]
        expected: list[Any] = [sorted(reading.pending) for reading in self.readings]
        expect(fitting != [], "pending are", sorted(found), "instead of", expected)
        lost = (report["torn_bytes"], report["damaged_bytes"])
        expected = [(reading.torn_bytes, reading.damaged_bytes) for reading in fitting]
        fitting = [reading for reading, bytes_lost in zip(fitting, expected) if bytes_lost == lost]
        expect(fitting != [], "torn and damaged are", lost, "instead of", expected)
        self.compare_entries(found, fitting[0])
        self.check_copy(report)
        self.counts["told to be torn"] += report["torn_bytes"] > 0
        self.counts["told to be damaged"] += report["damaged_bytes"] > 0
        self.counts["pending bookings found"] += len(found)
        return fitting[0]

    def compare_entries(self, found: dict[str, Any], reading: jf.Contents) -> None:
        for key, body in reading.pending.items():
            entry, booking = found[key], body["booking"]
            told = (entry["bot_id"], entry["start_at"], entry["duration_minutes"])
            expected = (body["bot_id"], booking["start_at"], booking["duration_minutes"])
            expect(told == expected, "listed is", entry, "and recorded was", expected)
            told = (entry["state"], entry["in_flight"], entry["expired"])
            expect(told == ("in_doubt", False, False), "listed is", entry)

    def check_copy(self, report: dict[str, Any]) -> None:
        copy = report["damaged_copy"]
        if copy is None:
            expect(report["damaged_bytes"] == 0, "damage without a copy:", report)
            return
        expect(Path(copy).read_bytes() == self.data, "the copy is not the file that was found")
        expect(stat.S_IMODE(os.stat(copy).st_mode) == 0o600, "the copy can be read by others")
        self.counts["copies, each the file that was found"] += 1

    def replay(self, client: pbk.Client, contents: jf.Contents) -> None:
        """The sandbox of this client is empty: what comes with a booking in it came from the journal."""
        for key, reply in contents.settled.items():
            answer = jf.book(client, REQUESTS[key])
            expect(answer.status == jf.OK and answer.timing.get("replayed") is True, key, "is not replayed:", answer)
            expect(answer.reply == reply == self.replies[key], key, "is replayed as", answer.reply)
            self.counts["replies replayed"] += 1
        sent = jf.sandbox_bookings(client)
        expect(sent == [], "sent though it is settled:", sent)

    def settle(self, client: pbk.Client) -> None:
        status = client.close()
        expect(status == jf.OK, "closing gave", status)

    def second_look(self, before: jf.Contents, *, resumes_on_open: bool) -> None:
        """The journal after it was mended, by its format and by the library, which then resumes what is pending."""
        mended = jf.read(self.path.read_bytes())
        expect(mended.is_whole, "the mended file is not whole:", mended)
        expect(mended.pending == before.pending, "the mended file has pending", sorted(mended.pending))
        expect(mended.settled == before.settled, "the mended file has settled", sorted(mended.settled))
        expect(mended.withdrawn == before.withdrawn, "the mended file has withdrawn", sorted(mended.withdrawn))
        lines = self.path.read_bytes().split(b"\n")[:-1]
        expect(all(line.startswith(jf.MAGIC) for line in lines), "the mended file is not of version 2")
        refused = {key for key, body in before.pending.items() if "T03:" in body["booking"]["start_at"]}
        resumed = set(before.pending) - before.withdrawn if resumes_on_open else set()
        config = jf.sandbox_config(self.path, resume_on_open=resumes_on_open, **jf.AT_ONCE)
        with pbk.Client(config) as client:
            listing = jf.pending(client)
            report = listing["journal"]
            expect(report["torn_bytes"] == report["damaged_bytes"] == 0, "damage when opened again:", report)
            if resumes_on_open:
                self.wait_for_resumption(client, resumed - refused)
                sent = {entry["idempotency_key"] for entry in jf.sandbox_bookings(client)}
                expect(sent == resumed - refused, "sent by the opening:", sorted(sent))
            else:
                keys = {entry["idempotency_key"] for entry in listing["pending_bookings"]}
                expect(keys == set(before.pending), "pending when opened again:", sorted(keys))
            booked = [key for key, body in before.pending.items() if self.resume(client, key, body, key in resumed)]
            self.counts["withdrawn bookings left alone"] += resumes_on_open and len(before.withdrawn)
            listed = {entry["idempotency_key"]: entry["start_at"] for entry in jf.sandbox_bookings(client)}
            starts = {key: before.pending[key]["booking"]["start_at"] for key in booked}
            expect(listed == starts, "resumed were", starts, "and booked", listed)
            left = {entry["idempotency_key"] for entry in jf.pending(client)["pending_bookings"]}
            expect(left == refused, "still pending after all were resumed:", sorted(left))
            self.settle(client)
        ended = jf.read(self.path.read_bytes())
        expect(ended.is_whole and set(ended.pending) == refused, "after all were resumed the file holds", ended)
        expect(ended.withdrawn == set(), "withdrawn after all were asked for:", sorted(ended.withdrawn))
        expect(set(ended.settled) == {*before.settled, *booked}, "settled in the end:", sorted(ended.settled))

    def wait_for_resumption(self, client: pbk.Client, keys: set[str]) -> None:
        deadline = time.monotonic() + PATIENCE
        while keys & {entry["idempotency_key"] for entry in jf.pending(client)["pending_bookings"]}:
            expect(time.monotonic() < deadline, "not resumed on opening:", jf.pending(client))
            time.sleep(0.001)

    def resume(self, client: pbk.Client, key: str, body: dict[str, Any], is_over: bool) -> bool:
        """Whether it was booked. What is outside of the opening hours is pending only where the end of it was lost: it
        is refused, and stays in doubt. `is_over` when it was resumed on opening."""
        answer = jf.book(client, {"idempotency_key": key, "resume": True})
        self.counts["bookings resumed on opening" if is_over else "bookings resumed"] += 1
        if "T03:" in body["booking"]["start_at"]:
            expect((answer.code, answer.outcome) == ("in_doubt", "unknown"), key, "resumed:", answer)
            status = answer.error["doubt"]["answer"]["status"]
            expect(status in (400, 409, 422), key, "resumed:", answer)
            return False
        expect(answer.status == jf.OK, key, "resumed:", answer)
        expect(answer.timing.get("replayed", False) is is_over, key, "resumed:", answer.timing)
        return True


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
    return total


def main() -> int:
    begun = time.monotonic()
    shutil.rmtree(KEPT, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="pbk-torn-") as name:
        sources = [make_source(how, Path(name)) for how in ("killed", "closed", "compacted")]
        sources.append(of_version_1(sources[0]))
    verdict = Verdict(violations=[fault for source in sources for fault in faults_of_source(source)])
    verdict.add(try_all(sources))
    counts, kinds = verdict.counts, ("cut", "flip", "page", "tail")
    print("journals  " + ", ".join(f"{source.name} {len(source.data)} bytes" for source in sources))
    print(
        f"spoiled   {counts['cut']} cuts, {counts['flip']} flipped bits, {counts['page']} lost pages, "
        f"{counts['tail']} tails of zeros (stride {STRIDE})"
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
