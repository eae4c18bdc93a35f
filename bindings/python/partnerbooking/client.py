"""The client for threads that may wait."""

from __future__ import annotations

import ctypes
from types import TracebackType
from typing import TYPE_CHECKING, Any

from . import _bindings
from ._client import CLOSE_TIMEOUT_MS, Handle, resume_request, written
from .errors import Error
from .values import (
    JSON,
    CallOptions,
    CreateBookingReply,
    CreateBookingRequest,
    LookupCustomerReply,
    LookupCustomerRequest,
    SearchAvailabilityReply,
    SearchAvailabilityRequest,
)

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from .configuration import Configuration


class Client(Handle):
    """Calls wait for their reply or their deadline, and other threads run meanwhile. Any thread may use it, also at
    once.

        with Client(api_key=os.environ["PARTNER_API_KEY"]) as client:
            found = client.search_availability(SearchAvailabilityRequest(bot_id, "2030-01-14", "2030-01-15"))

    Keywords are the configuration of docs/json-contract.md. A request is a dataclass of this package, or JSON as a
    mapping or a text, whose members travel on to the platform also where the library does not know them. A call that
    fails raises an `Error`.

    Python notices Ctrl-C when the call under way is over; in a program for people use `AsyncClient`.
    """

    def __init__(self, /, **configuration: Unpack[Configuration]) -> None:
        super().__init__(configuration)

    def search_availability(self, request: SearchAvailabilityRequest | JSON) -> SearchAvailabilityReply:
        """Searches a bot's free slots: at most 5 seconds, if neither request nor configuration say otherwise."""
        return SearchAvailabilityReply(self._call(_bindings.pbk_search_availability, written(request)))

    def create_booking(self, request: CreateBookingRequest | JSON) -> CreateBookingReply:
        """Books a slot: at most 35 seconds, if neither request nor configuration say otherwise. After an `Error` whose
        `outcome` is `unknown`, repeat it with the same key."""
        return CreateBookingReply(self._call(_bindings.pbk_create_booking, written(request)))

    def lookup_customer(self, request: LookupCustomerRequest | JSON) -> LookupCustomerReply:
        """Tells who is calling. Platforms know that, and so does the sandbox; the Partner API has no such operation."""
        return LookupCustomerReply(self._call(_bindings.pbk_lookup_customer, written(request)))

    def resume(self, idempotency_key: str, options: CallOptions = CallOptions()) -> CreateBookingReply:
        """Settles a booking in doubt by its key alone: the recorded request is sent again."""
        return self.create_booking(resume_request(idempotency_key, options))

    def close(self, timeout_ms: int = CLOSE_TIMEOUT_MS) -> bool:
        """Refuses new calls, lets those under way finish in that time, and ends the rest with `ClientClosed`. Whether
        none had to be ended."""
        return self._close(timeout_ms)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, function: Any, request: bytes) -> bytes:
        status = ctypes.c_int()
        reply = _bindings.take(function(self._handle, request, ctypes.byref(status)))
        if status.value != _bindings.OK:
            raise Error.of(status.value, reply)
        return reply
