"""A warm blocking search beside bare libcurl, and what loading and opening cost."""

from __future__ import annotations

import http.server
import json
import threading
from typing import Any

from common import BUILD, LIBRARY, median, run, save, setting, show
from servers import REPLY_BYTES, Servers, reply_text

ROUNDS = setting("BENCH_ROUNDS", 25, 5)
CALLS = setting("BENCH_CALLS", 400, 200)
SAMPLES = setting("BENCH_SAMPLES", 21, 3)
SANDBOX = '{"endpoint":"sandbox","sandbox":{"now":"2030-01-14T08:00:00Z"}}'
SEARCHES = 1000


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


def blocking_rows(rounds: list[dict[str, Any]]) -> list[list[str]]:
    """Differences and ratios are taken round by round, and the median of each is shown."""
    rows = [["", "bare libcurl", "on a thread", "ours", "ours - bare", "ours / bare"]]
    for name, key in (("p50", "p50_us"), ("p99", "p99_us"), ("processor time per call", "cpu_us")):
        bare, hops, ours = (median(r[who][key] for r in rounds) for who in ("bare", "hops", "ours"))
        difference = median(r["ours"][key] - r["bare"][key] for r in rounds)
        ratios = [r["ours"][key] / r["bare"][key] for r in rounds if r["bare"][key] > 0]
        ratio = f"{median(ratios):.3f}" if ratios else "-"
        rows.append([name, f"{bare:.1f} us", f"{hops:.1f} us", f"{ours:.1f} us", f"{difference:+.1f} us", ratio])
    return rows


def startup(config: str, searches: int, core: int | None) -> list[dict[str, Any]]:
    command = [str(BUILD / "bench_startup"), str(LIBRARY), config, str(searches)]
    return [json.loads(run(command, core)) for _ in range(SAMPLES)]


def startup_rows(sandbox: list[dict[str, Any]], hosted: list[dict[str, Any]]) -> list[list[str]]:
    def milliseconds(samples: list[dict[str, Any]], key: str) -> str:
        return f"{median(s[key] for s in samples) / 1000:.3f} ms"

    def megabytes(key: str) -> str:
        return f"{median(s[key] for s in sandbox) / 1024:.2f} MiB"

    return [
        ["dlopen, RTLD_NOW", milliseconds(sandbox + hosted, "dlopen_us")],
        ["  of which libcurl and what it needs", milliseconds(sandbox + hosted, "dlopen_curl_us")],
        ["pbk_client_open, sandbox, first", milliseconds(sandbox, "open_first_us")],
        ["                          second", milliseconds(sandbox, "open_second_us")],
        ["pbk_client_open, partner_api, first", milliseconds(hosted, "open_first_us")],
        ["                              second", milliseconds(hosted, "open_second_us")],
        ["resident memory before dlopen", megabytes("rss_before_kib")],
        ["  library loaded", megabytes("rss_loaded_kib")],
        ["  one sandbox client open", megabytes("rss_opened_kib")],
        [f"  after {SEARCHES} searches", megabytes("rss_searched_kib")],
        ["size of libpartnerbooking.so", f"{LIBRARY.stat().st_size / 1024 / 1024:.2f} MiB"],
    ]


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    core = cores[1]
    requests = compare_requests(core)
    before = servers.connections()
    lines = run([str(BUILD / "bench_blocking"), servers.http.url, str(ROUNDS), str(CALLS)], core).splitlines()
    made = servers.connections() - before - 1
    versions, *rounds = (json.loads(line) for line in lines)
    sandbox = startup(SANDBOX, SEARCHES, core)
    config = {"api_key": "sk_ptnr_bench0123456789abcdef", "base_url": servers.http.url}
    hosted = startup(json.dumps(config), 0, core)

    show(f"A warm blocking search, {REPLY_BYTES} bytes of reply: medians of {ROUNDS} rounds of {CALLS} calls each",
         blocking_rows(rounds),
         "on a thread: the bare handle driven by a second thread: the two hops between threads and nothing else",
         f"the requests: {requests}; {made} connections in all for the three")
    show(f"Before the first call: medians of {SAMPLES} fresh processes ({2 * SAMPLES} for dlopen)",
         startup_rows(sandbox, hosted))
    figures = {"requests": requests, "calls": CALLS, "reply_bytes": REPLY_BYTES, "connections": made,
               "library_bytes": LIBRARY.stat().st_size, "versions": versions, "rounds": rounds,
               "startup_sandbox": sandbox, "startup_partner_api": hosted}
    save("blocking", figures)
    return figures
