"""A collector that exports the counters and gauges of clients to Prometheus.

    from prometheus_client import REGISTRY, start_http_server
    REGISTRY.register(Collector(client))
    start_http_server(9464)

docs/observability.md lists the metrics.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Union

from .aio import AsyncClient
from .client import Client
from .errors import Error
from .stats import CallStats, Stats

try:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
    from prometheus_client.registry import Collector as _Collector
except ImportError as error:
    raise ImportError(
        "partnerbooking.prometheus needs prometheus_client 0.20 or later: pip install 'partnerbooking[prometheus]'"
    ) from error

if TYPE_CHECKING:
    from prometheus_client import Metric

__all__ = ["Collector"]

AnyClient = Union[Client, AsyncClient]

_OPERATIONS = ("search_availability", "create_booking", "lookup_customer", "call_tool")
_OUTCOMES = ("not_sent", "rejected", "unknown")

_COUNTERS = {
    "slow": "Calls that took longer than slow_after_ms.",
    "retries": "Repeated HTTP attempts.",
    "connections_opened": "Connections that were opened.",
    "connections_reused": "HTTP attempts that found their connection ready.",
    "searches_joined": "Searches that joined an equal one under way.",
    "cache_hits": "Searches of tool calls that the cache answered.",
    "cache_misses": "Searches of tool calls that the cache could not answer.",
    "breakers_opened": "Times that a circuit breaker opened.",
    "journal_failures": "Records that the journal did not take.",
    "ledger_failures": "Batches and operations that the ledger did not answer, or answered with an error.",
    "ledger_takeovers": "Bookings of dead engines that this client has taken over.",
    "ledger_leases_lost": "Bookings that another engine has taken over from this client.",
    "log_lines_dropped": "Lines of the log that were lost.",
}
_GAUGES = {
    "in_flight": ("in_flight", "Calls that are being delivered."),
    "queued": ("queued", "Calls that wait for their turn."),
    "breakers_open": ("breakers_open", "Circuit breakers that are open."),
    "open_calls": ("open_calls", "Calls that are not over, or whose completion nobody has taken."),
    "open_connections": ("open_connections", "Connections that are open."),
    "in_doubt": ("bookings_in_doubt", "Bookings that may have been made."),
    "unheard": ("completions_unheard", "Bookings that ended and whose end the program has not heard."),
    "journal_damaged_bytes": ("journal_damaged_bytes", "Bytes that were skipped when the journal was opened."),
    "journals_left": ("journals_left", "Journals of dead processes that were left when the client was opened."),
}
_SECONDS = {
    "uptime_ms": ("uptime_seconds", "Age of the client."),
    "oldest_doubt_ms": ("oldest_doubt_seconds", "Age of the oldest booking in doubt; 0 without one."),
    "oldest_unheard_ms": ("oldest_unheard_seconds", "Age of the oldest end that nobody has heard; 0 without one."),
}


class Collector(_Collector):
    """A collector for a registry of prometheus_client. Each scrape reads the clients' `stats()`.
    Register it once.

    Each client has a name, which is the label `client`. A client that is closed or was
    garbage-collected has no metrics. Any thread may use a collector.
    """

    def __init__(self, client: AnyClient | None = None, name: str = "") -> None:
        self._clients: dict[str, weakref.ref[AnyClient]] = {}
        if client is not None:
            self.add(client, name)

    def add(self, client: AnyClient, name: str) -> None:
        """Adds a client. Raises ValueError when an open client has the name."""
        if name in {taken for taken, _ in self._read()}:
            raise ValueError(f"another client is named {name!r}: give each a name of its own")
        self._clients[name] = weakref.ref(client)

    def describe(self) -> Iterator[Metric]:
        """Returns the metrics without their samples."""
        yield from _metrics([])

    def collect(self) -> Iterator[Metric]:
        """Returns the metrics."""
        yield from _metrics(self._read())

    def _read(self) -> list[tuple[str, Stats]]:
        found = []
        for name, reference in list(self._clients.items()):
            client = reference()
            if client is None:
                continue
            try:
                found.append((name, client.stats()))
            except Error:  # the client is closed
                continue
        return found


def _metrics(clients: list[tuple[str, Stats]]) -> Iterator[Metric]:
    yield from _calls(clients)
    yield _counts("booking_outcomes", "Bookings that failed, by outcome.", "outcome", {
        name: {**dict.fromkeys(_OUTCOMES, 0), **stats.booking_outcomes} for name, stats in clients
    })
    yield _counts("attempts", "HTTP attempts, by result.", "result", {
        name: stats.attempts for name, stats in clients
    })
    yield _counts("settled", "Bookings that were settled after their call, by status.", "status", {
        name: stats.settled for name, stats in clients
    })
    tools = CounterMetricFamily(
        "partnerbooking_tool_results", "Tool calls, by tool and result.", labels=["client", "tool", "result"]
    )
    for name, stats in clients:
        for one in stats.tools:
            tools.add_metric([name, one.tool, one.result], one.count)
    yield tools
    for member, text in _COUNTERS.items():
        counter = CounterMetricFamily(f"partnerbooking_{member}", text, labels=["client"])
        for name, stats in clients:
            counter.add_metric([name], getattr(stats, member))
        yield counter
    for member, (metric, text) in _GAUGES.items():
        gauge = GaugeMetricFamily(f"partnerbooking_{metric}", text, labels=["client"])
        for name, stats in clients:
            gauge.add_metric([name], getattr(stats, member))
        yield gauge
    for member, (metric, text) in _SECONDS.items():
        seconds = GaugeMetricFamily(f"partnerbooking_{metric}", text, labels=["client"])
        for name, stats in clients:
            seconds.add_metric([name], getattr(stats, member) / 1000)
        yield seconds


def _calls(clients: list[tuple[str, Stats]]) -> Iterator[Metric]:
    labels = ["client", "operation", "status"]
    calls = CounterMetricFamily("partnerbooking_calls", "Calls that ended, by operation and status.", labels=labels)
    durations = HistogramMetricFamily(
        "partnerbooking_call_duration_seconds", "Durations of calls, by operation and status.", labels=labels
    )
    for name, stats in clients:
        # rate() misses an increase from nothing to 1, so the usual series start at 0.
        counts = {(operation, "ok"): 0 for operation in _OPERATIONS}
        counts.update({(one.operation, one.status): one.count for one in stats.calls})
        for (operation, status), count in counts.items():
            calls.add_metric([name, operation, status], count)
        for one in stats.calls:
            buckets = _cumulative(stats.bucket_bounds_ms, one)
            durations.add_metric([name, one.operation, one.status], buckets, one.total_ms / 1000)
    yield calls
    yield durations


def _cumulative(bounds_ms: tuple[int, ...], calls: CallStats) -> list[tuple[str, float]]:
    buckets, total = [], 0
    for bound, count in zip([*(str(bound / 1000) for bound in bounds_ms), "+Inf"], calls.buckets):
        total += count
        buckets.append((bound, float(total)))
    return buckets


def _counts(metric: str, text: str, label: str, clients: Mapping[str, Mapping[str, int]]) -> Metric:
    counter = CounterMetricFamily(f"partnerbooking_{metric}", text, labels=["client", label])
    for name, counts in clients.items():
        for value, count in counts.items():
            counter.add_metric([name, value], count)
    return counter
