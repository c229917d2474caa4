"""Payments in their table."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.merchants.model import Scene
from wufeng.payments.orders.model import Channel, Receipt
from wufeng.payments.pay.model import (
    Capture,
    Funding,
    Payment,
    PaymentFilter,
    PaymentStatus,
    Presented,
    Sales,
)
from wufeng.risk.model import CONFIRMATIONS, Reason

SQL = load(__file__)


def _payment(row: asyncpg.Record) -> Payment:
    return Payment(
        id=row["id"],
        payer_id=row["payer_id"],
        merchant_id=row["merchant_id"],
        order_id=row["order_id"],
        order_no=row["order_no"],
        amount_minor=row["amount_minor"],
        currency=row["currency"],
        scene=Scene(row["scene"]),
        subject=row["subject"],
        receipt=Receipt(row["receipt"]),
        inline_order=row["inline_order"],
        status=PaymentStatus(row["status"]),
        capture=Capture(row["capture"]),
        funding=Funding(
            row["use_wallet"],
            row["line_id"],
            row["tenor"],
            row["merchant_share_ppm"],
            row["campaign_id"],
            row["funding_wallet_minor"],
        ),
        wallet_minor=row["wallet_minor"],
        credit_minor=row["credit_minor"],
        captured_minor=row["captured_minor"],
        fee_minor=row["fee_minor"],
        refunded_minor=row["refunded_minor"],
        wallet_refunded_minor=row["wallet_refunded_minor"],
        campaign_minor=row["campaign_minor"],
        campaign_held_minor=row["campaign_held_minor"],
        wallet_hold_id=row["wallet_hold_id"],
        line_hold_id=row["line_hold_id"],
        decision_id=row["decision_id"],
        reasons=tuple(Reason(code) for code in row["reasons"].split()),
        caller_id=row["caller_id"],
        confirmed_by=row["confirmed_by"],
        channel=Channel(row["channel"]),
        needs=CONFIRMATIONS[row["needs"]] if row["needs"] is not None else None,
        spender_id=row["spender_id"],
        expires_at=row["expires_at"],
        captured_at=row["captured_at"],
        created_at=row["created_at"],
    )


async def insert_payments(db: Connection, bucket: int, payments: Sequence[Payment]) -> None:
    """Append the payments of a batch."""
    rows = [
        (
            bucket,
            p.id,
            p.payer_id,
            p.merchant_id,
            p.order_id,
            p.order_no,
            p.amount_minor,
            p.currency,
            p.scene,
            p.subject,
            p.receipt,
            p.inline_order,
            p.status,
            p.capture,
            p.funding.use_wallet,
            p.funding.line_id,
            p.funding.tenor,
            p.funding.merchant_share_ppm,
            p.wallet_minor,
            p.credit_minor,
            p.captured_minor,
            p.fee_minor,
            p.refunded_minor,
            p.wallet_refunded_minor,
            p.wallet_hold_id,
            p.line_hold_id,
            p.decision_id,
            " ".join(p.reasons),
            p.caller_id,
            p.confirmed_by,
            p.expires_at,
            p.captured_at,
            p.created_at,
            p.funding.campaign_id,
            p.campaign_minor,
            p.campaign_held_minor,
            p.channel,
            p.needs.code if p.needs is not None else None,
            p.spender_id,
            p.funding.wallet_minor,
        )
        for p in payments
    ]
    await db.execute(SQL.insert_payments, bucket, rows)


async def use_codes(
    db: Connection, bucket: int, codes: Mapping[UUID, Presented], at: datetime
) -> frozenset[UUID]:
    """Mark pay codes as used, each by the one that shows it first; returns who got theirs.

    A code that was stopped since it was read, or whose device is signed in no more, is nobody's.

    codes  by payment or ride: the code that it was brought by
    """
    rows = await db.fetch(
        SQL.use_codes,
        bucket,
        [code.code_id for code in codes.values()],
        list(codes),
        at,
        [code.device_id for code in codes.values()],
        [code.made_at for code in codes.values()],
        [code.handle_name for code in codes.values()],
    )
    return frozenset(row["payment_id"] for row in rows)


async def forget_codes(db: Connection, bucket: int, before: datetime, limit: int) -> int:
    """Forget codes that were used so long ago that nobody could show them again; returns how many."""
    return len(await db.fetch(SQL.forget_codes, bucket, before, limit))


async def update_payments(db: Connection, bucket: int, payments: Sequence[Payment]) -> None:
    """Write what may change of payments: state, parts, amounts. Their people are locked."""
    await db.execute(
        SQL.update_payments,
        bucket,
        [p.id for p in payments],
        [p.status for p in payments],
        [p.funding.use_wallet for p in payments],
        [p.funding.line_id for p in payments],
        [p.funding.tenor for p in payments],
        [p.funding.merchant_share_ppm for p in payments],
        [p.wallet_minor for p in payments],
        [p.credit_minor for p in payments],
        [p.captured_minor for p in payments],
        [p.fee_minor for p in payments],
        [p.refunded_minor for p in payments],
        [p.wallet_refunded_minor for p in payments],
        [p.wallet_hold_id for p in payments],
        [p.line_hold_id for p in payments],
        [p.decision_id for p in payments],
        [" ".join(p.reasons) for p in payments],
        [p.confirmed_by for p in payments],
        [p.expires_at for p in payments],
        [p.captured_at for p in payments],
        [p.funding.campaign_id for p in payments],
        [p.campaign_minor for p in payments],
        [p.campaign_held_minor for p in payments],
        [p.needs.code if p.needs is not None else None for p in payments],
        [p.funding.wallet_minor for p in payments],
    )


async def load_payments(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Payment]:
    """Payments by id; an unknown id is absent. Under the payers' locks what is read cannot change."""
    return {row["id"]: _payment(row) for row in await db.fetch(SQL.load_payments, bucket, list(ids))}


async def load_due_payments(db: Connection, bucket: int, at: datetime, limit: int) -> list[Payment]:
    """Payments whose time to be confirmed, captured or reviewed has passed."""
    return [_payment(row) for row in await db.fetch(SQL.load_due_payments, bucket, at, limit)]


async def payers_of_due_payments(db: Connection, bucket: int, at: datetime, limit: int) -> list[UUID]:
    """Whose rows an expiry has to lock."""
    return [row["payer_id"] for row in await db.fetch(SQL.payers_of_due_payments, bucket, at, limit)]


async def list_payments(
    db: Connection, buckets: Sequence[int], wanted: PaymentFilter, before: UUID | None, limit: int
) -> list[Payment]:
    """Payments that a filter wants, newest first; `before` is the last id of the page before."""
    rows = await db.fetch(
        SQL.list_payments,
        list(buckets),
        wanted.payer_id,
        wanted.merchant_id,
        wanted.status,
        wanted.order_no,
        wanted.only,
        before,
        limit,
    )
    return [_payment(row) for row in rows]


async def sum_sales(
    db: Connection, buckets: Sequence[int], merchant_id: UUID, began_from: UUID, from_at: datetime, limit: int
) -> Sales:
    """What a merchant took from an instant on, over its newest payments."""
    row = await db.fetchrow(SQL.sum_sales, list(buckets), merchant_id, began_from, from_at, limit)
    assert row is not None, "a sum is always one row"
    return Sales(row["payments"], row["gross_minor"], row["credit_minor"])
