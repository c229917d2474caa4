"""Public events, the endpoints that ask for them and their deliveries."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.base.followers import EventRow


class Audience(StrEnum):
    """Who reads an event: what a merchant may see of an object can be less than what the platform sees."""

    PLATFORM = "platform"
    MERCHANT = "merchant"


class PublicEvent(Struct, frozen=True):
    """One event as callers see it.

    A stored row may tell several; `index` (0..14) is its place there for ever.
    """

    index: int
    type: str
    object_id: UUID
    data: bytes  # the object as the API shows it: a JSON object


Expand = Callable[[EventRow, Audience], Sequence[PublicEvent]]
"""The public events of a row for an audience: pure, the same for ever.

A merchant gets rows of its own only.
"""


class EndpointStatus(StrEnum):
    """What becomes of events for an endpoint."""

    ENABLED = "enabled"  # -> disabled, deleted
    DISABLED = "disabled"  # -> deleted   its receiver answered 410: it wants no more
    DELETED = "deleted"  # end   its deliveries stay readable


class Endpoint(Struct, frozen=True):
    """An address that a caller wants its events sent to.

    merchant_id  whose events; None: those of the whole book, for the platform
    types        only these event types; empty: all
    """

    id: UUID
    book: int
    merchant_id: UUID | None
    url: str
    types: tuple[str, ...]
    status: EndpointStatus
    created_at: datetime

    @property
    def audience(self) -> Audience:
        """As whom it reads events."""
        return Audience.PLATFORM if self.merchant_id is None else Audience.MERCHANT


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"  # -> delivered, dead   also while it is being sent
    DELIVERED = "delivered"  # -> waiting (resend)
    DEAD = "dead"  # -> waiting (resend)   given up after three days, or the endpoint is gone


class Delivery(Struct, frozen=True):
    """One event on its way to one endpoint.

    attempts   how often it was sent in this round (a resend begins a new one)
    due_at     when it is sent next; while it is being sent, the end of the sender's lease
    """

    bucket: int
    id: UUID
    endpoint_id: UUID
    event_seq: int
    event_index: int
    type: str
    object_id: UUID
    status: DeliveryStatus
    attempts: int
    round_began_at: datetime
    due_at: datetime
    created_at: datetime
    ended_at: datetime | None


class Attempt(Struct, frozen=True):
    """One sending: the receiver's status, or why there is none."""

    number: int
    at: datetime
    took_ms: int
    response_status: int | None
    failure: str | None
