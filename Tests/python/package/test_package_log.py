"""`set_log` of both clients: the library's log as records of a logger."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from fault_server import answer, close_at_once, http_reply
from python_package import booking, doubt, doubtful, is_closed, pb, run, run_program, search
from reference_names import API_KEY
from samples import BOT_ID, CALLS_ONLY, NAME, PHONE, QUICK, SANDBOX
from waiting import SOON, wait_until


class Records(logging.Handler):
    """Keeps the records of a logger of the test's own."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self.all: list[logging.LogRecord] = []
        self.threads: set[str] = set()
        self.logger = logging.Logger("test", level)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.all.append(record)
        self.threads.add(threading.current_thread().name)

    def of(self, event: str) -> list[logging.LogRecord]:
        return [record for record in self.all if record.partnerbooking["event"] == event]


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def test_lines_are_records_of_a_logger():
    records = Records(logging.DEBUG)
    with pb.Client(**doubtful()) as client:
        client.set_log(records.logger)
        client.search_availability(search(tag="call-6"))
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
    found, booked = records.of("call_ended")
    assert (found.levelno, found.levelname, found.name) == (logging.DEBUG, "DEBUG", "test")
    assert booked.levelno == logging.WARNING
    assert found.partnerbooking["tag"] == "call-6" and booked.partnerbooking["status"] == "in_doubt"
    assert found.created == found.partnerbooking["at"] / 1000 and found.msecs == found.partnerbooking["at"] % 1000
    took = f"after {booked.partnerbooking['total_ms']} ms"
    assert booked.getMessage() == f"create_booking ended: in_doubt, unknown, {took}, 1 attempt (tag call-7)"
    assert records.threads == {"pbk-log"} and "pbk-log" not in threads()


def test_the_logger_of_the_packages_name_is_the_usual_one(caplog):
    caplog.set_level(logging.INFO, "partnerbooking")

    async def main() -> None:
        async with pb.AsyncClient(**doubtful()) as client:
            client.set_log()
            with pytest.raises(pb.InDoubt):
                await client.create_booking(doubt())

    run(main())
    assert "call_ended" in {record.partnerbooking["event"] for record in caplog.records}
    assert {record.name for record in caplog.records} == {"partnerbooking"}


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL])
def test_the_loggers_level_decides_what_the_library_writes(level):
    records = Records(level)
    with pb.Client(**doubtful()) as client:
        client.set_log(records.logger)
        records.logger.setLevel(logging.DEBUG)  # later is too late
        client.search_availability(search())
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
    levels = {record.levelno for record in records.all}
    assert all(found >= level for found in levels)
    assert (logging.WARNING in levels) == (level <= logging.WARNING)
    assert (logging.DEBUG in levels) == (level == logging.DEBUG)


def test_the_level_of_a_parent_decides_for_a_logger_without_one(caplog):
    caplog.set_level(logging.WARNING, "engine")
    with pb.Client(**doubtful()) as client:
        client.set_log("engine.bookings")
        caplog.set_level(logging.DEBUG, "engine")
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
    assert {(record.name, record.levelno) for record in caplog.records} == {("engine.bookings", logging.WARNING)}


def test_a_level_may_be_given_and_the_logger_filters_still():
    records = Records(logging.DEBUG)
    with pb.Client(**doubtful()) as client:
        client.set_log(records.logger, logging.WARNING)
        client.search_availability(search())
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
    assert {record.levelno for record in records.all} == {logging.WARNING}


def test_it_can_be_switched_off_and_to_another_logger():
    first, second = Records(logging.DEBUG), Records(logging.DEBUG)
    with pb.Client(**SANDBOX) as client:
        client.set_log(None)  # it is off
        client.set_log(first.logger)
        client.search_availability(search())
        client.set_log(second.logger)
        client.search_availability(search())
        client.set_log(None)
        assert "pbk-log" not in threads()
        client.search_availability(search())
    assert len(first.of("call_ended")) == len(second.of("call_ended")) == 1


def test_a_closed_client_has_no_log():
    with pb.Client(**SANDBOX) as client:
        pass
    with pytest.raises(pb.ClientClosed):
        client.set_log(Records(logging.DEBUG).logger)
    client.set_log(None)
    assert "pbk-log" not in threads()


def test_two_clients_have_logs_of_their_own():
    logs = [Records(logging.DEBUG), Records(logging.DEBUG)]
    with pb.Client(**SANDBOX) as first, pb.Client(**SANDBOX) as second:
        first.set_log(logs[0].logger)
        second.set_log(logs[1].logger)
        first.search_availability(search(tag="one"))
        second.search_availability(search(tag="two"))
    assert [[one.partnerbooking["tag"] for one in log.of("call_ended")] for log in logs] == [["one"], ["two"]]


# ---- Handlers --------------------------------------------------------------------------------------------------------


def test_a_slow_handler_holds_no_call_up_and_costs_lines(monkeypatch):
    monkeypatch.setattr("partnerbooking._log._MOST_WAITING", 3)
    monkeypatch.setattr("partnerbooking._log._FLUSH_SECONDS", SOON)
    go_on = threading.Event()
    records = Records(logging.DEBUG)
    records.addFilter(lambda record: go_on.wait(SOON))
    with pb.Client(**SANDBOX) as client:
        client.set_log(records.logger)
        for _ in range(50):
            client.search_availability(search())  # returns, although the handler does not
        go_on.set()
        wait_until(lambda: len(records.all) >= 4)
        client.search_availability(search())
    lost = [record.partnerbooking["lost"] for record in records.all if "lost" in record.partnerbooking]
    assert sum(lost) + len(records.all) >= 51 and len(records.all) < 51


def test_a_handler_that_fails_is_reported_and_the_log_goes_on(monkeypatch):
    reported: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    records = Records(logging.DEBUG)

    def fail(record: logging.LogRecord) -> bool:
        if record.partnerbooking.get("tag") == "bad":
            raise RuntimeError("the filter's own mistake")
        return True

    records.addFilter(fail)
    with pb.Client(**SANDBOX) as client:
        client.set_log(records.logger)
        client.search_availability(search(tag="bad"))
        client.search_availability(search(tag="good"))
    assert {str(one.exc_value) for one in reported} == {"the filter's own mistake"}
    assert [record.partnerbooking["tag"] for record in records.of("call_ended")] == ["good"]


@pytest.mark.parametrize("act", [lambda client: client.close(0), lambda client: client.set_log(None)])
def test_a_handler_may_end_the_log(act: Callable[[pb.Client], None]):
    records = Records(logging.DEBUG)
    done = threading.Event()
    with pb.Client(**SANDBOX) as client:

        def end(record: logging.LogRecord) -> bool:
            act(client)
            done.set()
            return True

        records.addFilter(end)
        client.set_log(records.logger)
        client.search_availability(search())
        assert done.wait(SOON)
    wait_until(lambda: "pbk-log" not in threads())


def test_many_threads_call_and_log_and_switch_at_once():
    """Nobody waits for anybody: the library's threads for the interpreter, or this for them."""
    records = Records(logging.DEBUG)
    with pb.Client(**SANDBOX, voice={"time_zone": "America/New_York"}) as client:

        def work(number: int) -> None:
            for turn in range(40):
                client.search_availability(search(tag=f"{number}-{turn}"))
                client.stats()
                client.pending_bookings()
                client.conversation(f"call-{number}", BOT_ID).call("find_appointment_slots", {"when": "tomorrow"})
                if number == 0:
                    client.set_log(records.logger if turn % 2 == 0 else None)

        workers = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(6)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(SOON)
        assert not any(worker.is_alive() for worker in workers)
    assert records.all and "pbk-log" not in threads()


def test_nothing_in_the_log_names_the_caller_or_a_key(start_faults):
    refusal = {"error": {"code": "customer_blocked", "message": f"{NAME} ({PHONE}) is blocked"}, "name": NAME}
    refuse = answer(http_reply(422, json.dumps(refusal).encode()))
    server = start_faults(close_at_once(), refuse, refuse)
    records = Records(logging.DEBUG)
    config = {"api_key": API_KEY, "base_url": server.url, **CALLS_ONLY, "retry": {"max_attempts": 2, **QUICK}}
    with pb.Client(**config) as client:
        client.set_log(records.logger)
        with pytest.raises(pb.Refused):
            client.search_availability(search())
        with pytest.raises(pb.Refused):
            client.create_booking(booking(key="key-7", notes="Needs a wheelchair", conversation="call-7"))
        with pytest.raises(pb.InvalidField):
            client.create_booking({"bot_id": BOT_ID, "idempotency_key": "k", "booking": {"customer": {"phone": PHONE}}})
    text = "".join(f"{record.getMessage()} {record.partnerbooking}\n" for record in records.all)
    assert {"retry", "attempt_ended", "call_ended"} <= {record.partnerbooking["event"] for record in records.all}
    for private in (API_KEY, NAME, PHONE, "wheelchair", "johanna@example.com", "key-7"):
        assert private not in text


# ---- Processes -------------------------------------------------------------------------------------------------------

PROGRAM = """
import gc, json, logging, os, sys, threading, time
import partnerbooking as pb
logging.basicConfig(level=logging.DEBUG, format="%(message)s", stream=sys.stdout)
config = json.loads(sys.argv[1])
day = pb.SearchAvailabilityRequest("bot_1", "2030-01-14T09:00:00Z", "2030-01-14T17:00:00Z")
"""


def program(text: str, config: dict[str, Any] = SANDBOX) -> str:
    done = run_program(PROGRAM + text, json.dumps(config), options=("-X", "dev"))
    assert done.returncode == 0, (done.returncode, done.stdout[-2000:], done.stderr[-2000:])
    assert "Traceback" not in done.stderr and "Fatal" not in done.stderr, done.stderr
    return done.stdout


def test_an_interpreter_may_end_while_lines_come():
    """Daemon threads are in the middle of calls, and the library is in the middle of lines."""
    text = """
client = pb.Client(**config)
client.set_log()
def work():
    while True:
        client.search_availability(day)
for _ in range(4):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
client._finalizer.detach()
"""
    for _ in range(5):
        assert "search_availability ended: ok" in program(text)


def test_the_last_lines_are_written_at_exit():
    text = """
client = pb.Client(**config)
client.set_log()
client.search_availability(day)
client._finalizer.detach()
"""
    assert "search_availability ended: ok" in program(text)


def test_a_fork_leaves_the_log_to_the_parent():
    text = """
client = pb.Client(**config)
client.set_log()
client.search_availability(day)
child = os.fork()
if child == 0:
    assert not pb._log._sinks and "pbk-log" not in {thread.name for thread in threading.enumerate()}
    try:
        client.set_log()
    except pb.ClientClosed:
        pass
    client.close()
    with pb.Client(**config) as own:
        own.set_log()
        own.search_availability(day)
    print("child is done", flush=True)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
client.search_availability(day)
client.close()
"""
    lines = program(text).splitlines()
    assert "child is done" in lines and len([line for line in lines if "search_availability ended" in line]) == 3


def test_a_client_that_nobody_closed_ends_its_log():
    records = Records(logging.DEBUG)
    client = pb.Client(**SANDBOX)
    client.set_log(records.logger)
    client.search_availability(search())
    with pytest.warns(ResourceWarning):
        del client
        gc.collect()
    wait_until(lambda: "pbk-log" not in threads())
    assert records.of("call_ended")


@pytest.mark.filterwarnings("ignore:a Client was not closed")
def test_a_client_that_is_collected_in_the_callback_is_closed(monkeypatch):
    """Python collects garbage on any thread. On the library's a close is refused, and another
    thread makes it."""
    forgotten = [pb.Client(**SANDBOX)]
    handle, put = forgotten[0]._handle, pb._log._Sink.put

    def collect(self: Any, level: int, line: bytes) -> None:
        forgotten.clear()
        put(self, level, line)

    monkeypatch.setattr(pb._log._Sink, "put", collect)
    with pb.Client(**SANDBOX) as client:
        client.set_log(Records(logging.DEBUG).logger)
        client.search_availability(search())
        wait_until(lambda: is_closed(handle))
    assert not forgotten


def test_asyncio_closes_it():
    records = Records(logging.DEBUG)

    async def main() -> None:
        async with pb.AsyncClient(**SANDBOX) as client:
            client.set_log(records.logger)
            await asyncio.gather(*(client.search_availability(search()) for _ in range(20)))

    run(main())
    assert len(records.of("call_ended")) == 20 and "pbk-log" not in threads()
