"""What must be true of one spoiled journal: torn.py."""

from __future__ import annotations

import json
import os
import stat
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import journal_file as jf
import pbk
from samples import BOT_ID
from torn_journals import REQUESTS, expect, give_up, is_refused, request

PATIENCE = 10.0


class Trial:
    """One spoiled journal, opened, used, and opened again."""

    def __init__(self, folder: Path, data: bytes, replies: dict[str, bytes], counts: Counter[str]) -> None:
        self.path = folder / "journal"
        self.data, self.replies, self.counts = data, replies, counts
        self.readings = [jf.read(data), jf.read(data, lenient=True)]
        for old in folder.iterdir():
            old.unlink()
        self.path.write_bytes(data)
        self.path.chmod(0o600)

    def run(self, at: int) -> None:
        """`at` is where the journal was spoiled, and decides which of several things is tried."""
        is_damaged = all(reading.damaged_bytes > 0 for reading in self.readings)
        try:
            client = pbk.Client(jf.sandbox_config(self.path, resume_on_open=is_damaged))
        except pbk.OpenError as error:
            self.refused(json.loads(error.reply)["error"])
            return
        with client:
            contents = self.first_look(client)
            if at % 5 != 4:
                self.replay(client, contents, by_key=at % 2 == 0)
            self.hear_refusals(client, contents, at % 3)
            self.ask_for_free_keys(client, contents)
            self.close(client)
        self.second_look(contents, at)

    def refused(self, error: dict[str, Any]) -> None:
        """Only a file that does not begin as a journal does, and it stays as it is."""
        magics = [b"pbk1 ", b"pbk2 "]
        is_begun = any(self.data.startswith(magic[: len(self.data)]) for magic in magics)
        expect(not is_begun, "refused, though it begins as a journal:", error)
        expect(self.readings[0].intact_lines == 0, "refused, though there are intact lines:", error)
        expect((error["code"], error["field"]) == ("invalid_config", "journal_path"), "refused with", error)
        expect(self.path.read_bytes() == self.data, "a file that was refused has been changed")
        self.counts["refused, as it does not begin as a journal"] += 1

    # The first opening

    def first_look(self, client: pbk.Client) -> jf.Contents:
        listing = jf.pending(client)
        report = listing["journal"]
        expect(report is not None and report["path"] == str(self.path), "journal is", report)
        fitting = [reading for reading in self.readings if reading.listed == jf.states(listing)]
        expected: list[Any] = [reading.listed for reading in self.readings]
        expect(fitting != [], "listed are", jf.states(listing), "instead of", expected)
        lost = (report["torn_bytes"], report["damaged_bytes"])
        expected = [(reading.torn_bytes, reading.damaged_bytes) for reading in fitting]
        fitting = [reading for reading, bytes_lost in zip(fitting, expected) if bytes_lost == lost]
        expect(fitting != [], "torn and damaged are", lost, "instead of", expected)
        compare_listing(listing, fitting[0])
        self.check_copy(report)
        self.counts["told to be torn"] += report["torn_bytes"] > 0
        self.counts["told to be damaged"] += report["damaged_bytes"] > 0
        self.counts["doubts found"] += len(fitting[0].pending)
        self.counts["unheard ends found"] += len(fitting[0].listed) - len(fitting[0].pending)
        return fitting[0]

    def check_copy(self, report: dict[str, Any]) -> None:
        copy = report["damaged_copy"]
        if copy is None:
            expect(report["damaged_bytes"] == 0, "damage without a copy:", report)
            return
        expect(Path(copy).read_bytes() == self.data, "the copy is not the file that was found")
        expect(stat.S_IMODE(os.stat(copy).st_mode) == 0o600, "the copy can be read by others")
        self.counts["copies, each the file that was found"] += 1

    def replay(self, client: pbk.Client, contents: jf.Contents, *, by_key: bool) -> None:
        """The sandbox of this client is empty: what comes with a booking in it came from the journal."""
        for key, entry in contents.of(jf.BOOKED).items():
            answer = jf.book(client, {"idempotency_key": key, "resume": True} if by_key else REQUESTS[key])
            expect(answer.status == jf.OK and answer.timing.get("replayed") is True, key, "is not replayed:", answer)
            expect(answer.reply == entry.reply == self.replies[key], key, "is replayed as", answer.reply)
            entry.is_heard = True
            self.counts["replies replayed"] += 1
        sent = jf.sandbox_bookings(client)
        expect(sent == [], "sent though it is settled:", sent)

    def hear_refusals(self, client: pbk.Client, contents: jf.Contents, how: int) -> None:
        """Leaves refusals unheard, resumes their keys, or books anew, which the sandbox refuses again."""
        if how == 0:
            return
        for key, entry in contents.of(jf.REFUSED).items():
            if how == 1:
                answer = jf.book(client, {"idempotency_key": key, "resume": True})
                expect(answer.code == "not_recorded" and answer.outcome == entry.outcome, key, "is resumed as", answer)
            else:
                answer = jf.book(client, request(key, "2030-01-14T20:00:00Z"))
                expect(answer.outcome == "rejected" and answer.code != "not_recorded", key, "is not sent anew:", answer)
            del contents.entries[key]
            self.counts["refusals heard"] += 1
        expect(jf.states(jf.pending(client)) == contents.listed, "listed after all is heard:", jf.pending(client))

    def ask_for_free_keys(self, client: pbk.Client, contents: jf.Contents) -> None:
        for key in sorted(REQUESTS.keys() - contents.entries.keys()):
            answer = jf.book(client, {"idempotency_key": key, "resume": True})
            told = (answer.status, answer.code, answer.outcome)
            expect(told == (jf.NOT_RECORDED, "not_recorded", "unknown"), key, "is free, and is resumed as", answer)
            self.counts["free keys"] += 1

    def close(self, client: pbk.Client) -> None:
        status = client.close()
        expect(status == jf.OK, "closing gave", status)

    # The second one

    def second_look(self, before: jf.Contents, at: int) -> None:
        """The journal after it was mended, by its format and by the library, which then resumes what is in doubt."""
        resumes_on_open = at % 2 == 1
        mended = jf.read(self.path.read_bytes())
        expect(mended.is_whole, "the mended file is not whole:", mended)
        expect_same(mended, before)
        refused = {key for key, body in before.pending.items() if is_refused(body["booking"]["start_at"])}
        resumed = set(before.pending) - before.withdrawn if resumes_on_open else set()
        left = {**mended.listed, **dict.fromkeys(resumed - refused, jf.BOOKED)}
        config = jf.sandbox_config(self.path, resume_on_open=resumes_on_open, **jf.AT_ONCE)
        with pbk.Client(config) as client:
            listing = jf.pending(client)
            report = listing["journal"]
            expect(report["torn_bytes"] == report["damaged_bytes"] == 0, "damage when opened again:", report)
            if resumes_on_open:
                self.wait_for_resumption(client, left)
                sent = {entry["idempotency_key"] for entry in jf.sandbox_bookings(client)}
                expect(sent == resumed - refused, "sent by the opening:", sorted(sent))
                self.counts["withdrawn bookings left alone"] += len(before.withdrawn)
            else:
                expect(jf.states(listing) == left, "listed when opened again:", jf.states(listing))
                compare_listing(listing, mended)
            given_up = set() if resumes_on_open else self.give_up(client, mended, at // 2 % 4)
            doubts = {key: body for key, body in before.pending.items() if key not in given_up}
            booked = [key for key, body in doubts.items() if self.resume(client, key, body, key in resumed)]
            listed = {entry["idempotency_key"]: entry["start_at"] for entry in jf.sandbox_bookings(client)}
            starts = {key: before.pending[key]["booking"]["start_at"] for key in booked}
            expect(listed == starts, "resumed were", starts, "and booked", listed)
            left = {key: state for key, state in left.items() if key not in {*booked, *given_up}}
            states = jf.states(jf.pending(client))
            expect(states == left, "still listed after all were resumed:", states, "instead of", left)
            self.close(client)
        ended = jf.read(self.path.read_bytes())
        expect(ended.is_whole and ended.listed == left, "after all were resumed the file lists", ended.listed)
        expect(ended.withdrawn == set(), "withdrawn after all were asked for:", sorted(ended.withdrawn))
        expect(set(ended.settled) == {*before.settled, *booked}, "settled in the end:", sorted(ended.settled))

    def wait_for_resumption(self, client: pbk.Client, left: dict[str, str]) -> None:
        """Ends of bookings that nobody waits for are unheard."""
        deadline = time.monotonic() + PATIENCE
        while (states := jf.states(jf.pending(client))) != left:
            expect(time.monotonic() < deadline, "not resumed on opening:", states, "instead of", left)
            time.sleep(0.001)

    def give_up(self, client: pbk.Client, mended: jf.Contents, how: int) -> set[str]:
        """Gives up the first doubt by its key, or those before noon, or none. Returns their keys."""
        if how == 0 and mended.pending:
            keys = {next(iter(mended.pending))}
            kept = give_up(client, {"idempotency_key": min(keys)}, keys)
            expect(kept == [], "kept although it is in doubt:", kept)
        elif how == 1:
            noon = "2030-01-14T13:00:00+01:00"
            starts = {key: body["booking"]["start_at"] for key, body in mended.pending.items()}
            keys = {key for key, start_at in starts.items() if start_at < "2030-01-14T12"}
            kept = give_up(client, {"bot_id": BOT_ID, "start_before": noon}, keys)
            states = {entry["state"] for entry in kept}
            expect(states <= {jf.BOOKED, jf.REFUSED}, "kept although it is in doubt:", kept)
        else:
            return set()
        for key in keys:
            answer = jf.book(client, {"idempotency_key": key, "resume": True})
            expect(answer.code == "not_recorded" and answer.outcome == "unknown", key, "is given up, and", answer)
        self.counts["doubts given up"] += len(keys)
        return keys

    def resume(self, client: pbk.Client, key: str, body: dict[str, Any], is_over: bool) -> bool:
        """Whether it was booked. What is outside of the opening hours is in doubt only where the end of it was lost: it
        is refused, and stays in doubt. `is_over` when it was resumed on opening."""
        answer = jf.book(client, {"idempotency_key": key, "resume": True})
        self.counts["bookings resumed on opening" if is_over else "bookings resumed"] += 1
        if is_refused(body["booking"]["start_at"]):
            expect((answer.code, answer.outcome) == ("in_doubt", "unknown"), key, "resumed:", answer)
            status = answer.error["doubt"]["answer"]["status"]
            expect(status in (400, 409, 422), key, "resumed:", answer)
            return False
        expect(answer.status == jf.OK, key, "resumed:", answer)
        expect(answer.timing.get("replayed", False) is is_over, key, "resumed:", answer.timing)
        return True


def compare_listing(listing: dict[str, Any], reading: jf.Contents) -> None:
    """Every entry of the list, member by member, oldest first."""
    bookings = listing["pending_bookings"]
    expect(len(bookings) == len(reading.listed), "a key is listed twice", listing)
    times = [booking["recorded_at"] for booking in bookings]
    expect(times == sorted(times), "the list is not in the order of the times", times)
    for told in bookings:
        entry = reading.entries[told["idempotency_key"]]
        named = {} if entry.conversation is None else {"conversation": entry.conversation}
        assert entry.summary is not None
        expected = {"state": entry.state, "in_flight": False, "expired": False, **entry.summary._asdict(), **named}
        found = {name: value for name, value in told.items() if name not in ("idempotency_key", "recorded_at")}
        expect(found == expected, "listed is", told, "and recorded was", entry)
        at = datetime.fromisoformat(told["recorded_at"].replace("Z", "+00:00")).timestamp()
        expect(round(at * 1000) == entry.recorded_at, "listed is", told, "and recorded was at", entry.recorded_at)


def expect_same(mended: jf.Contents, before: jf.Contents) -> None:
    """The file has what it had. Entries of version 1 get a place on the journal's clock, and no others another one."""
    keys = list(mended.entries), list(before.entries)
    expect(keys[0] == keys[1], "the mended file has", keys[0], "instead of", keys[1])
    for key, entry in before.entries.items():
        is_old = entry.clock is None
        expected = replace(entry, clock=mended.entries[key].clock) if is_old else entry
        expect(mended.entries[key] == expected, "the mended file has", mended.entries[key], "instead of", entry)
        expect(mended.entries[key].clock is not None, "the mended file has an entry of version 1:", mended.entries[key])
