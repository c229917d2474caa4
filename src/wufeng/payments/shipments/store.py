"""Shipments in their table."""

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.shipments.model import Shipment

SQL = load(__file__)


async def insert_shipments(db: Connection, bucket: int, shipments: Sequence[Shipment]) -> None:
    """Let orders of a bucket wait for their receipt. One that waits already stays as it is."""
    await db.execute(
        SQL.insert_shipments,
        bucket,
        [one.order_id for one in shipments],
        [one.payer_id for one in shipments],
        [one.confirm_on for one in shipments],
    )


async def load_due(db: Connection, bucket: int, on: date, at_most: int) -> list[Shipment]:
    """Orders of a bucket whose receipt counts as confirmed on a date, those that have waited longest first."""
    return [Shipment(**dict(row)) for row in await db.fetch(SQL.load_due, bucket, on, at_most)]


async def forget_shipments(db: Connection, book: Book, order_ids: Collection[UUID]) -> None:
    """Let orders wait no more. One that does not wait changes nothing."""
    await db.execute(SQL.forget_shipments, [book.bucket_of(order) for order in order_ids], list(order_ids))
