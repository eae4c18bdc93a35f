"""The platform that agent frameworks are tested with: clinics on loopback, whose faults a test switches on and off, and
whose books it reads. It needs the standard library alone.

    with ClinicServer() as server:
        clinic = server.clinic()
        async with pb.AsyncClient(**clinic.config()) as client:
            clinic.fault("booking", "slow", ms=700)
            ...
        assert len(clinic.booked()) == 1

A clinic is a platform of the zoo (`../servers/zoo.py`) with a port of its own. The server is a process of its own, so
that a framework's busy loop does not slow it down. By hand: `python3 clinic.py` prints the port of its orders.
"""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import time
import urllib.request
import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.append(str(Path(__file__).resolve().parents[1] / "servers"))

from zoo import INACTIVE, Act, Answer, Platform, Request, refusal
from zoo_behaviours import KeysFirst
from zoo_calendar import WALK_IN, Lists, instant
from zoo_http import API_KEY, Asked, Http1, Zoo

ZONE = "America/New_York"
PATIENCE = 30.0
KINDS = ("slow", "lost", "busy", "taken")
"""`slow`: takes `ms` longer. `lost`: does what it was asked for, `ms` later, and drops the connection without a byte.
`busy`: a 503 at once, and nothing is done. `taken`: somebody else gets the slot of a booking while it arrives."""

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


# What the tests use


class ClinicServer(AbstractContextManager):
    """The process. Leaving the context manager stops it."""

    def __init__(self) -> None:
        # It ends with its standard input, so it cannot outlive a test that was killed.
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the clinics did not start, exit code {self._process.wait()}")
        self._url = f"http://127.0.0.1:{json.loads(line)}"

    def __exit__(self, *exception: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def clinic(self, seed: int = 0) -> Clinic:
        """Opens another one, with empty books."""
        name = f"bot_{uuid.uuid4().hex[:26]}"
        opened = self.order("open", {"name": name, "seed": seed})
        return Clinic(self, name, opened["port"])

    def order(self, what: str, content: dict[str, Any]) -> Any:
        with _OPENER.open(f"{self._url}/_zoo/{what}", json.dumps(content).encode(), timeout=PATIENCE) as reply:
            return json.load(reply)


@dataclass(frozen=True)
class Clinic:
    """One clinic: one bot, one calendar. Its methods wait for a few milliseconds; from a coroutine use
    `asyncio.to_thread`, or a framework's audio clock stops."""

    server: ClinicServer
    bot_id: str
    port: int

    def config(self, **members: Any) -> dict[str, Any]:
        """The configuration of a client. `members` replace what stands here."""
        return {
            "api_key": API_KEY,
            "base_url": f"http://127.0.0.1:{self.port}",
            "voice": {"time_zone": ZONE, "region": "US"},
            "keep_warm_ms": 0,
            # A test breaks the clinic, and goes on with it.
            "circuit_breaker": {"failures": 0},
            **members,
        }

    def fault(self, what: str, kind: str, *, ms: float = 0, times: int | None = None) -> None:
        """From now on each `search` or each `booking` meets this, or the next `times` of them."""
        if what not in ("search", "booking") or kind not in KINDS:
            raise ValueError(f"{what} {kind}")
        self._order("fault", what=what, kind=kind, ms=ms, times=times)

    def mend(self) -> None:
        """Ends all faults, for requests that have yet to come."""
        self._order("mend")

    def down(self) -> None:
        """Refuses connections, and drops those that it has."""
        self._order("down")

    def up(self) -> None:
        self._order("up")

    def take(self, start_at: str, minutes: int = 30) -> None:
        """Somebody else books that time."""
        if not self._order("take", start_at=start_at, minutes=minutes)["was_free"]:
            raise ValueError(f"{start_at} is booked already")

    def take_named(self, slot: str) -> None:
        """Somebody else books the slot with this name, such as `tue15-0930u`."""
        start = start_of(slot)
        self.take(start.isoformat())

    def books(self) -> dict[str, Any]:
        """`requests` lists every request for a booking, `searches` every search, and `appointments` every booking.
        `in_work` and `open` are 0 when nothing more comes by itself."""
        return self._order("books")

    def wait_until_idle(self) -> None:
        """Until nothing more comes by itself."""
        deadline = time.monotonic() + PATIENCE
        while (books := self.books())["in_work"] or books["open"]:
            if time.monotonic() > deadline:
                raise RuntimeError("the clinic is still at work")
            time.sleep(0.02)

    def booked(self) -> list[dict[str, Any]]:
        """The appointments that stand, without those of somebody else, each with the `customer` of its request."""
        return booked_in(self.books())

    def close(self) -> None:
        """Forgets it. Its port is free."""
        self._order("forget")

    def _order(self, order: str, /, **members: Any) -> Any:
        return self.server.order(order, {"name": self.bot_id, **members})


def booked_in(books: dict[str, Any]) -> list[dict[str, Any]]:
    customers = {each["number"]: each["customer"] for each in books["requests"]}
    return [
        each | {"customer": customers.get(each["request"])}
        for each in books["appointments"]
        if each["is_active"] and each["key"] != WALK_IN
    ]


def start_of(slot: str) -> datetime:
    """The time that a slot's name stands for: the next day of the month that it has."""
    today = datetime.now(ZoneInfo(ZONE)).date()
    day, hour, minute = int(slot[3:5]), int(slot[6:8]), int(slot[8:10])
    for days in range(62):
        if (found := today + timedelta(days=days)).day == day:
            return datetime(found.year, found.month, day, hour, minute, tzinfo=ZoneInfo(ZONE))
    raise ValueError(slot)


# The process


@dataclass
class Fault:
    kind: str
    ms: float
    times: int | None


class Desk(Lists):
    """The calendar of a clinic, and the faults that are switched on."""

    name = "desk"

    def __init__(self, seed: int) -> None:
        super().__init__(ZONE, offset="zone", seed=seed)
        self.faults: dict[str, list[Fault]] = {"search": [], "booking": []}
        self._met: dict[int, Fault] = {}
        """By the number of a request for a booking."""

    def _next(self, what: str) -> Fault | None:
        """The last one that was switched on."""
        faults = self.faults[what]
        if not faults:
            return None
        fault = faults[-1]
        if fault.times is not None:
            fault.times -= 1
            if not fault.times:
                faults.pop()
        return fault

    async def search(self, query: Any, number: int) -> Act:
        fault = self._next("search")
        if fault is None:
            return await super().search(query, number)
        await asyncio.sleep(fault.ms / 1000)
        if fault.kind == "busy":
            return Act(refusal(503, "unavailable"))
        act = await super().search(query, number)
        return Act(None) if fault.kind == "lost" else act

    def guard(self, request: Request) -> Answer | None:
        fault = self._next("booking")
        if fault is None:
            return None
        self._met[request.number] = fault
        request.met.append(fault.kind)
        if fault.kind == "taken":
            self.take(request.start_at, request.duration_minutes)  # if nobody has it yet
        return refusal(503, "unavailable") if fault.kind == "busy" else None

    def carries(self, request: Request) -> bool:
        return self._kind(request) == "lost"

    async def carry(self, request: Request) -> Act:
        await self.platform.start(request)
        return Act(None)

    def work(self, request: Request) -> float:
        fault = self._met.get(request.number)
        return 0 if fault is None else fault.ms / 1000

    def _kind(self, request: Request) -> str | None:
        fault = self._met.get(request.number)
        return None if fault is None else fault.kind

    def take(self, start_at: str, minutes: int) -> bool:
        """Whether it was free."""
        start = instant(start_at)
        for each in self.platform.appointments:
            begin, end = instant(each.start_at), instant(each.start_at) + timedelta(minutes=each.duration_minutes)
            if each.status not in INACTIVE and begin < start + timedelta(minutes=minutes) and start < end:
                return False
        walk_in = Request(-1, self.platform.name, WALK_IN, start_at, minutes, "", "", time.monotonic(), 1, 0, 0)
        self.platform.add_walk_in(walk_in)
        return True


class Door:
    """The port of a clinic, and the connections that came through it."""

    def __init__(self, zoo: Zoo) -> None:
        self._zoo = zoo
        self._inside: set[Http1] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        if self._server is None:
            loop = asyncio.get_running_loop()
            # The same port again: asyncio sets SO_REUSEADDR.
            self._server = await loop.create_server(lambda: Visitor(self._zoo, self._inside), "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for visitor in list(self._inside):
            visitor.turn_out()


class Visitor(Http1):
    def __init__(self, zoo: Zoo, inside: set[Http1]) -> None:
        super().__init__(zoo, is_kept=True)
        self._inside = inside

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._inside.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._inside.discard(self)

    def turn_out(self) -> None:
        self._transport.abort()


class Clinics(Zoo):
    def __init__(self) -> None:
        super().__init__()
        self._doors: dict[str, Door] = {}
        self._desks: dict[str, Desk] = {}

    async def respond(self, asked: Asked) -> Act:
        if asked.path.startswith("/_zoo/"):
            return Act(Answer(200, await self._obey(asked.path.removeprefix("/_zoo/"), json.loads(asked.body))))
        return await super().respond(asked)

    async def _obey(self, what: str, content: dict[str, Any]) -> Any:
        name = content["name"]
        if what == "open":
            desk, order = Desk(content["seed"]), KeysFirst()
            self.platforms[name] = Platform(name, content["seed"], [order, desk], order)
            self._desks[name], self._doors[name] = desk, Door(self)
            await self._doors[name].open()
            return {"port": self._doors[name].port}
        desk, door = self._desks[name], self._doors[name]
        if what == "books":
            return self.platforms[name].books()
        if what == "fault":
            desk.faults[content["what"]].append(Fault(content["kind"], content["ms"], content["times"]))
        elif what == "mend":
            desk.faults = {"search": [], "booking": []}
        elif what == "down":
            door.close()
        elif what == "up":
            await door.open()
        elif what == "take":
            return {"was_free": desk.take(content["start_at"], content["minutes"])}
        elif what == "forget":
            door.close()
            del self.platforms[name], self._desks[name], self._doors[name]
        return {}


async def serve() -> None:
    clinics = Clinics()
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # clients that leave are what the tests are about
    server = await asyncio.get_running_loop().create_server(lambda: Http1(clinics, is_kept=False), "127.0.0.1", 0)
    print(json.dumps(server.sockets[0].getsockname()[1]), flush=True)
    await asyncio.to_thread(sys.stdin.buffer.read)


if __name__ == "__main__":
    asyncio.run(serve())
