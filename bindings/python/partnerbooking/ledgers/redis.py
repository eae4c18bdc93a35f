"""The ledger in Redis or Valkey, through redis-py.

    ledger = RedisLedger("redis://cache.internal/0")
    ledger = RedisLedger(client=redis.Redis(...))

docs/ledger-stores.md describes settings and durability. `redis.lua` does the work. Programs in
other languages can send the same script.
"""

from __future__ import annotations

import hashlib
import json
import logging
import socket
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Optional

from . import LedgerError, NewerSchema, Operation, Result, _batch, _in_order

try:
    from redis import Redis
    from redis.asyncio import Redis as AsyncRedis
    from redis.asyncio.retry import Retry as AsyncRetry
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as Disconnected
    from redis.exceptions import NoPermissionError, NoScriptError, ResponseError
    from redis.retry import Retry
except ImportError as error:
    raise ImportError(
        "partnerbooking.ledgers.redis needs redis-py 5.0 or later: pip install 'partnerbooking[redis]'"
    ) from error

__all__ = ["AsyncRedisLedger", "RedisLedger"]

_LUA = Path(__file__).with_name("redis.lua").read_text(encoding="utf-8")
_SHA1 = hashlib.sha1(_LUA.encode(), usedforsecurity=False).hexdigest()
_DAY = timedelta(days=1)
_log = logging.getLogger("partnerbooking")


def scope_key(prefix: str, scope: str) -> str:
    """Returns the prefix of all keys of a scope. Its braces keep them in one slot of a cluster."""
    return "%s:{%s}" % (prefix, scope.replace("%", "%25").replace("}", "%7D"))


class _Settings:
    def __init__(
        self, url: Optional[str], client: Any, prefix: str, retention: timedelta, timeout: float, wait_replicas: int
    ) -> None:
        if (url is None) == (client is None):
            raise ValueError("give either url or client")
        if "{" in prefix or "}" in prefix:
            raise ValueError(f"prefix: {prefix!r} has a brace")
        self.prefix = prefix
        self.retention_ms = round(retention.total_seconds() * 1000)
        self.wait_replicas = wait_replicas
        self.wait_ms = round(timeout * 500)

    def calls(self, operations: Sequence[Operation]) -> list[tuple[str, str, int]]:
        """Returns the arguments of one call of the script for each scope."""
        scopes: dict[str, list[Operation]] = {}
        for operation in operations:
            scopes.setdefault(str(operation.get("scope")), []).append(operation)
        return [(scope_key(self.prefix, scope), _batch(those), self.retention_ms) for scope, those in scopes.items()]

    def check_replicas(self, acknowledged: int) -> None:
        if acknowledged < self.wait_replicas:
            raise LedgerError(f"{acknowledged} of {self.wait_replicas} replicas have the batch after {self.wait_ms} ms")


def _connection(url: str, timeout: float, retry: Any) -> dict[str, Any]:
    """Returns the options of a connection that times out, and that reconnects once if broken."""
    options: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    options |= {"retry": retry, "retry_on_error": [Disconnected]}
    if not url.startswith("unix:"):
        # No byte of a batch may arrive after its timeout.
        options["socket_keepalive"] = True
        options["socket_keepalive_options"] = {socket.TCP_USER_TIMEOUT: round(timeout * 1000)}
    return options


def _check_server(info: dict[str, Any]) -> None:
    """Refuses a server that may drop bookings while it runs."""
    policy = info.get("maxmemory_policy", "noeviction")
    if info.get("maxmemory") and policy != "noeviction":
        raise LedgerError(f"maxmemory-policy is {policy}, which drops bookings: set it to noeviction")
    # While Redis loads the file after a restart, it reports that there is none.
    if info.get("aof_enabled") == 0 and not info.get("loading"):
        _log.warning("Redis has no append-only file: a restart may lose bookings. Set appendonly to yes.")


def _results(reply: Any) -> list[Result]:
    results: list[Result] = json.loads(reply)["results"]
    return results


def _reason(error: ResponseError) -> Exception:
    return NewerSchema(str(error)) if str(error).startswith("LEDGERVERSION") else error


class RedisLedger:
    """A ledger in Redis, for threads, which may share it.

    With `wait_replicas` a batch counts only when that number of replicas has it. `timeout` is the
    socket's, in seconds. It does not apply to a `client` of your own.
    """

    def __init__(
        self,
        url: Optional[str] = None,
        *,
        client: Any = None,
        prefix: str = "pbk",
        retention: timedelta = _DAY,
        timeout: float = 1.5,
        migrate: bool = True,
        wait_replicas: int = 0,
    ) -> None:
        self._settings = _Settings(url, client, prefix, retention, timeout, wait_replicas)
        self._owned = client is None
        retry = Retry(NoBackoff(), 1, (Disconnected,))
        self._client: Any = client if url is None else Redis.from_url(url, **_connection(url, timeout, retry))
        self._ready = not migrate

    def ensure_schema(self) -> None:
        """Checks the settings of the server.

        The script creates and checks the schema of each scope.
        """
        with suppress(NoPermissionError):
            _check_server(self._client.info())
        self._ready = True

    def execute(self, operations: Sequence[Operation]) -> list[Result]:
        """Carries out the operations. Returns one result for each, in order.

        After an exception it is unknown which operations were carried out.
        """
        if not self._ready:
            self.ensure_schema()
        results: list[Result] = []
        for call in self._settings.calls(operations):
            try:
                results += _results(self._call(*call))
            except ResponseError as error:
                raise _reason(error) from error
        return _in_order(operations, results)

    def close(self) -> None:
        """Closes the connections that this ledger has opened."""
        if self._owned:
            self._client.close()

    def _call(self, *arguments: Any) -> Any:
        try:
            return self._run("evalsha", _SHA1, *arguments)
        except NoScriptError:
            return self._run("eval", _LUA, *arguments)

    def _run(self, command: str, script: str, *arguments: Any) -> Any:
        if not self._settings.wait_replicas:
            return getattr(self._client, command)(script, 1, *arguments)
        with self._client.pipeline(transaction=False) as pipeline:
            getattr(pipeline, command)(script, 1, *arguments)
            pipeline.wait(self._settings.wait_replicas, self._settings.wait_ms)
            reply, acknowledged = pipeline.execute(raise_on_error=False)
        if isinstance(reply, Exception):
            raise reply
        self._settings.check_replicas(acknowledged)
        return reply


class AsyncRedisLedger:
    """A ledger in Redis, for one event loop. Its parameters are those of `RedisLedger`."""

    def __init__(
        self,
        url: Optional[str] = None,
        *,
        client: Any = None,
        prefix: str = "pbk",
        retention: timedelta = _DAY,
        timeout: float = 1.5,
        migrate: bool = True,
        wait_replicas: int = 0,
    ) -> None:
        self._settings = _Settings(url, client, prefix, retention, timeout, wait_replicas)
        self._owned = client is None
        retry = AsyncRetry(NoBackoff(), 1, (Disconnected,))
        self._client: Any = client if url is None else AsyncRedis.from_url(url, **_connection(url, timeout, retry))
        self._ready = not migrate

    async def ensure_schema(self) -> None:
        """Checks the settings of the server.

        The script creates and checks the schema of each scope.
        """
        with suppress(NoPermissionError):
            _check_server(await self._client.info())
        self._ready = True

    async def execute(self, operations: Sequence[Operation]) -> list[Result]:
        """Carries out the operations. Returns one result for each, in order.

        After an exception it is unknown which operations were carried out.
        """
        if not self._ready:
            await self.ensure_schema()
        results: list[Result] = []
        for call in self._settings.calls(operations):
            try:
                results += _results(await self._call(*call))
            except ResponseError as error:
                raise _reason(error) from error
        return _in_order(operations, results)

    async def aclose(self) -> None:
        """Closes the connections that this ledger has opened."""
        if self._owned:
            await self._client.aclose()

    async def _call(self, *arguments: Any) -> Any:
        try:
            return await self._run("evalsha", _SHA1, *arguments)
        except NoScriptError:
            return await self._run("eval", _LUA, *arguments)

    async def _run(self, command: str, script: str, *arguments: Any) -> Any:
        if not self._settings.wait_replicas:
            return await getattr(self._client, command)(script, 1, *arguments)
        async with self._client.pipeline(transaction=False) as pipeline:
            getattr(pipeline, command)(script, 1, *arguments)
            pipeline.wait(self._settings.wait_replicas, self._settings.wait_ms)
            reply, acknowledged = await pipeline.execute(raise_on_error=False)
        if isinstance(reply, Exception):
            raise reply
        self._settings.check_replicas(acknowledged)
        return reply
