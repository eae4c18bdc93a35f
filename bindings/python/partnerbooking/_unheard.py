"""Completions whose end did not reach the host.

The library counts a booking's end as heard when its completion is freed. Such a completion is
therefore kept, and `pending_bookings()` still lists its booking. All are freed after the client was
closed: the journal then no longer counts that as heard.
"""

from __future__ import annotations

import ctypes
from collections import deque

from . import _bindings
from .values import parsed

FIRST_SWEEP = 64
"""The number of kept completions that starts the first sweep."""


class Unheard:
    """The kept completions of one client. There is no lock: `keep` and `close` may interrupt each
    other, in any thread."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._kept: deque[int] = deque()
        self._is_closed = False
        self._next_sweep = FIRST_SWEEP

    def __len__(self) -> int:
        return len(self._kept)

    def keep(self, completion: int) -> None:
        """Keeps a completion that did not reach the host. Frees it at once unless it contains the
        end of a booking."""
        if _bindings.pbk_completion_key(completion) is None:
            _bindings.pbk_completion_free(completion)
        elif _bindings.pbk_completion_outcome(completion) == _bindings.OUTCOME_UNKNOWN:
            _bindings.pbk_completion_free(completion)
        else:
            self._kept.append(completion)
            if self._is_closed:
                self._free_all()
            elif len(self._kept) >= self._next_sweep:
                self._sweep()

    def close(self) -> None:
        """Frees all completions. Call it only after `pbk_client_close` has returned."""
        self._is_closed = True
        self._free_all()

    def _free_all(self) -> None:
        while self._kept:
            try:
                completion = self._kept.popleft()
            except IndexError:  # another thread has taken the last one
                return
            _bindings.pbk_completion_free(completion)

    def _sweep(self) -> None:
        """Frees the completions of bookings that are no longer listed: a repeat of the key heard
        the end, or the booking has expired.

        The next sweep comes when twice as many are kept. So their number stays in proportion to the
        listed bookings.
        """
        status = ctypes.c_int()
        reply = _bindings.take(_bindings.pbk_pending_bookings(self._handle, ctypes.byref(status)))
        if status.value != _bindings.OK:
            return
        listed = {item["idempotency_key"].encode() for item in parsed(reply)["pending_bookings"]}
        for _ in range(len(self._kept)):
            try:
                completion = self._kept.popleft()
            except IndexError:
                break
            if _bindings.pbk_completion_key(completion) in listed:
                self._kept.append(completion)
            else:
                _bindings.pbk_completion_free(completion)
        self._next_sweep = max(FIRST_SWEEP, 2 * len(self._kept))
        if self._is_closed:  # by another thread, meanwhile
            self._free_all()
