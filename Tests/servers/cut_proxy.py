"""A TCP relay on loopback that ends a connection after exactly so many bytes in one direction, by FIN or by RST.

It looks at no byte, so TLS goes through it untouched, and the end may fall in the middle of anything: a handshake, a
frame, a header, a digit of a booking's id.
"""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CHUNK = 65536
UP, DOWN = "up", "down"
"""From the client to the server, and back."""

PATIENCE = 10.0
"""Seconds that a client is given to take note of an end."""


@dataclass(eq=False)
class Cut:
    """One end of one connection.

    Upwards it comes as soon as `after` bytes have gone, so that the server's answer to them is lost. Downwards it comes
    when one byte more would go, so that the reply is known to be on its way. `after` = 0: at the first byte.
    """

    direction: str
    after: int
    reset: bool
    happened: threading.Event = field(default_factory=threading.Event)
    """Set when the bytes before it are in the server's socket, and before the client can know of it."""


class CutProxy(AbstractContextManager):
    """Relays connections to the server at `url`, and has a `url` of its own with the same scheme. A context manager."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname, parts.port)
        self._lock = threading.Lock()
        self._next: Cut | None = None
        self._relays: list[_Relay] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"{parts.scheme}://127.0.0.1:{self._listener.getsockname()[1]}"
        self._acceptor = threading.Thread(target=self._accept, name="cut-proxy", daemon=True)
        self._acceptor.start()

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(PATIENCE)
        self._listener.close()
        with self._lock:
            for relay in self._relays:
                relay.wake()

    def cut_next(self, cut: Cut) -> None:
        """The next connection that comes. The others stay whole."""
        with self._lock:
            self._next = cut

    def cut_open(self, cut: Cut) -> None:
        """The connection that came last and is still there, its bytes counted from now on."""
        with self._lock:
            self._relays[-1].arm(cut)

    def stop_cutting(self) -> None:
        """A cut that has not happened will not happen any more."""
        with self._lock:
            self._next = None
            for relay in self._relays:
                relay.arm(None)

    def passed(self) -> dict[str, list[int]]:
        """Of the connection that came last: how many bytes had gone in each direction after each chunk of them."""
        with self._lock:
            return self._relays[-1].passed()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
            except OSError:
                return
            with self._lock:
                relay = _Relay(client, server, self._next)
                self._next = None
                self._relays = [known for known in self._relays if not known.is_over] + [relay]
            threading.Thread(target=relay.run, name="cut-proxy-relay", daemon=True).start()


class _Relay:
    """One connection through the proxy, and the one behind it, both served by one thread."""

    def __init__(self, client: socket.socket, server: socket.socket, cut: Cut | None) -> None:
        self.is_over = False
        self._sockets = (client, server)
        self._lock = threading.Lock()
        self._cut = cut
        self._left = cut.after if cut else 0
        self._passed: dict[str, list[int]] = {UP: [0], DOWN: [0]}
        for end in self._sockets:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def arm(self, cut: Cut | None) -> None:
        with self._lock:
            self._cut, self._left = cut, cut.after if cut else 0

    def passed(self) -> dict[str, list[int]]:
        with self._lock:
            return {direction: list(counts) for direction, counts in self._passed.items()}

    def wake(self) -> None:
        for end in self._sockets:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def run(self) -> None:
        client, server = self._sockets
        with suppress(OSError):
            self._relay(client, server)
        for end in self._sockets:
            end.close()
        self.is_over = True

    def _relay(self, client: socket.socket, server: socket.socket) -> None:
        """Until the client has ended, or the cut. A server may keep its side open for a minute after that."""
        with selectors.DefaultSelector() as ready:
            ready.register(client, selectors.EVENT_READ, (server, UP))
            ready.register(server, selectors.EVENT_READ, (client, DOWN))
            while True:
                for key, _ in ready.select():
                    source, (sink, direction) = key.fileobj, key.data
                    data = source.recv(CHUNK)
                    if data:
                        cut = self._pass_on(data, sink, direction)
                        if cut is not None:
                            cut.happened.set()
                            self._end(cut.reset)
                            return
                    elif source is client:
                        return
                    else:
                        ready.unregister(server)
                        client.shutdown(socket.SHUT_WR)

    def _pass_on(self, data: bytes, sink: socket.socket, direction: str) -> Cut | None:
        """Gives the cut that is due now."""
        with self._lock:
            cut, count = self._cut, len(data)
            is_due = False
            if cut is not None and cut.direction == direction:
                count = min(count, self._left)
                is_due = count < len(data) or (direction == UP and count == self._left)
                self._left -= count
            self._passed[direction].append(self._passed[direction][-1] + count)
        sink.sendall(data[:count])
        return cut if is_due else None

    def _end(self, reset: bool) -> None:
        client, server = self._sockets
        if reset:
            for end in self._sockets:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        server.close()
        client.shutdown(socket.SHUT_WR)
        # Bytes left unread would turn the end into a reset.
        client.settimeout(PATIENCE)
        while client.recv(CHUNK):
            pass
