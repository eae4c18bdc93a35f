"""Programs of others, built upon an installed library."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from header import ROOT, VERSION

SOURCES = ROOT / "Tests" / "package"
CC = os.environ.get("CC", "cc")
STRICT = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror"]
BOOKED = f'built with {VERSION}, runs with {VERSION}: {{"booking":'


def run(*command: object, expect: int = 0, cwd: Path | None = None, **environment: object) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **{name: str(value) for name, value in environment.items()}},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout


def book(program: Path, libdir: Path | None = None) -> None:
    """Runs a program that was built with the installed library, and no other."""
    environment = {"LD_LIBRARY_PATH": libdir} if libdir else {}
    assert run(program, **environment).startswith(BOOKED)


def pkg_config(folder: Path, *options: str, **environment: object) -> list[str]:
    return run("pkg-config", *options, "partnerbooking", PKG_CONFIG_LIBDIR=folder, **environment).split()
