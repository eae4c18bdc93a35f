"""The rules of the library for one key: every step that an engine, the platform or the world can
take."""

from __future__ import annotations

import checks
from state import (
    CHECKED,
    CLAIMING,
    IDLE,
    MADE,
    NO_ENGINE,
    OWNING,
    REFUSAL,
    SENT,
    SETTLING,
    VOIDING,
    WAITING,
    idle,
    owner,
)
from store import BOOKED, GIVEN_UP, NEW_TOKEN, NOT_SENT, OPEN, REJECTED, Operation, execute

NAMES = "AB"


class Library:
    def __init__(self, platform="kept", wishes=1, stops=True, hears=False, takes_over=True, bugs=()):
        self.platform, self.wishes, self.stops = platform, wishes, stops
        self.hears, self.takes_over = hears, takes_over
        self.keeps_keys = platform != "none"
        self.bugs = frozenset(bugs)

    # The store

    def execute(self, state, o):
        row, result = execute(state.row, o, self.bugs)
        checks.after_operation(state, o, row, result)
        given_up = o.op == "give_up" and result.result == "given_up" and state.row.state == OPEN
        if given_up:
            state = checks.pardon(state)._replace(gone=state.gone + (state.row.line,))
        if row is not None and row.heard and not self.hears:
            row = row._replace(heard=False)
        return state._replace(row=row), result

    def late(self, state, o):
        return state._replace(late=state.late + (o,)) if o not in state.late else state

    def hear(self, state, claim, wish):
        return self.late(state, Operation("heard", claim, None, None, wish, None)) if self.hears else state

    # One engine

    def engine_steps(self, state, number):
        e = state.engines[number]
        name = NAMES[number]

        def put(engine, other=state):
            return other._replace(engines=(engine, other.engines[1]) if number == 0 else (other.engines[0], engine))

        if e.sending == CHECKED:
            yield f"{name} sends", put(e._replace(sending=SENT)), True
            return
        if e.operation and not e.answer:
            after, result = self.execute(state, e.operation)
            after = put(after.engines[number]._replace(answer=result), after)
            if e.operation.op != "claim":
                after = self.answered(after, number, lambda engine, other=after: put(engine, other))
            yield f"store: {e.operation.op} of {name}: {result.result}", after, True
        if e.answer:
            yield f"{name} gets {e.answer.result} to its {e.operation.op}", self.answered(state, number, put), True
        if e.mode == IDLE:
            yield from self.idle_steps(state, number, put)
        elif e.mode == CLAIMING:
            yield from self.claiming_steps(state, number, put)
        elif e.mode == WAITING:
            yield from self.waiting_steps(state, number, put)
        elif e.mode == OWNING:
            yield from self.owning_steps(state, number, put)
            yield from self.sending_steps(state, number, put)

    def claim(self, e, number, token, replaces, orphan=False):
        o = Operation("claim", token, replaces, owner(number, e), e.wish, orphan)
        return e._replace(mode=CLAIMING, token=token, operation=o, answer=None, believes=False,
                          withdrawn=False, lost=False, sending=None)

    def void(self, e, outcome):
        o = Operation("void", e.token, None, None, e.wish, outcome)
        return e._replace(mode=VOIDING, operation=o, answer=None, believes=False, sending=None, withdrawn=False,
                          lost=False)

    def idle_steps(self, state, number, put):
        e, row, name = state.engines[number], state.row, NAMES[number]
        if state.left.calls[number]:
            calls = tuple(n - (i == number) for i, n in enumerate(state.left.calls))
            spent = state._replace(left=state.left._replace(calls=calls))
            for wish in range(self.wishes):
                yield f"a host calls {name} (wish {wish})", put(
                    self.claim(e._replace(call=True, wish=wish), number, NEW_TOKEN, None), spent), False
        if row is None or row.state != OPEN:
            return
        takes = self.takes_over and self.keeps_keys and "nobody takes over" not in self.bugs
        if takes and not row.live and not row.withdrawn:
            yield f"{name} finds an orphan", put(self.claim(
                e._replace(wish=row.wish), number, NEW_TOKEN, row.claim, orphan=True)), True
        if state.left.give_ups:
            o = Operation("give_up", row.claim, None, owner(number, e), row.wish, None)
            spent = state._replace(left=state.left._replace(give_ups=state.left.give_ups - 1))
            yield f"a person gives up at {name}", self.late(spent, o), False

    def claiming_steps(self, state, number, put):
        """journal_timeout_ms: the call ends `unknown`, and the claim is repeated until it is
        answered."""
        e, name = state.engines[number], NAMES[number]
        if not e.call:
            return
        if "not_sent without the void" in self.bugs and e.operation.replaces is None:
            state = checks.tell_not_booked(state, e.token)
        yield f"{name}: no answer to its claim", put(e._replace(call=False), state), False
        if "void before the claim's answer" in self.bugs:
            after = state if e.answer else self.late(state, e.operation)
            yield f"{name}: no answer to its claim", put(self.void(e._replace(call=False), NOT_SENT), after), False

    def waiting_steps(self, state, number, put):
        e, row, name = state.engines[number], state.row, NAMES[number]
        if row is None:
            ends = e.line is not None and "given-up call claims again" not in self.bugs
            if not ends:
                checks.claims_again(state, e)
            yield f"{name} sees no row", put(idle(e) if ends else self.claim(e, number, NEW_TOKEN, None)), True
        elif row.state == BOOKED:
            after = state
            if row.wish == e.wish:
                after = self.hear(checks.tell_booked(state, e.wish), row.claim, e.wish)
            yield f"{name} sees booked", put(idle(e), after), True
        elif row.state == OPEN and row.wish != e.wish:
            yield f"{name} sees another booking", put(idle(e)), True
        elif row.state == OPEN and row.live and row.owner != owner(number, e):
            return
        elif row.state == OPEN and "waits for the dead" in self.bugs:
            return
        elif row.outcome == GIVEN_UP and e.line is not None and "given-up call claims again" not in self.bugs:
            yield f"{name} sees given_up", put(idle(e)), True
        else:
            checks.claims_again(state, e)
            yield f"{name} sees {row.state}", put(self.claim(e, number, NEW_TOKEN, row.claim)), True

    def owning(self, e, row, result):
        """`claimed`. Its own unanswered sendings stay open, whatever the store says."""
        believes = row is not None and row.state == OPEN and row.claim == e.operation.claim and row.live
        return e._replace(mode=OWNING, operation=None, answer=None, believes=believes, lost=False,
                          line=result.line)

    def answered(self, state, number, put):
        e = state.engines[number]
        o, r = e.operation, e.answer
        if o.op == "void":
            if r.result == "done":
                after = checks.tell_not_booked(state, e.line)
                return put(idle(e), self.hear(after, o.claim, e.wish))
            return put(e._replace(mode=WAITING, operation=None, answer=None) if e.call else idle(e))
        if o.op == "settle":
            checks.settled(state, r.result)
            return put(idle(e), self.hear(state, r.claim, e.wish) if r.result == "done" else state)
        if e.mode == OWNING:
            return put(self.owner_answered(e, o, r, state.row))
        return self.claim_answered(state, number, put)

    def owner_answered(self, e, o, r, row):
        done = e._replace(operation=None, answer=None)
        if o.op == "withdraw":
            return done if r.result == "done" else done._replace(lost=True, believes=False)
        if r.result in ("claimed", "in_doubt"):
            believes = row is not None and row.state == OPEN and row.claim == o.claim and row.live
            return done._replace(token=o.claim, believes=believes)
        return done._replace(lost=True, believes=False)

    def claim_answered(self, state, number, put):
        e = state.engines[number]
        r, row, orphan = e.answer, state.row, e.operation.more
        abandoned = not (e.call or orphan)
        if r.result == "claimed":
            return put(self.owning(e, row, r) if e.call else self.void(e._replace(line=r.line), NOT_SENT))
        if r.result == "in_doubt" and not abandoned:
            dated = 2 if "take-over is not dated" in self.bugs else 1
            return put(self.owning(e, row, r)._replace(doubt=dated, wish=r.wish))
        if r.result == "in_doubt" and "abandoned take-over is voided" in self.bugs:
            return put(self.void(e._replace(line=r.line), NOT_SENT))
        if not e.call:
            return put(idle(e))
        if r.result == "booked":
            return put(idle(e), self.hear(checks.tell_booked(state, e.wish), r.claim, e.wish))
        if r.result == "held" and r.claim is None:
            return put(e._replace(mode=WAITING, operation=None, answer=None))
        if r.result in ("held", "refused"):
            ends = r.outcome == GIVEN_UP and e.line is not None
            return put(idle(e) if ends else self.claim(e, number, e.token, r.claim))
        return put(idle(e))

    def owning_steps(self, state, number, put):
        e, row, name = state.engines[number], state.row, NAMES[number]
        if e.operation:
            return
        if e.lost and e.sending is None:
            yield f"{name} has lost its claim", put(e._replace(
                mode=WAITING, believes=False, withdrawn=False, lost=False) if e.call else idle(e)), True
        if not e.lost and not (e.believes and row is not None and row.live):
            o = Operation("renew", e.token, None, owner(number, e), e.wish, None)
            after, result = self.execute(state, o)
            good = result.result == "renewed"
            yield f"{name} renews: {result.result}", put(
                e._replace(believes=good, lost=not good), after), True
        again = self.keeps_keys or not e.doubt or "none is sent again" in self.bugs
        if e.sending is None and e.believes and not e.withdrawn and not e.lost and again:
            checks.sends(e, self.keeps_keys)
            yield f"{name} looks at its lease", put(e._replace(sending=CHECKED, pardoned=False)), True
        if e.call and e.sending is None and not again:
            yield f"{name}'s call ends in_doubt", put(e._replace(call=False)), True
        if e.call and state.left.cancels:
            yield from self.leaving_steps(state, number, put)
        if not e.call and e.sending is None and "a doubt is renewed for ever" not in self.bugs:
            yield f"{name} lets go", put(idle(e)), True
        if not e.call and state.left.calls[number]:
            calls = tuple(n - (i == number) for i, n in enumerate(state.left.calls))
            spent = state._replace(left=state.left._replace(calls=calls))
            o = None
            if e.withdrawn:
                o = Operation("claim", NEW_TOKEN, e.token, owner(number, e), e.wish, False)
                if "withdrawal ends by flag" in self.bugs:
                    o = Operation("withdraw", e.token, None, None, e.wish, False)
            yield f"a host calls {name} again", put(
                e._replace(call=True, withdrawn=False, operation=o, answer=None), spent), False

    def leaving_steps(self, state, number, put):
        e, name = state.engines[number], NAMES[number]
        spent = state._replace(left=state.left._replace(cancels=state.left.cancels - 1))
        yield f"the deadline of {name}'s call", put(e._replace(call=False), spent), False
        if e.doubt == 0 and e.sending is None:
            yield f"a host cancels at {name}", put(self.void(e, NOT_SENT), spent), False
        else:
            o = Operation("withdraw", e.token, None, None, e.wish, True)
            yield f"a host cancels at {name}", put(
                e._replace(call=False, withdrawn=True, operation=o, answer=None), spent), False

    def sending_steps(self, state, number, put):
        e, name = state.engines[number], NAMES[number]
        if e.sending is None:
            if self.platform == "first" and e.doubt == 1:
                others = state.engines[1 - number].sending in (CHECKED, SENT)
                if not (state.open or others) or "refusals count at once" in self.bugs:
                    yield f"{name}: platform_limit_ms is over", put(e._replace(doubt=2)), True
            return
        if e.sending == SENT:
            yield from self.platform_steps(state, number, put)
        unanswered = e._replace(sending=None, doubt=1, pardoned=False)
        if state.left.cuts:
            spent = state._replace(left=state.left._replace(cuts=state.left.cuts - 1))
            if e.sending == SENT:
                spent = spent._replace(open=spent.open + ((e.wish, e.line, e.pardoned),))
            yield f"{name} loses the connection ({e.sending})", put(unanswered, spent), False
        if e.sending == MADE:
            after = checks.tell_booked(state, e.wish)
            if e.operation and not e.answer:
                after = self.late(after, e.operation)
            o = Operation("settle", e.token, None, owner(number, e), e.wish, None)
            yield f"{name} hears made", put(e._replace(
                mode=SETTLING, call=False, operation=o, answer=None, believes=False, withdrawn=False, lost=False,
                sending=None, pardoned=False), after), True
        if e.sending == REFUSAL and not e.operation:
            if e.doubt != 1 or "refusal ends a doubt" in self.bugs:
                after = state
                if "rejected before the void" in self.bugs:
                    after = checks.tell_not_booked(state, e.line)
                yield f"{name} hears a refusal", put(self.void(e._replace(pardoned=False), REJECTED), after), True
            else:
                yield f"{name} hears a refusal, in doubt", put(e._replace(sending=None, pardoned=False)), True

    def platform_steps(self, state, number, put):
        e, name = state.engines[number], NAMES[number]
        if state.booked and self.keeps_keys and state.booked_wish != e.wish:
            yield f"platform returns another booking to {name}", put(e._replace(sending=None, doubt=1)), True
            return
        after = checks.book(state, e.wish, e.line, e.pardoned, self.keeps_keys)
        yield f"platform books for {name}", put(e._replace(sending=MADE), after), True
        if not (state.booked and self.keeps_keys):
            yield f"platform refuses {name}", put(e._replace(sending=REFUSAL)), True

    # The world

    def world_steps(self, state):
        left = state.left
        for o in state.late:
            rest = state._replace(late=tuple([x for x in state.late if x is not o]))
            after, result = self.execute(rest, o)
            yield f"store: late {o.op}: {result.result}", after, False
            if left.late:
                after = after._replace(late=state.late, left=left._replace(late=left.late - 1))
                yield f"store: {o.op}, and a copy comes later: {result.result}", after, False
        for item in state.open:
            wish, line, pardoned = item
            rest = state._replace(open=tuple([x for x in state.open if x is not item]))
            yield "platform refuses an open sending", rest, True
            if not (state.booked and self.keeps_keys):
                yield "platform books an open sending", checks.book(
                    rest, wish, line, pardoned, self.keeps_keys), True
        for number in (0, 1):
            yield from self.fault_steps(state, number)
        yield from self.time_steps(state)

    def fault_steps(self, state, number):
        e, left, name = state.engines[number], state.left, NAMES[number]
        if e.mode == IDLE:
            return
        waits = e.operation and not e.answer
        if waits and left.late and e.operation not in state.late:
            yield f"{name}'s {e.operation.op} comes twice", self.late(
                state._replace(left=left._replace(late=left.late - 1)), e.operation), False
        if left.crashes:
            after = state._replace(left=left._replace(crashes=left.crashes - 1))
            if waits:
                after = self.late(after, e.operation)
            if e.sending == SENT:
                after = after._replace(open=after.open + ((e.wish, e.line, e.pardoned),))
            dead = NO_ENGINE._replace(life=e.life + 1)
            after = after._replace(engines=tuple([dead if i == number else x for i, x in enumerate(after.engines)]))
            yield f"{name} crashes", after, False

    def time_steps(self, state):
        row, left = state.row, state.left
        if row is None:
            return
        if row.state == OPEN:
            if row.live:
                yield from self.expiry(state)
            return
        claims = any(o.op == "claim" for o in state.late) or any(
            e.operation and e.operation.op == "claim" and not e.answer for e in state.engines)
        if left.retentions and not any(e.believes for e in state.engines):
            if not claims or "retention is too short" in self.bugs:
                after = checks.pardon(state._replace(left=left._replace(retentions=left.retentions - 1)))
                yield "retention is over", after._replace(row=None), False

    def expiry(self, state):
        engines = list(state.engines)
        for number, e in enumerate(engines):
            if e.believes and owner(number, e) == state.row.owner:
                if e.sending == CHECKED and not self.stops:
                    return
                if "no margin" not in self.bugs:
                    engines[number] = e._replace(believes=False)
        yield "a lease is over", state._replace(row=state.row._replace(live=False), engines=tuple(engines)), True

    def steps(self, state):
        yield from self.engine_steps(state, 0)
        yield from self.engine_steps(state, 1)
        yield from self.world_steps(state)

    def is_end(self, state):
        """Nobody waits, and each open booking is withdrawn (or needs a person)."""
        row = state.row
        if row is not None and row.state == OPEN and state.booked and state.booked_wish != row.wish:
            return True  # The key has the booking of a wish that was given up. Only a person ends this doubt.
        if any(e.mode != IDLE for e in state.engines):
            return False
        return row is None or row.state != OPEN or row.withdrawn or not (self.keeps_keys and self.takes_over)
