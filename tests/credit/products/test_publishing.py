"""Versions are kept for good, and a running process offers those that were published meanwhile."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.credit.conftest import shipped

from wufeng.base.database import Database
from wufeng.base.errors import ConfigurationError
from wufeng.credit import Products, publish, refresh
from wufeng.credit.products.commands import SETTLES
from wufeng.credit.products.files import read_product
from wufeng.credit.products.model import Shipped

NOON = datetime(2026, 9, 3, 4, 0, tzinfo=UTC)
FIRST = shipped("monthly_bill")
TODAY, TOMORROW = date(2026, 9, 3), date(2026, 9, 4)


def dearer(number: int, begins: date) -> Shipped:
    source = FIRST.source.replace("version = 1", f"version = {number}").replace(
        "fee_ppm = 25_000", "fee_ppm = 30_000"
    )
    return read_product(source.replace("2015-04-01", str(begins), 1), "mine.toml")


async def keep(database: Database, *versions: Shipped, at: datetime = NOON) -> Products:
    async with database.transaction() as db:
        return await publish(db, versions, at)


async def test_a_new_version_is_in_force_from_its_first_day(database: Database) -> None:
    await keep(database, FIRST)
    products = await keep(database, dearer(2, TOMORROW))
    assert [one.version for on in (TODAY, TOMORROW) if (one := products.current("monthly_bill", on))] == [
        1,
        2,
    ]
    assert products.version("monthly_bill", 1) == FIRST.product
    assert [one.version for one in products.versions()] == [1, 2]


async def test_what_is_refused_leaves_nothing_behind(database: Database) -> None:
    await keep(database, FIRST, dearer(3, TOMORROW))
    for refused, why in (
        (dearer(1, date(2015, 4, 1)), "has changed but still says version = 1"),
        (dearer(2, TOMORROW), "must begin before version 3"),
        (dearer(4, TODAY), "must begin after version 3"),
    ):
        with pytest.raises(ConfigurationError, match=why):
            await keep(database, refused)
    assert [one.version for one in (await keep(database)).versions()] == [1, 3]
    assert [one.version for one in (await keep(database, FIRST)).versions()] == [1, 3], "the same again"


async def test_a_running_process_knows_a_version_before_it_offers_it(database: Database) -> None:
    running = await keep(database, FIRST)

    async def look(after: timedelta) -> int | None:
        async with database.read() as db:
            await refresh(db, running, NOON + after)
        current = running.current("monthly_bill", TODAY)
        return current.version if current else None

    assert await look(timedelta(0)) == 1
    await keep(database, dearer(2, TODAY))
    assert await look(SETTLES - timedelta(seconds=1)) == 1
    assert running.version("monthly_bill", 2).version == 2, "what another process has drawn can be read"
    assert await look(SETTLES) == 2
    assert await look(2 * SETTLES) == 2
