"""Explores all states, and looks for one from which a booking cannot end."""

from __future__ import annotations

from collections import deque

import checks
from state import canonical, first_state


class Finding(Exception):
    def __init__(self, message, trace):
        super().__init__(message)
        self.trace = trace

    def __str__(self):
        lines = [f"{i + 1:3} {label}" for i, label in enumerate(self.trace)]
        return "\n".join([str(self.args[0])] + lines)


def trace_to(index, came):
    labels = []
    while index:
        index, label = came[index]
        labels.append(label)
    return labels[::-1]


def explore(library, left, budget=None, symmetric=True):
    """Breadth first, so that a trace is a shortest one. Returns the number of states and of
    steps."""
    prunes = not library.bugs
    start = canonical(first_state(left))
    index_of, came, ends = {start: 0}, [(0, "")], []
    fair_into, queue, count = [[]], deque([start]), 0
    while queue:
        state = queue.popleft()
        index = index_of[state]
        label = ""
        if library.is_end(state):
            ends.append(index)
        try:
            for label, after, fair in library.steps(state):
                count += 1
                after = canonical(after, symmetric, prunes)
                target = index_of.get(after)
                if target is None:
                    checks.any_state(after)
                    target = index_of[after] = len(came)
                    came.append((index, label))
                    fair_into.append([])
                    queue.append(after)
                if fair:
                    fair_into[target].append(index)
        except checks.Violation as violation:
            if symmetric:  # Again, with names that stay the same along the trace.
                return explore(library, left, budget, symmetric=False)
            raise Finding(str(violation), trace_to(index, came) + [f"then, after or instead of: {label}"]) from None
        if budget and len(came) > budget:
            raise Finding(f"more than {budget} states", [])
    check_progress(ends, fair_into, came)
    return len(came), count


def check_progress(ends, fair_into, came):
    reached = bytearray(len(came))
    stack = list(ends)
    for index in ends:
        reached[index] = 1
    while stack:
        for source in fair_into[stack.pop()]:
            if not reached[source]:
                reached[source] = 1
                stack.append(source)
    stuck = reached.find(0)
    if stuck >= 0:
        raise Finding("a booking cannot end from here on", trace_to(stuck, came))
