"""How stores and their clients may be set up: pools, replicas and clusters, and settings that are
refused."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import psycopg_pool
import pytest
import redis
from header import ROOT
from ledger_conformance import Scope, result_of
from ledger_stores import (
    AsyncPostgresLedger,
    AsyncRedisLedger,
    PostgresLedger,
    PostgresServer,
    RedisLedger,
    RedisServer,
)
from waiting import wait_until

from partnerbooking.ledgers import LedgerError  # isort: skip  # ledger_stores makes it importable

LUA = (ROOT / "bindings/python/partnerbooking/ledgers/redis.lua").read_text()


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        PostgresLedger(server.url).ensure_schema()
        yield server


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


# ---- PostgreSQL ----------------------------------------------------------------------------------


def test_pool_of_the_host(postgres):
    with psycopg_pool.ConnectionPool(postgres.url, min_size=1, max_size=2) as pool:
        ledger = PostgresLedger(pool=pool)
        scope = Scope(ledger)
        assert result_of(scope.claim()) == "claimed"
        ledger.close()
        assert scope.wait()["result"] == "open"


def test_asyncio_pool_of_the_host(postgres):
    async def main() -> None:
        async with psycopg_pool.AsyncConnectionPool(postgres.url, min_size=1, max_size=2, open=False) as pool:
            ledger, scope = AsyncPostgresLedger(pool=pool), Scope(None)
            claims = [ledger.execute([scope.claiming(str(number))]) for number in range(8)]
            assert {result["result"] for [result] in await asyncio.gather(*claims)} == {"claimed"}
            await ledger.aclose()

    asyncio.run(main())


def connections(postgres: PostgresServer) -> int:
    with psycopg.connect(postgres.url) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'partnerbooking'"
        return connection.execute(query).fetchone()[0]


def test_no_more_connections_than_batches_under_way(postgres):
    before = connections(postgres)
    ledger = PostgresLedger(postgres.url, connections=3)
    scope = Scope(ledger)
    for _ in range(3):
        scope.wait()
    assert connections(postgres) == before + 1

    async def main() -> None:
        eager = AsyncPostgresLedger(postgres.url, connections=3)
        await asyncio.gather(*(eager.execute([scope.operation("wait", key="k")]) for _ in range(20)))
        assert connections(postgres) == before + 1 + 3
        await eager.aclose()

    asyncio.run(main())
    ledger.close()
    wait_until(lambda: connections(postgres) == before)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("default_transaction_isolation=serializable", "needs READ COMMITTED: the transaction is SERIALIZABLE"),
        ("default_transaction_isolation=repeatable\\ read", "needs READ COMMITTED: the transaction is REPEATABLE READ"),
        ("default_transaction_read_only=on", "needs the primary: the transaction is read-only"),
    ],
)
def test_transactions_of_another_kind_are_refused(postgres, option, message):
    with psycopg.connect(postgres.url, options=f"-c {option}", autocommit=True) as connection:
        with pytest.raises(psycopg.Error, match=message):
            connection.execute("""SELECT pbk_ledger_v1('{"operations":[]}', 1, 1000)""")


def test_another_protocol_is_refused(postgres, redis_server):
    with psycopg.connect(postgres.url) as connection, pytest.raises(psycopg.Error, match="the batch has protocol 2"):
        connection.execute("""SELECT pbk_ledger_v1('{"protocol":2,"operations":[]}', 1, 1000)""")
    client = redis.Redis.from_url(redis_server.url)
    with pytest.raises(redis.ResponseError, match="the batch has protocol 2"):
        client.eval(LUA, 1, "pbk:{s}", '{"protocol":2,"operations":[]}', 1000)


def test_text_with_the_character_zero_poisons_no_batch(postgres, redis_server):
    names = ["a\0b", "\0\0", "c\\\0", "\\u0000", "\\\\u0000"]
    for ledger, kept in ((PostgresLedger(postgres.url), "\ufffd"), (RedisLedger(redis_server.url), "\0")):
        scope = Scope(ledger)
        results = scope.run(*(scope.claiming(str(number), conversation=name) for number, name in enumerate(names)))
        assert {result["result"] for result in results} == {"claimed"}
        found = [scope.row(str(number))["conversation"] for number in range(len(names))]
        assert found == [name.replace("\0", kept) for name in names]


# ---- Redis ---------------------------------------------------------------------------------------


def test_script_that_the_server_has_forgotten(redis_server):
    scope, client = Scope(RedisLedger(redis_server.url)), redis.Redis.from_url(redis_server.url)
    for key in "ab":
        client.script_flush()
        assert result_of(scope.claim(key)) == "claimed"
        assert client.script_exists(hashlib.sha1(LUA.encode()).hexdigest()) == [True]


@pytest.mark.parametrize("decodes", [False, True])
def test_client_of_the_host(redis_server, decodes):
    client = redis.Redis.from_url(redis_server.url, decode_responses=decodes)
    ledger = RedisLedger(client=client)
    scope = Scope(ledger)
    assert result_of(scope.claim()) == "claimed"
    ledger.close()
    assert client.ping()


def test_policy_that_drops_bookings_is_refused():
    with RedisServer("--maxmemory", "50mb", "--maxmemory-policy", "volatile-lru") as server:
        with pytest.raises(LedgerError, match="maxmemory-policy is volatile-lru, which drops bookings: set it to noev"):
            RedisLedger(server.url).ensure_schema()


def test_full_server_takes_no_claim_and_drops_nothing():
    """A claim that finds no memory fails, and has changed nothing. What has begun can end."""
    with RedisServer("--maxmemory-policy", "noeviction") as server:
        scope, client = Scope(RedisLedger(server.url)), redis.Redis.from_url(server.url)
        scope.claim("a")
        client.config_set("maxmemory", 1)
        [read, claimed] = scope.run(scope.operation("wait", key="a"), scope.claiming("b"))
        assert (read["result"], claimed["result"]) == ("open", "failed") and "OOM" in claimed["message"]
        assert scope.do("withdraw", key="a", claim="c1", withdrawn=True)["result"] == "failed"
        assert scope.keys("pending") == ["a"] and scope.row("a")["withdrawn"] is False
        assert result_of(scope.settle("a")) == "done" and scope.row("a")["state"] == "booked"


def test_server_without_a_file_is_mentioned(caplog):
    with RedisServer("--appendonly", "no") as server, caplog.at_level(logging.WARNING, "partnerbooking"):
        RedisLedger(server.url).ensure_schema()
    assert [record.getMessage() for record in caplog.records] == [
        "Redis has no append-only file: a restart may lose bookings. Set appendonly to yes."
    ]


def test_batch_counts_once_a_replica_has_it(redis_server):
    scope = Scope(RedisLedger(redis_server.url, wait_replicas=1, timeout=1.0))
    with RedisServer("--replicaof", "127.0.0.1", str(redis_server.port)) as replica:
        primary = redis.Redis.from_url(redis_server.url)
        wait_until(lambda: primary.set("x", "") and primary.wait(1, 100) == 1)
        assert result_of(scope.claim()) == "claimed"
        assert redis.Redis.from_url(replica.url).keys("*:row:k")

        async def main() -> None:
            ledger = AsyncRedisLedger(redis_server.url, wait_replicas=1)
            scope.name = "asyncio"
            assert [result["result"] for result in await ledger.execute([scope.claiming()])] == ["claimed"]
            await ledger.aclose()

        asyncio.run(main())
    with pytest.raises(LedgerError, match="0 of 1 replicas have the batch after 500 ms"):
        scope.claim("k2")


def test_keys_of_a_scope_are_in_one_slot_of_a_cluster():
    with RedisServer("--cluster-enabled", "yes") as server:
        plain = redis.Redis.from_url(server.url)
        plain.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        wait_until(lambda: b"cluster_state:ok" in plain.execute_command("CLUSTER", "INFO"))
        cluster = redis.RedisCluster.from_url(server.url)
        scopes = [Scope(RedisLedger(client=cluster)) for _ in range(3)]
        for scope, name in zip(scopes, ("https://a/b", "}{", "%7D{}")):
            scope.name = name
            scope.claim()
            scope.settle()
        # Batches of several scopes go to several slots.
        batch = [{**scope.claiming("k9"), "id": str(number)} for number, scope in enumerate(scopes)]
        assert [result["result"] for result in scopes[0].store.execute(batch)] == ["claimed"] * 3
        slots = {}
        for key in plain.keys("*"):
            slots.setdefault(key[: key.index(b"}") + 1], set()).add(plain.execute_command("CLUSTER", "KEYSLOT", key))
        assert len(slots) == 3 and all(len(places) == 1 for places in slots.values())


def test_retention_is_the_time_to_live(redis_server):
    scope = Scope(RedisLedger(redis_server.url, retention=timedelta(hours=2)))
    scope.claim()
    [name] = redis.Redis.from_url(redis_server.url).keys(f"*{scope.name[-32:]}*:row:k")
    assert redis.Redis.from_url(redis_server.url).ttl(name) == -1
    scope.settle()
    assert 7100 < redis.Redis.from_url(redis_server.url).ttl(name) <= 7200
