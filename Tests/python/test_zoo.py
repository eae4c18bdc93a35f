"""The zoo of platforms: each behaviour does what its name says. Driven without the library, by plain sockets."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import pytest
from certificates import Certificates
from reference_webhook import signature_of
from run_zoo import ZooServer
from zoo_answers import BEHAVIOURS, REFUSALS
from zoo_http import API_KEY, SECRET

SLOT = "2031-05-05T10:00:00Z"
KEYS = {"is": "keys_first"}
PATIENCE = 10.0


@pytest.fixture(scope="module")
def zoo(certificates: Certificates) -> Iterator[ZooServer]:
    with ZooServer(certificates.good) as server:
        yield server


class Reply(NamedTuple):
    status: int
    content: Any
    seconds: float = 0

    @property
    def code(self) -> str:
        return self.content["error"]["code"]

    @property
    def booking(self) -> dict[str, Any]:
        return self.content["booking"]


def body_of(start_at: str, notes: str) -> dict[str, Any]:
    customer = {"phone": "+14155550137", "name": "Johanna Mustermann"}
    return {"start_at": start_at, "duration_minutes": 30, "customer": customer, "notes": notes}


class Caller:
    """One connection to one platform."""

    def __init__(self, zoo: ZooServer, name: str, way: str = "kept") -> None:
        self.name = name
        self.connection = http.client.HTTPConnection("127.0.0.1", zoo.ports[way], timeout=PATIENCE)

    def send(self, key: str, start_at: str = SLOT) -> None:
        body = json.dumps({"bot_id": self.name, "booking": body_of(start_at, "caller")})
        headers = {"Idempotency-Key": key, "Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
        self.connection.request("POST", "/v1/bookings", body, headers)

    def receive(self) -> Reply:
        response = self.connection.getresponse()
        return Reply(response.status, json.loads(response.read() or b"null"))

    def book(self, key: str, start_at: str = SLOT) -> Reply:
        began = time.monotonic()
        self.send(key, start_at)
        return self.receive()._replace(seconds=time.monotonic() - began)

    def is_dropped(self, key: str, start_at: str = SLOT) -> bool:
        """Whether the connection ends without a byte of a reply."""
        self.send(key, start_at)
        try:
            return self.connection.sock.recv(100) == b""
        except ConnectionResetError:
            return True
        finally:
            self.connection.close()


@pytest.fixture
def call(zoo: ZooServer) -> Iterator[Callable[..., Caller]]:
    """Makes a platform of behaviours, and a connection to it."""
    callers: list[Caller] = []

    def call(*behaviours: dict[str, Any] | Caller, way: str = "kept") -> Caller:
        first = behaviours[0]
        name = first.name if isinstance(first, Caller) else zoo.platform(*behaviours)
        callers.append(Caller(zoo, name, way))
        return callers[-1]

    yield call
    for caller in callers:
        caller.connection.close()


def settled(zoo: ZooServer, caller: Caller) -> dict[str, Any]:
    zoo.wait_until_idle([caller.name])
    books = zoo.books(caller.name)
    assert books["faults"] == []
    return books


def active(zoo: ZooServer, caller: Caller) -> list[str]:
    """The keys of the appointments."""
    return [each["key"] for each in settled(zoo, caller)["appointments"] if each["is_active"]]


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(each) for each in calls]]


def in_seconds(seconds: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


# The order of looking


def test_keys_first_gives_the_original_booking(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS)
    first, again, other = caller.book("a"), caller.book("a"), caller.book("b")
    assert (first.status, again.status, other.status, other.code) == (201, 200, 409, "slot_unavailable")
    assert again.booking == first.booking
    assert active(zoo, caller) == ["a"]


@pytest.mark.parametrize(
    ("in_work", "status", "code"),
    [("wait", 200, None), ("refuse", 409, "idempotency_key_in_progress"), ("look", 409, "slot_unavailable")],
)
def test_a_key_in_work(
    zoo: ZooServer, call: Callable[..., Caller], in_work: str, status: int, code: str | None
) -> None:
    caller = call({**KEYS, "in_work": in_work}, {"is": "works", "ms": 200})
    caller.send("a")
    time.sleep(0.05)
    twin = call(caller).book("a")
    assert (twin.status, code) == (status, twin.code if code else None)
    assert caller.receive().status == 201
    assert caller.book("a").status == 200
    assert active(zoo, caller) == ["a"]


def test_slot_first_refuses_a_key_its_own_slot(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call({"is": "slot_first"})
    assert [caller.book("a").status, caller.book("a").status] == [201, 409]
    assert active(zoo, caller) == ["a"]


def test_time_first_refuses_a_key_whose_start_has_passed(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call({"is": "time_first", "lead_ms": 600_000})
    start_at = in_seconds(602)
    assert [caller.book("a", start_at).status, caller.book("a", start_at).status] == [201, 200]
    time.sleep(2.1)
    refused = caller.book("a", start_at)
    assert (refused.status, refused.code) == (422, "start_in_past")
    assert active(zoo, caller) == ["a"]


def test_without_keys_a_repeat_is_another_wish(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call({"is": "no_keys"})
    assert [caller.book("a").status, caller.book("a").status] == [201, 409]
    overbooked = call({"is": "no_keys"}, {"is": "overbooks"})
    assert [overbooked.book("a").status, overbooked.book("a").status] == [201, 201]
    assert active(zoo, caller) == ["a"] and active(zoo, overbooked) == ["a", "a"]


# Time and locks


def test_it_works_with_the_slot_held(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call({"is": "slot_first"}, {"is": "works", "ms": 2000, "scale": 0.1})
    caller.send("a")
    time.sleep(0.05)
    assert [call(caller).book("b").status, call(caller).book("a").status] == [409, 409]
    assert caller.receive().status == 201
    assert active(zoo, caller) == ["a"]


@pytest.mark.parametrize("way", ["kept", "fresh"])
def test_it_books_when_the_client_has_hung_up(zoo: ZooServer, call: Callable[..., Caller], way: str) -> None:
    caller = call(KEYS, {"is": "works", "ms": 100}, way=way)
    caller.send("a")
    time.sleep(0.03)
    caller.connection.close()
    assert active(zoo, caller) == ["a"]
    (request,) = settled(zoo, caller)["requests"]
    (appointment,) = settled(zoo, caller)["appointments"]
    assert request["answered"] == "gone" and request["arrived"] < request["ended"] < appointment["made"]
    assert request["ended"] < time.monotonic() < request["ended"] + PATIENCE


def test_it_queues_before_it_looks(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS, {"is": "queues", "ms": 150, "first": 1})
    caller.send("a")
    time.sleep(0.05)
    assert call(caller).book("a").status == 201
    assert caller.receive().status == 200
    assert active(zoo, caller) == ["a"]


@pytest.mark.parametrize("status", [409, 500])
def test_twins_meet_their_own_row(zoo: ZooServer, call: Callable[..., Caller], status: int) -> None:
    races = {"is": "races", "statuses": [status]}
    caller = call({**KEYS, "in_work": "look"}, races, {"is": "works", "ms": 100})
    twins = at_once(lambda: caller.book("a").status, lambda: call(caller).book("a").status)
    assert sorted(twins) == [201, status]
    assert caller.book("a").status == 200
    others = at_once(
        lambda: caller.book("b", "2031-05-05T11:00:00Z").status,
        lambda: call(caller).book("c", "2031-05-05T11:00:00Z").status,
    )
    assert sorted(others) == [201, 409]
    assert len(active(zoo, caller)) == 2


def test_it_overbooks(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS, {"is": "overbooks", "capacity": 2})
    assert [caller.book(key).status for key in "abca"] == [201, 201, 409, 200]


# What stands between


def test_a_gateway_gives_up_and_the_platform_books(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS, {"is": "works", "ms": 200}, {"is": "gives_up", "ms": 50, "statuses": [504], "first": 1})
    given_up = caller.book("a")
    assert given_up.status == 504 and given_up.seconds < 0.15
    assert caller.book("a").status == 200
    assert settled(zoo, caller)["requests"][0]["met"] == ["gives_up", "works", "given_up"]


@pytest.mark.parametrize(("when", "booked"), [("after", ["a"]), ("before", [])])
def test_it_fails_after_or_before_it_books(
    zoo: ZooServer, call: Callable[..., Caller], when: str, booked: list[str]
) -> None:
    caller = call(KEYS, {"is": "fails", "when": when, "statuses": [503]})
    assert caller.book("a").status == 503
    assert active(zoo, caller) == booked


@pytest.mark.parametrize("way", ["kept", "fresh"])
@pytest.mark.parametrize(("when", "booked"), [("read", ["a"]), ("done", ["a"]), ("lost", [])])
def test_it_drops_the_connection(
    zoo: ZooServer, call: Callable[..., Caller], when: str, booked: list[str], way: str
) -> None:
    caller = call(KEYS, {"is": "drops", "when": when, "first": 1}, {"is": "works", "ms": 50}, way=way)
    assert caller.is_dropped("a")
    assert active(zoo, caller) == booked
    assert caller.book("a").status == (200 if booked else 201)
    assert [request["answered"] for request in settled(zoo, caller)["requests"]][0] == "dropped"


def test_it_cuts_the_reply(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS, {"is": "cuts"})
    caller.send("a")
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        caller.receive()
    assert active(zoo, caller) == ["a"]


def test_bytes_nobody_asked_for(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    for kind in (409, 400, 201):
        caller = call(KEYS, {"is": "unasked", "ms": 10, "kinds": [kind], "first": 1})
        assert caller.book("a").status == 201
        time.sleep(0.1)
        # The reply lies there, and is taken for that of the next request. No other comes.
        assert caller.book("a").status == kind
        assert caller.connection.sock.recv(100) == b""
        caller.connection.close()
        first, second = settled(zoo, caller)["requests"]
        assert second["answered"] == "unread"
        assert first["unasked_at"] is None and first["ended"] < second["unasked_at"] < second["arrived"]
    fresh = call(KEYS, {"is": "unasked", "ms": 10}, way="fresh")
    assert [fresh.book("a").status, fresh.book("a").status] == [201, 200]


# Answers


def test_it_fetches_its_secret_first(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS, {"is": "unsigned", "requests": 2})
    assert [caller.book("a").status for _ in range(3)] == [401, 401, 201]
    caller = call(KEYS, {"is": "unsigned", "ms": 150})
    early = caller.book("a")
    assert (early.status, early.code) == (401, "invalid_signature")
    time.sleep(0.2)
    assert caller.book("a").status == 201


def test_it_limits_the_rate(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS, {"is": "limits", "ms": 70, "first": 1})
    caller.send("a")
    response = caller.connection.getresponse()
    assert (response.status, response.getheader("Retry-After-Ms")) == (429, "70")
    response.read()
    assert caller.book("a").status == 201


@pytest.mark.parametrize("spelling", REFUSALS)
def test_it_refuses_some_slots(zoo: ZooServer, call: Callable[..., Caller], spelling: str) -> None:
    caller = call(KEYS, {"is": "refuses", "spellings": [spelling]}, {"is": "works", "ms": 50})
    refused, again = caller.book("a"), caller.book("a")
    assert again.content == refused.content and again.seconds < 0.05 < refused.seconds
    assert (refused.status, refused.content) == (REFUSALS[spelling].status, REFUSALS[spelling].content)
    assert active(zoo, caller) == []


def test_it_refuses_a_share_of_its_slots(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS, {"is": "refuses", "share": 0.5})
    starts = [f"2031-05-{day:02d}T10:00:00Z" for day in range(1, 29)]
    first = [caller.book(f"a-{start}", start).status for start in starts]
    again = [caller.book(f"a-{start}", start).status for start in starts]
    assert 5 < sum(status == 201 for status in first) < 23
    assert [status == 201 for status in first] == [status == 200 for status in again]


@pytest.mark.parametrize(
    ("status", "is_booked", "is_none"),
    [
        ("pending", True, False),
        ("accepted", True, False),
        ("declined", True, True),
        ("declined", False, True),
        ("cancelled", True, True),
    ],
)
def test_bookings_with_a_status(
    zoo: ZooServer, call: Callable[..., Caller], status: str, is_booked: bool, is_none: bool
) -> None:
    caller = call(KEYS, {"is": "books_as", "statuses": [status], "is_booked": is_booked, "first": 1})
    first = caller.book("a")
    assert (first.status, first.booking["status"]) == (201, status)
    assert active(zoo, caller) == ([] if is_none else ["a"])
    again = caller.book("a")
    assert (again.status, again.booking["status"]) == ((200, status) if is_booked else (201, "confirmed"))


def test_somebody_cancels(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    caller = call(KEYS, {"is": "cancels_later", "ms": 50})
    assert caller.book("a").booking["status"] == "confirmed"
    assert active(zoo, caller) == []
    assert caller.book("a").booking["status"] == "cancelled"
    (appointment,) = settled(zoo, caller)["appointments"]
    assert appointment["cancelled"] > appointment["made"]


@pytest.mark.parametrize("is_booked", [True, False])
@pytest.mark.parametrize("kind", ["other", "empty", "error"])
def test_replies_about_something_else(
    zoo: ZooServer, call: Callable[..., Caller], kind: str, is_booked: bool
) -> None:
    caller = call(KEYS, {"is": "misreplies", "kinds": [kind], "is_booked": is_booked, "first": 1})
    wrong = caller.book("a")
    assert wrong.status == 201
    if kind == "other":
        assert wrong.booking["start_at"] == "2031-05-06T10:00:00Z"
    else:
        assert ("error" in wrong.booking, len(wrong.booking)) == (kind == "error", int(kind == "error"))
    assert active(zoo, caller) == (["a"] if is_booked else [])
    right = caller.book("a")
    assert (right.status, right.booking["start_at"]) == (200 if is_booked else 201, SLOT)


def test_starts_in_another_spelling(zoo: ZooServer, call: Callable[..., Caller]) -> None:
    assert call(KEYS, {"is": "respells"}).book("a").booking["start_at"] == "2031-05-05T05:00:00-05:00"
    wrong = call(KEYS, {"is": "respells", "is_wrong": True}).book("a")
    assert wrong.booking["start_at"] == "2031-05-05T10:00:00-05:00"


# The whole


def test_chance_comes_from_the_seed(zoo: ZooServer) -> None:
    def play(seed: int) -> list[int]:
        name = zoo.platform(KEYS, {"is": "fails", "share": 0.5, "when": "before"}, seed=seed)
        caller = Caller(zoo, name)
        return [caller.book(f"key-{number}", f"2031-05-05T10:{number:02d}:00Z").status for number in range(20)]

    assert play(1) == play(1) != play(2)
    assert len(set(play(1))) > 1


def test_warming_up_gets_nothing(zoo: ZooServer) -> None:
    for way, is_kept in [("kept", True), ("fresh", False)]:
        caller = Caller(zoo, zoo.platform(KEYS), way)
        caller.connection.request("HEAD", "/")
        response = caller.connection.getresponse()
        assert (response.status, response.read()) == (404, b"")
        assert response.will_close is not is_kept
        assert caller.book("a").status == 201
        caller.connection.close()


def test_a_webhook_is_signed(zoo: ZooServer) -> None:
    name = zoo.platform(KEYS)
    body = json.dumps({"account_id": name, "idempotency_key": "a", "booking": body_of(SLOT, "hook")}).encode()
    for secret, status in [("another", 401), (SECRET, 201), (SECRET, 200)]:
        connection = http.client.HTTPConnection("127.0.0.1", zoo.ports["kept"], timeout=PATIENCE)
        signature = signature_of(secret, int(time.time()), body)
        connection.request("POST", "/webhook/bookings", body, {"X-DialStack-Signature": signature})
        assert connection.getresponse().status == status
        connection.close()
    assert [request["notes"] for request in zoo.books(name)["requests"]] == ["hook", "hook"]


def test_strangers_are_refused(zoo: ZooServer) -> None:
    name = zoo.platform(KEYS)
    body = json.dumps({"bot_id": name, "booking": body_of(SLOT, "")})
    connection = http.client.HTTPConnection("127.0.0.1", zoo.ports["kept"], timeout=PATIENCE)
    connection.request("POST", "/v1/bookings", body, {"Idempotency-Key": "a", "Authorization": "Bearer other"})
    assert connection.getresponse().status == 401
    connection.close()
    unknown = Caller(zoo, f"bot_{uuid.uuid4().hex}")
    assert unknown.book("a").code == "bot_not_found"
    zoo.forget(name)
    assert Caller(zoo, name).book("a").status == 404


def test_every_behaviour_is_tried_here() -> None:
    text = Path(__file__).read_text()
    assert [name for name in BEHAVIOURS if f'"{name}"' not in text] == []


# HTTP/2


class H2Caller:
    def __init__(self, zoo: ZooServer, name: str, certificates: Certificates) -> None:
        context = ssl.create_default_context(cafile=str(certificates.ca_file))
        context.set_alpn_protocols(["h2"])
        port = urlsplit(zoo.urls["h2"]).port
        self.name = name
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()

    def send(self, key: str) -> int:
        body = json.dumps({"bot_id": self.name, "booking": body_of(SLOT, "h2")}).encode()
        stream = self.h2.get_next_available_stream_id()
        headers = [(":method", "POST"), (":path", "/v1/bookings"), (":scheme", "https"), (":authority", "localhost")]
        headers += [("idempotency-key", key), ("authorization", f"Bearer {API_KEY}")]
        self.h2.send_headers(stream, headers)
        self.h2.send_data(stream, body, end_stream=True)
        self.socket.sendall(self.h2.data_to_send())
        return stream

    def receive(self, stream: int) -> tuple[int | None, bytes, str]:
        """The status, the body, and how it ended: `whole`, `reset` or `closed`."""
        status, body = None, b""
        while True:
            try:
                self.socket.sendall(self.h2.data_to_send())
                data = self.socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                return status, body, "closed"
            for event in self.h2.receive_data(data):
                match event:
                    case h2.events.ResponseReceived(stream_id=number) if number == stream:
                        status = int(dict(event.headers)[":status"])
                    case h2.events.DataReceived(stream_id=number) if number == stream:
                        body += event.data
                    case h2.events.StreamReset(stream_id=number) if number == stream:
                        return status, body, "reset"
                    case h2.events.StreamEnded(stream_id=number) if number == stream:
                        return status, body, "whole"


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
def test_broken_off_over_http2(
    zoo: ZooServer, certificates: Certificates, behaviour: str, is_answered: bool
) -> None:
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
