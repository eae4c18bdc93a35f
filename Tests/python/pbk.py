"""The C ABI through ctypes, as thin as can be: tests must meet the library's own behaviour and
nothing of ours.

Functions and numbers come from the header: header.py. The library is the shared object that
`PBK_LIBRARY` names, else the one that the build leaves in `build/lib`. """

from __future__ import annotations

import ctypes
import json
import os
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

from header import EVENT, FUNCTIONS, OPERATION, ROOT

LIBRARY = Path(os.environ.get("PBK_LIBRARY", ROOT / "build" / "lib" / "libpartnerbooking.so"))

Text = Any
"""What tests hand over as JSON: a dict is written compactly, str and bytes go as they are, None is
a NULL pointer."""

library = ctypes.CDLL(str(LIBRARY))

Callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
"""`pbk_callback`. It takes a context and a completion. Whoever makes one keeps it alive until the
client is closed."""

LedgerCallback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_char_p)
"""`pbk_ledger_callback`. It takes a context, the client, the number of a batch, and its JSON."""

SEARCH, BOOK, LOOKUP, TOOL = (
    OPERATION[name] for name in ("SEARCH_AVAILABILITY", "CREATE_BOOKING", "LOOKUP_CUSTOMER", "CALL_TOOL")
)
DONE, SLOW, SETTLED = (EVENT[name] for name in ("DONE", "SLOW", "SETTLED"))

C_TYPES = {
    "void": None,
    "void *": ctypes.c_void_p,
    "int": ctypes.c_int,
    "int32_t": ctypes.c_int32,
    "size_t": ctypes.c_size_t,
    # Returned strings stay pointers: as c_char_p ctypes would copy them and lose the address that
    # has to be freed.
    "char *": ctypes.c_void_p,
    "char **": ctypes.POINTER(ctypes.c_void_p),
    # What is borrowed may be copied.
    "const char *": ctypes.c_char_p,
    "const char *const *": ctypes.POINTER(ctypes.c_char_p),
    "const void *": ctypes.c_void_p,
    "int64_t": ctypes.c_int64,
    "pbk_client *": ctypes.c_void_p,
    "pbk_completion *": ctypes.c_void_p,
    "const pbk_completion *": ctypes.c_void_p,
    "pbk_callback": Callback,
    "pbk_ledger_callback": LedgerCallback,
    "pbk_event": ctypes.c_int,
    "pbk_log_level": ctypes.c_int,
    "pbk_log_callback": ctypes.c_void_p,
    "pbk_operation": ctypes.c_int,
    "pbk_outcome": ctypes.c_int,
    "pbk_status": ctypes.c_int,
    "pbk_status *": ctypes.POINTER(ctypes.c_int),
    "pbk_ticket": ctypes.c_uint64,
    "pbk_webhook_verdict": ctypes.c_int,
    "pbk_ticket *": ctypes.POINTER(ctypes.c_uint64),
    "uint64_t": ctypes.c_uint64,
    "uint64_t *": ctypes.POINTER(ctypes.c_uint64),
}
"""The types of C as ctypes has them."""

_no_callback = Callback()

for _name, (_returned, _arguments) in FUNCTIONS.items():
    _function = getattr(library, _name)
    _function.restype, _function.argtypes = C_TYPES[_returned], [C_TYPES[each] for each in _arguments]


class Result(NamedTuple):
    """What a call gave back."""

    status: int
    reply: bytes


class Submission(NamedTuple):
    """What `pbk_submit` gave back. `error` is its error reply, None when there is none."""

    status: int
    ticket: int
    error: bytes | None


class Completion(NamedTuple):
    """All that a completion tells, read before it was freed."""

    event: int
    ticket: int
    status: int
    outcome: int
    reply: bytes | None
    reply_length: int
    tag: str | None
    key: str | None
    timing: dict[str, Any]
    context: int | None

    @property
    def result(self) -> Result:
        """As a blocking call would have given it."""
        assert self.event == DONE and self.reply is not None, self
        return Result(self.status, self.reply)


class OpenError(Exception):
    """`pbk_client_open` gave no client. `reply` is its error."""

    def __init__(self, status: int, reply: bytes) -> None:
        super().__init__(reply.decode())
        self.status, self.reply = status, reply


def take(string: int | None) -> bytes:
    """Copies a returned string and gives it back to the library."""
    assert string is not None, "the library returned NULL"
    text = ctypes.string_at(string)
    library.pbk_string_free(string)
    return text


def encode(text: Text) -> bytes | None:
    if isinstance(text, dict):
        text = json.dumps(text, separators=(",", ":"), ensure_ascii=False)
    return text.encode() if isinstance(text, str) else text


def open_handle(config: Text) -> int:
    error, status = ctypes.c_void_p(0xDEAD), ctypes.c_int(-1)
    handle = library.pbk_client_open(encode(config), ctypes.byref(error), ctypes.byref(status))
    if handle is None:
        raise OpenError(status.value, take(error.value))
    assert (error.value, status.value) == (None, 0), "a client and an error"
    return handle


def search(handle: int | None, request: Text) -> Result:
    return _call(library.pbk_search_availability, handle, request)


def book(handle: int | None, request: Text) -> Result:
    return _call(library.pbk_create_booking, handle, request)


def lookup(handle: int | None, request: Text) -> Result:
    return _call(library.pbk_lookup_customer, handle, request)


def call_tool(handle: int | None, request: Text) -> Result:
    return _call(library.pbk_call_tool, handle, request)


def prefetch(handle: int | None, request: Text) -> tuple[int, bytes | None]:
    """The status and the error."""
    return _hand_over(library.pbk_prefetch, handle, request)


def end_conversation(handle: int | None, request: Text) -> tuple[int, bytes | None]:
    """The status and the error."""
    return _hand_over(library.pbk_conversation_end, handle, request)


def _hand_over(function: Any, handle: int | None, request: Text) -> tuple[int, bytes | None]:
    error = ctypes.c_void_p(0xDEAD)
    status = function(handle, encode(request), ctypes.byref(error))
    return status, None if error.value is None else take(error.value)


def pending_bookings(handle: int | None) -> Result:
    return _list(library.pbk_pending_bookings, handle)


def sandbox_bookings(handle: int | None) -> Result:
    return _list(library.pbk_sandbox_bookings, handle)


def _list(function: Any, handle: int | None) -> Result:
    status = ctypes.c_int(-1)
    reply = take(function(handle, ctypes.byref(status)))
    return Result(status.value, reply)


def booking_key(call_id: Text, request: Text) -> tuple[bytes | None, bytes | None]:
    """The key and the error, of which one is None."""
    error, status = ctypes.c_void_p(0xDEAD), ctypes.c_int(-1)
    key = library.pbk_booking_key(encode(call_id), encode(request), ctypes.byref(error), ctypes.byref(status))
    reply = None if error.value is None else take(error.value)
    assert status.value == (0 if reply is None else library.pbk_reply_status(reply)), reply
    return None if key is None else take(key), reply


def random_key() -> str:
    return take(library.pbk_random_key()).decode()


def _call(function: Any, handle: int | None, request: Text) -> Result:
    status = ctypes.c_int(-1)
    reply = take(function(handle, encode(request), ctypes.byref(status)))
    return Result(status.value, reply)


def submit(
    handle: int | None, operation: int, request: Text, callback: Any = None, context: int | None = None
) -> Submission:
    """With anything in place of what the library has to write, so that it shows when it does
    not."""
    ticket, error = ctypes.c_uint64(0xDEAD), ctypes.c_void_p(0xDEAD)
    status = library.pbk_submit(
        handle,
        operation,
        encode(request),
        ctypes.byref(ticket),
        ctypes.byref(error),
        callback or _no_callback,
        context,
    )
    return Submission(status, ticket.value, None if error.value is None else take(error.value))


def read_completion(completion: int) -> Completion:
    """Copies a completion, which stays the caller's to free."""
    tag, key = library.pbk_completion_tag(completion), library.pbk_completion_key(completion)
    return Completion(
        library.pbk_completion_event(completion),
        library.pbk_completion_ticket(completion),
        library.pbk_completion_status(completion),
        library.pbk_completion_outcome(completion),
        library.pbk_completion_reply(completion),
        library.pbk_completion_reply_length(completion),
        None if tag is None else tag.decode(),
        None if key is None else key.decode(),
        json.loads(library.pbk_completion_timing(completion)),
        library.pbk_completion_context(completion),
    )


def take_completion(completion: int) -> Completion:
    """Reads a completion and gives it back to the library."""
    taken = read_completion(completion)
    library.pbk_completion_free(completion)
    return taken


def next_completion(handle: int | None, timeout_ms: int = 0) -> tuple[int, Completion | None]:
    """The status, and the completion when there was one."""
    status, completion = next_address(handle, timeout_ms)
    return status, None if completion is None else take_completion(completion)


def next_address(handle: int | None, timeout_ms: int = 0) -> tuple[int, int | None]:
    """The status, and the address of the completion when there was one: it is the caller's to
    free."""
    status = ctypes.c_int(-1)
    completion = library.pbk_next_completion(handle, timeout_ms, ctypes.byref(status))
    return status.value, completion


def json_get(text: Text, pointer: Text) -> bytes | None:
    """The value at a pointer, or None."""
    value = library.pbk_json_get(encode(text), encode(pointer))
    return None if value is None else take(value)


def json_quote(text: Text) -> bytes | None:
    """The JSON string of a text, or None."""
    quoted = library.pbk_json_quote(encode(text))
    return None if quoted is None else take(quoted)


def webhook_sign(secret: Text, body: bytes | None, timestamp: int = 0, length: int | None = None) -> str | None:
    """The header, or None. `length` where it is not that of the body."""
    size = len(body or b"") if length is None else length
    header = library.pbk_webhook_sign(encode(secret), body, size, timestamp)
    return None if header is None else take(header).decode()


def webhook_verify(
    secrets: list[Text] | None,
    header: Text,
    body: bytes | None,
    now: int = 0,
    tolerance: int = 0,
    *,
    count: int | None = None,
    length: int | None = None,
) -> int:
    """The verdict. `count` and `length` where they are not those of the secrets and of the body."""
    given = [encode(secret) for secret in secrets or []]
    return library.pbk_webhook_verify(
        None if secrets is None else (ctypes.c_char_p * len(given))(*given),
        len(given) if count is None else count,
        encode(header),
        body,
        len(body or b"") if length is None else length,
        now,
        tolerance,
    )


def webhook_verdict_text(verdict: int) -> str:
    return library.pbk_webhook_verdict_text(verdict).decode()


class Client(AbstractContextManager):
    """An open client. Leaving the context closes it at once and takes the completions that are
    left."""

    def __init__(self, config: Text) -> None:
        self.handle = open_handle(config)

    def __exit__(self, *exception: object) -> None:
        self.close(0)
        while self.next_completion()[1] is not None:
            pass

    def search(self, request: Text) -> Result:
        return search(self.handle, request)

    def book(self, request: Text) -> Result:
        return book(self.handle, request)

    def lookup(self, request: Text) -> Result:
        return lookup(self.handle, request)

    def call_tool(self, request: Text) -> Result:
        return call_tool(self.handle, request)

    def prefetch(self, request: Text) -> tuple[int, bytes | None]:
        return prefetch(self.handle, request)

    def end_conversation(self, request: Text) -> tuple[int, bytes | None]:
        return end_conversation(self.handle, request)

    def pending_bookings(self) -> Result:
        return pending_bookings(self.handle)

    def sandbox_bookings(self) -> Result:
        return sandbox_bookings(self.handle)

    def close(self, timeout_ms: int = 1000) -> int:
        return library.pbk_client_close(self.handle, timeout_ms)

    def submit(self, operation: int, request: Text, callback: Any = None, context: int | None = None) -> Submission:
        return submit(self.handle, operation, request, callback, context)

    def cancel(self, ticket: int) -> int:
        return library.pbk_cancel(self.handle, ticket)

    def next_completion(self, timeout_ms: int = 0) -> tuple[int, Completion | None]:
        return next_completion(self.handle, timeout_ms)

    def fd(self) -> int:
        return library.pbk_client_fd(self.handle)

    def prewarm(self) -> int:
        return library.pbk_prewarm(self.handle)
