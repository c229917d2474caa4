"""What may be made of a bill now, as the API shows it."""

from wufeng.base.errors import invalid_field
from wufeng.base.ids import Prefix, encode
from wufeng.credit.bill_plans import rules
from wufeng.credit.bill_plans.model import BillPlanOptions
from wufeng.credit.bill_plans.store import load_small
from wufeng.credit.bills.model import Bill
from wufeng.credit.lines.model import Line
from wufeng.credit.queries import Reading
from wufeng.credit.repayments.model import Debt
from wufeng.credit.repayments.rules import brought_up


async def bill_plan_options(
    read: Reading, bill: Bill, line: Line, amount_minor: int | None
) -> BillPlanOptions:
    """The ways to split a bill.

    amount_minor  of its principal; None: as much as may be. Raises invalid_field for what may not be
    """
    product = read.products.drawn_under(line.product, line.product_version, line.tier, read.on)
    contract = read.products.version(line.product, line.product_version, line.tier)
    (now,) = brought_up(Debt(line, (bill,)), contract, read.on).bills
    shown = encode(Prefix.BILL, bill.id)
    small_minor = await load_small(read.db, read.book.bucket_of(bill.id), now, product)
    if (reason := rules.why_not(now, small_minor, line, product, read.on)) is not None:
        return BillPlanOptions(bill=shown, least_minor=0, most_minor=0, options=(), reason=reason)
    bounds = product.instalments.bills
    assert bounds is not None, "the product splits bills"
    most_minor = rules.splittable(now, small_minor, product)
    wanted_minor = most_minor if amount_minor is None else amount_minor
    if not bounds.least_minor <= wanted_minor <= most_minor:
        detail = f"{bounds.least_minor} to {most_minor} minor units of this bill may be split."
        raise invalid_field("amount_minor", detail)
    priced = rules.options_of(now, line, product, wanted_minor, read.on)
    return BillPlanOptions(
        bill=shown,
        least_minor=bounds.least_minor,
        most_minor=most_minor,
        options=tuple(one.option for one in priced),
    )
