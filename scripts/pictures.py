#!/usr/bin/env python3
"""Draws the pictures of docs/pictures as SVG.

    scripts/pictures.py            writes the files
    scripts/pictures.py --check    exit code 1 if a file differs

An <img> cannot inherit a page's colours. So the background is transparent, each picture has a style
for a light and one for a dark page, and text beside boxes has a contrast of 3:1 at least on both.
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures"
SIZE = 14
ADVANCE = 0.56
"""Mean width of a character of sans-serif text, as a part of its size."""

STYLE = """
    text { font: 14px sans-serif; fill: #6e7781; }
    .in { fill: #1f2328; }
    .head { font-weight: bold; }
    .box { fill: #f6f8fa; stroke: #6e7781; }
    .shared { fill: #fff3d1; stroke: #b7791f; }
    .note { fill: #ddf4ff; stroke: #54aeff; }
    .life { stroke: #8c959f; stroke-dasharray: 3 5; }
    .arrow { stroke: #6e7781; fill: none; stroke-width: 1.5; }
    .lost { stroke-dasharray: 7 5; }
    .tip { fill: #6e7781; }
    .cross { stroke: #cf222e; stroke-width: 2.5; }
    @media (prefers-color-scheme: dark) {
      text { fill: #8b949e; }
      .in { fill: #e6edf3; }
      .box { fill: #21262d; stroke: #8b949e; }
      .shared { fill: #3d2e00; stroke: #d29922; }
      .note { fill: #0c2d6b; stroke: #388bfd; }
      .life { stroke: #6e7681; }
      .arrow { stroke: #8b949e; }
      .tip { fill: #8b949e; }
      .cross { stroke: #f85149; }
    }
"""


def width_of(text: str) -> float:
    return len(text) * SIZE * ADVANCE


class Picture:
    """An SVG under construction. Refuses text that leaves its box or the picture."""

    def __init__(self, width: int, height: int, title: str, description: str) -> None:
        self.width, self.height = width, height
        self.parts = [f"  <title>{escape(title)}</title>", f"  <desc>{escape(description)}</desc>"]

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: str = "middle") -> None:
        left = x - width_of(text) * {"start": 0.0, "middle": 0.5, "end": 1.0}[anchor]
        if left < 0 or left + width_of(text) > self.width or not SIZE <= y <= self.height - 4:
            raise ValueError(f"outside of the picture: {text}")
        style = f' class="{kind}"' if kind else ""
        self.parts.append(f'  <text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{style}>{escape(text)}</text>')

    def box(self, x: float, y: float, width: float, height: float, *lines: str, kind: str = "box") -> None:
        """Lines of text in the middle. One that begins with * is a heading."""
        self.parts.append(f'  <rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"/>')
        first = y + height / 2 - (len(lines) - 1) * 9 + 5
        for number, line in enumerate(lines):
            text = line.removeprefix("*")
            if width_of(text) > width - 8:
                raise ValueError(f"wider than its box: {text}")
            self.text(x + width / 2, first + number * 18, text, "in head" if line.startswith("*") else "in")

    def arrow(self, *points: tuple[float, float], both: bool = False) -> None:
        """Through the points, along the axes, with a tip at the last one."""
        path = "M" + " L".join(f"{x:g} {y:g}" for x, y in points)
        self.parts.append(f'  <path class="arrow" d="{path}"/>')
        self.tip(points[-2], points[-1])
        if both:
            self.tip(points[1], points[0])

    def tip(self, before: tuple[float, float], at: tuple[float, float]) -> None:
        (x, y), (dx, dy) = at, (at[0] - before[0], at[1] - before[1])
        if dx and dy:
            raise ValueError("an arrow ends along an axis")
        sx, sy = (dx > 0) - (dx < 0), (dy > 0) - (dy < 0)
        corners = [(x, y), (x - 10 * sx - 5 * sy, y - 10 * sy - 5 * sx), (x - 10 * sx + 5 * sy, y - 10 * sy + 5 * sx)]
        self.parts.append('  <path class="tip" d="M' + " L".join(f"{a:g} {b:g}" for a, b in corners) + ' z"/>')

    def svg(self) -> str:
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
        head += f' width="{self.width}" height="{self.height}" role="img">'
        title, description, *rest = self.parts
        return "\n".join([head, title, description, f"  <style>{STYLE}  </style>", *rest, "</svg>", ""])


class Sequence(Picture):
    """Lanes from left to right, and messages from top to bottom."""

    def __init__(self, height: int, title: str, description: str, lanes: dict[str, float]) -> None:
        super().__init__(880, height, title, description)
        self.lanes = lanes
        for name, x in lanes.items():
            self.parts.append(f'  <path class="life" d="M{x:g} 50 V{height - 10}"/>')
            self.box(x - 70, 10, 140, 40, f"*{name}")

    def message(self, y: float, sender: str, receiver: str, text: str, lost: bool = False) -> None:
        start, end = self.lanes[sender], self.lanes[receiver]
        sign = 1 if end > start else -1
        if width_of(text) > abs(end - start) - 10:
            raise ValueError(f"longer than its arrow: {text}")
        self.text((start + end) / 2, y - 7, text)
        if not lost:
            self.arrow((start + sign * 5, y), (end - sign * 5, y))
            return
        stop = start + (end - start) * 0.6
        self.parts.append(f'  <path class="arrow lost" d="M{start + sign * 5:g} {y:g} H{stop:g}"/>')
        self.parts.append(f'  <path class="cross" d="M{stop - 7:g} {y - 7:g} l14 14 m0 -14 l-14 14"/>')

    def note(self, y: float, lane: str, *lines: str) -> None:
        width = max(map(width_of, lines)) + 20
        self.box(self.lanes[lane] - width / 2, y, width, 18 * len(lines) + 12, *lines, kind="note")


def threads() -> Picture:
    picture = Picture(
        880,
        560,
        "The threads of a client",
        "Threads of the host put calls and cancels into the inbox of the TransferLoop. pbk-transfer takes them, runs "
        "libcurl and the callbacks, claims and settles keys in the LedgerStore, and completes calls: through the "
        "CompletionQueue, which has a descriptor, or through the CompletionWaiter of a blocking call. The LedgerStore "
        "gives records to the Journal. pbk-journal writes them, waits for the disk, and reports to the inbox. "
        "pbk-watchdog cuts floods and ends overdue calls. Threads of libcurl's resolver run getaddrinfo.",
    )
    # Threads.
    parts = ("CallCoordinator", "Exchange", "Endpoint", "curl multi", "callbacks")
    picture.box(10, 80, 170, 370)
    picture.box(425, 80, 165, 300, "*pbk-transfer", "", *parts)
    picture.box(765, 180, 105, 200, "*pbk-journal", "", "writes", "in groups")
    picture.box(225, 410, 160, 60, "*pbk-watchdog", "with a network")
    picture.box(610, 410, 110, 60, "*resolver", "getaddrinfo")
    # Shared between them.
    picture.box(225, 80, 160, 60, "Inbox of the", "TransferLoop", kind="shared")
    picture.box(225, 180, 160, 60, "CompletionWaiter", "(semaphore)", kind="shared")
    picture.box(225, 280, 160, 60, "CompletionQueue", "(descriptor)", kind="shared")
    picture.box(625, 100, 110, 60, "LedgerStore", kind="shared")
    picture.box(625, 250, 110, 60, "Journal", kind="shared")
    # Outside.
    picture.box(425, 495, 165, 55, "Partner API", "or webhook")
    picture.box(765, 495, 105, 55, "journal file")

    picture.text(95, 102, "threads of the host", "in head")
    for y, text in [(130, "submit, cancel"), (215, "blocking calls"), (315, "pbk_next_completion")]:
        picture.text(95, y, text, "in")
    picture.arrow((180, 125), (223, 125))
    picture.arrow((385, 125), (423, 125))
    for y in (210, 310):
        picture.arrow((425, y), (387, y))
        picture.arrow((225, y), (182, y))
    picture.arrow((592, 130), (623, 130), both=True)
    picture.text(690, 213, "records", anchor="start")
    picture.arrow((680, 160), (680, 248))
    picture.arrow((735, 280), (763, 280))
    picture.arrow((817, 380), (817, 493))
    picture.text(808, 445, "fdatasync", anchor="end")
    picture.text(560, 20, "report: the records are on the disk")
    picture.arrow((817, 180), (817, 28), (305, 28), (305, 78))
    picture.text(505, 52, "heard: pbk_completion_free")
    picture.arrow((95, 80), (95, 60), (680, 60), (680, 98))
    picture.text(400, 362, "ends overdue calls", anchor="end")
    picture.arrow((265, 410), (265, 342))
    picture.text(392, 458, "cuts floods", anchor="start")
    picture.arrow((385, 440), (460, 440), (460, 382))
    picture.arrow((545, 380), (545, 493), both=True)
    picture.arrow((665, 410), (665, 355), (592, 355), both=True)
    return picture


def booking() -> Picture:
    picture = Picture(
        880,
        405,
        "The states of an idempotency key",
        "A key is absent until a whole request makes it in flight. From there it becomes booked, refused, or, if the "
        "outcome is unknown and nothing works on it, in doubt. A repeat or a resume makes it in flight again. A "
        "booked key becomes absent after the retention. A refused key becomes absent when it was heard, or after "
        "the retention. A new request makes it in flight. A person can give up a doubt: the key is absent.",
    )
    picture.box(20, 155, 150, 60, "*absent", "nothing is known")
    picture.box(350, 155, 180, 60, "*in flight", "an exchange works", kind="note")
    picture.box(690, 155, 170, 60, "*in doubt", "may be made", kind="shared")
    picture.box(350, 15, 180, 60, "*booked", "the reply is kept")
    picture.box(350, 295, 180, 60, "*refused", "not made, key free")

    picture.text(260, 176, "whole request")
    picture.arrow((170, 185), (348, 185))
    picture.text(450, 120, "it was made", anchor="start")
    picture.arrow((440, 155), (440, 77))
    picture.text(490, 260, "rejected, not_sent", anchor="start")
    picture.arrow((480, 215), (480, 293))
    picture.text(390, 260, "new request", anchor="end")
    picture.arrow((400, 295), (400, 217))
    picture.text(610, 162, "outcome unknown")
    picture.arrow((530, 170), (688, 170))
    picture.text(610, 220, "repeat, resume")
    picture.arrow((690, 200), (532, 200))
    picture.text(225, 36, "retention is over")
    picture.arrow((350, 45), (95, 45), (95, 153))
    picture.text(235, 316, "heard, or retention is over")
    picture.arrow((350, 325), (120, 325), (120, 217))
    picture.text(420, 381, "a person gives it up")
    picture.arrow((775, 215), (775, 390), (60, 390), (60, 217))
    picture.text(775, 75, "restart: an intent")
    picture.text(775, 93, "without an end")
    picture.arrow((775, 103), (775, 153))
    return picture


def lost_reply() -> Picture:
    picture = Sequence(
        575,
        "A reply that is lost",
        "The host books with a key. The library writes the intent to the journal and sends the request. The Partner "
        "API relays it, and the platform books. The connection breaks before the reply arrives. The library sends "
        "the request again with the same key, and gets the booking that the key has. The host gets PBK_OK. There is "
        "one appointment. Without an answer until the deadline the call ends in_doubt, unknown.",
        {"host": 80, "library": 320, "Partner API": 570, "platform": 800},
    )
    picture.message(95, "host", "library", "pbk_create_booking(key)")
    picture.note(110, "library", "The key is in flight.", "The journal has the intent.")
    picture.message(195, "library", "Partner API", "request, key")
    picture.message(225, "Partner API", "platform", "request, key")
    picture.note(240, "platform", "It books.")
    picture.message(305, "platform", "Partner API", "201, the booking")
    picture.message(335, "Partner API", "library", "201", lost=True)
    picture.note(350, "library", "No answer: it may be made.", "Pause, then the same key.")
    picture.message(435, "library", "Partner API", "request, same key")
    picture.message(465, "Partner API", "library", "the booking of that key")
    picture.message(495, "library", "host", "PBK_OK, the booking")
    lines = ("No answer until the deadline: the call ends in_doubt,", "unknown. The library asks on for settle_for_ms.")
    picture.note(515, "library", *lines)
    return picture


def interruption() -> Picture:
    picture = Sequence(
        640,
        "The caller interrupts",
        "During a search the caller speaks. The host cancels the search, and its completion comes at once: "
        "cancelled. During a booking with detach the caller hangs up. The host cancels the call, but the booking "
        "goes on. The platform books, the library completes the call with the booking, and the host sends the "
        "caller a message. Without detach the call ends at once: cancelled, unknown. The library reads the answer "
        "and reports the end as PBK_EVENT_SETTLED.",
        {"caller": 80, "host": 320, "library": 560, "platform": 800},
    )
    picture.message(95, "host", "library", "pbk_submit: search")
    picture.message(120, "library", "platform", "search")
    picture.message(150, "caller", "host", "\"No, wait …\"")
    picture.message(180, "host", "library", "pbk_cancel")
    picture.message(210, "library", "host", "completion: cancelled")
    picture.note(225, "library", "A search changes nothing.")

    picture.message(305, "host", "library", "booking, \"detach\":true")
    picture.message(330, "library", "platform", "booking, key")
    picture.message(360, "caller", "host", "hangs up")
    picture.message(390, "host", "library", "pbk_cancel")
    picture.note(405, "library", "The booking goes on.")
    picture.message(465, "platform", "library", "201, the booking")
    picture.message(495, "library", "host", "completion: PBK_OK")
    picture.message(525, "host", "caller", "a text message")
    lines = ("Without detach: cancelled, unknown, at once.", "The library reads the answer. With")
    picture.note(550, "host", *lines, "report_settled: PBK_EVENT_SETTLED.")
    return picture


PICTURES = {
    "threads.svg": threads,
    "booking.svg": booking,
    "lost-reply.svg": lost_reply,
    "interruption.svg": interruption,
}


def main(arguments: list[str]) -> int:
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    drawn = {FOLDER / name: draw().svg() for name, draw in PICTURES.items()}
    if arguments:
        return int(any(not file.exists() or file.read_text() != svg for file, svg in drawn.items()))
    for file, svg in drawn.items():
        file.write_text(svg)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
