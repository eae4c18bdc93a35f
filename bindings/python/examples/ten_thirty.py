"""From one free window to "ten thirty" booked: the clinic of the sandbox lists whole windows.

    python3 ten_thirty.py ["tomorrow at ten thirty"]
    python3 ten_thirty.py "next Tuesday at ten thirty" "the second one"

The second text answers the question that two meanings of the first one raise.
"""

from __future__ import annotations

import sys

import partnerbooking as pb
from partnerbooking import voice

NOW, ZONE = "2030-01-14T08:00:00-05:00", "America/New_York"
BY_VOICE = "five five five, one two three, four five six seven"


def book(client: pb.Client, reading: voice.Reading) -> str:
    found = client.search_availability(pb.SearchAvailabilityRequest("bot_1", reading.start_at, reading.end_at))
    offers = voice.slots(found, time_zone=ZONE, now=NOW, duration_minutes=30, offers=3, **reading.options).offers
    if not offers:
        return "Nothing is free then. Which other day suits you?"
    slot, caller = offers[0], pb.Customer(voice.phone(BY_VOICE, region="US").phone, "John Doe")
    print(f"I have {voice.say(slot, time_zone=ZONE, now=NOW)}.")
    booked = client.create_booking(
        pb.CreateBookingRequest("bot_1", slot.start_at, slot.duration_minutes, caller, pb.random_key())
    )
    return f"You are booked for {voice.say(booked.start_at or slot, time_zone=ZONE, now=NOW)}."


def meant(wish: voice.Wish, answer: str) -> voice.Reading | None:
    """Asks which of the readings is meant, and looks for the answer among them."""
    times = [reading.around or reading.not_before for reading in wish.readings]
    starts = [{"start_at": f"{day.from_}T{time or '23:59'}"} for day, time in zip(wish.readings, times)]
    slots = voice.slots({"availabilities": starts}, time_zone=ZONE, now=NOW, pick=answer)
    style = "full" if any(times) else "day"
    print(f"Do you mean {voice.say_list(slots.slots, time_zone=ZONE, now=NOW, style=style)}?")
    return None if slots.picked is None else wish.readings[slots.picked.item]


def answer_to(words: str, answer: str) -> str:
    try:
        wish = voice.when(words, time_zone=ZONE, now=NOW)
        reading = wish.readings[0] if wish.clear else meant(wish, answer)
        if reading is None:
            return "Which one, please?"
        with pb.Client(endpoint="sandbox", sandbox={"answer": "windows", "time_zone": ZONE, "now": NOW}) as client:
            return book(client, reading)
    except pb.TimeUnclear:
        return "For which day and time, please?"
    except pb.PhoneUnclear:
        return "Could you say your number again, please?"
    except pb.Error as error:  # docs/python.md has more of them
        return "I am confirming that for you." if error.outcome == "unknown" else "May we call you back?"


if __name__ == "__main__":
    words = sys.argv[1] if len(sys.argv) > 1 else "tomorrow at ten thirty"
    print(answer_to(words, sys.argv[2] if len(sys.argv) > 2 else ""))
