"""Gaps between RTP packets of sip_engine, as its callers get them, while searches go on beside the
phone calls.

The kernel stamps each packet when it arrives, so a caller that is scheduled late changes nothing.
The loop's thread, and no other, has the scheduling class SCHED_FIFO if this process may give it, as
the audio thread of an engine would. BENCH_SIP_PRIORITY=0 leaves it as it is.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from common import BUILD, CC, HERE, LIB_DIR, ROOT, ended_at_the_end, quantile, save, setting, show, started
from servers import Servers
from sip_caller import Call, Engine, play

RESOLVER = ROOT / "Tests" / "campaigns" / "hanging_resolver.c"
ROUNDS = setting("BENCH_SIP_ROUNDS", 2, 1)
SECONDS = setting("BENCH_SIP_SECONDS", 20, 5)  # with one call twice as long
PRIORITY = setting("BENCH_SIP_PRIORITY", 10, 10)
STALL_SECONDS = 3
DESCRIPTORS = 1024
CALLS = [1, 20]
SITUATIONS = {"nothing": "no searches", "stalls": f"20 a second, {STALL_SECONDS} s each",
              "resolver": "20 a second, resolver hangs", "blocking": "blocking call in the loop"}
SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}


def is_compiled() -> bool:
    options = ["-std=c11", "-O2", "-pthread", "-Wall", "-Wextra", "-Werror", f"-I{ROOT / 'include'}"]
    library = [f"-L{LIB_DIR}", "-lpartnerbooking", "-lcurl", f"-Wl,-rpath,{LIB_DIR}", "-lre", "-lespeak-ng", "-ldl"]
    command = [*CC, *options, "-o", str(BUILD / "bench_sip"), str(HERE / "bench_sip.c"), str(RESOLVER), *library]
    return subprocess.run(command).returncode == 0


@contextlib.contextmanager
def stalling_platform(core: int | None) -> Iterator[str]:
    command = [sys.executable, str(HERE / "stall_server.py"), str(STALL_SECONDS)]
    with ended_at_the_end(started(command, core, stdout=subprocess.PIPE, text=True)) as server:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"


def engine(situation: str, platform: str) -> Engine:
    way = {"nothing": ["nothing"], "stalls": ["ours", platform], "resolver": ["ours", "https://name.invalid"],
           "blocking": ["blocking", platform]}[situation]
    running = Engine([BUILD / "bench_sip", *way])
    if PRIORITY > 0:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(running.process.pid, os.SCHED_FIFO, os.sched_param(PRIORITY))  # its first thread only
    return running


def scheduling() -> str:
    with engine("nothing", "") as running:
        return "SCHED_FIFO" if os.sched_getscheduler(running.process.pid) == os.SCHED_FIFO else "no priority"


def listen(seconds: float, call: Call) -> Iterator[Any]:
    """Presses no key, and hangs up after a while: the engine says its questions again and again."""
    end = time.monotonic() + seconds
    yield lambda: time.monotonic() > end
    call.hang_up()


def gaps(situation: str, count: int, platform: str) -> tuple[list[float], str]:
    """Milliseconds, and what the engine says of its searches."""
    with engine(situation, platform) as running:
        calls = [Call(running.port) for _ in range(count)]
        seconds = SECONDS if count > 1 or situation == "blocking" else 2 * SECONDS
        play(calls, lambda call: listen(seconds, call), seconds + 60)
        running.end()
        for call in calls:
            call.close()
        [searches] = [line for line in running.lines if line.startswith("searches: ")]
        return [gap for call in calls for gap in call.gaps_ms], searches.removeprefix("searches: ")


def answered_calls(new: int = 10, under_way: int = 20) -> int:
    """Counts the new calls that are picked up, after a while with a resolver that hangs, and few
    descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))  # inherited
    try:
        running = engine("resolver", "")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with running:
        calls = [Call(running.port, after=SECONDS if number >= under_way else 0) for number in range(under_way + new)]
        with contextlib.suppress(TimeoutError):
            play(calls, lambda call: listen(5 if call.after else SECONDS + 5, call), SECONDS + 60)
        running.end()
    for call in calls:
        call.close()
    return sum(200 in call.statuses and len(call.frames) > 100 for call in calls[under_way:])


def measure(servers: Servers | None, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    if not is_compiled():
        print("\nsip_engine: not measured (Debian: apt-get install libre-dev libespeak-ng-dev)")
        return {}
    raw: dict[tuple[int, str], list[float]] = {(count, situation): [] for count in CALLS for situation in SITUATIONS}
    searches: dict[str, str] = {}
    with stalling_platform(cores[0]) as platform:
        for _ in range(ROUNDS):
            for count, situation in raw:
                found, searches[situation] = gaps(situation, count, platform)
                raw[count, situation] += found
    answered = answered_calls()
    figures = [{"calls": count, "situation": situation, "packets": len(found),
                **{name: quantile(found, share) for name, share in SHARES.items()}}
               for (count, situation), found in raw.items()]
    rows = [["phone calls, searches", *(f"{name}, ms" for name in SHARES), "packets"]]
    rows += [[f"{f['calls']}, {SITUATIONS[f['situation']]}", *(f"{f[name]:.1f}" for name in SHARES), str(f["packets"])]
             for f in figures]
    show(f"Gaps between RTP packets at the callers: {ROUNDS} rounds of {SECONDS} s or more", rows,
         *(f"{SITUATIONS[situation]}: {text}" for situation, text in searches.items() if situation != "nothing"),
         f"the loop's thread has {scheduling()}; load of the machine {os.getloadavg()[0]:.1f}",
         f"resolver hangs, {DESCRIPTORS} descriptors: {answered} of 10 new calls answered")
    save("sip", {"rounds": ROUNDS, "seconds": SECONDS, "figures": figures, "answered": answered})
    return {"figures": figures}

