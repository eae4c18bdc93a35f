"""Signatures of webhook requests, for platforms. docs/platform-webhook.md describes both sides."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from enum import IntEnum
from typing import Union

from . import _bindings

Secrets = Union[str, bytes, Sequence[Union[str, bytes]]]
Body = Union[bytes, bytearray, memoryview]


class Verdict(IntEnum):
    """The reason why a request was refused."""

    SIGNATURE_MISSING = 2
    SIGNATURE_MALFORMED = 3
    SIGNATURE_MISMATCH = 4
    TIMESTAMP_TOO_OLD = 5
    TIMESTAMP_IN_FUTURE = 6


class InvalidSignature(Exception):
    """The request is not genuine or not recent. Answer with HTTP 401."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        """The verdict that `pbk_webhook_verify` returned."""

    @property
    def verdict(self) -> Verdict | None:
        """The verdict. None for a number that only a newer library knows."""
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
    """Verifies the signature of a request. Raises `InvalidSignature` if the request is refused.

    The request is accepted when it was signed with one of the secrets, is complete and is recent.
    A refusal is an exception, so that no caller can overlook it.

    `body` is the body as received, before any parsing: `bytes`, a `bytearray` or a `memoryview`.
    `now` is in seconds since 1970, and 0 means the system's clock. A `tolerance_seconds` of 0 means
    300, as in the protocol.
    """
    text = _bytes(body)
    given = [secrets] if isinstance(secrets, (str, bytes)) else list(secrets)
    encoded = [_bindings.plain("secrets", secret) for secret in given]
    array = (ctypes.c_char_p * len(encoded))(*encoded)
    # The header comes from outside. Whatever is wrong with it is a refusal, not a ValueError.
    header = None if signature_header is None else _bindings.encode(signature_header)
    number: int = _bindings.pbk_webhook_verify(array, len(encoded), header, text, len(text), now, tolerance_seconds)
    if number == _INVALID_ARGUMENT:
        raise ValueError("needs 1 to 16 secrets, none of them empty, and times that are not negative")
    if number != _VALID:
        raise InvalidSignature(number)


def sign(secret: str | bytes, body: Body, timestamp: int = 0) -> str:
    """Returns the header `X-DialStack-Signature` for a body, for the tests of platforms.

    `timestamp` is in seconds since 1970, and 0 means the system's clock.
    """
    text = _bytes(body)
    header = _bindings.pbk_webhook_sign(_bindings.plain("secret", secret), text, len(text), timestamp)
    if header is None:
        raise ValueError("needs a secret that is not empty, and a time of at most 15 digits")
    return _bindings.take(header).decode()


_VALID, _INVALID_ARGUMENT = 0, 1


def _bytes(body: Body) -> bytes:
    """Returns the body as `bytes`. ctypes accepts no other buffer, and would read a str as wide
    characters."""
    if not isinstance(body, (bytes, bytearray, memoryview)):
        raise TypeError(f"the body is bytes, bytearray or memoryview, as it arrived: not {type(body).__name__}")
    return bytes(body)
