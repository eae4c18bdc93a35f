"""Bookings outlive the process: a journal keeps every booking whose end nobody has heard, and the next process hears
it."""

from __future__ import annotations

import asyncio
import contextlib
import sys

import partnerbooking as pb

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
NOW = "2030-01-14T08:00:00Z"


def request_for(call: str, start_at: str, detach: bool = False) -> pb.CreateBookingRequest:
    """`conversation` comes back in `pending_bookings()`: it says whom to call back."""
    customer = pb.Customer("+15551234567", "John Doe")
    return pb.CreateBookingRequest(BOT_ID, start_at, 30, customer, f"{call}-1", detach=detach, conversation=call)


async def first_process(journal: str) -> None:
    """It leaves two bookings in doubt, one that was made and one that was refused. No caller has heard of the last
    two."""
    clinic: pb.Configuration = {
        "endpoint": "sandbox",
        "sandbox": {"now": NOW, "faults": [{"fault": "lose_reply", "calls": [1, 2]}]},
        "timeout_ms": 500,
        "retry": {"max_attempts": 1},
        "settle_for_ms": 0,
        "journal_path": journal,
    }
    async with pb.AsyncClient(**clinic) as client:
        for call, start_at in [("call-1", "2030-01-14T10:00:00Z"), ("call-2", "2030-01-14T11:00:00Z")]:
            try:
                await client.create_booking(request_for(call, start_at))
            except pb.InDoubt as error:
                print(f"before: {call}: {error.outcome}, {error.doubt}")
        for call, start_at in [("call-3", "2030-01-14T12:00:00Z"), ("call-4", "2030-01-14T10:00:00Z")]:
            booking = asyncio.create_task(client.create_booking(request_for(call, start_at, detach=True)))
            await asyncio.sleep(0)
            booking.cancel()  # the caller hangs up; the booking goes on
            with contextlib.suppress(asyncio.CancelledError):
                await booking


def next_process(journal: str) -> None:
    with pb.Client(endpoint="sandbox", sandbox={"now": NOW}, journal_path=journal) as client:
        # A person has looked into the calendar: there is no such appointment, and nobody wants it any more.
        given_up = client.give_up("call-2-1").given_up
        print(f"after: {[pending.conversation for pending in given_up]} given up")
        for pending in client.pending_bookings():
            catch_up(client, pending)


def catch_up(client: pb.Client, pending: pb.PendingBooking) -> None:
    """Hears the end of a booking, whatever its state is. The next process does not list it again."""
    call = f"after: {pending.conversation} was {pending.state}"
    try:
        # "booked": returns the reply. "in_doubt": sends the request again. "in_flight": joins it.
        booked = client.resume(pending.idempotency_key)
    except pb.Error as error:
        if error.outcome == "unknown":
            print(f"{call}: still open, try again later")
        else:  # also "refused", where it is a NotRecorded
            print(f"{call}: not booked, call the customer back")
    else:
        print(f"{call}: {booked.status} for {booked.start_at}")


def last_process(journal: str) -> None:
    with pb.Client(endpoint="sandbox", sandbox={"now": NOW}, journal_path=journal) as client:
        assert client.pending_bookings() == []


asyncio.run(first_process(sys.argv[1]))
next_process(sys.argv[1])
last_process(sys.argv[1])
