"""D6 and S11: every event reaches who asked for it, at least once, in order for its object, and provably from us."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import random
import signal
import subprocess
import sys
import time as wall
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from wufeng.base import events
from wufeng.base.books import Book, Books, Mode, create_book, load_books
from wufeng.base.clock import Clock, FixedClock, SystemClock
from wufeng.base.config import Settings
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Code, Problem
from wufeng.base.events import Event
from wufeng.base.followers import EventRow, Followers
from wufeng.base.ids import IdMaker
from wufeng.base.webhooks import (
    Audience,
    Endpoint,
    NewEndpoint,
    Outbound,
    PublicEvent,
    Reach,
    SecretSeal,
    Sender,
    SenderSettings,
    create_endpoint,
    delete_endpoint,
    deliveries_follower,
    delivery_view,
    forget_deliveries,
    list_deliveries,
    list_endpoints,
    list_events,
    resend,
    signed_headers,
)
from wufeng.base.webhooks.model import DeliveryStatus
from wufeng.base.webhooks.queries import DeliveryView
from wufeng.base.webhooks.rules import GIVE_UP_AFTER, RETRY_AFTER_S, decide_attempt

AT = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
ON = date(2026, 9, 3)
ONE, OTHER = UUID(int=1 << 64), UUID(int=2 << 64)  # merchants
TYPES = frozenset({"payment.captured", "order.paid", "refund.posted"})
KEY = bytes(range(32))


def expand(row: EventRow, audience: Audience) -> Sequence[PublicEvent]:
    """As the real one: a capture also tells of its order, and what begins with `internal.` is never told."""
    if row.kind.startswith("internal."):
        return []
    shown = row.data if audience is Audience.PLATFORM else row.data.replace(b'"secret":1,', b"")
    first = PublicEvent(0, row.kind, row.object_id, shown)
    if row.kind != "payment.captured":
        return [first]
    return [first, PublicEvent(1, "order.paid", UUID(int=row.object_id.int + 1), b'{"id":"ord_x"}')]


class Receiver:
    """A receiver on this machine: answers by its script, then 200; keeps what it got."""

    def __init__(self) -> None:
        self.script: list[int | str] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.url = ""
        self.delay_s = 0.0
        self.always: int | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            self.got.append((headers, body))
            answer = self.script.pop(0) if self.script else self.always or 200
            await asyncio.sleep(self.delay_s)
            if answer == "reset":
                writer.transport.abort()
                return
            writer.write(f"HTTP/1.1 {answer} X\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]


MakeReceiver = Callable[[], Awaitable[Receiver]]


@pytest.fixture
async def receivers() -> AsyncIterator[MakeReceiver]:
    servers: list[asyncio.Server] = []

    async def make() -> Receiver:
        receiver = Receiver()
        server = await asyncio.start_server(receiver.serve, "127.0.0.1")
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        servers.append(server)
        return receiver

    yield make
    for server in servers:
        server.close()


@pytest.fixture
async def receiver(receivers: MakeReceiver) -> Receiver:
    return await receivers()


class World:
    """A book with its parts, as the composition root wires them."""

    def __init__(self, database: Database, books: Books, clock: Clock) -> None:
        self.database = database
        self.books = books
        self.book = books.named("main")
        self.clock = clock
        self.seal = SecretSeal(KEY)
        self.out = Outbound(Reach.ANYWHERE)
        self.ids = IdMaker(random.Random(1))
        self.senders: list[Sender] = []

    def sender(self, settings: SenderSettings | None = None, out: Outbound | None = None) -> Sender:
        sender = Sender(
            self.database,
            self.books,
            self.clock,
            expand,
            self.seal,
            out or self.out,
            settings=settings,
            chance=random.Random(7),
        )
        self.senders.append(sender)
        return sender

    async def endpoint(
        self, url: str, merchant: UUID | None = ONE, types: Sequence[str] = ()
    ) -> tuple[Endpoint, str]:
        async with self.database.transaction() as db:
            return await create_endpoint(
                db,
                self.book,
                merchant,
                NewEndpoint(url, list(types)),
                known_types=TYPES,
                reach=Reach.ANYWHERE,
                seal=self.seal,
                ids=self.ids,
                at=self.clock.now(),
            )

    async def tell(
        self,
        *objects: int,
        kind: str = "refund.posted",
        merchant: UUID | None = ONE,
        bucket: int | None = None,
    ) -> None:
        """Commit events, then let the follower make their deliveries."""
        bucket = self.book.buckets[0] if bucket is None else bucket
        facts = [
            Event(kind, UUID(int=n << 80), f'{{"secret":1,"n":{n}}}'.encode(), ON, merchant_id=merchant)
            for n in objects
        ]
        async with self.database.transaction() as db:
            numbers = await events.take_numbers(db, bucket, len(facts), AT, ON)
            await events.write_events(db, bucket, numbers.first_seq, numbers.booked_at, facts)
        follower = deliveries_follower(self.books, expand, self.clock)
        await Followers(self.database, [follower]).catch_up()

    async def send(self, sender: Sender) -> int:
        """Send until nothing is due."""
        sent = 0
        while claimed := sum([await sender.send_due(bucket) for bucket in self.book.buckets]):
            sent += claimed
            await sender.idle()
        return sent

    async def deliveries(self, endpoint: Endpoint) -> list[DeliveryView]:
        """The log of an endpoint, the oldest first."""
        async with self.database.read() as db:
            page = await list_deliveries(db, self.book, endpoint.merchant_id, endpoint.id, limit=100)
        return sorted(page.data, key=lambda view: view.event)


async def world_of(database: Database, clock: Clock) -> World:
    draft = Book(0, "main", Mode.TEST, "CNY", "Asia/Shanghai", time.min, 0, (), ())
    async with database.transaction() as db:
        await create_book(db, draft, 2, AT)
        return World(database, Books(await load_books(db)), clock)


@pytest.fixture
async def clock() -> FixedClock:
    return FixedClock(datetime.now(UTC))  # the verifier wants a timestamp of about now


@pytest.fixture
async def world(database: Database, clock: FixedClock) -> AsyncIterator[World]:
    world = await world_of(database, clock)
    yield world
    for sender in world.senders:
        await sender.stop(grace_s=0)
    await world.out.close()


def views_status(views: Sequence[DeliveryView]) -> list[str]:
    return [view.status.value for view in views]


async def test_a_delivery_is_signed_as_standard_webhooks_says(world: World, receiver: Receiver) -> None:
    endpoint, secret = await world.endpoint(receiver.url)
    await world.tell(1)
    assert await world.send(world.sender()) == 1
    ((headers, body),) = receiver.got
    message = Webhook(secret).verify(body, headers)
    assert message["type"] == "refund.posted"
    assert message["data"] == {"business_date": "2026-09-03", "n": 1}, (
        "a merchant sees its own part of the object"
    )
    assert headers["webhook-id"] == message["id"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message['id']}.{headers['webhook-timestamp']}.{body.decode()}".encode()
    by_hand = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{by_hand}", "not only by the package that signed it"
    (view,) = await world.deliveries(endpoint)
    assert (view.status, view.next_attempt_at) == (DeliveryStatus.DELIVERED, None)
    assert [(a.number, a.response_status, a.failure) for a in view.attempts] == [(1, 200, None)]


def test_what_is_not_ours_is_refused() -> None:
    """S11. The other key, the old or early message, a flipped bit, another order of fields, no or another algorithm."""
    secret, other = "whsec_" + "A" * 43 + "=", "whsec_" + "B" * 43 + "="
    body = b'{"id":"evt_1","object":"event","amount_minor":1200}'
    now = datetime.now(UTC)
    good = signed_headers(secret, "evt_1", now, body)
    Webhook(secret).verify(body, good)
    refused = [
        (other, body, good),
        (secret, body, signed_headers(secret, "evt_1", now - timedelta(minutes=6), body)),
        (secret, body, signed_headers(secret, "evt_1", now + timedelta(minutes=6), body)),
        (secret, b'{"object":"event","id":"evt_1","amount_minor":1200}', good),
        (secret, body, good | {"webhook-id": "evt_2"}),
        (secret, body, good | {"webhook-timestamp": str(int(now.timestamp()) - 1)}),
        (secret, body, good | {"webhook-signature": good["webhook-signature"].replace("v1,", "none,")}),
        (secret, body, {name: value for name, value in good.items() if name != "webhook-signature"}),
    ]
    refused += [
        (secret, bytes(b ^ (n == place) for n, b in enumerate(body)), good) for place in range(len(body))
    ]
    for secret_, body_, headers in refused:
        with pytest.raises(WebhookVerificationError):
            Webhook(secret_).verify(body_, headers)


async def test_a_receiver_that_fails_twice_gets_it_the_third_time(
    world: World, receiver: Receiver, clock: FixedClock
) -> None:
    receiver.script = [500, 500]
    endpoint, secret = await world.endpoint(receiver.url)
    await world.tell(1)
    sender = world.sender()
    for _ in range(3):
        await world.send(sender)
        clock.turn_to(clock.now() + timedelta(seconds=15))
    assert len(receiver.got) == 3
    assert len(set(receiver.ids)) == 1
    assert len({body for _, body in receiver.got}) == 1, "the same bytes each time"
    for headers, body in receiver.got:
        Webhook(secret).verify(body, headers)
    (view,) = await world.deliveries(endpoint)
    assert view.status is DeliveryStatus.DELIVERED
    assert [a.response_status for a in view.attempts] == [500, 500, 200]


async def test_the_running_sender_retries_by_itself(database: Database, receiver: Receiver) -> None:
    """The machine's clock, the follower that wakes the sender, and 500 twice: about twelve seconds to the third."""
    world = await world_of(database, SystemClock())
    receiver.script = [500, "reset"]
    _, secret = await world.endpoint(receiver.url)
    sender = world.sender(SenderSettings(poll_s=0.1))
    await sender.start()
    await world.tell(1)
    began_s = wall.monotonic()
    async with asyncio.timeout(30):
        while len(receiver.got) < 3:
            await asyncio.sleep(0.05)
    await sender.stop()
    await world.out.close()
    assert 10 <= wall.monotonic() - began_s <= 20
    Webhook(secret).verify(receiver.got[-1][1], receiver.got[-1][0])


async def test_given_up_after_three_days_and_sent_again_when_asked(
    world: World, receiver: Receiver, clock: FixedClock
) -> None:
    """The first day's pauses are minutes, the last one's hours; each attempt stands in the log; then it is dead."""
    receiver.always = 503
    endpoint, _ = await world.endpoint(receiver.url)
    began_at = clock.now()
    await world.tell(1)
    sender = world.sender(SenderSettings(rest_after=1_000))
    while views_status(views := await world.deliveries(endpoint)) == ["waiting"]:
        await world.send(sender)
        (view,) = await world.deliveries(endpoint)
        if view.next_attempt_at is not None:
            clock.turn_to(view.next_attempt_at)
    assert views_status(views) == ["dead"]
    assert len(views[0].attempts) == len(RETRY_AFTER_S) + 1 == len(receiver.got)
    lasted = clock.now() - began_at
    assert timedelta(days=2.5) < lasted < timedelta(days=3.5)
    receiver.always = 200
    async with world.database.transaction() as db:
        again = await resend(db, world.book, ONE, _uuid(views[0].id), clock.now())
        assert (await delivery_view(db, again)).status is DeliveryStatus.WAITING
    await world.send(sender)
    (view,) = await world.deliveries(endpoint)
    assert view.status is DeliveryStatus.DELIVERED
    assert len(view.attempts) == len(RETRY_AFTER_S) + 2, "the log goes on"
    assert len(set(receiver.ids)) == 1


def _uuid(text: str) -> UUID:
    from wufeng.base.ids import Prefix, decode

    return decode(Prefix(text.partition("_")[0]), text)


@pytest.mark.parametrize(
    ("attempts", "status", "expected"),
    [
        (1, 200, ("delivered", None)),
        (1, 204, ("delivered", None)),
        (12, 299, ("delivered", None)),
        (1, 199, ("waiting", 2)),
        (1, 300, ("waiting", 2)),
        (1, 307, ("waiting", 2)),
        (2, 404, ("waiting", 10)),
        (3, 500, ("waiting", 60)),
        (11, None, ("waiting", 72_000)),
        (12, None, ("dead", None)),
        (1, 410, ("dead", None)),
    ],
)
def test_decide_attempt(attempts: int, status: int | None, expected: tuple[str, int | None]) -> None:
    outcome = decide_attempt(attempts, AT, AT, status, None, 0)
    pause = None if outcome.due_at is None else (outcome.due_at - AT).total_seconds()
    assert (outcome.status.value, pause) == expected


def test_retry_after_is_kept_within_bounds() -> None:
    pauses = [decide_attempt(1, AT, AT, 503, asked, 0).due_at for asked in (None, 1, 90, 10**9)]
    assert [pause and (pause - AT).total_seconds() for pause in pauses] == [2, 2, 90, 3_600]
    late = decide_attempt(3, AT, AT + GIVE_UP_AFTER, 503, None, 0)
    assert late.status is DeliveryStatus.DEAD, "leases that ran out count by time"


async def test_410_disables(world: World, receiver: Receiver) -> None:
    receiver.script = [410]
    endpoint, _ = await world.endpoint(receiver.url)
    await world.tell(1)
    sender = world.sender()
    await world.send(sender)
    await world.tell(2, 3)
    assert await world.send(sender) == 0
    assert len(receiver.got) == 1
    async with world.database.read() as db:
        (shown,) = (await list_endpoints(db, world.book, ONE)).data
        assert shown.status == "disabled"
        (view,) = await world.deliveries(endpoint)
        with pytest.raises(Problem) as refused:
            await resend(db, world.book, ONE, _uuid(view.id), world.clock.now())
    assert refused.value.code is Code.STATE_CONFLICT


async def test_what_waits_for_a_deleted_endpoint_is_given_up(world: World, receiver: Receiver) -> None:
    endpoint, _ = await world.endpoint(receiver.url)
    await world.tell(*range(1, 31))
    async with world.database.transaction() as db:
        await delete_endpoint(db, world.book, ONE, endpoint.id)
        with pytest.raises(Problem):
            await delete_endpoint(db, world.book, ONE, endpoint.id)
        assert (await list_endpoints(db, world.book, ONE)).data == []
    await world.send(world.sender())
    assert receiver.got == []
    assert set(views_status(await world.deliveries(endpoint))) == {"dead"}


async def test_order_holds_for_an_object_and_only_there(
    world: World, receiver: Receiver, clock: FixedClock
) -> None:
    """A later event waits for the earlier of its object, however often that fails; other objects do not."""
    receiver.script = [500]
    endpoint, _ = await world.endpoint(receiver.url)
    sender = world.sender()
    await world.tell(1)
    await world.send(sender)
    await world.tell(1, 2, 1, 3)
    await world.send(sender)
    objects = [json.loads(body)["data"]["n"] for _, body in receiver.got]
    assert objects[0] == 1
    assert sorted(objects[1:]) == [2, 3]
    clock.turn_to(clock.now() + timedelta(seconds=3))
    await world.send(sender)
    first = receiver.ids[0]
    of_one = [id_ for id_, (_, body) in zip(receiver.ids, receiver.got, strict=True) if b'"n":1' in body]
    assert of_one == [first, first, *sorted(of_one[2:])]
    assert len(of_one) == 4
    assert set(views_status(await world.deliveries(endpoint))) == {"delivered"}


async def test_later_events_of_a_failing_object_wait_with_it(
    world: World, receiver: Receiver, clock: FixedClock
) -> None:
    receiver.script = [500] * 3
    endpoint, _ = await world.endpoint(receiver.url)
    await world.tell(1, 1, 1)
    sender = world.sender()
    for _ in range(3):
        await world.send(sender)
        due = {view.next_attempt_at or AT for view in await world.deliveries(endpoint)}
        assert len(due) == 1, "nobody looks in vain at those behind"
        clock.turn_to(due.pop())
    await world.send(sender)
    assert views_status(await world.deliveries(endpoint)) == ["delivered"] * 3
    assert receiver.ids == sorted(receiver.ids)


async def test_each_gets_its_own_and_what_it_asked_for(world: World, receivers: MakeReceiver) -> None:
    mine, others, all_, only = [await receivers() for _ in range(4)]
    await world.endpoint(mine.url, ONE)
    await world.endpoint(others.url, OTHER)
    await world.endpoint(all_.url, None)
    await world.endpoint(only.url, ONE, ["order.paid"])
    await world.tell(1, kind="payment.captured")
    await world.tell(2, merchant=None)
    await world.tell(3, kind="internal.pending")
    await world.send(world.sender())
    assert sorted(mine.types) == ["order.paid", "payment.captured"]
    assert others.types == []
    assert sorted(all_.types) == ["order.paid", "payment.captured", "refund.posted"]
    assert only.types == ["order.paid"]
    secret_seen = [b'"secret"' in body for _, body in all_.got]
    assert any(secret_seen), "the platform sees the whole object"
    assert not any(b'"secret"' in body for _, body in mine.got)


async def test_the_same_bytes_in_the_list(world: World, receiver: Receiver) -> None:
    await world.endpoint(receiver.url)
    await world.tell(1, kind="payment.captured")
    await world.tell(2, bucket=world.book.buckets[1])
    await world.send(world.sender())
    async with world.database.read() as db:
        feed = await list_events(db, world.book, ONE, expand, after=None, types=(), limit=100)
    assert sorted(feed.events) == sorted(body for _, body in receiver.got)
    assert len(feed.events) == 3


async def test_a_follower_set_back_repeats_nothing(
    world: World, owner: Connection, receiver: Receiver
) -> None:
    await world.endpoint(receiver.url)
    await world.tell(1, 2)
    await owner.execute("update cursor set seq = 0")
    await world.tell(3)
    assert await world.send(world.sender()) == 3


async def test_a_slow_receiver_holds_up_itself_only(world: World, receivers: MakeReceiver) -> None:
    """30 s an answer, a queue behind it: the follower and the others go on; what is under way stays bounded."""
    slow, quick = await receivers(), await receivers()
    slow.delay_s = 30
    slow_endpoint, _ = await world.endpoint(slow.url)
    await world.endpoint(quick.url)
    sender = world.sender(SenderSettings(poll_s=0.05))
    await sender.start()
    began_s = wall.monotonic()
    for n in range(20):
        await world.tell(n + 1)
    async with asyncio.timeout(10):
        while len(quick.got) < 20:
            await asyncio.sleep(0.02)
    assert wall.monotonic() - began_s < 10
    assert len(slow.got) == 4
    assert views_status(await world.deliveries(slow_endpoint)) == ["waiting"] * 20
    await sender.stop(grace_s=0.1)


async def test_many_slow_receivers_leave_room(world: World, receivers: MakeReceiver) -> None:
    """A bound in all: those due longest first, and what ends makes room."""
    some = [await receivers() for _ in range(5)]
    for receiver in some:
        receiver.delay_s = 0.1
        await world.endpoint(receiver.url)
    sender = world.sender(SenderSettings(in_all=3))
    await world.tell(*range(1, 5))
    assert await sender.send_due(world.book.buckets[0]) == 3
    assert await sender.send_due(world.book.buckets[0]) == 0
    await sender.idle()
    assert await world.send(sender) == 17


async def test_a_dead_receiver_is_asked_less(world: World, clock: FixedClock) -> None:
    """After five failures in a row one sending at a time, and none while it rests."""
    await world.endpoint("http://127.0.0.1:9/hook")
    await world.tell(*range(1, 20))
    sender = world.sender()
    first = [await sender.send_due(world.book.buckets[0])]
    await sender.idle()
    first.append(await sender.send_due(world.book.buckets[0]))
    await sender.idle()
    assert first == [4, 4]
    assert await sender.send_due(world.book.buckets[0]) == 0, "it rests"


async def test_two_senders_share_the_work(world: World, receiver: Receiver) -> None:
    await world.endpoint(receiver.url)
    await world.tell(*range(1, 61))
    one, other = world.sender(), world.sender()
    bucket = world.book.buckets[0]
    for _ in range(40):
        await asyncio.gather(one.send_due(bucket), other.send_due(bucket), one.send_due(bucket))
        await asyncio.gather(one.idle(), other.idle())
    assert len(receiver.ids) == len(set(receiver.ids)) == 60


async def test_a_sender_that_lost_its_lease_records_nothing(
    world: World, receiver: Receiver, clock: FixedClock
) -> None:
    """Its sending took longer than the lease and another one's has begun: its outcome is logged, not believed."""
    endpoint, _ = await world.endpoint(receiver.url)
    await world.tell(1)
    receiver.delay_s, receiver.script = 0.3, [500, 200]
    slow, next_ = world.sender(), world.sender()
    await slow.send_due(world.book.buckets[0])
    await asyncio.sleep(0.1)
    clock.turn_to(clock.now() + timedelta(seconds=61))
    await next_.send_due(world.book.buckets[0])
    await slow.idle()
    (view,) = await world.deliveries(endpoint)
    assert view.status is DeliveryStatus.WAITING
    assert view.next_attempt_at == clock.now() + timedelta(seconds=60), "the lease of the other one stands"
    await next_.idle()
    (view,) = await world.deliveries(endpoint)
    assert view.status is DeliveryStatus.DELIVERED
    assert [a.response_status for a in view.attempts] == [500, 200]


async def test_the_database_goes_away_under_the_sender(database: Database, receiver: Receiver) -> None:
    world = await world_of(database, SystemClock())
    await world.endpoint(receiver.url)
    sender = world.sender(SenderSettings(poll_s=0.02, lease_s=1))
    killer = await database.connect("killer")
    await sender.start()
    for n in range(5):
        await world.tell(n + 1)
        await killer.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'wufeng webhooks' and datname = current_database()"
        )
        await asyncio.sleep(0.05)
    async with asyncio.timeout(15):
        while len(set(receiver.ids)) < 5:
            await asyncio.sleep(0.05)
    await sender.stop()
    await world.out.close()


async def test_secrets_are_sealed(
    world: World, owner: Connection, receiver: Receiver, clock: FixedClock
) -> None:
    """Neither secret nor key stands in the database; a row moved to another endpoint, or another key, opens nothing."""
    endpoint, secret = await world.endpoint(receiver.url)
    other, _ = await world.endpoint(receiver.url)
    rows = await owner.fetch("select id, secret::text from webhook_endpoint")
    assert all(secret.removeprefix("whsec_").encode().hex() not in row["secret"] for row in rows)
    stored = await owner.fetchval("select secret from webhook_endpoint where id = $1", endpoint.id)
    assert base64.b64decode(secret.removeprefix("whsec_")) not in stored
    assert secret.encode() not in stored
    await owner.execute("update webhook_endpoint set secret = $1 where id = $2", stored, other.id)
    await world.tell(1)
    await world.send(world.sender())
    assert len(receiver.got) == 1
    (view,) = await world.deliveries(other)
    assert (view.status, view.attempts[0].failure) == (DeliveryStatus.WAITING, "secret_unreadable")


async def test_a_private_receiver_is_refused_when_it_is_connected_to(
    world: World, receiver: Receiver
) -> None:
    """Configuration decides at the connection, whatever was stored when the endpoint was made."""
    endpoint, _ = await world.endpoint(receiver.url)
    await world.tell(1)
    public = Outbound(Reach.PUBLIC)
    await world.send(world.sender(out=public))
    await public.close()
    assert receiver.got == []
    (view,) = await world.deliveries(endpoint)
    assert (view.attempts[0].failure or "").startswith("address_refused")
    assert view.status is DeliveryStatus.WAITING


async def test_endpoints_are_their_owners(world: World, receiver: Receiver) -> None:
    endpoint, _ = await world.endpoint(receiver.url)
    await world.tell(1)
    (view,) = await world.deliveries(endpoint)
    async with world.database.read() as db:
        for stranger in (OTHER, None):
            for attempt in (
                delete_endpoint(db, world.book, stranger, endpoint.id),
                resend(db, world.book, stranger, _uuid(view.id), AT),
                list_deliveries(db, world.book, stranger, endpoint.id, limit=10),
            ):
                with pytest.raises(Problem) as refused:
                    await attempt
                assert refused.value.code is Code.NOT_FOUND
            assert (await list_endpoints(db, world.book, stranger)).data == []
        for absent in (UUID(int=0), UUID(int=0xFFFF), UUID(int=_uuid(view.id).int ^ 1 << 90)):
            with pytest.raises(Problem):
                await resend(db, world.book, ONE, absent, AT)


async def test_bad_endpoints_are_refused(world: World) -> None:
    for url, types in [("ftp://x/", []), ("https://receiver.example/", ["payment.done"]), ("", [])]:
        with pytest.raises(Problem) as refused:
            await world.endpoint(url, ONE, types)
        assert refused.value.code is Code.INVALID_FIELD
    for n in range(16):
        await world.endpoint(f"https://receiver.example/{n}")
    with pytest.raises(Problem) as refused:
        await world.endpoint("https://receiver.example/17")
    assert refused.value.code is Code.STATE_CONFLICT
    await world.endpoint("https://receiver.example/", OTHER)


async def test_pages_of_deliveries(world: World, clock: FixedClock) -> None:
    endpoint, _ = await world.endpoint("http://127.0.0.1:9/")
    for n in range(7):
        await world.tell(n + 1, bucket=world.book.buckets[n % 2])
        clock.turn_to(clock.now() + timedelta(seconds=n % 3))
    seen: list[str] = []
    async with world.database.read() as db:
        after: str | None = None
        while True:
            page = await list_deliveries(
                db, world.book, ONE, endpoint.id, limit=3, starting_after=_uuid(after) if after else None
            )
            seen += [view.id for view in page.data]
            if not page.has_more:
                break
            after = page.next
        with pytest.raises(Problem):
            await list_deliveries(db, world.book, ONE, endpoint.id, limit=3, starting_after=UUID(int=5))
    assert len(seen) == len(set(seen)) == 7


async def test_old_deliveries_are_forgotten_with_their_log(
    world: World, owner: Connection, receiver: Receiver, clock: FixedClock
) -> None:
    """What has ended goes; what waits stays, however old; the feed keeps the events."""
    endpoint, _ = await world.endpoint(receiver.url)
    receiver.script = [200, 410]
    await world.tell(1)
    sender = world.sender()
    await world.send(sender)
    await owner.execute("update webhook_endpoint set status = 'enabled'")
    await world.tell(2)
    await world.send(sender)
    await owner.execute("update webhook_endpoint set status = 'enabled'")
    waiting, _ = await world.endpoint("http://127.0.0.1:9/")
    await world.tell(3)
    old = clock.now() + timedelta(seconds=1)
    clock.turn_to(old)
    await world.tell(4)
    await world.send(sender)
    assert views_status(await world.deliveries(endpoint)) == ["delivered", "dead", "delivered", "delivered"]
    async with world.database.read() as db:
        assert await forget_deliveries(db, world.book, old) == 3
        assert await forget_deliveries(db, world.book, old) == 0
    assert len(await world.deliveries(endpoint)) == 1
    assert views_status(await world.deliveries(waiting)) == ["waiting", "waiting"]
    assert await owner.fetchval("select count(*) from delivery_attempt") == 3
    async with world.database.read() as db:
        feed = await list_events(db, world.book, ONE, expand, after=None, types=(), limit=100)
    assert len(feed.events) == 4


CHILD = """
import asyncio, sys
from pathlib import Path
from wufeng.base.books import Books, load_books
from wufeng.base.clock import SystemClock
from wufeng.base.config import Durability, Settings
from wufeng.base.database import Database
from wufeng.base.webhooks import Outbound, PublicEvent, Reach, SecretSeal, Sender, SenderSettings

def expand(row, audience):
    return [PublicEvent(0, row.kind, row.object_id, row.data)]

async def main():
    unsafe = Durability.UNSAFE_FOR_TESTS
    settings = Settings(data_dir=Path(sys.argv[1]), durability=unsafe, database_name=sys.argv[2])
    async with Database(settings) as database:
        async with database.read() as db:
            books = Books(await load_books(db))
        sender = Sender(database, books, SystemClock(), expand, SecretSeal(bytes(range(32))),
                        Outbound(Reach.ANYWHERE), settings=SenderSettings(poll_s=0.05, lease_s=1.5))
        await sender.start()
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize(("point", "sendings"), [("deliveries_claimed", 1), ("delivery_sent", 2)])
async def test_a_sender_killed_before_it_marked_what_it_sent(
    database: Database, settings: Settings, receiver: Receiver, point: str, sendings: int
) -> None:
    """At least once: the lease ends, another sends it again under the same id, so that the receiver can tell."""
    world = await world_of(database, SystemClock())
    endpoint, secret = await world.endpoint(receiver.url)
    await world.tell(1)
    environment = os.environ | {
        "WUFENG_FAULTS": f"{point}:exit:1",
        "PYTHONPATH": str(Path(__file__).parents[3] / "src"),
    }
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(settings.data_dir), settings.database_name], env=environment
    )
    assert await asyncio.to_thread(child.wait, 30) == -signal.SIGKILL
    assert len(receiver.got) == sendings - 1
    assert views_status(await world.deliveries(endpoint)) == ["waiting"]
    sender = world.sender(SenderSettings(poll_s=0.05))
    await sender.start()
    async with asyncio.timeout(20):
        while views_status(await world.deliveries(endpoint)) != ["delivered"]:
            await asyncio.sleep(0.05)
    await sender.stop()
    await world.out.close()
    assert len(receiver.got) == sendings
    assert len(set(receiver.ids)) == 1
    (view,) = await world.deliveries(endpoint)
    assert [a.number for a in view.attempts] == [2], "the lost sending left no line, but its number"
    for headers, body in receiver.got:
        Webhook(secret).verify(body, headers)
