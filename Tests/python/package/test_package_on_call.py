"""`on_call` of both clients: one `CallEnded` for each call that ends, and for each booking that is
settled later."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import json
import logging
import re
import threading
from typing import Any

import pytest
from fault_server import answer, http_reply
from header import ROOT
from python_package import booking, doubt, doubtful, errors, pb, run, search
from reference_names import API_KEY
from samples import BOT_ID, CALLS_ONLY, NAME, ONCE, PHONE, SANDBOX, SLEEPING
from waiting import SOON, wait_until

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACE = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
CLINIC: dict[str, Any] = {**SANDBOX, "voice": {"time_zone": "America/New_York", "region": "US"}}


def told(ended: pb.CallEnded) -> tuple[str, str, str | None, bool]:
    return ended.operation, ended.status, ended.outcome, ended.is_settled


# ---- Threads ---------------------------------------------------------------------------------------------------------


def test_a_success_is_told_on_the_callers_thread_before_the_call_returns():
    heard: list[tuple[pb.CallEnded, threading.Thread]] = []
    with pb.Client(**SANDBOX, on_call=lambda ended: heard.append((ended, threading.current_thread()))) as client:
        client.search_availability(search(tag="call-7", traceparent=TRACE))
        [(ended, thread)] = heard
    assert thread is threading.current_thread()
    assert told(ended) == ("search_availability", "ok", None, False)
    assert (ended.tag, ended.bot_id, ended.trace_id) == ("call-7", BOT_ID, TRACE_ID)
    assert ended.duration_ms > 0
    # The blocking functions return the reply alone.
    assert (ended.attempts, ended.timing, ended.code, ended.http_status, ended.idempotency_key) == (None,) * 5


def test_an_error_is_told_with_its_code_and_its_timing(start_faults):
    server = start_faults(answer(http_reply(409, b'{"error":{"code":"slot_unavailable","message":"gone"}}')))
    heard: list[pb.CallEnded] = []
    with pb.Client(api_key=API_KEY, base_url=server.url, **CALLS_ONLY, on_call=heard.append) as client:
        with pytest.raises(pb.SlotUnavailable) as refused:
            client.create_booking(booking(key="key-7"))
    [ended] = heard
    assert told(ended) == ("create_booking", "slot_unavailable", "rejected", False)
    assert (ended.code, ended.http_status, ended.attempts) == ("slot_unavailable", 409, 1)
    assert ended.timing == refused.value.timing and ended.duration_ms == ended.timing["total_us"] / 1000
    assert ended.idempotency_key == "key-7"


def test_a_request_that_is_refused_at_once_is_told():
    heard: list[pb.CallEnded] = []
    with pb.Client(**SANDBOX, on_call=heard.append) as client:
        for request in ({"bot_id": BOT_ID}, "{", "[]", b"\xff", {"bot_id": 7, "tag": 7}, "[" * 9999):
            with pytest.raises(pb.CallerError):
                client.create_booking(request)
    statuses = [ended.status.removeprefix("invalid_") for ended in heard]
    assert statuses == ["field", "json", "field", "json", "field", "json"]
    assert [ended.bot_id for ended in heard] == [BOT_ID, None, None, None, None, None]


def test_a_doubt_is_told_and_later_its_end():
    heard: list[pb.CallEnded] = []
    with pb.Client(**doubtful(), on_call=heard.append) as client:
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
        wait_until(lambda: len(heard) == 2)
        # The hook is for metrics: the program itself has not heard the end.
        assert [pending.state for pending in client.pending_bookings()] == ["booked"]
    assert [told(ended) for ended in heard] == [
        ("create_booking", "in_doubt", "unknown", False),
        ("create_booking", "ok", None, True),
    ]
    open_, settled = heard
    assert (settled.idempotency_key, settled.tag, settled.bot_id) == ("key-7", "call-7", BOT_ID)
    assert settled.attempts == 2 and settled.duration_ms > open_.duration_ms


def test_a_give_up_is_no_booking():
    heard: list[pb.CallEnded] = []
    with pb.Client(**SANDBOX, on_call=heard.append) as client:
        with pytest.raises(pb.NotRecorded):
            client.give_up("key-7")
    assert [told(ended) for ended in heard] == [("give_up", "not_recorded", "unknown", False)]


# ---- asyncio ---------------------------------------------------------------------------------------------------------


def test_calls_of_asyncio_are_told_with_their_timing_in_the_callers_context():
    caller: contextvars.ContextVar[str] = contextvars.ContextVar("caller")
    heard: dict[str, pb.CallEnded] = {}

    async def one(client: pb.AsyncClient, name: str) -> None:
        caller.set(name)
        found = await client.search_availability(search(tag=name))
        assert heard[name].timing == found.timing and heard[name].attempts == 1
        assert heard[name].duration_ms == found.timing["total_us"] / 1000

    async def main() -> None:
        async with pb.AsyncClient(**SANDBOX, on_call=lambda ended: heard.update({caller.get(): ended})) as client:
            await asyncio.gather(*(one(client, f"call-{number}") for number in range(8)))

    run(main())
    assert {name: ended.tag for name, ended in heard.items()} == {f"call-{one}": f"call-{one}" for one in range(8)}


@pytest.mark.parametrize("detach", [False, True])
def test_a_call_whose_task_was_cancelled_is_told_when_it_ends(detach):
    heard: list[pb.CallEnded] = []
    config = {**SANDBOX, "sandbox": {**SANDBOX["sandbox"], "latency_ms": 300}}

    async def main() -> None:
        async with pb.AsyncClient(**config, on_call=heard.append) as client:
            task = asyncio.ensure_future(client.create_booking(booking(key="key-7", detach=detach)))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(wait_until, lambda: heard and heard[-1].status == "ok")

    run(main())
    if detach:
        assert [told(ended) for ended in heard] == [("create_booking", "ok", None, False)]
    else:
        assert told(heard[0]) == ("create_booking", "cancelled", "unknown", False)
        assert told(heard[1]) == ("create_booking", "ok", None, True) and heard[1].bot_id == BOT_ID
    assert {ended.idempotency_key for ended in heard} == {"key-7"}


def test_calls_that_a_full_queue_or_a_close_ends_are_told():
    heard: list[pb.CallEnded] = []

    async def main() -> None:
        client = pb.AsyncClient(**SLEEPING, max_in_flight=1, max_queued=0, on_call=heard.append)
        waiting = asyncio.ensure_future(client.search_availability(search()))
        await asyncio.sleep(0)
        with pytest.raises(pb.QueueFull):
            await client.search_availability(search())
        await client.close(0)
        with pytest.raises(pb.ClientClosed):
            await waiting

    run(main())
    assert [ended.status for ended in heard] == ["queue_full", "client_closed"]


def test_a_report_is_told_beside_on_settled():
    heard: list[pb.CallEnded] = []
    settled: list[pb.Settled] = []

    async def main() -> None:
        async with pb.AsyncClient(**doubtful(), on_call=heard.append, on_settled=settled.append) as client:
            with pytest.raises(pb.InDoubt):
                await client.create_booking(doubt())
            await asyncio.to_thread(wait_until, lambda: settled)
            assert client.pending_bookings() == []  # on_settled has heard it

    run(main())
    assert [told(ended)[1:] for ended in heard] == [("in_doubt", "unknown", False), ("ok", None, True)]


# ---- Tool calls ------------------------------------------------------------------------------------------------------


def test_tool_calls_are_told_with_their_result():
    heard: list[pb.CallEnded] = []
    with pb.Client(**CLINIC, on_call=heard.append) as client:
        with client.conversation("call-7", BOT_ID, "+12125550123") as conversation:
            slot = conversation.call("find_appointment_slots", {"when": "tomorrow"}).slots[0].slot
            wish = {"slot": slot, "name": NAME, "caller_confirmed": True}
            booked = conversation.call("book_appointment", wish, tag="turn-3")
            conversation.call(f"book {NAME}", {})
    assert [(ended.operation, ended.status, ended.tool, ended.result) for ended in heard] == [
        ("call_tool", "ok", "find_appointment_slots", "offered"),
        ("call_tool", "ok", "book_appointment", "booked"),
        ("call_tool", "ok", "other", "invalid"),  # the model may have written anything
    ]
    assert (heard[1].idempotency_key, heard[1].tag, heard[1].bot_id) == (booked.idempotency_key, "turn-3", BOT_ID)
    assert [ended.tool_status for ended in heard] == [None, None, None]


def test_a_tool_call_tells_why_its_search_failed():
    heard: list[pb.CallEnded] = []
    faults = [{"fault": "error", "status": 503, "operation": "search_availability"}]
    config = {**CLINIC, "sandbox": {**CLINIC["sandbox"], "faults": faults}, "retry": ONCE}

    async def main() -> None:
        async with pb.AsyncClient(**config, on_call=heard.append) as client:
            result = await client.conversation("call-7", BOT_ID).call("find_appointment_slots", {"when": "tomorrow"})
            assert result.result == "failed"

    run(main())
    [ended] = heard
    assert (ended.status, ended.result, ended.tool_status, ended.http_status) == ("ok", "failed", "service_failed", 503)


# ---- The hook --------------------------------------------------------------------------------------------------------


def test_a_hook_that_raises_is_logged_and_nobody_else_notices(caplog):
    def fail(ended: pb.CallEnded) -> None:
        raise RuntimeError("the hook's own mistake")

    async def main() -> None:
        async with pb.AsyncClient(**doubtful(), on_call=fail) as client:
            assert (await client.search_availability(search())).availabilities
            with pytest.raises(pb.InvalidField):
                await client.create_booking({"bot_id": BOT_ID})

    run(main())
    with pb.Client(**SANDBOX, on_call=fail) as client:
        assert client.search_availability(search()).availabilities
    assert [(record.name, record.levelno) for record in caplog.records] == [("partnerbooking", logging.ERROR)] * 3
    assert "the hook's own mistake" in caplog.text


def test_a_coroutine_function_is_refused():
    async def hook(ended: pb.CallEnded) -> None: ...

    with pytest.raises(TypeError, match="plain function"):
        pb.Client(**SANDBOX, on_call=hook)
    with pytest.raises(TypeError, match="plain function"):
        pb.AsyncClient(**SANDBOX, on_call=hook)


def test_without_a_hook_nothing_is_built(monkeypatch):
    monkeypatch.setattr("partnerbooking._watch.Call.__init__", None)
    monkeypatch.setattr("partnerbooking._watch.Watch.__init__", None)
    with pb.Client(**doubtful()) as client:
        with pytest.raises(pb.InDoubt):
            client.create_booking(doubt())
        assert "pbk-settled" not in {thread.name for thread in threading.enumerate()}

    async def main() -> None:
        async with pb.AsyncClient(**SANDBOX) as client:
            await client.search_availability(search())

    run(main())


def test_nothing_in_it_names_the_caller_or_a_key(start_faults):
    """Also when the platform's refusal does."""
    message = f"{NAME} ({PHONE}) is blocked: {API_KEY}"
    refusal = {"error": {"code": "customer_blocked", "message": message}, "name": NAME}
    server = start_faults(*[answer(http_reply(422, json.dumps(refusal).encode()))] * 2)
    heard: list[pb.CallEnded] = []
    config = {"api_key": API_KEY, "base_url": server.url, **CALLS_ONLY, "voice": CLINIC["voice"]}
    with pb.Client(**config, on_call=heard.append) as client:
        with pytest.raises(pb.Refused):
            client.create_booking(booking(notes="Needs a wheelchair"))
        client.conversation("call-7", BOT_ID, PHONE).call("find_appointment_slots", {"when": f"when {NAME} can"})
        with pytest.raises(pb.InvalidField):
            client.create_booking({"bot_id": BOT_ID, "idempotency_key": "k", "booking": {"customer": {"phone": PHONE}}})
    text = repr(heard) + json.dumps([dataclasses.asdict(ended) for ended in heard])
    assert "customer_blocked" in text and '"http_status": 422' in text
    for private in (API_KEY, NAME, NAME.split()[0], PHONE, "wheelchair", "johanna@example.com"):
        assert private not in text


def test_statuses_are_the_headers_own():
    header = (ROOT / "include" / "partnerbooking.h").read_text()
    enumeration = re.search(r"typedef enum pbk_status \{(.*?)\} pbk_status;", header, re.DOTALL)[1]
    declared = {int(number): name.lower() for name, number in re.findall(r"PBK_(\w+) = (\d+)", enumeration)}
    assert {number: errors.word(number) for number in declared} == declared and len(declared) > 30
    assert errors.word(12345) == "other"


def test_each_settled_booking_needs_a_place_for_a_while_only(monkeypatch):
    monkeypatch.setattr("partnerbooking._watch._MOST_OPEN", 2)
    heard: list[pb.CallEnded] = []
    with pb.Client(**doubtful(1, 2, 3), on_call=heard.append) as client:
        for number in range(3):
            with pytest.raises(pb.InDoubt):
                client.create_booking(doubt(f"key-{number}"))
        wait_until(lambda: len(heard) == 6, SOON)
    settled = {ended.idempotency_key: ended.bot_id for ended in heard if ended.is_settled}
    assert settled == {"key-0": None, "key-1": BOT_ID, "key-2": BOT_ID}
