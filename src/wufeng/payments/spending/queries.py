"""Facts about people that applications are decided from, summed where they lie: a bounded window of indexes."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from wufeng.base.database import Connection
from wufeng.base.ids import first_id_of
from wufeng.base.sql import load
from wufeng.credit.applications.model import Facts, Habits
from wufeng.identity.bank_accounts.queries import count_verified
from wufeng.identity.people.queries import wallets_of_people

SQL = load(__file__)


async def gather_facts(
    db: Connection, bucket: int, people: Collection[UUID], at: datetime, days: int
) -> dict[UUID, Facts]:
    """What is known of people of one bucket: verified accounts, and payments and inflow of the days before `at`.

    Payments count by when they were begun, without what was refunded. Inflow is what was topped up, less what was
    withdrawn or is on its way out, and never below 0. An unknown person has nothing.
    """
    since = first_id_of(at - timedelta(days=days))
    wallets = await wallets_of_people(db, bucket, people)
    owners = {wallet: person for person, wallet in wallets.items()}
    accounts = await count_verified(db, bucket, people)
    paid = {row["payer_id"]: row for row in await db.fetch(SQL.sum_payments, bucket, list(people), since)}
    inflow = {
        owners[row["wallet_id"]]: row["inflow_minor"]
        for row in await db.fetch(SQL.sum_inflow, bucket, list(owners), since)
    }
    facts = {}
    for person in people:
        row = paid.get(person)
        habits = Habits(
            payments=row["payments"] if row else 0,
            paid_minor=row["paid_minor"] if row else 0,
            scenes=row["scenes"] if row else 0,
            inflow_minor=inflow.get(person, 0),
        )
        facts[person] = Facts(accounts.get(person, 0), habits)
    return facts
