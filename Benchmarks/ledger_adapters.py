"""Measures ledgers on real servers: the time of one operation, operations a second, and bytes a
booking.

    .venv/bin/python Benchmarks/ledger_adapters.py [postgres|redis [SETTING ...]]

A SETTING is an argument of redis-server, or NAME=VALUE of PostgreSQL. docs/ledger-stores.md has the
figures. """

from __future__ import annotations

import json
import statistics
import sys
import threading
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).resolve().parents[1] / "Tests"
sys.path[:0] = [str(TESTS / folder) for folder in ("python", "python/package", "servers")]

import psycopg  # noqa: E402
import redis  # noqa: E402
from ledger_conformance import SENT, Operation, Scope  # noqa: E402
from ledger_stores import LEDGERS, SERVERS  # noqa: E402

BOT = "bot_01h2xcejqtf2nbrexx3vqjhp41"
PERSON = {"phone": "+15551234567", "name": "John Doe", "email": "john@example.com"}
WISH = {"start_at": "2030-01-14T10:00:00Z", "duration_minutes": 30, "customer": PERSON, "notes": "First visit"}
BODY = json.dumps({"idempotency_key": "call-7-booking-1", "bot_id": BOT, "booking": WISH})
REPLY = json.dumps({"id": "bkg_01h2xcejqtf2nbrexx3vqjhp41", "bot_id": BOT, "status": "confirmed", "start_at": "2030"})
NAMES = {"claim": "c" * 32, "owner": "o" * 32, "fingerprint": "f" * 64, **SENT, "bot_id": BOT}

ONE_BY_ONE, BOOKINGS, BATCH, THREADS, EACH, RENEWED = 1500, 20_000, 64, 8, 200, 200


def claim(scope: Scope, key: str) -> Operation:
    return scope.operation("claim", key=key, lease_ms=15_000, body=BODY, **NAMES)


def settle(scope: Scope, key: str) -> Operation:
    return scope.operation("settle", key=key, reply=REPLY, **NAMES)


def heard(scope: Scope, key: str) -> Operation:
    return scope.operation("heard", key=key, claim=NAMES["claim"])


def wait(scope: Scope, key: str) -> Operation:
    return scope.operation("wait", key=key)


def latencies(scope: Scope) -> None:
    times: dict[str, list[float]] = {"claim": [], "settle": [], "wait": []}
    for number in range(ONE_BY_ONE):
        for write in (claim, settle, wait):
            begin = time.perf_counter()
            scope.run(write(scope, f"single-{number}"))
            times[write.__name__].append(1000 * (time.perf_counter() - begin))
    for name, measured in times.items():
        late = sorted(measured)[-len(measured) // 100]
        print(f"  {name:7} median {statistics.median(measured):.2f} ms, p99 {late:.2f} ms")


def used(kind: str, url: str) -> int:
    """Bytes of the store."""
    if kind == "redis":
        return int(redis.Redis.from_url(url).info("memory")["used_memory"])
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM pbk_ledger")
        return int(connection.execute("SELECT pg_total_relation_size('pbk_ledger')").fetchone()[0])


def sizes(kind: str, url: str, scope: Scope) -> None:
    before = used(kind, url)
    for write, state in ((claim, "open"), (settle, "booked"), (heard, "heard")):
        begin = time.perf_counter()
        for start in range(0, BOOKINGS, BATCH):
            scope.run(*(write(scope, f"call-{number}") for number in range(start, min(start + BATCH, BOOKINGS))))
        rate = BOOKINGS / (time.perf_counter() - begin)
        size = (used(kind, url) - before) / BOOKINGS
        print(f"  {state:7} {size:.0f} bytes a row, batches of {BATCH}: {rate:.0f} operations a second")


def together(kind: str, url: str) -> None:
    def work(ledger: Any, number: int) -> None:
        scope = Scope(ledger)
        for key in range(EACH):
            scope.run(claim(scope, f"{number}-{key}"))

    ledgers = [LEDGERS[kind](url) for _ in range(THREADS)]
    threads = [threading.Thread(target=work, args=each[::-1]) for each in enumerate(ledgers)]
    begin = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"  {THREADS} threads, batches of 1: {THREADS * EACH / (time.perf_counter() - begin):.0f} claims a second")


def renewals(scope: Scope) -> None:
    keys = [f"renewed-{number}" for number in range(RENEWED)]
    scope.run(*(claim(scope, key) for key in keys))
    claims = [{"key": key, "claim": NAMES["claim"]} for key in keys]
    begin = time.perf_counter()
    for _ in range(50):
        scope.do("renew", owner=NAMES["owner"], lease_ms=15_000, claims=claims)
    print(f"  renewal of {RENEWED} claims: {20 * (time.perf_counter() - begin):.1f} ms")


for kind in sys.argv[1:2] or SERVERS:
    print(kind)
    with SERVERS[kind](*sys.argv[2:]) as server:
        ledger = LEDGERS[kind](server.url)
        measured = Scope(ledger)
        latencies(measured)
        sizes(kind, server.url, measured)
        renewals(measured)
        together(kind, server.url)
        ledger.close()
