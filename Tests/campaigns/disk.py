#!/usr/bin/env python3
"""A disk that fills up, fails, hangs or vanishes under the journal, and a journal that two want at once.

    python Tests/campaigns/disk.py [SCENARIO ...]

Each scenario runs in a process of its own, once with `journal_required` and once without, on a client of the embedded
sandbox. Faults come from `Tests/c/disk_faults.c`, loaded ahead of libc, and where mounting is permitted from a small
tmpfs. In every scenario:

- during the trouble a booking ends as promised: `journal_unavailable` and `not_sent`, or sent with `"journaled":false`
- a search on the same client is not kept waiting by it
- what was told `not_sent` was not sent: it is neither on the sandbox's list nor pending, not even had the process been
  killed in the middle of it (a copy of the file as it was then is opened)
- an earlier booking in doubt is never lost
- when the trouble is over the next booking succeeds, every booking is on the sandbox's list once, and the journal opens
  again without damage, holding what it should

Prints counts and ends with 1 when anything was violated. Read from the environment:

    DISK_ROUNDS      how often each scenario is run (1)
    DISK_WORKERS     processes at once; most of them wait (4)
    CC               the compiler (cc)
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import journal_file as jf
import pbk
from disk_stage import Faults, NotPermitted, Stage, mount, mount_tmpfs, wait_until
from samples import search_request

ROUNDS = int(os.environ.get("DISK_ROUNDS", "1"))
WORKERS = int(os.environ.get("DISK_WORKERS", "4"))
FAULTS_SOURCE = jf.ROOT / "Tests" / "c" / "disk_faults.c"
API_KEY = "sk_ptnr_disk0123456789abcdef"
SCENARIO_SECONDS = 40
SHOWN = 20

IMPATIENT_MS = 300
"""`journal_timeout_ms` where the disk hangs: until somebody lets it go on."""

COMPACTION_SECONDS = 1.3
"""A journal that is idle for so long is compacted."""

FORKS = 60
"""Children that are made, one after the other, while the journal is opened and closed."""

MS_RDONLY, MS_REMOUNT = 1, 32


Scenario = Callable[[Stage], None]


# ---- Trouble that makes writing fail ----


def through(
    stage: Stage,
    start: Callable[[], object],
    stop: Callable[[], object],
    *,
    is_there: bool = True,
    repeats_doubt: bool = False,
) -> None:
    """Books before, during and after. `is_there`: the journal can be read under its path during the trouble."""
    stage.begin()
    start()
    stage.search()
    stage.expect_trouble("alone", stage.book("alone"))
    together = [f"together-{number}" for number in range(4)]
    for key, answer in zip(together, stage.book_all(together)):
        stage.expect_trouble(key, answer)
    if stage.required:
        stage.expect_trouble("alone", stage.book("alone"))
    if repeats_doubt:
        stage.book("doubt")
    stage.search()
    stage.check_sandbox()
    if is_there:
        stage.check_crash("killed in the trouble:", is_clean=False)
    stop()
    stage.end()


def with_faults(*lines: str, can_be_left: bool = False, repeats_doubt: bool = False) -> Scenario:
    def scenario(stage: Stage) -> None:
        stage.can_be_left = can_be_left
        through(stage, lambda: stage.faults.set(*lines), stage.faults.clear, repeats_doubt=repeats_doubt)
        stage.check(stage.faults.met > 0, "no fault was met")

    return scenario


def full_in_the_middle(stage: Stage) -> None:
    """What is left of the room takes a piece of the record, and no more."""

    def start() -> None:
        stage.faults.set(f"write room {stage.path.stat().st_size + 100}")

    through(stage, start, stage.faults.clear)
    stage.check(stage.faults.met > 0, "no fault was met")


def short_writes(stage: Stage) -> None:
    """No trouble at all, for who writes the rest."""
    stage.begin()
    stage.faults.set("write short")
    for key in ("short-1", "short-2"):
        stage.expect_made(key, stage.book(key))
    stage.faults.clear()
    stage.check(stage.faults.met > 0, "no fault was met")
    stage.end()


def fails_while_idle(*lines: str) -> Scenario:
    """The compaction meets the fault. Bookings in the meantime may be refused or not, but nothing gets lost."""

    def scenario(stage: Stage) -> None:
        stage.begin()
        stage.faults.set(*lines)
        stage.check(wait_until(lambda: stage.faults.met > 0), "no fault was met")
        stage.check_crash("killed when it was not compacted:", is_clean=True)
        answer = stage.book("meanwhile")
        if answer.status != jf.OK:
            stage.expect_trouble("meanwhile", answer)
        stage.search()
        stage.faults.clear()
        stage.end()

    return scenario


def full_tmpfs(stage: Stage) -> None:
    """A file system of 64 KiB, and a file that fills it up."""
    mount_tmpfs(stage.path.parent, "size=64k")
    filler = stage.path.parent / "filler"

    def start() -> None:
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(512))
        for number in range(40):  # the last page of the journal has room for some more
            answer = stage.book(f"filling-{number}")
            if answer.timing.get("journaled") is False or answer.status != jf.OK:
                stage.expect_trouble(f"filling-{number}", answer)
                return
        stage.check(False, "the file system does not fill up")

    through(stage, start, filler.unlink)


def read_only_mount(stage: Stage) -> None:
    """The file system is read-only when the journal is opened."""
    mount_tmpfs(stage.path.parent, "size=1m")
    leave_in_doubt(stage)
    mount("none", stage.path.parent, "", MS_REMOUNT | MS_RDONLY, "")
    open_in_trouble(stage)
    mount("none", stage.path.parent, "", MS_REMOUNT, "")
    stage.reopen()


# ---- Trouble with the path ----


def deleted(stage: Stage) -> None:
    """No trouble: the journal is written anew, with what is in doubt."""
    stage.begin()
    old = stage.path.stat().st_ino
    stage.path.unlink()
    stage.expect_made("anew", stage.book("anew"))
    stage.check(stage.path.exists() and stage.path.stat().st_ino != old, "the journal was not written anew")
    stage.check_crash("killed after it was deleted:", is_clean=True)
    expect_locked(stage, "after it was written anew")
    stage.end()


def replaced(stage: Stage) -> None:
    stranger = b"somebody's own file\n"

    def start() -> None:
        other = stage.folder / "other"
        other.write_bytes(stranger)
        other.rename(stage.path)

    def stop() -> None:
        stage.check(stage.path.read_bytes() == stranger, "the file of somebody else was written to")
        stage.path.unlink()

    through(stage, start, stop, is_there=False)


def replaced_by_journal(stage: Stage) -> None:
    """By a copy of itself, as a restored backup: its lock is not ours, so neither is the file."""
    kept: list[bytes] = []

    def start() -> None:
        kept.append(stage.path.read_bytes())
        other = stage.folder / "other"
        other.write_bytes(kept[0])
        other.rename(stage.path)

    def stop() -> None:
        stage.check(stage.path.read_bytes() == kept[0], "a file that is not ours was written to")
        stage.path.unlink()

    through(stage, start, stop)


def taken_over(stage: Stage) -> None:
    """By another client, which after the deletion found no journal and made its own."""
    others: list[pbk.Client] = []

    def start() -> None:
        stage.path.unlink()
        others.append(pbk.Client(stage.config(stage.path)))
        answer = jf.book(others[0], stage.request("other"))
        stage.check(answer.status == jf.OK, "the other client's booking:", answer)

    def stop() -> None:
        stage.check(others[0].close() == jf.OK, "the other client does not close")
        settled = set(jf.read(stage.path.read_bytes()).settled)
        stage.check(settled == {"other"}, "in the other client's journal:", settled)
        stage.path.unlink()

    through(stage, start, stop, is_there=False)


def directory_removed(stage: Stage) -> None:
    through(stage, lambda: shutil.rmtree(stage.path.parent), stage.path.parent.mkdir, is_there=False)


def directory_moved(stage: Stage) -> None:
    away = stage.folder / "away"

    def stop() -> None:
        away.rename(stage.path.parent)

    through(stage, lambda: stage.path.parent.rename(away), stop, is_there=False)


# ---- Trouble while a booking is under way ----


def end_cannot_be_written(*lines: str) -> Scenario:
    """The disk fails after the intent was recorded: the caller is told of the booking all the same."""

    def scenario(stage: Stage) -> None:
        stage.begin(latency_ms=150)
        ticket = jf.submitted(stage.client, pbk.BOOK, stage.request("made"))
        stage.check(wait_until(lambda: is_recorded(stage, "made")), "no intent")
        stage.faults.set(*lines)
        done = jf.next_done(stage.client)
        stage.check(done.ticket == ticket, "the end of another call:", done)
        stage.expect_made("made", stage.note("made", jf.answer_of(done)))
        again = stage.book("made")
        stage.check(again.timing.get("replayed") is True, "is not replayed in the same process:", again)
        stage.check_crash("killed before the end was written:", is_clean=False)
        time.sleep(COMPACTION_SECONDS)
        stage.search()
        stage.faults.clear()
        stage.check(stage.faults.met > 0, "no fault was met")
        stage.end()

    return scenario


def is_recorded(stage: Stage, key: str) -> bool:
    return key in jf.read(stage.path.read_bytes()).pending


@contextlib.contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on loopback whose every connection is served, and then closed. Gives the port."""

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]


def void_cannot_be_written(stage: Stage) -> None:
    """The handshake fails, so nothing was sent; at the same moment the disk fails, so that cannot be written down."""

    def serve(connection: socket.socket) -> None:
        stage.faults.set("sync errno 5", "write errno 5", "truncate errno 5")

    with listener(serve) as port:
        end_without_booking(stage, f"https://127.0.0.1:{port}")


def void_cannot_be_synced(stage: Stage) -> None:
    """As above, but only the wait for the disk fails."""
    with listener(lambda _: stage.faults.set("sync errno 5")) as port:
        end_without_booking(stage, f"https://127.0.0.1:{port}")


def void_hangs(stage: Stage) -> None:
    """As above, but the disk hangs: the caller is told all the same, and not before it is true."""
    with listener(lambda _: stage.faults.set("sync hang")) as port:
        end_without_booking(stage, f"https://127.0.0.1:{port}")


def refusal_cannot_be_written(stage: Stage) -> None:
    """The service says no while the disk fails."""
    body = b'{"error":{"code":"invalid_payload","message":"no"}}'
    head = f"HTTP/1.1 422 No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"

    def serve(connection: socket.socket) -> None:
        request = b""
        while not request.endswith(b"}}"):
            request += connection.recv(65536)
        stage.faults.set("sync errno 5", "write errno 5", "truncate errno 5")
        connection.sendall(head.encode() + body)

    with listener(serve) as port:
        end_without_booking(stage, f"http://127.0.0.1:{port}")


def end_without_booking(stage: Stage, url: str) -> None:
    """Whatever is told, it holds if the process is killed then, and if it goes on."""
    config = stage.config(stage.path)
    for name in ("endpoint", "sandbox"):
        del config[name]
    stage.path.parent.mkdir()
    client = pbk.Client({**config, "api_key": API_KEY, "base_url": url, "timeout_ms": 20_000})
    answer = stage.note("tried", jf.book(client, stage.request("tried")))
    stage.check(answer.status != jf.OK, "booked by nobody:", answer)
    stage.check(stage.faults.met > 0, "no fault was met")
    copy = stage.folder / "crash"
    copy.write_bytes(stage.path.read_bytes())
    stage.faults.clear()
    client.close()
    for path, where in ((copy, "killed when it was told:"), (stage.path, "opened again:")):
        with pbk.Client({**config, "api_key": API_KEY, "base_url": url, "journal_path": str(path)}) as again:
            keys = {entry["idempotency_key"] for entry in jf.pending(again)["pending_bookings"]}
        stage.check(not keys & stage.not_sent, where, "told not_sent, and pending:", keys, answer)
        stage.counts["told rejected or not_sent, and pending"] += bool(keys) and answer.outcome != "unknown"


# ---- A disk that hangs ----


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
        listed = {entry["idempotency_key"] for entry in jf.pending(stage.client)["pending_bookings"]}
        stage.check_pending("while it hangs:", listed)
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
    command = [sys.executable, __file__, "--end-hanging", str(stage.folder), str(int(stage.required)), how]
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


# ---- Opening in trouble ----


def leave_in_doubt(stage: Stage) -> None:
    """An earlier client has left a booking in doubt."""
    stage.begin()
    stage.client.close()


def open_in_trouble(stage: Stage) -> None:
    """It may be refused as the journal's trouble, or give a client whose bookings end as promised."""
    try:
        client = stage.open()
    except pbk.OpenError as error:
        found = json.loads(error.reply)["error"]
        stage.check(found["code"] == "journal_unavailable", "opened in the trouble:", found)
        stage.counts["open refused"] += 1
        return
    stage.counts["open accepted"] += 1
    with client:
        answer = stage.book("opened")
        if answer.status != jf.OK or answer.timing.get("journaled") is False:
            stage.expect_trouble("opened", answer)


def opened_with(*lines: str) -> Scenario:
    def scenario(stage: Stage) -> None:
        leave_in_doubt(stage)
        stage.faults.set(*lines)
        open_in_trouble(stage)
        stage.faults.clear()
        stage.reopen()

    return scenario


def opened_damaged_without_links(stage: Stage) -> None:
    """A damaged journal on a file system that has no hard links: what was found stays all the same."""
    leave_in_doubt(stage)
    found = bytearray(stage.path.read_bytes())
    found[30] ^= 1  # in the first line, and intact ones follow
    stage.path.write_bytes(found)
    stage.faults.set(f"link errno {errno.EPERM}")
    try:
        with stage.open() as client:
            report = jf.pending(client)["journal"]
        stage.check(report["damaged_bytes"] > 0, "the damage is not told:", report)
    except pbk.OpenError:
        stage.counts["open refused"] += 1
    kept = [file for file in stage.path.parent.iterdir() if file.read_bytes() == found]
    stage.check(kept != [], "the damaged file is not kept")
    stage.faults.clear()


def opened_without_directory(stage: Stage) -> None:
    stage.path.parent.mkdir()
    away = stage.folder / "away"
    leave_in_doubt(stage)
    stage.path.parent.rename(away)
    try:
        pbk.Client(stage.config(stage.path)).close()
        stage.counts["open accepted"] += 1
    except pbk.OpenError as error:
        found = json.loads(error.reply)["error"]
        stage.check(found["code"] in ("journal_unavailable", "invalid_config"), "without a directory:", found)
        stage.counts["open refused"] += 1
    away.rename(stage.path.parent)
    stage.reopen()


# ---- Two that want the same journal ----


def expect_locked(stage: Stage, where: str, path: Path | None = None) -> None:
    try:
        pbk.Client(stage.config(path or stage.path)).close()
        stage.check(False, where, "a second client opens the journal")
    except pbk.OpenError as error:
        code = json.loads(error.reply)["error"]["code"]
        stage.check(code == "journal_locked", where, "a second client is told", code)


def is_free(stage: Stage) -> bool:
    try:
        pbk.Client(stage.config(stage.path)).close()
    except pbk.OpenError:
        return False
    return True


def locked_in_one_process(stage: Stage) -> None:
    stage.begin()
    expect_locked(stage, "in the same process")
    for name in ("symbolic", "hard"):
        link = stage.folder / name
        link.symlink_to(stage.path) if name == "symbolic" else link.hardlink_to(stage.path)
        with contextlib.suppress(pbk.OpenError):
            pbk.Client(stage.config(link)).close()
            stage.check(False, f"a second client opens the journal by a {name} link")
        link.unlink()
    stage.expect_made("still", stage.book("still"))
    before, until = stage.path.stat().st_ino, time.monotonic() + COMPACTION_SECONDS
    while time.monotonic() < until:
        expect_locked(stage, "while it is compacted")
        time.sleep(0.001)
    stage.check(stage.path.stat().st_ino != before, "it was not compacted")
    stage.end()


@contextlib.contextmanager
def owner(stage: Stage, how: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Another process that has the journal open. Gives what it printed then."""
    command = [sys.executable, __file__, "--own", str(stage.folder), how]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdin is not None
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def own(folder: Path, how: str) -> None:
    """In another process: opens the journal, makes a booking whose reply is lost, and waits to be ended."""
    stage = Stage(folder, required=True)
    stage.begin()
    left = 0
    if how == "forks":
        left = os.fork()
        if left == 0:
            live_on()
    if how == "execs":
        left = subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL).pid
    print(json.dumps({"child": left}), flush=True)
    sys.stdin.read()
    if how == "closes":
        stage.client.close()
    os._exit(0)


def live_on() -> None:
    """A child of a fork that goes its own way, as a server's worker does."""
    for number in (0, 1):
        os.close(number)
    signal.alarm(60)
    signal.pause()
    os._exit(0)


def locked_by_another_process(stage: Stage) -> None:
    stage.path.parent.mkdir()
    with owner(stage, "closes") as (process, _):
        expect_locked(stage, "in another process")
        time.sleep(COMPACTION_SECONDS)
        expect_locked(stage, "after the owner has compacted it")
        process.communicate()
    stage.check(process.returncode == 0, "the owner ended with", process.returncode)
    stage.told |= {"before": "booked", "doubt": "unknown"}
    for key in ("before", "doubt"):
        stage.request(key)
    stage.reopen()


def freed_by(how: str, is_killed: bool) -> Scenario:
    """The owner is gone. A child of its own that lives on must not keep the lock."""

    def scenario(stage: Stage) -> None:
        stage.path.parent.mkdir()
        child = 0
        try:
            with owner(stage, how) as (process, left):
                child = left["child"]
                expect_locked(stage, "while its owner lives")
                if is_killed:
                    process.kill()
                    process.wait()
                else:
                    process.communicate()
                if child:
                    stage.check(is_alive(child), "the child of the owner is gone, so this proves nothing")
                # A child that has just been born may be about to let go of it.
                stage.check(wait_until(lambda: is_free(stage)), "the journal is not free after its owner is gone")
            stage.told |= {"before": "booked", "doubt": "unknown"}
            for key in ("before", "doubt"):
                stage.request(key)
            stage.reopen()
        finally:
            if child:
                os.kill(child, signal.SIGKILL)

    return scenario


def forked_while_it_opens(stage: Stage) -> None:
    """A child is made when the lock is had, and nothing else is done yet."""
    stage.begin()
    stage.client.close()
    stage.faults.set("lock slow 300")
    with ThreadPoolExecutor(1) as thread:
        opened = thread.submit(pbk.Client, stage.config(stage.path))
        with born_in_between(stage):
            opened.result().close()


def forked_while_it_compacts(stage: Stage) -> None:
    """A child is made when the new file is open, and nothing else is done yet."""
    stage.begin()
    old = stage.path.stat().st_ino
    stage.faults.set("opened slow 300")
    with born_in_between(stage):
        stage.check(wait_until(lambda: stage.path.stat().st_ino != old), "it is not compacted")
        stage.client.close()


@contextlib.contextmanager
def born_in_between(stage: Stage) -> Iterator[None]:
    """A child that is made at the fault and lives on must not keep the lock that its parent then lets go of."""
    stage.check(wait_until(lambda: stage.faults.met > 0), "no fault was met")
    child = os.fork()
    if child == 0:
        live_on()
    try:
        stage.faults.clear()
        yield
        stage.check(is_alive(child), "the child is gone, so this proves nothing")
        stage.check(wait_until(lambda: is_free(stage)), "a child that lives on keeps the journal locked")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    stage.reopen()


def forks_while_it_opens(stage: Stage) -> None:
    """A child may be made at any moment of the opening. For as long as it takes to be born it may have the lock."""
    stage.begin()
    stage.client.close()
    over = threading.Event()
    lost: list[bytes] = []

    def open_and_close() -> None:
        while not over.is_set():
            if stage.counts["openings beside a fork"] % 4 == 0:
                with stage.path.open("ab") as file:
                    file.write(b"torn")  # so that it is written anew
            stage.counts["openings beside a fork"] += 1
            if not is_free(stage):
                stage.counts["openings that found the lock with a newborn child"] += 1
                if not wait_until(lambda: is_free(stage)):
                    lost.append(stage.path.read_bytes())
                    return

    thread = threading.Thread(target=open_and_close)
    thread.start()
    children = []
    try:
        for _ in range(FORKS):
            children.append(os.fork())
            if children[-1] == 0:
                live_on()
            time.sleep(0.003)
    finally:
        over.set()
        thread.join()
        stage.check(all(map(is_alive, children)), "children are gone, so this proves nothing")
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    stage.check(lost == [], "a child that lives on keeps the journal locked")
    stage.reopen()


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


# ---- The campaign ----

EIO, ENOSPC, EROFS = errno.EIO, errno.ENOSPC, errno.EROFS
READ_ONLY = [f"{operation} errno {EROFS}" for operation in ("open", "write", "truncate", "rename")]
BROKEN = [f"{operation} errno {EIO}" for operation in ("open", "write", "truncate", "rename", "sync", "syncdir")]

SCENARIOS: dict[str, Scenario] = {
    "full": with_faults(f"write errno {ENOSPC}"),
    "full_in_the_middle": full_in_the_middle,
    "full_tmpfs": full_tmpfs,
    "full_and_doubt_repeated": with_faults(f"write errno {ENOSPC}", repeats_doubt=True),
    "sync_fails_and_doubt_repeated": with_faults(f"sync errno {EIO}", repeats_doubt=True),
    "short_writes": short_writes,
    "read_only": with_faults(*READ_ONLY),
    "read_only_mount": read_only_mount,
    "write_fails": with_faults(f"write errno {EIO}"),
    "sync_fails": with_faults(f"sync errno {EIO}"),
    "sync_and_truncate_fail": with_faults(f"sync errno {EIO}", f"truncate errno {EIO}", can_be_left=True),
    "everything_fails": with_faults(*BROKEN, can_be_left=True),
    "rename_fails_while_idle": fails_while_idle(f"rename errno {EIO}"),
    "directory_sync_fails_while_idle": fails_while_idle(f"syncdir errno {EIO}"),
    "full_while_idle": fails_while_idle(f"write errno {ENOSPC}", f"open errno {ENOSPC}"),
    "sync_fails_while_idle": fails_while_idle(f"sync errno {EIO}"),
    "deleted": deleted,
    "replaced": replaced,
    "replaced_by_journal": replaced_by_journal,
    "taken_over": taken_over,
    "directory_removed": directory_removed,
    "directory_moved": directory_moved,
    "end_not_written": end_cannot_be_written(f"write errno {EIO}"),
    "end_not_synced": end_cannot_be_written(f"sync errno {EIO}"),
    "void_not_written": void_cannot_be_written,
    "void_not_synced": void_cannot_be_synced,
    "void_hangs": void_hangs,
    "refusal_not_written": refusal_cannot_be_written,
    "sync_hangs": hangs("sync"),
    "write_hangs": hangs("write"),
    "slow_but_in_time": slow_but_in_time,
    "cancelled_while_it_hangs": ends_inside("cancelled"),
    "overdue_while_it_hangs": ends_inside("timeout"),
    "hangs_while_compacting": hangs_while_compacting,
    "closed_while_it_hangs": ended_while_it_hangs("close"),
    "exit_while_it_hangs": ended_while_it_hangs("exit"),
    "opened_again_while_it_hangs": opened_again_while_it_hangs,
    "opened_read_only": opened_with(*READ_ONLY),
    "opened_full": opened_with(f"write errno {ENOSPC}"),
    "opened_without_directory": opened_without_directory,
    "opened_damaged_without_links": opened_damaged_without_links,
    "locked_in_one_process": locked_in_one_process,
    "locked_by_another_process": locked_by_another_process,
    "freed_by_exit": freed_by("exits", is_killed=False),
    "freed_by_kill": freed_by("exits", is_killed=True),
    "freed_though_a_fork_lives": freed_by("forks", is_killed=False),
    "freed_by_kill_though_a_fork_lives": freed_by("forks", is_killed=True),
    "freed_though_a_program_lives": freed_by("execs", is_killed=True),
    "freed_though_forked_while_it_opens": forked_while_it_opens,
    "freed_though_forked_while_it_compacts": forked_while_it_compacts,
    "freed_while_forks_are_made": forks_while_it_opens,
}
ONCE = {name for name in SCENARIOS if name.startswith(("locked", "freed"))}
"""Where `journal_required` makes no difference."""


@dataclass
class Result:
    """What a scenario's process has told."""

    name: str
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    is_skipped: bool = False


def play(name: str, folder: Path, required: bool) -> None:
    """In the scenario's own process. What was found so far counts even if it ends in the middle."""
    stage = Stage(folder, required)
    is_skipped = False
    try:
        SCENARIOS[name](stage)
    except NotPermitted:
        is_skipped = True
    except Exception as error:
        stage.violations.append(f"ended in the middle: {type(error).__name__}: {error}")
    stage.counts["faults met"] = stage.faults.met
    violations = [violation.replace(f"{folder}/", "") for violation in stage.violations]
    print(json.dumps({"counts": stage.counts, "violations": violations, "is_skipped": is_skipped}), flush=True)
    os._exit(0)


def run(name: str, required: bool, library: Path, folder: Path) -> Result:
    folder.mkdir()
    command = [sys.executable, __file__, "--play", name, str(folder), str(int(required))]
    environment = {**os.environ, **Faults.environment(library, folder, Stage.journal_in(folder))}
    result = Result(f"{name} ({'required' if required else 'optional'})")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            output, _ = process.communicate(timeout=SCENARIO_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            result.violations.append(f"not over after {SCENARIO_SECONDS} s")
    if output:
        told = json.loads(output)
        result.counts, result.is_skipped = Counter(told["counts"]), told["is_skipped"]
        result.violations += told["violations"]
    elif not result.violations:
        result.violations.append(f"the process ended with {process.returncode} and told nothing")
    return result


def compile_faults(folder: Path) -> Path:
    library = folder / "disk_faults.so"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    options = ["-std=c11", "-O2", "-Wall", "-Wextra", "-pedantic", "-Werror", "-shared", "-fPIC"]
    subprocess.run([*compiler, *options, "-o", str(library), str(FAULTS_SOURCE)], check=True)
    return library


def main(names: list[str]) -> int:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pbk-disk-") as temporary:
        root = Path(temporary).resolve()
        library = compile_faults(root)
        turns = [(name, required) for name in names for required in (True, False) if required or name not in ONCE]
        with ThreadPoolExecutor(WORKERS) as pool:
            started = [
                pool.submit(run, name, required, library, root / f"{number}-{name}")
                for number, (name, required) in enumerate(turns * ROUNDS)
            ]
            results = [each.result() for each in started]
    return print_results(results, time.monotonic() - begun)


def print_results(results: list[Result], seconds: float) -> int:
    counts = sum((result.counts for result in results), Counter())
    violations = [f"{result.name}: {violation}" for result in results for violation in result.violations]
    skipped = sorted({result.name for result in results if result.is_skipped})
    told = ", ".join(f"{counts[what]} {what}" for what in sorted(counts) if what not in ("checks", "faults met"))
    print(f"scenarios {len(results) - len(skipped)} run, {len(skipped)} skipped {' '.join(skipped)}".rstrip())
    print(f"found     {counts['faults met']} faults met, {told}")
    print(f"violated  {len(violations)} of {counts['checks']} checks in {seconds:.0f} s")
    for violation, count in list(Counter(violations).items())[:SHOWN]:
        print(f"  {violation}" + (f" ({count} times)" if count > 1 else ""))
    return 1 if violations else 0


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--play", name, folder, required]:
            play(name, Path(folder), required == "1")
        case ["--own", folder, how]:
            own(Path(folder), how)
        case ["--end-hanging", folder, required, how]:
            end_hanging(Path(folder), required == "1", how)
        case names if set(names) <= set(SCENARIOS):
            sys.exit(main(names or list(SCENARIOS)))
        case names:
            sys.exit(f"no such scenario: {', '.join(sorted(set(names) - set(SCENARIOS)))}")
