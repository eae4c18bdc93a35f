"""Clocks that jump under a process while it runs: a library ahead of libc adds to them what a file says."""

from __future__ import annotations

import json
import os
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from fault_server import Peer
from ledger import AT_ONCE, BOOKED, FAILED, REFUSED, changed
from programs import run, run_program
from samples import READS_ONLY, UNSPARED, booking_request

CLOCKS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Seconds that are added to the wall clock, the monotonic one and the boot clock. */
static const volatile int64_t *jumps;

__attribute__((constructor)) static void map(void)
{
    const char *path = getenv("CLOCK_JUMPS");
    int descriptor = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *memory = descriptor < 0 ? MAP_FAILED : mmap(NULL, 24, PROT_READ, MAP_SHARED, descriptor, 0);

    if (memory == MAP_FAILED) abort();
    jumps = memory;
    close(descriptor);
}

static int64_t jump_of(clockid_t clock)
{
    if (jumps == NULL) return 0;
    switch (clock) {
    case CLOCK_REALTIME: case CLOCK_REALTIME_COARSE: case CLOCK_REALTIME_ALARM: case CLOCK_TAI: return jumps[0];
    case CLOCK_MONOTONIC: case CLOCK_MONOTONIC_COARSE: case CLOCK_MONOTONIC_RAW: return jumps[1];
    case CLOCK_BOOTTIME: case CLOCK_BOOTTIME_ALARM: return jumps[2];
    default: return 0;
    }
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (syscall(SYS_clock_gettime, clock, now) != 0) return -1;
    now->tv_sec += jump_of(clock);
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec precise;

    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (result != NULL) *result = now.tv_sec;
    return now.tv_sec;
}

/* The kernel's clocks do not jump: a moment to wait for is taken back to them. No wall clock shows so little. */
static struct timespec of_the_kernel(const struct timespec *until)
{
    struct timespec moment = *until;

    moment.tv_sec -= jump_of(moment.tv_sec < 500000000 ? CLOCK_MONOTONIC : CLOCK_REALTIME);
    return moment;
}

int pthread_cond_timedwait(
    pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex, const struct timespec *restrict until)
{
    int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    struct timespec moment = of_the_kernel(until);

    *(void **)&next = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    return next(condition, mutex, &moment);
}

int sem_clockwait(sem_t *restrict semaphore, clockid_t clock, const struct timespec *restrict until)
{
    int (*next)(sem_t *, clockid_t, const struct timespec *);
    struct timespec moment = of_the_kernel(until);

    *(void **)&next = dlsym(RTLD_NEXT, "sem_clockwait");
    return next(semaphore, clock, &moment);
}

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *until, struct timespec *left)
{
    struct timespec moment = flags & TIMER_ABSTIME ? of_the_kernel(until) : *until;

    return syscall(SYS_clock_nanosleep, clock, flags, &moment, left) == 0 ? 0 : errno;
}
"""

CHILD = """
import json, mmap, os, random, struct, sys, time
import pbk
from completions import ByQueue
from contract import failure, in_doubt, success
from header import STATUS
from held import next_held, submitted
from ledger import listed, records, recorded, resume, states, write_records
from pathlib import Path
from waiting import wait_until

config, request = json.loads(sys.argv[1]), json.loads(sys.argv[2])
journal = Path(config["journal_path"])
clocks = mmap.mmap(os.open(os.environ["CLOCK_JUMPS"], os.O_RDWR), 24)
DAY = 24 * 3600

def jump(wall=0, up=0, monotonic=0):
    clocks[:] = struct.pack("=3q", int(wall), int(monotonic), int(up))

starts = {}  # by key

def in_utc(moment):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))

def whole(key):  # a repeat is the same request; a new booking is to come, by the clock as it is
    start = max(request["booking"]["start_at"], in_utc(time.time() + DAY)) if key not in starts else starts[key]
    starts[key] = start
    return {**request, "idempotency_key": key, "booking": {**request["booking"], "start_at": start}}

def stays_in_doubt(client, key, age=60):  # whether it is asked for by its request or by its key
    for how in (whole, resume):
        error = in_doubt(client.book(how(key)), 503, "http_error")
        assert error["attempts"] == 1 and 0 <= error["doubt"]["sent_ms_ago"] < 1000 * age, error

def has_booking(client, key):  # heard again when its completion is freed
    for how in (whole, resume):
        ByQueue().submit(client, pbk.BOOK, how(key))
        completion = ByQueue().next(client)
        success(completion.result)
        assert completion.timing.get("replayed") is True, completion

def forgotten(client, key):
    assert failure(client.book(resume(key)), "NOT_RECORDED")["outcome"] == "unknown"

def in_the_file(kind):
    return {record["key"] for record in records(journal) if record["type"] == kind}
"""

def build_clocks(folder: Path) -> Path:
    source, library = folder / "clocks.c", folder / "clocks.so"
    source.write_text(CLOCKS)
    compiler = os.environ.get("CC", "cc")
    run(compiler, "-std=c99", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, source, "-ldl")
    return library


class Desk:
    """A service, by what a key begins with: no answer to `doubt`, and none to the first request of `once` and `taken`,
    the latter of which is then refused. `held` is answered when `release` has come. All else is booked.
    """

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def __call__(self, peer: Peer) -> None:
        while True:
            key = peer.read_request().idempotency_key or ""
            kind = key.split("-")[0]
            self.seen[key] += 1
            while kind == "held" and not self.seen["release"]:
                peer.pause(0.01)
            is_down = kind == "doubt" or kind in ("once", "taken") and self.seen[key] == 1
            peer.send(FAILED if is_down else REFUSED if kind == "taken" else BOOKED)


def run_under(clocks: Path, program: str, folder: Path, config: dict[str, Any], days: int) -> None:
    """Runs a program in a process with clocks of its own, with a journal, for appointments in so many days."""
    jumps = folder / "jumps"
    jumps.write_bytes(bytes(24))
    common = {**UNSPARED, **READS_ONLY, **AT_ONCE, "journal_path": str(folder / "journal")}
    start = f"{datetime.now(timezone.utc) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"
    request = changed(booking_request(), "booking.start_at", start)
    texts = map(json.dumps, ({**common, **config}, request))
    done = run_program(CHILD + program, *texts, LD_PRELOAD=str(clocks), CLOCK_JUMPS=str(jumps))
    assert done.returncode == 0, done.stdout + done.stderr
