"""What a client may see in the hostile campaign, and what is a violation: `hostile.py` lists the kinds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hostile_client import CLOSE_MS
from hostile_server import BEHAVIOURS, BROKEN, RIGHT

RESOLVER = "hanging_resolver"
"""A behaviour without a server: the platform's name does not resolve."""

CALM_MS = 10.0
"""Of the control at p99. Above it the machine is too busy to judge by time."""

LIMIT_MS, LIMIT_MB, LIMIT_THREADS, LIMIT_DESCRIPTORS = 20.0, 64.0, 24, 200


@dataclass
class Turn:
    """One client, and the hostile platforms that it has."""

    names: list[str]
    megabytes: int
    seen: dict[str, Any] = field(default_factory=dict)
    control_ms: list[float] = field(default_factory=list)
    read: set[str] = field(default_factory=set)
    """The keys of bookings that the servers have read."""

    faults: dict[str, str] = field(default_factory=dict)
    """The kinds of violations, and what was seen."""

    @property
    def title(self) -> str:
        more = f" and {len(self.names) - 1} more" if self.names[1:] else ""
        return f"{self.names[0]}{more}@{self.megabytes or 'link'}"

    @property
    def p99_ms(self) -> float:
        """Without the longest one: cutting a flood costs one search."""
        return percentile(sorted(self.seen["times_ms"])[:-1])

    @property
    def is_calm(self) -> bool:
        return percentile(self.control_ms) <= CALM_MS

    @property
    def limit_ms(self) -> float:
        return LIMIT_MS + 3 * percentile(self.control_ms)


def percentile(values: list[float], part: float = 0.99) -> float:
    """The nearest rank."""
    return sorted(values)[min(len(values) - 1, int(len(values) * part))] if values else 0.0


def judge(turn: Turn, is_strict: bool) -> None:
    """Finds what the client must not have seen."""
    seen, faults = turn.seen, {}
    if not seen:
        turn.faults = {"close": "the client's process did not end"}
        return
    # Of many platforms at once each costs handshakes: that says nothing of one.
    is_limited = is_strict or (turn.megabytes > 0 and len(turn.names) == 1 and turn.is_calm)
    if is_limited and turn.p99_ms > (LIMIT_MS if is_strict else turn.limit_ms):
        faults["slow"] = f"p99 {turn.p99_ms:.0f} ms, of the control {percentile(turn.control_ms):.0f} ms"
    if seen["overdue"] or seen["late_ms"] > 1_000:
        faults["late"] = f"{seen['overdue']} calls open a second after the deadline, {seen['late_ms']:.0f} ms late"
    if seen["unended"]:
        faults["late"] = f"{seen['unended']} calls never ended"
    if seen["peak_mb"] > LIMIT_MB:
        faults["memory"] = f"{seen['peak_mb']:.0f} MB above the start"
    if seen["threads"] > LIMIT_THREADS:
        faults["threads"] = str(seen["threads"])
    if seen["descriptors"] > LIMIT_DESCRIPTORS:
        faults["descriptors"] = str(seen["descriptors"])
    if seen["close_ms"] is None or seen["close_ms"] > CLOSE_MS + 1_000 or seen["spinning"]:
        took = "never returned" if seen["close_ms"] is None else f"took {seen['close_ms']:.0f} ms"
        faults["close"] = f"{took}, {seen['spinning']} threads spin, {seen['left']} are left"
    if seen["failures"]:
        faults["failed"] = str(seen["failures"])
    untrue = [f"{name} {key}: {what}" for name, key, what in seen["bookings"] if is_untrue(turn, name, key, what)]
    untrue += [f"{name}: {seen['ends'][name]['ok']} ok" for name in turn.names if succeeds_wrongly(turn, name)]
    if untrue:
        faults["untrue"] = f"{len(untrue)}: {', '.join(untrue[:3])}"
    if lost := lost_calls(turn):
        faults["lost"] = str(lost)
    if misnamed := misnamed_ends(turn):
        faults["misnamed"] = f"{len(misnamed)}: {', '.join(misnamed)}"
    turn.faults = faults


def is_untrue(turn: Turn, name: str, key: str, outcome: str) -> bool:
    may_refuse = name != RESOLVER and BEHAVIOURS[name].may_refuse
    return (outcome == "rejected" and not may_refuse) or (outcome == "not_sent" and key in turn.read)


def succeeds_wrongly(turn: Turn, name: str) -> bool:
    is_broken = name == RESOLVER or BEHAVIOURS[name].reply == BROKEN
    return is_broken and turn.seen["ends"][name].get("ok", 0) > 0


def lost_calls(turn: Turn) -> dict[str, dict[str, int]]:
    """How calls failed that had the right reply, by platform."""
    right = [name for name in turn.names if name != RESOLVER and BEHAVIOURS[name].reply == RIGHT]
    lost = {
        name: {end: count for end, count in turn.seen["ends"][name].items() if end not in ("ok", "timeout")}
        for name in right
    }
    return {name: ends for name, ends in lost.items() if ends}


def misnamed_ends(turn: Turn) -> list[str]:
    """The platforms whose failures have the wrong name."""

    def is_misnamed(name: str, end: str) -> bool:
        is_cut = name != RESOLVER and BEHAVIOURS[name].kind == "cut"
        return "resource_unavailable" in end or (is_cut and "connect" not in end and end != "timeout")

    return [name for name in turn.names if any(is_misnamed(name, end) for end in turn.seen["ends"][name])]


def print_turn(turn: Turn) -> None:
    seen = turn.seen
    rate = f"@{turn.megabytes}" if turn.megabytes else "@link"
    for name in turn.names:
        ends = " ".join(f"{end}:{count}" for end, count in sorted(seen["ends"][name].items())) if seen else "-"
        print(f"  {name + rate:34} {ends}")
    verdict = " ".join(turn.faults) or "ok"
    if seen:
        close_ms = "never" if seen["close_ms"] is None else f"{seen['close_ms']:.0f} ms"
        print(
            f"    calls {seen['calls']}, honest p99 {turn.p99_ms:.1f} ms (control {percentile(turn.control_ms):.1f}), "
            f"worst {max(seen['times_ms'], default=0):.0f} ms, {len(seen['times_ms'])} searches, "
            f"memory +{seen['peak_mb']:.0f} MB, late {seen['late_ms']:.0f} ms, threads {seen['threads']}, "
            f"descriptors {seen['descriptors']}, close {close_ms}, left {seen['left']}: {verdict}",
            flush=True,
        )
    for kind, what in turn.faults.items():
        print(f"    {kind}: {what}", flush=True)
