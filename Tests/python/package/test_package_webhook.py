"""Signatures of webhooks, verified and made."""

from __future__ import annotations

import pytest
from python_package import pb

BODY = b'{"account_id":"acct_7","nul":"\0"}'


def test_a_signature_is_verified():
    header = pb.webhook.sign("whsec_1", BODY)
    for secrets in ("whsec_1", b"whsec_1", ["whsec_2", "whsec_1"]):
        pb.webhook.verify(secrets, header, BODY)
    pb.webhook.verify("whsec_1", pb.webhook.sign("whsec_1", b"", 1000), b"", now=1300)


def part_of_a_buffer(body: bytes) -> memoryview:
    return memoryview(bytearray(body * 2))[: len(body)]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, part_of_a_buffer])
def test_a_body_may_be_any_buffer(kind):
    """A server may read into a buffer of its own. No byte is read twice differently."""
    header = pb.webhook.sign("whsec_1", kind(BODY), 1000)
    assert header == pb.webhook.sign("whsec_1", BODY, 1000)
    pb.webhook.verify("whsec_1", header, kind(BODY), now=1000)
    with pytest.raises(pb.webhook.InvalidSignature):
        pb.webhook.verify("whsec_1", header, kind(BODY + b" "), now=1000)


@pytest.mark.parametrize("body", ["{}", None, [1]])
def test_a_body_that_is_no_buffer_is_refused_by_name(body):
    with pytest.raises(TypeError, match=f"not {type(body).__name__}"):
        pb.webhook.verify("whsec_1", "t=1,v1=00", body)


@pytest.mark.parametrize(
    ("verdict", "different"),
    [
        ("SIGNATURE_MISSING", {"signature_header": None}),
        ("SIGNATURE_MALFORMED", {"signature_header": "v1=00"}),
        ("SIGNATURE_MALFORMED", {"signature_header": pb.webhook.sign("whsec_1", BODY, 1000) + "\0x"}),
        ("SIGNATURE_MALFORMED", {"signature_header": "t=1000,v1=\ud83d"}),
        ("SIGNATURE_MISMATCH", {"body": BODY + b" "}),
        ("SIGNATURE_MISMATCH", {"body": BODY[: BODY.index(b"\0")]}),
        ("SIGNATURE_MISMATCH", {"secrets": "whsec_2"}),
        ("TIMESTAMP_TOO_OLD", {"now": 1301}),
        ("TIMESTAMP_TOO_OLD", {"now": 1011, "tolerance_seconds": 10}),
        ("TIMESTAMP_IN_FUTURE", {"now": 699}),
    ],
)
def test_what_is_not_genuine_is_refused_with_the_reason(verdict, different):
    valid = {
        "secrets": "whsec_1",
        "signature_header": pb.webhook.sign("whsec_1", BODY, 1000),
        "body": BODY,
        "now": 1000,
    }
    pb.webhook.verify(**valid)
    with pytest.raises(pb.webhook.InvalidSignature) as refused:
        pb.webhook.verify(**{**valid, **different})
    assert refused.value.verdict is pb.webhook.Verdict[verdict]
    assert str(refused.value)
    assert repr(refused.value) == f"InvalidSignature({verdict}: {refused.value})"


def test_a_verdict_of_a_newer_library_refuses_as_well():
    assert pb.webhook.InvalidSignature(77).verdict is None


@pytest.mark.parametrize("secrets", [[], "", ["whsec_1", ""], ["x"] * 17, "a\0b"])
def test_wrong_secrets_are_the_callers_fault(secrets):
    with pytest.raises(ValueError):
        pb.webhook.verify(secrets, pb.webhook.sign("whsec_1", BODY), BODY)


@pytest.mark.parametrize(("secret", "timestamp"), [("", 0), ("a\0b", 0), ("whsec_1", 10**16)])
def test_what_cannot_be_signed(secret, timestamp):
    with pytest.raises(ValueError):
        pb.webhook.sign(secret, BODY, timestamp)
