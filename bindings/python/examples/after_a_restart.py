"""Bookings outlive the process: a journal keeps what is not settled, and the next process settles it."""

from __future__ import annotations

import sys

import partnerbooking as pb

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"


def first_process(journal: str) -> None:
    """Its last booking is in doubt when it ends."""
    clinic: pb.Configuration = {
        "endpoint": "sandbox",
        "sandbox": {"now": "2030-01-14T08:00:00Z", "faults": [{"fault": "lose_reply"}]},
        "timeout_ms": 500,
        "retry": {"max_attempts": 1},
        "journal_path": journal,
    }
    customer = pb.Customer("+15551234567", "John Doe")
    with pb.Client(**clinic) as client:
        try:
            client.create_booking(
                pb.CreateBookingRequest(BOT_ID, "2030-01-14T10:00:00Z", 30, customer, pb.random_key())
            )
        except pb.InDoubt as error:
            print(f"before: {error.outcome}, {error.doubt}")


def next_process(journal: str) -> None:
    with pb.Client(endpoint="sandbox", sandbox={"now": "2030-01-14T08:00:00Z"}, journal_path=journal) as client:
        for pending in client.pending_bookings():
            booked = client.resume(pending.idempotency_key)
            print(f"after: {booked.status}, {booked.start_at}")
        assert client.pending_bookings() == []


first_process(sys.argv[1])
next_process(sys.argv[1])
