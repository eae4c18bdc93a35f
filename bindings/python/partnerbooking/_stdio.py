"""Lines over two descriptors: pipes, files or terminals. Only threads block on them, never the
loop."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import AsyncIterator

_CHUNK = 65_536
_MOST_CHUNKS = 4
"""The most chunks that are read ahead. Then the client has to wait."""


class Lines:
    """A reader of a client's lines, and a writer of the answers. Make it on the loop."""

    def __init__(self, read_from: int, write_to: int, longest: int) -> None:
        self._longest = longest
        self._from = read_from
        self._to = write_to
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._room = threading.Semaphore(_MOST_CHUNKS)
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._unwritten = 0
        self._written = asyncio.Event()
        self.is_broken = False
        """True when the client reads no more. Then written lines are discarded."""
        # Daemons, because a thread may block in the system when the process ends.
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    async def read(self) -> AsyncIterator[bytes | None]:
        """Yields the lines, and None for a line that is too long."""
        line, too_long = bytearray(), False
        while chunk := await self._chunks.get():
            self._room.release()
            *ends, rest = chunk.split(b"\n")
            for end in ends:
                yield None if too_long or len(line) + len(end) > self._longest else bytes(line + end)
                line, too_long = bytearray(), False
            if too_long or len(line) + len(rest) > self._longest:
                line, too_long = bytearray(), True
            else:
                line += rest
        if too_long or line:
            yield None if too_long else bytes(line)

    def write(self, line: bytes) -> None:
        with self._lock:
            self._unwritten += len(line)
        self._lines.put(line)

    async def written(self, but: int = 0) -> None:
        """Waits until at most `but` bytes are unwritten, or until nobody reads them."""
        while self._unwritten > but and not self.is_broken:
            self._written.clear()
            if self._unwritten > but and not self.is_broken:
                await self._written.wait()

    def _read(self) -> None:
        chunk = b"first"
        while chunk:
            self._room.acquire()
            try:
                chunk = os.read(self._from, _CHUNK)
            except OSError:
                chunk = b""
            self._tell(self._chunks.put_nowait, chunk)

    def _write(self) -> None:
        while True:
            line = self._lines.get()
            left = b"" if self.is_broken else line
            try:
                while left:
                    left = left[os.write(self._to, left) :]
            except OSError:
                self.is_broken = True
            with self._lock:
                self._unwritten -= len(line)
            self._tell(self._written.set)

    def _tell(self, function: object, *arguments: object) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)  # type: ignore[arg-type]
        except RuntimeError:  # the loop is closed: the process ends
            pass
