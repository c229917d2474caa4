"""Checkout sessions in their table."""

from collections.abc import Sequence
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
        cancel_url=row["cancel_url"],
        cancelled_at=row["cancelled_at"],
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
        session.cancel_url,
    )


async def load_session(db: Connection, bucket: int, session_id: UUID) -> CheckoutSession | None:
    """One session."""
    return _session(await db.fetchrow(SQL.load_session, bucket, session_id))


async def load_newest_session(db: Connection, bucket: int, order_id: UUID) -> CheckoutSession | None:
    """The latest session of an order, live or not."""
    return _session(await db.fetchrow(SQL.load_newest_session, bucket, order_id))


async def load_newest_sessions(
    db: Connection, bucket: int, orders: Sequence[UUID]
) -> dict[UUID, CheckoutSession]:
    """The latest session of each order of one bucket, live or not; an order that never had one is absent."""
    rows = await db.fetch(SQL.load_newest_sessions, bucket, orders)
    return {row["order_id"]: session for row in rows if (session := _session(row)) is not None}


async def expire_session(db: Connection, bucket: int, session_id: UUID, at: datetime) -> None:
    """End a session before its time; one that has ended stays as it is."""
    await db.execute(SQL.expire_session, bucket, session_id, at)


async def cancel_session(db: Connection, bucket: int, session_id: UUID, at: datetime) -> None:
    """A person does not pay on this page; one that has ended stays as it is."""
    await db.execute(SQL.cancel_session, bucket, session_id, at)
