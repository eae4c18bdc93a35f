"""What a submission costs the caller's thread: with nothing under way, a server that stalls, a resolver that hangs."""

from __future__ import annotations

import json
from typing import Any

from common import BUILD, median, quantile, run, save, setting, show
from servers import Servers, Way

ROUNDS = setting("BENCH_SUBMIT_ROUNDS", 3, 1)
COUNT = setting("BENCH_SUBMIT_COUNT", 2048, 256)  # whole bursts
BURST = 64
SITUATIONS = {"idle": 0, "server stalls": 512, "resolver hangs": 64}  # searches under way
CONTESTANTS = {"ours": "pbk_submit", "queued": "libcurl, queued", "locked": "libcurl, locked",
               "eventfd": "one eventfd write"}
SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}


def ways(servers: Servers) -> dict[str, Way]:
    return {"idle": servers.h2, "server stalls": servers.stalled["TLS, HTTP/2"],
            "resolver hangs": Way("a name", "https://name.invalid", "")}


def samples(contestant: str, situation: str, burst: int, way: Way, cores: tuple[int, int]) -> list[int]:
    """Nanoseconds. `cores` are the caller's and that of the thread that does the work."""
    command = [str(BUILD / "bench_submit"), contestant, str(SITUATIONS[situation]), str(burst), str(COUNT), way.url,
               way.ca_file, *map(str, cores)]
    return json.loads(run(command, None))["ns"]


def plan() -> list[tuple[str, str, str, str]]:
    """What is measured: situation, pace, where the caller's thread runs, contestant."""
    found = []
    for situation in SITUATIONS:
        for contestant in CONTESTANTS:
            if contestant != "eventfd":
                found.append((situation, "bursts", "apart", contestant))
            if contestant != "eventfd" or situation == "idle":
                found.append((situation, "paced", "apart", contestant))
            if situation == "idle":
                found.append((situation, "paced", "together", contestant))
    return found


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    server_core, caller_core = (-1 if core is None else core for core in cores)
    placements = {"apart": (caller_core, server_core), "together": (caller_core, caller_core)}
    raw: dict[tuple[str, str, str, str], list[int]] = {key: [] for key in plan()}
    for _ in range(ROUNDS):
        for situation, pace, placement, contestant in raw:
            burst = BURST if pace == "bursts" else 1
            raw[situation, pace, placement, contestant] += samples(
                contestant, situation, burst, ways(servers)[situation], placements[placement])
    figures = [
        {"situation": situation, "pace": pace, "placement": placement, "contestant": contestant,
         **{name: quantile(ns, share) / 1000 for name, share in SHARES.items()}, "ns": ns}
        for (situation, pace, placement, contestant), ns in raw.items()]

    rows = [["", "", "", *(f"{name}, us" for name in SHARES)]]
    for pace, placement in (("paced", "apart"), ("paced", "together"), ("bursts", "apart")):
        for figure in figures:
            if (figure["pace"], figure["placement"]) == (pace, placement):
                where = pace if placement == "apart" else f"{pace}, one core"
                rows.append([f"{figure['situation']}, {where}", CONTESTANTS[figure["contestant"]], "",
                             *(f"{figure[name]:.1f}" for name in SHARES)])
    show(f"Handing a search over, on the caller's thread: {ROUNDS} rounds of {COUNT} submissions each", rows,
         "paced: one each 0.2 to 1 ms, everybody sleeps when it comes, so it includes waking a thread; bursts: "
         f"{BURST} in a row", "idle: nothing is under way; server stalls: 512 searches are, over TLS and HTTP/2; "
         "resolver hangs: 64 are, in their look-up",
         "libcurl, queued: a handle made and set up, put into a list for the thread that drives them; locked: given to "
         "the multi handle behind a lock",
         "one core: the thread that is woken shares the caller's core, and may take it before the caller goes on")
    ours, wake = (median(f["p50"] for f in figures if (f["situation"], f["pace"], f["placement"], f["contestant"])
                         == ("idle", "paced", "apart", who)) for who in ("ours", "eventfd"))
    print(f"waking a thread costs {wake:.1f} us of the {ours:.1f} us of a paced submission: {ours - wake:+.1f} us, "
          f"ratio {ours / wake:.2f}")
    save("submit", {"rounds": ROUNDS, "count": COUNT, "burst": BURST, "figures": figures})
    return {"figures": figures}
