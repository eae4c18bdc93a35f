"""Hostile platforms below HTTP: handshakes that drip or flood, and ends without an alert."""

from __future__ import annotations

from fault_server import Peer
from hostile_server import FOUND, drip, flood, hostile, read_call, right_body

HANDSHAKE_RECORD = b"\x16\x03\x03"


@hostile("drip", over="raw", short=True)
def handshake_drip(peer: Peer) -> None:
    """A handshake record of 16 KB, a byte a second."""
    drip(peer, HANDSHAKE_RECORD + b"\x40\x00" + b"\x02\x00\x3f\xfc\x03\x03" + b"\0" * 16_384)


@hostile("drip", over="raw", short=True)
def handshake_silence(peer: Peer) -> None:
    peer.pause(60)


@hostile("flood", over="raw")
def handshake_garbage(peer: Peer) -> None:
    flood(peer, b"\xff" * 1_000)


@hostile("flood", over="raw")
def handshake_cipher_changes(peer: Peer) -> None:
    """Records that TLS 1.3 lets a client ignore (RFC 8446, 5)."""
    flood(peer, b"\x14\x03\x03\x00\x01\x01")


@hostile("flood", over="raw")
def handshake_warnings(peer: Peer) -> None:
    """Alerts that end nothing: unrecognized_name as a warning."""
    flood(peer, b"\x15\x03\x03\x00\x02\x01\x70")


@hostile("flood", over="raw")
def handshake_empty_records(peer: Peer) -> None:
    flood(peer, HANDSHAKE_RECORD + b"\x00\x00")


@hostile("flood", over="raw")
def handshake_huge_message(peer: Peer) -> None:
    """A ServerHello of 16 MB."""
    peer.send(HANDSHAKE_RECORD + b"\x00\x04" + b"\x02\xff\xff\xff")
    flood(peer, HANDSHAKE_RECORD + b"\x40\x00" + b"\0" * 16_384)


@hostile("cut", over="tls", short=True)
def tls_end_without_alert(peer: Peer) -> None:
    """A body without a length, cut. The end of a TLS connection is an alert, which does not come."""
    _, body = right_body(read_call(peer).path)
    peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body[:-10])
    peer.close()


@hostile("cut", over="tls")
def tls_cut_before_last_byte(peer: Peer) -> None:
    read_call(peer)
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(FOUND), FOUND[:-1]))
    peer.close()


@hostile("other", over="raw")
def tls_plain_http(peer: Peer) -> None:
    """Speaks HTTP without TLS on a port that should have it."""
    peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    peer.close()
