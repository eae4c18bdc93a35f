"""Resident memory of a search in flight."""

from __future__ import annotations

import json
from typing import Any

from common import BUILD, median, run, save, setting, show
from servers import Servers

ROUNDS = setting("BENCH_MEMORY_ROUNDS", 3, 1)
IN_FLIGHT = 512
CONTESTANTS = {"ours": "libpartnerbooking", "bare": "bare libcurl"}


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    figures = []
    for number in range(ROUNDS):
        for way in servers.stalled.values():
            for contestant in CONTESTANTS:
                is_shared = way.name.endswith("HTTP/2")
                before = servers.connections()
                found = json.loads(run([str(BUILD / "bench_memory"), contestant, way.url, way.ca_file, str(IN_FLIGHT),
                                        str(int(is_shared))], cores[1]))
                figures.append({"round": number, "way": way.name, "contestant": contestant, **found,
                                "connections": servers.connections() - before - 1,
                                "kib_per_call": (found["after_kib"] - found["before_kib"]) / IN_FLIGHT})
    rows, summary = [["", "KiB a call", "before, MiB"]], []
    for way in servers.stalled:
        for contestant, name in CONTESTANTS.items():
            found = [f for f in figures if (f["way"], f["contestant"]) == (way, contestant)]
            per_call, before = (median(f[key] for f in found) for key in ("kib_per_call", "before_kib"))
            summary.append({"way": way, "contestant": contestant, "kib_per_call": per_call})
            rows.append([f"{way}, {name}", f"{per_call:.1f}", f"{before / 1024:.1f}"])
    show(f"Resident memory with {IN_FLIGHT} searches in flight: medians of {ROUNDS} fresh processes", rows)
    save("memory", {"in_flight": IN_FLIGHT, "summary": summary, "figures": figures})
    return {"summary": summary}
