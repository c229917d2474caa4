"""Rides, charges of days and merchants' terms in their tables."""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

import asyncpg

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.payments.pay.model import Funding
from wufeng.payments.rides.model import ChargeStatus, Ride, RideCharge

SQL = load(__file__)

Name = tuple[UUID, UUID, str]
"""Rider, merchant and the merchant's number of the ride."""
Day = tuple[UUID, UUID, date]
"""Rider, merchant and business date."""


def _charge(row: asyncpg.Record) -> RideCharge:
    return RideCharge(
        id=row["id"],
        payer_id=row["payer_id"],
        merchant_id=row["merchant_id"],
        business_on=row["business_on"],
        rides=row["rides"],
        fares_minor=row["fares_minor"],
        due_minor=row["due_minor"],
        day_cap_minor=row["day_cap_minor"],
        funding=Funding(row["use_wallet"], row["line_id"], row["tenor"]),
        status=ChargeStatus(row["status"]),
        payment_id=row["payment_id"],
        order_id=row["order_id"],
        tries=row["tries"],
        tried_on=row["tried_on"],
        created_at=row["created_at"],
    )


def _ride(row: asyncpg.Record) -> Ride:
    return Ride(
        id=row["id"],
        charge_id=row["charge_id"],
        payer_id=row["payer_id"],
        merchant_id=row["merchant_id"],
        ride_no=row["ride_no"],
        fare_minor=row["fare_minor"],
        due_minor=row["due_minor"],
        code_id=row["code_id"],
        device_id=row["device_id"],
        business_on=row["business_on"],
        created_at=row["created_at"],
    )


async def load_by_no(db: Connection, bucket: int, names: Sequence[Name]) -> dict[Name, Ride]:
    """Rides by their merchants' numbers; one that was not taken is absent."""
    rows = await db.fetch(
        SQL.load_by_no,
        bucket,
        [payer for payer, _, _ in names],
        [merchant for _, merchant, _ in names],
        [number for _, _, number in names],
    )
    return {(row["payer_id"], row["merchant_id"], row["ride_no"]): _ride(row) for row in rows}


async def insert_rides(db: Connection, bucket: int, rides: Sequence[Ride]) -> None:
    """Append rides."""
    await db.execute(
        SQL.insert_rides,
        bucket,
        [ride.id for ride in rides],
        [ride.charge_id for ride in rides],
        [ride.payer_id for ride in rides],
        [ride.merchant_id for ride in rides],
        [ride.ride_no for ride in rides],
        [ride.fare_minor for ride in rides],
        [ride.due_minor for ride in rides],
        [ride.code_id for ride in rides],
        [ride.device_id for ride in rides],
        [ride.business_on for ride in rides],
        [ride.created_at for ride in rides],
    )


async def write_charges(db: Connection, bucket: int, charges: Sequence[RideCharge]) -> None:
    """Write charges, new and changed ones, each once."""
    await db.execute(
        SQL.write_charges,
        bucket,
        [c.id for c in charges],
        [c.payer_id for c in charges],
        [c.merchant_id for c in charges],
        [c.business_on for c in charges],
        [c.rides for c in charges],
        [c.fares_minor for c in charges],
        [c.due_minor for c in charges],
        [c.day_cap_minor for c in charges],
        [c.funding.use_wallet for c in charges],
        [c.funding.line_id for c in charges],
        [c.funding.tenor for c in charges],
        [c.status for c in charges],
        [c.payment_id for c in charges],
        [c.order_id for c in charges],
        [c.tries for c in charges],
        [c.tried_on for c in charges],
        [c.created_at for c in charges],
    )


async def load_owed(db: Connection, bucket: int, payers: Collection[UUID]) -> list[RideCharge]:
    """What people have ridden and not paid. Under their locks it cannot change."""
    return [_charge(row) for row in await db.fetch(SQL.load_owed, bucket, list(payers))]


async def load_day_sums(
    db: Connection, bucket: int, payers: Collection[UUID], dates: Collection[date]
) -> dict[Day, int]:
    """What rides of people cost on dates, by merchant, paid or not."""
    rows = await db.fetch(SQL.load_day_sums, bucket, list(payers), list(dates))
    return {(row["payer_id"], row["merchant_id"], row["business_on"]): row["due_minor"] for row in rows}


async def load_charges(db: Connection, bucket: int, ids: Collection[UUID]) -> dict[UUID, RideCharge]:
    """Charges by id; an unknown one is absent."""
    return {row["id"]: _charge(row) for row in await db.fetch(SQL.load_charges, bucket, list(ids))}


async def list_charges(
    db: Connection,
    buckets: Sequence[int],
    payer_id: UUID | None,
    merchant_id: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[RideCharge]:
    """Charges of a person or a merchant, the newest first; `before` is the last of the page before."""
    rows = await db.fetch(SQL.list_charges, list(buckets), payer_id, merchant_id, before, limit)
    return [_charge(row) for row in rows]


async def list_rides(
    db: Connection,
    buckets: Sequence[int],
    payer_id: UUID | None,
    merchant_id: UUID | None,
    only: UUID | None,
    before: UUID | None,
    limit: int,
) -> list[Ride]:
    """Rides of a person or a merchant, the newest first; `before` is the last of the page before."""
    rows = await db.fetch(SQL.list_rides, list(buckets), payer_id, merchant_id, only, before, limit)
    return [_ride(row) for row in rows]


async def payers_of_due(
    db: Connection, bucket: int, after: UUID, through_on: date, on: date, tries_max: int, limit: int
) -> list[UUID]:
    """Whose rides are to be charged: those of dates up to one, debts that were not tried on `on`, and what waits."""
    rows = await db.fetch(SQL.payers_of_due, bucket, after, through_on, on, tries_max, limit)
    return [row["payer_id"] for row in rows]


async def load_terms(db: Connection, merchants: Collection[UUID]) -> dict[UUID, int]:
    """The day caps that merchants have set; one that has set none is absent."""
    rows = await db.fetch(SQL.load_terms, list(merchants))
    return {row["merchant_id"]: row["day_cap_minor"] for row in rows}


async def write_terms(
    db: Connection, merchant_id: UUID, book_id: int, day_cap_minor: int, at: datetime
) -> None:
    """Set a merchant's day cap."""
    await db.execute(SQL.write_terms, merchant_id, book_id, day_cap_minor, at)
