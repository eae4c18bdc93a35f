"""The tools for language models: each dialect against the rules of the API that takes it.

`make -C Tests/voice tools` holds them against the SDKs of the vendors, which are too heavy for every run.
"""

from __future__ import annotations

import ctypes
import json
from typing import Any

import pbk
import pytest
from header import STATUS
from jsonschema import Draft202012Validator

DIALECTS = ["openai", "openai_responses", "openai_realtime", "anthropic", "gemini", "mcp"]
STRICT = ["openai", "openai_responses", "anthropic"]
SCHEMAS = [dialect for dialect in DIALECTS if dialect != "gemini"]
FIELDS = {
    "find_appointment_slots": {"when": "string", "time": "string", "service": "string", "more": "boolean"},
    "book_appointment": {
        **dict.fromkeys(["slot", "name", "phone", "email", "notes"], "string"),
        **dict.fromkeys(["caller_confirmed", "another"], "boolean"),
    },
    "look_up_caller": {},
}
RESULTS = (
    "offered none unclear invalid not_offered readback held booked already slot_gone in_doubt failed known not_known"
).split()


def call(options: Any) -> tuple[int, Any]:
    status = ctypes.c_int()
    text = options if options is None or isinstance(options, bytes) else json.dumps(options).encode()
    address = pbk.library.pbk_tools(text, ctypes.byref(status))
    answer = ctypes.string_at(address)
    pbk.library.pbk_string_free(address)
    return status.value, json.loads(answer)


def reply(dialect: str, **options: Any) -> Any:
    status, answer = call({"dialect": dialect, **options})
    assert status == STATUS["OK"], answer
    assert list(answer) == ["tools", "prompt", "filler"]
    return answer


def flat(dialect: str, **options: Any) -> list[dict[str, Any]]:
    """The tools without what a dialect puts around each."""
    tools = reply(dialect, **options)["tools"]
    if dialect == "gemini":
        [group] = tools
        assert list(group) == ["functionDeclarations"]
        return group["functionDeclarations"]
    if dialect == "openai":
        assert all(list(tool) == ["type", "function"] and tool["type"] == "function" for tool in tools)
        return [tool["function"] for tool in tools]
    return tools


def schema(dialect: str, tool: dict[str, Any]) -> dict[str, Any]:
    return tool[{"anthropic": "input_schema", "mcp": "inputSchema"}.get(dialect, "parameters")]


def size(value: Any) -> int:
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def strict(schema: Any) -> Any:
    """What strict modes make of a schema, written anew for this test: closed objects, and every property required.

    ensure_strict_json_schema of OpenAI's Agents SDK does so. Tests/hosts/openai_agents asks the SDK itself.
    """
    changed = dict(schema)
    if changed.get("type") == "object":
        changed.setdefault("additionalProperties", False)
    properties = changed.get("properties")
    if isinstance(properties, dict):
        changed["required"] = list(properties)
        changed["properties"] = {name: strict(value) for name, value in properties.items()}
    if changed.get("default", "") is None:
        del changed["default"]
    return changed


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_dialect_has_the_same_fields(dialect):
    for look_up, names in ((False, list(FIELDS)[:2]), (True, list(FIELDS))):
        tools = flat(dialect, look_up_caller=look_up)
        assert [tool["name"] for tool in tools] == names
        for tool in tools:
            if dialect == "gemini" and not FIELDS[tool["name"]]:
                assert "parameters" not in tool, "Gemini refuses an object without properties"
                continue
            form = schema(dialect, tool)
            assert form["required"] == list(form["properties"]) == list(FIELDS[tool["name"]])
            for name, field in form["properties"].items():
                kind = FIELDS[tool["name"]][name]
                if dialect == "gemini":
                    assert (field.pop("type"), field.pop("nullable")) == (kind.upper(), True)
                else:
                    assert field.pop("type") == [kind, "null"]
                assert list(field) == ["description"], "no constraints"


@pytest.mark.parametrize("dialect", SCHEMAS)
def test_schemas_are_json_schema_2020_12(dialect):
    for tool in flat(dialect, look_up_caller=True):
        form = schema(dialect, tool)
        Draft202012Validator.check_schema(form)
        validator = Draft202012Validator(form)
        empty = dict.fromkeys(FIELDS[tool["name"]])
        assert validator.is_valid(empty), "every field may be null"
        assert not validator.is_valid({**empty, "other": 1})
        for name, kind in FIELDS[tool["name"]].items():
            assert validator.is_valid({**empty, name: True if kind == "boolean" else "x"})
            assert not validator.is_valid({**empty, name: 30})
            assert not validator.is_valid({key: None for key in empty if key != name}), "every field is required"


@pytest.mark.parametrize("dialect", SCHEMAS)
def test_strict_modes_have_nothing_to_change(dialect):
    tools = flat(dialect, look_up_caller=True)
    for tool in tools:
        form = schema(dialect, tool)
        assert strict(form) == form
        assert tool.get("strict") is (True if dialect in STRICT else None)
    unions = sum(len(schema(dialect, tool)["properties"]) for tool in tools)
    assert unions <= 16, "Anthropic takes so many fields of two types in all strict tools of a request"


def test_the_strict_check_finds_what_is_open():
    for bad in (
        {"type": "object", "properties": {"a": {}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": [], "additionalProperties": False},
        {"type": "object", "properties": {}, "required": []},
    ):
        assert strict(bad) != bad


MEMBERS = {
    "openai": ["name", "description", "parameters", "strict"],
    "openai_responses": ["type", "name", "description", "parameters", "strict"],
    "openai_realtime": ["type", "name", "description", "parameters"],
    "anthropic": ["name", "description", "input_schema", "strict"],
    "gemini": ["name", "description", "parameters"],
    "mcp": ["name", "description", "inputSchema", "annotations"],
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_tool_has_no_member_that_its_api_refuses(dialect):
    find, book = flat(dialect)
    assert list(find) == list(book) == MEMBERS[dialect]
    if dialect == "mcp":
        assert find["annotations"] == {"readOnlyHint": True}
        assert book["annotations"] == {"readOnlyHint": False, "destructiveHint": False, "idempotentHint": True}
    if dialect == "gemini":
        assert set(find["parameters"]) == {"type", "properties", "required"}
        assert find["parameters"]["type"] == "OBJECT"


@pytest.mark.parametrize("confirm", ["readback", "none"])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_tools_and_prompt_are_short(dialect, confirm):
    for locale in ("en-US", "fr"):
        answer = reply(dialect, voice={"confirm": confirm, "locale": locale})
        assert size(answer["tools"]) <= 2500
        longest = reply(dialect, voice={"confirm": confirm, "locale": locale}, look_up_caller=True)
        assert len(longest["prompt"].encode()) <= 1500


def test_all_dialects_have_one_source():
    def texts(dialect: str) -> list[Any]:
        return [
            [tool["name"], tool["description"], *(field["description"] for field in fields(dialect, tool))]
            for tool in flat(dialect)
        ]

    def fields(dialect: str, tool: dict[str, Any]) -> Any:
        return schema(dialect, tool)["properties"].values()

    assert all(texts(dialect) == texts("mcp") for dialect in DIALECTS)
    assert len({reply(dialect)["prompt"] for dialect in DIALECTS}) == 1


def test_the_prompt_names_each_result():
    prompt = reply("openai", look_up_caller=True)["prompt"]
    for result in RESULTS:
        assert f"{result}: " in prompt, result
    plain = reply("openai", voice={"confirm": "none"})["prompt"]
    assert "readback" not in plain and "not_known" not in plain
    assert "Spanish" in reply("openai", voice={"locale": "es"})["prompt"] and "Spanish" not in prompt


def test_the_filler_is_in_the_language_of_the_bot():
    assert reply("openai")["filler"] == "One moment, please."
    bots = {"locale": "es", "bots": {"bot_2": {"locale": "fr"}}}
    assert reply("openai", voice=bots)["filler"] == "Un momento, por favor."
    assert reply("openai", voice=bots, bot_id="bot_2")["filler"] == "Un instant, s'il vous plaît."


def test_services_are_named_and_a_bot_has_its_own():
    services = [{"name": "cleaning", "duration_minutes": 30}, {"name": 'the "big" check', "duration_minutes": 60}]
    own = {"services": [{"name": "braces"}], "confirm": "none", "time_zone": "Asia/Tokyo"}
    voice = {"time_zone": "America/New_York", "services": services, "offers": 3, "bots": {"bot_2": own}}

    def described(**options: Any) -> tuple[str, str]:
        find, book = flat("anthropic", voice=voice, **options)
        return find["input_schema"]["properties"]["service"]["description"], book["description"]

    assert described()[0].endswith('. One of: cleaning, the "big" check')
    assert described(bot_id="bot_1") == described()
    assert "Read the result back" in described()[1]
    assert described(bot_id="bot_2")[0].endswith('. One of: braces')
    assert "Read the result back" not in described(bot_id="bot_2")[1]


@pytest.mark.parametrize(
    ("options", "code", "field"),
    [
        ({}, "invalid_field", "dialect"),
        ({"dialect": "OpenAI"}, "invalid_field", "dialect"),
        ({"dialect": None}, "invalid_field", "dialect"),
        ({"dialect": "mcp", "tools": []}, "invalid_field", "tools"),
        ({"dialect": "mcp", "bot_id": 7}, "invalid_field", "bot_id"),
        ({"dialect": "mcp", "look_up_caller": "yes"}, "invalid_field", "look_up_caller"),
        ({"dialect": "mcp", "voice": []}, "invalid_field", "voice"),
        ({"dialect": "mcp", "voice": {"servces": []}}, "invalid_field", "voice.servces"),
        ({"dialect": "mcp", "voice": {"locale": "xx"}}, "invalid_field", "voice.locale"),
        ({"dialect": "mcp", "voice": {"confirm": "maybe"}}, "invalid_field", "voice.confirm"),
        ({"dialect": "mcp", "voice": {"services": "cleaning"}}, "invalid_field", "voice.services"),
        ({"dialect": "mcp", "voice": {"services": [{"name": 7}]}}, "invalid_field", "voice.services.name"),
        ({"dialect": "mcp", "voice": {"bots": {"b": {"bots": {}}}}}, "invalid_field", "voice.bots.b.bots"),
        (b"{", "invalid_json", None),
        (b"[]", "invalid_field", None),
        (None, "invalid_argument", None),
    ],
)
def test_refusals(options, code, field):
    status, answer = call(options)
    assert (answer["error"]["code"], answer["error"]["field"]) == (code, field)
    assert status == STATUS[code.upper()]
