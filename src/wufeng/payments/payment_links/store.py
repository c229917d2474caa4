"""Payment links in their tables. A link lives in its merchant's slot, its orders where their numbers put them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.payment_links.model import PaymentLink

SQL = load(__file__)


class UseRow(Struct, frozen=True):
    """A use as it is kept: what became of its order stands with the order."""

    number: int
    order_id: UUID
    person_id: UUID


def _link(row: asyncpg.Record) -> PaymentLink:
    return PaymentLink(
        id=row["id"],
        merchant_id=row["merchant_id"],
        amount_minor=row["amount_minor"],
        subject=row["subject"],
        uses_max=row["uses_max"],
        expires_at=row["expires_at"],
        closed_at=row["closed_at"],
        created_at=row["created_at"],
    )


async def insert_link(db: Connection, bucket: int, link: PaymentLink) -> None:
    """Keep a new link."""
    await db.execute(
        SQL.insert_link,
        bucket,
        link.id,
        link.merchant_id,
        link.amount_minor,
        link.subject,
        link.uses_max,
        link.expires_at,
        link.created_at,
    )


async def load_link(db: Connection, bucket: int, link_id: UUID) -> PaymentLink | None:
    """One link, whoever's it is; None when there is none."""
    row = await db.fetchrow(SQL.load_link, bucket, link_id)
    return None if row is None else _link(row)


async def lock_link(db: Connection, bucket: int, link_id: UUID) -> PaymentLink | None:
    """One link, locked until the transaction ends."""
    row = await db.fetchrow(SQL.lock_link, bucket, link_id)
    return None if row is None else _link(row)


async def list_links(
    db: Connection, bucket: int, merchant_id: UUID, before: UUID | None, limit: int
) -> list[PaymentLink]:
    """A merchant's links, those that have ended too, the newest first."""
    return [_link(row) for row in await db.fetch(SQL.list_links, bucket, merchant_id, before, limit)]


async def close_link(
    db: Connection, bucket: int, link_id: UUID, merchant_id: UUID, at: datetime
) -> PaymentLink | None:
    """Close a link of a merchant's; None when it has no such link."""
    row = await db.fetchrow(SQL.close_link, bucket, link_id, merchant_id, at)
    return None if row is None else _link(row)


async def load_uses(db: Connection, bucket: int, links: Sequence[UUID]) -> Mapping[UUID, list[UseRow]]:
    """The uses of links, in the order of their numbers."""
    found: dict[UUID, list[UseRow]] = {link: [] for link in links}
    for row in await db.fetch(SQL.load_uses, bucket, links):
        found[row["link_id"]].append(UseRow(row["number"], row["order_id"], row["person_id"]))
    return found


async def put_use(db: Connection, bucket: int, link_id: UUID, use: UseRow, expires_at: datetime) -> None:
    """Give a use its order, the first one or the next."""
    await db.execute(SQL.put_use, bucket, link_id, use.number, use.order_id, use.person_id, expires_at)
