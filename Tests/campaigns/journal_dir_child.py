"""The process that `journal_dir.py` kills. It opens a client on the shared directory, writes down what is listed there,
and books until it dies.

Each call is on record in the file of reports before it is made, and its reply when the host has it. A record is one
`write` at the end of the file, which outlives the process. The orders come as one line of JSON on standard input, and
the end of standard input ends the process, so that it cannot outlive the campaign.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

import common
import pbk
from header import STATUS

THREADS = 2
TAKEN_EVERY = 9
"""One booking in so many wants the slot that is taken."""

IN_DOUBT = ("in_doubt", "in_flight")
PATIENCE = 60.0


@dataclass(frozen=True)
class Orders:
    """What this life is to do. `mode`: `book` until it dies, `settle` all that is left and close, or `list` and
    close."""

    mode: str
    config: dict[str, Any]
    reports: str
    bot_id: str
    first: int
    """The number of its first booking."""


def is_taken(number: int) -> bool:
    return number % TAKEN_EVERY == 0


class Child:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._reports = os.open(orders.reports, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._numbers = iter(range(orders.first, orders.first + 1_000_000))
        self._lock = threading.Lock()
        started = time.monotonic()
        self._client = pbk.Client(orders.config)
        self._report("opened", ms=round(1000 * (time.monotonic() - started), 1))

    def run(self) -> None:
        content = self._list()
        self._report("pending", bookings=content["pending_bookings"], journal=content["journal"])
        threading.Thread(target=self._take_reports, daemon=True).start()
        if self._orders.mode == "book":
            for _ in range(THREADS):
                threading.Thread(target=self._book, daemon=True).start()
            threading.Event().wait()
        if self._orders.mode == "settle":
            self._settle()
        status = self._client.close(5000)
        assert status == 0, f"pbk_client_close gave {status}"

    def _book(self) -> None:
        while True:
            with self._lock:
                number = next(self._numbers)
            key = f"key-{number}"
            slot = 0 if is_taken(number) else number
            self._report("call", key=key)
            told = common.told(self._client.book(common.booking(self._orders.bot_id, key, slot)))
            self._report("told", key=key, told=asdict(told))

    def _settle(self) -> None:
        """Waits until the client has settled all doubts by itself, and hears every end."""
        deadline = time.monotonic() + PATIENCE
        while (doubts := self._doubts()) and time.monotonic() < deadline:
            time.sleep(0.05)
        self._report("unsettled", keys=doubts)
        for booking in self._list()["pending_bookings"]:
            key = booking["idempotency_key"]
            told = common.told(self._client.book({"idempotency_key": key, "resume": True}))
            self._report("told", key=key, told=asdict(told))

    def _doubts(self) -> list[str]:
        listed = self._list()["pending_bookings"]
        return [booking["idempotency_key"] for booking in listed if booking["state"] in IN_DOUBT]

    def _take_reports(self) -> None:
        """What came of bookings whose calls have ended in doubt, or were made by other processes."""
        while True:
            status, completion = pbk.next_address(self._client.handle, 60_000)
            if completion is None:
                if status == STATUS["TIMEOUT"]:
                    continue
                return
            key = pbk.library.pbk_completion_key(completion).decode()
            read = pbk.take_completion(completion)
            assert read.reply is not None
            told = common.told(pbk.Result(read.status, read.reply))
            self._report("settled", key=key, told=asdict(told))

    def _list(self) -> dict[str, Any]:
        result = self._client.pending_bookings()
        assert result.status == 0, result
        return json.loads(result.reply)

    def _report(self, what: str, **members: Any) -> None:
        line = json.dumps({"what": what, **members}) + "\n"
        written = os.write(self._reports, line.encode())
        assert written == len(line), "a report was not written whole"


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    orders = Orders(**json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_input, daemon=True).start()
    print("born", flush=True)
    Child(orders).run()


if __name__ == "__main__":
    main()
