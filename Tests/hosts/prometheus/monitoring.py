"""Shared by the tests of packaging/monitoring: the files, `promtool`, and a Prometheus on
loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import yaml
from partnerbooking.prometheus import Collector

ROOT = Path(__file__).resolve().parents[3]
FILES = ROOT / "packaging" / "monitoring"
UNPACKED = ROOT / "build" / "hosts" / "debian" / "usr" / "bin"
"""The folder into which `make -C Tests/hosts prometheus` unpacks Debian's package."""

PATIENCE = 40.0
DASHBOARD: dict[str, Any] = json.loads((FILES / "dashboard.json").read_text())
RULES: dict[str, Any] = yaml.safe_load((FILES / "alerts.yaml").read_text())
ALERTS = {rule["alert"]: rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule}
RECORDS = {rule["record"]: rule for group in RULES["groups"] for rule in group["rules"] if "record" in rule}

Series = tuple[dict[str, str], float]

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def program(name: str) -> str:
    found = shutil.which(name, path=f"{UNPACKED}{os.pathsep}{os.environ.get('PATH', '')}")
    assert found, f"{name} is missing, of Debian's package prometheus: make -C Tests/hosts prometheus"
    return found


def promtool(*words: object) -> subprocess.CompletedProcess[str]:
    command = [program("promtool"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)


def metrics_in(expression: str) -> set[str]:
    """The names of metrics, recorded ones too."""
    return set(re.findall(r"\bpartnerbooking[_:][\w:]+", expression))


def metrics_of_the_collector() -> set[str]:
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}
    return {f"{metric.name}{suffix}" for metric in Collector().describe() for suffix in suffixes[metric.type]}


def shortened(rules: str, seconds: int) -> str:
    """The rules with windows of so many seconds. 10 minutes are 2 seconds."""
    text = re.sub(r"(?<=[\[ ])5m\b", f"{seconds}s", rules).replace("< 300", f"< {seconds}").replace("> 600", "> 2")
    assert len(re.findall(rf"[\[ ]{seconds}s\b", text)) > 6 and text.count("> 2\n") == 2
    return text


def panels() -> Iterator[dict[str, Any]]:
    """Those that show something."""
    yield from (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def filled(expression: str, job: str = ".*", client: str = ".*", interval: str = "1m") -> str:
    """As Grafana sends it: with values for its variables."""
    for name, value in {"job": job, "client": client, "__rate_interval": interval}.items():
        expression = expression.replace(f"${name}", value)
    assert "$" not in expression, expression
    return expression


class Prometheus(AbstractContextManager["Prometheus"]):
    """Scrapes each target every half second. `targets`: the port of each job. `rules`: the text of
    a file of rules."""

    def __init__(self, folder: Path, targets: dict[str, int], rules: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]} for job, port in targets.items()
        ]
        often = {"scrape_interval": "500ms", "scrape_timeout": "500ms", "evaluation_interval": "500ms"}
        (folder / "rules.yaml").write_text(rules)
        (folder / "prometheus.yml").write_text(
            yaml.safe_dump({"global": often, "rule_files": ["rules.yaml"], "scrape_configs": jobs})
        )
        self._url = f"http://{address}/api/v1"
        self._log = folder / "log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    program("prometheus"),
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address={address}",
                    "--log.level=warn",
                ],
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> Prometheus:
        try:
            self.wait("up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def ask(self, what: str, **query: object) -> Any:
        url = f"{self._url}/{what}?{urllib.parse.urlencode(query)}"
        try:
            with _OPENER.open(url, timeout=PATIENCE) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as error:
            if error.code == 503:
                raise  # it is not ready yet
            raise ValueError(f"{query}: {error.read().decode()}") from None

    def query(self, expression: str) -> list[Series]:
        found = self.ask("query", query=expression)["result"]
        return [(each["metric"], float(each["value"][1])) for each in found]

    def value(self, expression: str) -> float | None:
        """The value of the one series that there is."""
        found = self.query(expression)
        assert len(found) <= 1, (expression, found)
        return found[0][1] if found else None

    def alerts(self, state: str = "firing") -> dict[str, dict[str, Any]]:
        """By name."""
        found = self.ask("alerts")["alerts"]
        return {each["labels"]["alertname"]: each for each in found if each["state"] == state}

    def wait(self, expression: str, holds: Callable[[list[Series]], bool] = bool) -> list[Series]:
        return self.wait_until(lambda: self.query(expression), holds)

    def wait_until(self, look: Callable[[], Any], holds: Callable[[Any], bool] = bool) -> Any:
        deadline = time.monotonic() + PATIENCE
        found: Any = None
        while time.monotonic() < deadline:
            assert self._process.poll() is None, self._log.read_text()
            try:
                found = look()
                if holds(found):
                    return found
            except urllib.error.URLError:
                pass  # it has just started
            time.sleep(0.1)
        raise AssertionError(f"after {PATIENCE} s: {found}\n{self._log.read_text()}")
