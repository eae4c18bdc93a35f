"""Hostile platforms over HTTP/1.1: wrong lengths, cut replies, huge heads and bombs."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import threading
import zlib
from collections.abc import Callable, Iterator

from fault_server import Peer, Received
from hostile_server import BROKEN, FOUND, LINK, WHOLE, add, flood, hostile, read_call, right_body, right_reply

HEAD = b"HTTP/1.1 %d Any\r\nContent-Type: application/json\r\n"
MAKING = threading.Lock()


def head(request: Received, *lines: bytes) -> bytes:
    """The right status, and these header lines."""
    status, _ = right_body(request.path)
    return HEAD % status + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def body(request: Received) -> bytes:
    return right_body(request.path)[1]


# Wrong lengths: the right reply, but for its framing


def length(name: str, *lines: bytes, body_of: Callable[[bytes], bytes] = bytes, reply: str = BROKEN) -> None:
    """Sends these header lines, with the length of the right body for %d, and then waits."""

    def script(peer: Peer) -> None:
        while True:
            request = read_call(peer)
            content = body(request)
            own = [line % len(content) if b"%d" in line else line for line in lines]
            peer.send(head(request, *own) + body_of(content))

    # They cost little, and end at the latest with the deadline.
    add(name, "length", script, reply=reply, short=True)


def chunks(*parts: bytes) -> Callable[[bytes], bytes]:
    """The body as chunks as they are written here, with the length of the body for %x and the body for %s."""
    return lambda content: b"".join(parts).replace(b"%x", b"%x" % len(content)).replace(b"%s", content)


length("length_too_long", b"Content-Length: 9%d", reply=WHOLE)
length("length_too_short", b"Content-Length: 5")
length("length_zero", b"Content-Length: 0")
length("length_negative", b"Content-Length: -1")
length("length_plus", b"Content-Length: +%d", reply=WHOLE)
length("length_word", b"Content-Length: many")
length("length_empty", b"Content-Length:")
length("length_huge", b"Content-Length: 9223372036854775807", reply=WHOLE)
length("length_overflow", b"Content-Length: 99999999999999999999999", reply=WHOLE)
length("length_twice", b"Content-Length: %d", b"Content-Length: 5")
length("length_twice_reversed", b"Content-Length: 5", b"Content-Length: %d", reply=WHOLE)
length("length_list", b"Content-Length: %d, 5", reply=WHOLE)
CHUNKED = b"Transfer-Encoding: chunked"
RIGHT = chunks(b"%x\r\n%s\r\n0\r\n\r\n")
length("length_and_chunks", b"Content-Length: 5", CHUNKED, body_of=RIGHT, reply=WHOLE)
length("chunked_twice", b"Transfer-Encoding: chunked, chunked", body_of=RIGHT, reply=WHOLE)
length("chunk_huge", CHUNKED, body_of=chunks(b"7FFFFFFFFFFFFFFF\r\n%s"), reply=WHOLE)
length("chunk_overflow", CHUNKED, body_of=chunks(b"FFFFFFFFFFFFFFFFF\r\n%s"))
length("chunk_negative", CHUNKED, body_of=chunks(b"-5\r\n%s\r\n0\r\n\r\n"))
length("chunk_too_long", CHUNKED, body_of=chunks(b"9%x\r\n%s\r\n0\r\n\r\n"), reply=WHOLE)
length("chunk_too_short", CHUNKED, body_of=chunks(b"5\r\n%s\r\n0\r\n\r\n"))
length("chunk_word", CHUNKED, body_of=chunks(b"many\r\n%s\r\n0\r\n\r\n"))
length("chunk_without_last", CHUNKED, body_of=chunks(b"%x\r\n%s\r\n"), reply=WHOLE)


# Cuts: the right reply, up to a place of each kind

PLACES = {
    "at_once": lambda reply: 0,
    "in_status_line": lambda reply: 11,
    "behind_status_line": lambda reply: reply.index(b"\r\n") + 2,
    "in_header": lambda reply: reply.index(b"\r\n") + 9,
    "behind_header_line": lambda reply: reply.index(b"\r\n", reply.index(b"\r\n") + 2) + 2,
    "behind_headers": lambda reply: reply.index(b"\r\n\r\n") + 2,
    "behind_head": lambda reply: reply.index(b"\r\n\r\n") + 4,
    "in_body": lambda reply: len(reply) - 10,
    "before_last_byte": lambda reply: len(reply) - 1,
}


def cutting(name: str, reply_of: Callable[[Received], bytes], count_of: Callable[[bytes], int], reset: bool) -> None:
    def script(peer: Peer) -> None:
        reply = reply_of(read_call(peer))
        peer.send(reply[: count_of(reply)])
        # What a reset overtakes is lost, and with it the place of the cut.
        peer.pause(0.01)
        peer.reset() if reset else peer.close()

    add(name, "cut", script, short=True)


def chunked(request: Received) -> bytes:
    content = body(request)
    first, rest = content[:10], content[10:]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (first, rest))
    return head(request, CHUNKED) + framed + b"0\r\nA: b\r\n\r\n"


def until_the_end(request: Received) -> bytes:
    """A reply whose end is the end of the connection."""
    return head(request, b"Connection: close") + body(request)


for _end in ("cut", "reset"):
    for _place, _count in PLACES.items():
        cutting(f"{_end}_{_place}", right_reply, _count, _end == "reset")
    cutting(f"{_end}_in_first_chunk", chunked, lambda reply: reply.index(b"\r\n\r\n") + 12, _end == "reset")
    cutting(f"{_end}_in_chunk_size", chunked, lambda reply: reply.index(b"\r\n\r\n") + 5, _end == "reset")
    cutting(f"{_end}_without_length", until_the_end, lambda reply: len(reply) - 10, _end == "reset")


# Huge heads


def huge_head(name: str, start: bytes, unit: bytes, count: int, kind: str = "size") -> None:
    """A head of this size, and then the right reply. The call may succeed, or fail at a limit."""

    def script(peer: Peer) -> None:
        while True:
            request = read_call(peer)
            lines, _, rest = right_reply(request).partition(b"\r\n\r\n")
            whole = lines + b"\r\n" + start + unit * count + b"\r\n\r\n" + rest
            LINK.take(len(whole))
            peer.send(whole)

    add(name, kind, script, reply=WHOLE, short=True)


huge_head("header_of_1_mb", b"X-Header: ", b"a" * 1_000, 1_000)
huge_head("header_of_90_kb", b"X-Header: ", b"a" * 1_000, 90)
huge_head("ten_thousand_headers", b"X-Last: 1", b"\r\nX-Header: 0123456789", 10_000)
huge_head("ten_thousand_tiny_headers", b"X-Last: 1", b"\r\na:", 10_000)
huge_head("header_of_60_thousand_folds", b"X-Header: 1", b"\r\n 2", 60_000, kind="bomb")
huge_head("thousand_cookies", b"X-Last: 1", b"\r\nSet-Cookie: a=b; Max-Age=99999999", 1_000)


# Bombs: bodies that are small on the wire


def bombing(name: str, encoding: bytes, pieces: Callable[[], Iterator[bytes]], short: bool = False) -> None:
    """A body in this encoding, without a length."""
    # Made once: the process has time for that before the client comes.
    make = functools.cache(lambda: list(pieces()))

    def script(peer: Peer) -> None:
        with MAKING:
            first, endless = make()
        request = read_call(peer)
        peer.send(head(request, b"Content-Encoding: " + encoding) + first)
        flood(peer, endless)

    add(name, "bomb", script, short=short)


def deflated(window_bits: int, start: bytes) -> Iterator[bytes]:
    """`start`, and blanks. The second piece repeats: nothing in it refers to what was before."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, window_bits)
    yield compressor.compress(start) + compressor.flush(zlib.Z_FULL_FLUSH)
    yield compressor.compress(b" " * 16_000_000) + compressor.flush(zlib.Z_FULL_FLUSH)


def gzip_of_gzip() -> Iterator[bytes]:
    """Each kilobyte makes a gigabyte."""
    inner = b"".join(deflated(31, FOUND))
    yield from deflated_of(inner)


def deflated_of(data: bytes) -> Iterator[bytes]:
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    yield compressor.compress(data) + compressor.flush(zlib.Z_FULL_FLUSH)
    yield compressor.compress(data[-8_000:] * 100) + compressor.flush(zlib.Z_FULL_FLUSH)


def zstandard() -> Iterator[bytes]:
    """A frame with a window of 8 MB, of blocks that repeat one byte 131,072 times."""
    block = ((131_071 << 3) | (1 << 1)).to_bytes(3, "little") + b" "
    yield b"\x28\xb5\x2f\xfd" + b"\x00" + bytes([(13 << 3)])
    yield block * 1_000


def brotli() -> Iterator[bytes]:
    """Blanks, of which a few bytes make 20 MB. Then the same bytes again, which are no longer valid."""
    library = ctypes.util.find_library("brotlienc")
    if library is None:
        yield from (b"", b" ")
        return
    encoder = ctypes.CDLL(library)
    blanks = b" " * 20_000_000
    size = ctypes.c_size_t(1_000_000)
    packed = ctypes.create_string_buffer(size.value)
    encoder.BrotliEncoderCompress.argtypes = [ctypes.c_int] * 3 + [ctypes.c_size_t] + [ctypes.c_void_p] * 3
    encoder.BrotliEncoderCompress(5, 22, 0, len(blanks), blanks, ctypes.addressof(size), packed)
    yield packed.raw[: size.value]
    yield packed.raw[: size.value]


bombing("bomb_gzip", b"gzip", lambda: deflated(31, FOUND), short=True)
bombing("bomb_deflate", b"deflate", lambda: deflated(15, FOUND))
bombing("bomb_gzip_of_gzip", b"gzip, gzip", gzip_of_gzip)
bombing("bomb_zstd", b"zstd", zstandard)
bombing("bomb_brotli", b"br", brotli, short=True)


@hostile("bomb", short=True)
def empty_gzip_blocks(peer: Peer) -> None:
    """Compressed blocks that make nothing, without end: no byte of them counts for max_reply_bytes."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    start = compressor.compress(b"") + compressor.flush(zlib.Z_FULL_FLUSH)
    request = read_call(peer)
    peer.send(head(request, b"Content-Encoding: gzip") + start)
    # A stored block of length 0.
    flood(peer, b"\x00\x00\x00\xff\xff")


@hostile("size", short=True)
def many_encodings(peer: Peer) -> None:
    """A chain of a thousand decoders."""
    while True:
        request = read_call(peer)
        content = body(request)
        lines = [b"Content-Encoding: " + b", ".join([b"gzip"] * 1_000), b"Content-Length: %d" % len(content)]
        peer.send(head(request, *lines) + content)


@hostile("length", short=True)
def wrong_encoding(peer: Peer) -> None:
    """Says gzip, and is not."""
    while True:
        request = read_call(peer)
        content = body(request)
        peer.send(head(request, b"Content-Encoding: gzip", b"Content-Length: %d" % len(content)) + content)


@hostile("size", short=True)
def deep_json(peer: Peer) -> None:
    """A body of a megabyte that opens arrays."""
    while True:
        request = read_call(peer)
        content = b'{"availabilities":' + b"[" * 1_000_000
        LINK.take(len(content))
        peer.send(head(request, b"Content-Length: %d" % len(content)) + content)


@hostile("bomb", short=True)
def reply_of_1_mb(peer: Peer) -> None:
    """A body just below max_reply_bytes that begins like a reply. Each costs a scan."""
    while True:
        request = read_call(peer)
        content = b'{"availabilities":[' + b'{"a":1},' * 130_000
        LINK.take(len(content))
        peer.send(head(request, b"Content-Length: %d" % len(content)) + content)
