"""What all measurements share: settings, compiled programs, processes that stay on their core and
end with this one."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import signal
import statistics
import subprocess
import sys
from typing import Any

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = pathlib.Path(os.environ.get("BENCH_DIR", ROOT / "build" / "bench")).absolute()
LIB_DIR = pathlib.Path(os.environ.get("PBK_LIB_DIR", ROOT / "build" / "lib")).absolute()
LIBRARY = LIB_DIR / "libpartnerbooking.so"
CC = shlex.split(os.environ.get("CC", "cc"))
CXX = shlex.split(os.environ.get("CXX", "c++"))
IS_QUICK = os.environ.get("BENCH_QUICK", "") not in ("", "0")

PROGRAMS = ["bench_blocking", "bench_submit", "bench_throughput", "bench_network", "bench_cancel", "bench_memory",
            "bench_frames", "bench_journal"]

sys.path.insert(0, str(ROOT / "Tests" / "servers"))  # for certificates and the delaying proxy
sys.path.insert(0, str(ROOT / "examples-c"))  # for the caller of sip_engine

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_PDEATHSIG = 1

# Spins on one core whenever nothing else wants it. Ends with its parent, however that ends.
SPINNER = f"""
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl({PR_SET_PDEATHSIG}, signal.SIGKILL)
os.sched_setaffinity(0, {{int(sys.argv[1])}})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
print("spinning", flush=True)
while os.getppid() == int(sys.argv[2]):
    for _ in range(1000000):
        pass
"""


def setting(name: str, full: int, quick: int) -> int:
    """A number from the environment, else the one for the full or for the quick run."""
    return int(os.environ.get(name, quick if IS_QUICK else full))


def missing(what: str) -> None:
    sys.exit(f"benchmark not run: {what}")


def compile_programs() -> None:
    if not LIBRARY.exists():
        missing(f"{LIBRARY} is not there; build the library first")
    for compiler, language in (CC, "C"), (CXX, "C++"):
        if shutil.which(compiler[0]) is None:
            missing(f"no {language} compiler: {compiler[0]}")
    curl = subprocess.run([*CC, "-E", "-x", "c", "-include", "curl/curl.h", "/dev/null"], capture_output=True)
    if curl.returncode != 0:
        missing("the headers of libcurl are not installed (Debian: apt-get install libcurl4-openssl-dev)")
    BUILD.mkdir(parents=True, exist_ok=True)
    options = ["-O2", "-pthread", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{ROOT / 'include'}"]
    library = [f"-L{LIB_DIR}", "-lpartnerbooking", "-lcurl", f"-Wl,-rpath,{LIB_DIR}"]
    shared, booking = str(BUILD / "bench.o"), str(BUILD / "bench_booking.o")
    for compiled in shared, booking:
        source = str(HERE / pathlib.Path(compiled).with_suffix(".c").name)
        subprocess.run([*CC, "-std=c11", *options, "-c", "-o", compiled, source], check=True)
    links = dict.fromkeys(PROGRAMS, [shared, *library])
    links |= {"bench_journal": [booking, shared, *library], "bench_startup": ["-ldl"]}
    for name, link in links.items():
        sources = sorted(str(source) for source in HERE.glob(f"{name}*.c"))
        subprocess.run([*CC, "-std=c11", *options, "-o", str(BUILD / name), *sources, *link], check=True)
    turns = ["-o", str(BUILD / "bench_turns"), str(HERE / "bench_turns.cpp"), shared]
    subprocess.run([*CXX, "-std=c++17", *options, *turns, *library], check=True)


# ---- Processes: pinned, and gone when this one is ----


def started(command: list[str], core: int | None, **options: Any) -> subprocess.Popen:
    """Starts a process on one core; the kernel ends it if this process dies without cleaning up."""

    def prepare() -> None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if core is not None:
            os.sched_setaffinity(0, {core})

    return subprocess.Popen(command, preexec_fn=prepare, **options)


@contextlib.contextmanager
def ended_at_the_end(process: subprocess.Popen):
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


def run(command: list[str], core: int | None, **options: Any) -> str:
    with ended_at_the_end(started(command, core, stdout=subprocess.PIPE, text=True, **options)) as process:
        output, _ = process.communicate()
        if process.returncode != 0:
            name = " ".join(pathlib.Path(word).name for word in command)
            sys.exit(f"benchmark ended: {name} failed with {process.returncode}")
    return output


def keep_awake(stack: contextlib.ExitStack, cores: list[int]) -> str:
    """Starts one spinner a core, and tells whether they really are what they should be."""
    for core in cores:
        command = [sys.executable, "-c", SPINNER, str(core), str(os.getpid())]
        spinner = stack.enter_context(ended_at_the_end(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)))
        if (spinner.stdout.readline().strip() != "spinning"
                or os.sched_getscheduler(spinner.pid) != os.SCHED_IDLE
                or os.sched_getaffinity(spinner.pid) != {core}):
            return "NOT kept awake (no SCHED_IDLE here)"
    return "kept awake under SCHED_IDLE"


# ---- Figures ----


def machine() -> dict[str, Any]:
    cpu = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    return {"cpu": cpu.group(1) if cpu else platform.machine(), "cores": os.cpu_count(), "kernel": platform.release(),
            "load": round(os.getloadavg()[0], 2)}


def quantile(samples: list[float], share: float) -> float:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median(values: Any) -> float:
    return statistics.median(values)


def table(rows: list[list[str]]) -> str:
    """The first column to the left, the others to the right; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def show(title: str, rows: list[list[str]], *notes: str) -> None:
    print(f"\n{title}\n{table(rows)}")
    for note in notes:
        print(f"({note})")
    sys.stdout.flush()


def save(name: str, figures: dict[str, Any]) -> None:
    (BUILD / f"{name}.json").write_text(json.dumps(figures) + "\n")
