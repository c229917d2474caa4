"""Where the close notes what it has done."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.close.model import StepResult, StepRun

SQL = load(__file__)

FINISHED = "finished"
"""The step under which a close that has done all its steps is noted."""


async def record_rows(
    db: Connection, bucket: int, business_on: date, step: str, rows: int, at: datetime
) -> None:
    """Add to what a step has done, inside the transaction that does it."""
    await db.execute(SQL.record_rows, bucket, business_on, step, rows, at)


async def record_finished(
    db: Connection, bucket: int, business_on: date, results: Mapping[str, StepResult], at: datetime
) -> None:
    """Note that all steps of a close have ended: rows (at least so many), how long each took, what it could not do."""
    ended = {**results, FINISHED: StepResult(0)}
    await db.execute(
        SQL.record_finished,
        bucket,
        business_on,
        list(ended),
        [result.rows for result in ended.values()],
        at,
        [result.took_ms for result in ended.values()],
        ["\n".join(map(_one_line, result.errors)) for result in ended.values()],
    )


def _one_line(error: str) -> str:
    return " ".join(error.split())


async def load_step_runs(
    db: Connection, buckets: Collection[int], first_on: date, last_on: date
) -> list[StepRun]:
    """Every step of the closes of some dates in some buckets, the newest date first."""
    return [
        StepRun(**{**row, "errors": tuple(row["errors"])})
        for row in await db.fetch(SQL.load_step_runs, buckets, first_on, last_on, FINISHED)
    ]


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
