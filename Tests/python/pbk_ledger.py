"""Clients that keep their bookings in a store of the host's, through the C ABI: see
docs/ledger-protocol.md."""

from __future__ import annotations

import ctypes
import json
import threading
from collections.abc import Callable
from typing import Any

import pbk
from header import STATUS

OK, CLOSED, TIMEOUT = STATUS["OK"], STATUS["CLIENT_CLOSED"], STATUS["TIMEOUT"]

Adapter = Callable[[str], str]
"""Takes the JSON of a batch, carries it out, and gives the JSON of the results."""

_no_callback = pbk.LedgerCallback()


def open_handle(config: pbk.Text, callback: Any = None, context: int | None = None) -> int:
    error, status = ctypes.c_void_p(0xDEAD), ctypes.c_int(-1)
    handle = pbk.library.pbk_client_open_with_ledger(
        pbk.encode(config), callback or _no_callback, context, ctypes.byref(error), ctypes.byref(status)
    )
    if handle is None:
        raise pbk.OpenError(status.value, pbk.take(error.value))
    assert (error.value, status.value) == (None, 0), "a client and an error"
    return handle


def answer(handle: int | None, batch: int, results: pbk.Text) -> tuple[int, bytes | None]:
    """The status and the error."""
    error = ctypes.c_void_p(0xDEAD)
    status = pbk.library.pbk_ledger_answer(handle, batch, pbk.encode(results), ctypes.byref(error))
    return status, None if error.value is None else pbk.take(error.value)


def next_batch(handle: int | None, timeout_ms: int = 0) -> tuple[int, int, str | None]:
    """The status, the number of the batch and its JSON. Without a batch the JSON is None."""
    batch, status = ctypes.c_uint64(0), ctypes.c_int(-1)
    text = pbk.library.pbk_next_ledger_batch(handle, timeout_ms, ctypes.byref(batch), ctypes.byref(status))
    return status.value, batch.value, None if text is None else pbk.take(text).decode()


class Client(pbk.Client):
    """A client with a ledger. Without a callback somebody has to take its batches."""

    def __init__(self, config: pbk.Text, callback: Any = None) -> None:
        self._callback = callback
        self.handle = open_handle(config, callback)

    def next_batch(self, timeout_ms: int = 0) -> tuple[int, int, str | None]:
        return next_batch(self.handle, timeout_ms)

    def answer(self, batch: int, results: pbk.Text) -> tuple[int, bytes | None]:
        return answer(self.handle, batch, results)


class Served(Client):
    """A client whose batches go to an adapter: by a callback, or taken by so many `threads`."""

    def __init__(self, config: pbk.Text, adapter: Adapter, threads: int = 0) -> None:
        self._adapter = adapter
        super().__init__(config, None if threads else pbk.LedgerCallback(self._called))
        self.ledger_threads = [threading.Thread(target=self._serve, daemon=True) for _ in range(threads)]
        for thread in self.ledger_threads:
            thread.start()

    def _called(self, context: int | None, handle: int, batch: int, text: bytes) -> None:
        answer(handle, batch, self._adapter(text.decode()))

    def _serve(self) -> None:
        while True:
            status, batch, text = next_batch(self.handle, 1000)
            if text is not None:
                answer(self.handle, batch, self._adapter(text))
            elif status != TIMEOUT:
                return


def operations(text: str) -> list[dict[str, Any]]:
    """Of a batch."""
    content = json.loads(text)
    assert content["protocol"] == 1 and 1 <= len(content["operations"]) <= 256, content
    return content["operations"]


def results(*each: dict[str, Any]) -> str:
    return json.dumps({"results": list(each)})
