"""One state of the model: the store's row, the engines, what is on its way, and what the checks
remember."""

from __future__ import annotations

from collections import namedtuple

from store import BOOKED, Operation, Result

IDLE, CLAIMING, WAITING, OWNING, SETTLING, VOIDING = "idle", "claiming", "waiting", "owning", "settling", "voiding"
# A sending: the lease was looked at, then the bytes left, then the platform has answered.
CHECKED, SENT, MADE, REFUSAL = "checked", "sent", "made", "refusal"

# `call`: a host waits. `doubt`: 1 an unanswered sending may be open, 2 refusals count again
# (platform_keys "first"). `believes`: its lease holds by its own clock. `lost`: somebody else has
# the key. `life`: a restart is a new owner. `pardoned`: its sending belongs to a booking that a
# person gave up.
Engine = namedtuple("Engine", "mode call wish token line doubt sending pardoned believes withdrawn lost "
                              "operation answer life")
# `late`: operations that nobody waits for. `open`: sendings that nobody reads. `booked`: 1 given
# up, 2 counts. `denied`: lines whose host heard not_sent or rejected. `gone`: lines that were given
# up. `told`: a host heard booked. `left`: what may still happen: calls of each engine, and faults.
State = namedtuple("State", "row engines late open booked booked_wish booked_line denied gone told left")
Left = namedtuple("Left", "calls late crashes cuts cancels give_ups retentions")

NO_ENGINE = Engine(IDLE, False, None, None, None, 0, None, False, False, False, False, None, None, 0)


def first_state(left):
    return State(None, (NO_ENGINE, NO_ENGINE), (), (), 0, None, None, (), (), False, left)


def owner(number, engine):
    return number + 2 * engine.life


def idle(engine):
    return NO_ENGINE._replace(life=engine.life)


class Names:
    """Gives tokens the names 0, 1, ... in the order in which a state mentions them."""

    def __init__(self, swapped):
        self.names, self.swapped = {}, swapped

    def __call__(self, token):
        if token is None:
            return None
        return self.names.setdefault(token, len(self.names))

    def owner(self, number):
        return number if number is None else number ^ self.swapped

    def operation(self, o):
        return o and Operation(o[0], self(o[1]), self(o[2]), self.owner(o[3]), o[4], o[5])

    def answer(self, r):
        return r and Result(r[0], self(r[1]), r[2], self(r[3]), r[4])

    def engine(self, e):
        if e.mode == IDLE:
            return e
        return e._replace(token=self(e.token), line=self(e.line), operation=self.operation(e.operation),
                          answer=self.answer(e.answer))

    def known(self, tokens):
        return tuple(sorted(self.names[t] for t in tokens if t in self.names))


def by_text(item):
    return repr(tuple(item))


ORDER = {}


def without_names(engine, calls):
    o = engine.operation
    key = (calls, o and o.op, engine.answer is None) + engine[:3] + engine[5:11] + engine[13:]
    return ORDER.setdefault(key, len(ORDER))


def canonical(state, symmetric=True, prunes=True):
    """One state for all that differ in the names of tokens, and of engines if `symmetric`."""
    engines, left, swapped = state.engines, state.left, 0
    if symmetric and without_names(engines[0], left.calls[0]) > without_names(engines[1], left.calls[1]):
        engines, swapped = (engines[1], engines[0]), 1
        left = left._replace(calls=left.calls[::-1])
    n = Names(swapped)
    row = state.row
    if row is not None:
        row = row._replace(claim=n(row.claim), line=n(row.line), owner=n.owner(row.owner))
    engines = (n.engine(engines[0]), n.engine(engines[1]))
    late = state.late
    if late:
        if prunes and row is not None and not left.retentions:
            late = [o for o in late if matters(o, late, row, n.names)]
        late = tuple(sorted([n.operation(o) for o in late], key=by_text))
    pending = state.open
    if pending:
        pending = tuple(sorted({(wish, n(line), pardoned) for wish, line, pardoned in pending}, key=by_text))
    return State(row, engines, late, pending, state.booked, state.booked_wish, n.names.get(state.booked_line),
                 n.known(state.denied), n.known(state.gone), state.told, left)


def matters(o, late, row, names):
    """Can it change a row? Only if the row gets a token that it names, and it must be there for
    that."""
    if o.op == "settle":
        return row.state != BOOKED
    if o.claim in names or o.replaces in names:
        return True
    return any(x is not o and x.claim in (o.claim, o.replaces) for x in late)
