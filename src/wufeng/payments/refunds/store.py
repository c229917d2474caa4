"""Refunds in their table."""

from collections.abc import Collection, Sequence
from uuid import UUID

import asyncpg
import msgspec

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.refunds.model import BankReturn, EffectView, Refund, RefundReason, RefundStatus

SQL = load(__file__)


def _refund(row: asyncpg.Record) -> Refund:
    return Refund(
        id=row["id"],
        payment_id=row["payment_id"],
        merchant_id=row["merchant_id"],
        payer_id=row["payer_id"],
        refund_no=row["refund_no"],
        amount_minor=row["amount_minor"],
        wallet_minor=row["wallet_minor"],
        fee_returned_minor=row["fee_returned_minor"],
        charges_returned_minor=row["charges_returned_minor"],
        currency=row["currency"],
        reason=row["reason"],
        reason_code=RefundReason(row["reason_code"]),
        status=RefundStatus(row["status"]),
        effects=msgspec.json.decode(row["effects"], type=tuple[EffectView, ...]),
        returns=msgspec.json.decode(row["returns"], type=tuple[BankReturn, ...]),
        created_at=row["created_at"],
        posted_at=row["posted_at"],
        value_on=row["value_on"],
    )


async def insert_refunds(db: Connection, bucket: int, refunds: Sequence[Refund]) -> None:
    """Append the refunds of a batch."""
    await db.execute(
        SQL.insert_refunds,
        bucket,
        [r.id for r in refunds],
        [r.payment_id for r in refunds],
        [r.merchant_id for r in refunds],
        [r.payer_id for r in refunds],
        [r.refund_no for r in refunds],
        [r.amount_minor for r in refunds],
        [r.wallet_minor for r in refunds],
        [r.fee_returned_minor for r in refunds],
        [r.currency for r in refunds],
        [r.reason for r in refunds],
        [r.status for r in refunds],
        [msgspec.json.encode(r.effects) for r in refunds],
        [msgspec.json.encode(r.returns) for r in refunds],
        [r.created_at for r in refunds],
        [r.posted_at for r in refunds],
        [r.reason_code for r in refunds],
        [r.charges_returned_minor for r in refunds],
        [r.value_on for r in refunds],
    )


async def update_refunds(db: Connection, bucket: int, refunds: Sequence[Refund]) -> None:
    """Write what banks have said of refunds, and what they have sent since."""
    await db.execute(
        SQL.update_refunds,
        bucket,
        [r.id for r in refunds],
        [r.status for r in refunds],
        [msgspec.json.encode(r.effects) for r in refunds],
        [msgspec.json.encode(r.returns) for r in refunds],
        [r.posted_at for r in refunds],
        [r.charges_returned_minor for r in refunds],
    )


async def load_refunds(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Refund]:
    """Refunds by id; an unknown id is absent."""
    return {row["id"]: _refund(row) for row in await db.fetch(SQL.load_refunds, bucket, list(ids))}


async def load_fees_returned(db: Connection, bucket: int, payment_ids: Collection[UUID]) -> dict[UUID, int]:
    """What refunds of some payments gave back of their fees; a payment without one is absent."""
    rows = await db.fetch(SQL.load_fees_returned, bucket, list(payment_ids))
    return {row["payment_id"]: row["fee_returned_minor"] for row in rows}


async def load_refunds_by_no(
    db: Connection, bucket: int, names: Sequence[tuple[UUID, str]]
) -> dict[tuple[UUID, str], Refund]:
    """Refunds by (payment, refund_no); an unknown one is absent."""
    rows = await db.fetch(
        SQL.load_refunds_by_no, bucket, [payment for payment, _ in names], [number for _, number in names]
    )
    return {(row["payment_id"], row["refund_no"]): _refund(row) for row in rows}


async def refunds_of_payment(db: Connection, bucket: int, payment_id: UUID, limit: int) -> list[Refund]:
    """The refunds of one payment, the oldest first."""
    return [_refund(row) for row in await db.fetch(SQL.refunds_of_payment, bucket, payment_id, limit)]


async def refunds_that_undid(db: Connection, bucket: int, payment_id: UUID) -> list[Refund]:
    """The refunds that have undone one payment, the oldest first: at most one a date of its captures."""
    return [_refund(row) for row in await db.fetch(SQL.refunds_that_undid, bucket, payment_id)]


async def sum_refunds(
    db: Connection, buckets: Sequence[int], merchant_id: UUID, first: UUID, limit: int
) -> tuple[int, int]:
    """How many refunds a merchant has given from an id on, and their sum in minor units."""
    row = await db.fetchrow(SQL.sum_refunds, list(buckets), merchant_id, first, limit)
    assert row is not None, "a sum is always one row"
    return row["refunds"], row["amount_minor"]
