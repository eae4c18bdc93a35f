"""Submitted calls and the process around them: fork, exit, and loading the library again and again."""

from __future__ import annotations

import json

from certificates import Certificates
from fault_server import FaultServer, answer, http_reply
from pbk import LIBRARY
from programs import run_program
from reference_names import API_KEY
from samples import SANDBOX, SEARCH_REPLY, search_request

REFUSING = {"api_key": API_KEY, "base_url": "http://127.0.0.1:1", "retry": {"max_attempts": 1}}
"""A port where nobody listens: its clients have a network, and calls that end soon."""


def test_fork_with_calls_under_way(reference, service):
    """The child's inherited handle is closed for every function, a client of its own works, and the parent's calls all
    complete."""
    program = """
import os, signal, sys, urllib.request
import pbk
from contract import success
from header import STATUS
from completions import WAYS
config, slow, quick, log_of_slow = sys.argv[1:]
client = pbk.Client(config)
ways = [way() for way in WAYS.values()]
before = client.fd()
tickets = {way: [way.submit(client, pbk.SEARCH, slow) for _ in range(5)] for way in ways}

def check_child():
    for way in ways:
        refused = client.submit(pbk.SEARCH, quick, getattr(way, "callback", None))
        assert (refused.status, refused.ticket) == (STATUS["CLIENT_CLOSED"], 0), refused
        assert b'"client_closed"' in refused.error
        assert client.cancel(tickets[way][0]) == STATUS["CLIENT_CLOSED"]
    assert client.prewarm() == STATUS["CLIENT_CLOSED"]
    assert client.fd() == -1
    for timeout_ms in (0, 60_000):
        assert client.next_completion(timeout_ms) == (STATUS["CLIENT_CLOSED"], None)
    assert client.search(quick).status == STATUS["CLIENT_CLOSED"]
    assert client.close(60_000) == STATUS["CLIENT_CLOSED"]
    with pbk.Client(config) as own:
        assert own.handle != client.handle
        assert own.prewarm() == STATUS["OK"]
        for way in [way() for way in WAYS.values()]:
            ticket = way.submit(own, pbk.SEARCH, quick)
            completion = way.next(own)
            assert completion.ticket == ticket
            success(completion.result)
        assert own.fd() >= 0

opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
while opener.open(log_of_slow).read().count(b'"method"') < 10:
    pass
for _ in range(5):
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # a child that hangs dies of it
        try:
            check_child()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    assert status == 0, status
for way in ways:
    found = [way.next(client) for _ in range(5)]
    assert sorted(completion.ticket for completion in found) == tickets[way]
    for completion in found:
        success(completion.result)
assert client.fd() == before
assert client.close() == STATUS["OK"]
assert [way.rest(client) for way in ways] == [[], []]
"""
    slow, quick = reference.bot({"delay_ms": 1000}), reference.bot()
    texts = map(json.dumps, (service.config, search_request(slow), search_request(quick)))
    done = run_program(program, *texts, f"{reference.http_url}/_test/log?about={slow}")
    assert done.returncode == 0, done.stderr


def test_fork_in_the_middle_of_a_first_handshake(certificates: Certificates):
    """The parent has just begun its first TLS connection, and the child can make its own."""
    program = """
import os, signal, sys, time
import pbk
from contract import success
config, request = sys.argv[1:]
for number in range(50):
    parent = os.fork()  # this process has used no TLS yet
    if parent == 0:
        client = pbk.Client(config)
        client.submit(pbk.SEARCH, request)
        moment = time.perf_counter() + number % 50 / 10_000
        while time.perf_counter() < moment:
            pass
        child = os.fork()
        if child == 0:
            signal.alarm(8)  # a child that hangs dies of it
            with pbk.Client(config) as own:
                success(own.search(request))
            os._exit(0)
        os._exit(0 if os.waitpid(child, 0)[1] == 0 else 1)
    status = os.waitpid(parent, 0)[1]
    assert status == 0, (number, status)
"""
    with FaultServer(answer(http_reply(200, SEARCH_REPLY)), certificate=certificates.good) as server:
        tls = {"ca_file": str(certificates.ca_file)}
        config = {"api_key": API_KEY, "base_url": server.url, "tls": tls, "timeout_ms": 30_000}
        done = run_program(program, *map(json.dumps, (config, search_request())))
        assert done.returncode == 0, done.stderr


def test_exit_with_submitted_calls_under_way(certificates: Certificates):
    """In the middle of handshakes, requests and callbacks, main() returns: no crash, and no hanging."""
    program = """
import ctypes, os, signal, sys
import pbk
from completions import ByCallback, ByQueue
config, request = sys.argv[1:]
exit = ctypes.CDLL(None).exit
for number in range(60):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        clients = [pbk.Client(config) for _ in range(3)]
        ways = [ByQueue(), ByCallback(), ByQueue()]
        for _ in range(4):
            for client, way in zip(clients, ways):
                way.submit(client, pbk.SEARCH, request)
        for _ in range(number % 5):
            ways[0].next(clients[0])
        for _ in range(number % 3):
            ways[1].next(clients[1])
        exit(0)
    status = os.waitpid(child, 0)[1]
    assert status == 0, (number, status)
"""

    def answer_and_close(peer) -> None:
        peer.read_request()
        peer.send(http_reply(200, SEARCH_REPLY))
        peer.close()

    with FaultServer(answer_and_close, certificate=certificates.good) as server:
        tls = {"ca_file": str(certificates.ca_file)}
        config = json.dumps({"api_key": API_KEY, "base_url": server.url, "tls": tls})
        done = run_program(program, config, json.dumps(search_request(timeout_ms=20_000)))
        assert done.returncode == 0, (done.returncode, done.stderr)


def test_exit_in_a_callback():
    """The thread that exits is the one that exit keeps out of libcurl: it must not wait for itself for long."""
    program = """
import ctypes, signal, sys, threading
import pbk
signal.alarm(20)
exit = ctypes.CDLL(None).exit
callback = pbk.Callback(lambda context, completion: exit(7))
pbk.Client(sys.argv[1]).submit(pbk.SEARCH, sys.argv[2], callback)
threading.Event().wait()
"""
    done = run_program(program, json.dumps(REFUSING), json.dumps(search_request()))
    assert done.returncode == 7, (done.returncode, done.stderr)


def test_loading_and_unloading_a_thousand_times():
    """Nothing is left beyond what the first rounds needed: no descriptor, no thread, no mapping."""
    program = """
import _ctypes, ctypes, os, sys, time

def held():
    with open("/proc/self/maps") as maps:
        mapped = sum("libpartnerbooking" in line for line in maps)
    return mapped, len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))

def use(library, config):
    library.pbk_client_open.restype = ctypes.c_void_p
    library.pbk_next_completion.restype = ctypes.c_void_p
    client = ctypes.c_void_p(library.pbk_client_open(config.encode(), None, None))
    assert client and library.pbk_client_fd(client) >= 0
    assert library.pbk_submit(client, 1, sys.argv[4].encode(), None, None, None, None) == 0
    completion = ctypes.c_void_p(library.pbk_next_completion(client, 20_000, None))
    assert completion
    library.pbk_completion_free(completion)
    assert library.pbk_submit(client, 1, sys.argv[4].encode(), None, None, None, None) == 0
    library.pbk_client_close(client, 0)
    library.pbk_completion_free(ctypes.c_void_p(library.pbk_next_completion(client, 0, None)))

for number in range(1000):
    handle = _ctypes.dlopen(sys.argv[1], os.RTLD_NOW)
    if number % 25 < 2:
        use(ctypes.CDLL(sys.argv[1], handle=handle), sys.argv[2 + number % 25])
    _ctypes.dlclose(handle)
    if number == 50:
        first = held()
deadline = time.monotonic() + 20  # a thread that has ended may be seen for a moment longer
while any(now > then for now, then in zip(held(), first)):
    assert time.monotonic() < deadline, (first, held())
assert first[0] > 0
"""
    done = run_program(program, LIBRARY, *map(json.dumps, (SANDBOX, REFUSING, search_request())))
    assert done.returncode == 0, done.stderr
