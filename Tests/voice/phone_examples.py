#!/usr/bin/env python3
"""Writes ../PartnerBookingTests/Phones/PhoneExampleTable.swift: phonenumbers' example numbers, as it writes them."""

from pathlib import Path

import phonenumbers as pn
from phones import FORMS, examples, transforms

FILE = Path(__file__).parent.parent / "PartnerBookingTests/Phones/PhoneExampleTable.swift"
TYPES = (pn.PhoneNumberType.FIXED_LINE, pn.PhoneNumberType.MOBILE, pn.PhoneNumberType.FIXED_LINE_OR_MOBILE,
         pn.PhoneNumberType.TOLL_FREE)

TEXT = '''\
// Made by Tests/voice/phone_examples.py from phonenumbers {version} (PyPI). Do not edit.

/// The example numbers of all regions whose national numbers are not rewritten: region, E.164, and the national form.
enum PhoneExampleTable {{
    static let text: StaticString = """
{text}
        """
}}
'''


def main():
    entries = {}
    for region, number in examples():
        if region and not transforms(region) and pn.number_type(number) in TYPES:
            national = pn.format_number(number, FORMS.NATIONAL)
            # Some regions share their numbers.
            region = pn.region_code_for_number(number)
            entries[f"{region} {pn.format_number(number, FORMS.E164)} {national}"] = None
    lines, line = [], ""
    for entry in entries:
        if len(line) + len(entry) > 112:
            lines.append(line)
            line = ""
        line += entry + ";"
    text = "\n".join(f"        {line}\\" for line in lines) + f"\n        {line.removesuffix(';')}"
    FILE.write_text(TEXT.format(version=pn.__version__, text=text))
    print(f"{FILE.name}: {len(entries)} numbers")


if __name__ == "__main__":
    main()
