"""A client of the MCP server that may say anything: lines over pipes to `python -m partnerbooking mcp`."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from python_package import PACKAGE
from waiting import SOON

MODERN = "2026-07-28"
LEGACY = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
PROTOCOL, CLIENT, CAPABILITIES, SERVER = (
    f"io.modelcontextprotocol/{name}" for name in ("protocolVersion", "clientInfo", "clientCapabilities", "serverInfo")
)
CALLS = 64
"""As many calls of tools may be under way."""
META: dict[str, Any] = {PROTOCOL: MODERN, CLIENT: {"name": "sloppy", "version": "0"}, CAPABILITIES: {}}


class Peer:
    """A server process and its three pipes. `ask` is for those who behave; `write` is for the others."""

    def __init__(self, config: dict[str, Any], folder: Path, *options: str, **environment: str) -> None:
        file = folder / "mcp.json"
        file.write_text(json.dumps(config))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "partnerbooking", "mcp", "--config", str(file), "--bot", "bot_1", *options],
            env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._read = b""
        self._last = 0
        self.notifications: list[dict[str, Any]] = []

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def send(self, message: object) -> None:
        self.write(json.dumps(message).encode() + b"\n")

    def notify(self, method: str, params: object) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: object = None, id: object = None) -> object:
        """Sends a request, and returns its id."""
        self._last += 1
        id = self._last if id is None else id
        self.send({"jsonrpc": "2.0", "id": id, "method": method, **({} if params is None else {"params": params})})
        return id

    def line(self, seconds: float = SOON) -> bytes | None:
        """The next line of standard output; None at its end."""
        assert self.process.stdout is not None
        deadline = time.monotonic() + seconds
        while b"\n" not in self._read:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.process.stdout], [], [], left)[0], "the server says nothing"
            read = os.read(self.process.stdout.fileno(), 65_536)
            if not read:
                assert self._read == b"", "half a line"
                return None
            self._read += read
        line, self._read = self._read.split(b"\n", 1)
        return line

    def next(self, seconds: float = SOON) -> Any:
        """The next response. Notifications on the way are put aside. All that the server says is JSON-RPC."""
        while (line := self.line(seconds)) is not None:
            message = json.loads(line)
            assert message["jsonrpc"] == "2.0" and ("method" in message) != ("id" in message), message
            if "id" in message:
                return message
            self.notifications.append(message)
        return None

    def answers(self, count: int) -> dict[object, Any]:
        """As many responses, by id."""
        return {message["id"]: message for message in (self.next() for _ in range(count))}

    def ask(self, method: str, params: object = None) -> Any:
        id = self.request(method, params)
        message = self.next()
        assert message["id"] == id, message
        return message

    def initialize(self, version: str = LEGACY[-1]) -> Any:
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "sloppy", "version": "0"}}
        result = self.ask("initialize", params)["result"]
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return result

    def call(self, name: str, arguments: object, meta: dict[str, Any] | None = None) -> Any:
        """Calls a tool without `initialize`."""
        params = {"name": name, "arguments": arguments, "_meta": {**META, **(meta or {})}}
        return self.ask("tools/call", params)["result"]

    def error(self, method: str, params: object = None) -> tuple[int, str]:
        error = self.ask(method, params)["error"]
        return error["code"], error["message"]

    def end(self, *, signal_: int | None = None) -> tuple[int, str]:
        """Closes the server's input, or sends a signal. Returns its exit code and its log."""
        if signal_ is None:
            assert self.process.stdin is not None
            self.process.stdin.close()
        else:
            self.process.send_signal(signal_)
        assert self.process.stderr is not None
        code = self.process.wait(SOON)
        log = self.process.stderr.read().decode()
        assert "Traceback" not in log, log
        return code, log

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert pipe is not None
            try:
                pipe.close()
            except BrokenPipeError:
                pass
