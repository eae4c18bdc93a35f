"""Whether calls by the hundred thousand leave anything behind, from C++ and from Python, on the embedded sandbox."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

from common import BUILD, HERE, LIB_DIR, LIBRARY, ROOT, run, save, setting, show
from servers import Servers

CALLS = setting("BENCH_FLAT_CALLS", 100000, 8000)
WAYS = {"blocking": "Python, Client", "asyncio": "Python, AsyncClient, 64 in flight"}


def from_cpp(core: int | None) -> dict[str, Any]:
    """The test of the C++ header, which ends with an error when anything is left behind."""
    program = BUILD / "cpp" / "many_calls"
    subprocess.run(["make", "-s", "-C", str(ROOT / "Tests" / "cpp"), f"BUILD={program.parent}", f"LIB_DIR={LIB_DIR}",
                    str(program)], check=True, stdout=subprocess.DEVNULL)
    output = run([str(program)], core, env={**os.environ, "PBK_CALLS": str(CALLS)})
    calls, kib, warm_up = map(int, re.search(
        r"many calls: (\d+), nothing left behind, (-?\d+) KiB more than after (\d+) calls", output).groups())
    return {"calls": calls, "warm_up": warm_up, "more_kib": kib, "strings": 0, "completions": 0, "clients": 0}


def from_python(way: str, core: int | None) -> dict[str, Any]:
    environment = {**os.environ, "PBK_LIBRARY": str(LIBRARY)}
    found = json.loads(run([sys.executable, str(HERE / "bench_flat.py"), way, str(CALLS)], core, env=environment))
    return {**found, "more_kib": found["after_kib"] - found["before_kib"]}


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    figures = {"C++, every form of a call": from_cpp(cores[1]),
               **{name: from_python(way, cores[1]) for way, name in WAYS.items()}}
    rows = [["", "calls", "strings", "completions", "clients", "KiB more", "than after"]]
    rows += [[name, *(str(found[key]) for key in ("calls", "strings", "completions", "clients")),
              f"{found['more_kib']:+d}", f"{found['warm_up']} calls"] for name, found in figures.items()]
    show("What calls leave behind: live strings, completions and clients at the end, and resident memory", rows,
         "by hand, with more calls or fewer: PBK_CALLS=... make -C Tests/cpp check, and PACKAGE_CALLS=... "
         "pytest Tests/python/package/test_package_memory.py")
    save("flat", figures)
    return figures
