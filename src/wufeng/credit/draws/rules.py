"""Whether a line may fund a draw."""

from collections.abc import Iterable
from datetime import date

from msgspec.structs import replace

from wufeng.credit.accruals.rules import ended, interest_to_bill
from wufeng.credit.draws.model import Approved, Declined, Draw, DrawRequest, DrawStatus, Unearned
from wufeng.credit.lines.model import Line, LineState, LineStatus
from wufeng.credit.lines.rules import thawed
from wufeng.credit.plans.model import Plan
from wufeng.credit.plans.rules import due_dates, least_amount, rhythm_of_terms, schedule, terms_of
from wufeng.credit.products.dates import Dates
from wufeng.credit.products.model import BillableAt, Cycle, Product
from wufeng.risk.model import Reason

NOT_DRAWABLE = {LineStatus.FROZEN, LineStatus.CLOSING, LineStatus.CLOSED}


def decide_draw(
    state: LineState | None,
    request: DrawRequest,
    product: Product | None,
    on: date,
    ceiling_minor: int | None = None,
) -> Approved | Declined:
    """Decide whether a line may fund a draw on a business date.

    Every check whose inputs exist is made, in the order of API.md's reasons. `product` is the version that the line
    draws by; None only when there is no line.
    ceiling_minor  the most that used and held of the line may come to (`lines.rules.ceiling_minor`: the person's cap, a
                   shared limit); None: the line's own limit alone
    """
    assert request.amount_minor > 0, "the border refuses a draw of nothing"
    if state is None or product is None:
        return Declined(request, (Reason.LINE_MISSING,))
    line, reasons = thawed(state.line, product, on), []
    ceiling = line.limit_on(on) if ceiling_minor is None else min(line.limit_on(on), ceiling_minor)
    if line.status in NOT_DRAWABLE:
        reasons.append(Reason.LINE_FROZEN)
    if line.status is LineStatus.SUSPENDED or line.days_past_due(on) >= product.arrears.suspend_after_days:
        reasons.append(Reason.LINE_IN_ARREARS)
    if product.scenes.refuse(request.scene):
        reasons.append(Reason.SCENE_FORBIDDEN)
    if request.amount_minor > ceiling - state.taken_minor:
        reasons.append(Reason.LIMIT_EXCEEDED)
    terms = terms_of(product, calendar_of(line, product), request.tenor, request.merchant_share_ppm)
    if terms is None or request.tenor not in product.tenors:
        reasons.append(Reason.TENOR_NOT_OFFERED)
    elif request.tenor > 1 and request.amount_minor < product.instalments.minimum_minor:
        reasons.append(Reason.AMOUNT_TOO_SMALL)
    if reasons or terms is None:
        return Declined(request, tuple(reasons))
    # From here the draw succeeds.
    after = replace(state, used_minor=state.used_minor + request.amount_minor)
    assert after.taken_minor <= ceiling, "no draw passes the limit"
    plan = schedule(terms, request.amount_minor, on)
    return Approved(request, plan, product.version, line.lenders, after)


def approve_part(state: LineState, request: DrawRequest, product: Product, on: date) -> Approved:
    """Approve a captured part of an authorised amount: its hold has reserved the limit, so nothing is decided.

    A part too small to be split stands on the next bill whole. Asserts that the product still has the tenor: a version
    never changes.
    """
    small = request.amount_minor < max(least_amount(request.tenor), product.instalments.minimum_minor)
    tenor = 1 if small else request.tenor
    terms = terms_of(product, calendar_of(state.line, product), tenor, request.merchant_share_ppm)
    assert terms is not None, "what was authorised is on the price list"
    held_minor = max(0, state.held_minor - request.amount_minor)
    after = replace(state, used_minor=state.used_minor + request.amount_minor, held_minor=held_minor)
    plan = schedule(terms, request.amount_minor, on)
    return Approved(replace(request, tenor=tenor), plan, product.version, state.line.lenders, after)


def calendar_of(line: Line, product: Product) -> Cycle | Dates:
    """What the due dates of a line's draws follow: its own bill day and due day, or dates of each draw's own."""
    calendar = line.cycle or product.dates
    assert calendar is not None, "a line without days of its own has a product with dates"
    return calendar


def born(approved: Approved, product: Product, on: date) -> Draw:
    """An approved draw as it is posted on a business date: what its row says before anything happens to it.

    One that awaits its shipment or receipt is billable, and has dates of its own, only from that event on.
    """
    request, plan = approved.request, approved.plan
    awaits = request.awaits_receipt and product.billing.billable_at is not BillableAt.PAYMENT
    draw = Draw(
        id=request.id,
        line_id=request.line_id,
        payment_id=request.payment_id,
        merchant_id=request.merchant_id,
        amount_minor=request.amount_minor,
        tenor=len(plan.principal_parts),
        merchant_share_ppm=request.merchant_share_ppm,
        product_version=approved.product_version,
        lenders=approved.lenders,
        status=DrawStatus.POSTED,
        principal_parts=plan.principal_parts,
        fee_parts=plan.fee_parts if any(plan.fee_parts) else (),
        subsidy_parts=plan.subsidy_parts if any(plan.subsidy_parts) else (),
        interest_parts=plan.interest_parts if any(plan.interest_parts) else (),
        unbilled_minor=request.amount_minor,
        posted_on=on,
    )
    if draw.tenor == 1 and product.interest.daily_ppm:
        rules = product.rounding
        draw = replace(
            draw,
            daily_ppm=product.interest.daily_ppm,
            accrued_on=on,
            rounding=rules.interest,
            pieces=rules.pieces,
        )
    return draw if awaits else billable(draw, calendar_of(approved.after.line, product), on)


def reborn(draw: Draw, line: Line, product: Product) -> Draw:
    """A posted draw as its row was when it was new: the plan of its product's version, and nothing billed or paid."""
    assert draw.posted_on is not None, "only what was posted was born"
    calendar = calendar_of(line, product)
    terms = terms_of(product, calendar, draw.tenor, draw.merchant_share_ppm)
    assert terms is not None, "a version never changes"
    plan = schedule(terms, draw.amount_minor, draw.posted_on)
    at_once = draw.billable_on == draw.posted_on
    return replace(
        draw,
        principal_parts=plan.principal_parts,
        fee_parts=plan.fee_parts if any(plan.fee_parts) else (),
        subsidy_parts=plan.subsidy_parts if any(plan.subsidy_parts) else (),
        interest_parts=plan.interest_parts if any(plan.interest_parts) else (),
        billed_parts=0,
        bills=(),
        prepaid_minor=0,
        unbilled_minor=draw.amount_minor,
        billable_on=draw.posted_on if at_once else None,
        bill_dates=draw.bill_dates if at_once else (),
        due_dates=draw.due_dates if at_once else (),
        accrued_on=draw.posted_on if draw.daily_ppm else date.min,
        segments=(),
        interest_billed_minor=0,
    )


def standing_plan(draw: Draw, line: Line, product: Product) -> Plan:
    """The plan of a posted draw as refunds and early payments have left it; `product` is the version that it was made
    by, at the line's tier.

    Due dates are its own, or those of the line's days as they are now: where bills rest does not move them here.
    """
    assert draw.posted_on is not None, "only what was posted has a plan"
    calendar = calendar_of(line, product)
    terms = terms_of(product, calendar, draw.tenor, draw.merchant_share_ppm)
    assert terms is not None, "a version never changes"
    nothing = (0,) * len(draw.principal_parts)
    days = draw.due_dates
    if not days:
        calendar = calendar.of(draw.tenor) if isinstance(calendar, Dates) else calendar
        days = due_dates(calendar, len(nothing), draw.billable_on or draw.posted_on)
    return Plan(
        draw.principal_parts,
        draw.fee_parts or nothing,
        draw.subsidy_parts or nothing,
        days,
        draw.interest_parts,
        rhythm_of_terms(terms),
        draw.daily_ppm,
        _daily_interest(draw, days[0]) if draw.daily_ppm else 0,
    )


def _daily_interest(draw: Draw, due_on: date) -> int:
    """What a draw bears by the day until it is due, if it is paid then; a bill that took it bears the last days."""
    if draw.billed_parts:
        until = draw.segments[-1].until_on if draw.segments else draw.accrued_on
        draw = replace(draw, unbilled_minor=sum(draw.principal_parts) - draw.prepaid_minor, accrued_on=until)
    return interest_to_bill(draw, due_on) + draw.interest_billed_minor


def billable(draw: Draw, calendar: Cycle | Dates, on: date) -> Draw:
    """The draw from the date on which a bill may take it; what was billable stays as it was."""
    if draw.billable_on is not None:
        return draw
    if isinstance(calendar, Cycle):
        return replace(draw, billable_on=on)
    parts, calendar = range(draw.tenor), calendar.of(draw.tenor)
    return replace(
        draw,
        billable_on=on,
        bill_dates=tuple(calendar.bill_on(on, part) for part in parts),
        due_dates=tuple(calendar.due_on(on, part) for part in parts),
    )


def bill_wanted_on(draw: Draw, line: Line, on: date) -> date | None:
    """The date of the next bill that will take something of a draw; None: none will, as things are.

    on  the date it is asked on: a line's own bill day comes after it
    """
    to_come = draw.unbilled_minor or draw.has_charges_to_come or interest_to_bill(draw, on)
    if draw.billable_on is None or not to_come:
        return None
    if draw.bill_dates:
        return draw.next_bill_on
    return line.cycle.bill_on(on) if line.cycle is not None else None


def accrue_draw(draw: Draw, on: date) -> Draw:
    """End the running stretch of a draw's interest at a date: before what is unbilled changes, or is billed."""
    if (end := ended(draw, on)) is None:
        return draw
    return replace(draw, accrued_on=end[0], segments=end[1])


def unearned_of(before: Iterable[Draw], after: Iterable[Draw]) -> tuple[Unearned, ...]:
    """How a step has changed what is unearned of the subsidies of draws: one for each draw of which it has."""
    was = {draw.id: draw.unearned_minor for draw in before}
    now = {draw.id: draw.unearned_minor for draw in after}
    changes = (Unearned(was.get(id_, 0), now.get(id_, 0)) for id_ in {**was, **now})
    return tuple(change for change in changes if change.gone_minor)


def gone_of(unearned: Iterable[Unearned]) -> int:
    """What went of the unearned subsidies of all draws."""
    return sum(one.gone_minor for one in unearned)


def charges_open(draw: Draw) -> bool:
    """Whether fees or interest of a draw are still to be billed, though its principal may not be."""
    earned = draw.daily_ppm > 0 and interest_to_bill(draw, draw.accrued_on) > 0
    return earned or draw.has_charges_to_come
