"""Calls by the thousand leave nothing behind. PACKAGE_CALLS=100000 is the long run; the tests make a short one."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from python_package import _bindings, booking, pb, search
from samples import ONCE, SANDBOX, UNSPARED

CALLS = int(os.environ.get("PACKAGE_CALLS", 2560))
PATIENTLY = pytest.mark.timeout(60 + CALLS / 100, method="thread")
KIB_MAX = 256
"""Growth of the resident memory in the quarter in which it grows least. A leak of one reply a call is more than that in
every quarter. Python takes its own memory by the mebibyte, now and then: that is in one quarter."""


def resident_kib() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def held() -> dict[str, int]:
    gc.collect()
    return {
        "objects": len(gc.get_objects()),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": len(os.listdir("/proc/self/task")),
    }


class Counted:
    """Counts what the library gives and what it gets back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.live: dict[str, int] = {"strings": 0, "completions": 0, "clients": 0}
        gives = {
            "strings": [
                "pbk_search_availability",
                "pbk_create_booking",
                "pbk_lookup_customer",
                "pbk_pending_bookings",
                "pbk_booking_key",
                "pbk_random_key",
            ],
            "completions": ["pbk_next_completion", "wait_for_completion"],
            "clients": ["pbk_client_open"],
        }
        takes = {
            "strings": "pbk_string_free",
            "completions": "pbk_completion_free",
            "clients": "pbk_client_close",
        }
        for kind, names in gives.items():
            for name in names:
                monkeypatch.setattr(_bindings, name, self._counting(getattr(_bindings, name), kind, 1))
        for kind, name in takes.items():
            monkeypatch.setattr(_bindings, name, self._counting(getattr(_bindings, name), kind, -1))
        # What pbk_submit and pbk_client_open put elsewhere are errors, which these calls do not meet.

    def _counting(self, function: Callable[..., object], kind: str, change: int) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            result = function(*arguments)
            if change < 0 or result is not None:
                self.live[kind] += change
            return result

        return call


@PATIENTLY
def test_blocking_calls(monkeypatch):
    counted = Counted(monkeypatch)
    quarters: list[tuple[int, dict[str, int]]] = []
    with pb.Client(**SANDBOX) as client:
        for number in range(CALLS):
            client.search_availability(search()).availabilities
            if number % 4 == 3:
                with pytest.raises(pb.InvalidField):
                    client.create_booking(booking(duration_minutes=0))
                pb.booking_key("call-7", booking())
            if number % (CALLS // 4) == CALLS // 4 - 1:
                quarters.append((resident_kib(), held()))
        assert counted.live == {"strings": 0, "completions": 0, "clients": 1}
    assert counted.live["clients"] == 0
    check(quarters)


@PATIENTLY
def test_awaited_calls(monkeypatch):
    """64 at once, every eighth cancelled."""
    counted = Counted(monkeypatch)
    quarters: list[tuple[int, dict[str, int]]] = []

    async def main() -> None:
        async with pb.AsyncClient(**SANDBOX) as client:
            for quarter in range(4):
                for _ in range(CALLS // 4 // 64):
                    calls = [asyncio.ensure_future(client.search_availability(search())) for _ in range(64)]
                    await asyncio.sleep(0)
                    for call in calls[::8]:
                        call.cancel()
                    await asyncio.gather(*calls, return_exceptions=True)
                while client._calls:
                    await asyncio.sleep(0.001)
                quarters.append((resident_kib(), held()))

    asyncio.run(main())
    assert counted.live == {"strings": 0, "completions": 0, "clients": 0}
    check(quarters)


DOUBTS = 32


@pytest.mark.parametrize("kind", ["thread", "loop", "nobody"])
def test_reports(monkeypatch, kind):
    """Bookings in doubt, settled all at once. What takes their reports, or passes them over, gives them back."""
    counted = Counted(monkeypatch)
    reports: list[pb.Settled] = []
    faults = [{"fault": "lose_reply", "calls": list(range(1, DOUBTS + 1))}]
    clinic = {**SANDBOX, "sandbox": {**SANDBOX["sandbox"], "capacity": DOUBTS, "faults": faults}}
    clinic.update(retry=ONCE, **UNSPARED)
    doubts = [booking(options=pb.CallOptions(timeout_ms=500)) for _ in range(DOUBTS)]

    async def main() -> None:
        hook = {"on_settled": reports.append} if kind == "loop" else {"report_settled": True}
        client = pb.AsyncClient(**clinic, **hook)
        lost = await asyncio.gather(*(client.create_booking(one) for one in doubts), return_exceptions=True)
        assert {type(error) for error in lost} == {pb.InDoubt}
        assert await client.close(20_000)

    if kind == "thread":
        client = pb.Client(**clinic, on_settled=reports.append)
        with ThreadPoolExecutor(DOUBTS) as threads:
            lost = [threads.submit(client.create_booking, one) for one in doubts]
        assert {type(one.exception()) for one in lost} == {pb.InDoubt}
        assert client.close(20_000)
    else:
        asyncio.run(main())
    assert {one.reply.status for one in reports} == (set() if kind == "nobody" else {"confirmed"})
    assert len({one.idempotency_key for one in reports}) == (0 if kind == "nobody" else DOUBTS)
    assert counted.live == {"strings": 0, "completions": 0, "clients": 0}


@PATIENTLY
def test_clients(monkeypatch):
    """Opened, used and closed."""
    counted = Counted(monkeypatch)
    quarters: list[tuple[int, dict[str, int]]] = []
    for number in range(CALLS // 40):
        with pb.Client(**SANDBOX) as client:
            client.search_availability(search())
        if number % (CALLS // 160) == CALLS // 160 - 1:
            quarters.append((resident_kib(), held()))
    assert counted.live == {"strings": 0, "completions": 0, "clients": 0}
    check(quarters)


def check(quarters: list[tuple[int, dict[str, int]]]) -> None:
    (_, first), (_, last) = quarters[0], quarters[-1]
    kib = [resident for resident, _ in quarters]
    assert last["objects"] <= first["objects"] + 200, (first, last)
    assert last["descriptors"] <= first["descriptors"], (first, last)
    assert last["threads"] <= first["threads"] + 1, (first, last)  # one that has ended may be seen for a moment
    assert min(after - before for before, after in zip(kib, kib[1:])) <= KIB_MAX, kib
