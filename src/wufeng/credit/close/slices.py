"""The close by sets: a slice of a bucket in one transaction, beside the lanes and under the same locks.

A slice locks its people first and the bucket's head last, as every batch does, but waits for no person: whom a payment
or another closer holds is skipped and met again in the next round. So several closers may work in one bucket, and none
of them can stand in a circle of waiting. What a set may not decide, and a slice that fails, is left to the lane, which
goes line by line when it must.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from uuid import UUID

import asyncpg
import structlog

from wufeng.base import faults
from wufeng.base.database import LOST, Connection
from wufeng.credit.accruals.store import move_accruals
from wufeng.credit.close import slice_store, store
from wufeng.credit.close.model import DayClose
from wufeng.credit.close.rules import SLICE_LEAST, bill_texts, is_plain, next_slice
from wufeng.credit.close.slice_store import Slice
from wufeng.credit.products.model import Product
from wufeng.credit.products.store import load_products

log = structlog.get_logger("wufeng.close")

ROUNDS = 8
"""How often a bucket is gone through for people who were held before; who still is, is left to the lane."""

FIRST = UUID(int=0)

Lock = Callable[[Connection, int, date, UUID, int], Awaitable[Slice]]
Work = Callable[["Slicing", Connection, Sequence[UUID]], Awaitable[int]]


class Slicing:
    """One step of one close by sets. Products are read when something is due: most days have little."""

    def __init__(self, close: DayClose, step: str) -> None:
        self.close = close
        self.step = step
        self._lines = SLICE_LEAST
        self._plain: list[Product] | None = None

    async def run(self, lock: Lock, work: Work) -> int:
        """Go through the bucket until nobody was held by others; returns the rows done."""
        rows = 0
        for _ in range(ROUNDS):
            done, held = await self._round(lock, work)
            rows += done
            if not held:
                break
        return rows

    async def plain_products(self, db: Connection) -> list[Product]:
        """The products whose lines sets may bill."""
        if self._plain is None:
            self._plain = [kept.product for kept in await load_products(db) if is_plain(kept.product)]
        return self._plain

    async def _round(self, lock: Lock, work: Work) -> tuple[int, int]:
        after, rows, held = FIRST, 0, 0
        while True:
            found, at_most = list[Slice](), self._lines
            try:
                rows += await self._slice(lock, work, after, found)
            except (asyncpg.PostgresError, slice_store.SliceRefused) as error:
                if isinstance(error, LOST) or not found:
                    raise
                log.warning("a slice is left to the lane", step=self.step, exc_info=error)
            (one,) = found
            held += one.found - len(one.lines)
            if one.last is None or one.found < at_most:
                return rows, held
            after = one.last

    async def _slice(self, lock: Lock, work: Work, after: UUID, found: list[Slice]) -> int:
        close = self.close
        async with close.lanes.database.transaction() as db:
            await slice_store.plan_each_slice(db)
            found.append(await lock(db, close.bucket, close.on, after, self._lines))
            (one,) = found
            if not one.lines:
                return 0
            faults.point("people_locked")
            rows = await work(self, db, one.lines)
            self._lines = next_slice(self._lines, await slice_store.count_waiting(db))
            faults.point("before_commit")
        close.lanes.on_commit(close.bucket)
        return rows

    async def record(self, db: Connection, rows: int, earned: slice_store.Earned) -> None:
        """Move the sums of interest and count what the slice has done: in the order of the lane's commands."""
        close = self.close
        if earned:
            await move_accruals(db, close.bucket, {key: {close.on: one} for key, one in earned.items()})
        await store.record_rows(db, close.bucket, close.closed_on, self.step, rows, close.at)
        faults.point(f"close_{self.step}")

    async def tell(self, db: Connection, bills: Sequence[UUID], kind: str) -> None:
        """Tell of bills, and post what those just issued charge. The head is the last row that is locked."""
        close = self.close
        if bills:
            await slice_store.tell_bills(db, close.bucket, close.on, bills, kind, bill_texts(), close.at)
        faults.point("numbered")


async def pass_slice(slicing: Slicing, db: Connection, lines: Sequence[UUID]) -> int:
    """Let the due dates of a slice come and pass; returns how many."""
    close = slicing.close
    plain = await slicing.plain_products(db)
    passed = await slice_store.pass_due_dates(db, close.bucket, close.on, lines, plain)
    if passed.rows:
        await slicing.record(db, passed.rows, passed.earned)
        await slicing.tell(db, passed.due, "bill.due")
    return passed.rows


async def issue_slice(slicing: Slicing, db: Connection, lines: Sequence[UUID]) -> int:
    """Issue the bills of a slice; returns how many."""
    close = slicing.close
    head = close.lanes.ids.new(close.at, 0).hex[:22]
    plain = await slicing.plain_products(db)
    issued = await slice_store.issue_bills(db, close.bucket, close.on, lines, plain, head)
    if issued.bills:
        await slicing.record(db, len(issued.bills), issued.earned)
        await slicing.tell(db, issued.bills, "bill.issued")
    return len(issued.bills)
