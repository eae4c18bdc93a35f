"""Round trips of `conversation.py`, counted at the server: after a prefetch, after a 409, and of equal searches."""

from __future__ import annotations

import random
import statistics
import time
from typing import Any

from conversation_engine import Engine, parsed
from conversation_platforms import Plan, calm_plan
from conversation_rounds import Place
from conversation_words import NAMES, tag
from truth_judge import Findings

AT_ONCE = 12
TIMEOUT_MS = 2000
PATIENCE = 10.0


class Trips:
    """Some conversations, one after the other, each at a platform of its own."""

    def __init__(self, place: Place, findings: Findings, seed: str) -> None:
        self._place, self._findings = place, findings
        self._rng = random.Random(seed)
        self._times_us: list[float] = []

    def run(self, rounds: int) -> None:
        for number in range(rounds):
            endpoint = self._rng.choice(["partner", "webhook"])
            refusing = (self._after_refusal, self._refused_without_cache)
            for trip in (self._after_prefetch, self._at_the_same_time, *refusing):
                refuses = trip in refusing
                more = [{"is": "walk_ins"}] if refuses else []
                plan = calm_plan(self._rng, *more)
                bot = self._place.server.platform(*plan.behaviours, seed=number)
                config = self._place.config(plan, [bot], "kept", endpoint)
                if trip == self._refused_without_cache:
                    config["voice"] = config["voice"] | {"cache_ms": 0}
                engine = self._place.open_engine(config)
                try:
                    trip(engine, bot, plan)
                finally:
                    engine.close()
                    self._place.server.forget(bot)
        if self._times_us:
            self._findings.most("prefetched_find_us", round(statistics.median(self._times_us)))

    def _after_prefetch(self, engine: Engine, bot: str, plan: Plan) -> None:
        engine.prefetch({"bot_id": bot})
        deadline = time.monotonic() + PATIENCE
        while not any(each["ended"] for each in self._place.server.books(bot)["searches"]):
            if time.monotonic() > deadline:
                self._findings.violation("trips", "a prefetch searched nothing")
                return
            time.sleep(0.01)
        # The reply has to arrive.
        time.sleep(0.1)
        before = self._count(bot)
        for when in ("next week", None, "in three days", "Friday"):
            began = time.perf_counter()
            answer = engine.call(_find(bot, {"when": when}))
            self._times_us.append((time.perf_counter() - began) * 1e6)
            self._expect(parsed(answer.reply), ("offered", "none", "unclear"))
        self._findings.count("prefetched_finds", 4)
        self._trips("prefetched_trips", self._count(bot) - before, 0)

    def _at_the_same_time(self, engine: Engine, bot: str, plan: Plan) -> None:
        futures = [engine.submit(_find(bot, {"when": "next week"}, str(number)))[1] for number in range(AT_ONCE)]
        for future in futures:
            self._expect(parsed(future.result(PATIENCE).reply), ("offered", "none", "unclear"))
        self._findings.count("joined_finds", AT_ONCE)
        self._trips("joined_trips", self._count(bot), 1)

    def _after_refusal(self, engine: Engine, bot: str, plan: Plan) -> None:
        self._refused(engine, bot, "refusal_trips", 1)

    def _refused_without_cache(self, engine: Engine, bot: str, plan: Plan) -> None:
        self._refused(engine, bot, "uncached_refusal_trips", 2)

    def _refused(self, engine: Engine, bot: str, name: str, most: int) -> None:
        found = parsed(engine.call(_find(bot, {"when": None})).reply)
        if not self._expect(found, ("offered",)):
            return
        before = self._count(bot)
        arguments = {"slot": found["slots"][0]["slot"], "name": f"{NAMES[0]} {tag(1)}", "caller_confirmed": True}
        answer = engine.call(_request(bot, "book_appointment", arguments))
        reply = parsed(answer.reply)
        if self._expect(reply, ("slot_gone",)):
            self._findings.count("refused_with_alternatives", bool(reply.get("slots")))
            if not reply.get("slots"):
                self._findings.violation("trips", f"no alternatives: {reply}")
            if any(each["slot"] == arguments["slot"] for each in reply.get("slots") or []):
                self._findings.violation("trips", f"the slot that is gone is offered again: {reply}")
        self._findings.count("refusals")
        self._findings.count("refusals_late", answer.total_ms > TIMEOUT_MS)
        if answer.total_ms > TIMEOUT_MS:
            self._findings.violation("late", f"a refusal took {answer.total_ms:.0f} ms")
        self._trips(name, self._count(bot) - before, most)

    def _count(self, bot: str) -> int:
        books = self._place.server.books(bot)
        return len(books["searches"]) + len(books["requests"])

    def _expect(self, reply: dict[str, Any], results: tuple[str, ...]) -> bool:
        if reply.get("result") not in results:
            self._findings.violation("trips", f"not one of {results}: {reply}")
            return False
        return True

    def _trips(self, name: str, count: int, most: int) -> None:
        self._findings.most(f"most_{name}", count)
        if count > most:
            self._findings.violation("trips", f"{name}: {count}")


def _find(bot: str, arguments: dict[str, Any], call: str = "") -> dict[str, Any]:
    return _request(bot, "find_appointment_slots", arguments, call)


def _request(bot: str, tool: str, arguments: dict[str, Any], call: str = "") -> dict[str, Any]:
    phone = "+14155550137"
    request = {"tool": tool, "call_id": f"trip {call}", "bot_id": bot, "arguments": arguments, "caller_phone": phone}
    return request | {"timeout_ms": TIMEOUT_MS}
