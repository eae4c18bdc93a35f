"""The servers of the benchmark: nginx with a fixed reply, and behind it one that never answers."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from common import HERE, ended_at_the_end, missing, started

NGINX = shutil.which(os.environ.get("NGINX", "nginx"), path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
REPLY_BYTES = 2048


@dataclass(frozen=True)
class Way:
    """One way to a server; `ca_file` is empty where there is no TLS."""

    name: str
    url: str
    ca_file: str


@dataclass(frozen=True)
class Servers:
    """`http`, `tls` (with HTTP/1.1) and `h2` answer; those in `stalled` never do."""

    http: Way
    h2: Way
    stalled: dict[str, Way]

    def connections(self) -> int:
        """How many nginx has accepted so far, the one that asks included."""
        return int(ask(f"{self.http.url}/connection"))


def reply_text() -> str:
    """A search reply of exactly REPLY_BYTES bytes; the last member fills it up."""
    slots = [{"start_at": f"2030-01-14T{9 + n // 2:02}:{n % 2 * 30:02}:00Z", "duration_minutes": 30} for n in range(30)]
    empty = json.dumps({"availabilities": slots, "filler": ""}, separators=(",", ":"))
    return empty[:-2] + "x" * (REPLY_BYTES - len(empty)) + empty[-2:]


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as listeners:
        found = []
        for _ in range(count):
            listener = listeners.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            found.append(listener.getsockname()[1])
        return found


def ask(url: str, body: bytes | None = None) -> bytes:
    # No proxy, whatever the environment says: this is loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url, body), timeout=5) as reply:
        return reply.read()


def start_servers(stack: contextlib.ExitStack, core: int | None) -> Servers:
    """Starts both on one core, in a temporary folder."""
    from certificates import make_certificates  # is found once common is imported

    if NGINX is None:
        missing("nginx is not installed (Debian: apt-get install nginx-light)")
    folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pbk-bench-")))
    certificates = make_certificates(folder)
    command = [sys.executable, str(HERE / "stall_server.py")]
    stall = stack.enter_context(ended_at_the_end(started(command, core, stdout=subprocess.PIPE, text=True)))
    stall_port = int(stall.stdout.readline())
    for _ in range(5):  # another process may take the free ports first
        http, tls, h2 = free_ports(3)
        words = {"HTTP": http, "TLS": tls, "H2": h2, "STALL": stall_port, "REPLY": reply_text(),
                 "FILES": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
                 "CHAIN": certificates.good.chain, "KEY": certificates.good.key,
                 "USER": "user root;" if os.geteuid() == 0 else ""}
        text = (HERE / "nginx.conf").read_text()
        for word, value in words.items():
            text = text.replace(f"@{word}@", str(value))
        (folder / "nginx.conf").write_text(text)
        command = [NGINX, "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"]
        server = stack.enter_context(ended_at_the_end(started(command, core, stderr=subprocess.DEVNULL)))
        if answers(server, f"http://127.0.0.1:{http}"):
            ca_file = str(certificates.ca_file)
            return Servers(
                Way("HTTP/1.1", f"http://127.0.0.1:{http}", ""),
                Way("TLS, HTTP/2", f"https://127.0.0.1:{h2}", ca_file),
                {"HTTP/1.1": Way("HTTP/1.1", f"http://127.0.0.1:{stall_port}", ""),
                 "TLS, HTTP/1.1": Way("TLS, HTTP/1.1", f"https://127.0.0.1:{tls}/stall", ca_file),
                 "TLS, HTTP/2": Way("TLS, HTTP/2", f"https://127.0.0.1:{h2}/stall", ca_file)})
    log = folder / "error.log"
    sys.exit("benchmark ended: nginx does not start\n" + (log.read_text() if log.exists() else ""))


def answers(server: subprocess.Popen, url: str) -> bool:
    deadline = time.monotonic() + 5
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(urllib.error.URLError):
            got = ask(f"{url}/v1/availability/search", b"{}")
            if got != reply_text().encode():
                sys.exit(f"benchmark ended: nginx gives other {len(got)} bytes than its configuration says")
            return True
        time.sleep(0.02)
    return False


def nginx_version() -> str:
    return subprocess.run([NGINX, "-v"], capture_output=True, text=True).stderr.strip().rpartition(" ")[2]
