"""A TCP relay on loopback that makes a path long: each chunk arrives so much later, either way, at full throughput.

It also plays what happens to idle connections: `drop` ends them as a server does that has waited long enough, `silence`
as a box in the middle does that has forgotten them. It looks at no byte, so TLS goes through it untouched.

What it cannot delay is TCP's own handshake: on loopback the kernel answers it at once. A TLS handshake and a request
cost their round trips.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from contextlib import AbstractContextManager, suppress
from urllib.parse import urlsplit

CHUNK = 65536


class DelayProxy(AbstractContextManager):
    """Relays connections to the server at `url`, and has a `url` of its own with the same scheme. A context manager.

    `delay` is in seconds, each way. With `listening=False` its port is taken, and refuses connections until `listen`.
    While `closes_at_once` is set, a new connection is accepted and ended.
    """

    def __init__(self, url: str, delay: float = 0.0, listening: bool = True) -> None:
        parts = urlsplit(url)
        self.delay = delay
        self.closes_at_once = False
        self._target = (parts.hostname, parts.port)
        self._changed = threading.Condition()
        self._relays: set[_Relay] = set()
        self._accepted_at: list[float] = []
        self._acceptor: threading.Thread | None = None
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", 0))
        self.url = f"{parts.scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        if listening:
            self.listen()

    def __exit__(self, *exception: object) -> None:
        if self._acceptor is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._acceptor.join(10)
        self._listener.close()
        self.drop()

    def listen(self) -> None:
        self._listener.listen(1024)
        self._acceptor = threading.Thread(target=self._accept, name="delay-proxy", daemon=True)
        self._acceptor.start()

    @property
    def accepted(self) -> int:
        """How many connections there were so far."""
        return len(self.accepted_at)

    @property
    def accepted_at(self) -> list[float]:
        """When each of them came, on the monotonic clock."""
        with self._changed:
            return list(self._accepted_at)

    @property
    def open(self) -> int:
        """How many there are now."""
        with self._changed:
            return len(self._relays)

    def drop(self) -> None:
        """Ends all connections there are: FIN to both sides, at once and without the delay."""
        for relay in self._all():
            relay.end()

    def silence(self) -> None:
        """Not a byte goes through the connections there are any more, nor their end. New ones are not concerned."""
        for relay in self._all():
            relay.is_silent = True

    def _all(self) -> list[_Relay]:
        with self._changed:
            return list(self._relays)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                self._accepted_at.append(time.monotonic())
            server = None
            if not self.closes_at_once:
                with suppress(OSError):
                    server = socket.create_connection(self._target)
            if server is None:
                client.close()
                continue
            relay = _Relay(client, server, self.delay, self._forget)
            with self._changed:
                self._relays.add(relay)
            relay.start()

    def _forget(self, relay: _Relay) -> None:
        with self._changed:
            self._relays.discard(relay)


class _Relay:
    """One connection through the proxy, and the one behind it."""

    def __init__(self, client: socket.socket, server: socket.socket, delay: float, forget) -> None:
        self.is_silent = False
        self._forget = forget
        self._sockets = (client, server)
        self._pipes = (_Pipe(self, client, server, delay), _Pipe(self, server, client, delay))
        self._threads = 2 * len(self._pipes)
        self._lock = threading.Lock()
        for end in self._sockets:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def start(self) -> None:
        for pipe in self._pipes:
            pipe.start()

    def end(self) -> None:
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def thread_ended(self) -> None:
        """Both sockets are closed when nobody uses them any more."""
        with self._lock:
            self._threads -= 1
            if self._threads > 0:
                return
        for end in self._sockets:
            end.close()
        self._forget(self)


class _Pipe:
    """One direction: a thread that reads, and one that writes each chunk when its time has come."""

    def __init__(self, relay: _Relay, source: socket.socket, sink: socket.socket, delay: float) -> None:
        self._relay, self._source, self._sink, self._delay = relay, source, sink, delay
        self._chunks: deque[tuple[float, bytes]] = deque()
        self._arrived = threading.Semaphore(0)

    def start(self) -> None:
        threading.Thread(target=self._write, name="delay-proxy-write", daemon=True).start()
        threading.Thread(target=self._read, name="delay-proxy-read", daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                data = self._source.recv(CHUNK)
            except OSError:
                data = b""
            self._chunks.append((time.monotonic() + self._delay, data))
            self._arrived.release()
            if not data:
                break
        self._relay.thread_ended()

    def _write(self) -> None:
        while True:
            self._arrived.acquire()
            due, data = self._chunks.popleft()
            if (pause := due - time.monotonic()) > 0:
                time.sleep(pause)
            if self._relay.is_silent:
                if data:
                    continue
                break
            try:
                if data:
                    self._sink.sendall(data)
                    continue
                self._sink.shutdown(socket.SHUT_WR)
            except OSError:
                # The other side is gone: what still comes from this one is for nobody.
                with suppress(OSError):
                    self._source.shutdown(socket.SHUT_RD)
            break
        self._relay.thread_ended()
