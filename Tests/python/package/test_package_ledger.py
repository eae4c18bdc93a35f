"""Clients with a ledger: bookings of a fleet, a ledger that fails, hangs or answers nonsense, and
the ends of clients, loops and processes while batches are open."""

from __future__ import annotations

import asyncio
import gc
import logging
import runpy
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ledger_in_memory import FLEET, IMPATIENT, AsyncStore, Store, orphan
from python_package import EXAMPLES, booking, is_closed, pb, run
from waiting import SOON, wait_until


class Spoiling(Store):
    """Does something else with the first batch that has a claim."""

    def __init__(self, spoil: Any) -> None:
        super().__init__()
        self.spoil: Any = spoil

    def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.spoil is not None and any(one["op"] == "claim" for one in operations):
            spoil, self.spoil = self.spoil, None
            return spoil(super().execute(operations))
        return super().execute(operations)


def fail(results: Any) -> Any:
    raise ConnectionError("no connection to postgres://engine:topsecret@db/bookings\nDETAIL: Johanna")


def leave(results: Any) -> Any:
    raise SystemExit(3)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "pbk-batches"]


# ---- Bookings ------------------------------------------------------------------------------------


def test_twins_on_two_clients_are_one_booking():
    store = Store()
    with pb.Client(**FLEET, ledger=store) as one, pb.Client(**FLEET, ledger=store) as other:
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda client: client.create_booking(booking(key="key-7")).json, [one, other] * 4))
        assert len(set(replies)) == 1 and store.states() == {"key-7": "booked"}
        assert len(one.sandbox_bookings()) + len(other.sandbox_bookings()) == 1
        with pytest.raises(pb.IdempotencyKeyReused):
            other.create_booking(booking(key="key-7", start_at="2030-01-14T11:00:00Z"))
    assert threads() == []


def test_twins_on_two_clients_of_a_loop_are_one_booking():
    async def main() -> None:
        ledger = AsyncStore(Store(), 0.01)
        async with pb.AsyncClient(**FLEET, ledger=ledger) as one, pb.AsyncClient(**FLEET, ledger=ledger) as other:
            calls = [client.create_booking(booking(key="key-7")) for client in [one, other] * 4]
            assert len({reply.json for reply in await asyncio.gather(*calls)}) == 1
            assert len(one.sandbox_bookings()) + len(other.sandbox_bookings()) == 1
        assert ledger.store.states() == {"key-7": "booked"} and threads() == []

    run(main())


def test_a_plain_ledger_does_not_hold_the_loop_up():
    class Waiting(Store):
        def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
            assert free.wait(SOON)
            return super().execute(operations)

    free = threading.Event()

    async def main() -> None:
        async with pb.AsyncClient(**FLEET, ledger=Waiting()) as client:
            asyncio.get_running_loop().call_later(0.05, free.set)
            assert (await client.create_booking(booking())).id

    run(main())


def test_several_batches_are_carried_out_at_once():
    async def main() -> None:
        ledger = AsyncStore(Store(), 0.3)
        async with pb.AsyncClient(**FLEET, ledger=ledger) as client:
            calls = []
            for number in range(12):
                start = {"start_at": f"2030-01-14T{10 + number // 2}:{number % 2 * 30:02}:00Z"}
                calls.append(asyncio.ensure_future(client.create_booking(booking(key=f"key-{number}", **start))))
                await asyncio.sleep(0.02)
            assert all(reply.id for reply in await asyncio.gather(*calls))
        assert 2 <= ledger.most <= 8 and ledger.running == 0

    run(main())


@pytest.mark.parametrize("kind", [pb.Client, pb.AsyncClient])
def test_what_a_dead_engine_left_is_booked_by_the_next(kind):
    store = Store()
    store.execute([orphan("key-7")])

    async def main() -> None:
        ledger = store if kind is pb.Client else AsyncStore(store)
        async with pb.AsyncClient(**FLEET, ledger=ledger) as client:
            while store.states() != {"key-7": "booked"}:
                await asyncio.sleep(0.01)
            assert [one["idempotency_key"] for one in client.sandbox_bookings()] == ["key-7"]

    run(main())


# ---- Answers -------------------------------------------------------------------------------------


SPOILED = {
    "raises": (fail, "ConnectionError: no connection to postgres://***@db/bookings"),
    "exits": (leave, "SystemExit: 3"),
    "none": (lambda results: None, "ValueError: "),
    "text": (lambda results: "results", "ValueError: "),
    "too few": (lambda results: [], "ValueError: "),
    "double": (lambda results: results * 2, "ValueError: "),
    "of another": (lambda results: [{**one, "id": "999999"} for one in results], "ValueError: "),
    "without a result": (lambda results: [{"id": one["id"]} for one in results], "ValueError: "),
    "unknown": (lambda results: [{**one, "result": "maybe"} for one in results], "ValueError: "),
    "no JSON": (lambda results: [{**one, "at": {1}} for one in results], "TypeError: set "),
    "half a character": (lambda results: [{**one, "result": "\ud800"} for one in results], "ValueError: "),
}


# A coroutine that raises SystemExit ends its loop, as in any task.
@pytest.mark.parametrize(
    ("name", "is_async"), [(name, False) for name in SPOILED] + [(name, True) for name in SPOILED if name != "exits"]
)
def test_an_answer_that_is_none_is_repeated(name, is_async, caplog):
    """One line in the log says why, without a password and without the customer."""
    spoil, said = SPOILED[name]
    store = Spoiling(spoil)

    async def main() -> None:
        ledger = AsyncStore(store) if is_async else store
        async with pb.AsyncClient(**FLEET, journal_timeout_ms=20_000, ledger=ledger) as client:
            assert (await client.create_booking(booking(key="key-7"))).id
            assert len(client.sandbox_bookings()) == 1

    with caplog.at_level(logging.INFO, "partnerbooking"):
        run(main())
    failed, *rest = [record.getMessage() for record in caplog.records]
    assert failed.startswith(f"the ledger failed: {said}") and rest == ["the ledger works again"]
    assert "topsecret" not in caplog.text and "Johanna" not in caplog.text


def test_a_ledger_that_is_down_is_logged_once(caplog):
    class Down(Store):
        is_down = True

        def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
            return fail(None) if self.is_down else super().execute(operations)

    store = Down()
    with caplog.at_level(logging.INFO, "partnerbooking"), pb.Client(**IMPATIENT, ledger=store) as client:
        with pytest.raises(pb.JournalUnavailable):
            client.create_booking(booking(key="key-7"))
        store.is_down = False
        wait_until(lambda: "works again" in caplog.text)
        assert client.create_booking(booking(key="key-7")).id
        assert len(client.sandbox_bookings()) == 1
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_what_is_no_ledger_is_refused():
    for wrong in ("postgres://db/bookings", object()):
        for kind in (pb.Client, pb.AsyncClient):
            with pytest.raises(TypeError, match="has a method execute"):
                kind(**FLEET, ledger=wrong)
    with pytest.raises(TypeError, match="needs an AsyncClient"):
        pb.Client(**FLEET, ledger=AsyncStore(Store()))
    with pytest.raises(pb.InvalidConfig, match="ledger_scope"):
        pb.Client(**FLEET)


# ---- Ends ----------------------------------------------------------------------------------------


def test_close_waits_for_no_ledger_that_hangs():
    free, asked = threading.Event(), threading.Event()

    class Hanging:
        def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
            asked.set()
            assert free.wait(SOON)
            return []

    client = pb.Client(**IMPATIENT, ledger=Hanging())
    with pytest.raises(pb.JournalUnavailable):
        client.create_booking(booking())
    assert asked.is_set()
    client.close(100)
    assert threads() == ["pbk-batches"]
    free.set()
    wait_until(lambda: threads() == [])


def test_close_waits_for_no_coroutine_that_hangs():
    class Hanging:
        async def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
            await asyncio.sleep(3600)
            return []

    async def main() -> None:
        async with pb.AsyncClient(**IMPATIENT, ledger=Hanging()) as client:
            with pytest.raises(pb.JournalUnavailable):
                await client.create_booking(booking())
        assert threads() == []

    run(main())


@pytest.mark.parametrize("is_async", [False, True])
def test_close_has_the_last_batches_carried_out(is_async):
    """Its booking is under way when the client is closed."""
    store = Store()

    async def main() -> None:
        ledger = AsyncStore(store, 0.05) if is_async else store
        client = pb.AsyncClient(**FLEET, ledger=ledger)
        call = asyncio.ensure_future(client.create_booking(booking(key="key-7")))
        await asyncio.sleep(0)
        assert await client.close(20_000)
        assert (await call).id and store.states() == {"key-7": "booked"}
        assert threads() == []

    run(main())


def test_a_client_that_made_no_call_closes():
    async def main() -> None:
        client = pb.AsyncClient(**FLEET, ledger=AsyncStore(Store()))
        assert await client.close() and threads() == []

    run(main())


@pytest.mark.parametrize("is_async", [False, True])
def test_a_client_outlives_its_loop(is_async, caplog):
    """Batches of a loop that is closed are answered as failed, and no coroutine is left that nobody
    awaits."""
    store = Store()

    async def main() -> pb.AsyncClient:
        client = pb.AsyncClient(**IMPATIENT, ledger=AsyncStore(store) if is_async else store)
        assert (await client.create_booking(booking())).id
        return client

    async def end(client: pb.AsyncClient) -> None:
        await client.close()

    with warnings.catch_warnings(), caplog.at_level(logging.WARNING, "partnerbooking"):
        warnings.simplefilter("error")
        client = run(main())
        if is_async:
            store.execute([orphan("key-8")])
            wait_until(lambda: "RuntimeError: Event loop is closed" in caplog.text)
        run(end(client))
        gc.collect()
    assert threads() == []


@pytest.mark.parametrize("kind", [pb.Client, pb.AsyncClient])
def test_a_forgotten_client_ends_its_thread(kind):
    with pytest.warns(ResourceWarning, match=f"a {kind.__name__} was not closed"):
        handle = kind(**FLEET, ledger=Store())._handle
        gc.collect()
    assert is_closed(handle)
    wait_until(lambda: threads() == [])


# ---- Pages ---------------------------------------------------------------------------------------


def test_example_books_through_a_ledger(monkeypatch, capsys):
    class Closing(AsyncStore):
        async def aclose(self) -> None:
            assert self.running == 0

    ledger, urls = Closing(Store()), []
    monkeypatch.setattr(pb.ledgers, "async_from_url", lambda url: urls.append(url) or ledger)
    monkeypatch.setenv("PARTNER_LEDGER", "redis://localhost/0")
    runpy.run_path(str(EXAMPLES / "fleet_engine.py"), run_name="__main__")
    assert urls == ["redis://localhost/0"] and ledger.store.states() == {"call-7-1": "booked"}
    assert capsys.readouterr().out.endswith(": 2030-01-14T10:00:00Z, confirmed\n")
