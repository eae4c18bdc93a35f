"""`partnerbooking pending`: what is open in a fleet, as the ledger has it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from header import ROOT
from pages import blocks_of
from python_package import pb
from samples import NAME

URL = "postgres://engine:topsecret@db.internal/bookings"


class Rows:
    """A ledger that has rows, and keeps what it was asked."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows
        self.asked: list[dict[str, Any]] = []
        self.is_open = True

    def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.asked += operations
        return [{"id": one["id"], "result": "rows", "rows": list(self.rows)} for one in operations]

    def close(self) -> None:
        self.is_open = False


def row(key: str, state: str = "open", seconds: float = 12, **members: Any) -> dict[str, Any]:
    return {
        "key": key,
        "state": state,
        "bot_id": "bot_1",
        "start_at": "2030-01-14T10:00:00-05:00",
        "recorded_at": int((time.time() - seconds) * 1000),
        "owner": "engine-a",
        "claim": "c",
        "fingerprint": "f",
        "withdrawn": False,
        "heard": False,
        "body": json.dumps({"booking": {"customer": {"name": NAME}}}),
        **members,
    }


@pytest.fixture
def asked(run, monkeypatch):
    """Runs the command on a ledger."""

    def asked(ledger: Any, *arguments: str, **environment: str):
        monkeypatch.setattr(pb.ledgers, "from_url", lambda url, **options: ledger)
        return run("pending", "--ledger", URL, *arguments, **environment)

    return asked


def test_table_is_as_the_page_shows_it(asked, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1_900_000_000.0)
    ledger = Rows(
        row("call-3-1", seconds=7500, start_at="2030-01-14T09:30:00-05:00", lease_ms=-7384500, owner="engine-b"),
        row("call-5-1", "booked", 200, start_at="2030-01-14T09:00:00-05:00"),
        row("call-6-2", seconds=62, withdrawn=True, lease_ms=9500),
        row("call-7-1", start_at="2030-01-15T10:00:00-05:00", lease_ms=13500),
    )
    [shown] = [block.text for block in blocks_of(ROOT / "docs" / "python.md") if block.text.startswith("key ")]
    code, out, err = asked(ledger)
    assert (code, out, err, ledger.is_open) == (0, shown, "", False)


def test_command_of_the_page_is_understood(run, monkeypatch):
    page = blocks_of(ROOT / "docs" / "python.md")
    [setting, command] = next(block.text for block in page if "PARTNER_LEDGER=" in block.text).splitlines()
    ledger, urls = Rows(), []
    monkeypatch.setattr(pb.ledgers, "from_url", lambda url, **options: urls.append(url) or ledger)
    url = setting.split("=", 1)[1].split()[0]
    assert run(*command.removeprefix("venv/bin/partnerbooking ").split(), LEDGER=url) == (0, "nothing is open\n", "")
    assert urls == [url] and ledger.asked[0]["bot_id"] == "bot_..."


def test_json_has_the_rows_and_no_customer(asked):
    code, out, err = asked(Rows(row("key-7", lease_ms=-5)), "--json")
    [shown] = json.loads(out)["rows"]
    assert (code, err) == (0, "") and NAME not in out and "body" not in shown and "claim" not in shown
    assert (shown["key"], shown["owner"], shown["lease_ms"], shown["withdrawn"]) == ("key-7", "engine-a", -5, False)


def test_nothing_is_open(asked):
    assert asked(Rows()) == (0, "nothing is open\n", "")
    assert json.loads(asked(Rows(), "--json")[1])["rows"] == []


def test_words_of_others_cannot_command_the_terminal(asked):
    code, out, _ = asked(Rows(row("\x1b[2Jkey", owner="\x1b[1m", lease_ms=1)))
    assert code == 0 and "\x1b" not in out


def test_more_than_are_listed(asked):
    code, out, err = asked(Rows(*[row("key-7")] * 10_000))
    assert (code, len(out.splitlines())) == (0, 10_001) and "the oldest 10000" in err


def test_scope_is_that_of_the_clients(asked, tmp_path):
    def scope(*arguments: str, **environment: str) -> Any:
        ledger = Rows()
        assert asked(ledger, *arguments, **environment)[0] == 0
        return ledger.asked[0]["scope"]

    def config(**members: Any) -> tuple[str, str]:
        (tmp_path / "config.json").write_text(json.dumps(members))
        return "--config", str(tmp_path / "config.json")

    assert scope() == "https://appointments.dialstack.ai/v1/bookings"
    assert scope(API_URL="https://other.example/") == "https://other.example/v1/bookings"
    paths = {"create_booking": "/v2/bookings"}
    assert scope(*config(base_url="https://a.example", paths=paths)) == "https://a.example/v2/bookings"
    assert scope(*config(endpoint="sandbox")) == "sandbox"
    assert scope(*config(endpoint="platform_webhook", platforms={})) == "platform_webhook"
    assert scope(*config(ledger_scope="fleet-1")) == "fleet-1"
    assert scope("--scope", "fleet-2", *config(ledger_scope="fleet-1")) == "fleet-2"


def test_bot(asked):
    ledger = Rows()
    asked(ledger, BOT_ID="bot_of_the_environment")
    asked(ledger, "--bot", "bot_1")
    assert [one.get("bot_id") for one in ledger.asked] == [None, "bot_1"]


def test_a_ledger_that_cannot_be_asked(asked):
    class Down:
        def execute(self, operations: Any) -> Any:
            raise ConnectionError(f"no connection to {URL}\nDETAIL: {NAME}")

    code, out, err = asked(Down())
    assert (code, out) == (1, "") and "ConnectionError: no connection to postgres://***@db.internal/bookings\n" in err
    assert "topsecret" not in err and NAME not in err

    class Failing:
        def execute(self, operations: Any) -> Any:
            return [{"id": "1", "result": "failed", "message": "disk full"}]

    code, out, err = asked(Failing())
    assert (code, out) == (1, "") and "disk full" in err


def test_usage(run, tmp_path):
    code, out, err = run("pending")
    assert (code, out) == (2, "") and "PARTNER_LEDGER" in err
    for arguments, said in [
        (("--ledger", "mysql://u:topsecret@h/d"), "postgres://"),
        (("--ledger", URL, "--config", str(tmp_path / "none.json")), "No such file"),
        (("--ledger", URL, "--config", str(tmp_path)), "directory"),
    ]:
        code, out, err = run("pending", *arguments)
        assert (code, out) == (2, "") and said in err and "topsecret" not in err, err
    code, _, err = run("pending", LEDGER="mysql://h/d")
    assert code == 2 and "postgres://" in err
