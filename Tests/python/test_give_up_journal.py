"""What a person has given up stays so: across a kill, and past an opening that resumes what is in doubt."""

from __future__ import annotations

import time

import pbk
import pytest
from completions import ByQueue
from contract import failure, in_doubt, success
from doubts import doubt, given_up_in_journal, of_bot
from fault_server import answer, stall, swallow_request
from header import OUTCOME, STATUS
from held import submitted
from ledger import AT_ONCE, BOOKED, FAILED, REPORTED, give_up, listed, recorded, records, resume, states, with_journal
from samples import BOOKING_REPLY, READS_ONLY, UNSPARED, booking_request
from services import config_for
from waiting import MOST_PAUSE


def success_of_another(client: pbk.Client) -> None:
    """Whatever the opening resumes was sent before this."""
    assert client.book(booking_request(key="booked-other")) == (STATUS["OK"], BOOKING_REPLY)


# Restarts


@pytest.mark.parametrize("how", ["by key", "by bot"])
def test_killed_after_the_reply(answering, journaled, start_host, open_client, journal, how):
    """It is on the disk by then: nobody resumes it, nobody lists it, and its key is free."""
    host = start_host(journaled)
    keys = [f"in_doubt-{number}" for number in range(3)]
    for key in keys:
        doubt(host, key)
    requests = [give_up(key) for key in keys] if how == "by key" else [of_bot()]
    assert sum((given_up_in_journal(host.book(request)) for request in requests), []) == keys
    host.kill()
    assert recorded(journal) == {}
    sent = len(answering.keys())
    client = open_client({**journaled, "resume_on_open": True, **REPORTED})
    assert listed(client) == []
    success_of_another(client)
    assert len(answering.keys()) == sent + 1
    assert failure(client.book(resume("in_doubt-0")), "NOT_RECORDED")["outcome"] == "unknown"
    doubt(client, "in_doubt-0", conversation="call-8")
    assert states(client)["in_doubt-0"] == "in_doubt"


def test_records_of_a_give_up(journaled, start_host, journal):
    """One for each booking, and none for what was kept."""
    host = start_host(journaled)
    doubt(host, "in_doubt-1")
    doubt(host, "in_doubt-2")
    success(host.book(booking_request(key="booked-1")))
    assert given_up_in_journal(host.book(give_up("booked-1"))) == []
    assert set(given_up_in_journal(host.book(of_bot()))) == {"in_doubt-1", "in_doubt-2"}
    gone = [record for record in records(journal) if record["type"] == "given_up"]
    assert {record["key"] for record in gone} == {"in_doubt-1", "in_doubt-2"} and len(gone) == 2
    assert all(set(record) == {"type", "key", "at", "clock"} for record in gone)
    assert "booked-1" not in {record["key"] for record in gone}


def test_doubt_of_an_earlier_process_is_given_up(answering, journaled, open_client):
    with pbk.Client(journaled) as first:
        for number in (1, 2):
            doubt(first, f"in_doubt-{number}", conversation=f"call-{number}")
        before = listed(first)
    with pbk.Client(journaled) as second:
        assert listed(second) == before
        content = success(second.book(give_up("in_doubt-1")))
        assert (content["given_up"], content["kept"]) == (before[:1], [])
        assert second.close() == STATUS["OK"]
    third = open_client(journaled)
    assert listed(third) == before[1:]
    assert given_up_in_journal(third.book(of_bot())) == ["in_doubt-2"]
    assert listed(third) == []
    assert answering.keys() == ["in_doubt-1", "in_doubt-2"]


def test_what_the_opening_resumes_is_given_up(start_faults, open_client, tmp_path):
    """Nothing more is sent for it, by this client or the next."""
    server = start_faults(swallow_request(), answer(FAILED))
    config = with_journal(config_for(server), tmp_path, **UNSPARED)
    with pbk.Client({**config, **READS_ONLY}) as first:
        in_doubt(first.book(booking_request(key="k", **AT_ONCE)), None, "connection_lost")
    with pbk.Client({**config, "resume_on_open": True, **REPORTED}) as second:
        assert server.wait_for_requests(2)
        assert given_up_in_journal(second.book(give_up("k"))) == ["k"]
        sent = len(server.keys())
        assert second.next_completion(int(MOST_PAUSE * 1000)) == (STATUS["TIMEOUT"], None)
        assert len(server.keys()) == sent and listed(second) == []
    third = open_client({**config, "resume_on_open": True})
    assert listed(third) == []
    time.sleep(0.2)
    assert len(server.keys()) == sent


def test_withdrawn_booking_is_given_up(start_faults, open_client, tmp_path, journal):
    """The call was cancelled, and then a person has looked."""
    server = start_faults(stall(), answer(BOOKED))
    config = with_journal(config_for(server), tmp_path)
    with pbk.Client(config) as first:
        queue = ByQueue()
        ticket = queue.submit(first, pbk.BOOK, booking_request(key="k"))
        assert server.wait_for_requests(1)
        assert first.cancel(ticket) == STATUS["OK"]
        assert queue.next(first).outcome == OUTCOME["UNKNOWN"]
        assert given_up_in_journal(first.book(give_up("k"))) == ["k"]
        assert first.close() == STATUS["OK"]
    assert recorded(journal) == {}
    second = open_client({**config, "resume_on_open": True})
    assert listed(second) == []
    assert second.book(booking_request(key="k")) == (STATUS["OK"], BOOKING_REPLY)
    assert server.keys() == ["k", "k"]


def test_key_is_booked_after_it_was_given_up(journaled, start_host, open_client, answering, tmp_path):
    """The next process knows the second booking, and nothing of the first."""
    host = start_host(journaled)
    doubt(host, "in_doubt-1")
    assert given_up_in_journal(host.book(give_up("in_doubt-1"))) == ["in_doubt-1"]
    answering.play(answer(BOOKED))
    host.close()
    with pbk.Client(journaled) as second:
        submitted(second, booking_request(key="in_doubt-1"), "OK")
        second.close()
    third = open_client(journaled)
    assert states(third) == {"in_doubt-1": "booked"}
    success(third.book(resume("in_doubt-1")))
