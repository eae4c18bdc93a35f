"""Callers of the zoo (`Tests/servers/zoo.py`) by plain sockets, without the library."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import pytest
from certificates import Certificates
from run_zoo import ZooServer
from zoo_http import API_KEY

SLOT = "2031-05-05T10:00:00Z"
KEYS = {"is": "keys_first"}
PATIENCE = 10.0


class Reply(NamedTuple):
    status: int
    content: Any
    seconds: float = 0

    @property
    def code(self) -> str:
        return self.content["error"]["code"]

    @property
    def booking(self) -> dict[str, Any]:
        return self.content["booking"]


def body_of(start_at: str, notes: str) -> dict[str, Any]:
    customer = {"phone": "+14155550137", "name": "Johanna Mustermann"}
    return {"start_at": start_at, "duration_minutes": 30, "customer": customer, "notes": notes}


class Caller:
    """One connection to one platform."""

    def __init__(self, zoo: ZooServer, name: str, way: str = "kept") -> None:
        self.name = name
        self.connection = http.client.HTTPConnection("127.0.0.1", zoo.ports[way], timeout=PATIENCE)

    def send(self, key: str, start_at: str = SLOT) -> None:
        body = json.dumps({"bot_id": self.name, "booking": body_of(start_at, "caller")})
        headers = {"Idempotency-Key": key, "Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}
        self.connection.request("POST", "/v1/bookings", body, headers)

    def receive(self) -> Reply:
        response = self.connection.getresponse()
        return Reply(response.status, json.loads(response.read() or b"null"))

    def book(self, key: str, start_at: str = SLOT) -> Reply:
        began = time.monotonic()
        self.send(key, start_at)
        return self.receive()._replace(seconds=time.monotonic() - began)

    def is_dropped(self, key: str, start_at: str = SLOT) -> bool:
        """Whether the connection ends without a byte of a reply."""
        self.send(key, start_at)
        try:
            return self.connection.sock.recv(100) == b""
        except ConnectionResetError:
            return True
        finally:
            self.connection.close()


@pytest.fixture
def call(zoo: ZooServer) -> Iterator[Callable[..., Caller]]:
    """Makes a platform of behaviours, and a connection to it."""
    callers: list[Caller] = []

    def call(*behaviours: dict[str, Any] | Caller, way: str = "kept") -> Caller:
        first = behaviours[0]
        name = first.name if isinstance(first, Caller) else zoo.platform(*behaviours)
        callers.append(Caller(zoo, name, way))
        return callers[-1]

    yield call
    for caller in callers:
        caller.connection.close()


def settled(zoo: ZooServer, caller: Caller) -> dict[str, Any]:
    zoo.wait_until_idle([caller.name])
    books = zoo.books(caller.name)
    assert books["faults"] == []
    return books


def active(zoo: ZooServer, caller: Caller) -> list[str]:
    """The keys of the appointments."""
    return [each["key"] for each in settled(zoo, caller)["appointments"] if each["is_active"]]


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(calls)) as threads:
        return [future.result() for future in [threads.submit(each) for each in calls]]


def in_seconds(seconds: float) -> str:
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


class H2Caller:
    def __init__(self, zoo: ZooServer, name: str, certificates: Certificates) -> None:
        context = ssl.create_default_context(cafile=str(certificates.ca_file))
        context.set_alpn_protocols(["h2"])
        port = urlsplit(zoo.urls["h2"]).port
        self.name = name
        plain = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket = context.wrap_socket(plain, server_hostname="localhost")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()

    def send(self, key: str) -> int:
        body = json.dumps({"bot_id": self.name, "booking": body_of(SLOT, "h2")}).encode()
        stream = self.h2.get_next_available_stream_id()
        headers = [(":method", "POST"), (":path", "/v1/bookings"), (":scheme", "https"), (":authority", "localhost")]
        headers += [("idempotency-key", key), ("authorization", f"Bearer {API_KEY}")]
        self.h2.send_headers(stream, headers)
        self.h2.send_data(stream, body, end_stream=True)
        self.socket.sendall(self.h2.data_to_send())
        return stream

    def receive(self, stream: int) -> tuple[int | None, bytes, str]:
        """The status, the body, and how it ended: `whole`, `reset` or `closed`."""
        status, body = None, b""
        while True:
            try:
                self.socket.sendall(self.h2.data_to_send())
                data = self.socket.recv(65536)
            except OSError:
                data = b""
            if not data:
                return status, body, "closed"
            for event in self.h2.receive_data(data):
                match event:
                    case h2.events.ResponseReceived(stream_id=number) if number == stream:
                        status = int(dict(event.headers)[":status"])
                    case h2.events.DataReceived(stream_id=number) if number == stream:
                        body += event.data
                    case h2.events.StreamReset(stream_id=number) if number == stream:
                        return status, body, "reset"
                    case h2.events.StreamEnded(stream_id=number) if number == stream:
                        return status, body, "whole"
