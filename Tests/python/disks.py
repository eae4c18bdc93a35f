"""Disks that fail as a test says, for hosts in processes of their own."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from header import ROOT
from host import Host

FAULTS_SOURCE = ROOT / "Tests" / "c" / "disk_faults.c"


@pytest.fixture(scope="session")
def faults_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("faults") / "disk_faults.so"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    subprocess.run([*compiler, "-O2", "-shared", "-fPIC", "-o", str(library), str(FAULTS_SOURCE)], check=True)
    return library


class Disk:
    """Hosts whose disk does as it is told."""

    def __init__(self, library: Path, folder: Path, start_host: Callable[..., Host]) -> None:
        self._control, self._log = folder / "control", folder / "log"
        self._start_host = start_host
        self._environment = {
            "LD_PRELOAD": str(library),
            "DISK_FAULTS_PATH": str(folder / "journal"),
            "DISK_FAULTS_CONTROL": str(self._control),
            "DISK_FAULTS_LOG": str(self._log),
        }

    def host(self, config: dict[str, Any]) -> Host:
        return self._start_host(config, **self._environment)

    def set(self, *lines: str) -> None:
        """At once: a reader sees the old lines or the new."""
        new = self._control.with_suffix(".new")
        new.write_text("".join(f"{line}\n" for line in lines))
        new.rename(self._control)

    def clear(self) -> None:
        self._control.unlink()

    @property
    def has_failed(self) -> bool:
        return self._log.exists()


@pytest.fixture
def disk(faults_library, tmp_path, start_host) -> Disk:
    return Disk(faults_library, tmp_path, start_host)
