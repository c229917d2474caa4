"""What is kept about what callers did."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.base.ids import Prefix
from wufeng.identity.callers import Caller, CallerKind


class Act(Struct, frozen=True, kw_only=True):
    """One deed of a caller. It is built at the edge and travels with the command that does it.

    by             the person, member of staff, merchant or operator; `credential_id` the session or key used
    operation      the route's operation id
    object_prefix  with `object_id`: what it was done to; the entry lives in that object's bucket
    reason         in the caller's words; may be empty where none is asked for
    at             the instant on the book's clock
    """

    by_kind: CallerKind
    by_id: UUID
    credential_id: UUID
    operation: str
    object_prefix: Prefix
    object_id: UUID
    reason: str
    at: datetime
    request_id: str


class AuditEntryView(Struct, frozen=True, kw_only=True):
    """An entry as staff see it.

    by       id of the person, merchant or member of staff; None for the operator's own server
    of       id of the object
    """

    id: str
    object: Literal["audit_entry"] = "audit_entry"
    by_kind: CallerKind
    by: str | None
    credential: str
    operation: str
    of: str
    reason: str
    request_id: str
    created_at: datetime


def act_of(
    caller: Caller,
    operation: str,
    object_prefix: Prefix,
    object_id: UUID,
    at: datetime,
    request_id: str,
    reason: str = "",
) -> Act:
    """The deed of an authenticated caller."""
    return Act(
        by_kind=caller.kind,
        by_id=caller.id,
        credential_id=caller.credential_id,
        operation=operation,
        object_prefix=object_prefix,
        object_id=object_id,
        reason=reason,
        at=at,
        request_id=request_id,
    )
