"""Which part of a bill may be put into instalments, and what that does: the debt stays, its dates and price change.

Source: PRODUCTS.md 1.1 and 1.3: from the bill's date to its due date, a share of what can be split at most, a least
amount; nothing that is in instalments already, and no purchase under a least amount; the first part on the next bill.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

from wufeng.credit.bill_plans.model import BillPlanOption, Priced, Split
from wufeng.credit.bills.model import Bill, BillItem, BillStatus
from wufeng.credit.bills.rules import lower
from wufeng.credit.draws.model import Draw, DrawStatus
from wufeng.credit.draws.rules import billable, calendar_of
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.offers import PriceOption, price_options
from wufeng.credit.products.model import Product
from wufeng.credit.rates.rules import PPM

NOT_SPLIT = frozenset({LineStatus.CLOSING, LineStatus.CLOSED, LineStatus.SUSPENDED})


def splittable(bill: Bill, small_minor: int, product: Product) -> int:
    """How much of a bill may be split at most: of what is unpaid and not in instalments, the product's share.

    small_minor  of the bill, `small_of`: what was paid of the bill has paid this first
    """
    if product.instalments.bills is None:
        return 0
    left_minor = max(0, min(bill.single_minor - small_minor, bill.unpaid_principal_minor))
    return left_minor * product.instalments.bills.share_max_ppm // PPM


def small_of(items: Sequence[BillItem], on_bill: Mapping[UUID, Draw], product: Product) -> int:
    """Principal of a bill that is not split because its purchases are too small; what was refunded of them is off it.

    on_bill  holds the draws of the items: those of one payment are one purchase
    """
    bills = product.instalments.bills
    if bills is None or not bills.purchase_least_minor:
        return 0
    bought: dict[UUID | None, int] = {}
    for draw in (on_bill[id_] for id_ in {item.draw_id for item in items}):
        bought[draw.payment_id] = bought.get(draw.payment_id, 0) + draw.amount_minor
    return sum(
        min(item.principal_minor, on_bill[item.draw_id].principal_parts[item.part])
        for item in items
        if item.tenor == 1 and bought[on_bill[item.draw_id].payment_id] < bills.purchase_least_minor
    )


def why_not(bill: Bill, small_minor: int, line: Line, product: Product, on: date) -> str | None:
    """Why a bill may not be split on a date; None when it may. small_minor: of it, `small_of`."""
    bounds = product.instalments.bills
    if bounds is None or not product.bill_tenors:
        return "This product does not put bills into instalments."
    if line.status in NOT_SPLIT:
        return f"This line is {line.status.value}."
    if bill.status is BillStatus.PAID or not bill.issued_on <= on <= bill.due_on:
        return f"A bill is split from its date to its due date, {bill.issued_on} to {bill.due_on}."
    if bill.status is BillStatus.OVERDUE:
        return "This bill is overdue."
    if splittable(bill, small_minor, product) < bounds.least_minor:
        but = f" Purchases under {bounds.purchase_least_minor} do not count." if small_minor else ""
        detail = f"At least {bounds.least_minor} minor units that are not in instalments must be unpaid."
        return detail + but
    return None


def options_of(bill: Bill, line: Line, product: Product, amount_minor: int, on: date) -> list[Priced]:
    """The prices of splitting an amount of a bill, the shortest tenor first."""
    calendar, tenors = calendar_of(line, product), product.bill_tenors
    return [
        _priced(bill, price) for price in price_options(product, calendar, amount_minor, on, tenors=tenors)
    ]


def _priced(bill: Bill, price: PriceOption) -> Priced:
    plan, rates = price.plan, price.rates
    terms = (bill.id.hex, price.version, plan.principal_parts, plan.instalments_minor, plan.due_on)
    digest = hashlib.sha256(msgspec.json.encode(terms)).hexdigest()
    option = BillPlanOption(
        quote_option=f"opt_{digest[:32]}",
        tenor=price.tenor,
        amount_minor=price.amount_minor,
        instalment_minor=price.instalment_minor,
        instalments=price.instalments,
        total_cost_minor=price.total_cost_minor,
        annualised_rate_ppm=rates.annualised_ppm,
        effective_rate_ppm=rates.effective_ppm,
        eu_rate_ppm=rates.eu_ppm,
        us_rate_ppm=rates.us_ppm,
    )
    return Priced(option, plan)


def split(
    bill: Bill, line: Line, product: Product, contract: Product, priced: Priced, draw_id: UUID, on: date
) -> Split:
    """Take the plan's principal off a bill and let the plan owe it. Asserts that the bill may be split so far.

    product  the version in force, which the plan lives by      contract  the line's own, which the bill lives by
    """
    plan = priced.plan
    assert plan.amount_minor <= min(bill.single_minor, bill.unpaid_principal_minor), (
        "a bill owes what is split"
    )
    draw = Draw(
        id=draw_id,
        line_id=line.id,
        payment_id=None,
        merchant_id=None,
        of_bill=bill.id,
        amount_minor=plan.amount_minor,
        tenor=priced.option.tenor,
        merchant_share_ppm=0,
        product_version=product.version,
        lenders=line.lenders,
        status=DrawStatus.POSTED,
        principal_parts=plan.principal_parts,
        fee_parts=plan.fee_parts if any(plan.fee_parts) else (),
        interest_parts=plan.interest_parts if any(plan.interest_parts) else (),
        unbilled_minor=plan.amount_minor,
        posted_on=on,
    )
    return Split(off_bill(bill, draw, contract, on), billable(draw, calendar_of(line, product), on))


def off_bill(bill: Bill, draw: Draw, contract: Product, on: date) -> Bill:
    """The bill without the principal that a plan of it has taken over; its minimum falls with it."""
    return lower(bill, draw.amount_minor, 0, 0, 0, contract.minimum, on)


def named(options: list[Priced], quote_option: str) -> Priced | None:
    """The option of that name; None when the price or the bill is not what it was."""
    return next((priced for priced in options if priced.option.quote_option == quote_option), None)


def with_bill(bills: tuple[Bill, ...], bill: Bill) -> tuple[Bill, ...]:
    """The bills with one of them as it is now."""
    return tuple(bill if one.id == bill.id else one for one in bills)
