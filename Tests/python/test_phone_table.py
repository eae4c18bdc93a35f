"""The table of numbering plans is what its script makes of the pinned version of phonenumbers."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import phonenumbers
import pytest

ROOT = Path(__file__).parent.parent.parent
TABLE = ROOT / "Sources/PartnerBooking/Phones/PhonePlan+Table.swift"
EXAMPLES = ROOT / "Tests/PartnerBookingTests/Phones/PhoneExampleTable.swift"


@pytest.mark.parametrize("file", [TABLE, EXAMPLES], ids=lambda file: file.stem)
def test_the_version_of_the_file_is_installed(file: Path) -> None:
    versions = re.findall(r"from phonenumbers ([0-9.]+) \(PyPI\)", file.read_text())
    assert versions == [phonenumbers.__version__]
    requirements = (ROOT / "Tests/python/requirements.txt").read_text()
    assert f"phonenumbers=={phonenumbers.__version__}\n" in requirements


@pytest.mark.skipif(sys.version_info < (3, 11), reason="the script reads patterns with a module of Python 3.11")
def test_the_script_makes_the_same_table() -> None:
    script = ROOT / "scripts/phone_table.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
