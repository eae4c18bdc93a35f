"""The ledger in PostgreSQL, through psycopg 3.

    ledger = PostgresLedger("postgres://engine@db.internal/bookings")
    ledger = PostgresLedger(pool=psycopg_pool.ConnectionPool(...))

docs/ledger-stores.md describes settings and durability. `postgres.sql` does the work. Programs in
other languages can send the same file.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Optional

from . import LedgerError, NewerSchema, Operation, Result, _batch, _in_order

try:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict
except ImportError as error:
    raise ImportError(
        "partnerbooking.ledgers.postgres needs psycopg 3.1 or later: pip install 'partnerbooking[postgres]'"
    ) from error

__all__ = ["AsyncPostgresLedger", "PostgresLedger"]

_SQL = Path(__file__).with_name("postgres.sql")
_DAY = timedelta(days=1)
_NEWER = "PBKV1"
_CHECK = "SELECT 'pbk_ledger_v1(json, bigint, int)'::regprocedure"


class _Settings:
    def __init__(
        self, conninfo: Optional[str], pool: Any, table: str, retention: timedelta, timeout: float, migrate: bool
    ) -> None:
        if (conninfo is None) == (pool is None):
            raise ValueError("give either conninfo or pool")
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,39}", table):
            raise ValueError(f"table: {table!r} is not a name of 1 to 40 lower-case letters, digits and underscores")
        self.table = table
        self.timeout = timeout
        self.call = f"SELECT {table}_v1(%s, %s, %s)".encode()
        self.limits = (round(retention.total_seconds() * 1000), round(timeout * 1000))
        schema = _SQL.read_text(encoding="utf-8").replace("pbk_ledger", table)
        self.prepare = (schema if migrate else _CHECK.replace("pbk_ledger", table)).encode()
        self.connection = _connection(conninfo, timeout) if conninfo is not None else {}

    def reason(self, error: psycopg.Error) -> Exception:
        """Returns the exception to raise: it names the reason why the schema cannot be used."""
        if error.sqlstate == _NEWER:
            return NewerSchema(error.diag.message_primary or str(error))
        if isinstance(error, psycopg.errors.UndefinedFunction):
            return LedgerError(f"{self.table} has no schema of version 1: run postgres.sql as its owner")
        return error

    def may_repeat(self, connection: Any, fresh: bool, begin: float) -> bool:
        """Returns True when an idle connection was broken and there is time for a new one."""
        return not fresh and bool(connection.closed) and time.monotonic() - begin < self.timeout / 2


def _connection(conninfo: str, timeout: float) -> dict[str, Any]:
    """Returns parameters for connections to the primary, which soon notice a dead server."""
    parameters: dict[str, Any] = {
        "application_name": "partnerbooking",
        "connect_timeout": 2,
        "keepalives_idle": 1,
        "keepalives_interval": 1,
        "keepalives_count": 2,
        "tcp_user_timeout": round(timeout * 1000),
        "target_session_attrs": "read-write",
    }
    parameters.update(conninfo_to_dict(conninfo))
    return parameters


class PostgresLedger:
    """A ledger in PostgreSQL, for threads, which may share it.

    It opens at most `connections` connections, each when it is first needed. A batch that takes
    longer than `timeout` seconds is rolled back.
    """

    def __init__(
        self,
        conninfo: Optional[str] = None,
        *,
        pool: Any = None,
        table: str = "pbk_ledger",
        retention: timedelta = _DAY,
        timeout: float = 1.5,
        migrate: bool = True,
        connections: int = 4,
    ) -> None:
        self._settings = _Settings(conninfo, pool, table, retention, timeout, migrate)
        self._pool = pool
        self._ready = False
        self._idle: list[psycopg.Connection[Any]] = []
        self._places = threading.Semaphore(connections)

    def ensure_schema(self) -> None:
        """Creates or updates the schema. With `migrate=False` only checks that it is there."""
        try:
            with self._connection() as (connection, _):
                connection.execute(self._settings.prepare)
        except psycopg.Error as error:
            raise self._settings.reason(error) from error
        self._ready = True

    def execute(self, operations: Sequence[Operation]) -> list[Result]:
        """Carries out the operations. Returns one result for each, in order.

        After an exception it is unknown which operations were carried out.
        """
        if not self._ready:
            self.ensure_schema()
        parameters = (_batch(operations), *self._settings.limits)
        begin = time.monotonic()
        while True:
            connection, fresh = None, True
            try:
                with self._connection() as (connection, fresh):
                    row = connection.execute(self._settings.call, parameters, prepare=False).fetchone()
                return _in_order(operations, row[0]["results"] if row else [])
            except psycopg.OperationalError:
                if not self._settings.may_repeat(connection, fresh, begin):
                    raise

    def close(self) -> None:
        """Closes the idle connections that this ledger has opened."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[tuple[psycopg.Connection[Any], bool]]:
        """Lends a connection. The bool is False for an idle connection that was used before."""
        if self._pool is not None:
            with self._pool.connection() as connection:
                yield connection, True
            return
        with self._places:
            try:
                used, fresh = self._idle.pop(), False
            except IndexError:
                used, fresh = psycopg.Connection.connect(autocommit=True, **self._settings.connection), True
            try:
                yield used, fresh
            except BaseException as error:
                # After an error of the statement the connection can still be used.
                if used.closed or not isinstance(error, psycopg.Error):
                    used.close()
                else:
                    self._idle.append(used)
                raise
            self._idle.append(used)


class AsyncPostgresLedger:
    """A ledger in PostgreSQL, for one event loop. Its parameters are those of `PostgresLedger`."""

    def __init__(
        self,
        conninfo: Optional[str] = None,
        *,
        pool: Any = None,
        table: str = "pbk_ledger",
        retention: timedelta = _DAY,
        timeout: float = 1.5,
        migrate: bool = True,
        connections: int = 4,
    ) -> None:
        self._settings = _Settings(conninfo, pool, table, retention, timeout, migrate)
        self._pool = pool
        self._ready = False
        self._idle: list[psycopg.AsyncConnection[Any]] = []
        self._connections = connections
        self._places: Optional[asyncio.Semaphore] = None

    async def ensure_schema(self) -> None:
        """Creates or updates the schema. With `migrate=False` only checks that it is there."""
        try:
            async with self._connection() as (connection, _):
                await connection.execute(self._settings.prepare)
        except psycopg.Error as error:
            raise self._settings.reason(error) from error
        self._ready = True

    async def execute(self, operations: Sequence[Operation]) -> list[Result]:
        """Carries out the operations. Returns one result for each, in order.

        After an exception it is unknown which operations were carried out.
        """
        if not self._ready:
            await self.ensure_schema()
        parameters = (_batch(operations), *self._settings.limits)
        begin = time.monotonic()
        while True:
            connection, fresh = None, True
            try:
                async with self._connection() as (connection, fresh):
                    cursor = await connection.execute(self._settings.call, parameters, prepare=False)
                    row = await cursor.fetchone()
                return _in_order(operations, row[0]["results"] if row else [])
            except psycopg.OperationalError:
                if not self._settings.may_repeat(connection, fresh, begin):
                    raise

    async def aclose(self) -> None:
        """Closes the idle connections that this ledger has opened."""
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[psycopg.AsyncConnection[Any], bool]]:
        if self._pool is not None:
            async with self._pool.connection() as connection:
                yield connection, True
            return
        # Made here, because Python 3.9 binds a semaphore to the loop that runs at that moment.
        self._places = self._places or asyncio.Semaphore(self._connections)
        async with self._places:
            try:
                used, fresh = self._idle.pop(), False
            except IndexError:
                used, fresh = await psycopg.AsyncConnection.connect(autocommit=True, **self._settings.connection), True
            try:
                yield used, fresh
            except BaseException as error:
                if used.closed or not isinstance(error, psycopg.Error):
                    await used.close()
                else:
                    self._idle.append(used)
                raise
            self._idle.append(used)
