#!/usr/bin/env python3
"""A disk that fills up, fails, hangs or vanishes under the journal, and a journal that two want at once.

    python Tests/campaigns/disk.py [SCENARIO ...]

Each scenario runs in a process of its own, once with `journal_required` and once without, on a client of the embedded
sandbox. Faults come from `Tests/c/disk_faults.c`, loaded ahead of libc, and where mounting is permitted from a small
tmpfs. In every scenario:

- during the trouble a booking ends as promised: `journal_unavailable` and `not_sent`, or sent with `"journaled":false`
- a search on the same client is not kept waiting by it
- what was told `not_sent` was not sent: it is neither on the sandbox's list nor pending, not even had the process been
  killed in the middle of it (a copy of the file as it was then is opened)
- an earlier booking in doubt is never lost
- when the trouble is over the next booking succeeds, every booking is on the sandbox's list once, and the journal opens
  again without damage, holding what it should

Prints counts and ends with 1 when anything was violated. Read from the environment:

    DISK_ROUNDS      how often each scenario is run (1)
    DISK_WORKERS     processes at once; most of them wait (4)
    CC               the compiler (cc)
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import disk_hangs
import disk_locks
import disk_opening
import disk_under_way
import disk_writing
import journal_file as jf
from disk_stage import Faults, NotPermitted, Scenario, Stage

ROUNDS = int(os.environ.get("DISK_ROUNDS", "1"))
WORKERS = int(os.environ.get("DISK_WORKERS", "4"))
FAULTS_SOURCE = jf.ROOT / "Tests" / "c" / "disk_faults.c"
SCENARIO_SECONDS = 40
SHOWN = 20

SCENARIOS: dict[str, Scenario] = {
    **disk_writing.SCENARIOS,
    **disk_under_way.SCENARIOS,
    **disk_hangs.SCENARIOS,
    **disk_opening.SCENARIOS,
    **disk_locks.SCENARIOS,
}
ONCE = {name for name in SCENARIOS if name.startswith(("locked", "freed"))}
"""Where `journal_required` makes no difference."""


@dataclass
class Result:
    """What a scenario's process has told."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    is_skipped: bool = False


def play(name: str, folder: Path, required: bool) -> None:
    """In the scenario's own process. What was found so far counts even if it ends in the middle."""
    stage = Stage(folder, required)
    is_skipped = False
    try:
        SCENARIOS[name](stage)
    except NotPermitted:
        is_skipped = True
    except Exception as error:
        stage.violations.append(f"ended in the middle: {type(error).__name__}: {error}")
    stage.counts["faults met"] = stage.faults.met
    violations = [violation.replace(f"{folder}/", "") for violation in stage.violations]
    print(json.dumps({"counts": stage.counts, "violations": violations, "is_skipped": is_skipped}), flush=True)
    os._exit(0)


def run(name: str, required: bool, library: Path, folder: Path) -> Result:
    folder.mkdir()
    command = [sys.executable, __file__, "--play", name, str(folder), str(int(required))]
    environment = {**os.environ, **Faults.environment(library, folder, Stage.journal_in(folder))}
    result = Result(f"{name} ({'required' if required else 'optional'})")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            output, _ = process.communicate(timeout=SCENARIO_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            result.violations.append(f"not over after {SCENARIO_SECONDS} s")
    if output:
        told = json.loads(output)
        result.counts, result.is_skipped = Counter(told["counts"]), told["is_skipped"]
        result.violations += told["violations"]
    elif not result.violations:
        result.violations.append(f"the process ended with {process.returncode} and told nothing")
    return result


def compile_faults(folder: Path) -> Path:
    library = folder / "disk_faults.so"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    options = ["-std=c11", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*compiler, *options, "-o", str(library), str(FAULTS_SOURCE)], check=True)
    return library


def main(names: list[str]) -> int:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pbk-disk-") as temporary:
        root = Path(temporary).resolve()
        library = compile_faults(root)
        turns = [(name, required) for name in names for required in (True, False) if required or name not in ONCE]
        with ThreadPoolExecutor(WORKERS) as pool:
            started = [
                pool.submit(run, name, required, library, root / f"{number}-{name}")
                for number, (name, required) in enumerate(turns * ROUNDS)
            ]
            results = [each.result() for each in started]
    return print_results(results, time.monotonic() - begun)


def print_results(results: list[Result], seconds: float) -> int:
    counts = sum((result.counts for result in results), Counter())
    violations = [f"{result.name}: {violation}" for result in results for violation in result.violations]
    skipped = sorted({result.name for result in results if result.is_skipped})
    told = ", ".join(f"{counts[what]} {what}" for what in sorted(counts) if what not in ("checks", "faults met"))
    print(f"scenarios {len(results) - len(skipped)} run, {len(skipped)} skipped {' '.join(skipped)}".rstrip())
    print(f"found     {counts['faults met']} faults met, {told}")
    print(f"violated  {len(violations)} of {counts['checks']} checks in {seconds:.0f} s")
    for violation, count in list(Counter(violations).items())[:SHOWN]:
        print(f"  {violation}" + (f" ({count} times)" if count > 1 else ""))
    return 1 if violations else 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--play", name, folder, required]:
            play(name, Path(folder), required == "1")
        case names if set(names) <= set(SCENARIOS):
            sys.exit(main(names or list(SCENARIOS)))
        case names:
            sys.exit(f"no such scenario: {', '.join(sorted(set(names) - set(SCENARIOS)))}")
