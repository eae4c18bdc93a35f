"""The caller interrupts, and the caller hangs up, while an appointment is being booked: a tool for a language model."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace

import partnerbooking as pb

BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
MINUTES = 30
CLINIC: pb.Configuration = {
    "endpoint": "sandbox",
    "sandbox": {"now": "2030-01-14T08:00:00-05:00", "time_zone": "-05:00", "latency_ms": 200},
}


async def say(words: str) -> None:
    print(f"bot: {words}")


def read_back(booked: pb.CreateBookingReply) -> str:
    """For the model: the reply's own start and status, not those that were asked for."""
    firm = booked.status in ("confirmed", "accepted")
    return f"Booked for {booked.start_at}." if firm else f"Noted for {booked.start_at}; the clinic will confirm it."


async def book_appointment(client: pb.AsyncClient, call_id: str, start_at: str, phone: str, name: str) -> str:
    """The tool. It returns what the model may say. The framework may cancel it at any time."""
    customer = pb.Customer(phone, name)
    options = pb.CallOptions(tag=call_id)  # comes back in on_settled
    request = pb.CreateBookingRequest(
        BOT_ID, start_at, MINUTES, customer, detach=True, conversation=call_id, options=options
    )
    # From the phone call and the wish: however often the model calls the tool, there is one appointment.
    key = pb.booking_key(call_id, request)
    try:
        booked = await client.create_booking(
            replace(request, idempotency_key=key), on_slow=lambda: say("One moment, please.")
        )
    except pb.IdempotencyKeyReused:
        return read_back(await client.resume(key))  # the same wish with another name or note
    except pb.SlotUnavailable:
        return "The time is taken and nothing was booked. Offer another time."
    except pb.Error as error:
        if error.outcome == "unknown":
            return "It is open whether the appointment was made. Say that it is being confirmed. Book no other time."
        return f"Nothing was booked ({error.code}). Offer to call back."
    return read_back(booked)


class PhoneCalls:
    """Which calls are on the line, and what their models were told."""

    def __init__(self) -> None:
        self.on_the_line = {"call-7", "call-8"}
        self.told: set[str] = set()

    async def on_settled(self, settled: pb.Settled) -> None:
        """Gets the end of every booking whose tool was cancelled or ended open. May come twice for a key."""
        if settled.idempotency_key in self.told:
            return
        self.told.add(settled.idempotency_key)
        call_id = settled.tag or ""
        end = read_back(settled.reply) if settled.reply else "The appointment was not made."
        if call_id in self.on_the_line:
            print(f"to the model of {call_id}: {end}")  # as a system message, for its next turn
        else:
            print(f"text message to the caller of {call_id}: {end}")


async def interrupt(tool: asyncio.Task[str]) -> None:
    """As agent frameworks do when the caller speaks or hangs up."""
    await asyncio.sleep(0.05)
    tool.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await tool


async def main() -> None:
    calls = PhoneCalls()
    async with pb.AsyncClient(**CLINIC, on_settled=calls.on_settled) as client:
        wish = ("2030-01-14T10:00:00-05:00", "+15551234567", "John Doe")
        await interrupt(asyncio.create_task(book_appointment(client, "call-7", *wish)))
        # The model does not know that its tool was sent, and calls it again. This joins the first request.
        print("tool:", await book_appointment(client, "call-7", *wish))

        wish = ("2030-01-14T11:00:00-05:00", "+15557654321", "Jane Roe")
        calls.on_the_line.discard("call-8")
        await interrupt(asyncio.create_task(book_appointment(client, "call-8", *wish)))
        await asyncio.sleep(0.3)
        assert len(client.sandbox_bookings()) == 2 and client.pending_bookings() == []


if __name__ == "__main__":
    asyncio.run(main())
