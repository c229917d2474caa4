"""Subsidy campaigns of merchants: they carry the price of instalments, within bounds."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from wufeng.api.bodies import AmountMinor, ListQuery, MerchantId, starting_after
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem, invalid_field, not_found
from wufeng.base.ids import Prefix, decode
from wufeng.identity import CallerKind, own_merchant
from wufeng.identity.merchants.model import Merchant, MerchantStatus
from wufeng.identity.merchants.queries import load_merchant
from wufeng.payments import (
    Campaign,
    CampaignStatus,
    CampaignView,
    CreateCampaign,
    check_new_campaign,
    list_campaigns,
    load_campaign,
    move_campaign,
    view_campaign,
)

Tenor = Annotated[int, Meta(ge=2, le=60)]
ProductId = Annotated[str, Meta(min_length=1, max_length=64, examples=["monthly_bill"])]
SharePpm = Annotated[int, Meta(ge=1, le=1_000_000, description="parts per million of the price")]


class NewCampaign(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a merchant will carry.

    merchant          left out by the merchant itself
    from_on, until_on  business dates, both included
    order_least_minor, order_most_minor  order amounts, both included
    products          that it is for; absent: all
    budget_minor      the most that it carries; absent: no limit
    """

    merchant: MerchantId | None = None
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    from_on: date
    until_on: date
    tenors: Annotated[tuple[Tenor, ...], Meta(min_length=1, max_length=16)]
    share_ppm: SharePpm = 1_000_000
    order_least_minor: AmountMinor = 1
    order_most_minor: AmountMinor | None = None
    products: Annotated[tuple[ProductId, ...], Meta(max_length=16)] = ()
    budget_minor: AmountMinor | None = None


class CampaignsQuery(ListQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose campaigns: a merchant's; absent: the caller's own, for the operator and its staff those of the book."""

    merchant: MerchantId | None = None


class CampaignList(Struct, frozen=True, kw_only=True):
    """A page of campaigns, the newest first."""

    data: list[CampaignView]
    next: str | None
    has_more: bool


async def post_campaign(call: Call[NewCampaign, Nothing]) -> Answer:
    """Make a campaign. Prices of the merchant show it from its first date on."""
    body, services, book = call.body, call.services, call.book
    async with services.database.read() as db:
        merchant = await _seller(call, db)
    on = book.business_date(call.at)
    campaign = Campaign(
        id=services.ids.new_anywhere(call.at),
        book_id=book.id,
        merchant_id=merchant.id,
        name=body.name,
        from_on=body.from_on,
        until_on=body.until_on,
        order_least_minor=body.order_least_minor,
        order_most_minor=body.order_most_minor,
        tenors=body.tenors,
        products=body.products,
        share_ppm=body.share_ppm,
        budget_minor=body.budget_minor,
        status=CampaignStatus.OPEN,
        created_at=call.at,
    )
    products = [one for one in services.products.offered(on) if one.currency == book.currency]
    command = CreateCampaign(
        at=call.at,
        claim=call.claim,
        request_id=call.request_id,
        campaign=check_new_campaign(campaign, products, on),
        currency=book.currency,
    )
    return await services.lanes.submit(book.bucket_of(campaign.id), command)


async def _seller(call: Call[NewCampaign, Nothing], db: Connection) -> Merchant:
    """Who carries the price: the calling merchant, or the one that the operator names."""
    named = decode(Prefix.MERCHANT, call.body.merchant) if call.body.merchant is not None else None
    merchant_id = named or call.caller.merchant_id
    if merchant_id is None:
        raise invalid_field("/merchant", "Name the merchant who carries the price.")
    try:
        own_merchant(call.caller, merchant_id)
        merchant = await load_merchant(db, call.book, merchant_id)
    except Problem as problem:
        if problem.code is not Code.NOT_FOUND:
            raise
        raise invalid_field("/merchant", "There is no such merchant.") from None
    if merchant.status is not MerchantStatus.ACTIVE:
        raise Problem(Code.STATE_CONFLICT, "This merchant is closed.")
    return merchant


async def get_campaigns(call: Call[Nothing, CampaignsQuery]) -> Answer:
    """Campaigns with what was used of each, those over too."""
    before, named = starting_after(call.query, Prefix.CAMPAIGN, "campaign"), call.query.merchant
    merchant_id = decode(Prefix.MERCHANT, named) if named is not None else call.caller.merchant_id
    on = call.book.business_date(call.at)
    async with call.services.database.read() as db:
        if merchant_id is not None:
            own_merchant(call.caller, merchant_id)
            await load_merchant(db, call.book, merchant_id)
        found = await list_campaigns(db, call.book, merchant_id, before, call.query.limit + 1)
    return reply_list([view_campaign(one, call.book.currency, on) for one in found], call.query.limit)


async def get_campaign(call: Call[Nothing, Nothing]) -> Answer:
    """One campaign, and what was used of it."""
    campaign_id = call.path_id(Prefix.CAMPAIGN, "campaign")
    async with call.services.database.read() as db:
        found = await load_campaign(db, call.book, campaign_id)
    if found is None:
        raise not_found("campaign")
    own_merchant(call.caller, found.campaign.merchant_id, "campaign")
    return reply(view_campaign(found, call.book.currency, call.book.business_date(call.at)))


async def post_pause(call: Call[Nothing, Nothing]) -> Answer:
    """No price shows it any more, and no payment has it, until it is resumed."""
    return await _move(call, CampaignStatus.PAUSED)


async def post_resume(call: Call[Nothing, Nothing]) -> Answer:
    """It goes on."""
    return await _move(call, CampaignStatus.OPEN)


async def post_end(call: Call[Nothing, Nothing]) -> Answer:
    """It is over for good. Plans made with it stay as they are."""
    return await _move(call, CampaignStatus.ENDED)


async def _move(call: Call[Any, Any], to: CampaignStatus) -> Answer:
    services, campaign_id = call.services, call.path_id(Prefix.CAMPAIGN, "campaign")
    owner: UUID | None = call.caller.merchant_id if call.caller.kind is CallerKind.MERCHANT else None
    moved = await move_campaign(services.database, call.book, campaign_id, owner, to, call.at)
    return reply(view_campaign(moved, call.book.currency, call.book.business_date(call.at)))


ROUTES = (
    Route(
        method="POST",
        path="/v1/campaigns",
        operation="create_campaign",
        summary="Make a subsidy campaign of a merchant",
        handle=post_campaign,
        body=NewCampaign,
        answers={201: CampaignView},
        keyed=True,
    ),
    Route(
        method="GET",
        path="/v1/campaigns",
        operation="list_campaigns",
        summary="Subsidy campaigns, the newest first",
        handle=get_campaigns,
        query=CampaignsQuery,
        answers={200: CampaignList},
    ),
    Route(
        method="GET",
        path="/v1/campaigns/{id}",
        operation="get_campaign",
        summary="One subsidy campaign",
        handle=get_campaign,
        answers={200: CampaignView},
    ),
    Route(
        method="POST",
        path="/v1/campaigns/{id}/pause",
        operation="pause_campaign",
        summary="Pause a subsidy campaign",
        handle=post_pause,
        answers={200: CampaignView},
    ),
    Route(
        method="POST",
        path="/v1/campaigns/{id}/resume",
        operation="resume_campaign",
        summary="Let a paused campaign go on",
        handle=post_resume,
        answers={200: CampaignView},
    ),
    Route(
        method="POST",
        path="/v1/campaigns/{id}/end",
        operation="end_campaign",
        summary="End a subsidy campaign for good",
        handle=post_end,
        answers={200: CampaignView},
    ),
)
