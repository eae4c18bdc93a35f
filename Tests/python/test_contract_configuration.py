"""Configurations against docs/json-contract.md: what is wrong or out of its range is named."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import pbk
import pbk_ledger
import pytest
from contract import CONTRACT, ERROR_MEMBERS, error_object, table_rows
from loopback import webhook_config
from reference_names import API_KEY
from samples import BOT_ID, SANDBOX, spoiled

DIRECTORY = tempfile.TemporaryDirectory()
"""For the journals of this module's clients."""

PLATFORM = {"account_id": "acct_1", "webhook_url": "https://clinic.example", "webhook_secret": "whsec_1"}
PLATFORM_WEBHOOK = webhook_config({BOT_ID: PLATFORM}, keep_warm_ms=0)

SWITCHES = {
    *("journal_required", "resume_on_open", "keys_shared", "report_settled", "check_start_at"),
    *("journal_keeps_replies", "ledger_takes_over"),
    "stats",
    f"platforms.{BOT_ID}.check_start_at",
}
"""Options that are true or false."""


def open_and_close(config: Any) -> None:
    """With a ledger, if a member of the configuration is for one."""
    has_ledger = any(name.startswith("ledger_") for name in config)
    (pbk_ledger.Client if has_ledger else pbk.Client)(config).close(0)


def refused(config: Any) -> dict[str, Any]:
    with pytest.raises(pbk.OpenError) as raised:
        open_and_close(config)
    return error_object(raised.value.reply)


OPTIONS = [
    (prefix, row)
    for prefix, heading in [
        ("", "## Configuration"),
        ("sandbox.", "### The sandbox"),
        (f"platforms.{BOT_ID}.", "### Platforms"),
    ]
    for row in table_rows(CONTRACT, heading)
]
OPTION_NAMES = [prefix + row[0].strip("`") for prefix, row in OPTIONS]
RANGES = [
    (prefix + row[0].strip("`"), *map(int, bounds[0]))
    for prefix, row in OPTIONS
    if (bounds := re.findall(r"^(\d+)…(\d+)$", row[1]))
]


def config_with(option: str, value: Any) -> dict[str, Any]:
    base = SANDBOX if option.startswith("sandbox") else {"api_key": API_KEY}
    if option.startswith(("platforms", "private_hosts", "webhook")):
        base = PLATFORM_WEBHOOK
    if option == "resume_on_open" or option.startswith("journal_") and option not in ("journal_path", "journal_dir"):
        base = base | {"journal_path": f"{DIRECTORY.name}/journal"}
    return spoiled(base, option, value)


@pytest.mark.parametrize("option", OPTION_NAMES)
@pytest.mark.parametrize("value", [0.5, True, None, "", "\u0000"], ids=repr)
def test_wrong_option(option, value):
    if value is True and option in SWITCHES:
        open_and_close(config_with(option, value))
        return
    error = refused(config_with(option, value))
    assert (error["code"], error["field"]) == ("invalid_config", option)
    assert set(error) == ERROR_MEMBERS


@pytest.mark.parametrize(("option", "least", "most"), RANGES)
def test_bounds_of_option(option, least, most):
    for value in (least, most):
        open_and_close(config_with(option, value))
    for value in (least - 1, most + 1):
        error = refused(config_with(option, value))
        assert (error["code"], error["field"]) == ("invalid_config", option)


def test_the_page_gives_bounds():
    assert {"timeout_ms", "retry.max_attempts", "sandbox.capacity"} <= {option for option, *_ in RANGES}


@pytest.mark.parametrize("option", ["colour", "retry.max_attemps", "tls.verify", "paths.cancel", "sandbox.open"])
def test_unknown_option(option):
    error = refused(config_with(option, 1))
    assert (error["code"], error["field"]) == ("invalid_config", option)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("api_key", "sk_live_0123"),
        ("api_key", "sk_ptnr_" + "x" * 505),
        ("api_key", "sk_ptnr_0123\r\nX-Injected: 1"),
        ("base_url", "http://appointments.dialstack.ai"),
        ("base_url", "https://user:secret@appointments.dialstack.ai"),
        ("base_url", "https://appointments.dialstack.ai/?a=1"),
        ("base_url", "https://appointments.dialstack.ai/#a"),
        ("base_url", "ftp://localhost"),
        ("paths.create_booking", "v1/bookings"),
        ("proxy", "gopher://localhost:70"),
        ("tls.ca_file", "/nonexistent/ca.pem"),
        ("sandbox.time_zone", "+25:00"),
        ("sandbox.time_zone", "America/Springfield"),
        ("sandbox.answer", "windows "),
        ("sandbox.dates", "local"),
        ("sandbox.in_work", "first"),
        ("sandbox.now", "yesterday"),
        ("sandbox.opening_hours", {"monday": ["17:00-09:00"]}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_option_out_of_its_range(option, value):
    error = refused(config_with(option, value))
    assert error["code"] == "invalid_config"
    assert error["field"].startswith(option)
    assert "Injected" not in error["message"] and "secret" not in error["message"]


def test_partner_api_needs_a_key():
    error = refused({})
    assert (error["code"], error["field"]) == ("invalid_config", "api_key")


def test_sandbox_options_need_the_sandbox():
    error = refused({"api_key": API_KEY, "sandbox": {}})
    assert (error["code"], error["field"]) == ("invalid_config", "sandbox")


@pytest.mark.parametrize("scope", ["x" * 201, "é" * 101])
def test_scope_of_the_ledger_is_at_most_200_bytes(scope):
    open_and_close({"api_key": API_KEY, "ledger_scope": scope[: 200 // len(scope[0].encode())]})
    error = refused({"api_key": API_KEY, "ledger_scope": scope})
    assert (error["code"], error["field"]) == ("invalid_config", "ledger_scope")


LEDGER_OPTIONS = [name for name in OPTION_NAMES if name.startswith("ledger_")]
JOURNAL_ALONE = [name for name in OPTION_NAMES if name.startswith("journal_") or name == "resume_on_open"]
JOURNAL_ALONE = [name for name in JOURNAL_ALONE if name not in ("journal_required", "journal_timeout_ms")]
VALUES = {"ledger_scope": "clinics", "ledger_lease_ms": 2000, "journal_max_bytes": 1048576}


@pytest.mark.parametrize("option", LEDGER_OPTIONS)
def test_option_of_a_ledger_needs_one(option):
    with pytest.raises(pbk.OpenError) as raised:
        pbk.Client({"api_key": API_KEY, option: VALUES.get(option, True)}).close(0)
    error = error_object(raised.value.reply)
    assert (error["code"], error["field"]) == ("invalid_config", option)


@pytest.mark.parametrize("option", JOURNAL_ALONE)
def test_option_of_a_journal_is_refused_with_a_ledger(option):
    value = f"{DIRECTORY.name}/other" if option in ("journal_path", "journal_dir") else VALUES.get(option, True)
    error = refused({"api_key": API_KEY, "ledger_scope": "clinics", option: value})
    assert (error["code"], error["field"]) == ("invalid_config", option)


def test_ledger_takes_two_options_of_the_journal():
    assert len(LEDGER_OPTIONS) == 3 and len(JOURNAL_ALONE) == 5
    open_and_close({"api_key": API_KEY, "ledger_scope": "x", "journal_required": False, "journal_timeout_ms": 1})


def test_file_of_certificates_that_holds_none():
    error = refused({"api_key": API_KEY, "tls": {"ca_file": str(Path(__file__))}})
    assert (error["code"], error["field"]) == ("invalid_config", "tls.ca_file")
