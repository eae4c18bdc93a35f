"""Where the Python package is, for tests that use it as its users do. Import this before it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from pbk import LIBRARY, ROOT
from samples import BOT_ID, NAME, PHONE

PACKAGE = ROOT / "bindings" / "python"
EXAMPLES = PACKAGE / "examples"

sys.path.insert(0, str(PACKAGE))
os.environ["PARTNERBOOKING_LIBRARY"] = str(LIBRARY)

import partnerbooking as pb  # noqa: E402
from partnerbooking import _bindings, _cli, _library, configuration, errors  # noqa: E402

__all__ = ["EXAMPLES", "PACKAGE", "booking", "pb", "run_program", "search"]
__all__ += ["_bindings", "_cli", "_library", "configuration", "errors"]  # for what users do not see


def search(bot_id: str = BOT_ID, **options: object) -> pb.SearchAvailabilityRequest:
    return pb.SearchAvailabilityRequest(
        bot_id, "2030-01-14T09:00:00Z", "2030-01-14T17:00:00Z", pb.CallOptions(**options)
    )


def booking(bot_id: str = BOT_ID, key: str | None = None, **members: object) -> pb.CreateBookingRequest:
    """Under a key of its own unless one is given."""
    customer = pb.Customer(PHONE, NAME, "johanna@example.com")
    start = {"start_at": "2030-01-14T10:00:00Z", "duration_minutes": 30, **members}
    return pb.CreateBookingRequest(bot_id, customer=customer, idempotency_key=key or pb.random_key(), **start)


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
