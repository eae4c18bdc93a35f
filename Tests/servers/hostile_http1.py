"""Hostile platforms over HTTP/1.1: floods, drips and unasked replies."""

from __future__ import annotations

from fault_server import Peer, http_reply
from hostile_server import (
    BOOKED,
    BROKEN,
    FOUND,
    POLITE,
    RIGHT,
    TAKEN,
    WHOLE,
    add,
    drip,
    flood,
    hostile,
    read_call,
    right_body,
    right_reply,
)

CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
"""A body without a length: it ends with the connection."""
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
"""Without the empty line that ends it."""


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


ALMOST = CHUNKED + chunk(FOUND) + b"0\r\n"
"""A whole reply, except that trailers may follow."""


def flooding(
    name: str, start: bytes, unit: bytes, over: str = "http", reply: str = BROKEN, short: bool = False
) -> None:
    """A reply that begins like `start` and goes on with the unit without end."""

    def script(peer: Peer) -> None:
        read_call(peer)
        peer.send(start)
        flood(peer, unit)

    add(name, "flood", script, over, reply, short)


# Floods

flooding("endless_trailers", ALMOST, b"X-Trailer: 0123456789\r\n", short=True, reply=WHOLE)
flooding("endless_trailers_tls", ALMOST, b"X-Trailer: 0123456789\r\n", over="tls", reply=WHOLE)
flooding("tiny_trailers", ALMOST, b"a:\r\n", short=True, reply=WHOLE)
flooding("folded_trailers", ALMOST + b"a: b\r\n", b" c\r\n", short=True, reply=WHOLE)
flooding("endless_trailer_line", ALMOST + b"X-Trailer: ", b"0123456789abcdef", reply=WHOLE)
flooding("endless_status_line", b"HTTP/1.1 200 ", b"0123456789abcdef", short=True)
flooding("endless_header_line", HEAD + b"X-Header: ", b"0123456789abcdef")
flooding("endless_headers", HEAD, b"X-Header: 0123456789\r\n")
flooding("tiny_headers", HEAD, b"a:\r\n", short=True)
flooding("folded_headers", HEAD + b"X-Header: 1\r\n", b" 2\r\n", short=True)
flooding("endless_interim", b"", b"HTTP/1.1 100 Continue\r\n\r\n")
flooding("endless_early_hints", b"", b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
flooding("endless_chunk_extension", CHUNKED + b"1;", b"0123456789abcdef")
flooding("endless_chunk_size", CHUNKED, b"0000000000000000")
flooding("endless_tiny_chunks", CHUNKED, b"1\r\n \r\n", short=True)
flooding("endless_body", ENDLESS, b" " * 4_096)
flooding("endless_body_tls", ENDLESS, b" " * 4_096, over="tls", short=True)
flooding("empty_lines", b"", b"\r\n")
flooding("null_bytes", b"", b"\0" * 4_096)


@hostile("flood")
def flood_at_once(peer: Peer) -> None:
    """Floods as soon as the connection is there, also a warm-up."""
    flood(peer, HEAD + b"a:\r\n" * 1_000)


@hostile("flood", over="tls")
def flood_warm_up_tls(peer: Peer) -> None:
    """The warm-up's reply is a head without end."""
    peer.read_request()
    peer.send(HEAD)
    flood(peer, b"X-Header: 0123456789\r\n")


@hostile("flood", reply=WHOLE, refuses=True)
def endless_unasked_replies(peer: Peer) -> None:
    """The right reply, and refusals without end. The first may come after the next request, and is then its reply."""
    peer.send(right_reply(read_call(peer)))
    flood(peer, http_reply(409, TAKEN))


# Drips


def dripping(name: str, start: bytes, rest: bytes, reply: str = BROKEN, short: bool = False) -> None:
    def script(peer: Peer) -> None:
        read_call(peer)
        peer.send(start)
        drip(peer, rest)

    add(name, "drip", script, reply=reply, short=short)


dripping("drip_status_line", b"", b"HTTP/1.1 200 " + b"a" * 1_000, short=True)
dripping("drip_headers", HEAD, b"a:\r\n" * 1_000, short=True)
dripping("drip_body", ENDLESS, FOUND + b" " * 1_000, short=True)
dripping("drip_known_length", HEAD + b"Content-Length: 1000\r\n\r\n", FOUND + b" " * 1_000)
dripping("drip_chunks", CHUNKED, b"1\r\n \r\n" * 1_000, short=True)
dripping("drip_trailers", ALMOST, b"a:\r\n" * 1_000, reply=WHOLE, short=True)


@hostile("drip", short=True)
def drip_interim(peer: Peer) -> None:
    """An interim reply each second."""
    read_call(peer)
    while True:
        peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        peer.pause(1)


@hostile("drip", short=True)
def silence(peer: Peer) -> None:
    """Reads nothing and says nothing."""
    peer.pause(60)


# What was not asked for


def warm_up(name: str, reply: bytes, late: bytes = b"") -> None:
    """Answers the warm-up's request, HEAD, like this. All other requests get the right reply, after what is `late`."""

    def script(peer: Peer) -> None:
        rest = b""
        while True:
            request = peer.read_request()
            is_warm_up = request.method != "POST"
            peer.send(rest + (reply if is_warm_up else right_reply(request)))
            rest = late if is_warm_up else b""

    add(name, "other", script, reply=RIGHT, short=True)


warm_up("warm_up_body", http_reply(200, FOUND))
warm_up("warm_up_refusal", http_reply(200, http_reply(409, TAKEN)))
warm_up("warm_up_chunked", CHUNKED + chunk(http_reply(409, TAKEN)) + b"0\r\n\r\n")
warm_up("warm_up_endless_body", ENDLESS + http_reply(409, TAKEN))
warm_up("warm_up_twice", POLITE + http_reply(409, TAKEN))
# A server that writes a body only when it writes the next reply.
warm_up("warm_up_late_body", HEAD + b"Content-Length: %d\r\n\r\n" % len(FOUND), FOUND)


@hostile("other", reply=WHOLE, short=True, refuses=True)
def warm_up_late_refusal(peer: Peer) -> None:
    """The warm-up's reply is followed by a refusal, some time later. It is the reply to what was sent in that time."""
    while True:
        request = peer.read_request()
        if request.method != "POST":
            peer.send(POLITE)
            peer.pause(0.05)
            peer.send(http_reply(409, TAKEN))
        else:
            peer.send(right_reply(request))


@hostile("other", reply=RIGHT, short=True)
def unasked_refusal(peer: Peer) -> None:
    """Each right reply is followed by a refusal that nobody asked for."""
    while True:
        peer.send(right_reply(read_call(peer)) + http_reply(409, TAKEN))


@hostile("other", reply=WHOLE, short=True, refuses=True)
def unasked_late_refusal(peer: Peer) -> None:
    """The same, while the connection is idle. A client that sends in that moment gets the refusal as its reply."""
    while True:
        peer.send(right_reply(read_call(peer)))
        peer.pause(0.005)
        peer.send(http_reply(409, TAKEN))


@hostile("other", reply=WHOLE)
def unasked_at_connect(peer: Peer) -> None:
    """A reply that is there before the request, as of a server that found the connection idle for too long."""
    peer.send(http_reply(408, b""))
    while True:
        peer.send(right_reply(read_call(peer)))


@hostile("other", reply=RIGHT, short=True)
def thousand_interim(peer: Peer) -> None:
    """A thousand interim replies, then the right one."""
    while True:
        request = read_call(peer)
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000 + right_reply(request))


def answering(name: str, head: bytes, short: bool = True, refuses: bool = False) -> None:
    """Answers every call with this head and the right body. No call may succeed."""

    def script(peer: Peer) -> None:
        while True:
            _, body = right_body(read_call(peer).path)
            peer.send(b"%s\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body))

    add(name, "other", script, short=short, refuses=refuses)


# 303 is the reply to a POST that has been processed, and browsers take 301 and 302 for the same (RFC 9110, 15.4.4).
for _status in (301, 302, 303, 307, 308):
    _line = b"HTTP/1.1 %d Moved\r\nLocation: /elsewhere/bookings" % _status
    answering(f"redirect_{_status}", _line, short=_status in (303, 307), refuses=_status > 303)
answering("redirect_inside", b"HTTP/1.1 307 Moved\r\nLocation: http://169.254.169.254/latest/meta-data", refuses=True)
answering("redirect_file", b"HTTP/1.1 308 Moved\r\nLocation: file:///etc/passwd", refuses=True)
answering("switching_protocols", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade")
_line = b"HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM"
answering("asks_for_credentials", _line, refuses=True)
answering("status_000", b"HTTP/1.1 000 None")
answering("status_999", b"HTTP/1.1 999 All")
answering("http_9", b"HTTP/9.9 200 OK")


@hostile("other", short=True)
def other_protocol(peer: Peer) -> None:
    read_call(peer)
    peer.send(b"SSH-2.0-OpenSSH_9.2\r\n")
    peer.pause(60)


@hostile("other", short=True)
def bare_body(peer: Peer) -> None:
    """HTTP/0.9."""
    read_call(peer)
    peer.send(BOOKED)
