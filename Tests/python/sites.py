"""Platforms of the zoo (`Tests/servers/zoo.py`), and clients of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pbk
import pytest
from certificates import Certificates
from ledger import changed
from loopback import webhook_config
from run_zoo import ZooServer
from samples import CALLS_ONLY, ONCE, UNSPARED, booking_request
from waiting import PATIENT, wait_until
from zoo_http import API_KEY, HOOK, SECRET

SLOT = "2031-05-05T10:00:00Z"
KEYS_FIRST = {"is": "keys_first", "in_work": "look"}
SLOT_FIRST = {"is": "slot_first"}
REPLY_LOST = {"is": "drops", "when": "done", "first": 1}
GAVE_UP = {"is": "gives_up", "ms": 50, "statuses": [504], "first": 1}
"""In a platform: its gateway answers the first request with each key before the platform has done with it."""

MARGIN = 1.1
"""Seconds. A second is added to `platform_limit_ms`."""


@pytest.fixture(scope="session")
def zoo(certificates: Certificates) -> Iterator[ZooServer]:
    with ZooServer(certificates.good) as server:
        yield server


@dataclass
class Site:
    """One platform of the zoo, and a client of it."""

    zoo: ZooServer
    name: str
    client: pbk.Client

    def request(self, start_at: str = SLOT, **members: Any) -> dict[str, Any]:
        return changed(booking_request(self.name, **members), "booking.start_at", start_at)

    def books(self) -> dict[str, Any]:
        """When nobody is at work on them any more."""
        self.zoo.wait_until_idle([self.name])
        return self.zoo.books(self.name)

    def booked(self) -> list[str]:
        """The keys of the appointments."""
        return [each["key"] for each in self.books()["appointments"] if each["is_active"]]

    def answered(self) -> list[Any]:
        """How each request for a booking was answered."""
        return [each["answered"] for each in self.books()["requests"]]

    def wait_for_requests(self, count: int) -> None:
        wait_until(lambda: len(self.zoo.books(self.name)["requests"]) >= count)


@pytest.fixture
def visit(zoo: ZooServer, certificates: Certificates, open_client) -> Callable[..., Site]:
    """Makes a platform of behaviours, and a client of it. `way` is `kept`, `fresh` or `h2`."""

    def visit(
        *behaviours: dict[str, Any],
        way: str = "kept",
        endpoint: str = "partner",
        name: str | None = None,
        **members: Any,
    ) -> Site:
        name = name or zoo.platform(*behaviours)
        url = zoo.urls[way]
        config: dict[str, Any] = {"retry": ONCE, **CALLS_ONLY, **UNSPARED, **PATIENT}
        if way == "h2":
            config["tls"] = {"ca_file": str(certificates.ca_file)}
        if endpoint == "webhook":
            platform = {"account_id": name, "webhook_url": f"{url}{HOOK}", "webhook_secret": SECRET}
            config |= webhook_config({name: platform})
        else:
            config |= {"api_key": API_KEY, "base_url": url}
        return Site(zoo, name, open_client(config, **members))

    return visit


ways = pytest.mark.parametrize("way", ["kept", "fresh", "h2"])
endpoints = pytest.mark.parametrize("endpoint", ["partner", "webhook"])
