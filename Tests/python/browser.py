"""Debian's Chromium without a window, driven by the DevTools protocol over its pipe: no port, no
driver."""

from __future__ import annotations

import fcntl
import json
import os
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHROMIUM = "chromium"
OPTIONS = ["--headless=new", "--remote-debugging-pipe", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage"]
OPTIONS += ["--disable-background-networking", "--disable-component-update", "--no-proxy-server"]
SECONDS = 30
"""For one answer, on a busy machine."""

LOUD = ("error", "warning")


class Browser:
    """One tab. `complaints` has what the console and the network reported since the last page was
    opened."""

    def __init__(self, profile: Path) -> None:
        browser_reads, self._out = os.pipe()
        self._in, browser_writes = os.pipe()
        # The browser has them as 3 and 4. They must not be that here, or one would replace the
        # other.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (browser_reads, browser_writes)]
        options = [*OPTIONS, f"--user-data-dir={profile}"]
        if os.geteuid() == 0:
            options.append("--no-sandbox")
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}', "bash", CHROMIUM, *options],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in (browser_reads, browser_writes, *ends):
            os.close(end)
        self._received = b""
        self._number = 0
        self._session: str | None = None
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._loads = 0
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def close(self) -> None:
        os.close(self._out)  # Chromium ends when its pipe does.
        try:
            self._process.wait(SECONDS)
        finally:
            self._process.kill()
            os.close(self._in)

    # ---- The protocol ----

    def send(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while (answer := self._receive()).get("id") != self._number:
            pass
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def _receive(self) -> dict[str, Any]:
        """Returns the next answer or event, and keeps what an event complains about."""
        while b"\0" not in self._received:
            assert select.select([self._in], [], [], SECONDS)[0], "Chromium does not answer"
            part = os.read(self._in, 1 << 16)
            assert part, "Chromium has ended"
            self._received += part
        line, _, self._received = self._received.partition(b"\0")
        message = json.loads(line)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, event: str | None, told: dict[str, Any]) -> None:
        if event == "Page.loadEventFired":
            self._loads += 1
        elif event == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif event == "Network.loadingFailed":
            self.complaints.append(f"failed: {told['errorText']}")
        elif event == "Network.responseReceived" and told["response"]["status"] >= 400:
            self.complaints.append(f"{told['response']['status']}: {told['response']['url']}")
        elif event == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and told["type"] in LOUD:
            self.complaints.append(str(told["args"]))
        elif event == "Log.entryAdded" and told["entry"]["level"] in LOUD:
            self.complaints.append(told["entry"]["text"])

    # ---- What a person does ----

    def open(self, url: str) -> None:
        """Returns when the page and all that it asked for are there."""
        self.complaints, self.requests = [], []
        self.follow(lambda: self.send("Page.navigate", url=url))

    def follow(self, action: Callable[[], object]) -> None:
        """Does what makes another page load, and waits for that."""
        before = self._loads
        action()
        while self._loads == before:
            self._receive()

    def evaluate(self, expression: str) -> Any:
        done = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait_for(self, expression: str) -> None:
        deadline = time.monotonic() + SECONDS
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, expression
            time.sleep(0.02)

    def press(self, key: str, code: int, text: str = "") -> None:
        """Presses a key: its name, its Windows code, and what it types."""
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if text and kind == "keyDown" else {}
            self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **typed)

    def type(self, text: str) -> None:
        self.send("Input.insertText", text=text)

    def resize(self, width: int, height: int) -> None:
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def prefer(self, scheme: str) -> None:
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def allow_scripts(self, allowed: bool) -> None:
        self.send("Emulation.setScriptExecutionDisabled", value=not allowed)
