"""Each rule of docs/ledger-protocol.md, by the reference and by the ledgers of the Python
package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ledger_conformance_rows  # noqa: F401  # adds its cases
import pytest
from ledger_conformance import CASES, Scope
from ledger_reference import ReferenceLedger
from ledger_stores import AGED, ASYNC_LEDGERS, LEDGERS, SERVERS, Blocking


@pytest.fixture(scope="session", params=["postgres", "redis"])
def server(request: pytest.FixtureRequest) -> Iterator[Any]:
    with SERVERS[request.param]() as server:
        yield request.param, server.url


@pytest.fixture(scope="module", params=["sync", "asyncio"])
def store(server: tuple[str, str], request: pytest.FixtureRequest) -> Iterator[Any]:
    kind, url = server
    ledger = LEDGERS[kind](url) if request.param == "sync" else Blocking(ASYNC_LEDGERS[kind](url))
    yield AGED[kind](ledger, url)
    ledger.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_rule(store, case):
    case(Scope(store))


@pytest.mark.parametrize("case", [case for case in CASES if "cannot_be_done" not in case.__name__])
def test_rule_by_the_reference(case):
    case(Scope(ReferenceLedger()))
