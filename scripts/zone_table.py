"""Makes the built-in table of time zones from compiled tzdata.

    python3 scripts/zone_table.py [ZONEINFO] > Sources/PartnerBooking/Zones/BuiltInZones+Table.swift

ZONEINFO is a folder with TZif files and tzdata.zi: the system's /usr/share/zoneinfo unless it is named, or the one in
the package tzdata of PyPI, which is often newer. Equal data give an equal table. It has all zones and links, and is
right from FIRST_YEAR to LAST_YEAR; only the rules of the last of these years hold behind them. It needs Python 3.9 and
nothing else.
"""

from __future__ import annotations

import io
import struct
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 2026, 2040
SYSTEM = Path("/usr/share/zoneinfo")
WIDTH = 110

HEAD = '''\
// Made by scripts/zone_table.py. Do not edit.
extension BuiltInZones {{
    /// The version of tzdata that the table was made from.
    static let version = "{version}"

    static let table: StaticString = """
'''
FOOT = '''\
        """
}
'''


@dataclass(frozen=True)
class TZif:
    """A file of version 2 or later."""

    changes: list[tuple[int, int]]
    """Instants, and the offset from each of them on."""
    footer: str


def second(year: int) -> int:
    """The first one of a year in UTC."""
    return int(datetime(year, 1, 1, tzinfo=timezone.utc).timestamp())


START, END = second(FIRST_YEAR), second(LAST_YEAR + 1)


def read(data: bytes) -> TZif:
    assert data[:4] == b"TZif" and data[4:5] >= b"2", "not a TZif file of version 2 or later"

    def counts(start: int) -> tuple[int, ...]:
        return struct.unpack_from(">6l", data, start + 20)

    utc, std, leap, time, kind, char = counts(0)
    second_header = 44 + time * 5 + kind * 6 + char + leap * 8 + std + utc
    utc, std, leap, time, kind, char = counts(second_header)
    assert leap == 0, "the file counts leap seconds"
    place = second_header + 44
    instants = struct.unpack_from(f">{time}q", data, place)
    kinds = data[place + 8 * time : place + 9 * time]
    place += 9 * time
    offsets = [struct.unpack_from(">l", data, place + 6 * index)[0] for index in range(kind)]
    place += 6 * kind + char + std + utc
    footer = data[place:].decode("ascii").strip("\n")
    assert footer and set(footer).isdisjoint(' |"\\'), f"no plain footer: {footer}"
    return TZif([(instant, offsets[index]) for instant, index in zip(instants, kinds)], footer)


@cache
def rule(content: bytes) -> str:
    """The footer, and the changes that it does not tell."""
    file = read(content)
    zones = ZoneInfo.from_file(io.BytesIO(content)), footer_zone(file.footer)
    inside = [instant for instant, _ in file.changes if START < instant < END]
    if agree(*zones, START, inside):
        return file.footer
    offset = offset_at(zones[0], START)
    text = f"{file.footer}|{offset}"
    last = START
    for instant in inside:
        after = offset_at(zones[0], instant)
        if after != offset:
            text += f",{instant}={after}"
            offset, last = after, instant
    # The footer holds from the last change on, so it must not come too early.
    if not agree(*zones, last, []):
        text += f",{END}={offset_at(zones[0], END)}"
    return text


def agree(zone: ZoneInfo, other: ZoneInfo, start: int, changes: list[int]) -> bool:
    """Whether two zones have equal offsets from a start to END. `changes` are those of the first."""
    near = [instant + step for instant in changes for step in (-1, 0)]
    # No period is as short as a day.
    instants = (*near, *range(start, END, 86_400))
    return all(offset_at(zone, instant) == offset_at(other, instant) for instant in instants)


def offset_at(zone: ZoneInfo, instant: int) -> int:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())


def footer_zone(footer: str) -> ZoneInfo:
    """A zone that has this rule for all time: a TZif file with one type of time and no change."""
    def block(version: bytes, body: bytes) -> bytes:
        return b"TZif" + version + bytes(15) + struct.pack(">6l", 0, 0, 0, 0, 1, 4) + body

    body = struct.pack(">lbb", 0, 0, 0) + b"UTC\0"
    return ZoneInfo.from_file(io.BytesIO(block(b"2", body) + block(b"2", body) + f"\n{footer}\n".encode()))


def names(folder: Path) -> tuple[str, dict[str, str]]:
    """The version, and for each zone and link the name of a file: a distribution may have left out old links."""
    lines = (folder / "tzdata.zi").read_text().splitlines()
    version = lines[0].removeprefix("# version ")
    files: dict[str, str] = {}
    links: dict[str, str] = {}
    for words in map(str.split, lines):
        if words[:1] == ["Z"]:
            files[words[1]] = words[1]
        elif words[:1] == ["L"]:
            links[words[2]] = words[1]
    for link, target in links.items():
        while target in links:
            target = links[target]
        files[link] = target
    return version, files


def table(folder: Path) -> str:
    version, files = names(folder)
    by_rule: dict[str, list[str]] = {}
    for name in sorted(files):
        by_rule.setdefault(rule((folder / files[name]).read_bytes()), []).append(name)
    text = HEAD.format(version=version)
    for line in sorted(" ".join([rule, *names]) for rule, names in by_rule.items()):
        text += wrapped(line)
    return text + FOOT


def wrapped(line: str) -> str:
    """A line of the table in a literal of several lines: a backslash joins it with the next one."""
    text = ""
    while len(line) > WIDTH:
        end = max(line.rfind(" ", 0, WIDTH), line.rfind(",", 0, WIDTH)) + 1
        text += f"        {line[:end]}\\\n"
        line = line[end:]
    return f"{text}        {line}\n"


if __name__ == "__main__":
    sys.stdout.write(table(Path(sys.argv[1]) if len(sys.argv) > 1 else SYSTEM))
