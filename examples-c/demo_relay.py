"""Runs the whole relay: a platform in one process, a voice engine in another, and signed HTTP
between them.

    python3 demo_relay.py [PROGRAMS]

PROGRAMS is the folder of the built examples, by default ../build/examples-c. A caller is
recognised. An appointment is booked once, and refused the second time. Each line shows which
process prints it. Exits with the worst exit code of all processes.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENGINES = ["returning_caller", "book_appointment"]
BOT_ID = "bot_01h2xcejqtf2nbrexx3vqjhp41"
ACCOUNT_ID = "acct_01h2xcejqtf2nbrexx3vqjhp41"


def show(who: str, lines: Iterable[str]) -> None:
    for line in lines:
        print(f"{who:8} | {line.rstrip()}".rstrip() + "\n", end="", flush=True)


def start_platform(secret: str) -> subprocess.Popen[str]:
    """Starts the platform. It ends with its standard input, so it cannot outlive this process."""
    return subprocess.Popen(
        [sys.executable, str(HERE / "platform_server.py")],
        env={**os.environ, "WEBHOOK_SECRET": secret},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_engines(programs: Path, config: str) -> int:
    worst = 0
    for name in ENGINES:
        command = [str(programs / name), config, BOT_ID]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as engine:
            show("engine", [f"{name}, process {engine.pid}"])
            show("engine", engine.stdout)
        worst = max(worst, abs(engine.returncode))  # negative: ended by a signal
    return worst


def main(programs: str = str(HERE.parent / "build" / "examples-c")) -> int:
    secret = f"whsec_{secrets.token_hex(32)}"
    worst = 1
    with start_platform(secret) as platform:
        log = threading.Thread(target=show, args=("platform", platform.stderr))
        log.start()
        try:
            listening = platform.stdout.readline()
            if listening:
                url = f"http://127.0.0.1:{json.loads(listening)['port']}"
                show("platform", [f"platform_server.py, process {platform.pid}, at {url}"])
                webhook = {"account_id": ACCOUNT_ID, "webhook_url": url, "webhook_secret": secret}
                # Other users can read a secret on a command line. This secret is worthless
                # after the demo.
                relay = {"endpoint": "platform_webhook", "platforms": {BOT_ID: webhook}, "private_hosts": ["127.0.0.1"]}
                config = json.dumps(relay)
                worst = run_engines(Path(programs), config)
        finally:
            platform.stdin.close()
            log.join()
    return max(worst, abs(platform.returncode))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
