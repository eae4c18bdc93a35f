"""A disk that hangs: scenarios of `disk.py`. As a program it is what ends while it waits for the disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import journal_file as jf
import pbk
from disk_locks import expect_locked, is_free
from disk_stage import Scenario, Stage, wait_until
from samples import search_request

IMPATIENT_MS = 300
"""`journal_timeout_ms` where the disk hangs: until somebody lets it go on."""


def hangs(operation: str) -> Scenario:
    """It goes on when this says so, and until then nobody is to wait for it."""

    def scenario(stage: Stage) -> None:
        stage.begin(journal_timeout_ms=IMPATIENT_MS)
        stage.faults.set(f"{operation} hang")
        stuck = jf.submitted(stage.client, pbk.BOOK, stage.request("stuck"))
        stage.check(wait_until(lambda: stage.faults.met > 0), "no fault was met")
        search = jf.submitted(stage.client, pbk.SEARCH, search_request())
        first = jf.next_done(stage.client)
        stage.check(first.ticket == search and first.status == jf.OK, "the search was not the first to end:", first)
        done = jf.next_done(stage.client)
        stage.check(done.ticket == stuck, "another end:", done)
        expect_stuck(stage, stage.note("stuck", jf.answer_of(done)))
        stage.expect_trouble("behind", stage.book("behind"))
        cancel_behind(stage)
        overdue = stage.book("overdue", timeout_ms=IMPATIENT_MS // 3)
        if stage.required:
            stage.check(overdue.code in ("timeout", "journal_unavailable"), "overdue in the trouble:", overdue)
        stage.check_pending("while it hangs:", jf.pending(stage.client))
        stage.check_sandbox()
        stage.search()
        stage.faults.clear()
        end_of_hang(stage)

    return scenario


def expect_stuck(stage: Stage, answer: jf.Answer) -> None:
    """The record is inside of a write that hangs: nobody knows what of it will be on the disk."""
    if stage.required:
        told = (answer.status, answer.code)
        stage.check(told == (jf.JOURNAL_UNAVAILABLE, "journal_unavailable"), "stuck in the trouble:", answer)
        stage.check(answer.outcome in ("unknown", "not_sent"), "stuck in the trouble:", answer)
    else:
        stage.expect_trouble("stuck", answer)


def cancel_behind(stage: Stage) -> None:
    ticket = jf.submitted(stage.client, pbk.BOOK, stage.request("cancelled"))
    stage.client.cancel(ticket)
    done = jf.next_done(stage.client)
    answer = stage.note("cancelled", jf.answer_of(done))
    stage.check(answer.code == "cancelled" and answer.outcome == "not_sent", "cancelled in the trouble:", answer)


def end_of_hang(stage: Stage) -> None:
    """What was in doubt because of it can be repeated."""
    stage.expect_made("on-again", stage.book("on-again"))
    for key in ("stuck", "overdue"):
        answer = stage.book(key)
        stage.check(answer.status == jf.OK, key, "repeated after the trouble:", answer)
    stage.end()


def ends_inside(how: str) -> Scenario:
    """A booking is given up while its record is inside of a write that hangs: it is in the file, and may stay there."""

    def scenario(stage: Stage) -> None:
        stage.can_be_left = True
        stage.begin(journal_timeout_ms=60_000)
        stage.faults.set("sync hang")
        limit = {"timeout_ms": IMPATIENT_MS} if how == "timeout" else {}
        ticket = jf.submitted(stage.client, pbk.BOOK, stage.request("inside", **limit))
        stage.check(wait_until(lambda: stage.faults.met > 0), "no fault was met")
        if how == "cancelled":
            stage.client.cancel(ticket)
        answer = stage.note("inside", jf.answer_of(jf.next_done(stage.client)))
        stage.check(answer.code == how, "given up in the trouble:", answer)
        stage.check_crash("killed while it hangs:", is_clean=False)
        stage.check_sandbox()
        stage.faults.clear()
        stage.end()

    return scenario


def hangs_while_compacting(stage: Stage) -> None:
    """The journal is busy with itself. A booking that comes then was never near the disk."""
    stage.begin(journal_timeout_ms=IMPATIENT_MS)
    stage.faults.set("sync hang")
    stage.check(wait_until(lambda: stage.faults.met > 0), "no fault was met")
    stage.search()
    stage.expect_trouble("behind", stage.book("behind"))
    stage.check_crash("killed while it is compacted:", is_clean=True)
    stage.faults.clear()
    stage.end()


def opened_again_while_it_hangs(stage: Stage) -> None:
    """The first client is closed, but its journal is not yet: the next one has to wait, and gets all of it."""
    stage.begin(journal_timeout_ms=60_000)
    stage.faults.set("sync hang")
    jf.submitted(stage.client, pbk.BOOK, stage.request("inside"))
    stage.check(wait_until(lambda: stage.faults.met > 0), "no fault was met")
    stage.client.close(100)
    stage.note("inside", jf.answer_of(jf.next_done(stage.client)))
    expect_locked(stage, "while the journal of a closed client hangs")
    stage.faults.clear()
    stage.check(wait_until(lambda: is_free(stage)), "the journal never gets free")
    stage.reopen()


def slow_but_in_time(stage: Stage) -> None:
    """A booking waits for the disk as long as it may, and nothing else waits with it."""
    stage.begin(journal_timeout_ms=60_000)
    stage.faults.set("sync hang")
    slow = jf.submitted(stage.client, pbk.BOOK, stage.request("slow"))
    stage.check(wait_until(lambda: stage.faults.met > 0), "no fault was met")
    for _ in range(20):
        search = jf.submitted(stage.client, pbk.SEARCH, search_request())
        done = jf.next_done(stage.client)
        stage.check(done.ticket == search, "the search was not the first to end:", done)
    child = os.fork()  # which does not wait for the disk either
    if child == 0:
        os._exit(0)
    stage.check(os.waitpid(child, 0)[1] == 0, "a child of a fork ended badly")
    stage.check_sandbox()
    listed = [entry["idempotency_key"] for entry in jf.sandbox_bookings(stage.client)]
    stage.check("slow" not in listed, "sent before it was on the disk")
    stage.faults.clear()
    done = jf.next_done(stage.client)
    stage.check(done.ticket == slow, "another end:", done)
    stage.expect_made("slow", stage.note("slow", jf.answer_of(done)))
    stage.end()


def ended_while_it_hangs(how: str) -> Scenario:
    """Closing and exit do not wait for the disk. It hangs on, so another process is the one that ends."""
    return lambda stage: end_another(stage, how)


def end_another(stage: Stage, how: str) -> None:
    command = [sys.executable, __file__, str(stage.folder), str(int(stage.required)), how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            output, _ = process.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            output = ""
    stage.check(output != "", "closing or exit waited for the disk")
    stage.check(process.returncode == 0, "the process ended with", process.returncode)
    stage.faults.clear()
    if output:
        stage.told |= json.loads(output)
        stage.reopen()


def end_hanging(folder: Path, required: bool, how: str) -> None:
    """In another process."""
    stage = Stage(folder, required)
    stage.begin(journal_timeout_ms=60_000)
    stage.faults.set("sync hang")
    for key in ("stuck", "behind"):
        jf.submitted(stage.client, pbk.BOOK, stage.request(key))
        assert wait_until(lambda: stage.faults.met > 0)
    if how == "close":
        stage.client.close(300)
        for _ in range(2):
            answer = jf.answer_of(jf.next_done(stage.client))
            stage.note(answer.error["idempotency_key"], answer)
    else:
        stage.told |= {"stuck": "unknown", "behind": "unknown"}
    assert not stage.violations, stage.violations
    print(json.dumps(stage.told))


SCENARIOS: dict[str, Scenario] = {
    "sync_hangs": hangs("sync"),
    "write_hangs": hangs("write"),
    "slow_but_in_time": slow_but_in_time,
    "cancelled_while_it_hangs": ends_inside("cancelled"),
    "overdue_while_it_hangs": ends_inside("timeout"),
    "hangs_while_compacting": hangs_while_compacting,
    "closed_while_it_hangs": ended_while_it_hangs("close"),
    "exit_while_it_hangs": ended_while_it_hangs("exit"),
    "opened_again_while_it_hangs": opened_again_while_it_hangs,
}

if __name__ == "__main__":
    _, folder, required, how = sys.argv
    end_hanging(Path(folder), required == "1", how)
