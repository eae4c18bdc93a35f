"""Ledgers, which keep bookings in a store that all engines share. docs/ledger-stores.md compares
the stores.

    from partnerbooking import ledgers
    ledger = ledgers.from_url("postgres://engine@db.internal/bookings")

A store's module imports its client: `ledgers.postgres` needs psycopg, `ledgers.redis` needs redis.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Optional, Protocol, cast
from urllib.parse import urlsplit

__all__ = ["AsyncLedger", "Ledger", "LedgerError", "NewerSchema", "async_from_url", "from_url"]

Operation = Mapping[str, Any]
Result = dict[str, Any]


class LedgerError(Exception):
    """An error of the store's setup: it cannot keep bookings."""


class NewerSchema(LedgerError):
    """An error of the store's schema: a later version of this package has changed it."""


class Ledger(Protocol):
    def ensure_schema(self) -> None: ...

    def execute(self, operations: Sequence[Operation]) -> list[Result]:
        """Returns one result for each operation, in order. After an exception it is unknown which
        operations were carried out."""
        ...

    def close(self) -> None: ...


class AsyncLedger(Protocol):
    async def ensure_schema(self) -> None: ...

    async def execute(self, operations: Sequence[Operation]) -> list[Result]: ...

    async def aclose(self) -> None: ...


def from_url(url: str, **options: Any) -> Ledger:
    """Returns the ledger for `postgres://…` or `redis://…`. `options` are keywords of its class."""
    return cast(Ledger, _class(url, "")(url, **options))


def async_from_url(url: str, **options: Any) -> AsyncLedger:
    """Returns the asyncio ledger for `postgres://…` or `redis://…`. `options` are keywords of its
    class."""
    return cast(AsyncLedger, _class(url, "Async")(url, **options))


def _class(url: str, kind: str) -> Any:
    scheme = urlsplit(url).scheme
    if scheme in ("postgres", "postgresql"):
        from . import postgres

        return getattr(postgres, f"{kind}PostgresLedger")
    if scheme in ("redis", "rediss", "unix"):
        from . import redis

        return getattr(redis, f"{kind}RedisLedger")
    raise ValueError(f"{scheme or 'no scheme'}: a ledger's URL begins with postgres:// or redis://")


def _in_order(operations: Sequence[Operation], results: Sequence[Result]) -> list[Result]:
    by_id: dict[Optional[str], Result] = {result["id"]: result for result in results}
    return [by_id[operation.get("id")] for operation in operations]


def _batch(operations: Sequence[Operation]) -> str:
    return json.dumps({"protocol": 1, "operations": operations}, separators=(",", ":"), default=dict)
