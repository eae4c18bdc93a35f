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

import os
import shutil
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
from random import Random

import journal_file as jf
from torn_journals import Source, Violation, faults_of_source, make_sources
from torn_trial import Trial

STRIDE = int(os.environ.get("TORN_STRIDE", "101"))
WORKERS = int(os.environ.get("TORN_WORKERS", "2"))
KEPT = jf.ROOT / "build" / "torn"
SHOWN = 10
BLOCK = 512


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


# ---- The campaign ----


@dataclass
class Verdict:
    """What came of some cases."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, other: Verdict) -> None:
        self.counts += other.counts
        self.violations += other.violations


def try_cases(sources: list[Source], cases: list[Case]) -> Verdict:
    """In a worker: a process of its own, so that a crash of the library ends the worker and not the campaign."""
    verdict = Verdict()
    with tempfile.TemporaryDirectory(prefix="pbk-torn-", dir=jf.memory_folder()) as name:
        for case in cases:
            source = sources[case.source]
            data = case.apply(source.data)
            verdict.counts[case.kind] += 1
            try:
                Trial(Path(name), data, source.replies, verdict.counts).run(case.at)
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
    sys.exit(main())
