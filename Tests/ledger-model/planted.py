"""Rules broken on purpose, each with a configuration in which the checker must find it."""

from __future__ import annotations

from library import Library
from state import Left

NOTHING = Left(calls=(1, 1), late=0, crashes=0, cuts=0, cancels=0, give_ups=0, retentions=0)
ONE_CALL = NOTHING._replace(calls=(1, 0))
TWO_CALLS = NOTHING._replace(calls=(2, 0))
FIRST = {"platform": "first", "stops": False}

# What is explored to the end: options of the library, and what may happen.
EXHAUSTIVE = {
    "twins, connections cut": ({}, NOTHING._replace(cuts=1)),
    "twins, operations late or twice": ({}, NOTHING._replace(late=1)),
    "a crash, connections cut": ({}, ONE_CALL._replace(crashes=1, cuts=1)),
    "a person gives up, twins": ({}, NOTHING._replace(give_ups=1)),
    "cancelled, and called again": ({}, TWO_CALLS._replace(cancels=1)),
    "two wishes under one key": ({"wishes": 2}, NOTHING),
    "platform_keys none": ({"platform": "none"}, NOTHING._replace(cuts=1)),
    "platform_keys first": (FIRST, ONE_CALL._replace(crashes=1)),
    "the end of retention": ({}, ONE_CALL._replace(late=1, retentions=1)),
    "heard": ({"hears": True}, TWO_CALLS),
}
# Minutes each, and gigabytes in all. `model.py --long` explores them.
LONG = {
    "twins, cut, late": ({}, NOTHING._replace(cuts=1, late=1)),
    "a crash, operations late": ({}, ONE_CALL._replace(crashes=1, late=1)),
    "a crash, twins": ({}, NOTHING._replace(crashes=1)),
    "a person gives up, operations late": ({}, ONE_CALL._replace(give_ups=1, late=1)),
    "a person gives up, a crash": ({}, ONE_CALL._replace(give_ups=1, crashes=1)),
    "cancelled, late": ({}, TWO_CALLS._replace(cancels=1, late=1)),
    "cancelled, a crash": ({}, ONE_CALL._replace(cancels=1, crashes=1)),
    "two wishes, given up": ({"wishes": 2}, NOTHING._replace(give_ups=1)),
    "platform_keys first, cut, a crash": (FIRST, ONE_CALL._replace(cuts=1, crashes=1)),
    "platform_keys first, twins": (FIRST, NOTHING._replace(cuts=1)),
    "platform_keys none, a crash": ({"platform": "none"}, NOTHING._replace(crashes=1, late=1)),
    "heard, a crash": ({"hears": True}, TWO_CALLS._replace(crashes=1)),
}

PLANTED = {
    # The store
    "claim ignores the fingerprint": ({"wishes": 2}, NOTHING),
    "claim ignores the lease": ({}, NOTHING),
    "claim overwrites any refusal": ({}, NOTHING._replace(late=1)),
    "claim takes over any token": ({}, NOTHING._replace(late=1)),
    "late claim overwrites its refusal": ({}, ONE_CALL._replace(late=1)),
    "take-over answers claimed": ({}, NOTHING),
    "repetition of a take-over answers claimed": ({}, NOTHING._replace(late=1)),
    "orphan claim inserts": ({}, ONE_CALL._replace(crashes=1)),
    "orphan claim takes the withdrawn": ({}, ONE_CALL._replace(cancels=1, cuts=1)),
    "void ignores the claim": ({}, NOTHING),
    "settle needs the claim": ({}, NOTHING),
    "settle leaves a refusal": ({}, NOTHING._replace(give_ups=1)),
    "settle ignores the fingerprint": ({"wishes": 2}, NOTHING._replace(give_ups=1)),
    "give_up deletes": ({}, ONE_CALL._replace(give_ups=1, late=1)),
    "give_up takes any claim": ({}, NOTHING._replace(give_ups=1)),
    "give_up ignores the lease": ({}, NOTHING._replace(give_ups=1)),
    "heard ignores the claim": ({"hears": True}, TWO_CALLS._replace(crashes=1)),
    "renew ignores the claim": ({}, NOTHING),
    "retention is too short": ({}, ONE_CALL._replace(late=1, retentions=1)),
    # The library
    "not_sent without the void": ({}, ONE_CALL),
    "rejected before the void": ({}, ONE_CALL._replace(crashes=1)),
    "void before the claim's answer": ({}, NOTHING),
    "abandoned take-over is voided": ({}, NOTHING),
    "refusal ends a doubt": ({}, ONE_CALL._replace(cuts=1)),
    "refusals count at once": (FIRST, ONE_CALL._replace(cuts=1)),
    "take-over is not dated": (FIRST, ONE_CALL._replace(crashes=1)),
    "none is sent again": ({"platform": "none"}, ONE_CALL._replace(cuts=1)),
    "no margin": ({}, NOTHING),
    "a doubt is renewed for ever": ({}, ONE_CALL._replace(cuts=1, cancels=1)),
    "nobody takes over": ({}, ONE_CALL._replace(crashes=1)),
    "waits for the dead": ({"takes_over": False}, NOTHING._replace(crashes=1)),
    "given-up call claims again": ({}, ONE_CALL._replace(give_ups=1)),
    "withdrawal ends by flag": ({}, TWO_CALLS._replace(cancels=1, late=1)),
}


def planted(bug):
    options, left = PLANTED[bug]
    return Library(bugs=[bug], **options), left
