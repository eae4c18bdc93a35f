"""From the cancel of a search that waits for its server to its completion."""

from __future__ import annotations

import json
from typing import Any

from common import BUILD, quantile, run, save, setting, show
from servers import Servers

ROUNDS = setting("BENCH_CANCEL_ROUNDS", 2, 1)
COUNT = setting("BENCH_CANCEL_COUNT", 300, 100)
WAYS = ("HTTP/1.1", "TLS, HTTP/2")
IN_FLIGHT = (1, 512)
CONTESTANTS = {"callback": "pbk_cancel, callback", "queue": "pbk_cancel, queue", "bare": "bare libcurl"}
SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    server_core, caller_core = (-1 if core is None else core for core in cores)
    raw = {(way, in_flight, contestant): [] for way in WAYS for in_flight in IN_FLIGHT for contestant in CONTESTANTS}
    for _ in range(ROUNDS):
        for way, in_flight, contestant in raw:
            at = servers.stalled[way]
            command = [str(BUILD / "bench_cancel"), contestant, at.url, at.ca_file, str(in_flight), str(COUNT),
                       str(caller_core), str(server_core)]
            raw[way, in_flight, contestant] += json.loads(run(command, None))["ns"]
    figures = [{"way": way, "in_flight": in_flight, "contestant": contestant,
                **{name: quantile(ns, share) / 1000 for name, share in SHARES.items()}, "ns": ns}
               for (way, in_flight, contestant), ns in raw.items()]
    rows = [["", "in flight", *(f"{name}, us" for name in SHARES)]]
    for f in figures:
        name = f"{f['way']}, {CONTESTANTS[f['contestant']]}"
        rows.append([name, str(f["in_flight"]), *(f"{f[share]:.0f}" for share in SHARES)])
    show(f"From cancel to completion, the server stalling: {ROUNDS} rounds of {COUNT} each", rows,
         "bare libcurl: from curl_multi_wakeup to the return of curl_multi_remove_handle on the other thread")
    save("cancel", {"rounds": ROUNDS, "count": COUNT, "figures": figures})
    return {"figures": figures}
