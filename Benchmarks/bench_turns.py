#!/usr/bin/env python3
"""The same search from Python: through this library, with and without its package, and through other HTTP clients.

    bench_turns.py LOOP BASE_URL        LOOP asyncio or uvloop; the word "sandbox" for the sandbox in this process

Obeys lines of standard input, "CONTESTANT IN_FLIGHT CALLS", and answers each with one JSON object, as bench_turns does;
the line "versions" tells what runs here. All keep their connections, have a time limit, and look at a reply no less
than the library does: it is JSON, and an object with a list of availabilities. Those whose name ends in _json hand that
reply out as bytes, those in _raw as parsed by Python's json, those in _typed as dataclasses.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import platform
import select
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from importlib.metadata import version

from peers import HEADERS, PATH, RANGE, SEARCH, cpu_seconds

Run = Callable[[int, int], list[float]]
"""Makes calls, the first number at once, the second in all, and tells how long each took, in seconds."""

Start = Callable[[str, asyncio.AbstractEventLoop], Run]
"""Opens what makes the calls, at a base URL."""

SANDBOX = {"endpoint": "sandbox", "sandbox": {"now": "2030-01-14T08:00:00Z"}}
TYPED = {"bot_id": json.loads(SEARCH)["bot_id"], **RANGE}
TIMEOUT, KEEP = 30, 3600


def configuration(base_url: str) -> dict[str, object]:
    if base_url == "sandbox":
        return SANDBOX
    key = HEADERS["Authorization"].removeprefix("Bearer ")
    return {"api_key": key, "base_url": base_url, "timeout_ms": TIMEOUT * 1000}


def one_by_one(search: Callable[[], object]) -> Run:
    def run(in_flight: int, calls: int) -> list[float]:
        waits = []
        for _ in range(calls):
            begun = time.monotonic()
            search()
            waits.append(time.monotonic() - begun)
        return waits

    return run


def many(loop: asyncio.AbstractEventLoop, search: Callable[[], Awaitable[object]]) -> Run:
    """So many tasks, each of which makes one call after another."""

    async def one_after_another(left: Iterator[int], waits: list[float]) -> None:
        for _ in left:
            begun = time.monotonic()
            await search()
            waits.append(time.monotonic() - begun)

    async def all_at_once(in_flight: int, calls: int) -> list[float]:
        left, waits = iter(range(calls)), []
        await asyncio.gather(*(one_after_another(left, waits) for _ in range(in_flight)))
        return waits

    return lambda in_flight, calls: loop.run_until_complete(all_at_once(in_flight, calls))


def checked(reply: bytes) -> dict[str, object]:
    """What the library does with a reply."""
    found = json.loads(reply)
    if not isinstance(found, dict) or not isinstance(found.get("availabilities"), list):
        raise ValueError("not of the promised shape")
    return found


# ---- Through this library ----


def ctypes_blocking(base_url: str, loop: asyncio.AbstractEventLoop) -> Run:
    """Bare: what the package would be without anything of its own."""
    from partnerbooking import _bindings

    handle = _bindings.pbk_client_open(json.dumps(configuration(base_url)).encode(), None, None)

    def search() -> bytes:
        status = ctypes.c_int()
        string = _bindings.pbk_search_availability(handle, SEARCH, ctypes.byref(status))
        reply = ctypes.string_at(string)
        _bindings.pbk_string_free(string)
        if status.value != _bindings.OK:
            raise RuntimeError(reply)
        return reply

    return one_by_one(search)


def ctypes_queue(base_url: str, loop: asyncio.AbstractEventLoop) -> Run:
    """Bare, and without an event loop: what the asyncio client would be without asyncio."""
    from partnerbooking import _bindings

    handle = _bindings.pbk_client_open(json.dumps(configuration(base_url)).encode(), None, None)
    poll = select.poll()
    poll.register(_bindings.pbk_client_fd(handle), select.POLLIN)

    def run(in_flight: int, calls: int) -> list[float]:
        begun: dict[int, float] = {}
        waits: list[float] = []

        def submit() -> None:
            ticket = ctypes.c_uint64()
            at = time.monotonic()
            status = _bindings.pbk_submit(
                handle, _bindings.SEARCH_AVAILABILITY, SEARCH, ctypes.byref(ticket), None, None, None)
            if status != _bindings.OK:
                raise RuntimeError("refused")
            begun[ticket.value] = at

        for _ in range(in_flight):
            submit()
        while len(waits) < calls:
            poll.poll()
            while (completion := _bindings.pbk_next_completion(handle, 0, None)) is not None:
                ticket = _bindings.pbk_completion_ticket(completion)
                status = _bindings.pbk_completion_status(completion)
                reply = _bindings.pbk_completion_reply(completion)
                _bindings.pbk_completion_timing(completion)
                _bindings.pbk_completion_free(completion)
                if status != _bindings.OK:
                    raise RuntimeError(reply)
                waits.append(time.monotonic() - begun.pop(ticket))
                if len(waits) + len(begun) < calls:
                    submit()
        return waits

    return run


def package_blocking(form: str) -> Start:
    def start(base_url: str, loop: asyncio.AbstractEventLoop) -> Run:
        import partnerbooking as pb

        client = pb.Client(**configuration(base_url))
        if form == "json":
            return one_by_one(lambda: client.search_availability(SEARCH).json)
        if form == "raw":
            return one_by_one(lambda: client.search_availability(SEARCH).raw)
        return one_by_one(lambda: client.search_availability(pb.SearchAvailabilityRequest(**TYPED)).availabilities)

    return start


def package_asyncio(form: str) -> Start:
    def start(base_url: str, loop: asyncio.AbstractEventLoop) -> Run:
        import partnerbooking as pb

        client = pb.AsyncClient(**configuration(base_url))

        async def as_json() -> object:
            return (await client.search_availability(SEARCH)).json

        async def as_raw() -> object:
            return (await client.search_availability(SEARCH)).raw

        async def as_typed() -> object:
            return (await client.search_availability(pb.SearchAvailabilityRequest(**TYPED))).availabilities

        return many(loop, {"json": as_json, "raw": as_raw, "typed": as_typed}[form])

    return start


# ---- Through others ----


def aiohttp_asyncio(base_url: str, loop: asyncio.AbstractEventLoop) -> Run:
    import aiohttp

    if aiohttp.http_parser.HttpResponseParser is aiohttp.http_parser.HttpResponseParserPy:
        sys.exit("aiohttp is here without its C extensions")

    async def open_session() -> aiohttp.ClientSession:
        # Others have their turns in between, longer than it would keep a connection by itself.
        connector = aiohttp.TCPConnector(limit=64, keepalive_timeout=KEEP)
        return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=TIMEOUT))

    session = loop.run_until_complete(open_session())

    async def search() -> object:
        async with session.post(base_url + PATH, data=SEARCH, headers=HEADERS) as reply:
            if reply.status != 200:
                raise ValueError(reply.status)
            return checked(await reply.read())

    return many(loop, search)


def httpx_asyncio(connections: int) -> Start:
    def start(base_url: str, loop: asyncio.AbstractEventLoop) -> Run:
        import httpx

        limits = httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=KEEP)
        client = httpx.AsyncClient(trust_env=False, limits=limits, timeout=TIMEOUT)

        async def search() -> object:
            reply = await client.post(base_url + PATH, content=SEARCH, headers=HEADERS)
            if reply.status_code != 200:
                raise ValueError(reply.status_code)
            return checked(reply.content)

        return many(loop, search)

    return start


CONTESTANTS = {
    "ctypes_blocking": ctypes_blocking, "ctypes_queue": ctypes_queue, "aiohttp": aiohttp_asyncio,
    "httpx": httpx_asyncio(64), "httpx_8": httpx_asyncio(8),
    **{f"package_blocking_{form}": package_blocking(form) for form in ("json", "raw", "typed")},
    **{f"package_asyncio_{form}": package_asyncio(form) for form in ("json", "raw", "typed")},
}


# ---- Turns ----


def turn(run: Run, in_flight: int, calls: int) -> dict[str, float]:
    run(in_flight, in_flight)  # what the turn of another has pushed out of the caches
    begun, cpu = time.monotonic(), cpu_seconds()
    waits = sorted(run(in_flight, calls))
    cpu, seconds = cpu_seconds() - cpu, time.monotonic() - begun
    return {"us": seconds / calls * 1e6, "cpu_us": cpu / calls * 1e6,
            "p50_us": waits[len(waits) // 2] * 1e6, "p99_us": waits[len(waits) * 99 // 100] * 1e6}


def versions(kind_of_loop: str) -> dict[str, str]:
    packages = ["aiohttp", "httpx", "httpcore", "h11", *(["uvloop"] if kind_of_loop == "uvloop" else [])]
    return {"Python": platform.python_version(), **{name: version(name) for name in packages}}


def main() -> None:
    kind_of_loop, base_url = sys.argv[1:]
    if kind_of_loop == "uvloop":
        import uvloop

        loop = uvloop.new_event_loop()
    else:
        loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    started: dict[str, Run] = {}
    for line in sys.stdin:
        if line.strip() == "versions":
            print(json.dumps(versions(kind_of_loop)), flush=True)
            continue
        name, in_flight, calls = line.split()
        if name not in started:
            started[name] = CONTESTANTS[name](base_url, loop)
        print(json.dumps(turn(started[name], int(in_flight), int(calls))), flush=True)


if __name__ == "__main__":
    main()
