"""Credit at work: a book with lanes and two lenders, people with wallets and lines, a clock, and a shop beside it.

The shop stands for payments: its two commands book what a payment and a refund book, by the same public functions.
"""

import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import msgspec
import pytest

from wufeng import credit, ledger
from wufeng.base.books import Book, Books, Mode, create_book, load_books
from wufeng.base.claims import Answer, claim_key
from wufeng.base.clock import FixedClock
from wufeng.base.config import Secrets
from wufeng.base.database import Database
from wufeng.base.errors import Problem
from wufeng.base.followers import Followers
from wufeng.base.ids import IdMaker
from wufeng.base.lanes import Batch, Command, Lanes
from wufeng.base.problems import render_problem
from wufeng.credit.close.model import ClosedDay, CloseStep
from wufeng.credit.debts.store import load_debts
from wufeng.credit.draws.model import Declined, DrawRequest, draw_id
from wufeng.credit.lines.model import Actor, LineState
from wufeng.credit.lines.store import load_lines
from wufeng.credit.products.files import read_product, shipped_products
from wufeng.credit.products.model import Product, Shipped
from wufeng.credit.queries import Reading, list_bills, list_repayments, show_line
from wufeng.credit.refunds.model import Effect, Refunded, RefundRequest, Returned
from wufeng.credit.repayments.model import Debt, Source, SourceKind, Target
from wufeng.credit.views import BillView, LineView, RepaymentView
from wufeng.identity.merchants.model import Scene
from wufeng.identity.people.model import Outcome, Tier
from wufeng.identity.people.store import NewPerson, insert_people, lock_people
from wufeng.identity.vault import Private, Vault
from wufeng.ledger import AccountKind, Cause, account_id

SECRETS = Secrets(pepper=b"p" * 32, sealing_key=b"s" * 32)
MERCHANT = UUID(int=0x77 << 80 | 0x7 << 76 | 2 << 62)
STAFF = UUID(int=0x5 << 80)
TWO_LENDERS = """
[[lenders]]
code = "lead"
name = { zh = "甲", en = "Lead" }
share_ppm = 700_000
[[lenders]]
code = "second"
name = { zh = "乙", en = "Second" }
share_ppm = 300_000
"""


def shipped(product: str) -> Shipped:
    """A product that ships."""
    return next(one for one in shipped_products() if one.product.id == product)


def shared_product() -> str:
    """The monthly bill, funded by two lenders."""
    source = shipped("monthly_bill").source
    return source[: source.index("[[lenders]]")] + TWO_LENDERS


class Buy(Command, frozen=True, kw_only=True):
    """A payment on credit: decided, drawn, booked."""

    request: DrawRequest


class GiveBack(Command, frozen=True, kw_only=True):
    """A refund of what a payment drew."""

    request: RefundRequest


class GivenBack(msgspec.Struct, frozen=True):
    """What a refund that was dated back did, told today."""

    returned: tuple[Returned, ...]
    effects: tuple[Effect, ...]

    @property
    def returned_minor(self) -> int:
        return sum(one.amount_minor for one in self.returned)


class Receive(Command, frozen=True, kw_only=True):
    """The receipt of a payment's goods is confirmed."""

    payment_id: UUID


class Fill(Command, frozen=True, kw_only=True):
    """Money for a wallet."""

    wallet_id: UUID
    amount_minor: int


class Shop:
    """Handlers of the commands above."""

    def __init__(self, products: credit.Products) -> None:
        self.products = products

    def product(self, state: LineState) -> Product:
        return self.products.version(state.line.product, state.line.product_version, state.line.tier)

    async def buy(self, batch: Batch, commands: Sequence[Buy]) -> list[Answer]:
        requests = [command.request for command in commands]
        states = await credit.load_states(batch.db, batch.bucket, {request.line_id for request in requests})
        answers, journals = [], []
        for command, request in zip(commands, requests, strict=True):
            on = batch.book.business_date(command.at)
            state = states[request.line_id]
            decided = credit.decide_draw(state, request, self.product(state), on)
            if isinstance(decided, Declined):
                answers.append(Answer(402, decided.reasons[0].value.encode()))
                continue
            states[request.line_id] = decided.after
            await credit.post_draws(batch, self.products, [decided], on)
            cause = Cause(request.payment_id, "CNY", on, batch.book.id)
            subsidy = ledger.split_between(decided.plan.subsidy_minor, decided.lenders)
            principal = credit.principal_drawn(decided)
            journals.append(
                ledger.rules.credit_payment(cause, request.line_id, principal, MERCHANT, 0, subsidy)
            )
            answers.append(Answer(201, b"", request.id))
        await ledger.post(batch, journals)
        return answers

    async def give_back(self, batch: Batch, commands: Sequence[GiveBack]) -> list[Answer | Problem]:
        answers: list[Answer | Problem] = []
        for request in [command.request for command in commands]:
            cause = Cause(request.id, "CNY", request.on, batch.book.id)
            if request.value_on is not None:
                done = await credit.refund_late(batch, [request], self.products)
                if isinstance(done, Problem):
                    answers.append(done)
                    continue
                (late,) = done
                legs, body = late.legs(cause), msgspec.json.encode(GivenBack(late.returned, late.effects))
            else:
                (one,) = await credit.refund_draws(batch, [request], self.products)
                legs, body = credit.legs_of_refund(one, cause), msgspec.json.encode(one)
            own = ledger.rules.refund(
                cause,
                MERCHANT,
                request.line_id,
                legs.principal,
                credit_balance_minor=legs.credit_balance_minor,
                subsidy_returned=legs.subsidy,
            )
            await ledger.post(batch, [*legs.before, own, *legs.after])
            answers.append(Answer(201, body))
        return answers

    async def receive(self, batch: Batch, commands: Sequence[Receive]) -> list[Answer]:
        for command in commands:
            on = batch.book.business_date(command.at)
            await credit.make_billable(
                batch, self.products, command.payment_id, credit.BillableAt.RECEIPT, on
            )
        return [Answer(200, b"") for _ in commands]

    async def fill(self, batch: Batch, commands: Sequence[Fill]) -> list[Answer]:
        on = batch.book.business_date(commands[0].at)
        causes = [Cause(command.wallet_id, "CNY", on, batch.book.id) for command in commands]
        await ledger.post(
            batch,
            [
                ledger.rules.top_up(cause, command.wallet_id, command.amount_minor)
                for cause, command in zip(causes, commands, strict=True)
            ],
        )
        return [Answer(201, b"") for _ in commands]


class Payer(msgspec.Struct, frozen=True):
    """A person of these tests with a wallet and, once opened, a line."""

    id: UUID
    wallet_id: UUID
    line_id: UUID | None = None


class House:
    """The parts, and what tests do with them."""

    def __init__(
        self, database: Database, books: Books, book: Book, products: credit.Products, on: date
    ) -> None:
        self.database = database
        self.books = books
        self.book = book
        self.bucket = self.book.buckets[0]
        self.products = products
        self.hours = 12
        self.clock = FixedClock(self.noon(on))
        self.ids = IdMaker(random.Random(7))
        self.followers = Followers(database, [ledger.FOLLOWER])
        self.steps: list[CloseStep] = credit.close_steps()
        self.lanes = self.new_lanes()
        self._people = 0

    def new_lanes(self) -> Lanes:
        shop = Shop(self.products)
        return Lanes(
            self.database,
            self.books,
            self.clock,
            {
                Buy: shop.buy,
                GiveBack: shop.give_back,
                Receive: shop.receive,
                Fill: shop.fill,
                **credit.handlers(self.products),
            },
            lock_people=lock_people,
            write_journals=ledger.write_journals,
            render_problem=render_problem,
            ids=self.ids,
        )

    def noon(self, on: date) -> datetime:
        """The time of the day at which things happen here: so many hours after a business date has begun."""
        return self.book.start_of(on) + timedelta(hours=self.hours)

    @property
    def at(self) -> datetime:
        return self.book.at(self.clock)

    @property
    def on(self) -> date:
        return self.book.business_date(self.at)

    def new_id(self) -> UUID:
        while self.book.bucket_of(made := self.ids.new_anywhere(self.at)) != self.bucket:
            pass
        return made

    async def send(self, command: Command) -> Answer | Problem:
        try:
            return await self.lanes.submit(self.bucket, command)
        except Problem as problem:
            return problem

    async def do(self, command: Command) -> Answer:
        answer = await self.lanes.submit(self.bucket, command)
        assert answer.status < 300, answer.body
        return answer

    async def person(self, wallet_minor: int = 0) -> Payer:
        self._people += 1
        id_ = self.new_id()
        payer = Payer(id_, self.ids.new(self.at, id_.int & 0xFFFF))
        new = NewPerson(
            id=payer.id,
            wallet_id=payer.wallet_id,
            tier=Tier.III,
            outcome=Outcome.NONE,
            phone=Private(f"+8613{self._people:09d}"),
            external_id=None,
            name=None,
            document=None,
            created_at=self.at,
        )
        async with self.database.transaction() as db:
            await insert_people(db, Vault(SECRETS), self.book, self.bucket, [new])
            wallet = ledger.guarded_accounts(ledger.Owner.WALLET, payer.wallet_id, "CNY")
            await ledger.open_accounts(db, self.bucket, wallet)
        if wallet_minor:
            await self.fill(payer, wallet_minor)
        return payer

    async def fill(self, payer: Payer, amount_minor: int) -> None:
        await self.do(
            Fill(at=self.at, people=(payer.id,), wallet_id=payer.wallet_id, amount_minor=amount_minor)
        )

    async def payer(self, wallet_minor: int = 0, limit_minor: int = 500_000, **more: object) -> Payer:
        """A person with a wallet and an open line."""
        person = await self.person(wallet_minor)
        answer = await self.do(self.open_line(person, limit_minor, **more))
        return msgspec.structs.replace(person, line_id=answer.object_id)

    def open_line(self, person: Payer, limit_minor: int = 500_000, **more: object) -> credit.OpenLine:
        fields: dict[str, object] = {"product": "monthly_bill", "reason": "a test", **more}
        return credit.OpenLine(
            at=self.at,
            people=(person.id,),
            person_id=person.id,
            limit_minor=limit_minor,
            staff_id=STAFF,
            **fields,  # type: ignore[arg-type]
        )

    def change(self, kind: type, payer: Payer, actor: Actor = Actor.STAFF, **more: object) -> Command:
        command: Command = kind(
            at=self.at,
            people=(payer.id,),
            line_id=payer.line_id,
            actor=actor,
            actor_id=STAFF,
            **{"reason": "a test", **more},
        )
        return command

    async def buy(self, payer: Payer, amount_minor: int, **more: object) -> UUID:
        """Buy on credit; returns the payment."""
        command = self.buying(payer, amount_minor, **more)
        await self.do(command)
        return command.request.payment_id

    def buying(self, payer: Payer, amount_minor: int, **more: object) -> Buy:
        assert payer.line_id is not None
        payment_id = self.ids.new(self.at, payer.id.int & 0xFFFF)
        request = DrawRequest(
            id=draw_id(payment_id),
            line_id=payer.line_id,
            payment_id=payment_id,
            merchant_id=MERCHANT,
            amount_minor=amount_minor,
            **{"scene": Scene.RETAIL, **more},  # type: ignore[arg-type]
        )
        return Buy(at=self.at, people=(payer.id,), request=request)

    async def receive(self, payer: Payer, payment_id: UUID) -> None:
        await self.do(Receive(at=self.at, people=(payer.id,), payment_id=payment_id))

    async def refund(
        self, payer: Payer, payment_id: UUID, amount_minor: int, *, merchants_fault: bool = False
    ) -> Refunded:
        assert payer.line_id is not None
        request = RefundRequest(
            id=self.ids.new(self.at, payer.id.int & 0xFFFF),
            line_id=payer.line_id,
            draw_ids=(draw_id(payment_id),),
            amount_minor=amount_minor,
            on=self.on,
            merchants_fault=merchants_fault,
        )
        answer = await self.do(GiveBack(at=self.at, people=(payer.id,), request=request))
        return msgspec.json.decode(answer.body, type=Refunded)

    async def refund_late(
        self,
        payer: Payer,
        payment_id: UUID,
        amount_minor: int,
        value_on: date,
        *,
        merchants_fault: bool = False,
        undone: bool = False,
    ) -> GivenBack | Problem:
        """A refund that counts from an earlier date."""
        assert payer.line_id is not None
        request = RefundRequest(
            id=self.ids.new(self.at, payer.id.int & 0xFFFF),
            line_id=payer.line_id,
            draw_ids=(draw_id(payment_id),),
            amount_minor=amount_minor,
            on=self.on,
            value_on=value_on,
            merchants_fault=merchants_fault,
            undone=undone,
        )
        answer = await self.send(GiveBack(at=self.at, people=(payer.id,), request=request))
        return answer if isinstance(answer, Problem) else msgspec.json.decode(answer.body, type=GivenBack)

    def repaying(self, payer: Payer, what: int | Target = Target.ALL, **more: object) -> credit.Repay:
        assert payer.line_id is not None
        key = more.pop("key", None)
        claim = None
        if key is not None:
            claim = claim_key(b"p" * 32, payer.id, str(key), "POST /v1/repayments", {"what": str(what)})
        asked = {"amount_minor": what} if isinstance(what, int) else {"target": what}
        if "plan" in more and what is Target.ALL:
            asked = {}
        return credit.Repay(
            at=self.at,
            people=(payer.id,),
            claim=claim,
            repayment_id=self.ids.new(self.at, payer.id.int & 0xFFFF),
            line_id=payer.line_id,
            **{"source": Source(SourceKind.WALLET, payer.wallet_id), **asked, **more},  # type: ignore[arg-type]
        )

    async def repay(self, payer: Payer, what: int | Target = Target.ALL, **more: object) -> RepaymentView:
        answer = await self.do(self.repaying(payer, what, **more))
        return msgspec.json.decode(answer.body, type=RepaymentView)

    async def turn_to(self, on: date) -> list[ClosedDay]:
        """Turn the clock to noon of a date and close the days before it."""
        self.clock.turn_to(self.noon(on))
        return await self.close(on - timedelta(days=1))

    async def close(self, through: date) -> list[ClosedDay]:
        closed = await credit.close_through(self.lanes, self.book, self.bucket, through, self.steps)
        assert [error for day in closed for error in day.errors] == []
        return closed

    async def line(self, payer: Payer) -> LineView:
        assert payer.line_id is not None
        async with self.database.read() as db:
            return await show_line(self.reading(db), payer.line_id)

    async def bills(self, payer: Payer) -> list[BillView]:
        """The bills of a line, the oldest first."""
        async with self.database.read() as db:
            line = (await load_lines(db, self.bucket, [payer.line_id]))[payer.line_id]
            return (await list_bills(self.reading(db), line))[::-1]

    async def repayments(self, payer: Payer) -> list[RepaymentView]:
        async with self.database.read() as db:
            line = (await load_lines(db, self.bucket, [payer.line_id]))[payer.line_id]
            return (await list_repayments(self.reading(db), line))[::-1]

    def reading(self, db: object) -> Reading:
        return Reading(db, self.book, self.products, self.on, "en")  # type: ignore[arg-type]

    async def debt(self, payer: Payer) -> Debt:
        async with self.database.read() as db:
            found = await load_lines(db, self.bucket, [payer.line_id])
            return (await load_debts(db, self.bucket, found))[payer.line_id]

    async def balance(self, owner: UUID, kind: AccountKind) -> int:
        async with self.database.read() as db:
            found = await ledger.load_balances(db, self.bucket, [account_id(owner, kind)])
        return next(iter(found.values())).balance_minor

    async def wallet(self, payer: Payer) -> int:
        return -await self.balance(payer.wallet_id, AccountKind.WALLET)

    async def events(self, *kinds: str) -> list[str]:
        async with self.database.read() as db:
            rows = await db.fetch(
                "select kind, business_on from event where bucket = $1 order by seq", self.bucket
            )
        return [f"{row['kind']} {row['business_on']}" for row in rows if not kinds or row["kind"] in kinds]

    async def prove(self, *payers: Payer) -> None:
        """The ledger agrees with itself, and the lines' accounts with the rows of bills and draws."""
        await self.followers.catch_up()
        report = await ledger.verify(self.database, [self.bucket], [credit.accrual_breaks])
        assert report.breaks == ()
        owed_minor, lines = 0, []
        for payer in payers:
            debt = await self.debt(payer)
            lines.append(debt.line)
            assert await self.balance(payer.line_id, AccountKind.LINE_PRINCIPAL) == debt.principal_minor
            interest = sum(bill.unpaid_interest_minor for bill in debt.bills)
            assert await self.balance(payer.line_id, AccountKind.LINE_INTEREST) == interest
            fees = sum(bill.unpaid_fee_minor for bill in debt.bills)
            assert await self.balance(payer.line_id, AccountKind.LINE_FEE) == fees
            view = await self.line(payer)
            assert view.used_minor == debt.principal_minor
            assert view.used_minor + view.held_minor <= max(
                view.limit_minor, view.used_minor + view.held_minor
            )
            owed_minor += debt.principal_minor
        if len(payers) == 1:
            for lender, expected in ledger.split_between(owed_minor, lines[0].lenders):
                assert await self.folded(lender, AccountKind.LENDER_PRINCIPAL) == -expected, (
                    "a lender's share"
                )

    async def folded(self, owner: UUID, kind: AccountKind) -> int:
        async with self.database.read() as db:
            found = await ledger.folded_balances(db, [self.bucket], [account_id(owner, kind)])
        return found.get(account_id(owner, kind), 0)


@pytest.fixture
def opened_on() -> date:
    """The date on which the house opens."""
    return date(2026, 9, 3)


async def make_house(
    database: Database,
    on: date,
    name: str = "main",
    source: str | None = None,
    cut_off: time = time(0),
) -> House:
    """A house with a book of its own, opened on that date; `source` is the product's text."""
    draft = Book(0, name, Mode.TEST, "CNY", "Asia/Shanghai", cut_off, 0, (), ())
    at = datetime(on.year, on.month, on.day, tzinfo=UTC)
    async with database.transaction() as db:
        await create_book(db, draft, 1, at)
        books = Books(await load_books(db))
        book = books.named(name)
        mine = read_product(source or shared_product(), "shared.toml")
        others = [one for one in shipped_products() if one.product.id != mine.product.id]
        products = await credit.publish(db, [mine, *others], at)
        await credit.open_book(db, book, products.offered(on), at)
        for owner, id_ in (
            (ledger.Owner.MERCHANT, MERCHANT),
            (ledger.Owner.BOOK, ledger.book_owner(book.id)),
        ):
            await ledger.register_folded_accounts(db, ledger.folded_accounts(owner, id_, "CNY", book.id))
    return House(database, books, book, products, on)


@pytest.fixture
async def house(database: Database, opened_on: date) -> AsyncIterator[House]:
    made = await make_house(database, opened_on)
    yield made
    await made.lanes.drain()
