"""The store of the ledger protocol: one row, and each operation as a pure function.

It is docs/ledger-protocol.md in code, for one key. `lease` is a flag here: the explorer decides
when a lease is over. `line` is of the model alone: it names the booking from its first claim on,
also after a take-over. `bugs` names the rules that are broken on purpose (`planted.py`). """

from __future__ import annotations

from collections import namedtuple

OPEN, BOOKED, REFUSED = "open", "booked", "refused"
NOT_SENT, REJECTED, GIVEN_UP = "not_sent", "rejected", "given_up"

Row = namedtuple("Row", "state claim owner live wish withdrawn heard took_over outcome line")
# `more`: orphan (claim), outcome (void), withdrawn (withdraw).
Operation = namedtuple("Operation", "op claim replaces owner wish more")
# Of the row that a result shows, only what the library uses.
Result = namedtuple("Result", "result claim wish line outcome", defaults=(None, None, None, None))


# A new name. Canonical states have the names 0, 1, ... and a step needs one line and one token at
# most.
NEW_LINE, NEW_TOKEN = 98, 99


def line_of(o):
    return o.claim if o.replaces is None else NEW_LINE


def opened(o, line=None):
    return Row(OPEN, o.claim, o.owner, True, o.wish, False, False, False, None, line_of(o) if line is None else line)


def ended(row, state, claim, outcome=None, heard=False):
    return row._replace(state=state, claim=claim, owner=None, live=False, withdrawn=False, heard=heard,
                        took_over=False, outcome=outcome)


def ours(result, row):
    return Result(result, None, row.wish, row.line)


def claimed(o, line=None):
    row = opened(o, line)
    return row, ours("claimed", row)


def theirs(result, row):
    return Result(result, row.claim, outcome=row.outcome)


def execute(row, o, bugs=frozenset()):
    """The row afterwards, and the result."""
    return OPERATIONS[o.op](row, o, bugs)


def claim(row, o, bugs):
    if row is not None and row.claim == o.claim:
        return claim_again(row, o, bugs)
    if row is None:
        if o.more and "orphan claim inserts" not in bugs:
            return None, Result("lost")
        return claimed(o)
    same = row.wish == o.wish or "claim ignores the fingerprint" in bugs
    if row.state == BOOKED:
        return row, theirs("booked", row) if same else Result("other")
    named = row.claim == o.replaces
    if row.state == REFUSED:
        if o.more and "orphan claim inserts" not in bugs:
            return row, Result("lost")
        if not named and "claim overwrites any refusal" not in bugs:
            return row, theirs("refused", row)
        return claimed(o, row.line if o.more else None)
    if not same:
        return row, Result("other")
    if o.more and row.withdrawn and "orphan claim takes the withdrawn" not in bugs:
        return row, Result("lost")
    if row.live and row.owner != o.owner and "claim ignores the lease" not in bugs:
        return row, Result("held")
    if not named and "claim takes over any token" not in bugs:
        return row, theirs("held", row)
    fresh = "take-over answers claimed" in bugs
    taken = row._replace(claim=o.claim, owner=o.owner, live=True, withdrawn=False, took_over=not fresh)
    return taken, ours("claimed" if fresh else "in_doubt", row)


def claim_again(row, o, bugs):
    if row.state == BOOKED:
        return row, theirs("booked", row)
    if row.state == REFUSED:
        if "late claim overwrites its refusal" in bugs:
            return claimed(o, row.line)
        return row, Result("lost")
    doubt = row.took_over and "repetition of a take-over answers claimed" not in bugs
    return row._replace(live=True), ours("in_doubt" if doubt else "claimed", row)


def settle(row, o, bugs):
    if row is None:
        return ended(opened(o), BOOKED, o.claim), Result("done", o.claim)
    if row.wish != o.wish and "settle ignores the fingerprint" not in bugs:
        return row, Result("other")
    if row.state == BOOKED:
        return row, Result("done", row.claim)
    if row.claim != o.claim and "settle needs the claim" in bugs:
        return row, Result("lost")
    if row.state == REFUSED and "settle leaves a refusal" in bugs:
        return row, Result("lost")
    return ended(row, BOOKED, o.claim), Result("done", o.claim)


def void(row, o, bugs):
    if row is None:
        return ended(opened(o), REFUSED, o.claim, o.more, heard=True), Result("done")
    if row.claim != o.claim and "void ignores the claim" not in bugs:
        return row, Result("lost")
    if row.state == BOOKED:
        return row, Result("lost")
    if row.state == REFUSED:
        return row, Result("done")
    return ended(row, REFUSED, row.claim, o.more), Result("done")


def withdraw(row, o, bugs):
    if row is None or row.state != OPEN or row.claim != o.claim:
        return row, Result("lost")
    return row._replace(withdrawn=o.more), Result("done")


def give_up(row, o, bugs):
    if row is None:
        return None, Result("absent")
    if row.state != OPEN:
        again = row.outcome == GIVEN_UP and row.claim == o.claim
        return row, Result("given_up" if again else "kept")
    if row.claim != o.claim and "give_up takes any claim" not in bugs:
        return row, Result("kept")
    if row.live and row.owner != o.owner and "give_up ignores the lease" not in bugs:
        return row, Result("held")
    if "give_up deletes" in bugs:
        return None, Result("given_up")
    return ended(row, REFUSED, row.claim, GIVEN_UP, heard=True), Result("given_up")


def heard(row, o, bugs):
    if row is None or row.state == OPEN or (row.claim != o.claim and "heard ignores the claim" not in bugs):
        return row, Result("lost")
    return row._replace(heard=True), Result("done")


def renew(row, o, bugs):
    if row is None or row.state != OPEN:
        return row, Result("lost")
    if (row.claim != o.claim or row.owner != o.owner) and "renew ignores the claim" not in bugs:
        return row, Result("lost")
    return row._replace(live=True), Result("renewed")


OPERATIONS = {"claim": claim, "settle": settle, "void": void, "withdraw": withdraw, "give_up": give_up,
              "heard": heard, "renew": renew}
