"""Runs the zoo of platforms in a process of its own, on three free ports: HTTP/1.1 whose connections are kept, HTTP/1.1
that closes each, and HTTP/2 over TLS.

By hand: `python run_zoo.py CHAIN.pem KEY.pem` prints the ports and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import socket
import ssl
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import uuid
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from certificates import ServerCertificate

PATIENCE = 60.0
WAYS = ("fresh", "kept", "h2")

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ZooServer(AbstractContextManager):
    """The running zoo as campaigns see it. A context manager; leaving it stops the process."""

    def __init__(self, certificate: ServerCertificate) -> None:
        command = [sys.executable, __file__, str(certificate.chain), str(certificate.key)]
        # The process ends with its standard input, so it cannot outlive a campaign that was killed.
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the zoo did not start, exit code {self.process.wait()}")
        self.ports: dict[str, int] = json.loads(line)
        self.urls = {
            way: f"{'https' if way == 'h2' else 'http'}://127.0.0.1:{port}" for way, port in self.ports.items()
        }

    def __exit__(self, *exception: object) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def platform(self, *behaviours: dict[str, Any], name: str | None = None, seed: int = 0) -> str:
        """Makes a platform, and gives its name: it is both a bot's id and an account's."""
        name = name or f"bot_{uuid.uuid4().hex[:26]}"
        self._call("platform", {"name": name, "seed": seed, "behaviours": list(behaviours)})
        return name

    def books(self, name: str) -> dict[str, Any]:
        """`requests` lists every request for a booking, `appointments` every booking, `in_work` says how many tasks may
        still add to them, `open` how many requests have no reply yet, and `lag` how late the zoo was at worst."""
        return self._call(f"books?{urllib.parse.urlencode({'name': name})}")

    def forget(self, name: str) -> None:
        self._call("forget", {"name": name})

    def wait_until_idle(self, names: Sequence[str]) -> None:
        """Asked twice, because a request may wait in a socket while the first answer is made."""
        deadline = time.monotonic() + PATIENCE
        calm = 0
        while calm < 2:
            calm = 0 if self._call("work", {"names": ",".join(names)}) else calm + 1
            if time.monotonic() > deadline:
                raise RuntimeError("the zoo is still at work")
            time.sleep(0.02)

    def _call(self, path: str, content: dict[str, Any] | None = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        with _OPENER.open(f"{self.urls['kept']}/_zoo/{path}", body, timeout=PATIENCE) as reply:
            return json.load(reply)


async def serve(chain: str, key: str) -> None:
    from zoo_http import Http1, Zoo
    from zoo_http2 import Http2

    zoo = Zoo()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.set_alpn_protocols(["h2"])
    sockets = {way: socket.create_server(("127.0.0.1", 0), backlog=1024) for way in WAYS}
    loop = asyncio.get_running_loop()
    # Clients that leave in the middle of something are what campaigns are about, and nothing to warn of.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    loop.set_exception_handler(_report)
    await loop.create_server(lambda: Http1(zoo, is_kept=False), sock=sockets["fresh"], backlog=1024)
    await loop.create_server(lambda: Http1(zoo, is_kept=True), sock=sockets["kept"], backlog=1024)
    await loop.create_server(lambda: Http2(zoo), sock=sockets["h2"], backlog=1024, ssl=context)
    print(json.dumps({way: each.getsockname()[1] for way, each in sockets.items()}), flush=True)
    lag = loop.create_task(zoo.watch_lag())
    gc.freeze()
    await asyncio.to_thread(sys.stdin.buffer.read)
    lag.cancel()


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
