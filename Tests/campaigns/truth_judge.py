"""The judge of `truth.py`: holds what a library said about a key against the books of its platform.

What a call was told dates from the moment at which the library made its completion. A request belongs to what was told
before it when the host had made no call in between.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import common
from header import STATUS
from truth_platforms import Plan

GRACE = 0.15
"""Seconds within which a request may still arrive after its call was cancelled or its client closed."""

SAME_MOMENT = 0.02
"""Seconds: a call so shortly before an end was known may have begun after it."""

RACE = 0.1
"""Seconds: a request so shortly behind bytes that nobody had asked for may have left before them."""

DYING = 0.5
"""Seconds: what happened so shortly before a kill may not have reached the journal."""

LAGS = 3
"""So many times a busy machine is late before a request is read: to accept, to wait, and to read."""


@dataclass
class Findings(common.Findings):
    """Also keeps the most that there was of something."""

    def most(self, name: str, number: int) -> None:
        self.counts[name] = max(self.counts[name], number)


@dataclass
class Life:
    """One client: what it did and what it was told, in the order of time."""

    process: str
    """As requests name it. Several lives of one process share a journal."""
    reports: list[dict[str, Any]]
    killed_at: float | None = None

    @property
    def end(self) -> float:
        return self.killed_at or next((each["at"] for each in self.reports if each["what"] == "closed"), math.inf)


@dataclass
class Telling:
    life: Life
    told: dict[str, Any]
    at: float
    """When it was known to the library, as far as that can be known here."""
    read_at: float
    is_settlement: bool
    call: int | None = None
    call_at: float = -math.inf
    """When that was made."""

    @property
    def process(self) -> str:
        return self.life.process


@dataclass
class Case:
    """All that is known of one key."""

    key: str
    plan: Plan
    requests: list[dict[str, Any]] = field(default_factory=list)
    appointments: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[Life, dict[str, Any]]] = field(default_factory=list)
    tellings: list[Telling] = field(default_factory=list)
    arrived: dict[int, dict[str, Any]] = field(default_factory=dict)
    """The platform's requests by their number."""

    @property
    def setting(self) -> str:
        return self.plan.setting or "default"

    def next_call(self, process: str, after: float) -> float:
        """When the host called the next time."""
        times = (call["at"] for life, call in self.calls if life.process == process and call["at"] > after)
        return min(times, default=math.inf)

    def own(self, process: str) -> Iterator[dict[str, Any]]:
        return (request for request in self.requests if request["notes"] == process)

    def standing(self, at: float) -> Iterator[dict[str, Any]]:
        """The appointments that stood then, or that came later."""
        for appointment in self.appointments:
            cancelled = appointment["cancelled"]
            if appointment["is_active"] or (cancelled is not None and cancelled > at):
                yield appointment

    def story(self) -> str:
        """For a person: what happened, in milliseconds."""
        lines = [(call["at"], f"{life.process} calls ({call['timeout_ms']} ms)") for life, call in self.calls]
        for each in self.tellings:
            how = "event" if each.is_settlement else "told"
            what = each.told.get("id") or f"{each.told.get('code')} {each.told.get('http')}"
            lines.append((each.at, f"{each.process} {how} {each.told['outcome']} {what}"))
        for request in self.requests:
            lines.append((request["arrived"], f"#{request['number']} from {request['notes']} {request['met']}"))
            lines.append((request["ended"] or math.inf, f"#{request['number']} gets {request['answered']}"))
        for each in self.appointments:
            lines.append((each["made"], f"#{each['request']} books {each['id']} {each['status']}"))
        lines.sort()
        began = lines[0][0] if lines else 0
        return "; ".join(f"{(at - began) * 1000:.0f} {what}" for at, what in lines)


class Judge:
    def __init__(self, findings: Findings, way: str, endpoint: str, kind: str, is_shared: bool) -> None:
        self._findings = findings
        self._where = f"{way} {endpoint} {kind}"
        self._way = way
        self._is_shared = is_shared
        self.kinds: Counter[str] = Counter()
        """False words by the platform and the setting."""

    def judge(self, plan: Plan, books: dict[str, Any], lives: list[Life], keys: set[str]) -> None:
        """All keys of one platform."""
        for fault in books["faults"]:
            self._findings.violation("zoo_fault", fault)
        self._lag = books["lag"]
        cases = _cases(plan, books, lives, keys)
        count = self._findings.count
        for case in cases.values():
            count("keys")
            count("requests", len(case.requests))
            count(f"keys_{case.setting}")
            is_open = bool(case.tellings) and max(case.tellings, key=_read_at).told["outcome"] == "unknown"
            count(f"open_{case.setting}", is_open)
            for request in case.requests:
                # The reply to such a request lies on its connection before it is sent.
                count("unread_used", request["unasked_at"] is not None and not _is_race(request))
                for name in request["met"]:
                    count(f"met_{name}")
            self._judge_count(case)
            for telling in case.tellings:
                self._judge_telling(case, telling)
            for process in {life.process for life, _ in case.calls}:
                self._judge_silence(case, process, [life for life in lives if life.process == process])
        self._judge_lateness(lives, keys)

    # One key

    def _judge_count(self, case: Case) -> None:
        active = [each for each in case.appointments if each["is_active"]]
        if len(active) < 2:
            return
        if case.plan.keeps_keys or (case.plan.setting == "none" and not self._is_shared):
            self._violation("doubled", case, f"{len(active)} appointments")
        else:
            self._findings.count("allowed_double")

    def _judge_telling(self, case: Case, telling: Telling) -> None:
        outcome = telling.told["outcome"]
        count = self._findings.count
        count(outcome)
        if telling.is_settlement:
            count("settled_events")
            count(f"settled_{outcome}")
        if outcome == "malformed":
            self._violation("malformed", case, str(telling.told))
        elif outcome == "booked":
            self._judge_success(case, telling)
        elif outcome == "unknown":
            count("unknown_booked", any(True for _ in case.standing(telling.at)))
            self._judge_words(case, telling)
        else:
            self._judge_denial(case, telling, outcome)

    def _judge_success(self, case: Case, telling: Telling) -> None:
        if self._is_raced(case, telling):
            return
        told = telling.told
        meant = [each for each in case.appointments if each["id"] == told["id"]]
        stood = [each for each in meant if each["is_active"] or each["cancelled"] is not None]
        if not stood or not (case.plan.writes_wrong_offsets or _is_same(told["start_at"], stood[0]["start_at"])):
            self._violation("false_success", case, f"told {told}")
        else:
            self._findings.count("booked_true")

    def _judge_denial(self, case: Case, telling: Telling, outcome: str) -> None:
        if self._is_raced(case, telling):
            return
        process, at = telling.process, telling.at
        until = case.next_call(process, max(at - SAME_MOMENT, telling.call_at))
        if telling.is_settlement and until < at:
            # The host repeated the key just before it read this: whose end it is cannot be told.
            self._findings.count("undecided_settlement")
            return
        own = [request for request in case.own(process) if request["arrived"] < until]
        numbers = {request["number"] for request in own}
        is_false = False
        for appointment in case.standing(at):
            request = case.arrived[appointment["request"]]
            if request["number"] in numbers:
                is_false = True
            elif request["notes"] != process and request["arrived"] < at:
                # That this client has not sent anything is true, whatever another one did.
                is_false = is_false or outcome == "rejected"
                self._findings.count("not_sent_elsewhere", outcome == "not_sent")
        began = next(each["at"] for each in telling.life.reports if each["what"] == "opened")
        has_sent = any(began < request["arrived"] for request in own)
        if is_false or (outcome == "not_sent" and has_sent):
            self._violation(f"false_{outcome}", case, f"told {telling.told} at {at:.3f}")
        else:
            self._findings.count(f"{outcome}_true")
            self._judge_words(case, telling)

    def _judge_words(self, case: Case, telling: Telling) -> None:
        told = telling.told
        if told["status"] == STATUS["IN_DOUBT"] and not told["has_doubt"]:
            self._violation("malformed", case, f"in doubt, and not of what: {told}")
        is_unknown = told["status"] == STATUS["SLOT_UNAVAILABLE"] and told["outcome"] == "unknown"
        self._findings.count("slot_unavailable_unknown", is_unknown)

    def _judge_silence(self, case: Case, process: str, lives: list[Life]) -> None:
        """Nothing is sent for a key whose call was cancelled, until the host asks again."""
        for telling in case.tellings:
            if telling.process != process or telling.is_settlement or telling.told["status"] != STATUS["CANCELLED"]:
                continue
            if any(True for _ in self._others_under_way(case, telling)):
                continue
            end = telling.life.end
            if telling.life.killed_at is not None and end - telling.read_at < DYING:
                self._findings.count("undecided_cancel")
                continue
            self._findings.count("cancelled_alone")
            until = case.next_call(process, telling.read_at)
            late = _sent_between(case, process, telling.read_at, until)
            if late:
                self._violation("sent_after_cancel", case, f"requests {late}")
        for life, following in zip(lives, [*lives[1:], None], strict=True):
            if life.killed_at is None and not math.isinf(life.end):
                late = _sent_between(case, process, life.end, following.reports[0]["at"] if following else math.inf)
                if late:
                    self._violation("sent_after_close", case, f"requests {late}, closed at {life.end:.3f}")

    def _others_under_way(self, case: Case, telling: Telling) -> Iterator[dict[str, Any]]:
        """Calls of the same process with the key that are not over when this one is."""
        ends = {(id(each.life), each.call): each.read_at for each in case.tellings if each.call is not None}
        for life, call in case.calls:
            is_this = life is telling.life and call["id"] == telling.call
            if life.process == telling.process and not is_this and call["at"] <= telling.read_at:
                if ends.get((id(life), call["id"]), life.end) > telling.read_at:
                    yield call

    # All keys

    def _judge_lateness(self, lives: list[Life], keys: set[str]) -> None:
        for life in lives:
            calls = {each["id"]: each for each in life.reports if each["what"] == "call" and each["key"] in keys}
            for each in life.reports:
                if each["what"] == "lost" and each["key"] in keys:
                    self._findings.violation("late", f"{self._where}: {calls[each['id']]} was never completed")
                elif each["what"] == "told" and each["key"] in keys:
                    over_ms = each["total_ms"] - calls[each["id"]]["timeout_ms"]
                    if over_ms > 1000 * (1 + LAGS * self._lag):
                        self._findings.violation("late", f"{self._where}: {each} was over its time by {over_ms} ms")
                    self._findings.count("calls")

    def _is_raced(self, case: Case, telling: Telling) -> bool:
        """Whether a request of the key crossed bytes on their way to it: nobody can know what those answer."""
        is_raced = any(_is_race(request) for request in case.requests)
        self._findings.count("undecided_race", is_raced)
        return is_raced

    def _violation(self, kind: str, case: Case, detail: str) -> None:
        names = "+".join(sorted({each["is"] for each in case.plan.behaviours} - {case.plan.order}))
        self.kinds[f"{kind}: {case.plan.order} set as {case.setting}, {self._where}"] += 1
        where = f"{case.key}, {self._where}, {case.plan.order} set as {case.setting} with {names}"
        self._findings.violation(kind, f"{where}: {detail}: {case.story()}")


def _cases(plan: Plan, books: dict[str, Any], lives: list[Life], keys: set[str]) -> dict[str, Case]:
    arrived = {request["number"]: request for request in books["requests"]}
    cases: dict[str, Case] = defaultdict(lambda: Case("", plan))
    for key in sorted(keys):
        cases[key] = Case(key, plan, arrived=arrived)
    for request in books["requests"]:
        cases[request["key"]].requests.append(request)
    for appointment in books["appointments"]:
        cases[appointment["key"]].appointments.append(appointment)
    for life in lives:
        calls = {}
        for each in life.reports:
            if each.get("key") not in keys:
                continue
            case = cases[each["key"]]
            if each["what"] == "call":
                calls[each["id"]] = each
                case.calls.append((life, each))
            elif each["what"] == "told":
                call_at = calls[each["id"]]["at"]
                at = min(each["at"], call_at + each["total_ms"] / 1000) if each["total_ms"] else each["at"]
                case.tellings.append(Telling(life, each["told"], at, each["at"], False, each["id"], call_at))
            elif each["what"] == "settled":
                case.tellings.append(Telling(life, each["told"], each["at"], each["at"], True))
    return cases


def _read_at(telling: Telling) -> float:
    return telling.read_at


def _is_race(request: dict[str, Any]) -> bool:
    written = request["unasked_at"]
    return written is not None and request["arrived"] - written < RACE + LAGS * request["lag"]


def _sent_between(case: Case, process: str, begin: float, end: float) -> list[int]:
    """The requests that left in this time for certain."""
    begin += GRACE
    return [
        request["number"]
        for request in case.own(process)
        if begin + LAGS * request["lag"] < request["arrived"] < end
    ]


def _is_same(told: Any, start_at: str) -> bool:
    """Whether two starts are one instant."""
    try:
        return datetime.fromisoformat(told) == datetime.fromisoformat(start_at)
    except (TypeError, ValueError):
        return False
