"""The zoo of platforms: each behaviour does what its name says. Driven without the library, by
plain sockets."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import callers
import pytest
from callers import KEYS, PATIENCE, SLOT, Caller, active, at_once, body_of, in_seconds, settled
from reference_webhook import signature_of
from run_zoo import ZooServer
from zoo_answers import BEHAVIOURS, REFUSALS
from zoo_http import SECRET

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


def test_it_writes_each_booking_down(zoo: ZooServer, call: Callable[..., Caller], tmp_path: Path) -> None:
    books = tmp_path / "books"
    caller = call({"is": "keys_first"}, {"is": "writes", "path": str(books)})
    assert [caller.book("a").status, caller.book("a").status, caller.book("b").status] == [201, 200, 409]
    assert [json.loads(line)["key"] for line in books.read_text().splitlines()] == ["a"]


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
    beside = Path(__file__).with_name("test_zoo_calendar.py")
    text = "".join(Path(file).read_text() for file in (__file__, callers.__file__, beside))
    assert [name for name in BEHAVIOURS if f'"{name}"' not in text] == []
