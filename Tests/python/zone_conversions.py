"""Time zones by the library and by Python's zoneinfo, from the same files."""

from __future__ import annotations

import fcntl
import importlib.util
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from zoneinfo import ZoneInfo

from makefile import ROOT

sys.path.insert(1, str(ROOT / "scripts"))

import zone_table

PROGRAM = ROOT / "build" / "zones" / "conversions"

EPOCH = datetime(1970, 1, 1)
WEEK = 7 * 86_400


FIRST_YEAR, LAST_YEAR = zone_table.FIRST_YEAR, zone_table.LAST_YEAR
second: Callable[[int], int] = zone_table.second


def folders() -> list[Path]:
    """Where there is compiled tzdata: the system's, and the package's of PyPI."""
    found = [zone_table.SYSTEM]
    package = importlib.util.find_spec("tzdata")
    if package and package.submodule_search_locations:
        found.append(Path(package.submodule_search_locations[0]) / "zoneinfo")
    return [folder for folder in found if (folder / "tzdata.zi").exists()]


def version(folder: Path) -> str:
    return zone_table.names(folder)[0]


def names(folder: Path) -> list[str]:
    """The zones and links that the folder has."""
    return sorted(name for name in zone_table.names(folder)[1] if (folder / name).exists())


def zone(folder: Path, name: str) -> ZoneInfo:
    with (folder / name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def changes(folder: Path, name: str, first: int, last: int) -> list[int]:
    """The instants of a time at which the offset changes."""
    return _changes((folder / name).read_bytes(), zone(folder, name), first, last)


@lru_cache(maxsize=2_000)
def _changes(content: bytes, zone: ZoneInfo, first: int, last: int) -> list[int]:
    listed = [instant for instant, _ in zone_table.read(content).changes]
    found = [instant for instant in listed if first <= instant <= last]
    # Behind the list the rule of the footer changes it twice a year.
    low = max(first, listed[-1] if listed else first)
    while low < last:
        high = low + WEEK
        if offset_at(zone, low) != offset_at(zone, high):
            found.append(_between(zone, low, high))
        low = high
    return found


def _between(zone: ZoneInfo, low: int, high: int) -> int:
    before = offset_at(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_at(zone, middle) == before else (low, middle)
    return high


offset_at: Callable[[ZoneInfo, int], int] = zone_table.offset_at


def local(zone: ZoneInfo, instant: int) -> tuple[int, int]:
    """The offset, and whether the wall time is repeated."""
    moment = datetime.fromtimestamp(instant, zone)
    offset = moment.utcoffset()
    assert offset is not None
    return offset.days * 86_400 + offset.seconds, moment.fold


def wall(zone: ZoneInfo, wall: int) -> tuple[int, int, int]:
    """The number of instants, and these. For a gap, whose change zoneinfo does not tell, two that are no use."""
    moment = (EPOCH + timedelta(seconds=wall)).replace(tzinfo=zone)
    first, second = (wall - int(time.utcoffset().total_seconds()) for time in (moment, moment.replace(fold=1)))
    return 1 + (first < second) - (first > second), first, second


def shown_at(zone: ZoneInfo, wall: int) -> list[int]:
    """The instants with that wall time, by the offsets of zoneinfo alone and not by what it says of repetition."""
    offsets = {offset_at(zone, wall + hours * 3_600) for hours in range(-30, 31)}
    return sorted(wall - offset for offset in offsets if offset_at(zone, wall - offset) == offset)


def build() -> None:
    """Makes the program, in one process at a time."""
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    with PROGRAM.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "-s", "-C", str(ROOT / "Tests" / "zones")], check=True)


class Conversions(AbstractContextManager["Conversions"]):
    """The library's zones in a process of their own. Without a folder they come from the built-in table."""

    def __init__(self, folder: Path | None) -> None:
        build()
        command = [str(PROGRAM), str(folder or "/there/is/no/such/folder")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._source = "zoneinfo" if folder else None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def local(self, name: str, instants: list[int]) -> list[tuple[int, int]]:
        return [(number >> 1, number & 1) for number in self._ask("local", name, instants, 1)]

    def wall(self, name: str, walls: list[int]) -> list[tuple[int, int, int]]:
        numbers = iter(self._ask("wall", name, walls, 3))
        return list(zip(numbers, numbers, numbers))

    def version(self, name: str) -> str:
        """Where the zone comes from, or the error."""
        return self._ask_for("local", name, [])

    def _ask_for(self, task: str, name: str, numbers: list[int]) -> str:
        assert self._process.stdin and self._process.stdout
        line = f"{task} {name} {len(numbers)}\n".encode()
        self._process.stdin.write(line + struct.pack(f"={len(numbers)}q", *numbers))
        self._process.stdin.flush()
        return self._process.stdout.readline().decode().rstrip("\n")

    def _ask(self, task: str, name: str, numbers: list[int], size: int) -> tuple[int, ...]:
        source = self._ask_for(task, name, numbers)
        assert not source.startswith("error"), source
        assert self._source in (None, source), f"{name} comes from {source}"
        assert self._process.stdout
        return struct.unpack(f"={size * len(numbers)}q", self._process.stdout.read(8 * size * len(numbers)))
