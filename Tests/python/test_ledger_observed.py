"""Counters and log lines of a client with a ledger: failures, takeovers and lost leases."""

from __future__ import annotations

import ctypes
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pbk
import pytest
from completions import accepted, check
from contract import failure, success
from fault_server import FaultServer
from header import HEADER, STATUS, enumerations
from ledger import answer_by_key
from ledger_hands import Hands
from samples import booking_request, new_key
from services import config_for
from waiting import SOON_MS, wait_until

DEBUG = enumerations(HEADER)["pbk_log_level"]["PBK_LOG_DEBUG"]
COUNTERS = ("ledger_failures", "ledger_takeovers", "ledger_leases_lost")
LogCallback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)


class Observed:
    """A client's hands and its log."""

    def __init__(self, hands: Hands) -> None:
        self.hands = hands
        self.lines: list[dict[str, Any]] = []
        self._callback = LogCallback(self._written)
        assert pbk.library.pbk_client_set_log(hands.handle, DEBUG, self._callback, None) == STATUS["OK"]

    def _written(self, context: int | None, level: int, line: bytes) -> None:
        self.lines.append(json.loads(line))

    def submit(self, key: str, **members: Any) -> None:
        accepted(self.hands.client.submit(pbk.BOOK, booking_request(key=key, **members)))

    def end(self) -> pbk.Result:
        """The end of the next call."""
        status, completion = self.hands.client.next_completion(SOON_MS)
        assert completion is not None, status
        return check(completion).result

    def counts(self) -> tuple[int, ...]:
        counters = json.loads(pbk.take(pbk.library.pbk_stats(self.hands.handle, None)))
        return tuple(counters[name] for name in COUNTERS)

    def shown(self) -> list[tuple[str, str, str | None]]:
        """The ledger's lines: event, level and message."""
        found = [line for line in self.lines if line["event"].startswith("ledger_")]
        for line in found:
            assert set(line) - {"message"} == {"at", "event", "level"}, line
        return [(line["event"], line["level"], line.get("message")) for line in found]

    def expect(self, counts: tuple[int, ...], *shown: tuple[str, str, str | None]) -> None:
        """The log may come a moment after what it is about."""
        wait_until(lambda: self.counts() == counts and self.shown() == list(shown))


Start = Callable[..., tuple[FaultServer, Observed]]


@pytest.fixture
def start(start_faults: Callable[..., FaultServer]) -> Iterator[Start]:
    """A platform, and an observed client of it with a ledger."""
    with ExitStack() as stack:

        def start(rules: dict[str, Any] | None = None, **members: Any) -> tuple[FaultServer, Observed]:
            server = start_faults(answer_by_key)
            members = {"ledger_scope": "observed", "ledger_lease_ms": 2000, "ledger_takes_over": False, **members}
            return server, Observed(stack.enter_context(Hands({**config_for(server), **members}, **(rules or {}))))

        yield start


def test_booking_without_trouble_shows_nothing(start: Start) -> None:
    _, observed = start()
    observed.submit(f"booked-{new_key()}")
    success(observed.end())
    observed.hands.wait_for("settle")
    wait_until(lambda: "call_ended" in [line["event"] for line in observed.lines])
    observed.expect((0, 0, 0))


def test_operation_that_failed_is_a_failure(start: Start) -> None:
    _, observed = start()
    memory, answers = observed.hands.memory, [{"result": "failed", "message": "disk full"}]
    observed.hands.rules["claim"] = lambda claim: answers.pop() if answers else memory.execute([claim])[0]
    observed.submit(f"booked-{new_key()}")
    success(observed.end())
    observed.expect((1, 0, 0), ("ledger_failed", "error", "disk full"))


def test_batch_that_failed_is_one_failure(start: Start) -> None:
    _, observed = start()
    honest = observed.hands.reply

    def refuse(batch: int, text: str) -> None:
        observed.hands.reply = honest
        observed.hands.answer(batch, '{"error":{"message":"connection refused"}}')

    observed.hands.reply = refuse
    observed.submit(f"booked-{new_key()}")
    success(observed.end())
    observed.expect((1, 0, 0), ("ledger_failed", "error", "connection refused"))


def test_batch_without_an_answer_is_a_failure(start: Start) -> None:
    server, observed = start({"claim": lambda operation: None}, journal_timeout_ms=300)
    observed.submit(new_key())
    assert failure(observed.end(), "JOURNAL_UNAVAILABLE")["outcome"] == "unknown"
    observed.hands.wait_for_kept(2)  # it is repeated
    assert observed.counts()[0] >= 1 and observed.counts()[1:] == (0, 0) and server.requests == []
    unanswered = ("ledger_failed", "error", "no answer within 300 ms (journal_timeout_ms)")
    wait_until(lambda: observed.shown()[:1] == [unanswered])


def test_booking_of_a_dead_engine_is_taken_over(start: Start) -> None:
    _, dead = start({"claim": lambda operation: None})
    dead.submit(f"booked-{new_key()}")
    [claim] = dead.hands.wait_for("claim")
    server, observed = start(ledger_takes_over=True)
    # That engine has died after its claim, and its lease is over.
    observed.hands.honest([{**claim, "owner": "dead", "lease_ms": 0}])
    observed.hands.wait_for("settle")
    assert [request.idempotency_key for request in server.requests] == [claim["key"]]
    observed.expect((0, 1, 0), ("ledger_took_over", "info", None))
    assert claim["key"] not in json.dumps(observed.lines)


def test_lost_lease_is_seen(start: Start) -> None:
    lost: list[str] = []
    _, observed = start({"renew": lambda operation: {"result": "renewed", "lost": list(lost)}})
    key = f"in_flight-{new_key()}"
    observed.submit(key)
    observed.hands.wait_for("renew")
    observed.expect((0, 0, 0))
    lost.append(key)
    observed.expect((0, 0, 1), ("ledger_lease_lost", "warning", None))
    assert key not in json.dumps(observed.lines)
