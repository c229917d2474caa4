"""Credit's steps of the day close: find what is due, a chunk at a time, and send it through the lane."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from uuid import UUID

import msgspec

from wufeng.base.database import Connection
from wufeng.base.errors import Code, Problem
from wufeng.credit.bills import store as bills
from wufeng.credit.charge_offs.commands import CHARGE_OFFS, ChargeOff
from wufeng.credit.charge_offs.store import lines_to_charge_off
from wufeng.credit.close.accruing import accrual_step
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

CHUNK = 100
"""Lines one command handles: small enough that payments behind it in the lane hardly notice."""

TRIES_MAX = 50
"""How often a full or waiting lane is asked again before the close gives up and says so."""

Find = Callable[[Connection, int, date, int], Awaitable[Mapping[UUID, UUID]]]


def close_steps() -> list[CloseStep]:
    """Credit's steps in their order: terms end, due dates pass, what is due is debited, arrears suspend and are charged
    off, bills are issued, what was earned is booked. Sets do what needs no decision, the lane all the rest.
    """
    sets = {DUE_DATES: (lock_lines_to_wake, pass_slice), BILLS: (lock_lines_to_bill, issue_slice)}
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
        return await _run_chunks(close, find, kind)

    return CloseStep(name, run)


def _sets_first(step: CloseStep, lock: Lock, work: Work) -> CloseStep:
    async def run(close: DayClose) -> StepResult:
        rows = await Slicing(close, step.name).run(lock, work)
        rest = await step.run(close)
        return StepResult(rows + rest.rows, rest.errors)

    return CloseStep(step.name, run)


async def _run_chunks(close: DayClose, find: Find, kind: type[CloseLines]) -> StepResult:
    """Send chunks until nothing is due. A chunk that fails goes again line by line; who fails alone is named."""
    rows, failed = 0, dict[UUID, str]()
    while True:
        async with close.lanes.database.read() as db:
            due = await find(db, close.bucket, close.on, CHUNK + len(failed))
        due = {line: person for line, person in due.items() if line not in failed}
        if not due:
            return StepResult(rows, tuple(failed.values()))
        try:
            rows += await _submit(close, kind, due)
        except Problem as problem:
            if problem.code is not Code.INTERNAL:
                raise
            for line, person in due.items():
                try:
                    rows += await _submit(close, kind, {line: person})
                except Problem as alone:
                    if alone.code is not Code.INTERNAL:
                        raise
                    failed[line] = f"line {line}: {alone.__cause__!r}"


async def _submit(close: DayClose, kind: type[CloseLines], due: Mapping[UUID, UUID]) -> int:
    """Run one chunk and return its rows. A lane that is full is asked again: nothing was done, or all of it."""
    command = kind(
        at=close.at,
        people=tuple(sorted(set(due.values()))),
        closed_on=close.closed_on,
        lines=tuple(due),
    )
    for tried in range(TRIES_MAX):
        try:
            answer = await close.lanes.submit(close.bucket, command)
        except Problem as problem:
            if problem.code not in (Code.OVERLOADED, Code.OUTCOME_UNKNOWN) or tried == TRIES_MAX - 1:
                raise
            await asyncio.sleep(problem.retry_after_s or 1)
            continue
        return msgspec.json.decode(answer.body, type=int)
    raise AssertionError("the last try has returned or raised")
