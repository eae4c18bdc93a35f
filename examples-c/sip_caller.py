"""A caller for sip_engine. It places phone calls by SIP over UDP, records the audio, and presses
keys.

    python3 sip_caller.py [PROGRAMS]

PROGRAMS is the folder of the built examples, by default ../build/examples-c. The program starts
sip_engine on the embedded sandbox, calls it, and prints both sides of the call. It exits with the
exit code of sip_engine, or with 1 if a clip did not arrive byte for byte. Arrival times come from
the kernel, so a slow caller measures no false gaps.
"""

from __future__ import annotations

import ctypes
import os
import re
import secrets
import selectors
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
SILENCE = b"\xff" * 160
PCMU, TELEPHONE_EVENT = 0, 101
SO_TIMESTAMPNS = 35  # Linux; the socket module has no name for it
PR_SET_PDEATHSIG = 1
KEYS = "0123456789*#"
LIBC = ctypes.CDLL(None)


class Call:
    """One phone call. `play` places it `after` seconds, by default at once."""

    def __init__(self, port: int, number: str = "+12125550123", name: str = "Ann Smith", after: float = 0):
        self.after = after
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        for each in (self.sip, self.rtp):
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)
        self.sip.connect(("127.0.0.1", port))
        self.uri = f"sip:clinic@127.0.0.1:{port}"
        self.id = f"{secrets.token_hex(8)}@127.0.0.1"
        self.tag = secrets.token_hex(4)
        self.sender = f'"{name}" <sip:{number}@127.0.0.1>;tag={self.tag}'
        self.receiver = f"<{self.uri}>"
        self.sequence = 1
        self.statuses: list[int] = []  # the replies to INVITE
        self.is_placed = self.is_up = self.is_over = False
        self.peer = ("127.0.0.1", 0)
        self.frames: list[tuple[int, int, bytes]] = []  # arrival in ns, sequence number, G.711
        self.to_send: list[tuple[float, bytes]] = []  # packets of a key, with the time to send
        self.rtp_sequence = 0

    # ---- SIP

    def request(self, method: str, sequence: int, body: str = "", kind: str = "application/sdp") -> None:
        host, port = self.sip.getsockname()
        lines = [
            f"{method} {self.uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{secrets.token_hex(8)};rport",
            "Max-Forwards: 70",
            f"From: {self.sender}",
            f"To: {self.receiver}",
            f"Call-ID: {self.id}",
            f"CSeq: {sequence} {method}",
            f"Contact: <sip:caller@{host}:{port}>",
            *([f"Content-Type: {kind}"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.sip.send(("\r\n".join(lines) + "\r\n\r\n" + body).encode())

    def invite(self) -> None:
        self.is_placed = True
        host, port = self.rtp.getsockname()
        offer = ["v=0", f"o=- 1 1 IN IP4 {host}", "s=-", f"c=IN IP4 {host}", "t=0 0", f"m=audio {port} RTP/AVP 0 101",
                 "a=rtpmap:0 PCMU/8000", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15", "a=ptime:20", ""]
        self.request("INVITE", self.sequence, "\r\n".join(offer))

    def hang_up(self) -> None:
        self.sequence += 1
        self.request("BYE", self.sequence)
        self.is_over = True

    def take_sip(self) -> None:
        text = self.sip.recv(65536).decode()
        head, _, body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        if not first.startswith("SIP/2.0 "):
            kept = [line for line in lines if re.match(r"(?i)(via|from|to|call-id|cseq):", line)]
            self.sip.send("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode())
            self.is_over |= first.startswith("BYE ")
            return
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if not headers["cseq"].endswith("INVITE"):
            return
        status = int(first.split()[1])
        self.statuses.append(status)
        if status < 200:
            return
        self.receiver = headers["to"]
        self.request("ACK", self.sequence)
        self.is_over |= status >= 300
        if status < 300:
            self.is_up = True
            self.peer = ("127.0.0.1", int(re.search(r"^m=audio (\d+)", body, re.MULTILINE)[1]))

    # ---- RTP

    def take_rtp(self) -> None:
        packet, extra, _, _ = self.rtp.recvmsg(2048, 64)
        seconds, nanoseconds = struct.unpack("qq", extra[0][2])
        if packet[1] & 0x7F == PCMU:
            number = struct.unpack_from("!H", packet, 2)[0]
            self.frames.append((seconds * 10**9 + nanoseconds, number, packet[12:]))

    def press(self, key: str) -> None:
        """Presses a key by RFC 4733: an event of 100 ms, with its end sent three times."""
        begin, timestamp = time.monotonic(), secrets.randbits(32)
        for number in range(8):
            event = struct.pack("!BBH", KEYS.index(key), 0x80 | 10 if number >= 5 else 10, 160 * min(number + 1, 5))
            self.rtp_sequence += 1
            marker = 0x80 if number == 0 else 0
            header = struct.pack("!BBHII", 0x80, marker | TELEPHONE_EVENT, self.rtp_sequence, timestamp, 1)
            self.to_send.append((begin + 0.02 * number, header + event))

    def press_by_info(self, key: str) -> None:
        self.sequence += 1
        self.request("INFO", self.sequence, f"Signal={key}\r\nDuration=160\r\n", "application/dtmf-relay")

    def send_due(self) -> None:
        while self.to_send and self.to_send[0][0] <= time.monotonic():
            self.rtp.sendto(self.to_send.pop(0)[1], self.peer)

    # ---- Received audio

    @property
    def heard(self) -> bytes:
        return b"".join(frame for _, _, frame in self.frames)

    @property
    def gaps_ms(self) -> list[float]:
        times = [at for at, _, _ in self.frames]
        return [(later - earlier) / 1e6 for earlier, later in zip(times, times[1:])]

    def is_quiet(self, seconds: float = 0.4) -> bool:
        last = self.frames[-round(seconds * 50) :]
        return len(last) == round(seconds * 50) and all(frame == SILENCE for _, _, frame in last)

    def close(self) -> None:
        self.sip.close()
        self.rtp.close()


def play(calls: list[Call], script: Callable[[Call], Iterator[Callable[[], bool]]], seconds: float = 60) -> None:
    """Places the calls, and runs the script of each until all calls are over. A script yields the
    conditions that it waits for. Raises TimeoutError after `seconds`."""
    scripts = {call: script(call) for call in calls}
    waits: dict[Call, Callable[[], bool]] = {}
    begin = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for call in calls:
            selector.register(call.sip, selectors.EVENT_READ, call.take_sip)
            selector.register(call.rtp, selectors.EVENT_READ, call.take_rtp)
            waits[call] = lambda call=call: call.is_up
        while waits and time.monotonic() < begin + seconds:
            for key, _ in selector.select(0.01):
                key.data()
            for call, is_reached in list(waits.items()):
                if not call.is_placed and time.monotonic() >= begin + call.after:
                    call.invite()
                call.send_due()
                if is_reached():
                    following = next(scripts[call], None)
                    waits[call] = following if following is not None else lambda call=call: call.is_over
                if call.is_over:
                    waits.pop(call)
    if waits:
        raise TimeoutError(f"{len(waits)} of {len(calls)} calls are not over after {seconds} s")


class Engine:
    """sip_engine in its own process, with its output. It does not outlive this process."""

    def __init__(self, command: list[object], show: Callable[[str], None] = lambda line: None, **environment: str):
        self.clips = tempfile.TemporaryDirectory()
        self.lines: list[str] = []
        self.show = show
        self.process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True,
                                        preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
                                        env={**os.environ, "SIP_CLIPS": self.clips.name, **environment})
        first = self.process.stdout.readline()
        if not first.startswith("listening on port "):
            raise RuntimeError(f"sip_engine did not start, exit code {self.process.wait()}")
        self.port = int(first.split()[-1])
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self.show(self.lines[-1])

    def said(self, text: str, count: int = 1) -> Callable[[], bool]:
        return lambda: sum(text in line for line in list(self.lines)) >= count

    def rendered(self) -> dict[str, bytes]:
        """Returns the clips: text and G.711."""
        texts = Path(self.clips.name).glob("*.txt")
        return {file.read_text(): file.with_suffix(".ulaw").read_bytes() for file in texts}

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.reader.join()
        return status

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.clips.cleanup()


def clips_in_order(engine: Engine, call: Call, number: int = 1) -> list[str]:
    """Returns the texts that the engine said in a call. Raises AssertionError if a text was not
    heard byte for byte, in this order."""
    rendered, heard, at = engine.rendered(), call.heard, 0
    texts = [line.split("bot: ", 1)[1] for line in engine.lines if line.startswith(f"call {number}  bot: ")]
    for text in texts:
        at = heard.find(rendered[text], at)
        if at < 0:
            raise AssertionError(f"not heard: {text}")
        at += len(rendered[text])
    return texts


def main(programs: str = str(HERE.parent / "build" / "examples-c")) -> int:
    def show(line: str) -> None:
        print(line, flush=True)

    with Engine([Path(programs) / "sip_engine", "127.0.0.1:0"], show) as engine:
        call = Call(engine.port)

        def script(call: Call) -> Iterator[Callable[[], bool]]:
            yield lambda: engine.said("press three.")() and call.is_quiet()
            call.press("2")
            yield lambda: engine.said("Press one to book it")() and call.is_quiet()
            call.press("1")

        play([call], script)
        texts = clips_in_order(engine, call)
        print(f"the caller heard {len(texts)} clips byte for byte, in {len(call.frames)} frames; the longest gap was "
              f"{max(call.gaps_ms):.1f} ms")
        call.close()
        return engine.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
