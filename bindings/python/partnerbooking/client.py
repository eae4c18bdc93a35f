"""The client for threads that may wait."""

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
"""Called on a thread of the client's own when a booking is settled whose call ended `unknown`. Return soon: the next
report waits meanwhile. A coroutine runs to its end on that thread, in an event loop of its own. When it raises, the
booking stays in `pending_bookings()`."""

_LONGEST_WAIT_MS = 600_000

_FUNCTIONS = {
    _bindings.SEARCH_AVAILABILITY: "pbk_search_availability",
    _bindings.CREATE_BOOKING: "pbk_create_booking",
    _bindings.LOOKUP_CUSTOMER: "pbk_lookup_customer",
    _bindings.CALL_TOOL: "pbk_call_tool",
}


class Client(Handle):
    """Calls wait for their reply or their deadline, and other threads run meanwhile. Any thread may
    use it, also at once.

        with Client(api_key=os.environ["PARTNER_API_KEY"]) as client:
            found = client.search_availability(
                SearchAvailabilityRequest(bot_id, "2030-01-14T09:00:00-05:00", "2030-01-14T17:00:00-05:00"))

    Keywords are the configuration of docs/json-contract.md. A request is a dataclass of this
    package, or JSON as a mapping or a text, whose members travel on to the platform also where the
    library does not know them. A call that fails raises an `Error`.

    `on_settled` gets a `Settled` for each booking that is settled after its call ended `unknown`.
    It switches `report_settled` on, unless the configuration has that member, and starts one
    thread. When it has returned, the host has heard the report. When it raises,
    `pending_bookings()` goes on to list the booking, also in the next process with the same
    journal. A report that it gets after the client was closed is listed there once more.

    `on_call` gets a `CallEnded` for each call that ends, on the thread that made the call, and for
    each booking that is settled later. It switches `report_settled` on, as `on_settled` does, and
    hears no end for `pending_bookings()`.

    `ledger` is a store that the clients of a fleet share: a `Ledger`, such as
    `partnerbooking.ledgers.from_url` makes. A thread of the client's own calls it, one batch after
    another.

    Python notices Ctrl-C when the call under way is over; in a program for people use
    `AsyncClient`.
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
            # It knows the handle and not the client, so that a client which nobody closes can still be collected.
            arguments = (self._handle, self._on_settled, self._unheard, self._watch)
            self._reporter = threading.Thread(target=_report, args=arguments, name="pbk-settled", daemon=True)
            self._reporter.start()

    def _add_watcher(self, watcher: Watcher) -> None:
        super()._add_watcher(watcher)
        self._start_reporter()

    def search_availability(self, request: SearchAvailabilityRequest | JSON) -> SearchAvailabilityReply:
        """Searches a bot's free slots: at most 5 seconds, if neither request nor configuration say otherwise."""
        return SearchAvailabilityReply(self._call(_bindings.SEARCH_AVAILABILITY, written(request)))

    def create_booking(self, request: CreateBookingRequest | JSON) -> CreateBookingReply:
        """Books a slot: at most 35 seconds, if neither request nor configuration say otherwise.

        After an `Error` whose `outcome` is `unknown`, repeat it with the same key. The library goes on to ask, for at
        most `settle_for_ms`, and a repeat joins that.
        """
        return CreateBookingReply(self._call(_bindings.CREATE_BOOKING, written(request)))

    def lookup_customer(self, request: LookupCustomerRequest | JSON) -> LookupCustomerReply:
        """Tells who is calling. Platforms know that, and so does the sandbox; the Partner API has no such operation."""
        return LookupCustomerReply(self._call(_bindings.LOOKUP_CUSTOMER, written(request)))

    def conversation(self, call_id: str, bot_id: str, caller_phone: str | None = None) -> Conversation:
        """Names a phone call, whose tool calls it then answers. Needs `voice` with a `time_zone`. Sends nothing.

        `call_id` is yours, and no other call of the bot may have it. `caller_phone` is the number that the caller calls
        from: E.164, or as the bot's region writes it.
        """
        return Conversation(self, call_id, bot_id, caller_phone)

    def resume(self, idempotency_key: str, options: CallOptions = CallOptions()) -> CreateBookingReply:
        """Settles a booking by its key alone.

        Returns the reply of one that was booked, joins one in flight, and sends the recorded request of one in doubt
        again. Raises `NotRecorded` for one that was refused, and for a key that is not known.
        """
        return self.create_booking(resume_request(idempotency_key, options))

    def give_up(self, idempotency_key: str) -> GiveUpReply:
        """Ends a doubt that nobody can settle: a person has looked it up in the platform's calendar. Sends nothing.

        The library forgets the booking, and its key is free. One that a call waits for, and one whose end is known, is
        kept. Raises `NotRecorded` for a key that is not known. The reply comes when the journal has it.
        """
        return self._give_up(give_up_request(idempotency_key))

    def give_up_before(self, bot_id: str, start_before: Moment) -> GiveUpReply:
        """Does what `give_up` does for all doubts of a bot whose appointments start before that moment."""
        return self._give_up(give_up_before_request(bot_id, start_before))

    def _give_up(self, request: JSON) -> GiveUpReply:
        return give_up_reply(self._call(_bindings.CREATE_BOOKING, written(request)))

    def close(self, timeout_ms: int = CLOSE_TIMEOUT_MS) -> bool:
        """Refuses new calls, lets those under way finish in that time, and ends the rest with `ClientClosed`. Whether
        none had to be ended.

        Within the same time it waits for bookings that go on after their calls have ended. Then it waits once more for
        that long at most, until `on_settled` has returned from the last report.
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
    """Takes reports until the client is closed and none is left. Only reports come to the queue of such a client."""
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
                # Nobody asked this thread to exit: it has reports to take.
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
            # The host's mistake, which must not cost it the other reports. Python reports it as it does for any thread.
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))
        finally:
            if is_heard:
                _bindings.pbk_completion_free(completion)
            else:
                unheard.keep(completion)


async def _awaited(result: Awaitable[object]) -> None:
    await result
