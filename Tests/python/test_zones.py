"""Time zones: the built-in table is what its script makes, and every file of the system is read or refused in words.

`campaigns/zones.py` compares conversions with Python's zoneinfo.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import zone_conversions as zc
from makefile import ROOT

TABLE = ROOT / "Sources" / "PartnerBooking" / "Zones" / "BuiltInZones+Table.swift"


@pytest.fixture(scope="module")
def system() -> Iterator[zc.Conversions]:
    if not zc.zone_table.SYSTEM.exists():
        pytest.skip("this system has no zoneinfo")
    with zc.Conversions(zc.zone_table.SYSTEM) as library:
        yield library


def test_the_table_is_what_its_script_makes() -> None:
    table = TABLE.read_text()
    version = re.search(r'version = "(.*)"', table)[1]
    for folder in zc.folders():
        if zc.version(folder) == version:
            command = [sys.executable, str(ROOT / "scripts" / "zone_table.py"), str(folder)]
            assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == table
            return
    pytest.skip(f"there is no tzdata {version} here")


def test_the_table_has_all_names() -> None:
    with zc.Conversions(None) as library:
        for folder in zc.folders():
            if zc.version(folder) == library.version("UTC"):
                assert {library.version(name) for name in zc.names(folder)} == {zc.version(folder)}


def test_every_zone_of_the_system_is_read(system: zc.Conversions) -> None:
    names = zc.names(zc.zone_table.SYSTEM)
    assert len(names) > 300
    assert {name: answer for name in names if (answer := system.version(name)) != "zoneinfo"} == {}


def test_leap_seconds_are_refused(system: zc.Conversions) -> None:
    if not Path(zc.zone_table.SYSTEM, "right", "UTC").exists():
        pytest.skip("this system has no files that count leap seconds")
    assert "it counts leap seconds" in system.version("right/Europe/Berlin")


def test_other_files_are_refused(system: zc.Conversions) -> None:
    names = [name for name in ("leapseconds", "posix", "America") if Path(zc.zone_table.SYSTEM, name).exists()]
    for name in names:
        assert system.version(name).startswith("error "), name


@pytest.mark.parametrize("name", ["../zoneinfo/UTC", "/usr/share/zoneinfo/UTC", "America/../UTC", "zone.tab", "a" * 65])
def test_no_path_is_a_name(system: zc.Conversions, name: str) -> None:
    assert system.version(name) == f'error the time zone "{name[:64]}" is no IANA name, such as America/New_York'
