"""Runs the reference Partner API, which is a platform as well, in a process of its own: HTTP/1.1 in the clear and
HTTP/2 over TLS, on free ports.

By hand: `python run_reference.py CHAIN.pem KEY.pem` prints the two ports and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import socket
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import uuid
from contextlib import AbstractContextManager
from typing import Any

from certificates import ServerCertificate

PATIENCE = 10.0
"""Seconds that a client is given to do what is expected of it."""


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ReferenceServer(AbstractContextManager):
    """The running server as tests see it. A context manager; leaving it stops the process."""

    def __init__(self, certificate: ServerCertificate) -> None:
        command = [sys.executable, __file__, str(certificate.chain), str(certificate.key)]
        # The process ends with its standard input, so it cannot outlive a test run that was killed.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the reference server did not start, exit code {self._process.wait()}")
        ports = json.loads(line)
        self.http_url = f"http://127.0.0.1:{ports['http']}"
        self.https_url = f"https://127.0.0.1:{ports['https']}"

    def __exit__(self, *exception: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def bot(self, *steps: dict[str, Any]) -> str:
        """A bot nobody has used before. Its n-th request meets the n-th step, later ones the last; {} is no trouble.

        Members of a step: `status` (else the request is processed as usual), `processed` (it is, but answered with
        `status` all the same), `code`, `headers`, `content_type`, `body`, `pad_to` (with white space inside of it, to
        so many bytes), `gzip`, `chunked`, `delay_ms` (before it is processed), `hold_ms` (after that, before it is
        answered).
        """
        bot_id = f"bot_{uuid.uuid4().hex}"
        self._call("script", {"bot_id": bot_id, "steps": list(steps)})
        return bot_id

    def account(self, *steps: dict[str, Any], name: str | None = None, **order: Any) -> str:
        """An account of the platform's that nobody has used before, with the steps of a bot; or a known one, anew.

        `secrets` (else the usual one): any of which may sign. `more_members`: what the test sends at the top of a body
        beside the members of the protocol.
        """
        account_id = name or f"acct_{uuid.uuid4().hex}"
        self._call("script", {"account_id": account_id, "steps": list(steps), **order})
        return account_id

    def requests(self, about: str) -> list[dict[str, Any]]:
        """What was asked, oldest first, in whose path or body `about` occurs: most often a bot's id."""
        return self._call(f"log?about={urllib.parse.quote(about)}")

    def wait_for_requests(self, about: str, count: int) -> bool:
        """Whether that many have been asked before patience ends."""
        deadline = time.monotonic() + PATIENCE
        while len(self.requests(about)) < count:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    def bookings(self, **only: str) -> dict[str, Any]:
        """The judge of who booked what. `bookings` lists every booking that was made, oldest first, with its `id`,
        `idempotency_key`, `start_at`, and `bot_id` or `account_id`; `requests` lists the same of every request for one,
        a repeated one too, from before it is processed; `in_flight` says how many requests are being processed.

        Keyword arguments keep the lists to entries with just these values; `in_flight` heeds the key alone.
        """
        return self._call(f"bookings?{urllib.parse.urlencode(only)}")

    def take_violations(self) -> list[str]:
        """What the API documents had against requests since the last call of this."""
        return self._call("violations")

    def _call(self, path: str, content: dict[str, Any] | None = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        with _OPENER.open(f"{self.http_url}/_test/{path}", body, timeout=20) as reply:
            return json.load(reply)


def serve(chain: str, key: str) -> None:
    """Serves until standard input ends. The sockets listen before the ports are printed: no client is too early."""
    from hypercorn.asyncio import serve as hypercorn_serve
    from hypercorn.config import Config
    from reference_api import PartnerApi

    clear, secure = (socket.create_server(("127.0.0.1", 0), backlog=512) for _ in range(2))
    ports = {"http": clear.getsockname()[1], "https": secure.getsockname()[1]}
    # Clients that leave in the middle of a reply are what some tests are about, and nothing to warn of.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    config = Config()
    config.insecure_bind = [f"fd://{clear.detach()}"]
    config.bind = [f"fd://{secure.detach()}"]
    config.certfile, config.keyfile = chain, key
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 60
    config.keep_alive_max_requests = 1_000_000
    config.graceful_timeout = 0.1

    async def serve_until_told() -> None:
        asyncio.get_running_loop().set_exception_handler(_without_cancelled)
        until_told = functools.partial(asyncio.to_thread, sys.stdin.buffer.read)
        await hypercorn_serve(PartnerApi(), config, shutdown_trigger=until_told)

    print(json.dumps(ports), flush=True)
    asyncio.run(serve_until_told())


def _without_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Connections that never carried a whole request are still there at the end, and end with a page of text each."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])


def headers_of(request: dict[str, Any]) -> dict[str, str]:
    """The headers of a request in the server's log, none of which may stand twice."""
    names = [name for name, _ in request["headers"]]
    assert len(set(names)) == len(names), names
    return dict(request["headers"])
