"""The package against the header and the pages of documentation, and its types against a type
checker."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys
import typing
from pathlib import Path

from contract import CONTRACT, table_rows
from header import FUNCTIONS, ROOT, VERSION
from pbk import C_TYPES
from python_package import EXAMPLES, PACKAGE, _bindings, configuration, pb

NOT_NEEDED = {
    "pbk_completion_context",  # the ticket tells as much
    "pbk_completion_reply_length",  # ctypes finds the end
    "pbk_reply_outcome",  # Python has a JSON module
    "pbk_reply_retryable",
    "pbk_reply_retry_after_ms",
    "pbk_json_get",
    "pbk_json_quote",
}


def test_functions_are_bound_as_the_header_declares_them():
    # Never one of ours.
    types = {**C_TYPES, "pbk_callback": C_TYPES["void *"], "pbk_ledger_callback": C_TYPES["void *"]}
    types.update(pbk_log_callback=_bindings.LOG_CALLBACK, pbk_log_level=ctypes.c_int)
    bound = {name: function for name, function in vars(_bindings).items() if name.startswith("pbk_")}
    assert set(FUNCTIONS) - set(bound) == NOT_NEEDED
    for name, function in bound.items():
        returned, taken = FUNCTIONS[name]
        if name.startswith("pbk_completion_") and returned == "const char *":
            assert function.restype is C_TYPES[returned]
        assert (function.restype, list(function.argtypes)) == (types[returned], [types[one] for one in taken]), name
    waiting, prompt = _bindings.wait_for_completion, _bindings.pbk_next_completion
    assert (waiting.restype, waiting.argtypes) == (prompt.restype, prompt.argtypes)


def test_versions_agree():
    assert pb.__version__ == VERSION == pb.library_version()


KNOWN_OF_A_PLATFORM = {"platform_keys", "platform_limit_ms", "check_start_at"}
"""Members that may stand at the top, and again for one bot."""


def test_configuration_has_each_documented_member():
    named = {name for row in table_rows(CONTRACT, "## Configuration") for name in re.findall(r"`([\w.]+)`", row[0])}
    documented: dict[str, set[str]] = {"": set()}
    for name in named:
        group, _, member = name.rpartition(".")
        documented.setdefault(group, set()).add(member)
        documented[""].add(group or member)
    documented["sandbox"] = _members("### The sandbox") | {"faults"}
    documented["platforms"] = _members("### Platforms") | KNOWN_OF_A_PLATFORM
    documented["bots"] = KNOWN_OF_A_PLATFORM
    kinds = {
        "": configuration.Configuration,
        "paths": configuration.Paths,
        "retry": configuration.Retry,
        "circuit_breaker": configuration.CircuitBreaker,
        "tls": configuration.TLS,
        "sandbox": configuration.Sandbox,
        "bots": configuration.Bot,
        "platforms": configuration.Platform,
        "voice": configuration.Voice,
    }
    assert {group: set(kind.__annotations__) for group, kind in kinds.items()} == documented


def _members(heading: str) -> set[str]:
    return {name for row in table_rows(CONTRACT, heading) for name in re.findall(r"`(\w+)`", row[0])}


WELL_TYPED = """
from typing import Any

import partnerbooking as pb

async def story(client: pb.AsyncClient) -> str | None:
    async with client as same:
        reply: pb.SearchAvailabilityReply = await same.search_availability({"bot_id": "b"})
    return reply.availabilities[0].start_at

with pb.Client(endpoint="sandbox", sandbox={"now": "2030-01-14T08:00:00Z"}) as client:
    booked: str | None = client.create_booking(b"{}").id
    keys: list[str] = [one.idempotency_key for one in client.give_up("call-7").given_up]
    calls: list[str | None] = [one.conversation for one in client.give_up_before("b", "2030-01-14T00:00:00Z").kept]

def report(settled: pb.Settled) -> None:
    if settled.error is not None and settled.error.doubt is not None:
        print(settled.error.doubt.sent_ms_ago)
    if settled.error is not None and settled.error.existing is not None:
        state: str = settled.error.existing.state

async def report_later(settled: pb.Settled) -> None:
    report(settled)

async def slow(client: pb.AsyncClient) -> None:
    await client.search_availability("{}", on_slow=lambda: print("one moment"))
    await client.search_availability("{}", on_slow=lambda: report_later(pb.Settled("k", None, None, None)))

class Store:
    def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{"id": one["id"], "result": "failed"} for one in operations]

class AsyncStore:
    async def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return []

pb.Client(endpoint="sandbox", ledger=Store(), ledger_scope="fleet-1", ledger_lease_ms=5000, ledger_takes_over=False)
pb.Client(ledger=pb.ledgers.from_url("redis://localhost/0"))
pb.AsyncClient(ledger=Store())
pb.AsyncClient(ledger=AsyncStore())
pb.AsyncClient(ledger=pb.ledgers.async_from_url("redis://localhost/0"))

def what_to_say(error: pb.Error) -> str:
    if error.outcome == "unknown" or error.source == "network":
        return "one moment"
    return "booked" if error.existing is not None and error.existing.state == "booked" else ""

pb.webhook.verify("whsec_1", None, memoryview(bytearray(b"{}")))
pb.Client(endpoint="sandbox", on_settled=report_later)

pb.Client(endpoint="sandbox", on_settled=report, bots={"bot_1": {"platform_keys": "first"}})
pb.AsyncClient(endpoint="sandbox", on_settled=report)
pb.AsyncClient(endpoint="sandbox", on_settled=report_later)
"""
ILL_TYPED = {
    "pb.Client(timeout=5)": "timeout",
    'pb.Client(retry={"max_attemps": 2})': "max_attemps",
    'pb.Client(timeout_ms="5")': "timeout_ms",
    'pb.SearchAvailabilityRequest("b", 5, "2030-01-15")': "start_at|Argument 2",
    "pb.Client().search_availability(5)": "Argument 1",
    'pb.Client().give_up_before("b")': "start_before",
    'pb.Client().give_up("k").kept[0].conversation.upper()': "has no attribute",
    'pb.Client().search_availability("{}").timing["total_us"]': "not indexable",
    "pb.Client(on_settled=len(''))": "on_settled",
    "pb.AsyncClient(on_settled=lambda: None)": "on_settled",
    'pb.Client(endpoint="sandbx")': "endpoint",
    'pb.Client(platform_keys="always")': "platform_keys",
    'pb.webhook.verify("whsec_1", None, "{}")': "body|Argument 3",
    'pb.Error(3, b"").outcome == "unkown"': "overlap",
    'pb.Client().pending_bookings()[0].state == "done"': "overlap",
    'pb.Client(on_call=lambda: None)': "on_call|lambda",
    'pb.Client().stats().calls[0].cuont': "cuont",
    'pb.Client(ledger="redis://localhost/0")': "ledger",
    'pb.Client(ledger=pb.ledgers.async_from_url("redis://localhost/0"))': "ledger|Coroutine",
}


def test_types_hold_under_mypy_strict(tmp_path: Path):
    """The package, its examples, and what a user writes: what is right passes, what is wrong is
    found."""
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(f"from __future__ import annotations\n{WELL_TYPED}")
    wrong.write_text("import partnerbooking as pb\n" + "\n".join(ILL_TYPED))
    command = [sys.executable, "-m", "mypy", "--config-file", str(PACKAGE / "pyproject.toml"), "--no-error-summary"]
    command += ["--cache-dir", str(ROOT / "build" / "mypy"), "--scripts-are-modules"]
    files = [PACKAGE / "partnerbooking", *sorted(EXAMPLES.glob("*.py")), right, wrong]
    done = subprocess.run([*command, *map(str, files)], cwd=PACKAGE, capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    assert not done.stderr, done.stderr
    found = {int(re.search(r"wrong\.py:(\d+)", line)[1]): line for line in lines if "wrong.py" in line}
    for number, reason in enumerate(ILL_TYPED.values(), 2):
        assert re.search(reason, found.get(number, "")), (number, done.stdout)
    assert [line for line in lines if "wrong.py" not in line and " error: " in line] == [], done.stdout


def test_python_3_9_has_all_that_the_package_uses():
    vermin = Path(sys.executable).with_name("vermin")
    command = [vermin, "-t=3.9-", "--no-tips", "--violations", PACKAGE / "partnerbooking", EXAMPLES]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_public_names_are_all_there_and_their_types_can_be_asked_for():
    assert [name for name in pb.__all__ if not hasattr(pb, name)] == []
    assert typing.get_type_hints(configuration.Configuration)["tls"] is configuration.TLS
    assert (Path(pb.__file__).parent / "py.typed").exists()
