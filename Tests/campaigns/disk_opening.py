"""A journal that is opened in trouble: scenarios of `disk.py`."""

from __future__ import annotations

import errno
import json

import journal_file as jf
import pbk
from disk_stage import Scenario, Stage

ENOSPC, EROFS = errno.ENOSPC, errno.EROFS
READ_ONLY = [f"{operation} errno {EROFS}" for operation in ("open", "write", "truncate", "rename")]


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


SCENARIOS: dict[str, Scenario] = {
    "opened_read_only": opened_with(*READ_ONLY),
    "opened_full": opened_with(f"write errno {ENOSPC}"),
    "opened_without_directory": opened_without_directory,
    "opened_damaged_without_links": opened_damaged_without_links,
}
