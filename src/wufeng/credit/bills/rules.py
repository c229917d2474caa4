"""What a bill asks for, what an unpaid one earns, and how its state follows: pure decisions of the bills.

Sources: PRODUCTS.md 1.1 (minimum, revolving and late interest) and 2 (H1, B3); DESIGN.md decision 5 (closed form).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.money import round_half_even
from wufeng.credit.bills.model import MICRO, Bill, BillItem, BillStatus, InterestBilled, Segment
from wufeng.credit.draws.model import Draw
from wufeng.credit.plans.rules import PPM
from wufeng.credit.products.model import Minimum, Product


class NewItems(Struct, frozen=True):
    """What a line's draws bring onto its next bill: single draws, instalments and their fees.

    items           the parts themselves; one that was prepaid wholly stands there with nothing
    subsidy_minor   merchants' part of the instalments' fees, earned with them
    """

    single_minor: int = 0
    instalment_minor: int = 0
    fee_minor: int = 0
    items: tuple[BillItem, ...] = ()
    subsidy_minor: int = 0


def take_items(draws: Sequence[Draw], bill_id: UUID, issued_on: date) -> tuple[NewItems, tuple[Draw, ...]]:
    """What a bill of that date takes of a line's draws, and the draws after it.

    A draw on the next bill goes whole, an instalment a month. Draws that became billable on the bill's date, or whose
    receipt is awaited, wait for the next one. Prepaid money has paid the nearest parts.
    """
    items: list[BillItem] = []
    after: list[Draw] = []
    single_minor = instalment_minor = subsidy_minor = 0
    for draw in draws:
        if not draw.unbilled_minor or draw.billable_on is None or draw.billable_on >= issued_on:
            after.append(draw)
            continue
        unpaid = draw.unpaid_of_unbilled_parts()
        taken = list(draw.unbilled_parts)[: 1 if draw.tenor > 1 else None]
        for part in taken:
            fee_minor = draw.fee_of(part)
            items.append(BillItem(draw.id, part, draw.tenor, unpaid[part], fee_minor))
            subsidy_minor += draw.subsidy_of(part)
        principal_minor = sum(unpaid[part] for part in taken)
        if draw.tenor == 1:
            single_minor += principal_minor
        else:
            instalment_minor += principal_minor
        prepaid_minor = sum(draw.principal_parts[part] for part in taken) - principal_minor
        after.append(
            replace(
                draw,
                billed_parts=draw.billed_parts + len(taken),
                bills=(*draw.bills, *[bill_id] * len(taken)),
                prepaid_minor=draw.prepaid_minor - prepaid_minor,
                unbilled_minor=draw.unbilled_minor - principal_minor,
            )
        )
    fee_minor = sum(item.fee_minor for item in items)
    return NewItems(single_minor, instalment_minor, fee_minor, tuple(items), subsidy_minor), tuple(after)


class Issued(Struct, frozen=True):
    """A new bill, and the earlier bills whose interest it took."""

    bill: Bill
    earlier: tuple[Bill, ...]
    interest: tuple[InterestBilled, ...]


def accrue(bill: Bill, on: date) -> Bill:
    """End the running segment at a date: before unpaid principal changes, and before interest is billed."""
    if on <= bill.accrued_on:
        return bill
    balance = bill.unpaid_principal_minor
    if not bill.daily_ppm or not balance:
        return replace(bill, accrued_on=on) if bill.daily_ppm else bill
    segments = (*bill.segments, Segment(bill.accrued_on, on, balance, bill.daily_ppm))
    return replace(bill, accrued_on=on, segments=segments)


def interest_to_bill(bill: Bill, on: date) -> int:
    """The interest a bill has earned by the end of a date and that was not billed yet, in minor units.

    Billed = round(accrued since the start) − billed before: rounding each time and dropping the rest would lose it.
    """
    micro = sum(segment.interest_micro for segment in bill.segments)
    running_days = max(0, (on - bill.accrued_on).days)
    micro += bill.unpaid_principal_minor * bill.daily_ppm * running_days
    due_minor = round_half_even(Fraction(micro, MICRO)) - bill.interest_billed_minor
    return max(0, due_minor)


def minimum_of(minimum: Minimum, bill: Bill) -> int:
    """The least payment of a bill: 10 % (the product's share) of principal, rounded up, and all of the rest."""
    share = -(-(bill.single_minor + bill.carried_minor) * minimum.principal_ppm // PPM)
    return share + bill.instalment_minor + bill.fee_minor + bill.interest_minor + bill.missed_minor


def issue(
    bill_id: UUID,
    line_id: UUID,
    issued_on: date,
    items: NewItems,
    earlier: Sequence[Bill],
    product: Product,
    due: date,
) -> Issued | None:
    """Issue a line's bill, or none when there is nothing to put on it.

    earlier  the line's bills that are not settled, oldest first; their interest up to the day before is billed here
    A bill of parts that were all prepaid is issued too, paid from the start: it moves the plans on.
    """
    until = issued_on - timedelta(days=1)
    updated: list[Bill] = []
    interest: list[InterestBilled] = []
    carried_minor = missed_minor = 0
    for old in (accrue(bill, until) for bill in earlier):
        amount = interest_to_bill(old, until)
        if amount:
            interest.append(InterestBilled(old.id, amount))
        updated.append(replace(old, interest_billed_minor=old.interest_billed_minor + amount))
        if old.status is BillStatus.OVERDUE:
            missed_minor += old.unpaid_minor
        else:
            carried_minor += old.unpaid_principal_minor
            missed_minor += old.unpaid_fee_minor + old.unpaid_interest_minor
    interest_minor = sum(billed.amount_minor for billed in interest)
    if not (items.items or interest_minor):
        return None
    bill = Bill(
        id=bill_id,
        line_id=line_id,
        issued_on=issued_on,
        due_on=due,
        status=BillStatus.OPEN,
        single_minor=items.single_minor,
        instalment_minor=items.instalment_minor,
        fee_minor=items.fee_minor,
        interest_minor=interest_minor,
        carried_minor=carried_minor,
        missed_minor=missed_minor,
        accrued_on=due,
        wake_on=due,
    )
    bill = replace(bill, minimum_minor=minimum_of(product.minimum, bill))
    if not bill.unpaid_minor:
        bill = replace(bill, status=BillStatus.PAID, wake_on=None)
    return Issued(bill, tuple(updated), tuple(interest))


def pass_due_date(bill: Bill, product: Product) -> Bill:
    """What the end of the due date makes of a bill: minimum paid and revolving, or overdue and late."""
    if bill.unpaid_minor == 0:
        return replace(bill, status=BillStatus.PAID, wake_on=None)
    if bill.counted_minor >= bill.minimum_minor:
        rate, status = product.interest.revolving_daily_ppm, BillStatus.MINIMUM_PAID
    else:
        rate, status = product.interest.late_daily_ppm, BillStatus.OVERDUE
    return replace(bill, status=status, daily_ppm=rate, accrued_on=bill.due_on, wake_on=None)


def bring_up(bill: Bill, product: Product, on: date) -> Bill:
    """A bill as the day closes before a date leave it, whether or not they have run: a late close loses no day."""
    return pass_due_date(bill, product) if bill.wake_on is not None and bill.due_on < on else bill


def as_of(bill: Bill, value_on: date) -> Bill:
    """A bill as it stood on an earlier date, if nothing but the passing of its due date has happened to it since."""
    if bill.due_on < value_on or not bill.daily_ppm:
        return bill
    met = bill.counted_minor >= bill.minimum_minor
    return replace(
        bill,
        status=BillStatus.MINIMUM_PAID if met else BillStatus.OPEN,
        daily_ppm=0,
        accrued_on=bill.due_on,
        segments=(),
        wake_on=bill.due_on + timedelta(days=1),
    )


def lower(
    bill: Bill, single_minor: int, instalment_minor: int, fee_minor: int, minimum: Minimum, on: date
) -> Bill:
    """A bill that owes less from a date on, because what stood on it was refunded; its minimum falls with it."""
    accrued = accrue(bill, on)
    less = replace(
        accrued,
        single_minor=bill.single_minor - single_minor,
        instalment_minor=bill.instalment_minor - instalment_minor,
        fee_minor=bill.fee_minor - fee_minor,
    )
    assert less.unpaid_principal_minor >= 0 and less.unpaid_fee_minor >= 0, "a refund lowers what is unpaid"
    return status_of(replace(less, minimum_minor=minimum_of(minimum, less)), on)


def status_of(bill: Bill, on: date) -> Bill:
    """A bill with the state that its amounts call for after a payment or refund. Overdue ends only when paid."""
    if bill.unpaid_minor == 0:
        return replace(bill, status=BillStatus.PAID, wake_on=None)
    if bill.status is BillStatus.OPEN and on <= bill.due_on and bill.counted_minor >= bill.minimum_minor:
        return replace(bill, status=BillStatus.MINIMUM_PAID)
    return bill


class TakenBack(Struct, frozen=True):
    """What a reversed repayment had paid of a bill, and when."""

    paid_on: date
    principal_minor: int = 0
    fee_minor: int = 0
    interest_minor: int = 0
    counted_minor: int = 0


def reopen(bill: Bill, taken: TakenBack, product: Product, on: date) -> Bill:
    """A bill as if a repayment had never been: owed again, with the interest since then in a segment of its own."""
    before = accrue(bill, on)
    owed = replace(
        before,
        paid_principal_minor=bill.paid_principal_minor - taken.principal_minor,
        paid_fee_minor=bill.paid_fee_minor - taken.fee_minor,
        paid_interest_minor=bill.paid_interest_minor - taken.interest_minor,
        counted_minor=bill.counted_minor - taken.counted_minor,
    )
    met = owed.counted_minor >= owed.minimum_minor
    if on <= bill.due_on:
        wake_on = bill.wake_on or (bill.due_on if on < bill.due_on else bill.due_on + timedelta(days=1))
        return replace(owed, status=BillStatus.MINIMUM_PAID if met else BillStatus.OPEN, wake_on=wake_on)
    if not before.daily_ppm:
        return pass_due_date(owed, product)
    since_on = max(bill.due_on, taken.paid_on)
    if taken.principal_minor and since_on < on:
        again = Segment(since_on, on, taken.principal_minor, before.daily_ppm)
        owed = replace(owed, segments=(*owed.segments, again))
    status = BillStatus.MINIMUM_PAID if met and bill.status is not BillStatus.OVERDUE else BillStatus.OVERDUE
    return replace(owed, status=status, wake_on=None)


def is_settled(bill: Bill) -> bool:
    """Whether nothing is owed on a bill and all the interest it has earned is billed: nobody looks at it again."""
    return bill.unpaid_minor == 0 and interest_to_bill(bill, bill.accrued_on) == 0


def minimum_due(bills: Sequence[Bill], on: date) -> int:
    """What must be paid now to be, or stay, in order: the rest of the running minimum and of overdue bills.

    A running bill's minimum holds what the overdue ones before it left, so the larger of the two is asked for.
    """
    overdue_minor = sum(bill.unpaid_minor for bill in bills if bill.status is BillStatus.OVERDUE)
    running = [bill for bill in bills if bill.status is BillStatus.OPEN and on <= bill.due_on]
    running_minor = sum(max(0, bill.minimum_minor - bill.counted_minor) for bill in running)
    owed_minor = sum(bill.unpaid_minor for bill in bills)
    return min(owed_minor, max(overdue_minor, running_minor))


def past_due_since(bills: Sequence[Bill]) -> date | None:
    """The due date of the oldest overdue bill."""
    return min((bill.due_on for bill in bills if bill.status is BillStatus.OVERDUE), default=None)
