"""From one free window to "ten thirty" booked: the clinic of the sandbox lists whole windows."""

import partnerbooking as pb
from partnerbooking import voice

NOW, ZONE = "2030-01-14T08:00:00-05:00", "America/New_York"

with pb.Client(endpoint="sandbox", sandbox={"answer": "windows", "time_zone": ZONE, "now": NOW}) as client:
    [wish] = voice.when("tomorrow at ten thirty", time_zone=ZONE, now=NOW).readings
    found = client.search_availability(pb.SearchAvailabilityRequest("bot_1", wish.start_at, wish.end_at))
    slot = voice.slots(found, time_zone=ZONE, now=NOW, offers=3, **wish.options).offers[0]
    caller = pb.Customer(voice.phone("five five five one two three four five six seven", region="US").phone, "John Doe")
    booked = client.create_booking(
        pb.CreateBookingRequest("bot_1", slot.start_at, slot.duration_minutes, caller, pb.random_key())
    )
    assert booked.start_at is not None
    print(f"You are booked for {voice.say(booked.start_at, time_zone=ZONE, now=NOW)}.")
