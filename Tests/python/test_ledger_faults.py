"""Stores that crash, hang or are cut off: what was answered is there, and a repetition does nothing
twice."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import redis
from cut_proxy import DOWN, UP, Cut, CutProxy
from ledger_conformance import Result, Scope, result_of
from ledger_stores import (
    ASYNC_LEDGERS,
    LEDGERS,
    SERVERS,
    Blocking,
    PostgresLedger,
    PostgresServer,
    RedisLedger,
    RedisServer,
)
from waiting import SOON

LOST = (psycopg.Error, redis.RedisError)


@pytest.fixture(scope="module", params=["postgres", "redis"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def server(kind: str) -> Iterator[Any]:
    with SERVERS[kind]() as server:
        yield server


@pytest.fixture
def ledger(kind: str, server: Any) -> Iterator[Any]:
    ledger = LEDGERS[kind](server.url)
    ledger.ensure_schema()
    yield ledger
    ledger.close()


def test_what_was_answered_is_there_after_a_crash(kind, server, ledger):
    scope, answered, enough = Scope(ledger), [], threading.Event()

    def write() -> None:
        for number in range(100_000):
            try:
                scope.claim(f"key-{number}")
                if number % 2:
                    scope.settle(f"key-{number}")
            except LOST:
                return
            answered.append(number)
            if number == 60:
                enough.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert enough.wait(SOON)
    server.kill()
    writer.join()
    with pytest.raises(LOST):
        ledger.execute([scope.operation("wait", key="k")])
    server.start()
    states = [scope.wait(f"key-{number}")["result"] for number in answered]
    assert states == ["booked" if number % 2 else "open" for number in answered]


def test_idle_connections_that_a_restart_broke_are_made_again(server, ledger):
    scope = Scope(ledger)
    assert result_of(scope.claim()) == "claimed"
    server.kill()
    server.start()
    assert scope.wait()["result"] == "open"




@pytest.mark.parametrize("way", ["sync", "asyncio"])
@pytest.mark.parametrize("direction", [UP, DOWN])
def test_connection_cut_inside_a_batch(kind, server, ledger, way, direction):
    """The bytes of a batch end at some point. The ledger asks again, and the claims are its own."""
    direct = Scope(ledger)
    for after in (0, 1, 7, 50):
        for reset in (False, True):
            with CutProxy(server.url) as proxy:
                url = url_through(proxy, kind)
                through = LEDGERS[kind](url) if way == "sync" else Blocking(ASYNC_LEDGERS[kind](url))
                through.execute([direct.operation("wait", key="warm")])
                scope = Scope(through)
                cut = Cut(direction, after, reset)
                proxy.cut_open(cut)
                batch = [scope.claiming(key) for key in "abc"]
                results: list[Result] = through.execute(batch)
                assert cut.happened.is_set()
                assert [result["result"] for result in results] == ["claimed"] * 3
                listed = ledger.execute([scope.operation("pending", limit=9)])
                assert [row["key"] for row in listed[0]["rows"]] == ["a", "b", "c"]
                through.close()


def url_through(proxy: CutProxy, kind: str) -> str:
    return proxy.url if kind == "redis" else f"{proxy.url}/postgres?user=postgres"


def test_new_connection_that_is_cut_leaves_all_of_a_batch_or_nothing(kind, server, ledger):
    outcomes = set()
    with CutProxy(server.url) as proxy:
        for after in (*range(0, 200, 40), 700, 2000):
            through = LEDGERS[kind](url_through(proxy, kind))
            scope = Scope(through)
            scope.wait()
            through.close()
            batch = [scope.claiming(key) for key in "abc"]
            proxy.cut_next(Cut(UP, after, reset=True))
            try:
                through.execute(batch)
                outcomes.add("answered")
            except LOST:
                outcomes.add("lost")
            proxy.stop_cutting()
            [listed] = ledger.execute([scope.operation("pending", limit=9)])
            assert [row["key"] for row in listed["rows"]] in ([], ["a", "b", "c"])
            assert [result["result"] for result in ledger.execute(batch)] == ["claimed"] * 3
            through.close()
    assert "lost" in outcomes


def test_store_out_of_reach_raises(kind, server):
    with CutProxy(server.url) as proxy:
        through = LEDGERS[kind](url_through(proxy, kind))
        scope = Scope(through)
        scope.claim()
    with pytest.raises(LOST):
        scope.wait()


def test_batch_that_waits_too_long_for_a_lock_is_rolled_back():
    with PostgresServer() as server, psycopg.connect(server.url) as other:
        scope, soon = Scope(PostgresLedger(server.url)), Scope(PostgresLedger(server.url, timeout=0.1))
        scope.claim("z")
        other.execute("SELECT 1 FROM pbk_ledger FOR UPDATE")
        soon.name = scope.name
        with pytest.raises(psycopg.errors.LockNotAvailable):
            soon.run(soon.claiming("a"), soon.operation("withdraw", key="z", claim="c1", withdrawn=True))
        other.rollback()
        assert result_of(scope.wait("a")) == "absent" and scope.row("z")["withdrawn"] is False
        assert result_of(soon.claim("a")) == "claimed"


def test_redis_that_hangs_raises():
    with RedisServer() as server:
        scope = Scope(RedisLedger(server.url, timeout=0.2))
        scope.claim()
        server.pause()
        try:
            with pytest.raises(redis.TimeoutError):
                scope.wait()
        finally:
            server.go_on()
        assert scope.wait()["result"] == "open"


def test_cancelled_task_leaves_a_ledger_that_works(kind, server, ledger):
    async def main() -> None:
        mine = ASYNC_LEDGERS[kind](server.url)
        scope = Scope(None)
        await mine.execute([scope.operation("wait", key="k")])
        for _ in range(5):
            task = asyncio.ensure_future(mine.execute([scope.claiming()]))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert [result["result"] for result in await mine.execute([scope.claiming()])] == ["claimed"]
        await mine.aclose()

    asyncio.run(main())
