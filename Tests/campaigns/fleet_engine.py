"""An engine of `fleet_ledger.py`: one client whose bookings are in the fleet's store. It may be
killed or stopped at any instant.

Its orders come as lines of JSON on standard input, the first one is a `Life`. It appends what it
does and what it is told to a file, before it does anything else: what it was told before it frees
the completion. """

from __future__ import annotations

import heapq
import json
import os
import sys
import threading
import time
from dataclasses import asdict, dataclass
from typing import Any

import common  # noqa: F401  # finds pbk
import pbk
import pbk_ledger
from fleet_store import make_ledger

STEP = 0.05
BEAT = 0.25
"""Seconds between two signs of life."""


@dataclass(frozen=True)
class Life:
    name: str
    config: dict[str, Any]
    reports: str
    store: str
    """The URL."""
    threads: int
    """That take batches. With 0 the batches come to a callback."""
    is_traced: bool
    """Reports each operation on a key, and its result."""


@dataclass(frozen=True)
class Call:
    number: int
    """Among all calls of the campaign."""
    key: str
    request: dict[str, Any]
    cancel_ms: float | None = None


class Engine:
    def __init__(self, life: Life) -> None:
        self._life = life
        self._file = os.open(life.reports, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._cancels: list[tuple[float, int]] = []
        self._lock = threading.Lock()
        self._ledger = make_ledger(life.store)
        adapter = self._traced if life.is_traced else self._ledger
        self._client = pbk_ledger.Served(life.config, adapter, life.threads)
        self._report("opened")
        for work in (self._take_completions, self._cancel_calls, self._beat):
            threading.Thread(target=work, daemon=True).start()

    def run(self) -> None:
        for line in sys.stdin:
            order = json.loads(line)
            what = order.pop("do")
            if what == "call":
                self._call(Call(**order))
            elif what == "list":
                self._list()
            else:
                self._close(order["timeout_ms"])
                return

    def _call(self, call: Call) -> None:
        self._report("call", call=call.number, key=call.key, resumes="resume" in call.request)
        submission = self._client.submit(pbk.BOOK, call.request, context=call.number + 1)
        if submission.status != 0:
            assert submission.error is not None
            told = told_of(submission.status, submission.error)
            self._report("told", call=call.number, key=call.key, told=told)
        elif call.cancel_ms is not None:
            with self._lock:
                heapq.heappush(self._cancels, (time.monotonic() + call.cancel_ms / 1000, submission.ticket))

    def _list(self) -> None:
        since = time.monotonic()
        result = self._client.pending_bookings()
        content = json.loads(result.reply)
        bookings = content.get("pending_bookings", [])
        rows = [{"key": each["idempotency_key"], "state": each["state"]} for each in bookings]
        self._report("listed", since=since, status=result.status, rows=rows, error=content.get("error"))

    def _close(self, timeout_ms: int) -> None:
        status = self._client.close(timeout_ms)
        for thread in self._client.ledger_threads:
            thread.join(10)
        self._report("closed", status=status, threads=sum(each.is_alive() for each in self._client.ledger_threads))

    # Threads

    def _traced(self, batch: str) -> str:
        began = time.monotonic()
        answer = self._ledger(batch)
        results = {each["id"]: each["result"] for each in json.loads(answer).get("results", [])}
        for each in json.loads(batch)["operations"]:
            names = {name: each[name] for name in ("claim", "replaces", "orphan", "outcome") if each.get(name)}
            for key in [each["key"]] if "key" in each else [claim["key"] for claim in each.get("claims", [])]:
                result = results.get(each["id"], "nothing")
                self._report("operation", key=key, op=each["op"], since=began, result=result, **names)
        return answer

    def _take_completions(self) -> None:
        while True:
            status, completion = pbk.next_address(self._client.handle, 60_000)
            if completion is None:
                if status != pbk_ledger.TIMEOUT:
                    return
                continue
            done = pbk.read_completion(completion)
            if done.event in (pbk.DONE, pbk.SETTLED):
                is_report = done.event == pbk.SETTLED
                call = None if is_report or done.context is None else done.context - 1
                told = told_of(done.status, done.reply or b"")
                self._report("settled" if is_report else "told", call=call, key=done.key, told=told)
            pbk.library.pbk_completion_free(completion)

    def _cancel_calls(self) -> None:
        while True:
            time.sleep(STEP)
            with self._lock:
                due = []
                while self._cancels and self._cancels[0][0] <= time.monotonic():
                    due.append(heapq.heappop(self._cancels)[1])
            for ticket in due:
                self._client.cancel(ticket)

    def _beat(self) -> None:
        while True:
            self._report("beat")
            time.sleep(BEAT)

    def _report(self, what: str, **members: Any) -> None:
        line = json.dumps({"what": what, "at": time.monotonic(), "life": self._life.name, **members}) + "\n"
        written = os.write(self._file, line.encode())
        assert written == len(line), "a report was not written whole"


def told_of(status: int, reply: bytes) -> dict[str, Any]:
    """What a reply says about a booking. A success has the outcome `booked`, another shape
    `malformed`."""
    try:
        content = json.loads(reply)
        if status == 0:
            booking = content["booking"]
            return {"outcome": "booked", "id": booking["id"], "start_at": booking["start_at"]}
        error = content["error"]
        return {"outcome": error["outcome"], "code": error["code"], "message": error.get("message", "")[:120]}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"outcome": "malformed", "reply": reply.decode(errors="replace")[:200]}


def write_order(what: str, order: Any = None, **members: Any) -> str:
    return json.dumps({"do": what, **(asdict(order) if order is not None else {}), **members}) + "\n"


def main() -> None:
    Engine(Life(**json.loads(sys.stdin.readline()))).run()
    os._exit(0)


if __name__ == "__main__":
    main()
