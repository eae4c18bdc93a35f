"""The stores of `fleet_ledger.py`: real servers with durable settings, and ledgers on them."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import common  # noqa: F401  # finds pbk and the servers
import pbk
from stores import PostgresServer, RedisServer, StoreServer

sys.path.insert(1, str(Path(__file__).resolve().parents[2] / "bindings" / "python"))
# The package loads a library when it is imported.
os.environ.setdefault("PARTNERBOOKING_LIBRARY", str(pbk.LIBRARY))

from partnerbooking import ledgers

SERVERS: dict[str, type[StoreServer]] = {"postgres": PostgresServer, "redis": RedisServer}


def kill(server: StoreServer) -> None:
    """Returns when none of its processes is left: PostgreSQL does not start before."""
    processes = server.processes()
    server.kill()
    while any(Path(f"/proc/{process}").exists() for process in processes):
        time.sleep(0.005)


def url_by(server: StoreServer, port: int) -> str:
    """Its URL by the port of a proxy."""
    return server.url.replace(f":{server.port}/", f":{port}/")


def make_ledger(url: str) -> Callable[[str], str]:
    """Takes batches. Its threads may share it."""
    ledger = ledgers.from_url(url)

    def carry_out(batch: str) -> str:
        try:
            return json.dumps({"results": ledger.execute(json.loads(batch)["operations"])})
        except Exception as error:
            return json.dumps({"error": {"message": f"{type(error).__name__}: {error}"[:300]}})

    return carry_out


def ask(ledger: Callable[[str], str], operation: dict[str, Any], patience: float = 0) -> dict[str, Any] | None:
    """The result of one operation, None when the store did not answer. With patience it has to, in
    so many seconds."""
    deadline = time.monotonic() + patience
    while True:
        answer = json.loads(ledger(json.dumps({"protocol": 1, "operations": [{"id": "1", **operation}]})))
        if "results" in answer:
            return answer["results"][0]
        if not patience:
            return None
        if time.monotonic() > deadline:
            raise RuntimeError(f"the store does not answer {operation}: {answer}")
        time.sleep(0.1)
