"""packaging/monitoring/alerts.yaml, by `promtool`, and its tests, which must see a wrong rule."""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from monitoring import ALERTS, FILES, RECORDS, metrics_in, metrics_of_the_collector, promtool

TEXT = (FILES / "alerts.yaml").read_text()
TESTS = yaml.safe_load((FILES / "alerts_test.yaml").read_text())["tests"]
SHARES = {name for name, rule in ALERTS.items() if ">= 5" in rule["expr"]}


def expected(test: str) -> set[tuple[str, str]]:
    """Alerts and their clients."""
    [found] = [each for each in TESTS if each["name"] == test]
    return pairs_in(str(found["promql_expr_test"]))


def pairs_in(text: str) -> set[tuple[str, str]]:
    return set(re.findall(r'alertname="PartnerBooking(\w+)", ?client="(\w+)"', text))


def got(folder: Path, test: str, *changes: tuple[str, str]) -> set[tuple[str, str]]:
    """The alerts that fire in that test when the rules are changed so. The test must fail."""
    text = TEXT
    for old, new in changes:
        text, count = re.subn(old, new, text)
        assert count, old
    (folder / "alerts.yaml").write_text(text)
    [kept] = [each for each in TESTS if each["name"] == test]
    everything = yaml.safe_load((FILES / "alerts_test.yaml").read_text()) | {"tests": [kept]}
    (folder / "alerts_test.yaml").write_text(yaml.safe_dump(everything))
    done = promtool("test", "rules", folder / "alerts_test.yaml")
    assert done.returncode == 1, done.stdout
    [found] = re.findall(r"got:(.*)", done.stdout + done.stderr)
    return pairs_in(found)


def test_rules_pass_their_tests():
    checked = promtool("check", "rules", FILES / "alerts.yaml")
    assert (checked.returncode, checked.stderr) == (0, "")
    done = promtool("test", "rules", FILES / "alerts_test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_rule_has_a_case_in_which_it_fires():
    assert len(ALERTS) > 30 and {f"PartnerBooking{name}" for name, _ in expected("bad")} == set(ALERTS)


def test_rules_use_what_the_collector_has():
    used = {name for rule in [*ALERTS.values(), *RECORDS.values()] for name in metrics_in(rule["expr"])}
    assert len(used) > 10 and used - set(RECORDS) - metrics_of_the_collector() == set()
    assert set(RECORDS) - used == set()


def thresholds(factor: float) -> list[tuple[str, str]]:
    values = ("0.01", "0.02", "0.1", "20", "500", "2500", "600")
    return [(rf"> {value}(?![.\d])", f"> {float(value) * factor}") for value in values]


def test_higher_threshold_would_be_seen(tmp_path):
    """Each of them by half. What happened once is then too little."""
    far_above = {("ServiceFailed", "often"), ("ManyDoubts", "more_doubts"), ("JournalDamaged", "damaged")}
    assert got(tmp_path, "bad", (r"> 0\n", "> 1.5\n"), *thresholds(1.5)) == far_above


def test_lower_threshold_would_be_seen(tmp_path):
    """Each of them by five per cent, and 0 is enough of what must not happen at all."""
    found = got(tmp_path, "just below", (r"> 0\n", ">= 0\n"), *thresholds(0.95))
    at_the_start = {("JournalDamaged", "damaged"), ("JournalLeft", "left")}
    assert expected("bad") - found == at_the_start
    assert {name for name, _ in got(tmp_path, "good", (r"> 0\n", ">= 0\n"))} >= {name for name, _ in at_the_start}


def test_smaller_number_of_failures_would_be_seen(tmp_path):
    few = {name for name, client in got(tmp_path, "just below", (r">= 5\b", ">= 4")) if client.endswith("_few")}
    assert len(SHARES) > 9 and {f"PartnerBooking{name}" for name in few} == SHARES


def test_shorter_patience_would_be_seen(tmp_path):
    assert ("LedgerFails", "store") in got(tmp_path, "just below", ("for: 3m", "for: 1m"))


def test_other_severity_would_be_seen(tmp_path):
    swapped = TEXT.replace("severity: page", "severity: x").replace("severity: ticket", "severity: page")
    (tmp_path / "alerts.yaml").write_text(swapped.replace("severity: x", "severity: ticket"))
    (tmp_path / "alerts_test.yaml").write_text((FILES / "alerts_test.yaml").read_text())
    assert promtool("test", "rules", tmp_path / "alerts_test.yaml").returncode == 1


def test_other_counting_of_first_failures_would_be_seen(tmp_path):
    """increase() does not see the first value of a series. Without a look at the process, old ones
    would count."""
    young, late = ("Unauthorized", "young"), ("Unauthorized", "late")
    assert young in expected("starts") and late not in expected("starts")
    first = r"\(\(partnerbooking_calls_total unless[^\n]*\n[^\n]*\n[^\n]*\n\s*or\n"
    assert young not in got(tmp_path, "starts", (first, ""))
    takeovers = first.replace("calls", "ledger_takeovers")
    assert ("ManyTakeovers", "young") not in got(tmp_path, "starts", (takeovers, ""))
    process = r"\n\s*and on \(job, instance, client\)\n[^\n]*offset 5m\)\)"
    assert late in got(tmp_path, "starts", (process, ")"))
