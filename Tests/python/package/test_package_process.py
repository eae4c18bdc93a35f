"""The package and the processes around it: fork, spawn, forkserver, and an interpreter that ends with calls under
way."""

from __future__ import annotations

import json

import pytest
from fault_server import answer, http_reply, stall
from python_package import EXAMPLES, run_program
from reference_names import API_KEY
from samples import CALLS_ONLY, SANDBOX, SEARCH_REPLY

BEGINNING = """
import asyncio, gc, json, os, signal, sys, threading, warnings
import partnerbooking as pb
config = json.loads(sys.argv[1])
day = pb.SearchAvailabilityRequest("bot_1", "2030-01-14", "2030-01-14")
"""


def run(program: str, config: dict[str, object], *options: str) -> str:
    """In development mode, where Python tells of everything that was left behind."""
    done = run_program(BEGINNING + program, json.dumps(config), options=("-X", "dev", *options))
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr and "Fatal" not in done.stderr, done.stderr
    return done.stderr


def test_workers_of_each_start_method_open_clients_of_their_own():
    done = run_program(EXAMPLES / "worker_processes.py")
    assert done.returncode == 0, done.stderr
    counts = {line.split(" ", 1)[0]: line.split(" ", 1)[1] for line in done.stdout.splitlines()}
    assert set(counts) == {"fork", "spawn", "forkserver"} and len(set(counts.values())) == 1, done.stdout


def test_a_client_does_not_travel_to_a_worker():
    program = """
import concurrent.futures, multiprocessing
if __name__ == "__main__":
    with pb.Client(**config) as client, concurrent.futures.ProcessPoolExecutor(
        1, multiprocessing.get_context("spawn")
    ) as pool:
        try:
            pool.submit(client.search_availability, day).result()
        except TypeError as error:
            assert "open a client there" in str(error), error
        else:
            sys.exit("it travelled")
"""
    run(program, SANDBOX)


def test_an_error_travels_back_from_a_worker():
    program = """
import multiprocessing
def fail(_):
    with pb.Client(**config) as client:
        client.create_booking({"bot_id": "bot_1"})
with multiprocessing.get_context("fork").Pool(1) as pool:
    try:
        pool.map(fail, [1])
    except pb.InvalidField as error:
        assert (error.field, error.outcome) == ("idempotency_key", "not_sent"), error
    else:
        sys.exit("no error")
"""
    run(program, SANDBOX)


def test_fork_with_calls_under_way(start_faults):
    """The child's copies of the clients are closed and say so, also when they are closed and collected there; a client
    of its own works. Nothing of that disturbs the parent, whose loop shares its epoll with the child's copy."""
    server = start_faults(answer(http_reply(200, SEARCH_REPLY)))
    program = """
def check_child(sync, waiting, forgotten):
    warnings.simplefilter("error")
    try:
        sync.search_availability(day)
    except pb.ClientClosed as error:
        assert "fork" in str(error) and "open" in str(error).lower(), error
    assert sync.close()
    async def main():
        assert await waiting.close()
        async with pb.AsyncClient(**config) as own:
            assert (await own.search_availability(day)).availabilities
    asyncio.run(main())
    with pb.Client(**config) as own:
        assert own.search_availability(day).availabilities
    forgotten.clear()
    gc.collect()

async def parent():
    sync = pb.Client(**config, on_settled=print)
    forgotten = [pb.Client(**config), pb.AsyncClient(**config)]
    async with pb.AsyncClient(**config, on_settled=print) as waiting:
        calls = [asyncio.ensure_future(waiting.search_availability(day)) for _ in range(8)]
        await asyncio.sleep(0)
        for _ in range(3):
            child = os.fork()
            if child == 0:
                signal.alarm(20)  # a child that hangs dies of it
                try:
                    check_child(sync, waiting, forgotten)
                except BaseException:
                    sys.excepthook(*sys.exc_info())
                    os._exit(1)
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            assert (await waiting.search_availability(day)).availabilities
        for call in calls:
            assert (await call).availabilities
    assert sync.search_availability(day).availabilities
    sync.close()
    forgotten[0].close()
    await forgotten[1].close()

asyncio.run(parent())
"""
    run(program, {"api_key": API_KEY, "base_url": server.url, "timeout_ms": 20_000, **CALLS_ONLY})


ENDINGS = {
    "a thread waits": """
client = pb.Client(**config)
for _ in range(4):
    threading.Thread(target=client.search_availability, args=[day], daemon=True).start()
""",
    "a thread waits for reports": """
client = pb.Client(**config, on_settled=print)
""",
    "a task waits for reports": """
async def report(settled):
    await asyncio.sleep(60)
client = pb.AsyncClient(**config, on_settled=report)
async def main():
    await client.__aenter__()
    asyncio.ensure_future(client.search_availability(day))
    await asyncio.sleep(0.05)
asyncio.run(main())
""",
    "tasks wait": """
client = pb.AsyncClient(**config)
async def main():
    for _ in range(4):
        asyncio.ensure_future(client.search_availability(day))
    await asyncio.sleep(0.05)
asyncio.run(main())
""",
    "sys.exit in a task": """
client = pb.AsyncClient(**config)
async def main():
    asyncio.ensure_future(client.search_availability(day))
    await asyncio.sleep(0.05)
    sys.exit(0)
asyncio.run(main())
""",
    "a loop that was never closed": """
client = pb.AsyncClient(**config)
loop = asyncio.new_event_loop()
loop.create_task(client.search_availability(day))
loop.run_until_complete(asyncio.sleep(0.05))
import logging; logging.disable()  # asyncio's own complaint of the task
""",
    "in the middle of a with block": """
def call(client):
    try:
        client.search_availability(day)
    except pb.ClientClosed:
        pass
with pb.Client(**config) as client:
    threading.Thread(target=call, args=[client], daemon=True).start()
    sys.exit(0)
""",
    "a client in a cycle": """
client = pb.Client(**config)
client.itself = client
""",
}


@pytest.mark.parametrize("way", ENDINGS)
def test_the_interpreter_ends_with_calls_under_way(start_faults, way):
    """Whatever is left: no crash, no hanging, no word of a dead interpreter."""
    server = start_faults(stall())
    config = {"api_key": API_KEY, "base_url": server.url, "timeout_ms": 300_000}
    warned = run(ENDINGS[way], config)
    assert "Exception ignored" not in warned, warned


def test_ctrl_c_ends_an_awaited_call(start_faults):
    server = start_faults(stall())
    # What runs in the background of a shell ignores it at first.
    program = """
signal.signal(signal.SIGINT, signal.default_int_handler)
async def main():
    async with pb.AsyncClient(**config) as client:
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGINT)
        await client.search_availability(day)
try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
else:
    sys.exit("it went on")
"""
    run(program, {"api_key": API_KEY, "base_url": server.url, "timeout_ms": 300_000})


def test_without_a_descriptor_a_call_fails_and_does_not_wait_for_ever():
    program = """
import resource
async def main():
    client = pb.AsyncClient(**config)
    used = max(int(name) for name in os.listdir("/proc/self/fd"))
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    gaps = [os.open("/dev/null", os.O_RDONLY) for _ in range(used + 1 - len(os.listdir("/proc/self/fd")) + 8)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(gaps) + 1, hard))
    try:
        await client.search_availability(day)
    except OSError as error:
        assert "no descriptor is left" in str(error), error
    else:
        sys.exit("it found one")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    assert (await client.search_availability(day)).availabilities
    await client.close()
asyncio.run(main())
"""
    run(program, SANDBOX)
