"""Bookings in doubt, and what a person says to give them up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pbk
import pytest
from contract import in_doubt, success
from fault_server import FaultServer
from host import Host
from ledger import AT_ONCE, answer_by_key, changed, with_journal
from samples import BOT_ID, READS_ONLY, UNSPARED, booking_request
from services import config_for

LATEST = "2090-01-01T00:00:00Z"


def doubt(
    client: pbk.Client | Host, key: str, bot: str = BOT_ID, start_at: str | None = None, **members: Any
) -> dict[str, Any]:
    """The request of a booking that is in doubt now."""
    request = booking_request(bot, key, **AT_ONCE, **members)
    if start_at is not None:
        request = changed(request, "booking.start_at", start_at)
    in_doubt(client.book(request), 503, "http_error")
    return request


def of_bot(bot_id: str = BOT_ID, start_before: str = LATEST, **members: Any) -> dict[str, Any]:
    """Gives up what is in doubt of a bot."""
    return {"give_up": True, "bot_id": bot_id, "start_before": start_before, **members}


def given_up(result: pbk.Result) -> tuple[list[str], list[str]]:
    """The keys of the bookings that were given up, and of those that were kept, in a reply without a journal."""
    content = success(result)
    assert list(content) == ["given_up", "kept"], content
    return keys_of(content["given_up"]), keys_of(content["kept"])


def given_up_in_journal(result: pbk.Result, is_journaled: bool = True) -> list[str]:
    """The keys of the bookings that were given up, in a reply that says so much of the disk."""
    content = success(result)
    assert content.get("journaled", True) is is_journaled, content
    return keys_of(content["given_up"])


def keys_of(bookings: list[dict[str, Any]]) -> list[str]:
    return [booking["idempotency_key"] for booking in bookings]


@pytest.fixture
def opened(start_faults, open_client) -> Callable[..., tuple[FaultServer, pbk.Client]]:
    """A server that answers by the key, and a client of it that sends nothing for calls that have ended."""

    def opened(*scripts: Any, **members: Any) -> tuple[FaultServer, pbk.Client]:
        server = start_faults(*(scripts or [answer_by_key]))
        return server, open_client(config_for(server), **{**UNSPARED, **READS_ONLY, **members})

    return opened


@pytest.fixture
def answering(start_faults) -> FaultServer:
    """A server that answers by the key."""
    return start_faults(answer_by_key)


@pytest.fixture
def journaled(answering, tmp_path) -> dict[str, Any]:
    """The configuration of its clients with a journal. They send nothing for calls that have ended."""
    return with_journal(config_for(answering), tmp_path, **UNSPARED, **READS_ONLY)
