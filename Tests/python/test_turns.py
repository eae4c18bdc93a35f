"""How many calls at once, what becomes of those beyond, and how each of them ends when the client is closed."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter

import pbk
import pytest
from completions import ByCallback, ByQueue, check
from contract import failure, success
from fault_server import answer_when, http_reply, stall
from header import OUTCOME, STATUS
from run_reference import headers_of
from samples import ENDLESS, NOW, SANDBOX, SEARCH_REPLY, SLEEPING, booking_request, search_request
from services import config_for
from waiting import MINUTE, PATIENT, SOON, wait_until_readable

# Turns


def test_calls_wait_their_turn_in_order(reference, service, open_client, way):
    """One at a time, as they were submitted; and each tells how long it waited."""
    bot = reference.bot({"delay_ms": 20})
    client = open_client(service.config, max_in_flight=1, max_queued=9)
    tickets = [way.submit(client, pbk.SEARCH, search_request(bot, number=number)) for number in range(10)]
    found = [way.next(client) for _ in tickets]
    assert [completion.ticket for completion in found] == tickets
    requests = reference.requests(bot)
    assert [json.loads(request["body"])["number"] for request in requests] == list(range(10))
    waits = [completion.timing["queue_us"] for completion in found]
    assert waits == sorted(waits) and waits[-1] >= 9 * 20_000


def test_no_more_are_in_flight_than_allowed(reference, service, open_client, way):
    """The fourth is sent only when one of the three before is over."""
    bot = reference.bot(ENDLESS)
    client = open_client(service.config, max_in_flight=3, **PATIENT)
    tickets = [way.submit(client, pbk.SEARCH, search_request(bot, number=number)) for number in range(4)]
    assert reference.wait_for_requests(bot, 3)
    reference.bot()  # as much time as a call takes
    cancelled_at = time.monotonic()  # on the clock that the server's log has, too
    assert client.cancel(tickets[1]) == STATUS["OK"]
    assert way.next(client).ticket == tickets[1]
    assert reference.wait_for_requests(bot, 4)
    sent_at = {json.loads(request["body"])["number"]: request["at"] for request in reference.requests(bot)}
    assert max(sent_at[number] for number in range(3)) < cancelled_at <= sent_at[3]


@pytest.mark.parametrize(("in_flight", "queued"), [(1, 0), (1, 3), (2, 2), (3, 0)])
def test_one_call_too_many(open_client, way, in_flight, queued):
    """It is refused, and so is a blocking one; with the end of a call there is room for one again."""
    client = open_client(SLEEPING, max_in_flight=in_flight, max_queued=queued)
    tickets = [way.submit(client, pbk.SEARCH, search_request()) for _ in range(in_flight + queued)]
    for _ in range(2):
        refused = client.submit(pbk.BOOK, booking_request(), getattr(way, "callback", None))
        assert refused.ticket == 0
        error = failure(pbk.Result(refused.status, refused.error), "QUEUE_FULL")
        assert (error["outcome"], error["retryable"]) == ("not_sent", True)
        failure(client.search(search_request()), "QUEUE_FULL")
    for ticket in tickets:
        assert client.cancel(ticket) == STATUS["OK"]
        assert way.next(client).ticket == ticket
        way.submit(client, pbk.SEARCH, search_request())
    failure(client.search(search_request()), "QUEUE_FULL")


def test_every_place_comes_back(open_client, way):
    """Also to who submits the next call on being told of the last."""
    client = open_client(SANDBOX, max_in_flight=1, max_queued=0)
    for _ in range(300):
        way.submit(client, pbk.SEARCH, search_request())
        success(way.next(client).result)


def test_completions_that_nobody_takes_count(open_client):
    """A host that forgets to take them is told, instead of losing its memory."""
    client = open_client(SANDBOX, max_in_flight=1, max_queued=2)
    queue = ByQueue()
    tickets = [queue.submit(client, pbk.SEARCH, search_request()) for _ in range(3)]
    # One at a time, so the three before it are over when it is.
    while client.search(search_request()).status != STATUS["OK"]:
        pass
    for ticket in tickets:
        refused = client.submit(pbk.SEARCH, search_request())
        failure(pbk.Result(refused.status, refused.error), "QUEUE_FULL")
        assert queue.next(client).ticket == ticket
        queue.submit(client, pbk.SEARCH, search_request())


def test_slow_completion_does_not_give_the_place_back(open_client):
    client = open_client(SLEEPING, max_in_flight=1, max_queued=0)
    queue = ByQueue()
    ticket = queue.submit(client, pbk.SEARCH, search_request(slow_after_ms=10))
    assert queue.next(client).event == pbk.SLOW
    assert client.submit(pbk.SEARCH, search_request()).status == STATUS["QUEUE_FULL"]
    assert client.cancel(ticket) == STATUS["OK"]
    assert wait_until_readable(client.fd())
    assert client.submit(pbk.SEARCH, search_request()).status == STATUS["QUEUE_FULL"]
    assert queue.next(client).event == pbk.DONE
    queue.submit(client, pbk.SEARCH, search_request())


def test_deadline_runs_while_a_call_waits(reference, service, open_client, way):
    bot, other = reference.bot(ENDLESS), reference.bot()
    client = open_client(service.config, max_in_flight=1, **PATIENT)
    first = way.submit(client, pbk.SEARCH, search_request(bot))
    second = way.submit(client, pbk.BOOK, booking_request(other, timeout_ms=100))
    completion = way.next(client)
    error = failure(completion.result, "TIMEOUT")
    assert (completion.ticket, error["outcome"], error["attempts"]) == (second, "not_sent", 0)
    assert completion.timing["queue_us"] >= 100_000
    assert reference.requests(other) == []
    assert client.cancel(first) == STATUS["OK"]
    assert way.next(client).ticket == first


# Exactly one end

ENDINGS = ["normal", "cancelled", "timed out", "closed"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_each_ticket_ends_once(reference, service, open_client, way, ending):
    """Some are under way and some wait for their turn, however they end."""
    bot = reference.bot({} if ending == "normal" else ENDLESS)
    client = open_client(service.config, max_in_flight=8, **PATIENT)
    limit = {"timeout_ms": 150} if ending == "timed out" else {}
    tickets = [way.submit(client, pbk.BOOK, booking_request(bot, **limit)) for _ in range(16)]
    if ending == "cancelled":
        assert {client.cancel(ticket) for ticket in tickets * 2} == {STATUS["OK"]}
    elif ending == "closed":
        assert client.close(0) == STATUS["TIMEOUT"]
    found = [way.next(client) for _ in tickets]
    client.close(0)
    assert way.rest(client) == []
    assert Counter(completion.ticket for completion in found) == Counter(tickets)
    assert {completion.event for completion in found} == {pbk.DONE}
    if ending == "normal":  # all want the same slot
        assert Counter(completion.status for completion in found) == {STATUS["OK"]: 1, STATUS["SLOT_UNAVAILABLE"]: 15}
        return
    expected = {"cancelled": "CANCELLED", "timed out": "TIMEOUT", "closed": "CLIENT_CLOSED"}[ending]
    at_the_server = {headers_of(request)["idempotency-key"] for request in reference.requests(bot)}
    for completion in found:
        error = failure(completion.result, expected)
        assert error["outcome"] == "unknown" or error["idempotency_key"] not in at_the_server


# Closing


def test_close_lets_submitted_calls_finish(reference, service, open_client, way):
    bot = reference.bot({"delay_ms": 100})
    client = open_client(service.config, max_in_flight=4)
    tickets = [way.submit(client, pbk.SEARCH, search_request(bot)) for _ in range(8)]
    assert client.close(MINUTE) == STATUS["OK"]
    found = way.rest(client)
    assert sorted(completion.ticket for completion in found) == tickets
    for completion in found:
        success(completion.result)


def test_close_ends_what_is_left_when_its_time_is_up(reference, service, open_client, way):
    quick, endless = reference.bot(), reference.bot(ENDLESS)
    client = open_client(service.config, **PATIENT)
    way.submit(client, pbk.SEARCH, search_request(quick))
    success(way.next(client).result)
    tickets = [way.submit(client, pbk.SEARCH, search_request(endless)) for _ in range(3)]
    started = time.monotonic()
    assert client.close(100) == STATUS["TIMEOUT"]
    assert 0.1 <= time.monotonic() - started < SOON
    found = way.rest(client)
    assert sorted(completion.ticket for completion in found) == tickets
    for completion in found:
        failure(completion.result, "CLIENT_CLOSED")


def test_close_at_once_says_what_is_true(open_client, start_faults, way):
    """One booking is at the server, the other waited for its turn."""
    server = start_faults(stall())
    client = open_client(config_for(server), max_in_flight=1)
    sent = way.submit(client, pbk.BOOK, booking_request())
    waiting = way.submit(client, pbk.BOOK, booking_request())
    assert server.wait_for_requests(1)
    assert client.close(0) == STATUS["TIMEOUT"]
    errors = {completion.ticket: failure(completion.result, "CLIENT_CLOSED") for completion in way.rest(client)}
    assert {ticket: error["outcome"] for ticket, error in errors.items()} == {sent: "unknown", waiting: "not_sent"}
    assert [errors[ticket]["attempts"] for ticket in (sent, waiting)] == [1, 0]


def test_takers_go_on_while_the_client_is_being_closed(reference, service, open_client, threads):
    bot = reference.bot({"delay_ms": 200})
    client = open_client(service.config)
    tickets = [ByQueue().submit(client, pbk.SEARCH, search_request(bot)) for _ in range(4)]
    closing = threads.submit(client.close, MINUTE)
    found = [ByQueue().next(client) for _ in tickets]
    assert sorted(completion.ticket for completion in found) == tickets
    assert closing.result(SOON) == STATUS["OK"]
    assert client.next_completion(MINUTE) == (STATUS["CLIENT_CLOSED"], None)


def test_callback_cannot_submit_to_a_client_that_is_being_closed(start_faults, open_client, threads):
    closing = threading.Event()
    client = open_client(config_for(start_faults(answer_when(closing, http_reply(200, SEARCH_REPLY)))))
    refusals = []
    told = ByCallback(lambda _: refusals.append(client.submit(pbk.SEARCH, search_request(), told.callback)))
    told.submit(client, pbk.SEARCH, search_request())
    closed = threads.submit(client.close, MINUTE)
    while client.prewarm() == STATUS["OK"]:
        pass
    closing.set()
    success(told.next().result)
    assert closed.result(SOON) == STATUS["OK"]
    assert [refusal.status for refusal in refusals] == [STATUS["CLIENT_CLOSED"]]
    assert told.rest() == []


class Stuck:
    """A callback that does not return until it is let go."""

    def __init__(self) -> None:
        self.entered, self._left = threading.Event(), threading.Event()
        self.let_go = threading.Event()
        self.told = ByCallback(self._wait)

    def _wait(self, _: pbk.Completion) -> None:
        self.entered.set()
        self.let_go.wait(SOON)


@pytest.fixture
def stuck():
    stuck = Stuck()
    yield stuck
    stuck.let_go.set()
    stuck.told.next()


def test_close_does_not_wait_for_a_callback_that_is_stuck(stuck):
    """Its bound is the time given and two seconds. Handles of other clients go on as ever."""
    client = pbk.Client(SANDBOX)
    stuck.told.submit(client, pbk.SEARCH, search_request())
    assert stuck.entered.wait(SOON)
    started = time.monotonic()
    assert client.close(0) == STATUS["TIMEOUT"]
    assert time.monotonic() - started < 10
    assert client.close(0) == STATUS["CLIENT_CLOSED"]
    assert client.next_completion(MINUTE) == (STATUS["CLIENT_CLOSED"], None)
    with pbk.Client(SANDBOX) as other:
        success(other.search(search_request()))


def test_no_callback_runs_after_the_close(stuck):
    """The host may have freed what the other's context points to."""
    client = pbk.Client({"endpoint": "sandbox", "sandbox": {"now": NOW, "latency_ms": 50}})
    stuck.told.submit(client, pbk.SEARCH, search_request())
    ran = threading.Event()
    other = ByCallback(lambda _: ran.set())
    other.submit(client, pbk.SEARCH, search_request())
    assert stuck.entered.wait(SOON)
    assert client.close(0) == STATUS["TIMEOUT"]
    assert not ran.is_set()
    stuck.let_go.set()
    assert not ran.wait(1)


def test_deadlines_of_blocking_calls_hold_while_a_callback_is_stuck(open_client, stuck):
    """Other calls wait for it, but not longer than they said, and a second."""
    client = open_client(SANDBOX)
    stuck.told.submit(client, pbk.SEARCH, search_request())
    assert stuck.entered.wait(SOON)
    started = time.monotonic()
    result = client.book(booking_request(timeout_ms=100))
    assert time.monotonic() - started < 10
    assert failure(result, "TIMEOUT")["outcome"] in ("unknown", "not_sent")
    stuck.let_go.set()
    success(client.search(search_request()))


def test_check_is_not_blind():
    """What every completion is held against would find a wrong one."""
    with pbk.Client(SANDBOX) as client:
        ByQueue().submit(client, pbk.SEARCH, search_request())
        good = check(client.next_completion(int(SOON * 1000))[1])
    for spoiled in (
        good._replace(event=3),
        good._replace(ticket=0),
        good._replace(reply=None),
        good._replace(reply_length=good.reply_length + 1),
        good._replace(timing={**good.timing, "total_us": -1}),
        good._replace(timing={**good.timing, "unknown": 1}),
        good._replace(status=STATUS["TIMEOUT"]),
        good._replace(outcome=OUTCOME["UNKNOWN"]),
    ):
        with pytest.raises(AssertionError):
            check(spoiled)
