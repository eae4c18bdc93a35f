"""Field cases: platforms as they are, and what a client says of their bookings. Whatever it says must be true in the
platform's books. Most of them run against the zoo (`Tests/servers/zoo.py`), the others against raw sockets.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import pbk
import pytest
from certificates import Certificates
from completions import ByQueue
from contract import STATUS, error_object, failure, in_doubt, success
from fault_server import Peer, answer, answer_then_swallow, http_reply
from ledger import changed, resume, statuses, unsettled_keys
from run_zoo import ZooServer
from samples import (
    BOOKING_REPLY,
    CALLS_ONLY,
    DOWN,
    ONCE,
    QUICK,
    READS_ONLY,
    SANDBOX,
    UNSPARED,
    booking_request,
    search_request,
)
from test_abi import config_for
from test_cancel import PATIENT, wait_until
from zoo_http import API_KEY, HOOK, SECRET

SLOT = "2031-05-05T10:00:00Z"
KEYS_FIRST = {"is": "keys_first", "in_work": "look"}
SLOT_FIRST = {"is": "slot_first"}
REPLY_LOST = {"is": "drops", "when": "done", "first": 1}
GAVE_UP = {"is": "gives_up", "ms": 50, "statuses": [504], "first": 1}
"""In a platform: its gateway answers the first request with each key before the platform has done with it."""

AT_ONCE = {"timeout_ms": 1000}
"""In a request: a call that is in doubt ends at once, because it would pause for a second before it asks again."""

MARGIN = 1.1
"""Seconds. A second is added to `platform_limit_ms`."""


@pytest.fixture(scope="module")
def zoo(certificates: Certificates) -> Iterator[ZooServer]:
    with ZooServer(certificates.good) as server:
        yield server


@dataclass
class Site:
    """One platform of the zoo, and a client of it."""

    zoo: ZooServer
    name: str
    client: pbk.Client

    def request(self, start_at: str = SLOT, **members: Any) -> dict[str, Any]:
        return changed(booking_request(self.name, **members), "booking.start_at", start_at)

    def books(self) -> dict[str, Any]:
        """When nobody is at work on them any more."""
        self.zoo.wait_until_idle([self.name])
        return self.zoo.books(self.name)

    def booked(self) -> list[str]:
        """The keys of the appointments."""
        return [each["key"] for each in self.books()["appointments"] if each["is_active"]]

    def answered(self) -> list[Any]:
        """How each request for a booking was answered."""
        return [each["answered"] for each in self.books()["requests"]]

    def wait_for_requests(self, count: int) -> None:
        wait_until(lambda: len(self.zoo.books(self.name)["requests"]) >= count)


@pytest.fixture
def visit(zoo: ZooServer, certificates: Certificates, open_client) -> Callable[..., Site]:
    """Makes a platform of behaviours, and a client of it. `way` is `kept`, `fresh` or `h2`."""

    def visit(
        *behaviours: dict[str, Any],
        way: str = "kept",
        endpoint: str = "partner",
        name: str | None = None,
        **members: Any,
    ) -> Site:
        name = name or zoo.platform(*behaviours)
        url = zoo.urls[way]
        config: dict[str, Any] = {"retry": ONCE, **CALLS_ONLY, **UNSPARED, **PATIENT}
        if way == "h2":
            config["tls"] = {"ca_file": str(certificates.ca_file)}
        if endpoint == "webhook":
            platform = {"account_id": name, "webhook_url": f"{url}{HOOK}", "webhook_secret": SECRET}
            config |= {"endpoint": "platform_webhook", "platforms": {name: platform}}
        else:
            config |= {"api_key": API_KEY, "base_url": url}
        return Site(zoo, name, open_client(config, **members))

    return visit


ways = pytest.mark.parametrize("way", ["kept", "fresh", "h2"])
endpoints = pytest.mark.parametrize("endpoint", ["partner", "webhook"])


# A1: libcurl repeats a request by itself

OF_THE_BOOKING = [(404, "slot_not_found"), (409, "slot_unavailable"), (422, "start_in_past")]
OF_THE_CALLER = [(401, "unauthorized"), (404, "bot_not_found"), (429, "slow_down")]
REFUSALS = OF_THE_BOOKING + OF_THE_CALLER


@pytest.mark.parametrize(("status", "code"), REFUSALS)
def test_refusal_of_what_libcurl_repeats_is_about_the_repetition(start_faults, open_client, status, code):
    """The kept connection ends when the booking was read. What was read there may be booked."""
    refusal = http_reply(status, json.dumps({"error": {"code": code, "message": "No"}}).encode())
    server = start_faults(answer_then_swallow(http_reply(200, b'{"availabilities":[]}')), answer(refusal))
    client = open_client(config_for(server), **READS_ONLY)
    success(client.search(search_request()))
    error = in_doubt(client.book(booking_request(key="k", **AT_ONCE)), status, code)
    assert error["attempts"] == 1
    assert server.keys() == [None, "k", "k"]
    assert unsettled_keys(client) == ["k"]


def test_repetition_by_libcurl_may_find_its_own_slot_taken(visit):
    """A correct platform, default settings: this was told as `rejected`, 454 times of 459."""
    site = visit(SLOT_FIRST, {"is": "drops", "when": "read", "ms": 20, "first": 1}, **READS_ONLY)
    success(site.client.search(search_request(site.name)))
    request = site.request(**AT_ONCE)
    in_doubt(site.client.book(request), 409, "slot_unavailable")
    assert site.booked() == [request["idempotency_key"]]
    assert site.answered() == ["dropped", 409]


def test_repetition_by_libcurl_may_find_its_booking(visit):
    site = visit({"is": "keys_first"}, {"is": "drops", "when": "read", "first": 1})
    success(site.client.search(search_request(site.name)))
    request = site.request()
    success(site.client.book(request))
    assert site.booked() == [request["idempotency_key"]]


def test_booking_is_sent_once_where_no_keys_are_kept(visit):
    """Nor does libcurl send it again by itself."""
    site = visit({"is": "no_keys"}, {"is": "overbooks"}, {"is": "drops", "when": "read"}, platform_keys="none")
    success(site.client.search(search_request(site.name)))
    in_doubt(site.client.book(site.request()), None, "connection_lost")
    assert site.answered() == ["dropped"]


# A2: a gateway gives up, and the platform books later


@endpoints
def test_platform_that_books_behind_its_gateway(visit, endpoint):
    """Refusals while it works prove nothing. The call asks on, and gets the booking."""
    site = visit(KEYS_FIRST, {"is": "works", "ms": 1500}, GAVE_UP, endpoint=endpoint)
    request = site.request()
    success(site.client.book(request))
    assert site.booked() == [request["idempotency_key"]]
    assert site.answered() == [504, 409, 200]


def test_platform_that_books_when_its_call_has_ended(visit):
    site = visit(KEYS_FIRST, {"is": "works", "ms": 300}, GAVE_UP, **READS_ONLY)
    request = site.request(**AT_ONCE)
    error = in_doubt(site.client.book(request), 504, "gateway_gave_up")
    assert error["doubt"]["sent_ms_ago"] < 1000
    in_doubt(site.client.book(request), 409, "slot_unavailable")
    assert site.booked() == [request["idempotency_key"]]
    success(site.client.book(request))
    assert site.answered() == [504, 409, 200]


def test_refusal_ends_a_doubt_when_the_platform_has_had_its_time(visit):
    """Known to look at keys first: it would have the booking by then."""
    limit = {"platform_keys": "first", "platform_limit_ms": 500}
    refuses = {"is": "refuses", "spellings": ["slot_unavailable"]}
    site = visit(KEYS_FIRST, {"is": "works", "ms": 300}, GAVE_UP, refuses, **limit)
    error = failure(site.client.book(site.request()), "SLOT_UNAVAILABLE")
    assert error["outcome"] == "rejected"
    books = site.books()
    assert books["appointments"] == []
    assert books["requests"][-1]["arrived"] >= books["requests"][0]["ended"] + 1.4


def test_refusal_ends_no_doubt_before_that(visit):
    limit = {"platform_keys": "first", "platform_limit_ms": 60_000}
    site = visit(KEYS_FIRST, {"is": "works", "ms": 1500}, GAVE_UP, **limit, **READS_ONLY)
    request = site.request(timeout_ms=2000)
    in_doubt(site.client.book(request), 409, "slot_unavailable")
    assert site.booked() == [request["idempotency_key"]]


# A3: the caller interrupts, and asks again


@ways
@endpoints
@pytest.mark.parametrize("how", ["cancel", "deadline"])
def test_repeat_joins_the_request_of_a_call_that_has_ended(visit, way, endpoint, how):
    """One POST, one appointment; and the repeat gets it."""
    site = visit(KEYS_FIRST, {"is": "works", "ms": 700}, way=way, endpoint=endpoint)
    queue = ByQueue()
    request = site.request()
    limit = {"timeout_ms": 300} if how == "deadline" else {}
    ticket = queue.submit(site.client, pbk.BOOK, {**request, **limit})
    site.wait_for_requests(1)
    if how == "cancel":
        assert site.client.cancel(ticket) == STATUS["OK"]
    expected = {"cancel": "CANCELLED", "deadline": "TIMEOUT"}[how]
    assert failure(queue.next(site.client).result, expected)["outcome"] == "unknown"
    booking = success(site.client.book(request))["booking"]
    assert [each["id"] for each in site.books()["appointments"]] == [booking["id"]]
    assert site.answered() == [201]


# A4: the platform looks at the slot or the time before the key, or keeps no keys


@endpoints
def test_platform_that_looks_at_the_slot_first(visit, endpoint):
    """However often it refuses: it is its own booking that is in the way."""
    site = visit(SLOT_FIRST, REPLY_LOST, way="fresh", endpoint=endpoint, **READS_ONLY)
    request = site.request(**AT_ONCE)
    in_doubt(site.client.book(request), None, "connection_lost")
    time.sleep(MARGIN)
    for _ in range(3):
        in_doubt(site.client.book(request), 409, "slot_unavailable")
    assert site.booked() == unsettled_keys(site.client) == [request["idempotency_key"]]


def test_platform_that_looks_at_the_time_first(visit):
    site = visit({"is": "time_first", "lead_ms": 600_000}, REPLY_LOST, way="fresh", **READS_ONLY)
    start = datetime.now(timezone.utc) + timedelta(seconds=602)
    request = site.request(start.strftime("%Y-%m-%dT%H:%M:%SZ"), **AT_ONCE)
    in_doubt(site.client.book(request), None, "connection_lost")
    time.sleep(2.1)
    in_doubt(site.client.book(request), 422, "start_in_past")
    assert site.booked() == [request["idempotency_key"]]


def test_platform_without_keys_is_asked_once(visit):
    """It would book the same wish again."""
    site = visit({"is": "no_keys"}, {"is": "overbooks"}, REPLY_LOST, way="fresh", platform_keys="none")
    request = site.request()
    in_doubt(site.client.book(request), None, "connection_lost")
    for repeat in (request, resume(request["idempotency_key"])):
        in_doubt(site.client.book(repeat), None, None)
    assert site.booked() == [request["idempotency_key"]]
    assert site.answered() == ["dropped"]


@pytest.mark.parametrize("keys", ["kept", "first", "none"])
def test_setting_of_a_bot(visit, keys):
    """It counts, and not the one for all bots."""
    name = visit({"is": "no_keys"}, {"is": "fails", "when": "before", "statuses": [503], "first": 1}).name
    others = {"kept": "none", "first": "none", "none": "kept"}[keys]
    bots = {name: {"platform_keys": keys, "platform_limit_ms": 1}}
    site = visit(name=name, platform_keys=others, bots=bots)
    result = site.client.book(site.request())
    if keys == "none":
        in_doubt(result, 503, "internal_error")
    else:
        success(result)
    assert site.answered() == ([503] if keys == "none" else [503, 201])


# A5: two clients, one key


def test_clients_that_share_a_key(visit, threads):
    """The second meets the row of its own key. It may not say that nothing was booked."""
    platform = [KEYS_FIRST, {"is": "races", "statuses": [409]}, {"is": "works", "ms": 300}]
    first = visit(*platform, keys_shared=True, **READS_ONLY)
    second = visit(name=first.name, keys_shared=True, **READS_ONLY)
    request = first.request(**AT_ONCE)
    results = list(threads.map(lambda site: site.client.book(request), [first, second]))
    made, doubtful = sorted(results, key=lambda result: result.status)
    success(made)
    in_doubt(doubtful, 409, "slot_unavailable")
    assert first.booked() == [request["idempotency_key"]]


@pytest.mark.parametrize(("status", "code"), REFUSALS)
def test_refusals_of_shared_keys_prove_nothing(reference, http1, open_client, status, code):
    """Also with `first`, and when it has had its time: the other client may ask at any moment."""
    bot = reference.bot({**DOWN, "status": status, "code": code})
    first = {"platform_keys": "first", "platform_limit_ms": 1}
    client = open_client(http1.config, retry=ONCE, keys_shared=True, **first, **READS_ONLY)
    request = booking_request(bot)
    for _ in range(2):
        if (status, code) in OF_THE_BOOKING:
            in_doubt(client.book(request), status, code)
        else:
            # To ask again for this would help nobody: the call says what is wrong.
            result = client.book(request)
            error = error_object(result.reply)
            assert (error["status"], error["code"], error["outcome"]) == (status, code, "unknown")
            assert error["attempts"] == 1
        assert unsettled_keys(client) == [request["idempotency_key"]]
        time.sleep(MARGIN)


# A6: a success is a booking

DECLINED = ["declined", "cancelled", "canceled", "rejected", "no_show", "failed", "expired", "Declined", "NO_SHOW"]


@pytest.mark.parametrize("status", DECLINED)
@pytest.mark.parametrize("is_booked", [True, False])
def test_booking_that_is_no_appointment(visit, status, is_booked):
    """It is rejected, is handed over as the platform wrote it, and is not remembered."""
    site = visit(KEYS_FIRST, {"is": "books_as", "statuses": [status], "is_booked": is_booked, "first": 1})
    request = site.request()
    error = failure(site.client.book(request), "NOT_CONFIRMED")
    assert (error["outcome"], error["retryable"], error["attempts"]) == ("rejected", False, 1)
    assert error["status"] == 201 and error["reply"]["booking"]["status"] == status
    assert unsettled_keys(site.client) == []
    result = site.client.book(request)
    assert len(site.answered()) == 2
    if is_booked:
        assert failure(result, "NOT_CONFIRMED")["reply"]["booking"]["id"] == error["reply"]["booking"]["id"]
    else:
        success(result)


@pytest.mark.parametrize("status", ["pending", "accepted", "confirmed", "tentative", "", "declined_by_nobody"])
def test_booking_with_another_status_is_a_booking(reference, service, open_client, status):
    """Words that nobody knows too, byte for byte; and it is remembered."""
    body = f'{{ "booking" : {{"id":"b" ,"status":"{status}"}}}}\n'
    bot = reference.bot({"status": 201, "body": body})
    client = open_client(service.config)
    request = booking_request(bot)
    for _ in range(2):
        assert client.book(request) == (STATUS["OK"], body.encode())
    assert statuses(reference, bot) == [201]


def test_booking_that_was_cancelled_meanwhile(visit):
    """The platform may have looked at something else than the key. So the doubt stays, and says what the answer was."""
    site = visit(KEYS_FIRST, {"is": "cancels_later", "ms": 10}, REPLY_LOST, way="fresh", **READS_ONLY)
    request = site.request(**AT_ONCE)
    in_doubt(site.client.book(request), None, "connection_lost")
    assert site.booked() == []
    error = in_doubt(site.client.book(request), 200, "not_confirmed")
    assert error["outcome"] == "unknown"


def test_reply_about_another_start_is_asked_for_once_more(visit):
    """On a new connection: it may have been on its way to somebody else."""
    site = visit(KEYS_FIRST, {"is": "misreplies", "kinds": ["other"], "first": 1})
    success(site.client.search(search_request(site.name)))
    request = site.request()
    completions = ByQueue()
    completions.submit(site.client, pbk.BOOK, request)
    completion = completions.next(site.client)
    assert success(completion.result)["booking"]["start_at"] == SLOT
    assert (completion.timing["attempts"], completion.timing["connection_reused"]) == (2, False)
    assert site.booked() == [request["idempotency_key"]]


def test_reply_about_another_start_proves_nothing(visit):
    site = visit(KEYS_FIRST, {"is": "misreplies", "kinds": ["other"], "first": 3}, **READS_ONLY)
    request = site.request()
    error = failure(site.client.book(request), "OTHER_BOOKING")
    assert (error["outcome"], error["attempts"], error["status"]) == ("unknown", 2, 201)
    assert error["reply"]["booking"]["start_at"] == "2031-05-06T10:00:00Z"
    assert unsettled_keys(site.client) == site.booked() == [request["idempotency_key"]]
    # The third gets another once more, and the fourth the booking.
    success(site.client.book(request))
    assert unsettled_keys(site.client) == []


def test_start_in_another_spelling_is_the_same_start(visit):
    site = visit(KEYS_FIRST, {"is": "respells"})
    assert success(site.client.book(site.request()))["booking"]["start_at"] == "2031-05-05T05:00:00-05:00"


@endpoints
@pytest.mark.parametrize("checks", [True, False])
def test_start_need_not_be_looked_at(visit, endpoint, checks):
    """For platforms that write a wrong offset."""
    respells = {"is": "respells", "is_wrong": True}
    site = visit(KEYS_FIRST, respells, endpoint=endpoint, check_start_at=checks, **READS_ONLY)
    result = site.client.book(site.request())
    if checks:
        failure(result, "OTHER_BOOKING")
    else:
        assert success(result)["booking"]["start_at"] == "2031-05-05T10:00:00-05:00"


def test_other_start_is_looked_at_before_the_status(reference, http1, open_client):
    """Somebody else's declined booking says nothing of ours."""
    body = '{"booking":{"id":"b","status":"declined","start_at":"2030-01-15T10:00:00Z"}}'
    bot = reference.bot({"status": 201, "body": body})
    failure(open_client(http1.config, **READS_ONLY).book(booking_request(bot)), "OTHER_BOOKING")


# A10: bytes that nobody asked for


@pytest.mark.parametrize("kind", [409, 400, 201])
def test_unasked_reply_is_nobodys(visit, kind):
    """It lies on a kept connection. The next booking is sent on another one."""
    site = visit(KEYS_FIRST, {"is": "unasked", "ms": 1, "kinds": [kind]})
    requests = [site.request(f"2031-05-05T1{hour}:00:00Z") for hour in range(4)]
    for request in requests:
        success(site.client.book(request))
        time.sleep(0.05)
    assert site.booked() == [request["idempotency_key"] for request in requests]
    assert site.answered() == [201] * 4
    assert all(each["unasked_at"] is None for each in site.books()["requests"])


@pytest.mark.parametrize("junk", [b"\r\n", b"x", http_reply(409, b"{}"), http_reply(201, BOOKING_REPLY)], ids=repr)
def test_connection_with_unread_bytes_is_not_used(start_faults, open_client, junk):
    def answer_and_add(peer: Peer) -> None:
        peer.read_request()
        peer.send(http_reply(200, b'{"availabilities":[]}'))
        peer.pause(0.02)
        peer.send(junk)
        peer.read_request()

    server = start_faults(answer_and_add, answer(http_reply(201, BOOKING_REPLY)))
    client = open_client(config_for(server))
    success(client.search(search_request()))
    time.sleep(0.1)
    assert client.book(booking_request(key="k")) == (STATUS["OK"], BOOKING_REPLY)
    assert (server.connections, server.keys()) == (2, [None, "k"])


# A13: a plain 500


@endpoints
@pytest.mark.parametrize("when", ["before", "after"])
def test_plain_500_is_tried_again(visit, endpoint, when):
    """Whether the platform has booked before it failed or not: one appointment, at once."""
    fails = {"is": "fails", "when": when, "statuses": [500], "first": 2}
    site = visit({"is": "keys_first"}, fails, endpoint=endpoint, retry={"max_attempts": 3, **QUICK})
    request = site.request()
    success(site.client.book(request))
    assert site.booked() == [request["idempotency_key"]]
    assert site.answered() == [500, 500, 201 if when == "before" else 200]


# B5: what a platform cannot digest is no reason to refuse others


@endpoints
def test_failures_of_one_booking_count_once_for_the_breaker(visit, endpoint):
    site = visit(
        KEYS_FIRST,
        {"is": "fails", "when": "before", "statuses": [500], "first": 20},
        endpoint=endpoint,
        circuit_breaker={"failures": 3, "open_ms": 600_000},
        retry={"max_attempts": 4, **QUICK, "budget": 0},
        **READS_ONLY,
    )
    poison = site.request(**AT_ONCE)
    for _ in range(5):
        assert in_doubt(site.client.book(poison), 500, "internal_error")["attempts"] == 4
    assert site.answered() == [500] * 20
    success(site.client.search(search_request(site.name)))
    # The search was no failure: from here on they count anew, and other bookings do.
    in_doubt(site.client.book(site.request(**AT_ONCE)), 500, "internal_error")
    in_doubt(site.client.book(site.request(**AT_ONCE)), 500, "internal_error")
    in_doubt(site.client.book(site.request(**AT_ONCE)), 500, "internal_error")
    assert failure(site.client.book(site.request()), "CIRCUIT_OPEN")["outcome"] == "not_sent"


# B7: conflicts in words that nobody knows

SLOT_WORDS = ["slot_unavailable", "SLOT_UNAVAILABLE", "slot_taken", "booking_conflict"]
OTHER_WORDS = ["conflict", "text"]


@endpoints
@pytest.mark.parametrize("spelling", SLOT_WORDS + OTHER_WORDS)
def test_conflict_is_a_conflict(visit, endpoint, spelling):
    """About the slot it is a refusal at once, in other words when it is said again after a second."""
    site = visit(KEYS_FIRST, {"is": "refuses", "spellings": [spelling]}, endpoint=endpoint)
    is_about_the_slot = spelling in SLOT_WORDS
    error = failure(site.client.book(site.request()), "SLOT_UNAVAILABLE" if is_about_the_slot else "REFUSED")
    assert (error["outcome"], error["attempts"]) == ("rejected", 1 if is_about_the_slot else 2)
    assert unsettled_keys(site.client) == site.booked() == []
    assert len(site.answered()) == error["attempts"]


# B13: a platform that has not fetched its secret yet


def test_platform_that_has_just_started(visit):
    site = visit({"is": "keys_first"}, {"is": "unsigned", "requests": 1}, endpoint="webhook")
    request = site.request()
    success(site.client.book(request))
    assert site.booked() == [request["idempotency_key"]]
    first, second = site.books()["requests"]
    assert (first["answered"], second["answered"]) == (401, 201)
    assert second["arrived"] - first["arrived"] >= 0.99


# The sandbox plays them, too


@pytest.fixture
def sandbox(open_client) -> Callable[..., pbk.Client]:
    """A client with a sandbox that has these faults and settings."""

    def sandbox(*faults: dict[str, Any], keys: str = "first", **members: Any) -> pbk.Client:
        settings = {**SANDBOX["sandbox"], "keys": keys, "faults": list(faults)}
        return open_client({**SANDBOX, "sandbox": settings}, **{"retry": ONCE, **members})

    return sandbox


def kept_by(client: pbk.Client) -> list[str]:
    """The keys of what the sandbox has booked."""
    return [booking["idempotency_key"] for booking in success(client.sandbox_bookings())["bookings"]]


def test_sandbox_that_books_behind_its_gateway(sandbox):
    """It works with the slot held, and has it booked when the call asks again."""
    client = sandbox({"fault": "works", "ms": 400, "status": 504, "calls": [1]})
    success(client.book(booking_request(key="k")))
    assert kept_by(client) == ["k"]


def test_sandbox_that_works_for_a_while(sandbox):
    client = sandbox({"fault": "works", "ms": 200, "calls": [1]})
    started = time.monotonic()
    success(client.book(booking_request(key="k")))
    assert time.monotonic() - started >= 0.2
    assert kept_by(client) == ["k"]


def test_sandbox_that_looks_at_the_slot_first(sandbox):
    client = sandbox({"fault": "lose_reply", "calls": [1]}, keys="kept", **READS_ONLY)
    request = booking_request(key="k", **AT_ONCE)
    in_doubt(client.book(request), None, "connection_lost")
    in_doubt(client.book(request), 409, "slot_unavailable")
    assert kept_by(client) == unsettled_keys(client) == ["k"]


def test_sandbox_without_keys(sandbox):
    """To be asked once is what it takes."""
    lose = {"fault": "lose_reply", "calls": [1]}
    settings = {"keys": "none", "platform_keys": "none"}
    client = sandbox(lose, **settings)
    in_doubt(client.book(booking_request(key="k")), None, "connection_lost")
    in_doubt(client.book(booking_request(key="k")), None, None)
    assert kept_by(client) == ["k"]


def test_sandbox_that_answers_for_its_own_row(sandbox):
    client = sandbox({"fault": "own_conflict", "calls": [1]}, keys_shared=True, **READS_ONLY)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 409, "slot_unavailable")
    success(client.book(booking_request(key="k")))
    assert kept_by(client) == ["k"]


def test_sandbox_that_declines(sandbox):
    client = sandbox({"fault": "declined", "calls": [1]})
    error = failure(client.book(booking_request(key="k")), "NOT_CONFIRMED")
    assert error["reply"]["booking"]["status"] == "declined"
    assert kept_by(client) == []


def test_sandbox_with_another_booking(sandbox):
    client = sandbox({"fault": "other_booking", "calls": [1, 2]}, **READS_ONLY)
    error = failure(client.book(booking_request(key="k")), "OTHER_BOOKING")
    assert error["reply"]["booking"]["start_at"] != "2030-01-14T10:00:00Z" and error["attempts"] == 2
    success(client.book(booking_request(key="k")))
    assert kept_by(client) == ["k"]


def test_sandbox_with_an_empty_booking(sandbox):
    client = sandbox({"fault": "empty_booking", "calls": [1]}, **READS_ONLY)
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 201, "invalid_reply")
    assert kept_by(client) == ["k"]
