"""The settings and rights on docs/ledger-stores.md."""

from __future__ import annotations

import psycopg
import pytest
import redis
from ledger_conformance import CASES, Scope, result_of
from ledger_stores import AgedRedis, PostgresLedger, PostgresServer, RedisLedger, RedisServer
from pages import DOCS, blocks_of

from partnerbooking import ledgers  # isort: skip  # ledger_stores makes it importable

BLOCKS = blocks_of(DOCS / "ledger-stores.md")


def block(beginning: str) -> str:
    [text] = [block.text for block in BLOCKS if block.text.startswith(beginning)]
    return text


def test_program_of_the_page():
    names: dict[str, object] = {}
    exec(block("from partnerbooking"), names)
    assert type(names["ledger"]) is PostgresLedger


def test_settings_and_rights_of_postgres():
    """An engine needs no right to make the schema."""
    settings = dict(line.split(" = ") for line in block("fsync").splitlines())
    with PostgresServer() as server, psycopg.connect(server.url, autocommit=True) as owner:
        owner.execute("CREATE ROLE engine LOGIN")
        defaults = dict(owner.execute("SELECT name, boot_val FROM pg_settings").fetchall())
        assert settings.items() <= defaults.items() and len(settings) == 3
        url = server.url.replace("postgres@", "engine@")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            PostgresLedger(url).ensure_schema()
        with pytest.raises(ledgers.LedgerError, match="run postgres.sql as its owner"):
            PostgresLedger(url, migrate=False).ensure_schema()
        PostgresLedger(server.url).ensure_schema()
        owner.execute(block("GRANT"))
        for migrate in (False, True):
            scope = Scope(PostgresLedger(url, migrate=migrate))
            assert result_of(scope.claim()) == "claimed" and result_of(scope.settle()) == "done"


def test_settings_and_rights_of_redis():
    """An engine needs no right to ask for settings."""
    arguments = [word for line in block("appendonly").splitlines() for word in f"--{line}".split()]
    with RedisServer(*arguments) as server:
        redis.Redis.from_url(server.url).execute_command("ACL", "SETUSER", "engine", *block("on nopass").split())
        ledger = RedisLedger(server.url.replace("//", "//engine:none@"))
        for case in CASES:
            case(Scope(AgedRedis(ledger, server.url)))
        RedisLedger(server.url).ensure_schema()
