"""The asyncio client."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import errno
import inspect
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Union

from . import _bindings
from ._handle import (
    CLOSE_TIMEOUT_MS,
    Handle,
    give_up_before_request,
    give_up_request,
    resume_request,
    written,
)
from ._ledger import AsyncLedger, Ledger, is_async
from ._watch import Call
from .conversation import AsyncConversation
from .ended import OnCall
from .errors import Error
from .settled import Settled, booked_by_tool, settled_by_call, take
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

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .configuration import Configuration

OnSlow = Union[Callable[[], Awaitable[object]], Callable[[], object]]
"""A function or a coroutine function that says "one moment, please".

It is called on the loop, in the caller's context, when a call takes longer than `slow_after_ms`.
The call does not wait for it. Its exceptions go to the loop's exception handler."""

OnSettled = Union[Callable[[Settled], Awaitable[object]], Callable[[Settled], object]]
"""A function or a coroutine function. It is called on the loop with the end of a booking that no
`await` returned.

If it raises, or its coroutine raises or is cancelled, the booking stays in `pending_bookings()`."""

SLOW_AFTER_MS = 1000
"""The default `slow_after_ms` of an `AsyncClient`. Callers accept one second of silence as a pause.
After more they think that the line is dead. Most searches end sooner."""

_COMPLETIONS_AT_ONCE = 256
"""The most completions that a callback of the loop takes. The rest keep the descriptor readable."""


class _Call:
    __slots__ = ("completion", "context", "ended", "on_slow", "settled", "watched")

    def __init__(
        self,
        ended: asyncio.Future[None],
        on_slow: OnSlow | None,
        settled: Callable[[int], Settled | None],
        watched: Call | None,
    ) -> None:
        self.ended = ended
        self.watched = watched
        self.settled = settled
        """Function that reads a booking's end from the completion. None if there is no end."""
        self.on_slow = on_slow
        self.context = None if on_slow is None else contextvars.copy_context()
        self.completion: int | None = None
        """The completion, from the end of the call until its task has read it. Freeing it reports
        to the library that the host has heard the end."""


class AsyncClient(Handle):
    """A client whose calls are awaited. One loop runs any number of calls at once, without threads.

        async with AsyncClient(api_key=os.environ["PARTNER_API_KEY"]) as client:
            start, end = "2030-01-14T09:00:00-05:00", "2030-01-14T17:00:00-05:00"
            found = await client.search_availability(SearchAvailabilityRequest(bot_id, start, end))

    Keywords, requests and errors are those of `Client`. The client belongs to the loop of its first
    call. With `on_settled` or an `AsyncLedger` this is already the loop of `async with`.

    Cancelling a task cancels its call at once. It does not undo a booking that was sent. The
    library reads the answer, but sends nothing more by itself. With `detach` the call goes on,
    retries included. A repeat with the same key joins it.

    `on_settled` gets a `Settled` for each booking whose end no `await` returned. Such a booking
    ended `unknown` and is settled now, or its task was cancelled, with or without `detach`. Reports
    begin with `async with` or the first call. The same end may come twice, also after a repeat has
    returned it. Compare the idempotency keys. `on_settled` turns `report_settled` on, unless the
    configuration sets it.

    The host has heard the end of a booking when its `await` returns or raises, or when `on_settled`
    or its coroutine has ended. Three cases hear nothing: a cancelled task, and an `on_settled` that
    raises or is cancelled. Then `pending_bookings()` still lists the booking, also in the next
    process with the same journal. Its state is `booked` or `refused` if that is known. `resume`
    with its key hears the end. Until then, or until it is closed, the client keeps the completion.
    The next process lists a report once more if it arrives while the client closes.

    `on_call` gets a `CallEnded` for each call that ends, also for a cancelled task, and for each
    booking that is settled later. It runs on the loop, in the caller's context. It turns
    `report_settled` on, as `on_settled` does. It does not count as hearing an end.

    `ledger` is a store that the clients of a fleet share. An `AsyncLedger` runs on the loop, from
    `async with` or the first call on. A `Ledger` is called by a thread of the client's own.

    `on_slow` of a call is called once, when the call takes longer than `slow_after_ms`. The default
    is 1000 here. The request or the configuration may set another value.
    """

    def __init__(
        self,
        /,
        *,
        on_settled: OnSettled | None = None,
        on_call: OnCall | None = None,
        ledger: Ledger | AsyncLedger | None = None,
        **configuration: Unpack[Configuration],
    ) -> None:
        members: Configuration = {"slow_after_ms": SLOW_AFTER_MS, **configuration}
        is_on_loop = ledger is not None and is_async(ledger)
        super().__init__(members, ledger=ledger, on_call=on_call, reports_settled=on_settled is not None)
        if self._ledger_thread is not None and not is_on_loop:
            self._ledger_thread.start()
        self._on_settled = on_settled
        self._attaches_early = on_settled is not None or is_on_loop
        self._reports: dict[asyncio.Future[Any], int] = {}
        """Running coroutines of `on_settled`, with their completions. Held here because the loop
        keeps no task alive."""
        self._slow: set[asyncio.Future[Any]] = set()
        """Running coroutines of `on_slow`."""
        self._process = os.getpid()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._descriptor = -1
        self._calls: dict[int, _Call] = {}
        """Calls by ticket, until their completion arrives, even if the task is gone."""
        self._idle: asyncio.Future[None] | None = None
        """Done when no call is in flight. `close` waits for it."""
        self._closing: asyncio.Task[bool] | None = None

    async def search_availability(
        self, request: SearchAvailabilityRequest | JSON, on_slow: OnSlow | None = None
    ) -> SearchAvailabilityReply:
        """Searches a bot's free slots.

        Takes at most 5 seconds, unless the request or the configuration set another deadline.
        """
        return SearchAvailabilityReply(*await self._call(_bindings.SEARCH_AVAILABILITY, written(request), on_slow))

    async def create_booking(
        self, request: CreateBookingRequest | JSON, on_slow: OnSlow | None = None
    ) -> CreateBookingReply:
        """Books a slot.

        Takes at most 35 seconds, unless the request or the configuration set another deadline.

        After an `Error` whose `outcome` is `unknown`, repeat the request with the same key. The
        library keeps asking for at most `settle_for_ms`, and a repeat joins that.
        """
        return CreateBookingReply(*await self._call(_bindings.CREATE_BOOKING, written(request), on_slow))

    async def lookup_customer(
        self, request: LookupCustomerRequest | JSON, on_slow: OnSlow | None = None
    ) -> LookupCustomerReply:
        """Looks up the customer who is calling.

        Platforms and the sandbox support this. The Partner API has no such operation.
        """
        return LookupCustomerReply(*await self._call(_bindings.LOOKUP_CUSTOMER, written(request), on_slow))

    def conversation(self, call_id: str, bot_id: str, caller_phone: str | None = None) -> AsyncConversation:
        """Returns the conversation that answers the tool calls of one phone call. Sends nothing.

        Needs `voice` with a `time_zone` in the configuration. Choose a `call_id` that no other call
        of the bot has. `caller_phone` is the number that the caller calls from, in E.164 or as the
        bot's region writes it.
        """
        return AsyncConversation(self, call_id, bot_id, caller_phone)

    async def resume(self, idempotency_key: str, options: CallOptions = CallOptions()) -> CreateBookingReply:
        """Settles a booking by its key alone.

        Returns the reply of a booking that was made, and joins a booking in flight. For a booking
        in doubt it sends the recorded request again. Raises `NotRecorded` for a booking that was
        refused, and for an unknown key.
        """
        return await self.create_booking(resume_request(idempotency_key, options))

    async def give_up(self, idempotency_key: str) -> GiveUpReply:
        """Gives up a booking in doubt that no request can settle. Sends nothing.

        Call it after a person has looked into the platform's calendar. The library forgets the
        booking, and its key is free. It keeps a booking that a call waits for, and a booking whose
        end is known. Raises `NotRecorded` for an unknown key. Returns after the journal has
        recorded it.
        """
        return await self._give_up(give_up_request(idempotency_key))

    async def give_up_before(self, bot_id: str, start_before: Moment) -> GiveUpReply:
        """Gives up all bookings in doubt of a bot that start before that moment, as `give_up` does
        for a key."""
        return await self._give_up(give_up_before_request(bot_id, start_before))

    async def _give_up(self, request: JSON) -> GiveUpReply:
        reply, _ = await self._call(_bindings.CREATE_BOOKING, written(request), None)
        return give_up_reply(reply)

    async def close(self, timeout_ms: int = CLOSE_TIMEOUT_MS) -> bool:
        """Closes the client. Returns True when no call had to be cut short.

        Gives calls `timeout_ms` to finish. Then refuses new calls, and ends the rest with
        `ClientClosed`. The same time includes bookings that go on after their calls have ended.
        Then waits at most `timeout_ms` once more for the coroutines of `on_settled`.
        """
        if os.getpid() != self._process:
            # In the child of a fork the loop is a copy that shares its epoll with the parent.
            # Using it would disturb the parent.
            return self._close(0)
        if self._closing is not None and self._closing.done():
            return True
        loop = asyncio.get_running_loop()
        if self._ledger_thread is not None:
            self._ledger_thread.start(loop)  # closing sends batches, too
        if self._loop is not None and self._loop.is_closed():
            # The tasks are gone with their loop. Only the watchers can still get the calls' ends.
            gone: asyncio.Future[None] = loop.create_future()
            gone.cancel()
            calls = self._calls.items()
            self._calls = {ticket: _Call(gone, None, _no_booking, call.watched) for ticket, call in calls}
            self._idle = None
            for completion in self._reports.values():
                self._unheard.keep(completion)
            self._reports.clear()
            timeout_ms = 0
        begun, left_ms = time.monotonic(), 0
        try:
            if self._calls:
                if self._idle is None:
                    self._idle = loop.create_future()
                await asyncio.wait([self._idle], timeout=timeout_ms / 1000)
            left_ms = timeout_ms - int((time.monotonic() - begun) * 1000)
        finally:
            if self._closing is None:
                self._closing = loop.create_task(self._shut(loop, left_ms))
            # Shielded, because a close that stops halfway would leave calls that never end.
            in_time = await asyncio.shield(self._closing)
        if others := self._reports.keys() - {asyncio.current_task()}:  # on_settled itself may close the client
            await asyncio.wait(others, timeout=timeout_ms / 1000)
        return in_time

    async def _shut(self, loop: asyncio.AbstractEventLoop, timeout_ms: int) -> bool:
        """Closes the client, and takes the last completions.

        Uses a thread of its own. Closing may take two seconds if the system's resolver hangs, and
        the loop's own threads may all be busy.
        """
        closed: asyncio.Future[bool] = loop.create_future()
        self._detach()

        def tell(in_time: bool) -> None:
            if not closed.done():
                closed.set_result(in_time)

        def close() -> None:
            in_time = self._close(timeout_ms)
            with contextlib.suppress(RuntimeError):  # the loop is closed, and no task waits
                loop.call_soon_threadsafe(tell, in_time)

        threading.Thread(target=close, daemon=True).start()
        try:
            return await closed
        finally:
            self._take_rest()

    async def __aenter__(self) -> Self:
        if self._attaches_early and self._loop is None:
            self._attach()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, operation: int, request: bytes, on_slow: OnSlow | None) -> tuple[bytes, bytes]:
        loop = self._loop
        if loop is None:
            loop = self._attach()
        elif loop is not asyncio.get_running_loop():
            raise RuntimeError("this AsyncClient belongs to another event loop: open one for each")
        watched = None if self._watch is None else self._watch.begin(operation, request).in_context()
        if watched is not None:
            request = watched.request
        ticket, error = ctypes.c_uint64(), ctypes.c_void_p()
        status: int = _bindings.pbk_submit(
            self._handle, operation, request, ctypes.byref(ticket), ctypes.byref(error), None, None
        )
        if status != _bindings.OK:
            refusal = _bindings.take(error.value)
            if watched is not None:
                watched.end(status, refusal)
            raise Error.of(status, refusal)
        settled: Callable[[int], Settled | None] = _no_booking
        if operation == _bindings.CALL_TOOL:
            settled = booked_by_tool
        elif operation == _bindings.CREATE_BOOKING and not _gives_up(request):
            settled = settled_by_call
        call = _Call(loop.create_future(), on_slow, settled, watched)
        self._calls[ticket.value] = call
        try:
            await call.ended
            return _heard(call)
        except asyncio.CancelledError:
            _bindings.pbk_cancel(self._handle, ticket)
            raise
        finally:
            if call.completion is not None:  # the task was cancelled before it could read it
                self._leave(call, call.completion)

    def _attach(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        descriptor: int = _bindings.pbk_client_fd(self._handle)
        if descriptor < 0:
            self.pending_bookings()  # raises when the client is closed, the usual reason
            raise OSError(errno.EMFILE, "no descriptor is left, without which no call could end")
        loop.add_reader(descriptor, self._take_completions)
        self._loop, self._descriptor = loop, descriptor
        if self._ledger_thread is not None:
            self._ledger_thread.start(loop)
        return loop

    def _detach(self) -> None:
        """Removes the descriptor from the loop. Call it before the library closes the descriptor,
        because the system may reuse its number at once."""
        if self._loop is not None and self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            self._descriptor = -1

    def _take_rest(self) -> None:
        """Takes all completions that arrived before the close. A SystemExit of `on_call` is raised
        after the last one."""
        raised: BaseException | None = None
        is_more = True
        while is_more:
            try:
                is_more = self._take_completions()
            except BaseException as error:
                raised = raised or error
        if raised is not None:
            raise raised

    def _take_completions(self) -> bool:
        """Takes a batch of completions. Returns True when there may be more."""
        for _ in range(_COMPLETIONS_AT_ONCE):
            completion = _bindings.pbk_next_completion(self._handle, 0, None)
            if completion is None:
                return False
            ticket = _bindings.pbk_completion_ticket(completion)
            event = _bindings.pbk_completion_event(completion)
            if event == _bindings.SETTLED:
                self._settle(completion)
                continue
            if event != _bindings.DONE:  # unknown events are only freed
                _bindings.pbk_completion_free(completion)
                call = self._calls.get(ticket)
                if event == _bindings.SLOW and call is not None and call.on_slow is not None and not call.ended.done():
                    # Called by the loop, so that its exception cannot stop this function.
                    call.ended.get_loop().call_soon(self._tell_slow, call.on_slow, context=call.context)
                continue
            self._end(self._calls.pop(ticket, None), completion)
        return True

    def _settle(self, completion: int) -> None:
        try:
            if self._watch is not None:
                self._watch.settled(completion)
        finally:  # also when on_call raises SystemExit
            if self._on_settled is None:
                self._unheard.keep(completion)
            else:
                # Called by the loop, for the same reason as on_slow.
                asyncio.get_running_loop().call_soon(self._report, self._on_settled, completion, take(completion))

    def _end(self, call: _Call | None, completion: int) -> None:
        try:
            if call is not None and call.watched is not None:
                call.watched.end_by(completion)
        finally:  # also when on_call raises SystemExit
            self._end_for_task(call, completion)

    def _end_for_task(self, call: _Call | None, completion: int) -> None:
        if call is None:
            self._unheard.keep(completion)
        elif call.ended.done():  # its task is gone
            self._leave(call, completion)
        else:
            # The task frees it. A process that dies before the task runs has not heard the end.
            call.completion = completion
            call.ended.set_result(None)
        if not self._calls and self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _leave(self, call: _Call, completion: int) -> None:
        """Handles the end of a call whose task is gone. Reports the end of a booking to
        `on_settled`. An open booking is reported when it is settled."""
        loop = call.ended.get_loop()
        settled = None if self._on_settled is None or loop.is_closed() else call.settled(completion)
        if self._on_settled is None or settled is None:
            self._unheard.keep(completion)
        else:
            loop.call_soon(self._report, self._on_settled, completion, settled)

    def _tell_slow(self, on_slow: OnSlow) -> None:
        result = on_slow()
        if inspect.isawaitable(result):
            said = asyncio.ensure_future(result)
            self._slow.add(said)
            said.add_done_callback(self._said)

    def _said(self, said: asyncio.Future[Any]) -> None:
        self._slow.discard(said)
        _complain("on_slow", said)

    def _report(self, on_settled: OnSettled, completion: int, settled: Settled) -> None:
        try:
            result = on_settled(settled)
        except BaseException:
            self._unheard.keep(completion)
            raise
        if inspect.isawaitable(result):
            report = asyncio.ensure_future(result)
            self._reports[report] = completion
            report.add_done_callback(self._reported)
        else:
            _bindings.pbk_completion_free(completion)

    def _reported(self, report: asyncio.Future[Any]) -> None:
        completion = self._reports.pop(report)
        if report.cancelled() or report.exception() is not None:
            self._unheard.keep(completion)
        else:
            _bindings.pbk_completion_free(completion)
        _complain("on_settled", report)


def _no_booking(completion: int) -> Settled | None:
    return None


def _gives_up(request: bytes) -> bool:
    """Returns True for a request that gives bookings up. The library has accepted it, so it is an
    object."""
    return b"give_up" in request and json.loads(request).get("give_up") is True


def _complain(name: str, future: asyncio.Future[Any]) -> None:
    """Passes an exception of a host's coroutine to the loop's exception handler, which logs it."""
    error = None if future.cancelled() else future.exception()
    if error is not None:
        context = {"message": f"Exception in {name}", "exception": error, "future": future}
        future.get_loop().call_exception_handler(context)


def _heard(call: _Call) -> tuple[bytes, bytes]:
    """Returns the reply and its timing, and frees the completion: the host has heard the end."""
    completion = call.completion
    status = _bindings.pbk_completion_status(completion)
    reply = _bindings.pbk_completion_reply(completion)
    timing = _bindings.pbk_completion_timing(completion)
    call.completion = None
    _bindings.pbk_completion_free(completion)
    if reply is None:
        raise MemoryError("libpartnerbooking could not allocate its reply")
    if status != _bindings.OK:
        raise Error.of(status, reply)
    return reply, timing
