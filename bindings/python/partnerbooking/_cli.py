"""The command line: search, book, lookup, tool, mcp, serve, doctor and pending."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from . import _doctor, _mcp_cli, _messages, _output, _pending_cli, _serve_cli, _table, _tool_cli, _voice_cli
from ._version import __version__
from .aio import AsyncClient
from .errors import Error, IdempotencyKeyReused
from .keys import random_key
from .values import CreateBookingRequest, Customer, LookupCustomerRequest, Reply, SearchAvailabilityRequest

DESCRIPTION = """\
Finds free appointment slots and books one through the Partner API.

environment:
  PARTNER_API_KEY   the key, sk_ptnr_...; never on the command line, where others see it
  PARTNER_BOT_ID    the bot, unless --bot names one
  PARTNER_API_URL   another base URL than the service's own
  PARTNER_LEDGER    the URL of a fleet's ledger, which may have a password
  PARTNER_CA_FILE   a PEM file of certificates to trust instead of the system's

exit status:
  0   the service said yes
  1   the service said no or could not be asked, or its answer could not be printed
  2   something is missing or wrong on the command line or in the environment"""

JOURNAL = {
    *("journal_path", "journal_dir", "journal_required", "journal_timeout_ms", "journal_max_bytes"),
    *("journal_keeps_replies", "resume_on_open"),
}

SERVERS = {"mcp": _mcp_cli.run, "serve": _serve_cli.run}


class UsageError(Exception):
    """Something is missing or wrong on the command line or in the environment."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = argparse.Namespace(command=None)
    try:
        _parser().parse_args(arguments, options)
        return _run(options)
    except _output.CannotPrint as error:
        _output.err(f"partnerbooking: {_messages.not_printed(error)}")
        if options.command == "book":
            _output.err(f"  {_messages.may_be_booked(options.key)}")
        return 1


def _run(options: argparse.Namespace) -> int:
    key = ""
    if (run := getattr(options, "run", None)) is not None:  # commands that need no client
        return int(run(options))
    try:
        if options.command == "doctor":
            return asyncio.run(_doctor.run(configuration(options), options.bot, options.json))
        if options.command == "tool":
            return asyncio.run(_tool(options))
        if options.command in SERVERS:
            return asyncio.run(_serve(options))
        if options.command == "book":
            key = options.key = options.key or random_key()
            # SIGTERM and SIGHUP act like Ctrl-C: the command then prints the key.
            for number in (signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.default_int_handler)
        reply = asyncio.run(_call(options))
    except UsageError as error:
        _output.err(f"partnerbooking: {error}")
        return 2
    except Error as error:
        _print_error(error, options.json)
        return 1
    except KeyboardInterrupt:
        if _tool_cli.books(options):
            _output.err(_messages.STOPPED_TOOL)
        else:
            _output.err(f"{_messages.STOPPED}. {_messages.may_be_booked(key)}" if key else _messages.STOPPED)
        return 130
    _output.out(reply.json if options.json else _table.of(reply, key))
    return 0


class _Parser(argparse.ArgumentParser):
    def _print_message(self, message: str, file: Any = None) -> None:
        """Prints help and error messages. argparse calls it for all its output."""
        (_output.out if file is sys.stdout else _output.err)(message.rstrip("\n"))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m partnerbooking", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=__version__)
    common = _Parser(add_help=False)
    common.add_argument("--bot", metavar="ID", default=os.environ.get("PARTNER_BOT_ID"), help="the bot of the request")
    common.add_argument("--sandbox", action="store_true", help="use the sandbox in the library, without network or key")
    common.add_argument("--config", metavar="FILE", help="a configuration as in docs/json-contract.md, without the key")
    common.add_argument("--timeout-ms", metavar="MS", type=int, help="deadline of the call")
    common.add_argument("--json", action="store_true", help="print the reply or the error as JSON")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help, description=help, parents=[common])

    search = command("search", "lists free slots")
    search.add_argument(
        "--from", dest="start_at", metavar="WHEN", help="a date-time with offset, or a date; default: now"
    )
    search.add_argument(
        "--to", dest="end_at", metavar="WHEN", help="the same, a date includes its day; default: a week later"
    )

    book = command("book", "books a slot")
    book.add_argument(
        "--at", dest="start_at", metavar="WHEN", required=True, help="a slot's start, as the search lists it"
    )
    book.add_argument("--minutes", dest="duration_minutes", metavar="N", type=int, default=30, help="default: 30")
    book.add_argument("--phone", required=True, help="the customer's number: +15551234567")
    book.add_argument("--name", required=True, help="the customer's name")
    book.add_argument("--email")
    book.add_argument("--notes")
    book.add_argument("--key", help="the idempotency key, to repeat a booking; default: a new one")

    lookup = command("lookup", "looks up the customer with a phone number")
    lookup.add_argument("--phone", required=True, help="+15551234567")

    _tool_cli.add(command("tool", "answers tool calls of a language model"))

    _mcp_cli.add(command("mcp", "serves the tools to a client of the Model Context Protocol"))
    _serve_cli.add(command("serve", "serves the tools over HTTP to hosts that call a URL"))

    command("doctor", "checks name, connection, certificate, key and latency, and shows what is wrong")
    _pending_cli.add(commands)
    _voice_cli.add(commands)
    return parser


def configuration(options: argparse.Namespace) -> dict[str, Any]:
    """Returns the client's configuration from the options and the environment."""
    members: dict[str, Any] = {}
    if options.config:
        try:
            with open(options.config, encoding="utf-8") as file:
                members = json.load(file)
        except (OSError, ValueError) as error:
            raise UsageError(_messages.unreadable(options.config, error)) from None
        if not isinstance(members, dict):
            raise UsageError(_messages.not_an_object(options.config))
    if options.command not in ("book", *SERVERS) and not _tool_cli.books(options):
        # Only bookings need the journal. Other commands leave it out: a running engine keeps it
        # open, and no booking from it is sent again.
        members = {name: value for name, value in members.items() if name not in JOURNAL}
    if options.sandbox:
        members["endpoint"] = "sandbox"
    if options.timeout_ms is not None:
        members["timeout_ms"] = options.timeout_ms
    if members.get("endpoint", "partner_api") == "partner_api":
        members.update(_of_the_service(members))
    return members


def _of_the_service(members: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    key = os.environ.get("PARTNER_API_KEY") or members.get("api_key")
    if not key:
        raise UsageError(_messages.NO_KEY)
    found["api_key"] = key
    if os.environ.get("PARTNER_API_URL"):
        found["base_url"] = os.environ["PARTNER_API_URL"]
    if os.environ.get("PARTNER_CA_FILE"):
        found["tls"] = {"ca_file": os.environ["PARTNER_CA_FILE"]}
    return found


async def _tool(options: argparse.Namespace) -> int:
    if not _tool_cli.is_paired(options.calls):
        raise UsageError(_messages.NO_ARGUMENTS)
    return await _tool_cli.run(_tool_cli.with_voice(configuration(options)), _bot(options), options)


async def _serve(options: argparse.Namespace) -> int:
    return await SERVERS[options.command](_tool_cli.with_voice(configuration(options)), _bot(options), options)


def _bot(options: argparse.Namespace) -> str:
    bot = options.bot or ("bot_sandbox" if options.sandbox else None)
    if not bot:
        raise UsageError(_messages.NO_BOT)
    return str(bot)


async def _call(options: argparse.Namespace) -> Reply:
    members, bot = configuration(options), _bot(options)
    if options.command == "search":
        start_at = options.start_at or datetime.now().astimezone().isoformat(timespec="seconds")
        end_at = options.end_at or _a_week_after(start_at)
        search = SearchAvailabilityRequest(bot, start_at, end_at)
        async with AsyncClient(**members) as client:
            return await client.search_availability(search)
    if options.command == "lookup":
        async with AsyncClient(**members) as client:
            return await client.lookup_customer(LookupCustomerRequest(bot, options.phone))
    customer = Customer(options.phone, options.name, options.email)
    booking = CreateBookingRequest(
        bot, options.start_at, options.duration_minutes, customer, options.key, options.notes
    )
    async with AsyncClient(**members) as client:
        return await client.create_booking(booking)


def _a_week_after(start_at: str) -> str:
    """Returns the same time a week later, in the form of the start: with its offset, or a plain
    date. Returns any other text unchanged: the library reports the error."""
    try:
        day = (datetime.fromisoformat(start_at[:10]) + timedelta(days=7)).date().isoformat()
        return day + start_at[10:]
    except (ValueError, OverflowError):
        return start_at


def _print_error(error: Error, as_json: bool) -> None:
    if as_json:
        _output.out(error.json)
        return
    _output.err(_table.printable(f"{error.code}: {error.message}"))
    if error.doubt and (answer := error.doubt.answer):
        http_status = f", HTTP {answer.status}" if answer.status else ""
        _output.err(_table.printable(f"  {_messages.last_answer(answer.code + http_status)}"))
    if error.field:
        _output.err(f"  {_messages.to_correct(_table.printable(error.field))}")
    if isinstance(error, IdempotencyKeyReused):
        if other := error.existing:
            _output.err(_table.printable(f"  {_messages.booking_of_key(other.state, other.start_at)}"))
        _output.err(f"  {_messages.SECOND_APPOINTMENT}")
    elif error.outcome == "unknown" and error.idempotency_key:
        _output.err(f"  {_messages.may_be_booked(error.idempotency_key)}")
    elif error.outcome:
        _output.err(f"  {_messages.NOTHING_BOOKED}")
