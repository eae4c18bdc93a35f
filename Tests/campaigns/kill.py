"""Kills a process that books, at random instants, and starts it again on the same journal: no booking may be made twice
or get lost, none may end unheard, and all that was told must be true.

    .venv/bin/python Tests/campaigns/kill.py
    KILLS=1000 .venv/bin/python Tests/campaigns/kill.py

`KILLS` says how often (default 52: a quarter each at the Partner API and relayed to a platform, over HTTP/1.1 and over
TLS and HTTP/2), `KILL_SEED` repeats the instants of a run, though not what the machine makes of them. A thousand take a
quarter of an hour.

The server is slow at random, before or after it books, and at times answers 503 though it has booked. It looks at keys
first. Over HTTP/1.1 the client is told so, and settles its doubts by refusals too; over HTTP/2 it is not, and a booking
of a taken slot that came into doubt stays there. The server's own list is the judge, together with the reports that the
killed processes have left.

A process writes down that it was told an end (booked, rejected or not sent) only after it has freed the completion, or
after the blocking call returned: then it has heard it. It never frees some completions. Each life lists the pending
bookings at its opening, before it hears anything. The rules:

- A key is recorded when the server has seen a request for it, or when a process was told that it is in doubt, or found
  it listed. Every later opening lists it, up to the opening of the life that first heard its end. Else it is an orphan
  if the server has its booking, and forgotten if not.
- A key is listed as booked only if the server has its booking, and as refused only if it has not. After a process was
  told that a booking was not made, the key is listed as refused or not at all, even if that was not heard.
- A listed end is asked for by its key, and the reply is that end. What was heard in the last second before a kill is
  listed and heard again. That is counted, and right.
- After a life that has closed its client, nothing that it heard is listed.
"""

from __future__ import annotations

import json
import math
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import common
import pbk
from kill_child import TAKEN_SLOT, Booking, Orders

KILLS = 52
LONGEST_LIFE = 0.4
LONG_EVERY, LULL_EVERY = 7, 7
LULL_AFTER_MS = 150
LONG_LIVES = (1.1, 1.8)
LULL_LIVES = (0.9, 1.5)
"""Seconds. What was heard is recorded after a second. The journal is compacted when it was idle for about a second.
Some kills are to hit that."""

KNOWN_AT_BIRTH = 40
"""Bookings of earlier lives that a child may make once more."""

SHOWN_OF_RECORD = 160

TROUBLES = 30_000
PATIENCE = 60.0

EXPECTED_CODES = {None, "timeout", "slot_unavailable", "in_doubt"}
"""What may be said while the server is slow and answers 503. Anything else is worth a look."""

LIMIT_MS = 250
"""The server is done with each request long before."""

KEYS_FIRST = {"platform_keys": "first", "platform_limit_ms": LIMIT_MS}
LIVING = {"timeout_ms": 400, "report_settled": True}
"""Calls in doubt end at once, and the client goes on to settle them."""

SETTLING = {"timeout_ms": 1000, "settle_for_ms": 0}
SETTLING_FIRST = {**SETTLING, "timeout_ms": 2 * (LIMIT_MS + 1000)}
"""Long enough for a refusal that counts."""

EXPECTED_OF = {"join": {"not_recorded"}, "acknowledge": {"not_recorded"}}
"""The opening may have resumed and settled it before: refused, it is free. Made, it must be recorded."""

STATES = ("booked", "refused", "in_doubt", "in_flight")
ENDS = ("booked", "not_sent", "rejected")
LISTED = ("resume", "join", "replay", "acknowledge", "settled")
"""How the child hears ends that it found listed."""


@dataclass
class History:
    """All that is known of one key."""

    calls: list[tuple[int, str]] = field(default_factory=list)
    """The life, how it was asked for."""
    told: list[tuple[int, str, common.Told]] = field(default_factory=list)
    """The life, how it was asked for, the reply."""
    held: list[tuple[int, str, common.Told]] = field(default_factory=list)
    """The same, in completions that were never freed."""
    listed: dict[int, str] = field(default_factory=dict)
    """By life, the state at its opening."""
    is_unsettled: bool = False

    def outcomes(self, *names: str) -> list[tuple[int, str, common.Told]]:
        return [told for told in self.told if told[2].outcome in names]

    @property
    def heard_in(self) -> float:
        """The first life that wrote down an end."""
        return min((life for life, _, _ in self.outcomes(*ENDS)), default=math.inf)

    def recorded_in(self, was_sent: bool) -> float:
        """The first life at whose end the key certainly was in the journal.

        A later life calls a key of an earlier one only if it was recorded there, so what was sent was so by the first.
        """
        doubts = [
            life
            for life, _, told in [*self.told, *self.held]
            if told.outcome in ("booked", "unknown") and told.code != "not_recorded"
        ]
        first = [life for life, _ in self.calls[:1] if was_sent]
        return min([*doubts, *self.listed, *first], default=math.inf)


class Lane:
    """One journal and all lives on it, over one way to the server."""

    def __init__(self, service: common.Service, directory: Path, findings: common.Findings, seed: int) -> None:
        self._service, self._findings = service, findings
        self._rng = random.Random(f"{seed}-{service.name}")
        self._knows_keys = service.name.endswith("1")
        self._bot_id = service.bot(*_troubles(self._rng))
        self._journal = directory / f"{service.name}.journal"
        self._directory = directory
        self._keys: defaultdict[str, History] = defaultdict(History)
        self._lives = 0
        self._opened: list[int] = []
        """The lives that have listed what was pending."""
        self._closed: list[int] = []
        """The lives that ended by themselves."""
        self._next = 0
        self._take_slot()

    def run(self, kills: int) -> None:
        for kill in range(kills):
            self._live_and_die(
                "open" if kill % 2 else "ask",
                is_long=kill % LONG_EVERY == LONG_EVERY // 2,
                is_lull=kill % LULL_EVERY == LULL_EVERY - 1,
            )
        self._live("settle")
        settled = self._opened[-1]
        for history in self._keys.values():
            self._findings.count("heard_once", history.heard_in < settled and settled not in history.listed)
        made = self._made()
        known = [self._number(booking["idempotency_key"]) for booking in made]
        denied = [self._number(key) for key, history in self._keys.items() if history.outcomes("not_sent", "rejected")]
        self._live("verify", known=sorted(set(known)), denied=sorted(set(denied) - set(known)))
        self._judge(self._made(), self._sent())

    # Lives

    def _take_slot(self) -> None:
        with pbk.Client({**self._service.config(), **common.PLAIN_FAILURES}) as client:
            told = common.told(client.book(common.booking(self._bot_id, f"{self._service.name}-taken", TAKEN_SLOT)))
            assert told.outcome == "booked", told

    def _live_and_die(self, mode: str, is_long: bool, is_lull: bool) -> None:
        booked = [self._number(key) for key, history in self._keys.items() if history.outcomes("booked")]
        known = self._rng.sample(booked, min(len(booked), KNOWN_AT_BIRTH))
        lull_after_ms = LULL_AFTER_MS if is_lull else None
        span = self._rng.uniform(*(LONG_LIVES if is_long else LULL_LIVES if is_lull else (0, LONGEST_LIFE)))
        child, reports = self._start(mode, known, [], lull_after_ms)
        time.sleep(span)
        has_died = child.poll() is not None
        child.send_signal(signal.SIGKILL)
        complaint = child.communicate()[1]
        if has_died:
            self._findings.violation("died", f"{self._where()}, before it was killed: {complaint}")
        self._findings.count("kills")
        self._findings.count(self._service.name)
        self._findings.count("long", is_long)
        self._findings.count("lulls", is_lull)
        self._read(reports)

    def _live(self, mode: str, known: list[int] | None = None, denied: list[int] | None = None) -> None:
        """A life that ends by itself."""
        child, reports = self._start(mode, known or [], denied or [], None)
        try:
            assert child.stdout is not None and child.stderr is not None
            complaint = child.stderr.read()
            code = child.wait(PATIENCE)
        finally:
            child.kill()
            child.communicate()
        if code != 0:
            self._findings.violation("died", f"{self._where()}, {mode}: exit code {code}: {complaint}")
        else:
            self._closed.append(self._lives)
        self._read(reports)

    def _start(
        self, mode: str, known: list[int], denied: list[int], lull_after_ms: int | None
    ) -> tuple[subprocess.Popen[str], Path]:
        self._lives += 1
        reports = self._directory / f"{self._service.name}-{self._lives}.reports"
        orders = Orders(
            mode=mode,
            config=self._config(mode),
            reports=str(reports),
            lane=self._service.name,
            bot_id=self._bot_id,
            first=self._next,
            known=known,
            denied=denied,
            lull_after_ms=lull_after_ms,
        )
        command = [sys.executable, str(Path(__file__).with_name("kill_child.py"))]
        pipe = subprocess.PIPE
        child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(json.dumps(asdict(orders)) + "\n")
        child.stdin.flush()
        child.stdout.readline()
        return child, reports

    def _config(self, mode: str) -> dict[str, Any]:
        retry = {**common.PLAIN_FAILURES["retry"], "base_delay_ms": 5, "max_delay_ms": 20}
        times = LIVING if mode in ("open", "ask") else SETTLING_FIRST if self._knows_keys else SETTLING
        return {
            **self._service.config(),
            **common.PLAIN_FAILURES,
            **(KEYS_FIRST if self._knows_keys else {}),
            **times,
            "retry": retry,
            "journal_path": str(self._journal),
            "resume_on_open": mode == "open",
        }

    # What they left

    def _read(self, reports: Path) -> None:
        text = reports.read_bytes() if reports.exists() else b""
        # A kill may cut a write where a page ends: such a line was not finished before the deed that it announces.
        lines = text[: text.rfind(b"\n") + 1].decode().splitlines()
        count = self._findings.count
        count("killed_while_opening", not lines)
        calls: Counter[str] = Counter()
        for report in map(json.loads, lines):
            match report["what"]:
                case "call":
                    self._keys[report["key"]].calls.append((self._lives, report["how"]))
                    calls[report["key"]] += 1
                    self._next = max(self._next, self._number(report["key"]) + 1)
                case "held":
                    told = common.Told(**report["told"])
                    self._keys[report["key"]].held.append((self._lives, report["how"], told))
                    calls[report["key"]] -= report["how"] != "settled"
                    count("held", told.outcome in ENDS)
                case "told":
                    told = common.Told(**report["told"])
                    history = self._keys[report["key"]]
                    if told.outcome in ENDS and report["how"] in LISTED:
                        count("heard_again", history.heard_in < self._lives)
                    history.told.append((self._lives, report["how"], told))
                    is_report = report["how"] == "settled"
                    count("reported", is_report)
                    if is_report:
                        continue
                    calls[report["key"]] -= 1
                    count("delivered")
                    count(told.outcome)
                    count("resumed_by_asking", report["how"] == "resume" and told.outcome == "booked")
                    count("joined", report["how"] == "join")
                case "pending":
                    self._opened.append(self._lives)
                    for booking in report["bookings"]:
                        self._read_listed(booking)
                    # A kill can tear the last record, if anything, and cannot damage one before it.
                    if report["journal"]["damaged_bytes"]:
                        self._findings.violation("damaged", f"{self._where()}: {report['journal']}")
                    count("torn", report["journal"]["torn_bytes"] > 0)
                case "left":
                    count("resumed_by_opening", len(report["keys"]))
                case "unsettled":
                    for key in report["keys"]:
                        self._keys[key].is_unsettled = True
        count("in_flight", calls.total())

    def _read_listed(self, listed: dict[str, Any]) -> None:
        key, state = listed["idempotency_key"], listed["state"]
        history = self._keys[key]
        wanted = Booking(self._service.name, self._bot_id, self._number(key)).request()
        expected = {
            "bot_id": wanted["bot_id"],
            "start_at": wanted["booking"]["start_at"],
            "duration_minutes": wanted["booking"]["duration_minutes"],
            "in_flight": state == "in_flight",
            "expired": False,
        }
        if state not in STATES or self._lives in history.listed or not expected.items() <= listed.items():
            self._violation("untrue", key, [], f"life {self._lives} lists {listed}")
        history.listed[self._lives] = state
        is_unheard = history.heard_in == math.inf
        self._findings.count(f"listed_{state}")
        self._findings.count(f"unheard_{state}", is_unheard)

    def _made(self) -> list[dict[str, Any]]:
        """All of the server's bookings of this lane but the first."""
        made = common.settled(self._service.server, **self._service.listed(self._bot_id))["bookings"]
        return [booking for booking in made if booking["idempotency_key"] != f"{self._service.name}-taken"]

    def _sent(self) -> set[str]:
        """The keys of all requests that the server has seen."""
        requests = self._service.server.bookings(**self._service.listed(self._bot_id))["requests"]
        return {request["idempotency_key"] for request in requests}

    def _number(self, key: str) -> int:
        return int(key.rsplit("-", 1)[1])

    # Judgement

    def _judge(self, made: list[dict[str, Any]], sent: set[str]) -> None:
        ids: defaultdict[str, list[str]] = defaultdict(list)
        for booking in made:
            ids[booking["idempotency_key"]].append(booking["id"])
        self._findings.count("announced", len(self._keys))
        self._findings.count("made", len(made))
        for key in ids.keys() - self._keys.keys():
            self._violation("doubled", key, ids[key], "nobody has asked for it")
        for key, history in self._keys.items():
            self._judge_key(key, history, ids[key])
            self._judge_listed(key, history, ids[key], key in sent)
            self._findings.count("heard", history.heard_in < math.inf)
        for slot, count in Counter(booking["start_at"] for booking in made).items():
            if count > 1:
                self._findings.violation("doubled", f"{self._where()}: {count} bookings at {slot}")

    def _judge_key(self, key: str, history: History, ids: list[str]) -> None:
        kind = Booking(self._service.name, self._bot_id, self._number(key)).kind
        if len(ids) > 1:
            self._violation("doubled", key, ids, "made twice")
        self._judge_told(key, history, ids)

        was_in_journal = bool(history.listed or history.outcomes("booked", "unknown"))
        is_free = bool(history.outcomes("not_sent", "rejected"))
        if kind == "taken":
            if ids:
                self._violation("doubled", key, ids, "made though the slot was taken")
            self._findings.count("undecided", history.is_unsettled)
            if history.is_unsettled and self._knows_keys:
                self._violation("lost", key, ids, "it is still pending, though it was refused in time")
        elif not ids and was_in_journal and not is_free:
            self._violation("lost", key, ids, "it was recorded, and never made")
        elif history.is_unsettled:
            self._violation("lost", key, ids, "it is still pending")
        elif not ids and not is_free:
            self._findings.count("killed_before_recorded")

    def _judge_told(self, key: str, history: History, ids: list[str]) -> None:
        for life, how, told in [*history.told, *history.held]:
            name = f"life {life}, {how}: told {told}"
            # Behind a report of a refusal somebody may repeat the request, which then is sent anew.
            is_free = told.was_denied and (how != "settled" or (life, "repeat") not in history.calls)
            if told.outcome == "booked" and ids != [told.booking_id]:
                self._violation("untrue", key, ids, name)
            elif told.outcome == "malformed" or (how == "verify_denied" and told.outcome == "booked"):
                self._violation("untrue", key, ids, name)
            elif told.was_denied and ids:
                self._violation("untrue", key, ids, name)
            elif is_free and any(state != "refused" for later, state in history.listed.items() if later > life):
                self._violation("untrue", key, ids, f"{name}, and it was not listed as refused later")
            elif how == "replay" and told.outcome != "booked":
                self._violation("untrue", key, ids, f"{name}, though it was listed as booked")
            elif how == "acknowledge" and not (told.was_denied and told.code == "not_recorded"):
                self._violation("untrue", key, ids, f"{name}, though it was listed as refused")
            elif how == "verify_denied" and told.was_denied:
                self._violation("stale", key, ids, f"{name}, though its end was heard before the client was closed")
            elif how in ("verify_resume", "verify_repeat") and told.outcome != "booked":
                self._violation("lost", key, ids, f"{name}, though it was made")
            elif not how.startswith("verify") and told.code not in EXPECTED_CODES | EXPECTED_OF.get(how, set()):
                self._violation("unexpected", key, ids, name)
            elif told.code == "not_recorded" and ids:
                self._violation("lost", key, ids, f"{name}, though it was made")
        replies = {told.reply for _, _, told in [*history.told, *history.held] if told.outcome == "booked"}
        if len(replies) > 1:
            self._violation("untrue", key, ids, f"different replies: {replies}")

    def _judge_listed(self, key: str, history: History, ids: list[str], was_sent: bool) -> None:
        recorded, heard = history.recorded_in(was_sent), history.heard_in
        missing = [life for life in self._opened if recorded < life <= heard and life not in history.listed]
        if missing:
            what = f"recorded in life {recorded}, heard in {heard}, and not listed in {missing}"
            self._violation("orphans" if ids else "forgotten", key, ids, what)
        untrue = "refused" if ids else "booked"
        if untrue in history.listed.values():
            self._violation("untrue", key, ids, f"it was listed as {untrue}")
        at_last = {life for life, _, _ in history.outcomes(*ENDS)} & set(self._closed)
        if at_last and max(history.listed, default=0) > min(at_last):
            self._violation("stale", key, ids, f"heard in life {min(at_last)}, which closed its client")

    def _where(self) -> str:
        return f"{self._service.name}, life {self._lives}"

    def _violation(self, kind: str, key: str, ids: list[str], what: str) -> None:
        """With all that was ever told of the key, and its records as they are now."""
        history = self._keys[key]
        told, held = (
            [(life, how, told.outcome, told.code) for life, how, told in replies]
            for replies in (history.told, history.held)
        )
        lines = self._journal.read_text(errors="replace").splitlines() if self._journal.exists() else []
        records = [line[:SHOWN_OF_RECORD] for line in lines if f'"{key}"' in line]
        self._findings.violation(
            kind,
            f"{key}: the server has {ids}; {what}; calls {history.calls}; (life, how, outcome, code) told {told};"
            f" held {held}; listed {history.listed} in {self._lives} lives; records in the journal: {records}",
        )


def _troubles(rng: random.Random) -> list[dict[str, Any]]:
    """The first request meets none: it takes a slot. Then a slow server at random, and one that fails."""
    steps: list[dict[str, Any]] = [{}]
    for _ in range(TROUBLES):
        step: dict[str, Any] = {}
        chance = rng.random()
        if chance < 0.3:
            step["delay_ms"] = rng.randint(1, 60)
        elif chance < 0.6:
            step["hold_ms"] = rng.randint(1, 60)
        if rng.random() < 0.12:
            step |= {"status": 503, "processed": rng.random() < 0.75}
        steps.append(step)
    return [*steps, {}]


def main() -> int:
    kills = common.budget("KILLS", KILLS)
    seed = common.budget("KILL_SEED", time.time_ns() % 1_000_000_000)
    print(f"kill: KILLS={kills} KILL_SEED={seed}", flush=True)
    findings = common.Findings("kill")
    with common.reference_server() as (server, services, directory):
        for number, service in enumerate(services):
            share = kills // len(services) + (number < kills % len(services))
            if share:
                Lane(service, directory, findings, seed).run(share)
        for fault in server.take_violations():
            findings.violation("broken_request", fault)
    findings.line("kills", [service.name for service in services])
    findings.line("deaths", ["kills", "long", "lulls", "killed_while_opening", "in_flight"])
    findings.line("bookings", ["announced", "made", "delivered", "booked", "rejected", "not_sent", "unknown"])
    findings.line("restarts", ["torn", "resumed_by_opening", "resumed_by_asking", "joined", "reported"])
    findings.line("listed", [f"listed_{state}" for state in STATES])
    findings.line("listed and never heard before", [f"unheard_{state}" for state in STATES])
    findings.line("ends", ["held", "heard", "heard_once", "heard_again"])
    findings.line("harmless", ["killed_before_recorded", "undecided"])
    findings.line("judged", ["doubled", "lost", "untrue", "damaged", "unexpected", "died"])
    findings.line("judged as unheard", ["orphans", "forgotten", "stale"])
    return findings.finish()


if __name__ == "__main__":
    sys.exit(main())
