"""Staff: sign in and out; what was done to an object; who stands on a list that risk policies name."""

from typing import Annotated

from msgspec import Meta, Struct

from wufeng.api.bodies import ListQuery, Reason, starting_after
from wufeng.api.routing import Call, Nothing, Route, reply, reply_list
from wufeng.base.claims import Answer
from wufeng.base.errors import invalid_field, not_found
from wufeng.base.ids import Prefix, decode
from wufeng.identity import act_of
from wufeng.identity.audit.model import AuditEntryView
from wufeng.identity.audit.queries import list_audit_entries
from wufeng.identity.audit.rules import check_reason
from wufeng.identity.staff.commands import give_role, sign_in_staff, sign_out_staff
from wufeng.identity.staff.model import Role, StaffSessionView, StaffView
from wufeng.identity.staff.queries import list_staff_of_book
from wufeng.identity.staff.rules import view_of, view_of_opened
from wufeng.identity.vault import Private


class CreateStaffSession(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Log-in name and password; and the book, for those who work in several."""

    login: Annotated[str, Meta(min_length=1, max_length=100)]
    password: Annotated[str, Meta(min_length=1, max_length=256)]
    book: Annotated[str, Meta(min_length=1, max_length=100)] | None = None

    def __repr__(self) -> str:
        return "CreateStaffSession(…)"


class SignedOut(Struct, frozen=True, kw_only=True):
    """The staff session that is over."""

    id: str
    object: str = "staff_session"


class AuditQuery(ListQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which object: any id."""

    of: Annotated[str, Meta(min_length=1, max_length=40, examples=["per_01h455vb4pex5vsknk084sn02q"])]


class AuditList(Struct, frozen=True, kw_only=True):
    """A page of entries, newest first."""

    data: list[AuditEntryView]
    next: str | None
    has_more: bool


class StaffList(Struct, frozen=True, kw_only=True):
    """Everybody who works in the book."""

    data: list[StaffView]
    next: str | None
    has_more: bool


class SetRole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another role, and why."""

    role: Role
    reason: Reason


async def get_staff(call: Call[Nothing, Nothing]) -> Answer:
    """Who works in this book. They are few: there is one page."""
    async with call.services.database.read() as db:
        found = [view_of(staff) for staff in await list_staff_of_book(db, call.book)]
    return reply_list(found, len(found))


async def post_role(call: Call[SetRole, Nothing]) -> Answer:
    """Give a member of staff another role; they sign in anew."""
    staff_id, services, body = call.path_id(Prefix.STAFF, "staff"), call.services, call.body
    reason = check_reason(body.reason)
    act = act_of(call.caller, "set_staff_role", Prefix.STAFF, staff_id, call.at, call.request_id, reason)
    changed = await give_role(
        services.database, call.book, services.ids, staff_id, body.role, act, services.clock.now()
    )
    return reply(view_of(changed))


async def post_staff_session(call: Call[CreateStaffSession, Nothing]) -> Answer:
    """Sign a member of staff in. Their instants are the system's: a turned test clock signs nobody out."""
    services, body = call.services, call.body
    opened = await sign_in_staff(
        services.database,
        services.vault,
        services.ids,
        services.books,
        body.login,
        Private(body.password),
        body.book,
        services.clock.now(),
    )
    return reply(view_of_opened(opened, services.books[opened.book_id].name), 201)


async def delete_staff_session(call: Call[Nothing, Nothing]) -> Answer:
    """Sign the caller out. It takes the caller's own session alone."""
    session_id = call.path_id(Prefix.SESSION, "session")
    if session_id != call.caller.session_id:
        raise not_found("session")
    await sign_out_staff(call.services.database, session_id, call.services.clock.now())
    return reply(SignedOut(id=call.path["id"]))


async def get_audit_entries(call: Call[Nothing, AuditQuery]) -> Answer:
    """Who did what to an object, why and when."""
    query = call.query
    before = starting_after(query, Prefix.AUDIT_ENTRY, "audit entry")
    try:
        object_id = decode(Prefix(query.of.rpartition("_")[0]), query.of)
    except ValueError:
        raise invalid_field("of", "It is no id.") from None
    async with call.services.database.read() as db:
        found = await list_audit_entries(db, call.book, object_id, before, query.limit + 1)
    return reply_list(found, query.limit)


ROUTES = (
    Route(
        method="POST",
        path="/v1/staff_sessions",
        operation="create_staff_session",
        summary="Sign a member of staff in",
        handle=post_staff_session,
        body=CreateStaffSession,
        answers={201: StaffSessionView},
    ),
    Route(
        method="DELETE",
        path="/v1/staff_sessions/{id}",
        operation="delete_staff_session",
        summary="Sign the caller out",
        handle=delete_staff_session,
        answers={200: SignedOut},
    ),
    Route(
        method="GET",
        path="/v1/staff",
        operation="list_staff",
        summary="Who works in the book",
        handle=get_staff,
        answers={200: StaffList},
    ),
    Route(
        method="POST",
        path="/v1/staff/{id}/role",
        operation="set_staff_role",
        summary="Give a member of staff another role",
        handle=post_role,
        body=SetRole,
        answers={200: StaffView},
    ),
    Route(
        method="GET",
        path="/v1/audit_entries",
        operation="list_audit_entries",
        summary="Who did what to an object",
        handle=get_audit_entries,
        query=AuditQuery,
        answers={200: AuditList},
    ),
)
