"""A friend pays: a person's link for somebody else to pay an order that waits."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct


class FriendLinkStatus(StrEnum):
    """Where a link stands, by its own end and its order's state."""

    OPEN = "open"  # -> taken, paid, cancelled, expired
    TAKEN = "taken"  # -> paid, open   somebody is paying the order
    PAID = "paid"  # end   the order is paid, by whoever was first
    CANCELLED = "cancelled"  # end   by who asked
    EXPIRED = "expired"  # end   of its time, or with its order


class FriendLink(Struct, frozen=True, kw_only=True):
    """A link as it is kept: it lives in its order's slot. Its secret is kept nowhere (`payments.tokens`)."""

    id: UUID
    order_id: UUID
    asker_id: UUID
    expires_at: datetime
    cancelled_at: datetime | None
    created_at: datetime


class FriendLinkView(Struct, frozen=True, kw_only=True):
    """A link as who asked reads it. `url` is what is sent; who paid is not told."""

    id: str
    object: Literal["friend_link"] = "friend_link"
    created_at: datetime
    order: str
    merchant: str
    amount_minor: int
    currency: str
    subject: str
    status: FriendLinkStatus
    expires_at: datetime
    cancelled_at: datetime | None
    url: str
