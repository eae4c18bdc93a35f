"""docs/observability.md: what the examples print, and the names that the page lists."""

from __future__ import annotations

import dataclasses
import re

from header import ROOT
from partnerbooking.prometheus import Collector
from prometheus_client import CollectorRegistry, generate_latest
from python_package import EXAMPLES, pb, run_program
from samples import SANDBOX

PAGE = (ROOT / "docs" / "observability.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def names_of_items(text: str) -> set[str]:
    """The names before the colon of list items, such as "- `name`, `other`: …"."""
    items = re.findall(r"^- (`[\w.]+`(?:,\s+`[\w.]+`)*): ", text, re.MULTILINE)
    return {name for item in items for name in re.findall(r"`([\w.]+)`", item)}


def test_example_prints_what_the_page_shows():
    def lines(text: str) -> list[str]:
        return [re.sub(r"\d+(\.\d+)? ms", "… ms", line) for line in text.splitlines()]

    printed = lines(run_program(EXAMPLES / "observed_calls.py").stdout)
    blocks = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for line in (line for block in blocks for line in lines(block)):
        assert line in printed


def test_page_has_each_metric():
    registry = CollectorRegistry()
    with pb.Client(**SANDBOX) as client:
        registry.register(Collector(client))
        text = generate_latest(registry).decode()
    named = set(re.findall(r"^# TYPE partnerbooking_(\w+)", text, re.MULTILINE))
    assert names_of_items(section("Prometheus")) == named


def test_page_has_each_member_of_an_ended_call():
    assert names_of_items(section("Each call")) == {field.name for field in dataclasses.fields(pb.CallEnded)}


def test_page_has_each_attribute_of_a_span():
    source = (EXAMPLES.parent / "partnerbooking" / "otel.py").read_text()
    names = set(re.findall(r'"((?:partnerbooking|http|server|url|network|error)\.[a-z_.]+)"', source))
    assert names_of_items(section("OpenTelemetry")) == names
