"""What docs/embedding.md and docs/operations.md promise and no other test looks at."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pbk
import pytest
from contract import in_doubt, success
from fault_server import answer, http_reply, swallow_request
from header import ROOT
from ledger import unsettled
from pbk import LIBRARY
from programs import LINK, WARNINGS, run, run_program
from reference_names import API_KEY
from samples import BOOKING_REPLY, CALLS_ONLY, READS_ONLY, SANDBOX, booking_request, search_request

PAGE = (ROOT / "docs" / "embedding.md").read_text()


def test_threads_of_a_client_and_what_they_inherit(tmp_path):
    """Names, and the affinity and nice value of the thread that opened it."""
    program = """
import os, sys, threading, time
import pbk
def tasks():
    return set(os.listdir("/proc/self/task"))
def read(task, file):
    with open(f"/proc/self/task/{task}/{file}") as text:
        return text.read()
processor = min(os.sched_getaffinity(0))
assert len(os.sched_getaffinity(0)) > 1
def open_pinned():
    os.sched_setaffinity(0, {processor})
    nice = os.nice(3)
    before = tasks()
    with pbk.Client(sys.argv[1]):
        new = sorted(tasks() - before)
        deadline = time.monotonic() + 20  # a thread gives itself its name
        while (names := sorted(read(task, "comm").strip() for task in new)) != ["pbk-journal", "pbk-transfer"]:
            assert time.monotonic() < deadline, names
        for task in new:
            assert f"Cpus_allowed_list:\\t{processor}\\n" in read(task, "status")
            assert read(task, "stat").rsplit(")", 1)[1].split()[16] == str(nice)
        assert len(os.sched_getaffinity(os.getpid())) > 1
    print("looked")
thread = threading.Thread(target=open_pinned)
thread.start()
thread.join()
"""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("needs two processors")
    done = run_program(program, json.dumps(SANDBOX | {"journal_path": str(tmp_path / "journal")}))
    assert done.stdout == "looked\n", done.stderr


def test_signal_does_not_end_a_wait(open_client):
    client = open_client({"endpoint": "sandbox", "sandbox": SANDBOX["sandbox"] | {"latency_ms": 300}})
    seen = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    try:
        signal.siginterrupt(signal.SIGALRM, True)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        success(client.search(search_request()))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seen


@pytest.mark.parametrize("flags", ["RTLD_LOCAL", "RTLD_GLOBAL", "RTLD_DEEPBIND"])
def test_any_flags_of_dlopen(flags):
    program = f"""
import ctypes, os, sys
library = ctypes.CDLL(sys.argv[1], mode=os.RTLD_NOW | os.{flags})
library.pbk_client_open.restype = library.pbk_create_booking.restype = ctypes.c_void_p
client = ctypes.c_void_p(library.pbk_client_open(sys.argv[2].encode(), None, None))
reply = ctypes.c_void_p(library.pbk_create_booking(client, sys.argv[3].encode(), None))
print(ctypes.string_at(reply).decode())
library.pbk_string_free(reply)
assert library.pbk_client_close(client, 1000) == 0
"""
    done = run_program(program, LIBRARY, json.dumps(SANDBOX), json.dumps(booking_request()))
    assert done.returncode == 0 and '"booking":{"id":' in done.stdout, done.stderr


def test_loading_starts_nothing():
    program = """
import ctypes, os, sys
before = os.listdir("/proc/self/task"), os.listdir("/proc/self/fd")
ctypes.CDLL(sys.argv[1])
assert (os.listdir("/proc/self/task"), os.listdir("/proc/self/fd")) == before
"""
    done = run_program(program, LIBRARY)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def protected(http2, tmp_path):
    """TLS, HTTP/2 and a journal."""
    return {**http2.config, "journal_path": str(tmp_path / "journal")}


def links_of_descriptors() -> dict[str, str]:
    descriptors = Path("/proc/self/fd")
    return {name.name: os.readlink(name) for name in descriptors.iterdir() if name.is_symlink()}


def test_programs_that_the_host_starts_inherit_no_connection(protected, open_client, reference):
    """Nor the journal, nor an eventfd. What libcurl leaves open is a pair of sockets, connected with each other."""
    bot = reference.bot()
    before = set(links_of_descriptors().values())
    client = open_client(protected)
    success(client.search(search_request(bot)))
    success(client.book(booking_request(bot)))
    assert client.fd() >= 0
    ours = {link for link in links_of_descriptors().values() if link not in before}
    listed = subprocess.run(["ls", "-l", "/proc/self/fd"], close_fds=False, capture_output=True, text=True, check=True)
    inherited = ours & set(re.findall(r" -> (.*)$", listed.stdout, re.MULTILINE))
    assert len(ours) >= 6 and len(inherited) <= 2, (ours, inherited)
    unix = Path("/proc/net/unix").read_text()
    for link in inherited:
        inode = re.fullmatch(r"socket:\[(\d+)\]", link)
        assert inode and re.search(rf"\s{inode[1]}$", unix, re.MULTILINE), link


PROGRAM = r"""
#include <partnerbooking.h>
#include <stdio.h>

int main(int count, char **arguments) {
    pbk_status searched, booked;
    pbk_client *client = count == 4 ? pbk_client_open(arguments[1], NULL, NULL) : NULL;
    pbk_string_free(pbk_search_availability(client, arguments[2], &searched));
    pbk_string_free(pbk_create_booking(client, arguments[3], &booked));
    return pbk_client_close(client, 1000) != PBK_OK || searched != PBK_OK || booked != PBK_OK;
}
"""


def test_system_calls_are_those_of_the_page(strace, protected, reference, tmp_path):  # noqa: F811
    source, binary, trace = tmp_path / "program.c", tmp_path / "program", tmp_path / "trace"
    source.write_text(PROGRAM)
    run(os.environ.get("CC", "cc"), *WARNINGS, f"-I{ROOT / 'include'}", "-o", binary, source, *LINK)
    bot = reference.bot()
    texts = [json.dumps(text) for text in (protected, search_request(bot), booking_request(bot))]
    run(strace, "-f", "-o", trace, binary, *texts)
    made = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(), re.MULTILINE))
    listed = set(re.search(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[1].split())
    beyond = set(re.findall(r"`(\w+)`", PAGE.split("Beyond them:", 1)[1].split("\n\n", 1)[0]))
    assert made - listed - beyond == set()
    assert len(listed - made) < 10, listed - made


def test_descriptors_of_a_client(tmp_path):
    """As many as the page says."""

    def count() -> int:
        return len(os.listdir("/proc/self/fd"))

    idle = {"api_key": API_KEY, "base_url": "http://127.0.0.1:1", "keep_warm_ms": 0}
    pbk.Client(idle).close()
    before = count()
    with pbk.Client(idle) as client:
        assert count() == before + 4, links_of_descriptors()
        client.fd()
        assert count() == before + 5
        with pbk.Client(idle | {"journal_path": str(tmp_path / "journal")}):
            assert count() == before + 10
    assert count() == before


def test_key_is_changed_under_a_doubt(start_faults, tmp_path):
    """The old client is closed, and the next one settles under another key what was in doubt."""
    server = start_faults(swallow_request(), answer(http_reply(201, BOOKING_REPLY)))
    config = {"base_url": server.url, "journal_path": str(tmp_path / "journal"), "timeout_ms": 30_000, **CALLS_ONLY}
    with pbk.Client(config | {"api_key": "sk_ptnr_old", "retry": {"max_attempts": 1}, **READS_ONLY}) as old:
        in_doubt(old.book(booking_request(key="call-7", timeout_ms=1000)), None, "connection_lost")
    with pbk.Client(config | {"api_key": "sk_ptnr_new", "resume_on_open": True}) as new:
        assert server.wait_for_requests(2)
        success(new.book({"idempotency_key": "call-7", "resume": True}))
        assert unsettled(new) == []
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Bearer sk_ptnr_old", "Bearer sk_ptnr_new"]
    assert server.keys() == ["call-7", "call-7"]
