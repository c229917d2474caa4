"""Rides as they are read."""

from collections.abc import Sequence
from uuid import UUID

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.payments.rides import store
from wufeng.payments.rides.model import Ride, RideCharge
from wufeng.payments.rides.policy import shipped_ride_policy
from wufeng.payments.rides.rules import owed_minor


async def load_ride(db: Connection, book: Book, ride_id: UUID) -> Ride | None:
    """One ride of a book, whoever's it is; None when there is none."""
    found = await store.list_rides(db, [book.bucket_of(ride_id)], None, None, ride_id, None, 1)
    return found[0] if found else None


async def list_rides(
    db: Connection,
    book: Book,
    payer_id: UUID | None,
    merchant_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Ride]:
    """Rides of a person or of a merchant, the newest first."""
    return await store.list_rides(db, _buckets(book, payer_id), payer_id, merchant_id, None, before, limit)


async def load_charge(db: Connection, book: Book, charge_id: UUID) -> RideCharge | None:
    """One charge of a book, whoever's it is; None when there is none."""
    return (await store.load_charges(db, book.bucket_of(charge_id), [charge_id])).get(charge_id)


async def list_charges(
    db: Connection,
    book: Book,
    payer_id: UUID | None,
    merchant_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[RideCharge]:
    """Charges of a person or of a merchant, the newest first."""
    return await store.list_charges(db, _buckets(book, payer_id), payer_id, merchant_id, before, limit)


async def fares_owed(db: Connection, book: Book, payer_id: UUID) -> int:
    """What a person has ridden and not paid."""
    return owed_minor(await store.load_owed(db, book.bucket_of(payer_id), [payer_id]))


async def day_cap_of(db: Connection, merchant_id: UUID) -> int:
    """The most that a merchant's rides of a date cost one person."""
    terms = await store.load_terms(db, [merchant_id])
    return terms.get(merchant_id, shipped_ride_policy().day_cap_minor)


def _buckets(book: Book, payer_id: UUID | None) -> Sequence[int]:
    return [book.bucket_of(payer_id)] if payer_id is not None else book.buckets
