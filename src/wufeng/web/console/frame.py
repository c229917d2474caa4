"""What every page of the console shares: who is signed in, names of merchants, where an id leads."""

from collections.abc import Collection, Mapping
from typing import Any

from wufeng.base.database import Connection
from wufeng.base.ids import Prefix, decode, encode
from wufeng.credit.queries import Reading
from wufeng.identity.staff.model import Role
from wufeng.identity.staff.queries import list_staff
from wufeng.web.paging import Reply, Visit

DECIDING = frozenset({Role.SUPERVISOR, Role.ADMIN})
WORKING = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN})

_JOURNALS = frozenset({"rfd", "bil", "rep", "top", "wdr", "stl", "jnl"})
_SEARCHED = frozenset({"wal", "pay", "ord", "lin", "drw", "mer"})


async def show(visit: Visit, template: str, status: int = 200, **context: Any) -> Reply:
    """A page of the console in its frame."""
    async with visit.services.database.read() as db:
        name = next((one.name for one in await list_staff(db) if one.id == visit.caller.id), "")
    role = visit.caller.role
    assert role is not None, "staff have a role"
    return visit.show(
        f"console/{template}",
        status=status,
        staff_name=name,
        role=role.value,
        book_name=visit.book.name,
        to=where,
        clock_time=visit.formats.clock_time,
        **context,
    )


def where(id_: str) -> str | None:
    """The console's page about an object, by its id; None: there is none of its own."""
    prefix = id_.partition("_")[0]
    if prefix == Prefix.PERSON:
        return f"/console/people/{id_}"
    if prefix == Prefix.DECISION:
        return f"/console/decisions/{id_}"
    if prefix == Prefix.APPLICATION:
        return f"/console/applications/{id_}"
    if prefix in _JOURNALS:
        return f"/console/journals?of={id_}"
    return f"/console/search?q={id_}" if prefix in _SEARCHED else None


def reading(visit: Visit, db: Connection) -> Reading:
    """What reads of credit need."""
    on = visit.book.business_date(visit.at)
    return Reading(db, visit.book, visit.services.products, on, visit.language)


async def merchant_names(visit: Visit, db: Connection, ids: Collection[str]) -> Mapping[str, str]:
    """The names of merchants, by their public ids."""
    found = await visit.services.merchants.load(db, {decode(Prefix.MERCHANT, id_) for id_ in ids})
    return {id_: id_ for id_ in ids} | {encode(Prefix.MERCHANT, key): one.name for key, one in found.items()}
