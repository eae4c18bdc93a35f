"""Where the Python package is, for tests that use it as its users do. Import this before it."""

from __future__ import annotations

import asyncio
import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from header import ROOT
from pbk import LIBRARY
from samples import BOT_ID, NAME, ONCE, PHONE, SANDBOX
from waiting import SOON

PACKAGE = ROOT / "bindings" / "python"
EXAMPLES = PACKAGE / "examples"

sys.path.insert(0, str(PACKAGE))
os.environ["PARTNERBOOKING_LIBRARY"] = str(LIBRARY)

import partnerbooking as pb  # noqa: E402
from partnerbooking import _bindings, _cli, _library, configuration, errors  # noqa: E402

__all__ = ["EXAMPLES", "Ended", "PACKAGE", "Run", "pb"]
__all__ += ["SHORT", "booking", "doubt", "doubtful", "is_closed", "run", "run_program", "search", "slow_sandbox"]
__all__ += ["_bindings", "_cli", "_library", "configuration", "errors"]  # for what users do not see


Ended = tuple[int, str, str]
"""An exit code and what was printed."""
Run = Callable[..., Ended]

SHORT = pb.CallOptions(timeout_ms=500)
"""A booking in doubt ends before the library asks again, which it does after one second."""


def search(bot_id: str = BOT_ID, **options: object) -> pb.SearchAvailabilityRequest:
    return pb.SearchAvailabilityRequest(
        bot_id, "2030-01-14T09:00:00Z", "2030-01-14T17:00:00Z", pb.CallOptions(**options)
    )


def booking(bot_id: str = BOT_ID, key: str | None = None, **members: object) -> pb.CreateBookingRequest:
    """Under a key of its own unless one is given."""
    customer = pb.Customer(PHONE, NAME, "johanna@example.com")
    start = {"start_at": "2030-01-14T10:00:00Z", "duration_minutes": 30, **members}
    return pb.CreateBookingRequest(bot_id, customer=customer, idempotency_key=key or pb.random_key(), **start)


def doubtful(*lost: int) -> dict[str, Any]:
    """A sandbox that loses the replies to these requests, and to the first when none is named."""
    faults = [{"fault": "lose_reply", "calls": list(lost or (1,))}]
    return {**SANDBOX, "sandbox": {**SANDBOX["sandbox"], "capacity": 64, "faults": faults}, "retry": ONCE}


def doubt(key: str = "key-7", tag: str | None = "call-7") -> pb.CreateBookingRequest:
    """A booking whose call ends before the library asks again."""
    return booking(key=key, options=pb.CallOptions(timeout_ms=SHORT.timeout_ms, tag=tag))


def is_closed(handle: int) -> bool:
    status = ctypes.c_int()
    _bindings.take(_bindings.pbk_pending_bookings(handle, ctypes.byref(status)))
    return status.value == _bindings.CLIENT_CLOSED


def run(main: Any) -> Any:
    """Runs a coroutine to its end. What the loop complains of, which nobody awaits, fails a test as well."""
    complaints: list[dict[str, Any]] = []

    async def watched() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        return await asyncio.wait_for(main, SOON)

    result = asyncio.run(watched())
    assert complaints == []
    return result


def slow_sandbox(milliseconds: int) -> dict[str, Any]:
    return {"endpoint": "sandbox", "sandbox": {**SANDBOX["sandbox"], "latency_ms": milliseconds}}


def run_program(
    program: str | Path, *arguments: object, options: tuple[str, ...] = (), **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs Python in a fresh process that finds the package. A text is a program, a path a file with one."""
    source = ["-c", program] if isinstance(program, str) else [str(program)]
    return subprocess.run(
        [sys.executable, *options, *source, *(str(word) for word in arguments)],
        env={**os.environ, "PYTHONPATH": str(PACKAGE), **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
