"""What only HTTP/2 can do to a booking: early answers, refused streams, servers that go away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest
from certificates import Certificates
from contract import failure, in_doubt, success
from h2.errors import ErrorCodes
from h2_fault_server import H2FaultServer, Script, Stream
from reference_names import API_KEY
from samples import BOOKING_REPLY, CALLS_ONLY, READS_ONLY, TAKEN_REPLY, booking_request, new_key

IMPATIENT = {"timeout_ms": 1000, **READS_ONLY}
"""In a configuration: to ask again a call would pause for a second or longer, so it ends when it is in doubt."""


def made(stream: Stream) -> None:
    stream.answer(201, BOOKING_REPLY)


@pytest.fixture
def serve(certificates: Certificates, open_client) -> Iterator[Callable[..., Any]]:
    """Starts a server with these scripts; gives it and a client of it that tries `max_attempts` times."""
    with ExitStack() as servers:

        def serve(
            *scripts: Script, max_attempts: int = 1, members: dict[str, Any] | None = None, **options: Any
        ) -> Any:
            server = servers.enter_context(H2FaultServer(certificates.good, *scripts, **options))
            retry = {"max_attempts": max_attempts, "base_delay_ms": 1, "max_delay_ms": 1}
            tls = {"ca_file": str(certificates.ca_file)}
            config = {"api_key": API_KEY, "base_url": server.url, "retry": retry, "tls": tls, **CALLS_ONLY}
            return server, open_client(config, **(members or {}))

        yield serve


@pytest.mark.parametrize("code", [ErrorCodes.NO_ERROR, ErrorCodes.CANCEL, ErrorCodes.INTERNAL_ERROR])
@pytest.mark.parametrize("whole", [True, False], ids=["ended", "not ended"])
def test_answer_before_the_body_was_read_is_an_answer(serve, code, whole):
    """RFC 9113, 8.1: a server may answer in full and then reset the stream. The booking was made: say so."""

    def early(stream: Stream) -> None:
        stream.answer(201, BOOKING_REPLY, whole)
        stream.reset(code)

    _, client = serve(early)
    assert success(client.book(booking_request()))["booking"]["id"] == "bkg_1"


def test_answer_instead_of_reading_the_body_is_an_answer(serve):
    _, client = serve(lambda stream: stream.answer(409, TAKEN_REPLY), takes_bodies=False)
    assert failure(client.book(booking_request()), "SLOT_UNAVAILABLE")["outcome"] == "rejected"


def test_answer_that_overtakes_the_body_is_not_waited_for(serve):
    """After a refused stream libcurl 7.88 misses, about one time in ten, the end of an answer that comes before it has
    sent the body. Without help from our side the call would hang until its deadline, and then not know."""
    refuse = partial(Stream.reset, code=ErrorCodes.REFUSED_STREAM)
    _, client = serve(*[refuse, made] * 40)
    for _ in range(40):
        success(client.book(booking_request(timeout_ms=5000)))


def test_refusal_before_the_body_was_read_is_a_refusal(serve):
    def early(stream: Stream) -> None:
        stream.answer(409, TAKEN_REPLY)
        stream.reset(ErrorCodes.NO_ERROR)

    _, client = serve(early)
    assert failure(client.book(booking_request()), "SLOT_UNAVAILABLE")["outcome"] == "rejected"


def test_half_an_answer_is_none(serve):
    def half(stream: Stream) -> None:
        stream.answer(201, BOOKING_REPLY[:20], whole=False)
        stream.reset(ErrorCodes.INTERNAL_ERROR)

    _, client = serve(half, members=IMPATIENT)
    in_doubt(client.book(booking_request()), None, "connection_lost")


@pytest.mark.parametrize("code", [ErrorCodes.INTERNAL_ERROR, ErrorCodes.CANCEL, ErrorCodes.ENHANCE_YOUR_CALM])
def test_stream_reset_without_an_answer_leaves_the_booking_unknown(serve, code):
    server, client = serve(lambda stream: stream.reset(code), members=IMPATIENT)
    assert in_doubt(client.book(booking_request()), None, "connection_lost")["attempts"] == 1
    assert len(server.keys) == 1


def test_whole_answer_in_hand_at_the_deadline_is_an_answer(serve):
    """The stream goes on after it: white space, so that it never falls silent for the time such a stream is given."""

    def go_on(stream: Stream) -> None:
        stream.answer(201, BOOKING_REPLY, whole=False)
        for _ in range(60):
            time.sleep(0.02)
            stream.more(b" ")

    _, client = serve(go_on)
    success(client.book(booking_request(timeout_ms=600)))


def silent_at_first(stream: Stream) -> None:
    """Only the first request on the first connection is answered."""
    if stream.connection_number > 0 or stream.number == 1:
        made(stream)


def test_connection_that_went_silent_is_not_used_again(serve):
    """A dropped NAT entry, a dead load balancer: nothing tells that it is gone. One call may be lost to it."""
    server, client = serve(silent_at_first)
    success(client.book(booking_request()))
    assert failure(client.book(booking_request(timeout_ms=300)), "TIMEOUT")["outcome"] == "unknown"
    success(client.book(booking_request(timeout_ms=5000)))
    assert server.connections == 2


def test_booking_on_a_connection_that_went_silent_is_asked_for_on_another(serve):
    """After the time that the platform is given. A call that has joined it gets the booking then."""
    server, client = serve(silent_at_first, members={"platform_limit_ms": 1})
    key = new_key()
    success(client.book(booking_request()))
    assert failure(client.book(booking_request(key=key, timeout_ms=300)), "TIMEOUT")["outcome"] == "unknown"
    success(client.book(booking_request(key=key, timeout_ms=10_000)))
    assert server.keys[1:] == [key, key]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(lambda stream: stream.reset(ErrorCodes.REFUSED_STREAM), id="refused stream"),
        pytest.param(lambda stream: stream.reset(ErrorCodes.INTERNAL_ERROR), id="broken stream"),
        pytest.param(Stream.go_away, id="go away"),
        pytest.param(Stream.cut, id="cut"),
    ],
)
def test_next_attempt_has_the_same_key(serve, fault):
    server, client = serve(fault, made, max_attempts=3)
    key = new_key()
    success(client.book(booking_request(key=key)))
    assert server.keys == [key, key]


def test_one_stream_that_breaks_leaves_the_others_alone(serve, threads):
    """Of calls that share a connection only the one whose stream was reset has to be made again."""

    def break_first(stream: Stream) -> None:
        stream.reset(ErrorCodes.INTERNAL_ERROR) if stream.number == 3 else made(stream)

    server, client = serve(made, break_first, max_attempts=3)
    success(client.book(booking_request()))
    keys = [new_key() for _ in range(8)]
    for result in threads.map(lambda key: client.book(booking_request(key=key)), keys):
        success(result)
    assert sorted(server.keys[1:]) == sorted([*keys, server.keys[1]])
