#!/usr/bin/env python3
"""An HTTP/1.1 server that reads searches and never answers them. Prints its port and serves until it is ended.

With a number as argument it answers each search after so many seconds: nothing is free.
HEAD is answered, so that connections can be made ahead; GET /waiting tells how many searches wait for an answer.
"""

import asyncio
import sys

waiting = 0
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else None
NOTHING = b'{"availabilities":[]}'


class Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.unread = b""
        self.searches = 0

    def data_received(self, data: bytes) -> None:
        self.unread += data
        while b"\r\n\r\n" in self.unread:
            head, rest = self.unread.split(b"\r\n\r\n", 1)
            first, *lines = head.split(b"\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(b":") for line in lines)}
            length = int(headers.get(b"content-length", b"0"))
            if len(rest) < length:
                return
            self.unread = rest[length:]
            self.serve(first.split(b" ", 1)[0])

    def serve(self, method: bytes) -> None:
        global waiting
        if method == b"POST":
            self.searches += 1
            waiting += 1
            if SECONDS is not None:
                asyncio.get_running_loop().call_later(SECONDS, self.answer_search)
            return
        self.write(b"%d" % waiting if method == b"GET" else b"")

    def answer_search(self) -> None:
        global waiting
        if self.searches > 0:
            self.searches -= 1
            waiting -= 1
            self.write(NOTHING)

    def write(self, body: bytes) -> None:
        self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def connection_lost(self, error: Exception | None) -> None:
        global waiting
        waiting -= self.searches
        self.searches = 0


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
