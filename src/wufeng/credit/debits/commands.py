"""What auto-debit asks of lines: the first try of a date, the later ones, and the next source after a refusal.

All of it goes through the lane and is decided again from locked rows: a try that was made is not made twice.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from wufeng.base import faults
from wufeng.base.claims import Answer
from wufeng.base.errors import Problem
from wufeng.base.ids import slot_of
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit.close.commands import AUTO_DEBIT, CloseLines
from wufeng.credit.close.store import record_rows
from wufeng.credit.debits import rules, store
from wufeng.credit.debts.store import load_debts
from wufeng.credit.lines.model import Line
from wufeng.credit.lines.store import load_lines
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import Product
from wufeng.credit.repayments.commands import Repay, repay
from wufeng.credit.repayments.model import Debt, Source
from wufeng.credit.repayments.rules import brought_up, due_by
from wufeng.credit.sources.model import Pays
from wufeng.credit.sources.registry import Sources, known


class DebitLines(CloseLines, frozen=True, kw_only=True):
    """The day close's try, the first of the date that begins."""


class DebitAgain(Command, frozen=True, kw_only=True):
    """A later try of the due date; `people` names the lines' people.

    on      the due date: nothing is done when the lane comes to it on another
    number  which of the product's times it is, from 1
    """

    on: date
    number: int
    lines: tuple[UUID, ...]


class AskNextSource(Command, frozen=True, kw_only=True):
    """A source has refused: the ones behind it are asked, in the same try. Nothing is done when it is not the last."""

    on: date
    number: int
    lines: tuple[UUID, ...]


def handlers(products: Products, sources: Sources) -> dict[type[Command], Handler]:
    """The lane handlers of auto-debit."""
    desk = _Desk(products, sources)
    return {
        DebitLines: desk.debit_lines,
        DebitAgain: desk.debit_again,
        AskNextSource: desk.ask_next_source,
    }


class _Desk:
    def __init__(self, products: Products, sources: Sources) -> None:
        self.products = products
        self.sources = sources

    async def debit_lines(self, batch: Batch, commands: Sequence[DebitLines]) -> list[Answer | Problem]:
        """Make the first try of a date, and count it as a step of the close."""
        answers: list[Answer | Problem] = []
        for command in commands:
            rows = await self._try(batch, command.lines, command.on, command.at, 0)
            await record_rows(batch.db, batch.bucket, command.closed_on, AUTO_DEBIT, rows, command.at)
            faults.point(f"close_{AUTO_DEBIT}")
            answers.append(_answer(rows))
        return answers

    async def debit_again(self, batch: Batch, commands: Sequence[DebitAgain]) -> list[Answer | Problem]:
        """Make later tries of a due date. One that comes when the date is closed is the next date's first."""
        return [
            _answer(
                await self._try(batch, command.lines, command.on, command.at, command.number)
                if batch.book.business_date(command.at) == command.on
                else 0
            )
            for command in commands
        ]

    async def ask_next_source(
        self, batch: Batch, commands: Sequence[AskNextSource]
    ) -> list[Answer | Problem]:
        """Go on with a try after a refusal; one that another try or date has overtaken is left."""
        answers: list[Answer | Problem] = []
        for command in commands:
            rows = 0
            if batch.book.business_date(command.at) == command.on:
                debts = await self._debts(batch, command.lines)
                tries = await store.load_tries(batch.db, batch.bucket, list(debts))
                last = [
                    debt
                    for id_, debt in debts.items()
                    if (tried := tries.get(id_)) is not None
                    and (tried.on, tried.count) == (command.on, command.number + 1)
                ]
                rows = await self._ask(batch, last, command.on, command.at, command.number)
            answers.append(_answer(rows))
        return answers

    async def _try(
        self, batch: Batch, line_ids: Collection[UUID], on: date, at: datetime, number: int
    ) -> int:
        """Try lines that are to be tried, and note it; returns how many repayments were asked for."""
        debts = await self._debts(batch, line_ids)
        tries = await store.load_tries(batch.db, batch.bucket, list(debts))
        wanted = [
            debt
            for id_, debt in debts.items()
            if rules.is_wanted(debt, self._product(debt.line).auto_debit, tries.get(id_), on, number)
        ]
        rows = await self._ask(batch, wanted, on, at, number)
        await store.mark_tried(batch.db, batch.bucket, [debt.line.id for debt in wanted], on, number)
        return rows

    async def _ask(self, batch: Batch, debts: Sequence[Debt], on: date, at: datetime, number: int) -> int:
        """Ask the sources of each line for what is due and not on its way already."""
        if not debts:
            return 0
        ids = [debt.line.id for debt in debts]
        pending = await store.load_pending(batch.db, batch.bucket, ids)
        refused = await store.refused_sources(batch.db, batch.bucket, ids, on, number)
        chosen = {debt.line.id: [self.sources.parse(text) for text in debt.line.auto_debit] for debt in debts}
        held = await self.sources.load(batch, [source for found in chosen.values() for source in found])
        available = known(held)
        asked: list[Repay] = []
        for debt in debts:
            guard = batch.people[debt.line.person_id]
            usable = [
                source
                for source in chosen[debt.line.id]
                if source.id not in refused.get(debt.line.id, ())
                and self.sources.problem(source, guard, held) is None
            ]
            due_minor = self._due(debt, on) - pending.get(debt.line.id, 0)
            rails_minor = (
                0 if debt.line.id in pending else None
            )  # one answer at a time, or it may be paid twice
            places = [(source, self._room(source, available, rails_minor)) for source in usable]
            for source, amount_minor in rules.split(places, due_minor):
                asked.append(_repay(batch, debt.line, source, amount_minor, at))
                if source.id in available:
                    available[source.id] -= amount_minor
        return await self._send(batch, asked, on, number)

    async def _send(self, batch: Batch, asked: Sequence[Repay], on: date, number: int) -> int:
        """Make the repayments. What is refused all the same is tried again at the next time."""
        if not asked:
            return 0
        answers = await repay(batch, self.products, self.sources, asked)
        made = [one for one, answer in zip(asked, answers, strict=True) if isinstance(answer, Answer)]
        later = {one.repayment_id: one.line_id for one in made if self.sources.pays(one.source) is Pays.LATER}
        if later:
            await store.insert_debits(batch.db, batch.bucket, later, on, number)
        return len(made)

    def _room(self, source: Source, available: Mapping[UUID, int], rails_minor: int | None) -> int | None:
        if self.sources.pays(source) is Pays.LATER and rails_minor is not None:
            return rails_minor
        return available.get(source.id) if source.id is not None else 0

    def _due(self, debt: Debt, on: date) -> int:
        return due_by(brought_up(debt, self._product(debt.line), on), on)

    def _product(self, line: Line) -> Product:
        return self.products.version(line.product, line.product_version, line.tier)

    async def _debts(self, batch: Batch, line_ids: Collection[UUID]) -> dict[UUID, Debt]:
        """The debts of lines in the order of their ids, as far as their people are locked."""
        found = await load_lines(batch.db, batch.bucket, line_ids)
        ours = {id_: found[id_] for id_ in sorted(found) if found[id_].person_id in batch.people}
        return await load_debts(batch.db, batch.bucket, ours)


def _repay(batch: Batch, line: Line, source: Source, amount_minor: int, at: datetime) -> Repay:
    return Repay(
        at=at,
        people=(line.person_id,),
        repayment_id=batch.ids.new(at, slot_of(line.id)),
        line_id=line.id,
        source=source,
        amount_minor=amount_minor,
    )


def _answer(rows: int) -> Answer:
    return Answer(200, msgspec.json.encode(rows))
