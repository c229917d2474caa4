"""Offers are prices before anybody is known; a quote is the priced ways to pay one thing, good for fifteen minutes."""

from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.credit import LateTerms
from wufeng.credit.offers import InstalmentPrice, Run
from wufeng.identity.merchants.model import Scene
from wufeng.payments.pay.views import LenderView
from wufeng.risk.texts import ReasonView


class OfferView(Struct, frozen=True, kw_only=True):
    """One way to pay a price with credit, for a product page.

    runs      its parts by equal amounts, in their order: first so much, then so many times so much
    annualised_rate_ppm, effective_rate_ppm, eu_rate_ppm, us_rate_ppm  what it costs a year (`credit.plans.yearly`)
    campaign  the merchant's that its price comes from; None: none
    """

    object: Literal["offer"] = "offer"
    merchant: str
    amount_minor: int
    currency: str
    scene: Scene
    product: str
    name: str
    tenor: int
    instalment_minor: int
    runs: tuple[Run, ...]
    total_cost_minor: int
    annualised_rate_ppm: int
    effective_rate_ppm: int
    eu_rate_ppm: int
    us_rate_ppm: int | None
    campaign: str | None


class SourceKind(StrEnum):
    """What a part of an option is paid from."""

    WALLET = "wallet"
    LINE = "line"


class QuoteFunding(Struct, frozen=True, omit_defaults=True):
    """One source of an option. A line without an id: the one that the payer has under the product."""

    kind: SourceKind
    amount_minor: int
    wallet: str | None = None
    line: str | None = None


class QuoteOption(Struct, frozen=True, kw_only=True):
    """One way to pay.

    annualised_rate_ppm, effective_rate_ppm, eu_rate_ppm, us_rate_ppm  what it costs a year (`credit.plans.yearly`)
    campaign   the merchant's that the price comes from; None: none
    available  whether it could be paid now; `reasons` say why not, the first is the reason
    """

    id: str
    funding: tuple[QuoteFunding, ...]
    product: str | None
    tenor: int | None
    instalments: tuple[InstalmentPrice, ...]
    total_cost_minor: int
    annualised_rate_ppm: int
    effective_rate_ppm: int
    eu_rate_ppm: int
    us_rate_ppm: int | None
    campaign: str | None
    late_terms: LateTerms | None
    lenders: tuple[LenderView, ...]
    available: bool
    reasons: tuple[ReasonView, ...]


class QuoteView(Struct, frozen=True, kw_only=True):
    """A quote at the border. `sheet_hash` is of all that was shown but the quote's own names (`rules.sheet_hash`)."""

    id: str
    object: Literal["quote"] = "quote"
    created_at: datetime
    expires_at: datetime
    merchant: str
    order: str | None
    payer: str | None
    amount_minor: int
    currency: str
    scene: Scene
    options: tuple[QuoteOption, ...]
    sheet_hash: str


class Meant(Struct, frozen=True, kw_only=True):
    """What an option means for a payment: its funding. Without a line: the payer's under `product`.

    wallet_minor  where the rest is drawn, the wallet's part: the price is of that rest; None: the wallet pays all or
                  nothing
    """

    use_wallet: bool
    line_id: UUID | None
    product: str | None
    tenor: int
    merchant_share_ppm: int
    campaign_id: UUID | None = None
    wallet_minor: int | None = None


class Quote(Struct, frozen=True, kw_only=True):
    """A quote as it is kept."""

    id: UUID
    payer_id: UUID | None
    merchant_id: UUID
    order_id: UUID | None
    amount_minor: int
    currency: str
    scene: Scene
    body: bytes
    options: tuple[Meant, ...]
    expires_at: datetime
    created_at: datetime


class Asked(Struct, frozen=True, kw_only=True):
    """What somebody wants priced: an order, or an amount at a merchant.

    shows_wallet  whether the payer's own money is shown: to the payer alone
    """

    merchant_id: UUID
    order_id: UUID | None
    amount_minor: int
    scene: Scene
    payer_id: UUID | None
    shows_wallet: bool
    language: str
