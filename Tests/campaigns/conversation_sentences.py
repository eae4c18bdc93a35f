"""The sentences of an answer, for the judge of `conversation.py`: what none of them may contain."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from conversation_engine import pure
from conversation_patterns import for_machines
from conversation_platforms import Plan
from zoo_calendar import MARKS

FIND_BYTES = 600


def faults(tool: str, reply: dict[str, Any], keys: set[str]) -> Iterator[tuple[str, str]]:
    """Each with its kind."""
    text, say = reply["text"], reply.get("say") or ""
    if not isinstance(say, str):
        yield "not_a_result", f"say is {say!r}"
        return
    if re.search(r"\d", say):
        yield "digit_said", say
    if (machine := for_machines(text)) is not None:
        yield f"text_{machine[0]}", f"{machine[1]!r} in {text!r}"
    for sentence in (text, say):
        if any(mark in sentence.lower() for mark in MARKS):
            yield "third_party_text", sentence
        if any(key in sentence for key in keys):
            yield "text_key", sentence
    if tool == "find_appointment_slots" and len(text.encode()) > FIND_BYTES:
        yield "long_find", f"{len(text.encode())} bytes: {text}"


def says_time(sentence: str, start_at: str, plan: Plan, now: float) -> bool:
    """Whether it has the time in the library's own words, of today or of yesterday."""
    words = (_words(start_at, plan.zone, plan.locale, round(each)) for each in (now, now - 60))
    return any(each.lower() in sentence.lower() for each in words)


@functools.lru_cache(50_000)
def _words(start_at: str, zone: str, locale: str, now: int) -> str:
    moment = datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    request = {"start_at": start_at, "time_zone": zone, "locale": locale, "now": moment}
    return str(pure("pbk_say", request).get("say", "without words"))
