"""The alerts of docs/operations.md are the rules of packaging/monitoring/alerts.yaml, and the other
way round.

Tests/hosts/prometheus runs the rules.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from header import ROOT, STATUS

FILES = ROOT / "packaging" / "monitoring"
PAGE = (ROOT / "docs" / "operations.md").read_text()
GROUPS = yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"]
EVERY: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
RULES = {rule["alert"]: rule for rule in EVERY if "alert" in rule}

SECTION = PAGE.split("\n## What to alert on\n", 1)[1].split("\n## ", 1)[0]


def alerts_of_the_page(section: str = SECTION) -> dict[str, tuple[str, str]]:
    """The anchor and the text of each bullet, by the rule that it names. Those without a rule: by
    their beginning."""
    found = {}
    for part in section.split("\n### ")[1:]:
        heading, text = part.split("\n", 1)
        anchor = heading.lower().replace(" ", "-")
        for bullet in re.findall(r"^- (.*?)(?=^- |\Z)", text, re.MULTILINE | re.DOTALL):
            named = re.findall(r"\*\*(PartnerBooking\w+)\*\*", bullet) or [bullet[:60]]
            found.update({name: (anchor, " ".join(bullet.split())) for name in named})
    return found


ALERTS = alerts_of_the_page()


def test_each_rule_is_an_alert_of_the_page():
    assert len(RULES) > 30
    assert {name for name in ALERTS if name.startswith("PartnerBooking")} == set(RULES)


def test_other_alerts_say_why_they_are_none():
    """They name what the counters do not have."""
    others = {name: text for name, (_, text) in ALERTS.items() if name not in RULES}
    assert len(others) == 4
    for text in others.values():
        assert re.match(r"\*\*No rule\*\*, (page|ticket): ", text)
        assert re.search(r"[Cc]ounter|count it", text), text


@pytest.mark.parametrize("name", RULES)
def test_rule_is_as_the_page_has_it(name):
    rule, (anchor, text) = RULES[name], ALERTS[name]
    assert rule["labels"] in ({"severity": "page"}, {"severity": "ticket"})
    assert f"**{name}**, {rule['labels']['severity']}" in text
    assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{anchor}"
    assert rule["annotations"]["summary"].endswith(".") and rule["annotations"]["description"].endswith(".")

    statuses = re.findall(r'status=~?"([\w|]+)"', rule["expr"])
    for status in {status for words in statuses for status in words.split("|")}:
        assert status.upper() in STATUS and f"`{status}`" in text

    shares = [float(share) for share in re.findall(r"> (0\.\d+)", rule["expr"])]
    assert all(f"{share * 100:g} %" in text for share in shares)
    assert bool(shares) == (">= 5" in rule["expr"])
    if "for" in rule:
        assert f"{rule['for'].removesuffix('m')} minutes" in text
    numbers = [int(number) for number in re.findall(r"> (\d{2,})$", rule["expr"])]
    assert all(f"{number:,}" in text or f"{number // 60} minutes" in text for number in numbers)


def test_alert_without_a_rule_would_be_seen():
    section = "\n### Two words\n\n- **PartnerBookingX**, page: any.\n  More.\n- **No rule**, ticket: other.\n"
    assert alerts_of_the_page(section) == {
        "PartnerBookingX": ("two-words", "**PartnerBookingX**, page: any. More."),
        "**No rule**, ticket: other.\n": ("two-words", "**No rule**, ticket: other."),
    }
