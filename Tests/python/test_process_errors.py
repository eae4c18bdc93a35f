"""What the library says in the child of a fork, and when the process exits."""

from __future__ import annotations

import json

from programs import run_program
from reference_api import API_KEY
from samples import CALLS_ONLY


def test_client_of_the_parent_says_so():
    """Each function, in the child and in its child. A client that was closed before the fork is
    just closed."""
    program = """
import json, os, signal
import pbk, samples
from header import STATUS

OF_THE_PARENT = "The client belongs to the parent process: open a client after the fork"

def message(result):
    error = json.loads(result.reply)["error"]
    assert (result.status, error["code"]) == (STATUS["CLIENT_CLOSED"], "client_closed"), error
    return error["message"]

def check(parents, closed):
    for call, request in ((pbk.search, samples.search_request()), (pbk.book, samples.booking_request())):
        assert message(call(parents, request)) == OF_THE_PARENT
        assert message(call(closed, request)) == "The client is closed"
    assert message(pbk.pending_bookings(parents)) == OF_THE_PARENT
    assert pbk.library.pbk_client_close(parents, 0) == STATUS["CLIENT_CLOSED"]
    assert message(pbk.search(parents, samples.search_request())) == OF_THE_PARENT
    with pbk.Client(samples.SANDBOX) as own:
        assert own.search(samples.search_request()).status == 0
        return own.handle

closed = pbk.open_handle(samples.SANDBOX)
pbk.library.pbk_client_close(closed, 0)
with pbk.Client(samples.SANDBOX) as parents:
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        own = check(parents.handle, closed)
        assert message(pbk.search(own, samples.search_request())) == "The client is closed"
        grandchild = os.fork()
        if grandchild == 0:
            check(parents.handle, closed)
            os._exit(0)
        os._exit(os.waitpid(grandchild, 0)[1] and 1)
    assert os.waitpid(child, 0)[1] == 0
    assert parents.search(samples.search_request()).status == 0
"""
    done = run_program(program)
    assert done.returncode == 0, done.stderr


def test_exiting_process_says_so():
    """An exit handler that was registered before the library's runs after it."""
    program = """
import ctypes, os, sys
import pbk, samples
from header import STATUS

@ctypes.CFUNCTYPE(None, ctypes.c_void_p)
def late(_):
    try:
        pbk.open_handle(samples.SANDBOX)
    except pbk.OpenError as error:
        assert error.status == STATUS["RESOURCE_UNAVAILABLE"]
        os.write(1, pbk.json_get(error.reply, "/error/message"))
    os._exit(0)

libc = ctypes.CDLL(None)
assert libc.__cxa_atexit(late, None, None) == 0
client = pbk.Client(sys.argv[1])
libc.exit(1)
"""
    done = run_program(program, json.dumps({"api_key": API_KEY, "base_url": "http://127.0.0.1:1", **CALLS_ONLY}))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "The process is exiting: no new client can be opened"
