"""Campaigns in their table, and the slices of their budgets, a row a bucket."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

import asyncpg

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.campaigns.model import Campaign, CampaignStatus, Counted, Offered, Room

SQL = load(__file__)


def _campaign(row: asyncpg.Record) -> Campaign:
    return Campaign(
        id=row["id"],
        book_id=row["book"],
        merchant_id=row["merchant_id"],
        name=row["name"],
        from_on=row["from_on"],
        until_on=row["until_on"],
        order_least_minor=row["order_least_minor"],
        order_most_minor=row["order_most_minor"],
        tenors=tuple(row["tenors"]),
        products=tuple(row["products"]),
        share_ppm=row["share_ppm"],
        budget_minor=row["budget_minor"],
        status=CampaignStatus(row["status"]),
        created_at=row["created_at"],
    )


async def insert_campaign(db: Connection, campaign: Campaign) -> None:
    """Write a new campaign."""
    await db.execute(
        SQL.insert_campaign,
        campaign.id,
        campaign.book_id,
        campaign.merchant_id,
        campaign.name,
        campaign.from_on,
        campaign.until_on,
        campaign.order_least_minor,
        campaign.order_most_minor,
        list(campaign.tenors),
        list(campaign.products),
        campaign.share_ppm,
        campaign.budget_minor,
        campaign.status,
        campaign.created_at,
    )


async def count_live(db: Connection, book_id: int, merchant_id: UUID, on: date) -> int:
    """How many campaigns of a merchant may still be used, now or later."""
    count: int = await db.fetchval(SQL.count_live, book_id, merchant_id, on)
    return count


async def lock_campaign(db: Connection, book_id: int, campaign_id: UUID) -> Campaign | None:
    """One campaign of a book, locked; None when there is none."""
    row = await db.fetchrow(SQL.lock_campaign, book_id, campaign_id)
    return _campaign(row) if row is not None else None


async def move_campaign(db: Connection, book_id: int, campaign_id: UUID, to: CampaignStatus) -> None:
    """Write a campaign's new state."""
    await db.execute(SQL.move_campaign, book_id, campaign_id, to)


async def list_campaigns(
    db: Connection,
    book_id: int,
    buckets: Sequence[int],
    merchant_id: UUID | None,
    only: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Counted]:
    """Campaigns of a merchant (None: of the book), the newest first; `before` is the last of the page before."""
    rows = await db.fetch(SQL.list_campaigns, book_id, list(buckets), merchant_id, only, before, limit)
    return [Counted(_campaign(row), row["used_minor"]) for row in rows]


async def load_offered(
    db: Connection, book_id: int, buckets: Sequence[int], merchant_id: UUID, on: date
) -> list[Offered]:
    """What is open at a merchant on a date, with what payments of these buckets could take of it."""
    rows = await db.fetch(SQL.load_offered, book_id, merchant_id, list(buckets), on)
    return [Offered(_campaign(row), row["room_minor"]) for row in rows]


async def take_slices(db: Connection, bucket: int, asked: Mapping[UUID, int]) -> dict[UUID, Room]:
    """Take amounts of a bucket's slices, as far as they go. A slice that is not made yet is absent."""
    rows = await db.fetch(SQL.take_slices, bucket, list(asked), list(asked.values()))
    return {row["campaign_id"]: _room(row) for row in rows}


async def refill_slices(
    db: Connection, bucket: int, short: Mapping[UUID, int], one_in: int
) -> dict[UUID, Room]:
    """Fill slices from what no bucket holds, and take what is short, as far as that goes; makes a slice at need."""
    rows = await db.fetch(SQL.refill_slices, bucket, list(short), list(short.values()), one_in)
    return {row["campaign_id"]: _room(row) for row in rows}


def _room(row: asyncpg.Record) -> Room:
    return Room(row["got_minor"], CampaignStatus(row["status"]), row["from_on"], row["until_on"])


async def give_back(db: Connection, bucket: int, amounts: Mapping[UUID, int]) -> None:
    """Give amounts back to a bucket's slices."""
    await db.execute(SQL.give_back, bucket, list(amounts), list(amounts.values()))


async def list_given_out(db: Connection, book_id: int, on: date) -> list[UUID]:
    """Open campaigns of which no room is left outside the buckets' slices."""
    return [row["id"] for row in await db.fetch(SQL.list_given_out, book_id, on)]


async def empty_slices(db: Connection, bucket: int, campaigns: Collection[UUID]) -> dict[UUID, int]:
    """Take all unused room out of a bucket's slices; returns how much of each campaign."""
    rows = await db.fetch(SQL.empty_slices, bucket, list(campaigns))
    return {row["campaign_id"]: row["room_minor"] for row in rows}


async def return_room(db: Connection, freed: Mapping[UUID, int]) -> None:
    """Give room that slices no longer hold back to their campaigns."""
    await db.execute(SQL.return_room, list(freed), list(freed.values()))
