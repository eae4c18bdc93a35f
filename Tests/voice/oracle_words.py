#!/usr/bin/env python3
"""Writes oracle_words.txt: numbers and ordinals from ICU, names and parts of the day from Babel.

    apt-get install libicu-dev pkg-config
    pip install PyICU==2.15.3 babel==2.19.0
    Tests/voice/oracle_words.py           writes the file
    Tests/voice/oracle_words.py --check   exit code 1 if the file is another one

The tests compare the library with the file, so that they need neither package. A row has a locale, a kind, a number
and the words, with tabs between.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import babel
import icu

FILE = Path(__file__).parent / "oracle_words.txt"
LOCALES = {"en-US": "en_US", "en-GB": "en_GB", "es": "es", "fr": "fr"}
NUMBERS, DAYS, YEARS = range(100), range(1, 32), range(1950, 2150)
# Kinds of numbers that are not those of counting. Hours and minutes are feminine in French.
RULES = {
    "en-US": {"day": ("ordinal", DAYS), "year": ("numbering-year", YEARS)},
    "en-GB": {"day": ("ordinal", DAYS), "year": ("numbering-year", YEARS)},
    "es": {"length": ("cardinal-masculine", range(60)), "day": ("numbering", DAYS), "year": ("numbering", YEARS)},
    "fr": {"clock": ("cardinal-feminine", range(60)), "length": ("cardinal-feminine", range(60)),
           "day": ("numbering", range(2, 32)), "year": ("numbering", YEARS)},
}
# The usual names are there for one of these widths only.
WIDTHS = ("wide", "abbreviated")


def spelled(name: str, rule: str, numbers: range) -> Iterator[tuple[int, str]]:
    form = icu.RuleBasedNumberFormat(icu.URBNFRuleSetTag.SPELLOUT, icu.Locale(name))
    for number in numbers:
        # ICU allows some words to be divided.
        yield number, form.format(number, f"%spellout-{rule}").replace("\u00ad", "")


def part_of_day(locale: babel.Locale, hour: int, minute: int) -> str:
    """The words for a part of the day, for exact times only where there are some."""
    second = hour * 3_600 + minute * 60
    names = {key: value for width in reversed(WIDTHS) for key, value in locale.day_periods["format"][width].items()}
    found = ""
    for key, rules in locale.day_period_rules[None].items():
        for rule in rules:
            if rule.get("at") == second:
                return str(names.get(key, ""))
            if "at" not in rule and rule["from"] <= second < rule["before"]:
                found = str(names[key])
    return found


def rows() -> Iterator[tuple[str, str, int, str]]:
    for locale, name in LOCALES.items():
        for number, words in spelled(name, "numbering", NUMBERS):
            yield locale, "number", number, words
        for kind, (rule, numbers) in RULES[locale].items():
            for number, words in spelled(name, rule, numbers):
                yield locale, kind, number, words
        data = babel.Locale.parse(name)
        for weekday in range(7):
            yield locale, "weekday", weekday, data.days["format"]["wide"][weekday]
        for month in range(1, 13):
            yield locale, "month", month, data.months["format"]["wide"][month]
        for hour in range(24):
            for minute in (0, 1):
                yield locale, "part", hour * 60 + minute, part_of_day(data, hour, minute).replace("\u2019", "'")


def main() -> int:
    versions = f"ICU {icu.ICU_VERSION} and Babel {babel.__version__}"
    text = f"# Made by Tests/voice/oracle_words.py from {versions}. Do not edit.\n"
    text += "".join(f"{locale}\t{kind}\t{number}\t{words}\n" for locale, kind, number, words in rows())
    if sys.argv[1:] == ["--check"]:
        return int(FILE.read_text() != text)
    FILE.write_text(text)
    print(f"{FILE.name}: {text.count(chr(10)) - 1} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
