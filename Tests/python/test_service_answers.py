"""What the library makes of the service's answers: retries, statuses, replies that cannot be used, deadlines."""

from __future__ import annotations

import time

import pytest
from contract import STATUS, failure, in_doubt, success
from ledger import unsettled
from reference_api import BOOKING_PATH
from run_reference import headers_of
from samples import DOWN, ONCE, QUICK, READS_ONLY, UNSPARED, booking_request, new_key, search_request

OK = {"status": 200, "body": '{"availabilities":[]}'}

AT_ONCE = {"platform_keys": "none"}
"""In a configuration: a call in doubt ends at once, whatever its deadline."""

pytestmark = pytest.mark.usefixtures("no_violation")


# Retries


def test_retry_after_a_failure(reference, service, open_client):
    bot, key = reference.bot({"status": 503}, {"status": 503}, {}), new_key()
    result = open_client(service.config, retry=QUICK).book(booking_request(bot, key))
    assert success(result)["booking"]["platform_reference"] == key
    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [503, 503, 201]
    assert {headers_of(request)["idempotency-key"] for request in requests} == {key}
    assert len({request["body"] for request in requests}) == 1


def test_booking_behind_a_failure_is_made_once(reference, http1, open_client):
    """The service books and then answers 503. The second attempt must find that booking, not make another."""
    bot = reference.bot({"status": 503, "processed": True}, {})
    success(open_client(http1.config, retry=QUICK).book(booking_request(bot)))
    assert [request["status"] for request in reference.requests(bot)] == [503, 200]


@pytest.mark.parametrize("most", [1, 2, 5])
def test_attempts_are_limited(reference, http1, open_client, most):
    bot = reference.bot({"status": 503, "code": "platform_down"})
    client = open_client(http1.config, retry={**QUICK, "max_attempts": most})
    error = failure(client.search(search_request(bot)), "SERVICE_FAILED")
    assert (error["code"], error["status"]) == ("platform_down", 503)
    assert error["attempts"] == len(reference.requests(bot)) == most


@pytest.mark.parametrize("most", [1, 2])
def test_booking_in_doubt_is_asked_for_beyond_the_attempts(reference, http1, open_client, most):
    """After the quick retries with a pause: the key may give the booking at any moment."""
    bot, key = reference.bot(*[{"status": 503}] * most, {}), new_key()
    client = open_client(http1.config, retry={**QUICK, "max_attempts": most})
    assert success(client.book(booking_request(bot, key)))["booking"]["platform_reference"] == key
    requests = reference.requests(bot)
    assert [request["status"] for request in requests] == [503] * most + [201]
    assert {headers_of(request)["idempotency-key"] for request in requests} == {key}
    pauses = [later["at"] - earlier["at"] for earlier, later in zip(requests, requests[1:])]
    assert pauses[-1] >= 0.99 and max([0.0, *pauses[:-1]]) < 0.99


def test_booking_that_cannot_be_asked_for_before_the_deadline(reference, http1, open_client):
    """Its call ends at once, while the bot can still say something."""
    bot = reference.bot({"status": 503})
    client = open_client(http1.config, retry=ONCE, **READS_ONLY)
    started = time.monotonic()
    error = in_doubt(client.book(booking_request(bot, timeout_ms=1000)), 503, "ordered_503")
    assert time.monotonic() - started < 0.9
    assert (error["attempts"], error["source"], error["retryable"]) == (1, "partner_api", True)
    assert error["doubt"]["sent_ms_ago"] < 1000


def test_retry_after_is_respected(reference, http1, open_client):
    bot, key = reference.bot({"status": 429, "headers": {"Retry-After": "1"}}, {}), new_key()
    success(open_client(http1.config, retry=QUICK).book(booking_request(bot, key)))
    first, second = reference.requests(bot)
    assert second["at"] - first["at"] >= 0.99
    assert headers_of(first)["idempotency-key"] == headers_of(second)["idempotency-key"] == key


def test_retry_after_comes_back(reference, http1, open_client):
    bot = reference.bot({"status": 429, "code": "slow_down", "headers": {"Retry-After": "7"}})
    error = failure(open_client(http1.config, retry=ONCE).book(booking_request(bot)), "RATE_LIMITED")
    assert (error["retry_after_ms"], error["outcome"], error["retryable"]) == (7000, "rejected", True)


def test_retry_after_beyond_the_deadline(reference, http1, open_client):
    bot = reference.bot({"status": 429, "headers": {"Retry-After": "60"}})
    error = failure(open_client(http1.config).search(search_request(bot, timeout_ms=2000)), "RATE_LIMITED")
    assert (error["retry_after_ms"], error["attempts"]) == (60_000, 1)


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


def test_retries_of_all_calls_together_are_limited(reference, http1, open_client):
    """Nobody waits ten seconds for three tokens here, so at most one more has come back."""
    bot = reference.bot({"status": 503})
    client = open_client(http1.config, retry={**QUICK, "max_attempts": 2, "budget": 3}, **UNSPARED)
    attempts = [failure(client.search(search_request(bot)), "SERVICE_FAILED")["attempts"] for _ in range(12)]
    assert attempts[:3] == [2, 2, 2]
    assert 1 in attempts[3:]
    assert sum(attempts) == len(reference.requests(bot)) < 24


@pytest.mark.parametrize("most", [1, 4])
def test_service_that_keeps_failing_is_left_alone(reference, http1, open_client, most):
    """Failures in a row count, and a success between them starts the count anew."""
    broken, sound = reference.bot(DOWN), reference.bot()
    breaker = {"failures": most, "open_ms": 600_000}
    client = open_client(http1.config, retry=ONCE, circuit_breaker=breaker, **READS_ONLY)
    for _ in range(2):
        for _ in range(most - 1):
            failure(client.search(search_request(broken)), "SERVICE_FAILED")
        success(client.search(search_request(sound)))
    for _ in range(most):
        in_doubt(client.book(booking_request(broken)), 503, "ordered_503")
    sent = len(reference.requests(broken)), len(reference.requests(sound))
    for _ in range(3):
        error = failure(client.book(booking_request(sound)), "CIRCUIT_OPEN")
        assert (error["outcome"], error["attempts"], error["retryable"]) == ("not_sent", 0, True)
        assert 0 < error["retry_after_ms"] <= 600_000
    assert (len(reference.requests(broken)), len(reference.requests(sound))) == sent


def test_service_that_was_left_alone_is_tried_again(reference, http1, open_client):
    broken, sound = reference.bot({"status": 503}), reference.bot()
    client = open_client(http1.config, retry=ONCE, circuit_breaker={"failures": 1, "open_ms": 100})
    failure(client.search(search_request(broken)), "SERVICE_FAILED")
    deadline = time.monotonic() + 20
    while client.search(search_request(sound)).status == STATUS["CIRCUIT_OPEN"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for _ in range(3):
        success(client.search(search_request(sound)))


def test_breaker_can_be_turned_off(reference, http1, open_client):
    broken = reference.bot({"status": 503})
    client = open_client(http1.config, retry=ONCE, **UNSPARED)
    for _ in range(25):
        failure(client.search(search_request(broken)), "SERVICE_FAILED")
    assert len(reference.requests(broken)) == 25


def test_refusals_are_not_tried_again(reference, http1, open_client):
    bot = reference.bot({"status": 404, "code": "bot_not_found"})
    failure(open_client(http1.config, retry=QUICK).search(search_request(bot)), "REFUSED")
    assert len(reference.requests(bot)) == 1


# What the service says


@pytest.mark.parametrize(
    ("answered", "code", "status", "retryable"),
    [
        (400, "invalid_payload", "REFUSED", False),
        (401, "unauthorized", "UNAUTHORIZED", False),
        (403, "bot_forbidden", "UNAUTHORIZED", False),
        (404, "bot_not_found", "REFUSED", False),
        (409, "slot_unavailable", "SLOT_UNAVAILABLE", False),
        (418, "teapot", "REFUSED", False),
        (422, "in_the_past", "REFUSED", False),
        (425, "too_early", "REFUSED", True),
        (429, "slow_down", "RATE_LIMITED", True),
    ],
)
def test_refusal_of_the_service(reference, service, open_client, answered, code, status, retryable):
    bot = reference.bot({"status": answered, "code": code})
    client = open_client(service.config, retry=ONCE)
    error = failure(client.book(booking_request(bot)), status)
    assert (error["status"], error["code"], error["message"]) == (answered, code, "Ordered by the test")
    assert (error["retryable"], error["outcome"], error["attempts"]) == (retryable, "rejected", 1)
    assert error["request_id"].startswith("req-")
    assert "outcome" not in failure(client.search(search_request(bot)), status)


@pytest.mark.parametrize(
    ("answered", "code", "status", "retryable"),
    [
        (408, "request_timeout", "REFUSED", True),
        (500, "internal", "SERVICE_FAILED", True),
        (501, "not_implemented", "SERVICE_FAILED", False),
        (502, "bad_gateway", "SERVICE_FAILED", True),
        (504, "gateway_timeout", "SERVICE_FAILED", True),
        (505, "no_such_version", "SERVICE_FAILED", False),
    ],
)
def test_status_that_is_no_answer(reference, service, open_client, answered, code, status, retryable):
    """The booking may be behind it. A search has failed, and says how."""
    bot = reference.bot({**DOWN, "status": answered, "code": code})
    client = open_client(service.config, retry=ONCE, **READS_ONLY)
    error = in_doubt(client.book(booking_request(bot)), answered, code)
    assert (error["status"], error["source"], error["attempts"]) == (None, "partner_api", 1)
    error = failure(client.search(search_request(bot)), status)
    assert (error["status"], error["code"], error["message"]) == (answered, code, "Ordered by the test")
    assert error["retryable"] is retryable and "outcome" not in error
    assert error["request_id"].startswith("req-")


@pytest.mark.parametrize("answered", [500, 502, 503, 504, 408])
def test_failure_is_tried_again_with_the_same_key(reference, http1, open_client, answered):
    """A plain 500 too: the platform may have booked before it failed."""
    bot, key = reference.bot({"status": answered, "processed": True}, {}), new_key()
    success(open_client(http1.config, retry=QUICK).book(booking_request(bot, key)))
    first, second = reference.requests(bot)
    assert (first["status"], second["status"]) == (answered, 200)
    assert second["at"] - first["at"] < 0.99
    assert len(reference.bookings(idempotency_key=key)["bookings"]) == 1


@pytest.mark.parametrize("answered", [301, 302, 303, 307, 308])
def test_redirect_is_not_followed(reference, service, open_client, answered):
    """The key must not travel: nobody may ask for where the redirect points to."""
    elsewhere = f"/elsewhere/{new_key()}"
    bot = reference.bot({"status": answered, "headers": {"Location": elsewhere, **DOWN["headers"]}})
    client = open_client(service.config, **READS_ONLY)
    in_doubt(client.book(booking_request(bot)), answered, f"ordered_{answered}")
    assert [request["path"] for request in reference.requests(bot)] == [BOOKING_PATH]
    error = failure(client.search(search_request(bot)), "REFUSED")
    assert (error["status"], error["retryable"]) == (answered, False)
    assert reference.requests(elsewhere) == []


HTML = "<html><body>Bad gateway</body></html>"


@pytest.mark.parametrize(("answered", "status"), [(502, "IN_DOUBT"), (404, "REFUSED"), (403, "UNAUTHORIZED")])
@pytest.mark.parametrize("body", [HTML, "", "[]", '{"error":"down"}', '{"error":{"message":"no code"}}'])
def test_error_status_without_error_object(reference, http1, open_client, answered, status, body):
    bot = reference.bot({**DOWN, "status": answered, "body": body, "content_type": "text/html"})
    result = open_client(http1.config, retry=ONCE, **READS_ONLY).book(booking_request(bot))
    if status == "IN_DOUBT":
        error = in_doubt(result, answered, "http_error")
    else:
        error = failure(result, status)
        assert (error["code"], error["status"], error["outcome"]) == ("http_error", answered, "rejected")
    assert "Bad gateway" not in error["message"]


@pytest.mark.parametrize(
    "body",
    [
        HTML,
        "",
        "[]",
        "null",
        "{}",
        '{"availabilities":{},"booking":[]}',
        '{"availabilities":null,"booking":null}',
        '{"nested":{"availabilities":[],"booking":{}}}',
        '{"availabilities":[],"booking":{}',
        '{"availabilities":[],"booking":{}} {}',
        '{"availabilities":[NaN],"booking":{"n":NaN}}',
    ],
)
def test_success_status_with_another_body(reference, service, open_client, body):
    bot = reference.bot({"status": 200, "body": body, "content_type": "text/html; charset=utf-8"})
    client = open_client(service.config, **READS_ONLY)
    error = failure(client.search(search_request(bot)), "INVALID_REPLY")
    assert (error["status"], error["attempts"]) == (200, 1)
    assert (error["content_type"], error["reply_bytes"]) == ("text/html; charset=utf-8", len(body))
    assert "Bad gateway" not in error["message"] and "outcome" not in error
    error = in_doubt(client.book(booking_request(bot, timeout_ms=1000)), 200, "invalid_reply")
    assert error["attempts"] == 1 and "Bad gateway" not in error["message"]


@pytest.mark.parametrize(
    "booking",
    [
        "{}",
        '{"status":"confirmed"}',
        '{"id":null,"start_at":null}',
        '{"id":"bkg_1","error":{"code":"slot_unavailable"}}',
        '{"id":"bkg_1","error":false}',
    ],
)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_success_without_a_booking(reference, http1, open_client, status, booking):
    """A booking has an `id` or a `start_at`, and no `error` in it."""
    bot = reference.bot({"status": status, "body": f'{{"booking":{booking}}}'})
    client = open_client(http1.config, **READS_ONLY)
    in_doubt(client.book(booking_request(bot, timeout_ms=1000)), status, "invalid_reply")


@pytest.mark.parametrize(
    "booking", ['{"id":7}', '{"start_at":"2030-01-14T10:00:00Z"}', '{"id":"bkg_1","error":null}', '{"start_at":""}']
)
def test_success_with_little_of_a_booking(reference, http1, open_client, booking):
    body = f'{{"booking":{booking}}}'
    bot = reference.bot({"status": 200, "body": body})
    assert open_client(http1.config).book(booking_request(bot)) == (STATUS["OK"], body.encode())


def test_reply_without_content_type(reference, http1, open_client):
    bot = reference.bot({"status": 200, "body": HTML, "content_type": None})
    assert failure(open_client(http1.config).search(search_request(bot)), "INVALID_REPLY")["content_type"] is None


@pytest.mark.parametrize("shape", [{}, {"chunked": True}, {"gzip": True}], ids=["plain", "chunked", "gzip"])
def test_limit_of_a_reply(reference, service, open_client, shape):
    """To the byte, and after decompression."""
    fitting, larger = (reference.bot({**OK, "pad_to": size, **shape}) for size in (2000, 2001))
    client = open_client(service.config, max_reply_bytes=2000)
    assert len(client.search(search_request(fitting)).reply) == 2000
    error = failure(client.search(search_request(larger)), "REPLY_TOO_LARGE")
    assert (error["status"], error["attempts"]) == (200, 1)
    success(client.search(search_request(fitting)))


@pytest.mark.parametrize(
    "step",
    [{"pad_to": 50 << 20, "gzip": True}, {"pad_to": 2 << 20}, {"pad_to": 2 << 20, "chunked": True}],
    ids=["bomb", "long", "long and chunked"],
)
def test_endless_reply(reference, service, open_client, step):
    bot = reference.bot({"status": 201, "body": '{"booking":{"id":"bkg_1"}}', **step})
    client = open_client(service.config, **AT_ONCE)
    in_doubt(client.book(booking_request(bot)), 201, "reply_too_large")
    success(client.search(search_request(reference.bot())))


@pytest.mark.parametrize("status", [300, 401, 409, 429, 500, 503])
def test_refusal_that_is_too_long(reference, service, open_client, status):
    """It is the library that says so, whatever the HTTP status; failure() reads the status from the reply as well."""
    bot = reference.bot({"status": status, "body": '{"error":{"code":"reply_too_large"}}', "pad_to": 2001})
    client = open_client(service.config, max_reply_bytes=2000, **AT_ONCE)
    error = failure(client.search(search_request(bot)), "REPLY_TOO_LARGE")
    assert error["status"] == status and "curl_code" in error


def test_limit_counts_white_space_after_the_object(reference, service, open_client):
    """What is handed over is the service's reply byte for byte, or it is not handed over: never its beginning."""
    bot = reference.bot({"status": 201, "body": '{"booking":{"id":"bkg_1"}}' + " " * (2 << 20)})
    in_doubt(open_client(service.config, **AT_ONCE).book(booking_request(bot)), 201, "reply_too_large")


# Time


def test_timeout(reference, service, open_client):
    bot = reference.bot({"delay_ms": 4000})
    client = open_client(service.config)
    started = time.monotonic()
    error = failure(client.book(booking_request(bot, timeout_ms=300)), "TIMEOUT")
    assert 0.29 < time.monotonic() - started < 3
    assert (error["outcome"], error["attempts"]) == ("unknown", 1)
    assert "outcome" not in failure(client.search(search_request(bot, timeout_ms=50)), "TIMEOUT")
    success(client.search(search_request(reference.bot())))


def test_timeout_of_the_configuration(reference, http1, open_client):
    bot = reference.bot({"delay_ms": 4000})
    failure(open_client(http1.config, timeout_ms=100).search(search_request(bot)), "TIMEOUT")


def test_deadline_spans_all_attempts(reference, http1, open_client):
    bot = reference.bot({"status": 503, "delay_ms": 150})
    retry = {**QUICK, "max_attempts": 10}
    started = time.monotonic()
    result = open_client(http1.config, retry=retry).search(search_request(bot, timeout_ms=500))
    assert result.status in (STATUS["TIMEOUT"], STATUS["SERVICE_FAILED"])
    assert time.monotonic() - started < 1.4
    assert 1 < len(reference.requests(bot)) < 10
