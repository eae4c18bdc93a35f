"""Counters and gauges of a client, as `stats()` returns them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .values import parsed


@dataclass(frozen=True)
class CallStats:
    """The calls of one operation that ended with one status."""

    operation: str
    """`search_availability`, `create_booking`, `lookup_customer` or `call_tool`."""
    status: str
    """The name of the `pbk_status` without its prefix: `ok`, `timeout` and others."""
    count: int
    total_ms: int
    """The sum of the durations in milliseconds."""
    buckets: tuple[int, ...]
    """Counts by duration: a number for each of `Stats.bucket_bounds_ms`. The last number counts all
    longer calls."""


@dataclass(frozen=True)
class ToolStats:
    """The calls of one tool that had one result."""

    tool: str
    result: str
    count: int


@dataclass(frozen=True)
class Stats:
    """Counters since the client was opened, and current gauges. Lists leave out events that never
    happened. With `stats=False` in the configuration the counters are 0. docs/json-contract.md
    describes each member."""

    uptime_ms: int
    bucket_bounds_ms: tuple[int, ...]
    calls: tuple[CallStats, ...]
    tools: tuple[ToolStats, ...]
    booking_outcomes: Mapping[str, int]
    """Bookings that failed, by `not_sent`, `rejected` and `unknown`."""
    attempts: Mapping[str, int]
    """HTTP attempts by result: `http_2xx`, `timeout` and others."""
    settled: Mapping[str, int]
    """Bookings that were settled after their call, by status."""
    slow: int
    """Submitted calls that took longer than their `slow_after_ms`."""
    retries: int
    connections_opened: int
    connections_reused: int
    searches_joined: int
    cache_hits: int
    cache_misses: int
    breakers_opened: int
    journal_failures: int
    ledger_failures: int
    ledger_takeovers: int
    """Bookings of dead engines that this client has taken over."""
    ledger_leases_lost: int
    """Bookings that another engine has taken over from this client."""
    log_lines_dropped: int
    in_flight: int
    """Calls that are being delivered. This and the members below are gauges."""
    queued: int
    breakers_open: int
    open_calls: int
    open_connections: int
    in_doubt: int
    oldest_doubt_ms: int
    """Age of the oldest booking in doubt. 0 when there is none."""
    unheard: int
    """Bookings that ended, and whose end the host has not heard."""
    oldest_unheard_ms: int
    """Age of the oldest such booking. 0 when there is none."""
    journal_damaged_bytes: int
    """Bytes that were skipped when the journal was opened."""
    journals_left: int
    """Journals of dead processes in `journal_dir` that were not adopted when the client was
    opened."""
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The whole reply, with members that a newer library adds."""


_NUMBERS = (
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
    "in_flight",
    "queued",
    "breakers_open",
    "open_calls",
    "open_connections",
    "in_doubt",
    "oldest_doubt_ms",
    "unheard",
    "oldest_unheard_ms",
    "journal_damaged_bytes",
    "journals_left",
)


def stats(json: bytes) -> Stats:
    """Reads a reply of `pbk_stats`."""
    raw = parsed(json)

    def counts(list_name: str, name: str) -> dict[str, int]:
        return {item[name]: item["count"] for item in raw[list_name]}

    return Stats(
        uptime_ms=raw["uptime_ms"],
        bucket_bounds_ms=tuple(raw["bucket_bounds_ms"]),
        calls=tuple(
            CallStats(item["operation"], item["status"], item["count"], item["total_ms"], tuple(item["buckets"]))
            for item in raw["calls"]
        ),
        tools=tuple(ToolStats(item["tool"], item["result"], item["count"]) for item in raw["tools"]),
        booking_outcomes=counts("booking_outcomes", "outcome"),
        attempts=counts("attempts", "result"),
        settled=counts("settled", "status"),
        **{name: raw[name] for name in _NUMBERS},
        raw=raw,
    )
