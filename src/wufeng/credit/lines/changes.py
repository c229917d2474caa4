"""What was done to a line: a change as it is decided, as its history keeps it, and whether the world is told."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from wufeng.base.ids import slot_of
from wufeng.base.lanes import Batch
from wufeng.credit.lines import rules
from wufeng.credit.lines.model import Actor, ChangeKind, Line, LineChange, LineState, LineStatus
from wufeng.credit.products.model import Product


class Change(Struct, frozen=True):
    """A line after a change, and what the change was.

    amount_minor, until_on  what was set beside the line's own limit, and until when
    was                     the line before it, where its due day was moved
    """

    line: Line
    kind: ChangeKind
    amount_minor: int | None = None
    until_on: date | None = None
    was: Line | None = None


class Said(Protocol):
    """Who asked for a change, when and why."""

    @property
    def at(self) -> datetime:
        """When, on the book's clock."""

    @property
    def actor(self) -> Actor:
        """Who, by kind."""

    @property
    def actor_id(self) -> UUID | None:
        """Who, by id; None: nobody in person."""

    @property
    def reason(self) -> str:
        """Why, in their words."""


class BySystem(Struct, frozen=True, kw_only=True):
    """Nobody asked: a time was over, or nothing was owed any more."""

    at: datetime
    actor: Actor = Actor.SYSTEM
    actor_id: UUID | None = None
    reason: str = "its time was over"


def line_change(batch: Batch, said: Said, change: Change) -> LineChange:
    """A change as the line's history keeps it."""
    return LineChange(
        id=batch.ids.new(said.at, slot_of(change.line.id)),
        line_id=change.line.id,
        kind=change.kind,
        actor=said.actor,
        actor_id=said.actor_id,
        reason=said.reason,
        limit_minor=change.line.limit_minor,
        amount_minor=change.amount_minor,
        until_on=change.until_on,
        due_day_was=change.was.due_day if change.was is not None else None,
        due_after_days_was=change.was.due_after_days if change.was is not None else None,
        at=said.at,
    )


def over_by(state: LineState, product: Product, on: date) -> Iterator[Change]:
    """What of a line's times is over on a date: a raise past its last date, a freeze whose end has come."""
    line = state.line
    ended = rules.without_ended_raise(line, state.taken_minor, on)
    if ended != line:
        yield Change(ended, ChangeKind.RAISE_ENDED)
    thawed = rules.thawed(ended, product, on)
    if thawed != ended:
        yield Change(thawed, ChangeKind.UNFROZEN)


EVENTS = {
    LineStatus.OPEN: "line.unfrozen",
    LineStatus.FROZEN: "line.frozen",
    LineStatus.SUSPENDED: "line.suspended",
    LineStatus.CLOSED: "line.closed",
}
"""What is told of a line that was frozen, unfrozen or closed, by where it then stands."""

LIMIT_CHANGED = "line.limit_changed"


def told_of(change: Change) -> str | None:
    """The event that tells a change; None: it is nobody's business but the line's history."""
    if change.kind in (ChangeKind.LIMIT_SET, ChangeKind.RAISED, ChangeKind.RAISE_ENDED):
        return LIMIT_CHANGED
    if change.kind in (ChangeKind.FROZEN, ChangeKind.UNFROZEN, ChangeKind.CLOSED):
        return EVENTS[change.line.status]
    return None
