"""The name of the phone call travels with a booking's record, and not with its request."""

from __future__ import annotations

from typing import Any

import pbk
import pytest
from contract import failure, in_doubt, success
from fault_server import answer
from header import STATUS
from held import submitted
from ledger import (
    AT_ONCE,
    ENDS,
    FOUND,
    PENDING_MEMBERS,
    answer_by_key,
    changed,
    ends,
    give_up,
    key_of,
    listed,
    pending,
    records,
    resume,
    with_journal,
)
from samples import READS_ONLY, SANDBOX, UNSPARED, booking_request, search_request
from services import config_for

CALL = "dialog 7 / Zürich ☎"

pytestmark = pytest.mark.usefixtures("no_violation")


def conversations(client: pbk.Client) -> dict[str, str | None]:
    return {booking["idempotency_key"]: booking.get("conversation") for booking in listed(client)}


# Whom it is told


@ends
def test_it_is_listed(ending, end):
    """As the request wrote it; and no booking without one has such a member."""
    server, client = ending(end)
    named = submitted(client, booking_request(key="named", conversation=CALL), ENDS[end][1])
    submitted(client, booking_request(key="nameless"), ENDS[end][1])
    first, second = pending(client)
    assert set(first) == PENDING_MEMBERS | {"conversation"} and first["conversation"] == CALL
    assert set(second) == PENDING_MEMBERS
    named.free()
    assert conversations(client) == {"nameless": None}
    assert all(b"conversation" not in request.body for request in server.requests)


def test_it_is_not_sent(reference, service, open_client):
    """Nor does it change anything else of what is sent."""
    bot = reference.bot()
    client = open_client(service.config)
    requests = [booking_request(bot, **members) for members in ({"conversation": CALL}, {})]
    success(client.book(requests[0]))
    success(client.book(changed(requests[1], "booking.start_at", "2030-01-14T11:00:00Z")))
    first, second = (request["body"] for request in reference.requests(bot))
    assert first == second.replace("T11:", "T10:")


def test_it_is_not_sent_to_a_platform(reference, relay, open_client):
    account = reference.account()
    client = open_client(relay.config(account))
    success(client.book(booking_request(conversation=CALL)))
    (sent,) = reference.requests(account)
    assert "conversation" not in sent["body"] and "dialog 7" not in sent["body"]


def test_it_is_nothing_to_a_search(start_faults, open_client):
    """So it travels on, as every member does that the library does not know."""
    server = start_faults(answer(FOUND))
    client = open_client(config_for(server))
    for value in ("call-7", 7, {"name": "call-7"}):
        success(client.search(search_request(conversation=value)))
    assert all(b'"conversation"' in request.body for request in server.requests)


# What it is kept with


@pytest.mark.parametrize("end", ["booked", "refused", "in_doubt"])
def test_it_outlives_the_process(start_faults, open_client, tmp_path, journal, end):
    server = start_faults(answer_by_key)
    config = with_journal(config_for(server), tmp_path, **UNSPARED, **READS_ONLY)
    with pbk.Client(config) as first:
        request = booking_request(key=f"{end}-1", conversation=CALL, **AT_ONCE)
        if end == "in_doubt":
            in_doubt(first.book(request), 503, "http_error")
        else:
            submitted(first, request, ENDS[end][1])
        before = listed(first)
        first.close()
    assert any(record.get("conversation") == CALL for record in records(journal))
    for _ in range(3):
        with pbk.Client(config) as client:
            assert listed(client) == before and before[0]["conversation"] == CALL
            client.close()
    client = open_client(config)
    if end == "in_doubt":
        assert success(client.book(give_up("in_doubt-1")))["given_up"] == before
    assert all(b"conversation" not in sent.body for sent in server.requests)


def test_it_stays_when_the_doubt_is_settled(start_faults, open_client, tmp_path):
    """Also when another process settles it: the one that resumes need not know the call."""
    server = start_faults(answer_by_key)
    config = with_journal(config_for(server), tmp_path, **UNSPARED, **READS_ONLY)
    with pbk.Client(config) as first:
        in_doubt(first.book(booking_request(key="in_doubt-1", conversation=CALL, **AT_ONCE)), 503, "http_error")
    server.play(answer(ENDS["booked"][0]))
    with pbk.Client(config) as second:
        submitted(second, resume("in_doubt-1"), "OK")
        assert conversations(second) == {"in_doubt-1": CALL}
        second.close()
    assert conversations(open_client(config)) == {"in_doubt-1": CALL}
    sent = [request.body for request in server.requests]
    assert len(sent) == 1 and b"conversation" not in sent[0]


def test_it_is_no_part_of_the_wish(ending):
    """Another call that wants the same booking gets it."""
    server, client = ending("booked")
    request = booking_request(key="k", conversation="call-7")
    first = submitted(client, request, "OK")
    for repeat in ({**request, "conversation": "call-8"}, booking_request(key="k")):
        assert client.book(repeat) == first.result
    assert server.keys() == ["k"]
    assert list(conversations(client)) == ["k"]


def test_it_is_no_part_of_the_key():
    request = booking_request()
    del request["idempotency_key"]
    assert key_of({**request, "conversation": "call-7"}) == key_of(request)


# What it may be


@pytest.mark.parametrize("value", ["c", "c" * 256, "ü" * 128, " ", "\u0000", "\n\"\\", "\U0001f4de" * 64], ids=ascii)
def test_name(open_client, tmp_path, value):
    """Any text will do, to the byte, over a restart too."""
    config = with_journal(SANDBOX, tmp_path)
    with pbk.Client(config) as first:
        submitted(first, booking_request(key="k", conversation=value), "OK")
        assert conversations(first) == {"k": value}
        first.close()
    assert conversations(open_client(config)) == {"k": value}


WRONG: list[Any] = [7, True, ["call-7"], {"name": "call-7"}, "c" * 257, "ü" * 129, 0.5]


@pytest.mark.parametrize("value", WRONG, ids=lambda value: ascii(value)[:20])
def test_wrong_name(open_client, value):
    client = open_client(SANDBOX)
    error = failure(client.book(booking_request(key="k", conversation=value)), "INVALID_FIELD")
    assert (error["field"], error["outcome"]) == ("conversation", "not_sent")
    assert pending(client) == []


def test_resume_has_the_name_already(ending):
    _, client = ending("booked")
    held = submitted(client, booking_request(key="k", conversation="call-7"), "OK")
    error = failure(client.book(resume("k", conversation="call-7")), "INVALID_FIELD")
    assert (error["field"], error["outcome"]) == ("conversation", "unknown")
    assert conversations(client) == {"k": "call-7"}
    held.free()
    assert client.book(resume("k")).status == STATUS["OK"]
