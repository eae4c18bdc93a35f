"""Many phone calls on one event loop: none of them has a thread, and a caller who speaks interrupts the search."""

from __future__ import annotations

import asyncio

import partnerbooking as pb
from partnerbooking import voice

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
ZONE, NOW = "America/New_York", "2030-01-14T08:00:00-05:00"  # Without `now` it is today.
CLINIC: pb.Configuration = {
    "endpoint": "sandbox",
    "sandbox": {"now": NOW, "time_zone": ZONE, "latency_ms": 200},
    "slow_after_ms": 50,  # 1000 without this line
}


def say(text: str) -> None:
    print(f"bot: {text}")


async def offer_a_slot(client: pb.AsyncClient, words: str) -> voice.Slot | None:
    reading = voice.when(words, time_zone=ZONE, now=NOW).readings[0]  # If there are more, ask which is meant.
    request = pb.SearchAvailabilityRequest(BOT_ID, reading.start_at, reading.end_at)
    found = await client.search_availability(request, on_slow=lambda: say("One moment, please."))
    slots = voice.slots(found, duration_minutes=30, offers=1, time_zone=ZONE, now=NOW, **reading.options)
    return slots.offers[0] if slots.offers else None


async def main() -> None:
    async with pb.AsyncClient(**CLINIC) as client:
        # As many calls at once as there are callers.
        wishes = ["tomorrow morning", "Thursday after three", "Friday at noon"]
        for offer in await asyncio.gather(*(offer_a_slot(client, wish) for wish in wishes)):
            say(f"I have {voice.say(offer, time_zone=ZONE, now=NOW)}." if offer else "Nothing is free then.")

        # The caller speaks: cancelling the task cancels the call, and its connection is free at once.
        search = asyncio.create_task(offer_a_slot(client, "next week"))
        await asyncio.sleep(0.02)
        search.cancel()
        try:
            await search
        except asyncio.CancelledError:
            say("Yes?")


if __name__ == "__main__":
    asyncio.run(main())
