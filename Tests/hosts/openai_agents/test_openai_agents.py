"""The OpenAI Agents SDK, with scripted models: its `Runner`, and its realtime session over a WebSocket."""

from __future__ import annotations

import asyncio
import copy
import re
import runpy
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Union

import partnerbooking as pb
import pytest
from agents import RunConfig
from agents.models.chatcmpl_converter import Converter as Chat
from agents.models.openai_responses import Converter as Responses
from agents.strict_schema import ensure_strict_json_schema
from random_runs import check_random_runs
from realtime_server import RealtimeServer
from scenarios import BOOK, FIND, SCENARIOS, Call, check
from sdk_calls import RealtimeCall, TextCall

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = ROOT / "bindings" / "python" / "examples" / "openai_agent.py"
PAGE = ROOT / "docs" / "openai-agents.md"
BOT = "bot_01h2xcejqtf2nbrexx3vqjhp41"
PHONE = "+12125550123"
VOICE: dict[str, Any] = {"time_zone": "America/New_York", "region": "US"}
ANN = {"name": "Ann Smith", "caller_confirmed": True}
FILLER = "One moment, please."
SDK_ERROR = "error occurred"

AnyCall = Union[TextCall, RealtimeCall]


def clinic(latency_ms: int = 0, **members: Any) -> pb.AsyncClient:
    """Its answers are slow after 50 milliseconds."""
    sandbox = {"now": "2030-01-14T13:00:00Z", "time_zone": VOICE["time_zone"], "latency_ms": latency_ms}
    return pb.AsyncClient(endpoint="sandbox", sandbox=sandbox, slow_after_ms=50, **{"voice": VOICE, **members})


@pytest.fixture(params=[TextCall, RealtimeCall], ids=["text", "realtime"])
def kind(request: pytest.FixtureRequest) -> type[AnyCall]:
    return request.param


def phone_call(
    kind: type[AnyCall], story: Callable[[pb.AsyncClient, Any], Coroutine[Any, Any, None]], **options: Any
) -> None:
    """Runs a story in one phone call of a client."""

    async def told() -> None:
        async with clinic(**options) as client:
            call = kind()
            await call.start(client, BOT, "call-1", PHONE)
            try:
                await story(client, call)
            finally:
                await call.hang_up()

    asyncio.run(told())


async def read_back(call: Any) -> str:
    """Finds a slot and has it read back. Returns its name."""
    [offered] = await call.turn(Call(FIND, {"when": "tomorrow"}))
    slot: str = offered.split("no others: ")[1].split(" ")[0]
    [answer] = await call.turn(Call(BOOK, {"slot": slot, "name": "Ann Smith"}))
    assert answer.startswith("Nothing is booked yet. Read back")
    return slot


# ---- The tools -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("confirm", ["readback", "none"])
@pytest.mark.parametrize("dialect", ["openai", "openai_responses", "openai_realtime", "anthropic", "mcp"])
def test_sdk_takes_the_schemas_for_strict_as_they_are(dialect, confirm):
    voice = {"confirm": confirm, "services": [{"name": "cleaning"}]}
    tools = pb.voice.tools(dialect, voice=voice, look_up_caller=True).tools
    assert len(tools) == 3
    for tool in tools:
        described = tool.get("function", tool)
        schema = next(described[name] for name in ("parameters", "input_schema", "inputSchema") if name in described)
        assert ensure_strict_json_schema(copy.deepcopy(schema)) == schema


def test_models_get_the_tools_as_the_library_gives_them():
    async def story(client, call):
        tools = call.booking.tools
        expected = {name: client.tools(name, BOT).tools for name in ("openai", "openai_responses", "openai_realtime")}
        await call.turn()
        assert call.server.tools == expected["openai_realtime"]
        assert [Chat.tool_to_openai(tool) for tool in tools] == expected["openai"]
        assert Responses.convert_tools(tools, []).tools == expected["openai_responses"]

    phone_call(RealtimeCall, story)


# ---- A phone call ----------------------------------------------------------------------------------------------------


def test_books_once_when_asked_twice_in_one_step(kind):
    async def story(client, call):
        slot = await read_back(call)
        answers = await call.turn(*[Call(BOOK, {"slot": slot, **ANN})] * 2)
        assert sorted(answer.split(" ")[0] for answer in answers) == ["Booked:", "The"]
        assert "The caller has an appointment from this call: tomorrow" in "".join(answers)
        assert len(client.sandbox_bookings()) == 1

    phone_call(kind, story)


def test_interrupted_booking_goes_on_and_the_next_turn_learns_its_end(kind):
    async def story(client, call):
        slot = await read_back(call)
        await call.interrupted_turn(Call(BOOK, {"slot": slot, **ANN}), lambda: asyncio.sleep(0.1))
        [answer] = await call.turn(Call(BOOK, {"slot": "the second one", **ANN}))
        assert answer.startswith("The caller has an appointment from this call")
        assert len(client.sandbox_bookings()) == 1

    phone_call(kind, story, latency_ms=200)


def test_interrupted_run_ends_at_once_and_leaves_no_call_without_result():
    async def story(client, call):
        begun = time.monotonic()
        await call.interrupted_turn(Call(FIND, {"when": "in two weeks"}), lambda: asyncio.sleep(0.1))
        assert time.monotonic() - begun < 0.6
        assert [item.get("type") for item in await call.session.get_items()] == [None], "more than the caller's words"
        [answer] = await call.turn(Call(FIND, {"when": "in two weeks"}))
        assert answer.startswith("Offer these times")

    phone_call(TextCall, story, latency_ms=1000)


def test_filler_is_said_once_a_turn(kind):
    async def story(client, call):
        await call.turn(Call(FIND, {"when": "in three weeks"}), Call(FIND, {"when": "in five weeks"}))
        assert call.spoken == [FILLER]
        await call.turn(Call(FIND, {"when": "tomorrow"}))  # known by now
        await call.turn(Call(FIND, {"when": "in seven weeks"}))
        assert call.spoken == [FILLER] * 2

    phone_call(kind, story, latency_ms=200)


def test_no_filler_when_there_is_none_or_nobody_to_say_it():
    async def story(client, call):
        for options in ({"filler": None}, {"say": None}):
            await call.start(client, BOT, "call-2", PHONE, **options)
            await call.turn(Call(FIND, {"when": "in three weeks"}))
        assert call.spoken == []

    phone_call(TextCall, story, latency_ms=200)


def test_model_speaks_the_filler_before_it_speaks_of_the_result():
    async def story(client, call):
        speech = await call.server.hear()
        made = await call.server.call_tools((FIND, '{"when":"in three weeks"}'))
        await asyncio.sleep(0.15)  # the filler has been said
        await call.server.understand(speech)  # no new turn
        await call.server.results_of(made)
        made = await call.server.call_tools((FIND, '{"when":"in seven weeks"}'))
        await call.server.results_of(made)
        await asyncio.sleep(0.1)
        assert [line.split(": ")[0] for line in call.server.log] == ["response", "result"] * 2 + ["response"]
        assert FILLER in call.server.log[0] and call.spoken == [FILLER]
        assert call.server.refused == []
        assert not [event for event in call.events if event.type == "error"]

    phone_call(RealtimeCall, story, latency_ms=250)


def test_own_voice_says_the_filler_of_a_session():
    said = []

    async def told():
        async with clinic(200) as client:
            call = RealtimeCall()
            await call.start(client, BOT, "call-1", None, say=said.append, filler="Hold on.")
            await call.turn(Call(FIND, {"when": "in three weeks"}))
            await call.hang_up()
            assert call.spoken == []

    asyncio.run(told())
    assert said == ["Hold on."]


def test_hang_up_ends_a_search_and_not_a_booking_that_was_sent(kind):
    ended = []

    async def told():
        async with clinic(300, on_settled=ended.append) as client:
            call = kind()
            await call.start(client, BOT, "call-1", PHONE)
            slot = await read_back(call)
            turn = asyncio.create_task(call.turn(Call(BOOK, {"slot": slot, **ANN}), Call(FIND, {"when": "in a month"})))
            await asyncio.sleep(0.15)
            await call.hang_up()
            turn.cancel()
            await asyncio.wait([turn])
            for _ in range(1000):
                if ended:
                    break
                await asyncio.sleep(0.01)
            assert len(client.sandbox_bookings()) == 1

    asyncio.run(told())
    assert [settled.is_booked for settled in ended] == [True]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_scenario(scenario, kind, server):
    check(scenario, kind, server)


def test_random_interruptions(kind, server):
    check_random_runs(kind, server)


# ---- Trouble ---------------------------------------------------------------------------------------------------------


GARBAGE = ["", "{", "[]", "null", '{"slot":7}', '{"slot":"' + "x" * 100_000]


@pytest.mark.parametrize("arguments", GARBAGE, ids=range(len(GARBAGE)))
def test_garbled_arguments_are_an_answer(kind, arguments):
    async def story(client, call):
        for answer in await call.turn(Call(FIND, arguments), Call(BOOK, arguments)):
            assert answer.endswith(".") and SDK_ERROR not in answer

    phone_call(kind, story)


def test_client_that_is_closed_is_an_answer(kind):
    async def story(client, call):
        await client.close()
        find, book = await call.turn(Call(FIND, {"when": "tomorrow"}), Call(BOOK, {"slot": "x", **ANN}))
        assert find == "The calendar cannot be reached. Say so, and offer a call back."
        assert book.startswith("It is not known whether this was booked. Do not say that it is booked")

    phone_call(kind, story)


def test_log_that_fails_costs_no_answer(kind):
    def log(answer: pb.ToolResult) -> None:
        raise OSError("the disk is full")

    async def told() -> None:
        async with clinic() as client:
            call = kind()
            await call.start(client, BOT, "call-1", PHONE, on_result=log)
            [answer] = await call.turn(Call(FIND, {"when": "tomorrow"}))
            await call.hang_up()
            assert answer.startswith("Offer these times")

    asyncio.run(told())


def test_tool_that_does_not_exist_is_an_answer_with_the_settings_of_the_page():
    async def story(client, call):
        settings = RunConfig(tool_not_found_behavior="return_error_to_model", tracing_disabled=True)
        assert await call.turn(Call("find_slots", {}), run_config=settings) == ["Tool 'find_slots' not found."]

    phone_call(TextCall, story)


def test_attached_session_is_left_at_the_end():
    async def story(client, call):
        listeners = call.session.model._listeners
        before = len(listeners)
        call.booking.attach(call.session)  # a second time
        assert len(listeners) == before
        call.booking.end()
        assert len(listeners) == before - 1
        call.booking.end()

    phone_call(RealtimeCall, story)


# ---- What users write ------------------------------------------------------------------------------------------------


def test_page_shows_programs_of_at_most_15_lines():
    """Without blank lines and what a program says about itself."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        assert block.rstrip() in EXAMPLE.read_text()
        lines = [line.strip() for line in block.splitlines()]
        assert len([line for line in lines if line and not line.startswith(('"', "#"))]) <= 15


def test_example_ends_with_one_appointment(capsys):
    runpy.run_path(str(EXAMPLE), run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    results = [line.split(": ")[1] for line in lines if line.startswith("tool result")]
    assert results == ["offered", "readback", "already"]
    assert lines[-1] == "appointments: 1"


@pytest.mark.parametrize("parameters", [{"caller": PHONE}, {}], ids=["number", "no number"])
def test_example_answers_a_phone_call_of_twilio(parameters):
    example = runpy.run_path(str(EXAMPLE))
    start = {"callSid": "CA7", "streamSid": "MZ7", "customParameters": parameters}
    server, answers = RealtimeServer(), []

    async def audio(_session: Any) -> None:
        await server.hear()
        for call in ((FIND, '{"when":"tomorrow"}'), (BOOK, '{"slot":"the first one","name":"Ann Smith"}')):
            answers.extend(await server.results_of(await server.call_tools(call)))

    async def told() -> None:
        example["PHONE"].update(url=await server.open(), api_key="none")
        async with clinic() as client:
            await example["answer_phone"](client, start, audio)
        await server.close()

    asyncio.run(told())
    asked = "the number two one two, five five five, zero one two three" if parameters else "the caller's phone number."
    assert asked in answers[1]
