"""A ledger that works: a book with two buckets, a lane that posts what a test says, all accounts open."""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time
from uuid import UUID

import pytest

from wufeng.base.books import Book, Books, Mode, create_book, load_books
from wufeng.base.claims import Answer
from wufeng.base.clock import FixedClock
from wufeng.base.database import Connection, Database
from wufeng.base.followers import Followers
from wufeng.base.ids import IdMaker
from wufeng.base.lanes import Batch, Command, Lanes
from wufeng.base.problems import render_problem
from wufeng.ledger import (
    FOLLOWER,
    AccountKind,
    Cause,
    Hold,
    Journal,
    Owner,
    Posted,
    account_id,
    book_owner,
    folded_accounts,
    guarded_account,
    guarded_accounts,
    open_accounts,
    place_holds,
    post,
    post_holds,
    register_folded_accounts,
    rules,
    void_holds,
    write_journals,
)

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
ON = date(2026, 9, 3)


class Work(Command, frozen=True, kw_only=True):
    """Void, post and place holds, then post journals: what a money command does, without deciding anything."""

    journals: tuple[Journal, ...] = ()
    holds: tuple[Hold, ...] = ()
    parts: tuple[tuple[UUID, int], ...] = ()
    voids: tuple[UUID, ...] = ()


async def do_work(batch: Batch, commands: Sequence[Work]) -> list[Answer]:
    await void_holds(batch, [hold for command in commands for hold in command.voids])
    await post_holds(batch, [part for command in commands for part in command.parts])
    await place_holds(batch, [hold for command in commands for hold in command.holds])
    await post(batch, [journal for command in commands for journal in command.journals])
    return [Answer(200, b"{}") for _ in commands]


async def no_people(db: Connection, bucket: int, ids: Sequence[UUID]) -> dict[UUID, object]:
    return {}


class Ledger:
    """One wallet and one line in the book's first bucket, a merchant and two lenders beside them."""

    def __init__(self, database: Database, owner: Connection, books: Books) -> None:
        self.database = database
        self.owner = owner
        self.book: Book = books.named("main")
        self.bucket = self.book.buckets[0]
        self.maker = IdMaker(random.Random(1))
        self.wallet, self.line = self.new_id(), self.new_id()
        self.merchant, self.lead, self.second = self.new_id(), self.new_id(), self.new_id()
        self.shares = ((self.lead, 700_000), (self.second, 300_000))
        self.followers = Followers(database, [FOLLOWER])
        self.lanes = Lanes(
            database,
            books,
            FixedClock(NOON),
            {Work: do_work},
            lock_people=no_people,
            write_journals=write_journals,
            render_problem=render_problem,
        )

    def new_id(self) -> UUID:
        """An id that lives in the first bucket."""
        while self.book.bucket_of(made := self.maker.new_anywhere(NOON)) != self.bucket:
            pass
        return made

    def cause(self, of: UUID | None = None, note: bytes = b"{}") -> Cause:
        return Cause(of or self.new_id(), "CNY", ON, self.book.id, note)

    async def open(self) -> None:
        async with self.database.transaction() as db:
            for owner, id_ in ((Owner.WALLET, self.wallet), (Owner.LINE, self.line)):
                await open_accounts(db, self.bucket, guarded_accounts(owner, id_, "CNY"))
            for owner, id_ in (
                (Owner.MERCHANT, self.merchant),
                (Owner.LENDER, self.lead),
                (Owner.LENDER, self.second),
                (Owner.BOOK, book_owner(self.book.id)),
            ):
                await register_folded_accounts(db, folded_accounts(owner, id_, "CNY", self.book.id))

    async def work(self, **what: object) -> None:
        await self.lanes.submit(self.bucket, Work(at=NOON, **what))  # type: ignore[arg-type]

    async def post(self, *journals: Journal) -> None:
        await self.work(journals=journals)

    async def fold(self) -> None:
        await self.followers.catch_up()

    def account(self, kind: AccountKind) -> UUID:
        owners = {Owner.WALLET: self.wallet, Owner.LINE: self.line, Owner.MERCHANT: self.merchant}
        owners |= {Owner.LENDER: self.lead, Owner.BOOK: book_owner(self.book.id)}
        return account_id(owners[kind.owner], kind)

    async def balances(self, kind: AccountKind) -> tuple[int, int]:
        """Balance and held amount of a guarded account."""
        async with self.database.read() as db:
            found = await guarded_account(db, self.bucket, self.account(kind))
        assert found is not None
        return found.balance.balance_minor, found.balance.held_minor

    def top_up(self, amount_minor: int) -> Journal:
        return rules.top_up(self.cause(), self.wallet, amount_minor)

    def buy(self, amount_minor: int, fee_minor: int = 0, of: UUID | None = None) -> Journal:
        parts = rules.split_between(amount_minor, self.shares)
        return rules.credit_payment(self.cause(of), self.line, parts, self.merchant, fee_minor)

    async def live_a_little(self) -> None:
        """A top-up, a credit payment, part of it repaid from the wallet and that undone, a hold half posted."""
        await self.post(self.top_up(500_00), self.buy(100_00, 60))
        repaid = rules.repayment_from_wallet(
            self.cause(), self.wallet, self.line, rules.split_change(100_00, 60_00, self.shares)
        )
        await self.post(repaid)
        await self.post(
            rules.reversal(self.cause(), Posted(bucket=self.bucket, seq=3, at=NOON, journal=repaid))
        )
        hold = Hold(self.new_id(), self.account(AccountKind.WALLET), 80_00, self.new_id())
        await self.work(holds=(hold,))
        paid = rules.wallet_payment(self.cause(), self.wallet, 30_00, self.merchant, 18)
        await self.work(parts=((hold.id, 30_00),), journals=(paid,))


@pytest.fixture
async def ledger(database: Database, owner: Connection) -> AsyncIterator[Ledger]:
    draft = Book(0, "main", Mode.TEST, "CNY", "Asia/Shanghai", time.min, 0, (), ())
    await create_book(owner, draft, 2, NOON)
    async with database.read() as db:
        books = Books(await load_books(db))
    made = Ledger(database, owner, books)
    await made.open()
    yield made
    await made.lanes.drain()
