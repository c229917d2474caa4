"""What a close does to the lines of one chunk, as lane commands.

The close goes through the lane like everybody else: the same lock order (people by id, head last), the same commit,
and payments go on between two chunks. What is due is read without locks, named with its people, and decided again from
locked rows: a line that another closer has done has nothing due any more.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from wufeng import ledger
from wufeng.base import faults
from wufeng.base.claims import Answer
from wufeng.base.errors import Problem
from wufeng.base.ids import slot_of
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit import journals
from wufeng.credit.bills import store as bills
from wufeng.credit.bills.model import Bill, BillItems
from wufeng.credit.bills.rules import bring_up
from wufeng.credit.close import store
from wufeng.credit.debts.commands import Move, bill_events, keep, load_amounts
from wufeng.credit.debts.issuing import issue_bill
from wufeng.credit.debts.store import load_debts
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.model import Line
from wufeng.credit.products.commands import Products
from wufeng.credit.products.model import Product
from wufeng.credit.repayments.model import Debt
from wufeng.credit.repayments.rules import with_line_state
from wufeng.ledger import Cause, Journal

DUE_DATES, AUTO_DEBIT, ARREARS, BILLS = "due_dates", "auto_debit", "arrears", "bills"


class CloseLines(Command, frozen=True, kw_only=True):
    """One chunk of one step: lines whose people are the command's. `closed_on` is the date that has ended."""

    closed_on: date
    lines: tuple[UUID, ...]

    @property
    def on(self) -> date:
        """The date that begins."""
        return self.closed_on + timedelta(days=1)


class PassDueDates(CloseLines, frozen=True, kw_only=True):
    """Bills due on the date that begins are told; bills due before it pass their due date."""


class SuspendArrears(CloseLines, frozen=True, kw_only=True):
    """Lines whose arrears are old enough are suspended."""


class IssueBills(CloseLines, frozen=True, kw_only=True):
    """Bills of the date that begins are issued."""


def handlers(products: Products) -> dict[type[Command], Handler]:
    """The lane handlers of the close."""
    desk = _Desk(products)
    return {
        PassDueDates: desk.pass_due_dates,
        SuspendArrears: desk.suspend_arrears,
        IssueBills: desk.issue_bills,
    }


class _Issue(Struct, frozen=True):
    """A bill about to be kept, with what it charges and what the credit balance pays of it.

    due  whether its due date has come with it: of parts that are due on the day after a purchase
    """

    move: Move
    bill: Bill
    items: BillItems
    journals: list[Journal]
    due: bool


class _Desk:
    def __init__(self, products: Products) -> None:
        self.products = products

    async def pass_due_dates(self, batch: Batch, commands: Sequence[PassDueDates]) -> list[Answer | Problem]:
        """Tell bills that are due, and let those pass that were."""
        return [await self._pass_due_dates(batch, command) for command in commands]

    async def _pass_due_dates(self, batch: Batch, command: PassDueDates) -> Answer:
        on, moves, due = command.on, [], []
        debts = await self._debts(batch, command)
        for debt in debts.values():
            awake = [bill for bill in debt.bills if bill.wake_on is not None and bill.wake_on <= on]
            if not awake:
                continue
            product = self._product(debt.line)
            due += [("bill.due", bill, debt.line) for bill in awake if _is_due(bill, on)]
            passed = tuple(_waking_later(bring_up(bill, product, on), on) for bill in debt.bills)
            moves.append(Move(debt, with_line_state(replace(debt, bills=passed), product, on)))
        batch.events += await bill_events(batch, due, on)
        await keep(batch, self.products, moves, on)
        return await self._done(batch, command, DUE_DATES, len(moves))

    async def suspend_arrears(
        self, batch: Batch, commands: Sequence[SuspendArrears]
    ) -> list[Answer | Problem]:
        """Suspend lines whose arrears have come of age."""
        return [await self._suspend_arrears(batch, command) for command in commands]

    async def _suspend_arrears(self, batch: Batch, command: SuspendArrears) -> Answer:
        debts = await self._debts(batch, command)
        moves = [
            Move(debt, with_line_state(debt, self._product(debt.line), command.on))
            for debt in debts.values()
            if debt.line.suspend_on is not None and debt.line.suspend_on <= command.on
        ]
        await keep(batch, self.products, moves, command.on)
        return await self._done(batch, command, ARREARS, len(moves))

    async def issue_bills(self, batch: Batch, commands: Sequence[IssueBills]) -> list[Answer | Problem]:
        """Issue the bills of lines that expect one."""
        return [await self._issue_bills(batch, command) for command in commands]

    async def _issue_bills(self, batch: Batch, command: IssueBills) -> Answer:
        debts = await self._debts(batch, command)
        due = [debt for debt in debts.values() if _expects(debt.line, command.on)]
        amounts = await load_amounts(batch.db, batch.bucket, [debt.line.id for debt in due])
        moves, issued = [], []
        for debt in due:
            outcome = self._issue(batch, debt, amounts[debt.line.id].credit_balance_minor, command)
            if isinstance(outcome, _Issue):
                issued.append(outcome)
                moves.append(outcome.move)
            else:
                moves.append(outcome)
        await ledger.post(batch, [journal for one in issued for journal in one.journals])
        if issued:
            made = [(one.bill, one.items) for one in issued]
            await bills.insert_bills(batch.db, batch.bucket, made, len(batch.journals))
        told = [("bill.issued", one.bill, one.move.after.line) for one in issued]
        told += [("bill.due", one.bill, one.move.after.line) for one in issued if one.due]
        batch.events += await bill_events(batch, told, command.on)
        await keep(batch, self.products, moves, command.on)
        return await self._done(batch, command, BILLS, len(issued))

    def _issue(
        self, batch: Batch, debt: Debt, credit_balance_minor: int, command: IssueBills
    ) -> "_Issue | Move":
        """The bill of one line on its own date, which is the close's unless a close failed; a Move: nothing to bill."""
        line, issued_on = debt.line, debt.line.next_bill_on
        assert issued_on is not None, "the line expects a bill"
        bill_id = batch.ids.new(command.at, slot_of(line.id))
        issued = issue_bill(debt, credit_balance_minor, bill_id, issued_on, self._product(line))
        if issued.bill is None:
            return Move(debt, issued.debt)
        due = _is_due(issued.bill, command.on)
        bill = _waking_later(issued.bill, command.on)
        kept = tuple(bill if one.id == bill_id else one for one in issued.debt.bills)
        move = Move(debt, replace(issued.debt, bills=kept))
        note = msgspec.json.encode(journals.note_of(line))
        cause = Cause(bill_id, line.currency, command.on, batch.book.id, note)
        return _Issue(move, bill, issued.items, journals.journals_of_issue(cause, line, issued), due)

    async def _debts(self, batch: Batch, command: CloseLines) -> Mapping[UUID, Debt]:
        """The debts of the chunk's lines, as far as their people are locked."""
        found = await lines.load_lines(batch.db, batch.bucket, command.lines)
        ours = {id_: found[id_] for id_ in sorted(found) if found[id_].person_id in batch.people}
        return await load_debts(batch.db, batch.bucket, ours)

    async def _done(self, batch: Batch, command: CloseLines, step: str, rows: int) -> Answer:
        at: datetime = command.at
        await store.record_rows(batch.db, batch.bucket, command.closed_on, step, rows, at)
        faults.point(f"close_{step}")
        return Answer(200, msgspec.json.encode(rows))

    def _product(self, line: Line) -> Product:
        return self.products.version(line.product, line.product_version, line.tier)


def _expects(line: Line, on: date) -> bool:
    return line.next_bill_on is not None and line.next_bill_on <= on


def _is_due(bill: Bill, on: date) -> bool:
    """Whether a bill's due date has come and it was not told yet: once it was, it wakes on a later date."""
    return bill.wake_on is not None and bill.wake_on <= on and bill.wake_on == bill.due_on


def _waking_later(bill: Bill, on: date) -> Bill:
    """A bill that was told as due is looked at again on the day after."""
    if bill.wake_on is None or bill.wake_on > on:
        return bill
    return replace(bill, wake_on=bill.last_on + timedelta(days=1))
