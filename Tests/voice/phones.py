#!/usr/bin/env python3
"""Compares the library's phone numbers with PyPI's phonenumbers: phones.py PROGRAM [NUMBERS] [SEED].

PROGRAM is build/voice/phones. phonenumbers writes every number in the forms that people use, and it must come back as
E.164. Prints counts. Exits with 1 if a number came out as another one, or if one that must be read was refused.
"""

import itertools
import random
import re
import subprocess
import sys
from collections import Counter

import phonenumbers as pn
from phonenumbers.phonemetadata import PhoneMetadata
from renderings import LOCALES, spoken

FORMS = pn.PhoneNumberFormat
ORDINARY = (pn.PhoneNumberType.FIXED_LINE, pn.PhoneNumberType.MOBILE, pn.PhoneNumberType.FIXED_LINE_OR_MOBILE)
CALLERS = ("US", "GB", "FR", "AU", "JP", "KE", "SG")
# As in scripts/phone_table.py.
LEFT_OUT = {("CA", 7), ("PL", 7)}


def transforms(region):
    return bool(PhoneMetadata.metadata_for_region(region).national_prefix_transform_rule)


def answers(program, questions):
    """The answers to (region, locale, text), each a list of fields."""
    text = "".join("\t".join((region, locale, text.replace("\t", " "))) + "\n" for region, locale, text in questions)
    output = subprocess.run([program], input=text, capture_output=True, text=True, check=True).stdout
    lines = [line.split("\t") for line in output.split("\n")[:-1]]
    assert len(lines) == len(questions)
    return lines


def examples():
    for region in sorted(pn.SUPPORTED_REGIONS):
        for kind in range(11):
            number = pn.example_number_for_type(region, kind)
            if number and (region, len(pn.national_significant_number(number))) not in LEFT_OUT:
                yield region, number
    for code, regions in pn.COUNTRY_CODE_TO_REGION_CODE.items():
        if regions == ("001",):
            yield "", pn.example_number_for_non_geo_entity(code)


def digits_for(pattern, generator):
    """A random text that a pattern of digits matches."""
    import re._parser as regex

    def text(items):
        out = ""
        for kind, value in items:
            if kind is regex.LITERAL:
                out += chr(value)
            elif kind is regex.IN:
                out += generator.choice([d for d in "0123456789" if any(
                    (k is regex.LITERAL and ord(d) == v) or (k is regex.RANGE and v[0] <= ord(d) <= v[1])
                    or k is regex.CATEGORY for k, v in value)])
            elif kind is regex.SUBPATTERN:
                out += text(value[3])
            elif kind is regex.BRANCH:
                out += text(generator.choice(value[1]))
            elif kind is regex.MAX_REPEAT:
                out += "".join(text(value[2]) for _ in range(generator.randint(value[0], int(value[1]))))
        return out

    return text(regex.parse(pattern))


def random_numbers(count, generator):
    """Valid numbers of all regions and types."""
    kinds = ("fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "personal_number", "voip", "uan")
    patterns = [(region, description.national_number_pattern) for region in sorted(pn.SUPPORTED_REGIONS)
                for kind in kinds
                if (description := getattr(PhoneMetadata.metadata_for_region(region), kind))
                and description.national_number_pattern]
    while count:
        region, pattern = generator.choice(patterns)
        national = digits_for(pattern, generator)
        code = pn.country_code_for_region(region)
        if len(national) + len(str(code)) > 15 or (region, len(national)) in LEFT_OUT:
            continue
        number = pn.parse(f"+{code}{national}")
        if pn.national_significant_number(number) == national and pn.is_valid_number(number):
            count -= 1
            yield region, number


def forms(region, number):
    """(form, region of the caller, text): how people write a number."""
    national = pn.national_significant_number(number)
    yield "E.164", region, pn.format_number(number, FORMS.E164)
    yield "E.164, no region", "", pn.format_number(number, FORMS.E164)
    yield "international", region, pn.format_number(number, FORMS.INTERNATIONAL)
    yield "tel:", "US", pn.format_number(number, FORMS.RFC3966)
    for caller in CALLERS:
        if pn.country_code_for_region(caller) != number.country_code:
            yield "IDD from elsewhere", caller, pn.format_out_of_country_calling_number(number, caller)
    if not region:
        return
    metadata = PhoneMetadata.metadata_for_region(region)
    if metadata.international_prefix:
        prefix = metadata.preferred_international_prefix or metadata.international_prefix
        if re.fullmatch("[0-9~]+", prefix):
            yield "IDD", region, f"{prefix} {number.country_code} {national}"
    written = pn.format_number(number, FORMS.NATIONAL)
    # Argentina's mobiles are rewritten for national calls.
    if not transforms(region) or re.sub("[^0-9]", "", written).endswith(national):
        yield "national", region, written
        yield "national, with dots", region, re.sub("[^0-9]+", ".", written)
    if metadata.national_prefix == "0" and national[0] != "0" and not transforms(region):
        yield "+CC (0)", region, f"+{number.country_code} ({metadata.national_prefix}) {national}"
    yield "national, no prefix", region, national
    yield "calling code, no +", region, f"{number.country_code}{national}"


# What may be refused because it has another reading.
MAY_BE_REFUSED = {"calling code, no +", "national, no prefix", "+CC (0)"}


VERDICTS = ("equal", "refused", "OTHER")


def begins_with_prefix(region, number):
    """Whether the number itself begins with the national prefix or the calling code, and may have two readings."""
    prefix = region and PhoneMetadata.metadata_for_region(region).national_prefix
    return pn.national_significant_number(number).startswith((prefix or "+", str(number.country_code)))


class Report:
    def __init__(self):
        self.counts = Counter()
        self.failures = []

    def count(self, name, region, text, wanted, answer, may_be_refused):
        verdict = "refused" if answer[0].startswith("!") else "equal" if answer[0] in wanted else "OTHER"
        self.counts[name, verdict] += 1
        if verdict == "OTHER" or verdict == "refused" and not may_be_refused:
            self.failures.append((name, region, text, wanted, answer))

    def print(self, title):
        print(title)
        for name in dict.fromkeys(name for name, _ in self.counts):
            row = "  ".join(f"{self.counts[name, verdict]:7} {verdict}" for verdict in VERDICTS)
            print(f"  {name:28}{row}")
        for failure in self.failures[:20]:
            print("  FAILED:", *failure)
        return len(self.failures)


def batches(items, size=10_000):
    """The items in lists, so that a long run needs no more memory than a short one."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def compare(program, title, numbers):
    report, regions, groups = Report(), Counter(), Counter()
    for batch in batches(numbers):
        questions = [(name, caller, text, region, number) for region, number in batch
                     for name, caller, text in forms(region, number)]
        lines = answers(program, [(caller, "en-US", text) for _, caller, text, _, _ in questions])
        for (name, caller, text, region, number), answer in zip(questions, lines):
            wanted = {pn.format_number(number, FORMS.E164)}
            with_rule = bool(region) and transforms(region)
            if name in MAY_BE_REFUSED or with_rule:
                wanted.add(parsed(text, caller))
            report.count(name + (" (transform rule)" if with_rule else ""), caller, text, wanted, answer,
                         name in MAY_BE_REFUSED or with_rule or begins_with_prefix(region, number))
            if name == "E.164" and not answer[0].startswith("!"):
                regions[(answer[1] or None) == (pn.region_code_for_number(number) if region else None)] += 1
                kind = "fixed and mobile" if pn.number_type(number) in ORDINARY else "others"
                groups[kind, is_divided(pn.format_number(number, FORMS.NATIONAL), answer[2])] += 1
    failed = report.print(title)
    print(f"  region as phonenumbers has it: {regions[True]} of {regions.total()}")
    for kind in ("fixed and mobile", "others"):
        total = groups[kind, True] + groups[kind, False]
        print(f"  groups as phonenumbers writes them, {kind}: {groups[kind, True]} of {total}")
    return failed


def parsed(text, region):
    """What phonenumbers makes of it: not always the number that was written."""
    try:
        return pn.format_number(pn.parse(text, region or None), FORMS.E164)
    except pn.NumberParseException:
        return ""


def is_divided(theirs, ours):
    """Whether our groups are theirs, those of six and more digits divided."""
    ours = [group for group in ours.split(" ") if not group.startswith("+")]
    for group in re.findall("[0-9]+", re.sub(r"^\+[0-9]+ ", "", theirs)):
        taken = ""
        while len(taken) < len(group) and ours:
            taken += ours.pop(0)
        if taken != group or len(group) < 6 and len(taken) != len(group):
            return False
    return not ours


def compare_spoken(program, title, count, generator):
    """Renderings in words, and then the library's own words."""
    report, back = Report(), Report()
    for batch in batches(random_numbers(count, generator)):
        numbers, written, questions = [], [], []
        for index, (region, number) in enumerate(batch):
            locale = LOCALES[index % len(LOCALES)]
            national = re.sub("[^0-9]", "", pn.format_number(number, FORMS.NATIONAL))
            significant = pn.national_significant_number(number)
            plus = generator.random() < 0.2 or not national.endswith(significant)
            digits = f"{number.country_code}{significant}" if plus else national
            numbers.append((pn.format_number(number, FORMS.E164), begins_with_prefix(region, number)))
            written.append((region, locale, "+" * plus + digits))
            questions.append((region, locale, spoken(digits, plus, locale, generator)))
        lines = answers(program, questions)
        digits = [line[0] for line in answers(program, written)]
        for (wanted, _), (region, locale, text), answer, same in zip(numbers, questions, lines, digits):
            # What is refused in digits is refused in words.
            report.count(locale, region, text, {wanted, same}, answer, same.startswith("!"))
        read = [part for part in zip(questions, lines, numbers) if not part[1][0].startswith("!")]
        again = answers(program, [(region, locale, answer[4]) for (region, locale, _), answer, _ in read])
        for ((region, locale, _), first, (_, may_be_refused)), second in zip(read, again):
            assert not re.search("[0-9]", first[4])
            back.count(locale, region, first[4], {first[0]}, second, may_be_refused)
    return report.print(title) + back.print("the library's own words, read back")


def compare_lost_digits(program, count, generator):
    """What becomes of a digit too few or too many. Where all numbers have one length, it is noticed."""
    same_length, others = ("US", "FR", "ES", "MX"), ("GB", "PL", "IT", "DE")
    questions, numbers = [], []
    for region in same_length + others:
        metadata = PhoneMetadata.metadata_for_region(region)
        for _ in range(count // 8):
            kind = generator.choice((metadata.fixed_line, metadata.mobile))
            national = digits_for(kind.national_number_pattern, generator)
            numbers.append(f"+{metadata.country_code}{national}")
            trunk = metadata.national_prefix or ""
            text = trunk + national if generator.random() < 0.5 else national
            place = generator.randrange(len(text))
            lost = text[:place] + text[place + 1:] if generator.random() < 0.5 else text[:place] + "7" + text[place:]
            questions.append((region, "en-US", lost))
    counts = Counter()
    for (region, _, text), number, answer in zip(questions, numbers, answers(program, questions)):
        # A lost national prefix changes nothing.
        if text.startswith("00"):
            continue  # an international number now
        verdict = "refused" if answer[0].startswith("!") else "equal" if answer[0] == number else "OTHER"
        counts[region, verdict] += 1
        if verdict == "OTHER" and region in same_length:
            print("  FAILED:", region, text, number, answer)
    print("one digit lost or added")
    for region in same_length + others:
        print(f"  {region:28}" + "  ".join(f"{counts[region, verdict]:7} {verdict}" for verdict in VERDICTS))
    return sum(counts[region, "OTHER"] for region in same_length)


def main():
    program, count = sys.argv[1], int((sys.argv[2:] + ["20000"])[0])
    seed = int((sys.argv[3:] + ["18"])[0])
    print(f"phonenumbers {pn.__version__}, seed {seed}")
    generator = random.Random(seed)
    failed = compare(program, "example numbers of all regions and types", list(examples()))
    failed += compare(program, "random valid numbers of all regions", random_numbers(count, generator))
    failed += compare_spoken(program, "spoken renderings", count, generator)
    failed += compare_lost_digits(program, count, generator)
    print(f"{failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
