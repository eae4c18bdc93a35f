"""An HTTP/2 server over TLS that misbehaves as a script says: what only frames can do.

A script is called once for every request, at the moment its headers have come, and is handed the `Stream`. What it does
not answer stays open. The server counts requests by their Idempotency-Key.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Any

import h2.config
import h2.connection
import h2.errors
import h2.events
from certificates import ServerCertificate
from fault_server import PATIENCE

Script = Callable[["Stream"], None]


class Stream:
    """One request on one connection."""

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection = connection
        self.number = number
        self.connection_number = connection.number
        """Counted from 0 in the order connections came."""

    def answer(self, status: int, body: bytes, whole: bool = True) -> None:
        """Sends a reply; when not `whole`, without the end of the stream."""
        headers = [(":status", str(status)), ("content-type", "application/json")]
        self._connection.h2.send_headers(self.number, headers)
        self._connection.h2.send_data(self.number, body, end_stream=whole)
        self._connection.flush()

    def more(self, body: bytes) -> None:
        """More of a reply that is not whole."""
        self._connection.h2.send_data(self.number, body)
        self._connection.flush()

    def reset(self, code: h2.errors.ErrorCodes) -> None:
        # Past the end of a stream the library h2 sends no frames, so this one is written by hand (RFC 9113, 6.4).
        frame = b"\x00\x00\x04\x03\x00" + self.number.to_bytes(4, "big") + int(code).to_bytes(4, "big")
        self._connection.flush()
        self._connection.socket.sendall(frame)

    def go_away(self) -> None:
        """Says that this request was not processed, and closes."""
        self._connection.h2.close_connection(last_stream_id=self.number - 2 if self.number > 1 else 0)
        self._connection.flush()
        self.cut()

    def cut(self) -> None:
        self._connection.socket.shutdown(socket.SHUT_RDWR)


class Connection:
    def __init__(self, server: H2FaultServer, accepted: ssl.SSLSocket, number: int) -> None:
        self._server = server
        self.number = number
        self.socket = accepted
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def serve(self) -> None:
        if not self._server.takes_bodies:
            self.h2.local_settings.initial_window_size = 0
        self.h2.initiate_connection()
        self.flush()
        with suppress(OSError, h2.exceptions.ProtocolError):
            while data := self.socket.recv(65536):
                for event in self.h2.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        self._server.received(dict(event.headers), Stream(self, event.stream_id))
                    elif isinstance(event, h2.events.StreamReset):
                        self._server.was_reset(event.stream_id)
                self.flush()


class H2FaultServer(AbstractContextManager):
    """Listens on a loopback port of its own until the context is left. The last script serves all further requests.

    With `takes_bodies=False` no client can send it a single byte of a body.
    """

    def __init__(self, certificate: ServerCertificate, *scripts: Script, takes_bodies: bool = True) -> None:
        self.keys: list[str] = []
        self.streams: list[Stream] = []
        """Every request, oldest first."""
        self.resets: list[int] = []
        """The number of each stream that the client has reset."""
        self.takes_bodies = takes_bodies
        self._scripts = list(scripts)
        self._changed = threading.Condition()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        context.set_alpn_protocols(["h2"])
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __exit__(self, *exception: object) -> None:
        self._listener.close()
        for accepted in self._sockets:
            with suppress(OSError):
                accepted.shutdown(socket.SHUT_RDWR)
            accepted.close()

    def received(self, headers: dict[str, Any], stream: Stream) -> None:
        with self._changed:
            self.keys.append(headers.get("idempotency-key", ""))
            self.streams.append(stream)
            self._changed.notify_all()
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        script(stream)

    def was_reset(self, number: int) -> None:
        with self._changed:
            self.resets.append(number)
            self._changed.notify_all()

    @property
    def connections(self) -> int:
        """How many have come so far."""
        with self._changed:
            return len(self._sockets)

    def wait_for_requests(self, count: int) -> bool:
        """Whether the headers of that many are in before patience ends."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.streams) >= count, PATIENCE)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                accepted, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=[accepted], daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with suppress(OSError):
            wrapped = self._context.wrap_socket(accepted, server_side=True)
            with self._changed:
                number = len(self._sockets)
                self._sockets.append(wrapped)
            Connection(self, wrapped, number).serve()
