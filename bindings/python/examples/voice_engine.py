"""Many phone calls on one event loop: none of them has a thread, and a caller who speaks interrupts the search."""

from __future__ import annotations

import asyncio

import partnerbooking as pb

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
CLINIC: pb.Configuration = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T08:00:00Z", "latency_ms": 200},
    "slow_after_ms": 50,
}


def say(text: str) -> None:
    print(f"bot: {text}")


async def offer_a_slot(client: pb.AsyncClient) -> str | None:
    request = pb.SearchAvailabilityRequest(BOT_ID, "2030-01-14", "2030-01-15")
    found = await client.search_availability(request, on_slow=lambda: say("One moment, please."))
    return found.availabilities[0].start_at if found.availabilities else None


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


asyncio.run(main())
