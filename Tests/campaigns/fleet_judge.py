"""The judge of `fleet_ledger.py`: compares what the engines were told with the platform's books,
the store's rows and what a watcher saw of the store.

All times are those of the monotonic clock, which every process on a machine shares.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import common

DENIED = ("rejected", "not_sent")
PATIENCE = 10.0
"""Seconds that the end of a call may be late, and that a row may be an orphan."""

OVERSLEPT = 0.75
"""Seconds without a sign of life after which an engine has had no processor."""

FINAL = "final"
"""The name of the life that asks for every key at the end."""

VIOLATIONS = [
    "doubled", "false_booked", "false_rejected", "false_not_sent", "false_row", "no_end", "lost", "open_row", "orphan",
    "sent_twice", "malformed",
]  # fmt: skip


@dataclass
class Record:
    """Everything that is known of one round."""

    events: list[dict[str, Any]]
    """Reports of engines, acts of the campaign (`killed`, `disturbed`), and what the watcher saw
    (`row`, `orphan`)."""
    requests: list[dict[str, Any]]
    """All that the platform got, in the order of arrival: `number`, `key`, `arrived`, `caller`,
    `notes`."""
    appointments: list[dict[str, Any]]
    """The platform's file: `key`, `wish`, `id`, `start_at`, `request`, `made`."""
    rows: dict[str, dict[str, Any]]
    """The store's answer to `wait` for each key at the end."""
    lease: float
    timeout: float
    """Of calls, in seconds."""


@dataclass
class Case:
    """All that is known of one key."""

    key: str
    calls: list[dict[str, Any]] = field(default_factory=list)
    tellings: list[dict[str, Any]] = field(default_factory=list)
    """Ends of calls, and reports of settled ones."""
    listed: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    appointments: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    """What the watcher saw of the row."""
    operations: list[dict[str, Any]] = field(default_factory=list)
    """On the store, if they were traced."""

    @property
    def lives(self) -> set[str]:
        return {call["life"] for call in self.calls} - {FINAL}

    def end_of(self, call: dict[str, Any]) -> float:
        """When the end of its booking was told to the life that called."""
        ends = (
            each["at"]
            for each in self.tellings
            if each["told"]["outcome"] in (*DENIED, "booked")
            and (each["call"] == call["call"] or (each["what"] == "settled" and each["life"] == call["life"]))
            and each["at"] > call["at"]
        )
        return min(ends, default=math.inf)

    @property
    def last(self) -> dict[str, Any] | None:
        """What the last life was told."""
        final = [each["told"] for each in self.tellings if each["life"] == FINAL and each["what"] == "told"]
        return final[-1] if final else None

    def story(self, lives: dict[str, list[dict[str, Any]]]) -> str:
        """For a person: what happened, in milliseconds."""
        lines: list[tuple[float, str]] = []
        for call in self.calls:
            how = "resumes" if call["resumes"] else "calls"
            lines.append((call["at"], f"{call['life']} {how} (#{call['call']})"))
        for each in self.tellings:
            what = each["told"].get("id") or each["told"].get("code")
            lines.append((each["at"], f"{each['life']} {each['what']} {each['told']['outcome']} {what}"))
        for each in self.listed:
            lines.append((each["at"], f"{each['life']} lists it as {each['state']}"))
        for request in self.requests:
            lines.append((request["arrived"], f"{request['caller']} sends r{request['number']} {request['met']}"))
            lines.append((request["ended"] or math.inf, f"r{request['number']} gets {request['answered']}"))
        for each in self.appointments:
            lines.append((each["made"], f"r{each['request']} books {each['id']}"))
        for each in self.seen:
            lines.append((each["at"], f"row {each['row']}"))
        for each in self.operations:
            claim = each.get("claim", "")[-5:] + (" for " + each["replaces"][-5:] if each.get("replaces") else "")
            orphan = " orphan" if each.get("orphan") else ""
            took = f"({(each['at'] - each['since']) * 1000:.0f} ms)"
            lines.append((each["at"], f"{each['life']} {each['op']}{orphan} {claim} -> {each['result']} {took}"))
        began = min((call["at"] for call in self.calls), default=0.0)
        ended = max((at for at, what in lines if not what.startswith(FINAL) and at < math.inf), default=began)
        for life in self.lives | {request["caller"] for request in self.requests}:
            for each in lives.get(life, []):
                if each["at"] < ended + 1 and each["until"] > began - 1:
                    until = f" until {(each['until'] - began) * 1000:.0f}" if each["until"] < math.inf else ""
                    lines.append((each["at"], f"{life} {each['why']}{until}"))
        lines.sort(key=lambda line: line[0])
        return "; ".join(f"{(at - began) * 1000:.0f} {what}" for at, what in lines if at < math.inf)


class Judge:
    def __init__(self, findings: common.Findings, where: str) -> None:
        self._findings, self._where = findings, where

    def judge(self, record: Record) -> None:
        self._record = record
        self._troubles = _troubles(record)
        self._ends = _ends_of_lives(record)
        self._killed = {each["life"] for each in record.events if each["what"] == "killed"}
        cases = _cases(record)
        self._made_by = {request["number"]: request for request in record.requests}
        for case in cases.values():
            self._count(case)
            self._judge_doubled(case)
            self._judge_told(case)
            self._judge_ends(case)
            self._judge_row(case)
            self._judge_sendings(case)
        self._judge_wishes(record, cases)
        for each in record.events:
            if each["what"] == "orphan":
                case = cases[each["key"]]
                self._violation("orphan", case, f"nobody took it for {each['seconds']:.1f} s after its lease")

    # Rules

    def _judge_doubled(self, case: Case) -> None:
        if len(case.appointments) > 1:
            self._violation("doubled", case, f"one key has {[each['id'] for each in case.appointments]}")

    def _judge_wishes(self, record: Record, cases: dict[str, Case]) -> None:
        wishes = defaultdict(list)
        for each in record.appointments:
            wishes[each["wish"]].append(each)
        for wish, made in wishes.items():
            keys = sorted({each["key"] for each in made})
            if len(keys) > 1:
                stories = "; AND ".join(cases[key].story(self._troubles) for key in keys if key in cases)
                self._findings.violation("doubled", f"{self._where}: {wish} has bookings under {keys}: {stories}")

    def _judge_told(self, case: Case) -> None:
        for each in case.tellings:
            outcome = each["told"]["outcome"]
            if outcome == "booked":
                self._judge_booked(case, each)
            elif outcome in DENIED:
                self._judge_denied(case, each, outcome)
            elif outcome != "unknown":
                self._violation("malformed", case, f"{each['told']}")
        for each in case.listed:
            if each["state"] == "booked" and not self._made_before(case, each["at"]):
                self._violation("false_booked", case, f"{each['life']} lists it as booked")
            if each["state"] == "refused" and self._made_before(case, each["since"]):
                self._violation("false_rejected", case, f"{each['life']} lists it as refused")

    def _judge_booked(self, case: Case, telling: dict[str, Any]) -> None:
        told = telling["told"]
        if not any((each["id"], each["start_at"]) == (told["id"], told["start_at"]) for each in case.appointments):
            self._violation("false_booked", case, f"{telling['life']} was told {told}, made was {case.appointments}")

    def _judge_denied(self, case: Case, telling: dict[str, Any], outcome: str) -> None:
        """A refusal is about all engines. `not_sent` is about the engine's own call: a twin may
        have booked the key."""
        for made in case.appointments:
            request = self._made_by[made["request"]]
            if outcome == "not_sent" and self._is_not_its_own(case, telling, request):
                continue
            self._violation(f"false_{outcome}", case, f"{telling['life']} was told {telling['told']}: made was {made}")

    def _is_not_its_own(self, case: Case, telling: dict[str, Any], request: dict[str, Any]) -> bool:
        """Whether the request comes from another call, which had no end when it arrived."""
        life, at, arrived = telling["life"], telling["at"], request["arrived"]
        if request["caller"] == life and arrived < at:
            return False
        is_open = [call for call in case.calls if call["at"] < arrived < case.end_of(call)]
        if any(call["life"] != life for call in is_open):
            self._findings.count("not_sent_elsewhere")
            return True
        if any(call["at"] > at or case.end_of(call) > at for call in is_open):
            return True
        # Its claim was answered late, so it told `not_sent`. It died before it could void it.
        if self._ends.get(life, math.inf) < arrived:
            self._findings.count("not_sent_of_the_dead")
            return True
        return False

    def _judge_ends(self, case: Case) -> None:
        told = {each["call"] for each in case.tellings if each["what"] == "told"}
        for call in case.calls:
            end = self._ends.get(call["life"], math.inf)
            late = sum(each["until"] - each["at"] for each in self._troubles[call["life"]] if each["why"] == "stopped")
            if call["call"] not in told and call["at"] + self._record.timeout + PATIENCE + late < end:
                self._violation("no_end", case, f"call #{call['call']} of {call['life']} has none")
        last = case.last
        if last is None:
            self._violation("no_end", case, "the last life was told nothing")
        elif last["outcome"] == "unknown" and last["code"] != "not_recorded":
            self._violation("lost", case, f"it is in doubt at the end: {last}")
        elif last["outcome"] == "unknown":
            doubts = [each for each in case.tellings if self._is_doubt(case, each)]
            has_end = self._row(case)["result"] == "refused"
            has_end |= any(each["told"]["outcome"] in DENIED for each in case.tellings)
            if case.appointments or (doubts and not has_end):
                self._violation("lost", case, "the store does not know it any more")

    def _judge_row(self, case: Case) -> None:
        row = self._row(case)
        if row["result"] == "open":
            self._violation("open_row", case, f"{row}")
        elif row["result"] == "refused" and case.appointments:
            self._violation("false_row", case, f"{row}")
        elif row["result"] == "booked" and not case.appointments:
            self._violation("false_row", case, f"{row}")

    def _judge_sendings(self, case: Case) -> None:
        """After one engine has sent, another one sends only if the first was in trouble or has got
        a refusal."""
        firsts: dict[str, float] = {}
        for request in case.requests:
            firsts.setdefault(request["caller"], request["arrived"])
        order = sorted(firsts, key=firsts.__getitem__)
        for before, after in zip(order, order[1:]):
            since, until = firsts[before] - self._record.lease, firsts[after]
            # The store gives a refused key to others, also before its engine hears that it is
            # recorded.
            mine = [each for each in case.requests if each["caller"] == before and each["arrived"] < until]
            is_over = all((each["ended"] or math.inf) < until for each in mine)
            is_free = any(
                each["life"] == before and self._frees(each["told"]) and (is_over or each["at"] < until + 0.1)
                for each in case.tellings
            )
            if not is_free and not any(self._in_trouble(before, since, until)):
                self._violation("sent_twice", case, f"{after} sent as well, and {before} was in no trouble")

    def _frees(self, told: dict[str, Any]) -> bool:
        """Whether its engine leaves the key to others after it: refused, or cancelled, which
        withdraws it."""
        return told["outcome"] in DENIED or told.get("code") == "cancelled"

    # Counts

    def _count(self, case: Case) -> None:
        count = self._findings.count
        senders = {request["caller"] for request in case.requests}
        count("keys")
        count("calls", len(case.calls))
        count("requests", len(case.requests))
        count("made", len(case.appointments))
        count("twins", len(case.lives) > 1)
        count("sent_once", len(case.requests) == 1)
        count("senders_2", len(senders) == 2)
        count("senders_3", len(senders) > 2)
        callers = {call["life"] for call in case.calls}
        count("settled_by_others", bool(case.appointments) and not senders <= callers)
        for each in case.tellings:
            count(each["told"]["outcome"])
            is_joined = each["told"]["outcome"] == "booked" and each["life"] not in senders | {FINAL}
            count("joined", is_joined and each["what"] == "told")
            count("reported", each["what"] == "settled")
            count("unavailable", each["told"].get("code") == "journal_unavailable")

    # Questions

    def _row(self, case: Case) -> dict[str, Any]:
        return self._record.rows.get(case.key, {"result": "absent"})

    def _is_doubt(self, case: Case, telling: dict[str, Any]) -> bool:
        """Whether it says that the key is known. A claim that got no answer may not have reached
        the store: then a living engine repeats it, a dead one cannot. Who asks by the key alone
        does not make it known."""
        told, resumed = telling["told"], {call["call"] for call in case.calls if call["resumes"]}
        if told["outcome"] != "unknown" or told["code"] == "not_recorded":
            return False
        return bool(case.requests) or not (telling["call"] in resumed or telling["life"] in self._killed)

    def _made_before(self, case: Case, at: float) -> bool:
        return any(self._made_by[each["request"]]["arrived"] < at for each in case.appointments)

    def _in_trouble(self, life: str, since: float, until: float) -> Iterator[bool]:
        return (True for each in self._troubles[life] if each["at"] < until and each["until"] > since)

    def _violation(self, kind: str, case: Case, detail: str) -> None:
        story = case.story(self._troubles)
        self._findings.violation(kind, f"{self._where} {case.key}: {detail}. In milliseconds: {story}")


def _cases(record: Record) -> dict[str, Case]:
    cases: dict[str, Case] = {}

    def case(key: str) -> Case:
        return cases.setdefault(key, Case(key))

    for each in sorted(record.events, key=lambda each: each["at"]):
        match each["what"]:
            case "call":
                case(each["key"]).calls.append(each)
            case "told" | "settled":
                case(each["key"]).tellings.append(each)
            case "listed":
                for row in each["rows"]:
                    case(row["key"]).listed.append({**each, "state": row["state"]})
            case "row":
                case(each["key"]).seen.append(each)
            case "operation":
                case(each["key"]).operations.append(each)
    for request in record.requests:
        case(request["key"]).requests.append(request)
    for made in record.appointments:
        case(made["key"]).appointments.append(made)
    return cases


def _ends_of_lives(record: Record) -> dict[str, float]:
    return {each["life"]: each["at"] for each in record.events if each["what"] in ("killed", "closed")}


def _troubles(record: Record) -> dict[str, list[dict[str, Any]]]:
    """The times by life in which it could not do its work."""
    troubles: dict[str, list[dict[str, Any]]] = defaultdict(list)
    ends = _ends_of_lives(record)
    began: dict[str, float] = {}
    alive: dict[str, float] = {}
    """The last sign of life."""
    for each in sorted(record.events, key=lambda each: each["at"]):
        if (life := each.get("life")) is None:
            continue
        last = alive.get(life)
        if each["what"] == "disturbed":
            troubles[life].append({"at": each["at"], "until": each["until"], "why": each["why"]})
            continue
        if last is not None and each["at"] - last > OVERSLEPT:
            troubles[life].append({"at": last, "until": each["at"], "why": "gets no processor"})
        if each["what"] in ("killed", "closed"):
            troubles[life].append({"at": each["at"], "until": math.inf, "why": each["what"]})
        began.setdefault(life, each["at"])
        alive[life] = each["at"]
    for each in record.events:
        if each["what"] == "disturbed" and "life" not in each:
            for life, at in began.items():
                if at < each["until"] and ends.get(life, math.inf) > each["at"]:
                    troubles[life].append({"at": each["at"], "until": each["until"], "why": each["why"]})
    return troubles
