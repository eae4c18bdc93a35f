"""Hostile platforms over HTTP/2. Frames are written by hand: RFC 9113, 4.1."""

from __future__ import annotations

from collections.abc import Callable

from fault_server import Gone, Peer, Received, http_reply
from hostile_server import BROKEN, FOUND, RIGHT, TAKEN, WHOLE, add, flood, hostile, right_body
from hpack import Decoder, Encoder

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
UNKNOWN_TYPE = 0xAB
END_STREAM, ACK, END_HEADERS, PADDED = 1, 1, 4, 8
PREFACE = 24
LARGEST = 2**31 - 1
PRIORITY_FLAG = 0x20


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def number(value: int) -> bytes:
    return value.to_bytes(4, "big")


def setting(identifier: int, value: int) -> bytes:
    return identifier.to_bytes(2, "big") + number(value)


def headers(stream: int, status: int, *more: tuple[str, str], flags: int = END_HEADERS) -> bytes:
    # An encoder of its own for each block, without a table: blocks may be sent in any order, and again.
    block = Encoder().encode([(":status", str(status)), *more], huffman=False)
    return frame(HEADERS, flags, stream, block)


def plain(*fields: tuple[bytes, bytes]) -> bytes:
    """Fields as literals that no table keeps."""
    return b"".join(b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in fields)


class Session:
    """The server's half of one connection."""

    def __init__(self, peer: Peer, settings: bytes = b"", is_polite: bool = True) -> None:
        self.peer = peer
        self._is_polite = is_polite
        self._decoder = Decoder()
        self._calls: dict[int, dict[str, str]] = {}
        self._bodies: dict[int, bytes] = {}
        peer.read(PREFACE)
        peer.send(frame(SETTINGS, 0, 0, settings))

    def send(self, data: bytes) -> None:
        self.peer.send(data)

    def next_call(self) -> tuple[int, Received]:
        """The stream and the request of the next whole call. A warm-up gets a polite reply."""
        while True:
            stream, is_over = self._read_frame()
            if not is_over:
                continue
            fields = self._calls.pop(stream)
            body = self._bodies.pop(stream, b"")
            request = Received(fields[":method"], fields[":path"], fields, body)
            if request.method == "POST" or not self._is_polite:
                self.peer.record(request)
                return stream, request
            self.send(headers(stream, 200, flags=END_HEADERS | END_STREAM))

    def _read_frame(self) -> tuple[int, bool]:
        """The stream of the next frame, and whether the request on it has ended."""
        head = self.peer.read(9)
        kind, flags = head[3], head[4]
        stream = int.from_bytes(head[5:], "big")
        payload = self.peer.read(int.from_bytes(head[:3], "big"))
        if kind == HEADERS:
            block = payload[5:] if flags & PRIORITY_FLAG else payload
            self._calls[stream] = {str(name): str(value) for name, value in self._decoder.decode(block)}
        elif kind == DATA:
            self._bodies[stream] = self._bodies.get(stream, b"") + payload
        elif kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK, 0))
        elif kind == GOAWAY:
            raise Gone
        return stream, kind in (HEADERS, DATA) and bool(flags & END_STREAM) and stream in self._calls


def h2(kind: str, reply: str = BROKEN, short: bool = False) -> Callable[..., Callable[..., None]]:
    """Registers a function that gets the session, the stream and the request of each call on a connection."""

    def register(answer: Callable[[Session, int, Received], None]) -> Callable[[Session, int, Received], None]:
        def script(peer: Peer) -> None:
            session = Session(peer)
            while True:
                answer(session, *session.next_call())

        add(answer.__name__, kind, script, "h2", reply, short)
        return answer

    return register


# Floods


def flooding(
    name: str,
    unit: Callable[[int], bytes],
    start: Callable[[int], bytes] = lambda stream: b"",
    reads: bool = False,
    short: bool = False,
) -> None:
    """After the first call: the start once, and the unit without end, both for the stream of the call.

    `reads`: what the client answers is taken, so that it can go on answering.
    """

    def script(peer: Peer) -> None:
        session = Session(peer)
        stream, _ = session.next_call()
        session.send(start(stream))
        flood(peer, unit(stream), peer.discard_unread if reads else None)

    add(name, "flood", script, "h2", short=short)


def begun(stream: int) -> bytes:
    """Headers that are not over."""
    return headers(stream, 200, flags=0)


def opened(stream: int) -> bytes:
    return headers(stream, 200, ("content-type", "application/json"))


def ended(stream: int) -> bytes:
    """The stream is over, as a failure that is no reply."""
    return frame(RST_STREAM, 0, stream, number(2))


flooding("h2_goaway", lambda stream: frame(GOAWAY, 0, 0, number(LARGEST) + number(0)), short=True)
flooding("h2_goaway_with_text", lambda stream: frame(GOAWAY, 0, 0, number(LARGEST) + number(0) + b"a" * 16_000))
flooding("h2_window_update", lambda stream: frame(WINDOW_UPDATE, 0, 0, number(1)), short=True)
flooding("h2_stream_window_update", lambda stream: frame(WINDOW_UPDATE, 0, stream, number(1)))
flooding("h2_settings", lambda stream: frame(SETTINGS, 0, 0), reads=True)
flooding("h2_settings_unread", lambda stream: frame(SETTINGS, 0, 0))
WINDOWS = setting(4, 0) + setting(4, LARGEST)
flooding("h2_settings_windows", lambda stream: frame(SETTINGS, 0, 0, WINDOWS), reads=True, short=True)
flooding("h2_settings_tables", lambda s: frame(SETTINGS, 0, 0, setting(1, 0) + setting(1, 65_536)), reads=True)
flooding("h2_ping", lambda stream: frame(PING, 0, 0, b"\0" * 8), reads=True, short=True)
flooding("h2_ping_unread", lambda stream: frame(PING, 0, 0, b"\0" * 8))
flooding("h2_ping_ack", lambda stream: frame(PING, ACK, 0, b"\0" * 8))
flooding("h2_empty_data", lambda stream: frame(DATA, 0, stream), opened, short=True)
flooding("h2_padded_data", lambda stream: frame(DATA, PADDED, stream, b"\xff" + b"\0" * 255), opened, reads=True)
flooding("h2_tiny_data", lambda stream: frame(DATA, 0, stream, b" "), opened, reads=True)
flooding("h2_endless_data", lambda stream: frame(DATA, 0, stream, b" " * 16_000), opened, reads=True)
flooding("h2_data_of_ended_stream", lambda stream: frame(DATA, 0, stream, b" " * 100), ended, reads=True)
flooding("h2_reset", lambda stream: frame(RST_STREAM, 0, stream, number(2)), ended, short=True)
flooding("h2_priority", lambda stream: frame(PRIORITY, 0, stream, number(0) + b"\x10"))
flooding("h2_unknown_frames", lambda stream: frame(UNKNOWN_TYPE, 0, 0), short=True)
flooding("h2_large_unknown_frames", lambda stream: frame(UNKNOWN_TYPE, 0, 0, b"\0" * 16_384))
flooding("h2_continuation", lambda s: frame(CONTINUATION, 0, s, plain((b"a", b"b"))), begun)
flooding("h2_empty_continuation", lambda s: frame(CONTINUATION, 0, s), begun)
flooding("h2_interim", lambda stream: headers(stream, 103, ("a", "b")), short=True)
flooding("h2_headers_of_ended_stream", lambda stream: headers(stream, 200, ("a", "b")), ended)
flooding("h2_trailers", lambda s: frame(HEADERS, END_HEADERS, s, plain((b"a", b"b"))), opened)
flooding("h2_push", lambda s: frame(PUSH_PROMISE, END_HEADERS, s, number(2) + plain((b":method", b"GET"))), opened)
flooding("h2_garbage", lambda stream: b"\xff" * 100)


@hostile("flood", over="h2")
def h2_flood_at_once(peer: Peer) -> None:
    """Floods as soon as the connection is there, also a warm-up."""
    Session(peer)
    flood(peer, frame(WINDOW_UPDATE, 0, 0, number(1)))


@hostile("flood", over="h2", reply=WHOLE)
def h2_flood_idle(peer: Peer) -> None:
    """Gives the right reply, and floods while the connection is idle or in use for the next call."""
    session = Session(peer)
    stream, request = session.next_call()
    session.send(whole(stream, request))
    flood(peer, frame(WINDOW_UPDATE, 0, 0, number(1)))


# Replies


def whole(stream: int, request: Received) -> bytes:
    status, body = right_body(request.path)
    return headers(stream, status, ("content-type", "application/json")) + frame(DATA, END_STREAM, stream, body)


@h2("other", reply=RIGHT)
def h2_honest(session: Session, stream: int, request: Received) -> None:
    session.send(whole(stream, request))


@h2("length", short=True)
def h2_length_too_long(session: Session, stream: int, request: Received) -> None:
    status, body = right_body(request.path)
    session.send(headers(stream, status, ("content-length", "1000")) + frame(DATA, END_STREAM, stream, body))


@h2("length", short=True)
def h2_length_too_short(session: Session, stream: int, request: Received) -> None:
    status, body = right_body(request.path)
    session.send(headers(stream, status, ("content-length", "5")) + frame(DATA, END_STREAM, stream, body))


@h2("length", reply=RIGHT, short=True)
def h2_without_end(session: Session, stream: int, request: Received) -> None:
    """A whole reply on a stream that stays open."""
    status, body = right_body(request.path)
    session.send(headers(stream, status) + frame(DATA, 0, stream, body))


@h2("length", short=True)
def h2_huge_frame(session: Session, stream: int, request: Received) -> None:
    """The head of a frame of 16 MB."""
    session.send(opened(stream) + b"\xff\xff\xff" + bytes([DATA, 0]) + number(stream) + FOUND)


@h2("cut", short=True)
def h2_cut_in_headers(session: Session, stream: int, request: Received) -> None:
    session.send(whole(stream, request)[:12])
    session.peer.close()
    raise Gone


@h2("cut", short=True)
def h2_cut_behind_headers(session: Session, stream: int, request: Received) -> None:
    session.send(opened(stream))
    session.peer.close()
    raise Gone


@h2("cut", short=True)
def h2_cut_in_data(session: Session, stream: int, request: Received) -> None:
    session.send(whole(stream, request)[:-5])
    session.peer.close()
    raise Gone


@h2("cut", short=True)
def h2_reset_in_data(session: Session, stream: int, request: Received) -> None:
    status, body = right_body(request.path)
    session.send(headers(stream, status) + frame(DATA, 0, stream, body[:-5]) + ended(stream))


@h2("cut", short=True)
def h2_refused_stream(session: Session, stream: int, request: Received) -> None:
    """Says that the request was not processed, each time."""
    session.send(frame(RST_STREAM, 0, stream, number(7)))


@h2("cut", short=True)
def h2_always_goaway(session: Session, stream: int, request: Received) -> None:
    """Says that nothing was processed, and closes: on each connection."""
    session.send(frame(GOAWAY, 0, 0, number(0) + number(0)))
    session.peer.close()
    raise Gone


@h2("other", short=True)
def h2_http1_reply(session: Session, stream: int, request: Received) -> None:
    """Has agreed on HTTP/2 and speaks HTTP/1.1."""
    session.send(http_reply(*right_body(request.path)))


def refusal(stream: int) -> bytes:
    return headers(stream, 409) + frame(DATA, END_STREAM, stream, TAKEN)


@h2("other", reply=RIGHT, short=True)
def h2_unasked_refusal(session: Session, stream: int, request: Received) -> None:
    """After each right reply a refusal on the same stream, which has ended."""
    session.send(whole(stream, request) + refusal(stream))


@h2("other", reply=WHOLE, short=True)
def h2_early_refusal(session: Session, stream: int, request: Received) -> None:
    """After each right reply a refusal on a stream that is not there yet."""
    session.send(whole(stream, request) + refusal(stream + 2_000))


@hostile("other", over="h2", reply=RIGHT, short=True)
def h2_warm_up_body(peer: Peer) -> None:
    """A body in reply to the warm-up's HEAD request."""
    session = Session(peer, is_polite=False)
    while True:
        stream, request = session.next_call()
        session.send(whole(stream, request))


@hostile("drip", over="h2", short=True)
def h2_drip(peer: Peer) -> None:
    session = Session(peer)
    stream, request = session.next_call()
    for byte in whole(stream, request):
        session.send(bytes([byte]))
        peer.pause(1)


@hostile("drip", over="h2", short=True)
def h2_closed_window(peer: Peer) -> None:
    """No client can send a byte of a body."""
    Session(peer, setting(4, 0)).next_call()


@hostile("size", over="h2", short=True)
def h2_header_bomb(peer: Peer) -> None:
    """One field of 4,000 bytes enters the table, and a block of 16 KB refers to it 16,000 times: 64 MB of headers."""
    session = Session(peer)
    while True:
        stream, _ = session.next_call()
        field = b"\x40\x01a\x7f\xa1\x1e" + b"b" * 4_000
        session.send(frame(HEADERS, END_HEADERS, stream, b"\x88" + field + b"\xbe" * 12_000))
