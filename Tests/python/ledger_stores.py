"""Real stores for the tests of ledgers: servers, and subjects whose rows can be made older."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
import python_package  # noqa: F401  # makes the package importable
import redis
from stores import PostgresServer, RedisServer

from partnerbooking.ledgers.postgres import AsyncPostgresLedger, PostgresLedger  # isort: skip
from partnerbooking.ledgers.redis import AsyncRedisLedger, RedisLedger, scope_key  # isort: skip

__all__ = ["AsyncPostgresLedger", "AsyncRedisLedger", "PostgresLedger", "RedisLedger"]
__all__ += ["AGED", "ASYNC_LEDGERS", "LEDGERS", "SERVERS"]
__all__ += ["AgedPostgres", "AgedRedis", "Blocking", "PostgresServer", "RedisServer"]

AGE_REDIS = """
local base, ms = KEYS[1], tonumber(ARGV[1])
for _, set in ipairs({'open', 'unheard'}) do
    local name = base .. ':' .. set
    local flat = redis.call('ZRANGE', name, 0, -1, 'WITHSCORES')
    for i = 1, #flat, 2 do redis.call('ZADD', name, flat[i + 1] - ms, flat[i]) end
end
for _, name in ipairs(redis.call('KEYS', '*')) do
    if name:sub(1, #base + 5) == base .. ':row:' then
        for _, column in ipairs({'lease_until', 'updated_at'}) do
            if redis.call('HEXISTS', name, column) == 1 then redis.call('HINCRBY', name, column, -ms) end
        end
        local left = redis.call('PTTL', name)
        if left > ms then redis.call('PEXPIRE', name, left - ms)
        elseif left >= 0 then redis.call('DEL', name) end
    end
end
"""


class AgedPostgres:
    """A ledger, and time that passes for its rows."""

    def __init__(self, ledger: Any, url: str) -> None:
        self.execute = ledger.execute
        self._connection = psycopg.connect(url, autocommit=True)

    def age(self, scope: str, milliseconds: int) -> None:
        self._connection.execute(
            "UPDATE pbk_ledger SET lease_until = lease_until - %(by)s * interval '1 ms',"
            " updated_at = updated_at - %(by)s * interval '1 ms' WHERE scope = %(scope)s",
            {"by": milliseconds, "scope": scope},
        )


class AgedRedis:
    def __init__(self, ledger: Any, url: str) -> None:
        self.execute = ledger.execute
        self._client = redis.Redis.from_url(url)

    def age(self, scope: str, milliseconds: int) -> None:
        self._client.eval(AGE_REDIS, 1, scope_key("pbk", scope), milliseconds)


AGED = {"postgres": AgedPostgres, "redis": AgedRedis}
SERVERS = {"postgres": PostgresServer, "redis": RedisServer}
LEDGERS = {"postgres": PostgresLedger, "redis": RedisLedger}
ASYNC_LEDGERS = {"postgres": AsyncPostgresLedger, "redis": AsyncRedisLedger}


class Blocking:
    """An asyncio ledger for tests that know of no loop."""

    def __init__(self, ledger: Any) -> None:
        self._loop = asyncio.new_event_loop()
        self._ledger = ledger

    def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self._loop.run_until_complete(self._ledger.execute(operations))

    def close(self) -> None:
        self._loop.run_until_complete(self._ledger.aclose())
        self._loop.close()
