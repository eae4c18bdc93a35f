"""Wishes over the shared object, against the tables of Tests/voice/wishes on few days.

`make -C Tests/voice wishes` asks on 28 days.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
from collections import Counter

import pbk
import pytest
from header import ROOT

VOICE = ROOT / "Tests" / "voice"
DAYS = 3


def oracle():
    """The module voice/wishes.py. Another one beside this file has its name."""
    spec = importlib.util.spec_from_file_location("voice_wishes", VOICE / "wishes.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(request: str) -> dict:
    address = pbk.library.pbk_when(request.encode(), None)
    try:
        return json.loads(ctypes.string_at(address))
    finally:
        pbk.library.pbk_string_free(address)


@pytest.mark.parametrize("folder", ["wishes", "wishes/held-out"])
def test_wishes_are_read_as_the_tables_say(folder):
    tables = oracle()
    found = Counter()
    wrong = []
    for name, request, wanted in tables.questions(sorted((VOICE / folder).glob("*.txt")), DAYS):
        verdict = tables.verdict(wanted, read(request))
        found[verdict] += 1
        if verdict == "WRONG":
            wrong.append(name)
    assert not wrong
    total = sum(found.values())
    assert total > 1000 and found["right"] >= 0.98 * total and found["unclear"] <= 0.1 * total, found
