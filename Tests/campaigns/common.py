"""What the campaigns share: budgets, the servers, bookings by number, and the printing of what came of it.

A campaign does one cruel thing many times over and holds what the library said against what the server has. It is one
command, prints counts, and exits with 1 when something was told or done wrong.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "python"))
sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "servers"))

import pbk
from loopback import webhook_config

if TYPE_CHECKING:
    from run_reference import ReferenceServer

SHOWN = 20
"""Violations that are printed in full; the others are counted."""

PATIENCE = 10.0

PLAIN_FAILURES: dict[str, Any] = {
    "keep_warm_ms": 0,
    "circuit_breaker": {"failures": 0},
    "retry": {"budget": 0},
    "timeout_ms": 30_000,
}
"""In a configuration: a hundred failures in a row are wanted here, and each call is to be sent."""

FIRST_SLOT = datetime(2030, 1, 1, tzinfo=timezone.utc)
SLOT = timedelta(minutes=30)


def budget(name: str, default: int) -> int:
    """A whole number from the environment, at least 1."""
    return max(1, int(os.environ.get(name, default)))


@dataclass
class Service:
    """One way to the reference server, as the Partner API."""

    name: str
    url: str
    server: ReferenceServer
    members: dict[str, Any]
    """Of the configuration, for this way."""

    def bot(self, *steps: dict[str, Any]) -> str:
        """A new one, that meets these steps."""
        return self.server.bot(*steps)

    def config(self, url: str | None = None) -> dict[str, Any]:
        """For all bots so far; by another way when there is something in the way."""
        return {**self.members, "base_url": url or self.url}

    def listed(self, bot_id: str) -> dict[str, str]:
        """What the server's lists know the bot's bookings by."""
        return {"bot_id": bot_id}


@dataclass
class Relay(Service):
    """One way to the reference server as a platform, where each bot has an account of its own."""

    secret: str
    path: str
    accounts: dict[str, str] = field(default_factory=dict)

    def bot(self, *steps: dict[str, Any]) -> str:
        bot_id = f"bot_{uuid.uuid4().hex}"
        self.accounts[bot_id] = self.server.account(*steps)
        return bot_id

    def config(self, url: str | None = None) -> dict[str, Any]:
        webhook = {"webhook_url": f"{url or self.url}{self.path}", "webhook_secret": self.secret}
        platforms = {bot_id: {"account_id": account_id, **webhook} for bot_id, account_id in self.accounts.items()}
        return webhook_config(platforms, **self.members)

    def listed(self, bot_id: str) -> dict[str, str]:
        return {"account_id": self.accounts[bot_id]}


@contextmanager
def reference_server() -> Iterator[tuple[ReferenceServer, list[Service], Path]]:
    """The server, all four ways to it, and a directory to write in."""
    # Half a second of imports, which a child that is to be killed has no use for.
    from certificates import make_certificates
    from reference_names import API_KEY, WEBHOOK_PATH, WEBHOOK_SECRET
    from run_reference import ReferenceServer

    with tempfile.TemporaryDirectory(prefix="campaign-") as directory:
        certificates = make_certificates(Path(directory))
        tls = {"tls": {"ca_file": str(certificates.ca_file)}}
        with ReferenceServer(certificates.good) as server:
            services = [
                Service("http1", server.http_url, server, {"api_key": API_KEY}),
                Service("http2", server.https_url, server, {"api_key": API_KEY, **tls}),
                Relay("relay1", server.http_url, server, {}, WEBHOOK_SECRET, WEBHOOK_PATH),
                Relay("relay2", server.https_url, server, tls, WEBHOOK_SECRET, WEBHOOK_PATH),
            ]
            yield server, services, Path(directory)


def start_of(slot: int) -> str:
    """When the n-th slot starts, as requests and lists write it."""
    return (FIRST_SLOT + slot * SLOT).strftime("%Y-%m-%dT%H:%M:%SZ")


def booking(bot_id: str, key: str, slot: int, **members: Any) -> dict[str, Any]:
    """The request for the n-th slot: the same arguments make the same request, in any process."""
    wanted = {
        "start_at": start_of(slot),
        "duration_minutes": 30,
        "customer": {"phone": "+14155550137", "name": "Johanna Mustermann"},
        "notes": "Initial consultation",
    }
    return {"bot_id": bot_id, "idempotency_key": key, "booking": wanted, **members}


@dataclass(frozen=True)
class Told:
    """What a reply says about a booking."""

    status: int
    outcome: str
    code: str | None
    booking_id: str | None
    reply: str

    @property
    def was_denied(self) -> bool:
        """The library says that this booking was certainly not made."""
        return self.outcome in ("not_sent", "rejected")


def told(result: pbk.Result) -> Told:
    """`booked` is the outcome of a success. A reply of another shape has the outcome `malformed`."""
    reply = result.reply.decode()
    try:
        content = json.loads(reply)
        if result.status == 0:
            return Told(0, "booked", None, content["booking"]["id"], reply)
        error = content["error"]
        return Told(result.status, error["outcome"], error["code"], None, reply)
    except (ValueError, KeyError, TypeError):
        return Told(result.status, "malformed", None, None, reply)


def settled(server: ReferenceServer, **only: str) -> dict[str, Any]:
    """The server's list when nothing is on its way to it any more.

    It is asked twice, because a request may wait in a socket while the first answer is made.
    """
    deadline = time.monotonic() + PATIENCE
    calm = 0
    while True:
        seen = server.bookings(**only)
        calm = 0 if seen["in_flight"] else calm + 1
        if calm == 2:
            return seen
        if time.monotonic() > deadline:
            raise RuntimeError(f"{seen['in_flight']} requests are still in the server")
        if calm == 0:
            time.sleep(0.005)


@dataclass
class Findings:
    """Counts, and violations in words."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, name: str, number: int = 1) -> None:
        with self._lock:
            self.counts[name] += number

    def violation(self, kind: str, detail: str) -> None:
        self.count(kind)
        self.violations.append(f"{kind}: {detail}")

    def line(self, title: str, names: list[str]) -> None:
        print(f"{self.name} {title}: " + " ".join(f"{name}={self.counts[name]}" for name in names))

    def finish(self) -> int:
        """Prints what was violated, and gives the exit code."""
        for violation in self.violations[:SHOWN]:
            print(f"VIOLATION {violation}")
        if len(self.violations) > SHOWN:
            print(f"and {len(self.violations) - SHOWN} violations more")
        seconds = time.monotonic() - self.started
        print(f"{self.name}: violations={len(self.violations)} seconds={seconds:.1f}")
        return 1 if self.violations else 0
