"""The zoo of platforms over HTTP/2. Driven without the library."""

from __future__ import annotations

import json
import time

import pytest
from callers import KEYS, SLOT, H2Caller
from certificates import Certificates
from run_zoo import ZooServer


def test_bookings_over_http2(zoo: ZooServer, certificates: Certificates) -> None:
    caller = H2Caller(zoo, zoo.platform(KEYS, {"is": "works", "ms": 50}), certificates)
    streams = [caller.send(key) for key in ("a", "b")]
    statuses = {caller.receive(stream)[0] for stream in reversed(streams)}
    assert statuses <= {201, 409, None}
    again, body, end = caller.receive(caller.send("a"))
    assert (again, end) == (200, "whole") and json.loads(body)["booking"]["start_at"] == SLOT
    caller.socket.close()
    assert [request["way"] for request in zoo.books(caller.name)["requests"]] == ["h2"] * 3


@pytest.mark.parametrize(("behaviour", "is_answered"), [("drops", False), ("cuts", True)])
def test_broken_off_over_http2(zoo: ZooServer, certificates: Certificates, behaviour: str, is_answered: bool) -> None:
    """Some streams are reset, and some connections are closed."""
    ends = set()
    for number in range(12):
        caller = H2Caller(zoo, zoo.platform(KEYS, {"is": behaviour}), certificates)
        status, _, end = caller.receive(caller.send(f"key-{number}"))
        assert (status is not None) == is_answered or end == "closed"
        ends.add(end)
        caller.socket.close()
        zoo.wait_until_idle([caller.name])
        assert [each["key"] for each in zoo.books(caller.name)["appointments"]] == [f"key-{number}"]
    assert ends == {"reset", "closed"}


def test_a_broken_stream_can_leave_its_connection(zoo: ZooServer, certificates: Certificates) -> None:
    caller = H2Caller(zoo, zoo.platform(KEYS, {"is": "drops", "whole": 0}), certificates)
    assert [caller.receive(caller.send(f"key-{number}"))[2] for number in range(8)] == ["reset"] * 8
    caller.socket.close()


def test_a_stream_that_the_client_resets_is_booked(zoo: ZooServer, certificates: Certificates) -> None:
    caller = H2Caller(zoo, zoo.platform(KEYS, {"is": "works", "ms": 100}), certificates)
    stream = caller.send("a")
    time.sleep(0.03)
    caller.h2.reset_stream(stream)
    caller.socket.sendall(caller.h2.data_to_send())
    time.sleep(0.02)
    zoo.wait_until_idle([caller.name])
    books = zoo.books(caller.name)
    assert [each["key"] for each in books["appointments"]] == ["a"]
    assert books["requests"][0]["answered"] == "gone"
    caller.socket.close()
