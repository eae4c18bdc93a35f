"""`partnerbooking.livekit` in LiveKit's own AgentSession: what it adds to the scenarios of all frameworks."""

import asyncio
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import partnerbooking as pb
import pytest
from livekit import rtc
from livekit_phone import Job, PhoneCall, Room
from partnerbooking.livekit import BookingTools

BOT = "bot_1"
FIND, BOOK = "find_appointment_slots", "book_appointment"
TOMORROW = (FIND, {"when": "tomorrow"})
PHONE = "+12125550123"


def clinic(latency_ms=20, **members):
    sandbox = {"now": "2030-01-14T13:00:00Z", "time_zone": "America/New_York", "latency_ms": latency_ms, **members}
    return {"endpoint": "sandbox", "sandbox": sandbox, "voice": {"time_zone": "America/New_York", "region": "US"}}


def slow_to_book(ms=1500):
    """The clinic books at once, and answers late."""
    return clinic(faults=[{"fault": "late", "ms": ms, "operation": "create_booking"}])


def booking(slot, confirmed=True, **members):
    return BOOK, {"slot": slot, "name": "Ann Smith", "caller_confirmed": confirmed, **members}


@asynccontextmanager
async def phone_call(configuration, on_settled=None, **options):
    async with pb.AsyncClient(on_settled=on_settled, **configuration) as client:
        call = PhoneCall()
        await call.start(client, BOT, "SCL_1", PHONE, **options)
        try:
            yield call
        finally:
            await call.close()


async def read_back(call):
    """Up to the caller's yes: the first slot is offered and read back."""
    await call.answered(*call.say("Tomorrow?", TOMORROW))
    await call.answered(*call.say("The first one. I am Ann Smith.", booking("the first one", confirmed=False)))
    await call.idle()


async def arrives(call):
    """Waits until the clinic has the booking. It has not answered yet."""
    while not call.client.sandbox_bookings():
        await asyncio.sleep(0.002)


def appointments(call):
    return len(call.client.sandbox_bookings())


def test_schemas_are_those_of_the_library():
    async def main():
        async with phone_call(clinic()) as call:
            await call.answered(*call.say("Tomorrow?", TOMORROW))
            expected = [tool["function"] for tool in call.client.tools("openai", BOT).tools]
            assert [tool.info.raw_schema for tool in call.model.tools] == expected
            assert call.booking.prompt == call.client.tools("openai", BOT).prompt

    asyncio.run(main())


def test_search_ends_when_the_caller_speaks_and_the_caller_is_answered_at_once():
    async def main():
        async with phone_call(clinic(latency_ms=4000)) as call:
            [search] = call.say("Tomorrow?", TOMORROW)
            await call.tool_runs(search)
            begun = time.monotonic()
            call.say("No, wait.")
            [text] = await call.answered(search)
            assert time.monotonic() - begun < 2
            assert text.startswith("The caller has spoken, so find_appointment_slots was ended.")

    asyncio.run(main())


def test_booking_goes_on_when_the_caller_speaks_and_the_agent_says_its_end():
    async def main():
        async with phone_call(slow_to_book()) as call:
            await read_back(call)
            [yes] = call.say("Yes.", booking("the first one"))
            await call.tool_runs(yes)
            call.say("How long does it take?")
            [text] = await call.answered(yes)
            assert "goes on, and its result follows" in text, "the caller waited for the booking"
            answers = call.model.answers
            [text] = await call.answered(f"{yes}_final")
            assert text.startswith("Booked: ")
            assert call.model.answers == answers + 1, "the agent has not said it"
            assert appointments(call) == 1

    asyncio.run(main())


@pytest.mark.parametrize("name, words", [(FIND, "was ended."), (BOOK, "Nothing is booked by this call.")])
def test_nothing_is_sent_when_the_caller_was_faster(name, words):
    async def main():
        async with phone_call(clinic()) as call:
            await read_back(call)
            interrupted = SimpleNamespace(session=call.session, speech_handle=SimpleNamespace(interrupted=True))
            [tool] = [tool for tool in call.booking.tools if tool.info.name == name]
            assert words in await tool(booking("the first one")[1], interrupted)
            assert appointments(call) == 0

    asyncio.run(main())


def test_another_time_in_the_same_breath_is_one_appointment_and_one_answer():
    async def main():
        async with phone_call(slow_to_book()) as call:
            await read_back(call)
            [yes] = call.say("Yes.", booking("the first one"))
            await call.tool_runs(yes)
            answers = call.model.answers
            [other] = call.say("No, the second one!", booking("the second one"))
            sent, first, second = await call.answered(yes, f"{yes}_final", other)
            assert "goes on, and its result follows" in sent
            assert first.startswith("Booked: ")
            assert "Nothing else was booked" in second
            await call.idle()
            assert call.model.answers == answers + 2, "one to call the tool, and one with both results"
            assert appointments(call) == 1

    asyncio.run(main())


def test_what_the_caller_says_is_not_lost_while_a_booking_runs():
    async def main():
        async with phone_call(slow_to_book()) as call:
            await read_back(call)
            [yes] = call.say("Yes.", booking("the first one"))
            await call.tool_runs(yes)
            call.say("I will come by car.")
            await call.answered(f"{yes}_final")
            await call.idle()
            assert "I will come by car." in [item.text_content for item in call.said_by("user")]

    asyncio.run(main())


def test_booking_that_was_called_twice_in_one_step_is_one_appointment():
    async def main():
        async with phone_call(clinic(latency_ms=200)) as call:
            await read_back(call)
            texts = await call.answered(*call.say("Yes.", booking("the first one"), booking("the first one")))
            assert sorted(text.split()[0] for text in texts) == ["Booked:", "The"]
            assert appointments(call) == 1

    asyncio.run(main())


def test_filler_is_said_once_a_turn_and_not_into_the_callers_words():
    async def main():
        configuration = {**clinic(latency_ms=1200), "slow_after_ms": 500}
        configuration["voice"]["cache_ms"] = 0
        async with phone_call(configuration, filler="Hold on.") as call:
            await call.answered(*call.say("Tomorrow or Friday?", TOMORROW, (FIND, {"when": "friday", "time": "noon"})))
            assert call.spoken == ["Hold on."]
            await call.answered(*call.say("In two weeks?", (FIND, {"when": "in two weeks"})))
            assert call.spoken == ["Hold on."] * 2
            [search] = call.say("In three weeks?", (FIND, {"when": "in three weeks"}))
            await call.tool_runs(search)
            await call.answered(*call.say("No.", (FIND, {"when": "in four weeks"})))
            assert call.spoken == ["Hold on."] * 3, "of the turn that was not interrupted"

    asyncio.run(main())


@pytest.mark.parametrize("calls, fillers", [([], 0), ([booking("the second one")], 1)], ids=["hello", "another time"])
def test_filler_of_a_booking_that_was_interrupted_is_left_to_the_turn_that_has_begun(calls, fillers):
    async def main():
        async with phone_call({**slow_to_book(), "slow_after_ms": 400}) as call:
            await read_back(call)
            said = len(call.spoken)
            [yes] = call.say("Yes.", booking("the first one"))
            await call.tool_runs(yes)
            others = call.say("Hello?", *calls)
            await call.answered(f"{yes}_final", *others)
            await call.idle()
            assert len(call.spoken) - said == fillers

    asyncio.run(main())


def test_no_filler_on_request():
    async def main():
        configuration = {**clinic(latency_ms=300), "slow_after_ms": 50}
        async with phone_call(configuration, filler=None) as call:
            await call.answered(*call.say("Tomorrow?", TOMORROW))
            assert call.spoken == []

    asyncio.run(main())


def test_hang_up_ends_the_session_at_once_and_the_booking_is_reported():
    async def main():
        settled = asyncio.Queue()
        async with phone_call(slow_to_book(2500), on_settled=settled.put_nowait) as call:
            await read_back(call)
            call.say("Yes.", booking("the first one"))
            await arrives(call)
            await call.hang_up()
            assert settled.empty(), "the session waited for the booking"
            assert (await asyncio.wait_for(settled.get(), 5)).reply.status == "confirmed"
            assert appointments(call) == 1

    asyncio.run(main())


def test_hang_up_of_a_booking_that_the_caller_has_interrupted_is_reported_too():
    async def main():
        settled = asyncio.Queue()
        async with phone_call(slow_to_book(2500), on_settled=settled.put_nowait) as call:
            await read_back(call)
            [yes] = call.say("Yes.", booking("the first one"))
            await arrives(call)
            call.say("Hello?")
            await call.answered(yes)
            await call.hang_up()
            assert (await asyncio.wait_for(settled.get(), 5)).reply.status == "confirmed"
            assert appointments(call) == 1

    asyncio.run(main())


def test_session_that_ends_by_itself_forgets_what_was_offered():
    async def main():
        async with phone_call(clinic()) as call:
            await call.answered(*call.say("Tomorrow?", TOMORROW))
            await call.session.aclose()
            answer = await call.booking.conversation.call(BOOK, booking("the first one")[1])
            assert answer.result == "not_offered"

    asyncio.run(main())


def test_another_participant_may_leave():
    async def main():
        async with phone_call(clinic()) as call:
            guest = call.room.join("guest")
            await call.answered(*call.say("Tomorrow?", TOMORROW))
            call.room.leave(guest)
            [text] = await call.answered(*call.say("The first one.", booking("the first one", confirmed=False)))
            assert text.startswith("Nothing is booked yet. Read back")

    asyncio.run(main())


def test_error_is_a_sentence_for_the_model():
    async def main():
        async with phone_call(clinic()) as call:
            await read_back(call)
            await call.client.close()
            [text] = await call.answered(*call.say("Yes.", booking("the first one")))
            assert "a call back" in text or "call back to confirm" in text

    asyncio.run(main())


@pytest.mark.parametrize(
    "name, arguments, words",
    [
        (FIND, "{'when': 'tomorrow'", "Offer these times"),
        (FIND, "```json\n{}\n```", "Offer these times"),
        (FIND, '["tomorrow"]', "Error parsing arguments for `find_appointment_slots`: expected dict"),
        (FIND, '{"when":1e400}', "Call the tool again"),
        (BOOK, '{"slot":{"name":"x"},"ctx":1,"raw_arguments":2}', "Nothing is booked: slot is missing or not clear."),
        ("book", "{}", "Unknown function: book - available tools: find_appointment_slots, book_appointment"),
    ],
)
def test_sloppy_model_reads_what_is_wrong(name, arguments, words):
    """Some of these sentences are LiveKit's."""

    async def main():
        async with phone_call(clinic()) as call:
            [text] = await call.answered(*call.say("Well.", (name, arguments)))
            assert words in text

    asyncio.run(main())


@pytest.mark.parametrize(
    "attributes, call_id, phone",
    [
        ({"sip.callID": "SCL_7", "sip.phoneNumber": PHONE}, "SCL_7", PHONE),
        ({"sip.callID": "SCL_7"}, "SCL_7", None),
        ({"sip.callID": "SCL_7", "sip.phoneNumber": ""}, "SCL_7", None),
        ({}, "RM_1/sip_1", None),
    ],
)
def test_number_and_call_id_are_those_of_the_participant(attributes, call_id, phone):
    async def main():
        room = Room()
        async with pb.AsyncClient(**clinic()) as client:
            room.join(attributes=attributes)
            tools = await BookingTools.from_job(client, BOT, Job(room))
            assert tools.conversation.call_id == call_id
            answer = await tools.conversation.call(*TOMORROW)
            answer = await tools.conversation.call(*booking(answer.slots[0].slot, confirmed=False))
            assert answer.result == ("invalid" if phone is None else "readback")

    asyncio.run(main())


def test_job_of_livekit_gives_the_participant():
    """The job context is LiveKit's own here."""
    fake_job_context = pytest.importorskip("livekit.agents.testing").fake_job_context

    async def main():
        room = Room()
        async with pb.AsyncClient(**clinic()) as client:
            with fake_job_context(room=room) as ctx:
                waiting = asyncio.ensure_future(BookingTools.from_job(client, BOT, ctx))
                await asyncio.sleep(0.1)
                caller = room.join(attributes={"sip.callID": "SCL_8"})
                tools = await waiting
            assert tools.conversation.call_id == "SCL_8"
            answer = await tools.conversation.call(*TOMORROW)
            room.leave(caller)
            answer = await tools.conversation.call(*booking("the first one"))
            assert answer.result == "not_offered", "the conversation goes on after the call"

    asyncio.run(main())


def test_call_ids_without_telephony_differ_by_room_and_caller():
    async def main():
        names = set()
        async with pb.AsyncClient(**clinic()) as client:
            for sid, identity in [("RM_1", "ann"), ("RM_1", "bob"), ("RM_2", "ann"), ("RM_2", "b" * 300)]:
                room = Room()
                room.join(identity, kind=rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD)
                names.add((await BookingTools.from_job(client, BOT, Job(room, sid))).conversation.call_id)
        assert len(names) == 4
        assert max(map(len, names)) <= 256

    asyncio.run(main())


def test_participant_of_choice_is_the_caller():
    async def main():
        room = Room()
        async with pb.AsyncClient(**clinic()) as client:
            room.join("supervisor")
            caller = room.join("caller", {"sip.callID": "SCL_9"})
            tools = await BookingTools.from_job(client, BOT, Job(room), participant=caller)
            assert tools.conversation.call_id == "SCL_9"

    asyncio.run(main())


@pytest.mark.parametrize("missing", ["livekit.agents", "livekit"])
def test_without_livekit_the_error_names_the_install(missing):
    program = f"import sys; sys.modules[{missing!r}] = None; import partnerbooking; import partnerbooking.livekit"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "ImportError: partnerbooking.livekit needs LiveKit Agents" in ended.stderr
    assert "pip install 'partnerbooking[livekit]'" in ended.stderr


def test_example_ends_with_one_appointment():
    example = Path(__file__).resolve().parents[3] / "bindings" / "python" / "examples" / "livekit_agent.py"
    ended = subprocess.run([sys.executable, example], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    lines = ended.stdout.splitlines()
    assert lines[-1] == "appointments: 1"
    assert sum(line.startswith("tool result: Booked: tomorrow") for line in lines) == 1
    assert lines.count("agent: One moment, please.") >= 1
