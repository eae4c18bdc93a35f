"""Two that want the same journal: scenarios of `disk.py`. As a program it is another process that has it open."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import journal_file  # noqa: F401  # which says where pbk is
import pbk
from disk_stage import COMPACTION_SECONDS, Scenario, Stage, wait_until

FORKS = 60
"""Children that are made, one after the other, while the journal is opened and closed."""


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
    command = [sys.executable, __file__, str(stage.folder), how]
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


SCENARIOS: dict[str, Scenario] = {
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

if __name__ == "__main__":
    _, folder, how = sys.argv
    own(Path(folder), how)
