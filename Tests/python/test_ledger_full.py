"""Thousands of bookings in doubt at one service: none is forgotten, and none takes the room of another service."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pbk
import pytest
from completions import ByQueue, check
from contract import failure, in_doubt, success
from flood import (
    BOOKINGS,
    FAILED,
    HALF,
    Platform,
    config,
    flood,
    full,
    judge,
    listed,
    listed_but_booked,
    refuses_one_more,
    requests,
)
from header import STATUS
from held import submitted
from ledger import BOOKED, changed, give_up, resume, reused, states
from samples import booking_request, new_key, search_request
from waiting import wait_until


@dataclass
class Filled:
    """What a flood has left: a journal that is full for its first platform. Tests work on copies of it."""

    failing: Platform
    healthy: Platform
    journal: Path
    ended: dict[str, pbk.Result]
    listed: set[str]
    """While the client was open."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    journal = tmp_path_factory.mktemp("full") / "journal"
    with ExitStack() as stack:
        failing, healthy = (stack.enter_context(Platform(answer)) for answer in (FAILED, BOOKED))
        with pbk.Client(config(failing, healthy, journal_path=str(journal))) as client:
            ended = flood(client, requests(BOOKINGS))
            found = listed(client)
        yield Filled(failing, healthy, journal, ended, found)


@pytest.fixture
def reopen(filled, open_client, tmp_path) -> Callable[..., pbk.Client]:
    def reopen(*, books: Iterable[str] = (), **members: Any) -> pbk.Client:
        copy = tmp_path / "journal"
        if not copy.exists():
            shutil.copy(filled.journal, copy)
        filled.failing.books = set(books)
        return open_client(config(filled.failing, filled.healthy, journal_path=str(copy)), **members)

    return reopen


# None is forgotten


def test_service_fills_half_the_ledger_and_no_more(filled):
    doubtful, refused = judge(filled.ended, HALF)
    assert len(filled.ended) == BOOKINGS
    assert doubtful <= set(filled.failing.requests) and not refused & set(filled.failing.requests)
    assert filled.listed == doubtful


def test_restart_forgets_nothing(filled, reopen):
    """And the service is still full, also when it is opened a third time."""
    for _ in range(2):
        client = reopen()
        assert listed(client) == filled.listed
        refuses_one_more(client)
        client.close()


def test_other_services_go_on(filled, reopen):
    """Also beyond the whole ledger's capacity. What goes is settled and heard, the oldest first."""
    client = reopen()
    success(client.search(search_request("bot_0")))
    unheard = [submitted(client, booking_request("bot_1", f"unheard-{number}"), "OK") for number in range(3)]
    assert {each.status for each in flood(client, requests(HALF + 200, "bot_1", "h")).values()} == {STATUS["OK"]}
    assert states(client) == dict.fromkeys(filled.listed, "in_doubt") | {
        each.completion.key: "booked" for each in unheard
    }
    refuses_one_more(client)
    success(client.book(booking_request("bot_1")))
    for key in (unheard[0].completion.key, f"h-{HALF + 199}"):
        success(client.book(booking_request("bot_1", key)))
        assert filled.healthy.requests[key] == 1, key
    for each in unheard:
        each.free()


# What is known is not refused


def test_known_keys_are_not_refused(filled, reopen):
    client = reopen()
    key, other, *_ = sorted(filled.listed)
    before = filled.failing.requests[key]
    in_doubt(client.book(booking_request("bot_0", key)), 504, "http_error")
    in_doubt(client.book(resume(key)), 504, "http_error")
    assert filled.failing.requests[key] == before + 2
    reused(client.book(changed(booking_request("bot_0", other), "booking.duration_minutes", 45)), other, "in_doubt")
    assert listed(client) == filled.listed
    refuses_one_more(client)


def test_refused_key_is_free(filled, reopen):
    client = reopen()
    key = new_key()
    full(client.book(booking_request("bot_0", key)), key)
    failure(client.book(resume(key)), "NOT_RECORDED")
    assert success(client.book(booking_request("bot_1", key)))
    assert filled.failing.requests[key] == 0


# What makes room


def test_one_that_is_given_up_makes_room_for_one(filled, reopen):
    client = reopen()
    key = min(filled.listed)
    (given_up,) = success(client.book(give_up(key)))["given_up"]
    assert given_up["idempotency_key"] == key
    new = new_key()
    in_doubt(client.book(booking_request("bot_0", new)), 504, "http_error")
    refuses_one_more(client)
    assert listed(client) == filled.listed - {key} | {new}
    client.close()
    client = reopen()
    assert listed(client) == filled.listed - {key} | {new}
    refuses_one_more(client)


def test_all_may_be_given_up_at_once(filled, reopen):
    client = reopen()
    wanted = {"give_up": True, "bot_id": "bot_0", "start_before": "2030-01-14T10:00:01Z"}
    reply = success(client.book(wanted))
    assert {each["idempotency_key"] for each in reply["given_up"]} == filled.listed and reply["kept"] == []
    assert listed(client) == set()
    judge(flood(client, requests(20, prefix="new")), room=20)
    client.close()
    assert listed(reopen()) == {f"new-{number}" for number in range(20)}


def test_settled_ones_make_room(filled, reopen):
    client = reopen()
    settling = sorted(filled.listed)[:10]
    filled.failing.books |= set(settling)
    for key in settling:
        success(client.book(resume(key)))
    doubtful, _ = judge(flood(client, requests(30, prefix="room")), room=10)
    assert listed_but_booked(client) == filled.listed - set(settling) | doubtful


def test_opening_that_settles_many_makes_room(filled, reopen):
    """As many as it resumes. Their ends are listed until they are heard, and take no room."""
    client = reopen(books=filled.listed, resume_on_open=True)
    wait_until(lambda: "booked" in states(client).values() and "in_flight" not in states(client).values())
    found = states(client)
    assert set(found) == filled.listed and set(found.values()) <= {"in_doubt", "booked"}
    settled = [key for key, state in found.items() if state == "booked"]
    judge(flood(client, requests(len(settled) + 20, prefix="after")), room=len(settled))


def test_room_is_not_given_twice(filled, reopen, threads):
    """Sixteen threads want five places."""
    client = reopen()
    for key in sorted(filled.listed)[:5]:
        success(client.book(give_up(key)))
    wanted = requests(64, prefix="race")
    ended = dict(zip([each["idempotency_key"] for each in wanted], threads.map(client.book, wanted)))
    judge(ended, room=5)


def test_bookings_in_flight_take_room_too(filled, open_client, tmp_path):
    """And their twins do not."""
    shutil.copy(filled.journal, tmp_path / "journal")
    with Platform(None) as hanging:
        client = open_client(config(hanging, journal_path=str(tmp_path / "journal")))
        for key in sorted(filled.listed)[:3]:
            success(client.book(give_up(key)))
        queue = ByQueue()
        wanted = requests(3, prefix="flight")
        tickets = [queue.submit(client, pbk.BOOK, each) for each in wanted * 2]
        refuses_one_more(client)
        wait_until(lambda: len(hanging.requests) == 3)
        refuses_one_more(client)
        assert client.close(0) == STATUS["TIMEOUT"]
        completions = [check(each) for each in iter(lambda: client.next_completion()[1], None)]
        assert sorted(each.ticket for each in completions) == sorted(tickets)
        assert {json.loads(each.reply)["error"]["outcome"] for each in completions} == {"unknown"}
        assert set(hanging.requests.values()) == {1}
