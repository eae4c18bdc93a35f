"""Gives one client a hostile platform and an honest one, for each behaviour of
`Tests/servers/hostile_server.py`.

    .venv/bin/python Tests/campaigns/hostile.py
    HOSTILE_ALL=1 HOSTILE_MS=3000 .venv/bin/python Tests/campaigns/hostile.py
    HOSTILE_ONLY=h2_goaway,tiny_trailers HOSTILE_MB=0 .venv/bin/python Tests/campaigns/hostile.py

`HOSTILE_MS` says how long calls are made to a hostile platform (default 200). `HOSTILE_MB` is the
rate of its link in megabytes a second (default 100; 0: without limit). `HOSTILE_ALL=1` takes all
behaviours, each with a client of its own and with longer deadlines. `HOSTILE_ONLY` names the
behaviours. `HOSTILE_SEED` repeats the choice of calls.

Searches go to the honest platform all the time. A second client, without a hostile platform, makes
the same searches at the same time: the control. These are violations:

- `slow`: the honest searches take longer than 20 ms at p99. On a busy machine the control is slow,
  too: three times its p99 is added. Above 10 ms of its p99 nothing is judged by time. The longest
  search of a turn does not count: cutting a flood costs one. A slow behaviour is tried four times
  more, and counts if it is slow each time. Behaviours that share a client are not judged by it. Nor
  is a link without limit. `HOSTILE_STRICT=1` judges all, and adds nothing.
- `late`: a call that ends more than a second after its deadline, or not at all.
- `memory`: more than 64 MB above the start.
- `threads`, `descriptors`: more than 24 threads or 200 descriptors above the start.
- `close`: a close that takes longer than its time and a second, or leaves a thread that uses the
  processor.
- `untrue`: `rejected` without a refusal, `not_sent` for a booking that the server has read, success
  without a reply.
- `lost`: a call that fails, other than by its deadline, although the right reply was sent.
- `misnamed`: a cut that is not told as `connection_lost`, or a flood that is told as a lack of
  resources.
- `failed`: an honest search that fails.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import common
import hostile_server
from certificates import Certificates, make_certificates
from hostile_client import HONEST
from hostile_judge import RESOLVER, Turn, judge, percentile, print_turn
from hostile_server import BEHAVIOURS, LINK, MEGABYTE, HostileServer

MS, MB = 200, 100
DEADLINES_MS = {False: [300, 400], True: [500, 1_000, 2_000]}
"""Short, and long."""

DEPTH, TOGETHER_DEPTH, RESOLVER_DEPTH = 8, 3, 40
"""Calls at once: to a platform that has the client for itself, to one of many, to one whose name
does not resolve."""

PAUSE_MS, TOGETHER_PAUSE_MS = 20, 100
"""From the end of a call to the next one in its place."""

AHEAD_MS = 100
TRIES = 5
ALONE = ("flood", "bomb")
RESOLVER_MS = 1_500
"""Look-ups pile up only with time."""

AT_LINK_SPEED = ("h2_window_update",)
"""Part of the short campaign also without a limit of the rate."""

SECRET = "whsec_hostile_0123456789abcdef"


class Campaign:
    def __init__(self, directory: Path, certificates: Certificates, honest_url: str, control: Control) -> None:
        self._directory = directory
        self._certificates = certificates
        self._honest_url = honest_url
        self._control = control
        self.is_long = os.environ.get("HOSTILE_ALL") == "1"
        self.is_strict = os.environ.get("HOSTILE_STRICT") == "1"
        self.load_ms = common.budget("HOSTILE_MS", MS)
        self.seed = common.budget("HOSTILE_SEED", 17)
        self.megabytes = int(os.environ.get("HOSTILE_MB", MB))

    def turns(self) -> list[Turn]:
        only = [name for name in os.environ.get("HOSTILE_ONLY", "").split(",") if name]
        if only or self.is_long:
            every = [name for name in BEHAVIOURS if "honest" not in name] + [RESOLVER]
            return [Turn([name], self.megabytes) for name in only or every]
        turns = []
        for kind in hostile_server.KINDS:
            names = [each.name for each in BEHAVIOURS.values() if each.kind == kind and each.is_short]
            shares = [[name] for name in names] if kind in ALONE else [names]
            turns += [Turn(share, self.megabytes) for share in shares]
        return [*turns, *(Turn([name], 0) for name in AT_LINK_SPEED), Turn([RESOLVER], self.megabytes)]

    def play(self, turn: Turn) -> None:
        """Again while the searches are slow, which a busy machine may be to blame for."""
        for _ in range(TRIES):
            self._play_once(turn)
            judge(turn, self.is_strict)
            if turn.faults.keys() != {"slow"}:
                return

    def _play_once(self, turn: Turn) -> None:
        log = self._directory / "requests"
        log.write_bytes(b"")
        names = [name for name in turn.names if name != RESOLVER]
        with serving(names, self._certificates, turn.megabytes, log) as urls:
            environment = dict(os.environ)
            if RESOLVER in turn.names:
                urls[RESOLVER] = "https://hostile.invalid"
                environment["LD_PRELOAD"] = str(self._resolver())
            orders = {
                "config": config({HONEST: self._honest_url, **urls}, self._certificates),
                "bots": turn.names,
                "load_ms": max(self.load_ms, RESOLVER_MS) if RESOLVER in turn.names else self.load_ms,
                "ahead_ms": AHEAD_MS,
                "depth": RESOLVER_DEPTH if RESOLVER in turn.names else TOGETHER_DEPTH if turn.names[1:] else DEPTH,
                "pause_ms": TOGETHER_PAUSE_MS if turn.names[1:] else PAUSE_MS,
                "timeouts_ms": DEADLINES_MS[self.is_long],
                "seed": self.seed,
            }
            self._control.take_times()
            turn.seen = run_client(orders, environment)
            turn.control_ms = self._control.take_times()
        turn.read = {json.loads(line).get("idempotency_key") for line in log.read_bytes().splitlines()}

    def _resolver(self) -> Path:
        library = self._directory / "resolver.so"
        if not library.exists():
            source = Path(__file__).with_name("hanging_resolver.c")
            subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
        return library


class Control:
    """The client without a hostile platform."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin and process.stdout
        self._orders: IO[str] = process.stdin
        self._answers: IO[str] = process.stdout

    def take_times(self) -> list[float]:
        print(file=self._orders, flush=True)
        return json.loads(self._answers.readline())


def config(urls: dict[str, str], certificates: Certificates) -> dict[str, Any]:
    """Of one client, with a platform at each of the URLs."""
    platforms = {
        bot_id: {"account_id": f"acct_{bot_id}", "webhook_url": f"{url}/hook", "webhook_secret": SECRET}
        for bot_id, url in urls.items()
    }
    return {
        "endpoint": "platform_webhook",
        "platforms": platforms,
        "private_hosts": ["127.0.0.1", "hostile.invalid"],
        "tls": {"ca_file": str(certificates.ca_file)},
        # Each call is sent, however many have failed.
        "circuit_breaker": {"failures": 0},
        "retry": {"budget": 0},
    }


def run_client(orders: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """What the client saw, or nothing when its process did not end."""
    patience = orders["load_ms"] / 1000 + max(orders["timeouts_ms"]) / 1000 + 20
    command = [sys.executable, str(Path(__file__).with_name("hostile_client.py"))]
    try:
        done = subprocess.run(
            command, input=json.dumps(orders), stdout=subprocess.PIPE, text=True, timeout=patience, env=environment
        )
    except subprocess.TimeoutExpired:
        return {}
    return json.loads(done.stdout)


@contextmanager
def serving(names: list[str], certificates: Certificates, megabytes: int, log: Path) -> Iterator[dict[str, str]]:
    """A process with these platforms, on one link. Gives their URLs."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=[names, certificates, megabytes, log, theirs], daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def _serve(names: list[str], certificates: Certificates, megabytes: int, log: Path, urls: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(0.001)
    LINK.bytes_per_second = megabytes * MEGABYTE
    with log.open("ab", buffering=0) as file:
        servers = [HostileServer(name, certificates, file) for name in names]
        urls.send({name: server.url for name, server in zip(names, servers, strict=True)})
        while True:
            time.sleep(3_600)


def main() -> int:
    findings = common.Findings("hostile")
    with tempfile.TemporaryDirectory(prefix="hostile-") as path, ExitStack() as stack:
        directory = Path(path)
        certificates = make_certificates(directory)
        hostile_server.load()
        urls = stack.enter_context(serving([HONEST], certificates, 0, directory / "honest"))
        command = [sys.executable, str(Path(__file__).with_name("hostile_client.py")), "control"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(process.kill)
        print(json.dumps(config(urls, certificates)), file=process.stdin, flush=True)
        campaign = Campaign(directory, certificates, urls[HONEST], Control(process))
        print(
            f"hostile: HOSTILE_MS={campaign.load_ms} HOSTILE_MB={campaign.megabytes} HOSTILE_SEED={campaign.seed} "
            f"HOSTILE_ALL={int(campaign.is_long)}",
            flush=True,
        )
        turns = campaign.turns()
        for turn in turns:
            campaign.play(turn)
            print_turn(turn)
            for kind, what in turn.faults.items():
                findings.violation(kind, f"{turn.title}: {what}")
    conclude(turns, findings)
    return findings.finish()


def conclude(turns: list[Turn], findings: common.Findings) -> None:
    counts: Counter[str] = findings.counts
    seen = [turn for turn in turns if turn.seen]
    counts["behaviours"] = sum(len(turn.names) for turn in turns)
    counts["turns"] = len(turns)
    counts["calls"] = sum(turn.seen["calls"] for turn in seen)
    counts["searches"] = sum(len(turn.seen["times_ms"]) for turn in seen)
    limited = [turn for turn in seen if turn.megabytes]
    counts["p99_us"] = round(1000 * percentile([took for turn in limited for took in turn.seen["times_ms"]]))
    counts["control_p99_us"] = round(1000 * percentile([took for turn in limited for took in turn.control_ms]))
    counts["worst_memory_mb"] = round(max((turn.seen["peak_mb"] for turn in seen), default=0))
    counts["latest_ms"] = round(max((turn.seen["late_ms"] for turn in seen), default=0))
    findings.line("asked", ["behaviours", "turns", "calls", "searches"])
    findings.line("seen", ["p99_us", "control_p99_us", "worst_memory_mb", "latest_ms"])
    findings.line("bounds", ["slow", "late", "memory", "threads", "descriptors", "close"])
    findings.line("words", ["untrue", "lost", "misnamed", "failed"])


if __name__ == "__main__":
    sys.exit(main())
