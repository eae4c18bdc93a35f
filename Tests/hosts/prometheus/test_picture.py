"""The picture of docs/operations.md shows the dashboard as it is, and can be drawn again."""

from __future__ import annotations

from pathlib import Path

import picture
from monitoring import DASHBOARD, ROOT

TITLES = [panel["title"] for panel in DASHBOARD["panels"]]


def missing_in(file: Path) -> list[str]:
    text = file.read_text()
    return [title for title in TITLES if f">{title}</text>" not in text]


def test_picture_of_the_page_has_each_panel():
    assert missing_in(ROOT / "docs" / "charts" / "dashboard.svg") == []
    assert missing_in(ROOT / "docs" / "charts" / "fleet.svg") == TITLES


def test_picture_can_be_drawn_again(tmp_path):
    picture.main(tmp_path / "dashboard.svg", 8)
    assert missing_in(tmp_path / "dashboard.svg") == []
    assert "http_2xx" in (tmp_path / "dashboard.svg").read_text()
