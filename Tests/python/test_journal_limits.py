"""Limits of the journal: its size, the process's limit for files, what it keeps, and what an entry
costs."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pbk
import pytest
from contract import failure, success
from fault_server import answer
from header import ROOT, STATUS
from ledger import AT_ONCE, BOOKED, FAILED, FIRST, REFUSED, resume, states, with_journal
from pbk import LIBRARY
from programs import run_program
from samples import ONCE, booking_request
from services import config_for

# RLIMIT_FSIZE: Python ignores SIGXFSZ, a C host does not

LIMITED = """
import json, resource, signal, sys
import pbk, samples
from header import STATUS
limit = int(sys.argv[2])
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
config = samples.SANDBOX | {"journal_path": sys.argv[1]}
with pbk.Client(config) as client:
    result = client.book(samples.booking_request(key="k"))
    error = json.loads(result.reply).get("error", {})
    assert result.status == STATUS["JOURNAL_UNAVAILABLE"], (result, error)
    assert "File too large" in error["message"] and error["outcome"] == "not_sent", error
assert not signal.sigpending()
"""


@pytest.mark.parametrize("limit", [0, 10, 100, 300])
def test_limit_for_files_ends_no_process(tmp_path, limit):
    done = run_program(LIMITED, tmp_path / "journal", limit)
    assert done.returncode == 0, done.stderr


def test_limit_for_files_at_an_opening_that_writes_again(tmp_path):
    """On the caller's thread: the old file stays as it was."""
    journal = tmp_path / "journal"
    write_journal(journal, 3)
    before = journal.read_bytes() + line({"type": "given_up", "key": "k1", "at": 0, "clock": 9})
    journal.write_bytes(before)
    done = run_program(LIMITED, journal, 600)
    assert done.returncode == 0, done.stderr
    assert journal.read_bytes() == before


# journal_max_bytes


def test_full_journal_refuses_new_bookings(start_faults, open_client, tmp_path):
    """Those in doubt stay, and end as ever."""
    server = start_faults(*[answer(FAILED)] * 300)
    config = with_journal(config_for(server), tmp_path, journal_max_bytes=1_048_576, settle_for_ms=0, retry=ONCE)
    config["circuit_breaker"] = {"failures": 0}
    with open_client(config) as client:
        ends = {f"k{number}": client.book(large(f"k{number}")) for number in range(300)}
        full = {key for key, end in ends.items() if end.status == STATUS["JOURNAL_UNAVAILABLE"]}
        error = failure(ends["k299"], "JOURNAL_UNAVAILABLE")
        assert "journal_max_bytes 1048576" in error["message"]
        assert (error["outcome"], error["retryable"]) == ("not_sent", True)
        doubtful = set(ends) - full
        assert 200 < len(doubtful) < 260 and in_doubt(client) == doubtful
        assert len(server.requests) == len(doubtful)
        success(client.book({"give_up": True, "idempotency_key": "k0"}))
        assert in_doubt(client) == doubtful - {"k0"}
    with pbk.Client(config) as client:
        assert in_doubt(client) == doubtful - {"k0"}
        assert client.book(large("one-more")).status == STATUS["IN_DOUBT"], "there is room for one"


def in_doubt(client: pbk.Client) -> set[str]:
    return {key for key, state in states(client).items() if state == "in_doubt"}


def large(key: str) -> dict[str, Any]:
    request = booking_request(key=key, **AT_ONCE)
    request["booking"]["notes"] = "n" * 4_000
    return request


# journal_keeps_replies


def test_journal_without_replies_asks_the_service_after_a_restart(start_faults, tmp_path, journal):
    server = start_faults(answer(BOOKED), answer(BOOKED))
    config = with_journal(config_for(server), tmp_path, journal_keeps_replies=False)
    request = booking_request(key="k")
    with pbk.Client(config) as client:
        first = client.book(request)
        assert (client.book(request), len(server.requests)) == (first, 1), "the memory has the reply"
    text = journal.read_text()
    customer = request["booking"]["customer"]
    assert '"type":"booked"' in text and customer["phone"] not in text and customer["name"] not in text
    with pbk.Client(config) as client:
        error = failure(client.book(resume("k")), "NOT_RECORDED")
        assert (error["outcome"], len(server.requests)) == ("unknown", 1)
        assert "Send the whole request" in error["message"]
        assert (client.book(request).reply, len(server.requests)) == (first.reply, 2)
        assert server.requests[0].headers["idempotency-key"] == server.requests[1].headers["idempotency-key"]
    assert customer["phone"] not in journal.read_text()


def test_journal_without_replies_never_forgets_that_it_was_made(start_faults, tmp_path):
    """A platform that has forgotten the key refuses the repeat. That is no proof that nothing was
    booked."""
    server = start_faults(answer(BOOKED), *[answer(REFUSED)] * 6)
    config = with_journal(config_for(server), tmp_path, journal_keeps_replies=False, settle_for_ms=0, **FIRST)
    request = booking_request(key="k")
    with pbk.Client(config) as client:
        success(client.book(request))
    for _ in range(2):
        with pbk.Client(config) as client:
            error = failure(client.book(request | {"timeout_ms": 2_500}), "IN_DOUBT")
            assert error["outcome"] == "unknown"
            assert states(client) == {"k": "booked"}


# What an entry costs

MOST_INSTRUCTIONS = 70_000
"""To read a booking in doubt of 470 bytes, to put it into the ledger, and to free it."""



def line(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, separators=(",", ":")).encode()
    return b"pbk2 %s %s\n" % (hashlib.sha256(text).hexdigest()[:16].encode(), text)


def write_journal(path: Path, count: int) -> None:
    """Bookings in doubt."""
    body = json.dumps({name: value for name, value in booking_request().items() if name != "idempotency_key"})
    records = [{"type": "journal", "version": 2, "service": "sandbox", "at": 0, "clock": 0, "boot": None, "up": 0}]
    records += [
        {"type": "intent", "key": f"k{number}", "at": 0, "clock": number, "fingerprint": f"{number:064x}", "body": body}
        for number in range(count)
    ]
    path.write_bytes(b"".join(line(record) for record in records))


def instructions(program: Path, journal: Path) -> int:
    """Of a whole process, opening and closing included."""
    output = journal.with_suffix(".callgrind")
    subprocess.run(
        ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={output}", program, journal],
        check=True,
        capture_output=True,
        timeout=55,
    )
    return int(re.search(r"^totals: (\d+)", output.read_text(), re.MULTILINE)[1])


HOST = """
#include <stdio.h>
#include "partnerbooking.h"
int main(int argc, char **argv)
{
    char config[512];
    pbk_client *client;

    snprintf(config, sizeof config, "{\\"endpoint\\":\\"sandbox\\",\\"journal_path\\":\\"%s\\"}", argv[argc - 1]);
    client = pbk_client_open(config, NULL, NULL);
    return pbk_client_close(client, 5000) == PBK_OK ? 0 : 1;
}
"""


def test_entry_costs_the_same_in_a_large_journal(tmp_path):
    """Instructions to open and close, as callgrind counts them: they do not depend on the machine's
    speed. It has no instructions for SHA-256, which are a third of these."""
    if shutil.which("valgrind") is None:
        pytest.skip("needs valgrind")
    source, program = tmp_path / "host.c", tmp_path / "host"
    source.write_text(HOST)
    link = [f"-L{LIBRARY.parent}", "-lpartnerbooking", f"-Wl,-rpath,{LIBRARY.parent}"]
    subprocess.run(["cc", "-O1", f"-I{ROOT / 'include'}", "-o", program, source, *link], check=True)
    counts = {}
    for count in (200, 1_200, 3_200):
        journal = tmp_path / f"journal-{count}"
        write_journal(journal, count)
        counts[count] = instructions(program, journal)
    small, large = (counts[1_200] - counts[200]) / 1_000, (counts[3_200] - counts[1_200]) / 2_000
    assert large < small * 1.25, counts
    assert large < MOST_INSTRUCTIONS, counts
