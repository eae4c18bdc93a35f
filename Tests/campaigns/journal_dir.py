"""Kills processes that share one `journal_dir`, at random instants, and starts others in their place: no booking may be
made twice or get lost, the next start must settle all, and there are never more journals than processes.

    .venv/bin/python Tests/campaigns/journal_dir.py
    JOURNAL_DIR_KILLS=100 .venv/bin/python Tests/campaigns/journal_dir.py

`JOURNAL_DIR_KILLS` says how often (default 24), `JOURNAL_DIR_PROCESSES` how many are at work at once (default 8), and
`JOURNAL_DIR_SEED` repeats the choices of a run, though not what the machine makes of them.

The platform is one of the zoo: it is slow at random, loses replies, and answers 503 though it has booked. It looks at
keys first, and clients are told so. Some bookings want a slot that is taken.

One to all processes die at the same moment, some of them as they open their client. As many new ones start together.
In the end all die, and one process starts, settles what is left by `resume_on_open` and closes. Another lists.

The rules:

- No key and no slot has two appointments.
- What somebody was told is true: a booked key is in the books, a refused one is not.
- Every key in the books was reported or listed as booked by some process, or settled by one: nothing is lost.
- The process that settles has no doubt left, and the one that lists has nothing to list.
- At no moment are there more journals than processes, and in the end there is one.
"""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import common
import pbk
from journal_dir_child import Orders, is_taken

KILLS = 24
PROCESSES = 8
PATIENCE = 90.0
LIMIT_MS = 400
NUMBERS_OF_LIFE = 10_000
LONGEST_LIFE = 0.6
LONGEST_OPENING = 0.05
"""Seconds. Half of the dead have lived no longer than that since they were about to open their client."""

JOURNAL = re.compile(r"bookings-[0-9a-f]{8}-[1-9][0-9]*(\.into-[1-9][0-9]*)?\.journal")

PLATFORM: list[dict[str, Any]] = [
    {"is": "keys_first", "in_work": "wait"},
    {"is": "works", "ms": [0, 60], "scale": 1},
    {"is": "fails", "when": "after", "share": 0.1, "first": 1},
    {"is": "drops", "when": "done", "share": 0.1, "first": 1},
]
CONFIG: dict[str, Any] = {
    **common.PLAIN_FAILURES,
    "timeout_ms": 300,
    "retry": {"budget": 0, "base_delay_ms": 5, "max_delay_ms": 20},
    "platform_keys": "first",
    "platform_limit_ms": LIMIT_MS,
    "report_settled": True,
    "resume_on_open": True,
}


class Life:
    """One process from its start to its death."""

    def __init__(self, number: int, mode: str, config: dict[str, Any], bot_id: str, directory: Path) -> None:
        self.reports = directory / f"{number}.reports"
        orders = Orders(mode, config, str(self.reports), bot_id, 1 + number * NUMBERS_OF_LIFE)
        command = [sys.executable, str(Path(__file__).with_name("journal_dir_child.py"))]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(asdict(orders)) + "\n")
        self.process.stdin.flush()

    def wait_until_born(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    def wait(self) -> tuple[int, str]:
        """Its standard input stays open: it would end with it."""
        assert self.process.stderr is not None
        complaint = self.process.stderr.read()
        return self.process.wait(PATIENCE), complaint

    def bury(self) -> str:
        return self.process.communicate(timeout=PATIENCE)[1]


class Campaign:
    def __init__(self, server: Any, directory: Path, findings: common.Findings, seed: int, processes: int) -> None:
        from zoo_http import API_KEY

        self._server, self._directory, self._findings = server, directory, findings
        self._rng = random.Random(seed)
        self._processes = processes
        self._journals = directory / "journals"
        self._bot_id = server.platform(*PLATFORM, seed=seed)
        self._config = {**CONFIG, "api_key": API_KEY, "base_url": server.urls["kept"]}
        self._count = 0
        self._is_over = threading.Event()
        self._called: set[str] = set()
        self._told: dict[str, list[common.Told]] = {}
        self._listed: dict[str, list[str]] = {}

    def run(self, kills: int) -> None:
        config = {name: value for name, value in self._config.items() if name != "resume_on_open"}
        with pbk.Client({**config, "timeout_ms": 30_000}) as client:
            told = common.told(client.book(common.booking(self._bot_id, "taken", 0)))
            assert told.outcome == "booked", told
        watch = threading.Thread(target=self._watch)
        watch.start()
        try:
            alive = [self._start("book") for _ in range(self._processes)]
            while self._findings.counts["kills"] < kills:
                alive = self._kill_some(alive, kills - self._findings.counts["kills"])
            self._kill(alive)
            self._live("settle")
            left = [name for name in _names(self._journals) if JOURNAL.fullmatch(name)]
            self._findings.count("left", len(left))
            if len(left) != 1:
                self._findings.violation("files", f"after the last process: {left}")
            self._live("list")
        finally:
            self._is_over.set()
            watch.join()
        self._judge()

    def _start(self, mode: str) -> Life:
        self._count += 1
        config = {**self._config, "journal_dir": str(self._journals)}
        return Life(self._count, mode, config, self._bot_id, self._directory)

    def _kill_some(self, alive: list[Life], most: int) -> list[Life]:
        dying = self._rng.sample(alive, min(self._rng.choice([1, 1, 1, 2, 2, 3, len(alive)]), most))
        if self._rng.random() < 0.5:
            # They are about to open their client, or in the middle of it.
            dying = alive[-len(dying) :]
            dying[-1].wait_until_born()
            time.sleep(self._rng.uniform(0, LONGEST_OPENING))
        else:
            time.sleep(self._rng.uniform(0, LONGEST_LIFE))
        self._kill(dying)
        self._findings.count("kills", len(dying))
        return [life for life in alive if life not in dying] + [self._start("book") for _ in dying]

    def _kill(self, dying: list[Life]) -> None:
        for life in dying:
            if life.process.poll() is not None:
                self._findings.violation("died", f"before it was killed: {life.bury()}")
            life.kill()
        for life in dying:
            life.bury()
            self._read(life)

    def _live(self, mode: str) -> None:
        """A life that ends by itself."""
        life = self._start(mode)
        try:
            code, complaint = life.wait()
        finally:
            life.kill()
            life.bury()
        if code != 0:
            self._findings.violation("died", f"{mode}: exit code {code}: {complaint}")
        self._read(life, mode)

    def _watch(self) -> None:
        """Nobody starts before the dead are buried, so there are never more processes."""
        while not self._is_over.is_set():
            found = [name for name in _names(self._journals) if JOURNAL.fullmatch(name)]
            self._findings.counts["most_files"] = max(self._findings.counts["most_files"], len(found))
            if len(found) > self._processes:
                self._findings.violation("files", f"{len(found)} of {self._processes} processes: {sorted(found)}")
            time.sleep(0.001)

    # What they left

    def _read(self, life: Life, mode: str = "book") -> None:
        text = life.reports.read_bytes() if life.reports.exists() else b""
        reports = [json.loads(line) for line in text[: text.rfind(b"\n") + 1].splitlines()]
        count = self._findings.count
        count("killed_while_opening", not any(report["what"] == "pending" for report in reports))
        calls: set[str] = set()
        for report in reports:
            match report["what"]:
                case "opened":
                    longest = max(self._findings.counts["longest_opening_ms"], int(report["ms"]))
                    self._findings.counts["longest_opening_ms"] = longest
                case "call":
                    calls.add(report["key"])
                case "told" | "settled":
                    told = common.Told(**report["told"])
                    self._told.setdefault(report["key"], []).append(told)
                    calls.discard(report["key"])
                    count(report["what"])
                    count(told.outcome)
                case "pending":
                    count("adopted", report["journal"]["adopted"])
                    if report["journal"]["left"] or report["journal"]["damaged_bytes"]:
                        self._findings.violation("damaged", str(report["journal"]))
                    for booking in report["bookings"]:
                        self._listed.setdefault(booking["idempotency_key"], []).append(booking["state"])
                        count(f"listed_{booking['state']}")
                        if mode == "list":
                            self._findings.violation("pending", f"after all was settled: {booking}")
                case "unsettled":
                    for key in report["keys"]:
                        self._findings.violation("pending", f"{key} was not settled")
        self._called |= calls
        count("in_flight", len(calls))

    def _judge(self) -> None:
        self._server.wait_until_idle([self._bot_id])
        books = self._server.books(self._bot_id)
        made = [each for each in books["appointments"] if each["key"] != "taken"]
        self._findings.count("made", len(made))
        for key, number in Counter(each["key"] for each in made).items():
            if number > 1:
                self._findings.violation("doubled", f"{key} was made {number} times")
        for slot, number in Counter(each["start_at"] for each in books["appointments"]).items():
            if number > 1:
                self._findings.violation("doubled", f"{number} bookings at {slot}")
        keys = {each["key"] for each in made}
        for key in keys | self._told.keys() | self._listed.keys():
            told, listed = self._told.get(key, []), self._listed.get(key, [])
            ends = {each.outcome for each in told if each.outcome != "unknown"}
            where = f"{key}: told {[(each.outcome, each.code) for each in told]}, listed {listed}"
            if key in keys and "booked" not in ends:
                self._findings.violation("lost", f"{where}, and it was made")
            elif key not in keys and "booked" in ends:
                self._findings.violation("untrue", f"{where}, and it was not made")
            elif key in keys and ends & {"rejected", "not_sent"}:
                self._findings.violation("untrue", f"{where}, and it was made")
            elif key not in keys and not ends:
                self._findings.violation("lost", f"{where}, and it has no end")
            elif key in keys and is_taken(int(key.rsplit("-", 1)[1])):
                self._findings.violation("doubled", f"{where}, and its slot was taken")


def _names(directory: Path) -> list[str]:
    try:
        return [path.name for path in directory.iterdir()]
    except FileNotFoundError:
        return []


def main() -> int:
    from certificates import make_certificates
    from run_zoo import ZooServer

    kills = common.budget("JOURNAL_DIR_KILLS", KILLS)
    processes = common.budget("JOURNAL_DIR_PROCESSES", PROCESSES)
    seed = common.budget("JOURNAL_DIR_SEED", time.time_ns() % 1_000_000_000)
    print(f"journal_dir: JOURNAL_DIR_KILLS={kills} JOURNAL_DIR_SEED={seed} processes={processes}", flush=True)
    findings = common.Findings("journal_dir")
    with tempfile.TemporaryDirectory(prefix="journal-dir-") as directory:
        with ZooServer(make_certificates(Path(directory)).good) as server:
            Campaign(server, Path(directory), findings, seed, processes).run(kills)
    findings.line("deaths", ["kills", "killed_while_opening", "in_flight"])
    findings.line("bookings", ["made", "told", "settled", "booked", "rejected", "not_sent", "unknown"])
    findings.line("starts", ["adopted", "listed_in_doubt", "listed_in_flight", "listed_booked", "listed_refused"])
    findings.line("files", ["most_files", "left", "longest_opening_ms"])
    findings.line("judged", ["doubled", "lost", "untrue", "pending", "files", "damaged", "died"])
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
