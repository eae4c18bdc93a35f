"""Prints the output of the command line. The other modules print only through this module.

A terminal may lack characters of a platform's text, and a reader may stop early (`| head`). Neither
changes the result of the call, so neither changes the exit code.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import sys
from typing import TextIO

_LOG_LINE = 4000
"""The most bytes of a line of a log. A pipe that is ready for writing has room for them."""


class CannotPrint(Exception):
    """The output is incomplete, for example because the disk is full. A reader may take it for the
    whole output."""


def out(text: str | bytes) -> None:
    """Prints a line. Bytes are a reply, and stay unchanged in any encoding of the terminal."""
    if sys.stdout is not None:  # None if it was closed before Python started: `>&-`
        _write(sys.stdout, text if isinstance(text, bytes) else text.encode(sys.stdout.encoding, "replace"))


def err(text: str) -> None:
    """Prints a line for people. Escapes characters that the terminal lacks: a key in the line must
    stay exact."""
    if sys.stderr is not None:
        with contextlib.suppress(CannotPrint):
            _write(sys.stderr, text.encode(sys.stderr.encoding, "backslashreplace"))


def log(text: str) -> None:
    """Prints a line of a server's log. Drops the line when nobody reads the log and its pipe is
    full, so that the server goes on."""
    if sys.stderr is not None:
        line = text.encode("ascii", "backslashreplace")[:_LOG_LINE]
        with contextlib.suppress(CannotPrint, ValueError):
            poll = select.poll()
            poll.register(sys.stderr.fileno(), select.POLLOUT)
            if poll.poll(0):
                _write(sys.stderr, line)


def take_logs() -> None:
    """Directs the package's logger to the log of a server."""
    logger = logging.getLogger("partnerbooking")
    logger.handlers = [_Handler()]
    logger.propagate = False


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # Only the type of the exception. Its text may name the caller.
        kind = record.exc_info[0] if record.exc_info else None
        log(f"partnerbooking: {record.getMessage()}{f': {kind.__name__}' if kind else ''}")


def _write(stream: TextIO, line: bytes) -> None:
    try:
        stream.buffer.write(line + b"\n")
        stream.buffer.flush()
    except OSError as error:
        # Discards the buffer and all later output. Else Python writes again at exit, and fails.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise CannotPrint(error.strerror) from None
