"""Fixtures for the tests of all frameworks, and a time limit: a process that hangs ends."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from clinic import ClinicServer

SECONDS_PER_TEST = 60 + 5 * int(os.environ.get("HOST_RUNS", 0))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not list(item.iter_markers("timeout")):
            item.add_marker(pytest.mark.timeout(SECONDS_PER_TEST, method="thread"))


@pytest.fixture(scope="session")
def server() -> Iterator[ClinicServer]:
    with ClinicServer() as server:
        yield server
