"""A disk that fails while a booking is under way, between its beginning and its end: scenarios of `disk.py`."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator

import journal_file as jf
import pbk
from disk_stage import COMPACTION_SECONDS, Scenario, Stage, wait_until

EIO = errno.EIO
API_KEY = "sk_ptnr_disk0123456789abcdef"


def end_cannot_be_written(*lines: str) -> Scenario:
    """The disk fails after the intent was recorded: the caller is told of the booking all the same."""

    def scenario(stage: Stage) -> None:
        stage.begin(latency_ms=150)
        ticket = jf.submitted(stage.client, pbk.BOOK, stage.request("made"))
        stage.check(wait_until(lambda: is_recorded(stage, "made")), "no intent")
        stage.faults.set(*lines)
        done = jf.next_done(stage.client)
        stage.check(done.ticket == ticket, "the end of another call:", done)
        stage.expect_made("made", stage.note("made", jf.answer_of(done)))
        again = stage.book("made")
        stage.check(again.timing.get("replayed") is True, "is not replayed in the same process:", again)
        stage.check_crash("killed before the end was written:", is_clean=False)
        time.sleep(COMPACTION_SECONDS)
        stage.search()
        stage.faults.clear()
        stage.check(stage.faults.met > 0, "no fault was met")
        stage.end()

    return scenario


def is_recorded(stage: Stage, key: str) -> bool:
    return key in jf.read(stage.path.read_bytes()).pending


@contextlib.contextmanager
def listener(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on loopback whose every connection is served, and then closed. Gives the port."""

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    serve(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]


def void_cannot_be_written(stage: Stage) -> None:
    """The handshake fails, so nothing was sent; at the same moment the disk fails, so that cannot be written down."""

    def serve(connection: socket.socket) -> None:
        stage.faults.set("sync errno 5", "write errno 5", "truncate errno 5")

    with listener(serve) as port:
        end_without_booking(stage, f"https://127.0.0.1:{port}")


def void_cannot_be_synced(stage: Stage) -> None:
    """As above, but only the wait for the disk fails."""
    with listener(lambda _: stage.faults.set("sync errno 5")) as port:
        end_without_booking(stage, f"https://127.0.0.1:{port}")


def void_hangs(stage: Stage) -> None:
    """As above, but the disk hangs: the caller is told all the same, and not before it is true."""
    with listener(lambda _: stage.faults.set("sync hang")) as port:
        end_without_booking(stage, f"https://127.0.0.1:{port}")


def refusal_cannot_be_written(stage: Stage) -> None:
    """The service says no while the disk fails."""
    body = b'{"error":{"code":"invalid_payload","message":"no"}}'
    head = f"HTTP/1.1 422 No\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"

    def serve(connection: socket.socket) -> None:
        request = b""
        while not request.endswith(b"}}"):
            request += connection.recv(65536)
        stage.faults.set("sync errno 5", "write errno 5", "truncate errno 5")
        connection.sendall(head.encode() + body)

    with listener(serve) as port:
        end_without_booking(stage, f"http://127.0.0.1:{port}")


def end_without_booking(stage: Stage, url: str) -> None:
    """Whatever is told, it holds if the process is killed then, and if it goes on."""
    config = stage.config(stage.path)
    for name in ("endpoint", "sandbox"):
        del config[name]
    stage.path.parent.mkdir()
    client = pbk.Client({**config, "api_key": API_KEY, "base_url": url, "timeout_ms": 20_000})
    answer = stage.note("tried", jf.book(client, stage.request("tried")))
    stage.check(answer.status != jf.OK, "booked by nobody:", answer)
    stage.check(stage.faults.met > 0, "no fault was met")
    copy = stage.folder / "crash"
    copy.write_bytes(stage.path.read_bytes())
    stage.faults.clear()
    client.close()
    for path, where in ((copy, "killed when it was told:"), (stage.path, "opened again:")):
        with pbk.Client({**config, "api_key": API_KEY, "base_url": url, "journal_path": str(path)}) as again:
            listing = jf.pending(again)
        doubts = jf.doubts(listing)
        stage.check(not doubts & stage.not_sent, where, "told not_sent, and in doubt:", doubts, answer)
        stage.check(jf.BOOKED not in jf.states(listing).values(), where, "booked by nobody:", listing)
        stage.counts["told rejected or not_sent, and in doubt"] += bool(doubts) and answer.outcome != "unknown"


SCENARIOS: dict[str, Scenario] = {
    "end_not_written": end_cannot_be_written(f"write errno {EIO}"),
    "end_not_synced": end_cannot_be_written(f"sync errno {EIO}"),
    "void_not_written": void_cannot_be_written,
    "void_not_synced": void_cannot_be_synced,
    "void_hangs": void_hangs,
    "refusal_not_written": refusal_cannot_be_written,
}
