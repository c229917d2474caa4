"""What is kept about merchants."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

PPM = 1_000_000


class Scene(StrEnum):
    """Where a payment happens (API.md, scenes). The later ones are never paid with credit."""

    GROCERY = "grocery"
    CATERING = "catering"
    RETAIL = "retail"
    APPLIANCE = "appliance"
    HOME = "home"
    TRANSPORT = "transport"
    TRAVEL = "travel"
    HOTEL = "hotel"
    EDUCATION = "education"
    MEDICAL = "medical"
    UTILITY = "utility"
    TELECOM = "telecom"
    ENTERTAINMENT = "entertainment"
    DIGITAL = "digital"
    SUBSCRIPTION = "subscription"
    SERVICE = "service"
    CHARITY = "charity"
    TRANSFER = "transfer"
    TOP_UP = "top_up"
    WEALTH = "wealth"
    SECURITIES = "securities"
    PROPERTY = "property"
    LOTTERY = "lottery"
    LOAN_REPAYMENT = "loan_repayment"
    PREPAID_CARD = "prepaid_card"
    RED_PACKET = "red_packet"


NEVER_CREDITABLE = frozenset(
    {
        Scene.TRANSFER,
        Scene.TOP_UP,
        Scene.WEALTH,
        Scene.SECURITIES,
        Scene.PROPERTY,
        Scene.LOTTERY,
        Scene.LOAN_REPAYMENT,
        Scene.PREPAID_CARD,
        Scene.RED_PACKET,
    }
)
"""Scenes that credit may not pay for, whatever a product says (PRODUCTS.md: no cash-out, no speculation)."""


class MerchantStatus(StrEnum):
    """Where a merchant stands."""

    ACTIVE = "active"  # -> closed
    CLOSED = "closed"  # end   takes no payment any more; refunds and reading go on


class FeePlan(Struct, frozen=True, forbid_unknown_fields=True):
    """What a merchant pays: millionths of each payment."""

    rate_ppm: int


class Merchant(Struct, frozen=True, kw_only=True):
    """Who sells. `return_origins`: where its checkouts may send people back to; none: anywhere by https."""

    id: UUID
    book_id: int
    name: str
    scene: Scene
    fee_plan: FeePlan
    status: MerchantStatus
    created_at: datetime
    closed_at: datetime | None = None
    return_origins: tuple[str, ...] = ()


class MerchantView(Struct, frozen=True, kw_only=True):
    """A merchant as the API shows it; `api_key` only in the answer that makes it, once."""

    id: str
    object: Literal["merchant"] = "merchant"
    name: str
    scene: Scene
    fee_plan: FeePlan
    status: MerchantStatus
    created_at: datetime
    closed_at: datetime | None
    return_origins: tuple[str, ...]
    api_key: str | UnsetType = UNSET

    def __repr__(self) -> str:
        return f"MerchantView({self.id})"
