"""`stats()` of both clients, and the collector for Prometheus: what it shows as text."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
import re
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from partnerbooking.prometheus import Collector
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from python_package import EXAMPLES, PACKAGE, booking, doubt, doubtful, pb, run, search
from samples import BOT_ID, NAME, PHONE, READS_ONLY, SANDBOX
from waiting import SOON

COUNTED = {
    "calls",
    "booking_outcomes",
    "attempts",
    "settled",
    "tool_results",
    "slow",
    "retries",
    "connections_opened",
    "connections_reused",
    "searches_joined",
    "cache_hits",
    "cache_misses",
    "breakers_opened",
    "journal_failures",
    "ledger_failures",
    "ledger_takeovers",
    "ledger_leases_lost",
    "log_lines_dropped",
}
GAUGES = {
    "in_flight",
    "queued",
    "breakers_open",
    "open_calls",
    "open_connections",
    "bookings_in_doubt",
    "completions_unheard",
    "uptime_seconds",
    "oldest_doubt_seconds",
    "oldest_unheard_seconds",
    "journal_damaged_bytes",
    "journals_left",
}


def page(collector: Collector) -> str:
    """Returns the exposition that Prometheus gets."""
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry).decode()


def samples(text: str) -> dict[str, float]:
    """By name and labels, without the prefix and the client's label."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()) if name != "client")
            found[f"{sample.name.removeprefix('partnerbooking_')}{{{labels}}}"] = sample.value
    return found


# ---- stats() -------------------------------------------------------------------------------------


def test_calls_are_counted():
    with pb.Client(**doubtful(2), **READS_ONLY) as client:
        assert client.stats().calls == ()
        client.search_availability(search())
        client.create_booking(booking())
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
        with pytest.raises(pb.InvalidField):
            client.create_booking({"bot_id": BOT_ID})
        stats = client.stats()
    counts = {(call.operation, call.status): call.count for call in stats.calls}
    assert counts == {
        ("search_availability", "ok"): 1,
        ("create_booking", "ok"): 1,
        ("create_booking", "in_doubt"): 1,
        ("create_booking", "invalid_field"): 1,
    }
    for call in stats.calls:
        assert len(call.buckets) == len(stats.bucket_bounds_ms) + 1 and sum(call.buckets) == call.count
    assert stats.booking_outcomes == {"unknown": 1, "not_sent": 1}
    assert (stats.in_doubt, stats.in_flight, stats.queued) == (1, 0, 0)


def test_stats_have_all_that_the_reply_has():
    with pb.Client(**SANDBOX) as client:
        stats = client.stats()
    assert {field.name for field in dataclasses.fields(stats)} - {"raw"} == set(stats.raw)


def test_asyncio_has_them_and_tools_are_counted():
    async def main() -> pb.Stats:
        async with pb.AsyncClient(**SANDBOX, voice={"time_zone": "America/New_York"}) as client:
            await client.conversation("call-7", BOT_ID).call("find_appointment_slots", {"when": "tomorrow"})
            return client.stats()

    stats = run(main())
    assert stats.tools == (pb.ToolStats("find_appointment_slots", "offered", 1),)
    assert stats.cache_misses == 1 and ("call_tool", "ok") in {(call.operation, call.status) for call in stats.calls}


def test_without_stats_the_counters_stay_0():
    with pb.Client(**SANDBOX, stats=False) as client:
        client.search_availability(search())
        assert client.stats().calls == () and client.stats().uptime_ms >= 0


def test_a_closed_client_has_none():
    with pb.Client(**SANDBOX) as client:
        pass
    with pytest.raises(pb.ClientClosed):
        client.stats()


# ---- Prometheus ----------------------------------------------------------------------------------


def test_the_page_has_every_metric_from_the_start():
    with pb.Client(**SANDBOX) as client:
        text = page(Collector(client))
    types = dict(re.findall(r"^# TYPE partnerbooking_(\w+) (\w+)$", text, re.MULTILINE))
    assert types == {
        **{f"{name}_total": "counter" for name in COUNTED},
        **dict.fromkeys(GAUGES, "gauge"),
        "call_duration_seconds": "histogram",
    }
    # A series that appears with its first event has no rate.
    found = samples(text)
    assert found["calls_total{operation=create_booking,status=ok}"] == 0
    assert found["booking_outcomes_total{outcome=unknown}"] == 0


def test_the_page_shows_what_stats_has():
    with pb.Client(**doubtful(2), **READS_ONLY) as client:
        for _ in range(3):
            client.search_availability(search())
        client.create_booking(booking())
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
        stats, found = client.stats(), samples(page(Collector(client)))
    assert found["calls_total{operation=search_availability,status=ok}"] == 3
    assert found["calls_total{operation=create_booking,status=in_doubt}"] == 1
    assert found["booking_outcomes_total{outcome=unknown}"] == 1 and found["bookings_in_doubt{}"] == 1
    for call in stats.calls:
        labels = f"operation={call.operation},status={call.status}"
        bounds = [*(str(bound / 1000) for bound in stats.bucket_bounds_ms), "+Inf"]
        buckets = [found[f"call_duration_seconds_bucket{{le={bound},{labels}}}"] for bound in bounds]
        assert found[f"call_duration_seconds_count{{{labels}}}"] == buckets[-1] == call.count
        assert found[f"call_duration_seconds_sum{{{labels}}}"] == call.total_ms / 1000
        assert [int(later - before) for before, later in zip([0, *buckets], buckets)] == list(call.buckets)


def test_several_clients_have_a_label():
    collector = Collector()
    with pb.Client(**SANDBOX) as first, pb.Client(**SANDBOX) as second:
        collector.add(first, "first")
        collector.add(second, "second")
        with pytest.raises(ValueError, match="'first'"):
            collector.add(second, "first")
        first.search_availability(search())
        text = page(collector)
        line = 'partnerbooking_calls_total{client="%s",operation="search_availability",status="ok"} %.1f'
        assert line % ("first", 1) in text and line % ("second", 0) in text
    assert 'client="' not in page(collector)  # both are closed
    with pb.Client(**SANDBOX) as later:
        collector.add(later, "first")
        assert 'client="first"' in page(collector)


@pytest.mark.filterwarnings("ignore:a Client was not closed")
def test_a_collector_keeps_no_client_alive():
    collector = Collector(pb.Client(**SANDBOX))
    gc.collect()
    assert 'client="' not in page(collector)


def test_prometheus_asks_while_calls_run():
    """On threads of its own."""

    async def main() -> list[str]:
        async with pb.AsyncClient(**SANDBOX) as client:
            collector = Collector(client)
            with ThreadPoolExecutor(2) as threads:
                pages = [threads.submit(page, collector) for _ in range(20)]
                await asyncio.gather(*(client.search_availability(search()) for _ in range(200)))
                last = await asyncio.to_thread(page, collector)
            return [*(one.result() for one in pages), last]

    pages = run(main())
    counts = [samples(text)["calls_total{operation=search_availability,status=ok}"] for text in pages]
    assert counts[-1] == 200 and all(0 <= count <= 200 for count in counts)


def test_nothing_on_the_page_names_a_bot_a_call_or_a_caller():
    with pb.Client(**SANDBOX) as client:
        client.create_booking(booking(key="key-7", conversation="call-7"))
        text = page(Collector(client))
    for private in (BOT_ID, NAME, PHONE, "key-7", "call-7"):
        assert private not in text


def test_example_serves_the_page():
    """In development mode, with warnings as errors."""
    command: list[Any] = [sys.executable, "-X", "dev", "-W", "error", EXAMPLES / "metrics_server.py", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, "--seconds", "1"], env=environment, **pipes) as process:
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(url) as reply:
            assert reply.headers["Content-Type"].startswith("text/plain")
            found = samples(reply.read().decode())
        printed, complaints = process.communicate(timeout=SOON)
    assert "calls_total{operation=search_availability,status=ok}" in found and found["uptime_seconds{}"] >= 0
    assert 'operation="search_availability",status="ok"' in printed and (process.returncode, complaints) == (0, "")
