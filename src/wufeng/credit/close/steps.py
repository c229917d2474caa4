"""Credit's steps of the day close: find what is due, a chunk at a time, and send it through the lane."""

from collections.abc import Awaitable, Callable
from datetime import date

from wufeng.base.database import Connection
from wufeng.base.lanes import Command
from wufeng.credit.bills import store as bills
from wufeng.credit.charge_offs.commands import CHARGE_OFFS, ChargeOff
from wufeng.credit.charge_offs.store import lines_to_charge_off
from wufeng.credit.close.accruing import accrual_step
from wufeng.credit.close.chunks import Due, send_all
from wufeng.credit.close.commands import (
    ARREARS,
    BILLS,
    DUE_DATES,
    CloseLines,
    IssueBills,
    PassDueDates,
    SuspendArrears,
)
from wufeng.credit.close.model import CloseStep, DayClose, StepResult
from wufeng.credit.close.slice_store import lock_lines_to_bill, lock_lines_to_wake
from wufeng.credit.close.slices import Lock, Slicing, Work, issue_slice, pass_slice
from wufeng.credit.debits.runner import debit_step
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.ending import ENDINGS, EndTerms

Find = Callable[[Connection, int, date, int], Awaitable[Due]]
"""(db, bucket, on, at_most): lines that are due."""


def close_steps() -> list[CloseStep]:
    """Credit's steps in their order: terms end, due dates pass, what is due is debited, arrears suspend and are charged
    off, bills are issued, what was earned is booked. Sets do what needs no decision, the lane all the rest.
    """
    sets = {
        DUE_DATES: (bills.lines_to_wake, lock_lines_to_wake, pass_slice),
        BILLS: (lines.lines_to_bill, lock_lines_to_bill, issue_slice),
    }
    return [_sets_first(step, *sets[step.name]) if step.name in sets else step for step in lane_steps()]


def lane_steps() -> list[CloseStep]:
    """The same steps by the lane alone, for every line of every product: what sets do must not differ from it."""
    return [
        _step(ENDINGS, lines.lines_to_end, EndTerms),
        _step(DUE_DATES, bills.lines_to_wake, PassDueDates),
        debit_step(),
        _step(ARREARS, lines.lines_to_suspend, SuspendArrears),
        _step(CHARGE_OFFS, lines_to_charge_off, ChargeOff),
        _step(BILLS, lines.lines_to_bill, IssueBills),
        accrual_step(),
    ]


def _step(name: str, find: Find, kind: type[CloseLines]) -> CloseStep:
    async def run(close: DayClose) -> StepResult:
        async def of_date(db: Connection, at_most: int) -> Due:
            return await find(db, close.bucket, close.on, at_most)

        async def made(due: Due) -> Command:
            people = tuple(sorted(set(due.values())))
            return kind(at=close.at, people=people, closed_on=close.closed_on, lines=tuple(due))

        return await send_all(close, "line", of_date, made)

    return CloseStep(name, run)


def _sets_first(step: CloseStep, find: Find, lock: Lock, work: Work) -> CloseStep:
    """A step by sets, and by the lane for the rest. Most dates have nothing of it: one look tells."""

    async def run(close: DayClose) -> StepResult:
        async with close.lanes.database.read() as db:
            if not await find(db, close.bucket, close.on, 1):
                return StepResult(0)
        rows = await Slicing(close, step.name).run(lock, work)
        rest = await step.run(close)
        return StepResult(rows + rest.rows, rest.errors)

    return CloseStep(step.name, run)
