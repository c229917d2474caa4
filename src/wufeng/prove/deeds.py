"""What people do in a proof of the close, as data: another installation can be made to do the very same."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng import credit
from wufeng.base.books import Book, turn_clock
from wufeng.base.errors import Code, Problem
from wufeng.base.lanes import Command
from wufeng.payments import (
    Capture,
    CreateRefund,
    Funding,
    Pay,
    Reader,
)
from wufeng.prove import store
from wufeng.prove.engine import Engine
from wufeng.prove.scratch import BOOK
from wufeng.prove.store import Told
from wufeng.prove.town import Payer, Town
from wufeng.risk.model import Confirmation

STAFF = UUID(int=1)
ONE_DAY = timedelta(days=1)


class What(StrEnum):
    """Kinds of deeds."""

    BUY = "buy"
    REFUND = "refund"
    REPAY = "repay"
    LIMIT = "limit"


class Deed(Struct, frozen=True, kw_only=True):
    """What one person does.

    who     number of the person in the town
    of      of a refund: which of the person's purchases, in their order
    tenor   of a purchase
    target  of a repayment, where it names no amount
    late    its clock was read in the last second of the business date before
    """

    who: int
    what: What
    amount_minor: int = 0
    of: int = 0
    tenor: int = 1
    target: credit.Target | None = None
    late: bool = False


class Done(Struct, frozen=True):
    """A deed that took effect, and the object that it made: its event tells when."""

    deed: Deed
    object_id: UUID


async def turn_clock_to(engine: Engine, on: date) -> None:
    """Turn the book's clock to the ninth hour of a date, and close nothing."""
    book = engine.books.named(BOOK)
    at = book.start_of(on) + timedelta(hours=9)
    async with engine.database.transaction() as db:
        await turn_clock(db, book, (at - engine.clock.now()) // timedelta(microseconds=1))
    async with engine.database.read() as db:
        await engine.books.refresh(db)


class Street:
    """A town on one installation whose people do deeds. Deeds of one person come one after the other."""

    def __init__(self, engine: Engine, town: Town) -> None:
        self.engine = engine
        self.town = town
        self.bought: list[list[UUID]] = [[] for _ in town.payers]
        self._made = 0

    @property
    def book(self) -> Book:
        """The book, with its clock as this process last read it."""
        return self.engine.books.named(BOOK)

    @property
    def on(self) -> date:
        """The business date on the book's clock."""
        return self.book.business_date(self.book.at(self.engine.clock))

    def bucket_of(self, who: int) -> int:
        """The bucket of a person."""
        return self.book.bucket_of(self.town.payers[who].id)

    async def do(self, deed: Deed, dated_on: date | None = None) -> Done | None:
        """Do a deed; None when it was refused, or when nobody knows: then the audit of the rows tells.

        dated_on  the date of a late one when it is done again: the one before, or already the clock's
        """
        command, object_id = self._command(deed, dated_on)
        try:
            answer = await self.engine.lanes.submit(self.bucket_of(deed.who), command)
        except Problem as problem:
            if problem.code in (Code.INTERNAL, Code.OUTCOME_UNKNOWN):
                raise
            return None
        if answer.status >= 300:
            return None
        if deed.what is What.BUY:
            self.bought[deed.who].append(object_id)
        return Done(deed, object_id)

    async def heads(self) -> dict[int, int]:
        """The last number of each bucket."""
        async with self.engine.database.read() as db:
            return {bucket: await store.load_head(db, bucket) for bucket in self.book.buckets}

    async def told(self, after: Mapping[int, int]) -> list[Told]:
        """The events of the town's people behind a number in each bucket."""
        people = [payer.id for payer in self.town.payers]
        async with self.engine.database.read() as db:
            return [
                told
                for bucket in self.book.buckets
                for told in await store.load_told(db, bucket, people, after.get(bucket, 0))
            ]

    async def awake(self, through: date) -> list[tuple[int, date]]:
        """Who has bills whose due date comes or passes up to a date, and when."""
        number = {payer.line_id: who for who, payer in enumerate(self.town.payers)}
        async with self.engine.database.read() as db:
            return [
                (number[line_id], on)
                for bucket in self.book.buckets
                for line_id, on in await store.load_awake(db, bucket, list(number), through)
            ]

    async def standing(self) -> dict[int, Sequence[str]]:
        """All that the close and the deeds have left of each person, without ids."""
        number = {payer.line_id: who for who, payer in enumerate(self.town.payers)}
        number |= {payer.id: who for who, payer in enumerate(self.town.payers)}
        found: dict[int, list[str]] = {}
        async with self.engine.database.read() as db:
            for bucket in self.book.buckets:
                for owner, text in await store.load_standing(db, bucket, list(number)):
                    found.setdefault(number[owner], []).append(text)
        return {who: sorted(texts) for who, texts in found.items()}

    def _command(self, deed: Deed, dated_on: date | None) -> tuple[Command, UUID]:
        self._made += 1
        now = self.book.at(self.engine.clock)
        read_at = self.book.start_of(self.on) - timedelta(seconds=1) if deed.late else now
        at = now if deed.late and dated_on == self.on else read_at
        payer = self.town.payers[deed.who]
        made = self.engine.lanes.ids.new(read_at, payer.id.int & 0xFFFF)
        return _MAKE[deed.what](self, deed, payer, at, made), made

    def _buy(self, deed: Deed, payer: Payer, at: datetime, made: UUID) -> Command:
        return Pay(
            at=at,
            people=(payer.id,),
            payment_id=made,
            order=self.town.shops[0].order(f"o{self._made}", deed.amount_minor),
            payer_id=payer.id,
            funding=Funding(use_wallet=False, line_id=payer.line_id, tenor=deed.tenor),
            capture=Capture.NOW,
            confirmation=Confirmation.PIN,
            caller_id=payer.id,
            reader=Reader.PLATFORM,
        )

    def _refund(self, deed: Deed, payer: Payer, at: datetime, made: UUID) -> Command:
        return CreateRefund(
            at=at,
            people=(payer.id,),
            refund_id=made,
            payment_id=self.bought[deed.who][deed.of],
            merchant_id=self.town.shops[0].id,
            refund_no=f"r{self._made}",
            amount_minor=deed.amount_minor,
            reason="returned",
        )

    def _repay(self, deed: Deed, payer: Payer, at: datetime, made: UUID) -> Command:
        return credit.Repay(
            at=at,
            people=(payer.id,),
            repayment_id=made,
            line_id=payer.line_id,
            source=credit.Source(credit.SourceKind.EXTERNAL, None),
            amount_minor=None if deed.target is not None else deed.amount_minor,
            target=deed.target,
        )

    def _limit(self, deed: Deed, payer: Payer, at: datetime, _made: UUID) -> Command:
        return credit.SetLimit(
            at=at,
            people=(payer.id,),
            line_id=payer.line_id,
            actor=credit.Actor.STAFF,
            actor_id=STAFF,
            reason="wufeng prove",
            limit_minor=deed.amount_minor,
        )


_MAKE = {
    What.BUY: Street._buy,
    What.REFUND: Street._refund,
    What.REPAY: Street._repay,
    What.LIMIT: Street._limit,
}
