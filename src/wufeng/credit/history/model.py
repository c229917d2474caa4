"""The history of a line's debt: the events that made it, and the debt that they make.

State is a fold of events. What comes late, or is undone, is the same fold with one event more or less.
"""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from msgspec import Struct

from wufeng.credit.bills.model import Bill, BillItems
from wufeng.credit.debts.issuing import Known
from wufeng.credit.draws.model import Draw
from wufeng.credit.lines.model import Line
from wufeng.credit.refunds.model import Refunded as Done
from wufeng.credit.refunds.model import Returned, Sent, sent_of
from wufeng.credit.repayments.model import Allocation, Source
from wufeng.ledger.model import Parts


class Drawn(Struct, frozen=True):
    """A draw was posted: `draw` as it was born."""

    on: date
    draw: Draw


class BillSplit(Struct, frozen=True):
    """Principal of a bill was put into a plan: `draw` as it was born."""

    on: date
    bill_id: UUID
    draw: Draw


class Delivered(Struct, frozen=True):
    """Goods were shipped or received: from that date on bills may take the draw."""

    on: date
    draw_id: UUID


class Issued(Struct, frozen=True):
    """The bill of a date was issued, with what it took from the line's terms of then."""

    on: date
    bill_id: UUID
    known: Known


class Repaid(Struct, frozen=True):
    """Money came, counted from `on`.

    asked_seq  the bucket's last number when its bank was asked, where that has answered late; None: by its journal
    """

    on: date
    repayment_id: UUID
    source: Source
    amount_minor: int
    plan: UUID | None = None
    asked_seq: int | None = None


class Refunded(Struct, frozen=True):
    """A merchant gave back an amount of some draws.

    returned                what went back as money to sources of repayments, on its day or later (`SentBack`): it has
                            gone
    subsidy_returned_minor  what went back to the merchant of what it had paid for months cancelled: it is not undone.
                            None: nothing yet, and it is what this history makes of it
    subsidy_returned        that by lender, where the purchase is undone as a whole; None: as its own journal splits it
    undone                  as if the purchase had not happened: no charges of it are kept
    uncovered_minor         of the amount, has not lowered the debt: so much went back that was not there
    made_on                 the date on which it was made; None: that from which it counts
    """

    on: date
    refund_id: UUID
    draw_ids: tuple[UUID, ...]
    amount_minor: int
    returned: tuple[Returned, ...] = ()
    merchants_fault: bool = False
    subsidy_returned_minor: int | None = 0
    undone: bool = False
    uncovered_minor: int = 0
    made_on: date | None = None
    subsidy_returned: Parts | None = None

    @property
    def told_on(self) -> date:
        """The date on which it was made."""
        return self.made_on or self.on

    @property
    def is_dated_back(self) -> bool:
        """Whether it counts from an earlier date than that on which it was made."""
        return self.on < self.told_on

    @property
    def returned_minor(self) -> int:
        """What went back as money with the refund itself."""
        return sum(back.amount_minor for back in self.returned if not back.sending)

    @property
    def sent_later(self) -> tuple[Sent, ...]:
        """What went back as money later, each on its date."""
        return sent_of(back for back in self.returned if back.sending)


class SentBack(Struct, frozen=True):
    """Money of a refund went back later than the date from which the refund counts: out of what stood in the person's
    favour on its own date.
    """

    on: date
    refund_id: UUID
    amount_minor: int


class ReturnKept(Struct, frozen=True):
    """A bank refused money that a refund had sent back: from then on it pays what is owed, and what is left over stands
    in the person's favour.
    """

    on: date
    refund_id: UUID
    amount_minor: int


class ChargedOff(Struct, frozen=True):
    """The line's loss was taken.

    bill_id    of the bill of what no bill had taken: there is one when there was such a thing, or is one now
    is_billed  whether there was: the bill that was made stays, even if nothing is left of it
    """

    on: date
    bill_id: UUID
    is_billed: bool = True


class DueDaySet(Struct, frozen=True):
    """The line's due day was moved; bills that stood kept their date.

    seq  the bucket's last number when it was; None: not known
    """

    on: date
    was_day: int | None
    was_after_days: int | None
    due_day: int
    seq: int | None = None


Event = (
    Drawn
    | BillSplit
    | Delivered
    | Issued
    | Repaid
    | Refunded
    | SentBack
    | ReturnKept
    | ChargedOff
    | DueDaySet
)


class Charged(Struct, frozen=True):
    """What a line was charged since it was opened, what was cancelled or given back taken off; subsidy: merchants' part
    of fees.

    By lender every amount is split by itself, as its journal splits it: the sum of splits is not the split of the sum.
    subsidy_kept_minor  of what refunds would have given back, merchants were not given, or less than nothing: what was
                        told is not undone. It is split as one, so that it leaves nothing where it comes to nothing.
                        Of purchases that are undone as a whole nothing is kept
    """

    interest: Parts = ()
    fee: Parts = ()
    subsidy_minor: int = 0
    subsidy_returned: Parts = ()
    subsidy_kept_minor: int = 0

    @property
    def interest_minor(self) -> int:
        """Of all lenders."""
        return sum(amount_minor for _, amount_minor in self.interest)

    @property
    def fee_minor(self) -> int:
        """Of all lenders."""
        return sum(amount_minor for _, amount_minor in self.fee)

    @property
    def subsidy_returned_minor(self) -> int:
        """Of all lenders."""
        return sum(amount_minor for _, amount_minor in self.subsidy_returned)


class Owed(Struct, frozen=True):
    """Principal, billed interest and billed fees."""

    principal_minor: int = 0
    interest_minor: int = 0
    fee_minor: int = 0

    @property
    def total_minor(self) -> int:
        """All of it."""
        return self.principal_minor + self.interest_minor + self.fee_minor


class Standing(Struct, frozen=True):
    """All that events have made of a line: every bill and draw it ever had, in whatever state.

    items        what each bill was issued with        allocations  what each repayment paid
    refunds      what each refund did on its date      short        by refund: of what went back later, was not there
    lost         what was owed when the line was charged off; what is owed since then stands beside the books
    lost_cancelled  of it, by lender, owed no longer because what it was for was refunded: nobody has paid it
    """

    line: Line
    bills: Mapping[UUID, Bill]
    draws: Mapping[UUID, Draw]
    items: Mapping[UUID, BillItems]
    allocations: Mapping[UUID, tuple[Allocation, ...]]
    charged: Charged = Charged()
    credit_balance_minor: int = 0
    lost: Owed | None = None
    lost_cancelled: Parts = ()
    refunds: Mapping[UUID, Done] = {}
    short: Mapping[UUID, int] = {}

    @property
    def in_books(self) -> Owed:
        """What the books hold, or held until the loss was taken."""
        if self.lost is not None:
            return self.lost
        return Owed(self.principal_minor, self.interest_owed_minor, self.fee_owed_minor)

    @property
    def lost_cancelled_minor(self) -> int:
        """Of all lenders."""
        return sum(amount_minor for _, amount_minor in self.lost_cancelled)

    @property
    def recovered_minor(self) -> int:
        """What has come in since the loss was taken."""
        if self.lost is None:
            return 0
        return self.lost.total_minor - self.lost_cancelled_minor - self.owed_minor

    @property
    def owed_minor(self) -> int:
        """All that is owed, in the books or beside them."""
        return self.principal_minor + self.interest_owed_minor + self.fee_owed_minor

    @property
    def principal_minor(self) -> int:
        """Principal owed, billed or not."""
        billed_minor = sum(bill.unpaid_principal_minor for bill in self.bills.values())
        return billed_minor + sum(draw.unbilled_minor for draw in self.draws.values())

    @property
    def interest_owed_minor(self) -> int:
        """Billed interest that is owed."""
        return sum(bill.unpaid_interest_minor for bill in self.bills.values())

    @property
    def fee_owed_minor(self) -> int:
        """Billed fees that are owed."""
        return sum(bill.unpaid_fee_minor for bill in self.bills.values())
