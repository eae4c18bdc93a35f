"""Bookings a second with the journal and without, beside what a wait for the disk takes: the worth of group commit."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import tempfile
from typing import Any

from common import BUILD, median, quantile, run, save, setting, show
from servers import Servers

ROUNDS = setting("BENCH_JOURNAL_ROUNDS", 5, 2)
MILLISECONDS = setting("BENCH_JOURNAL_MS", 800, 400)
FOLDER = pathlib.Path(os.environ.get("BENCH_JOURNAL_DIR", BUILD)).absolute()
WITHOUT, WITH, ALONE = "no journal", "journal", "write and fdatasync alone"


def one(
    name: str, in_flight: int, url: str, folder: pathlib.Path, booking_bytes: int, core: int | None
) -> dict[str, Any]:
    """One turn, on a file of its own. The disk alone is given as many bytes as a booking takes in the journal."""
    path = folder / "file"
    program = str(BUILD / "bench_journal")
    if name == ALONE:
        command = [program, "sync", str(path), str(booking_bytes), str(MILLISECONDS)]
    else:
        command = [program, "book", url, str(path) if name == WITH else "", str(in_flight), str(MILLISECONDS)]
    try:
        return json.loads(run(command, core))
    finally:
        for left in folder.iterdir():
            left.unlink()


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    """The first turn tells how many bytes to write when it is the disk's."""
    contestants = [(WITH, 1), (ALONE, 1), (WITH, 64), (WITHOUT, 1), (WITHOUT, 64)]
    figures: list[dict[str, Any]] = []
    booking_bytes = 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="journal-", dir=FOLDER) as folder:
        for number in range(ROUNDS):
            for name, in_flight in contestants if number % 2 == 0 else contestants[::-1]:
                figure = one(name, in_flight, servers.http.url, pathlib.Path(folder), booking_bytes, cores[1])
                booking_bytes = figure["bytes"] or booking_bytes
                latency = figure.pop("latency_us")
                figures.append({"round": number, "name": name, "in_flight": in_flight, **figure, "count": len(latency),
                                "p50_us": quantile(latency, 0.5), "p99_us": quantile(latency, 0.99)})
    summary = [summarise(name, in_flight, figures) for name, in_flight in sorted(contestants, key=order)]
    compared = compare(summary)
    show(f"Bookings, journal on {kind_of_file_system(FOLDER)} ({booking_bytes} bytes a booking), HTTP/1.1, one core: "
         f"medians of {ROUNDS} rounds of {MILLISECONDS / 1000:g} s each",
         [["", "in flight", "a second", "p50 us", "p99 us"], *(row(figure) for figure in summary)],
         "group commit: 64 in flight make {gain:.1f} times the bookings of 1 in flight; in the time of a wait for the "
         "disk alone, 1 in flight makes {one:.2f} bookings and 64 make {many:.2f}".format(**compared))
    save("journal", {"rounds": ROUNDS, "milliseconds": MILLISECONDS, "booking_bytes": booking_bytes,
                     "file_system": kind_of_file_system(FOLDER), "summary": summary, "compared": compared,
                     "figures": figures})
    return {"summary": summary, "compared": compared}


def order(contestant: tuple[str, int]) -> tuple[int, int]:
    return [WITHOUT, WITH, ALONE].index(contestant[0]), contestant[1]


def summarise(name: str, in_flight: int, figures: list[dict[str, Any]]) -> dict[str, Any]:
    found = [figure for figure in figures if (figure["name"], figure["in_flight"]) == (name, in_flight)]
    return {"name": name, "in_flight": in_flight,
            **{key: median(figure[key] for figure in found) for key in ("per_s", "p50_us", "p99_us")}}


def compare(summary: list[dict[str, Any]]) -> dict[str, float]:
    rates = {(figure["name"], figure["in_flight"]): figure["per_s"] for figure in summary}
    one_by_one, many, waits = rates[WITH, 1], rates[WITH, 64], rates[ALONE, 1]
    return {"gain": many / one_by_one, "one": one_by_one / waits, "many": many / waits}


def row(figure: dict[str, Any]) -> list[str]:
    return [figure["name"], str(figure["in_flight"]), f"{figure['per_s']:.0f}", f"{figure['p50_us']:.0f}",
            f"{figure['p99_us']:.0f}"]


def kind_of_file_system(folder: pathlib.Path) -> str:
    """As the kernel names it: a journal in memory would show nothing."""
    kinds = {}
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
            _, place, kind, *_ = line.split()
            kinds[pathlib.Path(place)] = kind  # of two in one place the last hides the other
    real = folder.resolve()
    return next((kinds[place] for place in (real, *real.parents) if place in kinds), "an unknown file system")
