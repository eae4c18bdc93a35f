"""The books of the reference server: who was asked for what, what was made of it, and which slots are gone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from reference_http import Reply, api_error


@dataclass(frozen=True)
class Owner:
    """Whose calendar it is: a bot's at the Partner API, an account's at a platform."""

    kind: str
    """`bot_id` or `account_id`, as the lists call it."""
    name: str


class Books:
    """One event loop keeps them, so nothing needs a lock."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.made: list[dict[str, str]] = []
        self._replies: dict[tuple[Owner, str], bytes] = {}
        self._calendars: dict[Owner, dict[str, dict[str, Any]]] = {}

    def ask(self, owner: Owner, key: str, wanted: dict[str, Any]) -> None:
        """Notes a request for a booking, a repeated one too, before anything comes of it."""
        self.asked.append(_names(owner, key, wanted))

    def book(self, owner: Owner, key: str, wanted: dict[str, Any]) -> Reply:
        """Books, unless the key is known or the slot is gone."""
        if (owner, key) in self._replies:
            return Reply(200, self._replies[owner, key])
        calendar = self._calendars.setdefault(owner, {})
        if wanted["start_at"] in calendar:
            return api_error(409, "slot_unavailable", "The requested time slot is no longer available")
        start = datetime.strptime(wanted["start_at"], "%Y-%m-%dT%H:%M:%S%z")
        end = start + timedelta(minutes=wanted["duration_minutes"])
        booking = {
            "id": f"bkg_{len(self.made) + 1:026d}",
            "status": "confirmed",
            "start_at": wanted["start_at"],
            "end_at": end.isoformat(),
            "customer": {"phone": wanted["customer"]["phone"], "name": wanted["customer"]["name"]},
            "platform_reference": key,
        }
        calendar[wanted["start_at"]] = booking
        self._replies[owner, key] = json.dumps({"booking": booking}, indent=1).encode()
        self.made.append({**_names(owner, key, wanted), "id": booking["id"]})
        return Reply(201, self._replies[owner, key])

    def find_customer(self, owner: Owner, phone: str) -> dict[str, Any] | None:
        """Their earliest booking."""
        calendar = self._calendars.get(owner, {}).values()
        theirs = [booking for booking in calendar if booking["customer"]["phone"] == phone]
        return min(theirs, key=lambda booking: booking["start_at"], default=None)


def _names(owner: Owner, key: str, wanted: dict[str, Any]) -> dict[str, str]:
    """What a booking is found by."""
    return {"idempotency_key": key, owner.kind: owner.name, "start_at": wanted["start_at"]}
