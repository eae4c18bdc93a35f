"""libpartnerbooking for Python: searches and books appointments through the Partner API.

    import partnerbooking as pb

    with pb.Client(endpoint="sandbox") as client:
        start, end = "2030-01-14T09:00:00-05:00", "2030-01-14T17:00:00-05:00"
        found = client.search_availability(pb.SearchAvailabilityRequest(bot_id, start, end))

The calls of `Client` block, those of `AsyncClient` are awaited. docs/python.md shows both from the
start.
"""

from . import errors, ledgers, voice, webhook
from ._bindings import path as library_path
from ._bindings import pbk_version as _pbk_version
from ._ledger import AsyncLedger, Ledger
from ._version import __version__
from .aio import AsyncClient
from .client import Client
from .configuration import Configuration
from .conversation import AsyncConversation, Conversation, OfferedSlot, ToolResult
from .ended import CallEnded
from .errors import *  # noqa: F403
from .keys import booking_key, random_key
from .settled import Settled
from .stats import CallStats, Stats, ToolStats
from .values import (
    Appointment,
    Availability,
    CallOptions,
    CreateBookingReply,
    CreateBookingRequest,
    Customer,
    Doubt,
    DoubtAnswer,
    Existing,
    GiveUpReply,
    KnownCustomer,
    LookupCustomerReply,
    LookupCustomerRequest,
    PendingBooking,
    SearchAvailabilityReply,
    SearchAvailabilityRequest,
)


def library_version() -> str:
    """Returns the version of the loaded library."""
    version: bytes = _pbk_version()
    return version.decode()


__all__ = [
    "Appointment",
    "AsyncClient",
    "AsyncConversation",
    "AsyncLedger",
    "Availability",
    "CallEnded",
    "CallOptions",
    "CallStats",
    "Client",
    "Configuration",
    "Conversation",
    "CreateBookingReply",
    "CreateBookingRequest",
    "Customer",
    "Doubt",
    "DoubtAnswer",
    "Existing",
    "GiveUpReply",
    "KnownCustomer",
    "Ledger",
    "LookupCustomerReply",
    "LookupCustomerRequest",
    "OfferedSlot",
    "PendingBooking",
    "SearchAvailabilityReply",
    "SearchAvailabilityRequest",
    "Settled",
    "Stats",
    "ToolResult",
    "ToolStats",
    "__version__",
    "booking_key",
    "ledgers",
    "library_path",
    "library_version",
    "random_key",
    "voice",
    "webhook",
    *errors.__all__,
]
