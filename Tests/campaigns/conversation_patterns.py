"""What a text for a model may not contain: times, keys and numbers that are for machines. Needs nothing else."""

from __future__ import annotations

import re

TOKEN = re.compile(r"\b(mon|tue|wed|thu|fri|sat|sun)\d{2}-\d{4}[a-z]\b")
ISO = re.compile(r"\d{4}-\d\d|\dT\d|\d{1,2}:\d\d")
KEY = re.compile(r"\d{5,}|\b(?=[0-9a-f-]*\d)[0-9a-f-]{12,}\b", re.IGNORECASE)
PHONE = re.compile(r"\+\d|\(\d{3}\)|\d{3}[ .-]\d{3}|\d[\d ().-]{5,}\d")


def for_machines(text: str) -> tuple[str, str] | None:
    """The first such thing, and its kind. The names of slots are for the model."""
    bare = TOKEN.sub("", text)
    for kind, pattern in (("iso_time", ISO), ("key_like", KEY), ("phone_number", PHONE)):
        if (found := pattern.search(bare)) is not None:
            return kind, found[0]
    return None
