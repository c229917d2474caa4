"""Slices of a bucket: their length follows who waits, and changes nothing of what they write."""

import asyncio
from datetime import date

import pytest
from tests.credit.close.test_sets import rows_of, same, spending
from tests.credit.conftest import House, make_house, shared_product

from wufeng.base.database import Connection, Database
from wufeng.credit.close import rules, slices
from wufeng.credit.close.rules import SLICE_LEAST, SLICE_MOST, next_slice
from wufeng.credit.close.slice_store import count_waiting


@pytest.mark.parametrize(
    ("lines", "waiting", "following"),
    [
        (SLICE_LEAST, 0, 2 * SLICE_LEAST),
        (SLICE_MOST - 1, 0, SLICE_MOST),
        (SLICE_MOST, 0, SLICE_MOST),
        (SLICE_MOST, 1, SLICE_LEAST),
        (SLICE_LEAST, 9, SLICE_LEAST),
    ],
)
def test_a_slice_grows_while_nobody_waits(lines: int, waiting: int, following: int) -> None:
    assert next_slice(lines, waiting) == following


async def test_who_waits_for_a_row_is_counted(house: House, database: Database, db: Connection) -> None:
    lock = "select seq from head where bucket = $1 for update"
    async with db.transaction():
        await db.fetchval(lock, house.bucket)
        assert await count_waiting(db) == 0
        behind = await database.connect("behind")
        waits = asyncio.create_task(behind.fetchval(lock, house.bucket))
        while not await count_waiting(db):
            await asyncio.sleep(0.01)
        assert not waits.done()
    await waits
    assert await count_waiting(db) == 0


async def test_the_length_of_slices_changes_no_row(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    for name, least, most in (("long", SLICE_LEAST, SLICE_MOST), ("short", 1, 4)):
        monkeypatch.setattr(slices, "SLICE_LEAST", least)
        monkeypatch.setattr(rules, "SLICE_LEAST", least)
        monkeypatch.setattr(rules, "SLICE_MOST", most)
        house = await make_house(database, date(2026, 9, 3), name, shared_product())
        await spending(house)
        await house.turn_to(date(2026, 10, 12))
        rows.append(await rows_of(house))
        await house.lanes.drain()
    same(*rows)
    assert len(rows[0]["bill"]) > rules.SLICE_MOST
