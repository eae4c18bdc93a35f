"""The base class of both clients. It opens and closes the library's handle."""

from __future__ import annotations

import ctypes
import inspect
import logging
import os
import threading
import warnings
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, Union

from . import _bindings, voice
from ._ledger import AnyLedger, LedgerThread
from ._log import Log
from ._unheard import Unheard
from ._watch import Hook, Watch, Watcher
from .conversation import hand_over
from .ended import OnCall
from .errors import Error
from .stats import Stats, stats
from .values import (
    JSON,
    CallOptions,
    CreateBookingRequest,
    LookupCustomerRequest,
    Moment,
    PendingBooking,
    SearchAvailabilityRequest,
    parsed,
    pending_bookings,
    rfc3339,
)

if TYPE_CHECKING:
    from .configuration import Configuration

Request = Union[SearchAvailabilityRequest, CreateBookingRequest, LookupCustomerRequest, JSON]

CLOSE_TIMEOUT_MS = 1000
"""Milliseconds that calls under way have to finish when a `with` block ends."""


def written(request: Request) -> bytes:
    """Returns a request as JSON for the library."""
    if isinstance(request, (str, bytes, Mapping)):
        return _bindings.encode(request)
    return _bindings.encode(request.members())


def resume_request(idempotency_key: str, options: CallOptions) -> dict[str, Any]:
    return {"idempotency_key": idempotency_key, "resume": True, **options.members()}


def give_up_request(idempotency_key: str) -> dict[str, Any]:
    return {"idempotency_key": idempotency_key, "give_up": True}


def give_up_before_request(bot_id: str, start_before: Moment) -> dict[str, Any]:
    return {"give_up": True, "bot_id": bot_id, "start_before": rfc3339(start_before)}


class Handle:
    """A client of the library. It belongs to its process: open a client after a fork, and in each
    worker."""

    def __init__(
        self, configuration: Configuration, *, ledger: AnyLedger | None, on_call: OnCall | None, reports_settled: bool
    ) -> None:
        if inspect.iscoroutinefunction(on_call):
            raise TypeError("on_call is a plain function: nobody would await a coroutine")
        if reports_settled or on_call is not None:
            configuration = {"report_settled": True, **configuration}
        error, status = ctypes.c_void_p(), ctypes.c_int()
        text, outputs = _bindings.encode(configuration), (ctypes.byref(error), ctypes.byref(status))
        if ledger is None:
            handle = _bindings.pbk_client_open(text, *outputs)
        else:
            handle = _bindings.pbk_client_open_with_ledger(text, None, None, *outputs)
        if handle is None:
            raise Error.of(status.value, _bindings.take(error.value))
        self._handle: int = handle
        self._unheard = Unheard(handle)
        self._log = Log(handle)
        self._ledger_thread = None if ledger is None else LedgerThread(handle, ledger)
        self._watch = None if on_call is None else Watch(Hook(on_call))
        self._reports_settled = configuration.get("report_settled") is True
        self._voice = configuration.get("voice")
        self._endpoint = str(configuration.get("endpoint", "partner_api"))
        self._servers = Servers(configuration)
        # No finalizer at exit: the library stops its threads by itself then, without waiting.
        self._finalizer = weakref.finalize(
            self, _close_forgotten, type(self).__name__, handle, os.getpid(), self._unheard, self._log
        )
        self._finalizer.atexit = False  # type: ignore[misc]  # typeshed declares a slot, not a property

    def __repr__(self) -> str:
        """Returns a text without the configuration, which contains keys and secrets."""
        return f"<{type(self).__name__} {self._endpoint}, {'open' if self._finalizer.alive else 'closed'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"a {type(self).__name__} belongs to the process that opened it: give its configuration to the other one, "
            "and open a client there"
        )

    def prewarm(self) -> None:
        """Prepares a connection in the background. Call it when the phone rings.

        Only a client with `keep_warm_ms` 0 needs it: others keep a connection ready.
        """
        _bindings.pbk_prewarm(self._handle)

    def prefetch(self, bot_id: str, service: str | None = None) -> None:
        """Searches ahead. Call it when the phone rings: the first `find_appointment_slots` then
        needs no round trip.

        Does not block, and nothing reports its end. Searches the next `voice.prefetch_days` days.
        `service` names a service of `voice.services`, by default the first.
        """
        hand_over(_bindings.pbk_prefetch, self._handle, {"bot_id": bot_id, "service": service})

    def tools(
        self, dialect: voice.Dialect, bot_id: str | None = None, *, look_up_caller: bool = False
    ) -> voice.Tools:
        """Returns `voice.tools` for this client's configuration: tools, prompt and filler."""
        return voice.tools(dialect, voice=self._voice, bot_id=bot_id, look_up_caller=look_up_caller)

    def pending_bookings(self) -> list[PendingBooking]:
        """Returns the bookings whose end the host has not heard, oldest first. With a journal the
        list includes bookings of earlier processes.

        Call `resume` with each key. It returns the reply of a `booked` booking, settles an
        `in_doubt` booking, and raises `NotRecorded` for a `refused` booking. After a crash the
        bookings of the last second are listed once more, even if the host has heard their end.

        The host has heard an end:

        - from `Client`: one second after the call returned. Until then the booking is listed.
        - from `AsyncClient`: when the awaited call returned or raised. A cancelled task hears
          nothing.
        - from `on_settled`: when it returned or its coroutine ended, without an exception.
        """
        return pending_bookings(self._list(_bindings.pbk_pending_bookings))

    def sandbox_bookings(self) -> list[dict[str, Any]]:
        """Returns the bookings of the embedded sandbox, oldest first. For tests."""
        bookings: list[dict[str, Any]] = parsed(self._list(_bindings.pbk_sandbox_bookings))["bookings"]
        return bookings

    def stats(self) -> Stats:
        """Returns counters since the client was opened, and current gauges. Does not block. Any
        thread may call it."""
        return stats(self._list(_bindings.pbk_stats))

    def set_log(self, logger: logging.Logger | str | None = "partnerbooking", level: int | None = None) -> None:
        """Sends the library's log to a logger. None turns the log off.

        `level` is the lowest level that the library writes: `logging.DEBUG`, `INFO`, `WARNING` or
        `ERROR`. The default is the logger's current level. If you raise the logger's level later,
        that takes effect. If you lower it, call `set_log` again. `record.partnerbooking` contains
        the line's members. The client's own thread passes the records to the logger.
        """
        if logger is None:
            self._log.end()
        elif not self._log.set(logging.getLogger(logger) if isinstance(logger, str) else logger, level):
            self.pending_bookings()  # raises: the client is closed

    def _add_watcher(self, watcher: Watcher) -> None:
        if self._watch is None:
            self._watch = Watch(watcher)
        else:
            self._watch.watchers += (watcher,)

    def _list(self, function: Any) -> bytes:
        status = ctypes.c_int()
        reply = _bindings.take(function(self._handle, ctypes.byref(status)))
        if status.value != _bindings.OK:
            raise Error.of(status.value, reply)
        return reply

    def _close(self, timeout_ms: int) -> bool:
        """Closes the handle. Returns True when no call had to be ended. A second close does
        nothing."""
        timeout_ms = max(0, min(int(timeout_ms), 600_000))  # ctypes would wrap a larger number
        self._finalizer.detach()
        status: int = _bindings.pbk_client_close(self._handle, timeout_ms)
        if self._ledger_thread is not None:
            self._ledger_thread.join(timeout_ms / 1000)
        self._log.end()
        # CLIENT_CLOSED: another thread closes the client, or the parent opened it before a fork.
        if status != _bindings.CLIENT_CLOSED:
            self._unheard.close()
        return status in (_bindings.OK, _bindings.CLIENT_CLOSED)


class Servers:
    """The URLs that calls go to, for spans. The path of a webhook's URL may contain a secret."""

    def __init__(self, configuration: Configuration) -> None:
        self.endpoint = configuration.get("endpoint", "partner_api")
        self.base_url = configuration.get("base_url", "https://appointments.dialstack.ai")
        paths = configuration.get("paths", {})
        self.paths = {
            "search_availability": paths.get("search_availability", "/v1/availability/search"),
            "create_booking": paths.get("create_booking", "/v1/bookings"),
        }
        platforms = configuration.get("platforms", {})
        self.webhooks = {bot: platform.get("webhook_url") for bot, platform in platforms.items()}


def _close_forgotten(kind: str, handle: int, process: int, unheard: Unheard, log: Log) -> None:
    if os.getpid() != process:
        return  # a copy in a forked child, where the handle is closed
    if _bindings.pbk_client_close(handle, 0) == _bindings.WOULD_DEADLOCK:
        # The garbage collector ran in the log callback, on a thread of the library.
        arguments = (kind, handle, process, unheard, log)
        threading.Thread(target=_close_forgotten, args=arguments, name="pbk-close", daemon=True).start()
        return
    while (completion := _bindings.pbk_next_completion(handle, 0, None)) is not None:
        _bindings.pbk_completion_free(completion)
    log.end(flush=False)
    unheard.close()
    # Last, because a warning filter may turn it into an exception.
    warnings.warn(f"a {kind} was not closed: use it in a with block", ResourceWarning, stacklevel=2)
