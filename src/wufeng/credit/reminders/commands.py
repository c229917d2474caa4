"""The day close's reminders: an event a bill and date, in the transaction that notes it."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from wufeng.base import faults
from wufeng.base.claims import Answer
from wufeng.base.database import Connection
from wufeng.base.errors import Problem
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit.bills.model import Bill
from wufeng.credit.bills.rules import bring_up
from wufeng.credit.close.commands import CloseLines
from wufeng.credit.close.model import CloseStep, DayClose, StepResult
from wufeng.credit.close.store import record_rows
from wufeng.credit.close.sweep import Due, sweep
from wufeng.credit.debts.commands import bill_events
from wufeng.credit.debts.store import load_debts
from wufeng.credit.lines.model import Line
from wufeng.credit.lines.store import load_lines
from wufeng.credit.products.commands import Products
from wufeng.credit.reminders import rules, store

REMINDERS = "reminders"
REMINDER = "bill.reminder"


class RemindLines(CloseLines, frozen=True, kw_only=True):
    """Bills of these lines are reminded of, as far as the date that begins is one of theirs."""


def handlers(products: Products) -> dict[type[Command], Handler]:
    """The lane handler of reminders."""
    return {RemindLines: _Desk(products).remind}


def reminder_steps(products: Products) -> list[CloseStep]:
    """The step of this noun: after `close_steps`, so that what was debited today is not reminded of."""

    async def run(close: DayClose) -> StepResult:
        remindings = rules.remindings(products.versions(), close.on)

        async def find(db: Connection, after: tuple[date, UUID], at_most: int) -> list[Due]:
            return await store.lines_to_remind(db, close.bucket, remindings, close.on, after, at_most)

        def make(people: tuple[UUID, ...], lines: tuple[UUID, ...]) -> Command:
            return RemindLines(at=close.at, people=people, closed_on=close.closed_on, lines=lines)

        return await sweep(close.lanes, close.bucket, find, make)

    return [CloseStep(REMINDERS, run)]


class _Desk:
    def __init__(self, products: Products) -> None:
        self.products = products

    async def remind(self, batch: Batch, commands: Sequence[RemindLines]) -> list[Answer | Problem]:
        """Tell of bills what their date asks for, once."""
        return [await self._remind(batch, command) for command in commands]

    async def _remind(self, batch: Batch, command: RemindLines) -> Answer:
        told = await self._wanted(batch, command)
        if told:
            batch.events += await bill_events(
                batch, [(REMINDER, bill, line) for bill, line in told], command.on
            )
            ids = [bill.id for bill, _ in told]
            await store.mark_reminded(batch.db, batch.bucket, ids, command.on)
        await record_rows(batch.db, batch.bucket, command.closed_on, REMINDERS, len(told), command.at)
        faults.point(f"close_{REMINDERS}")
        return Answer(200, msgspec.json.encode(len(told)))

    async def _wanted(self, batch: Batch, command: RemindLines) -> list[tuple[Bill, Line]]:
        """What is to be told of the chunk's lines, as far as their people are locked."""
        found = await load_lines(batch.db, batch.bucket, command.lines)
        ours = {id_: found[id_] for id_ in sorted(found) if found[id_].person_id in batch.people}
        debts = await load_debts(batch.db, batch.bucket, ours)
        wanted = []
        for debt in debts.values():
            product = self.products.version(debt.line.product, debt.line.product_version, debt.line.tier)
            now = [bring_up(bill, product, command.on) for bill in debt.bills]
            wanted += [
                (bill, debt.line) for bill in now if rules.is_wanted(bill, product.arrears, command.on)
            ]
        reminded = await store.load_reminded(batch.db, batch.bucket, [bill.id for bill, _ in wanted])
        return [(bill, line) for bill, line in wanted if reminded.get(bill.id, date.min) < command.on]
