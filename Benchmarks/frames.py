"""How late the 20 ms frames of a thread become that searches while it serves audio."""

from __future__ import annotations

import json
import os
from typing import Any

from common import BUILD, quantile, run, save, setting, show
from delay_proxy import DelayProxy
from servers import Servers

ROUNDS = setting("BENCH_FRAMES_ROUNDS", 3, 1)
FRAMES = setting("BENCH_FRAMES", 250, 100)
DELAY = 0.020
CONTESTANTS = {"nothing": "no search", "ours": "4 searches handed over", "blocking": "1 search by libcurl, waited for"}
SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    server_core, caller_core = (-1 if core is None else core for core in cores)
    before = os.sched_getaffinity(0)
    raw: dict[str, list[int]] = {contestant: [] for contestant in CONTESTANTS}
    if cores[0] is not None:
        os.sched_setaffinity(0, {cores[0]})  # this thread, and with it those of the proxy
    try:
        with DelayProxy(servers.h2.url, DELAY) as proxy:
            for _ in range(ROUNDS):
                for contestant in CONTESTANTS:
                    command = [str(BUILD / "bench_frames"), contestant, proxy.url, servers.h2.ca_file, str(FRAMES),
                               str(caller_core), str(server_core)]
                    raw[contestant] += json.loads(run(command, None))["ns"]
    finally:
        os.sched_setaffinity(0, before)
    figures = [{"contestant": contestant, **{name: quantile(ns, share) / 1000 for name, share in SHARES.items()},
                "ns": ns} for contestant, ns in raw.items()]
    rows = [["in each frame", *(f"{name}, us" for name in SHARES)]]
    rows += [[CONTESTANTS[f["contestant"]], *(f"{f[name]:.0f}" for name in SHARES)] for f in figures]
    show(f"How late a 20 ms frame is done, path of 40 ms there and back: {ROUNDS} rounds of {FRAMES} frames", rows,
         "the first row is what the machine's own timer and scheduler add")
    save("frames", {"rounds": ROUNDS, "frames": FRAMES, "figures": figures})
    return {"figures": figures}
