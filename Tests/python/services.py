"""Ways to the servers of the tests, as configurations of clients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fault_server import FaultServer
from loopback import webhook_config
from reference_names import API_KEY, WEBHOOK_PATH, WEBHOOK_SECRET
from samples import BOT_ID, CALLS_ONLY
from waiting import MINUTE

UNHURRIED = {"timeout_ms": 30_000, **CALLS_ONLY}
"""A machine that is busy with other things must not fail a test by a deadline that the test is not about."""


@dataclass(frozen=True)
class Service:
    """One way to reach the reference server. Its clients connect when they call, and not ahead."""

    http_version: str
    config: dict[str, Any]


@dataclass(frozen=True)
class Relay:
    """One way to relay to the reference server as a platform. Its clients connect when they call, and not ahead."""

    http_version: str
    url: str
    members: dict[str, Any]
    """Of the configuration."""

    def platform(self, account_id: str, **members: Any) -> dict[str, Any]:
        """What a configuration says of a bot whose requests go to that account."""
        webhook = {"webhook_url": f"{self.url}{WEBHOOK_PATH}", "webhook_secret": WEBHOOK_SECRET}
        return {"account_id": account_id, **webhook, **members}

    def config(self, account_id: str, bot_id: str = BOT_ID) -> dict[str, Any]:
        """For one bot."""
        return webhook_config({bot_id: self.platform(account_id)}, **self.members)


def config_for(server: FaultServer) -> dict[str, Any]:
    """One attempt at a server of faults, with time."""
    return {
        "api_key": API_KEY,
        "base_url": server.url,
        "timeout_ms": MINUTE,
        "connect_timeout_ms": MINUTE,
        "retry": {"max_attempts": 1},
        **CALLS_ONLY,
    }
