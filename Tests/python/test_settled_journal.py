"""Bookings that are settled after their calls: at the close of their client, and with a journal."""

from __future__ import annotations

import threading
import time

import pbk
import pytest
from completions import ByQueue, nothing_comes, settled
from contract import failure, in_doubt
from fault_server import answer, answer_once, answer_when, stall, swallow_request
from header import STATUS
from ledger import AT_ONCE, BOOKED, FAILED, REPORTED, listed, resume, unsettled, with_journal
from samples import BOOKING_REPLY, READS_ONLY, booking_request
from services import config_for
from waiting import SOON, SOON_MS

# The close


def test_close_waits_for_what_goes_on(start_faults, open_client):
    """As long as it takes, and no longer."""
    server = start_faults(answer_once(FAILED), answer(BOOKED))
    client = open_client(config_for(server))
    in_doubt(client.book(booking_request(key="k", **AT_ONCE)), 503, "http_error")
    started = time.monotonic()
    assert client.close(SOON_MS) == STATUS["OK"]
    assert time.monotonic() - started < SOON / 2
    assert server.keys() == ["k", "k"]


def test_no_report_comes_after_the_close(start_faults, open_client):
    """But those that came before can be taken."""
    told = threading.Event()
    server = start_faults(answer_when(told, BOOKED))
    client = open_client(config_for(server), **REPORTED)
    failure(client.book(booking_request(timeout_ms=300)), "TIMEOUT")
    client.close(0)
    told.set()
    assert client.next_completion(0) == (STATUS["CLIENT_CLOSED"], None)
    other = open_client(config_for(start_faults(answer_once(FAILED), answer(BOOKED))), **REPORTED)
    in_doubt(other.book(booking_request(key="k", **AT_ONCE)), 503, "http_error")
    assert other.close(SOON_MS) == STATUS["OK"]
    assert settled(other).key == "k"
    assert other.next_completion(0) == (STATUS["CLIENT_CLOSED"], None)


# With a journal


def test_what_is_open_at_the_close_is_in_the_journal(start_faults, open_client, tmp_path):
    server = start_faults(swallow_request(), swallow_request(), answer(BOOKED))
    with pbk.Client(with_journal(config_for(server), tmp_path)) as first:
        in_doubt(first.book(booking_request(key="k", **AT_ONCE)), None, "connection_lost")
        assert first.close(100) == STATUS["OK"]
    sent = len(server.keys())
    second = open_client(with_journal(config_for(server), tmp_path))
    assert [(booking["idempotency_key"], booking["state"]) for booking in listed(second)] == [("k", "in_doubt")]
    assert len(server.keys()) == sent
    assert second.book({**resume("k"), "timeout_ms": 30_000}) == (STATUS["OK"], BOOKING_REPLY)


def test_what_the_opening_settles_is_reported(start_faults, open_client, tmp_path):
    server = start_faults(swallow_request(), answer(BOOKED))
    with pbk.Client(with_journal(config_for(server), tmp_path, **READS_ONLY)) as first:
        in_doubt(first.book(booking_request(key="k", tag="call-7", **AT_ONCE)), None, "connection_lost")
    second = open_client(with_journal(config_for(server), tmp_path, resume_on_open=True, **REPORTED))
    report = settled(second)
    assert (report.key, report.status, report.reply) == ("k", STATUS["OK"], BOOKING_REPLY)
    assert listed(second) == [] and nothing_comes(second)


def test_settled_in_the_background_is_settled_in_the_journal(start_faults, open_client, tmp_path):
    server = start_faults(answer_once(FAILED), answer(BOOKED))
    request = booking_request(key="k")
    with pbk.Client(with_journal(config_for(server), tmp_path, **REPORTED)) as first:
        in_doubt(first.book({**request, **AT_ONCE}), 503, "http_error")
        assert settled(first).key == "k"
        assert first.close(SOON_MS) == STATUS["OK"]
    sent = len(server.keys())
    second = open_client(with_journal(config_for(server), tmp_path, resume_on_open=True))
    assert listed(second) == []
    assert second.book(request) == (STATUS["OK"], BOOKING_REPLY)
    assert len(server.keys()) == sent


@pytest.mark.parametrize("moment", ["sent", "pausing"])
def test_cancelled_booking_is_not_resumed_by_the_opening(start_faults, open_client, tmp_path, moment):
    """The caller may have withdrawn the wish. It is listed, and a host that wants it after all asks for it."""
    server = start_faults(swallow_request() if moment == "pausing" else stall(), answer(BOOKED))
    with pbk.Client(with_journal(config_for(server), tmp_path)) as first:
        queue = ByQueue()
        ticket = queue.submit(first, pbk.BOOK, booking_request(key="k"))
        assert server.wait_for_requests(1)
        if moment == "pausing":
            assert server.wait_until_idle()
            time.sleep(0.1)
        assert first.cancel(ticket) == STATUS["OK"]
        assert failure(queue.next(first).result, "CANCELLED")["outcome"] == "unknown"
        first.close(500)
    server.play(answer(BOOKED))
    second = open_client(with_journal(config_for(server), tmp_path, resume_on_open=True))
    success_of_another(second)
    assert [(booking["idempotency_key"], booking["state"]) for booking in unsettled(second)] == [("k", "in_doubt")]
    assert "k" not in server.keys()
    assert second.book(resume("k")) == (STATUS["OK"], BOOKING_REPLY)
    assert server.keys().count("k") == 1
    assert unsettled(second) == []


def success_of_another(client: pbk.Client) -> None:
    """Whatever the opening resumes was sent before this."""
    assert client.book(booking_request()) == (STATUS["OK"], BOOKING_REPLY)


def test_repeat_after_a_cancel_takes_the_withdrawal_back(start_faults, open_client, tmp_path):
    """So the next opening resumes it again."""
    server = start_faults(stall(), swallow_request(), answer(BOOKED))
    request = booking_request(key="k")
    with pbk.Client(with_journal(config_for(server), tmp_path, **READS_ONLY)) as first:
        queue = ByQueue()
        ticket = queue.submit(first, pbk.BOOK, request)
        assert server.wait_for_requests(1)
        assert first.cancel(ticket) == STATUS["OK"]
        failure(queue.next(first).result, "CANCELLED")
        assert failure(first.book({**request, "timeout_ms": 300}), "TIMEOUT")["outcome"] == "unknown"
        first.close(200)
    server.play(answer(BOOKED))
    second = open_client(with_journal(config_for(server), tmp_path, resume_on_open=True, **REPORTED))
    assert settled(second).key == "k"
