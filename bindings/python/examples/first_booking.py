"""Searches a bot's free slots and books one, on the clinic that is built into the library."""

import partnerbooking as pb

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
MINUTES = 30  # Yours to decide: some platforms list a whole free day as one slot.

with pb.Client(endpoint="sandbox", sandbox={"now": "2030-01-14T08:00:00Z"}) as client:
    found = client.search_availability(pb.SearchAvailabilityRequest(BOT_ID, "2030-01-14", "2030-01-15"))
    slot = found.availabilities[0]
    booked = client.create_booking(
        pb.CreateBookingRequest(
            bot_id=BOT_ID,
            idempotency_key="call-7-booking-1",
            start_at=slot.start_at,
            duration_minutes=MINUTES,
            customer=pb.Customer(phone="+15551234567", name="John Doe"),
        )
    )
    print(f"{booked.id}: {booked.start_at} to {booked.end_at}, {booked.status}")
