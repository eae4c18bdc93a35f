"""A host's side of a ledger that does what a test says: it takes batches, and answers wrongly, late
or never."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pbk
import pbk_ledger
import pytest
from completions import accepted, check
from contract import success
from fault_server import FaultServer, answer
from header import STATUS
from ledger import BOOKED
from ledger_reference import ReferenceLedger
from samples import BOOKING_REPLY, booking_request
from services import config_for
from waiting import SOON, SOON_MS

Operation = dict[str, Any]
Rule = Callable[[Operation], dict[str, Any] | None]
"""The result of one operation. None keeps the whole batch: nobody answers it until the test
does."""


class Memory(ReferenceLedger):
    """An honest store whose clock runs."""

    @property
    def now(self) -> int:
        return round(time.monotonic() * 1000)

    @now.setter
    def now(self, at: int) -> None:
        pass


class Hands(AbstractContextManager):
    """A client, and a thread that takes its batches. A rule answers its operation, an honest store
    the others.

    With `is_called` the batches come to a callback on the library's thread. A context manager:
    leaving it closes the client. """

    def __init__(self, config: dict[str, Any], is_called: bool = False, **rules: Rule) -> None:
        self.rules = rules
        self.memory = Memory()
        self.operations: list[Operation] = []
        """All that came, also again."""
        self.kept: list[tuple[int, list[Operation]]] = []
        """Batches without an answer."""
        self.answers: list[int] = []
        """The statuses of the answers."""
        self.reply: Callable[[int, str], Any] = self._answer
        """Answers a batch. A test puts its own here."""
        self._changed = threading.Condition(threading.RLock())
        self._callback = pbk.LedgerCallback(self._called) if is_called else None
        self.client = pbk_ledger.Client(config, self._callback)
        self.handle = self.client.handle
        self._thread = None if is_called else threading.Thread(target=self._work, daemon=True)
        if self._thread is not None:
            self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self.client.close(0)
        if self._thread is not None:
            self._thread.join(SOON)
            assert not self._thread.is_alive(), "the batches have no end"

    # What came

    def named(self, name: str) -> list[Operation]:
        with self._changed:
            return [each for each in self.operations if each["op"] == name]

    def wait_for(self, name: str, count: int = 1) -> list[Operation]:
        """Waits for that many operations of a kind."""
        with self._changed:
            is_there = self._changed.wait_for(lambda: len(self.named(name)) >= count, SOON)
            assert is_there, (name, [each["op"] for each in self.operations])
            return self.named(name)

    def wait_for_kept(self, count: int = 1) -> list[tuple[int, list[Operation]]]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.kept) >= count, SOON)
            return list(self.kept)

    # Answers

    def honest(self, operations: list[Operation]) -> str:
        with self._changed:
            return json.dumps({"results": self.memory.execute(operations)})

    def answer(self, batch: int, text: Any) -> int:
        return pbk_ledger.answer(self.handle, batch, text)[0]

    def handle_batch(self, batch: int, text: str) -> None:
        operations = pbk_ledger.operations(text)
        results = []
        with self._changed:
            self.operations += operations
            for each in operations:
                rule = self.rules.get(each["op"])
                result = rule(each) if rule else self.memory.execute([each])[0]
                if result is None:
                    self.kept.append((batch, operations))
                    self._changed.notify_all()
                    return
                results.append({"id": each["id"], **result})
            self._changed.notify_all()
        self.reply(batch, json.dumps({"results": results}))

    def _answer(self, batch: int, text: str) -> None:
        self.answers.append(self.answer(batch, text))

    def _called(self, context: int | None, handle: int, batch: int, text: bytes) -> None:
        # It may come before the client is there.
        self.handle = handle
        self.handle_batch(batch, text.decode())

    def _work(self) -> None:
        while True:
            status, batch, text = self.client.next_batch(1000)
            if text is not None:
                self.handle_batch(batch, text)
            elif status != STATUS["TIMEOUT"]:
                assert status == STATUS["CLIENT_CLOSED"], status
                return


Start = Callable[..., tuple[FaultServer, Hands]]


@pytest.fixture
def start_hands(start_faults: Callable[..., FaultServer]) -> Iterator[Start]:
    """Starts a platform, which books if it has no scripts, and a client of it with a ledger.
    Keyword arguments are added to the configuration."""
    with ExitStack() as stack:

        def start(
            *scripts: Any, rules: dict[str, Rule] | None = None, is_called: bool = False, **members: Any
        ) -> tuple[FaultServer, Hands]:
            server = start_faults(*(scripts or [answer(BOOKED)]))
            config = {**config_for(server), "ledger_scope": "abuse", "ledger_lease_ms": 2000, **members}
            return server, stack.enter_context(Hands(config, is_called, **(rules or {})))

        yield start


def submit(hands: Hands, key: str, **members: Any) -> int:
    return accepted(hands.client.submit(pbk.BOOK, booking_request(key=key, **members)))


def ended(hands: Hands) -> pbk.Result:
    """The end of the next call."""
    status, completion = hands.client.next_completion(SOON_MS)
    assert completion is not None, status
    return check(completion).result


def booked(result: pbk.Result, reply: str = BOOKING_REPLY.decode()) -> None:
    assert success(result)["booking"]["id"] == json.loads(reply)["booking"]["id"]
