#!/usr/bin/env python3
"""How fast the JSON scanner reads replies, beside simdjson and RapidJSON.

    python3 Benchmarks/scanner.py

Needs swiftc, a C++ compiler, and the headers of both libraries (Debian: libsimdjson-dev,
rapidjson-dev). Does not need the shared object: it exports no scanner, so the scanner's sources are
compiled into a program of their own.

All check the same two documents from first byte to last, UTF-8 included, in memory, over and over:

    - ours         JSON.kindOfTopLevelMember, as after every search; makes no document
    - simdjson     dom::parser::parse, which keeps its memory; On-Demand is slower here when it walks over everything
    - RapidJSON    Reader with kParseValidateEncodingFlag and the handler that does nothing

Each measurement is a process of its own. Contestants take turns within a round. Ratios are medians
of the rounds' ratios, ours to the other. Read from the environment, besides BENCH_DIR, BENCH_QUICK
and CXX:

    BENCH_SCANNER_ROUNDS    how often each is measured (41; with BENCH_QUICK=1 7)
    BENCH_SCANNER_MB        megabytes that are read in each measurement (40; with BENCH_QUICK=1 10)
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import random
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

from common import BUILD, CXX, HERE, ROOT, machine, median, missing, run, save, setting, show
from servers import Servers, reply_text

ROUNDS = setting("BENCH_SCANNER_ROUNDS", 41, 7)
MEGABYTES = setting("BENCH_SCANNER_MB", 40, 10)
SLOTS = 2130  # 120 KiB of them
PEERS = {"simdjson": "simdjson", "rapidjson": "RapidJSON"}
CONTESTANTS = {"ours": "ours", **PEERS}
# As in the shipped library. The rest of this folder builds documents and writes.
SOURCES = [ROOT / "Sources" / "PartnerBooking" / file for file in
           ("JSON/JSON.swift", "JSON/JSONScanner.swift", "JSON/JSONText.swift", "JSON/JSONWindow.swift",
            "Messages/Reason.swift", "System/ASCII.swift", "System/Digits.swift")]
SWIFT_FLAGS = ["-O", "-wmo", "-swift-version", "6", "-enforce-exclusivity=unchecked", "-parse-as-library",
               "-package-name", "partnerbooking"]


def long_reply() -> str:
    """Returns a search reply with the free slots of six weeks, of several lengths."""
    lengths = random.Random(1)
    begin = datetime.datetime(2030, 1, 1)
    slots = [{"start_at": (begin + datetime.timedelta(minutes=30 * n)).isoformat() + "Z",
              "duration_minutes": lengths.choice([15, 20, 30, 45, 60, 90, 120])} for n in range(SLOTS)]
    return json.dumps({"availabilities": slots}, separators=(",", ":"))


def unavailable() -> str:
    """Returns what is missing, or nothing."""
    if shutil.which("swiftc") is None:
        return "swiftc is not installed"
    if shutil.which(CXX[0]) is None:
        return f"no C++ compiler: {CXX[0]}"
    headers = [option for name in ("simdjson.h", "rapidjson/reader.h") for option in ("-include", name)]
    found = subprocess.run([*CXX, "-std=c++17", "-E", "-x", "c++", *headers, "/dev/null"], capture_output=True)
    return "" if found.returncode == 0 else "no headers (Debian: apt-get install libsimdjson-dev rapidjson-dev)"


def compile_scanners() -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    subprocess.run(["swiftc", *SWIFT_FLAGS, "-o", str(BUILD / "bench_scanner_swift"),
                    str(HERE / "bench_scanner.swift"), *map(str, SOURCES)], check=True)
    subprocess.run([*CXX, "-std=c++17", "-O3", "-DNDEBUG", "-Wall", "-Wextra", "-Werror",
                    "-o", str(BUILD / "bench_scanner_cpp"), str(HERE / "bench_scanner.cpp"), "-lsimdjson"], check=True)


def bytes_per_ns(contestant: str, document: pathlib.Path, core: int | None) -> float:
    passes = max(MEGABYTES * 1_000_000 // document.stat().st_size, 1)
    program = ["bench_scanner_swift"] if contestant == "ours" else ["bench_scanner_cpp", contestant]
    found = json.loads(run([str(BUILD / program[0]), *program[1:], str(document), str(passes)], core))
    return found["bytes"] * passes / found["ns"]


def rounds(document: pathlib.Path, core: int | None) -> Iterator[dict[str, float]]:
    names = list(CONTESTANTS)
    for turn in range(ROUNDS):
        order = names[turn % len(names):] + names[:turn % len(names)]
        yield {name: bytes_per_ns(name, document, core) for name in order}


def measure(_: Servers | None, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    if why := unavailable():
        print(f"\n(the scanner is not measured: {why})")
        return {}
    compile_scanners()
    figures = []
    rows = [["bytes a nanosecond", "bytes", *CONTESTANTS.values(), *(f"ours to {peer}" for peer in PEERS.values())]]
    for name, text in (("reply", reply_text()), ("long reply", long_reply())):
        document = BUILD / f"scanner {name}.json"
        document.write_text(text)
        found = list(rounds(document, cores[1]))
        medians = {contestant: median(turn[contestant] for turn in found) for contestant in CONTESTANTS}
        ratios = {peer: median(turn["ours"] / turn[peer] for turn in found) for peer in PEERS}
        size = document.stat().st_size
        figures.append({"document": name, "bytes": size, "medians": medians, "ratios": ratios, "rounds": found})
        rows.append([name, str(size), *(f"{medians[contestant]:.2f}" for contestant in CONTESTANTS),
                     *(f"{ratios[peer]:.2f}" for peer in PEERS)])
    show(f"How fast replies are checked: {ROUNDS} rounds of {MEGABYTES} MB", rows,
         "one document again and again: the processor predicts every branch, for all three")
    save("scanner", {"rounds": ROUNDS, "megabytes": MEGABYTES, "figures": figures})
    return {"figures": figures}


def main() -> None:
    if why := unavailable():
        missing(why)
    host = machine()
    print(f"machine   {host['cpu']}, {host['cores']} cores, Linux {host['kernel']}, load before {host['load']}")
    measure(None, (None, sorted(os.sched_getaffinity(0))[-1]))


if __name__ == "__main__":
    main()
