"""The tools of pbk_tools against the SDKs of the vendors, as PyPI has them. None of them needs a network for that.

    python tool_sdks.py LIBRARY

The types of the SDKs must take each tool, and know each of its members. `Tests/hosts/openai_agents` checks that the
schemas are strict.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

from anthropic.types import ToolParam
from google.genai import types as gemini
from mcp import types as mcp
from openai.types.chat import ChatCompletionFunctionToolParam
from openai.types.realtime import RealtimeFunctionToolParam
from openai.types.responses import FunctionToolParam
from openai.types.shared_params import FunctionDefinition
from pydantic import TypeAdapter


def tools(library: ctypes.CDLL, **options: Any) -> list[Any]:
    library.pbk_tools.restype = ctypes.c_void_p
    answer: list[Any] = json.loads(ctypes.string_at(library.pbk_tools(json.dumps(options).encode(), None)))["tools"]
    return answer


def taken(kind: Any, value: Any) -> None:
    """The type of an SDK takes a value and knows each of its members."""
    unknown = set(value) - set(kind.__annotations__)
    assert not unknown, f"{kind.__name__} has no {unknown}"
    TypeAdapter(kind).validate_python(value)


def main() -> None:
    library = ctypes.CDLL(sys.argv[1])
    for confirm in ("readback", "none"):
        options = {"look_up_caller": True, "voice": {"confirm": confirm, "services": [{"name": "cleaning"}]}}
        for tool in tools(library, dialect="openai", **options):
            taken(ChatCompletionFunctionToolParam, tool)
            taken(FunctionDefinition, tool["function"])
        for tool in tools(library, dialect="openai_responses", **options):
            taken(FunctionToolParam, tool)
        for tool in tools(library, dialect="openai_realtime", **options):
            taken(RealtimeFunctionToolParam, tool)
        for tool in tools(library, dialect="anthropic", **options):
            taken(ToolParam, tool)
        for tool in tools(library, dialect="gemini", **options):
            back = gemini.Tool.model_validate(tool).model_dump(mode="json", by_alias=True, exclude_none=True)
            assert back == tool, back
        for tool in tools(library, dialect="mcp", **options):
            back = mcp.Tool.model_validate(tool).model_dump(mode="json", by_alias=True, exclude_none=True)
            assert back == tool, back
    print("tools: each of 6 dialects is taken by its SDK")


if __name__ == "__main__":
    main()
