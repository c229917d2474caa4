"""Subsidy campaigns: a merchant carries a share of the price of instalments, within bounds."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.base.lanes import Command
from wufeng.credit import PriceOption


class CampaignStatus(StrEnum):
    """Where a campaign stands. After its last date it has ended, whatever its row says (`rules.status_on`)."""

    OPEN = "open"  # -> paused, ended
    PAUSED = "paused"  # -> open, ended   no new price has it, and no payment
    ENDED = "ended"  # end


class Campaign(Struct, frozen=True, kw_only=True):
    """A campaign as it is kept. All but its status never changes.

    from_on, until_on        business dates on which it may be used, both included
    order_least_minor, order_most_minor  of the order's amount, both included; None: no upper bound
    tenors                   monthly instalments, from 2
    products                 ids of credit products; none: all
    share_ppm                of the price, carried by the merchant
    budget_minor             the most that it carries; None: no limit
    """

    id: UUID
    book_id: int
    merchant_id: UUID
    name: str
    from_on: date
    until_on: date
    order_least_minor: int
    order_most_minor: int | None
    tenors: tuple[int, ...]
    products: tuple[str, ...]
    share_ppm: int
    budget_minor: int | None
    status: CampaignStatus
    created_at: datetime


class Counted(Struct, frozen=True):
    """A campaign with what plans have taken of it, less what refunds gave back; what is held to be captured counts."""

    campaign: Campaign
    used_minor: int


class Offered(Struct, frozen=True):
    """A campaign that is open, with what a payment could take of it now; None: no limit."""

    campaign: Campaign
    room_minor: int | None


class Priced(Struct, frozen=True):
    """A price with the merchant's share in it, and the campaign that the share comes from; None: the order's own."""

    price: PriceOption
    merchant_share_ppm: int
    campaign_id: UUID | None


class Room(Struct, frozen=True):
    """What a batch has taken of a campaign's slice for its payments, and has not given to one of them.

    status, from_on, until_on  as they stand now: a price may be older
    """

    left_minor: int
    status: CampaignStatus
    from_on: date
    until_on: date


class CreateCampaign(Command, frozen=True, kw_only=True):
    """Make a campaign, checked at the edge. Submit it to the bucket of its id."""

    campaign: Campaign
    currency: str


class CampaignView(Struct, frozen=True, kw_only=True):
    """A campaign at the border."""

    id: str
    object: Literal["campaign"] = "campaign"
    created_at: datetime
    merchant: str
    name: str
    status: CampaignStatus
    from_on: date
    until_on: date
    order_least_minor: int
    order_most_minor: int | None
    tenors: tuple[int, ...]
    products: tuple[str, ...]
    share_ppm: int
    budget_minor: int | None
    used_minor: int
    currency: str
