"""A real Prometheus scrapes a client that meets faults. Its values are those of `stats()`, and its
alerts fire."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import partnerbooking as pb
import pytest
from clinic import Clinic
from monitoring import FILES, ROOT, Prometheus, filled, panels, shortened
from partnerbooking.prometheus import Collector
from prometheus_client import CollectorRegistry, start_http_server

EXAMPLE = ROOT / "bindings" / "python" / "examples" / "metrics_server.py"
RULES = (FILES / "alerts.yaml").read_text()
ONE_TRY = {"retry": {"max_attempts": 1}}


@contextmanager
def endpoint(client: pb.Client, name: str) -> Iterator[int]:
    """The port of /metrics."""
    registry = CollectorRegistry()
    registry.register(Collector(client, name))
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def search(client: pb.Client, clinic: Clinic) -> list[str]:
    today = date.today()
    request = pb.SearchAvailabilityRequest(clinic.bot_id, today + timedelta(days=1), today + timedelta(days=7))
    return [slot.start_at for slot in client.search_availability(request).availabilities]


def book(client: pb.Client, clinic: Clinic, start_at: str, timeout_ms: int | None = None) -> None:
    caller, options = pb.Customer("+14155550137", "John Doe"), pb.CallOptions(timeout_ms=timeout_ms)
    client.create_booking(
        pb.CreateBookingRequest(clinic.bot_id, start_at, 30, caller, f"key-{start_at}", options=options)
    )


def test_values_are_those_of_the_client(server, tmp_path):
    clinic = server.clinic()
    with (
        pb.Client(**clinic.config(**ONE_TRY)) as client,
        endpoint(client, "reception") as port,
        Prometheus(tmp_path, {"voice-bots": port}, RULES) as prometheus,
    ):
        free = [search(client, clinic) for _ in range(7)][0]
        book(client, clinic, free[0])
        clinic.fault("booking", "lost")
        with pytest.raises(pb.InDoubt):
            book(client, clinic, free[1], timeout_ms=600)
        clinic.mend()
        clinic.fault("search", "busy", times=2)
        for _ in range(2):
            with pytest.raises(pb.ServiceFailed):
                search(client, clinic)
        client.conversation("call-1", clinic.bot_id).call("find_appointment_slots", {"when": "as soon as possible"})
        expected = client.stats()
        assert {(call.operation, call.status) for call in expected.calls} >= {
            ("search_availability", "ok"),
            ("search_availability", "service_failed"),
            ("create_booking", "ok"),
            ("call_tool", "ok"),
        }
        assert sum(expected.attempts.values()) > 10 and expected.connections_opened > 0

        # The library asks for the booking in doubt. Then nothing happens any more.
        prometheus.wait_until(client.stats, lambda stats: stats.settled == {"ok": 1} and stats.in_doubt == 0)
        labels = 'job="voice-bots",client="reception"'
        seconds = client.stats().uptime_ms / 1000
        prometheus.wait(f"partnerbooking_uptime_seconds{{{labels}}} > {seconds}")  # it has scraped since then

        def value(name: str, **more: str) -> float | None:
            selected = ",".join([labels, *(f'{label}="{text}"' for label, text in more.items())])
            return prometheus.value(f"partnerbooking_{name}{{{selected}}}")

        stats = client.stats()
        for call in stats.calls:
            which = {"operation": call.operation, "status": call.status}
            assert value("calls_total", **which) == call.count
            assert value("call_duration_seconds_count", **which) == call.count
            assert value("call_duration_seconds_sum", **which) == call.total_ms / 1000
            assert value("call_duration_seconds_bucket", le="0.5", **which) == sum(call.buckets[:7])
        for outcome, count in stats.booking_outcomes.items():
            assert value("booking_outcomes_total", outcome=outcome) == count
        for result, count in stats.attempts.items():
            assert value("attempts_total", result=result) == count
        assert value("settled_total", status="ok") == 1
        for tool in stats.tools:
            assert value("tool_results_total", tool=tool.tool, result=tool.result) == tool.count
        for name in ("retries", "connections_opened", "connections_reused", "cache_hits", "cache_misses", "slow"):
            assert value(f"{name}_total") == getattr(stats, name), name
        for name in ("in_flight", "queued", "breakers_open"):
            assert value(name) == getattr(stats, name), name
        assert value("bookings_in_doubt") == stats.in_doubt


def test_alerts_fire(server, tmp_path):
    """With windows of 15 seconds, and doubts that may last 2."""
    clinic = server.clinic()
    with (
        pb.Client(**clinic.config(**ONE_TRY, platform_keys="none", settle_for_ms=0)) as client,
        endpoint(client, "reception") as port,
        Prometheus(tmp_path, {"voice-bots": port}, shortened(RULES, 15)) as prometheus,
    ):
        free = search(client, clinic)
        prometheus.wait('partnerbooking:calls:increase5m{status="ok"} > 0')
        for _ in range(6):
            time.sleep(0.5)
            search(client, clinic)
        assert prometheus.alerts() == {}

        clinic.fault("search", "busy", times=6)
        for _ in range(6):
            with pytest.raises(pb.ServiceFailed):
                search(client, clinic)
        clinic.fault("booking", "lost", times=1)
        with pytest.raises(pb.InDoubt):
            book(client, clinic, free[0])
        wanted = {
            "PartnerBookingServiceFailed": "ticket",
            "PartnerBookingServiceFailedOften": "page",
            "PartnerBookingDoubtStays": "page",
        }
        found = prometheus.wait_until(prometheus.alerts, lambda alerts: set(alerts) >= set(wanted))
        assert {name: alert["labels"]["severity"] for name, alert in found.items()} == wanted
        doubt = found["PartnerBookingDoubtStays"]
        assert doubt["annotations"]["summary"].startswith("voice-bots/reception at 127.0.0.1:")
        assert doubt["annotations"]["runbook_url"] == "docs/operations.md#bookings"

        # The failures are over, the doubt is not.
        prometheus.wait_until(prometheus.alerts, lambda alerts: set(alerts) == {"PartnerBookingDoubtStays"})


def test_example_fills_the_dashboard(tmp_path):
    """Each panel gets an answer, and those that every process fills have a line."""
    command = [sys.executable, str(EXAMPLE), "--port", "0", "--seconds", "20"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as example:
        assert example.stdout is not None
        port = int(re.findall(r":(\d+)/metrics", example.stdout.readline())[0])
        with Prometheus(tmp_path, {"example": port}, RULES) as prometheus:
            prometheus.wait('sum(rate(partnerbooking_calls_total{operation="create_booking"}[5s])) > 0')
            shown = {
                panel["title"]: [
                    prometheus.query(filled(target["expr"], "example", interval="5s")) for target in panel["targets"]
                ]
                for panel in panels()
            }
            prometheus.wait("up == 0")
            last = prometheus.query("max_over_time(partnerbooking_calls_total[1m])")
        line = re.compile(r"^partnerbooking_calls_total(\{.*\}) ([\d.]+)$", re.MULTILINE)
        printed = dict(line.findall(example.stdout.read()))
    assert example.returncode == 0
    empty = {title for title, answers in shown.items() if not any(answers)}
    assert empty <= SOMETIMES_EMPTY

    counted = {(labels["operation"], labels["status"]): value for labels, value in last}
    for text, value in printed.items():
        labels = dict(re.findall(r'(\w+)="([^"]*)"', text))
        assert 0 <= counted.get((labels["operation"], labels["status"]), 0) <= float(value)
    assert counted["search_availability", "ok"] > 0.5 * max(map(float, printed.values()))


SOMETIMES_EMPTY = {"Failures by status", "Results of tool calls", "Doubts that were settled, by status"}
