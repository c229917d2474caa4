"""Credit as the API shows it: lines, bills, draws, plans, repayments. Pure; amounts in minor units, rates in ppm."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from msgspec import Struct

from wufeng.base.ids import Prefix, encode, instant_of
from wufeng.base.rates import percent_text
from wufeng.credit.accruals.model import Segment
from wufeng.credit.accruals.rules import interest_to_bill
from wufeng.credit.bills.model import Bill, BillItems, BillStatus
from wufeng.credit.bills.rules import minimum_due
from wufeng.credit.debts.rules import next_due_on
from wufeng.credit.draws.model import Draw, DrawStatus
from wufeng.credit.draws.rules import standing_plan
from wufeng.credit.lines.model import Line, LineStatus
from wufeng.credit.lines.rules import band_of, over_limit_minor, thawed, without_ended_raise
from wufeng.credit.plans.rules import annualised_daily_ppm, annualised_rate_ppm
from wufeng.credit.products.model import Product
from wufeng.credit.repayments.model import Allocation, Debt, Paid, Repayment, RepaymentStatus, SourceKind
from wufeng.credit.texts import amount_text, explain, tier_name
from wufeng.lenders.model import lender_id


class LineAmounts(Struct, frozen=True):
    """What the ledger says of a line. credit_balance_minor stands in the person's favour.

    ceiling_minor  the most that used and held may come to, the person's other lines and cap considered; None: the limit
    """

    used_minor: int
    held_minor: int
    credit_balance_minor: int
    ceiling_minor: int | None = None


class LenderView(Struct, frozen=True):
    """Who lends, and how much of it."""

    lender: str
    name: str
    share_ppm: int


class RatesView(Struct, frozen=True):
    """What unpaid principal costs a day after the due date, and the same as a yearly rate (× 365, simple).

    daily_ppm  from the day of the draw on, up to the due date; 0: nothing
    """

    revolving_daily_ppm: int
    late_daily_ppm: int
    annualised_rate_ppm: int
    daily_ppm: int


class LineView(Struct, frozen=True, kw_only=True):
    """A line (API.md, line amounts).

    limit_minor            the permanent limit
    effective_limit_minor  the one in force: the temporary one while it runs
    available_minor        of that, as far as the person's cap and a limit shared with other lines leave it; a line that
                           is not `open` cannot be drawn on, whatever this says
    over_limit_minor       what is used that a raise had allowed which is over: the next bill asks for it, as far as it
                           bills principal that is not in parts
    frozen_until_on        the date on which a freeze ends by itself
    tier, tier_name        whose prices of the product its draws have
    """

    id: str
    object: Literal["line"] = "line"
    created_at: datetime
    person: str
    product: str
    name: str
    status: LineStatus
    currency: str
    limit_minor: int
    temporary_limit_minor: int | None
    temporary_until_on: date | None
    effective_limit_minor: int
    over_limit_minor: int
    used_minor: int
    held_minor: int
    available_minor: int
    billed_minor: int
    unbilled_minor: int
    credit_balance_minor: int
    accrued_minor: int
    minimum_minor: int
    next_bill_on: date | None
    next_due_on: date | None
    past_due_since: date | None
    days_past_due: int
    band: str
    bill_day: int | None
    due_day: int | None
    due_after_days: int | None
    frozen_until_on: date | None
    opened_on: date
    auto_debit: tuple[str, ...]
    tier: str
    tier_name: str
    rates: RatesView
    lenders: tuple[LenderView, ...]


class BillPartView(Struct, frozen=True):
    """One kind of amount on a bill, and how it comes about."""

    kind: Literal["purchases", "instalments", "instalment_fees", "interest", "late_interest"]
    amount_minor: int
    explain: str


class BillItemView(Struct, frozen=True):
    """One draw's part on a bill, as it was when the bill was issued."""

    draw: str
    instalment: int
    tenor: int
    principal_minor: int
    fee_minor: int
    interest_minor: int


class BillView(Struct, frozen=True, kw_only=True):
    """A bill. `accrued_minor` is interest since the due date that is not billed yet; `unpaid_minor` is without it."""

    id: str
    object: Literal["bill"] = "bill"
    created_at: datetime
    line: str
    status: BillStatus
    currency: str
    issued_on: date
    due_on: date
    total_minor: int
    minimum_minor: int
    paid_minor: int
    unpaid_minor: int
    accrued_minor: int
    parts: tuple[BillPartView, ...]
    items: tuple[BillItemView, ...]


class DrawView(Struct, frozen=True, kw_only=True):
    """One use of a line."""

    id: str
    object: Literal["draw"] = "draw"
    created_at: datetime
    line: str
    payment: str | None
    merchant: str | None
    of_bill: str | None
    status: DrawStatus
    amount_minor: int
    unbilled_minor: int
    tenor: int
    product_version: int
    posted_on: date | None
    billable_on: date | None
    lenders: tuple[LenderView, ...]


class InstalmentView(Struct, frozen=True):
    """One part of a plan. An unpaid part of `future` may have been prepaid in part: `unpaid_minor` tells."""

    number: int
    status: Literal["future", "billed", "paid", "overdue", "cancelled"]
    principal_minor: int
    fee_minor: int
    interest_minor: int
    amount_minor: int
    unpaid_minor: int
    bill: str | None
    due_on: date | None


class PlanView(Struct, frozen=True, kw_only=True):
    """How a draw is repaid. Its id is the draw's under another prefix."""

    id: str
    object: Literal["plan"] = "plan"
    created_at: datetime
    line: str
    draw: str
    payment: str | None
    of_bill: str | None
    tenor: int
    amount_minor: int
    total_cost_minor: int
    annualised_rate_ppm: int
    instalments: tuple[InstalmentView, ...]


class AllocationView(Struct, frozen=True, omit_defaults=True):
    """One piece of a repayment."""

    part: Paid
    amount_minor: int
    bill: str | None = None
    draw: str | None = None
    instalment: int | None = None


class RepaymentView(Struct, frozen=True, kw_only=True):
    """A repayment. `saved_minor`: fees that need not be paid any more because of it."""

    id: str
    object: Literal["repayment"] = "repayment"
    created_at: datetime
    line: str
    person: str
    status: RepaymentStatus
    currency: str
    source: SourceKind
    wallet: str | None
    bank_account: str | None
    amount_minor: int
    value_on: date
    posted_on: date | None
    plan: str | None
    allocation: tuple[AllocationView, ...]
    saved_minor: int
    returned_minor: int
    reason: str | None


def view_line(
    debt: Debt, amounts: LineAmounts, product: Product, book_id: int, on: date, language: str
) -> LineView:
    """A line on a business date; `debt` is all that it owes, brought up to that date."""
    used_minor, held_minor = amounts.used_minor, amounts.held_minor
    line = without_ended_raise(thawed(debt.line, product, on), used_minor + held_minor, on)
    limit_minor = line.limit_on(on)
    ceiling_minor = limit_minor if amounts.ceiling_minor is None else min(limit_minor, amounts.ceiling_minor)
    said = tier_name(product, line.tier)
    late_ppm = product.interest.late_daily_ppm
    revolving_ppm = product.interest.revolving_daily_ppm
    return LineView(
        id=encode(Prefix.LINE, line.id),
        created_at=instant_of(line.id),
        person=encode(Prefix.PERSON, line.person_id),
        product=f"{line.product}@{line.product_version}",
        name=product.name.zh if language.startswith("zh") else product.name.en,
        status=line.status,
        currency=line.currency,
        limit_minor=line.limit_minor,
        temporary_limit_minor=line.temporary_limit_minor,
        temporary_until_on=line.temporary_until_on,
        effective_limit_minor=limit_minor,
        over_limit_minor=over_limit_minor(line, used_minor, on),
        used_minor=used_minor,
        held_minor=held_minor,
        available_minor=max(0, ceiling_minor - used_minor - held_minor),
        billed_minor=debt.billed_minor,
        unbilled_minor=debt.unbilled_minor,
        credit_balance_minor=amounts.credit_balance_minor,
        accrued_minor=sum(interest_to_bill(bill, on) for bill in debt.bills)
        + sum(interest_to_bill(draw, on) for draw in debt.draws),
        minimum_minor=minimum_due(debt.bills, on),
        next_bill_on=line.next_bill_on,
        next_due_on=next_due_on(debt.bills, on),
        past_due_since=line.past_due_since,
        days_past_due=line.days_past_due(on),
        band=band_of(line.days_past_due(on)),
        bill_day=line.bill_day,
        due_day=line.due_day,
        due_after_days=line.due_after_days,
        frozen_until_on=line.frozen_until_on,
        opened_on=line.opened_on,
        auto_debit=line.auto_debit,
        tier=line.tier,
        tier_name=said.zh if language.startswith("zh") else said.en,
        rates=RatesView(
            revolving_ppm,
            late_ppm,
            annualised_daily_ppm(max(revolving_ppm, late_ppm)),
            product.interest.daily_ppm,
        ),
        lenders=_lenders(line, product, book_id, language),
    )


def view_bill(bill: Bill, items: BillItems, line: Line, on: date, language: str) -> BillView:
    """A bill on a business date."""
    return BillView(
        id=encode(Prefix.BILL, bill.id),
        created_at=instant_of(bill.id),
        line=encode(Prefix.LINE, bill.line_id),
        status=bill.status,
        currency=line.currency,
        issued_on=bill.issued_on,
        due_on=bill.due_on,
        total_minor=bill.total_minor,
        minimum_minor=bill.minimum_minor,
        paid_minor=bill.paid_minor,
        unpaid_minor=bill.unpaid_minor,
        accrued_minor=interest_to_bill(bill, on),
        parts=_parts(bill, items, line, language),
        items=tuple(
            BillItemView(
                encode(Prefix.DRAW, item.draw_id),
                item.part + 1,
                item.tenor,
                item.principal_minor,
                item.fee_minor,
                item.interest_minor,
            )
            for item in items.items
        ),
    )


def view_draw(draw: Draw, line: Line, product: Product, book_id: int, language: str) -> DrawView:
    """A draw."""
    return DrawView(
        id=encode(Prefix.DRAW, draw.id),
        created_at=instant_of(draw.id),
        line=encode(Prefix.LINE, draw.line_id),
        payment=encode(Prefix.PAYMENT, draw.payment_id) if draw.payment_id else None,
        merchant=encode(Prefix.MERCHANT, draw.merchant_id) if draw.merchant_id else None,
        of_bill=encode(Prefix.BILL, draw.of_bill) if draw.of_bill else None,
        status=draw.status,
        amount_minor=draw.amount_minor,
        unbilled_minor=draw.unbilled_minor,
        tenor=draw.tenor,
        product_version=draw.product_version,
        posted_on=draw.posted_on,
        billable_on=draw.billable_on,
        lenders=_lenders(line, product, book_id, language),
    )


def view_plan(
    draw: Draw, bills: Sequence[Bill], line: Line, product: Product, contract: Product, on: date
) -> PlanView:
    """The plan of a draw; `bills` are those it stands on.

    product  the version that the draw was made by      contract  the line's own, which bills live by
    A billed part is paid when its bill is: money pays bills, not single parts. Dates to come follow the line's days,
    and are those that bills will have: moved where banks rest and the contract says so.
    """
    by_id = {bill.id: bill for bill in bills}
    to_come = map(contract.billing.real_due_on, _due_dates(draw, line, on))
    unpaid = draw.unpaid_of_unbilled_parts()
    instalments = []
    for part, principal_minor in enumerate(draw.principal_parts):
        fee_minor, interest_minor = draw.fee_of(part), draw.interest_of(part)
        amount_minor = principal_minor + fee_minor + interest_minor
        status: Literal["future", "billed", "paid", "overdue", "cancelled"]
        if part < draw.billed_parts:
            bill = by_id[draw.bills[part]]
            status, bill_id = _billed_status(bill, amount_minor), encode(Prefix.BILL, bill.id)
            due_on: date | None = bill.due_on
            owed_minor = min(bill.unpaid_minor, amount_minor)
        else:
            bill_id, due_on = None, next(to_come, None)
            owed_minor = unpaid[part] + fee_minor + interest_minor
            status = "future" if owed_minor else "paid" if amount_minor else "cancelled"
        instalments.append(
            InstalmentView(
                part + 1,
                status,
                principal_minor,
                fee_minor,
                interest_minor,
                amount_minor,
                owed_minor,
                bill_id,
                due_on,
            )
        )
    whole = standing_plan(draw, line, product)
    return PlanView(
        id=encode(Prefix.PLAN, draw.id),
        created_at=instant_of(draw.id),
        line=encode(Prefix.LINE, draw.line_id),
        draw=encode(Prefix.DRAW, draw.id),
        payment=encode(Prefix.PAYMENT, draw.payment_id) if draw.payment_id else None,
        of_bill=encode(Prefix.BILL, draw.of_bill) if draw.of_bill else None,
        tenor=draw.tenor,
        amount_minor=draw.amount_minor,
        total_cost_minor=sum(whole.charges_minor),
        annualised_rate_ppm=annualised_rate_ppm(whole) if whole.amount_minor else 0,
        instalments=tuple(instalments),
    )


def view_repayment(repayment: Repayment, currency: str) -> RepaymentView:
    """A repayment."""
    source = repayment.source
    in_wallet = source.kind is SourceKind.WALLET
    return RepaymentView(
        id=encode(Prefix.REPAYMENT, repayment.id),
        created_at=repayment.created_at,
        line=encode(Prefix.LINE, repayment.line_id),
        person=encode(Prefix.PERSON, repayment.person_id),
        status=repayment.status,
        currency=currency,
        source=source.kind,
        wallet=encode(Prefix.WALLET, source.id) if source.id and in_wallet else None,
        bank_account=encode(Prefix.BANK_ACCOUNT, source.id) if source.id and not in_wallet else None,
        amount_minor=repayment.amount_minor,
        value_on=repayment.value_on,
        posted_on=repayment.posted_on,
        plan=encode(Prefix.PLAN, repayment.plan) if repayment.plan else None,
        allocation=tuple(map(view_allocation, repayment.allocation)),
        saved_minor=repayment.saved_minor,
        returned_minor=repayment.returned_minor,
        reason=repayment.reason,
    )


def view_allocation(piece: Allocation) -> AllocationView:
    """One piece of a repayment."""
    return AllocationView(
        piece.part,
        piece.amount_minor,
        bill=encode(Prefix.BILL, piece.bill) if piece.bill else None,
        draw=encode(Prefix.DRAW, piece.draw) if piece.draw else None,
        instalment=piece.instalment,
    )


def _lenders(line: Line, product: Product, book_id: int, language: str) -> tuple[LenderView, ...]:
    zh = language.startswith("zh")
    names = {
        lender_id(book_id, share.code): share.name.zh if zh else share.name.en for share in product.lenders
    }
    return tuple(
        LenderView(encode(Prefix.LENDER, lender), names[lender], share_ppm)
        for lender, share_ppm in line.lenders
    )


def _parts(bill: Bill, items: BillItems, line: Line, language: str) -> tuple[BillPartView, ...]:
    singles = sum(1 for item in items.items if item.tenor == 1)
    instalments = len(items.items) - singles
    parts = (
        ("purchases", bill.single_minor, explain("purchases", language, count=singles)),
        ("instalments", bill.instalment_minor, explain("instalments", language, count=instalments)),
        ("instalment_fees", bill.fee_minor, explain("instalment_fees", language, count=instalments)),
        ("interest", bill.interest_minor, explain("interest", language, count=len(items.interest))),
        ("late_interest", bill.late_interest_minor, _sums(bill.segments, line.currency, language)),
    )
    return tuple(BillPartView(kind, amount, text) for kind, amount, text in parts if amount)  # type: ignore[arg-type]


def _sums(segments: Sequence[Segment], currency: str, language: str) -> str:
    return explain("interest_sum", language, sums="; ".join(_sum(s, currency, language) for s in segments))


def _sum(segment: Segment, currency: str, language: str) -> str:
    return explain(
        "interest_of_segment",
        language,
        balance=amount_text(segment.balance_minor, currency),
        rate=percent_text(segment.daily_ppm),
        days=segment.days,
    )


def _billed_status(bill: Bill, amount_minor: int) -> Literal["billed", "paid", "overdue", "cancelled"]:
    if not amount_minor:
        return "cancelled"
    if bill.status is BillStatus.PAID:
        return "paid"
    return "overdue" if bill.status is BillStatus.OVERDUE else "billed"


def _due_dates(draw: Draw, line: Line, on: date) -> list[date]:
    """The due dates of the parts that no bill has taken, as the line's days are now."""
    if draw.billable_on is None:
        return []
    if draw.due_dates:
        return [draw.due_dates[part] for part in draw.unbilled_parts]
    cycle, dates = line.cycle, []
    if cycle is None:
        return []
    # A bill day that has come is still to come where its close is late.
    next_on = line.next_bill_on or cycle.bill_on(on)
    bill_on = next_on if draw.billed_parts else cycle.bill_on(draw.billable_on)
    for _ in draw.unbilled_parts:
        dates.append(cycle.due_on(bill_on))
        bill_on = cycle.bill_on(bill_on)
    return dates
