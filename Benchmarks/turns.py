"""Programs that take turns: each obeys a line that says who makes how many calls, and answers with what they took."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from common import BUILD, HERE, LIBRARY, ROOT, ended_at_the_end, median, started

# The package as it lies in the repository, on the library that was built there: what a wheel would hold.
ENVIRONMENT = {**os.environ, "PARTNERBOOKING_LIBRARY": str(LIBRARY), "PYTHONPATH": str(ROOT / "bindings" / "python")}
COMMANDS = {"native": [str(BUILD / "bench_turns")],
            **{loop: [sys.executable, str(HERE / "bench_turns.py"), loop] for loop in ("asyncio", "uvloop")}}


@dataclass(frozen=True)
class Contestant:
    label: str
    program: str
    """One of COMMANDS."""
    name: str
    """As that program knows it."""
    in_flight: int
    calls: int
    """In each turn."""
    process: str = ""
    """Those with the same share a process; so it must be the same program."""


class Programs:
    """One process for all contestants with the same program and `process`, started when it is first needed."""

    def __init__(self, base_url: str, core: int | None) -> None:
        self._base_url, self._core = base_url, core
        self._stack = contextlib.ExitStack()
        self._running: dict[tuple[str, str], subprocess.Popen] = {}

    def __enter__(self) -> Programs:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def tell(self, contestant: Contestant, line: str) -> dict[str, Any]:
        key = contestant.program, contestant.process
        if key not in self._running:
            self._running[key] = self._stack.enter_context(ended_at_the_end(started(
                [*COMMANDS[contestant.program], self._base_url], self._core, env=ENVIRONMENT, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)))
        process = self._running[key]
        process.stdin.write(line + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            sys.exit(f"benchmark ended: {contestant.label} failed at {line!r}")
        return json.loads(answer)

    def turn(self, contestant: Contestant, calls: int) -> dict[str, Any]:
        return self.tell(contestant, f"{contestant.name} {contestant.in_flight} {calls}")


def rotated(contestants: list[Contestant], number: int) -> Iterable[Contestant]:
    """Each round begins with another one."""
    at = number % len(contestants)
    return contestants[at:] + contestants[:at]


def paired(rounds: list[dict[Contestant, dict[str, float]]], one: Contestant, other: Contestant, key: str,
           is_ratio: bool) -> float:
    """How two compare: round by round, and the median of that."""
    pairs = [(turn[one][key], turn[other][key]) for turn in rounds]
    return median(mine / others if is_ratio else mine - others for mine, others in pairs)
