"""What callers can ask of webhooks: plain transactions, since endpoints are small shared rows and no money
moves."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Book
from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem, not_found
from wufeng.base.ids import IdMaker
from wufeng.base.webhooks import rules, store
from wufeng.base.webhooks.model import Delivery, Endpoint, EndpointStatus
from wufeng.base.webhooks.outbound import Reach
from wufeng.base.webhooks.seal import SecretSeal, new_secret

ENDPOINTS_MAX = 16
FORGET_PIECE = 1_000


class NewEndpoint(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /v1/webhook_endpoints. No types: all."""

    url: str
    types: list[str] = []


async def create_endpoint(
    db: Connection,
    book: Book,
    merchant_id: UUID | None,
    asked: NewEndpoint,
    *,
    known_types: frozenset[str],
    reach: Reach,
    seal: SecretSeal,
    ids: IdMaker,
    at: datetime,
) -> tuple[Endpoint, str]:
    """Make an endpoint of a merchant, or of the platform (None), and its secret, which is shown once.

    It is sent what happens from now on; what the follower has not passed yet may come too.
    Raises Problem for a bad URL or type, and for a 17th endpoint.
    """
    rules.check_url(asked.url, plain_http=reach is Reach.ANYWHERE)
    rules.check_types(asked.types, known_types)
    if len(await store.load_endpoints(db, book.id, merchant_id)) >= ENDPOINTS_MAX:
        raise Problem(Code.STATE_CONFLICT, f"There are {ENDPOINTS_MAX} endpoints already: delete one first.")
    endpoint = Endpoint(
        id=ids.new_anywhere(at),
        book=book.id,
        merchant_id=merchant_id,
        url=asked.url,
        types=tuple(dict.fromkeys(asked.types)),
        status=EndpointStatus.ENABLED,
        created_at=at,
    )
    secret = new_secret()
    await store.insert_endpoint(db, endpoint, seal.seal(endpoint.id, secret))
    return endpoint, secret


async def delete_endpoint(
    db: Connection, book: Book, merchant_id: UUID | None, endpoint_id: UUID
) -> Endpoint:
    """Delete an owner's endpoint; what waits for it is given up. Raises not_found."""
    endpoint = await store.delete_endpoint(db, book.id, merchant_id, endpoint_id)
    if endpoint is None:
        raise not_found("webhook endpoint")
    return endpoint


async def resend(
    db: Connection, book: Book, merchant_id: UUID | None, delivery_id: UUID, at: datetime
) -> Delivery:
    """Send an ended delivery again, in a new round of up to three days; one that waits is left as it is.

    Later events of the object wait for it again. Raises not_found, and state_conflict if its endpoint is
    gone.
    """
    delivery = await _owned_delivery(db, book, merchant_id, delivery_id)
    endpoint = await store.load_endpoint(db, book.id, merchant_id, delivery.endpoint_id)
    if endpoint is None or endpoint.status is not EndpointStatus.ENABLED:
        raise Problem(Code.STATE_CONFLICT, "Its endpoint is disabled or deleted.")
    await store.resend_delivery(db, delivery.bucket, delivery.id, at)
    return await _owned_delivery(db, book, merchant_id, delivery_id)


async def forget_deliveries(db: Connection, book: Book, before: datetime) -> int:
    """Delete what was delivered, or given up, and is older than an instant, with its log; returns how many.

    For a timer, outside a transaction: it works in small pieces. The events themselves stay in the feed.
    """
    forgotten = 0
    for bucket in book.buckets:
        while (piece := await store.forget_deliveries(db, bucket, before, FORGET_PIECE)) > 0:
            forgotten += piece
    return forgotten


async def _owned_delivery(
    db: Connection, book: Book, merchant_id: UUID | None, delivery_id: UUID
) -> Delivery:
    bucket = rules.bucket_in(delivery_id)
    delivery = await store.load_delivery(db, bucket, delivery_id) if bucket in book.buckets else None
    if delivery is None or await store.load_endpoint(db, book.id, merchant_id, delivery.endpoint_id) is None:
        raise not_found("delivery")
    return delivery
