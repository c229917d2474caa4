"""A house with a bank: a test book and a live one, lanes that move money, the test bank, and its runner."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.conftest import Furnish

from wufeng import identity, ledger
from wufeng.base.books import Book, Books, Mode, create_book, load_books
from wufeng.base.claims import Answer
from wufeng.base.clock import FixedClock
from wufeng.base.config import Secrets, Settings
from wufeng.base.database import Database
from wufeng.base.errors import Problem
from wufeng.base.followers import Followers
from wufeng.base.ids import IdMaker, Prefix, decode, slot_of
from wufeng.base.lanes import Batch, Command, Lanes, LaneSettings
from wufeng.base.problems import render_problem
from wufeng.identity import CreatePerson, Private, Vault
from wufeng.identity.bank_accounts.commands import add_bank_account, mark_verified
from wufeng.ledger import AccountKind
from wufeng.payments import settlements, wallets
from wufeng.payments.bank import Bank, BankRunner, BankRunnerSettings, Kind, TestBank, bank_follower
from wufeng.payments.wallets import StoredValue, TopUp, Withdraw

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
TODAY = date(2026, 9, 3)
SECRETS = Secrets(pepper=b"p" * 32, sealing_key=b"s" * 32)
FAST = BankRunnerSettings(
    answer_within_s=2.0, lease_s=60.0, first_pause_s=1.0, longest_pause_s=30.0, grace_s=0.0
)


class Owner:
    """A person of these tests with a wallet and a bank account."""

    def __init__(self, id_: UUID, wallet_id: UUID, account_id: UUID, bucket: int) -> None:
        self.id = id_
        self.wallet_id = wallet_id
        self.account_id = account_id
        self.bucket = bucket


class Post(Command, frozen=True, kw_only=True):
    """Journals that other parts of the house would post."""

    journals: tuple[Any, ...]


async def post(batch: Batch, commands: list[Post]) -> list[Answer | Problem]:
    for command in commands:
        await ledger.post(batch, command.journals)
    return [Answer(200, b"{}") for _ in commands]


class House:
    """Everything money needs on its way in and out. `bank` and `runner` may be exchanged: another process."""

    def __init__(self, database: Database, books: Books) -> None:
        self.database = database
        self.books = books
        self.book = books.named("main")
        self.live = books.named("live")
        self.clock = FixedClock(NOON)
        self.vault = Vault(SECRETS)
        self.ids = IdMaker()
        self.stored_value = StoredValue(held=True)
        self.lanes = self.more_lanes()
        self.test_bank = TestBank(database, self.clock, slow=timedelta(milliseconds=50))
        self.bank: Bank = self.test_bank
        self.runner = self.new_runner()
        self._phones = 0

    def more_lanes(self) -> Lanes:
        return Lanes(
            self.database,
            self.books,
            self.clock,
            {
                CreatePerson: identity.create_people_handler(self.vault),
                **wallets.handlers(wallets.shipped_wallet_policy(), self.stored_value, self.has_bank),
                **settlements.handlers(),
                Post: post,
            },
            lock_people=identity.lock_people,
            write_journals=ledger.write_journals,
            render_problem=render_problem,
            settings=LaneSettings(deadline_s=20.0),
            ids=self.ids,
        )

    def has_bank(self, book: Book) -> bool:
        return book.mode is Mode.TEST

    def new_runner(self, settings: BankRunnerSettings = FAST) -> BankRunner:
        """A runner as a new process has it; the test bank talks to it from now on."""
        self.runner = BankRunner(
            self.database,
            self.books,
            self.clock,
            self.vault,
            lambda book: self.bank if self.has_bank(book) else None,
            self.lanes,
            {
                Kind.TOP_UP: wallets.answer_command,
                Kind.WITHDRAWAL: wallets.answer_command,
                Kind.SETTLEMENT: settlements.answer_command,
            },
            settings=settings,
        )
        self.test_bank.tell(self.runner.hear)
        return self.runner

    @property
    def at(self) -> datetime:
        return self.book.at(self.clock)

    def later(self, **by: float) -> None:
        self.clock.turn_to(self.clock.now() + timedelta(**by))

    async def owner(
        self, number: str = "6222000000001200", *, tier: int = 2, book: Book | None = None
    ) -> Owner:
        """A person of that tier with a verified bank account."""
        book = book or self.book
        self._phones += 1
        person_id = self.ids.new_anywhere(self.at)
        known = Private(f"P{self._phones:08d}") if tier > 1 else None
        create = CreatePerson(
            at=self.at,
            person_id=person_id,
            phone=Private(f"+861390000{self._phones:04d}"),
            name=known,
            document=known,
        )
        answer = await self.lanes.submit(book.bucket_of(person_id), create)
        wallet_id = decode(Prefix.WALLET, msgspec.json.decode(answer.body)["wallet"])
        account = await self.account(person_id, number, book)
        async with self.database.transaction() as db:
            await mark_verified(db, book.bucket_of(account), account, self.at)
        return Owner(person_id, wallet_id, account, book.bucket_of(person_id))

    async def account(self, person_id: UUID, number: str, book: Book | None = None) -> UUID:
        """A bank account that the bank has not verified."""
        added = await add_bank_account(
            self.database,
            self.vault,
            self.ids,
            book or self.book,
            person_id,
            "ICBC",
            Private(number),
            self.at,
        )
        return added.id

    def top_up_command(self, owner: Owner, amount_minor: int, **more: Any) -> TopUp:
        return TopUp(**self._asked(owner, amount_minor, more))

    def withdraw_command(self, owner: Owner, amount_minor: int, **more: Any) -> Withdraw:
        return Withdraw(**self._asked(owner, amount_minor, more))

    def _asked(self, owner: Owner, amount_minor: int, more: dict[str, Any]) -> dict[str, Any]:
        return {
            "at": self.at,
            "people": (owner.id,),
            "movement_id": self.ids.new(self.at, slot_of(owner.id)),
            "person_id": owner.id,
            "wallet_id": owner.wallet_id,
            "bank_account_id": owner.account_id,
            "amount_minor": amount_minor,
            **more,
        }

    async def submit(self, bucket: int, command: Command) -> Answer | Problem:
        try:
            return await self.lanes.submit(bucket, command)
        except Problem as problem:
            return problem

    async def top_up(self, owner: Owner, amount_minor: int) -> UUID:
        """Begin a top-up; its id."""
        command = self.top_up_command(owner, amount_minor)
        answer = await self.submit(owner.bucket, command)
        assert isinstance(answer, Answer) and answer.status == 202, answer
        return command.movement_id

    async def withdraw(self, owner: Owner, amount_minor: int) -> UUID:
        """Begin a withdrawal; its id."""
        command = self.withdraw_command(owner, amount_minor)
        answer = await self.submit(owner.bucket, command)
        assert isinstance(answer, Answer) and answer.status == 202, answer
        return command.movement_id

    async def follow(self) -> None:
        """Let the followers catch up: balances folded, instructions on the work list."""
        await Followers(self.database, [ledger.FOLLOWER, bank_follower(self.clock)]).catch_up()

    async def work(self, rounds: int = 1, pause_s: float = 61.0) -> None:
        """Follow, then let the runner do what is due; between rounds the clock goes on past every pause."""
        await self.follow()
        for n in range(rounds):
            if n:
                self.later(seconds=pause_s)
            for bucket in self.book.buckets:
                await self.runner.send_due(bucket)
            await self.runner.idle()
        await self.follow()

    async def status(self, movement_id: UUID) -> tuple[str, str | None]:
        async with self.database.read() as db:
            view = await wallets.show_movement(db, self.book, movement_id)
        return view.status.value, view.failure

    async def wallet(self, owner: Owner) -> tuple[int, int]:
        """(balance, held) of a wallet."""
        async with self.database.read() as db:
            view = await wallets.show_wallet(db, self.vault, self.book, owner.wallet_id)
        assert view.available_minor == view.balance_minor - view.held_minor >= 0
        return view.balance_minor, view.held_minor

    async def folded(self, kind: AccountKind, owner_id: UUID | None = None) -> int:
        """A folded account's balance over all buckets, debit-positive."""
        await self.follow()
        account = ledger.account_id(owner_id or ledger.book_owner(self.book.id), kind)
        async with self.database.read() as db:
            return (await ledger.folded_balances(db, self.book.buckets, [account]))[account]

    async def fetch(self, query: str, *args: Any) -> list[dict[str, Any]]:
        async with self.database.read() as db:
            return [dict(row) for row in await db.fetch(query, *args)]

    async def kinds(self) -> list[str]:
        """The kinds of all events, each bucket's in order."""
        return [row["kind"] for row in await self.fetch("select kind from event order by bucket, seq")]


@pytest.fixture(scope="session")
def template(furnish: Furnish) -> str:
    """Each test begins with a test book and a live one, and their accounts."""
    return furnish(open_books)[0]


async def open_books(settings: Settings) -> None:
    async with Database(settings) as database, database.transaction() as db:
        for name, mode, buckets in (("main", Mode.TEST, 2), ("live", Mode.LIVE, 1)):
            draft = Book(0, name, mode, "CNY", "Asia/Shanghai", time(0), 0, (), ())
            book = await create_book(db, draft, buckets, NOON)
            accounts = ledger.folded_accounts(ledger.Owner.BOOK, ledger.book_owner(book.id), "CNY", book.id)
            await ledger.register_folded_accounts(db, accounts)


@pytest.fixture
async def house(database: Database) -> AsyncIterator[House]:
    """A house in business. After each test its ledger has no break, and the bank's account is what we think it is."""
    async with database.read() as db:
        books = Books(await load_books(db))
    house = House(database, books)
    yield house
    await house.runner.stop()
    await house.lanes.drain()
    await house.follow()
    report = await ledger.verify(database)
    assert not report.breaks, report.breaks


async def gathered(*awaitables: Any) -> list[Any]:
    """All results, problems as values."""
    return list(await asyncio.gather(*awaitables, return_exceptions=True))
