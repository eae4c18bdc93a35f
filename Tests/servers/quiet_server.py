"""A TLS server that answers every search with the same reply, and prints the port of each client that connects.

    python quiet_server.py HOST CHAIN.pem KEY.pem

Small enough to be started in a network namespace of its own. Ends with its standard input.
"""

from __future__ import annotations

import http.server
import socketserver
import ssl
import sys
import threading

REPLY = b'{"availabilities":[]}'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        print(self.client_address[1], flush=True)
        super().handle()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(REPLY)))
        self.end_headers()
        self.wfile.write(REPLY)

    def log_message(self, *arguments: object) -> None:
        pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


def main(host: str, chain: str, key: str) -> None:
    server = Server((host, 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
