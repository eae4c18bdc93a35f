"""The examples' helpers for a voice bot: starts to offer, and what is read back."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import pytest
from python_package import EXAMPLES, pb


def example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("items", "offered"),
    [
        ([("2030-01-14T16:00:00-05:00", 90)], ["16:00:00-05:00", "16:30:00-05:00", "17:00:00-05:00"]),
        ([("2030-01-14T09:46:02-05:00", 60)], ["09:50:00-05:00"]),
        ([("2030-01-14T09:00:00Z", 30), ("2030-01-14T11:00:00Z", 15)], ["09:00:00Z"]),
        ([("2030-01-14T09:00:00Z", None)], ["09:00:00Z"]),
        ([("2030-01-14T23:45:00+00:00", 60)], ["23:45:00+00:00", "00:15:00+00:00"]),
        ([], []),
    ],
)
def test_windows_are_cut(items, offered):
    found = [{"start_at": start, "duration_minutes": minutes} for start, minutes in items]
    reply = pb.SearchAvailabilityReply(json.dumps({"availabilities": found}).encode())
    assert [start[11:] for start in example("voice_engine").starts(reply, 30)] == offered


@pytest.mark.parametrize(("status", "said"), [("confirmed", "Booked for"), ("pending", "the clinic will confirm it")])
def test_start_and_status_of_the_reply_are_read_back(status, said):
    booked = {"booking": {"start_at": "2030-01-14T16:00:00+01:00", "status": status}}
    words = example("interrupted_caller").read_back(pb.CreateBookingReply(json.dumps(booked).encode()))
    assert said in words and "2030-01-14T16:00:00+01:00" in words
