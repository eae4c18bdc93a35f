"""The judge of `conversation.py`: holds what a conversation was told against the books of its platform.

`conversation_sentences.py` looks at the words alone.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from conversation_engine import CANCELLED, CLIENT_CLOSED
from conversation_platforms import Plan
from conversation_sentences import faults, says_time
from conversation_words import owner, token
from truth_judge import Findings
from zoo_calendar import WALK_IN, instant

RESULTS = frozenset(
    "offered none unclear invalid not_offered readback held booked already slot_gone in_doubt failed known "
    "not_known".split()
)
SLACK_MS = 150
"""What an answer may be late, beside some times the lag of this process."""

LAGS = 3
NEAR = ("exact", "near", "letterless", "place")
WALL = time.time() - time.monotonic()
"""From our times to those of the calendar."""


@dataclass
class Talk:
    """One conversation: what was asked and told, and what the platform has of it."""

    name: str
    number: int
    mode: str
    plan: Plan
    events: list[dict[str, Any]]
    requests: list[dict[str, Any]] = field(default_factory=list)
    appointments: list[dict[str, Any]] = field(default_factory=list)

    @property
    def calls(self) -> dict[int, dict[str, Any]]:
        return {each["id"]: each for each in self.of("call")}

    @property
    def live(self) -> list[dict[str, Any]]:
        return [each for each in self.appointments if each["is_active"]]

    def of(self, what: str) -> Iterator[dict[str, Any]]:
        return (each for each in self.events if each["what"] == what)

    def offered(self, until: float) -> dict[str, dict[str, Any]]:
        """The slots of replies before a moment, by name."""
        found: dict[str, dict[str, Any]] = {}
        for each in self.of("answer"):
            if each["at"] <= until and isinstance(each["reply"], dict):
                found |= {slot["slot"]: slot for slot in each["reply"].get("slots") or []}
        return found

    def is_new(self, at: float) -> bool:
        """Whether this process has offered nothing yet in this conversation, which may go on after a restart."""
        killed = max((each["at"] for each in self.of("killed") if each["at"] < at), default=0)
        told = (each["reply"] for each in self.of("answer") if killed < each["at"] < at)
        return not any(
            isinstance(reply, dict) and (reply.get("slots") or reply.get("result") == "readback") for reply in told
        )

    def story(self) -> str:
        """For a person: what happened, in milliseconds."""
        calls = self.calls
        lines: list[tuple[float, str]] = []
        for each in self.events:
            text = each["what"]
            if text == "call":
                means = {name: value for name, value in each["means"].items() if value not in (None, False)}
                tool = each["tool"][:4] + ("?" if each["speculative"] else "")
                text = f"{tool} {each['id'] % 1000} {means} ({each['timeout_ms']} ms)"
            elif text == "answer":
                reply = each["reply"] if isinstance(each["reply"], dict) else {}
                result = reply.get("result") or each["reply"]
                error = reply.get("error") or {}
                words = " ".join(str(error[name]) for name in ("code", "outcome", "field") if error.get(name))
                text = f"-> {each['id'] % 1000} {each['status']} {result if each['status'] == 0 else ''} {words}"
            elif each.get("id") in calls:
                text = f"{text} {each['id'] % 1000}"
            lines.append((each["at"], text))
        for each in self.requests:
            asked = f"#{each['number']} asks for {each['start_at']} {each['key']} {each['met']}"
            lines.append((each["arrived"], asked))
            lines.append((each["ended"] or each["arrived"], f"#{each['number']} gets {each['answered']}"))
        lines += [(each["made"], f"#{each['request']} books {each['start_at']}") for each in self.appointments]
        lines.sort()
        return "; ".join(f"{(at - lines[0][0]) * 1000:.0f} {text}" for at, text in lines)


def talks_of(plan: Plan, books: dict[str, Any], talks: Iterable[Talk]) -> None:
    """Gives each conversation what the platform has of it."""
    known = list(talks)
    by_number = {each.number: each for each in known}
    by_line = {f"{each.number % 10000:04d}": each for each in known}
    by_request: dict[int, Talk] = {}
    for request in books["requests"]:
        customer = request["customer"]
        talk = by_number.get(owner(str(customer.get("name"))) or -1) or by_line.get(str(customer.get("phone"))[-4:])
        if talk is not None:
            by_request[request["number"]] = talk
            talk.requests.append(request)
    for appointment in books["appointments"]:
        if appointment["key"] != WALK_IN and (talk := by_request.get(appointment["request"])) is not None:
            talk.appointments.append(appointment)


class Judge:
    def __init__(self, findings: Findings, lag_ms: float) -> None:
        self._findings, self._lag_ms = findings, lag_ms
        self._talk: Talk

    def judge(self, talk: Talk) -> None:
        self._talk = talk
        count = self._findings.count
        count("conversations")
        count("requests", len(talk.requests))
        count("appointments", len(talk.live))
        for request in talk.requests:
            self._judge_request(request)
        self._judge_number()
        calls, answered = talk.calls, set()
        for answer in talk.of("answer"):
            answered.add(answer["id"])
            self._judge_answer(calls[answer["id"]], answer)
        for lost in talk.of("lost"):
            self._violation("late", f"call {lost['id']} was never answered")
        died = max((each["at"] for each in talk.of("killed")), default=0)
        for number, call in calls.items():
            if number not in answered and call["at"] > died:
                self._violation("late", f"call {number} has no answer")

    # What the platform has

    def _judge_number(self) -> None:
        talk = self._talk
        another = sum(each["means"].get("another", False) for each in talk.calls.values())
        if len(talk.live) > 1 + another:
            self._violation("doubled", f"{len(talk.live)} appointments")
        self._findings.count("more_by_another", max(0, len(talk.live) - 1))
        if talk.mode == "interrupted":
            self._findings.count(f"interrupted_{min(2, len(talk.live))}")
            if len(talk.live) != 1:
                self._violation("not_exactly_one", f"{len(talk.live)} appointments")

    def _judge_request(self, request: dict[str, Any]) -> None:
        """It asks for what was offered, and what was confirmed."""
        talk, at = self._talk, request["arrived"] + self._lag_ms / 1000
        start, minutes = instant(request["start_at"]), request["duration_minutes"]
        name = token(start, minutes, talk.plan.zone)
        spans = {(instant(each["start_at"]), each["duration_minutes"]) for each in talk.offered(at).values()}
        if (start, minutes) not in spans and not self._was_read_back(name, at):
            self._violation("unoffered", f"{request['start_at']} + {minutes}")
            return
        for call in talk.of("call"):
            means = call["means"]
            is_named = means.get("start") == start.timestamp() or _plain(means.get("text")) == name
            is_unclear = means.get("kind") in ("unclear", "place", "letterless")
            is_confirmed = means.get("confirmed") or talk.plan.confirm == "none"
            if call["at"] <= at and is_confirmed and not call["speculative"] and (is_named or is_unclear):
                return
        self._violation("unconfirmed", f"nobody asked for {request['start_at']}")

    def _was_read_back(self, name: str, until: float) -> bool:
        """A name that came before this process had offered anything, and was told to the caller."""
        talk, calls = self._talk, self._talk.calls
        for answer in talk.of("answer"):
            call = calls[answer["id"]]
            is_read = isinstance(answer["reply"], dict) and answer["reply"].get("result") == "readback"
            if is_read and answer["at"] <= until and talk.is_new(call["at"]):
                if _plain(call["means"].get("text")) == name:
                    return True
        return False

    # What was told

    def _judge_answer(self, call: dict[str, Any], answer: dict[str, Any]) -> None:
        self._judge_time(call, answer)
        reply, status = answer["reply"], answer["status"]
        if status != 0:
            was_cancelled = any(each["id"] == call["id"] for each in self._talk.of("cancel"))
            if status != CLIENT_CLOSED and not (status == CANCELLED and was_cancelled):
                self._violation("bad_status", f"{status} {reply}")
            self._findings.count("cancelled", status == CANCELLED)
            return
        result = reply.get("result") if isinstance(reply, dict) else None
        if result not in RESULTS or not isinstance(reply.get("text"), str) or not reply["text"]:
            self._violation("not_a_result", f"{reply}")
            return
        self._findings.count("answers")
        self._findings.count(f"{call['tool'][:4] or 'none'}_{result}")
        keys = {each["key"] for each in self._talk.requests} | {str(reply.get("idempotency_key"))} - {"None"}
        for kind, detail in faults(call["tool"], reply, keys):
            self._violation(kind, detail)
        if reply.get("slots"):
            self._judge_offer(reply["slots"])
        if result in ("booked", "already"):
            self._judge_success(result, reply, answer)
        elif result in ("slot_gone", "failed"):
            self._judge_refusal(result, reply, answer)
        if call["tool"] == "book_appointment":
            self._judge_reading(call, result)

    def _judge_time(self, call: dict[str, Any], answer: dict[str, Any]) -> None:
        over = answer["total_ms"] - call["timeout_ms"]
        self._findings.most("worst_over_ms", max(0, round(over)))
        if over > SLACK_MS + LAGS * max(answer["lag_ms"], self._lag_ms):
            self._violation("late", f"call {call['id']} took {answer['total_ms']:.0f} of {call['timeout_ms']} ms")
        self._findings.count("calls")

    def _judge_offer(self, slots: list[dict[str, Any]]) -> None:
        plan = self._talk.plan
        for slot in slots:
            if not plan.is_open(slot["start_at"], slot["duration_minutes"]):
                self._violation("invented_offer", f"{slot}")
            elif token(instant(slot["start_at"]), slot["duration_minutes"], plan.zone) != slot["slot"]:
                self._violation("invented_offer", f"another name: {slot}")

    def _judge_success(self, result: str, reply: dict[str, Any], answer: dict[str, Any]) -> None:
        """The appointment stands, and the words are about its own time."""
        talk = self._talk
        booking = reply.get("booking") or {}
        until = answer["at"] + self._lag_ms / 1000
        if not booking and result == "already":
            # The words alone say which one it is.
            booking = next((each for each in talk.live if self._is_said(each["start_at"], reply, answer)), {})
        try:
            start = instant(booking["start_at"])
        except (KeyError, TypeError, ValueError):
            self._violation(f"untrue_{result}", f"without a time: {booking} {reply.get('say')}")
            return
        meant = [each for each in talk.appointments if each["made"] <= until and instant(each["start_at"]) == start]
        if not any(each["is_active"] for each in meant):
            self._violation(f"untrue_{result}", f"there is no {booking}")
            return
        self._findings.count(f"{result}_true")
        if not self._is_said(booking["start_at"], reply, answer):
            self._violation("other_time", f"{booking['start_at']} is not in {reply.get('say')!r}")

    def _is_said(self, start_at: str, reply: dict[str, Any], answer: dict[str, Any]) -> bool:
        return says_time(reply.get("say") or reply["text"], start_at, self._talk.plan, answer["at"] + WALL)

    def _judge_refusal(self, result: str, reply: dict[str, Any], answer: dict[str, Any]) -> None:
        """What is said not to be booked is not."""
        error = reply.get("error") or {}
        if result == "slot_gone" or error.get("outcome") in ("rejected", "not_sent"):
            key = reply.get("idempotency_key") or error.get("idempotency_key")
            self._findings.count("refused_keys", key is not None)
            live = [each for each in self._talk.live if each["key"] == key]
            if any(not self._was_made_by_an_equal_call(each, answer) for each in live):
                self._violation("untrue_refusal", f"{result} {reply.get('error')}")

    def _was_made_by_an_equal_call(self, appointment: dict[str, Any], answer: dict[str, Any]) -> bool:
        """The model called twice at once. The platform refused the one, and then took the other, which tells so."""
        requests = {each["number"]: each for each in self._talk.requests}
        began = requests[appointment["request"]]["arrived"]
        refused = [each for each in requests.values() if each["key"] == appointment["key"] and each["ended"]]
        told = [each for each in self._talk.of("answer") if each["id"] != answer["id"] and each["at"] >= began]
        return any(each["ended"] <= began for each in refused) and any(
            isinstance(each["reply"], dict) and each["reply"].get("result") == "booked" for each in told
        )

    def _judge_reading(self, call: dict[str, Any], result: str) -> None:
        """Near forms name their slot, and others name none."""
        means, talk = call["means"], self._talk
        if means["kind"] in ("garbled", "invented") and means["is_sure"] and not talk.is_new(call["at"]):
            text = _plain(means["text"])
            if any(text in (name, name[:-1]) for name in talk.offered(call["at"] + 0.05)):
                return
            self._findings.count(f"read_{means['kind']}")
            # `held` says nothing about the slot.
            if result == "readback":
                self._violation("garbled_accepted", f"{means['text']} was read, {result}")
        elif means["kind"] in NEAR and means["is_sure"] and means["is_complete"]:
            offered = talk.offered(call["at"]).values()
            fits = {(each["slot"]) for each in offered if instant(each["start_at"]).timestamp() == means["start"]}
            names = {each["slot"] for each in offered if each["slot"][:-1] == _plain(means["text"])}
            if len(fits) > 1 or len(names) > 1:
                return
            self._findings.count(f"read_{means['kind']}")
            if result in ("not_offered", "unclear", "invalid"):
                self._violation("near_refused", f"{means['text']!r} ({means['kind']}) was not read, {result}")

    def _violation(self, kind: str, detail: str) -> None:
        talk = self._talk
        names = "+".join(sorted({each["is"] for each in talk.plan.behaviours}))
        where = f"{talk.name} ({talk.mode}, {talk.plan.setting or 'default'}, {names})"
        self._findings.violation(kind, f"{where}: {detail}: {talk.story()}")


def _plain(text: Any) -> str:
    """The name that a text may be meant as."""
    found = re.sub(r"[^a-z0-9]", "", str(text).lower().replace("slot", ""))
    return f"{found[:5]}-{found[5:]}"
