"""Slow calls of the client for asyncio: `on_slow`, a function or a coroutine function."""

from __future__ import annotations

import asyncio
import contextvars
import json
import time
from typing import Any

import pytest
from python_package import booking, pb, run, search, slow_sandbox
from waiting import SOON


def test_a_slow_call_is_told_once_and_goes_on():
    async def main() -> None:
        said: list[str] = []
        async with pb.AsyncClient(**slow_sandbox(300), slow_after_ms=20) as client:
            found = await client.search_availability(search(), on_slow=lambda: said.append("one moment"))
            assert found.availabilities and said == ["one moment"]
            await client.search_availability(search())

    run(main())


def test_an_on_slow_that_raises_disturbs_no_call():
    async def main() -> None:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        async with pb.AsyncClient(**slow_sandbox(200), slow_after_ms=20) as client:
            calls = [client.search_availability(search(), on_slow=lambda: 1 / 0) for _ in range(3)]
            assert all(found.availabilities for found in await asyncio.gather(*calls))
        assert {type(one["exception"]) for one in complaints} == {ZeroDivisionError} and len(complaints) == 3

    run(main())


@pytest.mark.parametrize("is_text", [False, True])
def test_on_slow_needs_no_setting(is_text):
    """After one second, also for a request that is JSON already."""

    async def main() -> None:
        said: list[float] = []
        async with pb.AsyncClient(**slow_sandbox(1300)) as client:
            began = time.monotonic()
            request = json.dumps(search().members()) if is_text else search()
            await client.search_availability(request, on_slow=lambda: said.append(time.monotonic() - began))
            assert len(said) == 1 and 0.99 <= said[0] < 1.3
            assert time.monotonic() - began >= 1.29

    run(main())


@pytest.mark.parametrize("at_once", [{"slow_after_ms": 20}, {}])
def test_a_setting_goes_before_the_default(at_once):
    async def main() -> None:
        said: list[str] = []
        options = {} if at_once else {"slow_after_ms": 20}
        async with pb.AsyncClient(**slow_sandbox(300), **at_once) as client:
            await client.search_availability(search(**options), on_slow=lambda: said.append("one moment"))
        assert said == ["one moment"]

    run(main())


def test_an_async_on_slow_is_awaited_and_no_call_waits_for_it():
    async def main() -> None:
        said: list[str] = []
        over = asyncio.Event()

        async def say() -> None:
            said.append("one")
            await over.wait()
            said.append("moment")

        async with pb.AsyncClient(**slow_sandbox(200), slow_after_ms=20) as client:
            assert (await client.create_booking(booking(), on_slow=say)).id
            assert said == ["one"]
            over.set()
            while client._slow:
                await asyncio.sleep(0.005)
        assert said == ["one", "moment"]

    run(main())


def test_a_speech_handle_is_awaited():
    """A function may return any awaitable: `on_slow=lambda: session.say("one moment")`."""

    async def main() -> None:
        async with pb.AsyncClient(**slow_sandbox(200), slow_after_ms=20) as client:
            spoken = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_later(0.05, spoken.set_result, None)
            assert (await client.search_availability(search(), on_slow=lambda: spoken)).availabilities
            assert spoken.done()

    run(main())


def test_an_async_on_slow_that_raises_is_logged_and_disturbs_no_call():
    async def fail() -> None:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    async def be_cancelled() -> None:
        raise asyncio.CancelledError

    async def main() -> None:
        complaints: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        async with pb.AsyncClient(**slow_sandbox(200), slow_after_ms=20) as client:
            assert (await client.create_booking(booking(), on_slow=fail)).id
            assert (await client.search_availability(search(), on_slow=be_cancelled)).availabilities
        assert [(type(one["exception"]), one["message"]) for one in complaints] == [
            (ZeroDivisionError, "Exception in on_slow")
        ]

    asyncio.run(asyncio.wait_for(main(), SOON))


@pytest.mark.parametrize("is_coroutine", [False, True])
def test_on_slow_sees_the_context_of_its_caller(is_coroutine):
    """Where agent frameworks keep the session."""
    session: contextvars.ContextVar[str] = contextvars.ContextVar("session", default="none")

    async def main() -> None:
        seen: list[str] = []

        async def look() -> None:
            seen.append(session.get())

        async def ask(client: pb.AsyncClient, name: str) -> None:
            session.set(name)
            on_slow = look if is_coroutine else lambda: seen.append(session.get())
            await client.search_availability(search(), on_slow=on_slow)

        async with pb.AsyncClient(**slow_sandbox(200), slow_after_ms=20) as client:
            await asyncio.gather(ask(client, "call-7"), ask(client, "call-8"))
        assert sorted(seen) == ["call-7", "call-8"]

    run(main())


def test_an_on_slow_that_raises_while_the_client_is_closed_ends_no_call():
    """Their completions have piled up behind a loop that was busy."""

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        client = pb.AsyncClient(**slow_sandbox(60_000), slow_after_ms=1)
        calls = [asyncio.ensure_future(client.search_availability(search(), on_slow=lambda: 1 / 0)) for _ in range(3)]
        await asyncio.sleep(0)
        time.sleep(0.1)
        await client.close(0)
        for call in calls:
            with pytest.raises(pb.ClientClosed):
                await call

    asyncio.run(asyncio.wait_for(main(), SOON))
