"""Searches a second with many in flight, and the processor time of each: ours, bare libcurl, other HTTP clients."""

from __future__ import annotations

import json
import os
import shutil
import sys
from typing import Any

from common import BUILD, HERE, median, run, save, setting, show
from servers import REPLY_BYTES, Servers, Way

ROUNDS = setting("BENCH_THROUGHPUT_ROUNDS", 5, 2)
PEER_ROUNDS = setting("BENCH_PEER_ROUNDS", 3, 1)
CALLS = setting("BENCH_THROUGHPUT_CALLS", 10000, 2000)
IN_FLIGHT = (64, 512)
PEER_CALLS = {"fetch": CALLS // 5, "aiohttp": CALLS // 5, "httpx": CALLS // 20, "requests": CALLS // 20}
NAMES = {"ours": "libpartnerbooking", "bare": "bare libcurl", "fetch": "Node fetch", "aiohttp": "aiohttp",
         "httpx": "httpx", "requests": "requests, threads"}
ALWAYS_HTTP1 = {"fetch", "aiohttp", "requests"}


def one(contestant: str, way: Way, in_flight: int, core: int | None) -> dict[str, float]:
    if contestant in ("ours", "bare"):
        command = [str(BUILD / "bench_throughput"), contestant, way.url, way.ca_file, str(in_flight), str(CALLS)]
    elif contestant == "fetch":
        command = ["node", str(HERE / "peer_fetch.mjs"), "throughput", way.url, str(in_flight),
                   str(PEER_CALLS["fetch"])]
    else:
        command = [sys.executable, str(HERE / "peers.py"), "throughput", contestant, way.url, way.ca_file,
                   str(in_flight), str(PEER_CALLS[contestant])]
    return json.loads(run(command, core, env={**os.environ, "NODE_EXTRA_CA_CERTS": way.ca_file}))


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    figures: list[dict[str, Any]] = []
    peers = [peer for peer in PEER_CALLS if peer != "fetch" or shutil.which("node")]
    for number in range(ROUNDS):
        for way in (servers.http, servers.h2):
            for in_flight in IN_FLIGHT:
                contestants = ["ours", "bare"] if number % 2 == 0 else ["bare", "ours"]
                if number < PEER_ROUNDS and in_flight == IN_FLIGHT[0]:
                    contestants += peers
                for contestant in contestants:
                    before = servers.connections()
                    figure = one(contestant, way, in_flight, cores[1])
                    figures.append({"round": number, "way": way.name, "in_flight": in_flight, "contestant": contestant,
                                    **figure, "connections": servers.connections() - before - 1})

    rows = [["", "in flight", "connections", "calls/s", "us of cpu", "calls/s to bare", "cpu to bare"]]
    summary = []
    for way in (servers.http, servers.h2):
        for in_flight in IN_FLIGHT:
            for contestant in NAMES:
                found = [f for f in figures
                         if (f["way"], f["in_flight"], f["contestant"]) == (way.name, in_flight, contestant)]
                if found:
                    summary.append(summarise(found, figures))
                    rows.append(row(summary[-1]))
    show(f"Throughput, {REPLY_BYTES} bytes of reply, one core: medians of {ROUNDS} rounds of {CALLS} calls each "
         f"({PEER_ROUNDS} rounds of fewer calls for the last four)", rows,
         "ratios to bare libcurl are taken round by round; bare keeps its replies and looks at no byte of them, and is "
         "limited to the connections it needs", "over TLS, those marked * speak HTTP/1.1")
    save("throughput", {"rounds": ROUNDS, "calls": CALLS, "peer_calls": PEER_CALLS, "summary": summary,
                        "figures": figures})
    return {"summary": summary}


def summarise(found: list[dict[str, Any]], figures: list[dict[str, Any]]) -> dict[str, Any]:
    def to_bare(figure: dict[str, Any], key: str) -> float:
        return next(figure[key] / other[key] for other in figures if other["contestant"] == "bare"
                    and all(other[name] == figure[name] for name in ("round", "way", "in_flight")))

    return {**{name: found[0][name] for name in ("way", "in_flight", "contestant")},
            **{name: median(f[name] for f in found) for name in ("connections", "calls_per_s", "cpu_us")},
            "calls_to_bare": median(to_bare(f, "calls_per_s") for f in found),
            "cpu_to_bare": median(to_bare(f, "cpu_us") for f in found)}


def row(figure: dict[str, Any]) -> list[str]:
    star = " *" if figure["contestant"] in ALWAYS_HTTP1 and figure["way"].startswith("TLS") else ""
    return [f"{figure['way']}, {NAMES[figure['contestant']]}{star}", str(figure["in_flight"]),
            f"{figure['connections']:.0f}", f"{figure['calls_per_s']:.0f}", f"{figure['cpu_us']:.1f}",
            f"{figure['calls_to_bare']:.3f}", f"{figure['cpu_to_bare']:.3f}"]
