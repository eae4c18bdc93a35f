"""The C ABI itself: wrong pointers, wrong handles and wrong text give errors, and closing keeps its promises."""

from __future__ import annotations

import ctypes
import json
import os
import threading
import time
from pathlib import Path

import pbk
import pytest
from contract import BOOKING_MEMBERS, failure, success
from fault_server import close_at_once, stall
from garbage import BROKEN_UTF8, GARBAGE
from header import STATUS, VERSION
from samples import SANDBOX, booking_request, lookup_request, search_request
from services import config_for
from waiting import MINUTE, SOON

OPERATIONS = {
    "search": (pbk.search, search_request),
    "book": (pbk.book, booking_request),
    "lookup": (pbk.lookup, lookup_request),
}

operations = pytest.mark.parametrize(("call", "request_of"), OPERATIONS.values(), ids=OPERATIONS)


# Version and words


def test_version_is_the_headers():
    assert pbk.library.pbk_version().decode() == VERSION


def test_every_status_has_words_of_its_own():
    words = {name: pbk.library.pbk_status_text(value).decode() for name, value in STATUS.items()}
    assert all(words.values())
    assert len(set(words.values())) == len(STATUS), words


@pytest.mark.parametrize("value", [-1, 19, 47, 65, 99, 1 << 30, (1 << 31) - 1, -(1 << 31)])
def test_unknown_status_has_words(value: int):
    known = {pbk.library.pbk_status_text(known) for known in STATUS.values()}
    words = pbk.library.pbk_status_text(value)
    assert words
    assert words not in known


# Handles


@operations
@pytest.mark.parametrize("handle", GARBAGE.values(), ids=GARBAGE)
def test_call_on_garbage_handle(call, request_of, handle):
    error = failure(call(handle, request_of()), "INVALID_CLIENT")
    assert error["attempts"] == 0
    assert (error.get("outcome") == "not_sent") is (call is pbk.book)


@pytest.mark.parametrize("handle", GARBAGE.values(), ids=GARBAGE)
def test_close_garbage_handle(handle):
    assert pbk.library.pbk_client_close(handle, 0) == STATUS["INVALID_CLIENT"]


@operations
def test_call_on_closed_handle(call, request_of):
    handle = pbk.open_handle(SANDBOX)
    assert pbk.library.pbk_client_close(handle, 1000) == STATUS["OK"]
    error = failure(call(handle, request_of()), "CLIENT_CLOSED")
    assert error["attempts"] == 0
    assert error.get("outcome") == ("unknown" if call is pbk.book else None), "the client may have booked under the key"


def test_handle_beside_a_live_one_is_garbage(open_client):
    client = open_client(SANDBOX)
    for offset in (-8, -1, 1, 8, 1 << 32):
        result = pbk.search(client.handle + offset, search_request())
        assert result.status in (STATUS["INVALID_CLIENT"], STATUS["CLIENT_CLOSED"])
    success(client.search(search_request()))


def test_handles_are_never_used_again():
    seen = set()
    for _ in range(200):
        handle = pbk.open_handle(SANDBOX)
        pbk.library.pbk_client_close(handle, 0)
        seen.add(handle)
    assert len(seen) == 200


def test_opening_and_closing_leaks_neither_threads_nor_descriptors():
    def held() -> tuple[int, int]:
        return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))

    with pbk.Client(SANDBOX) as warm_up:
        success(warm_up.search(search_request()))
    before = held()
    for _ in range(50):
        with pbk.Client(SANDBOX) as client:
            success(client.search(search_request()))
    deadline = time.monotonic() + SOON
    while any(now > then for now, then in zip(held(), before)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert all(now <= then for now, then in zip(held(), before)), (before, held())


# Pointers


@operations
def test_null_request(open_client, call, request_of):
    failure(call(open_client(SANDBOX).handle, None), "INVALID_ARGUMENT")


@pytest.mark.parametrize(
    "function", [pbk.library.pbk_search_availability, pbk.library.pbk_create_booking], ids=["search", "book"]
)
@pytest.mark.parametrize("request_json", [None, b"{}", b"\xff"])
def test_status_may_be_null(open_client, function, request_json):
    for handle in (open_client(SANDBOX).handle, None):
        assert b'"error"' in pbk.take(function(handle, request_json, None))


def test_null_config():
    with pytest.raises(pbk.OpenError) as raised:
        pbk.open_handle(None)
    assert json.loads(raised.value.reply)["error"]["code"] == "invalid_argument"


@pytest.mark.parametrize("config", [None, b"", b"{", b'{"endpoint":"nowhere"}', b"\xff"])
def test_error_pointer_may_be_null(config):
    assert pbk.library.pbk_client_open(config, None, None) is None


def test_open_clears_the_error_pointer():
    error = ctypes.c_void_p(0xDEAD)
    handle = pbk.library.pbk_client_open(pbk.encode(SANDBOX), ctypes.byref(error), None)
    assert error.value is None
    assert pbk.library.pbk_client_close(handle, 0) == STATUS["OK"]


def test_freeing_null_does_nothing():
    pbk.library.pbk_string_free(None)


# Text


@operations
@pytest.mark.parametrize("broken", BROKEN_UTF8.values(), ids=BROKEN_UTF8)
def test_request_that_is_not_utf8(open_client, call, request_of, broken):
    request = pbk.encode(request_of(note="here: @")).replace(b"@", broken)
    error = failure(call(open_client(SANDBOX).handle, request), "INVALID_JSON")
    start = request.index(broken)
    assert start <= error["offset"] <= start + len(broken)


@pytest.mark.parametrize("broken", BROKEN_UTF8.values(), ids=BROKEN_UTF8)
def test_config_that_is_not_utf8(broken):
    with pytest.raises(pbk.OpenError) as raised:
        pbk.open_handle(b'{"endpoint":"' + broken + b'"}')
    error = json.loads(raised.value.reply)["error"]
    assert error["code"] == "invalid_json"
    assert 13 <= error["offset"] <= 13 + len(broken)


@operations
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_endless_nesting_is_no_stack_overflow(open_client, call, request_of, opening):
    depth = 250_000 // len(opening)
    failure(call(open_client(SANDBOX).handle, opening * depth), "INVALID_JSON")


@operations
def test_longest_request(open_client, call, request_of):
    client = open_client(SANDBOX)
    room = 262_144 - len(pbk.encode(request_of(padding="")))
    success(call(client.handle, request_of(padding="x" * room)))
    failure(call(client.handle, request_of(padding="x" * (room + 1))), "INVALID_ARGUMENT")


# Closing


def test_close_twice():
    handle = pbk.open_handle(SANDBOX)
    assert pbk.library.pbk_client_close(handle, 1000) == STATUS["OK"]
    assert pbk.library.pbk_client_close(handle, 1000) == STATUS["CLIENT_CLOSED"]


@pytest.mark.parametrize("timeout_ms", [-1, -(1 << 31), 600_001, (1 << 31) - 1])
def test_close_takes_any_timeout(timeout_ms):
    assert pbk.library.pbk_client_close(pbk.open_handle(SANDBOX), timeout_ms) == STATUS["OK"]


def test_close_ends_calls_under_way(open_client, start_faults, threads):
    """Each call comes back, and its outcome is true: the server has every one of these bookings in hand."""
    server = start_faults(stall())
    client = open_client(config_for(server))
    bookings = [threads.submit(client.book, booking_request()) for _ in range(4)]
    searches = [threads.submit(client.search, search_request()) for _ in range(4)]
    assert server.wait_for_requests(8)
    started = time.monotonic()
    assert client.close(200) == STATUS["TIMEOUT"]
    ended = [failure(call.result(SOON), "CLIENT_CLOSED") for call in bookings + searches]
    assert time.monotonic() - started < SOON
    assert [error.get("outcome") for error in ended] == ["unknown"] * 4 + [None] * 4
    assert all(set(error) >= BOOKING_MEMBERS for error in ended[:4])


def test_close_before_anything_was_sent(open_client, start_faults, threads, certificates):
    """The server never answers the TLS handshake, so the booking cannot have left."""
    server = start_faults(lambda peer: peer.pause(SOON))
    config = {**config_for(server), "base_url": server.url.replace("http:", "https:")}
    client = open_client({**config, "tls": {"ca_file": str(certificates.ca_file)}})
    booking = threads.submit(client.book, booking_request())
    assert server.wait_for_connections(1)
    assert client.close(0) == STATUS["TIMEOUT"]
    assert failure(booking.result(SOON), "CLIENT_CLOSED")["outcome"] == "not_sent"


def test_close_between_two_attempts(open_client, start_faults, threads):
    """A call that waits out its back-off is under way like any other."""
    server = start_faults(close_at_once())
    delays = {"max_attempts": 10, "base_delay_ms": MINUTE, "max_delay_ms": MINUTE}
    client = open_client({**config_for(server), "retry": delays, "timeout_ms": 600_000})
    search = threads.submit(client.search, search_request())
    assert server.wait_for_connections(1)
    started = time.monotonic()
    client.close(100)
    failure(search.result(SOON), "CLIENT_CLOSED")
    assert time.monotonic() - started < SOON


def test_close_lets_calls_finish(reference, http1, open_client, threads):
    bot = reference.bot({"delay_ms": 300})
    client = open_client(http1.config)
    calls = [threads.submit(client.search, search_request(bot)) for _ in range(4)]
    assert reference.wait_for_requests(bot, 4)
    assert client.close(MINUTE) == STATUS["OK"]
    for call in calls:
        success(call.result(SOON))


def test_close_refuses_new_calls_while_it_waits(open_client, start_faults, threads):
    server = start_faults(stall())
    client = open_client(config_for(server))
    booking = threads.submit(client.book, booking_request())
    assert server.wait_for_requests(1)
    closing = threads.submit(client.close, 1000)
    # Until the other thread has come to close, these run into their own short time limit.
    while (refused := client.search(search_request(timeout_ms=50))).status == STATUS["TIMEOUT"]:
        pass
    failure(refused, "CLIENT_CLOSED")
    assert client.close(MINUTE) == STATUS["CLIENT_CLOSED"]
    assert not booking.done()
    assert closing.result(SOON) == STATUS["TIMEOUT"]
    assert failure(booking.result(SOON), "CLIENT_CLOSED")["outcome"] == "unknown"


def test_close_from_many_threads(threads):
    """One of them closes it; calls from other threads end in a reply or in client_closed, nothing else."""
    for _ in range(20):
        handle = pbk.open_handle(SANDBOX)
        start = threading.Barrier(8)

        def close(handle=handle, start=start):
            start.wait()
            return pbk.library.pbk_client_close(handle, 1000)

        def call(handle=handle, start=start):
            start.wait()
            return pbk.search(handle, search_request()).status

        closes = [threads.submit(close) for _ in range(4)]
        calls = [threads.submit(call) for _ in range(4)]
        assert sorted(done.result() for done in closes) == [STATUS["OK"]] + [STATUS["CLIENT_CLOSED"]] * 3
        assert {done.result() for done in calls} <= {STATUS["OK"], STATUS["CLIENT_CLOSED"]}


# The process around it


def test_host_process_is_left_as_it_was(run_python):
    """Signal handlers, locale, environment and working directory belong to the host."""
    run_python("""
import ctypes, os, pathlib, threading, samples

def state():
    status = pathlib.Path("/proc/self/status").read_text().splitlines()
    entries = ctypes.POINTER(ctypes.c_char_p).in_dll(libc, "environ")
    environment = []
    while entries[len(environment)] is not None:
        environment.append(entries[len(environment)])
    return {
        "signals": [line for line in status if line.startswith(("SigBlk", "SigIgn", "SigCgt"))],
        "locale": libc.setlocale(6, None),
        "environment": environment,
        "working directory": os.getcwd(),
    }

libc = ctypes.CDLL(None)
libc.setlocale.restype = ctypes.c_char_p
# With its first thread glibc takes a signal for itself.
thread = threading.Thread(target=print)
thread.start()
thread.join()
before = state()
import pbk
with pbk.Client(samples.SANDBOX) as client:
    assert client.search(samples.search_request()).status == 0
    assert client.book(samples.booking_request()).status == 0
    during = state()
after = state()
changed = [name for name in before if not before[name] == during[name] == after[name]]
assert not changed, changed
""")


def test_signals_of_the_host_stay_off_the_librarys_threads(open_client):
    """A host's handler must run on a thread that the host knows."""

    def threads() -> set[str]:
        return set(os.listdir("/proc/self/task"))

    before = threads()
    success(open_client(SANDBOX).search(search_request()))
    added = threads() - before
    assert added
    for thread in added:
        status = Path(f"/proc/self/task/{thread}/status").read_text()
        blocked = int(status.split("SigBlk:", 1)[1].split()[0], 16)
        for number in (1, 2, 10, 12, 13, 14, 15):  # HUP, INT, USR1, USR2, PIPE, ALRM, TERM
            assert blocked >> (number - 1) & 1, f"signal {number} is open"


def test_child_after_fork_may_open_its_own_client(run_python):
    run_python("""
import os, signal, pbk, samples
with pbk.Client(samples.SANDBOX) as parents:
    assert parents.search(samples.search_request()).status == 0
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        with pbk.Client(samples.SANDBOX) as own:
            status = own.search(samples.search_request()).status
        os._exit(status)
    _, how = os.waitpid(child, 0)
    assert how == 0, how
    assert parents.search(samples.search_request()).status == 0
""")


def test_library_survives_dlclose(run_python):
    """Its threads may still run, so it stays in memory when nobody holds it any more."""
    run_python("""
import _ctypes, ctypes, pbk, samples
with pbk.Client(samples.SANDBOX) as client:
    _ctypes.dlclose(pbk.library._handle)
    assert client.search(samples.search_request()).status == 0
    with open("/proc/self/maps") as maps:
        assert "libpartnerbooking" in maps.read()
""")
