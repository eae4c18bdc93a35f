#!/usr/bin/env python3
"""Explores the ledger protocol.

    model.py                 all exhaustive configurations, then all planted bugs
    model.py --long          larger configurations; --budget limits the states of each
    model.py --bug NAME      one planted bug, with the trace that shows it
"""

from __future__ import annotations

import argparse
import time

from explore import Finding, explore
from library import Library
from planted import EXHAUSTIVE, LONG, PLANTED, planted


def explore_all(configurations, budget):
    good = True
    for name, (options, left) in configurations.items():
        started = time.monotonic()
        try:
            states, steps = explore(Library(**options), left, budget)
            text = f"{states} states, {steps} steps, no violation"
        except Finding as finding:
            text, good = str(finding), False
        print(f"{name}: {text}, {time.monotonic() - started:.1f} s", flush=True)
    return good


def find(bug):
    started = time.monotonic()
    try:
        states, _ = explore(*planted(bug), budget=300_000, symmetric=False)
    except Finding as finding:
        print(f"planted: {bug}: {finding.args[0]} ({len(finding.trace)} steps, {time.monotonic() - started:.1f} s)")
        return finding
    print(f"planted: {bug}: NOT FOUND in {states} states", flush=True)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--budget", type=int)
    parser.add_argument("--bug", choices=sorted(PLANTED))
    arguments = parser.parse_args()
    if arguments.bug:
        print(find(arguments.bug))
        return True
    if arguments.long:
        return explore_all(LONG, arguments.budget)
    good = explore_all(EXHAUSTIVE, arguments.budget)
    found = [bug for bug in PLANTED if find(bug)]
    print(f"{len(found)} of {len(PLANTED)} planted bugs found")
    return good and len(found) == len(PLANTED)


if __name__ == "__main__":
    raise SystemExit(0 if main() else 1)
