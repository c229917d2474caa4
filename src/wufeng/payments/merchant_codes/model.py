"""Codes that a merchant shows: one on paper for everybody, and one of each order on a screen."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct


class CodeStatus(StrEnum):
    """Where a merchant's code stands."""

    OPEN = "open"  # -> closed
    CLOSED = "closed"  # end   whoever scans it is told


class MerchantCode(Struct, frozen=True, kw_only=True):
    """A static code as it is kept: it lives in its merchant's slot.

    label         where it hangs: a till, a table
    subject       what the payer reads that it is for; None: the label
    amount_minor  what everybody pays; None: whoever pays keys it in
    closed_at     since when it takes no payment
    """

    id: UUID
    merchant_id: UUID
    label: str
    subject: str | None
    amount_minor: int | None
    closed_at: datetime | None
    created_at: datetime

    @property
    def status(self) -> CodeStatus:
        """Open, or closed for good."""
        return CodeStatus.OPEN if self.closed_at is None else CodeStatus.CLOSED


class MerchantCodeView(Struct, frozen=True, kw_only=True):
    """A static code at the border. `url` opens the pay page in any phone; `emv` is the text of the code for wallets."""

    id: str
    object: Literal["merchant_code"] = "merchant_code"
    created_at: datetime
    merchant: str
    label: str
    subject: str | None
    amount_minor: int | None
    currency: str
    status: CodeStatus
    closed_at: datetime | None
    url: str
    emv: str


class OrderCodeView(Struct, frozen=True, kw_only=True):
    """The code of one order: the same two texts, and both drawn."""

    object: Literal["order_code"] = "order_code"
    order: str
    url: str
    emv: str
    url_svg: str
    emv_svg: str
