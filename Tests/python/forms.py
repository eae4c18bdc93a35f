"""The table of input forms: what people and language models write, and what becomes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import reduce
from typing import Any

from header import ROOT
from samples import spoiled

TABLE = ROOT / "Tests" / "data" / "input_forms.json"
_table = json.loads(TABLE.read_text())
BASE: dict[str, Any] = _table["base"]
OPERATIONS = {"booking": "book", "search": "search", "lookup": "lookup"}


@dataclass(frozen=True)
class Row:
    number: int
    members: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.number} {self.members['form']}"

    @property
    def operation(self) -> str:
        """The name of the method."""
        return OPERATIONS[self.members["operation"]]

    @property
    def path(self) -> str | None:
        return self.members["path"]

    @property
    def is_refused(self) -> bool:
        return "refused" in self.members

    @property
    def request(self) -> str:
        if "request" in self.members:
            return self.members["request"]
        value = self.members.get("input", "RAW")
        text = json.dumps(spoiled(BASE[self.members["operation"]], self.path, value), ensure_ascii=self.number % 2 == 0)
        return text.replace('"RAW"', self.members["raw"]) if "raw" in self.members else text

    @property
    def sent(self) -> dict[str, Any]:
        """The body that arrives."""
        body = json.loads(json.dumps(BASE[self.members["operation"]]))
        if "taken" in self.members:
            body = spoiled(body, self.path, self.members["taken"])
        body.pop("idempotency_key", None)
        return body


ROWS = [Row(number, row) for number, row in enumerate(_table["rows"])]


def at(body: dict[str, Any], path: str) -> Any:
    return reduce(lambda value, name: value[name], path.split("."), body)
