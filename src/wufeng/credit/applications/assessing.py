"""What a decision is made from, gathered under the locks of a batch: the person, their lines, their applications."""

from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from wufeng.base.ids import instant_of
from wufeng.base.lanes import Batch
from wufeng.credit.applications import store
from wufeng.credit.applications.model import Application, ApplicationPolicy, Declared, Facts, Habits, Inputs
from wufeng.credit.applications.rules import days_between
from wufeng.credit.lines import store as lines
from wufeng.credit.lines.model import ChangeKind
from wufeng.credit.lines.rules import given_minor
from wufeng.identity.people.model import PersonGuard, PersonStatus

A_YEAR = timedelta(days=365)


class Asked(Struct, frozen=True, kw_only=True):
    """Whom a decision is about, and what was handed in. `line_id`: the line that a review is about."""

    guard: PersonGuard
    age_years: int
    facts: Facts
    declared: Declared
    line_id: UUID | None = None


def asked_again(found: Application, guard: PersonGuard, bank_accounts: int) -> Asked:
    """An application looked at again before it is carried out: what its person is and holds by now, by the habits and
    the word that it was decided from.
    """
    before = found.inputs
    return Asked(
        guard=guard,
        age_years=before.age_years,
        facts=Facts(
            bank_accounts, Habits(before.payments, before.paid_minor, before.scenes, before.inflow_minor)
        ),
        declared=before.declared,
        line_id=found.line_id,
    )


async def inputs_of(batch: Batch, asked: Asked, policy: ApplicationPolicy, at: datetime) -> Inputs:
    """All inputs of one decision. Another line of the same person counts; the one under review does not."""
    guard, habits, declared = asked.guard, asked.facts.habits, asked.declared
    on = batch.book.business_date(at)
    own = await lines.load_lines_of_people(batch.db, batch.bucket, [guard.id])
    others = [line for line in own if line.id != asked.line_id]
    ids = [line.id for line in own]
    suspended = await lines.count_changes(batch.db, batch.bucket, ids, ChangeKind.SUSPENDED, at - A_YEAR)
    since = at - timedelta(days=policy.admission.declined_days)
    return Inputs(
        frozen=guard.status is not PersonStatus.ACTIVE,
        age_years=asked.age_years,
        tier=guard.tier.value,
        bank_accounts=asked.facts.bank_accounts,
        known_days=days_between(batch.book.business_date(instant_of(guard.id)), on),
        payments=habits.payments,
        paid_minor=habits.paid_minor,
        scenes=habits.scenes,
        inflow_minor=habits.inflow_minor,
        income_month_minor=declared.income_month_minor,
        lines_elsewhere=declared.lines_elsewhere,
        repayments_elsewhere_month_minor=declared.repayments_elsewhere_month_minor,
        suspensions=sum(suspended.values()),
        in_arrears=any(line.past_due_since is not None for line in own),
        others_minor=given_minor(others, on),
        declined=await store.count_declined(batch.db, batch.bucket, guard.id, since),
    )
