"""What repayments did to bills, draws and instalments, by the pieces that they were spread in."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from wufeng.credit.accruals.model import MICRO
from wufeng.credit.bills.model import Bill, BillItem
from wufeng.credit.draws.model import Draw
from wufeng.credit.products.model import Minimum
from wufeng.credit.repayments.model import NOT_PAID, Paid, Repayment, RepaymentStatus


def used_at_issue(
    bill: Bill, draws: Sequence[Draw], earlier: Iterable[BillItem], repayments: Sequence[Repayment]
) -> int:
    """The principal in use when a bill was issued, if nothing was refunded: what was drawn before it, less what earlier
    bills took and what was paid before any bill.

    draws  of the line, all that it ever had      earlier  items of the bills before
    """
    single = {draw.id for draw in draws if draw.tenor == 1}
    drawn = [
        draw.amount_minor
        for draw in draws
        if draw.id in single and draw.billable_on is not None and draw.billable_on < bill.issued_on
    ]
    billed = [item.principal_minor for item in earlier if item.draw_id in single]
    paid = [
        before_bill(repayment, id_)
        for repayment in posted(repayments)
        if repayment.value_on < bill.issued_on
        for id_ in single
    ]
    return sum(drawn) - sum(billed) - sum(paid)


def asks_for(minimum: Minimum, used_minor: int) -> int:
    """How much of the principal that is used a bill asks for, where it asks for the minimum only (PRODUCTS.md, F2)."""
    if used_minor <= minimum.whole_up_to_minor:
        return used_minor
    return -(-used_minor * minimum.principal_ppm // MICRO)


def posted(repayments: Sequence[Repayment]) -> list[Repayment]:
    """Those whose money came and stayed, by the dates that they count from."""
    posted = [one for one in repayments if one.status is RepaymentStatus.POSTED]
    return sorted(posted, key=lambda one: (one.value_on, one.id))


def on_bill(repayment: Repayment, bill_id: UUID) -> int:
    """What a repayment paid of a bill."""
    pieces = (one for one in repayment.allocation if one.bill == bill_id and one.part not in NOT_PAID)
    return sum(piece.amount_minor for piece in pieces)


def before_bill(repayment: Repayment, draw_id: UUID) -> int:
    """What a repayment paid of a draw's principal before any bill had taken it."""
    pieces = (one for one in repayment.allocation if one.draw == draw_id and one.part is Paid.UNBILLED)
    return sum(piece.amount_minor for piece in pieces)


def of_instalment(repayment: Repayment, item: BillItem, paid: Paid) -> int:
    """What a repayment did to one instalment of a plan."""
    where = item.draw_id, item.part + 1
    pieces = (one for one in repayment.allocation if one.part is paid and (one.draw, one.instalment) == where)
    return sum(piece.amount_minor for piece in pieces)
