"""The configuration of clients that call platforms on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LOOPBACK_HOSTS = ["127.0.0.1", "::1", "localhost"]
"""For `private_hosts`. Without it a client refuses a webhook on this machine."""


def webhook_config(platforms: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    """For bots by their id. `members` are more of the configuration."""
    return {"endpoint": "platform_webhook", "platforms": platforms, "private_hosts": LOOPBACK_HOSTS, **members}
