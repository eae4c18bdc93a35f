"""Bookings a second and their latency by what keeps them: memory, the journal, PostgreSQL and
Redis. The worth of batches is the rate of many in flight by that of one.

Needs PostgreSQL's and Redis' servers, and the headers of libpq and hiredis. Both stores have
durable settings. """

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

from common import BUILD, CC, HERE, LIB_DIR, ROOT, median, quantile, run, save, setting, show
from journal import kind_of_file_system
from servers import Servers

ROUNDS = setting("BENCH_LEDGERS_ROUNDS", 5, 2)
MILLISECONDS = setting("BENCH_LEDGERS_MS", 1000, 500)
IN_FLIGHT = (1, 64, 512)
BAR, BAR_IN_FLIGHT = 8.0, 64
"""A store with so many in flight makes so many times the bookings of one in flight."""

SCRIPTS = ROOT / "bindings" / "python" / "partnerbooking" / "ledgers"
STORES = ("postgres", "redis")
NAMES = {"memory": "memory", "journal": "journal", "postgres": "PostgreSQL", "redis": "Redis"}


def compile_program() -> str | None:
    """Says what is missing."""
    if shutil.which("pg_config") is None:
        return "pg_config (Debian: apt-get install libpq-dev postgresql)"
    includes = subprocess.run(["pg_config", "--includedir"], capture_output=True, text=True, check=True).stdout.strip()
    headers = ["-include", "libpq-fe.h", "-include", "hiredis/hiredis.h"]
    command = [*CC, "-E", "-x", "c", f"-I{includes}", *headers, "/dev/null"]
    if subprocess.run(command, capture_output=True).returncode != 0:
        return "the headers of libpq and hiredis (Debian: apt-get install libpq-dev libhiredis-dev)"
    options = ["-std=c11", "-O2", "-pthread", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{ROOT / 'include'}"]
    objects = [str(BUILD / "bench_booking.o"), str(BUILD / "bench.o")]
    libraries = [f"-L{LIB_DIR}", "-lpartnerbooking", "-lcurl", "-lpq", "-lhiredis", f"-Wl,-rpath,{LIB_DIR}"]
    source, program = str(HERE / "bench_ledger.c"), str(BUILD / "bench_ledger")
    subprocess.run([*CC, *options, f"-I{includes}", "-o", program, source, *objects, *libraries], check=True)
    return None


@contextlib.contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """What is started now stays on that core."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def one(name: str, in_flight: int, url: str, servers: dict[str, Any], core: int | None) -> dict[str, Any]:
    """One turn, in a scope or on a file of its own."""
    counts = [str(in_flight), str(MILLISECONDS)]
    if name not in STORES:
        with tempfile.TemporaryDirectory(prefix="ledgers-", dir=BUILD) as folder:
            path = f"{folder}/journal" if name == "journal" else ""
            return json.loads(run([str(BUILD / "bench_journal"), "book", url, path, *counts], core))
    script = SCRIPTS / {"postgres": "postgres.sql", "redis": "redis.lua"}[name]
    where = servers[name].url if name == "postgres" else str(servers[name].port)
    command = [str(BUILD / "bench_ledger"), url, *counts, name, where, str(script)]
    return json.loads(run(command, core, stderr=subprocess.DEVNULL))


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    from stores import PostgresServer, RedisServer  # is found once common is imported

    if (what := compile_program()) is not None:
        print(f"\n(ledgers are not measured: {what} is missing)")
        return {}
    contestants = [(name, in_flight) for name in NAMES for in_flight in IN_FLIGHT]
    figures: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        with on_core(cores[0]):
            running = {"postgres": PostgresServer(), "redis": RedisServer()}
        for server in running.values():
            stack.enter_context(server)
        file_system = kind_of_file_system(running["postgres"].directory)
        for number in range(ROUNDS):
            for name, in_flight in contestants if number % 2 == 0 else contestants[::-1]:
                figure = one(name, in_flight, servers.http.url, running, cores[1])
                latency = figure.pop("latency_us")
                figures.append({"round": number, "name": name, "in_flight": in_flight, **figure, "count": len(latency),
                                "p50_us": quantile(latency, 0.5), "p99_us": quantile(latency, 0.99)})
    summary = [summarise(name, in_flight, figures) for name, in_flight in contestants]
    slow = [name for name in STORES if gain(name, BAR_IN_FLIGHT, summary) < BAR]
    verdict = "NOT reached by " + " and ".join(NAMES[name] for name in slow) if slow else "reached"
    head = ["", "in flight", "a second", "p50 us", "p99 us", "by 1 in flight"]
    show(f"Bookings by what keeps them, stores on {file_system}, HTTP/1.1, one core for the client and one for all "
         f"servers: medians of {ROUNDS} rounds of {MILLISECONDS / 1000:g} s each",
         [head, *(row(each, summary) for each in summary)],
         f"the bar of a store, {BAR_IN_FLIGHT} in flight make {BAR:g} times the bookings of 1: {verdict}")
    save("ledgers", {"rounds": ROUNDS, "milliseconds": MILLISECONDS, "file_system": file_system, "summary": summary,
                     "is_bar_reached": not slow, "figures": figures})
    return {"summary": summary, "is_bar_reached": not slow}


def summarise(name: str, in_flight: int, figures: list[dict[str, Any]]) -> dict[str, Any]:
    found = [figure for figure in figures if (figure["name"], figure["in_flight"]) == (name, in_flight)]
    return {"name": name, "in_flight": in_flight,
            **{key: median(figure[key] for figure in found) for key in ("per_s", "p50_us", "p99_us")}}


def gain(name: str, in_flight: int, summary: list[dict[str, Any]]) -> float:
    rates = {figure["in_flight"]: figure["per_s"] for figure in summary if figure["name"] == name}
    return rates[in_flight] / rates[1]


def row(figure: dict[str, Any], summary: list[dict[str, Any]]) -> list[str]:
    return [NAMES[figure["name"]], str(figure["in_flight"]), f"{figure['per_s']:,.0f}", f"{figure['p50_us']:,.0f}",
            f"{figure['p99_us']:,.0f}", f"{gain(figure['name'], figure['in_flight'], summary):.1f}"]
