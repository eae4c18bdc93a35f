"""libcurl 7.81, which Ubuntu 22.04 has: what the shared object asks of it, and calls with one that has no more."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from certificates import Certificates
from fault_server import answer, answer_once, unbounded_reply
from header import ROOT
from programs import FILE, output_of, run_program
from samples import SEARCH_REPLY, search_request
from services import Service, config_for

OLDEST = {line for line in (ROOT / "Tests" / "data" / "libcurl-7.81.txt").read_text().splitlines() if line[:1] != "#"}
OPTIONAL = {"curl_easy_header"}
"""Newer, and used only where they are there."""
REPLACED = {"curl_easy_setopt", "curl_version_info"}
"""Functions that the source of the older libcurl writes out."""

CHILD = """
import json, sys
import pbk
with pbk.Client(json.loads(sys.argv[1])) as client:
    for _ in range(2):
        result = client.search(sys.argv[2])
        print(json.dumps([result.status, json.loads(result.reply)]))
"""


def functions(kind: str) -> set[str]:
    """Names of libcurl, undefined in the shared object: `U`, or `w` for those that may be
    missing."""
    return set(re.findall(rf"^ +{kind} (curl_\w+)", output_of("nm", "-D", FILE), re.MULTILINE))


def test_nothing_newer_is_needed_to_load():
    needed = functions("U")
    assert "curl_easy_init" in needed and len(OLDEST) > 80
    assert needed <= OLDEST
    assert functions("w") == OPTIONAL and not OPTIONAL & OLDEST


def test_no_newer_glibc_is_needed_than_the_page_says():
    versions = {int(version) for version in re.findall(r"GLIBC_2\.(\d+)", output_of("objdump", "-T", FILE))}
    page = (ROOT / "docs" / "install.md").read_text()
    assert max(versions) <= int(re.search(r"\| Linux with glibc \| `libc6` \| 2\.(\d+) or later \|", page)[1])


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the loader finds it."""
    folder = tmp_path_factory.mktemp("older")
    [real] = re.findall(r"^\s+libcurl\.so\.4 => (/\S+)", output_of("ldd", FILE), re.MULTILINE)
    passed_on = " ".join(f"F({name})" for name in sorted(functions("U") - REPLACED))
    (folder / "map").write_text("CURL_OPENSSL_4 { global: curl_*; local: *; };")
    command = [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-Wall", "-Werror", f'-DREAL="{real}"']
    command += [f"-DFUNCTIONS={passed_on}", "-Wl,-soname,libcurl.so.4", f"-Wl,--version-script={folder / 'map'}"]
    command += ["-o", str(folder / "libcurl.so.4"), str(ROOT / "Tests" / "coexistence" / "older_curl.c"), "-ldl"]
    subprocess.run(command, check=True, timeout=60)
    return {"LD_LIBRARY_PATH": str(folder)}


def searches(config: dict, older: dict[str, str]) -> list[tuple[int, dict]]:
    done = run_program(CHILD, json.dumps(config), json.dumps(search_request()), **older)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, "the loader complains"
    return [tuple(json.loads(line)) for line in done.stdout.splitlines()]


def test_calls_over_tls_and_http2(older, http2: Service):
    for status, reply in searches(http2.config, older):
        assert status == 0 and reply["availabilities"]


def test_headers_of_a_reply_are_read(older, start_faults, certificates: Certificates):
    head = "HTTP/1.1 103 Early Hints\r\nX-Request-Id: hint\r\n\r\n"
    head += "HTTP/1.1 429 Slow down\r\nx-request-id: req_7 \r\nCONTENT-TYPE: text/plain\r\nRetry-After: 3600\r\n"
    server = start_faults(answer(f"{head}Content-Length: 2\r\n\r\nno".encode()), certificate=certificates.good)
    for status, reply in searches({**config_for(server), "tls": {"ca_file": str(certificates.ca_file)}}, older):
        error = reply["error"]
        assert status != 0 and error["status"] == 429, error
        assert (error["request_id"], error["content_type"]) == ("req_7", "text/plain")
        assert error["retry_after_ms"] == 3_600_000


def test_a_reply_that_is_cut_is_noticed(older, start_faults):
    """A body without a length has its end where the connection has, unless it is chunked: a header
    says so."""
    server = start_faults(answer_once(unbounded_reply(200, SEARCH_REPLY[:-9])))
    assert [status != 0 for status, _ in searches(config_for(server), older)] == [True, True]


def test_the_older_libcurl_has_no_more(older):
    """Or the tests above would be about the installed one."""
    show = """
import ctypes, pbk
libcurl = ctypes.CDLL(str(pbk.LIBRARY))
libcurl.curl_easy_init.restype = ctypes.c_void_p
easy = ctypes.c_void_p(libcurl.curl_easy_init())
print([libcurl.curl_easy_setopt(easy, ctypes.c_int(option), ctypes.c_long(1)) for option in (99, 322)])
"""
    done = run_program(show, **older)
    assert done.stdout.strip() == "[0, 48]", done.stderr  # CURLOPT_NOSIGNAL, and CURLOPT_QUICK_EXIT is unknown
    names = output_of("nm", "-D", "--defined-only", Path(older["LD_LIBRARY_PATH"]) / "libcurl.so.4")
    assert "curl_easy_init" in names and not any(name in names for name in OPTIONAL)
