"""The targets of the Makefile."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAKEFILES = [ROOT / "Makefile", ROOT / "packaging" / "package.mk"]


def targets() -> set[str]:
    """Those that are phony."""
    text = "".join(file.read_text() for file in MAKEFILES).replace("\\\n", " ")
    return {name for names in re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE) for name in names.split()}
