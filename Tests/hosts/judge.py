"""Holds what a model has read against the books of the clinic."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import partnerbooking as pb
from clinic import ZONE, booked_in
from zoo_calendar import MARKS

sys.path.append(str(Path(__file__).resolve().parents[1] / "campaigns"))

from conversation_patterns import TOKEN, for_machines

MEMBERS = {
    *("find_appointment_slots", "book_appointment", "look_up_caller"),
    *("caller_confirmed", "when", "time", "service", "more", "slot", "name", "phone", "email", "notes", "another"),
}
"""Names that the model knows from its tools."""

PROGRAMS = re.compile(
    r"error occurred|internal error|traceback|exception|errno|partnerbooking|\b0x|\w+Error\b|\bNone\b|[{}<>\\=]|://",
    re.IGNORECASE,
)
"""What programs write."""

UNDERSCORED = re.compile(r"\w+_\w+")


@dataclass(frozen=True)
class Claims:
    """What a text says of the caller's appointments."""

    booked: tuple[str, ...] = ()
    """Sentences that say that there is one."""
    not_booked: tuple[str, ...] = ()
    """Sentences that say that there is none."""
    doubt: bool = False
    offers: bool = False
    """It has names of slots."""
    cannot: bool = False
    """The calendar cannot be reached."""

    def has(self, what: str) -> bool:
        return bool(getattr(self, what))


def claims_of(text: str) -> Claims:
    booked, not_booked, doubt = [], [], False
    for sentence in sentences_of(text):
        plain = sentence.lower()
        if re.search(r"\bnot (?:be )?(?:confirmed|known)\b|\bwhether\b|\bneither\b|\bdo not say\b", plain):
            doubt = True
        elif re.search(r"\belse\b|\bdo not book\b|\bif\b", plain):
            continue
        elif re.search(r"\b(?:nothing|not|never|no) (?:\w+ )?(?:booked|made)\b", plain):
            not_booked.append(sentence)
        elif re.search(r"\b(?:booked|requested|reserved|scheduled|confirmed)\b|\bha(?:s|ve) an appointment\b", plain):
            booked.append(sentence)
    return Claims(
        tuple(booked),
        tuple(not_booked),
        doubt,
        TOKEN.search(text) is not None,
        re.search(r"\b(?:cannot|could not|can't) be reached\b", text) is not None,
    )


def sentences_of(text: str) -> list[str]:
    return [each.strip() for each in re.split(r"(?<=[.!?])\s+", text) if each.strip()]


def offers_of(text: str) -> list[str]:
    """The names of slots in a text, in its order."""
    return [found[0] for found in TOKEN.finditer(text)]


def words_of(start_at: str) -> list[str]:
    """How the library says a time, today and a minute ago."""
    now = datetime.now(timezone.utc)
    return [pb.voice.say(start_at, time_zone=ZONE, now=each) for each in (now, now - timedelta(minutes=1))]


def faults_of_text(text: Any, keys: Iterable[str]) -> Iterator[str]:
    """Why a model could not act on it."""
    if not isinstance(text, str) or not text.strip():
        yield f"the model reads nothing: {text!r}"
        return
    last = sentences_of(text)[-1]
    if len(text.split()) < 3 or not text[0].isupper() or not last.endswith((".", "!", "?")):
        yield f"no sentence: {text!r}"
    if (found := PROGRAMS.search(text)) is not None:
        yield f"words of a program, {found[0]!r}: {text!r}"
    if names := set(UNDERSCORED.findall(text)) - MEMBERS:
        yield f"names of a program, {names}: {text!r}"
    if (machine := for_machines(text)) is not None:
        yield f"{machine[0]} {machine[1]!r}: {text!r}"
    if any(mark in text.lower() for mark in MARKS):
        yield f"text of a third party: {text!r}"
    if any(key in text for key in keys):
        yield f"a key: {text!r}"


def faults_of_claims(text: str, books: dict[str, Any], bookings: int = 1) -> Iterator[str]:
    """What is not true by these books, which are not older than the text.

    `Nothing is booked` is about the caller's wish: it is untrue as long as the caller has any appointment, unless it
    names the time of another one. `Nothing is booked by this call` says nothing of the other calls, so it is untrue
    only as long as there was one call. `bookings` is the number of calls that were to book.
    """
    standing = booked_in(books)
    words = {said.lower(): each for each in standing for said in words_of(each["start_at"])}
    claims = claims_of(text)
    for sentence in claims.booked:
        if not (any(said in sentence.lower() for said in words) if _names_day(sentence) else standing):
            yield f"says that something is booked which is not: {sentence!r}; booked: {sorted(words)}"
    for sentence in claims.not_booked:
        if "by this call" in sentence and bookings > 1:
            continue
        if any(said in sentence.lower() for said in words) if _names_day(sentence) else standing:
            yield f"says that something is not booked which is: {sentence!r}; booked: {sorted(words)}"


def _names_day(sentence: str) -> bool:
    return re.search(r"\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b", sentence.lower()) is not None
