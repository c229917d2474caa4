"""A loan of one plan that stands alone: its terms, what happens to it, and what it then looks like.

The state is a fold of the events: taking one back, or dating one back, is to fold again without it, or with it in its
place. Source of the behaviour of refunds: PRODUCTS.md 2.2; of the rest: the conformance cases.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from msgspec import Struct

from wufeng.credit.products.dates import Every
from wufeng.credit.products.model import Levelling, Method, Pieces
from wufeng.credit.rates.model import DayCount
from wufeng.credit.waterfall.model import Component, Future, Waterfall


class ScheduleKind(StrEnum):
    """How a later disbursement changes the schedule.

    CLASSIC      every instalment is the share of what had been lent by then; the last takes the rest
    PROGRESSIVE  what is owed then is spread over the instalments to come
    """

    CLASSIC = "classic"
    PROGRESSIVE = "progressive"


class InterestBasis(StrEnum):
    """Whether interest runs on what is owed by plan, or no longer on what was paid before its due date.

    What is late is not charged here: penalties are charges of their own.
    """

    PLAN = "plan"
    DAILY = "daily"


class ChargesDue(StrEnum):
    """When a charge counts as due: with its instalment, or on its own day, before what comes in advance."""

    WITH_INSTALMENT = "with_instalment"
    ON_THEIR_DAY = "on_their_day"


class PaymentKind(StrEnum):
    """Why money reduces the debt; each kind may have its own waterfall."""

    REPAYMENT = "repayment"
    DOWN_PAYMENT = "down_payment"
    GOODWILL_CREDIT = "goodwill_credit"
    MERCHANT_REFUND = "merchant_refund"
    PAYOUT_REFUND = "payout_refund"
    CHARGE_ADJUSTMENT = "charge_adjustment"


class LoanTerms(Struct, frozen=True, kw_only=True):
    """What was agreed.

    tenor, every         so many instalments, one each `every`
    annual_ppm, method, day_count, multiple_minor, levelling  as in the terms of a plan
    down_payment_ppm     of each disbursement, due the same day     down_payment_posted  and paid by the engine itself
    waterfalls           per kind of payment; REPAYMENT serves kinds that are not there
    principal_grace      so many instalments without principal
    pieces               how interest is rounded in a period in which the balance changes
    """

    tenor: int
    every: Every
    waterfalls: Mapping[PaymentKind, Waterfall]
    kind: ScheduleKind = ScheduleKind.PROGRESSIVE
    annual_ppm: int = 0
    method: Method = Method.EQUAL_PAYMENT
    day_count: DayCount = DayCount.THIRTY_360
    multiple_minor: int = 1
    levelling: Levelling = Levelling.ONCE
    basis: InterestBasis = InterestBasis.PLAN
    pieces: Pieces = Pieces.EACH
    down_payment_ppm: int = 0
    down_payment_posted: bool = False
    principal_grace: int = 0
    charges_due: ChargesDue = ChargesDue.WITH_INSTALMENT


class Disbursed(Struct, frozen=True):
    """Money was lent."""

    on: date
    amount_minor: int


class Paid(Struct, frozen=True):
    """Money came in. future: instead of what the waterfall says."""

    on: date
    amount_minor: int
    kind: PaymentKind = PaymentKind.REPAYMENT
    future: Future | None = None


class Charged(Struct, frozen=True):
    """A fee or a penalty was added, due on a date."""

    on: date
    due_on: date
    component: Component
    amount_minor: int


class ChargedBack(Struct, frozen=True):
    """Money that had come in was taken back by its payer's bank: it is owed again.

    parts  as what it is owed; None: all of it as principal
    """

    on: date
    amount_minor: int
    parts: Mapping[Component, int] | None = None


class CreditRefunded(Struct, frozen=True):
    """What was paid too much went back to the person."""

    on: date
    amount_minor: int


class RefundedInCash(Struct, frozen=True):
    """Money that had been paid went back to the person: what was paid last is owed again first."""

    on: date
    amount_minor: int


class Reamortised(Struct, frozen=True):
    """What is past due moves evenly into the instalments to come."""

    on: date


class Reaged(Struct, frozen=True):
    """All that is owed starts anew in so many instalments."""

    on: date
    start_on: date
    every: Every
    tenor: int


class Moved(Struct, frozen=True):
    """A due date, and all after it, was moved; or instalments were added to the end (`extra`), or so many from there on
    ask for nothing and come after the last (`holiday`): these two for classic loans alone.

    With interest, payments stay as they are: the moved period bears more or less, and the last takes the rest.
    """

    on: date
    from_on: date
    due_on: date | None = None
    extra: int = 0
    holiday: int = 0


class Waived(Struct, frozen=True):
    """A charge is not asked for; which one: by its place among the charges."""

    on: date
    charge: int


class ChargedOff(Struct, frozen=True):
    """The loss was taken; the debt remains."""

    on: date


class Paused(Struct, frozen=True):
    """No interest runs on these days, the first and the last among them."""

    on: date
    from_on: date
    to_on: date


class RateChanged(Struct, frozen=True):
    """Instalments due from a date on bear another rate."""

    on: date
    from_on: date
    annual_ppm: int


Event = (
    Disbursed
    | Paid
    | Charged
    | ChargedBack
    | CreditRefunded
    | RefundedInCash
    | Reamortised
    | Reaged
    | Moved
    | Waived
    | ChargedOff
    | Paused
    | RateChanged
)


class RowKind(StrEnum):
    """What a row of a schedule is."""

    DOWN_PAYMENT = "down_payment"
    INSTALMENT = "instalment"
    ADDED = "added"


class Row(Struct):
    """One due part while it is worked on: only the fold changes it, and hands out what nobody changes again.

    in_advance_minor, late_minor  what was paid before, and after, its due date
    paid_on       the day that left nothing to pay
    added_minor   principal that came back: a chargeback, a refunded credit that was none
    waived        what is not asked for, though it was due
    """

    kind: RowKind
    from_on: date
    due_on: date
    due: dict[Component, int]
    paid: dict[Component, int]
    in_advance_minor: int = 0
    late_minor: int = 0
    paid_on: date | None = None
    added_minor: int = 0
    waived: dict[Component, int] = {}

    @property
    def due_minor(self) -> int:
        """All that it asks for."""
        return sum(self.due.values())

    @property
    def paid_minor(self) -> int:
        """All that was paid of it."""
        return sum(self.paid.values())

    @property
    def outstanding_minor(self) -> int:
        """What is left to pay."""
        return self.due_minor - self.paid_minor - sum(self.waived.values())

    def open(self, component: Component) -> int:
        """What is left to pay of one component."""
        return self.due[component] - self.paid[component] - self.waived.get(component, 0)


class PostingKind(StrEnum):
    """What a posting did."""

    DISBURSED = "disbursed"
    PAID = "paid"
    CHARGED_BACK = "charged_back"
    CREDIT_REFUNDED = "credit_refunded"
    REFUNDED_IN_CASH = "refunded_in_cash"
    REAMORTISED = "reamortised"
    REAGED = "reaged"
    WAIVED = "waived"
    CHARGED_OFF = "charged_off"


class Posting(Struct, frozen=True):
    """One event's effect: how its amount fell on the components, and the principal owed after it."""

    kind: PostingKind
    on: date
    amount_minor: int
    parts: Mapping[Component, int]
    overpaid_minor: int
    principal_owed_minor: int
    payment: PaymentKind | None = None


class Status(StrEnum):
    """What a loan is."""

    APPROVED = "approved"
    ACTIVE = "active"
    OVERPAID = "overpaid"
    CLOSED = "closed"


class LoanState(Struct, frozen=True):
    """A loan after its events: rows in the order of their due dates, postings in the order of their dates."""

    rows: tuple[Row, ...]
    disbursed: tuple[Disbursed, ...]
    postings: tuple[Posting, ...]
    overpaid_minor: int
    status: Status

    @property
    def outstanding_minor(self) -> int:
        """All that is left to pay."""
        return sum(row.outstanding_minor for row in self.rows)
