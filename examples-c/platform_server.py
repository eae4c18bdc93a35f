"""The webhook of a booking platform, as small as possible and still correct.

    WEBHOOK_SECRET=whsec_... python3 platform_server.py [PORT]

WEBHOOK_SECRET is the secret that the platform shares with its clients. While a new secret replaces
an old one, it contains both, with a comma between. Without PORT the server takes a free port. It
prints {"port":N} when it listens on loopback, and logs one line for each request. It ends with its
standard input or on SIGTERM. It needs Python 3.9 and the shared object. PBK_LIBRARY is the path of
the shared object, if that is not in ../build/lib.

The schedule behind it is the library's sandbox, a clinic in memory. For a real platform, replace
`Schedule` by a calendar, and put TLS in front.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SECRETS = [secret.encode() for secret in os.environ.get("WEBHOOK_SECRET", "").split(",") if secret]
BODY_LIMIT = 512 * 1024  # twice the largest body that the library sends

pbk = ctypes.CDLL(os.environ.get("PBK_LIBRARY") or str(Path(__file__).parents[1] / "build/lib/libpartnerbooking.so"))
STATUS = ctypes.POINTER(ctypes.c_int)
CALL = [ctypes.c_void_p, ctypes.c_char_p, STATUS]
VERIFY = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_size_t, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]
for name, result, arguments in [
    ("pbk_webhook_verify", ctypes.c_int, [*VERIFY, ctypes.c_int64, ctypes.c_int64]),
    ("pbk_webhook_verdict_text", ctypes.c_char_p, [ctypes.c_int]),
    ("pbk_client_open", ctypes.c_void_p, [ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p), STATUS]),
    ("pbk_client_close", ctypes.c_int, [ctypes.c_void_p, ctypes.c_int32]),
    # Returned strings stay pointers. With c_char_p, ctypes would copy them and lose the address
    # that must be freed.
    ("pbk_search_availability", ctypes.c_void_p, CALL),
    ("pbk_create_booking", ctypes.c_void_p, CALL),
    ("pbk_lookup_customer", ctypes.c_void_p, CALL),
    ("pbk_string_free", None, [ctypes.c_void_p]),
]:
    function = getattr(pbk, name)
    function.restype, function.argtypes = result, arguments

# The operation of each path, and the members of its body that go to the schedule. Other members
# are dropped. Some ("bot_id", "timeout_ms") control the library, and the sender must not set those.
OPERATIONS = {
    "/availability/search": (pbk.pbk_search_availability, ["query"]),
    "/bookings": (pbk.pbk_create_booking, ["idempotency_key", "booking"]),
    "/customers/lookup": (pbk.pbk_lookup_customer, ["customer"]),
}


class Refusal(Exception):
    """An error as the answer to a request."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code
        self.body = json.dumps({"error": {"code": code, "message": message}}).encode()


class Schedule:
    """The clinic's calendar. Each account has its own customers, like each bot of the sandbox."""

    def __init__(self) -> None:
        self.client = pbk.pbk_client_open(b'{"endpoint":"sandbox"}', None, None)
        if self.client is None:
            sys.exit("the sandbox cannot be opened")
        self.lock = threading.Lock()
        self.booked: set[str] = set()

    def ask(self, path: str, account_id: str, request: dict[str, Any]) -> tuple[int, bytes]:
        """Returns the status and the body of the answer. Raises Refusal if the call failed."""
        operation, members = OPERATIONS[path]
        question = {"bot_id": account_id, **{name: request[name] for name in members if name in request}}
        status = ctypes.c_int()
        reply = take(operation(self.client, json.dumps(question).encode(), ctypes.byref(status)))
        if status.value != 0:
            error = json.loads(reply)["error"]
            # Without a status the schedule was not asked. The request is wrong (400), may work
            # later (503), or neither (500).
            otherwise = 400 if error["source"] == "caller" else 503 if error["retryable"] else 500
            raise Refusal(error["status"] or otherwise, error["code"], error["message"])
        return 201 if path == "/bookings" and self.is_new(request["idempotency_key"]) else 200, reply

    def is_new(self, key: str) -> bool:
        """Returns True for a new key. A repeat of a key gets the same booking."""
        with self.lock:
            is_new = key not in self.booked
            self.booked.add(key)
        return is_new

    def close(self) -> None:
        pbk.pbk_client_close(self.client, 1000)


def take(string: int | None) -> bytes:
    """Returns a copy of a string from the library, and frees that string."""
    if string is None:
        raise Refusal(503, "resource_unavailable", "The platform is out of memory")
    text = ctypes.string_at(string)
    pbk.pbk_string_free(string)
    return text


class Webhook(BaseHTTPRequestHandler):
    """One connection, which stays open for the next request."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # otherwise the body of an answer waits until its head is acknowledged
    timeout = 120  # seconds that a connection may be silent
    error_content_type = "application/json"
    error_message_format = '{"error":{"code":"invalid_request","message":"%(explain)s"}}'

    def do_POST(self) -> None:
        try:
            body = self.read_body()
            self.verify(body)  # before any other code reads it
            if self.path not in OPERATIONS:
                raise Refusal(404, "not_found", "There is no such path")
            self.answer(*self.server.schedule.ask(self.path, *self.parse(body)))
        except Refusal as refusal:
            self.answer(refusal.status, refusal.body, refusal.code)

    def do_HEAD(self) -> None:
        """Answers 404. Engines send HEAD to connect ahead, before their first request."""
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def read_body(self) -> bytes:
        """Reads exactly the announced bytes. All are signed, and the next request follows them."""
        lengths = self.headers.get_all("Content-Length", [])
        # An error closes the connection, because the start of the next request is then unknown.
        wants_close, self.close_connection = self.close_connection, True
        if "Transfer-Encoding" in self.headers or len(lengths) != 1 or not lengths[0].isdecimal():
            raise Refusal(411, "length_required", "A Content-Length is required")
        if len(lengths[0]) > 9 or int(lengths[0]) > BODY_LIMIT:
            raise Refusal(413, "body_too_large", f"A body is at most {BODY_LIMIT} bytes long")
        body = self.rfile.read(int(lengths[0]))
        if len(body) < int(lengths[0]):
            raise Refusal(400, "invalid_payload", "The body is shorter than announced")
        self.close_connection = wants_close
        return body

    def verify(self, body: bytes) -> None:
        """Raises Refusal unless a holder of the secret sent exactly this body, not long ago."""
        signature = self.headers.get("X-DialStack-Signature", "").encode("latin-1")
        secrets = (ctypes.c_char_p * len(SECRETS))(*SECRETS)
        verdict = pbk.pbk_webhook_verify(secrets, len(SECRETS), signature, body, len(body), 0, 0)
        if verdict != 0:
            raise Refusal(401, "invalid_signature", pbk.pbk_webhook_verdict_text(verdict).decode())

    def parse(self, body: bytes) -> tuple[str, dict[str, Any]]:
        """Returns the account and the request. The body's account counts, because the header is
        not signed."""
        try:
            request = json.loads(body.decode())
        except (ValueError, RecursionError):
            raise Refusal(400, "invalid_payload", "The body is not JSON") from None
        account_id = request.get("account_id") if isinstance(request, dict) else None
        if not isinstance(account_id, str):
            raise Refusal(400, "invalid_payload", "The body has no account_id")
        if account_id != self.headers.get("X-DialStack-Account-Id"):
            raise Refusal(400, "invalid_payload", "X-DialStack-Account-Id is not the account_id of the body")
        return account_id, request

    def answer(self, status: int, body: bytes, code: str = "") -> None:
        # An unknown path may contain anything, so it stays out of the log. The log never contains
        # customers.
        path = self.path if self.path in OPERATIONS else "(another path)"
        sys.stderr.write(f"POST {path} {status} {code}".rstrip() + "\n")
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Logs nothing. The line of the standard library would contain the path."""


class Server(ThreadingHTTPServer):
    request_queue_size = 128  # connections that may wait for their thread

    def __init__(self, port: int, schedule: Schedule) -> None:
        super().__init__(("127.0.0.1", port), Webhook)
        self.schedule = schedule

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores engines that hang up early, because their caller spoke. Other errors are ours."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main(port: str = "0") -> None:
    if not SECRETS:
        sys.exit("WEBHOOK_SECRET must hold the webhook's secret, or two with a comma between")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    schedule = Schedule()
    with Server(int(port), schedule) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f'{{"port":{server.server_port}}}', flush=True)
        try:
            sys.stdin.buffer.read()
        finally:
            server.shutdown()
            schedule.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
