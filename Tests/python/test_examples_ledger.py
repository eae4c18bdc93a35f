"""The engines in C that keep their bookings in PostgreSQL and Redis, on real servers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ledger_conformance_rows  # noqa: F401  # adds its cases
import pytest
import redis
from header import ROOT
from ledger_conformance import CASES, Scope
from ledger_stores import AgedPostgres, AgedRedis, PostgresServer, RedisServer
from partnerbooking.ledgers import from_url
from programs import EXAMPLES, VALGRIND, run

WAIT = '{"protocol":1,"operations":[{"op":"wait","id":"1","scope":"s","key":"k"}]}'
GARBAGE = ["", "garbage", "[1", '{"operations":7}', "\0", WAIT + "\0"]
GARBAGE += ["\udcff\udcfe", "{" * 100_000, WAIT.replace(":1,", ":2,")]


class Batches:
    """A program that answers batches, and the pipes to it."""

    def __init__(self, *command: object) -> None:
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            errors="surrogateescape",
        )

    def line(self, batch: str) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(batch + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def execute(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return self.line(json.dumps({"protocol": 1, "operations": operations}, ensure_ascii=False))["results"]


class Engine:
    """A program, its server, and the words that lead from one to the other."""

    def __init__(self, program: Path, server: PostgresServer | RedisServer) -> None:
        self.program, self.server = program, server
        self.address = server.url if isinstance(server, PostgresServer) else f"127.0.0.1:{server.port}"

    @contextmanager
    def batches(self, *before: str) -> Iterator[Batches]:
        """Fails when the program does, or when something follows its last answer."""
        batches = Batches(*before, self.program, "--batches", self.address)
        try:
            yield batches
            rest, _ = batches.process.communicate()
            assert (batches.process.returncode, rest) == (0, "")
        finally:
            batches.process.kill()

    def aged(self, batches: Batches) -> AgedPostgres | AgedRedis:
        return (AgedPostgres if isinstance(self.server, PostgresServer) else AgedRedis)(batches, self.server.url)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledgers")
    run("make", "-C", EXAMPLES, f"PBK={ROOT}", f"BUILD={folder}", "ledgers")
    return folder


@pytest.fixture(scope="module", params=[PostgresServer, RedisServer], ids=["postgres", "redis"])
def engine(request: pytest.FixtureRequest, folder: Path) -> Iterator[Engine]:
    name = "ledger_postgres" if request.param is PostgresServer else "ledger_redis"
    with request.param() as server:
        yield Engine(folder / name, server)


@pytest.fixture(scope="module")
def store(engine: Engine) -> Iterator[Any]:
    with engine.batches() as batches:
        yield engine.aged(batches)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_rule_of_the_protocol(store, case):
    case(Scope(store))


def reason(answer: Any) -> str:
    assert list(answer) == ["error"] and list(answer["error"]) == ["message"], answer
    return answer["error"]["message"]


def is_answered(answer: Any) -> bool:
    return [result["id"] for result in answer["results"]] == ["1"]


def test_garbage_is_an_error_of_its_own_line(engine):
    """Nothing that memcheck sees, either."""
    with engine.batches(*VALGRIND) as batches:
        assert is_answered(batches.line(WAIT))
        for line in GARBAGE:
            assert reason(batches.line(line)), line
        assert is_answered(batches.line(WAIT))


def test_longest_scope(engine, folder):
    """Its name in Redis is three times as long."""
    with engine.batches(*VALGRIND) as batches:
        assert is_answered(batches.line(WAIT.replace('"s"', f'"{"}" * 200}"')))
    answer = run(folder / "ledger_redis", "--batches", "/nowhere", stdin=WAIT.replace('"s"', f'"{"}" * 300}"'))
    assert "200 bytes" in reason(json.loads(answer))


def test_large_batch_is_one_line(engine):
    """More than a socket takes at once, both ways."""
    with engine.batches() as batches:
        scope = Scope(engine.aged(batches))
        body = "é\n" * 50_000
        scope.run(*(scope.claiming(str(number), body=body) for number in range(100)))
        rows = scope.do("pending", limit=100)["rows"]
        assert len(rows) == 100 and all(row["body"] == body for row in rows)


def test_store_that_dies_and_comes_back(engine):
    """The program says that it is down, and goes on with it."""
    with engine.batches(*VALGRIND) as batches:
        claimed = Scope(engine.aged(batches))
        claimed.claim()
        engine.server.kill()
        try:
            assert reason(batches.line(WAIT)) and reason(batches.line(WAIT))
        finally:
            engine.server.start()
        assert claimed.wait()["result"] == "open"


def test_restart_between_two_batches_goes_unnoticed(engine):
    with engine.batches() as batches:
        assert is_answered(batches.line(WAIT))
        engine.server.kill()
        engine.server.start()
        assert is_answered(batches.line(WAIT))


def test_store_that_hangs_does_not_hang_the_program(engine):
    """On the connection that is there, and on a new one."""
    with engine.batches() as batches:
        assert is_answered(batches.line(WAIT))
        engine.server.pause()
        try:
            assert {reason(batches.line(WAIT)) for _ in range(2)} <= {"no answer in time", "no connection in time"}
        finally:
            engine.server.go_on()
        assert is_answered(batches.line(WAIT))


def test_store_that_is_not_there(engine, folder):
    nowhere = "host=/nowhere" if engine.program.name == "ledger_postgres" else "/nowhere"
    answer = run(engine.program, "--batches", nowhere, stdin=WAIT)
    assert "No such file or directory" in reason(json.loads(answer))


def test_script_that_is_not_there(engine):
    assert run(engine.program, engine.address, "/nowhere", expect=2) == "/nowhere: No such file or directory\n"
    assert run(engine.program, engine.address, "/", expect=2) == "/: Is a directory\n"
    assert "usage: " in run(engine.program, "--batches", engine.address, "/nowhere", "more", expect=2)


def test_password_of_redis(folder):
    with RedisServer() as server:
        redis.Redis.from_url(server.url).config_set("requirepass", "secret")
        command = [folder / "ledger_redis", "--batches", f"127.0.0.1:{server.port}"]
        assert is_answered(json.loads(run(*command, stdin=WAIT, REDIS_PASSWORD="secret")))
        assert "NOAUTH" in reason(json.loads(run(*command, stdin=WAIT)))
        assert "WRONGPASS" in reason(json.loads(run(*command, stdin=WAIT, REDIS_PASSWORD="guess")))


def test_second_engine_gets_the_booking_of_the_first(engine):
    """Its own sandbox knows nothing of it."""
    first, second = run(engine.program, engine.address), run(*VALGRIND, engine.program, engine.address)
    assert first == second
    said, reply = first.splitlines()
    assert said.startswith("You are booked for Tuesday 15 January")
    ledger = from_url(engine.server.url)
    [kept] = ledger.execute([{"op": "wait", "id": "1", "scope": "sandbox", "key": "call-7-1"}])
    ledger.close()
    assert kept["result"] == "booked" and json.loads(reply)["booking"]["id"] in kept["row"]["reply"]


def test_nothing_is_booked_without_the_store(engine):
    engine.server.kill()
    try:
        assert "journal_unavailable" in run(engine.program, engine.address, expect=1)
    finally:
        engine.server.start()
