"""What is decided about events and deliveries: their public form, cursors, back-off. No I/O, no clock."""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng.base.errors import Problem, invalid_field
from wufeng.base.followers import EventRow
from wufeng.base.ids import Prefix, encode
from wufeng.base.webhooks.model import DeliveryStatus, Endpoint, EndpointStatus, PublicEvent

INDEX_BITS = 4
WHOLE_ROW = (1 << INDEX_BITS) - 1

RETRY_AFTER_S = (2, 10, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 72_000)
"""Pauses after the first, second, … failed attempt: twelve attempts within 72 hours.

The first are short, for a receiver that is being deployed; from 300 on they are those of Standard Webhooks.
"""
GIVE_UP_AFTER = timedelta(days=3)
JITTER_PPM = 100_000
"""A pause is up to a tenth shorter or longer, so that the deliveries of one outage do not come back as one.
"""
RETRY_AFTER_MAX_S = 3_600
TYPES_MAX = 64
URL_MAX = 2_000


def event_id(row: EventRow, index: int) -> UUID:
    """The id of a public event: millisecond, index, seq and bucket of its row, in the form of a UUIDv7.

    The last 16 bits are the bucket's number, not a slot: an event belongs to a bucket's history.
    """
    assert 0 <= index < WHOLE_ROW, "a row tells at most 15 public events"
    millis = int(row.at.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    return UUID(int=millis << 80 | 0x7 << 76 | index << 64 | 0b10 << 62 | row.seq << 16 | row.bucket)


def delivery_id(endpoint_id: UUID, bucket: int, seq: int, index: int) -> UUID:
    """The id of an event's delivery to an endpoint, the same however often it is made.

    It ends in the bucket.
    """
    key = endpoint_id.bytes + seq.to_bytes(8) + index.to_bytes(1) + bucket.to_bytes(2)
    digest = int.from_bytes(hashlib.blake2b(key, digest_size=16).digest())
    return UUID(int=digest >> 16 << 16 | bucket)


def bucket_in(id_: UUID) -> int:
    """The bucket that an event's or delivery's id names."""
    return id_.int & 0xFFFF


def public_form(row: EventRow, event: PublicEvent) -> bytes:
    """The JSON of an event: the same bytes in the list and by webhook."""
    assert event.data.startswith(b"{"), "the data of an event is a JSON object"
    id_ = encode(Prefix.EVENT, event_id(row, event.index))
    timestamp = msgspec.json.encode(row.at.astimezone(UTC)).decode()  # as in every other answer of the API
    head = (
        f'{{"id":"{id_}","object":"event","type":"{event.type}","timestamp":{timestamp},'
        f'"data":{{"business_date":"{row.business_on.isoformat()}"'
    )
    rest = event.data[1:]
    return head.encode() + (b"" if rest == b"}" else b",") + rest + b"}"


def wanted(endpoint: Endpoint, row: EventRow, event: PublicEvent) -> bool:
    """Whether an endpoint asked for an event."""
    if endpoint.merchant_id is not None and endpoint.merchant_id != row.merchant_id:
        return False
    return not endpoint.types or event.type in endpoint.types


class Outcome(Struct, frozen=True):
    """What one attempt makes of a delivery and of its endpoint."""

    status: DeliveryStatus
    due_at: datetime | None
    endpoint: EndpointStatus


def decide_attempt(
    attempts: int,
    round_began_at: datetime,
    at: datetime,
    response_status: int | None,
    retry_after_s: int | None,
    jitter_ppm: int,
) -> Outcome:
    """What follows from an attempt, the `attempts`-th of its round, that ended at `at`.

    response_status  None: no answer      jitter_ppm  drawn by chance, -JITTER_PPM..JITTER_PPM
    2xx delivers; 410 says that the receiver wants no more, and disables the endpoint; all else fails,
    redirects too. Source: Standard Webhooks, "Deliverability and reliability".
    """
    assert attempts >= 1
    if response_status is not None and 200 <= response_status < 300:
        return Outcome(DeliveryStatus.DELIVERED, None, EndpointStatus.ENABLED)
    if response_status == 410:
        return Outcome(DeliveryStatus.DEAD, None, EndpointStatus.DISABLED)
    if attempts > len(RETRY_AFTER_S) or at - round_began_at >= GIVE_UP_AFTER:
        return Outcome(DeliveryStatus.DEAD, None, EndpointStatus.ENABLED)
    pause_s = RETRY_AFTER_S[attempts - 1]
    pause = timedelta(microseconds=pause_s * (1_000_000 + jitter_ppm))
    asked = timedelta(seconds=min(retry_after_s or 0, RETRY_AFTER_MAX_S))
    return Outcome(DeliveryStatus.WAITING, at + max(pause, asked), EndpointStatus.ENABLED)


def check_url(url: str, *, plain_http: bool) -> None:
    """Refuse what can never be a receiver's address. Where it leads is checked at each connection."""
    if len(url) > URL_MAX or not url.isascii() or any(letter <= " " or letter == "\\" for letter in url):
        raise invalid_field("/url", f"At most {URL_MAX} ASCII letters without spaces are expected.")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise invalid_field("/url", "This is not a URL.") from None
    if parts.scheme not in (("https", "http") if plain_http else ("https",)):
        raise invalid_field("/url", "It must begin with https://" + (" or http://." if plain_http else "."))
    if not host:
        raise invalid_field("/url", "It names no host.")
    if parts.username is not None or parts.password is not None:
        raise invalid_field("/url", "It must not carry a log-in.")
    if parts.fragment:
        raise invalid_field("/url", "It must not carry a fragment.")


def check_types(types: Sequence[str], known: frozenset[str]) -> None:
    """Refuse event types that do not exist."""
    if len(types) > TYPES_MAX:
        raise invalid_field("/types", f"At most {TYPES_MAX} types.")
    for place, name in enumerate(types):
        if name not in known:
            raise invalid_field(f"/types/{place}", f"There is no event type {name[:60]!r}.")


class Position(Struct, frozen=True, order=True):
    """A place in a bucket's events: all up to (seq, index) has been read."""

    seq: int
    index: int = WHOLE_ROW


def write_cursor(positions: Mapping[int, Position]) -> str:
    """The opaque cursor: a position a bucket."""
    flat = {str(bucket): p.seq << INDEX_BITS | p.index for bucket, p in sorted(positions.items()) if p.seq}
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(flat)).rstrip(b"=").decode()


def read_cursor(text: str | None, heads: Mapping[int, int]) -> dict[int, Position]:
    """Read a cursor of `write_cursor`; None, and a bucket that it does not name, begin at the start.

    heads  the last number of each bucket of the book
    Raises Problem for what this API never gave: also for a place ahead of the head, as a cursor of before a
    restored backup may have. Taken as it is, it would pass over events in silence.
    """
    given = {} if text is None else _decode_cursor(text)
    for bucket, place in given.items():
        if bucket not in heads or not 0 <= place >> INDEX_BITS <= heads[bucket]:
            raise bad_cursor()
    places = {bucket: given.get(bucket, WHOLE_ROW) for bucket in heads}
    return {bucket: Position(place >> INDEX_BITS, place & WHOLE_ROW) for bucket, place in places.items()}


def _decode_cursor(text: str) -> dict[int, int]:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        flat = msgspec.msgpack.decode(raw, type=dict[str, int])
        return {int(bucket): place for bucket, place in flat.items()}
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise bad_cursor() from None


def bad_cursor() -> Problem:
    """The answer to an `after` that this API never gave."""
    return invalid_field("after", "This cursor was not given by this API.")
