"""docs/tool-server.md: its commands, and what it shows."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from typing import Any

from pages import BLOCKS, DOCS, code_of
from python_package import PACKAGE, pb
from samples import NAME, NOW
from tool_host import ToolHost, request

ZONE, CALLER = "America/New_York", "+12125550123"
CLINIC: dict[str, Any] = {
    "endpoint": "sandbox",
    "sandbox": {"now": NOW, "time_zone": ZONE},
    "voice": {"time_zone": ZONE, "region": "US"},
}
PAGE = [block.text for block in BLOCKS if block.page == "docs/tool-server.md"]


def test_commands_of_the_page(tmp_path):
    """The secret is made, each server starts, and the first one answers the request of the page."""
    (tmp_path / "clinic.json").write_text(json.dumps(CLINIC))
    lines = [line for text in PAGE if text.startswith(("openssl", "python3", "curl")) for line in text.splitlines()]
    secret, *servers, curl = sorted(lines, key=lambda line: ["openssl", "python3", "curl"].index(line.split()[0]))
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    subprocess.run(["bash", "-c", secret], cwd=tmp_path, env=environment, check=True)
    assert len(servers) == 3
    for server in servers:
        command = [sys.executable, *shlex.split(server)[1:], "--port", "0"]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        try:
            port = process.stderr.readline().strip().rpartition(":")[2]
            asked = curl.replace(":8080", f":{port}")
            done = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, timeout=20)
        finally:
            process.terminate()
            process.communicate(timeout=20)
        answer = json.loads(done.stdout)
        assert process.returncode == 0
        if "--call-field" in server:
            assert answer["error"]["code"] == "no_call"
        else:
            assert answer["result"] == "offered", answer


def test_tools_are_printed_as_the_hosts_take_them(run):
    shown = [code for code in code_of(DOCS / "tool-server.md") if code.startswith("partnerbooking serve --sandbox")]
    prompts = {run(*shlex.split(command)[1:])[1] for command in shown if command.endswith("prompt")}
    assert prompts == {pb.voice.tools("openai", voice=CLINIC["voice"]).prompt + "\n"}
    shown = [command for command in shown if "--url" in command]
    assert len(shown) == 2
    for command in shown:
        code, out, err = run(*shlex.split(command)[1:])
        tools = json.loads(out)
        assert (code, err, len(tools)) == (0, "", 2)
        for tool in tools:
            function = tool.get("function", tool)
            assert set(function["parameters"]) == {"type", "properties"} and "strict" not in function
            for member in function["parameters"]["properties"].values():
                assert member["type"] in ("string", "boolean")  # no list of types
    vapi, retell = (json.loads(run(*shlex.split(command)[1:])[1])[1] for command in shown)
    assert vapi["server"] == {"url": "https://tools.example.com/vapi", "timeoutSeconds": 40}
    assert (retell["url"], retell["args_at_root"]) == ("https://tools.example.com/retell", False)
    assert retell["name"] == vapi["function"]["name"] == "book_appointment"


def test_log_is_as_the_page_shows_it(tmp_path):
    shown = next(text for text in PAGE if text.startswith("partnerbooking serve: book_appointment"))
    with ToolHost(CLINIC, tmp_path) as host:
        call = {"X-Call-Id": "call-1", "X-Caller-Phone": CALLER}
        for tool, body in (
            ("find_appointment_slots", {"when": "tomorrow", "time": "after three"}),
            ("book_appointment", {"slot": "tue15-1500h", "name": NAME, "caller_confirmed": True}),
        ):
            bearer = {"Authorization": "Bearer a-secret-of-the-tests"}
            assert host.send(request(f"/tools/{tool}", body, {**bearer, **call})).status == 200
        assert host.end()[0] == 0
        [line] = [line for line in host.lines if "book_appointment" in line]
        assert re.sub(r"call-[0-9a-f]{32}", "call-3b…", re.sub(r"\d+ ms", "310 ms", line)) == shown
        assert NAME not in host.log and CALLER not in host.log


def test_limits_and_options_are_those_of_the_page(run):
    page = (DOCS / "tool-server.md").read_text()
    from partnerbooking._http_head import Limits

    limits = Limits()
    for value in (
        f"| {limits.connections}, `--max-connections` |",
        f"| {limits.head_bytes // 1024} KiB, {limits.headers} headers |",
        f"| {limits.body_bytes // 2**20} MiB, `--max-body` |",
        f"| {limits.bodies_bytes // 2**20} MiB |",
        f"| {limits.head_seconds:.0f} s, {limits.body_seconds:.0f} s |",
        f"| {limits.idle_seconds:.0f} s |",
    ):
        assert value in page, value
    known = re.findall(r"--[a-z-]+", run("serve", "--help")[1])
    for option in re.findall(r"`(--[a-z-]+)", page):
        assert option in known, option
