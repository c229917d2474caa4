"""A town for payments: a book of two buckets, a merchant, people with wallets and lines, and its lanes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from tests.conftest import Furnish

from wufeng import credit, ledger, payments
from wufeng.base.books import Book, Books, Mode, create_book, load_books
from wufeng.base.claims import Answer, claim_key
from wufeng.base.clock import FixedClock
from wufeng.base.config import Secrets, Settings
from wufeng.base.database import Connection, Database
from wufeng.base.errors import Problem
from wufeng.base.followers import Followers
from wufeng.base.ids import Prefix, decode
from wufeng.base.lanes import Batch, Command, Lanes, LaneSettings
from wufeng.base.problems import render_problem
from wufeng.compliance import shipped_limit_policy
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.lines.store import insert_lines
from wufeng.identity import Merchants, Tier, Vault, lock_people
from wufeng.identity.bank_accounts.model import BankAccount, BankAccountStatus
from wufeng.identity.bank_accounts.store import insert_account
from wufeng.identity.bank_accounts.store import move_status as move_account
from wufeng.identity.merchants.commands import create_merchant
from wufeng.identity.merchants.model import FeePlan, Scene
from wufeng.identity.people.model import Outcome
from wufeng.identity.people.store import NewPerson, insert_people, load_keys
from wufeng.identity.vault import Private
from wufeng.ledger import rules as ledger_rules
from wufeng.lenders.model import Lender, lender_id
from wufeng.lenders.store import insert_lenders
from wufeng.payments.orders.model import Channel, OrderTerms, Receipt, order_id
from wufeng.payments.pay.model import Capture, Funding, Pay, Reader
from wufeng.risk import shipped_policy
from wufeng.risk.model import Confirmation

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
TODAY = date(2026, 9, 3)
PEPPER = b"p" * 32
SECRETS = Secrets(pepper=b"p" * 32, sealing_key=b"s" * 32)
MERCHANT_RATE_PPM = 6_000


class Payer:
    """A person of these tests: ids to pay with."""

    def __init__(self, id_: UUID, wallet_id: UUID, line_id: UUID, bucket: int) -> None:
        self.id = id_
        self.wallet_id = wallet_id
        self.line_id = line_id
        self.bucket = bucket

    @property
    def device_id(self) -> UUID:
        """What they are signed in on, and show pay codes with."""
        return UUID(int=self.id.int ^ 2)

    @property
    def handle_name(self) -> UUID:
        """The enrolment that their device makes codes by without a connection."""
        return UUID(int=self.id.int ^ 3)


class TopUp(Command, frozen=True, kw_only=True):
    """Money for a wallet, as if a bank had confirmed it."""

    of: UUID
    wallet_id: UUID
    amount_minor: int


async def top_up(batch: Batch, commands: Sequence[TopUp]) -> list[Answer | Problem]:
    await ledger.post(
        batch,
        [
            ledger_rules.top_up(
                ledger.Cause(c.of, batch.book.currency, batch.book.business_date(c.at), batch.book.id),
                c.wallet_id,
                c.amount_minor,
            )
            for c in commands
        ],
    )
    return [Answer(200, b"{}") for _ in commands]


class Town:
    """Everything a payment needs, and the shortest way to ask for one."""

    def __init__(self, database: Database, books: Books, catalogue: payments.Catalogue) -> None:
        self.database = database
        self.books = books
        self.book = books.named("main")
        self.clock = FixedClock(NOON)
        self.catalogue = catalogue
        self.merchants = Merchants()
        self.lanes = self.more_lanes()
        self.ids = self.lanes.ids
        self.merchant_id = UUID(int=0)
        self._made = 0

    def more_lanes(self, **settings: Any) -> Lanes:
        """Lanes as another process has them."""
        return Lanes(
            self.database,
            self.books,
            self.clock,
            {
                **payments.handlers(self.catalogue, self.merchants),
                **credit.handlers(self.catalogue.products, send=payments.send_back),
                TopUp: top_up,
            },
            lock_people=lock_people,
            write_journals=ledger.write_journals,
            render_problem=render_problem,
            settings=LaneSettings(deadline_s=20.0, **settings),
        )

    @property
    def at(self) -> datetime:
        return self.book.at(self.clock)

    async def open_shop(self, rate_ppm: int = MERCHANT_RATE_PPM) -> UUID:
        merchant, _ = await create_merchant(
            self.database, self.ids, self.book, "Shop", Scene.RETAIL, FeePlan(rate_ppm), self.at
        )
        return merchant.id

    async def people(
        self,
        count: int = 1,
        *,
        wallet_minor: int = 0,
        limit_minor: int = 500_000,
        bucket: int | None = None,
        tier: Tier = Tier.III,
        outcome: Outcome = Outcome.NONE,
        status: LineStatus = LineStatus.OPEN,
    ) -> list[Payer]:
        """People with an open wallet and a line, in one bucket (the first, unless told otherwise)."""
        bucket = self.book.buckets[0] if bucket is None else bucket
        slot = next(s for s in range(0, 65536, 257) if self.book.bucket_of_slot(s) == bucket)
        payers = [
            Payer(
                self.ids.new(self.at, slot), self.ids.new(self.at, slot), self.ids.new(self.at, slot), bucket
            )
            for _ in range(count)
        ]
        new = []
        for payer in payers:
            self._made += 1
            phone = Private(f"+8613{self._made:09d}")
            new.append(
                NewPerson(
                    id=payer.id, wallet_id=payer.wallet_id, tier=tier, outcome=outcome, phone=phone,
                    external_id=None, name=None, document=None, created_at=self.at,
                )
            )  # fmt: skip
        product = self.catalogue.products.version("monthly_bill", 1)
        shares = tuple((lender_id(self.book.id, one.code), one.share_ppm) for one in product.lenders)
        lines = [
            Line(
                id=payer.line_id, person_id=payer.id, product=product.id, product_version=1, currency="CNY",
                lenders=shares, limit_minor=limit_minor, status=status, bill_day=1, due_day=10,
                opened_on=TODAY,
            )
            for payer in payers
        ]  # fmt: skip
        async with self.database.transaction() as db:
            await insert_people(db, Vault(SECRETS), self.book, bucket, new)
            await insert_lines(db, bucket, lines)
            accounts = [
                account
                for payer in payers
                for owner, id_ in ((ledger.Owner.WALLET, payer.wallet_id), (ledger.Owner.LINE, payer.line_id))
                for account in ledger.guarded_accounts(owner, id_, "CNY")
            ]
            await ledger.open_accounts(db, bucket, accounts)
            await sign_in(db, payers, self.at)
        if wallet_minor:
            await asyncio.gather(*(self.fill(payer, wallet_minor) for payer in payers))
        return payers

    async def fill(self, payer: Payer, amount_minor: int) -> None:
        of = self.ids.new(self.at, payer.id.int & 0xFFFF)
        command = TopUp(
            at=self.at, people=(payer.id,), of=of, wallet_id=payer.wallet_id, amount_minor=amount_minor
        )
        await self.lanes.submit(payer.bucket, command)

    def terms(self, order_no: str, amount_minor: int, **more: Any) -> OrderTerms:
        merchant_id = more.pop("merchant_id", self.merchant_id)
        return OrderTerms(
            id=order_id(merchant_id, order_no),
            merchant_id=merchant_id,
            order_no=order_no,
            amount_minor=amount_minor,
            currency=more.pop("currency", "CNY"),
            subject="goods",
            scene=more.pop("scene", Scene.RETAIL),
            receipt=more.pop("receipt", Receipt.NONE),
            expires_at=more.pop("expires_at", None),
            metadata=more.pop("metadata", None),
            channel=more.pop("channel", Channel.APP),
        )

    def pay_command(self, payer: Payer, order: OrderTerms, *, key: str | None = None, **more: Any) -> Pay:
        """A payment on credit by a PIN, unless told otherwise."""
        claim = None
        if key is not None:
            body = {"order": order.order_no, "amount_minor": order.amount_minor}
            claim = claim_key(PEPPER, payer.id, key, "POST /v1/payments", body)
        return Pay(
            at=self.at,
            people=(payer.id,),
            claim=claim,
            payment_id=self.ids.new(self.at, payer.id.int & 0xFFFF),
            order=order,
            payer_id=payer.id,
            funding=more.pop("funding", Funding(use_wallet=False, line_id=payer.line_id)),
            capture=more.pop("capture", Capture.NOW),
            confirmation=more.pop("confirmation", Confirmation.PIN),
            caller_id=payer.id,
            reader=more.pop("reader", Reader.PERSON),
            presented=more.pop("presented", None),
            language="en",
        )

    async def submit(self, bucket: int, command: Command, lanes: Lanes | None = None) -> Answer | Problem:
        """The answer, or the problem it was refused with."""
        try:
            return await (lanes or self.lanes).submit(bucket, command)
        except Problem as problem:
            return problem

    async def pay(
        self, payer: Payer, order_no: str, amount_minor: int, *, key: str | None = None, **more: Any
    ) -> tuple[int, dict[str, Any]]:
        """Pay an order; the status and the body. A problem's body is its code."""
        lanes = more.pop("lanes", None)
        order_more = {
            name: more.pop(name)
            for name in ("scene", "receipt", "expires_at", "currency", "metadata", "merchant_id", "channel")
            if name in more
        }
        order = self.terms(order_no, amount_minor, **order_more)
        return seen(await self.submit(payer.bucket, self.pay_command(payer, order, key=key, **more), lanes))

    async def ask(
        self, bucket: int, command: Command, lanes: Lanes | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Submit a command; the status and the body. A problem's body is its code."""
        return seen(await self.submit(bucket, command, lanes))

    async def capture(
        self, payer: Payer, body: dict[str, Any], amount_minor: int | None = None, *, final: bool = True
    ) -> tuple[int, dict[str, Any]]:
        command = payments.CapturePayment(
            at=self.at,
            people=(payer.id,),
            payment_id=decode(Prefix.PAYMENT, body["id"]),
            merchant_id=self.merchant_id,
            amount_minor=amount_minor,
            final=final,
        )
        return await self.ask(payer.bucket, command)

    async def void(self, payer: Payer, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        command = payments.VoidPayment(
            at=self.at,
            people=(payer.id,),
            payment_id=decode(Prefix.PAYMENT, body["id"]),
            merchant_id=self.merchant_id,
        )
        return await self.ask(payer.bucket, command)

    async def confirm(
        self,
        payer: Payer,
        body: dict[str, Any],
        confirmation: Confirmation = Confirmation.PIN,
        funding: Funding | None = None,
    ) -> tuple[int, dict[str, Any]]:
        command = payments.Confirm(
            at=self.at,
            people=(payer.id,),
            payment_id=decode(Prefix.PAYMENT, body["id"]),
            payer_id=payer.id,
            confirmation=confirmation,
            funding=funding,
            language="en",
        )
        return await self.ask(payer.bucket, command)

    async def review(
        self, payer: Payer, body: dict[str, Any], *, approve: bool
    ) -> tuple[int, dict[str, Any]]:
        command = payments.ReviewPayment(
            at=self.at,
            people=(payer.id,),
            payment_id=decode(Prefix.PAYMENT, body["id"]),
            approve=approve,
            staff_id=UUID(int=5),
        )
        return await self.ask(payer.bucket, command)

    async def expire(self, *payers: Payer) -> dict[str, Any]:
        """What the timer does, for these people."""
        command = payments.ExpirePayments(at=self.at, people=tuple(payer.id for payer in payers))
        return (await self.ask(payers[0].bucket, command))[1]

    async def refund(
        self, payer: Payer, body: dict[str, Any], refund_no: str, amount_minor: int, **more: Any
    ) -> tuple[int, dict[str, Any]]:
        command = self.refund_command(payer, body, refund_no, amount_minor, **more)
        return await self.ask(payer.bucket, command)

    def refund_command(
        self, payer: Payer, body: dict[str, Any], refund_no: str, amount_minor: int, **more: Any
    ) -> payments.CreateRefund:
        return payments.CreateRefund(
            at=self.at,
            people=(payer.id,),
            refund_id=self.ids.new(self.at, payer.id.int & 0xFFFF),
            payment_id=decode(Prefix.PAYMENT, body["id"]),
            merchant_id=more.pop("merchant_id", self.merchant_id),
            refund_no=refund_no,
            amount_minor=amount_minor,
            reason="returned",
            **more,
        )

    async def bank_account(self, payer: Payer) -> UUID:
        """A bank account of theirs that the bank has verified."""
        vault, id_ = Vault(SECRETS), self.ids.new(self.at, payer.id.int & 0xFFFF)
        account = BankAccount(
            id=id_, person_id=payer.id, bank="ICBC", number_masked="****0001",
            status=BankAccountStatus.UNVERIFIED, created_at=self.at,
        )  # fmt: skip
        async with self.database.transaction() as db:
            key = (await load_keys(db, vault, payer.bucket, [payer.id]))[payer.id]
            await insert_account(db, payer.bucket, key, account, Private("6222000000000001"), id_)
            await move_account(
                db, payer.bucket, id_, [BankAccountStatus.UNVERIFIED], BankAccountStatus.VERIFIED, self.at
            )
        return id_

    async def repay(
        self,
        payer: Payer,
        amount_minor: int,
        bank_account_id: UUID | None = None,
        source: credit.Source | None = None,
        value_on: date | None = None,
    ) -> None:
        """Repay the line, from the wallet, a bank account that has answered, or another source."""
        kind = credit.SourceKind.WALLET if bank_account_id is None else credit.SourceKind.BANK_ACCOUNT
        repayment_id = self.ids.new(self.at, payer.id.int & 0xFFFF)
        status, body = await self.ask(
            payer.bucket,
            credit.Repay(
                at=self.at,
                people=(payer.id,),
                repayment_id=repayment_id,
                line_id=payer.line_id,
                source=source or credit.Source(kind, bank_account_id or payer.wallet_id),
                amount_minor=amount_minor,
                value_on=value_on,
            ),
        )
        assert status in (201, 202), body
        if status == 202:
            answered = credit.BankAnswered(at=self.at, people=(payer.id,), repayment_id=repayment_id, ok=True)
            assert (await self.ask(payer.bucket, answered))[1]["status"] == "posted"

    def turn(self, **by: int) -> None:
        self.clock.turn_to(self.clock.now() + timedelta(**by))

    async def fetch(self, query: str, *args: Any) -> list[dict[str, Any]]:
        async with self.database.read() as db:
            return [dict(row) for row in await db.fetch(query, *args)]

    async def balance(self, owner: UUID, kind: ledger.AccountKind) -> int:
        async with self.database.read() as db:
            found = await ledger.load_balances(
                db, self.book.bucket_of(owner), [ledger.account_id(owner, kind)]
            )
        return found[ledger.account_id(owner, kind)].balance_minor

    async def held(self, owner: UUID, kind: ledger.AccountKind) -> int:
        async with self.database.read() as db:
            found = await ledger.load_balances(
                db, self.book.bucket_of(owner), [ledger.account_id(owner, kind)]
            )
        return found[ledger.account_id(owner, kind)].held_minor

    async def payable(self, merchant_id: UUID | None = None) -> int:
        """What a merchant is owed, once the folds have caught up."""
        await self.catch_up()
        account = ledger.account_id(merchant_id or self.merchant_id, ledger.AccountKind.MERCHANT_PAYABLE)
        async with self.database.read() as db:
            return -(await ledger.folded_balances(db, self.book.buckets, [account]))[account]

    async def catch_up(self) -> None:
        await Followers(self.database, [ledger.FOLLOWER]).catch_up()

    async def kinds(self) -> list[str]:
        return [row["kind"] for row in await self.fetch("select kind from event order by bucket, seq")]


async def sign_in(db: Connection, payers: Sequence[Payer], at: datetime) -> None:
    """A device for each, signed in and enrolled for pay codes."""
    rows = [(payer.bucket, payer.device_id, payer.id, at) for payer in payers]
    await db.executemany(
        "insert into device (bucket, id, person_id, name, secret_hash, created_at, seen_at)"
        " values ($1, $2, $3, 'phone', uuid_send($2), $4, $4)",
        rows,
    )
    await db.executemany(
        "insert into session (bucket, id, person_id, secret_hash, device, created_at, expires_at, device_id)"
        " values ($1, $2, $3, uuid_send($2), 'phone', $4::timestamptz, $4 + interval '90 days', $2)",
        rows,
    )
    await db.executemany(
        "insert into pay_choice (bucket, device_id, person_id, chosen_at, handle_name, use_wallet, tenor)"
        " values ($1, $2, $3, $4, $5, true, 1)",
        [(*row, payer.handle_name) for row, payer in zip(rows, payers, strict=True)],
    )


def seen(answer: Answer | Problem) -> tuple[int, dict[str, Any]]:
    if isinstance(answer, Problem):
        assert answer.code.value != "internal", repr(answer.__cause__)
        return answer.status, {"code": answer.code.value, "detail": answer.detail}
    return answer.status, msgspec.json.decode(answer.body)


@pytest.fixture(scope="session")
def template(furnish: Furnish) -> str:
    """Each test begins with a book of two buckets, products, their lenders, and the accounts of these."""
    return furnish(open_book)[0]


async def open_book(settings: Settings) -> None:
    draft = Book(0, "main", Mode.TEST, "CNY", "Asia/Shanghai", time(0), 0, (), ())
    async with Database(settings) as database, database.transaction() as db:
        book = await create_book(db, draft, 2, NOON)
        products = await credit.publish(db, credit.shipped_products(), NOON)
        await insert_lenders(
            db,
            book.id,
            [
                Lender(lender_id(book.id, one.code), book.id, one.code, one.name.zh, one.name.en)
                for one in products.version("monthly_bill", 1).lenders
            ],
            NOON,
        )
        for one in products.version("monthly_bill", 1).lenders:
            id_ = lender_id(book.id, one.code)
            await ledger.register_folded_accounts(
                db, ledger.folded_accounts(ledger.Owner.LENDER, id_, "CNY", book.id)
            )
        await ledger.register_folded_accounts(
            db,
            ledger.folded_accounts(ledger.Owner.BOOK, ledger.book_owner(book.id), "CNY", book.id),
        )


@pytest.fixture
async def town(database: Database) -> AsyncIterator[Town]:
    """A town in business. After each test its ledger has no break."""
    async with database.transaction() as db:
        books = Books(await load_books(db))
        book = books.named("main")
        products = await credit.publish(db, credit.shipped_products(), NOON)
    catalogue = payments.Catalogue(products, {book.id: shipped_policy().policy}, shipped_limit_policy())
    town = Town(database, books, catalogue)
    town.merchant_id = await town.open_shop()
    yield town
    await town.lanes.drain()
    await town.catch_up()
    report = await ledger.verify(database, checks=payments.LEDGER_CHECKS)
    assert not report.breaks, report.breaks
