"""A line's history and a person's cap as the API shows them. Pure; amounts in minor units."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from wufeng.base.ids import Prefix, encode
from wufeng.credit.lines.model import Actor, ChangeKind, LineChange, LineState


class LineChangeView(Struct, frozen=True, kw_only=True):
    """One entry of a line's history.

    staff         who of the staff did it; for staff only
    limit_minor   the permanent limit after it
    amount_minor  what was set beside it: a temporary limit, a cap over all lines of the person (null: ended)
    until_on      the last date of a raise; the date that ends a freeze
    """

    id: str
    object: Literal["line_change"] = "line_change"
    created_at: datetime
    line: str
    kind: ChangeKind
    actor: Actor
    staff: str | None
    reason: str
    limit_minor: int
    amount_minor: int | None
    until_on: date | None


class CreditCapView(Struct, frozen=True, kw_only=True):
    """What all lines of a person together may come to, and come to. Without a cap, what they may take is their own."""

    object: Literal["credit_cap"] = "credit_cap"
    person: str
    currency: str
    cap_minor: int | None
    used_minor: int
    held_minor: int
    available_minor: int | None


def view_change(change: LineChange, *, to_staff: bool) -> LineChangeView:
    """An entry as staff or its person see it: who of the staff did it is the staff's business, why is not."""
    by_staff = change.actor is Actor.STAFF and change.actor_id is not None and to_staff
    return LineChangeView(
        id=encode(Prefix.LINE_CHANGE, change.id),
        created_at=change.at,
        line=encode(Prefix.LINE, change.line_id),
        kind=change.kind,
        actor=change.actor,
        staff=encode(Prefix.STAFF, change.actor_id) if by_staff and change.actor_id else None,
        reason=change.reason,
        limit_minor=change.limit_minor,
        amount_minor=change.amount_minor,
        until_on=change.until_on,
    )


def view_cap(
    person_id: UUID, cap_minor: int | None, lines: Sequence[LineState], currency: str
) -> CreditCapView:
    """A person's cap; `lines` are all of the person's."""
    taken_minor = sum(state.taken_minor for state in lines)
    return CreditCapView(
        person=encode(Prefix.PERSON, person_id),
        currency=currency,
        cap_minor=cap_minor,
        used_minor=sum(state.used_minor for state in lines),
        held_minor=sum(state.held_minor for state in lines),
        available_minor=None if cap_minor is None else max(0, cap_minor - taken_minor),
    )
