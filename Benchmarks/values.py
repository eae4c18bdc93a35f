#!/usr/bin/env python3
"""The cost of requests and replies as values of C++, beside nlohmann/json and beside
pbk_json_get().

    python3 Benchmarks/values.py

Needs the built library, a C++ compiler and the header of nlohmann/json (Debian:
nlohmann-json3-dev). If valgrind is there, it counts instructions as well.

Each measurement is a process of its own. Contestants take turns within a round. Ratios are medians
of the rounds' ratios, the other to values: 3 means that the values take a third. Read from the
environment, besides BENCH_DIR, PBK_LIB_DIR, BENCH_QUICK and CXX:

    BENCH_VALUES_ROUNDS    how often each is measured (21; with BENCH_QUICK=1 5)
    BENCH_VALUES_MS        milliseconds of each measurement, about (200; with BENCH_QUICK=1 50)
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
from typing import Any

from common import BUILD, CXX, HERE, LIB_DIR, LIBRARY, ROOT, median, missing, run, save, setting, show

ROUNDS = setting("BENCH_VALUES_ROUNDS", 21, 5)
MILLISECONDS = setting("BENCH_VALUES_MS", 200, 50)
PROGRAM = BUILD / "bench_values"
OTHERS = {"nlohmann": "nlohmann/json", "json_get": "pbk_json_get"}
CONTESTANTS = {"values": "values", **OTHERS}
JOBS = {
    "write a booking request": ["request"],
    "read a booking reply": ["booking"],
    "read 20 slots": ["search", "20"],
    "read 200 slots": ["search", "200"],
}
FEW, MANY = 20, 120
"""Rounds under callgrind. One round is the difference divided by 100."""


def unavailable() -> str:
    """Returns what is missing, or nothing."""
    if not LIBRARY.exists():
        return f"{LIBRARY} is not there; build the library first"
    if shutil.which(CXX[0]) is None:
        return f"no C++ compiler: {CXX[0]}"
    found = subprocess.run([*CXX, "-E", "-x", "c++", "-include", "nlohmann/json.hpp", "/dev/null"], capture_output=True)
    return "" if found.returncode == 0 else "no header (Debian: apt-get install nlohmann-json3-dev)"


def compile_values() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    options = ["-std=c++17", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{ROOT / 'include'}"]
    link = [f"-L{LIB_DIR}", "-lpartnerbooking", f"-Wl,-rpath,{LIB_DIR}"]
    subprocess.run([*CXX, *options, "-o", str(PROGRAM), str(HERE / "bench_values.cpp"), *link], check=True)


def arguments(contestant: str, job: list[str], rounds: int) -> list[str]:
    return [str(PROGRAM), contestant, job[0], str(rounds), *job[1:]]


def nanoseconds(contestant: str, job: list[str], rounds: int, core: int | None) -> float:
    return float(run(arguments(contestant, job, rounds), core))


def rounds_for(contestant: str, job: list[str], core: int | None) -> int:
    return max(int(MILLISECONDS * 1e6 / nanoseconds(contestant, job, 5, core)), 1)


def instructions(contestant: str, job: list[str]) -> float | None:
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    totals = []
    for rounds in (FEW, MANY):
        output = BUILD / "callgrind.values"
        command = [valgrind, "-q", "--tool=callgrind", f"--callgrind-out-file={output}"]
        run([*command, *arguments(contestant, job, rounds)], None, stderr=subprocess.DEVNULL)
        lines = output.read_text().splitlines()
        totals.append(next(int(line.split()[1]) for line in lines if line.startswith("totals:")))
        output.unlink()
    return (totals[1] - totals[0]) / (MANY - FEW)


def measure(_: Any, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    if why := unavailable():
        print(f"\n(values are not measured: {why})")
        return {}
    compile_values()
    names, core = list(CONTESTANTS), cores[1]
    times = [["microseconds", *CONTESTANTS.values(), *(f"{other} to values" for other in OTHERS.values())]]
    counts, figures = [["instructions", *times[0][1:]]], []
    for title, job in JOBS.items():
        counted = {name: rounds_for(name, job, core) for name in names}
        found = []
        for turn in range(ROUNDS):
            order = names[turn % len(names):] + names[:turn % len(names)]
            found.append({name: nanoseconds(name, job, counted[name], core) for name in order})
        medians = {name: median(turn[name] for turn in found) for name in names}
        ratios = {other: median(turn[other] / turn["values"] for turn in found) for other in OTHERS}
        cost = {name: instructions(name, job) for name in names}
        figures.append({"job": title, "medians": medians, "ratios": ratios, "instructions": cost, "rounds": found})
        shares = [f"{ratios[other]:.1f}" for other in OTHERS]
        times.append([title, *(f"{medians[name] / 1e3:.2f}" for name in names), *shares])
        if cost["values"] is not None:
            shares = [f"{cost[other] / cost['values']:.1f}" for other in OTHERS]
            counts.append([title, *(f"{cost[name]:,.0f}" for name in names), *shares])
    show(f"Requests and replies in C++: medians of {ROUNDS} rounds", times,
         "pbk_json_get() reads the whole text for each value; the others read it once")
    if len(counts) > 1:
        show("The same in instructions, by callgrind", counts)
    save("values", {"rounds": ROUNDS, "milliseconds": MILLISECONDS, "figures": figures})
    return {"figures": figures}


def main() -> None:
    if why := unavailable():
        missing(why)
    measure(None, (None, sorted(os.sched_getaffinity(0))[-1]))
    print(f"\nraw figures in {os.path.relpath(pathlib.Path(BUILD))}")


if __name__ == "__main__":
    main()
