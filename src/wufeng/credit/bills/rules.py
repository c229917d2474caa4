"""What a bill asks for, what an unpaid one earns, and how its state follows: pure decisions of the bills.

Sources: PRODUCTS.md 1.1 to 1.3 (minimum, daily, revolving and late interest) and 2 (H1, F1, F2, B3).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.credit.accruals.model import MICRO
from wufeng.credit.accruals.rules import accrued_micro, ended, interest_to_bill
from wufeng.credit.bills.model import Bill, BillItem, BillStatus, InterestBilled
from wufeng.credit.draws.model import Draw, Unearned
from wufeng.credit.draws.rules import accrue_draw, unearned_of
from wufeng.credit.lines.model import AboveLimit, Line
from wufeng.credit.products.model import Billing, LateBase, Minimum, Product, Rest
from wufeng.credit.rates.rules import PPM

ONE_DAY = timedelta(days=1)


class NewItems(Struct, frozen=True):
    """What a line's draws bring onto its next bill: single draws, instalments, their fees and interest.

    items           the parts themselves; one that was prepaid wholly stands there with nothing
    interest        what draws have earned before their bill
    unearned        merchants' part of the instalments' fees, earned with them
    due_on          the due date that the parts have of their own; None: the line's
    used_minor      principal of which only a share is billed; None: it is not so
    """

    single_minor: int = 0
    instalment_minor: int = 0
    fee_minor: int = 0
    interest_minor: int = 0
    items: tuple[BillItem, ...] = ()
    interest: tuple[InterestBilled, ...] = ()
    unearned: tuple[Unearned, ...] = ()
    due_on: date | None = None
    used_minor: int | None = None


def take_items(
    draws: Sequence[Draw], bill_id: UUID, issued_on: date, minimum: Minimum, over_limit_minor: int = 0
) -> tuple[NewItems, tuple[Draw, ...]]:
    """What a bill of that date takes of a line's draws, and the draws after it.

    A draw on the next bill goes whole, an instalment a period; where only the minimum is billed (with
    `over_limit_minor`, what a raise that is over had allowed), the oldest draws go first and the rest stays. Draws that
    became billable on the bill's date, or whose receipt is awaited, wait for the next one. Prepaid money has paid the
    nearest parts. Interest is taken up to the day before.
    """
    until = issued_on - ONE_DAY
    used_minor = _used(draws, issued_on) if minimum.rest is Rest.DRAW else None
    asked_minor = None
    if used_minor is not None:
        asked_minor = min(used_minor, asked_of(minimum, used_minor) + over_limit_minor)
    taken: list[BillItem] = []
    interest: list[InterestBilled] = []
    after: list[Draw] = []
    due: list[date] = []
    for draw in draws:
        if draw.billable_on is None or draw.billable_on >= issued_on:
            after.append(draw)
            continue
        draw = accrue_draw(draw, until)
        if earned_minor := interest_to_bill(draw, until):
            interest.append(InterestBilled(draw.id, earned_minor, is_draw=True))
            draw = replace(draw, interest_billed_minor=draw.interest_billed_minor + earned_minor)
        if asked_minor is not None and draw.tenor == 1:
            amount_minor = min(asked_minor, draw.unbilled_minor)
            asked_minor -= amount_minor
            draw, parts = _split_off(draw, amount_minor)
        else:
            parts = _parts_due(draw, issued_on)
        if draw.due_dates and parts:
            due.append(draw.due_dates[parts[-1]])
        unpaid = draw.unpaid_of_unbilled_parts()
        taken += [
            BillItem(draw.id, part, draw.tenor, unpaid[part], draw.fee_of(part), draw.interest_of(part))
            for part in parts
        ]
        after.append(_billed(draw, parts, bill_id))
    single_minor = sum(item.principal_minor for item in taken if item.tenor == 1)
    items = NewItems(
        single_minor=single_minor,
        instalment_minor=sum(item.principal_minor for item in taken) - single_minor,
        fee_minor=sum(item.fee_minor for item in taken),
        interest_minor=sum(item.interest_minor for item in taken)
        + sum(billed.amount_minor for billed in interest),
        items=tuple(taken),
        interest=tuple(interest),
        unearned=unearned_of(draws, after),
        due_on=max(due, default=None),
        used_minor=used_minor,
    )
    return items, tuple(after)


def _used(draws: Sequence[Draw], issued_on: date) -> int:
    return sum(draw.unbilled_minor for draw in draws if _is_used(draw, issued_on))


def _is_used(draw: Draw, issued_on: date) -> bool:
    """Whether a bill of that date, where it asks for the minimum only, asks for a share of a draw."""
    return draw.tenor == 1 and draw.billable_on is not None and draw.billable_on < issued_on


def asked_of(minimum: Minimum, used_minor: int) -> int:
    """How much of the principal that is used a bill asks for, where it asks for the minimum only (PRODUCTS.md, F2)."""
    if used_minor <= minimum.whole_up_to_minor:
        return used_minor
    return -(-used_minor * minimum.principal_ppm // PPM)


def _split_off(draw: Draw, amount_minor: int) -> tuple[Draw, range]:
    """The draw with its unbilled principal in two parts, of which the next bill takes the first; nothing: none.

    Prepaid money stays in the first part: it has paid the nearest.
    """
    if not amount_minor:
        return draw, range(0)
    first, left = draw.billed_parts, draw.unbilled_minor - amount_minor
    parts = (*draw.principal_parts[:first], draw.prepaid_minor + amount_minor, *((left,) if left else ()))
    return replace(draw, principal_parts=parts), range(first, first + 1)


def _parts_due(draw: Draw, issued_on: date) -> range:
    """The parts (0-based) that a bill of that date takes."""
    left = draw.unbilled_parts
    if not draw.unbilled_minor and not draw.has_charges_to_come:
        return range(0)
    if draw.bill_dates:
        return range(left.start, left.start + sum(draw.bill_dates[part] <= issued_on for part in left))
    return left if draw.tenor == 1 else left[:1]


def _billed(draw: Draw, parts: range, bill_id: UUID) -> Draw:
    """The draw after a bill has taken some parts."""
    if not parts:
        return draw
    unpaid = draw.unpaid_of_unbilled_parts()
    principal_minor = sum(unpaid[part] for part in parts)
    prepaid_minor = sum(draw.principal_parts[part] for part in parts) - principal_minor
    return replace(
        draw,
        billed_parts=draw.billed_parts + len(parts),
        bills=(*draw.bills, *[bill_id] * len(parts)),
        prepaid_minor=draw.prepaid_minor - prepaid_minor,
        unbilled_minor=draw.unbilled_minor - principal_minor,
    )


class Issued(Struct, frozen=True):
    """A new bill, and the earlier bills whose interest it took."""

    bill: Bill
    earlier: tuple[Bill, ...]
    interest: tuple[InterestBilled, ...]


def accrue(bill: Bill, on: date) -> Bill:
    """End the running segment at a date: before unpaid principal changes, and before interest is billed."""
    if (end := ended(bill, on)) is None:
        return bill
    return replace(bill, accrued_on=end[0], segments=end[1])


def minimum_of(minimum: Minimum, bill: Bill) -> int:
    """The least payment of a bill: 10 % (the product's share) of principal, rounded up, and all of the rest."""
    rest_minor = bill.instalment_minor + bill.fee_minor + bill.interest_minor + bill.missed_minor
    return principal_asked(minimum, bill) + rest_minor


def principal_asked(minimum: Minimum, bill: Bill) -> int:
    """The principal's part of the minimum, with what is above the limit once a raise is over. A bill of the minimum
    alone asks for all it has taken, or for the share of what a refund has left of what was used.
    """
    principal_minor = bill.single_minor + bill.carried_minor
    if minimum.rest is Rest.DRAW:
        if bill.used_minor is None:
            return principal_minor
        asked_minor = asked_of(minimum, bill.used_minor) + bill.over_limit_taken_minor
        return bill.carried_minor + min(bill.single_minor, bill.used_minor, asked_minor)
    whole = principal_minor <= minimum.whole_up_to_minor
    share = principal_minor if whole else -(-principal_minor * minimum.principal_ppm // PPM)
    return min(principal_minor, share + bill.over_limit_asked_minor)


def due_date(line: Line, billing: Billing, issued_on: date, own_due_on: date | None) -> date:
    """The last day to pay a bill: its parts' own due date or the line's next due day, moved where banks rest."""
    cycle = line.cycle
    nominal_on = own_due_on or (cycle.due_on(issued_on) if cycle is not None else issued_on)
    return billing.real_due_on(nominal_on)


def issue(
    bill_id: UUID,
    line_id: UUID,
    issued_on: date,
    items: NewItems,
    earlier: Sequence[Bill],
    product: Product,
    due: date,
    over_limit_minor: int = 0,
    above: AboveLimit | None = None,
    over_limit_used_minor: int | None = None,
) -> Issued | None:
    """Issue a line's bill, or none when there is nothing to put on it.

    earlier  the line's bills that are not settled, oldest first; their interest up to the day before is billed here
    A bill of parts that were all prepaid is issued too, paid from the start: it moves the plans on.
    """
    until = issued_on - ONE_DAY
    updated: list[Bill] = []
    interest: list[InterestBilled] = list(items.interest)
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
    interest_minor += sum(item.interest_minor for item in items.items)
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
        over_limit_minor=over_limit_minor,
        over_limit_from_minor=above.from_minor if above is not None else None,
        over_limit_most_minor=above.most_minor if above is not None else 0,
        over_limit_used_minor=over_limit_used_minor,
        used_minor=items.used_minor,
        daily_ppm=product.interest.daily_ppm,
        accrued_on=until if product.interest.daily_ppm else due,
        wake_on=due,
        grace_days=product.billing.grace_days,
        rounding=product.rounding.interest,
        pieces=product.rounding.pieces,
    )
    bill = replace(bill, minimum_minor=minimum_of(product.minimum, bill))
    if not bill.unpaid_minor:
        bill = replace(bill, status=BillStatus.PAID, wake_on=None)
    return Issued(bill, tuple(updated), tuple(interest))


def pass_due_date(bill: Bill, product: Product) -> Bill:
    """What the end of the due date makes of a bill: minimum paid and revolving, or overdue and late.

    Interest runs from the due date on; a payment in the days of grace has come before this is asked. What bears
    interest from the day of the draw bears it through the days of grace too: only after them at another rate.
    """
    if bill.unpaid_minor == 0:
        return replace(bill, status=BillStatus.PAID, wake_on=None)
    since_on = bill.last_on if bill.daily_ppm else bill.due_on
    bill = accrue(bill, since_on)
    interest = product.interest
    if bill.counted_minor >= bill.minimum_minor:
        passed = replace(
            bill, status=BillStatus.MINIMUM_PAID, daily_ppm=interest.revolving_daily_ppm, wake_on=None
        )
    else:
        passed = replace(
            bill,
            status=BillStatus.OVERDUE,
            daily_ppm=interest.late_daily_ppm,
            bears_fees=interest.late_base is LateBase.PRINCIPAL_AND_FEES,
            least_minor=interest.late_least_minor,
            wake_on=None,
        )
    if interest.late_most_ppm is not None:
        passed = replace(passed, most_minor=_most(passed, since_on, interest.late_most_ppm))
    return replace(passed, accrued_on=max(bill.accrued_on, since_on))


def _most(bill: Bill, since_on: date, late_most_ppm: int) -> int:
    """The cap on a bill's interest: what it had earned until then, and a share of its principal."""
    earned_minor = accrued_micro(bill, since_on) // MICRO
    return earned_minor + (bill.single_minor + bill.instalment_minor) * late_most_ppm // PPM


def bring_up(bill: Bill, product: Product, on: date) -> Bill:
    """A bill as the day closes before a date leave it, whether or not they have run: a late close loses no day."""
    if bill.wake_on is None or on <= bill.last_on:
        return bill
    return pass_due_date(bill, product)


def lower(
    bill: Bill,
    single_minor: int,
    instalment_minor: int,
    fee_minor: int,
    interest_minor: int,
    minimum: Minimum,
    on: date,
) -> Bill:
    """A bill that owes less from a date on, because what stood on it was refunded; its minimum falls with it."""
    accrued = accrue(bill, on)
    less = replace(
        accrued,
        single_minor=bill.single_minor - single_minor,
        instalment_minor=bill.instalment_minor - instalment_minor,
        fee_minor=bill.fee_minor - fee_minor,
        interest_minor=bill.interest_minor - interest_minor,
    )
    assert less.unpaid_principal_minor >= 0 and less.unpaid_fee_minor >= 0, "a refund lowers what is unpaid"
    assert less.unpaid_interest_minor >= 0 and less.interest_minor >= 0, "of interest too"
    return status_of(replace(less, minimum_minor=minimum_of(minimum, less)), on)


def ask_less_for_earlier(
    bill: Bill, earlier: Bill, principal_minor: int, charges_minor: int, minimum: Minimum, on: date
) -> Bill:
    """A bill whose minimum asks for less, because what an earlier one had left to it was refunded: nothing was paid.

    earlier        as it was before the refund; its amounts stand where `issue` has put them: what was overdue then was
                   missed
    charges_minor  fees and interest
    A bill that is paid, whose last day to pay has passed, or that has asked for nothing, stays. Not for a line that is
    charged off.
    """
    if not bill.unpaid_minor or on > bill.last_on or not bill.minimum_minor:
        return bill
    was_missed = earlier.status is BillStatus.OVERDUE and earlier.last_on < bill.issued_on
    carried_minor = 0 if was_missed else principal_minor
    less = replace(
        bill,
        carried_minor=bill.carried_minor - carried_minor,
        missed_minor=bill.missed_minor - (principal_minor - carried_minor) - charges_minor,
    )
    assert less.carried_minor >= 0 and less.missed_minor >= 0, (
        "what is unpaid now was left when the bill was issued"
    )
    return status_of(replace(less, minimum_minor=minimum_of(minimum, less)), on)


def ask_less_above_limit(bill: Bill, draw: Draw, principal_minor: int, minimum: Minimum, on: date) -> Bill:
    """A bill whose minimum asks for less of what was above the limit when it was issued, because a draw that was used
    then was refunded: as if so much less had been used. What is repaid lowers it not: that counts towards the minimum.

    principal_minor  owed no longer, whether this bill, an earlier one or none had taken it
    For a bill that is not paid and whose last day to pay has not passed.
    """
    assert draw.posted_on is not None, "what is refunded was posted"
    if not bill.over_limit_asked_minor or draw.posted_on >= bill.issued_on:
        return bill
    less = replace(bill, over_limit_refunded_minor=bill.over_limit_refunded_minor + principal_minor)
    return status_of(replace(less, minimum_minor=minimum_of(minimum, less)), on)


def ask_share_of_less(bill: Bill, draw: Draw, principal_minor: int, minimum: Minimum, on: date) -> Bill:
    """A bill of the minimum alone whose share is of less, because a draw that was used when it was issued was refunded.

    principal_minor  owed no longer, and on no bill before this one
    For a bill that is not paid and whose last day to pay has not passed.
    """
    if bill.used_minor is None or not _is_used(draw, bill.issued_on):
        return bill
    less = replace(bill, used_minor=bill.used_minor - principal_minor)
    return status_of(replace(less, minimum_minor=minimum_of(minimum, less)), on)


def status_of(bill: Bill, on: date) -> Bill:
    """A bill with the state that its amounts call for after a payment or refund. Overdue ends only when paid."""
    if bill.unpaid_minor == 0:
        return replace(bill, status=BillStatus.PAID, wake_on=None)
    if bill.status is BillStatus.OPEN and on <= bill.last_on and bill.counted_minor >= bill.minimum_minor:
        return replace(bill, status=BillStatus.MINIMUM_PAID)
    return bill


def is_settled(bill: Bill) -> bool:
    """Whether nothing is owed on a bill and all the interest it has earned is billed: nobody looks at it again."""
    return bill.unpaid_minor == 0 and interest_to_bill(bill, bill.accrued_on) == 0


def minimum_due(bills: Sequence[Bill], on: date) -> int:
    """What must be paid now to be, or stay, in order: the rest of the running minimum and of overdue bills.

    A running bill's minimum holds what the overdue ones before it left, so the larger of the two is asked for.
    """
    overdue_minor = sum(bill.unpaid_minor for bill in bills if bill.status is BillStatus.OVERDUE)
    running = [bill for bill in bills if bill.status is BillStatus.OPEN and on <= bill.last_on]
    running_minor = sum(max(0, bill.minimum_minor - bill.counted_minor) for bill in running)
    owed_minor = sum(bill.unpaid_minor for bill in bills)
    return min(owed_minor, max(overdue_minor, running_minor))


def past_due_since(bills: Sequence[Bill]) -> date | None:
    """The due date of the oldest overdue bill."""
    return min((bill.due_on for bill in bills if bill.status is BillStatus.OVERDUE), default=None)
