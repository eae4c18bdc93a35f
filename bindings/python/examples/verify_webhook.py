"""A platform verifies what arrives at its webhook, before anything parses it."""

from __future__ import annotations

from partnerbooking import webhook

SECRETS = ["whsec_new", "whsec_old"]  # two while one replaces the other


def status_for(signature_header: str | None, body: bytes) -> int:
    """The HTTP status to answer with."""
    try:
        webhook.verify(SECRETS, signature_header, body)
    except webhook.InvalidSignature as reason:
        print(f"refused: {reason}")
        return 401
    return 200


body = b'{"account_id":"acct_7","customer":{"phone":"+15551234567"}}'
assert status_for(webhook.sign("whsec_old", body), body) == 200
assert status_for(webhook.sign("whsec_other", body), body) == 401
assert status_for(None, body) == 401
