"""Checkout sessions: the hosted page of one order."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct


class CheckoutStatus(StrEnum):
    """Where a session stands, by its own end and its order's state."""

    OPEN = "open"  # -> complete, expired, cancelled
    COMPLETE = "complete"  # end   its order is paid
    EXPIRED = "expired"  # end   of its time, by its merchant, or with its order
    CANCELLED = "cancelled"  # end   by a person who had the page: the order waits for another


class CheckoutSession(Struct, frozen=True, kw_only=True):
    """A session as it is kept: it lives in its order's slot.

    tenors                  the monthly instalments that may be chosen; 1 is the next bill
    merchant_fee_share_ppm  of the instalment fee, carried by the merchant
    cancel_url              where somebody goes who does not pay; None: the return_url
    expired_at              ended before its time by the merchant; cancelled_at: by a person
    """

    id: UUID
    merchant_id: UUID
    order_id: UUID
    return_url: str
    tenors: tuple[int, ...]
    merchant_fee_share_ppm: int
    expired_at: datetime | None
    expires_at: datetime
    created_at: datetime
    cancel_url: str | None = None
    cancelled_at: datetime | None = None

    def is_live(self, at: datetime) -> bool:
        """Whether it still binds what its order may be paid from."""
        return self.expired_at is None and self.cancelled_at is None and at < self.expires_at


class Bounds(Struct, frozen=True):
    """What a live session binds: the tenors that may be chosen, and the merchant's share of their fee."""

    tenors: tuple[int, ...]
    merchant_share_ppm: int


class CheckoutView(Struct, frozen=True, kw_only=True):
    """A session at the border. `url` is where the person goes."""

    id: str
    object: Literal["checkout_session"] = "checkout_session"
    created_at: datetime
    status: CheckoutStatus
    merchant: str
    order: str
    url: str
    return_url: str
    cancel_url: str | None
    tenors: tuple[int, ...]
    merchant_fee_share_ppm: int
    expires_at: datetime
