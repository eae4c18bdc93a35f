"""Platforms that attack the client: they flood, drip, lie about lengths, cut replies and send bombs.

    .venv/bin/python Tests/servers/hostile_server.py endless_trailers

prints the URL of that platform, and serves it until its standard input ends.

A behaviour is a function that gets one connection as a `Peer`. It has a name, by which a campaign starts it. The
behaviours are in `hostile_http1.py`, `hostile_replies.py`, `hostile_h2.py` and `hostile_tls.py`.

All connections of one process share one link with a limited rate. 0 removes the limit.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from certificates import Certificates, make_certificates
from fault_server import FaultServer, Peer, Received, Script, http_reply

MEGABYTE = 1_000_000
LINK_BYTES_PER_SECOND = 100 * MEGABYTE
BLOCK = 65_536
"""Bytes that a flood sends at once."""

FOUND = b'{"availabilities":[{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30}]}'
BOOKED = b'{"booking":{"id":"bkg_1","status":"confirmed"}}'
UNKNOWN = b'{"found":false}'
TAKEN = b'{"error":{"code":"slot_unavailable","message":"The slot is gone"}}'
POLITE = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
"""The reply to a warm-up."""

BROKEN, WHOLE, RIGHT = "broken", "whole", "right"
KINDS = ("flood", "bomb", "size", "drip", "cut", "length", "other")


class Link:
    """A token bucket. It holds at most 2 ms of traffic, so that a pause of the server is no licence for a burst."""

    def __init__(self) -> None:
        self.bytes_per_second = LINK_BYTES_PER_SECOND
        self.sent = 0
        self._free_at = 0.0
        self._lock = threading.Lock()

    def take(self, count: int) -> None:
        """Waits until so many bytes may leave."""
        with self._lock:
            self.sent += count
            if not self.bytes_per_second:
                return
            now = time.monotonic()
            self._free_at = max(self._free_at, now - 0.002) + count / self.bytes_per_second
            pause = self._free_at - now
        if pause > 0:
            time.sleep(pause)


LINK = Link()


@dataclass(frozen=True)
class Behaviour:
    name: str
    kind: str
    script: Script
    over: str
    """`http`, `tls` (HTTP/1.1), `h2`, or `raw`: a URL with https, but TLS is the script's own matter."""

    reply: str
    """`broken`: no call may succeed. `whole`: a call may, as the reply's JSON is whole. `right`: each call must."""

    is_short: bool
    """Part of the short campaign."""

    may_refuse: bool
    """A booking may be `rejected`: the reply says that nothing was done."""


BEHAVIOURS: dict[str, Behaviour] = {}


def hostile(kind: str, over: str = "http", **more: Any) -> Callable[[Script], Script]:
    """Registers a script under the name of its function."""

    def register(script: Script) -> Script:
        add(script.__name__, kind, script, over, **more)
        return script

    return register


def add(
    name: str,
    kind: str,
    script: Script,
    over: str = "http",
    reply: str = BROKEN,
    short: bool = False,
    refuses: bool = False,
) -> None:
    assert kind in KINDS and name not in BEHAVIOURS
    BEHAVIOURS[name] = Behaviour(name, kind, script, over, reply, short, refuses)


def flood(peer: Peer, unit: bytes, before_each: Callable[[], None] | None = None) -> None:
    """Sends the unit again and again, at the rate of the link, until the client closes the connection."""
    block = unit * max(1, BLOCK // len(unit))
    while True:
        LINK.take(len(block))
        peer.send(block)
        if before_each is not None:
            before_each()


def drip(peer: Peer, data: bytes, seconds: float = 1.0) -> None:
    """Sends one byte a second."""
    for byte in data:
        peer.send(bytes([byte]))
        peer.pause(seconds)


def read_call(peer: Peer) -> Received:
    """The next request that is not a warm-up. A warm-up gets a polite reply."""
    while True:
        request = peer.read_request()
        if request.method == "POST":
            return request
        peer.send(POLITE)


def right_body(path: str) -> tuple[int, bytes]:
    """The status and the body that an honest platform would send."""
    if path.endswith("/bookings"):
        return 201, BOOKED
    return 200, UNKNOWN if path.endswith("/lookup") else FOUND


def right_reply(request: Received) -> bytes:
    return http_reply(*right_body(request.path))


@hostile("other", reply=RIGHT)
def honest(peer: Peer) -> None:
    """The other platform of the campaign."""
    while True:
        peer.send(right_reply(read_call(peer)))


def load() -> None:
    """Makes all behaviours known."""
    import hostile_h2  # noqa: F401
    import hostile_http1  # noqa: F401
    import hostile_replies  # noqa: F401
    import hostile_tls  # noqa: F401


class HostileServer(FaultServer):
    """One platform. It writes the body of each request that arrives whole as a line to `log`."""

    def __init__(self, name: str, certificates: Certificates | None = None, log: BinaryIO | None = None) -> None:
        load()
        behaviour = BEHAVIOURS[name]
        self._log = log
        certificate = certificates.good if certificates and behaviour.over in ("tls", "h2") else None
        protocols = ("h2",) if behaviour.over == "h2" else ()
        super().__init__(behaviour.script, certificate=certificate, protocols=protocols)
        if behaviour.over == "raw":
            self.url = self.url.replace("http:", "https:")

    def record_request(self, request: Received) -> None:
        # The list of all requests would grow with the campaign.
        if self._log is not None and request.body:
            self._log.write(request.body + b"\n")


def main() -> None:
    # The behaviours add themselves to the module `hostile_server`, which is not this one.
    from hostile_server import HostileServer as Server

    with tempfile.TemporaryDirectory(prefix="hostile-") as directory:
        with Server(sys.argv[1], make_certificates(Path(directory))) as server:
            print(server.url, flush=True)
            sys.stdin.read()


if __name__ == "__main__":
    main()
