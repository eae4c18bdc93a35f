"""What can go wrong: one exception for each code of the library, all of them `Error`.

docs/errors.md tells what a voice bot should do on each. Most need to look at three members only: `outcome`,
`retryable`, `field`.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, cast

from .values import Doubt, Existing, Outcome, Source, doubt, existing, parsed

__all__ = [
    "AccountChanged",
    "AddressRefused",
    "CallerError",
    "Cancelled",
    "CircuitOpen",
    "ClientClosed",
    "ConnectFailed",
    "ConnectionLost",
    "DNSFailed",
    "Error",
    "IdempotencyKeyReused",
    "InDoubt",
    "InvalidArgument",
    "InvalidClient",
    "InvalidConfig",
    "InvalidField",
    "InvalidJSON",
    "InvalidReply",
    "JournalLocked",
    "JournalUnavailable",
    "LedgerFull",
    "LibraryError",
    "NetworkError",
    "NoWebhook",
    "NotConfirmed",
    "NotRecorded",
    "OtherBooking",
    "PhoneUnclear",
    "ProxyFailed",
    "QueueFull",
    "RateLimited",
    "Refused",
    "ReplyError",
    "ReplyTooLarge",
    "ResourceUnavailable",
    "ServiceError",
    "ServiceFailed",
    "SlotUnavailable",
    "TLSFailed",
    "TimeUnclear",
    "Timeout",
    "Unauthorized",
    "UnknownBot",
    "UnknownTimeZone",
    "UnsupportedOperation",
    "WouldDeadlock",
]


class Error(Exception):
    """A call that failed. Its members are those of the reply's `error`, described in docs/json-contract.md."""

    def __init__(self, pbk_status: int, json: bytes) -> None:
        # Both stay in `args`, so that an error survives pickling, on its way out of a process pool.
        super().__init__(pbk_status, json)
        self.pbk_status = pbk_status
        """The number of the status, for metrics. One that this package does not know is an `Error` all the same."""
        self.json = json
        """The reply, byte for byte."""

    @classmethod
    def of(cls, pbk_status: int, json: bytes) -> Error:
        """The error of the class that the status asks for."""
        return _class_of(pbk_status)(pbk_status, json)

    @cached_property
    def members(self) -> dict[str, Any]:
        """Everything that the reply's `error` holds."""
        return cast("dict[str, Any]", parsed(self.json)["error"])

    @property
    def code(self) -> str:
        """What happened, stable; the service's own word when the service answered."""
        return str(self.members["code"])

    @property
    def message(self) -> str:
        """One sentence for a log. Never holds the key or what the caller told, unless a service says it."""
        return str(self.members["message"])

    @property
    def status(self) -> int | None:
        """The HTTP status, when there was one."""
        return cast("int | None", self.members["status"])

    @property
    def source(self) -> Source:
        """Whose fault it is: `caller`, `library`, `network`, `partner_api` or `platform`."""
        return cast("Source", self.members["source"])

    @property
    def retryable(self) -> bool:
        """Whether the same call may succeed later; a booking with the same key."""
        return bool(self.members["retryable"])

    @property
    def attempts(self) -> int:
        return int(self.members["attempts"])

    @property
    def field(self) -> str | None:
        """The member to correct, as a path: `booking.customer.phone`."""
        return cast("str | None", self.members["field"])

    @property
    def kind(self) -> str | None:
        """The kind of mistake, such as `no_offset`; of `InvalidField` and `InvalidJSON` only."""
        return cast("str | None", self.members.get("kind"))

    @property
    def request_id(self) -> str | None:
        return cast("str | None", self.members["request_id"])

    @property
    def outcome(self) -> Outcome | None:
        """Returns what a failed booking means. None for any other call.

        - `not_sent`: nothing was sent under the key, so nothing was booked.
        - `rejected`: every request under the key was refused, so nothing was booked.
        - `unknown`: it may have been booked. Repeat with the same key, never with a new one.
        """
        return cast("Outcome | None", self.members.get("outcome"))

    @property
    def idempotency_key(self) -> str | None:
        return cast("str | None", self.members.get("idempotency_key"))

    @property
    def tag(self) -> str | None:
        return cast("str | None", self.members.get("tag"))

    @property
    def retry_after_ms(self) -> int | None:
        return cast("int | None", self.members.get("retry_after_ms"))

    @property
    def timing(self) -> dict[str, Any] | None:
        """Where the time of a call went that was accepted."""
        return cast("dict[str, Any] | None", self.members.get("timing"))

    @cached_property
    def doubt(self) -> Doubt | None:
        """Returns what is open about a booking in doubt. None for every error but `InDoubt`."""
        found = self.members.get("doubt")
        return None if found is None else doubt(found)

    @cached_property
    def existing(self) -> Existing | None:
        """Returns the booking that has the key already. None for every error but `IdempotencyKeyReused`."""
        found = self.members.get("existing")
        return None if found is None else existing(found)

    @property
    def reply(self) -> Any:
        """The platform's whole answer. None when there is none.

        `NotConfirmed`, `OtherBooking` and every refusal have it, if it is JSON. It may name the customer: keep it out
        of logs.
        """
        return self.members.get("reply")

    def __str__(self) -> str:
        outcome = f" (outcome: {self.outcome})" if self.outcome else ""
        return f"{self.code}: {self.message}{outcome}"

    def __repr__(self) -> str:
        """Without the reply: it may name the customer, and a traceback ends in a log."""
        return f"<{type(self).__name__} {self}>"


# Whose fault it is, by the ranges of pbk_status.


class CallerError(Error):
    """The caller's side. The same call fails again until it is corrected."""


class LibraryError(Error):
    """The library or this machine."""


class NetworkError(Error):
    """The way to the service."""


class ReplyError(Error):
    """The reply is not a success, or it is open whether the booking was made."""


class ServiceError(Error):
    """The service said no. `code` and `message` are its own words, or `code` is `http_error` when it gave none."""


class InvalidArgument(CallerError):
    """A text is longer than its limit."""


class InvalidClient(CallerError):
    """The handle never came from the library."""


class ClientClosed(CallerError):
    """The client was closed before the call, or while it was under way; or it is another process's, before a fork."""


class InvalidConfig(CallerError):
    """A member of the configuration is wrong; `field` names it."""


class InvalidJSON(CallerError):
    """The request is not JSON."""


class InvalidField(CallerError):
    """A member of the request is missing or wrong; `field` names it."""


class Cancelled(CallerError):
    """The call was cancelled by other means than its task, whose `asyncio.CancelledError` comes first."""


class WouldDeadlock(CallerError):
    """A function that waits was called from a callback. Cannot happen through this package, which has none."""


class IdempotencyKeyReused(CallerError):
    """The key belongs to another booking. `existing` says which state that has, and when it starts.

    Nothing was sent for this request. The outcome is `unknown`: it is that of the key, whose booking may be made or is
    made. Call `resume` with the key for the reply of that booking. Use a new key only for a second appointment.
    """


class NotRecorded(CallerError):
    """`resume` or `give_up` of a key under which no booking is recorded.

    `outcome` is `not_sent` or `rejected` after a `resume` of a booking that ended so: it was not made, and its key is
    free. It is `unknown` for a key that the library does not know.
    """


class UnsupportedOperation(CallerError):
    """The endpoint has no such operation: the Partner API looks up no customers."""


class UnknownBot(CallerError):
    """`platforms` does not name the bot."""


class NoWebhook(CallerError):
    """`platforms` has no `webhook_url` for the bot."""


class AccountChanged(CallerError):
    """The booking in doubt was sent in another account than its bot has now."""


class UnknownTimeZone(CallerError):
    """There is no such time zone, or its file is damaged."""


class TimeUnclear(CallerError):
    """A text about a time is not understood; `field` names it, and `reason` says why."""

    @property
    def reason(self) -> str:
        """`not_understood`, `no_such_time`, `past` or `contradictory`."""
        return str(self.members["reason"])


class PhoneUnclear(CallerError):
    """A text is no phone number that is understood. `reason` says why."""

    @property
    def reason(self) -> str:
        """`too_short`, `too_long`, `no_digits`, `no_region`, `not_understood`, `ambiguous` or `no_such_number`."""
        return str(self.members["reason"])

    @property
    def digits_heard(self) -> int | None:
        """Digits in the text. Set with `too_short` and `too_long`, as is `digits_wanted`."""
        return cast("int | None", self.members.get("digits_heard"))

    @property
    def digits_wanted(self) -> int | None:
        return cast("int | None", self.members.get("digits_wanted"))


class QueueFull(LibraryError):
    """As many calls as `max_in_flight` and `max_queued` allow are under way."""


class ResourceUnavailable(LibraryError):
    """Out of memory, threads or descriptors."""


class JournalUnavailable(LibraryError):
    """The journal could not be opened, or did not take the booking."""


class JournalLocked(LibraryError):
    """Another client, in this process or another, has the journal open."""


class CircuitOpen(LibraryError):
    """The service failed too often in a row, and is left alone for a moment."""


class LedgerFull(LibraryError):
    """Too many bookings at this service are in doubt or in flight. The booking was not sent.

    Known keys and other services go on. `pending_bookings` lists the doubts. Settle them by `resume`, or end them by
    `give_up`.
    """


class Timeout(NetworkError):
    """No definite answer came within `timeout_ms`."""


class DNSFailed(NetworkError):
    """The host name did not resolve."""


class ConnectFailed(NetworkError):
    """No connection could be made."""


class TLSFailed(NetworkError):
    """The TLS handshake failed, or the certificate is not to be trusted; `message` says why."""


class ConnectionLost(NetworkError):
    """The connection broke after it was made."""


class ProxyFailed(NetworkError):
    """The proxy's name did not resolve, or it refused."""


class AddressRefused(NetworkError):
    """The webhook's host has a private address, and `private_hosts` does not name it."""


class InvalidReply(ReplyError):
    """Not JSON, or not of the promised outer shape."""


class ReplyTooLarge(ReplyError):
    """Longer than `max_reply_bytes`."""


class NotConfirmed(ReplyError):
    """The platform has the booking as declined, cancelled or the like. There is no appointment."""


class OtherBooking(ReplyError):
    """The reply is about a booking with another start than the one asked for. The booking may have been made."""


class InDoubt(ReplyError):
    """The booking was sent, and nobody knows whether it was made; `doubt` says what is open.

    Repeat it with the same key, never with a new one. The library goes on to ask, for at most `settle_for_ms`.
    """


class Unauthorized(ServiceError):
    """HTTP 401 or 403: the API key, the bot or the signature is not accepted."""


class SlotUnavailable(ServiceError):
    """Somebody else has the slot, and nothing was booked. Offer another."""


class Refused(ServiceError):
    """Any other HTTP 3xx or 4xx."""


class RateLimited(ServiceError):
    """HTTP 429, also after the retries."""


class ServiceFailed(ServiceError):
    """HTTP 5xx, also after the retries."""


BY_STATUS: dict[int, type[Error]] = {
    1: InvalidArgument,
    2: InvalidClient,
    3: ClientClosed,
    4: InvalidConfig,
    5: InvalidJSON,
    6: InvalidField,
    7: Cancelled,
    8: WouldDeadlock,
    9: IdempotencyKeyReused,
    10: NotRecorded,
    11: UnsupportedOperation,
    12: UnknownBot,
    13: NoWebhook,
    14: AccountChanged,
    15: UnknownTimeZone,
    16: TimeUnclear,
    17: PhoneUnclear,
    20: QueueFull,
    21: ResourceUnavailable,
    22: JournalUnavailable,
    23: JournalLocked,
    24: CircuitOpen,
    25: LedgerFull,
    40: Timeout,
    41: DNSFailed,
    42: ConnectFailed,
    43: TLSFailed,
    44: ConnectionLost,
    45: ProxyFailed,
    46: AddressRefused,
    60: InvalidReply,
    61: ReplyTooLarge,
    62: NotConfirmed,
    63: OtherBooking,
    64: InDoubt,
    80: Unauthorized,
    81: SlotUnavailable,
    82: Refused,
    83: RateLimited,
    84: ServiceFailed,
}
"""By `pbk_status`."""

RANGES: list[tuple[int, type[Error]]] = [
    (80, ServiceError),
    (60, ReplyError),
    (40, NetworkError),
    (20, LibraryError),
    (1, CallerError),
]
"""The first status of each range, for statuses that a newer library may have."""


def _class_of(pbk_status: int) -> type[Error]:
    if pbk_status in BY_STATUS:
        return BY_STATUS[pbk_status]
    return next((found for first, found in RANGES if pbk_status >= first), Error)


def _snake(name: str) -> str:
    return re.sub("(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


_WORDS = {0: "ok", **{status: _snake(found.__name__) for status, found in BY_STATUS.items()}}


def word(pbk_status: int) -> str:
    """Returns the name of a `pbk_status` without its prefix: `ok`, `timeout`. `other` for one that
    is not known."""
    return _WORDS.get(pbk_status, "other")
