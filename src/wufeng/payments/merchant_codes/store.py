"""Static codes in their table. A code lives in its merchant's slot, so all of a merchant's are in one bucket."""

from datetime import datetime
from uuid import UUID

import asyncpg

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.merchant_codes.model import MerchantCode

SQL = load(__file__)


def _code(row: asyncpg.Record) -> MerchantCode:
    return MerchantCode(
        id=row["id"],
        merchant_id=row["merchant_id"],
        label=row["label"],
        subject=row["subject"],
        amount_minor=row["amount_minor"],
        closed_at=row["closed_at"],
        created_at=row["created_at"],
    )


async def insert_code(db: Connection, bucket: int, code: MerchantCode) -> None:
    """Keep a new code."""
    await db.execute(
        SQL.insert_code,
        bucket,
        code.id,
        code.merchant_id,
        code.label,
        code.subject,
        code.amount_minor,
        code.created_at,
    )


async def count_open(db: Connection, bucket: int, merchant_id: UUID) -> int:
    """How many codes of a merchant take payments."""
    count: int = await db.fetchval(SQL.count_open, bucket, merchant_id)
    return count


async def load_code(db: Connection, bucket: int, code_id: UUID) -> MerchantCode | None:
    """One code, whoever's it is; None when there is none."""
    row = await db.fetchrow(SQL.load_code, bucket, code_id)
    return None if row is None else _code(row)


async def list_codes(
    db: Connection, bucket: int, merchant_id: UUID, before: UUID | None, limit: int
) -> list[MerchantCode]:
    """A merchant's codes, closed ones too, the newest first; `before`: the last one of the page before."""
    rows = await db.fetch(SQL.list_codes, bucket, merchant_id, before, limit)
    return [_code(row) for row in rows]


async def close_code(
    db: Connection, bucket: int, code_id: UUID, merchant_id: UUID, at: datetime
) -> MerchantCode | None:
    """Close a code of a merchant's; None when it has no such code."""
    row = await db.fetchrow(SQL.close_code, bucket, code_id, merchant_id, at)
    return None if row is None else _code(row)
