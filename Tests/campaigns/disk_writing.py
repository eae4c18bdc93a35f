"""A disk to which writing fails, and a journal that vanishes from its path: scenarios of `disk.py`."""

from __future__ import annotations

import contextlib
import errno
import shutil
from collections.abc import Callable

import journal_file as jf
import pbk
from disk_locks import expect_locked
from disk_opening import READ_ONLY, leave_in_doubt, open_in_trouble
from disk_stage import Scenario, Stage, mount, mount_tmpfs, wait_until

EIO, ENOSPC = errno.EIO, errno.ENOSPC
BROKEN = [f"{operation} errno {EIO}" for operation in ("open", "write", "truncate", "rename", "sync", "syncdir")]

MS_RDONLY, MS_REMOUNT = 1, 32


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
}
