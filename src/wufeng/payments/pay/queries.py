"""Payments as they are read: from the primary, as their callers may see them."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from uuid import UUID

from wufeng import credit
from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.ids import first_id_of
from wufeng.identity.people.queries import wallets_of_people
from wufeng.payments.catalogue import Catalogue
from wufeng.payments.pay import store
from wufeng.payments.pay.model import Payment, PaymentFilter, Reader, Sales
from wufeng.payments.pay.views import DrawFacts, PaymentView, facts_of_draw, view_payment

AUTHORISED_AT_MOST = timedelta(days=31)
"""How long before its capture a payment may have begun, generously."""

SALES_MAX = 50_000
"""How many payments one sum reads at most."""


async def load_payment(db: Connection, book: Book, payment_id: UUID) -> Payment | None:
    """One payment of a book, whoever's it is; None when there is none."""
    return (await store.load_payments(db, book.bucket_of(payment_id), [payment_id])).get(payment_id)


async def load_payments_of_bucket(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, Payment]:
    """Payments of one bucket by id; an unknown id is absent."""
    return await store.load_payments(db, bucket, ids)


async def list_payments(
    db: Connection, book: Book, wanted: PaymentFilter, before: UUID | None, limit: int
) -> list[Payment]:
    """Payments of a book, the newest first; `before` is the last id of the page before. A payer's are in one bucket."""
    buckets = [book.bucket_of(wanted.payer_id)] if wanted.payer_id is not None else book.buckets
    return await store.list_payments(db, buckets, wanted, before, limit)


async def sales_of(db: Connection, book: Book, merchant_id: UUID, on: date) -> Sales:
    """What a merchant took on a business date and since, of its newest 50,000 payments."""
    from_at = book.start_of(on)
    began_from = first_id_of(from_at - AUTHORISED_AT_MOST)
    return await store.sum_sales(db, book.buckets, merchant_id, began_from, from_at, SALES_MAX)


async def show_payments(
    db: Connection,
    catalogue: Catalogue,
    book: Book,
    payments: Sequence[Payment],
    reader: Reader,
    language: str,
) -> list[PaymentView]:
    """Payments with their draws as one reader sees them: three statements a bucket."""
    by_bucket: dict[int, list[Payment]] = {}
    for payment in payments:
        by_bucket.setdefault(book.bucket_of(payment.id), []).append(payment)
    views: dict[UUID, PaymentView] = {}
    for bucket, found in by_bucket.items():
        with_credit = [payment.id for payment in found if payment.credit_minor and payment.captured_minor]
        lines = await credit.load_states(
            db, bucket, [payment.funding.line_id for payment in found if payment.funding.line_id]
        )
        drawn: dict[UUID, tuple[DrawFacts, ...]] = {}
        for draw in await credit.draws_of_payments(db, bucket, with_credit) if with_credit else ():
            assert draw.payment_id is not None, "a payment made it"
            facts = facts_of_draw(draw, lines[draw.line_id].line, catalogue.products)
            drawn[draw.payment_id] = (*drawn.get(draw.payment_id, ()), facts)
        wallets = await wallets_of_people(db, bucket, {payment.payer_id for payment in found})
        for payment in found:
            line = lines.get(payment.funding.line_id) if payment.funding.line_id else None
            views[payment.id] = view_payment(
                payment,
                drawn.get(payment.id, ()),
                catalogue.product_of(line.line) if line is not None else None,
                wallets.get(payment.payer_id),
                book.id,
                reader,
                language,
            )
    return [views[payment.id] for payment in payments]
