"""What to do when a call fails, by the three members that decide it."""

from __future__ import annotations

from dataclasses import replace

import partnerbooking as pb

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"


def say(text: str) -> None:
    print(f"bot: {text}")


def book(client: pb.Client, request: pb.CreateBookingRequest) -> bool:
    """Whether it is booked. What the caller hears depends on what is true."""
    try:
        # The same key however often the language model repeats this booking within the call.
        key = pb.booking_key("call-7", request)
        booked = client.create_booking(replace(request, idempotency_key=key))
    except pb.SlotUnavailable:
        say("Somebody was faster. Shall I look for another time?")
    except pb.IdempotencyKeyReused as error:
        # This call has that appointment already, with another name or note. A new key would make a second one.
        state = error.existing.state if error.existing else "unknown"
        say("You have that appointment already." if state == "booked" else "I am confirming that for you.")
        return settle(client, error.idempotency_key or "")
    except pb.Error as error:
        if error.outcome == "unknown":
            # It may exist. The same key settles it, now or later; another key might book a second one.
            say("I am confirming that for you.")
            return settle(client, error.idempotency_key or "")
        if error.field == "booking.customer.phone":
            say("What was your number?")
        elif error.retryable:
            say("I cannot reach the calendar right now. May we call you back?")
        else:
            say("Let me hand you over to a colleague.")
            print(f"log: {error}")
    else:
        read_back(booked)
        return True
    return False


def settle(client: pb.Client, key: str) -> bool:
    read_back(client.resume(key))
    return True


def read_back(booked: pb.CreateBookingReply) -> None:
    """The reply's own start and status, not those that were asked for. A platform may confirm later."""
    if booked.status in ("confirmed", "accepted"):
        say(f"You are booked for {booked.start_at}.")
    else:
        say(f"I have noted {booked.start_at} for you. The clinic will confirm it.")


def request_for(
    phone: str, start_at: str, name: str = "John Doe", timeout_ms: int | None = None
) -> pb.CreateBookingRequest:
    options = pb.CallOptions(timeout_ms=timeout_ms)
    return pb.CreateBookingRequest(BOT_ID, start_at, 30, pb.Customer(phone, name), options=options)


# The first reply is lost on its way, after the booking was made. The library asks again after one second, and the call
# does not last that long.
clinic: pb.Configuration = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T08:00:00Z", "faults": [{"fault": "lose_reply", "calls": [1]}]},
    "retry": {"max_attempts": 1},
}
with pb.Client(**clinic) as client:
    assert book(client, request_for("+15551234567", "2030-01-14T10:00:00Z", timeout_ms=500))
    assert book(client, request_for("+15551234567", "2030-01-14T10:00:00Z", name="Jon Doe"))
    assert not book(client, request_for("+15557654321", "2030-01-14T10:00:00Z"))
    assert not book(client, request_for("five", "2030-01-14T11:00:00Z"))
    assert len(client.sandbox_bookings()) == 1
