"""The command `serve`: the tools over HTTP, for hosts that call a URL for each tool."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import signal
from collections.abc import Mapping, Sequence
from typing import Any

from . import _messages, _output, voice
from ._calls import Calls, tell_open, tell_settled
from ._http import HTTPServer
from ._http_head import Limits
from ._serve import Names, Secrets, ToolServer, is_loopback
from .aio import AsyncClient

_SHORTEST_SECRET = 16
_MOST_SECRETS = 8
_CLOSING_MS = 2000
_HEADER = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BOOKING_SECONDS = 40
"""The timeout for a tool call in the settings of hosts. A booking takes at most 35 seconds."""


class WrongOptions(Exception):
    """The options contradict each other or the environment, or a secret is wrong."""


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options to the command's parser."""
    parser.add_argument("--host", metavar="ADDRESS", default="127.0.0.1", help="to listen on; default: 127.0.0.1")
    parser.add_argument("--port", metavar="N", type=int, default=8080, help="default: 8080; 0: any free port")
    for name, what in (("secret", "the shared secret"), ("retell-key", "the API key that Retell signs with")):
        group = parser.add_mutually_exclusive_group()
        group.add_argument(f"--{name}-file", metavar="FILE", help=f"{what}, or several of them in lines")
        group.add_argument(f"--{name}-env", metavar="NAME", help=f"{what} from the environment")
    parser.add_argument("--call-header", metavar="NAME", default="X-Call-Id", help="names the phone call")
    parser.add_argument("--phone-header", metavar="NAME", default="X-Caller-Phone", help="has the caller's number")
    parser.add_argument("--call-field", metavar="PATH", help="names the phone call in the body: call.id")
    parser.add_argument("--phone-field", metavar="PATH", help="has the caller's number in the body: call.from")
    parser.add_argument("--arguments-field", metavar="PATH", help="has the arguments in the body; default: all of it")
    parser.add_argument("--look-up-caller", action="store_true", help="with the tool look_up_caller")
    parser.add_argument("--max-body", metavar="BYTES", type=int, default=Limits.body_bytes, help="default: 4 MiB")
    parser.add_argument("--max-connections", metavar="N", type=int, default=Limits.connections, help="default: 256")
    parser.add_argument("--stop-seconds", metavar="N", type=float, default=10.0, help="for open calls; default: 10")
    parser.add_argument("--print", dest="shown", choices=["vapi", "retell", "prompt"], help="print it and exit")
    parser.add_argument("--url", metavar="URL", help="with --print: the server's URL, as the host reaches it")


async def run(members: dict[str, Any], bot: str, options: argparse.Namespace) -> int:
    """Serves until a signal. Returns the exit code."""
    try:
        names, secrets = _names(options), _secrets(options)
    except WrongOptions as error:
        _output.err(f"partnerbooking serve: {error}")
        return 2
    if options.shown:
        made = voice.tools("openai", voice=members.get("voice"), bot_id=bot, look_up_caller=options.look_up_caller)
        if options.shown == "prompt":
            _output.out(made.prompt)
            return 0
        _output.out(json.dumps(_shown(options.shown, made.tools, options.url), indent=2, ensure_ascii=False))
        return 0
    _output.take_logs()
    client: AsyncClient = AsyncClient(on_settled=lambda settled: tell_settled(client, settled), **members)
    async with client:
        client.prefetch(bot)  # raises when the configuration is wrong
        tools = client.tools("openai", bot, look_up_caller=options.look_up_caller).tools
        calls = Calls(client, bot, look_up_caller=options.look_up_caller)
        app = ToolServer(calls, [tool["function"]["name"] for tool in tools], secrets, names)
        limits = Limits(connections=max(options.max_connections, 1), body_bytes=max(options.max_body, 1024))
        server = HTTPServer(app.admit, app.handle, limits)
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, stopped.set)
        try:
            port = await server.listen(options.host, options.port)
        except (OSError, OverflowError) as error:
            _output.err(f"partnerbooking serve: {_messages.cannot_listen(options.host, options.port, error)}")
            return 1
        host = f"[{options.host}]" if ":" in options.host else options.host
        _log(_messages.listening(host, port))
        await stopped.wait()
        app.is_stopping = True
        _log(_messages.STOPPING)
        await server.stop(max(options.stop_seconds, 0))
        tell_open(client)
        await client.close(_CLOSING_MS)
    return 0


def _names(options: argparse.Namespace) -> Names:
    fields = {"--call-field": options.call_field, "--phone-field": options.phone_field}
    inner = options.arguments_field
    if any(fields.values()) and inner is None:
        raise WrongOptions(_messages.NO_ARGUMENTS_FIELD)
    for name, path in fields.items():
        if path is not None and f"{path}.".startswith(f"{inner}."):
            raise WrongOptions(_messages.written_by_model(name))
    for header in (options.call_header, options.phone_header):
        if not _HEADER.fullmatch(header):
            raise WrongOptions(_messages.NO_HEADERS)
    headers = options.call_header.lower(), options.phone_header.lower()
    return Names(*headers, options.call_field, options.phone_field, inner)


def _secrets(options: argparse.Namespace) -> Secrets:
    shared = _read("--secret", options.secret_file, options.secret_env)
    retell = _read("--retell-key", options.retell_key_file, options.retell_key_env)
    if not shared and not retell and not options.shown and not is_loopback(options.host):
        raise WrongOptions(_messages.open_to_others(options.host))
    return Secrets(shared, retell)


def _read(option: str, file: str | None, variable: str | None) -> Sequence[bytes]:
    if file is None and variable is None:
        return ()
    place = f"{option}-file {file}" if file is not None else f"{option}-env {variable}"
    if file is not None:
        try:
            with open(file, "rb") as opened:
                text = opened.read(65_536)
        except OSError as error:
            raise WrongOptions(_messages.unreadable(place, error.strerror)) from None
    else:
        text = os.environb.get(os.fsencode(variable or ""), b"")
    secrets = [line.strip() for line in text.splitlines() if line.strip()]
    if not secrets or len(secrets) > _MOST_SECRETS:
        raise WrongOptions(_messages.secret_count(place, _MOST_SECRETS))
    if any(len(secret) < _SHORTEST_SECRET for secret in secrets):
        raise WrongOptions(_messages.secret_length(place, _SHORTEST_SECRET))
    return secrets


def _shown(host: str, tools: Sequence[Mapping[str, Any]], url: str | None) -> list[dict[str, Any]]:
    """Returns the tools in the form of a host's API."""
    base = (url or "https://tools.example.com").rstrip("/")
    functions = [{**tool["function"], "parameters": _plain(tool["function"]["parameters"])} for tool in tools]
    for function in functions:
        function.pop("strict", None)
    if host == "vapi":
        server = {"url": f"{base}/vapi", "timeoutSeconds": _BOOKING_SECONDS}
        return [{"type": "function", "async": False, "function": function, "server": server} for function in functions]
    settings = {"url": f"{base}/retell", "method": "POST", "args_at_root": False, "timeout_ms": _BOOKING_SECONDS * 1000}
    speech = {"speak_during_execution": True, "speak_after_execution": True}
    return [{"type": "custom", **function, **settings, **speech} for function in functions]


def _plain(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the schema with one type for each member and no required members. These hosts accept
    nothing else."""
    properties = {}
    for name, member in schema["properties"].items():
        kinds = member["type"] if isinstance(member["type"], list) else [member["type"]]
        properties[name] = {**member, "type": next(kind for kind in kinds if kind != "null")}
    return {"type": "object", "properties": properties}


def _log(text: str) -> None:
    _output.log(f"partnerbooking serve: {text}")
