"""Links that a merchant sends in a chat: an amount, what for, and how many orders of it may be paid."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct


class LinkStatus(StrEnum):
    """Where a link stands."""

    OPEN = "open"  # -> used_up, closed, expired
    USED_UP = "used_up"  # end   as many orders of it are paid as may be
    CLOSED = "closed"  # end   by its merchant
    EXPIRED = "expired"  # end


class PaymentLink(Struct, frozen=True, kw_only=True):
    """A link as it is kept: it lives in its merchant's slot. Its secret is kept nowhere (`payments.tokens`)."""

    id: UUID
    merchant_id: UUID
    amount_minor: int
    subject: str
    uses_max: int
    expires_at: datetime
    closed_at: datetime | None
    created_at: datetime


class Fate(StrEnum):
    """What became of the order of a use."""

    WAITS = "waits"  # it can be paid
    PAID = "paid"  # or is being paid just now
    OVER = "over"  # it can never be paid any more


class Use(Struct, frozen=True, kw_only=True):
    """One use of a link: the order that it has now. An order that ends unpaid gives its use to the next one."""

    number: int
    order_id: UUID
    person_id: UUID
    fate: Fate


class PaymentLinkView(Struct, frozen=True, kw_only=True):
    """A link at the border. `url` is what is sent; `uses` counts the orders of it that are paid."""

    id: str
    object: Literal["payment_link"] = "payment_link"
    created_at: datetime
    merchant: str
    amount_minor: int
    currency: str
    subject: str
    uses_max: int
    uses: int
    status: LinkStatus
    expires_at: datetime
    closed_at: datetime | None
    url: str
