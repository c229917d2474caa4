"""The world of `wufeng bench close`, made and turned by set-based statements of the scratch database's owner."""

import time
from datetime import date
from uuid import UUID

import msgspec
from msgspec import Struct

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.bench.measure import cpu_seconds

SQL = load(__file__)

EXPLAIN = "explain (analyze, wal, buffers off, timing off, format json)"
"""Runs a statement and answers what it wrote to the log."""

STATE = ("person", "line", "account", "draw")
"""Tables that hold what an account is before anything is billed."""


class Ground(Struct, frozen=True, kw_only=True):
    """What all rows of the world share. `born_ms` is the first person's instant, `drawn_ms` the first draw's."""

    book: int
    lines: int
    born_ms: int
    drawn_ms: int
    opened_on: date
    lender: UUID
    lender_account: UUID
    merchant: UUID
    product_version: int


class Written(Struct, frozen=True):
    """What a statement took: time, processor time of its backend, and log."""

    seconds: float
    cpu_s: float
    wal_bytes: int


async def prepare(owner: Connection) -> None:
    """What the other statements use."""
    await owner.execute(SQL.make_functions)


async def insert_world(owner: Connection, ground: Ground, first: int, last: int, bill_on: date) -> None:
    """People, lines, accounts and draws of a range of numbers; balances and journals come from `balance_lines`."""
    given = first, last, ground.book, ground.born_ms
    await owner.execute(SQL.insert_people, *given)
    await owner.execute(
        SQL.insert_lines, *given, ground.opened_on, ground.product_version, bill_on, ground.lender
    )
    await owner.execute(SQL.insert_accounts, *given)
    await insert_draws(owner, ground, first, last, ground.opened_on, 1)


async def insert_draws(
    owner: Connection, ground: Ground, first: int, last: int, on: date, every: int, later_ms: int = 0
) -> None:
    """A draw of that date for each `every`th line of a range."""
    await owner.execute(
        SQL.insert_draws,
        first,
        last,
        ground.book,
        ground.born_ms,
        on,
        every,
        ground.lines,
        ground.drawn_ms + later_ms,
        ground.merchant,
        ground.product_version,
        ground.lender,
    )


async def balance_lines(owner: Connection, ground: Ground, bucket: int, on: date) -> None:
    """Bring the accounts of lines to what their rows say, by journals."""
    await owner.execute(SQL.balance_lines, bucket, on, ground.lender_account)


async def common_day(owner: Connection, bucket: int, on: date, next_on: date) -> None:
    """Turn a bucket after its worst day into one of a common day that begins `on`."""
    await owner.execute(SQL.settle_bills, bucket)
    await owner.execute(SQL.spread_due_dates, bucket, on)
    await owner.execute(SQL.settle_paid_bills, bucket)
    await owner.execute(SQL.expect_bills, bucket, on, next_on)


async def state_bytes(owner: Connection) -> int:
    """Bytes of the tables of the state, with their indexes."""
    return int(await owner.fetchval(SQL.state_bytes, list(STATE)))


async def copy_rows(owner: Connection) -> None:
    """Copy the rows of the worst day for the plain statements."""
    await owner.execute(SQL.copy_rows)


async def plain_statements(owner: Connection, bucket: int) -> dict[str, Written]:
    """Write once more what the worst day wrote in a bucket, statement by statement; what each took, by table."""
    return {
        name: await _written(owner, SQL.text(f"plain_{name}"), bucket)
        for name in ("lines", "draws", "bills", "accounts", "journals", "events")
    }


async def _written(owner: Connection, statement: str, bucket: int) -> Written:
    pids = [owner.get_server_pid()]
    began_s, cpu_s = time.perf_counter(), cpu_seconds(pids)
    plan = await owner.fetchval(f"{EXPLAIN} {statement}", bucket)
    seconds, cpu_s = time.perf_counter() - began_s, cpu_seconds(pids) - cpu_s
    return Written(seconds, cpu_s, int(msgspec.json.decode(plan)[0]["Plan"]["WAL Bytes"]))


async def drop_copies(owner: Connection) -> None:
    """Drop what `copy_rows` made."""
    await owner.execute(SQL.drop_copies)
