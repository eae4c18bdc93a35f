"""Platforms that cost little, thousands of bookings at them, and what must become of those."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import pbk
from contract import failure
from fault_server import PATIENCE, http_reply
from header import STATUS
from ledger import BOOKED, FOUND, states
from loopback import webhook_config
from samples import CALLS_ONLY, ONCE, READS_ONLY, UNSPARED, booking_request, new_key

BOOKINGS = 10_100
HALF = 5_000
"""What one service may fill, of a ledger with the default limits."""
OUTSTANDING = 900
"""Calls at once. The default limits allow 1,024."""

FAILED = http_reply(504, b"{}").replace(b"\r\n\r\n", b"\r\nRetry-After: 3600\r\n\r\n", 1)
"""The next request is due after any deadline, so the call ends at once, in doubt."""

KEY = re.compile(rb'idempotency.key"?: ?"?([^"\r\n]+)', re.IGNORECASE)
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Platform(AbstractContextManager):
    """Books nothing at all, unless it is told to. It runs on one event loop: there are thousands of requests."""

    def __init__(self, answer: bytes | None) -> None:
        self.answer = answer
        """None: nothing is ever said."""
        self.books: set[str] = set()
        """The keys that get a booking all the same."""
        self.requests: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="platform", daemon=True)
        server = self._loop.run_until_complete(self._loop.create_server(lambda: Connection(self), "127.0.0.1"))
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._thread.start()

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def reply_to(self, request: bytes) -> bytes | None:
        found = KEY.search(request)
        if found is None:
            return FOUND
        key = found[1].decode()
        self.requests[key] += 1
        return BOOKED if key in self.books else self.answer


class Connection(asyncio.Protocol):
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._unread = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (head := self._unread.find(b"\r\n\r\n")) >= 0:
            end = head + 4 + int(LENGTH.search(self._unread)[1])
            if len(self._unread) < end:
                return
            request, self._unread = self._unread[:end], self._unread[end:]
            if (reply := self._platform.reply_to(request)) is not None:
                self._transport.write(reply)


def flood(client: pbk.Client, requests: Iterable[dict[str, Any]]) -> dict[str, pbk.Result]:
    """How each booking ended, by its key. A full queue is no end: it is waited for."""
    ended: dict[str, pbk.Result] = {}
    under_way = 0

    def take(timeout_ms: int) -> bool:
        completion = client.next_completion(timeout_ms)[1]
        if completion is not None:
            ended[completion.key] = completion.result
        return completion is not None

    for request in requests:
        while True:
            submission = client.submit(pbk.BOOK, request)
            if submission.status != STATUS["QUEUE_FULL"]:
                break
            take(1_000)
        if submission.status == STATUS["OK"]:
            under_way += 1
        else:
            ended[request["idempotency_key"]] = pbk.Result(submission.status, submission.error)
        while under_way and take(1_000 if under_way >= OUTSTANDING else 0):
            under_way -= 1
    while under_way:
        assert take(30_000), "a call that was accepted has no end"
        under_way -= 1
    return ended


def config(*platforms: Platform, **members: Any) -> dict[str, Any]:
    """The n-th bot's platform is the n-th."""
    webhooks = {
        f"bot_{number}": {"account_id": f"acct_{number}", "webhook_url": each.url, "webhook_secret": "whsec_1"}
        for number, each in enumerate(platforms)
    }
    return webhook_config(webhooks, **{**COMMON, **members})


COMMON: dict[str, Any] = {"retry": ONCE, "timeout_ms": 60_000, **CALLS_ONLY, **UNSPARED, **READS_ONLY}


def requests(count: int, bot: str = "bot_0", prefix: str = "k") -> list[dict[str, Any]]:
    return [booking_request(bot, f"{prefix}-{number}") for number in range(count)]


def listed(client: pbk.Client) -> set[str]:
    """The keys, all of which must be in doubt."""
    found = states(client)
    assert set(found.values()) <= {"in_doubt"}
    return set(found)


def listed_but_booked(client: pbk.Client) -> set[str]:
    """The same, but for bookings that are made and just not heard yet."""
    found = {key: state for key, state in states(client).items() if state != "booked"}
    assert set(found.values()) <= {"in_doubt"}
    return set(found)


def full(result: pbk.Result, key: str) -> None:
    error = failure(result, "LEDGER_FULL")
    assert (error["source"], error["retryable"], error["outcome"]) == ("library", True, "not_sent")
    assert (error["attempts"], error["status"], error["idempotency_key"]) == (0, None, key)


def judge(ended: dict[str, pbk.Result], room: int) -> tuple[set[str], set[str]]:
    """The keys in doubt, of which there must be so many, and those that were refused for want of room."""
    doubtful = {key for key, result in ended.items() if result.status != STATUS["LEDGER_FULL"]}
    refused = set(ended) - doubtful
    for key in refused:
        full(ended[key], key)
    for key in doubtful:
        assert json.loads(ended[key].reply)["error"]["outcome"] == "unknown", ended[key]
    assert (len(doubtful), len(refused)) == (room, len(ended) - room)
    return doubtful, refused


def refuses_one_more(client: pbk.Client, bot: str = "bot_0") -> None:
    key = new_key()
    full(client.book(booking_request(bot, key)), key)
