"""Orders in their tables. An order is homed by its own hash, mostly in another bucket than its payer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.identity.merchants.model import Scene
from wufeng.payments.orders.model import Channel, Order, OrderState, OrderTerms, Receipt, Taking

SQL = load(__file__)


def _order(row: asyncpg.Record) -> Order:
    return Order(
        terms=OrderTerms(
            id=row["id"],
            merchant_id=row["merchant_id"],
            order_no=row["order_no"],
            amount_minor=row["amount_minor"],
            currency=row["currency"],
            subject=row["subject"],
            scene=Scene(row["scene"]),
            receipt=Receipt(row["receipt"]),
            expires_at=row["expires_at"],
            metadata=row["metadata"],
            channel=Channel(row["channel"]),
        ),
        state=OrderState(row["state"]),
        payment_id=row["payment_id"],
        payer_id=row["payer_id"],
        paid_at=row["paid_at"],
        shipped_at=row["shipped_at"],
        receipt_confirmed_at=row["receipt_confirmed_at"],
        created_at=row["created_at"],
    )


async def insert_orders(
    db: Connection,
    book: Book,
    orders: Sequence[OrderTerms],
    takings: Sequence[Taking | None],
    at: datetime,
) -> dict[UUID, Order]:
    """Make orders that do not exist yet; returns the ones that did, locked, as they are.

    takings  for each order the payment that takes it in the very batch, so that its row is written once; None makes an
             open order. Two orders of one call have different ids.
    """
    rows = sorted(
        (
            (book.bucket_of(order.id), order.id.int, order, taking)
            for order, taking in zip(orders, takings, strict=True)
        ),
        key=_place,
    )
    in_order = [row[2] for row in rows]
    values = [
        (
            bucket,
            order.id,
            book.id,
            order.merchant_id,
            order.order_no,
            order.amount_minor,
            order.currency,
            order.subject,
            order.scene,
            order.receipt,
            order.metadata,
            taking.state if taking else OrderState.OPEN,
            taking.payment_id if taking else None,
            taking.payer_id if taking else None,
            order.expires_at,
            at if taking and taking.state is OrderState.PAID else None,
            None,
            None,
            at,
            order.channel,
        )
        for bucket, _, order, taking in rows
    ]
    fresh = await db.fetch(SQL.insert_orders, values)
    if len(fresh) == len(in_order):
        return {}
    inserted = {row["id"] for row in fresh}
    return await lock_orders(db, book, [order.id for order in in_order if order.id not in inserted])


def _place(row: tuple[int, int, OrderTerms, Taking | None]) -> tuple[int, int]:
    """The one order in which claims are inserted and locked: by bucket, then id."""
    return row[0], row[1]


async def lock_orders(db: Connection, book: Book, ids: Sequence[UUID]) -> dict[UUID, Order]:
    """Lock orders, in their one order; an unknown id is absent."""
    rows = await db.fetch(SQL.lock_orders, sorted({book.bucket_of(id_) for id_ in ids}), list(ids))
    return {row["id"]: _order(row) for row in rows}


async def load_order(db: Connection, bucket: int, id_: UUID) -> Order | None:
    """One order as it stands."""
    row = await db.fetchrow(SQL.load_order, bucket, id_)
    return None if row is None else _order(row)


async def load_orders(db: Connection, buckets: Sequence[int], ids: Sequence[UUID]) -> list[Order]:
    """Orders by id, in no order; an unknown id is absent."""
    return [_order(row) for row in await db.fetch(SQL.load_orders, buckets, ids)]


async def list_orders(
    db: Connection,
    buckets: Sequence[int],
    merchant_id: UUID,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[Order]:
    """A merchant's orders, newest first; `before` is the (created_at, id) of the last one of the page before."""
    before_at, before_id = before or (None, None)
    rows = await db.fetch(SQL.list_orders, list(buckets), merchant_id, before_at, before_id, limit)
    return [_order(row) for row in rows]


async def search_orders(
    db: Connection, buckets: Sequence[int], merchant_id: UUID, begins: str, among: int, limit: int
) -> list[Order]:
    """Of a merchant's newest orders those whose number begins so, newest first."""
    rows = await db.fetch(SQL.search_orders, list(buckets), merchant_id, begins, among, limit)
    return [_order(row) for row in rows]


async def settle_orders(
    db: Connection, book: Book, orders: Mapping[UUID, tuple[UUID, Taking | None]], at: datetime
) -> None:
    """Write what payments did to orders that this transaction has locked or made.

    orders  by id: the payment that speaks, and its taking; None frees the order, if that payment holds it
    """
    holders = [payment for payment, _ in orders.values()]
    takings = [taking for _, taking in orders.values()]
    await db.execute(
        SQL.settle_orders,
        [book.bucket_of(order) for order in orders],
        list(orders),
        holders,
        [taking.payment_id if taking else None for taking in takings],
        [taking.payer_id if taking else None for taking in takings],
        [taking.state if taking else OrderState.OPEN for taking in takings],
        at,
    )


async def move_orders(db: Connection, book: Book, states: Mapping[UUID, OrderState], at: datetime) -> None:
    """Move locked orders on to shipped, receipt_confirmed or closed."""
    buckets = [book.bucket_of(order) for order in states]
    await db.execute(SQL.move_orders, buckets, list(states), list(states.values()), at)


async def expire_orders(db: Connection, bucket: int, at: datetime, limit: int) -> int:
    """Close open, free orders whose time has passed; returns how many."""
    return len(await db.fetch(SQL.expire_orders, bucket, at, limit))
