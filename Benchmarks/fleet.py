#!/usr/bin/env python3
"""A thousand clients and an outage, under a virtual clock: runs the simulation in Tests/PartnerBookingTests/Fleet,
prints the table of docs/fleet.md and draws its chart. FLEET_CLIENTS clients (1000); needs the Swift tests built."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import charts
from common import BUILD, ROOT, save

CLIENTS = os.environ.get("FLEET_CLIENTS", "1000")


def main() -> None:
    command = ["swift", "test", "--quiet", "--skip-build", "--disable-xctest", "--filter", "FleetTests"]
    environment = {**os.environ, "FLEET_CLIENTS": CLIENTS}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(done.stdout + done.stderr)
    print(f"{CLIENTS} clients, seed 1")
    columns = ("", "load, first", "last", "peak", "wait (ms), first", "last", "1st try (s)", "2nd", "booked", "false")
    print("| " + " | ".join(columns) + " |\n" + "| --- " * len(columns) + "|")
    load = {}
    for name, figures, series in sorted(re.findall(r"^fleet (.*?, .*?): (.*?): (\[.*\])$", done.stdout, re.MULTILINE)):
        values = list(map(float, figures.split(",")))
        cells = [f"{ratio:.2f}" for ratio in values[:3]] + [f"{value:.0f}" for value in values[3:]]
        print(f"| {name} | " + " | ".join(cells) + " |")
        load[name] = json.loads(series)
    [(at_once, again, later)] = re.findall(r"^fleet idle: (\d+),(\d+),(\d+)$", done.stdout, re.MULTILINE)
    print(f"Idle, connections broken for a second: in 0.1 s {at_once} at first, then {again} at most, later {later}")
    BUILD.mkdir(parents=True, exist_ok=True)
    save("fleet", {"clients": int(CLIENTS), "load": load})
    if CLIENTS == "1000":
        charts.draw(ROOT / "docs" / "charts", ["fleet"])


if __name__ == "__main__":
    main()
