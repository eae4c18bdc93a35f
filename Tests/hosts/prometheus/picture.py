#!/usr/bin/env python3
"""Draws packaging/monitoring/dashboard.json, as the picture of docs/operations.md: `picture.py FILE
[SECONDS]`.

Runs a client for so long (240 s) at a clinic on loopback that is slow, fails and loses replies in
turn. A real Prometheus scrapes it. Then each panel is drawn from its expression. Style as in
Benchmarks/charts.py: no background, and colours that stand out from a light page as well as from a
dark one. Grafana draws it differently.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import matplotlib
import partnerbooking as pb
from monitoring import DASHBOARD, FILES, Prometheus, filled
from partnerbooking.prometheus import Collector
from prometheus_client import CollectorRegistry, start_http_server

sys.path.append(str(Path(__file__).resolve().parents[1]))

from clinic import Clinic, ClinicServer  # noqa: E402

matplotlib.use("svg")

import matplotlib.pyplot as plt  # noqa: E402

GREY, FAINT = "#808080", "#80808040"
LINES = ["#2f81f7", "#d98a1f", "#56b3a6", "#b35fc4", "#d9534f", "#8a9a3c", "#a3866a", "#4c9bd6", "#c77d9b", "#8b8f94"]
STATES = {"green": "#3fa34d", "yellow": "#c99a1c", "red": "#d9534f"}
UNITS = {"ops": "per second", "s": "seconds", "short": "", "percentunit": ""}
WIDTH, HEIGHT_OF_A_ROW, POINTS = 13.0, 0.22, 100
"""Inches, and how many moments a line has."""

matplotlib.rcParams.update({
    "svg.hashsalt": "partnerbooking", "svg.fonttype": "none", "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"], "font.size": 8,
    "text.color": GREY, "axes.labelcolor": GREY, "axes.edgecolor": FAINT, "xtick.color": GREY, "ytick.color": GREY,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "ytick.left": False,
    "axes.titlesize": 9, "axes.titlelocation": "left", "legend.frameon": False, "legend.fontsize": 7,
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.transparent": True, "path.simplify_threshold": 1.0})


# What happens


async def caller(client: pb.AsyncClient, clinic: Clinic, ends: float, seed: int) -> None:
    """Phone calls, one after the other: a search, now and then a booking, or the tools of a
    model."""
    random.seed(seed)
    number = 0
    while time.monotonic() < ends:
        number += 1
        options = pb.CallOptions(slow_after_ms=300)
        try:
            if random.random() < 0.2:
                conversation = client.conversation(f"{seed}-{number}", clinic.bot_id)
                when = random.choice(["tomorrow", "monday", "next week"])
                await conversation.call("find_appointment_slots", {"when": when})
            else:
                day = date.today() + timedelta(days=random.randrange(1, 59))
                found = await client.search_availability(pb.SearchAvailabilityRequest(clinic.bot_id, day, day, options))
                if found.availabilities and random.random() < 0.12:
                    start = random.choice(found.availabilities).start_at
                    person = pb.Customer("+14155550137", "John Doe")
                    options = pb.CallOptions(timeout_ms=1500)
                    await client.create_booking(
                        pb.CreateBookingRequest(clinic.bot_id, start, 30, person, f"{seed}-{number}", options=options)
                    )
        except pb.Error:
            pass
        await asyncio.sleep(random.uniform(0.1, 0.8))


async def faults(clinic: Clinic, seconds: float) -> None:
    """Slow, then down, then without replies to bookings."""
    await asyncio.sleep(seconds * 0.2)
    await asyncio.to_thread(clinic.fault, "search", "slow", ms=450)
    await asyncio.sleep(seconds * 0.15)
    await asyncio.to_thread(clinic.mend)
    await asyncio.to_thread(clinic.fault, "search", "busy")
    await asyncio.sleep(seconds * 0.15)
    await asyncio.to_thread(clinic.mend)
    await asyncio.sleep(seconds * 0.1)
    await asyncio.to_thread(clinic.fault, "booking", "lost")
    await asyncio.sleep(seconds * 0.2)
    await asyncio.to_thread(clinic.mend)


async def watched(clinic: Clinic, seconds: float, folder: Path) -> dict[str, list[Any]]:
    """Asks Prometheus for each panel. Returns the answers by its id."""
    configuration = clinic.config(circuit_breaker={"failures": 10, "open_ms": 3000}, settle_for_ms=60000)
    async with pb.AsyncClient(on_settled=lambda settled: None, **configuration) as client:
        registry = CollectorRegistry()
        registry.register(Collector(client, "reception"))
        server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
        with Prometheus(folder, {"voice-bots": server.server_port}, (FILES / "alerts.yaml").read_text()) as prometheus:
            began, ends = time.time(), time.monotonic() + seconds
            await asyncio.gather(faults(clinic, seconds), *(caller(client, clinic, ends, seed) for seed in range(6)))
            answers = await asyncio.to_thread(ask, prometheus, began, time.time())
        server.shutdown()
        server.server_close()
        thread.join()
    return answers


def ask(prometheus: Prometheus, began: float, ended: float) -> dict[str, list[Any]]:
    first, step = began + min(10, (ended - began) / 4), (ended - began) / POINTS
    return {
        panel["title"]: [
            prometheus.ask(
                "query_range", query=filled(target["expr"], interval="10s"), start=first, end=ended, step=step
            )["result"]
            for target in panel.get("targets", [])
        ]
        for panel in DASHBOARD["panels"]
    }


# The picture


def legend(template: str, labels: dict[str, str]) -> str:
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), template)


def draw_stat(axes: Any, panel: dict[str, Any], answers: list[Any]) -> None:
    axes.axis("off")
    value = float(answers[0][0]["values"][-1][1]) if answers[0] else float("nan")
    defaults = panel["fieldConfig"]["defaults"]
    steps = [step for step in defaults["thresholds"]["steps"] if step["value"] is None or value >= step["value"]]
    text = {"percentunit": f"{value:.1%}", "s": f"{value:.1f} s"}.get(defaults["unit"], f"{value:g}")
    axes.text(0.0, 0.3, text, fontsize=17, color=STATES[steps[-1]["color"]], va="center", transform=axes.transAxes)


def draw_series(axes: Any, panel: dict[str, Any], answers: list[Any], began: float, minutes: float) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    lines = []
    for target, found in zip(panel["targets"], answers):
        for each in found:
            points = [((at - began) / 60, float(value)) for at, value in each["values"]]
            if any(value > 0 for _, value in points) or len(panel["targets"]) > 1:
                lines.append((legend(target["legendFormat"], each["metric"]), points))
    lines.sort(key=lambda line: -sum(value for _, value in line[1] if value == value))
    total: dict[float, float] = {}
    for (name, points), colour in zip(lines, LINES):
        times, values = [at for at, _ in points], [value for _, value in points]
        if defaults["custom"]["stacking"]["mode"] == "normal":
            low = [total.get(at, 0) for at in times]
            values = [base + value for base, value in zip(low, values)]
            total.update(zip(times, values))
            axes.fill_between(times, low, values, color=colour, alpha=0.25, linewidth=0)
        axes.plot(times, values, color=colour, linewidth=1.1, label=name)
    if not lines:
        axes.text(0.5, 0.5, "nothing", ha="center", transform=axes.transAxes)
    axes.set_xlim(0, minutes)
    axes.set_ylim(0, None if any(any(value > 0 for _, value in points) for _, points in lines) else 1)
    axes.grid(axis="y", color=FAINT, linewidth=0.5)
    axes.set_ylabel(UNITS[defaults["unit"]], fontsize=7)
    axes.xaxis.set_major_formatter(lambda minutes, _: f"{minutes:g} min")
    axes.tick_params(labelsize=7)
    if not lines:
        return
    columns = min(max(len(lines[: len(LINES)]), 1), 3 if panel["gridPos"]["w"] < 24 else 6)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.2), ncols=columns, borderaxespad=0.2, handlelength=1.2)


def draw(file: Path, answers: dict[str, list[Any]]) -> None:
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in DASHBOARD["panels"])
    times = [at for found in answers.values() for each in found for one in each for at, _ in one["values"]]
    figure = plt.figure(figsize=(WIDTH, rows * HEIGHT_OF_A_ROW))
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        left, bottom, width, height = at["x"] / 24, 1 - (at["y"] + at["h"]) / rows, at["w"] / 24, at["h"] / rows
        if panel["type"] == "row":
            figure.text(left + 0.01, bottom + height / 3, panel["title"], fontsize=11, fontweight="bold")
            continue
        below = 0.38 if panel["type"] == "timeseries" else 0.05
        axes = figure.add_axes((left + 0.045, bottom + height * below, width - 0.06, height * (0.84 - below)))
        axes.set_title(panel["title"])
        if panel["type"] == "stat":
            axes.set_position((left + 0.012, bottom, width - 0.02, height * 0.8))
            draw_stat(axes, panel, answers[panel["title"]])
        else:
            draw_series(axes, panel, answers[panel["title"]], min(times), (max(times) - min(times)) / 60)
    figure.savefig(file, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    file.write_text(re.sub(r"(\d\.\d)\d+(?=[ \n\"])", r"\1", file.read_text()))  # tenths of a point are enough


def main(file: Path, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder, ClinicServer() as server:
        draw(file, asyncio.run(watched(server.clinic(), seconds, Path(folder))))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 240)
