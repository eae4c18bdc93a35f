"""A TCP relay between clients and a store, one port for each client: it cuts connections, delays
them, and loses answers of requests that the store has carried out. It looks at no byte."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AbstractContextManager, suppress
from typing import Any

CHUNK = 65536
PATIENCE = 10.0


class StoreProxy(AbstractContextManager):
    """Relays the connections of `count` ports to `target` on loopback. A context manager."""

    def __init__(self, target: int, count: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="store-proxy", daemon=True).start()
        self._lanes = [_Lane(target) for _ in range(count)]
        self._servers = [self._run(asyncio.start_server(lane.relay, "127.0.0.1", 0)) for lane in self._lanes]
        self.ports: list[int] = [server.sockets[0].getsockname()[1] for server in self._servers]

    def __exit__(self, *exception: object) -> None:
        for server in self._servers:
            self._loop.call_soon_threadsafe(server.close)
        for number in range(len(self._lanes)):
            self.cut(number)
        self._run(asyncio.sleep(0))
        self._loop.call_soon_threadsafe(self._loop.stop)

    @property
    def lost_answers(self) -> int:
        return sum(lane.lost_answers for lane in self._lanes)

    def is_connected(self, number: int) -> bool:
        return self._lanes[number].is_connected

    def cut(self, number: int) -> None:
        """Drops all connections of a port."""
        self._loop.call_soon_threadsafe(self._lanes[number].cut)

    def lose_next_answer(self, number: int) -> None:
        """Drops each connection of a port in place of the next bytes that come back on it."""
        self._loop.call_soon_threadsafe(self._lanes[number].lose_next_answer)

    def delay(self, number: int, seconds: float) -> None:
        """Holds back each chunk of a port for so long, either way. 0 ends that."""
        self._lanes[number].seconds = seconds

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)


class _Lane:
    """One port."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._pairs: set[_Pair] = set()
        self.seconds = 0.0
        self.lost_answers = 0

    async def relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = _Pair(writer, forth)
        self._pairs.add(pair)
        try:
            await asyncio.gather(self._copy(reader, forth, pair, False), self._copy(back, writer, pair, True))
        finally:
            pair.abort()
            self._pairs.discard(pair)

    @property
    def is_connected(self) -> bool:
        return bool(self._pairs)

    def cut(self) -> None:
        for pair in self._pairs:
            pair.abort()

    def lose_next_answer(self) -> None:
        for pair in self._pairs:
            pair.loses_answer = True

    async def _copy(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: _Pair, is_answer: bool
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK):
                if self.seconds:
                    await asyncio.sleep(self.seconds)
                if is_answer and pair.loses_answer:
                    self.lost_answers += 1
                    break
                writer.write(data)
                await writer.drain()
        pair.abort()


class _Pair:
    """Both ends of one connection."""

    def __init__(self, *ends: asyncio.StreamWriter) -> None:
        self._ends = ends
        self.loses_answer = False

    def abort(self) -> None:
        for end in self._ends:
            end.transport.abort()
