"""What staff do to a person's account: freeze, let act again, give a tier. And to each other: roles."""

from collections.abc import Awaitable, Callable
from typing import Any

from wufeng.base.errors import Code, not_found
from wufeng.base.ids import Prefix, encode
from wufeng.client import ApiProblem
from wufeng.identity.staff.model import Role
from wufeng.identity.staff.queries import list_staff_of_book
from wufeng.web.console.frame import show
from wufeng.web.console.person import show_refused
from wufeng.web.paging import Door, Reply, Visit, pages_of

TOLD = (Code.INVALID_FIELD, Code.STATE_CONFLICT)
"""Problems that the page itself explains; of the others a page of their own tells."""


async def freeze(visit: Visit) -> Reply:
    """Stop everything of the person."""
    person = _person(visit)
    return await _do(visit, lambda: visit.api.people.freeze(person, reason=visit.field("reason")))


async def unfreeze(visit: Visit) -> Reply:
    """Let the person act again."""
    person = _person(visit)
    return await _do(visit, lambda: visit.api.people.unfreeze(person, reason=visit.field("reason")))


async def give_tier(visit: Visit) -> Reply:
    """Raise the tier: person and document have been seen. Without a document the one that is kept was seen."""
    person, seen = _person(visit), {}
    if visit.field("name") or visit.field("document"):
        kind = "passport" if visit.field("kind") == "passport" else "resident_id"
        seen = {"name": visit.field("name"), "document": visit.field("document"), "kind": kind}
    tier = int(visit.field("tier")) if visit.field("tier") in ("2", "3") else None
    return await _do(
        visit, lambda: visit.api.people.verify(person, tier=tier, reason=visit.field("reason"), **seen)
    )


async def staff(visit: Visit) -> Reply:
    """Who works in the book, in which role."""
    return await _show_staff(visit)


async def set_role(visit: Visit) -> Reply:
    """Give a member of staff another role."""
    staff_id = visit.path_id(Prefix.STAFF, "staff")
    async with visit.services.database.read() as db:
        if all(one.id != staff_id for one in await list_staff_of_book(db, visit.book)):
            raise not_found("staff")  # before the role is looked at
    member = encode(Prefix.STAFF, staff_id)
    try:
        await visit.api.staff.set_role(member, role=visit.field("role"), reason=visit.field("reason"))
    except ApiProblem as problem:
        if problem.code not in TOLD:
            raise
        return await _show_staff(visit, member, problem.status)
    return visit.go("/console/staff")


async def _do(visit: Visit, deed: Callable[[], Awaitable[Any]]) -> Reply:
    try:
        done = await deed()
    except ApiProblem as problem:
        if problem.code not in TOLD:
            raise
        return await show_refused(
            visit, visit.path_id(Prefix.PERSON, "person"), problem.detail, problem.status
        )
    refused = "refused" if getattr(done, "status", "") == "refused" else ""
    return visit.go(f"/console/people/{visit.values['id']}?{refused}#account")


async def _show_staff(visit: Visit, wrong: str = "", status: int = 200) -> Reply:
    async with visit.services.database.read() as db:
        members = await list_staff_of_book(db, visit.book)
    return await show(
        visit,
        "staff.html",
        status=status,
        members=[(encode(Prefix.STAFF, one.id), one) for one in members],
        roles=[role.value for role in Role],
        me=visit.caller.id,
        wrong=wrong,
    )


def _person(visit: Visit) -> str:
    return encode(Prefix.PERSON, visit.path_id(Prefix.PERSON, "person"))


page = pages_of(Door.CONSOLE)

PAGES = (
    page("POST", "/console/people/{id}/freeze", "console_freeze", freeze),
    page("POST", "/console/people/{id}/unfreeze", "console_unfreeze", unfreeze),
    page("POST", "/console/people/{id}/tier", "console_tier", give_tier),
    page("GET", "/console/staff", "console_staff", staff),
    page("POST", "/console/staff/{id}/role", "console_staff_role", set_role),
)
