"""A platform's webhook: the side that a client with `platform_webhook` speaks to, under `/webhook`.

It verifies each signature over the bytes that arrived, with Python's own HMAC and with nothing of the library's, and
holds each request to the letter of the protocol: more than a platform would, so that the tests hear of every liberty.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openapi_core import OpenAPI
from reference_books import Books, Owner
from reference_http import Reply, Request, api_error, violation
from reference_names import WEBHOOK_PATH, WEBHOOK_SECRET

SEARCH_PATH = f"{WEBHOOK_PATH}/availability/search"
BOOKING_PATH = f"{WEBHOOK_PATH}/bookings"
LOOKUP_PATH = f"{WEBHOOK_PATH}/customers/lookup"
TOLERANCE = 300
"""Seconds that a signature's time may be off."""

OPENAPI = OpenAPI.from_file_path(str(Path(__file__).with_name("platform_webhook.openapi.yaml")))

MEMBERS = {
    SEARCH_PATH: ["account_id", "query"],
    BOOKING_PATH: ["account_id", "idempotency_key", "booking"],
    LOOKUP_PATH: ["account_id", "customer"],
}
"""All that a body has, in this order, unless the test has announced more. `bot_id` is nobody's business here."""

HEADERS = {
    "host",
    "user-agent",
    "accept",
    "accept-encoding",
    "content-type",
    "content-length",
    "traceparent",
    "x-dialstack-account-id",
    "x-dialstack-signature",
}
"""All that a request may carry, and each of it once. No key of the Partner API's, and no `Idempotency-Key`."""


@dataclass(frozen=True)
class Account:
    """What the platform knows of an account."""

    secrets: tuple[str, ...] = (WEBHOOK_SECRET,)
    """Any of which may have signed."""
    more_members: tuple[str, ...] = ()
    """What a test sends in the body beside the members of the protocol."""


class Webhook:
    """The platform. Accounts that nobody has announced are known, too, with the usual secret."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._accounts: dict[str, Account] = {}

    def announce(self, account_id: str, order: dict[str, Any]) -> None:
        self._accounts[account_id] = Account(
            secrets=tuple(order.get("secrets", [WEBHOOK_SECRET])), more_members=tuple(order.get("more_members", []))
        )

    def fault(self, request: Request) -> str | None:
        """What the protocol has against a request."""
        return violation(OPENAPI, request) or self._liberty(request)

    def refusal(self, request: Request) -> Reply | None:
        """What becomes of a request that is not signed as it should be."""
        secrets = self._account(request).secrets
        signature = request.header("x-dialstack-signature") or ""
        if any(is_signed(secret, signature, request.body, int(time.time())) for secret in secrets):
            return None
        return api_error(401, "invalid_signature", "The signature is not that of the body")

    def owner(self, content: dict[str, Any]) -> Owner:
        return Owner("account_id", content["account_id"])

    def wanted(self, request: Request, content: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
        """The key and the booking, when it is a request for one."""
        return (content["idempotency_key"], content["booking"]) if request.path == BOOKING_PATH else None

    def process(self, request: Request, content: dict[str, Any]) -> Reply:
        """Replies are in spellings no encoder of ours would choose, so that a library which re-encodes is found out."""
        owner = self.owner(content)
        if request.path == SEARCH_PATH:
            return _found_slots(content)
        if request.path == LOOKUP_PATH:
            return _found_customer(self._books.find_customer(owner, content["customer"]["phone"]))
        return self._books.book(owner, content["idempotency_key"], content["booking"])

    def _account(self, request: Request) -> Account:
        return self._accounts.get(request.header("x-dialstack-account-id") or "", Account())

    def _liberty(self, request: Request) -> str | None:
        """What an API document cannot say: the order of members, and what must not be there."""
        where = f"{request.method} {request.path}"
        names = [name for name, _ in request.headers]
        if len(set(names)) < len(names) or not set(names) <= HEADERS:
            return f"{where}: headers {names}"
        members = json.loads(request.body, object_pairs_hook=lambda pairs: pairs)
        known = MEMBERS[request.path]
        more = self._account(request).more_members
        if sorted(name for name, _ in members) != sorted([*known, *more]):
            return f"{where}: members {[name for name, _ in members]}"
        count = len(known) - 1
        if [name for name, _ in members][:count] != known[:count]:
            return f"{where}: order {[name for name, _ in members]}"
        if members[0][1] != request.header("x-dialstack-account-id"):
            return f"{where}: another account in the body"
        return None


def signature_of(secret: str, timestamp: int, body: bytes) -> str:
    """The header as the protocol has it."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def is_signed(secret: str, signature: str, body: bytes, now: int) -> bool:
    """In constant time, and with the tolerance of the protocol."""
    timestamp = re.match(r"t=([0-9]{1,15}),", signature)
    if timestamp is None or abs(now - int(timestamp[1])) > TOLERANCE:
        return False
    return hmac.compare_digest(signature_of(secret, int(timestamp[1]), body).encode(), signature.encode("latin-1"))


def _found_slots(content: dict[str, Any]) -> Reply:
    day = content["query"]["filter"]["start_at_range"]["start_at"][:10]
    slots = " ,".join(f'{{"start_at":"{day}T{hour}:30:00+01:00","duration_minutes":4.5e1}}' for hour in ("09", "16"))
    account_id = json.dumps(content["account_id"])
    text = f'\t{{"account_id" :{account_id},"availabilities":[ {slots}],"place":"Stra\\u00dfe\\/\u00df"}}\r\n'
    return Reply(200, text.encode())


def _found_customer(booking: dict[str, Any] | None) -> Reply:
    if booking is None:
        return Reply(200, b'{ "found" : false }\n')
    appointment = {name: booking[name] for name in ("start_at", "end_at", "status")}
    customer = {**booking["customer"], "existing_appointment": appointment, "visits": 1e0}
    return Reply(200, json.dumps({"customer": customer, "found": True}, indent="\t").encode())
