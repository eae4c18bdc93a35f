"""The blocking client, for programs with threads."""

from __future__ import annotations

import asyncio
import ctypes
import inspect
import logging
import sys
import threading
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Union

from . import _bindings
from ._handle import (
    CLOSE_TIMEOUT_MS,
    Handle,
    give_up_before_request,
    give_up_request,
    resume_request,
    written,
)
from ._ledger import Ledger, is_async
from ._unheard import Unheard
from ._watch import Watch, Watcher
from .conversation import Conversation
from .ended import OnCall
from .errors import Error
from .settled import Settled, take
from .values import (
    JSON,
    CallOptions,
    CreateBookingReply,
    CreateBookingRequest,
    GiveUpReply,
    LookupCustomerReply,
    LookupCustomerRequest,
    Moment,
    SearchAvailabilityReply,
    SearchAvailabilityRequest,
    give_up_reply,
)

_log = logging.getLogger("partnerbooking")

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .configuration import Configuration


OnSettled = Union[Callable[[Settled], Awaitable[object]], Callable[[Settled], object]]
"""A function or a coroutine function for the end of a booking whose call ended `unknown`.

It runs on the client's own thread. Return soon: the next report waits meanwhile. A coroutine runs
to its end on that thread, in its own event loop. When the function or its coroutine raises, the
booking stays in `pending_bookings()`."""

_LONGEST_WAIT_MS = 600_000

_FUNCTIONS = {
    _bindings.SEARCH_AVAILABILITY: "pbk_search_availability",
    _bindings.CREATE_BOOKING: "pbk_create_booking",
    _bindings.LOOKUP_CUSTOMER: "pbk_lookup_customer",
    _bindings.CALL_TOOL: "pbk_call_tool",
}


class Client(Handle):
    """A client whose calls block until their reply or their deadline. Other threads run meanwhile.
    Several threads may use it at the same time.

        with Client(api_key=os.environ["PARTNER_API_KEY"]) as client:
            request = SearchAvailabilityRequest(
                bot_id, "2030-01-14T09:00:00-05:00", "2030-01-14T17:00:00-05:00")
            found = client.search_availability(request)

    Keywords are the members of the configuration in docs/json-contract.md. A request is a dataclass
    of this package, or JSON as a mapping or a text. Members of JSON that the library does not know
    are sent to the platform unchanged. A call that fails raises an `Error`.

    `on_settled` gets a `Settled` for each booking that is settled after its call ended `unknown`.
    It turns `report_settled` on, unless the configuration has that member, and starts one thread.
    When it returns, the host has heard the end. When it raises, `pending_bookings()` still lists
    the booking, also in the next process with the same journal. A report that comes after the
    close is listed once more in the next process.

    `on_call` gets a `CallEnded` for each call that ends, on the thread that made the call. It also
    gets one for each booking that is settled later, on the client's own thread. It turns
    `report_settled` on like `on_settled`. The host does not hear an end through it:
    `pending_bookings()` still lists the booking.

    `ledger` is a store that the clients of a fleet share. `partnerbooking.ledgers.from_url` returns
    such a `Ledger`. The client's own thread calls it, one batch after another.

    Python handles Ctrl-C only after the current call. In interactive programs use `AsyncClient`.
    """

    def __init__(
        self,
        /,
        *,
        on_settled: OnSettled | None = None,
        on_call: OnCall | None = None,
        ledger: Ledger | None = None,
        **configuration: Unpack[Configuration],
    ) -> None:
        if ledger is not None and is_async(ledger):
            raise TypeError("the ledger's execute is a coroutine function: that needs an AsyncClient")
        super().__init__(configuration, ledger=ledger, on_call=on_call, reports_settled=on_settled is not None)
        if self._ledger_thread is not None:
            self._ledger_thread.start()
        self._on_settled = on_settled
        self._reporter: threading.Thread | None = None
        self._start_reporter()

    def _start_reporter(self) -> None:
        if self._reporter is None and (self._on_settled is not None or (self._watch and self._reports_settled)):
            # The thread gets the handle, not the client: an unclosed client can then be collected.
            arguments = (self._handle, self._on_settled, self._unheard, self._watch)
            self._reporter = threading.Thread(target=_report, args=arguments, name="pbk-settled", daemon=True)
            self._reporter.start()

    def _add_watcher(self, watcher: Watcher) -> None:
        super()._add_watcher(watcher)
        self._start_reporter()

    def search_availability(self, request: SearchAvailabilityRequest | JSON) -> SearchAvailabilityReply:
        """Searches a bot's free slots. Blocks until the deadline, by default 5 seconds."""
        return SearchAvailabilityReply(self._call(_bindings.SEARCH_AVAILABILITY, written(request)))

    def create_booking(self, request: CreateBookingRequest | JSON) -> CreateBookingReply:
        """Books a slot. Blocks until the deadline, by default 35 seconds.

        After an `Error` with the `outcome` `unknown`, repeat the call with the same idempotency
        key. The library keeps asking for at most `settle_for_ms`, and the repeat joins it.
        """
        return CreateBookingReply(self._call(_bindings.CREATE_BOOKING, written(request)))

    def lookup_customer(self, request: LookupCustomerRequest | JSON) -> LookupCustomerReply:
        """Looks up a customer by phone number. Blocks until the deadline, by default 5 seconds.

        Platforms' webhooks and the sandbox have this operation. The Partner API does not.
        """
        return LookupCustomerReply(self._call(_bindings.LOOKUP_CUSTOMER, written(request)))

    def conversation(self, call_id: str, bot_id: str, caller_phone: str | None = None) -> Conversation:
        """Returns a conversation that answers the tool calls of one phone call. Sends nothing.

        The configuration needs `voice` with a `time_zone`. You choose `call_id`, and no other call
        of the bot may have it. `caller_phone` is the caller's number, in E.164 or as written in the
        bot's region.
        """
        return Conversation(self, call_id, bot_id, caller_phone)

    def resume(self, idempotency_key: str, options: CallOptions = CallOptions()) -> CreateBookingReply:
        """Settles a booking by its key alone.

        - A booking that was made: returns the recorded reply.
        - A booking in flight: joins the request under way.
        - A booking in doubt: sends the recorded request again.
        - A refused booking, or an unknown key: raises `NotRecorded`.
        """
        return self.create_booking(resume_request(idempotency_key, options))

    def give_up(self, idempotency_key: str) -> GiveUpReply:
        """Gives up a booking in doubt that no request settles. Sends nothing.

        Call it after a person has looked into the platform's calendar. The library forgets the
        booking, and its key is free. It keeps a booking that a call waits for, and a booking whose
        end is known. Returns after the journal has recorded it. Raises `NotRecorded` for an unknown
        key.
        """
        return self._give_up(give_up_request(idempotency_key))

    def give_up_before(self, bot_id: str, start_before: Moment) -> GiveUpReply:
        """Gives up all bookings in doubt of a bot that start before that moment, as `give_up` does
        for a key."""
        return self._give_up(give_up_before_request(bot_id, start_before))

    def _give_up(self, request: JSON) -> GiveUpReply:
        return give_up_reply(self._call(_bindings.CREATE_BOOKING, written(request)))

    def close(self, timeout_ms: int = CLOSE_TIMEOUT_MS) -> bool:
        """Closes the client. Returns True when no call had to be ended.

        Refuses new calls, gives the others `timeout_ms` to finish, and ends the rest with
        `ClientClosed`. The same time includes bookings that go on after their calls have ended.
        Then waits at most `timeout_ms` once more for `on_settled` to return from the last report.
        """
        in_time = self._close(timeout_ms)
        if self._reporter is not None and self._reporter is not threading.current_thread():
            self._reporter.join(max(0, timeout_ms) / 1000)
        return in_time

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, operation: int, request: bytes) -> bytes:
        call = None if self._watch is None else self._watch.begin(operation, request)
        if call is not None:
            request = call.request
        status = ctypes.c_int()
        function = getattr(_bindings, _FUNCTIONS[operation])
        reply = _bindings.take(function(self._handle, request, ctypes.byref(status)))
        if call is not None:
            call.end(status.value, reply)
        if status.value != _bindings.OK:
            raise Error.of(status.value, reply)
        return reply


def _report(handle: int, on_settled: OnSettled | None, unheard: Unheard, watch: Watch | None) -> None:
    """Takes reports until the client is closed and its queue is empty. The completion queue of a
    `Client` contains only reports."""
    status = ctypes.c_int()
    while status.value != _bindings.CLIENT_CLOSED:
        completion = _bindings.wait_for_completion(handle, _LONGEST_WAIT_MS, ctypes.byref(status))
        if completion is None:
            continue
        if _bindings.pbk_completion_event(completion) != _bindings.SETTLED:
            _bindings.pbk_completion_free(completion)
            continue
        if watch is not None:
            try:
                watch.settled(completion)
            except BaseException:
                # Also SystemExit: this thread still has reports to take.
                _log.exception("on_call has raised an exception in the thread that takes reports")
        if on_settled is None:
            unheard.keep(completion)
            continue
        is_heard = False
        try:
            result = on_settled(take(completion))
            if inspect.isawaitable(result):
                asyncio.run(_awaited(result))
            is_heard = True
        except (Exception, asyncio.CancelledError):
            # A bug of the host must not cost it the other reports. Python reports it as for any
            # thread.
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
        finally:
            if is_heard:
                _bindings.pbk_completion_free(completion)
            else:
                unheard.keep(completion)


async def _awaited(result: Awaitable[object]) -> None:
    await result
