"""Real PostgreSQL and Redis servers in temporary directories, which tests may kill and start
again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import AbstractContextManager, suppress
from pathlib import Path

PATIENCE = 30.0
"""Seconds that a server may take to start."""

WITH_THE_TESTS = ["setpriv", "--pdeathsig", "KILL"]
"""A run that is killed, as by a timeout, leaves no server. Start servers from the main thread."""

POSTGRES = ["listen_addresses=127.0.0.1", "fsync=on", "shared_buffers=16MB", "log_min_messages=fatal"]


def _postgres_programs() -> Path:
    """Debian keeps them apart by version, outside of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda file: int(file.parts[4]))
    return found[-1].parent if found else Path(shutil.which("postgres") or "postgres").parent


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class StoreServer(AbstractContextManager["StoreServer"]):
    """A server process, and a directory that outlives it."""

    def __init__(self) -> None:
        # A short path: that of a Unix socket has at most 107 bytes.
        self.directory = Path(tempfile.mkdtemp(prefix="pbk-store-", dir="/tmp"))
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.directory / "log").open("ab") as log:
            command = [*WITH_THE_TESTS, *self.command()]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.directory)
        end = time.monotonic() + PATIENCE
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > end:
                raise RuntimeError((self.directory / "log").read_text(errors="replace")[-2000:])
            time.sleep(0.02)

    def kill(self) -> None:
        """Ends it as a crash does: nothing is flushed."""
        assert self._process is not None
        for process in self.processes():
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait()

    def pause(self) -> None:
        for process in self.processes():
            os.kill(process, signal.SIGSTOP)

    def go_on(self) -> None:
        for process in self.processes():
            os.kill(process, signal.SIGCONT)

    def processes(self) -> list[int]:
        """The process and its children."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        return [self._process.pid, *map(int, children.read_text().split())]

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)


class PostgresServer(StoreServer):
    """Runs as `postgres` where the tests run as root, which the server refuses."""

    def __init__(self, *settings: str) -> None:
        super().__init__()
        self._programs = _postgres_programs()
        self._settings = [word for setting in (*POSTGRES, *settings) for word in ("-c", setting)]
        self._as_user = [] if os.getuid() else ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        if self._as_user:
            shutil.chown(self.directory, "postgres", "postgres")
        self.data = self.directory / "data"
        initdb = [self._programs / "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*self._as_user, *initdb, "--locale=C"], check=True, capture_output=True, cwd=self.directory)
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self.start()

    def command(self) -> list[str]:
        server = [self._programs / "postgres", "-D", self.data, "-k", self.directory, "-p", self.port]
        return [*self._as_user[1:], *map(str, server), *self._settings]  # the options, for the setpriv that is there

    def answers(self) -> bool:
        ready = [self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0


class RedisServer(StoreServer):
    def __init__(self, *arguments: str) -> None:
        super().__init__()
        self._arguments = arguments
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def command(self) -> list[str]:
        server = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory)]
        return [*server, "--appendonly", "yes", "--appendfsync", "always", "--save", "", *self._arguments]

    def answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(5) == b"+PONG"
        return False
