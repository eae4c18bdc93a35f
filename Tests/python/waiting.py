"""How long tests wait, and how they wait for what must come."""

from __future__ import annotations

import select
import time
from collections.abc import Callable

SOON = 20.0
"""Seconds within which everything here is over, on a machine that is busy with other things too."""

SOON_MS = int(SOON * 1000)

GRACE = 0.3
"""Seconds after which what a server has sent has been read, and what was not done by then is not going to be done."""

MOST_PAUSE = 1.3
"""Seconds. A booking in doubt is asked for again after 1 to 1.125."""

MINUTE = 60_000
"""Milliseconds: a limit that a test is not about."""

PATIENT = {"timeout_ms": MINUTE}


def wait_until(is_so: Callable[[], bool], seconds: float = SOON) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def is_readable(descriptor: int) -> bool:
    return wait_until_readable(descriptor, 0)


def wait_until_readable(descriptor: int, seconds: float = SOON) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    found = poll.poll(seconds * 1000)
    assert found in ([], [(descriptor, select.POLLIN)]), found
    return bool(found)
