"""What the command line prints, and the one place that does it.

A terminal may have no letter for what a platform said, and a reader may go before everything is said (`| head`).
Neither changes what became of the call, and so neither changes the exit code.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import sys
from typing import TextIO

_LOG_LINE = 4000
"""Bytes. A pipe that takes any has room for so many."""


class CannotPrint(Exception):
    """The disk is full, for example. Who reads would take what is there for all of it."""


def out(text: str | bytes) -> None:
    """Prints a line. Bytes are a reply, and go as they are, whatever the terminal's encoding is."""
    if sys.stdout is not None:  # closed before Python began: `>&-`
        _write(sys.stdout, text if isinstance(text, bytes) else text.encode(sys.stdout.encoding, "replace"))


def err(text: str) -> None:
    """Prints a line for people. It may name a key, of which no letter must be replaced by another."""
    if sys.stderr is not None:
        with contextlib.suppress(CannotPrint):
            _write(sys.stderr, text.encode(sys.stderr.encoding, "backslashreplace"))


def log(text: str) -> None:
    """Prints a line of a server's log. Left out when nobody reads the log and a pipe is full: a server goes on."""
    if sys.stderr is not None:
        line = text.encode("ascii", "backslashreplace")[:_LOG_LINE]
        with contextlib.suppress(CannotPrint, ValueError):
            poll = select.poll()
            poll.register(sys.stderr.fileno(), select.POLLOUT)
            if poll.poll(0):
                _write(sys.stderr, line)


def take_logs() -> None:
    """Sends what the modules of the package log to the log of a server."""
    logger = logging.getLogger("partnerbooking")
    logger.handlers = [_Handler()]
    logger.propagate = False


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # The type of an exception, and not its words, which may name the caller.
        kind = record.exc_info[0] if record.exc_info else None
        log(f"partnerbooking: {record.getMessage()}{f': {kind.__name__}' if kind else ''}")


def _write(stream: TextIO, line: bytes) -> None:
    try:
        stream.buffer.write(line + b"\n")
        stream.buffer.flush()
    except OSError as error:
        # What is still in the buffer, and all that will be: else Python tries again at exit, and fails.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise CannotPrint(error.strerror) from None
