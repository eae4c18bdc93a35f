"""The modules for agent frameworks, where no framework is installed. `Tests/hosts` has those with
their frameworks."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from header import ROOT
from python_package import PACKAGE, pb

FRAMEWORKS = {"livekit": "livekit", "openai_agents": "agents", "pipecat": "pipecat"}
"""By the module for it: the framework's own module."""
EXTRAS = sorted([*(module.replace("_", "-") for module in FRAMEWORKS), "otel", "postgres", "prometheus", "redis"])

HIDDEN = "import sys; sys.modules.update(dict.fromkeys({names}))\n"
"""Importing one of them fails, also where it is installed."""


def ended(program: str) -> subprocess.CompletedProcess[str]:
    names = sorted(FRAMEWORKS.values())
    command = [sys.executable, "-c", HIDDEN.format(names=names) + program]
    environment = {"PYTHONPATH": str(PACKAGE), "PARTNERBOOKING_LIBRARY": str(pb.library_path)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=55, check=False)


@pytest.mark.parametrize("module", FRAMEWORKS)
def test_missing_framework_is_named_with_the_command_that_installs_it(module):
    done = ended(f"import partnerbooking.{module}")
    error = done.stderr.splitlines()[-1]
    assert error.startswith("ImportError: ")
    assert f"pip install 'partnerbooking[{module.replace('_', '-')}]'" in error


def test_package_itself_needs_no_framework():
    done = ended("import partnerbooking as pb; pb.voice.tools('openai'); print(pb.__version__)")
    assert done.stdout.strip() == pb.__version__, done.stderr


def test_each_framework_has_an_extra():
    text = (PACKAGE / "pyproject.toml").read_text()
    extras = re.search(r"^\[project\.optional-dependencies\]\n((?:.+\n)*)", text, re.MULTILINE)[1]
    named = {line.split(" = ")[0]: line.split(" = ")[1] for line in extras.splitlines() if " = " in line}
    assert sorted(named) == EXTRAS
    for requirement in named.values():
        assert re.fullmatch(r'\["[\w\[\],-]+>=[\d.]+"\]', requirement), "a version that was tested"
    assert not re.search(r"^dependencies\b", text, re.MULTILINE), "the package itself needs nothing"


def test_wheel_offers_the_extras():
    [wheel] = (ROOT / "build" / "wheel").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        offered = re.findall(r"^Provides-Extra: (\S+)$", archive.read(name).decode(), re.MULTILINE)
    assert sorted(offered) == EXTRAS


@pytest.mark.parametrize("module", FRAMEWORKS)
def test_page_and_pins_of_each_framework_are_there(module):
    folder = ROOT / "Tests" / "hosts" / module
    assert "==" in (folder / "requirements.txt").read_text()
    assert (ROOT / "docs" / f"{module.replace('_', '-')}.md").exists()
    assert list(Path(PACKAGE / "examples").glob(f"{module.removesuffix('_agents')}_agent.py"))
