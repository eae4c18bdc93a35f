"""A process in which Python's ssl uses OpenSSL as well, with connections and servers of its own:

    python ssl_user.py CONFIG DISTRUSTED CHAIN KEY CA_FILE

CONFIG and DISTRUSTED are configurations of a service over TLS, the second without the authority that it needs. OpenSSL
keeps errors in a queue for each thread, and whoever makes a call on a thread whose queue is not empty may take an error
of another's for its own.
"""

from __future__ import annotations

import ctypes
import socket
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

CONFIG, DISTRUSTED, CHAIN, KEY, CA_FILE = sys.argv[1:]
ROUNDS = 5


class Echo:
    """A TLS server that sends back what it gets."""

    def __init__(self) -> None:
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(CHAIN, KEY)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self.failures: list[Exception] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection = self._listener.accept()[0]
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with self._context.wrap_socket(connection, server_side=True) as stream:
                while data := stream.recv(4096):
                    stream.sendall(data)
        except OSError as error:
            # Those that do not trust its certificate say so and leave.
            if getattr(error, "reason", None) != "TLSV1_ALERT_UNKNOWN_CA":
                self.failures.append(error)


class Connection:
    def __init__(self, server: Echo, context: ssl.SSLContext) -> None:
        plain = socket.create_connection(("127.0.0.1", server.port))
        self._stream = context.wrap_socket(plain, server_hostname="localhost")

    def echo(self, text: bytes) -> None:
        self._stream.sendall(text)
        assert self._stream.recv(4096) == text

    def close(self) -> None:
        self._stream.close()


def state_of(context: ssl.SSLContext) -> tuple[object, ...]:
    ciphers = [cipher["name"] for cipher in context.get_ciphers()]
    versions = (context.minimum_version, context.maximum_version, context.options, context.security_level)
    return ciphers, versions, context.verify_mode, context.cert_store_stats(), ssl.get_default_verify_paths()


def be_refused(server: Echo) -> None:
    """A handshake of theirs that fails, as one of ours does by DISTRUSTED."""
    try:
        Connection(server, distrustful)
    except ssl.SSLCertVerificationError:
        return
    raise AssertionError("a certificate of nobody's was trusted")


server = Echo()
context, distrustful = ssl.create_default_context(cafile=CA_FILE), ssl.create_default_context()
kept = Connection(server, context)  # lives through all of this
kept.echo(b"before the library is there")
before = state_of(context), state_of(distrustful)

import pbk  # noqa: E402  ssl has to be first
from header import STATUS  # noqa: E402
from samples import search_request  # noqa: E402

crypto = ctypes.CDLL("libcrypto.so.3")
crypto.ERR_peek_error.restype = crypto.ERR_peek_last_error.restype = ctypes.c_ulong


def leave_error() -> int:
    """As a program does that does not look at OpenSSL's errors. Returns what is in the queue then."""
    crypto.ERR_new()
    crypto.ERR_set_error(15, 100, None)
    return crypto.ERR_peek_last_error()


def search(client: pbk.Client) -> None:
    result = client.search(search_request())
    assert result.status == 0, result


client = pbk.Client(CONFIG)
search(client)
kept.echo(b"after the first call")

# What waits in the library leaves the errors of the thread that waits as they are.
left = leave_error()
search(client)
with pbk.Client(DISTRUSTED) as distrusted:
    assert distrusted.search(search_request()).status == STATUS["TLS_FAILED"]
assert crypto.ERR_peek_error() == crypto.ERR_peek_last_error() == left != 0
crypto.ERR_clear_error()

# What a callback leaves on the library's thread does no harm to the library's own calls, over old connections or new.
called = threading.Semaphore(0)


@pbk.Callback
def careless(_: int | None, completion: int | None) -> None:
    pbk.library.pbk_completion_free(completion)
    leave_error()
    called.release()


for _ in range(ROUNDS):
    with pbk.Client(CONFIG) as fresh:
        for user in (client, fresh):
            assert user.submit(pbk.SEARCH, search_request(), careless).status == 0
            assert called.acquire(timeout=20)
            search(user)
        fresh.close()


def theirs(number: int) -> None:
    for _ in range(ROUNDS):
        connection = Connection(server, context)
        connection.echo(b"%d" % number)
        connection.close()
        be_refused(server)


def ours(_: int) -> None:
    for _ in range(ROUNDS):
        search(client)
        with pbk.Client(CONFIG) as fresh:
            search(fresh)
        with pbk.Client(DISTRUSTED) as distrusted:
            assert distrusted.search(search_request()).status == STATUS["TLS_FAILED"]


with ThreadPoolExecutor(4) as threads:
    at_once = [threads.submit(work, number) for number in range(2) for work in (theirs, ours)]
    for work in at_once:
        work.result()

kept.echo(b"while the client is open")
assert client.close() == 0
kept.echo(b"after it was closed")
theirs(2)
be_refused(server)
assert (state_of(context), state_of(distrustful)) == before
assert state_of(ssl.create_default_context()) == before[1]
kept.close()
assert server.failures == []
print("unharmed")
