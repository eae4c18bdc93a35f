"""Watches the store of `fleet_ledger.py`, directly and not through the proxy: what becomes of each
row, and for how long a row has been open with its lease over while the store was up.

It appends what it sees to a file. It ends with its standard input.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import child
from fleet_judge import PATIENCE
from fleet_store import ask, make_ledger

EVERY = 0.1
GAP = 1.0
"""Seconds: after a longer one the store may have been down in between."""

Write = Callable[[dict[str, Any]], None]


class Watch:
    def __init__(self, scope: str, write: Write) -> None:
        self._scope, self._write = scope, write
        self._seen: dict[str, str] = {}
        self._over: dict[str, float] = {}
        """By key, how long its lease has been over."""
        self._told: set[str] = set()
        self._last: float | None = None

    def look(self, ledger: Any) -> None:
        rows = ask(ledger, {"op": "pending", "scope": self._scope, "limit": 10_000})
        now = time.monotonic()
        if rows is None:
            if self._last is not None:
                self._write({"what": "store", "at": now, "is_up": False})
            self._last = None
            return
        if self._last is None:
            self._write({"what": "store", "at": now, "is_up": True})
        passed = now - self._last if self._last is not None and now - self._last < GAP else 0.0
        self._last = now
        self._take(rows["rows"], now, passed)

    def _take(self, rows: list[dict[str, Any]], now: float, passed: float) -> None:
        open_rows = [row for row in rows if row["state"] == "open"]
        for row in rows:
            self._note(row, now)
        for key in set(self._seen) - {row["key"] for row in rows}:
            del self._seen[key]
            self._write({"what": "row", "at": now, "key": key, "row": "heard or gone"})
        over = {row["key"] for row in open_rows if row["lease_ms"] < 0 and not row.get("withdrawn")}
        self._over = {key: self._over.get(key, 0.0) + passed for key in over}
        for key, seconds in self._over.items():
            if seconds > PATIENCE and key not in self._told:
                self._told.add(key)
                self._write({"what": "orphan", "at": now, "key": key, "seconds": seconds})
        longest = max(self._over.values(), default=0.0)
        self._write({"what": "open", "at": now, "rows": len(open_rows), "over": len(over), "longest": longest})

    def _note(self, row: dict[str, Any], now: float) -> None:
        state = row["state"]
        if state == "open":
            lease = "over" if row["lease_ms"] < 0 else "live"
            state += f" of {row['owner'][-6:]} {lease}" + (" withdrawn" if row.get("withdrawn") else "")
        if self._seen.get(row["key"]) != state:
            self._seen[row["key"]] = state
            self._write({"what": "row", "at": now, "key": row["key"], "row": state})


def work(line: str, write: Write) -> None:
    orders = json.loads(line)
    ledger = make_ledger(orders["store"])
    watch = Watch(orders["scope"], write)
    while True:
        watch.look(ledger)
        time.sleep(EVERY)


if __name__ == "__main__":
    sys.exit(child.run(work))
