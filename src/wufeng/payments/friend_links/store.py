"""Friends' links in their table. A link lives in its order's slot."""

from datetime import datetime
from uuid import UUID

import asyncpg

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.friend_links.model import FriendLink

SQL = load(__file__)


def _link(row: asyncpg.Record | None) -> FriendLink | None:
    if row is None:
        return None
    return FriendLink(
        id=row["id"],
        order_id=row["order_id"],
        asker_id=row["asker_id"],
        expires_at=row["expires_at"],
        cancelled_at=row["cancelled_at"],
        created_at=row["created_at"],
    )


async def insert_link(db: Connection, bucket: int, link: FriendLink) -> None:
    """Keep a new link."""
    await db.execute(
        SQL.insert_link, bucket, link.id, link.order_id, link.asker_id, link.expires_at, link.created_at
    )


async def load_link(db: Connection, bucket: int, link_id: UUID) -> FriendLink | None:
    """One link, whoever's it is."""
    return _link(await db.fetchrow(SQL.load_link, bucket, link_id))


async def load_newest_link(db: Connection, bucket: int, order_id: UUID, asker_id: UUID) -> FriendLink | None:
    """The latest link of a person for an order that has not been cancelled."""
    return _link(await db.fetchrow(SQL.load_newest_link, bucket, order_id, asker_id))


async def cancel_link(db: Connection, bucket: int, link_id: UUID, at: datetime) -> None:
    """Cancel a link; one that is cancelled stays as it is."""
    await db.execute(SQL.cancel_link, bucket, link_id, at)
