"""Whether a line may fund a draw."""

from datetime import date

from msgspec.structs import replace

from wufeng.credit.draws.model import Approved, Declined, DrawRequest
from wufeng.credit.lines.model import LineState, LineStatus
from wufeng.credit.plans.rules import least_amount, schedule, terms_of
from wufeng.credit.products.model import Product
from wufeng.risk.model import Reason

NOT_DRAWABLE = {LineStatus.FROZEN, LineStatus.CLOSING, LineStatus.CLOSED}


def decide_draw(
    state: LineState | None, request: DrawRequest, product: Product | None, on: date
) -> Approved | Declined:
    """Decide whether a line may fund a draw on a business date.

    Every check whose inputs exist is made, in the order of API.md's reasons. `product` is the version that the line
    draws by; None only when there is no line.
    """
    assert request.amount_minor > 0, "the border refuses a draw of nothing"
    if state is None or product is None:
        return Declined(request, (Reason.LINE_MISSING,))
    line, reasons = state.line, []
    if line.status in NOT_DRAWABLE:
        reasons.append(Reason.LINE_FROZEN)
    if line.status is LineStatus.SUSPENDED or line.days_past_due(on) >= product.arrears.suspend_after_days:
        reasons.append(Reason.LINE_IN_ARREARS)
    if request.scene in product.scenes.forbidden:
        reasons.append(Reason.SCENE_FORBIDDEN)
    if request.amount_minor > line.limit_minor - state.used_minor - state.held_minor:
        reasons.append(Reason.LIMIT_EXCEEDED)
    terms = terms_of(product, line.cycle, request.tenor, request.merchant_share_ppm)
    if terms is None:
        reasons.append(Reason.TENOR_NOT_OFFERED)
    elif request.tenor > 1 and request.amount_minor < product.instalments.minimum_minor:
        reasons.append(Reason.AMOUNT_TOO_SMALL)
    if reasons or terms is None:
        return Declined(request, tuple(reasons))
    # From here the draw succeeds.
    after = replace(state, used_minor=state.used_minor + request.amount_minor)
    assert after.used_minor + after.held_minor <= line.limit_minor, "no draw passes the limit"
    plan = schedule(terms, request.amount_minor, on)
    return Approved(request, plan, product.version, line.lenders, after)


def approve_part(state: LineState, request: DrawRequest, product: Product, on: date) -> Approved:
    """Approve a captured part of an authorised amount: its hold has reserved the limit, so nothing is decided.

    A part too small to be split stands on the next bill whole. Asserts that the product still has the tenor: a version
    never changes.
    """
    small = request.amount_minor < max(least_amount(request.tenor), product.instalments.minimum_minor)
    tenor = 1 if small else request.tenor
    terms = terms_of(product, state.line.cycle, tenor, request.merchant_share_ppm)
    assert terms is not None, "what was authorised is on the price list"
    held_minor = max(0, state.held_minor - request.amount_minor)
    after = replace(state, used_minor=state.used_minor + request.amount_minor, held_minor=held_minor)
    plan = schedule(terms, request.amount_minor, on)
    return Approved(replace(request, tenor=tenor), plan, product.version, state.line.lenders, after)
