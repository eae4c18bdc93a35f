"""The words of pbk_say, a second time: slow and plain, with the numbers and names of oracle_words.txt."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

LOCALES = ("en-US", "en-GB", "es", "fr")
ORACLE: dict[tuple[str, str, int], str] = {}
for _line in (Path(__file__).parent / "oracle_words.txt").read_text().splitlines()[1:]:
    _locale, _kind, _number, _words = _line.split("\t")
    ORACLE[_locale, _kind, int(_number)] = _words

AGAIN = {
    "en-US": ", the second time that hour comes, after the clocks go back",
    "en-GB": ", the second time that hour comes, after the clocks go back",
    "es": ", la segunda vez que pasa esa hora, después del cambio de hora",
    "fr": ", la deuxième fois que cette heure passe, après le changement d'heure",
}


def english_part(locale: str, hour: int) -> str:
    part = ORACLE[locale, "part", hour * 60 + 1]
    return part.replace("the morning", "the early morning") if hour < 6 else part


def american_clock(time: datetime) -> str:
    hour, minute = time.hour, time.minute
    if minute == 0 and hour in (0, 12):
        return ORACLE["en-US", "part", hour * 60]
    words = ORACLE["en-US", "number", hour % 12 or 12]
    if minute:
        words += " oh " if minute < 10 else " "
        words += ORACLE["en-US", "number", minute]
    return f"{words} {english_part('en-US', hour)}"


def british_clock(time: datetime) -> str:
    hour, minute = time.hour, time.minute
    if minute % 5 or minute == 0:
        return american_clock(time)
    distance = minute if minute <= 30 else 60 - minute
    words = {15: "quarter", 30: "half"}.get(distance) or ORACLE["en-GB", "number", distance]
    named = hour if minute <= 30 else hour + 1
    side = "past" if minute <= 30 else "to"
    return f"{words} {side} {ORACLE['en-GB', 'number', named % 12 or 12]} {english_part('en-GB', hour)}"


def spanish_clock(time: datetime) -> str:
    hour, minute = time.hour, time.minute
    if (hour, minute) == (0, 0):
        return "medianoche"
    named = hour % 12 or 12
    words = "la una" if named == 1 else f"las {ORACLE['es', 'number', named]}"
    if minute:
        words += " y " + ({15: "cuarto", 30: "media"}.get(minute) or ORACLE["es", "number", minute])
    return f"{words} {ORACLE['es', 'part', hour * 60 + min(minute, 1)]}"


def french_hour(hour: int) -> str:
    if hour % 12 == 0:
        return "midi" if hour == 12 else "minuit"
    return "une heure" if hour % 12 == 1 else f"{ORACLE['fr', 'number', hour % 12]} heures"


def french_clock(time: datetime) -> str:
    hour, minute = time.hour, time.minute
    named = hour + 1 if minute == 45 else hour
    words = french_hour(named % 24)
    if minute == 45:
        words += " moins le quart"
    elif minute == 30:
        words += " et demi" if hour % 12 == 0 else " et demie"
    elif minute == 15:
        words += " et quart"
    elif minute:
        words += " " + ORACLE["fr", "clock", minute]
    return words if named % 12 == 0 else f"{words} {ORACLE['fr', 'part', hour * 60 + 1]}"


CLOCKS: dict[str, Callable[[datetime], str]] = {
    "en-US": american_clock, "en-GB": british_clock, "es": spanish_clock, "fr": french_clock}
AT = {"en-US": "at", "en-GB": "at", "es": "a", "fr": "à"}
TODAY = {"en-US": "today", "en-GB": "today", "es": "hoy", "fr": "aujourd'hui"}
TOMORROW = {"en-US": "tomorrow, ", "en-GB": "tomorrow, ", "es": "mañana ", "fr": "demain "}


def day_words(time: datetime, now: datetime, locale: str) -> str:
    distance = (time.date() - now.date()).days
    weekday, month = ORACLE[locale, "weekday", time.weekday()], ORACLE[locale, "month", time.month]
    day, year = ORACLE.get((locale, "day", time.day), "premier"), ORACLE[locale, "year", time.year]
    if distance == 0:
        return TODAY[locale]
    if distance == 1:
        return TOMORROW[locale] + weekday
    is_this_year = time.year == now.year
    if locale == "en-US":
        return f"{weekday}, {month} {day}" + ("" if is_this_year else f", {year}")
    if locale == "en-GB":
        of_month = "" if is_this_year and time.month == now.month else f" of {month}"
        return f"{weekday} the {day}{of_month}" + ("" if is_this_year else f", {year}")
    if locale == "es":
        return f"el {weekday}, {day} de {month}" + ("" if is_this_year else f" de {year}")
    return f"le {weekday} {day} {month}" + ("" if is_this_year else f" {year}")


def say(time: datetime, now: datetime, locale: str) -> str:
    """The words for a local time. `now` is local, too."""
    again = AGAIN[locale] if time.fold else ""
    return f"{day_words(time, now, locale)} {AT[locale]} {CLOCKS[locale](time)}{again}"
