"""The rules of a conversation in plain Python, with bugs on demand: they show that the judge of `conversation.py` sees.

    .venv/bin/python Tests/campaigns/conversation_rules.py [BUG ...]

Prints what the judge finds of each bug, and of the rules without one. This is a model to try the judge with: it has no
journal, no cache and no joined searches.
"""

from __future__ import annotations

import http.client
import itertools
import json
import re
import sys
import threading
import time
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

from conversation_engine import CANCELLED, Answer, pure

BUGS = {
    "books_twice": "doubled",
    "takes_any_token": "unoffered",
    "takes_the_nearest": "garbled_accepted",
    "reads_strictly": "near_refused",
    "books_unconfirmed": "unconfirmed",
    "books_speculatively": "unconfirmed",
    "says_booked_in_doubt": "untrue_booked",
    "says_already_in_doubt": "untrue_already",
    "says_refused_in_doubt": "untrue_refusal",
    "says_the_time_it_asked_for": "other_time",
    "is_late": "late",
    "leaks_times": "text_iso_time",
    "leaks_keys": "text_key",
    "leaks_phones": "text_phone_number",
    "leaks_text": "third_party_text",
    "says_digits": "digit_said",
    "is_long": "long_find",
    "makes_results_up": "not_a_result",
    "offers_what_is_not": "invented_offer",
}
"""And what the judge calls them."""

SETTLE_SECONDS = 3.0


@dataclass
class Sent:
    """A booking that was sent, or was about to be."""

    key: str
    slot: dict[str, Any]
    end: Future[tuple[int, Any]] = field(default_factory=Future)
    """The status and content, 0 when nothing is known."""


@dataclass
class State:
    offered: dict[str, dict[str, Any]] = field(default_factory=dict)
    latest: list[dict[str, Any]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)
    has_warned: bool = False


class Rules:
    def __init__(self, config: dict[str, Any], bug: str = "") -> None:
        self._config, self._voice, self._bug = config, config["voice"], bug
        self._host = urlsplit(config["base_url"]).netloc
        self._keeps_keys = config.get("platform_keys") != "none"
        self._states: dict[str, State] = {}
        self._threads = ThreadPoolExecutor(64)
        self._tickets = itertools.count(1)
        self._cancels: dict[int, Future[Answer]] = {}

    # As `Engine`

    def call(self, request: dict[str, Any]) -> Answer:
        began = time.monotonic()
        until = began + request["timeout_ms"] / 1000 - 0.03
        try:
            reply = self._answer(request, until)
        except (TooLate, OSError, http.client.HTTPException):
            reply = _reply("failed", "The calendar does not answer. Offer a call back.", "I cannot look that up.")
        if self._bug == "is_late" and reply["result"] == "booked":
            time.sleep(max(0, until - time.monotonic()) + 0.6)
        reply["tool"] = request["tool"]
        return Answer(0, json.dumps(self._spoiled(reply)).encode(), (time.monotonic() - began) * 1000)

    def submit(self, request: dict[str, Any]) -> tuple[int, Future[Answer]]:
        future: Future[Answer] = Future()
        ticket = next(self._tickets)
        self._cancels[ticket] = future
        self._threads.submit(lambda: _end(future, self.call(request)))
        return ticket, future

    def cancel(self, ticket: int) -> None:
        _end(self._cancels[ticket], Answer(CANCELLED, b'{"error":{}}', 0))

    def prefetch(self, request: dict[str, Any]) -> None:
        pass

    def end(self, request: dict[str, Any]) -> None:
        pass

    def close(self) -> None:
        self._threads.shutdown(wait=True)

    # Tools

    def _answer(self, request: dict[str, Any], until: float) -> dict[str, Any]:
        state = self._states.setdefault(request["call_id"], State())
        arguments = _read(request["arguments"])
        if request["tool"] == "find_appointment_slots" and arguments is not None:
            return self._find(request, arguments, state, until)
        if request["tool"] == "book_appointment" and arguments is not None:
            return self._book(request, arguments, state, until)
        if request["tool"] == "look_up_caller":
            return _reply("not_known", "The caller is not known.")
        return _reply("invalid", "That cannot be read. Call a tool with its arguments.")

    def _find(
        self, request: dict[str, Any], arguments: dict[str, Any], state: State, until: float
    ) -> dict[str, Any]:
        words = {name: str(arguments[name]) for name in ("when", "time") if arguments.get(name) is not None}
        wish = {"readings": [{}]}
        if words:
            wish = pure("pbk_when", words | {"time_zone": self._voice["time_zone"]})
            if "error" in wish or not wish["clear"]:
                return _reply("unclear", "Ask the caller which day is meant.", "Which day do you mean?")
        minutes = 60 if str(arguments.get("service")).lower() == "long visit" else 30
        slots = self._search(request["bot_id"], minutes, wish["readings"][0], until)
        if not slots:
            return _reply("none", "Nothing is free then. Ask for another day.", "Nothing is free then.")
        return self._offer("offered", slots, state)

    def _offer(self, result: str, slots: list[dict[str, Any]], state: State) -> dict[str, Any]:
        if self._bug == "offers_what_is_not":
            slots = [*slots, {**slots[0], "start_at": "2031-05-05T03:03:00Z"}]
        state.offered |= {each["slot"]: each for each in slots}
        state.latest = slots
        text = f"Offer these: {', '.join(each['slot'] for each in slots)}. Book only one of them."
        if self._bug == "is_long":
            text += " Be kind." * 80
        return _reply(result, text, "I have " + ", or ".join(map(self._words, slots)), slots=slots)

    def _search(self, bot: str, minutes: int, reading: dict[str, Any], until: float) -> list[dict[str, Any]]:
        now = datetime.now(timezone.utc)
        bounds = {"start_at": f"{now:%Y-%m-%dT%H:%M:%SZ}", "end_at": f"{now + timedelta(days=14):%Y-%m-%dT%H:%M:%SZ}"}
        query = {"filter": {"start_at_range": bounds}}
        status, content = self._post("/v1/availability/search", {"bot_id": bot, "query": query}, until)
        if status != 200:
            raise OSError(status)
        wanted = {name: value for name, value in reading.items() if name not in ("start_at", "end_at")}
        options = wanted | {"time_zone": self._voice["time_zone"], "duration_minutes": minutes, "offers": 3}
        return list(pure("pbk_slots", content, options).get("offers", []))

    def _book(
        self, request: dict[str, Any], arguments: dict[str, Any], state: State, until: float
    ) -> dict[str, Any]:
        slot = self._picked(str(arguments.get("slot") or ""), state)
        if not state.lock.acquire(timeout=max(0, until - time.monotonic())):
            return _reply("in_doubt", "The booking is being confirmed.", "One moment.")
        try:
            another = _is_true(arguments.get("another"))
            if self._bug != "books_twice" and (said := self._earlier(slot, another, state, until)) is not None:
                return said
            if slot is None:
                return _reply("not_offered", "That was not offered.", slots=state.latest)
            name, is_sure = arguments.get("name"), _is_true(arguments.get("caller_confirmed"))
            if not isinstance(name, str) or len(name) < 3:
                return _reply("invalid", "Ask for the name.")
            if request.get("speculative") and self._bug != "books_speculatively":
                return _reply("held", "Nothing was booked yet.")
            if not is_sure and self._voice["confirm"] == "readback" and self._bug != "books_unconfirmed":
                return _reply("readback", "Read this back.", f"{self._words(slot)}, is that right?")
            sent = Sent(uuid.uuid4().hex, slot)
            state.sent.append(sent)
            customer = {"phone": request["caller_phone"], "name": name}
            threading.Thread(target=self._settle, args=(sent, request["bot_id"], customer), daemon=True).start()
        finally:
            state.lock.release()
        return self._told(sent, "booked", state, request, until)

    def _picked(self, text: str, state: State) -> dict[str, Any] | None:
        if text == "the second one":
            return state.latest[1] if len(state.latest) > 1 else None
        if self._bug == "takes_any_token" and (slot := _slot_of(text, self._voice["time_zone"])) is not None:
            return slot
        if self._bug == "takes_the_nearest" and state.offered:
            return state.offered.get(text) or next(iter(state.offered.values()))
        if self._bug == "reads_strictly":
            return state.offered.get(text)
        for minutes in (30, 60):
            slots = [each for each in state.offered.values() if each["duration_minutes"] == minutes]
            options = {"time_zone": self._voice["time_zone"], "duration_minutes": minutes, "pick": text[:200] or "-"}
            options["step_minutes"] = 5
            if picked := pure("pbk_slots", {"availabilities": slots}, options).get("picked"):
                return state.offered.get(picked["slot"])
        return None

    def _earlier(
        self, slot: dict[str, Any] | None, another: bool, state: State, until: float
    ) -> dict[str, Any] | None:
        """What this conversation has already, or may have."""
        for sent in state.sent:
            try:
                wait = min(SETTLE_SECONDS, max(0, until - time.monotonic()))
                status, _ = sent.end.result(wait)
            except TooLate:
                status = 0
            if status == 0 and self._bug == "says_already_in_doubt":
                return _reply("already", "You have it.", self._words(sent.slot), booking=sent.slot)
            if status == 0 and not (another and state.has_warned):
                state.has_warned = True
                return _reply("in_doubt", "It is being confirmed. Offer a person.", "It is being confirmed.")
            is_same = slot is not None and slot["slot"] == sent.slot["slot"]
            if status in (200, 201) and (is_same or not another):
                return self._told(sent, "already", state, {}, until)
        return None

    def _told(
        self, sent: Sent, result: str, state: State, request: dict[str, Any], until: float
    ) -> dict[str, Any]:
        try:
            status, content = sent.end.result(max(0, until - time.monotonic()))
        except TooLate:
            status, content = 0, None
        members: dict[str, Any] = {"idempotency_key": sent.key}
        if status == 0 and self._bug == "says_booked_in_doubt":
            status, content = 201, {"booking": sent.slot}
        if status in (200, 201):
            booking = content["booking"]
            said = self._words(sent.slot if self._bug != "says_the_time_it_asked_for" else _later(sent.slot))
            return _reply(result, "It is booked. Tell the caller.", f"That is {said}", booking=booking, **members)
        if status == 0 and self._bug != "says_refused_in_doubt":
            return _reply("in_doubt", "It may be booked. Call again.", "I am confirming that.", **members)
        try:
            slots = self._search(request["bot_id"], sent.slot["duration_minutes"], {}, until)
        except (TooLate, OSError, http.client.HTTPException, KeyError):
            slots = []
        error = {"outcome": "rejected"}
        if not slots:
            return _reply("slot_gone", "It is gone. Search again.", "That time is gone.", error=error, **members)
        return self._offer("slot_gone", slots, state) | {"error": error} | members

    def _settle(self, sent: Sent, bot: str, customer: dict[str, Any]) -> None:
        """Asks until there is an answer. Without keys it asks once."""
        wanted = {"start_at": sent.slot["start_at"], "duration_minutes": sent.slot["duration_minutes"]}
        body = {"bot_id": bot, "booking": wanted | {"customer": customer}}
        is_doubtful = False
        for _ in range(20 if self._keeps_keys else 1):
            try:
                status, content = self._post("/v1/bookings", body, time.monotonic() + 6, sent.key)
                booking = content.get("booking", {}) if isinstance(content, dict) else {}
                if status in (200, 201) and booking.get("status") in ("confirmed", "pending", "accepted"):
                    if _moment(booking["start_at"]) == _moment(sent.slot["start_at"]):
                        sent.end.set_result((status, content))
                        return
                if status in (200, 201) and booking.get("status") in ("declined", "cancelled"):
                    sent.end.set_result((409, content))
                    return
                if 400 <= status < 500 and status != 429 and "progress" not in str(content) and not is_doubtful:
                    sent.end.set_result((409, content))
                    return
            except (OSError, http.client.HTTPException, ValueError, KeyError):
                pass
            is_doubtful = True
            time.sleep(0.2)

    def _post(self, path: str, body: dict[str, Any], until: float, key: str | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(self._host, timeout=max(0.02, until - time.monotonic()))
        headers = {"Authorization": f"Bearer {self._config['api_key']}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers | ({"Idempotency-Key": key} if key else {}))
            reply = connection.getresponse()
            return reply.status, json.loads(reply.read())
        finally:
            connection.close()

    def _words(self, slot: dict[str, Any]) -> str:
        request = {"start_at": slot["start_at"], "time_zone": self._voice["time_zone"], "locale": self._voice["locale"]}
        return str(pure("pbk_say", request)["say"])

    def _spoiled(self, reply: dict[str, Any]) -> dict[str, Any]:
        if self._bug == "leaks_times" and reply.get("slots"):
            reply["text"] += f" At {reply['slots'][0]['start_at']}."
        elif self._bug == "leaks_keys" and "idempotency_key" in reply:
            reply["text"] += f" Keep {reply['idempotency_key']}."
        elif self._bug == "leaks_phones":
            reply["text"] += " Call 415 555 0137."
        elif self._bug == "leaks_text" and "booking" in reply:
            reply["say"] += str(reply["booking"].get("notes"))
        elif self._bug == "says_digits":
            reply["say"] = f"{reply.get('say')} Press 1."
        elif self._bug == "makes_results_up" and reply["result"] == "none":
            reply["result"] = "sorry"
        return reply


def _end(future: Future[Answer], answer: Answer) -> None:
    try:
        future.set_result(answer)
    except Exception:  # noqa: BLE001  # it was cancelled, or has ended
        pass


def _reply(result: str, text: str, say: str = "", **members: Any) -> dict[str, Any]:
    return {"result": result, "is_error": False, "text": text, "say": say, **members}


def _read(arguments: Any) -> dict[str, Any] | None:
    """Leniently."""
    if isinstance(arguments, str):
        try:
            arguments = json.loads(re.sub(r"^\s*```(json)?|```\s*$", "", arguments) or "null")
        except ValueError:
            return None
    if not isinstance(arguments, dict):
        return {} if arguments is None else None
    return {name: None if value in ("null", "") else value for name, value in arguments.items()}


def _is_true(value: Any) -> bool:
    return value is True or value == "true"


def _slot_of(text: str, zone: str) -> dict[str, Any] | None:
    """What a token names, whoever made it."""
    from zoneinfo import ZoneInfo

    if (found := re.fullmatch(r"([a-z]{3})(\d\d)-(\d\d)(\d\d)[a-z]", text)) is None:
        return None
    hour, minute = int(found[3]) % 24, int(found[4]) % 60
    day = datetime.now(ZoneInfo(zone)).replace(hour=hour, minute=minute, second=0, microsecond=0)
    for _ in range(40):
        day += timedelta(days=1)
        if day.day == int(found[2]):
            return {"slot": text, "start_at": day.isoformat(), "duration_minutes": 30}
    return None


def _later(slot: dict[str, Any]) -> dict[str, Any]:
    return slot | {"start_at": (datetime.fromisoformat(slot["start_at"]) + timedelta(minutes=30)).isoformat()}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def found_of(bug: str, conversations: int = 75, seed: int = 7) -> dict[str, int]:
    """What the judge finds."""
    import conversation
    from truth_judge import Findings

    findings = Findings("conversation")
    conversation.WAYS, conversation.ENDPOINTS = ("kept", "fresh"), ("partner",)
    conversation.talk(findings, lambda config: Rules(config, bug), conversations, 0, 0, seed, has_kills=False)
    for each in findings.violations[:2]:
        print(f"  {each[:1500]}")
    names = (*conversation.ZERO, *conversation.SENTENCES)
    return {name: number for name, number in findings.counts.items() if name in names}


def main() -> int:
    missed = []
    for bug in sys.argv[1:] or ["", *BUGS]:
        found = found_of(bug)
        print(f"rules bug={bug or 'none'} found={found}", flush=True)
        if (BUGS[bug] not in found) if bug else found:
            missed.append(bug)
    print(f"rules: missed={len(missed)} {missed}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
