"""The signature of webhook requests, against Python's own HMAC: what is signed, what is taken, and what is refused."""

from __future__ import annotations

import hashlib
import hmac
import random
import time

import pbk
import pytest
from completions import ByCallback
from header import STATUS, VERDICT
from samples import SANDBOX, search_request

SECRET = "whsec_0123456789abcdef"
BODY = b'{"account_id":"acct_1","query":{"n":1.50e+2}}'
NOW = 1_705_312_800
INT64_MAX = (1 << 63) - 1


def digest_of(secret: str | bytes, time_text: str, body: bytes) -> str:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, time_text.encode() + b"." + body, hashlib.sha256).hexdigest()


def header_of(secret: str | bytes = SECRET, timestamp: int = NOW, body: bytes = BODY) -> str:
    return f"t={timestamp},v1={digest_of(secret, str(timestamp), body)}"


def verdict(header: pbk.Text, **arguments: object) -> str:
    """On the usual body, at the usual time, unless the arguments say otherwise."""
    given = {"secrets": [SECRET], "body": BODY, "now": NOW, **arguments}
    found = pbk.webhook_verify(header=header, **given)
    return next(name for name, value in VERDICT.items() if value == found)


# The algorithm

VECTORS = {
    "a look-up": (
        SECRET,
        NOW,
        b'{"account_id":"acct_01h2xcejqtf2nbrexx3vqjhp41","customer":{"phone":"+15551234567"}}',
        "ac8ece5303c29bdb8a76e87c9f53d0abb0e7dc8e5fb770dc9f7c9a550e1cb6c1",
    ),
    "a secret beyond ASCII, no body": (
        "whsec_\u00fc\u20ac\U0001f511",
        1,
        b"",
        "df2102c9b5772759e65989ad2356e1a30ac81601e0637b3b01e8fb2aa63f91e9",
    ),
    "a secret longer than a block, every byte": (
        "k" * 200,
        253_402_300_799,
        bytes(range(256)) * 4,
        "98b0d2f2bca6309d9b5f3c291da087f0552bd729d0a942ab2f66284edd649f96",
    ),
}
"""Secret, time, body, and the HMAC-SHA256 of `<time>.<body>` under the UTF-8 bytes of the whole secret."""


@pytest.mark.parametrize(("secret", "timestamp", "body", "digest"), VECTORS.values(), ids=VECTORS)
def test_vectors(secret, timestamp, body, digest):
    header = f"t={timestamp},v1={digest}"
    assert header_of(secret, timestamp, body) == header
    assert pbk.webhook_sign(secret, body, timestamp) == header
    assert verdict(header, secrets=[secret], body=body, now=timestamp) == "VALID"


def test_signatures_are_those_of_python():
    """Bodies of each length to 1000, secrets of each to 200, any bytes in them (a C string's but for NUL)."""
    rng = random.Random(5)
    for length in range(1001):
        body, timestamp = rng.randbytes(length), rng.randint(1, 10**12)
        secret = bytes(rng.randint(1, 255) for _ in range(length % 200 + 1))
        header = pbk.webhook_sign(secret, body, timestamp)
        assert header == header_of(secret, timestamp, body), (secret, timestamp, body)
        assert verdict(header, secrets=[secret], body=body, now=timestamp) == "VALID"
        spoiled = bytearray(body or b"x")
        spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
        assert verdict(header, secrets=[secret], body=bytes(spoiled), now=timestamp) == "SIGNATURE_MISMATCH"


def test_lengths_around_the_blocks_of_the_hash():
    """Each body with each secret."""
    edges = [0, 1, 50, 51, 52, 53, 54, 55, 56, 63, 64, 65, 118, 119, 127, 128, 129]
    for body in (b"\x00" * length for length in edges):
        for secret in (b"\xff" * length for length in edges[1:]):
            assert pbk.webhook_sign(secret, body, NOW) == header_of(secret, NOW, body)


def test_long_body():
    body = random.Random(1).randbytes(3_000_001)
    assert pbk.webhook_sign(SECRET, body, NOW) == header_of(body=body)
    assert verdict(header_of(body=body), body=body) == "VALID"


@pytest.mark.parametrize("body", [b"\x00", b"{}\x00", b"\x00{}", b"a\x00b", b"\xff\xfe", b"\r\n", b"\xef\xbb\xbf{}"])
def test_body_is_bytes(body):
    """Not text: it ends where its length says, and nothing in it is special."""
    assert pbk.webhook_sign(SECRET, body, NOW) == header_of(body=body)
    assert verdict(header_of(body=body), body=body) == "VALID"
    assert verdict(header_of(body=body), body=body.strip(b"\x00\r\n") + b"?") == "SIGNATURE_MISMATCH"


def test_body_ends_where_its_length_says():
    assert pbk.webhook_sign(SECRET, BODY, NOW, length=5) == header_of(body=BODY[:5])
    assert verdict(header_of(body=BODY[:5]), length=5) == "VALID"
    assert verdict(header_of(), length=5) == "SIGNATURE_MISMATCH"


def test_no_body_is_an_empty_one():
    assert pbk.webhook_sign(SECRET, None, NOW) == pbk.webhook_sign(SECRET, b"", NOW) == header_of(body=b"")
    assert verdict(header_of(body=b""), body=None) == "VALID"


def test_many_threads(threads):
    bodies = [random.Random(number).randbytes(number * 7) for number in range(200)]
    signed = threads.map(lambda body: pbk.webhook_sign(SECRET, body, NOW), bodies)
    assert list(signed) == [header_of(body=body) for body in bodies]


def test_from_a_callback(open_client):
    """It waits for nothing, so it may be called there."""
    found = []
    told = ByCallback(lambda _: found.append((pbk.webhook_sign(SECRET, BODY, NOW), verdict(header_of()))))
    client = open_client(SANDBOX)
    told.submit(client, pbk.SEARCH, search_request())
    assert told.next().status == STATUS["OK"]
    assert found == [(header_of(), "VALID")]


# The form of the header

DIGEST = digest_of(SECRET, str(NOW), BODY)
OTHER = "0" * 64

ACCEPTED = {
    "as signed": f"t={NOW},v1={DIGEST}",
    "the other way round": f"v1={DIGEST},t={NOW}",
    "the first of two": f"t={NOW},v1={DIGEST},v1={OTHER}",
    "the second of two": f"t={NOW},v1={OTHER},v1={DIGEST}",
    "the last of five": f"t={NOW},{f'v1={OTHER},' * 4}v1={DIGEST}",
    "before and behind the time": f"v1={OTHER},t={NOW},v1={DIGEST}",
    "twice": f"t={NOW},v1={DIGEST},v1={DIGEST}",
    "beside a shorter one": f"t={NOW},v1=abc,v1={DIGEST}",
    "beside a longer one": f"t={NOW},v1={DIGEST}0,v1={DIGEST}",
    "beside an empty one": f"t={NOW},v1=,v1={DIGEST}",
    "unknown scheme first": f"v0={OTHER},t={NOW},v1={DIGEST}",
    "unknown scheme last": f"t={NOW},v1={DIGEST},v2=anything/at+all==",
    "unknown scheme without a value": f"t={NOW},v2=,v1={DIGEST}",
    "schemes that begin alike": f"t={NOW},v11={OTHER},v1={DIGEST},ts=abc,T=5,V1=x",
}

MALFORMED = {
    "letters behind the time": f"t={NOW}abc,v1={DIGEST}",
    "t=123abc": f"t=123abc,v1={DIGEST}",
    "no time": f"t=,v1={DIGEST}",
    "plus": f"t=+{NOW},v1={DIGEST}",
    "minus": f"t=-{NOW},v1={DIGEST}",
    "fraction": f"t={NOW}.0,v1={DIGEST}",
    "exponent": f"t=1e9,v1={DIGEST}",
    "hexadecimal": f"t=0x10,v1={DIGEST}",
    "digits of another script": f"t=\u0661\u0662\u0663,v1={DIGEST}",
    "space before the time": f"t= {NOW},v1={DIGEST}",
    "space behind the time": f"t={NOW} ,v1={DIGEST}",
    "space behind the comma": f"t={NOW}, v1={DIGEST}",
    "space before all": f" t={NOW},v1={DIGEST}",
    "space behind all": f"t={NOW},v1={DIGEST} ",
    "line break behind all": f"t={NOW},v1={DIGEST}\n",
    "tab": f"t={NOW},\tv1={DIGEST}",
    "space around =": f"t ={NOW},v1={DIGEST}",
    "two times": f"t={NOW},t={NOW},v1={DIGEST}",
    "two times that differ": f"t={NOW},v1={DIGEST},t=1",
    "t missing": f"v1={DIGEST}",
    "v1 missing": f"t={NOW}",
    "only another scheme": f"t={NOW},v2={DIGEST}",
    "T in upper case": f"T={NOW},v1={DIGEST}",
    "V1 in upper case": f"t={NOW},V1={DIGEST}",
    "empty element": f"t={NOW},,v1={DIGEST}",
    "comma first": f",t={NOW},v1={DIGEST}",
    "comma last": f"t={NOW},v1={DIGEST},",
    "commas alone": ",,",
    "no =": f"t={NOW},v1{DIGEST}",
    "a word": f"t={NOW},v1={DIGEST},word",
    "no scheme": f"t={NOW},={DIGEST}",
    "semicolons": f"t={NOW};v1={DIGEST}",
    "a digest alone": DIGEST,
    "a number alone": str(NOW),
    "quotes": f't="{NOW}",v1={DIGEST}',
    "time beyond int64": f"t=9223372036854775808,v1={DIGEST}",
    "time beyond every integer": f"t={'9' * 400},v1={DIGEST}",
    "time with a zero before it": f"t=0{NOW},v1={DIGEST}",
    "not UTF-8": f"t={NOW},v1={DIGEST},x=".encode() + b"\xff",
    "a megabyte": f"t={NOW},v1={DIGEST},x={'x' * 1_000_000}",
}

MISMATCHING = {
    "another digest": f"t={NOW},v1={OTHER}",
    "upper case": f"t={NOW},v1={DIGEST.upper()}",
    "one digit short": f"t={NOW},v1={DIGEST[:-1]}",
    "65 digits": f"t={NOW},v1={DIGEST}0",
    "twice as long": f"t={NOW},v1={DIGEST}{DIGEST}",
    "no digits": f"t={NOW},v1=",
    "not hexadecimal": f"t={NOW},v1={'g' * 64}",
    "under another scheme": f"t={NOW},v1={OTHER},v0={DIGEST}",
    "first digit wrong": f"t={NOW},v1={'0' if DIGEST[0] != '0' else '1'}{DIGEST[1:]}",
    "last digit wrong": f"t={NOW},v1={DIGEST[:-1]}{'0' if DIGEST[-1] != '0' else '1'}",
    "another time": f"t={NOW + 1},v1={DIGEST}",
    "cut short by a NUL": f"t={NOW},v1={DIGEST[:20]}\x00{DIGEST[20:]}",
}


@pytest.mark.parametrize("header", ACCEPTED.values(), ids=ACCEPTED)
def test_header_that_is_accepted(header):
    assert verdict(header) == "VALID"
    assert verdict(header, secrets=["whsec_another"]) == "SIGNATURE_MISMATCH"


@pytest.mark.parametrize("header", MALFORMED.values(), ids=MALFORMED)
def test_header_that_is_malformed(header):
    assert verdict(header) == "SIGNATURE_MALFORMED"


@pytest.mark.parametrize("header", MISMATCHING.values(), ids=MISMATCHING)
def test_header_that_does_not_match(header):
    assert verdict(header) == "SIGNATURE_MISMATCH"


@pytest.mark.parametrize("header", [None, ""], ids=repr)
def test_header_that_is_missing(header):
    assert verdict(header) == "SIGNATURE_MISSING"


def test_every_digit_counts():
    for place in range(64):
        wrong = "0" if DIGEST[place] != "0" else "1"
        assert verdict(f"t={NOW},v1={DIGEST[:place]}{wrong}{DIGEST[place + 1:]}") == "SIGNATURE_MISMATCH"


def test_time_of_one_digit():
    assert verdict(header_of(timestamp=7), now=7) == "VALID"
    assert verdict(header_of(timestamp=0), now=7) == "VALID"


def test_random_headers_are_refused():
    """Made of the pieces that a header is made of, in every order."""
    rng = random.Random(2)
    pieces = ["t", "v1", "=", ",", str(NOW), DIGEST[:32], "0", " ", "v1=", f"t={NOW}", "\x7f", "\u00e9"]
    for _ in range(3000):
        header = "".join(rng.choices(pieces, k=rng.randint(1, 12)))
        assert verdict(header) in ("SIGNATURE_MALFORMED", "SIGNATURE_MISMATCH"), header


# Time


@pytest.mark.parametrize(
    ("age", "tolerance", "expected"),
    [
        (0, 0, "VALID"),
        (300, 0, "VALID"),
        (301, 0, "TIMESTAMP_TOO_OLD"),
        (-300, 0, "VALID"),
        (-301, 0, "TIMESTAMP_IN_FUTURE"),
        (1, 1, "VALID"),
        (2, 1, "TIMESTAMP_TOO_OLD"),
        (-1, 1, "VALID"),
        (-2, 1, "TIMESTAMP_IN_FUTURE"),
        (3600, 3600, "VALID"),
        (3601, 3600, "TIMESTAMP_TOO_OLD"),
        (-3600, 3600, "VALID"),
        (-3601, 3600, "TIMESTAMP_IN_FUTURE"),
        (NOW, INT64_MAX, "VALID"),
        (-10 * NOW, INT64_MAX, "VALID"),
    ],
)
def test_tolerance(age, tolerance, expected):
    assert verdict(header_of(timestamp=NOW - age), tolerance=tolerance) == expected


def test_end_of_time():
    """The largest numbers there are, on either side."""
    assert verdict(header_of(timestamp=1), now=INT64_MAX) == "TIMESTAMP_TOO_OLD"
    assert verdict(header_of(timestamp=1), now=INT64_MAX, tolerance=INT64_MAX) == "VALID"
    assert verdict(header_of(timestamp=999_999_999_999_999), now=1) == "TIMESTAMP_IN_FUTURE"


def test_systems_clock():
    before = int(time.time())
    header = pbk.webhook_sign(SECRET, BODY)
    after = int(time.time())
    assert header in [header_of(timestamp=second) for second in range(before, after + 1)]
    assert verdict(header, now=0) == "VALID"
    # A minute for a machine that is busy with other things.
    assert verdict(header_of(timestamp=before - 361), now=0) == "TIMESTAMP_TOO_OLD"
    assert verdict(header_of(timestamp=before + 361), now=0) == "TIMESTAMP_IN_FUTURE"


def test_time_is_told_only_to_who_has_the_secret():
    """Whoever has not learns that it does not match, be it old or not."""
    for timestamp in (NOW - 10_000, NOW, NOW + 10_000):
        assert verdict(header_of("whsec_another", timestamp)) == "SIGNATURE_MISMATCH"
        assert verdict(f"t={timestamp},v1={OTHER}") == "SIGNATURE_MISMATCH"


def test_form_comes_before_all():
    assert verdict(f"t=1x,v1={OTHER}") == "SIGNATURE_MALFORMED"
    assert verdict(f"t=1x,v1={digest_of(SECRET, '1x', BODY)}") == "SIGNATURE_MALFORMED"


# Secrets


def test_secret_while_one_replaces_the_other():
    old, new = "whsec_old", "whsec_new"
    for signer in (old, new):
        assert verdict(header_of(signer), secrets=[old, new]) == "VALID"
        assert verdict(header_of(signer), secrets=[new, old]) == "VALID"
    assert verdict(header_of(old), secrets=[new]) == "SIGNATURE_MISMATCH"
    both = f"{header_of(old)},v1={digest_of(new, str(NOW), BODY)}"
    for secret in (old, new):
        assert verdict(both, secrets=[secret]) == "VALID"


@pytest.mark.parametrize("place", [0, 7, 15])
def test_sixteen_secrets(place):
    secrets = [f"whsec_{number}" for number in range(16)]
    assert verdict(header_of(secrets[place]), secrets=secrets) == "VALID"
    assert verdict(header_of(), secrets=secrets) == "SIGNATURE_MISMATCH"


@pytest.mark.parametrize("other", [SECRET[:-1], f"{SECRET}0", SECRET.upper(), SECRET.removeprefix("whsec_"), " "])
def test_another_secret(other):
    """It is the whole text that counts, its prefix too."""
    assert verdict(header_of(), secrets=[other]) == "SIGNATURE_MISMATCH"


# Wrong arguments

WRONG = {
    "no secrets": {"secrets": None},
    "no secrets, a count": {"secrets": None, "count": 1},
    "a count of 0": {"count": 0},
    "17 secrets": {"secrets": [SECRET] * 17},
    "a count beyond all": {"count": (1 << 64) - 1},
    "a secret that is NULL": {"secrets": [None]},
    "a second secret that is NULL": {"secrets": [SECRET, None]},
    "an empty secret": {"secrets": [""]},
    "a second secret that is empty": {"secrets": [SECRET, ""]},
    "no body, a length": {"body": None, "length": 1},
    "a negative time": {"now": -1},
    "the most negative time": {"now": -INT64_MAX - 1},
    "a negative tolerance": {"tolerance": -1},
    "the most negative tolerance": {"tolerance": -INT64_MAX - 1},
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("header", [f"t={NOW},v1={DIGEST}", None, "t"], ids=["right", "missing", "malformed"])
def test_wrong_argument(arguments, header):
    """Whatever the header: a platform that passes nonsense has to hear of it on the first request."""
    assert verdict(header, **arguments) == "INVALID_ARGUMENT"


def test_signing_with_wrong_arguments():
    assert pbk.webhook_sign(None, BODY, NOW) is None
    assert pbk.webhook_sign("", BODY, NOW) is None
    assert pbk.webhook_sign(SECRET, None, NOW, length=1) is None
    for timestamp in (-1, -INT64_MAX - 1):
        assert pbk.webhook_sign(SECRET, BODY, timestamp) is None


# Words


def test_every_verdict_has_words_of_its_own():
    words = {name: pbk.webhook_verdict_text(value) for name, value in VERDICT.items()}
    assert all(words.values())
    assert len(set(words.values())) == len(VERDICT) == 7, words


@pytest.mark.parametrize("value", [-1, 7, 99, (1 << 31) - 1, -(1 << 31)])
def test_unknown_verdict_has_words(value):
    words = pbk.webhook_verdict_text(value)
    assert words and words not in {pbk.webhook_verdict_text(known) for known in VERDICT.values()}
