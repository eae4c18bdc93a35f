"""Reads include/partnerbooking.h, the one source of statuses, other values, functions and the version.

Everything else either comes from here or is compared with it by test_one_source.py.
"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEADER = (ROOT / "include" / "partnerbooking.h").read_text()


def enumerations(header: str) -> dict[str, dict[str, int]]:
    """Returns each enumeration's values by their names."""
    return {
        enumeration: {name: int(value) for name, value in re.findall(r"^ {4}(PBK_\w+) = (\d+)", body, re.MULTILINE)}
        for enumeration, body in re.findall(r"^typedef enum (\w+) {\n(.*?)^}", header, re.MULTILINE | re.DOTALL)
    }


def _values(enumeration: str, prefix: str) -> dict[str, int]:
    """Returns the values of one enumeration by their names without the prefix."""
    return {name.removeprefix(prefix): value for name, value in enumerations(HEADER)[enumeration].items()}


STATUS = _values("pbk_status", "PBK_")
EVENT = _values("pbk_event", "PBK_EVENT_")
OPERATION = _values("pbk_operation", "PBK_")
OUTCOME = _values("pbk_outcome", "PBK_OUTCOME_")
VERDICT = _values("pbk_webhook_verdict", "PBK_WEBHOOK_")

FIRST_SERVICE_STATUS = 80
"""From here on the service answered, and code and message are its own."""

VERSION = re.search(r'#define PBK_VERSION "(.+)"', HEADER)[1]


def _functions() -> dict[str, tuple[str, list[str]]]:
    found = re.findall(r"^PBK_API ([^;]*?)(pbk_\w+)\(([^;]*)\);", HEADER, re.MULTILINE)
    assert len(found) == len(re.findall(r"^PBK_API ", HEADER, re.MULTILINE))
    return {
        name: (returned.strip(), [re.fullmatch(r"\s*(.*?)\w*", one)[1].strip() for one in arguments.split(",")])
        if arguments != "void"
        else (returned.strip(), [])
        for returned, name, arguments in found
    }


FUNCTIONS = _functions()
"""The type that each function returns, and the types of its arguments."""
