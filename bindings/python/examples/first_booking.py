"""Searches a bot's free slots and books one, on the clinic that is built into the library."""

import partnerbooking as pb

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
MINUTES = 30  # Yours to decide: some platforms list a whole free day as one item.
CLINIC: pb.configuration.Sandbox = {"now": "2030-01-14T08:00:00-05:00", "time_zone": "-05:00"}

with pb.Client(endpoint="sandbox", sandbox=CLINIC) as client:
    found = client.search_availability(
        pb.SearchAvailabilityRequest(BOT_ID, "2030-01-14T09:00:00-05:00", "2030-01-14T17:00:00-05:00")
    )
    # Long enough. A longer one is a free window: any start in it that leaves room is free.
    slot = next(slot for slot in found.availabilities if (slot.duration_minutes or MINUTES) >= MINUTES)
    booked = client.create_booking(
        pb.CreateBookingRequest(
            bot_id=BOT_ID,
            idempotency_key="call-7-booking-1",
            start_at=slot.start_at,
            duration_minutes=MINUTES,
            customer=pb.Customer(phone="+15551234567", name="John Doe"),
        )
    )
    # Read these to the caller: the reply's own start and status. A "pending" one is confirmed later.
    print(f"{booked.id}: {booked.start_at} to {booked.end_at}, {booked.status}")
