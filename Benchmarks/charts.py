#!/usr/bin/env python3
"""Draws the charts of docs/benchmarks.md from the figures in build/bench/: `charts.py [FOLDER]`.

Sober, and readable on a light page as well as on a dark one: no background, grey text, and colours that stand out from
both. The same figures give the same bytes.
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Callable, Collection
from typing import Any

import matplotlib
from common import BUILD, ROOT

matplotlib.use("svg")

import matplotlib.pyplot as plt  # noqa: E402

GREY, FAINT = "#808080", "#80808060"
OURS, BARE, THIRD, FOURTH, PEER = "#2f81f7", "#8b8f94", "#d98a1f", "#b35fc4", "#a3866a"
COLOURS = {"ours": OURS, "callback": OURS, "queue": "#56b3a6", "bare": BARE, "kept": BARE, "queued": BARE,
           "fresh": "#b9bcc0", "locked": THIRD, "eventfd": FOURTH}

matplotlib.rcParams.update({
    "svg.hashsalt": "partnerbooking", "svg.fonttype": "none", "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"], "font.size": 10,
    "text.color": GREY, "axes.labelcolor": GREY, "axes.edgecolor": FAINT, "xtick.color": GREY, "ytick.color": GREY,
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "ytick.left": False,
    "axes.titlesize": 11, "axes.titlelocation": "left", "legend.frameon": False, "legend.fontsize": 9,
    "figure.facecolor": "none", "axes.facecolor": "none", "savefig.transparent": True})

Group = tuple[str, list[tuple[str, str, float, str]]]
"""A label, and the bars below it: who, the name shown, how long, what is written beside it."""


def bars(axes: Any, groups: list[Group], limit: float | None = None, goal: tuple[float, str] | None = None,
         logarithmic_from: float | None = None) -> None:
    """Horizontal bars in groups, from top to bottom, each with its figure beside it."""
    position, ticks, labels = 0.0, [], []
    left = logarithmic_from or 0
    longest = max(value for _, group in groups for *_, value, _ in group)
    right = limit or (longest * 1.22 if left == 0 else left * (longest / left) ** 1.35)
    for label, group in groups:
        top = position
        for who, name, value, text in group:
            end = value if limit is None else min(value, right * 0.86)
            axes.barh(position, end - left, left=left, height=0.82, color=COLOURS.get(who, PEER), linewidth=0)
            axes.annotate(f"{text}  {name}", (end, position), (3, 0), textcoords="offset points", va="center",
                          ha="left", fontsize=8.5, color=GREY)
            position += 1
        ticks.append((top + position - 1) / 2)
        labels.append(label)
        position += 0.8
    if goal is not None:
        axes.axvline(goal[0], color=GREY, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(goal[0], -0.9, goal[1], ha="center", va="bottom", fontsize=8.5, color=GREY)
    axes.set_yticks(ticks, labels)
    if left > 0:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlim(left, right)
    axes.set_ylim(position - 0.8, -1)
    axes.tick_params(axis="x", labelsize=8.5)


def submit(figures: dict[str, Any], axes: list[Any]) -> None:
    names = {"ours": "pbk_submit", "queued": "libcurl, queued", "locked": "libcurl, locked", "eventfd": "eventfd write"}
    for panel, share in zip(axes, ("p50", "p99.9")):
        groups: list[Group] = []
        for situation, pace in (("idle", "paced"), ("server stalls", "paced"), ("resolver hangs", "paced"),
                                ("idle", "bursts"), ("server stalls", "bursts")):
            found = [f for f in figures["figures"]
                     if (f["situation"], f["pace"], f["placement"]) == (situation, pace, "apart")]
            groups.append((f"{situation},\n{pace}", [
                (f["contestant"], names[f["contestant"]], f[share], f"{f[share]:.1f}") for f in found]))
        bars(panel, groups, logarithmic_from=0.5)
        panel.set_title(f"Handing a call over: µs on the caller's thread, {share}")


def throughput(figures: dict[str, Any], axes: list[Any]) -> None:
    names = {"ours": "this library", "bare": "bare libcurl", "fetch": "Node fetch", "aiohttp": "aiohttp",
             "httpx": "httpx", "requests": "requests"}
    for panel, key, title in ((axes[0], "calls_per_s", "Calls per second on one core"),
                              (axes[1], "cpu_us", "Processor time per call, µs")):
        groups: list[Group] = []
        for way, in_flight in sorted({(f["way"], f["in_flight"]) for f in figures["summary"]}):
            found = [f for f in figures["summary"] if (f["way"], f["in_flight"]) == (way, in_flight)]
            groups.append((f"{way},\n{in_flight} in flight", [
                (f["contestant"], names[f["contestant"]], f[key], f"{f[key]:,.0f}") for f in found]))
        bars(panel, groups, logarithmic_from=None if key == "calls_per_s" else 10)
        panel.set_title(title)


def network(figures: dict[str, Any], axes: list[Any]) -> None:
    names = {"ours": "this library", "fresh": "libcurl, new handle", "kept": "libcurl, kept handle",
             "requests": "requests", "httpx": "httpx", "aiohttp": "aiohttp", "fetch": "Node fetch"}
    texts = {"open": "first search, client\nopen for 300 ms", "cold": "first search, right\nafter opening",
             "idle": f"after {figures['idle_s']} s\nof silence", "dropped": "server ended the idle\nconnection before",
             "silent": "the path died silently\nwhile idle"}
    groups: list[Group] = []
    for row, text in texts.items():
        found = [f for f in figures["summary"] if f["row"] == row]
        groups.append((text, [
            (f["contestant"], names[f["contestant"]], f["ms"],
             "failed" if 2 * f["failed"] > f["searches"] else f"{f['ms']:.0f}") for f in found]))
    round_trip = 2 * figures["delay_ms"]
    bars(axes[0], groups, 200, (round_trip, "one round trip"))
    axes[0].set_title(f"A search over a path of {round_trip:.0f} ms there and back, ms", pad=16)


def cancel(figures: dict[str, Any], axes: list[Any]) -> None:
    names = {"callback": "callback", "queue": "queue", "bare": "bare libcurl"}
    for panel, share in zip(axes, ("p50", "p99")):
        groups: list[Group] = []
        for way, in_flight in sorted({(f["way"], f["in_flight"]) for f in figures["figures"]}):
            found = [f for f in figures["figures"] if (f["way"], f["in_flight"]) == (way, in_flight)]
            groups.append((f"{way},\n{in_flight} in flight", [
                (f["contestant"], names[f["contestant"]], f[share], f"{f[share]:.0f}") for f in found]))
        bars(panel, groups)
        panel.set_title(f"From cancel to completion, µs, {share}")


def memory(figures: dict[str, Any], axes: list[Any]) -> None:
    names = {"ours": "this library", "bare": "bare libcurl"}
    groups: list[Group] = []
    for way in dict.fromkeys(f["way"] for f in figures["summary"]):
        groups.append((way, [(f["contestant"], names[f["contestant"]], f["kib_per_call"], f"{f['kib_per_call']:.1f}")
                             for f in figures["summary"] if f["way"] == way]))
    bars(axes[0], groups)
    axes[0].set_title(f"Resident memory per call, KiB, {figures['in_flight']} in flight")


def fleet(figures: dict[str, Any], axes: list[Any]) -> None:
    """What the service is asked in each second of a simulated outage."""
    [panel] = axes
    for name, colour, text in (("silent, without breaker and budget", BARE, "without breaker and budget"),
                               ("silent, as shipped", OURS, "as shipped")):
        load = figures["load"][name]
        panel.plot(range(len(load)), load, color=colour, linewidth=1.5)
        panel.annotate(text, (len(load) - 1, load[-1]), (6, 0), textcoords="offset points", va="center", color=colour)
    panel.axvspan(40, 100, color=FAINT, linewidth=0)
    panel.text(70, 0, "silent", ha="center", va="bottom", fontsize=8.5, color=GREY)
    panel.set_title(f"What {figures['clients']:,} clients ask in a second of a service that is silent for a minute")
    panel.set_xlim(15, 160)
    panel.set_ylim(0)
    panel.set_xlabel("seconds")


def sip(figures: dict[str, Any], axes: list[Any]) -> None:
    texts = {"nothing": "no searches", "stalls": "20 searches a second,\nplatform stalls",
             "resolver": "20 searches a second,\nresolver hangs", "blocking": "a blocking call\nin the loop"}
    for panel, calls in zip(axes, (1, 20)):
        found = {f["situation"]: f for f in figures["figures"] if f["calls"] == calls}
        groups = [(text, [("bare" if situation == "blocking" else "ours", share, found[situation][share],
                           f"{found[situation][share]:,.1f}") for share in ("p99.9", "max")])
                  for situation, text in texts.items()]
        bars(panel, groups, logarithmic_from=1)
        panel.set_title(f"ms between RTP packets, {calls} phone call{'s' if calls > 1 else ''}")


CHARTS: dict[str, tuple[Callable, int, tuple[float, float]]] = {
    "submit": (submit, 2, (11, 6.2)), "throughput": (throughput, 2, (11, 6.2)), "network": (network, 1, (8.5, 8)),
    "sip": (sip, 2, (11, 3.8)), "cancel": (cancel, 2, (11, 4.2)), "memory": (memory, 1, (7, 2.8)),
    "fleet": (fleet, 1, (9.5, 3.4))}


def draw(folder: pathlib.Path, measured: Collection[str] = CHARTS) -> list[pathlib.Path]:
    """A chart of each of those measurements that has one and has left its figures."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, (chart, panels, size) in CHARTS.items():
        source = BUILD / f"{name}.json"
        if name not in measured or not source.exists():
            continue
        figure, axes = plt.subplots(1, panels, figsize=size, squeeze=False, layout="constrained")
        chart(json.loads(source.read_text()), list(axes[0]))
        drawn.append(folder / f"{name}.svg")
        figure.savefig(drawn[-1], metadata={"Date": None, "Creator": None})
        plt.close(figure)
    return drawn


if __name__ == "__main__":
    draw(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "charts")
