"""What the adapter takes from Pipecat's runner, and what Pipecat hands to the services of models."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import partnerbooking as pb
import pytest
from partnerbooking.pipecat import BookingTools
from pipecat.adapters.llm.services.open_ai_adapter import OpenAILLMAdapter
from pipecat.adapters.llm.services.open_ai_realtime_adapter import OpenAIRealtimeLLMAdapter
from pipecat.adapters.llm.services.open_ai_responses_adapter import OpenAIResponsesLLMAdapter
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.runner.types import CallData, DailyRunnerArguments, SmallWebRTCRunnerArguments, WebSocketRunnerArguments
from pipecat.runner.utils import parse_telephony_websocket

BOT = "bot_01h2xcejqtf2nbrexx3vqjhp41"
VOICE = {
    "time_zone": "America/New_York",
    "region": "US",
    "services": [{"name": "cleaning", "duration_minutes": 30}, {"name": "check-up", "duration_minutes": 60}],
}


class Client:
    """As much of a client as `BookingTools` needs."""

    def conversation(self, call_id: str, bot_id: str, caller_phone: str | None) -> Client:
        self.call_id, self.bot_id, self.caller_phone = call_id, bot_id, caller_phone
        return self

    def prefetch(self, bot_id: str) -> None: ...

    def tools(self, dialect: Any, bot_id: str, *, look_up_caller: bool) -> pb.voice.Tools:
        return pb.voice.tools(dialect, voice=VOICE, bot_id=bot_id, look_up_caller=look_up_caller)


class Socket:
    """The first messages of a telephony."""

    def __init__(self, *messages: Any) -> None:
        self._messages = messages

    async def iter_text(self) -> AsyncIterator[str]:
        for message in self._messages:
            yield json.dumps(message)


def twilio(**parameters: str) -> list[Any]:
    start = {"streamSid": "MZ1", "callSid": "CA42", "accountSid": "AC1", "customParameters": parameters}
    return [{"event": "connected", "protocol": "Call"}, {"event": "start", "start": start, "streamSid": "MZ1"}]


def telnyx(**members: str) -> list[Any]:
    start = {"call_control_id": "v3:42", "media_format": {"encoding": "PCMU"}, **members}
    return [{"event": "connected"}, {"event": "start", "stream_id": "s1", "start": start}]


def plivo() -> list[Any]:
    return [{"event": "start", "start": {"streamId": "s1", "callId": "p-42"}}, {"event": "media"}]


def exotel(**members: str) -> list[Any]:
    start = {"stream_sid": "s1", "call_sid": "e-42", "account_sid": "a1", **members}
    return [{"event": "connected"}, {"event": "start", "start": start}]


def known(call: Any) -> tuple[str, str | None]:
    client = Client()
    BookingTools.from_call(client, BOT, call)  # type: ignore[arg-type]
    return client.call_id, client.caller_phone


# The runner


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (twilio(from_number="+12125550123"), ("CA42", "+12125550123")),
        (twilio(**{"from": "+12125550123"}), ("CA42", "+12125550123")),
        (twilio(From="anonymous"), ("CA42", "anonymous")),  # the library asks for the number
        (twilio(), ("CA42", None)),
        (telnyx(**{"from": "+12125550123", "to": "+12125550199"}), ("v3:42", "+12125550123")),
        (telnyx(**{"from": "sip:+12125550123@sip.example.com;transport=udp"}), ("v3:42", "+12125550123")),
        (telnyx(), ("v3:42", None)),
        (plivo(), ("p-42", None)),
        (exotel(**{"from": "02212345678"}), ("e-42", "02212345678")),
    ],
)
def test_the_telephony_names_the_call_and_the_caller(messages: list[Any], expected: tuple[str, str | None]) -> None:
    async def test() -> None:
        _, data = await parse_telephony_websocket(Socket(*messages))  # type: ignore[arg-type]
        assert known(data) == expected
        assert known(dict(data._wire_dict())) == expected, "the dictionary of older releases"
        arguments = WebSocketRunnerArguments(websocket=None)  # type: ignore[arg-type]
        arguments.call_data = data
        assert known(arguments) == expected

    asyncio.run(test())


def test_a_number_dialed_into_daily_is_the_callers() -> None:
    settings = {"call_id": "d-42", "call_domain": "d", "From": "+12125550123", "To": "+12125550199"}
    body = {"dialin_settings": settings, "daily_api_key": "", "daily_api_url": ""}
    assert known(DailyRunnerArguments(room_url="", body=body)) == ("d-42", "+12125550123")


def test_a_browser_has_a_session_and_no_number() -> None:
    """Its body comes from the browser, which may name anybody."""
    arguments = SmallWebRTCRunnerArguments(webrtc_connection=None, session_id="s-42", body={"from": "+12125550123"})
    assert known(arguments) == ("s-42", None)
    nameless = {known(SmallWebRTCRunnerArguments(webrtc_connection=None))[0] for _ in range(2)}
    assert len(nameless) == 2


def test_a_call_that_is_not_known_yet_is_refused() -> None:
    with pytest.raises(ValueError, match="create_transport"):
        known(WebSocketRunnerArguments(websocket=Socket()))  # type: ignore[arg-type]


def test_the_host_may_name_call_and_caller() -> None:
    client = Client()
    BookingTools.from_call(client, BOT, CallData(call_id="CA42"), caller_phone="+12125550199")  # type: ignore[arg-type]
    assert (client.call_id, client.caller_phone) == ("CA42", "+12125550199")


# The schemas


def tools(**options: Any) -> Any:
    """As Pipecat's context has them."""
    return LLMContext(tools=BookingTools(Client(), BOT, call_id="c", **options).tools).tools  # type: ignore[arg-type]


def test_openai_gets_the_librarys_schemas_unchanged() -> None:
    strict = tools(strict=True, look_up_caller=True)
    for adapter, dialect in ((OpenAILLMAdapter(), "openai"), (OpenAIResponsesLLMAdapter(), "openai_responses")):
        made = pb.voice.tools(dialect, voice=VOICE, look_up_caller=True).tools
        assert adapter.to_provider_tools_format(strict) == made, dialect


def test_nothing_but_strictness_is_lost_elsewhere() -> None:
    made = pb.voice.tools("openai", voice=VOICE).tools
    for tool in made:
        del tool["function"]["strict"]
    assert OpenAILLMAdapter().to_provider_tools_format(tools()) == made
    realtime = pb.voice.tools("openai_realtime", voice=VOICE).tools
    for tool in realtime:
        del tool["parameters"]["additionalProperties"]
    assert OpenAIRealtimeLLMAdapter().to_provider_tools_format(tools()) == realtime


# Without Pipecat


def test_without_pipecat_the_import_says_what_to_install() -> None:
    code = "import sys; sys.modules['pipecat'] = None\nimport partnerbooking\nimport partnerbooking.pipecat"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stderr.rstrip().endswith("pip install 'partnerbooking[pipecat]'"), ran.stderr


# The example


def test_example_ends_with_one_appointment() -> None:
    example = Path(__file__).parents[3] / "bindings" / "python" / "examples" / "pipecat_agent.py"
    ran = subprocess.run([sys.executable, example], capture_output=True, text=True, timeout=50)
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[-1] == "appointments: 1" and "bot: One moment, please." in lines, ran.stdout
    assert sum(line.startswith("tool result: ") for line in lines) == 4, ran.stdout
