#!/usr/bin/env python3
"""Measures what libpartnerbooking costs, beside libcurl alone and beside what other programs use.

    python3 Benchmarks/run.py [blocking] [submit] [throughput] [network] [cancel] [memory] [frames]
    [journal]
                              [ledgers] [languages] [asyncio] [flat] [scanner] [values]
                              [instructions] [sip]

Without names it measures all. Prints tables, writes every raw figure as JSON to build/bench/, and
draws charts. It judges nothing. Needs the built library, a C and a C++ compiler, the headers of
libcurl, nginx, and the packages of requirements.txt; Node is measured if it is there, the scanner
if swiftc and the headers of simdjson and RapidJSON are, instructions are counted if valgrind is,
and sip_engine is measured if the headers of libre and espeak-ng are, ledgers if the servers of
PostgreSQL and Redis and the headers of libpq and hiredis are. Read from the environment:

    BENCH_QUICK    1: fewer rounds, less precise, with charts in build/bench/ instead of docs/charts/
    BENCH_IDLE     seconds of silence before a search over the long path (20)
    BENCH_ROUNDS, BENCH_CALLS, BENCH_SAMPLES     of the blocking search (25, 400) and of the start-up figures (21)
    BENCH_JOURNAL_DIR    where the journal is written: a disk, and none in memory (BENCH_DIR)
    BENCH_...      rounds and counts of the others: each module has its own at its head
    BENCH_DIR      where programs and results go (build/bench)
    PBK_LIB_DIR    where libpartnerbooking.so is (build/lib)
    CC, CXX, NGINX      the compilers (cc, c++) and the server (nginx)

How it is made comparable: all send the same request, and take turns within each round; nginx has
one core, the measuring process another; and on both cores a process of the scheduling class
SCHED_IDLE spins, which gives way to anything else and only keeps the core from falling asleep
between two packets.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

import asyncio_clients
import blocking
import cancel
import charts
import flat
import frames
import instructions
import journal
import languages
import ledgers
import memory
import network
import scanner
import sip
import submit
import throughput
import values
from common import BUILD, IS_QUICK, ROOT, compile_programs, keep_awake, machine, save
from servers import nginx_version, start_servers

MEASUREMENTS = {"blocking": blocking, "submit": submit, "throughput": throughput, "network": network, "cancel": cancel,
                "memory": memory, "frames": frames, "journal": journal, "ledgers": ledgers,
                "languages": languages, "asyncio": asyncio_clients, "flat": flat, "scanner": scanner, "values": values,
                "instructions": instructions, "sip": sip}


def main() -> None:
    # Ended from outside, still clean up.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("benchmark ended by a signal"))
    names = sys.argv[1:] or list(MEASUREMENTS)
    if unknown := set(names) - set(MEASUREMENTS):
        sys.exit(f"no such measurement: {', '.join(sorted(unknown))}")
    begun = time.monotonic()
    compile_programs()
    host = machine()
    cores = sorted(os.sched_getaffinity(0))[:2]
    with contextlib.ExitStack() as stack:
        if len(cores) == 2:
            server_core, client_core = cores
            setting = f"nginx on core {server_core}, caller on core {client_core}, both " + keep_awake(stack, cores)
        else:
            server_core = client_core = None
            setting = "only one core: nothing is pinned, and caller and nginx share it"
        servers = start_servers(stack, server_core)
        host["nginx"] = nginx_version()
        print(f"machine   {host['cpu']}, {host['cores']} cores, Linux {host['kernel']}, load before {host['load']}")
        print(f"server    {host['nginx']}")
        print(f"setting   {setting}", flush=True)
        for name in names:
            at = time.monotonic()
            MEASUREMENTS[name].measure(servers, (server_core, client_core))
            print(f"[{name}: {time.monotonic() - at:.0f} s, load {os.getloadavg()[0]:.1f}]", flush=True)
        save("machine", {**host, "setting": setting, "is_quick": IS_QUICK})
    folder = BUILD / "charts" if IS_QUICK else ROOT / "docs" / "charts"
    drawn = charts.draw(folder, names)  # those of others may be of a quick run
    print(f"\nraw figures in {os.path.relpath(BUILD)}, {len(drawn)} charts in {os.path.relpath(folder)}, "
          f"{time.monotonic() - begun:.0f} s")


if __name__ == "__main__":
    main()
