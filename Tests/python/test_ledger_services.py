"""Which bookings share the room of a service, and how much there is: thousands in doubt, all of them kept."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pbk
from contract import in_doubt, success
from flood import (
    BOOKINGS,
    COMMON,
    FAILED,
    HALF,
    Platform,
    config,
    flood,
    judge,
    listed,
    listed_but_booked,
    refuses_one_more,
    requests,
)
from header import STATUS
from ledger import AT_ONCE, BOOKED, give_up, resume, states
from reference_names import API_KEY
from samples import NOW, booking_request


def test_more_services_in_trouble_than_there_is_room_for(open_client):
    """Three halves: no doubt is forgotten, and at a fourth service bookings are made and remembered all the same."""
    with ExitStack() as stack:
        platforms = [stack.enter_context(Platform(answer)) for answer in [FAILED] * 3 + [BOOKED]]
        client = open_client(config(*platforms))
        doubtful: set[str] = set()
        for number in range(3):
            bot = f"bot_{number}"
            doubtful |= judge(flood(client, requests(HALF + 20, bot, bot)), room=HALF)[0]
            assert listed(client) == doubtful
        for number in range(10):
            request = booking_request("bot_3", f"k-{number}")
            success(client.book(request))
            success(client.book(request))
            assert platforms[3].requests[f"k-{number}"] == 1
        assert listed_but_booked(client) == doubtful


def test_platform_that_hangs(open_client):
    """Some are still read when their call has ended, and those take room as well. What found no connection in time is
    not sent, and takes none.
    """
    ended: dict[str, pbk.Result] = {}
    with Platform(None) as hanging:
        client = open_client(config(hanging, timeout_ms=200))
        while len(ended) < BOOKINGS or not any(result.status == STATUS["LEDGER_FULL"] for result in ended.values()):
            assert len(ended) < 5 * BOOKINGS
            ended |= flood(client, requests(1_000, prefix=f"hang-{len(ended)}"))
        told = {key: json.loads(result.reply)["error"]["outcome"] for key, result in ended.items()}
        doubtful = {key for key, outcome in told.items() if outcome == "unknown"}
        assert set(told.values()) == {"unknown", "not_sent"}
        assert len(doubtful) == HALF
        assert set(hanging.requests) == doubtful
        assert set(states(client)) == doubtful
        refuses_one_more(client)


def test_more_calls_in_flight_have_more_room(open_client, tmp_path):
    """And what has filled it is kept by a client that has less room. It has none for more."""
    members = {"journal_path": str(tmp_path / "journal")}
    with Platform(FAILED) as failing, Platform(BOOKED) as healthy:
        client = open_client(config(failing, healthy, max_in_flight=10_000, max_connections=128, **members))
        doubtful, _ = judge(flood(client, requests(BOOKINGS)), room=BOOKINGS)
        assert listed(client) == doubtful == set(failing.requests)
        client.close()
        client = open_client(config(failing, healthy, **members))
        assert listed(client) == doubtful
        success(client.book(give_up("k-0")))
        refuses_one_more(client)
        in_doubt(client.book(resume("k-1")), 504, "http_error")
        success(client.book(booking_request("bot_1")))
        assert listed_but_booked(client) == doubtful - {"k-0"}


def test_partner_api_is_one_service(open_client):
    """Whatever bot it is."""
    with Platform(FAILED) as failing:
        client = open_client({"api_key": API_KEY, "base_url": failing.url, **COMMON})
        wanted = [each for pair in zip(requests(2_600, "a", "a"), requests(2_600, "b", "b")) for each in pair]
        doubtful, _ = judge(flood(client, wanted), room=HALF)
        assert listed(client) == doubtful == set(failing.requests)


def test_sandbox_is_one_service(open_client):
    sandbox = {"now": NOW, "faults": [{"fault": "error", "status": 504}]}
    client = open_client({"endpoint": "sandbox", "sandbox": sandbox, **COMMON, **AT_ONCE})
    doubtful, _ = judge(flood(client, requests(HALF + 100)), room=HALF)
    assert listed(client) == doubtful
