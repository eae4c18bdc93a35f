"""Spans of OpenTelemetry: their names and attributes, and the `traceparent` that the service
sees."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from fault_server import answer, close_at_once, http_reply
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode
from partnerbooking import otel
from python_package import booking, doubt, doubtful, pb, run, run_program, search
from reference_api import BOOKING_PATH, SEARCH_PATH
from reference_names import API_KEY
from run_reference import headers_of
from samples import BOT_ID, CALLS_ONLY, NAME, ONCE, PHONE, QUICK, SANDBOX, SEARCH_REPLY, search_request
from waiting import wait_until

GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Spans:
    """Keeps the spans of an exporter in memory."""

    def __init__(self, **options: Any) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(**options)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = self.provider.get_tracer("test")

    @property
    def ended(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()


@pytest.fixture
def spans() -> Spans:
    return Spans()


def traceparent_of(span: ReadableSpan) -> str:
    return f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"


# ---- The context that travels ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["dataclass", "mapping", "text"])
def test_the_service_sees_the_spans_id(reference, service, spans, form):
    bot = reference.bot()
    request: Any = search(bot)
    if form != "dataclass":
        request = search_request(bot) if form == "mapping" else f"  {json.dumps(search_request(bot))}"
    with pb.Client(**service.config) as client:
        otel.instrument(client, spans.provider)
        with spans.tracer.start_as_current_span("turn") as turn:
            client.search_availability(request)
            client.create_booking(booking(bot))
    sent = [headers_of(request)["traceparent"] for request in reference.requests(bot)]
    found, booked, _ = spans.ended
    assert sent == [traceparent_of(found), traceparent_of(booked)]
    assert {span.parent.span_id for span in (found, booked)} == {turn.get_span_context().span_id}
    assert {span.context.trace_id for span in spans.ended} == {turn.get_span_context().trace_id}
    assert (found.attributes["url.full"], booked.attributes["url.full"]) == (
        service.config["base_url"] + SEARCH_PATH,
        service.config["base_url"] + BOOKING_PATH,
    )


def test_the_service_sees_the_spans_of_asyncio(reference, http2, spans):
    bots = [reference.bot() for _ in range(8)]

    async def turn(client: pb.AsyncClient, bot: str) -> int:
        with spans.tracer.start_as_current_span(bot) as span:
            await client.search_availability(search(bot))
            return span.get_span_context().span_id

    async def main() -> list[int]:
        async with pb.AsyncClient(**http2.config) as client:
            otel.instrument(client, spans.provider)
            return await asyncio.gather(*(turn(client, bot) for bot in bots))

    turns = run(main())
    sent = [headers_of(request)["traceparent"] for bot in bots for request in reference.requests(bot)]
    calls = {span.parent.span_id: traceparent_of(span) for span in spans.ended if span.parent}
    assert sent == [calls[turn] for turn in turns]


def test_a_traceparent_of_the_request_wins_and_is_the_parent(reference, http1, spans):
    bot = reference.bot()
    heard: list[pb.CallEnded] = []
    with pb.Client(**http1.config, on_call=heard.append) as client:
        otel.instrument(client, spans.provider)
        client.search_availability(search(bot, traceparent=GIVEN))
        client.search_availability(search(bot))
    (span, own), (request, _) = spans.ended, reference.requests(bot)
    assert headers_of(request)["traceparent"] == GIVEN
    assert [ended.trace_id for ended in heard] == [GIVEN[3:35], f"{own.context.trace_id:032x}"]
    assert (span.context.trace_id, span.parent.span_id) == (int(GIVEN[3:35], 16), int(GIVEN[36:52], 16))


def test_a_span_that_is_not_sampled_travels_as_such(reference, http1):
    off, bot = Spans(sampler=ALWAYS_OFF), reference.bot()
    with pb.Client(**http1.config) as client:
        otel.instrument(client, off.provider)
        client.search_availability(search(bot))
    [request] = reference.requests(bot)
    assert headers_of(request)["traceparent"].endswith("-00") and off.ended == ()


def test_without_an_sdk_nothing_is_sent(reference, http1):
    bot = reference.bot()
    with pb.Client(**http1.config) as client:
        otel.instrument(client, trace.NoOpTracerProvider())
        client.search_availability(search(bot))
    [request] = reference.requests(bot)
    assert "traceparent" not in headers_of(request)


def test_a_repeat_of_a_key_is_the_same_booking(spans):
    """Although each has a span of its own."""
    with pb.Client(**SANDBOX) as client:
        otel.instrument(client, spans.provider)
        assert client.create_booking(booking(key="key-7")).json == client.create_booking(booking(key="key-7")).json
        assert len(client.sandbox_bookings()) == 1


def test_the_requests_of_a_tool_call_carry_its_context(start_faults, spans):
    reply = answer(http_reply(200, SEARCH_REPLY))
    server = start_faults(reply, reply)  # nothing is free tomorrow: it asks for the days after that
    voice = {"time_zone": "America/New_York"}

    async def main() -> None:
        async with pb.AsyncClient(api_key=API_KEY, base_url=server.url, voice=voice, **CALLS_ONLY) as client:
            otel.instrument(client, spans.provider)
            await client.conversation("call-7", BOT_ID).call("find_appointment_slots", {"when": "tomorrow"})

    run(main())
    [span] = spans.ended
    assert [request.headers["traceparent"] for request in server.requests] == [traceparent_of(span)] * 2
    assert span.attributes["server.address"] == "127.0.0.1" and "url.full" not in span.attributes


# ---- Names and attributes --------------------------------------------------------------------------------------------


def test_attributes_are_those_of_the_conventions(reference, service, spans):
    bot = reference.bot()

    async def main() -> None:
        async with pb.AsyncClient(**service.config) as client:
            otel.instrument(client, spans.provider)
            await client.search_availability(search(bot))

    run(main())
    [span] = spans.ended
    address, port = service.config["base_url"].split("//")[1].split(":")
    assert (span.name, span.kind) == ("POST search_availability", SpanKind.CLIENT)
    assert span.instrumentation_scope.name == "partnerbooking"
    assert span.status.status_code is StatusCode.UNSET
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "url.full": f"{service.config['base_url']}{SEARCH_PATH}",
        "server.address": address,
        "server.port": int(port),
        "network.protocol.version": service.http_version,
        "partnerbooking.operation": "search_availability",
        "partnerbooking.status": "ok",
        "partnerbooking.attempts": 1,
        "partnerbooking.connection_reused": False,
    }


def test_an_error_has_its_type_and_the_http_status(start_faults, spans):
    server = start_faults(close_at_once(), answer(http_reply(503, b"{}")))
    config = {"api_key": API_KEY, "base_url": server.url, **CALLS_ONLY, "retry": {"max_attempts": 2, **QUICK}}
    with pb.Client(**config) as client:
        otel.instrument(client, spans.provider)
        with pytest.raises(pb.ServiceFailed):
            client.search_availability(search())
    [span] = spans.ended
    assert span.status.status_code is StatusCode.ERROR and span.status.description is None
    assert span.attributes["error.type"] == span.attributes["partnerbooking.status"] == "service_failed"
    assert span.attributes["http.response.status_code"] == 503
    assert span.attributes["http.request.resend_count"] == 1 and span.attributes["partnerbooking.attempts"] == 2


def test_webhooks_keep_the_secret_in_their_path(reference, relay1, spans):
    account = reference.account()
    with pb.Client(**relay1.config(account)) as client:
        otel.instrument(client, spans.provider)
        client.search_availability(search(BOT_ID))
    [span], [request] = spans.ended, reference.requests(account)
    assert headers_of(request)["traceparent"] == traceparent_of(span)
    assert span.attributes["url.full"] == f"{relay1.url}/REDACTED"
    assert span.attributes["server.address"] == "127.0.0.1"


def test_a_tool_call_is_one_span(spans):
    voice = {"time_zone": "America/New_York"}
    faults = [{"fault": "error", "status": 503, "operation": "create_booking"}]
    config = {**SANDBOX, "sandbox": {**SANDBOX["sandbox"], "faults": faults}, "voice": voice, "retry": ONCE}
    with pb.Client(**config, timeout_ms=500) as client:
        otel.instrument(client, spans.provider)
        with client.conversation("call-7", BOT_ID, "+12125550123") as conversation:
            slot = conversation.call("find_appointment_slots", {"when": "tomorrow"}).slots[0].slot
            conversation.call("book_appointment", {"slot": slot, "name": NAME, "caller_confirmed": True})
            conversation.call(f"call {NAME}", {})
    assert [span.name for span in spans.ended] == [
        "call_tool find_appointment_slots",
        "call_tool book_appointment",
        "call_tool other",
    ]
    found, booked, other = spans.ended
    assert found.attributes["partnerbooking.result"] == "offered" and found.status.status_code is StatusCode.UNSET
    assert booked.attributes["partnerbooking.result"] == "in_doubt" and booked.status.status_code is StatusCode.ERROR
    assert booked.attributes["error.type"] == "in_doubt"
    assert other.attributes["partnerbooking.result"] == "invalid"
    names = {name for span in spans.ended for name in span.attributes}
    assert not {"http.request.method", "url.full", "server.address"} & names


def test_nothing_in_a_span_names_the_caller_or_a_key(start_faults, spans):
    refusal = {"error": {"code": NAME, "message": f"{NAME} ({PHONE}) is blocked: {API_KEY}"}}
    server = start_faults(answer(http_reply(422, json.dumps(refusal).encode())))
    with pb.Client(api_key=API_KEY, base_url=server.url, **CALLS_ONLY) as client:
        otel.instrument(client, spans.provider)
        with pytest.raises(pb.Refused):
            options = pb.CallOptions(tag="call-7")
            client.create_booking(booking(key="key-7", notes="Needs a wheelchair", options=options))
    [span] = spans.ended
    for private in (API_KEY, NAME, PHONE, "wheelchair", "johanna@example.com", "key-7", "call-7", BOT_ID):
        assert private not in span.to_json()


# ---- Beginnings and ends ---------------------------------------------------------------------------------------------


def test_a_span_of_asyncio_ends_when_its_call_does(start_faults, spans):
    """Not when the loop, or the task, comes round to it."""
    server = start_faults(answer(http_reply(200, SEARCH_REPLY)))

    async def main() -> tuple[int, int]:
        async with pb.AsyncClient(api_key=API_KEY, base_url=server.url, **CALLS_ONLY) as client:
            otel.instrument(client, spans.provider)
            begun = time.time_ns()
            task = asyncio.ensure_future(client.search_availability(search()))
            await asyncio.sleep(0)
            wait_until(lambda: [call.count for call in client.stats().calls] == [1])
            ended = time.time_ns()  # and the loop has been busy meanwhile
            time.sleep(0.05)
            await task
            return begun, ended

    begun, ended = run(main())
    [span] = spans.ended
    assert begun <= span.start_time < span.end_time <= ended


def test_a_cancelled_call_ends_its_span(spans):
    config = {**SANDBOX, "sandbox": {**SANDBOX["sandbox"], "latency_ms": 60_000}}

    async def main() -> None:
        async with pb.AsyncClient(**config) as client:
            otel.instrument(client, spans.provider)
            task = asyncio.ensure_future(client.search_availability(search()))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(main())
    [span] = spans.ended
    assert span.name == "search_availability"  # the sandbox sends nothing
    assert span.attributes["error.type"] == "cancelled"


@pytest.mark.parametrize("kind", ["threads", "asyncio"])
def test_a_settled_booking_has_a_span_that_links_to_that_of_its_call(spans, kind):
    if kind == "threads":
        with pb.Client(**doubtful(), report_settled=True) as client:
            otel.instrument(client, spans.provider)
            with pytest.raises(pb.InDoubt):
                client.create_booking(doubt())
            wait_until(lambda: len(spans.ended) == 2)
    else:

        async def main() -> None:
            async with pb.AsyncClient(**doubtful(), on_call=lambda ended: None) as client:
                otel.instrument(client, spans.provider)
                with pytest.raises(pb.InDoubt):
                    await client.create_booking(doubt())
                await asyncio.to_thread(wait_until, lambda: len(spans.ended) == 2)

        run(main())
    call, settled = spans.ended
    assert call.attributes["partnerbooking.outcome"] == "unknown"
    assert (settled.name, settled.parent) == ("booking settled", None)
    assert settled.attributes["partnerbooking.settled"] is True
    assert [link.context for link in settled.links] == [call.context]
    assert settled.attributes["partnerbooking.status"] == "ok" and settled.status.status_code is StatusCode.UNSET


def test_a_second_instrument_does_nothing(spans):
    with pb.Client(**SANDBOX) as client:
        otel.instrument(client, spans.provider)
        otel.instrument(client, spans.provider)
        client.search_availability(search())
    assert len(spans.ended) == 1


def test_a_provider_that_fails_costs_the_call_nothing(caplog):
    class Broken(trace.NoOpTracerProvider):
        def get_tracer(self, *_: Any, **__: Any) -> Any:
            class Tracer(trace.NoOpTracer):
                def start_span(self, *_: Any, **__: Any) -> Any:
                    raise RuntimeError("the tracer's own mistake")

            return Tracer()

    heard: list[pb.CallEnded] = []
    with pb.Client(**SANDBOX, on_call=heard.append) as client:
        otel.instrument(client, Broken())
        assert client.search_availability(search()).availabilities
    assert len(heard) == 1 and "the tracer's own mistake" in caplog.text


@pytest.mark.parametrize("module, package", [("otel", "opentelemetry"), ("prometheus", "prometheus_client")])
def test_a_missing_package_is_named(module, package):
    done = run_program(f"import sys; sys.modules[{package!r}] = None; import partnerbooking.{module}")
    assert f"pip install 'partnerbooking[{module}]'" in done.stderr
    assert run_program(f"import sys; sys.modules[{package!r}] = None; import partnerbooking").returncode == 0
