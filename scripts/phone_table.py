#!/usr/bin/env python3
"""Writes the numbering plans of Sources/PartnerBooking/Phones/PhonePlan+Table.swift from PyPI's
phonenumbers.

    pip install phonenumbers==9.0.43
    scripts/phone_table.py           writes the file
    scripts/phone_table.py --check   exit code 1 if the file is another one

The same version of phonenumbers gives the same file, byte for byte. The format of the table is
described in the file. """

import functools
import itertools
import re
import re._parser as regex
import sys
from collections import Counter, defaultdict, namedtuple
from pathlib import Path

import phonenumbers
from phonenumbers.phonemetadata import PhoneMetadata

FILE = Path(__file__).parent.parent / "Sources/PartnerBooking/Phones/PhonePlan+Table.swift"
TYPES = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "pager", "uan",
         "voicemail", "no_international_dialling")
# How a group that is too long to be heard is divided.
DIVIDED = {6: (3, 3), 7: (3, 4), 8: (4, 4), 9: (3, 3, 3), 10: (3, 3, 4), 11: (3, 4, 4), 12: (4, 4, 4), 13: (3, 3, 3, 4),
           14: (3, 3, 4, 4)}
# E.164 allows 15 digits, with the calling code.
MAX_DIGITS = 15
# Calling codes and lengths of special numbers that are not in the table. Canada's 310-1234 cannot
# be dialled from another country, and in the United States 310 is an area code. With Poland's 12 19
# 123, Radom's 48 121 91 23 has two readings.
LEFT_OUT = {(1, 7), (48, 7)}
# Calling codes and first digits where large cities have shorter area codes than the others: Leeds,
# Berlin, Delhi.
SEPARATE = {(44, "1"), (49, "3"), (49, "4"), (49, "6"), (49, "8"), (52, "3"), (52, "8"), (91, "1"), (91, "2"),
            (91, "3"), (91, "4")}

HEADER = '''\
// Made by scripts/phone_table.py from phonenumbers {version} (PyPI), a port of Google's
// libphonenumber. Do not edit.

extension PhonePlan {{
    /// The sizes of the groups in which numbers are written. The first 26 are named a to z, the
    /// others Aa, Ab … Ba.
    static let groupings: StaticString = """
{groupings}
        """

    /// One line for each calling code, of five fields:
    ///
    /// - The calling code.
    /// - Its regions. Each region after the first has the digits with which its numbers begin:
    ///   `JM658/876`.
    /// - The national prefixes. `-` means none. People write the first.
    /// - The prefixes of international calls. `x` is any digit, and `-` means 00.
    /// - Rules of the form `DIGITS:GROUPINGS`. Numbers that begin with one of the DIGITS have one
    ///   of the GROUPINGS. Digits are `2-5`, or `0/12` for a 0 and then a 1 or a 2. Numbers of a
    ///   rule after a `!` are written without national prefix.
    static let table: StaticString = """
{table}
        """
}}
'''


# ---- Regular expressions -------------------------------------------------------------------------


def digits_of(members):
    """The digits of a class such as [2-57]."""
    digits = set()
    for kind, value in members:
        if kind is regex.LITERAL:
            digits.add(chr(value))
        elif kind is regex.RANGE:
            digits |= {chr(code) for code in range(value[0], value[1] + 1)}
        else:
            digits |= set("0123456789")
    return digits


def extended(states, digits, depth):
    """Each (first digits, length) with one digit more."""
    return {(first + digit if len(first) < depth else first, length + 1)
            for first, length in states if length < 17 for digit in (digits if len(first) < depth else "-")}


def walked(items, states, depth):
    for kind, value in items:
        if kind is regex.LITERAL:
            states = extended(states, {chr(value)}, depth)
        elif kind is regex.IN:
            states = extended(states, digits_of(value), depth)
        elif kind is regex.SUBPATTERN:
            states = walked(value[3], states, depth)
        elif kind is regex.BRANCH:
            states = set().union(*(walked(branch, states, depth) for branch in value[1]))
        elif kind is regex.MAX_REPEAT:
            least, most, items = value
            some, states = states, set()
            for count in range(int(most) + 1):
                states |= some if count >= least else set()
                some = walked(items, some, depth)
        else:
            raise ValueError(f"{kind} in a pattern of digits")
    return states


@functools.cache
def beginnings(pattern, depth):
    """The first digits, up to depth, and the length of all texts that match, in order."""
    return sorted(walked(regex.parse(pattern), {("", 0)}, depth))


def texts(pattern):
    return [text for text, _ in beginnings(pattern, 17) if text]


# ---- A calling code ------------------------------------------------------------------------------


def plans(code):
    """The metadata of the regions of a calling code. The first one's is used to write numbers."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    if regions == ("001",):
        return [PhoneMetadata.metadata_for_nongeo_region(code)]
    return [PhoneMetadata.metadata_for_region(region) for region in regions]


def described(plan):
    """The pattern, the lengths and the weight of each type of number."""
    for name in TYPES:
        description = getattr(plan, name)
        if description is None or not description.national_number_pattern:
            continue
        lengths = description.possible_length or plan.general_desc.possible_length
        yield description.national_number_pattern, set(lengths), 10 if name in ("fixed_line", "mobile") else 1


def is_possible(code, length):
    return length + len(str(code)) <= MAX_DIGITS and (code, length) not in LEFT_OUT


def trunk_prefixes(code):
    plan = plans(code)[0]
    found = {plan.national_prefix} - {None}
    # A group would be a carrier's code, or a part that is to be rewritten.
    if found and "(" not in (plan.national_prefix_for_parsing or "("):
        found |= {text for text in texts(plan.national_prefix_for_parsing) if len(text) <= 2}
    return found


@functools.cache
def written(code, number):
    """The prefix with which a number is written nationally, and the sizes of the groups after
    it."""
    zeros = min(len(number) - len(number.lstrip("0")), len(number) - 1)
    parsed = phonenumbers.PhoneNumber(
        country_code=code, national_number=int(number), italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None)
    for form in (phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
        text = phonenumbers.format_number(parsed, form).removeprefix(f"+{code}")
        groups = re.findall(r"[0-9]+", text)
        prefix = "".join(groups).removesuffix(number)
        if "".join(groups) == prefix + number and (prefix == "" or prefix in trunk_prefixes(code)):
            sizes = [len(group) for group in groups]
            left = len(prefix)
            while left >= sizes[0]:
                left -= sizes.pop(0)
            sizes[0] -= left
            return prefix, tuple(itertools.chain(*(DIVIDED.get(size, (size,)) for size in sizes)))
    return "", DIVIDED.get(len(number), (len(number),))


def rules_of(code, trunks):
    """The ways of writing, one for each length, by the first digit of the number.

    By its first two digits where that makes many numbers right, or where a national prefix could be
    part of a number. """
    lengths = defaultdict(set)
    votes = defaultdict(Counter)
    for plan in plans(code):
        for first, length in beginnings(plan.general_desc.national_number_pattern, 2):
            if length in plan.general_desc.possible_length and is_possible(code, length):
                lengths[first].add(length)
        for pattern, possible, weight in described(plan):
            for first, length in beginnings(pattern, 3):
                if length in possible and length in lengths[first[:2]]:
                    votes[first[:2], length][written(code, sample(first, length))] += weight
    for first, length in ((first, length) for first, some in lengths.items() for length in some):
        if not votes[first, length]:
            votes[first, length][written(code, sample(first, length))] += 0.1
    total = sum(count.total() for count in votes.values())
    rules = {}
    for digit in sorted({first[0] for first in lengths if lengths[first]}):
        under = [first for first in lengths if first[0] == digit and lengths[first]]
        merged = merge(under, lengths, votes)
        separate = {first: merge([first], lengths, votes) for first in under}
        gain = sum(rule.right for rule in separate.values()) - merged.right
        if gain >= 0.1 * total or (code, digit) in SEPARATE or any(trunk[0] == digit for trunk in trunks):
            rules |= {first: rule.ways for first, rule in separate.items()}
        else:
            rules[digit] = merged.ways
    return rules


Rule = namedtuple("Rule", "ways right")


def merge(firsts, lengths, votes):
    """The commonest way of writing for each length of the numbers that begin so, and how many votes
    are for these."""
    ways, right = [], 0
    for length in sorted(set().union(*(lengths[first] for first in firsts))):
        count = sum((votes[first, length] for first in firsts), Counter())
        way = max(sorted(count), key=count.get)
        ways.append(way)
        right += count[way]
    return Rule(ways, right)


def sample(first, length):
    return (first + "2345678901234567")[:length]


# ---- The table -----------------------------------------------------------------------------------


def digit_class(digits):
    """2-57 for 2, 3, 4, 5 and 7."""
    text = ""
    for _, run in itertools.groupby(enumerate(sorted(digits)), lambda pair: int(pair[1]) - pair[0]):
        run = [digit for _, digit in run]
        text += "".join(run) if len(run) < 3 else f"{run[0]}-{run[-1]}"
    return text


def by_first_digit(rules):
    """Rules of two digits become one of the first where the second does not matter."""
    for first in "0123456789":
        under = {key: rule for key, rule in rules.items() if key[0] == first and len(key) == 2}
        if len(under) == 10 and len({tuple(rule) for rule in under.values()}) == 1:
            rules = {key: rule for key, rule in rules.items() if key not in under} | {first: under[first + "0"]}
    return rules


def rules_text(rules, trunk, names):
    classes = defaultdict(set)
    for first, groupings in by_first_digit(rules).items():
        plain = "".join(names[sizes] for prefix, sizes in groupings if prefix != trunk)
        text = "".join(names[sizes] for prefix, sizes in groupings if prefix == trunk)
        classes[first[:-1], text + ("!" + plain if plain and trunk else plain)].add(first[-1])
    lines = sorted((head, digit_class(digits), text) for (head, text), digits in classes.items())
    return " ".join((head + "/" if head else "") + digits + ":" + text for head, digits, text in lines)


def region_digits(code):
    """The first digits by which numbers belong to another region than the first one of a calling
    code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    if len(regions) == 1:
        return {}
    owners = {}
    for region, plan in zip(regions, plans(code)):
        for pattern, _, _ in described(plan):
            for first, _ in beginnings(pattern, 3 if code == 1 else 5):
                owners.setdefault(first, region)  # as in phonenumbers, the first region has it
    found = defaultdict(list)
    for first, region in sorted(owners.items()):
        if region == regions[0] or any(first.startswith(known) for known in found[region]):
            continue
        for length in range(1, len(first) + 1):
            same = [owner for other, owner in owners.items() if other.startswith(first[:length])]
            if set(same) == {region}:
                found[region].append(first[:length])
                break
    return {region: sorted(digits) for region, digits in found.items()}


def regions_text(code):
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]
    if regions == ("001",):
        return "-"
    digits = region_digits(code)
    return ",".join(region + "/".join(digits.get(region, ())) for region in regions)


def international_text(code):
    pattern = plans(code)[0].international_prefix
    # Longer ones choose a carrier.
    prefixes = {text for text in texts(pattern) if len(text) <= 4} if pattern else set()
    for place in range(8):  # ten that differ in one digit become one
        for prefix in sorted(prefixes):
            ten = {prefix[:place] + digit + prefix[place + 1:] for digit in "0123456789"}
            if place < len(prefix) and ten <= prefixes:
                prefixes = prefixes - ten | {prefix[:place] + "x" + prefix[place + 1:]}
    return "-" if prefixes == {"00"} else ",".join(sorted(prefixes)) or "0"


def folded(line, width=115):
    """A long line, continued as Swift has it."""
    pieces = [line[start:start + width] for start in range(0, len(line), width)]
    return "\\\n".join("        " + piece for piece in pieces)


def swift():
    codes = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    trunks, rules, uses = {}, {}, Counter()
    for code in codes:
        prefixes = trunk_prefixes(code)
        rules[code] = rules_of(code, prefixes)
        used = Counter(prefix for groupings in rules[code].values() for prefix, _ in groupings if prefix)
        trunks[code] = sorted(prefixes, key=lambda prefix: (-used[prefix], prefix))
        uses.update(sizes for groupings in rules[code].values() for _, sizes in groupings)
    ordered = sorted(uses, key=lambda sizes: (-uses[sizes], sizes))
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = dict(zip(ordered, itertools.chain(letters, (a.upper() + b for a in letters for b in letters))))
    lines = []
    for code in codes:
        trunk = trunks[code][0] if trunks[code] else ""
        rule = rules_text(rules[code], trunk, names)
        lines.append(f"{code} {regions_text(code)} {','.join(trunks[code]) or '-'} {international_text(code)} {rule}")
    sizes = " ".join("".join(map(str, sizes)) for sizes in ordered)
    return HEADER.format(version=phonenumbers.__version__, groupings=folded(sizes), table="\n".join(map(folded, lines)))


def main():
    text = swift()
    if sys.argv[1:] == ["--check"]:
        sys.exit(FILE.read_text() != text and f"{FILE.name} differs: phonenumbers {phonenumbers.__version__}")
    FILE.write_text(text)
    table = sum(len(line.strip()) + 1 for line in text.splitlines())
    print(f"{FILE.name}: {len(text.splitlines())} lines, about {table} bytes of text")


if __name__ == "__main__":
    main()
