"""What staff do with lists that policies name: put somebody on, take somebody off. Every payment reads them afresh."""

from uuid import UUID

from wufeng.base.database import Database
from wufeng.base.errors import Code, Problem
from wufeng.risk import store
from wufeng.risk.model import ListMember, Policy

REASON_MAX = 500


def _check_list(policy: Policy, name: str) -> None:
    names = sorted({rule.list for rule in policy.lists})
    if name not in names:
        detail = f"No rule of {policy.name} reads that list; these are read: {', '.join(names)}."
        raise Problem(Code.NOT_FOUND, detail)


async def add_to_list(database: Database, policy: Policy, member: ListMember) -> bool:
    """Put a person or a merchant on a list that the policy reads; False when they stand there already.

    Refuses (raises not_found) a list that no rule reads: it would do nothing.
    """
    assert 0 < len(member.reason) <= REASON_MAX, "the border asks for a reason"
    _check_list(policy, member.list)
    async with database.transaction() as db:
        return await store.add_member(db, member)


async def remove_from_list(database: Database, name: str, member_id: UUID) -> bool:
    """Take a person or a merchant off a list; False when they do not stand there."""
    async with database.transaction() as db:
        return await store.remove_member(db, name, member_id)
