#!/usr/bin/env python3
"""Call after call from Python on the embedded sandbox, and what is left behind.

    bench_flat.py blocking|asyncio CALLS

Prints one JSON object: strings, completions and clients of the library that were given out and have not come back, and
KiB of resident memory after the first quarter, when buffers and tables have their size, and at the end. Counts as the
tests of the package do.
"""

from __future__ import annotations

import asyncio
import json
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1] / "Tests" / "python"
sys.path[:0] = [str(TESTS), str(TESTS / "package")]

from python_package import pb, search  # noqa: E402
from samples import SANDBOX  # noqa: E402
from test_package_memory import Counted, resident_kib  # noqa: E402

IN_FLIGHT = 64


def blocking(quarter: int) -> list[int]:
    found = []
    with pb.Client(**SANDBOX) as client:
        for _ in range(4):
            for _ in range(quarter):
                client.search_availability(search()).availabilities
            found.append(resident_kib())
    return found


async def awaited(quarter: int) -> list[int]:
    found = []
    async with pb.AsyncClient(**SANDBOX) as client:
        for _ in range(4):
            for _ in range(quarter // IN_FLIGHT):
                for reply in await asyncio.gather(*(client.search_availability(search()) for _ in range(IN_FLIGHT))):
                    reply.availabilities
            found.append(resident_kib())
    return found


def main() -> None:
    way, calls = sys.argv[1], int(sys.argv[2])
    quarter = calls // 4 // IN_FLIGHT * IN_FLIGHT
    counted = Counted(pytest.MonkeyPatch())
    found = blocking(quarter) if way == "blocking" else asyncio.run(awaited(quarter))
    print(json.dumps({"calls": 4 * quarter, "warm_up": quarter, "before_kib": found[0], "after_kib": found[-1],
                      **counted.live}))


if __name__ == "__main__":
    main()
