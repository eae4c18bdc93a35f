"""Watching changes no call: hooks that raise, requests that are no object, and loops that are
closed."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from partnerbooking import _watch, otel
from python_package import booking, doubt, doubtful, pb, run, search
from samples import BOT_ID, SANDBOX, SLEEPING
from waiting import SOON, wait_until

CLINIC: dict[str, Any] = {**SANDBOX, "voice": {"time_zone": "America/New_York", "region": "US"}}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


class Setter:
    """A watcher that sets a `traceparent`, as spans do."""

    def __init__(self, traceparent: Any = TRACE) -> None:
        self._traceparent = traceparent
        self.heard: list[pb.CallEnded] = []

    def begin(self, call: _watch.Begun) -> _watch.End:
        call.traceparent = self._traceparent
        return lambda ended, ended_ns: self.heard.append(ended)

    def settled(self, ended: pb.CallEnded) -> None:
        self.heard.append(ended)


def raising(kind: type[BaseException]) -> Any:
    def on_call(ended: pb.CallEnded) -> None:
        raise kind

    return on_call


@pytest.fixture
def loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def finished(loop: asyncio.AbstractEventLoop, *tasks: asyncio.Task[Any]) -> int:
    """Runs the loop until these tasks are done. How often something ended its run before."""
    exits, deadline = 0, time.monotonic() + SOON
    while not all(task.done() for task in tasks):
        assert time.monotonic() < deadline
        try:
            loop.run_until_complete(asyncio.sleep(0.01))
        except (SystemExit, KeyboardInterrupt):
            exits += 1
    for task in tasks:
        task.exception()  # has been looked at
    return exits


def open_calls(client: pb.AsyncClient | pb.Client) -> int:
    """Those whose completion is not freed count, too."""
    return client.stats().open_calls


# ---- Hooks that raise ------------------------------------------------------------------------------------------------


def test_a_cancelled_error_of_the_hook_is_logged_and_nobody_else_notices(caplog):
    settled: list[pb.Settled] = []
    config = {"on_call": raising(asyncio.CancelledError), "on_settled": settled.append}

    async def main() -> None:
        async with pb.AsyncClient(**doubtful(), **config) as client:
            assert (await client.search_availability(search())).availabilities
            with pytest.raises(pb.InvalidField):
                await client.create_booking({"bot_id": BOT_ID})
            with pytest.raises(pb.InDoubt):
                await client.create_booking(doubt())
            await asyncio.to_thread(wait_until, lambda: settled)
            assert open_calls(client) == 0

    run(main())
    with pb.Client(**SANDBOX, on_call=config["on_call"]) as client:
        assert client.search_availability(search()).availabilities
    own = [record.levelno for record in caplog.records if record.name == "partnerbooking"]
    assert own == [logging.ERROR] * 5


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_a_hook_that_ends_the_loop_loses_no_call(kind, loop):
    """The loop ends, or its exception handler is told. The end is there for the loop's next run."""
    loop.set_exception_handler(lambda loop, context: None)
    client = pb.AsyncClient(**SANDBOX, on_call=raising(kind))
    call = loop.create_task(client.create_booking(booking(key="key-7")))
    assert finished(loop, call) == (0 if kind is GeneratorExit else 1)
    assert call.result().id and open_calls(client) == 0
    assert finished(loop, loop.create_task(client.close(0))) == 0


def test_a_hook_that_exits_while_the_client_closes_ends_every_call(loop):
    heard: list[str] = []

    def on_call(ended: pb.CallEnded) -> None:
        heard.append(ended.status)
        raise SystemExit

    # Completions are taken 256 at a time.
    client = pb.AsyncClient(**SLEEPING, max_in_flight=512, on_call=on_call)
    calls = [loop.create_task(client.search_availability(search(f"bot-{one}"))) for one in range(300)]
    loop.run_until_complete(asyncio.sleep(0))
    assert finished(loop, loop.create_task(client.close(0))) > 0
    finished(loop, *calls)
    assert {type(call.exception()) for call in calls} == {pb.ClientClosed} and heard == ["client_closed"] * 300


@pytest.mark.parametrize("kind", [SystemExit, asyncio.CancelledError])
def test_a_report_reaches_on_settled_after_a_hook_that_raises(kind, loop):
    """From both clients. The reports after the first one, too."""
    settled: list[pb.Settled] = []
    with pb.Client(**doubtful(1, 2), on_call=only_settled(kind), on_settled=settled.append) as client:
        for number in range(2):
            with pytest.raises(pb.InDoubt):
                client.create_booking(doubt(f"key-{number}"))
        wait_until(lambda: len(settled) == 2)
        wait_until(lambda: client.pending_bookings() == [])

    async def reported() -> None:
        while len(settled) < 4:
            await asyncio.sleep(0.01)

    client = pb.AsyncClient(**doubtful(1, 2), on_call=only_settled(kind), on_settled=settled.append)
    calls = [loop.create_task(client.create_booking(doubt(f"key-{number}"))) for number in range(2)]
    finished(loop, *calls)
    assert {type(call.exception()) for call in calls} == {pb.InDoubt}
    assert finished(loop, loop.create_task(reported())) == (2 if kind is SystemExit else 0)
    assert client.pending_bookings() == []
    assert finished(loop, loop.create_task(client.close(0))) == 0


def only_settled(kind: type[BaseException]) -> Any:
    def on_call(ended: pb.CallEnded) -> None:
        if ended.is_settled:
            raise kind

    return on_call


def test_other_watchers_are_told_after_one_that_exits():
    watcher = Setter()
    with pb.Client(**doubtful(), on_call=raising(SystemExit)) as client:
        client._add_watcher(watcher)
        with pytest.raises(SystemExit):
            client.create_booking(doubt())
        wait_until(lambda: len(watcher.heard) == 2)
    assert [ended.status for ended in watcher.heard] == ["in_doubt", "ok"]


# ---- Requests that are no object -------------------------------------------------------------------------------------


def refusal(request: Any, watcher: Any = None) -> tuple[type[BaseException], str]:
    with pb.Client(**SANDBOX) as client:
        if watcher is not None:
            client._add_watcher(watcher)
        with pytest.raises(pb.Error) as refused:
            client.search_availability(request)
    return refused.type, str(refused.value)


@pytest.mark.parametrize(
    "request_",
    ["", " ", "[1]", "null", "7", '"a{b"', "a{b", "{", "}", "{}", "{ }", "{]", b"\xff{"]
    + ['{"bot_id":NaN}', '{"bot_id":7,}', '{"bot_id":7,"bot_id":8}', '{"bot_id":"b"} {"x":1}'],
)
def test_a_watcher_changes_no_refusal(request_):
    watcher = Setter()
    assert refusal(request_, watcher) == refusal(request_)
    assert len(watcher.heard) == 1


@pytest.mark.parametrize("request_", [b"{}", b" { }\n", b'{"a":1}', b'{"a":"{"}', b'{"a":"}"} ', b'{"a":{}}'])
def test_the_member_is_added_to_an_object(request_):
    added = _watch.with_traceparent(request_, TRACE)
    members = _watch.parsed(request_)
    assert _watch.parsed(added) == {**members, "traceparent": TRACE}
    assert added.startswith(request_[: request_.rindex(b"}")])


@pytest.mark.parametrize("traceparent", [7, ["00"], "", '"', "\udc80", "00-zz", TRACE + "\n"])
def test_a_traceparent_that_is_none_is_not_sent(traceparent):
    watcher = Setter(traceparent)
    with pb.Client(**SANDBOX) as client:
        client._add_watcher(watcher)
        assert client.search_availability(search()).availabilities
    assert [(ended.status, ended.trace_id) for ended in watcher.heard] == [("ok", None)]


@pytest.mark.parametrize("tool", [["x"], {"x": 1}, 7, None, "x"])
def test_a_tool_may_have_any_name(tool):
    """As the library sees it: the name is the model's."""
    heard: list[pb.CallEnded] = []

    def result(**options: Any) -> Any:
        with pb.Client(**CLINIC, **options) as client:
            try:
                return client.conversation("call-7", BOT_ID).call(tool, {})
            except pb.Error as error:
                return type(error), str(error)

    assert result(on_call=heard.append) == result()
    assert [ended.tool for ended in heard] == ["other"]


# ---- A loop that is closed -------------------------------------------------------------------------------------------


def test_calls_of_a_loop_that_was_closed_are_told_by_the_close():
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    heard: list[pb.CallEnded] = []
    client = pb.AsyncClient(**SLEEPING, on_call=heard.append)
    otel.instrument(client, provider)

    async def begin() -> list[asyncio.Task[Any]]:
        calls = [client.search_availability(search(tag="call-1"), on_slow=list), client.create_booking(booking())]
        tasks = [asyncio.ensure_future(call) for call in calls]
        await asyncio.sleep(0)
        return tasks

    loop = asyncio.new_event_loop()
    tasks = loop.run_until_complete(begin())
    loop.close()
    assert heard == [] and exporter.get_finished_spans() == ()
    run(client.close())
    assert [(ended.operation, ended.status) for ended in heard] == [
        ("search_availability", "client_closed"),
        ("create_booking", "client_closed"),
    ]
    assert heard[0].tag == "call-1" and heard[0].timing
    assert [span.attributes["partnerbooking.status"] for span in exporter.get_finished_spans()] == ["client_closed"] * 2
    for task in tasks:
        assert not task.done()
        task._log_destroy_pending = False  # type: ignore[attr-defined]


def test_a_task_that_the_end_of_its_loop_cancelled_is_told_by_the_close():
    heard: list[pb.CallEnded] = []
    client = pb.AsyncClient(**SLEEPING, on_call=heard.append)

    async def begin() -> None:
        client.task = asyncio.ensure_future(client.search_availability(search()))  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    asyncio.run(begin())
    run(client.close())
    assert len(heard) == 1 and re.fullmatch("cancelled|client_closed", heard[0].status)
