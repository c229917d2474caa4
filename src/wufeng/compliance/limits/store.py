"""What people have paid, as it stands in the database."""

from collections.abc import Collection, Mapping
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.sql import load
from wufeng.compliance.limits.model import Sums

SQL = load(__file__)


async def load_sums(db: Connection, bucket: int, people: Collection[UUID]) -> dict[UUID, Sums]:
    """The sums of people, whose rows the caller has locked; somebody who has paid nothing is absent."""
    rows = await db.fetch(SQL.load_sums, bucket, list(people))
    return {row["person_id"]: Sums(*list(row.values())[1:]) for row in rows}


async def store_sums(db: Connection, bucket: int, sums: Mapping[UUID, Sums]) -> None:
    """Write the sums of locked people."""
    if not sums:
        return
    rows = list(sums.values())
    await db.execute(
        SQL.store_sums,
        bucket,
        list(sums),
        [one.day_on for one in rows],
        [one.year for one in rows],
        [one.balance_minor for one in rows],
        [one.balance_year_minor for one in rows],
        [one.balance_few_minor for one in rows],
        [one.balance_two_minor for one in rows],
        [one.static_minor for one in rows],
        [one.code_few_minor for one in rows],
        [one.code_two_minor for one in rows],
        [one.offline_minor for one in rows],
    )
