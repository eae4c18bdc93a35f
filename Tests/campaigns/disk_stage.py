"""The stage on which `disk.py` plays: a client and its journal, the switch of the faults, and what must be true."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import journal_file as jf
import pbk
from samples import BOT_ID, NAME, PHONE, search_request

PATIENCE = 10.0

COMPACTION_SECONDS = 1.3
"""A journal that is idle for so long is compacted."""

CLONE_NEWNS, MS_REC, MS_PRIVATE = 0x20000, 16384, 1 << 18


def booking(key: str, slot: int, **members: Any) -> dict[str, Any]:
    """For the n-th free slot of a week: no two bookings of a scenario are about the same one."""
    day, half_hour = 14 + slot // 16, slot % 16
    wanted = {
        "start_at": f"2030-01-{day}T{9 + half_hour // 2:02}:{half_hour % 2 * 30:02}:00Z",
        "duration_minutes": 30,
        "customer": {"phone": PHONE, "name": NAME},
        "notes": "n" * 200,
    }
    return {"bot_id": BOT_ID, "idempotency_key": key, "booking": wanted, **members}


def wait_until(condition: Callable[[], bool]) -> bool:
    """Whether it came true before patience ended."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


class Faults:
    """The switch of the library of faults that is loaded into this process."""

    def __init__(self, folder: Path) -> None:
        self._control, self._log = folder / "control", folder / "log"

    @staticmethod
    def environment(library: Path, folder: Path, journal: Path) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(library),
            "DISK_FAULTS_PATH": str(journal),
            "DISK_FAULTS_CONTROL": str(folder / "control"),
            "DISK_FAULTS_LOG": str(folder / "log"),
        }

    def set(self, *lines: str) -> None:
        """At once: a reader sees the old lines or the new."""
        new = self._control.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in lines))
        new.rename(self._control)

    def clear(self) -> None:
        self._control.unlink(missing_ok=True)

    @property
    def met(self) -> int:
        return len(self._log.read_text().split()) if self._log.exists() else 0


class Stage:
    """One scenario: the client, what it was told to do, what it told, and what was wrong with that."""

    def __init__(self, folder: Path, required: bool) -> None:
        self.folder, self.required = folder, required
        self.path = self.journal_in(folder)
        self.faults = Faults(folder)
        self.counts: Counter[str] = Counter()
        self.violations: list[str] = []
        self.told: dict[str, str] = {}
        self.can_be_left = False
        """Whether the trouble can leave a record in the file that was not to stay there."""
        self._slots: dict[str, int] = {}
        self._copies = 0
        self.client: pbk.Client

    @staticmethod
    def journal_in(folder: Path) -> Path:
        return folder / "desk" / "journal"

    def check(self, condition: bool, *words: object) -> None:
        self.counts["checks"] += 1
        if not condition:
            self.violations.append(" ".join(str(word) for word in words))

    def config(self, path: Path, **members: Any) -> dict[str, Any]:
        return jf.sandbox_config(path, journal_required=self.required, **members)

    def open(self, **members: Any) -> pbk.Client:
        self.path.parent.mkdir(exist_ok=True)
        self.client = pbk.Client(self.config(self.path, **members))
        return self.client

    # Bookings

    def request(self, key: str, **members: Any) -> dict[str, Any]:
        return booking(key, self._slots.setdefault(key, len(self._slots)), **members)

    def note(self, key: str, answer: jf.Answer) -> jf.Answer:
        self.told[key] = "booked" if answer.status == jf.OK else str(answer.outcome)
        self.counts[f"told {self.told[key]}"] += 1
        return answer

    def book(self, key: str, **members: Any) -> jf.Answer:
        return self.note(key, jf.book(self.client, self.request(key, **members)))

    def book_all(self, keys: list[str]) -> list[jf.Answer]:
        answers = jf.book_all(self.client, [self.request(key) for key in keys])
        return [self.note(key, answer) for key, answer in zip(keys, answers)]

    def begin(self, **members: Any) -> None:
        """A client with one booking made and one in doubt."""
        self.open(lose=[2], **members)
        self.expect_made("before", self.book("before"))
        doubt = self.book("doubt", **jf.AT_ONCE)
        told = (doubt.code, doubt.outcome)
        self.check(told == ("in_doubt", "unknown"), "a lost reply is told as", doubt)

    def expect_made(self, key: str, answer: jf.Answer) -> None:
        self.check(answer.status == jf.OK, key, "was not made:", answer)
        self.check(answer.timing.get("journaled", True) is True, key, "was not recorded:", answer.timing)

    def expect_trouble(self, key: str, answer: jf.Answer) -> None:
        """What a booking comes to that cannot be recorded. In doubt only where its record cannot be taken back."""
        if self.required:
            told = (answer.status, answer.code)
            expected = (jf.JOURNAL_UNAVAILABLE, "journal_unavailable")
            self.check(told == expected, key, "in the trouble:", answer)
            outcomes = ("not_sent", "unknown") if self.can_be_left else ("not_sent",)
            message = answer.error.get("message")
            self.check(answer.outcome in outcomes, key, "in the trouble has the outcome", answer.outcome, message)
        else:
            self.check(answer.status == jf.OK, key, "was not sent without the journal:", answer)
            self.check(answer.timing.get("journaled") is False, key, "is told to be recorded:", answer.timing)

    def search(self) -> None:
        result = self.client.search(search_request())
        self.check(result.status == jf.OK, "a search in the trouble:", result)

    @property
    def not_sent(self) -> set[str]:
        return {key for key, outcome in self.told.items() if outcome == "not_sent"}

    @property
    def booked(self) -> set[str]:
        return {key for key, outcome in self.told.items() if outcome == "booked"}

    # What is left behind

    def check_sandbox(self) -> None:
        listed = Counter(entry["idempotency_key"] for entry in jf.sandbox_bookings(self.client))
        self.check(set(listed) & self.not_sent == set(), "told not_sent, and booked:", set(listed) & self.not_sent)
        self.check(self.booked <= set(listed), "told booked, and not:", self.booked - set(listed))
        self.check(max(listed.values(), default=1) == 1, "booked more than once:", listed)

    def check_pending(self, where: str, listing: dict[str, Any]) -> None:
        """The booking in doubt is there. Others may be, as long as their end, or that it was heard, is not written."""
        states, doubts = jf.states(listing), jf.doubts(listing)
        self.check(doubts & self.not_sent == set(), where, "told not_sent, and in doubt:", doubts & self.not_sent)
        self.check("doubt" in doubts or "doubt" in self.booked, where, "the booking in doubt is lost")
        self.check(states.keys() <= self.told.keys(), where, "invented:", states.keys() - self.told.keys())
        for key in states.keys() - doubts:
            told, state = self.told.get(key), states[key]
            wrong = {"not_sent", "rejected"} if state == jf.BOOKED else {"booked"}
            self.check(told not in wrong, where, key, "told to be", told, "is listed as", state)

    def check_crash(self, where: str, *, is_clean: bool) -> None:
        """As if the process had been killed now: a copy of the file, opened."""
        self._copies += 1
        copy = self.folder / f"crash-{self._copies}"
        copy.write_bytes(self.path.read_bytes())
        with pbk.Client(self.config(copy)) as client:
            listing = jf.pending(client)
        if is_clean:
            self.check_clean(where, listing["journal"])
        self.check_pending(where, listing)

    def check_clean(self, where: str, report: dict[str, Any]) -> None:
        self.check(report["torn_bytes"] == report["damaged_bytes"] == 0, where, "damaged:", report)

    def end(self) -> None:
        """The trouble is over. Half of what was not made is made now: of the others nothing may be left."""
        self.expect_made("after", self.book("after"))
        self.check_crash("killed when the trouble is over:", is_clean=True)
        unmade = sorted(key for key in self.told if self.told[key] in ("not_sent", "unknown") and key != "doubt")
        for key in unmade[::2]:
            self.expect_made(key, self.book(key))
        self.check_sandbox()
        self.check(self.path.exists(), "there is no journal under its path")
        self.check(stat.S_IMODE(self.path.stat().st_mode) == 0o600, "the journal can be read by others")
        time.sleep(0.05)  # for the ends of the bookings to be written
        self.check_crash("killed after the trouble:", is_clean=True)
        self.check(self.client.close() == jf.OK, "closing after the trouble failed")
        self.reopen()

    def reopen(self) -> None:
        with self.open() as client:
            listing = jf.pending(client)
            self.check_clean("opened again:", listing["journal"])
            self.check_pending("opened again:", listing)
            for key in sorted({"before", "doubt", "after"} & self.booked):
                answer = jf.book(client, self.request(key))
                self.check(answer.timing.get("replayed") is True, key, "is not replayed when opened again:", answer)
            if "doubt" not in self.booked:
                answer = jf.book(client, {"idempotency_key": "doubt", "resume": True})
                self.check(answer.status == jf.OK, "the booking in doubt is not resumed:", answer)


# ---- Mounting, in a name space of this process alone ----


Scenario = Callable[[Stage], None]


def mount(source: str, target: Path, kind: str, flags: int, options: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    words = (source.encode(), str(target).encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())
    if libc.mount(*words) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(target))


class NotPermitted(Exception):
    """This machine does not let us mount anything."""


def mount_tmpfs(target: Path, options: str) -> None:
    target.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise NotPermitted
    try:
        mount("none", Path("/"), "", MS_REC | MS_PRIVATE, "")
        mount("none", target, "tmpfs", 0, options)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.EACCES):
            raise NotPermitted from None
        raise
