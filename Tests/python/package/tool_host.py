"""A host of agents that calls the tool server, and one that may send anything: `python -m partnerbooking serve`."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from python_package import PACKAGE
from waiting import SOON, wait_until

SECRET = "a-secret-of-the-tests"
BEARER = {"Authorization": f"Bearer {SECRET}"}


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    json: Any


class Connection:
    """A connection on which anything may be written."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), SOON)
        self._read = b""

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def response(self) -> Response | None:
        """The next one. None when the server has closed the connection instead."""
        while b"\r\n\r\n" not in self._read:
            if not self._more():
                assert self._read == b"", "half a response"
                return None
        head, self._read = self._read.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        if first.startswith("HTTP/1.1 100"):
            return self.response()
        while len(self._read) < int(headers["content-length"]):
            assert self._more(), "half a body"
        body, self._read = self._read[: int(headers["content-length"])], self._read[int(headers["content-length"]) :]
        assert headers["content-type"] == "application/json"
        return Response(int(first.split()[1]), headers, json.loads(body))

    def is_closed(self) -> bool:
        """Waits until the server closes it."""
        while self._more():
            pass
        return True

    def _more(self) -> bool:
        try:
            read = self.socket.recv(65_536)
        except ConnectionResetError:
            read = b""
        self._read += read
        return bool(read)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def request(
    path: str, body: object = None, headers: dict[str, str] | None = None, method: str = "POST", **more: str
) -> bytes:
    """A request as it should be. Its headers replace the usual ones; an empty one is left out."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    framed = {} if method == "GET" else {"Content-Type": "application/json", "Content-Length": str(len(data))}
    usual = {"Host": "localhost", **framed, **more}
    named = {**usual, **(BEARER if headers is None else headers)}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items() if value)]
    return "\r\n".join([*lines, "", ""]).encode() + (b"" if method == "GET" else data)


class ToolHost:
    """A server process on a port of its own."""

    def __init__(
        self, config: dict[str, Any], folder: Path, *options: str, module: str = "partnerbooking", **environment: str
    ) -> None:
        file = folder / "serve.json"
        file.write_text(json.dumps(config))
        secret = () if "--no-secret" in options else ("--secret-env", "TOOL_SECRET")
        options = tuple(option for option in options if option != "--no-secret")
        command = ["serve", "--config", str(file), "--bot", "bot_1", "--port", "0", *secret, *options]
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *command],
            env={**os.environ, "PYTHONPATH": f"{PACKAGE}:{folder}", "TOOL_SECRET": SECRET, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        wait_until(lambda: "listening on" in self.log or self.process.poll() is not None)
        self.port = int(re.findall(r"listening on http://\S+:(\d+)", self.log)[0])

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line.decode())

    def connect(self) -> Connection:
        return Connection(self.port)

    def send(self, data: bytes) -> Response:
        with self.connect() as connection:
            connection.write(data)
            response = connection.response()
            assert response is not None
            return response

    def post(self, path: str, body: object, headers: dict[str, str] | None = None, **more: str) -> Response:
        return self.send(request(path, body, headers, **more))

    def health(self) -> Response:
        return self.send(request("/health", headers={}, method="GET"))

    def end(self) -> tuple[int, float]:
        """Sends SIGTERM. Returns the exit code and how long it took."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(SOON)
        self._reader.join(SOON)
        assert "Traceback" not in self.log, self.log
        return code, time.monotonic() - begun

    def __enter__(self) -> ToolHost:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(SOON)
        assert self.process.stderr is not None
        self.process.stderr.close()
        if kind is None:
            assert "Traceback" not in self.log and not re.search("(request|connection) failed", self.log), self.log
