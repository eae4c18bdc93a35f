#!/usr/bin/env python3
"""The same search by the HTTP clients that Python programs use, with their defaults.

    peers.py throughput requests|httpx|aiohttp BASE_URL CA_FILE IN_FLIGHT CALLS
    peers.py network    requests|httpx|aiohttp BASE_URL CA_FILE

The first prints calls per second and processor time for each; the second obeys words from standard input, as
bench_network does. CA_FILE is empty where there is no TLS.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

TIMEOUT = 5
PATH = "/v1/availability/search"
HEADERS = {"Authorization": "Bearer sk_ptnr_bench0123456789abcdef", "Content-Type": "application/json",
           "Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "libpartnerbooking/0.1.0"}
RANGE = {"start_at": "2030-01-14T09:00:00Z", "end_at": "2030-01-14T17:00:00Z"}
SEARCH = json.dumps({"bot_id": "bot_01h2xcejqtf2nbrexx3vqjhp41", "query": {"filter": {"start_at_range": RANGE}}},
                    separators=(",", ":")).encode()


class Requests:
    """`requests`, one session."""

    def __init__(self, base_url: str, ca_file: str, in_flight: int = 10) -> None:
        import requests

        self.url = base_url + PATH
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = ca_file or True
        adapter = requests.adapters.HTTPAdapter(pool_connections=1, pool_maxsize=in_flight)
        self.session.mount(base_url, adapter)

    def search(self) -> bool:
        reply = self.session.post(self.url, data=SEARCH, headers=HEADERS, timeout=TIMEOUT)
        return reply.status_code == 200 and len(reply.content) > 0

    def close(self) -> None:
        self.session.close()


class Httpx:
    """`httpx.Client`, with HTTP/2 where TLS offers it."""

    def __init__(self, base_url: str, ca_file: str) -> None:
        import httpx

        self.url = base_url + PATH
        self.client = httpx.Client(http2=True, verify=tls(ca_file) or True, trust_env=False, timeout=TIMEOUT)

    def search(self) -> bool:
        reply = self.client.post(self.url, content=SEARCH, headers=HEADERS)
        return reply.status_code == 200 and len(reply.content) > 0

    def close(self) -> None:
        self.client.close()


def tls(ca_file: str) -> ssl.SSLContext | None:
    return ssl.create_default_context(cafile=ca_file) if ca_file else None


# ---- Many at once ----


def many_requests(base_url: str, ca_file: str, in_flight: int) -> Callable[[int], bool]:
    peer = Requests(base_url, ca_file, in_flight)
    threads = ThreadPoolExecutor(in_flight)
    return lambda calls: all(threads.map(lambda _: peer.search(), range(calls)))


async def many_async(search: Callable[[], Awaitable[bool]], in_flight: int, calls: int) -> bool:
    left = iter(range(calls))

    async def one_after_another() -> bool:
        return all([await search() for _ in left])

    return all(await asyncio.gather(*(one_after_another() for _ in range(in_flight))))


def many_httpx(base_url: str, ca_file: str, in_flight: int, loop: asyncio.AbstractEventLoop) -> Callable[[int], bool]:
    import httpx

    limits = httpx.Limits(max_connections=in_flight, max_keepalive_connections=in_flight)
    client = httpx.AsyncClient(http2=bool(ca_file), verify=tls(ca_file) or True, trust_env=False, limits=limits,
                               timeout=30)

    async def search() -> bool:
        reply = await client.post(base_url + PATH, content=SEARCH, headers=HEADERS)
        return reply.status_code == 200 and len(reply.content) > 0

    return lambda calls: loop.run_until_complete(many_async(search, in_flight, calls))


def many_aiohttp(base_url: str, ca_file: str, in_flight: int, loop: asyncio.AbstractEventLoop) -> Callable[[int], bool]:
    import aiohttp

    async def open_session() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight, ssl=tls(ca_file) or True))

    session = loop.run_until_complete(open_session())

    async def search() -> bool:
        async with session.post(base_url + PATH, data=SEARCH, headers=HEADERS) as reply:
            return reply.status == 200 and len(await reply.read()) > 0

    return lambda calls: loop.run_until_complete(many_async(search, in_flight, calls))


def throughput(name: str, base_url: str, ca_file: str, in_flight: int, calls: int) -> None:
    loop = asyncio.new_event_loop()
    if name == "requests":
        run = many_requests(base_url, ca_file, in_flight)
    else:
        run = {"httpx": many_httpx, "aiohttp": many_aiohttp}[name](base_url, ca_file, in_flight, loop)
    if not run(max(in_flight, calls // 4)):
        sys.exit("a search failed")
    begun, cpu = time.monotonic(), cpu_seconds()
    if not run(calls):
        sys.exit("a search failed")
    cpu, seconds = cpu_seconds() - cpu, time.monotonic() - begun
    print(json.dumps({"cpu_us": cpu / calls * 1e6, "calls_per_s": calls / seconds}), flush=True)
    os._exit(0)  # with its connections open


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


# ---- One at a time, on command ----


def answer(begun: float, fine: bool) -> None:
    print(json.dumps({"ms": round((time.monotonic() - begun) * 1000, 3), "ok": fine}), flush=True)


def obey(kind: type, base_url: str, ca_file: str) -> None:
    peer = None
    for line in sys.stdin:
        begun, fine, word = time.monotonic(), True, line.strip()
        if word == "open":
            peer = kind(base_url, ca_file)
        elif word == "search":
            try:
                fine = peer.search()
            except Exception as error:  # whatever the peer calls a failure
                print(type(error).__name__, file=sys.stderr)
                fine = False
        elif word == "close" and peer is not None:
            peer.close()
        answer(begun, fine)


async def obey_aiohttp(base_url: str, ca_file: str) -> None:
    """Its loop runs on while it waits for a word, as it would in a program: so it can see a connection end."""
    import aiohttp

    session = None
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        begun, fine, word = time.monotonic(), True, line.strip()
        if word == "open":
            connector = aiohttp.TCPConnector(ssl=tls(ca_file) or True)
            session = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        elif word == "search":
            try:
                async with session.post(base_url + PATH, data=SEARCH, headers=HEADERS) as reply:
                    fine = reply.status == 200 and len(await reply.read()) > 0
            except (aiohttp.ClientError, asyncio.TimeoutError) as error:
                print(type(error).__name__, file=sys.stderr)
                fine = False
        elif word == "close" and session is not None:
            await session.close()
        answer(begun, fine)


def main() -> None:
    mode, name, base_url, ca_file, *rest = sys.argv[1:]
    if mode == "throughput":
        throughput(name, base_url, ca_file, *map(int, rest))
    elif name == "aiohttp":
        asyncio.run(obey_aiohttp(base_url, ca_file))
    else:
        obey({"requests": Requests, "httpx": Httpx}[name], base_url, ca_file)


if __name__ == "__main__":
    main()
