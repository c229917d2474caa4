"""The sender: claims due deliveries under a lease, signs and sends them, and records what came of it.

A process that dies while it sends leaves a lease that ends: the delivery is sent again. So receivers hear of
an event at least once, and tell a repetition by its `webhook-id`. Nothing here shares a lock or a connection
with payments.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct
from standardwebhooks import Webhook

from wufeng.base import faults
from wufeng.base.books import Books
from wufeng.base.clock import Clock
from wufeng.base.database import LOST, Connection, Database
from wufeng.base.errors import ConfigurationError
from wufeng.base.followers import EventRow, Follower, Stream, read_events
from wufeng.base.ids import Prefix, encode
from wufeng.base.webhooks import rules, store
from wufeng.base.webhooks.model import (
    Attempt,
    Audience,
    DeliveryStatus,
    Endpoint,
    EndpointStatus,
    Expand,
    PublicEvent,
)
from wufeng.base.webhooks.outbound import Outbound, Sent
from wufeng.base.webhooks.rules import Outcome
from wufeng.base.webhooks.seal import SecretSeal
from wufeng.base.webhooks.store import Claimed, NewDelivery

log = structlog.get_logger("wufeng.webhooks")

FOLLOWER = "webhooks"


class SenderSettings(Struct, frozen=True):
    """How deliveries are sent in one process.

    poll_s        how often to look for what is due
    lease_s       how long a claimed delivery is ours: longer than one sending may take
    of_endpoint   sendings to one endpoint at a time; a slow receiver holds up itself only
    rest_after    failures in a row after which an endpoint gets one sending at a time, with pauses up to
    rest_max_s
    """

    poll_s: float = 0.5
    lease_s: float = 60.0
    of_endpoint: int = 4
    rest_after: int = 5
    rest_max_s: float = 60.0


class _Endpoint:
    """What this process knows of a receiver: how much is under way, and whether it is worth trying."""

    __slots__ = ("failures", "rests_until_s", "under_way")

    def __init__(self) -> None:
        self.under_way = 0
        self.failures = 0
        self.rests_until_s = 0.0

    def is_busy(self, settings: SenderSettings, now_s: float) -> bool:
        if self.failures < settings.rest_after:
            return self.under_way >= settings.of_endpoint
        return self.under_way > 0 or now_s < self.rests_until_s

    def note(self, settings: SenderSettings, now_s: float, outcome: DeliveryStatus) -> None:
        if outcome is DeliveryStatus.DELIVERED:
            self.failures = 0
            return
        self.failures += 1
        over = min(self.failures - settings.rest_after, 10)
        self.rests_until_s = now_s + min(0.5 * 2**over, settings.rest_max_s) if over >= 0 else now_s


def deliveries_follower(
    books: Books, expand: Expand, clock: Clock, sender: "Sender | None" = None
) -> Follower:
    """The follower that makes a delivery of each event for each endpoint that asked for it."""

    async def handle(db: Connection, bucket: int, after_seq: int, through_seq: int) -> None:
        endpoints = await store.load_enabled_endpoints(db, books.book_of_bucket(bucket).id)
        if not endpoints:
            return
        rows = await read_events(db, bucket, after_seq, through_seq)
        new = [delivery for row in rows for delivery in _deliveries(row, endpoints, expand)]
        if new:
            await store.insert_deliveries(db, bucket, clock.now(), new)

    def after(bucket: int) -> None:
        if sender is not None:
            sender.wake(bucket)

    return Follower(FOLLOWER, Stream.EVENT, handle, after)


def _deliveries(row: EventRow, endpoints: Sequence[Endpoint], expand: Expand) -> list[NewDelivery]:
    told: dict[Audience, Sequence[PublicEvent]] = {}
    found = []
    for endpoint in endpoints:
        if endpoint.merchant_id not in (None, row.merchant_id):
            continue
        audience = endpoint.audience
        if audience not in told:
            told[audience] = expand(row, audience)
        for event in told[audience]:
            if rules.wanted(endpoint, row, event):
                id_ = rules.delivery_id(endpoint.id, row.bucket, row.seq, event.index)
                found.append(NewDelivery(id_, endpoint.id, row.seq, event.index, event.type, event.object_id))
    return found


class Sender:
    """Sends the deliveries of all books, in as many processes as there are."""

    def __init__(
        self,
        database: Database,
        books: Books,
        clock: Clock,
        expand: Expand,
        seal: SecretSeal,
        outbound: Outbound,
        *,
        settings: SenderSettings | None = None,
        chance: random.Random | None = None,
    ) -> None:
        self._database = database
        self._books = books
        self._clock = clock
        self._expand = expand
        self._seal = seal
        self._outbound = outbound
        self._settings = settings or SenderSettings()
        self._chance = chance or random.Random()
        self._endpoints: dict[UUID, _Endpoint] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._dirty: set[int] = set()
        self._signal = asyncio.Event()
        self._stopping = False
        self._runner: asyncio.Task[None] | None = None

    def wake(self, bucket: int) -> None:
        """Say that a bucket has something to send."""
        self._dirty.add(bucket)
        self._signal.set()

    async def start(self) -> None:
        """Begin to send, in a task of the running loop."""
        assert self._runner is None, "the sender runs already"
        self._stopping = False
        self._runner = asyncio.create_task(self._run())

    async def stop(self, grace_s: float = 5.0) -> None:
        """End; sendings under way have `grace_s` left, then they are broken off and sent again after their
        lease."""
        self._stopping = True
        self._signal.set()
        if self._runner is not None:
            await self._runner
            self._runner = None
        if self._sending:
            await asyncio.wait(self._sending, timeout=grace_s)
        for task in self._sending:
            task.cancel()
        await asyncio.gather(*self._sending, return_exceptions=True)

    async def _run(self) -> None:
        loop, looked_s = asyncio.get_running_loop(), 0.0
        while not self._stopping:
            self._signal.clear()
            buckets, self._dirty = self._dirty, set()
            if loop.time() - looked_s >= self._settings.poll_s:  # also while one bucket is woken all the time
                buckets, looked_s = self._all_buckets(), loop.time()
            try:
                for bucket in buckets:
                    await self.send_due(bucket)
            except (ConfigurationError, asyncpg.InterfaceError, *LOST) as error:
                log.warning("the webhook sender lost its connection", error=repr(error))
                await asyncio.sleep(self._settings.poll_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._signal.wait(), self._settings.poll_s)

    def _all_buckets(self) -> set[int]:
        return {bucket for book in self._books.values() for bucket in book.buckets}

    async def send_due(self, bucket: int) -> int:
        """Claim what is due in a bucket and start to send it; returns how many."""
        at = self._clock.now()
        now_s = asyncio.get_running_loop().time()
        busy = [id_ for id_, known in self._endpoints.items() if known.is_busy(self._settings, now_s)]
        book = self._books.book_of_bucket(bucket)
        lease_until = at + timedelta(seconds=self._settings.lease_s)
        async with self._database.read() as db:
            claimed = await store.claim_deliveries(
                db, bucket, book.id, at, lease_until, busy, self._settings.of_endpoint
            )
            rows = await store.read_events_at(db, bucket, {delivery.event_seq for delivery in claimed})
        faults.point("deliveries_claimed")
        for delivery in claimed:
            self._endpoints.setdefault(delivery.endpoint_id, _Endpoint()).under_way += 1
            task = asyncio.create_task(self._send(bucket, delivery, rows[delivery.event_seq]))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return len(claimed)

    async def idle(self) -> None:
        """Wait until nothing is under way in this process. For tests and tools."""
        while self._sending:
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _send(self, bucket: int, delivery: Claimed, row: EventRow) -> None:
        known = self._endpoints[delivery.endpoint_id]
        try:
            began_at = self._clock.now()
            sent, outcome = await self._post_and_decide(delivery, row)
            faults.point("delivery_sent")
            at = self._clock.now()
            attempt = Attempt(delivery.sendings, began_at, sent.took_ms, sent.response_status, sent.failure)
            async with self._database.transaction() as db:
                await store.record_attempt(db, bucket, delivery.id, at, attempt, outcome)
                if outcome.endpoint is EndpointStatus.DISABLED:
                    await store.disable_endpoint(db, delivery.endpoint_id)
            known.note(self._settings, asyncio.get_running_loop().time(), outcome.status)
        except Exception as error:
            # The lease ends and it is sent again; here it must only not end the sender.
            log.error("a delivery could not be recorded", delivery=str(delivery.id), exc_info=error)
        finally:
            known.under_way -= 1
            self.wake(bucket)  # room for the next, and a later event of the object may go now

    async def _post_and_decide(self, delivery: Claimed, row: EventRow) -> tuple[Sent, Outcome]:
        audience = Audience.PLATFORM if delivery.merchant_id is None else Audience.MERCHANT
        event = next((e for e in self._expand(row, audience) if e.index == delivery.event_index), None)
        if event is None or delivery.status is not EndpointStatus.ENABLED:
            gone = Outcome(DeliveryStatus.DEAD, None, delivery.status)
            return Sent(0, None, "event_gone" if event is None else "endpoint_gone"), gone
        sent = await self._post(delivery, row, event)
        jitter_ppm = self._chance.randint(-rules.JITTER_PPM, rules.JITTER_PPM)
        outcome = rules.decide_attempt(
            delivery.attempts,
            delivery.round_began_at,
            self._clock.now(),
            sent.response_status,
            sent.retry_after_s,
            jitter_ppm,
        )
        return sent, outcome

    async def _post(self, delivery: Claimed, row: EventRow, event: PublicEvent) -> Sent:
        body = rules.public_form(row, event)
        id_ = encode(Prefix.EVENT, rules.event_id(row, event.index))
        secret = self._seal.unseal(delivery.endpoint_id, delivery.secret)
        headers = signed_headers(secret, id_, self._clock.now(), body)
        return await self._outbound.post(delivery.url, headers, body)


def signed_headers(secret: str, event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a sending: id, time and signature as Standard Webhooks 1.0 has them. `at` is in UTC."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Wufeng-Webhooks/1",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, at, body.decode()),
    }
