"""Who pays whom in a proof: people with sessions, lines and money, and merchants with keys."""

import asyncio
import hashlib
from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng import ledger
from wufeng.base.claims import Answer
from wufeng.base.errors import Problem
from wufeng.base.ids import Prefix, decode, encode
from wufeng.base.lanes import Batch, Command
from wufeng.credit import OpenLine
from wufeng.identity import Private, register
from wufeng.identity.hashing import hash_slowly
from wufeng.identity.merchants.commands import create_merchant
from wufeng.identity.merchants.model import FeePlan, Scene
from wufeng.identity.people.commands import Registration
from wufeng.identity.pins.store import reset_pin
from wufeng.identity.sessions.commands import open_session
from wufeng.ledger.rules import top_up
from wufeng.payments import OrderTerms, Receipt, order_id
from wufeng.prove.engine import Engine
from wufeng.prove.scratch import BOOK

PRODUCT = "monthly_bill"
RATE_PPM = 6_000
LIMIT_MINOR = 5_000_000
"""The product's highest limit."""
AT_ONCE = 32


class Caller(Struct, frozen=True):
    """Who sends requests: the id that scopes its keys, and its credential."""

    id: UUID
    token: str

    def __repr__(self) -> str:
        return f"Caller({self.id})"


class Payer(Struct, frozen=True):
    """A person with a wallet and a line."""

    id: UUID
    wallet_id: UUID
    line_id: UUID
    limit_minor: int
    caller: Caller

    @property
    def line(self) -> str:
        """The line as the API names it."""
        return encode(Prefix.LINE, self.line_id)

    @property
    def wallet(self) -> str:
        """The wallet as the API names it."""
        return encode(Prefix.WALLET, self.wallet_id)


class Shop(Struct, frozen=True):
    """A merchant with its key."""

    id: UUID
    rate_ppm: int
    caller: Caller

    @property
    def name(self) -> str:
        """The merchant as the API names it."""
        return encode(Prefix.MERCHANT, self.id)

    def order(self, order_no: str, amount_minor: int) -> OrderTerms:
        """An order of goods that nobody has to send."""
        return OrderTerms(
            id=order_id(self.id, order_no),
            merchant_id=self.id,
            order_no=order_no,
            amount_minor=amount_minor,
            currency="CNY",
            subject="goods",
            scene=Scene.RETAIL,
            receipt=Receipt.NONE,
            expires_at=None,
            metadata=None,
        )


class Town(Struct, frozen=True):
    """The people and merchants of one proof."""

    payers: tuple[Payer, ...]
    shops: tuple[Shop, ...]


class FillWallet(Command, frozen=True, kw_only=True):
    """Money for a wallet, as if a bank had brought it: a proof begins with it."""

    of: UUID
    wallet_id: UUID
    amount_minor: int


async def fill_wallets(batch: Batch, commands: Sequence[FillWallet]) -> list[Answer | Problem]:
    """The lane's handler of `FillWallet`."""
    journals = [
        top_up(
            ledger.Cause(c.of, batch.book.currency, batch.book.business_date(c.at), batch.book.id),
            c.wallet_id,
            c.amount_minor,
        )
        for c in commands
    ]
    await ledger.post(batch, journals)
    return [Answer(200, b"{}") for _ in commands]


async def settle_town(
    engine: Engine,
    name: str,
    *,
    payers: int,
    shops: int = 1,
    limit_minor: int = LIMIT_MINOR,
    wallet_minor: int = 0,
    pin: str | None = None,
    products: Sequence[str] = (PRODUCT,),
) -> Town:
    """Make people and merchants whom nobody else uses; `name` (letters, digits) makes their names unique.

    products  of the people's lines, in turn
    """
    engine.lanes.handlers[FillWallet] = fill_wallets
    room = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Payer:
        async with room:
            product = products[number % len(products)]
            return await _make_payer(engine, f"{name}-{number}", product, limit_minor, wallet_minor, pin)

    people = await asyncio.gather(*(one(number) for number in range(payers)))
    merchants = [await _make_shop(engine, f"{name} {number}") for number in range(shops)]
    return Town(tuple(people), tuple(merchants))


async def _make_payer(
    engine: Engine, name: str, product: str, limit_minor: int, wallet_minor: int, pin: str | None
) -> Payer:
    book = engine.books.named(BOOK)
    at = book.at(engine.clock)
    registration = Registration(phone=Private(phone_of(name)), external_id=Private(name))
    answer = await register(engine.lanes, engine.vault, book, registration, at)
    view = msgspec.json.decode(answer.body)
    person_id, wallet_id = decode(Prefix.PERSON, view["id"]), decode(Prefix.WALLET, view["wallet"])
    async with engine.database.transaction() as db:
        session = await open_session(db, engine.lanes.ids, book, person_id, "prove", at)
    bucket = book.bucket_of(person_id)
    if pin is not None:
        hashed = await hash_slowly(engine.vault.peppered(person_id, Private(pin)))
        async with engine.database.transaction() as db:
            await reset_pin(db, bucket, person_id, hashed, at)
    line = await engine.lanes.submit(
        bucket,
        OpenLine(
            at=at,
            people=(person_id,),
            person_id=person_id,
            product=product,
            limit_minor=limit_minor,
            staff_id=UUID(int=1),
            reason="wufeng prove",
        ),
    )
    if wallet_minor:
        of = engine.lanes.ids.new(at, person_id.int & 0xFFFF)
        fill = FillWallet(at=at, people=(person_id,), of=of, wallet_id=wallet_id, amount_minor=wallet_minor)
        await engine.lanes.submit(bucket, fill)
    line_id = decode(Prefix.LINE, msgspec.json.decode(line.body)["id"])
    return Payer(person_id, wallet_id, line_id, limit_minor, Caller(person_id, session.token))


async def _make_shop(engine: Engine, name: str) -> Shop:
    book = engine.books.named(BOOK)
    merchant, key = await create_merchant(
        engine.database,
        engine.lanes.ids,
        book,
        name,
        Scene.RETAIL,
        FeePlan(RATE_PPM),
        book.at(engine.clock),
    )
    return Shop(merchant.id, RATE_PPM, Caller(merchant.id, key.text))


def phone_of(name: str) -> str:
    """A mobile number for a name: nine digits of its hash, so that names hardly ever share one."""
    digits = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
    return f"+8618{digits % 10**9:09d}"
