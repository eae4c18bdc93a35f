"""What C++ and Python add to the C ABI: the same search through each of their forms, beside C."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from common import median, save, setting, show
from servers import Servers
from turns import Contestant, Programs, paired, rotated

ROUNDS = setting("BENCH_LANGUAGES_ROUNDS", 15, 3)
CALLS = setting("BENCH_LANGUAGES_CALLS", 640, 192)  # whole rows of 64
KEYS = ("p50_us", "p99_us", "us", "cpu_us")

Group = tuple[Contestant, list[Contestant]]
"""C, and what is measured against it."""


def native(label: str, name: str, in_flight: int = 1) -> Contestant:
    return Contestant(label, "native", name, in_flight, CALLS)


def python(label: str, name: str, in_flight: int = 1, loop: str = "asyncio") -> Contestant:
    return Contestant(label, loop, name, in_flight, CALLS)


def cpp_groups() -> list[Group]:
    forms = [("C++, submit, callback", "cpp_callback"), ("C++, submit, future", "cpp_future"),
             ("C++, try_submit, future", "cpp_try_future")]
    return [(native("C, pbk_search_availability", "c_blocking"),
             [native("C++, search_availability", "cpp_blocking"),
              native("C++, try_search_availability", "cpp_try_blocking")]),
            *((native("C, pbk_submit, callback", "c_callback", in_flight),
               [native(label, name, in_flight) for label, name in forms]) for in_flight in (1, 64))]


def on_the_thread() -> Group:
    # So short that it takes more of them to be measured.
    return (replace(native("C, pbk_pending_bookings", "c_list"), calls=20 * CALLS),
            [replace(native("C++, pending_bookings", "cpp_list"), calls=20 * CALLS)])


def python_groups() -> list[Group]:
    return [(native("C, pbk_search_availability", "c_blocking"),
             [python("ctypes alone", "ctypes_blocking"),
              python("Client, reply as bytes", "package_blocking_json"),
              python("Client, reply parsed", "package_blocking_raw"),
              python("Client, request and reply typed", "package_blocking_typed")]),
            (native("C, pbk_submit, queue and poll", "c_queue", 64),
             [python("ctypes alone, queue and poll", "ctypes_queue", 64),
              python("AsyncClient, reply as bytes", "package_asyncio_json", 64),
              python("AsyncClient, reply parsed", "package_asyncio_raw", 64),
              python("AsyncClient, request and reply typed", "package_asyncio_typed", 64),
              python("AsyncClient, reply as bytes, uvloop", "package_asyncio_json", 64, "uvloop")])]


def measure(servers: Servers, cores: tuple[int | None, int | None]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for way, base_url in (("sandbox", "sandbox"), (servers.http.name, servers.http.url)):
        from_cpp = [*cpp_groups(), *([on_the_thread()] if way == "sandbox" else [])]
        from_python = python_groups()
        contestants = list(dict.fromkeys(
            one for base, others in [*from_cpp, *from_python] for one in (base, *others)))
        rounds = take_turns(contestants, base_url, cores[1])
        counts = f"medians of {ROUNDS} rounds of {CALLS} calls each, one core"
        show(f"A search from C++ beside C, {way}: {counts}", table(from_cpp, rounds),
             "p50 and p99 of what a caller waits for: one call, or 64 made at once; the rest is for each call; "
             "processor time is that of the whole process; what is compared: p50, and with 64 in flight us a call",
             "a future brings a copy of the reply and its own wake-up; C and the callbacks hand the completion over",
             *(["pending_bookings never leaves the thread: that is the header's own cost, for a short reply"]
               if way == "sandbox" else []))
        show(f"A search from Python beside C, {way}: {counts}", table(from_python, rounds),
             "as bytes: a request that is written already, and the reply as it came, which the library knows to be "
             "JSON of the promised shape; parsed: by Python's json; typed: dataclasses")
        figures[way] = [{"round": number, "contestant": one.label, "in_flight": one.in_flight, **figure}
                        for number, turn in enumerate(rounds) for one, figure in turn.items()]
    save("languages", {"rounds": ROUNDS, "calls": CALLS, "figures": figures})
    return figures


def take_turns(
    contestants: list[Contestant], base_url: str, core: int | None
) -> list[dict[Contestant, dict[str, float]]]:
    with Programs(base_url, core) as programs:
        for contestant in contestants:
            programs.turn(contestant, contestant.calls)  # a warm-up
        return [{one: programs.turn(one, one.calls) for one in rotated(contestants, number)}
                for number in range(ROUNDS)]


def table(groups: list[Group], rounds: list[dict[Contestant, dict[str, float]]]) -> list[list[str]]:
    rows = [["", "in flight", "p50, us", "p99, us", "us a call", "us of cpu", "us more than C", "of cpu", "ratio to C",
             "of cpu"]]
    for base, others in groups:
        for one in (base, *others):
            row = [one.label, str(one.in_flight), *(f"{median(turn[one][key] for turn in rounds):.2f}" for key in KEYS)]
            # One at a time, the median call is steadier than the mean; with 64 in flight it is no measure of a call.
            wall = "p50_us" if one.in_flight == 1 else "us"
            if one is base:
                row += [""] * 4
            else:
                row += [f"{paired(rounds, one, base, key, False):+.2f}" for key in (wall, "cpu_us")]
                row += [f"{paired(rounds, one, base, key, True):.3f}" for key in (wall, "cpu_us")]
            rows.append(row)
    return rows
