"""Merchants in the database: a reference table, the same everywhere."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.merchants.model import FeePlan, Merchant, MerchantStatus, Scene

SQL = load(__file__)


async def insert_merchant(db: Connection, merchant: Merchant) -> None:
    """Write a new merchant."""
    await db.execute(
        SQL.insert_merchant,
        merchant.id,
        merchant.book_id,
        merchant.name,
        merchant.scene.value,
        merchant.fee_plan.rate_ppm,
        merchant.status.value,
        merchant.created_at,
        list(merchant.return_origins),
    )


async def load_merchants(db: Connection, ids: Collection[UUID]) -> dict[UUID, Merchant]:
    """Merchants of any book. An unknown id is absent."""
    return {
        row["id"]: Merchant(
            id=row["id"],
            book_id=row["book"],
            name=row["name"],
            scene=Scene(row["scene"]),
            fee_plan=FeePlan(row["fee_rate_ppm"]),
            status=MerchantStatus(row["status"]),
            created_at=row["created_at"],
            closed_at=row["closed_at"],
            return_origins=tuple(row["return_origins"]),
        )
        for row in await db.fetch(SQL.load_merchants, list(ids))
    }


async def close_merchant(db: Connection, book_id: int, merchant_id: UUID, at: datetime) -> bool:
    """Close a merchant of that book; False when there is no active one."""
    return await db.fetchval(SQL.close_merchant, merchant_id, book_id, at) is not None


async def set_origins(db: Connection, merchant_id: UUID, origins: Sequence[str]) -> None:
    """Set where a merchant's checkouts may send people back to."""
    await db.execute(SQL.set_origins, merchant_id, list(origins))


async def list_ids(db: Connection, book_id: int, at_most: int) -> list[UUID]:
    """The merchants of a book, the newest first."""
    return [row["id"] for row in await db.fetch(SQL.list_ids, book_id, at_most)]
