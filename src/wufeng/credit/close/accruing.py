"""The close's last step: one journal a bucket and product for the interest that was earned and that no bill holds, and
the proof that the ledger has what events and closes counted.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import msgspec
import structlog

from wufeng import ledger
from wufeng.base import faults
from wufeng.base.claims import Answer
from wufeng.base.errors import Problem
from wufeng.base.ids import hashed_id
from wufeng.base.lanes import Batch, Command, Handler
from wufeng.credit.accruals import store as accruals
from wufeng.credit.accruals.model import MICRO
from wufeng.credit.accruals.store import ProductVersion
from wufeng.credit.close import store
from wufeng.credit.close.model import CloseStep, DayClose, StepResult
from wufeng.credit.products.commands import Products
from wufeng.ledger import Cause, Journal
from wufeng.lenders.model import lender_id

log = structlog.get_logger("wufeng.close")

ACCRUALS = "accruals"


class BookAccruals(Command, frozen=True, kw_only=True):
    """Book what was earned by the end of the date that is closed, as far as it differs from what is booked."""

    closed_on: date


def handlers(products: Products) -> dict[type[Command], Handler]:
    """The lane handler of the step."""
    return {BookAccruals: _Desk(products).book}


class _Desk:
    def __init__(self, products: Products) -> None:
        self.products = products

    async def book(self, batch: Batch, commands: Sequence[BookAccruals]) -> list[Answer | Problem]:
        """Book accruals, the earlier dates first; a date that was booked has nothing to book."""
        return [await self._book(batch, command) for command in commands]

    async def _book(self, batch: Batch, command: BookAccruals) -> Answer:
        on = command.closed_on
        sums = await accruals.sums_at(batch.db, batch.bucket, on)
        last = await accruals.last_closed(batch.db, batch.bucket)
        now = {key: whole_minor(delta.micro) for key, delta in sums.items()}
        booked = {key: last.get(key, (on, 0))[1] for key in now}
        changed = {key: minor for key, minor in now.items() if minor != booked[key]}
        if changed:
            # Two closers may both find it changed: who notes it first books it.
            mine = await accruals.insert_closed(batch.db, batch.bucket, on, changed)
            changed = {key: changed[key] for key in sorted(mine)}
        journals = [self._journal(batch, key, booked[key], minor, on) for key, minor in changed.items()]
        await ledger.post(batch, journals)
        await accruals.fold_sums(batch.db, batch.bucket, on)
        await store.record_rows(batch.db, batch.bucket, on, ACCRUALS, len(changed), command.at)
        faults.point(f"close_{ACCRUALS}")
        return Answer(200, msgspec.json.encode(len(changed)))

    def _journal(
        self, batch: Batch, key: ProductVersion, before_minor: int, after_minor: int, on: date
    ) -> Journal:
        product = self.products.version(*key)
        shares = [(lender_id(batch.book.id, share.code), share.share_ppm) for share in product.lenders]
        of = hashed_id(b"accrual", batch.bucket.to_bytes(2), f"{key[0]}@{key[1]} {on}".encode())
        note = msgspec.json.encode({"product": f"{key[0]}@{key[1]}", "closed_on": on})
        cause = Cause(of, product.currency, on + timedelta(days=1), batch.book.id, note)
        return ledger.rules.accrual(cause, ledger.rules.split_change(after_minor, before_minor, shares))


def whole_minor(micro: int) -> int:
    """Earned interest as the books show it: whole minor units, what is begun left out. A sum is never below zero."""
    return max(0, micro) // MICRO


def accrual_step() -> CloseStep:
    """The step as the close runs it: the last one, when all that the date had to do is done.

    A batch numbers and writes its journals last, so they are read in a transaction of its own, right behind the one
    that booked. A close that is killed between the two has not finished the step, and runs it again. What does not
    agree is an error of the step: it stops nothing, and shows at every close until it is mended.
    """

    async def run(close: DayClose) -> StepResult:
        command = BookAccruals(at=close.at, closed_on=close.closed_on)
        answer = await close.lanes.submit(close.bucket, command)
        async with close.lanes.database.transaction() as db:
            standings = await accruals.read_ledger(db, close.bucket)
        errors = tuple(error for one in standings for error in one.differences(close.bucket))
        for error in errors:
            log.error("interest does not agree", closed_on=str(close.closed_on), difference=error)
        return StepResult(msgspec.json.decode(answer.body, type=int), errors)

    return CloseStep(ACCRUALS, run)
