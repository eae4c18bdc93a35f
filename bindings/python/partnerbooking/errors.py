"""The exceptions: one subclass of `Error` for each code of the library.

docs/errors.md describes what a voice bot should do on each. Most bots need three members only:
`outcome`, `retryable` and `field`.
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
    """A call that failed. docs/json-contract.md describes the members, which are those of the
    reply's `error`."""

    def __init__(self, pbk_status: int, json: bytes) -> None:
        # Both stay in `args`, so that an error can be pickled and can leave a process pool.
        super().__init__(pbk_status, json)
        self.pbk_status = pbk_status
        """The number of the status, for metrics. May be one that this package does not know."""
        self.json = json
        """The reply, byte for byte."""

    @classmethod
    def of(cls, pbk_status: int, json: bytes) -> Error:
        """Returns an error of the class for the status."""
        return _class_of(pbk_status)(pbk_status, json)

    @cached_property
    def members(self) -> dict[str, Any]:
        """All members of the reply's `error`."""
        return cast("dict[str, Any]", parsed(self.json)["error"])

    @property
    def code(self) -> str:
        """The stable name of the error. The service's own code if the service answered."""
        return str(self.members["code"])

    @property
    def message(self) -> str:
        """One sentence for a log.

        The library's own messages never contain the API key or the caller's words. A service's may.
        """
        return str(self.members["message"])

    @property
    def status(self) -> int | None:
        """The HTTP status. None when there was none."""
        return cast("int | None", self.members["status"])

    @property
    def source(self) -> Source:
        """The side at fault: `caller`, `library`, `network`, `partner_api` or `platform`."""
        return cast("Source", self.members["source"])

    @property
    def retryable(self) -> bool:
        """True when the same call may succeed later. Repeat a booking with the same key."""
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
        """The kind of mistake, such as `no_offset`. For `InvalidField` and `InvalidJSON` only."""
        return cast("str | None", self.members.get("kind"))

    @property
    def request_id(self) -> str | None:
        return cast("str | None", self.members["request_id"])

    @property
    def outcome(self) -> Outcome | None:
        """The outcome of a failed booking. None for any other call.

        - `not_sent`: nothing was sent under the key, so nothing was booked.
        - `rejected`: every request under the key was refused, so nothing was booked.
        - `unknown`: it may be booked. Repeat with the same key, never with a new one.
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
        """The times of the parts of an accepted call. None for a call that was not accepted."""
        return cast("dict[str, Any] | None", self.members.get("timing"))

    @cached_property
    def doubt(self) -> Doubt | None:
        """The age and last answer of a booking in doubt. Set only with `InDoubt`, else None."""
        found = self.members.get("doubt")
        return None if found is None else doubt(found)

    @cached_property
    def existing(self) -> Existing | None:
        """The booking that has the key already. Set with `IdempotencyKeyReused`, else None."""
        found = self.members.get("existing")
        return None if found is None else existing(found)

    @property
    def reply(self) -> Any:
        """The platform's whole answer. None when there is none.

        `NotConfirmed`, `OtherBooking` and every refusal have it, if it is JSON. It may name the
        customer. Keep it out of logs.
        """
        return self.members.get("reply")

    def __str__(self) -> str:
        outcome = f" (outcome: {self.outcome})" if self.outcome else ""
        return f"{self.code}: {self.message}{outcome}"

    def __repr__(self) -> str:
        """Returns a text without the reply. The reply may name the customer, and tracebacks go to
        logs."""
        return f"<{type(self).__name__} {self}>"


# One class for each side at fault, by the ranges of pbk_status.


class CallerError(Error):
    """An error on the caller's side. The same call fails again until it is corrected."""


class LibraryError(Error):
    """An error of the library or of this machine."""


class NetworkError(Error):
    """An error on the network, on the way to the service."""


class ReplyError(Error):
    """The reply is not a success, or it is unknown if the booking was made."""


class ServiceError(Error):
    """The service refused or failed. `code` and `message` are its own. Without a code of its own,
    `code` is `http_error`."""


class InvalidArgument(CallerError):
    """A text is longer than its limit."""


class InvalidClient(CallerError):
    """The handle never came from the library."""


class ClientClosed(CallerError):
    """The client was closed before or during the call, or it belongs to the parent of a fork."""


class InvalidConfig(CallerError):
    """A member of the configuration is wrong. `field` names it."""


class InvalidJSON(CallerError):
    """The request is not JSON."""


class InvalidField(CallerError):
    """A member of the request is missing or wrong. `field` names it."""


class Cancelled(CallerError):
    """The call was cancelled, but not through its task: a task gets `asyncio.CancelledError`."""


class WouldDeadlock(CallerError):
    """A blocking function was called from a callback. Cannot happen with this package, which has
    no such callbacks."""


class IdempotencyKeyReused(CallerError):
    """The key belongs to another booking. `existing` contains its state and its start.

    Nothing was sent for this request. The outcome is `unknown`, because the key's booking is made
    or may be made. Call `resume` with the key for the reply of that booking. Use a new key only for
    a second appointment.
    """


class NotRecorded(CallerError):
    """`resume` or `give_up` got a key under which no booking is recorded.

    `outcome` is `not_sent` or `rejected` after a `resume` of a booking that ended so. That booking
    was not made, and its key is free. `outcome` is `unknown` for a key that the library does not
    know.
    """


class UnsupportedOperation(CallerError):
    """The endpoint has no such operation. The Partner API cannot look up customers."""


class UnknownBot(CallerError):
    """`platforms` does not name the bot."""


class NoWebhook(CallerError):
    """`platforms` has no `webhook_url` for the bot."""


class AccountChanged(CallerError):
    """The booking in doubt was sent with another account than its bot has now."""


class UnknownTimeZone(CallerError):
    """There is no such time zone, or its file is damaged."""


class TimeUnclear(CallerError):
    """A text about a time is not understood. `field` names it, and `reason` contains the cause."""

    @property
    def reason(self) -> str:
        """The cause: `not_understood`, `no_such_time`, `past` or `contradictory`."""
        return str(self.members["reason"])


class PhoneUnclear(CallerError):
    """A text is not understood as a phone number. `reason` contains the cause."""

    @property
    def reason(self) -> str:
        """The cause: `too_short`, `too_long`, `no_digits`, `no_region`, `not_understood`,
        `ambiguous` or `no_such_number`."""
        return str(self.members["reason"])

    @property
    def digits_heard(self) -> int | None:
        """Digits in the text. Set with `too_short` and `too_long`, as `digits_wanted` is."""
        return cast("int | None", self.members.get("digits_heard"))

    @property
    def digits_wanted(self) -> int | None:
        return cast("int | None", self.members.get("digits_wanted"))


class QueueFull(LibraryError):
    """The queue is full: `max_in_flight` + `max_queued` calls are outstanding."""


class ResourceUnavailable(LibraryError):
    """Out of memory, threads or descriptors."""


class JournalUnavailable(LibraryError):
    """The journal could not be opened, or could not record the booking."""


class JournalLocked(LibraryError):
    """Another client, in this process or another, has the journal open."""


class CircuitOpen(LibraryError):
    """The circuit breaker is open, because too many attempts in a row failed. Nothing is sent for
    `retry_after_ms`."""


class LedgerFull(LibraryError):
    """Too many bookings at this service are in doubt or in flight. The booking was not sent.

    Bookings with known keys and calls to other services go on. `pending_bookings` lists the
    bookings in doubt. Settle them with `resume`, or end them with `give_up`.
    """


class Timeout(NetworkError):
    """No definite answer came within `timeout_ms`."""


class DNSFailed(NetworkError):
    """The host name did not resolve."""


class ConnectFailed(NetworkError):
    """No connection could be made."""


class TLSFailed(NetworkError):
    """The TLS handshake failed, or the certificate is not trusted. `message` contains the cause."""


class ConnectionLost(NetworkError):
    """The connection broke after it was made."""


class ProxyFailed(NetworkError):
    """The proxy's name did not resolve, or the proxy refused."""


class AddressRefused(NetworkError):
    """The webhook's host has a private address, and `private_hosts` does not name it."""


class InvalidReply(ReplyError):
    """The reply is not JSON, or does not have the promised outer shape."""


class ReplyTooLarge(ReplyError):
    """The reply is longer than `max_reply_bytes`."""


class NotConfirmed(ReplyError):
    """The platform lists the booking as declined or cancelled, for example. There is no
    appointment."""


class OtherBooking(ReplyError):
    """The reply has another start than the request. The requested booking may exist."""


class InDoubt(ReplyError):
    """The booking was sent, and it is unknown if it was made. `doubt` contains the last answer.

    Repeat it with the same key, never with a new one. The library keeps asking for at most
    `settle_for_ms`.
    """


class Unauthorized(ServiceError):
    """HTTP 401 or 403. The API key, the bot or the signature is not accepted."""


class SlotUnavailable(ServiceError):
    """The slot is taken, and nothing was booked. Offer another slot."""


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
"""The classes by `pbk_status`."""

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
    """Returns the name of a `pbk_status` without its prefix, such as `timeout`. Returns `other` for
    an unknown status."""
    return _WORDS.get(pbk_status, "other")
