"""Many phone calls in which the caller interrupts a booking at a random moment and then wants another time. The clinic
is slow at random, its replies get lost, and it answers 503. There must be exactly one appointment each time.

`HOST_RUNS` is the number of calls, `HOST_SEED` repeats the choices of a run.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable

from clinic import ClinicServer
from judge import claims_of
from phone_calls import Host, Scenario
from play import Play
from scenarios import FOUND, IMPATIENT, book

RUNS = 10
AT_ONCE = 4
PERSEVERANCE = 20
"""Times that the caller asks for the other time, until he is told that something is booked."""


class RandomRun(Play):
    def __init__(self, host: Host, server: ClinicServer, seed: str) -> None:
        self._rng = random.Random(seed)
        config = self._rng.choice([{}, IMPATIENT])
        scenario = Scenario(f"random_run {seed}", (), config=config)
        super().__init__(scenario, host, server.clinic(self._rng.randrange(1 << 30)))
        self.counts: Counter[str] = Counter()

    async def play_steps(self) -> None:
        rng, clinic, host = self._rng, self.clinic, self._host
        await self.take(FOUND)
        await asyncio.to_thread(clinic.fault, "booking", "slow", ms=rng.uniform(0, 600))
        for kind in ("lost", "busy"):
            if rng.random() < 0.25:
                self.counts[kind] += 1
                # A patient booking tries again for so long that the test would take minutes.
                times = rng.choice([1, 1, 6]) if self._scenario.config else 1
                await asyncio.to_thread(clinic.fault, "booking", kind, ms=rng.uniform(0, 300), times=times)
        delay = rng.choice([0, rng.uniform(0, 0.005), rng.uniform(0, 0.7), rng.uniform(0, 0.7)])
        self.story.append(f"* interrupted after {delay:.3f} s")

        async def when() -> None:
            await asyncio.sleep(delay)

        await self.interrupted(book("$0"), when)
        if (await asyncio.to_thread(clinic.books))["requests"]:
            self.counts["sent"] += 1
        for _ in range(PERSEVERANCE):
            (text, *_) = await self.turn(book("$1"))
            if claims_of(text).booked:
                break
            self.counts["asked_again"] += 1
            await asyncio.sleep(0.2)
        else:
            self.fault(f"the model never reads that something is booked: {text!r}")
        await host.hang_up()


def random_runs(
    driver: Callable[[], Host], server: ClinicServer, runs: int, seed: int, at_once: int
) -> tuple[Counter[str], list[str]]:
    """What was counted, and the faults with their stories."""
    counts: Counter[str] = Counter()
    faults: list[str] = []

    async def play(number: int, places: asyncio.Semaphore) -> None:
        async with places:
            run = RandomRun(driver(), server, f"{seed}/{number}")
            try:
                await run.play()
            finally:
                await asyncio.to_thread(run.clinic.close)
            counts.update(run.counts)
            counts["runs"] += 1
            counts[f"appointments_{run.appointments}"] += 1
            if run.faults:
                faults.append("\n".join([f"run {seed}/{number}", *run.faults, *run.story]))

    async def play_all() -> None:
        places = asyncio.Semaphore(at_once)
        await asyncio.gather(*(play(number, places) for number in range(runs)))

    asyncio.run(play_all())
    return counts, faults


def check_random_runs(driver: Callable[[], Host], server: ClinicServer, at_once: int = AT_ONCE) -> None:
    """Prints the counts and fails with the faults. `at_once` phone calls are under way in one event loop."""
    runs = int(os.environ.get("HOST_RUNS", RUNS))
    seed = int(os.environ.get("HOST_SEED", random.randrange(1 << 30)))
    counts, faults = random_runs(driver, server, runs, seed, at_once)
    print(f"HOST_RUNS={runs} HOST_SEED={seed}", *(f"{name}={count}" for name, count in sorted(counts.items())))
    assert not faults, f"{len(faults)} faults, HOST_SEED={seed}\n" + "\n\n".join(faults[:5])
    assert counts["appointments_1"] == counts["runs"] == runs
