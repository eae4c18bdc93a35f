#!/usr/bin/env python3
"""Measures how long a client takes to open and to close a large journal.

    python3 Benchmarks/journal_open.py [ENTRIES]

Writes a journal with that many bookings (100,000), opens it in a fresh process, gives up its first booking or makes one
more on the sandbox, and closes it. Prints milliseconds and resident memory. The table has three kinds of journal:

    in doubt       one intent for each booking
    booked         one booked and one heard for each booking: nothing can go
    not compact    intent, booked and heard for each booking: the opening writes the file again

"open" and "close" are medians of the rounds. "MiB" is the resident memory after opening less that before. The last
column is the time that a plain write and fsync of a file of that size takes: no closing can be faster.

Read from the environment: PBK_LIBRARY or PBK_LIB_DIR, BENCH_DIR, BENCH_JOURNAL_DIR, BENCH_QUICK and

    BENCH_JOURNAL_OPEN_ROUNDS    how often each journal is opened (5; with BENCH_QUICK=1 two)
"""

from __future__ import annotations

import ctypes
import datetime
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from common import BUILD, LIBRARY, median, missing, save, setting, show

ROUNDS = setting("BENCH_JOURNAL_OPEN_ROUNDS", 5, 2)
FOLDER = pathlib.Path(os.environ.get("BENCH_JOURNAL_DIR", BUILD)).absolute()
BOT = "bot_01h2xcejqtf2nbrexx3vqjhp41"
START = "2030-01-14T10:00:00Z"
CUSTOMER = {"phone": "+15551234567", "name": "John Doe", "email": "john@example.com"}
AT = 1_800_000_000_000


# ---- The journal ----


def line(record: dict[str, Any]) -> bytes:
    text = json.dumps(record, separators=(",", ":")).encode()
    return b"pbk2 %s %s\n" % (hashlib.sha256(text).hexdigest()[:16].encode(), text)


def compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def intent(number: int) -> dict[str, Any]:
    body = compact({"bot_id": BOT, "booking": {"start_at": START, "duration_minutes": 30, "customer": CUSTOMER,
                                               "notes": "Initial consultation"}})
    return {"type": "intent", "key": key(number), "at": AT + number, "clock": 3 * number + 1,
            "fingerprint": f"{number:064x}", "conversation": f"call-{number}", "body": body}


def booked(number: int) -> dict[str, Any]:
    reply = compact({"booking": {"id": f"bkg_{number:026}", "status": "confirmed", "start_at": START,
                                 "end_at": "2030-01-14T10:30:00Z", "customer": CUSTOMER,
                                 "location": {"name": "Main Office", "address": "123 Main St"}}})
    return {"type": "booked", "key": key(number), "at": AT + number, "clock": 3 * number + 2,
            "fingerprint": f"{number:064x}", "bot_id": BOT, "start_at": START, "duration_minutes": 30,
            "recorded_at": AT + number, "conversation": f"call-{number}", "reply": reply}


def heard(number: int) -> dict[str, Any]:
    return {"type": "heard", "key": key(number), "at": AT + number, "clock": 3 * number + 3, "end": 3 * number + 2}


def key(number: int) -> str:
    return f"call-{number:08}-booking-1"


KINDS = {"in doubt": [intent], "booked": [booked, heard], "not compact": [intent, booked, heard]}


def lines(kind: str, entries: int) -> Iterator[bytes]:
    boot = pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    up = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000)
    yield line({"type": "journal", "version": 2, "service": "sandbox", "at": AT, "clock": 0, "boot": boot, "up": up})
    for number in range(entries):
        for record in KINDS[kind]:
            yield line(record(number))


# ---- One process ----


def resident_kib() -> int:
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def new_booking(library: ctypes.CDLL, client: ctypes.c_void_p) -> dict[str, Any]:
    """Returns a request for the sandbox's first slot."""
    now = datetime.datetime.now(datetime.timezone.utc)
    bounds = [(now + datetime.timedelta(days=days)).isoformat(timespec="seconds") for days in (1, 8)]
    query = {"filter": {"start_at_range": dict(zip(("start_at", "end_at"), bounds))}}
    reply = library.pbk_search_availability(client, json.dumps({"bot_id": BOT, "query": query}).encode(), None)
    slot = json.loads(ctypes.string_at(reply))["availabilities"][0]
    return {"bot_id": BOT, "idempotency_key": "one-more",
            "booking": {"start_at": slot["start_at"], "duration_minutes": 30, "customer": CUSTOMER}}


def one_opening(path: str, is_in_doubt: bool) -> None:
    """Opens the journal, settles a booking, closes it, and prints what it took."""
    library = ctypes.CDLL(str(LIBRARY))
    for name in "pbk_client_open", "pbk_create_booking", "pbk_search_availability":
        getattr(library, name).restype = ctypes.c_void_p
    status = ctypes.c_int()

    def opened(configuration: dict[str, Any]) -> ctypes.c_void_p:
        text = json.dumps({"endpoint": "sandbox", **configuration}).encode()
        client = ctypes.c_void_p(library.pbk_client_open(text, None, ctypes.byref(status)))
        if not client.value:
            sys.exit(f"benchmark ended: opening failed with status {status.value}")
        return client

    library.pbk_client_close(opened({}), 1000)  # what the first client of a process costs is not the journal's
    before = resident_kib()
    began = time.perf_counter()
    client = opened({"journal_path": path})
    opening = time.perf_counter() - began
    memory = resident_kib() - before
    request = {"give_up": True, "idempotency_key": key(0)} if is_in_doubt else new_booking(library, client)
    began = time.perf_counter()
    reply = library.pbk_create_booking(client, json.dumps(request).encode(), ctypes.byref(status))
    booking = time.perf_counter() - began
    began = time.perf_counter()
    closed = library.pbk_client_close(client, 60_000)
    closing = time.perf_counter() - began
    if (status.value, closed) != (0, 0):
        sys.exit(f"benchmark ended: booking gave {status.value} and closing {closed}: {ctypes.string_at(reply)}")
    print(json.dumps({"open_ms": opening * 1e3, "book_ms": booking * 1e3, "close_ms": closing * 1e3,
                      "mib": memory / 1024}))


def write_ms(path: pathlib.Path, content: bytes) -> float:
    began = time.perf_counter()
    with open(path, "wb") as file:
        file.write(content)
        os.fsync(file.fileno())
    return (time.perf_counter() - began) * 1e3


# ---- All of them ----


def measure(entries: int) -> None:
    if not LIBRARY.exists():
        missing(f"{LIBRARY} is not there; build the library first")
    FOLDER.mkdir(parents=True, exist_ok=True)
    names = ["open_ms", "book_ms", "close_ms", "mib", "write_ms"]
    rows, figures = [["", "file, MB", "open, ms", "book, ms", "close, ms", "MiB", "write, ms"]], []
    for kind in KINDS:
        content = b"".join(lines(kind, entries))
        found = []
        with tempfile.TemporaryDirectory(prefix="journal-", dir=FOLDER) as folder:
            path = pathlib.Path(folder, "journal")
            for _ in range(ROUNDS):
                written = write_ms(path, content)
                output = subprocess.run([sys.executable, __file__, "--one", str(path), kind], check=True,
                                        stdout=subprocess.PIPE).stdout
                found.append({"kind": kind, **json.loads(output), "write_ms": written})
        figures += found
        middle = [median(figure[name] for figure in found) for name in names]
        rows.append([kind, f"{len(content) / 1e6:.1f}", *(f"{figure:.0f}" for figure in middle)])
    show(f"A journal with {entries} bookings: medians of {ROUNDS} fresh processes", rows)
    save("journal_open", {"entries": entries, "rounds": ROUNDS, "figures": figures})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one_opening(sys.argv[2], sys.argv[3] == "in doubt")
    else:
        measure(int(sys.argv[1]) if sys.argv[1:] else 100_000)
