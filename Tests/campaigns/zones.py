#!/usr/bin/env python3
"""Random conversions of time zones, by the library and by Python's zoneinfo.

    python Tests/campaigns/zones.py

Both read the same files: those of the system, and those of the package tzdata when it is installed. They are not alike:
many distributions list each change until 2037, and the package has a rule from 2007 on. A third part compares the
library's built-in table with the files that it was made from, for the years that it promises.

Instants are from 1900 to 2100, half of them within two days of a change of the clock. For each instant the offset and
the repetition are compared, for each wall time the number of instants, these, and for a gap the change. Where zoneinfo
contradicts itself, because no offset of its own changes where it tells of a repeated hour, it is counted apart.

Prints counts and ends with 1 when anything differs. Read from the environment:

    ZONES_CONVERSIONS    in each of the two folders (default 200000; the table is always compared in full)
    ZONES_SEED           of the choices (default 18)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import common
import zone_conversions as zc

CONVERSIONS = common.budget("ZONES_CONVERSIONS", 200_000)
SEED = common.budget("ZONES_SEED", 18)

BATCH = 1_000
DAY = 86_400

FIRST, LAST = zc.second(1900), zc.second(2101) - 1

ODD = [
    *("America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "Europe/Dublin", "Africa/Casablanca", "Asia/Gaza"),
    *("Antarctica/Troll", "Pacific/Apia", "Pacific/Kwajalein", "America/Nuuk", "Africa/Monrovia", "Asia/Manila"),
    *("America/Juneau", "America/Havana", "America/Sao_Paulo", "Asia/Kathmandu", "Europe/Amsterdam", "Asia/Tehran"),
    *("America/Godthab", "Africa/Cairo", "Pacific/Chatham", "America/St_Johns", "Antarctica/Casey", "Etc/GMT+12"),
]
"""Zones with half hours, lost days, negative daylight saving time, and changes at midnight or for one month."""


class Comparison:
    """One zone, by both."""

    def __init__(self, findings: common.Findings, name: str, zone: ZoneInfo, library: zc.Conversions) -> None:
        self.findings, self.name, self.zone, self.library = findings, name, zone, library

    def instants(self, instants: list[int]) -> None:
        for instant, found in zip(instants, self.library.local(self.name, instants)):
            expected = zc.local(self.zone, instant)
            if found != expected:
                earlier = zc.shown_at(self.zone, instant + expected[0])[0] < instant
                self.differ(f"at {instant}", found, expected, found == (expected[0], int(earlier)))
        self.findings.count("conversions", len(instants))

    def walls(self, walls: list[int]) -> None:
        for wall, found in zip(walls, self.library.wall(self.name, walls)):
            self.findings.count(("gaps", "ones", "twos")[found[0]])
            expected = zc.wall(self.zone, wall)
            if found[0] == expected[0] == 0:
                if not self.is_change_over(wall, found[1]):
                    self.differ(f"for {wall}", found, expected, False)
            elif found != expected:
                shown = zc.shown_at(self.zone, wall)
                self.differ(f"for {wall}", found, expected, shown and found == (len(shown), shown[0], shown[-1]))
        self.findings.count("conversions", len(walls))

    def is_change_over(self, wall: int, instant: int) -> bool:
        """Whether the clock is put forward over the wall time at that instant."""
        before, after = (zc.offset_at(self.zone, moment) for moment in (instant - 1, instant))
        return instant + before <= wall < instant + after

    def differ(self, place: str, found: Any, expected: Any, has_reason: bool) -> None:
        """A difference, unless zoneinfo itself has the offsets that the library tells of.

        It takes an hour for a repeated one when a rule begins with the end of a daylight saving time that was not: in
        Nuuk on 2023-10-29, in files that list no later change.
        """
        if has_reason:
            self.findings.count("contradictions")
        else:
            self.findings.violation("differences", f"{self.name} {place}: {found}, zoneinfo {expected}")


def chosen(changes: list[int], random: Random, count: int) -> Iterator[int]:
    """Instants, half of them near a change."""
    near = [change for change in changes if FIRST <= change <= LAST]
    for _ in range(count):
        instant = random.randint(FIRST, LAST)
        if near and random.random() < 0.5:
            distance = random.choice((0, 1, 60, 3_600, 2 * 3_600, 2 * DAY))
            instant = random.choice(near) + random.randint(-distance - 1, distance)
        yield instant


def shown(zone: ZoneInfo, instant: int) -> int:
    """The wall time of an instant."""
    return instant + zc.offset_at(zone, instant)


def compare_folder(findings: common.Findings, folder: Path, random: Random) -> None:
    names = zc.names(folder)
    findings.count("zones", len(names))
    share = max(BATCH, CONVERSIONS // len(names))
    order = random.sample(names, len(names))
    done = 0
    with zc.Conversions(folder) as library:
        for name in [name for name in ODD if name in names] + [name for name in order if name not in ODD]:
            if done >= CONVERSIONS:
                break
            zone = zc.zone(folder, name)
            comparison = Comparison(findings, name, zone, library)
            changes = zc.changes(folder, name, FIRST, LAST)
            for start in range(0, share, BATCH):
                count = min(BATCH, share - start)
                comparison.instants(list(chosen(changes, random, count // 2)))
                walls = [shown(zone, instant) for instant in chosen(changes, random, count - count // 2)]
                # Around a change also what the clock skips, and what it has shown before.
                comparison.walls([wall + random.choice((0, 0, -3_600, 3_600)) for wall in walls])
                done += count
            findings.count("compared_zones")


def compare_table(findings: common.Findings, folder: Path) -> None:
    """Every zone: all changes with the seconds and hours around them, and each week."""
    first, last = zc.second(zc.FIRST_YEAR), zc.second(zc.LAST_YEAR + 1) - 1
    names = zc.names(folder)
    with zc.Conversions(None) as library:
        if library.version("UTC") != zc.version(folder):
            findings.count("table_skipped")
            return
        for name in names:
            zone = zc.zone(folder, name)
            changes = zc.changes(folder, name, first, last)
            steps = (-7_201, -3_601, -3_600, -1_801, -1, 0, 1, 1_800, 3_599, 3_600, 7_200)
            near = [change + step for change in changes for step in steps]
            comparison = Comparison(findings, name, zone, library)
            comparison.instants([first, last, *near, *range(first, last, 7 * DAY)])
            # A day away from the ends: wall times need both sides of a change.
            inside = [instant for instant in near if first + DAY < instant < last - DAY]
            inside += range(first + DAY, last - DAY, 7 * DAY)
            comparison.walls([shown(zone, instant) + step for instant in inside for step in (-1_800, 0, 3_600)])
            findings.count("table_zones")


def main() -> int:
    print(f"zones: ZONES_CONVERSIONS={CONVERSIONS} ZONES_SEED={SEED}", flush=True)
    findings = common.Findings("zones")
    random = Random(SEED)
    folders = zc.folders()
    for folder in folders:
        compare_folder(findings, folder, random)
    findings.line("random", ["zones", "compared_zones", "conversions", "ones", "twos", "gaps"])
    for folder in folders:
        compare_table(findings, folder)
    findings.line("table", ["table_zones", "table_skipped"])
    findings.line("all", ["conversions", "ones", "twos", "gaps", "differences", "contradictions"])
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
