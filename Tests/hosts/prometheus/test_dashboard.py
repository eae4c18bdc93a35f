"""packaging/monitoring/dashboard.json: what Grafana asks of a dashboard, and what the collector has."""

from __future__ import annotations

import itertools
import json
from typing import Any

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from monitoring import DASHBOARD, filled, metrics_in, metrics_of_the_collector, panels, promtool

OF_OTHER_VERSIONS = {"definition", "titleFormat", "textFormat", "tagKeys", "step", "target"}
"""Members that Grafana reads and its SDK does not have."""


def expressions() -> list[str]:
    annotations = [each["expr"] for each in DASHBOARD["annotations"]["list"]]
    return [target["expr"] for panel in panels() for target in panel["targets"]] + annotations


def lost(ours: Any, theirs: Any, place: str = "") -> list[str]:
    """Returns the parts of ours that are not in theirs."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [each for key, value in ours.items() for each in lost(value, theirs.get(key), f"{place}/{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = zip(ours, theirs)
        return [each for number, pair in enumerate(pairs) for each in lost(*pair, f"{place}/{number}")]
    return [] if ours == theirs else [place]


def read_by_grafanas_types(dashboard: dict[str, Any]) -> dict[str, Any]:
    return json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))


def test_grafanas_own_types_have_each_member():
    found = lost(DASHBOARD, read_by_grafanas_types(DASHBOARD))
    assert [place for place in found if place.split("/")[-1] not in OF_OTHER_VERSIONS | {"refId"}] == []
    assert lost({"titel": "x", "title": "y"}, read_by_grafanas_types({"titel": "x", "title": "y"})) == ["/titel"]


def test_expressions_parse(tmp_path):
    rules = [{"record": f"panel:{number}", "expr": filled(each)} for number, each in enumerate(expressions())]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = promtool("check", "rules", tmp_path / "rules.yaml")
    assert len(rules) > 30 and done.returncode == 0, done.stderr


def test_expressions_use_what_the_collector_has():
    used = {name for each in expressions() for name in metrics_in(each)}
    assert used - metrics_of_the_collector() == set()
    assert metrics_of_the_collector() - used == NOT_SHOWN


NOT_SHOWN = {
    "partnerbooking_call_duration_seconds_count",
    "partnerbooking_call_duration_seconds_sum",
    "partnerbooking_journal_damaged_bytes",
    "partnerbooking_journals_left",
}
"""The journal's are about the start, and alerts."""


def test_each_expression_asks_for_the_chosen_processes():
    assert [each for each in expressions() if each.count("{") != each.count('{job=~"$job",client=~"$client"')] == [
        DASHBOARD["annotations"]["list"][0]["expr"]
    ]


def test_durations_are_those_of_calls_that_ended_ok():
    """A call that is refused at once takes no time: with those, an outage would look fast."""
    drawn = [panel for panel in panels() if any("histogram_quantile" in each["expr"] for each in panel["targets"])]
    assert [panel["title"] for panel in drawn] == [
        "Duration of searches that ended ok",
        "Duration of bookings that ended ok",
    ]
    for panel in drawn:
        assert all('status="ok"' in target["expr"] for target in panel["targets"])


def test_data_source_is_a_variable():
    source, *others = DASHBOARD["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert [each["name"] for each in others] == ["job", "client"]
    targets = [target for panel in panels() for target in panel["targets"]]
    users = [*others, *DASHBOARD["annotations"]["list"], *panels(), *targets]
    assert {json.dumps(user["datasource"]) for user in users} == {'{"type": "prometheus", "uid": "${datasource}"}'}


def test_panels_stand_side_by_side():
    every = DASHBOARD["panels"]
    assert [panel["id"] for panel in every] == list(range(1, len(every) + 1))
    assert all(panel["title"] and (panel["type"] == "row" or panel["description"]) for panel in every)
    for panel, other in itertools.combinations(every, 2):
        both = [(panel["gridPos"], other["gridPos"]), (other["gridPos"], panel["gridPos"])]
        apart = [a["x"] + a["w"] <= b["x"] or a["y"] + a["h"] <= b["y"] for a, b in both]
        assert any(apart), (panel["title"], other["title"])
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in every)
