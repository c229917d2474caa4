"""Quotes in their table: written once, never changed."""

from uuid import UUID

import msgspec

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.merchants.model import Scene
from wufeng.payments.quotes.model import Meant, Quote

SQL = load(__file__)


async def insert_quote(db: Connection, bucket: int, quote: Quote) -> None:
    """Keep a quote as it was shown."""
    await db.execute(
        SQL.insert_quote,
        bucket,
        quote.id,
        quote.payer_id,
        quote.merchant_id,
        quote.order_id,
        quote.amount_minor,
        quote.currency,
        quote.scene,
        quote.body,
        msgspec.json.encode(quote.options),
        quote.expires_at,
        quote.created_at,
    )


async def load_quote(db: Connection, bucket: int, quote_id: UUID) -> Quote | None:
    """One quote."""
    row = await db.fetchrow(SQL.load_quote, bucket, quote_id)
    if row is None:
        return None
    return Quote(
        id=row["id"],
        payer_id=row["payer_id"],
        merchant_id=row["merchant_id"],
        order_id=row["order_id"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        scene=Scene(row["scene"]),
        body=row["body"],
        options=msgspec.json.decode(row["options"], type=tuple[Meant, ...]),
        expires_at=row["expires_at"],
        created_at=row["created_at"],
    )
