"""The ledger protocol, explored: Tests/ledger-model. No state breaks a rule, and each planted bug
is found."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest
from header import ROOT
from pages import DOCS, blocks_of

MODEL = ROOT / "Tests" / "ledger-model"
sys.path.insert(0, str(MODEL))

from explore import Finding, explore  # noqa: E402
from library import Library  # noqa: E402
from planted import EXHAUSTIVE, PLANTED, planted  # noqa: E402
from store import OPERATIONS  # noqa: E402

ENOUGH = 300_000
PAGE = DOCS / "ledger-protocol.md"


@pytest.mark.parametrize("name", EXHAUSTIVE)
def test_no_state_breaks_a_rule_and_every_booking_can_end(name):
    options, left = EXHAUSTIVE[name]
    states, steps = explore(Library(**options), left)
    print(f"{name}: {states} states, {steps} steps")
    assert states > 500


@pytest.mark.parametrize("bug", PLANTED)
def test_planted_bug_is_found(bug):
    with pytest.raises(Finding) as finding:
        explore(*planted(bug), budget=ENOUGH, symmetric=False)
    assert finding.value.trace, finding.value


def test_every_planted_bug_is_a_switch_of_the_model():
    sources = (MODEL / "store.py").read_text() + (MODEL / "library.py").read_text()
    assert {bug for bug in PLANTED if f'"{bug}"' not in sources} == set()


# The page


def test_batch_of_the_page():
    batch, answer = (json.loads(block.text) for block in blocks_of(PAGE) if block.text.startswith("{"))
    operations = batch["operations"]
    assert {o["op"] for o in operations} <= {*OPERATIONS, "wait"}
    assert [o["id"] for o in operations] == [result["id"] for result in answer["results"]]


def test_page_has_every_operation():
    headings = {line[4:] for line in PAGE.read_text().splitlines() if line.startswith("### ")}
    assert {*OPERATIONS, "wait", "orphans", "pending"} <= headings
    assert f"breaks {len(PLANTED)} rules" in PAGE.read_text()


def test_commands_of_the_page():
    """The first one is what the tests above do."""
    [block] = [block for block in blocks_of(PAGE) if block.text.startswith("python3")]
    whole, one = map(shlex.split, block.text.splitlines())
    assert (ROOT / whole[1]).is_file() and len(whole) == 2
    done = subprocess.run([sys.executable, *one[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "the store ends a booking as refused" in done.stdout
    assert " 1 a host calls" in done.stdout
