"""Fixtures for the tests of the Python package."""

from __future__ import annotations

import logging
import os

import pytest
from python_package import Run, _cli, pb
from reference_names import API_KEY
from samples import SANDBOX


@pytest.fixture(autouse=True)
def logger_is_as_before():
    """Commands that run in this process set the package's logger up for themselves."""
    logger = logging.getLogger("partnerbooking")
    before = logger.handlers[:], logger.level, logger.propagate
    yield
    logger.handlers, logger.level, logger.propagate = before


@pytest.fixture
def sandbox():
    with pb.Client(**SANDBOX) as client:
        yield client


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Runs a command, and gives its exit code and what it printed. Keyword arguments are the environment's, those in
    capitals without PARTNER_."""

    def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
        for name in list(os.environ):
            if name.startswith("PARTNER_") or name.lower() == "https_proxy":
                monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(f"PARTNER_{name}" if name.isupper() else name, value)
        try:
            code = _cli.main(arguments)
        except SystemExit as exit:
            code = exit.code
        out, err = (text.decode() for text in capsysbinary.readouterr())
        for private in (value for name, value in environment.items() if name == "API_KEY"):
            assert private not in out + err, "the key in the output"
        return code, out, err

    return run


@pytest.fixture
def hosted(http2, certificates) -> dict[str, str]:
    return {"API_KEY": API_KEY, "API_URL": http2.config["base_url"], "CA_FILE": str(certificates.ca_file)}
