"""Drivers with a bug each, which the judge has to see: `PLANTED` says in which scenario, and in which words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import partnerbooking as pb
from bare import FILLER, Bare
from phone_calls import BOOK, Call


class BooksTwice(Bare):
    """Takes each booking for one more."""

    async def answer(self, call: Call) -> str:
        if call.name == BOOK and isinstance(call.arguments, Mapping):
            call = Call(BOOK, {**call.arguments, "another": True})
        return await super().answer(call)


class LetsErrorsThrough(Bare):
    """Is less patient than a booking takes, and shows the model what was raised."""

    async def answer(self, call: Call) -> str:
        try:
            return await asyncio.wait_for(super().answer(call), 0.5)
        except Exception as error:
            return f"An error occurred while running the tool: {error!r}"


class SaysBooked(Bare):
    """Says what the caller would like to hear."""

    async def answer(self, call: Call) -> str:
        text = await super().answer(call)
        return "Booked. Tell the caller. Do not book again." if call.name == BOOK else text


class SaysAnotherTime(Bare):
    """Says so of an appointment that there is, but at another time."""

    async def answer(self, call: Call) -> str:
        text = await super().answer(call)
        return text.replace(" at nine in the morning", " at ten in the morning").replace("in the afternoon", "at night")


class SaysNothingIsBooked(Bare):
    """Takes an interruption for the end of the booking."""

    async def interrupted_turn(self, call: Call, when: Callable[[], Awaitable[None]]) -> None:
        await super().interrupted_turn(call, when)
        await asyncio.sleep(1)
        self.also_read = ["Nothing is booked: the caller interrupted. Ask what the caller wants."]


class MixesUpCallers(Bare):
    """Takes the number of another call."""

    async def start(self, client: pb.AsyncClient, bot_id: str, call_id: str, caller_phone: str | None) -> None:
        await super().start(client, bot_id, call_id, "+12125550199")


class ShowsJson(Bare):
    """Gives the model the whole answer."""

    async def answer(self, call: Call) -> str:
        return (await self._conversation.call(call.name, call.arguments)).json.decode()


class ShowsKeys(Bare):
    """Names the booking for the model."""

    async def answer(self, call: Call) -> str:
        result = await self._conversation.call(call.name, call.arguments)
        return f"{result.text} The reference is {result.idempotency_key}." if result.idempotency_key else result.text


class SaysNothing(Bare):
    """Leaves the tool without a result when the calendar cannot be reached."""

    async def answer(self, call: Call) -> str:
        text = await super().answer(call)
        return "" if "cannot be reached" in text else text


class SwallowsSecondCall(Bare):
    """Runs one tool in a step."""

    async def turn(self, *calls: Call) -> list[str]:
        return await super().turn(*calls[:1])


class RepeatsFiller(Bare):
    """Says it at each call."""

    def _say_filler(self) -> None:
        self.spoken.append(FILLER)


class NeverSpeaks(Bare):
    def _say_filler(self) -> None:
        pass


class StaysOnTheLine(Bare):
    """Does not end the conversation."""

    async def hang_up(self) -> None:
        pass


class Raises(Bare):
    async def turn(self, *calls: Call) -> list[str]:
        raise RuntimeError("a driver's own")


class EndsEarly(Bare):
    async def turn(self, *calls: Call) -> list[str]:
        raise asyncio.CancelledError


class NeverCalls(Bare):
    async def interrupted_turn(self, call: Call, when: Callable[[], Awaitable[None]]) -> None:
        await when()


PLANTED = [
    (BooksTwice, "interrupted_then_another_time", "2 appointments, not 1"),
    (BooksTwice, "two_times_in_one_step", "2 appointments, not 1"),
    (LetsErrorsThrough, "slow_platform", "words of a program, 'error occurred'"),
    (SaysBooked, "slot_gone", "says that something is booked which is not"),
    (SaysBooked, "platform_down", "says that something is booked which is not"),
    (SaysBooked, "garbled_slot", "says that something is booked which is not"),
    (SaysBooked, "booked", "does not say not_booked"),
    (SaysAnotherTime, "booked", "says that something is booked which is not"),
    (SaysNothingIsBooked, "interrupted_then_another_time", "says that something is not booked which is"),
    (MixesUpCallers, "booked", "another number than the caller"),
    (ShowsJson, "booked", "words of a program, '{'"),
    (ShowsKeys, "booked", "key"),
    (SaysNothing, "platform_down", "the model reads nothing"),
    (SwallowsSecondCall, "called_twice_in_one_step", "1 texts for 2 calls"),
    (RepeatsFiller, "slow_platform", "the filler was said 2 times, not 1"),
    (NeverSpeaks, "slow_platform", "the filler was said 0 times, not 1"),
    (StaysOnTheLine, "hang_up", "the conversation goes on after the call"),
    (StaysOnTheLine, "hang_up_while_booking", "reports of the end of the booking"),
    (Raises, "booked", "raised RuntimeError"),
    (EndsEarly, "booked", "was cancelled"),
    (NeverCalls, "interrupted_then_another_time", "does not reach the clinic"),
]
