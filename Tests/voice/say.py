#!/usr/bin/env python3
"""Compares the library's words with say_rules.py: say.py PROGRAM.

PROGRAM is build/voice/say. Says each minute of 2028, a leap year, in each locale, as people say it in three zones and
at three times. Prints counts. Exits with 1 if words differ, or if a character is none that a speech synthesiser reads
well.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import say_rules as rules

# A minute of 2028 is said in each of these. The offsets of Lord Howe change by half an hour.
PLACES = [
    ("America/New_York", datetime(2028, 6, 15, 13, tzinfo=timezone.utc)),
    ("Australia/Lord_Howe", datetime(2028, 1, 1, tzinfo=timezone.utc)),
    ("Europe/Paris", datetime(2027, 12, 30, 22, 30, tzinfo=timezone.utc)),
]
FIRST = int(datetime(2028, 1, 1, tzinfo=timezone.utc).timestamp()) // 60
COUNT = 366 * 1_440
WELL_MADE = re.compile(r"[^\W\d_]+(?:(?:, |[ '-])[^\W\d_]+)*")


def spoken(program: str, place: str, locale: str, now: datetime) -> list[str]:
    question = "\t".join((place, locale, str(FIRST), str(FIRST + COUNT - 1), str(int(now.timestamp()))))
    done = subprocess.run([program, "--minutes"], input=question + "\n", capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def compare(program: str, place: str, locale: str, now: datetime) -> tuple[int, int]:
    """Returns the numbers of differences and of words that are not well made."""
    zone = ZoneInfo(place)
    local_now = now.astimezone(zone)
    answers = spoken(program, place, locale, now)
    assert len(answers) == COUNT, f"{len(answers)} answers"
    different = odd = 0
    for minute, answer in enumerate(answers, FIRST):
        wanted = rules.say(datetime.fromtimestamp(minute * 60, zone), local_now, locale)
        if answer != wanted:
            different += 1
            if different <= 5:
                print(f"  {answer!r} is not {wanted!r}")
        if not WELL_MADE.fullmatch(answer):
            odd += 1
    return different, odd


def main() -> int:
    program = sys.argv[1]
    failures = 0
    for locale in rules.LOCALES:
        for place, now in PLACES:
            different, odd = compare(program, place, locale, now)
            print(f"{locale} in {place}: {COUNT} minutes, {different} differences, {odd} not well made")
            failures += different + odd
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
