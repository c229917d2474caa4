"""Endpoints, deliveries and the reading of events for callers."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.followers import EventRow
from wufeng.base.sql import load
from wufeng.base.webhooks.model import Attempt, Delivery, DeliveryStatus, Endpoint, EndpointStatus
from wufeng.base.webhooks.rules import WHOLE_ROW, Outcome, Position

SQL = load(__file__)


class NewDelivery(Struct, frozen=True):
    """A delivery to be made."""

    id: UUID
    endpoint_id: UUID
    event_seq: int
    event_index: int
    type: str
    object_id: UUID


class Claimed(Struct, frozen=True):
    """A delivery that is ours to send until its lease ends; `sendings` proves it afterwards."""

    id: UUID
    endpoint_id: UUID
    event_seq: int
    event_index: int
    attempts: int
    sendings: int
    round_began_at: datetime
    url: str
    secret: bytes
    merchant_id: UUID | None
    status: EndpointStatus


class Room(Struct, frozen=True):
    """How many deliveries may be claimed: of some endpoints, of each other one, in all."""

    of_endpoint: Mapping[UUID, int]
    each: int
    in_all: int


def _endpoint(row: Record) -> Endpoint:
    return Endpoint(**dict(row) | {"types": tuple(row["types"]), "status": EndpointStatus(row["status"])})


def _delivery(row: Record) -> Delivery:
    return Delivery(**dict(row) | {"status": DeliveryStatus(row["status"])})


async def insert_endpoint(db: Connection, endpoint: Endpoint, sealed_secret: bytes) -> None:
    """Store a new endpoint."""
    await db.execute(
        SQL.insert_endpoint,
        endpoint.id,
        endpoint.book,
        endpoint.merchant_id,
        endpoint.url,
        list(endpoint.types),
        sealed_secret,
        endpoint.created_at,
    )


async def load_endpoints(db: Connection, book: int, merchant_id: UUID | None) -> list[Endpoint]:
    """A merchant's endpoints, or the platform's (None), oldest first, without the deleted ones."""
    return [_endpoint(row) for row in await db.fetch(SQL.load_endpoints, book, merchant_id)]


async def load_endpoint(db: Connection, book: int, merchant_id: UUID | None, id_: UUID) -> Endpoint | None:
    """One endpoint of an owner, also a deleted one."""
    row = await db.fetchrow(SQL.load_endpoint, id_, book, merchant_id)
    return None if row is None else _endpoint(row)


async def load_enabled_endpoints(db: Connection, book: int) -> list[Endpoint]:
    """All endpoints of a book that want events now."""
    return [_endpoint(row) for row in await db.fetch(SQL.load_enabled_endpoints, book)]


async def delete_endpoint(db: Connection, book: int, merchant_id: UUID | None, id_: UUID) -> Endpoint | None:
    """Delete an owner's endpoint; None if there is none."""
    row = await db.fetchrow(SQL.delete_endpoint, id_, book, merchant_id)
    return None if row is None else _endpoint(row)


async def disable_endpoint(db: Connection, id_: UUID) -> None:
    """Send nothing to an endpoint any more."""
    await db.execute(SQL.disable_endpoint, id_)


async def insert_deliveries(db: Connection, bucket: int, at: datetime, new: Sequence[NewDelivery]) -> None:
    """Add deliveries, due at once; those that exist stay as they are."""
    await db.execute(
        SQL.insert_deliveries,
        bucket,
        at,
        [d.id for d in new],
        [d.endpoint_id for d in new],
        [d.event_seq for d in new],
        [d.event_index for d in new],
        [d.type for d in new],
        [d.object_id for d in new],
    )


async def claim_deliveries(
    db: Connection, bucket: int, book: int, at: datetime, lease_until: datetime, room: Room
) -> list[Claimed]:
    """Take due deliveries of a bucket as far as there is room, those that are due longest first."""
    rows = await db.fetch(
        SQL.claim_deliveries,
        bucket,
        book,
        at,
        lease_until,
        list(room.of_endpoint),
        list(room.of_endpoint.values()),
        room.each,
        room.in_all,
    )
    return [Claimed(**dict(row) | {"status": EndpointStatus(row["status"])}) for row in rows]


async def record_attempt(
    db: Connection, bucket: int, delivery_id: UUID, at: datetime, attempt: Attempt, outcome: Outcome
) -> None:
    """Move a delivery by what a sending gave, if its lease is still ours, and log the sending."""
    ended_at = None if outcome.status is DeliveryStatus.WAITING else at
    await db.execute(
        SQL.record_attempt,
        bucket,
        delivery_id,
        attempt.number,
        outcome.status.value,
        outcome.due_at,
        ended_at,
        attempt.at,
        attempt.took_ms,
        attempt.response_status,
        attempt.failure,
    )


async def load_delivery(db: Connection, bucket: int, id_: UUID) -> Delivery | None:
    """One delivery."""
    row = await db.fetchrow(SQL.load_delivery, bucket, id_)
    return None if row is None else _delivery(row)


async def load_deliveries(
    db: Connection, bucket: int, endpoint_id: UUID, before: tuple[datetime, UUID], limit: int
) -> list[Delivery]:
    """Deliveries of an endpoint from one bucket, the latest first, made before (created_at, id)."""
    return [
        _delivery(row) for row in await db.fetch(SQL.load_deliveries, bucket, endpoint_id, *before, limit)
    ]


async def load_attempts(
    db: Connection, bucket: int, delivery_ids: Collection[UUID]
) -> dict[UUID, list[Attempt]]:
    """The log of some deliveries of a bucket."""
    log: dict[UUID, list[Attempt]] = {id_: [] for id_ in delivery_ids}
    for row in await db.fetch(SQL.load_attempts, bucket, list(delivery_ids)):
        fields = dict(row)
        log[fields.pop("delivery_id")].append(Attempt(**fields))
    return log


async def resend_delivery(db: Connection, bucket: int, id_: UUID, at: datetime) -> bool:
    """Let an ended delivery begin again; False if it is waiting already."""
    return await db.fetchval(SQL.resend_delivery, bucket, id_, at) is not None


async def forget_deliveries(db: Connection, bucket: int, before: datetime, at_most: int) -> int:
    """Delete ended deliveries made before an instant, with their log; returns how many."""
    return len(await db.fetch(SQL.forget_deliveries, bucket, before, at_most))


async def read_events_at(db: Connection, bucket: int, seqs: Collection[int]) -> dict[int, EventRow]:
    """Some events of a bucket by their numbers."""
    return {
        row["seq"]: EventRow(**dict(row)) for row in await db.fetch(SQL.read_events_at, bucket, list(seqs))
    }


async def read_events_from(
    db: Connection, bucket: int, position: Position, merchant_id: UUID | None, limit: int
) -> list[EventRow]:
    """A bucket's events from a position on, a merchant's or all; a row read in part comes again."""
    from_seq = position.seq + 1 if position.index == WHOLE_ROW else position.seq
    if merchant_id is None:
        rows = await db.fetch(SQL.read_book_events, bucket, from_seq, limit)
    else:
        rows = await db.fetch(SQL.read_merchant_events, bucket, from_seq, limit, merchant_id)
    return [EventRow(**dict(row)) for row in rows]


async def read_heads(db: Connection, buckets: Sequence[int]) -> dict[int, int]:
    """The committed heads of buckets."""
    return {row["bucket"]: row["seq"] for row in await db.fetch(SQL.read_heads, list(buckets))}
