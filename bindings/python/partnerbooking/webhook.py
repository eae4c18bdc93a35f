"""Signatures of webhook requests, for platforms. docs/platform-webhook.md has both sides."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from enum import IntEnum
from typing import Union

from . import _bindings

Secrets = Union[str, bytes, Sequence[Union[str, bytes]]]
Body = Union[bytes, bytearray, memoryview]


class Verdict(IntEnum):
    """Why a request was refused."""

    SIGNATURE_MISSING = 2
    SIGNATURE_MALFORMED = 3
    SIGNATURE_MISMATCH = 4
    TIMESTAMP_TOO_OLD = 5
    TIMESTAMP_IN_FUTURE = 6


class InvalidSignature(Exception):
    """The request is not genuine, or not recent: answer 401."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        """As `pbk_webhook_verify` gives it."""

    @property
    def verdict(self) -> Verdict | None:
        """None for one that only a newer library knows."""
        return Verdict(self.number) if self.number in Verdict.__members__.values() else None

    def __str__(self) -> str:
        text: bytes = _bindings.pbk_webhook_verdict_text(self.number)
        return text.decode()

    def __repr__(self) -> str:
        verdict = self.verdict
        return f"InvalidSignature({self.number if verdict is None else verdict.name}: {self})"


def verify(
    secrets: Secrets, signature_header: str | bytes | None, body: Body, now: int = 0, tolerance_seconds: int = 0
) -> None:
    """Returns when the request comes from somebody who has one of the secrets, is whole, and is recent; raises
    `InvalidSignature` otherwise, so that a result nobody looked at cannot let a forgery in.

    `body` is the body as it arrived, before anything parses it: `bytes`, a `bytearray` or a `memoryview`. `now` is in
    seconds since 1970, 0 for the system's clock; a `tolerance_seconds` of 0 is 300, as the protocol has it.
    """
    text = _bytes(body)
    given = [secrets] if isinstance(secrets, (str, bytes)) else list(secrets)
    encoded = [_bindings.plain("secrets", secret) for secret in given]
    array = (ctypes.c_char_p * len(encoded))(*encoded)
    # It comes from outside, where anybody may write anything: whatever is odd about it is a refusal, and no ValueError.
    header = None if signature_header is None else _bindings.encode(signature_header)
    number: int = _bindings.pbk_webhook_verify(array, len(encoded), header, text, len(text), now, tolerance_seconds)
    if number == _INVALID_ARGUMENT:
        raise ValueError("needs 1 to 16 secrets, none of them empty, and times that are not negative")
    if number != _VALID:
        raise InvalidSignature(number)


def sign(secret: str | bytes, body: Body, timestamp: int = 0) -> str:
    """The header `X-DialStack-Signature` for a body, for the tests of platforms. `timestamp` is in seconds since 1970,
    0 for the system's clock."""
    text = _bytes(body)
    header = _bindings.pbk_webhook_sign(_bindings.plain("secret", secret), text, len(text), timestamp)
    if header is None:
        raise ValueError("needs a secret that is not empty, and a time of at most 15 digits")
    return _bindings.take(header).decode()


_VALID, _INVALID_ARGUMENT = 0, 1


def _bytes(body: Body) -> bytes:
    """The body in one piece. ctypes takes no other buffer, and would take a str for wide letters."""
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(f"the body is bytes, bytearray or memoryview, as it arrived: not {type(body).__name__}")
    return bytes(body)
