"""A small HTTP/1.1 server for JSON on asyncio. It trusts no size. Every wait for a client
has a deadline, and every buffer has a limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable

from . import _output
from ._http_head import Head, Limits, Refused, Reply, head_of, keeps_alive, length_of

_REASONS = {
    **{200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"},
    **{405: "Method Not Allowed", 408: "Request Timeout", 411: "Length Required", 413: "Content Too Large"},
    **{415: "Unsupported Media Type", 417: "Expectation Failed", 431: "Request Header Fields Too Large"},
    **{500: "Internal Server Error", 501: "Not Implemented", 503: "Service Unavailable"},
    505: "HTTP Version Not Supported",
}
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(;[^\r\n]*)?")

Admit = Callable[[Head], None]
"""A function that checks a request before its body is read. It raises `Refused`."""
Handle = Callable[[Head, bytes], Awaitable[Reply]]


class _Gone(Exception):
    """The client has closed the connection, or is too slow to get a reply."""


class HTTPServer:
    def __init__(self, admit: Admit, handle: Handle, limits: Limits) -> None:
        self.admit = admit
        self.handle = handle
        self.limits = limits
        self.is_stopping = False
        self.bodies = 0
        self.connections: dict[_Connection, None] = {}
        """The connections, the longest silent first."""
        self._server: asyncio.AbstractServer | None = None

    async def listen(self, host: str, port: int) -> int:
        """Starts to listen. Returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), host, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self, seconds: float) -> None:
        """Stops listening, finishes requests for at most `seconds`, and closes all connections."""
        self.is_stopping = True
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            if not connection.is_busy:
                connection.close()
        tasks = [connection.task for connection in self.connections if connection.task is not None]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        for connection in list(self.connections):
            connection.close()
        if tasks:
            await asyncio.wait(tasks, timeout=1)

    def has_room(self) -> bool:
        """Makes room for a connection, if it can. Returns True when there is room.

        Closes the connection that has been silent longest and has no complete request.
        """
        if len(self.connections) < self.limits.connections:
            return True
        for connection in self.connections:
            if not connection.is_answering:
                connection.close()
                return True
        return False


class _Connection(asyncio.Protocol):
    def __init__(self, server: HTTPServer) -> None:
        self._server = server
        self._limits = server.limits
        self._buffer = bytearray()
        self._wanted = server.limits.head_bytes
        """Bytes to read ahead. With more in the buffer, the client has to wait."""
        self._more = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._is_gone = False
        self._transport: asyncio.Transport | None = None
        self._answer_task: asyncio.Future[Reply] | None = None
        self.is_busy = False
        """True when a request is admitted and has no reply yet."""
        self.is_answering = False
        """True when the request has arrived completely. Then `has_room` does not close it."""
        self.task: asyncio.Task[None] | None = None

    # ---- Called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._server.is_stopping or not self._server.has_room():
            self._write(Reply(503, {"error": {"code": "busy", "message": "Too many connections"}}), close=True)
            transport.close()
            return
        # Zero: the transport counts as drained only when the system has taken all bytes.
        transport.set_write_buffer_limits(0)
        self._server.connections[self] = None
        self.task = asyncio.ensure_future(self._serve())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._read_ahead()
        self._more.set()

    def eof_received(self) -> bool:
        self._leave()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._leave()

    def pause_writing(self) -> None:
        self._drained.clear()

    def resume_writing(self) -> None:
        self._drained.set()

    # ---- One request after another

    def close(self) -> None:
        self._leave()
        if self._transport is not None:
            self._transport.abort()

    def _leave(self) -> None:
        """Handles the end of the connection. Cancels its tool call, but a sent booking goes on."""
        self._is_gone = True
        self._server.connections.pop(self, None)
        self._more.set()
        self._drained.set()
        if self._answer_task is not None:
            self._answer_task.cancel()

    async def _serve(self) -> None:
        assert self._transport is not None
        try:
            while await self._one():
                pass
        except (_Gone, asyncio.CancelledError):
            pass
        except Exception as error:  # a bug of this server
            _output.log(f"partnerbooking serve: a connection failed: {type(error).__name__}: {error}")
        finally:
            self._server.connections.pop(self, None)
            self._transport.abort()  # `close` would wait for a client that does not read

    async def _one(self) -> bool:
        """Answers a request. Returns True when another request may follow."""
        if not self._buffer:
            await self._until(lambda: bool(self._buffer), self._limits.idle_seconds)
        try:
            head = head_of(await self._read_head(), self._limits)
            self._server.admit(head)
            self.is_busy = True
            reply = await self._answer(head)
            close = self._server.is_stopping or not keeps_alive(head)
        except Refused as refused:
            reply, close = refused.reply, True
        finally:
            self.is_busy = self.is_answering = False
        self._write(reply, close)
        if self in self._server.connections:  # moves it to the end: silent for the shortest time
            self._server.connections[self] = self._server.connections.pop(self)
        await self._until(self._drained.is_set, self._limits.write_seconds)
        if close:
            await self._linger()
        return not close

    async def _answer(self, head: Head) -> Reply:
        length = length_of(head)
        most = self._limits.body_bytes if length is None else length
        if most > self._limits.body_bytes:
            raise Refused(413, "too_large", f"A body has at most {self._limits.body_bytes} bytes")
        if self._server.bodies + most > self._limits.bodies_bytes:
            raise Refused(503, "busy", "Too many requests at once: try again", Retry_After="1")
        self._server.bodies += most
        try:
            self._expect(head)
            body = await self._read_body(length)
            self.is_answering = True
            return await self._handle(head, body)
        finally:
            self._server.bodies -= most

    async def _handle(self, head: Head, body: bytes) -> Reply:
        if self._is_gone:  # the connection ended right after the last byte
            raise _Gone
        self._answer_task = asyncio.ensure_future(self._server.handle(head, body))
        try:
            return await self._answer_task
        except asyncio.CancelledError:
            raise _Gone from None
        except Refused:
            raise
        except Exception as error:  # a bug of this server
            _output.log(f"partnerbooking serve: a request failed: {type(error).__name__}: {error}")
            raise Refused(500, "internal", "The request failed. Nothing is known of its end: send it again") from None
        finally:
            self._answer_task = None

    def _write(self, reply: Reply, close: bool) -> None:
        body = json.dumps(reply.members, ensure_ascii=True, separators=(",", ":")).encode()
        lines = [
            f"HTTP/1.1 {reply.status} {_REASONS[reply.status]}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"Connection: {'close' if close else 'keep-alive'}",
            *(f"{name}: {value}" for name, value in reply.headers.items()),
        ]
        assert self._transport is not None
        if not self._transport.is_closing():
            self._transport.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def _linger(self) -> None:
        """Reads on for a moment before the connection is closed. If the client still sends at the
        close, the system discards the reply."""
        assert self._transport is not None
        with contextlib.suppress(_Gone, OSError):
            self._transport.write_eof()
            left, deadline = 1_048_576, asyncio.get_running_loop().time() + 5.0
            while left > 0:
                self._buffer.clear()
                self._read_ahead()
                await self._until(lambda: bool(self._buffer), min(1.0, self._left(deadline)))
                left -= len(self._buffer)

    # ---- Reading

    def _read_ahead(self) -> None:
        assert self._transport is not None
        if not self._transport.is_closing():
            if len(self._buffer) > self._wanted:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    async def _until(self, is_so: Callable[[], bool], seconds: float) -> None:
        """Waits for the condition. Raises `_Gone` when the client is gone or the time is over."""

        async def wait() -> None:
            while not is_so():
                if self._is_gone:
                    raise _Gone
                self._more.clear()
                if not self._drained.is_set():
                    await self._drained.wait()
                else:
                    await self._more.wait()

        if not is_so():
            try:
                await asyncio.wait_for(wait(), seconds)
            except asyncio.TimeoutError:
                raise _Gone from None

    async def _read_head(self) -> bytes:
        end, limit = b"\r\n\r\n", self._limits.head_bytes

        def is_there() -> bool:
            return end in self._buffer or len(self._buffer) > limit

        try:
            await self._until(is_there, self._limits.head_seconds)
        except _Gone:
            if self._is_gone:
                raise
            raise Refused(408, "timeout", "The request did not come in time") from None
        place = self._buffer.find(end)
        if place < 0 or place > limit:
            raise Refused(431, "too_large", f"The head of a request has at most {limit} bytes")
        return self._take(place + len(end))

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._read_ahead()
        return taken

    def _expect(self, head: Head) -> None:
        expected = head.headers.get("expect")
        if expected is None:
            return
        if expected.lower() != "100-continue":
            raise Refused(417, "not_expected", "Expect may be 100-continue only")
        if not self._buffer and self._transport is not None:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def _read_body(self, length: int | None) -> bytes:
        deadline = asyncio.get_running_loop().time() + self._limits.body_seconds
        try:
            if length is not None:
                return await self._exactly(length, deadline)
            body = bytearray()
            while size := await self._chunk_size(deadline):
                if asyncio.get_running_loop().time() > deadline:
                    raise _Gone
                await asyncio.sleep(0)  # many small chunks must not block the loop
                if len(body) + size > self._limits.body_bytes:
                    raise Refused(413, "too_large", f"A body has at most {self._limits.body_bytes} bytes")
                body += await self._exactly(size, deadline)
                if await self._exactly(2, deadline) != b"\r\n":
                    raise Refused(400, "bad_request", "A chunk does not end where it says")
            for _ in range(self._limits.headers):
                if not await self._line(deadline):
                    return bytes(body)
            raise Refused(431, "too_large", "Too many trailers")
        except _Gone:
            if self._is_gone:
                raise
            raise Refused(408, "timeout", "The body did not come in time") from None
        finally:
            self._wanted = self._limits.head_bytes

    async def _chunk_size(self, deadline: float) -> int:
        found = _CHUNK.fullmatch(await self._line(deadline))
        if found is None:
            raise Refused(400, "bad_request", "A chunk has no size")
        return int(found[1], 16)

    async def _line(self, deadline: float) -> bytes:
        await self._until(
            lambda: b"\r\n" in self._buffer or len(self._buffer) > self._limits.head_bytes, self._left(deadline)
        )
        place = self._buffer.find(b"\r\n")
        if place < 0:
            raise Refused(400, "bad_request", "A line does not end")
        return self._take(place + 2)[:-2]

    async def _exactly(self, count: int, deadline: float) -> bytes:
        self._wanted = count + self._limits.head_bytes
        self._read_ahead()
        await self._until(lambda: len(self._buffer) >= count, self._left(deadline))
        return self._take(count)

    def _left(self, deadline: float) -> float:
        return max(deadline - asyncio.get_running_loop().time(), 0.001)
