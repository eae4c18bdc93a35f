"""The zoo over HTTP/2, by hand as in `zoo_http.py`: single streams can be reset."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
from zoo import Request
from zoo_http import Asked, Connection, Zoo, end_of


@dataclass
class Stream:
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    asked: Asked | None = None


class Http2(Connection):
    def __init__(self, zoo: Zoo) -> None:
        super().__init__(zoo)
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self._streams: dict[int, Stream] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        try:
            events = self._h2.receive_data(data)
        except h2.exceptions.ProtocolError:
            self._transport.abort()
            return
        for event in events:
            match event:
                case h2.events.RequestReceived():
                    self._streams[event.stream_id] = Stream(dict(event.headers))
                case h2.events.DataReceived():
                    self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    if (stream := self._streams.get(event.stream_id)) is not None:
                        stream.body += event.data
                case h2.events.StreamReset():
                    if (stream := self._streams.pop(event.stream_id, None)) is not None:
                        end_of(stream.asked, "gone")
                case h2.events.StreamEnded():
                    if (stream := self._streams.get(event.stream_id)) is not None:
                        self._spawn(self._serve(event.stream_id, stream))
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        for stream in self._streams.values():
            end_of(stream.asked, self._ending)
        self._streams.clear()

    async def _serve(self, number: int, stream: Stream) -> None:
        headers = stream.headers
        stream.asked = asked = Asked(headers[":method"], headers[":path"], headers, stream.body, "h2")
        act = await self._zoo.respond(asked)
        if number not in self._streams or self._transport.is_closing():
            # It may have been reset before it was looked at.
            end_of(asked, self._ending)
            return
        if act.answer is None:
            self._break(number, asked.booking, "dropped", act.whole)
            return
        has_body = asked.method != "HEAD"
        body = act.answer.body if has_body else b""
        lines = [(":status", str(act.answer.status)), ("content-length", str(len(body))), *act.answer.headers]
        self._h2.send_headers(number, [*lines, ("content-type", "application/json")], end_stream=not has_body)
        if act.is_cut:
            await self._send(number, body[: len(body) // 2])
            self._flush()
            self._break(number, asked.booking, "cut", act.whole)
            return
        if has_body:
            await self._send(number, body)
            if number not in self._streams or self._transport.is_closing():
                end_of(asked, self._ending)
                return
            self._h2.end_stream(number)
        self._streams.pop(number, None)
        self._flush()
        end_of(asked, act.answer.status)

    async def _send(self, number: int, body: bytes) -> None:
        """In frames, and as much at a time as the client has room for."""
        while body and number in self._streams and not self._transport.is_closing():
            size = min(len(body), self._h2.max_outbound_frame_size, self._h2.local_flow_control_window(number))
            if size > 0:
                self._h2.send_data(number, body[:size])
                body = body[size:]
            self._flush()
            if not size:
                await asyncio.sleep(0.002)

    def _break(self, number: int, request: Request | None, answered: str, whole: float) -> None:
        """Resets the stream or, by chance, drops the whole connection with all streams on it."""
        del self._streams[number]
        if request is not None and request.rng("whole").random() < whole:
            self._drop(request, answered)
            return
        if request is not None:
            request.end(answered)
        self._h2.reset_stream(number, h2.errors.ErrorCodes.INTERNAL_ERROR)
        self._flush()

    def _flush(self) -> None:
        if data := self._h2.data_to_send():
            self._transport.write(data)
