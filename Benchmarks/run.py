#!/usr/bin/env python3
"""Measures what libpartnerbooking costs: a warm blocking search beside bare libcurl, and loading and opening.

    python3 Benchmarks/run.py

Prints a table and writes every raw figure to build/bench/blocking.json. It judges nothing. Needs the built library, a C
compiler, the headers of libcurl and nginx. Read from the environment:

    BENCH_ROUNDS   rounds (25); more rounds, steadier medians
    BENCH_CALLS    calls of each kind in a round (400)
    BENCH_SAMPLES  fresh processes for the start-up figures (21)
    BENCH_DIR      where programs and results go (build/bench)
    PBK_LIB_DIR    where libpartnerbooking.so is (build/lib)
    CC, NGINX      the compiler (cc) and the server (nginx)

How it is made comparable: both send the same request, which is looked at and printed; they take turns within each
round and swap who goes first; nginx has one core, the measuring process another; and on both cores a process of the
scheduling class SCHED_IDLE spins, which gives way to anything else and only keeps the core from falling asleep between
two packets.
"""

import contextlib
import ctypes
import http.server
import json
import os
import pathlib
import platform
import re
import shlex
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "25"))
CALLS = int(os.environ.get("BENCH_CALLS", "400"))
SAMPLES = int(os.environ.get("BENCH_SAMPLES", "21"))
BUILD = pathlib.Path(os.environ.get("BENCH_DIR", ROOT / "build" / "bench"))
LIB_DIR = pathlib.Path(os.environ.get("PBK_LIB_DIR", ROOT / "build" / "lib")).absolute()
LIBRARY = LIB_DIR / "libpartnerbooking.so"
CC = shlex.split(os.environ.get("CC", "cc"))
NGINX = shutil.which(os.environ.get("NGINX", "nginx"), path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")

REPLY_BYTES = 2048
SANDBOX = '{"endpoint":"sandbox","sandbox":{"now":"2030-01-14T08:00:00Z"}}'
SEARCHES = 1000

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


def missing(what: str) -> None:
    sys.exit(f"benchmark not run: {what}")


def compile_programs() -> None:
    if not LIBRARY.exists():
        missing(f"{LIBRARY} is not there; build the library first")
    if NGINX is None:
        missing("nginx is not installed (Debian: apt-get install nginx)")
    if shutil.which(CC[0]) is None:
        missing(f"no C compiler: {CC[0]}")
    curl = subprocess.run([*CC, "-E", "-x", "c", "-include", "curl/curl.h", "/dev/null"], capture_output=True)
    if curl.returncode != 0:
        missing("the headers of libcurl are not installed (Debian: apt-get install libcurl4-openssl-dev)")
    BUILD.mkdir(parents=True, exist_ok=True)
    common = [*CC, "-std=c11", "-O2", "-pthread", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{ROOT / 'include'}"]
    library = [f"-L{LIB_DIR}", "-lpartnerbooking", "-lcurl", f"-Wl,-rpath,{LIB_DIR}"]
    for name, link in (("bench_blocking", library), ("bench_startup", ["-ldl"])):
        subprocess.run([*common, "-o", str(BUILD / name), str(HERE / f"{name}.c"), *link], check=True)


# ---- Processes: pinned, and gone when this one is ----

def started(command: list[str], core: int | None, **options) -> subprocess.Popen:
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
        if process.stdout is not None:
            process.stdout.close()


def run(command: list[str], core: int | None) -> str:
    with ended_at_the_end(started(command, core, stdout=subprocess.PIPE, text=True)) as process:
        output, _ = process.communicate()
        if process.returncode != 0:
            sys.exit(f"benchmark ended: {pathlib.Path(command[0]).name} failed with {process.returncode}")
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


# ---- The server ----

def reply_text() -> str:
    """A search reply of exactly REPLY_BYTES bytes; the last member fills it up."""
    slots = [{"start_at": f"2030-01-14T{9 + n // 2:02}:{n % 2 * 30:02}:00Z", "duration_minutes": 30} for n in range(30)]
    empty = json.dumps({"availabilities": slots, "filler": ""}, separators=(",", ":"))
    return empty[:-2] + "x" * (REPLY_BYTES - len(empty)) + empty[-2:]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(url: str, body: bytes | None = None) -> bytes:
    # No proxy, whatever the environment says: this is loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, body), timeout=5) as reply:
        return reply.read()


def start_nginx(stack: contextlib.ExitStack, core: int | None) -> str:
    """Starts nginx in a temporary folder and returns its base URL."""
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pbk-bench-")))
    for _ in range(5):  # another process may take the free port first
        port = free_port()
        text = (HERE / "nginx.conf").read_text().replace("@PORT@", str(port)).replace("@REPLY@", reply_text())
        text = text.replace("@USER@", "user root;" if os.geteuid() == 0 else "")
        (folder / "nginx.conf").write_text(text)
        command = [NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
        server = stack.enter_context(ended_at_the_end(started(command, core, stderr=subprocess.DEVNULL)))
        deadline = time.monotonic() + 5
        while server.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(urllib.error.URLError):
                got = ask(f"http://127.0.0.1:{port}/v1/availability/search", b"{}")
                if got != reply_text().encode():
                    sys.exit(f"benchmark ended: nginx gives other {len(got)} bytes than its configuration says")
                return f"http://127.0.0.1:{port}"
            time.sleep(0.02)
    log = folder / "error.log"
    sys.exit("benchmark ended: nginx does not start\n" + (log.read_text() if log.exists() else ""))


def connections_so_far(base_url: str) -> int:
    return int(ask(f"{base_url}/connection"))


# ---- The same bytes? ----

def compare_requests(core: int | None) -> str:
    """Lets both send one request to a server that writes down what arrives."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if self.command == "POST":
                requests.append(([self.requestline, *sorted(f"{n}: {v}" for n, v in self.headers.items())], body))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(REPLY_BYTES))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply_text().encode())

        do_GET = do_HEAD = do_POST = answer

        def log_message(self, *_) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        run([str(BUILD / "bench_blocking"), f"http://127.0.0.1:{server.server_port}", "wire"], core)
        server.shutdown()
    if len(requests) != 2:
        return f"{len(requests)} requests arrived instead of 2"
    (bare, bare_body), (ours, our_body) = requests
    differences = [f"only bare: {line}" for line in bare if line not in ours]
    differences += [f"only ours: {line}" for line in ours if line not in bare]
    if bare_body != our_body:
        differences.append("the bodies")
    return "the same from both" if not differences else "DIFFERENT: " + "; ".join(differences)


# ---- Figures ----

def blocking(base_url: str, core: int | None) -> dict:
    before = connections_so_far(base_url)
    lines = run([str(BUILD / "bench_blocking"), base_url, str(ROUNDS), str(CALLS)], core).splitlines()
    made = connections_so_far(base_url) - before - 1
    versions, *rounds = (json.loads(line) for line in lines)
    return {"versions": versions, "rounds": rounds, "connections": made}


def blocking_table(rounds: list[dict]) -> list[str]:
    """Differences and ratios are taken round by round, and the median of each is shown."""
    lines = [f"{'':25}{'bare libcurl':>14}{'on a thread':>14}{'ours':>12}{'ours - bare':>14}{'ours / bare':>13}"]
    for name, key in (("p50", "p50_us"), ("p99", "p99_us"), ("processor time per call", "cpu_us")):
        bare, hops, ours = (statistics.median(r[who][key] for r in rounds) for who in ("bare", "hops", "ours"))
        difference = statistics.median(r["ours"][key] - r["bare"][key] for r in rounds)
        ratios = [r["ours"][key] / r["bare"][key] for r in rounds if r["bare"][key] > 0]
        ratio = f"{statistics.median(ratios):13.3f}" if ratios else f"{'-':>13}"
        lines.append(f"{name:25}{bare:11.1f} us{hops:11.1f} us{ours:9.1f} us{difference:+11.1f} us{ratio}")
    return lines


def startup(config: str, searches: int, core: int | None) -> list[dict]:
    command = [str(BUILD / "bench_startup"), str(LIBRARY), config, str(searches)]
    return [json.loads(run(command, core)) for _ in range(SAMPLES)]


def startup_table(sandbox: list[dict], hosted: list[dict]) -> list[str]:
    def milliseconds(samples: list[dict], key: str) -> str:
        return f"{statistics.median(s[key] for s in samples) / 1000:9.3f} ms"

    def megabytes(key: str) -> str:
        return f"{statistics.median(s[key] for s in sandbox) / 1024:9.2f} MiB"

    return [
        f"{'dlopen, RTLD_NOW':40}{milliseconds(sandbox + hosted, 'dlopen_us')}",
        f"{'  of which libcurl and what it needs':40}{milliseconds(sandbox + hosted, 'dlopen_curl_us')}",
        f"{'pbk_client_open, sandbox, first':40}{milliseconds(sandbox, 'open_first_us')}",
        f"{'                          second':40}{milliseconds(sandbox, 'open_second_us')}",
        f"{'pbk_client_open, partner_api, first':40}{milliseconds(hosted, 'open_first_us')}",
        f"{'                              second':40}{milliseconds(hosted, 'open_second_us')}",
        f"{'resident memory before dlopen':40}{megabytes('rss_before_kib')}",
        f"{'  library loaded':40}{megabytes('rss_loaded_kib')}",
        f"{'  one sandbox client open':40}{megabytes('rss_opened_kib')}",
        f"{f'  after {SEARCHES} searches':40}{megabytes('rss_searched_kib')}",
        f"{'size of libpartnerbooking.so':40}{LIBRARY.stat().st_size / 1024 / 1024:9.2f} MiB",
    ]


def machine() -> dict:
    cpu = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
    nginx = subprocess.run([NGINX, "-v"], capture_output=True, text=True).stderr
    return {"cpu": cpu.group(1) if cpu else platform.machine(), "cores": os.cpu_count(), "kernel": platform.release(),
            "load": round(os.getloadavg()[0], 2), "nginx": nginx.strip().rpartition(" ")[2]}


def main() -> None:
    # Ended from outside, still clean up.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit("benchmark ended by a signal"))
    compile_programs()
    host = machine()
    cores = sorted(os.sched_getaffinity(0))[:2]
    with contextlib.ExitStack() as stack:
        if len(cores) == 2:
            server_core, client_core = cores
            setting = f"nginx on core {server_core}, caller on core {client_core}, both " + keep_awake(stack, cores)
        else:
            server_core = client_core = None
            setting = "only one core: nothing is pinned, and caller and nginx share it"
        requests = compare_requests(client_core)
        base_url = start_nginx(stack, server_core)
        figures = blocking(base_url, client_core)
        hosted_config = json.dumps({"api_key": "sk_ptnr_bench0123456789abcdef", "base_url": base_url})
        sandbox = startup(SANDBOX, SEARCHES, client_core)
        hosted = startup(hosted_config, 0, client_core)

    versions = figures["versions"]
    print(f"machine      {host['cpu']}, {host['cores']} cores, Linux {host['kernel']}, load before {host['load']}")
    print(f"versions     libpartnerbooking {versions['library']}, {host['nginx']}, {versions['curl']}")
    print(f"setting      {setting}")
    print(f"requests     {requests}")
    print(f"connections  {figures['connections']} in all for the three")
    print()
    print(f"A warm blocking search, {REPLY_BYTES} bytes of reply: medians of {ROUNDS} rounds of {CALLS} calls each")
    print("\n".join(blocking_table(figures["rounds"])))
    print("(on a thread: the bare handle driven by a second thread: the two hops between threads and nothing else)")
    print()
    print(f"Before the first call: medians of {SAMPLES} fresh processes ({2 * SAMPLES} for dlopen)")
    print("\n".join(startup_table(sandbox, hosted)))
    results = BUILD / "blocking.json"
    results.write_text(json.dumps(
        {"machine": host, "setting": setting, "requests": requests, "calls": CALLS, "reply_bytes": REPLY_BYTES,
         "library_bytes": LIBRARY.stat().st_size, **figures,
         "startup_sandbox": sandbox, "startup_partner_api": hosted}, indent=1) + "\n")
    print(f"\nraw figures  {os.path.relpath(results)}")


if __name__ == "__main__":
    main()
