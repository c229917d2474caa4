"""How money is spread over a debt. The same rules serve repayments, refunds and a line's credit balance.

Source: PRODUCTS.md 2.1: oldest due period first; inside it fees, interest, principal (principal first when it is more
than 90 days past due: the product's waterfall); a surplus reduces unbilled spending, then the nearest instalments.
"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from functools import lru_cache
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from wufeng.base.errors import Problem, invalid_field
from wufeng.base.money import round_half_even
from wufeng.credit.accruals.rules import interest_to_bill
from wufeng.credit.bills.model import Bill
from wufeng.credit.bills.rules import accrue, bring_up, minimum_due, past_due_since, status_of
from wufeng.credit.draws.model import Draw
from wufeng.credit.draws.rules import accrue_draw, unearned_of
from wufeng.credit.lines.model import Line
from wufeng.credit.lines.rules import with_arrears
from wufeng.credit.products.model import Cycle, Early, Part, Product, WaterfallStep
from wufeng.credit.products.model import Repayment as RepaymentRules
from wufeng.credit.products.versions import Versions
from wufeng.credit.repayments.model import (
    Allocation,
    Debt,
    Paid,
    Repayment,
    Spread,
    Target,
)
from wufeng.credit.waterfall.model import Age, Component, Due, Piece, Waterfall
from wufeng.credit.waterfall.rules import allocate, order_of


def order_at(waterfall: Sequence[WaterfallStep], days_past_due: int) -> tuple[Part, ...]:
    """The order of parts for a debt of that age: the last step that it has reached."""
    return [step for step in waterfall if step.days_past_due <= days_past_due][-1].order


@lru_cache(maxsize=256)
def waterfall_of(rules: RepaymentRules) -> Waterfall:
    """A product's order of repayment: bills one after the other, each by the last step that its age reaches."""
    orders = (
        order_of([Component(part.value) for part in step.order], days_past_due=step.days_past_due)
        for step in rules.waterfall
    )
    return Waterfall(tuple(orders), rules.processing)


def due_of(bill: Bill, number: int, on: date) -> Due:
    """What a bill owes, by component, and how old it is. number: its place among the bills, the oldest first."""
    days = max(0, (on - bill.due_on).days)
    parts = {
        Component.FEE: bill.unpaid_fee_minor,
        Component.INTEREST: bill.unpaid_interest_minor,
        Component.PRINCIPAL: bill.unpaid_principal_minor,
    }
    return Due(number, Age.PAST_DUE if days else Age.DUE, parts, days)


def spread(debt: Debt, money_minor: int, versions: Versions, on: date) -> Spread:
    """Spread money over a debt on a business date.

    Bills first, by the waterfall; then the interest they and the draws have earned; then draws on the next bill, oldest
    first; then instalments to come, the nearest first, where the contract says so. A plan whose principal is all paid
    ends, and the fees of its months to come are dropped or stay due, as the version says that it was made by. What
    nothing is left for is the surplus.
    """
    contract = versions.contract
    bills = [accrue(bill, on) for bill in debt.bills]
    dues = [due_of(bill, number, on) for number, bill in enumerate(bills)]
    paid = allocate(dues, money_minor, waterfall_of(contract.repayment))
    left_minor = paid.surplus_minor
    allocation = [
        Allocation(Paid(piece.component.value), piece.amount_minor, bill=bills[piece.number].id)
        for piece in paid.pieces
    ]
    bills = _count(_pay_bills(bills, paid.pieces), paid.pieces, on)

    bills, late, left_minor = _pay_late_interest(bills, left_minor, on)
    accrued = [accrue_draw(draw, on) for draw in debt.draws]
    accrued, daily, left_minor = _pay_daily_interest(accrued, left_minor, on)
    ending = Ending(versions, debt.line, on)
    draws, early, left_minor = _prepay(
        accrued, left_minor, ending, to_instalments=contract.repayment.to_instalments
    )
    after = replace(debt, bills=tuple(status_of(bill, on) for bill in bills), draws=draws)
    pieces_of_all = (*allocation, *late, *daily, *early)
    unearned = unearned_of(accrued, draws)
    return Spread(with_line_state(after, contract, on), pieces_of_all, left_minor, unearned)


def _pay_bills(bills: Sequence[Bill], pieces: Sequence[Piece]) -> list[Bill]:
    after = list(bills)
    for piece in pieces:
        bill, amount = after[piece.number], piece.amount_minor
        match piece.component:
            case Component.FEE:
                bill = replace(bill, paid_fee_minor=bill.paid_fee_minor + amount)
            case Component.INTEREST:
                bill = replace(bill, paid_interest_minor=bill.paid_interest_minor + amount)
            case Component.PRINCIPAL:
                bill = replace(bill, paid_principal_minor=bill.paid_principal_minor + amount)
            case Component.PENALTY:
                raise AssertionError("late interest is interest; bills have no penalties")
        after[piece.number] = bill
    return after


def _count(bills: Sequence[Bill], pieces: Sequence[Piece], on: date) -> list[Bill]:
    """Count what was paid towards the minimum of each running bill: on it and on the bills before it."""
    paid_minor, counted = 0, []
    for number, bill in enumerate(bills):
        paid_minor += sum(piece.amount_minor for piece in pieces if piece.number == number)
        running = on <= bill.last_on and paid_minor
        counted.append(replace(bill, counted_minor=bill.counted_minor + paid_minor) if running else bill)
    return counted


def _pay_late_interest(
    bills: Sequence[Bill], money_minor: int, on: date
) -> tuple[list[Bill], list[Allocation], int]:
    after, pieces = [], []
    for bill in bills:
        amount = min(money_minor, interest_to_bill(bill, on))
        if amount:
            bill = replace(
                bill,
                late_interest_minor=bill.late_interest_minor + amount,
                interest_billed_minor=bill.interest_billed_minor + amount,
                paid_interest_minor=bill.paid_interest_minor + amount,
            )
            pieces.append(Allocation(Paid.LATE_INTEREST, amount, bill=bill.id))
            money_minor -= amount
        after.append(bill)
    return after, pieces, money_minor


def _pay_daily_interest(
    draws: Sequence[Draw], money_minor: int, on: date
) -> tuple[list[Draw], list[Allocation], int]:
    """Charge and pay what draws have earned before their bill, the oldest first."""
    after, pieces = [], []
    for draw in draws:
        amount = min(money_minor, interest_to_bill(draw, on))
        if amount:
            draw = replace(draw, interest_billed_minor=draw.interest_billed_minor + amount)
            pieces.append(Allocation(Paid.DAILY_INTEREST, amount, draw=draw.id))
            money_minor -= amount
        after.append(draw)
    return after, pieces, money_minor


class Ending(Struct, frozen=True):
    """What a plan that ends early is judged by: its own version's word on its charges, the line's days, the date."""

    versions: Versions
    line: Line
    on: date

    def drops(self, draw: Draw) -> bool:
        """Whether charges of a draw's months to come fall away when its principal is paid."""
        return self.versions.of(draw.product_version).instalments.early is Early.DROPPED


def _prepay(
    draws: Sequence[Draw], money_minor: int, ending: Ending, *, to_instalments: bool
) -> tuple[tuple[Draw, ...], list[Allocation], int]:
    """Pay draws before their bill: those on the next bill first, then instalments: the nearest by their own due dates,
    or where they follow the line's days, period by period.

    Returns the draws, the pieces, and what is left. The subsidy of plans that ended is earned: they have none to come.
    """
    by_id = {draw.id: draw for draw in draws}
    unpaid = {draw.id: draw.unpaid_of_unbilled_parts() for draw in draws}
    order = [
        (*_nearness(draw, part), place, draw.id, part)
        for place, draw in enumerate(draws)
        for part in unpaid[draw.id]
        if to_instalments or draw.tenor == 1
    ]
    pieces: list[Allocation] = []
    for *_, draw_id, part in sorted(order):
        amount = min(money_minor, unpaid[draw_id][part])
        if amount:
            draw = by_id[draw_id]
            by_id[draw_id] = replace(
                draw,
                prepaid_minor=draw.prepaid_minor + amount,
                unbilled_minor=draw.unbilled_minor - amount,
            )
            pieces.append(Allocation(Paid.UNBILLED, amount, draw=draw_id, instalment=part + 1))
            money_minor -= amount
    for before in draws:
        draw = by_id[before.id]
        # What has ended before stays as it is: what its days had earned is to be billed.
        if not before.unbilled_minor or draw.unbilled_minor or not ending.drops(draw):
            continue
        ended, dropped = end_plan(draw, running_interest(draw, ending.line, ending.on))
        pieces += dropped
        by_id[draw.id] = without_subsidy_to_come(ended)
    return tuple(by_id.values()), pieces, money_minor


def _nearness(draw: Draw, part: int) -> tuple[bool, date, int]:
    """What puts parts in the order in which a surplus pays them. Of one line all draws have due dates of their own, or
    none has, but for those that wait for their goods: nobody knows when these are due."""
    in_parts = draw.tenor > 1
    due_on = draw.due_dates[part] if in_parts and draw.due_dates else date.max
    return in_parts, due_on, part - draw.billed_parts


def without_subsidy_to_come(draw: Draw) -> Draw:
    """The draw with no subsidy left for its months to come: it was earned or given back."""
    if not any(draw.subsidy_of(part) for part in draw.unbilled_parts):
        return draw
    kept = draw.subsidy_parts[: draw.billed_parts]
    return replace(draw, subsidy_parts=kept + (0,) * len(draw.unbilled_parts))


def end_plan(draw: Draw, earned_minor: int = 0) -> tuple[Draw, list[Allocation]]:
    """Drop the charges of the parts to come when no principal is left to be billed (PRODUCTS.md 1.1, newer terms).

    earned_minor  interest of the running part that its days have earned: the next bill takes it
    """
    if draw.unbilled_minor or not draw.has_charges_to_come:
        return draw, []
    first = draw.billed_parts
    dropped = [
        Allocation(Paid.FEE_DROPPED, charge_minor, draw=draw.id, instalment=part + 1)
        for part in draw.unbilled_parts
        if (charge_minor := _charge_to_drop(draw, part, earned_minor if part == first else 0))
    ]
    interest_parts = _ended(draw.interest_parts, first)
    if earned_minor:
        interest_parts = (*interest_parts[:first], earned_minor, *interest_parts[first + 1 :])
    return replace(draw, fee_parts=_ended(draw.fee_parts, first), interest_parts=interest_parts), dropped


def _charge_to_drop(draw: Draw, part: int, earned_minor: int) -> int:
    return draw.fee_of(part) + draw.interest_of(part) - earned_minor


def _ended(parts: tuple[int, ...], billed_parts: int) -> tuple[int, ...]:
    """Parts of a charge of which nothing is to come any more."""
    return parts[:billed_parts] + (0,) * (len(parts) - billed_parts) if parts else ()


def brought_up(debt: Debt, product: Product, on: date) -> Debt:
    """The debt as the day closes before a date leave it, whether or not they have run yet."""
    bills = tuple(bring_up(bill, product, on) for bill in debt.bills)
    return with_line_state(replace(debt, bills=bills), product, on)


def with_line_state(debt: Debt, product: Product, on: date) -> Debt:
    """The debt with its line's arrears as its bills say."""
    return replace(debt, line=with_arrears(debt.line, past_due_since(debt.bills), product, on))


def owed(debt: Debt, target: Target, on: date) -> int:
    """How much a target comes to on a date."""
    if target is Target.MINIMUM:
        return minimum_due(debt.bills, on)
    billed_minor = sum(bill.unpaid_minor + interest_to_bill(bill, on) for bill in debt.bills)
    if target is Target.BILLED:
        return billed_minor
    return billed_minor + sum(draw.unbilled_minor + interest_to_bill(draw, on) for draw in debt.draws)


def repaid(debt: Debt, money_minor: int, plan: UUID | None, versions: Versions, on: date) -> Spread:
    """Pay money on a debt on a date.

    plan  pay the instalments to come of this draw, if they still come to exactly that amount; else by the waterfall
    """
    now = brought_up(debt, versions.contract, on)
    settled = settle_plan(now, plan, versions, on) if plan is not None else None
    if settled is None or settled.paid_minor != money_minor:
        settled = spread(now, money_minor, versions, on)
    return settled


def once_answered(debt: Debt, pending: Sequence[Repayment], versions: Versions, on: date) -> Debt:
    """The debt on a date as it will stand when banks say yes to all that they were asked: what is on its way is not
    asked for again. Each pays from its own value date.

    pending  the line's, the oldest first
    """
    for one in pending:
        debt = _once_paid(debt, one, versions)
    return brought_up(debt, versions.contract, on)


def _once_paid(debt: Debt, pending: Repayment, versions: Versions) -> Debt:
    plan, on, money_minor = pending.plan, pending.value_on, pending.amount_minor
    settled = settle_plan(debt, plan, versions, on) if plan is not None else None
    if settled is not None and settled.paid_minor <= money_minor:
        # More than it still comes to: a bill has taken a month of it since, and is paid with the rest.
        debt, money_minor = settled.debt, money_minor - settled.paid_minor
    return spread(debt, money_minor, versions, on).debt if money_minor else debt


def problem_of_value_on(line: Line, value_on: date, on: date) -> Problem | None:
    """Why money may not be dated so: it comes neither in the future nor before the line."""
    if value_on > on:
        return invalid_field("/value_on", "It is not in the future.")
    if value_on < line.opened_on:
        return invalid_field("/value_on", f"Not before {line.opened_on}, on which the line was opened.")
    return None


def due_by(debt: Debt, on: date) -> int:
    """What bills ask for whose due date has come, the interest that they have earned included."""
    due = [bill for bill in debt.bills if bill.due_on <= on]
    return sum(bill.unpaid_minor + interest_to_bill(bill, on) for bill in due)


def settle_plan(debt: Debt, draw_id: UUID, versions: Versions, on: date) -> Spread | None:
    """Pay all instalments to come of one plan, and nothing else; None when none is to come.

    Where a plan bears interest by the year, the days of the running period are charged (`running_interest`).
    """
    draw = next((draw for draw in debt.draws if draw.id == draw_id and draw.tenor > 1), None)
    if draw is None or not draw.unbilled_minor:
        return None
    ending = Ending(versions, debt.line, on)
    (settled,), pieces, left_minor = _prepay([draw], draw.unbilled_minor, ending, to_instalments=True)
    assert left_minor == 0, "a plan takes exactly what it still owes"
    if ending.drops(draw) and (earned_minor := running_interest(draw, ending.line, on)):
        pieces.insert(0, Allocation(Paid.DAILY_INTEREST, earned_minor, draw=draw_id))
        settled = replace(
            settled,
            interest_parts=_ended(settled.interest_parts, settled.billed_parts),
            interest_billed_minor=settled.interest_billed_minor + earned_minor,
        )
    draws = tuple(settled if other.id == draw_id else other for other in debt.draws)
    unearned = unearned_of([draw], [settled])
    return Spread(replace(debt, draws=draws), tuple(pieces), 0, unearned, draw_id)


def running_interest(draw: Draw, line: Line, on: date) -> int:
    """What a plan by a yearly rate has earned of the interest of its running part, by days, half-even.

    The part is the one that the line's next bill takes: on a bill day whose close has not run yet, or is late, that is
    the bill of that day, and the days before it are owed.
    """
    parts = draw.unbilled_parts
    if not parts or not draw.interest_of(parts[0]) or draw.billable_on is None:
        return 0
    cycle = line.cycle
    bill_on = line.next_bill_on or (cycle.bill_on(on) if cycle is not None else None)
    period = running_period(draw, cycle, bill_on)
    assert period is not None, "a draw without dates of its own has the line's"
    since_on, until_on = period
    days = min(max(0, (on - since_on).days), (until_on - since_on).days)
    return round_half_even(Fraction(draw.interest_of(parts[0]) * days, (until_on - since_on).days))


def running_period(draw: Draw, cycle: Cycle | None, bill_on: date | None) -> tuple[date, date] | None:
    """The due dates between which the next part of a plan earns its interest; the first begins with the draw.

    bill_on  the date of the bill that takes that part, whatever the day: where a close is late, the part that it has
             not billed yet has earned its period and no more. None: no bill comes, and where the draw has no dates of
             its own, no period either
    """
    return period_of(draw, draw.billed_parts, cycle, bill_on)


def period_of(draw: Draw, part: int, cycle: Cycle | None, bill_on: date | None) -> tuple[date, date] | None:
    """The same of any part (0-based). bill_on: the date of the bill that takes, or has taken it."""
    assert draw.billable_on is not None, "a plan that runs is billable"
    if draw.due_dates:
        return (draw.due_dates[part - 1] if part else draw.billable_on), draw.due_dates[part]
    if cycle is None:
        return None
    if not part:
        return draw.billable_on, cycle.due_on(cycle.bill_on(draw.billable_on))
    return (cycle.due_before(bill_on), cycle.due_on(bill_on)) if bill_on is not None else None
