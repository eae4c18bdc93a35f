"""Has conversations for `conversation.py`, on threads of the campaign or in a process of its own that may be killed.

As a process it takes its orders as one line of JSON on standard input, writes what happens to a file, and ends at the
latest with its standard input.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import child
from conversation_engine import Engine, Lag, Library, Log
from conversation_model import Conversation, Order
from conversation_platforms import Plan

THREADS = 12


@dataclass(frozen=True)
class Orders:
    config: dict[str, Any]
    plan: Plan
    talks: list[Order]

    def write(self) -> str:
        talks = [asdict(each) for each in self.talks]
        return json.dumps({"config": self.config, "plan": self.plan.content(), "talks": talks})

    @staticmethod
    def read(line: str) -> Orders:
        content = json.loads(line)
        return Orders(content["config"], Plan(**content["plan"]), [Order(**each) for each in content["talks"]])


def converse(orders: Orders, engine: Engine, write: Callable[[dict[str, Any]], None], lag: Lag) -> None:
    """Has them, some at the same time, and closes the engine."""
    log = Log(write, lag)
    try:
        with ThreadPoolExecutor(THREADS) as threads:
            for done in [threads.submit(Conversation(each, orders.plan, engine, log).run) for each in orders.talks]:
                done.result()
    finally:
        engine.close()


def main() -> None:
    child.run(lambda line, write: begin(Orders.read(line), write))


def begin(orders: Orders, write: child.Write) -> None:
    converse(orders, Library(orders.config), write, Lag())


if __name__ == "__main__":
    main()
