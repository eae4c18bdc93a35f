"""Two ways to be told of submitted calls, by callback and by queue, and what every completion must look like."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable
from typing import Any

import pbk
from contract import check_timing, error_object
from header import OUTCOME, STATUS
from waiting import SOON, SOON_MS


def check(completion: pbk.Completion) -> pbk.Completion:
    """The completion, when all in it is as documented."""
    check_timing(completion.timing)
    if completion.event == pbk.SETTLED:
        return check_settled(completion)
    assert completion.ticket > 0, completion
    if completion.event == pbk.SLOW:
        assert (completion.status, completion.reply, completion.reply_length) == (STATUS["OK"], None, 0), completion
        assert completion.outcome == OUTCOME["NONE"], completion
        return completion
    assert completion.event == pbk.DONE, completion
    assert completion.reply is not None and completion.reply_length == len(completion.reply), completion
    outcome = None
    if completion.status != STATUS["OK"]:
        error = error_object(completion.reply)
        assert error["timing"] == completion.timing, completion
        assert error.get("tag") == completion.tag, completion
        assert error.get("idempotency_key") == completion.key, completion
        outcome = error.get("outcome")
    assert completion.outcome == OUTCOME[(outcome or "none").upper()], completion
    return completion


def check_settled(completion: pbk.Completion) -> pbk.Completion:
    """Returns the report of a settled booking, after checking it. A report belongs to no call."""
    assert (completion.ticket, completion.context) == (0, None), completion
    assert completion.key, completion
    assert completion.reply is not None and completion.reply_length == len(completion.reply), completion
    content = json.loads(completion.reply)
    if completion.status == STATUS["OK"]:
        assert completion.outcome == OUTCOME["NONE"] and "booking" in content, completion
        return completion
    error = content["error"]
    assert (error["idempotency_key"], error.get("tag")) == (completion.key, completion.tag), completion
    assert error["outcome"] in ("not_sent", "rejected"), completion
    assert completion.outcome == OUTCOME[error["outcome"].upper()], completion
    return completion


def settled(client: pbk.Client, timeout_ms: int = SOON_MS) -> pbk.Completion:
    """The next report."""
    status, completion = client.next_completion(timeout_ms)
    assert (status, completion and completion.event) == (STATUS["OK"], pbk.SETTLED), (status, completion)
    return check(completion)


def nothing_comes(client: pbk.Client, seconds: float = 0.0) -> bool:
    return client.next_completion(int(seconds * 1000)) == (STATUS["TIMEOUT"], None)


def accepted(submission: pbk.Submission) -> int:
    """The ticket of a call that must have been accepted."""
    assert submission.status == STATUS["OK"] and submission.error is None, submission
    assert submission.ticket > 0
    return submission.ticket


class ByCallback:
    """Has completions come by a callback. `then` is called in it, with each of them, on the transfer thread."""

    _kept_alive: list[ByCallback] = []
    """A callback that is freed too early takes the process with it. There are not many, so all are kept."""

    def __init__(self, then: Callable[[pbk.Completion], Any] | None = None) -> None:
        self._then = then
        self._arrived: queue.SimpleQueue[pbk.Completion | BaseException] = queue.SimpleQueue()
        self.callback = pbk.Callback(self._take)
        self._kept_alive.append(self)

    def _take(self, context: int | None, completion: int) -> None:
        try:
            taken = pbk.take_completion(completion)
            assert taken.context == context, (taken, context)
            if self._then is not None:
                self._then(taken)
            self._arrived.put(taken)
        except BaseException as error:  # for the test's thread: nobody would hear of it here
            self._arrived.put(error)

    def submit(self, client: pbk.Client, operation: int, request: pbk.Text, context: int | None = None) -> int:
        """Submits a call that must be accepted, and gives its ticket."""
        return accepted(client.submit(operation, request, self.callback, context))

    def next(self, client: pbk.Client | None = None) -> pbk.Completion:
        arrived = self._arrived.get(timeout=SOON)
        if isinstance(arrived, BaseException):
            raise arrived
        return check(arrived)

    def rest(self, client: pbk.Client | None = None) -> list[pbk.Completion]:
        """What nobody has asked for yet. Once the client is closed nothing can be added to it."""
        return [self.next() for _ in range(self._arrived.qsize())]


class ByQueue:
    """Has completions wait in the client's queue, and takes them from there."""

    def submit(self, client: pbk.Client, operation: int, request: pbk.Text, context: int | None = None) -> int:
        return accepted(client.submit(operation, request, None, context))

    def next(self, client: pbk.Client) -> pbk.Completion:
        status, completion = client.next_completion(SOON_MS)
        assert completion is not None, status
        assert status == STATUS["OK"], status
        return check(completion)

    def rest(self, client: pbk.Client) -> list[pbk.Completion]:
        taken = []
        while (found := client.next_completion())[1] is not None:
            taken.append(check(found[1]))
        assert found[0] == STATUS["CLIENT_CLOSED"], found
        return taken


WAYS = {"callback": ByCallback, "queue": ByQueue}
