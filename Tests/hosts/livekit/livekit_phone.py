"""A phone call in LiveKit Agents without a server: a room in memory, ears that hear what a test says, and a model."""

import asyncio
import contextlib
import itertools
import json
from types import SimpleNamespace
from unittest.mock import create_autospec

from livekit import rtc
from livekit.agents import Agent, AgentSession, llm, stt
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS
from livekit.agents.voice import io, room_io
from livekit.protocol import models
from partnerbooking.livekit import BookingTools

CALL_IDS = itertools.count(1)

STILL_RUNNING = "The tool call is still in progress."
"""LiveKit's own, for a tool that runs while the model is asked for something else."""


class Room(rtc.EventEmitter):
    """What `AgentSession` and `JobContext` ask of a room that is connected."""

    def __init__(self, name="clinic-main-street"):
        super().__init__()
        self.name = name
        self.local_participant = create_autospec(rtc.LocalParticipant, instance=True, identity="agent")
        self.remote_participants = {}
        # Streams of bytes and texts of other programs. There are none.
        self.register_byte_stream_handler = self.unregister_byte_stream_handler = lambda *_: None
        self.register_text_stream_handler = self.unregister_text_stream_handler = lambda *_: None

    def isconnected(self):
        return True

    def join(self, identity="sip_1", attributes=None, kind=rtc.ParticipantKind.PARTICIPANT_KIND_SIP):
        caller = SimpleNamespace(
            identity=identity,
            sid=f"PA_{identity}",
            attributes=attributes or {},
            kind=kind,
            state=rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE,
            disconnect_reason=None,
        )
        self.remote_participants[identity] = caller
        self.emit("participant_connected", caller)
        self.emit("participant_active", caller)
        return caller

    def leave(self, caller):
        caller.disconnect_reason = rtc.DisconnectReason.CLIENT_INITIATED
        del self.remote_participants[caller.identity]
        self.emit("participant_disconnected", caller)


class Job:
    """The members of a `JobContext` that `from_job` uses."""

    def __init__(self, room, sid="RM_1"):
        self.room = room
        self.job = SimpleNamespace(id="AJ_1", room=models.Room(name=room.name, sid=sid))

    async def wait_for_participant(self):
        while not self.room.remote_participants:
            await asyncio.sleep(0.01)
        return next(iter(self.room.remote_participants.values()))


class Line(io.AudioInput):
    """A line on which nothing is heard: `Ears` get the words."""

    def __init__(self):
        super().__init__(label="line")

    async def __anext__(self):
        await asyncio.Event().wait()


class Ears(stt.STT):
    def __init__(self):
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=False))
        self.words = asyncio.Queue()

    async def _recognize_impl(self, *_, **__):
        raise NotImplementedError

    def stream(self, *, language=None, conn_options=DEFAULT_API_CONNECT_OPTIONS):
        return Hearing(stt=self, conn_options=conn_options)


class Hearing(stt.RecognizeStream):
    async def _run(self):
        while True:
            words = await self._stt.words.get()
            heard = [stt.SpeechData(language="en", text=words)]
            for kind in ("START_OF_SPEECH", "FINAL_TRANSCRIPT", "END_OF_SPEECH"):
                alternatives = heard if kind == "FINAL_TRANSCRIPT" else []
                event = stt.SpeechEvent(type=stt.SpeechEventType[kind], alternatives=alternatives)
                self._event_ch.send_nowait(event)


class Model(llm.LLM):
    """Calls tools when it reads certain words of the caller, and reads the results."""

    def __init__(self):
        super().__init__()
        self.script = {}
        """What it calls, by what the caller says last."""
        self.begun = set()
        """The calls of tools that began. Answers may be thrown away, so a call is made until it has begun."""
        self.read = {}
        """The results of tools that it has seen, by call, in the order in which it saw them."""
        self.heard = []
        """What the caller had said last, each time that it was asked for an answer."""
        self.tools = []

    @property
    def answers(self):
        return len(self.heard)

    def calls(self, words):
        for script, calls in self.script.items():
            if words.endswith(script) and not any(call.call_id in self.begun for call in calls):
                return calls
        return []

    def chat(self, *, chat_ctx, tools=None, conn_options=DEFAULT_API_CONNECT_OPTIONS, **_):
        self.tools = tools or []
        return Answer(self, chat_ctx=chat_ctx, tools=self.tools, conn_options=conn_options)


class Answer(llm.LLMStream):
    async def _run(self):
        model = self._llm
        for item in self._chat_ctx.items:
            if item.type == "function_call_output" and item.output != STILL_RUNNING:
                model.read[item.call_id] = item.output
        said = [item.text_content for item in self._chat_ctx.items if item.type == "message" and item.role == "user"]
        model.heard += said[-1:] or [""]
        calls = model.calls(model.heard[-1])
        delta = llm.ChoiceDelta(role="assistant", content=None if calls else "Fine.", tool_calls=calls)
        self._event_ch.send_nowait(llm.ChatChunk(id=f"answer-{model.answers}", delta=delta))


def tool_call(name, arguments):
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return llm.FunctionToolCall(name=name, arguments=text, call_id=f"call_{next(CALL_IDS)}")


class PhoneCall:
    """The caller's side of an `AgentSession`."""

    def __init__(self):
        self.model, self.ears, self.room = Model(), Ears(), Room()
        self.spoken = []
        """What was said without the model."""
        self.closed = asyncio.Event()

    async def start(self, client, bot_id, call_id, caller_phone, **options):
        self.client = client
        attributes = {"sip.callID": call_id, **({"sip.phoneNumber": caller_phone} if caller_phone else {})}
        self.caller = self.room.join(attributes=attributes)
        self.booking = await BookingTools.from_job(client, bot_id, Job(self.room), **options)
        turns = {"turn_detection": "stt", "endpointing": {"min_delay": 0, "max_delay": 0}}
        self.session = AgentSession(
            llm=self.model,
            stt=self.ears,
            vad=None,
            turn_handling=turns,
            aec_warmup_duration=None,
            session_close_transcript_timeout=0,
        )
        self.session.on("close", lambda _: self.closed.set())
        self.session.on("speech_created", self._speech_created)
        self.session.on("tool_execution_updated", self._tool_execution_updated)
        agent = Agent(instructions=f"You answer the phone. {self.booking.prompt}", tools=self.booking.tools)
        quiet = room_io.RoomOptions(audio_input=False, audio_output=False, text_output=False, text_input=False)
        await self.session.start(agent, room=self.room, room_options=quiet)
        self.session.input.audio = Line()

    def say(self, words, *calls):
        """The caller speaks, and the model calls these tools on it. Say the same words once only."""
        self.model.script[words] = [tool_call(name, arguments) for name, arguments in calls]
        self.ears.words.put_nowait(words)
        return [call.call_id for call in self.model.script[words]]

    async def answered(self, *call_ids):
        """Waits until the model has read the results of these calls."""
        while not all(call_id in self.model.read for call_id in call_ids):
            await asyncio.sleep(0.002)
        return [self.model.read[call_id] for call_id in call_ids]

    async def tool_runs(self, call_id):
        """Waits until the tool has been called."""
        while call_id not in self.model.begun:
            await asyncio.sleep(0.002)

    def has_heard(self, words):
        return any(heard.endswith(words) for heard in self.model.heard)

    async def idle(self):
        """Waits until caller and agent have said everything."""
        await self.session.wait_for_idle()

    def said_by(self, role):
        return [item for item in self.session.history.items if item.type == "message" and item.role == role]

    async def hang_up(self):
        self.room.leave(self.caller)
        await self.closed.wait()

    async def close(self):
        with contextlib.suppress(RuntimeError):
            await self.session.aclose()

    def _speech_created(self, event):
        if event.source == "say":
            event.speech_handle.add_done_callback(self._spoken)

    def _tool_execution_updated(self, event):
        if event.update.type == "tool_call_started":
            self.model.begun.add(event.update.function_call.call_id)

    def _spoken(self, speech):
        self.spoken += [item.text_content for item in speech.chat_items if item.type == "message"]
