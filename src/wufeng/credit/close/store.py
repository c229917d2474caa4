"""Where the close notes what it has done."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from wufeng.base.database import Connection
from wufeng.base.sql import load

SQL = load(__file__)

FINISHED = "finished"
"""The step under which a close that has done all its steps is noted."""


async def record_rows(
    db: Connection, bucket: int, business_on: date, step: str, rows: int, at: datetime
) -> None:
    """Add to what a step has done, inside the transaction that does it."""
    await db.execute(SQL.record_rows, bucket, business_on, step, rows, at)


async def record_finished(
    db: Connection, bucket: int, business_on: date, rows: Mapping[str, int], at: datetime
) -> None:
    """Note that all steps of a close have ended, each with at least so many rows."""
    counts = {**rows, FINISHED: 0}
    await db.execute(SQL.record_finished, bucket, business_on, list(counts), list(counts.values()), at)


async def load_runs(
    db: Connection, buckets: Collection[int], first_on: date, last_on: date
) -> dict[date, dict[str, int]]:
    """What the closes of some dates have done, summed over buckets: rows by date and step."""
    days: dict[date, dict[str, int]] = {}
    for row in await db.fetch(SQL.load_runs, buckets, first_on, last_on):
        if row["step"] != FINISHED:
            steps = days.setdefault(row["business_on"], {})
            steps[row["step"]] = steps.get(row["step"], 0) + row["row_count"]
    return days


async def load_last_finished(db: Connection, bucket: int) -> date | None:
    """The last business date whose close has done all its steps."""
    last: date | None = await db.fetchval(SQL.load_last_finished, bucket, FINISHED)
    return last
