"""The sender: claims due deliveries under a lease, signs and sends them, and records what came of it.

A process that dies while it sends leaves a lease that ends: the delivery is sent again. So receivers hear of
an event at least once, and tell a repetition by its `webhook-id`. Nothing here shares a lock or a connection
with payments.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog
from cryptography.exceptions import InvalidTag
from msgspec import Struct
from standardwebhooks import Webhook

from wufeng.base import faults
from wufeng.base.books import Books
from wufeng.base.clock import Clock
from wufeng.base.database import LOST, Connection, Database, close
from wufeng.base.errors import ConfigurationError
from wufeng.base.followers import EventRow
from wufeng.base.ids import Prefix, encode
from wufeng.base.webhooks import rules, store
from wufeng.base.webhooks.model import (
    Attempt,
    Audience,
    DeliveryStatus,
    EndpointStatus,
    Expand,
    PublicEvent,
)
from wufeng.base.webhooks.outbound import Outbound, Sent
from wufeng.base.webhooks.rules import Outcome
from wufeng.base.webhooks.seal import SecretSeal
from wufeng.base.webhooks.store import Claimed, Room

log = structlog.get_logger("wufeng.webhooks")

DATABASE_TROUBLE = (ConfigurationError, asyncpg.PostgresError, asyncpg.InterfaceError, *LOST)


def _nobody_counts(outcome: str) -> None:
    """Nobody counts what was sent."""


class SenderSettings(Struct, frozen=True):
    """How deliveries are sent in one process.

    poll_s        how often to look for what is due
    lease_s       how long a claimed delivery is ours: longer than one sending may take
    of_endpoint   sendings to one endpoint at a time; a slow receiver holds up itself only
    in_all        sendings at a time
    rest_after    failures in a row after which an endpoint gets one sending at a time, with pauses up to
    rest_max_s
    """

    poll_s: float = 0.5
    lease_s: float = 60.0
    of_endpoint: int = 4
    in_all: int = 256
    rest_after: int = 5
    rest_max_s: float = 60.0


class _Endpoint:
    """What this process knows of a receiver: how much is under way, and whether it is worth trying."""

    __slots__ = ("failures", "rests_until_s", "under_way")

    def __init__(self) -> None:
        self.under_way = 0
        self.failures = 0
        self.rests_until_s = 0.0

    def room(self, settings: SenderSettings, now_s: float) -> int:
        """How many more may be sent to it now."""
        if self.failures < settings.rest_after:
            return max(0, settings.of_endpoint - self.under_way)
        return 0 if self.under_way or now_s < self.rests_until_s else 1

    def note(self, settings: SenderSettings, now_s: float, outcome: DeliveryStatus) -> None:
        if outcome is DeliveryStatus.DELIVERED:
            self.failures = 0
            return
        self.failures += 1
        over = min(self.failures - settings.rest_after, 10)
        self.rests_until_s = now_s + min(0.5 * 2**over, settings.rest_max_s) if over >= 0 else now_s


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
        on_sent: Callable[[str], None] = _nobody_counts,
    ) -> None:
        self._database = database
        self._on_sent = on_sent
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
        self._turn = asyncio.Lock()
        self._db: Connection | None = None

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
        if self._db is not None:
            await close(self._db)
            self._db = None

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """The sender's own connection, one user at a time: payments and pages never wait for it."""
        async with self._turn:
            if self._db is None or self._db.is_closed():
                self._db = await self._database.connect("webhooks")
            try:
                yield self._db
            except (asyncio.CancelledError, asyncpg.InterfaceError, *LOST):
                self._db.terminate()  # gone, or its statement still runs: not for the next one
                raise

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
            except DATABASE_TROUBLE as error:
                log.warning("the webhook sender cannot use the database", error=repr(error))
                await asyncio.sleep(self._settings.poll_s)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._signal.wait(), self._settings.poll_s)

    def _all_buckets(self) -> set[int]:
        return {bucket for book in self._books.values() for bucket in book.buckets}

    async def send_due(self, bucket: int) -> int:
        """Claim what is due in a bucket and start to send it; returns how many."""
        at = self._clock.now()
        room = self._room()
        if room.in_all == 0:
            return 0  # the next one that ends wakes the bucket again
        book = self._books.book_of_bucket(bucket)
        lease_until = at + timedelta(seconds=self._settings.lease_s)
        async with self._connection() as db:
            claimed = await store.claim_deliveries(db, bucket, book.id, at, lease_until, room)
            rows = await store.read_events_at(db, bucket, {delivery.event_seq for delivery in claimed})
        faults.point("deliveries_claimed")
        for delivery in claimed:
            self._endpoints.setdefault(delivery.endpoint_id, _Endpoint()).under_way += 1
            task = asyncio.create_task(self._send(bucket, delivery, rows[delivery.event_seq]))
            self._sending.add(task)
            task.add_done_callback(self._ended)
        return len(claimed)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if (
            not task.cancelled() and (error := task.exception()) is not None
        ):  # a bug; the lease ends, it comes again
            log.error("a delivery could not be sent", exc_info=error)

    def _room(self) -> Room:
        settings, now_s = self._settings, asyncio.get_running_loop().time()
        of_endpoint = {id_: known.room(settings, now_s) for id_, known in self._endpoints.items()}
        return Room(of_endpoint, settings.of_endpoint, max(0, settings.in_all - len(self._sending)))

    async def idle(self) -> None:
        """Wait until nothing is under way in this process. For tests and tools."""
        while self._sending:
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _send(self, bucket: int, delivery: Claimed, row: EventRow) -> None:
        known = self._endpoints[delivery.endpoint_id]
        try:
            began_at = self._clock.now()
            sent, outcome = await self._post_and_decide(delivery, row)
            self._on_sent(outcome.status.value if sent.failure is None else sent.failure)
            faults.point("delivery_sent")
            at = self._clock.now()
            attempt = Attempt(delivery.sendings, began_at, sent.took_ms, sent.response_status, sent.failure)
            async with self._connection() as db, db.transaction():
                await store.record_attempt(db, bucket, delivery.id, at, attempt, outcome)
                if outcome.endpoint is EndpointStatus.DISABLED:
                    await store.disable_endpoint(db, delivery.endpoint_id)
            if outcome.endpoint is EndpointStatus.ENABLED:
                known.note(self._settings, asyncio.get_running_loop().time(), outcome.status)
        except DATABASE_TROUBLE as error:  # the lease ends and it is sent again
            log.warning("a delivery could not be recorded", delivery=str(delivery.id), error=repr(error))
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
        try:
            secret = self._seal.unseal(delivery.endpoint_id, delivery.secret)
        except InvalidTag:  # the database stands under another key: to be mended within the three days
            return Sent(0, None, "secret_unreadable")
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
