"""A process of a campaign that may be killed: its orders come as one line, and it writes what happens to a file."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

Write = Callable[[dict[str, Any]], None]


def run(work: Callable[[str, Write], None]) -> None:
    """Gives `work` the line from standard input, and ends with it, or with standard input."""
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    orders = sys.stdin.readline()
    threading.Thread(target=_end_with_input, daemon=True).start()
    work(orders, lambda event: _write(file, event))
    os._exit(0)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(1)


def _write(file: int, event: dict[str, Any]) -> None:
    line = (json.dumps(event) + "\n").encode()
    written = os.write(file, line)
    assert written == len(line), "an event was not written whole"
