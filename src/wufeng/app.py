"""The composition root: builds the parts of a process once, wires them, starts and stops them."""

import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from wufeng import credit, identity, ledger, payments, risk
from wufeng.api import Api, create_api
from wufeng.base import claims, migrations
from wufeng.base.books import Book, Books, Mode, create_book, load_books, turn_clock
from wufeng.base.clock import Clock, SystemClock
from wufeng.base.config import Profile, Settings, create_secrets, load_secrets, load_settings
from wufeng.base.database import Connection, Database, Watch
from wufeng.base.errors import ConfigurationError
from wufeng.base.followers import Follower, Followers
from wufeng.base.ids import IdMaker
from wufeng.base.lanes import Command, Handler, Lanes, LaneSettings
from wufeng.base.logs import configure
from wufeng.base.metrics import Metrics
from wufeng.base.problems import render_problem
from wufeng.base.timers import Job, Timers
from wufeng.base.webhooks import Outbound, Reach, SecretSeal, Sender, deliveries_follower, forget_deliveries
from wufeng.compliance import shipped_limit_policy
from wufeng.credit import ClosedDay, CloseStep, Products
from wufeng.identity import CreatePerson, FirstSecrets, Merchants, Vault, create_people_handler
from wufeng.identity.codes.commands import forget_codes
from wufeng.identity.codes.model import SignUp
from wufeng.identity.codes.store import MessageTable
from wufeng.identity.documents.commands import Registry, ask_pending
from wufeng.identity.documents.verifier import TestVerifier
from wufeng.identity.openid.commands import forget_returns
from wufeng.identity.passkeys.commands import forget_challenges
from wufeng.identity.tries.commands import forget_tries
from wufeng.payments import Catalogue, settlements, wallets
from wufeng.payments.bank import Bank, BankRunner, TestBank, bank_follower
from wufeng.payments.bank.model import Answered, Kind
from wufeng.payments.bank.runner import MakeCommand
from wufeng.payments.checkout.asked import AskedOrders
from wufeng.payments.expiry import expire_due
from wufeng.payments.feed import EVENT_TYPES, expand
from wufeng.payments.pay_codes.commands import forget_pay_codes
from wufeng.payments.pay_codes.resolving import PayCodes
from wufeng.payments.spending.queries import gather_facts
from wufeng.payments.wallets import StoredValue, shipped_wallet_policy
from wufeng.risk.model import Policy
from wufeng.services import Services
from wufeng.web import SEGMENTS, create_web

KEYS_KEPT = timedelta(hours=72)
"""How long an Idempotency-Key is remembered: API.md promises 24 hours."""

AT_ONCE = 10_000
"""Rows that one statement of a clean-up deletes at most."""

ROUNDS_MAX = 100
"""How often a run of a clean-up repeats one, in each bucket; what is left is the next run's."""

DELIVERIES_KEPT = timedelta(days=30)
"""How long delivered webhooks can be looked up and sent again."""


PROVED_EVERY = timedelta(hours=1)
"""How often a book that changes is proved; a large one more rarely."""


def close_steps(products: Products) -> list[CloseStep]:
    """The day close, step by step."""
    return [
        *credit.close_steps(),
        *credit.reminder_steps(products),
        *credit.application_steps(gather_facts),
        *payments.receipt_steps(),
        *settlements.close_steps(),
    ]


def _repayment_answered(answered: Answered) -> Command:
    return credit.BankAnswered(
        at=answered.at,
        people=(answered.owner_id,),
        repayment_id=answered.id,
        ok=answered.done,
        reason=answered.code,
    )


BANK_COMMANDS: Mapping[Kind, MakeCommand] = {
    Kind.TOP_UP: wallets.answer_command,
    Kind.WITHDRAWAL: wallets.answer_command,
    Kind.SETTLEMENT: settlements.answer_command,
    Kind.REPAYMENT: _repayment_answered,
    Kind.REFUND: payments.refund_answered,
}
"""How each kind of object takes its bank's answer."""


class Background(StrEnum):
    """Whether a process also does what happens after commits and by the clock."""

    ON = "on"
    OFF = "off"  # tools that call `catch_up` themselves: play, bench, tests


class Draft(Struct, frozen=True, kw_only=True):
    """A book to make. `begins_on` lets a test book's clock begin at the first instant of a date."""

    name: str
    mode: Mode
    buckets: int = 2
    currency: str = "CNY"
    time_zone: str = "Asia/Shanghai"
    cut_off: time = time(0)
    begins_on: date | None = None


class App:
    """The parts of one process, wired. `opened` makes one."""

    def __init__(
        self,
        services: Services,
        banks: Mapping[Mode, Bank],
        bank: BankRunner,
        sender: Sender,
        outbound: Outbound,
    ) -> None:
        self.services = services
        self.banks = banks
        self.bank = bank
        self.sender = sender
        self._outbound = outbound
        self.timers = Timers(self._jobs())

    @property
    def lanes(self) -> Lanes:
        """The lanes of this process."""
        return self.services.lanes

    @property
    def books(self) -> Books:
        """The books, as this process last read them."""
        return self.services.books

    @property
    def database(self) -> Database:
        """The database of this process."""
        return self.services.database

    def api(self) -> Api:
        """The API over these parts."""
        return create_api(self.services)

    def site(self) -> "Front":
        """All that a server answers: the API, and the pages that are its clients in this process."""
        api = self.api()
        return Front(api, create_web(self.services, api))

    async def start(self) -> None:
        """Begin what happens after commits and by the clock."""
        await self.services.followers.start()
        await self.sender.start()
        await self.bank.start()
        await self.timers.start()

    async def stop(self) -> None:
        """Finish what was accepted, then end. In this order, so that nobody waits for one who has gone."""
        await self.timers.stop()
        await self.lanes.drain()
        await self.bank.stop()
        await self.sender.stop()
        await self._outbound.close()
        await self.services.followers.stop()
        await self.services.authenticator.drain()

    async def close_days(self, book: Book) -> list[ClosedDay]:
        """Close every business date of a book that has ended on its clock and is not closed yet."""
        return await close_days(self.services, book)

    def _jobs(self) -> list[Job]:
        services = self.services

        async def expire() -> None:
            for book in services.books.values():
                await expire_due(services.lanes, book, book.at(services.clock))

        async def close() -> None:
            async with services.database.read() as db:
                await services.books.refresh(db)
            for book in services.books.values():
                await close_days(services, book)

        debited: dict[int, datetime] = {}

        async def debit() -> None:
            for book in services.books.values():
                at = book.at(services.clock)
                await credit.debit_due(services.lanes, book, services.products, at, debited.get(book.id))
                debited[book.id] = at

        async def rides() -> None:
            for book in services.books.values():
                await payments.charge_rides(services.lanes, book, book.at(services.clock))

        async def forget() -> None:
            async with services.database.read() as db:
                for book in services.books.values():
                    at = book.at(services.clock)
                    for bucket in book.buckets:
                        await _forget_all(claims.forget_claims, db, bucket, at - KEYS_KEPT)
                        for forget_some in (forget_codes, forget_challenges, forget_tries, forget_pay_codes):
                            await _forget_all(forget_some, db, bucket, at)
                        await _forget_all(forget_returns, db, bucket, services.clock.now())
                    # Deliveries live by the machine's clock: a turned test clock must not forget fresh ones.
                    await forget_deliveries(db, book, services.clock.now() - DELIVERIES_KEPT)

        async def products() -> None:
            async with services.database.read() as db:
                await credit.refresh(db, services.products, services.clock.now())

        async def campaigns() -> None:
            for book in services.books.values():
                await payments.even_out(services.database, book, book.at(services.clock))

        async def ask() -> None:
            for book in services.books.values():
                verifier = services.verifiers.get(book.mode)
                registry = Registry(services.database, services.vault, services.ids, verifier)
                await ask_pending(registry, book, book.at(services.clock))

        async def verify() -> None:
            for book in services.books.values():
                now = services.clock.now()
                await ledger.verify_if_due(services.database, book, now, PROVED_EVERY, payments.LEDGER_CHECKS)

        return [
            Job("expire", 5.0, expire),
            Job("close", 10.0, close),
            Job("debits", 30.0, debit),
            Job("rides", 30.0, rides),
            Job("products", 5.0, products),
            Job("campaigns", 5.0, campaigns),
            Job("forget", 600.0, forget),
            Job("verifications", 30.0, ask),
            Job("verify", 300.0, verify),
        ]


async def _forget_all(
    forget_some: Callable[[Connection, int, datetime, int], Awaitable[int]],
    db: Connection,
    bucket: int,
    at: datetime,
) -> None:
    """Repeat a clean-up of one bucket until it finds no more: what comes faster than it goes would pile up."""
    for _ in range(ROUNDS_MAX):
        if await forget_some(db, bucket, at, AT_ONCE) < AT_ONCE:
            return


@asynccontextmanager
async def opened(
    settings: Settings,
    *,
    clock: Clock | None = None,
    background: Background = Background.ON,
    lane_settings: LaneSettings | None = None,
    ids: IdMaker | None = None,
    watch: Watch | None = None,
) -> AsyncIterator[App]:
    """An application on its database, started; stopped and drained at the end of the block.

    watch  is told of every statement, for those who count them
    """
    clock = clock or SystemClock()
    secrets = load_secrets(settings)
    async with Database(settings, watch=watch) as database, AsyncExitStack() as stack:
        app = await _build(
            settings, database, clock, Vault(secrets), SecretSeal(secrets.sealing_key), lane_settings, ids
        )
        stack.push_async_callback(app.stop)
        if background is Background.ON:
            await app.start()
        yield app


async def _build(
    settings: Settings,
    database: Database,
    clock: Clock,
    vault: Vault,
    seal: SecretSeal,
    lane_settings: LaneSettings | None,
    ids: IdMaker | None,
) -> App:
    ids = ids or IdMaker()
    async with database.transaction() as db:
        books = Books(await load_books(db))
        products, policies = await _publish(db, books, clock)
    merchants = Merchants()
    metrics = Metrics()
    test_bank = TestBank(database, clock)
    banks: dict[Mode, Bank] = {Mode.TEST: test_bank}
    catalogue = Catalogue(products, _InForce(policies, books, clock), shipped_limit_policy())
    lanes = Lanes(
        database,
        books,
        clock,
        handlers(catalogue, merchants, vault, settings, lambda book: book.mode in banks),
        lock_people=identity.lock_people,
        write_journals=ledger.write_journals,
        render_problem=render_problem,
        settings=lane_settings,
        ids=ids,
        on_commit=lambda bucket: followers.wake(bucket),
    )
    reach = Reach.ANYWHERE if settings.webhooks_to_private_addresses else Reach.PUBLIC
    outbound = Outbound(reach)
    sender = Sender(database, books, clock, expand, seal, outbound, on_sent=metrics.webhook)
    runner = BankRunner(
        database,
        books,
        clock,
        vault,
        lambda book: banks.get(book.mode),
        lanes,
        BANK_COMMANDS,
        on_answer=metrics.bank_call,
    )
    test_bank.tell(runner.hear)
    followers = Followers(
        database,
        _what_follows(books, clock, lanes, sender, runner),
        on_failure=metrics.follower_failed,
    )
    metrics.watch_lanes(lanes)
    metrics.watch_followers(followers.lags)
    services = Services(
        settings=settings,
        clock=clock,
        database=database,
        books=books,
        ids=ids,
        vault=vault,
        seal=seal,
        lanes=lanes,
        followers=followers,
        authenticator=identity.Authenticator(database, books, clock),
        merchants=merchants,
        products=products,
        catalogue=catalogue,
        asked_orders=AskedOrders(database),
        pay_codes=PayCodes(database, vault),
        metrics=metrics,
        expand=expand,
        event_types=EVENT_TYPES,
        reach=reach,
        sms={Mode.TEST: MessageTable()},
        verifiers={Mode.TEST: TestVerifier()},
        sign_up=SignUp.OPEN if settings.open_sign_up else SignUp.CLOSED,
        turn_days=lambda book, days: turn_days(services, book, days),
    )
    return App(services, banks, runner, sender, outbound)


def _what_follows(
    books: Books, clock: Clock, lanes: Lanes, sender: Sender, runner: BankRunner
) -> list[Follower]:
    """What happens after a commit, in no order among them."""
    return [
        ledger.FOLLOWER,
        deliveries_follower(books, expand, clock, sender),
        bank_follower(clock, runner),
        payments.shipments_follower(lanes, books),
        credit.debits_follower(lanes),
    ]


def handlers(
    catalogue: Catalogue,
    merchants: Merchants,
    vault: Vault,
    settings: Settings,
    has_bank: Callable[[Book], bool],
) -> dict[type[Command], Handler]:
    """Every kind of command that a lane takes."""
    stored_value = StoredValue(held=settings.profile is Profile.FULL)
    return {
        CreatePerson: create_people_handler(vault),
        **credit.handlers(catalogue.products, send=payments.send_back),
        **payments.handlers(catalogue, merchants),
        **wallets.handlers(shipped_wallet_policy(), stored_value, has_bank),
        **settlements.handlers(),
    }


async def close_days(services: Services, book: Book) -> list[ClosedDay]:
    """Close what has ended on a book's clock, bucket by bucket. One entry a date."""
    began_at, through = services.clock.now(), book.business_date(book.at(services.clock)) - timedelta(days=1)
    closed: dict[Any, list[ClosedDay]] = {}
    steps = close_steps(services.products)
    for bucket in book.buckets:
        for day in await credit.close_through(services.lanes, book, bucket, through, steps):
            closed.setdefault(day.business_on, []).append(day)
    merged = [_merged(days) for _, days in sorted(closed.items())]
    for day in merged:
        seconds = (services.clock.now() - began_at).total_seconds() / len(merged)
        since_1970 = (day.business_on - date(1970, 1, 1)).days
        services.metrics.day_closed(book.name, since_1970, seconds, day.steps)
    return merged


def _merged(days: Sequence[ClosedDay]) -> ClosedDay:
    """One date over the buckets of its book."""
    rows: dict[str, int] = {}
    for day in days:
        for step, count in day.steps.items():
            rows[step] = rows.get(step, 0) + count
    return ClosedDay(days[0].business_on, rows, tuple(error for day in days for error in day.errors))


async def turn_days(services: Services, book: Book, days: int) -> list[ClosedDay]:
    """Turn a test book's clock on by days, to the first instant of each, and close each day that ends so."""
    closes: list[ClosedDay] = []
    for _ in range(days):
        at = book.at(services.clock)
        tomorrow = book.start_of(book.business_date(at) + timedelta(days=1))
        async with services.database.transaction() as db:
            offset_us = book.clock_offset_us + (tomorrow - at) // timedelta(microseconds=1)
            await turn_clock(db, book, offset_us)
        async with services.database.read() as db:
            await services.books.refresh(db)
        book = services.books[book.id]
        await expire_due(services.lanes, book, book.at(services.clock))
        await services.followers.catch_up()
        await credit.debit_due(services.lanes, book, services.products, book.at(services.clock))
        await payments.charge_rides(services.lanes, book, book.at(services.clock))
        closes += await close_days(services, book)
    return closes


async def _publish(db: Connection, books: Books, clock: Clock) -> tuple[Products, risk.Policies]:
    """Keep what ships as data, and make it usable in every book. Safe to repeat at every start."""
    at = clock.now()
    products = await credit.publish(db, credit.shipped_products(), at)
    await credit.publish_application_policy(db, at)
    policies = await risk.publish(db, risk.shipped_policies(), at)
    for book in books.values():
        await open_book(db, book, products, clock)
    return products, policies


async def open_book(db: Connection, book: Book, products: Products, clock: Clock) -> None:
    """Open a book's own accounts, and the products that may be offered in it with their lenders."""
    at = book.at(clock)
    await credit.open_book(db, book, products.offered(book.business_date(at)), at)
    owner = ledger.book_owner(book.id)
    accounts = ledger.folded_accounts(ledger.Owner.BOOK, owner, book.currency, book.id)
    await ledger.register_folded_accounts(db, accounts)


class _InForce(Mapping[int, Policy]):
    """The policy in force in each book at this moment: books are made, and policies begin, while a process runs."""

    def __init__(self, policies: risk.Policies, books: Books, clock: Clock) -> None:
        self._policies = policies
        self._books = books
        self._clock = clock

    def __getitem__(self, book_id: int) -> Policy:
        book = self._books[book_id]
        policy = self._policies.in_force(book.name, book.at(self._clock))
        if policy is None:
            raise ConfigurationError(f"no payment policy is in force in the book {book.name}")
        return policy

    def __iter__(self) -> Iterator[int]:
        return iter(self._books)

    def __len__(self) -> int:
        return len(self._books)


class Founded(Struct, frozen=True):
    """What `found` made. Secrets are in it: it is shown once and never printed."""

    books: tuple[str, ...]
    secrets: FirstSecrets

    def __repr__(self) -> str:
        return f"Founded({', '.join(self.books)})"


async def found(settings: Settings, drafts: Sequence[Draft], *, clock: Clock | None = None) -> Founded:
    """Make an installation: secrets, database, schema, books, first keys. Safe to repeat: what is there stays.

    Needs the database's owner for the books; with a database of one's own that is WUFENG_OWNER_DATABASE_URL.
    """
    clock = clock or SystemClock()
    vault = Vault(create_secrets(settings))
    await migrations.migrate(settings, clock)
    async with Database(settings) as database, database.transaction() as db:
        existing = {book.name for book in (await load_books(db)).values()}
        made = [draft.name for draft in drafts if draft.name not in existing]
        for draft in drafts:
            if draft.name not in existing:
                await create_book(db, _book_of(draft, clock), draft.buckets, clock.now())
        books = Books(await load_books(db))
        await _publish(db, books, clock)
        first = await identity.bootstrap(db, vault, IdMaker(), list(books.values()), clock.now())
    return Founded(tuple(made), first)


def _book_of(draft: Draft, clock: Clock) -> Book:
    book = Book(0, draft.name, draft.mode, draft.currency, draft.time_zone, draft.cut_off, 0, (), ())
    if draft.begins_on is None:
        return book
    offset = book.start_of(draft.begins_on) - clock.now()
    return replace(book, clock_offset_us=offset // timedelta(microseconds=1))


class Front:
    """The API, and pages under addresses of their own, as one ASGI application."""

    def __init__(self, api: Any, web: Any) -> None:
        self._api = api
        self._web = web

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        first = scope["path"][1:].partition("/")[0]  # also of `OPTIONS *`, which is no path
        await (self._web if first in SEGMENTS else self._api)(scope, receive, send)


class Server:
    """The ASGI application that a server process runs: opened at its start-up, drained at its shut-down."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._site: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection, or the process's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._site(scope, receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            app = await self._stack.enter_async_context(opened(self._settings))
        except ConfigurationError as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        self._site = app.site()
        calm_collector()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stack.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def calm_collector() -> None:
    """Let the garbage collector look rarely, and never at what lives as long as the process.

    A batch makes thousands of structs that reference counting alone frees; looking through them for cycles took about
    a quarter of a payment's Python.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def create_server() -> Server:
    """What a server process calls at its start: the settings come from its environment."""
    settings = load_settings()
    configure(settings.log_level, settings.log_format)
    return Server(settings)
