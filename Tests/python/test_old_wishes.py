"""Journals of version 1 of the library: their bookings are known by what was asked for then, and
settled as today."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pbk
import pytest
from completions import ByQueue
from contract import failure, in_doubt, success
from fault_server import FaultServer, Peer
from ledger import AT_ONCE, BOOKED, FAILED, give_up, listed, records, resume, reused
from ledger import states as states_of
from samples import BOOKING_REPLY, BOT_ID, READS_ONLY, UNSPARED
from services import config_for
from wishes import Object, booking, fingerprint_of_version_1, instant, parsed, start, text_of, tree

RICH = (
    '{"bot_id":"BOT","booking":{"start_at":"2030-01-14T11:00:00.50+01:00","duration_minutes":30,"notes":"",'
    '"customer":{"phone":"+14155550137","name":"Zo\\u00eb Ünal"},"price":[1.50,-0,30e2,null,true]},"extra":null}'
)
VECTOR = "d747adcd01576ee76b5fcc8d50a2ba9071ab05d2b21866a6f4dcfd7f81a05332"
"""Its fingerprint, as a library of version 1 wrote it."""

LONG_AGO = 1_577_836_800_000
"""In milliseconds since 1970: ten years before the appointments, and long before any retention."""

WISHES = {f"chance-{number}": booking(random.Random(number), BOT_ID) for number in range(20)} | {"rich": parsed(RICH)}


class Desk:
    """Answers with a booking when it is open."""

    is_open = False

    def __call__(self, peer: Peer) -> None:
        while True:
            peer.read_request()
            peer.send(BOOKED if self.is_open else FAILED)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def server(desk, start_faults) -> FaultServer:
    return start_faults(desk)


@pytest.fixture
def reopen(server, tmp_path, open_client) -> Callable[..., pbk.Client]:
    """Opens the journal. The one before is closed."""
    config = {**config_for(server), **UNSPARED, **READS_ONLY, **AT_ONCE, "journal_path": str(tmp_path / "journal")}
    clients: list[pbk.Client] = []

    def reopen(**members: Any) -> pbk.Client:
        if clients:
            clients[-1].close()
        clients.append(open_client(config, **members))
        return clients[-1]

    return reopen


@pytest.fixture
def journal(reopen, tmp_path) -> Callable[..., None]:
    """Writes a journal of version 1 for the server, with these records after the first."""

    def write(*lines: dict[str, Any]) -> None:
        path: Path = tmp_path / "journal"
        reopen().close()
        first = {"type": "journal", "version": 1, "service": records(path)[0]["service"]}
        texts = [json.dumps(line, separators=(",", ":")).encode() for line in (first, *lines)]
        sums = [hashlib.sha256(text).hexdigest()[:16].encode() for text in texts]
        path.write_bytes(b"".join(b"pbk1 %s %s\n" % each for each in zip(sums, texts)))

    return write


def intent(key: str, wish: Object) -> dict[str, Any]:
    return {
        "type": "intent",
        "key": key,
        "at": LONG_AGO,
        "fingerprint": fingerprint_of_version_1(wish),
        "body": text_of(wish),
    }


def booked(key: str, wish: Object) -> dict[str, Any]:
    line = {"type": "booked", "key": key, "at": LONG_AGO, "fingerprint": fingerprint_of_version_1(wish)}
    return line | {"reply": BOOKING_REPLY.decode()}


def asked(wish: Object, key: str, rng: random.Random | None = None) -> str:
    """A request for it."""
    return text_of(Object((("idempotency_key", key), *wish.members)), rng)


def turned(value: Any) -> Any:
    """The same with all members in another order, which made no difference then either."""
    if isinstance(value, Object):
        return Object(tuple((name, turned(each)) for name, each in sorted(value.members, key=lambda member: member[0])))
    return [turned(each) for each in value] if isinstance(value, list) else value


def elsewhere(wish: Object, seed: int) -> Object:
    """The same wish, with the offset of another place."""
    wanted, rng = wish.get("booking"), random.Random(seed)
    start_at = wanted.get("start_at")
    while (other := start(rng, instant(start_at))) == start_at:
        pass
    return wish.put("booking", wanted.put("start_at", other))


def replays(client: pbk.Client, text: str | dict[str, Any]) -> None:
    ByQueue().submit(client, pbk.BOOK, text)
    completion = ByQueue().next(client)
    assert success(completion.result) == json.loads(BOOKING_REPLY)
    assert completion.timing.get("replayed") is True


def another(wish: Object) -> Object:
    return wish.put("booking", wish.get("booking").put("duration_minutes", tree(45)))


def test_rule_of_version_1():
    """Of this file: what the tests below write is what that version wrote."""
    assert fingerprint_of_version_1(parsed(RICH)) == VECTOR
    assert fingerprint_of_version_1(turned(parsed(RICH))) == VECTOR


# Booked


def test_booked_keys_replay(journal, reopen, server):
    """Through any number of openings, and with the age of what was made just now."""
    journal(*(booked(key, wish) for key, wish in WISHES.items()))
    for seed in range(3):
        client = reopen(booking_retention_minutes=1)
        assert listed(client) == []
        for key, wish in WISHES.items():
            replays(client, asked(wish, key))
            replays(client, asked(turned(wish), key, random.Random(seed)))
            replays(client, resume(key))
    assert server.requests == []


def test_booked_keys_are_not_for_others(journal, reopen, server):
    journal(*(booked(key, wish) for key, wish in WISHES.items()))
    for _ in range(2):
        client = reopen()
        for key, wish in WISHES.items():
            error = failure(client.book(asked(another(wish), key)), "IDEMPOTENCY_KEY_REUSED")
            assert (error["outcome"], error["existing"]["state"]) == ("unknown", "booked")
            assert error["existing"].get("booking_id") == "bkg_1"
            assert "another booking, which is made: resume it" in error["message"]
            replays(client, asked(wish, key))
    assert server.requests == []


def test_booked_keys_in_another_spelling(journal, reopen, server):
    """All that was kept is a hash of the text. Whether it can be found equal or not, it is never
    booked again."""
    journal(*(booked(key, wish) for key, wish in WISHES.items()))
    client = reopen()
    for seed, (key, wish) in enumerate(WISHES.items()):
        result = client.book(asked(elsewhere(wish, seed), key))
        if result.status != 0:
            assert failure(result, "IDEMPOTENCY_KEY_REUSED")["outcome"] == "unknown"
    assert server.requests == []


# In doubt


def test_doubts_are_joined_in_any_spelling(journal, reopen, desk, server):
    """From then on their bookings are of today's kind: found in any spelling too, and through
    openings."""
    journal(*(intent(key, wish) for key, wish in WISHES.items()))
    client = reopen(booking_retention_minutes=1)
    assert states_of(client) == dict.fromkeys(WISHES, "in_doubt")
    assert {each["start_at"] for each in listed(client)} == {
        wish.get("booking").get("start_at") for wish in WISHES.values()
    }
    for seed, (key, wish) in enumerate(WISHES.items()):
        in_doubt(client.book(asked(elsewhere(wish, seed), key)), 503, "http_error")
        reused(client.book(asked(another(wish), key)), key, "in_doubt", wish.get("booking").get("start_at"))
    client = reopen()
    desk.is_open = True
    for seed, (key, wish) in enumerate(WISHES.items()):
        success(client.book(asked(elsewhere(wish, -seed), key)))
    assert [request.body.decode() for request in server.requests] == [text_of(wish) for wish in WISHES.values()] * 2
    for seed in range(2):
        for key, wish in WISHES.items():
            replays(client, asked(elsewhere(wish, 100 + seed), key))
            start_at = wish.get("booking").get("start_at")
            reused(client.book(asked(another(wish), key)), key, "booked", start_at, "bkg_1")
        client = reopen()
    assert len(server.requests) == 2 * len(WISHES)


def test_doubts_that_nobody_asks_for_are_kept(journal, reopen, server, tmp_path):
    """When the file was written anew in today's format they are still found in any spelling."""
    journal(*(intent(key, wish) for key, wish in WISHES.items()))
    for _ in range(3):
        assert states_of(reopen(booking_retention_minutes=1)) == dict.fromkeys(WISHES, "in_doubt")
    assert b"pbk1" not in (tmp_path / "journal").read_bytes()
    client = reopen()
    for seed, (key, wish) in enumerate(WISHES.items()):
        in_doubt(client.book(asked(elsewhere(wish, seed), key)), 503, "http_error")


def test_doubt_is_given_up(journal, reopen, server):
    journal(intent("k", WISHES["rich"]), intent("other", WISHES["chance-1"]))
    client = reopen()
    (item,) = success(client.book(give_up("k")))["given_up"]
    assert (item["bot_id"], item["start_at"]) == ("BOT", "2030-01-14T11:00:00.50+01:00")
    client = reopen()
    assert states_of(client) == {"other": "in_doubt"}
    failure(client.book(resume("k")), "NOT_RECORDED")
    assert server.requests == []


# Neither


def test_void_keys_are_free(journal, reopen, desk, server):
    """Their ends count as heard. Of several records the last counts."""
    rich, chance = WISHES["rich"], WISHES["chance-2"]
    void = {"type": "void", "key": "k", "at": LONG_AGO}
    journal(intent("k", rich), void, intent("m", rich), {**void, "key": "m"}, intent("m", chance), booked("m", chance))
    desk.is_open = True
    client = reopen()
    assert listed(client) == []
    failure(client.book(resume("k")), "NOT_RECORDED")
    success(client.book(asked(chance, "k")))
    replays(client, asked(chance, "m"))
    assert len(server.requests) == 1
