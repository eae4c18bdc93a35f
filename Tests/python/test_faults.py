"""Broken connections, at every byte. The one promise that counts: `outcome` is never better than the truth.

A booking is `not_sent` only when the server got nothing of it, `rejected` only when the server said so, and made only
when its reply came whole.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import pbk
import pytest
from contract import failure, in_doubt, success
from fault_server import (
    FaultServer,
    answer,
    answer_early,
    answer_once,
    answer_then_swallow,
    chunked_reply,
    close_at_once,
    cut_request,
    drip,
    http_reply,
    reset_at_once,
    stall,
    swallow_request,
    unbounded_reply,
)
from header import STATUS
from reference_names import API_KEY
from samples import (
    BOOKING_REPLY,
    CALLS_ONLY,
    IN_PROGRESS_REPLY,
    READS_ONLY,
    SEARCH_REPLY,
    TAKEN_REPLY,
    UNLIMITED,
    UNSPARED,
    booking_request,
    new_key,
    search_request,
)

BOOKED = http_reply(201, BOOKING_REPLY)
TAKEN = http_reply(409, TAKEN_REPLY)
IN_PROGRESS = http_reply(409, IN_PROGRESS_REPLY)

resets = pytest.mark.parametrize("reset", [False, True], ids=["close", "reset"])


def config_for(server: FaultServer, **retry: Any) -> dict[str, Any]:
    retry = {"max_attempts": 1, "base_delay_ms": 1, "max_delay_ms": 1, **UNLIMITED, **retry}
    return {"api_key": API_KEY, "base_url": server.url, "retry": retry, **UNSPARED, **CALLS_ONLY}


def impatient(server: FaultServer, **retry: Any) -> dict[str, Any]:
    """A client whose calls end as soon as they are in doubt: to ask again it would pause for a second or longer."""
    return {**config_for(server, **retry), "timeout_ms": 1000, **READS_ONLY}


def outcome_of(result: pbk.Result) -> str:
    """`made`, or the outcome of the error."""
    if result.status == STATUS["OK"]:
        assert result.reply == BOOKING_REPLY
        return "made"
    names = {value: name for name, value in STATUS.items()}
    return failure(result, names[result.status])["outcome"]


def request_length(server: FaultServer) -> int:
    """How long a booking is on the wire, headers and all."""
    server.play(answer(BOOKED))
    with pbk.Client(config_for(server)) as client:
        success(client.book(booking_request()))
    return server.bytes_received


# One attempt, cut


@resets
def test_request_cut_at_every_byte(open_client, start_faults, reset):
    server = start_faults(answer(BOOKED))
    client = open_client(impatient(server))
    for count in range(1, request_length(server) + 1):
        server.play(cut_request(count, reset))
        error = in_doubt(client.book(booking_request()), None, "connection_lost")
        assert error["attempts"] == 1, count
        assert server.bytes_received >= count


@pytest.mark.parametrize("script", [close_at_once(), reset_at_once()], ids=["close", "reset"])
def test_connection_that_ends_at_once(open_client, start_faults, script):
    """Nothing was read. The library may or may not know that; it must not claim a refusal."""
    server = start_faults(script)
    client = open_client(impatient(server))
    for _ in range(50):
        assert outcome_of(client.book(booking_request())) in ("unknown", "not_sent")
    assert server.bytes_received == 0


@resets
def test_request_taken_without_a_word(open_client, start_faults, reset):
    server = start_faults(swallow_request(reset))
    in_doubt(open_client(impatient(server)).book(booking_request(key="k")), None, "connection_lost")
    assert server.keys() == ["k"]


@resets
@pytest.mark.parametrize(
    ("reply", "whole"),
    [
        (BOOKED, "made"),
        (unbounded_reply(201, BOOKING_REPLY), "made"),
        (TAKEN, "rejected"),
        (IN_PROGRESS, "made"),
    ],
    ids=["booked", "booked, of no stated length", "taken", "in progress"],
)
def test_reply_cut_at_every_byte(open_client, start_faults, reply, whole, reset):
    """Whole, "in progress" is waited for: the one call asks again, under its key, until the booking is there."""
    server = start_faults(answer(reply))
    client = open_client(impatient(server))
    for count in range(len(reply)):
        server.play(answer_once(reply[:count], reset))
        error = failure(client.book(booking_request()), "IN_DOUBT")
        # To libcurl a reply may end behind any line of its head.
        codes = {"connection_lost", "invalid_reply"} | ({"http_error"} if b"409" in reply[:count] else set())
        assert error["doubt"]["answer"]["code"] in codes, (count, reply[:count])
        assert server.connections == 1
    server.play(answer_once(reply), answer_once(BOOKED))
    assert outcome_of(client.book(booking_request(key="k", timeout_ms=30_000))) == whole
    assert server.keys() == (["k", "k"] if reply == IN_PROGRESS else ["k"])


@resets
def test_chunked_reply_cut_at_every_byte(open_client, start_faults, reset):
    """Once its JSON is whole, the missing end of the transfer may be forgiven."""
    reply = chunked_reply(201, BOOKING_REPLY[:10], BOOKING_REPLY[10:])
    json_is_whole = reply.rindex(b"}") + 1
    server = start_faults(answer(reply))
    client = open_client(impatient(server))
    for count in range(len(reply)):
        server.play(answer_once(reply[:count], reset))
        allowed = {"unknown"} if count < json_is_whole else {"unknown", "made"}
        assert outcome_of(client.book(booking_request())) in allowed, reply[:count]
    server.play(answer_once(reply))
    assert outcome_of(client.book(booking_request())) == "made"


@pytest.mark.parametrize(
    "garbage",
    [b"\x00\xff\x00\xff\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n", BOOKING_REPLY, b"\r\n\r\n\r\n"],
    ids=["bytes", "ssh", "no status", "json alone", "empty lines"],
)
def test_answer_that_is_not_http(open_client, start_faults, garbage):
    server = start_faults(answer_once(garbage))
    error = failure(open_client(impatient(server)).book(booking_request()), "IN_DOUBT")
    assert error["doubt"]["answer"]["code"] in ("invalid_reply", "connection_lost")


def test_lying_content_length(open_client, start_faults):
    """More is announced than comes, and the body is JSON cut in the middle."""
    reply = BOOKED.replace(b"Content-Length: ", b"Content-Length: 9")
    server = start_faults(answer_once(reply[:-2]))
    in_doubt(open_client(impatient(server)).book(booking_request()), None, "connection_lost")


# Stalls


def test_stall(open_client, start_faults):
    server = start_faults(stall())
    client = open_client(config_for(server))
    error = failure(client.book(booking_request(timeout_ms=200)), "TIMEOUT")
    assert (error["outcome"], error["attempts"]) == ("unknown", 1)


def test_drip_is_a_reply_too(open_client, start_faults):
    server = start_faults(drip(BOOKED, 0.001))
    assert outcome_of(open_client(config_for(server)).book(booking_request())) == "made"


def test_drip_past_the_deadline(open_client, start_faults):
    """Bytes that keep coming do not put the deadline off."""
    server = start_faults(drip(BOOKED, 0.05))
    started = time.monotonic()
    error = failure(open_client(config_for(server)).book(booking_request(timeout_ms=400)), "TIMEOUT")
    assert error["outcome"] == "unknown"
    assert time.monotonic() - started < 0.05 * len(BOOKED)


def test_handshake_that_never_ends(open_client, start_faults):
    """No TLS, no request: not even part of it can have been read."""
    server = start_faults(stall())
    config = {**config_for(server), "base_url": server.url.replace("http:", "https:"), "connect_timeout_ms": 200}
    result = open_client(config).book(booking_request(timeout_ms=10_000))
    assert failure(result, "CONNECT_FAILED")["outcome"] == "not_sent"


# An answer before the request was read


@pytest.mark.parametrize(("reply", "outcome"), [(BOOKED, "made"), (TAKEN, "rejected")], ids=["booked", "taken"])
def test_early_answer(open_client, start_faults, reply, outcome):
    server = start_faults(answer_early(reply))
    request = booking_request(padding="x" * 200_000)
    assert outcome_of(open_client(config_for(server)).book(request)) == outcome


def test_early_answer_and_reset(open_client, start_faults):
    """The reset may overtake the answer. Then nobody knows, and nobody may say more."""

    def script(peer):
        peer.read(1000)
        peer.send(TAKEN)
        peer.reset()

    server = start_faults(script)
    client = open_client(impatient(server))
    for _ in range(20):
        assert outcome_of(client.book(booking_request(padding="x" * 200_000))) in ("unknown", "rejected")


# Several attempts


@pytest.mark.parametrize(
    "trouble",
    [
        cut_request(100),
        cut_request(100, reset=True),
        swallow_request(),
        swallow_request(reset=True),
        answer_once(BOOKED[:-5]),
        answer_once(http_reply(503, b"{}")),
    ],
    ids=["request cut", "request reset", "swallowed", "swallowed and reset", "reply cut", "503"],
)
def test_retries_keep_the_key_and_succeed(open_client, start_faults, trouble):
    key = new_key()
    server = start_faults(trouble, trouble, answer(BOOKED))
    client = open_client(config_for(server, max_attempts=3))
    assert outcome_of(client.book(booking_request(key=key))) == "made"
    assert server.connections == 3
    assert set(server.keys()) == {key}


def test_retries_that_all_fail(open_client, start_faults):
    server = start_faults(swallow_request())
    client = open_client(impatient(server, max_attempts=4))
    error = in_doubt(client.book(booking_request(key="k")), None, "connection_lost")
    assert error["attempts"] == 4
    assert server.keys() == ["k"] * 4


def test_attempt_in_doubt_is_not_forgotten(open_client, start_faults):
    """The first attempt was swallowed, the second found nobody: the first may still have booked."""

    def swallow_and_leave(peer):
        peer.read_request()
        server.stop_listening()
        peer.close()

    server = start_faults(swallow_and_leave)
    client = open_client(impatient(server, max_attempts=2))
    error = in_doubt(client.book(booking_request()), None, "connect_failed")
    assert error["attempts"] == 2


# Kept connections


@resets
def test_kept_connection_that_died_is_replaced(open_client, start_faults, reset):
    """Between two calls the server goes away without notice; the next never hears of it, though it may try only once.

    Many times over, because libcurl counts such replacements and gives up when one handle has seen too many.
    """
    leave = threading.Event()

    def answer_and_leave_when_told(peer):
        peer.read_request()
        peer.send(BOOKED)
        leave.wait(10)
        leave.clear()
        peer.reset() if reset else peer.close()

    server = start_faults(answer_and_leave_when_told)
    client = open_client(config_for(server))
    for _ in range(20):
        assert outcome_of(client.book(booking_request())) == "made"
        leave.set()
        assert server.wait_until_idle()
    assert len(server.keys()) == len(set(server.keys())) == 20


def test_kept_connection_that_dies_on_the_next_request(open_client, start_faults):
    """The server read it, so it may have booked. It is sent again under its key, by libcurl or by the library."""
    server = start_faults(answer_then_swallow(BOOKED), answer(BOOKED))
    client = open_client(config_for(server))
    assert outcome_of(client.book(booking_request(key="first"))) == "made"
    assert outcome_of(client.book(booking_request(key="second"))) == "made"
    assert server.keys() == ["first", "second", "second"]


def test_search_over_a_kept_connection_that_died(open_client, start_faults):
    server = start_faults(answer_once(http_reply(200, SEARCH_REPLY)))
    client = open_client(config_for(server))
    for _ in range(5):
        success(client.search(search_request()))
        assert server.wait_until_idle()
