"""A host in a process of its own, to be killed: it does what a test tells it, and holds all completions that it takes.

As a program it opens a client with the configuration on its command line. Each line of its input is a list of a command
and its arguments, and gets one line of output. It ends with its input, so that it cannot outlive the tests.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "servers"))

import pbk  # noqa: E402


class Host(AbstractContextManager):
    """The process as a test sees it. Leaving the context kills it."""

    def __init__(self, config: dict[str, Any], **environment: str) -> None:
        command = [sys.executable, __file__, json.dumps(config)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )
        assert self._answer() == "open"

    def __exit__(self, *exception: object) -> None:
        self.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def kill(self) -> None:
        """As a crash does: without a word to anybody, and without an end to anything."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def book(self, request: dict[str, Any]) -> pbk.Result:
        return self._result("book", request)

    def search(self, request: dict[str, Any]) -> pbk.Result:
        return self._result("search", request)

    def submit(self, request: dict[str, Any]) -> int:
        return self._tell("submit", request)

    def take(self) -> tuple[int, pbk.Result]:
        """The event and the result of the next completion, which the host holds from now on."""
        event, status, reply = self._tell("take")
        return event, pbk.Result(status, reply.encode())

    def free(self) -> None:
        """All that it holds."""
        self._tell("free")

    def pending_bookings(self) -> pbk.Result:
        return self._result("list")

    def close(self, timeout_ms: int = 1000) -> int:
        return self._tell("close", timeout_ms)

    def _result(self, *command: Any) -> pbk.Result:
        status, reply = self._tell(*command)
        return pbk.Result(status, reply.encode())

    def _tell(self, *command: Any) -> Any:
        assert self._process.stdin is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"the host has ended with {self._process.wait()}"
        return json.loads(line)


def main() -> None:
    client = pbk.Client(sys.argv[1])
    held: list[int] = []

    def take() -> tuple[int, int, str]:
        status, address = pbk.next_address(client.handle, 20_000)
        assert address is not None, status
        held.append(address)
        completion = pbk.read_completion(address)
        return completion.event, completion.status, (completion.reply or b"").decode()

    def free() -> None:
        while held:
            pbk.library.pbk_completion_free(held.pop())

    def submit(request: dict[str, Any]) -> int:
        submission = client.submit(pbk.BOOK, request)
        assert submission.error is None, submission
        return submission.ticket

    def texts(result: pbk.Result) -> tuple[int, str]:
        return result.status, result.reply.decode()

    commands = {
        "book": lambda request: texts(client.book(request)),
        "search": lambda request: texts(client.search(request)),
        "submit": submit,
        "take": take,
        "free": free,
        "list": lambda: texts(client.pending_bookings()),
        "close": client.close,
    }
    print('"open"', flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(commands[name](*arguments)), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
