"""Metrics for Prometheus: serves /metrics while a client makes calls.

    python3 metrics_server.py --port 9464 --seconds 60

The clinic is the one inside the library. It loses some replies and is slow now and then, so that
there is something to see. Needs `pip install 'partnerbooking[prometheus]'`.
"""

import argparse
import datetime
import itertools
import time
import urllib.request

import partnerbooking as pb
from partnerbooking.prometheus import Collector
from prometheus_client import REGISTRY, start_http_server

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
FAULTS: list[pb.configuration.Fault] = [
    {"fault": "lose_reply", "percent": 4},
    {"fault": "late", "percent": 10, "ms": 300},
]
CLINIC: pb.Configuration = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T08:00:00Z", "capacity": 4, "latency_ms": 20, "faults": FAULTS},
}


def call(client: pb.Client, number: int) -> None:
    """Searches a day, and books its first slot every fifth time. Other callers may have taken
    it."""
    day = datetime.date(2030, 1, 15) + datetime.timedelta(days=number % 40)
    found = client.search_availability(pb.SearchAvailabilityRequest(BOT_ID, f"{day}T09:00:00Z", f"{day}T17:00:00Z"))
    if number % 5 == 0 and found.availabilities:
        slot = found.availabilities[0]
        caller = pb.Customer("+14155550137", "John Doe")
        client.create_booking(pb.CreateBookingRequest(BOT_ID, slot.start_at, 30, caller, f"call-{number}"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=9464)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    with pb.Client(**CLINIC) as client:
        REGISTRY.register(Collector(client))
        server, thread = start_http_server(arguments.port, addr="127.0.0.1")
        url = f"http://127.0.0.1:{server.server_port}/metrics"
        print(url, flush=True)
        ends = time.monotonic() + arguments.seconds
        for number in itertools.count():
            try:
                call(client, number)
            except pb.Error as error:
                print(f"call {number}: {error}")
            if time.monotonic() > ends:
                break
            time.sleep(0.05)
        with urllib.request.urlopen(url) as page:
            lines = page.read().decode().splitlines()
        print(*(line for line in lines if line.startswith("partnerbooking_calls_total")), sep="\n")
        server.shutdown()
        server.server_close()
