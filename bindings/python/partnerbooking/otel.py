"""OpenTelemetry spans for the calls of a client. Requests carry their context as `traceparent`.

    from partnerbooking import otel
    otel.instrument(client)

docs/observability.md lists the attributes.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ._version import __version__
from ._watch import Begun, End
from .aio import AsyncClient
from .client import Client
from .ended import CallEnded

try:
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as error:
    raise ImportError(
        "partnerbooking.otel needs the OpenTelemetry API 1.12 or later: pip install 'partnerbooking[otel]'"
    ) from error

if TYPE_CHECKING:
    from opentelemetry.context import Context

__all__ = ["instrument"]

_MOST_OPEN = 1024
"""Limit of remembered bookings whose call ended `unknown`."""
_SENT = {"search_availability", "create_booking", "lookup_customer"}
"""Operations with one HTTP request, which may be repeated."""


def instrument(client: Client | AsyncClient, tracer_provider: trace.TracerProvider | None = None) -> None:
    """Records a span for each later call of the client, with the given provider or the current one.

    The request carries the span's context as `traceparent`. If the request has its own, that is
    sent, and it is the span's parent unless another span is current. A second call does nothing.
    """
    if client._watch is None or not any(isinstance(watcher, _Spans) for watcher in client._watch.watchers):
        client._add_watcher(_Spans(client, trace.get_tracer("partnerbooking", __version__, tracer_provider)))


class _Spans:
    def __init__(self, client: Client | AsyncClient, tracer: trace.Tracer) -> None:
        self._servers = client._servers
        self._tracer = tracer
        self._open: OrderedDict[str, trace.SpanContext] = OrderedDict()
        """The spans of bookings whose call ended `unknown`, by key."""

    def begin(self, call: Begun) -> End | None:
        if call.operation == "give_up":  # sends nothing
            return None
        attributes = {"partnerbooking.operation": call.operation, **self._server(call)}
        name: str = call.operation
        if "http.request.method" in attributes:
            name = f"POST {name}"
        elif call.operation == "call_tool":
            name = f"call_tool {call.tool}"
        span = self._tracer.start_span(
            name,
            context=_parent(call),
            kind=trace.SpanKind.CLIENT,
            attributes=attributes,
            start_time=call.began_ns,
        )
        context = span.get_span_context()
        if call.traceparent is None and context.is_valid:
            flags = int(context.trace_flags)
            call.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{flags:02x}"

        def end(ended: CallEnded, ended_ns: int) -> None:
            if ended.outcome == "unknown" and ended.idempotency_key is not None and context.is_valid:
                self._open[ended.idempotency_key] = context
                if len(self._open) > _MOST_OPEN:
                    self._open.popitem(last=False)
            _finish(span, ended)
            span.end(ended_ns)

        return end

    def settled(self, ended: CallEnded) -> None:
        """Records a span for a settled booking. The span of the booking's call has ended, so the
        new span links to it."""
        context = self._open.pop(ended.idempotency_key or "", None)
        span = self._tracer.start_span(
            "booking settled",
            context=trace.set_span_in_context(trace.INVALID_SPAN),
            kind=trace.SpanKind.INTERNAL,
            attributes={"partnerbooking.operation": ended.operation},
            links=[] if context is None else [trace.Link(context)],
        )
        _finish(span, ended)
        span.end()

    def _server(self, call: Begun) -> dict[str, Any]:
        """Returns the attributes of the server. The sandbox has none, because it sends nothing.

        A tool call has only address and port: it may send several requests or none.
        """
        servers = self._servers
        if servers.endpoint == "sandbox":
            return {}
        is_webhook = servers.endpoint == "platform_webhook"
        url = servers.webhooks.get(str(call.members.get("bot_id"))) if is_webhook else servers.base_url
        try:
            parts = urlsplit(url or "")
            host, port = parts.hostname, parts.port
        except ValueError:
            return {}
        if not host:
            return {}
        attributes: dict[str, Any] = {
            "server.address": host,
            "server.port": port or (80 if parts.scheme == "http" else 443),
        }
        if call.operation not in _SENT:
            return attributes
        # The path of a webhook may be a secret.
        path = "/REDACTED" if is_webhook else parts.path.rstrip("/") + servers.paths.get(call.operation, "")
        netloc = f"[{host}]" if ":" in host else host
        netloc = netloc if port is None else f"{netloc}:{port}"
        attributes["http.request.method"] = "POST"
        attributes["url.full"] = f"{parts.scheme}://{netloc}{path}"
        return attributes


def _parent(call: Begun) -> Context | None:
    """Returns the context of the request's `traceparent`. None when the current context applies."""
    if call.traceparent is None or trace.get_current_span().get_span_context().is_valid:
        return None
    return TraceContextTextMapPropagator().extract({"traceparent": call.traceparent})


def _finish(span: trace.Span, ended: CallEnded) -> None:
    timing = ended.timing or {}
    attributes: dict[str, Any] = {
        "partnerbooking.status": ended.status,
        "partnerbooking.outcome": ended.outcome,
        "partnerbooking.attempts": ended.attempts,
        "partnerbooking.tool": ended.tool,
        "partnerbooking.result": ended.result,
        "partnerbooking.replayed": timing.get("replayed"),
        "partnerbooking.connection_reused": timing.get("connection_reused"),
        "partnerbooking.settled": True if ended.is_settled else None,
        "http.response.status_code": ended.http_status,
        "network.protocol.version": timing.get("http_version"),
    }
    if (ended.attempts or 0) > 1 and not ended.tool and not ended.is_settled:
        attributes["http.request.resend_count"] = (ended.attempts or 0) - 1
    # A tool call that the library answered may contain the error of its search or booking.
    failed = ended.status if ended.status != "ok" else ended.tool_status
    if failed not in (None, "ok"):
        attributes["error.type"] = failed
        span.set_status(trace.Status(trace.StatusCode.ERROR))
    span.set_attributes({name: value for name, value in attributes.items() if value is not None})
