"""A client with a ledger and the processes around it: fork, and an interpreter that ends while a
batch is open."""

from __future__ import annotations

import os
import sys

import pytest
from python_package import run_program

BEGINNING = """
import asyncio, os, signal, sys, threading, time
from ledger_in_memory import FLEET, IMPATIENT, AsyncStore, Store
from python_package import booking
import partnerbooking as pb
asked = threading.Event()

class Hanging:
    def execute(self, operations):
        asked.set()
        time.sleep(3600)

class AsyncHanging:
    async def execute(self, operations):
        asked.set()
        await asyncio.sleep(3600)

def begin(client):
    try:
        client.create_booking(booking())
    except pb.JournalUnavailable:
        assert asked.is_set()
    else:
        sys.exit("booked")

async def begin_async(client):
    try:
        await client.create_booking(booking())
    except pb.JournalUnavailable:
        assert asked.is_set()
    else:
        sys.exit("booked")
"""

ENDS = {
    "plain": "client = pb.Client(**IMPATIENT, ledger=Hanging()); begin(client)",
    "plain, in a loop": "client = pb.AsyncClient(**IMPATIENT, ledger=Hanging()); asyncio.run(begin_async(client))",
    "coroutine": "client = pb.AsyncClient(**IMPATIENT, ledger=AsyncHanging()); asyncio.run(begin_async(client))",
    "a call under way": """
client = pb.Client(**FLEET, ledger=Hanging())
threading.Thread(target=client.create_booking, args=(booking(),), daemon=True).start()
assert asked.wait(20)
""",
    "nothing": "client = pb.Client(**FLEET, ledger=Store())",
    "in the ledger": """
class Busy(Store):
    def execute(self, operations):
        asked.set()
        while True:
            super().execute(operations)
client = pb.Client(**FLEET, ledger=Busy())
threading.Thread(target=client.create_booking, args=(booking(),), daemon=True).start()
assert asked.wait(20)
""",
}


def run(program: str) -> None:
    done = run_program(BEGINNING + program, options=("-X", "dev"), PYTHONPATH=os.pathsep.join(sys.path))
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr and "Fatal" not in done.stderr, done.stderr


@pytest.mark.parametrize("name", ENDS)
def test_interpreter_ends_while_a_batch_is_open(name):
    run(ENDS[name])


def test_fork():
    """The child's copies are closed, and no thread of theirs is waited for. It opens clients of its
    own."""
    run("""
async def own(store):
    async with pb.AsyncClient(**FLEET, ledger=AsyncStore(store)) as client:
        assert (await client.create_booking(booking())).id

async def parent(store):
    sync = pb.Client(**FLEET, ledger=store)
    async with pb.AsyncClient(**FLEET, ledger=AsyncStore(store)) as client:
        assert (await client.create_booking(booking(key="key-1"))).id
        child = os.fork()
        if child == 0:
            signal.alarm(20)  # a child that hangs dies of it
            try:
                assert sync.close() and await client.close()
                try:
                    sync.create_booking(booking())
                except pb.ClientClosed:
                    pass
                del sync
                threading.Thread(target=lambda: asyncio.run(own(Store()))).start()
            except BaseException:
                sys.excepthook(*sys.exc_info())
                os._exit(1)
            for thread in threading.enumerate():
                if thread is not threading.current_thread():
                    thread.join()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        # On a thread: the loop has the other client's batches to carry out.
        twin = await asyncio.to_thread(sync.create_booking, booking(key="key-1"))
        assert twin.json == (await client.create_booking(booking(key="key-1"))).json
    assert sync.close()

asyncio.run(parent(Store()))
""")
