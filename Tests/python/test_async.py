"""Calls that are handed over: what `pbk_submit` takes and refuses, what it tells, and what a callback may do."""

from __future__ import annotations

import ctypes
import threading
from pathlib import Path

import pbk
import pytest
from completions import ByCallback, accepted, check
from contract import ATTEMPT_MEMBERS, error_object, failure
from garbage import GARBAGE
from header import OUTCOME, STATUS
from reference_api import BOOKING_PATH, SEARCH_PATH
from samples import SANDBOX, booking_request, new_key, search_request
from waiting import MINUTE, SOON

OPERATIONS = {"search": (pbk.SEARCH, search_request), "book": (pbk.BOOK, booking_request)}

operations = pytest.mark.parametrize(("operation", "request_of"), OPERATIONS.values(), ids=OPERATIONS)


# What comes back


@pytest.mark.usefixtures("no_violation")
def test_reply_is_the_blocking_calls(reference, service, open_client, way):
    """To the byte, success and failure alike; apart from where the time went. Who books first gets the service's reply,
    and who comes after gets the recorded one.
    """
    client = open_client(service.config)
    bot, key = reference.bot(), new_key()
    for operation, call, request, replayed in [
        (pbk.SEARCH, client.search, search_request(bot), None),
        (pbk.BOOK, client.book, booking_request(bot, key), True),
    ]:
        blocking = call(request)
        ticket = way.submit(client, operation, request)
        completion = way.next(client)
        assert (completion.ticket, completion.result) == (ticket, blocking)
        assert completion.timing.get("replayed") is replayed
    assert [request["path"] for request in reference.requests(bot)] == [SEARCH_PATH, SEARCH_PATH, BOOKING_PATH]
    bot = reference.bot()
    first = booking_request(bot)
    way.submit(client, pbk.BOOK, first)
    completion = way.next(client)
    assert "replayed" not in completion.timing
    assert client.book(first) == completion.result
    (sent,) = reference.requests(bot)
    assert completion.result.reply.decode("latin-1") == sent["reply"]
    # What was refused is asked anew.
    taken = booking_request(bot)
    blocking = failure(client.book(taken), "SLOT_UNAVAILABLE")
    way.submit(client, pbk.BOOK, taken)
    submitted = failure(way.next(client).result, "SLOT_UNAVAILABLE")
    assert [request["status"] for request in reference.requests(bot)] == [201, 409, 409]
    own = {"timing", "request_id"}
    assert {name: blocking[name] for name in set(blocking) - own} == {
        name: submitted[name] for name in set(submitted) - own
    }


def test_sandbox_answers_as_it_does_blocking_calls(open_client, way):
    client, other = open_client(SANDBOX), open_client(SANDBOX)
    for operation, request in [(pbk.SEARCH, search_request()), (pbk.BOOK, booking_request())]:
        blocking = client.search(request) if operation == pbk.SEARCH else client.book(request)
        way.submit(client, operation, request)
        assert way.next(client).result == blocking
        # One that has not made the booking before answers for itself.
        way.submit(other, operation, request)
        completion = way.next(other)
        assert (completion.status, completion.timing["attempts"]) == (STATUS["OK"], 1)
        if operation == pbk.SEARCH:
            assert completion.result == blocking


@pytest.mark.parametrize("context", [None, 1, 0xDEADBEEF, (1 << 64) - 1])
@pytest.mark.parametrize("tag", [None, "", "call-7", "Z\u00fcrich \U0001f4de", "t" * 256])
def test_tag_and_context_come_back(open_client, way, tag, context):
    client = open_client(SANDBOX)
    request = search_request() if tag is None else search_request(tag=tag)
    ticket = way.submit(client, pbk.SEARCH, request, context)
    completion = way.next(client)
    assert (completion.ticket, completion.tag, completion.context) == (ticket, tag, context)


def test_timing_of_a_call(reference, service, open_client, way):
    bot = reference.bot()
    client = open_client(service.config)
    for is_reused in (False, True):
        way.submit(client, pbk.SEARCH, search_request(bot))
        completion = way.next(client)
        timing = completion.timing
        assert set(timing) >= ATTEMPT_MEMBERS
        assert (timing["attempts"], timing["http_version"]) == (1, service.http_version)
        assert timing["connection_reused"] is is_reused
        assert (timing["tls_us"] > 0) is (service.http_version == "2" and not is_reused)
        assert timing["sent_bytes"] == len(reference.requests(bot)[-1]["body"])
        assert timing["received_bytes"] == completion.reply_length


@pytest.mark.parametrize("http", ["http1", "http2"])
def test_first_byte_is_that_of_the_reply(request, reference, open_client, way, http):
    bot = reference.bot({"delay_ms": 50})
    client = open_client(request.getfixturevalue(http).config)
    for _ in range(2):
        way.submit(client, pbk.SEARCH, search_request(bot))
        timing = way.next(client).timing
        assert 50_000 <= timing["first_byte_us"] <= timing["total_us"]


def test_timing_tells_of_the_last_attempt(reference, http1, open_client, way):
    bot = reference.bot({"status": 503}, {})
    client = open_client(http1.config, retry={"base_delay_ms": 1, "max_delay_ms": 1})
    way.submit(client, pbk.SEARCH, search_request(bot))
    timing = way.next(client).timing
    assert (timing["attempts"], timing["connection_reused"]) == (2, True)


def test_timing_without_a_network(open_client, way):
    client = open_client(SANDBOX)
    way.submit(client, pbk.SEARCH, search_request())
    timing = way.next(client).timing
    assert timing["attempts"] == 1
    assert not set(timing) & ATTEMPT_MEMBERS


def test_tickets_are_all_different_and_never_zero(open_client, way):
    client = open_client(SANDBOX)
    tickets = [way.submit(client, pbk.SEARCH, search_request()) for _ in range(100)]
    assert 0 not in tickets and len(set(tickets)) == 100
    assert sorted(way.next(client).ticket for _ in tickets) == sorted(tickets)


def test_ticket_is_written_before_the_callback_runs(open_client):
    client = open_client(SANDBOX)
    for _ in range(200):
        ticket = ctypes.c_uint64()
        seen = []
        told = ByCallback(lambda completion, ticket=ticket, seen=seen: seen.append(ticket.value))
        status = pbk.library.pbk_submit(
            client.handle, pbk.SEARCH, pbk.encode(search_request()), ctypes.byref(ticket), None, told.callback, None
        )
        assert status == STATUS["OK"]
        assert seen == [told.next().ticket] == [ticket.value]


def test_callbacks_run_on_the_transfer_thread(service, reference, open_client):
    threads = []

    def note(_: pbk.Completion) -> None:
        number = threading.get_native_id()
        threads.append((number, Path(f"/proc/self/task/{number}/comm").read_text().strip()))

    told = ByCallback(note)
    client = open_client(service.config)
    for _ in range(20):
        told.submit(client, pbk.SEARCH, search_request(reference.bot()))
    for _ in range(20):
        told.next()
    ((number, name),) = set(threads)
    assert number != threading.get_native_id()
    assert name == "pbk-transfer"


def test_completion_may_be_freed_on_another_thread_and_after_the_close(open_client):
    kept = []
    arrived = threading.Event()

    def keep(context: int | None, completion: int) -> None:
        kept.append(completion)
        arrived.set()

    callback = pbk.Callback(keep)
    with pbk.Client(SANDBOX) as client:
        blocking = client.search(search_request())
        accepted(client.submit(pbk.SEARCH, search_request(), callback))
        assert arrived.wait(SOON)
    assert check(pbk.take_completion(kept[0])).result == blocking


def test_null_completion():
    library = pbk.library
    assert library.pbk_completion_event(None) == 0
    assert library.pbk_completion_ticket(None) == 0
    assert library.pbk_completion_status(None) == STATUS["INVALID_ARGUMENT"]
    assert library.pbk_completion_outcome(None) == OUTCOME["NONE"]
    assert library.pbk_completion_reply_length(None) == 0
    for name in ("context", "reply", "tag", "timing"):
        assert getattr(library, f"pbk_completion_{name}")(None) is None
    library.pbk_completion_free(None)


# What is refused

REFUSED = {
    "NULL": (None, "INVALID_ARGUMENT", None),
    "too long": (b" " * 262_145, "INVALID_ARGUMENT", None),
    "no JSON": ("{", "INVALID_JSON", None),
    "not UTF-8": (b'{"tag":"\xff"}', "INVALID_JSON", None),
    "no object": ("[]", "INVALID_FIELD", None),
    "no bot": ({"idempotency_key": "k", "query": {}, "booking": {}}, "INVALID_FIELD", "bot_id"),
    "wrong tag": ({"tag": 7}, "INVALID_FIELD", "tag"),
    "wrong slow_after_ms": (booking_request(slow_after_ms=0), "INVALID_FIELD", "slow_after_ms"),
}


def refused(submission: pbk.Submission, expected: str) -> dict:
    """The error of a call that must have been refused."""
    assert submission.ticket == 0, submission
    assert submission.error is not None, submission
    return failure(pbk.Result(submission.status, submission.error), expected)


@operations
@pytest.mark.parametrize(("request_json", "code", "field"), REFUSED.values(), ids=REFUSED)
def test_refused_request(way, operation, request_of, request_json, code, field):
    """There is no completion, neither at once nor later: after the close none can come any more."""
    callback = getattr(way, "callback", None)
    with pbk.Client(SANDBOX) as client:
        error = refused(client.submit(operation, request_json, callback), code)
        ticket = way.submit(client, operation, request_of())
        client.close()
        assert [completion.ticket for completion in way.rest(client)] == [ticket]
    assert error["field"] == field
    assert error["attempts"] == 0
    assert error.get("outcome") == ("not_sent" if operation == pbk.BOOK else None)


@pytest.mark.parametrize("operation", [0, 5, -1, 1 << 30])
def test_unknown_operation(operation):
    told = ByCallback()
    with pbk.Client(SANDBOX) as client:
        error = refused(client.submit(operation, search_request(), told.callback), "INVALID_ARGUMENT")
    assert "outcome" not in error
    assert told.rest() == []


@operations
@pytest.mark.parametrize("handle", GARBAGE.values(), ids=GARBAGE)
def test_garbage_handle(operation, request_of, handle):
    """It is told before anything else that may be wrong."""
    told = ByCallback()
    for wrong, request in [(operation, request_of()), (operation, None), (9, "{")]:
        refused(pbk.submit(handle, wrong, request, told.callback), "INVALID_CLIENT")
    assert pbk.library.pbk_cancel(handle, 1) == STATUS["INVALID_CLIENT"]
    assert pbk.library.pbk_prewarm(handle) == STATUS["INVALID_CLIENT"]
    assert pbk.library.pbk_client_fd(handle) == -1
    assert pbk.next_completion(handle, MINUTE) == (STATUS["INVALID_CLIENT"], None)
    assert told.rest() == []


@operations
def test_closed_handle(operation, request_of):
    told = ByCallback()
    client = pbk.Client(SANDBOX)
    ticket = told.submit(client, operation, request_of())
    assert client.close() == STATUS["OK"]
    error = refused(client.submit(operation, request_of(), told.callback), "CLIENT_CLOSED")
    assert error.get("outcome") == ("unknown" if operation == pbk.BOOK else None), "it may have booked under the key"
    assert client.cancel(ticket) == STATUS["CLIENT_CLOSED"]
    assert client.prewarm() == STATUS["CLIENT_CLOSED"]
    assert client.fd() == -1
    assert client.next_completion(MINUTE) == (STATUS["CLIENT_CLOSED"], None)
    assert [completion.ticket for completion in told.rest()] == [ticket]


@pytest.mark.parametrize("has_ticket", [True, False], ids=["ticket", "no ticket"])
@pytest.mark.parametrize("has_error", [True, False], ids=["error", "no error"])
def test_pointers_may_be_null(open_client, has_ticket, has_error):
    client = open_client(SANDBOX)
    told = ByCallback()
    ticket, error = ctypes.c_uint64(0xDEAD), ctypes.c_void_p(0xDEAD)

    def submit(request: pbk.Text) -> int:
        return pbk.library.pbk_submit(
            client.handle,
            pbk.SEARCH,
            pbk.encode(request),
            ctypes.byref(ticket) if has_ticket else None,
            ctypes.byref(error) if has_error else None,
            told.callback,
            None,
        )

    assert submit(None) == STATUS["INVALID_ARGUMENT"]
    assert ticket.value == (0 if has_ticket else 0xDEAD)
    if has_error:
        assert error_object(pbk.take(error.value))["code"] == "invalid_argument"
    assert submit(search_request()) == STATUS["OK"]
    assert told.next().ticket == (ticket.value if has_ticket else 1)
    assert error.value == (None if has_error else 0xDEAD)
