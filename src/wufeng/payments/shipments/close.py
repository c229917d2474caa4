"""Shipments and the day close: a receipt that nobody has confirmed in time counts as confirmed.

An order that nobody ships waits for ever, and so does its draw: no bill takes it before the person has the goods, or
it is refunded.
"""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from wufeng.base.errors import Code, Problem
from wufeng.base.insisting import NOT_DEFINITE, insist
from wufeng.credit.close.model import CloseStep, DayClose, StepResult
from wufeng.payments.orders.commands import ConfirmReceipt
from wufeng.payments.shipments import store
from wufeng.payments.shipments.model import Shipment

RECEIPTS = "receipts"

AT_ONCE = 100
"""Receipts that are sent to the lanes together."""


def close_steps() -> list[CloseStep]:
    """The step of this noun. Any place will do: a bill of the date that begins takes nothing received on it."""
    return [CloseStep(RECEIPTS, _run)]


async def _run(close: DayClose) -> StepResult:
    """Confirm the receipts of the bucket's orders, each in its payer's bucket; what is confirmed waits no more."""
    rows, failed = 0, dict[UUID, str]()
    while True:
        async with close.lanes.database.read() as db:
            found = await store.load_due(db, close.bucket, close.on, AT_ONCE + len(failed))
        due = [one for one in found if one.order_id not in failed]
        if not due:
            return StepResult(rows, tuple(failed.values()))
        problems = await _confirm(close, due)
        rows += len(due) - len(problems)
        over = [id_ for id_, problem in problems.items() if problem.code is not Code.INTERNAL]
        if over:  # another state, or nobody there: there is nothing to wait for
            async with close.lanes.database.transaction() as db:
                await store.forget_shipments(db, close.book, over)
        failed |= {
            id_: f"order {id_}: {problem.__cause__!r}"
            for id_, problem in problems.items()
            if problem.code is Code.INTERNAL
        }


async def _confirm(close: DayClose, due: Sequence[Shipment]) -> dict[UUID, Problem]:
    """Confirm some receipts; returns those that were refused."""
    outcomes = await asyncio.gather(*(_submit(close, one) for one in due), return_exceptions=True)
    problems: dict[UUID, Problem] = {}
    for one, outcome in zip(due, outcomes, strict=True):
        if isinstance(outcome, BaseException):
            if not isinstance(outcome, Problem) or outcome.code in NOT_DEFINITE:
                raise outcome
            problems[one.order_id] = outcome
    return problems


async def _submit(close: DayClose, one: Shipment) -> None:
    command = ConfirmReceipt(
        at=close.at, people=(one.payer_id,), order_id=one.order_id, payer_id=one.payer_id
    )
    await insist(close.lanes, close.book.bucket_of(one.payer_id), command)
