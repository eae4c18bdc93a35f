"""The configuration's members, for type checkers. The library itself checks them: its error names
an unknown or wrong member.

docs/json-contract.md describes each member, its range and its default.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict, Union

Endpoint = Literal["partner_api", "platform_webhook", "sandbox"]
"""The service that a client calls."""

Keys = Literal["first", "kept", "none"]
"""The way a platform, or the sandbox's clinic, treats idempotency keys."""


class Paths(TypedDict, total=False):
    search_availability: str
    create_booking: str


class Retry(TypedDict, total=False):
    max_attempts: int
    base_delay_ms: int
    max_delay_ms: int
    budget: int


class CircuitBreaker(TypedDict, total=False):
    failures: int
    open_ms: int


class TLS(TypedDict, total=False):
    ca_file: str


class Bot(TypedDict, total=False):
    """A member of `bots`, by the bot's ID: the facts about its platform."""

    platform_keys: Keys
    platform_limit_ms: int
    check_start_at: bool


class Platform(TypedDict, total=False):
    """A member of `platforms`, by the bot's ID: the platform of that bot."""

    account_id: str
    webhook_url: str
    webhook_secret: Union[str, Sequence[str]]
    platform_keys: Keys
    platform_limit_ms: int
    check_start_at: bool


class Fault(TypedDict, total=False):
    fault: str
    operation: str
    calls: Sequence[int]
    percent: int
    ms: int
    work_ms: int
    status: int
    code: str
    body: str
    content_type: str
    booking_status: str
    wrong: bool


class Sandbox(TypedDict, total=False):
    answer: str
    opening_hours: Mapping[str, Sequence[str]]
    time_zone: str
    slot_minutes: int
    min_notice_minutes: int
    days: int
    dates: str
    capacity: int
    keys: Keys
    in_work: str
    bots: Sequence[str]
    api_key: str
    now: str
    latency_ms: int
    faults: Sequence[Fault]
    seed: int


class Service(TypedDict):
    """An item of `voice.services`."""

    name: str
    duration_minutes: int


class VoiceOfBot(TypedDict, total=False):
    """A member of `voice.bots`, by the bot's ID: the clinic of that bot."""

    time_zone: str
    locale: Literal["en-US", "en-GB", "es", "fr"]
    region: str
    services: Sequence[Service]
    step_minutes: int
    opening: Mapping[str, Sequence[str]]
    min_notice_minutes: int
    max_days_ahead: int
    offers: int
    confirm: Literal["readback", "none"]
    cache_ms: int
    prefetch_days: int
    items: Literal["auto", "slots", "windows"]


class Voice(VoiceOfBot, total=False):
    """The clinic of all bots. Members in `bots` replace those here for a single bot."""

    bots: Mapping[str, VoiceOfBot]


class Configuration(TypedDict, total=False):
    """The keywords of `Client` and `AsyncClient`."""

    endpoint: Endpoint
    api_key: str
    base_url: str
    paths: Paths
    timeout_ms: int
    connect_timeout_ms: int
    max_reply_bytes: int
    slow_after_ms: int
    max_in_flight: int
    max_queued: int
    max_connections: int
    max_streams_per_connection: int
    keep_warm_ms: int
    retry: Retry
    circuit_breaker: CircuitBreaker
    booking_retention_minutes: int
    journal_path: str
    journal_dir: str
    journal_required: bool
    journal_timeout_ms: int
    journal_max_bytes: int
    journal_keeps_replies: bool
    resume_on_open: bool
    ledger_scope: str
    ledger_lease_ms: int
    ledger_takes_over: bool
    platform_keys: Keys
    platform_limit_ms: int
    check_start_at: bool
    bots: Mapping[str, Bot]
    keys_shared: bool
    settle_for_ms: int
    stats: bool
    report_settled: bool
    tls: TLS
    proxy: str
    platforms: Mapping[str, Platform]
    private_hosts: Sequence[str]
    webhook_timeout_ms: int
    sandbox: Sandbox
    voice: Voice
