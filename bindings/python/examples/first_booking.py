"""Searches a bot's free slots, says one and books it, on the clinic that is built into the library."""

import partnerbooking as pb
from partnerbooking import voice

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
ZONE, NOW = "America/New_York", "2030-01-14T08:00:00-05:00"  # Without `now` it is today.

with pb.Client(endpoint="sandbox", sandbox={"time_zone": ZONE, "now": NOW}) as client:
    # More than one reading: ask the caller which one is meant.
    [wish] = voice.when("tomorrow at ten thirty", time_zone=ZONE, now=NOW).readings
    found = client.search_availability(pb.SearchAvailabilityRequest(BOT_ID, wish.start_at, wish.end_at))
    # The length is yours to decide: some platforms list a whole free day as one item.
    slots = voice.slots(found, duration_minutes=30, offers=3, time_zone=ZONE, now=NOW, **wish.options)
    slot = slots.offers[0]
    print(f"I have {voice.say(slot, time_zone=ZONE, now=NOW)}.")
    number = voice.phone("five five five, one two three, four five six seven", region="US")
    booked = client.create_booking(
        pb.CreateBookingRequest(
            bot_id=BOT_ID,
            idempotency_key="call-7-booking-1",
            start_at=slot.start_at,
            duration_minutes=slot.duration_minutes,
            customer=pb.Customer(phone=number.phone, name="John Doe"),
        )
    )
    # Read these to the caller: the reply's own start and status. A "pending" one is confirmed later.
    print(f"{booked.id}: {booked.start_at} to {booked.end_at}, {booked.status}")
