"""A server on raw sockets that breaks the rules: it cuts, resets, stalls and drips, and counts what it was sent.

A script is a function that gets one connection as a `Peer`. The server plays its n-th script on the n-th connection and
the last one on all later ones. The functions at the end of this file make the usual scripts; a test may write its own.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from certificates import ServerCertificate

LIFETIME = 60.0
"""Seconds after which a blocked read or write is given up, so that a lost connection cannot hang a test run."""

PATIENCE = 10.0
"""Seconds that the waits below give a client to do what is expected of it."""


@dataclass(frozen=True)
class Received:
    """A request that arrived whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def idempotency_key(self) -> str | None:
        return self.headers.get("idempotency-key")


class Gone(Exception):
    """The client closed the connection, or the server is being stopped."""


class Peer:
    """One accepted connection, with the few moves that scripts are made of."""

    def __init__(self, server: FaultServer, connection: socket.socket) -> None:
        self._server = server
        self._connection = connection
        self._unread = b""

    def read(self, count: int) -> bytes:
        """Exactly `count` bytes. Each is counted when it arrives."""
        while len(self._unread) < count:
            self._receive(count - len(self._unread))
        taken, self._unread = self._unread[:count], self._unread[count:]
        return taken

    def read_head(self) -> Received:
        """A request line and its headers; the body, if any, stays unread."""
        while b"\r\n\r\n" not in self._unread:
            self._receive(65536)
        head, self._unread = self._unread.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return Received(method, path, headers, b"")

    def read_request(self) -> Received:
        """A whole request, which is then on record."""
        head = self.read_head()
        body = self.read(int(head.headers.get("content-length", "0")))
        request = Received(head.method, head.path, head.headers, body)
        self.record(request)
        return request

    def record(self, request: Received) -> None:
        """Puts a request on record that a script has read by itself."""
        self._server.record_request(request)

    def send(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise Gone from error

    def discard_unread(self) -> None:
        """Discards what has arrived, without waiting for more."""
        self._connection.settimeout(0)
        try:
            while self._connection.recv(65536):
                pass
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except OSError as error:
            raise Gone from error
        finally:
            self._connection.settimeout(LIFETIME)

    def pause(self, seconds: float) -> None:
        if self._server.stopping.wait(seconds):
            raise Gone

    def finish_sending(self) -> None:
        """Ends our half, then takes what is still coming, so that unread bytes do not turn the end into a reset."""
        try:
            self._connection.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise Gone from error
        while True:
            self._receive(65536)

    def close(self) -> None:
        """A plain end: FIN, or RST from the kernel if bytes were left unread."""
        self._connection.close()

    def reset(self) -> None:
        """An abrupt end: RST at once."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def _receive(self, limit: int) -> None:
        try:
            data = self._connection.recv(limit)
        except OSError as error:
            raise Gone from error
        if not data:
            raise Gone
        self._server.record_bytes(len(data))
        self._unread += data


Script = Callable[[Peer], None]


class FaultServer(AbstractContextManager):
    """Listens on a free loopback port and plays scripts, each connection in a thread of its own. A context manager."""

    def __init__(
        self,
        *scripts: Script,
        certificate: ServerCertificate | None = None,
        protocols: tuple[str, ...] = (),
        host: str = "127.0.0.1",
    ) -> None:
        """`protocols` are those that the TLS server selects by ALPN."""
        self._scripts = scripts
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate.chain, certificate.key)
            if protocols:
                self._tls.set_alpn_protocols(list(protocols))
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=128)
        self.port = self._listener.getsockname()[1]
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._played = 0
        self.stopping = threading.Event()
        self.connections = 0
        self.bytes_received = 0
        self.requests: list[Received] = []
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.port}"
        self._acceptor = threading.Thread(target=self._accept, name="fault-server", daemon=True)
        self._acceptor.start()

    def __exit__(self, *exception: object) -> None:
        self.stopping.set()
        self.stop_listening()
        with self._changed:
            for connection in self._open:
                _wake(connection)
        self._acceptor.join(PATIENCE)

    def stop_listening(self) -> None:
        """From here on connections are refused. Those that exist go on."""
        with self._changed:
            if self._listener.fileno() >= 0:
                self._listener.shutdown(socket.SHUT_RDWR)
                self._listener.close()

    def play(self, *scripts: Script) -> None:
        """From here on these scripts, and the records anew."""
        with self._changed:
            self._scripts = scripts
            self._played = 0
            self.connections = 0
            self.bytes_received = 0
            self.requests = []

    def keys(self) -> list[str | None]:
        """The Idempotency-Key of every whole request, oldest first."""
        with self._changed:
            return [request.idempotency_key for request in self.requests]

    def wait_for_requests(self, count: int) -> bool:
        """Whether that many whole requests are in before patience ends."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.requests) >= count, PATIENCE)

    def wait_for_connections(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.connections >= count, PATIENCE)

    def wait_until_idle(self) -> bool:
        """Whether every script came to its end, its connection closed."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._open, PATIENCE)

    def record_request(self, request: Received) -> None:
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()

    def record_bytes(self, count: int) -> None:
        with self._changed:
            self.bytes_received += count

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._changed:
                script = self._scripts[min(self._played, len(self._scripts) - 1)]
                self._played += 1
                self.connections += 1
                self._open.add(connection)
                self._changed.notify_all()
            threading.Thread(target=self._serve, args=(connection, script), daemon=True).start()

    def _serve(self, connection: socket.socket, script: Script) -> None:
        connection.settimeout(LIFETIME)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer_socket = connection
        try:
            if self._tls is not None:
                peer_socket = self._tls.wrap_socket(connection, server_side=True)
            script(Peer(self, peer_socket))
        except (Gone, OSError):
            # The client left, or refused our certificate: what it did before is on record.
            pass
        finally:
            peer_socket.close()
            connection.close()
            with self._changed:
                self._open.discard(connection)
                self._changed.notify_all()


def _wake(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # Closed by its script, or wrapped in TLS, which ends by its own time limit.
        pass


# Replies


def http_reply(status: int, body: bytes) -> bytes:
    """A whole HTTP/1.1 reply with Content-Length."""
    return _head(status, f"Content-Length: {len(body)}") + body


def unbounded_reply(status: int, body: bytes) -> bytes:
    """A reply whose end is the end of the connection."""
    return _head(status, "Connection: close") + body


def chunked_reply(status: int, *chunks: bytes) -> bytes:
    parts = [b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b"")]
    return _head(status, "Transfer-Encoding: chunked") + b"".join(parts)


def _head(status: int, header: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Any", "Content-Type: application/json", header]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


# Scripts


def close_at_once() -> Script:
    return Peer.close


def reset_at_once() -> Script:
    return Peer.reset


def cut_request(count: int, reset: bool = False) -> Script:
    """Reads so many bytes of the request, then ends the connection."""

    def script(peer: Peer) -> None:
        peer.read(count)
        _end(peer, reset)

    return script


def swallow_request(reset: bool = False) -> Script:
    """Reads the whole request, then ends the connection without a word."""

    def script(peer: Peer) -> None:
        peer.read_request()
        _end(peer, reset)

    return script


def answer(reply: bytes) -> Script:
    """Behaves: gives this reply to every request, for as long as the client likes."""

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            peer.send(reply)

    return script


def answer_when(told: threading.Event, reply: bytes) -> Script:
    """Holds every reply back until it is told to give it."""

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            if not told.wait(LIFETIME):
                raise Gone
            peer.send(reply)

    return script


def answer_once(reply: bytes, reset: bool = False) -> Script:
    """Gives one reply, or the part of one that it was given, then ends the connection without notice."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(reply)
        _end(peer, reset)

    return script


def answer_then_swallow(reply: bytes) -> Script:
    """Answers one request, and ends the kept connection on the next, which it has read."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(reply)
        peer.read_request()
        peer.close()

    return script


def answer_early(reply: bytes) -> Script:
    """Answers as soon as it has seen the headers, before the body."""

    def script(peer: Peer) -> None:
        peer.read_head()
        peer.send(reply)
        peer.finish_sending()

    return script


def drip(reply: bytes, seconds: float) -> Script:
    """Sends the reply byte by byte, with a pause after each."""

    def script(peer: Peer) -> None:
        peer.read_request()
        for byte in reply:
            peer.send(bytes([byte]))
            peer.pause(seconds)

    return script


def stall() -> Script:
    """Reads the whole request and says nothing, ever."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.pause(LIFETIME)

    return script


def _end(peer: Peer, reset: bool) -> None:
    if reset:
        peer.reset()
    else:
        peer.close()
