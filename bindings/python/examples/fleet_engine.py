"""An engine of a fleet: its bookings are in a ledger that all engines share.

    pip install 'partnerbooking[redis]'
    PARTNER_LEDGER=redis://localhost/0 python3 fleet_engine.py
"""

from __future__ import annotations

import asyncio
import os

import partnerbooking as pb
from partnerbooking import ledgers

CLINIC: pb.Configuration = {"endpoint": "sandbox", "sandbox": {"now": "2030-01-14T08:00:00Z"}}
CALLER = pb.Customer("+15551234567", "John Doe")
REQUEST = pb.CreateBookingRequest("bot_01h2xcejqtf2nbrexx3vqjhp41", "2030-01-14T10:00:00Z", 30, CALLER, "call-7-1")


async def main() -> None:
    ledger = ledgers.async_from_url(os.environ["PARTNER_LEDGER"])  # postgres://... or redis://...
    async with pb.AsyncClient(**CLINIC, ledger=ledger) as client:
        # The same key on another engine gets the same reply, and sends nothing.
        booked = await client.create_booking(REQUEST)
        print(f"{booked.id}: {booked.start_at}, {booked.status}")
    await ledger.aclose()


if __name__ == "__main__":
    asyncio.run(main())
