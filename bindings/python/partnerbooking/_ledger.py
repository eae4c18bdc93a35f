"""The host's ledgers, and the thread that takes batches from the library to a ledger."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import inspect
import logging
import re
import threading
import traceback
from concurrent.futures import Future
from typing import Any, Protocol, Union

from . import _bindings
from .values import parsed

_log = logging.getLogger("partnerbooking")

_MOST_SECONDS = 60.0
"""Seconds after which a coroutine is cancelled. The library repeats its operations earlier."""

_LONGEST_MESSAGE = 200
_URL = re.compile(r"://\S*@")
_PASSWORD = re.compile(r"""((?:password|passwd|pwd|secret|token)["']?\s*[=:]\s*)('[^']*'|"[^"]*"|\S+)""", re.IGNORECASE)


class Ledger(Protocol):
    """A store that the clients of a fleet share. docs/ledger-protocol.md describes the operations
    and results."""

    def execute(self, operations: list[dict[str, Any]], /) -> list[dict[str, Any]]:
        """Carries out a batch, and returns one result for each operation.

        It runs on the client's own thread, and may block. Give its store a timeout: a call that
        never returns stops the ledger. Raise an exception when you do not know whether the batch
        was carried out: the library repeats it.
        """
        ...


class AsyncLedger(Protocol):
    """A `Ledger` whose `execute` is a coroutine function. It runs on the loop of an `AsyncClient`,
    for several batches at once."""

    async def execute(self, operations: list[dict[str, Any]], /) -> list[dict[str, Any]]: ...


AnyLedger = Union[Ledger, AsyncLedger]


def is_async(ledger: AnyLedger) -> bool:
    """Returns True when `execute` is a coroutine function. Raises TypeError for an object without
    `execute`, such as a URL."""
    if not callable(getattr(ledger, "execute", None)):
        raise TypeError(f"a ledger has a method execute, a {type(ledger).__name__} has none")
    return inspect.iscoroutinefunction(ledger.execute)


class LedgerThread:
    """The thread that takes the batches of one client. With it no thread of the library enters
    Python.

    It has the handle, not the client, so that an unclosed client can be garbage-collected.
    """

    def __init__(self, handle: int, ledger: AnyLedger) -> None:
        self._handle = handle
        self._ledger: Any = ledger
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._running: set[Future[Any]] = set()
        """Batches that run on the loop. The loop alone does not keep a task alive."""
        self._failure: str | None = None
        """The last failure that was logged. None after the ledger works again."""

    def start(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Starts the thread. An async ledger runs on `loop`. A second call does nothing."""
        if self._thread is None:
            self._loop = loop
            self._thread = threading.Thread(target=self._run, name="pbk-batches", daemon=True)
            self._thread.start()

    def join(self, seconds: float) -> None:
        """Waits for the end of the thread, after the library has closed the client."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _run(self) -> None:
        batch = ctypes.c_uint64()
        while (text := _bindings.pbk_next_ledger_batch(self._handle, -1, ctypes.byref(batch), None)) is not None:
            operations = parsed(_bindings.take(text))["operations"]
            try:
                if self._loop is None:
                    self._answer(batch.value, self._ledger.execute(operations))
                else:
                    self._hand_over(batch.value, operations, self._loop)
            except BaseException as error:  # also SystemExit: this thread still has batches to take
                self._fail(batch.value, error)

    def _hand_over(self, batch: int, operations: list[dict[str, Any]], loop: asyncio.AbstractEventLoop) -> None:
        execution = self._executed(operations)
        try:
            future = asyncio.run_coroutine_threadsafe(execution, loop)
        except RuntimeError:  # the loop is closed
            execution.close()
            raise
        self._running.add(future)
        future.add_done_callback(functools.partial(self._end, batch))

    async def _executed(self, operations: list[dict[str, Any]]) -> Any:
        return await asyncio.wait_for(self._ledger.execute(operations), _MOST_SECONDS)

    def _end(self, batch: int, future: Future[Any]) -> None:
        self._running.discard(future)
        try:
            self._answer(batch, future.result())
        except BaseException as error:  # also CancelledError
            self._fail(batch, error)

    def _answer(self, batch: int, results: Any) -> None:
        """Sends the results of a batch. Raises ValueError when they break the protocol: the batch
        stays open."""
        refusal = self._send(batch, {"results": results})
        if refusal is not None:
            raise ValueError(refusal)
        if self._failure is not None:
            self._failure = None
            _log.info("the ledger works again")

    def _fail(self, batch: int, error: BaseException) -> None:
        message = described(error)
        if message != self._failure:  # a store that is down fails many batches
            self._failure = message
            _log.warning("the ledger failed: %s", message)
        # Without the texts of the exceptions, which may contain data of the customer.
        _log.debug("the ledger failed in\n%s", "".join(traceback.format_tb(error.__traceback__)))
        self._send(batch, {"error": {"message": message}})

    def _send(self, batch: int, answer: dict[str, Any]) -> str | None:
        """Sends an answer. Returns the reason when the library refuses it. None: accepted, or the
        client is closed."""
        text, error = _bindings.encode(answer), ctypes.c_void_p()
        status: int = _bindings.pbk_ledger_answer(self._handle, batch, text, ctypes.byref(error))
        message = "" if error.value is None else str(parsed(_bindings.take(error.value))["error"]["message"])
        return None if status in (_bindings.OK, _bindings.CLIENT_CLOSED) else message


def described(error: BaseException) -> str:
    """Returns the class and the text of an exception, for a log."""
    text = reason(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def reason(error: BaseException) -> str:
    """Returns the first line of an exception's text, without passwords. Further lines may contain
    the values of a statement."""
    line = str(error).strip().partition("\n")[0]
    line = _PASSWORD.sub(r"\1***", _URL.sub("://***@", line))
    return "".join(letter if letter.isprintable() else " " for letter in line[:_LONGEST_MESSAGE])
