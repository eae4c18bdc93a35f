"""The sloppy model and the impatient caller of `conversation.py`: one conversation, step by step.

It decides by its seed and by what it was told. Each call goes into the log with what it means, which is what the judge
goes by: arguments are in too many disguises to be read again.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from conversation_engine import Answer, Engine, Log, parsed
from conversation_platforms import Plan
from conversation_words import NAMES, disguised, garbled, invented, near, phone, rubbish, tag, wish
from zoo_calendar import instant

PATIENCE = 30.0
"""Seconds after its time at which a call counts as lost."""

PERSEVERANCE = 30.0
"""Seconds that an interrupted caller asks for."""

EMAIL = "q@example.com"
LISTS = ("offered", "slot_gone", "not_offered", "none")


@dataclass(frozen=True)
class Order:
    """A conversation that is to be had, or to be gone on with."""

    name: str
    """Its `call_id`."""
    number: int
    bot: str
    seed: str
    steps: int
    mode: str = "random"
    """`interrupted`: a booking is cut short, and another time is asked for."""
    past: list[dict[str, Any]] = field(default_factory=list)
    """What happened before a kill."""
    begins_ms: float = 0


class Conversation:
    def __init__(self, order: Order, plan: Plan, engine: Engine, log: Log) -> None:
        self._order, self._plan, self._engine, self._log = order, plan, engine, log
        self._rng = random.Random(f"{order.seed}/{len(order.past)}")
        self._slots: dict[str, dict[str, Any]] = {}
        """All that was offered, by name."""
        self._list: list[dict[str, Any]] = []
        """The one that "the second one" is about; empty when nobody can tell."""
        self._result = ""
        self._wanted: dict[str, Any] | None = None
        """The last booking that was asked for."""
        self._is_sure = not order.past
        """What this process was told, it knows."""
        for event in order.past:
            if event["what"] == "answer":
                self._learn(event)
        if order.past:
            self._list = []

    def run(self) -> None:
        time.sleep(self._order.begins_ms / 1000)
        if self._rng.random() < 0.3 and self._is_sure:
            self._engine.prefetch({"bot_id": self._order.bot})
        if self._order.mode == "interrupted":
            self._interrupt()
        else:
            for _ in range(self._order.steps):
                self._step()
                if self._rng.random() < 0.3:
                    time.sleep(self._rng.uniform(0, 0.1))
        self._log.note(self._order.name, "end")
        self._engine.end({"bot_id": self._order.bot, "call_id": self._order.name})

    # Random conversations

    def _step(self) -> None:
        chance = self._rng.random()
        if self._result == "invalid" and self._wanted is not None and chance < 0.5:
            self._repeat(is_corrected=True)
        elif not self._slots and chance < 0.8:
            self._find(is_cancelled=self._rng.random() < 0.08)
        elif chance < 0.14:
            self._find(is_cancelled=self._rng.random() < 0.1)
        elif chance < 0.18:
            self._send("book_appointment", rubbish(self._rng), {"kind": "rubbish"})
        elif chance < 0.20:
            self._send("find_appointment_slots", rubbish(self._rng), {"kind": "rubbish"})
        elif chance < 0.22:
            self._send("look_up_caller", self._rng.choice([{}, None, "", "null"]), {"kind": "look_up"})
        elif chance < 0.23:
            self._send(self._rng.choice(["cancel_appointment", "", "BOOK"]), {}, {"kind": "no_tool"})
        elif chance < 0.36 and self._wanted is not None:
            self._repeat()
        elif chance < 0.46:
            self._book_twice()
        elif chance < 0.60:
            self._book(is_cancelled=True)
        else:
            self._book(is_cancelled=False)

    def _find(self, is_cancelled: bool) -> None:
        is_speculative = self._rng.random() < 0.1
        arguments = wish(self._rng, self._plan)
        self._send(
            "find_appointment_slots",
            disguised(self._rng, arguments),
            {"kind": "find"},
            speculative=is_speculative,
            cancel_ms=self._rng.uniform(0, 60) if is_cancelled else None,
        )
        if is_speculative or is_cancelled:
            # The caller may not have heard of it.
            self._list = []

    def _book(self, is_cancelled: bool, **changes: Any) -> None:
        arguments, means = self._booking()
        arguments |= changes
        self._wanted = arguments | {"means": means}
        self._send_booking(arguments, means, cancel_ms=self._rng.uniform(0, 400) if is_cancelled else None)

    def _repeat(self, is_corrected: bool = False) -> None:
        """The same again: as it was, confirmed now, or with another name, number or note."""
        assert self._wanted is not None
        arguments = {name: value for name, value in self._wanted.items() if name != "means"}
        means = dict(self._wanted["means"])
        if self._result == "readback" or self._rng.random() < 0.5:
            arguments["caller_confirmed"] = means["confirmed"] = True
        if is_corrected:
            arguments |= {"phone": None, "email": None}
            means["is_reachable"] = True
        if is_corrected or self._rng.random() < 0.5:
            arguments["name"] = self._name()
        if self._rng.random() < 0.3:
            arguments["notes"] = self._rng.choice(["Has a dog", "Second visit, 2031-05-05T11:11:00Z", None])
        if not is_corrected and self._rng.random() < 0.3:
            arguments["phone"], means["is_reachable"] = phone(self._rng, self._order.number)
        means["is_complete"] = _is_complete(arguments) and means["is_reachable"]
        if not self._is_lasting(means):
            means = self._meaning("unclear", None, arguments, means["is_reachable"])
        self._send_booking(arguments, means)

    def _is_lasting(self, means: dict[str, Any]) -> bool:
        """Whether the words mean the same as before: "the second one" does not, when there is another list."""
        return means["kind"] not in ("place", "letterless") and self._is_sure

    def _book_twice(self) -> None:
        """Two calls at the same time, for the same slot or for another one."""
        arguments, means = self._booking()
        second, second_means = (arguments, means) if self._rng.random() < 0.6 else self._booking()
        if self._rng.random() < 0.3:
            second = second | {"name": self._name()}
        if self._rng.random() < 0.7:
            # Two that were confirmed, of which one may be booked.
            arguments, means = self._confirmed(arguments, means)
            second, second_means = self._confirmed(second, second_means)
        # A place in a list that the other call replaces.
        means, second_means = (
            each | ({"kind": "unclear", "start": None} if each["kind"] == "place" else {})
            for each in (means, second_means)
        )
        both = ((arguments, means), (second, second_means))
        calls = [self._begin_booking(*each, is_beside=True) for each in both]
        self._wanted = second | {"means": second_means}
        for number, told, timeout_ms in calls:
            self._wait(number, told, timeout_ms)
        # Whose list came last is not known.
        self._list = []

    @staticmethod
    def _confirmed(arguments: dict[str, Any], means: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        return arguments | {"caller_confirmed": True}, means | {"confirmed": True}

    # What is booked

    def _booking(self) -> tuple[dict[str, Any], dict[str, Any]]:
        rng = self._rng
        number, is_reachable = phone(rng, self._order.number)
        arguments: dict[str, Any] = {
            "slot": None,
            "name": self._name() if rng.random() < (0.95 if self._slots else 0.6) else rng.choice([None, "", 7]),
            "phone": number,
            "email": rng.choice([None, None, None, EMAIL, EMAIL, "not an address"]),
            "notes": rng.choice([None, None, "First visit", "Call +14155550137 at 09:30", "x" * 300]),
            "caller_confirmed": rng.choice([True, True, True, False, None]),
            "another": rng.random() < (0.3 if self._result in ("booked", "already") else 0.03) or None,
        }
        kind, slot = self._pick(arguments)
        return arguments, self._meaning(kind, slot, arguments, is_reachable)

    def _pick(self, arguments: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
        """Writes a slot into the arguments, and gives what it means."""
        rng = self._rng
        chance = rng.random()
        if not self._slots or chance < 0.05:
            arguments["slot"] = invented(rng, self._plan)
            return "invented", None
        slot = rng.choice(self._list or list(self._slots.values()))
        if chance < 0.15:
            arguments["slot"] = garbled(rng, slot["slot"])
            return "garbled", None
        if chance < 0.20 and len(self._list) >= 2 and self._is_sure and self._plan.locale.startswith("en"):
            arguments["slot"] = "the second one"
            return "place", self._list[1]
        if chance < 0.40:
            arguments["slot"] = near(rng, slot)
            return ("letterless" if arguments["slot"] == slot["slot"][:-1] else "near"), slot
        arguments["slot"] = slot["slot"]
        return "exact", slot

    def _meaning(
        self, kind: str, slot: dict[str, Any] | None, arguments: dict[str, Any], is_reachable: bool
    ) -> dict[str, Any]:
        return {
            "kind": kind,
            "text": arguments["slot"],
            "start": None if slot is None else instant(slot["start_at"]).timestamp(),
            "minutes": None if slot is None else slot["duration_minutes"],
            "confirmed": arguments["caller_confirmed"] is True,
            "another": arguments["another"] is True,
            "is_complete": _is_complete(arguments) and is_reachable,
            "is_reachable": is_reachable,
            "is_sure": self._is_sure,
        }

    def _name(self) -> str:
        return f"{self._rng.choice(NAMES)} {tag(self._order.number)}"

    # Interrupted conversations

    def _interrupt(self) -> None:
        """A booking is cut short, the caller wants another time, and asks until there is an end."""
        for _ in range(10):
            if len(self._slots) < 2:
                self._send("find_appointment_slots", {"when": None, "time": None, "service": None}, {"kind": "find"})
        first, second = self._rng.sample(list(self._slots.values()), 2)
        self._send_booking(*self._wish_for(first), cancel_ms=self._rng.uniform(0, 500))
        until = time.monotonic() + PERSEVERANCE
        while time.monotonic() < until:
            self._send_booking(*self._wish_for(second))
            if self._result in ("booked", "already"):
                return
            if self._result in ("slot_gone", "not_offered"):
                second = self._rng.choice(list(self._slots.values()))

    def _wish_for(self, slot: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        arguments = {"slot": slot["slot"], "name": self._name(), "phone": None, "email": None, "notes": None}
        arguments |= {"caller_confirmed": True, "another": None}
        return arguments, self._meaning("exact", slot, arguments, True)

    # Calls

    def _send_booking(
        self, arguments: dict[str, Any], means: dict[str, Any], cancel_ms: float | None = None
    ) -> None:
        self._wait(*self._begin_booking(arguments, means, cancel_ms))

    def _begin_booking(
        self, arguments: dict[str, Any], means: dict[str, Any], cancel_ms: float | None = None, is_beside: bool = False
    ) -> tuple[int, Future[dict[str, Any]], int]:
        is_speculative = self._order.mode == "random" and self._rng.random() < 0.06
        is_disguised = self._order.mode == "random"
        written = disguised(self._rng, arguments) if is_disguised else arguments
        return self._begin("book_appointment", written, means, is_speculative, cancel_ms, is_beside)

    def _send(
        self,
        tool: str,
        arguments: Any,
        means: dict[str, Any],
        speculative: bool = False,
        cancel_ms: float | None = None,
    ) -> None:
        self._wait(*self._begin(tool, arguments, means, speculative, cancel_ms))

    def _begin(
        self,
        tool: str,
        arguments: Any,
        means: dict[str, Any],
        speculative: bool,
        cancel_ms: float | None,
        is_beside: bool = False,
    ) -> tuple[int, Future[dict[str, Any]], int]:
        number, timeout_ms = self._log.number(), self._rng.choice(self._plan.timeouts_ms)
        request = {
            "tool": tool,
            "call_id": self._order.name,
            "bot_id": self._order.bot,
            "arguments": arguments,
            "caller_phone": f"+1212555{self._order.number % 10000:04d}",
            "timeout_ms": timeout_ms,
        }
        if speculative or self._rng.random() < 0.3:
            request["speculative"] = speculative
        self._log.note(
            self._order.name,
            "call",
            id=number,
            tool=tool,
            arguments=arguments,
            speculative=speculative,
            timeout_ms=timeout_ms,
            means=means,
        )
        # The answer is on record when it comes, whoever waits for it.
        told: Future[dict[str, Any]] = Future()
        if cancel_ms is None and not is_beside and self._rng.random() < 0.2:
            told.set_result(self._note(number, self._engine.call(request)))
            return number, told, timeout_ms
        ticket, future = self._engine.submit(request)
        future.add_done_callback(lambda done: told.set_result(self._note(number, done.result())))
        if cancel_ms is not None:
            try:
                future.result(cancel_ms / 1000)
            except TimeoutError:
                self._log.note(self._order.name, "cancel", id=number)
                self._engine.cancel(ticket)
        return number, told, timeout_ms

    def _note(self, number: int, answer: Answer) -> dict[str, Any]:
        members = {"status": answer.status, "reply": parsed(answer.reply), "total_ms": answer.total_ms}
        return self._log.note(self._order.name, "answer", id=number, **members)

    def _wait(self, number: int, told: Future[dict[str, Any]], timeout_ms: int) -> None:
        try:
            self._learn(told.result(timeout_ms / 1000 + PATIENCE))
        except TimeoutError:
            self._log.note(self._order.name, "lost", id=number)

    def _learn(self, event: dict[str, Any]) -> None:
        reply = event["reply"]
        if event["status"] != 0 or not isinstance(reply, dict):
            return
        self._result = str(reply.get("result"))
        slots = reply.get("slots")
        if isinstance(slots, list) and slots:
            self._slots |= {each["slot"]: each for each in slots}
            self._list = slots if self._result in LISTS else []
        elif self._result in ("unclear", "none"):
            self._list = []


def _is_complete(arguments: dict[str, Any]) -> bool:
    """Whether nothing but the slot can be wrong."""
    return "Q" in str(arguments["name"]) and arguments["email"] in (None, EMAIL)
