"""Plays a scenario with a driver and a clinic, and judges it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable

import partnerbooking as pb
from clinic import Clinic
from judge import claims_of, faults_of_claims, faults_of_text, offers_of
from phone_calls import BOOK, Call, Fault, Forgotten, HangUp, Host, Interrupted, Order, Scenario, Settled, Step, Turn

CALLER = "+12125550123"
SLOW_AFTER_MS = 250
"""Of the clients: the filler is said after this time."""

SECONDS = 45.0
"""A call that takes longer is a fault."""

ARRIVING = 10.0
"""Seconds in which a tool call reaches the clinic."""

LEAVING = 6.0
"""Seconds that a turn may take to end after the caller has hung up, and that the report of a booking may take."""


class Play:
    """A scenario, a driver and a clinic."""

    def __init__(self, scenario: Scenario, host: Host, clinic: Clinic) -> None:
        self.clinic = clinic
        self._scenario, self._host = scenario, host
        self._is_apart = hasattr(host, "config")
        self._call_id = f"call {scenario} {clinic.bot_id}"
        self._client: pb.AsyncClient
        self._settled: list[pb.Settled] = []
        self._offers: list[str] = []
        self._also_read: Counter[str] = Counter()
        self._bookings = 0
        self.appointments = 0
        self.faults: list[str] = []
        self.story: list[str] = []
        """What happened, for a person."""

    def run(self) -> list[str]:
        try:
            asyncio.run(self.play())
        finally:
            self.clinic.close()
        return self.faults

    async def play(self) -> None:
        config = self.clinic.config(slow_after_ms=SLOW_AFTER_MS, **self._scenario.config)
        if self._is_apart:
            self._host.config = config  # type: ignore[attr-defined]
        async with pb.AsyncClient(on_settled=self._settled.append, **config) as self._client:
            playing = asyncio.ensure_future(self._play())
            await asyncio.wait([playing], timeout=SECONDS)
            if not playing.done():
                playing.cancel()
                self.fault(f"took more than {SECONDS} s")
            try:
                await playing
            except asyncio.CancelledError:
                self.fault("was cancelled")
            except Exception as error:  # of the driver, or of the framework
                self.fault(f"raised {error!r}")
        await asyncio.to_thread(self.clinic.wait_until_idle)
        booked = await asyncio.to_thread(self.clinic.booked)
        self.appointments = len(booked)
        if len(booked) != self._scenario.appointments:
            self.fault(f"{len(booked)} appointments, not {self._scenario.appointments}: {booked}")
        for each in booked:
            # The framework knows the number, and the model gives none, or gives one after the
            # booking.
            if each["customer"]["phone"] != CALLER:
                self.fault(f"the appointment has another number than the caller: {each['customer']}")

    async def _play(self) -> None:
        host = self._host
        for step in self._scenario.before:
            await self.take(step)
        await host.start(self._client, self.clinic.bot_id, self._call_id, CALLER)
        await self.play_steps()
        await self.read_more()
        for words in host.spoken:
            if not words.strip() or re.search(r"\d", words):
                self.fault(f"was said: {words!r}")

    async def play_steps(self) -> None:
        """From the moment at which the call is answered, to its end."""
        for step in self._scenario.steps:
            await self.take(step)
        if not any(isinstance(each, HangUp) for each in self._scenario.steps):
            await self._host.hang_up()

    async def take(self, step: Step) -> None:
        self.story.append(f"* {step}")
        if isinstance(step, Turn):
            await self._turn(step)
        elif isinstance(step, Interrupted):
            await self.interrupted(step.call, await self._when_it_arrives(step.call))
        elif isinstance(step, HangUp):
            await self._hang_up(step)
        elif isinstance(step, Fault):
            await asyncio.to_thread(self.clinic.fault, step.what, step.kind, ms=step.ms, times=step.times)
        elif isinstance(step, Order):
            slots = [self._slot(step.slot)] if step.slot else []
            await asyncio.to_thread(getattr(self.clinic, step.what), *slots)
        elif isinstance(step, Settled) and not self._is_apart:
            await self._wait_for_report(step)
        elif isinstance(step, Forgotten) and not self._is_apart:
            await self._look_if_forgotten()

    async def turn(self, *calls: Call) -> list[str]:
        """The texts that the model then reads."""
        texts = await self._host.turn(*(self.filled(each) for each in calls))
        await self.read_more()
        if len(texts) != len(calls):
            self.fault(f"{len(texts)} texts for {len(calls)} calls: {texts}")
        for text in texts:
            await self._read(text)
        return texts

    async def interrupted(self, call: Call, when: Callable[[], Awaitable[None]]) -> None:
        await self._host.interrupted_turn(self.filled(call), when)
        await self.read_more()

    async def read_more(self) -> None:
        """What no turn has returned. It may have been read before what the last turn has returned."""
        texts = list(getattr(self._host, "also_read", []))
        for text in Counter(texts) - self._also_read:
            if text != getattr(self._host, "cancelled", None):
                await self._read(text)
        self._also_read = Counter(texts)

    def filled(self, call: Call) -> Call:
        """With the names of slots for `$0` and its like."""
        self._bookings += call.name == BOOK
        if isinstance(call.arguments, str):
            return Call(call.name, re.sub(r"\$\d~?", lambda found: self._slot(found[0]), call.arguments))
        filled = {
            name: self._slot(value) if isinstance(value, str) and value.startswith("$") else value
            for name, value in call.arguments.items()
        }
        return Call(call.name, filled)

    def fault(self, fault: str) -> None:
        self.faults.append(fault)
        self.story.append(f"! {fault}")

    # Steps

    async def _turn(self, turn: Turn) -> None:
        said = len(self._host.spoken)
        texts = await self.turn(*turn.calls)
        said = len(self._host.spoken) - said
        if turn.filler is not None and said != turn.filler and getattr(self._host, "speaks", True):
            self.fault(f"the filler was said {said} times, not {turn.filler}: {self._host.spoken}")
        for text in texts:
            self._expect(text, turn.each)
        self._expect(texts[-1] if texts else "", turn.says)

    def _expect(self, text: str, says: str | None) -> None:
        if says is not None and not any(claims_of(text).has(each) for each in says.split("|")):
            self.fault(f"does not say {says}: {text!r}")

    async def _read(self, text: str) -> None:
        """The model reads it."""
        self.story.append(f"  {text}")
        books = await asyncio.to_thread(self.clinic.books)
        for fault in faults_of_text(text, (each["key"] for each in books["requests"])):
            self.fault(fault)
        if not isinstance(text, str):
            return
        if offers := offers_of(text):
            self._offers = offers
        for fault in faults_of_claims(text, books, self._bookings):
            self.fault(fault)

    async def _hang_up(self, step: HangUp) -> None:
        if step.call is None:
            await self._host.hang_up()
            return
        when = await self._when_it_arrives(step.call)
        turn = asyncio.ensure_future(self._host.turn(self.filled(step.call)))
        await when()
        await self._host.hang_up()
        await asyncio.wait([turn], timeout=LEAVING)
        if not turn.done():
            turn.cancel()
        texts: list[str] = []
        # The call is over: how the framework ends the turn is its own matter.
        with contextlib.suppress(asyncio.CancelledError, Exception):
            texts = await turn
        for text in texts:
            await self._read(text)

    async def _when_it_arrives(self, call: Call) -> Callable[[], Awaitable[None]]:
        """Returns when the clinic has one more request of this kind than now."""
        what = "requests" if call.name == BOOK else "searches"

        async def count() -> int:
            return len((await asyncio.to_thread(self.clinic.books))[what])

        before = await count()

        async def arrives() -> None:
            deadline = time.monotonic() + ARRIVING
            while await count() <= before:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{call} does not reach the clinic")
                await asyncio.sleep(0.02)

        return arrives

    async def _wait_for_report(self, step: Settled) -> None:
        for _ in range(int(LEAVING / 0.02)):
            if self._settled:
                break
            await asyncio.sleep(0.02)
        booked = {each.idempotency_key: each.is_booked for each in self._settled}  # the same may come twice
        if list(booked.values()) != [step.booked]:
            self.fault(f"reports of the end of the booking: {booked}")

    async def _look_if_forgotten(self) -> None:
        conversation = self._client.conversation(self._call_id, self.clinic.bot_id, CALLER)
        wish = {"slot": "the second one", "name": "Ann Smith", "caller_confirmed": None}
        answer = await conversation.call(BOOK, wish)
        if answer.result not in ("not_offered", "already"):
            self.fault(f"the conversation goes on after the call: {answer!r}")

    def _slot(self, name: str) -> str:
        if not (found := re.fullmatch(r"\$(\d)(~?)", name)):
            return name
        if int(found[1]) >= len(self._offers):
            raise LookupError(f"the model has read {self._offers} and wants {name}")
        slot = self._offers[int(found[1])]
        # At night, with the letter of the right one.
        return f"{slot[:6]}03{slot[8:]}" if found[2] else slot
