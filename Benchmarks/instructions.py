#!/usr/bin/env python3
"""Counts the instructions of one warm blocking search and of one warm booking, by shared object.

    python3 Benchmarks/instructions.py [--library LIBRARY.so] [--vs OTHER.so] [--keep FOLDER]

Runs bench_instructions under callgrind with 200 calls and with 1200 calls. One call is the
difference divided by 1000, so that start-up and the first connect cancel out. Prints one table for
the search, one for the booking, and one for what counters, a ledger and the log add to a search.
Writes the raw figures to build/bench/instructions.json. Needs valgrind and a C compiler, and no
Python packages.

    --library    the build to count (PBK_LIBRARY, else libpartnerbooking.so in PBK_LIB_DIR, else in build/lib)
    --vs         a second build, counted in the same run; adds the ratio library / other
    --keep       keeps callgrind's files in this folder, for callgrind_annotate

Read from the environment, besides PBK_LIBRARY, PBK_LIB_DIR, BENCH_DIR, BENCH_QUICK and CC:

    BENCH_INSTRUCTIONS_FEW, BENCH_INSTRUCTIONS_MANY    calls of the short and of the long run (200, 1200)
    BENCH_INSTRUCTIONS_ROUNDS    how often each build is counted (3; with BENCH_QUICK=1 one)
    BENCH_INSTRUCTIONS_REPLY_US    microseconds from a request to the server's reply (2000)
    BENCH_INSTRUCTIONS_PAUSE_US    microseconds from a reply to the next call (2000)

How the counts are made repeatable:

    - The server is in this process: loopback, HTTP/1.1 in the clear, one connection, each reply in
      one write.
    - The server waits 2 ms before a reply, and the caller pauses 2 ms after it. Every call then
      wakes each sleeping thread the same number of times. Without the pauses, threads race and
      "ours" varies by 0.4 %.
    - The program gets an environment of two variables. One of them switches off the random seed of
      Swift's hashes.
    - Each figure is the median of the rounds, and builds take turns within a round.

"spread" is the largest minus the smallest round, in per cent of the median. Expect on a quiet
machine:

    - ours, libcurl    0.02 % (0.1 % on a busy machine)
    - total less heap  0.2 %: compare builds by this row and by "ours"
    - total            1.5 % for the search and 0.3 % for the booking
    - libc             up to 7 %

The heap makes the difference. "libc, heap only" is the part of libc in malloc(), free() and the
like, for all callers. This cost depends on how the heap of that process is fragmented, and
fragmentation differs from run to run.

Callgrind does not count the kernel's instructions. "ours" contains the Swift runtime, which is part
of the library. "libc" contains the caller's nanosleep(), about 70 instructions a call.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import itertools
import json
import os
import pathlib
import re
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from common import BUILD, CC, HERE, LIBRARY, ROOT, median, missing, run, save, setting, show
from servers import reply_text

ROUNDS = setting("BENCH_INSTRUCTIONS_ROUNDS", 3, 1)
FEW = setting("BENCH_INSTRUCTIONS_FEW", 200, 200)
MANY = setting("BENCH_INSTRUCTIONS_MANY", 1200, 1200)
REPLY_US = setting("BENCH_INSTRUCTIONS_REPLY_US", 2000, 2000)
PAUSE_US = setting("BENCH_INSTRUCTIONS_PAUSE_US", 2000, 2000)
CALLS = {"search": "search", "book": "booking"}
WATCHED = {"search:off": "no counters, no log", "search": "counters", "search:ledger": "counters, a ledger",
           "search:info": "counters, log at info", "search:debug": "counters, log at debug"}
ROWS = ["ours", "libcurl", "libc", "libc, heap only", "others", "total", "total less heap"]
HEAP = {"malloc", "free", "calloc", "realloc", "reallocarray", "posix_memalign", "aligned_alloc", "memalign"}
HEAP_COST = "(heap)"
PROGRAM = BUILD / "bench_instructions"
VALGRIND = shutil.which("valgrind") or ""


# ---- The server ----


class Server(socketserver.ThreadingTCPServer):
    """Answers searches with one fixed reply and each booking with its own start and end. Records
    both."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.search_reply = http_reply(b"200 OK", reply_text().encode())
        self.reset()

    def reset(self) -> None:
        self.connections = self.searches = 0
        self.bookings: list[tuple[str, str]] = []  # idempotency key and start of each

    def answer(self, head: bytes, body: bytes) -> bytes:
        if head.startswith(b"POST /v1/availability/search "):
            self.searches += 1
            return self.search_reply
        if head.startswith(b"POST /v1/bookings "):
            key, booking = header(head, b"idempotency-key").decode(), json.loads(body)["booking"]
            self.bookings.append((key, booking["start_at"]))
            return http_reply(b"201 Created", booking_text(len(self.bookings), booking).encode())
        return http_reply(b"404 Not Found", b"{}")


class Connection(socketserver.StreamRequestHandler):
    server: Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        self.server.connections += 1
        while head := self.read_head():
            body = self.rfile.read(int(header(head, b"content-length") or b"0"))
            reply = self.server.answer(head, body)
            time.sleep(REPLY_US / 1e6)
            self.request.sendall(reply)  # one write, so that the client reads it in one go

    def read_head(self) -> bytes:
        """Returns a request up to its empty line, or nothing at the end of the connection."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return b""
            head += line
        return head


def header(head: bytes, name: bytes) -> bytes:
    found = re.search(rb"\r\n" + name + rb":[ \t]*([^\r]*)", head, re.IGNORECASE)
    return found.group(1) if found else b""


def http_reply(status: bytes, body: bytes) -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Content-Length: %d" % len(body)]
    return b"\r\n".join([*lines, b"", body])


def booking_text(number: int, asked: dict[str, Any]) -> str:
    """Returns a reply that has the same length for every booking."""
    begin = datetime.datetime.fromisoformat(asked["start_at"].replace("Z", "+00:00"))
    end = begin + datetime.timedelta(minutes=asked["duration_minutes"])
    booking = {"id": f"bkg_{number:026}", "status": "confirmed", "start_at": asked["start_at"],
               "end_at": end.isoformat().replace("+00:00", "Z")}
    return json.dumps({"booking": booking}, separators=(",", ":"))


@contextlib.contextmanager
def server_started() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()


# ---- Counting ----


def count(library: pathlib.Path, call: str, calls: int, server: Server, output: pathlib.Path) -> dict[str, int]:
    """Returns the instructions of one process by path of the object."""
    server.reset()
    url = "http://127.0.0.1:{}".format(server.server_address[1])
    clean = ["env", "-i", "PATH=/usr/bin:/bin", "SWIFT_DETERMINISTIC_HASHING=1"]
    callgrind = [VALGRIND, "-q", "--tool=callgrind", f"--callgrind-out-file={output}"]
    run([*clean, *callgrind, str(PROGRAM), str(library), url, call, str(calls), str(PAUSE_US)], None)
    check(call, calls, server)
    return by_object(output)


def check(call: str, calls: int, server: Server) -> None:
    """Ends the run after a retry or a second connection, because their instructions are in the
    count."""
    requests = len(server.bookings) if call == "book" else server.searches
    if (requests, server.connections) != (calls, 1):
        sys.exit(f"benchmark ended: {calls} calls made {requests} requests on {server.connections} connections: "
                 f"want {calls} on 1")
    keys, starts = ({booking[part] for booking in server.bookings} for part in (0, 1))
    if call == "book" and (len(keys), len(starts)) != (calls, calls):
        sys.exit(f"benchmark ended: {calls} bookings had {len(keys)} keys and {len(starts)} starts: "
                 f"want {calls} of each")


def by_object(output: pathlib.Path) -> dict[str, int]:
    """Returns the self cost of each object, and as HEAP_COST the cost of malloc(), free() and the
    like.

    The line after "calls=" is the callee's cost with all that it called. The file lists its self
    costs elsewhere. """
    names: dict[str, str] = {}  # by kind and number: the file contains each name once
    now = {"ob": "", "fn": "", "cfn": ""}
    costs: Counter[str] = Counter()
    total, is_callee = -1, False
    for line in output.read_text().splitlines():
        if found := re.fullmatch(r"(c?)(ob|fn)=(\(\d+\))(?: (.+))?", line):
            callee, kind, number, name = found.groups()
            if name:
                names[kind + number] = name
            now[callee + kind] = names[kind + number]
        elif line.startswith("calls="):
            is_callee = True
        elif line.startswith("totals:"):
            total = int(line.split()[1])
        elif line and line[0] in "0123456789+-*":
            cost = int(line.split()[1])
            if not is_callee:
                costs[now["ob"]] += cost
            elif is_heap(now["cfn"]) and not is_heap(now["fn"]):  # realloc() calls malloc(): count it once
                costs[HEAP_COST] += cost
            is_callee = False
    if sum(costs.values()) - costs[HEAP_COST] != total:
        sys.exit(f"benchmark ended: {output}: self costs add up to {sum(costs.values()) - costs[HEAP_COST]}, "
                 f"callgrind's total is {total}")
    return dict(costs)


def is_heap(function: str) -> bool:
    """Returns whether it is a heap function. Callgrind adds '2 to recursive calls, and ELF symbols
    have versions."""
    return re.split("['@]", function)[0] in HEAP


def per_call(library: pathlib.Path, few: dict[str, int], many: dict[str, int]) -> dict[str, Any]:
    rows: dict[str, float] = dict.fromkeys(ROWS, 0.0)
    others: dict[str, float] = {}
    for path in sorted({*few, *many}):
        instructions = (many.get(path, 0) - few.get(path, 0)) / (MANY - FEW)
        name = name_of(path, library)
        rows[name] += instructions
        if path != HEAP_COST:
            rows["total"] += instructions
        if name == "others":
            others[pathlib.Path(path).name] = others.get(pathlib.Path(path).name, 0.0) + instructions
    rows["total less heap"] = rows["total"] - rows["libc, heap only"]
    return {**rows, "of_others": dict(sorted(others.items(), key=lambda item: -item[1]))}


def name_of(path: str, library: pathlib.Path) -> str:
    file = pathlib.Path(path).name
    if path == HEAP_COST:
        return "libc, heap only"
    if path == str(library):
        return "ours"
    return next((name for name in ("libcurl", "libc") if re.match(rf"{name}(-\d[\d.]*)?\.so", file)), "others")


def count_all(libraries: list[pathlib.Path], keep: pathlib.Path | None) -> list[dict[str, Any]]:
    before = [stamp(library) for library in libraries]
    figures = []
    with contextlib.ExitStack() as stack:
        folder = keep or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pbk-instructions-")))
        folder.mkdir(parents=True, exist_ok=True)
        server = stack.enter_context(server_started())
        for turn in range(ROUNDS):
            numbers = range(len(libraries)) if turn % 2 == 0 else reversed(range(len(libraries)))
            for number, call in itertools.product(numbers, CALLS):
                few, many = (count(libraries[number], call, calls, server,
                                   folder / f"callgrind.{call}.{'library' if number == 0 else 'other'}.{calls}.{turn}")
                             for calls in (FEW, MANY))
                figures.append({"round": turn, "call": call, "build": number, "library": str(libraries[number]),
                                **per_call(libraries[number], few, many)})
    if [stamp(library) for library in libraries] != before:
        sys.exit("benchmark ended: a library file changed during the run; run again when no build is running")
    return figures


def stamp(library: pathlib.Path) -> tuple[int, int, int]:
    status = library.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


# ---- The command ----


def summarise(call: str, build: int, figures: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns median and spread of each row, and the objects behind "others"."""
    found = [figure for figure in figures if (figure["call"], figure["build"]) == (call, build)]
    summary: dict[str, Any] = {"call": call, "build": build, "of_others": found[0]["of_others"]}
    for name in ROWS:
        counts = [figure[name] for figure in found]
        middle = median(counts)
        summary[name] = {"median": middle, "spread": (max(counts) - min(counts)) / middle if middle else 0.0}
    return summary


def show_call(call: str, summaries: list[dict[str, Any]]) -> None:
    rows = [["instructions", "library", "spread", *["other", "spread", "library / other"][:3 * (len(summaries) - 1)]]]
    for name in ROWS:
        found = [summary[name] for summary in summaries]
        row = [name]
        for figure in found:
            row += [f"{round(figure['median']):,}", f"{figure['spread']:.2%}"]
        if len(found) == 2:
            row.append(f"{found[0]['median'] / found[1]['median']:.4f}" if found[1]["median"] else "-")
        rows.append(row)
    others = ", ".join(f"{name} {round(value):,}" for name, value in summaries[0]["of_others"].items() if round(value))
    show(f"One warm blocking {CALLS[call]}, median of {ROUNDS}: ({MANY} calls - {FEW} calls) / {MANY - FEW}", rows,
         f"others of library: {others or 'none'}")


def count_watched(library: pathlib.Path) -> dict[str, float]:
    """Counts searches by what is switched on: the instructions of all objects but the heap's."""
    costs: dict[str, list[float]] = {call: [] for call in WATCHED}
    with server_started() as server, tempfile.TemporaryDirectory(prefix="pbk-instructions-") as folder:
        for turn, call in itertools.product(range(ROUNDS), WATCHED):
            few, many = (count(library, call, calls, server, pathlib.Path(folder) / f"{call}.{calls}.{turn}")
                         for calls in (FEW, MANY))
            costs[call].append(per_call(library, few, many)["ours"])
    return {call: median(found) for call, found in costs.items()}


def show_watched(costs: dict[str, float]) -> None:
    least = costs["search:off"]
    show("Our own instructions of a search, by what is switched on",
         [["switched on", "ours", "more"],
          *([name, f"{round(costs[call]):,}", f"{round(costs[call] - least):+,}"] for call, name in WATCHED.items())])


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Counts the instructions of one warm search and of one warm booking.")
    parser.add_argument("--library", type=pathlib.Path, default=os.environ.get("PBK_LIBRARY") or LIBRARY)
    parser.add_argument("--vs", type=pathlib.Path, metavar="OTHER.so")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER")
    return parser.parse_args()


def compile_program() -> None:
    if shutil.which(CC[0]) is None:
        missing(f"no C compiler: {CC[0]}")
    BUILD.mkdir(parents=True, exist_ok=True)
    options = ["-std=c11", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{ROOT / 'include'}"]
    subprocess.run([*CC, *options, "-o", str(PROGRAM), str(HERE / "bench_instructions.c"), "-ldl"], check=True)


def show_all(libraries: list[pathlib.Path], keep: pathlib.Path | None = None) -> dict[str, Any]:
    """Counts, prints a table for each call, and saves the figures."""
    compile_program()
    figures = count_all(libraries, keep)
    summary = []
    for call in CALLS:
        summary.append([summarise(call, build, figures) for build in range(len(libraries))])
        show_call(call, summary[-1])
    watched = count_watched(libraries[0])
    show_watched(watched)
    result = {"rounds": ROUNDS, "few": FEW, "many": MANY, "reply_us": REPLY_US, "pause_us": PAUSE_US,
              "watched": watched, "summary": sum(summary, []), "figures": figures}
    save("instructions", result)
    return result


def measure(*_: Any) -> dict[str, Any]:
    """One measurement of run.py. It does not depend on the machine's load."""
    if not VALGRIND:
        print("\n(instructions are not counted: valgrind is not installed)")
        return {}
    return show_all([pathlib.Path(os.environ.get("PBK_LIBRARY") or LIBRARY).resolve()])


def main() -> None:
    options = parse()
    if not VALGRIND:
        missing("valgrind is not installed (Debian: apt-get install valgrind)")
    libraries = [path.resolve() for path in (options.library, options.vs) if path is not None]
    for library in libraries:
        if not library.is_file():
            missing(f"{library} is not there; build the library first, or name one with --library")
    if ROUNDS < 1:
        missing(f"BENCH_INSTRUCTIONS_ROUNDS {ROUNDS}: want at least 1")
    if not 0 < FEW < MANY:
        missing(f"BENCH_INSTRUCTIONS_FEW {FEW} and BENCH_INSTRUCTIONS_MANY {MANY}: want 0 < few < many")
    begun = time.monotonic()
    for name, library in zip(("library", "other"), libraries):
        print(f"{name:9} {library}")
    show_all(libraries, options.keep)
    print(f"\nraw figures in {os.path.relpath(BUILD / 'instructions.json')}, {time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
