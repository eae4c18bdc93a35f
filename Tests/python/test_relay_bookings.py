"""Bookings over the relay are made exactly once, as at the Partner API: the same ledger, journal and completions."""

from __future__ import annotations

import json
from pathlib import Path

import pbk
import pytest
from completions import ByCallback
from contract import error_object, failure, in_doubt, success
from header import STATUS
from ledger import reused, unsettled_keys
from reference_names import WEBHOOK_SECRET
from run_reference import ReferenceServer
from samples import (
    BOT_ID,
    DOWN,
    ENDLESS,
    NAME,
    ONCE,
    PHONE,
    QUICK,
    READS_ONLY,
    UNSPARED,
    booking_request,
    lookup_request,
    new_key,
    search_request,
)
from waiting import PATIENT, SOON

DOWN_THOUGH_BOOKED = {**DOWN, "processed": True}
"""In a script."""

pytestmark = pytest.mark.usefixtures("no_violation")

REQUESTS = {"search": (pbk.SEARCH, search_request), "book": (pbk.BOOK, booking_request)}
REQUESTS["lookup"] = (pbk.LOOKUP, lookup_request)

operations = pytest.mark.parametrize(("operation", "request_of"), REQUESTS.values(), ids=REQUESTS)


def made(reference: ReferenceServer, account: str) -> list[str]:
    """The keys of the bookings that were made."""
    return [booking["idempotency_key"] for booking in reference.bookings(account_id=account)["bookings"]]


def asked(reference: ReferenceServer, account: str) -> list[str]:
    """The keys of all requests for bookings."""
    return [request["idempotency_key"] for request in reference.bookings(account_id=account)["requests"]]


# One key, one booking


def test_twins_are_one_booking(reference, relay, open_client, threads):
    """Whether they meet in flight or one comes after the other."""
    account, request = reference.account({"hold_ms": 100}), booking_request()
    client = open_client(relay.config(account))
    results = list(threads.map(lambda _: client.book(request), range(16)))
    success(results[0])
    assert set(results) == {results[0]}
    assert asked(reference, account) == made(reference, account) == [request["idempotency_key"]]


def test_booking_behind_a_failure_is_made_once(reference, relay, open_client):
    """The platform books and then answers 503. The second attempt finds that booking, and makes no other."""
    account, key = reference.account({"status": 503, "processed": True}, {}), new_key()
    booking = success(open_client(relay.config(account), retry=QUICK).book(booking_request(key=key)))["booking"]
    assert booking["platform_reference"] == key
    assert asked(reference, account) == [key, key]
    assert made(reference, account) == [key]


def test_refusal_settles_no_doubt(reference, relay, open_client):
    """The same rule as at the Partner API: it may be about the slot that the first request holds."""
    account, key = reference.account({"status": 503}, {**DOWN, "status": 409, "code": "slot_unavailable"}), new_key()
    client = open_client(relay.config(account), retry=QUICK, **READS_ONLY)
    assert in_doubt(client.book(booking_request(key=key)), 409, "slot_unavailable")["attempts"] == 2
    assert asked(reference, account) == [key] * 2
    assert unsettled_keys(client) == [key]


def test_platform_may_have_rules_of_its_own(reference, relay1, open_client):
    """What is known of one is not known of another."""
    taken = {"status": 409, "code": "slot_unavailable"}
    accounts = [reference.account({"status": 503}, last) for last in ({**DOWN, **taken}, taken, taken)]
    platforms = {
        "bot_kept": relay1.platform(accounts[0]),
        "bot_first": relay1.platform(accounts[1], platform_keys="first", platform_limit_ms=1),
        "bot_none": relay1.platform(accounts[2], platform_keys="none"),
    }
    client = open_client(relay1.config(accounts[0]), platforms=platforms, retry=ONCE, **READS_ONLY)
    in_doubt(client.book(booking_request("bot_kept")), 409, "slot_unavailable")
    assert failure(client.book(booking_request("bot_first")), "SLOT_UNAVAILABLE")["attempts"] == 2
    in_doubt(client.book(booking_request("bot_none")), 503, "ordered_503")
    assert [len(asked(reference, account)) for account in accounts] == [2, 2, 1]


def test_refusal_in_words_of_its_own_settles_no_doubt(reference, relay1, open_client):
    account = reference.account({"status": 503}, {**DOWN, "status": 422, "body": '{"reason":"closed"}'})
    client = open_client(relay1.config(account), retry=QUICK, **READS_ONLY)
    assert in_doubt(client.book(booking_request()), 422, "http_error")["attempts"] == 2


def test_key_of_another_request(reference, relay1, open_client):
    """Another bot is another request, also when it has the same account."""
    account, key = reference.account(), new_key()
    platforms = {bot: relay1.platform(account) for bot in (BOT_ID, "bot_another")}
    client = open_client(relay1.config(account), platforms=platforms)
    first = client.book(booking_request(key=key))
    success(first)
    reused(client.book(booking_request("bot_another", key)), key, "booked", booking_id=success(first)["booking"]["id"])
    assert client.book(booking_request(key=key)) == first
    assert asked(reference, account) == [key]


@pytest.mark.parametrize("how", ["blocking", "submitted"])
def test_call_refused_early_denies_no_booking(reference, relay1, open_client, how):
    """What is known of the key decides, not that this call was never sent."""
    account, key = reference.account(DOWN_THOUGH_BOOKED, {}), new_key()
    platforms = {BOT_ID: relay1.platform(account), "bot_mute": {"account_id": account}}
    client = open_client(relay1.config(account), retry=ONCE, platforms=platforms, **READS_ONLY)
    in_doubt(client.book(booking_request(key=key)), 503, "ordered_503")
    for bot, status in [("bot_unknown", "UNKNOWN_BOT"), ("bot_mute", "NO_WEBHOOK")]:
        request = booking_request(bot, key, tag="call-7")
        if how == "blocking":
            result = client.book(request)
        else:
            submission = client.submit(pbk.BOOK, request)
            result = pbk.Result(submission.status, submission.error)
        error = failure(result, status)
        assert (error["outcome"], error["idempotency_key"], error["tag"]) == ("unknown", key, "call-7")
    assert unsettled_keys(client) == [key]


# Over the end of a process


def test_restart_with_a_journal(reference, relay, open_client, tmp_path):
    """A booking in doubt is settled by the next client on the journal, signed with the secret that this one has."""
    account = reference.account(DOWN_THOUGH_BOOKED, {}, secrets=[WEBHOOK_SECRET, "whsec_renewed"])
    journal, key = tmp_path / "journal", new_key()
    config = {**relay.config(account), "journal_path": str(journal), "retry": ONCE, **READS_ONLY}
    with pbk.Client(config) as first:
        in_doubt(first.book(booking_request(key=key)), 503, "ordered_503")
    assert b"whsec_" not in journal.read_bytes()

    platforms = {BOT_ID: relay.platform(account, webhook_secret="whsec_renewed")}
    second = open_client(config, platforms=platforms)
    assert unsettled_keys(second) == [key]
    resumed = second.book({"idempotency_key": key, "resume": True})
    assert success(resumed)["booking"]["platform_reference"] == key
    assert unsettled_keys(second) == []
    assert asked(reference, account) == [key, key]
    assert made(reference, account) == [key]
    assert second.close() == STATUS["OK"]

    third = open_client(config)
    assert third.book(booking_request(key=key)) == resumed
    assert asked(reference, account) == [key, key]


def test_opening_resumes(reference, relay1, open_client, tmp_path):
    account, key = reference.account(DOWN_THOUGH_BOOKED, {}), new_key()
    config = {**relay1.config(account), "journal_path": str(tmp_path / "journal"), "retry": ONCE, **READS_ONLY}
    with pbk.Client(config) as first:
        in_doubt(first.book(booking_request(key=key)), 503, "ordered_503")
    second = open_client(config, resume_on_open=True)
    assert success(second.book({"idempotency_key": key, "resume": True}))["booking"]["platform_reference"] == key
    assert asked(reference, account) == [key, key]
    assert made(reference, account) == [key]


@pytest.mark.parametrize("how", ["by asking", "by opening"])
def test_bot_that_is_gone_after_a_restart(reference, relay1, open_client, tmp_path, how):
    """Its booking stays in doubt, and is settled when the bot is back."""
    account, key = reference.account(DOWN_THOUGH_BOOKED, {}), new_key()
    config = {**relay1.config(account), "journal_path": str(tmp_path / "journal"), "retry": ONCE, **READS_ONLY}
    with pbk.Client(config) as first:
        in_doubt(first.book(booking_request(key=key)), 503, "ordered_503")
    without = {"platforms": {"bot_another": relay1.platform(account)}, "resume_on_open": how == "by opening"}
    with pbk.Client({**config, **without}) as second:
        error = failure(second.book({"idempotency_key": key, "resume": True}), "UNKNOWN_BOT")
        assert (error["outcome"], error["idempotency_key"]) == ("unknown", key)
        assert unsettled_keys(second) == [key]
    assert asked(reference, account) == [key]
    third = open_client(config)
    success(third.book({"idempotency_key": key, "resume": True}))
    assert made(reference, account) == [key]


def test_platform_that_has_moved(reference, relay1, relay2, open_client, tmp_path):
    """Its account is what a booking belongs to, and not its address."""
    account, key = reference.account(DOWN_THOUGH_BOOKED, {}), new_key()
    journal = {"journal_path": str(tmp_path / "journal"), "retry": ONCE, **READS_ONLY}
    with pbk.Client({**relay1.config(account), **journal}) as first:
        in_doubt(first.book(booking_request(key=key)), 503, "ordered_503")
    success(open_client({**relay2.config(account), **journal}).book({"idempotency_key": key, "resume": True}))
    assert [request["http_version"] for request in reference.requests(account)] == ["1.1", "2"]
    assert made(reference, account) == [key]


@pytest.mark.parametrize("how", ["by asking", "by opening"])
def test_bot_that_has_another_account_now(reference, relay1, open_client, tmp_path, how):
    """The account that may have its booking is the only one that is asked again."""
    account, other, key = reference.account(DOWN_THOUGH_BOOKED, {}), reference.account(), new_key()
    journal = {"journal_path": str(tmp_path / "journal"), "retry": ONCE, **READS_ONLY}
    with pbk.Client({**relay1.config(account), **journal}) as first:
        in_doubt(first.book(booking_request(key=key)), 503, "ordered_503")
    with pbk.Client({**relay1.config(other), **journal, "resume_on_open": how == "by opening"}) as second:
        for request in ({"idempotency_key": key, "resume": True}, booking_request(key=key)):
            error = failure(second.book(request), "ACCOUNT_CHANGED")
            assert (error["outcome"], error["idempotency_key"]) == ("unknown", key)
        assert unsettled_keys(second) == [key]
    assert asked(reference, other) == []
    success(open_client({**relay1.config(account), **journal}).book({"idempotency_key": key, "resume": True}))
    assert made(reference, account) == [key]


def test_journal_of_the_other_endpoint(reference, http1, relay1, tmp_path):
    """What the Partner API may have booked nobody settles at a platform's webhook, nor the other way round."""
    configs = [http1.config, relay1.config(reference.account())]
    for number, (first, second) in enumerate([configs, configs[::-1]]):
        journal = {"journal_path": str(tmp_path / f"journal-{number}")}
        pbk.Client({**first, **journal}).close()
        with pytest.raises(pbk.OpenError) as raised:
            pbk.Client({**second, **journal})
        error = error_object(raised.value.reply)
        assert (error["code"], error["field"]) == ("invalid_config", "journal_path")


# Calls that are handed over


@operations
def test_submitted_call_gives_what_a_blocking_one_gives(reference, relay, open_client, way, operation, request_of):
    account = reference.account()
    client = open_client(relay.config(account))
    request = request_of(tag="call-7")
    ticket = way.submit(client, operation, request, 7)
    completion = way.next(client)
    assert (completion.ticket, completion.tag, completion.context) == (ticket, "call-7", 7)
    success(completion.result)
    (sent,) = reference.requests(account)
    assert completion.reply.decode("latin-1") == sent["reply"]
    assert completion.timing["http_version"] == relay.http_version
    assert completion.timing["sent_bytes"] == len(sent["body"])
    blocking = {pbk.SEARCH: client.search, pbk.BOOK: client.book, pbk.LOOKUP: client.lookup}[operation]
    assert blocking(request) == completion.result


@operations
def test_cancel(reference, relay, open_client, way, operation, request_of):
    account = reference.account(ENDLESS)
    client = open_client(relay.config(account), **PATIENT)
    ticket = way.submit(client, operation, request_of(tag="call-7"))
    assert reference.wait_for_requests(account, 1)
    assert client.cancel(ticket) == STATUS["OK"]
    completion = way.next(client)
    assert (completion.ticket, completion.tag) == (ticket, "call-7")
    error = failure(completion.result, "CANCELLED")
    assert error.get("outcome") == ("unknown" if operation == pbk.BOOK else None)
    client.close()
    assert way.rest(client) == []


@operations
def test_close_ends_calls_under_way(reference, relay, open_client, way, operation, request_of):
    account = reference.account(ENDLESS)
    client = open_client(relay.config(account), **PATIENT)
    tickets = [way.submit(client, operation, request_of()) for _ in range(4)]
    assert reference.wait_for_requests(account, 4)
    assert client.close(0) == STATUS["TIMEOUT"]
    ended = way.rest(client)
    assert sorted(completion.ticket for completion in ended) == tickets
    for completion in ended:
        error = failure(completion.result, "CLIENT_CLOSED")
        assert error.get("outcome") == ("unknown" if operation == pbk.BOOK else None)


def test_slow_look_up_is_told_of(reference, relay1, open_client):
    account = reference.account({"hold_ms": 400})
    told = ByCallback()
    client = open_client(relay1.config(account))
    ticket = told.submit(client, pbk.LOOKUP, lookup_request(slow_after_ms=20))
    assert [(completion.ticket, completion.event) for completion in (told.next(), told.next())] == [
        (ticket, pbk.SLOW),
        (ticket, pbk.DONE),
    ]


def test_look_up_is_tried_again(reference, relay1, open_client):
    account = reference.account({"status": 503}, {"status": 429}, {})
    assert success(open_client(relay1.config(account), retry=QUICK).lookup(lookup_request())) == {"found": False}
    assert [request["status"] for request in reference.requests(account)] == [503, 429, 200]


def test_calls_of_many_threads_each_get_their_own_reply(reference, relay, open_client, threads):
    """All three operations on one client, for as many accounts as there are threads."""
    accounts = [reference.account() for _ in range(16)]
    platforms = {f"bot_{number}": relay.platform(account) for number, account in enumerate(accounts)}
    client = open_client(relay.config(accounts[0]), platforms=platforms)

    def work(number: int) -> None:
        bot = f"bot_{number}"
        for hour in range(8):
            phone = f"+1415555{number:02}{hour:02}"
            request = booking_request(bot)
            request["booking"]["start_at"] = f"2030-01-14T{9 + hour:02}:00:00Z"
            request["booking"]["customer"]["phone"] = phone
            assert success(client.search(search_request(bot)))["account_id"] == accounts[number]
            assert success(client.book(request))["booking"]["platform_reference"] == request["idempotency_key"]
            customer = success(client.lookup(lookup_request(bot, phone)))["customer"]
            assert customer["existing_appointment"]["start_at"] == request["booking"]["start_at"]

    for call in [threads.submit(work, number) for number in range(16)]:
        call.result(3 * SOON)
    assert [len(made(reference, account)) for account in accounts] == [8] * 16


# What is told to whom


def test_platforms_words_are_in_message_and_reply_only(reference, relay1, open_client):
    """They may name the customer."""
    body = {"reason": f"{NAME} is known by another number than {PHONE}"}
    account = reference.account({"status": 422, "body": json.dumps(body)})
    result = open_client(relay1.config(account)).book(booking_request())
    error = json.loads(result.reply)["error"]
    assert error.pop("reply") == body
    assert error["message"] == f"HTTP 422: {body['reason']}"
    error["message"] = "elsewhere"
    error_object(json.dumps({"error": error}).encode())


def test_breaker_that_is_off_lets_every_call_through(reference, relay1, open_client):
    account = reference.account({"status": 500})
    client = open_client(relay1.config(account), retry=ONCE, **UNSPARED)
    for _ in range(15):
        failure(client.lookup(lookup_request()), "SERVICE_FAILED")
    assert len(reference.requests(account)) == 15


def test_secrets_are_not_in_the_journal_nor_its_copies(reference, relay1, tmp_path: Path):
    account = reference.account()
    with pbk.Client({**relay1.config(account), "journal_path": str(tmp_path / "journal")}) as client:
        success(client.book(booking_request()))
    for file in tmp_path.iterdir():
        assert b"whsec_" not in file.read_bytes()
