"""Ledgers in memory that the clients of one process share, and configurations of such clients."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

from ledger_reference import ReferenceLedger
from samples import BOT_ID, SANDBOX, booking_request

FLEET: dict[str, Any] = {**SANDBOX, "ledger_scope": "fleet-1"}
IMPATIENT: dict[str, Any] = {**FLEET, "journal_timeout_ms": 200}


class Store(ReferenceLedger):
    """A ledger in memory that clients of one process share."""

    now = property(lambda self: int(time.monotonic() * 1000), lambda self, value: None)  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()

    def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        with self.lock:
            return super().execute(operations)

    def states(self) -> dict[str, str]:
        with self.lock:
            return {key: row["state"] for (_, key), row in self.rows.items()}


class AsyncStore:
    """The same for a loop. Counts the batches that are carried out at once."""

    def __init__(self, store: Store, seconds: float = 0.0) -> None:
        self.store = store
        self.seconds = seconds
        self.running = self.most = 0

    async def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await asyncio.sleep(self.seconds)
            return self.store.execute(operations)
        finally:
            self.running -= 1


def orphan(key: str, start_at: str = "2030-01-14T10:00:00Z") -> dict[str, Any]:
    """The claim of an engine that died right after it."""
    body = booking_request(key=key)
    body["booking"]["start_at"] = start_at
    del body["idempotency_key"]
    claim = {"op": "claim", "id": "1", "scope": "fleet-1", "key": key, "claim": "dead", "owner": "dead", "lease_ms": 0}
    row = {"fingerprint": "f" * 64, "recorded_at": 1, "bot_id": BOT_ID, "start_at": start_at, "duration_minutes": 30}
    return {**claim, **row, "body": json.dumps(body)}
