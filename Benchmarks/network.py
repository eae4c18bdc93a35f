"""A search on a path of 20 ms each way: the first one, one after a long silence, one after a lost connection."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from common import BUILD, HERE, ended_at_the_end, median, save, setting, show, started
from delay_proxy import DelayProxy
from servers import Servers, Way

DELAY = 0.020
ROUNDS = setting("BENCH_NETWORK_ROUNDS", 9, 3)
IDLE_ROUNDS = setting("BENCH_IDLE_ROUNDS", 2, 1)
IDLE = setting("BENCH_IDLE", 20, 6)
KEEP_WARM_MS = max(2000, IDLE * 1000 // 4)
SILENT_SECONDS = KEEP_WARM_MS / 1000 + 5  # to the next keep-warm request, its time limit, a pause, and a new connection
NAMES = {"ours": "libpartnerbooking", "fresh": "libcurl, new handle", "kept": "libcurl, kept handle",
         "requests": "requests", "httpx": "httpx, HTTP/2", "aiohttp": "aiohttp", "fetch": "Node fetch"}
ROWS = {"open": "first search, client open for 300 ms", "cold": "first search, right after opening",
        "idle": f"after {IDLE} s without a search", "dropped": "server ended the idle connection 300 ms ago",
        "silent": "path died silently while idle"}


class Contestant:
    """A process that obeys: open, search, close."""

    def __init__(self, name: str, way: Way, core: int | None) -> None:
        if name in ("ours", "fresh", "kept"):
            command = [str(BUILD / "bench_network"), name, way.url, way.ca_file, str(KEEP_WARM_MS)]
        elif name == "fetch":
            command = ["node", str(HERE / "peer_fetch.mjs"), "network", way.url]
        else:
            command = [sys.executable, str(HERE / "peers.py"), "network", name, way.url, way.ca_file]
        self.name = name
        self._start = lambda: started(command, core, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      stderr=subprocess.DEVNULL, env={**os.environ, "NODE_EXTRA_CA_CERTS": way.ca_file})
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Contestant:
        self._restart()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def _restart(self) -> None:
        self._stack.close()
        self._process = self._stack.enter_context(ended_at_the_end(self._start()))
        self.tell("ready")

    def tell(self, word: str) -> dict[str, Any]:
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def search(self) -> dict[str, Any]:
        return self.tell("search")

    def close(self) -> None:
        self.tell("close")
        if self.name == "fetch":  # its connections live as long as the process
            self._restart()


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    figures: list[dict[str, Any]] = []
    before = os.sched_getaffinity(0)
    if cores[0] is not None:
        os.sched_setaffinity(0, {cores[0]})  # this thread, and with it those of the proxy
    try:
        with DelayProxy(servers.h2.url, DELAY) as proxy, contextlib.ExitStack() as stack:
            way = Way(servers.h2.name, proxy.url, servers.h2.ca_file)
            contestants = [stack.enter_context(Contestant(name, way, cores[1])) for name in NAMES
                           if name != "fetch" or shutil.which("node")]

            def note(row: str, search: Callable[[Contestant], dict[str, Any]]) -> None:
                for contestant in contestants:
                    figures.append({"row": row, "contestant": contestant.name, **search(contestant)})

            for _ in range(ROUNDS):
                short_rows(proxy, contestants, note)
            for _ in range(IDLE_ROUNDS):
                long_rows(proxy, contestants, note)
    finally:
        os.sched_setaffinity(0, before)
    report(figures)
    return {"figures": figures}


def short_rows(proxy: DelayProxy, contestants: list[Contestant], note: Callable) -> None:
    for contestant in contestants:
        contestant.tell("open")
    time.sleep(0.3)
    note("open", Contestant.search)
    time.sleep(1.2)  # in which a client that was told of a lost connection just now is ready for the next
    proxy.drop()
    time.sleep(0.3)
    note("dropped", Contestant.search)
    for contestant in contestants:
        contestant.close()

    def open_and_search(contestant: Contestant) -> dict[str, Any]:
        contestant.tell("open")
        return contestant.search()

    note("cold", open_and_search)
    for contestant in contestants:
        contestant.close()


def long_rows(proxy: DelayProxy, contestants: list[Contestant], note: Callable) -> None:
    for contestant in contestants:
        contestant.tell("open")
        contestant.search()
    time.sleep(IDLE)
    note("idle", Contestant.search)
    proxy.silence()
    time.sleep(SILENT_SECONDS)
    # All at once: a search that finds nobody takes until its time is up.
    found: dict[str, dict[str, Any]] = {}
    threads = [threading.Thread(target=lambda c=c: found.update({c.name: c.search()})) for c in contestants]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    note("silent", lambda contestant: found[contestant.name])
    for contestant in contestants:
        contestant.close()


def report(figures: list[dict[str, Any]]) -> None:
    names = [name for name in NAMES if any(f["contestant"] == name for f in figures)]
    rows, summary = [["", *(NAMES[name] for name in names)]], []
    for row, text in ROWS.items():
        cells = []
        for name in names:
            found = [f for f in figures if (f["row"], f["contestant"]) == (row, name)]
            failed = sum(not f["ok"] for f in found)
            ms = median(f["ms"] for f in found)
            summary.append({"row": row, "contestant": name, "ms": ms, "searches": len(found), "failed": failed})
            cells.append(f"{ms:.1f}" + (f", {failed} of {len(found)} failed" if failed else ""))
        rows.append([text, *cells])
    ours = [f["ms"] for f in figures if (f["row"], f["contestant"]) == ("open", "ours")]
    round_trip = 2000 * DELAY
    show(f"Milliseconds of a search, {round_trip:.0f} ms round trip, TLS 1.3, HTTP/2 where the client speaks it: "
         f"medians of {ROUNDS} ({IDLE_ROUNDS} for the rows of a silence)", rows,
         "a proxy delays TLS handshakes, requests and replies; TCP's own handshake is answered by the kernel of this "
         "machine at once, so a new connection costs two round trips here and three on a real path",
         f"keep_warm_ms {KEEP_WARM_MS}; time limit of every search 5 s; the path died silently: an idle connection "
         f"forwards nothing any more, {SILENT_SECONDS:.0f} s before the search")
    print(f"first search, client open for 300 ms: {median(ours) - round_trip:+.1f} ms to one round trip, "
          f"worst {max(ours) - round_trip:+.1f} ms")
    save("network", {"delay_ms": 1000 * DELAY, "idle_s": IDLE, "keep_warm_ms": KEEP_WARM_MS, "summary": summary,
                     "figures": figures})
