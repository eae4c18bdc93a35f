"""The command `doctor`: tries each step of a call in turn, and shows what is wrong.

It asks through the library, with the client's own configuration. So it uses the same resolver,
trusted certificates and proxy as an engine. The library itself measures the times.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import time
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from . import _bindings, _messages, _output, _table
from .aio import AsyncClient
from .errors import (
    AddressRefused,
    CircuitOpen,
    ConnectFailed,
    ConnectionLost,
    DNSFailed,
    Error,
    InvalidConfig,
    NoWebhook,
    ProxyFailed,
    RateLimited,
    ReplyError,
    ServiceError,
    ServiceFailed,
    Timeout,
    TLSFailed,
    Unauthorized,
    UnknownBot,
)
from .values import SearchAvailabilityRequest

SERVICE = "https://appointments.dialstack.ai"
NO_BOT = "bot_partnerbooking_doctor"
"""An ID that no bot has. If the service answers that the bot is unknown, it accepts the key."""

WARM_SEARCHES = 5
SLOW_MS = 1000
"""In milliseconds. After a longer pause a caller thinks that the line is dead."""

OK, FAILED, NOTE, SKIPPED = "ok", "FAILED", "note", "-"


class Check(NamedTuple):
    name: str
    result: str
    text: str


async def run(configuration: dict[str, Any], bot: str | None, as_json: bool) -> int:
    """Prints the findings. Returns 0 when a bot could work, else 1."""
    checks: list[Check] = []

    def found(name: str, result: str, text: str) -> None:
        checks.append(Check(name, result, text))
        if not as_json:
            # Printed at once, so that a hang shows its step.
            _output.out(f"{name:<8} {result:<7} {_table.printable(text)}")

    await _examine(configuration, bot, found)
    if as_json:
        _output.out(json.dumps({"checks": [check._asdict() for check in checks]}))
    return 1 if any(check.result == FAILED for check in checks) else 0


async def _examine(configuration: dict[str, Any], bot: str | None, found: Any) -> None:
    version: bytes = _bindings.pbk_version()
    found("library", OK, _messages.library(version.decode(), _bindings.path))
    found("libcurl", OK, _bindings.libcurl())
    endpoint = configuration.get("endpoint", "partner_api")
    if endpoint == "partner_api":
        wrong = _wrong_with_key(configuration["api_key"])
        found("key", FAILED if wrong else OK, wrong or _messages.KEY_FORM)
        if wrong:
            return
    url = _url(configuration, bot)
    if url and _host(url) and not configuration.get("proxy"):
        _look_up(url, found)
    # One attempt on a new connection: it shows the failure itself, and the time of each step.
    try:
        client = AsyncClient(**{**configuration, "keep_warm_ms": 0, "retry": {"max_attempts": 1}})
    except Error as error:
        found("config", FAILED, _messages.with_field(error.message, error.field) if error.field else error.message)
        return
    async with client:
        await _search(client, configuration, bot, found)


def _wrong_with_key(key: Any) -> str | None:
    """Returns what is wrong with the key, without any part of the key. None when it is right."""
    if not isinstance(key, str):
        return _messages.KEY_NOT_A_STRING
    if key != key.strip():
        return _messages.KEY_SPACE
    if not key.startswith("sk_ptnr_"):
        return _messages.KEY_START
    if not re.fullmatch(r"[!-~]+", key):
        return _messages.KEY_CHARACTERS
    return None


def _url(configuration: dict[str, Any], bot: str | None) -> str | None:
    """Returns the URL of the requests. None in the sandbox, or if the configuration is wrong."""
    endpoint = configuration.get("endpoint", "partner_api")
    url = None
    if endpoint == "partner_api":
        url = configuration.get("base_url", SERVICE)
    elif endpoint == "platform_webhook" and isinstance(configuration.get("platforms"), dict):
        platform = configuration["platforms"].get(bot)
        url = platform.get("webhook_url") if isinstance(platform, dict) else None
    return url if isinstance(url, str) else None


def _look_up(url: str, found: Any) -> None:
    """Reports the host's addresses. If there are none, the library reports that later: it must find
    them itself."""
    host = _host(url)
    started = time.perf_counter()
    try:
        addresses = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError):
        return
    found("DNS", OK, _messages.addresses(host, ", ".join(addresses[:4]), _ms(time.perf_counter() - started)))


def _host(url: str | None) -> str:
    """Returns the host of the URL. Empty for an invalid URL, which the library reports."""
    try:
        return urlsplit(url or "").hostname or ""
    except ValueError:
        return ""


def _next_day(now: Any) -> tuple[str, str]:
    """Returns start and end of the next 24 hours, with this machine's offset.

    A plain date could mean another day on each platform. `now` is the time of the sandbox, if its
    clock was set.
    """
    started = datetime.now().astimezone().replace(microsecond=0)
    if isinstance(now, str):
        with contextlib.suppress(ValueError):  # the library reports what is wrong with it
            started = datetime.fromisoformat(re.sub("[Zz]$", "+00:00", now))
    return started.isoformat(), (started + timedelta(days=1)).isoformat()


async def _search(client: AsyncClient, configuration: dict[str, Any], bot: str | None, found: Any) -> None:
    endpoint, url = configuration.get("endpoint", "partner_api"), _url(configuration, bot)
    now = configuration["sandbox"].get("now") if isinstance(configuration.get("sandbox"), dict) else None
    request = SearchAvailabilityRequest(bot or NO_BOT, *_next_day(now))
    try:
        reply = await client.search_availability(request)
    except Error as error:
        if not _is_about_the_bot(error, bot):
            _diagnose(error, endpoint, url, found)
            return
        timing = error.timing or {}
        answer = _messages.KEY_ACCEPTED_NO_BOT
    else:
        timing = reply.timing or {}
        asked = _messages.KEY_ACCEPTED if endpoint == "partner_api" else _messages.ANSWERS
        answer = _messages.free(asked, len(reply.availabilities))
    if url:
        _tell_connection(timing, url, found)
    found("service", OK, answer)
    await _measure(client, request, timing, found)


def _is_about_the_bot(error: Error, bot: str | None) -> bool:
    """Returns True when no bot was named and the service itself refuses `NO_BOT`. This shows that
    the service is reached and accepts the key."""
    if bot is not None or not _is_in_the_apis_shape(error):
        return False
    return isinstance(error, ServiceError) and error.status in (400, 404, 422)


def _is_in_the_apis_shape(error: Error) -> bool:
    """Returns True when the API itself wrote the error, not a gateway (`{"error":"not_found"}`)."""
    inner = error.reply.get("error") if isinstance(error.reply, dict) else None
    return isinstance(inner, dict) and inner.get("code") == error.code


def _tell_connection(timing: dict[str, Any], url: str, found: Any) -> None:
    if "connect_us" not in timing:
        return
    version = f", HTTP/{timing['http_version']}" if timing["http_version"] else ""
    found("connect", OK, _ms(timing["connect_us"] / 1e6) + version)
    if url.startswith("https"):
        found("TLS", OK, _messages.handshake(_ms(timing["tls_us"] / 1e6)))
    else:
        found("TLS", SKIPPED, _messages.NOT_USED_ON_LOOPBACK)


async def _measure(client: AsyncClient, request: SearchAvailabilityRequest, first: dict[str, Any], found: Any) -> None:
    """Measures the time of searches on an open connection."""
    times = []
    for _ in range(WARM_SEARCHES):
        started = time.perf_counter()
        try:
            await client.search_availability(request)
        except ServiceError as error:
            if isinstance(error, (RateLimited, ServiceFailed)):
                found("latency", NOTE, _messages.not_measured(error.message))
                return
        except Error as error:
            found("latency", FAILED, _messages.later_failure(error.message))
            return
        times.append(time.perf_counter() - started)
    middle = sorted(times)[len(times) // 2]
    text = _messages.latency(_ms(middle), _ms(first.get("total_us", 0) / 1e6))
    if middle * 1000 > SLOW_MS:
        found("latency", NOTE, _messages.slow(text))
    else:
        found("latency", OK, text)


def _diagnose(error: Error, endpoint: str, url: str | None, found: Any) -> None:
    """Reports the step that failed, with advice, and before it the steps that succeeded."""
    host = _host(url) or "the service"
    step, advice = _advice(error, host)
    if endpoint == "platform_webhook":
        advice = _about_webhook(error, host) or advice
    timing = error.timing or {}
    if step in ("service", "latency") and url:
        _tell_connection(timing, url, found)
    found(step, FAILED, _messages.diagnosis(error.message, advice, error.code, error.status))
    if isinstance(error, ConnectFailed) and any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy")):
        found("proxy", NOTE, _messages.UNUSED_PROXY)


def _advice(error: Error, host: str) -> tuple[str, str]:
    """Returns the step that failed, and advice."""
    if isinstance(error, DNSFailed):
        return "DNS", _messages.no_such_host(host)
    if isinstance(error, ConnectFailed):
        return "connect", _messages.nobody_answers(host, "base_url")
    if isinstance(error, ProxyFailed):
        return "connect", _messages.CHECK_PROXY
    if isinstance(error, AddressRefused):
        return "connect", _messages.private_host(host)
    if isinstance(error, TLSFailed):
        return "TLS", _about_certificate(error, host)
    if isinstance(error, Unauthorized):
        return "service", _messages.CHECK_KEY
    if isinstance(error, (UnknownBot, NoWebhook)):
        return "config", _messages.ADD_BOT
    if isinstance(error, Timeout):
        return "latency", _messages.NO_ANSWER
    if isinstance(error, ConnectionLost):
        return "service", _messages.dropped(host)
    if isinstance(error, ReplyError):
        return "service", _messages.not_the_api(host)
    if isinstance(error, (ServiceFailed, CircuitOpen)):
        return "service", _messages.SERVICE_IN_TROUBLE
    if isinstance(error, RateLimited):
        return "service", _messages.KEY_TOO_OFTEN
    if isinstance(error, InvalidConfig):
        return "config", _messages.CORRECT_CONFIGURATION
    if error.status is not None and 300 <= error.status < 400:
        return "service", _messages.SERVICE_MOVED
    if error.status == 404:
        return "service", _messages.WRONG_BOT_OR_PATH
    return "service", _messages.REQUEST_REFUSED


def _about_webhook(error: Error, host: str) -> str | None:
    """Returns advice for a platform's webhook. None when the Partner API's advice applies."""
    if isinstance(error, Unauthorized):
        return _messages.wrong_signature(_clock())
    if isinstance(error, ConnectFailed):
        return _messages.nobody_answers(host, "webhook_url")
    if isinstance(error, TLSFailed) and "another host" in error.message:
        return _messages.other_host("webhook_url", host)
    if isinstance(error, ReplyError):
        return _messages.not_a_webhook(host)
    if isinstance(error, (ServiceFailed, CircuitOpen)):
        return _messages.PLATFORM_IN_TROUBLE
    if isinstance(error, RateLimited):
        return _messages.PLATFORM_TOO_OFTEN
    if error.status is not None and 300 <= error.status < 400:
        return _messages.WEBHOOK_MOVED
    if error.status in (404, 405):
        return _messages.WEBHOOK_PATH
    if isinstance(error, ServiceError):
        return _messages.WEBHOOK_REFUSED
    return None


def _about_certificate(error: Error, host: str) -> str:
    if "expired" in error.message or "not valid yet" in error.message:
        return _messages.expired(host, _clock())
    if "unknown authority" in error.message:
        return _messages.private_authority(host)
    if "could not be read" in error.message:
        return _messages.NO_CERTIFICATES
    if "another host" in error.message:
        return _messages.other_host("base_url", host)
    return _messages.no_tls(host)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.01 else f"{seconds * 1000:.1f} ms"


def _clock() -> str:
    return f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC"
