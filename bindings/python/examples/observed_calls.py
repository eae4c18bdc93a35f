"""Shows the work of a client three ways: the library's log, a function for each call, and spans of
OpenTelemetry.

The clinic is the one inside the library, and loses the reply to the first booking. Needs
`pip install 'partnerbooking[otel]' opentelemetry-sdk`.
"""

import logging
import sys
import time

import partnerbooking as pb
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from partnerbooking import otel

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
CLINIC: pb.Configuration = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T08:00:00Z", "faults": [{"fault": "lose_reply", "calls": [1]}]},
    "retry": {"max_attempts": 1},
}


logger = logging.getLogger("engine")


def on_call(call: pb.CallEnded) -> None:
    logger.info("%s %s after %.1f ms (tag %s)", call.operation, call.status, call.duration_ms, call.tag)


def shown(span: ReadableSpan) -> str:
    return f"span: {span.name} {dict(span.attributes or {})}\n"


def book(client: pb.Client) -> None:
    options = pb.CallOptions(timeout_ms=500, tag="call-7")
    request = pb.SearchAvailabilityRequest(BOT_ID, "2030-01-14T09:00:00Z", "2030-01-14T17:00:00Z", options)
    slot = client.search_availability(request).availabilities[0]
    caller = pb.Customer("+14155550137", "John Doe")
    try:
        client.create_booking(
            pb.CreateBookingRequest(BOT_ID, slot.start_at, 30, caller, pb.random_key(), options=options)
        )
    except pb.InDoubt as error:
        logger.info("say: I am confirming that for you. (%s)", error.code)
    time.sleep(2)  # The library asks again after a second, and the booking is settled.


if __name__ == "__main__":
    # The program's own tracing. An engine exports to a collector.
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stdout, formatter=shown)))
    trace.set_tracer_provider(provider)

    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s %(levelname)s: %(message)s")
    with pb.Client(**CLINIC, on_call=on_call) as client:
        client.set_log()
        otel.instrument(client)
        book(client)
        for call in client.stats().calls:
            logger.info("stats: %s %s: %d", call.operation, call.status, call.count)
