"""What must be true, whatever happens. `Violation` says what is not."""

from __future__ import annotations

from state import CHECKED, OWNING, SENT
from store import BOOKED, OPEN, REFUSED


class Violation(Exception):
    pass


def may_be_made(state):
    """A booking under this key is made, or a sending can still make it. A person's give_up pardons
    earlier ones."""
    if state.booked == 2 or any(not pardoned for _, _, pardoned in state.open):
        return True
    return any(e.sending in (CHECKED, SENT) and not e.pardoned for e in state.engines)


def after_operation(state, o, row, result):
    """`state` is the one before; `row` the row afterwards."""
    before = state.row
    if o.op == "void" and row is not before and row is not None and row.state == REFUSED and may_be_made(state):
        raise Violation("the store ends a booking as refused that is made, or can still be made")
    if row is not None and row.state == OPEN and row.line in state.gone:
        raise Violation("an operation brings a given-up booking back")
    if before is not None and before.state == BOOKED and row is not None and row.state != BOOKED:
        raise Violation("the store forgets a booking that was made")
    if o.op == "claim" and o.more and before is not None and before.withdrawn and not row.withdrawn:
        raise Violation("the orphan pass takes a withdrawn booking")
    if o.op == "heard" and result.result == "done" and not before.heard:
        known = state.told if before.state == BOOKED else before.line in state.denied
        if not known:
            raise Violation("an end counts as heard that no host has heard")
    if o.op == "give_up" and before is not None and before.state == OPEN and result.result == "given_up":
        if before.claim != o.claim:
            raise Violation("a give_up ends a booking that the person has not seen")
        if any(e.believes for e in state.engines):
            raise Violation("a give_up ends a booking that an engine works on")


def pardon(state):
    """A person gave the booking up, or its retention is over: what follows from its sendings is no
    one's fault."""
    return state._replace(
        engines=tuple([e._replace(pardoned=True) if e.sending else e for e in state.engines]),
        open=tuple([(wish, line, True) for wish, line, _ in state.open]), booked=min(state.booked, 1))


def tell_booked(state, wish):
    if not state.booked or state.booked_wish != wish:
        raise Violation("a host hears booked, and its booking is not made")
    return state._replace(told=True)


def tell_not_booked(state, line):
    if state.booked == 2 and state.booked_line == line:
        raise Violation("a host hears not_sent or rejected, and its booking is made")
    return state._replace(denied=state.denied + (line,))


def book(state, wish, line, pardoned, keeps_keys):
    """The platform makes a booking."""
    if line in state.denied and not pardoned:
        raise Violation("a booking is made after its host has heard not_sent or rejected")
    if not keeps_keys and state.booked == 2 and not pardoned:
        raise Violation("two bookings for one key")
    if state.booked == 2:
        return state
    return state._replace(booked=1 if pardoned else 2, booked_wish=wish, booked_line=line)


def settled(state, result):
    if result == "lost" or (result == "other" and state.booked == 2):
        raise Violation("a booking was made, and the store does not record it")


def claims_again(state, engine):
    row = state.row
    if engine.line in state.gone and (row is None or row.line == engine.line):
        raise Violation("an engine brings a given-up booking back")


def sends(engine, keeps_keys):
    if engine.withdrawn:
        raise Violation("an engine sends a withdrawn booking")
    if not keeps_keys and engine.doubt:
        raise Violation("a booking in doubt is sent again, and the platform keeps no keys")


def any_state(state):
    if sum(e.believes for e in state.engines) > 1:
        raise Violation("two engines believe that they may send")
    row = state.row
    if row is None or not row.withdrawn:
        return
    for e in state.engines:
        if e.mode == OWNING and e.call and e.token == row.claim and not (e.operation or e.lost):
            raise Violation("the booking of a call that waits is withdrawn")
