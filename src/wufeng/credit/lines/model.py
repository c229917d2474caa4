"""A line: one person's credit under one product. What it owes and holds stands in the ledger, never here."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.credit.products.model import Cycle
from wufeng.lenders.model import Shares


class LineStatus(StrEnum):
    """Whether a line may be drawn on. Repayments go on in every state."""

    OPEN = "open"  # -> frozen, suspended, closing, closed
    FROZEN = "frozen"  # -> open, suspended, closing, closed       by the person or staff
    SUSPENDED = "suspended"  # -> open, frozen, closing, closed    by arrears; ends when they are paid
    CLOSING = "closing"  # -> closed                               closed as soon as nothing is owed or held
    CLOSED = "closed"  # end


class ChangeKind(StrEnum):
    """What was done to a line, as its history keeps it."""

    OPENED = "opened"
    LIMIT_SET = "limit_set"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"
    SUSPENDED = "suspended"
    RESTORED = "restored"
    DUE_DAY_SET = "due_day_set"
    AUTO_DEBIT_SET = "auto_debit_set"
    CLOSING = "closing"
    CLOSED = "closed"


class Actor(StrEnum):
    """Who changed a line."""

    PERSON = "person"
    STAFF = "staff"
    SYSTEM = "system"


class Line(Struct, frozen=True, kw_only=True):
    """A line as its row keeps it.

    lenders         who fund its draws, the lead first
    touched_on      value date of its last bill, repayment or refund; None: there was none
    next_bill_on    the next bill that will have something on it; None when nothing is unbilled and nothing accrues
    past_due_since  the due date of its oldest bill that is overdue
    suspend_on      the date on which those arrears suspend it, while it is open
    auto_debit      ids (wal_…, bka_…) that bills are debited from when they are due, in the person's order
    """

    id: UUID
    person_id: UUID
    product: str
    product_version: int
    currency: str
    lenders: Shares
    limit_minor: int
    status: LineStatus
    bill_day: int
    due_day: int
    opened_on: date
    touched_on: date | None = None
    next_bill_on: date | None = None
    past_due_since: date | None = None
    suspend_on: date | None = None
    auto_debit: tuple[str, ...] = ()

    @property
    def cycle(self) -> Cycle:
        """The line's own days; they may differ from the product's."""
        return Cycle(self.bill_day, self.due_day)

    def days_past_due(self, on: date) -> int:
        """The age of the oldest arrears in days; 0 when there are none."""
        return 0 if self.past_due_since is None else max(0, (on - self.past_due_since).days)


class LineState(Struct, frozen=True):
    """A line with what the ledger says of it. Interest and fees owed do not use the limit.

    used_minor  posted principal      held_minor  reserved by authorisations
    """

    line: Line
    used_minor: int
    held_minor: int

    @property
    def available_minor(self) -> int:
        """What may still be drawn; a lowered limit may sit under what is owed."""
        return max(0, self.line.limit_minor - self.used_minor - self.held_minor)


class LineChange(Struct, frozen=True, kw_only=True):
    """One entry of a line's history: what was done, by whom, why, and the limit after it."""

    id: UUID
    line_id: UUID
    kind: ChangeKind
    actor: Actor
    actor_id: UUID | None
    reason: str
    limit_minor: int
    at: datetime
