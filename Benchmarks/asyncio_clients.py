"""Searches a second from one asyncio loop with 64 in flight: through this library, aiohttp and httpx."""

from __future__ import annotations

import contextlib
from typing import Any

from common import median, save, setting, show
from servers import REPLY_BYTES, Servers
from turns import Contestant, Programs, paired, rotated

ROUNDS = setting("BENCH_ASYNCIO_ROUNDS", 7, 2)
CALLS = setting("BENCH_ASYNCIO_CALLS", 3200, 640)
HTTPX_CALLS = max(64, CALLS // 20)  # each takes a hundred times longer
IN_FLIGHT = 64
LOOPS = ("asyncio", "uvloop")
OURS = {"package_asyncio_json": "this library, reply as bytes", "package_asyncio_raw": "this library, reply parsed",
        "package_asyncio_typed": "this library, typed"}
PEERS = {"aiohttp": "aiohttp", "httpx": "httpx", "httpx_8": "httpx, 8 connections"}


def contestants(loop: str) -> list[Contestant]:
    """Each in a process of its own, so that none pays for what another has imported."""
    return [Contestant(f"{loop}, {label}", loop, name, IN_FLIGHT, HTTPX_CALLS if "httpx" in name else CALLS, name)
            for name, label in {**OURS, **PEERS}.items()]


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    everybody = [one for loop in LOOPS for one in contestants(loop)]
    rounds: list[dict[Contestant, dict[str, Any]]] = []
    connections: dict[Contestant, int] = {}
    with contextlib.ExitStack() as stack:
        programs = stack.enter_context(Programs(servers.http.url, cores[1]))
        for one in everybody:
            before = servers.connections()
            programs.turn(one, one.calls // 2)  # a warm-up
            connections[one] = servers.connections() - before - 1
        versions = programs.tell(everybody[-1], "versions")
        for number in range(ROUNDS):
            rounds.append({})
            for one in rotated(everybody, number):
                before = servers.connections()
                rounds[-1][one] = programs.turn(one, one.calls)
                rounds[-1][one]["connections"] = servers.connections() - before - 1
    made_later = sum(figure["connections"] for turn in rounds for figure in turn.values())
    summary = [summarise(one, connections[one], rounds) for one in everybody]
    rows = [["", "connections", "calls/s", "us of cpu", "p50, ms", "p99, ms", "calls/s to aiohttp", "to httpx",
             "cpu to aiohttp", "to httpx"]]
    rows += [[f["contestant"], str(f["connections"]), f"{f['calls_per_s']:.0f}", f"{f['cpu_us']:.1f}",
              f"{f['p50_us'] / 1000:.1f}", f"{f['p99_us'] / 1000:.1f}", f"{f['calls_to_aiohttp']:.2f}",
              f"{f['calls_to_httpx']:.1f}", f"{f['cpu_to_aiohttp']:.2f}", f"{f['cpu_to_httpx']:.3f}"] for f in summary]
    show(f"Python, one asyncio loop, {IN_FLIGHT} in flight, {REPLY_BYTES} bytes of reply, HTTP/1.1, one core: "
         f"medians of {ROUNDS} rounds of {CALLS} calls each (httpx {HTTPX_CALLS})", rows,
         ", ".join(f"{name} {version}" for name, version in versions.items())
         + "; aiohttp with its C extensions, JSON by Python's json everywhere",
         "all look at each reply: it is JSON, an object, with a list of availabilities; aiohttp and httpx hand it out "
         "parsed, as does this library in its second row",
         f"ratios are taken round by round on the same loop; connections made after the warm-up: {made_later}",
         "httpx looks through all its connections for each call: with 8 for 64 calls in flight it is at its best")
    save("asyncio", {"rounds": ROUNDS, "calls": CALLS, "in_flight": IN_FLIGHT, "versions": versions, "summary": summary,
                     "figures": [{"round": number, "contestant": one.label, **figure}
                                 for number, turn in enumerate(rounds) for one, figure in turn.items()]})
    return {"summary": summary}


def summarise(one: Contestant, connections: int, rounds: list[dict[Contestant, dict[str, float]]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "contestant": one.label, "connections": connections,
        "calls_per_s": 1e6 / median(turn[one]["us"] for turn in rounds),
        **{key: median(turn[one][key] for turn in rounds) for key in ("cpu_us", "p50_us", "p99_us")}}
    for peer in ("aiohttp", "httpx"):
        other = next(found for found in rounds[0] if (found.program, found.name) == (one.program, peer))
        found[f"calls_to_{peer}"] = paired(rounds, other, one, "us", True)
        found[f"cpu_to_{peer}"] = paired(rounds, one, other, "cpu_us", True)
    return found
