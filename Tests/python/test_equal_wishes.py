"""Equal wishes under one key are one booking, however they are spelled; any other wish is told what the key has."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass, field
from typing import Any

import pbk
import pytest
from completions import ByQueue
from contract import in_doubt, success
from fault_server import Peer, http_reply
from header import STATUS
from ledger import AT_ONCE, FAILED, reused
from samples import BOT_ID, READS_ONLY, UNSPARED
from services import config_for
from waiting import PATIENT, wait_until
from wishes import Object, altered, booking, meaning, parsed, respelled, text_of, tree

STATES = ["booked", "in_flight", "in_doubt"]
by_state = pytest.mark.parametrize("state", STATES)
LIMITS = {"booked": PATIENT, "in_flight": PATIENT, "in_doubt": AT_ONCE}


class Desk:
    """What a key begins with says what becomes of its booking. One in flight is booked when that is told."""

    def __init__(self) -> None:
        self.told = threading.Event()
        self.bodies: dict[str, list[bytes]] = {}

    def __call__(self, peer: Peer) -> None:
        while True:
            request = peer.read_request()
            key = request.idempotency_key or ""
            self.bodies.setdefault(key, []).append(request.body)
            if key.startswith("in_flight"):
                while not self.told.wait(0.05):
                    peer.pause(0)
            content = {"start_at": json.loads(request.body)["booking"]["start_at"]}
            if booking_id := id_of(key):
                content["id"] = booking_id
            reply = http_reply(201, json.dumps({"booking": content}).encode())
            peer.send(FAILED if key.startswith("in_doubt") else reply)


def id_of(key: str) -> str | None:
    """Some platforms name their bookings, and some do not."""
    return None if key.endswith(("0", "2", "4")) else f"bkg_{key}"


@dataclass
class Pair:
    """Two requests under one key. The second comes in a spelling of its own, with white space and escapes."""

    key: str
    first: Object
    second: Object
    rng: random.Random = field(repr=False)

    @property
    def is_equal(self) -> bool:
        return meaning(self.first) == meaning(self.second)

    def text(self, wish: Object, **members: Any) -> str:
        own = tuple({"idempotency_key": self.key, **members}.items())
        return text_of(Object((*wish.members, *((name, tree(each)) for name, each in own))), self.rng)

    @property
    def start_at(self) -> str:
        """As it is sent: in capitals."""
        return self.first.get("booking").get("start_at").upper()


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def client(desk, start_faults, open_client) -> pbk.Client:
    return open_client(config_for(start_faults(desk)), **UNSPARED, **READS_ONLY)


def submit(client: pbk.Client, text: str) -> int:
    """The ticket."""
    submission = client.submit(pbk.BOOK, text)
    assert submission.status == STATUS["OK"], submission
    return submission.ticket


def judge(client: pbk.Client, desk: Desk, pairs: list[Pair], state: str) -> tuple[int, int]:
    """Gives the first of each pair a booking of that state, and asks for the second. Returns how many were equal, and
    how many were not.
    """
    queue = ByQueue()
    firsts = {submit(client, pair.text(pair.first, **LIMITS[state])): pair for pair in pairs}
    ends = {}
    if state == "in_flight":
        wait_until(lambda: len(desk.bodies) == len(pairs))
    else:
        ends = {firsts[each.ticket].key: each.result for each in (queue.next(client) for _ in pairs)}

    seconds = {}
    for pair in pairs:
        seconds[submit(client, pair.text(pair.second, tag=pair.key, conversation="c", **LIMITS[state]))] = pair
    others = {pair.key for pair in seconds.values() if not pair.is_equal}
    completions = [queue.next(client) for _ in (others if state == "in_flight" else seconds)]
    if state == "in_flight":  # whatever is not refused waits
        desk.told.set()
        completions += [queue.next(client) for _ in range(len(firsts) + len(seconds) - len(others))]
    for completion in completions:
        pair, is_second = (firsts | seconds)[completion.ticket], completion.ticket in seconds
        assert not is_second or completion.tag == pair.key
        if is_second and not pair.is_equal:
            reused(completion.result, pair.key, state, pair.start_at, id_of(pair.key) if state == "booked" else None)
        elif state == "in_doubt":
            assert in_doubt(completion.result, 503, "http_error")["attempts"] == 1
        else:
            success(completion.result)
            assert completion.result == ends.setdefault(pair.key, completion.result), pair
            assert completion.timing.get("replayed", False) is (state == "booked"), pair
    asked_again = {pair.key for pair in seconds.values() if pair.is_equal} if state == "in_doubt" else set()
    for pair in pairs:
        sent = desk.bodies[pair.key]
        assert len(sent) == 1 + (pair.key in asked_again) and len(set(sent)) == 1, pair
    return len(seconds) - len(others), len(others)


# Handmade pairs

FIRST = (
    '{"bot_id":"BOT","booking":{"start_at":"2030-01-14T10:00:00Z","duration_minutes":30,'
    '"customer":{"phone":"+14155550137","name":"Johanna Mustermann"}}}'
)
START = '"2030-01-14T10:00:00Z"'


def at(start_at: str) -> str:
    return FIRST.replace(START, f'"{start_at}"')


def with_more(members: str) -> str:
    """Of the booking."""
    return FIRST.replace('"duration_minutes":30', f'"duration_minutes":30,{members}')


EQUAL = {
    "another offset": at("2030-01-14T05:00:00-05:00"),
    "a day later there": at("2030-01-15T00:00:00+14:00"),
    "half an hour": at("2030-01-14T15:30:00+05:30"),
    "all of a day": at("2030-01-13T10:01:00-23:59"),
    "minus nothing": at("2030-01-14T10:00:00-00:00"),
    "small letters": at("2030-01-14t10:00:00z"),
    "no fraction": at("2030-01-14T10:00:00.000000000Z"),
    "a long fraction of nothing": at("2030-01-14T10:00:00.00000000000000000000000Z"),
    "no notes": with_more('"notes":""'),
    "a blank as notes": with_more('"notes":" "'),
    "a blank at the end": FIRST.replace("Mustermann", "Mustermann "),
    "marks in the phone number": FIRST.replace("+14155550137", "+1 (415) 555-0137"),
    "no seconds": at("2030-01-14 10:00Z"),
    "a fraction of nothing": FIRST.replace(":30,", ":30.0,"),
    "nothing unknown": with_more('"extra":null'),
    "an empty text": with_more('"extra":""'),
    "nothing twice": with_more('"extra":null,"extra":""'),
    "nothing outside": FIRST[:-1] + ',"language":null,"channel":""}',
    "nothing of the customer": FIRST.replace('"name"', '"nickname":"","title":null,"name"'),
}
OTHER = {
    "the same hour elsewhere": at("2030-01-14T10:00:00+01:00"),
    "a second later": at("2030-01-14T10:00:01Z"),
    "a nanosecond later": at("2030-01-14T10:00:00.000000001Z"),
    "half a second later": at("2030-01-14T10:00:00.5Z"),
    "a nanosecond earlier": at("2030-01-14T11:59:59.999999999+02:00"),
    "twelve hours later": at("2030-01-14T22:00:00Z"),
    "the word null": with_more('"extra":"null"'),
    "false": with_more('"extra":false'),
    "zero": with_more('"extra":0'),
    "an empty list": with_more('"extra":[]'),
    "an empty object": with_more('"extra":{}'),
    "an object of nothing": with_more('"extra":{"a":null}'),
    "a list of nothing": with_more('"extra":[null]'),
    "a member with no name": with_more('"":1'),
    "a start that is not its own": FIRST[:-1] + ',"start_at":"2030-01-14T10:00:00Z"}',
    "another case": FIRST.replace("Johanna Mu", "johanna Mu"),
    "another blank": FIRST.replace("Johanna Mu", "Johanna  Mu"),
}


@by_state
def test_handmade_pairs(client, desk, state):
    """The oracle is judged too."""
    pairs = []
    for number, (name, second) in enumerate((EQUAL | OTHER).items()):
        pairs.append(Pair(f"{state}-{number}", parsed(FIRST), parsed(second), random.Random(number)))
        assert pairs[-1].is_equal is (name in EQUAL), name
    assert judge(client, desk, pairs, state) == (len(EQUAL), len(OTHER))


@by_state
@pytest.mark.parametrize("unknown", ['{"a":null}', "[null]", '[{"a":""}]', "[[1,2],3]", '{"a":{"b":1}}', "1.5"])
def test_values_that_nobody_knows(client, desk, state, unknown):
    """Within lists nothing is left out, and within their objects it is."""
    values = ["{}", "[]", '{"b":null}', "[{}]", '[{"c":null}]', "[null]", "[null,null]", '[""]', "[[1,2,3]]"]
    values += ["[[1],2,3]"]
    values += ["[[1.0,2e0],30e-1]", '{"a":{"b":1.0,"c":null}}', '{"a":{"b":"1"}}', "15e-1", "1.5000000000000000000001"]
    first = parsed(with_more(f'"extra":{unknown}'))
    pairs = [
        Pair(f"{state}-{number}", first, parsed(with_more(f'"extra":{value}')), random.Random(number))
        for number, value in enumerate(values)
    ]
    judge(client, desk, pairs, state)


# Pairs by chance


@by_state
@pytest.mark.parametrize("seed", range(4))
def test_pairs_by_chance(client, desk, state, seed):
    pairs = []
    for number in range(60):
        rng = random.Random(f"{state} {seed} {number}")
        first = booking(rng, BOT_ID)
        second = rng.choice([respelled, altered, altered])(rng, first)
        pairs.append(Pair(f"{state}-{number}", first, second, rng))
    equal, others = judge(client, desk, pairs, state)
    assert equal > 10 and others > 10
