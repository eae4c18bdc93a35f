"""Relaying to a platform: which secret signs, and which account is asked."""

from __future__ import annotations

import json
import time
from typing import Any

import pbk
import pytest
from contract import failure, success
from header import STATUS
from reference_names import WEBHOOK_SECRET
from reference_webhook import is_signed, signature_of
from relays import OTHER_BOT, REQUESTS, body_of, operations, time_of
from run_reference import headers_of
from samples import BOT_ID, booking_request, search_request

pytestmark = pytest.mark.usefixtures("no_violation")


NEXT, LAST = "whsec_next", "whsec_last"


def signers(reference: Any, account: str) -> list[str]:
    """Which secret each request was signed with."""
    found = []
    for request in reference.requests(account):
        signature = headers_of(request)["x-dialstack-signature"]
        (secret,) = (one for one in (NEXT, LAST) if signature == signature_of(one, time_of(request), body_of(request)))
        found.append(secret)
    return found


@pytest.mark.parametrize("accepted", [[NEXT, LAST], [NEXT]], ids=str)
def test_first_of_two_secrets_signs(reference, relay, open_client, accepted):
    account = reference.account(secrets=accepted)
    platforms = {BOT_ID: relay.platform(account, webhook_secret=[NEXT, LAST])}
    success(open_client(relay.config(account), platforms=platforms).book(booking_request()))
    assert signers(reference, account) == [NEXT]


@operations
def test_second_secret_signs_where_the_first_is_not_accepted(reference, relay, open_client, operation):
    """A platform that has not heard of the new one yet. It is remembered which one it took."""
    account = reference.account(secrets=[LAST])
    platforms = {BOT_ID: relay.platform(account, webhook_secret=[NEXT, LAST])}
    client = open_client(relay.config(account), platforms=platforms)
    success(getattr(client, operation)(REQUESTS[operation]()))
    first, second = reference.requests(account)
    assert second["at"] - first["at"] < 0.99
    success(client.search(search_request()))
    assert signers(reference, account) == [NEXT, LAST, LAST]


def test_rotation_ends(reference, relay1, open_client):
    """The platform takes the new secret at last, and refuses the old one."""
    account = reference.account(secrets=[LAST])
    platforms = {BOT_ID: relay1.platform(account, webhook_secret=[NEXT, LAST])}
    client = open_client(relay1.config(account), platforms=platforms)
    success(client.search(search_request()))
    reference.account(name=account, secrets=[NEXT])
    for _ in range(2):
        success(client.search(search_request()))
    assert signers(reference, account) == [NEXT, LAST, LAST, NEXT, NEXT]


def test_secret_of_one_bot_is_no_matter_of_another(reference, relay, open_client):
    """Also where both are behind one webhook: the other has one secret, and signs with that."""
    late, other = reference.account(secrets=[LAST]), reference.account(secrets=[NEXT])
    platforms = {
        BOT_ID: relay.platform(late, webhook_secret=[NEXT, LAST]),
        OTHER_BOT: relay.platform(other, webhook_secret=NEXT),
    }
    client = open_client(relay.config(late), platforms=platforms)
    for _ in range(2):
        success(client.search(search_request()))
        success(client.search(search_request(OTHER_BOT)))
    success(client.book(booking_request(OTHER_BOT)))
    assert signers(reference, late) == [NEXT, LAST, LAST]
    assert signers(reference, other) == [NEXT, NEXT, NEXT]


@pytest.mark.parametrize(("secrets", "expected"), [(NEXT, [NEXT, NEXT]), ([NEXT, LAST], [NEXT, LAST, NEXT])], ids=str)
def test_platform_that_refuses_a_signature_is_asked_once_more(reference, relay, open_client, secrets, expected):
    """After a second: one that has just started may not have its secrets yet. Then it is believed."""
    account = reference.account(secrets=["whsec_another"])
    platforms = {BOT_ID: relay.platform(account, webhook_secret=secrets)}
    client = open_client(relay.config(account), platforms=platforms, retry={"max_attempts": 1})
    error = failure(client.book(booking_request()), "UNAUTHORIZED")
    assert (error["code"], error["status"], error["source"]) == ("invalid_signature", 401, "platform")
    assert (error["outcome"], error["retryable"], error["attempts"]) == ("rejected", False, len(expected))
    assert signers(reference, account) == expected
    before, last = reference.requests(account)[-2:]
    assert last["at"] - before["at"] >= 0.99


def test_platform_that_accepts_a_signature_a_second_later(reference, relay1, open_client):
    account = reference.account({"status": 401, "code": "invalid_signature"}, {})
    success(open_client(relay1.config(account)).book(booking_request()))
    first, second = reference.requests(account)
    assert (first["status"], second["status"]) == (401, 201)
    assert second["at"] - first["at"] >= 0.99


def test_refusal_in_other_words_is_believed_at_once(reference, relay1, open_client):
    account = reference.account({"status": 401, "code": "unauthorized"})
    error = failure(open_client(relay1.config(account)).book(booking_request()), "UNAUTHORIZED")
    assert (error["outcome"], error["attempts"]) == ("rejected", 1)


@pytest.mark.parametrize("secret", ["s", "whsec_" + "x" * 506, "\u00fc\u20ac\U0001f511", " spaces and \t", "\\u0041"])
def test_secret_is_its_utf8(reference, relay1, open_client, secret):
    account = reference.account(secrets=[secret])
    platforms = {BOT_ID: relay1.platform(account, webhook_secret=secret)}
    success(open_client(relay1.config(account), platforms=platforms).search(search_request()))


def test_library_verifies_what_it_sends(reference, relay1, open_client):
    """Both halves of the protocol are in the box."""
    account = reference.account()
    success(open_client(relay1.config(account)).book(booking_request()))
    (request,) = reference.requests(account)
    signature, body = headers_of(request)["x-dialstack-signature"], body_of(request)
    assert pbk.webhook_verify([WEBHOOK_SECRET], signature, body) == 0
    assert is_signed(WEBHOOK_SECRET, signature, body, int(time.time()))
    assert pbk.webhook_sign(WEBHOOK_SECRET, body, time_of(request)) == signature


def test_bots_may_share_a_platform(reference, relay2, open_client):
    """One account or several, one secret or several; and one connection."""
    first, second = reference.account(), reference.account(secrets=["whsec_other"])
    other = relay2.platform(second, webhook_secret="whsec_other")
    platforms = {BOT_ID: relay2.platform(first), OTHER_BOT: other, "bot_third": relay2.platform(first)}
    client = open_client(relay2.config(first), platforms=platforms)
    for bot in (BOT_ID, OTHER_BOT, "bot_third"):
        success(client.search(search_request(bot)))
    assert success(client.book(booking_request()))["booking"]
    assert success(client.book(booking_request(OTHER_BOT)))["booking"]
    failure(client.book(booking_request("bot_third")), "SLOT_UNAVAILABLE")
    requests = [request for account in (first, second) for request in reference.requests(account)]
    assert len(requests) == 6
    assert len({request["client_port"] for request in requests}) == 1


@operations
def test_unknown_bot(reference, relay1, open_client, way, operation):
    account = reference.account()
    client = open_client(relay1.config(account))
    request = REQUESTS[operation](OTHER_BOT)
    error = failure(getattr(client, operation)(request), "UNKNOWN_BOT")
    assert (error["field"], error["attempts"], error["source"], error["retryable"]) == ("bot_id", 0, "caller", False)
    assert error.get("outcome") == ("not_sent" if operation == "book" else None)
    submission = client.submit({"search": pbk.SEARCH, "book": pbk.BOOK, "lookup": pbk.LOOKUP}[operation], request)
    assert (submission.status, submission.ticket) == (STATUS["UNKNOWN_BOT"], 0)
    refused = json.loads(submission.error)["error"]
    assert {name: refused[name] for name in ("code", "field", "attempts")} == {
        name: error[name] for name in ("code", "field", "attempts")
    }
    assert reference.requests(account) == []


@operations
def test_bot_without_a_webhook(reference, relay1, open_client, operation):
    account = reference.account()
    platforms = {BOT_ID: {"account_id": account}, OTHER_BOT: relay1.platform(account)}
    client = open_client(relay1.config(account), platforms=platforms)
    error = failure(getattr(client, operation)(REQUESTS[operation]()), "NO_WEBHOOK")
    assert (error["field"], error["attempts"], error["source"], error["retryable"]) == ("bot_id", 0, "caller", False)
    assert error.get("outcome") == ("not_sent" if operation == "book" else None)
    assert reference.requests(account) == []
    success(getattr(client, operation)(REQUESTS[operation](OTHER_BOT)))
