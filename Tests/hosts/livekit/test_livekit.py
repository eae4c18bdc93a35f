"""The scenarios of all frameworks in LiveKit Agents: `AgentSession`, its room, its turns and its tools."""

import asyncio
import itertools

import pytest
from livekit_phone import PhoneCall
from random_runs import check_random_runs
from scenarios import SCENARIOS, check

WORDS = itertools.count(1)


class Driver:
    def __init__(self):
        self.phone = PhoneCall()
        self.spoken = self.phone.spoken
        self._returned = set()

    async def start(self, client, bot_id, call_id, caller_phone):
        await self.phone.start(client, bot_id, call_id, caller_phone)

    async def turn(self, *calls):
        ids = self._say(*calls)
        await self._until(lambda: all(call_id in self.phone.model.read for call_id in ids))
        self._returned.update(ids)
        return [self.phone.model.read[call_id] for call_id in ids if call_id in self.phone.model.read]

    async def interrupted_turn(self, call, when):
        [call_id] = self._say(call)
        await when()
        words = f"Hold on, {next(WORDS)}."
        self.phone.say(words)
        await self._until(lambda: self.phone.has_heard(words))
        # The model may not have called it: the caller was faster.
        await self._until(lambda: call_id in self.phone.model.read or call_id not in self.phone.model.begun)
        await self.phone.idle()

    async def hang_up(self):
        await self.phone.hang_up()

    @property
    def also_read(self):
        return [text for call_id, text in self.phone.model.read.items() if call_id not in self._returned]

    def _say(self, *calls):
        return self.phone.say(f"Well, {next(WORDS)}.", *((call.name, call.arguments) for call in calls))

    async def _until(self, done):
        while not done() and not self.phone.closed.is_set():
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_scenario(scenario, server):
    check(scenario, Driver, server)


def test_random_interruptions(server):
    check_random_runs(Driver, server)
