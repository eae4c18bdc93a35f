"""What the thread that has audio to serve pays the kernel for a call that it hands over: one write, at most."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from fault_server import Peer, answer, http_reply
from header import ROOT
from programs import LINK, WARNINGS, run
from samples import SEARCH_REPLY, search_request
from services import config_for

ROUNDS = 200

PROGRAM = r"""
#include <fcntl.h>
#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <partnerbooking.h>

static void fail(const char *what) { fprintf(stderr, "%s\n", what); exit(1); }

/* Reads a file of the thread `name` of this process. */
static void read_task(const char *name, const char *file, char *text, size_t size) {
    char path[300];
    snprintf(path, sizeof path, "/proc/self/task/%s/%s", name, file);
    int descriptor = open(path, O_RDONLY);
    if (descriptor < 0) fail(path);
    ssize_t length = read(descriptor, text, size - 1);
    close(descriptor);
    text[length < 0 ? 0 : length] = 0;
}

/* Leaves `name` empty when there is none yet: a thread gives itself its name. */
static void find_transfer_thread(char *name, size_t size) {
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *entry;
    name[0] = 0;
    while (tasks != NULL && (entry = readdir(tasks)) != NULL) {
        char comm[64];
        if (entry->d_name[0] == '.') continue;
        read_task(entry->d_name, "comm", comm, sizeof comm);
        if (strcmp(comm, "pbk-transfer\n") == 0) snprintf(name, size, "%s", entry->d_name);
    }
    closedir(tasks);
}

/* While we are not inside the library there is only one thing that its thread can sleep in. */
static void wait_until_asleep(const char *thread) {
    char stat[400];
    do {
        sched_yield();
        read_task(thread, "stat", stat, sizeof stat);
    } while (strrchr(stat, ')')[2] != 'S');
}

static int told[2];

static void by_callback(void *context, pbk_completion *completion) {
    if (write(told[1], &completion, sizeof completion) != sizeof completion) fail("write");
    (void)context;
}

static void take(pbk_client *client, pbk_callback callback, pbk_status expected) {
    pbk_completion *completion = NULL;
    if (callback == NULL) completion = pbk_next_completion(client, 20000, NULL);
    else if (read(told[0], &completion, sizeof completion) != sizeof completion) fail("read");
    if (completion == NULL) fail("no completion");
    if (pbk_completion_status(completion) != expected) fail(pbk_completion_reply(completion));
    pbk_completion_free(completion);
}

int main(int count, char **arguments) {
    if (count != 5 || pipe(told) != 0) return 2;
    int rounds = atoi(arguments[3]), cancels = strcmp(arguments[4], "cancel") == 0;
    pbk_callback callback = strcmp(arguments[4], "callback") == 0 ? by_callback : NULL;
    pbk_client *client = pbk_client_open(arguments[1], NULL, NULL);
    if (client == NULL) fail("open");
    char thread[64];
    do find_transfer_thread(thread, sizeof thread); while (thread[0] == 0);
    /* The first half warms up memory, connection and whatever else is set up once. */
    for (int round = 0; round < 2 * rounds; round++) {
        pbk_ticket ticket;
        char *error;
        int marks = round >= rounds;
        wait_until_asleep(thread);
        if (marks && !cancels) syscall(SYS_getppid);
        pbk_status status = pbk_submit(client, PBK_SEARCH_AVAILABILITY, arguments[2], &ticket, &error, callback, NULL);
        if (marks && !cancels) syscall(SYS_getpgid, 0);
        if (status != PBK_OK) fail(error);
        if (cancels) {
            wait_until_asleep(thread);
            if (marks) syscall(SYS_getppid);
            status = pbk_cancel(client, ticket);
            if (marks) syscall(SYS_getpgid, 0);
            if (status != PBK_OK) fail("cancel");
        }
        take(client, callback, cancels ? PBK_CANCELLED : PBK_OK);
    }
    return pbk_client_close(client, 1000) == PBK_OK ? 0 : 1;
}
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("syscalls")
    source, binary = folder / "submit.c", folder / "submit"
    source.write_text("#define _GNU_SOURCE\n" + PROGRAM)
    run(os.environ.get("CC", "cc"), *WARNINGS, f"-I{ROOT / 'include'}", "-o", binary, source, *LINK)
    return binary


def keep_silent(peer: Peer) -> None:
    while True:
        peer.read_request()


@pytest.mark.parametrize(
    ("kind", "script"),
    [("queue", answer(http_reply(200, SEARCH_REPLY))), ("callback", answer(http_reply(200, SEARCH_REPLY)))]
    + [("cancel", keep_silent)],
    ids=["submit, queue", "submit, callback", "cancel"],
)
def test_one_write_at_most(strace, program, start_faults, tmp_path, kind, script):
    config = {**config_for(start_faults(script)), "timeout_ms": 20_000}
    trace = tmp_path / "trace"
    request = json.dumps(search_request())
    run(strace, "-y", "-o", trace, program, json.dumps(config), request, ROUNDS, kind)
    windows = re.findall(r"^getppid\(\).*\n((?:.*\n)*?)getpgid\(0\)", trace.read_text(), re.MULTILINE)
    assert len(windows) == ROUNDS
    write = r'write\(\d+<anon_inode:\[eventfd\]>, "[^"]*", 8\) += 8\n'
    for window in windows:
        assert re.fullmatch(f"(?:{write})?", window), window
    assert any(windows), "nothing was traced"
