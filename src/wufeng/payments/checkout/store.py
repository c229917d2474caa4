"""Checkout sessions in their table."""

from datetime import datetime
from uuid import UUID

import asyncpg

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.checkout.model import CheckoutSession

SQL = load(__file__)


def _session(row: asyncpg.Record | None) -> CheckoutSession | None:
    if row is None:
        return None
    return CheckoutSession(
        id=row["id"],
        merchant_id=row["merchant_id"],
        order_id=row["order_id"],
        return_url=row["return_url"],
        tenors=tuple(row["tenors"]),
        merchant_fee_share_ppm=row["merchant_fee_share_ppm"],
        expired_at=row["expired_at"],
        expires_at=row["expires_at"],
        created_at=row["created_at"],
    )


async def insert_session(db: Connection, bucket: int, session: CheckoutSession) -> None:
    """Keep a new session."""
    await db.execute(
        SQL.insert_session,
        bucket,
        session.id,
        session.merchant_id,
        session.order_id,
        session.return_url,
        list(session.tenors),
        session.merchant_fee_share_ppm,
        session.expires_at,
        session.created_at,
    )


async def load_session(db: Connection, bucket: int, session_id: UUID) -> CheckoutSession | None:
    """One session."""
    return _session(await db.fetchrow(SQL.load_session, bucket, session_id))


async def load_newest_session(db: Connection, bucket: int, order_id: UUID) -> CheckoutSession | None:
    """The latest session of an order, live or not."""
    return _session(await db.fetchrow(SQL.load_newest_session, bucket, order_id))


async def expire_session(db: Connection, bucket: int, session_id: UUID, at: datetime) -> None:
    """End a session before its time; one that has ended stays as it is."""
    await db.execute(SQL.expire_session, bucket, session_id, at)
