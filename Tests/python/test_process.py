"""What the library does to the process around it: at exit, after fork, with the environment."""

from __future__ import annotations

import json

import pytest
from certificates import Certificates
from fault_server import FaultServer, http_reply, stall
from programs import run_program
from reference_names import API_KEY
from samples import CALLS_ONLY, SANDBOX, SEARCH_REPLY, search_request


def test_exit_with_tls_calls_under_way_does_not_crash(certificates: Certificates):
    """OpenSSL cleans up at exit while our threads live: without a gate half of these processes die of SIGSEGV."""
    program = """
import ctypes, json, sys, threading, time
import pbk
config, request, delay = sys.argv[1], sys.argv[2], float(sys.argv[3])
clients = [pbk.open_handle(config) for _ in range(6)]
def calls(handle):
    while True:
        pbk.search(handle, request)
for handle in clients:
    threading.Thread(target=calls, args=[handle], daemon=True).start()
time.sleep(delay)
ctypes.CDLL(None).exit(0)  # as main() returning does, and not as Python ends
"""

    def answer_and_close(peer) -> None:
        peer.read_request()
        peer.send(http_reply(200, SEARCH_REPLY))
        peer.close()

    with FaultServer(answer_and_close, certificate=certificates.good) as server:
        tls = {"ca_file": str(certificates.ca_file)}
        config = json.dumps({"api_key": API_KEY, "base_url": server.url, "tls": tls})
        for number in range(20):
            done = run_program(program, config, json.dumps(search_request()), 0.02 + number / 500)
            assert done.returncode == 0, (done.returncode, done.stderr)


def test_fork_while_other_threads_call():
    """The child can open clients, though another thread was inside the library when it was made."""
    program = """
import json, os, signal, sys, threading
import pbk, samples
config = json.dumps(samples.SANDBOX)
inherited = pbk.open_handle(config)
def calls():
    while True:
        pbk.search(inherited, b"{")
for _ in range(8):
    threading.Thread(target=calls, daemon=True).start()
for _ in range(100):
    child = os.fork()
    if child == 0:
        signal.alarm(10)  # a child that hangs dies of it
        stale = json.loads(pbk.search(inherited, samples.search_request()).reply)["error"]["code"]
        with pbk.Client(config) as own:
            fine = pbk.search(own.handle, samples.search_request()).status == 0
        os._exit(0 if fine and stale == "client_closed" else 1)
    status = os.waitpid(child, 0)[1]
    assert status == 0, status
assert pbk.search(inherited, samples.search_request()).status == 0
os._exit(0)
"""
    done = run_program(program)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
def test_environment_does_not_lead_around_a_proxy(name):
    with FaultServer(stall) as server:
        config = {
            "api_key": API_KEY,
            "base_url": server.url.replace("http:", "https:"),
            "proxy": "http://127.0.0.1:1",
            "retry": {"max_attempts": 1},
            **CALLS_ONLY,
        }
        program = "import sys, pbk\nwith pbk.Client(sys.argv[1]) as client: print(client.search(sys.argv[2]).reply)"
        done = run_program(program, json.dumps(config), json.dumps(search_request()), **{name: "*"})
        assert '"connect_failed"' in done.stdout, done.stdout + done.stderr


def test_library_survives_dlclose():
    """It is linked with -z nodelete: its thread may still run."""
    program = """
import _ctypes, json, sys
import pbk
client = pbk.Client(sys.argv[1])
_ctypes.dlclose(pbk.library._handle)
assert client.search(sys.argv[2]).status == 0
client.close()
"""
    done = run_program(program, json.dumps(SANDBOX), json.dumps(search_request()))
    assert done.returncode == 0, done.stderr
