"""The sandbox as platforms are: windows, reasons, trouble, and requests for the past."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pbk
import pytest
from contract import error_object, failure, success
from ledger import changed
from samples import NOW, ONCE, READS_ONLY, booking_request, lookup_request, search_request


def sandbox(*faults: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"endpoint": "sandbox", "sandbox": {"now": NOW, "faults": faults, **members}, "retry": ONCE, **READS_ONLY}


def search(start_at: str, end_at: str) -> dict[str, Any]:
    bounds = {"start_at": start_at, "end_at": end_at}
    return changed(search_request(), "query.filter.start_at_range", bounds)


def booking(start_at: str, **members: Any) -> dict[str, Any]:
    return changed(booking_request(**members), "booking.start_at", start_at)


# Windows


def test_windows_without_appointments(open_client):
    """To the second, from an hour after now on. Any second of them can be booked."""
    client = open_client(sandbox(answer="windows", now="2030-01-14T08:46:02Z", time_zone="-05:00"))
    opening_hours = {"monday": ["08:00-17:00"]}
    late = open_client(sandbox(answer="windows", now="2030-01-14T13:46:02Z", opening_hours=opening_hours))
    day = search("2030-01-14", "2030-01-14")
    assert success(client.search(day)) == {
        "availabilities": [{"start_at": "2030-01-14T09:00:00-05:00", "duration_minutes": 480}]
    }
    (window,) = success(late.search(day))["availabilities"]
    assert window == {"start_at": "2030-01-14T14:46:02Z", "duration_minutes": 133}
    success(late.book(booking("2030-01-14T14:50:00Z")))
    windows = [(each["start_at"], each["duration_minutes"]) for each in success(late.search(day))["availabilities"]]
    starts = [start for start, _ in windows]
    assert starts[1:] == ["2030-01-14T15:20:00Z"] and starts[0] >= "2030-01-14T14:46:02Z"
    assert windows[1][1] == 100


@pytest.mark.parametrize(("dates", "count"), [("clinic", 16), ("utc", 0)])
def test_dates_as_platforms_read_them(open_client, dates, count):
    client = open_client(sandbox(dates=dates))
    assert len(success(client.search(search("2030-01-14", "2030-01-14")))["availabilities"]) == count


# Reasons


@pytest.mark.parametrize("keys", ["first", "kept", "none"])
@pytest.mark.parametrize(
    ("start", "status", "code"),
    [
        ("2030-01-14T07:59:00Z", 422, "slot_in_past"),
        ("2030-12-02T10:00:00Z", 422, "beyond_booking_horizon"),
        ("2030-01-19T10:00:00Z", 422, "outside_opening_hours"),
        ("2030-01-14T10:10:00Z", 400, "slot_not_on_grid"),
        ("2030-01-14T11:00:00Z", 409, "slot_unavailable"),
    ],
)
def test_each_reason_has_its_code(open_client, keys, start, status, code):
    """And each of them is a refusal of the booking: nothing is in doubt."""
    client = open_client(sandbox(keys=keys))
    success(client.book(booking("2030-01-14T11:00:00Z")))
    error = error_object(client.book(booking(start)).reply)
    assert (error["status"], error["code"], error["outcome"]) == (status, code, "rejected")
    assert (error["attempts"], error["retryable"]) == (1, False)


# Trouble


@pytest.mark.parametrize("name", ["search_availability", "lookup_customer"])
def test_searches_and_look_ups_meet_trouble(open_client, name):
    faults = [
        {"fault": "lose_reply", "operation": name, "calls": [1]},
        {"fault": "limits", "ms": 1500, "operation": name, "calls": [2]},
        {"fault": "error", "status": 400, "body": '{"message":"Email is required"}', "operation": name, "calls": [3]},
    ]
    client = open_client(sandbox(*faults))
    ask, other = (client.search, client.lookup) if name == "search_availability" else (client.lookup, client.search)
    request, others = (
        (search_request(), lookup_request()) if name == "search_availability" else (lookup_request(), search_request())
    )
    failure(ask(request), "CONNECTION_LOST")
    success(other(others))
    success(client.book(booking_request()))
    error = error_object(ask(request).reply)
    assert (error["status"], error["code"], error["retry_after_ms"]) == (429, "rate_limited", 1500)
    assert error_object(ask(request).reply)["status"] == 400
    success(ask(request))


# The past


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (booking("2024-01-15T10:00:00Z"), "booking.start_at"),
        (booking("2030-01-14T02:54:59-05:00"), "booking.start_at"),
        (search("2024-01-15", "2024-01-19"), "query.filter.start_at_range.end_at"),
        (search("2024-01-15T09:00:00Z", "2024-01-15T17:00:00Z"), "query.filter.start_at_range.end_at"),
    ],
)
def test_request_for_the_past(open_client, request_, field):
    """Nothing is sent, and a language model is told the date."""
    client = open_client(sandbox())
    ask = client.book if "booking" in request_ else client.search
    error = failure(ask(request_), "INVALID_FIELD")
    assert (error["field"], error["attempts"]) == (field, 0)
    assert "which is in the past: today is Monday, 2030-01-14, and the time is 08:00 in UTC" in error["message"]
    assert error.get("outcome", "not_sent") == "not_sent"


def test_known_key_of_an_appointment_that_is_over(open_client, tmp_path):
    """A repeat gets the booking, whenever it starts."""
    config = {**sandbox(), "journal_path": str(tmp_path / "journal")}
    request = booking_request(key="k")
    client = open_client(config)
    booked = success(client.book(request))
    client.close()
    later = open_client({**config, "sandbox": {"now": "2030-01-15T08:00:00Z"}})
    assert success(later.book(request)) == booked
    failure(later.book(booking_request(key="other")), "INVALID_FIELD")


# Time zones


@pytest.mark.parametrize(
    "name",
    ["America/New_York", "Europe/London", "Australia/Lord_Howe", "America/St_Johns", "Asia/Kolkata", "Asia/Beirut"],
)
def test_slots_follow_the_clocks_of_the_clinic(open_client, name):
    """A slot each hour from 09:00 to 17:00 on the clinic's clock, with its own offset, all year."""
    zone = ZoneInfo(name)
    client = open_client(sandbox(time_zone=name, slot_minutes=60, days=366))
    listed = [each["start_at"] for each in success(client.search(search("2030-01-15", "2030-12-31")))["availabilities"]]
    days = [date(2030, 1, 15) + timedelta(days=number) for number in range(351)]
    starts = [
        datetime(day.year, day.month, day.day, hour, tzinfo=zone).isoformat()
        for day in days
        if day.weekday() < 5
        for hour in range(9, 17)
    ]
    assert listed == [start.replace("+00:00", "Z") for start in starts]
    for key, start in enumerate(starts[:: len(starts) // 20]):
        booked = success(client.book(booking(start, key=f"zone-{key}")))["booking"]
        assert booked["start_at"] == start.replace("+00:00", "Z")


@pytest.mark.parametrize("name", ["America/Springfield", "EST5", "Europe", "../UTC", "new york", "+5", ""])
def test_time_zone_that_nobody_knows(name):
    with pytest.raises(pbk.OpenError) as caught:
        pbk.Client(sandbox(time_zone=name)).close(0)
    error = error_object(caught.value.reply)
    assert (error["code"], error["field"]) == ("invalid_config", "sandbox.time_zone")
    assert "there is no time zone" in error["message"] or "must be an IANA name" in error["message"]
