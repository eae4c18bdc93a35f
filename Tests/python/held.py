"""Completions that a host has and has not freed: until it does, it may die without having told anybody."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pbk
import pytest
from completions import accepted, check
from fault_server import FaultServer, answer
from header import STATUS
from ledger import A_WHILE, ENDS, states
from services import config_for
from waiting import SOON, SOON_MS


@dataclass(frozen=True)
class Held:
    """A completion, what it tells, and its address, which somebody has to free."""

    completion: pbk.Completion
    address: int

    @property
    def result(self) -> pbk.Result:
        return self.completion.result

    def free(self) -> None:
        pbk.library.pbk_completion_free(self.address)


def hold(address: int) -> Held:
    return Held(check(pbk.read_completion(address)), address)


class HoldByCallback:
    """Callbacks that keep their completion and return."""

    _kept_alive: list[HoldByCallback] = []

    def __init__(self) -> None:
        self._arrived: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._callback = pbk.Callback(lambda context, address: self._arrived.put(address))
        self._kept_alive.append(self)

    def submit(self, client: pbk.Client, request: dict[str, Any]) -> int:
        return accepted(client.submit(pbk.BOOK, request, self._callback))

    def next(self, client: pbk.Client) -> Held:
        return hold(self._arrived.get(timeout=SOON))


class HoldByQueue:
    """Completions are taken from the client's queue."""

    def submit(self, client: pbk.Client, request: dict[str, Any]) -> int:
        return accepted(client.submit(pbk.BOOK, request))

    def next(self, client: pbk.Client) -> Held:
        return next_held(client)


HOLDS = {"callback": HoldByCallback, "queue": HoldByQueue}


def next_held(client: pbk.Client) -> Held:
    """The next of the client's queue."""
    status, address = pbk.next_address(client.handle, SOON_MS)
    assert status == STATUS["OK"] and address is not None, status
    return hold(address)


Holding = HoldByCallback | HoldByQueue


@pytest.fixture(params=HOLDS)
def holding(request: pytest.FixtureRequest) -> Holding:
    """Both ways to hold a completion, one after the other."""
    return HOLDS[request.param]()


@pytest.fixture
def ending(start_faults, open_client) -> Callable[..., tuple[FaultServer, pbk.Client]]:
    """A server that answers so that bookings end in this state, and a client of it."""

    def ending(end: str, **members: Any) -> tuple[FaultServer, pbk.Client]:
        server = start_faults(answer(ENDS[end][0]))
        return server, open_client(config_for(server), **members)

    return ending


def submitted(client: pbk.Client, request: dict[str, Any], status: str, holding: Holding | None = None) -> Held:
    """The end of a call with this status, of which the host has not heard yet."""
    holding = holding or HoldByQueue()
    ticket = holding.submit(client, request)
    held = holding.next(client)
    assert (held.completion.ticket, held.result.status) == (ticket, STATUS[status]), held
    return held


def stays(client: pbk.Client, expected: dict[str, str]) -> None:
    """The list is this one, and is still when everything that takes a second has happened."""
    assert states(client) == expected
    time.sleep(A_WHILE)
    assert states(client) == expected
