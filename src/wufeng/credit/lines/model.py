"""A line: one person's credit under one product. What it owes and holds stands in the ledger, never here."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from msgspec import Struct

from wufeng.credit.products.model import STANDARD, Cycle
from wufeng.lenders.model import Shares


class LineStatus(StrEnum):
    """Whether a line may be drawn on. Repayments go on in every state."""

    OPEN = "open"  # -> frozen, suspended, closing, closed
    FROZEN = (
        "frozen"  # -> open, suspended, closing, closed       by the person or staff, for good or until a date
    )
    SUSPENDED = "suspended"  # -> open, frozen, closing, closed    by arrears; ends when they are paid
    CLOSING = "closing"  # -> closed                               closed as soon as nothing is owed or held
    CLOSED = "closed"  # end


class ChangeKind(StrEnum):
    """What was done to a line, as its history keeps it."""

    OPENED = "opened"
    LIMIT_SET = "limit_set"
    RAISED = "raised"  # for a time: amount_minor until until_on
    RAISE_ENDED = "raise_ended"
    CAP_SET = "cap_set"  # of all the person's lines together: amount_minor, or none any more
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
    next_bill_on    the next bill that may have something on it; None when nothing is unbilled or accrues, nor will have
                    days of grace behind it then
    past_due_since  the due date of its oldest bill that is overdue
    suspend_on      the date on which those arrears suspend it, while it is open
    auto_debit      ids (wal_…, bka_…) that bills are debited from when they are due, in the person's order
    bill_day, due_day        None: each draw has due dates of its own
    due_after_days           a bill is due so many days after its date; None: on its due day
    temporary_limit_minor    the limit up to `temporary_until_on`, that date included; None: no raise runs
    ended_raise_minor        by how much a raise that is over had lifted the limit: what is still used of it is part of
                             the least payment of the bill after (PRODUCTS.md 2.3)
    earlier_limit_minor      what is used up to it was allowed by a permanent limit that was lowered since, so no bill
                             after a raise asks for it; None: by `limit_minor`
    charge_off_on            the date on which its loss is taken, if the arrears stay
    charged_off_on           its loss was taken then: what comes in since is a recovery, and it is never drawn on again
    frozen_until_on          the date from which a frozen line counts as unfrozen; None: until somebody says so
    tier                     whose prices of the product its draws have, as it was opened: a part of what was signed
    """

    id: UUID
    person_id: UUID
    product: str
    product_version: int
    currency: str
    lenders: Shares
    limit_minor: int
    status: LineStatus
    bill_day: int | None
    due_day: int | None
    opened_on: date
    touched_on: date | None = None
    next_bill_on: date | None = None
    past_due_since: date | None = None
    suspend_on: date | None = None
    auto_debit: tuple[str, ...] = ()
    temporary_limit_minor: int | None = None
    temporary_until_on: date | None = None
    ended_raise_minor: int = 0
    earlier_limit_minor: int | None = None
    frozen_until_on: date | None = None
    charge_off_on: date | None = None
    charged_off_on: date | None = None
    tier: str = STANDARD
    due_after_days: int | None = None

    @property
    def cycle(self) -> Cycle | None:
        """The line's own days, which may differ from the product's; None: each draw has dates of its own."""
        return None if self.bill_day is None else Cycle(self.bill_day, self.due_day, self.due_after_days)

    def is_raised(self, on: date) -> bool:
        """Whether a temporary raise runs on a date."""
        return self.temporary_until_on is not None and on <= self.temporary_until_on

    def limit_on(self, on: date) -> int:
        """The limit in force on a date: the temporary one while its raise runs, else the permanent one."""
        if self.temporary_limit_minor is None or not self.is_raised(on):
            return self.limit_minor
        return max(self.limit_minor, self.temporary_limit_minor)

    def allowed_minor(self, on: date) -> int:
        """Up to where what is used was allowed: by the limit in force on a date, or by one that was lowered since."""
        return max(self.limit_on(on), self.earlier_limit_minor or 0)

    def days_past_due(self, on: date) -> int:
        """The age of the oldest arrears in days; 0 when there are none."""
        return 0 if self.past_due_since is None else max(0, (on - self.past_due_since).days)


class AboveLimit(Struct, frozen=True):
    """What the bill after a raise that is over asks for whole (PRODUCTS.md 2.3): of what is used, what lies above
    `from_minor`, which is allowed without it, but no more than the raise had lifted the limit by.
    """

    from_minor: int
    most_minor: int

    def of(self, used_minor: int) -> int:
        """So much of what is used. used_minor: posted principal"""
        return max(0, min(used_minor - self.from_minor, self.most_minor))


class LineState(Struct, frozen=True):
    """A line with what the ledger says of it. Interest and fees owed do not use the limit.

    used_minor  posted principal      held_minor  reserved by authorisations
    cap_minor   the most that all lines of its person together may come to; None: no such cap, or it was not asked for
    """

    line: Line
    used_minor: int
    held_minor: int
    cap_minor: int | None = None

    @property
    def taken_minor(self) -> int:
        """What counts against limits: used and held."""
        return self.used_minor + self.held_minor


class LineChange(Struct, frozen=True, kw_only=True):
    """One entry of a line's history: what was done, by whom, why, and the limit after it.

    amount_minor  what was set, where it is not the limit: a temporary limit, a cap
    until_on      a raise's last date; the date that ends a freeze
    due_day_was, due_after_days_was   when bills were due until a change of the due day
    seq           the bucket's last number when it was made; None: not known, or not kept yet
    """

    id: UUID
    line_id: UUID
    kind: ChangeKind
    actor: Actor
    actor_id: UUID | None
    reason: str
    limit_minor: int
    amount_minor: int | None = None
    until_on: date | None = None
    due_day_was: int | None = None
    due_after_days_was: int | None = None
    at: datetime
    seq: int | None = None
