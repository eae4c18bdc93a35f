"""The blocking client: requests in every form, replies, errors, keys, and the end of a client."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from fault_server import answer, http_reply
from header import STATUS
from python_package import SHORT, _bindings, booking, is_closed, pb, search
from reference_names import API_KEY
from run_reference import headers_of
from samples import BOT_ID, CALLS_ONLY, NAME, ONCE, PHONE, SANDBOX, SEARCH_REPLY, SLEEPING, search_request

# ---- Against a service -----------------------------------------------------------------------------------------------


def test_a_conversation_with_a_service(service, reference, no_violation):
    bot = reference.bot()
    with pb.Client(**service.config) as client:
        slot = client.search_availability(search(bot)).availabilities[0]
        request = booking(bot, start_at=slot.start_at, duration_minutes=slot.duration_minutes)
        booked = client.create_booking(request)
        assert (booked.status, booked.start_at) == ("confirmed", slot.start_at)
        assert booked.timing is None
        assert booked.id == reference.bookings(bot_id=bot)["bookings"][0]["id"]
        assert client.create_booking(request).json == booked.json
        with pytest.raises(pb.SlotUnavailable) as refused:
            client.create_booking(booking(bot, start_at=slot.start_at, duration_minutes=slot.duration_minutes))
    assert (refused.value.status, refused.value.outcome, refused.value.retryable) == (409, "rejected", False)
    first = next(one for one in reference.requests(bot) if one["path"].endswith("bookings"))
    assert headers_of(first)["idempotency-key"] == request.idempotency_key


def test_an_error_tells_all_that_the_reply_does(service, reference):
    bot = reference.bot({"status": 422, "code": "too_short", "headers": {"X-Request-Id": "req-7"}})
    with pb.Client(**{**service.config, "retry": ONCE}) as client, pytest.raises(pb.Refused) as failed:
        client.create_booking(booking(bot, "key-7", options=pb.CallOptions(tag="call-7")))
    error = failed.value
    members = json.loads(error.json)["error"]
    assert error.members == members
    for name in ("code", "message", "status", "source", "retryable", "attempts", "field", "outcome", "timing", "tag"):
        assert getattr(error, name) == members[name], name
    assert (error.pbk_status, error.code, error.outcome, error.idempotency_key) == (
        82,
        "too_short",
        "rejected",
        "key-7",
    )
    assert error.tag == "call-7" and error.timing["attempts"] == 1 and error.doubt is None
    same = pickle.loads(pickle.dumps(error))
    assert type(same) is pb.Refused and same.members == members
    assert str(error) == f"too_short: {error.message} (outcome: rejected)"


def test_a_reply_is_kept_byte_for_byte(start_faults):
    odd = (
        b'{"availabilities" : [ {"start_at":"soon","room":"3b"}, 7, {"start_at":9}, {"duration_minutes":5} ],"x":1e999}'
    )
    server = start_faults(answer(http_reply(200, odd)))
    with pb.Client(api_key=API_KEY, base_url=server.url, **CALLS_ONLY) as client:
        found = client.search_availability(search())
    assert found.json == odd
    assert found.availabilities == [pb.Availability("soon", None)]
    assert found.availabilities[0].raw["room"] == "3b"


def test_a_number_longer_than_pythons_limit_ends_no_call(start_faults):
    long = b'{"availabilities":[{"start_at":"soon","n":%s}]}' % (b"9" * 5000)
    server = start_faults(answer(http_reply(200, long)))
    with pb.Client(api_key=API_KEY, base_url=server.url, **CALLS_ONLY) as client:
        assert client.search_availability(search()).availabilities[0].start_at == "soon"


def test_platforms_may_leave_members_out(start_faults):
    server = start_faults(answer(http_reply(201, b'{"booking":{"id":7}}')))
    with pb.Client(api_key=API_KEY, base_url=server.url) as client:
        booked = client.create_booking(booking())
    assert (booked.id, booked.status, booked.start_at, booked.end_at) == (None,) * 4


@pytest.mark.parametrize("form", ["dataclass", "mapping", "text", "bytes"])
def test_each_form_of_a_request_asks_the_same(start_faults, form):
    server = start_faults(answer(http_reply(200, SEARCH_REPLY)))
    members = search_request(options="ours", notes="Zoë")
    forms = {
        "mapping": members,
        "text": json.dumps(members, ensure_ascii=False),
        "bytes": json.dumps(members).encode(),
        "dataclass": search(),
    }
    with pb.Client(api_key=API_KEY, base_url=server.url, **CALLS_ONLY) as client:
        client.search_availability(forms[form])
    assert json.loads(server.requests[0].body) == (search_request() if form == "dataclass" else members)


# ---- Exactly once ----------------------------------------------------------------------------------------------------


def test_a_booking_in_doubt_is_resumed_by_its_key():
    faults = [{"fault": "lose_reply", "calls": [1]}]
    sandbox = {**SANDBOX, "sandbox": {**SANDBOX["sandbox"], "faults": faults}, "retry": ONCE, "settle_for_ms": 0}
    with pb.Client(**sandbox) as client:
        with pytest.raises(pb.InDoubt) as lost:
            client.create_booking(booking(key="key-7", options=SHORT))
        assert (lost.value.outcome, lost.value.retryable) == ("unknown", True)
        assert lost.value.doubt.sent_ms_ago >= 0
        assert lost.value.doubt.answer == pb.DoubtAnswer(None, "connection_lost")
        assert pickle.loads(pickle.dumps(lost.value)).doubt == lost.value.doubt
        [pending] = client.pending_bookings()
        assert (pending.idempotency_key, pending.bot_id, pending.in_flight) == ("key-7", BOT_ID, False)
        assert pending.state == "in_doubt"
        assert client.resume("key-7").start_at == pending.start_at
        assert {one.state for one in client.pending_bookings()} <= {"booked"}
        assert len(client.sandbox_bookings()) == 1
        with pytest.raises(pb.NotRecorded) as unknown:
            client.resume("key-8", pb.CallOptions(timeout_ms=1000))
        assert unknown.value.outcome == "unknown"


def test_a_key_of_another_booking_tells_what_it_has():
    faults = [{"fault": "lose_reply", "calls": [2]}]
    sandbox = {**SANDBOX, "sandbox": {**SANDBOX["sandbox"], "faults": faults}, "retry": ONCE, "settle_for_ms": 0}
    with pb.Client(**sandbox) as client:
        booked = client.create_booking(booking(key="key-1"))
        with pytest.raises(pb.IdempotencyKeyReused) as reused:
            client.create_booking(booking(key="key-1", duration_minutes=60))
        error = reused.value
        assert (error.outcome, error.idempotency_key) == ("unknown", "key-1")
        assert error.existing == pb.Existing("booked", "2030-01-14T10:00:00Z", booked.id)
        assert pickle.loads(pickle.dumps(error)).existing == error.existing
        with pytest.raises(pb.InDoubt) as lost:
            client.create_booking(booking(key="key-2", start_at="2030-01-14T11:00:00Z", options=SHORT))
        assert lost.value.existing is None
        with pytest.raises(pb.IdempotencyKeyReused) as reused:
            client.create_booking(booking(key="key-2"))
        assert reused.value.existing == pb.Existing("in_doubt", "2030-01-14T11:00:00Z", None)
        with pytest.raises(pb.InvalidField) as wrong:
            client.create_booking(booking(key="key-1", duration_minutes=0))
        assert wrong.value.outcome == "unknown"


def test_equal_wishes_are_equal():
    with pb.Client(**SANDBOX) as client:
        booked = client.create_booking(booking(key="key-7", start_at="2030-01-14T10:00:00Z", notes=""))
        eastern = client.create_booking(booking(key="key-7", start_at="2030-01-14T05:00:00-05:00"))
        assert eastern.json == booked.json


def test_a_conversation_is_listed_and_not_sent(start_faults):
    server = start_faults(answer(http_reply(503, b"{}")))
    with pb.Client(api_key=API_KEY, base_url=server.url, retry=ONCE, **CALLS_ONLY) as client:
        for key, conversation in [("key-1", "call-7"), ("key-2", None)]:
            with pytest.raises(pb.InDoubt):
                client.create_booking(booking(key=key, conversation=conversation, options=SHORT))
        assert [one.conversation for one in client.pending_bookings()] == ["call-7", None]
        with pytest.raises(pb.InvalidField) as wrong:
            client.create_booking(booking(conversation="c" * 257))
        assert wrong.value.field == "conversation"
        client.close(0)
    assert all(b"conversation" not in request.body for request in server.requests)


def test_a_doubt_says_what_the_last_answer_was(start_faults):
    server = start_faults(answer(http_reply(503, b'{"error":{"code":"overloaded","message":"Later"}}')))
    with pb.Client(api_key=API_KEY, base_url=server.url, retry=ONCE, **CALLS_ONLY) as client:
        with pytest.raises(pb.InDoubt) as failed:
            client.create_booking(booking(options=SHORT))
        assert failed.value.doubt.answer == pb.DoubtAnswer(503, "overloaded")
        client.close(0)


def test_a_doubt_without_an_answer():
    error = pb.Error.of(64, b'{"error":{"code":"in_doubt","message":"m","doubt":{"sent_ms_ago":5,"answer":null}}}')
    assert type(error) is pb.InDoubt and error.doubt == pb.Doubt(5, None)


@pytest.mark.parametrize(
    ("booked", "kind", "outcome"),
    [
        ({"status": "Declined", "start_at": "2030-01-14T10:00:00Z"}, pb.NotConfirmed, "rejected"),
        ({"status": "confirmed", "start_at": "2030-01-14T11:00:00Z"}, pb.OtherBooking, "unknown"),
    ],
)
def test_a_reply_that_is_no_booking_is_in_the_error(start_faults, booked, kind, outcome):
    reply = {"booking": {"id": "bkg_1", **booked}}
    server = start_faults(answer(http_reply(201, json.dumps(reply).encode())))
    with pb.Client(api_key=API_KEY, base_url=server.url, retry=ONCE, **CALLS_ONLY) as client:
        with pytest.raises(kind) as failed:
            client.create_booking(booking())
        client.close(0)
    assert (failed.value.outcome, failed.value.reply) == (outcome, reply)


def test_a_journal_belongs_to_one_client(tmp_path):
    journal = str(tmp_path / "journal")
    with pb.Client(**SANDBOX, journal_path=journal), pytest.raises(pb.JournalLocked) as locked:
        pb.Client(**SANDBOX, journal_path=journal)
    assert locked.value.pbk_status == STATUS["JOURNAL_LOCKED"]


def test_keys():
    request = booking()
    key = pb.booking_key("call-7", request)
    assert key == pb.booking_key("call-7", request.members()) == pb.booking_key("call-7", json.dumps(request.members()))
    assert key != pb.booking_key("call-8", request)
    assert len({pb.random_key() for _ in range(100)}) == 100
    with pytest.raises(pb.InvalidField) as refused:
        pb.booking_key("call-7", booking(duration_minutes=0))
    assert refused.value.field == "booking.duration_minutes"
    with pytest.raises(pb.InvalidArgument):
        pb.booking_key("", request)


def test_lookup(sandbox):
    request = pb.LookupCustomerRequest(BOT_ID, PHONE)
    assert sandbox.lookup_customer(request).customer is None
    sandbox.create_booking(booking())
    customer = sandbox.lookup_customer(request).customer
    assert (customer.name, customer.phone) == (NAME, PHONE)
    assert customer.existing_appointment.start_at == "2030-01-14T10:00:00Z"
    with pb.Client(api_key=API_KEY, base_url="http://127.0.0.1:1", **CALLS_ONLY) as service:
        with pytest.raises(pb.UnsupportedOperation):
            service.lookup_customer(request)


# ---- Clients ---------------------------------------------------------------------------------------------------------


def test_a_wrong_configuration_is_named():
    with pytest.raises(pb.InvalidConfig) as refused:
        pb.Client(**{**SANDBOX, "time_out": 5})
    assert refused.value.field == "time_out"
    with pytest.raises(pb.InvalidConfig) as refused:
        pb.Client()
    assert refused.value.field == "api_key"


def test_other_threads_run_while_a_call_waits(threads: ThreadPoolExecutor):
    """A call that kept the GIL would keep this thread from closing its client, for ever."""
    client = pb.Client(**SLEEPING)
    calls = [threads.submit(client.search_availability, search()) for _ in range(8)]
    calls.append(threads.submit(client.create_booking, booking()))
    assert not client.close(0)
    for call in calls:
        with pytest.raises(pb.ClientClosed):
            call.result(timeout=20)


def test_threads_share_a_client(sandbox, threads: ThreadPoolExecutor):
    keys = [f"key-{number % 4}" for number in range(64)]
    replies = list(threads.map(lambda key: _book_or_refuse(sandbox, key), keys))
    assert len(set(replies)) == 2 and len(sandbox.sandbox_bookings()) == 1


def _book_or_refuse(client: pb.Client, key: str) -> str:
    try:
        return client.create_booking(booking(key=key)).id or ""
    except pb.SlotUnavailable as error:
        return error.code


def test_a_closed_client_says_so():
    with pb.Client(**SANDBOX) as client:
        pass
    for call in (lambda: client.search_availability(search()), client.pending_bookings):
        with pytest.raises(pb.ClientClosed):
            call()
    assert client.close()
    client.prewarm()


def test_a_client_is_neither_copied_nor_sent_elsewhere(sandbox):
    for carry in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="open a client there"):
            carry(sandbox)


@pytest.mark.parametrize("kind", [pb.Client, pb.AsyncClient])
def test_a_forgotten_client_is_closed_with_a_warning(kind):
    with pytest.warns(ResourceWarning, match=f"a {kind.__name__} was not closed"):
        handle = kind(**SANDBOX)._handle
        gc.collect()
    assert is_closed(handle)


def test_a_closed_client_is_not_warned_of():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pb.Client(**SANDBOX):
            pass
        gc.collect()
    assert caught == []


def test_no_memory_for_a_reply_is_a_memory_error():
    with pytest.raises(MemoryError):
        _bindings.take(None)


def test_prewarm_connects(start_faults):
    server = start_faults(answer(http_reply(200, SEARCH_REPLY)))
    with pb.Client(api_key=API_KEY, base_url=server.url, **CALLS_ONLY) as client:
        assert server.connections == 0
        client.prewarm()
        assert server.wait_for_connections(1)
