"""The examples' helper for a voice bot: what is read back."""

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


@pytest.mark.parametrize(("status", "said"), [("confirmed", "Booked for"), ("pending", "the clinic will confirm it")])
def test_start_and_status_of_the_reply_are_read_back(status, said):
    booked = {"booking": {"start_at": "2030-01-14T16:00:00+01:00", "status": status}}
    words = example("interrupted_caller").read_back(pb.CreateBookingReply(json.dumps(booked).encode()))
    assert said in words and "2030-01-14T16:00:00+01:00" in words
