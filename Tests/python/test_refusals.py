"""Refusals of a booking: which of them settle it, and which leave it in doubt or are waited out."""

from __future__ import annotations

import time

import pytest
from contract import failure, in_doubt, success
from ledger import unsettled
from run_reference import headers_of
from samples import DOWN, ONCE, QUICK, READS_ONLY, UNSPARED, booking_request, new_key

pytestmark = pytest.mark.usefixtures("no_violation")


ABOUT_THE_BOOKING = [
    ({"status": 400, "code": "invalid_payload"}, "REFUSED"),
    ({"status": 404, "code": "slot_not_found"}, "REFUSED"),
    ({"status": 409, "code": "slot_unavailable"}, "SLOT_UNAVAILABLE"),
    ({"status": 410, "code": "slot_gone"}, "REFUSED"),
    ({"status": 422, "code": "in_the_past"}, "REFUSED"),
]
ABOUT_SOMETHING_ELSE = [
    ({"status": 401, "code": "unauthorized"}, "UNAUTHORIZED"),
    ({"status": 403, "code": "forbidden"}, "UNAUTHORIZED"),
    ({"status": 418, "code": "teapot"}, "REFUSED"),
    ({"status": 425, "code": "too_early"}, "REFUSED"),
    ({"status": 429, "code": "slow_down"}, "RATE_LIMITED"),
    ({"status": 404, "code": "bot_not_found"}, "REFUSED"),
    ({"status": 404, "body": "<html>No such page</html>"}, "REFUSED"),
    ({"status": 422, "body": "{}"}, "REFUSED"),
]
"""Of the caller or of the way: they would be said of a booking that was made, too."""


@pytest.mark.parametrize("last", [step for step, _ in ABOUT_THE_BOOKING + ABOUT_SOMETHING_ELSE], ids=str)
def test_refusal_after_an_attempt_in_doubt(reference, http1, open_client, last):
    """A refusal is about its own request: the slot may be taken by the one in doubt."""
    bot, key = reference.bot({"status": 503}, {**DOWN, **last}), new_key()
    client = open_client(http1.config, retry={**QUICK, "max_attempts": 2}, **READS_ONLY)
    error = in_doubt(client.book(booking_request(bot, key)), last["status"], last.get("code", "http_error"))
    assert error["attempts"] == 2
    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [503, last["status"]]
    assert {headers_of(request)["idempotency-key"] for request in requests} == {key}


FIRST = {"platform_keys": "first", "platform_limit_ms": 1}
"""In a configuration: the platform looks at the key first, and is done with a request a second after its end."""

AFTER_THE_LIMIT = 1.1
"""Seconds."""


@pytest.mark.parametrize("endpoint", ["http1", "relay1"])
def test_refusals_that_settle_a_doubt(reference, request, open_client, endpoint):
    """Where the platform looks at keys first and has had its time: those for the booking's own sake. One of the caller
    or of the way would be said of a booking that was made, too.
    """
    service = request.getfixturevalue(endpoint)
    cases = ABOUT_THE_BOOKING + ABOUT_SOMETHING_ELSE
    steps = [(DOWN, {**DOWN, **last}) for last, _ in cases]
    if endpoint == "http1":
        client = open_client(service.config, retry=ONCE, **FIRST, **UNSPARED, **READS_ONLY)
        bots = [reference.bot(*each) for each in steps]
    else:
        bots = [f"bot_{number}" for number in range(len(cases))]
        platforms = {bot: service.platform(reference.account(*each), **FIRST) for bot, each in zip(bots, steps)}
        config = {**service.config("acct_none"), "platforms": platforms}
        client = open_client(config, retry=ONCE, **UNSPARED, **READS_ONLY)
    requests = [booking_request(bot) for bot in bots]
    for each in requests:
        in_doubt(client.book(each), 503, "ordered_503")
    time.sleep(AFTER_THE_LIMIT)
    for each, (last, status) in zip(requests, cases):
        if (last, status) in ABOUT_THE_BOOKING:
            error = failure(client.book(each), status)
            assert (error["status"], error["outcome"], error["attempts"]) == (last["status"], "rejected", 1)
        else:
            in_doubt(client.book(each), last["status"], last.get("code", "http_error"))


def test_doubt_is_settled_by_the_call_itself(reference, http1, open_client):
    """It asks again when the time of the platform is over, and not before."""
    bot = reference.bot({"status": 503}, {"status": 409, "code": "slot_unavailable"})
    client = open_client(http1.config, retry=ONCE, **FIRST, **READS_ONLY)
    error = failure(client.book(booking_request(bot)), "SLOT_UNAVAILABLE")
    assert (error["outcome"], error["attempts"]) == ("rejected", 2)
    first, second = reference.requests(bot)
    assert second["at"] - first["at"] >= 1.0


def test_time_of_the_platform_counts_from_the_last_unanswered_request(reference, http1, open_client):
    taken = {**DOWN, "status": 409, "code": "slot_unavailable"}
    bot = reference.bot(DOWN, DOWN, taken)
    client = open_client(http1.config, retry=ONCE, **FIRST, **READS_ONLY)
    request = booking_request(bot)
    in_doubt(client.book(request), 503, "ordered_503")
    time.sleep(AFTER_THE_LIMIT)
    in_doubt(client.book(request), 503, "ordered_503")
    in_doubt(client.book(request), 409, "slot_unavailable")


def test_nothing_is_sent_again_where_no_keys_are_kept(reference, http1, open_client):
    """It would be a second booking. So the call ends at once, and repeats of it send nothing."""
    bot, key = reference.bot({"status": 503}, {}), new_key()
    client = open_client(http1.config, retry=QUICK, platform_keys="none")
    request = booking_request(bot, key)
    assert in_doubt(client.book(request), 503, "ordered_503")["attempts"] == 1
    for repeat in (request, {"idempotency_key": key, "resume": True}):
        assert in_doubt(client.book(repeat), None, None)["attempts"] == 0
    assert len(reference.requests(bot)) == 1
    failure(client.book(booking_request(reference.bot({"status": 422, "code": "in_the_past"}))), "REFUSED")


def test_refusal_turns_out_to_be_a_booking(reference, http1, open_client):
    """The attempt in doubt had the slot before it had its booking. What the caller hears is the booking."""
    taken = {"status": 409, "code": "slot_unavailable"}
    bot, key = reference.bot({"status": 503, "processed": True}, taken, {}), new_key()
    result = open_client(http1.config, retry=QUICK).book(booking_request(bot, key))
    assert success(result)["booking"]["platform_reference"] == key
    assert [request["status"] for request in reference.requests(bot)] == [503, 409, 200]


@pytest.mark.parametrize(
    "step",
    [
        {"status": 409, "code": "request_in_progress"},
        {"status": 409, "code": "idempotency_key_in_use"},
        {"status": 409, "code": "still_processing"},
        {"status": 409, "code": "conflict", "headers": {"Retry-After": "0"}},
        {"status": 409, "body": "", "headers": {"Retry-After": "0"}},
    ],
    ids=str,
)
def test_key_in_progress_is_waited_for(reference, http1, open_client, step):
    """Beyond the attempts of the call, and on no budget: the service is at work on this very booking."""
    bot, key = reference.bot(step, {}), new_key()
    client = open_client(http1.config, retry={**QUICK, **ONCE, "budget": 1})
    assert success(client.book(booking_request(bot, key)))["booking"]["platform_reference"] == key
    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [409, 201]
    assert requests[1]["at"] - requests[0]["at"] >= 0.99
    assert {headers_of(request)["idempotency-key"] for request in requests} == {key}


def test_key_in_progress_is_asked_for_quickly_first(reference, http1, open_client):
    bot = reference.bot(*[{"status": 409, "code": "request_in_progress"}] * 2, {})
    success(open_client(http1.config, retry={**QUICK, "max_attempts": 3}).book(booking_request(bot)))
    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [409, 409, 201]
    assert requests[-1]["at"] - requests[0]["at"] < 0.99


def test_key_in_progress_is_waited_for_until_the_deadline(reference, service, open_client):
    step = {"status": 409, "code": "request_in_progress"}
    bot = reference.bot(step, {**DOWN, **step})
    client = open_client(service.config, retry={**QUICK, **ONCE}, **READS_ONLY)
    error = in_doubt(client.book(booking_request(bot)), 409, "request_in_progress")
    assert (error["retryable"], error["attempts"]) == (True, 2)
    assert len(reference.requests(bot)) == 2


CONFLICTS = [
    {"code": "something_else"},
    {"code": "conflict"},
    {"code": "version_conflict"},
    {"body": '{"error":"That time was just taken"}'},
    {"body": ""},
]


@pytest.mark.parametrize("step", CONFLICTS, ids=str)
def test_conflict_of_another_kind_is_asked_once_more(reference, http1, open_client, step):
    """After a second, with which a key that is in progress in other words has had its time. Then it is a refusal."""
    bot = reference.bot({"status": 409, **step})
    client = open_client(http1.config, retry={**QUICK, "max_attempts": 2})
    error = failure(client.book(booking_request(bot)), "REFUSED")
    assert (error["status"], error["code"]) == (409, step.get("code", "http_error"))
    assert (error["outcome"], error["attempts"]) == ("rejected", 2)
    first, second = reference.requests(bot)
    assert second["at"] - first["at"] >= 0.99
    assert unsettled(client) == []


def test_conflict_of_another_kind_may_give_way_to_the_booking(reference, http1, open_client):
    bot = reference.bot({"status": 409, "code": "something_else"}, {})
    success(open_client(http1.config, retry=ONCE).book(booking_request(bot)))
    assert [request["status"] for request in reference.requests(bot)] == [409, 201]


def test_conflict_of_another_kind_that_cannot_be_asked_once_more(reference, http1, open_client):
    """A repeat by the caller is the second one."""
    bot = reference.bot({"status": 409, "code": "something_else"})
    client = open_client(http1.config, retry=ONCE, **READS_ONLY)
    request = booking_request(bot)
    in_doubt(client.book({**request, "timeout_ms": 1000}), 409, "something_else")
    time.sleep(AFTER_THE_LIMIT)
    assert failure(client.book(request), "REFUSED")["attempts"] == 1


SPELLINGS = [
    *("slot_unavailable", "SLOT_UNAVAILABLE", "slotUnavailable", "slot-unavailable", "Slot Unavailable", "slot_taken"),
    *("booking_conflict", "BOOKING_CONFLICT", "time_slot_unavailable", "already_booked", "double_booking"),
]


@pytest.mark.parametrize("code", SPELLINGS)
def test_conflict_about_the_slot_in_any_spelling(reference, http1, open_client, code):
    bot = reference.bot({"status": 409, "code": code})
    error = failure(open_client(http1.config).book(booking_request(bot)), "SLOT_UNAVAILABLE")
    assert (error["code"], error["status"], error["source"]) == (code, 409, "platform")
    assert (error["outcome"], error["retryable"], error["attempts"]) == ("rejected", False, 1)
    assert len(reference.requests(bot)) == 1
