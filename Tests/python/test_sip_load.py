"""sip_engine with 20 searches a second beside its phone calls: the audio goes on, and new calls are answered."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from header import ROOT
from programs import LINK, run
from sip_caller import Call, Engine, play

BENCHMARKS = ROOT / "Benchmarks"
STALL_SECONDS = 3
LOADED_SECONDS = 5
DESCRIPTORS = 1024


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The engine with searches beside it, and a look-up that hangs."""
    built = tmp_path_factory.mktemp("sip") / "bench_sip"
    sources = [BENCHMARKS / "bench_sip.c", ROOT / "Tests" / "campaigns" / "hanging_resolver.c"]
    run("cc", "-O2", "-pthread", f"-I{ROOT / 'include'}", "-o", built, *sources, *LINK, "-lcurl", "-lre", "-lespeak-ng")
    return built


@pytest.fixture(scope="module")
def platform() -> Iterator[str]:
    command = [sys.executable, str(BENCHMARKS / "stall_server.py"), str(STALL_SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
        server.terminate()


def listens(seconds: float) -> Callable[[Call], Iterator[Any]]:
    def script(call: Call) -> Iterator[Any]:
        end = time.monotonic() + seconds
        yield lambda: time.monotonic() > end and len(call.frames) > 100
        call.hang_up()

    return script


def called(program: Path, way: str, url: str, first: int, later: int) -> tuple[Engine, list[Call]]:
    """Some calls, and more when searches have been under way for a while. All have ended, and the
    engine has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))  # inherited
    try:
        engine = Engine([program, way, url])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with engine:
        calls = [Call(engine.port, after=LOADED_SECONDS if number >= first else 0) for number in range(first + later)]
        play(calls, listens(LOADED_SECONDS + 3), 50)
        assert engine.end() == 0
    return engine, calls


def searches(engine: Engine) -> int:
    [line] = [line for line in engine.lines if line.startswith("searches: ")]
    return int(line.split()[1])


@pytest.mark.parametrize("what", ["the platform stalls", "the resolver hangs"])
def test_searches_leave_no_gap_and_new_calls_are_answered(program, platform, what):
    url = platform if what == "the platform stalls" else "https://name.invalid"
    engine, calls = called(program, "ours", url, 20, 10)
    assert searches(engine) > LOADED_SECONDS * 20 * 0.5
    assert sum(200 in call.statuses for call in calls) == 30
    assert sum("bot: Hello" in line for line in engine.lines) == 30
    assert max(max(call.gaps_ms) for call in calls) < STALL_SECONDS * 1000 / 2


def test_blocking_call_in_the_loop_leaves_gaps(program, platform):
    """So that the test above is known to see them."""
    _, calls = called(program, "blocking", platform, 1, 0)
    assert max(max(call.gaps_ms) for call in calls) >= STALL_SECONDS * 1000 * 0.9
