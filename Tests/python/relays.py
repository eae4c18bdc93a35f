"""Requests to a platform as they travelled, and the signature over them."""

from __future__ import annotations

from typing import Any

import pytest
from reference_names import WEBHOOK_SECRET
from reference_webhook import BOOKING_PATH, LOOKUP_PATH, SEARCH_PATH, signature_of
from run_reference import headers_of
from samples import booking_request, lookup_request, search_request

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER_BOT = "bot_another"

REQUESTS = {"search": search_request, "book": booking_request, "lookup": lookup_request}
PATHS = {"search": SEARCH_PATH, "book": BOOKING_PATH, "lookup": LOOKUP_PATH}
PARTS = {"search": "query", "book": "booking", "lookup": "customer"}

operations = pytest.mark.parametrize("operation", REQUESTS)


def body_of(request: dict[str, Any]) -> bytes:
    """As it travelled."""
    return request["body"].encode("latin-1")


def time_of(request: dict[str, Any]) -> int:
    """When it was signed."""
    return int(headers_of(request)["x-dialstack-signature"].removeprefix("t=").partition(",")[0])


def check_signature(request: dict[str, Any], secret: str = WEBHOOK_SECRET) -> None:
    """Made with this secret over the bytes that travelled."""
    signature = headers_of(request)["x-dialstack-signature"]
    assert signature == signature_of(secret, time_of(request), body_of(request))
