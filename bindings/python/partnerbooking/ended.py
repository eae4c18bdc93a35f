"""The end of a call, for metrics and logs. `on_call` gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .values import Outcome

Operation = Literal["search_availability", "create_booking", "lookup_customer", "call_tool", "give_up"]
"""The kind of a call. `give_up` sends nothing, and the library counts it as `create_booking`."""


@dataclass(frozen=True)
class CallEnded:
    """A call that has ended, or a booking that was settled after its call.

    It contains no API key, secret, message or words of a caller. `tag`, `idempotency_key` and
    `bot_id` are yours. Use them in logs, but not as labels of a metric.
    """

    operation: Operation
    status: str
    """The name of the `pbk_status` without the prefix: `ok`, `timeout`, `slot_unavailable` and
    others. `other` for a status that this package does not know."""
    outcome: Outcome | None = None
    """The meaning of a failed booking. None for every other call."""
    code: str | None = None
    """The error's `code`, which may be the service's own word. None without an error."""
    http_status: int | None = None
    """The HTTP status of the service's error."""
    request_id: str | None = None
    """The service's ID for the failed request."""
    tag: str | None = None
    """The request's `tag`."""
    idempotency_key: str | None = None
    bot_id: str | None = None
    """The request's `bot_id`. None for a `resume`, and for a booking of an earlier process."""
    trace_id: str | None = None
    """The trace ID in the `traceparent` that was sent: 32 hexadecimal digits."""
    duration_ms: float = 0.0
    """Milliseconds from the call to its end, or to the report of a settled booking."""
    attempts: int | None = None
    """Number of HTTP attempts. None for a success of `Client`, whose functions return the reply
    alone."""
    timing: Mapping[str, Any] | None = field(default=None, repr=False)
    """The parts of the call's time. docs/json-contract.md describes them. None when `attempts` is
    None."""
    tool: str | None = None
    """The tool of a `call_tool`. `other` for a tool that does not exist."""
    result: str | None = None
    """The result of a tool call that the library answered: `offered`, `booked`, `failed` and
    others."""
    tool_status: str | None = None
    """The `status` of the search or booking that failed within a tool call. The tool call itself
    is `ok` then."""
    is_settled: bool = False
    """True for the end of a booking whose call had ended before."""

    def __repr__(self) -> str:
        """Returns a text with the members that are set, without `timing`."""
        there = [f"{name}={value!r}" for name, value in vars(self).items() if name != "timing" and value is not None]
        return f"CallEnded({', '.join(there)})"


OnCall = Callable[[CallEnded], object]
"""A function that is called once for each call that ends, and for each booking that is settled
later. Return soon: the caller waits meanwhile, and with `AsyncClient` the whole loop. Its
exceptions are logged, and do not reach the caller. Only `SystemExit` and `KeyboardInterrupt` pass
through, but the call still ends."""
