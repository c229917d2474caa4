"""What callers read of their endpoints and deliveries, in the form of the API."""

from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import invalid_field, not_found
from wufeng.base.followers import EventRow
from wufeng.base.ids import Prefix, encode
from wufeng.base.webhooks import rules, store
from wufeng.base.webhooks.model import Attempt, Delivery, DeliveryStatus, Endpoint, EndpointStatus

_FROM_THE_LATEST = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=0))


class EndpointView(Struct, frozen=True, kw_only=True):
    """An endpoint as the API shows it; `secret` only in the answer that makes it, once."""

    id: str
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    created_at: datetime
    url: str
    types: list[str]
    status: EndpointStatus
    secret: str | UnsetType = UNSET


class EndpointList(Struct, frozen=True, kw_only=True):
    """All endpoints of an owner: there are few."""

    data: list[EndpointView]
    next: str | None = None
    has_more: bool = False


class DeliveryView(Struct, frozen=True, kw_only=True):
    """A delivery as the API shows it, with the log of its sendings."""

    id: str
    object: Literal["delivery"] = "delivery"
    created_at: datetime
    webhook_endpoint: str
    event: str
    type: str
    status: DeliveryStatus
    next_attempt_at: datetime | None
    attempts: list[Attempt]


class DeliveryList(Struct, frozen=True, kw_only=True):
    """A page of deliveries, the latest first."""

    data: list[DeliveryView]
    next: str | None
    has_more: bool


def endpoint_view(endpoint: Endpoint, secret: str | UnsetType = UNSET) -> EndpointView:
    """An endpoint as the API shows it."""
    return EndpointView(
        id=encode(Prefix.WEBHOOK_ENDPOINT, endpoint.id),
        created_at=endpoint.created_at,
        url=endpoint.url,
        types=list(endpoint.types),
        status=endpoint.status,
        secret=secret,
    )


async def list_endpoints(db: Connection, book: Book, merchant_id: UUID | None) -> EndpointList:
    """A merchant's endpoints, or the platform's (None), oldest first."""
    endpoints = await store.load_endpoints(db, book.id, merchant_id)
    return EndpointList(data=[endpoint_view(endpoint) for endpoint in endpoints])


async def list_deliveries(
    db: Connection,
    book: Book,
    merchant_id: UUID | None,
    endpoint_id: UUID,
    *,
    limit: int,
    starting_after: UUID | None = None,
) -> DeliveryList:
    """Deliveries to an owner's endpoint, the latest first. Raises not_found for another's endpoint."""
    if await store.load_endpoint(db, book.id, merchant_id, endpoint_id) is None:
        raise not_found("webhook endpoint")
    before = await _place_of(db, book, endpoint_id, starting_after)
    found: list[Delivery] = []
    for bucket in book.buckets:
        found += await store.load_deliveries(db, bucket, endpoint_id, before, limit + 1)
    found.sort(key=lambda delivery: (delivery.created_at, delivery.id), reverse=True)
    views = await _views(db, found[:limit])
    has_more = len(found) > limit
    return DeliveryList(data=views, next=views[-1].id if has_more else None, has_more=has_more)


async def delivery_view(db: Connection, delivery: Delivery) -> DeliveryView:
    """One delivery as the API shows it."""
    (view,) = await _views(db, [delivery])
    return view


async def _place_of(
    db: Connection, book: Book, endpoint_id: UUID, starting_after: UUID | None
) -> tuple[datetime, UUID]:
    if starting_after is None:
        return _FROM_THE_LATEST
    bucket = rules.bucket_in(starting_after)
    last = await store.load_delivery(db, bucket, starting_after) if bucket in book.buckets else None
    if last is None or last.endpoint_id != endpoint_id:
        raise invalid_field("starting_after", "It names no delivery of this list.")
    return last.created_at, last.id


async def _views(db: Connection, deliveries: list[Delivery]) -> list[DeliveryView]:
    attempts: dict[UUID, list[Attempt]] = {}
    events: dict[tuple[int, int], EventRow] = {}
    for bucket in {delivery.bucket for delivery in deliveries}:
        here = [delivery for delivery in deliveries if delivery.bucket == bucket]
        attempts |= await store.load_attempts(db, bucket, [delivery.id for delivery in here])
        rows = await store.read_events_at(db, bucket, {delivery.event_seq for delivery in here})
        events |= {(bucket, seq): row for seq, row in rows.items()}
    return [
        _view(delivery, events[delivery.bucket, delivery.event_seq], attempts[delivery.id])
        for delivery in deliveries
    ]


def _view(delivery: Delivery, row: EventRow, attempts: list[Attempt]) -> DeliveryView:
    return DeliveryView(
        id=encode(Prefix.DELIVERY, delivery.id),
        created_at=delivery.created_at,
        webhook_endpoint=encode(Prefix.WEBHOOK_ENDPOINT, delivery.endpoint_id),
        event=encode(Prefix.EVENT, rules.event_id(row, delivery.event_index)),
        type=delivery.type,
        status=delivery.status,
        next_attempt_at=delivery.due_at if delivery.status is DeliveryStatus.WAITING else None,
        attempts=attempts,
    )
