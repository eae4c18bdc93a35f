"""Many phone calls on one event loop: none of them has a thread, and a caller who speaks interrupts the search."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import partnerbooking as pb

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
MINUTES = 30
CLINIC: pb.Configuration = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T08:00:00-05:00", "time_zone": "-05:00", "latency_ms": 200},
    "slow_after_ms": 50,  # 1000 without this line
}


def say(text: str) -> None:
    print(f"bot: {text}")


def starts(found: pb.SearchAvailabilityReply, minutes: int) -> Iterator[str]:
    """Times at which an appointment of that length fits. Free windows are cut, shorter slots left out."""
    length, grid = timedelta(minutes=minutes), timedelta(minutes=5)
    for item in found.availabilities:
        if item.duration_minutes in (None, minutes):
            yield item.start_at
            continue
        start = datetime.fromisoformat(item.start_at.replace("Z", "+00:00"))
        end = start + timedelta(minutes=item.duration_minutes or 0)
        start += (start.replace(hour=0, minute=0, second=0, microsecond=0) - start) % grid
        while start + length <= end:
            yield start.isoformat()
            start += length


async def offer_a_slot(client: pb.AsyncClient) -> str | None:
    # With the clinic's offset: a plain date means another day on each platform.
    request = pb.SearchAvailabilityRequest(BOT_ID, "2030-01-14T09:00:00-05:00", "2030-01-15T17:00:00-05:00")
    found = await client.search_availability(request, on_slow=lambda: say("One moment, please."))
    return next(starts(found, MINUTES), None)


async def main() -> None:
    async with pb.AsyncClient(**CLINIC) as client:
        # As many calls at once as there are callers.
        offers = await asyncio.gather(*(offer_a_slot(client) for _ in range(8)))
        say(f"I have {offers[0]}.")

        # The caller speaks: cancelling the task cancels the call, and its connection is free at once.
        search = asyncio.create_task(offer_a_slot(client))
        await asyncio.sleep(0.02)
        search.cancel()
        try:
            await search
        except asyncio.CancelledError:
            say("Yes?")


if __name__ == "__main__":
    asyncio.run(main())
