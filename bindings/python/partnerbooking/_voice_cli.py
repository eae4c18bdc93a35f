"""The commands that need no client: slots, when, say, phone and tools."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, get_args

from . import _messages, _output, _table, voice
from .errors import Error


def add(commands: Any) -> None:
    """Adds the commands to the parser."""
    slots = _command(commands, "slots", "turns a search reply into slots that can be offered and booked")
    slots.add_argument("file", metavar="FILE", nargs="?", help="the reply as JSON; default: standard input")
    slots.add_argument("--time-zone", required=True, metavar="ZONE", help="of the clinic: America/New_York")
    slots.add_argument("--minutes", dest="duration_minutes", metavar="N", type=int, help="length of the appointment")
    slots.add_argument("--step", dest="step_minutes", metavar="N", type=int, help="grid of the starts, in minutes")
    slots.add_argument("--now", metavar="WHEN", help="a date-time with offset; default: the clock")
    slots.add_argument("--from", dest="from_", metavar="WHEN", help="a date, or a date-time with offset")
    slots.add_argument("--to", metavar="WHEN", help="the same, its day included")
    slots.add_argument("--not-before", metavar="HH:MM", help="the earliest start")
    slots.add_argument("--before", metavar="HH:MM", help="starts are before it")
    slots.add_argument("--offers", metavar="N", type=int, help="choose N slots to offer")
    slots.add_argument("--around", metavar="WHEN", help="choose them around a time")
    slots.add_argument("--pick", metavar="TEXT", help="find the slot that a text names")
    wish = _command(commands, "when", "reads a caller's words about a day and a time")
    wish.add_argument("when", metavar="WORDS", help="the words about the day, or all of them")
    wish.add_argument("time", metavar="TIME", nargs="?", help="the words about the time")
    wish.add_argument("--time-zone", required=True, metavar="ZONE", help="of the clinic: America/New_York")
    wish.add_argument("--now", metavar="WHEN", help="a date-time with offset; default: the clock")
    say = _command(commands, "say", "puts starts into words for a speech synthesiser")
    say.add_argument("starts", metavar="WHEN", nargs="+", help="a date-time, as pbk_slots gives it")
    say.add_argument("--time-zone", required=True, metavar="ZONE", help="of the clinic: America/New_York")
    say.add_argument("--now", metavar="WHEN", help="a date-time with offset; default: the clock")
    say.add_argument("--style", choices=["full", "day", "time"], help="the parts to say; default: full")
    say.add_argument("--joiner", choices=["or", "and"], help="between starts; default: or")
    phone = _command(commands, "phone", "reads a phone number as it is spoken or written")
    phone.add_argument("text", metavar="TEXT")
    phone.add_argument("--region", metavar="XX", help="of a number without its country code: US")
    tools = _command(commands, "tools", "prints the tools for a language model, as its API takes them")
    tools.add_argument("dialect", choices=get_args(voice.Dialect), help="the form of the tools")
    tools.add_argument("--voice", dest="file", metavar="FILE", help="the configuration's voice; -: standard input")
    tools.add_argument("--bot", dest="bot_id", metavar="ID", help="use this bot's own members of it")
    tools.add_argument("--look-up-caller", action="store_true", help="with the tool look_up_caller")
    tools.add_argument("--prompt", action="store_true", help="print the text for the prompt instead")


def _command(commands: Any, name: str, help: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    parser.add_argument("--locale", metavar="NAME", help="en-US, en-GB, es or fr")
    parser.add_argument("--json", action="store_true", help="print the answer or the error as JSON")
    parser.set_defaults(run=run)
    return parser


def run(options: argparse.Namespace) -> int:
    given = {
        name: value
        for name, value in vars(options).items()
        if value is not None and name not in ("command", "run", "json", "file", "text", "starts")
    }
    try:
        if options.command == "slots":
            found = voice.slots(_text(options.file), **given)
            _output.out(found.json if options.json else _slots(found, options.pick))
        elif options.command == "when":
            wish = voice.when(**given)
            _output.out(wish.json if options.json else _wish(wish))
        elif options.command == "say":
            words = voice.say_list(options.starts, **given)
            _output.out(json.dumps({"say": words}, ensure_ascii=False) if options.json else words)
        elif options.command == "tools":
            tools = _tools(options)
            text = tools.prompt if options.prompt else json.dumps(tools.tools, indent=2, ensure_ascii=False)
            _output.out(tools.json if options.json else text)
        else:
            number = voice.phone(options.text, **given)
            _output.out(number.json if options.json else f"{number.phone}\n{number.say}")
    except OSError as error:
        _output.err(f"partnerbooking: {_messages.unreadable(options.file, error.strerror)}")
        return 2
    except ValueError:
        _output.err(f"partnerbooking: {_messages.not_an_object(options.file)}")
        return 2
    except Error as error:
        if options.json:
            _output.out(error.json)
        else:
            _output.err(_table.printable(f"{error.code}: {error.message}"))
        return 1
    return 0


def _tools(options: argparse.Namespace) -> voice.Tools:
    members = {} if options.file is None else json.loads(_text(options.file))
    if not isinstance(members, dict):
        raise ValueError
    if options.locale is not None:
        members["locale"] = options.locale
    return voice.tools(
        options.dialect, voice=members, bot_id=options.bot_id, look_up_caller=options.look_up_caller
    )


def _wish(wish: voice.Wish) -> str:
    lines = [] if wish.clear else [_messages.NOT_CLEAR]
    for reading in wish.readings:
        days = reading.from_ if reading.from_ == reading.to else f"{reading.from_} to {reading.to}"
        others = {name: value for name, value in reading.options.items() if name not in ("from_", "to")}
        lines.append("  ".join([days, *(f"{name}={value}" for name, value in others.items())]))
    if wish.corrected:
        lines.append(_messages.corrected(", ".join(wish.corrected)))
    if wish.assumed:
        lines.append(_messages.assumed(", ".join(wish.assumed)))
    return "\n".join(lines)


def _text(file: str | None) -> bytes:
    if file is None or file == "-":
        return sys.stdin.buffer.read()
    with open(file, "rb") as opened:
        return opened.read()


def _slots(found: voice.Slots, pick: str | None) -> str:
    if found.picked is not None:
        shown = [found.picked]
    elif pick is not None:
        return _messages.NOT_PICKED
    else:
        shown = found.offers or found.slots
    lines = [_table.rows((slot.slot, slot.local.replace("T", " "), slot.start_at) for slot in shown)]
    lines += [_messages.skipped(item.item, item.reason) for item in found.skipped]
    if not shown:
        lines[0] = _messages.NO_SLOTS
    return "\n".join(lines)
