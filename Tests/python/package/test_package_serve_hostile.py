"""`python -m partnerbooking serve`, and what anybody may send to a port."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time

import pytest
from partnerbooking._http_head import Limits, Refused, head_of
from samples import NOW
from tool_host import BEARER, SECRET, Connection, ToolHost, request
from waiting import wait_until

CLINIC = {
    "endpoint": "sandbox",
    "sandbox": {"now": NOW, "time_zone": "America/New_York"},
    "voice": {"time_zone": "America/New_York", "region": "US"},
}
FIND = "find_appointment_slots"
TOOL = f"/tools/{FIND}"
CALL = {**BEARER, "X-Call-Id": "call-1"}


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with ToolHost(CLINIC, tmp_path_factory.mktemp("host"), "--max-body", "100000") as host:
        yield host


@pytest.mark.parametrize(
    "data, status",
    [
        (request("/", {}), 404),
        (request("/tools/dance", {}), 404),
        (request(f"{TOOL}/", {}), 404),
        (request("/vapi", {}, method="GET"), 405),
        (request(TOOL, {}, method="PUT"), 405),
        (request("/health", {}), 405),
        (request(TOOL, {}, headers={}), 401),
        (request(TOOL, {}, headers={"Authorization": f"Bearer {SECRET}x"}), 401),
        (request(TOOL, {}, headers={"Authorization": f"Basic {SECRET}"}), 401),
        (request(TOOL, {}, headers={"Authorization": SECRET}), 401),
        (request(TOOL, {}, headers={"Authorization": "Bearer "}), 401),
        (request(TOOL, {}, headers={"X-Vapi-Secret": SECRET[:-1]}), 401),
        (request(f"{TOOL}?secret={SECRET}", {}, headers={}), 401),
        (request("/retell", {}, headers={"X-Retell-Signature": "v=1,d=2"}), 401),
        (request(TOOL, {}, headers={**CALL, "Content-Type": "text/plain"}), 415),
        (request(TOOL, {}, headers={**CALL, "Content-Type": ""}), 415),
        (request(TOOL, b"{", CALL), 400),
        (request(TOOL, b"\xff", CALL), 400),
        (request(TOOL, b"[" * 90_000, CALL), 400),
        (request(TOOL, b'{"when":' + b"9" * 90_000 + b"}", CALL), 400),
        (request(TOOL, b"NaN", CALL), 400),
        (request("/vapi", []), 400),
        (request("/vapi", {"message": {"type": "tool-calls"}}), 400),
        (request("/vapi", {"message": {"type": "tool-calls", "toolCallList": [{}] * 17}}), 400),
        (request("/retell", {"when": "tomorrow"}), 400),
        (request(TOOL, b"x" * 100_001, CALL), 413),
        (request(TOOL, {}, {**CALL, "Content-Length": ""}), 411),
        *((request(TOOL, {}, {**CALL, "Content-Length": n}), 400) for n in ("-1", "+2", "0x2", "2 2", "1e3", "²")),
        (request(TOOL, {}, {**CALL, "Content-Length": "9" * 12}), 413),
        (request(TOOL, {}, {**CALL, "Transfer-Encoding": "chunked"}), 400),
        (request(TOOL, {}, {**CALL, "Content-Length": "", "Transfer-Encoding": "gzip, chunked"}), 501),
        (request(TOOL, {}, {**CALL, "Host": ""}), 400),
        (request(TOOL, {}, {**CALL, "Expect": "200-ok"}), 417),
        (request(TOOL, {}, {**CALL, "X-Long": "x" * 20_000}), 431),
        (request(TOOL, {}, {**CALL, **{f"X-{n}": "x" for n in range(120)}}), 431),
        (b"GET / HTTP/2.0\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\nHost: x\n\n\r\n\r\n", 400),
        (b"get /health HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET  /health HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET http://x/health HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\0y\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"POST /vapi HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
        (b"\r\n\r\n", 400),
        (b"A" * 20_000, 431),
        (b"GET /" + b"a" * 20_000, 431),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else None,
)
def test_a_wrong_request_is_an_error_as_json_and_the_end_of_its_connection(host, data, status):
    with host.connect() as connection:
        connection.write(data)
        response = connection.response()
        assert response is not None and response.status == status, response
        assert response.json["error"]["message"] and SECRET not in json.dumps(response.json)
        assert response.headers["connection"] == "close" and connection.is_closed()
    assert host.health().status == 200


def test_a_secret_of_any_letters_takes_as_long(host):
    for wrong in ("ü" * 20, "x" * 10_000, "Bearer Bearer"):
        data = request(TOOL, {}, headers={}).replace(b"Host:", f"Authorization: Bearer {wrong}\r\nHost:".encode())
        assert host.send(data).status == 401


def test_a_connection_is_kept_and_requests_may_follow_at_once(host):
    with host.connect() as connection:
        connection.write(request(TOOL, {"when": "tomorrow"}, CALL) * 5)
        answers = [connection.response() for _ in range(5)]
        assert [answer.json["result"] for answer in answers] == ["offered"] * 5
        connection.write(request(TOOL, {}, {**CALL, "Connection": "close"}))
        assert connection.response().headers["connection"] == "close" and connection.is_closed()


def test_http_1_0_is_answered_and_closed(host):
    with host.connect() as connection:
        connection.write(b"GET /health HTTP/1.0\r\n\r\n")
        assert connection.response().status == 200 and connection.is_closed()


def test_a_body_may_come_in_chunks_within_the_limit(host):
    def chunks(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
        head = request(TOOL, b"", {**CALL, "Content-Length": "", "Transfer-Encoding": "chunked"})
        return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end

    assert host.send(chunks(b'{"when":', b'"tomorrow"}')).json["result"] == "offered"
    assert host.send(chunks(b"{}", end=b"0;last\r\nX-Trailer: 1\r\n\r\n")).json["result"] == "offered"
    assert host.send(chunks(b"x" * 60_000, b"x" * 60_000)).status == 413
    assert host.send(chunks(end=b"ffffffff\r\n")).status == 413
    assert host.send(chunks(end=b"fffffffff\r\n")).status == 400
    assert host.send(chunks(end=b"-1\r\n")).status == 400
    assert host.send(chunks(end=b"2\r\n{}xx")).status == 400
    assert host.send(chunks(b"{}", end=b"0\r\n" + b"a: b\r\n" * 200 + b"\r\n")).status == 431
    assert host.send(chunks(end=b"1" * 20_000)).status == 400


def test_a_client_that_still_sends_can_read_its_error(host):
    with host.connect() as connection:
        connection.write(request(TOOL, b"", {**CALL, "Content-Length": "1000000"}))
        assert connection.response().status == 413
        for _ in range(3):
            connection.write(b"x" * 65_536)
            time.sleep(0.05)


def test_who_asks_first_is_told_to_go_on(host):
    with host.connect() as connection:
        data = request(TOOL, {"when": "tomorrow"}, {**CALL, "Expect": "100-continue"})
        head, body = data.split(b"\r\n\r\n")
        connection.write(head + b"\r\n\r\n")
        assert connection.socket.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.write(body)
        assert connection.response().json["result"] == "offered"
    with host.connect() as connection:  # no body is asked for before the secret is right
        connection.write(head.replace(SECRET.encode(), b"wrong") + b"\r\n\r\n")
        assert connection.response().status == 401


def test_a_request_may_come_byte_by_byte(host):
    with host.connect() as connection:
        connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request(TOOL, {"when": "tomorrow"}, CALL):
            connection.write(bytes([byte]))
        assert connection.response().json["result"] == "offered"


def test_half_a_request_that_ends_is_dropped(host):
    for data in (b"POST /va", request(TOOL, {"when": "tomorrow"}, CALL)[:-3]):
        with host.connect() as connection:
            connection.write(data)
            connection.socket.shutdown(socket.SHUT_WR)
            assert connection.response() is None


SLOW = (
    "import partnerbooking._http_head as head\n"
    "limits = head.Limits\n"
    "import partnerbooking._serve_cli as cli\n"
    "seconds = dict(head_seconds=1.0, body_seconds=1.0, idle_seconds=2.0, write_seconds=10.0)\n"
    "cli.Limits = lambda **given: limits(**seconds, **given)\n"
    "cli.Limits.body_bytes, cli.Limits.connections = limits.body_bytes, limits.connections\n"
    "import socket\n"
    "from partnerbooking._http import _Connection as connection\n"
    "made = connection.connection_made\n"
    "def small(self, transport):\n"
    "    transport.get_extra_info('socket').setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)\n"
    "    made(self, transport)\n"
    "connection.connection_made = small\n"
    "from partnerbooking._cli import main\n"
    "raise SystemExit(main())\n"
)


def test_slow_clients_are_cut_off(tmp_path):
    (tmp_path / "impatient.py").write_text(SLOW)
    with ToolHost(CLINIC, tmp_path, module="impatient") as host:
        with host.connect() as idle, host.connect() as head, host.connect() as body, host.connect() as dripping:
            head.write(b"POST /vapi HTTP/1.1\r\n")
            body.write(request(TOOL, {"when": "tomorrow"}, CALL)[:-3])
            begun = time.monotonic()
            for _ in range(12):
                try:
                    dripping.write(b"X-A: b\r\n" if _ else b"GET /health HTTP/1.1\r\n")
                except OSError:
                    break
                time.sleep(0.1)
            for slow in (head, body, dripping):
                response = slow.response()
                assert (response is None and slow is dripping) or response.status == 408
            assert time.monotonic() - begun < 4
            assert idle.response() is None
        assert host.health().status == 200


def test_connections_that_say_nothing_make_room_for_others(tmp_path):
    with ToolHost(CLINIC, tmp_path, "--max-connections", "8") as host:
        silent = [host.connect() for _ in range(40)]
        for connection in silent[-8:]:
            connection.write(b"POST /vapi HTTP/1.1\r\n")
        assert host.post(TOOL, {"when": "tomorrow"}, CALL).json["result"] == "offered"
        assert silent[0].is_closed()
        for connection in silent:
            connection.socket.close()


def test_more_calls_than_connections_are_told_to_come_again(tmp_path):
    config = {**CLINIC, "sandbox": {**CLINIC["sandbox"], "latency_ms": 1500}}
    with ToolHost(config, tmp_path, "--max-connections", "4") as host:
        busy: list[Connection] = [host.connect() for _ in range(4)]
        for connection in busy:
            connection.write(request(TOOL, {"when": "next week"}, CALL))
        time.sleep(0.4)
        with host.connect() as connection:
            assert connection.response().status == 503
        assert all(connection.response().json["result"] == "offered" for connection in busy)
        for connection in busy:
            connection.socket.close()


def test_a_client_that_does_not_read_costs_no_memory(tmp_path):
    with ToolHost(CLINIC, tmp_path) as host, host.connect() as connection:
        connection.socket.settimeout(0.5)
        sent = 0
        try:
            while sent < 100_000_000:
                sent += connection.socket.send(request("/health", headers={}, method="GET") * 200)
        except socket.timeout:
            pass
        status = open(f"/proc/{host.process.pid}/status").read()
        peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
        assert sent < 100_000_000 and peak < 150, f"{sent} bytes, {peak} MiB"


def test_a_client_that_does_not_read_is_cut_off(tmp_path):
    """Else each one would hold a descriptor for ever, with the reply that it does not take."""
    (tmp_path / "impatient.py").write_text(SLOW.replace("write_seconds=10.0", "write_seconds=1.0"))
    with ToolHost(CLINIC, tmp_path, module="impatient") as host:
        descriptors = f"/proc/{host.process.pid}/fd"
        before = len(os.listdir(descriptors))
        full = [host.connect() for _ in range(10)]
        for connection in full:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.write(request("/health", headers={}, method="GET") * 2000)
        time.sleep(0.5)
        assert len(os.listdir(descriptors)) == before + 10
        wait_until(lambda: len(os.listdir(descriptors)) <= before)
        for connection in full:
            connection.socket.close()


def test_without_a_secret_it_answers_this_machine_only(tmp_path):
    call = {"X-Call-Id": "call-1"}
    with ToolHost(CLINIC, tmp_path, "--no-secret") as host:
        for local in ("localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:1"):
            assert host.post(TOOL, {}, call, Host=local).status == 200
        for foreign in ("evil.example.com", "localhost.evil.example.com", "10.0.0.1", "[::2]", "[", "127.0.0.1.nip.io"):
            assert host.post(TOOL, {}, call, Host=foreign).status == 403
        for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"):
            assert host.post(TOOL, {}, {**call, header: "203.0.113.7"}).status == 403
        assert host.post(TOOL, {}, {**call, "Content-Type": "application/x-www-form-urlencoded"}).status == 415


@pytest.mark.parametrize(
    "options, said",
    [
        (["--host", "0.0.0.0"], "--secret-file"),
        (["--host", "::"], "--secret-file"),
        (["--host", "192.0.2.1"], "--secret-file"),
        (["--host", "example.com"], "--secret-file"),
        (["--host", ""], "--secret-file"),
        (["--secret-env", "NOT_THERE"], "no secret"),
        (["--secret-env", "short_one"], "at least 16"),
        (["--secret-file", "/not/there"], "No such file"),
        (["--call-field", "call.id"], "--arguments-field"),
        (["--call-field", "args.id", "--arguments-field", "args"], "where the model writes"),
        (["--call-field", "args", "--arguments-field", "args"], "where the model writes"),
        (["--call-header", "X Call"], "names of headers"),
        (["--port", "99999"], "cannot listen"),
    ],
)
def test_what_would_be_unsafe_is_not_begun(run, options, said):
    code, out, err = run("serve", "--sandbox", *options, short_one="too-short")
    assert code in (1, 2) and out == "" and said in err and "too-short" not in err


def test_secrets_may_be_changed_one_after_the_other(tmp_path):
    file = tmp_path / "secrets"
    file.write_text("the-old-secret-of-the-host\n\nthe-new-secret-of-the-host\n")
    with ToolHost(CLINIC, tmp_path, "--no-secret", "--secret-file", str(file)) as host:
        for secret, status in (("the-old-secret-of-the-host", 200), ("the-new-secret-of-the-host", 200), ("", 401)):
            headers = {"Authorization": f"Bearer {secret}", "X-Call-Id": "call-1"}
            assert host.post(TOOL, {}, headers).status == status


@pytest.mark.parametrize("header", ["a:" + " " * 16_000 + "\x7f", "a:" + (" " * 100 + "b") * 150], ids=["bad", "good"])
def test_a_header_of_blanks_is_read_at_once(header):
    """With a pattern whose repeats can take the same blanks it takes hours."""
    head = f"GET /health HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode("latin-1")
    with contextlib.suppress(Refused):
        assert head_of(head, Limits()).headers["a"].endswith("b")
