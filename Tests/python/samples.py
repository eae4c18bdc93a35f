"""Requests that are right in every member, for tests to send or to spoil."""

from __future__ import annotations

import copy
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
PHONE = "+14155550137"
NAME = "Johanna Mustermann"
NOW = "2030-01-14T08:00:00Z"
"""A Monday morning: the sandbox's clock in these tests, so that their dates stay free."""

SANDBOX: dict[str, Any] = {"endpoint": "sandbox", "sandbox": {"now": NOW}}
SLEEPING: dict[str, Any] = {"endpoint": "sandbox", "sandbox": {"latency_ms": 60_000}, "timeout_ms": 60_000}
"""A sandbox that takes so long that its calls end only when they are made to."""


def search_request(bot_id: str = BOT_ID, **members: Any) -> dict[str, Any]:
    bounds = {"start_at": "2030-01-14T09:00:00Z", "end_at": "2030-01-14T17:00:00Z"}
    return {"bot_id": bot_id, "query": {"filter": {"start_at_range": bounds}}, **members}


def booking_request(bot_id: str = BOT_ID, key: str | None = None, **members: Any) -> dict[str, Any]:
    """Under a key of its own unless one is given."""
    booking = {
        "start_at": "2030-01-14T10:00:00Z",
        "duration_minutes": 30,
        "customer": {"phone": PHONE, "name": NAME, "email": "johanna@example.com"},
        "notes": "Initial consultation",
    }
    return {"bot_id": bot_id, "idempotency_key": key or new_key(), "booking": booking, **members}


def lookup_request(bot_id: str = BOT_ID, phone: str = PHONE, **members: Any) -> dict[str, Any]:
    return {"bot_id": bot_id, "customer": {"phone": phone}, **members}


def spoiled(request: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one member changed, or taken away when `value` is Ellipsis."""
    changed = copy.deepcopy(request)
    *way, last = path.split(".")
    parent = changed
    for name in way:
        parent = parent.setdefault(name, {})
    if value is ...:
        del parent[last]
    else:
        parent[last] = value
    return changed


def just_begun() -> str:
    """The start of an appointment that began a minute ago, oddly spelled. A booking of it is still sent."""
    start = datetime.now(timezone(-timedelta(hours=5))) - timedelta(minutes=1)
    return f"{start:%Y-%m-%dT%H:%M:%S}.250-05:00"


def new_key() -> str:
    return f"call-{uuid.uuid4()}"


SEARCH_REPLY = b'{"availabilities":[{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30}]}'
BOOKING_REPLY = b'{"booking":{"id":"bkg_1","status":"confirmed"}}'
TAKEN_REPLY = b'{"error":{"code":"slot_unavailable","message":"The slot is gone"}}'
IN_PROGRESS_REPLY = b'{"error":{"code":"request_in_progress","message":"The first call is still running"}}'

DOWN: dict[str, Any] = {"status": 503, "headers": {"Retry-After": "3600"}}
"""In a script: no answer. The next attempt is due after any deadline, so the call ends at once, in doubt."""

ENDLESS = {"delay_ms": 60_000}
"""In a script: the answer does not come while the test runs."""

CALLS_ONLY = {"keep_warm_ms": 0}
"""In a configuration: no connection is made ahead, so that a server sees calls and nothing else."""

# Members of the configuration that tests of retries use
QUICK = {"base_delay_ms": 1, "max_delay_ms": 1}
ONCE = {"max_attempts": 1}

UNSPARED: dict[str, Any] = {"circuit_breaker": {"failures": 0}}
"""In a configuration: a service that fails on purpose, time after time, is asked again all the same."""
READS_ONLY: dict[str, Any] = {"settle_for_ms": 0}
"""In a configuration: once a call has ended, nothing more is sent for its booking."""
UNLIMITED = {"budget": 0}
"""In `retry`: as many retries as there are attempts, over all calls together."""
