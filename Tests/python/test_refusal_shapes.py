"""The reason of a refusal, in the shapes that services and their frameworks write: docs/errors.md, "The reason of a
refusal". The table of all shapes is in Swift, in ServiceReasonTests. Here they come over the wire, to both endpoints.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pbk
import pytest
from certificates import Certificates
from contract import CODES, failure, in_doubt, success
from fault_server import answer, http_reply
from header import OUTCOME, STATUS
from ledger import changed, unsettled_keys
from loopback import webhook_config
from reference_api import API_KEY as REFERENCE_KEY
from run_zoo import ZooServer
from samples import (
    CALLS_ONLY,
    ONCE,
    QUICK,
    READS_ONLY,
    UNSPARED,
    booking_request,
    lookup_request,
    new_key,
    search_request,
)
from zoo_answers import TAKEN
from zoo_http import API_KEY, HOOK, SECRET

BOM = "\ufeff"
REQUESTS = {"search": search_request, "book": booking_request, "lookup": lookup_request}
SUCCESSES = {"search": '{"availabilities":[]}', "book": '{"booking":{"id":"b"}}', "lookup": '{"found":false}'}

endpoints = pytest.mark.parametrize("endpoint", ["partner_api", "platform_webhook"])


def status_by_rule(error: dict[str, Any]) -> int:
    """docs/json-contract.md, "The status of an error reply"."""
    if error.get("from_service") is not True and error["code"] != "http_error":
        return int(CODES[error["code"]].status)
    of_status = {401: "UNAUTHORIZED", 403: "UNAUTHORIZED", 429: "RATE_LIMITED"}
    is_refusal = 300 <= error["status"] < 500
    return STATUS[of_status.get(error["status"], "REFUSED" if is_refusal else "SERVICE_FAILED")]


@pytest.fixture
def play(start_faults, open_client) -> Callable[..., pbk.Client]:
    """A client of a service that answers every request with this."""

    def play(endpoint: str, status: int, body: str, **members: Any) -> pbk.Client:
        server = start_faults(answer(http_reply(status, body.encode())))
        config: dict[str, Any] = {"retry": ONCE, **CALLS_ONLY, **UNSPARED, **READS_ONLY, **members}
        if endpoint == "partner_api":
            return open_client({"api_key": REFERENCE_KEY, "base_url": server.url, **config})
        platform = {"account_id": "acct_1", "webhook_url": server.url, "webhook_secret": "whsec_1"}
        return open_client(webhook_config({booking_request()["bot_id"]: platform}, **config))

    return play


# The reason is kept

REASONS = [
    (400, '{"message":"Email is required"}', None, "HTTP 400: Email is required"),
    (400, '{"error":"Email is required"}', None, "HTTP 400: Email is required"),
    (422, '{"errors":[{"detail":"is in the past","field":"start_at"}]}', None, "HTTP 422: start_at: is in the past"),
    (422, '{"detail":[{"loc":["body","email"],"msg":"Field required"}]}', None, "HTTP 422: body.email: Field required"),
    (403, '{"type":"about:blank","title":"Forbidden","detail":"No such plan"}', None, "HTTP 403: No such plan"),
    (400, '{"error":{"code":1002,"message":"Bad email"}}', "1002", "Bad email"),
    (400, '{"error":"invalid_email","error_description":"Bad"}', "invalid_email", "Bad"),
    (404, '{"code":"NO_BOT","message":"No such bot"}', "NO_BOT", "No such bot"),
    (429, '{"errorCode":"timeout","message":"Slow down"}', "timeout", "Slow down"),
    (400, '[{"errorCode":"in_doubt","message":"No"}]', "in_doubt", "No"),
    (400, "Email is required\n", None, "HTTP 400: Email is required"),
    (403, "<html>Forbidden</html>", None, "HTTP 403 without a reason in the body"),
    (400, "", None, "HTTP 400 without a reason in the body"),
]


@endpoints
@pytest.mark.parametrize(("status", "body", "code", "message"), REASONS)
def test_reason_is_kept(play, endpoint, status, body, code, message):
    """Also when the code is one of the library's own."""
    client = play(endpoint, status, body)
    for operation in ("search", "book"):
        result = getattr(client, operation)(REQUESTS[operation]())
        error = json.loads(result.reply)["error"]
        assert (error["code"], error["status"]) == (code or "http_error", status)
        assert message in error["message"]
        assert error["source"] == ("platform" if endpoint == "platform_webhook" else "partner_api")
        assert error.get("from_service") is (True if code else None)
        assert (error["content_type"], error["reply_bytes"]) == ("application/json", len(body))
        assert ("reply" in error) is body.startswith(("{", "["))
        if "reply" in error:
            assert b'"reply":' + body.encode() in result.reply
        assert result.status == pbk.library.pbk_reply_status(result.reply) == status_by_rule(error)
        outcome = "rejected" if operation == "book" else None
        assert error.get("outcome") == outcome
        assert pbk.library.pbk_reply_outcome(result.reply) == OUTCOME[(outcome or "none").upper()]
        assert pbk.library.pbk_reply_retryable(result.reply) == error["retryable"] == (status == 429)


@endpoints
def test_reason_of_a_doubt(play, endpoint):
    body = '{"error":"upstream_down","message":"Later"}'
    client = play(endpoint, 502, body, platform_keys="none")
    result = client.book(booking_request())
    assert in_doubt(result, 502, "upstream_down")["reply"] == json.loads(body)
    assert pbk.library.pbk_reply_outcome(result.reply) == OUTCOME["UNKNOWN"]
    error = failure(client.search(search_request()), "SERVICE_FAILED")
    assert (error["code"], error["message"], error["retryable"]) == ("upstream_down", "Later", True)


@pytest.mark.parametrize(("size", "is_read"), [(65_536, True), (65_537, False)])
def test_long_body(play, size, is_read):
    text = '{"error":{"code":"closed","message":"No"}'
    error = failure(play("partner_api", 422, text.ljust(size - 1) + "}").search(search_request()), "REFUSED")
    assert error["code"] == ("closed" if is_read else "http_error")
    assert ("reply" in error, error["reply_bytes"]) == (is_read, size)


def test_plain_500_in_another_shape_is_tried_again(reference, http1, open_client):
    """A13."""
    bot = reference.bot({"status": 500, "body": '{"message":"Oops"}'}, {})
    success(open_client(http1.config, retry=QUICK).book(booking_request(bot)))
    assert [request["status"] for request in reference.requests(bot)] == [500, 201]


# A conflict is a conflict


@pytest.fixture(scope="module")
def zoo(certificates: Certificates) -> Iterator[ZooServer]:
    with ZooServer(certificates.good) as server:
        yield server


@pytest.fixture
def visit(zoo: ZooServer, open_client) -> Callable[..., tuple[str, pbk.Client]]:
    """A platform of the zoo that refuses, and a client of it."""

    def visit(endpoint: str, spelling: str) -> tuple[str, pbk.Client]:
        name = zoo.platform({"is": "keys_first", "in_work": "look"}, {"is": "refuses", "spellings": [spelling]})
        config: dict[str, Any] = {"retry": ONCE, **CALLS_ONLY, **UNSPARED, "timeout_ms": 30_000}
        if endpoint == "partner_api":
            return name, open_client({"api_key": API_KEY, "base_url": zoo.urls["kept"], **config})
        platform = {"account_id": name, "webhook_url": f"{zoo.urls['kept']}{HOOK}", "webhook_secret": SECRET}
        return name, open_client(webhook_config({name: platform}, **config))

    return visit


@endpoints
@pytest.mark.parametrize("spelling", [*TAKEN, "message", "problem"])
def test_conflict_is_a_conflict_in_any_shape(zoo, visit, endpoint, spelling):
    """With a code about the slot it is a refusal at once, else when it is said again after a second."""
    name, client = visit(endpoint, spelling)
    result = client.book(changed(booking_request(name), "booking.start_at", "2031-05-05T10:00:00Z"))
    error = failure(result, "SLOT_UNAVAILABLE" if spelling in TAKEN else "REFUSED")
    assert (error["outcome"], error["attempts"]) == ("rejected", 1 if spelling in TAKEN else 2)
    assert error.get("from_service") is (True if spelling in TAKEN else None)
    assert pbk.library.pbk_reply_outcome(result.reply) == OUTCOME["REJECTED"]
    assert unsettled_keys(client) == []
    zoo.wait_until_idle([name])
    books = zoo.books(name)
    assert books["appointments"] == [] and len(books["requests"]) == error["attempts"]


@endpoints
def test_key_in_progress_in_another_shape(play, endpoint):
    client = play(endpoint, 409, '{"errors":[{"code":"request_in_progress"}]}', timeout_ms=900)
    assert in_doubt(client.book(booking_request()), 409, "request_in_progress")["retryable"] is True


# A byte order mark


@pytest.mark.parametrize("operation", REQUESTS)
def test_byte_order_mark_before_a_reply(play, operation):
    body = SUCCESSES[operation]
    client = play("platform_webhook", 200, BOM + body)
    assert getattr(client, operation)(REQUESTS[operation]()) == (STATUS["OK"], body.encode())


@pytest.mark.parametrize("shape", [{}, {"chunked": True}, {"gzip": True}], ids=["plain", "chunked", "gzip"])
def test_byte_order_mark_at_the_partner_api(reference, service, open_client, shape):
    """The booking is recorded without it, too."""
    body = SUCCESSES["book"]
    bot, key = reference.bot({"status": 201, "body": BOM + body, **shape}), new_key()
    client = open_client(service.config)
    for _ in range(2):
        assert client.book(booking_request(bot, key)) == (STATUS["OK"], body.encode())
    assert len(reference.requests(bot)) == 1


@endpoints
def test_byte_order_mark_before_an_error(play, endpoint):
    body = '{"error":{"code":"slot_taken","message":"Gone"}}'
    error = failure(play(endpoint, 409, BOM + body).book(booking_request()), "SLOT_UNAVAILABLE")
    assert (error["code"], error["message"], error["reply"]) == ("slot_taken", "Gone", json.loads(body))
    assert error["reply_bytes"] == len(body) + 3, "as it came"


def test_byte_order_mark_alone_is_nothing(play):
    client = play("partner_api", 200, BOM)
    assert failure(client.search(search_request()), "INVALID_REPLY")["reply_bytes"] == 3
    in_doubt(client.book(booking_request(timeout_ms=900)), 200, "invalid_reply")


# The second secret, whatever the shape


@pytest.mark.parametrize(
    ("body", "secrets", "attempts"),
    [
        ('{"error":"invalid_signature"}', "whsec_1", 2),
        ('{"code":"invalid_signature"}', ["whsec_1", "whsec_2"], 3),
        ('{"message":"Unauthorized"}', ["whsec_1", "whsec_2"], 2),
        ('{"message":"Unauthorized"}', "whsec_1", 1),
    ],
)
def test_signature_that_is_refused(start_faults, open_client, body, secrets, attempts):
    server = start_faults(answer(http_reply(401, body.encode())))
    platform = {"account_id": "acct_1", "webhook_url": server.url, "webhook_secret": secrets}
    config = webhook_config({booking_request()["bot_id"]: platform}, **CALLS_ONLY)
    error = failure(open_client(config).book(booking_request()), "UNAUTHORIZED")
    assert (error["outcome"], error["attempts"]) == ("rejected", attempts)
    signatures = [request.headers["x-dialstack-signature"] for request in server.requests]
    assert len(signatures) == attempts
