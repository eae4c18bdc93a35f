"""The schema of a ledger: who makes it, what an older program does with a newer one, and what goes
with time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest
import redis
from ledger_conformance import Scope, result_of
from ledger_stores import PostgresLedger, PostgresServer, RedisLedger, RedisServer
from waiting import wait_until

from partnerbooking import ledgers  # isort: skip  # ledger_stores makes it importable


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[psycopg.Connection]:
    """A connection as the owner of the server, to an empty database."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public")
        yield connection


def test_many_engines_make_the_schema_at_the_same_time(postgres, database):
    for _ in range(5):
        barrier = threading.Barrier(8)
        made = [PostgresLedger(postgres.url) for _ in range(8)]

        def start(ledger: PostgresLedger) -> None:
            with ledger._connection():
                barrier.wait()
            ledger.ensure_schema()

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(start, made))
        assert {result_of(Scope(ledger).claim()) for ledger in made} == {"claimed"}
        for ledger in made:
            ledger.close()
        database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def test_schema_that_is_there_is_left_alone(postgres, database):
    PostgresLedger(postgres.url).ensure_schema()
    catalogue = "SELECT oid, xmin::text FROM pg_proc WHERE proname LIKE 'pbk%' ORDER BY oid"
    before = database.execute(catalogue).fetchall()
    PostgresLedger(postgres.url).ensure_schema()
    assert before and database.execute(catalogue).fetchall() == before


def test_newer_schema_is_refused(postgres, database, redis_server):
    scope = Scope(PostgresLedger(postgres.url))
    scope.claim()
    database.execute("UPDATE pbk_ledger_version SET version = 2")
    with pytest.raises(ledgers.NewerSchema, match="pbk_ledger has schema version 2, this program knows 1: update"):
        PostgresLedger(postgres.url).execute([scope.operation("wait", key="k")])
    # The functions of version 1 stay until no engine of version 1 is left.
    assert scope.wait()["result"] == "open"

    scope = Scope(RedisLedger(redis_server.url))
    scope.claim()
    redis.Redis.from_url(redis_server.url).set(f"pbk:{{{scope.name.replace('%', '%25').replace('}', '%7D')}}}", "2")
    with pytest.raises(ledgers.NewerSchema, match="has schema version 2, this program knows 1: update"):
        scope.wait()


def test_names_of_the_tables_and_keys(postgres, database, redis_server):
    two = [Scope(PostgresLedger(postgres.url, table=table)) for table in ("pbk_ledger", "clinic_7")]
    two += [Scope(RedisLedger(redis_server.url, prefix=prefix)) for prefix in ("pbk", "clinic")]
    for scope in two:
        scope.name = "same"
        assert result_of(scope.claim()) == "claimed"
    assert [row[0] for row in database.execute("SELECT count(*) FROM clinic_7")] == [1]
    assert redis.Redis.from_url(redis_server.url).exists("clinic:{same}:row:k")
    for table in ("", "Pbk", "a.b", "a b", "x" * 41, "1a"):
        with pytest.raises(ValueError, match="table"):
            PostgresLedger(postgres.url, table=table)
    with pytest.raises(ValueError, match="brace"):
        RedisLedger(redis_server.url, prefix="{a}")


def test_ledger_of_a_url():
    assert type(ledgers.from_url("postgresql://h/d", table="t")) is PostgresLedger
    assert type(ledgers.from_url("rediss://h/0", prefix="p")) is RedisLedger
    assert type(ledgers.async_from_url("postgres://h/d")).__name__ == "AsyncPostgresLedger"
    assert type(ledgers.async_from_url("redis://h/0")).__name__ == "AsyncRedisLedger"
    for url, named in (("mysql://h/d", "mysql"), ("h/d", "no scheme")):
        with pytest.raises(ValueError, match=f"{named}: a ledger's URL begins with postgres:// or redis://"):
            ledgers.from_url(url)
    for ledger in (PostgresLedger, RedisLedger):
        with pytest.raises(ValueError, match="give either"):
            ledger()


def test_old_rows_go_in_small_batches(postgres, database):
    scope = Scope(PostgresLedger(postgres.url, retention=timedelta(hours=1)))
    ended = {"claim": "c", "owner": "o", "fingerprint": "f", "recorded_at": 1, "outcome": "rejected"}
    scope.run(*(scope.operation("void", key=str(number), **ended) for number in range(200)))
    scope.claim("open")
    database.execute("UPDATE pbk_ledger SET updated_at = updated_at - interval '2 hours', lease_until = now()")
    counts = []
    for _ in range(5):
        scope.wait("open")
        counts.append(database.execute("SELECT count(*) FROM pbk_ledger").fetchone()[0])
    assert counts == [137, 73, 9, 1, 1] and scope.wait("open")["result"] == "open"


def test_old_row_that_somebody_locks_holds_nobody_up(postgres, database):
    scope = Scope(PostgresLedger(postgres.url, retention=timedelta(0)))
    scope.run(scope.claiming("old"), scope.claiming("new"))
    with psycopg.connect(postgres.url) as other:
        scope.settle("old")
        other.execute("SELECT FROM pbk_ledger WHERE key = 'old' FOR UPDATE")
        assert scope.wait("new")["result"] == "open" and scope.wait("old")["result"] == "booked"
    scope.wait("new")
    assert result_of(scope.wait("old")) == "absent"


def test_batch_looks_at_no_row_that_it_does_not_need(postgres, database):
    """The cost of a batch does not grow with the rows that have ended."""
    scope = Scope(PostgresLedger(postgres.url))
    ended = {"claim": "c", "owner": "o", "fingerprint": "f", "recorded_at": 1, "outcome": "rejected"}
    for start in range(0, 2000, 200):
        scope.run(*(scope.operation("void", key=str(number), **ended) for number in range(start, start + 200)))
    database.execute("VACUUM ANALYZE pbk_ledger")
    read = "SELECT coalesce(sum(idx_tup_read), 0) + min(t.seq_tup_read) FROM pg_stat_user_indexes i"
    read += " JOIN pg_stat_user_tables t USING (relid) WHERE t.relname = 'pbk_ledger'"

    def rows_read() -> int:
        scope.store.close()  # a connection reports its figures at its end
        wait_until(lambda: database.execute("SELECT count(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                                            " AND backend_type = 'client backend'").fetchone()[0] == 0)  # fmt: skip
        return int(database.execute(read).fetchone()[0])

    before = rows_read()
    for number in range(10):
        scope.claim(f"new-{number}")
        scope.settle(f"new-{number}")
    assert rows_read() - before < 200


def test_nothing_is_left_of_old_rows_in_redis(redis_server):
    """Also when nobody heard of their end."""
    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    scope = Scope(RedisLedger(redis_server.url, retention=timedelta(milliseconds=50)))
    for number in range(10):
        scope.claim(f"key-{number}")
        scope.settle(f"key-{number}")
        scope.void(f"tombstone-{number}")
    while len(client.keys("*")) > 1:
        scope.wait()
    assert client.keys("*")[0].endswith(b"}")


def test_key_that_is_claimed_after_its_old_row_expired_is_pending(redis_server):
    """More rows than one batch removes from the lists."""
    scope = Scope(RedisLedger(redis_server.url, retention=timedelta(milliseconds=1)))
    keys = [f"key-{number:03}" for number in range(200)]
    ended = {"claim": "c1", "owner": "o1", "fingerprint": "f1", "recorded_at": 1, "reply": "{}"}
    scope.run(*(scope.operation("settle", key=key, **ended) for key in keys))
    wait_until(lambda: not redis.Redis.from_url(redis_server.url).keys("*:row:key-*"))
    scope.run(*(scope.claiming(key) for key in keys))
    for _ in range(4):
        assert scope.keys("pending", limit=1000) == keys
