"""The proof of the sums of earned interest: account by account once more, beside what events and closes have kept."""

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.credit.accruals.store import ProductVersion
from wufeng.credit.accruals.sums import NONE, Course, Delta, as_of, together, unbilled
from wufeng.credit.bills.store import load_bills
from wufeng.credit.debts.earning import earned_of_draw
from wufeng.credit.draws.store import load_draws
from wufeng.credit.lines.store import load_lines
from wufeng.ledger import Break

SQL = load(__file__)

PAGE = 5_000
"""Bills or draws that are looked at together."""

Courses = dict[ProductVersion, Course]


class AccrualBreak(StrEnum):
    """What does not agree."""

    ACCRUED = "accrued"  # a product's sum is not what its draws and bills have earned and no bill holds
    BILLED = "billed"  # events counted another sum as billed than its draws and bills have
    ACCRUAL_BOOKED = "accrual_booked"  # the ledger has another sum than the closes noted


async def accrual_breaks(db: Connection, bucket: int) -> list[Break]:
    """Where the sums of a bucket are not what all its draws and bills give: a check of `ledger.verify`."""
    breaks: list[Break] = []
    latest_on = await db.fetchval(SQL.latest_on, bucket)
    if latest_on is not None:
        kept, found = await _kept(db, bucket, latest_on), await _recounted(db, bucket, latest_on)
        for key in sorted(kept.keys() | found.keys()):
            breaks += _breaks_of(bucket, key, found.get(key, {}), kept.get(key, {}))
    breaks += [
        Break(bucket, AccrualBreak.ACCRUAL_BOOKED, "accruals", row["noted_minor"], row["booked_minor"])
        for row in await db.fetch(SQL.wrong_booked, bucket)
    ]
    return breaks


def _breaks_of(bucket: int, key: ProductVersion, found: Course, kept: Course) -> list[Break]:
    """Where a product's rows are not what its accounts give: the first date on which they part, and what was billed."""
    where, breaks = f"product {key[0]}@{key[1]}", []
    billed = [sum(delta.billed_minor for delta in course.values()) for course in (found, kept)]
    for on in sorted(found.keys() | kept.keys()):
        should, is_ = found.get(on, NONE), kept.get(on, NONE)
        if (should.micro, should.daily_micro) != (is_.micro, is_.daily_micro):
            breaks.append(Break(bucket, AccrualBreak.ACCRUED, f"{where}, {on}", _text(should), _text(is_)))
            break
    if billed[0] != billed[1]:
        breaks.append(Break(bucket, AccrualBreak.BILLED, where, f"{billed[0]}", f"{billed[1]}"))
    return breaks


def _text(delta: Delta) -> str:
    return f"{delta.micro} micro, {delta.daily_micro} a day"


async def _kept(db: Connection, bucket: int, on: date) -> Courses:
    """The sums that events have moved, from a date on."""
    rows: dict[ProductVersion, dict[date, Delta]] = {}
    for row in await db.fetch(SQL.sum_rows, bucket):
        course = rows.setdefault((row["product"], row["product_version"]), {})
        course[row["business_on"]] = Delta(row["micro"], row["daily_micro"], row["billed_minor"])
    return {key: as_of(course, on) for key, course in rows.items()}


async def _recounted(db: Connection, bucket: int, on: date) -> Courses:
    """The same by all that bears interest, one by one."""
    parts: dict[ProductVersion, list[Course]] = {}
    for row in await db.fetch(SQL.straight_sums, bucket, on):
        course = {on: Delta(row["micro"], row["daily_micro"])}
        parts.setdefault((row["product"], row["product_version"]), []).append(course)
    for row in await db.fetch(SQL.billed_sums, bucket):
        course = {on: Delta(billed_minor=row["billed_minor"])}
        parts.setdefault((row["product"], row["product_version"]), []).append(course)
    await _add_odd_bills(db, bucket, on, parts)
    await _add_odd_draws(db, bucket, on, parts)
    return {key: together(courses) for key, courses in parts.items()}


async def _add_odd_bills(
    db: Connection, bucket: int, on: date, parts: dict[ProductVersion, list[Course]]
) -> None:
    """Bills whose interest is capped, or rounded in another way than most."""
    after = UUID(int=0)
    while ids := [row["id"] for row in await db.fetch(SQL.odd_bills, bucket, after, PAGE)]:
        bills, after = await load_bills(db, bucket, ids), ids[-1]
        keys = await _products(db, bucket, (bill.line_id for bill in bills.values()))
        for bill in bills.values():
            parts.setdefault(keys[bill.line_id], []).append(unbilled(bill, on))


async def _add_odd_draws(
    db: Connection, bucket: int, on: date, parts: dict[ProductVersion, list[Course]]
) -> None:
    """Plans by a yearly rate, and draws whose interest is rounded in another way than most."""
    after = UUID(int=0)
    while ids := [row["id"] for row in await db.fetch(SQL.odd_draws, bucket, after, PAGE)]:
        draws, after = await load_draws(db, bucket, ids), ids[-1]
        lines = await load_lines(db, bucket, {draw.line_id for draw in draws.values()})
        for draw in draws.values():
            line = lines[draw.line_id]
            key = line.product, line.product_version
            parts.setdefault(key, []).append(earned_of_draw(draw, line, on))


async def _products(db: Connection, bucket: int, line_ids: Iterable[UUID]) -> dict[UUID, ProductVersion]:
    found = await load_lines(db, bucket, set(line_ids))
    return {id_: (line.product, line.product_version) for id_, line in found.items()}
